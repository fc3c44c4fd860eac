//! What differs between two states of a record, field by field: what the journal keeps.

use std::collections::BTreeSet;

use super::account::AccountFields;
use super::contact::ContactFields;
use super::custom_value::CustomValue;
use super::field::Field;
use super::field_value::FieldValue;
use super::journal::FieldChange;
use super::lead::Lead;
use super::pipeline::{Pipeline, Stage};

/// Fields that follow from others or change with every write, and so say nothing in a history.
const DERIVED: &[Field] = &[Field::Name, Field::UpdatedAt, Field::Id, Field::Number];

/// Every field that differs, with the value before and after. An undo writes the values before.
#[must_use]
pub fn lead_changes(before: &Lead, after: &Lead) -> Vec<FieldChange> {
    let mut changes: Vec<_> = Field::ALL
        .iter()
        .filter(|field| !DERIVED.contains(field))
        .filter_map(|field| {
            let (old, new) = (field.read(before), field.read(after));
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

/// Every field of an account that differs.
#[must_use]
pub fn account_changes(before: &AccountFields, after: &AccountFields) -> Vec<FieldChange> {
    let mut changes = vec![FieldChange::new("status", before.status.code(), after.status.code())];
    let (old, new) = (before.as_lead_fields(), after.as_lead_fields());
    changes.extend(
        AccountFields::FIELDS
            .iter()
            .map(|field| FieldChange::new(field.key(), field.read_fields(&old), field.read_fields(&new))),
    );
    changes.retain(|change| change.before != change.after);
    changes
}

/// Every field of a contact that differs.
#[must_use]
pub fn contact_changes(before: &ContactFields, after: &ContactFields) -> Vec<FieldChange> {
    let (old, new) = (before.as_lead_fields(), after.as_lead_fields());
    let changes = ContactFields::FIELDS
        .iter()
        .map(|field| FieldChange::new(field.key(), field.read_fields(&old), field.read_fields(&new)));
    changes.filter(|change| change.before != change.after).collect()
}

/// Everything that differs between two states of a pipeline; without one before, all of it.
///
/// The stages come as one list for each thing that is known of them (`stage_ids`, `stages` with the names,
/// `stage_kinds`, `stage_probabilities`), in board order. When one list differs all four are there, so that the state
/// before can be written again from the entry alone.
#[must_use]
pub fn pipeline_changes(before: Option<&Pipeline>, after: &Pipeline) -> Vec<FieldChange> {
    let change = |field: &str, read: &dyn Fn(&Pipeline) -> FieldValue| {
        FieldChange::new(field, before.map_or(FieldValue::Empty, read), read(after))
    };
    let stages = |field: &str, read: fn(&Stage) -> FieldValue| {
        change(field, &|pipeline| FieldValue::List(pipeline.stages.iter().map(read).collect()))
    };
    let mut changes = vec![
        change("name", &|pipeline| pipeline.name.as_str().into()),
        change("is_default", &|pipeline| FieldValue::Bool(pipeline.is_default)),
    ];
    changes.retain(|change| change.before != change.after);
    if before.is_none_or(|before| before.stages != after.stages) {
        changes.extend([
            stages("stage_ids", |stage| stage.id.into()),
            stages("stages", |stage| stage.name.as_str().into()),
            stages("stage_kinds", |stage| stage.kind.code().into()),
            stages("stage_probabilities", |stage| stage.probability.map(i64::from).into()),
            stages("stage_rules", stage_rules),
        ]);
    }
    changes
}

/// What a stage says besides its name, kind and probability, as JSON.
fn stage_rules(stage: &Stage) -> FieldValue {
    let rules = serde_json::json!({
        "color": stage.color,
        "required_fields": stage.required_fields,
        "allowed_next": stage.allowed_next,
        "wip_limit": stage.wip_limit,
        "idle_days": stage.idle_days,
    });
    FieldValue::Text(rules.to_string())
}
