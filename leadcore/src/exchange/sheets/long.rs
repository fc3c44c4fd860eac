//! Whole numbers of more digits than a float holds, as a worksheet writes them.
//!
//! The parser behind [`excel`](super::excel) gives numbers as floats, of which sixteen digits and more are not exact: an id
//! such as 12345678901234567 would be another one. Where a sheet has such a number, its parts are looked through once more
//! for the digits that stand in them. They are known by the place of their cell and by the float that they come to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{Cursor, Read};

use zip::ZipArchive;

/// So much of a tag is looked at, and so much of a number.
const HEAD: usize = 256;
const LONGEST: usize = 40;
/// So many are kept at most.
const MOST: usize = 4_000_000;
/// The largest number below which every whole number has a float of its own.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// The digits of long numbers, by the row and column of their cells and what they come to.
#[derive(Debug, Default)]
pub(super) struct Long {
    /// None where two sheets say different things at the same place.
    found: HashMap<(u32, u32, u64), Option<Box<str>>>,
    full: bool,
}

/// What is known of a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Digits<'l> {
    /// These are its digits.
    Known(&'l str),
    /// Its part does not write it out: the float is all that it says.
    Float,
    /// There are digits, and it is not known which.
    Unknown,
}

impl Long {
    /// Looks through the worksheets of an archive, of at most so many bytes unpacked.
    pub(super) fn of(bytes: impl AsRef<[u8]>, most: u64) -> Self {
        let (mut long, mut left) = (Self::default(), most);
        let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else { return long };
        for index in 0..zip.len() {
            let Ok(mut part) = zip.by_index(index) else { continue };
            if !part.name().is_ok_and(|name| name.to_ascii_lowercase().ends_with(".xml")) {
                continue;
            }
            let (mut scan, mut buffer) = (Scan::default(), vec![0_u8; 64 * 1024]);
            while let Ok(n @ 1..) = part.read(&mut buffer) {
                scan.look(buffer.get(..n).unwrap_or_default(), &mut long);
                left = left.saturating_sub(n as u64);
                if left == 0 {
                    long.full = true;
                    return long;
                }
            }
        }
        long
    }

    fn keep(&mut self, row: u32, column: u32, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.len() < 16 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        let Ok(value) = text.parse::<f64>() else { return };
        if self.found.len() >= MOST {
            self.full = true;
            return;
        }
        match self.found.entry((row, column, value.to_bits())) {
            Entry::Vacant(free) => {
                free.insert(Some(text.into()));
            }
            Entry::Occupied(mut known) => {
                if known.get().as_deref() != Some(text) {
                    known.insert(None);
                }
            }
        }
    }

    /// The digits of the number in this cell, both counted from 0.
    pub(super) fn digits(&self, row: u32, column: u32, value: f64) -> Digits<'_> {
        match self.found.get(&(row, column, value.to_bits())) {
            Some(Some(text)) => Digits::Known(text),
            Some(None) => Digits::Unknown,
            None if self.full => Digits::Unknown,
            None => Digits::Float,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// Inside a tag, and the quote that is open in it.
    Tag(Option<u8>),
    Comment,
}

/// A walk over a worksheet, piece by piece. Rows and cells are counted as the parser counts them.
#[derive(Debug, Default)]
struct Scan {
    state: State,
    tag: Vec<u8>,
    last: [u8; 2],
    row: u32,
    column: u32,
    /// Whether the cell that is open is a number.
    is_number: bool,
    in_value: bool,
    value: Vec<u8>,
}

impl Scan {
    fn look(&mut self, mut bytes: &[u8], long: &mut Long) {
        while let Some((byte, rest)) = bytes.split_first() {
            match self.state {
                State::Text => {
                    let end = bytes.iter().position(|byte| *byte == b'<').unwrap_or(bytes.len());
                    let (text, behind) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
                    if self.in_value && self.value.len() + text.len() <= LONGEST {
                        self.value.extend_from_slice(text);
                    } else if self.in_value {
                        self.is_number = false;
                    }
                    bytes = behind.get(1..).unwrap_or_default();
                    if !behind.is_empty() {
                        self.tag.clear();
                        self.state = State::Tag(None);
                    }
                    continue;
                }
                State::Tag(Some(quote)) => {
                    self.push(*byte);
                    if *byte == quote {
                        self.state = State::Tag(None);
                    }
                }
                State::Tag(None) => match byte {
                    b'>' => {
                        self.state = State::Text;
                        self.tag_ends(long);
                    }
                    b'"' | b'\'' => {
                        self.push(*byte);
                        self.state = State::Tag(Some(*byte));
                    }
                    _ => {
                        self.push(*byte);
                        if self.tag == b"!--" {
                            self.state = State::Comment;
                        }
                    }
                },
                State::Comment if *byte == b'>' && self.last == *b"--" => self.state = State::Text,
                State::Comment => {}
            }
            self.last = [self.last[1], *byte];
            bytes = rest;
        }
    }

