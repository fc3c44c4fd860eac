//! What an old workbook (XLS in an OLE container) would take, counted before it is parsed.
//!
//! The parser follows chains of sectors without looking for circles, lays out each sheet as a grid from its first cell to
//! its last, and gives every cell a copy of its text. All that is walked here first.

use super::super::kind::refused;
use super::super::scan::Limits;
use super::{MOST_SHEETS, damaged, locked, sst, too_many_sheets};
use crate::error::{Error, Result, ViolationCode};

/// Bytes a cell of a grid takes: its value, its formula, and a copy of the value.
const GRID_CELL: usize = 64;
/// Bytes of a cell before it is put into its grid, and of a merged area.
const CELL: usize = 40;
/// More records in a row that continue another nobody writes; the parser takes them off a list from its front.
const MOST_CONTINUED: usize = 40_000;
/// What a defined name takes besides its text.
const NAME: usize = 128;
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
    // Of several of one name the first is read.
    let of = |name: &str| ole.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
    let books = [of("Workbook"), of("Book")];
    for entry in books.iter().flatten() {
        measure(&ole.stream(entry).ok_or_else(damaged)?, limits)?;
    }
    if books.iter().any(Option::is_some) {
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

/// The stream of the workbook that is read.
pub(super) fn workbook(bytes: &[u8]) -> Option<Vec<u8>> {
    let ole = Ole::open(bytes)?;
    ole.stream(ole.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case("Workbook"))?)
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

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
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
            // A byte order mark, which the parser heeds: no name has one.
            if matches!(name.first(), Some(0xFEFF | 0xFFFE | 0xBBEF)) {
                return None;
            }
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
pub(super) fn records(stream: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(stream, at)?, usize::from(u16_at(stream, at + 2)?));
        let data = stream.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        Some((kind, data))
    })
}

/// What the list of sheets and what they share say.
#[derive(Default)]
struct Globals<'s> {
    /// Where the sheets begin.
    sheets: Vec<u32>,
    /// The texts that cells share, over several records.
    shared: Vec<&'s [u8]>,
    /// How many defined names there are, and the bytes they are written with.
    names: usize,
    name_bytes: usize,
    /// The longest name of a sheet or of something defined: formulas are written out with it.
    longest_name: usize,
}

impl<'s> Globals<'s> {
    fn read(stream: &'s [u8]) -> Result<Self> {
        let mut found = Self::default();
        let (mut continued, mut is_shared) = (0, false);
        for (kind, data) in records(stream).take_while(|(kind, _)| *kind != 0x000A) {
            continued = if kind == 0x003C { continued + 1 } else { 0 };
            if continued > MOST_CONTINUED {
                return Err(damaged());
            }
            match kind {
                0x003C if is_shared => found.shared.push(data),
                0x003C => {}
                0x00FC => found.shared = vec![data],
                0x0085 => {
                    found.sheets.extend(u32_at(data, 0));
                    found.longest_name = found.longest_name.max(data.len());
                }
                0x0018 => {
                    found.names += 1;
                    found.name_bytes += data.len();
                    found.longest_name = found.longest_name.max(data.get(3).copied().unwrap_or(0).into());
                }
                _ => {}
            }
            is_shared = kind == 0x00FC || (kind == 0x003C && is_shared);
            if found.sheets.len() > MOST_SHEETS {
                return Err(too_many_sheets());
            }
        }
        Ok(found)
    }

    /// The text of so many bytes of formulas: five bytes may stand for a name.
    const fn formulas(&self, bytes: usize) -> usize {
        bytes.saturating_mul(4 + self.longest_name * 3 / 5)
    }
}

/// What sheets would take.
#[derive(Default)]
struct Weight {
    /// Cells of their grids.
    grid: usize,
    /// Bytes besides.
    bytes: usize,
}

