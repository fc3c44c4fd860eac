//! Estimates, and the products of leads.

use std::result;

use leadcore::desk;
use leadcore::desk::estimates::EstimateQuery;
use leadcore::desk::lines::Products;
use leadcore::domain::{Discount, EstimateFields, EstimateStatus, EstimateUnmet, Line, Tax};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::{ActivityId, EstimateId, LeadId, NumberSeriesId, UserId};
use leadcore::time::Date;
use leadcore::value::Currency;
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::convert::{Count, Id, LeadArg, Limit, Text, from_json, to_json};
use crate::errors::{invalid, of_subject, raise, renamed};
use crate::given::{Given, each, expected, given, no_such, number, parsed, text};
use crate::listing::{PyPage, listing, page, place};
use crate::session::Session;
use crate::setup::{Numbers, numbers_set, numbers_told};
use crate::subject::{SubjectArg, SubjectsArg};
use crate::told::{known, one, to_value, told_lines};

/// A line as the package writes it; its numbers in their written form.
#[derive(Debug, Clone, Deserialize)]
struct GivenLine {
    description: String,
    product: Option<String>,
    quantity: String,
    unit: Option<String>,
    unit_price: String,
    discount: Option<String>,
    discount_percent: Option<String>,
    tax: Option<String>,
    tax_name: Option<String>,
}

impl GivenLine {
    fn read(self) -> result::Result<Line, Vec<Violation>> {
        let mut broken = Vec::new();
        let mut read = |key: &str, text: Option<&str>| {
            let value = text.map(number).transpose();
            value.unwrap_or_else(|error| {
                broken.push(error.at(key));
                None
            })
        };
        let quantity = read("quantity", Some(&self.quantity)).unwrap_or_default();
        let unit_price = read("unit_price", Some(&self.unit_price)).unwrap_or_default();
        let amount = read("discount", self.discount.as_deref()).map(Discount::Amount);
        let percent = read("discount_percent", self.discount_percent.as_deref()).map(Discount::Percent);
        let tax = read("tax", self.tax.as_deref());
        if !broken.is_empty() {
            return Err(broken);
        }
        Ok(Line {
            product: self.product,
            unit: self.unit,
            discount: amount.or(percent),
            tax: tax.map(|percent| Tax { name: self.tax_name, percent }),
            ..Line::new(&self.description, quantity, unit_price)
        })
    }
}

pub(crate) fn lines(value: &Value) -> result::Result<Vec<Line>, Vec<Violation>> {
    let given: Vec<GivenLine> = serde_json::from_value(value.clone())
        .map_err(|_| vec![Violation::new("lines", ViolationCode::Malformed, "these are not lines")])?;
    let (mut read, mut broken) = (Vec::with_capacity(given.len()), Vec::new());
    for (n, line) in given.into_iter().enumerate() {
        match line.read() {
            Ok(line) => read.push(line),
            Err(of_one) => broken.extend(
                of_one.into_iter().map(|one| Violation { field: format!("lines[{n}].{}", one.field), ..one }),
            ),
        }
    }
    if broken.is_empty() { Ok(read) } else { Err(broken) }
}

/// The error with the fields of lines, and what the estimate is about, as they are written in Python.
pub(crate) fn named(error: Error) -> Error {
    let error = of_subject(error);
    renamed(error, |field| {
        let of_line = |from: &str, to: &str| field.strip_suffix(from).map(|line| format!("{line}{to}"));
        of_line(".tax.percent", ".tax")
            .or_else(|| of_line(".tax.name", ".tax_name"))
            .or_else(|| of_line(".discount.percent", ".discount_percent"))
            .or_else(|| of_line(".discount.amount", ".discount"))
    })
}

fn patch(fields: &mut EstimateFields, given: &Given) -> Result<()> {
    each(given, |key, value| {
        let at = |error: ValueError| vec![error.at(key)];
        match key {
            "title" => fields.title = text(value).map_err(at)?,
            "note" => fields.note = text(value).map_err(at)?,
            "terms" => fields.terms = text(value).map_err(at)?,
            "owner" => fields.owner = parsed(value, |user| UserId::new(user)).map_err(at)?,
            "date" => fields.date = parsed(value, str::parse::<Date>).map_err(at)?,
            "valid_until" => fields.valid_until = parsed(value, str::parse::<Date>).map_err(at)?,
            "currency" => fields.currency = parsed(value, Currency::parse).map_err(at)?,
            "lines" => fields.lines = lines(value)?,
            _ => return Err(vec![no_such(key)]),
        }
        Ok(())
    })
}

