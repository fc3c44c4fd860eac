//! Single occurrences of a series: left out, or replaced by a meeting of their own (RFC 5545, sections 3.8.4.4 and 3.8.5.1).

use serde::Serialize;

use crate::context::Context;
use crate::domain::occurrence::Occurrence;
use crate::domain::{Activity, ActivityBody, ActivityFields, Meeting, OccurrenceOf, OperationKind, Tab};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::ActivityId;
use crate::store::Txn;
use crate::time::Date;

use super::super::access::Expect;
use super::super::children;
use super::acts::still_about;
use super::{changeable, check, get, new, rewrite, store, written};

/// What became of a series of which one occurrence was replaced.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Replaced {
    /// The series, without this occurrence.
    pub series: Activity,
    /// The meeting that takes its place.
    pub meeting: Activity,
}

/// One occurrence of a series does not take place: that of this day where it is held. The rest stays as it is; a counted
/// series does not get another one instead.
///
/// ```
/// # #[cfg(feature = "calendar")] {
/// use leadcore::desk::{Expect, activities};
/// use leadcore::domain::{ActivityFields, Recurrence};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let (start, end) = ("2026-11-23T09:00:00Z".parse::<Timestamp>()?, "2026-11-23T10:00:00Z".parse::<Timestamp>()?);
/// let next = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let weekly = ActivityFields::meeting("Weekly", start, end).recurring(Recurrence::weekly());
///     let series = activities::add(&ctx, txn, &[lead.id.into()], weekly.clone())?;
///     activities::skip(&ctx, txn, series.id, Expect::Any, "2026-11-23".parse()?)
/// })?;
/// assert_eq!(next.follow_up().map(|next| next.at), Some("2026-11-30T09:00:00Z".parse()?));
/// # }
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or the tenant closed meetings; `Invalid`
/// for what is no series, a day on which it does not take place, and more than 1,000 exceptions.
pub fn skip(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    day: Date,
) -> Result<Activity> {
    let before = changeable(ctx, txn, id, expect.into())?;
    let (fields, occurrence) = without(&before, day)?;
    let (after, entries) = rewrite(ctx, txn, &before, fields)?;
    pass_over(txn, &after, &occurrence)?;
    written(ctx, txn, OperationKind::Edit, &entries)?;
    Ok(after)
}

/// The fields of one occurrence of a series, as a meeting of its own: what [`replace`] can be given, changed.
///
/// # Errors
/// `NotFound`; `Invalid` for what is no series, and a day on which it does not take place.
pub fn occurrence(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId, day: Date) -> Result<ActivityFields> {
    let series = get(ctx, txn, id)?;
    let (_, occurrence) = series_on(&series, day)?;
    let mut fields = series.fields;
    let mut later = chrono::TimeDelta::zero();
    if let ActivityBody::Meeting(meeting) = &mut fields.body {
        later = occurrence.start.at.since(meeting.start.at);
        (meeting.start, meeting.end) = (occurrence.start, occurrence.end);
        (meeting.recurrence, meeting.held_until, meeting.canceled) = (None, None, false);
        meeting.exceptions.clear();
    }
    fields.remind_at = fields.remind_at.map(|at| at.saturating_add(later));
    Ok(fields)
}

/// One occurrence of a series takes place otherwise, at another time for example: it is left out of the series, and a
/// meeting of its own that knows of it takes its place, in one operation. About the same records; about the account
/// instead of a lead that was converted meanwhile.
///
/// # Errors
/// As for [`skip`]; `Invalid` also with every rule that the new meeting breaks, and when it is a series itself.
pub fn replace(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ActivityId,
    expect: impl Into<Expect>,
    day: Date,
    mut by: ActivityFields,
) -> Result<Replaced> {
    let before = changeable(ctx, txn, id, expect.into())?;
    let (fields, occurrence) = without(&before, day)?;
    match &mut by.body {
        ActivityBody::Meeting(meeting) if meeting.recurrence.is_none() => {
            meeting.instead_of = Some(OccurrenceOf { series: id, day });
        }
        ActivityBody::Meeting(_) => {
            let message = "one occurrence is replaced by one meeting, not by a series";
            return Err(Violation::new("recurrence", ViolationCode::NotAllowed, message).into());
        }
        _ => {
            let message = "an occurrence of a meeting is replaced by a meeting";
            return Err(Violation::new("kind", ViolationCode::NotAllowed, message).into());
        }
    }
    let mut about = still_about(ctx, txn, &before)?;
    if about.is_empty() {
        about = children::check_about(ctx, txn, &before.about, &Tab::Activity(before.kind()))?;
    }
    let broken = check(ctx, txn, Some(&before.fields), &mut by)?;
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let (series, mut entries) = rewrite(ctx, txn, &before, fields)?;
    pass_over(txn, &series, &occurrence)?;
    let meeting = new(ctx, about, by);
    entries.extend(store(ctx, txn, std::slice::from_ref(&meeting))?);
    written(ctx, txn, OperationKind::Edit, &entries)?;
    Ok(Replaced { series, meeting })
}

/// The meeting of a series, and its occurrence of a day.
fn series_on(series: &Activity, day: Date) -> Result<(&Meeting, Occurrence)> {
    let meeting = match &series.fields.body {
        ActivityBody::Meeting(meeting) if meeting.recurrence.is_some() => meeting,
        _ => {
            let message = "only a series of meetings has occurrences";
            return Err(Violation::new("recurrence", ViolationCode::NotAllowed, message).into());
        }
    };
    let occurrence = meeting.occurrence_on(day)?.ok_or_else(|| {
        Error::invalid_field("day", ViolationCode::Unknown, "the series does not take place on this day")
    })?;
    Ok((meeting, occurrence))
}

/// The fields of a series that leaves out a day, and the occurrence of that day.
fn without(series: &Activity, day: Date) -> Result<(ActivityFields, Occurrence)> {
    let (_, occurrence) = series_on(series, day)?;
    let mut fields = series.fields.clone();
    if let ActivityBody::Meeting(meeting) = &mut fields.body {
        meeting.exceptions.push(day);
    }
    Ok((fields, occurrence))
}

/// A reminder of an occurrence that is no more is that of the next one.
fn pass_over(txn: &mut dyn Txn, series: &Activity, gone: &Occurrence) -> Result<()> {
    let Some(reminder) = txn.agenda().pending(&[series.id])?.pop() else { return Ok(()) };
    let (ActivityBody::Meeting(meeting), Some(first)) = (&series.fields.body, series.fields.remind_at) else {
        return Ok(());
    };
    let ahead = meeting.start.at.since(first);
    let told = reminder.at.saturating_add(ahead);
    if told != gone.start.at {
        return Ok(());
    }
    let next = meeting.next_occurrence(Some(told)).map(|next| next.saturating_add(-ahead));
    txn.agenda().remind(&[(series.id, next)])
}
