//! Values of the fields that a tenant added, and of addresses, as Python objects.

use std::collections::BTreeSet;

use leadcore::domain::{
    Catalogue, CatalogueKind, CustomField, CustomKey, CustomValue, CustomValues, Emails, Field, FieldValue,
    Lead, Phones, ReachKind, ReachMark, Reachable,
};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::store::{SettingName, Txn};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy, PyTuple};
use serde::Deserialize;

use crate::convert::{models, to_python};
use crate::hints::{did_you_mean, shortened};
use crate::marks::py_note;
use crate::names::Names;

/// The Python object for the value of a custom field.
pub(crate) fn value<'py>(py: Python<'py>, value: &CustomValue) -> PyResult<Bound<'py, PyAny>> {
    match value {
        CustomValue::Money(money) => {
            let arguments = (money.amount(), money.currency().code().to_owned());
            models(py)?.getattr("Money")?.call1(arguments)
        }
        CustomValue::Link(subject) => Ok((subject.kind.code(), subject.id).into_pyobject(py)?.into_any()),
        other => to_python(py, &other.read()),
    }
}

/// A value that the journal gave back as JSON, as the field says now; as it is where the field is gone or is another.
pub(crate) fn journalled<'py>(
    py: Python<'py>,
    catalogue: &Catalogue,
    key: &CustomKey,
    given: &FieldValue,
) -> PyResult<Bound<'py, PyAny>> {
    let known = catalogue.custom_field(key);
    // Without limits: they hold for what is written now.
    let read = known.and_then(|known| {
        CustomField::new(key.clone(), "", known.kind.clone()).parse(given, None).ok().flatten()
    });
    read.map_or_else(|| to_python(py, given), |read| value(py, &read))
}

#[derive(Deserialize)]
struct Known {
    #[serde(default)]
    custom: std::collections::BTreeMap<CustomKey, Described>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    settings: Settings,
}

#[derive(Deserialize, Default)]
struct Settings {
    #[serde(default)]
    enabled: Option<bool>,
}

/// Keys of custom fields.
pub(crate) type Keys = BTreeSet<CustomKey>;

/// The keys of the custom fields that take values: what every record of a kind can be asked for. Nothing else is read of the
/// catalogue, because this happens for every page.
///
/// # Errors
/// `Corrupt` when the catalogue cannot be read; a failure of the store.
pub(crate) fn keys(txn: &mut dyn Txn, kind: CatalogueKind) -> Result<Keys> {
    let Some((_, json)) = txn.settings().load(SettingName::from(kind))? else { return Ok(Keys::new()) };
    let known: Known = serde_json::from_str(&json).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the stored field catalogue cannot be read").with_source(error)
    })?;
    let enabled = known.custom.into_iter().filter(|(_, field)| field.settings.enabled != Some(false));
    Ok(enabled.map(|(key, _)| key).collect())
}

/// What a lead can be asked for: the fields there are, and those that it has values of.
fn known<'l>(lead: &'l Lead, names: &'l Names) -> BTreeSet<&'l CustomKey> {
    lead.fields.custom.keys().chain(&names.custom).collect()
}

/// Every custom field of a lead by its key.
pub(crate) fn dict<'py>(py: Python<'py>, lead: &Lead, names: &Names) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for key in known(lead, names) {
        let value = lead.fields.custom.get(key).map(|it| value(py, it)).transpose()?;
        dict.set_item(key.as_str(), value)?;
    }
    Ok(dict)
}

/// The same, not to be changed.
pub(crate) fn mapping<'py>(
    py: Python<'py>,
    lead: &Lead,
    names: &Names,
) -> PyResult<Bound<'py, PyMappingProxy>> {
    Ok(PyMappingProxy::new(py, dict(py, lead, names)?.as_mapping()))
}

/// The custom fields of an account, contact or opportunity that say something, by key; not to be changed.
pub(crate) fn said<'py>(py: Python<'py>, values: &CustomValues) -> PyResult<Bound<'py, PyMappingProxy>> {
    let dict = PyDict::new(py);
    add(&dict, values)?;
    Ok(PyMappingProxy::new(py, dict.as_mapping()))
}

/// Adds what they say to a dictionary.
pub(crate) fn add(dict: &Bound<'_, PyDict>, values: &CustomValues) -> PyResult<()> {
    values.iter().try_for_each(|(key, it)| dict.set_item(key.as_str(), value(dict.py(), it)?))
}

/// The custom field of such a record that an attribute names, of those that there were when it was read and those that it says
/// something of; none where it says nothing.
///
/// # Errors
/// `AttributeError`, which says what may have been meant.
pub(crate) fn said_of<'py>(
    py: Python<'py>,
    what: &str,
    (values, keys): (&CustomValues, &Keys),
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    named(py, (what, &[]), values, values.keys().chain(keys).collect(), name)
}

/// The custom field that an attribute of a lead names.
///
/// # Errors
/// `AttributeError`, which says what may have been meant.
pub(crate) fn attribute<'py>(
    py: Python<'py>,
    lead: &Lead,
    names: &Names,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    named(py, ("a lead", Field::ALL), &lead.fields.custom, known(lead, names), name)
}

fn named<'py>(
    py: Python<'py>,
    (what, fields): (&str, &[Field]),
    values: &CustomValues,
    known: BTreeSet<&CustomKey>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(key) = known.iter().find(|key| key.as_str() == name) {
        let value = values.get(*key).map(|it| value(py, it)).transpose()?;
        return Ok(value.unwrap_or_else(|| py.None().into_bound(py)));
    }
    // What Python itself looks for is nobody's spelling mistake.
    let hint = if name.starts_with('_') {
        String::new()
    } else {
        did_you_mean(name, fields.iter().map(Field::key).chain(known.iter().map(|key| key.as_str())))
    };
    Err(PyAttributeError::new_err(format!("{what} has no attribute `{}`{hint}", shortened(name))))
}

fn kind(kind: ReachKind) -> Option<&'static str> {
    (kind != ReachKind::Unspecified).then(|| kind.code())
}

/// Why and since when an address is marked, for each mark.
type Notes<'py> = (Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>);

fn notes<'py, T>(py: Python<'py>, entry: &Reachable<T>) -> PyResult<Notes<'py>> {
    let note = |mark| py_note(py, entry.note(mark));
    Ok((note(ReachMark::OptedOut)?, note(ReachMark::Invalid)?))
}

/// E-mail addresses with what is known of each.
pub(crate) fn emails<'py>(py: Python<'py>, emails: &Emails) -> PyResult<Bound<'py, PyTuple>> {
    let class = models(py)?.getattr("Email")?;
    let entries = emails.entries().iter();
    let entries = entries.map(|it| {
        let (opted_out, invalid) = notes(py, it)?;
        class.call1((it.value.as_str(), kind(it.kind), it.opted_out, it.invalid, opted_out, invalid))
    });
    PyTuple::new(py, entries.collect::<PyResult<Vec<_>>>()?)
}

/// Phone numbers with what is known of each.
pub(crate) fn phones<'py>(py: Python<'py>, phones: &Phones) -> PyResult<Bound<'py, PyTuple>> {
    let class = models(py)?.getattr("Phone")?;
    let entries = phones.entries().iter().map(|it| {
        let (opted_out, invalid) = notes(py, it)?;
        let (value, e164) = (it.value.to_string(), it.value.e164());
        class.call1((value, kind(it.kind), it.opted_out, it.invalid, e164, opted_out, invalid))
    });
    PyTuple::new(py, entries.collect::<PyResult<Vec<_>>>()?)
}
