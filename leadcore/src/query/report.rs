//! What a report is grouped by, and when periods begin.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::FixedOffset;
use serde::{Deserialize, Serialize};

use crate::domain::{Field, FieldValue, Lead};
use crate::error::{ValueError, ViolationCode};
use crate::time::{Date, Timestamp};

use super::filter::Resolved;
use super::period::Unit;

/// A kind of period that leads are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PeriodUnit {
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

impl PeriodUnit {
    /// Whether its fiscal year, if it is of one, begins with a month that there is.
    #[must_use]
    pub const fn is_fit(self) -> bool {
        match self {
            Self::FiscalQuarter(month) | Self::FiscalYear(month) => month >= 1 && month <= 12,
            _ => true,
        }
    }

    /// What people call the period that begins on this day: `2026-11-22`, `2026-W47`, `2026-11`, `2026-Q4`, `2026`. A fiscal
    /// year is called by both years that it lies in, `2026/27`, and its quarters `2026/27-Q1` and so on.
    #[must_use]
    pub fn name(self, begin: Date) -> String {
        use chrono::Datelike as _;
        let day = begin.to_naive();
        let in_year = |year: &str, months: u32| format!("{year}-Q{}", months / 3 + 1);
        match self {
            Self::Day => begin.to_string(),
            Self::Week => day.format("%G-W%V").to_string(),
            Self::Month => day.format("%Y-%m").to_string(),
            Self::Quarter | Self::FiscalQuarter(1) => in_year(&Self::Year.name(begin), day.month0()),
            Self::Year | Self::FiscalYear(1) => day.format("%Y").to_string(),
            Self::FiscalQuarter(start) => {
                let year = Self::FiscalYear(start);
                let months = (day.month() + 12).saturating_sub(start.into()) % 12;
                in_year(&year.name(year.begin(begin)), months)
            }
            Self::FiscalYear(_) => {
                format!("{:04}/{:02}", day.year(), day.year().saturating_add(1).rem_euclid(100))
            }
        }
    }

    /// The first day of the period that this day lies in.
    #[must_use]
    pub fn begin(self, day: Date) -> Date {
        let unit = match self {
            Self::Day => Unit::Day,
            Self::Week => Unit::Week,
            Self::Month => Unit::Month,
            Self::Quarter => Unit::Quarter,
            Self::Year => Unit::Year,
            Self::FiscalQuarter(month) => Unit::FiscalQuarter(month),
            Self::FiscalYear(month) => Unit::FiscalYear(month),
        };
        unit.begin(day.to_naive()).map_or(Date::MIN, Date::held)
    }
}

/// What leads are grouped by. As text: `source`, `campaign`, `category`, `owner`, `day`, `week`, `month`, `quarter`, `year`,
/// `fiscal_quarter_from_4`, `fiscal_year_from_4` (the month in which the fiscal year begins, as in a
/// [`Period`](super::Period)).
///
/// ```
/// use leadcore::query::{Dimension, PeriodUnit};
/// assert_eq!("month".parse::<Dimension>()?, Dimension::Period(PeriodUnit::Month));
/// assert_eq!("fiscal_year_from_4".parse::<Dimension>()?, Dimension::Period(PeriodUnit::FiscalYear(4)));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Dimension {
    /// Where the lead came from.
    Source,
    /// The campaign that brought it, whatever its case and accents.
    Campaign,
    /// What kind of lead it is.
    Category,
    /// The user responsible.
    Owner,
    /// A period: see [`Dated`].
    Period(PeriodUnit),
}

/// What stands before the month in the names of periods of a fiscal year.
const FISCAL_QUARTER: &str = "fiscal_quarter_from_";
const FISCAL_YEAR: &str = "fiscal_year_from_";

impl Dimension {
    /// Every one of them, but for those of fiscal years.
    pub const ALL: [Self; 9] = [
        Self::Source,
        Self::Campaign,
        Self::Category,
        Self::Owner,
        Self::Period(PeriodUnit::Day),
        Self::Period(PeriodUnit::Week),
        Self::Period(PeriodUnit::Month),
        Self::Period(PeriodUnit::Quarter),
        Self::Period(PeriodUnit::Year),
    ];

