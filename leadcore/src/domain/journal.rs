//! The journal: what happened, to what, by whom, in which operation.
//!
//! Audit, timeline, stage durations, host events and undo are readings of these entries, not mechanisms of their own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{OperationId, UserId};
use crate::time::Timestamp;

use super::coded::coded;
use super::field_value::FieldValue;
use super::link::{Subject, SubjectKind};

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// One of the host's users.
    User(UserId),
    /// The host itself: a job, a migration, a form.
    System,
}

impl Actor {
    /// The user, when it is one.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::System => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

coded! {
    /// What kind of call an operation was.
    OperationKind {
        /// Records were created one by one.
        Create = "create",
        /// Fields were edited.
        Edit = "edit",
        /// A lead was moved to another stage.
        Move = "move",
        /// Records were put into the trash.
        Delete = "delete",
        /// Records were taken out of the trash.
        Restore = "restore",
        /// A file was imported.
        Import = "import",
        /// A lead became a customer.
        Convert = "convert",
        /// Pipelines, vocabularies or settings changed.
        Configure = "configure",
        /// Another operation was taken back.
        Undo = "undo",
        /// Leads were removed for good.
        Purge = "purge",
        /// A conversion was taken back.
        Unconvert = "unconvert",
        /// How far a consumer of the outbox is: it has no entries.
        Deliver = "deliver",
        /// What a caller's own key stands for: it has no entries.
        Once = "once",
    }
}

coded! {
    /// How far an operation got.
    OperationState {
        /// Begun; an import that was interrupted stays here until it is run again.
        Running = "running",
        /// Finished.
        Done = "done",
    }
}

coded! {
    /// What happened to one record.
    Action {
        /// It was created.
        Created = "created",
        /// Fields changed.
        Updated = "updated",
        /// A lead changed its stage.
        Moved = "moved",
        /// It was put into the trash.
        Deleted = "deleted",
        /// It was taken out of the trash.
        Restored = "restored",
        /// A lead became a customer.
        Converted = "converted",
        /// It was linked to another record.
        Linked = "linked",
        /// The link was taken away.
        Unlinked = "unlinked",
        /// It was removed for good: only its number is told.
        Purged = "purged",
        /// The conversion of a lead was taken back.
        Unconverted = "unconverted",
    }
}

coded! {
    /// What an entry is about, to read only some of a history.
    Topic {
        /// A record was created, copied or removed for good.
        Created = "created",
        /// Fields changed.
        Fields = "fields",
        /// The stage changed, or how the lead ended.
        Stage = "stage",
        /// The owner changed.
        Owner = "owner",
        /// Persons came, went or changed.
        Contact = "contact",
        /// Into the trash, or out of it.
        Trash = "trash",
        /// A lead became a customer.
        Converted = "converted",
        /// Notes.
        Note = "note",
        /// Comments.
        Comment = "comment",
        /// Calls.
        Call = "call",
        /// Tasks.
        Task = "task",
        /// Meetings.
        Meeting = "meeting",
        /// Messages.
        Message = "message",
        /// Tickets.
        Ticket = "ticket",
        /// Requests for estimates.
        EstimateRequest = "estimate_request",
        /// Files.
        File = "file",
        /// Estimates.
        Estimate = "estimate",
        /// Records of the host.
        Record = "record",
        /// Somebody follows, or does no more.
        Follower = "follower",
        /// The products of a lead.
        Products = "products",
        /// Opportunities.
        Opportunity = "opportunity",
        /// Services.
        Service = "service",
    }
}

/// A set of topics. Stored as a number: its bits are the topics in the order of [`Topic::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topics(u32);

impl Topics {
    /// No topic. Where topics choose entries, none means any.
    pub const NONE: Self = Self(0);

    /// These topics.
    #[must_use]
    pub fn of(topics: &[Topic]) -> Self {
        topics.iter().fold(Self::NONE, |set, topic| set.with(*topic))
    }

    /// And this one.
    #[must_use]
    pub const fn with(self, topic: Topic) -> Self {
        Self(self.0 | (1 << topic as u32))
    }

    /// Whether the topic is one of them.
    #[must_use]
    pub const fn has(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u32) != 0
    }

    /// Whether any is in both sets.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number that is stored.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set that was stored as this number.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The topics, in the order of [`Topic::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.iter().copied().filter(move |topic| self.has(*topic))
    }
}

