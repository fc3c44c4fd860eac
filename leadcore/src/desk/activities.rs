//! Activities of leads, contacts and accounts: notes, comments, calls, tasks, meetings, messages, tickets and requests
//! for estimates.

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, FieldChange, FieldValue, NewEntry, OperationKind,
    Place, Placement, RequestState, Subject, Tab,
};
use crate::error::Result;
use crate::id::{ActivityId, Revision};
use crate::query::Page;
use crate::store::Txn;
use crate::time::Timestamp;

use super::access::Expect;
use super::children::{self, Child, Listing};
use super::operation::record;

impl Child for Activity {
    const WHAT: &'static str = "activity";

    fn subject(&self) -> Subject {
        self.id.into()
    }

    fn about(&self) -> &[Subject] {
        &self.about
    }

    fn set_about(&mut self, about: Vec<Subject>) {
        self.about = about;
    }

    fn revision(&self) -> Revision {
        self.revision
    }

    fn renew(&mut self, revision: Revision, at: Timestamp) {
        self.revision = revision;
        self.updated_at = at;
    }

    fn placement(&self) -> Placement {
        Self::placement(self, is_open(self), None)
    }

    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        let title = |side: Option<&Self>| -> FieldValue {
            side.and_then(|activity| activity.fields.title.as_deref()).into()
        };
        vec![FieldChange::new("title", title(before), title(after))]
    }

    fn can_return(_: &mut dyn Txn, _: &Self) -> Result<bool> {
        Ok(true)
    }

    fn load(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<Vec<Self>> {
        let ids: Vec<_> = ids.iter().copied().map(ActivityId::from_uuid).collect();
        txn.activities().get(&ids)
    }

    fn insert(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        txn.activities().insert(std::slice::from_ref(child))
    }

    fn update(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        txn.activities().update(std::slice::from_ref(child))
    }

    fn remove(txn: &mut dyn Txn, id: Uuid) -> Result<()> {
        txn.activities().remove(&[ActivityId::from_uuid(id)])
    }
}

/// Whether something is still to be done about it.
fn is_open(activity: &Activity) -> bool {
    match &activity.fields.body {
        ActivityBody::Call(call) => call.outcome.is_none(),
        ActivityBody::Task(task) => task.done_at.is_none(),
        ActivityBody::Meeting(meeting) => !meeting.canceled && meeting.held_until.is_none(),
        ActivityBody::Ticket { closed_at, .. } => closed_at.is_none(),
        ActivityBody::EstimateRequest { state } => {
            matches!(state, RequestState::New | RequestState::Processing)
        }
        ActivityBody::Note | ActivityBody::Comment { .. } | ActivityBody::Message(_) => false,
    }
}

/// Adds an activity about these records.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` when one is a converted lead; `Invalid` with every broken rule.
pub fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    fields: ActivityFields,
) -> Result<Activity> {
    let tab = Tab::Activity(fields.body.kind());
    let about = children::check_about(ctx, txn, about, &tab)?;
    let now = ctx.now();
    let activity = Activity {
        id: ActivityId::from_uuid(ctx.new_uuid()),
        revision: Revision::FIRST,
        about,
        fields,
        created_by: ctx.actor().clone(),
        created_at: now,
        updated_at: now,
    };
    let entries = children::add(ctx, txn, &activity)?;
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(activity)
}

/// The activity, if the actor may see a record that it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId) -> Result<Activity> {
    children::get(ctx, txn, id.as_uuid())
}

/// Writes all fields of an activity.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    fields: ActivityFields,
) -> Result<Activity> {
    let before = get(ctx, txn, id)?;
    children::check_change(ctx, txn, &before)?;
    expect.into().check("activity", before.revision)?;
    let after = Activity { fields, ..before.clone() };
    let (after, entries) = children::replace(ctx, txn, &before, after)?;
    written(ctx, txn, OperationKind::Edit, &entries)?;
    Ok(after)
}

/// Removes an activity. An undo of the operation brings it back.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId, expect: impl Into<Expect>) -> Result<()> {
    let activity = get(ctx, txn, id)?;
    children::check_change(ctx, txn, &activity)?;
    expect.into().check("activity", activity.revision)?;
    let mut entries = super::files::remove_about(ctx, txn, activity.subject())?;
    entries.extend(children::take_away(ctx, txn, &activity)?);
    written(ctx, txn, OperationKind::Delete, &entries)
}

fn written(ctx: &Context<'_>, txn: &mut dyn Txn, kind: OperationKind, entries: &[NewEntry]) -> Result<()> {
    if entries.is_empty() { Ok(()) } else { record(ctx, txn, kind, entries).map(drop) }
}

/// A page of the activities about a lead, contact or account, of these kinds (any, when there is none), by when they
/// were or are due.
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
