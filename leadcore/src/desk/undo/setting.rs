//! Settings that an operation changed: the mapping of conversions is taken back, others stay.

use crate::domain::conversion_mapping::ConversionMapping;
use crate::domain::{Action, FieldChange, FieldValue, Kept, NewEntry, Operation, Subject, WhyKept};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{SettingName, Txn};

use super::super::conversion_mapping::broken_rules;
use super::stories::Story;
use super::walk::Bench;
use super::{UndoFailure, UndoRecord};

const MAPPING: SettingName = SettingName::ConversionMapping;

/// What becomes of the settings.
pub(super) fn take_back(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    let mut record = UndoRecord::new(subject);
    for change in story.own.iter().flat_map(|entry| &entry.changes) {
        if change.field != MAPPING.code() {
            // As before: other documents decide what leads may have, and are changed, not taken back.
            record.kept.push(Kept { field: Action::Updated.code().to_owned(), why: WhyKept::Unsupported });
            continue;
        }
        if !bench.may_configure {
            return Ok(UndoRecord::fail(subject, UndoFailure::Forbidden));
        }
        let stored = txn.settings().load(MAPPING)?;
        let Some((revision, now)) = stored.filter(|(_, json)| change.after.as_text() == Some(json.as_str()))
        else {
            record.kept.push(Kept { field: change.field.clone(), why: WhyKept::Edited });
            continue;
        };
        let before = mapping_of(&change.before)?;
        // Fields may have gone since.
        let broken = broken_rules(txn, &before)?;
        if !broken.is_empty() {
            return Ok(UndoRecord::fail(subject, UndoFailure::Invalid(broken)));
        }
        record.reversed.push(change.field.clone());
        if by.is_some() {
            let json = serde_json::to_string(&before).map_err(|error| {
                Error::new(ErrorKind::Internal, "a value could not be written as JSON").with_source(error)
            })?;
            txn.settings().save(MAPPING, Some(revision), &json)?;
            let change = FieldChange::new(MAPPING.code(), now, json);
            let told = NewEntry::new(subject, Action::Updated, bench.ctx.now());
            entries.push(told.with_changes(vec![change]));
        }
    }
    Ok(record)
}

/// The mapping that was there; before the first one, the standard one.
fn mapping_of(before: &FieldValue) -> Result<ConversionMapping> {
    let Some(json) = before.as_text() else { return Ok(ConversionMapping::standard()) };
    serde_json::from_str(json).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the mapping before cannot be read").with_source(error)
    })
}
