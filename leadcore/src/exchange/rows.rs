//! The reader's face: open a file, look at its columns, take its rows.

use std::io::{self, Read, Seek, SeekFrom};

use csv::StringRecord;

use super::decode::{self, Decoded, ENCODING_SAMPLE, TextEncoding};
use super::dialect::{self, DIALECT_SAMPLE, Dialect};
use super::doubt::{self, EncodingDoubt};
use super::floats::has_lost_digits;
use super::frames::Frames;
use super::options::ReadOptions;
use super::row_problem::RowProblem;
use super::wrapped;
use crate::error::{Error, ErrorKind, Result, ViolationCode};

/// One record. Keep one and hand it to [`TableReader::next_row`] again and again: its memory is reused.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) cells: StringRecord,
    pub(super) raw: Vec<u8>,
    pub(super) problem: Option<RowProblem>,
    pub(super) bad_encoding: bool,
    pub(super) stray_quote: bool,
    pub(super) cell_errors: Vec<usize>,
    /// Cells with a formula of which the file holds no result.
    pub(super) no_results: Vec<usize>,
    pub(super) lost_digits: Vec<usize>,
    /// Lists that were more than text in their file, of which an item stands in quotes here.
    pub(super) quoted_lists: Vec<usize>,
    /// Cells that are numbers in their file, with a fraction.
    pub(super) numbers: Vec<usize>,
    /// Cells that are numbers in their file and have the currency that they are shown with before them.
    pub(super) amounts: Vec<usize>,
}

impl Row {
    /// An empty row to read into.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.raw.clear();
        self.cell_errors.clear();
        self.no_results.clear();
        self.lost_digits.clear();
        self.quoted_lists.clear();
        self.numbers.clear();
        self.amounts.clear();
        (self.line, self.number, self.problem) = (0, 0, None);
        (self.bad_encoding, self.stray_quote) = (false, false);
    }

    /// Takes other cells instead of those of the file.
    pub(super) fn replace_cells(&mut self, cells: &[String]) {
        let before = std::mem::take(&mut self.cells);
        // What a person wrote is text.
        let is_same = |at: &usize| before.get(*at) == cells.get(*at).map(String::as_str);
        self.lost_digits.retain(is_same);
        self.numbers.retain(is_same);
        self.amounts.retain(is_same);
        self.cells = cells.iter().map(String::as_str).collect();
    }

    /// The line of the file on which the record begins, from 1, skipped lines and header included; the row of a sheet, the
    /// number of a card. It rises from record to record: of objects of JSON that begin on one line, each counts as a line.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Which data record this is, from 1; damaged ones count.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// A cell as it stands, blanks included; `None` where the record has fewer cells.
    #[must_use]
    pub fn get(&self, column: usize) -> Option<&str> {
        self.cells.get(column)
    }

    /// How many cells the record has; 0 if it is damaged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether the record has no cells: it is damaged, or nothing was read into this row yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether an undamaged record holds nothing but blanks and characters that nobody sees, such as the mark that old
    /// programs put at the end of a file (`\x1A`).
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let unseen = |c: char| c.is_whitespace() || c.is_control();
        self.problem.is_none() && self.iter().all(|cell| cell.chars().all(unseen))
    }

    /// The cells from left to right.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.cells.iter()
    }

    /// The record as the file has it, in UTF-8 (for a UTF-8 file, its bytes as they are) without its line end: for
    /// writing rejected rows. Of a sheet or a card, its cells with tabs between. Of a damaged record, the line on which it begins, at most 64 KiB of it.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Why the record cannot be taken as it stands.
    #[must_use]
    pub const fn problem(&self) -> Option<RowProblem> {
        self.problem
    }

    /// Whether bytes that mean nothing in the file's encoding were replaced by U+FFFD.
    #[must_use]
    pub const fn bad_encoding(&self) -> bool {
        self.bad_encoding
    }

    /// Whether a closing quote was followed by text, as in `"Bob" Smith`. The cell is then read without that pair of
    /// quotes, as most readers do.
    #[must_use]
    pub const fn stray_quote(&self) -> bool {
        self.stray_quote
    }

    /// Whether a cell of a sheet holds what its formula failed with (`#N/A`, `#DIV/0!` …) instead of a value. The text of
    /// the error is what [`get`](Self::get) gives; `#N/A` too for a formula of which the file holds no result, as programs
    /// write it that do not calculate.
    #[must_use]
    pub fn is_formula_error(&self, column: usize) -> bool {
        self.cell_errors.contains(&column) || self.no_results.contains(&column)
    }

    /// Whether a cell of a sheet, or of a column of [floats](super::ReadOptions::long_floats), holds a long number of which not
    /// all digits are known, so that it may be another one than [`get`](Self::get) gives.
    #[must_use]
    pub fn has_lost_digits(&self, column: usize) -> bool {
        self.lost_digits.contains(&column)
    }

    /// Whether a cell is a number in its file (a cell of a sheet, a number of JSON) that has a fraction: its text has a
    /// decimal point and nothing else but its currency, whatever is said of how texts write numbers.
    #[must_use]
    pub fn is_number(&self, column: usize) -> bool {
        self.numbers.contains(&column)
    }

    /// Whether a cell holds U+0000.
    #[must_use]
    pub fn has_nul(&self) -> bool {
        self.raw.contains(&0)
    }
}

