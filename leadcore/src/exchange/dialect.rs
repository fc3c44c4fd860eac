//! How a file is laid out: delimiter, quoting, lines before the header, and whether there is a header at all.
//!
//! Everything is judged on a bounded sample. `csv-nose` (table uniformity) proposes the delimiter; a count of our own
//! checks it, because a proposal that tears the sample apart is worse than the plain answer. Where the caller knows names
//! of columns, the delimiter that parts the most of them wins.

mod apart;

use std::collections::{HashMap, HashSet};
use std::io;

use super::Row;
use super::decode::{Decoded, TextEncoding};
use super::frames::Frames;
use super::options::ReadOptions;
use super::scan::{Syntax, is_line_end};
use crate::error::{Error, Result, ViolationCode};
use apart::{block_before_table, stands_apart};

/// How much decoded text the layout is judged by.
pub(super) const DIALECT_SAMPLE: usize = 64 * 1024;
/// `csv-nose` slows down on hostile text; this much is plenty for a delimiter.
const NOSE_SAMPLE: usize = 16 * 1024;
const SAMPLE_ROWS: usize = 500;
const DELIMITERS: [u8; 5] = [b',', b';', b'\t', b'|', b'^'];
/// What parts cells so seldom that it is believed only where it reads the sample evenly and no other mark does by far: `~`, and
/// the mark of tables that are dumped from data lakes.
const RARE: [u8; 2] = [b'~', 0x01];
/// A header further down than this is not looked for.
const MAX_PREAMBLE: usize = 30;

/// How a file is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// The byte between cells.
    pub delimiter: u8,
    /// The byte around cells that hold delimiters or line breaks.
    pub quote: u8,
    /// The byte that takes the meaning from a quote inside quotes, besides doubling it: `\` in exports of some
    /// databases.
    pub escape: Option<u8>,
    /// Whether it takes the meaning from what stands behind it outside quotes too: `Oslo\, Norway`.
    pub escapes_outside_quotes: bool,
    /// Whether blanks before a cell are none of it, so that a quote behind them opens it: `A, "Oslo, Norway"`.
    pub blanks_before_quotes: bool,
    /// Physical lines passed over before the first record.
    pub skipped_lines: u64,
    /// Whether the first record names the columns.
    pub has_header: bool,
}

impl Dialect {
    pub(super) fn syntax(&self) -> Syntax {
        Syntax {
            delimiter: self.delimiter,
            quote: self.quote,
            escape: self.escape,
            bare: self.escapes_outside_quotes,
            blanks: self.blanks_before_quotes,
        }
    }
}

/// The sample read one way.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<(u64, Vec<String>)>,
    /// Records that fit this way of reading badly: unclosed or stray quotes.
    odd: usize,
}

impl Table {
    fn read(sample: &[u8], complete: bool, syntax: Syntax, options: &ReadOptions) -> io::Result<Self> {
        let decoded = Decoded::new(sample, TextEncoding::UTF_8);
        // Also what is too wide to be read is to be told apart by the right delimiter.
        let limits = options.limits.clone().max_columns(usize::MAX);
        let mut frames = Frames::new(decoded, syntax, limits);
        if !complete {
            frames = frames.cut();
        }
        frames.skip_lines(options.lines_to_skip().unwrap_or(0))?;
        let mut table = Self::default();
        let mut row = Row::default();
        while table.rows.len() < SAMPLE_ROWS && frames.next_record(&mut row)? {
            table.odd += usize::from(row.problem.is_some() || row.stray_quote);
            table.rows.push((row.line, row.iter().map(|cell| cell.trim().to_owned()).collect()));
        }
        Ok(table)
    }

    /// The commonest number of cells, the larger of two equally common ones. Lines of text around a table may outnumber
    /// its rows in a short file, so a single cell counts only where hardly anything else is to be seen.
    fn width(&self) -> usize {
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for (_, cells) in self.rows.iter().filter(|(_, cells)| cells.len() > 1) {
            *counts.entry(cells.len()).or_default() += 1;
        }
        let commonest = counts.into_iter().max_by_key(|(width, count)| (*count, *width));
        commonest.filter(|(_, count)| count * 3 >= self.rows.len()).map_or(1, |(width, _)| width)
    }

