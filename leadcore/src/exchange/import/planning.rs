//! What an import would do, line by line.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

use super::ImportOptions;
use super::decision::Decision;
use super::dry_run::{Looked, look};
use super::outcome::{ImportSink, SkipReason};
use super::plan::{Planner, Purpose};
use super::planned::{
    Candidate, Edits, Head, ImportPlan, PlanSummary, Planned, PlannedLine, VERSION, write_line,
};
use super::records::Record;
use crate::context::Context;
use crate::error::{Result, Violation};
use crate::exchange::mapping::Located;
use crate::id::LeadId;
use crate::store::Store;

/// Says what [`run`](super::run) would do, line by line with the fields that would change, and writes nothing at all. The
/// plan holds an entry for each record: for files of millions, [stream](plan_to) it.
///
/// Of a file that was imported before the plan has no lines, and its report is that of a repeated import; of one that was
/// interrupted it has the lines that are left.
///
/// # Errors
/// As [`run`](super::run).
pub fn plan<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    input: R,
    options: &ImportOptions,
    sink: &mut dyn ImportSink,
) -> Result<ImportPlan> {
    gather(ctx, store, input, options, None, sink)
}

/// Plans again: with what a person changed in an earlier plan, by what the store holds now. Lines that were taken out of it
/// stay out, as lines to be [skipped](ImportPlan::skip); leads that lines create keep their ids.
///
/// # Errors
/// As [`plan`]; `Invalid` for a [text](ImportPlan::set) for a field that this actor could not map a column to.
pub fn replan<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    earlier: &ImportPlan,
    input: R,
    sink: &mut dyn ImportSink,
) -> Result<ImportPlan> {
    gather(ctx, store, input, &earlier.options, Some(earlier), sink)
}

/// [`plan`] as JSON lines, in memory that does not grow with what is decided: the options first, then a line for each
/// record, then the [summary](PlanSummary). [`apply_from`](super::apply_from) carries it out; in between, a person may
/// add a `choice` or `set` to single lines, or take lines away to leave them out.
///
/// # Errors
/// As [`plan`]; a failure of the writer.
pub fn plan_to<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    input: R,
    options: &ImportOptions,
    out: &mut dyn Write,
    sink: &mut dyn ImportSink,
) -> Result<PlanSummary> {
    let told = look(
        ctx,
        store,
        input,
        options,
        (Purpose::Plan, None),
        &mut Telling {
            sink,
            rejects: None,
            take: &mut |step| {
                match step {
                    Step::Options(head) => write_line(out, head)?,
                    Step::Line(line) => write_line(out, &*line)?,
                }
                Ok(())
            },
        },
    )?;
    let summary = PlanSummary { report: told.report, unknown: told.unknown };
    write_line(out, &summary)?;
    Ok(summary)
}

/// What a plan is made of.
pub(super) enum Step<'s> {
    Options(&'s Head),
    Line(Box<PlannedLine>),
}

/// A sink, and who takes the lines of the plan.
pub(super) struct Telling<'s> {
    pub(super) sink: &'s mut dyn ImportSink,
    /// Where rows go that would not be taken.
    pub(super) rejects: Option<&'s mut dyn Write>,
    pub(super) take: &'s mut dyn FnMut(Step<'_>) -> Result<()>,
}

fn gather<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    input: R,
    options: &ImportOptions,
    earlier: Option<&ImportPlan>,
    sink: &mut dyn ImportSink,
) -> Result<ImportPlan> {
    let (mut lines, mut resolved) = (Vec::new(), options.clone());
    let mut take = |step: Step<'_>| {
        match step {
            Step::Options(head) => resolved = head.options.clone(),
            Step::Line(line) => lines.push(*line),
        }
        Ok(())
    };
    let Looked { report, unknown } = look(
        ctx,
        store,
        input,
        options,
        (Purpose::Plan, earlier),
        &mut Telling { sink, rejects: None, take: &mut take },
    )?;
    Ok(ImportPlan { version: VERSION, options: resolved, report, unknown, lines })
}

/// The line of the plan.
pub(super) fn line_of(
    planner: &Planner<'_>,
    columns: &[Located],
    record: &Record,
    decision: &Decision,
) -> PlannedLine {
    let lead = |slot: usize| planner.bench.slots.get(slot).map(|slot| &slot.lead);
    let id = |slot: usize| lead(slot).map_or(LeadId::from_uuid(uuid::Uuid::nil()), |lead| lead.id);
    let number = |slot: usize| lead(slot).map(|lead| lead.number).filter(|number| *number > 0);
    let planned = match decision {
        Decision::Create { slot, recognisable, values, .. } => {
            Planned::Create { lead: id(*slot), recognisable: *recognisable, values: values.clone() }
        }
        Decision::Update { slot, matched_by, changes, .. } => Planned::Update {
            lead: id(*slot),
            number: number(*slot),
            matched_by: matched_by.clone(),
            changes: changes.clone(),
        },
        Decision::Skip { reason: SkipReason::Unchanged, slot: Some(slot), .. } => {
            Planned::Unchanged { lead: id(*slot), number: number(*slot) }
        }
        Decision::Skip { reason, slot, .. } => {
            Planned::Skip { reason: *reason, lead: slot.and_then(lead).map(|lead| lead.id) }
        }
        Decision::Review { slots, names, matched_by } => Planned::Review {
            matched_by: matched_by.clone(),
            candidates: slots
                .iter()
                .zip(names)
                .map(|(slot, name)| Candidate { lead: id(*slot), number: number(*slot), name: name.clone() })
                .collect(),
        },
        Decision::Reject { reasons, owner } => Planned::Reject {
            values: values_at_fault(columns, record, reasons),
            reasons: reasons.clone(),
            owner: owner.clone(),
        },
    };
    let same_as_line = match decision {
        Decision::Update { same_as_line, .. } | Decision::Skip { same_as_line, .. } => *same_as_line,
        _ => None,
    };
    let earlier = record.planned.as_deref();
    let set = earlier.map(|earlier| earlier.set.clone()).unwrap_or_default();
    let numbers = earlier.map(|earlier| earlier.numbers.clone()).unwrap_or_default();
    let (line, number, choice) = (record.line, record.number, record.choice);
    let made_with = Edits { choice, set: set.clone(), numbers: numbers.clone() };
    PlannedLine {
        line,
        number,
        decision: planned,
        same_as_line,
        links: planner.links_of(record),
        choice,
        set,
        numbers,
        open: false,
        anew: false,
        made_with,
    }
}

/// What the cells say that a row was rejected for, by field.
fn values_at_fault(columns: &[Located], record: &Record, reasons: &[Violation]) -> BTreeMap<String, String> {
    let Some(kept) = &record.kept else { return BTreeMap::new() };
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let at_fault = columns.iter().filter(|column| reasons.iter().any(|at| at.field == column.field.key()));
    for (column, place) in at_fault.flat_map(|column| column.from.places().map(move |place| (column, place)))
    {
        let Some(cell) = kept.cell(place).filter(|cell| !cell.trim().is_empty()) else { continue };
        let known = values.entry(column.field.key().to_owned()).or_default();
        if !known.is_empty() {
            known.push_str("; ");
        }
        known.push_str(cell.trim());
    }
    values
}
