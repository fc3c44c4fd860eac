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
use super::{Row, RowProblem};
use crate::error::{Error, Result, ViolationCode};

/// By so many rows is judged where the header is; the head of a sheet is this long.
pub(super) const HEAD_ROWS: usize = 500;

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SheetName {
    /// Its name.
    pub name: String,
    /// Whether the program that made the workbook shows it.
    pub visible: bool,
}

/// Marks the last of so many cells.
fn mark_last(bits: &mut Vec<u64>, cells: usize) {
    let Some(cell) = cells.checked_sub(1) else { return };
    let (word, bit) = (cell / 64, cell % 64);
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    if let Some(bits) = bits.get_mut(word) {
        *bits |= 1 << bit;
    }
}

fn is_marked(bits: &[u64], cell: usize) -> bool {
    bits.get(cell / 64).is_some_and(|bits| bits >> (cell % 64) & 1 == 1)
}

/// Where a row lies in a [`Held`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) line: u64,
    /// Its first cell.
    pub(super) cell: usize,
    pub(super) problem: Option<RowProblem>,
}

/// Why a cell cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It holds the error of a formula.
    Formula,
    /// It holds a formula of which the file holds no result.
    NoResult,
    /// Not all digits of its number are known.
    Digits,
}

/// Rows as text, in as little memory as that takes.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) text: String,
    /// Where each cell ends in `text`.
    pub(super) ends: Vec<u32>,
    pub(super) rows: Vec<Mark>,
    /// Cells that cannot be taken: row, column, why.
    pub(super) errors: Vec<(usize, usize, Unusable)>,
    /// A bit for each cell, up to the last one that is a number with a fraction.
    numbers: Vec<u64>,
    /// The same of numbers with their currency before them.
    amounts: Vec<u64>,
}

impl Held {
    /// Ends a cell behind the text that is there.
    pub(super) fn end_cell(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// The memory it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.text.len()
            + 4 * self.ends.len()
            + 32 * self.rows.len()
            + 24 * self.errors.len()
            + 8 * (self.numbers.len() + self.amounts.len())
    }

    /// Says that the last cell is a number with a fraction.
    pub(super) fn mark_number(&mut self) {
        mark_last(&mut self.numbers, self.ends.len());
    }

    /// Says that the last cell is a number with its currency before it.
    pub(super) fn mark_amount(&mut self) {
        mark_last(&mut self.amounts, self.ends.len());
    }

    pub(super) fn cells(&self, row: usize) -> impl Iterator<Item = &str> {
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

/// A table in memory, read row by row as a [`TableReader`](super::TableReader) is: a sheet of a workbook, or cards.
#[derive(Debug)]
pub struct HeldTable {
    pub(super) kind: FileKind,
    pub(super) sheet: Option<String>,
    pub(super) sheets: Vec<SheetName>,
    /// Of cards: the properties that no column holds, and how many cards have them.
    pub(super) left_out: BTreeMap<String, u64>,
    held: Held,
    headers: Vec<String>,
    header_line: Option<u64>,
    skipped: u64,
    /// The next row.
    at: usize,
    /// The next of the cells that cannot be taken.
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
            left_out: BTreeMap::new(),
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

    /// Of address-book cards: what no column holds, by the name of its property, and how many cards have it.
    #[must_use]
    pub const fn left_out(&self) -> &BTreeMap<String, u64> {
        &self.left_out
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
        for (place, cell) in self.held.cells(self.at).enumerate() {
            if is_marked(&self.held.numbers, mark.cell + place) {
                row.numbers.push(place);
            }
            if is_marked(&self.held.amounts, mark.cell + place) {
                row.amounts.push(place);
            }
            if !row.raw.is_empty() {
                row.raw.push(b'\t');
            }
            row.cells.push_field(cell);
            row.raw.extend_from_slice(cell.as_bytes());
        }
        while let Some((place, column, why)) = self.held.errors.get(self.error).copied()
            && place <= self.at
        {
            if place == self.at {
                match why {
                    Unusable::Formula => row.cell_errors.push(column),
                    Unusable::NoResult => row.no_results.push(column),
                    Unusable::Digits => row.lost_digits.push(column),
                }
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
