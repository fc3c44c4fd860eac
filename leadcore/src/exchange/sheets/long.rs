//! Whole numbers of more digits than a float holds, as a worksheet writes them.
//!
//! The parser behind [`excel`](super::excel) gives numbers as floats, of which sixteen digits and more are not exact: an id
//! such as 12345678901234567 would be another one. From the first such number of a sheet on, its part is read a second time
//! beside the parser, cell by cell in the order of both, for the digits that stand in it. Nothing is kept of the cells that
//! are passed over, so that a sheet of nothing but such numbers takes no more memory than any other.

use std::collections::VecDeque;
use std::io::Read;

use crate::exchange::floats::EXACT;

/// So much of a tag is looked at, and so much of a number: all the digits of the largest float.
const HEAD: usize = 256;
const LONGEST: usize = 400;
/// So many digits of a number does a spreadsheet keep.
const KEPT: usize = 15;
/// So much of a part is looked at at once.
const PIECE: usize = 64 * 1024;

/// A cell with a number that may be a long one.
#[derive(Debug)]
struct Found {
    row: u32,
    column: u32,
    /// `None` of what cannot be read as a number.
    text: Option<Box<str>>,
    /// It holds a formula, and no result of it.
    is_unstored: bool,
}

/// The long numbers of a worksheet, from its part.
#[derive(Debug)]
pub(super) struct Long<R> {
    part: R,
    scan: Scan,
    buffer: Vec<u8>,
    /// Those of the piece that was read last, ahead of the cells that were asked for.
    ahead: VecDeque<Found>,
}

/// What is known of a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Digits {
    /// These are its digits.
    Known(Box<str>),
    /// Its part does not write it out: the float is all that it says.
    Float,
    /// There are digits, and it is not known which.
    Unknown,
}

impl<R: Read> Long<R> {
    /// The numbers of a part that is unpacked from its start.
    pub(super) fn of(part: R) -> Self {
        Self { part, scan: Scan::default(), buffer: vec![0; PIECE], ahead: VecDeque::new() }
    }

    /// The digits of the number in this cell, both counted from 0. Cells are asked for in the order of the part.
    pub(super) fn digits(&mut self, row: u32, column: u32, value: f64) -> Digits {
        loop {
            while let Some(found) = self.ahead.pop_front() {
                if found.is_unstored || (found.row, found.column) != (row, column) {
                    continue;
                }
                let Some(text) = found.text else { return Digits::Unknown };
                // A damaged sheet names a cell twice.
                if text.parse::<f64>().is_ok_and(|said| said.to_bits() == value.to_bits()) {
                    return written_out(&text);
                }
            }
            match self.part.read(&mut self.buffer) {
                Ok(n @ 1..) => self.scan.look(self.buffer.get(..n).unwrap_or_default(), &mut self.ahead),
                _ => return Digits::Unknown,
            }
        }
    }
}

impl<R: Read> Long<R> {
    /// Whether this cell, of which the parser knows no value, holds a formula without a result. Cells are asked for in the
    /// order of the part.
    pub(super) fn is_unstored(&mut self, row: u32, column: u32) -> bool {
        loop {
            while let Some(found) = self.ahead.front() {
                if (found.row, found.column) > (row, column) {
                    return false;
                }
                let is_one = found.is_unstored && (found.row, found.column) == (row, column);
                self.ahead.pop_front();
                if is_one {
                    return true;
                }
            }
            match self.part.read(&mut self.buffer) {
                Ok(n @ 1..) => self.scan.look(self.buffer.get(..n).unwrap_or_default(), &mut self.ahead),
                _ => return false,
            }
        }
    }
}

