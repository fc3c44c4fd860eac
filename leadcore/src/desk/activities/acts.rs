//! What people do with an activity in one click.

use chrono::TimeDelta;
use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, CallOutcome, Moment, NewEntry, OperationKind,
    RequestState, Subject, SubjectKind, Tab, Task, next_due,
};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{ActivityId, LeadId, Revision, UserId};
use crate::store::Txn;
use crate::time::{Date, Timestamp};

use super::super::access::Expect;
use super::super::children;
use super::{changeable, new, rewrite, store, written};

/// By how many days [`snooze`] puts off.
const SNOOZE: i64 = 7;

/// What became of an activity that was completed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Completed {
    /// The activity, completed.
    pub activity: Activity,
    /// The next task, when it comes again by a rule.
    pub next: Option<Activity>,
}

/// A kind that cannot be dealt with so.
fn unfit(message: &str) -> Error {
    Violation::new("kind", ViolationCode::NotAllowed, message).into()
}

/// Changes some fields and writes them.
fn act(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: Expect,
    change: impl FnOnce(&mut ActivityFields) -> Result<()>,
) -> Result<Activity> {
    let before = changeable(ctx, txn, id, expect)?;
    let mut fields = before.fields.clone();
    change(&mut fields)?;
    let (after, entries) = rewrite(ctx, txn, &before, fields)?;
    written(ctx, txn, OperationKind::Edit, &entries)?;
    children::shown_one(ctx, txn, after)
}

/// A task is done, a meeting was held, a ticket is closed: now. Of a series of meetings the next occurrence that was not
/// held was. What was completed already stays as it is.
///
/// A task that comes again by a rule leaves the next one behind, in the same operation: the first that is due after this
/// one and after now, with the same assignee, about the same records; about the account instead of a lead that was
/// converted meanwhile. Where nothing that it is about takes new tasks, there is none.
///
/// ```
/// use leadcore::desk::{Expect, activities};
/// use leadcore::domain::ActivityFields;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let done = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let task = activities::add(&ctx, txn, &[lead.id.into()], ActivityFields::task("Call back"))?;
///     activities::complete(&ctx, txn, task.id, Expect::Any)
/// })?;
/// assert!(!done.activity.is_open() && done.next.is_none());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed this kind; `Invalid`
/// for a meeting that was canceled, and for a kind that is not completed: a call is by [`complete_call`], a request for an
/// estimate by [`set_state`].
pub fn complete(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
) -> Result<Completed> {
    let before = changeable(ctx, txn, id, expect.into())?;
    if !before.is_open() && !is_canceled(&before) {
        return match before.kind() {
            ActivityKind::Task | ActivityKind::Meeting | ActivityKind::Ticket => {
                Ok(Completed { activity: children::shown_one(ctx, txn, before)?, next: None })
            }
            _ => Err(unfit("an activity of this kind is not completed")),
        };
    }
    let mut fields = before.fields.clone();
    match &mut fields.body {
        ActivityBody::Task(task) => task.done_at = Some(ctx.now()),
        ActivityBody::Ticket { closed_at, .. } => *closed_at = Some(ctx.now()),
        ActivityBody::Meeting(meeting) if meeting.canceled => {
            let message = "a meeting that was canceled is not held: reopen it first";
            return Err(Violation::new("canceled", ViolationCode::NotAllowed, message).into());
        }
        ActivityBody::Meeting(meeting) => {
            let held = meeting.next_open();
            meeting.held_until = Some(match (&meeting.recurrence, held) {
                (Some(_), Some(occurrence)) => occurrence,
                _ => ctx.now(),
            });
        }
        _ => return Err(unfit("an activity of this kind is not completed: say what came of it")),
    }
    let next = match &before.fields.body {
        ActivityBody::Task(task) if !has_next(txn, task)? => next_task(ctx, txn, &before, task)?,
        _ => None,
    };
    if let (Some(next), ActivityBody::Task(task)) = (&next, &mut fields.body) {
        task.next = Some(next.id);
    }
    let (activity, mut entries) = rewrite(ctx, txn, &before, fields)?;
    if let Some(next) = &next {
        entries.extend(store(ctx, txn, std::slice::from_ref(next))?);
    }
    written(ctx, txn, OperationKind::Edit, &entries)?;
    Ok(Completed { activity: children::shown_one(ctx, txn, activity)?, next })
}

fn is_canceled(activity: &Activity) -> bool {
    matches!(&activity.fields.body, ActivityBody::Meeting(meeting) if meeting.canceled)
}

/// Whether the task that followed when this one was done before is still there.
fn has_next(txn: &mut dyn Txn, task: &Task) -> Result<bool> {
    let Some(next) = task.next else { return Ok(false) };
    Ok(!txn.activities().get(&[next])?.is_empty())
}