    /// Stable name.
    #[must_use]
    pub fn code(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Source => "source",
            Self::Campaign => "campaign",
            Self::Category => "category",
            Self::Owner => "owner",
            Self::Period(PeriodUnit::Day) => "day",
            Self::Period(PeriodUnit::Week) => "week",
            Self::Period(PeriodUnit::Month) => "month",
            Self::Period(PeriodUnit::Quarter) => "quarter",
            Self::Period(PeriodUnit::Year) => "year",
            Self::Period(PeriodUnit::FiscalQuarter(month)) => {
                return format!("{FISCAL_QUARTER}{month}").into();
            }
            Self::Period(PeriodUnit::FiscalYear(month)) => return format!("{FISCAL_YEAR}{month}").into(),
        })
    }

    /// The field of leads that it shows; of a period, that which dates it.
    #[must_use]
    pub const fn field(self, dated: Dated) -> Field {
        match self {
            Self::Source => Field::Source,
            Self::Campaign => Field::Campaign,
            Self::Category => Field::Category,
            Self::Owner => Field::Owner,
            Self::Period(_) => dated.field(),
        }
    }

    /// The group that a lead is in: the reference of what stores answer. Of a campaign, its folded name; of a period, its
    /// first day.
    #[must_use]
    pub fn key(self, lead: &Lead, dated: Dated, clocks: &Clocks) -> FieldValue {
        match self {
            Self::Source => lead.fields.source.into(),
            Self::Campaign => lead.fields.campaign_key().into(),
            Self::Category => lead.fields.category.into(),
            Self::Owner => lead.fields.owner.clone().into(),
            Self::Period(unit) => {
                let at = match dated {
                    Dated::Created => Some(lead.created_at),
                    Dated::Converted => lead.conversion.as_ref().map(|done| done.at),
                };
                at.map_or(FieldValue::Empty, |at| FieldValue::Date(unit.begin(clocks.day(at))))
            }
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

impl FromStr for Dimension {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let message = "a report is grouped by `source`, `campaign`, `category`, `owner`, `day`, `week`, `month`, \
            `quarter`, `year`, `fiscal_quarter_from_4` or `fiscal_year_from_4`, where 4 is a month from 1 to 12";
        let month = |prefix: &str| text.strip_prefix(prefix)?.parse().ok();
        let quarter = month(FISCAL_QUARTER).map(PeriodUnit::FiscalQuarter);
        let fiscal = quarter.or_else(|| month(FISCAL_YEAR).map(PeriodUnit::FiscalYear));
        let fiscal = fiscal.filter(|unit| unit.is_fit()).map(Self::Period);
        // A month is written in one way: `4`, not `04` or `+4`.
        let known = Self::ALL.into_iter().chain(fiscal).find(|dimension| dimension.code() == text);
        known.ok_or_else(|| ValueError::new(ViolationCode::Unknown, message))
    }
}

impl TryFrom<String> for Dimension {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Dimension> for String {
    fn from(dimension: Dimension) -> Self {
        dimension.code().into_owned()
    }
}

/// Which day of a lead decides the period that it is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dated {
    /// The day on which it was created.
    #[default]
    Created,
    /// The day on which it was converted; leads that were not are in no period.
    Converted,
}

impl Dated {
    /// The field of leads that says it.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::Created => Field::CreatedAt,
            Self::Converted => Field::ConvertedAt,
        }
    }
}

/// What clocks show somewhere: how many seconds they are ahead of UTC, and from when on.
///
/// ```
/// use leadcore::query::Clocks;
/// let oslo = Clocks::fixed(chrono::FixedOffset::east_opt(3_600).unwrap());
/// assert_eq!(oslo.day("2026-11-22T23:30:00Z".parse()?).to_string(), "2026-11-23");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    first: i32,
    changes: Vec<(Timestamp, i32)>,
}

impl Clocks {
    /// The same all year round.
    #[must_use]
    pub const fn fixed(offset: FixedOffset) -> Self {
        Self { first: offset.local_minus_utc(), changes: Vec::new() }
    }

    /// So many seconds ahead of UTC at first, and from each of these times on so many.
    #[must_use]
    pub fn changing(first: i32, mut changes: Vec<(Timestamp, i32)>) -> Self {
        changes.sort_unstable();
        Self { first, changes }
    }

    /// Those of the zone with this IANA name, summer time and all, from 1970 until a year from `now`.
    ///
    /// # Errors
    /// When there is no such zone, or leadcore was built without the feature `calendar`.
    #[cfg(feature = "calendar")]
    pub fn named(zone: &str, now: Timestamp) -> crate::error::Result<Self> {
        let seen = crate::domain::zone::observances(
            zone,
            Timestamp::EPOCH,
            now.saturating_add(chrono::TimeDelta::days(366)),
        );
        let (Some(first), later) = (seen.first(), seen.iter().skip(1)) else {
            return Err(crate::error::Error::invalid_field(
                "zone",
                ViolationCode::Unknown,
                "there is no time zone of this name",
            ));
        };
        let changes = later.filter_map(|change| {
            let micros = change.shown.and_utc().timestamp_micros();
            let at = Timestamp::from_micros(
                micros.saturating_sub(i64::from(change.before).saturating_mul(1_000_000)),
            );
            at.ok().map(|at| (at, change.after))
        });
        Ok(Self { first: first.after, changes: changes.collect() })
    }

    /// How many seconds they are ahead of UTC before the first change.
    #[must_use]
    pub const fn first(&self) -> i32 {
        self.first
    }