/// Reads a table record by record, in memory that does not grow with the file.
///
/// ```
/// use leadcore::exchange::{ReadOptions, Row, TableReader};
/// let file = std::io::Cursor::new("Name;City\nAda;London\nKåre;\"Mo i\nRana\"\n");
/// let mut table = TableReader::open(file, &ReadOptions::new())?;
/// assert_eq!(table.headers(), ["Name", "City"]);
/// let mut row = Row::new();
/// while table.next_row(&mut row)? {
///     println!("line {}: {:?}", row.line(), row.get(0));
/// }
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug)]
pub struct TableReader<R> {
    frames: Frames<R>,
    encoding: TextEncoding,
    pub(super) doubt: Option<EncodingDoubt>,
    dialect: Dialect,
    headers: Vec<String>,
    header_line: Option<u64>,
    /// The first record of a file without a header, already read to learn its width.
    first: Option<Row>,
    records: u64,
    /// Whether its lines stand in quotes as a whole.
    wrapped: bool,
    /// Columns that were floating-point numbers.
    floats: Vec<usize>,
}

impl<R: Read + Seek> TableReader<R> {
    /// Finds out how the file is written and reads its header. Reading starts at the input's current position.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] at field `file` if this is not CSV text or holds no rows, and at `line n` if the header
    /// is damaged; [`ErrorKind::Storage`] if the input cannot be read.
    pub fn open(mut input: R, options: &ReadOptions) -> Result<Self> {
        check(options)?;
        let start = input.stream_position().map_err(unreadable)?;
        let mut sample = Vec::new();
        input.by_ref().take(ENCODING_SAMPLE as u64).read_to_end(&mut sample).map_err(unreadable)?;
        decode::refuse_binary(&sample)?;
        let whole = sample.len() < ENCODING_SAMPLE;
        let (encoding, bom) = decode::detect(&sample, whole, options.encoding);
        input.seek(SeekFrom::Start(start + bom as u64)).map_err(unreadable)?;
        let (dialect, wrapped) = {
            // At most four bytes make one byte of text.
            let bytes = sample.get(bom..).unwrap_or_default();
            let part = bytes.get(..DIALECT_SAMPLE * 4).unwrap_or(bytes);
            let mut text = decode::decode_sample(part, encoding);
            let complete = whole && part.len() == bytes.len() && text.len() <= DIALECT_SAMPLE;
            text.truncate(DIALECT_SAMPLE);
            let dialect = dialect::detect(&text, complete, options).map_err(unreadable)?;
            let wrapped = wrapped::are(&text, complete, &dialect, options).map_err(unreadable)?;
            (dialect, wrapped)
        };
        let is_guessed = options.encoding.is_none() && bom == 0;
        let doubt = if is_guessed { doubt::of(&sample, encoding) } else { None };
        drop(sample);
        let frames = Frames::new(Decoded::new(input, encoding), dialect.syntax(), options.limits.clone());
        let mut table = Self {
            frames,
            encoding,
            doubt,
            dialect,
            headers: Vec::new(),
            header_line: None,
            first: None,
            records: 0,
            wrapped,
            floats: options.long_floats.iter().copied().collect(),
        };
        table.read_first(options)?;
        Ok(table)
    }
}

