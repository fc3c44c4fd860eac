//! What the properties of a card say, and which of them say something that no column holds.

use std::collections::{BTreeMap, BTreeSet};

use calcard::common::IanaString;
use calcard::vcard::{
    VCard, VCardEntry, VCardParameterName, VCardParameterValue, VCardProperty, VCardType, VCardValue,
};

use super::SINGLE;
use crate::domain::{ExternalRef, ReachKind, ReachMark};
use crate::exchange::MARKS;
use crate::exchange::import::CARDS;
use crate::value::{PersonName, join_list};

/// So many e-mails and phones of a card have a column.
const MOST: usize = 50;
/// What Apple's programs call the label of another property.
const LABEL: &str = "X-ABLABEL";

/// Where a column is in [`SINGLE`].
macro_rules! columns {
    ($($name:ident = $place:expr),+) => { $(const $name: usize = $place;)+ };
}
columns!(
    FULL = 0,
    PREFIX = 1,
    GIVEN = 2,
    FAMILY = 3,
    NICK = 4,
    COMPANY = 5,
    DEPARTMENT = 6,
    TITLE = 7,
    STREET = 8,
    CITY = 9,
    STATE = 10,
    ZIP = 11,
    COUNTRY = 12,
    SITE = 13,
    NOTE = 14,
    CATEGORIES = 15,
    UID = 16
);

/// What a card says.
#[derive(Debug, Default)]
pub(super) struct Card {
    pub(super) single: [String; SINGLE.len()],
    pub(super) emails: Vec<String>,
    pub(super) phones: Vec<String>,
    /// How well the address in `single` fits: a company's address outranks a private one.
    address_rank: u8,
    /// The name with what stands behind it, where that is told from the family name.
    whole_name: Option<String>,
    /// The properties of which something has no column.
    pub(super) left_out: BTreeSet<String>,
}

/// An e-mail or a phone number as the card has it.
struct Way {
    /// 0 is what is preferred most.
    rank: u16,
    value: String,
    kind: ReachKind,
    /// Whoever it belongs to does not want to be reached by it.
    opted_out: bool,
}

pub(super) fn understand(vcard: &VCard) -> Card {
    let mut card = Card::default();
    let (mut emails, mut phones) = (Vec::new(), Vec::new());
    let labels = labels(vcard);
    for entry in &vcard.entries {
        let (rank, kind) = (rank(entry), kind(entry, &labels));
        let way = |value| Way { rank, value, kind, opted_out: is_opted_out(entry) };
        let all_taken = match &entry.name {
            // These say what the card is, not who.
            VCardProperty::Begin
            | VCardProperty::End
            | VCardProperty::Version
            | VCardProperty::Prodid
            | VCardProperty::Rev => true,
            VCardProperty::Fn => first(&mut card, FULL, entry),
            VCardProperty::N => name(&mut card, entry),
            VCardProperty::Nickname => first(&mut card, NICK, entry),
            VCardProperty::Org => {
                let units = (1..entry.values.len()).map(|place| part(entry, place));
                let units: Vec<_> = units.filter(|unit| !unit.is_empty()).collect();
                let company = set(&mut card, COMPANY, part(entry, 0));
                set(&mut card, DEPARTMENT, units.join(", ")) && company
            }
            VCardProperty::Title => first(&mut card, TITLE, entry),
            VCardProperty::Url => first(&mut card, SITE, entry),
            VCardProperty::Note => add(&mut card, NOTE, &whole(entry, ", "), "\n"),
            VCardProperty::Categories => {
                // One with a comma in it stays one.
                let names = (0..entry.values.len()).map(|place| part(entry, place));
                let names = join_list(names.filter(|name| !name.is_empty()), "; ");
                add(&mut card, CATEGORIES, &names, "; ")
            }
            VCardProperty::Email => {
                emails.push(way(whole(entry, ",")));
                true
            }
            // Nobody can be called on a pager.
            VCardProperty::Tel if types(entry).all(|kind| *kind != VCardType::Pager) => {
                phones.push(way(phone(&whole(entry, ","))));
                true
            }
            VCardProperty::Adr => address(&mut card, entry),
            VCardProperty::Uid => uid(&mut card, entry),
            VCardProperty::Other(name) if name.eq_ignore_ascii_case(LABEL) => is_told(entry),
            VCardProperty::Other(name) if name.eq_ignore_ascii_case("X-ABShowAs") => true,
            _ => is_empty(entry),
        };
        if !all_taken {
            leave_out(&mut card, &entry.name);
        }
    }
    if let (Some(whole), Some(cell)) = (card.whole_name.take(), card.single.get_mut(FULL)) {
        *cell = whole;
    }
    let all_taken;
    (card.emails, all_taken) = in_order(emails);
    if !all_taken {
        leave_out(&mut card, &VCardProperty::Email);
    }
    let all_taken;
    (card.phones, all_taken) = in_order(phones);
    if !all_taken {
        leave_out(&mut card, &VCardProperty::Tel);
    }
    of_company(&mut card, vcard);
    // An id of nothing is no lead.
    let says = |text: &String| !text.is_empty();
    if !(card.single.iter().take(UID).any(says) || card.emails.iter().chain(&card.phones).any(says)) {
        card.single.iter_mut().for_each(String::clear);
    }
    card
}

