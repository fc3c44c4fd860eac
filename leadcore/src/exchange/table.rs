//! Any file of rows behind one face.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use super::decode::TextEncoding;
use super::dialect::Dialect;
use super::doubt::EncodingDoubt;
use super::held::{HeldTable, SheetName};
use super::json::JsonReader;
use super::kind::{Family, FileKind, KIND_SAMPLE, family};
use super::options::ReadOptions;
use super::rows::{Row, TableReader, unreadable};
use crate::error::{Error, Result, ViolationCode};

/// A file of rows, whatever it is: text in columns, a workbook, JSON, address-book cards. What it is is seen by its
/// content, so a workbook under a `.csv` name is read as what it is.
///
/// Text and JSON are read in memory that does not grow with the file. Of a workbook the one sheet that is read is held
/// as text (see [`Limits`](super::Limits)); of an address book, its cards.
///
/// # What cells become
/// Text that loses nothing: dates as `2026-03-01` or `2026-03-01T09:30:00`, times as `09:30:00`, numbers with all their
/// digits and no more (`60610.0` is `60610`; the fifteen digits that spreadsheets show where a sum has noise behind
/// them) and the currency that their format shows before them (`EUR 12.5`; XLSX, ODS), yes/no as `true` and `false`. Cells of a format such as `00000` keep its zeros. A merged cell speaks for every
/// row it covers. Cells in which a formula failed are marked: [`Row::is_formula_error`]; so are long numbers of which the file
/// does not say all digits: [`Row::has_lost_digits`].
///
/// An object of JSON is flat: `address.city`; a list of plain values is one cell with `; ` between; a list of objects is
/// `phones.1.number`, `phones.2.number`. The columns are the keys of all objects of the file. A card has `Full name`,
/// `First name`, `Last name`, `Company`, `E-mail 1`, `Phone 1` and so on; its e-mails and phones say what they are for
/// (`+47 22 22 55 55 (work)`), preferred ones first and faxes last. What has no column is [counted](Table::left_out).
///
/// ```
/// use leadcore::exchange::{FileKind, ReadOptions, Row, Table};
/// let file = std::io::Cursor::new("{\"name\":\"Ada\",\"address\":{\"city\":\"London\"}}\n{\"name\":\"Kåre\",\"zip\":7010}\n");
/// let mut table = Table::open(file, &ReadOptions::new())?;
/// assert_eq!(table.format(), FileKind::Json);
/// assert_eq!(table.headers(), ["name", "address.city", "zip"]);
/// let mut row = Row::new();
/// while table.next_row(&mut row)? {
///     println!("line {}: {:?}", row.line(), row.get(0));
/// }
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "one table is open at a time, and text is the commonest")]
pub enum Table<R> {
    /// Text in columns.
    Text(TableReader<R>),
    /// A sheet of a workbook.
    Sheet(HeldTable),
    /// Objects.
    Json(JsonReader<R>),
    /// Address-book cards.
    Cards(HeldTable),
}

/// How much of a table is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    All,
    /// Its columns and some rows: enough to look at.
    Head,
}

impl<R: Read + Seek> Table<R> {
    /// Finds out what the file is and how it is written, and reads its header. Reading starts at the input's current
    /// position.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) at field `file` if this is no table, holds no rows, is
    /// locked by a password, damaged, or larger than the [`Limits`](super::Limits) allow; at `sheet` or `header_row` if
    /// there is no such thing; [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) if the input cannot be read.
    pub fn open(input: R, options: &ReadOptions) -> Result<Self> {
        Self::open_extent(input, options, Extent::All)
    }

