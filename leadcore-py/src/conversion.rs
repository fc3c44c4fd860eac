//! Conversion: plans, the steps of the wizard, carrying out, the way back.

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::Expect;
use leadcore::desk::convert::{
    AsSaid, ConversionOptions, ConversionOutcome, ConversionPlan, ConversionTarget, CustomerType,
    EstimateChoice, OpportunityChoice, OpportunityEnding, OpportunityRequest, PlannedService,
    UnconvertOutcome, UnconvertPlan, Unconvertible,
};
use leadcore::desk::mass::Selection;
use leadcore::domain::{ServiceFields, ServiceOrigin};
use leadcore::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use leadcore::id::{IdempotencyKey, LeadId, LostReasonId, NumberSeriesId, OpportunityId};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arguments::Parts;
use crate::conversion_words::words;
use crate::convert::{Id, LeadArg, Named, Text, from_json, from_json_named, to_json};
use crate::customer_form::GivenCustomer;
use crate::errors::{raise, renamed};
use crate::estimates::named;
use crate::given::Given;
use crate::mass::Select;
use crate::moves;
use crate::opportunities::{Own, own_fields, patch, with_own};
use crate::services::{of_service, service_fields};
use crate::session::Session;
use crate::targets::Targets;
use crate::told::told_lines;

/// The opportunity of a conversion as the package writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GivenOpportunity {
    None,
    Existing(OpportunityId),
    New(GivenRequest),
}

#[derive(Debug, Deserialize)]
struct GivenRequest {
    fields: Given,
    ending: OpportunityEnding,
    /// Why it was lost, where that is said by its name.
    reason: Option<String>,
    series: Option<NumberSeriesId>,
}

/// What the caller decides, as the package hands it over: the options, the opportunity apart, and what is said of its custom
/// fields, which the catalogue reads once the store is there.
#[derive(Debug)]
pub(crate) struct Decided {
    options: ConversionOptions,
    own: Own,
    reason: Option<String>,
    customer: GivenCustomer,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Decided {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let (py, mut parts) = (obj.py(), Parts::new(&obj)?);
        let (options, opportunity): (Text, Text) = (parts.read("options")?, parts.read("opportunity")?);
        let options: ConversionOptions = from_json(py, "options", &options.0)?;
        let own = own_fields(parts.any()?.cast::<PyDict>()?, "opportunity.")?;
        let (account, contact, persons) = (parts.any()?, parts.any()?, parts.any()?);
        let (account, contact) = (account.cast::<PyDict>()?, contact.cast::<PyDict>()?);
        let customer = GivenCustomer::new(account, contact, persons.cast::<PyDict>()?)?;
        let mut reason = None;
        let opportunity = match from_json(py, "opportunity", &opportunity.0)? {
            GivenOpportunity::None => OpportunityChoice::None,
            GivenOpportunity::Existing(id) => OpportunityChoice::Existing(id),
            GivenOpportunity::New(GivenRequest { fields, ending, reason: named, series }) => {
                reason = named;
                let patch = patch(&fields).map_err(|error| raise(py, &of_opportunity(error)))?;
                let request = OpportunityRequest::new().with(patch).ended(ending);
                let request = series.map_or(request.clone(), |series| request.series(series));
                OpportunityChoice::New(Box::new(request))
            }
        };
        Ok(Self { options: options.opportunity(opportunity), own, reason, customer })
    }
}

pub(crate) fn of_opportunity(error: Error) -> Error {
    renamed(error, |field| Some(format!("opportunity.{field}")))
}

impl Decided {
    /// With the revision that the caller read.
    fn at(self, lead: LeadArg) -> Self {
        match lead.expect {
            Expect::Revision(revision) => Self { options: self.options.at_revision(revision), ..self },
            Expect::Any => self,
        }
    }

    /// Whether the caller named the call.
    pub(crate) const fn has_key(&self) -> bool {
        self.options.key.is_some()
    }

