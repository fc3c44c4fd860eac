//! Time zones by their names: what clocks show somewhere, and when they show it.

use chrono::{NaiveDateTime, TimeZone as _, Utc};
#[cfg(feature = "calendar")]
use chrono::{Offset as _, TimeDelta};

#[cfg(feature = "calendar")]
use super::nearest::distance;
#[cfg(feature = "calendar")]
use crate::error::ViolationCode;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The zone that a meeting is held by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    #[cfg(feature = "calendar")]
    Named(chrono_tz::Tz),
}

/// The name that is nearest to this one, also by its last part: `oslo` for `Europe/Oslo`.
#[cfg(feature = "calendar")]
fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_lowercase();
    let most = (wanted.chars().count() / 4).clamp(1, 3);
    let far = |known: &str| {
        let known = known.to_lowercase();
        let city = known.rsplit('/').next().unwrap_or_default();
        distance(&wanted, &known).min(distance(&wanted, city))
    };
    let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let near = known.map(|known| (far(known), known)).filter(|(far, _)| *far <= most);
    near.min().map(|(_, known)| known)
}

impl Zone {
    /// The zone with this IANA name, as it is written; UTC without one.
    ///
    /// # Errors
    /// `Invalid` when there is none; `Unsupported` where leadcore was built without the feature `calendar`.
    pub(super) fn named(name: Option<&str>) -> Result<Self> {
        match name {
            None | Some("UTC" | "Etc/UTC") => Ok(Self::Utc),
            Some(name) => Self::find(name),
        }
    }

    #[cfg(feature = "calendar")]
    fn find(name: &str) -> Result<Self> {
        name.parse().map(Self::Named).map_err(|_| {
            let hint = nearest(name).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let message = format!("there is no time zone of this name{hint}");
            Error::invalid_field("zone", ViolationCode::Unknown, message)
        })
    }

    #[cfg(not(feature = "calendar"))]
    fn find(_: &str) -> Result<Self> {
        Err(needs_feature())
    }

    /// What clocks show there.
    pub(super) fn local(self, at: Timestamp) -> NaiveDateTime {
        match self {
            Self::Utc => at.to_datetime().naive_utc(),
            #[cfg(feature = "calendar")]
            Self::Named(zone) => at.to_datetime().with_timezone(&zone).naive_local(),
        }
    }

    /// When clocks show this there. What they show twice is the first time; what they leave out, because they are put
    /// forward, is later by as much as they are (RFC 5545, section 3.3.5).
    pub(super) fn instant(self, local: NaiveDateTime) -> Option<Timestamp> {
        let at = match self {
            Self::Utc => Utc.from_utc_datetime(&local),
            #[cfg(feature = "calendar")]
            Self::Named(zone) => in_zone(zone, local)?,
        };
        Timestamp::try_from(at).ok()
    }
}

#[cfg(feature = "calendar")]
fn in_zone(zone: chrono_tz::Tz, local: NaiveDateTime) -> Option<chrono::DateTime<Utc>> {
    if let Some(at) = zone.from_local_datetime(&local).earliest() {
        return Some(at.with_timezone(&Utc));
    }
    // The offset from before the gap. Gaps are of minutes to a day (Samoa, 2011).
    let before = (1..=200).find_map(|quarters| {
        let earlier = local.checked_sub_signed(TimeDelta::minutes(15 * quarters))?;
        zone.from_local_datetime(&earlier).latest()
    })?;
    let ahead = TimeDelta::seconds(before.offset().fix().local_minus_utc().into());
    local.checked_sub_signed(ahead).map(|utc| Utc.from_utc_datetime(&utc))
}

/// From when on clocks showed something else somewhere.
#[cfg(feature = "calendar")]
pub(crate) struct Observance {
    /// What clocks showed in the moment that they were changed, before they were.
    pub(crate) shown: NaiveDateTime,
    /// How many seconds they were ahead of UTC before.
    pub(crate) before: i32,
    /// How many they are then.
    pub(crate) after: i32,
    /// Whether that is summer time.
    pub(crate) is_summer: bool,
    /// What people call it: `CEST`.
    pub(crate) name: String,
}

/// What clocks show in a zone at a time and how that changes to another time. Nothing for a zone that is not known.
#[cfg(feature = "calendar")]
pub(crate) fn observances(zone: &str, from: Timestamp, to: Timestamp) -> Vec<Observance> {
    use chrono_tz::OffsetComponents as _;
    let Ok(zone) = zone.parse::<chrono_tz::Tz>() else { return Vec::new() };
    let at = |seconds: i64| {
        let at = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        zone.offset_from_utc_datetime(&at.naive_utc())
    };
    let ahead = |seconds: i64| at(seconds).fix().local_minus_utc();
    let observance = |seconds: i64, before: i32| {
        let offset = at(seconds);
        let utc = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
        Observance {
            shown: utc.checked_add_signed(TimeDelta::seconds(before.into())).unwrap_or(utc),
            before,
            after: offset.fix().local_minus_utc(),
            is_summer: !offset.dst_offset().is_zero(),
            name: offset.to_string(),
        }
    };
    let seconds = |at: Timestamp| at.as_micros().div_euclid(1_000_000);
    let (mut day, end) = (seconds(from), seconds(to));
    let mut found = vec![observance(day, ahead(day))];
    while day < end {
        let next = day.saturating_add(86_400);
        let (was, is) = (ahead(day), ahead(next));
        if was != is {
            // Between both, to the second.
            let (mut low, mut high) = (day, next);
            while high.saturating_sub(low) > 1 {
                let middle = low.saturating_add(high.saturating_sub(low) / 2);
                if ahead(middle) == was { low = middle } else { high = middle }
            }
            found.push(observance(high, was));
        }
        day = next;
    }
    found
}

/// Refuses what leadcore can compute only with the feature `calendar`.
#[cfg(not(feature = "calendar"))]
pub(crate) fn needs_feature() -> Error {
    let message =
        "series and time zones need leadcore's feature `calendar`, which this program was built without";
    Error::new(crate::error::ErrorKind::Unsupported, message)
}