    /// Records of the commonest width in thousandths of all; 0 for a single column.
    fn evenness(&self) -> usize {
        let width = self.width();
        let even = self.rows.iter().filter(|(_, cells)| cells.len() == width).count();
        if width < 2 { 0 } else { even.saturating_sub(self.odd) * 1000 / self.rows.len().max(1) }
    }
}

/// Judges `sample`; `complete` says that it is the whole file.
pub(super) fn detect(sample: &[u8], complete: bool, options: &ReadOptions) -> io::Result<Dialect> {
    let quote = options.quote.unwrap_or(b'"');
    let candidates = match options.delimiter {
        Some(delimiter) => vec![delimiter],
        None => {
            let rare = RARE.into_iter().filter(|rare| sample.contains(rare));
            DELIMITERS.into_iter().chain(rare).collect()
        }
    };
    let mut readings = Vec::new();
    for delimiter in candidates {
        let syntax = Syntax { delimiter, quote, escape: None, bare: false, blanks: false };
        let reading = read_with_best_escape(sample, complete, syntax, options)?;
        let reading = with_blanks(reading, sample, complete, options)?;
        readings.push(match options.quote {
            Some(_) => reading,
            None => with_single_quotes(reading, sample, complete, options)?,
        });
    }
    if options.delimiter.is_none() {
        drop_rare(&mut readings);
    }
    let best = readings.iter().map(|(_, table)| table.evenness()).max().unwrap_or(0);
    let proposed = if readings.len() > 1 { nose(sample) } else { None };
    // Column names that somebody knows say it: a few rows that are nearly empty hold other delimiters more often than
    // their own. Then the proposal wins unless it reads the sample clearly worse; then the most even reading, the widest
    // of several.
    let rank = |(syntax, table): &(Syntax, Table)| {
        let names = most_known(table, options);
        let trusted = Some(syntax.delimiter) == proposed && table.evenness() + 100 >= best && best > 0;
        (names, trusted, table.evenness(), if table.evenness() > 0 { table.width() } else { 0 })
    };
    let none = Syntax { delimiter: b',', quote, escape: None, bare: false, blanks: false };
    let mut chosen = (none, Table::default());
    let mut chosen_rank = None;
    for reading in readings {
        let this = Some(rank(&reading));
        if this > chosen_rank {
            chosen_rank = this;
            chosen = reading;
        }
    }
    let (syntax, table) = chosen;
    let first = if options.lines_to_skip().is_some() { 0 } else { preamble(&table, options) };
    let skipped = table.rows.get(first).map_or(0, |(line, _)| line.saturating_sub(1));
    Ok(Dialect {
        delimiter: syntax.delimiter,
        quote: syntax.quote,
        escape: syntax.escape,
        escapes_outside_quotes: syntax.bare,
        blanks_before_quotes: syntax.blanks,
        skipped_lines: options.lines_to_skip().unwrap_or(if first == 0 { 0 } else { skipped }),
        has_header: options.header_wanted().unwrap_or_else(|| has_header(&table, first, options)),
    })
}

/// Drops the readings by rare marks that do not clearly win.
fn drop_rare(readings: &mut Vec<(Syntax, Table)>) {
    let is_rare = |syntax: &Syntax| RARE.contains(&syntax.delimiter);
    let usual = readings.iter().filter(|(syntax, _)| !is_rare(syntax));
    let best = usual.map(|(_, table)| table.evenness()).max().unwrap_or(0);
    readings.retain(|(syntax, table)| !is_rare(syntax) || table.evenness() >= (best + 300).max(900));
}

/// Where the table of a sheet begins among its first rows, and whether that row names the columns.
///
/// # Errors
/// `Invalid` at field `header_row` if nothing is in the row that was asked for.
pub(super) fn header_of_sheet(
    mut rows: Vec<(u64, Vec<String>)>,
    options: &ReadOptions,
) -> Result<(usize, bool)> {
    if let Some(skipped) = options.lines_to_skip() {
        let first = rows.iter().position(|(line, _)| *line > skipped);
        let exact = options.header_row.is_none_or(|wanted| {
            first.and_then(|first| rows.get(first)).is_some_and(|(line, _)| *line == wanted)
        });
        let Some(first) = first.filter(|_| exact) else {
            let message = "nothing is in this row";
            return Err(Error::invalid_field("header_row", ViolationCode::Unknown, message));
        };
        let table = Table { rows, odd: 0 };
        let known = options.header_wanted().unwrap_or_else(|| has_header(&table, first, options));
        return Ok((first, known));
    }
    // What is empty at the end of a row is not there: rows of one table differ in length, but not lone titles.
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.is_empty()).count();
    let titles = rows.iter().take_while(|(_, cells)| filled(cells) < 2).count();
    let titles = if (1..=MAX_PREAMBLE).contains(&titles) && titles < rows.len() { titles } else { 0 };
    let titles = if rows.len() > titles + 1 { titles } else { 0 };
    rows.drain(..titles);
    let width = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    for (_, cells) in rows.iter_mut().filter(|(_, cells)| filled(cells) > 1) {
        cells.resize(width, String::new());
    }
    let table = Table { rows, odd: 0 };
    let first = preamble(&table, options);
    let known = options.header_wanted().unwrap_or_else(|| has_header(&table, first, options));
    Ok((titles + first, known))
}

