//! Cells in the order of a file become the rows of a [`Held`], under limits that are looked at before anything is kept.
//!
//! A few bytes of a file can stand for much text: a text that many cells share, a cell or row that says that it repeats.
//! So each cell is weighed when it comes, not when its row is whole: what is too much for a row is dropped at once and the
//! row is marked, and all that was ever given is counted, kept or not, so that the work has an end too.

use super::RowProblem;
#[cfg(feature = "sheets")]
use super::held::HEAD_ROWS;
use super::held::{Held, Mark, Unusable};
use super::scan::Limits;
use crate::error::{Error, Result, ViolationCode};

/// So many merged cells may reach over one row; more are left as they are.
const MOST_REACHING: usize = 1_000;
/// So many merged cells of a sheet are looked at: as many as a sheet has rows.
const MOST_MERGED: usize = 1_048_576;

/// A cell of the row that is being filled: its column and where its text lies in the row's text.
#[derive(Debug, Clone, Copy)]
struct Piece {
    column: usize,
    from: usize,
    to: usize,
    what: What,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum What {
    #[default]
    Text,
    /// A number; of one with a fraction it is kept that it is no text.
    Number,
    /// A number, with the currency that it is shown with and a blank before it.
    Amount,
    /// What a formula failed with.
    Error,
    /// A formula of which the file holds no result.
    NoResult,
    /// A number of which not all digits are known.
    LostDigits,
}

/// A cell that reaches down over rows below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Merged {
    first: u32,
    last: u32,
    column: u32,
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
    cells: Vec<Piece>,
    /// What its cells say, one text behind the other; cells that say the same one after the other share it.
    text: String,
    /// The bytes of its cells, each counted, shared or not.
    size: usize,
    /// Why it cannot be taken: from then on nothing of it is kept.
    problem: Option<RowProblem>,
    /// Bytes of all cells that were ever given.
    given: u64,
    merged: Vec<Merged>,
    in_order: bool,
    /// Those that cover the row that is being filled: last row, column, what they say.
    reaching: Vec<(u64, usize, String, What)>,
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
            text: String::new(),
            size: 0,
            problem: None,
            given: 0,
            merged: Vec::new(),
            in_order: true,
            reaching: Vec::new(),
            full: false,
        }
    }

    /// When a record counts as damaged.
    #[cfg(feature = "sheets")]
    pub(super) const fn limits(&self) -> &'o Limits {
        self.limits
    }

    /// Whether merged cells matter; for a glance at a sheet they do not.
    #[cfg(feature = "sheets")]
    pub(super) const fn wants_merged(&self) -> bool {
        self.most >= HEAD_ROWS
    }

    /// Says that a cell stands for those below it too, down to row `last`: rows that hold something else get its text.
    pub(super) fn merge(&mut self, first: u64, last: u64, column: usize) {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        if last > first && self.merged.len() < MOST_MERGED {
            let next = Merged { first: small(first), last: small(last), column: small(column as u64) };
            self.in_order &= self.merged.last().is_none_or(|before| *before <= next);
            self.merged.push(next);
        }
    }

    /// A cell that is not empty; `line` counts from 1, `column` from 0.
    pub(super) fn cell(&mut self, line: u64, column: usize, text: &str, what: What) -> Result<()> {
        if line != self.line {
            self.end_row()?;
            self.line = line;
        }
        if text.is_empty() || self.full { Ok(()) } else { self.add(column, text, what) }
    }

    fn add(&mut self, column: usize, text: &str, what: What) -> Result<()> {
        self.given += text.len() as u64 + 4;
        if self.given > self.limits.max_unpacked_bytes.saturating_add(self.limits.max_table_bytes as u64) {
            return Err(self.too_large());
        }
        if column >= self.limits.max_columns {
            self.spoil(RowProblem::TooManyColumns);
        } else if self.problem.is_none() && text.len() > self.limits.max_cell_bytes {
            self.spoil(RowProblem::CellTooLarge);
        } else if self.problem.is_none() && self.size + text.len() > self.limits.max_record_bytes {
            self.spoil(RowProblem::RecordTooLarge);
        }
        if self.problem.is_some() {
            return Ok(());
        }
        self.size += text.len();
        let same = self.cells.last().filter(|last| self.text.get(last.from..last.to) == Some(text));
        let (from, to) =
            same.map_or_else(|| (self.text.len(), self.text.len() + text.len()), |last| (last.from, last.to));
        if to > self.text.len() {
            self.text.push_str(text);
        }
        self.cells.push(Piece { column, from, to, what });
        // Damaged sheets name a column twice; without end they must not.
        if self.cells.len() > 2 * self.limits.max_columns.max(256) {
            self.sort();
        }
        Ok(())
    }

    /// Gives up the row that is being filled.
    fn spoil(&mut self, problem: RowProblem) {
        self.problem = Some(problem);
        self.cells.clear();
        self.text = String::new();
    }

    /// Sorts the cells by column; of two in one column the last counts.
    fn sort(&mut self) {
        if !self.cells.is_sorted_by(|one, next| one.column < next.column) {
            self.cells.reverse();
            self.cells.sort_by_key(|cell| cell.column);
            self.cells.dedup_by_key(|cell| cell.column);
        }
    }

    /// Ends the row that is being filled. One without cells is no row.
    pub(super) fn end_row(&mut self) -> Result<()> {
        if !self.full && (self.problem.is_some() || !self.cells.is_empty()) {
            self.sort();
            self.spread()?;
            self.push(self.line)?;
        }
        self.clear();
        Ok(())
    }

    fn clear(&mut self) {
        self.cells.clear();
        self.text.clear();
        (self.size, self.problem) = (0, None);
    }

    /// Fills what merged cells cover in this row, and remembers those that begin in it.
    fn spread(&mut self) -> Result<()> {
        let line = self.line;
        if self.merged.is_empty() {
            return Ok(());
        }
        self.reaching.retain(|(last, ..)| *last >= line);
        if !self.in_order {
            self.merged.sort_unstable();
            self.in_order = true;
        }
        let own = self.cells.len();
        let begin = self.merged.partition_point(|area| u64::from(area.first) < line);
        let beginning = self.merged.get(begin..).unwrap_or_default();
        let mut new = Vec::new();
        for area in beginning.iter().take_while(|area| u64::from(area.first) == line) {
            let column = area.column as usize;
            let cell = self.cells.binary_search_by_key(&column, |cell| cell.column).ok();
            let cell = cell.and_then(|place| self.cells.get(place));
            let text = |cell: &Piece| Some((self.text.get(cell.from..cell.to)?.to_owned(), cell.what));
            if let Some((text, what)) = cell.and_then(text)
                && self.reaching.len() + new.len() < MOST_REACHING
            {
                // The error of a formula is told where it stands.
                let what = if matches!(what, What::Error | What::NoResult) { What::Text } else { what };
                new.push((u64::from(area.last), column, text, what));
            }
        }
        let reaching = std::mem::take(&mut self.reaching);
        for (_, column, text, what) in &reaching {
            let before = self.cells.get(..own).unwrap_or_default();
            if self.problem.is_none() && before.binary_search_by_key(column, |cell| cell.column).is_err() {
                self.add(*column, text, *what)?;
            }
        }
        self.reaching = reaching;
        self.reaching.append(&mut new);
        // Of two that reach into one column the first counts.
        self.cells.sort_by_key(|cell| cell.column);
        self.cells.dedup_by_key(|cell| cell.column);
        Ok(())
    }

    /// Adds the row that is being filled; its cells are sorted by column, one in each.
    fn push(&mut self, line: u64) -> Result<()> {
        // A damaged sheet has rows out of order, or twice: by its line a row must still be known from every other.
        let line = self.held.rows.last().map_or(line, |last| line.max(last.line + 1));
        let row = self.held.rows.len();
        self.held.rows.push(Mark { line, cell: self.held.ends.len(), problem: self.problem });
        let mut next = 0;
        for cell in &self.cells {
            let text = self.text.get(cell.from..cell.to).unwrap_or_default();
            while next < cell.column {
                self.held.end_cell();
                next += 1;
            }
            self.held.text.push_str(text);
            self.held.end_cell();
            next = cell.column + 1;
            match cell.what {
                What::Error => self.held.errors.push((row, cell.column, Unusable::Formula)),
                What::NoResult => self.held.errors.push((row, cell.column, Unusable::NoResult)),
                What::LostDigits => self.held.errors.push((row, cell.column, Unusable::Digits)),
                What::Number | What::Amount | What::Text => {}
            }
            if cell.what == What::Amount {
                self.held.mark_amount();
            }
            if matches!(cell.what, What::Number | What::Amount) && is_fraction(text) {
                self.held.mark_number();
            }
        }
        if self.held.bytes() > self.limits.max_table_bytes || u32::try_from(self.held.text.len()).is_err() {
            return Err(self.too_large());
        }
        self.full = self.held.rows.len() >= self.most;
        Ok(())
    }

    fn too_large(&self) -> Error {
        let most = self.limits.max_table_bytes / (1024 * 1024);
        let message = format!("the table holds more than {most} MiB of text: save it as CSV, or in parts");
        Error::invalid_field("file", ViolationCode::TooLong, message)
    }

    /// A record that cannot be taken; what it says is kept as one cell, for the person who corrects it.
    #[cfg(any(feature = "sheets", feature = "vcard"))]
    pub(super) fn damaged(&mut self, line: u64, problem: RowProblem, text: &str) -> Result<()> {
        self.end_row()?;
        if self.full {
            return Ok(());
        }
        self.line = line;
        if !text.is_empty() && text.len() <= self.limits.max_cell_bytes {
            self.add(0, text, What::Text)?;
        }
        self.problem = Some(problem);
        self.push(line)?;
        self.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Held> {
        self.end_row()?;
        Ok(self.held)
    }
}

