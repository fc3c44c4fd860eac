//! Address-book cards (vCard 2.1, 3.0, 4.0) as rows.

mod understand;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::{Entry, Parser};

use super::RowProblem;
use super::decode::{self, TextEncoding};
use super::filler::{Filler, What};
use super::held::HeldTable;
use super::import::CARD_ID;
use super::kind::{FileKind, refused};
use super::options::ReadOptions;
use super::scan::Limits;
use crate::error::{Error, Result, ViolationCode};
use understand::{Card, understand};

/// One column each, in this order.
const SINGLE: [&str; 17] = [
    "Full name",
    "Salutation",
    "First name",
    "Last name",
    "Nickname",
    "Company",
    "Department",
    "Job title",
    "Street",
    "City",
    "State",
    "Postal code",
    "Country",
    "Website",
    "Note",
    "Categories",
    CARD_ID,
];
/// A card of more parts (properties, their parameters and values) is not read: each takes far more memory than the mark
/// that parts it from the next.
const MOST_PARTS: usize = 100_000;
/// So many different properties without a column are told by name, the others together: a file may invent any number.
const MOST_NAMES: usize = 100;
const OTHERS: &str = "others";
/// How old cards write letters and pictures.
const ENCODINGS: [&str; 2] = ["QUOTED-PRINTABLE", "BASE64"];
/// What a card takes at least, be it empty.
const CARD: usize = 32;

/// Reads all cards of a file.
///
/// They are read twice, once to learn how many columns there are: kept as they are read, a card of twenty bytes would take
/// hundreds.
pub(super) fn read(bytes: Vec<u8>, options: &ReadOptions) -> Result<HeldTable> {
    let (encoding, bom) = decode::detect(&bytes, true, options.encoding);
    let decoded;
    let text = if encoding == TextEncoding::UTF_8 {
        String::from_utf8_lossy(bytes.get(bom..).unwrap_or_default())
    } else {
        decoded = decode::decode_sample(bytes.get(bom..).unwrap_or_default(), encoding);
        drop(bytes);
        String::from_utf8_lossy(&decoded)
    };
    let limits = &options.limits;
    let most = limits.max_table_bytes / CARD;
    if has_more(&text, most) {
        let message = format!("the file holds more than {most} cards: import it in parts");
        return Err(Error::invalid_field("file", ViolationCode::TooLong, message));
    }
    let (mut emails, mut phones, mut read) = (0, 0, 0_usize);
    let mut left_out = LeftOut::default();
    for block in Blocks::of(&text) {
        match card(block, limits) {
            Ok(card) => {
                (emails, phones) = (emails.max(card.emails.len()), phones.max(card.phones.len()));
                left_out.count(&card);
                read += 1;
            }
            Err(_) => continue,
        }
    }
    if read == 0 {
        return Err(if Blocks::of(&text).next().is_none() {
            Error::invalid_field("file", ViolationCode::Required, "the file holds no cards")
        } else {
            refused("no card of this file can be read")
        });
    }
    let mut headers: Vec<String> = SINGLE.iter().map(|name| (*name).to_owned()).collect();
    headers.extend((1..=emails).map(|n| format!("E-mail {n}")));
    headers.extend((1..=phones).map(|n| format!("Phone {n}")));
    let mut filler = Filler::new(limits, usize::MAX);
    for (block, line) in Blocks::of(&text).zip(1..) {
        let card = match card(block, limits) {
            Ok(card) => card,
            Err(problem) => {
                filler.damaged(line, problem, block.trim())?;
                continue;
            }
        };
        let emails = SINGLE.len() + emails;
        let columns = card.single.iter().enumerate();
        let columns = columns
            .chain(card.emails.iter().enumerate().map(|(n, text)| (SINGLE.len() + n, text)))
            .chain(card.phones.iter().enumerate().map(|(n, text)| (emails + n, text)));
        for (column, text) in columns {
            filler.cell(line, column, text, What::Text)?;
        }
    }
    let mut table = HeldTable::with_headers(FileKind::VCard, headers, filler.finish()?);
    table.left_out = left_out.told();
    Ok(table)
}

/// Whether there are more cards, before any of them is parsed.
fn has_more(text: &str, most: usize) -> bool {
    const SHORTEST: usize = "BEGIN:VCARD\n".len();
    text.len() / SHORTEST >= most && Blocks::of(text).nth(most).is_some()
}

