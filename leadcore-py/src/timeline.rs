//! Everything that happened to a lead or an account.

use leadcore::desk;
use leadcore::desk::timeline::TimelineItem;
use leadcore::domain::{Catalogue, Field, FieldValue, Sequence};
use leadcore::id::{AccountId, LeadId};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::read;
use crate::convert::{Count, Id, Limit, models, retyped, to_python};
use crate::custom::journalled;
use crate::records::Account;
use crate::session::Session;

/// A page of what happened, newest first, and where the next one begins.
#[pyfunction]
pub(crate) fn timeline<'py>(
    py: Python<'py>,
    session: &Session,
    subject: &Bound<'py, PyAny>,
    before: Option<Count>,
    limit: Limit,
) -> PyResult<(Vec<Bound<'py, PyAny>>, Option<i64>)> {
    let Id(id) = read("subject", subject)?;
    let is_account = subject.is_instance_of::<Account>();
    let before = before.map(|before| Sequence(i64::try_from(before.0).unwrap_or(i64::MAX)));
    let (page, catalogue) = session.read(py, move |ctx, txn| {
        let page = if is_account {
            desk::timeline::of_account(ctx, txn, AccountId::from_uuid(id), before, limit.0)?
        } else {
            desk::timeline::of_lead(ctx, txn, LeadId::from_uuid(id), before, limit.0)?
        };
        let mut changes = page.items.iter().flat_map(|item| &item.entry.changes);
        let catalogue = if changes.any(|change| change.field.starts_with("x_")) {
            desk::settings::catalogue(ctx, txn)?.1
        } else {
            Catalogue::standard()
        };
        Ok((page, catalogue))
    })?;
    let items = page.items.iter().map(|item| py_entry(py, &catalogue, item)).collect::<PyResult<_>>()?;
    Ok((items, page.next.map(|sequence| sequence.0)))
}

/// A value of a change, in the type of its field.
fn shown<'py>(
    py: Python<'py>,
    catalogue: &Catalogue,
    field: &str,
    value: &FieldValue,
) -> PyResult<Bound<'py, PyAny>> {
    match field.parse() {
        Ok(Field::Custom(key)) => journalled(py, catalogue, &key, value),
        _ => to_python(py, &retyped(field, value)),
    }
}

fn py_entry<'py>(py: Python<'py>, catalogue: &Catalogue, item: &TimelineItem) -> PyResult<Bound<'py, PyAny>> {
    let (models, entry) = (models(py)?, &item.entry);
    let change = models.getattr("Change")?;
    let changes = entry.changes.iter().map(|it| {
        let before = shown(py, catalogue, &it.field, &it.before)?;
        let after = shown(py, catalogue, &it.field, &it.after)?;
        change.call1((it.field.as_str(), before, after))
    });
    let changes = changes.collect::<PyResult<Vec<_>>>()?;
    let arguments = (
        entry.sequence.0,
        entry.at.to_datetime(),
        entry.actor.user().map(leadcore::id::UserId::as_str),
        entry.action.code(),
        item.text.as_str(),
        PyTuple::new(py, changes)?,
        (entry.subject.kind.code(), entry.subject.id),
        entry.other.map(|other| (other.kind.code(), other.id)),
        entry.operation.as_uuid(),
        entry.operation_kind.code(),
    );
    models.getattr("Entry")?.call1(arguments)
}
