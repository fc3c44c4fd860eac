//! The terms port.

use uuid::Uuid;

use crate::domain::{LeadFields, Term, TermKind, TermRecord, Trashed};
use crate::error::{Conflict, ErrorKind};
use crate::id::Revision;
use crate::store::{LeadChange, Store};

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn record(world: &World, kind: TermKind, name: &str, position: u32) -> TermRecord {
    TermRecord { kind, term: Term::new(world.scene.uuid(), name, None, position).unwrap() }
}

fn list(world: &World, store: &dyn Store, kind: TermKind) -> Vec<TermRecord> {
    world.read(store, |txn| txn.terms().list(kind))
}

/// By position, then by name without case and accents; `get` in the order asked, of one list only.
pub fn terms_come_back_by_position_then_name(store: &dyn Store) {
    let world = World::install(store);
    let kind = TermKind::Category;
    let mut added = vec![
        record(&world, kind, "beta two", 7),
        record(&world, kind, "Älpha two", 7),
        record(&world, kind, "z", 3),
    ];
    added[0].term.color = Some("#00ff00".to_owned());
    added[1].term.revision = Revision::new(5);
    world.write(store, |txn| txn.terms().insert(&added));
    let behind: Vec<_> = list(&world, store, kind).into_iter().skip(3).collect();
    let wanted = [2, 1, 0].map(|n: usize| added[n].clone());
    assert_eq!(behind, wanted, "by position, then by name without case and accents");
    let asked = [added[1].term.id, Uuid::nil(), added[2].term.id];
    let found = world.read(store, |txn| txn.terms().get(kind, &asked));
    assert_eq!(found, [added[1].clone(), added[2].clone()], "in the order asked, unknown ids left out");
    let found = world.read(store, |txn| txn.terms().get(TermKind::Source, &asked));
    assert_eq!(found, [], "an id of another list is unknown");
    let hostile: Vec<_> = storable_texts().map(|text| record(&world, TermKind::Label, text, 9)).collect();
    world.write(store, |txn| txn.terms().insert(&hostile));
    let ids: Vec<_> = hostile.iter().map(|record| record.term.id).collect();
    let found = world.read(store, |txn| txn.terms().get(TermKind::Label, &ids));
    assert_eq!(found, hostile, "names must come back byte for byte");
    let edge = record(&world, TermKind::Location, "Edge", u32::MAX);
    world.write(store, |txn| txn.terms().insert(std::slice::from_ref(&edge)));
    assert_eq!(list(&world, store, TermKind::Location).pop(), Some(edge), "the last position there is");
}

/// Ids are unique, revisions are kept, and a refused slice writes nothing.
pub fn terms_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let kind = TermKind::Source;
    let (first, fine) = (record(&world, kind, "First", 9), record(&world, kind, "Fine", 9));
    world.write(store, |txn| txn.terms().insert(std::slice::from_ref(&first)));
    let before = list(&world, store, kind);
    let mut taken = record(&world, kind, "Other", 9);
    taken.term.id = first.term.id;
    let why = "the id of a term is unique";
    let error = refused(&world, store, why, |txn| txn.terms().insert(&[fine.clone(), taken.clone()]));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    assert_eq!(list(&world, store, kind), before, "nothing of a refused slice may be written");
    let mut elsewhere = record(&world, TermKind::Location, "Elsewhere", 9);
    elsewhere.term.id = first.term.id;
    let why = "the id of a term is unique in all lists together";
    let error = refused(&world, store, why, |txn| txn.terms().insert(std::slice::from_ref(&elsewhere)));
    assert_kind(&error, ErrorKind::AlreadyExists, why);

    let mut next = first.clone();
    next.term.name = "Next".to_owned();
    next.term.color = Some("#123456".to_owned());
    next.term.position = 1;
    next.term.revision = Revision::new(2);
    world.write(store, |txn| txn.terms().update(&next));
    let found = world.read(store, |txn| txn.terms().get(kind, &[first.term.id]));
    assert_eq!(found, std::slice::from_ref(&next), "an update must write everything");
    let why = "a term that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.terms().update(&next));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    for (kind, id) in [(kind, fine.term.id), (TermKind::Category, first.term.id)] {
        let mut unknown = next.clone();
        (unknown.kind, unknown.term.id) = (kind, id);
        let why = "a term that is not in the list cannot be updated or removed";
        let error = refused(&world, store, why, |txn| txn.terms().update(&unknown));
        assert_kind(&error, ErrorKind::NotFound, why);
        let error = refused(&world, store, why, |txn| txn.terms().remove(kind, id));
        assert_kind(&error, ErrorKind::NotFound, why);
    }
}

