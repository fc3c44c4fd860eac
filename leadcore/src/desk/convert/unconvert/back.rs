//! Writing a conversion back.

use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    Action, CatalogueKind, Contact, ContactFields, Follow, Lead, NewEntry, Operation, OperationKind,
    Opportunity, OpportunityEnd, OpportunityState, Subject, SubjectKind, Trashed, contact_changes,
};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::store::{LeadChange, Txn};
use crate::time::Date;

use super::super::super::leads::touch;
use super::super::super::operation::new_operation;
use super::super::super::settings::load_catalogue_of;
use super::super::super::{children, children_purge, followers};
use super::super::hosts::ConversionTarget;
use super::look::Found;
use super::{Fate, UnconvertOutcome, Unconvertible, key};

pub(super) fn carry_out(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: Lead,
    mut found: Found,
    hosts: &[&dyn ConversionTarget],
) -> Result<UnconvertOutcome> {
    check(&found, hosts)?;
    let mut operation = new_operation(ctx, OperationKind::Unconvert, Some(key(found.plan.conversion)));
    let account = before.conversion.as_ref().and_then(|done| done.account);
    let mut after = Lead { conversion: None, ..before.clone() };
    found.said.tighten_lead(&mut after.fields);
    let mut thawed = touch(ctx, &before, &mut after, Action::Unconverted);
    thawed.other =
        account.map(Subject::from).or_else(|| found.outcome.contacts.first().map(|id| (*id).into()));
    txn.leads().update(&[LeadChange { before, after: after.clone() }])?;
    for made in &found.outcome.host {
        for host in hosts.iter().filter(|host| host.name() == made.target) {
            host.withdraw(txn, &found.outcome, &made.reference)?;
        }
    }
    if !found.outcome.host.is_empty() {
        found.look_anew(txn)?;
    }
    let (found, plan) = (&found, &found.plan);
    let mut entries = vec![thawed];
    // What targets left of what they had hung on the records.
    let left: Vec<_> = found.by_targets.iter().copied().collect();
    entries.extend(children_purge::clear_these(ctx, txn, &left, &found.records)?);
    entries.extend(found.hand_on(ctx, txn)?);
    // What hangs on the account goes before it.
    for service in &found.services {
        entries.extend(children::take_away(ctx, txn, service)?);
    }
    for opportunity in &found.opportunities {
        entries.extend(children::take_away(ctx, txn, opportunity)?);
    }
    entries.extend(follow(ctx, txn, found)?);
    entries.extend(close(ctx, txn, found)?);
    for joined in &found.joined {
        entries.extend(children::replace(ctx, txn, &joined.before, joined.after.clone())?.1);
    }
    let gone = found.links_now(txn)?;
    txn.links().remove(&gone)?;
    entries.extend(found.hand_on_persons(ctx, txn)?);
    entries.extend(found.restore_primary(ctx, txn)?);
    accounts(ctx, txn, found, &operation, &mut entries)?;
    contacts(ctx, txn, found, &mut entries)?;
    found.said.tighten_persons(ctx, txn, &after, &mut entries)?;
    for (heir, now) in &found.heirs {
        if let Some(conversion) = txn.journal().operation(*heir)? {
            let outcome = Some(stored(now)?);
            txn.journal().update(&Operation { outcome, ..conversion })?;
        }
    }
    // The lead can be converted again: its first outcome is forgotten.
    if let Some(first) = txn.journal().operation(plan.conversion)? {
        txn.journal().update(&Operation { key: None, ..first })?;
    }
    let outcome = UnconvertOutcome {
        operation: operation.id,
        lead: plan.lead,
        conversion: plan.conversion,
        records: plan.records.clone(),
        newly_unconverted: true,
    };
    operation.outcome = Some(stored(&outcome)?);
    txn.journal().begin(&operation)?;
    txn.journal().append(operation.id, &entries)?;
    Ok(outcome)
}

fn stored(outcome: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(outcome).map_err(|error| {
        Error::new(ErrorKind::Internal, "an outcome could not be written as JSON").with_source(error)
    })
}

/// Whoever follows an account that goes follows the lead instead.
fn follow(ctx: &Context<'_>, txn: &mut dyn Txn, found: &Found) -> Result<Vec<NewEntry>> {
    let gone: Vec<_> =
        found.gone().into_iter().filter(|record| record.kind == SubjectKind::Account).collect();
    let (own, mut entries) = (Subject::from(found.plan.lead), Vec::new());
    let known = txn.followers().of(&[own])?;
    let moved = txn.followers().of(&gone)?;
    txn.followers().remove(&moved)?;
    for follow in moved {
        entries.push(followers::told(&follow, false, ctx.now()));
        if known.iter().all(|known| known.user != follow.user) {
            let now = Follow { subject: own, ..follow };
            txn.followers().add(std::slice::from_ref(&now))?;
            entries.push(followers::told(&now, true, ctx.now()));
        }
    }
    Ok(entries)
}

