//! The import itself.

use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;

use super::decision::Decision;
use super::names::NewValues;
use super::outcome::{ImportSink, LineOutcome, Outcome, Progress};
use super::plan::{Planner, check_source};
use super::report::ImportReport;
use super::source::{Chunk, Record, Rows, Source, is_done};
use super::{ImportOptions, OPERATION, cancelled};
use crate::context::Context;
use crate::desk;
use crate::domain::{Field, Operation, OperationState};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::exchange::mapping::saved;
use crate::exchange::rejects::{Kept, Rejects};
use crate::id::OperationId;
use crate::policy::Permission;
use crate::store::{Store, StoreExt, Txn, nested};

/// Imports a file. `input` is read three times, from its current position on: for its digest, its layout, its rows.
///
/// `rejects` takes the rows that were not taken, as CSV: the columns of the file, then `reject_field` and
/// `reject_reason`. Corrected, that file can be imported. When an import goes on where an earlier one was interrupted,
/// it begins with the rows rejected then (the first 1,000 of them).
///
/// # Errors
/// `Denied` without [`Permission::Import`] and [`Permission::Create`]; `Invalid` for a file that is no table, a mapping
/// or options that do not fit; `Cancelled` when `sink` says so; whatever the store fails with. What was written until
/// then stays, in whole chunks, and the same call goes on from there.
pub fn run<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    mut input: R,
    options: &ImportOptions,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let source = Source::prepare(ctx, store, &mut input, options)?;
    let earlier = store.read(ctx.tenant(), |txn| source.earlier(txn))?;
    let mut report = source.report.clone();
    if let Some((operation, stored)) = earlier {
        if is_done(&operation) {
            return Ok(stored.repeated());
        }
        report = stored.resumed();
    }
    if let Some(mapping) = &options.mapping {
        store.write(ctx.tenant(), |txn| saved::remember(ctx, txn, &source.headers, mapping))?;
    }
    let rejects = rejects.map(|output| Rejects::new(output, &source.headers)).transpose()?;
    let rows = source.rows(&mut input, options)?;
    let import = Import { ctx, store, options, source: &source, fields: source.fields() };
    Running { import, report, wrote: false, rows, rejects, sink }.finish()
}

/// What does not change while a file is imported.
struct Import<'a> {
    ctx: &'a Context<'a>,
    store: &'a dyn Store,
    options: &'a ImportOptions,
    source: &'a Source,
    fields: Vec<Field>,
}

struct Running<'a, R, W: Write> {
    import: Import<'a>,
    report: ImportReport,
    /// Whether this run wrote anything yet.
    wrote: bool,
    rows: Rows<'a, R>,
    rejects: Option<Rejects<W>>,
    sink: &'a mut dyn ImportSink,
}

/// What became of a chunk.
enum Written {
    Done {
        report: ImportReport,
        outcomes: Vec<LineOutcome>,
    },
    /// Somebody else imports the same file and is this far.
    Elsewhere {
        operation: Operation,
        report: ImportReport,
    },
}

