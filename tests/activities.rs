//! What was done about a lead and what is to be done: notes, comments, calls, tasks, meetings, messages, tickets and
//! requests for estimates.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{Expect, Listing, activities, contacts, leads, pipelines};
use leadcore::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, CallOutcome, Channel, ContactFields, Direction,
    Entry, FieldValue, FollowUpState, Lead, Meeting, Moment, Move, Outcome, Participant, Priority,
    RequestState, Subject, Tab, Topics,
};
use leadcore::error::ErrorKind;
use leadcore::id::{LeadId, UserId};
use leadcore::testkit::dump;
use leadcore::time::Timestamp;

use crate::support::{Host, company, fields_of, refused};

pub(crate) mod foreign;
pub(crate) mod refusals;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
pub(crate) fn add(host: &Host, about: impl Into<Subject>, fields: ActivityFields) -> Activity {
    host.scene.tick();
    let about = about.into();
    host.write(|ctx, txn| activities::add(ctx, txn, &[about], fields.clone()))
}

pub(crate) fn list(
    host: &Host,
    of: impl Into<Subject>,
    kinds: &[ActivityKind],
    listing: &Listing,
) -> Vec<Activity> {
    let of = of.into();
    host.read(|ctx, txn| activities::of(ctx, txn, of, kinds, listing)).items
}

pub(crate) fn titles(list: &[Activity]) -> Vec<&str> {
    list.iter().map(|activity| activity.fields.title.as_deref().unwrap_or("–")).collect()
}

/// The newest entries about a lead.
fn entries(host: &Host, lead: LeadId, limit: usize) -> Vec<Entry> {
    host.read(|_, txn| txn.journal().about(&[lead.into()], Topics::NONE, None, limit))
}

/// What the newest entry tells, but for the image that an undo needs.
fn told(host: &Host, lead: LeadId) -> Vec<String> {
    let entry = entries(host, lead, 1).remove(0);
    let changes = entry.changes.iter().filter(|change| change.field != "image");
    let show = |value: &FieldValue| match serde_json::to_value(value).unwrap() {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    changes.map(|c| format!("{}: {} → {}", c.field, show(&c.before), show(&c.after))).collect()
}

fn follow_up(host: &Host, lead: LeadId) -> Option<Timestamp> {
    host.read(|_, txn| txn.children().follow_ups(&[lead.into()])).pop().map(|(_, next)| next.at)
}

#[test]
fn s0_28_requests_for_estimates_have_an_assignee_and_a_state() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let roof = ActivityFields::estimate_request("A new roof").assigned_to(&user("bob"));
    let roof = add(&host, lead.id, roof);
    let wall = add(&host, lead.id, ActivityFields::estimate_request("A wall"));
    assert_eq!(roof.created_at, at("2026-11-22T08:00:02Z"), "its created date");
    let set = |host: &Host, state| {
        host.write(|ctx, txn| activities::set_state(ctx, txn, roof.id, Expect::Any, state));
    };
    set(&host, RequestState::Processing);
    assert_eq!(told(&host, lead.id), ["title: A new roof → A new roof", "state: new → processing"]);
    let requests = [ActivityKind::EstimateRequest];
    assert_eq!(titles(&list(&host, lead.id, &requests, &Listing::open())), ["A wall", "A new roof"]);
    set(&host, RequestState::Estimated);
    host.restart();
    assert_eq!(titles(&list(&host, lead.id, &requests, &Listing::open())), ["A wall"]);
    assert_eq!(titles(&list(&host, lead.id, &requests, &Listing::closed())), ["A new roof"]);
    let mine = host.read(|ctx, txn| {
        activities::assigned_to(ctx, txn, &user("bob"), ActivityKind::ALL, &Listing::default())
    });
    assert_eq!(titles(&mine.items), ["A new roof"]);
    let error = host.try_write(|ctx, txn| activities::complete(ctx, txn, wall.id, Expect::Any));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["kind"]);
}

#[test]
fn s0_29_notes_are_listed_by_time() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    for text in ["First", "Second", "Third"] {
        add(&host, lead.id, ActivityFields::note(text));
    }
    let texts = |listing: &Listing| -> Vec<_> {
        let notes = list(&host, lead.id, &[ActivityKind::Note], listing);
        notes.into_iter().map(|note| note.fields.text.unwrap()).collect()
    };
    assert_eq!(texts(&Listing::default()), ["Third", "Second", "First"]);
    assert_eq!(texts(&Listing::default().ascending().limit(2)), ["First", "Second"]);
    assert_eq!(told(&host, lead.id), ["title:  → ", "text:  → Third"]);
}

