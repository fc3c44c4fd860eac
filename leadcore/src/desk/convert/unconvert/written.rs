//! Who wrote what stands against a way back, as far as the journal knows.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::domain::{Actor, OperationKind, Sequence, Subject};
use crate::error::Result;
use crate::id::OperationId;
use crate::store::Txn;
use crate::time::Timestamp;

use super::Unconvertible;
use super::look::Look;
use super::since::back_to;

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
            back_to(txn, record, last, &mut |entry| {
                let operation = entry.operation;
                if operation != self.done.operation && !told.iter().any(|one| one.operation == operation) {
                    let (actor, kind) = (entry.actor.clone(), entry.operation_kind);
                    told.push(WrittenSince { record, actor, operation, kind, at: entry.at });
                }
                if told.len() < OF_ONE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            self.found.plan.since.extend(told);
        }
        Ok(())
    }
}
