//! Points in time, and the clock a host hands in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{ValueError, ViolationCode};

/// A point in time: microseconds since 1970-01-01 UTC, between the years 0001 and 9999.
///
/// Cut to microseconds at construction, so that every store gives back exactly what it was handed. It prints,
/// serialises and parses as RFC 3339 in UTC.
///
/// ```
/// use leadcore::time::Timestamp;
/// let at: Timestamp = "2026-11-22T08:30:00+01:00".parse()?;
/// assert_eq!(at.to_string(), "2026-11-22T07:30:00Z");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// 0001-01-01T00:00:00Z in microseconds.
const MIN_MICROS: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z in microseconds.
const MAX_MICROS: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The earliest time that can be held: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(MIN_MICROS);
    /// The latest time that can be held: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(MAX_MICROS);

    /// From microseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`ViolationCode::OutOfRange`] outside the years 0001 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, ValueError> {
        if (MIN_MICROS..=MAX_MICROS).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(ValueError::new(ViolationCode::OutOfRange, "a time must lie in the years 0001 to 9999"))
        }
    }

    /// Microseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// As a chrono value.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// This time moved by `delta`, held at the earliest or latest time that can be kept.
    #[must_use]
    pub fn saturating_add(self, delta: TimeDelta) -> Self {
        let micros =
            delta.num_microseconds().unwrap_or(if delta < TimeDelta::zero() { i64::MIN } else { i64::MAX });
        Self(self.0.saturating_add(micros).clamp(MIN_MICROS, MAX_MICROS))
    }

    /// The time from `earlier` to this one; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta::microseconds(self.0.saturating_sub(earlier.0))
    }
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = ValueError;

    fn try_from(at: DateTime<Utc>) -> Result<Self, ValueError> {
        Self::from_micros(at.timestamp_micros())
    }
}

impl FromStr for Timestamp {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
            ValueError::new(
                ViolationCode::Malformed,
                "a time must be written like `2026-11-22T08:30:00Z` (RFC 3339)",
            )
        })?;
        Self::try_from(at.with_timezone(&Utc))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Tells what time it is. The host hands one in with every [`Context`](crate::context::Context), so that the same
/// inputs give the same result and a test can stand still in time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[cfg(feature = "system")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(feature = "system")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::try_from(Utc::now()).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands still until it is moved: for tests and replays.
///
/// ```
/// use leadcore::time::{Clock, ManualClock, Timestamp};
/// let clock = ManualClock::new("2026-11-22T08:00:00Z".parse()?);
/// clock.advance(chrono::TimeDelta::minutes(5));
/// assert_eq!(clock.now().to_string(), "2026-11-22T08:05:00Z");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(std::sync::atomic::AtomicI64::new(now.0))
    }

    /// Moves the clock forward (or back, for a negative `delta`).
    pub fn advance(&self, delta: TimeDelta) {
        let next = self.now().saturating_add(delta);
        self.0.store(next.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_cut_so_that_every_store_round_trips() {
        let at: Timestamp = "2026-01-01T00:00:00.123456789Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-01T00:00:00.123456Z");
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), at);
    }

    #[test]
    fn the_edges_of_time_hold() {
        assert_eq!(Timestamp::MAX.saturating_add(TimeDelta::days(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert!(Timestamp::from_micros(i64::MAX).is_err());
    }
}