#[test]
fn s0_31_meetings_and_calls_are_listed_with_schedule_and_state() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let day = |day: i32| at(&format!("2026-12-{day:02}T09:00:00Z"));
    let meeting = ActivityFields::meeting("Demo", day(3), day(3).saturating_add(chrono::TimeDelta::hours(1)))
        .place("Room 4")
        .zone("Europe/Oslo")
        .with(Participant::User(user("bob")));
    let meeting = add(&host, lead.id, meeting);
    let canceled = add(&host, lead.id, ActivityFields::meeting("Lunch", day(2), day(2)));
    let call = add(&host, lead.id, ActivityFields::call(Direction::Outbound, day(1)).title("Ask"));
    add(&host, lead.id, ActivityFields::note("No entry"));
    host.write(|ctx, txn| activities::cancel(ctx, txn, canceled.id, Expect::Any));
    assert_eq!(told(&host, lead.id), ["title: Lunch → Lunch", "canceled:  → true"]);
    let entries = [ActivityKind::Meeting, ActivityKind::Call];
    let of = |listing: &Listing| list(&host, lead.id, &entries, listing);
    assert_eq!(titles(&of(&Listing::default().ascending())), ["Ask", "Lunch", "Demo"]);
    assert_eq!(titles(&of(&Listing::open().ascending())), ["Ask", "Demo"]);
    host.write(|ctx, txn| activities::complete(ctx, txn, meeting.id, meeting.revision));
    host.write(|ctx, txn| {
        activities::complete_call(ctx, txn, call.id, Expect::Any, CallOutcome::Answered, Some(60))
    });
    assert_eq!(of(&Listing::open()), []);
    let error = host.try_write(|ctx, txn| activities::complete(ctx, txn, canceled.id, Expect::Any));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["canceled"]);
    let error = host.try_write(|ctx, txn| activities::cancel(ctx, txn, meeting.id, Expect::Any));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["held_until"]);
    host.write(|ctx, txn| activities::reopen(ctx, txn, canceled.id, Expect::Any));
    host.write(|ctx, txn| activities::reopen(ctx, txn, meeting.id, Expect::Any));
    assert_eq!(titles(&of(&Listing::open())), ["Demo", "Lunch"]);
}

#[test]
fn s0_39_an_interaction_is_logged_with_its_move() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    let next = pipeline.stages[1].id;
    let call = ActivityFields::call(Direction::Outbound, at("2026-11-22T07:50:00Z"))
        .title("Budget is there")
        .outcome(CallOutcome::Answered);
    let logged = host.write(|ctx, txn| {
        activities::log(ctx, txn, lead.id, lead.revision, call.clone(), Some(&Move::from(next)))
    });
    assert_eq!((logged.lead.stage, &logged.activity.fields), (next, &call));
    let entries = entries(&host, lead.id, 2);
    assert_eq!(entries[0].operation, entries[1].operation, "one operation for both");
    assert_eq!(host.get(&lead), logged.lead, "what is said is what is stored");
    let same = host.write(|ctx, txn| activities::log(ctx, txn, lead.id, Expect::Any, call.clone(), None));
    assert_eq!(same.lead.stage, next, "without a move it stays where it is");

    // Everything that is wrong with either, and nothing of both.
    let before = dump(&host.store, &host.scene.tenant);
    let to = Move::from(leadcore::id::StageId::from_uuid(uuid::Uuid::max()));
    let error = host.try_write(|ctx, txn| {
        activities::log(ctx, txn, lead.id, Expect::Any, ActivityFields::note(" "), Some(&to))
    });
    let error = refused(error, ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["text", "stage"]);
    let stale = host.try_write(|ctx, txn| {
        activities::log(ctx, txn, lead.id, lead.revision, call.clone(), Some(&Move::from(next)))
    });
    refused(stale, ErrorKind::Conflict);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn acts_engagement_and_qualification_are_read_per_lead() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let message = ActivityFields::message(Channel::Email, Direction::Inbound, at("2026-11-01T10:00:00Z"));
    add(&host, lead.id, message.title("We need 40 seats").from("anna@nordlys.example").to("sales@x.example"));
    add(&host, lead.id, ActivityFields::note("Budget is there"));
    add(&host, lead.id, ActivityFields::call(Direction::Outbound, at("2026-11-02T10:00:00Z")).title("Asked"));
    let kinds: Vec<_> = list(&host, lead.id, ActivityKind::ALL, &Listing::default().ascending())
        .iter()
        .map(Activity::kind)
        .collect();
    assert_eq!(kinds, [ActivityKind::Message, ActivityKind::Call, ActivityKind::Note], "by when it was");
    let not_qualified = "they only wanted a brochure";
    host.write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, None, Some(not_qualified)));
    let closing = host.get(&lead).closing.unwrap();
    assert_eq!((closing.outcome, closing.detail.as_deref()), (Outcome::Disqualified, Some(not_qualified)));
    assert_eq!(entries(&host, lead.id, 10).len(), 5, "one history of it all");
}

