//! By which rule something comes again (RFC 5545, section 3.3.10).
//!
//! The text of a rule comes from forms, files and other programs. It is read here into a checked value before anything
//! else looks at it, and written back in one form.

pub(super) mod days;
mod parse;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::ValueError;
use crate::time::{Date, Timestamp};

pub use chrono::Weekday;

/// How often a rule comes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every year.
    Yearly,
}

impl Frequency {
    const fn code(self) -> &'static str {
        match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesEnd {
    /// Never.
    Never,
    /// After so many occurrences: 1 to 10,000.
    Count(u16),
    /// With this day, where the series is held.
    Day(Date),
    /// With this point in time.
    At(Timestamp),
}

/// A weekday of a rule: every one, or the first, second …, or last ones of the month or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ByDay {
    /// Which one, from the front or (below zero) from the back; every one when zero.
    pub(super) nth: i8,
    pub(super) weekday: Weekday,
}

impl ByDay {
    fn place(self) -> (u32, i8) {
        (self.weekday.num_days_from_monday(), self.nth)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: u16,
    pub(super) end: SeriesEnd,
    pub(super) by_month: Vec<i16>,
    pub(super) by_month_day: Vec<i16>,
    pub(super) by_day: Vec<ByDay>,
    pub(super) by_set_pos: Vec<i16>,
    pub(super) week_start: Weekday,
}

/// A rule of recurrence, as iCalendar writes it: `FREQ=WEEKLY;COUNT=10;BYDAY=MO,WE`.
///
/// What it takes: `FREQ` (`DAILY`, `WEEKLY`, `MONTHLY`, `YEARLY`), `INTERVAL` (1 to 1,000), `COUNT` (1 to 10,000) or
/// `UNTIL` (a day, or a time in UTC), `BYMONTH`, `BYMONTHDAY`, `BYDAY` (with ordinals by month and year), `BYSETPOS` and
/// `WKST`, each once, in at most 500 bytes. It is kept and written in one form, whatever the order and case it came in.
///
/// ```
/// use leadcore::domain::{Recurrence, Weekday};
/// let rule: Recurrence = "rrule:byday=we,mo;freq=weekly;interval=1;count=10".parse()?;
/// assert_eq!(rule.to_string(), "FREQ=WEEKLY;COUNT=10;BYDAY=MO,WE");
/// assert_eq!(rule, Recurrence::weekly().on(Weekday::Mon).on(Weekday::Wed).count(10)?);
/// assert!("FREQ=SECONDLY".parse::<Recurrence>().is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recurrence(Box<Rule>);

impl Recurrence {
    /// Reads a rule; `RRULE:` may stand before it.
    ///
    /// # Errors
    /// When it is not a rule of the supported form, is longer than 500 bytes, or names days that no month has.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let rule = parse::rule(text)?;
        parse::check(&rule)?;
        Ok(Self(Box::new(rule)))
    }

    fn every(frequency: Frequency) -> Self {
        Self(Box::new(Rule {
            frequency,
            interval: 1,
            end: SeriesEnd::Never,
            by_month: Vec::new(),
            by_month_day: Vec::new(),
            by_day: Vec::new(),
            by_set_pos: Vec::new(),
            week_start: Weekday::Mon,
        }))
    }

    /// Every day.
    #[must_use]
    pub fn daily() -> Self {
        Self::every(Frequency::Daily)
    }

    /// Every week, on the weekday of the start unless [`on`](Self::on) names others.
    #[must_use]
    pub fn weekly() -> Self {
        Self::every(Frequency::Weekly)
    }

    /// Every month, on the day of the start unless others are named. A month without that day is passed over.
    #[must_use]
    pub fn monthly() -> Self {
        Self::every(Frequency::Monthly)
    }

    /// Every year, on the day of the start unless others are named. 29 February comes in leap years only.
    #[must_use]
    pub fn yearly() -> Self {
        Self::every(Frequency::Yearly)
    }

    /// Every so many days, weeks, months or years.
    ///
    /// # Errors
    /// Outside of 1 to 1,000.
    pub fn interval(mut self, interval: u16) -> Result<Self, ValueError> {
        self.0.interval = parse::interval(interval.into())?;
        Ok(self)
    }

