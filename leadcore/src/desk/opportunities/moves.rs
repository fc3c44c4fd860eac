//! How opportunities end: won or lost, and no third way (S1.07).

use crate::context::Context;
use crate::desk::access::Expect;
use crate::desk::moving::refuse;
use crate::domain::{
    Guard, MAX_REASON, OperationKind, Opportunity, OpportunityEnd, OpportunityState, TermKind, Why,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{LostReasonId, OpportunityId};
use crate::store::Txn;
use crate::time::Date;
use crate::value::clean_text;

use super::{closed, replace, today, writable};

/// Why an opportunity was lost, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Lost {
    /// By the tenant's list of reasons.
    pub reason: Option<LostReasonId>,
    /// In words, at most 4,000 characters.
    pub detail: Option<String>,
    /// The day on which it was lost; today where none is named.
    pub on: Option<Date>,
}

impl Lost {
    /// For this reason, by the tenant's list or in words.
    #[must_use]
    pub fn because(reason: impl Into<Option<LostReasonId>>, detail: Option<&str>) -> Self {
        Self { reason: reason.into(), detail: detail.map(str::to_owned), on: None }
    }

    /// On this day.
    #[must_use]
    pub const fn on(mut self, day: Date) -> Self {
        self.on = Some(day);
        self
    }
}

/// They buy: on this day, or today.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or it was won or lost already; `Invalid` for a
/// day that is still to come.
pub fn win(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: impl Into<Expect>,
    on: Option<Date>,
) -> Result<Opportunity> {
    let before = open(ctx, txn, id, expect.into(), OpportunityState::Won)?;
    let end = won(ctx, on)?;
    go(ctx, txn, &before, OpportunityState::Won, Some(end))
}

/// They do not buy, and why. Where the tenant keeps a list of reasons, one of it is named.
///
/// # Errors
/// As [`win`]; `Invalid` for a reason that is missing, unknown, no longer offered, or must be said in words too.
pub fn lose(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: impl Into<Expect>,
    why: &Lost,
) -> Result<Opportunity> {
    let before = open(ctx, txn, id, expect.into(), OpportunityState::Lost)?;
    let end = lost(ctx, txn, why)?;
    go(ctx, txn, &before, OpportunityState::Lost, Some(end))
}

/// The end of one that was won.
pub(in crate::desk) fn won(ctx: &Context<'_>, on: Option<Date>) -> Result<OpportunityEnd> {
    Ok(OpportunityEnd { on: day(ctx, on)?, reason: None, detail: None })
}

/// The end of one that was lost, for a reason that fits.
pub(in crate::desk) fn lost(ctx: &Context<'_>, txn: &mut dyn Txn, why: &Lost) -> Result<OpportunityEnd> {
    let detail = why.detail.as_deref().map(str::trim).filter(|detail| !detail.is_empty());
    let detail = detail.map(|detail| clean_text(detail, MAX_REASON)).transpose();
    let detail = detail.map_err(|error| Error::from(error.at("detail")))?;
    let list = TermKind::LostReason;
    let terms: Vec<_> = txn.terms().list(list)?.into_iter().map(|record| record.term).collect();
    let said = Why { reason: why.reason.map(LostReasonId::as_uuid), detail: detail.as_deref() };
    refuse(&Guard::check_reason(list, &terms, said, None).into_iter().collect::<Vec<_>>())?;
    Ok(OpportunityEnd { on: day(ctx, why.on)?, reason: why.reason, detail })
}

/// It is open again: that it was won or lost was wrong, or is so no more. How it had ended stays in the journal. An open one
/// stays as it is.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn reopen(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: impl Into<Expect>,
) -> Result<Opportunity> {
    let before = writable(ctx, txn, id, expect.into())?;
    go(ctx, txn, &before, OpportunityState::Open, None)
}

/// The opportunity, if it is open and the actor may change it.
fn open(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: Expect,
    to: OpportunityState,
) -> Result<Opportunity> {
    let before = writable(ctx, txn, id, expect)?;
    if before.state.is_open() { Ok(before) } else { Err(closed(to.verb())) }
}

/// The day on which it ended: what has not come yet is not known.
fn day(ctx: &Context<'_>, on: Option<Date>) -> Result<Date> {
    let today = today(ctx);
    match on {
        Some(on) if on > today => {
            let message = "this day is still to come";
            Err(Violation::new("on", ViolationCode::OutOfRange, message).into())
        }
        on => Ok(on.unwrap_or(today)),
    }
}

fn go(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &Opportunity,
    state: OpportunityState,
    end: Option<OpportunityEnd>,
) -> Result<Opportunity> {
    // One that goes on after its conversion was taken back is one of the account from then on.
    let origin_lead = before.origin_lead.filter(|lead| *lead != Opportunity::NOBODY || !state.is_open());
    let after = Opportunity { state, end, origin_lead, ..before.clone() };
    replace(ctx, txn, OperationKind::Move, before, after)
}
