//! Opportunities.

use std::result;

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::opportunities::{Lost, NewOpportunity, OpportunityQuery};
use leadcore::desk::series::Writing;
use leadcore::domain::{
    CatalogueKind, CustomKey, CustomValue, CustomValues, FieldValue, Opportunity, OpportunityFields,
    OpportunityPatch, OpportunityState,
};
use leadcore::error::{Error, ErrorKind, Result, ValueError, Violation, ViolationCode};
use leadcore::id::{AccountId, ContactId, LostReasonId, NumberSeriesId, OpportunityId, SourceId, UserId};
use leadcore::store::Txn;
use leadcore::time::Date;
use leadcore::value::Currency;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::conversion::Decided;
use crate::convert::{Count, Id, Limit, Named, Text, from_json, to_json, value_of};
use crate::custom::{self, Keys};
use crate::customer_form::read_own;
use crate::errors::{invalid, raise};
use crate::estimates::{day, lines, named};
use crate::given::{Given, each, expected, given, no_such, number, parsed, text};
use crate::listing::{PyPage, listing, page, place};
use crate::moves;
use crate::session::Session;
use crate::setup::{Numbers, numbers_set, numbers_told};
use crate::subject::SubjectArg;
use crate::terms::find;
use crate::told::{Told, nets};

/// An opportunity, with what each line comes to and what its custom fields say.
#[derive(Serialize)]
pub(crate) struct ToldOpportunity<'o> {
    #[serde(flatten)]
    told: Told<'o, Opportunity>,
    custom: Vec<(&'o CustomKey, Value)>,
    /// The custom fields that there are.
    known: &'o Keys,
    written: String,
}

/// What is told of each opportunity besides: the custom fields that there are, and how numbers are written.
#[derive(Debug)]
pub(crate) struct Besides {
    keys: Keys,
    writing: Writing<Opportunity>,
}

impl Besides {
    pub(crate) fn load(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        let keys = custom::keys(txn, CatalogueKind::Opportunity)?;
        Ok(Self { keys, writing: desk::series::writing(ctx, txn)? })
    }
}

pub(crate) fn told_opportunity<'o>(one: &'o Opportunity, besides: &'o Besides) -> ToldOpportunity<'o> {
    let custom = one.fields.custom.iter().map(|(key, value)| (key, told_value(value))).collect();
    let told = Told { record: one, nets: nets(&one.fields.lines, one.fields.currency) };
    ToldOpportunity { told, custom, known: &besides.keys, written: besides.writing.write(one) }
}

/// With what is told besides.
fn known<T>(ctx: &Context<'_>, txn: &mut dyn Txn, found: T) -> Result<(T, Besides)> {
    Ok((found, Besides::load(ctx, txn)?))
}

fn told(py: Python<'_>, (one, known): &(Opportunity, Besides)) -> PyResult<String> {
    to_json(py, &told_opportunity(one, known))
}

/// What the package makes an object of: of which class, and what it is made of.
fn told_value(value: &CustomValue) -> Value {
    match value {
        CustomValue::Decimal(number) => json!(["decimal", number.normalize().to_string()]),
        CustomValue::Money(money) => {
            json!(["money", money.amount().to_string(), money.currency().code()])
        }
        CustomValue::Date(_) => json!(["date", value.read()]),
        CustomValue::Time(_) => json!(["time", value.read()]),
        CustomValue::Codes(_) => json!(["codes", value.read()]),
        CustomValue::Link(subject) => json!(["link", subject.kind.code(), subject.id]),
        _ => json!(["plain", value.read()]),
    }
}

/// The fields that need a store to be read, as they were given: those that the tenant added, and a source by its name.
pub(crate) type Own = Vec<(String, FieldValue)>;

/// Reads them; what is wrong is told at their keys behind `path`.
pub(crate) fn own_fields(given: &Bound<'_, PyDict>, path: &str) -> PyResult<Own> {
    let (mut values, mut broken) = (Vec::with_capacity(given.len()), Vec::new());
    for (key, value) in given.iter() {
        let Text(key) = key.extract()?;
        match value_of(&value) {
            Ok(value) => values.push((key, value)),
            Err(error) => broken.push(error.at(format!("{path}{key}"))),
        }
    }
    if broken.is_empty() { Ok(values) } else { Err(raise(given.py(), &Error::invalid(broken))) }
}

