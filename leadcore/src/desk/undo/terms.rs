//! Terms of vocabularies that an operation added, changed or deleted.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::domain::{
    Action, FieldChange, FieldValue, Kept, Lead, NewEntry, Operation, OperationKind, Subject, Term, TermKind,
    TermRecord, WhyKept, plain, term_changes,
};
use crate::error::{ErrorKind, Result};
use crate::id::{LeadId, OperationId};
use crate::query::Resolved;
use crate::store::{LeadChange, Txn, nested};

use super::super::leads::{touch, update_all};
use super::super::rounds::{Place, each_lead};
use super::super::vocabulary::write_reference;
use super::stories::Story;
use super::walk::Bench;
use super::{UndoFailure, UndoOutcome, UndoRecord};

/// What becomes of a term.
pub(super) fn term(
    bench: &mut Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    if !bench.may_configure {
        return Ok(UndoRecord::fail(subject, UndoFailure::Forbidden));
    }
    let mut record = UndoRecord::new(subject);
    for entry in &story.own {
        let kind = entry.changes.iter().find_map(|change| TermKind::from_code(&change.field));
        let Some(kind) = kind else {
            record.kept.push(Kept { field: entry.action.code().to_owned(), why: WhyKept::Unsupported });
            continue;
        };
        let stored = txn.terms().get(kind, &[subject.id])?.pop();
        let named = stored.as_ref().map(|stored| stored.term.name.clone());
        let step = Step { kind, subject, changes: &entry.changes, story, by };
        match (entry.action, stored) {
            (Action::Created, Some(stored)) => step.remove(bench, txn, &stored, &mut record, entries)?,
            (Action::Deleted, None) => step.revive(bench, txn, &mut record, entries)?,
            (Action::Updated, Some(stored)) => step.update(bench, txn, &stored, &mut record, entries)?,
            (action, _) => {
                record.kept.push(Kept { field: action.code().to_owned(), why: WhyKept::Edited });
            }
        }
        record.name = named.filter(|_| !record.kept.is_empty());
    }
    Ok(record)
}

/// How many leads are read and written at a time.
const ROUND: usize = 500;

struct Step<'a> {
    kind: TermKind,
    subject: Subject,
    changes: &'a [FieldChange],
    story: &'a Story,
    by: Option<&'a Operation>,
}

