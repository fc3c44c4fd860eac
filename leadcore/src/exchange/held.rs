//! A table that is held in memory as text: a sheet of a workbook, the cards of an address book.
//!
//! Workbooks cannot be read row by row from their start (their texts are kept apart from their cells), so the chosen
//! sheet is taken out whole, as small as text can be: its characters and four bytes a cell, up to
//! [`Limits::max_table_bytes`].

use std::collections::BTreeMap;

use super::dialect;
use super::kind::FileKind;
use super::options::ReadOptions;
use super::rows::clean_header;
use super::scan::Limits;
use super::{Row, RowProblem};
use crate::error::{Error, Result, ViolationCode};

/// By so many rows is judged where the header is; the head of a sheet is this long.
pub(super) const HEAD_ROWS: usize = 500;
/// So many merged cells may reach over one row; more are left as they are.
const MOST_REACHING: usize = 1_000;

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SheetName {
    /// Its name.
    pub name: String,
    /// Whether the program that made the workbook shows it.
    pub visible: bool,
}

/// Where a row lies in a [`Held`].
#[derive(Debug, Clone, Copy)]
struct Mark {
    line: u64,
    /// Its first cell.
    cell: usize,
    problem: Option<RowProblem>,
}

/// Rows as text, in as little memory as that takes.
#[derive(Debug, Default)]
pub(super) struct Held {
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<u32>,
    rows: Vec<Mark>,
    /// Cells that hold the error of a formula: row, column.
    errors: Vec<(usize, usize)>,
}

impl Held {
    fn cells(&self, row: usize) -> impl Iterator<Item = &str> {
        let from = self.rows.get(row).map_or(0, |mark| mark.cell);
        let to = self.rows.get(row + 1).map_or(self.ends.len(), |mark| mark.cell);
        let ends = self.ends.get(from..to).unwrap_or_default();
        let mut start = from.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        ends.iter().map(move |end| {
            let cell = self.text.get(start as usize..*end as usize).unwrap_or_default();
            start = *end;
            cell
        })
    }

    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// The most cells of a row.
    pub(super) fn width(&self) -> usize {
        (0..self.len()).map(|row| self.cells(row).count()).max().unwrap_or(0)
    }
}

/// Takes cells in the order of a file and makes rows of them.
#[derive(Debug)]
pub(super) struct Filler<'o> {
    held: Held,
    limits: &'o Limits,
    /// How many rows are wanted.
    most: usize,
    /// The row that is being filled, from 1; 0 for none.
    line: u64,
    cells: Vec<(usize, String, bool)>,
    /// Cells that reach down over rows below, by their first row: last row, column.
    merged: BTreeMap<u64, Vec<(u64, usize)>>,
    /// Those that cover the row that is being filled: last row, column, what they say.
    reaching: Vec<(u64, usize, String)>,
    /// Whether everything wanted is there.
    pub(super) full: bool,
}

impl<'o> Filler<'o> {
    pub(super) fn new(limits: &'o Limits, most: usize) -> Self {
        Self {
            held: Held::default(),
            limits,
            most,
            line: 0,
            cells: Vec::new(),
            merged: BTreeMap::new(),
            reaching: Vec::new(),
            full: false,
        }
    }

    /// The most columns of a row that can be read.
    #[cfg(feature = "sheets")]
    pub(super) const fn max_columns(&self) -> usize {
        self.limits.max_columns
    }

    /// Says that a cell stands for those below it too, down to row `last`: rows that hold something else get its text.
    pub(super) fn merge(&mut self, first: u64, last: u64, column: usize) {
        if last > first {
            self.merged.entry(first).or_default().push((last, column));
        }
    }

    /// A cell that is not empty; `line` counts from 1, `column` from 0.
    pub(super) fn cell(&mut self, line: u64, column: usize, text: String, error: bool) -> Result<()> {
        if line != self.line {
            self.end_row()?;
            self.line = line;
        }
        if !text.is_empty() && !self.full {
            self.cells.push((column, text, error));
        }
        Ok(())
    }

    /// Ends the row that is being filled. One without cells is no row.
    pub(super) fn end_row(&mut self) -> Result<()> {
        let mut cells = std::mem::take(&mut self.cells);
        if !cells.is_empty() && !self.full {
            self.spread(&mut cells);
            cells.sort_by_key(|(column, ..)| *column);
            self.push(self.line, &cells)?;
            cells.clear();
        }
        self.cells = cells;
        Ok(())
    }

