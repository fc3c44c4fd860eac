//! Taking an operation back, whatever it was: an edit, a mass change, an import, an undo.
//!
//! Undo is a reading of the journal. For each record of the operation its entries are taken back, the newest first:
//!
//! - changed fields get the value before, where they still have the value that the operation gave them. A field that was
//!   edited since is *kept*, and so is a lead that was converted since. Whoever wrote a field last counts, also where the same
//!   value came again, unless that was taken back. A name with its parts, an amount with its currency, an address, and a stage
//!   with how the lead ended, go together;
//! - a created lead goes into the trash, unless another operation wrote it since, by whomever, or hung something on it: a
//!   note, a task, a file, an estimate, a person. What is itself taken back does not count. A deleted lead comes out again,
//!   a restored one goes back;
//! - an account that was created by itself leaves the lists, unless something hangs on it or another operation wrote it since;
//! - persons that were linked to a lead or an account are taken off it, those that were taken off are linked again;
//! - notes, tasks, files and the like are again what they were, gone or back, unless they were edited since;
//! - terms of vocabularies get their name, colour, place and state back; a deleted one is there again; one that was added
//!   goes, also off the leads that an undo of the same operation puts into the trash, unless something else refers to it, or
//!   would again: the undo of what was written over it since;
//! - stages that an import added go in the same way, unless a person changed or moved them since; the leads in the trash wait in
//!   a stage of the same kind until they are restored, or until an undo of the undo brings theirs back;
//! - the mapping of conversions is again what it was, unless it was changed since.
//!
//! A value that a conversion had written does not come back once that conversion was taken back.
//!
//! What is not taken back is said with its reason. Conversions and purges are not: the one has a way back of its own, the
//! other has none. What else is said of pipelines, and other settings, stay as they are.
//!
//! What only one lead can have comes back to all of them together, so that it may have moved from one to the next. A value
//! that another lead has by now stays there, and is told; the other fields of its lead are taken back.
//!
//! The undo is an operation itself, which an undo takes back; a lead that is there anew by then, made since by hand or by
//! the same file, does not come back beside it. An operation is undone once: asked again, also later and from another
//! process, the outcome is returned that it had. Where something stayed, that is tried again, and told apart if some of it
//! can be taken back by now: what stood against it is gone, or another actor may do more.
//!
//! Whoever undoes needs the permissions of the records: to edit, or to delete where a lead goes into the trash or out of
//! it, and to configure for terms and stages. It does not ask what the tenant's rules would say today: a value that was allowed
//! comes back though its field was made required or disabled since.

mod account;
mod attempts;
mod child;
mod claims;
mod cost;
mod followers;
mod links;
mod record;
mod series;
mod setting;
mod stages;
mod stories;
mod terms;
mod told;
mod turns;
mod walk;
mod withdrawn;
mod writes;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Entry, FieldValue, IMPORT_LINE, Operation, OperationKind, OperationState, SubjectKind};
use crate::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
use crate::id::{LeadId, OperationId};
use crate::policy::Permission;
use crate::store::Txn;

use super::access::require;
use super::operation::new_operation;
use attempts::{Latest, attempt, key, latest};
pub use told::{UndoFailure, UndoRecord, UndoTotals};
use walk::Walk;

/// Some of the records of an operation. A lead is taken back as a whole: what several lines of a file wrote into it is one
/// thing, and is [kept](crate::domain::WhyKept::Shared) while not all of these lines are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UndoPart {
    /// These leads.
    Leads(BTreeSet<LeadId>),
    /// The leads that these lines of an imported file created or changed; lines as the import's report counts them.
    Lines(BTreeSet<u64>),
}

impl UndoPart {
    /// These leads.
    pub fn leads(leads: impl IntoIterator<Item = LeadId>) -> Self {
        Self::Leads(leads.into_iter().collect())
    }

    /// The leads of these lines.
    pub fn lines(lines: impl IntoIterator<Item = u64>) -> Self {
        Self::Lines(lines.into_iter().collect())
    }

    /// Whether an entry of the operation speaks for its record to be among them. Lines that it speaks for are no longer
    /// `missing`.
    pub(super) fn names(&self, entry: &Entry, missing: &mut BTreeSet<u64>) -> bool {
        match self {
            Self::Leads(leads) => {
                entry.subject.kind == SubjectKind::Lead
                    && leads.contains(&LeadId::from_uuid(entry.subject.id))
            }
            Self::Lines(lines) => {
                lines_of(entry).filter(|line| lines.contains(line)).fold(false, |_, line| {
                    missing.remove(&line);
                    true
                })
            }
        }
    }