impl Step<'_> {
    fn keep(record: &mut UndoRecord, field: &str, why: WhyKept) {
        record.kept.push(Kept { field: field.to_owned(), why });
    }

    fn told(&self, bench: &Bench<'_>, action: Action, changes: Vec<FieldChange>) -> NewEntry {
        NewEntry::new(self.subject, action, bench.ctx.now()).with_changes(changes)
    }

    /// Leads besides these that refer to it and that an undo of another operation put into the trash.
    fn put_away(&self, txn: &mut dyn Txn, own: &[LeadId]) -> Result<Vec<LeadId>> {
        let (mut found, mut undos) = (Vec::new(), HashMap::<OperationId, bool>::new());
        let filter = Resolved::Equals(self.kind.field(), vec![FieldValue::Id(self.subject.id)]);
        each_lead(txn, &filter, Place::Trash, &mut |txn, leads| {
            for lead in leads.iter().filter(|lead| !own.contains(&lead.id)) {
                let Some(by) = lead.trashed.as_ref().map(|trashed| trashed.operation) else { continue };
                let is_undo = match undos.get(&by) {
                    Some(known) => *known,
                    None => {
                        let found = txn.journal().operation(by)?;
                        let is_undo = found.is_some_and(|found| found.kind == OperationKind::Undo)
                            && self.by.is_none_or(|own| own.id != by);
                        *undos.entry(by).or_insert(is_undo)
                    }
                };
                found.extend(is_undo.then_some(lead.id));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether it is another one than was added: renamed since, say. Where it stands in its list does not matter.
    fn is_edited(&self, stored: &TermRecord) -> bool {
        let made = |field: &str| self.changes.iter().find(|change| change.field == field);
        let is_set = |value: &FieldValue| !matches!(value, FieldValue::Empty | FieldValue::Bool(false));
        let fields = [self.kind.code(), "color", "archived", "needs_detail"];
        fields.iter().any(|field| match made(field) {
            Some(change) => plain(&get(&stored.term, field)) != plain(&change.after),
            // What a new term has is not always told.
            None => is_set(&get(&stored.term, field)),
        })
    }

    /// A term that was added goes, unless somebody changed it since, or something refers to it but for leads that this operation made and an undo of it
    /// put into the trash, or an undo of another operation did: these lose it, and get it back with the undo of the undo.
    fn remove(
        &self,
        bench: &mut Bench<'_>,
        txn: &mut dyn Txn,
        stored: &TermRecord,
        record: &mut UndoRecord,
        entries: &mut Vec<NewEntry>,
    ) -> Result<()> {
        if self.is_edited(stored) {
            Self::keep(record, "created", WhyKept::Edited);
            return Ok(());
        }
        if bench.needed.contains(&stored.term.id) {
            Self::keep(record, "created", WhyKept::InUse);
            return Ok(());
        }
        let used = txn.terms().usage(self.kind, stored.term.id)?;
        let freed = bench.freed.get(&stored.term.id).copied().unwrap_or_default();
        let mut own = bench.new_terms.remove(&stored.term.id).unwrap_or_default();
        if used > freed.saturating_add(own.len() as u64) {
            let others = self.put_away(txn, &own)?;
            own.extend(others);
        }
        if used > freed.saturating_add(own.len() as u64) {
            Self::keep(record, "created", WhyKept::InUse);
            return Ok(());
        }
        if let Some(by) = self.by {
            let (ctx, field, id) = (bench.ctx, self.kind.field(), stored.term.id);
            bench.begin(txn, by)?;
            for own in own.chunks(ROUND) {
                let leads = txn.leads().get(own)?;
                let mut changes = Vec::with_capacity(leads.len());
                for before in leads {
                    let mut after = before.clone();
                    write_reference(&field, &mut after, id, &FieldValue::Empty)?;
                    entries.push(touch(ctx, &before, &mut after, Action::Updated));
                    changes.push(LeadChange { before, after });
                }
                update_all(txn, &changes)?;
                txn.journal().append(by.id, &std::mem::take(entries))?;
            }
            txn.terms().remove(self.kind, stored.term.id)?;
            let changes = term_changes(self.kind, Some(&stored.term), None);
            entries.push(self.told(bench, Action::Deleted, changes));
        }
        record.reversed.push("created".to_owned());
        Ok(())
    }

    /// A term that was deleted is there again, unless another has its name now.
    fn revive(
        &self,
        bench: &mut Bench<'_>,
        txn: &mut dyn Txn,
        record: &mut UndoRecord,
        entries: &mut Vec<NewEntry>,
    ) -> Result<()> {
        let Some(mut term) = self
            .before(self.kind.code())
            .and_then(FieldValue::as_text)
            .and_then(|name| Term::new(self.subject.id, name, None, 0).ok())
        else {
            Self::keep(record, "deleted", WhyKept::Unsupported);
            return Ok(());
        };
        for change in self.changes {
            set(&mut term, &change.field, &change.before);
        }
        let taken = txn.terms().list(self.kind)?.iter().any(|known| known.term.key() == term.key());
        if taken {
            Self::keep(record, "deleted", WhyKept::InUse);
            return Ok(());
        }
        if self.by.is_some() {
            let new = TermRecord { kind: self.kind, term: term.clone() };
            txn.terms().insert(std::slice::from_ref(&new))?;
            entries.push(self.told(bench, Action::Created, term_changes(self.kind, None, Some(&term))));
        }
        bench.terms.insert(term.id);
        record.reversed.push("deleted".to_owned());
        Ok(())
    }

    fn update(
        &self,
        bench: &Bench<'_>,
        txn: &mut dyn Txn,
        stored: &TermRecord,
        record: &mut UndoRecord,
        entries: &mut Vec<NewEntry>,
    ) -> Result<()> {
        let mut after = stored.clone();
        for change in self.changes.iter().filter(|change| plain(&change.before) != plain(&change.after)) {
            let has = plain(&get(&stored.term, &change.field)) == plain(&change.after);
            if has && !self.story.is_written_over(&change.field) {
                set(&mut after.term, &change.field, &change.before);
                record.reversed.push(change.field.clone());
            } else {
                Self::keep(record, &change.field, WhyKept::Edited);
            }
        }
        if after.term == stored.term || self.by.is_none() {
            return Ok(());
        }
        after.term.revision = stored.term.revision.next();
        // The name may be another term's by now.
        match nested(txn, |txn| txn.terms().update(&after)) {
            Ok(()) => {
                let changes = term_changes(self.kind, Some(&stored.term), Some(&after.term));
                entries.push(self.told(bench, Action::Updated, changes));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                record.reversed.clear();
                Self::keep(record, self.kind.code(), WhyKept::InUse);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn before(&self, key: &str) -> Option<&FieldValue> {
        self.changes.iter().find(|change| change.field == key).map(|change| &change.before)
    }
}

/// Whether an operation is this undo, or an earlier one of a part of the same.
fn is_undo(
    bench: &mut Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    id: OperationId,
) -> Result<bool> {
    if by.is_some_and(|by| by.id == id) {
        return Ok(true);
    }
    if let Some(known) = bench.undos.get(&id) {
        return Ok(*known);
    }
    let found = txn.journal().operation(id)?.filter(|found| found.kind == OperationKind::Undo);
    let outcome = found.and_then(|found| serde_json::from_value::<UndoOutcome>(found.outcome?).ok());
    let known = outcome.is_some_and(|outcome| outcome.undone == bench.undone.id);
    bench.undos.insert(id, known);
    Ok(known)
}

/// Remembers a lead that an undo of the operation put into the trash, under each term that the operation added and that the
/// lead has. Every lead that the operation made is met on the way, so that nobody looks for them in the trash term by term.
pub(super) fn own(
    bench: &mut Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    lead: &Lead,
) -> Result<()> {
    let Some(trashed) = &lead.trashed else { return Ok(()) };
    if bench.new_terms.is_empty() || !is_undo(bench, txn, by, trashed.operation)? {
        return Ok(());
    }
    for kind in TermKind::ALL {
        for id in kind.field().read(lead).items().iter().filter_map(FieldValue::as_id) {
            if let Some(own) = bench.new_terms.get_mut(&id) {
                own.push(lead.id);
            }
        }
    }
    Ok(())
}

/// Remembers the terms and the stage that a planned change takes off a lead, or puts into the trash with it, and those that it
/// gives to one.
pub(super) fn free(bench: &mut Bench<'_>, change: &LeadChange) {
    let LeadChange { before, after } = change;
    if after.trashed.is_none() {
        bench.needed.extend(names(after).difference(&names(before)));
    }
    if before.trashed.is_some() {
        return;
    }
    if after.trashed.is_some() || after.stage != before.stage {
        *bench.freed.entry(before.stage.as_uuid()).or_default() += 1;
    }
    for kind in TermKind::ALL {
        let field = kind.field();
        let (had, has) = (field.read(before), field.read(after));
        for id in had.items().iter().filter_map(FieldValue::as_id) {
            if after.trashed.is_some() || !has.items().contains(&FieldValue::Id(id)) {
                *bench.freed.entry(id).or_default() += 1;
            }
        }
    }
}

/// The stage and the terms of a lead.
fn names(lead: &Lead) -> BTreeSet<Uuid> {
    let terms = TermKind::ALL.into_iter().map(|kind| kind.field().read(lead));
    let terms =
        terms.flat_map(|value| value.items().iter().filter_map(FieldValue::as_id).collect::<Vec<_>>());
    terms.chain([lead.stage.as_uuid()]).collect()
}

fn get(term: &Term<Uuid>, key: &str) -> FieldValue {
    match key {
        "color" => term.color.as_deref().into(),
        "position" => i64::from(term.position).into(),
        "archived" => term.archived.into(),
        "needs_detail" => term.needs_detail.into(),
        _ => term.name.as_str().into(),
    }
}

fn set(term: &mut Term<Uuid>, key: &str, value: &FieldValue) {
    match (key, value) {
        ("color", value) => term.color = value.as_text().map(str::to_owned),
        ("position", FieldValue::Integer(at)) => term.position = u32::try_from(*at).unwrap_or(term.position),
        ("archived", FieldValue::Bool(yes)) => term.archived = *yes,
        ("needs_detail", FieldValue::Bool(yes)) => term.needs_detail = *yes,
        (key, FieldValue::Text(name)) if TermKind::from_code(key).is_some() => term.name.clone_from(name),
        _ => {}
    }
}
