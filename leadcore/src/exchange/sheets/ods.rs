//! OpenDocument spreadsheets, read as a stream.
//!
//! A few hundred bytes can say that a row repeats a million times and a cell sixteen thousand; here that is a counter
//! until there is something to be repeated.

use std::collections::HashMap;
use std::io::{BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::super::RowProblem;
use super::super::filler::{Filler, What};
use super::super::held::{Held, SheetName};
use super::super::scan::Limits;
use super::{LONGEST_NAME, MOST_SHEETS, PROBE_ROWS, damaged, locked, text, too_many_sheets};
use crate::error::{Error, Result};
use crate::exchange::floats::{EXACT, float_text};
use crate::value::Currency;

/// No spreadsheet has more rows.
const MOST_ROWS: u64 = 1_048_576;
/// More blanks than this are not written by people.
const MOST_BLANKS: usize = 1_000;

type Xml<'z> = Reader<BufReader<ZipFile<'z, Cursor<Vec<u8>>>>>;

pub(super) struct Book {
    zip: ZipArchive<Cursor<Vec<u8>>>,
    sheets: Vec<SheetName>,
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    damaged().with_source(error)
}

/// An attribute's text, entities resolved.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok().flatten()?;
    unescape(&found.value).ok().map(std::borrow::Cow::into_owned)
}

fn count(tag: &BytesStart<'_>, name: &str) -> u64 {
    attribute(tag, name).and_then(|text| text.parse().ok()).unwrap_or(1)
}

impl Book {
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        if let Ok(manifest) = zip.by_name("META-INF/manifest.xml") {
            let mut text = Vec::new();
            let _ = manifest.take(1024 * 1024).read_to_end(&mut text);
            if String::from_utf8_lossy(&text).contains(":encryption-data") {
                return Err(locked());
            }
        }
        let mut book = Self { zip, sheets: Vec::new() };
        book.sheets = book.names()?;
        Ok(book)
    }

    fn content(&mut self) -> Result<Xml<'_>> {
        let part = self.zip.by_name("content.xml").map_err(broken)?;
        let mut xml = Reader::from_reader(BufReader::with_capacity(64 * 1024, part));
        let config = xml.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        Ok(xml)
    }

    /// The tables of the document, those inside cells of others not among them.
    fn names(&mut self) -> Result<Vec<SheetName>> {
        let mut xml = self.content()?;
        let (mut buffer, mut depth) = (Vec::new(), 0_usize);
        let (mut sheets, mut hidden) = (Vec::new(), HashMap::new());
        let mut style = None;
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer).map_err(broken)? {
                Event::Start(tag) => match tag.name().as_ref() {
                    "style:style" => style = attribute(&tag, "style:name"),
                    "style:table-properties" => {
                        let off = attribute(&tag, "table:display").is_some_and(|shown| shown == "false");
                        if let Some(style) = style.clone().filter(|_| off) {
                            // A style that hides is one of a sheet.
                            if hidden.len() == MOST_SHEETS {
                                return Err(too_many_sheets());
                            }
                            if style.len() > LONGEST_NAME {
                                return Err(damaged());
                            }
                            hidden.insert(style, ());
                        }
                    }
                    "table:table" => {
                        if depth == 0 {
                            let name = attribute(&tag, "table:name").unwrap_or_default();
                            let style = attribute(&tag, "table:style-name").unwrap_or_default();
                            if sheets.len() == MOST_SHEETS {
                                return Err(too_many_sheets());
                            }
                            if name.len() > LONGEST_NAME {
                                return Err(damaged());
                            }
                            sheets.push(SheetName { name, visible: !hidden.contains_key(&style) });
                        }
                        depth += 1;
                    }
                    _ => {}
                },
                Event::End(tag) if tag.name().as_ref() == "table:table" => depth = depth.saturating_sub(1),
                Event::Eof => return Ok(sheets),
                _ => {}
            }
        }
    }
}

impl super::Book for Book {
    fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    fn fill(&mut self, sheet: usize, filler: &mut Filler<'_>) -> Result<()> {
        let mut tables = Tables::new(self.content()?);
        while let Some(place) = tables.next()? {
            if place == sheet {
                return tables.fill(filler);
            }
            tables.pass()?;
        }
        Ok(())
    }

    /// All in one walk: each sheet lies behind the ones before it.
    fn probe(
        &mut self,
        sheets: &[usize],
        limits: &Limits,
        is_enough: &mut dyn FnMut(usize, &Held) -> bool,
    ) -> Result<()> {
        let mut tables = Tables::new(self.content()?);
        while let Some(place) = tables.next()? {
            if sheets.contains(&place) {
                let mut filler = Filler::new(limits, PROBE_ROWS);
                tables.fill(&mut filler)?;
                if is_enough(place, &filler.finish()?) {
                    break;
                }
            }
            tables.pass()?;
        }
        Ok(())
    }
}

