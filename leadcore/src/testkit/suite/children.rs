//! The port that places what hangs on leads, and what leads have from it.

use crate::domain::{
    ActivityKind, Field, FollowUp, Moment, Placed, Placement, RecordKind, Subject, SubjectKind, Tab, TabCount,
};
use crate::query::{Filter, Resolved, Sort, SortField};
use crate::store::{ChildQuery, Derived, Store};
use crate::time::Timestamp;

use super::super::fixtures::World;

const NOTE: Tab = Tab::Activity(ActivityKind::Note);
const TASK: Tab = Tab::Activity(ActivityKind::Task);

fn at(hour: u32) -> Timestamp {
    format!("2026-11-22T{hour:02}:00:00Z").parse().unwrap()
}

/// Placed under these records: open tasks are followed up when they are due.
fn placement(world: &World, about: &[Subject], tab: Tab, hour: u32, is_open: bool) -> Placement {
    let kind = match tab {
        Tab::Activity(_) => SubjectKind::Activity,
        Tab::File => SubjectKind::File,
        _ => SubjectKind::Record,
    };
    let child = Subject::new(kind, world.scene.uuid());
    Placement {
        child,
        about: about.to_vec(),
        tab,
        at: at(hour),
        is_open,
        follow_up: is_open.then(|| at(hour).into()),
    }
}

/// A world with three leads, as subjects.
fn stocked(store: &dyn Store) -> (World, Vec<Subject>) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=3).map(|n| world.company(n, "Children")).collect();
    world.write(store, |txn| txn.leads().insert(&leads));
    (world, leads.iter().map(|lead| lead.id.into()).collect())
}

fn all(about: &[Subject]) -> ChildQuery {
    let (about, tabs) = (about.to_vec(), Vec::new());
    ChildQuery { about, tabs, open: None, descending: false, after: None, limit: 1_000 }
}

fn list(world: &World, store: &dyn Store, query: &ChildQuery) -> Vec<Placed> {
    world.read(store, |txn| txn.children().list(query))
}

fn ids(found: &[Placed]) -> Vec<Subject> {
    found.iter().map(|placed| placed.child).collect()
}

fn of(placements: &[&Placement]) -> Vec<Subject> {
    placements.iter().map(|placement| placement.child).collect()
}

/// What is written comes back, in the order asked, and a second placement replaces the first.
pub fn placements_come_back_as_they_were_written(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let host = Tab::Record(RecordKind::new("subscription").unwrap());
    let mut first = placement(&world, &leads[..2], TASK, 9, true);
    let second = placement(&world, &[world.account.into()], host, 8, false);
    let unknown = Subject::new(SubjectKind::Activity, world.scene.uuid());
    let wanted = [second.clone(), first.clone()];
    world.write(store, |txn| txn.children().place(&wanted));
    let read = || {
        let asked = [first.child, unknown, second.child];
        let mut found = world.read(store, |txn| txn.children().placements(&asked));
        found.iter_mut().for_each(|placement| placement.about.sort());
        found
    };
    first.about.sort();
    assert_eq!(
        read(),
        [first.clone(), second.clone()],
        "as written, in the order asked, unknown ones left out"
    );
    let moved =
        Placement { about: vec![leads[2]], tab: NOTE, is_open: false, follow_up: None, ..first.clone() };
    world.write(store, |txn| txn.children().place(std::slice::from_ref(&moved)));
    assert_eq!(read(), [moved.clone(), second], "a child has one placement");
    assert_eq!(list(&world, store, &all(&leads[..2])), [], "and is not where it was");
    let placed = Placed { child: moved.child, tab: NOTE, at: at(9), is_open: false };
    assert_eq!(list(&world, store, &all(&leads)), [placed], "but where it is");
}

