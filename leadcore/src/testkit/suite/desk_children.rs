//! What hangs on leads, through the use cases: taken back, purged, told, shown.

use crate::desk::page::{self, ChildRecord, PageOptions};
use crate::desk::purge::{self, PurgeRequest};
use crate::desk::timeline::{self, TimelineQuery};
use crate::desk::{Expect, Listing, activities, convert, estimates, files, followers, leads, records, undo};
use crate::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, ContentHash, EstimateFields, FileFields,
    FileRecord, FollowUpState, HostRecordFields, Kept, Lead, LeadFields, Moment, Priority, RecordKind,
    RecordKindSpec, RecordKinds, Subject, Task, Topic, WhyKept,
};
use crate::error::{ErrorKind, Result};
use crate::id::{FileId, OperationId, Revision};
use crate::policy::{Permission, Role, RoleTable, Visibility};
use crate::query::{Filter, LeadQuery};
use crate::store::{Store, StoreExt, Txn};
use crate::time::Timestamp;

use super::super::fixtures::Scene;

pub(super) fn write<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a write that breaks no rule")
}

pub(super) fn make(store: &dyn Store, scene: &Scene, name: &str) -> Lead {
    scene.tick();
    write(store, scene, |txn| leads::create(&scene.ctx(), txn, LeadFields::company(name).unwrap().into()))
}

pub(super) fn note(title: &str) -> ActivityFields {
    let (title, text) = (Some(title.to_owned()), Some("In words.".to_owned()));
    ActivityFields { title, text, assignee: None, remind_at: None, body: ActivityBody::Note }
}

pub(super) fn task(title: &str, due: &str) -> ActivityFields {
    let due = Some(Moment::at(due.parse().unwrap()));
    let task = Task { due, priority: Priority::Normal, done_at: None, recurrence: None, next: None };
    ActivityFields { body: ActivityBody::Task(task), ..note(title) }
}

pub(super) fn add(store: &dyn Store, scene: &Scene, about: &[Subject], fields: &ActivityFields) -> Activity {
    scene.tick();
    write(store, scene, |txn| activities::add(&scene.ctx(), txn, about, fields.clone()))
}

/// The operation of the newest entry.
fn last(store: &dyn Store, scene: &Scene) -> OperationId {
    let read = store.read(&scene.tenant, |txn| txn.journal().replay(None, None, 10_000));
    read.unwrap().last().unwrap().operation
}