/// Names are unique in their list by their folded form, not across lists.
pub fn a_name_is_taken_whatever_its_case_and_accents(store: &dyn Store) {
    let world = World::install(store);
    let kind = TermKind::Partner;
    let first = record(&world, kind, "Łódź Straße", 9);
    world.write(store, |txn| txn.terms().insert(std::slice::from_ref(&first)));
    let before = list(&world, store, kind);
    let why = "a name is unique in its list without case and accents";
    let taken = record(&world, kind, " LODZ   STRASSE", 9);
    let error = refused(&world, store, why, |txn| txn.terms().insert(std::slice::from_ref(&taken)));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    let twins = [record(&world, kind, "Twin", 9), record(&world, kind, "twin", 9)];
    let error = refused(&world, store, why, |txn| txn.terms().insert(&twins));
    assert_kind(&error, ErrorKind::AlreadyExists, "a name is unique within the slice too");
    let mut renamed = before[0].clone();
    renamed.term.name = "lodz strasse".to_owned();
    renamed.term.revision = renamed.term.revision.next();
    let error = refused(&world, store, why, |txn| txn.terms().update(&renamed));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    assert_eq!(list(&world, store, kind), before, "what was refused must not be there");
    let mut own = first.clone();
    own.term.name = "LODZ STRASSE".to_owned();
    own.term.revision = own.term.revision.next();
    world.write(store, |txn| txn.terms().update(&own));
    let elsewhere = record(&world, TermKind::Location, "Łódź Straße", 9);
    world.write(store, |txn| txn.terms().insert(std::slice::from_ref(&elsewhere)));
}

fn referring(world: &World, number: u64) -> LeadFields {
    LeadFields {
        company: Some(format!("Refers {number}")),
        source: Some(world.term(0)),
        category: Some(world.term(0)),
        location: Some(world.term(0)),
        partner: Some(world.term(0)),
        labels: [world.term(0), world.term(1)].into(),
        ..LeadFields::default()
    }
}

/// How many leads refer to a term, those in the trash included; it follows every change.
pub fn usage_counts_trashed_leads_too(store: &dyn Store) {
    let world = World::install(store);
    let mut leads: Vec<_> = (1..=3).map(|n| world.lead(n, referring(&world, n))).collect();
    leads[1].trashed = Some(Trashed { at: world.scene.clock_now(), operation: world.operation });
    world.write(store, |txn| txn.leads().insert(&leads));
    let usage = |kind, n: usize| world.read(store, |txn| txn.terms().usage(kind, world.terms[&kind][n]));
    for kind in TermKind::CHOSEN {
        assert_eq!(usage(kind, 0), 3, "{kind}: leads in the trash refer to a term too");
        assert_eq!(usage(kind, 2), 0, "{kind}: nothing refers to this one");
        let unknown = world.read(store, |txn| txn.terms().usage(kind, Uuid::nil()));
        assert_eq!(unknown, 0, "{kind}: nothing refers to a term that is not there");
    }
    assert_eq!(usage(TermKind::Label, 1), 3, "the second label of a lead counts");
    let mut after = leads[0].clone();
    after.revision = after.revision.next();
    after.fields = LeadFields { labels: [world.term(1)].into(), ..LeadFields::default() };
    let change = LeadChange { before: leads[0].clone(), after };
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&change)));
    for kind in TermKind::CHOSEN {
        assert_eq!(usage(kind, 0), 2, "{kind}: usage must follow a change");
    }
    assert_eq!(usage(TermKind::Label, 1), 3, "the label that stayed still counts");
}

/// A term that a lead refers to, be it in the trash, is not removed; the error says by how many.
pub fn a_term_in_use_is_not_removed(store: &dyn Store) {
    let world = World::install(store);
    let mut leads: Vec<_> = (1..=2).map(|n| world.lead(n, referring(&world, n))).collect();
    leads[1].trashed = Some(Trashed { at: world.scene.clock_now(), operation: world.operation });
    world.write(store, |txn| txn.leads().insert(&leads));
    for kind in TermKind::CHOSEN {
        let before = list(&world, store, kind);
        let (used, free) = (world.terms[&kind][0], world.terms[&kind][2]);
        let why = "a term in use must not be removed";
        let error = refused(&world, store, why, |txn| txn.terms().remove(kind, used));
        assert_kind(&error, ErrorKind::Conflict, why);
        assert_eq!(
            error.conflict(),
            Some(&Conflict::InUse { by: 2 }),
            "{kind}: used by two, one in the trash"
        );
        assert_eq!(list(&world, store, kind), before, "{kind}: what was refused must not be done");
        world.write(store, |txn| txn.terms().remove(kind, free));
        assert_eq!(list(&world, store, kind), before[..2], "{kind}: a free term is removed");
        let again = record(&world, kind, &before[2].term.name, 2);
        world.write(store, |txn| txn.terms().insert(std::slice::from_ref(&again)));
    }
}
