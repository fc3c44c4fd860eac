//! Opportunities of one record, and of all.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::desk::Listing;
use crate::desk::access::check_readable;
use crate::desk::children::{self, Sight};
use crate::domain::{LinkRole, Opportunity, OpportunityPlace, OpportunityState, Subject, SubjectKind, Tab};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId, OperationId, OpportunityId, SourceId, UserId};
use crate::query::{ListCursor, MAX_PAGE, Page};
use crate::store::{OpportunityScan, Txn};
use crate::time::Date;

use super::get;
use super::kind::shown_by;

/// A page of the opportunities of an account, a lead that became one, or a contact, in the order in which they were made. Lead
/// and account show the same.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    listing: &Listing,
) -> Result<Page<Opportunity, ListCursor>> {
    children::page(ctx, txn, subject.into(), vec![Tab::Opportunity], listing)
}

/// The opportunity that this operation created.
pub(super) fn made_by(ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<Opportunity> {
    // It is told once for each record that it is about, 20 at most.
    let entries = txn.journal().replay(Some(operation), None, 100)?;
    let made = entries.iter().find(|entry| entry.subject.kind == SubjectKind::Opportunity);
    let made = made.ok_or_else(|| Error::not_found("opportunity"))?;
    get(ctx, txn, OpportunityId::from_uuid(made.subject.id))
}

/// Which of all opportunities are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OpportunityQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// That this user answers for.
    pub owner: Option<UserId>,
    /// In this state.
    pub state: Option<OpportunityState>,
    /// From this source.
    pub source: Option<SourceId>,
    /// Not of an earlier [day](Opportunity::day).
    pub from: Option<Date>,
    /// Not of a later day.
    pub until: Option<Date>,
    /// The earliest first, instead of the latest.
    pub ascending: bool,
    /// From behind this place.
    pub after: Option<OpportunityPlace>,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl Default for OpportunityQuery {
    fn default() -> Self {
        Self {
            account: None,
            owner: None,
            state: None,
            source: None,
            from: None,
            until: None,
            ascending: false,
            after: None,
            limit: 50,
        }
    }
}

/// A page of all opportunities of the tenant that the actor may see, by the [day](Opportunity::day) on which they ended or may
/// be won. For an actor who may not see all leads a page can be shorter than its limit and still have a next one.
///
/// # Errors
/// `Invalid` for a limit that does not fit, and for a field that the actor may not see; `Denied`.
pub fn list(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    query: &OpportunityQuery,
) -> Result<Page<Opportunity, OpportunityPlace>> {
    let mut sight = Sight::open(ctx, txn)?;
    if !(1..=MAX_PAGE).contains(&query.limit) {
        let message = "a page has 1 to 1,000 records";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    // The order tells the day.
    let asked =
        [("owner", query.owner.is_some()), ("source", query.source.is_some()), ("expected_close", true)];
    let asked: Vec<_> = asked.iter().filter(|(_, asked)| *asked).map(|(name, _)| *name).collect();
    check_readable(ctx, shown_by(&asked).iter())?;
    let found = txn.opportunities().scan(&OpportunityScan {
        account: query.account,
        owner: query.owner.clone(),
        state: query.state,
        source: query.source,
        from: query.from,
        until: query.until,
        descending: !query.ascending,
        after: query.after,
        limit: query.limit.saturating_add(1),
    })?;
    let page = Page::cut(found, query.limit, Opportunity::place);
    let about: Vec<_> = page.items.iter().flat_map(|one| &one.about).copied().collect();
    sight.learn(txn, &about)?;
    let seen = page.items.into_iter().filter(|one| sight.shows(&one.about)).collect();
    Ok(Page { items: children::shown(ctx, txn, seen)?, next: page.next })
}

/// The lead that an opportunity was made of and the leads that joined it, as far as the actor sees them or the customer that
/// they became, by their ids.
pub(in crate::desk) fn origins(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
) -> Result<Vec<LeadId>> {
    let opportunity: Opportunity = children::get(ctx, txn, id.as_uuid())?;
    let links = txn.links().to(&[id.into()], Some(LinkRole::Opportunity))?;
    let joined = links.iter().filter(|link| link.from.kind == SubjectKind::Lead);
    let mut leads: BTreeSet<LeadId> = joined.map(|link| LeadId::from_uuid(link.from.id)).collect();
    leads.extend(opportunity.origin_lead);
    let mut sight = Sight::open(ctx, txn)?;
    sight.learn(txn, &leads.iter().copied().map(Subject::from).collect::<Vec<_>>())?;
    Ok(leads.into_iter().filter(|lead| sight.shows(&[(*lead).into()])).collect())
}