/// Takes the newest operation back.
pub(super) fn take_back(store: &dyn Store, scene: &Scene) -> undo::UndoOutcome {
    let operation = last(store, scene);
    scene.tick();
    let ctx = scene.ctx();
    let plan = store.read(&scene.tenant, |txn| undo::plan(&ctx, txn, operation)).unwrap();
    let done = write(store, scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!(plan.totals, done.totals, "the plan says what is done");
    done
}

/// Title and due time of what hangs on a lead, whatever its revision.
fn shown(store: &dyn Store, scene: &Scene, lead: &Lead) -> Vec<(Option<String>, ActivityBody)> {
    let ctx = scene.ctx();
    let listing = Listing { ascending: true, ..Default::default() };
    let page =
        store.read(&scene.tenant, |txn| activities::of(&ctx, txn, lead.id, ActivityKind::ALL, &listing));
    page.unwrap().items.into_iter().map(|it| (it.fields.title, it.fields.body)).collect()
}

/// Added, edited and deleted: each is taken back, and the taking back too; what was edited since is kept.
pub fn children_are_taken_back_and_again(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, "Nordlys AS");
    let due = |store: &dyn Store| {
        store.read(&scene.tenant, |txn| leads::get(&ctx, txn, lead.id)).unwrap().follow_up
    };
    let before = (shown(store, &scene, &lead), due(store));
    let made = add(store, &scene, &[lead.id.into()], &task("Call", "2026-11-24T09:00:00Z"));
    let added = (shown(store, &scene, &lead), due(store));
    for wanted in [&before, &added, &before, &added] {
        let done = take_back(store, &scene);
        assert_eq!((done.totals.reversed, done.totals.kept, done.totals.failed), (1, 0, 0), "{done:?}");
        assert_eq!(&(shown(store, &scene, &lead), due(store)), wanted, "there and back");
    }
    write(store, &scene, |txn| {
        let fields = task("Call again", "2026-11-23T09:00:00Z");
        activities::edit(&ctx, txn, made.id, Expect::Any, fields)
    });
    let edited = (shown(store, &scene, &lead), due(store));
    assert_ne!(edited, added);
    for wanted in [&added, &edited, &added, &edited] {
        take_back(store, &scene);
        assert_eq!(&(shown(store, &scene, &lead), due(store)), wanted, "an edit there and back");
    }
    let edit = last(store, &scene);
    write(store, &scene, |txn| activities::delete(&ctx, txn, made.id, Expect::Any));
    let gone = write(store, &scene, |txn| undo::undo(&ctx, txn, edit));
    assert_eq!(gone.totals.kept, 1, "what is gone is not what it was made to be: {gone:?}");
    for wanted in [&edited, &before, &edited] {
        // The undo that wrote nothing left no entry behind.
        take_back(store, &scene);
        assert_eq!(&(shown(store, &scene, &lead), due(store)), wanted, "a removal there and back");
    }
    let rename = |title: &str| {
        let fields = task(title, "2026-11-23T09:00:00Z");
        write(store, &scene, |txn| activities::edit(&ctx, txn, made.id, Expect::Any, fields.clone()));
    };
    rename("Something else");
    let other = last(store, &scene);
    rename("And again");
    let kept = write(store, &scene, |txn| undo::undo(&ctx, txn, other));
    assert_eq!(kept.remaining[0].kept, [Kept { field: "updated".to_owned(), why: WhyKept::Edited }]);
    assert_eq!(shown(store, &scene, &lead)[0].0.as_deref(), Some("And again"), "and stays");
}

/// A content, and a file that has it, about these records.
fn attach(store: &dyn Store, scene: &Scene, about: &[Subject], n: u8) -> FileRecord {
    scene.tick();
    let now = scene.clock_now();
    let file = FileRecord {
        id: FileId::from_uuid(scene.uuid()),
        revision: Revision::FIRST,
        about: about.to_vec(),
        fields: FileFields::named("plan.txt"),
        media_type: "text/plain".to_owned(),
        size: 1,
        hash: ContentHash::from_bytes([n; 32]),
        created_by: scene.actor.clone(),
        created_at: now,
        updated_at: now,
    };
    write(store, scene, |txn| {
        let upload = txn.blobs().begin()?;
        txn.blobs().append(upload, &[n])?;
        txn.blobs().finish(upload, &file.hash)?;
        txn.files().insert(std::slice::from_ref(&file))?;
        txn.children().place(&[file.placement()])
    });
    file
}

