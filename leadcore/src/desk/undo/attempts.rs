//! How often an operation was taken back, and what came of it: an operation is undone once, unless something stayed.

use crate::context::Context;
use crate::domain::OperationKind;
use crate::error::{Error, ErrorKind, Result};
use crate::id::OperationId;
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::require;
use super::{UndoOutcome, UndoTotals};

pub(super) fn key(operation: OperationId, attempt: u32) -> String {
    if attempt == 0 { format!("operation:{operation}") } else { format!("operation:{operation}:{attempt}") }
}

/// What became of an operation so far.
pub(super) struct Latest {
    /// What the last undo did, as far as this actor is concerned.
    pub(super) done: Option<UndoOutcome>,
    /// Whether that left nothing, and holds.
    pub(super) is_whole: bool,
    /// Whether one of them was itself taken back.
    pub(super) is_undone: bool,
    /// How many there were.
    pub(super) attempts: u32,
}

/// One undo of a whole operation.
pub(super) struct Attempt {
    outcome: UndoOutcome,
    /// Whether this actor did it.
    is_own: bool,
    /// Whether it was itself taken back: it gave back what it had taken.
    pub(super) is_undone: bool,
}

impl Attempt {
    /// The outcome, unless it tells what was refused to somebody else.
    pub(super) fn shown(self) -> Option<UndoOutcome> {
        Some(self.outcome).filter(|outcome| self.is_own || outcome.forbidden == 0)
    }
}

pub(super) fn attempt(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    number: u32,
) -> Result<Option<Attempt>> {
    require(ctx, txn, Permission::View)?;
    let Some(found) = txn.journal().find(OperationKind::Undo, &key(operation, number))? else {
        return Ok(None);
    };
    let corrupt = || Error::new(ErrorKind::Corrupt, "the outcome of the undo cannot be read");
    let stored = found.outcome.ok_or_else(corrupt)?;
    let outcome = serde_json::from_value(stored).map_err(|error| corrupt().with_source(error))?;
    let is_undone = txn.journal().find(OperationKind::Undo, &key(found.id, 0))?.is_some();
    Ok(Some(Attempt { outcome, is_own: found.actor == *ctx.actor(), is_undone }))
}

pub(super) fn latest(ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<Latest> {
    require(ctx, txn, Permission::View)?;
    let mut latest = Latest { done: None, is_whole: false, is_undone: false, attempts: 0 };
    let mut has_own = false;
    while let Some(attempt) = attempt(ctx, txn, operation, latest.attempts)? {
        let is_own = attempt.is_own;
        latest.is_undone |= attempt.is_undone;
        if is_own || !has_own {
            latest.done = attempt.shown().or(latest.done);
            has_own |= is_own;
        }
        latest.attempts += 1;
    }
    if let Some(done) = &latest.done {
        let UndoTotals { partly, kept, failed, .. } = done.totals;
        latest.is_whole = (partly, kept, failed) == (0, 0, 0) && !latest.is_undone;
    }
    Ok(latest)
}
