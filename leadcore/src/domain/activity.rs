//! Activities: what was done about a lead, and what is to be done (S0.28–S0.32, S1.23, S2.18, S2.21–S2.23, X.22, X.65).
//!
//! Notes, comments, calls, tasks, meetings, messages, tickets and estimate requests are one family: the same record with
//! a body of its own per kind.

use serde::{Deserialize, Serialize};

use crate::id::{ActivityId, Revision, UserId};
use crate::time::{Date, Timestamp};

use super::child::{Placement, Tab};
use super::journal::{Actor, Topic};
use super::link::Subject;
use super::recurrence::Recurrence;

/// An enum whose values have stable names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Stable name, as stored.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The value with this [`code`](Self::code).
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

named! {
    /// The kinds of activity.
    ActivityKind {
        /// A note, with files attached to it perhaps.
        Note = "note",
        /// A short comment with an icon and a colour.
        Comment = "comment",
        /// A call, planned or logged.
        Call = "call",
        /// Something to do.
        Task = "task",
        /// An appointment.
        Meeting = "meeting",
        /// A message that was sent or received elsewhere, recorded here.
        Message = "message",
        /// A ticket of support.
        Ticket = "ticket",
        /// Somebody asks for an estimate.
        EstimateRequest = "estimate_request",
    }
}

impl ActivityKind {
    /// What the timeline sorts it under.
    #[must_use]
    pub const fn topic(self) -> Topic {
        match self {
            Self::Note => Topic::Note,
            Self::Comment => Topic::Comment,
            Self::Call => Topic::Call,
            Self::Task => Topic::Task,
            Self::Meeting => Topic::Meeting,
            Self::Message => Topic::Message,
            Self::Ticket => Topic::Ticket,
            Self::EstimateRequest => Topic::EstimateRequest,
        }
    }
}

named! {
    /// Who reached out to whom.
    Direction {
        /// They to us.
        Inbound = "inbound",
        /// We to them.
        Outbound = "outbound",
    }
}

named! {
    /// What came of a call.
    CallOutcome {
        /// They spoke.
        Answered = "answered",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// The line was busy.
        Busy = "busy",
        /// A message was left.
        LeftMessage = "left_message",
        /// The number is not theirs.
        WrongNumber = "wrong_number",
        /// It did not get through.
        Failed = "failed",
    }
}

named! {
    /// How pressing something is.
    Priority {
        /// When there is time.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Before others.
        High = "high",
        /// At once.
        Urgent = "urgent",
    }
}

named! {
    /// How a message went.
    Channel {
        /// E-mail.
        Email = "email",
        /// A text message.
        Sms = "sms",
        /// A messenger.
        Chat = "chat",
        /// A letter.
        Letter = "letter",
        /// Anything else.
        Other = "other",
    }
}

named! {
    /// How far a request for an estimate is.
    RequestState {
        /// Nobody has begun.
        New = "new",
        /// Somebody works on it.
        Processing = "processing",
        /// It got its estimate.
        Estimated = "estimated",
        /// There will be none.
        Declined = "declined",
    }
}

/// A point of time, or a whole day.
///
/// A whole day has an instant too, so that it takes its place among others: noon of the day, at the offset from UTC of
/// whoever wrote it. So it falls into the same day for everyone within eleven hours of there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// The day, when the whole day is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// When it was held; of a series, up to when its occurrences were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// It does not take place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
}

/// A message that went some other way and is recorded here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(tag = "kind", rename_all = "snake_case")]
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

    /// Where it is shown. `follow_up` is when somebody has to turn to it, while it is open.
    #[must_use]
    pub fn placement(&self, is_open: bool, follow_up: Option<Timestamp>) -> Placement {
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::Activity(self.kind()),
            at: self.at(),
            is_open,
            follow_up,
        }
    }
}
