//! The persons of a lead or an account as vCards, for address books.
//!
//! Version 3.0 (RFC 2426) is what every program reads; 4.0 (RFC 6350) is today's. Lines end in CR LF and are folded at 75
//! octets, never inside a letter. No card holds what the actor may not see, and they are for whoever may take the lead out: see
//! [`Permission::Export`](crate::policy::Permission::Export).

use std::fmt::Write as _;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::unwritten;
use crate::context::Context;
use crate::desk::contacts::LinkedContact;
use crate::desk::{accounts, leads, persons};
use crate::domain::{Catalogue, Field, ReachKind, Reachable, Subject, SubjectKind};
use crate::error::Result;
use crate::exchange::MARKS;
use crate::id::{AccountId, LeadId};
use crate::store::Txn;
use crate::value::{Address, Email, PersonName, Phone};

/// Which vCards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum VcardVersion {
    /// RFC 2426.
    #[default]
    #[serde(rename = "3.0")]
    V3,
    /// RFC 6350.
    #[serde(rename = "4.0")]
    V4,
}

impl VcardVersion {
    /// `3.0` or `4.0`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::V3 => "3.0",
            Self::V4 => "4.0",
        }
    }

    /// The version with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::V3, Self::V4].into_iter().find(|version| version.code() == code)
    }
}

/// What all cards of a lead or an account have.
#[derive(Debug, Default)]
struct Shared {
    company: Option<String>,
    address: Address,
}

/// Writes the persons of a lead or an account as vCards, the primary one first; says how many. Addresses that do not work
/// are left out; the first of those that do is the preferred one. One that must not be used for contact says so in a
/// parameter, `X-LEADCORE-MARKS=opted_out`, which an import understands; of a person who must not be called, every number does.
///
/// ```
/// use leadcore::desk::{contacts, leads};
/// use leadcore::exchange::export::{VcardVersion, contacts_vcard};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let mut file = Vec::new();
/// store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys, AS")?.into())?;
///     contacts::add(&ctx, txn, lead.id, ContactFields::named("Anna Berg")?, true)?;
///     file.clear();
///     contacts_vcard(&ctx, txn, lead.id, VcardVersion::V3, &mut file)
/// })?;
/// let card = String::from_utf8(file).unwrap();
/// assert!(card.contains("\r\nFN:Anna Berg\r\nN:Berg;Anna;;;\r\nORG:Nordlys\\, AS\r\n"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`; `Denied`; [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) when the output cannot be written.
pub fn contacts_vcard(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    owner: impl Into<Subject>,
    version: VcardVersion,
    output: &mut dyn Write,
) -> Result<usize> {
    let owner = owner.into();
    let persons = persons(ctx, txn, owner)?;
    let mut shared = match owner.kind {
        SubjectKind::Account => {
            let fields = accounts::get(ctx, txn, AccountId::from_uuid(owner.id))?.fields;
            Shared { company: Some(fields.name), address: fields.address }
        }
        _ => {
            let fields = leads::get(ctx, txn, LeadId::from_uuid(owner.id))?.fields;
            Shared { company: fields.company, address: fields.address }
        }
    };
    let catalogue = crate::desk::settings::visible_catalogue(ctx, txn)?;
    if catalogue.is_disabled(&Field::Company) {
        shared.company = None;
    }
    for person in &persons {
        let card = card(person, &shared, &catalogue, version);
        output.write_all(card.as_bytes()).map_err(|error| unwritten().with_source(error))?;
    }
    output.flush().map_err(|error| unwritten().with_source(error))?;
    Ok(persons.len())
}

/// A card that is being written.
struct Card(String);

impl Card {
    /// One property, folded: no line has more than 75 octets.
    fn line(&mut self, line: &str) {
        let mut room = 75_usize;
        for letter in line.chars() {
            if letter.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = 74;
            }
            self.0.push(letter);
            room = room.saturating_sub(letter.len_utf8());
        }
        self.0.push_str("\r\n");
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.line(&format!("{name}:{}", escaped(text)));
        }
    }
}

/// A text as a value. What is no letter and no line end has no place in a card.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' | ',' | ';' => out.extend(['\\', letter]),
            '\r' if letters.peek() == Some(&'\n') => {}
            '\r' | '\n' => out.push_str("\\n"),
            '\t' => out.push(letter),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

