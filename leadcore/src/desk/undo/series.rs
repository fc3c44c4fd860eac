//! Number series that an operation added or changed.

use crate::domain::{Action, Kept, NewEntry, NumberSeries, Operation, SeriesField, Subject, WhyKept, plain};
use crate::error::{ErrorKind, Result};
use crate::id::NumberSeriesId;
use crate::store::Txn;

use super::super::series;
use super::stories::Story;
use super::walk::Bench;
use super::{UndoFailure, UndoRecord};

/// What becomes of a series. One that was added is archived: numbers are never given twice, so it cannot be as if it had
/// never been there.
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
    let id = NumberSeriesId::from_uuid(subject.id);
    let Some(before) = txn.numbers().list()?.into_iter().find(|series| series.id == id) else {
        record.kept.push(Kept { field: "series".to_owned(), why: WhyKept::Gone });
        return Ok(record);
    };
    let mut after = before.clone();
    for entry in &story.own {
        if entry.action == Action::Created {
            if before.is_default || series::has_given(txn, &before)? {
                record.kept.push(Kept { field: "created".to_owned(), why: WhyKept::InUse });
            } else {
                after.archived = true;
                record.reversed.push("created".to_owned());
            }
            continue;
        }
        for change in entry.changes.iter().filter(|change| plain(&change.before) != plain(&change.after)) {
            let Some(field) = SeriesField::from_key(&change.field) else {
                record.kept.push(Kept { field: change.field.clone(), why: WhyKept::Unsupported });
                continue;
            };
            if plain(&field.read(&after)) == plain(&change.after) {
                field.write(&mut after, &change.before);
                record.reversed.push(change.field.clone());
            } else {
                record.kept.push(Kept { field: change.field.clone(), why: WhyKept::Edited });
            }
        }
    }
    if let Some(why) = stands_against(bench, txn, &before, &after)? {
        let fields = std::mem::take(&mut record.reversed).into_iter();
        record.kept.extend(fields.map(|field| Kept { field, why }));
        return Ok(record);
    }
    if by.is_some() {
        entries.extend(series::save(bench.ctx, txn, &before, after)?.1);
    }
    Ok(record)
}

/// Why the series cannot be what it was: it could give a number twice by now, its name is another's, or it is the default and
/// archived.
fn stands_against(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    before: &NumberSeries,
    after: &NumberSeries,
) -> Result<Option<WhyKept>> {
    if after.is_default && after.archived {
        return Ok(Some(WhyKept::InUse));
    }
    match series::check(bench.ctx, txn, Some(before), after) {
        Ok(()) => Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists) => {
            Ok(Some(WhyKept::InUse))
        }
        Err(error) if error.kind() == ErrorKind::Invalid => Ok(Some(WhyKept::Edited)),
        Err(error) => Err(error),
    }
}
