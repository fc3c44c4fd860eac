//! Estimates of one record, and of all.

use crate::context::Context;
use crate::desk::Listing;
use crate::desk::children::{self, Sight};
use crate::desk::listing::check_limit;
use crate::domain::{Estimate, EstimatePlace, EstimateStatus, Subject, Tab};
use crate::error::Result;
use crate::query::{Asked, ListCursor, Page};
use crate::store::{EstimateScan, Txn};
use crate::time::Date;

use super::today;

/// A page of the estimates about a lead, contact or account, by date. After a conversion, lead and account show the same.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit, or a cursor of another list.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    listing: &Listing,
) -> Result<Page<Estimate, ListCursor>> {
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
    pub after: Option<ListCursor<EstimatePlace>>,
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
/// `Invalid` for a limit that does not fit, or a cursor of another list; `Denied`.
pub fn list(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    query: &EstimateQuery,
) -> Result<Page<Estimate, ListCursor<EstimatePlace>>> {
    let mut sight = Sight::open(ctx, txn)?;
    check_limit(query.limit)?;
    let asked = ("estimates", query.status, query.from, query.until, query.ascending);
    let list = Asked::new(&asked);
    let found = txn.estimates().scan(&EstimateScan {
        revises: None,
        status: query.status,
        today: today(ctx),
        from: query.from,
        until: query.until,
        descending: !query.ascending,
        after: list.place(query.after.as_ref())?,
        limit: query.limit.saturating_add(1),
    })?;
    let page = Page::cut(found, query.limit, |estimate| list.behind(estimate.place()));
    let about: Vec<_> = page.items.iter().flat_map(|estimate| &estimate.about).copied().collect();
    sight.learn(txn, &about)?;
    let seen = page.items.into_iter().filter(|estimate| sight.shows(&estimate.about)).collect();
    Ok(Page { items: children::shown(ctx, txn, seen)?, next: page.next })
}
