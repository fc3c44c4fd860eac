//! Points in time, and the clock a host hands in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, SecondsFormat, TimeDelta, Utc};
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

/// A day of the calendar, without a time zone: between the years 0001 and 9999.
///
/// It prints, serialises and parses as ISO 8601.
///
/// ```
/// use leadcore::time::Date;
/// let day: Date = "2026-11-22".parse()?;
/// assert_eq!(Date::from_days(day.as_days())?.to_string(), "2026-11-22");
/// assert!("2026-02-30".parse::<Date>().is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

/// Days from 0001-01-01, which chrono counts as day 1, to 1970-01-01.
const EPOCH_DAY: i32 = 719_163;

impl Date {
    /// The earliest day that can be held: 0001-01-01.
    pub const MIN: Self = Self::of(Timestamp::MIN);
    /// The latest day that can be held: 9999-12-31.
    pub const MAX: Self = Self::of(Timestamp::MAX);

    /// As a chrono value.
    #[must_use]
    pub const fn to_naive(self) -> NaiveDate {
        self.0
    }

    /// The day in UTC of a point in time.
    #[must_use]
    pub const fn of(at: Timestamp) -> Self {
        match DateTime::from_timestamp_micros(at.0) {
            Some(at) => Self(at.naive_utc().date()),
            None => Self(DateTime::UNIX_EPOCH.naive_utc().date()),
        }
    }

    /// The day of a point in time where clocks are `offset` from UTC, held within the days that can be kept.
    #[must_use]
    pub fn in_zone(at: Timestamp, offset: FixedOffset) -> Self {
        Self::held(at.to_datetime().with_timezone(&offset).date_naive())
    }

    /// When the day begins where clocks are `offset` from UTC, held within the times that can be kept.
    #[must_use]
    pub fn begin(self, offset: FixedOffset) -> Timestamp {
        let local = self.0.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
        let micros = local.saturating_sub(i64::from(offset.local_minus_utc()).saturating_mul(1_000_000));
        Timestamp(micros.clamp(MIN_MICROS, MAX_MICROS))
    }

    /// This day, held at the earliest or latest one that can be kept.
    pub(crate) fn held(day: NaiveDate) -> Self {
        Self(day.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// From days since 1970-01-01.
    ///
    /// # Errors
    /// [`ViolationCode::OutOfRange`] outside the years 0001 to 9999.
    pub fn from_days(days: i64) -> Result<Self, ValueError> {
        let day = i32::try_from(days).ok().and_then(|days| days.checked_add(EPOCH_DAY));
        let day = day.and_then(NaiveDate::from_num_days_from_ce_opt);
        day.map(Self).filter(|day| (Self::MIN..=Self::MAX).contains(day)).ok_or_else(|| {
            ValueError::new(ViolationCode::OutOfRange, "a date must lie in the years 0001 to 9999")
        })
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn as_days(self) -> i64 {
        i64::from(self.0.num_days_from_ce()) - i64::from(EPOCH_DAY)
    }

    /// This day moved by `days`, held at the earliest or latest day that can be kept.
    #[must_use]
    pub fn saturating_add_days(self, days: i64) -> Self {
        let bound = if days < 0 { Self::MIN } else { Self::MAX };
        Self::from_days(self.as_days().saturating_add(days)).unwrap_or(bound)
    }
}

impl FromStr for Date {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let malformed = || {
            ValueError::new(ViolationCode::Malformed, "a date must be written like `2026-11-22` (ISO 8601)")
        };
        // chrono would also take blanks, signs and years of five digits.
        let shape =
            |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
        if text.len() != 10 || !text.bytes().enumerate().all(shape) {
            return Err(malformed());
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| malformed())?;
        if (Self::MIN.0..=Self::MAX.0).contains(&day) { Ok(Self(day)) } else { Err(malformed()) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
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
    fn dates_hold_their_edges_and_come_back() {
        for text in ["0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"] {
            let day: Date = text.parse().unwrap();
            assert_eq!(day.to_string(), text);
            assert_eq!(Date::from_days(day.as_days()).unwrap(), day);
        }
        assert_eq!("1970-01-02".parse::<Date>().unwrap().as_days(), 1);
        for text in [
            "",
            "2023-02-29",
            "0000-01-01",
            "10000-01-01",
            "+026-01-01",
            "2026-1-01",
            "2026-01-1 ",
            "22.11.2026",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert_eq!(Date::MAX.saturating_add_days(i64::MAX), Date::MAX);
        assert_eq!(Date::MIN.saturating_add_days(-1), Date::MIN);
        assert!(Date::from_days(i64::MAX).is_err());
    }

    #[test]
    fn the_edges_of_time_hold() {
        assert_eq!(Timestamp::MAX.saturating_add(TimeDelta::days(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert!(Timestamp::from_micros(i64::MAX).is_err());
    }
}
