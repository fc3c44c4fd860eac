//! Carrying a plan out.

use std::borrow::Cow;

use crate::context::Context;
use crate::domain::{
    Account, Action, Contact, Conversion, FieldChange, Lead, Link, LinkRole, NewEntry, OperationKind, Series,
    Subject, SubjectKind, account_changes, contact_changes,
};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation};
use crate::id::{AccountId, ContactId, NumberSeriesId, Revision};
use crate::store::{LeadChange, Txn};

use super::super::access::Expect;
use super::super::accounts;
use super::super::contacts::new_contact;
use super::super::leads::touch;
use super::super::operation::new_operation;
use super::super::series;
use super::consent::Said;
use super::hosts::{ConversionTarget, Hosts};
use super::links::{self, KnownLinks, Linked, PlannedLink};
use super::once::{self, Once};
use super::plan::{ConversionOutcome, ConversionPlan, PlannedAccount, PlannedPerson};
use super::rules::Rules;
use super::sales::Sales;
use super::stored::{Stored, first_outcome};
use super::{check, hidden, judged, sales};

/// Carries a plan out, once. When the lead was converted before, by whatever plan, nothing is written and the first
/// outcome is returned. With a [key](ConversionPlan::key) that outcome is the key's too.
///
/// # Errors
/// `NotFound`, `Denied` (also for an account, a person or an opportunity that the lead joins and the actor may not change);
/// `Conflict` with [`Conflict::PlanOutdated`] when lead, account, opportunity, person or a chosen
/// estimate changed since the plan was made, with [`Conflict::SeriesExhausted`] when nothing stands against it but that one
/// series has no number left, with [`Conflict::KeyReused`] when its key stands for another plan, with [`Conflict::Closed`] when
/// the tenant closed conversion for the lead in its state; `Invalid` with everything that stands against it, when that is more:
/// rules that an edited plan breaks, what the lead lacks, series that have no number left (`series`, `opportunity.series`).
/// In each case nothing is written.
pub fn apply(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<ConversionOutcome> {
    apply_with(ctx, txn, plan, &[])
}

/// [`apply`], with what the host keeps in tables of its own: in the same unit of work, in the order of `hosts`.
///
/// # Errors
/// As [`apply`], and what a target returns. Nothing is written then.
pub fn apply_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    plan: &ConversionPlan,
    hosts: &[&dyn ConversionTarget],
) -> Result<ConversionOutcome> {
    let mut rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, plan.lead)?;
    let once = plan.key.as_ref().map(|key| Once::conversion(key).for_plan(plan)).transpose()?;
    once::by(ctx, txn, once, first_outcome, |txn| {
        if let Some(done) = &lead.conversion {
            let outcome = first_outcome(txn, done.operation)?;
            return Ok((done.operation, outcome));
        }
        // The tenant may ask more of a lead than when the plan was made.
        let lacks = rules.mapper(txn, &lead)?.leads.check_change(&lead.fields, &lead.fields);
        let outcome = carry_out(ctx, txn, &mut rules, lead, (plan, &Hosts::new(hosts)), lacks)?;
        Ok((outcome.operation, outcome))
    })
}

/// Converts a lead that is not converted. What stands against it already is told with what the plan breaks.
pub(super) fn carry_out(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    lead: Lead,
    (plan, hosts): (&ConversionPlan, &Hosts<'_>),
    known: Vec<Violation>,
) -> Result<ConversionOutcome> {
    let Ready { plan, of_lead, persons, mut target, sales } = ready(ctx, txn, rules, &lead, plan, known)?;
    let plan = plan.as_ref();
    let is_new = matches!(target, Some((_, Target::New(_))));
    rules.begin(true);
    // Taking the number is the last check and the first write: a series that is used up refuses before anything else is
    // written.
    if let Some((account, Target::New(series))) = &mut target {
        let series = rules.choose(txn, Series::Account, *series)?;
        (account.number, account.serial) = series::take_of(ctx, txn, &series)?;
    }

    let mut operation = new_operation(ctx, OperationKind::Convert, Some(format!("lead:{}", lead.id)));
    let mut after = lead.clone();
    let account = target.as_ref().map(|(account, _)| account.id);
    after.conversion = Some(Conversion { at: ctx.now(), account, operation: operation.id });
    let mut frozen = touch(ctx, &lead, &mut after, Action::Converted);
    frozen.other = account.map(Subject::from).or_else(|| persons.first().map(|person| person.id.into()));
    // Claiming the lead is the first write of a record: of two conversions at once, one stops here, and its number is given
    // back with the rest of its transaction.
    txn.leads().update(&[LeadChange { before: lead, after: after.clone() }])?;
    let mut entries = vec![frozen];
    let account = target.map(|target| write_account(ctx, txn, &after, target, &mut entries)).transpose()?;
    write_persons(ctx, txn, (&after, account.as_ref()), &persons, &mut entries)?;
    let mut links = link(txn, (&after, &of_lead), (account.as_ref(), is_new), &persons)?;

    let mut outcome = ConversionOutcome {
        operation: operation.id,
        lead: after.id,
        account: account.as_ref().map(|account| account.id),
        account_number: account.as_ref().map_or(0, |account| account.number),
        contacts: persons.iter().map(|person| person.id).collect(),
        links: Vec::new(),
        opportunity: None,
        services: Vec::new(),
        document: plan.document(),
        host: Vec::new(),
        newly_converted: true,
    };
    if let Some(account) = &account {
        sales::write(ctx, txn, (account, plan), sales, (&mut outcome, &mut links, &mut entries))?;
    }
    txn.links().insert(&links)?;
    outcome.links = links;
    let host_wrote = hosts.create(txn, &mut outcome, plan)?;
    let (itself, took_over) = (itself(plan), Vec::new());
    let stored = Stored { outcome, host_wrote, itself, took_over, made_for: None };
    operation.outcome = Some(serde_json::to_value(&stored).map_err(|error| {
        Error::new(ErrorKind::Internal, "an outcome could not be written as JSON").with_source(error)
    })?);
    txn.journal().begin(&operation)?;
    txn.journal().append(operation.id, &entries)?;
    Ok(stored.outcome)
}

/// Everything that a conversion writes, checked as far as reading goes.
struct Ready<'p> {
    plan: Cow<'p, ConversionPlan>,
    of_lead: Vec<Link>,
    persons: Vec<Person>,
    target: Option<(Account, Target)>,
    sales: Sales,
}

