//! The calendar, its export and reminders: what the manuals show as "events", seen by range of time.

use std::collections::BTreeSet;

use leadcore::desk::calendar::{self, Overview, OverviewQuery};
use leadcore::desk::{Expect, activities, ical, leads, reminders};
use leadcore::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, Direction, LeadPatch, Moment, Priority, Recurrence,
    Subject, Weekday,
};
use leadcore::error::{ErrorKind, ViolationCode};
use leadcore::id::{ActivityId, UserId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::HOSTILE_TEXTS;
use leadcore::time::Timestamp;

use crate::support::{Host, company};

pub(crate) mod foreign;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn day(day: &str) -> Moment {
    Moment::day(day.parse().unwrap())
}

fn meeting(title: &str, start: &str, end: &str) -> ActivityFields {
    ActivityFields::meeting(title, at(start), at(end))
}

fn weekly(title: &str, start: &str, end: &str) -> ActivityFields {
    meeting(title, start, end).zone("Europe/Oslo").recurring(Recurrence::weekly())
}

#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
fn add(host: &Host, about: impl Into<Subject>, fields: ActivityFields) -> Activity {
    host.scene.tick();
    let about = about.into();
    host.write(|ctx, txn| activities::add(ctx, txn, &[about], fields.clone()))
}

fn overview(host: &Host, query: &OverviewQuery) -> Overview {
    host.read(|ctx, txn| calendar::overview(ctx, txn, query))
}

fn november() -> OverviewQuery {
    OverviewQuery::new(at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"))
}

fn lines(overview: &Overview) -> Vec<String> {
    let line = |entry: &calendar::CalendarEntry| {
        format!("{} {}", entry.start.at, entry.title.as_deref().unwrap_or("–"))
    };
    overview.entries.iter().map(line).collect()
}

#[test]
fn s0_32_the_events_of_a_month_in_one_calendar() {
    let host = Host::new();
    let (nordlys, fjord) = (host.add(company("Nordlys AS")), host.add(company("Fjord AS")));
    add(&host, nordlys.id, weekly("Weekly", "2026-10-19T07:00:00Z", "2026-10-19T08:00:00Z"));
    add(&host, fjord.id, meeting("Fair", "2026-10-30T08:00:00Z", "2026-11-02T15:00:00Z"));
    let day_off = ActivityFields::meeting("Day off", day("2026-11-09"), day("2026-11-10"));
    add(&host, fjord.id, day_off);
    let call = ActivityFields::call(Direction::Outbound, at("2026-11-09T08:30:00Z")).title("Call");
    add(&host, nordlys.id, call.assigned_to(&user("bob")));
    add(&host, nordlys.id, ActivityFields::task("Offer").due(day("2026-11-20")).assigned_to(&user("bob")));
    add(&host, nordlys.id, ActivityFields::task("Some day"));
    add(&host, nordlys.id, ActivityFields::note("Only a note"));
    add(&host, nordlys.id, meeting("Next month", "2026-12-01T00:00:00Z", "2026-12-01T01:00:00Z"));
    let month = host.read(|ctx, txn| calendar::month(ctx, txn, 2026, 11));
    assert_eq!(
        lines(&month),
        [
            "2026-10-30T08:00:00Z Fair",
            // Nine o'clock in Oslo, where the clocks were put back on 25 October.
            "2026-11-02T08:00:00Z Weekly",
            "2026-11-09T08:00:00Z Weekly",
            "2026-11-09T08:30:00Z Call",
            "2026-11-09T12:00:00Z Day off",
            "2026-11-16T08:00:00Z Weekly",
            "2026-11-20T12:00:00Z Offer",
            "2026-11-23T08:00:00Z Weekly",
            "2026-11-30T08:00:00Z Weekly",
        ]
    );
    let entry = &month.entries[1];
    assert_eq!((entry.kind, entry.about.as_slice()), (ActivityKind::Meeting, &[nordlys.id.into()][..]));
    assert_eq!(entry.occurrence.map(|day| day.to_string()).as_deref(), Some("2026-11-02"));
    assert!(entry.is_open && !entry.canceled && month.next.is_none() && month.unexpanded.is_empty());
    let whole = &month.entries[4];
    assert_eq!((whole.start.day, whole.end.day), (day("2026-11-09").day, day("2026-11-10").day));

    // By kind, by user, by lead.
    let of = |query: OverviewQuery| overview(&host, &query).entries.len();
    assert_eq!(of(november().kinds(&[ActivityKind::Task])), 1);
    assert_eq!(of(november().assigned_to(&user("bob"))), 2);
    assert_eq!(of(november().about(nordlys.id)), 7);
    assert_eq!(of(november().about(fjord.id).kinds(&[ActivityKind::Call])), 0);
    // The cursor of a page belongs to what was asked for.
    let next = overview(&host, &november().limit(1)).next;
    let later = OverviewQuery::new(november().from, at("2026-12-03T00:00:00Z"));
    for query in [
        later,
        november().kinds(&[ActivityKind::Task]),
        november().assigned_to(&user("bob")),
        november().about(nordlys.id),
    ] {
        let query = query.after(next);
        let error = host.try_read(|ctx, txn| calendar::overview(ctx, txn, &query)).unwrap_err();
        assert_eq!(error.violations()[0].field, "after", "{query:?}");
    }
    // Page by page it is the same.
    for limit in [1, 2, 4, 9] {
        let (mut query, mut paged) = (november().limit(limit), Vec::new());
        loop {
            let page = overview(&host, &query);
            assert!(page.entries.len() <= limit);
            paged.extend(page.entries);
            let Some(next) = page.next else { break };
            query = query.after(Some(next));
        }
        assert_eq!(paged, month.entries, "pages of {limit}");
    }
}

/// However small the pages: together they are the whole, each entry once.
#[test]
fn pages_of_a_calendar_are_the_whole() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS")).id;
    let rules = [
        ("2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z", "FREQ=DAILY;INTERVAL=3"),
        ("2026-01-31T23:30:00Z", "2026-02-01T00:30:00Z", "FREQ=MONTHLY;BYMONTHDAY=-1,1"),
        ("2026-10-06T05:00:00Z", "2026-10-16T05:00:00Z", "FREQ=WEEKLY;BYDAY=TU"),
        ("2020-11-20T05:00:00Z", "2020-11-20T06:00:00Z", "FREQ=YEARLY"),
    ];
    for (start, end, rule) in rules {
        let fields = meeting(rule, start, end).zone("Europe/Oslo").recurring(rule.parse().unwrap());
        add(&host, lead, fields);
    }
    for n in 1..=28 {
        let at = |hour: u32| format!("2026-11-{n:02}T{hour:02}:00:00Z");
        add(&host, lead, meeting("Alone", &at(9), &at(11)));
    }
    add(&host, lead, meeting("Long", "2026-10-20T09:00:00Z", "2026-11-20T09:00:00Z"));
    let whole = lines(&overview(&host, &november()));
    assert!(whole.len() > 40, "{whole:#?}");
    for limit in [1, 2, 7, 30] {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = overview(&host, &november().limit(limit).after(after));
            assert!(page.entries.len() <= limit);
            pages.extend(lines(&page));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages, whole, "{limit} a page");
    }
}

