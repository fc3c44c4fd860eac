//! Single occurrences of a series, what follows when something is reopened or moved, and what others read of it.

use std::collections::BTreeSet;

use leadcore::context::Context;
use leadcore::desk::calendar::{self, OverviewQuery};
use leadcore::desk::{Expect, activities, contacts, ical, leads, reminders, undo};
use leadcore::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, ContactFields, Emails, Field, LeadFields,
    LeadPatch, Meeting, OccurrenceOf, Participant, Recurrence,
};
use leadcore::error::ErrorKind;
use leadcore::id::{OperationId, UserId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::StoreExt as _;
use leadcore::time::{Date, Timestamp};

use crate::support::{Host, company};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Mondays at nine in Oslo, from 23 November 2026 on.
fn weekly(host: &Host) -> Activity {
    let lead = host.add(company("Nordlys AS"));
    let fields = ActivityFields::meeting("Weekly", at("2026-11-23T08:00:00Z"), at("2026-11-23T09:00:00Z"))
        .zone("Europe/Oslo")
        .remind_at(at("2026-11-23T07:45:00Z"))
        .recurring(Recurrence::weekly().count(4).unwrap());
    host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], fields.clone()))
}

fn shown(host: &Host) -> Vec<String> {
    let query = OverviewQuery::new(at("2026-11-01T00:00:00Z"), at("2027-02-01T00:00:00Z"));
    let found = host.read(|ctx, txn| calendar::overview(ctx, txn, &query));
    found.entries.iter().map(|entry| entry.start.at.to_string()).collect()
}

fn meeting(activity: &Activity) -> &Meeting {
    let ActivityBody::Meeting(meeting) = &activity.fields.body else { panic!("a meeting") };
    meeting
}

fn last(host: &Host) -> OperationId {
    host.read(|_, txn| txn.journal().replay(None, None, 10_000)).last().unwrap().operation
}

fn due(host: &Host, until: &str) -> Vec<String> {
    let due = host.read(|ctx, txn| reminders::due(ctx, txn, at(until), None, 100));
    due.items.iter().map(|reminder| reminder.at.to_string()).collect()
}

#[test]
fn one_occurrence_is_left_out_and_comes_back_by_an_undo() {
    let host = Host::new();
    let series = weekly(&host);
    let all = ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14"].map(|day| format!("{day}T08:00:00Z"));
    assert_eq!(shown(&host), all);
    let skipped =
        host.write(|ctx, txn| activities::skip(ctx, txn, series.id, series.revision, date("2026-11-23")));
    assert_eq!(shown(&host), all[1..], "and no other comes instead");
    assert_eq!(meeting(&skipped).exceptions, [date("2026-11-23")]);
    assert_eq!(skipped.follow_up().map(|next| next.at), Some(at(&all[1])));
    assert_eq!(due(&host, "2026-11-30T07:44:59Z"), [""; 0], "nobody is reminded of it");
    assert_eq!(due(&host, "2026-11-30T07:45:00Z"), ["2026-11-30T07:45:00Z"]);
    for day in ["2026-11-23", "2026-11-24", "2026-12-21", "2020-01-01"] {
        let again = host.try_write(|ctx, txn| activities::skip(ctx, txn, series.id, Expect::Any, date(day)));
        assert_eq!(again.unwrap_err().kind(), ErrorKind::Invalid, "{day}");
    }
    let skipping = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, skipping));
    assert_eq!(shown(&host), all);
}