/// A note that was deleted comes back with what was attached to it and to notes about it, bytes and all, as often as one
/// likes; a plan says so before. A purge frees the bytes.
pub fn attachments_come_back_with_their_note(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let [lead, other] = ["Nordlys AS", "Other AS"].map(|name| make(store, &scene, name));
    let made = add(store, &scene, &[lead.id.into()], &note("With files"));
    let comment = add(store, &scene, &[made.id.into()], &note("About the note"));
    let (plan, remark) =
        (attach(store, &scene, &[made.id.into()], 1), attach(store, &scene, &[comment.id.into()], 2));
    let shared = attach(store, &scene, &[made.id.into(), other.id.into()], 3);
    let there = |file: &FileRecord| {
        let read = store.read(&scene.tenant, |txn| {
            let found = match files::get(&ctx, txn, file.id) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                found => Some(found?.about),
            };
            Ok((found, txn.blobs().size(&file.hash)?.is_some()))
        });
        read.unwrap()
    };
    let all = [(Some(plan.about.clone()), true), (Some(remark.about.clone()), true)];
    let gone = [(None, true), (None, true)];
    write(store, &scene, |txn| activities::delete(&ctx, txn, made.id, Expect::Any));
    assert_eq!([there(&plan), there(&remark)], gone);
    assert_eq!(there(&shared).0, Some(vec![other.id.into()]));
    for wanted in [&all, &gone, &all, &gone, &all] {
        // The note, what is about it, and all three files.
        let done = take_back(store, &scene);
        assert_eq!((done.totals.reversed, done.totals.kept, done.totals.failed), (5, 0, 0), "{done:?}");
        assert_eq!(&[there(&plan), there(&remark)], wanted, "there and back");
    }
    assert_eq!(there(&shared).0.unwrap().len(), 2);
    // The history of the lead tells what happened to what is attached to its notes.
    let told = store.read(&scene.tenant, |txn| {
        timeline::of(&ctx, txn, lead.id, &TimelineQuery::new(100).topics(&[Topic::File]))
    });
    let told: Vec<_> = told.unwrap().items.into_iter().map(|item| item.text).collect();
    assert!(told.iter().any(|text| text == "File brought back: plan.txt"), "{told:?}");
    let page = store.read(&scene.tenant, |txn| page::lead_page(&ctx, txn, lead.id, &PageOptions::new()));
    let attached = page.unwrap().attachments;
    assert_eq!(attached.iter().map(|it| (it.of, it.total)).collect::<Vec<_>>(), [(made.id.into(), 2)]);
    // A file that is deleted by itself is gone for good.
    write(store, &scene, |txn| files::delete(&ctx, txn, remark.id, Expect::Any));
    assert_eq!(there(&remark), (None, false));
    write(store, &scene, |txn| activities::delete(&ctx, txn, made.id, Expect::Any));
    write(store, &scene, |txn| leads::delete(&ctx, txn, lead.id, Expect::Any));
    let request = PurgeRequest::trash(Filter::everything());
    write(store, &scene, |txn| {
        let plan = purge::plan(&ctx, txn, &request)?;
        purge::apply(&ctx, txn, &plan)
    });
    assert_eq!((there(&plan), there(&shared).1), ((None, false), true), "nobody can bring it back any more");
}

/// A purge takes what is about the leads alone, and only takes them off the rest.
pub fn a_purge_takes_children_along(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let [kept, gone] = ["Kept AS", "Gone AS"].map(|name| make(store, &scene, name));
    let shared = add(store, &scene, &[kept.id.into(), gone.id.into()], &note("Both"));
    let own = add(store, &scene, &[gone.id.into()], &note("Own"));
    write(store, &scene, |txn| leads::delete(&ctx, txn, gone.id, Expect::Any));
    write(store, &scene, |txn| leads::restore(&ctx, txn, gone.id));
    assert_eq!(shown(store, &scene, &gone).len(), 2, "the trash and back leaves children alone");
    write(store, &scene, |txn| leads::delete(&ctx, txn, gone.id, Expect::Any));
    let request = PurgeRequest::trash(Filter::everything());
    let plan = store.read(&scene.tenant, |txn| purge::plan(&ctx, txn, &request)).unwrap();
    let done = write(store, &scene, |txn| purge::apply(&ctx, txn, &plan));
    assert_eq!((plan.children, done.children), (1, 1));
    let (left, placed) = store
        .read(&scene.tenant, |txn| {
            let left = txn.activities().get(&[shared.id, own.id])?;
            Ok((left, txn.children().placements(&[shared.id.into(), own.id.into()])?))
        })
        .unwrap();
    assert_eq!(
        left.iter().map(|it| (it.id, it.about.clone())).collect::<Vec<_>>(),
        [(shared.id, vec![kept.id.into()])]
    );
    assert_eq!(placed.iter().map(|it| it.about.clone()).collect::<Vec<_>>(), [[kept.id.into()]]);
}

