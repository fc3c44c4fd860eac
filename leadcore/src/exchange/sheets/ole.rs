//! What an old workbook (XLS in an OLE container) would take, counted before it is parsed.
//!
//! The parser follows chains of sectors without looking for circles, and lays out each sheet as a grid from its first
//! cell to its last. Both are walked here first.

use super::super::kind::refused;
use super::super::scan::Limits;
use super::{damaged, locked};
use crate::error::{Error, Result, ViolationCode};

/// Bytes a cell of a grid takes: its value, its formula, and a copy of the value.
const GRID_CELL: usize = 64;
const MOST_SHEETS: usize = 1_000;
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
/// Shorter streams lie in sectors of 64 bytes.
const SHORT: u64 = 4096;

/// Looks through an OLE container.
pub(super) fn inspect(bytes: &[u8], limits: &Limits) -> Result<()> {
    let ole = Ole::open(bytes).ok_or_else(damaged)?;
    let has = |name: &str| ole.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name));
    if has("EncryptedPackage") {
        return Err(locked());
    }
    let mut any = false;
    for entry in &ole.entries {
        if ["Workbook", "Book"].iter().any(|name| entry.name.eq_ignore_ascii_case(name)) {
            let stream = ole.stream(entry).ok_or_else(damaged)?;
            measure(&stream, limits)?;
            any = true;
        }
    }
    if any {
        return Ok(());
    }
    Err(refused(if has("WordDocument") {
        "this is a Word document, not a table: save its table as CSV or XLSX"
    } else if has("PowerPoint Document") {
        "this is a presentation, not a table"
    } else if has("__properties_version1.0") {
        "this is an e-mail message, not a table"
    } else {
        "this Office file holds no workbook"
    }))
}

struct Entry {
    name: String,
    start: u32,
    length: u64,
}

struct Ole<'b> {
    bytes: &'b [u8],
    sector: usize,
    fat: Vec<u32>,
    short_fat: Vec<u32>,
    short: Vec<u8>,
    entries: Vec<Entry>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).filter_map(|chunk| u32_at(chunk, 0))
}

impl<'b> Ole<'b> {
    fn open(bytes: &'b [u8]) -> Option<Self> {
        let sector = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let (fat, short_fat) = (Vec::new(), Vec::new());
        let mut ole = Self { bytes, sector, fat, short_fat, short: Vec::new(), entries: Vec::new() };
        let mut tables: Vec<u32> = numbers(bytes.get(76..512)?).collect();
        let (mut next, mut turns) = (u32_at(bytes, 68)?, 0);
        while next < 0xFFFF_FFFA {
            turns += 1;
            tables.extend(numbers(ole.sector(next)?));
            next = tables.pop()?;
            if turns > ole.sectors() {
                return None;
            }
        }
        let tables = tables.into_iter().filter(|id| *id < 0xFFFF_FFFC);
        for table in tables.take(ole.sectors() + 1) {
            let part = numbers(ole.sector(table)?).collect::<Vec<_>>();
            ole.fat.extend(part);
        }
        let directory = ole.chain(u32_at(bytes, 48)?)?;
        for entry in directory.chunks_exact(128) {
            let name: Vec<u16> =
                entry.get(..64)?.chunks_exact(2).filter_map(|pair| u16_at(pair, 0)).collect();
            let name = name.split(|unit| *unit == 0).next().unwrap_or_default();
            let high = if sector == 512 { 0 } else { u32_at(entry, 124)? };
            let length = u64::from(high) << 32 | u64::from(u32_at(entry, 120)?);
            let start = u32_at(entry, 116)?;
            ole.entries.push(Entry { name: String::from_utf16_lossy(name), start, length });
        }
        if u32_at(bytes, 64)? > 0 {
            let root = ole.entries.first()?.start;
            ole.short = ole.chain(root)?;
            ole.short_fat = numbers(&ole.chain(u32_at(bytes, 60)?)?).collect();
        }
        Some(ole)
    }

    fn sectors(&self) -> usize {
        self.bytes.len() / self.sector
    }

