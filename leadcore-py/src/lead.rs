//! The lead as a Python object: a frozen view of the core's record, its attributes made when they are asked for.

use std::sync::Arc;

use leadcore::domain::{self, Field, FieldValue};
use leadcore::time::Timestamp;
use leadcore::value::{PersonName, Phone, TaxId, Website};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy, PyString, PyTuple};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::convert::{Text, from_json, models, to_json, to_python};
use crate::custom;
use crate::names::{Names, py_pipeline, py_stage, py_term};

type Utc = chrono::DateTime<chrono::Utc>;

/// A lead as it was when it was read.
///
/// Leads are values: frozen, equal when everything is equal, with a hash, and safe to pickle and copy. To change one,
/// hand it to `db.leads.edit`, which returns the new one.
#[pyclass(frozen, eq, module = "leadcore._leadcore")]
#[derive(Debug)]
pub(crate) struct Lead {
    lead: domain::Lead,
    names: Arc<Names>,
}

impl PartialEq for Lead {
    fn eq(&self, other: &Self) -> bool {
        self.lead == other.lead
    }
}

impl Lead {
    pub(crate) const fn new(lead: domain::Lead, names: Arc<Names>) -> Self {
        Self { lead, names }
    }

    pub(crate) const fn inner(&self) -> &domain::Lead {
        &self.lead
    }

    fn term<'py>(&self, py: Python<'py>, id: Option<Uuid>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let term = id.and_then(|id| self.names.term(id));
        term.map(|(kind, term)| py_term(py, *kind, term)).transpose()
    }

    /// What `to_dict` says for one field: names instead of ids, so that it can be handed to `create`.
    fn entry<'py>(&self, py: Python<'py>, field: &Field) -> PyResult<Bound<'py, PyAny>> {
        let name = |value: &FieldValue| match value {
            FieldValue::Id(id) => self.names.term(*id).map(|(_, term)| term.name.as_str().into()),
            _ => None,
        };
        match field {
            Field::Stage => Ok(self.names.stage(self.lead.stage).map(|it| &it.name).into_pyobject(py)?),
            Field::Pipeline => Ok(self.names.pipeline(&self.lead).map(|it| &it.name).into_pyobject(py)?),
            field => match field.read(&self.lead) {
                FieldValue::List(list) => {
                    let shown = list.into_iter().map(|item| name(&item).unwrap_or(item));
                    to_python(py, &FieldValue::List(shown.collect()))
                }
                FieldValue::Empty if field.is_multiple() => to_python(py, &FieldValue::List(Vec::new())),
                value => to_python(py, &name(&value).unwrap_or(value)),
            },
        }
    }
}

#[pymethods]
impl Lead {
    /// The id: stable for ever.
    #[getter]
    fn id(&self) -> Uuid {
        self.lead.id.as_uuid()
    }

    /// The number that people say: counts up from 1 in each tenant.
    #[getter]
    fn number(&self) -> u64 {
        self.lead.number
    }

    /// How often the lead was written. An edit with this object is refused when the stored one is higher.
    #[getter]
    fn revision(&self) -> u64 {
        self.lead.revision.get()
    }

