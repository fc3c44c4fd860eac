//! Taking a conversion back (X.09), while nothing else stands on what it made.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{
    Account, Action, Actor, Contact, ContactFields, Conversion, Entry, FOLLOWER, FieldChange, Lead,
    LeadState, Link, LinkRole, NewEntry, Operation, OperationKind, Sequence, Subject, SubjectKind, TabCount,
    Topics, Trashed, Unmet, account_changes, contact_changes,
};
use crate::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, OperationId, Revision};
use crate::store::{LeadChange, Txn};

use super::super::leads::touch;
use super::super::moving::guard;
use super::super::operation::new_operation;
use super::{ConversionOutcome, Rules, first_outcome};

/// What becomes of a record that the conversion made or filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// A new account: it keeps its number and leaves every list.
    Archived,
    /// A new person: it goes; the journal keeps what it was.
    Removed,
    /// An account that was there before: these fields get back what they had.
    Restored(Vec<String>),
    /// It only loses its link to the lead.
    Unlinked,
}

/// A record that the conversion made, filled or linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The record.
    pub record: Subject,
    /// What becomes of it.
    pub fate: Fate,
}

/// Something that stands against taking a conversion back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "blocker", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unconvertible {
    /// Somebody else changed a new record since, or it was marked as not to be reached.
    Changed {
        /// The record.
        record: Subject,
        /// Who, each once.
        by: Vec<Actor>,
    },
    /// Fields of an account that was there before, which the conversion filled, were changed since.
    Edited {
        /// The account.
        record: Subject,
        /// Their keys.
        fields: Vec<String>,
    },
    /// Notes, files, estimates and the like hang on a new record.
    HasChildren {
        /// The record.
        record: Subject,
        /// How many, by tab.
        tabs: Vec<(String, u64)>,
    },
    /// Other leads became the new account too.
    OtherLeads {
        /// The account.
        record: Subject,
        /// Those that the actor may see.
        leads: Vec<LeadId>,
        /// How many there are besides.
        unseen: u64,
    },
    /// Other records have the new person too.
    InUse {
        /// The person.
        record: Subject,
        /// How many.
        by: u64,
    },
    /// The record is not there any more.
    Gone {
        /// The record.
        record: Subject,
    },
    /// The lead cannot come back into its stage.
    Stage {
        /// Why.
        unmet: Vec<Unmet>,
    },
}

/// What taking a conversion back would do, and what stands against it. Pure data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnconvertPlan {
    /// The lead.
    pub lead: LeadId,
    /// Its revision when the plan was made.
    pub revision: Revision,
    /// The operation that converted it.
    pub conversion: OperationId,
    /// The records that the conversion made, filled or linked.
    pub records: Vec<TakenBack>,
    /// What stands against it; none when it can be done.
    pub blockers: Vec<Unconvertible>,
}

/// What taking a conversion back did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnconvertOutcome {
    /// The operation.
    pub operation: OperationId,
    /// The lead, open again in the stage where it was.
    pub lead: LeadId,
    /// The operation that was taken back.
    pub conversion: OperationId,
    /// What became of the records.
    pub records: Vec<TakenBack>,
    /// Whether this call did it; `false` when it was done before and this is the first outcome.
    #[serde(skip, default)]
    pub newly_unconverted: bool,
}

/// What taking the conversion of a lead back would do, and all that stands against it at once. Reads only.
///
/// # Errors
/// `NotFound`, `Denied` (it takes the permission to convert); `Invalid` for a lead that is not converted; `Conflict` when
/// the tenant's [functions](super::super::functions) close `unconvert` for it.
pub fn plan_unconvert(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<UnconvertPlan> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    Ok(examine(txn, &rules, &lead)?.plan)
}

/// Does what a plan says, once.
///
/// # Errors
/// As [`plan_unconvert`]; `Conflict` with [`Conflict::PlanOutdated`] when it would do something else by now, with
/// [`Conflict::Blocked`] when something stands against it. Nothing is written then.
pub fn apply_unconvert(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    plan: &UnconvertPlan,
) -> Result<UnconvertOutcome> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, plan.lead)?;
    if let Some(first) = txn.journal().find(OperationKind::Unconvert, &key(plan.conversion))? {
        return read_outcome(first);
    }
    let found = examine(txn, &rules, &lead)?;
    if found.plan != *plan {
        return Err(Error::conflicting("lead", Conflict::PlanOutdated));
    }
    carry_out(ctx, txn, lead, found)
}