    /// Fills what merged cells cover in this row, and remembers those that begin in it.
    fn spread(&mut self, cells: &mut Vec<(usize, String, bool)>) {
        let line = self.line;
        self.reaching.retain(|(last, ..)| *last >= line);
        for (_, column, text) in &self.reaching {
            if cells.iter().all(|(place, ..)| place != column) {
                cells.push((*column, text.clone(), false));
            }
        }
        for (last, column) in self.merged.remove(&line).unwrap_or_default() {
            let own = cells.iter().find(|(place, ..)| *place == column);
            if let Some((_, text, _)) = own
                && self.reaching.len() < MOST_REACHING
            {
                self.reaching.push((last, column, text.clone()));
            }
        }
    }

    /// Adds a whole row; the cells are sorted by column, of two in one column the last counts.
    fn push(&mut self, line: u64, cells: &[(usize, String, bool)]) -> Result<()> {
        let size: usize = cells.iter().map(|(_, text, _)| text.len()).sum();
        let width = cells.last().map_or(0, |(column, ..)| column + 1);
        let large = cells.iter().any(|(_, text, _)| text.len() > self.limits.max_cell_bytes);
        let problem = if width > self.limits.max_columns {
            Some(RowProblem::TooManyColumns)
        } else if large {
            Some(RowProblem::CellTooLarge)
        } else if size > self.limits.max_record_bytes {
            Some(RowProblem::RecordTooLarge)
        } else {
            None
        };
        // A damaged sheet has rows out of order, or twice: by its line a row must still be known from every other.
        let line = self.held.rows.last().map_or(line, |last| line.max(last.line + 1));
        let row = self.held.rows.len();
        self.held.rows.push(Mark { line, cell: self.held.ends.len(), problem });
        if problem.is_none() {
            let mut next = 0;
            for (place, (column, text, error)) in cells.iter().enumerate() {
                if cells.get(place + 1).is_some_and(|(after, ..)| after == column) {
                    continue;
                }
                self.skip_to(&mut next, *column);
                self.held.text.push_str(text);
                self.end_cell();
                next = column + 1;
                if *error {
                    self.held.errors.push((row, *column));
                }
            }
        }
        let bytes = self.held.text.len() + 4 * self.held.ends.len() + 32 * self.held.rows.len();
        if bytes > self.limits.max_table_bytes || u32::try_from(self.held.text.len()).is_err() {
            let most = self.limits.max_table_bytes / (1024 * 1024);
            let message =
                format!("the table holds more than {most} MiB of text: save it as CSV, or in parts");
            return Err(Error::invalid_field("file", ViolationCode::TooLong, message));
        }
        self.full = self.held.rows.len() >= self.most;
        Ok(())
    }

    fn skip_to(&mut self, next: &mut usize, column: usize) {
        while *next < column {
            self.end_cell();
            *next += 1;
        }
    }

    fn end_cell(&mut self) {
        self.held.ends.push(u32::try_from(self.held.text.len()).unwrap_or(u32::MAX));
    }

    /// A record of which nothing can be read.
    #[cfg(feature = "vcard")]
    pub(super) fn broken(&mut self, line: u64) -> Result<()> {
        self.end_row()?;
        self.push(line, &[])?;
        if let Some(mark) = self.held.rows.last_mut() {
            mark.problem = Some(RowProblem::Malformed);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Held> {
        self.end_row()?;
        Ok(self.held)
    }
}

/// A table in memory, read row by row as a [`TableReader`](super::TableReader) is: a sheet of a workbook, or cards.
#[derive(Debug)]
pub struct HeldTable {
    pub(super) kind: FileKind,
    pub(super) sheet: Option<String>,
    pub(super) sheets: Vec<SheetName>,
    held: Held,
    headers: Vec<String>,
    header_line: Option<u64>,
    skipped: u64,
    /// The next row.
    at: usize,
    /// The next of the cells with errors.
    error: usize,
    records: u64,
}

impl HeldTable {
    /// Finds the header of a sheet.
    pub(super) fn of_sheet(
        kind: FileKind,
        sheet: String,
        sheets: Vec<SheetName>,
        held: Held,
        options: &ReadOptions,
    ) -> Result<Self> {
        let most = held.len().min(HEAD_ROWS);
        let rows: Vec<(u64, Vec<String>)> = (0..most)
            .filter_map(|row| {
                let mark = held.rows.get(row)?;
                Some((mark.line, held.cells(row).map(|cell| cell.trim().to_owned()).collect()))
            })
            .collect();
        let (first, has_header) = dialect::header_of_sheet(rows, options)?;
        let mark = held.rows.get(first).copied();
        let Some(mark) = mark else {
            return Err(Error::invalid_field("file", ViolationCode::Required, "the sheet holds no rows"));
        };
        let mut table = Self::new(kind, held);
        (table.sheet, table.sheets) = (Some(sheet), sheets);
        table.at = first;
        table.skipped = mark.line.saturating_sub(1);
        if let Some(problem) = mark.problem {
            let message = format!("the first row cannot be read: {problem}");
            return Err(Error::invalid_field(format!("line {}", mark.line), ViolationCode::TooLong, message));
        }
        if has_header {
            table.headers = table.held.cells(first).map(clean_header).collect();
            table.header_line = Some(mark.line);
            table.at += 1;
        } else {
            let width = (first..most).map(|row| table.held.cells(row).count()).max().unwrap_or(0);
            table.headers = (1..=width).map(|n| format!("column {n}")).collect();
        }
        Ok(table)
    }

    /// Rows whose columns are known.
    pub(super) fn with_headers(kind: FileKind, headers: Vec<String>, held: Held) -> Self {
        Self { headers, ..Self::new(kind, held) }
    }

    fn new(kind: FileKind, held: Held) -> Self {
        Self {
            kind,
            sheet: None,
            sheets: Vec::new(),
            held,
            headers: Vec::new(),
            header_line: None,
            skipped: 0,
            at: 0,
            error: 0,
            records: 0,
        }
    }

    /// What the file is.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        self.kind
    }

    /// The column names, as those of a [`TableReader`](super::TableReader).
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The row of the sheet that holds the header, from 1.
    #[must_use]
    pub const fn header_line(&self) -> Option<u64> {
        self.header_line
    }

    /// Rows above the header, or above the first row of a table without one.
    #[must_use]
    pub const fn skipped_lines(&self) -> u64 {
        self.skipped
    }

    /// The sheet that is read.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        self.sheet.as_deref()
    }

