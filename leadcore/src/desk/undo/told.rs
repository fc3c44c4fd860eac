//! What an undo tells of each record.

use serde::{Deserialize, Serialize};

use crate::domain::{Kept, Subject, WhyKept};
use crate::error::Violation;

/// Why nothing of a record is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UndoFailure {
    /// It does not exist any more, or the actor may not know that it does.
    NotFound,
    /// The actor may see it but not write it.
    Forbidden,
    /// The lead was converted since and is frozen. Outcomes from before say so; now it is [kept](crate::domain::WhyKept::Converted).
    Converted,
    /// It would break these rules then.
    Invalid(Vec<Violation>),
}

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UndoRecord {
    /// The record.
    pub subject: Subject,
    /// What it is called, where it is a term of a vocabulary that stays; of a pipeline the stages that stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is taken back: keys of fields, `created`, `deleted` or `restored` for the record itself, `contact` for a
    /// person that was linked or taken off, `follower` for who follows, `stage` for the stages of a pipeline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversed: Vec<String>,
    /// What stays, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// Why nothing is written at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<UndoFailure>,
}

impl UndoRecord {
    pub(super) const fn new(subject: Subject) -> Self {
        Self { subject, name: None, reversed: Vec::new(), kept: Vec::new(), failed: None }
    }

    /// Nothing is written.
    pub(super) fn fail(subject: Subject, why: UndoFailure) -> Self {
        Self { failed: Some(why), ..Self::new(subject) }
    }

    /// Whether all of it is taken back.
    #[must_use]
    pub const fn is_reversed(&self) -> bool {
        self.failed.is_none() && self.kept.is_empty()
    }

    /// Whether nothing of it is left, by this undo and those of parts before.
    pub(super) fn is_gone(&self) -> bool {
        self.failed.is_none() && self.kept.iter().all(|kept| kept.why == WhyKept::Reversed)
    }
}

/// How many records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UndoTotals {
    /// Taken back wholly.
    pub reversed: u64,
    /// Taken back in part: some fields were kept.
    pub partly: u64,
    /// Left as they are.
    pub kept: u64,
    /// Not to be written at all.
    pub failed: u64,
}

impl UndoTotals {
    pub(super) fn count(&mut self, record: &UndoRecord) {
        let slot = match record {
            UndoRecord { failed: Some(_), .. } => &mut self.failed,
            record if record.kept.is_empty() => &mut self.reversed,
            record if record.reversed.is_empty() => &mut self.kept,
            _ => &mut self.partly,
        };
        *slot = slot.saturating_add(1);
    }
}
