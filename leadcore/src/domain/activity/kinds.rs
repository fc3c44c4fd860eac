//! The kinds of activity and what their fields choose from.

use serde::{Deserialize, Serialize};

use super::super::coded::coded;
use super::super::journal::Topic;

coded! {
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

coded! {
    /// Who reached out to whom.
    Direction {
        /// They to us.
        Inbound = "inbound",
        /// We to them.
        Outbound = "outbound",
    }
}

coded! {
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

coded! {
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

coded! {
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

coded! {
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