/// Writes them into a patch, as the catalogue reads them; `before` is what the opportunity says.
pub(crate) fn with_own(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    patch: OpportunityPatch,
    own: &Own,
    before: Option<OpportunityId>,
) -> Result<OpportunityPatch> {
    let (mut patch, mut broken) = (patch, Vec::new());
    for (_, name) in own.iter().filter(|(key, _)| key == SOURCE) {
        let name = Named::Name(name.as_text().unwrap_or_default().to_owned());
        match find::<SourceId>(ctx, txn, &name) {
            Ok(id) => patch = patch.source(Some(id)),
            Err(error) if error.kind() == ErrorKind::NotFound => broken.push(no_source()),
            Err(error) => return Err(error),
        }
    }
    if own.iter().all(|(key, _)| key == SOURCE) {
        return if broken.is_empty() { Ok(patch) } else { Err(Error::invalid(broken)) };
    }
    let (_, catalogue) = desk::settings::catalogue_of(ctx, txn, CatalogueKind::Opportunity)?;
    let values = match before {
        Some(id) => desk::opportunities::get(ctx, txn, id)?.fields.custom,
        None => CustomValues::new(),
    };
    let own = own.iter().filter(|(key, _)| key != SOURCE);
    let patch = read_own((&catalogue, values), patch, own, &mut broken);
    if broken.is_empty() { Ok(patch) } else { Err(Error::invalid(broken)) }
}

pub(crate) const SOURCE: &str = "source";

fn no_source() -> Violation {
    Violation::new(SOURCE, ViolationCode::Unknown, "there is no source with this name")
}

/// An opportunity on its own: what borrows it cannot leave the page.
fn opportunity_value(one: &Opportunity, known: &Besides) -> Value {
    serde_json::to_value(told_opportunity(one, known)).unwrap_or_default()
}

/// A whole number, or none.
fn percent(value: &Value) -> result::Result<Option<u8>, ValueError> {
    if value.is_null() {
        return Ok(None);
    }
    let whole = value.as_u64().and_then(|number| u8::try_from(number).ok());
    whole.map(Some).ok_or_else(|| ValueError::new(ViolationCode::OutOfRange, "must lie in 0 to 100"))
}

fn amount(value: &Value) -> result::Result<Option<Decimal>, ValueError> {
    parsed(value, number)
}

pub(crate) fn patch(given: &Given) -> Result<OpportunityPatch> {
    let mut patch = OpportunityPatch::new();
    each(given, |key, value| {
        let at = |error: ValueError| vec![error.at(key)];
        let now = std::mem::take(&mut patch);
        patch = match key {
            "name" => now.name(&text(value).map_err(at)?.unwrap_or_default()),
            "owner" => now.owner(parsed(value, |user| UserId::new(user)).map_err(at)?),
            "amount" => now.amount(amount(value).map_err(at)?),
            "currency" => now.currency(parsed(value, Currency::parse).map_err(at)?),
            "probability" => now.probability(percent(value).map_err(at)?),
            "expected_close" => now.expected_close(parsed(value, str::parse::<Date>).map_err(at)?),
            "source" => now.source(parsed(value, str::parse::<SourceId>).map_err(at)?),
            "campaign" => now.campaign(text(value).map_err(at)?),
            "description" => now.description(text(value).map_err(at)?),
            "lines" => now.lines(lines(value)?),
            _ => return Err(vec![no_such(key)]),
        };
        Ok(())
    })?;
    Ok(patch)
}

fn contacts(ids: Vec<Id>) -> Vec<ContactId> {
    ids.into_iter().map(|id| ContactId::from_uuid(id.0)).collect()
}

/// Creates an opportunity of an account, or of the account that a lead became: as JSON.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn opportunity_create(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    fields: Text,
    contacts: Vec<Id>,
    own: &Bound<'_, PyDict>,
    series: Option<Id>,
    convert: Option<Decided>,
) -> PyResult<String> {
    let changes = patch(&given(py, &fields)?).map_err(|error| raise(py, &error))?;
    let own = own_fields(own, "")?;
    let mut fields = OpportunityFields::default();
    changes.apply(&mut fields);
    let mut new = NewOpportunity::from(fields).contacts(self::contacts(contacts));
    new.series = series.map(|series| NumberSeriesId::from_uuid(series.0));
    let made = session.write(py, move |ctx, txn| {
        let mut asked = new.clone();
        let read = with_own(ctx, txn, OpportunityPatch::new(), &own, None);
        let read = read.map(|patch| patch.apply(&mut asked.fields));
        if let Some(decided) = &convert {
            let said = (&new.fields, &own, &new.contacts, &new.series);
            asked = asked.converting(decided.read_with(ctx, txn, &said, read)?);
        } else {
            read?;
        }
        let made = desk::opportunities::create(ctx, txn, subject.0, asked).map_err(named)?;
        known(ctx, txn, made)
    })?;
    told(py, &made)
}

