//! A plan carried out.

use std::collections::BTreeMap;

use super::{Finding, Fix, HygieneOutcome, HygienePlan, ROUND, as_lead, persons_of};
use crate::context::Context;
use crate::desk::access::{Expect, Gate, check_fields, require};
use crate::desk::functions::Openings;
use crate::desk::intake::check_rules;
use crate::desk::leads::touch;
use crate::desk::mass::{RecordOutcome, RecordResult, Totals, outcome_of};
use crate::desk::operation::new_operation;
use crate::desk::settings::load_catalogue;
use crate::domain::{
    Action, Catalogue, Contact, Emails, Field, Lead, LeadFields, MarkNote, NewEntry, OperationKind, Phones,
    ReachChannel, ReachMark, Reachable, contact_changes,
};
use crate::error::{Conflict, Error, Result, ValueError, ViolationCode};
use crate::id::{ContactId, LeadId, OperationId};
use crate::policy::Permission;
use crate::store::{LeadChange, Txn};
use crate::value::{Email, Phone};

/// Does what a plan says, in one operation: lead by lead, each with its persons or not at all, by the rules of an edit. What
/// may not or cannot be done with one lead is said in its outcome and does not stop the others.
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
    let mender = Mender {
        ctx,
        gates: (Gate::open(ctx, txn, Permission::View)?, Gate::open(ctx, txn, Permission::Edit)?),
        openings: Openings::load(ctx, txn)?,
        catalogue: load_catalogue(txn)?.1,
    };
    let mut outcome = HygieneOutcome { operation: None, results: Vec::new(), totals: Totals::default() };
    for round in by_lead.chunks(ROUND) {
        let ids: Vec<_> = round.iter().map(|(lead, _)| *lead).collect();
        let mut found: BTreeMap<_, _> =
            txn.leads().get(&ids)?.into_iter().map(|lead| (lead.id, lead)).collect();
        let of_persons =
            round.iter().filter(|(_, findings)| findings.iter().any(|one| one.contact.is_some()));
        let mut persons = persons_of(txn, &of_persons.map(|(lead, _)| *lead).collect::<Vec<_>>())?;
        let mut leads_of: BTreeMap<ContactId, Vec<LeadId>> = BTreeMap::new();
        for (lead, own) in &persons {
            own.iter().for_each(|person| leads_of.entry(person.id).or_default().push(*lead));
        }
        let mut written = Written::default();
        for (id, findings) in round {
            let own = persons.get(id).map_or(&[][..], Vec::as_slice);
            let told = match mender.mend(found.remove(id), own, findings) {
                Ok(mended) if mended.is_nothing() => RecordOutcome::Unchanged,
                Ok(mended) => {
                    // Of a person that another lead has too, that lead sees what it is now.
                    for (_, after) in &mended.persons {
                        for lead in leads_of.get(&after.id).into_iter().flatten() {
                            let own = persons.get_mut(lead).into_iter().flatten();
                            own.filter(|known| known.id == after.id)
                                .for_each(|known| known.clone_from(after));
                        }
                    }
                    written.add(ctx, mended);
                    RecordOutcome::Done
                }
                Err(error) => outcome_of(error)?,
            };
            outcome.totals.count(&told);
            outcome.results.push(RecordResult { lead: *id, outcome: told });
        }
        written.store(ctx, txn, &mut outcome.operation)?;
    }
    Ok(outcome)
}

/// What a round writes.
#[derive(Default)]
struct Written {
    leads: Vec<LeadChange>,
    persons: Vec<Contact>,
    entries: Vec<NewEntry>,
}

impl Written {
    fn add(&mut self, ctx: &Context<'_>, mended: Mended) {
        let Mended { before, mut after, persons } = mended;
        if before != after {
            self.entries.push(touch(ctx, &before, &mut after, Action::Updated));
            self.leads.push(LeadChange { before, after });
        }
        for (before, after) in persons {
            let changes = contact_changes(&before.fields, &after.fields);
            self.entries.push(NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes));
            self.persons.push(after);
        }
    }

    /// All under one operation, which begins with the first change.
    fn store(self, ctx: &Context<'_>, txn: &mut dyn Txn, operation: &mut Option<OperationId>) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let id = match *operation {
            Some(known) => known,
            None => {
                let new = new_operation(ctx, OperationKind::Edit, None);
                txn.journal().begin(&new)?;
                *operation.insert(new.id)
            }
        };
        if !self.leads.is_empty() {
            txn.leads().update(&self.leads)?;
        }
        if !self.persons.is_empty() {
            txn.contacts().update(&self.persons)?;
        }
        txn.journal().append(id, &self.entries)
    }
}

