//! Which rows will not be taken, where others further up are linked to them: found out before anything is written.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Seek};
use std::sync::Arc;

use super::ahead::{KeysAhead, RowsAhead};
use super::dry_run::rows_of;
use super::links::RowsById;
use super::plan::{Planner, Purpose};
use super::planned::ImportPlan;
use super::records::{AsPlanned, PlanLines};
use super::report::ImportReport;
use super::source::Source;
use crate::context::Context;
use crate::domain::Operation;
use crate::error::Result;
use crate::id::LeadId;
use crate::store::{Store, StoreExt};

/// So often a file is looked through: rows that are refused for others may be what further ones must be linked to.
const MOST: usize = 10;

/// A file that is to be imported, from where it stands.
pub(super) struct Foresight<'f> {
    pub(super) ctx: &'f Context<'f>,
    pub(super) store: &'f dyn Store,
    pub(super) source: &'f Source,
    pub(super) report: &'f ImportReport,
    pub(super) begun: Option<&'f Operation>,
    pub(super) plan: Option<&'f ImportPlan>,
}

impl Foresight<'_> {
    /// What its rows have to know of all of them; where they are linked to rows further down, also what becomes of these.
    pub(super) fn ahead<R: Read + Seek>(&self, input: &mut R) -> Result<RowsAhead> {
        let planned = self.plan.map(|plan| AsPlanned::new(PlanLines::Held(&plan.lines), &plan.report));
        let mut all = RowsAhead::read(self.source, input, planned)?;
        for _ in 0..MOST {
            if !all.by_id.is_forward() {
                break;
            }
            let untaken = self.untaken(input, &all)?;
            let mut more = RowsById::clone(&all.by_id);
            if !more.learn(untaken) {
                break;
            }
            all.by_id = Arc::new(more);
            // Nobody is refused for them.
            if !all.by_id.is_required() {
                break;
            }
        }
        Ok(all)
    }

    /// The ids whose rows become no lead, as far as that is decided yet.
    fn untaken<R: Read + Seek>(&self, input: &mut R, all: &RowsAhead) -> Result<BTreeSet<LeadId>> {
        let Self { ctx, store, source, report, begun, plan } = self;
        let (options, behind) = (&source.options, (*plan, report.lines));
        let rows = rows_of(source, input, behind)?;
        let mut ahead = KeysAhead::read(rows, options.chunk, source.catalogue())?;
        let mut rows = rows_of(source, input, behind)?;
        let (mut planner, mut found) = (None, Found::default());
        loop {
            let chunk = rows.next_chunk(options.chunk, false)?;
            let decided = store.read(ctx.tenant(), |txn| {
                let planner = match &mut planner {
                    Some(planner) => planner,
                    none => {
                        let purpose = (Purpose::Count, source.known_numbers());
                        let new_values = report.new_values.clone();
                        let planner =
                            Planner::load(ctx, txn, options, &source.fields(), new_values, purpose)?;
                        let planner = planner.foreseeing(source, all, report.links.clone());
                        none.insert(match begun {
                            Some(operation) => planner.within(operation),
                            None => planner,
                        })
                    }
                };
                planner.decide(txn, &chunk.records)
            })?;
            for (record, decision) in chunk.records.iter().zip(&decided) {
                let ids = record.link_ids().filter(|id| all.by_id.has(*id));
                let needs = planner.iter().flat_map(|planner: &Planner<'_>| planner.needs(record));
                found.add(decision.lead().is_some(), ids.collect(), needs);
                ahead.pass(source.catalogue(), record);
            }
            planner.iter_mut().for_each(|planner: &mut Planner<'_>| planner.keep_for(&ahead));
            if chunk.end {
                return Ok(found.untaken());
            }
        }
    }
}

/// What becomes of the rows that links name.
#[derive(Debug, Default)]
struct Found {
    /// How many rows of an id are taken.
    taken: HashMap<LeadId, u32>,
    refused: BTreeSet<LeadId>,
    /// The ids of rows that are taken only if others are.
    depending: Vec<Vec<LeadId>>,
    /// Which of them need those of an id.
    needing: HashMap<LeadId, Vec<usize>>,
}

impl Found {
    /// A row with these ids, which links to rows further down that it `needs`.
    fn add(&mut self, is_taken: bool, ids: Vec<LeadId>, needs: impl Iterator<Item = LeadId>) {
        if !is_taken {
            self.refused.extend(ids);
            return;
        }
        ids.iter().for_each(|id| *self.taken.entry(*id).or_default() += 1);
        let mut is_depending = false;
        for id in needs.filter(|_| !ids.is_empty()) {
            self.needing.entry(id).or_default().push(self.depending.len());
            is_depending = true;
        }
        self.depending.extend(is_depending.then_some(ids));
    }

    /// The ids of which no row is taken: those that are refused, the rows that need these, and those that need them in turn.
    fn untaken(mut self) -> BTreeSet<LeadId> {
        let taken = &mut self.taken;
        let mut untaken = self.refused;
        untaken.retain(|id| !taken.contains_key(id));
        let mut new: Vec<LeadId> = untaken.iter().copied().collect();
        while let Some(id) = new.pop() {
            for row in self.needing.remove(&id).into_iter().flatten() {
                for id in self.depending.get_mut(row).map(std::mem::take).unwrap_or_default() {
                    let left = taken.entry(id).or_default();
                    *left = left.saturating_sub(1);
                    if *left == 0 && untaken.insert(id) {
                        new.push(id);
                    }
                }
            }
        }
        untaken
    }
}
