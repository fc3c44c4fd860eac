//! Accounts as Python objects.

use leadcore::domain::{self, TermKind};
use leadcore::value::{Email, Phone, TaxId, Website};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy, PyString, PyTuple};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{Text, from_json, to_json};
use crate::custom::{self, Keys};
use crate::names::py_term;
use crate::records::{Utc, texts};

/// A customer, as it was when it was read. Accounts are made by converting leads, or created.
#[pyclass(frozen, eq, module = "leadcore._leadcore")]
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) account: domain::Account,
    pub(crate) category: Option<domain::Term<Uuid>>,
    /// The custom fields that there were.
    #[serde(default)]
    pub(crate) known: Keys,
    /// The number as people read it.
    #[serde(default)]
    pub(crate) written: Option<String>,
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        (&self.account, &self.category) == (&other.account, &other.category)
    }
}

#[pymethods]
impl Account {
    /// The id.
    #[getter]
    fn id(&self) -> Uuid {
        self.account.id.as_uuid()
    }

    /// The customer number: unique in its series.
    #[getter]
    fn number(&self) -> u64 {
        self.account.number
    }

    /// The number as people read it: in the standard series as that is written now, else as it was given.
    #[getter]
    fn written_number(&self) -> String {
        let serial = || self.account.serial.as_ref().map(|serial| serial.text.clone());
        self.written.clone().or_else(serial).unwrap_or_else(|| self.account.number.to_string())
    }

    /// How often the account was written.
    #[getter]
    fn revision(&self) -> u64 {
        self.account.revision.get()
    }

    /// `company` or `consumer`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.account.fields.kind.code()
    }

    /// Company name, or the person's for a consumer.
    #[getter]
    fn name(&self) -> &str {
        &self.account.fields.name
    }

    /// `prospect` or `customer`.
    #[getter]
    fn status(&self) -> &'static str {
        self.account.fields.status.code()
    }

    /// The primary e-mail address.
    #[getter]
    fn email(&self) -> Option<&str> {
        self.account.fields.emails.primary().map(Email::as_str)
    }

    /// All e-mail addresses, the primary one first.
    #[getter]
    fn emails<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        custom::emails(py, &self.account.fields.emails)
    }

    /// The primary phone number.
    #[getter]
    fn phone(&self) -> Option<String> {
        self.account.fields.phones.primary().map(ToString::to_string)
    }

    /// All phone numbers, the primary one first.
    #[getter]
    fn phones<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        custom::phones(py, &self.account.fields.phones)
    }

    /// The primary phone number in E.164 form (`+4722222222`); none where it has none.
    #[getter]
    fn phone_e164(&self) -> Option<&str> {
        self.account.fields.phones.primary().and_then(Phone::e164)
    }

    /// All phone numbers in E.164 form, in the order of `phones`; none for one that has no such form.
    #[getter]
    fn phones_e164<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.account.fields.phones.iter().map(Phone::e164))
    }

    /// Web site.
    #[getter]
    fn website(&self) -> Option<&str> {
        self.account.fields.website.as_ref().map(Website::as_str)
    }

    /// Street and house number.
    #[getter]
    fn street(&self) -> Option<&str> {
        self.account.fields.address.street()
    }

    /// City.
    #[getter]
    fn city(&self) -> Option<&str> {
        self.account.fields.address.city()
    }

    /// State, province or region.
    #[getter]
    fn state_region(&self) -> Option<&str> {
        self.account.fields.address.state()
    }

    /// Zip or postal code.
    #[getter]
    fn postal_code(&self) -> Option<&str> {
        self.account.fields.address.postal_code()
    }

    /// Country, ISO 3166-1 alpha-2.
    #[getter]
    fn country(&self) -> Option<String> {
        self.account.fields.address.country().map(|country| country.code().to_owned())
    }

    /// Tax number.
    #[getter]
    fn tax_id(&self) -> Option<&str> {
        self.account.fields.tax_id.as_ref().map(TaxId::as_str)
    }

    /// Currency, ISO 4217.
    #[getter]
    fn currency(&self) -> Option<String> {
        self.account.fields.currency.map(|currency| currency.code().to_owned())
    }

    /// The symbol to print before an amount: the account's own, else the currency's.
    #[getter]
    fn currency_symbol(&self) -> Option<String> {
        let fields = &self.account.fields;
        fields
            .currency_symbol
            .clone()
            .or_else(|| fields.currency.map(|currency| currency.symbol().to_string()))
    }

    /// Line of business.
    #[getter]
    fn industry(&self) -> Option<&str> {
        self.account.fields.industry.as_deref()
    }

    /// Anything else worth knowing.
    #[getter]
    fn description(&self) -> Option<&str> {
        self.account.fields.description.as_deref()
    }

    /// The user responsible.
    #[getter]
    fn owner(&self) -> Option<&str> {
        self.account.fields.owner.as_ref().map(leadcore::id::UserId::as_str)
    }

    /// Industry or type.
    #[getter]
    fn category<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.category.as_ref().map(|term| py_term(py, TermKind::Category, term)).transpose()
    }

    /// When it was created.
    #[getter]
    fn created_at(&self) -> Utc {
        self.account.created_at.to_datetime()
    }

    /// When it was last written.
    #[getter]
    fn updated_at(&self) -> Utc {
        self.account.updated_at.to_datetime()
    }

    /// The fields that the tenant added which say something, by key.
    #[getter]
    fn custom<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        custom::said(py, &self.account.fields.custom)
    }

    /// A custom field as an attribute.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        custom::said_of(
            name.py(),
            "an account",
            (&self.account.fields.custom, &self.known),
            &name.to_string_lossy(),
        )
    }

    /// Everything about the account by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("id", self.id())?;
        dict.set_item("number", self.number())?;
        dict.set_item("kind", self.kind())?;
        dict.set_item("name", self.name())?;
        dict.set_item("status", self.status())?;
        dict.set_item("email", texts(py, self.account.fields.emails.iter())?)?;
        dict.set_item("phone", texts(py, self.account.fields.phones.iter())?)?;
        dict.set_item("website", self.website())?;
        dict.set_item("street", self.street())?;
        dict.set_item("city", self.city())?;
        dict.set_item("state_region", self.state_region())?;
        dict.set_item("postal_code", self.postal_code())?;
        dict.set_item("country", self.country())?;
        dict.set_item("tax_id", self.tax_id())?;
        dict.set_item("currency", self.currency())?;
        dict.set_item("currency_symbol", self.account.fields.currency_symbol.as_deref())?;
        dict.set_item("industry", self.industry())?;
        dict.set_item("description", self.description())?;
        dict.set_item("owner", self.owner())?;
        dict.set_item("category", self.category.as_ref().map(|term| term.name.as_str()))?;
        dict.set_item("created_at", self.created_at())?;
        dict.set_item("updated_at", self.updated_at())?;
        custom::add(&dict, &self.account.fields.custom)?;
        Ok(dict)
    }

    fn __hash__(&self) -> u64 {
        let (high, low) = self.id().as_u64_pair();
        high ^ low ^ self.revision()
    }

    fn __repr__(&self) -> String {
        format!("<Account {}: {}>", self.account.number, self.name().escape_debug())
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