/// A lead and its persons with every fix.
struct Mended {
    before: Lead,
    after: Lead,
    /// Those that change, before and after.
    persons: Vec<(Contact, Contact)>,
}

impl Mended {
    fn is_nothing(&self) -> bool {
        self.before == self.after && self.persons.is_empty()
    }
}

/// What every lead is checked against.
struct Mender<'c> {
    ctx: &'c Context<'c>,
    /// Who may be seen, and who may be changed.
    gates: (Gate, Gate),
    openings: Openings,
    catalogue: Catalogue,
}

impl Mender<'_> {
    fn mend(&self, lead: Option<Lead>, persons: &[Contact], findings: &[&Finding]) -> Result<Mended> {
        let lead = lead.filter(|lead| lead.trashed.is_none() && self.gates.0.admits(lead));
        let before = lead.ok_or_else(|| Error::not_found("lead"))?;
        self.gates.1.check(&before)?;
        if before.conversion.is_some() {
            return Err(Error::conflicting("lead", Conflict::Converted));
        }
        self.openings.check("edit", &before)?;
        let mut after = before.clone();
        let mut known: Vec<(Contact, Contact)> = Vec::new();
        for finding in findings {
            let Some(contact) = finding.contact else {
                Expect::Revision(finding.revision).check("lead", before.revision)?;
                fix(self.ctx, &mut after.fields, finding)?;
                continue;
            };
            if !known.iter().any(|(before, _)| before.id == contact) {
                let found = persons.iter().find(|person| person.id == contact);
                let found = found.ok_or_else(|| Error::not_found("contact"))?;
                known.push((found.clone(), found.clone()));
            }
            for (was, person) in known.iter_mut().filter(|(before, _)| before.id == contact) {
                Expect::Revision(finding.revision).check("contact", was.revision)?;
                let mut fields = as_lead(person, &before.fields);
                fix(self.ctx, &mut fields, finding)?;
                (person.fields.emails, person.fields.phones) = (fields.emails, fields.phones);
            }
        }
        let mut broken = check_rules(self.ctx, &self.catalogue, &after.fields, &before.fields);
        known.retain(|(before, after)| before != after);
        for (before, after) in &mut known {
            broken.extend(after.fields.violations());
            (after.revision, after.updated_at) = (before.revision.next(), self.ctx.now());
        }
        if broken.is_empty() {
            Ok(Mended { before, after, persons: known })
        } else {
            Err(Error::invalid(broken))
        }
    }
}

fn fix(ctx: &Context<'_>, fields: &mut LeadFields, finding: &Finding) -> Result<()> {
    let region = fields.phone_region();
    let broken = match finding.channel {
        ReachChannel::Email => fixed(ctx, fields.emails.entries(), finding, Email::parse)
            .and_then(Emails::merged)
            .map(|emails| fields.emails = emails)
            .map_err(|error| error.at(Field::Email.key())),
        ReachChannel::Phone => {
            fixed(ctx, fields.phones.entries(), finding, |text: &str| Phone::parse(text, region))
                .and_then(Phones::merged)
                .map(|phones| fields.phones = phones)
                .map_err(|error| error.at(Field::Phone.key()))
        }
    };
    broken.map_err(|broken| Error::invalid(vec![broken]))
}

/// The list with one fix. Where an address is corrected to one that is there, the list has it twice.
fn fixed<T: Clone + AsRef<str>>(
    ctx: &Context<'_>,
    entries: &[Reachable<T>],
    finding: &Finding,
    read: impl Fn(&str) -> Result<T, ValueError>,
) -> Result<Vec<Reachable<T>>, ValueError> {
    let mut list = entries.to_vec();
    let Some(place) = list.iter().position(|entry| entry.value.as_ref() == finding.address) else {
        return Err(ValueError::new(ViolationCode::Unknown, "there is no such address"));
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
            let note = MarkNote::new(Some(ctx.now()), finding.issue.reason())?;
            if let Some(entry) = list.get_mut(place).filter(|entry| !entry.invalid) {
                entry.set_mark(ReachMark::Invalid, Some(note));
            }
        }
    }
    Ok(list)
}
