//! Where one object of a file ends and the next begins.

use std::io::{self, Read};

use super::super::decode::Decoded;
use super::super::{Row, RowProblem};
use super::shape::{self, Shape};

/// How objects stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Each on a line of its own: a broken one ends with its line.
    Lines,
    /// Over as many lines as they like; the first begins behind so many bytes.
    Free(u64, Within),
}

/// What objects stand in, which says how the file ends behind the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Nothing: one stands behind the other.
    Nothing,
    /// A list, which is the file.
    List,
    /// A list, which is in so many objects, one in the other, of which the outermost is the file; whether programs put it there.
    ListInObjects(usize, bool),
}

impl Style {
    /// Judges the head of a file; `whole` says that it is all of it, `knows` which keys are those of fields.
    ///
    /// # Errors
    /// Why a file that is one object cannot be read as rows.
    pub(super) fn of(text: &[u8], whole: bool, knows: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let begin = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        let rest = text.get(begin..).unwrap_or_default();
        if rest.first() == Some(&b'[') {
            return Ok(Self::Free(begin as u64 + 1, Within::List));
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
        let complete =
            (whole || end.is_some()) && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
        let more = behind.iter().any(|byte| !byte.is_ascii_whitespace());
        if complete && more {
            return Ok(Self::Lines);
        }
        // The first line alone is no object: it goes on below, or it is broken and the second stands for itself.
        let is_line = complete || second_line_is_object(behind);
        match shape::of(rest, is_line && !complete, knows) {
            Shape::Wrapping(list) => {
                Ok(Self::Free((begin + list.begin) as u64, Within::ListInObjects(list.depth, list.is_usual)))
            }
            Shape::Refused(why) => Err(why),
            Shape::Record if is_line => Ok(Self::Lines),
            Shape::Record => Ok(Self::Free(begin as u64, Within::Nothing)),
        }
    }
}

fn second_line_is_object(behind: &[u8]) -> bool {
    let mut lines = behind.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    line.first() == Some(&b'{') && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// Behind the value that begins at `at`.
pub(super) fn end_of(text: &[u8], at: usize) -> Option<usize> {
    let mut depth = Depth::default();
    for (place, byte) in text.iter().enumerate().skip(at) {
        if depth.ends_before(*byte) {
            return Some(place);
        }
        if depth.pass(*byte) {
            return Some(place + 1);
        }
    }
    None
}

/// How deep in objects, lists and strings a walk is.
#[derive(Debug, Default)]
struct Depth {
    open: usize,
    in_string: bool,
    escaped: bool,
    /// A number or word is being passed.
    in_word: bool,
}

impl Depth {
    /// Whether a word ended before this byte.
    const fn ends_before(&self, byte: u8) -> bool {
        self.in_word
            && self.open == 0
            && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b'"' | b'{' | b'['))
    }

    /// Walks over a byte; whether a value ends with it.
    fn pass(&mut self, byte: u8) -> bool {
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_string = false;
                return self.open == 0;
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.open += 1,
            b'}' | b']' => {
                self.open = self.open.saturating_sub(1);
                return self.open == 0;
            }
            _ => self.in_word = true,
        }
        false
    }
}

/// Cuts a file into its objects.
#[derive(Debug)]
pub(super) struct Pieces<R> {
    decoded: Decoded<R>,
    style: Style,
    largest: usize,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes of text taken so far.
    taken: u64,
    line: u64,
    after_cr: bool,
    ended: bool,
    /// The end of the file was looked at, or is known to be missing.
    closed: bool,
    /// The key of another list of objects, behind the one that is read.
    rival: Option<String>,
}

/// So much of a key is told.
const MOST_OF_A_KEY: usize = 60;

impl<R: Read> Pieces<R> {
    pub(super) const fn new(decoded: Decoded<R>, style: Style, largest: usize) -> Self {
        Self {
            decoded,
            style,
            largest,
            buffer: Vec::new(),
            at: 0,
            taken: 0,
            line: 1,
            after_cr: false,
            ended: false,
            closed: false,
            rival: None,
        }
    }

    /// The key of another list of objects that may hold leads, behind the one that was read.
    pub(super) fn rival(&self) -> Option<&str> {
        self.rival.as_deref()
    }