#[test]
fn s1_23_tasks_and_appointments_are_made_from_within_a_lead() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let person = ContactFields::named("Anna Berg").unwrap();
    let person = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), true));
    let meeting = ActivityFields::meeting("Visit", at("2026-12-01T09:00:00Z"), at("2026-12-01T10:30:00Z"))
        .with(Participant::Record(person.id.into()))
        .with(Participant::Other("boss@nordlys.example".to_owned()))
        .remind_at(at("2026-12-01T08:45:00Z"));
    let meeting = add(&host, lead.id, meeting);
    assert_eq!(meeting.about, [lead.id.into()]);
    let ActivityBody::Meeting(Meeting { start, end, .. }) = &meeting.fields.body else { panic!() };
    assert_eq!(end.at.since(start.at), chrono::TimeDelta::minutes(90), "its time frame");
    // Put off, everything moves along.
    let later = host.write(|ctx, txn| activities::snooze(ctx, txn, meeting.id, Expect::Any));
    assert_eq!(later.fields.remind_at, Some(at("2026-12-08T08:45:00Z")));
    let ActivityBody::Meeting(Meeting { end, .. }) = &later.fields.body else { panic!() };
    assert_eq!(end.at, at("2026-12-08T10:30:00Z"));
    // Who is not there takes no part.
    let unknown = Subject::new(leadcore::domain::SubjectKind::Contact, uuid::Uuid::max());
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    let bad = later.fields.with(Participant::Record(unknown)).with(Participant::Record(pipeline.id.into()));
    let error = host.try_write(|ctx, txn| activities::edit(ctx, txn, meeting.id, Expect::Any, bad.clone()));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["participants[2]", "participants[3]"]);
}

#[test]
fn s2_18_a_comment_has_an_icon_and_a_colour() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let comment = add(&host, lead.id, ActivityFields::comment("A good fit").icon("star").color("#1A7F37"));
    host.restart();
    let read = host.read(|ctx, txn| activities::get(ctx, txn, comment.id));
    let body = ActivityBody::Comment { icon: Some("star".to_owned()), color: Some("#1a7f37".to_owned()) };
    assert_eq!(read.fields.body, body, "colours are kept in small letters");
    let told = told(&host, lead.id);
    assert_eq!(told[2..], ["icon:  → star", "color:  → #1a7f37"]);
    let bad = ActivityFields::comment(" ").color("green");
    let error = host.try_write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], bad.clone()));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["text", "color"]);
}

#[test]
fn s2_21_tasks_are_created_listed_done_and_put_off() {
    let host = Host::new();
    let [one, other] = ["Nordlys AS", "Fjord AS"].map(|name| host.add(company(name)));
    let bob = user("bob");
    let day = |text: &str| Moment::day(text.parse().unwrap());
    let task = |title: &str, due: &str| ActivityFields::task(title).due(day(due)).assigned_to(&bob);
    let late = add(&host, one.id, task("Late", "2026-11-01"));
    let soon = add(&host, other.id, task("Soon", "2026-11-25").priority(Priority::High));
    let free = add(&host, one.id, ActivityFields::task("Some day"));
    let tasks = [ActivityKind::Task];
    let of_bob = |listing: &Listing| {
        host.read(|ctx, txn| activities::assigned_to(ctx, txn, &bob, &tasks, listing)).items
    };
    assert_eq!(titles(&of_bob(&Listing::open().ascending())), ["Late", "Soon"], "across leads, by day");
    assert_eq!(titles(&list(&host, one.id, &tasks, &Listing::open())), ["Some day", "Late"]);
    let every = host.read(|ctx, txn| activities::all(ctx, txn, &tasks, &Listing::default()));
    assert_eq!(titles(&every.items), ["Soon", "Some day", "Late"]);
    // Seven days from today when it is late, else from its date.
    for (task, due) in [(&late, "2026-11-29"), (&soon, "2026-12-02"), (&free, "2026-11-29")] {
        let put_off = host.write(|ctx, txn| activities::snooze(ctx, txn, task.id, task.revision));
        let ActivityBody::Task(body) = &put_off.fields.body else { panic!() };
        assert_eq!(body.due, Some(day(due)), "{:?}", task.fields.title);
    }
    let done = host.write(|ctx, txn| activities::complete(ctx, txn, late.id, Expect::Any));
    assert_eq!(told(&host, one.id), ["title: Late → Late", "done_at:  → 2026-11-22T08:00:05Z"]);
    assert_eq!((done.activity.is_open(), done.next), (false, None));
    assert_eq!(titles(&of_bob(&Listing::open())), ["Soon"]);
    let before = dump(&host.store, &host.scene.tenant);
    host.write(|ctx, txn| activities::complete(ctx, txn, late.id, Expect::Any));
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "done twice is done once");
    let error = host.try_write(|ctx, txn| activities::snooze(ctx, txn, late.id, Expect::Any));
    refused(error, ErrorKind::Invalid);
    host.write(|ctx, txn| activities::reopen(ctx, txn, late.id, Expect::Any));
    host.write(|ctx, txn| activities::assign(ctx, txn, late.id, Expect::Any, Some(user("eve"))));
    assert_eq!(titles(&of_bob(&Listing::default())), ["Soon"]);
}

