//! Floating-point numbers as cells.

/// Up to here every whole number is one of its own.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number of a table as a cell: with all its digits, but without the noise of sums, which is behind the fifteenth digit and the
/// sixth decimal place. Amounts have four places at most and keep theirs.
///
/// ```
/// use leadcore::exchange::float_cell;
/// assert_eq!(float_cell(0.1 + 0.2), "0.3");
/// assert_eq!(float_cell(123_456_789_012.3456), "123456789012.3456");
/// ```
#[must_use]
pub fn float_cell(value: f64) -> String {
    let exact = value.to_string();
    if is_noisy(&exact) { float_text(value) } else { exact }
}

/// Whether a cell that was a floating-point number is a whole one of which not all digits are known: its neighbours have the same
/// float.
///
/// ```
/// use leadcore::exchange::has_lost_digits;
/// assert!(has_lost_digits("12345678901234568") && !has_lost_digits("1234567890123456"));
/// ```
#[must_use]
pub fn has_lost_digits(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.len() > 15
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<f64>().is_ok_and(|value| value >= EXACT)
}

/// Whether a number is written with more digits than a floating-point number keeps, and more places than anybody writes.
pub(super) fn is_noisy(number: &str) -> bool {
    let places = number.split_once('.').map_or(0, |(_, places)| places.len());
    places > 6 && number.bytes().filter(u8::is_ascii_digit).count() > 15
}

/// A number with all its digits and no more. Fractions are rounded to the fifteen digits that spreadsheets show: what is
/// behind them is noise of sums (0.1 + 0.2 is stored as 0.30000000000000004).
pub(super) fn float_text(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return format!("{value:.0}").replace("-0", if value == 0.0 { "0" } else { "-0" });
    }
    let exact = value.to_string();
    let digits = exact.bytes().filter(u8::is_ascii_digit).count();
    if digits <= 15 || value.fract() == 0.0 {
        return exact;
    }
    let rounded = format!("{value:.14e}").parse::<f64>().unwrap_or(value);
    rounded.to_string()
}
