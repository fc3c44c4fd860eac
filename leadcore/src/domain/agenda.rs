//! The place of an activity in a calendar.

use crate::time::Timestamp;

use super::activity::{Activity, ActivityBody};
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
                (at.saturating_add(chrono::TimeDelta::seconds(seconds.into())), false)
            }
            ActivityBody::Task(task) => {
                task.due?;
                (at, false)
            }
            ActivityBody::Meeting(meeting) => (occurrence::ends(meeting), meeting.recurrence.is_some()),
            _ => return None,
        };
        Some(AgendaSpan { at, until, is_series })
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