fn card(person: &LinkedContact, shared: &Shared, catalogue: &Catalogue, version: VcardVersion) -> String {
    let fields = &person.contact.fields;
    let shows = |field: Field| !catalogue.is_disabled(&field);
    let mut card = Card(String::new());
    card.line("BEGIN:VCARD");
    card.line(&format!("VERSION:{}", version.code()));
    let name = fields.name.as_ref().filter(|_| shows(Field::Name));
    let email = fields.emails.primary().map(Email::as_str).filter(|_| shows(Field::Email));
    let phone = fields.phones.primary().map(Phone::as_str).filter(|_| shows(Field::Phone));
    // Every card has a name.
    let full = name.map(PersonName::full).or(shared.company.as_deref()).or(email).or(phone);
    card.text("FN", Some(full.unwrap_or("-")));
    let part = |read: fn(&PersonName) -> Option<&str>| name.and_then(read).map(escaped).unwrap_or_default();
    let (family, given) = (part(PersonName::family), part(PersonName::given));
    let (prefix, suffix) = (part(PersonName::prefix), part(PersonName::suffix));
    card.line(&format!("N:{family};{given};;{prefix};{suffix}"));
    card.text("ORG", shared.company.as_deref());
    if shows(Field::JobTitle) {
        card.text("TITLE", fields.job_title.as_deref());
        card.text("ROLE", fields.role.as_deref());
    }
    if shows(Field::Email) {
        let texts = fields.emails.entries().iter().map(|entry| (entry, entry.value.as_str().to_owned()));
        reach(&mut card, "EMAIL", texts, false, version);
    }
    if shows(Field::Phone) {
        let texts = fields.phones.entries().iter().map(|entry| (entry, number(&entry.value)));
        reach(&mut card, "TEL", texts, fields.do_not_call.is_some(), version);
    }
    address(&mut card, &shared.address);
    if shows(Field::Description) {
        card.text("NOTE", fields.description.as_deref());
    }
    card.line(&format!("UID:urn:uuid:{}", person.contact.id));
    card.line(&format!("REV:{}", person.contact.updated_at.to_datetime().format("%Y%m%dT%H%M%SZ")));
    card.line("END:VCARD");
    card.0
}

/// The international form where it is known: an address book does not know the country.
fn number(phone: &Phone) -> String {
    match (phone.e164(), phone.extension()) {
        (Some(e164), Some(extension)) => format!("{e164} ext. {extension}"),
        (Some(e164), None) => e164.to_owned(),
        (None, _) => phone.as_str().to_owned(),
    }
}

fn reach<'r, T: 'r>(
    card: &mut Card,
    name: &str,
    entries: impl Iterator<Item = (&'r Reachable<T>, String)>,
    none_wanted: bool,
    version: VcardVersion,
) {
    for (n, (entry, text)) in entries.filter(|(entry, _)| !entry.invalid).enumerate() {
        let mut line = name.to_owned();
        let mut types = Vec::new();
        if name == "EMAIL" && version == VcardVersion::V3 {
            types.push("INTERNET");
        }
        types.extend(match entry.kind {
            ReachKind::Work => Some("WORK"),
            ReachKind::Home => Some("HOME"),
            ReachKind::Mobile => Some("CELL"),
            ReachKind::Fax => Some("FAX"),
            _ => None,
        });
        if n == 0 && version == VcardVersion::V3 {
            types.push("PREF");
        }
        if !types.is_empty() {
            let types = types.join(",");
            let quoted = version == VcardVersion::V4 && types.contains(',');
            let _ = if quoted { write!(line, ";TYPE=\"{types}\"") } else { write!(line, ";TYPE={types}") };
        }
        if n == 0 && version == VcardVersion::V4 {
            line.push_str(";PREF=1");
        }
        // No standard has a word for it; other programs pass over a parameter of an unknown name.
        if none_wanted || entry.opted_out {
            let _ = write!(line, ";{MARKS}=opted_out");
        }
        card.line(&format!("{line}:{}", escaped(&text)));
    }
}

fn address(card: &mut Card, address: &Address) {
    let country = address.country().map(crate::value::Country::name);
    let parts = [address.street(), address.city(), address.state(), address.postal_code(), country];
    if parts.iter().all(Option::is_none) {
        return;
    }
    let parts = parts.map(|part| part.map(escaped).unwrap_or_default());
    card.line(&format!("ADR;TYPE=WORK:;;{}", parts.join(";")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_letters() {
        let mut card = Card(String::new());
        let text = "å".repeat(100);
        card.text("NOTE", Some(&text));
        assert!(card.0.split("\r\n").all(|line| line.len() <= 75), "{}", card.0);
        assert_eq!(card.0.replace("\r\n ", ""), format!("NOTE:{text}\r\n"));
    }

    #[test]
    fn a_text_cannot_end_its_line() {
        assert_eq!(escaped("a\r\nEND:VCARD;b,c\\d\0\u{7}\re"), "a\\nEND:VCARD\\;b\\,c\\\\d\\ne");
    }
}
