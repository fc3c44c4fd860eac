//! Sources, categories, labels, locations, partners and reasons as lists of their own (S0.04–S0.07, S0.11).
//!
//! One set of functions for every list; the id type says which: `vocabulary::add::<SourceId>(…)`.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::domain::{
    Action, Field, FieldValue, LeadState, NewEntry, OperationKind, Subject, SubjectKind, Term, TermId,
    TermKind, TermRecord, term_changes,
};
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::policy::Permission;
use crate::query::Resolved;
use crate::store::{LeadChange, Txn, nested};

use super::access::{Expect, require};
use super::leads::{touch, update_all};
use super::operation::{name_taken, new_operation, record};
use super::rounds::{Place, each_lead};
use super::terms_held;
use super::views::follow;

pub use super::reasons::list_or_default;

/// The terms of a list, by position, then by name.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn list<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Term<I>>> {
    require(ctx, txn, Permission::View)?;
    Ok(txn.terms().list(I::KIND)?.into_iter().map(|record| record.term.typed()).collect())
}

/// Adds a term at the end of its list (S0.05).
///
/// # Errors
/// `Denied`; `Invalid` for an empty name or a malformed colour; `AlreadyExists` when the list has the name.
pub fn add<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    name: &str,
    color: Option<&str>,
) -> Result<Term<I>> {
    require(ctx, txn, Permission::Configure)?;
    let last = txn.terms().list(I::KIND)?.into_iter().map(|record| record.term.position).max();
    let position = last.map_or(0, |last| last.saturating_add(1));
    Term::check_name(name).map_err(|error| error.at("name"))?;
    // The name is fit, so it is the colour that is not.
    let term = Term::new(ctx.new_uuid(), name, color, position).map_err(|error| error.at("color"))?;
    let record_of = TermRecord { kind: I::KIND, term: term.clone() };
    txn.terms().insert(&[record_of]).map_err(|error| name_taken(I::KIND.code(), error))?;
    let changes = term_changes(I::KIND, None, Some(&term));
    let entry = NewEntry::new(subject(term.id), Action::Created, ctx.now()).with_changes(changes);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(term.typed())
}

/// Renames a term (S0.06); leads refer to it by id and keep it.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` for an empty name; `AlreadyExists` when the list has the name; `Conflict` when the
/// term changed since it was read.
pub fn rename<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: impl Into<Expect>,
    name: &str,
) -> Result<Term<I>> {
    let name = Term::check_name(name).map_err(|error| error.at("name"));
    change(ctx, txn, id, expect.into(), |term| {
        term.name = name?;
        Ok(())
    })
}

/// Gives a term another colour (S0.11), `#rrggbb`, or none.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` for a malformed colour; `Conflict` when the term changed since it was read.
pub fn recolor<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: impl Into<Expect>,
    color: Option<&str>,
) -> Result<Term<I>> {
    change(ctx, txn, id, expect.into(), |term| {
        // A term of the same name checks the colour as a new one would.
        term.color = Term::new(term.id, "x", color, 0).map_err(|error| error.at("color"))?.color;
        Ok(())
    })
}

/// Archives a term, or takes it out of the archive. An archived term is offered nowhere and cannot be chosen for a lead
/// that does not have it, by whatever call; leads that have it keep it, and filters find them by it.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the term changed since it was read.
pub fn archive<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: impl Into<Expect>,
    archived: bool,
) -> Result<Term<I>> {
    change(ctx, txn, id, expect.into(), |term| {
        term.archived = archived;
        Ok(())
    })
}

/// Says whether a reason must be given in words too.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` for a list that holds no reasons; `Conflict` when the term changed since it was read.
pub fn ask_for_detail<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: impl Into<Expect>,
    needs_detail: bool,
) -> Result<Term<I>> {
    change(ctx, txn, id, expect.into(), |term| {
        if needs_detail && !matches!(I::KIND, TermKind::LostReason | TermKind::DisqualifyReason) {
            let message = "only a reason is given in words";
            return Err(Error::invalid_field("needs_detail", ViolationCode::NotAllowed, message));
        }
        term.needs_detail = needs_detail;
        Ok(())
    })
}

