//! Where a record ends: the quoting rules of `csv-core`, walked over bytes without copying them, with limits.
//!
//! The `csv` crate reads a record to its end however far that is, so one unclosed quote could swallow a whole file into
//! one cell. Finding the end first, under limits, is what lets a bad record be cut off and the rows behind it be kept.

use super::trail::{Ahead, Place, Trail};

/// The characters that give a file its structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// A character that takes the meaning from the next one inside quotes: `\` or none.
    pub(super) escape: Option<u8>,
    /// Whether it does so outside quotes too: `Oslo\, Norway`.
    pub(super) bare: bool,
    /// Whether blanks before a cell are none of it, so that a quote behind them opens it: `A, "Oslo, Norway"`.
    pub(super) blanks: bool,
}

impl Syntax {
    /// Whether a byte before a cell is passed over.
    pub(super) fn is_passed(&self, byte: u8) -> bool {
        self.blanks && byte == b' ' && self.delimiter != b' '
    }

    /// The escape outside quotes.
    pub(super) fn bare_escape(&self) -> Option<u8> {
        self.escape.filter(|_| self.bare)
    }
}

/// How much one record may take before it counts as damaged.
///
/// The defaults are far above honest data and far below what would exhaust a machine. What passes a limit is reported
/// as a bad record at the line where it began, and reading goes on at the next line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Longest cell in bytes, quotes included; 1 MiB.
    pub max_cell_bytes: usize,
    /// Longest record in bytes; 16 MiB. The reader's memory is this plus a few chunks, whatever the file's size. Of an
    /// object of JSON its keys count with each value that lies in them; of a row of a sheet, each cell with the text that it
    /// shares or repeats. The keys of all objects of a file are no longer than this either, and a file of objects that lack
    /// nearly all of them is refused: 67 million cells may be empty for that, and eight for each byte of the file.
    pub max_record_bytes: usize,
    /// Most lines that one record may span by line breaks in quoted cells; 10,000.
    pub max_record_lines: u64,
    /// Most columns; 4,096. A wider header is refused, a wider row is reported; neither is taken apart.
    pub max_columns: usize,
    /// Largest workbook or file of cards in bytes, which are read whole; 256 MiB. CSV and JSON have no such limit.
    ///
    /// Besides, and whatever the limits: a workbook of more than 1,000 sheets or 20,000 parts is refused, and a card of more
    /// than 100,000 parts is reported.
    pub max_file_bytes: usize,
    /// How much the parts of a workbook may hold once unpacked; 1 GiB. It is read through piece by piece; the texts that
    /// cells share are kept, up to [`max_table_bytes`](Self::max_table_bytes).
    ///
    /// Of what its sheets hold, an element (a cell with a value is two) counts as 16 bytes at least, an empty cell as 32, an
    /// element that belongs to no cell as 64, a comment as 8 KiB; in ODS the first two count twice. Files of people stay far
    /// below; a file of nothing but marks takes its time for each.
    pub max_unpacked_bytes: u64,
    /// How much text of one sheet, or of all cards, is kept in memory, each cell with four bytes and each row or card with
    /// 32; 256 MiB. What is given and not kept (rows that are too large) counts too, against this and
    /// [`max_unpacked_bytes`](Self::max_unpacked_bytes) together.
    pub max_table_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_cell_bytes: 1024 * 1024,
            max_record_bytes: 16 * 1024 * 1024,
            max_record_lines: 10_000,
            max_columns: 4096,
            max_file_bytes: 256 * 1024 * 1024,
            max_unpacked_bytes: 1024 * 1024 * 1024,
            max_table_bytes: 256 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The defaults, to be changed one by one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the longest cell in bytes.
    #[must_use]
    pub fn max_cell_bytes(mut self, bytes: usize) -> Self {
        self.max_cell_bytes = bytes;
        self
    }

    /// Sets the longest record in bytes.
    #[must_use]
    pub fn max_record_bytes(mut self, bytes: usize) -> Self {
        self.max_record_bytes = bytes;
        self
    }

    /// Sets the most lines one record may span.
    #[must_use]
    pub fn max_record_lines(mut self, lines: u64) -> Self {
        self.max_record_lines = lines;
        self
    }

    /// Sets the most columns.
    #[must_use]
    pub fn max_columns(mut self, columns: usize) -> Self {
        self.max_columns = columns;
        self
    }

    /// Sets the largest workbook or file of cards in bytes.
    #[must_use]
    pub fn max_file_bytes(mut self, bytes: usize) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Sets how much the parts of a workbook may hold once unpacked.
    #[must_use]
    pub fn max_unpacked_bytes(mut self, bytes: u64) -> Self {
        self.max_unpacked_bytes = bytes;
        self
    }

    /// Sets how much text of one sheet is kept in memory.
    #[must_use]
    pub fn max_table_bytes(mut self, bytes: usize) -> Self {
        self.max_table_bytes = bytes;
        self
    }
}

