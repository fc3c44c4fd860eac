//! Accounts: the customers that leads became, and those that were there before.

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::accounts::NewAccount;
use leadcore::domain::{
    self, AccountPatch, AccountStatus, CatalogueKind, Field, FieldValue, NumberPlace, TermKind,
};
use leadcore::error::{Result, ViolationCode};
use leadcore::id::{AccountId, CategoryId, NumberSeriesId};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::account_record::Account;
use crate::convert::{AccountArg, Count, Id, Limit, Text, fields, to_json};
use crate::custom;
use crate::errors::invalid;
use crate::lead::Lead;
use crate::leads::named_all;
use crate::names::resolve_fields;
use crate::session::Session;

pub(crate) fn with_categories(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    accounts: Vec<domain::Account>,
) -> Result<Vec<Account>> {
    let mut ids: Vec<_> =
        accounts.iter().filter_map(|it| it.fields.category).map(CategoryId::as_uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    let terms = if ids.is_empty() { Vec::new() } else { txn.terms().get(TermKind::Category, &ids)? };
    let known = custom::keys(txn, CatalogueKind::Account)?;
    let writing = desk::series::writing::<domain::Account>(ctx, txn)?;
    let accounts = accounts.into_iter().map(|account| {
        let id = account.fields.category.map(CategoryId::as_uuid);
        let category =
            terms.iter().find(|record| Some(record.term.id) == id).map(|record| record.term.clone());
        let written = Some(writing.write(&account));
        Account { account, category, known: known.clone(), written }
    });
    Ok(accounts.collect())
}

/// One account.
#[pyfunction]
pub(crate) fn account_get(py: Python<'_>, session: &Session, account: Id) -> PyResult<Account> {
    let id = AccountId::from_uuid(account.0);
    let mut found = session.read(py, move |ctx, txn| {
        let account = desk::accounts::get(ctx, txn, id)?;
        with_categories(ctx, txn, vec![account])
    })?;
    found.pop().ok_or_else(|| crate::errors::raise(py, &leadcore::error::Error::not_found("account")))
}

fn patch_of(
    txn: &mut dyn Txn,
    given: &[(Field, FieldValue)],
    status: Option<AccountStatus>,
) -> Result<AccountPatch> {
    let changes = resolve_fields(txn, given)?.into_iter();
    let patch = changes.fold(AccountPatch::new(), |patch, (field, value)| patch.set(field, value));
    Ok(status.map_or(patch.clone(), |status| patch.status(status)))
}

/// Creates an account that no lead became.
#[pyfunction]
pub(crate) fn account_create(
    py: Python<'_>,
    session: &Session,
    status: Option<Text>,
    series: Option<Id>,
    given: &Bound<'_, PyDict>,
) -> PyResult<Account> {
    let status = status.map(|status| status_of(py, &status)).transpose()?;
    let given = fields(given)?;
    let mut found = session.write(py, move |ctx, txn| {
        let patch = patch_of(txn, &given, status)?;
        let (_, catalogue) = desk::settings::catalogue_of(ctx, txn, CatalogueKind::Account)?;
        let mut new = NewAccount::default();
        patch.apply(&catalogue, &mut new.fields)?;
        new.series = series.map(|series| NumberSeriesId::from_uuid(series.0));
        let account = desk::accounts::create(ctx, txn, new)?;
        with_categories(ctx, txn, vec![account])
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
        let patch = patch_of(txn, &changes, status)?;
        let account = desk::accounts::edit(ctx, txn, account.id, account.expect, &patch)?;
        with_categories(ctx, txn, vec![account])
    })?;
    found.pop().ok_or_else(|| crate::errors::raise(py, &leadcore::error::Error::not_found("account")))
}

/// Everything that stands against deleting an account, as JSON.
#[pyfunction]
pub(crate) fn account_delete_blockers(py: Python<'_>, session: &Session, account: Id) -> PyResult<String> {
    let id = AccountId::from_uuid(account.0);
    let found = session.read(py, move |ctx, txn| desk::accounts::delete_blockers(ctx, txn, id))?;
    to_json(py, &found)
}

/// Deletes an account that nothing hangs on.
#[pyfunction]
pub(crate) fn account_delete(py: Python<'_>, session: &Session, account: AccountArg) -> PyResult<()> {
    session.write(py, move |ctx, txn| desk::accounts::delete(ctx, txn, account.id, account.expect))
}

/// A page of accounts by number, and where the next one begins.
#[pyfunction]
pub(crate) fn account_page(
    py: Python<'_>,
    session: &Session,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<(Vec<Account>, Option<String>)> {
    let after = after.map(|Text(after)| place(py, &after)).transpose()?;
    session.read(py, move |ctx, txn| {
        let page = desk::accounts::list(ctx, txn, after, limit.0)?;
        let next = page.next.map(|next| format!("{}:{}", next.number, next.id));
        Ok((with_categories(ctx, txn, page.items)?, next))
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

/// The account with this number, or the text that people write for it.
#[pyfunction]
pub(crate) fn account_by_number(
    py: Python<'_>,
    session: &Session,
    number: &Bound<'_, PyAny>,
) -> PyResult<Account> {
    let mut found = if let Ok(Text(number)) = number.extract::<Text>() {
        session.read(py, move |ctx, txn| {
            let found = desk::accounts::by_number(ctx, txn, number.as_str())?;
            with_categories(ctx, txn, vec![found])
        })?
    } else {
        let Count(number) = crate::arguments::read("number", number)?;
        session.read(py, move |ctx, txn| {
            let found = desk::accounts::by_number(ctx, txn, number)?;
            with_categories(ctx, txn, vec![found])
        })?
    };
    found.pop().ok_or_else(|| crate::errors::raise(py, &leadcore::error::Error::not_found("account")))
}

/// The place behind a page: a number, and the id of the record where it ended.
fn place(py: Python<'_>, text: &str) -> PyResult<NumberPlace> {
    let (number, id) = text.split_once(':').map_or((text, None), |(number, id)| (number, Some(id)));
    let number = number.parse::<u64>().ok();
    let id = id.map_or(Some(uuid::Uuid::max()), |id| uuid::Uuid::try_parse(id).ok());
    match (number, id) {
        (Some(number), Some(id)) => Ok(NumberPlace { number, id }),
        _ => Err(invalid(py, "after", ViolationCode::Malformed, "this is not a page cursor")),
    }
}

fn status_of(py: Python<'_>, status: &Text) -> PyResult<AccountStatus> {
    AccountStatus::from_code(&status.0)
        .ok_or_else(|| invalid(py, "status", ViolationCode::Unknown, "a status is `customer` or `prospect`"))
}
