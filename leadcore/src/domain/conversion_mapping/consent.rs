//! What was said against reaching somebody: of two records the stricter word holds.

use std::collections::BTreeMap;

use crate::domain::account::AccountFields;
use crate::domain::block_key::{BlockKey, BlockKind};
use crate::domain::contact::{ContactFields, NO_CALLS};
use crate::domain::field_value::FieldValue;
use crate::domain::images::{EMAILS, PHONES};
use crate::domain::journal::FieldChange;
use crate::domain::lead::LeadFields;
use crate::domain::reach::{Emails, Phones, Reachable};
use crate::domain::reach_mark::{MarkNote, ReachChannel, ReachMark};
use crate::value::{Email, PersonName, Phone, fold};

/// Which addresses and numbers nobody may or can use, and whether somebody must not be called at all, with since when and
/// why.
///
/// It only ever grows stricter: [`join`](Self::join) of two has what either has. Of two notes about the same mark the one
/// that has held longer stays; one with a date is kept before one without. It does not matter which record comes first,
/// nor how often. What loosens (a new opt-in with its evidence) is an edit by somebody, never a conversion or a merge
/// (the rule of semantics §8; suitecrm/SuiteCRM#7132, where merging turned an opt-out into an opt-in).
///
/// ```
/// use leadcore::domain::conversion_mapping::Consent;
/// use leadcore::domain::{ContactFields, Emails};
/// let mut known = ContactFields { emails: Emails::parse("anna@nordlys.example")?, ..ContactFields::default() };
/// let lead = ContactFields { emails: Emails::parse("Anna@nordlys.example (opted_out)")?, ..ContactFields::default() };
/// Consent::of_contact(&lead).tighten_contact(&mut known);
/// assert!(known.emails.entries()[0].opted_out);
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consent {
    marks: BTreeMap<(ReachChannel, String, ReachMark), MarkNote>,
    do_not_call: Option<MarkNote>,
}

impl Consent {
    /// What is said in a lead.
    #[must_use]
    pub fn of_lead(lead: &LeadFields) -> Self {
        Self::of(&lead.emails, &lead.phones)
    }

    /// What is said in an account.
    #[must_use]
    pub fn of_account(account: &AccountFields) -> Self {
        Self::of(&account.emails, &account.phones)
    }

    /// What is said in a contact.
    #[must_use]
    pub fn of_contact(contact: &ContactFields) -> Self {
        Self { do_not_call: contact.do_not_call.clone(), ..Self::of(&contact.emails, &contact.phones) }
    }

    /// What is said of these addresses and numbers.
    #[must_use]
    pub fn of(emails: &Emails, phones: &Phones) -> Self {
        let mut said = Self::default();
        for entry in emails.entries() {
            said.add(ReachChannel::Email, &email_keys(&entry.value), entry);
        }
        for entry in phones.entries() {
            said.add(ReachChannel::Phone, &phone_keys(&entry.value), entry);
        }
        said
    }

    fn add<T>(&mut self, channel: ReachChannel, keys: &[String], entry: &Reachable<T>) {
        for mark in ReachMark::ALL.into_iter().filter(|mark| entry.is_marked(*mark)) {
            let note = entry.note(mark).cloned().unwrap_or_default();
            for key in keys {
                self.note((channel, key.clone(), mark), &note);
            }
        }
    }

    fn note(&mut self, of: (ReachChannel, String, ReachMark), note: &MarkNote) {
        let known = self.marks.remove(&of);
        let stricter = known.map_or_else(|| note.clone(), |known| earlier(known, note.clone()));
        self.marks.insert(of, stricter);
    }

    /// What either says.
    #[must_use]
    pub fn join(mut self, other: &Self) -> Self {
        for (of, note) in &other.marks {
            self.note(of.clone(), note);
        }
        self.do_not_call = match (self.do_not_call.take(), other.do_not_call.clone()) {
            (Some(one), Some(other)) => Some(earlier(one, other)),
            (one, other) => one.or(other),
        };
        self
    }