impl<R: Read + Seek, W: Write> Running<'_, R, W> {
    fn finish(mut self) -> Result<ImportReport> {
        loop {
            self.catch_up()?;
            let mut chunk = self.rows.next_chunk(self.import.options.chunk, self.rejects.is_some())?;
            loop {
                match self.import.write(&self.report, &chunk)? {
                    Written::Done { report, outcomes } => {
                        (self.report, self.wrote) = (report, true);
                        self.tell(&chunk, &outcomes)?;
                        break;
                    }
                    Written::Elsewhere { operation, report } if is_done(&operation) && !self.wrote => {
                        return Ok(report.repeated());
                    }
                    Written::Elsewhere { operation, report } => {
                        self.fall_in(report, &mut chunk)?;
                        if is_done(&operation) {
                            return Ok(self.report);
                        }
                        if chunk.records.is_empty() && !chunk.end {
                            break;
                        }
                    }
                }
            }
            if chunk.end {
                return Ok(self.report);
            }
        }
    }

    /// Goes on where another run of the same import is.
    fn fall_in(&mut self, report: ImportReport, chunk: &mut Chunk) -> Result<()> {
        let ImportReport { lines, resumed_after, done_elsewhere, .. } = self.report;
        let done_elsewhere = done_elsewhere.saturating_add(report.lines.saturating_sub(lines));
        self.report = ImportReport { resumed_after, done_elsewhere, ..report };
        self.drop_done(chunk)?;
        self.catch_up()?;
        self.rejects.as_mut().map_or(Ok(()), Rejects::flush)
    }

    /// Passes over what is done, and repeats its rejected rows.
    fn catch_up(&mut self) -> Result<()> {
        let Self { rows, report, rejects, .. } = self;
        rows.skip_to(report.lines, |row| match rejects {
            Some(rejects) => reject_again(rejects, report, row.line(), || Kept::of(row)),
            None => Ok(()),
        })
    }

    /// Drops the records of a chunk that somebody else did.
    fn drop_done(&mut self, chunk: &mut Chunk) -> Result<()> {
        let done = chunk.records.iter().take_while(|record| record.number <= self.report.lines).count();
        for record in chunk.records.drain(..done) {
            if let Some((rejects, kept)) = self.rejects.as_mut().zip(record.kept) {
                reject_again(rejects, &self.report, record.line, || kept)?;
            }
        }
        Ok(())
    }

    /// Tells what a written chunk became.
    fn tell(&mut self, chunk: &Chunk, outcomes: &[LineOutcome]) -> Result<()> {
        for (record, outcome) in chunk.records.iter().zip(outcomes) {
            if let Outcome::Rejected { reasons, .. } = &outcome.outcome
                && let Some((rejects, kept)) = self.rejects.as_mut().zip(record.kept.as_ref())
            {
                rejects.write(kept, reasons)?;
            }
            self.sink.line(outcome);
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        let progress = progress(&self.report, self.rows.bytes(), self.import.source.bytes);
        match self.sink.progress(&progress) {
            ControlFlow::Break(()) if !chunk.end => Err(cancelled(self.report.lines)),
            _ => Ok(()),
        }
    }
}

pub(super) fn progress(report: &ImportReport, bytes: u64, total_bytes: u64) -> Progress {
    Progress {
        lines: report.lines,
        created: report.created,
        updated: report.updated,
        skipped: report.skipped,
        rejected: report.rejected,
        bytes,
        total_bytes,
    }
}

fn reject_again<W: Write>(
    rejects: &mut Rejects<W>,
    report: &ImportReport,
    line: u64,
    row: impl FnOnce() -> Kept,
) -> Result<()> {
    let known = report.rejections.binary_search_by_key(&line, |rejection| rejection.line);
    match known.ok().and_then(|place| report.rejections.get(place)) {
        Some(rejection) => rejects.write(&row(), &[rejection.reason()]),
        None => Ok(()),
    }
}