    /// Also on this weekday.
    #[must_use]
    pub fn on(mut self, weekday: Weekday) -> Self {
        self.0.by_day.push(ByDay { nth: 0, weekday });
        self.0.sort();
        self
    }

    /// Also on the first (1), second (2) …, last (-1) … such weekday of the month, or of the year when the rule is yearly
    /// and names no month.
    ///
    /// ```
    /// use leadcore::domain::{Recurrence, Weekday};
    /// let last_friday = Recurrence::monthly().on_nth(-1, Weekday::Fri)?;
    /// assert_eq!(last_friday.to_string(), "FREQ=MONTHLY;BYDAY=-1FR");
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// By day and by week, and where there is no such weekday.
    pub fn on_nth(mut self, nth: i8, weekday: Weekday) -> Result<Self, ValueError> {
        if nth == 0 {
            return Err(parse::out_of_range("weekdays are counted from 1, or from -1 at the end"));
        }
        self.0.by_day.push(ByDay { nth, weekday });
        self.checked()
    }

    /// Also on this day of the month: 1 to 31, or -1 to -31 from its end.
    ///
    /// # Errors
    /// By week, and outside of that range.
    pub fn on_day(mut self, day: i8) -> Result<Self, ValueError> {
        self.0.by_month_day.push(day.into());
        self.checked()
    }

    /// Also in this month: 1 to 12.
    ///
    /// # Errors
    /// Outside of that range.
    pub fn in_month(mut self, month: u8) -> Result<Self, ValueError> {
        self.0.by_month.push(month.into());
        self.checked()
    }

    /// It ends after so many occurrences.
    ///
    /// # Errors
    /// Outside of 1 to 10,000.
    pub fn count(mut self, count: u16) -> Result<Self, ValueError> {
        self.0.end = SeriesEnd::Count(parse::count(count.into())?);
        Ok(self)
    }

    /// It ends with this day, where the series is held.
    #[must_use]
    pub fn until(mut self, day: Date) -> Self {
        self.0.end = SeriesEnd::Day(day);
        self
    }

    /// How often it comes round.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        self.0.frequency
    }

    /// When it ends.
    #[must_use]
    pub fn end(&self) -> SeriesEnd {
        self.0.end
    }

    /// The same rule with another end.
    pub(super) fn ending(mut self, end: SeriesEnd) -> Self {
        self.0.end = end;
        self
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.0
    }

    fn checked(mut self) -> Result<Self, ValueError> {
        self.0.sort();
        parse::check(&self.0)?;
        Ok(self)
    }
}

impl Rule {
    fn sort(&mut self) {
        self.by_day.sort_by_key(|day| day.place());
        self.by_day.dedup();
        for list in [&mut self.by_month, &mut self.by_month_day, &mut self.by_set_pos] {
            list.sort_unstable();
            list.dedup();
        }
    }
}

const fn code_of(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, part: &str, values: &[T]) -> fmt::Result {
    for (n, value) in values.iter().enumerate() {
        let before = if n == 0 { format!(";{part}=") } else { ",".to_owned() };
        write!(f, "{before}{value}")?;
    }
    Ok(())
}

impl fmt::Display for ByDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nth != 0 {
            write!(f, "{}", self.nth)?;
        }
        f.write_str(code_of(self.weekday))
    }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = &self.0;
        write!(f, "FREQ={}", rule.frequency.code())?;
        if rule.interval != 1 {
            write!(f, ";INTERVAL={}", rule.interval)?;
        }
        match rule.end {
            SeriesEnd::Never => {}
            SeriesEnd::Count(count) => write!(f, ";COUNT={count}")?,
            SeriesEnd::Day(day) => write!(f, ";UNTIL={}", day.to_naive().format("%Y%m%d"))?,
            SeriesEnd::At(at) => write!(f, ";UNTIL={}", at.to_datetime().format("%Y%m%dT%H%M%SZ"))?,
        }
        list(f, "BYMONTH", &rule.by_month)?;
        list(f, "BYMONTHDAY", &rule.by_month_day)?;
        list(f, "BYDAY", &rule.by_day)?;
        list(f, "BYSETPOS", &rule.by_set_pos)?;
        if rule.week_start != Weekday::Mon {
            write!(f, ";WKST={}", code_of(rule.week_start))?;
        }
        Ok(())
    }
}