/// An event about several records that one page shows is told once, also where a page ends within it; topics narrow; after a
/// conversion both sides tell the same.
pub fn a_timeline_tells_each_event_once(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, "Nordlys AS");
    let made = write(store, &scene, |txn| {
        convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())
    });
    let other = make(store, &scene, "Other AS");
    let contact = write(store, &scene, |txn| {
        let fields = crate::domain::ContactFields::named("Kari").unwrap();
        crate::desk::contacts::add(&ctx, txn, other.id, fields, true)
    });
    for n in 0..5 {
        let about = [made.account.unwrap().into(), contact.id.into(), other.id.into()];
        add(store, &scene, &about, &note(&format!("Note {n}")));
        add(store, &scene, &about[..1], &task(&format!("Task {n}"), "2026-11-24T09:00:00Z"));
    }
    let read = |subject: Subject, query: &TimelineQuery| {
        store.read(&scene.tenant, |txn| timeline::of(&ctx, txn, subject, query)).unwrap()
    };
    let all: Vec<String> =
        read(other.id.into(), &TimelineQuery::new(100)).items.into_iter().map(|item| item.text).collect();
    assert_eq!(all[..2], ["Note added: Note 4", "Note added: Note 3"]);
    assert_eq!(all.iter().filter(|text| text.starts_with("Note added")).count(), 5, "{all:?}");
    for limit in 1..4 {
        let mut query = TimelineQuery::new(limit);
        let mut texts = Vec::new();
        loop {
            let page = read(other.id.into(), &query);
            texts.extend(page.items.into_iter().map(|item| item.text));
            query = query.before(page.next);
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(texts, all, "pages of {limit}");
    }
    let notes = read(made.account.unwrap().into(), &TimelineQuery::new(100).topics(&[Topic::Note]));
    assert!(notes.items.iter().all(|item| item.topics == [Topic::Note]) && notes.items.len() == 5);
    let image = notes.items.iter().flat_map(|item| &item.entry.changes).any(|it| it.field == "image");
    assert!(!image, "what is kept for an undo is not told");
    let [of_lead, of_account] = [Subject::from(lead.id), made.account.unwrap().into()]
        .map(|subject| read(subject, &TimelineQuery::new(100)));
    assert_eq!(of_lead, of_account, "one history from both sides");
    assert_eq!(of_lead.items.len(), 10 + 3, "{of_lead:?}");
    let of_contact = read(contact.id.into(), &TimelineQuery::new(100));
    assert_eq!(of_contact.items.len(), 5 + 1, "what is about a person, and that it was created");
}

