//! Columns that say who must not be reached: `Do Not Call`, `Email Opt Out`.

use super::column::Column;
use super::intent::Intent;
use crate::domain::{Field, yes_no_word};
use crate::error::{ValueError, ViolationCode};
use crate::exchange::dates::{DateShape, date_shape};
use crate::exchange::mapping::OptOut;
use crate::value::fold;

/// Whether a cell says that nobody may: by a word for yes or no, a word of consent, or the day since when. Of a column that
/// says who may, yes and no and the day are `inverted`.
pub(in crate::exchange) fn says_out(cell: &str, inverted: bool) -> Option<bool> {
    let word: String = fold(cell).chars().filter(|c| c.is_alphanumeric()).collect();
    match word.as_str() {
        "optedout" | "optout" | "out" | "unsubscribed" | "unsubscribe" | "donotcall" | "donotemail"
        | "donotcontact" | "donotallow" | "dnc" | "stop" | "blocked" | "cleaned" => Some(true),
        "optedin" | "optin" | "in" | "subscribed" | "allow" | "allowed" | "ok" | "active" => Some(false),
        _ => {
            let yes = yes_no_word(cell).or_else(|| (date_shape(cell) != DateShape::None).then_some(true));
            yes.map(|yes| yes != inverted)
        }
    }
}

/// Takes over what a cell says; of several columns the strictest holds.
pub(super) fn take(
    intent: &mut Intent,
    column: &Column,
    which: OptOut,
    cell: &str,
) -> Result<(), ValueError> {
    let (folded, inverted) = (fold(cell), column.at.rules.inverted);
    let said = match (column.yes.contains(&folded), column.no.contains(&folded)) {
        (true, false) => Some(!inverted),
        (false, true) => Some(inverted),
        _ => says_out(cell, inverted),
    };
    let Some(out) = said else {
        let message = if inverted {
            "must say yes or no: whether the address may be used"
        } else {
            "must say yes or no: whether nobody may use the address"
        };
        return Err(ValueError::new(ViolationCode::Malformed, message));
    };
    if !out && !column.at.rules.opt_in {
        return Ok(());
    }
    let strictest = |known: &mut Option<bool>| *known = Some(known.unwrap_or(false) || out);
    if which == OptOut::All || column.at.field == Field::Email {
        strictest(&mut intent.emails_out);
    }
    if which == OptOut::All || column.at.field == Field::Phone {
        strictest(&mut intent.phones_out);
    }
    Ok(())
}

/// Why the cell that empties a field is refused here.
pub(super) fn unclear() -> ValueError {
    ValueError::new(
        ViolationCode::NotAllowed,
        "who opted out is taken back by a no, where the column lets it",
    )
}
