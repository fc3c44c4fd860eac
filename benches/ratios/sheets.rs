//! A workbook: read alone, and imported, beside calamine with nothing around it.

use std::fs::File;
use std::path::{Path, PathBuf};

use calamine::{Data, Reader as _, Xlsx};
use leadcore::exchange::{ReadOptions, Row, Table};
use rust_xlsxwriter::Workbook;

use crate::bare_write;
use crate::fixture::bare;
use crate::import::{empty, file, import_into, remove};
use crate::runner::{Line, Runner, median, show, timed};

/// More would pass the limit of the text that is kept of a sheet.
const MOST: usize = 100_000;

/// The rows of the CSV in a workbook; amounts as numbers, the rest as texts.
fn workbook(dir: &Path, lines: usize) -> PathBuf {
    let path = dir.join(format!("leads-{lines}.xlsx"));
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_low_memory().unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(file(dir, lines)).unwrap();
    for (n, record) in reader.records().enumerate() {
        let row = u32::try_from(n).unwrap();
        for (column, cell) in record.unwrap().iter().enumerate() {
            let at = u16::try_from(column).unwrap();
            match cell.parse::<f64>() {
                _ if cell.is_empty() => {}
                Ok(number) if column == 11 => drop(sheet.write_number(row, at, number).unwrap()),
                _ => drop(sheet.write_string(row, at, cell).unwrap()),
            }
        }
    }
    book.save(&path).unwrap();
    path
}

fn ours(path: &Path) -> usize {
    let mut table = Table::open(File::open(path).unwrap(), &ReadOptions::new()).unwrap();
    let (mut row, mut cells) = (Row::new(), 0);
    while table.next_row(&mut row).unwrap() {
        cells += row.iter().filter(|cell| !cell.is_empty()).count();
    }
    cells
}

/// The rows under the header, every cell a text of its own.
fn bare_rows(path: &Path, mut each: impl FnMut(&mut csv::StringRecord)) {
    let mut book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let mut record = csv::StringRecord::new();
    for row in range.rows().skip(1) {
        record.clear();
        for cell in row {
            match cell {
                Data::Empty => record.push_field(""),
                Data::String(text) => record.push_field(text),
                other => record.push_field(&other.to_string()),
            }
        }
        each(&mut record);
    }
}

fn theirs(path: &Path) -> usize {
    let mut cells = 0;
    bare_rows(path, |record| cells += record.iter().filter(|cell| !cell.is_empty()).count());
    cells
}

/// Into two empty databases.
fn imported(path: &Path, dir: &Path, lines: usize) -> Line {
    let at = dir.join("import-sheet.db");
    let (store, _) = empty(&at);
    let (report, ours, _) = timed(|| import_into(&store, path, &mut ()));
    drop(store);
    let (store, place) = empty(&at);
    drop(store);
    let conn = bare(&at);
    let (created, theirs, _) = timed(|| {
        let mut rows = Vec::new();
        bare_rows(path, |record| rows.push(record.clone()));
        let mut rows = rows.into_iter();
        bare_write::import_rows(&conn, place, |record| rows.next().map(|row| *record = row).is_some())
    });
    drop(conn);
    remove(&at);
    let apart = report.created.abs_diff(created);
    assert!(apart * 50 <= created, "{} leads and {created} are not the same work", report.created);
    Line {
        name: "import an XLSX file",
        size: lines,
        leadcore: ours.as_secs_f64(),
        bare: theirs.as_secs_f64(),
        note: "calamine, then bare inserts".to_owned(),
    }
}

/// The same workbook through both.
pub(crate) fn run(runner: Runner, dir: &Path, lines: usize) -> Vec<Line> {
    if lines > MOST {
        return Vec::new();
    }
    let path = workbook(dir, lines);
    assert_eq!(ours(&path), theirs(&path), "both see the same cells");
    let rounds = if runner.try_out { 1 } else { 3 };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(timed(|| ours(&path)).1.as_secs_f64());
        times.1.push(timed(|| theirs(&path)).1.as_secs_f64());
    }
    let read = Line {
        name: "read an XLSX file",
        size: lines,
        leadcore: median(times.0),
        bare: median(times.1),
        note: "calamine alone".to_owned(),
    };
    let lines = vec![read, imported(&path, dir, lines)];
    lines.iter().for_each(|line| eprintln!("{}", show(line)));
    lines
}
