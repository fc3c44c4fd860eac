//! A point of time, or a whole day.

use chrono::{FixedOffset, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::time::{Date, Timestamp};

/// A point of time, or a whole day.
///
/// A whole day has an instant too, so that it takes its place among others: noon of the day, at the offset from UTC of
/// whoever wrote it. So it falls into the same day for everyone within eleven hours of there.
///
/// ```
/// use leadcore::domain::Moment;
/// let offset = chrono::FixedOffset::east_opt(3_600).unwrap();
/// let day = Moment::day("2026-11-22".parse()?, offset);
/// assert_eq!(day.at.to_string(), "2026-11-22T11:00:00Z");
/// assert_eq!(Moment::at(day.at).day, None);
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// The day, when the whole day is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
}

impl Moment {
    /// A point of time.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self { at, day: None }
    }

    /// A whole day, for somebody who lives at this offset from UTC.
    #[must_use]
    pub fn day(day: Date, offset: FixedOffset) -> Self {
        Self { at: day.begin(offset).saturating_add(TimeDelta::hours(12)), day: Some(day) }
    }

    /// The day that it falls into where clocks are `offset` from UTC; of a whole day that day, everywhere.
    #[must_use]
    pub fn date(self, offset: FixedOffset) -> Date {
        self.day.unwrap_or_else(|| Date::in_zone(self.at, offset))
    }

    /// So many days later, at the same time of the day, held within the times that can be kept.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let delta =
            TimeDelta::try_days(days).unwrap_or(if days < 0 { TimeDelta::MIN } else { TimeDelta::MAX });
        Self { at: self.at.saturating_add(delta), day: self.day.map(|day| day.saturating_add_days(days)) }
    }

    /// Whether the instant of a whole day can be its noon anywhere on earth.
    pub(super) fn is_sound(self) -> bool {
        let utc = FixedOffset::east_opt(0);
        let (Some(day), Some(utc)) = (self.day, utc) else { return true };
        let off = self.at.since(Self::day(day, utc).at);
        off.abs() <= TimeDelta::hours(24)
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self::at(at)
    }
}
