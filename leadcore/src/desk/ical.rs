//! Activities as iCalendar text (RFC 5545), for the calendars of others.
//!
//! Meetings and calls are events, tasks are to-dos. Each has the same `UID` for ever (`<activity id>@leadcore`), its
//! revision as `SEQUENCE` and the time of its last change as `DTSTAMP`: the same activities give the same text, and a
//! calendar that has read an earlier one takes the new one in its place. Time zones are named by IANA (`TZID=Europe/Oslo`)
//! and not spelt out.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use icalendar::{Calendar, Component as _, Event, EventLike as _, Property, Todo};

use crate::context::Context;
use crate::domain::{
    Activity, ActivityBody, ActivityKind, Call, Meeting, Priority, Subject, Task, occurrence,
};
use crate::error::Result;
use crate::id::ActivityId;
use crate::store::Txn;
use crate::time::{Date, Timestamp};

use super::activities;
use super::calendar::{self, OverviewQuery};
use super::listing::Listing;

const KINDS: [ActivityKind; 3] = [ActivityKind::Call, ActivityKind::Task, ActivityKind::Meeting];

/// These activities as one calendar. What is no call, task or meeting is left out.
///
/// ```
/// use leadcore::desk::{activities, ical};
/// use leadcore::domain::{ActivityFields, Recurrence, Weekday};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let (start, end) = ("2026-10-19T07:00:00Z".parse::<Timestamp>()?, "2026-10-19T08:00:00Z".parse::<Timestamp>()?);
/// let weekly = ActivityFields::meeting("Weekly; with Kari", start, end)
///     .zone("Europe/Oslo")
///     .recurring(Recurrence::weekly().on(Weekday::Mon).count(10)?);
/// let text = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let meeting = activities::add(&ctx, txn, &[lead.id.into()], weekly.clone())?;
///     ical::activity(&ctx, txn, meeting.id)
/// })?;
/// assert!(text.contains("DTSTART;TZID=Europe/Oslo:20261019T090000\r\n"));
/// assert!(text.contains("RRULE:FREQ=WEEKLY;COUNT=10;BYDAY=MO\r\n"));
/// assert!(text.contains("SUMMARY:Weekly\\; with Kari\r\n"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a meeting of a time zone that this program does not know, or whose first occurrence cannot be found.
pub fn calendar(all: &[Activity]) -> Result<String> {
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//leadcore//leadcore//EN"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    for activity in all {
        match &activity.fields.body {
            ActivityBody::Meeting(meeting) => {
                calendar.push(event_of_meeting(activity, meeting)?);
            }
            ActivityBody::Call(call) => {
                calendar.push(event_of_call(activity, call));
            }
            ActivityBody::Task(task) => {
                calendar.push(todo(activity, task));
            }
            _ => {}
        }
    }
    Ok(calendar.to_string())
}

/// One activity as a calendar.
///
/// # Errors
/// `NotFound`; what [`calendar()`] returns.
pub fn activity(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId) -> Result<String> {
    calendar(&[activities::get(ctx, txn, id)?])
}

/// The calls, tasks and meetings about a lead, contact or account as a calendar, by when they were or are due.
///
/// # Errors
/// `NotFound`; what [`calendar()`] returns.
pub fn of(ctx: &Context<'_>, txn: &mut dyn Txn, subject: impl Into<Subject>) -> Result<String> {
    let subject = subject.into();
    let mut listing = Listing { ascending: true, limit: 1_000, ..Listing::default() };
    let mut all = Vec::new();
    loop {
        let mut page = activities::of(ctx, txn, subject, &KINDS, &listing)?;
        all.append(&mut page.items);
        match page.next {
            Some(next) => listing.after = Some(next),
            None => return calendar(&all),
        }
    }
}

