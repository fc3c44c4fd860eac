//! How soon somebody has to turn to a lead (X.22).

use chrono::FixedOffset;
use serde::{Deserialize, Serialize};

use crate::time::{Date, Timestamp};

use super::activity::Moment;

/// When somebody has to turn to something next: the earliest of what is still to be done about it.
///
/// Points of time and whole days cannot be put in one order for everybody: what is due on a day is due before or behind a
/// time of it, depending on where one is. So both are kept, and [`FollowUpState::of`] weighs them where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The earliest, in the order of [`Moment::at`].
    pub at: Timestamp,
    /// The earliest whole day, whether or not a point of time comes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
}

impl FollowUp {
    /// The earliest, as a point of time or a whole day.
    #[must_use]
    pub fn moment(self) -> Moment {
        let day = self.day.map(Moment::day).filter(|day| day.at == self.at);
        day.unwrap_or(Moment::at(self.at))
    }

    /// The earliest of both.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        let day = self.day.into_iter().chain(other.day).min();
        Self { at: self.at.min(other.at), day }
    }

    /// The day of the earliest where clocks are `offset` from UTC.
    ///
    /// The place of a whole day lies on that day or the next one wherever the clocks are twelve hours behind UTC or less, so
    /// that the earlier of both days is the right one.
    #[must_use]
    pub fn date(self, offset: FixedOffset) -> Date {
        let by_time = Date::in_zone(self.at, offset);
        self.day.map_or(by_time, |day| day.min(by_time))
    }
}

impl From<Moment> for FollowUp {
    fn from(moment: Moment) -> Self {
        Self { at: moment.at, day: moment.day }
    }
}

impl From<Timestamp> for FollowUp {
    fn from(at: Timestamp) -> Self {
        Self { at, day: None }
    }
}

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
    /// use leadcore::domain::{FollowUpState, Moment};
    /// let offset = chrono::FixedOffset::east_opt(3_600).unwrap();
    /// let now = "2026-11-22T10:00:00Z".parse()?;
    /// let of = |moment: Moment| FollowUpState::of(Some(moment.into()), now, offset);
    /// let state = |text: &str| Ok::<_, leadcore::error::ValueError>(of(Moment::at(text.parse()?)));
    /// assert_eq!(FollowUpState::of(None, now, offset), FollowUpState::None);
    /// assert_eq!(state("2026-11-22T09:00:00Z")?, FollowUpState::Today);
    /// // Where the clocks are an hour ahead, the next day begins at 23:00 UTC.
    /// assert_eq!(state("2026-11-22T23:00:00Z")?, FollowUpState::Planned);
    /// assert_eq!(state("2026-11-21T22:59:59Z")?, FollowUpState::Overdue);
    /// assert_eq!(of(Moment::day("2026-11-22".parse()?)), FollowUpState::Today);
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn of(follow_up: Option<FollowUp>, now: Timestamp, offset: FixedOffset) -> Self {
        let Some(follow_up) = follow_up else { return Self::None };
        match follow_up.date(offset).cmp(&Date::in_zone(now, offset)) {
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
            let of = |at, now| FollowUpState::of(Some(FollowUp::from(at)), now, offset(hours));
            assert_eq!(of(Timestamp::MIN, Timestamp::MAX), FollowUpState::Overdue);
            assert_eq!(of(Timestamp::MAX, Timestamp::MIN), FollowUpState::Planned);
            assert_eq!(of(Timestamp::MAX, Timestamp::MAX), FollowUpState::Today);
        }
    }

    #[test]
    fn a_day_is_a_day_from_one_end_of_the_world_to_the_other() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let due = FollowUp::from(Moment::day(day("2026-11-22")));
        // From Baker Island to the Line Islands, by quarters of an hour.
        for quarters in -48..=56 {
            let offset = FixedOffset::east_opt(quarters * 900).unwrap();
            for (today, state) in [
                ("2026-11-21", FollowUpState::Planned),
                ("2026-11-22", FollowUpState::Today),
                ("2026-11-23", FollowUpState::Overdue),
            ] {
                let begin = day(today).begin(offset);
                for now in [begin, begin.saturating_add(chrono::TimeDelta::seconds(86_399))] {
                    assert_eq!(FollowUpState::of(Some(due), now, offset), state, "{today} at {offset}");
                    // A time of the same day changes nothing, wherever its place is among days.
                    for hour in 0..24 {
                        let at = begin.saturating_add(chrono::TimeDelta::hours(hour));
                        let here = FollowUp::from(at);
                        let both = FollowUpState::of(Some(due.min(here)), now, offset);
                        let apart = state.max(FollowUpState::of(Some(here), now, offset));
                        assert_eq!(both, apart, "{today} at {offset} with {at}");
                    }
                }
            }
        }
    }
}