/// Why no end could be found for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    UnclosedQuote,
    CellTooLarge,
    RecordTooLarge,
    TooManyLines,
}

/// What a walk came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The window ended before the record did.
    More,
    /// The record's content is this long; a line end or the end of the file follows.
    End(usize),
    Broken(Fault),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    Escaped,
    /// Behind an escape outside quotes.
    EscapedBare,
    /// Behind a quote that closes the cell, unless another one follows.
    Closed,
}

/// What a walk knows besides its place: its state, and whether its cell has run over a line break.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing(State, bool);

/// What a walk counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Delimiters between cells.
    pub(super) delimiters: usize,
    /// Line breaks inside quotes.
    pub(super) breaks: u64,
    /// Closing quotes that were followed by text, as in `"Bob" Smith`.
    pub(super) stray_quotes: usize,
}

impl Counts {
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            delimiters: self.delimiters.wrapping_add(other.delimiters),
            breaks: self.breaks.wrapping_add(other.breaks),
            stray_quotes: self.stray_quotes.wrapping_add(other.stray_quotes),
        }
    }

    /// What is to be added to `other`; of two walks each may have counted more, so it goes round at zero.
    pub(super) const fn minus(self, other: Self) -> Self {
        Self {
            delimiters: self.delimiters.wrapping_sub(other.delimiters),
            breaks: self.breaks.wrapping_sub(other.breaks),
            stray_quotes: self.stray_quotes.wrapping_sub(other.stray_quotes),
        }
    }
}

/// The walk over one record. Its positions count from the record's first byte.
#[derive(Debug)]
pub(super) struct Scan {
    /// Where the record begins in its file.
    begin: u64,
    state: State,
    at: usize,
    cell_start: usize,
    cell_has_break: bool,
    pub(super) counts: Counts,
    /// Bytes that were looked at.
    #[cfg(test)]
    pub(super) walked: usize,
}

pub(super) const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

impl Scan {
    /// Begins at the byte `begin` of the file.
    pub(super) fn new(begin: u64, trail: &mut Trail<Standing>) -> Self {
        trail.begin(begin);
        Self {
            begin,
            state: State::Start,
            at: 0,
            cell_start: 0,
            cell_has_break: false,
            counts: Counts::default(),
            #[cfg(test)]
            walked: 0,
        }
    }

    /// Walks on over `window`, which begins at the record's first byte and has grown since the last call.
    pub(super) fn advance(
        &mut self,
        window: &[u8],
        syntax: Syntax,
        limits: &Limits,
        last: bool,
        trail: &mut Trail<Standing>,
    ) -> Step {
        let step = self.walk(window, syntax, limits, last, trail);
        match step {
            Step::More => {}
            Step::End(_) => trail.found(),
            Step::Broken(fault) => {
                trail.give_up(fault, self.place(), Standing(self.state, self.cell_has_break));
            }
        }
        step
    }

    const fn place(&self) -> Place {
        let (at, cell) = (self.begin + self.at as u64, self.begin + self.cell_start as u64);
        Place { at, cell, counts: self.counts }
    }

    fn walk(
        &mut self,
        window: &[u8],
        syntax: Syntax,
        limits: &Limits,
        last: bool,
        trail: &mut Trail<Standing>,
    ) -> Step {
        loop {
            self.skip(window, syntax);
            let Some(byte) = window.get(self.at).copied() else {
                return self.at_window_end(limits, last);
            };
            let broken = match self.state {
                State::Start | State::Plain | State::Closed if is_line_end(byte) => {
                    return self.fault(limits).map_or(Step::End(self.at), Step::Broken);
                }
                State::Start | State::Plain | State::Closed if byte == syntax.delimiter => {
                    self.end_cell(limits)
                }
                State::Start if syntax.is_passed(byte) => None,
                State::Start if byte == syntax.quote => self.enter(State::Quoted),
                State::Closed if byte == syntax.quote => self.enter(State::Quoted),
                State::Closed => self.stray(),
                State::Start | State::Plain if Some(byte) == syntax.bare_escape() => {
                    self.enter(State::EscapedBare)
                }
                State::Start | State::Plain => self.enter(State::Plain),
                State::EscapedBare => self.escaped_byte(byte, limits),
                State::Quoted if byte == syntax.quote => self.enter(State::Closed),
                State::Quoted if Some(byte) == syntax.escape => self.enter(State::Escaped),
                State::Quoted | State::Escaped => self.quoted_byte(byte, window, limits, trail),
            };
            self.at += 1;
            if let Some(fault) = broken {
                return Step::Broken(fault);
            }
        }
    }

