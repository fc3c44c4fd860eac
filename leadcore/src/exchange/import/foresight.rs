//! Which rows will not be taken, where others must be linked to them: found out before anything is written.

use std::collections::BTreeSet;
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
    /// What its rows have to know of all of them; where leads must have links, also what becomes of the rows that these name.
    pub(super) fn ahead<R: Read + Seek>(&self, input: &mut R) -> Result<RowsAhead> {
        let planned = self.plan.map(|plan| AsPlanned::new(PlanLines::Held(&plan.lines), &plan.report));
        let mut all = RowsAhead::read(self.source, input, planned)?;
        for _ in 0..MOST {
            if !all.by_id.is_required() {
                break;
            }
            let untaken = self.untaken(input, &all)?;
            let mut more = RowsById::clone(&all.by_id);
            if !more.learn(untaken) {
                break;
            }
            all.by_id = Arc::new(more);
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
        let (mut planner, mut taken, mut refused) = (None, BTreeSet::new(), BTreeSet::new());
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
                if decision.lead().is_some() {
                    taken.extend(ids);
                } else {
                    refused.extend(ids);
                }
                ahead.pass(source.catalogue(), record);
            }
            planner.iter_mut().for_each(|planner: &mut Planner<'_>| planner.keep_for(&ahead));
            if chunk.end {
                return Ok(refused.difference(&taken).copied().collect());
            }
        }
    }
}
