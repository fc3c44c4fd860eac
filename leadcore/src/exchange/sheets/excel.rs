//! The three kinds of Excel workbooks, by `calamine`.

use std::io::Cursor;

use calamine::{
    Dimensions, Reader, Sheet, SheetType, SheetVisible, Style, Xls, XlsError, Xlsb, XlsbError, Xlsx,
    XlsxError,
};

use super::super::held::{Filler, SheetName};
use super::{Book, damaged, locked, text};
use crate::error::{Error, Result};

type Bytes = Cursor<Vec<u8>>;

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
    book: Xlsx<Bytes>,
    sheets: Vec<SheetName>,
    merged: bool,
}

fn of_xlsx(error: XlsxError) -> Error {
    match error {
        XlsxError::Password => locked(),
        other => damaged().with_source(other),
    }
}

impl Zipped {
    pub(super) fn open(bytes: Vec<u8>, merged: bool) -> Result<Self> {
        let book = Xlsx::new(Cursor::new(bytes)).map_err(of_xlsx)?;
        let sheets = names(book.sheets_metadata());
        Ok(Self { book, sheets, merged })
    }
}

impl Book for Zipped {
    fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()> {
        let name = name_of(&self.sheets, sheet);
        if self.merged
            && let Ok(areas) = self.book.merge_cells_by_sheet_name(&name)
        {
            merge(filler, &areas);
        }
        let mut cells = self.book.worksheet_cells_reader(&name).map_err(of_xlsx)?;
        let code = |style: &Style| style.number_format.as_ref().map(|format| format.format_code.clone());
        let formats: Vec<Option<String>> = cells.styles().iter().map(code).collect();
        while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(of_xlsx)? {
            let format = formats.get(style).and_then(Option::as_deref);
            let (row, column) = cell.get_position();
            let (text, error) = text::of_cell(cell.get_value(), format);
            if !text.is_empty() {
                filler.cell(u64::from(row) + 1, column as usize, text, error)?;
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
    book: Xlsb<Bytes>,
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
        let book = Xlsb::new(Cursor::new(bytes)).map_err(of_xlsb)?;
        let sheets = names(book.sheets_metadata());
        Ok(Self { book, sheets })
    }
}

impl Book for Binary {
    fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()> {
        let name = name_of(&self.sheets, sheet);
        let mut cells = self.book.worksheet_cells_reader(&name).map_err(of_xlsb)?;
        while let Some(cell) = cells.next_cell().map_err(of_xlsb)? {
            let (row, column) = cell.get_position();
            let (text, error) = text::of_cell(cell.get_value(), None);
            if !text.is_empty() {
                filler.cell(u64::from(row) + 1, column as usize, text, error)?;
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
    book: Xls<Bytes>,
    sheets: Vec<SheetName>,
}

fn of_xls(error: XlsError) -> Error {
    match error {
        XlsError::Password => locked(),
        other => damaged().with_source(other),
    }
}

impl Old {
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self> {
        let book = Xls::new(Cursor::new(bytes)).map_err(of_xls)?;
        let sheets = names(book.sheets_metadata());
        Ok(Self { book, sheets })
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
        for (row, column, value) in range.used_cells() {
            let (text, error) = text::of_data(value);
            if !text.is_empty() {
                filler.cell(u64::from(top) + row as u64 + 1, left as usize + column, text, error)?;
            }
            if filler.full {
                break;
            }
        }
        Ok(())
    }
}