    /// The same for the columns and the first rows alone, which for a large workbook is much less work.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_head(input: R, options: &ReadOptions) -> Result<Self> {
        Self::open_extent(input, options, Extent::Head)
    }

    fn open_extent(mut input: R, options: &ReadOptions, extent: Extent) -> Result<Self> {
        if options.header_row == Some(0) {
            let message = "rows are counted from 1";
            return Err(Error::invalid_field("header_row", ViolationCode::OutOfRange, message));
        }
        let start = input.stream_position().map_err(unreadable)?;
        let mut sample = Vec::with_capacity(KIND_SAMPLE);
        input.by_ref().take(KIND_SAMPLE as u64).read_to_end(&mut sample).map_err(unreadable)?;
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let family = match options.format {
            None => family(&sample)?,
            Some(FileKind::Csv) => Family::Text,
            Some(FileKind::Json) => Family::Json,
            Some(FileKind::VCard) => Family::Cards,
            Some(FileKind::Xls) => Family::Ole,
            Some(FileKind::Xlsx | FileKind::Xlsb | FileKind::Ods) => Family::Zip,
        };
        match family {
            Family::Text => TableReader::open(input, options).map(Self::Text),
            Family::Json => JsonReader::open(input, options).map(Self::Json),
            Family::Cards => cards(input, options).map(Self::Cards),
            Family::Zip | Family::Ole => workbook(input, options, family, extent).map(Self::Sheet),
        }
    }

    /// What the file is.
    #[must_use]
    pub const fn format(&self) -> FileKind {
        match self {
            Self::Text(_) => FileKind::Csv,
            Self::Json(_) => FileKind::Json,
            Self::Sheet(held) | Self::Cards(held) => held.kind(),
        }
    }

    /// The column names: trimmed, line breaks and tabs inside them as one blank. They may be empty and they may repeat. A
    /// table without a header has `column 1`, `column 2` …
    #[must_use]
    pub fn headers(&self) -> &[String] {
        match self {
            Self::Text(text) => text.headers(),
            Self::Json(json) => json.headers(),
            Self::Sheet(held) | Self::Cards(held) => held.headers(),
        }
    }

    /// The line or row on which the header begins; `None` for a table without one.
    #[must_use]
    pub const fn header_line(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.header_line(),
            Self::Json(_) => None,
            Self::Sheet(held) | Self::Cards(held) => held.header_line(),
        }
    }

    /// Lines or rows passed over before the table.
    #[must_use]
    pub const fn skipped_lines(&self) -> u64 {
        match self {
            Self::Text(text) => text.dialect().skipped_lines,
            Self::Json(_) => 0,
            Self::Sheet(held) | Self::Cards(held) => held.skipped_lines(),
        }
    }

    /// The encoding of a text; UTF-8 for what carries its own.
    #[must_use]
    pub const fn encoding(&self) -> TextEncoding {
        match self {
            Self::Text(text) => text.encoding(),
            Self::Json(json) => json.encoding(),
            Self::Sheet(_) | Self::Cards(_) => TextEncoding::UTF_8,
        }
    }

    /// The encoding that the letters of a text look like, where that was guessed otherwise.
    #[must_use]
    pub const fn encoding_doubt(&self) -> Option<EncodingDoubt> {
        match self {
            Self::Text(text) => text.doubt,
            _ => None,
        }
    }

    /// The layout of text in columns.
    #[must_use]
    pub const fn dialect(&self) -> Option<&Dialect> {
        match self {
            Self::Text(text) => Some(text.dialect()),
            _ => None,
        }
    }

    /// The sheet that is read.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        match self {
            Self::Sheet(held) => held.sheet(),
            _ => None,
        }
    }

    /// The sheets of a workbook, in its order.
    #[must_use]
    pub fn sheets(&self) -> &[SheetName] {
        match self {
            Self::Sheet(held) => held.sheets(),
            _ => &[],
        }
    }

    /// Of address-book cards: what no column holds (`PHOTO`, `BDAY` …), by the name of its property, and how many cards
    /// have it. What a card says of itself (`VERSION`, `PRODID`, `REV`) is not counted.
    #[must_use]
    pub const fn left_out(&self) -> &BTreeMap<String, u64> {
        const NONE: &BTreeMap<String, u64> = &BTreeMap::new();
        match self {
            Self::Sheet(held) | Self::Cards(held) => held.left_out(),
            Self::Text(_) | Self::Json(_) => NONE,
        }
    }

    /// Data records given so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        match self {
            Self::Text(text) => text.records(),
            Self::Json(json) => json.records(),
            Self::Sheet(held) | Self::Cards(held) => held.records(),
        }
    }

    /// How much of what was read was given as records, and how much was read: bytes of text, which is read ahead; records of a
    /// table that is held in memory, which is read as a whole.
    pub(super) fn given(&self) -> (u64, u64) {
        match self {
            Self::Text(text) => text.given(),
            Self::Json(json) => json.given(),
            Self::Sheet(held) | Self::Cards(held) => (held.records(), held.total()),
        }
    }

    /// Reads the next record into `row`, reusing its memory; `false` at the end. A damaged record is not an error: see
    /// [`Row::problem`].
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) if the input cannot be read.
    pub fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        match self {
            Self::Text(text) => text.next_row(row),
            Self::Json(json) => json.next_row(row),
            Self::Sheet(held) | Self::Cards(held) => Ok(held.next_row(row)),
        }
    }
}

/// The whole input, within the limit.
#[cfg(any(feature = "sheets", feature = "vcard"))]
fn whole<R: Read>(input: R, options: &ReadOptions) -> Result<Vec<u8>> {
    let most = options.limits.max_file_bytes;
    let mut bytes = Vec::new();
    input.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        let message =
            format!("the file is larger than {} MiB: save it as CSV, or in parts", most / (1024 * 1024));
        return Err(Error::invalid_field("file", ViolationCode::TooLong, message));
    }
    Ok(bytes)
}

#[cfg(feature = "vcard")]
fn cards<R: Read>(input: R, options: &ReadOptions) -> Result<HeldTable> {
    super::cards::read(whole(input, options)?, options)
}

#[cfg(not(feature = "vcard"))]
fn cards<R: Read>(_: R, _: &ReadOptions) -> Result<HeldTable> {
    Err(super::kind::refused("this is a file of address-book cards, which this program was built without"))
}

#[cfg(feature = "sheets")]
fn workbook<R: Read>(input: R, options: &ReadOptions, family: Family, extent: Extent) -> Result<HeldTable> {
    super::sheets::read(whole(input, options)?, options, family, extent)
}

#[cfg(not(feature = "sheets"))]
fn workbook<R: Read>(_: R, _: &ReadOptions, _: Family, _: Extent) -> Result<HeldTable> {
    Err(super::kind::refused("this is a spreadsheet, which this program was built without: save it as CSV"))
}