    /// A sector; the last of a file may be cut.
    fn sector(&self, id: u32) -> Option<&'b [u8]> {
        let begin = (id as usize).checked_add(1)?.checked_mul(self.sector)?;
        let end = (begin + self.sector).min(self.bytes.len());
        self.bytes.get(begin..end)
    }

    /// All sectors from `id` on; none if they lead in a circle or out of the file.
    fn chain(&self, mut id: u32) -> Option<Vec<u8>> {
        let (mut found, mut turns) = (Vec::new(), 0);
        while id != END_OF_CHAIN {
            turns += 1;
            if turns > self.sectors() + 1 {
                return None;
            }
            found.extend_from_slice(self.sector(id)?);
            id = *self.fat.get(id as usize)?;
        }
        Some(found)
    }

    fn stream(&self, entry: &Entry) -> Option<Vec<u8>> {
        let mut found = if entry.length < SHORT {
            let (mut found, mut id) = (Vec::new(), entry.start);
            while id != END_OF_CHAIN && found.len() <= self.short.len() {
                let begin = id as usize * 64;
                found.extend_from_slice(self.short.get(begin..(begin + 64).min(self.short.len()))?);
                id = *self.short_fat.get(id as usize)?;
            }
            if id != END_OF_CHAIN && (found.len() as u64) < entry.length {
                return None;
            }
            found
        } else {
            self.chain(entry.start)?
        };
        found.truncate(usize::try_from(entry.length).ok()?);
        Some(found)
    }
}

/// The records of a stream: type and data.
fn records(stream: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(stream, at)?, usize::from(u16_at(stream, at + 2)?));
        let data = stream.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        Some((kind, data))
    })
}

/// Adds up the grids of all sheets.
fn measure(stream: &[u8], limits: &Limits) -> Result<()> {
    let globals = records(stream).take_while(|(kind, _)| *kind != 0x000A);
    let sheets: Vec<u32> =
        globals.filter(|(kind, _)| *kind == 0x0085).filter_map(|(_, data)| u32_at(data, 0)).collect();
    let walked = sheets.len().saturating_mul(stream.len());
    let mut cells = 0_usize;
    if sheets.len() <= MOST_SHEETS && walked as u64 <= limits.max_unpacked_bytes.saturating_mul(4) {
        for start in sheets {
            cells = cells.saturating_add(grid(stream.get(start as usize..).ok_or_else(damaged)?));
        }
    } else {
        cells = usize::MAX;
    }
    if cells > limits.max_table_bytes / GRID_CELL {
        let message = "the sheets of this old workbook reach too far: save it as XLSX or CSV";
        return Err(Error::invalid_field("file", ViolationCode::TooLong, message));
    }
    Ok(())
}

/// How many cells the grid of a sheet has: from the first to the last that holds something, or as it says itself.
fn grid(sheet: &[u8]) -> usize {
    let (mut depth, mut said) = (0_usize, 0_usize);
    let mut area: Option<(usize, usize, usize, usize)> = None;
    for (kind, data) in records(sheet) {
        match kind {
            0x0809 => depth += 1,
            0x000A if depth <= 1 => break,
            0x000A => depth -= 1,
            _ => {}
        }
        let number = |at: usize| u16_at(data, at).map(usize::from);
        if kind == 0x0200 {
            let wide = data.len() >= 14;
            let rows = if wide { u32_at(data, 4).map(|row| row as usize) } else { number(2) };
            let columns = number(if wide { 10 } else { 6 });
            said = said.max(rows.unwrap_or(0).saturating_mul(columns.unwrap_or(0)));
        }
        if matches!(kind, 0x0203 | 0x0204 | 0x00D6 | 0x0205 | 0x027E | 0x00FD | 0x0006 | 0x00BD)
            && let (Some(row), Some(first)) = (number(0), number(2))
        {
            let last = if kind == 0x00BD { data.len().checked_sub(2).and_then(number) } else { None };
            let last = last.unwrap_or(first).max(first);
            area = Some(area.map_or((row, row, first, last), |(top, bottom, left, right)| {
                (top.min(row), bottom.max(row), left.min(first), right.max(last))
            }));
        }
    }
    let used = area.map_or(0, |(top, bottom, left, right)| (bottom - top + 1) * (right - left + 1));
    used.max(said)
}
