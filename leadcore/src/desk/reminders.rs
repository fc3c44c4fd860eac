//! Reminders (S1.23, X.23): what a host polls, and how it says that somebody was reminded.

use crate::context::Context;
use crate::domain::{ActivityBody, Place, Reminder};
use crate::error::{Error, Result};
use crate::id::ActivityId;
use crate::query::{Asked, ListCursor, Page};
use crate::store::Txn;
use crate::time::Timestamp;

use super::children;
use super::listing::check_limit;
use super::live::Live;

/// The reminders that are due at this time (now, when none is said), the earliest first: of activities that are open, about records that the actor
/// may see and that are not in the trash. At most `limit` (1 to 1,000), from behind `after`.
///
/// They come again until they are [acknowledged](acknowledge). When the actor sees little of what there is, a page may
/// have fewer reminders than asked for, and a next one. The cursor of a page belongs to the time that was asked for; of
/// what is due now, each page looks at the clock again.
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
/// `Invalid` for a limit that does not fit, or a cursor of another list; `Denied`.
pub fn due(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    until: impl Into<Option<Timestamp>>,
    after: Option<ListCursor>,
    limit: usize,
) -> Result<Page<Reminder, ListCursor>> {
    check_limit(limit)?;
    let mut live = Live::open(ctx, txn)?;
    let until: Option<Timestamp> = until.into();
    let list = Asked::new(&("reminders", until));
    let (after, until) = (list.place(after.as_ref())?, until.unwrap_or(ctx.now()));
    let read = |txn: &mut dyn Txn, after, limit| txn.agenda().reminders(until, after, limit);
    let found = live.page(txn, after, limit, read, |reminder| (&reminder.activity, place(reminder)))?;
    let next = found.next.map(|place| list.behind(place));
    Ok(Page { items: shown(ctx, txn, found.items)?, next })
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
