//! The port for records of the host's own.

use crate::domain::{HostRecord, HostRecordFields, RecordKind, Subject};
use crate::error::ErrorKind;
use crate::id::{RecordId, Revision};
use crate::store::Store;
use crate::time::Timestamp;

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn record(world: &World, kind: &str, key: &str, title: &str) -> HostRecord {
    let now = world.scene.clock_now();
    HostRecord {
        id: RecordId::from_uuid(world.scene.uuid()),
        revision: Revision::FIRST,
        about: vec![Subject::from(world.account)],
        kind: RecordKind::new(kind).unwrap(),
        key: key.to_owned(),
        fields: HostRecordFields::titled(title),
        created_by: world.scene.actor.clone(),
        created_at: now,
        updated_at: now,
    }
}

/// Every field comes back, with texts and times that are hard to keep, by id and by key, in the order asked.
pub fn host_records_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut records: Vec<_> = storable_texts().map(|text| record(&world, "project", text, text)).collect();
    for (n, record) in records.iter_mut().enumerate() {
        record.fields.url = Some(format!("https://erp.example/?q={}&n={n}", record.key));
        record.fields.state = Some(record.key.clone());
        record.fields.is_open = n % 2 == 0;
        record.fields.at = Some(if n == 0 { Timestamp::MIN } else { Timestamp::MAX });
    }
    records.push(record(&world, "subscription", &records[0].key.clone(), "the same key, another kind"));
    world.write(store, |txn| txn.records().insert(&records));
    records.reverse();
    let mut asked: Vec<_> = records.iter().map(|record| record.id).collect();
    asked.insert(1, RecordId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.records().get(&asked));
    assert_eq!(found, records, "records must come back byte for byte, in the order asked");
    let of_kind = &records[1..];
    let mut keys: Vec<_> = of_kind.iter().map(|record| record.key.as_str()).collect();
    keys.insert(0, "unknown");
    let found = world.read(store, |txn| txn.records().find(&of_kind[0].kind, &keys));
    assert_eq!(found, of_kind, "by key, in the order asked");
    let usage = |kind: &str| {
        let kind = RecordKind::new(kind).unwrap();
        world.read(store, |txn| txn.records().usage(&kind))
    };
    assert_eq!((usage("subscription"), usage("contract")), (1, 0));
    assert_eq!(usage("project"), of_kind.len() as u64);
}

/// Ids are unique, and keys in their kind; revisions are kept, and a refused slice writes nothing.
pub fn host_records_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let (first, fine) = (record(&world, "project", "1", "First"), record(&world, "project", "2", "Fine"));
    world.write(store, |txn| txn.records().insert(std::slice::from_ref(&first)));
    let same_key = record(&world, "project", "1", "Other");
    let same_id = HostRecord { key: "3".into(), ..first.clone() };
    for (taken, why) in [(same_key, "a key is unique in its kind"), (same_id, "an id is unique")] {
        let slice = [fine.clone(), taken];
        let error = refused(&world, store, why, |txn| txn.records().insert(&slice));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
        let found = world.read(store, |txn| txn.records().get(&[fine.id, first.id]));
        assert_eq!(found, std::slice::from_ref(&first), "nothing of a refused slice may be written");
    }
    let mut next = HostRecord { revision: Revision::new(2), ..first.clone() };
    next.fields = HostRecordFields { is_open: true, ..HostRecordFields::titled("Next") };
    next.about = vec![Subject::from(first.id)];
    world.write(store, |txn| txn.records().update(std::slice::from_ref(&next)));
    let found = world.read(store, |txn| txn.records().get(&[first.id]));
    assert_eq!(found, std::slice::from_ref(&next), "an update must write every field");
    let why = "a record that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.records().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown record cannot be updated";
    let error = refused(&world, store, why, |txn| txn.records().update(std::slice::from_ref(&fine)));
    assert_kind(&error, ErrorKind::NotFound, why);
    world.write(store, |txn| txn.records().remove(&[fine.id, first.id, first.id]));
    let left = world.read(store, |txn| txn.records().find(&first.kind, &["1"]));
    assert_eq!(left, [], "a removed record is gone, by key too");
}
