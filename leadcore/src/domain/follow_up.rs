//! How soon somebody has to turn to a lead (X.22).

use chrono::FixedOffset;
use serde::{Deserialize, Serialize};

use crate::time::{Date, Timestamp};

/// How soon somebody has to turn to a lead: its earliest follow-up, seen from today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpState {
    /// Nothing is planned.
    None,
    /// On a later day.
    Planned,
    /// Today.
    Today,
    /// On an earlier day, and nobody did.
    Overdue,
}

impl FollowUpState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::None, Self::Planned, Self::Today, Self::Overdue];

    /// Stable name: `none`, `planned`, `today`, `overdue`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Planned => "planned",
            Self::Today => "today",
            Self::Overdue => "overdue",
        }
    }

    /// The state with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state of a lead whose earliest follow-up is this, by days where clocks are `offset` from UTC: what was to be
    /// done at nine is still `today` at ten.
    ///
    /// ```
    /// use leadcore::domain::FollowUpState;
    /// let offset = chrono::FixedOffset::east_opt(3_600).unwrap();
    /// let now = "2026-11-22T10:00:00Z".parse()?;
    /// let state = |text: &str| Ok::<_, leadcore::error::ValueError>(FollowUpState::of(Some(text.parse()?), now, offset));
    /// assert_eq!(FollowUpState::of(None, now, offset), FollowUpState::None);
    /// assert_eq!(state("2026-11-22T09:00:00Z")?, FollowUpState::Today);
    /// // Where the clocks are an hour ahead, the next day begins at 23:00 UTC.
    /// assert_eq!(state("2026-11-22T23:00:00Z")?, FollowUpState::Planned);
    /// assert_eq!(state("2026-11-21T22:59:59Z")?, FollowUpState::Overdue);
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn of(follow_up: Option<Timestamp>, now: Timestamp, offset: FixedOffset) -> Self {
        let Some(follow_up) = follow_up else { return Self::None };
        match Date::in_zone(follow_up, offset).cmp(&Date::in_zone(now, offset)) {
            std::cmp::Ordering::Less => Self::Overdue,
            std::cmp::Ordering::Equal => Self::Today,
            std::cmp::Ordering::Greater => Self::Planned,
        }
    }
}

impl std::fmt::Display for FollowUpState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_and_the_edges_of_time_hold() {
        for state in FollowUpState::ALL {
            assert_eq!(FollowUpState::from_code(state.code()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.code());
        }
        let offset = |hours: i32| FixedOffset::east_opt(hours * 3_600).unwrap();
        for hours in [-23, 0, 23] {
            let of = |at, now| FollowUpState::of(Some(at), now, offset(hours));
            assert_eq!(of(Timestamp::MIN, Timestamp::MAX), FollowUpState::Overdue);
            assert_eq!(of(Timestamp::MAX, Timestamp::MIN), FollowUpState::Planned);
            assert_eq!(of(Timestamp::MAX, Timestamp::MAX), FollowUpState::Today);
        }
    }
}
