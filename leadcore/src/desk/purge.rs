//! Removing leads for good (S4.07): dead ones, or the trash.
//!
//! A purge is planned first and says how many leads go, which stay and why. It is not undone, and it says so: a purge is
//! the one operation without a way back.
//!
//! # What goes and what remains
//! A lead goes with its keys, its place in searches and counts, its read marks, its followers, its links, the persons that belong to
//! no other record, the accounts that were archived when its conversion was taken back (unless their number would be missing
//! from a series without gaps, or something hangs on them again), and the notes, tasks, files and the like that are about nothing else. Its number is not given again. The journal is never rewritten: earlier entries of the lead stay, with
//! what was changed in them, but no lead leads to them any more; the entry of the purge itself holds the number alone.
//! So a purge keeps lists short; it is no erasure of personal data.
//!
//! Converted leads stay for ever: they are where a customer came from.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{
    Account, Action, Field, FieldChange, FieldValue, Lead, Link, LinkRole, NewEntry, OperationKind, Series,
    Subject, SubjectKind, Topic, Topics,
};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, OperationId};
use crate::policy::Permission;
use crate::query::{Cursor, Filter, Resolved};
use crate::store::Txn;
use crate::time::Timestamp;

use super::access::{Gate, require};
use super::children_purge::{self, Leaving};
use super::leads::readable;
use super::operation::new_operation;
use super::{rounds, series};

/// Which leads to remove.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PurgeRequest {
    /// Which leads.
    pub filter: Filter,
    /// Only those in the trash.
    pub trash_only: bool,
    /// Only those that nobody touched for so many days: since they went into the trash, or were last written or worked.
    pub older_than_days: Option<u32>,
}

impl PurgeRequest {
    /// Leads in the trash that match.
    #[must_use]
    pub const fn trash(filter: Filter) -> Self {
        Self { filter, trash_only: true, older_than_days: None }
    }

    /// Leads that match, in the trash and out of it.
    #[must_use]
    pub const fn everywhere(filter: Filter) -> Self {
        Self { filter, trash_only: false, older_than_days: None }
    }

    /// Only those that nobody touched for so many days.
    #[must_use]
    pub const fn older_than_days(mut self, days: u32) -> Self {
        self.older_than_days = Some(days);
        self
    }
}

/// Why a lead that matches stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Blocked {
    /// It was converted.
    Converted,
    /// An account came from it.
    HasAccount,
    /// The actor may not delete it.
    Forbidden,
}

/// A lead that matches and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// The lead.
    pub lead: LeadId,
    /// Its number.
    pub number: u64,
    /// Why it stays.
    pub why: Blocked,
}

/// What a purge would remove. Pure data: show it, store it, apply it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PurgePlan {
    /// Which leads were asked for.
    pub request: PurgeRequest,
    /// The time that the days of the request are counted back from.
    pub planned_at: Timestamp,
    /// How many leads go out of the trash.
    pub trashed: u64,
    /// How many live leads go.
    pub live: u64,
    /// How many persons go with them.
    pub contacts: u64,
    /// How many archived accounts go with them: those of conversions that were taken back.
    #[serde(default)]
    pub accounts: u64,
    /// How many notes, tasks, files … go with them.
    #[serde(default)]
    pub children: u64,
    /// How many leads match and stay.
    pub blocked: u64,
    /// The first 100 of those.
    pub blockers: Vec<Blocker>,
    /// The first 20 of the leads that go, by number.
    pub sample: Vec<(LeadId, u64)>,
    /// Which leads go, and as what they were read: a plan is outdated when another one goes instead.
    pub checksum: u64,
}

/// What a purge removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PurgeOutcome {
    /// The operation; it cannot be undone.
    pub operation: OperationId,
    /// How many leads went.
    pub leads: u64,
    /// How many persons went with them.
    pub contacts: u64,
    /// How many archived accounts went with them.
    #[serde(default)]
    pub accounts: u64,
    /// How many notes, tasks, files … went with them.
    #[serde(default)]
    pub children: u64,
    /// How many leads matched and stayed.
    pub blocked: u64,
}

