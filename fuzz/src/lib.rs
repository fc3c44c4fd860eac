//! What is fuzzed: functions from bytes to nothing much, which panic where a promise of leadcore is broken.
//!
//! The promises: no input panics; what cannot be read is refused as [`ErrorKind::Invalid`] and nothing else; rows come with
//! rising line numbers and within the limits; what is kept in memory grows no faster than the limits say.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod coerced;
pub mod mutate;
mod parts;

use std::io::Cursor;

use leadcore::error::{Error, ErrorKind, Result};
use leadcore::exchange::{FileKind, Knowledge, Limits, Mapping, ReadOptions, Row, Sample, Table};

pub use coerced::{coercions, mapping};
pub use parts::pack;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Rows that were read.
    pub rows: u64,
    /// Those that were damaged.
    pub damaged: u64,
    /// Bytes of their cells.
    pub bytes: usize,
    /// Whether the input was refused as a whole.
    pub refused: bool,
}

const MOST_OF_A_CELL: usize = 4 * 1024;
const MOST_OF_A_RECORD: usize = 16 * 1024;
const MOST_COLUMNS: usize = 64;
/// So much text may be kept of a sheet or of cards.
const MOST_OF_A_TABLE: usize = 256 * 1024;

/// Small limits, so that small inputs pass them.
fn limits() -> Limits {
    Limits::new()
        .max_cell_bytes(MOST_OF_A_CELL)
        .max_record_bytes(MOST_OF_A_RECORD)
        .max_record_lines(50)
        .max_columns(MOST_COLUMNS)
        .max_file_bytes(1024 * 1024)
        .max_unpacked_bytes(1024 * 1024)
        .max_table_bytes(MOST_OF_A_TABLE)
}

/// An error of an input in memory: nobody but the input is to blame.
fn blamed(error: &Error) -> Seen {
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(!error.violations().is_empty(), "a refusal says at which field");
    Seen { refused: true, ..Seen::default() }
}

fn read(data: &[u8], options: &ReadOptions) -> Result<Seen> {
    let mut table = Table::open(Cursor::new(data), options)?;
    assert!(table.headers().len() <= MOST_COLUMNS);
    let mut sample = Sample::new(table.headers());
    let (mut row, mut seen, mut line) = (Row::new(), Seen::default(), 0);
    while table.next_row(&mut row)? {
        seen.rows += 1;
        assert_eq!(row.number(), seen.rows);
        assert!(row.line() > line, "lines rise");
        line = row.line();
        seen.damaged += u64::from(row.problem().is_some());
        let bytes: usize = row.iter().map(str::len).sum();
        // A byte of another encoding is at most three of UTF-8.
        assert!(bytes <= 3 * MOST_OF_A_RECORD.max(MOST_OF_A_TABLE), "{bytes} bytes in a row");
        assert!(row.raw().len() <= 3 * MOST_OF_A_TABLE + 64 * 1024);
        seen.bytes += bytes;
        sample.push(&row);
    }
    assert_eq!(table.records(), seen.rows);
    let catalogue = leadcore::domain::Catalogue::standard();
    let proposal = Mapping::propose_from(&sample, &Knowledge::new(&catalogue));
    assert_eq!(proposal.columns.len(), table.headers().len());
    for column in &proposal.columns {
        assert!((0.0..=1.0).contains(&column.confidence));
    }
    Ok(seen)
}

fn read_as(data: &[u8], options: ReadOptions) -> Seen {
    let mut options = options;
    options.limits = limits();
    read(data, &options).unwrap_or_else(|error| blamed(&error))
}

fn of_kind(kind: Option<FileKind>) -> ReadOptions {
    let mut options = ReadOptions::new();
    options.format = kind;
    options
}

/// Text in columns. Behind a first byte of 1, the second says what is decided rather than detected.
pub fn text(data: &[u8]) -> Seen {
    let mut options = of_kind(Some(FileKind::Csv));
    let [1, choice, rest @ ..] = data else { return read_as(data, options) };
    options.delimiter = [None, Some(b','), Some(b';'), Some(b'\'')][usize::from(choice & 3)];
    options.quote = [None, Some(b'\'')][usize::from(choice >> 2 & 1)];
    options.has_header = [None, Some(true), Some(false), None][usize::from(choice >> 3 & 3)];
    options.skip_lines = [None, Some(2)][usize::from(choice >> 5 & 1)];
    options.header_row = [None, Some(1)][usize::from(choice >> 6 & 1)];
    let seen = read_as(rest, options);
    // Text of one byte for each letter becomes at most three bytes for each; a damaged record is read line by line.
    assert!(seen.bytes <= 3 * rest.len() * 2 + 1024, "{} bytes from {}", seen.bytes, rest.len());
    seen
}

/// Objects.
pub fn json(data: &[u8]) -> Seen {
    read_as(data, of_kind(Some(FileKind::Json)))
}

/// Address-book cards.
pub fn cards(data: &[u8]) -> Seen {
    read_as(data, of_kind(Some(FileKind::VCard)))
}

/// A workbook as it is, or its parts as text (see [`pack`]), so that a fuzzer gets past the checksums of the archive.
pub fn workbook(data: &[u8]) -> Seen {
    let is_file = data.starts_with(b"PK") || data.starts_with(b"\xD0\xCF\x11\xE0");
    let packed = if is_file { None } else { Some(pack(data)) };
    let data = packed.as_deref().unwrap_or(data);
    let whole = read_as(data, of_kind(None));
    for sheet in [0, 1] {
        let mut options = of_kind(None);
        options.sheet = Some(sheet.into());
        read_as(data, options);
    }
    whole
}
