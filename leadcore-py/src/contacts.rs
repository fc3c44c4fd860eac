//! The persons of a lead or an account.

use leadcore::context::Context;
use leadcore::desk::contacts::{Holder, LinkedContact};
use leadcore::desk::{self, Expect};
use leadcore::domain::{Catalogue, CatalogueKind, ContactFields, CustomKey, FieldValue, SubjectKind};
use leadcore::error::{Error, Result, ValueError, ViolationCode};
use leadcore::id::{AccountId, ContactId, LeadId};
use leadcore::store::Txn;
use leadcore::value::{Country, PersonName};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::read;
use crate::convert::{Id, Text, value_of};
use crate::custom;
use crate::errors::{invalid, raise};
use crate::records::Contact;
use crate::session::Session;
use crate::subject::SubjectArg;

type Given = Vec<(String, FieldValue)>;

fn given(fields: &Bound<'_, PyDict>) -> PyResult<Given> {
    let mut values = Vec::with_capacity(fields.len());
    let mut broken = Vec::new();
    for (key, value) in fields.iter() {
        let Text(key) = key.extract()?;
        match value_of(&value) {
            Ok(value) => values.push((key, value)),
            Err(error) => broken.push(error.at(key)),
        }
    }
    if broken.is_empty() { Ok(values) } else { Err(raise(fields.py(), &Error::invalid(broken))) }
}