/// How many blockers a plan names.
const MOST_BLOCKERS: usize = 100;
/// How many entries of a history are read at a time.
const HISTORY: usize = 64;
/// How many leads a plan shows.
const SAMPLE: usize = 20;

/// What a purge would remove. Reads only.
///
/// # Errors
/// `Denied` without [`Permission::Delete`] and [`Permission::Configure`]: what cannot be taken back is not for everyone
/// who may use the trash; `Invalid` for a filter that does not fit.
pub fn plan(ctx: &Context<'_>, txn: &mut dyn Txn, request: &PurgeRequest) -> Result<PurgePlan> {
    planned(ctx, txn, request, ctx.now())
}

fn planned(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    request: &PurgeRequest,
    now: Timestamp,
) -> Result<PurgePlan> {
    // Before the request is copied: this refuses a filter that nests too deep to be copied.
    let mut rounds = Rounds::begin(ctx, txn, request, now)?;
    let mut plan = PurgePlan {
        request: request.clone(),
        planned_at: now,
        trashed: 0,
        live: 0,
        contacts: 0,
        accounts: 0,
        children: 0,
        blocked: 0,
        blockers: Vec::new(),
        sample: Vec::new(),
        checksum: 0,
    };
    // A person of two leads goes with the last of them.
    let (mut persons, mut children) = (Persons::default(), Leaving::default());
    while let Some(round) = rounds.next(txn)? {
        let contacts = persons.leaving(txn, &round.going)?;
        let accounts = archived(txn, &round.going)?;
        plan.contacts = plan.contacts.saturating_add(len(contacts.len()));
        plan.accounts = plan.accounts.saturating_add(len(accounts.len()));
        let gone = gone(&round.going, &contacts, &accounts);
        plan.children = plan.children.saturating_add(children.count(txn, &gone)?);
        for lead in &round.going {
            let count = if lead.trashed.is_some() { &mut plan.trashed } else { &mut plan.live };
            *count = count.saturating_add(1);
            plan.checksum = mixed(plan.checksum, lead);
            if plan.sample.len() < SAMPLE {
                plan.sample.push((lead.id, lead.number));
            }
        }
        plan.blocked = plan.blocked.saturating_add(len(round.blocked.len()));
        let room = MOST_BLOCKERS.saturating_sub(plan.blockers.len());
        plan.blockers.extend(round.blocked.into_iter().take(room));
    }
    Ok(plan)
}