/// What no column holds: the names of properties, and how many cards have each.
#[derive(Debug, Default)]
struct LeftOut {
    cards: BTreeMap<String, u64>,
    /// How many cards have others.
    others: u64,
}

impl LeftOut {
    fn count(&mut self, card: &Card) {
        let mut others = false;
        for name in &card.left_out {
            if let Some(cards) = self.cards.get_mut(name) {
                *cards += 1;
            } else if self.cards.len() < MOST_NAMES {
                self.cards.insert(name.clone(), 1);
            } else {
                others = true;
            }
        }
        self.others += u64::from(others);
    }

    fn told(mut self) -> BTreeMap<String, u64> {
        if self.others > 0 {
            self.cards.insert(OTHERS.to_owned(), self.others);
        }
        self.cards
    }
}

/// The text of each card. One inside a property of another is not parted from it; one that is not ended stops where the
/// next begins, and is damaged.
struct Blocks<'t> {
    text: &'t str,
    lines: std::str::SplitInclusive<'t, [char; 2]>,
    /// Where the next line begins, and where the card that is open does.
    at: usize,
    begin: Option<usize>,
    depth: usize,
    /// The last line that was not empty.
    before: &'t str,
}

impl<'t> Blocks<'t> {
    fn of(text: &'t str) -> Self {
        let lines = text.split_inclusive(['\n', '\r']);
        Self { text, lines, at: 0, begin: None, depth: 0, before: "" }
    }
}

impl<'t> Iterator for Blocks<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        while let Some(line) = self.lines.next() {
            let (word, at) = (line.trim(), self.at);
            self.at += line.len();
            let before =
                if word.is_empty() { self.before } else { std::mem::replace(&mut self.before, word) };
            let mut found = None;
            if is_mark(word, "BEGIN") && !(self.depth > 0 && is_agent(before)) {
                found = self.begin.replace(at).map(|begin| begin..at);
                self.depth = 1;
            } else if ends_with(word, "BEGIN:VCARD").is_some_and(|rest| rest.is_empty() || is_agent(rest)) {
                self.depth += 1;
            } else if is_mark(word, "END") {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    found = self.begin.take().map(|begin| begin..self.at);
                }
            }
            if let Some(found) = found {
                return self.text.get(found);
            }
        }
        self.begin.take().and_then(|begin| self.text.get(begin..))
    }
}

/// Whether a line begins or ends a card, with what programs put beside it: `END: VCARD`, `END:VCARD;`.
fn is_mark(line: &str, name: &str) -> bool {
    let is = |text: &str, wanted: &str| text.trim().eq_ignore_ascii_case(wanted);
    line.split_once(':')
        .is_some_and(|(said, of)| is(said, name) && is(of.trim_end().trim_end_matches(';'), "VCARD"))
}

/// What stands before `end`, in whatever case that is written.
fn ends_with<'l>(line: &'l str, end: &str) -> Option<&'l str> {
    let (rest, found) = line.split_at_checked(line.len().checked_sub(end.len())?)?;
    found.eq_ignore_ascii_case(end).then_some(rest)
}

/// Whether a line is `AGENT:` without its value, with a group before it or parameters behind it: the one property whose
/// value may be a card as it stands (vCard 2.1, section 2.4.3; in 3.0 it is escaped text or an address, RFC 2426, 3.5.4).
///
/// vCard 4.0 has no cards inside others ("in-line vCards … are no longer supported", RFC 6350, appendix A.2), and by its
/// grammar a card has one BEGIN (section 3.3). RFC 2425, 5.8 uses BEGIN to part several entities in one file. So any other
/// BEGIN inside a card begins the next one, behind a card that lost its END: taken for a part of it, two persons would be
/// one.
fn is_agent(line: &str) -> bool {
    let name = line.trim_end().strip_suffix(':').map(|name| name.split(';').next().unwrap_or(name));
    name.is_some_and(|name| name.rsplit('.').next().unwrap_or(name).trim().eq_ignore_ascii_case("AGENT"))
}

