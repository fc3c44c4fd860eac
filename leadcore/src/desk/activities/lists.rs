//! Lists of activities: those of one record, and those across all.

use crate::context::Context;
use crate::domain::{Activity, ActivityKind, Place, Subject, Tab};
use crate::error::{Error, Result, ViolationCode};
use crate::id::UserId;
use crate::query::{MAX_PAGE, Page};
use crate::store::{ActivityQuery, Txn};

use super::super::children;
use super::super::listing::Listing;
use super::super::live::Live;

/// How many activities are looked at in one round of a list across all records, at least.
const ROUND: usize = 100;
/// How many rounds one page takes at most: an actor who sees little gets a shorter page rather than a slow one.
const ROUNDS: usize = 20;

/// A page of the activities about a lead, contact or account, of these kinds (any, when there is none), by when they
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
/// `NotFound`; `Invalid` for a limit that does not fit.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, Place>> {
    let kinds = if kinds.is_empty() { ActivityKind::ALL } else { kinds };
    let tabs = kinds.iter().copied().map(Tab::Activity).collect();
    children::page(ctx, txn, subject.into(), tabs, listing)
}

/// A page of the activities that a user turns to, across all records that the actor may see, of these kinds (any, when
/// there is none): the open tasks of a day's work for example.
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
/// `Denied` for an actor who may see no lead; `Invalid` for a limit that does not fit.
pub fn assigned_to(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    user: &UserId,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, Place>> {
    across(ctx, txn, Some(user), kinds, listing)
}

/// A page of the activities of all records that the actor may see, of these kinds (any, when there is none): all tasks
/// (S2.21), all tickets, the open or the closed ones (S2.23). A page can be shorter than its limit and still have a next
/// one, as with [`assigned_to`].
///
/// # Errors
/// `Denied` for an actor who may see no lead; `Invalid` for a limit that does not fit.
pub fn all(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, Place>> {
    across(ctx, txn, None, kinds, listing)
}

fn across(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    user: Option<&UserId>,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Result<Page<Activity, Place>> {
    if !(1..=MAX_PAGE).contains(&listing.limit) {
        let message = "a page has 1 to 1,000 records";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    // What hangs on a lead in the trash waits with it.
    let mut live = Live::open(ctx, txn)?;
    let mut query = ActivityQuery {
        assignee: user.cloned(),
        kinds: kinds.to_vec(),
        open: listing.open,
        descending: !listing.ascending,
        after: listing.after,
        limit: listing.limit.saturating_add(1).max(ROUND),
    };
    let mut items: Vec<Activity> = Vec::new();
    for _ in 0..ROUNDS {
        let found = txn.activities().list(&query)?;
        let is_last = found.len() < query.limit;
        live.learn(txn, found.iter())?;
        query.after = found.last().map(place).or(query.after);
        items.extend(found.into_iter().filter(|activity| !live.of(&activity.about).is_empty()));
        if items.len() > listing.limit {
            let page = Page::cut(items, listing.limit, place);
            return Ok(Page { items: children::shown(ctx, txn, page.items)?, next: page.next });
        }
        if is_last {
            return Ok(Page { items: children::shown(ctx, txn, items)?, next: None });
        }
    }
    Ok(Page { items: children::shown(ctx, txn, items)?, next: query.after })
}

fn place(activity: &Activity) -> Place {
    Place { at: activity.at(), child: activity.id.as_uuid() }
}
