//! Floating-point numbers as cells.

/// Up to here every whole number is one of its own.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number with all its digits and no more, as cells of files and tables are read. Fractions are rounded to the fifteen digits
/// that spreadsheets show: what is behind them is noise of sums.
///
/// ```
/// use leadcore::exchange::float_text;
/// assert_eq!(float_text(0.1 + 0.2), "0.3");
/// assert_eq!((float_text(60_610.0), float_text(2.5)), ("60610".to_owned(), "2.5".to_owned()));
/// ```
#[must_use]
pub fn float_text(value: f64) -> String {
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
