//! What a conversion did, and what stands on it by now.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{
    Account, Action, Activity, Contact, Conversion, Entry, FieldChange, Lead, LeadState, Link, LinkRole,
    Opportunity, Rewound, Sequence, Series, Service, Subject, SubjectKind,
};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, OperationId, OpportunityId, ServiceId};
use crate::store::Txn;

use super::super::super::moving::guard;
use super::super::super::series;
use super::super::plan::ConversionOutcome;
use super::super::rules::Rules;
use super::super::stored::{Stored, stored};
use super::handed::HandedOn;
use super::primary::PrimaryMade;
use super::referring::triggered;
use super::said::SaidSince;
use super::since::Later;
use super::wrote::{Hung, Wrote, by_targets, hung};
use super::{Fate, TakenBack, UnconvertPlan, Unconvertible};

/// A record that is written back: as it is, as it shall be, and the difference.
pub(super) struct Rewritten<T> {
    pub(super) before: T,
    pub(super) after: T,
    pub(super) changes: Vec<FieldChange>,
}

/// What the plan is made of, and what carrying it out needs besides.
pub(super) struct Found {
    pub(super) plan: UnconvertPlan,
    pub(super) outcome: ConversionOutcome,
    pub(super) accounts: Vec<Rewritten<Account>>,
    /// New persons, which go.
    pub(super) contacts: Vec<Contact>,
    pub(super) known: Vec<Rewritten<Contact>>,
    pub(super) opportunities: Vec<Opportunity>,
    /// New ones that stay, as lost, because of their numbers.
    pub(super) closed: Vec<Opportunity>,
    pub(super) joined: Vec<Rewritten<Opportunity>>,
    pub(super) services: Vec<Service>,
    /// The links of the conversion that go.
    pub(super) links: Vec<Link>,
    /// The choice of a primary contact that is turned back: a target of the host made it, or somebody since, who chose a person who
    /// goes.
    pub(super) primary: Option<PrimaryMade>,
    /// Conversions that stand, with what they take over from this one.
    pub(super) heirs: BTreeMap<OperationId, Stored>,
    pub(super) said: SaidSince,
    /// What targets of the host hung on the records of the conversion.
    pub(super) by_targets: BTreeSet<Subject>,
    /// The records of the conversion, new or not.
    pub(super) records: BTreeSet<Subject>,
    /// What the actor hung on new ones since.
    pub(super) handed_on: HandedOn,
}

impl Found {
    /// Before anything is looked at.
    fn nothing(lead: &Lead, done: &Conversion, stored: &Stored, wrote: &Wrote) -> Self {
        let outcome = &stored.outcome;
        Self {
            plan: UnconvertPlan {
                lead: lead.id,
                revision: lead.revision,
                conversion: done.operation,
                records: Vec::new(),
                host: outcome.host.clone(),
                blockers: Vec::new(),
                since: Vec::new(),
            },
            outcome: outcome.clone(),
            accounts: Vec::new(),
            contacts: Vec::new(),
            known: Vec::new(),
            opportunities: Vec::new(),
            closed: Vec::new(),
            joined: Vec::new(),
            services: Vec::new(),
            links: outcome.links.iter().chain(&wrote.links).copied().collect(),
            primary: wrote.primary,
            heirs: BTreeMap::new(),
            said: SaidSince::default(),
            by_targets: wrote.untouched.clone(),
            records: BTreeSet::new(),
            handed_on: HandedOn::default(),
        }
    }

    /// New records of the conversion: those that go.
    pub(super) fn gone(&self) -> BTreeSet<Subject> {
        let goes = |taken: &&TakenBack| matches!(taken.fate, Fate::Archived | Fate::Removed);
        self.plan.records.iter().filter(goes).map(|taken| taken.record).collect()
    }
}