#[test]
fn a_calendar_says_what_was_held_and_what_was_canceled() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let series = add(&host, lead.id, weekly("Weekly", "2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z"));
    let single = add(&host, lead.id, meeting("Single", "2026-11-03T08:00:00Z", "2026-11-03T09:00:00Z"));
    host.write(|ctx, txn| activities::complete(ctx, txn, series.id, Expect::Any));
    host.write(|ctx, txn| activities::cancel(ctx, txn, single.id, Expect::Any));
    let found = overview(&host, &november());
    let states: Vec<_> = found.entries.iter().map(|entry| (entry.is_open, entry.canceled)).collect();
    assert_eq!(
        states[..3],
        [(false, false), (false, true), (true, false)],
        "held, canceled, still to come: {:?}",
        lines(&found)
    );
}

#[test]
fn a_calendar_shows_what_its_reader_may_see() {
    let host = Host::new();
    let (mine, theirs) = (host.add(company("Nordlys AS")), host.add(company("Fjord AS")));
    let own = |lead, user: &'static str| {
        let patch = LeadPatch::new().set(leadcore::domain::Field::Owner, user);
        host.write(|ctx, txn| leads::edit(ctx, txn, lead, Expect::Any, &patch));
    };
    own(mine.id, "kari");
    own(theirs.id, "bob");
    for n in 0..120 {
        let start = at("2026-11-02T08:00:00Z").saturating_add(chrono::TimeDelta::minutes(n));
        add(&host, theirs.id, ActivityFields::meeting("Secret", start, start));
    }
    add(&host, theirs.id, weekly("Secret series", "2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z"));
    add(&host, mine.id, meeting("Mine", "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"));
    let remind = ActivityFields::task("Secret").remind_at(at("2026-11-01T08:00:00Z"));
    add(&host, theirs.id, remind);
    let both = host.write(|ctx, txn| {
        let about = [theirs.id.into(), mine.id.into()];
        let fields = meeting("Both", "2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z");
        activities::add(ctx, txn, &about, fields)
    });
    let role = Role::new().grant(Permission::View, Visibility::Own);
    let policy = RoleTable::new().role("seller", role).user(&user("kari"), &["seller"], None).unwrap();
    let ctx = host.scene.ctx_as("kari", &policy);
    let read =
        |query: &OverviewQuery| host.store.read(ctx.tenant(), |txn| calendar::overview(&ctx, txn, query));
    let (mut query, mut seen) = (november().limit(5), Vec::new());
    loop {
        let page = read(&query).unwrap();
        seen.extend(lines(&page));
        assert!(
            page.entries.iter().all(|entry| entry.about == [mine.id.into()]),
            "other records are not named"
        );
        let Some(next) = page.next else { break };
        query = query.after(Some(next));
    }
    assert_eq!(seen, ["2026-11-20T08:00:00Z Mine", "2026-11-21T08:00:00Z Both"]);
    assert_eq!(read(&november().about(theirs.id)).unwrap_err().kind(), ErrorKind::NotFound);
    use leadcore::store::StoreExt as _;
    let due =
        host.store.read(ctx.tenant(), |txn| reminders::due(&ctx, txn, Timestamp::MAX, None, 9)).unwrap();
    assert!(due.items.is_empty(), "nor is anybody reminded of it");

    // What is in the trash is in no calendar, until it comes back.
    host.write(|ctx, txn| leads::delete(ctx, txn, mine.id, Expect::Any));
    assert!(read(&november()).unwrap().entries.is_empty());
    let all = overview(&host, &november());
    assert!(all.entries.iter().any(|entry| entry.activity == both.id), "it is about another lead too");
    host.write(|ctx, txn| leads::restore(ctx, txn, mine.id));
    assert_eq!(read(&november()).unwrap().entries.len(), 2);
}

