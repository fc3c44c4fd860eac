//! Which accounts and contacts a lead may be.

use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk;
use leadcore::desk::matching::MatchRequest;
use leadcore::error::{Error, ViolationCode};
use leadcore::id::{AccountId, ContactId, LeadId};
use pyo3::prelude::*;
use pyo3::types::PyString;
use uuid::Uuid;

use crate::convert::{Count, Id, Limit, Text, from_json, to_json};
use crate::session::Session;

fn request(number: Option<&Bound<'_, PyAny>>, limit: Limit) -> PyResult<MatchRequest> {
    let request = MatchRequest::default().limit(limit.0);
    let Some(number) = number else { return Ok(request) };
    if number.is_instance_of::<PyString>() {
        let Text(text) = number.extract()?;
        return Ok(request.written(text));
    }
    let Count(number) = number.extract()?;
    Ok(request.number(number))
}

/// Every account and contact that a lead may be, as JSON.
#[pyfunction]
pub(crate) fn matches(
    py: Python<'_>,
    session: &Session,
    lead: Id,
    number: Option<&Bound<'_, PyAny>>,
    limit: Limit,
) -> PyResult<String> {
    let (lead, request) = (LeadId::from_uuid(lead.0), request(number, limit)?);
    let found = session.read(py, move |ctx, txn| desk::matching::search(ctx, txn, lead, &request))?;
    to_json(py, &found)
}

/// The account or contact that a policy chooses.
#[pyfunction]
pub(crate) fn match_chosen(
    py: Python<'_>,
    session: &Session,
    lead: Id,
    record: Text,
    policy: Text,
    number: Option<&Bound<'_, PyAny>>,
    limit: Limit,
) -> PyResult<Option<Uuid>> {
    let policy: MatchPolicy = from_json(py, "at_least", &policy.0)?;
    let (lead, request) = (LeadId::from_uuid(lead.0), request(number, limit)?);
    session.read(py, move |ctx, txn| {
        let found = desk::matching::search(ctx, txn, lead, &request)?;
        match record.0.as_str() {
            "account" => found.account(policy).map(|found| found.map(AccountId::as_uuid)),
            "contact" => found.contact(policy).map(|found| found.map(ContactId::as_uuid)),
            _ => {
                let message = "must be `account` or `contact`";
                Err(Error::invalid_field("record", ViolationCode::Unknown, message))
            }
        }
    })
}
