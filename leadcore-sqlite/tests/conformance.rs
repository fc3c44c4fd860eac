//! The SQLite store passes the suite that every store must pass, and agrees with the store in memory.
#![cfg(test)]

use leadcore::memory::MemoryStore;
use leadcore::store::{SettingName, StoreExt};
use leadcore::testkit::fixtures::{World, custom_catalogue};
use leadcore::testkit::{differential, filters_agree, generate};
use leadcore_sqlite::SqliteStore;
use proptest::prelude::*;

fn fresh() -> SqliteStore {
    SqliteStore::open_in_memory().expect("a database in memory")
}

leadcore::conformance!(Box::new(fresh()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_have_the_same_results_as_in_memory(ops in generate::operations(50)) {
        differential(&MemoryStore::new(), &fresh(), &ops);
    }

    #[test]
    fn compiled_filters_find_what_the_evaluator_finds(
        fields in prop::collection::vec(generate::lead_fields(), 1..12),
        filters in prop::collection::vec(generate::filter(), 1..12),
    ) {
        let store = fresh();
        let world = World::install(&store);
        let leads: Vec<_> = (1..).zip(fields).map(|(number, fields)| world.lead(number, fields)).collect();
        let catalogue = serde_json::to_string(&custom_catalogue()).unwrap();
        store
            .write(&world.scene.tenant, |txn| {
                txn.settings().save(SettingName::Catalogue, None, &catalogue)?;
                txn.leads().insert(&leads)
            })
            .unwrap();
        filters_agree(&store, &world.scene.ctx_with_team(), &leads, &filters);
    }
}
