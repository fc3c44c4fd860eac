//! Walking over the records of an operation, the one written last first, in chunks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Catalogue, Entry, FieldValue, Kept, Lead, NewEntry, Operation, Sequence, Subject, SubjectKind, TermKind,
    Topics, WhyKept,
};
use crate::error::{ErrorKind, Result};
use crate::id::{LeadId, PipelineId, StageId};
use crate::policy::{Permission, Scope};
use crate::store::{LeadChange, Txn};

use super::super::access::Gate;
use super::super::custom::check_written;
use super::super::settings::load_catalogue;
use super::{UndoFailure, UndoRecord, followers, links, record, terms};

/// How many records one chunk reads and writes.
const CHUNK: usize = 500;
/// How many entries are read at a time.
const READ: usize = 1_000;

/// What a record of a chunk looks like in the journal.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Its entries in the operation, newest first.
    pub(super) own: Vec<Entry>,
    /// Whether somebody else than the actor of the operation wrote it since.
    pub(super) touched: bool,
}

/// What the records are judged by.
pub(super) struct Bench<'a> {
    pub(super) ctx: &'a Context<'a>,
    /// The operation that is taken back.
    pub(super) undone: &'a Operation,
    pub(super) view: Gate,
    pub(super) edit: Option<Gate>,
    pub(super) delete: Option<Gate>,
    pub(super) catalogue: Catalogue,
    pub(super) may_configure: bool,
    pub(super) stages: BTreeSet<(PipelineId, StageId)>,
    /// Terms that exist, as far as entries refer to them.
    pub(super) terms: BTreeSet<Uuid>,
}