#[test]
fn one_occurrence_is_moved_by_itself() {
    let host = Host::new();
    let series = weekly(&host);
    let before = shown(&host);
    let day = date("2026-11-30");
    let mut by = host.read(|ctx, txn| activities::occurrence(ctx, txn, series.id, day));
    assert_eq!(by.remind_at, Some(at("2026-11-30T07:45:00Z")), "as long before it");
    let ActivityBody::Meeting(moved) = &mut by.body else { panic!("a meeting") };
    moved.start = moved.start.plus_days(1);
    moved.end = moved.end.plus_days(1);
    let done =
        host.write(|ctx, txn| activities::replace(ctx, txn, series.id, series.revision, day, by.clone()));
    assert_eq!(meeting(&done.meeting).instead_of, Some(OccurrenceOf { series: series.id, day }));
    assert_eq!((&done.meeting.about, done.meeting.kind()), (&series.about, ActivityKind::Meeting));
    let mut wanted = before.clone();
    wanted[1] = "2026-12-01T08:00:00Z".to_owned();
    assert_eq!(shown(&host), wanted);
    // A form that writes all fields back does not lose where it came from.
    let edited = done.meeting.fields.clone().title("Weekly, moved");
    let edited =
        host.write(|ctx, txn| activities::edit(ctx, txn, done.meeting.id, Expect::Any, edited.clone()));
    assert_eq!(meeting(&edited).instead_of, Some(OccurrenceOf { series: series.id, day }));
    let text = host.read(|ctx, txn| ical::of(ctx, txn, series.about[0])).text;
    for line in [
        "EXDATE;TZID=Europe/Oslo:20261130T090000".to_owned(),
        "DTSTART;TZID=Europe/Oslo:20261201T090000".to_owned(),
        format!("RELATED-TO:{}@leadcore", series.id),
    ] {
        assert!(text.replace("\r\n ", "").contains(&format!("{line}\r\n")), "{line}: {text}");
    }
    let editing = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, editing));
    let replacing = host.read(|_, txn| txn.journal().replay(None, None, 10_000));
    let replacing = replacing.iter().find(|entry| entry.subject == done.meeting.id.into()).unwrap().operation;
    host.write(|ctx, txn| undo::undo(ctx, txn, replacing));
    assert_eq!(shown(&host), before, "both by one undo");
    for wrong in [
        ActivityFields::task("x"),
        ActivityFields::meeting("x", at("2026-11-30T08:00:00Z"), at("2026-11-30T09:00:00Z"))
            .recurring(Recurrence::daily()),
        ActivityFields::meeting("x", at("2026-11-30T08:00:00Z"), at("2026-11-30T07:00:00Z")),
    ] {
        let error = host
            .try_write(|ctx, txn| activities::replace(ctx, txn, series.id, Expect::Any, day, wrong.clone()));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(shown(&host), before, "nothing was written");
}

#[test]
fn a_task_that_is_reopened_has_one_next() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let task = ActivityFields::task("Report").due(date("2026-11-23")).recurring(Recurrence::weekly());
    let task = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], task.clone()));
    let complete = || host.write(|ctx, txn| activities::complete(ctx, txn, task.id, Expect::Any));
    let open = || {
        let listing = leadcore::desk::Listing::open();
        host.read(|ctx, txn| activities::of(ctx, txn, lead.id, ActivityKind::ALL, &listing)).items.len()
    };
    complete();
    assert_eq!(open(), 1);
    host.write(|ctx, txn| activities::reopen(ctx, txn, task.id, Expect::Any));
    assert_eq!(open(), 1, "the one that nobody touched is gone");
    let next = complete().next.unwrap();
    let edited = next.fields.clone().title("Report, longer");
    host.write(|ctx, txn| activities::edit(ctx, txn, next.id, Expect::Any, edited.clone()));
    host.write(|ctx, txn| activities::reopen(ctx, txn, task.id, Expect::Any));
    assert_eq!(open(), 2, "what somebody changed stays");
    assert_eq!((complete().next, open()), (None, 1), "and stays the only one");
}

#[test]
fn a_series_is_reopened_by_one_occurrence() {
    let host = Host::new();
    let series = weekly(&host);
    for _ in 0..3 {
        host.write(|ctx, txn| activities::complete(ctx, txn, series.id, Expect::Any));
    }
    for held in [Some("2026-11-30T08:00:00Z"), Some("2026-11-23T08:00:00Z"), None] {
        let open = host.write(|ctx, txn| activities::reopen(ctx, txn, series.id, Expect::Any));
        assert_eq!(meeting(&open).held_until, held.map(at));
    }
}

