//! Who wrote what stands against a way back, as far as the journal knows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{Actor, OperationKind, Sequence, Subject};
use crate::error::Result;
use crate::id::OperationId;
use crate::store::Txn;
use crate::time::Timestamp;

use super::Unconvertible;
use super::look::Look;

/// How many calls of one record are told.
const OF_ONE: usize = 20;

/// A call that wrote, since the conversion, a record that something stands against, or what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrittenSince {
    /// The record, which a blocker names.
    pub record: Subject,
    /// Who.
    pub actor: Actor,
    /// The call: what an undo of it is asked by.
    pub operation: OperationId,
    /// What kind of call it was.
    pub kind: OperationKind,
    /// When.
    pub at: Timestamp,
}

impl Unconvertible {
    /// The record that it is about; none for what is about the lead or a target of the host.
    #[must_use]
    pub const fn record(&self) -> Option<Subject> {
        match self {
            Self::Changed { record, .. }
            | Self::Edited { record, .. }
            | Self::HasChildren { record, .. }
            | Self::OtherLeads { record, .. }
            | Self::InUse { record, .. }
            | Self::MovedOn { record, .. }
            | Self::Gone { record } => Some(*record),
            Self::Target { .. } | Self::Stage { .. } => None,
        }
    }
}

impl Look<'_> {
    /// For each record that a blocker names, the last calls that wrote it since the conversion, which ended with this entry.
    pub(super) fn written(&mut self, txn: &mut dyn Txn, last: Sequence) -> Result<()> {
        let records: BTreeSet<_> =
            self.found.plan.blockers.iter().filter_map(Unconvertible::record).collect();
        for record in records {
            let mut told: Vec<WrittenSince> = Vec::new();
            for entry in self.around(txn, record, last)? {
                let (operation, kind, actor) = (entry.operation, entry.operation_kind, entry.actor);
                if told.len() < OF_ONE && !told.iter().any(|one| one.operation == operation) {
                    told.push(WrittenSince { record, actor, operation, kind, at: entry.at });
                }
            }
            self.found.plan.since.extend(told);
        }
        Ok(())
    }
}
