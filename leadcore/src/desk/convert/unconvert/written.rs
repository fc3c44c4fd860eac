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
            | Self::Gone { record, .. } => Some(*record),
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
            let mut told: Vec<(Sequence, WrittenSince)> = Vec::new();
            // What others wrote on persons of an account is told of the account.
            let is_account = self.outcome.account.is_some_and(|account| record == account.into());
            let persons = self.worked_on.iter().copied().filter(|_| is_account);
            for about in std::iter::once(record).chain(persons) {
                let mut count = 0;
                back_to(txn, about, last, &mut |entry| {
                    let operation = entry.operation;
                    let is_told = told.iter().any(|(_, one)| one.operation == operation);
                    if operation != self.done.operation && !is_told {
                        let (actor, kind) = (entry.actor.clone(), entry.operation_kind);
                        let one = WrittenSince { record, actor, operation, kind, at: entry.at };
                        told.push((entry.sequence, one));
                        count += 1;
                    }
                    if count < OF_ONE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })?;
            }
            told.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            self.found.plan.since.extend(told.into_iter().map(|(_, one)| one).take(OF_ONE));
        }
        Ok(())
    }
}
