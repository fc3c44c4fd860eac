//! Activities of leads, contacts and accounts: notes, comments, calls, tasks, meetings, messages, tickets and requests
//! for estimates.
//!
//! An activity is written as a whole with [`add`] and [`edit`]; what people do with one click is an act of its own:
//! [`complete`], [`complete_call`], [`reopen`], [`cancel`], [`assign`], [`snooze`], [`set_state`]. Lists are those [of one
//! record](of) and those [across all](all), [of one user](assigned_to) for example.

mod acts;
mod lists;
mod log;
mod occurrences;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Activity, ActivityBody, ActivityDraft, ActivityFields, ActivityKind, FieldChange, FieldValue, NewEntry,
    OperationKind, Participant, Subject, SubjectKind, Tab, occurrence,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{ActivityId, Revision};
use crate::store::Txn;
use crate::time::Timestamp;

use super::access::Expect;
use super::children::{self, Child, Sight, stored_child};
use super::children_purge;
use super::operation::record;

pub use acts::{Completed, assign, cancel, complete, complete_call, reopen, set_state, snooze};
pub use lists::{all, assigned_to, of};
pub use log::{Logged, log};
pub use occurrences::{Replaced, occurrence, replace, skip};

impl Child for Activity {
    const WHAT: &'static str = "activity";

    stored_child!(activities by ActivityId, written apart);

    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        Self::told(before, after)
    }

    fn insert(txn: &mut dyn Txn, children: &[Self]) -> Result<()> {
        txn.activities().insert(children)?;
        // One that comes back was written just now.
        let back = children
            .iter()
            .filter(|child| child.revision != Revision::FIRST && child.fields.remind_at.is_some())
            .map(|child| (child.id, child.returned_reminder(child.updated_at)));
        remind(txn, &back.collect::<Vec<_>>())
    }

    /// When it reminds next, where that is still of use: nothing, when its reminder was acknowledged.
    fn kept(txn: &mut dyn Txn, child: &Self) -> Result<Option<FieldValue>> {
        if child.fields.remind_at.is_none() || !child.wants_reminder() {
            return Ok(None);
        }
        let pending = txn.agenda().pending(&[child.id])?.pop();
        Ok(Some(pending.map(|reminder| reminder.at).into()))
    }

    /// What was acknowledged does not come again.
    fn resume(ctx: &Context<'_>, txn: &mut dyn Txn, id: Uuid, kept: &FieldValue) -> Result<()> {
        let next = match kept {
            FieldValue::Time(at) => Some(*at),
            FieldValue::Text(text) => text.parse().ok(),
            _ => None,
        };
        // What was due meanwhile was looked at when it came back.
        if next.is_some_and(|at| at <= ctx.now()) {
            return Ok(());
        }
        remind(txn, &[(ActivityId::from_uuid(id), next)])
    }

    fn update(txn: &mut dyn Txn, children: &[Self]) -> Result<()> {
        let ids: Vec<_> = children.iter().map(|child| child.id).collect();
        let stored: BTreeMap<_, _> = txn
            .activities()
            .get(&ids)?
            .into_iter()
            .map(|stored| (stored.id, stored.fields.remind_at))
            .collect();
        txn.activities().update(children)?;
        let moved = children
            .iter()
            .filter(|child| stored.get(&child.id).is_some_and(|known| *known != child.fields.remind_at))
            .map(|child| (child.id, child.new_reminder(child.updated_at)));
        remind(txn, &moved.collect::<Vec<_>>())
    }
}

/// Sets reminders, where there are any.
fn remind(txn: &mut dyn Txn, reminders: &[(ActivityId, Option<Timestamp>)]) -> Result<()> {
    if reminders.is_empty() { Ok(()) } else { txn.agenda().remind(reminders) }
}

