//! What the journal keeps of a value besides the fields that show it, so that it can be written back exactly.
//!
//! A name has a suffix that no field shows, an e-mail may be for work, a national phone was read as one of some country.
//! Where such a value changes, and the fields alone would not give it back, the change of its image is kept too: the
//! whole value as JSON text, under a key that is no field's.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::value::{Email, PersonName, Phone};

use super::custom_value::CustomKey;
use super::field::Field;
use super::field_value::FieldValue;
use super::journal::FieldChange;
use super::lead::LeadFields;
use super::reach::{Emails, Phones, Reachable};

/// The image of a person's name.
pub(super) const PERSON: &str = "person";
/// The image of all e-mail addresses.
pub(super) const EMAILS: &str = "emails";
/// The image of all phone numbers.
pub(super) const PHONES: &str = "phones";

/// The image of a custom field's value: this, then its key.
pub(super) const CUSTOM: &str = "custom:";

/// The field whose value is kept under this key: for images the field that shows most of it. Whoever may not see the
/// field may not see the image.
pub(crate) fn image_of(key: &str) -> Option<Field> {
    match key {
        PERSON => Some(Field::Name),
        EMAILS => Some(Field::Email),
        PHONES => Some(Field::Phone),
        _ => key.strip_prefix(CUSTOM)?.parse().ok().map(Field::Custom),
    }
}

/// The images of values that differ and that their fields do not give back.
pub(super) fn images(before: &LeadFields, after: &LeadFields) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let both = [before, after];
    if before.person != after.person && !both.iter().all(|fields| person_is_plain(fields)) {
        changes.push(change(PERSON, before.person.as_ref(), after.person.as_ref()));
    }
    if before.emails != after.emails && !both.iter().all(|fields| emails_are_plain(fields)) {
        let side = |fields: &LeadFields| (!fields.emails.is_empty()).then(|| fields.emails.clone());
        changes.push(change(EMAILS, side(before), side(after)));
    }
    if before.phones != after.phones && !both.iter().all(|fields| phones_are_plain(fields)) {
        let side = |fields: &LeadFields| (!fields.phones.is_empty()).then(|| fields.phones.clone());
        changes.push(change(PHONES, side(before), side(after)));
    }
    let keys: BTreeSet<_> = before.custom.keys().chain(after.custom.keys()).collect();
    for key in keys {
        let (old, new) = (before.custom.get(key), after.custom.get(key));
        if old != new {
            changes.push(change(&format!("{CUSTOM}{key}"), old, new));
        }
    }
    changes
}

/// The image of a person's name where it differs: for records whose journal does not tell the parts of a name one by one.
pub(super) fn person_image(before: Option<&PersonName>, after: Option<&PersonName>) -> Option<FieldChange> {
    (before != after).then(|| change(PERSON, before, after))
}

/// The image that a value has now.
pub(super) fn image(key: &str, fields: &LeadFields) -> FieldValue {
    match key {
        PERSON => json(fields.person.as_ref()),
        EMAILS => json((!fields.emails.is_empty()).then_some(&fields.emails)),
        PHONES => json((!fields.phones.is_empty()).then_some(&fields.phones)),
        custom => {
            let key = custom.strip_prefix(CUSTOM).and_then(|key| key.parse::<CustomKey>().ok());
            json(key.and_then(|key| fields.custom.get(&key)))
        }
    }
}

/// The addresses and numbers on one side of these changes, each with the field that shows it.
pub(crate) fn addresses(
    changes: &[FieldChange],
    side: fn(&FieldChange) -> &FieldValue,
) -> BTreeSet<(Field, String)> {
    let of = |key: &str| changes.iter().find(|change| change.field == key).map(side);
    let read = |image: &str| of(image).map(|value| value.as_text().unwrap_or("[]"));
    // Where there is no image, the field has them without what is said of them.
    let plain = |field: &Field| {
        let items = of(field.key()).map_or(&[][..], FieldValue::items);
        items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect()
    };
    let emails = read(EMAILS).map(|json| serde_json::from_str::<Emails>(json).unwrap_or_default());
    let emails = emails.map(|emails| emails.iter().map(ToString::to_string).collect::<Vec<_>>());
    let phones = read(PHONES).map(|json| serde_json::from_str::<Phones>(json).unwrap_or_default());
    let phones = phones.map(|phones| phones.iter().map(ToString::to_string).collect::<Vec<_>>());
    let emails = emails.unwrap_or_else(|| plain(&Field::Email)).into_iter();
    let phones = phones.unwrap_or_else(|| plain(&Field::Phone)).into_iter();
    emails.map(|one| (Field::Email, one)).chain(phones.map(|one| (Field::Phone, one))).collect()
}

fn change(key: &str, before: Option<impl Serialize>, after: Option<impl Serialize>) -> FieldChange {
    FieldChange::new(key, json(before), json(after))
}

fn json(value: Option<impl Serialize>) -> FieldValue {
    // Values of these types have nothing that JSON could not hold.
    value.and_then(|value| serde_json::to_string(&value).ok()).into()
}

pub(super) fn person_is_plain(fields: &LeadFields) -> bool {
    fields.person.as_ref().is_none_or(|name| {
        PersonName::from_stored(name.full(), name.prefix(), name.given(), name.family(), None).as_ref()
            == Ok(name)
    })
}

pub(super) fn emails_are_plain(fields: &LeadFields) -> bool {
    let parses = |entry: &Reachable<Email>| Email::parse(entry.value.as_str()).as_ref() == Ok(&entry.value);
    !fields.emails.has_marks() && fields.emails.entries().iter().all(parses)
}

pub(super) fn phones_are_plain(fields: &LeadFields) -> bool {
    let parses =
        |entry: &Reachable<Phone>| Phone::parse(entry.value.as_str(), None).as_ref() == Ok(&entry.value);
    !fields.phones.has_marks() && fields.phones.entries().iter().all(parses)
}
