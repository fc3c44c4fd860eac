//! Estimates of one record, and of all.

use crate::context::Context;
use crate::desk::Listing;
use crate::desk::children::{self, Sight};
use crate::domain::{Estimate, EstimatePlace, EstimateStatus, Place, Subject, Tab};
use crate::error::{Error, Result, ViolationCode};
use crate::query::{MAX_PAGE, Page};
use crate::store::{EstimateScan, Txn};
use crate::time::Date;

use super::today;

/// A page of the estimates about a lead, contact or account, by date. After a conversion, lead and account show the same.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    listing: &Listing,
) -> Result<Page<Estimate, Place>> {
    children::page(ctx, txn, subject.into(), vec![Tab::Estimate], listing)
}

/// Which of all estimates are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EstimateQuery {
    /// In this state today.
    pub status: Option<EstimateStatus>,
    /// Not of an earlier day.
    pub from: Option<Date>,
    /// Not of a later day.
    pub until: Option<Date>,
    /// The earliest first, instead of the latest.
    pub ascending: bool,
    /// From behind this place.
    pub after: Option<EstimatePlace>,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl Default for EstimateQuery {
    fn default() -> Self {
        Self { status: None, from: None, until: None, ascending: false, after: None, limit: 50 }
    }
}

/// A page of all estimates of the tenant that the actor may see, by date. For an actor who may not see all leads a page can
/// be shorter than its limit and still have a next one.
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied`.
pub fn list(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    query: &EstimateQuery,
) -> Result<Page<Estimate, EstimatePlace>> {
    let mut sight = Sight::open(ctx, txn)?;
    if !(1..=MAX_PAGE).contains(&query.limit) {
        let message = "a page has 1 to 1,000 records";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let found = txn.estimates().scan(&EstimateScan {
        revises: None,
        status: query.status,
        today: today(ctx),
        from: query.from,
        until: query.until,
        descending: !query.ascending,
        after: query.after,
        limit: query.limit.saturating_add(1),
    })?;
    let page = Page::cut(found, query.limit, Estimate::place);
    let about: Vec<_> = page.items.iter().flat_map(|estimate| &estimate.about).copied().collect();
    sight.learn(txn, &about)?;
    let seen = page.items.into_iter().filter(|estimate| sight.sees_any(&estimate.about)).collect();
    Ok(Page { items: children::shown(ctx, txn, seen)?, next: page.next })
}
