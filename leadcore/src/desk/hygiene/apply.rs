//! A plan carried out.

use std::collections::BTreeMap;

use super::{Finding, Fix, HygieneOutcome, HygienePlan, ROUND};
use crate::context::Context;
use crate::desk::access::{Expect, Gate, check_fields, require};
use crate::desk::functions::Openings;
use crate::desk::intake::check_rules;
use crate::desk::leads::touch;
use crate::desk::mass::{RecordOutcome, RecordResult, Totals, outcome_of};
use crate::desk::operation::new_operation;
use crate::desk::settings::load_catalogue;
use crate::domain::{
    Action, Emails, Field, Lead, LeadFields, MarkNote, NewEntry, OperationKind, Phones, ReachChannel,
    ReachMark, Reachable,
};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::store::{LeadChange, Txn};
use crate::value::{Email, Phone};

/// Does what a plan says, in one operation: lead by lead, by the rules of an edit. What may not or cannot be done with one
/// lead is said in its outcome and does not stop the others.
///
/// # Errors
/// `Denied` when the actor may edit no lead; `Invalid` when it may not see what the plan is about.
pub fn apply(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &HygienePlan) -> Result<HygieneOutcome> {
    require(ctx, txn, Permission::Edit)?;
    let todo: Vec<&Finding> = plan.findings.iter().filter(|finding| finding.fix != Fix::Keep).collect();
    let channels = [(ReachChannel::Email, Field::Email), (ReachChannel::Phone, Field::Phone)];
    let touched = channels.iter().filter(|(channel, _)| todo.iter().any(|one| one.channel == *channel));
    check_fields(ctx, touched.map(|(_, field)| field))?;
    let mut by_lead: BTreeMap<(u64, LeadId), Vec<&Finding>> = BTreeMap::new();
    for finding in todo {
        by_lead.entry((finding.number, finding.lead)).or_default().push(finding);
    }
    let by_lead: Vec<_> = by_lead.into_iter().map(|((_, lead), findings)| (lead, findings)).collect();
    let gates = (Gate::open(ctx, txn, Permission::View)?, Gate::open(ctx, txn, Permission::Edit)?);
    let openings = Openings::load(ctx, txn)?;
    let catalogue = load_catalogue(txn)?.1;
    let mut outcome = HygieneOutcome { operation: None, results: Vec::new(), totals: Totals::default() };
    for round in by_lead.chunks(ROUND) {
        let ids: Vec<_> = round.iter().map(|(lead, _)| *lead).collect();
        let mut found: BTreeMap<_, _> =
            txn.leads().get(&ids)?.into_iter().map(|lead| (lead.id, lead)).collect();
        let (mut changes, mut entries): (Vec<LeadChange>, Vec<NewEntry>) = (Vec::new(), Vec::new());
        for (id, findings) in round {
            let lead = found.remove(id).filter(|lead| lead.trashed.is_none() && gates.0.admits(lead));
            let done = lead.ok_or_else(|| Error::not_found("lead")).and_then(|before| {
                gates.1.check(&before)?;
                let after = mended(ctx, &before, findings, &openings)?;
                let broken = check_rules(ctx, &catalogue, &after.fields, &before.fields);
                if broken.is_empty() { Ok((before, after)) } else { Err(Error::invalid(broken)) }
            });
            let told = match done {
                Ok((before, after)) if before == after => RecordOutcome::Unchanged,
                Ok((before, mut after)) => {
                    entries.push(touch(ctx, &before, &mut after, Action::Updated));
                    changes.push(LeadChange { before, after });
                    RecordOutcome::Done
                }
                Err(error) => outcome_of(error)?,
            };
            outcome.totals.count(&told);
            outcome.results.push(RecordResult { lead: *id, outcome: told });
        }
        if changes.is_empty() {
            continue;
        }
        let operation = match outcome.operation {
            Some(known) => known,
            None => {
                let operation = new_operation(ctx, OperationKind::Edit, None);
                txn.journal().begin(&operation)?;
                *outcome.operation.insert(operation.id)
            }
        };
        txn.leads().update(&changes)?;
        txn.journal().append(operation, &entries)?;
    }
    Ok(outcome)
}

/// The lead with every fix.
fn mended(ctx: &Context<'_>, before: &Lead, findings: &[&Finding], openings: &Openings) -> Result<Lead> {
    if before.conversion.is_some() {
        return Err(Error::conflicting("lead", Conflict::Converted));
    }
    openings.check("edit", before)?;
    let mut after = before.clone();
    for finding in findings {
        Expect::Revision(finding.revision).check("lead", before.revision)?;
        fix(ctx, &mut after.fields, finding).map_err(|broken| Error::invalid(vec![broken]))?;
    }
    Ok(after)
}

fn fix(ctx: &Context<'_>, fields: &mut LeadFields, finding: &Finding) -> Result<(), Violation> {
    let region = fields.phone_region();
    match finding.channel {
        ReachChannel::Email => {
            let read = |text: &str| Email::parse(text).map_err(|error| error.at(Field::Email.key()));
            let is = |email: &Email| email.as_str() == finding.address;
            let entries = fixed(ctx, fields.emails.entries(), finding, is, read)?;
            fields.emails = Emails::none();
            for entry in entries {
                let is_new =
                    fields.emails.push(entry.clone()).map_err(|error| error.at(Field::Email.key()))?;
                // Corrected to an address that is there: who opted out of it stays out.
                if !is_new && entry.opted_out {
                    fields.emails.mark(&entry);
                }
            }
        }
        ReachChannel::Phone => {
            let read = |text: &str| Phone::parse(text, region).map_err(|error| error.at(Field::Phone.key()));
            let is = |phone: &Phone| phone.as_str() == finding.address;
            let entries = fixed(ctx, fields.phones.entries(), finding, is, read)?;
            fields.phones = Phones::none();
            for entry in entries {
                let is_new =
                    fields.phones.push(entry.clone()).map_err(|error| error.at(Field::Phone.key()))?;
                // Corrected to an address that is there: who opted out of it stays out.
                if !is_new && entry.opted_out {
                    fields.phones.mark(&entry);
                }
            }
        }
    }
    Ok(())
}

/// The list with one fix.
fn fixed<T: Clone>(
    ctx: &Context<'_>,
    entries: &[Reachable<T>],
    finding: &Finding,
    is: impl Fn(&T) -> bool,
    read: impl Fn(&str) -> Result<T, Violation>,
) -> Result<Vec<Reachable<T>>, Violation> {
    let mut list = entries.to_vec();
    let Some(place) = list.iter().position(|entry| is(&entry.value)) else {
        let message = "the lead has no such address";
        return Err(Violation::new("address", ViolationCode::Unknown, message));
    };
    match &finding.fix {
        Fix::Keep => {}
        Fix::Remove => drop(list.remove(place)),
        Fix::PutLast => {
            let entry = list.remove(place);
            list.push(entry);
        }
        Fix::Correct(text) => {
            let value = read(text)?;
            if let Some(entry) = list.get_mut(place) {
                entry.value = value;
                entry.set_mark(ReachMark::Invalid, None);
            }
        }
        Fix::MarkInvalid => {
            let note = MarkNote::new(Some(ctx.now()), finding.issue.reason());
            let note = note.map_err(|error| error.at("reason"))?;
            if let Some(entry) = list.get_mut(place).filter(|entry| !entry.invalid) {
                entry.set_mark(ReachMark::Invalid, Some(note));
            }
        }
    }
    Ok(list)
}
