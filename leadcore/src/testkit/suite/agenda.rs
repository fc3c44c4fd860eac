//! The agenda port: activities of all records by time.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::domain::{
    Activity, ActivityFields, ActivityKind, Actor, CallOutcome, Direction, Moment, Place, Recurrence,
};
use crate::id::{ActivityId, Revision};
use crate::store::{AgendaQuery, Store};
use crate::time::Timestamp;

use super::super::fixtures::World;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn activity(world: &World, fields: ActivityFields) -> Activity {
    let now = world.scene.tick();
    Activity {
        id: ActivityId::from_uuid(world.scene.uuid()),
        revision: Revision::FIRST,
        about: vec![world.account.into()],
        fields,
        created_by: Actor::System,
        created_at: now,
        updated_at: now,
    }
}

fn meeting(world: &World, start: &str, end: &str) -> Activity {
    activity(world, ActivityFields::meeting("Meeting", at(start), at(end)))
}

fn november() -> AgendaQuery {
    AgendaQuery {
        from: at("2026-11-01T00:00:00Z"),
        to: at("2026-12-01T00:00:00Z"),
        kinds: Vec::new(),
        assignee: None,
        after: None,
        limit: 100,
    }
}

fn ids(activities: &[Activity]) -> Vec<ActivityId> {
    activities.iter().map(|activity| activity.id).collect()
}

/// A range holds what begins in it and what reaches into it, by time; its end is not in it, and what ends at its start is
/// before it.
pub fn a_range_holds_what_touches_it(store: &dyn Store) {
    let world = World::install(store);
    let (from, before) = ("2026-11-01T00:00:00Z", "2026-10-31T23:00:00Z");
    let found = [
        meeting(&world, "2026-10-02T00:00:00Z", "2026-11-01T00:00:00.000001Z"),
        meeting(&world, "2026-10-25T00:00:00Z", "2026-12-24T00:00:00Z"),
        meeting(&world, "2026-10-30T23:59:59.999999Z", "2026-11-01T00:00:01Z"),
        meeting(&world, "2026-10-31T00:00:00Z", "2026-11-01T00:00:01Z"),
        meeting(&world, before, "2026-11-01T00:30:00Z"),
        meeting(&world, from, from),
        meeting(&world, "2026-11-30T23:59:59.999999Z", "2026-12-03T00:00:00Z"),
    ];
    let not_found = [
        meeting(&world, "2026-10-20T00:00:00Z", from),
        meeting(&world, before, from),
        meeting(&world, before, before),
        meeting(&world, "2026-12-01T00:00:00Z", "2026-12-01T01:00:00Z"),
        activity(&world, ActivityFields::note("No time of its own")),
        activity(&world, ActivityFields::task("Due some day")),
    ];
    world.write(store, |txn| {
        txn.activities().insert(&not_found)?;
        txn.activities().insert(&found)
    });
    let read = world.read(store, |txn| txn.agenda().between(&november()));
    assert_eq!(ids(&read), ids(&found), "what touches the range, by when it begins");
    assert_eq!(read, found, "as it was written");
    let mut paged = Vec::new();
    let mut query = AgendaQuery { limit: 2, ..november() };
    loop {
        let page = world.read(store, |txn| txn.agenda().between(&query));
        let Some(last) = page.last() else { break };
        query.after = Some(Place { at: last.at(), child: last.id.as_uuid() });
        paged.extend(page);
    }
    assert_eq!(paged, found, "each once, whatever the length of the pages");
}

