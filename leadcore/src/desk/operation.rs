//! Beginning an operation and writing what happened in it.

use crate::context::Context;
use crate::domain::{NewEntry, Operation, OperationKind, OperationState};
use crate::error::{Error, ErrorKind, Result};
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

/// What a store says of a second record of one name, with the field that holds the name. Ids are new, so it is not the id.
pub(super) fn name_taken(what: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::AlreadyExists => {
            let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            let what = what.replace('_', " ");
            let message = format!(
                "`name`: {article} {what} of this name exists, or one that differs in case or accents"
            );
            Error::new(ErrorKind::AlreadyExists, message).with_source(error)
        }
        _ => error,
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
