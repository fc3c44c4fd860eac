//! One change to many leads at once (S1.13, S1.19, S1.21, X.67).
//!
//! Each lead is judged by itself, by the rules of the single call: what may not or cannot be done with one of them is
//! said in its [`RecordOutcome`] and does not stop the others. Everything is written in the caller's unit of work under
//! one [operation](crate::domain::Operation), and [`undo`](super::undo) takes that back as a whole.

mod judge;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Lead, LeadPatch, Move, OperationKind};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{LabelId, LeadId, OperationId, Revision, UserId};
use crate::policy::Permission;
use crate::query::{Filter, Resolved};
use crate::store::{LeadChange, Txn};

use super::access::require;
use super::leads::{readable, update_all};
use super::operation::new_operation;
use super::rounds::{Place, each_lead};

use judge::{Judge, Judged};

/// Which leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Selection {
    /// These, as they are now. One that is named twice is done once.
    Ids(Vec<LeadId>),
    /// These, each only while it has the revision that the caller read.
    Revisions(Vec<(LeadId, Revision)>),
    /// All that match and that the actor may see: live ones, or for [`Change::Restore`] those in the trash.
    Filter {
        /// The filter.
        filter: Filter,
        /// How many the caller saw. When there are more or fewer now, nothing is done.
        expected: Option<u64>,
    },
}

impl Selection {
    /// All that match.
    #[must_use]
    pub const fn filter(filter: Filter) -> Self {
        Self::Filter { filter, expected: None }
    }

    /// All that match, if there are as many as the caller saw.
    #[must_use]
    pub const fn exactly(count: u64, filter: Filter) -> Self {
        Self::Filter { filter, expected: Some(count) }
    }
}

/// What is done with each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Another owner, or none (S1.21).
    Transfer(Option<UserId>),
    /// To another stage (S0.10).
    Move(Move),
    /// These labels are added to those that it has.
    AddLabels(Vec<LabelId>),
    /// These labels are taken off.
    RemoveLabels(Vec<LabelId>),
    /// These fields (S0.13).
    Edit(LeadPatch),
    /// Into the trash (S1.19).
    Delete,
    /// Out of the trash.
    Restore,
    /// The acting user has read it, or has not (S1.17). Nobody else is told: it is no operation and leaves no history.
    MarkRead(bool),
}

impl Change {
    /// What kind of operation it is.
    const fn kind(&self) -> OperationKind {
        match self {
            Self::Move(_) => OperationKind::Move,
            Self::Delete => OperationKind::Delete,
            Self::Restore => OperationKind::Restore,
            _ => OperationKind::Edit,
        }
    }

    const fn permission(&self) -> Permission {
        match self {
            Self::Delete | Self::Restore => Permission::Delete,
            Self::MarkRead(_) => Permission::View,
            _ => Permission::Edit,
        }
    }

    /// The function of the tenant's settings that it is part of.
    const fn function(&self) -> Option<&'static str> {
        match self {
            Self::MarkRead(_) => None,
            Self::Move(_) => Some("move"),
            Self::Delete => Some("delete"),
            Self::Restore => Some("restore"),
            _ => Some("edit"),
        }
    }
}

/// What became of one lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordOutcome {
    /// Written.
    Done,
    /// It is as asked already.
    Unchanged,
    /// It changed since it was read, was converted, or is in a state in which this is closed.
    Conflict(Conflict),
    /// It does not exist, or the actor may not know that it does; also one in the trash, but for [`Change::Restore`],
    /// where it is one that is not there.
    NotFound,
    /// The actor may see it but not do this.
    Forbidden,
    /// It would break these rules.
    Invalid(Vec<Violation>),
}

/// A lead and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordResult {
    /// The lead.
    pub lead: LeadId,
    /// What became of it.
    pub outcome: RecordOutcome,
}