/// Kinds and users narrow a range; many of one time go by id.
pub fn a_range_is_of_kinds_and_of_a_user(store: &dyn Store) {
    let world = World::install(store);
    let noon = at("2026-11-10T12:00:00Z");
    let (ada, bob) = ("ada".parse().unwrap(), "bob".parse().unwrap());
    let day = Moment::day("2026-11-10".parse().unwrap());
    let all = [
        activity(&world, ActivityFields::call(Direction::Inbound, noon).lasting(60).assigned_to(&ada)),
        activity(&world, ActivityFields::task("Task").due(day).assigned_to(&ada)),
        activity(&world, ActivityFields::meeting("Meeting", noon, noon).assigned_to(&bob)),
        activity(&world, ActivityFields::task("Nobody's").due(noon)),
    ];
    world.write(store, |txn| txn.activities().insert(&all));
    let read = |query: &AgendaQuery| ids(&world.read(store, |txn| txn.agenda().between(query)));
    let of = |picked: &[usize]| picked.iter().map(|n| all[*n].id).collect::<Vec<_>>();
    assert_eq!(read(&november()), of(&[0, 1, 2, 3]), "of one time by id");
    let mut query = november();
    query.kinds = vec![ActivityKind::Task, ActivityKind::Note, ActivityKind::Task];
    assert_eq!(read(&query), of(&[1, 3]), "of these kinds, asked twice or not");
    query.assignee = Some(ada);
    assert_eq!(read(&query), of(&[1]), "of these kinds and this user");
    query.kinds.clear();
    assert_eq!(read(&query), of(&[0, 1]), "of this user");
    query.after = Some(Place { at: noon, child: all[0].id.as_uuid() });
    assert_eq!(read(&query), of(&[1]), "from behind a place");
    assert_eq!(read(&AgendaQuery { limit: 0, ..november() }), [], "a limit of zero gives nothing");
}

/// Series are apart from the rest, as long as they go on, by when they end.
pub fn series_are_listed_apart(store: &dyn Store) {
    let world = World::install(store);
    let series = |start: &str, rule: &str| {
        let rule: Recurrence = rule.parse().unwrap();
        let end = at(start).saturating_add(TimeDelta::hours(1));
        activity(&world, ActivityFields::meeting("Series", at(start), end).recurring(rule))
    };
    let endless = series("2020-01-06T09:00:00Z", "FREQ=WEEKLY");
    let ends_later = series("2026-10-05T09:00:00Z", "FREQ=WEEKLY;UNTIL=20270101");
    let counted = series("2026-11-02T09:00:00Z", "FREQ=DAILY;COUNT=3");
    let over = series("2026-10-01T09:00:00Z", "FREQ=DAILY;UNTIL=20261015");
    let later = series("2026-12-01T00:00:00Z", "FREQ=DAILY");
    // They go on, but never in a November; or on no such day.
    let spring = series("2020-03-06T09:00:00Z", "FREQ=YEARLY");
    let thirds = series("2020-01-31T09:00:00Z", "FREQ=MONTHLY;BYDAY=TU");
    let all = [endless.clone(), over, ends_later.clone(), later, counted.clone(), spring, thirds.clone()];
    world.write(store, |txn| txn.activities().insert(&all));
    let single = world.read(store, |txn| txn.agenda().between(&november()));
    assert_eq!(single, [], "a series is no single meeting");
    let read = |query: &AgendaQuery| ids(&world.read(store, |txn| txn.agenda().series(query)));
    let tuesday =
        AgendaQuery { from: at("2026-11-03T00:00:00Z"), to: at("2026-11-03T20:00:00Z"), ..november() };
    assert_eq!(read(&tuesday), [counted.id, thirds.id], "those that can touch a day");
    world.write(store, |txn| txn.activities().remove(&[thirds.id]));
    assert_eq!(read(&november()), [counted.id, ends_later.id, endless.id], "by when they end");
    let until = counted.agenda().unwrap().until;
    let after = Some(Place { at: until, child: counted.id.as_uuid() });
    let query = AgendaQuery { after, limit: 1, ..november() };
    assert_eq!(read(&query), [ends_later.id], "page by page");
    let tasks = AgendaQuery { kinds: vec![ActivityKind::Task], ..november() };
    assert_eq!(read(&tasks), [], "only meetings are series");
    // What is over with a change of its rule is out of the range.
    let mut ended = endless;
    ended.revision = ended.revision.next();
    ended.fields = ended.fields.recurring("FREQ=WEEKLY;UNTIL=20210101".parse().unwrap());
    world.write(store, |txn| txn.activities().update(std::slice::from_ref(&ended)));
    assert_eq!(read(&november()), [counted.id, ends_later.id], "an update moves it");
}

