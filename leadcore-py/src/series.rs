//! Number series.

use leadcore::desk;
use leadcore::desk::Expect;
use leadcore::domain::{NumberSeries, Series, SeriesFields};
use leadcore::error::ViolationCode;
use leadcore::id::{NumberSeriesId, Revision};
use pyo3::prelude::*;

use crate::convert::{Count, Id, Limit, Text, from_json, to_json};
use crate::errors::invalid;
use crate::session::Session;

fn kind_of(py: Python<'_>, kind: &Text) -> PyResult<Series> {
    let message = "a kind is `lead`, `account`, `opportunity` or `estimate`";
    Series::from_code(&kind.0).ok_or_else(|| invalid(py, "kind", ViolationCode::Unknown, message))
}

fn expected(revision: Option<Count>) -> Expect {
    revision.map_or(Expect::Any, |Count(revision)| Revision::new(revision).into())
}

fn told(py: Python<'_>, series: &NumberSeries) -> PyResult<String> {
    to_json(py, series)
}

/// The series of a kind with what comes next and the last numbers of each, as JSON.
#[pyfunction]
pub(crate) fn series_overview(
    py: Python<'_>,
    session: &Session,
    kind: Text,
    last: Limit,
) -> PyResult<String> {
    let kind = kind_of(py, &kind)?;
    let found = session.read(py, move |ctx, txn| desk::series::overview(ctx, txn, kind, last.0))?;
    to_json(py, &found)
}

/// One series, as JSON.
#[pyfunction]
pub(crate) fn series_get(py: Python<'_>, session: &Session, series: Id) -> PyResult<String> {
    let id = NumberSeriesId::from_uuid(series.0);
    let found = session.read(py, move |ctx, txn| desk::series::get(ctx, txn, id))?;
    told(py, &found)
}

/// Adds a series; its fields as JSON.
#[pyfunction]
pub(crate) fn series_add(py: Python<'_>, session: &Session, kind: Text, fields: Text) -> PyResult<String> {
    let kind = kind_of(py, &kind)?;
    let fields: SeriesFields = from_json(py, "fields", &fields.0)?;
    let made = session.write(py, move |ctx, txn| desk::series::add(ctx, txn, kind, fields.clone()))?;
    told(py, &made)
}

/// Writes all fields of a series, as JSON.
#[pyfunction]
pub(crate) fn series_edit(
    py: Python<'_>,
    session: &Session,
    series: Id,
    revision: Option<Count>,
    fields: Text,
) -> PyResult<String> {
    let id = NumberSeriesId::from_uuid(series.0);
    let fields: SeriesFields = from_json(py, "fields", &fields.0)?;
    let edited = session
        .write(py, move |ctx, txn| desk::series::edit(ctx, txn, id, expected(revision), fields.clone()))?;
    told(py, &edited)
}

/// Archives a series, or takes it out of the archive.
#[pyfunction]
pub(crate) fn series_archive(
    py: Python<'_>,
    session: &Session,
    series: Id,
    revision: Option<Count>,
    archived: bool,
) -> PyResult<String> {
    let id = NumberSeriesId::from_uuid(series.0);
    let done = session
        .write(py, move |ctx, txn| desk::series::archive(ctx, txn, id, expected(revision), archived))?;
    told(py, &done)
}

/// Makes a series the default of its kind.
#[pyfunction]
pub(crate) fn series_set_default(py: Python<'_>, session: &Session, series: Id) -> PyResult<String> {
    let id = NumberSeriesId::from_uuid(series.0);
    let done = session.write(py, move |ctx, txn| desk::series::set_default(ctx, txn, id))?;
    told(py, &done)
}