/// Looks at everything before anything is written, and refuses with all that stands against it.
fn ready<'p>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    lead: &Lead,
    plan: &'p ConversionPlan,
    known: Vec<Violation>,
) -> Result<Ready<'p>> {
    Rules::check_open(lead, Expect::Any)?;
    if lead.revision != plan.revision {
        return Err(Error::conflicting("lead", Conflict::PlanOutdated));
    }
    let of_lead = txn.links().from(&[lead.id.into()], None)?;
    let mut plan = hidden::filled(ctx, txn, rules, lead, plan)?;
    let said = Said::of(txn, (lead, &of_lead), &plan, None)?;
    said.tighten(&mut plan);
    let mut broken = judged::against(rules, lead);
    let fields = &rules.mapper(txn, lead)?.fields;
    broken.extend(check::violations(ctx, txn, (lead, &plan), fields)?);
    broken.extend(known);
    if !broken.is_empty() {
        broken.extend(sales::against(ctx, txn, lead, &plan)?);
        return Err(judged::refusal(ctx, &plan.hidden, broken));
    }
    check::estimates(ctx, txn, &plan)?;
    check::matches(ctx, txn, &plan)?;
    let persons = persons(ctx, txn, (&of_lead, &said), &plan)?;
    let target = target(ctx, txn, &plan)?;
    let sales = match sales::prepare(ctx, txn, lead, &plan) {
        Ok(sales) => sales,
        Err(error) => return Err(sales::refusal(ctx, txn, (lead, &plan), error)?),
    };
    Ok(Ready { plan, of_lead, persons, target, sales })
}

/// The contact that the person of the lead itself is.
fn itself(plan: &ConversionPlan) -> Option<ContactId> {
    plan.contacts.iter().find_map(|contact| match &contact.who {
        PlannedPerson::Known { id, is_lead: true, .. } => Some(*id),
        _ => None,
    })
}

/// A person of the plan, and what is written of it.
struct Person {
    id: ContactId,
    is_primary: bool,
    written: Written,
    /// The persons of the lead who are this one.
    instead_of: Vec<ContactId>,
}

enum Written {
    /// It is one of the lead's and stays as it is.
    Nothing,
    New(Contact),
    /// It is a contact already, and learns something or nothing.
    Known(Contact, Vec<FieldChange>),
}

/// The persons of the plan, the primary one first.
fn persons(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (of_lead, said): (&[Link], &Said),
    plan: &ConversionPlan,
) -> Result<Vec<Person>> {
    let mut now: Vec<_> = of_lead
        .iter()
        .filter(|link| link.to.kind == SubjectKind::Contact)
        .map(|link| ContactId::from_uuid(link.to.id))
        .collect();
    now.sort();
    let outdated = |what| Err(Error::conflicting(what, Conflict::PlanOutdated));
    if now != plan.persons {
        return outdated("lead");
    }
    let mut persons = Vec::with_capacity(plan.contacts.len());
    for planned in &plan.contacts {
        let is_primary = planned.is_primary;
        let own = planned.who.instead_of().iter().filter(|id| now.contains(id));
        let instead_of: Vec<_> = own.copied().collect();
        persons.push(match &planned.who {
            // A plan may have been edited: it cannot take along a person of somebody else.
            PlannedPerson::Existing(id) if !of_lead.iter().any(|link| link.to == Subject::from(*id)) => {
                return outdated("lead");
            }
            PlannedPerson::Existing(id) => {
                let marked = said.marked(*id).map(|(contact, changes)| Written::Known(contact, changes));
                Person { id: *id, is_primary, written: marked.unwrap_or(Written::Nothing), instead_of }
            }
            PlannedPerson::New(fields) => {
                let contact = new_contact(ctx, fields.as_ref().clone())?;
                Person { id: contact.id, is_primary, written: Written::New(contact), instead_of }
            }
            PlannedPerson::Known { id, revision, fields, .. } => {
                let found = sales::joined_contact(ctx, txn, *id)?;
                if found.revision != *revision {
                    return outdated("contact");
                }
                let changes = contact_changes(&found.fields, fields);
                let fields = fields.as_ref().clone();
                let written = Written::Known(Contact { fields, ..found }, changes);
                Person { id: *id, is_primary, written, instead_of }
            }
        });
    }
    persons.sort_by_key(|person| !person.is_primary);
    Ok(persons)
}