/// A card without the cards inside it, behind which the parser would read no more of it. Their property says that there was one.
fn without_agents(block: &str) -> Cow<'_, str> {
    let begins = |line: &str| {
        let line = line.trim();
        is_mark(line, "BEGIN") || ends_with(line, "BEGIN:VCARD").is_some_and(is_agent)
    };
    if block.lines().filter(|line| begins(line)).nth(1).is_none() {
        return Cow::Borrowed(block);
    }
    let (mut text, mut depth) = (String::with_capacity(block.len()), 0_usize);
    for line in block.split_inclusive('\n') {
        if begins(line) {
            depth += 1;
            if depth == 2 {
                // Before it, or on its line, stands `AGENT:`.
                text.push_str(ends_with(line.trim(), "BEGIN:VCARD").unwrap_or_default());
                text.truncate(text.trim_end().len());
                text.push_str("VCARD\n");
            }
        }
        if depth < 2 {
            text.push_str(line);
        }
        if is_mark(line.trim(), "END") {
            depth = depth.saturating_sub(1);
        }
    }
    Cow::Owned(text)
}

/// A card whose encodings have their name: vCard 2.1 (section 2.1.4) lets it be left out, `NOTE;QUOTED-PRINTABLE:`.
fn named_encodings(block: &str) -> Cow<'_, str> {
    let encoding = |word: &str| ENCODINGS.into_iter().find(|known| word.trim().eq_ignore_ascii_case(known));
    // A line that begins with a blank goes on with the one before.
    let head = |line: &str| match line.split_once(':') {
        Some((head, _)) if !head.starts_with([' ', '\t']) => head.len(),
        _ => 0,
    };
    let is_bare = |line: &str| {
        let head = line.get(..head(line)).unwrap_or_default();
        head.split(';').skip(1).any(|word| encoding(word).is_some())
    };
    if !block.lines().any(is_bare) {
        return Cow::Borrowed(block);
    }
    let (mut text, mut goes_on) = (String::with_capacity(block.len() + 64), false);
    for line in block.split_inclusive('\n') {
        let (head, rest) = line.split_at(if goes_on { 0 } else { head(line) });
        let mut is_quoted = goes_on;
        for (place, word) in head.split(';').enumerate() {
            let is_bare = place > 0 && encoding(word).is_some();
            text.push_str(if place > 0 { ";" } else { "" });
            text.push_str(if is_bare { "ENCODING=" } else { "" });
            text.push_str(word);
            let value = word.split_once('=').map_or(word, |(_, value)| value);
            is_quoted |= place > 0 && encoding(value) == Some(ENCODINGS[0]);
        }
        text.push_str(rest);
        // A value of quoted-printable goes on behind a line that ends in its mark, whatever the next one looks like.
        goes_on = is_quoted && line.trim_end().ends_with('=');
    }
    Cow::Owned(text)
}

/// Reads one card. The parser is not ours: if it should fail on some text, that card alone is lost.
fn card(block: &str, limits: &Limits) -> std::result::Result<Card, RowProblem> {
    if block.len() > limits.max_record_bytes || parts(block) > MOST_PARTS {
        return Err(RowProblem::RecordTooLarge);
    }
    // Old programs end lines with a carriage return alone.
    let block = &if block.contains('\n') { Cow::Borrowed(block) } else { block.replace('\r', "\n").into() };
    // What a file was cut off in would be half a person.
    let last = block.trim_end_matches(|c: char| c.is_whitespace() || c.is_control()).lines().next_back();
    if last.is_none_or(|line| !is_mark(line, "END")) {
        return Err(RowProblem::Malformed);
    }
    match catch_unwind(AssertUnwindSafe(|| Parser::new(&named_encodings(&without_agents(block))).entry())) {
        Ok(Entry::VCard(card)) => Ok(understand(&card)),
        _ => Err(RowProblem::Malformed),
    }
}

/// At most so many properties, parameters and values a card has: lines that go on on the next, such as those of a picture,
/// are none of their own.
fn parts(block: &str) -> usize {
    let next = block.bytes().skip(1).chain(std::iter::once(b' '));
    let marks = block.bytes().zip(next).filter(|(byte, next)| match byte {
        b';' | b',' | b'=' | b':' => true,
        b'\n' | b'\r' => !matches!(next, b' ' | b'\t' | b'\r' | b'\n'),
        _ => false,
    });
    marks.count()
}

#[cfg(test)]
mod tests;