#[test]
fn a_reminder_moves_with_what_it_is_of_and_does_not_come_twice() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let visit = |start: &str| ActivityFields::meeting("Visit", at(start), at(start));
    let first = visit("2026-12-01T09:00:00Z").remind_at(at("2026-12-01T08:30:00Z"));
    let added = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], first.clone()));
    let edit = |fields: ActivityFields| {
        host.write(|ctx, txn| activities::edit(ctx, txn, added.id, Expect::Any, fields.clone()))
    };
    let moved = edit(visit("2026-12-02T10:00:00Z").remind_at(at("2026-12-01T08:30:00Z")));
    assert_eq!(moved.fields.remind_at, Some(at("2026-12-02T09:30:00Z")));
    assert_eq!(due(&host, "2027-01-01T00:00:00Z"), ["2026-12-02T09:30:00Z"]);
    let own = edit(visit("2026-12-03T10:00:00Z").remind_at(at("2026-12-01T00:00:00Z")));
    assert_eq!(own.fields.remind_at, Some(at("2026-12-01T00:00:00Z")), "given a time of its own");
    let behind = edit(visit("2026-11-03T10:00:00Z").remind_at(at("2026-12-01T00:00:00Z")));
    assert_eq!(behind.fields.remind_at, Some(at("2026-11-01T00:00:00Z")));
    let late = edit(visit("2026-11-02T10:00:00Z").remind_at(at("2026-11-05T00:00:00Z")));
    let stays = edit(visit("2026-11-01T10:00:00Z").remind_at(at("2026-11-05T00:00:00Z")));
    assert_eq!(late.fields.remind_at, stays.fields.remind_at, "one that came behind it stays");
    // It is due, seen to, and the meeting removed and brought back.
    assert_eq!(due(&host, "2026-11-22T08:00:00Z").len(), 1);
    host.write(|ctx, txn| reminders::acknowledge(ctx, txn, &[added.id]));
    host.write(|ctx, txn| activities::delete(ctx, txn, added.id, Expect::Any));
    let deletion = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
    assert_eq!(due(&host, "2027-01-01T00:00:00Z"), [""; 0], "nobody is told again");
    edit(visit("2026-12-05T10:00:00Z").remind_at(at("2026-12-05T09:00:00Z")));
    host.write(|ctx, txn| activities::delete(ctx, txn, added.id, Expect::Any));
    let deletion = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
    assert_eq!(due(&host, "2027-01-01T00:00:00Z"), ["2026-12-05T09:00:00Z"], "what is still to come comes");
}

/// Every component with its properties, read by lines (RFC 5545, section 3.4 and following).
fn components(text: &str) -> Vec<(String, Vec<String>)> {
    let unfolded = text.replace("\r\n ", "");
    let (mut open, mut found): (Vec<(String, Vec<String>)>, Vec<_>) = (Vec::new(), Vec::new());
    for line in unfolded.split("\r\n").filter(|line| !line.is_empty()) {
        match line.split_once(':').unwrap() {
            ("BEGIN", name) => open.push((name.to_owned(), Vec::new())),
            ("END", name) => {
                let closed = open.pop().unwrap();
                assert_eq!(closed.0, name, "components nest");
                found.push(closed);
            }
            _ => open.last_mut().unwrap().1.push(line.to_owned()),
        }
    }
    assert!(open.is_empty());
    found
}

#[test]
fn others_read_zones_people_and_alarms() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let about = [lead.id.into()];
    let fields = ActivityFields::meeting("Demo", at("2026-10-19T07:00:00Z"), at("2026-10-19T08:00:00Z"))
        .zone("Europe/Oslo")
        .assigned_to(&"ada@nordlys.example".parse().unwrap())
        .remind_at(at("2026-10-19T06:45:00Z"))
        .with(Participant::Other("kari+x@nord.example".to_owned()))
        .with(Participant::Other("Ola Nord <ola@nord.example>".to_owned()))
        .with(Participant::Other("Somebody".to_owned()))
        .recurring(Recurrence::weekly());
    host.write(|ctx, txn| activities::add(ctx, txn, &about, fields.clone()));
    let task = ActivityFields::task("Call").due(date("2026-11-20")).remind_at(at("2026-11-20T07:00:00Z"));
    host.write(|ctx, txn| activities::add(ctx, txn, &about, task.clone()));
    let text = host.read(|ctx, txn| ical::of(ctx, txn, lead.id)).text;
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "folded");
    let all = components(&text);
    let of =
        |kind: &str| all.iter().filter(|(name, _)| name == kind).map(|(_, lines)| lines).collect::<Vec<_>>();
    let has = |lines: &[String], wanted: &str| lines.iter().any(|line| line == wanted);
    let event = of("VEVENT")[0];
    for line in [
        "ORGANIZER:mailto:ada@nordlys.example",
        "ATTENDEE:mailto:kari+x@nord.example",
        "ATTENDEE:mailto:ola@nord.example",
    ] {
        assert!(has(event, line), "{line}: {event:?}");
    }
    assert_eq!(event.iter().filter(|line| line.starts_with("ATTENDEE")).count(), 2);
    assert!(has(of("VALARM")[0], "TRIGGER:-PT900S"));
    assert!(has(of("VALARM")[1], "TRIGGER;VALUE=DATE-TIME:20261120T070000Z"));
    assert_eq!(of("VTIMEZONE").len(), 1);
    assert!(has(of("VTIMEZONE")[0], "TZID:Europe/Oslo"));
    let (winter, summer) = (of("STANDARD"), of("DAYLIGHT"));
    let back = winter.iter().find(|lines| has(lines, "DTSTART:20261025T030000")).expect("25 October 2026");
    assert!(has(back, "TZOFFSETFROM:+0200") && has(back, "TZOFFSETTO:+0100") && has(back, "TZNAME:CET"));
    let forward = summer.iter().find(|lines| has(lines, "DTSTART:20270328T020000")).expect("28 March 2027");
    assert!(has(forward, "TZOFFSETFROM:+0100") && has(forward, "TZOFFSETTO:+0200"));
    assert!(winter.len() >= 20 && summer.len() >= 20, "twenty years of it");
    assert!(has(summer[0], "DTSTART:20261019T090000"), "what holds at the first occurrence");
}