    /// Whether lines that it does not name speak in an entry of the operation.
    pub(super) fn leaves(&self, entry: &Entry) -> bool {
        self.lines_named().is_some_and(|lines| lines_of(entry).any(|line| !lines.contains(&line)))
    }

    /// The lines that it names.
    pub(super) fn lines_named(&self) -> Option<&BTreeSet<u64>> {
        match self {
            Self::Leads(_) => None,
            Self::Lines(lines) => Some(lines),
        }
    }

    /// Lines that wrote nothing, as an error.
    pub(super) fn unwritten(missing: &BTreeSet<u64>) -> Error {
        let named: Vec<_> = missing.iter().take(MOST_LINES).map(ToString::to_string).collect();
        let more = if missing.len() > MOST_LINES { " …" } else { "" };
        let message = format!("no lead was written by these lines: {}{more}", named.join(", "));
        Error::invalid_field("lines", ViolationCode::Unknown, message)
    }
}

/// The lines of an imported file that an entry tells.
fn lines_of(entry: &Entry) -> impl Iterator<Item = u64> + '_ {
    let told = entry.changes.iter().filter(|change| change.field == IMPORT_LINE);
    told.flat_map(|change| change.after.items()).filter_map(|line| match line {
        FieldValue::Integer(line) => u64::try_from(*line).ok(),
        _ => None,
    })
}

/// What an undo would do. Pure data: show it, store it, apply it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UndoPlan {
    /// The operation to be taken back.
    pub operation: OperationId,
    /// What kind of call it was.
    pub kind: OperationKind,
    /// Which of its records; all of them where none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<UndoPart>,
    /// Each of these records, that which was written last first; terms that come back before, those that go behind them.
    pub records: Vec<UndoRecord>,
    /// The sums.
    pub totals: UndoTotals,
    /// How often the whole operation had been taken back when this was made: 0 where nobody had done so.
    #[serde(default)]
    pub attempts: u32,
}

impl UndoPlan {
    /// The leads among its records.
    pub fn leads(&self) -> impl Iterator<Item = LeadId> {
        let leads = self.records.iter().filter(|record| record.subject.kind == SubjectKind::Lead);
        leads.map(|record| LeadId::from_uuid(record.subject.id))
    }
}

/// What an undo did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UndoOutcome {
    /// The undo itself, which can be undone.
    pub operation: OperationId,
    /// What was taken back.
    pub undone: OperationId,
    /// The sums.
    pub totals: UndoTotals,
    /// The records that were not taken back wholly, at most 1,000 of them. All that was written is in the journal.
    pub remaining: Vec<UndoRecord>,
    /// How many of the failed records the policy refused, those out of sight among them.
    pub forbidden: u64,
    /// The key that an undone import had: it is free again, so that the file can be imported anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed_key: Option<String>,
    /// Whether this call did it; `false` when it was undone before and this is the outcome of then.
    #[serde(skip, default)]
    pub newly_undone: bool,
}

/// How many lines an error names.
const MOST_LINES: usize = 20;

/// How many records an outcome names.
const MOST_NAMED: usize = 1_000;

