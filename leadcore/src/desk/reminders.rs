//! Reminders (S1.23, X.23): what a host polls, and how it says that somebody was reminded.

use crate::context::Context;
use crate::domain::{ActivityBody, Place, Reminder};
use crate::error::{Error, Result, ViolationCode};
use crate::id::ActivityId;
use crate::query::{MAX_PAGE, Page};
use crate::store::Txn;
use crate::time::Timestamp;

use super::children;
use super::live::Live;

/// How many are read at once at the least: some of them may be out of sight.
const FEWEST: usize = 100;
/// How many times more reminders are read for a page before it is given as it is.
const ROUNDS: usize = 20;

/// The reminders that are due at this time, the earliest first: of activities that are open, about records that the actor
/// may see and that are not in the trash. At most `limit` (1 to 1,000), from behind `after`.
///
/// They come again until they are [acknowledged](acknowledge). When the actor sees little of what there is, a page may
/// have fewer reminders than asked for, and a next one.
///
/// ```
/// use leadcore::desk::{activities, reminders};
/// use leadcore::domain::ActivityFields;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let left = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let mut task = ActivityFields::task("Call back");
///     task.remind_at = Some(ctx.now());
///     activities::add(&ctx, txn, &[lead.id.into()], task)?;
///     let due = reminders::due(&ctx, txn, ctx.now(), None, 100)?.items;
///     assert_eq!(due[0].activity.fields.title.as_deref(), Some("Call back"));
///     reminders::acknowledge(&ctx, txn, &[due[0].activity.id])?;
///     reminders::due(&ctx, txn, ctx.now(), None, 100)
/// })?;
/// assert!(left.items.is_empty());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied`.
pub fn due(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    until: Timestamp,
    after: Option<Place>,
    limit: usize,
) -> Result<Page<Reminder, Place>> {
    if !(1..=MAX_PAGE).contains(&limit) {
        let message = "a page has 1 to 1,000 records";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let mut live = Live::open(ctx, txn)?;
    let (mut after, wanted) = (after, limit.saturating_add(1).max(FEWEST));
    let mut found = Vec::new();
    for _ in 0..ROUNDS {
        let mut read = txn.agenda().reminders(until, after, wanted)?;
        live.learn(txn, read.iter().map(|reminder| &reminder.activity))?;
        let last = read.last().filter(|_| read.len() == wanted).map(place);
        read.retain(|reminder| !live.of(&reminder.activity.about).is_empty());
        found.append(&mut read);
        if found.len() > limit || last.is_none() {
            let page = Page::cut(found, limit, place);
            return Ok(Page { items: shown(ctx, txn, page.items)?, next: page.next });
        }
        after = last;
    }
    Ok(Page { items: shown(ctx, txn, found)?, next: after })
}

/// The same about the records that the actor may see.
fn shown(ctx: &Context<'_>, txn: &mut dyn Txn, due: Vec<Reminder>) -> Result<Vec<Reminder>> {
    let (times, activities): (Vec<_>, Vec<_>) =
        due.into_iter().map(|reminder| (reminder.at, reminder.activity)).unzip();
    let activities = children::shown(ctx, txn, activities)?;
    Ok(times.into_iter().zip(activities).map(|(at, activity)| Reminder { at, activity }).collect())
}

const fn place(reminder: &Reminder) -> Place {
    Place { at: reminder.at, child: reminder.activity.id.as_uuid() }
}

/// Somebody was reminded of these activities: their reminders do not come again. That of a series comes before its next
/// occurrence, by as much time as before the first one; occurrences that began meanwhile are passed over.
///
/// An activity that has no reminder, or none any more, stays as it is. Reminders are no news: the activities do not change,
/// and the timeline does not tell it.
///
/// # Errors
/// `NotFound`, for one that does not exist or that the actor may not see; `Denied`, when the actor is neither its assignee
/// nor may change it. Then nothing is written.
pub fn acknowledge(ctx: &Context<'_>, txn: &mut dyn Txn, ids: &[ActivityId]) -> Result<()> {
    let mut live = Live::open(ctx, txn)?;
    let activities = txn.activities().get(ids)?;
    live.learn(txn, activities.iter())?;
    if activities.len() < ids.len() || activities.iter().any(|activity| live.of(&activity.about).is_empty()) {
        return Err(Error::not_found("activity"));
    }
    // Whom it reminds may; else it takes who may change it.
    for activity in &activities {
        let is_mine =
            activity.fields.assignee.is_some() && activity.fields.assignee.as_ref() == ctx.actor().user();
        if !is_mine {
            children::check_change(ctx, txn, activity)?;
        }
    }
    let pending = txn.agenda().pending(ids)?;
    let moved: Vec<_> =
        pending.iter().map(|reminder| (reminder.activity.id, following(reminder, ctx.now()))).collect();
    txn.agenda().remind(&moved)
}

/// When the reminder of a series comes next.
fn following(reminder: &Reminder, now: Timestamp) -> Option<Timestamp> {
    let fields = &reminder.activity.fields;
    let ActivityBody::Meeting(meeting) = &fields.body else { return None };
    meeting.recurrence.as_ref()?;
    let ahead = meeting.start.at.since(fields.remind_at?);
    let told = reminder.at.saturating_add(ahead);
    meeting.next_occurrence(Some(told.max(now))).map(|next| next.saturating_add(-ahead))
}
