//! What a caller may decide instead of leaving it to detection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decode::TextEncoding;
use super::kind::FileKind;
use super::scan::Limits;

type KnownHeader = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Which sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SheetChoice {
    /// By its place, from 0; hidden sheets count.
    Index(usize),
    /// By its name, without regard to case and blanks around it.
    Name(String),
}

impl From<&str> for SheetChoice {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for SheetChoice {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for SheetChoice {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// How to read a file; everything that is not set is detected.
///
/// ```
/// use leadcore::exchange::{ReadOptions, TextEncoding};
/// let options = ReadOptions::new().delimiter(b';').encoding(TextEncoding::for_label("latin1")?);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// Stored as JSON, what is absent is detected, and a key that there is not is refused; who [knows headers](Self::known_header) is not stored.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The encoding; a byte order mark in the file outranks it.
    pub encoding: Option<TextEncoding>,
    /// The byte between cells; detected among `,` `;` TAB, `|` and `^`.
    pub delimiter: Option<u8>,
    /// The byte around cells: `"`, or `'` where that is what stands around most of them.
    pub quote: Option<u8>,
    /// The byte that takes the meaning from the quote, delimiter, line break or escape behind it, in quotes and outside of them;
    /// detected as `\` where the file reads better so. A quote inside quotes may always be doubled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<u8>,
    /// Whether the first record names the columns; detected as yes unless that record is clearly data.
    pub has_header: Option<bool>,
    /// Physical lines to pass over before the first record; detected conservatively.
    pub skip_lines: Option<u64>,
    /// What the file is; detected from its content, whatever its name.
    pub format: Option<FileKind>,
    /// The sheet of a workbook: the first visible one that holds a table if not set.
    pub sheet: Option<SheetChoice>,
    /// The line or row of the header, from 1; detected. It outranks [`skip_lines`](Self::skip_lines) and
    /// [`has_header`](Self::has_header).
    pub header_row: Option<u64>,
    /// When a record counts as damaged.
    pub limits: Limits,
    /// Columns of a table that whoever wrote the file for it could not write, and how many of their rows hold anything: told
    /// as [left out](super::Table::left_out), and refused in a mapping.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// Columns, from 0, that were floating-point numbers before they were written as text, some of them so large that they may
    /// stand for [another number](super::Row::has_lost_digits).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub long_floats: BTreeSet<usize>,
    #[serde(skip)]
    known_header: Option<KnownHeader>,
}

impl fmt::Debug for ReadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOptions")
            .field("encoding", &self.encoding)
            .field("delimiter", &self.delimiter)
            .field("quote", &self.quote)
            .field("escape", &self.escape)
            .field("has_header", &self.has_header)
            .field("skip_lines", &self.skip_lines)
            .field("format", &self.format)
            .field("sheet", &self.sheet)
            .field("header_row", &self.header_row)
            .field("limits", &self.limits)
            .field("left_out", &self.left_out)
            .field("long_floats", &self.long_floats)
            .field("known_header", &self.known_header.is_some())
            .finish()
    }
}

impl ReadOptions {
    /// Detects everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the encoding.
    #[must_use]
    pub fn encoding(mut self, encoding: TextEncoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// Sets the byte between cells.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Sets the byte around cells.
    #[must_use]
    pub fn quote(mut self, quote: u8) -> Self {
        self.quote = Some(quote);
        self
    }

    /// Sets the byte that takes the meaning from the one behind it.
    #[must_use]
    pub fn escape(mut self, escape: u8) -> Self {
        self.escape = Some(escape);
        self
    }

    /// Says whether the first record names the columns.
    #[must_use]
    pub fn has_header(mut self, has_header: bool) -> Self {
        self.has_header = Some(has_header);
        self
    }

    /// Passes over this many physical lines before the first record.
    #[must_use]
    pub fn skip_lines(mut self, lines: u64) -> Self {
        self.skip_lines = Some(lines);
        self
    }

    /// Says what the file is.
    #[must_use]
    pub fn format(mut self, format: FileKind) -> Self {
        self.format = Some(format);
        self
    }

    /// Chooses the sheet of a workbook by its name, or by its place from 0.
    #[must_use]
    pub fn sheet(mut self, sheet: impl Into<SheetChoice>) -> Self {
        self.sheet = Some(sheet.into());
        self
    }

    /// Says on which line or row the header is, from 1.
    #[must_use]
    pub fn header_row(mut self, row: u64) -> Self {
        self.header_row = Some(row);
        self
    }

    /// Lines to pass over, if somebody said so.
    pub(super) fn lines_to_skip(&self) -> Option<u64> {
        self.header_row.map(|row| row.saturating_sub(1)).or(self.skip_lines)
    }

    /// Whether there is a header, if somebody said so.
    pub(super) fn header_wanted(&self) -> Option<bool> {
        self.header_row.map(|_| true).or(self.has_header)
    }

    /// Sets when a record counts as damaged.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Names the columns that could not be written, and how many of their rows hold anything.
    #[must_use]
    pub fn left_out(mut self, columns: BTreeMap<String, u64>) -> Self {
        self.left_out = columns;
        self
    }

    /// Says which columns were floating-point numbers of which some are too large to be known.
    #[must_use]
    pub fn long_floats(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.long_floats = columns.into_iter().collect();
        self
    }

    /// Lets whoever knows the columns vote on where the header is: `known` answers whether a trimmed header cell is the
    /// name of a column it understands. Two or more such names outweigh every other sign.
    ///
    /// ```
    /// use leadcore::exchange::{ReadOptions, TableReader};
    /// let text = "exported by,me,today\nName,E-mail\nAda,ada@example.org\n";
    /// let known = |cell: &str| ["name", "e-mail"].contains(&cell.to_lowercase().as_str());
    /// let table = TableReader::open(std::io::Cursor::new(text), &ReadOptions::new().known_header(known))?;
    /// assert_eq!(table.headers(), ["Name", "E-mail"]);
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    #[must_use]
    pub fn known_header(mut self, known: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.known_header = Some(Arc::new(known));
        self
    }

    /// Whether somebody said what the file is or how it is laid out.
    pub(super) const fn says_layout(&self) -> bool {
        let by_byte = self.delimiter.is_some() || self.quote.is_some() || self.escape.is_some();
        let by_line = self.has_header.is_some() || self.skip_lines.is_some() || self.header_row.is_some();
        by_byte || by_line || self.encoding.is_some() || self.format.is_some() || self.sheet.is_some()
    }

    pub(super) const fn has_known_header(&self) -> bool {
        self.known_header.is_some()
    }

    pub(super) fn knows(&self, cell: &str) -> bool {
        self.known_header.as_ref().is_some_and(|known| known(cell))
    }
}
