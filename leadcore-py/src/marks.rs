//! Who must not be reached how, and why; and lists of persons to take along.

use std::io::Write as _;
use std::path::PathBuf;

use leadcore::desk::{self, Expect};
use leadcore::domain::{self, AddressMark, CatalogueKind, MarkNote, ReachChannel, ReachMark};
use leadcore::error::ViolationCode;
use leadcore::exchange::{contacts_csv, contacts_xlsx};
use leadcore::id::ContactId;
use leadcore::time::Timestamp;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime};

use crate::arguments::{Parts, of_argument, read};
use crate::convert::{Id, LeadArg, Text, models, time_of};
use crate::custom;
use crate::errors::{invalid, raise};
use crate::lead::Lead;
use crate::leads::named;
use crate::output::{Replacement, unwritable};
use crate::records::Contact;
use crate::session::Session;
use crate::subject::SubjectArg;

/// A mark as the package hands it over: address, channel, mark, whether it is lifted, reason, since when.
#[derive(Debug)]
pub(crate) struct Given(AddressMark);

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = obj.py();
        let mut parts = Parts::new(&obj)?;
        let Text(address) = parts.read("address")?;
        let Text(channel) = parts.read("address")?;
        let Text(mark) = parts.read("mark")?;
        let channel = ReachChannel::from_code(&channel).unwrap_or(ReachChannel::Email);
        let mark = ReachMark::from_code(&mark)
            .ok_or_else(|| invalid(py, "mark", ViolationCode::Unknown, "must be `opted_out` or `invalid`"))?;
        let mut given = AddressMark::new(channel, address, mark);
        given.lifted = parts.read("lifted")?;
        let reason: Option<Text> = parts.read("reason")?;
        given.reason = reason.map(|text| text.0);
        given.since = since(&parts.any()?)?;
        Ok(Self(given))
    }
}

fn since(given: &Bound<'_, PyAny>) -> PyResult<Option<Timestamp>> {
    if given.is_none() {
        return Ok(None);
    }
    let cast = given.cast::<PyDateTime>();
    let at = cast.map_err(|error| of_argument(given.py(), "since", error.into()))?;
    time_of(at).map(Some).map_err(|error| raise(given.py(), &error.at("since").into()))
}

/// Why and since when.
#[derive(Debug)]
pub(crate) struct Note(MarkNote);

impl<'a, 'py> FromPyObject<'a, 'py> for Note {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        let reason: Option<Text> = parts.read("reason")?;
        let since = since(&parts.any()?)?;
        let reason = reason.as_ref().map(|text| text.0.as_str());
        let note = MarkNote::new(since, reason);
        note.map(Self).map_err(|error| raise(obj.py(), &error.at("reason").into()))
    }
}

/// A note as its Python class.
pub(crate) fn py_note<'py>(py: Python<'py>, note: Option<&MarkNote>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(note) = note else { return Ok(None) };
    let arguments = (note.since().map(Timestamp::to_datetime), note.reason());
    models(py)?.getattr("MarkNote")?.call1(arguments).map(Some)
}

/// A person to write: with the revision of the object when one is given; and whether that one was primary.
fn person(contact: &Bound<'_, PyAny>) -> PyResult<(ContactId, Expect, bool)> {
    if let Ok(contact) = contact.cast::<Contact>() {
        let contact = contact.get();
        return Ok((contact.contact.id, contact.contact.revision.into(), contact.is_primary));
    }
    Ok((ContactId::from_uuid(read::<Id>("contact", contact)?.0), Expect::Any, false))
}

/// Marks an address of a person, or takes the mark off.
#[pyfunction]
pub(crate) fn contact_mark(
    py: Python<'_>,
    session: &Session,
    contact: &Bound<'_, PyAny>,
    mark: Given,
) -> PyResult<Contact> {
    let (id, expect, is_primary) = person(contact)?;
    session.write(py, move |ctx, txn| {
        let contact = desk::contacts::mark(ctx, txn, id, expect, &mark.0)?;
        Ok(Contact { contact, is_primary, known: custom::keys(txn, CatalogueKind::Contact)? })
    })
}

/// Nobody may call a person; or, without a note, they may again.
#[pyfunction]
pub(crate) fn contact_do_not_call(
    py: Python<'_>,
    session: &Session,
    contact: &Bound<'_, PyAny>,
    note: Option<Note>,
) -> PyResult<Contact> {
    let (id, expect, is_primary) = person(contact)?;
    session.write(py, move |ctx, txn| {
        let contact = desk::contacts::do_not_call(ctx, txn, id, expect, note.as_ref().map(|note| &note.0))?;
        Ok(Contact { contact, is_primary, known: custom::keys(txn, CatalogueKind::Contact)? })
    })
}

/// Marks an address of a lead, or takes the mark off.
#[pyfunction]
pub(crate) fn lead_mark_address(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    mark: Given,
) -> PyResult<Lead> {
    session.write(py, move |ctx, txn| {
        let lead: domain::Lead = desk::leads::mark_address(ctx, txn, lead.id, lead.expect, &mark.0)?;
        named(txn, lead)
    })
}

/// Nobody may call a lead.
#[pyfunction]
pub(crate) fn lead_do_not_call(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    note: Note,
) -> PyResult<Lead> {
    session.write(py, move |ctx, txn| {
        let lead = desk::leads::do_not_call(ctx, txn, lead.id, lead.expect, &note.0)?;
        named(txn, lead)
    })
}

/// The persons of a lead or an account as a file, and how many there are. With a path the file is written there, when it is
/// whole.
#[pyfunction]
pub(crate) fn contacts_export<'py>(
    py: Python<'py>,
    session: &Session,
    owner: &Bound<'py, PyAny>,
    spreadsheet: bool,
    path: Option<PathBuf>,
) -> PyResult<(Bound<'py, PyBytes>, usize)> {
    let SubjectArg(owner) = read("owner", owner)?;
    let (file, count) = session.read(py, move |ctx, txn| {
        let mut file = Vec::new();
        let count = if spreadsheet {
            contacts_xlsx(ctx, txn, owner, &mut file)?
        } else {
            contacts_csv(ctx, txn, owner, &mut file)?
        };
        if let Some(path) = &path {
            let mut output = Replacement::create("output", path)?;
            output.write_all(&file).map_err(|error| unwritable("output", path, error))?;
            output.put()?;
        }
        Ok((file, count))
    })?;
    Ok((PyBytes::new(py, &file), count))
}
