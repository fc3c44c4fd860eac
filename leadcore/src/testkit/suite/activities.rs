//! The port for activities.

use crate::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, Actor, CallOutcome, Channel, Direction, Moment,
    OccurrenceOf, Participant, Place, Priority, Recurrence, RequestState, Subject, SubjectKind,
};
use crate::error::ErrorKind;
use crate::id::{ActivityId, Revision, UserId};
use crate::store::{ActivityQuery, Store};
use crate::time::{Date, Timestamp};

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn activity(world: &World, fields: ActivityFields) -> Activity {
    let now = world.scene.clock_now();
    Activity {
        id: ActivityId::from_uuid(world.scene.uuid()),
        revision: Revision::FIRST,
        about: vec![Subject::new(SubjectKind::Account, world.account.as_uuid())],
        fields,
        created_by: world.scene.actor.clone(),
        created_at: now,
        updated_at: now,
    }
}

/// One of every kind, with a value everywhere, made hard to keep by `text`.
fn full(world: &World, text: &str) -> Vec<Activity> {
    let rule = Recurrence::parse("FREQ=WEEKLY;BYDAY=MO").unwrap();
    let day = Moment::day;
    let mut meeting = ActivityFields::meeting(text, Timestamp::MIN, Timestamp::MAX)
        .zone("America/New_York")
        .place(text)
        .with(Participant::User("o'neil@x".parse().unwrap()))
        .with(Participant::Record(Subject::new(SubjectKind::Contact, world.scene.uuid())))
        .with(Participant::Other(text.to_owned()))
        .recurring(rule.clone());
    if let ActivityBody::Meeting(meeting) = &mut meeting.body {
        (meeting.held_until, meeting.canceled) = (Some(Timestamp::MAX), true);
        meeting.exceptions = vec![Date::MIN, Date::MAX];
        let series = ActivityId::from_uuid(world.scene.uuid());
        meeting.instead_of = Some(OccurrenceOf { series, day: Date::MAX });
    }
    let mut task = ActivityFields::task(text).due(day(Date::MAX)).priority(Priority::Urgent).recurring(rule);
    if let ActivityBody::Task(task) = &mut task.body {
        task.done_at = Some(Timestamp::MIN);
        task.next = Some(ActivityId::from_uuid(world.scene.uuid()));
    }
    let closed_at = Some(Timestamp::EPOCH);
    let kinds = [
        ActivityFields::note(text),
        ActivityFields::comment(text).icon(text).color("#1a7f37"),
        ActivityFields::call(Direction::Inbound, Timestamp::MAX).number(text).lasting(604_800),
        ActivityFields::call(Direction::Outbound, Timestamp::MIN).outcome(CallOutcome::WrongNumber),
        task,
        ActivityFields::task(text),
        meeting,
        ActivityFields::meeting(text, day(Date::MIN), day(Date::MIN)),
        ActivityFields::message(Channel::Letter, Direction::Inbound, Timestamp::EPOCH).from(text).to(text),
        ActivityFields::of(ActivityBody::Ticket { priority: Priority::Low, closed_at }),
        ActivityFields::of(ActivityBody::EstimateRequest { state: RequestState::Declined }),
    ];
    let assignee: UserId = "o'neil@x".parse().unwrap();
    let with = |fields: ActivityFields| {
        let fields = fields.title(text).text(text).assigned_to(&assignee).remind_at(Timestamp::MAX);
        activity(world, fields)
    };
    kinds.map(with).to_vec()
}

