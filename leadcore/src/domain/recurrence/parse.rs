//! The text of a rule, read and checked.

use chrono::{NaiveDate, NaiveDateTime, Weekday};

use crate::error::{ValueError, ViolationCode};
use crate::time::{Date, Timestamp};

use super::{ByDay, Frequency, Rule, SeriesEnd};

/// The longest text of a rule, in bytes.
const LONGEST: usize = 500;

pub(super) fn out_of_range(message: &'static str) -> ValueError {
    ValueError::new(ViolationCode::OutOfRange, message)
}

fn malformed(message: &'static str) -> ValueError {
    ValueError::new(ViolationCode::Malformed, message)
}

pub(super) fn interval(value: i64) -> Result<u16, ValueError> {
    within(value, 1, 1_000).ok_or_else(|| out_of_range("INTERVAL is a number of 1 to 1,000"))
}

pub(super) fn count(value: i64) -> Result<u16, ValueError> {
    within(value, 1, 10_000).ok_or_else(|| out_of_range("COUNT is a number of 1 to 10,000"))
}

fn within(value: i64, least: i64, most: i64) -> Option<u16> {
    u16::try_from(value).ok().filter(|_| (least..=most).contains(&value))
}

/// The parts of a rule as they are met; each may come once.
#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<u16>,
    count: Option<u16>,
    until: Option<SeriesEnd>,
    by_month: Option<Vec<i16>>,
    by_month_day: Option<Vec<i16>>,
    by_day: Option<Vec<ByDay>>,
    by_set_pos: Option<Vec<i16>>,
    week_start: Option<Weekday>,
}

/// Reads a rule; [`check`] says whether its parts go together.
pub(super) fn rule(text: &str) -> Result<Rule, ValueError> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(ValueError::new(ViolationCode::TooLong, "a rule of recurrence has at most 500 bytes"));
    }
    if !text.is_ascii() {
        return Err(malformed("a rule of recurrence is written in ASCII"));
    }
    let text = text.to_ascii_uppercase();
    let text = text.strip_prefix("RRULE:").unwrap_or(&text);
    let mut parts = Parts::default();
    for part in text.split(';') {
        let (name, value) = part.split_once('=').ok_or_else(|| {
            malformed("a rule of recurrence is a list of NAME=VALUE, as `FREQ=WEEKLY;BYDAY=MO,WE`")
        })?;
        parts.take(name, value)?;
    }
    parts.rule()
}

impl Parts {
    fn take(&mut self, name: &str, value: &str) -> Result<(), ValueError> {
        match name {
            "FREQ" => once(&mut self.frequency, frequency(value)?),
            "INTERVAL" => once(&mut self.interval, interval(digits(value).unwrap_or(0))?),
            "COUNT" => once(&mut self.count, count(digits(value).unwrap_or(0))?),
            "UNTIL" => once(&mut self.until, until(value)?),
            "BYMONTH" => {
                once(&mut self.by_month, numbers(value).ok_or_else(|| malformed("BYMONTH lists months"))?)
            }
            "BYMONTHDAY" => {
                let days = numbers(value).ok_or_else(|| malformed("BYMONTHDAY lists days of the month"))?;
                once(&mut self.by_month_day, days)
            }
            "BYDAY" => once(&mut self.by_day, by_days(value)?),
            "BYSETPOS" => {
                let positions = numbers(value).ok_or_else(|| malformed("BYSETPOS lists numbers"))?;
                once(&mut self.by_set_pos, positions)
            }
            "WKST" => {
                let weekday = weekday(value).ok_or_else(|| malformed("WKST is one of MO to SU"))?;
                once(&mut self.week_start, weekday)
            }
            _ => Err(malformed(
                "a rule of recurrence has no part of this name: FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS, WKST",
            )),
        }
    }

    fn rule(self) -> Result<Rule, ValueError> {
        let end = match (self.count, self.until) {
            (Some(_), Some(_)) => return Err(malformed("a series ends by COUNT or UNTIL, not by both")),
            (Some(count), None) => SeriesEnd::Count(count),
            (None, until) => until.unwrap_or(SeriesEnd::Never),
        };
        let mut rule = Rule {
            frequency: self.frequency.ok_or_else(|| malformed("a rule of recurrence needs FREQ"))?,
            interval: self.interval.unwrap_or(1),
            end,
            by_month: self.by_month.unwrap_or_default(),
            by_month_day: self.by_month_day.unwrap_or_default(),
            by_day: self.by_day.unwrap_or_default(),
            by_set_pos: self.by_set_pos.unwrap_or_default(),
            week_start: self.week_start.unwrap_or(Weekday::Mon),
        };
        rule.sort();
        Ok(rule)
    }
}

