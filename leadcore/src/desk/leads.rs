//! Creating, editing, finding and deleting leads.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{
    Action, Field, FieldValue, Lead, LeadDraft, LeadFields, LeadNumber, LeadPatch, LeadState, NewEntry,
    OperationKind, Trashed, lead_changes,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::query::{Cursor, Filter, LeadQuery, LeadScan, Page, Resolved};
use crate::store::{LeadChange, Txn};

use super::access::{
    Expect, Gate, Mask, check_fields, check_readable, editable, masked, require, searched, visible,
};
use super::functions::Openings;
use super::intake::{Intake, check_references, check_rules, store_new, violations};
use super::listing::check_limit;
use super::moving::{guard, refuse};
use super::operation::{new_operation, record, record_as};
use super::{custom, settings};

pub use super::actions::{LeadAction, actions, actions_of};
pub use super::clone::{CloneOptions, clone_lead, clone_lead_with};
pub use super::facets::{Facet, FacetValue, facets};
pub use super::functions::of_lead as functions;
pub use super::history::{StageVisit, stage_history};
pub use super::marks::{do_not_call_lead as do_not_call, mark_address};
pub use super::moving::{disqualify, move_to, reopen};
pub use super::offline::{Changed, Changes, changes, changes_start};
pub use super::reading::{mark_all_read, mark_read, mark_unread, open};
pub use crate::domain::Idle;

/// How many leads a page has when the caller does not say.
const DEFAULT_PAGE: usize = 50;

/// Creates one lead (S0.12). It is in every list at once.
///
/// Without an owner, the acting user becomes the owner (S1.04); without a stage, it starts in the first open stage of
/// the default pipeline.
///
/// # Errors
/// `Invalid` with every broken rule at once; `Denied`.
pub fn create(ctx: &Context<'_>, txn: &mut dyn Txn, draft: LeadDraft) -> Result<Lead> {
    let mut leads = create_many(ctx, txn, vec![draft])?;
    leads.pop().ok_or_else(|| Error::not_found("lead"))
}

/// Creates several leads in one operation: all or none.
///
/// # Errors
/// `Invalid` with every broken rule of every draft (fields of a second and later draft as `drafts[1].company`);
/// `Denied`.
pub fn create_many(ctx: &Context<'_>, txn: &mut dyn Txn, drafts: Vec<LeadDraft>) -> Result<Vec<Lead>> {
    require(ctx, txn, Permission::Create)?;
    let mut intake = Intake::load(ctx, txn)?;
    let given = |field: &Field| {
        let unset = field.read_fields(&LeadFields::default());
        drafts.iter().any(|draft| field.read_fields(&draft.fields) != unset)
    };
    let hidden = Field::ALL.iter().filter(|field| ctx.policy().is_hidden(ctx.actor(), field));
    check_fields(ctx, hidden.filter(|field| given(field)))?;
    let custom: BTreeSet<_> = drafts.iter().flat_map(|draft| draft.fields.custom.keys()).collect();
    let custom: Vec<_> = custom.into_iter().cloned().map(Field::Custom).collect();
    check_fields(ctx, custom.iter())?;
    let mut broken = Vec::new();
    let mut ready = Vec::with_capacity(drafts.len());
    check_references(txn, &drafts.iter().map(|draft| &draft.fields), &LeadFields::default(), &mut broken)?;
    for (n, draft) in drafts.into_iter().enumerate() {
        match intake.prepare(ctx, draft) {
            Ok(lead) => {
                intake.guard.count_in(lead.stage);
                ready.push(lead);
            }
            Err(violations) if n == 0 => broken.extend(violations),
            Err(violations) => broken.extend(violations.into_iter().map(|mut violation| {
                violation.field = format!("drafts[{n}].{}", violation.field);
                violation
            })),
        }
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    for lead in &ready {
        intake.gate.check(lead)?;
    }
    custom::check_written(
        txn,
        &intake.catalogue,
        &ready.iter().map(|lead| (lead, None)).collect::<Vec<_>>(),
    )?;
    intake.settle(ctx, txn)?;
    let entries = store_new(txn, &mut ready)?;
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(ready.into_iter().map(|lead| masked(ctx, lead)).collect())
}

/// Changes some fields of a lead (S0.13) and writes each change into the journal. A patch that changes nothing writes
/// nothing. A field that the lead's stage asks for cannot be emptied; one that was empty already may stay so.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected; `Invalid`
/// with every broken rule at once.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    expect: impl Into<Expect>,
    patch: &LeadPatch,
) -> Result<Lead> {
    let (lead, entry) = amend(ctx, txn, id, expect.into(), patch)?;
    if let Some(entry) = entry {
        record(ctx, txn, OperationKind::Edit, &[entry])?;
    }
    Ok(masked(ctx, lead))
}

