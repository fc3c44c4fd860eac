//! Periods of the calendar: `today`, `last month`, `this fiscal year`.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, FixedOffset, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::time::{Date, Timestamp};

/// Which one of a kind of period, seen from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relative {
    /// The one before: yesterday, last month.
    Last,
    /// The one that now lies in: today, this month.
    This,
    /// The one after: tomorrow, next month.
    Next,
}

/// A kind of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// A day.
    Day,
    /// Seven days from Monday (ISO 8601).
    Week,
    /// A month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// A year from January.
    Year,
    /// Three months of a fiscal year that begins with this month (1 to 12).
    FiscalQuarter(u8),
    /// Twelve months from the first day of this month (1 to 12).
    FiscalYear(u8),
}

/// A period of the calendar, seen from now. As text: `today`, `yesterday`, `tomorrow`, or `this`, `last` or `next` with
/// `week`, `month`, `quarter`, `year`, `fiscal_quarter_from_4` or `fiscal_year_from_4` (the month in which the fiscal
/// year begins), joined by `_`.
///
/// ```
/// use leadcore::query::Period;
/// let now = "2026-11-22T23:30:00Z".parse()?;
/// let oslo = chrono::FixedOffset::east_opt(3_600).unwrap();
/// let (from, to) = "today".parse::<Period>()?.range(now, oslo);
/// assert_eq!((from.to_string(), to.to_string()), ("2026-11-22T23:00:00Z".into(), "2026-11-23T23:00:00Z".into()));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    /// Which one.
    pub which: Relative,
    /// Of what kind.
    pub unit: Unit,
}

impl Period {
    /// A period of this kind.
    #[must_use]
    pub const fn new(which: Relative, unit: Unit) -> Self {
        Self { which, unit }
    }

    /// When it begins, and when the next one begins. Days begin at midnight of `offset`; what lies outside the years that
    /// a time can have is cut off.
    #[must_use]
    pub fn range(self, now: Timestamp, offset: FixedOffset) -> (Timestamp, Timestamp) {
        let (from, to) = self.naive_days(now, offset);
        let midnight = |day: NaiveDate| Date::held(day).begin(offset);
        (from.map_or(Timestamp::MIN, midnight), to.map_or(Timestamp::MAX, midnight))
    }

    /// Its first day, and the first day of the next one.
    #[must_use]
    pub fn days(self, now: Timestamp, offset: FixedOffset) -> (Date, Date) {
        let (from, to) = self.naive_days(now, offset);
        (from.map_or(Date::MIN, Date::held), to.map_or(Date::MAX, Date::held))
    }

    fn naive_days(self, now: Timestamp, offset: FixedOffset) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let today = now.to_datetime().with_timezone(&offset).date_naive();
        let begin = self.unit.begin(today);
        match self.which {
            Relative::Last => (begin.and_then(|day| self.unit.step(day, false)), begin),
            Relative::This => (begin, begin.and_then(|day| self.unit.step(day, true))),
            Relative::Next => {
                let next = begin.and_then(|day| self.unit.step(day, true));
                (next, next.and_then(|day| self.unit.step(day, true)))
            }
        }
    }
}

impl Unit {
    /// How many months it has, and from which month they are counted.
    const fn months(self) -> Option<(u32, u32)> {
        match self {
            Self::Day | Self::Week => None,
            Self::Month => Some((1, 1)),
            Self::Quarter => Some((3, 1)),
            Self::Year => Some((12, 1)),
            Self::FiscalQuarter(start) => Some((3, start as u32)),
            Self::FiscalYear(start) => Some((12, start as u32)),
        }
    }

    /// The first day of the period that `day` lies in.
    pub(super) fn begin(self, day: NaiveDate) -> Option<NaiveDate> {
        let Some((length, start)) = self.months() else {
            let since_monday = day.weekday().num_days_from_monday();
            let back = if self == Self::Week { since_monday } else { 0 };
            return day.checked_sub_days(Days::new(back.into()));
        };
        let since_start = (day.month() + 12).saturating_sub(start) % 12;
        day.with_day(1)?.checked_sub_months(Months::new(since_start.checked_rem(length)?))
    }

    /// The first day of the period after (or before) the one that begins on `day`.
    fn step(self, day: NaiveDate, forward: bool) -> Option<NaiveDate> {
        match (self.months(), forward) {
            (Some((months, _)), true) => day.checked_add_months(Months::new(months)),
            (Some((months, _)), false) => day.checked_sub_months(Months::new(months)),
            (None, true) => day.checked_add_days(self.days()),
            (None, false) => day.checked_sub_days(self.days()),
        }
    }

    const fn days(self) -> Days {
        Days::new(if matches!(self, Self::Week) { 7 } else { 1 })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unit == Unit::Day {
            return f.write_str(match self.which {
                Relative::Last => "yesterday",
                Relative::This => "today",
                Relative::Next => "tomorrow",
            });
        }
        f.write_str(match self.which {
            Relative::Last => "last_",
            Relative::This => "this_",
            Relative::Next => "next_",
        })?;
        match self.unit {
            Unit::Day => f.write_str("day"),
            Unit::Week => f.write_str("week"),
            Unit::Month => f.write_str("month"),
            Unit::Quarter => f.write_str("quarter"),
            Unit::Year => f.write_str("year"),
            Unit::FiscalQuarter(start) => write!(f, "fiscal_quarter_from_{start}"),
            Unit::FiscalYear(start) => write!(f, "fiscal_year_from_{start}"),
        }
    }
}

