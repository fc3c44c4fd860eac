//! Accounts: the customers that leads became.
//!
//! An actor may see an account when it may see one of the leads behind it, or all leads.

use crate::context::Context;
use crate::domain::{Account, Link, LinkRole};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId};
use crate::policy::Permission;
use crate::query::{MAX_PAGE, Page};
use crate::store::Txn;

use super::access::Gate;

/// One account.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Account> {
    Ok(masked(ctx, load(ctx, txn, id)?))
}

/// The account as it is stored, if the actor may see it.
pub(super) fn load(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Account> {
    ctx.check_tenant(txn)?;
    let gate = Gate::open(ctx, Permission::View)?;
    let found = txn.accounts().get(&[id])?;
    visible(txn, &gate, found)?.pop().ok_or_else(|| Error::not_found("account"))
}

/// Accounts by customer number, from behind `after`, at most `limit` (1 to 1,000). For an actor who may not see all
/// leads a page can be shorter than `limit` and still have a next one.
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied`.
pub fn list(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    after: Option<u64>,
    limit: usize,
) -> Result<Page<Account, u64>> {
    ctx.check_tenant(txn)?;
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::invalid_field(
            "limit",
            ViolationCode::OutOfRange,
            "a page has 1 to 1,000 records",
        ));
    }
    let gate = Gate::open(ctx, Permission::View)?;
    let found = txn.accounts().scan(after, limit.saturating_add(1))?;
    let page = Page::cut(found, limit, |account: &Account| account.number);
    let items = visible(txn, &gate, page.items)?;
    Ok(Page { items: items.into_iter().map(|account| masked(ctx, account)).collect(), next: page.next })
}

/// The account without the fields that the actor may not see.
fn masked(ctx: &Context<'_>, account: Account) -> Account {
    let fields = account.fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
    Account { fields, ..account }
}

/// The leads that became this account and that the actor may see, oldest first.
///
/// # Errors
/// `NotFound` when there is no such account, or none that this actor may see.
pub fn origins(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Vec<LeadId>> {
    let account = get(ctx, txn, id)?;
    let gate = Gate::open(ctx, Permission::View)?;
    let origins = origin_leads(txn, account.id)?;
    let leads = txn.leads().get(&origins)?;
    Ok(leads.iter().filter(|lead| gate.admits(lead)).map(|lead| lead.id).collect())
}

fn origin_leads(txn: &mut dyn Txn, id: AccountId) -> Result<Vec<LeadId>> {
    let links = txn.links().to(&[id.into()], Some(LinkRole::ConvertedTo))?;
    Ok(links.into_iter().map(|link: Link| LeadId::from_uuid(link.from.id)).collect())
}

fn visible(txn: &mut dyn Txn, gate: &Gate, accounts: Vec<Account>) -> Result<Vec<Account>> {
    if gate.is_unlimited() {
        return Ok(accounts);
    }
    let mut seen = Vec::with_capacity(accounts.len());
    for account in accounts {
        let origins = origin_leads(txn, account.id)?;
        if txn.leads().get(&origins)?.iter().any(|lead| gate.admits(lead)) {
            seen.push(account);
        }
    }
    Ok(seen)
}