    /// When that changed, and to how many seconds, the earliest first.
    #[must_use]
    pub fn changes(&self) -> &[(Timestamp, i32)] {
        &self.changes
    }

    /// How many seconds they are ahead of UTC at a time.
    #[must_use]
    pub fn ahead(&self, at: Timestamp) -> i32 {
        let changed = self.changes.partition_point(|(from, _)| *from <= at);
        changed.checked_sub(1).and_then(|last| self.changes.get(last)).map_or(self.first, |(_, ahead)| *ahead)
    }

    /// The day that they show, held within the days that can be kept.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        let local = at.saturating_add(chrono::TimeDelta::seconds(self.ahead(at).into()));
        Date::of(local)
    }

    /// When they first show this day.
    #[must_use]
    pub fn begins(&self, day: Date) -> Timestamp {
        let utc = chrono::Offset::fix(&chrono::Utc);
        let midnight = |ahead: i32| day.begin(FixedOffset::east_opt(ahead).unwrap_or(utc));
        let mut since = Timestamp::MIN;
        let mut ahead = self.first;
        for (until, next) in &self.changes {
            let at = midnight(ahead).max(since);
            if at < *until {
                return at;
            }
            (since, ahead) = (*until, *next);
        }
        midnight(ahead).max(since)
    }
}

/// Which leads a store counts, and how they are grouped.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportScan {
    /// Live leads that match this.
    pub filter: Resolved,
    /// One group of leads for each combination of these that a lead has; none for one group of all.
    pub by: Vec<Dimension>,
    /// What dates a lead.
    pub dated: Dated,
    /// When periods begin.
    pub clocks: Clocks,
}

impl ReportScan {
    /// All live leads, by nothing, in UTC.
    #[must_use]
    pub fn all() -> Self {
        let clocks = Clocks { first: 0, changes: Vec::new() };
        Self { filter: Resolved::everything(), by: Vec::new(), dated: Dated::default(), clocks }
    }

    /// The group that a lead is in.
    #[must_use]
    pub fn key(&self, lead: &Lead) -> Vec<FieldValue> {
        self.by.iter().map(|dimension| dimension.key(lead, self.dated, &self.clocks)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(unit: PeriodUnit, day: &str) -> String {
        unit.name(unit.begin(day.parse().unwrap()))
    }

    #[test]
    fn periods_are_called_as_people_do() {
        assert_eq!(called(PeriodUnit::Day, "2026-02-28"), "2026-02-28");
        assert_eq!(called(PeriodUnit::Week, "2027-01-03"), "2026-W53");
        assert_eq!(called(PeriodUnit::Quarter, "2026-12-31"), "2026-Q4");
        assert_eq!(called(PeriodUnit::Month, "2026-02-28"), "2026-02");
        assert_eq!(called(PeriodUnit::Year, "2026-02-28"), "2026");
    }

    #[test]
    fn fiscal_periods_are_called_by_both_years() {
        let (quarter, year) = (PeriodUnit::FiscalQuarter(4), PeriodUnit::FiscalYear(4));
        for (day, wanted) in [
            ("2026-03-31", "2025/26-Q4"),
            ("2026-04-01", "2026/27-Q1"),
            ("2026-06-30", "2026/27-Q1"),
            ("2026-07-01", "2026/27-Q2"),
            ("2026-12-31", "2026/27-Q3"),
            ("2027-01-01", "2026/27-Q4"),
            ("2099-05-01", "2099/00-Q1"),
        ] {
            assert_eq!(called(quarter, day), wanted);
            assert_eq!(called(year, day), wanted.split('-').next().unwrap());
        }
        assert_eq!(called(PeriodUnit::FiscalQuarter(1), "2026-12-31"), "2026-Q4");
        assert_eq!(called(PeriodUnit::FiscalYear(1), "2026-12-31"), "2026");
        assert_eq!(called(PeriodUnit::FiscalQuarter(12), "2026-12-01"), "2026/27-Q1");
        assert_eq!(called(PeriodUnit::FiscalQuarter(12), "2026-11-30"), "2025/26-Q4");
    }

    #[test]
    fn a_dimension_is_read_as_it_is_written() {
        let units = [PeriodUnit::FiscalQuarter, PeriodUnit::FiscalYear];
        let fiscal = (1..=12).flat_map(|month| units.map(|unit| Dimension::Period(unit(month))));
        for dimension in Dimension::ALL.into_iter().chain(fiscal) {
            assert_eq!(dimension.code().parse::<Dimension>().unwrap(), dimension);
        }
        for wrong in [
            "fiscal_year",
            "fiscal_year_from_0",
            "fiscal_quarter_from_13",
            "fiscal_year_from_04",
            "fiscal_year_from_+4",
            "",
        ] {
            assert!(wrong.parse::<Dimension>().is_err(), "{wrong}");
        }
        assert!(!PeriodUnit::FiscalYear(0).is_fit() && !PeriodUnit::FiscalQuarter(13).is_fit());
    }
}