pub(super) struct Walk<'a> {
    bench: Bench<'a>,
    /// The first entry of the operation: nothing before it matters.
    first: Sequence,
    todo: std::vec::IntoIter<Subject>,
    /// Whether something was written.
    begun: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn begin(ctx: &'a Context<'a>, txn: &mut dyn Txn, undone: &'a Operation) -> Result<Self> {
        // Only a place for each record is held for all of them at once.
        let mut last: HashMap<Subject, Sequence> = HashMap::new();
        let mut first = Sequence(i64::MAX);
        let mut after = None;
        loop {
            let entries = txn.journal().replay(Some(undone.id), after, READ)?;
            let Some(end) = entries.last() else { break };
            after = Some(end.sequence);
            for entry in entries {
                first = first.min(entry.sequence);
                last.insert(entry.subject, entry.sequence);
            }
        }
        let mut order: Vec<_> = last.into_iter().map(|(subject, sequence)| (sequence, subject)).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        let todo: Vec<_> = order.into_iter().map(|(_, subject)| subject).collect();
        let pipelines = txn.pipelines().list()?;
        let stages = pipelines
            .iter()
            .flat_map(|pipeline| pipeline.stages.iter().map(|stage| (pipeline.id, stage.id)))
            .collect();
        let bench = Bench {
            ctx,
            undone,
            view: Gate::open(ctx, txn, Permission::View)?,
            edit: gate(ctx, txn, Permission::Edit)?,
            delete: gate(ctx, txn, Permission::Delete)?,
            catalogue: load_catalogue(txn)?.1,
            may_configure: ctx.policy().scope(ctx.actor(), Permission::Configure) != Scope::None,
            stages,
            terms: BTreeSet::new(),
        };
        Ok(Self { bench, first, todo: todo.into_iter(), begun: false })
    }

    /// Whether there was something to be written.
    pub(super) const fn has_written(&self) -> bool {
        self.begun
    }

    /// The next records; written, when there is an operation to write them by.
    pub(super) fn next(
        &mut self,
        txn: &mut dyn Txn,
        by: Option<&Operation>,
    ) -> Result<Option<Vec<UndoRecord>>> {
        let subjects: Vec<_> = self.todo.by_ref().take(CHUNK).collect();
        if subjects.is_empty() {
            return Ok(None);
        }
        let mut stories = self.stories(txn, &subjects)?;
        self.find_terms(txn, &stories)?;
        let ids: Vec<_> = of_kind(&subjects, SubjectKind::Lead).map(LeadId::from_uuid).collect();
        let leads: BTreeMap<_, _> =
            txn.leads().get(&ids)?.into_iter().map(|lead| (lead.id.as_uuid(), lead)).collect();
        let (mut records, mut changes, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for subject in subjects {
            let story = stories.remove(&subject).unwrap_or_default();
            let record = match subject.kind {
                SubjectKind::Lead => {
                    let lead = leads.get(&subject.id);
                    self.lead(txn, by, (subject, lead), &story, (&mut changes, &mut entries))?
                }
                SubjectKind::Contact => record::contact(&self.bench, txn, by, subject, &story, &mut entries)?,
                SubjectKind::Account if story.own.iter().all(followers::concerns) => {
                    let mut record = UndoRecord::new(subject);
                    let may = followers::may_edit(&self.bench, txn, subject)?;
                    let own = (subject, may);
                    followers::take_back(&self.bench, txn, by, own, &story, &mut record, &mut entries)?;
                    record
                }
                SubjectKind::Term => terms::term(&mut self.bench, txn, by, subject, &story, &mut entries)?,
                _ => {
                    let field = story.own.first().map_or("record", |entry| entry.action.code()).to_owned();
                    let kept = vec![Kept { field, why: WhyKept::Unsupported }];
                    UndoRecord { kept, ..UndoRecord::new(subject) }
                }
            };
            records.push(record);
        }
        if let Some(by) = by.filter(|_| !entries.is_empty()) {
            if !std::mem::replace(&mut self.begun, true) {
                txn.journal().begin(by)?;
            }
            txn.leads().update(&changes)?;
            txn.journal().append(by.id, &entries)?;
        }
        Ok(Some(records))
    }

    fn lead(
        &self,
        txn: &mut dyn Txn,
        by: Option<&Operation>,
        (subject, lead): (Subject, Option<&Lead>),
        story: &Story,
        (changes, entries): (&mut Vec<LeadChange>, &mut Vec<NewEntry>),
    ) -> Result<UndoRecord> {
        let (mut record, change) = record::lead(&self.bench, by, subject, lead, story);
        if record.failed.is_some() {
            return Ok(record);
        }
        // Everything that can refuse the record is asked before its links are written.
        if let Some((change, _)) = &change {
            let (before, after) = (&change.before, &change.after);
            let (old, new_fields) = (&before.fields, &after.fields);
            let unique = old.custom != new_fields.custom
                || old.external_ids != new_fields.external_ids
                || before.trashed != after.trashed;
            let has_some = !new_fields.custom.is_empty() || !new_fields.external_ids.is_empty();
            if unique && has_some && after.trashed.is_none() {
                match check_written(txn, &self.bench.catalogue, &[(after, Some(before))]) {
                    Err(error) if !error.violations().is_empty() => {
                        let broken = error.violations().to_vec();
                        return Ok(UndoRecord::fail(subject, UndoFailure::Invalid(broken)));
                    }
                    checked => checked?,
                }
            }
        }
        if story.own.iter().any(links::concerns) {
            links::lead(&self.bench, txn, by, (subject, lead), story, &mut record, entries)?;
            if record.failed.is_some() {
                return Ok(record);
            }
        }
        if story.own.iter().any(followers::concerns) {
            let may = lead.is_some_and(|lead| self.bench.edit.as_ref().is_some_and(|gate| gate.admits(lead)));
            followers::take_back(&self.bench, txn, by, (subject, may), story, &mut record, entries)?;
        }
        if let Some((change, new)) = change {
            changes.push(change);
            entries.extend(new);
        }
        Ok(record)
    }

    /// The entries of these records back to the beginning of the operation.
    fn stories(&self, txn: &mut dyn Txn, subjects: &[Subject]) -> Result<HashMap<Subject, Story>> {
        let mut stories: HashMap<Subject, Story> = HashMap::new();
        let mut before = None;
        loop {
            let entries = txn.journal().about(subjects, Topics::NONE, before, READ)?;
            let Some(end) = entries.last() else { return Ok(stories) };
            before = Some(end.sequence);
            let reached = end.sequence < self.first;
            for entry in entries {
                let story = stories.entry(entry.subject).or_default();
                if entry.operation == self.bench.undone.id {
                    story.own.push(entry);
                } else if story.own.is_empty() && entry.sequence > self.first {
                    // Who follows a lead does not write it.
                    let written = !followers::concerns(&entry);
                    story.touched |= written && entry.actor != self.bench.undone.actor;
                }
            }
            if reached {
                return Ok(stories);
            }
        }
    }

    /// Which of the terms that would be written exist.
    fn find_terms(&mut self, txn: &mut dyn Txn, stories: &HashMap<Subject, Story>) -> Result<()> {
        let changes = || {
            let own = stories.iter().filter(|(subject, _)| subject.kind == SubjectKind::Lead);
            own.flat_map(|(_, story)| &story.own).flat_map(|entry| &entry.changes)
        };
        for kind in TermKind::ALL {
            let field = kind.field();
            let of_field = changes().filter(|change| change.field == field.key());
            let wanted: BTreeSet<_> =
                of_field.flat_map(|change| change.before.items()).filter_map(uuid).collect();
            let wanted: Vec<_> = wanted.into_iter().filter(|id| !self.bench.terms.contains(id)).collect();
            if !wanted.is_empty() {
                let found = txn.terms().get(kind, &wanted)?;
                self.bench.terms.extend(found.into_iter().map(|record| record.term.id));
            }
        }
        Ok(())
    }
}

fn of_kind(subjects: &[Subject], kind: SubjectKind) -> impl Iterator<Item = Uuid> + '_ {
    subjects.iter().filter(move |subject| subject.kind == kind).map(|subject| subject.id)
}

/// The gate, or none when the actor has the permission on no lead at all.
fn gate(ctx: &Context<'_>, txn: &mut dyn Txn, permission: Permission) -> Result<Option<Gate>> {
    match Gate::open(ctx, txn, permission) {
        Ok(gate) => Ok(Some(gate)),
        Err(error) if error.kind() == ErrorKind::Denied => Ok(None),
        Err(error) => Err(error),
    }
}

/// An id, also one that came back from JSON as text.
pub(super) fn uuid(value: &FieldValue) -> Option<Uuid> {
    match value {
        FieldValue::Id(id) => Some(*id),
        FieldValue::Text(text) => Uuid::try_parse(text).ok(),
        _ => None,
    }
}