/// Adds an activity about these records: leads, contacts, accounts.
///
/// ```
/// use leadcore::desk::activities;
/// use leadcore::domain::ActivityFields;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let task = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let call_back = ActivityFields::task("Call back").due("2026-11-24T09:00:00Z".parse::<Timestamp>()?);
///     activities::add(&ctx, txn, &[lead.id.into()], call_back)
/// })?;
/// assert!(task.is_open());
/// # use leadcore::time::Timestamp;
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` when one of the records is a converted lead: its account takes new activities;
/// `Conflict` when the tenant's [functions](super::functions) close this kind (`note`, `task` …) for a lead; `Invalid` with
/// every broken rule.
pub fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    fields: ActivityFields,
) -> Result<Activity> {
    let mut added = add_many(ctx, txn, vec![ActivityDraft { about: about.to_vec(), fields }])?;
    added.pop().ok_or_else(|| Error::not_found(Activity::WHAT))
}

/// Adds several activities in one operation: all or none.
///
/// ```
/// use leadcore::desk::activities;
/// use leadcore::domain::ActivityFields;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let added = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let notes = ["They called.", "We called back."].map(|text| ActivityFields::note(text).about([lead.id]));
///     activities::add_many(&ctx, txn, notes.to_vec())
/// })?;
/// assert_eq!(added.len(), 2);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As for [`add`]; fields of a second and later draft are named as `drafts[1].title`.
pub fn add_many(ctx: &Context<'_>, txn: &mut dyn Txn, drafts: Vec<ActivityDraft>) -> Result<Vec<Activity>> {
    ctx.check_tenant(txn)?;
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let ready = prepare(ctx, txn, drafts)?;
    let entries = store(ctx, txn, &ready)?;
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(ready)
}

/// New activities that keep every rule; nothing is written.
fn prepare(ctx: &Context<'_>, txn: &mut dyn Txn, drafts: Vec<ActivityDraft>) -> Result<Vec<Activity>> {
    let mut known: BTreeMap<(Vec<Subject>, ActivityKind), Vec<Subject>> = BTreeMap::new();
    let mut broken = Vec::new();
    let mut ready = Vec::with_capacity(drafts.len());
    for (n, ActivityDraft { about, mut fields }) in drafts.into_iter().enumerate() {
        let mut of_this = Vec::new();
        let key = (about, fields.body.kind());
        let checked = match known.get(&key) {
            Some(checked) => checked.clone(),
            None => match children::check_about(ctx, txn, &key.0, &Tab::Activity(key.1)) {
                Ok(checked) => known.entry(key).or_insert(checked).clone(),
                Err(error) if error.violations().is_empty() => return Err(error),
                Err(error) => {
                    of_this.extend(error.violations().iter().cloned());
                    Vec::new()
                }
            },
        };
        fields.keep_links(None);
        of_this.extend(check(ctx, txn, None, &mut fields)?);
        if n > 0 {
            of_this.iter_mut().for_each(|v| v.field = format!("drafts[{n}].{}", v.field));
        }
        broken.append(&mut of_this);
        ready.push(new(ctx, checked, fields));
    }
    if broken.is_empty() { Ok(ready) } else { Err(Error::invalid(broken)) }
}

fn new(ctx: &Context<'_>, about: Vec<Subject>, fields: ActivityFields) -> Activity {
    let now = ctx.now();
    Activity {
        id: ActivityId::from_uuid(ctx.new_uuid()),
        revision: Revision::FIRST,
        about,
        fields,
        created_by: ctx.actor().clone(),
        created_at: now,
        updated_at: now,
    }
}

fn store(ctx: &Context<'_>, txn: &mut dyn Txn, new: &[Activity]) -> Result<Vec<NewEntry>> {
    let mut entries = Vec::new();
    for activity in new {
        entries.extend(children::add(ctx, txn, activity)?);
    }
    Ok(entries)
}

/// The rules of the record, of the policy and of what it names, for fields that are new or come after `before`. What was
/// there before is not asked about again.
fn check(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: Option<&ActivityFields>,
    fields: &mut ActivityFields,
) -> Result<Vec<Violation>> {
    let mut broken = fields.violations();
    fields.tidy();
    if before.is_some_and(|before| before.body.kind() != fields.body.kind()) {
        let message = "an activity stays of its kind";
        broken.push(Violation::new("kind", ViolationCode::NotAllowed, message));
    }
    let was = before.and_then(|before| before.assignee.as_ref());
    if let Some(user) = fields.assignee.as_ref().filter(|user| was != Some(user))
        && !ctx.policy().may_own(ctx.actor(), user)
    {
        broken.push(Violation::new("assignee", ViolationCode::NotAllowed, "this user takes no activities"));
    }
    // A rule that cannot be followed is refused before anybody waits for what comes next.
    let of_times = occurrence::check(fields)?;
    let new = |violation: &Violation| broken.iter().all(|known| known.field != violation.field);
    let of_times: Vec<_> = of_times.into_iter().filter(new).collect();
    broken.extend(of_times);
    broken.extend(check_participants(ctx, txn, before, fields)?);
    Ok(broken)
}

