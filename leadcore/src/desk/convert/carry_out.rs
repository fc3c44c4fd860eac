//! Carrying a plan out.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{
    Account, Action, Contact, Conversion, FieldChange, Lead, Link, LinkRole, NewEntry, OperationKind,
    Subject, SubjectKind, TermKind, account_changes,
};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{AccountId, ContactId, Revision};
use crate::store::{LeadChange, Txn};

use super::super::access::Expect;
use super::super::accounts;
use super::super::contacts::new_contact;
use super::super::leads::touch;
use super::super::operation::new_operation;
use super::{ConversionOutcome, ConversionPlan, PlannedAccount, PlannedPerson, Rules};

/// Carries a plan out, once. When the lead was converted before, by whatever plan, nothing is written and the first
/// outcome is returned.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` with [`Conflict::PlanOutdated`] when lead or account changed since the plan was
/// made; `Invalid` when an edited plan breaks a rule. In each case nothing is written.
pub fn apply(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<ConversionOutcome> {
    let rules = Rules::load(ctx, txn)?;
    apply_by(ctx, txn, &rules, plan)
}

pub(super) fn apply_by(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &Rules,
    plan: &ConversionPlan,
) -> Result<ConversionOutcome> {
    let lead = rules.lead(txn, plan.lead)?;
    if let Some(done) = &lead.conversion {
        return first_outcome(txn, done);
    }
    rules.check_open(&lead, Expect::Any, "convert")?;
    if lead.revision != plan.revision {
        return Err(Error::conflicting("lead", Conflict::PlanOutdated));
    }
    let broken = violations(ctx, txn, &lead, plan)?;
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let persons = new_persons(ctx, txn, &lead, plan)?;

    let mut operation = new_operation(ctx, OperationKind::Convert, Some(format!("lead:{}", lead.id)));
    let (account, change) = target(ctx, txn, plan)?;
    let mut after = lead.clone();
    after.conversion = Some(Conversion { at: ctx.now(), account: account.id, operation: operation.id });
    let frozen = touch(ctx, &lead, &mut after, Action::Converted).with_other(account.id);
    // Claiming the lead comes before every other write: of two conversions at once, one stops here.
    txn.leads().update(&[LeadChange { before: lead, after: after.clone() }])?;
    let account = write_account(ctx, txn, account, &change)?;
    let new: Vec<_> = persons.iter().filter_map(|(_, new, _)| new.clone()).collect();
    txn.contacts().insert(&new)?;
    let links = link(txn, &after, &account, &persons)?;

    let outcome = ConversionOutcome {
        operation: operation.id,
        lead: after.id,
        account: account.id,
        account_number: account.number,
        contacts: persons.iter().map(|(id, _, _)| *id).collect(),
        links,
        newly_converted: true,
    };
    operation.outcome = Some(serde_json::to_value(&outcome).map_err(|error| {
        Error::new(ErrorKind::Internal, "an outcome could not be written as JSON").with_source(error)
    })?);
    txn.journal().begin(&operation)?;
    let mut entries = vec![frozen];
    match change {
        Target::New => {
            entries.push(NewEntry::new(account.id, Action::Created, ctx.now()).with_other(after.id));
        }
        Target::Existing(changes) => {
            let updated = NewEntry::new(account.id, Action::Updated, ctx.now());
            entries.push(updated.with_other(after.id).with_changes(changes));
        }
        Target::Untouched => {}
    }
    entries.extend(
        new.iter()
            .map(|contact| NewEntry::new(contact.id, Action::Created, ctx.now()).with_other(account.id)),
    );
    txn.journal().append(operation.id, &entries)?;
    Ok(outcome)
}

/// Every rule that a plan breaks. One that [`plan`](super::plan) made breaks none; one that was edited may.
fn violations(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    plan: &ConversionPlan,
) -> Result<Vec<Violation>> {
    let fields = plan.account.fields();
    let mut broken = fields.violations();
    if let Some(category) = fields.category
        && txn.terms().get(TermKind::Category, &[category.as_uuid()])?.is_empty()
    {
        let message = "there is no category with this id";
        broken.push(Violation::new("account.category", ViolationCode::Unknown, message));
    }
    // The owner that lead or account have already needs no leave.
    let known = match &plan.account {
        PlannedAccount::New { .. } => None,
        PlannedAccount::Existing { id, .. } => accounts::load(ctx, txn, *id)?.fields.owner,
    };
    if let Some(owner) = fields
        .owner
        .as_ref()
        .filter(|owner| lead.fields.owner.as_ref() != Some(*owner) && known.as_ref() != Some(*owner))
        && !ctx.policy().may_own(ctx.actor(), owner)
    {
        broken.push(Violation::new("account.owner", ViolationCode::NotAllowed, "this user cannot own leads"));
    }
    if plan.contacts.iter().filter(|contact| contact.is_primary).count() > 1 {
        let message = "an account has one primary contact at most";
        broken.push(Violation::new("contacts", ViolationCode::Duplicate, message));
    }
    let mut seen = BTreeSet::new();
    let twice = |who: &PlannedPerson| matches!(who, PlannedPerson::Existing(id) if !seen.insert(*id));
    if plan.contacts.iter().map(|contact| &contact.who).any(twice) {
        broken.push(Violation::new("contacts", ViolationCode::Duplicate, "a person is named twice"));
    }
    Ok(broken)
}

/// The outcome that the first conversion left in the journal.
pub(super) fn first_outcome(txn: &mut dyn Txn, done: &Conversion) -> Result<ConversionOutcome> {
    let stored = txn.journal().operation(done.operation)?.and_then(|operation| operation.outcome);
    let corrupt = || Error::new(ErrorKind::Corrupt, "the outcome of the conversion cannot be read");
    serde_json::from_value(stored.ok_or_else(corrupt)?).map_err(|error| corrupt().with_source(error))
}

type Person = (ContactId, Option<Contact>, bool);

/// The persons of the plan, the primary one first: ids, and records for new ones.
fn new_persons(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    plan: &ConversionPlan,
) -> Result<Vec<Person>> {
    let of_lead = txn.links().from(&[lead.id.into()], None)?;
    let mut now: Vec<_> = of_lead
        .iter()
        .filter(|link| link.to.kind == SubjectKind::Contact)
        .map(|link| ContactId::from_uuid(link.to.id))
        .collect();
    now.sort();
    if now != plan.persons {
        return Err(Error::conflicting("lead", Conflict::PlanOutdated));
    }
    let mut persons = Vec::with_capacity(plan.contacts.len());
    for planned in &plan.contacts {
        persons.push(match &planned.who {
            // A plan may have been edited: it cannot take along a person of somebody else.
            PlannedPerson::Existing(id) if !of_lead.iter().any(|link| link.to == Subject::from(*id)) => {
                return Err(Error::conflicting("lead", Conflict::PlanOutdated));
            }
            PlannedPerson::Existing(id) => (*id, None, planned.is_primary),
            PlannedPerson::New(fields) => {
                let contact = new_contact(ctx, fields.as_ref().clone())?;
                (contact.id, Some(contact), planned.is_primary)
            }
        });
    }
    persons.sort_by_key(|(_, _, is_primary)| !is_primary);
    Ok(persons)
}

enum Target {
    New,
    Existing(Vec<FieldChange>),
    /// An account that has all of it already: neither its revision nor its history moves.
    Untouched,
}

/// The account as it shall be, and what is new about it.
fn target(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<(Account, Target)> {
    let now = ctx.now();
    match &plan.account {
        PlannedAccount::New { fields, .. } => {
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
            Ok((account, Target::New))
        }
        PlannedAccount::Existing { id, revision, fields } => {
            let mut account = accounts::live(accounts::load(ctx, txn, *id)?)?;
            if account.revision != *revision {
                return Err(Error::conflicting("account", Conflict::PlanOutdated));
            }
            if account.fields == **fields {
                return Ok((account, Target::Untouched));
            }
            let changes = account_changes(&account.fields, fields);
            account.fields = fields.as_ref().clone();
            account.revision = account.revision.next();
            account.updated_at = now;
            Ok((account, Target::Existing(changes)))
        }
    }
}

fn write_account(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    mut account: Account,
    target: &Target,
) -> Result<Account> {
    match target {
        Target::New => {
            accounts::insert_numbered(ctx, txn, &mut account, None)?;
        }
        Target::Existing(_) => txn.accounts().update(std::slice::from_ref(&account))?,
        Target::Untouched => {}
    }
    Ok(account)
}

/// Links what belongs together now, and says which links are new.
fn link(txn: &mut dyn Txn, lead: &Lead, account: &Account, persons: &[Person]) -> Result<Vec<Link>> {
    let known = txn.links().from(&[account.id.into()], None)?;
    let has_primary = known.iter().any(|link| link.role == LinkRole::PrimaryContact);
    let of_lead = txn.links().from(&[lead.id.into()], Some(LinkRole::PrimaryContact))?;
    let mut links = vec![Link::new(lead.id, LinkRole::ConvertedTo, account.id)];
    for (id, new, is_primary) in persons {
        // An account that has a primary contact keeps it, and a person that it has already is not linked again.
        let role = if *is_primary && !has_primary { LinkRole::PrimaryContact } else { LinkRole::Contact };
        if !known.iter().any(|link| link.to == Subject::from(*id)) {
            links.push(Link::new(account.id, role, *id));
        }
        if new.is_some() {
            // The person of the lead is listed on the lead too: both sides show the same persons.
            let is_first = *is_primary && of_lead.is_empty();
            let role = if is_first { LinkRole::PrimaryContact } else { LinkRole::Contact };
            links.push(Link::new(lead.id, role, *id));
        }
    }
    txn.links().insert(&links)?;
    Ok(links)
}
