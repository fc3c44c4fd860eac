//! What the journal tells of the records of an operation.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::domain::{
    Action, Entry, Field, FieldChange, FieldValue, Kept, Operation, OperationKind, Sequence, Subject,
    TermKind, Topics, WhyKept, go_together,
};
use crate::error::Result;
use crate::id::OperationId;
use crate::store::Journal;

use super::writes::{Work, Writes, Written};
use super::{UndoFailure, UndoOutcome, UndoRecord, followers};

/// How many entries of one record are read at a time: most have fewer since the operation.
const AT_A_TIME: usize = 64;

/// What a record of a chunk looks like in the journal.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Its entries in the operation, newest first.
    pub(super) own: Vec<Entry>,
    /// Whether another operation wrote it since, by whomever, and is not taken back itself.
    pub(super) touched: bool,
    /// Whether another operation hung something on it since, or wrote what hangs on it: a note, a task, a file, an estimate.
    pub(super) hung: bool,
    /// What others wrote since.
    writes: Writes,
    /// What others wrote into fields that name terms and stages: what that was written over comes back once they are taken back.
    overwriting: BTreeMap<String, Vec<Written>>,
    /// What an undo of the operation, that holds, took back of it already: keys of fields and of actions.
    returned: BTreeSet<String>,
}

impl Story {
    /// Whether an undo of the operation, that holds, took something of it back already.
    pub(super) fn has_returned(&self) -> bool {
        !self.returned.is_empty()
    }

    /// Why a field stays that still has what an entry of the operation wrote: an undo took it back already and somebody wrote it
    /// again, or it was written since, or what it means something with; or a newer entry of the operation `kept` it.
    pub(super) fn refuse(&self, entry: &Entry, change: &FieldChange, kept: &[Kept]) -> Option<WhyKept> {
        if self.returned.contains(&change.field) || self.writes.came_behind(entry, &change.field) {
            return Some(WhyKept::Edited);
        }
        kept.iter().find(|kept| go_together(&kept.field, &change.field)).map(|kept| kept.why)
    }

    /// Whether a field was written since by another operation that holds.
    pub(super) fn is_written_over(&self, field: &str) -> bool {
        self.own.first().is_some_and(|newest| self.writes.came_behind(newest, field))
    }

    /// The terms and stages that somebody else's undo would write into the record again, as this undo leaves it.
    pub(super) fn needs(&self, record: &UndoRecord) -> impl Iterator<Item = Uuid> {
        let is_back = |key: &str| record.reversed.iter().any(|back| back == key);
        let stay = self.overwriting.iter().filter(move |(field, _)| !is_back("created") && !is_back(field));
        let written = stay.flat_map(|(_, written)| written).filter(|written| !written.is_nothing());
        written.flat_map(|written| written.before.items().iter().filter_map(FieldValue::as_id))
    }

    /// Notes what another operation wrote over, but for the fields that were taken back.
    fn note_overwritten(&mut self, entry: &Entry) {
        for change in entry.changes.iter().filter(|change| names_term_or_stage(change)) {
            if self.writes.holds(entry.operation, &change.field) {
                let known = self.overwriting.entry(change.field.clone()).or_default();
                if !known.last_mut().is_some_and(|newer| newer.take_up(entry, change)) {
                    known.push(Written::of(entry, change));
                }
            }
        }
    }
}

fn names_term_or_stage(change: &FieldChange) -> bool {
    let is_of = |kind: TermKind| kind.field().key() == change.field;
    change.field == Field::Stage.key() || TermKind::ALL.into_iter().any(is_of)
}

