//! Dates and times as files write them.

mod clock;

use chrono::NaiveDate;

use super::mapping::DateOrder;
use crate::error::{ValueError, ViolationCode};
use crate::time::{Date, Timestamp};
use crate::value::fold;

use clock::{Clock, clock};

/// Longer than any date with its weekday, time and zone.
const MAX_BYTES: usize = 64;

/// What the text of a cell says about the order of day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateShape {
    /// It is no date.
    None,
    /// It can be read in one way only, whatever the order: `2026-12-25`, `25 Dec 2026`, `05/05/2026`.
    Sure,
    /// Only the day can stand first: `25/12/2026`.
    DayFirst,
    /// Only the month can stand first: `12/25/2026`.
    MonthFirst,
    /// `01/02/2026`
    Either,
}

/// The date parts of a cell, and what stands behind them.
#[derive(Debug, Clone, Copy)]
struct Cell<'t> {
    parts: Parts,
    rest: &'t str,
}

#[derive(Debug, Clone, Copy)]
enum Parts {
    /// Year, month, day.
    Known(u32, u32, u32),
    /// Three numbers; the last is the year unless the year comes first.
    Numbers([Number; 3]),
}

#[derive(Debug, Clone, Copy)]
struct Number {
    value: u32,
    digits: usize,
}

fn malformed(message: &'static str) -> ValueError {
    ValueError::new(ViolationCode::Malformed, message)
}

/// Reads a day; a time behind it is left out.
///
/// # Errors
/// When the text is no date, can be read in two ways and no order is given, or does not fit the order.
pub(super) fn read_date(text: &str, order: Option<DateOrder>) -> Result<Date, ValueError> {
    let text = text.trim();
    if let Ok(day) = text.parse() {
        return Ok(day);
    }
    let no_date = || malformed("needs a date, like `2026-11-22`");
    let cell = parts(text).ok_or_else(no_date)?;
    if !cell.rest.is_empty() && clock(cell.rest).is_none() {
        return Err(no_date());
    }
    day(cell.parts, order)
}

/// Reads a time. `utc_offset` is the zone of one that names none, in minutes.
///
/// # Errors
/// As [`read_date`]; when no zone is known.
pub(super) fn read_time(
    text: &str,
    order: Option<DateOrder>,
    utc_offset: Option<i32>,
) -> Result<Timestamp, ValueError> {
    let text = text.trim();
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let no_time = || malformed("needs a time, like `2026-11-22T08:30:00Z`");
    let cell = parts(text).ok_or_else(no_time)?;
    let day = day(cell.parts, order)?;
    let clock = if cell.rest.is_empty() { Clock::default() } else { clock(cell.rest).ok_or_else(no_time)? };
    let zone = clock.zone.or(utc_offset);
    let zone = zone.ok_or_else(|| malformed("the time names no zone: say its offset from UTC"))?;
    let naive = day.to_naive().and_hms_micro_opt(clock.hour, clock.minute, clock.second, clock.micros);
    let micros = naive.ok_or_else(no_time)?.and_utc().timestamp_micros();
    Timestamp::from_micros(micros.saturating_sub(i64::from(zone).saturating_mul(60_000_000)))
}

/// What a cell shows about the order of dates in its column.
pub(super) fn date_shape(text: &str) -> DateShape {
    let text = text.trim();
    if text.parse::<Date>().is_ok() || text.parse::<Timestamp>().is_ok() {
        return DateShape::Sure;
    }
    let Some(cell) = parts(text).filter(|cell| cell.rest.is_empty() || clock(cell.rest).is_some()) else {
        return DateShape::None;
    };
    let numbers = match cell.parts {
        Parts::Known(..) => {
            return if day(cell.parts, None).is_ok() { DateShape::Sure } else { DateShape::None };
        }
        Parts::Numbers(numbers) => numbers,
    };
    let [day_first, month_first] =
        [DateOrder::DayFirst, DateOrder::MonthFirst].map(|order| by_order(numbers, order).ok());
    match (day_first, month_first) {
        (Some(a), Some(b)) if a == b => DateShape::Sure,
        (Some(_), Some(_)) => DateShape::Either,
        (Some(_), None) => DateShape::DayFirst,
        (None, Some(_)) => DateShape::MonthFirst,
        (None, None) => DateShape::None,
    }
}

