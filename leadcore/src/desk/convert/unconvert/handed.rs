//! What the actor alone hung on new records since: a way back takes nothing of it along. It goes on to the lead, which is worked
//! again; only what was sold has no place there, and stands against the way back.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::context::Context;
use crate::domain::{
    Action, Activity, ActivityBody, FieldChange, FieldValue, Link, LinkRole, NewEntry, Participant, Sequence,
    Subject, SubjectKind,
};
use crate::error::Result;
use crate::id::{ActivityId, ContactId};
use crate::store::Txn;

use super::super::super::children::{self, Child, for_child};
use super::look::{Found, Look};
use super::since::back_to;
use super::{Fate, Unconvertible};

/// How many records are read at once.
const ROUND: usize = 500;

/// What goes on.
#[derive(Debug, Default)]
pub(super) struct HandedOn {
    /// What hangs on records that go.
    children: BTreeSet<Subject>,
    /// Whom a new account got.
    persons: BTreeSet<Link>,
    /// Meetings with a new person.
    pub(super) referring: BTreeSet<Subject>,
}

pub(super) type Tabs = BTreeMap<String, u64>;

pub(super) fn add(tabs: &mut Tabs, tab: &str, count: u64) {
    let known = tabs.entry(tab.to_owned()).or_default();
    *known = known.saturating_add(count);
}