#[test]
fn s2_22_a_ticket_is_addressed_to_the_lead() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let ticket = ActivityFields::ticket("Cannot log in").text("Since Monday.").priority(Priority::Urgent);
    let ticket = add(&host, lead.id, ticket);
    assert_eq!((ticket.about.as_slice(), ticket.is_open()), (&[lead.id.into()][..], true));
    let error = host.try_write(|ctx, txn| {
        let fields = ActivityFields::of(ActivityBody::Ticket { priority: Priority::Low, closed_at: None });
        activities::add(ctx, txn, &[lead.id.into()], fields)
    });
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["title"]);
    let error = host.try_write(|ctx, txn| activities::add(ctx, txn, &[], ActivityFields::ticket("x")));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["about"]);
}

#[test]
fn s2_23_tickets_are_listed_all_open_and_closed() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let [_, second, _] =
        ["First", "Second", "Third"].map(|title| add(&host, lead.id, ActivityFields::ticket(title)));
    add(&host, lead.id, ActivityFields::task("No ticket"));
    host.write(|ctx, txn| activities::complete(ctx, txn, second.id, second.revision));
    let tickets = [ActivityKind::Ticket];
    for (listing, expected) in [
        (Listing::default(), &["Third", "Second", "First"][..]),
        (Listing::open(), &["Third", "First"]),
        (Listing::closed(), &["Second"]),
    ] {
        assert_eq!(titles(&list(&host, lead.id, &tickets, &listing)), expected);
        let all = host.read(|ctx, txn| activities::all(ctx, txn, &tickets, &listing));
        assert_eq!(titles(&all.items), expected);
    }
    host.write(|ctx, txn| activities::reopen(ctx, txn, second.id, Expect::Any));
    assert_eq!(list(&host, lead.id, &tickets, &Listing::closed()), []);
}

#[test]
fn acts_the_lead_is_the_hub_of_every_kind() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let now = host.scene.clock_now();
    let every = [
        ActivityFields::note("x"),
        ActivityFields::comment("x"),
        ActivityFields::call(Direction::Inbound, now),
        ActivityFields::task("x"),
        ActivityFields::meeting("x", now, now),
        ActivityFields::message(Channel::Chat, Direction::Inbound, now),
        ActivityFields::ticket("x"),
        ActivityFields::estimate_request("x"),
    ];
    let drafts = every.map(|fields| fields.about([lead.id])).to_vec();
    let added = host.write(|ctx, txn| activities::add_many(ctx, txn, drafts.clone()));
    let kinds: Vec<_> = added.iter().map(Activity::kind).collect();
    assert_eq!(kinds, ActivityKind::ALL, "one of each");
    let counts = host.read(|_, txn| txn.children().counts(&[lead.id.into()]));
    let tabs: Vec<_> = counts.iter().map(|count| (count.tab.clone(), count.total)).collect();
    assert_eq!(tabs, ActivityKind::ALL.iter().map(|kind| (Tab::Activity(*kind), 1)).collect::<Vec<_>>());
    let operations: std::collections::BTreeSet<_> =
        entries(&host, lead.id, 8).into_iter().map(|entry| entry.operation).collect();
    assert_eq!(operations.len(), 1, "several at once are one operation");
    let functions = host.read(|ctx, txn| leads::functions(ctx, txn, lead.id));
    assert!(ActivityKind::ALL.iter().all(|kind| functions.get(kind.code()) == Some(&true)));
    // One that is wrong, and none is added.
    let mut bad = drafts.clone();
    bad.push(ActivityFields::task(" ").about([lead.id]));
    let error = host.try_write(|ctx, txn| activities::add_many(ctx, txn, bad.clone()));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["drafts[8].title"]);
    assert_eq!(list(&host, lead.id, ActivityKind::ALL, &Listing::default()).len(), 8);
}