    fn push(&mut self, byte: u8) {
        if self.tag.len() < HEAD {
            self.tag.push(byte);
        }
    }

    fn tag_ends(&mut self, long: &mut Long) {
        let tag = std::mem::take(&mut self.tag);
        let text = String::from_utf8_lossy(&tag);
        let (closes, rest) = text.strip_prefix('/').map_or((false, &*text), |rest| (true, rest));
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(rest.len());
        let (name, attributes) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let name = name.rsplit(':').next().unwrap_or(name);
        let is_empty = attributes.ends_with('/');
        match (name, closes) {
            ("row", false) => {
                if let Some(row) = attribute(attributes, "r").and_then(|r| r.parse::<u32>().ok()) {
                    self.row = row.saturating_sub(1);
                }
                if is_empty {
                    (self.row, self.column) = (self.row.saturating_add(1), 0);
                }
            }
            ("row", true) => (self.row, self.column) = (self.row.saturating_add(1), 0),
            ("c", false) => {
                if let Some((row, column)) = attribute(attributes, "r").and_then(place) {
                    (self.row, self.column) = (row, column);
                }
                self.is_number = matches!(attribute(attributes, "t"), None | Some("n"));
                self.value.clear();
                self.in_value = false;
                if is_empty {
                    self.column = self.column.saturating_add(1);
                }
            }
            ("c", true) => {
                if self.is_number
                    && let Ok(value) = std::str::from_utf8(&self.value)
                {
                    long.keep(self.row, self.column, value.trim());
                }
                (self.column, self.in_value, self.is_number) = (self.column.saturating_add(1), false, false);
                self.value.clear();
            }
            ("v", false) => self.in_value = !is_empty,
            ("v", true) => self.in_value = false,
            _ => {}
        }
        self.tag = tag;
    }
}

/// What an attribute of a tag says.
fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
        let (value, next) = behind.get(1..)?.split_once(quote)?;
        if before.trim() == name {
            return Some(value);
        }
        rest = next;
    }
}

/// `B3` is row 2, column 1.
fn place(cell: &str) -> Option<(u32, u32)> {
    let letters = cell.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = cell.split_at_checked(letters)?;
    let mut column = 0_u32;
    for letter in letters.bytes() {
        let place = letter.to_ascii_uppercase().checked_sub(b'A').filter(|place| *place < 26)?;
        column = column.checked_mul(26)?.checked_add(u32::from(place) + 1)?;
    }
    Some((row.parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_found_in_whatever_pieces_they_come() {
        let sheet = "<?xml version=\"1.0\"?><x:worksheet><!-- <c r=\"A1\"><v>99999999999999999</v></c> -->\
                     <sheetData><row r='3'><c><v>1</v></c><c><v>12345678901234567</v></c>\
                     <c r=\"D3\" s=\"1\" t='n'><f>1+1</f><v>-12345678901234569</v></c><c><v>98765432109876543</v></c>\
                     <c t=\"s\"><v>11111111111111111</v></c></row><row/><row><c/><x:c><x:v>22222222222222223</x:v></x:c>\
                     </row></sheetData>";
        for size in [1, 2, 3, 7, usize::MAX] {
            let (mut scan, mut long) = (Scan::default(), Long::default());
            sheet.as_bytes().chunks(size).for_each(|piece| scan.look(piece, &mut long));
            let digits = |row, column, value: f64| long.digits(row, column, value);
            assert_eq!(digits(2, 1, 12_345_678_901_234_567.0), Digits::Known("12345678901234567"), "{size}");
            assert_eq!(digits(2, 3, -12_345_678_901_234_569.0), Digits::Known("-12345678901234569"));
            assert_eq!(digits(2, 4, 98_765_432_109_876_543.0), Digits::Known("98765432109876543"));
            assert_eq!(digits(4, 1, 22_222_222_222_222_223.0), Digits::Known("22222222222222223"));
            assert_eq!(digits(0, 0, 99_999_999_999_999_999.0), Digits::Float, "a remark");
            assert_eq!(long.found.len(), 4, "texts are not numbers");
        }
    }

    #[test]
    fn what_two_sheets_say_differently_is_not_known() {
        let mut long = Long::default();
        long.keep(0, 0, "12345678901234567");
        long.keep(0, 0, "12345678901234567");
        assert_eq!(long.digits(0, 0, 12_345_678_901_234_567.0), Digits::Known("12345678901234567"));
        long.keep(0, 0, "12345678901234568");
        assert_eq!(long.digits(0, 0, 12_345_678_901_234_567.0), Digits::Unknown);
    }

    #[test]
    fn places_are_read() {
        assert_eq!(place("A1"), Some((0, 0)));
        assert_eq!(place("AB12"), Some((11, 27)));
        assert_eq!(place("12"), None);
    }
}