/// Plans and applies in one call. Afterwards the lead is open in the stage where it was, with all its associations; new
/// records of the conversion are archived or gone, and it can be converted again.
///
/// ```
/// use leadcore::desk::{convert, leads};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let lead = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     convert::convert(&ctx, txn, lead.id, &Default::default())?;
///     convert::unconvert(&ctx, txn, lead.id)?;
///     leads::get(&ctx, txn, lead.id)
/// })?;
/// assert!(lead.conversion.is_none());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As [`plan_unconvert`] and [`apply_unconvert`].
pub fn unconvert(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<UnconvertOutcome> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    let found = examine(txn, &rules, &lead)?;
    carry_out(ctx, txn, lead, found)
}

fn key(conversion: OperationId) -> String {
    format!("operation:{conversion}")
}

fn read_outcome(operation: Operation) -> Result<UnconvertOutcome> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "the outcome of the way back cannot be read");
    let stored = operation.outcome.ok_or_else(corrupt)?;
    serde_json::from_value(stored).map_err(|error| corrupt().with_source(error))
}

/// What the plan is made of, and what carrying it out needs besides.
struct Found {
    plan: UnconvertPlan,
    links: Vec<Link>,
    accounts: Vec<(Account, Account, Vec<FieldChange>)>,
    contacts: Vec<Contact>,
}

/// The entries of one operation.
fn entries_of(txn: &mut dyn Txn, operation: OperationId) -> Result<Vec<Entry>> {
    const READ: usize = 1_000;
    let (mut all, mut after): (Vec<Entry>, Option<Sequence>) = (Vec::new(), None);
    loop {
        let some = txn.journal().replay(Some(operation), after, READ)?;
        let is_last = some.len() < READ;
        after = some.last().map(|entry| entry.sequence);
        all.extend(some);
        if is_last {
            return Ok(all);
        }
    }
}

fn examine(txn: &mut dyn Txn, rules: &Rules, lead: &Lead) -> Result<Found> {
    let Some(done) = &lead.conversion else {
        let message = "the lead is not converted";
        return Err(Error::invalid_field("state", ViolationCode::NotAllowed, message));
    };
    rules.check_function(lead, "unconvert")?;
    let outcome = first_outcome(txn, done)?;
    let entries = entries_of(txn, done.operation)?;
    let mut look = Look { rules, lead, done, outcome: &outcome, records: Vec::new(), blockers: Vec::new() };
    look.stage(txn)?;
    let (mut accounts, mut contacts) = (Vec::new(), Vec::new());
    for entry in &entries {
        match (entry.subject.kind, entry.action) {
            (SubjectKind::Account, Action::Created) => accounts.extend(look.new_account(txn, entry)?),
            (SubjectKind::Account, Action::Updated) => accounts.extend(look.filled_account(txn, entry)?),
            (SubjectKind::Contact, Action::Created) => contacts.extend(look.new_contact(txn, entry)?),
            _ => {}
        }
    }
    look.linked();
    let plan = UnconvertPlan {
        lead: lead.id,
        revision: lead.revision,
        conversion: done.operation,
        records: look.records,
        blockers: look.blockers,
    };
    Ok(Found { plan, links: outcome.links, accounts, contacts })
}

/// One look at what a conversion did.
struct Look<'a> {
    rules: &'a Rules,
    lead: &'a Lead,
    done: &'a Conversion,
    outcome: &'a ConversionOutcome,
    records: Vec<TakenBack>,
    blockers: Vec<Unconvertible>,
}