/// Whether a cell holds a time of day but no zone.
pub(super) fn lacks_zone(text: &str) -> bool {
    let text = text.trim();
    text.parse::<Timestamp>().is_err()
        && parts(text).is_some_and(|cell| {
            cell.rest.is_empty() || clock(cell.rest).is_some_and(|clock| clock.zone.is_none())
        })
}

fn day(parts: Parts, order: Option<DateOrder>) -> Result<Date, ValueError> {
    let numbers = match parts {
        Parts::Known(year, month, day) => return of(year, month, day),
        Parts::Numbers(numbers) => numbers,
    };
    if let Some(order) = order {
        return by_order(numbers, order);
    }
    let [day_first, month_first] =
        [DateOrder::DayFirst, DateOrder::MonthFirst].map(|order| by_order(numbers, order).ok());
    match (day_first, month_first) {
        (Some(a), Some(b)) if a != b => {
            Err(malformed("day and month of the date can be swapped: say their order"))
        }
        (Some(day), _) | (None, Some(day)) => Ok(day),
        (None, None) => Err(malformed("there is no such day")),
    }
}

fn by_order(numbers: [Number; 3], order: DateOrder) -> Result<Date, ValueError> {
    let [a, b, c] = numbers;
    let (year, month, day) = match order {
        DateOrder::DayFirst => (c, b, a),
        DateOrder::MonthFirst => (c, a, b),
        DateOrder::YearFirst => (a, b, c),
    };
    if month.digits > 2 || day.digits > 2 {
        return Err(malformed("the date does not fit the order of day and month"));
    }
    let year = full_year(year).ok_or_else(|| malformed("the year of a date has two or four digits"))?;
    of(year, month.value, day.value)
        .map_err(|_| malformed("there is no such day in this order of day and month"))
}

/// Of two digits, 69 to 99 are of the 20th century, as POSIX has it.
const fn full_year(year: Number) -> Option<u32> {
    match year.digits {
        4 => Some(year.value),
        2 if year.value >= 69 => Some(1900 + year.value),
        2 => Some(2000 + year.value),
        _ => None,
    }
}

fn of(year: u32, month: u32, day: u32) -> Result<Date, ValueError> {
    let no_day = || malformed("there is no such day");
    let naive = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    naive.ok_or_else(no_day)?.to_string().parse().map_err(|_| no_day())
}

/// The names of the months; a word of three letters or more that begins one is that month.
const MONTHS: [&str; 12] = [
    "january januar januari janvier enero ene gennaio janeiro styczen",
    "february februar februari fevrier febrero febbraio fevereiro feb luty",
    "march mars marz maerz maart marzo marco mrt marzec",
    "april avril abril aprile avr kwiecien",
    "may mai mei maj mayo maggio maio",
    "june juni juin junio giugno junho czerwiec",
    "july juli juillet julio luglio julho lipiec",
    "august augustus augusti aout agosto sierpien",
    "september septembre septiembre settembre setembro sept wrzesien",
    "october oktober octobre octubre ottobre outubro pazdziernik",
    "november novembre noviembre novembro listopad",
    "december desember dezember decembre diciembre dicembre dezembro grudzien",
];

fn month(word: &str) -> Option<u32> {
    let word = fold(word);
    if word.len() < 3 {
        return None;
    }
    let begins = |names: &&str| names.split(' ').any(|name| name.starts_with(&word));
    let mut found = (1_u32..).zip(MONTHS).filter(|(_, names)| begins(names)).map(|(month, _)| month);
    // `jui` begins two months.
    let month = found.next()?;
    found.next().is_none().then_some(month)
}

