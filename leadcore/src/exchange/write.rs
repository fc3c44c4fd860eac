//! CSV out, with cells that a spreadsheet would run as a formula made harmless.
//!
//! The rule is OWASP ASVS 5.0, 1.2.10: a cell that begins with `=`, `+`, `-`, `@`, TAB or CR (also in their fullwidth
//! forms, also behind blanks) gets a leading apostrophe. Values that only look like a number, such as `+4712345678` or
//! `-5.2`, stay as they are: a spreadsheet cannot run them. [`unescape_formula`] takes our mark off again, so a file
//! that was written here and is read back says what it said.

use std::borrow::Cow;
use std::io::Write;

use crate::error::{Error, ErrorKind, Result};

/// The mark in front of a cell that must not be run.
const MARK: char = '\'';

/// A number as people write it: an optional sign, digits, and `.`, `,` or blanks between them.
fn is_numeric(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b' '))
}

/// Whether a spreadsheet could run `text`, or could after apostrophes were taken off it. The second half is what makes
/// [`escape_formula`] and [`unescape_formula`] exact inverses.
fn is_dangerous(text: &str) -> bool {
    let bare = text.trim_start_matches(MARK);
    let blank = |c: char| c.is_whitespace() && !matches!(c, '\t' | '\r');
    let shown = bare.trim_start_matches(blank);
    let trigger = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    shown.starts_with(trigger) && !is_numeric(bare)
}

/// `cell` with a leading apostrophe if a spreadsheet could run it as a formula.
///
/// ```
/// use leadcore::exchange::{escape_formula, unescape_formula};
/// assert_eq!(escape_formula("=1+5"), "'=1+5");
/// assert_eq!(escape_formula("+4712345678"), "+4712345678");
/// assert_eq!(unescape_formula("'=1+5"), "=1+5");
/// ```
#[must_use]
pub fn escape_formula(cell: &str) -> Cow<'_, str> {
    if is_dangerous(cell) { Cow::Owned(format!("{MARK}{cell}")) } else { Cow::Borrowed(cell) }
}

/// Takes the mark of [`escape_formula`] off again. Any other text, an apostrophe before an ordinary word included, is
/// returned unchanged.
#[must_use]
pub fn unescape_formula(cell: &str) -> &str {
    match cell.strip_prefix(MARK) {
        Some(rest) if is_dangerous(rest) => rest,
        _ => cell,
    }
}

/// What a cell says: without our mark, or without the formula by which spreadsheets keep digits as they are, `="00501"`.
/// Behind our mark, that is a text which somebody stored so.
pub(super) fn text_of(cell: &str) -> &str {
    let bare = unescape_formula(cell);
    if bare.len() < cell.len() {
        return bare;
    }
    let text = cell.trim().strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    text.filter(|text| !text.contains('"')).unwrap_or(cell)
}

/// What a cell says, where only files of text need marks and that formula: elsewhere it is what somebody wrote.
pub(super) fn text_in(cell: &str, is_of_text: bool) -> &str {
    if is_of_text { text_of(cell) } else { cell }
}

/// Writes comma-separated UTF-8 with LF line ends, quoting where needed (RFC 4180) and defusing formulas.
///
/// Cells with an apostrophe are quoted too: whoever guesses how a file is laid out would else take it for the quote of a cell.
///
/// ```
/// use leadcore::exchange::CsvWriter;
/// let mut csv = CsvWriter::new(Vec::new());
/// csv.write_row(["name", "note"])?;
/// csv.write_row(["Ada, Ltd", "=HYPERLINK(1)"])?;
/// assert_eq!(csv.into_inner()?, b"name,note\n\"Ada, Ltd\",\"'=HYPERLINK(1)\"\n");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    inner: csv::Writer<W>,
    escape: bool,
}

impl<W: Write> CsvWriter<W> {
    /// A writer that defuses formulas.
    pub fn new(output: W) -> Self {
        // No comments are meant: cells with this byte are quoted.
        let inner = csv::WriterBuilder::new().flexible(true).comment(Some(b'\'')).from_writer(output);
        Self { inner, escape: true }
    }

    /// The same writer, leaving every cell exactly as it is: for readers that are programs, never for a spreadsheet.
    #[must_use]
    pub fn without_formula_marks(mut self) -> Self {
        self.escape = false;
        self
    }

    /// Writes one record.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the output cannot be written.
    pub fn write_row<I>(&mut self, cells: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for cell in cells {
            let cell = cell.as_ref();
            let text = if self.escape { escape_formula(cell) } else { Cow::Borrowed(cell) };
            self.inner.write_field(text.as_bytes()).map_err(failed)?;
        }
        self.inner.write_record(None::<&[u8]>).map_err(failed)
    }

    /// Hands everything written so far to the output.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the output cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.inner.flush().map_err(failed)
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the output cannot be written.
    pub fn into_inner(mut self) -> Result<W> {
        self.flush()?;
        self.inner.into_inner().map_err(|error| {
            Error::new(ErrorKind::Storage, "cannot finish the CSV file").with_source(error.into_error())
        })
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Storage, "cannot write the CSV file").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_marked_and_numbers_are_not() {
        for bad in [
            "=1",
            "@SUM(1)",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd",
            "\t=1",
            "\rx",
            "  =1",
            "＝1",
            "＠x",
            "- a",
            "-",
            "'=1",
            "+1-234",
            "\u{a0}=1",
        ] {
            assert_eq!(escape_formula(bad), format!("'{bad}"), "{bad:?}");
        }
        for good in
            ["+4712345678", "-5.2", "+47 22 00 00 00", "-1,234.50", "-.5", "'tis", "", "a=b", "O'Hara", "5-3"]
        {
            assert_eq!(escape_formula(good), good);
            assert_eq!(unescape_formula(good), good);
        }
    }

    #[test]
    fn a_lone_empty_cell_is_written_as_a_record_not_as_a_blank_line() {
        let mut csv = CsvWriter::new(Vec::new());
        csv.write_row([""]).unwrap();
        assert_eq!(csv.into_inner().unwrap(), b"\"\"\n");
    }

    #[test]
    fn cells_with_apostrophes_stand_in_quotes() {
        let mut csv = CsvWriter::new(Vec::new());
        csv.write_row(["'tis", "O'Hara", "+", "'\"", ""]).unwrap();
        csv.write_row(["", ""]).unwrap();
        assert_eq!(csv.into_inner().unwrap(), b"\"'tis\",\"O'Hara\",\"'+\",\"'\"\"\",\n,\n");
    }

    #[test]
    fn texts_of_formulas_are_texts() {
        for (cell, text) in [
            ("=\"00501\"", "00501"),
            (" =\"00501\" ", "00501"),
            ("'=\"00501\"", "=\"00501\""),
            ("=\"\"", ""),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
            ("=\"", "=\""),
            ("=1+1", "=1+1"),
            ("\"x\"", "\"x\""),
        ] {
            assert_eq!(text_of(cell), text, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn unescape_undoes_escape(cell in "['=+@\\-\t\r ＝0-9a.]{0,8}|.*") {
            let escaped = escape_formula(&cell);
            prop_assert_eq!(unescape_formula(&escaped), cell.as_str());
        }

        #[test]
        fn no_escaped_cell_starts_with_a_trigger_unless_numeric(cell in "[=+@\\- 0-9a.]{0,8}") {
            let escaped = escape_formula(&cell);
            let shown = escaped.trim_start();
            prop_assert!(!shown.starts_with(['=', '+', '-', '@']) || is_numeric(&escaped));
        }
    }
}