impl Look<'_> {
    /// What hangs on a new record, besides what the conversion itself hung there: counted, however many there are. What nobody but
    /// the actor hung there behind this place is none of it.
    pub(super) fn children(
        &mut self,
        txn: &mut dyn Txn,
        record: Subject,
        last: Option<Sequence>,
    ) -> Result<()> {
        let ours = self.hung.get(&record);
        let mut tabs = Tabs::new();
        for count in txn.children().counts(&[record])? {
            let of_ours = ours.and_then(|ours| ours.get(&count.tab)).copied().unwrap_or_default();
            let others = count.total.saturating_sub(of_ours);
            if others > 0 {
                tabs.insert(count.tab.code().to_owned(), others);
            }
        }
        if let Some(last) = last.filter(|_| !tabs.is_empty()) {
            for (tab, own) in self.own_children(txn, record, last)? {
                let left = tabs.remove(&tab).unwrap_or_default().saturating_sub(own);
                if left > 0 {
                    tabs.insert(tab, left);
                }
            }
        }
        self.referring(txn, (record, last), &mut tabs)?;
        if let Some(last) = last {
            for (tab, count) in self.parts_along(txn, record, last)? {
                add(&mut tabs, &tab, count);
            }
        }
        self.hangs(record, tabs);
        Ok(())
    }

    /// Whether nobody but the actor wrote this child behind a place, where anybody did.
    pub(super) fn is_own_child(
        &self,
        txn: &mut dyn Txn,
        child: Subject,
        last: Option<Sequence>,
    ) -> Result<bool> {
        let Some(last) = last else { return Ok(false) };
        let (mut is_written, mut is_own) = (false, true);
        self.since(txn, child, last, &mut |entry| {
            is_written = true;
            is_own &= entry.actor == self.rules.actor;
        })?;
        Ok(is_written && is_own)
    }

    /// Counts, by tab, what nobody but the actor hung on a new record behind this place, and tells what becomes of it.
    fn own_children(&mut self, txn: &mut dyn Txn, record: Subject, last: Sequence) -> Result<Tabs> {
        let mut written: BTreeMap<Subject, bool> = BTreeMap::new();
        back_to(txn, record, last, &mut |entry| {
            if entry.subject != record && entry.operation != self.done.operation {
                *written.entry(entry.subject).or_insert(true) &= entry.actor == self.rules.actor;
            }
            ControlFlow::Continue(())
        })?;
        let own = written.into_iter().filter(|(child, is_own)| *is_own && goes_on_to_lead(child.kind));
        let own: Vec<_> = own.map(|(child, _)| child).filter(|child| !self.is_part(*child)).collect();
        let mut tabs = Tabs::new();
        for some in own.chunks(ROUND) {
            for placement in txn.children().placements(some)? {
                if !placement.about.contains(&record) {
                    continue;
                }
                add(&mut tabs, placement.tab.code(), 1);
                self.found.handed_on.children.insert(placement.child);
            }
        }
        self.moved(record, &tabs);
        Ok(tabs)
    }

    /// What goes on from a record that goes. An opportunity that is closed keeps it where its account stays.
    pub(super) fn moved(&mut self, record: Subject, tabs: &Tabs) {
        let is_seen = self.outcome.account.is_some_and(|account| !self.made.contains(&account.into()));
        let taken = self.found.plan.records.iter_mut().find(|taken| taken.record == record);
        let Some(taken) = taken.filter(|taken| taken.fate != Fate::Closed || !is_seen) else { return };
        for (tab, count) in tabs {
            match taken.moved.iter_mut().find(|(told, _)| told == tab) {
                Some((_, told)) => *told = told.saturating_add(*count),
                None => taken.moved.push((tab.clone(), *count)),
            }
        }
    }

    /// Persons whom a new account got behind this place go on to the lead where nobody but the actor added them. Whether all were.
    /// Those on whom somebody else worked are counted as what others hung there.
    pub(super) fn own_persons(
        &mut self,
        txn: &mut dyn Txn,
        account: Subject,
        (came, last): (&[Link], Option<Sequence>),
    ) -> Result<bool> {
        let mut others = Tabs::new();
        if let Some(last) = last.filter(|_| self.made.contains(&account)) {
            match self.persons_who_went(txn, account, last)? {
                0 => {}
                count => add(&mut others, SubjectKind::Contact.code(), count),
            }
        }
        if came.is_empty() {
            self.hangs(account, others);
            return Ok(true);
        }
        let Some(last) = last else { return Ok(false) };
        let net = self.net(txn, account, last)?;
        for link in came {
            let hands = net.hands_on(link.to);
            if hands.is_empty() || hands.iter().any(|hand| **hand != self.rules.actor) {
                return Ok(false);
            }
        }
        let mut own = Tabs::new();
        for link in came {
            if self.is_own_person(txn, link.to, last)? {
                self.found.handed_on.persons.insert(*link);
                add(&mut own, SubjectKind::Contact.code(), 1);
            } else {
                self.worked_on.insert(link.to);
                add(&mut others, SubjectKind::Contact.code(), 1);
            }
        }
        self.moved(account, &own);
        self.hangs(account, others);
        Ok(true)
    }

    /// Whether nothing of what others wrote on a person behind this place, or hung there, is left.
    fn is_own_person(&self, txn: &mut dyn Txn, person: Subject, last: Sequence) -> Result<bool> {
        let writers = self.net(txn, person, last)?.writers(|actor, _| *actor != self.rules.actor);
        Ok(writers.is_empty() && !self.has_work_of_others(txn, person, last)?)
    }

    /// Whether anything that others wrote or hung on a person behind this place is still there.
    pub(super) fn has_work_of_others(
        &self,
        txn: &mut dyn Txn,
        person: Subject,
        last: Sequence,
    ) -> Result<bool> {
        let mut hung = BTreeSet::new();
        back_to(txn, person, last, &mut |entry| {
            if entry.subject.kind.is_child() && entry.actor != self.rules.actor {
                hung.insert(entry.subject);
            }
            ControlFlow::Continue(())
        })?;
        for some in hung.into_iter().collect::<Vec<_>>().chunks(ROUND) {
            if txn.children().placements(some)?.iter().any(|one| one.about.contains(&person)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells what hangs on a new record and stands against the way back, with what was told of it before.
    fn hangs(&mut self, record: Subject, more: Tabs) {
        if more.is_empty() {
            return;
        }
        for blocker in &mut self.found.plan.blockers {
            if let Unconvertible::HasChildren { record: known, tabs } = blocker
                && *known == record
            {
                tabs.extend(more);
                return;
            }
        }
        self.block(Unconvertible::HasChildren { record, tabs: more.into_iter().collect() });
    }
}

impl Found {
    /// Hangs on the lead what hung on records that go, and lets the lead take part where a new person did.
    pub(super) fn hand_on(&self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<NewEntry>> {
        let (mut gone, lead) = (self.gone(), Subject::from(self.plan.lead));
        // One that is closed stays with its account, where nobody finds it once that is archived.
        let closed = self.closed.iter().filter(|one| gone.contains(&one.account.into()));
        let closed: Vec<_> = closed.map(|one| Subject::from(one.id)).collect();
        gone.extend(closed);
        let mut entries = Vec::new();
        for child in &self.handed_on.children {
            entries.extend(for_child!(child, C => go_on::<C>(ctx, txn, *child, (&gone, lead))?, else {
                Vec::new()
            }));
        }
        let all = self.handed_on.children.union(&self.handed_on.referring);
        let ids = all.filter(|child| child.kind == SubjectKind::Activity);
        let ids = ids.map(|child| ActivityId::from_uuid(child.id));
        for before in txn.activities().get(&ids.collect::<Vec<_>>())? {
            let mut after: Activity = before.clone();
            let ActivityBody::Meeting(meeting) = &mut after.fields.body else { continue };
            let mut known = Vec::new();
            for participant in std::mem::take(&mut meeting.participants) {
                let now = match participant {
                    Participant::Record(person) if gone.contains(&person) => self.instead_of(person),
                    other => other,
                };
                if !known.contains(&now) {
                    known.push(now);
                }
            }
            meeting.participants = known;
            entries.extend(children::replace(ctx, txn, &before, after)?.1);
        }
        Ok(entries)
    }

    /// Who takes part where a new person did: the lead, whose person it is, and by name whom a target of the host made.
    fn instead_of(&self, person: Subject) -> Participant {
        let is_it = |id: &ContactId| Subject::from(*id) == person;
        let of_target =
            self.contacts.iter().find(|one| is_it(&one.id) && !self.outcome.contacts.contains(&one.id));
        let name = of_target.and_then(|one| one.fields.name.as_ref());
        match name {
            Some(name) => Participant::Other(name.full().to_owned()),
            None => Participant::Record(self.plan.lead.into()),
        }
    }

    /// The lead gets the persons of an account that goes, once it has lost those of the conversion.
    pub(super) fn hand_on_persons(&self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<NewEntry>> {
        let (lead, mut entries) = (Subject::from(self.plan.lead), Vec::new());
        for link in &self.handed_on.persons {
            txn.links().remove(&[*link])?;
            entries.push(told(ctx, Action::Unlinked, link));
            let known = txn.links().from(&[lead], None)?;
            let is_person = |role| matches!(role, LinkRole::Contact | LinkRole::PrimaryContact);
            if known.iter().any(|one| one.to == link.to && is_person(one.role)) {
                continue;
            }
            // Whom the lead becomes is the primary contact when it is converted again.
            let now = Link { from: lead, role: LinkRole::Contact, ..*link };
            txn.links().insert(&[now])?;
            entries.push(told(ctx, Action::Linked, &now));
        }
        Ok(entries)
    }
}

fn told(ctx: &Context<'_>, action: Action, link: &Link) -> NewEntry {
    let (role, none) = (FieldValue::from(link.role.code()), FieldValue::Empty);
    let (before, after) = if action == Action::Linked { (none, role) } else { (role, none) };
    let change = FieldChange::new("role", before, after);
    NewEntry::new(link.from, action, ctx.now()).with_other(link.to).with_changes(vec![change])
}

/// What is sold has no place on a lead, and belongs to its account.
const fn goes_on_to_lead(kind: SubjectKind) -> bool {
    kind.is_child() && !matches!(kind, SubjectKind::Opportunity | SubjectKind::Service)
}

/// Hangs a child on the lead instead of on records that go.
fn go_on<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    child: Subject,
    (gone, lead): (&BTreeSet<Subject>, Subject),
) -> Result<Vec<NewEntry>> {
    let mut entries = Vec::new();
    for before in C::load(txn, &[child.id])? {
        let mut about = Vec::new();
        for record in before.about() {
            let now = if gone.contains(record) { lead } else { *record };
            if !about.contains(&now) {
                about.push(now);
            }
        }
        let mut after = before.clone();
        after.set_about(about);
        entries.extend(children::replace(ctx, txn, &before, after)?.1);
    }
    Ok(entries)
}
