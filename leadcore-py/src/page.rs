//! The page of a lead or an account: everything about it from one call.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::files::Attached;
use leadcore::desk::leads::LeadAction;
use leadcore::desk::page::{
    AccountPage, ChildRecord, Engagement, LeadPage, PageOptions, PageSection, Qualification, TabPage,
};
use leadcore::desk::series::Writing;
use leadcore::domain::{CatalogueKind, Estimate, Outcome, Pipeline, Tab};
use leadcore::error::{Result, ValueError, ViolationCode};
use leadcore::id::{AccountId, LeadId, UserId};
use leadcore::store::Txn;
use leadcore::time::Timestamp;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyTuple};

use crate::account_record::Account;
use crate::accounts::with_categories;
use crate::activity::{py_activity, py_subject};
use crate::arguments::Parts;
use crate::convert::{Id, Limit, Text, models, to_json};
use crate::custom::{self, Keys};
use crate::errors::{invalid, raise};
use crate::lead::Lead;
use crate::leads::named;
use crate::names::py_stage;
use crate::opportunities::{Besides, told_opportunity};
use crate::records::Contact;
use crate::services::told_service;
use crate::session::Session;
use crate::timeline::{Catalogues, catalogue_of, entries};
use crate::told::{told, told_lines};

/// What the page is to hold, as the package hands it over: first, timeline, tabs, users.
#[derive(Debug, Clone)]
pub(crate) struct Wanted(PageOptions);

impl<'a, 'py> FromPyObject<'a, 'py> for Wanted {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = obj.py();
        let mut parts = Parts::new(&obj)?;
        let (Limit(first), Limit(timeline)) = (parts.read("first")?, parts.read("timeline")?);
        let mut options = PageOptions::new().first(first).timeline(timeline);
        let tabs: Option<Vec<Text>> = parts.read("tabs")?;
        let users: Option<Vec<(Text, Text)>> = parts.read("users")?;
        if let Some(tabs) = tabs {
            let tabs = tabs.iter().enumerate().map(|(n, code)| {
                // What no kind can be called is refused here; what nothing is called, where the kinds are known.
                let broken =
                    || invalid(py, &format!("tabs[{n}]"), ViolationCode::Unknown, "there is no such tab");
                Tab::from_code(&code.0).ok_or_else(broken)
            });
            options = options.tabs(tabs.collect::<PyResult<Vec<_>>>()?);
        }
        let users = users.unwrap_or_default().into_iter().map(|(id, name)| Ok((UserId::new(id.0)?, name.0)));
        let users = users.collect::<std::result::Result<BTreeMap<_, _>, ValueError>>();
        let users = users.map_err(|error| raise(py, &error.at("users").into()))?;
        Ok(Self(options.users(users)))
    }
}

/// A page, and what its parts are called.
struct Read {
    page: LeadPage,
    lead: Lead,
    pipelines: Vec<Pipeline>,
    catalogue: Catalogues,
    all_tabs: Vec<Tab>,
    known: Known,
}

/// The custom fields that records of a page can be asked for.
struct Known {
    contact: Keys,
    opportunity: Besides,
    estimate: Writing<Estimate>,
}

impl Known {
    fn load(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        Ok(Self {
            contact: custom::keys(txn, CatalogueKind::Contact)?,
            opportunity: Besides::load(ctx, txn)?,
            estimate: desk::series::writing(ctx, txn)?,
        })
    }
}

fn read(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId, options: &PageOptions) -> Result<Read> {
    let page = desk::page::lead_page(ctx, txn, id, options)?;
    let lead = named(txn, page.lead.clone())?;
    let catalogue = catalogue_of(ctx, txn, &page.timeline.items)?;
    let all_tabs = desk::page::all_tabs(ctx, txn)?;
    Ok(Read {
        page,
        lead,
        pipelines: txn.pipelines().list()?,
        catalogue,
        all_tabs,
        known: Known::load(ctx, txn)?,
    })
}

/// The page of a lead.
#[pyfunction]
pub(crate) fn page_of_lead<'py>(
    py: Python<'py>,
    session: &Session,
    lead: Id,
    wanted: Wanted,
    mark_read: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (id, options) = (LeadId::from_uuid(lead.0), wanted.0.mark_read(mark_read));
    let work = move |ctx: &Context<'_>, txn: &mut dyn Txn| read(ctx, txn, id, &options);
    let read = if mark_read { session.write(py, work)? } else { session.read(py, work)? };
    py_lead_page(py, read)
}