    /// The options, with the custom fields as the catalogue of opportunities reads them. Under a key they are told as they were said
    /// too, and what cannot be read of them is for the desk to judge: the key may have its answer already.
    pub(crate) fn read(&self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<ConversionOptions> {
        let mut options = self.options.clone();
        options.contact_fields = self.customer.contact.clone();
        options.person_fields = self.customer.persons.clone();
        if !self.has_key() {
            return self.by_names(ctx, txn, options);
        }
        let opportunity = (options.opportunity.clone(), self.own.clone(), self.reason.clone());
        let said = words(ctx, txn, &self.customer, &opportunity)?;
        match self.by_names(ctx, txn, options.clone()) {
            Ok(options) => Ok(options.as_said(said)),
            Err(error) => Ok(options.as_said(unread(said, error)?)),
        }
    }

    /// The same for the leads that were chosen, of which a filter may name some.
    pub(crate) fn read_for(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        select: &Select,
    ) -> Result<(Selection, ConversionOptions)> {
        let mut options = self.read(ctx, txn)?;
        let Select::Matching(filter, expected) = select else { return Ok((select.resolve(txn)?, options)) };
        let Some(said) = options.said.take() else { return Ok((select.resolve(txn)?, options)) };
        let said = said.part("leads", filter)?;
        match select.resolve(txn) {
            Ok(selection) => Ok((selection, options.as_said(said))),
            Err(error) => {
                let selection = Selection::Filter { filter: filter.clone(), expected: *expected };
                Ok((selection, options.as_said(unread(said, error)?)))
            }
        }
    }

    /// The same for a new opportunity, with what its own fields say.
    pub(crate) fn read_with(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        fields: &impl Serialize,
        read: Result<()>,
    ) -> Result<ConversionOptions> {
        let mut options = self.read(ctx, txn)?;
        let Some(said) = options.said.take() else { return read.map(|()| options) };
        let said = said.part("fields", fields)?;
        match read {
            Ok(()) => Ok(options.as_said(said)),
            Err(error) => Ok(options.as_said(unread(said, error)?)),
        }
    }

    /// With records for their names.
    fn by_names(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        mut options: ConversionOptions,
    ) -> Result<ConversionOptions> {
        options.account_fields = self.customer.account_by(txn)?;
        if let OpportunityChoice::New(request) = &mut options.opportunity {
            let patch = std::mem::take(&mut request.patch);
            request.patch = with_own(ctx, txn, patch, &self.own, None).map_err(of_opportunity)?;
            if let (OpportunityEnding::Lost { reason, .. }, Some(name)) = (&mut request.ending, &self.reason)
            {
                let name = Named::Name(name.clone());
                let found = moves::reason::<LostReasonId>(ctx, txn, "reason", Some(&name));
                *reason = found.map_err(of_opportunity)?;
            }
        }
        Ok(options)
    }
}

/// What was said, with what could not be read of it. Any other error ends the call.
fn unread(said: AsSaid, error: Error) -> Result<AsSaid> {
    match error.kind() {
        ErrorKind::Invalid => Ok(said.unread(error.violations().to_vec())),
        _ => Err(error),
    }
}

/// The plan of a conversion, as JSON.
#[pyfunction]
pub(crate) fn conversion_plan(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    decided: Decided,
) -> PyResult<String> {
    let decided = decided.at(lead);
    let plan = session.read(py, move |ctx, txn| {
        let options = decided.read(ctx, txn)?;
        desk::convert::plan(ctx, txn, lead.id, &options).map_err(named)
    })?;
    to_json(py, &plan)
}

/// What a conversion did, as JSON, and whether this call did it.
type Done = (String, bool);

fn done(py: Python<'_>, outcome: &ConversionOutcome) -> PyResult<Done> {
    Ok((to_json(py, outcome)?, outcome.newly_converted))
}

/// Plans and applies in one call. With targets it takes an open transaction.
#[pyfunction]
pub(crate) fn conversion_convert(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    decided: Decided,
    targets: Option<Targets>,
) -> PyResult<Done> {
    let decided = decided.at(lead);
    let convert = move |ctx: &Context<'_>, txn: &mut dyn Txn, hosts: &[&dyn ConversionTarget]| {
        let options = decided.read(ctx, txn)?;
        desk::convert::convert_with(ctx, txn, lead.id, &options, hosts).map_err(named)
    };
    let outcome = match targets {
        None => session.write(py, move |ctx, txn| convert(ctx, txn, &[]))?,
        Some(targets) => targets.write(py, session, convert)?,
    };
    done(py, &outcome)
}