/// Takes the task away that followed when this one was done, unless somebody touched it.
fn take_back_next(ctx: &Context<'_>, txn: &mut dyn Txn, task: &mut Task) -> Result<Vec<NewEntry>> {
    let Some(id) = task.next else { return Ok(Vec::new()) };
    let next = txn.activities().get(&[id])?.pop();
    let Some(next) = next.filter(|next| next.revision == Revision::FIRST) else { return Ok(Vec::new()) };
    task.next = None;
    let mut entries = super::super::children_purge::clear(ctx, txn, id.into())?;
    entries.extend(children::take_away(ctx, txn, &next)?);
    Ok(entries)
}

/// The task that follows by the rule; nothing is written.
fn next_task(ctx: &Context<'_>, txn: &mut dyn Txn, done: &Activity, task: &Task) -> Result<Option<Activity>> {
    let (Some(rule), Some(due)) = (&task.recurrence, task.due) else { return Ok(None) };
    // What is due today is not late: a whole day is behind us when it is over where the actor is.
    let today = Date::in_zone(ctx.now(), ctx.utc_offset());
    let after = due.day.map_or(ctx.now(), |_| Moment::day(today).plus_days(-1).at);
    let Some((next, recurrence)) = next_due(rule, due, after)? else { return Ok(None) };
    let about = still_about(ctx, txn, done)?;
    if about.is_empty() {
        return Ok(None);
    }
    let later = next.at.since(due.at);
    let fields = ActivityFields {
        remind_at: done.fields.remind_at.map(|at| at.saturating_add(later)),
        body: ActivityBody::Task(Task {
            due: Some(next),
            done_at: None,
            recurrence,
            next: None,
            ..task.clone()
        }),
        ..done.fields.clone()
    };
    Ok(Some(new(ctx, about, fields)))
}

/// What a new activity of this kind can be about, of what an old one is about: instead of a converted lead its account.
pub(super) fn still_about(ctx: &Context<'_>, txn: &mut dyn Txn, activity: &Activity) -> Result<Vec<Subject>> {
    let mut about: Vec<Subject> = Vec::new();
    for subject in &activity.about {
        let mut subject = *subject;
        if subject.kind == SubjectKind::Lead {
            let found = txn.leads().get(&[LeadId::from_uuid(subject.id)])?;
            let onwards = found.first().map(|lead| children::became(txn, lead)).transpose()?;
            subject = onwards.unwrap_or_default().first().copied().unwrap_or(subject);
        }
        if about.contains(&subject) {
            continue;
        }
        match children::check_about(ctx, txn, &[subject], &Tab::Activity(activity.kind())) {
            Ok(_) => about.push(subject),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Frozen | ErrorKind::Conflict => {}
                _ => return Err(error),
            },
        }
    }
    Ok(about)
}

/// A call was made, with this outcome (X.65). Planned for later, it was made now.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed calls; `Invalid` when
/// it is no call, or took more than a week.
pub fn complete_call(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    outcome: CallOutcome,
    seconds: Option<u32>,
) -> Result<Activity> {
    act(ctx, txn, id, expect.into(), |fields| {
        let ActivityBody::Call(call) = &mut fields.body else {
            return Err(unfit("only a call has such an outcome"));
        };
        if call.outcome.is_none() {
            call.at = call.at.min(ctx.now());
        }
        call.outcome = Some(outcome);
        call.duration = seconds.or(call.duration);
        Ok(())
    })
}

/// A task, ticket, call or meeting is open again; a meeting takes place after all. Of a series that was not canceled the
/// last occurrence that was held is open again, those before it stay held.
///
/// The task that followed by the rule when this one was done goes, in the same operation, unless somebody changed it: then
/// it stays, and no other one follows when this one is done again.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed this kind; `Invalid`
/// for other kinds.
pub fn reopen(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
) -> Result<Activity> {
    let before = changeable(ctx, txn, id, expect.into())?;
    let mut fields = before.fields.clone();
    let mut gone = Vec::new();
    match &mut fields.body {
        ActivityBody::Task(task) => {
            gone = take_back_next(ctx, txn, task)?;
            task.done_at = None;
        }
        ActivityBody::Ticket { closed_at, .. } => *closed_at = None,
        ActivityBody::Call(call) => call.outcome = None,
        ActivityBody::Meeting(meeting) if meeting.canceled => meeting.canceled = false,
        ActivityBody::Meeting(meeting) => {
            let held = meeting.held_until.filter(|_| meeting.recurrence.is_some());
            meeting.held_until = held.and_then(|held| meeting.previous_occurrence(held));
        }
        _ => return Err(unfit("an activity of this kind is not reopened")),
    }
    let (after, mut entries) = rewrite(ctx, txn, &before, fields)?;
    entries.extend(gone);
    written(ctx, txn, OperationKind::Edit, &entries)?;
    Ok(after)
}

