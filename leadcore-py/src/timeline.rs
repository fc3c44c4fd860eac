//! Everything that happened to a lead or an account.

use leadcore::desk;
use leadcore::desk::timeline::TimelineItem;
use leadcore::domain::Sequence;
use leadcore::id::{AccountId, LeadId};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert::{Count, Id, Limit, models, retyped, to_python};
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
    let Id(id) = subject.extract()?;
    let is_account = subject.is_instance_of::<Account>();
    let before = before.map(|before| Sequence(i64::try_from(before.0).unwrap_or(i64::MAX)));
    let page = session.read(py, move |ctx, txn| {
        if is_account {
            desk::timeline::of_account(ctx, txn, AccountId::from_uuid(id), before, limit.0)
        } else {
            desk::timeline::of_lead(ctx, txn, LeadId::from_uuid(id), before, limit.0)
        }
    })?;
    let items = page.items.iter().map(|item| py_entry(py, item)).collect::<PyResult<_>>()?;
    Ok((items, page.next.map(|sequence| sequence.0)))
}

fn py_entry<'py>(py: Python<'py>, item: &TimelineItem) -> PyResult<Bound<'py, PyAny>> {
    let (models, entry) = (models(py)?, &item.entry);
    let change = models.getattr("Change")?;
    let changes = entry.changes.iter().map(|it| {
        let (before, after) = (retyped(&it.field, &it.before), retyped(&it.field, &it.after));
        change.call1((it.field.as_str(), to_python(py, &before)?, to_python(py, &after)?))
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