/// How many leads had which outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Written.
    pub done: u64,
    /// As asked already.
    pub unchanged: u64,
    /// Changed since, converted or closed.
    pub conflict: u64,
    /// Not there.
    pub not_found: u64,
    /// Not allowed.
    pub forbidden: u64,
    /// Against the rules.
    pub invalid: u64,
}

impl Totals {
    pub(super) fn count(&mut self, outcome: &RecordOutcome) {
        let slot = match outcome {
            RecordOutcome::Done => &mut self.done,
            RecordOutcome::Unchanged => &mut self.unchanged,
            RecordOutcome::Conflict(_) => &mut self.conflict,
            RecordOutcome::NotFound => &mut self.not_found,
            RecordOutcome::Forbidden => &mut self.forbidden,
            RecordOutcome::Invalid(_) => &mut self.invalid,
        };
        *slot = slot.saturating_add(1);
    }
}

/// What a mass operation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MassOutcome {
    /// The operation, for [`undo`](super::undo); none when nothing was written.
    pub operation: Option<OperationId>,
    /// Each lead once: in the order asked, those of a filter by number.
    pub results: Vec<RecordResult>,
    /// The sums.
    pub totals: Totals,
}

/// How many leads of a list one round reads and writes.
const ROUND: usize = 1_000;
/// The most leads of one call.
pub const MAX_RECORDS: usize = 1_000_000;

/// Does one thing with many leads, in rounds, all in this unit of work.
///
/// The matches of a filter are walked by their numbers, so a change that makes a lead match no more, or makes another
/// one match, passes over none and does none twice.
///
/// ```
/// use leadcore::desk::{leads, mass, undo};
/// use leadcore::desk::mass::{Change, Selection};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let ada = Change::Transfer(Some("ada".parse()?));
/// let totals = store.write(ctx.tenant(), |txn| {
///     for name in ["Nordlys AS", "Fjord AS"] {
///         leads::create(&ctx, txn, LeadFields::company(name)?.into())?;
///     }
///     let done = mass::run(&ctx, txn, &Selection::exactly(2, Filter::everything()), &ada)?;
///     undo::undo(&ctx, txn, done.operation.unwrap())?;
///     Ok(done.totals)
/// })?;
/// assert_eq!(totals.done, 2);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a filter or a change that fits no lead (a stage, term or field that does not exist, is archived or
/// hidden), for more than 1,000,000 leads, and for a read mark without a user; `Conflict` when the filter matches more or
/// fewer leads than expected; `Denied` when the actor may do this with no lead at all. Nothing is written then.
pub fn run(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    selection: &Selection,
    change: &Change,
) -> Result<MassOutcome> {
    require(ctx, txn, change.permission())?;
    let judge = Judge::load(ctx, txn, change)?;
    let mut run = Run { ctx, judge, change, operation: None, results: Vec::new(), totals: Totals::default() };
    match selection {
        Selection::Ids(ids) => run.listed(txn, ids.iter().map(|id| (*id, None)))?,
        Selection::Revisions(list) => {
            run.listed(txn, list.iter().map(|(id, revision)| (*id, Some(*revision))))?;
        }
        Selection::Filter { filter, expected } => run.filtered(txn, filter, *expected)?,
    }
    Ok(MassOutcome { operation: run.operation, results: run.results, totals: run.totals })
}

struct Run<'a> {
    ctx: &'a Context<'a>,
    judge: Judge<'a>,
    change: &'a Change,
    operation: Option<OperationId>,
    results: Vec<RecordResult>,
    totals: Totals,
}

