//! What a cell is made of, and what it means alone.

use std::collections::HashMap;

use super::Intent;
use crate::domain::{ExternalRef, Field, FieldValue, LeadFields, LeadKind, LeadState, Outcome, StageKind};
use crate::error::{ValueError, ViolationCode};
use crate::exchange::import::TermRule;
use crate::exchange::mapping::address::AddressLine;
use crate::exchange::mapping::{ColumnRules, Split};
use crate::value::fold;

/// The parts of a cell that its column separates; the cell, where it does not.
pub(super) fn list_of<'c>(rules: &'c ColumnRules, cell: &'c str) -> impl Iterator<Item = &'c str> {
    let between = match &rules.split {
        Some(Split::List(between)) if !between.is_empty() => Some(between.as_str()),
        _ => None,
    };
    let (parts, whole) = match between {
        Some(between) => (Some(cell.split(between)), None),
        None => (None, Some(cell)),
    };
    parts.into_iter().flatten().chain(whole).map(str::trim).filter(|part| !part.is_empty())
}

/// A lead has one id in each system: of two the row does not say which.
pub(super) fn add_id(fields: &mut LeadFields, id: ExternalRef) -> Result<(), ValueError> {
    let other = fields.external_ids.iter().any(|known| known.system() == id.system() && *known != id);
    if other {
        let message = "a lead has at most one id per external system";
        return Err(ValueError::new(ViolationCode::Duplicate, message));
    }
    fields.external_ids.insert(id);
    Ok(())
}

/// Parts that the row has in columns of their own are written later, over these.
pub(super) fn split_address(fields: &mut LeadFields, cell: &str) -> Result<(), ValueError> {
    let AddressLine { street, city, region, postal_code, country } = AddressLine::split(cell);
    let address = std::mem::take(&mut fields.address).with_street(&street)?;
    fields.address = address.with_country(country);
    let parts = [(Field::City, city), (Field::Region, region), (Field::PostalCode, postal_code)];
    for (field, part) in parts.into_iter().filter_map(|(field, part)| Some((field, part?))) {
        field.write(fields, &FieldValue::from(part))?;
    }
    Ok(())
}

/// Refuses what a spreadsheet made of a long number in a narrow column: `4.7222255e+10`, `1,23E+16`. The digits that it left
/// out are lost.
///
/// # Errors
/// `Malformed`.
pub(super) fn check_whole(cell: &str) -> Result<(), ValueError> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let cell = cell.trim_start_matches('+');
    let shortened = cell.split_once(['e', 'E']).is_some_and(|(number, power)| {
        let fits = number
            .split_once(['.', ','])
            .is_some_and(|(whole, fraction)| whole.len() == 1 && is_digits(whole) && is_digits(fraction));
        fits && power.strip_prefix('+').is_some_and(is_digits)
    });
    if shortened {
        let message = "a spreadsheet has shortened this number: the digits that it left out are lost";
        return Err(ValueError::new(ViolationCode::Malformed, message));
    }
    Ok(())
}

/// The row empties this field.
pub(super) fn clear(intent: &mut Intent, field: &Field) -> Result<(), ValueError> {
    if !field.is_writable() || *field == Field::Kind {
        return Err(ValueError::new(ViolationCode::NotAllowed, "this field cannot be emptied"));
    }
    if !intent.clear.contains(field) {
        intent.clear.push(field.clone());
    }
    Ok(())
}

/// What a rule says, by folded cell.
pub(super) fn meanings(rule: &TermRule) -> HashMap<String, Option<String>> {
    rule.map.iter().map(|(cell, meant)| (fold(cell.trim()), meant.clone())).collect()
}

/// Meta's lead exports write a letter and a colon before numbers, so that spreadsheets leave them alone: `p:+4722225555`
/// is a phone number, `l:123` a lead, `f:` a form, `c:` a campaign, `ag:` an ad and `as:` an ad set.
pub(super) fn without_prefix<'c>(cell: &'c str, known: &[&str]) -> &'c str {
    match cell.split_once(':') {
        Some((prefix, rest)) if known.contains(&prefix) && !rest.trim().is_empty() => rest.trim(),
        _ => cell,
    }
}

/// What became of a lead, as an export writes it.
pub(super) fn state(cell: &str) -> Result<LeadState, ValueError> {
    LeadState::from_code(&fold(cell)).ok_or_else(|| {
        ValueError::new(ViolationCode::Malformed, "must be `open`, `disqualified` or `converted`")
    })
}

/// How a lead ended, as an export writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) enum End {
    /// As its stage says.
    Of(StageKind),
    /// It was no lead, in a stage that is open.
    Disqualified,
}

impl End {
    /// What a cell says.
    pub(in crate::exchange) fn of(cell: &str) -> Option<Self> {
        let key = fold(cell);
        let kind = if key == "on hold" { Some(StageKind::OnHold) } else { StageKind::from_code(&key) };
        let is_out = Outcome::from_code(&key) == Some(Outcome::Disqualified);
        kind.map(Self::Of).or_else(|| is_out.then_some(Self::Disqualified))
    }
}

/// Takes over how a lead ended; of its state, a column of its own says more.
pub(super) fn end(intent: &mut Intent, cell: &str) -> Result<(), ValueError> {
    let message = "must be `open`, `on_hold`, `won`, `lost` or `disqualified`";
    let end = End::of(cell).ok_or_else(|| ValueError::new(ViolationCode::Malformed, message))?;
    intent.stage_kind = Some(match end {
        End::Of(kind) => kind,
        End::Disqualified => {
            intent.state.get_or_insert(LeadState::Disqualified);
            StageKind::Open
        }
    });
    Ok(())
}

pub(super) fn kind(cell: &str) -> Result<LeadKind, ValueError> {
    match fold(cell).as_str() {
        "company" | "business" | "organization" | "organisation" | "b2b" | "firma" => Ok(LeadKind::Company),
        "consumer" | "person" | "individual" | "private" | "b2c" => Ok(LeadKind::Consumer),
        _ => Err(ValueError::new(ViolationCode::Unknown, "a lead is a `company` or a `consumer`")),
    }
}
