//! A plan, carried out.

use std::io::{BufRead, Read, Seek, SeekFrom, Write};

use super::feed::Reading;
use super::outcome::ImportSink;
use super::plan::Purpose;
use super::planned::{Head, ImportPlan, PlanSummary, Stored, check_lines, unreadable};
use super::records::{AsPlanned, PlanLines};
use super::report::ImportReport;
use super::run::{Import, execute};
use super::source::Source;
use crate::context::Context;
use crate::error::Result;
use crate::store::Store;

/// Imports a file as planned: the same as [`run`](super::run), but for what a person changed in the plan, and for what
/// changed in the store since. A line of which something else would be made now is left alone, counted under
/// [`SkipReason::Stale`](super::SkipReason::Stale) and written among the rejected rows. Lines that are gone from the plan
/// are left out, as those that it [skips](super::ImportPlan::skip).
///
/// It is the same import as a [`run`](super::run) with the plan's options: a second call changes nothing, one that was
/// interrupted goes on, and it is undone as any import. A plan of the rest of an interrupted import says nothing of the lines
/// that were done when it was made: where that import was taken back since, they are imported as a run does it.
///
/// # Errors
/// As [`run`](super::run); `Invalid` for another file than the plan was made of, a plan of another version, or a
/// [text](super::ImportPlan::set) for a field that this actor could not map a column to; `Conflict` with
/// [`Conflict::PlanOutdated`](crate::error::Conflict::PlanOutdated) for the plan of a file that was imported before, when that
/// import was taken back since.
pub fn apply<R: Read + Seek + Send>(
    ctx: &Context<'_>,
    store: &dyn Store,
    plan: &ImportPlan,
    input: R,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    Head { version: plan.version, options: plan.options.clone(), digest: plan.report.digest.clone() }
        .check()?;
    check_lines(&plan.lines)?;
    let (options, mut input) = (&plan.options, input);
    let source = Source::prepare_same(ctx, store, &mut input, options, Some(&plan.report.digest))?;
    source.check_edits(ctx, options, plan.lines.iter())?;
    let import = Import::new(ctx, store, &source, &source.options, Purpose::WriteAsPlanned);
    let planned = || AsPlanned::new(PlanLines::Held(&plan.lines), &plan.report);
    let import = import.of(&mut input, planned())?;
    execute(import, &mut input, (Some(planned()), Reading::of(source.bytes)), rejects, sink)
}

/// [`apply`] of a plan that was [streamed](super::plan_to) to JSON lines: read beside the file, in memory that does not grow
/// with it. It is read once more before that, from its current position to its end: of a plan that is damaged anywhere
/// nothing is written.
///
/// # Errors
/// As [`apply`]; `Invalid` at `plan line n` for what is no plan, or has a key that no plan has.
pub fn apply_from<R: Read + Seek + Send, P: BufRead + Seek + Send>(
    ctx: &Context<'_>,
    store: &dyn Store,
    mut plan: P,
    mut input: R,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let start = plan.stream_position().map_err(unreadable)?;
    let stored = Stored::open(&mut plan)?;
    let Head { options, digest, .. } = stored.head.clone();
    let source = Source::prepare_same(ctx, store, &mut input, &options, Some(&digest))?;
    let PlanSummary { report, .. } =
        stored.check(|line| source.check_edits(ctx, &options, std::iter::once(line)))?;
    plan.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let import = Import::new(ctx, store, &source, &source.options, Purpose::WriteAsPlanned);
    let lines = PlanLines::Streamed(Box::new(Stored::open(&mut plan)?));
    let import = import.of(&mut input, AsPlanned::new(lines, &report))?;
    plan.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let planned = AsPlanned::new(PlanLines::Streamed(Box::new(Stored::open(plan)?)), &report);
    execute(import, &mut input, (Some(planned), Reading::of(source.bytes)), rejects, sink)
}