/// Backslash escapes are believed only where the sample holds `\"` or `\,` and reads better with them.
fn read_with_best_escape(
    sample: &[u8],
    complete: bool,
    syntax: Syntax,
    options: &ReadOptions,
) -> io::Result<(Syntax, Table)> {
    if let Some(escape) = options.escape {
        // A quote that is doubled is read so in any case.
        let escape = Some(escape).filter(|escape| *escape != syntax.quote);
        let syntax = Syntax { escape, bare: escape.is_some(), ..syntax };
        return Ok((syntax, Table::read(sample, complete, syntax, options)?));
    }
    let mut best = (syntax, Table::read(sample, complete, syntax, options)?);
    let better =
        |new: &Table, old: &Table| (new.odd, 1000 - new.evenness()) < (old.odd, 1000 - old.evenness());
    for (behind, bare) in [(syntax.quote, false), (syntax.delimiter, true)] {
        if !sample.windows(2).any(|pair| pair == [b'\\', behind]) {
            continue;
        }
        let escaping = Syntax { escape: Some(b'\\'), bare, ..syntax };
        let escaped = Table::read(sample, complete, escaping, options)?;
        if better(&escaped, &best.1) {
            best = (escaping, escaped);
        }
    }
    Ok(best)
}

/// Blanks between a delimiter and a quote are believed to be none of the cell where no quote then stands astray, and the sample
/// does not read worse.
fn with_blanks(
    reading: (Syntax, Table),
    sample: &[u8],
    complete: bool,
    options: &ReadOptions,
) -> io::Result<(Syntax, Table)> {
    let (syntax, plain) = &reading;
    let quotes = [syntax.delimiter, b' ', syntax.quote];
    let quote = char::from(syntax.quote);
    let dressed = |cell: &String| cell.trim_start_matches(' ').starts_with(quote);
    let is_seen = plain.rows.iter().any(|(_, cells)| cells.iter().skip(1).any(dressed));
    if !is_seen || !sample.windows(3).any(|three| three == quotes) {
        return Ok(reading);
    }
    let passing = Syntax { escape: None, bare: false, blanks: true, ..*syntax };
    let (passing, passed) = read_with_best_escape(sample, complete, passing, options)?;
    let believed = passed.odd == 0 && passed.evenness() >= plain.evenness();
    Ok(if believed { (passing, passed) } else { reading })
}

/// Single quotes are believed only where no cell begins with a double one, each that begins a cell ends it, and they stand
/// around half of the cells that are no numbers, or the sample reads better with them.
fn with_single_quotes(
    reading: (Syntax, Table),
    sample: &[u8],
    complete: bool,
    options: &ReadOptions,
) -> io::Result<(Syntax, Table)> {
    let (syntax, plain) = &reading;
    let begins = |quote: u8| {
        let inside = sample.windows(2).filter(|pair| {
            matches!(pair, [before, mark] if *mark == quote && (*before == syntax.delimiter || is_line_end(*before)))
        });
        inside.count() + usize::from(sample.first() == Some(&quote))
    };
    let single = begins(b'\'');
    if syntax.quote != b'"' || single < 2 || begins(b'"') > 0 {
        return Ok(reading);
    }
    let quoting = Syntax { quote: b'\'', escape: None, bare: false, ..*syntax };
    let (quoting, quoted) = read_with_best_escape(sample, complete, quoting, options)?;
    let texts = quoted.rows.iter().flat_map(|(_, cells)| cells);
    let texts = texts.filter(|cell| !cell.is_empty() && !is_datum(cell)).count();
    let fits = quoted.odd == 0 && quoted.evenness() >= plain.evenness();
    let believed = fits && (single * 2 >= texts || quoted.evenness() > plain.evenness());
    Ok(if believed { (quoting, quoted) } else { reading })
}