/// Takes the date off the front of a text.
fn parts(text: &str) -> Option<Cell<'_>> {
    if text.len() > MAX_BYTES || text.is_empty() {
        return None;
    }
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let plausible = (1900..=2100).contains(&year) && of(year, month, day).is_ok();
        return plausible.then_some(Cell { parts: Parts::Known(year, month, day), rest: "" });
    }
    let mut numbers: Vec<Number> = Vec::with_capacity(3);
    let (mut named, mut rest) = (None, text);
    while numbers.len() + usize::from(named.is_some()) < 3 {
        rest = rest.trim_start_matches([' ', '.', ',', '/', '-', '\u{a0}', '\t']);
        let first = rest.chars().next()?;
        let is_digit = first.is_ascii_digit();
        if !is_digit && !first.is_alphabetic() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit || !c.is_alphanumeric());
        let (token, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = behind;
        if is_digit {
            numbers.push(Number {
                value: token.parse().ok().filter(|_| token.len() <= 4)?,
                digits: token.len(),
            });
        } else if let Some(month) = month(token).filter(|_| named.is_none()) {
            named = Some((month, numbers.len()));
        } else if !is_filler(token, numbers.is_empty() && named.is_none()) {
            return None;
        }
    }
    let parts = match (named, numbers.as_slice()) {
        (None, [year, month, day]) if year.digits == 4 => (month.digits <= 2 && day.digits <= 2)
            .then_some(Parts::Known(year.value, month.value, day.value))?,
        (None, [a, b, c]) => Parts::Numbers([*a, *b, *c]),
        // `2026 Dec 25`
        (Some((month, 1)), [year, day]) if year.digits == 4 => {
            (day.digits <= 2).then_some(Parts::Known(year.value, month, day.value))?
        }
        (Some((month, _)), [day, year]) => {
            (day.digits <= 2).then_some(Parts::Known(full_year(*year)?, month, day.value))?
        }
        _ => return None,
    };
    Some(Cell { parts, rest: rest.trim_start_matches([' ', ',', '.', '\u{a0}', '\t']) })
}

