//! Saved views that go on meaning what they meant when a term or a choice is replaced by another.

use crate::context::Context;
use crate::domain::{Field, FieldValue, NewEntry};
use crate::error::Result;
use crate::query::{Filter, Operator};
use crate::store::{Txn, WhichViews};

use super::{check, manage};

/// What comes in the place of a value, if something does.
pub(in super::super) type Instead<'a> = &'a dyn Fn(&FieldValue) -> Option<FieldValue>;

/// Writes `instead` of the values of `field` in the filters of every saved view, whoever's it is; says what the journal has
/// to keep. A value for which there is no other stays: the view then shows no lead, and why.
pub(in super::super) fn follow(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    field: &Field,
    instead: Instead<'_>,
) -> Result<Vec<NewEntry>> {
    let mut entries = Vec::new();
    for before in txn.views().list(WhichViews::All)? {
        // What is no longer understood means nothing that could be kept.
        let Ok(mut filter) = serde_json::from_value::<Filter>(before.filter.clone()) else { continue };
        if !replace(&mut filter, field, instead) {
            continue;
        }
        let mut view = before.clone();
        view.filter = check::json(&filter)?;
        view.revision = before.revision.next();
        txn.views().update(&view)?;
        entries.extend(manage::entry(ctx, Some(&before), Some(&view)));
    }
    Ok(entries)
}

/// Whether something was replaced.
fn replace(filter: &mut Filter, field: &Field, instead: Instead<'_>) -> bool {
    let mut replaced = false;
    let mut todo = vec![filter];
    while let Some(filter) = todo.pop() {
        match filter {
            Filter::All(list) | Filter::Any(list) => todo.extend(list),
            Filter::Not(inner) => todo.push(inner),
            Filter::Where(condition)
                if condition.field == *field
                    && matches!(condition.op, Operator::Eq | Operator::Ne | Operator::In) =>
            {
                let new: Vec<_> = condition.value.items().iter().map(instead).collect();
                if new.iter().all(Option::is_none) {
                    continue;
                }
                replaced = true;
                let both = condition.value.items().iter().zip(new);
                let mut values: Vec<FieldValue> = Vec::new();
                for value in both.map(|(old, new)| new.unwrap_or_else(|| old.clone())) {
                    // Kept as JSON, an id comes back as text.
                    let same = |known: &FieldValue| {
                        *known == value || (known.as_id().is_some() && known.as_id() == value.as_id())
                    };
                    if !values.iter().any(same) {
                        values.push(value);
                    }
                }
                condition.value = match (&condition.value, values.as_slice()) {
                    (FieldValue::List(_), _) | (_, [] | [_, _, ..]) => FieldValue::List(values),
                    (_, [one]) => one.clone(),
                };
            }
            _ => {}
        }
    }
    replaced
}
