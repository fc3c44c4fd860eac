//! Address-book cards (vCard 2.1, 3.0, 4.0) as rows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::common::IanaString;
use calcard::vcard::{VCard, VCardEntry, VCardParameterValue, VCardProperty, VCardType, VCardValue};
use calcard::{Entry, Parser};

use super::decode;
use super::held::{Filler, HeldTable};
use super::kind::{FileKind, refused};
use super::options::ReadOptions;
use crate::error::{Error, Result, ViolationCode};

/// One column each, in this order.
const SINGLE: [&str; 18] = [
    "Full name",
    "Salutation",
    "First name",
    "Middle name",
    "Last name",
    "Name suffix",
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
];
/// So many e-mails and phones of a card have a column.
const MOST: usize = 50;

/// Where a column is in [`SINGLE`].
macro_rules! columns {
    ($($name:ident = $place:expr),+) => { $(const $name: usize = $place;)+ };
}
columns!(
    FULL = 0,
    PREFIX = 1,
    GIVEN = 2,
    MIDDLE = 3,
    FAMILY = 4,
    SUFFIX = 5,
    NICK = 6,
    COMPANY = 7,
    DEPARTMENT = 8,
    TITLE = 9,
    STREET = 10,
    CITY = 11,
    STATE = 12,
    ZIP = 13,
    COUNTRY = 14,
    SITE = 15,
    NOTE = 16,
    CATEGORIES = 17
);

/// What a card says.
#[derive(Debug, Default)]
struct Card {
    single: [String; SINGLE.len()],
    emails: Vec<String>,
    phones: Vec<String>,
    /// How well the address in `single` fits: a company's address outranks a private one.
    address_rank: u8,
}

/// Reads all cards of a file.
pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<HeldTable> {
    let (encoding, bom) = decode::detect(bytes, true, options.encoding);
    let text = decode::decode_sample(bytes.get(bom..).unwrap_or_default(), encoding);
    let text = String::from_utf8_lossy(&text);
    let mut cards = Vec::new();
    for block in blocks(&text) {
        cards.push(card(block));
    }
    if cards.is_empty() {
        return Err(Error::invalid_field("file", ViolationCode::Required, "the file holds no cards"));
    }
    if cards.iter().all(Option::is_none) {
        return Err(refused("no card of this file can be read"));
    }
    let most = |count: fn(&Card) -> usize| cards.iter().flatten().map(count).max().unwrap_or(0);
    let (emails, phones) = (most(|card| card.emails.len()), most(|card| card.phones.len()));
    let mut headers: Vec<String> = SINGLE.iter().map(|name| (*name).to_owned()).collect();
    headers.extend((1..=emails).map(|n| format!("E-mail {n}")));
    headers.extend((1..=phones).map(|n| format!("Phone {n}")));
    let mut filler = Filler::new(&options.limits, usize::MAX);
    for (place, card) in cards.into_iter().enumerate() {
        let line = place as u64 + 1;
        let Some(card) = card else {
            filler.broken(line)?;
            continue;
        };
        let emails = SINGLE.len() + emails;
        let columns = card.single.into_iter().enumerate();
        let columns = columns
            .chain(card.emails.into_iter().enumerate().map(|(n, text)| (SINGLE.len() + n, text)))
            .chain(card.phones.into_iter().enumerate().map(|(n, text)| (emails + n, text)));
        for (column, text) in columns {
            filler.cell(line, column, text, false)?;
        }
    }
    // A column that no card fills would only be in the way.
    Ok(HeldTable::with_headers(FileKind::VCard, headers, filler.finish()?))
}

/// The text of each card. One inside a property of another is not parted from it; one that is not ended stops where the
/// next begins.
fn blocks(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut at, mut begin, mut depth, mut before) = (0, None, 0_usize, "");
    for line in text.split_inclusive(['\n', '\r']) {
        let word = line.trim();
        if word.eq_ignore_ascii_case("BEGIN:VCARD") {
            // `AGENT:` and nothing more: the next line begins its value.
            if depth > 0 && before.ends_with(':') {
                depth += 1;
            } else {
                found.extend(begin.and_then(|begin| text.get(begin..at)));
                (begin, depth) = (Some(at), 1);
            }
        } else if word.eq_ignore_ascii_case("END:VCARD") {
            depth = depth.saturating_sub(1);
            if depth == 0
                && let Some(begin) = begin.take()
            {
                found.extend(text.get(begin..at + line.len()));
            }
        }
        if !word.is_empty() {
            before = word;
        }
        at += line.len();
    }
    found.extend(begin.and_then(|begin| text.get(begin..)));
    found
}