/// The fields of a new estimate.
fn new(py: Python<'_>, json: &Text) -> PyResult<EstimateFields> {
    let mut fields = EstimateFields::default();
    patch(&mut fields, &given(py, json)?).map_err(|error| raise(py, &error))?;
    Ok(fields)
}

fn status(py: Python<'_>, name: &str, code: &Text) -> PyResult<EstimateStatus> {
    EstimateStatus::from_code(&code.0).ok_or_else(|| {
        let message = "must be `draft`, `sent`, `accepted`, `declined` or `expired`";
        invalid(py, name, ViolationCode::Unknown, message)
    })
}

/// Creates an estimate: as JSON.
#[pyfunction]
pub(crate) fn estimate_create(
    py: Python<'_>,
    session: &Session,
    subject: SubjectsArg,
    fields: Text,
    series: Option<Id>,
) -> PyResult<String> {
    let (about, fields) = (subject.0, new(py, &fields)?);
    let series = series.map(|series| NumberSeriesId::from_uuid(series.0));
    let made = session.write(py, move |ctx, txn| {
        let made = desk::estimates::create_in(ctx, txn, &about, fields.clone(), series);
        known(ctx, txn, made.map_err(named))
    })?;
    one(py, &made)
}

/// Creates an estimate with the products of a lead.
#[pyfunction]
pub(crate) fn estimate_from_lines(
    py: Python<'_>,
    session: &Session,
    lead: Id,
    fields: Text,
    series: Option<Id>,
) -> PyResult<String> {
    let (lead, fields) = (LeadId::from_uuid(lead.0), new(py, &fields)?);
    let series = series.map(|series| NumberSeriesId::from_uuid(series.0));
    let made = session.write(py, move |ctx, txn| {
        let made = desk::estimates::create_from_lines_in(ctx, txn, lead, fields.clone(), series);
        known(ctx, txn, made.map_err(named))
    })?;
    one(py, &made)
}

/// Creates an estimate that answers a request.
#[pyfunction]
pub(crate) fn estimate_for_request(
    py: Python<'_>,
    session: &Session,
    request: Id,
    fields: Text,
    series: Option<Id>,
) -> PyResult<String> {
    let (request, fields) = (ActivityId::from_uuid(request.0), new(py, &fields)?);
    let series = series.map(|series| NumberSeriesId::from_uuid(series.0));
    let made = session.write(py, move |ctx, txn| {
        let made = desk::estimates::create_for_request_in(ctx, txn, request, fields.clone(), series);
        known(ctx, txn, made.map_err(named))
    })?;
    one(py, &made)
}

/// An estimate.
#[pyfunction]
pub(crate) fn estimate_get(py: Python<'_>, session: &Session, estimate: Id) -> PyResult<String> {
    let id = EstimateId::from_uuid(estimate.0);
    let found = session.read(py, move |ctx, txn| {
        let found = desk::estimates::get(ctx, txn, id);
        known(ctx, txn, found)
    })?;
    one(py, &found)
}

/// The estimate with this number, or the text that people write for it.
#[pyfunction]
pub(crate) fn estimate_by_number(
    py: Python<'_>,
    session: &Session,
    number: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let found = if let Ok(Text(number)) = number.extract::<Text>() {
        session.read(py, move |ctx, txn| {
            let found = desk::estimates::by_number(ctx, txn, number.as_str());
            known(ctx, txn, found)
        })?
    } else {
        let Count(number) = crate::arguments::read("number", number)?;
        session.read(py, move |ctx, txn| {
            let found = desk::estimates::by_number(ctx, txn, number);
            known(ctx, txn, found)
        })?
    };
    one(py, &found)
}