/// Carries a plan out, once. With targets it takes an open transaction.
#[pyfunction]
pub(crate) fn conversion_apply(
    py: Python<'_>,
    session: &Session,
    plan: Text,
    targets: Option<Targets>,
) -> PyResult<Done> {
    let plan: ConversionPlan = from_json_named(py, "plan", &plan.0)?;
    let outcome = match targets {
        None => {
            session.write(py, move |ctx, txn| desk::convert::apply(ctx, txn, &plan).map_err(of_services))?
        }
        Some(targets) => targets.write(py, session, move |ctx, txn, hosts| {
            desk::convert::apply_with(ctx, txn, &plan, hosts).map_err(of_services)
        })?,
    };
    done(py, &outcome)
}

/// Whether this is the JSON of a plan.
#[pyfunction]
pub(crate) fn conversion_check(py: Python<'_>, plan: Text) -> PyResult<()> {
    from_json_named::<ConversionPlan>(py, "plan", &plan.0).map(drop)
}

/// What a plan tells of what it would do, as JSON: the links that it adds, the document, and the products of the lead.
#[pyfunction]
pub(crate) fn conversion_told(py: Python<'_>, plan: Text) -> PyResult<String> {
    let plan: ConversionPlan = from_json_named(py, "plan", &plan.0)?;
    let products = plan.products.as_ref().map(told_lines);
    let told =
        serde_json::json!({ "links": plan.links(), "document": plan.document(), "products": products });
    to_json(py, &told)
}

pub(crate) fn step(
    py: Python<'_>,
    plan: &Text,
    step: impl FnOnce(ConversionPlan) -> Result<ConversionPlan>,
) -> PyResult<String> {
    let plan: ConversionPlan = from_json_named(py, "plan", &plan.0)?;
    to_json(py, &step(plan).map_err(|error| raise(py, &of_services(error)))?)
}

/// Step 1 of the wizard: from plan to plan, both as JSON.
#[pyfunction]
pub(crate) fn conversion_estimates(py: Python<'_>, plan: Text, choice: Text) -> PyResult<String> {
    let choice: EstimateChoice = from_json(py, "estimates", &choice.0)?;
    step(py, &plan, |plan| plan.choose_estimates(&choice))
}

/// Step 2 of the wizard.
#[pyfunction]
pub(crate) fn conversion_customer(
    py: Python<'_>,
    plan: Text,
    customer: Text,
    convert_now: bool,
    account: &Bound<'_, PyDict>,
    contact: &Bound<'_, PyDict>,
    persons: &Bound<'_, PyDict>,
) -> PyResult<String> {
    let customer: CustomerType = from_json(py, "customer", &customer.0)?;
    let said = GivenCustomer::new(account, contact, persons)?;
    step(py, &plan, |plan| {
        let plan = plan.customer_fields(&said.account(), &said.contact)?.person_fields(&said.persons)?;
        plan.customer_information(customer, convert_now)
    })
}

/// Step 2, the numbers: in another series.
#[pyfunction]
pub(crate) fn conversion_series(py: Python<'_>, plan: Text, series: Id) -> PyResult<String> {
    step(py, &plan, |plan| plan.number_in(NumberSeriesId::from_uuid(series.0)))
}

/// Step 2, without the opportunity.
#[pyfunction]
pub(crate) fn conversion_no_opportunity(py: Python<'_>, plan: Text) -> PyResult<String> {
    step(py, &plan, |plan| Ok(plan.without_opportunity()))
}

/// Step 3 of the wizard.
#[pyfunction]
pub(crate) fn conversion_services(py: Python<'_>, plan: Text, services: Text) -> PyResult<String> {
    let given: Vec<Given> = from_json(py, "services", &services.0)?;
    let (mut services, mut broken) = (Vec::with_capacity(given.len()), Vec::new());
    for (n, one) in given.into_iter().enumerate() {
        match service(one) {
            Ok(service) => services.push(service),
            Err(error) => broken.extend(
                error
                    .violations()
                    .iter()
                    .map(|one| Violation { field: format!("services[{n}].{}", one.field), ..one.clone() }),
            ),
        }
    }
    if !broken.is_empty() {
        return Err(raise(py, &Error::invalid(broken)));
    }
    step(py, &plan, |plan| plan.edit_services(services))
}

