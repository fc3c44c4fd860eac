//! From one state of an estimate to the next.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::desk::access::{Expect, Gate};
use crate::desk::children;
use crate::desk::operation::record;
use crate::desk::series;
use crate::domain::{Estimate, EstimateFields, EstimateStatus, EstimateUnmet, OperationKind, Series};
use crate::error::{Error, Result, ViolationCode};
use crate::id::EstimateId;
use crate::policy::Permission;
use crate::query::MAX_PAGE;
use crate::store::{EstimateScan, Txn};
use crate::time::Date;
use crate::value::clean_text;

use super::{Origin, add, closed, load, replace, today, writable};

/// Every condition that stands against this move today. Nothing is written, and nobody is asked for permission but to see it.
///
/// # Errors
/// `NotFound`.
pub fn can_move(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    to: EstimateStatus,
) -> Result<Vec<EstimateUnmet>> {
    let estimate = load(ctx, txn, id)?;
    unmet(ctx, txn, &estimate, to)
}

/// What of itself stands against the move, and of its other versions.
fn unmet(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    estimate: &Estimate,
    to: EstimateStatus,
) -> Result<Vec<EstimateUnmet>> {
    let mut unmet = estimate.can_move(to, today(ctx));
    if to == EstimateStatus::Accepted {
        let versions = Versions::of(txn, estimate)?;
        unmet.extend(versions.accepted.map(|number| EstimateUnmet::AlreadyAccepted { number }));
        let superseded = EstimateUnmet::Superseded { latest: versions.latest.number };
        unmet.extend((versions.latest.id != estimate.id).then_some(superseded));
    }
    Ok(unmet)
}

/// An estimate and its revisions.
pub(super) struct Versions {
    /// The latest one, whichever it was made from.
    latest: Estimate,
    /// The number of the other one that was accepted. There is at most one of all: this is what says so.
    pub(super) accepted: Option<u64>,
}

impl Versions {
    pub(super) fn of(txn: &mut dyn Txn, estimate: &Estimate) -> Result<Self> {
        let (mut known, mut first) = (BTreeSet::from([estimate.id]), estimate.clone());
        while let Some(before) = first.revises.filter(|before| known.insert(*before)) {
            let Some(found) = txn.estimates().get(&[before])?.pop() else { break };
            first = found;
        }
        let mut versions = Self { latest: estimate.clone(), accepted: None };
        let (mut todo, mut seen) = (vec![first], BTreeSet::new());
        while let Some(version) = todo.pop() {
            if !seen.insert(version.id) {
                continue;
            }
            if version.status == EstimateStatus::Accepted && version.id != estimate.id {
                versions.accepted = Some(version.number);
            }
            todo.extend(txn.estimates().scan(&EstimateScan {
                revises: Some(version.id),
                status: None,
                today: Date::MIN,
                from: None,
                until: None,
                descending: true,
                after: None,
                limit: MAX_PAGE,
            })?);
            if is_later(&version, &versions.latest) {
                versions.latest = version;
            }
        }
        Ok(versions)
    }
}

/// Numbers of one series grow, whatever the clock does; between two series the clock decides.
pub(in super::super) fn is_later(one: &Estimate, other: &Estimate) -> bool {
    let series = |estimate: &Estimate| estimate.serial.as_ref().map(|serial| serial.series);
    let place =
        |estimate: &Estimate| (estimate.serial.as_ref().and_then(|serial| serial.year), estimate.number);
    if series(one) == series(other) {
        return place(one) > place(other);
    }
    (one.created_at, one.id) > (other.created_at, other.id)
}

/// The draft is offered: it has lines and a currency, and holds today at least.
///
/// Sending it to somebody is the host's: this says that it was done.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or it is no draft; `Invalid` with all that
/// is missing.
pub fn send(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: impl Into<Expect>,
) -> Result<Estimate> {
    go(ctx, txn, id, expect.into(), EstimateStatus::Sent, None)
}

/// They want it. What was offered is frozen, and so is the question: neither it nor another version of it is
/// [revised](revise) or accepted any more. What they want besides, or instead, is another estimate: a [copy](copy).
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or it is not offered (any more); `Invalid`
/// when there is a later version of it (the latest is accepted, or deleted while it is a draft), or another one was accepted.
pub fn accept(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: impl Into<Expect>,
) -> Result<Estimate> {
    go(ctx, txn, id, expect.into(), EstimateStatus::Accepted, None)
}

/// They do not want it, perhaps for this reason (at most 4,000 characters). What was offered is frozen.
///
/// # Errors
/// As [`accept`]; `Invalid` for a reason that does not fit.
pub fn decline(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: impl Into<Expect>,
    reason: Option<&str>,
) -> Result<Estimate> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| clean_text(reason, 4_000)).transpose();
    let reason = reason.map_err(|error| Error::from(error.at("reason")))?;
    go(ctx, txn, id, expect.into(), EstimateStatus::Declined, reason)
}

/// It is not offered any more, whether its last day is over or not. What was offered is frozen.
///
/// # Errors
/// As [`accept`].
pub fn expire(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: impl Into<Expect>,
) -> Result<Estimate> {
    go(ctx, txn, id, expect.into(), EstimateStatus::Expired, None)
}