/// Reads one card; none if it cannot be read. The parser is not ours: if it should fail on some text, that card alone is
/// lost.
fn card(block: &str) -> Option<Card> {
    let entry = catch_unwind(AssertUnwindSafe(|| Parser::new(block).entry())).ok()?;
    match entry {
        Entry::VCard(card) => Some(understand(&card)),
        _ => None,
    }
}

fn understand(vcard: &VCard) -> Card {
    let mut card = Card::default();
    let (mut emails, mut phones) = (Vec::new(), Vec::new());
    for entry in &vcard.entries {
        match &entry.name {
            VCardProperty::Fn => first(&mut card, FULL, entry),
            VCardProperty::N => {
                for (place, column) in [FAMILY, GIVEN, MIDDLE, PREFIX, SUFFIX].into_iter().enumerate() {
                    set(&mut card, column, part(entry, place));
                }
            }
            VCardProperty::Nickname => first(&mut card, NICK, entry),
            VCardProperty::Org => {
                set(&mut card, COMPANY, part(entry, 0));
                set(&mut card, DEPARTMENT, part(entry, 1));
            }
            VCardProperty::Title => first(&mut card, TITLE, entry),
            VCardProperty::Url => first(&mut card, SITE, entry),
            VCardProperty::Note => {
                let note = whole(entry, ", ");
                let cell = card.single.get_mut(NOTE);
                if let Some(cell) = cell.filter(|_| !note.is_empty()) {
                    if !cell.is_empty() {
                        cell.push('\n');
                    }
                    cell.push_str(&note);
                }
            }
            VCardProperty::Categories => set(&mut card, CATEGORIES, whole(entry, "; ")),
            VCardProperty::Email => emails.push((rank(entry), whole(entry, ","))),
            VCardProperty::Tel if !is_fax(entry) => phones.push((rank(entry), phone(&whole(entry, ",")))),
            VCardProperty::Adr => address(&mut card, entry),
            _ => {}
        }
    }
    card.emails = in_order(emails);
    card.phones = in_order(phones);
    card
}

/// Preferred ones first, else in the order of the card; each once.
fn in_order(mut values: Vec<(u8, String)>) -> Vec<String> {
    values.sort_by_key(|(rank, _)| *rank);
    let mut found: Vec<String> = Vec::new();
    for (_, value) in values {
        if !value.is_empty() && !found.contains(&value) && found.len() < MOST {
            found.push(value);
        }
    }
    found
}

/// `tel:+47-22-22` is a number with its scheme.
fn phone(text: &str) -> String {
    let number = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
    number.and_then(|_| text.get(4..)).unwrap_or(text).replace(";ext=", " x").trim().to_owned()
}

/// A business address rather than a private one, else the first.
fn address(card: &mut Card, entry: &VCardEntry) {
    let rank = if types(entry).any(|kind| *kind == VCardType::Work) { 2 } else { 1 };
    let parts: Vec<String> = (0..7).map(|place| part(entry, place)).collect();
    if rank <= card.address_rank || parts.iter().all(String::is_empty) {
        return;
    }
    card.address_rank = rank;
    let of = |place: usize| parts.get(place).cloned().unwrap_or_default();
    let street: Vec<String> = [of(2), of(1), of(0)].into_iter().filter(|part| !part.is_empty()).collect();
    let cells = [(STREET, street.join(", ")), (CITY, of(3)), (STATE, of(4)), (ZIP, of(5)), (COUNTRY, of(6))];
    for (column, text) in cells {
        if let Some(cell) = card.single.get_mut(column) {
            *cell = text;
        }
    }
}

fn types(entry: &VCardEntry) -> impl Iterator<Item = &VCardType> {
    entry.params.iter().filter_map(|param| match &param.value {
        VCardParameterValue::Type(kind) => Some(kind),
        _ => None,
    })
}

fn is_fax(entry: &VCardEntry) -> bool {
    types(entry).any(|kind| matches!(kind, VCardType::Fax | VCardType::Pager))
}

/// 0 for a preferred one, else 1.
fn rank(entry: &VCardEntry) -> u8 {
    let preferred = entry.params.iter().any(|param| {
        param.name == calcard::vcard::VCardParameterName::Pref
            || matches!(&param.value, VCardParameterValue::Text(text) if text.eq_ignore_ascii_case("pref"))
            || matches!(&param.value, VCardParameterValue::Type(kind) if kind.as_str().eq_ignore_ascii_case("pref"))
    });
    u8::from(!preferred)
}