/// A checksum over the leads that go, in their order: FNV-1a (64 bits) of ids and revisions.
fn mixed(checksum: u64, lead: &Lead) -> u64 {
    let start = if checksum == 0 { 0xcbf2_9ce4_8422_2325 } else { checksum };
    let bytes = lead.id.as_uuid().into_bytes().into_iter().chain(lead.revision.get().to_le_bytes());
    bytes.fold(start, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Removes what a plan says, for good, in this unit of work.
///
/// # Errors
/// As [`plan`]; `Conflict` with [`Conflict::PlanOutdated`] when other leads match by now. Nothing is written then.
pub fn apply(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &PurgePlan) -> Result<PurgeOutcome> {
    if planned(ctx, txn, &plan.request, plan.planned_at)? != *plan {
        return Err(Error::conflicting("selection", Conflict::PlanOutdated));
    }
    let operation = new_operation(ctx, OperationKind::Purge, None);
    let (operation_id, blocked) = (operation.id, plan.blocked);
    let (leads, contacts, accounts, children) = (0, 0, 0, 0);
    let mut outcome = PurgeOutcome { operation: operation_id, leads, contacts, accounts, children, blocked };
    txn.journal().begin(&operation)?;
    let mut rounds = Rounds::begin(ctx, txn, &plan.request, plan.planned_at)?;
    while let Some(round) = rounds.next(txn)? {
        let contacts = Persons::default().leaving(txn, &round.going)?;
        let accounts = archived(txn, &round.going)?;
        let leads = round.going.iter().map(|lead| Subject::from(lead.id));
        let subjects: Vec<_> = leads.chain(accounts.iter().map(|account| account.id.into())).collect();
        let children = children_purge::purge(ctx, txn, &gone(&round.going, &contacts, &accounts))?;
        let links = txn.links().from(&subjects, None)?;
        txn.links().remove(&links)?;
        super::followers::forget(txn, &subjects)?;
        txn.contacts().remove(&contacts)?;
        txn.accounts().remove(&accounts.iter().map(|account| account.id).collect::<Vec<_>>())?;
        txn.leads().remove(&round.going)?;
        let told = |lead: &Lead| {
            let number = FieldChange::new(Field::Number.key(), Field::Number.read(lead), FieldValue::Empty);
            NewEntry::new(lead.id, Action::Purged, ctx.now()).with_changes(vec![number])
        };
        let mut entries: Vec<_> = round.going.iter().map(told).collect();
        entries.extend(accounts.iter().map(|account| {
            let number = i64::try_from(account.number).unwrap_or(i64::MAX);
            let number = FieldChange::new(Field::Number.key(), number, FieldValue::Empty);
            NewEntry::new(account.id, Action::Purged, ctx.now()).with_changes(vec![number])
        }));
        txn.journal().append(operation.id, &entries)?;
        outcome.leads = outcome.leads.saturating_add(len(round.going.len()));
        outcome.contacts = outcome.contacts.saturating_add(len(contacts.len()));
        outcome.accounts = outcome.accounts.saturating_add(len(accounts.len()));
        outcome.children = outcome.children.saturating_add(children);
    }
    Ok(outcome)
}

/// The records that go, before their children.
fn gone(leads: &[Lead], contacts: &[ContactId], accounts: &[Account]) -> Vec<Subject> {
    let leads = leads.iter().map(|lead| Subject::from(lead.id));
    let contacts = contacts.iter().map(|contact| Subject::from(*contact));
    leads.chain(contacts).chain(accounts.iter().map(|account| account.id.into())).collect()
}

fn is_numbered_for_ever(txn: &mut dyn Txn, account: &Account) -> Result<bool> {
    match series::check_removal(txn, Series::Account, account.number, account.serial.as_ref()) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(true),
        Err(error) => Err(error),
    }
}

/// The accounts that these leads became once, and that were archived when that was taken back: nothing else leads to them. One
/// whose number would be missing from a series without gaps stays, as it is. So does one on which something hangs: what the
/// conversion hung there went when it was taken back, so this is somebody else's.
fn archived(txn: &mut dyn Txn, leads: &[Lead]) -> Result<Vec<Account>> {
    /// Created, converted, taken back: a lead that was written less often never was.
    const WRITTEN: u64 = 3;
    let mut found = Vec::new();
    for lead in leads.iter().filter(|lead| lead.revision.get() >= WRITTEN) {
        let mut before = None;
        loop {
            let told =
                txn.journal().about(&[lead.id.into()], Topics::of(&[Topic::Converted]), before, HISTORY)?;
            let back = told.iter().filter(|entry| entry.action == Action::Unconverted);
            let of_account = back.filter_map(|entry| Some((entry.other?, entry.operation)));
            let was = of_account.filter(|(other, _)| other.kind == SubjectKind::Account);
            let was: Vec<_> = was.map(|(other, by)| (AccountId::from_uuid(other.id), by)).collect();
            for (id, by) in was {
                let account = txn.accounts().get(&[id])?.pop();
                // Another lead's way back may have archived it: then it goes with that one.
                let own = |account: &Account| account.archived.as_ref().is_some_and(|it| it.operation == by);
                let Some(account) = account.filter(own) else { continue };
                let held = !txn.links().to(&[id.into()], None)?.is_empty()
                    || !txn.links().from(&[id.into()], None)?.is_empty()
                    || !txn.children().counts(&[id.into()])?.is_empty();
                if !held && !is_numbered_for_ever(txn, &account)? {
                    found.push(account);
                }
            }
            before = told.last().map(|entry| entry.sequence);
            if told.len() < HISTORY {
                break;
            }
        }
    }
    Ok(found)
}

fn len(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The leads that match, by number: first the trash, then live ones.
struct Rounds {
    filter: Resolved,
    delete: Gate,
    /// Those that were touched later stay.
    until: Option<Timestamp>,
    /// What is still to be walked.
    trash: Vec<bool>,
    after: Option<Cursor>,
}

/// Some leads: those that go, and those that stay.
struct Round {
    going: Vec<Lead>,
    blocked: Vec<Blocker>,
}

impl Rounds {
    fn begin(ctx: &Context<'_>, txn: &mut dyn Txn, request: &PurgeRequest, now: Timestamp) -> Result<Self> {
        require(ctx, txn, Permission::Configure)?;
        let delete = Gate::open(ctx, txn, Permission::Delete)?;
        let filter = readable(ctx, txn, &request.filter, &[])?;
        if !filter.is_about_the_lead() {
            let message = "a purge is about the lead alone, not about what was read or linked";
            return Err(Violation::new("filter", ViolationCode::NotAllowed, message).into());
        }
        let days = request.older_than_days.map(i64::from);
        let until = days.map(|days| now.saturating_add(-chrono::TimeDelta::days(days)));
        let trash = if request.trash_only { vec![true] } else { vec![false, true] };
        Ok(Self { filter, delete, until, trash, after: None })
    }

    fn next(&mut self, txn: &mut dyn Txn) -> Result<Option<Round>> {
        let leads = loop {
            let Some(trashed) = self.trash.last().copied() else { return Ok(None) };
            match rounds::next(txn, &self.filter, trashed, &mut self.after)? {
                Some(leads) => break leads,
                None => self.trash.pop(),
            };
        };
        let subjects: Vec<Subject> = leads.iter().map(|lead| lead.id.into()).collect();
        let links = txn.links().from(&subjects, Some(LinkRole::ConvertedTo))?;
        let with_account: BTreeSet<_> = links.iter().map(|link| link.from.id).collect();
        let mut round = Round { going: Vec::new(), blocked: Vec::new() };
        for lead in leads {
            // A call or a note is no edit of the lead, but somebody works it.
            let worked = lead.updated_at.max(lead.active_at);
            let since = lead.trashed.as_ref().map_or(worked, |trashed| trashed.at);
            if self.until.is_some_and(|until| since > until) {
                continue;
            }
            let why = if lead.conversion.is_some() {
                Some(Blocked::Converted)
            } else if with_account.contains(&lead.id.as_uuid()) {
                Some(Blocked::HasAccount)
            } else if !self.delete.admits(&lead) {
                Some(Blocked::Forbidden)
            } else {
                None
            };
            match why {
                None => round.going.push(lead),
                Some(why) => round.blocked.push(Blocker { lead: lead.id, number: lead.number, why }),
            }
        }
        Ok(Some(round))
    }
}

/// Which persons go with the leads.
#[derive(Default)]
struct Persons {
    /// Leads that are as good as gone.
    gone: BTreeSet<Subject>,
}

impl Persons {
    /// The persons of these leads that nothing else is linked with.
    fn leaving(&mut self, txn: &mut dyn Txn, leads: &[Lead]) -> Result<Vec<ContactId>> {
        let subjects: Vec<Subject> = leads.iter().map(|lead| lead.id.into()).collect();
        self.gone.extend(&subjects);
        let of_leads = txn.links().from(&subjects, None)?.into_iter().map(|link| link.to);
        let persons: BTreeSet<Subject> = of_leads.filter(|to| to.kind == SubjectKind::Contact).collect();
        let persons: Vec<_> = persons.into_iter().collect();
        let others = txn.links().to(&persons, None)?;
        let held: BTreeSet<_> = others
            .iter()
            .filter(|link: &&Link| !self.gone.contains(&link.from))
            .map(|link| link.to)
            .collect();
        let leaving = persons.into_iter().filter(|person| !held.contains(person));
        Ok(leaving.map(|person| ContactId::from_uuid(person.id)).collect())
    }
}
