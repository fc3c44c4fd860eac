//! The head of a table, from which a mapping is proposed.

use std::collections::HashSet;

use crate::exchange::write::text_in;
use crate::exchange::{FileKind, Row};

/// So many rows tell what a column holds.
const MOST_ROWS: usize = 1_000;
/// So much text is kept of them.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// So much of each cell: no more is needed to know its kind.
pub(super) const MOST_OF_A_CELL: usize = 400;

/// The headers and first rows of a table, at most 1,000 of them: what a mapping is proposed from.
///
/// ```
/// use leadcore::exchange::Sample;
/// let mut sample = Sample::new(&["Name", "City"].map(String::from));
/// sample.add(["Ada", "London"]);
/// assert_eq!((sample.rows(), sample.is_full()), (1, false));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sample {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    bytes: usize,
    /// What the file is, where that says how its columns are called.
    kind: Option<FileKind>,
    /// Cells that are numbers in their file: row, column.
    numbers: HashSet<(usize, usize)>,
}

impl Sample {
    /// A table of which no row is known yet.
    #[must_use]
    pub fn new(headers: &[String]) -> Self {
        Self { headers: headers.to_vec(), ..Self::default() }
    }

    /// Adds a row, unless it is damaged or there are enough.
    pub fn push(&mut self, row: &Row) {
        if row.problem().is_none() && !row.bad_encoding() && !self.is_full() {
            let place = self.rows.len();
            self.numbers.extend(row.numbers.iter().map(|column| (place, *column)));
            self.add(row.iter());
        }
    }

    /// Says what the file is: the columns of address-book cards are called by us, and the keys of JSON may be ours.
    #[must_use]
    pub fn of_kind(mut self, kind: FileKind) -> Self {
        self.kind = Some(kind);
        self
    }

    pub(super) fn is_of(&self, kind: FileKind) -> bool {
        self.kind == Some(kind)
    }

    /// Adds the cells of a row, unless there are enough rows.
    pub fn add<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        if self.is_full() {
            return;
        }
        let is_of_text = self.kind.is_none_or(|kind| kind == FileKind::Csv);
        let cells = cells.into_iter().take(self.headers.len());
        let cells: Vec<String> = cells.map(|cell| cut(cell, is_of_text)).collect();
        self.bytes += cells.iter().map(String::len).sum::<usize>();
        self.rows.push(cells);
    }

    /// Whether more rows would be left out.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.rows.len() >= MOST_ROWS || self.bytes >= MOST_BYTES
    }

    /// How many rows are known.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The rows, as far as they are known.
    pub(in crate::exchange) fn cells(&self) -> impl Iterator<Item = &[String]> {
        self.rows.iter().map(Vec::as_slice)
    }

    #[cfg(test)]
    pub(super) fn with_headers(mut self, headers: &[String]) -> Self {
        self.headers = headers.to_vec();
        self
    }

    /// The cells of a column that are not blank, trimmed, and whether each is a number in its file.
    pub(super) fn column(&self, place: usize) -> impl Iterator<Item = (&str, bool)> {
        let cells = self.rows.iter().enumerate().filter_map(move |(n, row)| Some((n, row.get(place)?)));
        let cells = cells.map(move |(n, cell)| (cell.trim(), self.numbers.contains(&(n, place))));
        cells.filter(|(cell, _)| !cell.is_empty())
    }
}

fn cut(cell: &str, is_of_text: bool) -> String {
    let cell = text_in(cell, is_of_text);
    let mut end = cell.len().min(MOST_OF_A_CELL);
    while !cell.is_char_boundary(end) {
        end -= 1;
    }
    cell.get(..end).unwrap_or_default().to_owned()
}