fn nose(sample: &[u8]) -> Option<u8> {
    let mut short = sample.get(..NOSE_SAMPLE).unwrap_or(sample);
    if short.len() < sample.len() {
        let end = short.iter().rposition(|b| matches!(b, b'\n' | b'\r')).unwrap_or(short.len());
        short = short.get(..end).unwrap_or(short);
    }
    let metadata = csv_nose::Sniffer::new().sniff_bytes(short).ok()?;
    Some(metadata.dialect.delimiter).filter(|delimiter| DELIMITERS.contains(delimiter))
}

/// How many records come before the header. Without clear evidence: none.
fn preamble(table: &Table, options: &ReadOptions) -> usize {
    let width = table.width();
    by_known_names(table, options)
        .or_else(|| text_before_table(table, width, options))
        .or_else(|| narrow_data_before_header(table, width))
        .or_else(|| block_before_table(table, width))
        .unwrap_or(0)
}

fn known(cells: &[String], options: &ReadOptions) -> usize {
    cells.iter().filter(|cell| !cell.is_empty() && options.knows(cell)).count()
}

/// The most known column names in one of the first records; fewer than two may be chance.
fn most_known(table: &Table, options: &ReadOptions) -> usize {
    let rows = table.rows.iter().take(MAX_PREAMBLE + 1).filter(|(_, cells)| cells.len() > 1);
    rows.map(|(_, cells)| known(cells, options)).max().filter(|most| *most >= 2).unwrap_or(0)
}

/// Evidence 1: a record of known column names; those above it hold less than half as many. The first record stays the
/// header if it knows the most, or where what stands above the other one is a [table of its own](is_inside).
fn by_known_names(table: &Table, options: &ReadOptions) -> Option<usize> {
    let counts: Vec<usize> =
        table.rows.iter().take(MAX_PREAMBLE + 1).map(|(_, cells)| known(cells, options)).collect();
    let most = counts.iter().copied().max().filter(|most| *most >= 2)?;
    let row = counts.iter().position(|count| *count == most)?;
    let clear = counts.iter().take(row).all(|count| count * 2 < most);
    if clear && !is_inside(table, row, options) { Some(row) } else { Some(0) }
}

/// Whether a record of known column names is a row of the table that begins with the first record, whatever its cells say
/// (`Email`, `City`): taken for the header, it would cost all rows above it.
fn is_inside(table: &Table, row: usize, options: &ReadOptions) -> bool {
    let Some((above, [(_, header), below @ ..])) = table.rows.split_at_checked(row) else { return false };
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.is_empty()).count();
    let is_wide = |cells: &[String]| {
        header.len() > 1 && cells.len() == header.len() && filled(cells) * 3 >= filled(header) * 2
    };
    let is_whole = known(header, options) == filled(header);
    let [(_, first), ..] = above else { return false };
    if below.iter().all(|(_, cells)| filled(cells) == 0) {
        // A table without rows, at most below lines of another width.
        return !is_whole || above.iter().any(|(_, cells)| is_wide(cells));
    }
    let names = |cell: &String| options.knows(cell) || !is_datum(cell);
    // A header names all of its columns; `City,Oslo,` above a table says where it is from.
    let is_full = first.len() == header.len() && filled(first) == first.len();
    let is_header = is_full && known(first, options) > 0 && first.iter().all(names);
    let is_even = above.len() > 1 && above.iter().all(|(_, cells)| is_wide(cells));
    // Of a record with nothing but names of columns, the one with a word of them (`Company,Acme AS,Norway`) tells something.
    !is_whole && (is_header || (is_even && !stands_apart(table, row)))
}

