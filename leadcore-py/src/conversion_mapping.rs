//! Which field of a lead becomes which field of a customer.

use leadcore::desk;
use leadcore::domain::Field;
use leadcore::domain::conversion_mapping::{ConversionMapping, FillPolicy, TargetField, TargetRecord};
use leadcore::error::{Error, Violation, ViolationCode};
use leadcore::id::{AccountId, LeadId, Revision};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::convert::{Count, Id, Text, from_json, to_json};
use crate::errors::raise;
use crate::session::Session;

/// A mapping as the package writes it.
#[derive(Debug, Deserialize)]
struct GivenMapping {
    rules: Vec<(String, String, String)>,
    stays: Vec<String>,
}

fn policy(code: &str) -> Option<FillPolicy> {
    let known = [FillPolicy::FillEmpty, FillPolicy::Overwrite, FillPolicy::Keep, FillPolicy::Append];
    known.into_iter().find(|policy| policy.code() == code)
}

/// The mapping, and everything in it that cannot be read.
fn read(given: GivenMapping) -> Result<ConversionMapping, Error> {
    let (mut mapping, mut broken) = (ConversionMapping::empty(), Vec::new());
    for (n, (from, to, code)) in given.rules.into_iter().enumerate() {
        let from = from.parse::<Field>().map_err(|error| error.at(format!("rules[{n}].source")));
        let to = to.parse::<TargetField>().map_err(|error| error.at(format!("rules[{n}].target")));
        let policy = policy(&code).ok_or_else(|| {
            let message = "must be `fill_empty`, `overwrite`, `keep` or `append`";
            Violation::new(format!("rules[{n}].policy"), ViolationCode::Unknown, message)
        });
        match (from, to, policy) {
            (Ok(from), Ok(to), Ok(policy)) => {
                mapping.rules.push(leadcore::domain::conversion_mapping::MappingRule { from, to, policy });
            }
            (from, to, policy) => broken.extend([from.err(), to.err(), policy.err()].into_iter().flatten()),
        }
    }
    for (n, key) in given.stays.into_iter().enumerate() {
        match key.parse() {
            Ok(field) => mapping.stays.push(field),
            Err(error) => broken.push(leadcore::error::ValueError::at(error, format!("stays[{n}]"))),
        }
    }
    if broken.is_empty() { Ok(mapping) } else { Err(Error::invalid(broken)) }
}

fn given(py: Python<'_>, mapping: &Text) -> PyResult<ConversionMapping> {
    read(from_json(py, "mapping", &mapping.0)?).map_err(|error| raise(py, &error))
}

/// The mapping of the tenant as JSON, and the revision to change it with.
#[pyfunction]
pub(crate) fn conversion_mapping_get(py: Python<'_>, session: &Session) -> PyResult<(String, Option<u64>)> {
    let (revision, mapping) = session.read(py, desk::conversion_mapping::get)?;
    Ok((to_json(py, &mapping)?, revision.map(Revision::get)))
}

/// The mapping that a tenant begins with, as JSON; with what an opportunity takes, if asked for.
#[pyfunction]
pub(crate) fn conversion_mapping_standard(py: Python<'_>, opportunity: bool) -> PyResult<String> {
    let standard = ConversionMapping::standard();
    to_json(py, &if opportunity { standard.with_opportunity() } else { standard })
}

/// Writes the mapping: its revision, and the warnings of the linter as JSON.
#[pyfunction]
pub(crate) fn conversion_mapping_set(
    py: Python<'_>,
    session: &Session,
    mapping: Text,
    revision: Option<Count>,
) -> PyResult<(u64, String)> {
    let mapping = given(py, &mapping)?;
    let revision = revision.map(|Count(revision)| Revision::new(revision));
    let (written, warnings) =
        session.write(py, move |ctx, txn| desk::conversion_mapping::set(ctx, txn, revision, &mapping))?;
    Ok((written.get(), to_json(py, &warnings)?))
}

/// Everything that is wrong with a mapping, as JSON.
#[pyfunction]
pub(crate) fn conversion_mapping_lint(py: Python<'_>, session: &Session, mapping: Text) -> PyResult<String> {
    let mapping = given(py, &mapping)?;
    let found = session.read(py, move |ctx, txn| desk::conversion_mapping::lint(ctx, txn, &mapping))?;
    to_json(py, &found)
}

/// What the mapping would make of a lead, as JSON.
#[pyfunction]
pub(crate) fn conversion_mapping_preview(
    py: Python<'_>,
    session: &Session,
    lead: Id,
    account: Option<Id>,
) -> PyResult<String> {
    let (lead, into) = (LeadId::from_uuid(lead.0), account.map(|id| AccountId::from_uuid(id.0)));
    let mapped =
        session.read(py, move |ctx, txn| desk::conversion_mapping::preview_account(ctx, txn, lead, into))?;
    to_json(py, &mapped)
}

/// A field of a target: name, label, what it takes, its choices, and whether it must have a value.
type Spec = (String, String, &'static str, Vec<String>, bool);

/// The fields that accounts, contacts and opportunities have, with those that the tenant added.
#[pyfunction]
pub(crate) fn conversion_target_fields(py: Python<'_>, session: &Session) -> PyResult<Vec<Spec>> {
    let targets = session.read(py, desk::conversion_mapping::targets)?;
    let all = TargetRecord::ALL.into_iter().flat_map(|record| targets.of(record));
    let told = all.map(|spec| {
        let choices = spec.choices.iter().map(|choice| choice.code.clone()).collect();
        (spec.field.to_string(), spec.label.clone(), spec.shape.code(), choices, spec.required)
    });
    Ok(told.collect())
}