/// The entries of one operation.
pub(super) fn entries_of(txn: &mut dyn Txn, operation: OperationId) -> Result<Vec<Entry>> {
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

pub(super) fn examine(ctx: &Context<'_>, txn: &mut dyn Txn, rules: &Rules, lead: &Lead) -> Result<Found> {
    let Some(done) = &lead.conversion else {
        let message = "the lead is not converted";
        return Err(Error::invalid_field("state", ViolationCode::NotAllowed, message));
    };
    rules.check_function(lead, "unconvert")?;
    let stored = stored(txn, done.operation)?;
    let outcome = &stored.outcome;
    let entries = entries_of(txn, done.operation)?;
    // What the conversion itself made, and what it joined, stands against nothing.
    let ours =
        entries.iter().filter(|entry| entry.action == Action::Created || entry.subject.kind.is_child());
    let mut made: BTreeSet<Subject> = ours.map(|entry| entry.subject).collect();
    let last = entries.iter().map(|entry| entry.sequence).max();
    // Targets of the host write before the conversion does.
    let first = entries.iter().map(|entry| entry.sequence).chain(stored.host_wrote.map(|(behind, _)| behind));
    let began = first.min().map_or(Sequence(i64::MIN), |first| Sequence(first.0.saturating_sub(1)));
    let triggered = triggered(txn, &made, &stored)?;
    made.extend(triggered.iter().map(|entry| entry.subject));
    let wrote = by_targets(txn, &stored)?;
    let holds = |subject: Subject| wrote.links.iter().any(|link| link.to == subject);
    let persons: Vec<_> = wrote.persons.iter().filter(|entry| holds(entry.subject)).collect();
    made.extend(persons.iter().map(|entry| entry.subject));
    let mut found = Found::nothing(lead, done, &stored, &wrote);
    let hung = hung(txn, made.union(&found.by_targets))?;
    let mut look = Look {
        rules,
        lead,
        done,
        made: &made,
        hung,
        wrote: &wrote,
        stored: &stored,
        outcome,
        found: &mut found,
        began,
        meetings: None,
        worked_on: BTreeSet::new(),
    };
    look.stage(txn)?;
    if let Some(last) = last {
        look.inherited(txn, last)?;
    }
    let mut seen = look.entries(txn, &entries)?;
    if let Some(entry) = triggered {
        seen.insert(entry.subject);
        look.new_opportunity(txn, &entry)?;
    }
    for entry in persons {
        look.new_contact(txn, entry)?;
    }
    if let Some(joined) = outcome.opportunity.filter(|id| !seen.contains(&Subject::from(*id))) {
        look.joined_as_it_is(txn, joined)?;
    }
    look.fitting(ctx, txn)?;
    if let Some(last) = last {
        look.claimed(txn, last)?;
        look.said_since(txn, last)?;
    }
    look.persons(txn, last)?;
    look.made_later(txn, &seen)?;
    look.shared(txn)?;
    look.primary(txn)?;
    look.linked();
    look.of_targets(txn)?;
    for made in &outcome.host {
        look.block(Unconvertible::Target { target: made.target.clone() });
    }
    if let Some(last) = last {
        look.written(txn, last)?;
    }
    Ok(found)
}

/// One look at what a conversion did.
pub(super) struct Look<'a> {
    pub(super) rules: &'a Rules,
    pub(super) lead: &'a Lead,
    pub(super) done: &'a Conversion,
    pub(super) made: &'a BTreeSet<Subject>,
    pub(super) hung: Hung,
    pub(super) wrote: &'a Wrote,
    pub(super) stored: &'a Stored,
    pub(super) outcome: &'a ConversionOutcome,
    pub(super) found: &'a mut Found,
    /// A place of the journal before everything that was written of the conversion.
    pub(super) began: Sequence,
    /// Meetings in which new persons take part, once they were looked for.
    pub(super) meetings: Option<Vec<Activity>>,
    /// Persons whom the new account got since and on whom others than the actor worked.
    pub(super) worked_on: BTreeSet<Subject>,
}

