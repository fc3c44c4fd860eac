//! Leads: creating, editing, finding, moving, deleting.

use std::sync::Arc;

use leadcore::context::Context;
use leadcore::desk;
use leadcore::domain::{self, Catalogue, Field, FieldValue, LeadDraft, LeadFields, LeadPatch};
use leadcore::error::{Error, Result, Violation, ViolationCode};
use leadcore::id::LeadId;
use leadcore::query::{Cursor, Filter, LeadQuery, Sort, SortField};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::arguments::Parts;
use crate::convert::{Count, Id, LeadArg, Limit, Named, Text, fields, from_json, to_python};
use crate::errors::{invalid, raise};
use crate::hints::{amiss, did_you_mean, listed};
use crate::lead::Lead;
use crate::names::{Names, find_stage, resolve_fields, resolve_filter};
use crate::session::Session;

type Given = Vec<(Field, FieldValue)>;

/// A lead with the names of what it refers to.
pub(crate) fn named(txn: &mut dyn Txn, lead: domain::Lead) -> Result<Lead> {
    let names = Names::load(txn, [&lead])?;
    Ok(Lead::new(lead, Arc::new(names)))
}

/// Leads with the names of what they refer to, shared.
pub(crate) fn named_all(txn: &mut dyn Txn, leads: Vec<domain::Lead>) -> Result<Vec<Lead>> {
    let names = Arc::new(Names::load(txn, &leads)?);
    Ok(leads.into_iter().map(|lead| Lead::new(lead, Arc::clone(&names))).collect())
}

/// A filter as the package hands it over; none means every lead.
pub(crate) fn filter(py: Python<'_>, json: Option<&Text>) -> PyResult<Filter> {
    let Some(Text(json)) = json else { return Ok(Filter::everything()) };
    from_json(py, "where", json).map_err(|error| match amiss(json) {
        Some((path, message)) => invalid(py, &path, ViolationCode::Malformed, &message),
        None => error,
    })
}

/// `company` or `-updated_at`; none means last written first.
pub(crate) fn sort(py: Python<'_>, sort: Option<&Text>) -> PyResult<Sort> {
    let Some(Text(sort)) = sort else { return Ok(Sort::default()) };
    let (key, make): (_, fn(SortField) -> Sort) = match sort.strip_prefix('-') {
        Some(key) => (key, Sort::descending),
        None => (sort.as_str(), Sort::ascending),
    };
    key.parse().map(make).map_err(|error: leadcore::error::ValueError| {
        let keys = SortField::ALL.map(|by| by.field().key().to_owned());
        let keys = keys.each_ref().map(String::as_str);
        let message = format!("{error}{}; the keys are {}", did_you_mean(key, keys), listed(&keys));
        invalid(py, "sort", error.code(), &message)
    })
}

/// Fields, stage, and why it was lost: by the list, in words.
#[derive(Debug)]
pub(crate) struct Draft<'py>(Bound<'py, PyDict>, Start);

impl<'py> FromPyObject<'_, 'py> for Draft<'py> {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        let given: Bound<'py, PyAny> = parts.any()?;
        let given = given.cast_into::<PyDict>()?;
        Ok(Self(given, (parts.read("stage")?, parts.read("reason")?, parts.read("detail")?)))
    }
}
/// Where a draft starts, and why it was lost.
type Start = (Option<Named>, Option<Named>, Option<Text>);

