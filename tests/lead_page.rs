//! The page of a lead: what hangs on it, its history, its follow-up, its score, what was done about it.

use leadcore::desk::page::{self, PageOptions};
use leadcore::desk::timeline::{self, TimelineQuery};
use leadcore::desk::views::{self, ViewRequest};
use leadcore::desk::{Expect, activities, convert, leads, undo};
use leadcore::domain::{
    ActivityBody, ActivityFields, ActivityKind, Call, CallOutcome, Direction, Field, FieldValue,
    FollowUpState, Lead, LeadFields, LeadPatch, Moment, Priority, Subject, SystemView, Task, Topic,
};
use leadcore::error::{ErrorKind, ViolationCode};
use leadcore::exchange::import::ImportOptions;
use leadcore::policy::{Role, RoleTable};
use leadcore::query::{Filter, LeadQuery, Operator, Sort, SortField};
use leadcore::testkit::fixtures::World;
use proptest::prelude::*;

use crate::support::{Host, counts};

fn fields(title: &str, body: ActivityBody) -> ActivityFields {
    let (title, text) = (Some(title.to_owned()), Some("In words.".to_owned()));
    ActivityFields { title, text, assignee: None, remind_at: None, body }
}

fn note(title: &str) -> ActivityFields {
    fields(title, ActivityBody::Note)
}

fn task(title: &str, due: &str) -> ActivityFields {
    let due = Some(Moment::at(due.parse().unwrap()));
    fields(
        title,
        ActivityBody::Task(Task {
            due,
            priority: Priority::Normal,
            done_at: None,
            recurrence: None,
            next: None,
        }),
    )
}

fn call(title: &str, at: &str) -> ActivityFields {
    let (at, outcome) = (at.parse().unwrap(), Some(CallOutcome::Answered));
    let call = Call { at, direction: Direction::Outbound, outcome, duration: Some(90), number: None };
    fields(title, ActivityBody::Call(call))
}

fn add(host: &Host, about: impl Into<Subject> + Copy, fields: &ActivityFields) -> leadcore::domain::Activity {
    host.scene.tick();
    host.write(|ctx, txn| activities::add(ctx, txn, &[about.into()], fields.clone()))
}

fn company(host: &Host, name: &str) -> Lead {
    host.add(LeadFields::company(name).unwrap())
}

fn texts(host: &Host, subject: impl Into<Subject> + Copy, query: &TimelineQuery) -> Vec<String> {
    let page = host.read(|ctx, txn| timeline::of(ctx, txn, subject, query));
    page.items.into_iter().map(|item| item.text).collect()
}

/// Who did what to the lead and to what hangs on it, when, in which operation: and nothing that the reader may not see.
#[test]
fn a_history_tells_what_hangs_on_a_lead() {
    let host = Host::new();
    let lead = company(&host, "Nordlys AS");
    let made = add(&host, lead.id, &task("Send prices", "2026-11-24T09:00:00Z"));
    add(&host, lead.id, &call("Prices", "2026-11-22T07:00:00Z"));
    host.scene.tick();
    host.write(|ctx, txn| activities::delete(ctx, txn, made.id, Expect::Any));
    let page = host.read(|ctx, txn| timeline::of(ctx, txn, lead.id, &TimelineQuery::new(10)));
    let said: Vec<_> = page.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(
        said,
        ["Task removed: Send prices", "Call logged: Prices", "Task added: Send prices", "Lead created"]
    );
    let first = &page.items[0];
    assert_eq!((first.entry.actor.to_string().as_str(), first.entry.at), ("ada", host.scene.clock_now()));
    assert_eq!(first.topics, [Topic::Task]);
    let operations: std::collections::BTreeSet<_> =
        page.items.iter().map(|item| item.entry.operation).collect();
    assert_eq!(operations.len(), 4, "each in an operation of its own");
    let kept = page.items.iter().flat_map(|item| &item.entry.changes).filter(|it| it.field == "image");
    assert_eq!(kept.count(), 0, "what an undo needs is not told");
    let json = serde_json::to_string(&page).unwrap();
    assert!(!json.contains("created_by"), "nor in JSON");
    // Who does not see the lead sees none of it.
    let table = RoleTable::new()
        .role("sales", Role::salesperson())
        .user(&"eve".parse().unwrap(), &["sales"], None)
        .unwrap();
    for subject in [Subject::from(lead.id), made.id.into()] {
        let refused =
            host.write_as("eve", &table, |ctx, txn| timeline::of(ctx, txn, subject, &TimelineQuery::new(10)));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
    }
    let none = host.try_read(|ctx, txn| timeline::of(ctx, txn, lead.id, &TimelineQuery::new(0)));
    assert_eq!(none.unwrap_err().violations()[0].field, "limit");
}