/// The entries of these records back to the beginning of the operation: each is read once, however long the histories.
pub(super) fn stories(
    journal: &mut dyn Journal,
    undone: &Operation,
    first: Sequence,
    subjects: &[Subject],
) -> Result<HashMap<Subject, Story>> {
    let mut stories: HashMap<Subject, Story> = HashMap::new();
    let mut undos = Undos::default();
    for subject in subjects {
        let story = stories.entry(*subject).or_default();
        // The operations that are taken back, as far as this record goes, and what of them: an undo comes behind what it
        // undoes.
        let mut gone: BTreeMap<OperationId, BTreeSet<String>> = BTreeMap::new();
        let (mut work, mut before) = (Work::default(), None);
        loop {
            let entries = journal.about(&[*subject], Topics::NONE, before, AT_A_TIME)?;
            before = entries.last().map(|entry| entry.sequence).filter(|end| *end > first);
            let is_all = before.is_none() || entries.len() < AT_A_TIME;
            for entry in entries.into_iter().filter(|entry| entry.sequence >= first) {
                let is_about_it = entry.subject == *subject;
                if entry.operation == undone.id {
                    // What happened to what hangs on it is a story of its own.
                    if is_about_it {
                        story.own.push(entry);
                    }
                    continue;
                }
                if entry.operation_kind == OperationKind::Undo {
                    let Some(of) = undos.undone_by(journal, entry.operation)? else { continue };
                    if is_about_it {
                        story.writes.undo(&entry, of, undone.id, story.own.is_empty());
                    }
                    if !gone.contains_key(&entry.operation) {
                        let back = if is_about_it { returned(&entry) } else { Vec::new() };
                        if of == undone.id {
                            story.returned.extend(back.iter().cloned());
                        }
                        gone.entry(of).or_default().extend(back);
                    }
                    continue;
                }
                if is_about_it {
                    story.note_overwritten(&entry);
                }
                if !counts(&entry) {
                    continue;
                }
                if is_about_it {
                    story.writes.write(&entry, story.own.is_empty());
                }
                if !gone.contains_key(&entry.operation) {
                    story.hung |= !is_about_it;
                    story.touched |= is_about_it && work.is_more(&entry);
                }
            }
            if is_all {
                break;
            }
        }
        story.touched |= work.changed();
    }
    Ok(stories)
}

/// Whether an entry of another operation is work on the record. Who follows a lead does not write it, and a conversion that
/// was taken back left it as it was: of one that holds, the lead itself says so.
fn counts(entry: &Entry) -> bool {
    let is_conversion = matches!(entry.operation_kind, OperationKind::Convert | OperationKind::Unconvert);
    !is_conversion && !followers::concerns(entry)
}

/// What undos undid, each asked for once.
#[derive(Debug, Default)]
struct Undos(HashMap<OperationId, Option<OperationId>>);

impl Undos {
    fn undone_by(&mut self, journal: &mut dyn Journal, undo: OperationId) -> Result<Option<OperationId>> {
        if let Some(known) = self.0.get(&undo) {
            return Ok(*known);
        }
        let stored = journal.operation(undo)?.and_then(|operation| operation.outcome);
        let outcome = stored.and_then(|json| serde_json::from_value::<UndoOutcome>(json).ok());
        let undone = outcome.map(|outcome| outcome.undone);
        self.0.insert(undo, undone);
        Ok(undone)
    }
}

/// What an entry of an undo says was taken back.
fn returned(entry: &Entry) -> Vec<String> {
    let codes = |actions: &[Action]| actions.iter().map(|action| action.code().to_owned()).collect();
    match entry.action {
        Action::Deleted => codes(&[Action::Created, Action::Restored]),
        Action::Restored | Action::Created => codes(&[Action::Deleted]),
        Action::Linked | Action::Unlinked => vec!["contact".to_owned()],
        action => {
            let fields = entry.changes.iter().map(|change| change.field.clone());
            fields.chain([action.code().to_owned()]).collect()
        }
    }
}

/// What is told of a record: of one that was converted since, that it is kept; of an operation that is taken back `again`,
/// only what was left the first time.
pub(super) fn tell(record: UndoRecord, story: &Story, again: bool) -> Option<UndoRecord> {
    if record.failed == Some(UndoFailure::Converted) {
        return Some(kept_whole(record.subject, story, |_| WhyKept::Converted));
    }
    let mut record = record;
    // What was taken back before is told as that, where nothing else happened to the record.
    if !story.touched && story.has_returned() {
        for kept in record.kept.iter_mut().filter(|kept| kept.why == WhyKept::Edited) {
            kept.why = WhyKept::Reversed;
        }
    }
    if again && record.failed.is_none() && story.has_returned() {
        record.kept.retain(|kept| !story.returned.contains(&kept.field));
        if record.kept.is_empty() && record.reversed.is_empty() {
            return None;
        }
    }
    Some(record)
}

/// A lead that lines of a file wrote of which only some are to be taken back: all of it stays.
pub(super) fn shared(subject: Subject, story: &Story) -> UndoRecord {
    let why = |key: &str| {
        if story.returned.contains(key) { WhyKept::Reversed } else { WhyKept::Shared }
    };
    kept_whole(subject, story, why)
}

/// A record of which all stays: one that was converted since, say.
fn kept_whole(subject: Subject, story: &Story, why: impl Fn(&str) -> WhyKept) -> UndoRecord {
    let mut fields = BTreeSet::new();
    for entry in &story.own {
        let is_field = |key: &&String| key.parse::<Field>().is_ok();
        let mut told = entry.changes.iter().map(|change| &change.field).filter(is_field).peekable();
        match entry.action {
            Action::Updated | Action::Moved if told.peek().is_some() => fields.extend(told.cloned()),
            action => drop(fields.insert(action.code().to_owned())),
        }
    }
    let kept = fields.into_iter().map(|field| Kept { why: why(&field), field }).collect();
    UndoRecord { kept, ..UndoRecord::new(subject) }
}

