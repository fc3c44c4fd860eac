//! A plan, carried out.

use std::io::{BufRead, Read, Seek, Write};

use super::ImportOptions;
use super::feed::Reading;
use super::outcome::ImportSink;
use super::plan::Purpose;
use super::planned::{Head, ImportPlan, Stored};
use super::records::PlanLines;
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
/// interrupted goes on, and it is undone as any import.
///
/// # Errors
/// As [`run`](super::run); `Invalid` for another file than the plan was made of, a plan of another version, or a
/// [text](super::ImportPlan::set) for a field that this actor could not map a column to.
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
    let lines = PlanLines::Held(&plan.lines);
    carry_out(ctx, store, (&plan.options, &plan.report.digest), lines, input, rejects, sink)
}

/// [`apply`] of a plan that was [streamed](super::plan_to) to JSON lines: read beside the file, in memory that does not grow
/// with it.
///
/// # Errors
/// As [`apply`]; `Invalid` at `plan line n` for what is no plan. What was written until then stays, also where a line
/// further down sets a field that it must not.
pub fn apply_from<R: Read + Seek + Send, P: BufRead + Send>(
    ctx: &Context<'_>,
    store: &dyn Store,
    plan: P,
    input: R,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let stored = Stored::open(plan)?;
    let Head { options, digest, .. } = stored.head.clone();
    let lines = PlanLines::Streamed(Box::new(stored));
    carry_out(ctx, store, (&options, &digest), lines, input, rejects, sink)
}

fn carry_out<R: Read + Seek + Send>(
    ctx: &Context<'_>,
    store: &dyn Store,
    (options, digest): (&ImportOptions, &str),
    lines: PlanLines<'_>,
    mut input: R,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let source = Source::prepare_same(ctx, store, &mut input, options, Some(digest))?;
    if let PlanLines::Held(lines) = &lines {
        source.check_edits(ctx, options, lines.iter())?;
    }
    let reading = Reading::of(source.bytes);
    let import = Import::new(ctx, store, &source, &source.options, Purpose::WriteAsPlanned);
    execute(import, &mut input, (Some(lines), reading), rejects, sink)
}