fn service(mut given: Given) -> Result<PlannedService> {
    let origin = given.remove("origin").unwrap_or(Value::Null);
    let origin: Option<ServiceOrigin> = serde_json::from_value(origin).map_err(|_| {
        Error::invalid_field("origin", ViolationCode::Malformed, "this is an estimate and a position in it")
    })?;
    let fields: ServiceFields = service_fields(&given)?;
    Ok(PlannedService { fields, origin })
}

/// The error with the fields of services as they are written in Python.
fn of_services(error: Error) -> Error {
    renamed(named(error), |field| {
        let (n, rest) = field.strip_prefix("services[")?.split_once("].")?;
        Some(format!("services[{n}].{}", of_service(rest)?))
    })
}

/// What taking a conversion back would do, as JSON.
#[pyfunction]
pub(crate) fn unconversion_plan(py: Python<'_>, session: &Session, lead: Id) -> PyResult<String> {
    let lead = LeadId::from_uuid(lead.0);
    let plan = session.read(py, move |ctx, txn| desk::convert::plan_unconvert(ctx, txn, lead))?;
    to_json(py, &plan)
}

/// A condition as JSON, and its field, code and message.
type PyUnmet = (String, (String, &'static str, String));

/// What keeps the lead of a plan out of its stage: each as JSON, with field, code and message.
#[pyfunction]
pub(crate) fn unconversion_unmet(py: Python<'_>, plan: Text) -> PyResult<Vec<PyUnmet>> {
    let plan: UnconvertPlan = from_json(py, "plan", &plan.0)?;
    let mut told = Vec::new();
    for blocker in &plan.blockers {
        if let Unconvertible::Stage { unmet } = blocker {
            for unmet in unmet {
                let broken = unmet.violation();
                told.push((to_json(py, unmet)?, (broken.field, broken.code.code(), broken.message)));
            }
        }
    }
    Ok(told)
}

fn undone(py: Python<'_>, outcome: &UnconvertOutcome) -> PyResult<Done> {
    Ok((to_json(py, outcome)?, outcome.newly_unconverted))
}

/// Takes a conversion back as a plan says, once. With targets it takes an open transaction.
#[pyfunction]
pub(crate) fn unconversion_apply(
    py: Python<'_>,
    session: &Session,
    plan: Text,
    targets: Option<Targets>,
) -> PyResult<Done> {
    let plan: UnconvertPlan = from_json(py, "plan", &plan.0)?;
    let outcome = match targets {
        None => session.write(py, move |ctx, txn| desk::convert::apply_unconvert(ctx, txn, &plan))?,
        Some(targets) => targets.write(py, session, move |ctx, txn, hosts| {
            desk::convert::apply_unconvert_with(ctx, txn, &plan, hosts)
        })?,
    };
    undone(py, &outcome)
}

/// Plans and takes back in one call. With targets it takes an open transaction.
#[pyfunction]
pub(crate) fn unconversion_do(
    py: Python<'_>,
    session: &Session,
    lead: Id,
    targets: Option<Targets>,
    key: Option<Text>,
) -> PyResult<Done> {
    let lead = LeadId::from_uuid(lead.0);
    let key = key.map(|Text(key)| IdempotencyKey::new(&key)).transpose();
    let key = key.map_err(|error| raise(py, &error.at("key").into()))?;
    let outcome = match targets {
        None => session.write(py, move |ctx, txn| match &key {
            Some(key) => desk::convert::unconvert_once(ctx, txn, lead, key),
            None => desk::convert::unconvert(ctx, txn, lead),
        })?,
        Some(targets) => targets.write(py, session, move |ctx, txn, hosts| match &key {
            Some(key) => desk::convert::unconvert_once_with(ctx, txn, lead, key, hosts),
            None => desk::convert::unconvert_with(ctx, txn, lead, hosts),
        })?,
    };
    undone(py, &outcome)
}
