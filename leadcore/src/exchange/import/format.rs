//! How a file was read.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::exchange::{EncodingDoubt, FileKind};

/// How many sheets that were not read are printed.
const PRINTED: usize = 10;

/// How the file was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileFormat {
    /// What the file is.
    #[serde(default)]
    pub kind: FileKind,
    /// The sheet of a workbook.
    #[serde(default)]
    pub sheet: Option<String>,
    /// The sheets of the workbook that are shown and were not read, in its order, a hundred at most:
    /// `ReadOptions::sheet` chooses another one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_sheets: Vec<String>,
    /// The encoding's standard name: `UTF-8`, `windows-1252` …
    pub encoding: String,
    /// The encoding that its letters look like, where nobody said the encoding and they do not look like that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_doubt: Option<EncodingDoubt>,
    /// The character between cells; `,` for a file that is not text in columns.
    pub delimiter: char,
    /// The line of the header; `None` for a file without one.
    pub header_line: Option<u64>,
    /// Lines passed over before the table.
    pub skipped_lines: u64,
    /// Of address-book cards: what no column holds, by the name of its property (`PHOTO`, `BDAY` …), and how many cards
    /// have it. Of a table, the columns that [could not be read](crate::exchange::ReadOptions::left_out), and how many rows
    /// hold anything there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == FileKind::Csv {
            match self.delimiter {
                ',' => write!(f, "{}, cells separated by commas", self.encoding)?,
                ';' => write!(f, "{}, cells separated by semicolons", self.encoding)?,
                '\t' => write!(f, "{}, cells separated by tabs", self.encoding)?,
                other => {
                    write!(f, "{}, cells separated by `{}`", self.encoding, other.escape_default())?;
                }
            }
            match self.header_line {
                Some(line) => write!(f, ", header on line {line}")?,
                None => write!(f, ", no header")?,
            }
            return match self.encoding_doubt {
                Some(doubt) => write!(f, "; {}", doubt.message()),
                None => Ok(()),
            };
        }
        write!(f, "{}", self.kind.code())?;
        if let Some(sheet) = &self.sheet {
            write!(f, ", sheet `{sheet}`")?;
        }
        match self.header_line {
            Some(line) if self.sheet.is_some() => write!(f, ", header in row {line}")?,
            None if self.sheet.is_some() => write!(f, ", no header")?,
            _ => {}
        }
        for (place, sheet) in self.other_sheets.iter().take(PRINTED).enumerate() {
            write!(f, "{} `{sheet}`", if place == 0 { "; not read: the sheets" } else { "," })?;
        }
        match self.other_sheets.len().saturating_sub(PRINTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
