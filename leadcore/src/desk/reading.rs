//! Who has read which lead (S1.17): unread until that user opens it, whatever others write meanwhile.

use crate::context::Context;
use crate::domain::Lead;
use crate::error::{Error, Result, ViolationCode};
use crate::id::{LeadId, UserId};
use crate::policy::Permission;
use crate::query::MAX_PAGE;
use crate::store::Txn;

use super::access::{Gate, masked, require, visible};

/// Opens a lead: [`get`](super::leads::get), and from now on the acting user has read it. The host itself reads
/// nothing.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see; `Unsupported` in a read transaction, when the user
/// had not read it yet.
pub fn open(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Lead> {
    let lead = visible(ctx, txn, id)?;
    if let Some(user) = ctx.actor().user()
        && txn.marks().read_by(user, &[id])?.is_empty()
    {
        txn.marks().mark(user, &[id], true)?;
    }
    Ok(masked(ctx, lead))
}

/// The acting user has read these leads. Leads that do not exist or may not be seen are passed over.
///
/// # Errors
/// `Invalid` for more than 1,000 ids, or for an actor who is no user; `Denied`.
pub fn mark_read(ctx: &Context<'_>, txn: &mut dyn Txn, ids: &[LeadId]) -> Result<()> {
    mark(ctx, txn, ids, true)
}

/// The acting user has not read these leads, whatever was marked before. Likewise.
///
/// # Errors
/// As [`mark_read`].
pub fn mark_unread(ctx: &Context<'_>, txn: &mut dyn Txn, ids: &[LeadId]) -> Result<()> {
    mark(ctx, txn, ids, false)
}

/// The acting user has read every lead that is there now.
///
/// # Errors
/// `Invalid` for an actor who is no user; `Denied`.
pub fn mark_all_read(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<()> {
    require(ctx, txn, Permission::View)?;
    let user = acting(ctx)?;
    txn.marks().mark_all(user, ctx.now())
}

fn mark(ctx: &Context<'_>, txn: &mut dyn Txn, ids: &[LeadId], read: bool) -> Result<()> {
    ctx.check_tenant(txn)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let user = acting(ctx)?;
    if ids.len() > MAX_PAGE {
        let message = "a page has at most 1,000 records";
        return Err(Error::invalid_field("ids", ViolationCode::OutOfRange, message));
    }
    let leads = txn.leads().get(ids)?;
    let seen: Vec<_> = leads.iter().filter(|lead| gate.admits(lead)).map(|lead| lead.id).collect();
    txn.marks().mark(user, &seen, read)
}

/// The acting user; what users arrange for themselves, the host cannot.
pub(super) fn acting<'c>(ctx: &'c Context<'_>) -> Result<&'c UserId> {
    let message = "this is arranged per user, and the actor is none";
    ctx.actor().user().ok_or_else(|| Error::invalid_field("actor", ViolationCode::NotAllowed, message))
}
