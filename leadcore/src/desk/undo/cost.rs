//! Costs that an operation added, changed or removed.

use rust_decimal::Decimal;

use crate::domain::{
    Action, Cost, CostField, CostFields, FieldChange, FieldValue, Kept, NewEntry, Operation, Subject,
    WhyKept, cost_changes, plain,
};
use crate::error::{ErrorKind, Result};
use crate::id::{CostId, Revision};
use crate::store::Txn;
use crate::time::Date;
use crate::value::Currency;

use super::super::costs::checked;
use super::stories::Story;
use super::walk::Bench;
use super::{UndoFailure, UndoRecord};

/// What becomes of a cost.
pub(super) fn take_back(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    if !bench.may_configure {
        return Ok(UndoRecord::fail(subject, UndoFailure::Forbidden));
    }
    let mut record = UndoRecord::new(subject);
    let id = CostId::from_uuid(subject.id);
    let before = txn.costs().get(&[id])?.pop();
    let mut after = before.as_ref().map(|cost| cost.fields.clone());
    for entry in &story.own {
        let field = entry.action.code();
        let kept = match (entry.action, &mut after) {
            (Action::Created, Some(fields)) => {
                let wrote = entry.changes.iter().all(|change| holds(fields, &change.field, &change.after));
                let untouched = wrote && before.as_ref().is_none_or(|cost| cost.revision == Revision::FIRST);
                if untouched {
                    after = None;
                }
                (!untouched).then_some(WhyKept::Edited)
            }
            (Action::Deleted, None) => {
                after = written(&entry.changes);
                after.is_none().then_some(WhyKept::Unsupported)
            }
            (Action::Updated, Some(fields)) => {
                for change in &entry.changes {
                    if holds(fields, &change.field, &change.after) {
                        write(fields, &change.field, &change.before);
                        record.reversed.push(change.field.clone());
                    } else {
                        record.kept.push(Kept { field: change.field.clone(), why: WhyKept::Edited });
                    }
                }
                continue;
            }
            (_, Some(_)) => Some(WhyKept::Edited),
            (_, None) => Some(WhyKept::Gone),
        };
        match kept {
            None => record.reversed.push(field.to_owned()),
            Some(why) => record.kept.push(Kept { field: field.to_owned(), why }),
        }
    }
    // The days of one that was edited twice may not fit any more, or its source may be gone.
    if let Some(fields) = after.clone() {
        // One that comes back is as it was: its source has to be there, but amounts were finer once, and currencies go out of use.
        let was = CostFields { source: None, ..fields.clone() };
        let known = before.as_ref().map_or(&was, |cost| &cost.fields);
        match checked(txn, Some(known), fields) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Invalid => {
                return Ok(UndoRecord::fail(subject, UndoFailure::Invalid(error.violations().to_vec())));
            }
            Err(error) => return Err(error),
        }
    }
    if by.is_some() {
        entries.extend(write_back(bench, txn, id, before, after)?);
    }
    Ok(record)
}

fn write_back(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    id: CostId,
    before: Option<Cost>,
    after: Option<CostFields>,
) -> Result<Option<NewEntry>> {
    let (ctx, now) = (bench.ctx, bench.ctx.now());
    let told = cost_changes(before.as_ref().map(|cost| &cost.fields), after.as_ref());
    let action = match (before, after) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) if told.is_empty() => return Ok(None),
        (Some(_), None) => {
            txn.costs().remove(&[id])?;
            Action::Deleted
        }
        (Some(cost), Some(fields)) => {
            let next = Cost { fields, revision: cost.revision.next(), updated_at: now, ..cost };
            txn.costs().update(&[next])?;
            Action::Updated
        }
        (None, Some(fields)) => {
            let created_by = ctx.actor().clone();
            let revision = Revision::FIRST;
            txn.costs().insert(&[Cost {
                id,
                revision,
                fields,
                created_by,
                created_at: now,
                updated_at: now,
            }])?;
            Action::Created
        }
    };
    Ok(Some(NewEntry::new(id, action, now).with_changes(told)))
}

fn holds(fields: &CostFields, key: &str, value: &FieldValue) -> bool {
    CostField::from_key(key).is_none_or(|field| plain(&field.read(fields)) == plain(value))
}

fn write(fields: &mut CostFields, key: &str, value: &FieldValue) {
    if let Some(field) = CostField::from_key(key) {
        field.write(fields, value);
    }
}

/// A cost as it was, from the journal, which has every field that said something.
fn written(changes: &[FieldChange]) -> Option<CostFields> {
    let currency = changes.iter().find(|change| change.field == CostField::Currency.key())?;
    let currency = Currency::from_stored(currency.before.as_text()?).ok()?;
    let mut fields = CostFields::new(Decimal::ZERO, currency, Date::MIN);
    changes.iter().for_each(|change| write(&mut fields, &change.field, &change.before));
    Some(fields)
}
