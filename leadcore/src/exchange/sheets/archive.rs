//! What a zipped workbook would take, counted before it is parsed.
//!
//! The sizes that a zip file declares may be lies, so its parts are unpacked once and thrown away while they are counted.
//! That costs a tenth of the parsing behind it. Names of parts may lie too: whatever begins like XML is looked at as such.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::kind::{FileKind, refused};
use super::super::scan::Limits;
use super::records::Records;
use super::walk::{Marks, Walk};
use super::{MOST_SHEETS, locked, too_many_sheets};
use crate::error::{Error, Result, ViolationCode};

/// More parts no honest workbook has.
const MOST_PARTS: usize = 20_000;
/// How an entry of an archive's directory begins.
const ENTRY: &[u8] = b"PK\x01\x02";
/// As many merged cells as a sheet has rows.
const MOST_MERGED: usize = 1_048_576;
/// The longest line of a list of relations; the paths in it are kept once for each sheet.
const LONGEST_RELATION: usize = 64 * 1024;
/// What the parser takes for a shared text, a name, a relation and a format, besides what they say.
const STRING: usize = 24;
const NAME: usize = 128;
const FORMAT: usize = 600;
/// The bytes that a mark of a sheet stands for at least, of all that a workbook may unpack to: of a GiB, 67 million elements
/// are read. A cell with its value is two, in thirty bytes of XLSX; OpenDocument takes eighty for them, and writes cells
/// that are empty as one that repeats.
const AN_ELEMENT: u64 = 16;
const AN_EMPTY_CELL: u64 = 32;
const OF_ODS: u64 = 2;
/// Elements that are neither cells nor in cells stand around the rows; remarks, nobody writes into sheets.
const ANOTHER: u64 = 64;
const A_REMARK: u64 = 8 * 1024;
/// So many marks any workbook may have, however little it may unpack to.
const FREE_MARKS: u64 = 10_000;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: FileKind,
    /// Whether some sheet has merged cells.
    pub(super) merged: bool,
    /// Whether some cell has a formula and no result of it.
    pub(super) unstored: bool,
}

/// Looks through a zip file.
pub(super) fn inspect(bytes: &[u8], limits: &Limits) -> Result<Found> {
    // The reader of the directory takes all of it before it tells how long it is.
    if has_more(bytes, ENTRY, MOST_PARTS) {
        return Err(too_much());
    }
    let broken = |_: ZipError| {
        refused("this zip file (perhaps a spreadsheet) is damaged: its directory cannot be read")
    };
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut names = Vec::new();
    for index in 0..zip.len() {
        let name = zip.name_for_index(index).and_then(std::result::Result::ok).unwrap_or_default();
        names.push(name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase());
    }
    let kind = kind_of(&names)?;
    let mut total = 0_u64;
    let (mut merged, mut unstored) = (false, false);
    let mut marks = Marks::default();
    for (index, name) in names.iter().enumerate() {
        let part = match zip.by_index(index) {
            Ok(part) => part,
            Err(ZipError::UnsupportedArchive(reason)) if reason == ZipError::PASSWORD_REQUIRED => {
                return Err(locked());
            }
            // Whoever parses it will say so, if it is of any use.
            Err(_) => continue,
        };
        let most = limits.max_unpacked_bytes.saturating_sub(total);
        let counted = Counted::of(part, name, kind, most, limits, marks)?;
        total += counted.size;
        merged |= counted.merged;
        unstored |= counted.unstored;
        marks = counted.marks;
    }
    Ok(Found { kind, merged, unstored })
}

fn has_more(bytes: &[u8], word: &[u8], most: usize) -> bool {
    let marks = bytes.windows(word.len()).filter(|window| *window == word);
    marks.take(most + 1).count() > most
}

fn kind_of(names: &[String]) -> Result<FileKind> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let ends = |end: &str| names.iter().any(|known| known.ends_with(end));
    if has("content.xml") && has("mimetype") {
        return Ok(FileKind::Ods);
    }
    if ends("workbook.bin") {
        return Ok(FileKind::Xlsb);
    }
    if ends("workbook.xml")
        || (has("[content_types].xml") && names.iter().any(|name| name.contains("sheets/")))
    {
        return Ok(FileKind::Xlsx);
    }
    Err(refused(if ends("word/document.xml") {
        "this is a text document, not a table: save its table as CSV or XLSX"
    } else if ends("presentation.xml") {
        "this is a presentation, not a table"
    } else {
        "this is a zip archive, not a table: unpack it first"
    }))
}

pub(super) fn too_much() -> Error {
    let message = "the workbook unpacks to more than is read; if it is honest, save it as CSV or in parts";
    Error::invalid_field("file", ViolationCode::TooLong, message)
}

/// How a part is looked at.
enum Look {
    Xml(Walk),
    Binary(Records),
    Nothing,
}

