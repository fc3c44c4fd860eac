//! Who has read which lead, what changed since, and how many leads have which value.

use leadcore::desk;
use leadcore::desk::leads::{Changed, Changes, Facet};
use leadcore::domain::{Field, Sequence};
use leadcore::error::{Error, Result, ValueError};
use leadcore::id::LeadId;
use leadcore::store::Txn;
use pyo3::prelude::*;
use uuid::Uuid;

use crate::convert::{Count, Id, Limit, Text, to_python};
use crate::errors::raise;
use crate::lead::Lead;
use crate::leads::{filter, named, named_all};
use crate::names::{Names, of_field, resolve_filter};
use crate::session::Session;

/// One lead, which the user has read from now on.
#[pyfunction]
pub(crate) fn lead_open(py: Python<'_>, session: &Session, lead: Id) -> PyResult<Lead> {
    let id = LeadId::from_uuid(lead.0);
    session.write(py, move |ctx, txn| {
        let lead = desk::leads::open(ctx, txn, id)?;
        named(txn, lead)
    })
}

/// The user has read these leads, or has not.
#[pyfunction]
pub(crate) fn lead_mark(py: Python<'_>, session: &Session, leads: Vec<Id>, read: bool) -> PyResult<()> {
    let ids: Vec<_> = leads.into_iter().map(|id| LeadId::from_uuid(id.0)).collect();
    let mark = if read { desk::leads::mark_read } else { desk::leads::mark_unread };
    session.write(py, move |ctx, txn| mark(ctx, txn, &ids))
}

/// The user has read every lead.
#[pyfunction]
pub(crate) fn lead_mark_all(py: Python<'_>, session: &Session) -> PyResult<()> {
    session.write(py, desk::leads::mark_all_read)
}

/// Leads as they are now, those that are gone, where to go on, and whether more is waiting.
type Changed4 = (Vec<Lead>, Vec<Uuid>, i64, bool);

fn changed(txn: &mut dyn Txn, changes: Changes) -> Result<Changed4> {
    let (mut leads, mut gone) = (Vec::new(), Vec::new());
    for item in changes.items {
        match item {
            Changed::Lead(lead) => leads.push(*lead),
            Changed::Gone(id) => gone.push(id.as_uuid()),
        }
    }
    Ok((named_all(txn, leads)?, gone, changes.next.0, changes.more))
}

/// What changed behind a place in the journal.
#[pyfunction]
pub(crate) fn lead_changes(
    py: Python<'_>,
    session: &Session,
    after: Option<Count>,
    limit: Limit,
) -> PyResult<Changed4> {
    let after = after.map(|after| Sequence(i64::try_from(after.0).unwrap_or(i64::MAX)));
    session.read(py, move |ctx, txn| {
        let changes = desk::leads::changes(ctx, txn, after, limit.0)?;
        changed(txn, changes)
    })
}

/// What a copy begins with.
#[pyfunction]
pub(crate) fn lead_changes_start(py: Python<'_>, session: &Session) -> PyResult<Changed4> {
    session.read(py, |ctx, txn| {
        let changes = desk::leads::changes_start(ctx, txn)?;
        changed(txn, changes)
    })
}

/// Fields by their keys; every one that there is not at once.
pub(crate) fn fields_of(py: Python<'_>, path: &str, keys: &[Text]) -> PyResult<Vec<Field>> {
    let (mut fields, mut broken) = (Vec::with_capacity(keys.len()), Vec::new());
    for (n, Text(key)) in keys.iter().enumerate() {
        match key.parse::<Field>() {
            Ok(field) => fields.push(field),
            Err(error) => broken.push(ValueError::at(error, format!("{path}[{n}]"))),
        }
    }
    if broken.is_empty() { Ok(fields) } else { Err(raise(py, &Error::invalid(broken))) }
}

/// A field's key, and of each value the value, its name and how many leads have it.
pub(crate) type PyFacet<'py> = (String, Vec<(Bound<'py, PyAny>, String, u64)>);

/// A facet with records for ids.
pub(crate) fn py_facet<'py>(py: Python<'py>, facet: &Facet, names: &Names) -> PyResult<PyFacet<'py>> {
    let values = facet.values.iter().map(|it| {
        let shown = names.shown(py, &facet.field, &it.value)?;
        let value = shown.map_or_else(|| to_python(py, &it.value), Ok)?;
        Ok((value, it.name.clone(), it.count))
    });
    Ok((facet.field.key().to_owned(), values.collect::<PyResult<_>>()?))
}

/// How many leads have which value of these fields.
#[pyfunction]
pub(crate) fn lead_facets<'py>(
    py: Python<'py>,
    session: &Session,
    r#where: Option<Text>,
    fields: Vec<Text>,
) -> PyResult<Vec<PyFacet<'py>>> {
    let (filter, fields) = (filter(py, r#where.as_ref())?, fields_of(py, "fields", &fields)?);
    let facets = session.read(py, move |ctx, txn| {
        let filter = resolve_filter(txn, &filter)?;
        let facets = desk::leads::facets(ctx, txn, &filter, &fields)?;
        facets.into_iter().map(|facet| Ok((of_field(txn, &facet.field)?, facet))).collect::<Result<Vec<_>>>()
    })?;
    facets.iter().map(|(names, facet)| py_facet(py, facet, names)).collect()
}