/// Creates leads in one operation: all or none.
#[pyfunction]
pub(crate) fn lead_create(py: Python<'_>, session: &Session, drafts: Vec<Draft<'_>>) -> PyResult<Vec<Lead>> {
    let given = drafts.into_iter().map(|Draft(given, start)| Ok((fields(&given)?, start)));
    let given = given.collect::<PyResult<Vec<(Given, Start)>>>()?;
    session.write(py, move |ctx, txn| {
        let mut broken = Vec::new();
        let mut drafts = Vec::with_capacity(given.len());
        let (_, catalogue) = desk::settings::catalogue(ctx, txn)?;
        for (n, (values, start)) in given.iter().enumerate() {
            match draft(ctx, txn, &catalogue, values, start) {
                Ok(draft) => drafts.push(draft),
                Err(error) if error.violations().is_empty() => return Err(error),
                Err(error) => broken.extend(error.violations().iter().map(|violation| match n {
                    0 => violation.clone(),
                    n => Violation { field: format!("drafts[{n}].{}", violation.field), ..violation.clone() },
                })),
            }
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
        let leads = desk::leads::create_many(ctx, txn, drafts)?;
        named_all(txn, leads)
    })
}

fn draft(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    catalogue: &Catalogue,
    given: &[(Field, FieldValue)],
    (stage, reason, detail): &Start,
) -> Result<LeadDraft> {
    let values = resolve_fields(txn, given)?;
    let mut fields = LeadFields::default();
    LeadPatch::from_iter(values).apply(catalogue, &mut fields)?;
    let reason = crate::moves::reason(ctx, txn, "lost_reason", reason.as_ref())?;
    let draft = LeadDraft::from(fields).because(reason, detail.as_ref().map(|detail| detail.0.as_str()));
    let Some(stage) = stage else { return Ok(draft) };
    let pipelines = desk::pipelines::list_or_default(ctx, txn)?;
    Ok(draft.in_stage(find_stage(&pipelines, None, stage)?))
}

/// Changes some fields; none empties one.
#[pyfunction]
pub(crate) fn lead_edit(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    changes: &Bound<'_, PyDict>,
) -> PyResult<Lead> {
    let changes = fields(changes)?;
    session.write(py, move |ctx, txn| {
        let patch = resolve_fields(txn, &changes)?.into_iter().collect();
        let lead = desk::leads::edit(ctx, txn, lead.id, lead.expect, &patch)?;
        named(txn, lead)
    })
}

/// One lead by id, also from the trash.
#[pyfunction]
pub(crate) fn lead_get(py: Python<'_>, session: &Session, lead: Id) -> PyResult<Lead> {
    let id = LeadId::from_uuid(lead.0);
    session.read(py, move |ctx, txn| {
        let lead = desk::leads::get(ctx, txn, id)?;
        named(txn, lead)
    })
}

/// A number, or the text that is written for it.
#[derive(Debug, Clone)]
pub(crate) enum Number {
    Text(Text),
    Count(Count),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Number {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if obj.is_instance_of::<PyString>() {
            return obj.extract().map(Self::Text);
        }
        obj.extract().map(Self::Count)
    }
}

/// One lead by the number that people say, or the text that is written for it.
#[pyfunction]
pub(crate) fn lead_by_number(py: Python<'_>, session: &Session, number: Number) -> PyResult<Lead> {
    session.read(py, move |ctx, txn| {
        let lead = match &number {
            Number::Count(number) => desk::leads::by_number(ctx, txn, number.0)?,
            Number::Text(text) => desk::leads::by_number(ctx, txn, text.0.as_str())?,
        };
        named(txn, lead)
    })
}

/// What the user can do with a lead now.
#[pyfunction]
pub(crate) fn lead_actions(py: Python<'_>, session: &Session, lead: Id) -> PyResult<Vec<&'static str>> {
    let id = LeadId::from_uuid(lead.0);
    let actions = session.read(py, move |ctx, txn| desk::leads::actions(ctx, txn, id))?;
    Ok(actions.into_iter().map(desk::leads::LeadAction::code).collect())
}

/// Puts a lead into the trash.
#[pyfunction]
pub(crate) fn lead_delete(py: Python<'_>, session: &Session, lead: LeadArg) -> PyResult<()> {
    session.write(py, move |ctx, txn| desk::leads::delete(ctx, txn, lead.id, lead.expect))
}

/// Takes a lead out of the trash.
#[pyfunction]
pub(crate) fn lead_restore(py: Python<'_>, session: &Session, lead: Id) -> PyResult<Lead> {
    let id = LeadId::from_uuid(lead.0);
    session.write(py, move |ctx, txn| {
        let lead = desk::leads::restore(ctx, txn, id)?;
        named(txn, lead)
    })
}

/// A page of leads and where the next one begins.
#[pyfunction]
pub(crate) fn lead_page<'py>(
    py: Python<'py>,
    session: &Session,
    r#where: Option<Text>,
    sort: Option<Text>,
    limit: Limit,
    after: Option<Text>,
    trash: bool,
) -> PyResult<(Bound<'py, PyList>, Option<String>)> {
    let filter = filter(py, r#where.as_ref())?;
    let after =
        after.map(|text| Cursor::from_text(&text.0)).transpose().map_err(|error| raise(py, &error))?;
    let query = LeadQuery::default().sort(self::sort(py, sort.as_ref())?).limit(limit.0).after(after);
    let (leads, next) = session.read(py, move |ctx, txn| {
        let mut query = query.clone();
        query.filter = resolve_filter(txn, &filter)?;
        let find = if trash { desk::leads::trash } else { desk::leads::list };
        let page = find(ctx, txn, &query)?;
        Ok((named_all(txn, page.items)?, page.next.map(|cursor| cursor.to_text())))
    })?;
    Ok((PyList::new(py, leads)?, next))
}

/// How many leads match.
#[pyfunction]
pub(crate) fn lead_count(py: Python<'_>, session: &Session, r#where: Option<Text>) -> PyResult<u64> {
    let filter = filter(py, r#where.as_ref())?;
    session.read(py, move |ctx, txn| {
        let filter = resolve_filter(txn, &filter)?;
        desk::leads::count(ctx, txn, &filter)
    })
}

/// How many leads match, for each value of a field: ids of terms and stages as their records.
#[pyfunction]
pub(crate) fn lead_count_by<'py>(
    py: Python<'py>,
    session: &Session,
    field: Text,
    r#where: Option<Text>,
) -> PyResult<Vec<(Bound<'py, PyAny>, u64)>> {
    let field: Field =
        field.0.parse().map_err(|error: leadcore::error::ValueError| raise(py, &error.at("field").into()))?;
    let filter = filter(py, r#where.as_ref())?;
    let by = field.clone();
    let (counts, names) = session.read(py, move |ctx, txn| {
        let filter = resolve_filter(txn, &filter)?;
        let counts = desk::leads::count_by(ctx, txn, &filter, &by)?;
        Ok((counts, crate::names::of_field(txn, &by)?))
    })?;
    let counts = counts.into_iter().map(|(value, count)| {
        let shown = names.shown(py, &field, &value)?;
        Ok((shown.map_or_else(|| to_python(py, &value), Ok)?, count))
    });
    counts.collect()
}
