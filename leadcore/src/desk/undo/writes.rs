//! What others wrote into a record, as far as it stands: a field is with whoever wrote it last, whatever its value is.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Action, Entry, FieldChange, FieldValue, IMPORT_LINE, Sequence, go_together, plain};
use crate::id::OperationId;

/// Read from a record's entries, the newest first.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Who wrote each field last, of the operations that hold.
    last: BTreeMap<String, Written>,
    /// What undos of other operations wrote, by the operation and the field.
    undos: BTreeMap<(OperationId, String), Undone>,
    /// The fields of each operation that undos, which hold, took back.
    taken: BTreeMap<OperationId, BTreeSet<String>>,
}

/// What one operation wrote into a field, in one step or several.
#[derive(Debug)]
pub(super) struct Written {
    by: OperationId,
    at: Sequence,
    pub(super) before: FieldValue,
    after: FieldValue,
}

impl Written {
    pub(super) fn of(entry: &Entry, change: &FieldChange) -> Self {
        let (before, after) = (plain(&change.before), plain(&change.after));
        Self { by: entry.operation, at: entry.sequence, before, after }
    }

    /// Takes up an older step, if it is of the same operation.
    pub(super) fn take_up(&mut self, entry: &Entry, change: &FieldChange) -> bool {
        let is_same = self.by == entry.operation;
        if is_same {
            self.before = plain(&change.before);
        }
        is_same
    }

    /// Whether it left the field as it had found it: the journal of its undo would not tell of it.
    pub(super) fn is_nothing(&self) -> bool {
        self.before == self.after
    }
}

/// When an undo wrote a field, and when the operation that it undid had. What came in between was written over; before that, it
/// is as if neither had been.
#[derive(Debug)]
struct Undone {
    at: Sequence,
    from: Option<Sequence>,
}

impl Writes {
    /// Reads an entry of an undo of the operation `of`, where `undone` is the one that is being taken back; `behind` says whether
    /// the entry came behind all of that.
    pub(super) fn undo(&mut self, entry: &Entry, of: OperationId, undone: OperationId, behind: bool) {
        for change in changed(entry) {
            let field = change.field.as_str();
            if !self.holds(entry.operation, field) {
                self.cancel(entry, field, behind);
                continue;
            }
            self.taken.entry(of).or_default().insert(field.to_owned());
            if of != undone {
                let undo = Undone { at: entry.sequence, from: None };
                self.undos.entry((of, field.to_owned())).or_insert(undo);
            }
        }
    }

    /// Reads an entry of another operation.
    pub(super) fn write(&mut self, entry: &Entry, behind: bool) {
        for change in changed(entry) {
            let field = change.field.as_str();
            if !self.holds(entry.operation, field) {
                self.cancel(entry, field, behind);
                continue;
            }
            let known = self.last.get_mut(field);
            if known.is_none_or(|known| !known.take_up(entry, change) && known.is_nothing()) {
                self.last.insert(field.to_owned(), Written::of(entry, change));
            }
        }
    }

    /// What was taken back, and the undo that did it.
    fn cancel(&mut self, entry: &Entry, field: &str, behind: bool) {
        let key = (entry.operation, field.to_owned());
        if behind {
            self.undos.remove(&key);
        } else if let Some(undo) = self.undos.get_mut(&key) {
            undo.from.get_or_insert(entry.sequence);
        }
    }

    /// Whether what an operation wrote into a field was not taken back.
    pub(super) fn holds(&self, operation: OperationId, field: &str) -> bool {
        self.taken.get(&operation).is_none_or(|taken| !taken.contains(field))
    }

    /// Whether a field that an entry wrote, or one that goes together with it, was written since.
    pub(super) fn came_behind(&self, entry: &Entry, field: &str) -> bool {
        let then = entry.sequence;
        let is_last = |(key, last): (&String, &Written)| {
            last.at > then && !last.is_nothing() && go_together(key, field)
        };
        let is_between = |((_, key), undo): (&(OperationId, String), &Undone)| {
            undo.at > then && undo.from.is_none_or(|from| from < then) && go_together(key, field)
        };
        self.last.iter().any(is_last) || self.undos.iter().any(is_between)
    }
}

/// What operations made of the fields of a record, each in all its steps: an import writes a lead once in each chunk. One that left
/// all as it had found it did nothing, as if it had been one step.
#[derive(Debug, Default)]
pub(super) struct Work(BTreeMap<(OperationId, String), Written>);

impl Work {
    /// Reads an entry, the newest first; `true` where it is more than a change of fields.
    pub(super) fn is_more(&mut self, entry: &Entry) -> bool {
        if entry.changes.is_empty() || !matches!(entry.action, Action::Updated | Action::Moved) {
            return true;
        }
        for change in changed(entry).filter(|change| change.field != IMPORT_LINE) {
            let key = (entry.operation, change.field.clone());
            let newer = self.0.entry(key).or_insert_with(|| Written::of(entry, change));
            newer.take_up(entry, change);
        }
        false
    }

    /// Whether any of them changed anything.
    pub(super) fn changed(&self) -> bool {
        self.0.values().any(|written| !written.is_nothing())
    }
}

fn changed(entry: &Entry) -> impl Iterator<Item = &FieldChange> {
    entry.changes.iter().filter(|change| plain(&change.before) != plain(&change.after))
}