/// Writes what was given over what is there; every misfit at once.
fn patch(
    txn: &mut dyn Txn,
    ctx: &Context<'_>,
    fields: &mut ContactFields,
    given: &Given,
    region: Option<Country>,
) -> Result<()> {
    let own = given.iter().any(|(key, _)| key.starts_with(CustomKey::PREFIX));
    let kind = CatalogueKind::Contact;
    let catalogue = if own { desk::settings::catalogue_of(ctx, txn, kind)?.1 } else { Catalogue::of(kind) };
    let mut write = |key: &str, value: &FieldValue| match CustomKey::new(key) {
        Ok(own) => catalogue.write_custom(&own, &mut fields.custom, value, region),
        Err(_) => write(fields, key, value, region),
    };
    let broken: Vec<_> =
        given.iter().filter_map(|(key, value)| write(key, value).err().map(|error| error.at(key))).collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

fn write(
    fields: &mut ContactFields,
    key: &str,
    value: &FieldValue,
    region: Option<Country>,
) -> Result<(), ValueError> {
    match key {
        "name" => fields.name = text(value)?.map(|name| PersonName::parse(&name)).transpose()?,
        "job_title" => fields.job_title = text(value)?,
        "role" => fields.role = text(value)?,
        "email" => fields.emails = fields.emails.edited(&text(value)?.unwrap_or_default())?,
        "phone" => fields.phones = fields.phones.edited(&text(value)?.unwrap_or_default(), region)?,
        "description" => fields.description = text(value)?,
        _ => return Err(ValueError::new(ViolationCode::Unknown, "a contact has no such field")),
    }
    Ok(())
}

/// The trimmed text, lists joined by commas; none when nothing is left.
fn text(value: &FieldValue) -> Result<Option<String>, ValueError> {
    let parts = value.items().iter().map(|item| {
        item.as_text().ok_or_else(|| ValueError::new(ViolationCode::Malformed, "this field takes text"))
    });
    let joined = parts.collect::<Result<Vec<_>, _>>()?.join(",");
    let text = joined.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn find(ctx: &Context<'_>, txn: &mut dyn Txn, holder: Holder, id: ContactId) -> Result<Contact> {
    let mut found = of(ctx, txn, holder)?;
    found.retain(|linked| linked.contact.id == id);
    let known = custom::keys(txn, CatalogueKind::Contact)?;
    Contact::linked(found, &known).pop().ok_or_else(|| Error::not_found("contact"))
}

/// Whose persons are changed.
fn holder(owner: &Bound<'_, PyAny>) -> PyResult<Holder> {
    let py = owner.py();
    let SubjectArg(owner) = read("owner", owner)?;
    match owner.kind {
        SubjectKind::Lead => Ok(LeadId::from_uuid(owner.id).into()),
        SubjectKind::Account => Ok(AccountId::from_uuid(owner.id).into()),
        _ => {
            let message = "only leads and accounts have contacts";
            Err(invalid(py, "owner", ViolationCode::NotAllowed, message))
        }
    }
}

fn of(ctx: &Context<'_>, txn: &mut dyn Txn, holder: Holder) -> Result<Vec<LinkedContact>> {
    match holder {
        Holder::Lead(id) => desk::contacts::of_lead(ctx, txn, id),
        Holder::Account(id) => desk::contacts::of_account(ctx, txn, id),
    }
}

/// Adds a person to a lead or an account.
#[pyfunction]
pub(crate) fn contact_add(
    py: Python<'_>,
    session: &Session,
    owner: &Bound<'_, PyAny>,
    fields: &Bound<'_, PyDict>,
    primary: bool,
) -> PyResult<Contact> {
    let holder = holder(owner)?;
    let given = given(fields)?;
    session.write(py, move |ctx, txn| {
        let region = desk::contacts::phone_region(ctx, txn, holder)?;
        let mut fields = ContactFields::default();
        patch(txn, ctx, &mut fields, &given, region)?;
        let contact = desk::contacts::add(ctx, txn, holder, fields, primary)?;
        find(ctx, txn, holder, contact.id)
    })
}

/// Changes some fields of a person of a lead or an account; none empties one.
#[pyfunction]
pub(crate) fn contact_edit(
    py: Python<'_>,
    session: &Session,
    owner: &Bound<'_, PyAny>,
    contact: &Bound<'_, PyAny>,
    changes: &Bound<'_, PyDict>,
) -> PyResult<Contact> {
    let (id, expect) = match contact.cast::<Contact>() {
        Ok(contact) => (contact.get().contact.id, contact.get().contact.revision.into()),
        Err(_) => (ContactId::from_uuid(read::<Id>("contact", contact)?.0), Expect::Any),
    };
    let holder = holder(owner)?;
    let given = given(changes)?;
    session.write(py, move |ctx, txn| {
        let region = desk::contacts::phone_region(ctx, txn, holder)?;
        let mut fields = find(ctx, txn, holder, id)?.contact.fields;
        patch(txn, ctx, &mut fields, &given, region)?;
        desk::contacts::edit(ctx, txn, holder, id, expect, fields)?;
        find(ctx, txn, holder, id)
    })
}

/// Makes a person the primary contact of its lead or account.
#[pyfunction]
pub(crate) fn contact_primary(
    py: Python<'_>,
    session: &Session,
    owner: &Bound<'_, PyAny>,
    contact: Id,
) -> PyResult<()> {
    let holder = holder(owner)?;
    let contact = ContactId::from_uuid(contact.0);
    session.write(py, move |ctx, txn| desk::contacts::make_primary(ctx, txn, holder, contact))
}

/// Takes a person off a lead or an account.
#[pyfunction]
pub(crate) fn contact_remove(
    py: Python<'_>,
    session: &Session,
    owner: &Bound<'_, PyAny>,
    contact: Id,
) -> PyResult<()> {
    let holder = holder(owner)?;
    let contact = ContactId::from_uuid(contact.0);
    session.write(py, move |ctx, txn| desk::contacts::remove(ctx, txn, holder, contact))
}

/// The persons of a lead or an account, the primary one first.
#[pyfunction]
pub(crate) fn contacts_of(
    py: Python<'_>,
    session: &Session,
    owner: &Bound<'_, PyAny>,
) -> PyResult<Vec<Contact>> {
    let holder = holder(owner)?;
    session.read(py, move |ctx, txn| {
        let known = custom::keys(txn, CatalogueKind::Contact)?;
        Ok(Contact::linked(of(ctx, txn, holder)?, &known))
    })
}