pub(crate) fn converted(host: &Host, lead: &Lead) -> leadcore::id::AccountId {
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default())).account.unwrap()
}

#[test]
fn s4_06_what_was_said_before_the_conversion_stays_with_the_customer() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    add(
        &host,
        lead.id,
        ActivityFields::call(Direction::Inbound, at("2026-10-01T10:00:00Z")).title("Approach"),
    );
    let account = converted(&host, &lead);
    add(&host, account, ActivityFields::note("Now a customer").title("Welcome"));
    for page in [Subject::from(lead.id), account.into()] {
        assert_eq!(
            titles(&list(&host, page, ActivityKind::ALL, &Listing::default())),
            ["Welcome", "Approach"]
        );
    }
}

#[test]
fn acts_how_soon_a_lead_needs_somebody() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let state = || {
        let ctx = host.ctx();
        FollowUpState::of(follow_up(&host, lead.id).map(Into::into), ctx.now(), ctx.utc_offset())
    };
    assert_eq!(state(), FollowUpState::None);
    let call = add(&host, lead.id, ActivityFields::call(Direction::Outbound, at("2026-11-23T09:00:00Z")));
    assert_eq!(state(), FollowUpState::Planned);
    host.scene.clock.advance(chrono::TimeDelta::hours(30));
    assert_eq!(state(), FollowUpState::Today, "at 14:00 a call of nine is still of today");
    host.scene.clock.advance(chrono::TimeDelta::hours(10));
    assert_eq!(state(), FollowUpState::Overdue);
    host.write(|ctx, txn| {
        activities::complete_call(ctx, txn, call.id, Expect::Any, CallOutcome::NoAnswer, None)
    });
    assert_eq!(state(), FollowUpState::None);
}

#[test]
fn acts_the_next_follow_up_is_the_earliest_of_what_is_open() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let day = |day: i32| at(&format!("2026-12-{day:02}T09:00:00Z"));
    assert_eq!(follow_up(&host, lead.id), None);
    let task = add(&host, lead.id, ActivityFields::task("Later").due(day(9)));
    let meeting = add(&host, lead.id, ActivityFields::meeting("Soon", day(2), day(3)));
    let call = add(&host, lead.id, ActivityFields::call(Direction::Outbound, day(1)));
    for fields in [
        ActivityFields::note("x"),
        ActivityFields::ticket("x"),
        ActivityFields::estimate_request("x"),
        ActivityFields::task("No day"),
        ActivityFields::call(Direction::Inbound, Timestamp::MIN).outcome(CallOutcome::Busy),
        ActivityFields::message(Channel::Sms, Direction::Inbound, Timestamp::MIN),
    ] {
        add(&host, lead.id, fields);
    }
    assert_eq!(follow_up(&host, lead.id), Some(day(1)));
    host.write(|ctx, txn| activities::delete(ctx, txn, call.id, Expect::Any));
    assert_eq!(follow_up(&host, lead.id), Some(day(2)));
    host.write(|ctx, txn| activities::complete(ctx, txn, meeting.id, Expect::Any));
    assert_eq!(follow_up(&host, lead.id), Some(day(9)));
    host.write(|ctx, txn| activities::snooze(ctx, txn, task.id, Expect::Any));
    assert_eq!(follow_up(&host, lead.id), Some(day(16)));
}

#[test]
fn x_65_a_call_is_planned_made_and_logged() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let planned =
        ActivityFields::call(Direction::Outbound, at("2026-12-01T09:00:00Z")).number("+47 22 22 55 55");
    let planned = add(&host, lead.id, planned);
    let made = host.write(|ctx, txn| {
        activities::complete_call(ctx, txn, planned.id, Expect::Any, CallOutcome::LeftMessage, Some(45))
    });
    assert_eq!(made.at(), at("2026-11-22T08:00:02Z"), "made before its time, it was made now");
    let told = told(&host, lead.id);
    assert_eq!(told[2..], ["outcome:  → left_message", "duration:  → 45"]);
    let logged = ActivityFields::call(Direction::Inbound, at("2026-11-20T09:00:00Z"));
    add(&host, lead.id, logged.outcome(CallOutcome::Answered).lasting(604_800));
    assert_eq!(list(&host, lead.id, &[ActivityKind::Call], &Listing::closed()).len(), 2);
    let error = host.try_write(|ctx, txn| {
        activities::complete_call(ctx, txn, planned.id, Expect::Any, CallOutcome::Busy, Some(604_801))
    });
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["duration"]);
}