/// An opportunity.
#[pyfunction]
pub(crate) fn opportunity_get(py: Python<'_>, session: &Session, opportunity: Id) -> PyResult<String> {
    let id = OpportunityId::from_uuid(opportunity.0);
    let found = session.read(py, move |ctx, txn| {
        let found = desk::opportunities::get(ctx, txn, id)?;
        known(ctx, txn, found)
    })?;
    told(py, &found)
}

/// The opportunity with this number, or the text that people write for it.
#[pyfunction]
pub(crate) fn opportunity_by_number(
    py: Python<'_>,
    session: &Session,
    number: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let found = if let Ok(Text(number)) = number.extract::<Text>() {
        session.read(py, move |ctx, txn| {
            let found = desk::opportunities::by_number(ctx, txn, number.as_str())?;
            known(ctx, txn, found)
        })?
    } else {
        let Count(number) = crate::arguments::read("number", number)?;
        session.read(py, move |ctx, txn| {
            let found = desk::opportunities::by_number(ctx, txn, number)?;
            known(ctx, txn, found)
        })?
    };
    told(py, &found)
}

/// Changes some fields of an opportunity; null empties one.
#[pyfunction]
pub(crate) fn opportunity_edit(
    py: Python<'_>,
    session: &Session,
    opportunity: Id,
    revision: Option<Count>,
    fields: Text,
    own: &Bound<'_, PyDict>,
) -> PyResult<String> {
    let (id, changes) = (OpportunityId::from_uuid(opportunity.0), given(py, &fields)?);
    let changes = patch(&changes).map_err(|error| raise(py, &error))?;
    let own = own_fields(own, "")?;
    let edited = session.write(py, move |ctx, txn| {
        let changes = with_own(ctx, txn, changes.clone(), &own, Some(id))?;
        let edited = desk::opportunities::edit(ctx, txn, id, expected(revision), &changes).map_err(named)?;
        known(ctx, txn, edited)
    })?;
    told(py, &edited)
}

/// Says which persons an opportunity is about.
#[pyfunction]
pub(crate) fn opportunity_contacts(
    py: Python<'_>,
    session: &Session,
    opportunity: Id,
    revision: Option<Count>,
    contacts: Vec<Id>,
) -> PyResult<String> {
    let (id, contacts) = (OpportunityId::from_uuid(opportunity.0), self::contacts(contacts));
    let edited = session.write(py, move |ctx, txn| {
        let edited = desk::opportunities::set_contacts(ctx, txn, id, expected(revision), &contacts)?;
        known(ctx, txn, edited)
    })?;
    told(py, &edited)
}

/// Wins, loses or reopens an opportunity.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "what is said of each of the three moves")]
pub(crate) fn opportunity_move(
    py: Python<'_>,
    session: &Session,
    opportunity: Id,
    revision: Option<Count>,
    state: Text,
    on: Option<Text>,
    reason: Option<Named>,
    detail: Option<Text>,
) -> PyResult<String> {
    let (id, to) = (OpportunityId::from_uuid(opportunity.0), self::state(py, &state)?);
    let on = day(py, "on", on)?;
    let moved = session.write(py, move |ctx, txn| {
        let expect = expected(revision);
        let moved = match to {
            OpportunityState::Won => desk::opportunities::win(ctx, txn, id, expect, on),
            OpportunityState::Lost => {
                let reason = moves::reason::<LostReasonId>(ctx, txn, "reason", reason.as_ref())?;
                let why = Lost::because(reason, detail.as_ref().map(|detail| detail.0.as_str()));
                let why = if let Some(on) = on { why.on(on) } else { why };
                desk::opportunities::lose(ctx, txn, id, expect, &why)
            }
            _ => desk::opportunities::reopen(ctx, txn, id, expect),
        };
        known(ctx, txn, moved?)
    })?;
    told(py, &moved)
}