/// Writes down which estimates have expired, in one operation: at most `limit` (1 to 1,000), the longest over first. For a
/// job of the host's, which goes on until none is left; nothing looks different before and after but tabs and lists that go
/// by what is open.
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied` for an actor who may not edit all leads.
pub fn expire_due(ctx: &Context<'_>, txn: &mut dyn Txn, limit: usize) -> Result<Vec<EstimateId>> {
    ctx.check_tenant(txn)?;
    if !Gate::open(ctx, txn, Permission::Edit)?.is_unlimited() {
        return Err(Error::denied(Permission::Edit.code()));
    }
    if !(1..=MAX_PAGE).contains(&limit) {
        let message = "1 to 1,000 estimates at once";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let due = txn.estimates().lapsed(today(ctx), limit)?;
    let mut entries = Vec::with_capacity(due.len());
    for before in txn.estimates().get(&due)? {
        let after = moved(ctx, &before, EstimateStatus::Expired, None);
        entries.extend(children::lapse(ctx, txn, &before, after)?);
    }
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    Ok(due)
}

/// A new draft with what was offered, of today, holding as many days: the way on from an estimate that was sent and is not
/// what they want. The old one stays as it is, but is not [accepted](accept) any more; the new one [names](Estimate::revises)
/// it. An estimate that was accepted is not revised, nor is any version of it: they are two agreements then, and the second
/// begins with a [copy](copy). It has the next number of the same series, or of the default one if that is archived.
///
/// What is about a lead that was converted meanwhile is about its account.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` for a draft, which can be edited, and where a version of it was accepted.
pub fn revise(ctx: &Context<'_>, txn: &mut dyn Txn, id: EstimateId) -> Result<Estimate> {
    let old = writable(ctx, txn, id, Expect::Any)?;
    let settled = old.status == EstimateStatus::Accepted || Versions::of(txn, &old)?.accepted.is_some();
    if old.status == EstimateStatus::Draft || settled {
        return Err(closed("estimate", "revise"));
    }
    draft_of(ctx, txn, &old, Origin { revises: Some(id), ..Origin::default() })
}

/// A new draft with what an estimate in any state offers, of today, holding as many days: an estimate of its own, which
/// changes nothing about the old one. Its number is as that of a [revision](revise).
///
/// What is about a lead that was converted meanwhile is about its account.
///
/// # Errors
/// `NotFound`, `Denied`.
pub fn copy(ctx: &Context<'_>, txn: &mut dyn Txn, id: EstimateId) -> Result<Estimate> {
    let old = writable(ctx, txn, id, Expect::Any)?;
    draft_of(ctx, txn, &old, Origin::default())
}

fn draft_of(ctx: &Context<'_>, txn: &mut dyn Txn, old: &Estimate, origin: Origin) -> Result<Estimate> {
    let hidden = children::unseen(ctx, txn, &old.about)?;
    let (about, hidden) = (children::going_on(txn, &old.about)?, children::going_on(txn, &hidden)?);
    let mut fields = EstimateFields { date: Some(today(ctx)), ..old.fields.clone() };
    if let (Some(date), Some(until)) = (old.fields.date, old.fields.valid_until) {
        let days = until.as_days().saturating_sub(date.as_days());
        fields.valid_until = fields.date.map(|today| today.saturating_add_days(days));
    }
    // Whoever is no longer there leaves it to whoever revises it.
    fields.owner = fields.owner.filter(|owner| ctx.policy().may_own(ctx.actor(), owner));
    let of = old.serial.as_ref().map_or(Series::Estimate.standard(), |serial| serial.series);
    // A series that gives no more leaves it to the default one.
    let given = series::of_kind(txn, Series::Estimate)?.into_iter().find(|series| series.id == of);
    let series = given.filter(|series| !series.archived).map(|series| series.id);
    let (estimate, entries) = add(ctx, txn, (&about, &hidden), fields, Origin { series, ..origin })?;
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(estimate)
}

fn go(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: Expect,
    to: EstimateStatus,
    reason: Option<String>,
) -> Result<Estimate> {
    let before = writable(ctx, txn, id, expect)?;
    let unmet = unmet(ctx, txn, &before, to)?;
    if unmet.iter().any(|unmet| matches!(unmet, EstimateUnmet::NotFromHere { .. })) {
        return Err(closed("estimate", to.verb()));
    }
    if !unmet.is_empty() {
        return Err(Error::invalid(unmet.iter().map(EstimateUnmet::violation).collect()));
    }
    let after = moved(ctx, &before, to, reason);
    replace(ctx, txn, &before, after)
}

/// The estimate in its next state, as of now.
fn moved(ctx: &Context<'_>, before: &Estimate, to: EstimateStatus, reason: Option<String>) -> Estimate {
    let mut after = Estimate { status: to, reason, ..before.clone() };
    if to == EstimateStatus::Sent {
        after.sent_at = Some(ctx.now());
    } else {
        after.settled_at = Some(ctx.now());
    }
    after
}
