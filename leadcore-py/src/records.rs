//! Contacts as Python objects.

use leadcore::desk::contacts::LinkedContact;
use leadcore::domain;
use leadcore::value::{Email, PersonName, Phone};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy, PyString, PyTuple};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{Text, from_json, to_json};
use crate::custom::{self, Keys};
use crate::marks::py_note;

/// Addresses as plain text.
pub(crate) fn texts<'py, T: ToString>(
    py: Python<'py>,
    values: impl ExactSizeIterator<Item = T>,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, values.map(|value| value.to_string()))
}

pub(crate) type Utc = chrono::DateTime<chrono::Utc>;

/// A person of a lead or an account, as it was when it was read.
#[pyclass(frozen, eq, module = "leadcore._leadcore")]
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) contact: domain::Contact,
    pub(crate) is_primary: bool,
    /// The custom fields that there were.
    #[serde(default)]
    pub(crate) known: Keys,
}

impl PartialEq for Contact {
    fn eq(&self, other: &Self) -> bool {
        (&self.contact, self.is_primary) == (&other.contact, other.is_primary)
    }
}

impl Contact {
    pub(crate) fn linked(linked: Vec<LinkedContact>, known: &Keys) -> Vec<Self> {
        let contacts = linked.into_iter().map(|LinkedContact { contact, is_primary, .. }| Self {
            contact,
            is_primary,
            known: known.clone(),
        });
        contacts.collect()
    }
}

#[pymethods]
impl Contact {
    /// The id.
    #[getter]
    fn id(&self) -> Uuid {
        self.contact.id.as_uuid()
    }

    /// How often the contact was written.
    #[getter]
    fn revision(&self) -> u64 {
        self.contact.revision.get()
    }

    /// Whether it is the primary contact of the lead or account it was read from.
    #[getter]
    fn is_primary(&self) -> bool {
        self.is_primary
    }

    /// The person's full name.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.contact.fields.name.as_ref().map(PersonName::full)
    }

    /// Position in the company.
    #[getter]
    fn job_title(&self) -> Option<&str> {
        self.contact.fields.job_title.as_deref()
    }

    /// What part the person has in the deal.
    #[getter]
    fn role(&self) -> Option<&str> {
        self.contact.fields.role.as_deref()
    }

    /// Why and since when the person must not be called, by whatever number; none while it may.
    #[getter]
    fn do_not_call<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        py_note(py, self.contact.fields.do_not_call.as_ref())
    }

    /// The primary e-mail address.
    #[getter]
    fn email(&self) -> Option<&str> {
        self.contact.fields.emails.primary().map(Email::as_str)
    }

    /// All e-mail addresses, the primary one first.
    #[getter]
    fn emails<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        custom::emails(py, &self.contact.fields.emails)
    }

    /// The primary phone number.
    #[getter]
    fn phone(&self) -> Option<String> {
        self.contact.fields.phones.primary().map(ToString::to_string)
    }

    /// All phone numbers, the primary one first.
    #[getter]
    fn phones<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        custom::phones(py, &self.contact.fields.phones)
    }

    /// The primary phone number in E.164 form (`+4722222222`); none where it has none.
    #[getter]
    fn phone_e164(&self) -> Option<&str> {
        self.contact.fields.phones.primary().and_then(Phone::e164)
    }

    /// All phone numbers in E.164 form, in the order of `phones`; none for one that has no such form.
    #[getter]
    fn phones_e164<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.contact.fields.phones.iter().map(Phone::e164))
    }

    /// Anything else worth knowing.
    #[getter]
    fn description(&self) -> Option<&str> {
        self.contact.fields.description.as_deref()
    }

    /// When it was created.
    #[getter]
    fn created_at(&self) -> Utc {
        self.contact.created_at.to_datetime()
    }

    /// When it was last written.
    #[getter]
    fn updated_at(&self) -> Utc {
        self.contact.updated_at.to_datetime()
    }

    /// The fields that the tenant added which say something, by key.
    #[getter]
    fn custom<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        custom::said(py, &self.contact.fields.custom)
    }

    /// A custom field as an attribute.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        custom::said_of(
            name.py(),
            "a contact",
            (&self.contact.fields.custom, &self.known),
            &name.to_string_lossy(),
        )
    }

    /// Everything about the contact by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("id", self.id())?;
        dict.set_item("name", self.name())?;
        dict.set_item("job_title", self.job_title())?;
        dict.set_item("role", self.role())?;
        dict.set_item("do_not_call", self.contact.fields.do_not_call.is_some())?;
        dict.set_item("email", texts(py, self.contact.fields.emails.iter())?)?;
        dict.set_item("phone", texts(py, self.contact.fields.phones.iter())?)?;
        dict.set_item("description", self.description())?;
        dict.set_item("is_primary", self.is_primary)?;
        dict.set_item("created_at", self.created_at())?;
        dict.set_item("updated_at", self.updated_at())?;
        custom::add(&dict, &self.contact.fields.custom)?;
        Ok(dict)
    }

    fn __hash__(&self) -> u64 {
        let (high, low) = self.id().as_u64_pair();
        high ^ low ^ self.revision()
    }

    fn __repr__(&self) -> String {
        match self.name() {
            Some(name) => format!("<Contact {}>", name.escape_debug()),
            None => "<Contact>".to_owned(),
        }
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("_restore")?, (to_json(slf.py(), slf.get())?,)))
    }

    #[staticmethod]
    fn _restore(py: Python<'_>, state: Text) -> PyResult<Self> {
        from_json(py, "state", &state.0)
    }
}