/// One call that wrote something: what undo takes back, and what makes a repeated call harmless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The id.
    pub id: OperationId,
    /// What kind of call.
    pub kind: OperationKind,
    /// Who made it.
    pub actor: Actor,
    /// When it began.
    pub at: Timestamp,
    /// Idempotency key: unique among operations of one kind. A second call with it gets the first outcome.
    pub key: Option<String>,
    /// How far it got.
    pub state: OperationState,
    /// What it has to say: progress while running, the outcome once done. Its shape depends on the kind.
    pub outcome: Option<serde_json::Value>,
}

/// One field's value before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's key.
    pub field: String,
    /// The value before: what an undo writes.
    #[serde(default, skip_serializing_if = "FieldValue::is_empty")]
    pub before: FieldValue,
    /// The value after.
    #[serde(default, skip_serializing_if = "FieldValue::is_empty")]
    pub after: FieldValue,
}

impl FieldChange {
    /// `field` went from `before` to `after`.
    pub fn new(field: &str, before: impl Into<FieldValue>, after: impl Into<FieldValue>) -> Self {
        Self { field: field.to_owned(), before: before.into(), after: after.into() }
    }
}

/// The place of an entry in its store: later entries have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub i64);

/// An entry to append.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// The record it is about.
    pub subject: Subject,
    /// What happened.
    pub action: Action,
    /// When; a chunk of a long operation is later than the operation.
    pub at: Timestamp,
    /// The other record, for [`Action::Linked`], [`Action::Unlinked`], [`Action::Converted`] and
    /// [`Action::Unconverted`].
    pub other: Option<Subject>,
    /// What changed.
    pub changes: Vec<FieldChange>,
    /// The topic of a child's event: that of its tab.
    pub topic: Option<Topic>,
}

impl NewEntry {
    /// `action` happened to `subject`.
    pub fn new(subject: impl Into<Subject>, action: Action, at: Timestamp) -> Self {
        Self { subject: subject.into(), action, at, other: None, changes: Vec::new(), topic: None }
    }

    /// With these changed fields.
    #[must_use]
    pub fn with_changes(mut self, changes: Vec<FieldChange>) -> Self {
        self.changes = changes;
        self
    }

    /// Together with this other record.
    #[must_use]
    pub fn with_other(mut self, other: impl Into<Subject>) -> Self {
        self.other = Some(other.into());
        self
    }

    /// Under this topic.
    #[must_use]
    pub const fn under(mut self, topic: Topic) -> Self {
        self.topic = Some(topic);
        self
    }

    /// What the entry is about: what a history can be narrowed to.
    #[must_use]
    pub fn topics(&self) -> Topics {
        if let Some(topic) = self.topic {
            return Topics::NONE.with(topic);
        }
        let mut topics = match (self.subject.kind, self.action) {
            (SubjectKind::Contact, _) | (_, Action::Linked | Action::Unlinked) => {
                Topics::of(&[Topic::Contact])
            }
            (_, Action::Created | Action::Purged) => Topics::of(&[Topic::Created]),
            (_, Action::Deleted | Action::Restored) => Topics::of(&[Topic::Trash]),
            (_, Action::Converted | Action::Unconverted) => Topics::of(&[Topic::Converted]),
            (_, Action::Moved) => Topics::of(&[Topic::Stage]),
            (_, Action::Updated) => Topics::NONE,
        };
        if matches!(self.action, Action::Updated | Action::Moved) {
            let of_fields = |change: &&FieldChange| change.field != super::changes::IMPORT_LINE;
            for change in self.changes.iter().filter(of_fields) {
                topics = topics.with(match change.field.as_str() {
                    "stage" | "pipeline" | "outcome" | "rank" => Topic::Stage,
                    "owner" => Topic::Owner,
                    "primary_contact" => Topic::Contact,
                    super::follow::FOLLOWER => Topic::Follower,
                    _ => Topic::Fields,
                });
            }
        }
        topics
    }
}

/// A stored entry, with what its operation says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the store.
    pub sequence: Sequence,
    /// The operation it belongs to.
    pub operation: OperationId,
    /// What kind of call that was.
    pub operation_kind: OperationKind,
    /// Who made it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The record it is about.
    pub subject: Subject,
    /// What happened.
    pub action: Action,
    /// The other record, where there is one.
    pub other: Option<Subject>,
    /// What changed.
    pub changes: Vec<FieldChange>,
    /// What it is about.
    pub topics: Topics,
}
