//! The arithmetic of lines: whole numbers, checked where they come in and rounded half away from zero.

use rust_decimal::Decimal;

use crate::error::{ValueError, Violation, ViolationCode};
use crate::value::Currency;

/// Decimal places of quantities and unit prices.
pub(super) const FINE: u32 = 6;
/// Decimal places of amounts, percentages and sums.
pub(super) const SCALE: u32 = 4;
/// A quantity lies below this: 10⁹.
pub(super) const MAX_QUANTITY: i128 = 1_000_000_000;
/// A unit price lies below this: 10¹².
pub(super) const MAX_PRICE: i128 = 1_000_000_000_000;
/// Amounts and sums lie below this, as those of leads do: 10¹⁴.
pub(super) const MAX_AMOUNT: i128 = 100_000_000_000_000;
/// The decimal places of a currency that ISO 4217 lists no unit for.
pub(super) const PLACES: u32 = 2;

/// How many decimal places amounts in this currency have.
pub(super) fn places(currency: Option<Currency>) -> u32 {
    currency.and_then(Currency::exponent).unwrap_or(PLACES).min(SCALE)
}

pub(super) fn noted<T>(read: Result<T, ValueError>, field: &str, broken: &mut Vec<Violation>) -> Option<T> {
    read.map_err(|error| broken.push(error.at(field))).ok()
}

/// Units of 1/10^places; none for a number with more places.
pub(super) fn units(value: Decimal, places: u32) -> Option<i128> {
    let value = value.normalize();
    let missing = places.checked_sub(value.scale())?;
    // A mantissa has 96 bits: with six places more it has no more than 117.
    value.mantissa().checked_mul(power(missing))
}

pub(super) fn number(value: Decimal, places: u32, below: i128) -> Result<i128, ValueError> {
    let Some(units) = units(value, places) else {
        let message = format!("has more than {places} decimal places");
        return Err(ValueError::new(ViolationCode::Malformed, message));
    };
    if units.abs() >= below.saturating_mul(power(places)) {
        let digits = below.ilog10();
        return Err(ValueError::new(ViolationCode::OutOfRange, format!("must stay below 10^{digits}")));
    }
    Ok(units)
}

pub(super) fn percent(value: Decimal) -> Result<i128, ValueError> {
    let units = number(value, SCALE, MAX_AMOUNT)?;
    if (0..=units_of(100)).contains(&units) {
        Ok(units)
    } else {
        Err(ValueError::new(ViolationCode::OutOfRange, "must lie in 0 to 100"))
    }
}

pub(super) fn not_negative(units: i128) -> Result<i128, ValueError> {
    if units < 0 { Err(ValueError::new(ViolationCode::OutOfRange, "cannot be negative")) } else { Ok(units) }
}

/// So many percent (in 1/10,000) of an amount (in 1/10,000), rounded to the places of the currency, in 1/10,000.
pub(super) fn share(amount: i128, percent: i128, places: u32) -> i128 {
    // An amount of up to 1,000 lines lies below 10²¹, a percentage below 10⁷.
    rounded(amount.saturating_mul(percent), SCALE.saturating_mul(2).saturating_add(2), places)
}

/// A number of 1/10^scale, rounded half away from zero to so many places (at most 4), in 1/10,000.
pub(super) fn rounded(value: i128, scale: u32, places: u32) -> i128 {
    let step = power(scale.saturating_sub(places));
    let half = step.div_euclid(2);
    let steps = value.abs().saturating_add(half).div_euclid(step);
    steps.saturating_mul(power(SCALE.saturating_sub(places))).saturating_mul(value.signum())
}

/// Whole numbers in 1/10,000.
pub(super) const fn units_of(whole: i128) -> i128 {
    whole.saturating_mul(power(SCALE))
}

pub(super) const fn power(of_ten: u32) -> i128 {
    10_i128.saturating_pow(of_ten)
}

/// A number of 1/10,000. Everything that comes here was held below 10¹⁴.
pub(super) fn decimal(units: i128) -> Decimal {
    Decimal::try_from_i128_with_scale(units, SCALE).unwrap_or_default().normalize()
}