fn write_persons(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, account): (&Lead, Option<&Account>),
    persons: &[Person],
    entries: &mut Vec<NewEntry>,
) -> Result<()> {
    let of = account.map_or_else(|| Subject::from(lead.id), |account| account.id.into());
    let told = |id: ContactId, action, changes| {
        let entry = NewEntry { other: Some(of), ..NewEntry::new(id, action, ctx.now()) };
        entry.with_changes(changes)
    };
    let mut new = Vec::new();
    for person in persons {
        match &person.written {
            Written::Nothing => {}
            Written::New(contact) => {
                new.push(contact.clone());
                entries.push(told(contact.id, Action::Created, Vec::new()));
            }
            Written::Known(_, changes) if changes.is_empty() => {}
            Written::Known(contact, changes) => {
                let revision = contact.revision.next();
                let after = Contact { revision, updated_at: ctx.now(), ..contact.clone() };
                txn.contacts().update(std::slice::from_ref(&after))?;
                entries.push(told(after.id, Action::Updated, changes.clone()));
            }
        }
    }
    txn.contacts().insert(&new)
}

enum Target {
    New(Option<NumberSeriesId>),
    Existing(Vec<FieldChange>),
    /// An account that has all of it already: neither its revision nor its history moves.
    Untouched,
}

/// The account as it shall be, and what is new about it.
fn target(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<Option<(Account, Target)>> {
    let now = ctx.now();
    match &plan.account {
        PlannedAccount::None => Ok(None),
        PlannedAccount::New { fields, series, .. } => {
            let account = Account {
                id: AccountId::from_uuid(ctx.new_uuid()),
                number: 0,
                serial: None,
                revision: Revision::FIRST,
                fields: fields.as_ref().clone(),
                created_at: now,
                updated_at: now,
                archived: None,
            };
            Ok(Some((account, Target::New(*series))))
        }
        PlannedAccount::Existing { id, revision, fields } => {
            let mut account = accounts::editable(ctx, txn, *id)?;
            if account.revision != *revision {
                return Err(Error::conflicting("account", Conflict::PlanOutdated));
            }
            if account.fields == **fields {
                return Ok(Some((account, Target::Untouched)));
            }
            let changes = account_changes(&account.fields, fields);
            account.fields = fields.as_ref().clone();
            account.revision = account.revision.next();
            account.updated_at = now;
            Ok(Some((account, Target::Existing(changes))))
        }
    }
}

fn write_account(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    (account, target): (Account, Target),
    entries: &mut Vec<NewEntry>,
) -> Result<Account> {
    let told = |action| NewEntry::new(account.id, action, ctx.now()).with_other(lead.id);
    match target {
        Target::New(_) => {
            entries.push(told(Action::Created));
            txn.accounts().insert(std::slice::from_ref(&account))?;
        }
        Target::Existing(changes) => {
            entries.push(told(Action::Updated).with_changes(changes));
            txn.accounts().update(std::slice::from_ref(&account))?;
        }
        Target::Untouched => {}
    }
    Ok(account)
}

/// What belongs together now and was not linked yet.
fn link(
    txn: &mut dyn Txn,
    (lead, of_lead): (&Lead, &[Link]),
    (account, is_new): (Option<&Account>, bool),
    persons: &[Person],
) -> Result<Vec<Link>> {
    let existing = account.filter(|_| !is_new).map(|account| account.id);
    let ids: Vec<_> = persons.iter().map(|person| person.id).collect();
    let has_primary = of_lead.iter().any(|link| link.role == LinkRole::PrimaryContact);
    let turned_out: Vec<_> = persons.iter().flat_map(|person| person.instead_of.iter().copied()).collect();
    let known = KnownLinks::read(txn, (has_primary, existing), &ids, &turned_out)?;
    let linked = persons.iter().map(|person| {
        let subject = Subject::from(person.id);
        let of_lead =
            matches!(person.written, Written::Nothing) || of_lead.iter().any(|link| link.to == subject);
        Linked { person: subject.into(), is_primary: person.is_primary, of_lead }
    });
    let account = account.map(|account| Subject::from(account.id).into());
    let same = persons
        .iter()
        .flat_map(|person| person.instead_of.iter().map(|own| (*own, Subject::from(person.id).into())));
    let (linked, same) = (linked.collect::<Vec<_>>(), same.collect());
    let links = links::added(lead.id, account, (&linked, &same), &known);
    Ok(links.into_iter().filter_map(PlannedLink::made).collect())
}