/// Changes one term, and writes into the journal how it was. A change that changes nothing writes nothing.
fn change<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: Expect,
    change: impl FnOnce(&mut Term<uuid::Uuid>) -> Result<()>,
) -> Result<Term<I>> {
    require(ctx, txn, Permission::Configure)?;
    let mut stored = find::<I>(txn, id)?;
    expect.check("term", stored.term.revision)?;
    let before = stored.term.clone();
    change(&mut stored.term)?;
    if stored.term == before {
        return Ok(before.typed());
    }
    stored.term.revision = before.revision.next();
    txn.terms().update(&stored).map_err(|error| name_taken(I::KIND.code(), error))?;
    let changes = term_changes(I::KIND, Some(&before), Some(&stored.term));
    let entry = NewEntry::new(subject(before.id), Action::Updated, ctx.now()).with_changes(changes);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(stored.term.typed())
}

/// Puts a list into this order. Every term of the list is named once, archived ones too: whoever orders a list that
/// somebody else changed meanwhile is told so.
///
/// # Errors
/// `Denied`; `Invalid` when a term is named twice; `Conflict` with [`Conflict::PlanOutdated`] when the list has other
/// terms.
pub fn reorder<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn, order: &[I]) -> Result<Vec<Term<I>>> {
    require(ctx, txn, Permission::Configure)?;
    let places: BTreeMap<_, u32> = order.iter().map(|id| id.term()).zip(0..).collect();
    if places.len() != order.len() {
        return Err(Error::invalid_field("order", ViolationCode::Duplicate, "a term is named twice"));
    }
    let mut records = txn.terms().list(I::KIND)?;
    let known = records.iter().all(|record| places.contains_key(&record.term.id));
    if !known || records.len() != places.len() {
        let named = records.iter().filter(|record| places.contains_key(&record.term.id)).count();
        return Err(Error::outdated(format!(
            "the order names {named} of the {} terms of the list, and {} others: name each of them once",
            records.len(),
            places.len() - named,
        )));
    }
    let mut entries = Vec::new();
    for record in &mut records {
        let before = record.term.clone();
        record.term.position = places.get(&before.id).copied().unwrap_or(before.position);
        if record.term.position != before.position {
            record.term.revision = before.revision.next();
            txn.terms().update(record)?;
            let changes = term_changes(I::KIND, Some(&before), Some(&record.term));
            entries.push(NewEntry::new(subject(before.id), Action::Updated, ctx.now()).with_changes(changes));
        }
    }
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Configure, &entries)?;
    }
    records.sort_by_key(|record| record.term.position);
    Ok(records.into_iter().map(|record| record.term.typed()).collect())
}

/// What to do with leads, accounts, opportunities and costs that refer to a term that is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InUse<I> {
    /// Refuse while there are any.
    Refuse,
    /// Empty their field, in the same transaction. A converted lead keeps it, and then the deletion is refused.
    Clear,
    /// Point them to this other term, in the same transaction; likewise. Saved views that ask for the one ask for the other.
    Reassign(I),
}

