//! Accounts, opportunities and costs that hold a term which goes.

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Account, Action, Cost, CostFields, NewEntry, Opportunity, OpportunityEnd, OpportunityFields, SubjectKind,
    TermKind, account_changes, cost_changes,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, CategoryId, LostReasonId, OperationId, OpportunityId, SourceId};
use crate::store::{CostScan, Txn};

use super::children;

/// How many are rewritten at a time.
const ROUND: usize = 1_000;

/// Gives every holder of a term another one, or none, and tells it in the journal.
pub(super) fn replace(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    (kind, term): (TermKind, Uuid),
    by: Option<Uuid>,
) -> Result<()> {
    if kind == TermKind::Source {
        replace_in_costs(ctx, txn, operation, (SourceId::from_uuid(term), by.map(SourceId::from_uuid)))?;
    }
    loop {
        // Those of the last round hold it no more.
        let held = txn.terms().holders(kind, term, ROUND)?;
        if held.is_empty() {
            return Ok(());
        }
        let of = |wanted| held.iter().filter(move |holder| holder.kind == wanted).map(|holder| holder.id);
        let accounts: Vec<_> = of(SubjectKind::Account).map(AccountId::from_uuid).collect();
        let opportunities: Vec<_> = of(SubjectKind::Opportunity).map(OpportunityId::from_uuid).collect();
        let mut entries = Vec::new();
        for account in txn.accounts().get(&accounts)? {
            entries.push(categorise(ctx, txn, &account, by.map(CategoryId::from_uuid))?);
        }
        for before in txn.opportunities().get(&opportunities)? {
            let after = without(&before, kind, by);
            entries.extend(children::lapse(ctx, txn, &before, after)?);
        }
        if entries.is_empty() {
            // Else the same ones would be found for ever.
            return Err(Error::new(ErrorKind::Internal, "what holds a term cannot be rewritten"));
        }
        txn.journal().append(operation, &entries)?;
    }
}

fn replace_in_costs(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    (source, by): (SourceId, Option<SourceId>),
) -> Result<()> {
    let scan = CostScan { source: Some(source), from: None, until: None, after: None, limit: ROUND };
    loop {
        // Those of the last round hold it no more.
        let held = txn.costs().scan(&scan)?;
        if held.is_empty() {
            return Ok(());
        }
        let (mut after, mut entries) = (Vec::with_capacity(held.len()), Vec::with_capacity(held.len()));
        for before in held {
            let fields = CostFields { source: by, ..before.fields.clone() };
            let told = cost_changes(Some(&before.fields), Some(&fields));
            entries.push(NewEntry::new(before.id, Action::Updated, ctx.now()).with_changes(told));
            after.push(Cost { fields, revision: before.revision.next(), updated_at: ctx.now(), ..before });
        }
        txn.costs().update(&after)?;
        txn.journal().append(operation, &entries)?;
    }
}

fn categorise(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &Account,
    category: Option<CategoryId>,
) -> Result<NewEntry> {
    let mut after = before.clone();
    after.fields.category = category;
    (after.revision, after.updated_at) = (before.revision.next(), ctx.now());
    txn.accounts().update(std::slice::from_ref(&after))?;
    let changes = account_changes(&before.fields, &after.fields);
    Ok(NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes))
}

fn without(before: &Opportunity, kind: TermKind, by: Option<Uuid>) -> Opportunity {
    let after = before.clone();
    if kind == TermKind::Source {
        let source = by.map(SourceId::from_uuid);
        return Opportunity { fields: OpportunityFields { source, ..after.fields }, ..after };
    }
    let reason = by.map(LostReasonId::from_uuid);
    let end = after.end.map(|end| OpportunityEnd { reason, ..end });
    Opportunity { end, ..after }
}
