//! The records of a file, chunk by chunk, beside what was planned for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::planned::{Above, Choice, Planned, PlannedLine};
use super::report::ImportReport;
use crate::domain::{Field, FieldChange};
use crate::error::{Error, ErrorKind, Result, Violation};
use crate::exchange::coerce::{Coercer, Content, Intent};
use crate::exchange::rejects::Kept;
use crate::exchange::{Row, Table};
use crate::id::LeadId;

/// This much text ends a chunk.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
/// So many lines may sum up a table below it.
const MOST_TOTALS: usize = 20;

/// A record of the file, read as far as that goes without a store.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) content: Content,
    pub(super) blanked: u64,
    /// Whether a number of it is one of the region that was said.
    pub(super) needs_region: bool,
    /// What was wrong with cells that were left out.
    pub(super) left_out: Vec<Violation>,
    pub(super) kept: Option<Kept>,
    /// The ids by which rows may link to it, where it cannot be read.
    pub(super) refused_ids: Vec<LeadId>,
    /// What was planned for it, where a plan is applied or made anew.
    pub(super) planned: Option<Box<PlannedLine>>,
    /// What the row says without what a person wrote into the plan since it was made, where that is to be compared.
    pub(super) as_planned: Option<Box<Content>>,
    /// What a person decided about it. A line that a plan lacks is one that it leaves out.
    pub(super) choice: Option<Choice>,
}

impl Record {
    /// Whether it looks like a line that sums up the table.
    fn is_total(&self) -> bool {
        matches!(&self.content, Content::Filled(intent) if intent.is_total)
    }

    /// It stands above others: then it is one of them, unless it is surely none.
    fn is_no_total(&mut self) {
        if let Content::Filled(intent) = &mut self.content {
            intent.is_total &= intent.is_sure_total;
        }
    }

    /// The ids by which rows may link to it.
    pub(super) fn link_ids(&self) -> impl Iterator<Item = LeadId> + '_ {
        let intent = match &self.content {
            Content::Filled(intent) => Some(intent.as_ref()),
            _ => None,
        };
        intent.into_iter().flat_map(Intent::link_ids).chain(self.refused_ids.iter().copied())
    }

    /// Whether a person decided about it since it was planned, or took it out of the plan.
    pub(super) fn is_anew(&self) -> bool {
        match &self.planned {
            Some(planned) => !planned.is_decided(),
            None => self.choice.is_some(),
        }
    }

    /// The leads that a person chose for it, by now and before it was planned.
    pub(super) fn taken(&self) -> impl Iterator<Item = LeadId> {
        let before = self.planned.as_deref().and_then(|planned| planned.made_with.choice);
        [self.choice, before].into_iter().flatten().filter_map(|choice| match choice {
            Choice::Take(lead) => Some(lead),
            _ => None,
        })
    }

    /// The id that a lead which it creates shall have.
    pub(super) fn creates(&self) -> Option<LeadId> {
        match self.planned.as_deref()?.decision {
            Planned::Create { lead, .. } => Some(lead),
            _ => None,
        }
    }

    /// The same, also where it means a lead that an earlier line creates.
    pub(super) fn creates_or_means(&self) -> Option<LeadId> {
        match self.planned.as_deref()?.decision {
            Planned::Create { lead, .. } | Planned::Update { lead, number: None, .. } => Some(lead),
            _ => None,
        }
    }

    /// What was planned to be written.
    pub(super) fn planned_values(&self) -> &[FieldChange] {
        match self.planned.as_deref().map(|planned| &planned.decision) {
            Some(Planned::Create { values, .. }) => values,
            Some(Planned::Update { changes, .. }) => changes,
            _ => &[],
        }
    }
}

/// What is written in one transaction.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) records: Vec<Record>,
    /// Whether the file ends behind it.
    pub(super) end: bool,
    /// How many bytes of the file its records and those before it take; of a table that is held in memory, the share that they
    /// are of all.
    pub(super) bytes: u64,
}

/// The lines of a plan, in the order of the file.
pub(super) enum PlanLines<'p> {
    /// The next of those in memory.
    Held(&'p [PlannedLine]),
    Streamed(Box<dyn Iterator<Item = Result<PlannedLine>> + Send + 'p>),
}

impl PlanLines<'_> {
    fn next(&mut self) -> Result<Option<PlannedLine>> {
        match self {
            Self::Held(lines) => {
                let [first, rest @ ..] = *lines else { return Ok(None) };
                *lines = rest;
                Ok(Some(first.clone()))
            }
            Self::Streamed(lines) => lines.next().transpose(),
        }
    }
}

