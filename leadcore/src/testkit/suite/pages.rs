//! The leads port: sorted pages.

use std::collections::BTreeSet;

use crate::domain::Lead;
use crate::id::LeadId;
use crate::query::{Cursor, Direction, LeadScan, Resolved, Sort, SortField};
use crate::store::{LeadChange, Store};

use super::super::fixtures::{World, custom_sorts, sample_leads};

fn every_sort() -> impl Iterator<Item = Sort> {
    let fields = SortField::ALL.into_iter().chain(custom_sorts());
    fields.flat_map(|by| [Sort::ascending(by.clone()), Sort::descending(by)])
}

fn stocked(store: &dyn Store) -> (World, Vec<Lead>) {
    let world = World::install(store);
    let mut leads = sample_leads(&world);
    world.write(store, |txn| txn.leads().insert(&leads));
    leads.retain(|lead| lead.trashed.is_none());
    (world, leads)
}

fn scan(world: &World, store: &dyn Store, sort: &Sort, limit: usize, after: Option<&Cursor>) -> Vec<Lead> {
    let sort = sort.clone();
    let scan =
        LeadScan { filter: Resolved::everything(), trashed: false, sort, limit, after: after.cloned() };
    world.read(store, |txn| txn.leads().scan(&scan))
}

fn sorted(leads: &[Lead], sort: &Sort) -> Vec<LeadId> {
    let mut leads: Vec<_> = leads.iter().collect();
    leads.sort_by(|a, b| {
        let order = sort.by.key(a).order(&sort.by.key(b)).then(a.id.cmp(&b.id));
        if sort.direction == Direction::Descending { order.reverse() } else { order }
    });
    leads.into_iter().map(|lead| lead.id).collect()
}

fn ids(leads: &[Lead]) -> Vec<LeadId> {
    leads.iter().map(|lead| lead.id).collect()
}

/// Every sort orders by its key bytewise, ties by id, both in its direction.
pub fn every_sort_is_total_and_ties_go_by_id(store: &dyn Store) {
    let (world, leads) = stocked(store);
    for sort in every_sort() {
        let found = ids(&scan(&world, store, &sort, 1_000, None));
        assert_eq!(found, sorted(&leads, &sort), "{sort:?}: by key, ties by id, both in the same direction");
    }
}

/// Leads without a value come first ascending and last descending.
pub fn empty_values_are_the_smallest(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let standard = [SortField::Company, SortField::Name, SortField::Amount, SortField::ExpectedClose];
    for by in standard.into_iter().chain(custom_sorts()) {
        let has_none = |lead: &Lead| by.field().read(lead).is_empty();
        let without = leads.iter().filter(|lead| has_none(lead)).count();
        assert!(without > 0, "the sample must have leads without {by:?}, or this case says nothing");
        let up = scan(&world, store, &Sort::ascending(by.clone()), 1_000, None);
        let down = scan(&world, store, &Sort::descending(by.clone()), 1_000, None);
        assert!(up.iter().take(without).all(has_none), "{by:?} ascending: empty values first");
        assert!(down.iter().rev().take(without).all(has_none), "{by:?} descending: empty values last");
    }
}

/// Pages of every size and sort, one behind the other, are the whole list: nothing twice, nothing left out.
pub fn pages_of_every_sort_visit_every_lead_once(store: &dyn Store) {
    let (world, leads) = stocked(store);
    for sort in every_sort() {
        for limit in [1, 2, 7] {
            let mut seen = Vec::new();
            let mut after: Option<Cursor> = None;
            loop {
                let page = scan(&world, store, &sort, limit, after.as_ref());
                let Some(last) = page.last() else { break };
                assert!(page.len() <= limit, "{sort:?}: a page has at most {limit} leads");
                after = Some(Cursor::behind(last, &sort));
                seen.extend(ids(&page));
                assert!(seen.len() <= leads.len(), "{sort:?}, pages of {limit}: a lead came twice");
            }
            assert_eq!(seen, sorted(&leads, &sort), "{sort:?}, pages of {limit}: the pages must be the list");
        }
    }
}