pub(super) fn unsupported(subject: Subject, story: &Story) -> UndoRecord {
    let field = story.own.first().map_or("record", |entry| entry.action.code()).to_owned();
    UndoRecord { kept: vec![Kept { field, why: WhyKept::Unsupported }], ..UndoRecord::new(subject) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Action, Actor, NewEntry, OperationState, SubjectKind};
    use crate::id::OperationId;
    use crate::time::Timestamp;

    /// A journal in memory that counts what is read of it.
    #[derive(Default)]
    struct Counting {
        entries: Vec<Entry>,
        read: usize,
    }

    impl Counting {
        fn add(&mut self, subject: Subject, (operation, kind): (OperationId, OperationKind), actor: &Actor) {
            self.entries.push(Entry {
                sequence: Sequence(i64::try_from(self.entries.len()).unwrap() + 1),
                operation,
                operation_kind: kind,
                actor: actor.clone(),
                at: Timestamp::EPOCH,
                subject,
                action: Action::Updated,
                other: None,
                changes: Vec::new(),
                topics: Topics::NONE,
            });
        }
    }

    impl Journal for Counting {
        fn about(
            &mut self,
            subjects: &[Subject],
            _: Topics,
            before: Option<Sequence>,
            limit: usize,
        ) -> Result<Vec<Entry>> {
            let earlier = |entry: &&Entry| before.is_none_or(|before| entry.sequence < before);
            let found = self.entries.iter().rev().filter(|entry| subjects.contains(&entry.subject));
            let found: Vec<_> = found.filter(earlier).take(limit).cloned().collect();
            self.read += found.len();
            Ok(found)
        }

        fn begin(&mut self, _: &Operation) -> Result<()> {
            unreachable!()
        }
        fn update(&mut self, _: &Operation) -> Result<()> {
            unreachable!()
        }
        fn operation(&mut self, _: OperationId) -> Result<Option<Operation>> {
            Ok(None)
        }
        fn find(&mut self, _: OperationKind, _: &str) -> Result<Option<Operation>> {
            unreachable!()
        }
        fn append(&mut self, _: OperationId, _: &[NewEntry]) -> Result<()> {
            unreachable!()
        }
        fn replay(&mut self, _: Option<OperationId>, _: Option<Sequence>, _: usize) -> Result<Vec<Entry>> {
            unreachable!()
        }
        fn end(&mut self) -> Result<Sequence> {
            unreachable!()
        }
    }

    #[test]
    fn a_long_history_is_read_once() {
        let [ada, bob] = ["ada", "bob"].map(|user| Actor::User(user.parse().unwrap()));
        let [of, other, undo] = [1, 2, 3].map(|n| OperationId::from_uuid(Uuid::from_u128(n)));
        let undone = Operation {
            id: of,
            kind: OperationKind::Edit,
            actor: ada.clone(),
            at: Timestamp::EPOCH,
            key: None,
            state: OperationState::Done,
            outcome: None,
        };
        let subjects: Vec<_> =
            (0..100).map(|n| Subject::new(SubjectKind::Lead, Uuid::from_u128(n))).collect();
        let mut journal = Counting::default();
        let everyone = |journal: &mut Counting, operation, actor: &Actor| {
            subjects.iter().for_each(|subject| journal.add(*subject, operation, actor));
        };
        // Long before it, in it, and long after it.
        (0..200).for_each(|_| everyone(&mut journal, (other, OperationKind::Edit), &bob));
        let first = Sequence(i64::try_from(journal.entries.len()).unwrap() + 1);
        everyone(&mut journal, (of, OperationKind::Edit), &ada);
        // Undos are no work on a record.
        (0..200).for_each(|_| everyone(&mut journal, (undo, OperationKind::Undo), &bob));
        // Whoever wrote it.
        journal.add(subjects[7], (other, OperationKind::Edit), &ada);
        journal.add(subjects[9], (other, OperationKind::Edit), &bob);
        let stories = stories(&mut journal, &undone, first, &subjects).unwrap();
        assert!(stories.values().all(|story| story.own.len() == 1));
        let touched: Vec<_> = subjects.iter().filter(|subject| stories[subject].touched).collect();
        assert_eq!(touched, [&subjects[7], &subjects[9]]);
        let since = 201 * subjects.len();
        let most = since + subjects.len() * AT_A_TIME;
        assert!((since..=most).contains(&journal.read), "{} entries were read", journal.read);
    }
}
