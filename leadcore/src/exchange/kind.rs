//! What a file is, by its content: names lie.

use serde::{Deserialize, Serialize};

use super::decode;
use crate::error::{Error, Result, ViolationCode};

/// How much of a file its kind is judged by.
pub(super) const KIND_SAMPLE: usize = 4096;

/// What a file of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// Text with a character between cells: CSV, TSV and relatives.
    #[default]
    Csv,
    /// JSON: one object a line, or a list of objects.
    Json,
    /// Address-book cards: vCard 2.1, 3.0 and 4.0.
    #[serde(rename = "vcard")]
    VCard,
    /// An Excel workbook of 2007 and later, with or without macros.
    Xlsx,
    /// A binary Excel workbook of 2007 and later.
    Xlsb,
    /// An Excel workbook of before 2007.
    Xls,
    /// An OpenDocument spreadsheet.
    Ods,
}

impl FileKind {
    /// Stable machine-readable name, which is also the usual ending of a file's name: `csv`, `json`, `vcard`, `xlsx` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::VCard => "vcard",
            Self::Xlsx => "xlsx",
            Self::Xlsb => "xlsb",
            Self::Xls => "xls",
            Self::Ods => "ods",
        }
    }

    /// Whether the file is a workbook of sheets.
    #[must_use]
    pub const fn is_workbook(self) -> bool {
        matches!(self, Self::Xlsx | Self::Xlsb | Self::Xls | Self::Ods)
    }
}

/// What the first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Json,
    Cards,
    /// A zip archive: a workbook of one of the newer kinds, or none.
    Zip,
    /// An OLE container: an old workbook, an encrypted new one, or another Office file.
    Ole,
}

/// Tells what a file is that begins with `sample`.
///
/// # Errors
/// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) at field `file` for a page or document in a markup language.
pub(super) fn family(sample: &[u8]) -> Result<Family> {
    if sample.starts_with(b"PK\x03\x04") {
        return Ok(Family::Zip);
    }
    if sample.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Ok(Family::Ole);
    }
    let (encoding, bom) = decode::detect(sample, false, None);
    let text = decode::decode_sample(sample.get(bom..).unwrap_or_default(), encoding);
    let text = text.trim_ascii_start();
    let starts = |word: &[u8]| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if starts(b"BEGIN:VCARD") {
        return Ok(Family::Cards);
    }
    if starts(b"BEGIN:VCALENDAR") {
        return Err(refused("this is a calendar (iCalendar), not a list of people or companies"));
    }
    if starts(b"<!doctype html") || starts(b"<html") || starts(b"<table") {
        return Err(refused("this is a web page, perhaps under the name of a table: save it as CSV or XLSX"));
    }
    let opens_tag = matches!(text, [b'<', next, ..] if next.is_ascii_alphabetic() || *next == b'?');
    if opens_tag {
        return Err(refused("this is an XML document, which is not read: save it as CSV or XLSX"));
    }
    if is_list_of_lists(text) {
        return Err(refused(
            "this JSON is a list of lists: a list of objects with the names of their fields is expected, an object on each \
             line, or CSV",
        ));
    }
    Ok(if is_json(text) { Family::Json } else { Family::Text })
}

/// `{"`, `{}`, `[{`, `["`, `[]` with any blanks between.
fn is_json(text: &[u8]) -> bool {
    let mut marks = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    matches!(
        (marks.next(), marks.next()),
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'"' | b']'))
    )
}

/// `[["`, `[[1`, `[[null` and the like.
fn is_list_of_lists(text: &[u8]) -> bool {
    let mut marks = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let first: Vec<u8> = marks.by_ref().take(3).copied().collect();
    let [b'[', b'[', third] = first.as_slice() else { return false };
    match third {
        b'"' | b'[' | b']' | b'{' | b'-' | b'0'..=b'9' => true,
        b't' | b'f' | b'n' => {
            let rest: Vec<u8> = marks.take(4).copied().collect();
            [&b"rue"[..], b"alse", b"ull"].iter().any(|word| rest.starts_with(word))
        }
        _ => false,
    }
}

/// A file that cannot be taken, and why.
pub(super) fn refused(message: impl Into<String>) -> Error {
    Error::invalid_field("file", ViolationCode::Malformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_spelt_in_one_way() {
        for kind in [
            FileKind::Csv,
            FileKind::Json,
            FileKind::VCard,
            FileKind::Xlsx,
            FileKind::Xlsb,
            FileKind::Xls,
            FileKind::Ods,
        ] {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.code()));
            assert_eq!(serde_json::from_str::<FileKind>(&json).unwrap(), kind);
        }
    }

    #[test]
    fn the_content_tells_the_kind() {
        let families: [(&[u8], Family); 9] = [
            (b"PK\x03\x04", Family::Zip),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Family::Ole),
            (b"name,city\n", Family::Text),
            (b"{name},city\n", Family::Text),
            (b"[name];city\n", Family::Text),
            (b"\xEF\xBB\xBF\n{ \"name\": 1}", Family::Json),
            (b"[\n  {\"name\": 1}]", Family::Json),
            (b"begin:vcard\r\n", Family::Cards),
            (b"\xFF\xFEB\0E\0G\0I\0N\0:\0V\0C\0A\0R\0D\0", Family::Cards),
        ];
        for (sample, expected) in families {
            assert_eq!(family(sample).unwrap(), expected, "{}", String::from_utf8_lossy(sample));
        }
        assert_eq!(family(b"[[Name]],City\n").unwrap(), Family::Text);
        for page in [
            "<HTML><body>",
            "<?xml version=\"1.0\"?>",
            "<List><a/>",
            "BEGIN:VCALENDAR",
            "[[\"Company\", \"E-mail\"], [\"A\", \"a@x.example\"]]",
            "[\n [null, 1]]",
        ] {
            assert_eq!(family(page.as_bytes()).unwrap_err().violations()[0].field, "file");
        }
    }
}