    /// Jumps over bytes that change nothing.
    fn skip(&mut self, window: &[u8], syntax: Syntax) {
        let rest = window.get(self.at..).unwrap_or_default();
        let next = match self.state {
            State::Plain => rest
                .iter()
                .position(|b| *b == syntax.delimiter || is_line_end(*b) || Some(*b) == syntax.bare_escape()),
            State::Quoted => {
                rest.iter().position(|b| *b == syntax.quote || is_line_end(*b) || Some(*b) == syntax.escape)
            }
            _ => Some(0),
        };
        let passed = next.unwrap_or(rest.len());
        self.at += passed;
        #[cfg(test)]
        {
            self.walked += passed + 1;
        }
    }

    const fn enter(&mut self, state: State) -> Option<Fault> {
        self.state = state;
        None
    }

    fn end_cell(&mut self, limits: &Limits) -> Option<Fault> {
        let fault = self.fault(limits);
        self.state = State::Start;
        self.cell_start = self.at + 1;
        self.counts.delimiters += 1;
        self.cell_has_break = false;
        fault
    }

    /// Text behind a closing quote. Within one line that is sloppy writing and read as the `csv` crate reads it. In a
    /// cell that ran over lines it means that the "closing" quote is really the opening one of a later cell: the quote
    /// that opened this cell was never closed.
    fn stray(&mut self) -> Option<Fault> {
        self.state = State::Plain;
        self.counts.stray_quotes += 1;
        self.cell_has_break.then_some(Fault::UnclosedQuote)
    }

    fn quoted_byte(
        &mut self,
        byte: u8,
        window: &[u8],
        limits: &Limits,
        trail: &mut Trail<Standing>,
    ) -> Option<Fault> {
        self.state = State::Quoted;
        let after_cr = self.at.checked_sub(1).and_then(|before| window.get(before)) == Some(&b'\r');
        if byte == b'\r' || (byte == b'\n' && !after_cr) {
            self.counts.breaks += 1;
            self.cell_has_break = true;
            match trail.meet(self.place()) {
                Ahead::Unknown => {}
                Ahead::Broken(fault, counts) => {
                    self.counts = counts;
                    return Some(fault);
                }
                Ahead::GoOn(place, standing) => self.go_on(place, standing),
            }
            return self.fault(limits);
        }
        None
    }

    /// Goes on where an earlier walk stopped: the byte before that place counts as the one just passed.
    fn go_on(&mut self, place: Place, Standing(state, has_break): Standing) {
        let from_begin = |at: u64| usize::try_from(at.saturating_sub(self.begin)).unwrap_or(usize::MAX);
        (self.at, self.cell_start) = (from_begin(place.at).saturating_sub(1), from_begin(place.cell));
        (self.state, self.cell_has_break, self.counts) = (state, has_break, place.counts);
    }

    /// What stands behind an escape outside quotes; a line break does not end the record there.
    fn escaped_byte(&mut self, byte: u8, limits: &Limits) -> Option<Fault> {
        self.state = State::Plain;
        if is_line_end(byte) {
            self.counts.breaks += 1;
            return self.fault(limits);
        }
        None
    }

    fn fault(&self, limits: &Limits) -> Option<Fault> {
        if self.at.saturating_sub(self.cell_start) > limits.max_cell_bytes {
            Some(Fault::CellTooLarge)
        } else if self.at > limits.max_record_bytes {
            Some(Fault::RecordTooLarge)
        } else if self.counts.breaks >= limits.max_record_lines {
            Some(Fault::TooManyLines)
        } else {
            None
        }
    }

    fn at_window_end(&self, limits: &Limits, last: bool) -> Step {
        match self.fault(limits) {
            Some(fault) => Step::Broken(fault),
            None if !last => Step::More,
            None if matches!(self.state, State::Quoted | State::Escaped) => {
                Step::Broken(Fault::UnclosedQuote)
            }
            None => Step::End(self.at),
        }
    }
}
