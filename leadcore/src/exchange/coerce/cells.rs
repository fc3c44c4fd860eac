//! Cells as the types of fields read them: numbers, amounts, days, times, yes and no.

use rust_decimal::{Decimal, RoundingStrategy};

use super::currency::{Named, currency_of, is_sign_of};

use crate::domain::{CustomField, CustomType, FieldValue, yes_no_word};
use crate::error::{ValueError, ViolationCode};
use crate::exchange::dates::{read_date, read_time};
use crate::exchange::mapping::{ColumnRules, Unit};
use crate::value::{DecimalMark, fold, parse_amount};

/// An amount in the unit of its column.
pub(super) fn amount(cell: &str, mark: DecimalMark, unit: Option<Unit>) -> Result<Decimal, ValueError> {
    let amount = parse_amount(cell, mark)?;
    match unit {
        None => Ok(amount),
        Some(unit) => amount.checked_mul(Decimal::from(unit.factor())).ok_or_else(|| {
            ValueError::new(ViolationCode::OutOfRange, "the amount is 100,000,000,000,000 or more")
        }),
    }
}

/// A whole number, also as spreadsheets write it (`15.0`) and with a percent sign; else the text, for the field to refuse.
///
/// Where others reckon a field in fractions (`41.37` percent), it is the nearest whole number. A part of one without its sign is
/// not: `0.5` may be a half as well.
pub(super) fn whole(cell: &str, mark: DecimalMark, unit: Option<Unit>, is_reckoned: bool) -> FieldValue {
    if unit.is_none()
        && let Ok(number) = cell.parse::<i64>()
    {
        return FieldValue::Integer(number);
    }
    let percent = cell.strip_suffix('%').map(str::trim_end);
    let unit = unit.filter(|unit| percent.is_none() || *unit != Unit::Fractions);
    let number = percent.unwrap_or(cell);
    let nearest = |number: Decimal| match is_reckoned && (percent.is_some() || number.abs() > Decimal::ONE) {
        true => number.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero),
        false => number,
    };
    let whole = amount(number, mark, unit).ok().map(nearest).filter(|number| number.fract().is_zero());
    whole.and_then(|number| i64::try_from(number).ok()).map_or_else(|| cell.into(), FieldValue::Integer)
}

/// A cell as the type of a custom field reads it, by the rules of its column. `words` mean yes, and no.
pub(super) fn custom(
    field: &CustomField,
    cell: &str,
    mark: DecimalMark,
    rules: &ColumnRules,
    words: (&[String], &[String]),
) -> Result<FieldValue, ValueError> {
    let amount = || amount(cell, mark, rules.unit);
    Ok(match &field.kind {
        CustomType::Integer => match (rules.unit, cell.parse()) {
            (None, Ok(number)) => FieldValue::Integer(number),
            _ => FieldValue::Decimal(amount()?),
        },
        CustomType::Decimal => {
            let fine = fine_number(cell).filter(|_| rules.unit.is_none());
            FieldValue::Decimal(fine.map_or_else(amount, Ok)?)
        }
        CustomType::Money(own) => {
            let mut words = cell.split_whitespace();
            let ends = [words.next(), words.next_back()];
            let is_code =
                |word: &&str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
            match (ends.into_iter().flatten().find(is_code), currency_of(cell)) {
                (Some(code), _) => FieldValue::Text(format!("{} {code}", amount()?)),
                (None, Some(Named::Code(code))) => FieldValue::Text(format!("{} {code}", amount()?)),
                (None, Some(Named::Sign(sign))) if own.is_some_and(|own| !is_sign_of(&sign, own)) => {
                    let message = "the amount is in another currency than the field has";
                    return Err(ValueError::new(ViolationCode::NotAllowed, message));
                }
                (None, _) => FieldValue::Decimal(amount()?),
            }
        }
        CustomType::Date => FieldValue::Date(read_date(cell, rules.date_order)?),
        CustomType::Time => FieldValue::Time(read_time(cell, rules.date_order, rules.utc_offset)?),
        CustomType::Bool => {
            let folded = fold(cell);
            let said = match (words.0.contains(&folded), words.1.contains(&folded)) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                _ => yes_no_word(cell),
            };
            said.map_or_else(|| cell.into(), FieldValue::Bool)
        }
        // Without a mark of its own, a label that holds a comma may also stand as it is.
        CustomType::ManyOf(_) if rules.split.is_some() => {
            FieldValue::List(rules.names_in(cell).iter().map(|name| name.as_ref().into()).collect())
        }
        _ => cell.into(),
    })
}

/// A number with so many digits behind its only mark that it can be read in one way, though it is no amount.
fn fine_number(cell: &str) -> Option<Decimal> {
    let (_, fraction) = cell.split_once(['.', ','])?;
    let fine = fraction.len() > 4 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    fine.then(|| Decimal::from_str_exact(&cell.replace(',', ".")).ok()).flatten()
}
