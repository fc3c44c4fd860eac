//! The import itself.

use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;

use super::ahead::RowsAhead;
use super::decision::Decision;
use super::feed::{Reading, feed};
use super::foresight::Foresight;
use super::links::Carried;
use super::outcome::{ImportSink, LineOutcome};
use super::plan::{Planner, Purpose};
use super::records::{AsPlanned, Chunk, Record, shorter};
use super::refused::{self, Earlier, is_fault_of_a_row, refusal, tell_rejected};
use super::report::ImportReport;
use super::source::{Source, check_source, is_done};
use super::stopwatch::Stopwatch;
use super::{ImportOptions, OPERATION, cancelled};
use crate::context::Context;
use crate::desk;
use crate::domain::{Field, Operation, OperationState};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::exchange::mapping::saved;
use crate::exchange::rejects::{Kept, Rejects};
use crate::id::OperationId;
use crate::policy::Permission;
use crate::store::{Store, StoreExt, Txn, nested};

/// Imports a file. `input` is read three times, from its current position on: for its digest, its layout, its rows.
///
/// A large file is read and understood by a thread of its own, one chunk ahead of the one that is written.
///
/// `rejects` takes the rows that were not taken or were left to a person, as CSV whatever the file was: its columns, then
/// `reject_field` and `reject_reason`. Corrected, that file can be imported. When an import goes on where an earlier one
/// was interrupted, it begins with the rows rejected then.
///
/// # Errors
/// `Denied` without [`Permission::Import`] and [`Permission::Create`]; `Invalid` for a file that is no table, a mapping
/// or options that do not fit; `Cancelled` when `sink` says so, or when somebody takes the import back while it is under way;
/// whatever the store fails with. What was written until then stays, in whole chunks, and the same call goes on from there.
/// [`Error::operation`] says which operation holds it: an [undo](crate::desk::undo::undo) takes it back instead.
pub fn run<R: Read + Seek + Send>(
    ctx: &Context<'_>,
    store: &dyn Store,
    mut input: R,
    options: &ImportOptions,
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    let source = Source::prepare(ctx, store, &mut input, options)?;
    let reading = Reading::of(source.bytes);
    let import = Import::new(ctx, store, &source, &source.options, Purpose::Write);
    execute(import, &mut input, (None, reading), rejects, sink)
}