/// What cannot go because its series has no gaps is lost, and about those of its persons that stay. What only one may have it gives
/// free: the lead is converted again with it.
fn close(ctx: &Context<'_>, txn: &mut dyn Txn, found: &Found) -> Result<Vec<NewEntry>> {
    let (gone, mut entries) = (found.gone(), Vec::new());
    if found.closed.is_empty() {
        return Ok(entries);
    }
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Opportunity)?;
    for before in &found.closed {
        let mut fields = before.fields.clone();
        for (field, _) in catalogue.unique_keys(&before.fields.custom) {
            fields.custom.retain(|key, _| key.as_str() != field.key());
        }
        let mut about = before.about.clone();
        about.retain(|record| record.kind != SubjectKind::Contact || !gone.contains(record));
        // One that was lost since keeps why.
        let known = before.end.clone().filter(|_| before.state == OpportunityState::Lost);
        let end = known.unwrap_or_else(|| OpportunityEnd {
            on: Date::in_zone(ctx.now(), ctx.utc_offset()),
            reason: None,
            detail: Some("The conversion was taken back".to_owned()),
        });
        let after = Opportunity {
            about,
            fields,
            state: OpportunityState::Lost,
            end: Some(end),
            origin_lead: Some(Opportunity::NOBODY),
            ..before.clone()
        };
        entries.extend(children::replace(ctx, txn, before, after)?.1);
    }
    Ok(entries)
}

/// Refuses what something stands against, or a target that is not there.
fn check(found: &Found, hosts: &[&dyn ConversionTarget]) -> Result<()> {
    let is_there = |name: &str| hosts.iter().any(|host| host.name() == name);
    let stands = |blocker: &&Unconvertible| match blocker {
        Unconvertible::Target { target } => !is_there(target),
        _ => true,
    };
    let by = found.plan.blockers.iter().filter(stands).count();
    if by == 0 {
        return Ok(());
    }
    let by = u64::try_from(by).unwrap_or(u64::MAX);
    Err(Error::conflicting("lead", Conflict::Blocked { by }))
}

fn accounts(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    found: &Found,
    operation: &Operation,
    entries: &mut Vec<NewEntry>,
) -> Result<()> {
    let plan = &found.plan;
    for account in &found.accounts {
        let mut now = account.after.clone();
        let record = Subject::from(now.id);
        let is_new = plan.records.iter().any(|taken| taken.record == record && taken.fate == Fate::Archived);
        if is_new {
            now.archived = Some(Trashed { at: ctx.now(), operation: operation.id });
        } else if account.changes.is_empty() {
            continue;
        }
        (now.revision, now.updated_at) = (account.before.revision.next(), ctx.now());
        txn.accounts().update(std::slice::from_ref(&now))?;
        let action = if is_new { Action::Deleted } else { Action::Updated };
        let entry = NewEntry::new(now.id, action, ctx.now()).with_other(plan.lead);
        entries.push(entry.with_changes(account.changes.clone()));
    }
    Ok(())
}

fn contacts(ctx: &Context<'_>, txn: &mut dyn Txn, found: &Found, entries: &mut Vec<NewEntry>) -> Result<()> {
    let lead = found.plan.lead;
    for known in found.known.iter().filter(|known| !known.changes.is_empty()) {
        let revision = known.before.revision.next();
        let now = Contact { revision, updated_at: ctx.now(), ..known.after.clone() };
        txn.contacts().update(std::slice::from_ref(&now))?;
        let entry = NewEntry::new(now.id, Action::Updated, ctx.now()).with_other(lead);
        entries.push(entry.with_changes(known.changes.clone()));
    }
    let gone: Vec<_> = found.contacts.iter().map(|contact| contact.id).collect();
    txn.contacts().remove(&gone)?;
    for contact in &found.contacts {
        // The journal keeps what the person was.
        let changes = contact_changes(&contact.fields, &ContactFields::default());
        let entry = NewEntry::new(contact.id, Action::Deleted, ctx.now()).with_other(lead);
        entries.push(entry.with_changes(changes));
    }
    Ok(())
}
