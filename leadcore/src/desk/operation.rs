//! Beginning an operation and writing what happened in it.

use crate::context::Context;
use crate::domain::{NewEntry, Operation, OperationKind, OperationState};
use crate::error::Result;
use crate::id::OperationId;
use crate::store::Txn;

/// A new operation of this actor, now.
pub(crate) fn new_operation(ctx: &Context<'_>, kind: OperationKind, key: Option<String>) -> Operation {
    Operation {
        id: OperationId::from_uuid(ctx.new_uuid()),
        kind,
        actor: ctx.actor().clone(),
        at: ctx.now(),
        key,
        state: OperationState::Done,
        outcome: None,
    }
}

/// Writes an operation that is done with this call.
pub(super) fn record(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: OperationKind,
    entries: &[NewEntry],
) -> Result<OperationId> {
    let operation = new_operation(ctx, kind, None);
    record_as(txn, &operation, entries)?;
    Ok(operation.id)
}

/// Writes a given operation that is done with this call.
pub(super) fn record_as(txn: &mut dyn Txn, operation: &Operation, entries: &[NewEntry]) -> Result<()> {
    txn.journal().begin(operation)?;
    txn.journal().append(operation.id, entries)
}
