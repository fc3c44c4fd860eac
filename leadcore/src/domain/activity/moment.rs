//! A point of time, or a whole day.

use chrono::{FixedOffset, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::time::{Date, Timestamp};

/// A point of time, or a whole day.
///
/// A whole day is a day of the calendar: the same one for everybody, wherever they are. So that it takes its place among
/// points of time it has one too, noon of the day in UTC; what a day means to somebody is never asked of that place.
///
/// It is written as `{"at": "2026-11-22T09:00:00Z"}` or as `{"day": "2026-11-22"}`.
///
/// ```
/// use leadcore::domain::Moment;
/// let day = Moment::day("2026-11-22".parse()?);
/// let samoa = chrono::FixedOffset::east_opt(13 * 3_600).unwrap();
/// assert_eq!(day.date(samoa).to_string(), "2026-11-22");
/// assert_eq!(Moment::at(day.at).date(samoa).to_string(), "2026-11-23");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Moment {
    /// The instant; of a whole day its place among instants, noon of it in UTC.
    pub at: Timestamp,
    /// The day, when the whole day is meant.
    pub day: Option<Date>,
}

/// A moment as it is read and written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
}

impl TryFrom<Written> for Moment {
    type Error = ValueError;

    fn try_from(written: Written) -> Result<Self, ValueError> {
        match (written.at, written.day) {
            (Some(at), None) => Ok(Self::at(at)),
            (None, Some(day)) => Ok(Self::day(day)),
            _ => {
                let message = "a moment is a time (`at`) or a whole day (`day`), one of the two";
                Err(ValueError::new(ViolationCode::Malformed, message))
            }
        }
    }
}

impl From<Moment> for Written {
    fn from(moment: Moment) -> Self {
        Self { at: moment.day.is_none().then_some(moment.at), day: moment.day }
    }
}

impl Moment {
    /// A point of time.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self { at, day: None }
    }

    /// A whole day.
    #[must_use]
    pub fn day(day: Date) -> Self {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
        let at = Timestamp::try_from(day.to_naive().and_time(noon).and_utc()).unwrap_or_default();
        Self { at, day: Some(day) }
    }

    /// The day that it falls into where clocks are `offset` from UTC; of a whole day that day, everywhere.
    #[must_use]
    pub fn date(self, offset: FixedOffset) -> Date {
        self.day.unwrap_or_else(|| Date::in_zone(self.at, offset))
    }

    /// When it begins where clocks are `offset` from UTC: a whole day with its first moment there.
    #[must_use]
    pub fn begins(self, offset: FixedOffset) -> Timestamp {
        self.day.map_or(self.at, |day| day.begin(offset))
    }

    /// When it is over where clocks are `offset` from UTC: a whole day with the first moment of the next one there, held
    /// within the times that can be kept.
    #[must_use]
    pub fn ends(self, offset: FixedOffset) -> Timestamp {
        self.day.map_or(self.at, |day| day.begin(offset).saturating_add(TimeDelta::days(1)))
    }

    /// So many days later, at the same time of the day, held within the times that can be kept.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        if let Some(day) = self.day {
            return Self::day(day.saturating_add_days(days));
        }
        let delta =
            TimeDelta::try_days(days).unwrap_or(if days < 0 { TimeDelta::MIN } else { TimeDelta::MAX });
        Self::at(self.at.saturating_add(delta))
    }

    /// Whether the place of a whole day is that of the day.
    pub(super) fn is_sound(self) -> bool {
        self.day.is_none_or(|day| self == Self::day(day))
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self::at(at)
    }
}

impl From<Date> for Moment {
    fn from(day: Date) -> Self {
        Self::day(day)
    }
}
