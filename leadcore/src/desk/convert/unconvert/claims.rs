//! Marks that several conversions say of one record. Whoever wrote a mark gives it back, but while another one that says it too
//! stands, the mark stays: it is that one's from then on, and goes with the last of them.

use std::collections::BTreeSet;

use crate::domain::conversion_mapping::Consent;
use crate::domain::{
    Account, Action, Contact, ContactFields, Entry, FieldChange, Lead, Link, LinkRole, Sequence, Subject,
    SubjectKind, account_changes, contact_changes, image_of,
};
use crate::error::Result;
use crate::id::{AccountId, ContactId, LeadId, OperationId};
use crate::store::Txn;

use super::super::consent::speaking;
use super::super::persons::is_same_person;
use super::super::stored::{Stored, TookOver, stored};
use super::look::{Look, Rewritten, entries_of};
use super::said::{Told, word};
use super::since::{is_of_addresses, standing};
use super::{Fate, TakenBack};

impl Look<'_> {
    /// The account as it shall be, if it is there.
    pub(super) fn account(
        &mut self,
        txn: &mut dyn Txn,
        id: AccountId,
    ) -> Result<Option<&mut Rewritten<Account>>> {
        if !self.found.accounts.iter().any(|known| known.before.id == id)
            && let Some(before) = txn.accounts().get(&[id])?.pop()
        {
            let after = before.clone();
            self.found.accounts.push(Rewritten { before, after, changes: Vec::new() });
        }
        Ok(self.found.accounts.iter_mut().find(|known| known.before.id == id))
    }

    /// The person as it shall be, if it is there.
    pub(super) fn known(
        &mut self,
        txn: &mut dyn Txn,
        id: ContactId,
    ) -> Result<Option<&mut Rewritten<Contact>>> {
        if !self.found.known.iter().any(|known| known.before.id == id)
            && let Some(before) = txn.contacts().get(&[id])?.pop()
        {
            let after = before.clone();
            self.found.known.push(Rewritten { before, after, changes: Vec::new() });
        }
        Ok(self.found.known.iter_mut().find(|known| known.before.id == id))
    }

    /// Takes off what this conversion took over from others, which ended with this entry. What somebody said since stays.
    pub(super) fn inherited(&mut self, txn: &mut dyn Txn, last: Sequence) -> Result<()> {
        for took in self.stored.took_over.clone() {
            let record = took.record;
            let mut wrote = Consent::default();
            for entry in entries_of(txn, took.of)?.iter().filter(|entry| entry.subject == record) {
                wrote = wrote.join(&Consent::written(&entry.changes));
                let of_addresses = entry.changes.iter().filter(|change| is_of_addresses(&change.field));
                let fields: Vec<_> = of_addresses.map(|change| change.field.clone()).collect();
                // Who wrote the same since goes first: what was there then is what that one gives back.
                let (operations, _) = self.net(txn, record, entry.sequence)?.touching(Some(&fields));
                let leads = standing(txn, &operations)?;
                self.other_leads(txn, record, &leads)?;
            }
            if record.kind == SubjectKind::Account {
                let id = AccountId::from_uuid(record.id);
                let Some(now) = self.account(txn, id)?.map(|known| known.before.fields.clone()) else {
                    continue;
                };
                let wrote = wrote.missing_in(&self.spoken(txn, record, last, &now)?);
                if let Some(known) = self.account(txn, id)? {
                    known.after.fields.lift(&wrote);
                }
            } else {
                let id = ContactId::from_uuid(record.id);
                let Some(now) = self.known(txn, id)?.map(|known| known.before.fields.clone()) else {
                    continue;
                };
                let wrote = wrote.missing_in(&self.spoken(txn, record, last, &now)?);
                if let Some(known) = self.known(txn, id)? {
                    known.after.fields.lift(&wrote);
                }
            }
        }
        Ok(())
    }

    /// What others say too stays, and so does what somebody said since this conversion, which ended with this entry.
    pub(super) fn claimed(&mut self, txn: &mut dyn Txn, last: Sequence) -> Result<()> {
        for mut known in std::mem::take(&mut self.found.accounts) {
            let record = Subject::from(known.before.id);
            let (before, after) = (&known.before.fields, &known.after.fields);
            if let Some(kept) = self.kept(txn, record, (before, after), last)? {
                known.after.fields = kept;
            }
            known.changes = account_changes(&known.before.fields, &known.after.fields);
            self.settle(record, &known.changes);
            self.found.accounts.push(known);
        }
        for mut known in std::mem::take(&mut self.found.known) {
            let record = Subject::from(known.before.id);
            let (before, after) = (&known.before.fields, &known.after.fields);
            if let Some(kept) = self.kept(txn, record, (before, after), last)? {
                known.after.fields = kept;
            }
            known.changes = contact_changes(&known.before.fields, &known.after.fields);
            self.settle(record, &known.changes);
            self.found.known.push(known);
        }
        Ok(())
    }

    /// A record that was there is given back the fields that change.
    fn settle(&mut self, record: Subject, changes: &[FieldChange]) {
        let shown = changes.iter().map(|change| &change.field).filter(|field| image_of(field).is_none());
        let shown: Vec<String> = shown.cloned().collect();
        match self.found.plan.records.iter_mut().find(|taken| taken.record == record) {
            Some(TakenBack { fate: Fate::Restored(fields), .. }) => {
                fields.retain(|field| shown.contains(field));
                let more: Vec<_> = shown.into_iter().filter(|field| !fields.contains(field)).collect();
                fields.extend(more);
            }
            Some(_) => {}
            None if shown.is_empty() => {}
            None => {
                let fate = Fate::Restored(shown);
                self.found.plan.records.push(TakenBack::new(record, fate));
            }
        }
    }

    /// The record as it shall be, with the marks that it would lose and that hold all the same.
    fn kept<T: Told>(
        &mut self,
        txn: &mut dyn Txn,
        record: Subject,
        (before, after): (&T, &T),
        last: Sequence,
    ) -> Result<Option<T>> {
        let lost = before.consent().missing_in(&after.consent());
        if lost.is_empty() {
            return Ok(None);
        }
        let mut says = self.spoken(txn, record, last, before)?.within(&lost);
        let mut left = lost.clone().missing_in(&says);
        for lead in self.others_on(txn, record)? {
            if left.is_empty() {
                break;
            }
            let Some(done) = &lead.conversion else { continue };
            let theirs = self.word_of(txn, &lead, (record, after), &left)?;
            if theirs.is_empty() || entries_of(txn, done.operation)?.iter().any(|entry| made(entry, record)) {
                continue;
            }
            left = left.missing_in(&theirs);
            says = says.join(&theirs);
            let own = TookOver { record, of: self.done.operation };
            let handed = self.stored.took_over.iter().filter(|took| took.record == record).copied();
            let handed: Vec<_> = handed.chain([own]).collect();
            let heir = self.heir(txn, done.operation)?;
            let known = &heir.took_over;
            let new: Vec<_> = handed.into_iter().filter(|took| !known.contains(took)).collect();
            heir.took_over.extend(new);
        }
        let mut kept = after.clone();
        kept.tighten(&says);
        Ok(Some(kept))
    }

    /// Of another lead that the record came of, the oldest conversion first.
    pub(super) fn others_on(&self, txn: &mut dyn Txn, record: Subject) -> Result<Vec<Lead>> {
        let role = (record.kind == SubjectKind::Account).then_some(LinkRole::ConvertedTo);
        let holders = txn.links().to(&[record], role)?;
        let leads = holders.iter().map(|link| link.from).filter(|from| from.kind == SubjectKind::Lead);
        let leads: BTreeSet<_> =
            leads.map(|lead| LeadId::from_uuid(lead.id)).filter(|id| *id != self.lead.id).collect();
        let mut leads = txn.leads().get(&leads.into_iter().collect::<Vec<_>>())?;
        leads.retain(|lead| lead.conversion.is_some());
        leads.sort_by_key(|lead| lead.conversion.as_ref().map(|done| (done.at, done.operation)));
        Ok(leads)
    }

    /// The leads of other conversions that took over marks of this record.
    pub(super) fn holding(&self, txn: &mut dyn Txn, record: Subject) -> Result<Vec<LeadId>> {
        let mut holding = Vec::new();
        for lead in self.others_on(txn, record)? {
            let Some(done) = &lead.conversion else { continue };
            if stored(txn, done.operation)?.took_over.iter().any(|took| took.record == record) {
                holding.push(lead.id);
            }
        }
        Ok(holding)
    }

    /// What the conversion of another lead says of this record by itself, of what would be lost: what people said of the lead, of its
    /// persons, and of the account with its persons. What conversions wrote is nobody's word.
    fn word_of<T: Told>(
        &self,
        txn: &mut dyn Txn,
        lead: &Lead,
        (record, fields): (Subject, &T),
        lost: &Consent,
    ) -> Result<Consent> {
        let mut says = Consent::of_lead(&lead.fields).within(lost);
        let Some(done) = &lead.conversion else { return Ok(says) };
        let outcome = stored(txn, done.operation)?.outcome;
        let has = match record.kind {
            SubjectKind::Account => outcome.account == Some(AccountId::from_uuid(record.id)),
            _ => outcome.contacts.contains(&ContactId::from_uuid(record.id)),
        };
        if !has {
            return Ok(Consent::default());
        }
        let mut persons: BTreeSet<ContactId> = outcome.contacts.iter().copied().collect();
        let own = txn.links().from(&[lead.id.into()], None)?;
        persons.extend(own.iter().filter(|link| link.to.kind == SubjectKind::Contact).map(person));
        if let Some(id) = outcome.account {
            persons.extend(speaking(txn, id, &fields.asked())?);
            let account = Subject::from(id);
            for known in txn.accounts().get(&[id])?.iter().filter(|_| account != record) {
                if !known.fields.consent().within(lost).is_empty() {
                    says = says.join(&word(txn, account, &known.fields)?.within(lost));
                }
            }
        }
        persons.retain(|id| Subject::from(*id) != record);
        for known in txn.contacts().get(&persons.into_iter().collect::<Vec<_>>())? {
            if known.fields.consent().within(lost).is_empty() {
                continue;
            }
            let (marks, do_not_call) = word(txn, known.id.into(), &known.fields)?.within(lost).parted();
            says = says.join(&marks);
            if let Some(note) = do_not_call.filter(|_| is_it(&outcome.links, &known, record, fields)) {
                says = says.join(&Consent::of_contact(&ContactFields {
                    do_not_call: Some(note),
                    ..ContactFields::default()
                }));
            }
        }
        Ok(says)
    }

    /// The outcome of another conversion, to be written with what it takes over.
    pub(super) fn heir(&mut self, txn: &mut dyn Txn, conversion: OperationId) -> Result<&mut Stored> {
        let known = match self.found.heirs.remove(&conversion) {
            Some(known) => known,
            None => stored(txn, conversion)?,
        };
        Ok(self.found.heirs.entry(conversion).or_insert(known))
    }
}

/// A new record of a conversion goes with it, whatever is said of it.
fn made(entry: &Entry, record: Subject) -> bool {
    entry.subject == record && entry.action == Action::Created
}

fn person(link: &Link) -> ContactId {
    ContactId::from_uuid(link.to.id)
}

/// Whether a person is this record: as a conversion said, or by what both say.
fn is_it<T: Told>(links: &[Link], known: &Contact, record: Subject, fields: &T) -> bool {
    let is = Link::new(known.id, LinkRole::ConvertedTo, record);
    links.contains(&is)
        || fields
            .who()
            .is_some_and(|who| is_same_person((known.fields.name.as_ref(), &known.fields.emails), who))
}
