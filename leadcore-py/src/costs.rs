//! What sources and campaigns cost, and reports on what they brought.

use leadcore::desk::costs::CostQuery;
use leadcore::desk::reports::ReportQuery;
use leadcore::desk::{self, Expect};
use leadcore::domain::{CostFields, CostPlace};
use leadcore::error::{Result, ValueError};
use leadcore::id::{CostId, Revision, SourceId};
use leadcore::query::{Dated, Dimension};
use leadcore::time::Date;
use pyo3::prelude::*;
use serde::Deserialize;

use crate::convert::{Count, Id, Limit, Named, Text, from_json, to_json};
use crate::errors::raise;
use crate::leads::filter;
use crate::names::resolve_filter;
use crate::session::Session;
use crate::terms::find;

fn expected(revision: Option<Count>) -> Expect {
    revision.map_or(Expect::Any, |Count(revision)| Revision::new(revision).into())
}

/// Writes a cost down; its fields as JSON.
#[pyfunction]
pub(crate) fn cost_add(
    py: Python<'_>,
    session: &Session,
    source: Option<Named>,
    fields: Text,
) -> PyResult<String> {
    let fields: CostFields = from_json(py, "fields", &fields.0)?;
    let made = session.write(py, move |ctx, txn| {
        let source = source.as_ref().map(|source| find::<SourceId>(ctx, txn, source)).transpose()?;
        desk::costs::add(ctx, txn, CostFields { source, ..fields.clone() })
    })?;
    to_json(py, &made)
}

/// Writes all fields of a cost, as JSON.
#[pyfunction]
pub(crate) fn cost_edit(
    py: Python<'_>,
    session: &Session,
    cost: Id,
    revision: Option<Count>,
    source: Option<Named>,
    fields: Text,
) -> PyResult<String> {
    let id = CostId::from_uuid(cost.0);
    let expect = expected(revision);
    let fields: CostFields = from_json(py, "fields", &fields.0)?;
    let edited = session.write(py, move |ctx, txn| {
        let source = source.as_ref().map(|source| find::<SourceId>(ctx, txn, source)).transpose()?;
        desk::costs::edit(ctx, txn, id, expect, CostFields { source, ..fields.clone() })
    })?;
    to_json(py, &edited)
}

/// Removes a cost.
#[pyfunction]
pub(crate) fn cost_delete(
    py: Python<'_>,
    session: &Session,
    cost: Id,
    revision: Option<Count>,
) -> PyResult<()> {
    let (id, expect) = (CostId::from_uuid(cost.0), expected(revision));
    session.write(py, move |ctx, txn| desk::costs::delete(ctx, txn, id, expect))
}

/// One cost, as JSON.
#[pyfunction]
pub(crate) fn cost_get(py: Python<'_>, session: &Session, cost: Id) -> PyResult<String> {
    let id = CostId::from_uuid(cost.0);
    let found = session.read(py, move |ctx, txn| desk::costs::get(ctx, txn, id))?;
    to_json(py, &found)
}

fn day(py: Python<'_>, name: &str, text: Option<Text>) -> PyResult<Option<Date>> {
    let parsed = text.map(|Text(text)| text.parse()).transpose();
    parsed.map_err(|error: ValueError| raise(py, &error.at(name).into()))
}

/// A page of costs as a JSON list, and where the next one begins.
#[pyfunction]
pub(crate) fn cost_page(
    py: Python<'_>,
    session: &Session,
    source: Option<Named>,
    since: Option<Text>,
    until: Option<Text>,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<(String, Option<String>)> {
    let after: Option<CostPlace> = after.map(|Text(after)| from_json(py, "after", &after)).transpose()?;
    let mut query = CostQuery::default();
    (query.from, query.until) = (day(py, "since", since)?, day(py, "until", until)?);
    (query.after, query.limit) = (after, limit.0);
    let found = session.read(py, move |ctx, txn| {
        let source = source.as_ref().map(|source| find::<SourceId>(ctx, txn, source)).transpose()?;
        let mut query = query.clone();
        query.source = source;
        desk::costs::list(ctx, txn, &query)
    })?;
    let next = found.next.map(|place| to_json(py, &place)).transpose()?;
    Ok((to_json(py, &found.items)?, next))
}

/// What a report is asked for, but for its filter.
#[derive(Deserialize)]
struct Asked {
    by: Vec<String>,
    dated: Dated,
    first_day: Option<Date>,
    last_day: Option<Date>,
    zone: Option<String>,
    stages: bool,
}

/// A report, as JSON.
#[pyfunction]
pub(crate) fn report(
    py: Python<'_>,
    session: &Session,
    r#where: Option<Text>,
    asked: Text,
) -> PyResult<String> {
    let filter = filter(py, r#where.as_ref())?;
    let asked: Asked = from_json(py, "report", &asked.0)?;
    let by: Result<Vec<Dimension>, ValueError> = asked.by.iter().map(|by| by.parse()).collect();
    let by = by.map_err(|error| raise(py, &error.at("by").into()))?;
    let mut query = ReportQuery::by(by).dated(asked.dated);
    (query.first_day, query.last_day) = (asked.first_day, asked.last_day);
    (query.zone, query.stages) = (asked.zone, asked.stages);
    let found = session.read(py, move |ctx, txn| {
        let filter = resolve_filter(txn, &filter)?;
        desk::reports::report(ctx, txn, &query.clone().filter(filter))
    })?;
    to_json(py, &found)
}
