//! What an import would do, without doing it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{Read, Seek};
use std::ops::ControlFlow;

use super::bench::{Slot, every_key};
use super::names::Unknown;
use super::outcome::{ImportSink, LineOutcome};
use super::plan::{Planner, Purpose, check_source};
use super::planned::{Head, VERSION};
use super::planning::{Step, Telling, line_of};
use super::report::ImportReport;
use super::run::Stopwatch;
use super::source::{PlanLines, Record, Source, is_done};
use super::{ImportOptions, cancelled};
use crate::context::Context;
use crate::error::Result;
use crate::exchange::coerce::{Content, Intent};
use crate::id::LeadId;
use crate::store::{Store, StoreExt};

/// Says what [`run`](super::run) would do, and writes nothing at all. Its counts are those of the run, as long as the
/// store stays as it is. [`ImportReport::new_values`] lists the names that would be added. See [`plan`](super::plan) for
/// what becomes of each line and the fields that change.
///
/// The rows are read once more than by a run: first to learn which keys occur again further down.
///
/// # Errors
/// As [`run`](super::run).
pub fn dry_run<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    input: R,
    options: &ImportOptions,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let mut nobody = |_: Step<'_>| Ok(());
    let mut telling = Telling { sink, take: &mut nobody };
    Ok(look(ctx, store, input, options, (Purpose::Count, None), &mut telling)?.report)
}

/// What a look at a file found.
pub(super) struct Looked {
    pub(super) report: ImportReport,
    pub(super) unknown: Unknown,
}

/// Decides every row without writing, and tells what was decided.
pub(super) fn look<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    mut input: R,
    options: &ImportOptions,
    (purpose, edits): (Purpose, Option<PlanLines<'_>>),
    telling: &mut Telling<'_>,
) -> Result<Looked> {
    let source = Source::prepare(ctx, store, &mut input, options)?;
    let earlier = store.read(ctx.tenant(), |txn| {
        check_source(txn, options)?;
        source.earlier(txn)
    })?;
    let mut report = source.report.clone();
    let resolved = ImportOptions { mapping: Some(report.mapping.clone()), ..options.clone() };
    let head = Head { version: VERSION, options: resolved, digest: report.digest.clone() };
    (telling.take)(Step::Options(&head))?;
    if let Some((operation, stored)) = earlier {
        if is_done(&operation) {
            return Ok(Looked { report: stored.repeated(), unknown: Unknown::new() });
        }
        report = stored.resumed();
    }
    let mut clock = Stopwatch::start(ctx);
    let mut ahead = keys_ahead(&source, &mut input, options, report.lines)?;
    let mut rows = source.rows(&mut input, options)?;
    if let Some(edits) = edits {
        rows = rows.beside(edits, false);
    }
    rows.skip_to(report.lines, |_| Ok(()))?;
    clock.skipped(rows.bytes());
    let (mut planner, is_plan) = (None, purpose == Purpose::Plan);
    loop {
        let chunk = rows.next_chunk(options.chunk, is_plan)?;
        let decided = store.read(ctx.tenant(), |txn| {
            let planner = match &mut planner {
                Some(planner) => planner,
                none => {
                    let new_values = report.new_values.clone();
                    none.insert(Planner::load(ctx, txn, options, &source.fields(), new_values, purpose)?)
                }
            };
            planner.decide(txn, &chunk.records)
        })?;
        let Some(planner) = &mut planner else { continue };
        for (record, decision) in chunk.records.iter().zip(decided) {
            if is_plan {
                (telling.take)(Step::Line(line_of(planner, &source.columns, record, &decision)))?;
            }
            let outcome = LineOutcome::new(record.line, decision.outcome(|slot| stored(planner, slot)));
            report.count(&outcome);
            telling.sink.line(&outcome);
        }
        report.blanked += chunk.records.iter().map(|record| record.blanked).sum::<u64>();
        intents(&chunk.records).for_each(|intent| hashes(intent).for_each(|hash| ahead.pass(hash)));
        planner.bench.retain(|slot| {
            slot.before.as_ref() != Some(&slot.lead) && hashes_of(slot).any(|hash| ahead.holds(hash))
        });
        report.new_values.clone_from(planner.new_values());
        let step = telling.sink.progress(&clock.progress(&report, &chunk, source.bytes));
        if chunk.end {
            break;
        }
        if step == ControlFlow::Break(()) {
            return Err(cancelled(report.lines));
        }
    }
    Ok(Looked { report, unknown: planner.map(Planner::into_unknown).unwrap_or_default() })
}

fn stored(planner: &Planner<'_>, slot: usize) -> Option<(LeadId, u64)> {
    let slot = planner.bench.slots.get(slot)?;
    slot.before.as_ref().map(|lead| (lead.id, lead.number))
}

fn intents(records: &[Record]) -> impl Iterator<Item = &Intent> {
    records.iter().filter_map(|record| match &record.content {
        Content::Filled(intent) => Some(intent.as_ref()),
        _ => None,
    })
}

/// What a row may be recognised by, as numbers.
fn hashes(intent: &Intent) -> impl Iterator<Item = u64> {
    let keys = intent.keys.iter().map(hash);
    keys.chain(intent.id.as_ref().map(hash)).chain(intent.number.as_ref().map(hash))
}

/// What a lead may be recognised by, as numbers.
fn hashes_of(slot: &Slot) -> impl Iterator<Item = u64> {
    let keys = every_key(&slot.lead.fields).into_iter().map(|key| hash(&key));
    keys.chain([hash(&slot.lead.id), hash(&slot.lead.number)])
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
        hashes.extend(intents(&chunk.records).flat_map(self::hashes));
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
fn hash(key: &impl Hash) -> u64 {
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

    fn place(&self, key: u64) -> Option<usize> {
        self.hashes.binary_search(&key).ok()
    }

    fn pass(&mut self, key: u64) {
        if let Some(left) = self.place(key).and_then(|place| self.left.get_mut(place))
            && *left != u8::MAX
        {
            *left = left.saturating_sub(1);
        }
    }

    fn holds(&self, key: u64) -> bool {
        self.place(key).and_then(|place| self.left.get(place)).is_some_and(|left| *left > 0)
    }
}
