//! The services of accounts.

use std::result;

use leadcore::desk;
use leadcore::desk::services::{NewService, ServiceQuery};
use leadcore::domain::{Line, Service, ServiceFields, ServiceOrigin, ServicePatch, ServiceState};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::{AccountId, EstimateId, OpportunityId, ServiceId};
use leadcore::time::Date;
use leadcore::value::Currency;
use pyo3::prelude::*;
use serde_json::Value;

use crate::convert::{Count, Id, Limit, Text, from_json, to_json};
use crate::errors::raise;
use crate::estimates::{lines, named};
use crate::given::{Given, each, expected, given, no_such, parsed, text};
use crate::listing::{PyPage, listing, page, place};
use crate::session::Session;
use crate::subject::SubjectArg;
use crate::told::{Told, nets};

pub(crate) fn told_service(one: &Service) -> Told<'_, Service> {
    Told { record: one, nets: nets(std::slice::from_ref(&one.fields.line), one.fields.currency) }
}

fn service_value(one: &Service) -> Value {
    serde_json::to_value(told_service(one)).unwrap_or_default()
}

fn service_state(code: &str) -> result::Result<ServiceState, ValueError> {
    ServiceState::from_code(code)
        .ok_or_else(|| ValueError::new(ViolationCode::Unknown, "must be `active` or `inactive`"))
}

/// The one line of a service; what is wrong in it is told by its own fields.
fn one_line(value: &Value) -> result::Result<Line, Vec<Violation>> {
    let own = |one: Violation| match one.field.strip_prefix("lines[0].") {
        Some(field) => Violation { field: field.to_owned(), ..one },
        None => Violation { field: "line".to_owned(), ..one },
    };
    let line =
        lines(value).map_err(|broken| broken.into_iter().map(own).collect::<Vec<_>>())?.into_iter().next();
    line.ok_or_else(|| vec![Violation::new("line", ViolationCode::Required, "a service has a line")])
}

/// A service that is written anew.
pub(crate) fn service_fields(given: &Given) -> Result<ServiceFields> {
    let mut rest = given.clone();
    let line = one_line(&rest.remove("line").unwrap_or_else(|| Value::Array(Vec::new())));
    let mut fields = ServiceFields::from(line.map_err(Error::invalid)?);
    service_patch(&rest)?.apply(&mut fields);
    Ok(fields)
}

/// What a service is written with: its one line has a name of its own.
fn service_patch(given: &Given) -> Result<ServicePatch> {
    let mut patch = ServicePatch::new();
    each(given, |key, value| {
        let at = |error: ValueError| vec![error.at(key)];
        let now = std::mem::take(&mut patch);
        patch = match key {
            "line" => now.line(one_line(value)?),
            "currency" => now.currency(parsed(value, Currency::parse).map_err(at)?),
            "since" => now.from(parsed(value, str::parse::<Date>).map_err(at)?),
            "until" => now.until(parsed(value, str::parse::<Date>).map_err(at)?),
            "note" => now.note(text(value).map_err(at)?),
            _ => return Err(vec![no_such(key)]),
        };
        Ok(())
    })?;
    Ok(patch)
}

/// Creates a service of an account, or of the account that a lead became: as JSON.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn service_create(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    fields: Text,
    state: Text,
    estimate: Option<Id>,
    position: Option<Count>,
    opportunity: Option<Id>,
) -> PyResult<String> {
    let fields = service_fields(&given(py, &fields)?).map_err(|error| raise(py, &error))?;
    let state = service_state(&state.0).map_err(|error| raise(py, &error.at("state").into()))?;
    let mut new = NewService::from(fields).state(state);
    new.opportunity = opportunity.map(|id| OpportunityId::from_uuid(id.0));
    if let Some(estimate) = estimate {
        let position = u32::try_from(position.map_or(0, |Count(position)| position)).unwrap_or(u32::MAX);
        new = new.origin(ServiceOrigin { estimate: EstimateId::from_uuid(estimate.0), position });
    }
    let made = session.write(py, move |ctx, txn| {
        let mut made = desk::services::create(ctx, txn, subject.0, vec![new.clone()]).map_err(of_one)?;
        made.pop().ok_or_else(|| Error::not_found("service"))
    })?;
    to_json(py, &told_service(&made))
}

