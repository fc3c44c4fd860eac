//! One change to many leads at once.

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::Expect;
use leadcore::desk::mass::{Change, MassOutcome, RecordOutcome, RecordResult, Selection, Totals};
use leadcore::domain::{Field, FieldValue, TermId};
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::id::{LabelId, LeadId, OperationId, UserId};
use leadcore::query::Filter;
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use uuid::Uuid;

use crate::arguments::Parts;
use crate::convert::{Count, LeadArg, Named, Text, fields};
use crate::errors::{conflict_dict, invalid, raise};
use crate::leads::filter;
use crate::moves::{Target, target};
use crate::names::{resolve_fields, resolve_filter};
use crate::session::Session;

/// Which leads, as the package hands it over: leads or ids, or a filter, and how many the caller saw.
#[derive(Debug)]
pub(crate) struct Chosen {
    leads: Option<Vec<LeadArg>>,
    json: Option<Text>,
    expected: Option<Count>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Chosen {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        Ok(Self {
            leads: parts.read("leads")?,
            json: parts.read("leads")?,
            expected: parts.read("expected")?,
        })
    }
}

/// A broken rule: field, code and sentence.
type Broken = (String, &'static str, String);
/// A lead, what became of it, what it conflicts with, and the rules that it would break.
type Record<'py> = (Uuid, &'static str, Option<Bound<'py, PyDict>>, Vec<Broken>);
/// The operation, the leads, and how many were done, unchanged, conflicting, not found, forbidden and invalid.
pub(crate) type Done<'py> = (Option<Uuid>, Vec<Record<'py>>, [u64; 6]);

/// A selection whose filter may still name terms and stages.
#[derive(Debug, Clone)]
pub(crate) enum Select {
    Listed(Selection),
    Matching(Filter, Option<u64>),
}

impl Select {
    pub(crate) fn new(py: Python<'_>, Chosen { leads, json, expected }: Chosen) -> PyResult<Self> {
        let expected = expected.map(|Count(expected)| expected);
        let Some(leads) = leads else {
            return Ok(Self::Matching(filter(py, json.as_ref())?, expected));
        };
        let count = u64::try_from(leads.len()).unwrap_or(u64::MAX);
        if expected.is_some_and(|expected| expected != count) {
            let expected = expected.unwrap_or_default();
            let message = format!("`expected`: {count} leads are given, not {expected}");
            return Err(raise(py, &Error::outdated(message)));
        }
        let read: Vec<_> = leads
            .iter()
            .filter_map(|lead| match lead.expect {
                Expect::Revision(revision) => Some((lead.id, revision)),
                Expect::Any => None,
            })
            .collect();
        if read.is_empty() {
            return Ok(Self::Listed(Selection::Ids(leads.iter().map(|lead| lead.id).collect())));
        }
        if read.len() != leads.len() {
            let message =
                "give leads or ids, not some of each: leads are checked for changes since they were read";
            return Err(invalid(py, "selection", ViolationCode::Malformed, message));
        }
        Ok(Self::Listed(Selection::Revisions(read)))
    }

    pub(crate) fn resolve(&self, txn: &mut dyn Txn) -> Result<Selection> {
        Ok(match self {
            Self::Listed(selection) => selection.clone(),
            Self::Matching(filter, expected) => {
                Selection::Filter { filter: resolve_filter(txn, filter)?, expected: *expected }
            }
        })
    }
}

/// Does it, with the change that `change` makes of names once the store is there.
fn run<'py>(
    py: Python<'py>,
    session: &Session,
    chosen: Chosen,
    change: impl Fn(&Context<'_>, &mut dyn Txn) -> Result<Change> + Send + 'static,
) -> PyResult<Done<'py>> {
    let select = Select::new(py, chosen)?;
    let outcome = session.write(py, move |ctx, txn| {
        let change = change(ctx, txn)?;
        let selection = select.resolve(txn)?;
        desk::mass::run(ctx, txn, &selection, &change)
    })?;
    let MassOutcome { operation, results, totals, .. } = outcome;
    done(py, operation, results, totals)
}

