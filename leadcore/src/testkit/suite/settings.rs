//! The settings port.

use crate::id::Revision;
use crate::store::{SettingName, Store};

use super::super::fixtures::World;
use super::{assert_stale, refused};

/// None before the first write; then the text byte for byte and a revision that counts up from 1.
pub fn a_document_is_written_and_read(store: &dyn Store) {
    let world = World::install(store);
    for name in SettingName::ALL {
        let load = || world.read(store, |txn| txn.settings().load(name));
        assert_eq!(load(), None, "a document that was never written is none");
        let mut expected = None;
        for (number, json) in
            (1..).zip(["{}", r#"{"fields": {"x": "👩‍👩‍👧‍👦 %_'\\\" "}}"#, "{ \"b\":1,\n\"a\":2 }"])
        {
            let revision = world.write(store, |txn| txn.settings().save(name, expected, json));
            assert_eq!(revision, Revision::new(number), "the revision counts up from 1");
            assert_eq!(load(), Some((revision, json.to_owned())), "a document must come back byte for byte");
            expected = Some(revision);
        }
    }
}

/// A document that changed since it was read, or appeared, is not overwritten.
pub fn a_document_is_saved_by_its_revision_only(store: &dyn Store) {
    let world = World::install(store);
    let name = SettingName::Catalogue;
    let why = "a document that is not there has no revision but 0";
    let sent = Revision::new(3);
    let error = refused(&world, store, why, |txn| txn.settings().save(name, Some(sent), "{}"));
    assert_stale(&error, sent, Revision::new(0), why);
    world.write(store, |txn| txn.settings().save(name, None, "1"));
    world.write(store, |txn| txn.settings().save(name, Some(Revision::FIRST), "2"));
    for (expected, sent) in [(None, 0), (Some(Revision::FIRST), 1), (Some(Revision::new(3)), 3)] {
        let why = "a document that changed since it was read must not be overwritten";
        let error = refused(&world, store, why, |txn| txn.settings().save(name, expected, "lost"));
        assert_stale(&error, Revision::new(sent), Revision::new(2), why);
    }
    let stored = world.read(store, |txn| txn.settings().load(name));
    assert_eq!(stored, Some((Revision::new(2), "2".to_owned())), "what was refused must not be written");
}