/// Refuses participants that are no contact, lead or account that the actor sees.
fn check_participants(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: Option<&ActivityFields>,
    fields: &ActivityFields,
) -> Result<Vec<Violation>> {
    fn participants(fields: &ActivityFields) -> &[Participant] {
        match &fields.body {
            ActivityBody::Meeting(meeting) => &meeting.participants,
            _ => &[],
        }
    }
    let known = before.map(participants).unwrap_or_default();
    let records = participants(fields).iter().enumerate().filter_map(|(n, participant)| match participant {
        Participant::Record(subject) if !known.contains(participant) => Some((n, *subject)),
        _ => None,
    });
    let records: Vec<_> = records.collect();
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let mut sight = Sight::open(ctx, txn)?;
    let takes_part = |subject: &Subject| {
        matches!(subject.kind, SubjectKind::Contact | SubjectKind::Lead | SubjectKind::Account)
    };
    let subjects: Vec<_> = records.iter().map(|(_, subject)| *subject).filter(takes_part).collect();
    sight.learn(txn, &subjects)?;
    let missing = records.iter().filter(|(_, subject)| !takes_part(subject) || !sight.sees(*subject));
    let message = "there is no such contact, lead or account";
    Ok(missing
        .map(|(n, _)| Violation::new(format!("participants[{n}]"), ViolationCode::Unknown, message))
        .collect())
}

/// The activity, if the actor may see a record that it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId) -> Result<Activity> {
    let activity = children::get(ctx, txn, id.as_uuid())?;
    children::shown_one(ctx, txn, activity)
}

/// Writes all fields of an activity; it stays of its kind. Without a difference nothing is written.
///
/// What is moved to another time takes its reminder along, by as much, when that came before it and is left as it was.
///
/// ```
/// use leadcore::desk::activities;
/// use leadcore::domain::ActivityFields;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let note = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let note = activities::add(&ctx, txn, &[lead.id.into()], ActivityFields::note("They caled."))?;
///     activities::edit(&ctx, txn, note.id, note.revision, ActivityFields::note("They called."))
/// })?;
/// assert_eq!(note.fields.text.as_deref(), Some("They called."));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed this kind; `Invalid`
/// with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    mut fields: ActivityFields,
) -> Result<Activity> {
    let before = changeable(ctx, txn, id, expect.into())?;
    fields.keep_links(Some(&before.fields));
    fields.move_reminder(&before.fields);
    let (after, entries) = rewrite(ctx, txn, &before, fields)?;
    written(ctx, txn, OperationKind::Edit, &entries)?;
    children::shown_one(ctx, txn, after)
}

/// The activity, if the actor may change it as it is expected to be.
fn changeable(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId, expect: Expect) -> Result<Activity> {
    let activity: Activity = children::get(ctx, txn, id.as_uuid())?;
    children::check_change(ctx, txn, &activity)?;
    expect.check(Activity::WHAT, activity.revision)?;
    Ok(activity)
}

/// Writes other fields if they keep every rule.
fn rewrite(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &Activity,
    mut fields: ActivityFields,
) -> Result<(Activity, Vec<NewEntry>)> {
    let broken = check(ctx, txn, Some(&before.fields), &mut fields)?;
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    children::replace(ctx, txn, before, Activity { fields, ..before.clone() })
}

/// Removes an activity. An undo of the operation brings it back.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId, expect: impl Into<Expect>) -> Result<()> {
    let activity = changeable(ctx, txn, id, expect.into())?;
    let mut entries = children_purge::clear(ctx, txn, activity.subject())?;
    entries.extend(children::take_away(ctx, txn, &activity)?);
    written(ctx, txn, OperationKind::Delete, &entries)
}

fn written(ctx: &Context<'_>, txn: &mut dyn Txn, kind: OperationKind, entries: &[NewEntry]) -> Result<()> {
    if entries.is_empty() { Ok(()) } else { record(ctx, txn, kind, entries).map(drop) }
}
