//! Taking calls back, and removing leads for good.

use leadcore::desk;
use leadcore::desk::purge::{PurgePlan, PurgeRequest};
use leadcore::desk::undo::{UndoOutcome, UndoPart, UndoPlan};
use leadcore::id::OperationId;
use pyo3::prelude::*;
use uuid::Uuid;

use crate::convert::{Count, Id, Text, from_json, to_json};
use crate::errors::invalid;
use crate::leads::filter;
use crate::names::resolve_filter;
use crate::session::Session;

/// What taking back a call, or a part of it, would do, as JSON.
#[pyfunction]
pub(crate) fn undo_plan(
    py: Python<'_>,
    session: &Session,
    operation: Id,
    part: Option<Text>,
) -> PyResult<String> {
    let operation = OperationId::from_uuid(operation.0);
    let part: Option<UndoPart> = part.map(|Text(json)| from_json(py, "lines", &json)).transpose()?;
    let plan = session.read(py, move |ctx, txn| match &part {
        Some(part) => desk::undo::plan_part(ctx, txn, operation, part),
        None => desk::undo::plan(ctx, txn, operation),
    })?;
    to_json(py, &plan)
}

/// The outcome as JSON, and whether this call did it.
fn told(py: Python<'_>, outcome: &UndoOutcome) -> PyResult<(String, bool)> {
    Ok((to_json(py, outcome)?, outcome.newly_undone))
}

/// Takes a call back, or a part of it.
#[pyfunction]
pub(crate) fn undo(
    py: Python<'_>,
    session: &Session,
    operation: Id,
    part: Option<Text>,
) -> PyResult<(String, bool)> {
    let operation = OperationId::from_uuid(operation.0);
    let part: Option<UndoPart> = part.map(|Text(json)| from_json(py, "lines", &json)).transpose()?;
    let outcome = session.write(py, move |ctx, txn| match &part {
        Some(part) => desk::undo::undo_part(ctx, txn, operation, part),
        None => desk::undo::undo(ctx, txn, operation),
    })?;
    told(py, &outcome)
}

/// Does what a plan says.
#[pyfunction]
pub(crate) fn undo_apply(py: Python<'_>, session: &Session, plan: Text) -> PyResult<(String, bool)> {
    let plan: UndoPlan = from_json(py, "plan", &plan.0)?;
    let outcome = session.write(py, move |ctx, txn| desk::undo::apply(ctx, txn, &plan))?;
    told(py, &outcome)
}

/// What a purge would remove, as JSON.
#[pyfunction]
pub(crate) fn purge_plan(
    py: Python<'_>,
    session: &Session,
    r#where: Option<Text>,
    trash_only: bool,
    older_than_days: Option<Count>,
) -> PyResult<String> {
    let filter = filter(py, r#where.as_ref())?;
    let days = older_than_days.map(|Count(days)| u32::try_from(days)).transpose();
    let days = days.map_err(|_| {
        invalid(py, "older_than_days", leadcore::error::ViolationCode::OutOfRange, "the number is too large")
    })?;
    let plan = session.read(py, move |ctx, txn| {
        let filter = resolve_filter(txn, &filter)?;
        let mut request =
            if trash_only { PurgeRequest::trash(filter) } else { PurgeRequest::everywhere(filter) };
        request.older_than_days = days;
        desk::purge::plan(ctx, txn, &request)
    })?;
    to_json(py, &plan)
}

/// Removes what a plan says, for good: the operation, how many leads and persons went, how many leads stayed, and how many
/// archived accounts went.
#[pyfunction]
pub(crate) fn purge(py: Python<'_>, session: &Session, plan: Text) -> PyResult<(Uuid, u64, u64, u64, u64)> {
    let plan: PurgePlan = from_json(py, "plan", &plan.0)?;
    let done = session.write(py, move |ctx, txn| desk::purge::apply(ctx, txn, &plan))?;
    Ok((done.operation.as_uuid(), done.leads, done.contacts, done.blocked, done.accounts))
}
