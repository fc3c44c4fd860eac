//! What a report is grouped by, and when periods begin.

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
}

impl PeriodUnit {
    /// The first day of the period that this day lies in.
    #[must_use]
    pub fn begin(self, day: Date) -> Date {
        let unit = match self {
            Self::Day => Unit::Day,
            Self::Week => Unit::Week,
            Self::Month => Unit::Month,
            Self::Quarter => Unit::Quarter,
            Self::Year => Unit::Year,
        };
        unit.begin(day.to_naive()).map_or(Date::MIN, Date::held)
    }
}

/// What leads are grouped by. As text: `source`, `campaign`, `category`, `owner`, `day`, `week`, `month`, `quarter`, `year`.
///
/// ```
/// use leadcore::query::{Dimension, PeriodUnit};
/// assert_eq!("month".parse::<Dimension>()?, Dimension::Period(PeriodUnit::Month));
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

impl Dimension {
    /// Every one of them.
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
    pub const fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Campaign => "campaign",
            Self::Category => "category",
            Self::Owner => "owner",
            Self::Period(PeriodUnit::Day) => "day",
            Self::Period(PeriodUnit::Week) => "week",
            Self::Period(PeriodUnit::Month) => "month",
            Self::Period(PeriodUnit::Quarter) => "quarter",
            Self::Period(PeriodUnit::Year) => "year",
        }
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
        f.write_str(self.code())
    }
}

impl FromStr for Dimension {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let message = "a report is grouped by `source`, `campaign`, `category`, `owner`, `day`, `week`, `month`, \
            `quarter` or `year`";
        let known = Self::ALL.into_iter().find(|dimension| dimension.code() == text);
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
        dimension.code().to_owned()
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