/// The page of a lead holds what its parts say; its follow-up is that of its tasks, and narrows lists.
pub fn a_page_holds_what_its_parts_say(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, "Nordlys AS");
    let late = make(store, &scene, "Late AS");
    make(store, &scene, "Quiet AS");
    for n in 0..4 {
        add(store, &scene, &[lead.id.into()], &note(&format!("Note {n}")));
    }
    let due: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
    add(store, &scene, &[lead.id.into()], &task("Planned", "2026-11-24T09:00:00Z"));
    add(store, &scene, &[late.id.into()], &task("Late", "2026-11-20T09:00:00Z"));
    let options = PageOptions::new().first(2).timeline(3);
    let page = store.read(&scene.tenant, |txn| page::lead_page(&ctx, txn, lead.id, &options)).unwrap();
    let tabs: Vec<_> =
        page.tabs.iter().map(|tab| (tab.tab.code(), tab.total, tab.open, tab.items.len())).collect();
    assert_eq!(tabs, [("note", 4, 0, 2), ("task", 1, 1, 1)]);
    let ChildRecord::Activity(first) = &page.tabs[0].items[0] else { panic!("an activity comes first") };
    assert_eq!((first.fields.title.as_deref(), page.tabs[0].next.is_some()), (Some("Note 3"), true));
    assert_eq!((page.timeline.items.len(), page.timeline.next.is_some()), (3, true));
    assert_eq!((page.lead.follow_up, page.follow_up_state), (Some(due.into()), FollowUpState::Planned));
    assert_eq!(page.lead.revision, lead.revision, "a note is no edit of the lead");
    assert_eq!(page.lead.active_at, scene.clock_now().saturating_add(chrono::TimeDelta::seconds(-1)));
    let numbers = |state: &str| {
        let query = LeadQuery::new(Filter::parse(&format!("follow_up_state {state}")).unwrap());
        let found = store.read(&scene.tenant, |txn| leads::list(&ctx, txn, &query)).unwrap();
        let mut numbers: Vec<_> = found.items.iter().map(|lead| lead.number).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!((numbers("= overdue"), numbers("= planned"), numbers("= none")), (vec![2], vec![1], vec![3]));
    assert_eq!((numbers("!= none"), numbers("in (overdue, today)")), (vec![1, 2], vec![2]));
    let made = write(store, &scene, |txn| {
        convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())
    });
    let customer = store
        .read(&scene.tenant, |txn| page::account_page(&ctx, txn, made.account.unwrap(), &options))
        .unwrap();
    // The same places; the cursors read on in the lists of the customer.
    let placed = |mut tabs: Vec<page::TabPage>| {
        tabs.iter_mut().for_each(|tab| tab.next = tab.next.map(|next| next.place.into()));
        tabs
    };
    let of_lead = placed(page.tabs.clone());
    assert_eq!(placed(customer.tabs), of_lead, "the customer has the tabs of the lead that it was");
    write(store, &scene, |txn| {
        let (ada, bob) = ("ada".parse()?, "bob".parse()?);
        followers::follow(&ctx, txn, lead.id, Some(&bob))?;
        followers::follow(&ctx, txn, made.account.unwrap(), Some(&bob))?;
        followers::follow(&ctx, txn, made.account.unwrap(), Some(&ada)).map(drop)
    });
    let users = |follows: &[crate::domain::Follow]| {
        follows.iter().map(|follow| follow.user.to_string()).collect::<Vec<_>>()
    };
    let page = store.read(&scene.tenant, |txn| page::lead_page(&ctx, txn, lead.id, &options)).unwrap();
    assert_eq!(users(&page.followers), ["ada", "bob"], "those of the lead and of its account, each once");
    let customer = store
        .read(&scene.tenant, |txn| page::account_page(&ctx, txn, made.account.unwrap(), &options))
        .unwrap();
    assert_eq!(customer.followers, page.followers);
}