/// Every field of every kind comes back, with texts and times that are hard to keep, in the order asked.
pub fn activities_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut written: Vec<_> = storable_texts().flat_map(|text| full(&world, text)).collect();
    let mut bare = activity(&world, ActivityFields::of(ActivityBody::Note));
    (bare.created_at, bare.updated_at, bare.revision) = (Timestamp::MIN, Timestamp::MAX, Revision::new(9));
    bare.created_by = Actor::System;
    bare.about.push(Subject::new(SubjectKind::Lead, world.scene.uuid()));
    written.push(bare);
    world.write(store, |txn| txn.activities().insert(&written));
    written.reverse();
    let mut asked: Vec<_> = written.iter().map(|activity| activity.id).collect();
    asked.insert(1, ActivityId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.activities().get(&asked));
    assert_eq!(found, written, "activities must come back byte for byte, in the order asked");
    let twice = world.read(store, |txn| txn.activities().get(&[asked[0], asked[0]]));
    assert_eq!(twice.len(), 2, "what is asked twice is answered twice");
}

/// Ids are unique, revisions are kept, and a refused slice writes nothing.
pub fn activities_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let first = activity(&world, ActivityFields::note("First"));
    let fine = activity(&world, ActivityFields::note("Fine"));
    world.write(store, |txn| txn.activities().insert(std::slice::from_ref(&first)));
    let why = "the id of an activity is unique";
    for slice in [[fine.clone(), first.clone()], [fine.clone(), fine.clone()]] {
        let error = refused(&world, store, why, |txn| txn.activities().insert(&slice));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
        let found = world.read(store, |txn| txn.activities().get(&[fine.id]));
        assert_eq!(found, [], "nothing of a refused slice may be written");
    }
    for mut next in full(&world, "Next") {
        let found = world.read(store, |txn| txn.activities().get(&[first.id]));
        (next.id, next.revision) = (first.id, found[0].revision.next());
        world.write(store, |txn| txn.activities().update(std::slice::from_ref(&next)));
        let found = world.read(store, |txn| txn.activities().get(&[first.id]));
        assert_eq!(found, std::slice::from_ref(&next), "an update must write every field");
    }
    let stored = world.read(store, |txn| txn.activities().get(&[first.id])).remove(0);
    let stale = Activity { revision: Revision::new(2), ..first.clone() };
    let why = "an activity that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.activities().update(std::slice::from_ref(&stale)));
    assert_stale(&error, Revision::new(1), stored.revision, why);
    let why = "an unknown activity cannot be updated";
    let next = Activity { revision: stored.revision.next(), ..stored.clone() };
    let slice = [next, Activity { revision: Revision::new(2), ..fine.clone() }];
    let error = refused(&world, store, why, |txn| txn.activities().update(&slice));
    assert_kind(&error, ErrorKind::NotFound, why);
    let found = world.read(store, |txn| txn.activities().get(&[first.id]));
    assert_eq!(found, [stored], "nothing of a refused slice may be written");
}

/// What is removed is gone from everywhere; what is not there is passed over.
pub fn removed_activities_are_gone(store: &dyn Store) {
    let world = World::install(store);
    let user: UserId = "bob".parse().unwrap();
    let new = |title| activity(&world, ActivityFields::task(title).assigned_to(&user));
    let (gone, kept) = (new("Gone"), new("Kept"));
    world.write(store, |txn| txn.activities().insert(&[gone.clone(), kept.clone()]));
    let unknown = ActivityId::from_uuid(world.scene.uuid());
    world.write(store, |txn| txn.activities().remove(&[unknown, gone.id, gone.id]));
    let found = world.read(store, |txn| txn.activities().get(&[gone.id, kept.id]));
    assert_eq!(found, std::slice::from_ref(&kept));
    let listed = world.read(store, |txn| txn.activities().list(&of_user(&user)));
    assert_eq!(listed, [kept], "a list has nothing that was removed");
    world.write(store, |txn| txn.activities().insert(std::slice::from_ref(&gone)));
}

fn of_user(user: &UserId) -> ActivityQuery {
    ActivityQuery {
        assignee: Some(user.clone()),
        kinds: Vec::new(),
        open: None,
        descending: false,
        after: None,
        limit: usize::MAX,
    }
}