    /// What is said here and not there, or with another note.
    pub(crate) fn beyond(mut self, other: &Self) -> Self {
        self.marks.retain(|of, note| other.marks.get(of) != Some(note));
        self.do_not_call = self.do_not_call.filter(|note| other.do_not_call.as_ref() != Some(note));
        self
    }

    /// What is said here and, whatever the note, there too.
    pub(crate) fn within(mut self, other: &Self) -> Self {
        self.marks.retain(|of, _| other.marks.contains_key(of));
        self.do_not_call = self.do_not_call.filter(|_| other.do_not_call.is_some());
        self
    }

    /// What is said here and, whatever the note, not there.
    pub(crate) fn missing_in(mut self, other: &Self) -> Self {
        self.marks.retain(|of, _| !other.marks.contains_key(of));
        self.do_not_call = self.do_not_call.filter(|_| other.do_not_call.is_none());
        self
    }

    /// The marks that these changes of an account or a contact wrote, as the journal tells them.
    pub(crate) fn written(changes: &[FieldChange]) -> Self {
        Self::side(changes, |change| &change.after).missing_in(&Self::side(changes, |change| &change.before))
    }

    /// The marks that these changes took off.
    pub(crate) fn lifted(changes: &[FieldChange]) -> Self {
        Self::side(changes, |change| &change.before).missing_in(&Self::side(changes, |change| &change.after))
    }

    /// By what those are reached that marks are about.
    pub(crate) fn channels(&self) -> impl Iterator<Item = ReachChannel> {
        self.marks.keys().map(|(channel, ..)| *channel)
    }

    /// The marks that were there already and that somebody said again, as the journal tells them: with the same on both sides.
    pub(crate) fn repeated(changes: &[FieldChange]) -> Self {
        let same = changes.iter().filter(|change| change.before == change.after);
        Self::side(&same.cloned().collect::<Vec<_>>(), |change| &change.after)
    }

    fn side(changes: &[FieldChange], read: fn(&FieldChange) -> &FieldValue) -> Self {
        let image = |key: &str| {
            changes.iter().find(|change| change.field == key).and_then(|change| read(change).as_text())
        };
        let emails = image(EMAILS).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let phones = image(PHONES).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let is_called = |change: &FieldChange| change.field == NO_CALLS && *read(change) == true.into();
        let do_not_call = changes.iter().any(is_called).then(MarkNote::default);
        Self { do_not_call, ..Self::of(&emails, &phones) }
    }

    /// What is said of addresses and numbers, and what of the person.
    pub(crate) fn parted(mut self) -> (Self, Option<MarkNote>) {
        let do_not_call = self.do_not_call.take();
        (self, do_not_call)
    }

    /// Whether nothing is said against anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.do_not_call.is_none()
    }

    /// Since when and why nobody may call, if that is so.
    #[must_use]
    pub const fn do_not_call(&self) -> Option<&MarkNote> {
        self.do_not_call.as_ref()
    }

    fn said(&self, channel: ReachChannel, keys: &[String], mark: ReachMark) -> Option<MarkNote> {
        let said = keys.iter().filter_map(|key| self.marks.get(&(channel, key.clone(), mark))).cloned();
        said.reduce(earlier)
    }

    fn tighten<T>(&self, channel: ReachChannel, keys: &[String], entry: &mut Reachable<T>) {
        for mark in ReachMark::ALL {
            if let Some(said) = self.said(channel, keys, mark) {
                let own = entry.is_marked(mark).then(|| entry.note(mark).cloned().unwrap_or_default());
                let note = own.map_or_else(|| said.clone(), |own| earlier(own, said.clone()));
                entry.set_mark(mark, Some(note));
            }
        }
    }

    fn lift<T>(&self, channel: ReachChannel, keys: &[String], entry: &mut Reachable<T>) {
        for mark in ReachMark::ALL {
            if self.said(channel, keys, mark).is_some() {
                entry.set_mark(mark, None);
            }
        }
    }

    /// Takes off what is said here: for whoever wrote it.
    pub(crate) fn lift_of(&self, emails: &mut Emails, phones: &mut Phones) {
        for entry in emails.entries_mut() {
            self.lift(ReachChannel::Email, &email_keys(&entry.value), entry);
        }
        for entry in phones.entries_mut() {
            self.lift(ReachChannel::Phone, &phone_keys(&entry.value), entry);
        }
    }

    /// Marks the addresses that something is said against. No mark is taken off.
    pub fn tighten_emails(&self, emails: &mut Emails) {
        for entry in emails.entries_mut() {
            self.tighten(ReachChannel::Email, &email_keys(&entry.value), entry);
        }
    }

    /// Marks the numbers that something is said against. No mark is taken off.
    pub fn tighten_phones(&self, phones: &mut Phones) {
        for entry in phones.entries_mut() {
            self.tighten(ReachChannel::Phone, &phone_keys(&entry.value), entry);
        }
    }

    /// Marks what an account has.
    pub fn tighten_account(&self, account: &mut AccountFields) {
        self.tighten_emails(&mut account.emails);
        self.tighten_phones(&mut account.phones);
    }

    /// Marks what a contact has, and that nobody may call it, where that is said.
    pub fn tighten_contact(&self, contact: &mut ContactFields) {
        self.tighten_emails(&mut contact.emails);
        self.tighten_phones(&mut contact.phones);
        if let Some(note) = &self.do_not_call {
            let own = contact.do_not_call.take();
            contact.do_not_call = Some(own.map_or_else(|| note.clone(), |own| earlier(own, note.clone())));
        }
    }
}