impl Look<'_> {
    /// Looks at what the conversion told of each record. Says which those are.
    fn entries(&mut self, txn: &mut dyn Txn, entries: &[Entry]) -> Result<BTreeSet<Subject>> {
        let mut seen = BTreeSet::new();
        for entry in entries {
            // A child is told once for each record that it is about.
            if !seen.insert(entry.subject) && entry.subject.kind.is_child() {
                continue;
            }
            match (entry.subject.kind, entry.action) {
                (SubjectKind::Account, Action::Created) => self.new_account(txn, entry)?,
                (SubjectKind::Account, Action::Updated) => self.filled_account(txn, entry)?,
                (SubjectKind::Contact, Action::Created) => self.new_contact(txn, entry)?,
                (SubjectKind::Contact, Action::Updated) => self.filled_contact(txn, entry)?,
                (SubjectKind::Opportunity, Action::Created) => self.new_opportunity(txn, entry)?,
                (SubjectKind::Opportunity, Action::Updated) => self.joined_opportunity(txn, entry)?,
                (SubjectKind::Service, Action::Created) => self.new_service(txn, entry)?,
                _ => {}
            }
        }
        Ok(seen)
    }

    pub(super) fn fate(&mut self, record: Subject, fate: Fate) {
        self.found.plan.records.push(TakenBack::new(record, fate));
    }

    pub(super) fn block(&mut self, blocker: Unconvertible) {
        self.found.plan.blockers.push(blocker);
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
                self.block(Unconvertible::Stage { unmet });
            }
        }
        Ok(())
    }

    fn new_account(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        self.fate(record, Fate::Archived);
        let Some(account) = txn.accounts().get(&[AccountId::from_uuid(record.id)])?.pop() else {
            return self.is_gone(txn, entry);
        };
        self.changed(txn, &mut Later::of(entry))?;
        self.children(txn, record, Some(entry.sequence))?;
        let named = self.named_by(txn, record)?;
        self.in_use(txn, record, &named)?;
        let origins = txn.links().to(&[record], Some(LinkRole::ConvertedTo))?;
        let others: Vec<_> = origins.iter().map(|link| LeadId::from_uuid(link.from.id)).collect();
        let others: Vec<_> = others.into_iter().filter(|id| *id != self.lead.id).collect();
        self.other_leads(txn, record, &others)?;
        self.found.accounts.push(Rewritten { before: account.clone(), after: account, changes: Vec::new() });
        Ok(())
    }

    fn filled_account(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        let mut later = Later::of(entry);
        let (changes, kept) = self.without_whole(txn, &mut later)?;
        let Some(known) = self.account(txn, AccountId::from_uuid(record.id))? else {
            return self.is_gone(txn, entry);
        };
        let rewound = known.after.fields.rewind(&changes, &|_, _| None);
        self.rewound(txn, &mut later, (rewound, kept))
    }

    /// The persons that the account got are its own as they were, but for whom the actor took out of it or gave another role, and a
    /// new one has no others than whom the actor added: those would go with it unseen.
    fn persons(&mut self, txn: &mut dyn Txn, last: Option<Sequence>) -> Result<()> {
        let Some(account) = self.outcome.account.map(Subject::from) else { return Ok(()) };
        let is_person = |link: &&Link| link.from == account && link.to.kind == SubjectKind::Contact;
        let now = txn.links().from(&[account], None)?;
        let now: BTreeSet<Link> = now.into_iter().filter(|link| is_person(&link)).collect();
        let undone = |link: &Link| self.found.primary.map_or(*link, |made| made.undone(link));
        let is_there = |link: &Link| now.contains(link) || now.iter().any(|one| undone(one) == *link);
        let ours = self.found.links.iter().filter(is_person);
        let changed = ours.filter(|link| !is_there(link)).copied();
        // A person who is still there in another role goes as they are by now.
        let (moved, parted): (BTreeSet<Link>, BTreeSet<Link>) =
            changed.partition(|link| now.iter().any(|one| one.to == link.to));
        let came = now.iter().filter(|link| self.made.contains(&account) && !self.is_ours(link));
        let came: Vec<Link> = came.copied().collect();
        let is_handed_on = self.own_persons(txn, account, (&came, last))?;
        let is_own = self.is_own_change(txn, account, (&parted, &moved), last)?;
        self.found.links.retain(|link| !parted.contains(link));
        if !is_own || !is_handed_on {
            self.block(Unconvertible::Edited { record: account, fields: vec!["contacts".to_owned()] });
        }
        Ok(())
    }

    fn rewound(
        &mut self,
        txn: &mut dyn Txn,
        later: &mut Later<'_>,
        (rewound, mut kept): (Rewound, Vec<String>),
    ) -> Result<()> {
        kept.extend(self.own_edits(txn, later, rewound.kept)?);
        let taken = TakenBack::new(later.written.subject, Fate::Restored(rewound.reversed));
        self.found.plan.records.push(TakenBack { kept, ..taken });
        Ok(())
    }

    fn new_contact(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        self.fate(record, Fate::Removed);
        let Some(contact) = txn.contacts().get(&[ContactId::from_uuid(record.id)])?.pop() else {
            return self.is_gone(txn, entry);
        };
        self.changed(txn, &mut Later::of(entry))?;
        self.children(txn, record, Some(entry.sequence))?;
        let holders = txn.links().to(&[record], None)?;
        // A lead whose person turned out to be this one has this one too.
        let holders = holders.iter().filter(|link| link.from.kind != SubjectKind::Contact);
        let mut others: Vec<_> = holders.filter(|link| !self.is_ours(link)).map(|link| link.from).collect();
        others.extend(self.named_by(txn, record)?);
        self.in_use(txn, record, &others)?;
        self.found.contacts.push(contact);
        Ok(())
    }

    fn filled_contact(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        let mut later = Later::of(entry);
        let (changes, kept) = self.without_whole(txn, &mut later)?;
        let Some(known) = self.known(txn, ContactId::from_uuid(record.id))? else {
            return self.is_gone(txn, entry);
        };
        let rewound = known.after.fields.rewind(&changes, &|_, _| None);
        self.rewound(txn, &mut later, (rewound, kept))
    }

    fn new_opportunity(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        let Some(found) = txn.opportunities().get(&[OpportunityId::from_uuid(record.id)])?.pop() else {
            self.fate(record, Fate::Removed);
            return self.not_there(txn, entry);
        };
        let removal = series::check_removal(txn, Series::Opportunity, found.number, found.serial.as_ref());
        // A series without gaps keeps the number, and so what has it.
        let is_closed = match removal {
            Ok(()) => false,
            Err(error) if error.kind() == ErrorKind::Conflict => true,
            Err(error) => return Err(error),
        };
        self.fate(record, if is_closed { Fate::Closed } else { Fate::Removed });
        let mut later = Later::of(entry);
        self.changed(txn, &mut later)?;
        self.moved_on(txn, &mut later, &found, |one| one.state.code())?;
        self.children(txn, record, Some(entry.sequence))?;
        let others = txn.links().to(&[record], Some(LinkRole::Opportunity))?;
        let others = others.iter().map(|link| link.from).filter(|from| *from != self.lead.id.into());
        self.in_use(txn, record, &others.collect::<Vec<_>>())?;
        if is_closed { &mut self.found.closed } else { &mut self.found.opportunities }.push(found);
        Ok(())
    }

    /// An opportunity that the lead joined and that took nothing from it.
    pub(super) fn joined_as_it_is(&mut self, txn: &mut dyn Txn, id: OpportunityId) -> Result<()> {
        let Some(before) = txn.opportunities().get(&[id])?.pop() else { return Ok(()) };
        let origin_lead = self.origin_without(txn, &before)?;
        if origin_lead != before.origin_lead {
            let after = Opportunity { origin_lead, ..before.clone() };
            self.found.joined.push(Rewritten { before, after, changes: Vec::new() });
        }
        Ok(())
    }

    fn new_service(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        self.fate(record, Fate::Removed);
        let Some(found) = txn.services().get(&[ServiceId::from_uuid(record.id)])?.pop() else {
            return self.not_there(txn, entry);
        };
        let mut later = Later::of(entry);
        self.changed(txn, &mut later)?;
        self.moved_on(txn, &mut later, &found, |one| one.state.code())?;
        self.children(txn, record, Some(entry.sequence))?;
        self.found.services.push(found);
        Ok(())
    }

    /// What was there before and is only linked.
    fn linked(&mut self) {
        let known: BTreeSet<_> = self.found.plan.records.iter().map(|taken| taken.record).collect();
        let own = Subject::from(self.lead.id);
        let ends = |link: &Link| [link.from, link.to];
        let mut linked: BTreeSet<_> = self.found.links.iter().flat_map(ends).collect();
        linked.retain(|record| *record != own && !known.contains(record));
        let unlinked = linked.into_iter().map(|record| TakenBack::new(record, Fate::Unlinked));
        self.found.plan.records.extend(unlinked);
    }
}