/// All that was done about a lead, newest first, narrowed by topic, in pages; the same from the customer that it became.
#[test]
fn s2_17_recent_activities_of_a_lead() {
    let host = Host::new();
    let lead = company(&host, "Nordlys AS");
    for n in 0..7 {
        add(&host, lead.id, &note(&format!("Note {n}")));
        add(&host, lead.id, &task(&format!("Task {n}"), "2026-11-24T09:00:00Z"));
    }
    let all = texts(&host, lead.id, &TimelineQuery::new(100));
    assert_eq!((all.len(), all[0].as_str()), (15, "Task added: Task 6"));
    let notes = texts(&host, lead.id, &TimelineQuery::new(3).topics(&[Topic::Note]));
    assert_eq!(notes, ["Note added: Note 6", "Note added: Note 5", "Note added: Note 4"]);
    let mut query = TimelineQuery::new(4);
    let mut paged = Vec::new();
    loop {
        let page = host.read(|ctx, txn| timeline::of(ctx, txn, lead.id, &query));
        paged.extend(page.items.into_iter().map(|item| item.text));
        let Some(next) = page.next else { break };
        query = query.before(Some(next));
    }
    assert_eq!(paged, all);
    let made =
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &convert::ConversionOptions::default()));
    add(&host, made.account.unwrap(), &note("As a customer"));
    let [of_lead, of_account] = [Subject::from(lead.id), made.account.unwrap().into()]
        .map(|subject| texts(&host, subject, &TimelineQuery::new(100)));
    assert_eq!(of_lead, of_account);
    assert_eq!(of_lead[0], "Note added: As a customer");
    assert!(of_lead.ends_with(&all), "the customer has the lead's history");
    // A copy that follows the changes of leads hears of notes about them.
    let other = company(&host, "Other AS");
    let start = host.read(|ctx, txn| leads::changes_start(ctx, txn));
    add(&host, other.id, &note("New"));
    let changed = host.read(|ctx, txn| leads::changes(ctx, txn, Some(start.next), 10));
    assert_eq!(changed.items.iter().map(leads::Changed::id).collect::<Vec<_>>(), [other.id]);
}

