//! Lists of activities: those of one record, and those across all.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Activity, ActivityKind, Place, Subject, Tab};
use crate::error::Result;
use crate::id::UserId;
use crate::query::{Asked, ListCursor, Page};
use crate::store::{ActivityQuery, Txn};

use super::super::children;
use super::super::listing::{Listing, check_kinds, check_limit};
use super::super::live::Live;

/// A page of the activities about a lead, contact or account, of these kinds ([`ActivityKind::ALL`] for any), by when they
/// were or are due, the latest first unless the listing says else. The tabs of a lead: its notes, its open tickets …
///
/// ```
/// use leadcore::desk::{Listing, activities};
/// use leadcore::domain::{ActivityFields, ActivityKind};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let tickets = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     activities::add(&ctx, txn, &[lead.id.into()], ActivityFields::ticket("Cannot log in"))?;
///     activities::of(&ctx, txn, lead.id, &[ActivityKind::Ticket], &Listing::open())
/// })?;
/// assert_eq!(tickets.items.len(), 1);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit, no kind at all, or a cursor of another list.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, ListCursor>> {
    check_kinds(kinds)?;
    let tabs = kinds.iter().copied().map(Tab::Activity).collect();
    children::page(ctx, txn, subject.into(), tabs, listing)
}

/// A page of the activities that a user turns to, across all records that the actor may see, of these kinds
/// ([`ActivityKind::ALL`] for any): the open tasks of a day's work for example.
///
/// A page can be shorter than its limit and still have a next one: where the actor may see few of the activities.
///
/// ```
/// use leadcore::desk::{Listing, activities};
/// use leadcore::domain::{ActivityFields, ActivityKind};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let ada = "ada".parse()?;
/// let work = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     activities::add(&ctx, txn, &[lead.id.into()], ActivityFields::task("Call back").assigned_to(&ada))?;
///     activities::assigned_to(&ctx, txn, &ada, &[ActivityKind::Task], &Listing::open().ascending())
/// })?;
/// assert_eq!(work.items.len(), 1);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied` for an actor who may see no lead; `Invalid` for a limit that does not fit, no kind at all, or a cursor of another list.
pub fn assigned_to(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    user: &UserId,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, ListCursor>> {
    across(ctx, txn, Some(user), kinds, listing)
}

/// A page of the activities of all records that the actor may see, of these kinds ([`ActivityKind::ALL`] for any): all tasks
/// (S2.21), all tickets, the open or the closed ones (S2.23). A page can be shorter than its limit and still have a next
/// one, as with [`assigned_to`].
///
/// # Errors
/// `Denied` for an actor who may see no lead; `Invalid` for a limit that does not fit, no kind at all, or a cursor of another list.
pub fn all(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, ListCursor>> {
    across(ctx, txn, None, kinds, listing)
}

fn across(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    user: Option<&UserId>,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, ListCursor>> {
    check_limit(listing.limit)?;
    check_kinds(kinds)?;
    // What hangs on a lead in the trash waits with it.
    let mut live = Live::open(ctx, txn)?;
    let codes: BTreeSet<_> = kinds.iter().map(|kind| kind.code()).collect();
    let list = Asked::new(&("activities", user, codes, listing.open, listing.ascending));
    let after = list.place(listing.after.as_ref())?;
    let query = |after, limit| ActivityQuery {
        assignee: user.cloned(),
        kinds: kinds.to_vec(),
        open: listing.open,
        descending: !listing.ascending,
        after,
        limit,
    };
    let read = |txn: &mut dyn Txn, after, limit| txn.activities().list(&query(after, limit));
    let found = live.page(txn, after, listing.limit, read, |activity| (activity, place(activity)))?;
    let next = found.next.map(|place| list.behind(place));
    Ok(Page { items: children::shown(ctx, txn, found.items)?, next })
}

fn place(activity: &Activity) -> Place {
    Place { at: activity.at(), child: activity.id.as_uuid() }
}