/// By time and id, both ways; a page goes on where the one before ended, also within one time.
pub fn children_are_listed_by_time_from_any_place(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let hours = [7, 3, 3, 9, 3, 1, 9];
    let made: Vec<_> = (0_usize..)
        .zip(hours)
        .map(|(n, hour)| {
            let tab = if n % 2 == 0 { TASK } else { Tab::File };
            placement(&world, &leads[..1], tab, hour, n % 3 == 0)
        })
        .collect();
    world.write(store, |txn| txn.children().place(&made));
    let mut wanted: Vec<_> = made.iter().map(|placement| (placement.at, placement.child.id)).collect();
    wanted.sort_unstable();
    for descending in [false, true] {
        for limit in 1..=8 {
            let mut query = ChildQuery { descending, limit, ..all(&leads[..1]) };
            let mut found = Vec::new();
            loop {
                let page = list(&world, store, &query);
                assert!(page.len() <= limit, "at most the limit");
                let Some(last) = page.last() else { break };
                query.after = Some(last.place());
                found.extend(page.iter().map(|placed| (placed.at, placed.child.id)));
            }
            assert_eq!(found, wanted, "every child once, in order (descending: {descending}, by {limit})");
        }
        wanted.reverse();
    }
    assert_eq!(list(&world, store, &ChildQuery { limit: 0, ..all(&leads) }), [], "none is none");
    assert_eq!(list(&world, store, &ChildQuery { limit: usize::MAX, ..all(&leads) }).len(), 7, "all are all");
}

/// Only some tabs, only what is open, only what is not.
pub fn children_are_narrowed_by_tab_and_state(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let [open, done] = [true, false].map(|is_open| placement(&world, &leads[..1], TASK, 9, is_open));
    let note = placement(&world, &leads[..1], NOTE, 8, false);
    let file = placement(&world, &leads[1..2], Tab::File, 7, false);
    world.write(store, |txn| txn.children().place(&[open.clone(), done.clone(), note.clone(), file.clone()]));
    let find = |tabs: &[Tab], is_open: Option<bool>| {
        let query = ChildQuery { tabs: tabs.to_vec(), open: is_open, ..all(&leads) };
        ids(&list(&world, store, &query))
    };
    assert_eq!(find(&[TASK], Some(true)), of(&[&open]));
    assert_eq!(find(&[TASK], Some(false)), of(&[&done]));
    assert_eq!(find(&[NOTE, Tab::File], None), of(&[&file, &note]), "several tabs, one order");
    assert_eq!(find(&[], Some(false)), of(&[&file, &note, &done]), "no tab is any tab");
    assert_eq!(find(&[Tab::Estimate], None), []);
    assert_eq!(ids(&list(&world, store, &all(&[]))), [], "about nothing is nothing");
}

/// A child about several of the records that are asked for is one child, in lists and in counts.
pub fn a_child_about_several_records_counts_once(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let both = placement(&world, &leads[..2], TASK, 9, true);
    let one = placement(&world, &leads[..1], TASK, 8, false);
    let other = placement(&world, &leads[1..2], NOTE, 10, false);
    world.write(store, |txn| txn.children().place(&[both.clone(), one.clone(), other.clone()]));
    let found = list(&world, store, &all(&[leads[1], leads[0], leads[1]]));
    assert_eq!(ids(&found), of(&[&one, &both, &other]));
    let limited = ChildQuery { limit: 2, descending: true, ..all(&leads) };
    assert_eq!(ids(&list(&world, store, &limited)), of(&[&other, &both]), "a limit counts children");
    let count = |tab, total, open| TabCount { tab, total, open };
    let counts = |about: &[Subject]| world.read(store, |txn| txn.children().counts(about));
    assert_eq!(counts(&leads), [count(NOTE, 1, 0), count(TASK, 2, 1)], "in the order of tabs");
    assert_eq!(counts(&leads[..1]), [count(TASK, 2, 1)]);
    assert_eq!(counts(&[leads[0], leads[0]]), [count(TASK, 2, 1)], "asked twice is asked once");
    assert_eq!(counts(&leads[2..]), [], "tabs without anything are left out");
}