fn py_lead_page(py: Python<'_>, read: Read) -> PyResult<Bound<'_, PyAny>> {
    let Read { page, lead, pipelines, catalogue, all_tabs, known } = read;
    let (classes, moves) = (classes(py)?, py.import("leadcore.moves")?);
    let rotting = page.idle.rotting_since.map(Timestamp::to_datetime);
    let visits = page.stages.iter().map(|visit| {
        let stage = pipelines.iter().find_map(|pipeline| pipeline.stage(visit.to));
        moves.getattr("StageVisit")?.call1((
            visit.to.as_uuid(),
            stage.map(|stage| py_stage(py, stage)).transpose()?,
            visit.entered.to_datetime(),
            visit.left.map(Timestamp::to_datetime),
            TimeDelta::seconds(i64::try_from(visit.seconds).unwrap_or(i64::MAX / 1_000)),
            visit.by.user().map(UserId::as_str),
            visit.operation.map(leadcore::id::OperationId::as_uuid),
        ))
    });
    let visits = visits.collect::<PyResult<Vec<_>>>()?;
    let dict = PyDict::new(py);
    dict.set_item("lead", lead)?;
    dict.set_item("sections", py_sections(&classes, &page.sections)?)?;
    dict.set_item("qualification", py_qualification(&classes, &page.qualification)?)?;
    dict.set_item("follow_up_state", page.follow_up_state.code())?;
    let idle = (page.idle.since.to_datetime(), page.idle.days, rotting);
    dict.set_item("idle", moves.getattr("Idle")?.call1(idle)?)?;
    dict.set_item("is_unread", page.is_unread)?;
    dict.set_item("actions", PyTuple::new(py, page.actions.into_iter().map(LeadAction::code))?)?;
    dict.set_item("tabs", py_tabs(&classes, &page.tabs, &known)?)?;
    dict.set_item("attachments", py_attachments(&classes, &page.attachments)?)?;
    dict.set_item("contacts", PyTuple::new(py, Contact::linked(page.contacts, &known.contact))?)?;
    dict.set_item("history", PyTuple::new(py, visits)?)?;
    let lines = page.lines.as_ref().map(|list| py_told(py, "lines", &told_lines(list)));
    dict.set_item("lines", lines.transpose()?)?;
    dict.set_item("followers", py_told(py, "followers", &page.followers)?)?;
    dict.set_item("tab_names", PyTuple::new(py, all_tabs.iter().map(Tab::code))?)?;
    let next = page.timeline.next.map(|next| next.0);
    dict.set_item("timeline", py_page(py, entries(py, &catalogue, &page.timeline.items)?, next)?)?;
    classes.getattr("LeadPage")?.call((), Some(&dict))
}

/// The page of an account.
#[pyfunction]
pub(crate) fn page_of_account<'py>(
    py: Python<'py>,
    session: &Session,
    account: Id,
    wanted: Wanted,
) -> PyResult<Bound<'py, PyAny>> {
    let id = AccountId::from_uuid(account.0);
    let (page, account, catalogue, all_tabs, known) = session.read(py, move |ctx, txn| {
        let page = desk::page::account_page(ctx, txn, id, &wanted.0)?;
        let account = with_categories(ctx, txn, vec![page.account.clone()])?.pop();
        let account = account.ok_or_else(|| leadcore::error::Error::not_found("account"))?;
        let catalogue = catalogue_of(ctx, txn, &page.timeline.items)?;
        let all_tabs = desk::page::all_tabs(ctx, txn)?;
        Ok((page, account, catalogue, all_tabs, Known::load(ctx, txn)?))
    })?;
    py_account_page(py, page, account, &catalogue, (&all_tabs, &known))
}

fn py_account_page<'py>(
    py: Python<'py>,
    page: AccountPage,
    account: Account,
    catalogue: &Catalogues,
    (all_tabs, known): (&[Tab], &Known),
) -> PyResult<Bound<'py, PyAny>> {
    let (classes, dict) = (classes(py)?, PyDict::new(py));
    dict.set_item("account", account)?;
    dict.set_item("lead_ids", PyTuple::new(py, page.origins.iter().map(|id| id.as_uuid()))?)?;
    dict.set_item("engagement", py_engagement(&classes, &page.engagement)?)?;
    dict.set_item("tabs", py_tabs(&classes, &page.tabs, known)?)?;
    dict.set_item("attachments", py_attachments(&classes, &page.attachments)?)?;
    dict.set_item("contacts", PyTuple::new(py, Contact::linked(page.contacts, &known.contact))?)?;
    dict.set_item("followers", py_told(py, "followers", &page.followers)?)?;
    dict.set_item("tab_names", PyTuple::new(py, all_tabs.iter().map(Tab::code))?)?;
    let next = page.timeline.next.map(|next| next.0);
    dict.set_item("timeline", py_page(py, entries(py, catalogue, &page.timeline.items)?, next)?)?;
    classes.getattr("AccountPage")?.call((), Some(&dict))
}