/// The digits of a number as its cell writes it.
fn written_out(text: &str) -> Digits {
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    if is_digits(unsigned) {
        return Digits::Known(text.into());
    }
    let Some((number, power)) = unsigned.split_once(['e', 'E']) else { return Digits::Float };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let Ok(power) = power.parse::<usize>() else { return Digits::Float };
    if !is_digits(whole) || !is_digits(fraction) {
        return Digits::Float;
    }
    match power.checked_sub(fraction.len()) {
        Some(0) => Digits::Known(format!("{sign}{whole}{fraction}").into()),
        // A number that takes all the digits which a spreadsheet keeps had more of them.
        Some(_) if whole.len() + fraction.len() >= KEPT => Digits::Unknown,
        _ => Digits::Float,
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
    has_formula: bool,
    in_value: bool,
    value: Vec<u8>,
    /// Whether what it says goes on behind what is kept of it.
    is_cut: bool,
}

impl Scan {
    fn look(&mut self, mut bytes: &[u8], ahead: &mut VecDeque<Found>) {
        while let Some((byte, rest)) = bytes.split_first() {
            match self.state {
                State::Text => {
                    let end = bytes.iter().position(|byte| *byte == b'<').unwrap_or(bytes.len());
                    let (text, behind) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
                    if self.in_value && self.value.len() + text.len() <= LONGEST {
                        self.value.extend_from_slice(text);
                    } else if self.in_value {
                        self.is_cut = true;
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
                        self.tag_ends(ahead);
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

    fn tag_ends(&mut self, ahead: &mut VecDeque<Found>) {
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
                (self.in_value, self.is_cut, self.has_formula) = (false, false, false);
                if is_empty {
                    self.column = self.column.saturating_add(1);
                }
            }
            ("c", true) => {
                if self.is_number && self.has_formula && self.value.is_empty() && !self.is_cut {
                    let (row, column) = (self.row, self.column);
                    ahead.push_back(Found { row, column, text: None, is_unstored: true });
                } else if self.is_number {
                    ahead.extend(self.found());
                }
                (self.column, self.in_value, self.is_number) = (self.column.saturating_add(1), false, false);
                self.value.clear();
            }
            ("f", false) => self.has_formula = true,
            ("v", false) => self.in_value = !is_empty,
            ("v", true) => self.in_value = false,
            _ => {}
        }
        self.tag = tag;
    }

    /// The cell that ends, unless its number has a float of its own.
    fn found(&self) -> Option<Found> {
        let text = std::str::from_utf8(&self.value).ok().filter(|_| !self.is_cut).map(str::trim);
        let value = text.and_then(|text| text.parse::<f64>().ok());
        if value.is_some_and(|value| value.abs() < EXACT) || (self.value.is_empty() && !self.is_cut) {
            return None;
        }
        let text = text.filter(|_| value.is_some()).map(Into::into);
        Some(Found { row: self.row, column: self.column, text, is_unstored: false })
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
            let mut long = Long::of(Pieces(sheet.as_bytes(), size));
            let mut digits = |row, column, value: f64| long.digits(row, column, value);
            assert_eq!(digits(2, 1, 12_345_678_901_234_567.0), known("12345678901234567"), "{size}");
            assert_eq!(digits(2, 3, -12_345_678_901_234_569.0), known("-12345678901234569"));
            assert_eq!(digits(2, 4, 98_765_432_109_876_543.0), known("98765432109876543"));
            assert_eq!(digits(4, 1, 22_222_222_222_222_223.0), known("22222222222222223"));
            let remark = Long::of(Pieces(sheet.as_bytes(), size)).digits(0, 0, 99_999_999_999_999_999.0);
            assert_eq!(remark, Digits::Unknown, "a remark says nothing");
            let text = Long::of(Pieces(sheet.as_bytes(), size)).digits(2, 5, 11_111_111_111_111_111.0);
            assert_eq!(text, Digits::Unknown, "nor does a text");
        }
    }

    /// A part that comes in pieces of so many bytes.
    struct Pieces<'p>(&'p [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn known(digits: &str) -> Digits {
        Digits::Known(digits.into())
    }

    #[test]
    fn a_number_that_is_not_written_out_does_not_hide_those_behind_it() {
        let cut = format!("12345678901234567.{}", "0".repeat(LONGEST));
        let sheet = format!(
            "<row><c><v>12345678901234567</v></c><c><v>1.2345678901234567E+16</v></c><c><v>{cut}</v></c>\
             <c><v>12345678901234567</v></c><c r=\"A9\"><v>12345678901234569</v></c><c r=\"A2\"><v>\
             12345678901234567</v></c></row>"
        );
        let mut long = Long::of(sheet.as_bytes());
        let value = 12_345_678_901_234_567.0;
        let told = [(0, 1), (0, 2), (0, 3), (1, 0)].map(|(row, column)| long.digits(row, column, value));
        let expected = [
            known("12345678901234567"),
            Digits::Unknown,
            known("12345678901234567"),
            known("12345678901234567"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_power_of_ten_says_all_digits_or_that_some_are_lost() {
        let cases = [
            ("1.2345678901234567E+16", known("12345678901234567")),
            ("-1.2345678901234567e16", known("-12345678901234567")),
            ("1.234567890123457E+18", Digits::Unknown),
            ("1.23456789012345E+18", Digits::Unknown),
            ("1.5E+18", Digits::Float),
            ("1E+20", Digits::Float),
        ];
        for (text, digits) in cases {
            assert_eq!(written_out(text), digits, "{text}");
        }
    }

    #[test]
    fn no_more_is_held_than_a_piece_of_the_part_holds() {
        let cells = "<c><v>12345678901234567</v></c>".repeat(50_000);
        let mut long = Long::of(cells.as_bytes());
        for column in 0..50_000 {
            assert_eq!(long.digits(0, column, 12_345_678_901_234_567.0), known("12345678901234567"));
            assert!(long.ahead.len() <= PIECE / 30, "{column}");
        }
    }

    #[test]
    fn formulas_without_a_result_are_found() {
        let sheet = "<row><c><f>B1</f></c><c/><c s=\"1\"><v></v></c><c><f>A1</f><v></v></c>\
                     <c t=\"str\"><f>A1</f><v></v></c><c><f>A1</f><v>1</v></c><c><v>12345678901234567</v></c></row>";
        for size in [1, 3, usize::MAX] {
            let mut long = Long::of(Pieces(sheet.as_bytes(), size));
            let told: Vec<u32> = (0..6).filter(|column| long.is_unstored(0, *column)).collect();
            assert_eq!(told, [0, 3]);
            assert_eq!(long.digits(0, 6, 12_345_678_901_234_567.0), known("12345678901234567"));
        }
    }

    #[test]
    fn places_are_read() {
        assert_eq!(place("A1"), Some((0, 0)));
        assert_eq!(place("AB12"), Some((11, 27)));
        assert_eq!(place("12"), None);
    }
}