/// A walk over the tables of a document.
struct Tables<'z> {
    xml: Xml<'z>,
    buffer: Vec<u8>,
    /// How many tables are open: those inside cells of others are none of their own.
    depth: usize,
    seen: usize,
}

impl<'z> Tables<'z> {
    const fn new(xml: Xml<'z>) -> Self {
        Self { xml, buffer: Vec::new(), depth: 0, seen: 0 }
    }

    /// Goes on to where the next table begins; its place.
    fn next(&mut self) -> Result<Option<usize>> {
        loop {
            self.buffer.clear();
            match self.xml.read_event_into(&mut self.buffer).map_err(broken)? {
                Event::Start(tag) if tag.name().as_ref() == "table:table" => {
                    self.depth = 1;
                    self.seen += 1;
                    return Ok(Some(self.seen - 1));
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Whether an event ends the table.
    fn ends(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Start(tag) if tag.name().as_ref() == "table:table" => self.depth += 1,
            Event::End(tag) if tag.name().as_ref() == "table:table" => {
                self.depth = self.depth.saturating_sub(1);
            }
            Event::Eof => self.depth = 0,
            _ => {}
        }
        self.depth == 0
    }

    /// Passes over the rest of the table.
    fn pass(&mut self) -> Result<()> {
        while self.depth > 0 {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let event = self.xml.read_event_into(&mut buffer).map_err(broken)?;
            self.ends(&event);
            drop(event);
            self.buffer = buffer;
        }
        Ok(())
    }

    /// Gives the rows of the table.
    fn fill(&mut self, filler: &mut Filler<'_>) -> Result<()> {
        let mut line = 1;
        let mut buffer = Vec::new();
        while !filler.full && line <= MOST_ROWS {
            buffer.clear();
            let event = self.xml.read_event_into(&mut buffer).map_err(broken)?;
            if self.ends(&event) {
                break;
            }
            match event {
                Event::Start(tag) if self.depth == 1 && tag.name().as_ref() == "table:table-row" => {
                    let repeats = count(&tag, "table:number-rows-repeated");
                    let cells = row(&mut self.xml, line, filler)?;
                    line = repeat(&cells, line, repeats, filler)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

struct Cell {
    column: u64,
    repeats: u64,
    text: String,
    what: What,
}

/// The cells of a row that hold something, or what is wrong with it.
type Cells = std::result::Result<Vec<Cell>, RowProblem>;

/// Gives a row as often as it stands for; the line behind it.
fn repeat(cells: &Cells, line: u64, repeats: u64, filler: &mut Filler<'_>) -> Result<u64> {
    let behind = line.saturating_add(repeats);
    if cells.as_ref().is_ok_and(Vec::is_empty) {
        return Ok(behind);
    }
    for line in line..behind.min(MOST_ROWS + 1) {
        match cells {
            Err(problem) => filler.damaged(line, *problem, "")?,
            Ok(cells) => {
                for cell in cells {
                    for column in cell.column..cell.column + cell.repeats {
                        let column = usize::try_from(column).unwrap_or(usize::MAX);
                        filler.cell(line, column, &cell.text, cell.what)?;
                    }
                }
            }
        }
        if filler.full {
            break;
        }
    }
    Ok(behind)
}

/// The cells of a row. What they hold is weighed before it is kept, each as often as it repeats.
fn row(xml: &mut Xml<'_>, line: u64, filler: &mut Filler<'_>) -> Result<Cells> {
    let limits = filler.limits();
    let (mut buffer, mut column, mut size) = (Vec::new(), 0_u64, 0_u64);
    let mut cells: Cells = Ok(Vec::new());
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(broken)? {
            Event::Start(tag)
                if matches!(tag.name().as_ref(), "table:table-cell" | "table:covered-table-cell") =>
            {
                // Beyond the last column of any spreadsheet it is one column too many, and told as such.
                let repeats = count(&tag, "table:number-columns-repeated").min(16_385);
                let rows = count(&tag, "table:number-rows-spanned");
                let (text, what) = cell(xml, &tag, limits.max_cell_bytes)?;
                size = size.saturating_add(repeats.saturating_mul(text.len() as u64));
                let problem = if text.is_empty() || repeats == 0 {
                    None
                } else if column.saturating_add(repeats) > limits.max_columns as u64 {
                    Some(RowProblem::TooManyColumns)
                } else if text.len() > limits.max_cell_bytes {
                    Some(RowProblem::CellTooLarge)
                } else if size > limits.max_record_bytes as u64 {
                    Some(RowProblem::RecordTooLarge)
                } else {
                    None
                };
                if let Some(problem) = problem {
                    cells = Err(problem);
                } else if let Ok(cells) = &mut cells
                    && !text.is_empty()
                    && repeats > 0
                {
                    let last = line.saturating_add(rows.saturating_sub(1)).min(MOST_ROWS);
                    filler.merge(line, last, usize::try_from(column).unwrap_or(0));
                    cells.push(Cell { column, repeats, text, what });
                }
                column = column.saturating_add(repeats);
            }
            Event::End(tag) if tag.name().as_ref() == "table:table-row" => return Ok(cells),
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

/// A cell's text, and what it holds.
fn cell(xml: &mut Xml<'_>, tag: &BytesStart<'_>, most: usize) -> Result<(String, What)> {
    let value = |name: &str| attribute(tag, name);
    let kind = value("office:value-type").unwrap_or_default();
    let failed = value("calcext:value-type").is_some_and(|kind| kind == "error");
    let stored = match kind.as_str() {
        "float" | "currency" | "percentage" => value("office:value"),
        "date" => value("office:date-value").map(|date| text::iso(&date)),
        "time" => value("office:time-value").map(|time| text::duration(&time)),
        "boolean" => value("office:boolean-value").map(|yes| yes.to_ascii_lowercase()),
        _ => value("office:string-value").filter(|text| !text.is_empty()),
    };
    let shown = paragraphs(xml, tag.name().as_ref(), most)?;
    if failed {
        return Ok((shown, What::Error));
    }
    if kind.is_empty() && shown.is_empty() && value("table:formula").is_some() {
        return Ok((text::NO_RESULT.to_owned(), What::NoResult));
    }
    let number = stored.as_deref().and_then(|stored| stored.parse::<f64>().ok());
    let is_number = matches!(kind.as_str(), "float" | "currency" | "percentage");
    let text = match (kind.as_str(), number, stored) {
        ("percentage", Some(number), _) => format!("{}%", float_text(number * 100.0)),
        // Shown with zeros before it: a zip code or an id.
        ("float", Some(number), _) if is_padded(&shown, number) => shown,
        // Of more digits than a float holds, those that are written.
        ("float" | "currency", Some(number), Some(stored)) if is_long(&stored, number) => stored,
        ("float" | "currency", Some(number), _) => float_text(number),
        (_, _, Some(stored)) => stored,
        _ => shown,
    };
    let text = match value("office:currency").filter(|_| kind == "currency" && number.is_some()) {
        Some(code) if Currency::parse(&code).is_ok() => {
            return Ok((format!("{} {text}", code.trim()), What::Amount));
        }
        _ => text,
    };
    Ok((text, if number.is_some() && is_number { What::Number } else { What::Text }))
}

fn is_long(stored: &str, number: f64) -> bool {
    let digits = stored.strip_prefix('-').unwrap_or(stored);
    number.abs() >= EXACT && digits.len() <= 40 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_padded(shown: &str, number: f64) -> bool {
    shown.starts_with('0')
        && shown.len() > 1
        && shown.bytes().all(|byte| byte.is_ascii_digit())
        && shown.parse::<f64>().is_ok_and(|shown| shown == number)
}

/// The text up to the end of the cell, remarks not included; a little of what is beyond `most` bytes.
fn paragraphs(xml: &mut Xml<'_>, end: &str, most: usize) -> Result<String> {
    let (mut buffer, mut shown, mut remark, mut first, mut inside) =
        (Vec::new(), String::new(), 0_usize, true, 0_usize);
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(broken)? {
            Event::Start(tag) => match tag.name().as_ref() {
                "office:annotation" => remark += 1,
                name if name == end => inside += 1,
                _ if remark > 0 || shown.len() > most => {}
                "text:p" if !std::mem::take(&mut first) => shown.push('\n'),
                "text:s" => {
                    let blanks = usize::try_from(count(&tag, "text:c")).unwrap_or(MOST_BLANKS);
                    shown.extend(std::iter::repeat_n(' ', blanks.min(MOST_BLANKS)));
                }
                "text:tab" => shown.push('\t'),
                "text:line-break" => shown.push('\n'),
                _ => {}
            },
            Event::End(tag) => match tag.name().as_ref() {
                "office:annotation" => remark = remark.saturating_sub(1),
                name if name == end && inside == 0 => return Ok(shown),
                name if name == end => inside -= 1,
                _ => {}
            },
            Event::Text(part) if remark == 0 && !first && shown.len() <= most => {
                shown.push_str(&part.xml10_content());
            }
            Event::GeneralRef(entity) if remark == 0 && shown.len() <= most => {
                let name = format!("&{};", entity.into_inner());
                shown.push_str(&unescape(&name).map_err(broken)?);
            }
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}
