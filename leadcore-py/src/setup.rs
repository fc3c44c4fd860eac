//! How numbers are written, and which functions are open for which leads.

use std::collections::BTreeMap;

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::functions::Functions;
use leadcore::domain::Numbering;
use leadcore::error::Result;
use leadcore::id::{LeadId, Revision};
use leadcore::query::Filter;
use leadcore::store::Txn;
use pyo3::prelude::*;

use crate::convert::{Count, Id, Text, to_json};
use crate::leads::filter;
use crate::names::resolve_filter;
use crate::session::Session;

/// Prefix, digits, start, and the revision to change it with; none when it was never changed.
pub(crate) type Numbers = (String, u8, u64, Option<u64>);

/// How numbers are written, as the package takes it.
pub(crate) fn numbers_told((revision, numbering): (Option<Revision>, Numbering)) -> Numbers {
    (numbering.prefix, numbering.width, numbering.start, revision.map(Revision::get))
}

/// Writes how the numbers of records of a kind are written: the revision to change it with.
pub(crate) fn numbers_set(
    py: Python<'_>,
    session: &Session,
    (prefix, width, start): (Text, Count, Count),
    revision: Option<Count>,
    set: fn(&Context<'_>, &mut dyn Txn, Option<Revision>, &Numbering) -> Result<Revision>,
) -> PyResult<u64> {
    // Beyond the range the rules of the settings refuse it.
    let width = u8::try_from(width.0).unwrap_or(u8::MAX);
    let numbering = Numbering { prefix: prefix.0, width, start: start.0 };
    let revision = revision.map(|Count(revision)| Revision::new(revision));
    let written = session.write(py, move |ctx, txn| set(ctx, txn, revision, &numbering))?;
    Ok(written.get())
}

/// Names of functions with their filters as JSON, and the revision likewise.
type Openings = (Vec<(String, String)>, Option<u64>);

/// How lead numbers are written.
#[pyfunction]
pub(crate) fn numbering_get(py: Python<'_>, session: &Session) -> PyResult<Numbers> {
    Ok(numbers_told(session.read(py, desk::settings::numbering)?))
}

/// Writes how lead numbers are written.
#[pyfunction]
pub(crate) fn numbering_set(
    py: Python<'_>,
    session: &Session,
    prefix: Text,
    width: Count,
    start: Count,
    revision: Option<Count>,
) -> PyResult<u64> {
    numbers_set(py, session, (prefix, width, start), revision, desk::settings::set_numbering)
}

/// The functions that are not open for every lead, each with its filter as JSON.
#[pyfunction]
pub(crate) fn functions_get(py: Python<'_>, session: &Session) -> PyResult<Openings> {
    let (revision, functions) = session.read(py, desk::settings::functions)?;
    let functions = functions.iter().map(|(name, filter)| Ok((name.to_owned(), to_json(py, filter)?)));
    Ok((functions.collect::<PyResult<_>>()?, revision.map(Revision::get)))
}

/// Writes which functions are open for which leads.
#[pyfunction]
pub(crate) fn functions_set(
    py: Python<'_>,
    session: &Session,
    functions: Vec<(Text, Text)>,
    revision: Option<Count>,
) -> PyResult<u64> {
    let given = functions.into_iter().map(|(name, json)| Ok((name.0, filter(py, Some(&json))?)));
    let given = given.collect::<PyResult<Vec<(String, Filter)>>>()?;
    let revision = revision.map(|Count(revision)| Revision::new(revision));
    let written = session.write(py, move |ctx, txn| {
        let mut functions = Functions::new();
        for (name, filter) in &given {
            functions = functions.open_for(name, resolve_filter(txn, filter)?);
        }
        desk::settings::set_functions(ctx, txn, revision, &functions)
    })?;
    Ok(written.get())
}

/// Which functions are open for a lead and which are not.
#[pyfunction]
pub(crate) fn lead_functions(
    py: Python<'_>,
    session: &Session,
    lead: Id,
) -> PyResult<BTreeMap<String, bool>> {
    let id = LeadId::from_uuid(lead.0);
    session.read(py, move |ctx, txn| desk::leads::functions(ctx, txn, id))
}
