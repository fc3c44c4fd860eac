//! The three kinds of Excel workbooks, by `calamine`.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use calamine::{
    DataRef, DataType, Dimensions, Reader, Sheet, SheetType, SheetVisible, Style, Xls, XlsError, Xlsb,
    XlsbError, Xlsx, XlsxError,
};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::super::filler::{Filler, What};
use super::super::held::SheetName;
use super::long::{Digits, Long};
use super::padded::Padded;
use super::{Book, archive, damaged, locked, money, text};
use crate::error::{Error, Result};
use crate::exchange::floats::EXACT;

/// The bytes of a file, which may be read a few times over and no more: thousands of sheets may be one and the same part
/// of an archive, which is unpacked anew for each.
#[derive(Debug)]
pub(super) struct Metered {
    bytes: Cursor<Shared>,
    meter: Meter,
}

/// The bytes of a file, held once.
#[derive(Debug, Clone)]
struct Shared(Rc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What is left to be read of a [`Metered`], and the place that it was last sent to.
#[derive(Debug, Clone)]
struct Meter {
    left: Rc<Cell<u64>>,
    place: Rc<Cell<u64>>,
}

/// To open it, to look for the sheet, for its merged cells, and for its cells.
const TIMES: u64 = 6;

impl Metered {
    fn new(bytes: Vec<u8>) -> (Self, Meter) {
        Self::of(Shared(Rc::new(bytes)))
    }

    fn of(bytes: Shared) -> (Self, Meter) {
        let left = Rc::new(Cell::new(TIMES * bytes.0.len() as u64 + 64 * 1024));
        let meter = Meter { left, place: Rc::default() };
        (Self { bytes: Cursor::new(bytes), meter: meter.clone() }, meter)
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        let left = self.meter.left.get().checked_sub(n as u64);
        self.meter.left.set(left.unwrap_or(0));
        left.map(|_| n).ok_or_else(|| io::Error::other("the file was read too often"))
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = self.bytes.seek(to)?;
        self.meter.place.set(place);
        Ok(place)
    }
}

impl Meter {
    /// What a failure means: if there was nothing left to be read, that.
    fn judge(&self, error: Error) -> Error {
        if self.left.get() == 0 { archive::too_much() } else { error }
    }
}

/// Worksheets; charts and dialogs are none.
fn names(sheets: &[Sheet]) -> Vec<SheetName> {
    let work = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    work.map(|sheet| SheetName { name: sheet.name.clone(), visible: sheet.visible == SheetVisible::Visible })
        .collect()
}

fn name_of(sheets: &[SheetName], sheet: usize) -> String {
    sheets.get(sheet).map_or_else(String::new, |sheet| sheet.name.clone())
}

fn merge(filler: &mut Filler<'_>, areas: &[Dimensions]) {
    for area in areas.iter().filter(|area| area.end.0 > area.start.0) {
        filler.merge(u64::from(area.start.0) + 1, u64::from(area.end.0) + 1, area.start.1 as usize);
    }
}

/// XLSX.
pub(super) struct Zipped {
    book: Xlsx<Metered>,
    meter: Meter,
    sheets: Vec<SheetName>,
    merged: bool,
    /// Whether some cell has a formula and no result of it.
    unstored: bool,
    /// What numbers are shown with, by style, once that is known.
    formats: Option<Vec<Shown>>,
    /// The file, where long numbers are looked for.
    file: Shared,
    /// Its parts, once a long number was met.
    parts: Option<Parts>,
}

/// What a style shows beside the digits of a number.
struct Shown {
    /// Its format, where that shows more than digits.
    format: Option<String>,
    currency: Option<String>,
}

impl Shown {
    fn of(style: &Style) -> Self {
        let Some(format) = &style.number_format else { return Self { format: None, currency: None } };
        let code = format.format_code.as_str();
        // Formats below this one mean the currency of whoever looks at them, whatever sign they have.
        let is_own = format.format_id.is_none_or(|id| id >= FIRST_OWN) || !code.contains("_($");
        Self {
            format: text::shows_more(code).then(|| code.to_owned()),
            currency: money::of_format(code).filter(|_| is_own),
        }
    }
}

/// Number formats of the file itself are numbered from here on (ECMA-376, 18.8.30).
const FIRST_OWN: u32 = 164;

/// The parts of an archive by the place of what they hold, to be read beside the parser, which tells no names of them.
struct Parts {
    zip: ZipArchive<Metered>,
    by_place: HashMap<u64, usize>,
}

impl Parts {
    fn of(file: Shared) -> Option<Self> {
        let (bytes, _) = Metered::of(file);
        let mut zip = ZipArchive::new(bytes).ok()?;
        let places = (0..zip.len()).filter_map(|n| Some((zip.by_index_raw(n).ok()?.data_start()?, n)));
        let by_place = places.collect();
        Some(Self { zip, by_place })
    }

    /// The numbers of the worksheet that lies here.
    fn long(&mut self, place: u64) -> Option<Long<ZipFile<'_, Metered>>> {
        let index = self.by_place.get(&place)?;
        self.zip.by_index(*index).ok().map(Long::of)
    }
}

fn of_xlsx(error: XlsxError) -> Error {
    match error {
        XlsxError::Password => locked(),
        other => damaged().with_source(other),
    }
}

impl Zipped {
    pub(super) fn open(bytes: Vec<u8>, merged: bool, unstored: bool) -> Result<Self> {
        let file = Shared(Rc::new(bytes));
        let (bytes, meter) = Metered::of(file.clone());
        let book = Xlsx::new(bytes).map_err(|error| meter.judge(of_xlsx(error)))?;
        let sheets = names(book.sheets_metadata());
        Ok(Self { book, meter, sheets, merged, unstored, formats: None, file, parts: None })
    }
}

