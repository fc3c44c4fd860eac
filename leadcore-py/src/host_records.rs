//! Records of the host's that are shown with leads, contacts and accounts; and their kinds.

use std::result;

use leadcore::desk;
use leadcore::domain::{HostRecordFields, OnConversion, RecordKind, RecordKindSpec};
use leadcore::error::{Error, Result, ValueError, ViolationCode};
use leadcore::id::RecordId;
use leadcore::time::Timestamp;
use pyo3::prelude::*;
use serde_json::Value;

use crate::convert::{Count, Id, Limit, Text, to_json};
use crate::errors::{of_subject, raise, renamed};
use crate::given::{Given, each, expected, given, no_such, parsed, text};
use crate::listing::{PyPage, listing, page};
use crate::session::Session;
use crate::subject::{SubjectArg, SubjectsArg};

fn kind(py: Python<'_>, name: &Text) -> PyResult<RecordKind> {
    RecordKind::new(&name.0).map_err(|error| raise(py, &error.at("kind").into()))
}

/// The argument that a broken rule is about, where the core says which kind of all it is: `kinds[1].singular`.
fn of_kind(field: &str) -> Option<String> {
    let rest = field.strip_prefix("kinds")?;
    Some(rest.split_once('.').map_or("kind", |(_, name)| name).to_owned())
}

fn on_conversion(text: &str) -> result::Result<OnConversion, ValueError> {
    match text {
        "shown" => Ok(OnConversion::Shown),
        "host" => Ok(OnConversion::Host),
        _ => Err(ValueError::new(ViolationCode::Unknown, "must be `shown` or `host`")),
    }
}

fn patch(fields: &mut HostRecordFields, given: &Given) -> Result<()> {
    each(given, |key, value| {
        let at = |error: ValueError| vec![error.at(key)];
        match key {
            "title" => fields.title = text(value).map_err(at)?.unwrap_or_default(),
            "url" => fields.url = text(value).map_err(at)?,
            "state" => fields.state = text(value).map_err(at)?,
            "is_open" => fields.is_open = value == &Value::Bool(true),
            "at" => fields.at = parsed(value, str::parse::<Timestamp>).map_err(at)?,
            _ => return Err(vec![no_such(key)]),
        }
        Ok(())
    })
}

/// The kinds of record that the host registered, as JSON.
#[pyfunction]
pub(crate) fn record_kinds(py: Python<'_>, session: &Session) -> PyResult<String> {
    let (_, kinds) = session.read(py, desk::records::kinds)?;
    to_json(py, &kinds)
}

/// Registers a kind, or changes how one is shown: the fields that were given.
#[pyfunction]
pub(crate) fn record_kind_set(
    py: Python<'_>,
    session: &Session,
    kind: Text,
    fields: Text,
    new: bool,
) -> PyResult<()> {
    let (kind, changes) = (self::kind(py, &kind)?, given(py, &fields)?);
    session.write(py, move |ctx, txn| {
        let (revision, kinds) = desk::records::kinds(ctx, txn)?;
        let mut spec = match kinds.get(&kind) {
            Some(_) if new => {
                let message = "a kind of this name is registered";
                return Err(Error::invalid_field("kind", ViolationCode::Duplicate, message));
            }
            Some(known) => known.clone(),
            None if new => RecordKindSpec::new(kind.clone(), "", ""),
            None => return Err(Error::not_found("kind of record")),
        };
        each(&changes, |key, value| {
            let at = |error: ValueError| vec![error.at(key)];
            match key {
                "singular" => spec.singular = text(value).map_err(at)?.unwrap_or_default(),
                "plural" => spec.plural = text(value).map_err(at)?.unwrap_or_default(),
                "icon" => spec.icon = text(value).map_err(at)?,
                "color" => spec.color = text(value).map_err(at)?,
                "on_conversion" => spec.on_conversion = parsed(value, on_conversion).map_err(at)?,
                _ => return Err(vec![no_such(key)]),
            }
            Ok(())
        })?;
        let set = desk::records::set_kinds(ctx, txn, revision, &kinds.with(spec));
        set.map(drop).map_err(|error| renamed(error, of_kind))
    })
}

/// Takes a kind away that has no records.
#[pyfunction]
pub(crate) fn record_kind_remove(py: Python<'_>, session: &Session, kind: Text) -> PyResult<()> {
    let kind = self::kind(py, &kind)?;
    session.write(py, move |ctx, txn| {
        let (revision, kinds) = desk::records::kinds(ctx, txn)?;
        if kinds.get(&kind).is_none() {
            return Err(Error::not_found("kind of record"));
        }
        desk::records::set_kinds(ctx, txn, revision, &kinds.without(&kind)).map(drop)
    })
}

/// Links a record of the host's, or writes one anew that is linked.
#[pyfunction]
pub(crate) fn record_link(
    py: Python<'_>,
    session: &Session,
    subject: SubjectsArg,
    kind: Text,
    key: Text,
    fields: Text,
) -> PyResult<String> {
    let (about, kind) = (subject.0, self::kind(py, &kind)?);
    let mut written = HostRecordFields::default();
    patch(&mut written, &given(py, &fields)?).map_err(|error| raise(py, &error))?;
    let linked = session.write(py, move |ctx, txn| {
        desk::records::link(ctx, txn, &about, &kind, &key.0, written.clone()).map_err(of_subject)
    })?;
    to_json(py, &linked)
}

/// Changes what the host says of a record.
#[pyfunction]
pub(crate) fn record_edit(
    py: Python<'_>,
    session: &Session,
    record: Id,
    revision: Option<Count>,
    fields: Text,
) -> PyResult<String> {
    let (id, changes) = (RecordId::from_uuid(record.0), given(py, &fields)?);
    let edited = session.write(py, move |ctx, txn| {
        let mut fields = desk::records::get(ctx, txn, id)?.fields;
        patch(&mut fields, &changes)?;
        desk::records::edit(ctx, txn, id, expected(revision), fields)
    })?;
    to_json(py, &edited)
}

/// Takes a record off every page.
#[pyfunction]
pub(crate) fn record_unlink(
    py: Python<'_>,
    session: &Session,
    record: Id,
    revision: Option<Count>,
) -> PyResult<()> {
    let id = RecordId::from_uuid(record.0);
    session.write(py, move |ctx, txn| desk::records::unlink(ctx, txn, id, expected(revision)))
}

/// A record.
#[pyfunction]
pub(crate) fn record_get(py: Python<'_>, session: &Session, record: Id) -> PyResult<String> {
    let id = RecordId::from_uuid(record.0);
    let found = session.read(py, move |ctx, txn| desk::records::get(ctx, txn, id))?;
    to_json(py, &found)
}

/// The record with this id of the host's.
#[pyfunction]
pub(crate) fn record_by_key(py: Python<'_>, session: &Session, kind: Text, key: Text) -> PyResult<String> {
    let kind = self::kind(py, &kind)?;
    let found = session.read(py, move |ctx, txn| desk::records::by_key(ctx, txn, &kind, &key.0))?;
    to_json(py, &found)
}

/// A page of the records of one kind about a record.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn records_of(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    kind: Text,
    open: Option<bool>,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let kind = self::kind(py, &kind)?;
    let listing = listing(py, open, ascending, after.as_ref(), limit)?;
    let found = session.read(py, move |ctx, txn| desk::records::of(ctx, txn, subject.0, &kind, &listing))?;
    page(py, &found, Clone::clone)
}
