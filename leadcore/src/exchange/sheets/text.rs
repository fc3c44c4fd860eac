//! Cells as text that loses nothing.

use std::borrow::Cow;

use calamine::{Data, DataRef, ExcelDateTime};

use super::super::filler::What;
use crate::exchange::floats::{EXACT, float_text};

/// The first day behind 9999-12-31, where dates of spreadsheets end.
const LAST_DAY: f64 = 2_958_466.0;
/// No spreadsheet takes a longer number format.
const LONGEST_FORMAT: usize = 255;

/// What stands for the result of a formula that the file does not hold: as a spreadsheet says that there is none.
pub(super) const NO_RESULT: &str = "#N/A";

/// A cell's text, and what it holds. A text that many cells share is not copied.
pub(super) fn of_cell<'c>(cell: &'c DataRef<'_>, format: Option<&str>) -> (Cow<'c, str>, What) {
    let text = match cell {
        DataRef::Empty => Cow::Borrowed(""),
        DataRef::Int(n) => {
            let text = formatted(*n as f64, format).unwrap_or_else(|| n.to_string());
            return (text.into(), What::Number);
        }
        DataRef::Float(n) => {
            return (formatted(*n, format).unwrap_or_else(|| float_text(*n)).into(), What::Number);
        }
        DataRef::String(text) => Cow::Borrowed(text.as_str()),
        DataRef::SharedString(text) => Cow::Borrowed(*text),
        DataRef::Bool(yes) => yes.to_string().into(),
        DataRef::DateTime(time) => date_time(*time).into(),
        DataRef::DateTimeIso(text) => iso(text).into(),
        DataRef::DurationIso(text) => duration(text).into(),
        DataRef::Error(error) => return (error.to_string().into(), What::Error),
    };
    (text, What::Text)
}

/// The same for a cell of an old workbook.
pub(super) fn of_data(cell: &Data) -> (Cow<'_, str>, What) {
    let text = match cell {
        Data::String(text) => Cow::Borrowed(text.as_str()),
        Data::Empty => Cow::Borrowed(""),
        Data::Int(n) => return (n.to_string().into(), What::Number),
        Data::Float(n) => return (float_text(*n).into(), What::Number),
        Data::Bool(yes) => yes.to_string().into(),
        Data::DateTime(time) => date_time(*time).into(),
        Data::DateTimeIso(text) => iso(text).into(),
        Data::DurationIso(text) => duration(text).into(),
        Data::Error(error) => return (error.to_string().into(), What::Error),
    };
    (text, What::Text)
}

/// Whether numbers of this format are shown otherwise than by their digits.
pub(super) fn shows_more(format: &str) -> bool {
    format.len() <= LONGEST_FORMAT && format.chars().all(|mark| "0#,.%-\\ \u{a0}".contains(mark))
}

/// Percentages, and numbers such as zip codes whose format shows zeros before them.
pub(super) fn formatted(value: f64, format: Option<&str>) -> Option<String> {
    // Each cell of it is as long as it.
    let format = format.filter(|format| format.len() <= LONGEST_FORMAT)?;
    if format.contains('%') && format.chars().all(|mark| "0#,.%\\ \u{a0}".contains(mark)) {
        return Some(format!("{}%", float_text(value * 100.0)));
    }
    let zeros = format.bytes().filter(|byte| *byte == b'0').count();
    let plain = format.bytes().all(|byte| b"0-\\ ".contains(&byte));
    if zeros < 2 || !plain || value.fract() != 0.0 || !(0.0..EXACT).contains(&value) {
        return None;
    }
    let digits = format!("{value:0>zeros$.0}");
    let mut rest = digits.chars();
    // More digits than places stand before the first place.
    let mut text: String = rest.by_ref().take(digits.len() - zeros).collect();
    for mark in format.chars().filter(|mark| *mark != '\\') {
        text.extend(if mark == '0' { rest.next() } else { Some(mark) });
    }
    Some(text)
}