fn classes(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("leadcore.pages")
}

fn py_page<'py>(
    py: Python<'py>,
    items: Vec<Bound<'py, PyAny>>,
    next: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let next = next.map(|next| next.to_string());
    models(py)?.getattr("Page")?.call1((PyTuple::new(py, items)?, next))
}

fn py_sections<'py>(
    classes: &Bound<'py, PyModule>,
    sections: &[PageSection],
) -> PyResult<Bound<'py, PyTuple>> {
    let (py, cell) = (classes.py(), classes.getattr("Cell")?);
    let sections = sections.iter().map(|section| {
        let cells = section.cells.iter();
        let cells = cells.map(|it| cell.call1((it.field.key(), it.label.as_str(), it.text.as_str())));
        let cells = PyTuple::new(py, cells.collect::<PyResult<Vec<_>>>()?)?;
        classes.getattr("PageSection")?.call1((section.key.as_str(), section.label.as_str(), cells))
    });
    PyTuple::new(py, sections.collect::<PyResult<Vec<_>>>()?)
}

fn py_engagement<'py>(classes: &Bound<'py, PyModule>, all: &[Engagement]) -> PyResult<Bound<'py, PyTuple>> {
    let class = classes.getattr("Engagement")?;
    let all = all
        .iter()
        .map(|one| class.call1((one.tab.code(), one.total, one.open, one.last.map(Timestamp::to_datetime))));
    PyTuple::new(classes.py(), all.collect::<PyResult<Vec<_>>>()?)
}

fn py_qualification<'py>(classes: &Bound<'py, PyModule>, one: &Qualification) -> PyResult<Bound<'py, PyAny>> {
    classes.getattr("Qualification")?.call1((
        one.pipeline.as_str(),
        one.stage.as_str(),
        one.state.code(),
        one.outcome.map(Outcome::code),
        one.reason.as_deref(),
        one.reason_detail.as_deref(),
        py_engagement(classes, &one.engagement)?,
    ))
}

fn py_tabs<'py>(
    classes: &Bound<'py, PyModule>,
    tabs: &[TabPage],
    known: &Known,
) -> PyResult<Bound<'py, PyTuple>> {
    let (py, class) = (classes.py(), classes.getattr("TabPage")?);
    let tabs = tabs.iter().map(|tab| {
        let items = tab.items.iter().map(|child| py_child(py, child, known)).collect::<PyResult<Vec<_>>>()?;
        let next = tab.next.map(|next| to_json(py, &next)).transpose()?;
        class.call1((tab.tab.code(), tab.total, tab.open, PyTuple::new(py, items)?, next))
    });
    PyTuple::new(py, tabs.collect::<PyResult<Vec<_>>>()?)
}

/// What is attached to what.
fn py_attachments<'py>(classes: &Bound<'py, PyModule>, all: &[Attached]) -> PyResult<Bound<'py, PyTuple>> {
    let (py, class) = (classes.py(), classes.getattr("Attached")?);
    let all = all.iter().map(|one| {
        let files = one.files.iter().map(|file| py_told(py, "file", file));
        let files = PyTuple::new(py, files.collect::<PyResult<Vec<_>>>()?)?;
        class.call1((py_subject(py, &one.of)?, one.total, files))
    });
    PyTuple::new(py, all.collect::<PyResult<Vec<_>>>()?)
}

/// A child as its class.
fn py_child<'py>(py: Python<'py>, child: &ChildRecord, known: &Known) -> PyResult<Bound<'py, PyAny>> {
    match child {
        ChildRecord::Activity(activity) => py_activity(py, activity),
        ChildRecord::Lines(list) => py_told(py, "lines", &told_lines(list)),
        ChildRecord::Estimate(estimate) => py_told(py, "estimate", &told(estimate, &known.estimate)),
        ChildRecord::Opportunity(one) => {
            py_told(py, "opportunity", &told_opportunity(one, &known.opportunity))
        }
        ChildRecord::Service(one) => py_told(py, "service", &told_service(one)),
        ChildRecord::File(file) => py_told(py, "file", file),
        ChildRecord::Record(record) => py_told(py, "record", record),
        other => py.import("json")?.call_method1("loads", (to_json(py, other)?,)),
    }
}

/// Something that the package's Python half reads from JSON, as what that makes of it.
fn py_told<'py>(py: Python<'py>, what: &str, told: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    py.import("leadcore.children")?.call_method1("read", (what, to_json(py, told)?))
}
