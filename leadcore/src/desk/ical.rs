//! Activities as iCalendar text (RFC 5545), for the calendars of others.
//!
//! Meetings and calls are events, tasks are to-dos. Each has the same `UID` for ever (`<activity id>@leadcore`), its
//! revision as `SEQUENCE` and the time of its last change as `DTSTAMP`: the same activities give the same text, and a
//! calendar that has read an earlier one takes the new one in its place. Time zones are named by IANA (`TZID=Europe/Oslo`)
//! and spelt out for readers that do not know them. Occurrences that a series leaves out are its `EXDATE`s; a meeting that
//! took the place of one is an event of its own, `RELATED-TO` the series. Who takes part in a meeting is its `ATTENDEE`, as
//! far as the actor may see an address: users by their id where that is one, contacts, accounts and leads with their name.

mod people;
mod zones;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use icalendar::{Component as _, Event, EventLike as _, Property, Todo};

use crate::context::Context;
use crate::domain::{
    Activity, ActivityBody, ActivityKind, Call, Meeting, Priority, Subject, Task, occurrence,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::ActivityId;
use crate::store::Txn;
use crate::time::{Date, Timestamp};

use super::activities;
use super::calendar::{self, OverviewQuery};
use super::listing::Listing;
use people::People;
use zones::Zones;

/// How many activities are read at once.
const CHUNK: usize = 500;
const KINDS: [ActivityKind; 3] = [ActivityKind::Call, ActivityKind::Task, ActivityKind::Meeting];

/// Activities as a calendar for others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Feed {
    /// The iCalendar text.
    pub text: String,
    /// What could not be written, so that the rest could be: a series of a time zone that this program does not know, or whose
    /// first occurrence cannot be found. What is no call, task or meeting is not told.
    pub left_out: Vec<ActivityId>,
}

/// These activities as one calendar. What is no call, task or meeting is left out. Participants that are records are not
/// named here, since nobody is asked who they are: [`activity`], [`of`] and [`overview`] do.
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
/// assert!(text.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Oslo\r\n"));
/// assert!(text.contains("SUMMARY:Weekly\\; with Kari\r\n"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[must_use]
pub fn calendar(all: &[Activity]) -> Feed {
    let mut writer = Writer::new();
    all.iter().for_each(|activity| writer.add(activity));
    writer.finish()
}

/// One activity as a calendar.
///
/// # Errors
/// `NotFound`; `Invalid` for a meeting of a time zone that this program does not know, or whose first occurrence cannot be
/// found.
pub fn activity(ctx: &Context<'_>, txn: &mut dyn Txn, id: ActivityId) -> Result<String> {
    let activity = activities::get(ctx, txn, id)?;
    let mut writer = Writer::new();
    writer.people.learn(ctx, txn, [&activity])?;
    writer.write(&activity)?;
    Ok(writer.finish().text)
}

/// The calls, tasks and meetings about a lead, contact or account as a calendar, by when they were or are due.
///
/// # Errors
/// `NotFound`.
pub fn of(ctx: &Context<'_>, txn: &mut dyn Txn, subject: impl Into<Subject>) -> Result<Feed> {
    let subject = subject.into();
    let mut listing = Listing { ascending: true, limit: CHUNK, ..Listing::default() };
    let mut writer = Writer::new();
    loop {
        let page = activities::of(ctx, txn, subject, &KINDS, &listing)?;
        writer.people.learn(ctx, txn, &page.items)?;
        page.items.iter().for_each(|activity| writer.add(activity));
        match page.next {
            Some(next) => listing.after = Some(next),
            None => return Ok(writer.finish()),
        }
    }
}

