//! One object of JSON as pairs of key and text.

use std::borrow::Cow;

use super::super::floats::{float_cell, float_text, is_noisy};
use super::super::scan::Limits;
use crate::value::join_list;

/// How deep values may nest.
const DEEPEST: usize = 64;

/// Why the text cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is no JSON object.
    Malformed,
    /// A key, with those it lies in, or a value is longer than a cell may be.
    Cell,
    /// Its values, each with its whole key, are longer than a record may be: keys of objects inside count once for each.
    Record,
    /// Whoever takes them wants no more.
    Enough,
}

/// How much is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) cell: usize,
    pub(super) record: usize,
}

impl Most {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self { cell: limits.max_cell_bytes, record: limits.max_record_bytes }
    }
}

/// What a value was in the file, beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A list of which an item stands in quotes.
    QuotedList,
    /// A number with a fraction.
    Number,
}

/// Takes a value with its key and its form; `false` if it wants no more.
type Emit<'e> = dyn FnMut(&str, &str, Form) -> bool + 'e;

/// Gives every plain value of the object in `text` with its key; keys of objects inside have a dot between. `null` and an
/// empty list are given as an empty text: the object has the key.
pub(super) fn flatten<'e>(text: &str, most: Most, emit: &'e mut Emit<'e>) -> Result<(), Broken> {
    let mut walk = Walk { text, at: 0, emit, path: String::new(), most, given: 0 };
    walk.blanks();
    if walk.peek() != Some(b'{') {
        return Err(Broken::Malformed);
    }
    walk.object(0)?;
    walk.blanks();
    if walk.at == text.len() { Ok(()) } else { Err(Broken::Malformed) }
}

struct Walk<'t, 'e> {
    text: &'t str,
    at: usize,
    emit: &'e mut Emit<'e>,
    path: String,
    most: Most,
    /// Bytes given so far.
    given: usize,
}

impl<'t> Walk<'t, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn give(&mut self, value: &str, form: Form) -> Result<(), Broken> {
        self.given += self.path.len() + value.len();
        if value.len() > self.most.cell {
            Err(Broken::Cell)
        } else if self.given > self.most.record {
            Err(Broken::Record)
        } else if (self.emit)(&self.path, value, form) {
            Ok(())
        } else {
            Err(Broken::Enough)
        }
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.take(byte) { Ok(()) } else { Err(Broken::Malformed) }
    }

    fn object(&mut self, depth: usize) -> Result<(), Broken> {
        self.expect(b'{')?;
        self.blanks();
        if self.take(b'}') {
            return Ok(());
        }
        let before = self.path.len();
        loop {
            self.blanks();
            let key = self.string()?;
            if before > 0 {
                self.path.push('.');
            }
            if self.path.len() + key.len() > self.most.cell {
                return Err(Broken::Cell);
            }
            self.path.push_str(key.trim());
            self.blanks();
            self.expect(b':')?;
            self.value(depth + 1)?;
            self.path.truncate(before);
            self.blanks();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), Broken> {
        self.blanks();
        match self.peek() {
            _ if depth > DEEPEST => Err(Broken::Malformed),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            _ => {
                let is_text = self.peek() == Some(b'"');
                let text = self.plain()?;
                let is_fraction = !is_text && text.contains('.') && !text.contains(['e', 'E']);
                let form = if is_fraction { Form::Number } else { Form::Text };
                self.give(&text, form)
            }
        }
    }

    /// Plain values become one cell; objects and lists inside get a number from 1 in their key.
    fn list(&mut self, depth: usize) -> Result<(), Broken> {
        self.expect(b'[')?;
        self.blanks();
        if self.take(b']') {
            return self.give("", Form::Text);
        }
        let before = self.path.len();
        let (mut plain, mut size, mut number) = (Vec::new(), 0, 0_usize);
        let mut nested = false;
        loop {
            self.blanks();
            number += 1;
            if matches!(self.peek(), Some(b'{' | b'[')) {
                nested = true;
                self.path.push_str(&format!(".{number}"));
                self.value(depth + 1)?;
                self.path.truncate(before);
            } else {
                let text = self.plain()?;
                size += text.len();
                if size > self.most.cell {
                    return Err(Broken::Cell);
                }
                if !text.is_empty() {
                    plain.push(text);
                }
            }
            self.blanks();
            if self.take(b']') {
                break;
            }
            self.expect(b',')?;
        }
        if nested && plain.is_empty() {
            return Ok(());
        }
        let text = join_list(&plain, "; ");
        // Quotes are what it is longer by.
        let bare = plain.iter().map(|item| item.len() + 2).sum::<usize>();
        let is_quoted = text.len() + 2 > bare.max(2);
        self.give(&text, if is_quoted { Form::QuotedList } else { Form::Text })
    }

    fn plain(&mut self) -> Result<Cow<'t, str>, Broken> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        self.at += end;
        match word {
            "null" => Ok(Cow::Borrowed("")),
            "true" | "false" => Ok(Cow::Borrowed(word)),
            _ => number(word),
        }
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Broken> {
        self.expect(b'"')?;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (mut length, mut escaped) = (0, false);
        loop {
            match rest.get(length) {
                None => return Err(Broken::Malformed),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    length += 2;
                }
                Some(_) => length += 1,
            }
        }
        let inner = self.text.get(self.at..self.at + length).ok_or(Broken::Malformed)?;
        let quoted = self.text.get(self.at - 1..=self.at + length).ok_or(Broken::Malformed)?;
        self.at += length + 1;
        if escaped {
            return serde_json::from_str::<String>(quoted).map(Cow::Owned).map_err(|_| Broken::Malformed);
        }
        Ok(Cow::Borrowed(inner))
    }
}

/// A number with the digits it is written with; zeros behind the point say nothing.
fn number(word: &str) -> Result<Cow<'_, str>, Broken> {
    let Ok(value) = serde_json::from_str::<serde_json::Number>(word) else {
        // A number that is too large for any is still one: its field says what is wrong with it.
        let is_number = serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok();
        return if is_number { Ok(Cow::Borrowed(word)) } else { Err(Broken::Malformed) };
    };
    if word.contains(['e', 'E']) {
        return Ok(Cow::Owned(float_cell(value.as_f64().ok_or(Broken::Malformed)?)));
    }
    Ok(Cow::Borrowed(match word.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        Some(_) if is_noisy(word) => {
            return Ok(Cow::Owned(float_text(value.as_f64().ok_or(Broken::Malformed)?)));
        }
        Some(_) => word.trim_end_matches('0'),
        None => word,
    }))
}
