//! Writing activities down in few words.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Timestamp;

use super::super::link::Subject;
use super::super::recurrence::Recurrence;
use super::{
    ActivityBody, ActivityFields, Call, CallOutcome, Channel, Direction, Meeting, Message, Moment,
    Participant, Priority, RequestState, Task,
};

/// An activity to add, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityDraft {
    /// The records that it is about: 1 to 20.
    pub about: Vec<Subject>,
    /// What callers may set.
    pub fields: ActivityFields,
}

/// Every kind has a beginning of its own; what follows adds to it. What a kind does not have stays out: a note has no
/// due day, and [`due`](Self::due) leaves it as it is.
///
/// ```
/// use leadcore::domain::{ActivityFields, CallOutcome, Direction, Priority};
/// let at = "2026-11-24T09:00:00Z".parse()?;
/// let note = ActivityFields::note("They asked for a discount.");
/// let task = ActivityFields::task("Call back").due(at).priority(Priority::High).assigned_to(&"ada".parse()?);
/// let call = ActivityFields::call(Direction::Inbound, at).outcome(CallOutcome::Answered).lasting(95);
/// let comment = ActivityFields::comment("A good fit").icon("star").color("#1a7f37");
/// for fields in [note, task, call, comment] {
///     assert!(fields.violations().is_empty());
/// }
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
impl ActivityFields {
    /// Only a body: for what the ready-made beginnings do not say.
    #[must_use]
    pub const fn of(body: ActivityBody) -> Self {
        Self { title: None, text: None, assignee: None, remind_at: None, body }
    }

    /// A note.
    #[must_use]
    pub fn note(text: &str) -> Self {
        Self::of(ActivityBody::Note).text(text)
    }

    /// A comment (S2.18).
    #[must_use]
    pub fn comment(text: &str) -> Self {
        Self::of(ActivityBody::Comment { icon: None, color: None }).text(text)
    }

    /// A call, planned until it has an [`outcome`](Self::outcome) (X.65).
    #[must_use]
    pub const fn call(direction: Direction, at: Timestamp) -> Self {
        Self::of(ActivityBody::Call(Call { at, direction, outcome: None, duration: None, number: None }))
    }

    /// Something to do (S2.21).
    #[must_use]
    pub fn task(title: &str) -> Self {
        let task =
            Task { due: None, priority: Priority::Normal, done_at: None, recurrence: None, next: None };
        Self::of(ActivityBody::Task(task)).title(title)
    }

    /// An appointment (S1.23): from a time to a time, or from a whole day to a whole day.
    #[must_use]
    pub fn meeting(title: &str, start: impl Into<Moment>, end: impl Into<Moment>) -> Self {
        let meeting = Meeting {
            start: start.into(),
            end: end.into(),
            zone: None,
            place: None,
            participants: Vec::new(),
            recurrence: None,
            exceptions: Vec::new(),
            instead_of: None,
            held_until: None,
            canceled: false,
        };
        Self::of(ActivityBody::Meeting(meeting)).title(title)
    }

    /// A message that went some other way.
    #[must_use]
    pub const fn message(channel: Channel, direction: Direction, at: Timestamp) -> Self {
        Self::of(ActivityBody::Message(Message { at, channel, direction, from: None, to: None }))
    }

    /// A ticket (S2.22), open until it is closed.
    #[must_use]
    pub fn ticket(title: &str) -> Self {
        Self::of(ActivityBody::Ticket { priority: Priority::Normal, closed_at: None }).title(title)
    }

    /// A request for an estimate that nobody has begun (S0.28).
    #[must_use]
    pub fn estimate_request(title: &str) -> Self {
        Self::of(ActivityBody::EstimateRequest { state: RequestState::New }).title(title)
    }

    /// With this title.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    /// With this text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// This user turns to it.
    #[must_use]
    pub fn assigned_to(mut self, user: &UserId) -> Self {
        self.assignee = Some(user.clone());
        self
    }

    /// Somebody is to be reminded of it then.
    #[must_use]
    pub const fn remind_at(mut self, at: Timestamp) -> Self {
        self.remind_at = Some(at);
        self
    }

    /// What it is about, for adding several at once.
    #[must_use]
    pub fn about(self, about: impl IntoIterator<Item = impl Into<Subject>>) -> ActivityDraft {
        ActivityDraft { about: about.into_iter().map(Into::into).collect(), fields: self }
    }

    /// Until when a task is to be done.
    #[must_use]
    pub fn due(mut self, due: impl Into<Moment>) -> Self {
        if let ActivityBody::Task(task) = &mut self.body {
            task.due = Some(due.into());
        }
        self
    }

    /// How pressing a task or ticket is.
    #[must_use]
    pub const fn priority(mut self, pressing: Priority) -> Self {
        match &mut self.body {
            ActivityBody::Task(Task { priority, .. }) | ActivityBody::Ticket { priority, .. } => {
                *priority = pressing;
            }
            _ => {}
        }
        self
    }

    /// By which rule a task or meeting comes again.
    #[must_use]
    pub fn recurring(mut self, rule: Recurrence) -> Self {
        match &mut self.body {
            ActivityBody::Task(Task { recurrence, .. })
            | ActivityBody::Meeting(Meeting { recurrence, .. }) => *recurrence = Some(rule),
            _ => {}
        }
        self
    }

    /// What came of a call.
    #[must_use]
    pub const fn outcome(mut self, outcome: CallOutcome) -> Self {
        if let ActivityBody::Call(call) = &mut self.body {
            call.outcome = Some(outcome);
        }
        self
    }

    /// How many seconds a call took.
    #[must_use]
    pub const fn lasting(mut self, seconds: u32) -> Self {
        if let ActivityBody::Call(call) = &mut self.body {
            call.duration = Some(seconds);
        }
        self
    }

    /// The number of a call, as it was dialled or shown.
    #[must_use]
    pub fn number(mut self, number: &str) -> Self {
        if let ActivityBody::Call(call) = &mut self.body {
            call.number = Some(number.to_owned());
        }
        self
    }

    /// Where a meeting is.
    #[must_use]
    pub fn place(mut self, place: &str) -> Self {
        if let ActivityBody::Meeting(meeting) = &mut self.body {
            meeting.place = Some(place.to_owned());
        }
        self
    }

    /// The IANA name of the time zone that a meeting is held by.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        if let ActivityBody::Meeting(meeting) = &mut self.body {
            meeting.zone = Some(zone.to_owned());
        }
        self
    }

    /// One more who takes part in a meeting.
    #[must_use]
    pub fn with(mut self, participant: Participant) -> Self {
        if let ActivityBody::Meeting(meeting) = &mut self.body {
            meeting.participants.push(participant);
        }
        self
    }

    /// The icon of a comment: a name of the host's.
    #[must_use]
    pub fn icon(mut self, name: &str) -> Self {
        if let ActivityBody::Comment { icon, .. } = &mut self.body {
            *icon = Some(name.to_owned());
        }
        self
    }

    /// The colour of a comment, `#rrggbb`.
    #[must_use]
    pub fn color(mut self, hex: &str) -> Self {
        if let ActivityBody::Comment { color, .. } = &mut self.body {
            *color = Some(hex.to_owned());
        }
        self
    }

    /// The address that a message came from.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        if let ActivityBody::Message(message) = &mut self.body {
            message.from = Some(address.to_owned());
        }
        self
    }

    /// The address that a message went to.
    #[must_use]
    pub fn to(mut self, address: &str) -> Self {
        if let ActivityBody::Message(message) = &mut self.body {
            message.to = Some(address.to_owned());
        }
        self
    }
}