#[test]
fn a_calendar_refuses_what_it_cannot_show() {
    let host = Host::new();
    let broken = |query: &OverviewQuery| {
        let error = host.try_read(|ctx, txn| calendar::overview(ctx, txn, query)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.violations().iter().map(|one| (one.field.clone(), one.code)).collect::<Vec<_>>()
    };
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    let out = ViolationCode::OutOfRange;
    assert_eq!(broken(&OverviewQuery::new(last, first)), [("to".to_owned(), out)]);
    assert_eq!(broken(&OverviewQuery::new(first, first)), [("to".to_owned(), out)]);
    assert_eq!(broken(&OverviewQuery::new(first, last)), [("to".to_owned(), out)]);
    assert_eq!(broken(&november().limit(0)), [("limit".to_owned(), out)]);
    assert_eq!(
        broken(&november().limit(1_001).kinds(&[ActivityKind::Note])),
        [("kinds".to_owned(), ViolationCode::NotAllowed), ("limit".to_owned(), out)]
    );
    for (year, month, fields) in [(0, 13, 2), (10_000, 12, 1), (2026, 0, 1), (i32::MIN, u32::MAX, 2)] {
        let error = host.try_read(|ctx, txn| calendar::month(ctx, txn, year, month)).unwrap_err();
        assert_eq!(error.violations().len(), fields, "{year} {month}");
    }
    for (year, month) in [(1, 1), (9_999, 12), (9_999, 11)] {
        assert!(host.read(|ctx, txn| calendar::month(ctx, txn, year, month)).entries.is_empty());
    }
    let error = host.try_read(|ctx, txn| reminders::due(ctx, txn, last, None, 0)).unwrap_err();
    assert_eq!(error.violations()[0].field, "limit");
}

#[test]
fn a_series_that_cannot_be_is_not_written() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let before = dump(&host.store, &host.scene.tenant);
    let series = |rule: &str| {
        let fields = meeting("Series", "2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z");
        fields.recurring(rule.parse().unwrap())
    };
    let over = series("FREQ=DAILY;UNTIL=20261101");
    let nowhere = series("FREQ=DAILY").zone("Europe/Atlantis");
    let mut long = series("FREQ=DAILY;COUNT=2");
    if let ActivityBody::Meeting(meeting) = &mut long.body {
        meeting.end.at = at("2027-12-24T09:00:00Z");
    }
    let undated = ActivityFields::task("Undated").recurring(Recurrence::daily());
    for (fields, named) in [(over, "recurrence"), (nowhere, "zone"), (long, "end"), (undated, "due")] {
        let error = host
            .try_write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], fields.clone()))
            .expect_err(named);
        assert_eq!(error.violations().iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [named]);
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing was half-written");
}