    /// Bytes of text taken so far.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// How much text is taken, and how much was read.
    pub(super) fn given(&self) -> (u64, u64) {
        (self.taken, self.taken + self.buffer.len().saturating_sub(self.at) as u64)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        while self.at >= self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            if self.ended || !self.decoded.fill(&mut self.buffer)? {
                self.ended = true;
                return Ok(None);
            }
        }
        Ok(self.buffer.get(self.at).copied())
    }

    /// Passes over the byte that was peeked at.
    fn pass(&mut self, byte: u8) {
        self.at += 1;
        self.taken += 1;
        self.line += u64::from(byte == b'\r' || (byte == b'\n' && !self.after_cr));
        self.after_cr = byte == b'\r';
    }

    /// Takes the next object into `row`: its text, line and what is wrong with it. `false` at the end.
    pub(super) fn next_into(&mut self, row: &mut Row) -> io::Result<bool> {
        row.clear();
        if let Style::Free(begin, _) = self.style {
            while self.taken < begin
                && let Some(byte) = self.peek()?
            {
                self.pass(byte);
            }
        }
        let between = |byte: u8| byte.is_ascii_whitespace() || byte == b',';
        while let Some(byte) = self.peek()?.filter(|byte| between(*byte)) {
            self.pass(byte);
        }
        let first = self.peek()?;
        let (begin, complete) = match (self.style, first) {
            (Style::Lines, None) => return Ok(false),
            (Style::Free(_, within), None | Some(b']' | b'}')) => match self.end_into(row, within)? {
                Some(begin) => (begin, false),
                None => return Ok(false),
            },
            (style, Some(_)) => {
                row.line = self.line;
                let begin = self.taken;
                let lines = style == Style::Lines;
                (begin, if lines { self.line_into(row)? } else { self.value_into(row)? })
            }
        };
        if self.taken - begin > self.largest as u64 {
            row.problem = Some(RowProblem::RecordTooLarge);
        } else if !complete {
            row.problem = Some(RowProblem::Malformed);
        }
        row.bad_encoding = self.decoded.malformed_within(begin, self.taken);
        row.bad_encoding |= std::str::from_utf8(&row.raw).is_err();
        Ok(true)
    }

    fn keep(&self, row: &mut Row, byte: u8) {
        if row.raw.len() <= self.largest {
            row.raw.push(byte);
        }
    }

    fn line_into(&mut self, row: &mut Row) -> io::Result<bool> {
        while let Some(byte) = self.peek()?.filter(|byte| !matches!(byte, b'\n' | b'\r')) {
            self.pass(byte);
            self.keep(row, byte);
        }
        Ok(true)
    }

    /// Passes over what closes the file. Where that is missing, the file was cut between two objects; where anything stands
    /// behind it, objects may be lost there: a damaged record begins at the byte that is given.
    fn end_into(&mut self, row: &mut Row, within: Within) -> io::Result<Option<u64>> {
        if self.closed {
            return Ok(None);
        }
        self.closed = true;
        let whole = match within {
            Within::Nothing => true,
            Within::List => self.list_ends()?,
            Within::ListInObjects(depth, is_usual) => {
                self.list_ends()? && self.objects_end(depth, is_usual)?
            }
        };
        while let Some(byte) = self.peek()?.filter(u8::is_ascii_whitespace) {
            self.pass(byte);
        }
        row.line = self.line;
        let begin = self.taken;
        while let Some(byte) = self.peek()? {
            self.pass(byte);
            self.keep(row, byte);
        }
        Ok((!whole || self.taken > begin).then_some(begin))
    }

    fn list_ends(&mut self) -> io::Result<bool> {
        let ends = self.peek()? == Some(b']');
        if ends {
            self.pass(b']');
        }
        Ok(ends)
    }

    /// Passes over what the objects around the list say behind it.
    fn objects_end(&mut self, open: usize, is_usual: bool) -> io::Result<bool> {
        let mut depth = Depth { open, ..Depth::default() };
        let (mut text, mut opens) = (Vec::new(), false);
        while let Some(byte) = self.peek()? {
            self.pass(byte);
            // A list of objects has its key before it.
            match byte {
                _ if depth.in_string => {
                    if text.len() < MOST_OF_A_KEY && byte != b'"' {
                        text.push(byte);
                    }
                }
                b'"' => (text, opens) = (Vec::new(), false),
                b'[' => opens = depth.open <= open,
                b'{' if opens => {
                    let key = String::from_utf8_lossy(&text).into_owned();
                    opens = false;
                    if self.rival.is_none() && shape::is_rival(&key, is_usual) {
                        self.rival = Some(key);
                    }
                }
                _ => opens &= byte.is_ascii_whitespace(),
            }
            if depth.pass(byte) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn value_into(&mut self, row: &mut Row) -> io::Result<bool> {
        let mut depth = Depth::default();
        while let Some(byte) = self.peek()? {
            if depth.ends_before(byte) {
                return Ok(true);
            }
            self.pass(byte);
            self.keep(row, byte);
            if depth.pass(byte) {
                return Ok(true);
            }
        }
        // Cut inside this one: that it is damaged says that the end is missing.
        self.closed = true;
        Ok(false)
    }
}