fn email_keys(email: &Email) -> Vec<String> {
    vec![email.canonical().to_owned()]
}

/// A number is known by its key, and by its text: it may be written the same way where its country is not known.
fn phone_keys(phone: &Phone) -> Vec<String> {
    let key = phone.match_key().unwrap_or_else(|| phone.digits());
    vec![key, format!("={}", phone.as_str())]
}

/// What a contact that says something against being reached is found by: the addresses and numbers that are marked, and of one
/// that must not be called also its e-mails and its name.
pub(in crate::domain) fn said_keys(contact: &ContactFields) -> Vec<BlockKey> {
    let said = Consent::of_contact(contact);
    let mut keys: Vec<_> = said.marks.keys().map(|(channel, key, _)| marked(*channel, key)).collect();
    if said.do_not_call.is_some() {
        keys.extend(callers(contact.name.as_ref(), &contact.emails));
    }
    keys.into_iter().flatten().collect()
}

/// What contacts are found by that say something of these addresses and numbers, or that this person must not be called. Not all
/// that are found do: a name alone is not a person.
#[must_use]
pub(crate) fn asked_keys(name: Option<&PersonName>, emails: &Emails, phones: &Phones) -> Vec<BlockKey> {
    let of_emails = emails.iter().flat_map(email_keys).map(|key| marked(ReachChannel::Email, &key));
    let of_phones = phones.iter().flat_map(phone_keys).map(|key| marked(ReachChannel::Phone, &key));
    of_emails.chain(of_phones).chain(callers(name, emails)).flatten().collect()
}

fn marked(channel: ReachChannel, key: &str) -> Option<BlockKey> {
    BlockKey::new(BlockKind::Said, format!("{}:{key}", channel.code()))
}

/// Who somebody is that must not be called: by e-mail, or by name.
fn callers(name: Option<&PersonName>, emails: &Emails) -> Vec<Option<BlockKey>> {
    let key = |kind: &str, key: &str| BlockKey::new(BlockKind::Said, format!("call:{kind}:{key}"));
    let name = name.map(|name| key("name", &fold(name.full())));
    emails.iter().map(|email| key("email", email.canonical())).chain(name).collect()
}

/// The note that has held longer; where dates do not tell, the one that says more, then the first by its text: so that the
/// order of two records makes no difference.
fn earlier(one: MarkNote, other: MarkNote) -> MarkNote {
    let order = |note: &MarkNote| {
        let (since, reason) = (note.since(), note.reason());
        (since.is_none(), since, reason.is_none(), reason.map(str::to_owned))
    };
    if order(&other) < order(&one) { other } else { one }
}
