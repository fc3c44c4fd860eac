//! Sheets of workbooks: XLSX, XLSB and XLS by `calamine`, ODS by a reader of its own.
//!
//! A workbook is read in three steps: what it would take is counted before anything is believed ([`archive`], [`ole`]);
//! a sheet is chosen; its cells become text in a [`Filler`]. The parsers are not ours and meet hostile files, so a panic
//! in them ends as a refusal of the file. Of `calamine` only the readers that stream are used for zipped workbooks: the
//! others lay out a grid as large as a file says, and an allocation that fails ends the process.

mod archive;
mod excel;
mod long;
mod money;
mod ods;
mod ole;
mod padded;
mod records;
mod sst;
mod text;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::filler::Filler;
use super::held::{HEAD_ROWS, Held, HeldTable, SheetName};
use super::kind::{Family, FileKind, refused};
use super::options::{ReadOptions, SheetChoice};
use super::scan::Limits;
use super::table::Extent;
use super::template::TEMPLATE_SHEETS;
use crate::error::{Error, Result, ViolationCode};

/// By so many rows a sheet is recognised as a table.
const PROBE_ROWS: usize = 20;
/// A workbook of more sheets is refused; programs for people end far below.
const MOST_SHEETS: usize = 1_000;
/// Names of sheets have 31 characters; what is longer than so many bytes was not made by a spreadsheet program.
const LONGEST_NAME: usize = 1_024;

/// A workbook of any kind.
trait Book {
    fn sheets(&self) -> &[SheetName];
    /// Gives the cells of a sheet in their order, until the filler is full.
    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()>;
    /// Shows the first rows of these sheets, whose places rise, one after the other, until told that it is enough.
    fn probe(
        &mut self,
        sheets: &[usize],
        limits: &Limits,
        is_enough: &mut dyn FnMut(usize, &Held) -> bool,
    ) -> Result<()> {
        for sheet in sheets {
            let mut filler = Filler::new(limits, PROBE_ROWS);
            self.fill(*sheet, &mut filler)?;
            if is_enough(*sheet, &filler.finish()?) {
                break;
            }
        }
        Ok(())
    }
}

/// Reads a sheet.
pub(super) fn read(
    bytes: Vec<u8>,
    options: &ReadOptions,
    family: Family,
    extent: Extent,
) -> Result<HeldTable> {
    guarded(|| {
        let (kind, mut book) = open(bytes, options, family)?;
        let sheet = choose(book.as_mut(), options)?;
        let most = if extent == Extent::Head { HEAD_ROWS } else { usize::MAX };
        let held = take(book.as_mut(), sheet, options, most)?;
        let sheets = book.sheets().to_vec();
        drop(book);
        let name = sheets.get(sheet).map_or_else(String::new, |sheet| sheet.name.clone());
        HeldTable::of_sheet(kind, name, sheets, held, options)
    })
}

fn open(bytes: Vec<u8>, options: &ReadOptions, family: Family) -> Result<(FileKind, Box<dyn Book>)> {
    let (kind, book): (_, Box<dyn Book>) = if family == Family::Ole {
        ole::inspect(&bytes, &options.limits)?;
        (FileKind::Xls, Box::new(excel::Old::open(bytes)?))
    } else {
        let found = archive::inspect(&bytes, &options.limits)?;
        let book: Box<dyn Book> = match found.kind {
            FileKind::Ods => Box::new(ods::Book::open(bytes)?),
            FileKind::Xlsb => Box::new(excel::Binary::open(bytes)?),
            _ => Box::new(excel::Zipped::open(bytes, found.merged, found.unstored)?),
        };
        (found.kind, book)
    };
    check_names(book.sheets())?;
    Ok((kind, book))
}

fn check_names(sheets: &[SheetName]) -> Result<()> {
    if sheets.len() > MOST_SHEETS {
        return Err(too_many_sheets());
    }
    if sheets.iter().any(|sheet| sheet.name.len() > LONGEST_NAME) { Err(damaged()) } else { Ok(()) }
}

fn too_many_sheets() -> Error {
    let message =
        format!("the workbook has more than {MOST_SHEETS} sheets: save the one that is wanted alone");
    Error::invalid_field("file", ViolationCode::TooLong, message)
}

/// A panic of a parser is a damaged file. Nothing that it worked on is used afterwards.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged()))
}

fn damaged() -> Error {
    refused("the workbook is damaged: open it in a spreadsheet program and save it again")
}

fn locked() -> Error {
    refused("the workbook is locked by a password: save it without one")
}

fn take(book: &mut dyn Book, sheet: usize, options: &ReadOptions, most: usize) -> Result<Held> {
    let mut filler = Filler::new(&options.limits, most);
    book.fill(sheet, &mut filler)?;
    filler.finish()
}

/// The sheet that was asked for; else that of our own template; else the first visible one that holds rows of two columns
/// or more; else the first that holds anything.
fn choose(book: &mut dyn Book, options: &ReadOptions) -> Result<usize> {
    let sheets = book.sheets().to_vec();
    let missing = |message: &str| Err(Error::invalid_field("sheet", ViolationCode::Unknown, message));
    match &options.sheet {
        Some(SheetChoice::Index(index)) if *index < sheets.len() => return Ok(*index),
        Some(SheetChoice::Index(_)) => return missing("the workbook has fewer sheets"),
        Some(SheetChoice::Name(name)) => {
            let wanted = name.trim().to_lowercase();
            let exact = sheets.iter().position(|sheet| sheet.name == *name);
            let alike = || sheets.iter().position(|sheet| sheet.name.trim().to_lowercase() == wanted);
            return exact
                .or_else(alike)
                .map_or_else(|| missing("the workbook has no sheet of this name"), Ok);
        }
        None => {}
    }
    let visible: Vec<usize> =
        (0..sheets.len()).filter(|n| sheets.get(*n).is_some_and(|s| s.visible)).collect();
    if let [only] = visible.as_slice() {
        return Ok(*only);
    }
    let named = |name: &str| sheets.iter().position(|sheet| sheet.name == name);
    // Not filled in, its sheet for leads looks emptier than the others.
    if let [Some(leads), Some(_), Some(_)] = TEMPLATE_SHEETS.map(named)
        && visible.contains(&leads)
    {
        return Ok(leads);
    }
    let (mut chosen, mut something) = (None, None);
    book.probe(&visible, &options.limits, &mut |sheet, held| {
        if held.len() > 0 {
            something.get_or_insert(sheet);
        }
        if held.len() > 1 && held.width() > 1 {
            chosen = Some(sheet);
        }
        chosen.is_some()
    })?;
    chosen.or(something).map_or_else(
        || {
            let hidden = sheets.iter().any(|sheet| !sheet.visible);
            let message = if hidden {
                "no visible sheet of the workbook holds anything; a hidden one can be chosen by its name"
            } else {
                "no sheet of the workbook holds anything"
            };
            Err(Error::invalid_field("file", ViolationCode::Required, message))
        },
        Ok,
    )
}

#[cfg(test)]
mod long_tests;
#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod old_tests;
#[cfg(test)]
mod tests;
