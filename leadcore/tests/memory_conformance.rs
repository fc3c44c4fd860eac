//! The store in memory passes the suite that every store must pass.
#![cfg(feature = "testkit")]

use leadcore::memory::MemoryStore;
use leadcore::store::StoreExt;
use leadcore::testkit::fixtures::World;
use leadcore::testkit::{differential, filters_agree, generate};
use proptest::prelude::*;

leadcore::conformance!(Box::new(MemoryStore::new()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    // Two stores of one kind agree, or the operations are not deterministic.
    #[test]
    fn the_same_calls_have_the_same_results(ops in generate::operations(40)) {
        differential(&MemoryStore::new(), &MemoryStore::new(), &ops);
    }

    #[test]
    fn most_calls_of_a_long_run_succeed(ops in prop::collection::vec(generate::operation(), 150)) {
        let succeeded = differential(&MemoryStore::new(), &MemoryStore::new(), &ops);
        prop_assert!(succeeded > 15, "{succeeded} of 150: the calls refuse one another");
    }

    // Scan and count go through the same evaluator here: that they find the leads at all is what can fail.
    #[test]
    fn filters_find_what_the_reference_finds(
        fields in prop::collection::vec(generate::lead_fields(), 1..12),
        filters in prop::collection::vec(generate::filter(), 1..12),
    ) {
        let store = MemoryStore::new();
        let world = World::install(&store);
        let leads: Vec<_> = (1..).zip(fields).map(|(number, fields)| world.lead(number, fields)).collect();
        store.write(&world.scene.tenant, |txn| txn.leads().insert(&leads)).unwrap();
        filters_agree(&store, &world.scene.ctx_with_team(), &leads, &filters);
    }
}