#[test]
fn reminders_come_once_and_those_of_a_series_before_each_occurrence() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let task = add(&host, lead.id, ActivityFields::task("Offer").remind_at(at("2026-11-22T09:00:00Z")));
    let series = weekly("Weekly", "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z");
    let series = add(&host, lead.id, series.remind_at(at("2026-11-23T07:45:00Z")));
    let done = add(&host, lead.id, ActivityFields::task("Done").remind_at(at("2026-11-22T09:00:00Z")));
    host.write(|ctx, txn| activities::complete(ctx, txn, done.id, Expect::Any));
    let due = |until: &str| -> Vec<(String, ActivityId)> {
        let page = host.read(|ctx, txn| reminders::due(ctx, txn, at(until), None, 100));
        page.items.iter().map(|reminder| (reminder.at.to_string(), reminder.activity.id)).collect()
    };
    let acknowledge = |ids: &[ActivityId]| host.write(|ctx, txn| reminders::acknowledge(ctx, txn, ids));
    assert_eq!(due("2026-11-22T08:59:59Z"), []);
    let both = [("2026-11-22T09:00:00Z".to_owned(), task.id), ("2026-11-23T07:45:00Z".to_owned(), series.id)];
    assert_eq!(due("2026-11-23T07:45:00Z"), both, "they come again until somebody was reminded");
    assert_eq!(due("2026-11-23T07:45:00Z"), both);
    let first = host.read(|ctx, txn| reminders::due(ctx, txn, Timestamp::MAX, None, 1));
    let rest = host.read(|ctx, txn| reminders::due(ctx, txn, Timestamp::MAX, first.next, 1));
    assert_eq!([first.items[0].activity.id, rest.items[0].activity.id], [task.id, series.id]);
    assert!(first.next.is_some() && rest.next.is_none());
    let elsewhere = |until: Option<Timestamp>| {
        let error = host.try_read(|ctx, txn| reminders::due(ctx, txn, until, first.next, 1)).unwrap_err();
        assert_eq!(error.violations()[0].field, "after");
    };
    elsewhere(Some(at("2026-11-23T07:45:00Z")));
    elsewhere(None);

    let entries = dump(&host.store, &host.scene.tenant).matches("\nentry").count();
    acknowledge(&[task.id, series.id, done.id]);
    assert_eq!(dump(&host.store, &host.scene.tenant).matches("\nentry").count(), entries, "no news");
    assert_eq!(due("9999-01-01T00:00:00Z"), [("2026-11-30T07:45:00Z".to_owned(), series.id)]);
    assert_eq!(host.read(|ctx, txn| activities::get(ctx, txn, task.id)), task, "the task is the same");
    // Nobody asked for weeks: what was missed is passed over. The clocks are put forward on 28 March.
    host.scene.clock.advance(chrono::TimeDelta::days(127));
    acknowledge(&[series.id]);
    assert_eq!(due("9999-01-01T00:00:00Z"), [("2027-04-05T06:45:00Z".to_owned(), series.id)]);
    // A new time brings a reminder back, another change does not.
    let edit = |fields: ActivityFields| {
        host.write(|ctx, txn| activities::edit(ctx, txn, task.id, Expect::Any, fields.clone()))
    };
    edit(task.fields.clone().text("More"));
    assert_eq!(due("2027-04-01T00:00:00Z"), []);
    edit(task.fields.clone().remind_at(at("2027-03-01T09:00:00Z")));
    assert_eq!(due("2027-04-01T00:00:00Z"), [("2027-03-01T09:00:00Z".to_owned(), task.id)]);
    // Not while the lead lies in the trash.
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    assert_eq!(due("9999-01-01T00:00:00Z"), []);
    let error = host.try_write(|ctx, txn| reminders::acknowledge(ctx, txn, &[task.id])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Lines as they were before they were folded.
fn unfolded(text: &str) -> Vec<String> {
    text.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_calendar_is_exported_for_others() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let title = "Åpning, med «kaffe»; og kaker \\ mer: ".repeat(5);
    let rule = Recurrence::monthly().on_nth(-1, Weekday::Fri).unwrap().until("2027-06-30".parse().unwrap());
    let series = ActivityFields::meeting(&title, at("2026-11-23T08:00:00Z"), at("2026-11-23T09:30:00Z"))
        .zone("Europe/Oslo")
        .place("Storgata 1, Oslo")
        .text("Line 1\r\nBEGIN:VEVENT\nLine 3")
        .recurring(rule);
    let series = add(&host, lead.id, series);
    let task = ActivityFields::task("Offer").due(day("2026-11-20")).priority(Priority::High);
    let task = add(&host, lead.id, task);
    let fair = ActivityFields::meeting("Fair", day("2026-11-09"), day("2026-11-10"));
    add(&host, lead.id, fair);
    add(&host, lead.id, ActivityFields::note("Not for calendars"));
    let text = host.read(|ctx, txn| ical::of(ctx, txn, lead.id)).text;
    assert_eq!(text, host.read(|ctx, txn| ical::of(ctx, txn, lead.id)).text, "the same text each time");
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "folded lines");
    let lines = unfolded(&text);
    let count = |line: &str| lines.iter().filter(|one| *one == line).count();
    assert_eq!((count("BEGIN:VCALENDAR"), count("BEGIN:VEVENT"), count("BEGIN:VTODO")), (1, 2, 1));
    for line in [
        // The series begins with its first occurrence: the last Friday, not the Monday that was named.
        "DTSTART;TZID=Europe/Oslo:20261127T090000",
        "DTEND;TZID=Europe/Oslo:20261127T103000",
        // The end of a timed series is in UTC: the end of 30 June in Oslo.
        "RRULE:FREQ=MONTHLY;UNTIL=20270630T215959Z;BYDAY=-1FR",
        "LOCATION:Storgata 1\\, Oslo",
        "DESCRIPTION:Line 1\\nBEGIN:VEVENT\\nLine 3",
        "DUE;VALUE=DATE:20261120",
        "PRIORITY:3",
        "STATUS:NEEDS-ACTION",
        "DTSTART;VALUE=DATE:20261109",
        "DTEND;VALUE=DATE:20261111",
        &format!("UID:{}@leadcore", series.id),
        &format!("DTSTAMP:{}", series.updated_at.to_datetime().format("%Y%m%dT%H%M%SZ")),
    ] {
        assert!(count(line) >= 1, "{line} in {lines:#?}");
    }
    let escaped = title.trim().replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    assert!(lines.iter().any(|line| line.trim_end() == format!("SUMMARY:{escaped}")), "{lines:#?}");

    let one = host.read(|ctx, txn| ical::activity(ctx, txn, task.id));
    assert!(one.contains("BEGIN:VTODO") && !one.contains("BEGIN:VEVENT"));
    let of_month = host.read(|ctx, txn| ical::overview(ctx, txn, &november().limit(1))).text;
    let uids: BTreeSet<_> = unfolded(&of_month).into_iter().filter(|line| line.starts_with("UID:")).collect();
    assert_eq!(uids.len(), 3, "all pages, a series once");
    let error = host.try_read(|ctx, txn| ical::activity(ctx, txn, ActivityId::from_uuid(lead.id.as_uuid())));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn hostile_texts_stay_texts_in_an_export() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    for text in HOSTILE_TEXTS.iter().chain(&[
        "\r",
        "a\rBEGIN:VALARM",
        "\u{85}\u{2028}x",
        "x\u{7}y",
        "🦀".repeat(90).as_str(),
    ]) {
        let fields = meeting("x", "2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z").text(text);
        let fields = ActivityFields { title: Some((*text).to_owned()), ..fields };
        let about = [lead.id.into()];
        let Ok(added) = host.try_write(|ctx, txn| activities::add(ctx, txn, &about, fields.clone())) else {
            continue;
        };
        let exported = host.read(|ctx, txn| ical::activity(ctx, txn, added.id));
        let lines = unfolded(&exported);
        assert_eq!(lines.iter().filter(|line| line.starts_with("BEGIN:")).count(), 2, "{text:?}: {lines:?}");
        assert!(lines.iter().all(|line| line.is_empty() || line.contains(':')), "{text:?}: {lines:?}");
        assert!(!exported.replace("\r\n", "").contains(['\r', '\n', '\0']), "{text:?}");
    }
}
