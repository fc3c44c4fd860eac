//! What a host does with activities, at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::domain::{
    ActivityBody, ActivityFields, ActivityKind, CallOutcome, Channel, Direction, Moment, Participant,
    Priority, RequestState,
};
use crate::id::UserId;
use crate::time::{Date, Timestamp};

use super::strategies::text;

/// One call about activities. Records are named by their place among those that were made so far, counted round.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the desk's functions and their parameters")]
pub enum ActivityOp {
    AddMany { about: Vec<usize>, account: bool, fields: Vec<ActivityFields> },
    Edit { activity: usize, stale: bool, fields: Box<ActivityFields> },
    Complete(usize),
    CompleteCall { activity: usize, outcome: CallOutcome, seconds: Option<u32> },
    Reopen(usize),
    Cancel(usize),
    Assign { activity: usize, user: Option<UserId> },
    Snooze(usize),
    SetState { activity: usize, state: RequestState },
    Delete(usize),
    Log { lead: usize, fields: Box<ActivityFields>, stage: Option<usize> },
    Of { lead: usize, kinds: Vec<ActivityKind>, open: Option<bool>, ascending: bool, limit: usize },
    AssignedTo { user: UserId, open: Option<bool>, ascending: bool, limit: usize },
}

fn user() -> impl Strategy<Value = UserId> {
    select(vec!["ada", "bob", "o'neil@x"]).prop_map(|name| name.parse().expect("a user"))
}

/// Times around now, and at the edges of time.
fn time() -> impl Strategy<Value = Timestamp> {
    let near = (-20_i64..20).prop_map(|days| {
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().expect("a time");
        now.saturating_add(chrono::TimeDelta::days(days))
    });
    prop_oneof![8 => near, 1 => select(vec![Timestamp::MIN, Timestamp::MAX, Timestamp::EPOCH])]
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        2 => time().prop_map(Moment::at),
        1 => time().prop_map(|at| Moment::day(Date::of(at))),
    ]
}

/// Fields of every kind of activity; most keep every rule.
pub fn activity_fields() -> impl Strategy<Value = ActivityFields> {
    let direction = || select(Direction::ALL.to_vec());
    let body = prop_oneof![
        Just(ActivityBody::Note),
        (option::of(text()), option::of(select(vec!["#1A7F37", "#000000", "red"])))
            .prop_map(|(icon, color)| { ActivityBody::Comment { icon, color: color.map(str::to_owned) } }),
        (direction(), time(), option::of(select(CallOutcome::ALL.to_vec())), option::of(0..700_000_u32))
            .prop_map(|(direction, at, outcome, seconds)| {
                let mut fields = ActivityFields::call(direction, at);
                fields = outcome.map_or(fields.clone(), |outcome| fields.clone().outcome(outcome));
                seconds.map_or(fields.clone(), |seconds| fields.lasting(seconds)).body
            }),
        (option::of(moment()), select(Priority::ALL.to_vec())).prop_map(|(due, priority)| {
            let fields = ActivityFields::task("").priority(priority);
            due.map_or(fields.clone(), |due| fields.due(due)).body
        }),
        (moment(), moment(), option::of(text())).prop_map(|(start, end, name)| {
            let meeting = ActivityFields::meeting("", start, end).zone("Europe/Oslo");
            name.map_or(meeting.clone(), |name| meeting.place(&name).with(Participant::Other(name))).body
        }),
        (select(Channel::ALL.to_vec()), direction(), time(), text()).prop_map(
            |(channel, direction, at, who)| {
                ActivityFields::message(channel, direction, at).from(&who).body
            }
        ),
        select(Priority::ALL.to_vec())
            .prop_map(|priority| ActivityFields::ticket("").priority(priority).body),
        select(RequestState::ALL.to_vec()).prop_map(|state| ActivityBody::EstimateRequest { state }),
    ];
    let title = || option::weighted(0.9, text());
    (body, title(), title(), option::of(user()), option::of(time())).prop_map(
        |(body, title, text, assignee, remind_at)| ActivityFields { title, text, assignee, remind_at, body },
    )
}

/// One call.
pub fn activity_op() -> impl Strategy<Value = ActivityOp> {
    let place = || 0..64_usize;
    let boxed = || activity_fields().prop_map(Box::new);
    let limit = || prop_oneof![4 => 1..5_usize, 1 => Just(1_000), 1 => Just(0)];
    prop_oneof![
        6 => (vec(place(), 0..3), any::<bool>(), vec(activity_fields(), 1..3))
            .prop_map(|(about, account, fields)| ActivityOp::AddMany { about, account, fields }),
        2 => (place(), prop::bool::weighted(0.1), boxed())
            .prop_map(|(activity, stale, fields)| ActivityOp::Edit { activity, stale, fields }),
        2 => place().prop_map(ActivityOp::Complete),
        1 => (place(), select(CallOutcome::ALL.to_vec()), option::of(0..700_000_u32))
            .prop_map(|(activity, outcome, seconds)| ActivityOp::CompleteCall { activity, outcome, seconds }),
        1 => place().prop_map(ActivityOp::Reopen),
        1 => place().prop_map(ActivityOp::Cancel),
        1 => (place(), option::of(user())).prop_map(|(activity, user)| ActivityOp::Assign { activity, user }),
        2 => place().prop_map(ActivityOp::Snooze),
        1 => (place(), select(RequestState::ALL.to_vec()))
            .prop_map(|(activity, state)| ActivityOp::SetState { activity, state }),
        1 => place().prop_map(ActivityOp::Delete),
        1 => (place(), boxed(), option::of(0..7_usize))
            .prop_map(|(lead, fields, stage)| ActivityOp::Log { lead, fields, stage }),
        2 => (place(), vec(select(ActivityKind::ALL.to_vec()), 0..3), option::of(any::<bool>()), any::<bool>(), limit())
            .prop_map(|(lead, kinds, open, ascending, limit)| ActivityOp::Of { lead, kinds, open, ascending, limit }),
        1 => (user(), option::of(any::<bool>()), any::<bool>(), limit())
            .prop_map(|(user, open, ascending, limit)| ActivityOp::AssignedTo { user, open, ascending, limit }),
    ]
}