/// [`edit`] as a part of an operation: the lead as it is then, and what the journal has to keep of it.
pub(super) fn amend(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    expect: Expect,
    patch: &LeadPatch,
) -> Result<(Lead, Option<NewEntry>)> {
    let before = editable(ctx, txn, id, expect, Permission::Edit)?;
    check_fields(ctx, patch.fields())?;
    let mut after = before.clone();
    let (_, catalogue) = settings::load_catalogue(txn)?;
    patch.apply(&catalogue, &mut after.fields)?;
    if after.fields == before.fields {
        return Ok((before, None));
    }
    let mut broken = check_rules(ctx, &catalogue, &after.fields, &before.fields);
    check_references(txn, &std::iter::once(&after.fields), &before.fields, &mut broken)?;
    if patch.fields().any(|field| field.read_fields(&after.fields).is_empty()) {
        let pipelines = txn.pipelines().list()?;
        if let Some(stage) = pipelines.iter().find_map(|pipeline| pipeline.stage(before.stage)) {
            let unmet = guard(txn, &pipelines)?.check_edit(stage, &before.fields, &after.fields);
            broken.extend(violations(&unmet, &broken));
        }
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    custom::check_written(txn, &catalogue, &[(&after, Some(&before))])?;
    let entry = touch(ctx, &before, &mut after, Action::Updated);
    txn.leads().update(&[LeadChange { before, after: after.clone() }])?;
    Ok((after, Some(entry)))
}

/// How many leads one write of many takes.
const SLICE: usize = 100;

/// Writes many changes, a slice at a time: a store keeps what a slice changed until its end, and some work that is done
/// for each lead grows with it.
pub(super) fn update_all(txn: &mut dyn Txn, changes: &[LeadChange]) -> Result<()> {
    changes.chunks(SLICE).try_for_each(|slice| txn.leads().update(slice))
}

/// Gives a changed lead its next revision and time, and its journal entry.
pub(crate) fn touch(ctx: &Context<'_>, before: &Lead, after: &mut Lead, action: Action) -> NewEntry {
    after.revision = before.revision.next();
    after.updated_at = ctx.now();
    NewEntry::new(after.id, action, after.updated_at).with_changes(lead_changes(before, after))
}

/// Puts a lead into the trash (S0.14): it leaves every list, search, count and duplicate check. Its history stays, and
/// [`restore`] takes it out again.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId, expect: impl Into<Expect>) -> Result<()> {
    let before = editable(ctx, txn, id, expect.into(), Permission::Delete)?;
    let operation = new_operation(ctx, OperationKind::Delete, None);
    let mut after = before.clone();
    after.trashed = Some(Trashed { at: ctx.now(), operation: operation.id });
    let entry = touch(ctx, &before, &mut after, Action::Deleted);
    txn.leads().update(&[LeadChange { before, after }])?;
    record_as(txn, &operation, &[entry])
}

/// Takes a lead out of the trash, back to the stage it was in.
///
/// # Errors
/// `NotFound` when it is not there, `Denied`; `Invalid` when another lead has taken the value of a unique field, or the
/// stage holds as many leads as it may.
pub fn restore(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Lead> {
    let before = visible(ctx, txn, id)?;
    if before.trashed.is_none() {
        return Err(Error::not_found("lead"));
    }
    Gate::open(ctx, txn, Permission::Delete)?.check(&before)?;
    Openings::load(ctx, txn)?.check("restore", &before)?;
    let pipelines = txn.pipelines().list()?;
    let stage = pipelines.iter().find_map(|pipeline| pipeline.stage(before.stage));
    if let Some(stage) = stage.filter(|_| before.state() == LeadState::Open) {
        refuse(&guard(txn, &pipelines)?.check_return(stage))?;
    }
    let mut after = Lead { trashed: None, ..before.clone() };
    custom::check_restored(txn, &before, &after)?;
    let entry = touch(ctx, &before, &mut after, Action::Restored);
    txn.leads().update(&[LeadChange { before, after: after.clone() }])?;
    record(ctx, txn, OperationKind::Restore, &[entry])?;
    Ok(masked(ctx, after))
}

/// One lead by its id, also from the trash.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Lead> {
    let mut lead = visible(ctx, txn, id)?;
    Mask::of(ctx).put_on(&mut lead);
    Ok(lead)
}

