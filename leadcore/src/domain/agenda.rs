//! The place of an activity in a calendar.

use chrono::{Datelike as _, TimeDelta};

use crate::time::{Date, Timestamp};

use super::activity::{Activity, ActivityBody, Meeting};
use super::occurrence;

/// The time that an activity takes in a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgendaSpan {
    /// When it begins; for a series, when its first occurrence does.
    pub at: Timestamp,
    /// When it ends; for a series, when its last occurrence does, at the latest.
    pub until: Timestamp,
    /// Whether it comes again by a rule: its occurrences are computed.
    pub is_series: bool,
    /// The days that a series can touch; none of what is no series.
    pub days: AgendaDays,
}

/// A set of days in UTC, told by what all of them have in common: days of the week, days of the month, months. By it a
/// store passes over series that cannot touch a range without expanding them: every second Monday, the last days of March.
///
/// ```
/// use leadcore::domain::AgendaDays;
/// let (monday, tuesday) = ("2026-11-23T00:00:00Z".parse()?, "2026-11-24T00:00:00Z".parse()?);
/// let day = AgendaDays::of_range(monday, tuesday);
/// assert!(day.meet(AgendaDays::EVERY) && !day.meet(AgendaDays::NONE));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgendaDays(i64);

impl AgendaDays {
    /// No day.
    pub const NONE: Self = Self(0);
    /// Any day.
    pub const EVERY: Self = Self((1 << 50) - 1);
    /// The bits of the days of the week, of those of the month, and of the months.
    const PARTS: [i64; 3] = [(1 << 7) - 1, ((1 << 31) - 1) << 7, ((1 << 12) - 1) << 38];

    pub(super) fn weekday(self, from_monday: u32) -> Self {
        Self(self.0 | 1 << (from_monday % 7))
    }

    /// With this day of the month, 1 to 31; others are passed over.
    pub(super) fn month_day(self, day: i64) -> Self {
        if (1..=31).contains(&day) { Self(self.0 | 1 << (6 + day)) } else { self }
    }

    /// With this month, counted from 0 on; the one behind December is January.
    pub(super) fn month(self, from_january: i64) -> Self {
        Self(self.0 | 1 << (38 + from_january.rem_euclid(12)))
    }

    /// The days that the occurrences of a meeting can touch, be it only in part; every day, where that is not known.
    #[must_use]
    pub fn of_series(meeting: &Meeting) -> Self {
        occurrence::days(meeting)
    }

    /// The days of a range, that of its end with them.
    #[must_use]
    pub fn of_range(from: Timestamp, to: Timestamp) -> Self {
        if to.since(from) > TimeDelta::days(366) {
            return Self::EVERY;
        }
        let (first, last) = (Date::of(from).to_naive(), Date::of(to).to_naive());
        let days = first.iter_days().take_while(|day| *day <= last);
        days.fold(Self::NONE, |set, day| {
            let set = set.weekday(day.weekday().num_days_from_monday()).month_day(day.day().into());
            set.month(day.month0().into())
        })
    }

    /// Whether a day can be in both.
    #[must_use]
    pub fn meet(self, other: Self) -> bool {
        other.parts().into_iter().all(|part| self.0 & part != 0)
    }

    /// For a store: a bit for each day of the week from Monday on, of the month, and each month.
    #[must_use]
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// For a store: [`Self::bits`] apart. Days meet when they have a bit in common with each of them.
    #[must_use]
    pub fn parts(self) -> [i64; 3] {
        Self::PARTS.map(|part| self.0 & part)
    }
}

/// An activity that somebody is to be reminded of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub activity: Activity,
}

impl Activity {
    /// Its place in calendars: calls, meetings, and tasks that are due at some time have one.
    #[must_use]
    pub fn agenda(&self) -> Option<AgendaSpan> {
        let at = self.at();
        let (until, is_series) = match &self.fields.body {
            ActivityBody::Call(call) => {
                let seconds = call.duration.unwrap_or_default();
                (at.saturating_add(TimeDelta::seconds(seconds.into())), false)
            }
            ActivityBody::Task(task) => {
                task.due?;
                (at, false)
            }
            ActivityBody::Meeting(meeting) => (occurrence::ends(meeting), meeting.recurrence.is_some()),
            _ => return None,
        };
        let days = match &self.fields.body {
            ActivityBody::Meeting(meeting) if is_series => AgendaDays::of_series(meeting),
            _ => AgendaDays::NONE,
        };
        Some(AgendaSpan { at, until, is_series, days })
    }

    /// The next reminder of an activity that was given another time to be reminded at: that time; of a series that went on
    /// meanwhile, as long before its next occurrence.
    #[must_use]
    pub(crate) fn new_reminder(&self, now: Timestamp) -> Option<Timestamp> {
        let at = self.fields.remind_at?;
        match &self.fields.body {
            ActivityBody::Meeting(meeting) if meeting.recurrence.is_some() && at <= now => {
                let ahead = meeting.start.at.since(at);
                meeting.next_occurrence(Some(now)).map(|next| next.saturating_add(-ahead))
            }
            _ => Some(at),
        }
    }

    /// The next reminder of an activity that comes back after it was removed: what was due is not told again.
    #[must_use]
    pub(crate) fn returned_reminder(&self, now: Timestamp) -> Option<Timestamp> {
        self.new_reminder(now).filter(|at| *at > now)
    }

    /// Whether its reminder is still of use: it is open, or of a kind that is never closed.
    #[must_use]
    pub fn wants_reminder(&self) -> bool {
        let body = &self.fields.body;
        self.is_open()
            || matches!(body, ActivityBody::Note | ActivityBody::Comment { .. } | ActivityBody::Message(_))
    }
}