/// The error with the fields of the one service, as they are written in Python.
fn of_one(error: Error) -> Error {
    let error =
        crate::errors::renamed(named(error), |field| Some(field.strip_prefix("services[0].")?.to_owned()));
    crate::errors::renamed(error, of_service)
}

/// What a field of a service is called in Python, where that is something else.
pub(crate) fn of_service(field: &str) -> Option<String> {
    (field == "from").then(|| "since".to_owned())
}

/// A service.
#[pyfunction]
pub(crate) fn service_get(py: Python<'_>, session: &Session, service: Id) -> PyResult<String> {
    let id = ServiceId::from_uuid(service.0);
    let found = session.read(py, move |ctx, txn| desk::services::get(ctx, txn, id))?;
    to_json(py, &told_service(&found))
}

/// Changes some fields of a service; null empties one.
#[pyfunction]
pub(crate) fn service_edit(
    py: Python<'_>,
    session: &Session,
    service: Id,
    revision: Option<Count>,
    fields: Text,
) -> PyResult<String> {
    let (id, changes) = (ServiceId::from_uuid(service.0), given(py, &fields)?);
    let changes = service_patch(&changes).map_err(|error| raise(py, &error))?;
    let edited = session.write(py, move |ctx, txn| {
        desk::services::edit(ctx, txn, id, expected(revision), &changes).map_err(of_one)
    })?;
    to_json(py, &told_service(&edited))
}

/// Says whether a service is bought now.
#[pyfunction]
pub(crate) fn service_set_state(
    py: Python<'_>,
    session: &Session,
    service: Id,
    revision: Option<Count>,
    state: Text,
) -> PyResult<String> {
    let id = ServiceId::from_uuid(service.0);
    let state = service_state(&state.0).map_err(|error| raise(py, &error.at("state").into()))?;
    let edited = session
        .write(py, move |ctx, txn| desk::services::set_state(ctx, txn, id, expected(revision), state))?;
    to_json(py, &told_service(&edited))
}

/// Removes a service.
#[pyfunction]
pub(crate) fn service_delete(
    py: Python<'_>,
    session: &Session,
    service: Id,
    revision: Option<Count>,
) -> PyResult<()> {
    let id = ServiceId::from_uuid(service.0);
    session.write(py, move |ctx, txn| desk::services::delete(ctx, txn, id, expected(revision)))
}

/// A page of the services of a record.
#[pyfunction]
pub(crate) fn services_of(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    open: Option<bool>,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let listing = listing(py, open, ascending, after.as_ref(), limit)?;
    let found = session.read(py, move |ctx, txn| desk::services::of(ctx, txn, subject.0, &listing))?;
    page(py, &found, service_value)
}

/// A page of all services. `asked` has which, as JSON.
#[pyfunction]
pub(crate) fn service_page(
    py: Python<'_>,
    session: &Session,
    asked: Text,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let mut query = ServiceQuery::default();
    let asked: Given = from_json(py, "query", &asked.0)?;
    each(&asked, |key, value| {
        let at = |error: ValueError| vec![error.at(key)];
        match key {
            "account" => query.account = parsed(value, str::parse::<AccountId>).map_err(at)?,
            "state" => query.state = parsed(value, service_state).map_err(at)?,
            "opportunity" => query.opportunity = parsed(value, str::parse::<OpportunityId>).map_err(at)?,
            "estimate" => query.estimate = parsed(value, str::parse::<EstimateId>).map_err(at)?,
            _ => return Err(vec![no_such(key)]),
        }
        Ok(())
    })
    .map_err(|error| raise(py, &error))?;
    (query.ascending, query.limit, query.after) = (ascending, limit.0, place(py, after.as_ref())?);
    let found = session.read(py, move |ctx, txn| desk::services::list(ctx, txn, &query))?;
    page(py, &found, service_value)
}