/// Who may not see a record does not learn its id from what is about it too, and does not take it off either.
pub fn who_does_not_see_a_record_is_not_told_of_it(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let own = |owner: &str| {
        let mut fields = LeadFields::company(owner).unwrap();
        fields.owner = Some(owner.parse().unwrap());
        scene.tick();
        write(store, &scene, |txn| leads::create(&ctx, txn, fields.clone().into()))
    };
    let (mine, hidden) = (own("bob"), own("ada"));
    let clerk = Role::new().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    let table = RoleTable::new().role("clerk", clerk);
    let table = table.user(&"bob".parse().unwrap(), &["clerk"], None).unwrap();
    let bob = scene.ctx_as("bob", &table);
    let about: [Subject; 2] = [hidden.id.into(), mine.id.into()];
    let kind = RecordKind::new("project").unwrap();
    let titled = HostRecordFields::titled;
    let made = add(store, &scene, &about, &task("Both", "2026-11-24T09:00:00Z"));
    let file = attach(store, &scene, &about, 1);
    let (estimate, linked) = write(store, &scene, |txn| {
        let kinds = RecordKinds::new().with(RecordKindSpec::new(kind.clone(), "Project", "Projects"));
        records::set_kinds(&ctx, txn, None, &kinds)?;
        let estimate = estimates::create(&ctx, txn, &about, EstimateFields::titled("Roof"))?;
        Ok((estimate, records::link(&ctx, txn, &about, &kind, "P-1", titled("Roof"))?))
    });
    let seen: [Subject; 1] = [mine.id.into()];
    let (listing, day) = (Listing::default(), "2026-11-24".parse().unwrap());
    let told: Vec<Vec<Subject>> = write(store, &scene, |txn| {
        let mut told = Vec::new();
        told.push(activities::get(&bob, txn, made.id)?.about);
        told.extend(
            activities::of(&bob, txn, mine.id, ActivityKind::ALL, &listing)?
                .items
                .into_iter()
                .map(|it| it.about),
        );
        told.extend(
            activities::all(&bob, txn, ActivityKind::ALL, &listing)?.items.into_iter().map(|it| it.about),
        );
        told.push(activities::snooze(&bob, txn, made.id, Expect::Any)?.about);
        told.push(activities::complete(&bob, txn, made.id, Expect::Any)?.activity.about);
        told.push(files::get(&bob, txn, file.id)?.about);
        told.extend(files::of(&bob, txn, mine.id, &listing)?.items.into_iter().map(|it| it.about));
        told.push(files::edit(&bob, txn, file.id, Expect::Any, &FileFields::named("b"))?.about);
        told.push(estimates::get(&bob, txn, estimate.id)?.about);
        told.extend(estimates::of(&bob, txn, mine.id, &listing)?.items.into_iter().map(|it| it.about));
        let all = estimates::list(&bob, txn, &estimates::EstimateQuery::default())?;
        told.extend(all.items.into_iter().map(|it| it.about));
        let fields = EstimateFields { date: Some(day), ..EstimateFields::titled("Roofs") };
        told.push(estimates::edit(&bob, txn, estimate.id, Expect::Any, fields)?.about);
        told.push(records::by_key(&bob, txn, &kind, "P-1")?.about);
        told.push(records::edit(&bob, txn, linked.id, Expect::Any, titled("Roofs"))?.about);
        told.push(records::link(&bob, txn, &seen, &kind, "P-1", titled("Roof"))?.about);
        for tab in page::lead_page(&bob, txn, mine.id, &PageOptions::new())?.tabs {
            told.extend(tab.items.into_iter().map(|it| match it {
                ChildRecord::Activity(it) => it.about,
                ChildRecord::File(it) => it.about,
                ChildRecord::Estimate(it) => it.about,
                ChildRecord::Record(it) => it.about,
                ChildRecord::Opportunity(it) => it.about,
                ChildRecord::Service(it) => it.about,
                ChildRecord::Lines(_) => Vec::new(),
            }));
        }
        Ok(told)
    });
    assert_eq!(told.len(), 19);
    assert!(told.iter().all(|about| *about == seen), "{told:?}");
    for subject in [Subject::from(made.id), file.id.into(), estimate.id.into(), linked.id.into()] {
        let history =
            store.read(&scene.tenant, |txn| timeline::of(&bob, txn, subject, &TimelineQuery::new(50)));
        let others: Vec<_> = history.unwrap().items.into_iter().filter_map(|item| item.entry.other).collect();
        assert!(others.iter().all(|other| *other == seen[0]), "{others:?}");
    }
    let kept = write(store, &scene, |txn| {
        let linked = records::get(&ctx, txn, linked.id)?;
        assert_eq!(linked.fields, titled("Roof"));
        let task = activities::get(&ctx, txn, made.id)?;
        Ok([linked.about, task.about, files::get(&ctx, txn, file.id)?.about])
    });
    for about in kept {
        assert_eq!(about.len(), 2, "what is out of sight stays");
    }
}
