//! The ports for saved views and read marks.

use crate::domain::{Field, SavedView, SystemView, ViewPreferences, ViewRef, ViewShape};
use crate::error::ErrorKind;
use crate::id::{LeadId, Revision, UserId, ViewId};
use crate::query::{LeadScan, Resolved, Sort, SortField};
use crate::store::Store;
use crate::time::Timestamp;

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn view(world: &World, name: &str, owner: Option<&str>) -> SavedView {
    let mut view = SavedView::new(ViewId::from_uuid(world.scene.uuid()), name, owner.map(user));
    view.shape = ViewShape::Board(Some(world.pipeline.id));
    view.filter = serde_json::json!({ "where": { "field": "company", "op": "eq", "value": name } });
    view.columns = Some(vec![Field::Company, Field::Amount]);
    view.sort = Some(serde_json::json!({ "by": "amount", "direction": "ascending" }));
    view.group_by = Some(Field::Owner);
    view
}

/// Whatever a view shows comes back, hostile names included.
pub fn views_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    for text in storable_texts() {
        let mut saved = view(&world, "x", Some("ada"));
        saved.name = text.to_owned();
        world.write(store, |txn| txn.views().insert(&saved));
        let found = world.read(store, |txn| txn.views().get(saved.id));
        assert_eq!(found.as_ref(), Some(&saved), "{text:?}");
        world.write(store, |txn| txn.views().remove(saved.id));
        assert_eq!(world.read(store, |txn| txn.views().get(saved.id)), None);
    }
}

/// A user sees shared views and their own, by name.
pub fn views_are_listed_for_their_user(store: &dyn Store) {
    let world = World::install(store);
    let own = view(&world, "beta", Some("ada"));
    let foreign = view(&world, "alpha", Some("bob"));
    let mut shared = view(&world, "Ärger", Some("bob"));
    shared.shared = true;
    let mut hosts = view(&world, "zulu", None);
    hosts.shared = true;
    for saved in [&own, &foreign, &shared, &hosts] {
        world.write(store, |txn| txn.views().insert(saved));
    }
    let listed = |user: Option<&UserId>| world.read(store, |txn| txn.views().list(user.into()));
    assert_eq!(listed(Some(&user("ada"))), [shared.clone(), own.clone(), hosts.clone()]);
    assert_eq!(listed(Some(&user("bob"))), [foreign.clone(), shared.clone(), hosts.clone()]);
    assert_eq!(listed(None), [shared.clone(), hosts.clone()]);
    let all = world.read(store, |txn| txn.views().list(crate::store::WhichViews::All));
    assert_eq!(all, [foreign, shared, own, hosts], "by name, whoever's they are");
}

/// Ids are unique, names are unique per owner, revisions are kept.
pub fn views_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let first = view(&world, "Première", Some("ada"));
    world.write(store, |txn| txn.views().insert(&first));
    world.write(store, |txn| txn.views().insert(&view(&world, "premiere", Some("bob"))));
    let mut same_id = view(&world, "other", Some("ada"));
    same_id.id = first.id;
    for (taken, why) in [
        (view(&world, "PREMIERE", Some("ada")), "a name is unique among the views of one owner"),
        (same_id, "the id is unique"),
    ] {
        let error = refused(&world, store, why, |txn| txn.views().insert(&taken));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
    }
    let next = SavedView { revision: Revision::new(2), shared: true, ..first.clone() };
    world.write(store, |txn| txn.views().update(&next));
    let why = "a view that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.views().update(&next));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown view";
    let unknown = view(&world, "unknown", None);
    let error = refused(&world, store, why, |txn| txn.views().update(&unknown));
    assert_kind(&error, ErrorKind::NotFound, why);
    let error = refused(&world, store, why, |txn| txn.views().remove(unknown.id));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// Preferences are kept per user.
pub fn view_preferences_are_kept_per_user(store: &dyn Store) {
    let world = World::install(store);
    let preferences = ViewPreferences {
        default: SystemView::Rotting.into(),
        pinned: vec![SystemView::All.into(), ViewRef::Saved(ViewId::from_uuid(world.scene.uuid()))],
    };
    for written in [preferences, ViewPreferences::default()] {
        world.write(store, |txn| txn.views().set_preferences(&user("ada"), &written));
        assert_eq!(world.read(store, |txn| txn.views().preferences(&user("ada"))), written);
        let others = world.read(store, |txn| txn.views().preferences(&user("bob")));
        assert_eq!(others, ViewPreferences::default());
    }
}

/// A mark counts before the time up to which everything was marked; scans and counts agree with it.
pub fn marks_are_kept_per_user(store: &dyn Store) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=4_u64)
        .map(|number| {
            let mut lead = world.company(number, "Nordlys AS");
            lead.created_at = Timestamp::from_micros(i64::try_from(number).unwrap() * 1_000).unwrap();
            lead
        })
        .collect();
    world.write(store, |txn| txn.leads().insert(&leads));
    let ids: Vec<LeadId> = leads.iter().map(|lead| lead.id).collect();
    let read = |name: &str| {
        let read = world.read(store, |txn| txn.marks().read_by(&user(name), &ids));
        let resolved = Resolved::ReadBy(user(name));
        let sort = Sort::ascending(SortField::Number);
        let scan = LeadScan { filter: resolved.clone(), trashed: false, sort, limit: 10, after: None };
        let scanned = world.read(store, |txn| txn.leads().scan(&scan));
        assert_eq!(scanned.iter().map(|lead| lead.id).collect::<Vec<_>>(), read, "the scan agrees");
        let unread = Resolved::Not(Box::new(resolved));
        let counted = world.read(store, |txn| txn.tallies().count(&unread));
        assert_eq!(counted, (ids.len() - read.len()) as u64, "the count agrees");
        read
    };
    assert_eq!(read("ada"), []);
    let unknown = LeadId::from_uuid(world.scene.uuid());
    world.write(store, |txn| txn.marks().mark(&user("ada"), &[ids[1], unknown], true));
    assert_eq!(read("ada"), [ids[1]]);
    assert_eq!(read("bob"), []);
    let until = leads[2].created_at;
    world.write(store, |txn| txn.marks().mark_all(&user("ada"), until));
    assert_eq!(read("ada"), &ids[..3]);
    world.write(store, |txn| txn.marks().mark(&user("ada"), &[ids[0]], false));
    assert_eq!(read("ada"), &ids[1..3]);
    world.write(store, |txn| txn.marks().mark_all(&user("ada"), leads[0].created_at));
    assert_eq!(
        read("ada"),
        &ids[..3],
        "marking everything takes older marks back, and never goes back in time"
    );
}
