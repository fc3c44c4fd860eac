//! What was said against reaching somebody since a conversion, of records that the lead joined: a lead that is open again keeps to
//! it, and so do its persons.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::context::Context;
use crate::domain::conversion_mapping::{Consent, asked_keys};
use crate::domain::{
    AccountFields, Action, BlockKey, Contact, ContactFields, Emails, Entry, FieldChange, Lead, LeadFields,
    Link, LinkRole, MarkNote, NewEntry, OperationKind, ReachMark, Rewound, Sequence, Subject, SubjectKind,
    contact_changes,
};
use crate::error::Result;
use crate::id::{AccountId, ContactId};
use crate::store::Txn;
use crate::value::PersonName;

use super::super::persons::is_same_person;
use super::Unconvertible;
use super::look::Look;
use super::since::{back_to, is_of_addresses};

/// Marks of addresses and numbers, and who must not be called.
#[derive(Debug, Default)]
pub(super) struct SaidSince {
    marks: Consent,
    not_called: Vec<(Contact, MarkNote)>,
    /// The contacts that the person of the lead itself was, whatever their addresses.
    itself: BTreeSet<ContactId>,
    /// Persons of the lead who turned out to be one of these.
    same: BTreeSet<(ContactId, ContactId)>,
}

/// What a record says of how to reach somebody, now and before.
pub(super) trait Told: Clone {
    fn consent(&self) -> Consent;

    /// Marks it with what is said.
    fn tighten(&mut self, said: &Consent);

    /// Takes off what is said.
    fn lift(&mut self, said: &Consent);

    /// What those are found by who say something of it.
    fn asked(&self) -> Vec<BlockKey>;

    /// Who it is, where it is a person.
    fn who(&self) -> Option<(Option<&PersonName>, &Emails)>;

    /// Takes changes back, where the record still has what they made.
    fn rewind(&mut self, changes: &[FieldChange]) -> Rewound;
}

impl Told for AccountFields {
    fn consent(&self) -> Consent {
        Consent::of_account(self)
    }

    fn tighten(&mut self, said: &Consent) {
        said.tighten_account(self);
    }

    fn lift(&mut self, said: &Consent) {
        said.lift_of(&mut self.emails, &mut self.phones);
    }

    fn asked(&self) -> Vec<BlockKey> {
        asked_keys(None, &self.emails, &self.phones)
    }

    fn who(&self) -> Option<(Option<&PersonName>, &Emails)> {
        None
    }

    fn rewind(&mut self, changes: &[FieldChange]) -> Rewound {
        Self::rewind(self, changes, &|_, _| None)
    }
}

impl Told for ContactFields {
    fn consent(&self) -> Consent {
        Consent::of_contact(self)
    }

    fn tighten(&mut self, said: &Consent) {
        said.tighten_contact(self);
    }

    fn lift(&mut self, said: &Consent) {
        said.lift_of(&mut self.emails, &mut self.phones);
        if said.do_not_call().is_some() {
            self.do_not_call = None;
        }
    }

    fn asked(&self) -> Vec<BlockKey> {
        asked_keys(self.name.as_ref(), &self.emails, &self.phones)
    }

    fn who(&self) -> Option<(Option<&PersonName>, &Emails)> {
        Some((self.name.as_ref(), &self.emails))
    }

    fn rewind(&mut self, changes: &[FieldChange]) -> Rewound {
        Self::rewind(self, changes, &|_, _| None)
    }
}