/// A plan as rows are read beside it.
pub(super) struct AsPlanned<'p> {
    lines: PlanLines<'p>,
    /// Records up to this one were done when it was made, so it does not say what becomes of them.
    from: u64,
}

impl<'p> AsPlanned<'p> {
    pub(super) const fn new(lines: PlanLines<'p>, report: &ImportReport) -> Self {
        Self { lines, from: if report.repeated { u64::MAX } else { report.resumed_after } }
    }

    /// Whether all of the file was done when it was made.
    pub(super) const fn is_of_done_file(&self) -> bool {
        self.from == u64::MAX
    }
}

/// A plan beside the rows.
struct Beside<'p> {
    lines: PlanLines<'p>,
    next: Option<PlannedLine>,
    /// What a person decided about the lines that were passed.
    above: Above,
    /// Records up to this one were done when it was made, so it does not say what becomes of them.
    from: u64,
}

impl Beside<'_> {
    /// What was planned for a record.
    fn of(&mut self, number: u64) -> Result<Option<PlannedLine>> {
        loop {
            let line = match self.next.take() {
                Some(line) => line,
                None => match self.lines.next()? {
                    Some(mut line) => {
                        line.anew = self.above.takes_away(&line);
                        line
                    }
                    None => return Ok(None),
                },
            };
            if line.number == number {
                return Ok(Some(line));
            }
            if line.number > number {
                self.next = Some(line);
                return Ok(None);
            }
        }
    }
}

/// The rows of a file, chunk by chunk.
pub(super) struct Rows<'r, R> {
    table: Table<Counted<'r, R>>,
    coercer: Coercer,
    row: Row,
    bytes: Arc<AtomicU64>,
    /// How many bytes the file has.
    size: u64,
    beside: Option<Beside<'r>>,
    /// How many of the last records may sum up the table: the one behind them tells. More than some do not.
    totals: usize,
}

impl<'r, R: Read + Seek> Rows<'r, R> {
    /// The rows of a table of so many bytes, of which so many are read.
    pub(super) fn new(
        table: Table<Counted<'r, R>>,
        coercer: Coercer,
        (bytes, size): (Arc<AtomicU64>, u64),
    ) -> Self {
        Self { table, coercer, row: Row::new(), bytes, size, beside: None, totals: 0 }
    }

    /// How far the file is read: see [`Chunk::bytes`].
    pub(super) fn bytes(&self) -> u64 {
        let read = self.bytes.load(Ordering::Relaxed);
        let (given, of) = self.table.given();
        let done = (u128::from(read) * u128::from(given)).checked_div(u128::from(of));
        done.and_then(|done| u64::try_from(done).ok()).unwrap_or(read)
    }

    /// With what was planned for them: of records that the plan is about, those that it lacks are left out.
    pub(super) fn beside(mut self, AsPlanned { lines, from }: AsPlanned<'r>) -> Self {
        self.beside = Some(Beside { lines, next: None, above: Above::default(), from });
        self
    }

    /// Passes over the records up to the one with this number, showing each and who reads it.
    pub(super) fn skip_to(
        &mut self,
        number: u64,
        mut each: impl FnMut(&Row, &Coercer) -> Result<()>,
    ) -> Result<()> {
        while self.table.records() < number {
            if !self.table.next_row(&mut self.row)? {
                return Err(shorter());
            }
            each(&self.row, &self.coercer)?;
        }
        Ok(())
    }

    /// The next records, `most` of them or 16 MiB of text.
    pub(super) fn next_chunk(&mut self, most: usize, keep: bool) -> Result<Chunk> {
        let mut records = Vec::new();
        let (mut text, mut end) = (0, false);
        while (records.len() < most && text < CHUNK_BYTES)
            || ((1..=MOST_TOTALS).contains(&self.totals) && text < 2 * CHUNK_BYTES)
        {
            if !self.table.next_row(&mut self.row)? {
                end = true;
                break;
            }
            text += self.row.raw().len();
            let kept = keep.then(|| Kept::of(&self.row, &self.coercer));
            let (planned, choice) = self.decided()?;
            let as_planned = planned.as_ref().and_then(|planned| self.as_planned(planned));
            let content = match &planned {
                Some(planned) => self.content_with(&planned.set, &planned.numbers),
                None => self.coercer.read(&self.row),
            };
            records.push(Record {
                line: self.row.line(),
                number: self.row.number(),
                content,
                blanked: self.coercer.take_blanked(),
                needs_region: self.coercer.take_needs_region(),
                left_out: self.coercer.take_left_out(),
                refused_ids: self.coercer.take_refused_ids(),
                kept,
                planned: planned.map(Box::new),
                as_planned,
                choice,
            });
            self.settle(&mut records);
        }
        if !end && (1..=MOST_TOTALS).contains(&self.totals) {
            no_totals(&mut records, self.totals);
            self.totals = MOST_TOTALS + 1;
        }
        // What lies behind the last record is done with it.
        Ok(Chunk { records, end, bytes: if end { self.size } else { self.bytes() } })
    }