/// A meeting, or all that is left of a series, does not take place.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed meetings; `Invalid`
/// for other kinds, and for a meeting that was held.
pub fn cancel(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
) -> Result<Activity> {
    act(ctx, txn, id, expect.into(), |fields| match &mut fields.body {
        ActivityBody::Meeting(meeting) if !meeting.canceled && meeting.next_open().is_none() => {
            let message = "a meeting that was held is not canceled";
            Err(Violation::new("held_until", ViolationCode::NotAllowed, message).into())
        }
        ActivityBody::Meeting(meeting) => {
            meeting.canceled = true;
            Ok(())
        }
        _ => Err(unfit("only a meeting is canceled")),
    })
}

/// Gives an activity to a user, or to nobody.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed this kind; `Invalid`
/// when the policy does not let the actor give anything to this user.
pub fn assign(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    user: Option<UserId>,
) -> Result<Activity> {
    act(ctx, txn, id, expect.into(), |fields| {
        fields.assignee = user;
        Ok(())
    })
}

/// Says how far a request for an estimate is (S0.28).
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed such requests;
/// `Invalid` for other kinds.
pub fn set_state(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    state: RequestState,
) -> Result<Activity> {
    act(ctx, txn, id, expect.into(), |fields| match &mut fields.body {
        ActivityBody::EstimateRequest { state: known } => {
            *known = state;
            Ok(())
        }
        _ => Err(unfit("only a request for an estimate has such a state")),
    })
}

/// Puts off what is still to be done by a week: from today when it is late, else from its own day. The time of the day
/// stays; a reminder and the end of a meeting move along. A task that is not due yet becomes due in a week.
///
/// ```
/// use leadcore::desk::{Expect, activities};
/// use leadcore::domain::{ActivityBody, ActivityFields, Moment};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::new("2026-11-22T08:00:00Z".parse()?), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let late = Moment::day("2026-11-03".parse()?);
/// let task = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let task = activities::add(&ctx, txn, &[lead.id.into()], ActivityFields::task("Call back").due(late))?;
///     activities::snooze(&ctx, txn, task.id, Expect::Any)
/// })?;
/// let ActivityBody::Task(task) = task.fields.body else { panic!("it was a task") };
/// assert_eq!(task.due.and_then(|due| due.day), Some("2026-11-29".parse()?));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed this kind; `Invalid`
/// for what is not open, a series of meetings, and kinds without a time of their own.
pub fn snooze(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
) -> Result<Activity> {
    let before = changeable(ctx, txn, id, expect.into())?;
    if !before.is_open() {
        return Err(unfit("what is done cannot be put off"));
    }
    let mut fields = before.fields.clone();
    let today = Date::in_zone(ctx.now(), ctx.utc_offset());
    let mut moved = TimeDelta::zero();
    let mut put_off = |moment: &mut Moment| {
        let days = days_off(*moment, today, ctx);
        let was = std::mem::replace(moment, moment.plus_days(days));
        moved = moment.at.since(was.at);
        days
    };
    match &mut fields.body {
        ActivityBody::Task(task) => match &mut task.due {
            Some(due) => drop(put_off(due)),
            none => *none = Some(Moment::day(today.saturating_add_days(SNOOZE))),
        },
        ActivityBody::Call(call) => {
            let mut at = Moment::at(call.at);
            put_off(&mut at);
            call.at = at.at;
        }
        ActivityBody::Meeting(meeting) if meeting.recurrence.is_some() => {
            let message = "a series is not put off as a whole: change its rule";
            return Err(Violation::new("recurrence", ViolationCode::NotAllowed, message).into());
        }
        ActivityBody::Meeting(meeting) => {
            let days = put_off(&mut meeting.start);
            meeting.end = meeting.end.plus_days(days);
        }
        _ => return Err(unfit("an activity of this kind has no time of its own")),
    }
    fields.remind_at = fields.remind_at.map(|at: Timestamp| at.saturating_add(moved));
    let (after, entries) = rewrite(ctx, txn, &before, fields)?;
    written(ctx, txn, OperationKind::Edit, &entries)?;
    children::shown_one(ctx, txn, after)
}

/// By how many days something moves that is put off.
fn days_off(moment: Moment, today: Date, ctx: &Context<'_>) -> i64 {
    let late = today.as_days().saturating_sub(moment.date(ctx.utc_offset()).as_days());
    late.max(0).saturating_add(SNOOZE)
}