fn once<T>(part: &mut Option<T>, value: T) -> Result<(), ValueError> {
    if part.replace(value).is_some() {
        return Err(malformed("each part of a rule of recurrence may come once"));
    }
    Ok(())
}

fn frequency(value: &str) -> Result<Frequency, ValueError> {
    match value {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        _ => Err(ValueError::new(ViolationCode::Unknown, "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY")),
    }
}

/// A number without a sign; what is too long for one is none.
fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A number that may have a sign.
fn signed(text: &str) -> Option<i16> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    i16::try_from(digits(rest)?).ok().map(|number| sign * number)
}

fn numbers(value: &str) -> Option<Vec<i16>> {
    value.split(',').map(signed).collect()
}

fn weekday(code: &str) -> Option<Weekday> {
    match code {
        "MO" => Some(Weekday::Mon),
        "TU" => Some(Weekday::Tue),
        "WE" => Some(Weekday::Wed),
        "TH" => Some(Weekday::Thu),
        "FR" => Some(Weekday::Fri),
        "SA" => Some(Weekday::Sat),
        "SU" => Some(Weekday::Sun),
        _ => None,
    }
}

fn by_days(value: &str) -> Result<Vec<ByDay>, ValueError> {
    let by_day = |text: &str| {
        // Cut by bytes: the text is ASCII.
        let (number, code) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let nth = if number.is_empty() {
            0
        } else {
            signed(number).and_then(|nth| i8::try_from(nth).ok()).filter(|nth| *nth != 0)?
        };
        Some(ByDay { nth, weekday: weekday(code)? })
    };
    let days: Option<Vec<_>> = value.split(',').map(by_day).collect();
    days.ok_or_else(|| malformed("BYDAY lists weekdays, as `MO,WE` or `1MO,-1FR`"))
}

fn until(value: &str) -> Result<SeriesEnd, ValueError> {
    let malformed = || malformed("UNTIL is a day, as `20261231`, or a time in UTC, as `20261231T235959Z`");
    let shape = |at: usize, byte: u8| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if !matches!(value.len(), 8 | 16) || !value.bytes().enumerate().all(|(at, byte)| shape(at, byte)) {
        return Err(malformed());
    }
    if value.len() == 8 {
        let day = NaiveDate::parse_from_str(value, "%Y%m%d").map_err(|_| malformed())?;
        let held = Date::held(day);
        return if held.to_naive() == day { Ok(SeriesEnd::Day(held)) } else { Err(malformed()) };
    }
    let at = NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%SZ").map_err(|_| malformed())?;
    Timestamp::try_from(at.and_utc()).map(SeriesEnd::At).map_err(|_| malformed())
}

/// Whether every number of a rule is in its range and its parts go together.
pub(super) fn check(rule: &Rule) -> Result<(), ValueError> {
    use Frequency::{Monthly, Weekly, Yearly};

    let all = |list: &[i16], most: i16| list.iter().all(|n| *n != 0 && (-most..=most).contains(n));
    if !rule.by_month.iter().all(|month| (1..=12).contains(month)) {
        return Err(out_of_range("BYMONTH lists months of 1 to 12"));
    }
    if !all(&rule.by_month_day, 31) {
        return Err(out_of_range("BYMONTHDAY lists days of 1 to 31, or of -1 to -31 from the end"));
    }
    if rule.frequency == Weekly && !rule.by_month_day.is_empty() {
        return Err(ValueError::new(ViolationCode::NotAllowed, "BYMONTHDAY says nothing about weeks"));
    }
    let most = match rule.frequency {
        Monthly => 5,
        Yearly if rule.by_month.is_empty() => 53,
        Yearly => 5,
        _ => 0,
    };
    if rule.by_day.iter().any(|day| day.nth.unsigned_abs() > most) {
        return Err(out_of_range("BYDAY counts weekdays of a month (up to 5) or of a year (up to 53) only"));
    }
    if !all(&rule.by_set_pos, 366) {
        return Err(out_of_range("BYSETPOS lists numbers of 1 to 366, or of -1 to -366 from the end"));
    }
    let chosen = !(rule.by_month.is_empty() && rule.by_month_day.is_empty() && rule.by_day.is_empty());
    if !rule.by_set_pos.is_empty() && !chosen {
        return Err(ValueError::new(
            ViolationCode::Required,
            "BYSETPOS needs another part that chooses days",
        ));
    }
    // 29 February comes, if seldom.
    let longest = |month: i16| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let months = if rule.by_month.is_empty() { &[1][..] } else { &rule.by_month };
    let comes = |day: &i16| months.iter().any(|month| day.abs() <= longest(*month));
    if !rule.by_month_day.is_empty() && !rule.by_month_day.iter().any(comes) {
        return Err(out_of_range("no month of this rule has such a day"));
    }
    Ok(())
}
