//! What a conversion had written or made that was taken back since: no undo brings it back.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::conversion_mapping::Consent;
use crate::domain::{
    Action, Entry, Field, FieldChange, FieldValue, OperationKind, ReachChannel, Sequence, Subject,
    SubjectKind, Topics, WhyKept, addresses, plain,
};
use crate::error::Result;
use crate::id::{AccountId, OperationId};
use crate::store::Txn;

use super::super::convert::{brought_to, standing};
use super::stories::Story;

/// How many entries are read at a time.
const AT_A_TIME: usize = 64;

/// What a record had before an operation, where that was of a conversion that does not stand any more.
#[derive(Debug, Default)]
pub(super) struct Withdrawn {
    fields: BTreeSet<String>,
    persons: BTreeSet<Subject>,
}

impl Withdrawn {
    /// Reads the history of the record from before the operation, as far as it says whose that was.
    pub(super) fn of(txn: &mut dyn Txn, subject: Subject, story: &Story) -> Result<Self> {
        let mut sought = Sought::of(subject, story);
        let mut before: Option<Sequence> = story.own.last().map(|entry| entry.sequence);
        let mut stands: BTreeMap<OperationId, bool> = BTreeMap::new();
        let mut withdrawn = Self::default();
        while !sought.is_empty() && before.is_some() {
            let entries = txn.journal().about(&[subject], Topics::NONE, before, AT_A_TIME)?;
            for entry in entries.iter().filter(|entry| entry.subject == subject) {
                sought.read(entry);
                // An undo gives back what somebody else wrote.
                if entry.operation_kind == OperationKind::Undo {
                    continue;
                }
                let found = sought.take(entry);
                if found.is_empty() || entry.operation_kind != OperationKind::Convert {
                    continue;
                }
                let of = BTreeSet::from([entry.operation]);
                let known = match stands.get(&entry.operation) {
                    Some(known) => *known,
                    None => !standing(txn, &of)?.is_empty(),
                };
                stands.insert(entry.operation, known);
                if !known {
                    withdrawn.fields.extend(found);
                }
            }
            before = entries.last().map(|entry| entry.sequence).filter(|_| entries.len() == AT_A_TIME);
        }
        withdrawn.persons = sought.unadded;
        withdrawn.persons.extend(sought.persons.into_keys());
        if subject.kind == SubjectKind::Account && !withdrawn.persons.is_empty() {
            let stay = brought_to(txn, AccountId::from_uuid(subject.id))?;
            withdrawn.persons.retain(|person| !stay.contains(person));
        }
        Ok(withdrawn)
    }

    /// Why a field stays as it is.
    pub(super) fn refuse(&self, change: &FieldChange) -> Option<WhyKept> {
        self.fields.contains(&change.field).then_some(WhyKept::Reversed)
    }

    /// Why a person stays off the record.
    pub(super) fn refuse_person(&self, person: Option<Subject>) -> Option<WhyKept> {
        person.filter(|person| self.persons.contains(person)).map(|_| WhyKept::Reversed)
    }
}

/// Whether a conversion made this record that does not stand any more.
pub(super) fn is_withdrawn(txn: &mut dyn Txn, subject: Subject) -> Result<bool> {
    let mut before = None;
    loop {
        let entries = txn.journal().about(&[subject], Topics::NONE, before, AT_A_TIME)?;
        let made = |entry: &&Entry| entry.subject == subject && entry.action == Action::Created;
        if let Some(made) = entries.iter().find(made) {
            let is_convert = made.operation_kind == OperationKind::Convert;
            return Ok(is_convert && standing(txn, &BTreeSet::from([made.operation]))?.is_empty());
        }
        before = entries.last().map(|entry| entry.sequence);
        if entries.len() < AT_A_TIME {
            return Ok(false);
        }
    }
}

/// Each with the field that shows it.
type Addresses = BTreeSet<(Field, String)>;

/// What an undo would bring back, until the history says who wrote it: values whole, addresses and marks also one by one,
/// because somebody may have written more beside them.
#[derive(Debug, Default)]
struct Sought {
    values: BTreeMap<String, FieldValue>,
    addresses: Addresses,
    marks: Consent,
    /// Persons of accounts, each with how many of its removals were taken back: only what people did is told there, and whom a
    /// conversion brought is not.
    persons: BTreeMap<Subject, usize>,
    /// Those of them whom nobody had added.
    unadded: BTreeSet<Subject>,
}

impl Sought {
    fn of(subject: Subject, story: &Story) -> Self {
        let mut sought = Self::default();
        // The newest first: what the oldest of them found is what comes back.
        for entry in &story.own {
            match entry.action {
                Action::Updated => {
                    let told = entry.changes.iter().filter(|change| change.before != FieldValue::Empty);
                    sought.values.extend(told.map(|change| (change.field.clone(), change.before.clone())));
                    let (old, new) = sides(&entry.changes);
                    sought.addresses.retain(|one| old.contains(one) || !new.contains(one));
                    sought.addresses.extend(old.difference(&new).cloned());
                    let known = std::mem::take(&mut sought.marks);
                    let known = known.missing_in(&Consent::written(&entry.changes));
                    sought.marks = known.join(&Consent::lifted(&entry.changes));
                }
                Action::Unlinked if subject.kind == SubjectKind::Account => {
                    sought.persons.extend(entry.other.map(|person| (person, 0)));
                }
                _ => {}
            }
        }
        sought
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
            && self.addresses.is_empty()
            && self.marks.is_empty()
            && self.persons.is_empty()
    }

    /// Who was added or removed.
    fn read(&mut self, entry: &Entry) {
        let Some(person) = entry.other else { return };
        let Some(taken_back) = self.persons.get_mut(&person) else { return };
        match (entry.action, entry.operation_kind) {
            (Action::Linked, OperationKind::Undo) => *taken_back += 1,
            (Action::Linked, _) => drop(self.persons.remove(&person)),
            (Action::Unlinked, _) if *taken_back > 0 => *taken_back -= 1,
            (Action::Unlinked, _) => {
                self.persons.remove(&person);
                self.unadded.insert(person);
            }
            _ => {}
        }
    }

    /// The fields of it that this entry wrote: they are sought no more.
    fn take(&mut self, entry: &Entry) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for change in &entry.changes {
            if self.values.get(&change.field).is_some_and(|value| plain(value) == plain(&change.after)) {
                self.values.remove(&change.field);
                found.insert(change.field.clone());
            }
        }
        let (old, new) = sides(&entry.changes);
        for address in new.difference(&old) {
            if self.addresses.remove(address) {
                found.insert(address.0.key().to_owned());
            }
        }
        let wrote = Consent::written(&entry.changes).join(&Consent::repeated(&entry.changes));
        let said = std::mem::take(&mut self.marks);
        found.extend(said.clone().within(&wrote).channels().map(ReachChannel::code).map(str::to_owned));
        self.marks = said.missing_in(&wrote);
        found
    }
}

/// The addresses before these changes, and those behind them.
fn sides(changes: &[FieldChange]) -> (Addresses, Addresses) {
    (addresses(changes, |change| &change.before), addresses(changes, |change| &change.after))
}
