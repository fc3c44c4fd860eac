//! What the journal tells of the records of an operation.

use std::collections::HashMap;

use crate::domain::{Entry, Kept, Operation, Sequence, Subject, Topics, WhyKept};
use crate::error::Result;
use crate::store::Journal;

use super::{UndoRecord, followers};

/// How many entries of one record are read at a time: most have fewer since the operation.
const AT_A_TIME: usize = 64;

/// What a record of a chunk looks like in the journal.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Its entries in the operation, newest first.
    pub(super) own: Vec<Entry>,
    /// Whether somebody else than the actor of the operation wrote it since.
    pub(super) touched: bool,
}

/// The entries of these records back to the beginning of the operation: each is read once, however long the histories.
pub(super) fn stories(
    journal: &mut dyn Journal,
    undone: &Operation,
    first: Sequence,
    subjects: &[Subject],
) -> Result<HashMap<Subject, Story>> {
    let mut stories: HashMap<Subject, Story> = HashMap::new();
    for subject in subjects {
        let story = stories.entry(*subject).or_default();
        let mut before = None;
        loop {
            let entries = journal.about(&[*subject], Topics::NONE, before, AT_A_TIME)?;
            before = entries.last().map(|entry| entry.sequence).filter(|end| *end > first);
            let is_all = before.is_none() || entries.len() < AT_A_TIME;
            // What happened to what hangs on it is a story of its own.
            let own = |entry: &Entry| entry.sequence >= first && entry.subject == *subject;
            for entry in entries.into_iter().filter(own) {
                if entry.operation == undone.id {
                    story.own.push(entry);
                } else if story.own.is_empty() {
                    // Who follows a lead does not write it.
                    let written = !followers::concerns(&entry);
                    story.touched |= written && entry.actor != undone.actor;
                }
            }
            if is_all {
                break;
            }
        }
    }
    Ok(stories)
}

pub(super) fn unsupported(subject: Subject, story: &Story) -> UndoRecord {
    let field = story.own.first().map_or("record", |entry| entry.action.code()).to_owned();
    UndoRecord { kept: vec![Kept { field, why: WhyKept::Unsupported }], ..UndoRecord::new(subject) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Action, Actor, NewEntry, OperationKind, OperationState, SubjectKind};
    use crate::id::OperationId;
    use crate::time::Timestamp;

    /// A journal in memory that counts what is read of it.
    #[derive(Default)]
    struct Counting {
        entries: Vec<Entry>,
        read: usize,
    }

    impl Counting {
        fn add(&mut self, subject: Subject, operation: OperationId, actor: &Actor) {
            self.entries.push(Entry {
                sequence: Sequence(i64::try_from(self.entries.len()).unwrap() + 1),
                operation,
                operation_kind: OperationKind::Edit,
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
            unreachable!()
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
        let [of, other] = [1, 2].map(|n| OperationId::from_uuid(Uuid::from_u128(n)));
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
        (0..200).for_each(|_| everyone(&mut journal, other, &bob));
        let first = Sequence(i64::try_from(journal.entries.len()).unwrap() + 1);
        everyone(&mut journal, of, &ada);
        (0..200).for_each(|_| everyone(&mut journal, other, &ada));
        journal.add(subjects[7], other, &bob);
        let stories = stories(&mut journal, &undone, first, &subjects).unwrap();
        assert!(stories.values().all(|story| story.own.len() == 1));
        let touched: Vec<_> = subjects.iter().filter(|subject| stories[subject].touched).collect();
        assert_eq!(touched, [&subjects[7]]);
        let since = 201 * subjects.len();
        let most = since + subjects.len() * AT_A_TIME;
        assert!((since..=most).contains(&journal.read), "{} entries were read", journal.read);
    }
}
