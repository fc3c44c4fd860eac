//! The port for activities of all records by time.

#[cfg(doc)]
use crate::domain::AgendaDays;
use crate::domain::{Activity, ActivityKind, Place, Reminder};
use crate::error::Result;
use crate::id::{ActivityId, UserId};
use crate::time::Timestamp;

/// Which part of the calendar to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgendaQuery {
    /// From this time on.
    pub from: Timestamp,
    /// To before this time.
    pub to: Timestamp,
    /// Of these kinds; of any, when there is none.
    pub kinds: Vec<ActivityKind>,
    /// Those that this user turns to; anybody's, when there is none.
    pub assignee: Option<UserId>,
    /// From behind this place: that of the last one of the page before.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: usize,
}

/// Activities of all records by time: calendars and reminders.
///
/// Where an activity lies is said by [`Activity::agenda`]; those without such a place are in no calendar.
pub trait Agenda {
    /// Activities that are no series and whose time touches the range: they begin in it, or begin before it (by 367 days
    /// at most) and end in it or later. By when they begin, then by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn between(&mut self, query: &AgendaQuery) -> Result<Vec<Activity>>;

    /// Series that begin before the end of the range, end behind its start, and can touch a [day](AgendaDays) of it: by when
    /// they end, then by id. Whether an occurrence falls into the range is not said.
    ///
    /// # Errors
    /// A failure of the store.
    fn series(&mut self, query: &AgendaQuery) -> Result<Vec<Activity>>;

    /// Reminders up to and with this time, of activities that [want one](Activity::wants_reminder): by their time, then
    /// by id. A reminder is that of the activity as it was added, until it is [moved](Self::remind): writing
    /// another time into the activity does not move it.
    ///
    /// # Errors
    /// A failure of the store.
    fn reminders(&mut self, until: Timestamp, after: Option<Place>, limit: usize) -> Result<Vec<Reminder>>;

    /// The reminders of these activities that stand out, in the order asked; activities without one are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn pending(&mut self, ids: &[ActivityId]) -> Result<Vec<Reminder>>;

    /// Moves reminders to another time, or takes them away; unknown ids are passed over. The activities do not change.
    ///
    /// # Errors
    /// A failure of the store.
    fn remind(&mut self, reminders: &[(ActivityId, Option<Timestamp>)]) -> Result<()>;
}