/// What became of the leads, as the package reads it.
pub(crate) fn done(
    py: Python<'_>,
    operation: Option<OperationId>,
    results: Vec<RecordResult>,
    totals: Totals,
) -> PyResult<Done<'_>> {
    let records = results.into_iter().map(|result| record(py, result.lead, result.outcome));
    let records = records.collect::<PyResult<_>>()?;
    let Totals { done, unchanged, conflict, not_found, forbidden, invalid, .. } = totals;
    let totals = [done, unchanged, conflict, not_found, forbidden, invalid];
    Ok((operation.map(OperationId::as_uuid), records, totals))
}

fn record(py: Python<'_>, lead: LeadId, outcome: RecordOutcome) -> PyResult<Record<'_>> {
    let (code, conflict, broken) = match outcome {
        RecordOutcome::Done => ("done", None, Vec::new()),
        RecordOutcome::Unchanged => ("unchanged", None, Vec::new()),
        RecordOutcome::Conflict(conflict) => ("conflict", Some(conflict_dict(py, &conflict)?), Vec::new()),
        RecordOutcome::NotFound => ("not_found", None, Vec::new()),
        RecordOutcome::Forbidden => ("forbidden", None, Vec::new()),
        RecordOutcome::Invalid(broken) => ("invalid", None, broken),
        // A kind of outcome that this version does not know by name.
        _ => ("unknown", None, Vec::new()),
    };
    let broken = broken.into_iter().map(|broken| (broken.field, broken.code.code(), broken.message));
    Ok((lead.as_uuid(), code, conflict, broken.collect()))
}

/// Gives leads another owner, or none.
#[pyfunction]
pub(crate) fn mass_transfer<'py>(
    py: Python<'py>,
    session: &Session,
    chosen: Chosen,
    owner: Option<Text>,
) -> PyResult<Done<'py>> {
    let owner = owner.map(|owner| UserId::new(owner.0)).transpose();
    let owner = owner.map_err(|error| raise(py, &error.at("owner").into()))?;
    run(py, session, chosen, move |_, _| Ok(Change::Transfer(owner.clone())))
}

/// Moves leads to a stage.
#[pyfunction]
pub(crate) fn mass_move<'py>(
    py: Python<'py>,
    session: &Session,
    chosen: Chosen,
    to: Target,
) -> PyResult<Done<'py>> {
    run(py, session, chosen, move |ctx, txn| Ok(Change::Move(target(ctx, txn, None, &to)?)))
}

/// Adds labels to leads, or takes them off.
#[pyfunction]
pub(crate) fn mass_label<'py>(
    py: Python<'py>,
    session: &Session,
    chosen: Chosen,
    labels: Vec<Named>,
    add: bool,
) -> PyResult<Done<'py>> {
    let labels = labels.into_iter().map(|label| match label {
        Named::Id(id) => FieldValue::Id(id),
        Named::Name(name) => FieldValue::Text(name),
    });
    let labels = [(Field::Labels, FieldValue::List(labels.collect()))];
    run(py, session, chosen, move |_, txn| {
        let resolved = resolve_fields(txn, &labels)?;
        let ids = resolved.iter().flat_map(|(_, value)| value.items()).filter_map(|item| match item {
            FieldValue::Id(id) => Some(LabelId::from_term(*id)),
            _ => None,
        });
        let ids = ids.collect();
        Ok(if add { Change::AddLabels(ids) } else { Change::RemoveLabels(ids) })
    })
}

/// Changes some fields of leads; none empties one.
#[pyfunction]
pub(crate) fn mass_edit<'py>(
    py: Python<'py>,
    session: &Session,
    chosen: Chosen,
    changes: &Bound<'py, PyDict>,
) -> PyResult<Done<'py>> {
    let changes = fields(changes)?;
    run(py, session, chosen, move |_, txn| {
        Ok(Change::Edit(resolve_fields(txn, &changes)?.into_iter().collect()))
    })
}

/// Puts leads into the trash, or takes them out.
#[pyfunction]
pub(crate) fn mass_trash<'py>(
    py: Python<'py>,
    session: &Session,
    chosen: Chosen,
    restore: bool,
) -> PyResult<Done<'py>> {
    run(py, session, chosen, move |_, _| Ok(if restore { Change::Restore } else { Change::Delete }))
}