/// A score is a number of the host's: written, imported, filtered, sorted, shown.
#[test]
fn s2_16_a_score_is_stored_and_sorted_by() {
    let host = Host::new();
    let report = host.import(
        "Company,Lead Score\nCold AS,-5\nHot AS,990\nWarm AS,40\nNone AS,\nWrong AS,1000001\n",
        &ImportOptions::new(),
    );
    assert_eq!(counts(&report), [4, 0, 0, 1], "{report}");
    let by_score = |filter: Filter| {
        let query = LeadQuery::new(filter).sort(Sort::descending(SortField::Score)).limit(2);
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = host.read(|ctx, txn| leads::list(ctx, txn, &query.clone().after(after.clone())));
            names.extend(page.items.iter().map(|lead| lead.fields.company.clone().unwrap()));
            after = page.next;
            if after.is_none() {
                return names;
            }
        }
    };
    assert_eq!(by_score(Filter::everything()), ["Hot AS", "Warm AS", "Cold AS", "None AS"]);
    assert_eq!(by_score(Filter::parse("score >= 0").unwrap()), ["Hot AS", "Warm AS"]);
    assert_eq!(by_score(Filter::new(Field::Score, Operator::IsEmpty, true)), ["None AS"]);
    let hot = host.read(|ctx, txn| leads::by_number(ctx, txn, 2));
    // What the host's own function says of a lead.
    let score =
        |lead: &Lead| i64::try_from(lead.fields.company.as_deref().unwrap_or_default().len()).unwrap();
    let patch = LeadPatch::new().set(Field::Score, score(&hot));
    let scored = host.write(|ctx, txn| leads::edit(ctx, txn, hot.id, hot.revision, &patch));
    assert_eq!(scored.fields.score, Some(6));
    assert_eq!(texts(&host, hot.id, &TimelineQuery::new(1)), ["Score: 990 → 6"]);
    for wrong in [FieldValue::Integer(1_000_001), FieldValue::Integer(i64::MIN), "ten".into(), "1.5".into()] {
        let patch = LeadPatch::new().set(Field::Score, wrong);
        let refused = host.try_write(|ctx, txn| leads::edit(ctx, txn, hot.id, Expect::Any, &patch));
        let error = refused.unwrap_err();
        assert_eq!(
            (error.violations()[0].field.as_str(), error.violations()[0].code),
            ("score", ViolationCode::OutOfRange)
        );
    }
    let request = ViewRequest::new().columns([Field::Company, Field::Score]);
    let page = host.read(|ctx, txn| views::open(ctx, txn, SystemView::All, &request));
    assert!(page.rows.iter().any(|row| row.cells == ["Warm AS", "40"]));
}

/// The lead is the hub: one call holds its fields, tabs, persons, stages, actions and history.
#[test]
fn s2_28_the_page_of_a_lead_from_one_call() {
    let host = Host::new();
    let mut draft = LeadFields::company("Nordlys AS").unwrap();
    draft.score = Some(7);
    let lead = host.add(draft);
    for n in 0..12 {
        add(&host, lead.id, &note(&format!("Note {n}")));
    }
    add(&host, lead.id, &task("Send prices", "2026-11-24T09:00:00Z"));
    let options = PageOptions::new().first(5).timeline(6).mark_read(true);
    let refused = host.try_read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &options));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported, "a read marks nothing");
    let page = host.write(|ctx, txn| page::lead_page(ctx, txn, lead.id, &options));
    assert!(page.is_unread, "until now");
    let tabs: Vec<_> = page.tabs.iter().map(|tab| (tab.tab.code(), tab.total, tab.items.len())).collect();
    assert_eq!(tabs, [("note", 12, 5), ("task", 1, 1)]);
    assert_eq!(page.timeline.items.len(), 6);
    let cell = |key: &str| {
        let mut cells = page.sections.iter().flat_map(|section| &section.cells);
        cells.find(|cell| cell.field.key() == key).map(|cell| (cell.label.as_str(), cell.text.as_str()))
    };
    assert_eq!((cell("company"), cell("score")), (Some(("Company", "Nordlys AS")), Some(("Score", "7"))));
    assert_eq!(cell("follow_up"), Some(("Next follow-up", "2026-11-24 09:00")));
    assert_eq!(cell("id"), None);
    assert_eq!(
        page.actions,
        [
            leads::LeadAction::View,
            leads::LeadAction::Edit,
            leads::LeadAction::Delete,
            leads::LeadAction::Convert
        ]
    );
    assert_eq!((page.stages.len(), page.contacts.len()), (1, 0));
    let again = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &PageOptions::new()));
    assert!(!again.is_unread);
    let only = PageOptions::new().tabs([leadcore::domain::Tab::File]).timeline(0);
    let only = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &only));
    assert!(
        only.tabs.iter().all(|tab| tab.items.is_empty()) && only.tabs.len() == 3,
        "the others are counted"
    );
    assert_eq!(only.timeline.items.len(), 0);
    let huge = PageOptions::new().first(1_001);
    let refused = host.try_read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &huge)).unwrap_err();
    assert_eq!(refused.violations()[0].field, "first");
    // What the actor may not see is on none of its parts.
    let role = Role::manager().hide(Field::Company).unwrap();
    let table = RoleTable::new().role("half", role).user(&"eve".parse().unwrap(), &["half"], None).unwrap();
    let half = host
        .write_as("eve", &table, |ctx, txn| page::lead_page(ctx, txn, lead.id, &PageOptions::new()))
        .unwrap();
    assert!(!serde_json::to_string(&half).unwrap().contains("Nordlys"));
}

