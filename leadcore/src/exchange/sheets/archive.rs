//! What a zipped workbook would take, counted before it is parsed.
//!
//! The sizes that a zip file declares may be lies, so its parts are unpacked once and thrown away while they are counted.
//! That costs a tenth of the parsing behind it.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::kind::{FileKind, refused};
use super::super::scan::Limits;
use super::locked;
use crate::error::{Error, Result, ViolationCode};

/// More parts no honest workbook has.
const MOST_PARTS: usize = 20_000;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: FileKind,
    /// Whether some sheet has merged cells.
    pub(super) merged: bool,
}

/// Looks through a zip file.
pub(super) fn inspect(bytes: &[u8], limits: &Limits) -> Result<Found> {
    let broken = |_: ZipError| {
        refused("this zip file (perhaps a spreadsheet) is damaged: its directory cannot be read")
    };
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if zip.len() > MOST_PARTS {
        return Err(too_much());
    }
    let mut names = Vec::new();
    for index in 0..zip.len() {
        let name = zip.name_for_index(index).and_then(std::result::Result::ok).unwrap_or_default();
        names.push(name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase());
    }
    let kind = kind_of(&names)?;
    let mut total = 0_u64;
    let mut merged = false;
    for (index, name) in names.iter().enumerate() {
        let parsed = [".xml", ".rels", ".bin"].iter().any(|ending| name.ends_with(ending));
        if !parsed || name.ends_with("vbaproject.bin") {
            continue;
        }
        let part = match zip.by_index(index) {
            Ok(part) => part,
            Err(ZipError::UnsupportedArchive(reason)) if reason == ZipError::PASSWORD_REQUIRED => {
                return Err(locked());
            }
            // Whoever parses it will say so, if it is of any use.
            Err(_) => continue,
        };
        // What is not a sheet is kept in memory by the parser.
        let streamed = name.contains("sheets/") || name == "content.xml";
        let kept = limits.max_table_bytes as u64;
        let most = limits.max_unpacked_bytes.saturating_sub(total);
        let mut walk = Walk::new(name.ends_with(".xml"), limits.max_record_bytes);
        let size = walk.through(part, if streamed { most } else { most.min(kept) })?;
        if walk.strings > limits.max_table_bytes as u64 / 24 {
            return Err(too_much());
        }
        total += size;
        merged |= walk.merged;
    }
    Ok(Found { kind, merged })
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

fn too_much() -> Error {
    let message = "the workbook unpacks to more than is read; if it is honest, save it as CSV or in parts";
    Error::invalid_field("file", ViolationCode::TooLong, message)
}

/// Counts while it reads.
struct Walk {
    xml: bool,
    largest: usize,
    /// Bytes since the last tag began.
    since_tag: usize,
    merged: bool,
    /// How many texts the table of shared texts says that it has.
    strings: u64,
    /// The end of what was read before, where a word may be cut.
    before: Vec<u8>,
}

impl Walk {
    const fn new(xml: bool, largest: usize) -> Self {
        Self { xml, largest, since_tag: 0, merged: false, strings: 0, before: Vec::new() }
    }

    fn through(&mut self, mut part: impl Read, most: u64) -> Result<u64> {
        let (mut size, mut buffer) = (0_u64, vec![0_u8; 64 * 1024]);
        loop {
            // A part that is damaged further on is the parser's to refuse.
            let Ok(n) = part.read(&mut buffer) else { return Ok(size) };
            if n == 0 {
                return Ok(size);
            }
            size += n as u64;
            if size > most {
                return Err(too_much());
            }
            if self.xml {
                self.look(buffer.get(..n).unwrap_or_default())?;
            }
        }
    }

    fn look(&mut self, bytes: &[u8]) -> Result<()> {
        let mut text = std::mem::take(&mut self.before);
        let old = text.len();
        text.extend_from_slice(bytes);
        let tags = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<');
        let mut last = None;
        for (place, _) in tags {
            let behind = text.get(old + place + 1..).unwrap_or_default();
            self.merged |= behind.starts_with(b"mergeCell ");
            last = Some(place);
        }
        if !self.merged && old > 0 {
            self.merged = contains(text.get(..old + 12).unwrap_or(&text), b"<mergeCell ").is_some();
        }
        if let Some(place) = contains(&text, b"uniqueCount=") {
            let digits = text.get(place + 13..).unwrap_or_default();
            let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
            let count =
                digits.fold(0_u64, |n, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
            self.strings = self.strings.max(count);
        }
        self.since_tag = last.map_or(self.since_tag + bytes.len(), |place| bytes.len() - place);
        if self.since_tag > self.largest {
            return Err(too_much());
        }
        let keep = text.len().saturating_sub(40);
        self.before = text.split_off(keep);
        Ok(())
    }
}

fn contains(text: &[u8], word: &[u8]) -> Option<usize> {
    let first = word.first()?;
    let starts = text.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.map(|(place, _)| place).find(|place| text.get(*place..).is_some_and(|rest| rest.starts_with(word)))
}