impl FromStr for Recurrence {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Recurrence {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::parse(&text)
    }
}

impl From<Recurrence> for String {
    fn from(rule: Recurrence) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ViolationCode;

    #[test]
    fn a_rule_has_one_form() {
        for (text, form) in [
            ("FREQ=DAILY", "FREQ=DAILY"),
            (" rrule:freq=daily;interval=1 ", "FREQ=DAILY"),
            ("BYDAY=FR,MO,FR;FREQ=WEEKLY;WKST=SU;INTERVAL=02", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU"),
            ("FREQ=MONTHLY;BYDAY=+1MO,-1FR", "FREQ=MONTHLY;BYDAY=1MO,-1FR"),
            ("FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR", "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1"),
            ("FREQ=YEARLY;UNTIL=20301231", "FREQ=YEARLY;UNTIL=20301231"),
            ("FREQ=YEARLY;UNTIL=20301231T235959Z", "FREQ=YEARLY;UNTIL=20301231T235959Z"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        ] {
            let rule: Recurrence = text.parse().unwrap();
            assert_eq!(rule.to_string(), form);
            assert_eq!(form.parse::<Recurrence>().unwrap(), rule, "the form reads as itself");
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<Recurrence>(&json).unwrap(), rule);
        }
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (text, reason) in [
            ("", "FREQ"),
            ("INTERVAL=2", "FREQ"),
            ("FREQ=HOURLY", "DAILY"),
            ("FREQ=SECONDLY", "DAILY"),
            ("FREQ=DAILY;FREQ=DAILY", "once"),
            ("FREQ=DAILY;", "NAME=VALUE"),
            ("FREQ=DAILY;BYHOUR=9", "part"),
            ("FREQ=DAILY;BYEASTER=1", "part"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
            ("FREQ=DAILY;INTERVAL=1001", "INTERVAL"),
            ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL"),
            ("FREQ=DAILY;COUNT=0", "COUNT"),
            ("FREQ=DAILY;COUNT=10001", "COUNT"),
            ("FREQ=DAILY;COUNT=-1", "COUNT"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20300101", "COUNT or UNTIL"),
            ("FREQ=DAILY;UNTIL=20300230", "UNTIL"),
            ("FREQ=DAILY;UNTIL=20300101T090000", "UNTIL"),
            ("FREQ=DAILY;UNTIL=00000101", "UNTIL"),
            ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
            ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
            ("FREQ=WEEKLY;BYDAY=T\u{fffd}", "ASCII"),
            ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
            ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY"),
            ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY"),
            ("FREQ=YEARLY;BYDAY=54MO", "BYDAY"),
            ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
            ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "no month"),
            ("FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=-31", "no month"),
            ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS"),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "BYSETPOS"),
            ("FREQ=DAILY\0", "part"),
        ] {
            let error = text.parse::<Recurrence>().expect_err(text);
            let said = error.message();
            assert!(said.contains(reason) || said.contains("DAILY"), "{text}: {said}");
        }
        let long = format!("FREQ=MONTHLY;BYMONTHDAY={}", vec!["1"; 300].join(","));
        assert_eq!(long.parse::<Recurrence>().unwrap_err().code(), ViolationCode::TooLong);
    }

    #[test]
    fn builders_keep_the_same_rules() {
        assert!(Recurrence::daily().interval(0).is_err());
        assert!(Recurrence::daily().count(10_001).is_err());
        assert!(Recurrence::weekly().on_nth(1, Weekday::Mon).is_err());
        assert!(Recurrence::monthly().on_nth(0, Weekday::Mon).is_err());
        assert!(Recurrence::weekly().on_day(1).is_err());
        assert!(Recurrence::yearly().in_month(2).and_then(|rule| rule.on_day(30)).is_err());
        let rule = Recurrence::yearly().in_month(2).and_then(|rule| rule.on_day(29)).unwrap();
        assert_eq!(
            rule.until("2040-03-01".parse().unwrap()).to_string(),
            "FREQ=YEARLY;UNTIL=20400301;BYMONTH=2;BYMONTHDAY=29"
        );
    }
}