fn date_time(time: ExcelDateTime) -> String {
    let value = time.as_f64();
    if !(0.0..LAST_DAY).contains(&value) {
        return float_text(value);
    }
    if time.is_duration() {
        let seconds = (value * 86_400.0).round();
        let (hours, rest) = ((seconds / 3600.0).floor(), seconds % 3600.0);
        return format!("{hours:02.0}:{:02.0}:{:02.0}", (rest / 60.0).floor(), rest % 60.0);
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let fraction = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    let clock = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    if value < 1.0 && value > 0.0 {
        return clock;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if clock == "00:00:00" { date } else { format!("{date}T{clock}") }
}

/// A date that is written out: midnight says nothing.
pub(super) fn iso(text: &str) -> String {
    let day = text.split_once('T').filter(|(_, clock)| clock.bytes().all(|byte| b"0:.Z".contains(&byte)));
    day.map_or(text, |(day, _)| day).to_owned()
}

/// `PT12H30M05S` is 12:30:05.
pub(super) fn duration(text: &str) -> String {
    let Some(rest) = text.strip_prefix("PT") else { return text.to_owned() };
    let mut parts = [0.0_f64; 3];
    let mut number = String::new();
    for mark in rest.chars() {
        let place = match mark {
            'H' => 0,
            'M' => 1,
            'S' => 2,
            _ => {
                number.push(mark);
                continue;
            }
        };
        match (number.parse::<f64>(), parts.get_mut(place)) {
            (Ok(value), Some(part)) => *part = value,
            _ => return text.to_owned(),
        }
        number.clear();
    }
    let [hours, minutes, seconds] = parts;
    format!("{hours:02.0}:{minutes:02.0}:{:02.0}", seconds.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_all_their_digits_and_no_more() {
        let cases = [
            (60610.0, "60610"),
            (-0.0, "0"),
            (-10.0, "-10"),
            (0.1 + 0.2, "0.3"),
            (1234567.891, "1234567.891"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1e20, "100000000000000000000"),
            (1.0 / 3.0, "0.333333333333333"),
            (1.5e-7, "0.00000015"),
        ];
        for (value, text) in cases {
            assert_eq!(float_text(value), text);
        }
    }

    #[test]
    fn formats_keep_zeros_and_percents() {
        let cases = [
            (347.0, "00000", "00347"),
            (123456789.0, "000\\-00\\-0000", "123-45-6789"),
            (1234567.0, "00000", "1234567"),
            (0.25, "0%", "25%"),
            (0.125, "0.00%", "12.5%"),
            (0.25, "0\\ %", "25%"),
            (0.25, "0\u{a0}%", "25%"),
        ];
        for (value, format, text) in cases {
            assert_eq!(formatted(value, Some(format)).as_deref(), Some(text));
        }
        let endless = "0".repeat(1_000_000);
        for format in ["General", "0.00", "0", "#,##0", "0E+00", &endless] {
            assert_eq!(formatted(1234.0, Some(format)), None, "{format:.9}");
        }
    }

    #[test]
    fn dates_are_iso_8601_in_both_calendars() {
        use calamine::ExcelDateTimeType::{DateTime, TimeDelta};
        let text = |value, kind, later| date_time(ExcelDateTime::new(value, kind, later));
        assert_eq!(text(44197.0, DateTime, false), "2021-01-01");
        assert_eq!(text(42735.0, DateTime, true), "2021-01-01");
        assert_eq!(text(44197.5, DateTime, false), "2021-01-01T12:00:00");
        assert_eq!(text(0.75, DateTime, false), "18:00:00");
        assert_eq!(text(1.5, TimeDelta, false), "36:00:00");
        assert_eq!(text(-1.0, DateTime, false), "-1");
        assert_eq!(iso("2021-01-01T00:00:00"), "2021-01-01");
        assert_eq!(iso("2021-01-01T00:01:00"), "2021-01-01T00:01:00");
        assert_eq!(duration("PT26H03M00S"), "26:03:00");
    }
}