impl Look<'_> {
    fn fate(&mut self, record: Subject, fate: Fate) {
        self.records.push(TakenBack { record, fate });
    }

    /// The lead comes back to its stage, if there is room.
    fn stage(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let after = Lead { conversion: None, ..self.lead.clone() };
        let pipelines = txn.pipelines().list()?;
        let stage = pipelines.iter().find_map(|pipeline| pipeline.stage(after.stage));
        if let Some(stage) =
            stage.filter(|stage| stage.wip_limit.is_some() && after.state() == LeadState::Open)
        {
            let unmet = guard(txn, &pipelines)?.check_return(stage);
            if !unmet.is_empty() {
                self.blockers.push(Unconvertible::Stage { unmet });
            }
        }
        Ok(())
    }

    fn new_account(
        &mut self,
        txn: &mut dyn Txn,
        entry: &Entry,
    ) -> Result<Option<(Account, Account, Vec<FieldChange>)>> {
        let record = entry.subject;
        self.fate(record, Fate::Archived);
        let Some(account) = txn.accounts().get(&[AccountId::from_uuid(record.id)])?.pop() else {
            self.blockers.push(Unconvertible::Gone { record });
            return Ok(None);
        };
        self.changed(txn, entry)?;
        self.children(txn, record)?;
        let origins = txn.links().to(&[record], Some(LinkRole::ConvertedTo))?;
        let others: Vec<_> = origins.iter().map(|link| LeadId::from_uuid(link.from.id)).collect();
        let others: Vec<_> = others.into_iter().filter(|id| *id != self.lead.id).collect();
        if !others.is_empty() {
            let found = txn.leads().get(&others)?;
            let leads: Vec<_> =
                found.iter().filter(|lead| self.rules.sees(lead)).map(|lead| lead.id).collect();
            let unseen = u64::try_from(others.len().saturating_sub(leads.len())).unwrap_or(u64::MAX);
            self.blockers.push(Unconvertible::OtherLeads { record, leads, unseen });
        }
        Ok(Some((account.clone(), account, Vec::new())))
    }

    fn filled_account(
        &mut self,
        txn: &mut dyn Txn,
        entry: &Entry,
    ) -> Result<Option<(Account, Account, Vec<FieldChange>)>> {
        let record = entry.subject;
        let Some(account) = txn.accounts().get(&[AccountId::from_uuid(record.id)])?.pop() else {
            self.blockers.push(Unconvertible::Gone { record });
            return Ok(None);
        };
        let mut after = account.clone();
        let rewound = after.fields.rewind(&entry.changes, &|_, _| None);
        if !rewound.kept.is_empty() {
            let fields = rewound.kept.into_iter().map(|kept| kept.field).collect();
            self.blockers.push(Unconvertible::Edited { record, fields });
        }
        self.fate(record, Fate::Restored(rewound.reversed));
        let changes = account_changes(&account.fields, &after.fields);
        Ok(Some((account, after, changes)))
    }

    fn new_contact(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<Option<Contact>> {
        let record = entry.subject;
        self.fate(record, Fate::Removed);
        let Some(contact) = txn.contacts().get(&[ContactId::from_uuid(record.id)])?.pop() else {
            self.blockers.push(Unconvertible::Gone { record });
            return Ok(None);
        };
        self.changed(txn, entry)?;
        self.children(txn, record)?;
        let ours = &self.outcome.links;
        let holders = txn.links().to(&[record], None)?;
        let others = holders.iter().filter(|link| !ours.contains(link)).count();
        if others > 0 {
            let by = u64::try_from(others).unwrap_or(u64::MAX);
            self.blockers.push(Unconvertible::InUse { record, by });
        }
        Ok(Some(contact))
    }

    /// Who else wrote a new record since. What is said of its addresses counts whoever said it: an opt-out must not go
    /// with the record.
    fn changed(&mut self, txn: &mut dyn Txn, made: &Entry) -> Result<()> {
        const READ: usize = 64;
        let record = made.subject;
        let (mut by, mut before) = (Vec::new(), None);
        loop {
            let entries = txn.journal().about(&[record], Topics::NONE, before, READ)?;
            let is_last = entries.len() < READ;
            before = entries.last().map(|entry| entry.sequence);
            let since = entries.into_iter().filter(|entry| entry.sequence > made.sequence);
            let own = since.filter(|entry| {
                entry.subject == record && entry.operation != self.done.operation && !followers_only(entry)
            });
            for entry in own.filter(|entry| entry.actor != made.actor || speaks_of_addresses(entry)) {
                if !by.contains(&entry.actor) {
                    by.push(entry.actor);
                }
            }
            if is_last || before.is_none_or(|end| end <= made.sequence) {
                break;
            }
        }
        if !by.is_empty() {
            self.blockers.push(Unconvertible::Changed { record, by });
        }
        Ok(())
    }

    fn children(&mut self, txn: &mut dyn Txn, record: Subject) -> Result<()> {
        let counts = txn.children().counts(&[record])?;
        if !counts.is_empty() {
            let told = |count: &TabCount| (count.tab.code().to_owned(), count.total);
            self.blockers
                .push(Unconvertible::HasChildren { record, tabs: counts.iter().map(told).collect() });
        }
        Ok(())
    }

    /// What was there before and is only linked.
    fn linked(&mut self) {
        let known: BTreeSet<_> = self.records.iter().map(|taken| taken.record).collect();
        let own = Subject::from(self.lead.id);
        let mut linked: BTreeSet<_> =
            self.outcome.links.iter().flat_map(|link| [link.from, link.to]).collect();
        linked.retain(|record| *record != own && !known.contains(record));
        self.records.extend(linked.into_iter().map(|record| TakenBack { record, fate: Fate::Unlinked }));
    }
}