/// The name that a card of a company is shown by is the company's, and no person's.
fn of_company(card: &mut Card, vcard: &VCard) {
    let is_shown_so = vcard.entries.iter().any(|entry| {
        entry.name.as_str().eq_ignore_ascii_case("X-ABShowAs")
            && whole(entry, ",").eq_ignore_ascii_case("COMPANY")
    });
    let cell = |column: usize| card.single.get(column).map_or("", String::as_str);
    let (shown, company) = (cell(FULL).to_owned(), cell(COMPANY));
    let is_alone = cell(GIVEN).is_empty() && cell(FAMILY).is_empty();
    if !(is_shown_so || is_alone && !company.is_empty() && shown == company) {
        return;
    }
    set(card, COMPANY, shown);
    if let Some(full) = card.single.get_mut(FULL) {
        full.clear();
    }
}

/// No name is longer in a report.
const LONGEST_NAME: usize = 60;

fn leave_out(card: &mut Card, property: &VCardProperty) {
    let name: String = property.as_str().chars().take(LONGEST_NAME).collect();
    card.left_out.insert(name.to_ascii_uppercase());
}

/// Preferred ones first, faxes last, else in the order of the card; each once. And whether there was room for all.
fn in_order(mut ways: Vec<Way>) -> (Vec<String>, bool) {
    ways.retain(|way| !way.value.is_empty());
    ways.sort_by_key(|way| (way.kind == ReachKind::Fax, way.rank));
    let mut found: Vec<Way> = Vec::new();
    let mut has_room = true;
    for way in ways {
        if let Some(known) = found.iter_mut().find(|known| known.value == way.value) {
            if known.kind == ReachKind::Unspecified {
                known.kind = way.kind;
            }
            // The strictest of what is said holds.
            known.opted_out |= way.opted_out;
        } else if found.len() < MOST {
            found.push(way);
        } else {
            has_room = false;
        }
    }
    let text = |Way { value, kind, opted_out, .. }| match (kind, opted_out) {
        (ReachKind::Unspecified, false) => value,
        // As such cells are written everywhere.
        (ReachKind::Unspecified, true) => format!("{value} ({})", ReachMark::OptedOut.code()),
        (kind, false) => format!("{value} ({})", kind.code()),
        (kind, true) => format!("{value} ({} {})", kind.code(), ReachMark::OptedOut.code()),
    };
    (found.into_iter().map(text).collect(), has_room)
}

/// `tel:+47-22-22` is a number with its scheme.
fn phone(text: &str) -> String {
    let number = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
    number.and_then(|_| text.get(4..)).unwrap_or(text).replace(";ext=", " x").trim().to_owned()
}

/// The id of the card, with the system of such ids before it; one that no lead can have is left out.
fn uid(card: &mut Card, entry: &VCardEntry) -> bool {
    let id = ExternalRef::new(CARDS, &whole(entry, ","));
    id.is_ok_and(|id| set(card, UID, id.to_string())) || is_empty(entry)
}

fn name(card: &mut Card, entry: &VCardEntry) -> bool {
    let [mut family, given, middle, prefix, suffix] = [0, 1, 2, 3, 4].map(|place| part(entry, place));
    let given = in_words([&given, &middle]);
    if !suffix.is_empty() {
        // No column is its own: it stands in the full name where it is read as one there, else in the last name.
        let whole = in_words([&given, &family, &suffix]);
        let parts = [&given, &family, &suffix].map(|part| Some(part.as_str()));
        let is_read_so =
            PersonName::parse(&whole).is_ok_and(|name| [name.given(), name.family(), name.suffix()] == parts);
        if is_read_so && card.whole_name.is_none() {
            card.whole_name = Some(whole);
        } else {
            family = in_words([&family, &suffix]);
        }
    }
    // Each is set, whatever became of the one before.
    let cells = [(FAMILY, family), (GIVEN, given), (PREFIX, prefix)];
    cells.into_iter().fold(true, |all, (column, text)| set(card, column, text) && all)
}

