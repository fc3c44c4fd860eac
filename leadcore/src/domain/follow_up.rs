//! Whether somebody has to turn to a lead, and how soon (X.22).

use std::fmt;

use chrono::FixedOffset;
use serde::{Deserialize, Serialize};

use crate::time::{Date, Timestamp};

/// How the next follow-up of a lead lies to today.
///
/// ```
/// use leadcore::domain::FollowUpState;
/// let (now, utc) = ("2026-11-22T08:00:00Z".parse()?, chrono::FixedOffset::east_opt(0).unwrap());
/// let at = |text: &str| text.parse().ok();
/// assert_eq!(FollowUpState::of(at("2026-11-21T23:59:59Z"), now, utc), FollowUpState::Overdue);
/// assert_eq!(FollowUpState::of(at("2026-11-22T07:00:00Z"), now, utc), FollowUpState::Today);
/// assert_eq!(FollowUpState::of(at("2026-11-23T00:00:00Z"), now, utc), FollowUpState::Planned);
/// assert_eq!(FollowUpState::of(None, now, utc), FollowUpState::None);
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FollowUpState {
    /// It was due before today.
    Overdue,
    /// It is due today.
    Today,
    /// It is due after today.
    Planned,
    /// There is none.
    None,
}

impl FollowUpState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Overdue, Self::Today, Self::Planned, Self::None];

    /// Stable name: `overdue`, `today`, `planned` or `none`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Today => "today",
            Self::Planned => "planned",
            Self::None => "none",
        }
    }

    /// The state with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state of a follow-up, for a reader at this offset from UTC.
    #[must_use]
    pub fn of(follow_up: Option<Timestamp>, now: Timestamp, offset: FixedOffset) -> Self {
        let Some(at) = follow_up else { return Self::None };
        let (today, tomorrow) = day(now, offset);
        match at {
            at if at < today => Self::Overdue,
            at if at < tomorrow => Self::Today,
            _ => Self::Planned,
        }
    }

    /// From when on, and before when, a follow-up of this state lies; `None` where that end is open. Without a follow-up
    /// there is no range.
    #[must_use]
    pub fn range(
        self,
        now: Timestamp,
        offset: FixedOffset,
    ) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
        let (today, tomorrow) = day(now, offset);
        match self {
            Self::Overdue => Some((None, Some(today))),
            Self::Today => Some((Some(today), Some(tomorrow))),
            Self::Planned => Some((Some(tomorrow), None)),
            Self::None => None,
        }
    }
}

/// When the day of `now` begins there, and when the next one does.
fn day(now: Timestamp, offset: FixedOffset) -> (Timestamp, Timestamp) {
    let today = Date::in_zone(now, offset);
    (today.begin(offset), today.saturating_add_days(1).begin(offset))
}

impl fmt::Display for FollowUpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Where a follow-up lies is what the ranges say, for every reader, up to the edges of time.
        #[test]
        fn states_and_ranges_agree(
            at in proptest::option::of(prop_oneof![any::<i64>(), -90_000_000_000_i64..90_000_000_000]),
            now in prop_oneof![Just(i64::MIN), Just(i64::MAX), -90_000_000_000_i64..90_000_000_000],
            hours in -23..=23,
        ) {
            let time = |micros: i64| {
                Timestamp::from_micros(micros.clamp(Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros()))
            };
            let (at, now) = (at.map(|at| time(at).unwrap()), time(now).unwrap());
            let offset = FixedOffset::east_opt(hours * 3_600).unwrap();
            let fits = |state: &FollowUpState| match (state.range(now, offset), at) {
                (None, at) => at.is_none(),
                (Some(_), None) => false,
                (Some((from, to)), Some(at)) => from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to),
            };
            let fitting: Vec<_> = FollowUpState::ALL.into_iter().filter(fits).collect();
            // At the end of time there is no tomorrow.
            prop_assert!(fitting.contains(&FollowUpState::of(at, now, offset)));
            prop_assert!(fitting.len() == 1 || now == Timestamp::MAX || now == Timestamp::MIN);
        }
    }
}