/// How far a lead is, and how often and when last it was talked with.
#[test]
fn s0_40_engagement_and_qualification_of_a_lead() {
    let host = Host::new();
    let lead = company(&host, "Nordlys AS");
    add(&host, lead.id, &call("First", "2026-11-20T07:00:00Z"));
    add(&host, lead.id, &call("Second", "2026-11-21T07:00:00Z"));
    add(&host, lead.id, &task("Send prices", "2026-11-24T09:00:00Z"));
    let said = host.read(|ctx, txn| page::qualification(ctx, txn, lead.id));
    assert_eq!((said.pipeline.as_str(), said.stage.as_str(), said.state.code()), ("Leads", "New", "open"));
    let engagement: Vec<_> = said
        .engagement
        .iter()
        .map(|it| (it.tab.code(), it.total, it.open, it.last.map(|at| at.to_string())))
        .collect();
    let last = Some("2026-11-21T07:00:00Z".to_owned());
    assert_eq!(engagement, [("call", 2, 0, last), ("task", 1, 1, None)]);
    host.write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, None, Some("a student")));
    let said = host.read(|ctx, txn| page::qualification(ctx, txn, lead.id));
    assert_eq!((said.state.code(), said.reason_detail.as_deref()), ("disqualified", Some("a student")));
}

