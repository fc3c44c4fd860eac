//! Cuts a decoded stream into records and hands each to the `csv` crate, counting physical lines on the way.

use std::io::{self, Read};

use csv::{ByteRecord, StringRecord};

use super::decode::Decoded;
use super::scan::{Fault, Limits, Scan, Standing, Step, Syntax, is_line_end};
use super::trail::Trail;
use super::{Row, RowProblem};

/// How much of an overlong line is kept to show it in a report.
const KEEP: usize = 64 * 1024;

/// The bytes of one record, still in the buffer.
struct Frame {
    /// Length of the content, without its line end.
    length: usize,
    /// Physical line on which it begins.
    line: u64,
    fault: Option<Fault>,
    cells: usize,
    stray_quote: bool,
    bad_encoding: bool,
}

#[derive(Debug)]
pub(super) struct Frames<R> {
    decoded: Decoded<R>,
    syntax: Syntax,
    limits: Limits,
    parser: Parser,
    buffer: Vec<u8>,
    /// First byte of the buffer that is not consumed.
    start: usize,
    /// Offset of the buffer's first byte in the decoded stream.
    base: u64,
    ended: bool,
    /// Line ends consumed so far.
    line_ends: u64,
    blank_lines: u64,
    stop_at_open_end: bool,
    trail: Trail<Standing>,
    /// Bytes that were looked at in search of the ends of records.
    #[cfg(test)]
    walked: usize,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(decoded: Decoded<R>, syntax: Syntax, limits: Limits) -> Self {
        Self {
            decoded,
            syntax,
            limits,
            parser: Parser::new(syntax),
            buffer: Vec::new(),
            start: 0,
            base: 0,
            ended: false,
            line_ends: 0,
            blank_lines: 0,
            stop_at_open_end: false,
            trail: Trail::default(),
            #[cfg(test)]
            walked: 0,
        }
    }

    /// Treats the end of the stream as a cut, not as the end of the file: what is open there is not a record.
    pub(super) fn cut(mut self) -> Self {
        self.stop_at_open_end = true;
        self
    }

    /// Completely empty lines that were passed over so far.
    pub(super) fn blank_lines(&self) -> u64 {
        self.blank_lines
    }

    /// Physical lines consumed so far.
    pub(super) fn lines(&self) -> u64 {
        self.line_ends
    }

    /// How much text is consumed, and how much was read.
    pub(super) fn consumed(&self) -> (u64, u64) {
        (self.base + self.start as u64, self.base + self.buffer.len() as u64)
    }

    fn window(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Reads on, forgetting what was consumed. `false` at the end.
    fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.base += self.start as u64;
            self.start = 0;
        }
        self.ended = !self.decoded.fill(&mut self.buffer)?;
        Ok(!self.ended)
    }

    /// Consumes one line end if one is next; CRLF is one.
    fn take_line_end(&mut self) -> io::Result<bool> {
        if self.window().is_empty() {
            self.more()?;
        }
        let length = match self.window().first() {
            Some(b'\n') => 1,
            Some(b'\r') => {
                if self.window().len() == 1 {
                    self.more()?;
                }
                if self.window().get(1) == Some(&b'\n') { 2 } else { 1 }
            }
            _ => return Ok(false),
        };
        self.start += length;
        self.line_ends += 1;
        Ok(true)
    }

    /// Passes over physical lines, whatever quotes they hold. `false` if the file ended before.
    pub(super) fn skip_lines(&mut self, lines: u64) -> io::Result<bool> {
        for _ in 0..lines {
            let (kept, _) = self.find_line_end()?;
            self.start += kept;
            if !self.take_line_end()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How much of the line at `start` is in the buffer, with everything else up to its end thrown away, and how much
    /// was thrown away.
    fn find_line_end(&mut self) -> io::Result<(usize, u64)> {
        let mut from = 0;
        let mut dropped = 0_u64;
        loop {
            let rest = self.window().get(from..).unwrap_or_default();
            if let Some(found) = rest.iter().position(|b| is_line_end(*b)) {
                let (end, kept) = (from + found, (from + found).min(KEEP));
                dropped += (end - kept) as u64;
                self.buffer.drain(self.start + kept..self.start + end);
                self.base += (end - kept) as u64;
                return Ok((kept, dropped));
            }
            let kept = self.window().len().min(KEEP);
            dropped += (self.window().len() - kept) as u64;
            self.base += (self.window().len() - kept) as u64;
            self.buffer.truncate(self.start + kept);
            from = kept;
            if !self.more()? {
                return Ok((kept, dropped));
            }
        }
    }

    /// Finds the next record; its bytes are at the front of the window.
    fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        while self.take_line_end()? {
            self.blank_lines += 1;
        }
        if self.window().is_empty() {
            return Ok(None);
        }
        let mut scan = Scan::new(self.base + self.start as u64, &mut self.trail);
        let (length, fault) = loop {
            let last = self.ended;
            match scan.advance(
                self.buffer.get(self.start..).unwrap_or_default(),
                self.syntax,
                &self.limits,
                last,
                &mut self.trail,
            ) {
                Step::End(length) => break (length, None),
                Step::Broken(fault) => break (0, Some(fault)),
                Step::More => {
                    self.more()?;
                }
            }
        };
        #[cfg(test)]
        {
            self.walked += scan.walked;
        }
        if self.ended && self.stop_at_open_end && (fault.is_some() || length == self.window().len()) {
            return Ok(None);
        }
        let line = self.line_ends + 1;
        let begin = self.base + self.start as u64;
        let (length, dropped) = if fault.is_some() { self.find_line_end()? } else { (length, 0) };
        let end = begin + length as u64 + dropped;
        let bad_encoding = self.decoded.malformed_within(begin, end);
        if fault.is_none() {
            self.line_ends += scan.counts.breaks;
        }
        let (cells, stray_quote) = (scan.counts.delimiters + 1, scan.counts.stray_quotes > 0);
        Ok(Some(Frame { length, line, fault, cells, stray_quote, bad_encoding }))
    }

    /// Reads the next record into `row`; `false` at the end. The row's number and the checks against the header are
    /// the caller's.
    pub(super) fn next_record(&mut self, row: &mut Row) -> io::Result<bool> {
        let Some(frame) = self.next_frame()? else {
            row.clear();
            return Ok(false);
        };
        row.raw.clear();
        row.raw.extend_from_slice(self.window().get(..frame.length).unwrap_or_default());
        row.line = frame.line;
        row.stray_quote = frame.stray_quote;
        row.bad_encoding = frame.bad_encoding;
        row.problem = frame.fault.map(RowProblem::from);
        if frame.fault.is_some() {
            row.cells.clear();
            row.bad_encoding |= std::str::from_utf8(&row.raw).is_err();
        } else if frame.cells > self.limits.max_columns {
            // Not taken apart: the places of sixteen million empty cells take far more memory than they do.
            row.cells.clear();
            row.problem = Some(RowProblem::TooManyColumns);
        } else {
            row.bad_encoding |= self.parser.parse(&row.raw, &mut row.cells)?;
        }
        self.start += frame.length;
        self.take_line_end()?;
        Ok(true)
    }
}