/// Lists by assignee, kind and whether it is open are what their definition says, page by page, in both directions, and
/// follow every write.
pub fn activities_are_listed_across_records(store: &dyn Store) {
    let world = World::install(store);
    let users: [UserId; 2] = ["ada".parse().unwrap(), "Ada".parse().unwrap()];
    let mut written = Vec::new();
    for n in 0..40_usize {
        // Several of one time: then the id decides.
        let at: Timestamp = Timestamp::from_micros((n as i64 % 7) * 1_000_000 - 3_000_000).unwrap();
        let mut fields = match n % 4 {
            0 => ActivityFields::call(Direction::Inbound, at),
            1 => ActivityFields::call(Direction::Inbound, at).outcome(CallOutcome::Busy),
            2 => ActivityFields::task("Task").due(at),
            _ => ActivityFields::ticket("Ticket"),
        };
        fields.assignee = users.get(n % 3).cloned();
        written.push(activity(&world, fields));
    }
    world.write(store, |txn| txn.activities().insert(&written));
    // An update moves an activity to another list, another place, another state.
    for activity in written.iter_mut().step_by(5) {
        activity.revision = activity.revision.next();
        activity.fields = ActivityFields::task("Moved").due(Timestamp::MAX).assigned_to(&users[1]);
        if let ActivityBody::Task(task) = &mut activity.fields.body {
            task.done_at = Some(Timestamp::EPOCH);
        }
        world.write(store, |txn| txn.activities().update(std::slice::from_ref(activity)));
    }
    let place = |activity: &Activity| Place { at: activity.at(), child: activity.id.as_uuid() };
    for assignee in [None, Some(&users[0]), Some(&users[1])] {
        for kinds in [&[][..], &[ActivityKind::Task], &[ActivityKind::Ticket, ActivityKind::Call]] {
            for (open, descending) in
                [None, Some(true), Some(false)].into_iter().flat_map(|open| [(open, false), (open, true)])
            {
                let mut expected: Vec<_> = written
                    .iter()
                    .filter(|known| assignee.is_none() || known.fields.assignee.as_ref() == assignee)
                    .filter(|known| kinds.is_empty() || kinds.contains(&known.kind()))
                    .filter(|known| open.is_none_or(|open| open == known.is_open()))
                    .cloned()
                    .collect();
                expected.sort_by_key(place);
                if descending {
                    expected.reverse();
                }
                let mut query = ActivityQuery {
                    assignee: assignee.cloned(),
                    kinds: kinds.to_vec(),
                    open,
                    descending,
                    after: None,
                    limit: 3,
                };
                let mut found = Vec::new();
                loop {
                    let page = world.read(store, |txn| txn.activities().list(&query));
                    query.after = page.last().map(place);
                    found.extend(page);
                    if query.after.is_none() {
                        break;
                    }
                }
                assert_eq!(found, expected, "{query:?}");
            }
        }
    }
    let nobody = of_user(&"eve".parse().unwrap());
    assert_eq!(world.read(store, |txn| txn.activities().list(&nobody)), []);
    let none = ActivityQuery { limit: 0, ..of_user(&users[0]) };
    assert_eq!(world.read(store, |txn| txn.activities().list(&none)), []);
}

/// Another tenant's activities are not there.
pub fn activities_belong_to_their_tenant(store: &dyn Store) {
    let (world, other) = (World::install(store), World::install_for(store, "other"));
    let user: UserId = "ada".parse().unwrap();
    let own = activity(&world, ActivityFields::task("Own").assigned_to(&user));
    world.write(store, |txn| txn.activities().insert(std::slice::from_ref(&own)));
    assert_eq!(other.read(store, |txn| txn.activities().get(&[own.id])), []);
    assert_eq!(other.read(store, |txn| txn.activities().list(&of_user(&user))), []);
    let next = Activity { revision: Revision::new(2), ..own.clone() };
    let why = "an activity of another tenant is not there";
    let error = refused(&other, store, why, |txn| txn.activities().update(std::slice::from_ref(&next)));
    assert_kind(&error, ErrorKind::NotFound, why);
    other.write(store, |txn| txn.activities().remove(&[own.id]));
    assert_eq!(world.read(store, |txn| txn.activities().get(&[own.id])), [own]);
}
