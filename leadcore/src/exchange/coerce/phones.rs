//! Phone numbers and e-mails of a row, and what their headers say that they are for.

use super::column::Column;
use super::parts::{check_whole, list_of, without_prefix};
use super::{Intent, mail};
use crate::domain::{Field, Phones, ReachKind, Reachable, header_key};
use crate::error::ValueError;
use crate::exchange::Row;
use crate::exchange::write::text_of;
use crate::value::{Country, Phone};

/// Words for what a number is for, as headers and labels have them in them.
const KINDS: [(ReachKind, &[&str]); 4] = [
    (ReachKind::Fax, &["fax"]),
    (
        ReachKind::Mobile,
        &["mobil", "mobiel", "cell", "handy", "movil", "celular", "gsm", "iphone", "portable", "whatsapp"],
    ),
    (
        ReachKind::Work,
        &[
            "work",
            "business",
            "office",
            "corporate",
            "company",
            "direct",
            "dienst",
            "arbeit",
            "jobb",
            "bureau",
        ],
    ),
    (ReachKind::Home, &["home", "private", "privat", "personal", "hjem", "domicile"]),
];
/// What says beside a value what it is for: `Phone 1 - Label` of `Phone 1 - Value`, `email.1.label` of `email.1.value`.
const VALUES: [&str; 5] = ["value", "number", "phone", "email", "address"];
const LABELS: [&str; 3] = ["label", "type", "kind"];

/// What a header or a label says that a number is for.
pub(super) fn kind_of(words: &str) -> ReachKind {
    let key = header_key(words);
    let says = |known: &&(ReachKind, &[&str])| known.1.iter().any(|word| key.contains(word));
    KINDS.iter().find(says).map_or(ReachKind::Unspecified, |(kind, _)| *kind)
}

/// The column that says what the values of this one are for.
pub(super) fn label_of(headers: &[String], place: usize) -> Option<usize> {
    let parted = |header: &str| -> Option<(String, String)> {
        let (before, last) = header.rsplit_once([' ', '.', '_'])?;
        Some((header_key(before), header_key(last)))
    };
    let (own, last) = parted(headers.get(place)?)?;
    if !VALUES.contains(&last.as_str()) || !own.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    headers.iter().position(|header| {
        parted(header).is_some_and(|(before, last)| before == own && LABELS.contains(&last.as_str()))
    })
}

/// Whether a cell may hold a phone number that does not say its country.
pub(in crate::exchange) fn is_national(cell: &str) -> bool {
    let cell = cell.trim();
    !cell.is_empty() && !cell.starts_with('+') || cell.contains([',', ';', '/', '|', '\n'])
}

impl Column {
    /// What the values of this row are for, where they do not say it themselves.
    fn kind(&self, row: Option<&Row>) -> ReachKind {
        let label = self.label.and_then(|place| row?.get(place)).unwrap_or_default();
        Some(kind_of(label)).filter(|kind| *kind != ReachKind::Unspecified).unwrap_or(self.kind)
    }
}

/// Takes over numbers. Those that a header calls faxes come last.
pub(super) fn take_phones(
    intent: &mut Intent,
    column: &Column,
    cell: &str,
    row: Option<&Row>,
    region: Option<Country>,
) -> Result<(), ValueError> {
    let (rules, kind) = (&column.at.rules, column.kind(row));
    // No number is a formula, of whatever kind the file is, and none has quotes: they are those of a list.
    let cell = text_of(cell);
    let (names, parts);
    if cell.contains('"') {
        names = rules.names_in(cell);
        parts = names.iter().map(AsRef::as_ref).collect();
    } else {
        parts = list_of(rules, cell).collect::<Vec<_>>();
    }
    for part in parts {
        check_whole(part)?;
        for entry in Phones::parse(without_prefix(without_text_mark(part), &["p"]), region)?.entries() {
            let (mut entry, is_said) = (entry.clone(), entry.kind != ReachKind::Unspecified);
            if !is_said {
                entry.kind = kind;
            }
            if !is_said && kind == ReachKind::Fax {
                intent.faxes.push(entry);
            } else {
                intent.fields.phones.merge_typed(entry)?;
            }
        }
    }
    Ok(())
}

/// A number without the apostrophe by which spreadsheets keep it text.
fn without_text_mark(number: &str) -> &str {
    let rest = number.strip_prefix('\'');
    rest.filter(|rest| rest.starts_with(|c: char| c == '+' || c.is_ascii_digit())).unwrap_or(number)
}

/// Takes over addresses.
pub(super) fn take_emails(
    intent: &mut Intent,
    column: &Column,
    cell: &str,
    row: Option<&Row>,
) -> Result<(), ValueError> {
    let kind = if column.label.is_some() { column.kind(row) } else { ReachKind::Unspecified };
    for part in list_of(&column.at.rules, cell) {
        let read = mail::read(part)?;
        // Beside the first address of the row only: the others may be anybody's.
        if let Some(first) = read.primary().filter(|_| intent.fields.emails.is_empty()) {
            intent.beside = mail::person(part, first).map(str::to_owned);
        }
        for entry in read.entries() {
            let mut entry = entry.clone();
            if entry.kind == ReachKind::Unspecified && matches!(kind, ReachKind::Work | ReachKind::Home) {
                entry.kind = kind;
            }
            intent.fields.emails.merge(entry)?;
        }
    }
    Ok(())
}

/// Puts faxes behind the other numbers.
pub(super) fn settle(intent: &mut Intent) -> Result<(), ValueError> {
    let faxes: Vec<Reachable<Phone>> = std::mem::take(&mut intent.faxes);
    faxes.into_iter().try_for_each(|fax| intent.fields.phones.merge(fax).map(drop))
}

/// Whether the column holds values of this field that have kinds.
pub(super) const fn has_kinds(field: &Field) -> bool {
    matches!(field, Field::Phone | Field::Email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_numbers_are_for() {
        for (header, kind) in [
            ("Fax", ReachKind::Fax),
            ("Business Fax", ReachKind::Fax),
            ("Mobile Phone", ReachKind::Mobile),
            ("Handynummer", ReachKind::Mobile),
            ("Home Phone", ReachKind::Home),
            ("Work Phone", ReachKind::Work),
            ("* Work", ReachKind::Work),
            ("Phone", ReachKind::Unspecified),
            ("", ReachKind::Unspecified),
        ] {
            assert_eq!(kind_of(header), kind, "{header}");
        }
        let headers = ["Phone 1 - Label", "Phone 1 - Value", "email.1.value", "email.1.label", "Phone"];
        let headers = headers.map(String::from);
        let told: Vec<_> = (0..5).map(|place| label_of(&headers, place)).collect();
        assert_eq!(told, [None, Some(0), Some(3), None, None]);
    }
}
