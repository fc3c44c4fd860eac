//! Where the values of a field lie, and in which form a column holds them.

use leadcore::domain::{Field, FieldValue};
use leadcore::error::Result;
use rusqlite::types::Value;
use rust_decimal::Decimal;

use super::unsupported;
use crate::row::AMOUNT_SCALE;

/// The column that holds a field as it is; NULL when it has no value.
pub(crate) fn raw_column(field: &Field) -> Result<&'static str> {
    Ok(match field {
        Field::Id => "l.id",
        Field::Number => "l.number",
        Field::Kind => "l.kind",
        Field::Company => "l.company",
        Field::Name => "l.name",
        Field::FirstName => "l.first_name",
        Field::LastName => "l.last_name",
        Field::Salutation => "l.salutation",
        Field::JobTitle => "l.job_title",
        Field::Email => "l.emails",
        Field::Phone => "l.phones",
        Field::Website => "l.website",
        Field::Street => "l.street",
        Field::City => "l.city",
        Field::Region => "l.state_region",
        Field::PostalCode => "l.postal_code",
        Field::Country => "l.country",
        Field::TaxId => "l.tax_id",
        Field::Currency => "l.currency",
        Field::CurrencySymbol => "l.currency_symbol",
        Field::Amount => "l.amount",
        Field::Probability => "l.probability",
        Field::ExpectedClose => "l.expected_close",
        Field::Score => "l.score",
        Field::Rank => "l.rank",
        Field::Outcome => "l.outcome",
        Field::LostReason => "(CASE WHEN l.outcome = 'lost' THEN l.reason END)",
        Field::DisqualifyReason => "(CASE WHEN l.outcome = 'disqualified' THEN l.reason END)",
        Field::ReasonDetail => "l.reason_detail",
        Field::ClosedAt => "l.closed_at",
        Field::ActiveAt => "l.active_at",
        Field::FollowUp => "l.follow_up",
        Field::Industry => "l.industry",
        Field::Description => "l.description",
        Field::Owner => "l.owner",
        Field::Source => "l.source",
        Field::Campaign => "l.campaign",
        Field::Category => "l.category",
        Field::Location => "l.location",
        Field::Partner => "l.partner",
        Field::Labels => "l.labels",
        Field::ExternalId => "l.external_ids",
        Field::Pipeline => "l.pipeline",
        Field::Stage => "l.stage",
        Field::StageEnteredAt => "l.stage_entered_at",
        Field::CreatedAt => "l.created_at",
        Field::UpdatedAt => "l.updated_at",
        Field::ConvertedAt => "l.converted_at",
        Field::Account => "l.account",
        _ => return Err(unsupported()),
    })
}

/// A value as the column holds it; none when no row can hold it.
pub(super) fn exact(field: &Field, value: &FieldValue) -> Option<Value> {
    match value {
        FieldValue::Text(text) => Some(Value::Text(text.clone())),
        FieldValue::Integer(number) => Some(Value::Integer(*number)),
        FieldValue::Date(day) => Some(Value::Integer(day.as_days())),
        FieldValue::Time(at) => Some(Value::Integer(at.as_micros())),
        FieldValue::Decimal(amount) => {
            let (below, above) = units(*amount, AMOUNT_SCALE);
            (below == above).then_some(Value::Integer(below))
        }
        FieldValue::Id(id) if *field == Field::Labels => Some(Value::Text(id.to_string())),
        FieldValue::Id(id) => Some(Value::Blob(id.as_bytes().to_vec())),
        _ => None,
    }
}

/// The stored units of so many decimal places at or below an amount, and those at or above it: equal when it can be stored exactly.
pub(crate) fn units(amount: Decimal, places: u32) -> (i64, i64) {
    let factor = Decimal::from(10_i64.pow(places));
    match amount.checked_mul(factor) {
        None if amount.is_sign_negative() => (i64::MIN, i64::MIN.saturating_add(1)),
        None => (i64::MAX.saturating_sub(1), i64::MAX),
        Some(scaled) => {
            let clamp =
                |whole: Decimal, fallback| i64::try_from(whole.trunc().mantissa()).unwrap_or(fallback);
            let fallback = if amount.is_sign_negative() { i64::MIN } else { i64::MAX };
            (clamp(scaled.floor(), fallback), clamp(scaled.ceil(), fallback))
        }
    }
}

pub(super) fn lower(end: &FieldValue, included: bool, places: u32) -> Result<(&'static str, Value)> {
    match end {
        FieldValue::Decimal(amount) => {
            let (below, above) = units(*amount, places);
            Ok(if included { (">=", Value::Integer(above)) } else { (">", Value::Integer(below)) })
        }
        end => Ok((if included { ">=" } else { ">" }, whole(end)?)),
    }
}

pub(super) fn upper(end: &FieldValue, included: bool, places: u32) -> Result<(&'static str, Value)> {
    match end {
        FieldValue::Decimal(amount) => {
            let (below, above) = units(*amount, places);
            Ok(if included { ("<=", Value::Integer(below)) } else { ("<", Value::Integer(above)) })
        }
        end => Ok((if included { "<=" } else { "<" }, whole(end)?)),
    }
}

fn whole(value: &FieldValue) -> Result<Value> {
    match value {
        FieldValue::Integer(number) => Ok(Value::Integer(*number)),
        FieldValue::Date(day) => Ok(Value::Integer(day.as_days())),
        FieldValue::Time(at) => Ok(Value::Integer(at.as_micros())),
        _ => Err(unsupported()),
    }
}
