//! What a conversion had written or made that was taken back since: no undo brings it back.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Action, Entry, Field, FieldValue, OperationKind, Sequence, Subject, Topics, WhyKept, plain,
};
use crate::error::Result;
use crate::id::OperationId;
use crate::store::Txn;

use super::super::convert::standing;
use super::stories::Story;

/// How many entries are read at a time.
const AT_A_TIME: usize = 64;

/// The fields of a record whose value before an operation was that of a conversion that does not stand any more.
#[derive(Debug, Default)]
pub(super) struct Withdrawn(BTreeSet<String>);

impl Withdrawn {
    /// Reads the history of the record from before the operation, as far as it says whose values those were.
    pub(super) fn of(txn: &mut dyn Txn, subject: Subject, story: &Story) -> Result<Self> {
        let mut sought: BTreeMap<String, FieldValue> = BTreeMap::new();
        // The newest first: what the oldest of them found is what comes back.
        for entry in story.own.iter().filter(|entry| entry.action == Action::Updated) {
            let told = entry.changes.iter().filter(|change| change.before != FieldValue::Empty);
            sought.extend(told.map(|change| (change.field.clone(), change.before.clone())));
        }
        let mut before: Option<Sequence> = story.own.last().map(|entry| entry.sequence);
        let mut stands: BTreeMap<OperationId, bool> = BTreeMap::new();
        let mut withdrawn = Self::default();
        while !sought.is_empty() && before.is_some() {
            let entries = txn.journal().about(&[subject], Topics::NONE, before, AT_A_TIME)?;
            for entry in entries.iter().filter(|entry| entry.subject == subject) {
                // An undo gives back what somebody else wrote.
                if entry.operation_kind == OperationKind::Undo {
                    continue;
                }
                for change in &entry.changes {
                    let is_it =
                        sought.get(&change.field).is_some_and(|value| plain(value) == plain(&change.after));
                    if !is_it {
                        continue;
                    }
                    sought.remove(&change.field);
                    if entry.operation_kind != OperationKind::Convert {
                        continue;
                    }
                    let of = BTreeSet::from([entry.operation]);
                    let known = match stands.get(&entry.operation) {
                        Some(known) => *known,
                        None => !standing(txn, &of)?.is_empty(),
                    };
                    stands.insert(entry.operation, known);
                    if !known {
                        withdrawn.0.insert(change.field.clone());
                    }
                }
            }
            before = entries.last().map(|entry| entry.sequence).filter(|_| entries.len() == AT_A_TIME);
        }
        Ok(withdrawn)
    }

    /// Why a field stays as it is.
    pub(super) fn refuse(&self, field: &Field) -> Option<WhyKept> {
        self.0.contains(field.key()).then_some(WhyKept::Reversed)
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