/// None, planned, today or overdue: by the day of whoever asks.
#[test]
fn x_22_state_of_the_next_activity() {
    let host = Host::new();
    let [late, today, planned, _none] = ["Late", "Today", "Planned", "None"].map(|name| company(&host, name));
    add(&host, late.id, &task("a", "2026-11-21T23:30:00Z"));
    add(&host, today.id, &task("b", "2026-11-22T06:00:00Z"));
    add(&host, planned.id, &task("c", "2026-11-23T00:00:00Z"));
    for (state, names) in
        [("overdue", ["Late"]), ("today", ["Today"]), ("planned", ["Planned"]), ("none", ["None"])]
    {
        let text = format!("follow_up_state = {state}");
        assert_eq!(host.names(Filter::parse(&text).unwrap()), names, "{text}");
        assert_eq!(host.names(Filter::eq(Field::FollowUp, state)), names, "{state} as data");
        let but = Filter::new(Field::FollowUp, Operator::Ne, state);
        assert_eq!(host.names(but).len(), 3);
    }
    // Three hours east, what is late in UTC falls into today.
    let east = host.scene.ctx_with_team();
    let query = LeadQuery::new(Filter::eq(Field::FollowUp, "today")).sort(Sort::ascending(SortField::Number));
    let there =
        leadcore::store::StoreExt::read(&host.store, east.tenant(), |txn| leads::list(&east, txn, &query));
    let names: Vec<_> =
        there.unwrap().items.iter().map(|lead| lead.fields.company.clone().unwrap()).collect();
    assert_eq!(names, ["Late", "Today"]);
    let lead = host.get(&late);
    let offset = chrono::FixedOffset::east_opt(0).unwrap();
    let state = FollowUpState::of(lead.follow_up, host.scene.clock_now(), offset);
    assert_eq!(state, FollowUpState::Overdue);
    let wrong = Filter::parse("follow_up_state = someday").unwrap();
    let refused = host.try_read(|ctx, txn| leads::count(ctx, txn, &wrong)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

/// The next follow-up is on the lead, follows its tasks, sorts and filters lists, and conflicts with nobody.
#[test]
fn x_23_next_follow_up_on_the_lead() {
    let host = Host::new();
    let [first, second] = ["First", "Second"].map(|name| company(&host, name));
    let later = add(&host, first.id, &task("later", "2026-11-26T09:00:00Z"));
    let sooner = add(&host, first.id, &task("sooner", "2026-11-24T09:00:00Z"));
    add(&host, second.id, &task("between", "2026-11-25T09:00:00Z"));
    let due = |lead: &Lead| host.get(lead).follow_up.map(|next| next.at.to_string());
    assert_eq!(due(&first).as_deref(), Some("2026-11-24T09:00:00Z"));
    let open = |host: &Host| {
        let page = host.read(|ctx, txn| views::open(ctx, txn, SystemView::FollowUps, &ViewRequest::new()));
        page.rows.iter().map(|row| row.lead.fields.company.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(open(&host), ["First", "Second"], "who is due first comes first");
    let ActivityBody::Task(done) = &sooner.fields.body else { panic!("a task") };
    let done = Task { done_at: Some(host.scene.clock_now()), ..done.clone() };
    let done = ActivityFields { body: ActivityBody::Task(done), ..sooner.fields.clone() };
    host.write(|ctx, txn| activities::edit(ctx, txn, sooner.id, sooner.revision, done.clone()));
    assert_eq!(due(&first).as_deref(), Some("2026-11-26T09:00:00Z"), "the next one");
    assert_eq!(open(&host), ["Second", "First"]);
    host.write(|ctx, txn| activities::delete(ctx, txn, later.id, Expect::Any));
    assert_eq!((due(&first), open(&host)), (None, vec!["Second".to_owned()]));
    // Whoever opened the lead before can still save.
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    let saved = host.write(|ctx, txn| leads::edit(ctx, txn, second.id, second.revision, &patch));
    assert!(saved.follow_up.is_some() && saved.revision == second.revision.next());
    // It is derived: nobody writes it, and no history tells it.
    let patch = LeadPatch::new().set(Field::FollowUp, "2026-11-25T09:00:00Z");
    let refused = host.try_write(|ctx, txn| leads::edit(ctx, txn, second.id, Expect::Any, &patch));
    assert_eq!(refused.unwrap_err().violations()[0].field, "follow_up");
    assert!(!texts(&host, second.id, &TimelineQuery::new(10)).iter().any(|text| text.contains("follow")));
}

/// One operation about a lead and what hangs on it goes back as a whole, and again.
#[test]
fn a_mixed_operation_is_taken_back_as_a_whole() {
    let host = Host::new();
    let lead = company(&host, "Nordlys AS");
    add(&host, lead.id, &task("Send prices", "2026-11-24T09:00:00Z"));
    let newest =
        |host: &Host| host.read(|_, txn| txn.journal().replay(None, None, 10_000)).last().unwrap().operation;
    let removal = {
        host.scene.tick();
        host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
        newest(&host)
    };
    let page = |host: &Host| host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &PageOptions::new()));
    assert_eq!(page(&host).tabs.len(), 1, "the trash leaves children alone");
    host.write(|ctx, txn| undo::undo(ctx, txn, removal));
    let back = host.get(&lead);
    assert!(back.trashed.is_none() && back.follow_up.is_some(), "and they are there when it comes back");
}

#[derive(Debug, Clone)]
enum Step {
    Add(usize, u32),
    Edit(usize, u32),
    Delete(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_usize..3, 1_u32..28).prop_map(|(about, day)| Step::Add(about, day)),
        (0_usize..8, 1_u32..28).prop_map(|(which, day)| Step::Edit(which, day)),
        (0_usize..8).prop_map(Step::Delete),
    ];
    proptest::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever was done with what hangs on leads: taken back in reverse, everything is as it was, but for clocks and
    /// revisions.
    #[test]
    fn what_is_done_with_children_is_taken_back(steps in steps()) {
        let host = Host::new();
        let leads = ["A", "B"].map(|name| company(&host, name));
        let abouts: [Vec<Subject>; 3] = [
            vec![leads[0].id.into()],
            vec![leads[1].id.into()],
            vec![leads[0].id.into(), leads[1].id.into()],
        ];
        let due = |day: u32| task(&format!("Due {day}"), &format!("2026-11-{day:02}T09:00:00Z"));
        let state = || {
            let follow_ups = leads.each_ref().map(|lead| host.get(lead).follow_up);
            let listing = leadcore::desk::Listing::default();
            let of = |lead: &Lead| host.read(|ctx, txn| activities::of(ctx, txn, lead.id, ActivityKind::ALL, &listing)).items;
            let plain = |lead: &Lead| {
                of(lead).into_iter().map(|it| (it.id, it.about, it.fields)).collect::<Vec<_>>()
            };
            let counts = leads.each_ref().map(|lead| host.read(|_, txn| txn.children().counts(&[lead.id.into()])));
            (follow_ups, plain(&leads[0]), plain(&leads[1]), counts)
        };
        // The state before each operation, with the operation.
        let mut done = Vec::new();
        let mut made = Vec::new();
        for step in steps {
            let before = state();
            host.scene.tick();
            let wrote = match step {
                Step::Add(about, day) => {
                    let new = host.write(|ctx, txn| activities::add(ctx, txn, &abouts[about], due(day)));
                    made.push(new.id);
                    true
                }
                Step::Edit(which, day) => made.get(which).is_some_and(|id| {
                    host.try_write(|ctx, txn| activities::edit(ctx, txn, *id, Expect::Any, due(day))).is_ok()
                }),
                Step::Delete(which) => made.get(which).is_some_and(|id| {
                    host.try_write(|ctx, txn| activities::delete(ctx, txn, *id, Expect::Any)).is_ok()
                }),
            };
            let newest = host.read(|_, txn| txn.journal().replay(None, None, 10_000)).last().unwrap().operation;
            if wrote && done.last().is_none_or(|(_, last)| *last != newest) {
                done.push((before, newest));
            }
        }
        for (before, operation) in done.into_iter().rev() {
            host.scene.tick();
            let undone = host.write(|ctx, txn| undo::undo(ctx, txn, operation));
            prop_assert_eq!(undone.totals.reversed, 1, "{:?}", undone);
            prop_assert_eq!(state(), before);
        }
    }
}

proptest! {
    /// The filter finds the leads of a state and no others, for readers anywhere.
    #[test]
    fn states_and_filters_agree(
        at in proptest::option::of(-90_000_000_000_i64..90_000_000_000),
        now in -90_000_000_000_i64..90_000_000_000,
        hours in -23..=23,
    ) {
        let time = |micros: i64| leadcore::time::Timestamp::from_micros(micros).unwrap();
        let world = World::install(&leadcore::memory::MemoryStore::new());
        let mut lead = world.company(1, "Nordlys AS");
        lead.follow_up = at.map(time).map(Into::into);
        let (now, offset) = (time(now), chrono::FixedOffset::east_opt(hours * 3_600).unwrap());
        let ctx = world.scene.ctx();
        let asker = leadcore::query::Asker { now, offset, ..ctx.asker() };
        for state in FollowUpState::ALL {
            let filter = Filter::eq(Field::FollowUp, state.code()).resolve(&asker).unwrap();
            let is = FollowUpState::of(lead.follow_up, now, offset) == state;
            prop_assert_eq!(filter.matches(&lead), is, "{}", state);
        }
    }
}