/// The activities of an [overview](calendar::overview) as a calendar, all pages of it: a series once, as its rule.
///
/// # Errors
/// What the overview and [`calendar()`] return.
pub fn overview(ctx: &Context<'_>, txn: &mut dyn Txn, query: &OverviewQuery) -> Result<String> {
    let (mut query, mut known, mut ids) = (query.clone(), BTreeSet::new(), Vec::new());
    loop {
        let page = calendar::overview(ctx, txn, &query)?;
        let new = page.entries.iter().map(|entry| entry.activity).filter(|id| known.insert(*id));
        ids.extend(new);
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    calendar(&txn.activities().get(&ids)?)
}

/// Text as iCalendar can have it: its only control character is the end of a line.
fn text(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A point in time or a day, under a name.
fn moment(
    name: &str,
    at: Timestamp,
    shown: NaiveDateTime,
    zone: Option<&str>,
    day: Option<Date>,
) -> Property {
    if let Some(day) = day {
        let mut property = Property::new(name, day.to_naive().format("%Y%m%d").to_string());
        return property.add_parameter("VALUE", "DATE").done();
    }
    match zone {
        Some(zone) if !matches!(zone, "UTC" | "Etc/UTC") => {
            let mut property = Property::new(name, shown.format("%Y%m%dT%H%M%S").to_string());
            property.add_parameter("TZID", zone).done()
        }
        _ => Property::new(name, utc(at.to_datetime())),
    }
}

/// What events and to-dos have in common.
fn describe<C: icalendar::Component>(component: &mut C, activity: &Activity) {
    let revision = activity.revision.get().saturating_sub(1);
    component.uid(&format!("{}@leadcore", activity.id));
    component.timestamp(activity.updated_at.to_datetime());
    component.last_modified(activity.updated_at.to_datetime());
    component.created(activity.created_at.to_datetime());
    component.sequence(u32::try_from(revision).unwrap_or(u32::MAX));
    if let Some(title) = &activity.fields.title {
        component.summary(&text(title));
    }
    if let Some(said) = &activity.fields.text {
        component.description(&text(said));
    }
}

fn event_of_meeting(activity: &Activity, meeting: &Meeting) -> Result<Event> {
    let exported = occurrence::exported(meeting)?;
    let (first, zone) = (exported.first, meeting.zone.as_deref());
    // The end of whole days is the day behind them (section 3.6.1).
    let behind = first.end.day.map(|day| day.saturating_add_days(1));
    let mut event = Event::new();
    describe(&mut event, activity);
    event.append_property(moment("DTSTART", first.start.at, exported.shown.0, zone, first.start.day));
    event.append_property(moment("DTEND", first.end.at, exported.shown.1, zone, behind));
    if let Some(rule) = exported.rule {
        event.append_property(Property::new("RRULE", rule.to_string()));
    }
    if let Some(place) = &meeting.place {
        event.location(&text(place));
    }
    event.append_property(("STATUS", if meeting.canceled { "CANCELLED" } else { "CONFIRMED" }));
    Ok(event)
}

fn event_of_call(activity: &Activity, call: &Call) -> Event {
    let seconds = chrono::TimeDelta::seconds(call.duration.unwrap_or_default().into());
    let mut event = Event::new();
    describe(&mut event, activity);
    event.append_property(("DTSTART", utc(call.at.to_datetime()).as_str()));
    event.append_property(("DTEND", utc(call.at.saturating_add(seconds).to_datetime()).as_str()));
    event
}

fn todo(activity: &Activity, task: &Task) -> Todo {
    let mut todo = Todo::new();
    describe(&mut todo, activity);
    if let Some(due) = task.due {
        todo.append_property(moment("DUE", due.at, due.at.to_datetime().naive_utc(), None, due.day));
    }
    match task.done_at {
        Some(done) => {
            todo.append_property(("STATUS", "COMPLETED"));
            todo.completed(done.to_datetime());
        }
        None => {
            todo.append_property(("STATUS", "NEEDS-ACTION"));
        }
    }
    todo.priority(match task.priority {
        Priority::Urgent => 1,
        Priority::High => 3,
        Priority::Normal => 5,
        Priority::Low => 9,
    });
    todo
}