impl Look<'_> {
    /// Of the account and the persons that were there before the conversion, which ended with this entry.
    pub(super) fn said_since(&mut self, txn: &mut dyn Txn, last: Sequence) -> Result<()> {
        let is_person = |subject: Subject| subject.kind == SubjectKind::Contact;
        let same =
            self.outcome.links.iter().filter(|link| {
                link.role == LinkRole::ConvertedTo && is_person(link.from) && is_person(link.to)
            });
        let id = |subject: Subject| ContactId::from_uuid(subject.id);
        self.found.said.same = same.map(|link| (id(link.from), id(link.to))).collect();
        let itself = match self.stored.itself {
            None => self.itself_by_links(txn)?,
            told => told,
        };
        self.found.said.itself = itself.into_iter().collect();
        let account = self.outcome.account.filter(|id| !self.made.contains(&Subject::from(*id)));
        for account in txn.accounts().get(&account.into_iter().collect::<Vec<_>>())? {
            let said = self.spoken(txn, account.id.into(), last, &account.fields)?;
            self.note(&said);
        }
        let persons = self.outcome.contacts.iter().filter(|id| !self.made.contains(&Subject::from(**id)));
        let persons: Vec<ContactId> = persons.copied().collect();
        for contact in txn.contacts().get(&persons)? {
            let (marks, do_not_call) = self.spoken(txn, contact.id.into(), last, &contact.fields)?.parted();
            self.note(&marks);
            self.found.said.not_called.extend(do_not_call.map(|note| (contact, note)));
        }
        self.said_of_new(txn, last)
    }

    /// What the actor said of new records goes on to the lead that is open again. Where it has no such address, or of a person nobody
    /// may call no number, it would go with the record: that stands against it.
    fn said_of_new(&mut self, txn: &mut dyn Txn, last: Sequence) -> Result<()> {
        let (mut said, mut new) = (Vec::new(), Vec::new());
        let of_targets: BTreeSet<Subject> = self.wrote.persons.iter().map(|entry| entry.subject).collect();
        let made = |kind: SubjectKind| self.made.iter().filter(move |one| one.kind == kind);
        let accounts: Vec<_> = made(SubjectKind::Account).map(|one| AccountId::from_uuid(one.id)).collect();
        let persons: Vec<_> = made(SubjectKind::Contact).map(|one| ContactId::from_uuid(one.id)).collect();
        for account in txn.accounts().get(&accounts)? {
            said.push((account.id.into(), self.spoken(txn, account.id.into(), last, &account.fields)?));
        }
        for contact in txn.contacts().get(&persons)? {
            let record = Subject::from(contact.id);
            said.push((record, self.spoken(txn, record, last, &contact.fields)?));
            new.push(contact);
        }
        for (record, said) in &said {
            let (marks, do_not_call) = said.clone().parted();
            self.note(&marks);
            // Whom a conversion makes a contact is the person of the lead.
            let contact =
                new.iter().find(|one| Subject::from(one.id) == *record && !of_targets.contains(record));
            if let Some((contact, note)) = contact.zip(do_not_call) {
                self.found.said.itself.insert(contact.id);
                self.found.said.not_called.push((contact.clone(), note));
            }
        }
        let mut fields = self.lead.fields.clone();
        self.found.said.tighten_lead(&mut fields);
        let on_lead = Consent::of_lead(&fields);
        for (record, said) in said {
            let (marks, do_not_call) = said.parted();
            let is_called = !fields.phones.is_empty() && !of_targets.contains(&record);
            let is_lost = do_not_call.is_some() && !is_called || !marks.missing_in(&on_lead).is_empty();
            if is_lost && !self.is_blocked(record) {
                self.block(Unconvertible::Changed { record, by: vec![self.rules.actor.clone()] });
            }
        }
        Ok(())
    }

    fn is_blocked(&self, record: Subject) -> bool {
        let is_it = |blocker: &Unconvertible| matches!(blocker, Unconvertible::Changed { record: one, .. } if *one == record);
        self.found.plan.blockers.iter().any(is_it)
    }

    /// The contact that the person of the lead itself was, of a conversion whose outcome does not say it: the one that was there
    /// before, that came to the lead with the conversion, and that none of the lead's other persons is.
    fn itself_by_links(&self, txn: &mut dyn Txn) -> Result<Option<ContactId>> {
        let lead = Subject::from(self.lead.id);
        let came = |link: &&Link| {
            link.from == lead && link.to.kind == SubjectKind::Contact && link.role != LinkRole::ConvertedTo
        };
        let came = self.outcome.links.iter().filter(came).map(|link| link.to);
        let mut came: BTreeSet<Subject> = came.filter(|person| !self.made.contains(person)).collect();
        if came.is_empty() {
            return Ok(None);
        }
        let own = txn.links().from(&[lead], None)?.into_iter().map(|link| link.to);
        let own: Vec<_> = own.filter(|to| to.kind == SubjectKind::Contact).collect();
        for turned_out in txn.links().from(&own, Some(LinkRole::ConvertedTo))? {
            came.remove(&turned_out.to);
        }
        let mut came = came.into_iter();
        let first = came.next().map(|person| ContactId::from_uuid(person.id));
        Ok(first.filter(|_| came.next().is_none()))
    }

    fn note(&mut self, said: &Consent) {
        let known = std::mem::take(&mut self.found.said.marks);
        self.found.said.marks = known.join(said);
    }

    /// What people said of a record since, and still holds. What conversions wrote into it they give back themselves; a way back
    /// that told it of another record passed on what people had said.
    pub(super) fn spoken<T: Told>(
        &self,
        txn: &mut dyn Txn,
        record: Subject,
        last: Sequence,
        now: &T,
    ) -> Result<Consent> {
        let mut words = Words::of(now);
        self.since(txn, record, last, &mut |entry| words.add(entry))?;
        // What a way back gives back was there when this conversion ended.
        let passed_on = words.passed_on.beyond(&words.before.consent());
        Ok(words.by_hand.join(&passed_on).within(&now.consent()))
    }
}