/// While other leads are written, added and trashed between two pages, each untouched lead is still visited once.
pub fn pages_visit_every_untouched_lead_once_while_others_change(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let mut number = 1_000;
    for sort in every_sort() {
        let touched: BTreeSet<_> = leads.iter().step_by(3).map(|lead| lead.id).collect();
        let mut seen = Vec::new();
        let mut after: Option<Cursor> = None;
        for round in 0.. {
            let page = scan(&world, store, &sort, 3, after.as_ref());
            let Some(last) = page.last() else { break };
            after = Some(Cursor::behind(last, &sort));
            seen.extend(ids(&page));
            assert!(round < 1_000, "{sort:?}: the pages must come to an end");
            if round < 4 {
                number += 1;
                let mut added = world.company(number, &format!("Added {number}"));
                added.updated_at = world.scene.tick();
                let victims: Vec<_> = touched.iter().copied().skip(round).take(2).collect();
                let at = world.scene.clock_now();
                world.write(store, |txn| {
                    txn.leads().insert(std::slice::from_ref(&added))?;
                    let changes: Vec<_> = txn
                        .leads()
                        .get(&victims)?
                        .into_iter()
                        .map(|before| {
                            let mut after = before.clone();
                            after.revision = before.revision.next();
                            after.updated_at = at;
                            after.fields.company = Some(format!("Moved {number}"));
                            LeadChange { before, after }
                        })
                        .collect();
                    txn.leads().update(&changes)
                });
            }
        }
        for lead in leads.iter().filter(|lead| !touched.contains(&lead.id)) {
            let times = seen.iter().filter(|id| **id == lead.id).count();
            assert_eq!(times, 1, "{sort:?}: a lead that nobody touched must be visited exactly once");
        }
    }
}

/// A cursor that went through its text form leads to the same next page.
pub fn a_cursor_survives_its_text_form(store: &dyn Store) {
    let (world, _) = stocked(store);
    for sort in every_sort() {
        for lead in scan(&world, store, &sort, 1_000, None) {
            let cursor = Cursor::behind(&lead, &sort);
            let read = Cursor::from_text(&cursor.to_text()).expect("a cursor must read its own text");
            assert_eq!(read, cursor, "{sort:?}: the text of a cursor must say all of it");
            let next = ids(&scan(&world, store, &sort, 3, Some(&read)));
            assert_eq!(
                next,
                ids(&scan(&world, store, &sort, 3, Some(&cursor))),
                "{sort:?}: the same next page"
            );
        }
    }
}

/// No lead for a limit of zero, all of them for one that no store could hold.
pub fn a_limit_of_zero_and_a_huge_one_are_honoured(store: &dyn Store) {
    let (world, leads) = stocked(store);
    assert_eq!(scan(&world, store, &Sort::default(), 0, None), [], "a limit of zero gives nothing");
    let all = scan(&world, store, &Sort::default(), usize::MAX, None);
    assert_eq!(all.len(), leads.len(), "a limit beyond every number gives all");
}

/// The next page begins behind the place, also when the lead that was there is in the trash now.
pub fn a_cursor_stays_good_when_its_lead_is_gone(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let sort = Sort::ascending(SortField::Company);
    let order = sorted(&leads, &sort);
    let gone = world.read(store, |txn| txn.leads().get(&[order[4]])).remove(0);
    let cursor = Cursor::behind(&gone, &sort);
    let mut after = gone.clone();
    after.revision = gone.revision.next();
    after.trashed = Some(crate::domain::Trashed { at: world.scene.tick(), operation: world.operation });
    let change = LeadChange { before: gone, after };
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&change)));
    let next = ids(&scan(&world, store, &sort, 3, Some(&cursor)));
    assert_eq!(next, order[5..8], "a cursor is a place, not a record");
}