#[test]
fn records_take_part_by_name_and_address() {
    let host = Host::new();
    let emails = Emails::parse("post@nordlys.example").unwrap();
    let lead = host.add(LeadFields { emails, ..company("Nordlys AS") });
    let quiet = host.add(company("Quiet AS"));
    let person = host.write(|ctx, txn| {
        let emails = Emails::parse("kari@nordlys.example")?;
        let fields = ContactFields { emails, ..ContactFields::named("Kari \"K\"; Nord")? };
        contacts::add(ctx, txn, lead.id, fields, false)
    });
    let fields = ActivityFields::meeting("Demo", at("2026-10-19T07:00:00Z"), at("2026-10-19T08:00:00Z"))
        .with(Participant::Record(person.id.into()))
        .with(Participant::Record(lead.id.into()))
        .with(Participant::Record(quiet.id.into()));
    let about = [lead.id.into(), quiet.id.into()];
    let made = host.write(|ctx, txn| activities::add(ctx, txn, &about, fields.clone()));
    let attendees = |text: &str| {
        let all = components(text);
        let event = all.into_iter().find(|(name, _)| name == "VEVENT").expect("an event").1;
        event.into_iter().filter(|line| line.starts_with("ATTENDEE")).collect::<Vec<_>>()
    };
    let both = [
        "ATTENDEE;CN=\"Kari ^'K^'; Nord\":mailto:kari@nordlys.example",
        "ATTENDEE;CN=Nordlys AS:mailto:post@nordlys.example",
    ];
    // Who has no address cannot be named.
    assert_eq!(attendees(&host.read(|ctx, txn| ical::activity(ctx, txn, made.id))), both);
    assert_eq!(attendees(&host.read(|ctx, txn| ical::of(ctx, txn, lead.id)).text), both);
    let query = OverviewQuery::new(at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
    assert_eq!(attendees(&host.read(|ctx, txn| ical::overview(ctx, txn, &query)).text), both);
    // Whoever does not see the lead sees neither it nor its person; whoever sees no addresses sees none here.
    let eve: UserId = "eve".parse().unwrap();
    host.write(|ctx, txn| {
        let patch = LeadPatch::new().set(Field::Owner, eve.as_str());
        leads::edit(ctx, txn, quiet.id, Expect::Any, &patch)
    });
    let own = Role::new().grant(Permission::View, Visibility::Own);
    let policy = RoleTable::new().role("own", own).user(&eve, &["own"], None).unwrap();
    let ctx = host.scene.ctx_as("eve", &policy);
    let read = |ctx: &Context<'_>| {
        attendees(&host.store.read(ctx.tenant(), |txn| ical::activity(ctx, txn, made.id)).unwrap())
    };
    assert_eq!(read(&ctx), [""; 0]);
    let blind = Role::viewer().hide(Field::Email).unwrap();
    let policy = RoleTable::new().role("blind", blind).user(&eve, &["blind"], None).unwrap();
    assert_eq!(read(&host.scene.ctx_as("eve", &policy)), [""; 0]);
}

#[test]
fn what_cannot_be_written_does_not_keep_the_rest_from_others() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let good = ActivityFields::meeting("Good", at("2026-10-19T07:00:00Z"), at("2026-10-19T08:00:00Z"));
    let good = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], good.clone()));
    let mut bad = Activity { id: leadcore::id::ActivityId::from_uuid(lead.id.as_uuid()), ..good.clone() };
    if let ActivityBody::Meeting(meeting) = &mut bad.fields.body {
        meeting.zone = Some("Mars/Base".to_owned());
    }
    let feed = ical::calendar(&[bad.clone(), good.clone()]);
    assert_eq!(feed.left_out, [bad.id]);
    let kinds: BTreeSet<_> = components(&feed.text).into_iter().map(|(name, _)| name).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["VCALENDAR", "VEVENT"]);
    assert!(feed.text.contains(&good.id.to_string()) && !feed.text.contains(&bad.id.to_string()));
}
