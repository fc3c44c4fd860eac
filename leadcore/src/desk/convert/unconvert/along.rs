//! What deletions by the actor since took along of others' work: only an undo of them would bring it back, and behind a way back none
//! does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::domain::{Action, Entry, Sequence, Subject, SubjectKind};
use crate::error::Result;
use crate::id::OperationId;
use crate::store::Txn;

use super::Unconvertible;
use super::handed::{Tabs, add};
use super::look::Look;
use super::since::back_to;

impl Look<'_> {
    /// A record that is not there any more stands against the way back: whoever took it away is told first.
    pub(super) fn is_gone(&mut self, txn: &mut dyn Txn, written: &Entry) -> Result<()> {
        let record = written.subject;
        let by = self.net(txn, record, written.sequence)?.writers(|_, _| true);
        self.block(Unconvertible::Gone { record, by });
        Ok(())
    }

    /// Whether what others hung on a record behind this place went when that was deleted.
    pub(super) fn took_along(&self, txn: &mut dyn Txn, record: Subject, last: Sequence) -> Result<bool> {
        let mut deletions = BTreeSet::new();
        // The last operation of each child, and whether others wrote on it.
        let mut children: BTreeMap<Subject, (OperationId, bool)> = BTreeMap::new();
        back_to(txn, record, last, &mut |entry| {
            if entry.subject == record && entry.action == Action::Deleted {
                deletions.insert(entry.operation);
            } else if entry.subject.kind.is_child() {
                let child = children.entry(entry.subject).or_insert((entry.operation, false));
                child.1 |= entry.actor != self.rules.actor && entry.operation != self.done.operation;
            }
            ControlFlow::Continue(())
        })?;
        Ok(children.values().any(|(operation, is_others)| *is_others && deletions.contains(operation)))
    }

    /// What others hung on what hangs on a record that is there, counted by kind, and went when the actor deleted that.
    pub(super) fn parts_along(&self, txn: &mut dyn Txn, record: Subject, last: Sequence) -> Result<Tabs> {
        // By operation of the actor: what it deleted, and whether others wrote on that.
        let mut latest: BTreeMap<Subject, (Option<OperationId>, bool)> = BTreeMap::new();
        back_to(txn, record, last, &mut |entry| {
            if entry.subject.kind.is_child() {
                let is_own = entry.actor == self.rules.actor;
                let deletion = (is_own && entry.action == Action::Deleted).then_some(entry.operation);
                let child = latest.entry(entry.subject).or_insert((deletion, false));
                child.1 |= !is_own && entry.operation != self.done.operation;
            }
            ControlFlow::Continue(())
        })?;
        // What went with an opportunity is told of that.
        let is_along = |one: OperationId| {
            let gone = latest.iter().filter(|(_, (deletion, _))| *deletion == Some(one));
            let kinds: Vec<_> = gone.map(|(child, _)| child.kind).collect();
            kinds.len() > 1 && !kinds.contains(&SubjectKind::Opportunity)
        };
        let mut tabs = Tabs::new();
        for (child, (deletion, is_others)) in &latest {
            if *is_others && deletion.is_some_and(is_along) {
                add(&mut tabs, child.kind.code(), 1);
            }
        }
        Ok(tabs)
    }

    /// How many persons the actor took out of a new account behind this place whom nobody has since, and on whom others had worked.
    pub(super) fn persons_who_went(
        &self,
        txn: &mut dyn Txn,
        account: Subject,
        last: Sequence,
    ) -> Result<u64> {
        // Who took each of them out last.
        let mut removed = BTreeMap::new();
        self.since(txn, account, last, &mut |entry| {
            let person = entry.other.filter(|one| one.kind == SubjectKind::Contact);
            if let Some(person) = person.filter(|_| entry.action == Action::Unlinked) {
                removed.entry(person).or_insert_with(|| entry.actor.clone());
            }
        })?;
        removed.retain(|person, by| *by == self.rules.actor && !self.made.contains(person));
        let mut count = 0;
        for person in removed.keys() {
            if !txn.links().to(&[*person], None)?.is_empty() {
                continue;
            }
            let mut is_edited = false;
            self.since(txn, *person, last, &mut |entry| {
                is_edited |= entry.action == Action::Updated && entry.actor != self.rules.actor;
            })?;
            count += u64::from(is_edited || self.has_work_of_others(txn, *person, last)?);
        }
        Ok(count)
    }
}