/// What a part comes to.
struct Counted {
    size: u64,
    merged: bool,
    unstored: bool,
    /// Those of the sheets before it too.
    marks: Marks,
}

impl Counted {
    fn of(
        mut part: impl Read,
        name: &str,
        kind: FileKind,
        most: u64,
        limits: &Limits,
        before: Marks,
    ) -> Result<Self> {
        let (mut size, mut buffer) = (0_u64, vec![0_u8; 64 * 1024]);
        let mut look = None;
        loop {
            // A part that is damaged further on is the parser's to refuse.
            let n = part.read(&mut buffer).unwrap_or(0);
            let read = buffer.get(..n).unwrap_or_default();
            if n == 0 {
                break;
            }
            size += n as u64;
            let look = look.get_or_insert_with(|| Look::of(read, name, kind));
            match look {
                Look::Xml(walk) => walk.look(read),
                Look::Binary(records) => records.look(read),
                Look::Nothing => {}
            }
            look.check(name, size, limits)?;
            if size > most || are_too_many(look.marks(name, before), kind, limits) {
                return Err(too_much());
            }
        }
        let merged = matches!(&look, Some(Look::Xml(walk)) if walk.counts.merged > 0);
        let unstored = matches!(&look, Some(Look::Xml(walk)) if walk.counts.unstored > 0);
        let marks = look.map_or(before, |look| look.marks(name, before));
        Ok(Self { size, merged, unstored, marks })
    }
}

fn are_too_many(marks: Marks, kind: FileKind, limits: &Limits) -> bool {
    let most = |bytes: u64| (limits.max_unpacked_bytes / bytes).max(FREE_MARKS);
    let times = if kind == FileKind::Ods { OF_ODS } else { 1 };
    marks.elements > most(AN_ELEMENT * times)
        || marks.empty_cells > most(AN_EMPTY_CELL * times)
        || marks.others > most(ANOTHER)
        || marks.remarks > most(A_REMARK)
}

/// Whether a part is read piece by piece; what is not a sheet is kept in memory by the parser.
fn is_streamed(name: &str) -> bool {
    name.contains("sheets/") || name == "content.xml"
}

impl Look {
    /// Its marks, if it is a sheet, and those of the sheets before it.
    fn marks(&self, name: &str, before: Marks) -> Marks {
        match self {
            Self::Xml(walk) if is_streamed(name) => walk.counts.marks.plus(before),
            _ => before,
        }
    }

    fn of(head: &[u8], name: &str, kind: FileKind) -> Self {
        let is_xml = [".xml", ".rels"].iter().any(|ending| name.ends_with(ending));
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let parsed =
            ["workbook.bin", "sharedstrings.bin", "styles.bin"].iter().any(|end| name.ends_with(end));
        if is_xml || head.trim_ascii_start().first().is_none_or(|byte| *byte == b'<') {
            Self::Xml(Walk::new())
        } else if kind == FileKind::Xlsb && (parsed || name.contains("sheets/")) {
            Self::Binary(Records::default())
        } else {
            Self::Nothing
        }
    }

    /// What a part holds so far, against the limits.
    fn check(&self, name: &str, size: u64, limits: &Limits) -> Result<()> {
        let kept = limits.max_table_bytes;
        let (sheets, strings) = match self {
            Self::Xml(walk) => (walk.counts.sheets, walk.counts.strings as u64),
            Self::Binary(records) => (records.counts.sheets, records.counts.strings as u64),
            Self::Nothing => (0, 0),
        };
        if sheets > MOST_SHEETS {
            return Err(too_many_sheets());
        }
        let is_kept = !is_streamed(name) || strings > 0 || name.ends_with("styles.xml");
        let much = strings.saturating_mul(STRING as u64) > kept as u64 || (is_kept && size > kept as u64);
        let more = match self {
            Self::Xml(walk) => {
                let (counts, largest) = (&walk.counts, limits.max_record_bytes);
                let mark = if name.ends_with(".rels") { largest.min(LONGEST_RELATION) } else { largest };
                let formats = (counts.formats + counts.pieces).saturating_mul(FORMAT);
                let copies = counts.formats.saturating_mul(counts.longest_piece).saturating_mul(2);
                counts.longest_mark > mark
                    || counts.longest_element > largest
                    || counts.merged > MOST_MERGED
                    || counts.said_strings > (kept / STRING) as u64
                    || (counts.names + counts.relations).saturating_mul(NAME) > kept
                    || (name.ends_with("styles.xml") && formats.saturating_add(copies) > kept)
            }
            Self::Binary(records) => {
                let counts = &records.counts;
                // A reference of some bytes is written out with the name of what it refers to.
                let names = counts.names.saturating_mul(32 + counts.longest_name / 5);
                let list = name.ends_with("workbook.bin");
                counts.longest > limits.max_record_bytes || (list && names > kept)
            }
            Self::Nothing => false,
        };
        if much || more { Err(too_much()) } else { Ok(()) }
    }
}