impl Run<'_> {
    fn listed(
        &mut self,
        txn: &mut dyn Txn,
        asked: impl Iterator<Item = (LeadId, Option<Revision>)>,
    ) -> Result<()> {
        let mut seen = HashSet::new();
        let asked: Vec<_> = asked.filter(|(id, _)| seen.insert(*id)).collect();
        check_count(asked.len())?;
        for round in asked.chunks(ROUND) {
            let ids: Vec<_> = round.iter().map(|(id, _)| *id).collect();
            let mut found: BTreeMap<_, _> =
                txn.leads().get(&ids)?.into_iter().map(|lead| (lead.id, lead)).collect();
            let round = round.iter().map(|(id, revision)| (*id, *revision, found.remove(id))).collect();
            self.round(txn, round)?;
        }
        Ok(())
    }

    fn filtered(&mut self, txn: &mut dyn Txn, filter: &Filter, expected: Option<u64>) -> Result<()> {
        let filter = readable(self.ctx, txn, filter, &[])?;
        let trashed = *self.change == Change::Restore;
        if expected.is_some() || !trashed {
            let found = count(txn, &filter, trashed)?;
            check_count(usize::try_from(found).unwrap_or(usize::MAX))?;
            if expected.is_some_and(|expected| expected != found) {
                let expected = expected.unwrap_or_default();
                return Err(Error::outdated(format!(
                    "`expected`: the filter has {found} leads, not {expected}"
                )));
            }
        }
        let place = if trashed { Place::Trash } else { Place::Live };
        each_lead(txn, &filter, place, &mut |txn, leads| {
            check_count(self.results.len().saturating_add(leads.len()))?;
            self.round(txn, leads.into_iter().map(|lead| (lead.id, None, Some(lead))).collect())
        })
    }

    fn round(
        &mut self,
        txn: &mut dyn Txn,
        round: Vec<(LeadId, Option<Revision>, Option<Lead>)>,
    ) -> Result<()> {
        // The operation comes first: what goes into the trash says by which one.
        let operation = self.operation.map_or_else(
            || new_operation(self.ctx, self.change.kind(), None),
            |id| {
                let mut known = new_operation(self.ctx, self.change.kind(), None);
                known.id = id;
                known
            },
        );
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for (id, revision, lead) in round {
            let outcome = match self.judge.judge(txn, lead, revision, operation.id)? {
                Judged::Refused(outcome) => outcome,
                Judged::Changed { before, after, entry } => {
                    changes.push(LeadChange { before: *before, after: *after });
                    entries.push(entry);
                    RecordOutcome::Done
                }
            };
            self.totals.count(&outcome);
            self.results.push(RecordResult { lead: id, outcome });
        }
        if !changes.is_empty() {
            if self.operation.is_none() {
                txn.journal().begin(&operation)?;
                self.operation = Some(operation.id);
            }
            update_all(txn, &changes)?;
            txn.journal().append(operation.id, &entries)?;
        }
        self.judge.mark(txn)
    }
}

fn check_count(count: usize) -> Result<()> {
    if count <= MAX_RECORDS {
        return Ok(());
    }
    let message = "one call takes at most 1,000,000 leads";
    Err(Error::invalid_field("selection", ViolationCode::TooLong, message))
}

/// How many leads match; a store counts live ones only.
pub(super) fn count(txn: &mut dyn Txn, filter: &Resolved, trashed: bool) -> Result<u64> {
    if !trashed {
        return txn.tallies().count(filter);
    }
    let mut found = 0_u64;
    each_lead(txn, filter, Place::Trash, &mut |_, leads| {
        found = found.saturating_add(u64::try_from(leads.len()).unwrap_or(u64::MAX));
        Ok(())
    })?;
    Ok(found)
}

/// The outcome behind an error about one record; errors of another kind are the store's.
pub(super) fn outcome_of(error: Error) -> Result<RecordOutcome> {
    if let Some(conflict) = error.conflict() {
        return Ok(RecordOutcome::Conflict(conflict.clone()));
    }
    match error.kind() {
        ErrorKind::NotFound => Ok(RecordOutcome::NotFound),
        ErrorKind::Denied => Ok(RecordOutcome::Forbidden),
        ErrorKind::Invalid => Ok(RecordOutcome::Invalid(error.violations().to_vec())),
        _ => Err(error),
    }
}