/// What people said of a record, ever, and still holds: without what conversions wrote.
pub(super) fn word<T: Told>(txn: &mut dyn Txn, record: Subject, now: &T) -> Result<Consent> {
    let mut words = Words::of(now);
    back_to(txn, record, Sequence(i64::MIN), &mut |entry| {
        if entry.subject == record {
            words.add(entry);
        }
        ControlFlow::Continue(())
    })?;
    let first = if words.is_converted { Consent::default() } else { words.before.consent() };
    Ok(words.by_hand.join(&words.passed_on).join(&first).within(&now.consent()))
}

/// Whose word it is what a record says, read from its history, the latest first.
struct Words<T> {
    by_hand: Consent,
    passed_on: Consent,
    /// The record before the entries that were read.
    before: T,
    /// Whether a conversion made it.
    is_converted: bool,
}

impl<T: Told> Words<T> {
    fn of(now: &T) -> Self {
        let none = Consent::default;
        Self { by_hand: none(), passed_on: none(), before: now.clone(), is_converted: false }
    }

    fn add(&mut self, entry: &Entry) {
        let is_convert = entry.operation_kind == OperationKind::Convert;
        self.is_converted |= is_convert && entry.action == Action::Created;
        let changes = entry.changes.iter().filter(|change| is_of_addresses(&change.field));
        let changes: Vec<FieldChange> = changes.cloned().collect();
        if changes.is_empty() {
            return;
        }
        let again = Consent::repeated(&changes);
        if !again.is_empty() {
            // Nothing changed: it was so already, and somebody else's word too from then on.
            self.by_hand = std::mem::take(&mut self.by_hand).join(&again);
            return;
        }
        let after = self.before.consent();
        let rewound = self.before.rewind(&changes);
        // Where the journal does not say what was before, all of it may have been said now.
        let said = if rewound.kept.is_empty() { after.beyond(&self.before.consent()) } else { after };
        let of = match entry.operation_kind {
            OperationKind::Convert => return,
            OperationKind::Unconvert => &mut self.passed_on,
            _ => &mut self.by_hand,
        };
        *of = std::mem::take(of).join(&said);
    }
}

impl SaidSince {
    /// The lead as it shall be. Nobody may call a lead whose person must not be called.
    pub(super) fn tighten_lead(&self, fields: &mut LeadFields) {
        self.marks.tighten_emails(&mut fields.emails);
        self.marks.tighten_phones(&mut fields.phones);
        let own = (fields.person.as_ref(), &fields.emails);
        let notes = self.not_called.iter().filter(|(contact, _)| {
            self.itself.contains(&contact.id)
                || fields.person.is_some()
                    && is_same_person(own, (contact.fields.name.as_ref(), &contact.fields.emails))
        });
        let notes: Vec<MarkNote> = notes.map(|(_, note)| note.clone()).collect();
        for note in notes {
            fields.phones.mark_all(ReachMark::OptedOut, &note);
        }
    }

    /// Writes what holds for the persons that stay with the lead.
    pub(super) fn tighten_persons(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        lead: &Lead,
        entries: &mut Vec<NewEntry>,
    ) -> Result<()> {
        if self.marks.is_empty() && self.not_called.is_empty() {
            return Ok(());
        }
        let links = txn.links().from(&[lead.id.into()], None)?;
        let own = links.iter().filter(|link| link.to.kind == SubjectKind::Contact);
        let own: Vec<_> = own.map(|link| ContactId::from_uuid(link.to.id)).collect();
        for before in txn.contacts().get(&own)? {
            let mut after = before.clone();
            self.marks.tighten_contact(&mut after.fields);
            let of = |fields: &ContactFields| (fields.name.clone(), fields.emails.clone());
            let (name, emails) = of(&before.fields);
            for (contact, note) in &self.not_called {
                let other = (contact.fields.name.as_ref(), &contact.fields.emails);
                let turned_out = self.same.contains(&(before.id, contact.id));
                if turned_out || is_same_person((name.as_ref(), &emails), other) {
                    after.fields.do_not_call.get_or_insert_with(|| note.clone());
                }
            }
            let changes = contact_changes(&before.fields, &after.fields);
            if changes.is_empty() {
                continue;
            }
            (after.revision, after.updated_at) = (before.revision.next(), ctx.now());
            txn.contacts().update(std::slice::from_ref(&after))?;
            let entry = NewEntry::new(after.id, Action::Updated, ctx.now()).with_other(lead.id);
            entries.push(entry.with_changes(changes));
        }
        Ok(())
    }
}