/// One lead by the number that people say (S2.14): the number itself, or the text that the tenant's
/// [numbering](super::settings::numbering) writes (`L-00042`), also without its prefix or zeros.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see, or the text is no number.
pub fn by_number<'n>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    number: impl Into<LeadNumber<'n>>,
) -> Result<Lead> {
    ctx.check_tenant(txn)?;
    let number = match number.into() {
        LeadNumber::Number(number) => Some(number),
        LeadNumber::Text(text) => settings::load_numbering(txn)?.1.parse(&text),
    };
    let number = number.ok_or_else(|| Error::not_found("lead"))?;
    let number = i64::try_from(number).map_err(|_| Error::not_found("lead"))?;
    let query = LeadQuery::new(Filter::eq(Field::Number, number)).limit(1);
    list(ctx, txn, &query)?.items.pop().ok_or_else(|| Error::not_found("lead"))
}

/// A page of leads (S0.09): those of the filter that the actor may see, sorted, from behind the cursor.
///
/// # Errors
/// `Invalid` for a filter, limit or cursor that does not fit; `Denied`.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn, query: &LeadQuery) -> Result<Page<Lead>> {
    scan(ctx, txn, query, false)
}

/// A page of the trash.
///
/// # Errors
/// As [`list`].
pub fn trash(ctx: &Context<'_>, txn: &mut dyn Txn, query: &LeadQuery) -> Result<Page<Lead>> {
    scan(ctx, txn, query, true)
}

fn scan(ctx: &Context<'_>, txn: &mut dyn Txn, query: &LeadQuery, trashed: bool) -> Result<Page<Lead>> {
    let sorted_by = query.sort.by.field();
    let filter = readable(ctx, txn, &query.filter, std::slice::from_ref(&sorted_by))?;
    let mut page = scan_checked(txn, filter, query, trashed)?;
    let mask = Mask::of(ctx);
    page.items.iter_mut().for_each(|lead| mask.put_on(lead));
    Ok(page)
}

/// A page of the leads of a filter that was checked, as they are. The query has the filter as the caller wrote it.
pub(super) fn scan_checked(
    txn: &mut dyn Txn,
    filter: Resolved,
    query: &LeadQuery,
    trashed: bool,
) -> Result<Page<Lead>> {
    custom::check_sort(txn, &query.sort, query.after.as_ref())?;
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    check_limit(limit)?;
    if query.after.as_ref().is_some_and(|cursor| cursor.sort != query.sort || !cursor.is_sound()) {
        let message = "this cursor belongs to another sort";
        return Err(Error::invalid_field("after", ViolationCode::Malformed, message));
    }
    if query.after.as_ref().is_some_and(|cursor| !cursor.fits(&query.filter, trashed)) {
        let message = "this cursor belongs to a list of other leads: begin with its first page";
        return Err(Error::invalid_field("after", ViolationCode::Malformed, message));
    }
    let found = txn.leads().scan(&LeadScan {
        filter,
        trashed,
        sort: query.sort.clone(),
        limit: limit.saturating_add(1),
        after: query.after.clone(),
    })?;
    Ok(Page::cut(found, limit, |lead| Cursor::behind(lead, &query.sort).in_list(&query.filter, trashed)))
}

/// How many leads of the filter the actor may see.
///
/// # Errors
/// `Invalid` for a filter that does not fit; `Denied`.
pub fn count(ctx: &Context<'_>, txn: &mut dyn Txn, filter: &Filter) -> Result<u64> {
    let filter = readable(ctx, txn, filter, &[])?;
    txn.tallies().count(&filter)
}

/// How many leads of the filter the actor may see, per value of `field`: what a list shows beside its drop-downs.
///
/// # Errors
/// `Invalid` for a filter that does not fit; `Unsupported` for a field with free text or several values; `Denied`.
pub fn count_by(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    filter: &Filter,
    field: &Field,
) -> Result<Vec<(FieldValue, u64)>> {
    let filter = readable(ctx, txn, filter, std::slice::from_ref(field))?;
    custom::check_groupable(txn, field)?;
    txn.tallies().count_by(&filter, field)
}

/// The checked filter, narrowed to what the actor may see. Terms, stages and pipelines may be named in it.
pub(super) fn readable(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    filter: &Filter,
    also: &[Field],
) -> Result<Resolved> {
    ctx.check_tenant(txn)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let resolved = custom::resolve_in(ctx, txn, filter, searched(ctx));
    // What may not be seen is refused before a name in it is looked up in vain.
    check_readable(ctx, filter.fields().iter().chain(also))?;
    let resolved = resolved?;
    Ok(gate.narrow(resolved))
}