/// Who follows a record does not write it.
fn followers_only(entry: &Entry) -> bool {
    entry.changes.iter().any(|change| change.field == FOLLOWER)
}

fn speaks_of_addresses(entry: &Entry) -> bool {
    entry.changes.iter().any(|change| {
        matches!(change.field.as_str(), "email" | "phone")
            || ContactFields::own_field(&change.field).is_some_and(|(field, _)| field.key() == "phone")
    })
}

fn carry_out(ctx: &Context<'_>, txn: &mut dyn Txn, before: Lead, found: Found) -> Result<UnconvertOutcome> {
    let plan = found.plan;
    if !plan.blockers.is_empty() {
        let by = u64::try_from(plan.blockers.len()).unwrap_or(u64::MAX);
        return Err(Error::conflicting("lead", Conflict::Blocked { by }));
    }
    let mut operation = new_operation(ctx, OperationKind::Unconvert, Some(key(plan.conversion)));
    let account = before.conversion.as_ref().map(|done| done.account);
    let mut after = Lead { conversion: None, ..before.clone() };
    let mut thawed = touch(ctx, &before, &mut after, Action::Unconverted);
    thawed.other = account.map(Subject::from);
    txn.leads().update(&[LeadChange { before, after }])?;
    txn.links().remove(&found.links)?;
    let mut entries = vec![thawed];
    for (was, mut now, changes) in found.accounts {
        let is_new =
            plan.records.iter().any(|taken| taken.record == was.id.into() && taken.fate == Fate::Archived);
        if is_new {
            now.archived = Some(Trashed { at: ctx.now(), operation: operation.id });
        } else if changes.is_empty() {
            continue;
        }
        (now.revision, now.updated_at) = (was.revision.next(), ctx.now());
        txn.accounts().update(std::slice::from_ref(&now))?;
        let action = if is_new { Action::Deleted } else { Action::Updated };
        entries.push(NewEntry::new(now.id, action, ctx.now()).with_other(plan.lead).with_changes(changes));
    }
    let gone: Vec<_> = found.contacts.iter().map(|contact| contact.id).collect();
    txn.contacts().remove(&gone)?;
    for contact in found.contacts {
        // The journal keeps what the person was.
        let changes = contact_changes(&contact.fields, &ContactFields::default());
        let entry = NewEntry::new(contact.id, Action::Deleted, ctx.now()).with_other(plan.lead);
        entries.push(entry.with_changes(changes));
    }
    // The lead can be converted again: its first outcome is forgotten.
    if let Some(first) = txn.journal().operation(plan.conversion)? {
        txn.journal().update(&Operation { key: None, ..first })?;
    }
    let outcome = UnconvertOutcome {
        operation: operation.id,
        lead: plan.lead,
        conversion: plan.conversion,
        records: plan.records,
        newly_unconverted: true,
    };
    operation.outcome = Some(serde_json::to_value(&outcome).map_err(|error| {
        Error::new(ErrorKind::Internal, "an outcome could not be written as JSON").with_source(error)
    })?);
    txn.journal().begin(&operation)?;
    txn.journal().append(operation.id, &entries)?;
    Ok(outcome)
}
