//! Activities: what was done about a lead, and what is to be done (S0.28–S0.32, S1.23, S2.18, S2.21–S2.23, X.22, X.65).
//!
//! Notes, comments, calls, tasks, meetings, messages, tickets and estimate requests are one family: the same record with
//! a body of its own per kind.

mod build;
mod kinds;
mod moment;
mod rules;
mod told;

use serde::{Deserialize, Serialize};

use crate::id::{ActivityId, Revision, UserId};
use crate::time::{Date, Timestamp};

use super::child::{Placement, Tab};
use super::follow_up::FollowUp;
use super::journal::Actor;
use super::link::Subject;
use super::recurrence::Recurrence;

pub use build::ActivityDraft;
pub use kinds::{ActivityKind, CallOutcome, Channel, Direction, Priority, RequestState};
pub use moment::Moment;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// When it was, or shall be.
    pub at: Timestamp,
    /// Who calls whom.
    pub direction: Direction,
    /// What came of it; none while it is only planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CallOutcome>,
    /// How long it took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// The number, as it was dialled or shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Moment>,
    /// How pressing it is.
    pub priority: Priority,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// When done, the next one is due by this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// The task that followed by the rule when this one was done. leadcore sets it, callers do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ActivityId>,
}

/// Somebody who takes part in a meeting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Participant {
    /// A user of the host.
    User(UserId),
    /// A contact or a lead.
    Record(Subject),
    /// Anybody else: a name or an e-mail address.
    Other(String),
}

/// One occurrence of a series of meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OccurrenceOf {
    /// The series.
    pub series: ActivityId,
    /// The day where it is held.
    pub day: Date,
}

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meeting {
    /// When it begins; for a series, when its first occurrence does.
    pub start: Moment,
    /// When it ends, not before it begins. Of whole days the last one.
    pub end: Moment,
    /// The IANA name of the time zone that it is held by (`Europe/Oslo`): a series keeps its hour there when the clocks
    /// change. UTC where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// By which rule it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// The days, where it is held, on which a series does not take place although its rule says so: left out, or replaced by
    /// a meeting of its own. At most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Date>,
    /// The occurrence of a series that this meeting takes the place of. leadcore sets it, callers do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<OccurrenceOf>,
    /// When it was held; of a series, up to when its occurrences were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// It does not take place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
}

/// A message that went some other way and is recorded here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// When it was sent.
    pub at: Timestamp,
    /// How it went.
    pub channel: Channel,
    /// Who wrote to whom.
    pub direction: Direction,
    /// The sender's address, as recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The recipient's address, as recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What an activity is, by its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", from = "Written")]
#[non_exhaustive]
pub enum ActivityBody {
    /// A note.
    Note,
    /// A comment.
    Comment {
        /// The name of an icon of the host's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// A colour, `#rrggbb`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<String>,
    },
    /// A call.
    Call(Call),
    /// A task.
    Task(Task),
    /// A meeting.
    Meeting(Meeting),
    /// A message.
    Message(Message),
    /// A ticket.
    Ticket {
        /// How pressing it is.
        priority: Priority,
        /// When it was closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed_at: Option<Timestamp>,
    },
    /// A request for an estimate.
    EstimateRequest {
        /// How far it is.
        state: RequestState,
    },
}

/// A body as it is read: what its kind does not have is refused, of a note too.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Note {},
    Comment {
        #[serde(default)]
        icon: Option<String>,
        #[serde(default)]
        color: Option<String>,
    },
    Call(Call),
    Task(Task),
    Meeting(Meeting),
    Message(Message),
    Ticket {
        priority: Priority,
        #[serde(default)]
        closed_at: Option<Timestamp>,
    },
    EstimateRequest {
        state: RequestState,
    },
}

impl From<Written> for ActivityBody {
    fn from(written: Written) -> Self {
        match written {
            Written::Note {} => Self::Note,
            Written::Comment { icon, color } => Self::Comment { icon, color },
            Written::Call(call) => Self::Call(call),
            Written::Task(task) => Self::Task(task),
            Written::Meeting(meeting) => Self::Meeting(meeting),
            Written::Message(message) => Self::Message(message),
            Written::Ticket { priority, closed_at } => Self::Ticket { priority, closed_at },
            Written::EstimateRequest { state } => Self::EstimateRequest { state },
        }
    }
}

