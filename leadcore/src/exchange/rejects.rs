//! The rejected rows of an import as a file of their own: correct it and import it again.

use std::io::Write;

mod reading;

use super::coerce::Coercer;
use super::write::text_in;
use super::{CsvWriter, Row, RowProblem};
use crate::error::{Result, Violation, ViolationCode};

pub(super) use reading::Reading;

/// The columns behind the file's own.
const FIELD: &str = "reject_field";
const REASON: &str = "reject_reason";
/// Of the third one the header says how the file was read; its cells are empty.
const READING: &str = "reject_reading";

/// Whether a header is one of these.
pub(super) fn is_own(header: &str) -> bool {
    let word = header.split_once(' ').map_or(header, |(word, _)| word);
    [FIELD, REASON].contains(&header) || word == READING
}

/// Whether headers are those of a file of rejected rows.
pub(super) fn holds(headers: &[String]) -> bool {
    RejectColumns::find(headers).is_some()
}

/// What the headers of a file say of an import that rejected its rows.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// None did.
    Other,
    /// One did, and how it read them is not known.
    Unknown,
    /// One did, and read them so.
    Known(Box<Reading>),
}

impl Origin {
    /// With the headers as they are told.
    pub(super) fn of(headers: &[String]) -> (Self, Vec<String>) {
        let readings =
            headers.iter().filter(|header| is_own(header)).find_map(|header| Reading::of_header(header));
        let origin = match (RejectColumns::find(headers), readings) {
            (None, _) => return (Self::Other, headers.to_vec()),
            (Some(_), None) => Self::Unknown,
            (Some(_), Some(reading)) => Self::Known(Box::new(reading)),
        };
        let short =
            |header: &String| if header.starts_with(READING) { READING.to_owned() } else { header.clone() };
        (origin, headers.iter().map(short).collect())
    }

    /// How the rows were read.
    pub(super) fn reading(&self) -> Option<&Reading> {
        match self {
            Self::Known(reading) => Some(reading),
            Self::Other | Self::Unknown => None,
        }
    }
}

/// The cells of a row, kept until its chunk is written.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    cells: Vec<String>,
    /// Numbers of the file that are written otherwise to be read as the same numbers once they are text.
    numbers: Vec<(usize, String)>,
    is_of_text: bool,
}

impl Kept {
    /// The cells as they are read; of a damaged record, the text of its line as one cell.
    pub(super) fn of(row: &Row, coercer: &Coercer) -> Self {
        if row.is_empty() {
            let line = String::from_utf8_lossy(row.raw()).into_owned();
            return Self { cells: vec![line], numbers: Vec::new(), is_of_text: true };
        }
        let text = |place: &usize| Some((*place, coercer.as_text(row, *place)?));
        let whole = row.amounts.iter().filter(|place| !row.numbers.contains(place));
        let shortened =
            row.lost_digits.iter().filter_map(|place| Some((*place, shortened(row.get(*place)?)?)));
        let numbers = shortened.chain(row.numbers.iter().chain(whole).filter_map(text)).collect();
        let cells = row.iter().map(str::to_owned).collect();
        Self { cells, numbers, is_of_text: coercer.is_of_text() }
    }

    /// What a cell says.
    pub(super) fn cell(&self, place: usize) -> Option<&str> {
        self.cells.get(place).map(String::as_str)
    }
}

/// A long number as spreadsheets shorten it, whose last digits are not known: written out it would look as if they were.
fn shortened(digits: &str) -> Option<String> {
    let number = format!("{:E}", digits.parse::<f64>().ok()?);
    let (digits, power) = number.split_once('E')?;
    let fraction = if digits.contains('.') { "" } else { ".0" };
    Some(format!("{digits}{fraction}E+{power}"))
}

/// Where a file of rejected rows says why they were rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RejectColumns {
    field: usize,
    reason: usize,
}

impl RejectColumns {
    /// The two columns, where a file has them.
    pub(super) fn find(headers: &[String]) -> Option<Self> {
        let place = |name: &str| headers.iter().position(|header| header == name);
        Some(Self { field: place(FIELD)?, reason: place(REASON)? })
    }

    /// The reason again, for the text of a damaged record that still stands as one cell: nobody put what it says into its
    /// columns. Emptying the reason, or filling another column, says that it is right as it stands.
    pub(super) fn again(&self, row: &Row) -> Option<Violation> {
        let (mut field, mut reason, mut filled) = ("", "", 0_usize);
        for (place, cell) in row.iter().enumerate() {
            match place {
                place if place == self.field => field = cell.trim(),
                place if place == self.reason => reason = cell.trim(),
                _ => filled += usize::from(!cell.trim().is_empty()),
            }
        }
        let problem = (filled == 1 && field == "line").then(|| RowProblem::of_message(reason)).flatten()?;
        Some(Violation::new("line", ViolationCode::Malformed, problem.message()))
    }
}

/// Writes rejected rows: the columns of the file, the fields at fault, the reasons, and in the header how the file was read.
/// Cells beyond the header follow behind these, so that nothing is lost.
#[derive(Debug)]
pub(super) struct Rejects<W: Write> {
    csv: CsvWriter<W>,
    /// Columns of the file that are written; not those of an earlier file of rejected rows.
    columns: Vec<usize>,
    width: usize,
}

impl<W: Write> Rejects<W> {
    pub(super) fn new(output: W, headers: &[String], reading: &Reading) -> Result<Self> {
        let kept = headers.iter().enumerate().filter(|(_, header)| !is_own(header));
        let columns: Vec<usize> = kept.map(|(place, _)| place).collect();
        let mut csv = CsvWriter::new(output);
        let names = columns.iter().filter_map(|place| headers.get(*place)).map(String::as_str);
        csv.write_row(names.chain([FIELD, REASON, reading.to_header()?.as_str()]))?;
        Ok(Self { csv, columns, width: headers.len() })
    }

    pub(super) fn write(&mut self, row: &Kept, reasons: &[Violation]) -> Result<()> {
        let list = |part: fn(&Violation) -> &str| {
            let mut parts: Vec<&str> = reasons.iter().map(part).collect();
            parts.dedup();
            parts.join("; ")
        };
        let (fields, messages) = (list(|reason| &reason.field), list(|reason| &reason.message));
        let text = |cell| text_in(cell, row.is_of_text);
        let cell = |place: &usize| {
            let number = row.numbers.iter().find(|(known, _)| known == place).map(|(_, text)| text.as_str());
            number.or_else(|| row.cell(*place).map(text))
        };
        let own = self.columns.iter().map(|place| cell(place).unwrap_or_default());
        let extra = row.cells.iter().skip(self.width).map(|cell| text(cell.as_str()));
        self.csv.write_row(own.chain([fields.as_str(), messages.as_str(), ""]).chain(extra))
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.csv.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_number_with_lost_digits_is_written_as_one() {
        assert_eq!(shortened("12345678901234570").as_deref(), Some("1.234567890123457E+16"));
        assert_eq!(shortened("10000000000000000").as_deref(), Some("1.0E+16"));
        assert_eq!(shortened("Oslo"), None);
    }
}