fn in_words<const N: usize>(parts: [&str; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A business address rather than a private one, else the first. Whether the other one, if there is one, says nothing.
fn address(card: &mut Card, entry: &VCardEntry) -> bool {
    let rank = if types(entry).any(|kind| *kind == VCardType::Work) { 2 } else { 1 };
    let parts: Vec<String> = (0..7).map(|place| part(entry, place)).collect();
    if parts.iter().all(String::is_empty) {
        return true;
    }
    let is_only = card.address_rank == 0;
    if rank <= card.address_rank {
        return false;
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
    is_only
}

fn types(entry: &VCardEntry) -> impl Iterator<Item = &VCardType> {
    entry.params.iter().filter_map(|param| match &param.value {
        VCardParameterValue::Type(kind) => Some(kind),
        _ => None,
    })
}

/// What an address or number is for: of several types, what it is (a fax, a mobile phone) before where it is.
fn kind(entry: &VCardEntry, labels: &BTreeMap<String, ReachKind>) -> ReachKind {
    let is = |wanted: VCardType| types(entry).any(|kind| *kind == wanted);
    if is(VCardType::Fax) {
        return ReachKind::Fax;
    }
    if is(VCardType::Cell) {
        return ReachKind::Mobile;
    }
    let label = entry.group.as_ref().and_then(|group| labels.get(&group.to_ascii_lowercase()));
    match label {
        Some(kind) => *kind,
        None if is(VCardType::Work) => ReachKind::Work,
        None if is(VCardType::Home) => ReachKind::Home,
        None => ReachKind::Unspecified,
    }
}

/// What labels say of the property of the same group: `item1.TEL:…`, `item1.X-ABLabel:_$!<Mobile>!$_`.
fn labels(vcard: &VCard) -> BTreeMap<String, ReachKind> {
    let labels = vcard.entries.iter().filter(|entry| entry.name.as_str().eq_ignore_ascii_case(LABEL));
    let told = labels.filter_map(|entry| {
        let group = entry.group.as_ref()?.to_ascii_lowercase();
        Some((group, label_kind(&whole(entry, ","))?))
    });
    told.collect()
}

fn label_kind(label: &str) -> Option<ReachKind> {
    let word = own_label(label).unwrap_or(label).to_lowercase();
    Some(match word.as_str() {
        "mobile" | "cell" | "iphone" => ReachKind::Mobile,
        "fax" | "homefax" | "workfax" | "otherfax" => ReachKind::Fax,
        "work" => ReachKind::Work,
        "home" => ReachKind::Home,
        _ => return None,
    })
}

/// A label of the program itself, rather than one that a person wrote.
fn own_label(label: &str) -> Option<&str> {
    label.strip_prefix("_$!<")?.strip_suffix(">!$_")
}

/// Whether a label is lost without loss.
fn is_told(entry: &VCardEntry) -> bool {
    let label = whole(entry, ",");
    label.is_empty() || own_label(&label).is_some() || label_kind(&label).is_some()
}

/// Whether an export of ours says that nobody is to be reached by it.
fn is_opted_out(entry: &VCardEntry) -> bool {
    let is_ours = |name: &VCardParameterName| matches!(name, VCardParameterName::Other(name) if name.eq_ignore_ascii_case(MARKS));
    let marks = entry.params.iter().filter(|param| is_ours(&param.name));
    let texts = marks.filter_map(|param| match &param.value {
        VCardParameterValue::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.flat_map(|text| text.split(',')).any(|mark| mark.trim() == ReachMark::OptedOut.code())
}

/// Before what is not preferred: `PREF=1` (vCard 4.0) up to `PREF=100`, or the type `pref`.
fn rank(entry: &VCardEntry) -> u16 {
    const LEAST: u16 = 101;
    let is_pref = |text: &str| text.eq_ignore_ascii_case("pref");
    let ranks = entry.params.iter().filter_map(|param| match &param.value {
        VCardParameterValue::Integer(rank) if param.name == VCardParameterName::Pref => {
            Some(u16::try_from(*rank).unwrap_or(LEAST).min(100))
        }
        VCardParameterValue::Text(text) if param.name == VCardParameterName::Pref => {
            Some(text.trim().parse().unwrap_or(1).min(100))
        }
        _ if param.name == VCardParameterName::Pref => Some(1),
        VCardParameterValue::Text(text) if is_pref(text) => Some(1),
        VCardParameterValue::Type(kind) if is_pref(kind.as_str()) => Some(1),
        _ => None,
    });
    ranks.min().unwrap_or(LEAST)
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

/// Whether a property says nothing.
fn is_empty(entry: &VCardEntry) -> bool {
    entry.values.iter().all(|value| match value {
        VCardValue::Component(parts) => parts.iter().all(|part| part.trim().is_empty()),
        VCardValue::Text(text) => text.trim().is_empty(),
        _ => false,
    })
}

/// Fills a column that is empty so far. Whether nothing is lost.
fn set(card: &mut Card, column: usize, text: String) -> bool {
    match card.single.get_mut(column) {
        Some(cell) if cell.is_empty() => {
            *cell = text;
            true
        }
        cell => text.is_empty() || cell.is_some_and(|cell| *cell == text),
    }
}

/// Adds to what the column holds.
fn add(card: &mut Card, column: usize, text: &str, between: &str) -> bool {
    if let Some(cell) = card.single.get_mut(column).filter(|_| !text.is_empty()) {
        if !cell.is_empty() {
            cell.push_str(between);
        }
        cell.push_str(text);
    }
    true
}

fn first(card: &mut Card, column: usize, entry: &VCardEntry) -> bool {
    set(card, column, whole(entry, ", "))
}
