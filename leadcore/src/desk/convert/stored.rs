//! What the journal keeps of a conversion: its outcome, and what only the way back asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Operation, Sequence, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ContactId, LeadId, OperationId};
use crate::store::Txn;

use super::plan::ConversionOutcome;
use super::words::json;
use super::{ConversionOptions, convert};

/// The outcome of a conversion as its operation has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(flatten)]
    pub(super) outcome: ConversionOutcome,
    /// Behind which place of the journal, and up to which one, targets of the host wrote records of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) host_wrote: Option<(Sequence, Sequence)>,
    /// The contact that the person of the lead itself turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) itself: Option<ContactId>,
    /// What others wrote that were taken back, and that this one says too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) took_over: Vec<TookOver>,
    /// The operation that made what the lead was converted for, in the same call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) made_for: Option<OperationId>,
}

/// The marks that a conversion wrote into a record, whose word they are no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TookOver {
    pub(super) record: Subject,
    /// The conversion that wrote them.
    pub(super) of: OperationId,
}

/// What the first conversion left in the journal.
pub(super) fn stored(txn: &mut dyn Txn, operation: OperationId) -> Result<Stored> {
    let Some(operation) = txn.journal().operation(operation)? else {
        // The operation is written last: what asks before then is one of the targets that it writes to.
        let message = "the conversion of this lead is going on: a target cannot convert it again";
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    let stored = operation.outcome;
    let corrupt = || Error::new(ErrorKind::Corrupt, "the outcome of the conversion cannot be read");
    serde_json::from_value(stored.ok_or_else(corrupt)?).map_err(|error| corrupt().with_source(error))
}

/// The outcome that the first conversion left in the journal.
pub(super) fn first_outcome(txn: &mut dyn Txn, operation: OperationId) -> Result<ConversionOutcome> {
    Ok(stored(txn, operation)?.outcome)
}

/// The persons of this account that conversions which stand brought to it.
pub(in crate::desk) fn brought_to(txn: &mut dyn Txn, account: AccountId) -> Result<BTreeSet<Subject>> {
    let behind = super::super::accounts::behind(txn, account)?;
    let leads = txn.leads().get(&behind)?;
    let mut persons = BTreeSet::new();
    for conversion in leads.iter().filter_map(|lead| lead.conversion.as_ref()) {
        persons.extend(first_outcome(txn, conversion.operation)?.contacts.into_iter().map(Subject::from));
    }
    Ok(persons)
}

/// Converts a lead for what takes a customer, which is made next: the conversion says by which operation.
pub(in crate::desk) fn convert_for<T>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, options): (LeadId, &ConversionOptions),
    make: impl FnOnce(&mut dyn Txn) -> Result<(OperationId, T)>,
) -> Result<(OperationId, T)> {
    let conversion = convert(ctx, txn, lead, options)?.operation;
    let (operation, made) = make(txn)?;
    let outcome = Stored { made_for: Some(operation), ..stored(txn, conversion)? };
    let done = txn.journal().operation(conversion)?.ok_or_else(|| Error::not_found("operation"))?;
    txn.journal().update(&Operation { outcome: Some(json(&outcome)?), ..done })?;
    Ok((operation, made))
}