/// Words in a date that say nothing: `Thu`, `1st`, `de`.
fn is_filler(word: &str, in_front: bool) -> bool {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let word = fold(word);
    matches!(word.as_str(), "st" | "nd" | "rd" | "th" | "de" | "of" | "den" | "er")
        || (in_front && word.get(..3).is_some_and(|day| DAYS.contains(&day)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_as_files_write_them() {
        for (text, day) in [
            ("2021-04-25", "2021-04-25"),
            ("2021/4/5", "2021-04-05"),
            ("20140102", "2014-01-02"),
            ("15 Apr, 2021 00:03:00", "2021-04-15"),
            ("Apr 15, 2021", "2021-04-15"),
            ("15. april 2021", "2021-04-15"),
            ("15 de abril de 2021", "2021-04-15"),
            ("3. März 2021", "2021-03-03"),
            ("1er août 2021", "2021-08-01"),
            ("Thu, 15 Apr 2021 10:00:00 +0200", "2021-04-15"),
            ("2021 Dec 25", "2021-12-25"),
            ("15-Apr-21", "2021-04-15"),
            ("May 1st, 1999", "1999-05-01"),
            ("25/12/2020", "2020-12-25"),
            ("12/25/2020 7:00 PM", "2020-12-25"),
            ("05.05.2020", "2020-05-05"),
            ("31/12/99", "1999-12-31"),
            ("2021-04-15T23:03:00", "2021-04-15"),
            ("2026-08-05T09:00:00-03:00", "2026-08-05"),
        ] {
            assert_eq!(read_date(text, None).map(|day| day.to_string()), Ok(day.to_owned()), "{text}");
        }
        for text in [
            "",
            "soon",
            "8/9/14",
            "01-02-2018",
            "12345678",
            "2021-02-30",
            "25/25/2020",
            "1/2",
            "660737",
            "jui 4 2020",
            "2021-04-15 later",
            "99999/1/1",
            "3.14.159",
            "10:30",
        ] {
            assert!(read_date(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_settles_what_numbers_leave_open() {
        for (text, order, day) in [
            ("01-02-2018", DateOrder::DayFirst, "2018-02-01"),
            ("01-02-2018", DateOrder::MonthFirst, "2018-01-02"),
            ("8/9/14 19:00", DateOrder::MonthFirst, "2014-08-09"),
            ("21-04-15", DateOrder::YearFirst, "2021-04-15"),
            ("2021-04-15", DateOrder::MonthFirst, "2021-04-15"),
        ] {
            assert_eq!(read_date(text, Some(order)).map(|day| day.to_string()), Ok(day.to_owned()), "{text}");
        }
        assert!(read_date("12/25/2020", Some(DateOrder::DayFirst)).is_err(), "it does not fit the order");
        let code = read_date("01/02/2018", None).unwrap_err();
        assert!(code.to_string().contains("swapped"), "{code}");
    }

    #[test]
    fn times_need_a_zone() {
        let at = |text: &str, offset| read_time(text, None, offset).map(|at| at.to_string());
        assert_eq!(at("2021-04-15 23:03:00", Some(120)), Ok("2021-04-15T21:03:00Z".to_owned()));
        assert_eq!(at("15 Apr, 2021 12:03 AM", Some(0)), Ok("2021-04-15T00:03:00Z".to_owned()));
        assert_eq!(at("15 Apr 2021 10:00:00 +0230", None), Ok("2021-04-15T07:30:00Z".to_owned()));
        assert_eq!(at("2021-04-15", Some(0)), Ok("2021-04-15T00:00:00Z".to_owned()));
        assert!(at("2021-04-15 23:03:00", None).is_err());
        assert!(at("2021-04-15 25:03:00", Some(0)).is_err() && at("2021-04-15 13:00 PM", Some(0)).is_err());
        assert!(lacks_zone("2021-04-15 23:03:00") && !lacks_zone("2021-04-15T23:03:00Z"));
    }

    #[test]
    fn a_cell_shows_what_it_knows_about_the_order() {
        for (text, shape) in [
            ("20-10-2017", DateShape::DayFirst),
            ("10/20/2017", DateShape::MonthFirst),
            ("01-02-2018", DateShape::Either),
            ("05-05-2018", DateShape::Sure),
            ("15 Apr, 2021 00:03:00", DateShape::Sure),
            ("805-247-8982", DateShape::None),
            ("660737", DateShape::None),
            ("1.50", DateShape::None),
            ("192.168.1.1", DateShape::None),
        ] {
            assert_eq!(date_shape(text), shape, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>(), minutes in any::<i32>()) {
            for order in [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst), Some(DateOrder::YearFirst)] {
                let _ = read_date(&text, order);
                let _ = read_time(&text, order, Some(minutes));
            }
            let _ = (date_shape(&text), lacks_zone(&text));
        }

        #[test]
        fn near_dates_are_answered(text in "[0-9]{1,5}[-/. ]{1,2}([A-Za-zäûé]{1,9}|[0-9]{1,4})[-/., ]{1,2}[0-9]{1,5}[T ]?[0-9:. APMZ+-]{0,14}") {
            for order in [None, Some(DateOrder::DayFirst), Some(DateOrder::YearFirst)] {
                if let Ok(day) = read_date(&text, order) {
                    prop_assert!(date_shape(&text) != DateShape::None || order == Some(DateOrder::YearFirst));
                    // Written as ISO 8601 it is the same day, whatever the order.
                    prop_assert_eq!(read_date(&day.to_string(), order), Ok(day));
                }
                let _ = read_time(&text, order, Some(60));
            }
        }
    }
}