/// Evidence 2: lines of text or comments, then an even table of two columns or more whose first record can be a header.
fn text_before_table(table: &Table, width: usize, options: &ReadOptions) -> Option<usize> {
    let is_text = |cells: &[String]| {
        let first = cells.first().map_or("", String::as_str);
        let alone = cells.iter().skip(1).all(String::is_empty);
        let comment = first.starts_with(['#', '!', '%']) || first.starts_with("//");
        let narrow = cells.len() == 1 || (cells.len() == width && width >= 3 && alone && !first.is_empty());
        narrow || (comment && cells.len() != width)
    };
    let lines = table.rows.iter().take_while(|(_, cells)| is_text(cells)).count();
    let opening = table.rows.first().and_then(|(_, cells)| cells.first())?;
    let sentence = opening.contains(' ') || opening.starts_with(['#', '!', '%']) || opening.starts_with("//");
    let (_, header) = table.rows.get(lines)?;
    let filled = header.iter().filter(|cell| !cell.is_empty()).count();
    let table_follows = width >= 2 && header.len() == width && filled * 3 >= width * 2;
    let fits = (1..=MAX_PREAMBLE).contains(&lines) && table.rows.len() > lines + 1;
    (fits && sentence && !options.knows(opening) && table_follows && can_be_header(header)).then_some(lines)
}

/// Evidence 3: one to three records of another width that hold data, then a header and rows that all have one width.
fn narrow_data_before_header(table: &Table, width: usize) -> Option<usize> {
    let lines = table.rows.iter().take_while(|(_, cells)| cells.len() != width).count();
    let (_, header) = table.rows.get(lines)?;
    let (before, after) = table.rows.split_at_checked(lines)?;
    let fits = (1..=3).contains(&lines) && after.len() >= 2 && width >= 3;
    let even = after.iter().all(|(_, cells)| cells.len() == width);
    let data = before.iter().all(|(_, cells)| cells.iter().any(|cell| is_datum(cell)));
    (fits && even && data && can_be_header(header)).then_some(lines)
}

fn can_be_header(cells: &[String]) -> bool {
    let mut seen = HashSet::new();
    cells.iter().filter(|cell| !cell.is_empty()).all(|cell| !is_datum(cell) && seen.insert(cell))
}

/// A header is assumed unless the first record is clearly data: it holds an e-mail address, or nothing but numbers and
/// dates, or at least half numbers and dates where the next record has them too; years do not count, they name columns. A known column name settles it.
fn has_header(table: &Table, first: usize, options: &ReadOptions) -> bool {
    let Some((_, cells)) = table.rows.get(first) else { return true };
    if known(cells, options) > 0 {
        return true;
    }
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    let is_datum = |cell: &str| is_datum(cell) && !is_year(cell);
    let data = cells.iter().filter(|cell| is_datum(cell)).count();
    let repeated = table.rows.get(first + 1).is_some_and(|(_, next)| {
        let alike = |(a, b): &(&String, &String)| is_datum(a) && is_datum(b);
        cells.iter().zip(next).filter(alike).count() * 2 >= filled
    });
    let dialled = table
        .rows
        .get(first + 1)
        .is_some_and(|(_, next)| cells.iter().zip(next).any(|(a, b)| is_dialled(a) && is_dialled(b)));
    let is_data = dialled
        || cells.iter().any(|cell| is_email(cell))
        || (filled > 0 && (data == filled || (data * 2 >= filled && repeated)));
    !is_data
}

/// A year, which names a column more often than other numbers do.
fn is_year(cell: &str) -> bool {
    cell.len() == 4
        && cell.bytes().all(|b| b.is_ascii_digit())
        && (cell.starts_with("19") || cell.starts_with("20"))
}

/// A number with its country code.
fn is_dialled(cell: &str) -> bool {
    cell.starts_with('+') && cell.chars().filter(char::is_ascii_digit).count() >= 7 && is_datum(cell)
}

/// An address, alone or behind the name of whom it belongs to: `Ola Nordmann <ola@x.example>`.
fn is_email(cell: &str) -> bool {
    let dressed = cell.strip_suffix('>').and_then(|rest| rest.rsplit_once('<'));
    let cell = dressed.map_or(cell, |(_, address)| address);
    cell.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !cell.contains(char::is_whitespace)
    })
}

/// A number, date, time, phone number or e-mail address: what a column name hardly ever is.
fn is_datum(cell: &str) -> bool {
    let time_mark = |c: char| matches!(c, 'T' | 'Z');
    let numeric = |c: char| c.is_ascii_digit() || time_mark(c) || " .,:/-+()%$€£".contains(c);
    let digits = cell.chars().any(|c| c.is_ascii_digit());
    is_email(cell) || (digits && cell.chars().all(numeric) && !cell.starts_with(time_mark))
}

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;