impl Weight {
    const fn is_too_much(&self, limits: &Limits) -> bool {
        let most = limits.max_table_bytes;
        self.grid > most / GRID_CELL || self.bytes.saturating_add(self.grid * CELL) > most.saturating_mul(2)
    }
}

/// Adds up what all sheets take.
fn measure(stream: &[u8], limits: &Limits) -> Result<()> {
    let too_far = || {
        let message = "the sheets of this old workbook reach too far: save it as XLSX or CSV";
        Error::invalid_field("file", ViolationCode::TooLong, message)
    };
    let globals = Globals::read(stream)?;
    let texts = sst::lengths(&globals.shared, limits.max_table_bytes).ok_or_else(too_far)?;
    let names = globals.formulas(globals.name_bytes).saturating_add(
        // Each with the name of the sheet that it is on.
        globals.names.saturating_mul(NAME + globals.longest_name),
    );
    let mut weight = Weight { grid: 0, bytes: names };
    // One part of the file may be several sheets.
    let mut left = limits.max_unpacked_bytes.saturating_mul(4);
    for start in &globals.sheets {
        let sheet = stream.get(*start as usize..).ok_or_else(damaged)?;
        let walked = weigh(sheet, &globals, &texts, &mut weight)?;
        left = left.checked_sub(walked as u64).ok_or_else(too_far)?;
        if weight.is_too_much(limits) {
            return Err(too_far());
        }
    }
    if weight.is_too_much(limits) { Err(too_far()) } else { Ok(()) }
}

/// Adds what a sheet takes; how many bytes of the file it is.
///
/// The grid of a sheet reaches from the first to the last cell that holds something, or as far as it says itself.
fn weigh(sheet: &[u8], globals: &Globals<'_>, texts: &[u32], weight: &mut Weight) -> Result<usize> {
    let (mut depth, mut said, mut walked, mut continued) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut area: Option<(usize, usize, usize, usize)> = None;
    for (kind, data) in records(sheet) {
        walked += 4 + data.len();
        continued = if kind == 0x003C { continued + 1 } else { 0 };
        match kind {
            0x003C if continued > MOST_CONTINUED => return Err(damaged()),
            0x0809 => depth += 1,
            0x000A if depth <= 1 => break,
            0x000A => depth -= 1,
            _ => {}
        }
        let number = |at: usize| u16_at(data, at).map(usize::from);
        let bytes = match kind {
            0x0200 => {
                said = said.max(dimensions(data));
                0
            }
            0x0204 | 0x00D6 | 0x0207 => CELL + 2 * data.len(),
            0x00FD => {
                let text = u32_at(data, 6).and_then(|place| texts.get(place as usize));
                CELL + text.map_or(0, |length| *length as usize)
            }
            0x0006 => 2 * CELL + globals.formulas(data.len()),
            0x0203 | 0x0205 | 0x027E => CELL,
            0x00BD => data.len() / 6 * CELL,
            0x00E5 => data.len() / 8 * CELL,
            _ => 0,
        };
        weight.bytes = weight.bytes.saturating_add(bytes);
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
    weight.grid = weight.grid.saturating_add(used.max(said));
    Ok(walked)
}

/// The cells for which room is made, by what a sheet says of itself: counted as the parser does, which goes round at zero
/// where the last row stands before the first.
fn dimensions(data: &[u8]) -> usize {
    let small = |at: usize| u16_at(data, at).map_or(0, u32::from);
    let large = |at: usize| u32_at(data, at).unwrap_or(0);
    let (top, bottom, left, right) = if data.len() >= 14 {
        (large(0), large(4), small(8), small(10))
    } else {
        (small(0), small(2), small(4), small(6))
    };
    let left = if left > 0xFF || right < left { 0 } else { left };
    if bottom == 0 || right == 0 {
        return 1;
    }
    let rows = bottom.wrapping_sub(top) as usize;
    rows.saturating_mul(right.wrapping_sub(left) as usize)
}