/// A part of a value that has several, such as a name.
fn part(entry: &VCardEntry, place: usize) -> String {
    match entry.values.get(place) {
        Some(VCardValue::Component(parts)) => parts.join(", ").trim().to_owned(),
        Some(VCardValue::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    }
}

fn whole(entry: &VCardEntry, between: &str) -> String {
    let texts: Vec<String> = (0..entry.values.len()).map(|place| part(entry, place)).collect();
    texts.join(between).trim().to_owned()
}

/// Fills a column that is empty so far.
fn set(card: &mut Card, column: usize, text: String) {
    if let Some(cell) = card.single.get_mut(column)
        && cell.is_empty()
    {
        *cell = text;
    }
}

fn first(card: &mut Card, column: usize, entry: &VCardEntry) {
    set(card, column, whole(entry, ", "));
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::exchange::{Row, RowProblem, Table};

    fn rows(text: impl Into<Vec<u8>>) -> (Vec<String>, Vec<Row>) {
        let mut table = Table::open(Cursor::new(text.into()), &ReadOptions::new()).unwrap();
        let (mut rows, mut row) = (Vec::new(), Row::new());
        while table.next_row(&mut row).unwrap() {
            rows.push(row.clone());
        }
        (table.headers().to_vec(), rows)
    }

    fn cell<'r>(headers: &[String], row: &'r Row, name: &str) -> &'r str {
        let place = headers.iter().position(|header| header == name).unwrap();
        row.get(place).unwrap_or_default()
    }

    #[test]
    fn cards_of_all_versions_say_the_same() {
        let old = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=98st;K=C3=A5re;;Dr.;\r\n\
            FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Dr. K=C3=A5re =\r\n=C3=98st\r\nORG:Nordlys AS;Sales\r\n\
            TEL;WORK;VOICE:+47 22 22 55 55\r\nTEL;WORK;FAX:+47 99\r\nEMAIL;INTERNET:kare@nordlys.example\r\n\
            ADR;WORK:;;Storgata 1;Oslo;;0155;Norway\r\nEND:VCARD\r\n";
        let new = "BEGIN:VCARD\nVERSION:4.0\nFN:Dr. Kåre Øst\nN:Øst;Kåre;;Dr.;\nORG:Nordlys AS;Sales\n\
            TEL;VALUE=uri;TYPE=\"voice,work\":tel:+47 22 22 55 55\nEMAIL;TYPE=work:other@nordlys.example\n\
            EMAIL;PREF=1:kare@nord\n lys.example\nADR;TYPE=work:;;Storgata 1;Oslo;;0155;Norway\n\
            NOTE:one\\, two\\nthree\nEND:VCARD\n";
        let (headers, rows) = rows(format!("{old}{new}"));
        assert_eq!(rows.len(), 2);
        for row in &rows {
            let cell = |name: &str| cell(&headers, row, name);
            assert_eq!((cell("Full name"), cell("Salutation")), ("Dr. Kåre Øst", "Dr."));
            assert_eq!((cell("First name"), cell("Last name")), ("Kåre", "Øst"));
            assert_eq!((cell("Company"), cell("Department")), ("Nordlys AS", "Sales"));
            assert_eq!((cell("E-mail 1"), cell("Phone 1")), ("kare@nordlys.example", "+47 22 22 55 55"));
            assert_eq!((cell("Street"), cell("City"), cell("Postal code")), ("Storgata 1", "Oslo", "0155"));
        }
        assert_eq!(cell(&headers, &rows[1], "Note"), "one, two\nthree");
        assert_eq!(cell(&headers, &rows[1], "E-mail 2"), "other@nordlys.example");
        assert_eq!((rows[1].line(), headers.iter().any(|header| header == "Phone 2")), (2, false));
    }

    #[test]
    fn a_cut_card_and_strange_bytes_harm_no_other() {
        let good = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD\n";
        let (headers, first) = rows(format!("{good}{good}BEGIN:VCARD\nVERSION:3.0\nFN:Cu"));
        assert_eq!(cell(&headers, &first[1], "Full name"), "Ada");
        assert!((2..=3).contains(&first.len()));
        assert!(first.iter().take(2).all(|row| row.problem() != Some(RowProblem::Malformed)));
        let error = Table::open(Cursor::new("BEGIN:VCARD"), &ReadOptions::new());
        let cut = "BEGIN:VCARD\nVERSION:3.0\nFN:Cut\n";
        let (headers, rows) = rows(format!("{cut}{good}{cut}{good}"));
        let names = |row: &Row| cell(&headers, row, "Full name").to_owned();
        let ada = rows.iter().map(names).filter(|name| name == "Ada").count();
        assert_eq!((rows.len(), ada), (4, 2), "a card without its end takes none behind it along");
        assert!(error.is_err() || error.is_ok_and(|table| table.headers().len() >= SINGLE.len()));
    }
}
