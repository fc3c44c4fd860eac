//! What cells of a spreadsheet take.

use std::borrow::Cow;

use chrono::TimeDelta;
use rust_xlsxwriter::{ExcelDateTime, XlsxError};

use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::time::Timestamp;

/// How much text, in UTF-16 units.
pub(super) const MAX_CELL: usize = 32_767;

/// Whether a cell takes the text.
pub(super) fn fits(text: &str) -> bool {
    // No text has more units than bytes.
    text.len() <= MAX_CELL || text.encode_utf16().count() <= MAX_CELL
}

/// The text without U+FFFE and U+FFFF: XML has none, and a file with one of them would not open.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        Cow::Owned(text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What a cell takes of a text.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    let text = printable(text);
    if fits(&text) {
        return text;
    }
    let mut left = MAX_CELL - 1;
    let takes = |letter: &char| {
        let units = letter.len_utf16();
        let takes = units <= left;
        left = left.saturating_sub(units);
        takes
    };
    Cow::Owned(text.chars().take_while(takes).chain(['…']).collect())
}

/// The time on the actor's wall, to the second; none before 1900, where spreadsheets have no days.
pub(super) fn excel(ctx: &Context<'_>, at: Timestamp) -> Option<ExcelDateTime> {
    let local = at.saturating_add(TimeDelta::seconds(i64::from(ctx.utc_offset().local_minus_utc())));
    ExcelDateTime::from_timestamp(local.as_micros().div_euclid(1_000_000)).ok()
}

/// When the file was made: without a date of its own the library would write the system's.
pub(super) fn made(ctx: &Context<'_>) -> Option<ExcelDateTime> {
    excel(ctx, ctx.now()).or_else(|| ExcelDateTime::from_ymd(2000, 1, 1).ok())
}

/// What the library says, as an error of this crate.
pub(super) fn failed(error: XlsxError) -> Error {
    let kind = if matches!(error, XlsxError::IoError(_) | XlsxError::ZipError(_)) {
        ErrorKind::Storage
    } else {
        ErrorKind::Internal
    };
    Error::new(kind, "the spreadsheet could not be made").with_source(error)
}
