//! What an import would do, without doing it.

use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;

use super::ahead::KeysAhead;
use super::foresight::Foresight;
use super::links::Carried;
use super::names::Unknown;
use super::outcome::{ImportSink, LineOutcome};
use super::plan::{Planner, Purpose};
use super::planned::{Head, ImportPlan, VERSION};
use super::planning::{Step, Telling, line_of};
use super::records::{AsPlanned, PlanLines, Rows};
use super::refused::tell_rejected;
use super::report::ImportReport;
use super::source::{Source, check_source, is_done};
use super::stopwatch::Stopwatch;
use super::{ImportOptions, cancelled};
use crate::context::Context;
use crate::error::Result;
use crate::exchange::rejects::Rejects;
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
    dry_run_with_rejects(ctx, store, input, options, None, sink)
}

/// As [`dry_run`]; `rejects` takes the rows that [`run`](super::run) would not take, as it takes those of the run.
///
/// # Errors
/// As [`run`](super::run).
pub fn dry_run_with_rejects<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    input: R,
    options: &ImportOptions,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let mut nobody = |_: Step<'_>| Ok(());
    // As long as the rest, and no longer.
    let rejects = rejects.map(|output| output as &mut dyn Write);
    let mut telling = Telling { sink, rejects, take: &mut nobody };
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
    said: &ImportOptions,
    (purpose, earlier_plan): (Purpose, Option<&ImportPlan>),
    telling: &mut Telling<'_>,
) -> Result<Looked> {
    let source = Source::prepare(ctx, store, &mut input, said)?;
    let options = &source.options;
    if let Some(plan) = earlier_plan {
        source.check_edits(ctx, options, plan.lines.iter())?;
    }
    let earlier = store.read(ctx.tenant(), |txn| {
        check_source(txn, options)?;
        source.earlier(txn)
    })?;
    let mut report = source.report.clone();
    // A file that is done is found without its mapping, which may have fields that this actor may not see.
    let is_done = earlier.as_ref().is_some_and(|(operation, _)| is_done(operation));
    let mapping = if is_done { said.mapping.clone() } else { Some(report.mapping.clone()) };
    // The file says again what is not said here.
    let resolved = ImportOptions { mapping, ..said.clone() };
    let head = Head { version: VERSION, options: resolved, digest: report.digest.clone() };
    (telling.take)(Step::Options(&head))?;
    let mut begun = None;
    if let Some((operation, stored)) = earlier {
        if is_done {
            return Ok(Looked { report: stored.repeated(ctx), unknown: Unknown::new() });
        }
        report = stored.resumed();
        begun = Some(operation);
    }
    let rejects = telling.rejects.take();
    let mut rejects = rejects.map(|output| source.rejects(output, &report.mapping)).transpose()?;
    let keep = purpose == Purpose::Plan || rejects.is_some();
    let mut clock = Stopwatch::start(ctx);
    let behind = (earlier_plan, report.lines);
    let rows = rows_of(&source, &mut input, behind)?;
    let mut ahead = KeysAhead::read(rows, options.chunk, source.catalogue())?;
    let foresight =
        Foresight { ctx, store, source: &source, report: &report, begun: begun.as_ref(), plan: earlier_plan };
    let all = foresight.ahead(&mut input)?;
    let mut rows = rows_of(&source, &mut input, behind)?;
    clock.skipped(rows.bytes());
    let (mut planner, is_plan) = (None, purpose == Purpose::Plan);
    loop {
        let chunk = rows.next_chunk(options.chunk, keep)?;
        let decided = store.read(ctx.tenant(), |txn| {
            let planner = match &mut planner {
                Some(planner) => planner,
                none => {
                    let Carried { new_values, links, .. } = report.take_carried();
                    let purpose = (purpose, source.known_numbers());
                    let planner = Planner::load(ctx, txn, options, &source.fields(), new_values, purpose)?;
                    let planner = planner.foreseeing(&source, &all, links);
                    none.insert(match &begun {
                        Some(operation) => planner.within(operation),
                        None => planner,
                    })
                }
            };
            planner.decide(txn, &chunk.records)
        })?;
        let Some(planner) = &mut planner else { continue };
        for (record, decision) in chunk.records.iter().zip(decided) {
            if is_plan {
                (telling.take)(Step::Line(Box::new(line_of(planner, &source.columns, record, &decision))))?;
            }
            let outcome = LineOutcome::new(record.line, decision.outcome(|slot| stored(planner, slot)));
            report.count(&outcome);
            report.leave_out(&outcome, &record.left_out);
            if let Some(rejects) = &mut rejects {
                tell_rejected(rejects, record, &outcome)?;
            }
            telling.sink.line(&outcome);
        }
        rejects.as_mut().map_or(Ok(()), Rejects::flush)?;
        report.blanked += chunk.records.iter().map(|record| record.blanked).sum::<u64>();
        report.said = report.said.map(|said| said.after(&chunk.records));
        chunk.records.iter().for_each(|record| ahead.pass(source.catalogue(), record));
        planner.keep_for(&ahead);
        (report.new_values, report.new_stages) = planner.new_values();
        planner
            .take_left_out(chunk.end)
            .iter()
            .for_each(|(line, reason)| report.tell_left_out(*line, reason));
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

/// The rows behind the first `done`, as a plan has them where there is one.
pub(super) fn rows_of<'r, R: Read + Seek>(
    source: &Source,
    input: &'r mut R,
    (plan, done): (Option<&'r ImportPlan>, u64),
) -> Result<Rows<'r, R>> {
    let mut rows = source.rows(input)?;
    if let Some(plan) = plan {
        rows = rows.beside(AsPlanned::new(PlanLines::Held(&plan.lines), &plan.report));
    }
    rows.skip_to(done, |_, _| Ok(()))?;
    Ok(rows)
}