impl<R: Read> TableReader<R> {
    fn read_first(&mut self, options: &ReadOptions) -> Result<()> {
        let limits = &options.limits;
        self.frames.skip_lines(self.dialect.skipped_lines).map_err(unreadable)?;
        let mut row = Row::new();
        if !self.frames.next_record(&mut row).map_err(unreadable)? {
            let told = match (options.header_row, options.skip_lines) {
                (Some(row), _) => Some(("header_row", format!("the file has no line {row}"))),
                (None, Some(1..)) => Some(("skip_lines", "the file ends within these lines".to_owned())),
                _ => None,
            };
            if let Some((field, message)) = told {
                return Err(Error::invalid_field(field, ViolationCode::OutOfRange, message));
            }
            return Err(Error::invalid_field("file", ViolationCode::Required, "the file holds no rows"));
        }
        if row.problem == Some(RowProblem::TooManyColumns) {
            let message = format!("the table has more than {} columns", limits.max_columns);
            return Err(Error::invalid_field(format!("line {}", row.line), ViolationCode::TooLong, message));
        }
        if self.dialect.has_header {
            if let Some(problem) = row.problem {
                let message = format!("the header cannot be read: {problem}");
                return Err(Error::invalid_field(
                    format!("line {}", row.line),
                    ViolationCode::Malformed,
                    message,
                ));
            }
            self.unwrap(&mut row);
            self.headers = row.iter().map(clean_header).collect();
            self.header_line = Some(row.line);
        } else {
            self.headers = (1..=row.len()).map(|n| format!("column {n}")).collect();
            self.first = Some(row);
        }
        Ok(())
    }

    fn unwrap(&self, row: &mut Row) {
        if self.wrapped
            && let Some(cells) = wrapped::unwrapped(row, self.dialect.syntax())
        {
            row.cells = cells;
        }
    }

    /// The column names: trimmed, line breaks and tabs inside them as one blank, without byte order mark. They may be
    /// empty and they may repeat. A file without a header has `column 1`, `column 2` … for the cells of its first record.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The line on which the header begins; `None` for a file without one.
    #[must_use]
    pub const fn header_line(&self) -> Option<u64> {
        self.header_line
    }

    /// The file's encoding.
    #[must_use]
    pub const fn encoding(&self) -> TextEncoding {
        self.encoding
    }

    /// The file's layout.
    #[must_use]
    pub const fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Completely empty lines passed over so far, those among the skipped lines not included.
    #[must_use]
    pub fn blank_lines(&self) -> u64 {
        self.frames.blank_lines()
    }

    /// Line ends consumed so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.frames.lines()
    }

    /// Data records given so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// How much text was given as records, and how much was read.
    pub(super) fn given(&self) -> (u64, u64) {
        self.frames.consumed()
    }

    /// Reads the next record into `row`, reusing its memory; `false` at the end of the file. A damaged record is not an
    /// error: see [`Row::problem`].
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] if the input cannot be read.
    pub fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        if let Some(first) = self.first.take() {
            *row = first;
        } else if !self.frames.next_record(row).map_err(unreadable)? {
            return Ok(false);
        }
        self.unwrap(row);
        self.records += 1;
        row.number = self.records;
        // Where the first record of a headless file is damaged, there is no width to hold the others to.
        let width = if self.headers.is_empty() { row.len() } else { self.headers.len() };
        if row.problem.is_none() && row.cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            row.problem = Some(RowProblem::ExtraCells);
        }
        let is_lost = |place: &&usize| row.cells.get(**place).is_some_and(has_lost_digits);
        row.lost_digits.clear();
        row.lost_digits.extend(self.floats.iter().filter(is_lost));
        Ok(true)
    }
}

/// Delimiters and quotes that cannot work, whoever chose them.
fn check(options: &ReadOptions) -> Result<()> {
    let (delimiter, quote) = (options.delimiter.unwrap_or(b','), options.quote.unwrap_or(b'"'));
    let unusable = |byte: u8| !byte.is_ascii() || matches!(byte, b'\r' | b'\n' | 0);
    let escape = options.escape.unwrap_or(b'\\');
    for (field, byte) in [("delimiter", delimiter), ("quote", quote), ("escape", escape)] {
        if unusable(byte) || (field != "escape" && byte == b'\\') {
            let message = "this byte cannot be used here";
            return Err(Error::invalid_field(field, ViolationCode::NotAllowed, message));
        }
    }
    if delimiter == quote {
        return Err(Error::invalid_field(
            "quote",
            ViolationCode::NotAllowed,
            "quote and delimiter must differ",
        ));
    }
    if options.escape == Some(delimiter) {
        let message = "escape and delimiter must differ";
        return Err(Error::invalid_field("escape", ViolationCode::NotAllowed, message));
    }
    Ok(())
}

pub(super) fn clean_header(cell: &str) -> String {
    let words = cell.trim_start_matches('\u{feff}').split(|c: char| c.is_control());
    let words: Vec<&str> = words.map(str::trim).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

pub(super) fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, "cannot read the file").with_source(error)
}