/// A reminder comes by its time, while the activity is open, until it is moved.
pub fn reminders_come_until_they_are_moved(store: &dyn Store) {
    let world = World::install(store);
    let (early, late) = (at("2026-11-10T08:00:00Z"), at("2026-11-12T08:00:00Z"));
    let first = activity(&world, ActivityFields::task("Early").remind_at(early));
    let second = activity(&world, ActivityFields::task("Also early").remind_at(early));
    let third = activity(&world, ActivityFields::note("Late").remind_at(late));
    let done = ActivityFields::call(Direction::Outbound, early).outcome(CallOutcome::Answered);
    let done = activity(&world, done.remind_at(early));
    let none = activity(&world, ActivityFields::task("None"));
    let all = [third.clone(), first.clone(), done.clone(), second.clone(), none.clone()];
    world.write(store, |txn| txn.activities().insert(&all));
    let due = |until: Timestamp, after: Option<Place>, limit: usize| {
        let found = world.read(store, |txn| txn.agenda().reminders(until, after, limit));
        found.iter().map(|reminder| (reminder.at, reminder.activity.id)).collect::<Vec<_>>()
    };
    let before = early.saturating_add(TimeDelta::microseconds(-1));
    assert_eq!(due(before, None, 9), [], "none before its time");
    assert_eq!(due(early, None, 9), [(early, first.id), (early, second.id)], "at its time, by id");
    let behind = Some(Place { at: early, child: first.id.as_uuid() });
    assert_eq!(due(late, behind, 1), [(early, second.id)], "page by page");
    assert_eq!(due(late, None, 9).len(), 3, "a note has no end, a call that was made needs none");

    let unknown = ActivityId::from_uuid(world.scene.uuid());
    let moves = [(first.id, None), (second.id, Some(late)), (unknown, Some(late))];
    world.write(store, |txn| txn.agenda().remind(&moves));
    let left = [(late, second.id), (late, third.id)];
    assert_eq!(
        due(late, None, 9).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(left),
        "moved or gone"
    );
    let asked = [third.id, first.id, second.id, done.id, none.id, unknown];
    let pending = world.read(store, |txn| txn.agenda().pending(&asked));
    let pending: Vec<_> = pending.iter().map(|reminder| reminder.activity.id).collect();
    assert_eq!(pending, [third.id, second.id], "what stands out, in the order asked");

    let change = |activity: &Activity, fields: ActivityFields| Activity {
        revision: activity.revision.next(),
        fields,
        ..activity.clone()
    };
    let retitled = change(&first, ActivityFields { title: Some("New".into()), ..first.fields.clone() });
    world.write(store, |txn| txn.activities().update(std::slice::from_ref(&retitled)));
    assert_eq!(due(early, None, 9), [], "another change does not bring it back");
    let again = change(&retitled, retitled.fields.clone().remind_at(late));
    world.write(store, |txn| txn.activities().update(std::slice::from_ref(&again)));
    assert!(due(late, None, 9).iter().all(|(_, id)| *id != first.id), "nor does another time: it is moved");
    world.write(store, |txn| txn.agenda().remind(&[(first.id, Some(early))]));
    assert_eq!(due(early, None, 9), [(early, first.id)], "also to the time that it had");
    world.write(store, |txn| txn.activities().remove(&[first.id]));
    assert_eq!(due(early, None, 9), [], "no activity, no reminder");
    world.write(store, |txn| txn.activities().insert(std::slice::from_ref(&first)));
    assert_eq!(due(early, None, 9), [(early, first.id)], "an activity that came back has its reminder");
}