impl ActivityBody {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActivityKind {
        match self {
            Self::Note => ActivityKind::Note,
            Self::Comment { .. } => ActivityKind::Comment,
            Self::Call(_) => ActivityKind::Call,
            Self::Task(_) => ActivityKind::Task,
            Self::Meeting(_) => ActivityKind::Meeting,
            Self::Message(_) => ActivityKind::Message,
            Self::Ticket { .. } => ActivityKind::Ticket,
            Self::EstimateRequest { .. } => ActivityKind::EstimateRequest,
        }
    }
}

/// What callers may set on an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityFields {
    /// What it is about, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What there is to say: plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who turns to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    /// When somebody is to be reminded of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// What it is.
    #[serde(flatten)]
    pub body: ActivityBody,
}

/// A stored activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The id.
    pub id: ActivityId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The records that it is about: 1 to 20.
    pub about: Vec<Subject>,
    /// What callers may set.
    #[serde(flatten)]
    pub fields: ActivityFields,
    /// Who wrote it.
    pub created_by: Actor,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Activity {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActivityKind {
        self.fields.body.kind()
    }

    /// When it was, or is due: its place in lists. What says no time of its own is when it was written.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match &self.fields.body {
            ActivityBody::Call(call) => call.at,
            ActivityBody::Task(Task { due: Some(due), .. }) => due.at,
            ActivityBody::Meeting(meeting) => meeting.start.at,
            ActivityBody::Message(message) => message.at,
            _ => self.created_at,
        }
    }

    /// Whether something is still to be done about it: a call without an outcome, a task that is not done, a meeting that
    /// was neither held nor canceled (of a series: an occurrence that was not), an open ticket, a request for an estimate
    /// that nobody has answered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match &self.fields.body {
            ActivityBody::Call(call) => call.outcome.is_none(),
            ActivityBody::Task(task) => task.done_at.is_none(),
            ActivityBody::Meeting(meeting) => meeting.is_open(),
            ActivityBody::Ticket { closed_at, .. } => closed_at.is_none(),
            ActivityBody::EstimateRequest { state } => {
                matches!(state, RequestState::New | RequestState::Processing)
            }
            ActivityBody::Note | ActivityBody::Comment { .. } | ActivityBody::Message(_) => false,
        }
    }

    /// When somebody has to turn to it (X.23): when an open task is due, a planned call is to be made, a meeting takes
    /// place next. A ticket and a request for an estimate say no time.
    #[must_use]
    pub fn follow_up(&self) -> Option<Moment> {
        if !self.is_open() {
            return None;
        }
        match &self.fields.body {
            ActivityBody::Call(call) => Some(Moment::at(call.at)),
            ActivityBody::Task(task) => task.due,
            ActivityBody::Meeting(meeting) => meeting.next_open().map(|at| meeting.moment_of(at)),
            _ => None,
        }
    }

    /// Where it is shown.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::Activity(self.kind()),
            at: self.at(),
            is_open: self.is_open(),
            follow_up: self.follow_up().map(FollowUp::from),
        }
    }
}

impl ActivityFields {
    /// The time of its own: of a call, of a task that is due at some time, of a meeting.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match &self.body {
            ActivityBody::Call(call) => Some(Moment::at(call.at)),
            ActivityBody::Task(task) => task.due,
            ActivityBody::Meeting(meeting) => Some(meeting.start),
            _ => None,
        }
    }
}

impl Meeting {
    /// The beginning of an occurrence, of which this is the place.
    fn moment_of(&self, at: Timestamp) -> Moment {
        if self.start.day.is_some() { Moment::day(Date::of(at)) } else { Moment::at(at) }
    }

    fn is_open(&self) -> bool {
        !self.canceled && self.next_open().is_some()
    }

    /// When the first occurrence begins that was not held.
    pub(crate) fn next_open(&self) -> Option<Timestamp> {
        match &self.recurrence {
            None => self.held_until.is_none().then_some(self.start.at),
            Some(_) => self.next_occurrence(self.held_until),
        }
    }
}