/// Whether a number has a fraction; the sign of a currency before it may have a dot.
fn is_fraction(number: &str) -> bool {
    number.rsplit(' ').next().unwrap_or(number).contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(cells: &[(u64, usize, &str)], merges: &[(u64, u64, usize)]) -> Vec<(u64, Vec<String>)> {
        let limits = Limits::default();
        let mut filler = Filler::new(&limits, usize::MAX);
        merges.iter().for_each(|(first, last, column)| filler.merge(*first, *last, *column));
        for (line, column, text) in cells {
            filler.cell(*line, *column, text, What::Text).unwrap();
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
            outcome = outcome.and_then(|()| filler.cell(line, 0, &"x".repeat(50), What::Text));
        }
        assert!(outcome.unwrap_err().to_string().contains("MiB"));
    }

    #[test]
    fn a_row_keeps_no_more_than_a_record_may_hold() {
        let limits = Limits::new().max_record_bytes(1_000).max_cell_bytes(400).max_columns(8);
        for (cells, text, problem) in [
            (0..8, "x".repeat(300), RowProblem::RecordTooLarge),
            (0..1, "x".repeat(401), RowProblem::CellTooLarge),
            (0..100_000, "x".to_owned(), RowProblem::TooManyColumns),
        ] {
            let mut filler = Filler::new(&limits, usize::MAX);
            for column in cells {
                filler.cell(1, column, &text, What::Text).unwrap();
                assert!(filler.text.len() <= 1_000 && filler.cells.len() <= 512, "while it is filled");
            }
            filler.cell(2, 0, "next", What::Text).unwrap();
            let held = filler.finish().unwrap();
            let problems: Vec<_> = held.rows.iter().map(|mark| mark.problem).collect();
            assert_eq!(problems, [Some(problem), None]);
        }
        // A column that is named again and again.
        let mut filler = Filler::new(&limits, usize::MAX);
        for n in 0..1_000_u32 {
            filler.cell(1, 3, if n % 2 == 0 { "a" } else { "b" }, What::Text).unwrap();
            assert!(filler.cells.len() <= 513);
        }
    }

    #[test]
    fn what_is_dropped_counts_too() {
        let limits = Limits::new().max_record_bytes(1_000).max_unpacked_bytes(50_000).max_table_bytes(50_000);
        let mut filler = Filler::new(&limits, usize::MAX);
        let text = "x".repeat(900);
        // Each row is dropped with its second cell: nothing is kept, and yet it ends.
        let given = (1..10_000_u64)
            .take_while(|line| (0..2).all(|column| filler.cell(*line, column, &text, What::Text).is_ok()));
        assert!(given.count() < 100);
    }
}