/// Changes some fields of an estimate; null empties one.
#[pyfunction]
pub(crate) fn estimate_edit(
    py: Python<'_>,
    session: &Session,
    estimate: Id,
    revision: Option<Count>,
    fields: Text,
) -> PyResult<String> {
    let (id, changes) = (EstimateId::from_uuid(estimate.0), given(py, &fields)?);
    let edited = session.write(py, move |ctx, txn| {
        let mut fields = desk::estimates::get(ctx, txn, id)?.fields;
        patch(&mut fields, &changes)?;
        let edited = desk::estimates::edit(ctx, txn, id, expected(revision), fields);
        known(ctx, txn, edited.map_err(named))
    })?;
    one(py, &edited)
}

/// A condition as JSON, and its field, code and message.
type PyUnmet = (String, (String, &'static str, String));

/// What stands against a move: each condition as JSON, with its field, code and message.
#[pyfunction]
pub(crate) fn estimate_can_move(
    py: Python<'_>,
    session: &Session,
    estimate: Id,
    status: Text,
) -> PyResult<Vec<PyUnmet>> {
    let (id, to) = (EstimateId::from_uuid(estimate.0), self::status(py, "status", &status)?);
    let unmet = session.read(py, move |ctx, txn| desk::estimates::can_move(ctx, txn, id, to))?;
    let one = |unmet: &EstimateUnmet| {
        let broken = unmet.violation();
        Ok((to_json(py, unmet)?, (broken.field, broken.code.code(), broken.message)))
    };
    unmet.iter().map(one).collect()
}

/// Moves an estimate to its next state.
#[pyfunction]
pub(crate) fn estimate_move(
    py: Python<'_>,
    session: &Session,
    estimate: Id,
    revision: Option<Count>,
    status: Text,
    reason: Option<Text>,
) -> PyResult<String> {
    let (id, to) = (EstimateId::from_uuid(estimate.0), self::status(py, "status", &status)?);
    let moved = session.write(py, move |ctx, txn| {
        let expect = expected(revision);
        let reason = reason.as_ref().map(|reason| reason.0.as_str());
        let moved = match to {
            EstimateStatus::Sent => desk::estimates::send(ctx, txn, id, expect),
            EstimateStatus::Accepted => desk::estimates::accept(ctx, txn, id, expect),
            EstimateStatus::Declined => desk::estimates::decline(ctx, txn, id, expect, reason),
            EstimateStatus::Expired => desk::estimates::expire(ctx, txn, id, expect),
            _ => {
                let message = "an estimate does not become a draft again";
                Err(Error::invalid_field("status", ViolationCode::NotAllowed, message))
            }
        };
        known(ctx, txn, moved)
    })?;
    one(py, &moved)
}

/// Writes down which estimates have expired: their ids.
#[pyfunction]
pub(crate) fn estimates_expire_due(py: Python<'_>, session: &Session, limit: Limit) -> PyResult<Vec<Uuid>> {
    let due = session.write(py, move |ctx, txn| desk::estimates::expire_due(ctx, txn, limit.0))?;
    Ok(due.into_iter().map(|id| id.as_uuid()).collect())
}

/// A new draft with what was offered.
#[pyfunction]
pub(crate) fn estimate_revise(py: Python<'_>, session: &Session, estimate: Id) -> PyResult<String> {
    let id = EstimateId::from_uuid(estimate.0);
    let made = session.write(py, move |ctx, txn| {
        let made = desk::estimates::revise(ctx, txn, id);
        known(ctx, txn, made)
    })?;
    one(py, &made)
}

/// A new draft of its own with what an estimate offers.
#[pyfunction]
pub(crate) fn estimate_copy(py: Python<'_>, session: &Session, estimate: Id) -> PyResult<String> {
    let id = EstimateId::from_uuid(estimate.0);
    let made = session.write(py, move |ctx, txn| {
        let made = desk::estimates::copy(ctx, txn, id);
        known(ctx, txn, made)
    })?;
    one(py, &made)
}

/// Deletes a draft.
#[pyfunction]
pub(crate) fn estimate_delete(
    py: Python<'_>,
    session: &Session,
    estimate: Id,
    revision: Option<Count>,
) -> PyResult<()> {
    let id = EstimateId::from_uuid(estimate.0);
    session.write(py, move |ctx, txn| desk::estimates::delete(ctx, txn, id, expected(revision)))
}

/// A page of the estimates about a record.
#[pyfunction]
pub(crate) fn estimates_of(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    open: Option<bool>,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let listing = listing(py, open, ascending, after.as_ref(), limit)?;
    let (found, writing) = session.read(py, move |ctx, txn| {
        let found = desk::estimates::of(ctx, txn, subject.0, &listing);
        known(ctx, txn, found)
    })?;
    page(py, &found, |one| to_value(one, &writing))
}

pub(crate) fn day(py: Python<'_>, name: &str, text: Option<Text>) -> PyResult<Option<Date>> {
    let day = text.map(|Text(day)| day.parse::<Date>()).transpose();
    day.map_err(|error| raise(py, &error.at(name).into()))
}

/// A page of all estimates.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn estimate_page(
    py: Python<'_>,
    session: &Session,
    status: Option<Text>,
    since: Option<Text>,
    until: Option<Text>,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let mut query = EstimateQuery::default();
    query.status = status.map(|status| self::status(py, "status", &status)).transpose()?;
    (query.from, query.until) = (day(py, "since", since)?, day(py, "until", until)?);
    (query.ascending, query.limit) = (ascending, limit.0);
    query.after = place(py, after.as_ref())?;
    let (found, writing) = session.read(py, move |ctx, txn| {
        let found = desk::estimates::list(ctx, txn, &query);
        known(ctx, txn, found)
    })?;
    page(py, &found, |one| to_value(one, &writing))
}

/// The products of a lead; none where it has none.
#[pyfunction]
pub(crate) fn lines_of(py: Python<'_>, session: &Session, lead: LeadArg) -> PyResult<Option<String>> {
    let found = session.read(py, move |ctx, txn| desk::lines::of(ctx, txn, lead.id))?;
    found.map(|list| to_json(py, &told_lines(&list))).transpose()
}

/// The products that a lead, an account or an opportunity shows, as JSON.
#[pyfunction]
pub(crate) fn lines_list(py: Python<'_>, session: &Session, subject: SubjectArg) -> PyResult<String> {
    let named = |error| renamed(error, |field| (field == "of").then(|| "subject".to_owned()));
    let found = session.read(py, move |ctx, txn| desk::lines::list(ctx, txn, subject.0).map_err(named))?;
    to_json(py, &found.iter().map(told_lines).collect::<Vec<_>>())
}

/// Writes the products of a lead.
#[pyfunction]
pub(crate) fn lines_set(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    revision: Option<Count>,
    lines: Text,
    currency: Option<Text>,
    with_amount: bool,
) -> PyResult<Option<String>> {
    let given: Value = from_json(py, "lines", &lines.0)?;
    let read = self::lines(&given).map_err(|broken| raise(py, &Error::invalid(broken)))?;
    let mut products = Products::from(read);
    if let Some(Text(currency)) = currency {
        let currency = Currency::parse(&currency).map_err(|error| raise(py, &error.at("currency").into()))?;
        products = products.currency(currency);
    }
    if with_amount {
        products = products.with_amount();
    }
    let written = session.write(py, move |ctx, txn| {
        desk::lines::set(ctx, txn, lead.id, expected(revision), products.clone()).map_err(named)
    })?;
    written.map(|list| to_json(py, &told_lines(&list))).transpose()
}

/// How estimate numbers are written: prefix, digits, start, and the revision to change it with.
#[pyfunction]
pub(crate) fn estimate_numbering_get(py: Python<'_>, session: &Session) -> PyResult<Numbers> {
    Ok(numbers_told(session.read(py, desk::settings::estimate_numbering)?))
}

/// Writes how estimate numbers are written.
#[pyfunction]
pub(crate) fn estimate_numbering_set(
    py: Python<'_>,
    session: &Session,
    prefix: Text,
    width: Count,
    start: Count,
    revision: Option<Count>,
) -> PyResult<u64> {
    numbers_set(py, session, (prefix, width, start), revision, desk::settings::set_estimate_numbering)
}
