//! Conversion, and the accounts that it makes.

use leadcore::desk;
use leadcore::desk::convert::{AccountChoice, ConversionOptions, ConversionOutcome, ConversionPlan};
use leadcore::domain::{self, AccountPatch, AccountStatus, TermKind};
use leadcore::error::{Result, ViolationCode};
use leadcore::id::{AccountId, CategoryId, ContactId};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::convert::{AccountArg, Count, Id, LeadArg, Limit, Text, fields, from_json, models, to_json};
use crate::errors::invalid;
use crate::lead::Lead;
use crate::leads::named_all;
use crate::names::resolve_fields;
use crate::records::Account;
use crate::session::Session;

pub(crate) fn with_categories(txn: &mut dyn Txn, accounts: Vec<domain::Account>) -> Result<Vec<Account>> {
    let mut ids: Vec<_> =
        accounts.iter().filter_map(|it| it.fields.category).map(CategoryId::as_uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    let terms = if ids.is_empty() { Vec::new() } else { txn.terms().get(TermKind::Category, &ids)? };
    let accounts = accounts.into_iter().map(|account| {
        let id = account.fields.category.map(CategoryId::as_uuid);
        let category =
            terms.iter().find(|record| Some(record.term.id) == id).map(|record| record.term.clone());
        Account { account, category }
    });
    Ok(accounts.collect())
}

/// One account.
#[pyfunction]
pub(crate) fn account_get(py: Python<'_>, session: &Session, account: Id) -> PyResult<Account> {
    let id = AccountId::from_uuid(account.0);
    let mut found = session.read(py, move |ctx, txn| {
        let account = desk::accounts::get(ctx, txn, id)?;
        with_categories(txn, vec![account])
    })?;
    found.pop().ok_or_else(|| crate::errors::raise(py, &leadcore::error::Error::not_found("account")))
}

/// Changes some fields of an account, and its status when one is given; none empties a field.
#[pyfunction]
pub(crate) fn account_edit(
    py: Python<'_>,
    session: &Session,
    account: AccountArg,
    status: Option<Text>,
    changes: &Bound<'_, PyDict>,
) -> PyResult<Account> {
    let status = status.map(|status| status_of(py, &status)).transpose()?;
    let changes = fields(changes)?;
    let mut found = session.write(py, move |ctx, txn| {
        let changes = resolve_fields(txn, &changes)?.into_iter();
        let patch = changes.fold(AccountPatch::new(), |patch, (field, value)| patch.set(field, value));
        let patch = status.map_or(patch.clone(), |status| patch.status(status));
        let account = desk::accounts::edit(ctx, txn, account.id, account.expect, &patch)?;
        with_categories(txn, vec![account])
    })?;
    found.pop().ok_or_else(|| crate::errors::raise(py, &leadcore::error::Error::not_found("account")))
}

/// A page of accounts by number, and where the next one begins.
#[pyfunction]
pub(crate) fn account_page(
    py: Python<'_>,
    session: &Session,
    after: Option<Count>,
    limit: Limit,
) -> PyResult<(Vec<Account>, Option<u64>)> {
    session.read(py, move |ctx, txn| {
        let page = desk::accounts::list(ctx, txn, after.map(|after| after.0), limit.0)?;
        Ok((with_categories(txn, page.items)?, page.next))
    })
}

/// The leads that became this account, oldest first.
#[pyfunction]
pub(crate) fn account_leads(py: Python<'_>, session: &Session, account: Id) -> PyResult<Vec<Lead>> {
    let id = AccountId::from_uuid(account.0);
    session.read(py, move |ctx, txn| {
        let origins = desk::accounts::origins(ctx, txn, id)?;
        let leads = origins.into_iter().map(|lead| desk::leads::get(ctx, txn, lead));
        let leads = leads.collect::<Result<_>>()?;
        named_all(txn, leads)
    })
}

fn status_of(py: Python<'_>, status: &Text) -> PyResult<AccountStatus> {
    AccountStatus::from_code(&status.0)
        .ok_or_else(|| invalid(py, "status", ViolationCode::Unknown, "a status is `customer` or `prospect`"))
}

fn options(py: Python<'_>, lead: LeadArg, status: &Text, account: Option<Id>) -> PyResult<ConversionOptions> {
    let status = status_of(py, status)?;
    let mut options = ConversionOptions::default().status(status);
    if let desk::Expect::Revision(revision) = lead.expect {
        options.revision = Some(revision);
    }
    if let Some(Id(id)) = account {
        options.account = AccountChoice::Existing(AccountId::from_uuid(id));
    }
    Ok(options)
}

/// The plan of a conversion, as JSON.
#[pyfunction]
pub(crate) fn plan(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    status: Text,
    account: Option<Id>,
) -> PyResult<String> {
    let options = options(py, lead, &status, account)?;
    let plan = session.read(py, move |ctx, txn| desk::convert::plan(ctx, txn, lead.id, &options))?;
    to_json(py, &plan)
}

/// Carries a plan out, once.
#[pyfunction]
pub(crate) fn apply<'py>(py: Python<'py>, session: &Session, plan: Text) -> PyResult<Bound<'py, PyAny>> {
    let plan: ConversionPlan = from_json(py, "plan", &plan.0)?;
    let outcome = session.write(py, move |ctx, txn| desk::convert::apply(ctx, txn, &plan))?;
    py_outcome(py, &outcome)
}

/// Plans and applies in one call.
#[pyfunction]
pub(crate) fn convert<'py>(
    py: Python<'py>,
    session: &Session,
    lead: LeadArg,
    status: Text,
    account: Option<Id>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = options(py, lead, &status, account)?;
    let outcome = session.write(py, move |ctx, txn| desk::convert::convert(ctx, txn, lead.id, &options))?;
    py_outcome(py, &outcome)
}

fn py_outcome<'py>(py: Python<'py>, outcome: &ConversionOutcome) -> PyResult<Bound<'py, PyAny>> {
    let arguments = (
        outcome.operation.as_uuid(),
        outcome.lead.as_uuid(),
        outcome.account.map(AccountId::as_uuid),
        outcome.account_number,
        PyTuple::new(py, outcome.contacts.iter().copied().map(ContactId::as_uuid))?,
        outcome.newly_converted,
    );
    models(py)?.getattr("ConversionOutcome")?.call1(arguments)
}