/// The activities of an [overview](calendar::overview) as a calendar, all pages of it: a series once, as its rule.
///
/// # Errors
/// What the overview returns.
pub fn overview(ctx: &Context<'_>, txn: &mut dyn Txn, query: &OverviewQuery) -> Result<Feed> {
    let (mut query, mut known, mut writer) = (query.clone(), BTreeSet::new(), Writer::new());
    loop {
        let page = calendar::overview(ctx, txn, &query)?;
        let new = page.entries.iter().map(|entry| entry.activity).filter(|id| known.insert(*id));
        let new: Vec<_> = new.collect();
        for ids in new.chunks(CHUNK) {
            let activities = txn.activities().get(ids)?;
            writer.people.learn(ctx, txn, &activities)?;
            activities.iter().for_each(|activity| writer.add(activity));
        }
        for id in page.unexpanded {
            if known.insert(id) {
                writer.left_out.push(id);
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(writer.finish()),
        }
    }
}

/// Writes one activity after the other: only the text is kept.
struct Writer {
    text: String,
    zones: Zones,
    people: People,
    left_out: Vec<ActivityId>,
}

impl Writer {
    fn new() -> Self {
        let head =
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//leadcore//leadcore//EN", "CALSCALE:GREGORIAN", ""];
        Self {
            text: head.join("\r\n"),
            zones: Zones::default(),
            people: People::default(),
            left_out: Vec::new(),
        }
    }

    /// One that cannot be written is left out, and told.
    fn add(&mut self, activity: &Activity) {
        if self.write(activity).is_err() {
            self.left_out.push(activity.id);
        }
    }

    fn write(&mut self, activity: &Activity) -> Result<()> {
        let text = match &activity.fields.body {
            ActivityBody::Meeting(meeting) => {
                let text = written(&event_of_meeting(activity, meeting, &self.people)?)?;
                self.zones.learn(meeting, activity.updated_at)?;
                text
            }
            ActivityBody::Call(call) => written(&event_of_call(activity, call))?,
            ActivityBody::Task(task) => written(&todo(activity, task))?,
            _ => return Ok(()),
        };
        // An alarm stands within what it is of, behind its properties.
        match (alarm(activity), text.rfind("END:V")) {
            (Some(alarm), Some(end)) => {
                let (properties, end) = text.split_at(end);
                self.text.extend([properties, &alarm, end]);
            }
            _ => self.text.push_str(&text),
        }
        Ok(())
    }

    fn finish(mut self) -> Feed {
        self.zones.write(&mut self.text);
        self.text.push_str("END:VCALENDAR\r\n");
        Feed { text: self.text, left_out: self.left_out }
    }
}

/// A component as text, its lines folded.
fn written(component: &impl icalendar::Component) -> Result<String> {
    component
        .try_into_string()
        .map_err(|error| Error::new(ErrorKind::Internal, "an activity cannot be written").with_source(error))
}

/// The reminder of what is open: of a series before each occurrence.
fn alarm(activity: &Activity) -> Option<String> {
    let at = activity.fields.remind_at.filter(|_| activity.is_open())?;
    let trigger = match &activity.fields.body {
        ActivityBody::Meeting(meeting) if meeting.recurrence.is_some() => {
            // A whole day begins with its first hour in calendars of others, not with its place.
            let begins = meeting.start.begins(chrono::Offset::fix(&Utc));
            let seconds = at.since(begins).num_seconds();
            let sign = if seconds < 0 { "-" } else { "" };
            format!("TRIGGER:{sign}PT{}S", seconds.unsigned_abs())
        }
        _ => format!("TRIGGER;VALUE=DATE-TIME:{}", utc(at.to_datetime())),
    };
    Some(format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\n{trigger}\r\nEND:VALARM\r\n"))
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

fn event_of_meeting(activity: &Activity, meeting: &Meeting, people: &People) -> Result<Event> {
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
        for day in &meeting.exceptions {
            // The hour that the rule gives on that day (section 3.8.5.1).
            let shown = day.to_naive().and_time(exported.shown.0.time());
            let utc = Timestamp::try_from(shown.and_utc()).unwrap_or(first.start.at);
            event.append_multi_property(moment("EXDATE", utc, shown, zone, first.start.day.map(|_| *day)));
        }
    }
    if let Some(instead) = meeting.instead_of {
        event.append_property(("RELATED-TO", format!("{}@leadcore", instead.series).as_str()));
    }
    people.write(&mut event, activity, meeting);
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
        let shown = due.at.to_datetime().naive_utc();
        todo.append_property(moment("DUE", due.at, shown, None, due.day));
        // One that is done has left the rule to the next one.
        if let Some(rule) = task.recurrence.as_ref().filter(|_| task.done_at.is_none()) {
            todo.append_property(moment("DTSTART", due.at, shown, None, due.day));
            todo.append_property(Property::new("RRULE", occurrence::exported_rule(rule, due).to_string()));
        }
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