/// What taking back this operation would do, record by record. Reads only.
///
/// It holds an entry for each record; the work itself goes in chunks of 500.
///
/// # Errors
/// `NotFound` for an operation that does not exist; `Denied` for an actor who may not see leads; `Unsupported` for one
/// that cannot be taken back: a conversion, a purge. An operation that was undone
/// already plans to what is left.
pub fn plan(ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<UndoPlan> {
    look(ctx, txn, operation, None)
}

/// What taking back only some records of this operation would do.
///
/// # Errors
/// As [`plan`]; `Invalid` at `lines` for lines that wrote no lead.
pub fn plan_part(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    part: &UndoPart,
) -> Result<UndoPlan> {
    look(ctx, txn, operation, Some(part))
}

fn look(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    part: Option<&UndoPart>,
) -> Result<UndoPlan> {
    let undone = undoable(ctx, txn, operation)?;
    let Operation { id: operation, kind, .. } = &undone;
    let mut records = Vec::new();
    let mut totals = UndoTotals::default();
    let mut walk = Walk::begin(ctx, txn, &undone, part)?;
    while let Some(chunk) = walk.next(txn, None)? {
        chunk.iter().for_each(|record| totals.count(record));
        records.extend(chunk);
    }
    let attempts = latest(ctx, txn, *operation)?.attempts;
    Ok(UndoPlan { operation: *operation, kind: *kind, part: part.cloned(), records, totals, attempts })
}

/// Does what a plan says. The same plan twice does it once, and gives the outcome of then.
///
/// # Errors
/// As [`undo`]; `Conflict` with [`Conflict::PlanOutdated`] when it would do something else by now. Nothing is written
/// then.
pub fn apply(ctx: &Context<'_>, txn: &mut dyn Txn, planned: &UndoPlan) -> Result<UndoOutcome> {
    let outdated = || Error::conflicting("operation", Conflict::PlanOutdated);
    if planned.part.is_none()
        && let Some(done) = attempt(ctx, txn, planned.operation, planned.attempts)?
    {
        // It was carried out; what came behind that is another plan's.
        return if done.is_undone { Err(outdated()) } else { done.shown().ok_or_else(outdated) };
    }
    if look(ctx, txn, planned.operation, planned.part.as_ref())? != *planned {
        return Err(outdated());
    }
    match &planned.part {
        None => undo(ctx, txn, planned.operation),
        Some(part) => undo_part(ctx, txn, planned.operation, part),
    }
}

/// Takes an operation back, in this unit of work. When it was undone before, and nothing that stayed then can be taken back by
/// now, nothing is written and the outcome of then is returned; where that undo was itself undone, what stays now is told. An
/// import that was interrupted is given up by it: the same file begins anew, and a process that is still importing it fails at
/// its next chunk.
///
/// # Errors
/// As [`plan`], and `Denied` when the policy refuses every record that could be taken back. That some records cannot be
/// is no error: the outcome says so.
pub fn undo(ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<UndoOutcome> {
    let latest = latest(ctx, txn, operation)?;
    if let Latest { done: Some(done), is_whole: true, .. } = latest {
        return Ok(done);
    }
    let undone = undoable(ctx, txn, operation)?;
    let key = key(undone.id, latest.attempts);
    take_back(ctx, txn, &undone, (Some(key), None), Some(&latest))
}

/// Takes some records of an operation back, in this unit of work: those of single lines of an imported file, say. What was
/// taken back already is kept as it is, so that a second call changes nothing. The key of an import stays with it: the file
/// still counts as imported.
///
/// # Errors
/// As [`undo`]; `Invalid` at `lines` for lines that wrote no lead.
pub fn undo_part(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    part: &UndoPart,
) -> Result<UndoOutcome> {
    let undone = undoable(ctx, txn, operation)?;
    take_back(ctx, txn, &undone, (None, Some(part)), None)
}

/// Takes back what there is to be taken back. Where that is nothing, and it was done `before`, nothing is written.
fn take_back(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    undone: &Operation,
    (key, part): (Option<String>, Option<&UndoPart>),
    before: Option<&Latest>,
) -> Result<UndoOutcome> {
    let mut operation = new_operation(ctx, OperationKind::Undo, key);
    let mut outcome = UndoOutcome {
        operation: operation.id,
        undone: undone.id,
        totals: UndoTotals::default(),
        remaining: Vec::new(),
        forbidden: 0,
        freed_key: None,
        newly_undone: true,
    };
    let mut walk = Walk::begin(ctx, txn, undone, part)?;
    let mut stays = false;
    while let Some(chunk) = walk.next(txn, Some(&operation))? {
        for record in chunk {
            outcome.totals.count(&record);
            stays |= record.subject.kind == SubjectKind::Lead && !record.is_gone();
            let refused = record.failed == Some(UndoFailure::Forbidden);
            outcome.forbidden = outcome.forbidden.saturating_add(u64::from(refused));
            if !record.is_reversed() && outcome.remaining.len() < MOST_NAMED {
                outcome.remaining.push(record);
            }
        }
    }
    outcome.forbidden = outcome.forbidden.saturating_add(walk.unseen());
    if !walk.has_written() {
        if let Some((done, latest)) = before.and_then(|latest| Some((latest.done.as_ref()?, latest))) {
            // What an undo took back that was itself undone is there again, and stays.
            if !latest.is_undone || (outcome.remaining.is_empty() && outcome.forbidden == 0) {
                return Ok(done.clone());
            }
            if outcome.forbidden == 0 {
                return Ok(UndoOutcome { operation: done.operation, newly_undone: false, ..outcome });
            }
        }
        // An undo that is refused must not stand in the way of one that is not.
        if outcome.forbidden > 0 {
            return Err(Error::denied("undo this"));
        }
        txn.journal().begin(&operation)?;
    }
    // What was interrupted is given up with it, whatever it wrote: else the same file would go on behind what is gone.
    let gives_up = undone.state == OperationState::Running;
    // Nor is it imported any more when its lines were taken back one by one, or wrote nothing.
    let is_gone = !stays && walk.unseen() == 0;
    if (walk.has_written() || gives_up || is_gone) && part.is_none() {
        outcome.freed_key = exchange_keys(txn, undone)?;
    }
    operation.outcome = Some(serde_json::to_value(&outcome).map_err(|error| {
        Error::new(ErrorKind::Internal, "an outcome could not be written as JSON").with_source(error)
    })?);
    txn.journal().update(&operation)?;
    Ok(outcome)
}

/// The operation, if it is of a kind that can be taken back.
fn undoable(ctx: &Context<'_>, txn: &mut dyn Txn, id: OperationId) -> Result<Operation> {
    require(ctx, txn, Permission::View)?;
    let operation = txn.journal().operation(id)?.ok_or_else(|| Error::not_found("operation"))?;
    let refuse = |why: &'static str| Err(Error::new(ErrorKind::Unsupported, why));
    match operation.kind {
        OperationKind::Convert => refuse("a conversion is not taken back by an undo"),
        OperationKind::Deliver => refuse("what was delivered is not taken back by an undo"),
        OperationKind::Once => refuse("a key stands for its call for ever"),
        OperationKind::Unconvert => refuse("the lead is converted again instead"),
        OperationKind::Purge => refuse("what was removed for good does not come back"),
        // An import that was interrupted, or is still running elsewhere: that one ends at its next chunk.
        OperationKind::Import => Ok(operation),
        _ if operation.state == OperationState::Running => {
            refuse("the operation is still running: let it finish first")
        }
        _ => Ok(operation),
    }
}

/// A file whose import was undone can be imported again; once that undo is undone, it counts as imported again; and so on.
fn exchange_keys(txn: &mut dyn Txn, undone: &Operation) -> Result<Option<String>> {
    match undone.kind {
        OperationKind::Import => {
            let freed = undone.key.clone();
            txn.journal().update(&Operation { key: None, ..undone.clone() })?;
            Ok(freed)
        }
        OperationKind::Undo => {
            let Some((freed, import)) = exchanged(txn, undone)? else { return Ok(None) };
            let held = txn.journal().find(OperationKind::Import, &freed.key)?;
            let is_own = held.as_ref().is_some_and(|held| held.id == import.id);
            if freed.is_free && held.is_none() {
                // Not where it was imported again meanwhile: then that import has the key.
                txn.journal().update(&Operation { key: Some(freed.key), ..import })?;
            } else if !freed.is_free && is_own {
                txn.journal().update(&Operation { key: None, ..import })?;
                return Ok(Some(freed.key));
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// What an undo made of the key of an import.
struct Freed {
    key: String,
    /// Whether it freed it; else it gave it back.
    is_free: bool,
}

/// What an undo made of the key of the import that it took back or, as the undo of an undo, brought back.
fn exchanged(txn: &mut dyn Txn, undo: &Operation) -> Result<Option<(Freed, Operation)>> {
    let (mut at, mut freed): (_, Option<Freed>) = (undo.clone(), None);
    let mut is_free = true;
    while at.kind == OperationKind::Undo {
        let Some(stored) =
            at.outcome.clone().and_then(|json| serde_json::from_value::<UndoOutcome>(json).ok())
        else {
            return Ok(None);
        };
        // The last undo that freed it says the key; those behind it gave it back and freed it in turn.
        if let (None, Some(key)) = (&freed, stored.freed_key) {
            freed = Some(Freed { key, is_free });
        }
        is_free = !is_free;
        let Some(next) = txn.journal().operation(stored.undone)? else { return Ok(None) };
        at = next;
    }
    Ok(freed.map(|freed| (freed, at)).filter(|(_, import)| import.kind == OperationKind::Import))
}