fn state(py: Python<'_>, code: &Text) -> PyResult<OpportunityState> {
    OpportunityState::from_code(&code.0)
        .ok_or_else(|| invalid(py, "state", ViolationCode::Unknown, "must be `open`, `won` or `lost`"))
}

/// Removes an opportunity.
#[pyfunction]
pub(crate) fn opportunity_delete(
    py: Python<'_>,
    session: &Session,
    opportunity: Id,
    revision: Option<Count>,
) -> PyResult<()> {
    let id = OpportunityId::from_uuid(opportunity.0);
    session.write(py, move |ctx, txn| desk::opportunities::delete(ctx, txn, id, expected(revision)))
}

/// A page of the opportunities of a record.
#[pyfunction]
pub(crate) fn opportunities_of(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    open: Option<bool>,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let listing = listing(py, open, ascending, after.as_ref(), limit)?;
    let (found, keys) = session.read(py, move |ctx, txn| {
        let found = desk::opportunities::of(ctx, txn, subject.0, &listing)?;
        known(ctx, txn, found)
    })?;
    page(py, &found, |one| opportunity_value(one, &keys))
}

/// A page of all opportunities. `asked` has who, which and when, as JSON.
#[pyfunction]
pub(crate) fn opportunity_page(
    py: Python<'_>,
    session: &Session,
    asked: Text,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let mut query = OpportunityQuery::default();
    let mut asked: Given = from_json(py, "query", &asked.0)?;
    let is_name = |value: &Value| value.as_str().is_some_and(|text| Uuid::try_parse(text).is_err());
    let source = asked.get(SOURCE).filter(|value| is_name(value)).and_then(Value::as_str).map(str::to_owned);
    if source.is_some() {
        asked.remove(SOURCE);
    }
    each(&asked, |key, value| {
        let at = |error: ValueError| vec![error.at(key)];
        match key {
            "account" => query.account = parsed(value, str::parse::<AccountId>).map_err(at)?,
            "owner" => query.owner = parsed(value, |user| UserId::new(user)).map_err(at)?,
            "source" => query.source = parsed(value, str::parse::<SourceId>).map_err(at)?,
            "since" => query.from = parsed(value, str::parse::<Date>).map_err(at)?,
            "until" => query.until = parsed(value, str::parse::<Date>).map_err(at)?,
            "state" => query.state = parsed(value, known_state).map_err(at)?,
            _ => return Err(vec![no_such(key)]),
        }
        Ok(())
    })
    .map_err(|error| raise(py, &error))?;
    (query.ascending, query.limit, query.after) = (ascending, limit.0, place(py, after.as_ref())?);
    let (found, keys) = session.read(py, move |ctx, txn| {
        let mut query = query.clone();
        if let Some(name) = source.clone() {
            let found =
                find::<SourceId>(ctx, txn, &Named::Name(name)).map_err(|error| match error.kind() {
                    ErrorKind::NotFound => Error::from(no_source()),
                    _ => error,
                })?;
            query.source = Some(found);
        }
        let found = desk::opportunities::list(ctx, txn, &query)?;
        known(ctx, txn, found)
    })?;
    page(py, &found, |one| opportunity_value(one, &keys))
}

fn known_state(code: &str) -> result::Result<OpportunityState, ValueError> {
    OpportunityState::from_code(code)
        .ok_or_else(|| ValueError::new(ViolationCode::Unknown, "must be `open`, `won` or `lost`"))
}

/// How opportunity numbers are written: prefix, digits, start, and the revision to change it with.
#[pyfunction]
pub(crate) fn opportunity_numbering_get(py: Python<'_>, session: &Session) -> PyResult<Numbers> {
    Ok(numbers_told(session.read(py, desk::settings::opportunity_numbering)?))
}

/// Writes how opportunity numbers are written.
#[pyfunction]
pub(crate) fn opportunity_numbering_set(
    py: Python<'_>,
    session: &Session,
    prefix: Text,
    width: Count,
    start: Count,
    revision: Option<Count>,
) -> PyResult<u64> {
    numbers_set(py, session, (prefix, width, start), revision, desk::settings::set_opportunity_numbering)
}