/// One `csv::Reader` for all records, fed one record at a time.
#[derive(Debug)]
struct Parser {
    reader: csv::Reader<Feed>,
    syntax: Syntax,
    fed: u64,
}

#[derive(Debug, Default)]
struct Feed {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Feed {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.get(self.at..).unwrap_or_default().read(target)?;
        self.at += n;
        Ok(n)
    }
}

impl Parser {
    fn new(syntax: Syntax) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(syntax.delimiter)
            .quote(syntax.quote)
            .escape(syntax.escape)
            .from_reader(Feed::default());
        let mut parser = Self { reader, syntax, fed: 0 };
        // A `csv::Reader` takes a byte order mark off the first record it sees. Ours is off already, and what stands
        // there now is text, so the first record it sees is this one.
        let primed = parser.parse(b"-", &mut StringRecord::new());
        debug_assert!(primed.is_ok(), "a one-letter record can be parsed");
        parser
    }

    /// Splits one whole record into `cells`; answers whether bytes had to be replaced because they are not UTF-8.
    fn parse(&mut self, record: &[u8], cells: &mut StringRecord) -> io::Result<bool> {
        let has_escape = || self.syntax.bare_escape().is_some_and(|escape| record.contains(&escape));
        if self.syntax.blanks || has_escape() {
            return Ok(take(super::escaped::split(record, self.syntax), cells));
        }
        let feed = self.reader.get_mut();
        feed.bytes.clear();
        feed.bytes.extend_from_slice(record);
        feed.bytes.push(b'\n');
        feed.at = 0;
        self.fed += feed.bytes.len() as u64;
        let mut bytes = std::mem::take(cells).into_byte_record();
        let found = self.reader.read_byte_record(&mut bytes).map_err(io::Error::other)?;
        if !found || self.reader.position().byte() != self.fed {
            // The two walks disagree about where this record ends: a bug here, kept from spreading to the next record.
            *self = Self::new(self.syntax);
            return Err(io::Error::other("a record was not read to its end"));
        }
        Ok(take(bytes, cells))
    }
}

/// Takes cells as text; whether bytes had to be replaced.
fn take(bytes: ByteRecord, cells: &mut StringRecord) -> bool {
    match StringRecord::from_byte_record(bytes) {
        Ok(valid) => {
            *cells = valid;
            false
        }
        Err(error) => {
            *cells = lossy(&error.into_byte_record());
            true
        }
    }
}

fn lossy(bytes: &ByteRecord) -> StringRecord {
    bytes.iter().map(String::from_utf8_lossy).collect()
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
