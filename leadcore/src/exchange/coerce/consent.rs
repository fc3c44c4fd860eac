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
    match letters(cell).as_str() {
        "out" | "unsubscribe" | "donotallow" | "dnc" | "stop" | "blocked" | "cleaned" | "pending"
        | "unconfirmed" | "transactional" => Some(true),
        word if WORDS_OF_OUT.contains(&word) => Some(true),
        "optedin" | "optin" | "in" | "subscribed" | "allow" | "allowed" | "ok" | "active" | "inscrit"
        | "abonne" | "angemeldet" | "abonniert" | "pameldt" => Some(false),
        _ => said(cell).map(|yes| yes != inverted),
    }
}

/// Words that mean nothing but that somebody opted out, wherever they stand.
const WORDS_OF_OUT: [&str; 17] = [
    "optedout",
    "optout",
    "unsubscribed",
    "nonsubscribed",
    "notsubscribed",
    "donotcall",
    "donotemail",
    "donotcontact",
    "donotmail",
    "desinscrit",
    "desabonne",
    "abgemeldet",
    "werbesperre",
    "avmeldt",
    "avregistrerad",
    "afgemeld",
    "uitgeschreven",
];

fn letters(cell: &str) -> String {
    fold(cell).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether a cell says by itself that somebody opted out: no yes, whose meaning its header knows.
pub(in crate::exchange) fn is_word_of_out(cell: &str) -> bool {
    cell.len() <= 32 && WORDS_OF_OUT.contains(&letters(cell).as_str())
}

/// Whether a cell is a word of consent and nothing else: no yes, and no word that a stage may be called.
pub(in crate::exchange) fn is_word_of_consent(cell: &str) -> bool {
    is_word_of_out(cell)
        || matches!(
            letters(cell).as_str(),
            "subscribed"
                | "optedin"
                | "optin"
                | "abonniert"
                | "angemeldet"
                | "inscrit"
                | "abonne"
                | "pameldt"
        )
}

/// Whether a cell goes with words of consent: `Cleaned`, `Transactional`.
pub(in crate::exchange) fn goes_with_consent(cell: &str) -> bool {
    is_word_of_consent(cell)
        || cell.len() <= 32
            && matches!(
                letters(cell).as_str(),
                "cleaned" | "transactional" | "pending" | "unconfirmed" | "active" | "bounced"
            )
}

/// Whether a cell says that an address does not work: by a word for that, a word for yes or no, or the day since when. Of a
/// column that says which ones work, yes and no and the day are `inverted`.
pub(in crate::exchange) fn says_dead(cell: &str, inverted: bool) -> Option<bool> {
    match letters(cell).as_str() {
        "bounced" | "bounce" | "hardbounce" | "hardbounced" | "invalid" | "undeliverable" | "undelivered"
        | "bad" | "dead" | "wrong" | "wrongnumber" | "disconnected" | "unzustellbar" | "ungultig"
        | "ugyldig" | "invalide" => Some(true),
        "valid" | "ok" | "active" | "good" | "working" | "deliverable" | "delivered" | "softbounce"
        | "softbounced" | "gultig" | "gyldig" | "valide" => Some(false),
        _ => said(cell).map(|yes| yes != inverted),
    }
}

/// Yes, no, or a day, which is a yes.
fn said(cell: &str) -> Option<bool> {
    yes_no_word(cell).or_else(|| (date_shape(cell) != DateShape::None).then_some(true))
}

/// Takes over what a cell says; of several columns the strictest holds.
pub(super) fn take(
    intent: &mut Intent,
    column: &Column,
    which: OptOut,
    cell: &str,
) -> Result<(), ValueError> {
    let (folded, inverted, invalid) = (fold(cell), column.at.rules.inverted, column.at.rules.invalid);
    let said = match (column.yes.contains(&folded), column.no.contains(&folded)) {
        (true, false) => Some(!inverted),
        (false, true) => Some(inverted),
        _ if invalid => says_dead(cell, inverted),
        _ => says_out(cell, inverted),
    };
    // `Bounced`, in a column of who opted out.
    let is_dead = invalid || said.is_none() && says_dead(cell, inverted).is_some();
    let said = if is_dead { said.or_else(|| says_dead(cell, inverted)) } else { said };
    let Some(out) = said else {
        let message = match (invalid, inverted) {
            (true, false) => "must say yes or no: whether the address does not work",
            (true, true) => "must say yes or no: whether the address works",
            (false, true) => "must say yes or no: whether the address may be used",
            (false, false) => "must say yes or no: whether nobody may use the address",
        };
        return Err(ValueError::new(ViolationCode::Malformed, message));
    };
    if is_dead {
        intent.emails_dead |= out && column.at.field == Field::Email;
        intent.phones_dead |= out && column.at.field == Field::Phone;
        return Ok(());
    }
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