/// Deletes a term for good (S0.07). Leads are never deleted with it; those in the trash are treated like the others. Accounts,
/// also archived ones, opportunities, also won and lost ones, and costs are rewritten as leads are, and their history says so.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` with [`Conflict::InUse`] when something refers to it and is not to be rewritten, or is a
/// converted lead: such a term can be archived instead. Nothing is written then.
pub fn delete<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn, id: I, in_use: InUse<I>) -> Result<()> {
    require(ctx, txn, Permission::Configure)?;
    let term = find::<I>(txn, id)?.term;
    let used = txn.terms().usage(I::KIND, id.term())?;
    // Before the first write, so that a refusal leaves nothing behind.
    let frozen = txn.tallies().count(&refers_to::<I>(id).and(converted()))?;
    let replacement = match in_use {
        InUse::Refuse if used > 0 && used > frozen => {
            return Err(Error::conflicting(I::KIND.code(), Conflict::InUse { by: used }));
        }
        InUse::Refuse | InUse::Clear => FieldValue::Empty,
        InUse::Reassign(other) => {
            if other == id {
                return Err(Error::conflicting(I::KIND.code(), Conflict::InUse { by: used }));
            }
            FieldValue::Id(find::<I>(txn, other)?.term.id)
        }
    };
    if frozen > 0 {
        return Err(Error::in_use_by_converted(I::KIND.code(), frozen, "archive it"));
    }
    // The store refuses last what nobody rewrote, so its refusal takes back the rest.
    nested(txn, |txn| {
        let operation = new_operation(ctx, OperationKind::Configure, None);
        txn.journal().begin(&operation)?;
        replace_everywhere::<I>(ctx, txn, operation.id, id, &replacement)?;
        terms_held::replace(ctx, txn, operation.id, (I::KIND, id.term()), replacement.as_id())?;
        txn.terms().remove(I::KIND, id.term())?;
        let changes = term_changes(I::KIND, Some(&term), None);
        let mut entries =
            vec![NewEntry::new(subject(id.term()), Action::Deleted, ctx.now()).with_changes(changes)];
        if !replacement.is_empty() {
            let instead =
                |value: &FieldValue| (value.as_id() == Some(id.term())).then(|| replacement.clone());
            entries.extend(follow(ctx, txn, &I::KIND.field(), &instead)?);
        }
        txn.journal().append(operation.id, &entries)
    })
}

/// The leads that refer to the term.
fn refers_to<I: TermId>(id: I) -> Resolved {
    Resolved::Equals(I::KIND.field(), vec![FieldValue::Id(id.term())])
}

/// Leads that take no more edits. None of them is in the trash: a converted lead cannot be deleted.
pub(super) fn converted() -> Resolved {
    Resolved::Equals(Field::State, vec![LeadState::Converted.code().into()])
}

fn replace_everywhere<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: crate::id::OperationId,
    id: I,
    replacement: &FieldValue,
) -> Result<()> {
    let field = I::KIND.field();
    each_lead(txn, &refers_to::<I>(id), Place::Everywhere, &mut |txn, leads| {
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for before in leads {
            if before.conversion.is_some() {
                return Err(Error::conflicting(I::KIND.code(), Conflict::InUse { by: 1 }));
            }
            let mut lead = before.clone();
            write_reference(&field, &mut lead, id.term(), replacement)?;
            entries.push(touch(ctx, &before, &mut lead, Action::Updated));
            changes.push(LeadChange { before, after: lead });
        }
        update_all(txn, &changes)?;
        txn.journal().append(operation, &entries)
    })
}

/// Takes a term off a lead, or puts another in its place.
pub(super) fn write_reference(
    field: &Field,
    lead: &mut crate::domain::Lead,
    old: uuid::Uuid,
    replacement: &FieldValue,
) -> Result<()> {
    if !field.is_writable() {
        // A reason is part of how the lead ended.
        if let Some(closing) = lead.closing.as_mut().filter(|closing| closing.reason == Some(old)) {
            closing.reason = match replacement {
                FieldValue::Id(id) => Some(*id),
                _ => None,
            };
        }
        return Ok(());
    }
    let value = if field.is_multiple() {
        let kept =
            field.read(lead).items().iter().filter(|item| **item != FieldValue::Id(old)).cloned().collect();
        let mut kept: Vec<FieldValue> = kept;
        kept.extend(replacement.items().iter().cloned());
        FieldValue::List(kept)
    } else {
        replacement.clone()
    };
    field.write(&mut lead.fields, &value).map_err(|error| error.at(field.key()).into())
}

fn find<I: TermId>(txn: &mut dyn Txn, id: I) -> Result<TermRecord> {
    txn.terms().get(I::KIND, &[id.term()])?.pop().ok_or_else(|| Error::not_found(I::KIND.code()))
}

const fn subject(id: uuid::Uuid) -> Subject {
    Subject::new(SubjectKind::Term, id)
}