/// What is said of a period that there is not: every one that there is.
const EVERY: &str = "a period is `today`, `yesterday` or `tomorrow`, or `this_`, `last_` or `next_` with `week`, `month`, \
    `quarter`, `year`, `fiscal_quarter_from_4` or `fiscal_year_from_4` (the month in which the fiscal year begins)";

impl FromStr for Period {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let unknown = || ValueError::new(ViolationCode::Unknown, EVERY);
        let day = match text {
            "yesterday" => Some(Relative::Last),
            "today" => Some(Relative::This),
            "tomorrow" => Some(Relative::Next),
            _ => None,
        };
        if let Some(which) = day {
            return Ok(Self::new(which, Unit::Day));
        }
        let (which, unit) = text.split_once('_').ok_or_else(unknown)?;
        let which = match which {
            "last" => Relative::Last,
            "this" => Relative::This,
            "next" => Relative::Next,
            _ => return Err(unknown()),
        };
        let month = |month: &str| {
            month
                .parse()
                .ok()
                .filter(|month| (1..=12).contains(month) && !text.contains("from_0"))
                .ok_or_else(|| {
                    ValueError::new(
                        ViolationCode::OutOfRange,
                        "a fiscal year begins with a month from 1 to 12",
                    )
                })
        };
        let unit = match unit {
            "week" => Unit::Week,
            "month" => Unit::Month,
            "quarter" => Unit::Quarter,
            "year" => Unit::Year,
            other => match other.strip_prefix("fiscal_").and_then(|rest| rest.split_once("_from_")) {
                Some(("quarter", start)) => Unit::FiscalQuarter(month(start)?),
                Some(("year", start)) => Unit::FiscalYear(month(start)?),
                _ => return Err(unknown()),
            },
        };
        Ok(Self::new(which, unit))
    }
}

impl TryFrom<String> for Period {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(period: &str, now: &str, hours: i32) -> (String, String) {
        let offset = FixedOffset::east_opt(hours * 3_600).unwrap();
        let (from, to) = period.parse::<Period>().unwrap().range(now.parse().unwrap(), offset);
        (from.to_string(), to.to_string())
    }

    #[test]
    fn the_refusal_names_every_period() {
        let named = |period: Period| {
            let text = period.to_string();
            EVERY.contains(&format!("`{}`", text.strip_prefix("this_").unwrap_or(&text)))
        };
        let mut unit = Unit::Day;
        loop {
            assert!(named(Period::new(Relative::This, unit)), "{unit:?}");
            // A new unit stops here until it is named.
            unit = match unit {
                Unit::Day => Unit::Week,
                Unit::Week => Unit::Month,
                Unit::Month => Unit::Quarter,
                Unit::Quarter => Unit::Year,
                Unit::Year => Unit::FiscalQuarter(4),
                Unit::FiscalQuarter(_) => Unit::FiscalYear(4),
                Unit::FiscalYear(_) => break,
            };
        }
        assert!(
            [Relative::Last, Relative::Next]
                .map(|which| Period::new(which, Unit::Day))
                .into_iter()
                .all(named)
        );
        let error = "someday".parse::<Period>().unwrap_err();
        assert_eq!(error.message(), EVERY);
    }

    #[test]
    fn periods_begin_and_end_where_the_calendar_says() {
        let now = "2026-01-31T22:30:00Z";
        let at = |text: &str| format!("{text}T00:00:00Z");
        for (period, from, to) in [
            ("yesterday", "2026-01-30", "2026-01-31"),
            ("today", "2026-01-31", "2026-02-01"),
            ("tomorrow", "2026-02-01", "2026-02-02"),
            ("this_week", "2026-01-26", "2026-02-02"),
            ("last_week", "2026-01-19", "2026-01-26"),
            ("last_month", "2025-12-01", "2026-01-01"),
            ("next_month", "2026-02-01", "2026-03-01"),
            ("this_quarter", "2026-01-01", "2026-04-01"),
            ("last_quarter", "2025-10-01", "2026-01-01"),
            ("last_year", "2025-01-01", "2026-01-01"),
            ("this_fiscal_year_from_4", "2025-04-01", "2026-04-01"),
            ("last_fiscal_year_from_1", "2025-01-01", "2026-01-01"),
            ("this_fiscal_quarter_from_2", "2025-11-01", "2026-02-01"),
            ("next_fiscal_quarter_from_12", "2026-03-01", "2026-06-01"),
        ] {
            assert_eq!(range(period, now, 0), (at(from), at(to)), "{period}");
            assert_eq!(period.parse::<Period>().unwrap().to_string(), period);
        }
        // Two hours east it is February already.
        let east = range("this_month", now, 2);
        assert_eq!(east, ("2026-01-31T22:00:00Z".into(), "2026-02-28T22:00:00Z".into()));
    }

    #[test]
    fn the_edges_of_time_are_no_edges_of_the_calendar() {
        for which in [Relative::Last, Relative::This, Relative::Next] {
            for unit in [Unit::Day, Unit::Week, Unit::Year, Unit::FiscalQuarter(2)] {
                for now in [Timestamp::MIN, Timestamp::MAX] {
                    for hours in [-23, 0, 23] {
                        let offset = FixedOffset::east_opt(hours * 3_600).unwrap();
                        let (from, to) = Period::new(which, unit).range(now, offset);
                        assert!(from <= to);
                    }
                }
            }
        }
        for wrong in [
            "",
            "this",
            "this_day",
            "last_fiscal_year",
            "this_fiscal_year_from_13",
            "this_fiscal_year_from_04",
        ] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong}");
        }
    }
}