/// Imports a file that is known already, beside what was planned for it.
pub(super) fn execute<R: Read + Seek + Send>(
    import: Import<'_>,
    input: &mut R,
    (planned, reading): (Option<AsPlanned<'_>>, Reading),
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
) -> Result<ImportReport> {
    // What an error cannot say of itself: which operation holds what was written before it.
    let mut begun = None;
    let done = execute_from(import, input, (planned, reading), rejects, sink, &mut begun);
    done.map_err(|error| match begun {
        Some(operation) => error.with_operation(operation),
        None => error,
    })
}

fn execute_from<R: Read + Seek + Send>(
    mut import: Import<'_>,
    input: &mut R,
    (planned, reading): (Option<AsPlanned<'_>>, Reading),
    rejects: Option<&mut dyn Write>,
    sink: &mut dyn ImportSink,
    begun: &mut Option<OperationId>,
) -> Result<ImportReport> {
    let Import { ctx, store, source, options, .. } = import;
    let earlier = store.read(ctx.tenant(), |txn| source.earlier(txn))?;
    let (mut report, mut resumed) = (source.report.clone(), None);
    if let Some((operation, stored)) = earlier {
        if is_done(&operation) {
            return Ok(stored.repeated(ctx));
        }
        report = stored.resumed();
        *begun = report.operation;
        resumed = Some(operation);
    }
    if planned.as_ref().is_some_and(AsPlanned::is_of_done_file) {
        return Err(Error::conflicting("plan", Conflict::PlanOutdated));
    }
    let mut rejects = rejects.map(|output| source.rejects(output, &report.mapping)).transpose()?;
    // What cannot be written is found out before any lead is.
    rejects.as_mut().map_or(Ok(()), Rejects::flush)?;
    // A plan says which rows are refused for others.
    if planned.is_none() {
        let begun = resumed.as_ref();
        import.ahead = Foresight { ctx, store, source, report: &report, begun, plan: None }.ahead(input)?;
    }
    let mut rows = source.rows(input)?;
    if let Some(planned) = planned {
        rows = rows.beside(planned);
    }
    let mut clock = Stopwatch::start(ctx);
    // Passes over what is done, and repeats its rejected rows.
    let mut again = import.earlier(&report, rejects.is_some())?;
    rows.skip_to(report.lines, |row, coercer| match &mut rejects {
        Some(rejects) => {
            let kept = || Kept::of(row, coercer);
            import.reject_again(rejects, (&report, &mut again), row.line(), kept)
        }
        None => Ok(()),
    })?;
    clock.skipped(rows.bytes());
    let how = (options.chunk, rejects.is_some());
    let seen = report.lines;
    let is_apart = false;
    let running =
        Running { import, report, seen, wrote: false, is_apart, clock, rejects, again, sink, begun };
    feed(rows, how, reading, |next| running.finish(next))
}

/// What does not change while a file is imported.
pub(super) struct Import<'a> {
    ctx: &'a Context<'a>,
    store: &'a dyn Store,
    options: &'a ImportOptions,
    source: &'a Source,
    fields: Vec<Field>,
    purpose: Purpose,
    ahead: RowsAhead,
}

impl<'a> Import<'a> {
    pub(super) fn new(
        ctx: &'a Context<'a>,
        store: &'a dyn Store,
        source: &'a Source,
        options: &'a ImportOptions,
        purpose: Purpose,
    ) -> Self {
        Self { ctx, store, options, source, fields: source.fields(), purpose, ahead: RowsAhead::default() }
    }

    /// Of a file that is read beside this plan.
    pub(super) fn of<R: Read + Seek>(mut self, input: &mut R, planned: AsPlanned<'_>) -> Result<Self> {
        self.ahead = RowsAhead::read(self.source, input, Some(planned))?;
        Ok(self)
    }
}

struct Running<'a, W: Write> {
    import: Import<'a>,
    report: ImportReport,
    /// The number of the last record that was read.
    seen: u64,
    /// Whether this run wrote anything yet.
    wrote: bool,
    /// Whether the store refused a row, so that rows are written in savepoints from there on.
    is_apart: bool,
    clock: Stopwatch<'a>,
    rejects: Option<Rejects<W>>,
    /// Why lines were refused that others wrote.
    again: Option<Earlier>,
    sink: &'a mut dyn ImportSink,
    /// The operation, once there is one.
    begun: &'a mut Option<OperationId>,
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

impl<W: Write> Running<'_, W> {
    fn finish(mut self, next: &mut dyn FnMut() -> Result<Chunk>) -> Result<ImportReport> {
        let mut is_done_elsewhere = false;
        loop {
            let mut chunk = next()?;
            self.seen = chunk.records.last().map_or(self.seen, |record| record.number);
            self.drop_done(&mut chunk)?;
            while !is_done_elsewhere && (chunk.end || !chunk.records.is_empty()) {
                if chunk.end && self.seen < self.report.lines {
                    return Err(shorter());
                }
                match self.import.write(&self.report, &chunk, &mut self.is_apart)? {
                    Written::Done { report, outcomes } => {
                        (self.report, self.wrote) = (report, true);
                        *self.begun = self.report.operation;
                        self.tell(&chunk, &outcomes)?;
                        break;
                    }
                    Written::Elsewhere { operation, report } if is_done(&operation) && !self.wrote => {
                        return Ok(report.repeated(self.import.ctx));
                    }
                    Written::Elsewhere { operation, report } => {
                        is_done_elsewhere = is_done(&operation);
                        self.fall_in(report, &mut chunk)?;
                    }
                }
            }
            if chunk.end {
                self.rejects.as_mut().map_or(Ok(()), Rejects::flush)?;
                return Ok(self.report);
            }
        }
    }

    /// Goes on where another run of the same import is.
    fn fall_in(&mut self, report: ImportReport, chunk: &mut Chunk) -> Result<()> {
        let ImportReport { lines, resumed_after, done_elsewhere, .. } = self.report;
        let done_elsewhere = done_elsewhere.saturating_add(report.lines.saturating_sub(lines));
        self.report = ImportReport { resumed_after, done_elsewhere, ..report };
        match &mut self.again {
            Some(again) if again.is_of(self.report.operation) => {
                again.catch_up(self.import.ctx, self.import.store)?;
            }
            again => *again = self.import.earlier(&self.report, self.rejects.is_some())?,
        }
        self.drop_done(chunk)
    }

    /// Drops the records of a chunk that somebody else did, and repeats those that were rejected.
    fn drop_done(&mut self, chunk: &mut Chunk) -> Result<()> {
        let done = chunk.records.iter().take_while(|record| record.number <= self.report.lines).count();
        for record in chunk.records.drain(..done) {
            if let Some((rejects, kept)) = self.rejects.as_mut().zip(record.kept) {
                let told = (&self.report, &mut self.again);
                self.import.reject_again(rejects, told, record.line, || kept)?;
            }
        }
        Ok(())
    }

    /// Tells what a written chunk became.
    fn tell(&mut self, chunk: &Chunk, outcomes: &[LineOutcome]) -> Result<()> {
        for (record, outcome) in chunk.records.iter().zip(outcomes) {
            if let Some(rejects) = &mut self.rejects {
                tell_rejected(rejects, record, outcome)?;
            }
            self.sink.line(outcome);
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        let progress = self.clock.progress(&self.report, chunk, self.import.source.bytes);
        match self.sink.progress(&progress) {
            ControlFlow::Break(()) if !chunk.end => Err(cancelled(self.report.lines)),
            _ => Ok(()),
        }
    }
}

impl Import<'_> {
    /// Where the reasons of lines are that `report` counts and does not list.
    fn earlier(&self, report: &ImportReport, is_asked: bool) -> Result<Option<Earlier>> {
        let operation = report.operation.filter(|_| is_asked);
        operation.map(|operation| Earlier::load(self.ctx, self.store, operation)).transpose()
    }

    fn reject_again<W: Write>(
        &self,
        rejects: &mut Rejects<W>,
        (report, again): (&ImportReport, &mut Option<Earlier>),
        line: u64,
        row: impl FnOnce() -> Kept,
    ) -> Result<()> {
        let reasons = match (report.reasons(line), again) {
            (None, Some(again)) => again.reasons(self.ctx, self.store, line)?,
            (listed, _) => listed,
        };
        reasons.map_or(Ok(()), |reasons| rejects.write(&row(), &reasons))
    }

    /// Writes a chunk and the progress in one transaction.
    ///
    /// Rows are checked before they are written, so a store hardly ever refuses one, while a savepoint around them costs
    /// a fifth of the import: it comes with the second try only.
    fn write(&self, report: &ImportReport, chunk: &Chunk, is_apart: &mut bool) -> Result<Written> {
        let planned = chunk.records.iter().filter_map(|record| record.planned.as_deref());
        self.source.check_edits(self.ctx, self.options, planned)?;
        let attempt =
            |is_apart| self.store.write(self.ctx.tenant(), |txn| self.write_in(txn, report, chunk, is_apart));
        let written = match attempt(*is_apart) {
            Err(error) if !*is_apart && is_fault_of_a_row(&error) => {
                *is_apart = true;
                attempt(true)
            }
            written => written,
        };
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

    fn write_in(
        &self,
        txn: &mut dyn Txn,
        report: &ImportReport,
        chunk: &Chunk,
        is_apart: bool,
    ) -> Result<Written> {
        let ctx = self.ctx;
        desk::require(ctx, txn, Permission::Import)?;
        check_source(txn, self.options)?;
        let mut operation = match self.source.earlier(txn)? {
            Some((operation, _)) if report.operation.is_some_and(|own| own != operation.id) => {
                return Err(taken_back());
            }
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
                if let Some(mapping) = &self.options.mapping {
                    saved::remember(ctx, txn, &self.source.headers, mapping)?;
                }
                operation
            }
            // Its key went with its undo.
            None => return Err(taken_back()),
        };
        let mut report = ImportReport { operation: Some(operation.id), ..report.clone() };
        let (mut outcomes, mut carried) = (Vec::with_capacity(chunk.records.len()), report.take_carried());
        for batch in chunk.records.chunks(BATCH) {
            let (more, next) = if is_apart {
                self.rows_apart(txn, &operation, batch, carried)?
            } else {
                self.rows(txn, &operation, batch, carried)?
            };
            outcomes.extend(more);
            carried = next;
        }
        outcomes.iter().for_each(|outcome| report.count(outcome));
        refused::note(ctx, txn, operation.id, &report, &outcomes)?;
        for (record, outcome) in chunk.records.iter().zip(&outcomes) {
            report.leave_out(outcome, &record.left_out);
        }
        report.carry(carried, chunk.end);
        report.blanked += chunk.records.iter().map(|record| record.blanked).sum::<u64>();
        report.said = report.said.map(|said| said.after(&chunk.records));
        if chunk.end {
            operation.state = OperationState::Done;
            if report.is_of_no_use() {
                operation.key = None;
            }
        }
        operation.outcome = Some(serde_json::to_value(&report).map_err(|error| {
            Error::new(ErrorKind::Internal, "the progress could not be written as JSON").with_source(error)
        })?);
        txn.journal().update(&operation)?;
        Ok(Written::Done { report, outcomes })
    }

    /// Writes some rows; when the store refuses them, halves of them, down to the row at fault, which is rejected.
    fn rows_apart(
        &self,
        txn: &mut dyn Txn,
        operation: &Operation,
        records: &[Record],
        carried: Carried,
    ) -> Result<(Vec<LineOutcome>, Carried)> {
        if records.is_empty() {
            return Ok((Vec::new(), carried));
        }
        let attempt = nested(txn, |txn| self.rows(txn, operation, records, carried.clone()));
        let error = match attempt {
            Err(error) if is_fault_of_a_row(&error) => error,
            done => return done,
        };
        match records {
            [record] => {
                let outcome = Decision::reject(refusal(&error)).outcome(|_| None);
                Ok((vec![LineOutcome::new(record.line, outcome)], carried))
            }
            _ => {
                let (left, right) = records.split_at(records.len() / 2);
                let (mut outcomes, carried) = self.rows_apart(txn, operation, left, carried)?;
                let (more, carried) = self.rows_apart(txn, operation, right, carried)?;
                outcomes.extend(more);
                Ok((outcomes, carried))
            }
        }
    }

    fn rows(
        &self,
        txn: &mut dyn Txn,
        operation: &Operation,
        records: &[Record],
        Carried { new_values, links, .. }: Carried,
    ) -> Result<(Vec<LineOutcome>, Carried)> {
        let purpose = (self.purpose, self.source.known_numbers());
        let planner = Planner::load(self.ctx, txn, self.options, &self.fields, new_values, purpose)?;
        let mut planner = planner.within(operation).foreseeing(self.source, &self.ahead, links);
        let decisions = planner.decide(txn, records)?;
        let (leads, carried) = planner.commit(txn, operation.id)?;
        let outcomes = records.iter().zip(decisions).map(|(record, decision)| {
            LineOutcome::new(record.line, decision.outcome(|slot| leads.get(slot).copied()))
        });
        Ok((outcomes.collect(), carried))
    }
}

/// The error of an import that somebody took back while it was under way, or before it was gone on with.
fn taken_back() -> Error {
    let message = "the import was taken back while it was under way; import the file again to begin anew";
    Error::new(ErrorKind::Cancelled, message)
}

/// How many rows are tried in one savepoint. A store keeps the old state of every page that a savepoint changes, which
/// with random keys is a page or more for each index of each row: this bounds that memory, whatever a chunk's size.
const BATCH: usize = 1_000;