impl Book for Zipped {
    fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()> {
        let (name, meter) = (name_of(&self.sheets, sheet), self.meter.clone());
        let failed = |error| meter.judge(of_xlsx(error));
        if self.merged && filler.wants_merged() {
            merge(filler, &self.book.merge_cells_by_sheet_name(&name).unwrap_or_default());
        }
        let mut cells = self.book.worksheet_cells_reader(&name).map_err(failed)?;
        // The parser went there last: to the part of this sheet.
        let place = meter.place.get();
        let (mut unopened, mut long) = (Some(&mut self.parts), None);
        let formats = self.formats.get_or_insert_with(|| cells.styles().iter().map(Shown::of).collect());
        while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(failed)? {
            let shown = formats.get(style);
            let (row, column) = cell.get_position();
            let format = shown.and_then(|shown| shown.format.as_deref());
            let (mut text, mut what) = text::of_cell(cell.get_value(), format);
            let is_empty = self.unstored && matches!(cell.get_value(), DataRef::Empty);
            let is_long = |value: &f64| {
                value.abs() >= EXACT && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
            };
            let number = match cell.get_value() {
                DataRef::Float(value) if is_long(value) => Some(*value),
                _ => None,
            };
            if (is_empty || number.is_some())
                && let Some(parts) = unopened.take()
            {
                if parts.is_none() {
                    *parts = Parts::of(self.file.clone());
                }
                long = parts.as_mut().and_then(|parts| parts.long(place));
            }
            if is_empty && long.as_mut().is_some_and(|long| long.is_unstored(row, column)) {
                (text, what) = (text::NO_RESULT.into(), What::NoResult);
            }
            if let Some(value) = number {
                match long.as_mut().map_or(Digits::Unknown, |long| long.digits(row, column, value)) {
                    Digits::Known(digits) => text = digits.into_string().into(),
                    Digits::Float => {}
                    // Better no number than another one.
                    Digits::Unknown => what = What::LostDigits,
                }
            }
            if what == What::Number
                && let Some(currency) = shown.and_then(|shown| shown.currency.as_deref())
            {
                (text, what) = (format!("{currency} {text}").into(), What::Amount);
            }
            if !text.is_empty() {
                filler.cell(u64::from(row) + 1, column as usize, &text, what)?;
            }
            if filler.full {
                break;
            }
        }
        Ok(())
    }
}

/// XLSB.
pub(super) struct Binary {
    book: Xlsb<Metered>,
    meter: Meter,
    sheets: Vec<SheetName>,
}

fn of_xlsb(error: XlsbError) -> Error {
    match error {
        XlsbError::Password => locked(),
        other => damaged().with_source(other),
    }
}

impl Binary {
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self> {
        let (bytes, meter) = Metered::new(bytes);
        let book = Xlsb::new(bytes).map_err(|error| meter.judge(of_xlsb(error)))?;
        let sheets = names(book.sheets_metadata());
        Ok(Self { book, meter, sheets })
    }
}

impl Book for Binary {
    fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()> {
        let (name, meter) = (name_of(&self.sheets, sheet), self.meter.clone());
        let failed = |error| meter.judge(of_xlsb(error));
        let mut cells = self.book.worksheet_cells_reader(&name).map_err(failed)?;
        while let Some(cell) = cells.next_cell().map_err(failed)? {
            let (row, column) = cell.get_position();
            let (text, what) = text::of_cell(cell.get_value(), None);
            if !text.is_empty() {
                filler.cell(u64::from(row) + 1, column as usize, &text, what)?;
            }
            if filler.full {
                break;
            }
        }
        Ok(())
    }
}

/// XLS. `calamine` lays out all its sheets when it opens it; [`ole`](super::ole) has counted what that takes.
pub(super) struct Old {
    book: Xls<Cursor<Vec<u8>>>,
    sheets: Vec<SheetName>,
    /// Its numbers that are shown with zeros before them.
    padded: Option<Padded>,
}

fn of_xls(error: XlsError) -> Error {
    match error {
        XlsError::Password => locked(),
        other => damaged().with_source(other),
    }
}

impl Old {
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self> {
        let padded = Padded::of(&bytes);
        let book = Xls::new(Cursor::new(bytes)).map_err(of_xls)?;
        let sheets = names(book.sheets_metadata());
        Ok(Self { book, sheets, padded })
    }
}

impl Book for Old {
    fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()> {
        let name = name_of(&self.sheets, sheet);
        merge(filler, &self.book.merge_cells_by_sheet_name(&name).unwrap_or_default());
        let range = self.book.worksheet_range(&name).map_err(of_xls)?;
        let (top, left) = range.start().unwrap_or_default();
        let styles = self.padded.as_ref().map(|padded| padded.sheet(sheet)).unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let (mut text, what) = text::of_data(value);
            let place = (top.saturating_add(row as u32), left.saturating_add(column as u32));
            let format = styles.get(&place).and_then(|style| self.padded.as_ref()?.format(*style));
            if let Some(shown) =
                value.as_f64().filter(|_| what == What::Number).and_then(|n| text::formatted(n, format))
            {
                text = shown.into();
            }
            if !text.is_empty() {
                filler.cell(u64::from(top) + row as u64 + 1, left as usize + column, &text, what)?;
            }
            if filler.full {
                break;
            }
        }
        Ok(())
    }
}