    /// `open`, `disqualified` or `converted`.
    #[getter]
    fn state(&self) -> &'static str {
        self.lead.state().code()
    }

    /// `company` or `consumer`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.lead.fields.kind.code()
    }

    /// What people call the lead: the company, else the person, else the first e-mail or phone.
    #[getter]
    fn display_name(&self) -> Option<&str> {
        self.lead.fields.display_name()
    }

    /// Company name.
    #[getter]
    fn company(&self) -> Option<&str> {
        self.lead.fields.company.as_deref()
    }

    /// The person's full name: the lead itself, or who speaks for the company.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.lead.fields.person.as_ref().map(PersonName::full)
    }

    /// The person's given name.
    #[getter]
    fn first_name(&self) -> Option<&str> {
        self.lead.fields.person.as_ref().and_then(PersonName::given)
    }

    /// The person's family name.
    #[getter]
    fn last_name(&self) -> Option<&str> {
        self.lead.fields.person.as_ref().and_then(PersonName::family)
    }

    /// How to address the person (`Dr.`).
    #[getter]
    fn salutation(&self) -> Option<&str> {
        self.lead.fields.person.as_ref().and_then(PersonName::prefix)
    }

    /// The person's position in the company.
    #[getter]
    fn job_title(&self) -> Option<&str> {
        self.lead.fields.job_title.as_deref()
    }

    /// The primary e-mail address.
    #[getter]
    fn email(&self) -> Option<&str> {
        self.lead.fields.emails.primary().map(leadcore::value::Email::as_str)
    }

    /// All e-mail addresses, the primary one first.
    #[getter]
    fn emails<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        custom::emails(py, &self.lead.fields.emails)
    }

    /// The primary phone number.
    #[getter]
    fn phone(&self) -> Option<String> {
        self.lead.fields.phones.primary().map(ToString::to_string)
    }

    /// All phone numbers, the primary one first.
    #[getter]
    fn phones<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        custom::phones(py, &self.lead.fields.phones)
    }

    /// The primary phone number in E.164 form (`+4722222222`); none where it has none.
    #[getter]
    fn phone_e164(&self) -> Option<&str> {
        self.lead.fields.phones.primary().and_then(Phone::e164)
    }

    /// All phone numbers in E.164 form, in the order of `phones`; none for one that has no such form.
    #[getter]
    fn phones_e164<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.lead.fields.phones.iter().map(Phone::e164))
    }

    /// Web site.
    #[getter]
    fn website(&self) -> Option<&str> {
        self.lead.fields.website.as_ref().map(Website::as_str)
    }

    /// Street and house number.
    #[getter]
    fn street(&self) -> Option<&str> {
        self.lead.fields.address.street()
    }

    /// City.
    #[getter]
    fn city(&self) -> Option<&str> {
        self.lead.fields.address.city()
    }

    /// State, province or region.
    #[getter]
    fn state_region(&self) -> Option<&str> {
        self.lead.fields.address.state()
    }

    /// Zip or postal code.
    #[getter]
    fn postal_code(&self) -> Option<&str> {
        self.lead.fields.address.postal_code()
    }

    /// Country, ISO 3166-1 alpha-2.
    #[getter]
    fn country(&self) -> Option<String> {
        self.lead.fields.address.country().map(|country| country.code().to_owned())
    }

    /// Tax number.
    #[getter]
    fn tax_id(&self) -> Option<&str> {
        self.lead.fields.tax_id.as_ref().map(TaxId::as_str)
    }

    /// Currency, ISO 4217.
    #[getter]
    fn currency(&self) -> Option<String> {
        self.lead.fields.currency.map(|currency| currency.code().to_owned())
    }

    /// The symbol to print before an amount: the lead's own, else the currency's.
    #[getter]
    fn currency_symbol(&self) -> Option<String> {
        self.lead.fields.symbol()
    }

    /// What the lead may be worth, in `currency`.
    #[getter]
    fn amount(&self) -> Option<Decimal> {
        self.lead.fields.amount
    }

    /// The chance to win in percent, where it differs from the stage's.
    #[getter]
    fn probability(&self) -> Option<u8> {
        self.lead.fields.probability
    }

    /// The day on which it may be won.
    #[getter]
    fn expected_close(&self) -> Option<chrono::NaiveDate> {
        self.lead.fields.expected_close.map(leadcore::time::Date::to_naive)
    }

    /// How promising it is, by a number of the tenant's own.
    #[getter]
    fn score(&self) -> Option<i32> {
        self.lead.fields.score
    }

    /// When somebody has to turn to it next, because of a task, call or meeting that is open.
    #[getter]
    fn follow_up<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.lead.follow_up.map(|next| crate::activity::py_moment(py, next.moment())).transpose()
    }

    /// Line of business.
    #[getter]
    fn industry(&self) -> Option<&str> {
        self.lead.fields.industry.as_deref()
    }

    /// The campaign that brought it.
    #[getter]
    fn campaign(&self) -> Option<&str> {
        self.lead.fields.campaign.as_deref()
    }

    /// Anything else worth knowing.
    #[getter]
    fn description(&self) -> Option<&str> {
        self.lead.fields.description.as_deref()
    }

    /// The user responsible.
    #[getter]
    fn owner(&self) -> Option<&str> {
        self.lead.fields.owner.as_ref().map(leadcore::id::UserId::as_str)
    }

    /// Where the lead came from.
    #[getter]
    fn source<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.term(py, self.lead.fields.source.map(|id| id.as_uuid()))
    }

    /// What kind of lead it is.
    #[getter]
    fn category<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.term(py, self.lead.fields.category.map(|id| id.as_uuid()))
    }

    /// The place it belongs to.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.term(py, self.lead.fields.location.map(|id| id.as_uuid()))
    }

    /// The reseller or unit it belongs to.
    #[getter]
    fn partner<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.term(py, self.lead.fields.partner.map(|id| id.as_uuid()))
    }

    /// Labels.
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let labels = self.lead.fields.labels.iter();
        let labels = labels.filter_map(|id| self.term(py, Some(id.as_uuid())).transpose());
        PyTuple::new(py, labels.collect::<PyResult<Vec<_>>>()?)
    }

    /// What other systems call this lead, each as `system:id`.
    #[getter]
    fn external_ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.lead.fields.external_ids.iter().map(ToString::to_string))
    }

    /// The pipeline of the stage.
    #[getter]
    fn pipeline<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.names.pipeline(&self.lead).map(|pipeline| py_pipeline(py, pipeline)).transpose()
    }

    /// The stage it is in; changed by `db.leads.move`.
    #[getter]
    fn stage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.names.stage(self.lead.stage).map(|stage| py_stage(py, stage)).transpose()
    }

    /// Since when it is in its stage.
    #[getter]
    fn stage_entered_at(&self) -> Utc {
        self.lead.stage_entered_at.to_datetime()
    }

    /// Since when nothing happened: the later of entering the stage and the last activity.
    #[getter]
    fn active_at(&self) -> Utc {
        self.lead.active_at.to_datetime()
    }

    /// Its place among the cards of its stage: texts in the order of the cards.
    #[getter]
    fn rank(&self) -> &str {
        self.lead.rank.as_str()
    }

    /// How it ended, while it is won, lost or disqualified.
    #[getter]
    fn closing<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(closing) = &self.lead.closing else { return Ok(None) };
        let reason = self.term(py, closing.reason)?;
        let arguments = (closing.outcome.code(), closing.at.to_datetime(), reason, closing.detail.as_deref());
        models(py)?.getattr("Closing")?.call1(arguments).map(Some)
    }

    /// When it was created.
    #[getter]
    fn created_at(&self) -> Utc {
        self.lead.created_at.to_datetime()
    }

    /// When it was last written.
    #[getter]
    fn updated_at(&self) -> Utc {
        self.lead.updated_at.to_datetime()
    }

    /// When it was converted, if it was.
    #[getter]
    fn converted_at(&self) -> Option<Utc> {
        self.lead.conversion.as_ref().map(|done| done.at).map(Timestamp::to_datetime)
    }

    /// The id of the account it became, if it was converted.
    #[getter]
    fn account_id(&self) -> Option<Uuid> {
        self.lead.conversion.as_ref().and_then(|done| done.account).map(|account| account.as_uuid())
    }

    /// When it was put into the trash, while it is there.
    #[getter]
    fn deleted_at(&self) -> Option<Utc> {
        self.lead.trashed.as_ref().map(|trashed| trashed.at.to_datetime())
    }

    /// The fields that the tenant added, each by its key; none where the lead has no value.
    #[getter]
    fn custom<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        custom::mapping(py, &self.lead, &self.names)
    }

    /// A custom field as an attribute: `lead.x_budget`.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        custom::attribute(name.py(), &self.lead, &self.names, &name.to_string_lossy())
    }

    /// Every field by its key, custom ones too, with names for sources, stages and the like.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        Field::ALL.iter().try_for_each(|field| dict.set_item(field.key(), self.entry(py, field)?))?;
        dict.update(custom::dict(py, &self.lead, &self.names)?.as_mapping())?;
        Ok(dict)
    }

    fn __hash__(&self) -> u64 {
        let (high, low) = self.lead.id.as_uuid().as_u64_pair();
        high ^ low ^ self.lead.revision.get()
    }

    /// Number and name: enough to tell leads apart, and no e-mail or phone for a log to keep.
    fn __repr__(&self) -> String {
        let fields = &self.lead.fields;
        let name = fields.company.as_deref().or_else(|| fields.person.as_ref().map(PersonName::full));
        match name {
            Some(name) => format!("<Lead {}: {}>", self.lead.number, name.escape_debug()),
            None => format!("<Lead {}>", self.lead.number),
        }
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let (py, it) = (slf.py(), slf.get());
        let json = to_json(py, &(&it.lead, it.names.of(&it.lead)))?;
        Ok((slf.get_type().getattr("_restore")?, (json,)))
    }

    #[staticmethod]
    fn _restore(py: Python<'_>, state: Text) -> PyResult<Self> {
        let (lead, names) = from_json(py, "state", &state.0)?;
        Ok(Self { lead, names: Arc::new(names) })
    }
}