    /// Judges by the last record whether those before it sum up the table.
    fn settle(&mut self, records: &mut [Record]) {
        let Some(last) = records.last() else { return };
        if matches!(last.content, Content::Header) {
            // Another table begins: they stand below one.
            self.totals = 0;
        } else if last.is_total() || (self.totals > 0 && matches!(last.content, Content::Blank)) {
            self.totals = self.totals.saturating_add(1);
            // So many are a table of their own.
            match self.totals.saturating_sub(MOST_TOTALS) {
                0 => {}
                1 => no_totals(records, self.totals),
                _ => no_totals(records, 0),
            }
        } else {
            no_totals(records, if self.totals > MOST_TOTALS { 0 } else { self.totals });
            self.totals = 0;
        }
    }

    /// What was planned for the row, and what a person decided.
    fn decided(&mut self) -> Result<(Option<PlannedLine>, Option<Choice>)> {
        let Some(beside) = &mut self.beside else { return Ok((None, None)) };
        let number = self.row.number();
        let planned = beside.of(number)?;
        let choice = match &planned {
            Some(planned) => planned.choice,
            None => (number > beside.from).then_some(Choice::Skip),
        };
        Ok((planned, choice))
    }

    /// What the row says with what a person had written when the line was planned, where that is something else.
    fn as_planned(&mut self, planned: &PlannedLine) -> Option<Box<Content>> {
        if planned.has_cells_as_decided() || !planned.is_held_to() {
            return None;
        }
        let content = self.content_with(&planned.made_with.set, &planned.made_with.numbers);
        let _ = (self.coercer.take_blanked(), self.coercer.take_left_out());
        let _ = (self.coercer.take_needs_region(), self.coercer.take_refused_ids());
        Some(Box::new(content))
    }

    /// What the row says with the cells that a person set instead of the file's; the row stays as the file has it.
    fn content_with(&mut self, set: &BTreeMap<Field, String>, as_numbers: &BTreeSet<Field>) -> Content {
        self.coercer.overrule(set, as_numbers);
        if set.is_empty() || self.row.problem().is_some() {
            return self.coercer.read(&self.row);
        }
        let row = self.row.clone();
        let mut cells: Vec<String> = self.row.iter().map(str::to_owned).collect();
        let mut numbers = Vec::new();
        for place in self.coercer.overruled_places() {
            cells.get_mut(place).into_iter().for_each(String::clear);
        }
        for (field, text) in set {
            let place = self.coercer.place_of(field, self.table.headers().len());
            if cells.len() <= place {
                cells.resize(place + 1, String::new());
            }
            if let Some(cell) = cells.get_mut(place) {
                cell.clone_from(text);
            }
            numbers.extend(as_numbers.contains(field).then_some(place));
        }
        self.row.replace_cells(&cells);
        self.row.numbers.extend(numbers);
        let content = self.coercer.read(&self.row);
        self.row = row;
        content
    }
}

/// The last record, and so many before it that may have been totals, are leads.
fn no_totals(records: &mut [Record], totals: usize) {
    records.iter_mut().rev().take(totals + 1).for_each(Record::is_no_total);
}

/// The error of a file that is shorter than it was.
pub(super) fn shorter() -> Error {
    Error::new(ErrorKind::Conflict, "the file is shorter than what was imported of it")
}

/// Counts what is read.
#[derive(Debug)]
pub(super) struct Counted<'r, R> {
    input: &'r mut R,
    bytes: Arc<AtomicU64>,
}

impl<'r, R> Counted<'r, R> {
    pub(super) fn new(input: &'r mut R) -> Self {
        Self { input, bytes: Arc::default() }
    }

    /// How many bytes were read, from now on too.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(target)?;
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // Detection reads the head and goes back to it.
        self.bytes.store(0, Ordering::Relaxed);
        self.input.seek(to)
    }
}
