//! What differs between two states of a record, field by field: what the journal keeps.

use std::collections::BTreeSet;

use super::account::AccountFields;
use super::contact::ContactFields;
use super::custom_value::CustomValue;
use super::field::Field;
use super::field_value::FieldValue;
use super::journal::FieldChange;
use super::lead::{Lead, LeadFields};

/// Fields that follow from others or change with every write, and so say nothing in a history.
const DERIVED: &[Field] = &[Field::Name, Field::UpdatedAt, Field::Id, Field::Number];

/// Every field that differs, with the value before and after. An undo writes the values before.
#[must_use]
pub fn lead_changes(before: &Lead, after: &Lead) -> Vec<FieldChange> {
    let mut changes: Vec<_> = Field::ALL
        .iter()
        .filter(|field| !DERIVED.contains(field))
        .filter_map(|field| {
            let (old, new) = reached(field, &before.fields, &after.fields)
                .unwrap_or_else(|| (field.read(before), field.read(after)));
            (old != new).then(|| FieldChange::new(field.key(), old, new))
        })
        .collect();
    let keys: BTreeSet<_> = before.fields.custom.keys().chain(after.fields.custom.keys()).collect();
    changes.extend(keys.into_iter().filter_map(|key| {
        let (old, new) = (before.fields.custom.get(key), after.fields.custom.get(key));
        (old != new)
            .then(|| FieldChange::new(key.as_str(), old.map(CustomValue::read), new.map(CustomValue::read)))
    }));
    // A full name may differ where its parts do not (spelling of blanks, a second given name).
    let (old, new) = (Field::Name.read(before), Field::Name.read(after));
    if old != new {
        changes.insert(0, FieldChange::new(Field::Name.key(), old, new));
    }
    changes
}

/// E-mails and phones with what is said of each, where anything is: an undo writes that too.
fn reached(field: &Field, before: &LeadFields, after: &LeadFields) -> Option<(FieldValue, FieldValue)> {
    match field {
        Field::Email if before.emails.has_marks() || after.emails.has_marks() => {
            Some((before.emails.marked(), after.emails.marked()))
        }
        Field::Phone if before.phones.has_marks() || after.phones.has_marks() => {
            Some((before.phones.marked(), after.phones.marked()))
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
    let mut changes = vec![FieldChange::new("status", before.status.code(), after.status.code())];
    let (old, new) = (before.as_lead_fields(), after.as_lead_fields());
    changes.extend(AccountFields::FIELDS.iter().map(|field| change(field, &old, &new)));
    changes.retain(|change| change.before != change.after);
    changes
}

/// Every field of a contact that differs.
#[must_use]
pub fn contact_changes(before: &ContactFields, after: &ContactFields) -> Vec<FieldChange> {
    let (old, new) = (before.as_lead_fields(), after.as_lead_fields());
    let changes = ContactFields::FIELDS.iter().map(|field| change(field, &old, &new));
    changes.filter(|change| change.before != change.after).collect()
}