impl Import<'_> {
    /// Writes a chunk and the progress in one transaction.
    fn write(&self, report: &ImportReport, chunk: &Chunk) -> Result<Written> {
        let written = self.store.write(self.ctx.tenant(), |txn| self.write_in(txn, report, chunk));
        let Err(error) = written else { return written };
        if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) {
            // Two that began at once: where a store does not make the second one wait, it ends here.
            let now = self.store.read(self.ctx.tenant(), |txn| self.source.earlier(txn))?;
            if let Some((operation, stored)) = now.filter(|(_, stored)| stored.lines > report.lines) {
                return Ok(Written::Elsewhere { operation, report: stored });
            }
        }
        Err(error)
    }

    fn write_in(&self, txn: &mut dyn Txn, report: &ImportReport, chunk: &Chunk) -> Result<Written> {
        let ctx = self.ctx;
        desk::require(ctx, txn, Permission::Import)?;
        check_source(txn, self.options)?;
        let mut operation = match self.source.earlier(txn)? {
            Some((operation, stored)) => {
                if is_done(&operation) || stored.lines != report.lines {
                    return Ok(Written::Elsewhere { operation, report: stored });
                }
                operation
            }
            None if report.lines == 0 => {
                let mut operation = desk::new_operation(ctx, OPERATION, Some(self.source.key.clone()));
                operation.state = OperationState::Running;
                txn.journal().begin(&operation)?;
                operation
            }
            None => {
                let message = "the operation of this import is gone from the journal";
                return Err(Error::new(ErrorKind::Corrupt, message));
            }
        };
        let mut report = ImportReport { operation: Some(operation.id), ..report.clone() };
        let new_values = std::mem::take(&mut report.new_values);
        let (mut outcomes, mut new_values) = (Vec::with_capacity(chunk.records.len()), new_values);
        for batch in chunk.records.chunks(BATCH) {
            let (more, values) = self.rows(txn, operation.id, batch, new_values)?;
            outcomes.extend(more);
            new_values = values;
        }
        report.new_values = new_values;
        outcomes.iter().for_each(|outcome| report.count(outcome));
        report.blanked += chunk.records.iter().map(|record| record.blanked).sum::<u64>();
        if chunk.end {
            operation.state = OperationState::Done;
        }
        operation.outcome = Some(serde_json::to_value(&report).map_err(|error| {
            Error::new(ErrorKind::Internal, "the progress could not be written as JSON").with_source(error)
        })?);
        txn.journal().update(&operation)?;
        Ok(Written::Done { report, outcomes })
    }

    /// Writes some rows; when the store refuses them, halves of them, down to the row at fault, which is rejected.
    fn rows(
        &self,
        txn: &mut dyn Txn,
        operation: OperationId,
        records: &[Record],
        new_values: NewValues,
    ) -> Result<(Vec<LineOutcome>, NewValues)> {
        if records.is_empty() {
            return Ok((Vec::new(), new_values));
        }
        let attempt = nested(txn, |txn| self.rows_at_once(txn, operation, records, new_values.clone()));
        let error = match attempt {
            Err(error) if is_fault_of_a_row(&error) => error,
            done => return done,
        };
        match records {
            [record] => {
                let outcome = Decision::reject(refusal(&error)).outcome(|_| None);
                Ok((vec![LineOutcome::new(record.line, outcome)], new_values))
            }
            _ => {
                let (left, right) = records.split_at(records.len() / 2);
                let (mut outcomes, new_values) = self.rows(txn, operation, left, new_values)?;
                let (more, new_values) = self.rows(txn, operation, right, new_values)?;
                outcomes.extend(more);
                Ok((outcomes, new_values))
            }
        }
    }

    fn rows_at_once(
        &self,
        txn: &mut dyn Txn,
        operation: OperationId,
        records: &[Record],
        new_values: NewValues,
    ) -> Result<(Vec<LineOutcome>, NewValues)> {
        let mut planner = Planner::load(self.ctx, txn, self.options, &self.fields, new_values, false)?;
        let decisions = planner.decide(txn, records)?;
        let (leads, new_values) = planner.commit(txn, operation)?;
        let outcomes = records.iter().zip(decisions).map(|(record, decision)| {
            LineOutcome::new(record.line, decision.outcome(|slot| leads.get(slot).copied()))
        });
        Ok((outcomes.collect(), new_values))
    }
}

/// How many rows are tried in one savepoint. A store keeps the old state of every page that a savepoint changes, which
/// with random keys is a page or more for each index of each row: this bounds that memory, whatever a chunk's size.
const BATCH: usize = 1_000;

/// Whether the store refused what a row says, rather than failed.
fn is_fault_of_a_row(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::AlreadyExists | ErrorKind::Conflict)
}

fn refusal(error: &Error) -> Vec<Violation> {
    if !error.violations().is_empty() {
        return error.violations().to_vec();
    }
    let (code, message) = match error.kind() {
        ErrorKind::AlreadyExists => (ViolationCode::Duplicate, "another record has the same id or name"),
        _ => (
            ViolationCode::NotAllowed,
            "the lead was changed by somebody else meanwhile: import the line again",
        ),
    };
    vec![Violation::new("line", code, message)]
}