/// The earliest follow-up of each record, in the order asked.
pub fn follow_ups_are_the_earliest(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let late = placement(&world, &leads[..2], TASK, 11, true);
    let early = placement(&world, &leads[1..2], TASK, 9, true);
    let done = placement(&world, &leads, TASK, 7, false);
    world.write(store, |txn| txn.children().place(&[late.clone(), early.clone(), done.clone()]));
    let find = |about: &[Subject]| world.read(store, |txn| txn.children().follow_ups(about));
    assert_eq!(find(&[leads[1], leads[2], leads[0]]), [(leads[1], at(9).into()), (leads[0], at(11).into())]);
    world.write(store, |txn| txn.children().lift(&[early.child]));
    let day = Moment::day(crate::time::Date::of(at(11)));
    let whole = Placement { follow_up: Some(day.into()), ..placement(&world, &leads[1..2], TASK, 12, true) };
    world.write(store, |txn| txn.children().place(std::slice::from_ref(&whole)));
    let both = FollowUp { at: at(11), day: day.day };
    assert_eq!(find(&leads[1..2]), [(leads[1], both)], "a whole day is kept beside an earlier time");
    assert_eq!(
        world.read(store, |txn| txn.children().placements(&[whole.child])),
        std::slice::from_ref(&whole)
    );
    world.write(store, |txn| txn.children().lift(&[whole.child]));
    assert_eq!(
        find(&leads),
        [(leads[0], at(11).into()), (leads[1], at(11).into())],
        "the next one is due then"
    );
}

/// What is taken away is nowhere any more; what was never there is passed over.
pub fn lifted_children_are_gone(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let kept = placement(&world, &leads[..1], TASK, 9, true);
    let gone = placement(&world, &leads, TASK, 8, true);
    let unknown = Subject::new(SubjectKind::Activity, world.scene.uuid());
    world.write(store, |txn| txn.children().place(&[kept.clone(), gone.clone()]));
    world.write(store, |txn| txn.children().lift(&[gone.child, unknown, gone.child]));
    assert_eq!(ids(&list(&world, store, &all(&leads))), of(&[&kept]));
    let (counts, follow_ups, placements) = world.read(store, |txn| {
        let children = txn.children();
        Ok((children.counts(&leads)?, children.follow_ups(&leads)?, children.placements(&[gone.child])?))
    });
    assert_eq!(counts, [TabCount { tab: TASK, total: 1, open: 1 }]);
    assert_eq!((follow_ups, placements), (vec![(leads[0], at(9).into())], Vec::new()));
}

/// What a lead has from its children is written beside it: no revision, no keys, no counts change, and lists follow.
pub fn what_follows_from_children_needs_no_revision(store: &dyn Store) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=3).map(|n| world.company(n, "Derived")).collect();
    world.write(store, |txn| txn.leads().insert(&leads));
    let due = |n: usize, hour: Option<Timestamp>| Derived {
        id: leads[n].id,
        follow_up: hour.map(Into::into),
        active_at: at(20),
    };
    let unknown = Derived { id: world.company(9, "Unknown").id, follow_up: None, active_at: at(1) };
    let derived = [due(0, Some(at(12))), unknown, due(2, Some(at(10)))];
    world.write(store, |txn| txn.leads().derive(&derived));
    let by_follow_up = |filter: &Filter| {
        let filter: Resolved = filter.resolve(&world.scene.ctx().asker()).unwrap();
        let sort = Sort::ascending(SortField::FollowUp);
        let scan = crate::query::LeadScan { filter, trashed: false, sort, limit: 10, after: None };
        world.read(store, |txn| txn.leads().scan(&scan))
    };
    let mut wanted = leads.clone();
    (wanted[0].follow_up, wanted[0].active_at) = (Some(at(12).into()), at(20));
    (wanted[2].follow_up, wanted[2].active_at) = (Some(at(10).into()), at(20));
    let sorted = [wanted[1].clone(), wanted[2].clone(), wanted[0].clone()];
    assert_eq!(by_follow_up(&Filter::everything()), sorted, "none is the smallest");
    let some = Filter::new(Field::FollowUp, crate::query::Operator::IsEmpty, false);
    assert_eq!(by_follow_up(&some), sorted[1..], "only those with one");
    assert_eq!(world.read(store, |txn| txn.tallies().count(&Resolved::everything())), 3);
    world.write(store, |txn| txn.leads().derive(&[due(0, None)]));
    assert_eq!(by_follow_up(&some), sorted[1..2], "and it goes");
}
