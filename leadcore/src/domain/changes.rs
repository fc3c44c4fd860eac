//! What differs between two states of a record, field by field: what the journal keeps.

use std::collections::BTreeSet;

use super::account::{AccountFields, STATUS};
use super::contact::ContactFields;
use super::custom_value::{CustomKey, CustomValue, CustomValues};
use super::field::Field;
use super::field_value::FieldValue;
use super::images::{PERSON, images, person_image};
use super::journal::FieldChange;
use super::lead::{Lead, LeadFields};
use super::number_series::NumberSeries;
use super::series_field::SeriesField;
use super::vocabulary::{Term, TermKind};

/// Fields that follow from others or change with every write, and so say nothing in a history.
const DERIVED: &[Field] = &[Field::Name, Field::UpdatedAt, Field::Id, Field::Number, Field::FollowUp];

/// Every field that differs, with the value before and after, and what no field shows: see [`rewind`](super::rewind),
/// which writes the values before.
#[must_use]
pub fn lead_changes(before: &Lead, after: &Lead) -> Vec<FieldChange> {
    // A move or a conversion leaves what callers write as it is: then none of that is read.
    let is_same = before.fields == after.fields;
    let mut changes: Vec<_> = Field::ALL
        .iter()
        .filter(|field| !(DERIVED.contains(field) || is_same && field.is_writable()))
        .filter_map(|field| {
            let (old, new) = reached(field, &before.fields, &after.fields)
                .unwrap_or_else(|| (field.read(before), field.read(after)));
            (old != new).then(|| FieldChange::new(field.key(), old, new))
        })
        .collect();
    changes.extend(custom_changes(&before.fields.custom, &after.fields.custom));
    // A full name may differ where its parts do not (spelling of blanks, a second given name).
    let (old, new) = (Field::Name.read(before), Field::Name.read(after));
    if old != new {
        changes.insert(0, FieldChange::new(Field::Name.key(), old, new));
    }
    changes.extend(images(&before.fields, &after.fields));
    // A lead that leaves the trash tells since when it was there, so that it can be put back as it was.
    if let Some(trashed) = before.trashed.as_ref().filter(|_| after.trashed.is_none()) {
        changes.push(FieldChange::new(TRASHED_AT, trashed.at, FieldValue::Empty));
        changes.push(FieldChange::new(TRASHED_BY, trashed.operation.as_uuid(), FieldValue::Empty));
    }
    changes
}

/// Every custom field that differs.
pub(crate) fn custom_changes(before: &CustomValues, after: &CustomValues) -> Vec<FieldChange> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let change = |key: &CustomKey| {
        let (old, new) = (before.get(key), after.get(key));
        (old != new)
            .then(|| FieldChange::new(key.as_str(), old.map(CustomValue::read), new.map(CustomValue::read)))
    };
    keys.into_iter().filter_map(change).collect()
}

/// The lines of an imported file that created a lead or changed it: kept with the journal's entry, and no field.
pub(crate) const IMPORT_LINE: &str = "import_line";
/// Since when a restored lead had been in the trash.
pub(crate) const TRASHED_AT: &str = "trashed_at";
/// The operation that had put it there.
pub(crate) const TRASHED_BY: &str = "trashed_by";

/// What differs between two states of a term, `None` where it is not there. The name comes first, under the code of its
/// list, also where it is the same: it tells the list.
#[must_use]
pub fn term_changes<I>(
    kind: TermKind,
    before: Option<&Term<I>>,
    after: Option<&Term<I>>,
) -> Vec<FieldChange> {
    let change = |field: &str, read: &dyn Fn(&Term<I>) -> FieldValue| {
        let side = |term: Option<&Term<I>>| term.map_or(FieldValue::Empty, read);
        FieldChange::new(field, side(before), side(after))
    };
    let mut changes = vec![
        change("color", &|term| term.color.as_deref().into()),
        change("position", &|term| i64::from(term.position).into()),
        change("archived", &|term| term.archived.into()),
        change("needs_detail", &|term| term.needs_detail.into()),
    ];
    changes.retain(|change| change.before != change.after);
    changes.insert(0, change(kind.code(), &|term| term.name.as_str().into()));
    changes
}

/// What differs between two states of a number series, `None` where it is not there; the name always.
#[must_use]
pub fn series_changes(before: Option<&NumberSeries>, after: &NumberSeries) -> Vec<FieldChange> {
    let change = |field: &SeriesField| {
        let old = before.map_or(FieldValue::Empty, |before| field.read(before));
        FieldChange::new(field.key(), old, field.read(after))
    };
    let mut changes: Vec<_> = SeriesField::ALL.iter().map(change).collect();
    changes.retain(|change| change.field == SeriesField::Name.key() || change.before != change.after);
    changes
}

/// E-mails and phones with what is said of each, where anything is: an undo writes that too.
fn reached(field: &Field, before: &LeadFields, after: &LeadFields) -> Option<(FieldValue, FieldValue)> {
    match field {
        Field::Email if before.emails.has_marks() || after.emails.has_marks() => {
            Some((before.emails.told(), after.emails.told()))
        }
        Field::Phone if before.phones.has_marks() || after.phones.has_marks() => {
            Some((before.phones.told(), after.phones.told()))
        }
        _ => None,
    }
}

fn change(field: &Field, before: &LeadFields, after: &LeadFields) -> FieldChange {
    let (old, new) = reached(field, before, after)
        .unwrap_or_else(|| (field.read_fields(before), field.read_fields(after)));
    FieldChange::new(field.key(), old, new)
}

/// Every field of an account that differs.
#[must_use]
pub fn account_changes(before: &AccountFields, after: &AccountFields) -> Vec<FieldChange> {
    let mut changes = vec![FieldChange::new(STATUS, before.status.code(), after.status.code())];
    let (old, new) = (before.as_lead_fields(), after.as_lead_fields());
    changes.extend(AccountFields::FIELDS.iter().map(|field| change(field, &old, &new)));
    changes.retain(|change| change.before != change.after);
    changes.extend(custom_changes(&before.custom, &after.custom));
    changes.extend(images(&old, &new));
    changes
}

/// Every field of a contact that differs.
#[must_use]
pub fn contact_changes(before: &ContactFields, after: &ContactFields) -> Vec<FieldChange> {
    let (old, new) = (before.as_lead_fields(), after.as_lead_fields());
    let changes = ContactFields::FIELDS.iter().map(|field| change(field, &old, &new));
    let changes = changes.chain(before.own_changes(after)).filter(|change| change.before != change.after);
    let changes = changes.chain(custom_changes(&before.custom, &after.custom));
    let mut changes: Vec<_> = changes.chain(images(&old, &new)).collect();
    if !changes.iter().any(|change| change.field == PERSON) {
        changes.extend(person_image(before.name.as_ref(), after.name.as_ref()));
    }
    changes
}
