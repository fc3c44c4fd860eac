//! What an import would do, without doing it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{Read, Seek};
use std::ops::ControlFlow;

use super::outcome::{ImportSink, LineOutcome};
use super::plan::{Planner, check_source};
use super::report::ImportReport;
use super::run::progress;
use super::source::{Record, Source, is_done};
use super::{ImportOptions, cancelled};
use crate::context::Context;
use crate::domain::MatchKey;
use crate::error::Result;
use crate::exchange::coerce::Content;
use crate::store::{Store, StoreExt, Txn};

/// Says what [`run`](super::run) would do, and writes nothing at all. Its counts are those of the run, as long as the
/// store stays as it is. [`ImportReport::new_values`] lists the names that would be added.
///
/// The rows are read once more than by a run: first to learn which keys occur again further down.
///
/// # Errors
/// As [`run`](super::run).
pub fn dry_run<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    mut input: R,
    options: &ImportOptions,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let source = Source::prepare(ctx, store, &mut input, options)?;
    let earlier = store.read(ctx.tenant(), |txn| {
        check_source(txn, options)?;
        source.earlier(txn)
    })?;
    let mut report = source.report.clone();
    if let Some((operation, stored)) = earlier {
        if is_done(&operation) {
            return Ok(stored.repeated());
        }
        report = stored.resumed();
    }
    let mut ahead = keys_ahead(&source, &mut input, options, report.lines)?;
    let mut rows = source.rows(&mut input, options)?;
    rows.skip_to(report.lines, |_| Ok(()))?;
    let mut planner = None;
    loop {
        let chunk = rows.next_chunk(options.chunk, false)?;
        let outcomes = store.read(ctx.tenant(), |txn| {
            let planner = match &mut planner {
                Some(planner) => planner,
                none => none.insert(Planner::load(
                    ctx,
                    txn,
                    options,
                    &source.fields(),
                    report.new_values.clone(),
                    true,
                )?),
            };
            decide(planner, txn, &chunk.records)
        })?;
        for outcome in &outcomes {
            report.count(outcome);
            sink.line(outcome);
        }
        report.blanked += chunk.records.iter().map(|record| record.blanked).sum::<u64>();
        if let Some(planner) = &mut planner {
            keys_of(&chunk.records).for_each(|key| ahead.pass(key));
            planner.bench.retain(|slot| {
                slot.before.as_ref() != Some(&slot.lead)
                    && slot.lead.fields.match_keys().iter().any(|key| ahead.holds(key))
            });
            report.new_values.clone_from(planner.new_values());
        }
        let step = sink.progress(&progress(&report, rows.bytes(), source.bytes));
        if chunk.end {
            return Ok(report);
        }
        if step == ControlFlow::Break(()) {
            return Err(cancelled(report.lines));
        }
    }
}

fn decide(planner: &mut Planner<'_>, txn: &mut dyn Txn, records: &[Record]) -> Result<Vec<LineOutcome>> {
    let decisions = planner.decide(txn, records)?;
    let stored = |slot: usize| {
        let slot = planner.bench.slots.get(slot)?;
        slot.before.as_ref().map(|lead| (lead.id, lead.number))
    };
    let outcomes = records.iter().zip(decisions);
    Ok(outcomes.map(|(record, decision)| LineOutcome::new(record.line, decision.outcome(stored))).collect())
}

fn keys_of(records: &[Record]) -> impl Iterator<Item = &MatchKey> {
    records.iter().flat_map(|record| match &record.content {
        Content::Filled(intent) => intent.keys.as_slice(),
        _ => &[],
    })
}

fn keys_ahead<R: Read + Seek>(
    source: &Source,
    input: &mut R,
    options: &ImportOptions,
    done: u64,
) -> Result<KeysAhead> {
    let mut rows = source.rows(input, options)?;
    rows.skip_to(done, |_| Ok(()))?;
    let mut hashes = Vec::new();
    loop {
        let chunk = rows.next_chunk(options.chunk, false)?;
        hashes.extend(keys_of(&chunk.records).map(hash));
        if chunk.end {
            return Ok(KeysAhead::new(hashes));
        }
    }
}

/// How often each key occurs in the rest of the file: nine bytes for each different one.
#[derive(Debug)]
struct KeysAhead {
    hashes: Vec<u64>,
    /// Counts to 254; 255 means very often and stays.
    left: Vec<u8>,
}

/// Two keys of one hash are taken for one: then a lead is kept that need not be, and nothing else happens.
fn hash(key: &MatchKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl KeysAhead {
    fn new(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        let left = hashes.chunk_by(|a, b| a == b).map(|same| u8::try_from(same.len()).unwrap_or(u8::MAX));
        let left = left.collect();
        hashes.dedup();
        Self { hashes, left }
    }

    fn place(&self, key: &MatchKey) -> Option<usize> {
        self.hashes.binary_search(&hash(key)).ok()
    }

    fn pass(&mut self, key: &MatchKey) {
        if let Some(left) = self.place(key).and_then(|place| self.left.get_mut(place))
            && *left != u8::MAX
        {
            *left = left.saturating_sub(1);
        }
    }

    fn holds(&self, key: &MatchKey) -> bool {
        self.place(key).and_then(|place| self.left.get(place)).is_some_and(|left| *left > 0)
    }
}