    /// The sheets of the workbook, in its order.
    #[must_use]
    pub fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    /// Rows given so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Rows given so far and those that are left.
    pub(super) fn total(&self) -> u64 {
        let left = self.held.len().saturating_sub(self.at);
        self.records.saturating_add(u64::try_from(left).unwrap_or(u64::MAX))
    }

    /// Reads the next row into `row`; `false` at the end.
    pub fn next_row(&mut self, row: &mut Row) -> bool {
        row.clear();
        let Some(mark) = self.held.rows.get(self.at).copied() else { return false };
        for cell in self.held.cells(self.at) {
            if !row.raw.is_empty() {
                row.raw.push(b'\t');
            }
            row.cells.push_field(cell);
            row.raw.extend_from_slice(cell.as_bytes());
        }
        while let Some((place, column)) = self.held.errors.get(self.error).copied()
            && place <= self.at
        {
            if place == self.at {
                row.cell_errors.push(column);
            }
            self.error += 1;
        }
        self.at += 1;
        self.records += 1;
        (row.line, row.number, row.problem) = (mark.line, self.records, mark.problem);
        let beyond = row.cells.iter().skip(self.headers.len());
        if row.problem.is_none() && beyond.into_iter().any(|cell| !cell.trim().is_empty()) {
            row.problem = Some(RowProblem::ExtraCells);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(cells: &[(u64, usize, &str)], merges: &[(u64, u64, usize)]) -> Vec<(u64, Vec<String>)> {
        let limits = Limits::default();
        let mut filler = Filler::new(&limits, usize::MAX);
        merges.iter().for_each(|(first, last, column)| filler.merge(*first, *last, *column));
        for (line, column, text) in cells {
            filler.cell(*line, *column, (*text).to_owned(), false).unwrap();
        }
        let held = filler.finish().unwrap();
        let rows =
            (0..held.len()).map(|row| (held.rows[row].line, held.cells(row).map(str::to_owned).collect()));
        rows.collect()
    }

    #[test]
    fn cells_become_rows_with_their_gaps() {
        let rows = fill(&[(2, 1, "b"), (2, 0, "a"), (5, 2, "c"), (5, 2, "d")], &[]);
        assert_eq!(
            rows,
            [(2, vec!["a".into(), "b".into()]), (5, vec![String::new(), String::new(), "d".into()])]
        );
    }

    #[test]
    fn a_merged_cell_speaks_for_the_rows_it_covers() {
        let cells = [(1, 0, "firm"), (1, 1, "x"), (2, 1, "y"), (3, 1, "z"), (4, 1, "w")];
        let rows = fill(&cells, &[(1, 3, 0)]);
        let first: Vec<&str> = rows.iter().map(|(_, cells)| cells[0].as_str()).collect();
        assert_eq!(first, ["firm", "firm", "firm", ""]);
    }

    #[test]
    fn a_table_beyond_the_limit_is_refused() {
        let limits = Limits::default().max_table_bytes(1000);
        let mut filler = Filler::new(&limits, usize::MAX);
        let mut outcome = Ok(());
        for line in 1..100 {
            outcome = outcome.and_then(|()| filler.cell(line, 0, "x".repeat(50), false));
        }
        assert!(outcome.unwrap_err().to_string().contains("MiB"));
    }
}
