//! What an undo of an import asks the store, by counting.

use super::*;
use crate::desk::counting::Counting;
use crate::desk::undo;
use crate::store::Txn;

#[test]
fn names_that_a_file_added_make_its_undo_search_for_nothing() {
    const LEADS: usize = 400;
    for names in [1, 100] {
        let host = Host::new();
        let row = |n: usize| format!("c{n},c{n}@x.example,s{}\n", n % names);
        let file = format!("Company,E-mail,Source\n{}", (0..LEADS).map(row).collect::<String>());
        let operation = host.run(file).operation.unwrap();
        let ctx = host.system();
        let asked = |work: &dyn Fn(&mut dyn Txn)| {
            let counted = host.store.write(ctx.tenant(), |txn| {
                let mut counting = Counting::of(txn);
                work(&mut counting);
                Ok((counting.scans, counting.leads))
            });
            counted.unwrap()
        };
        let planned = asked(&|txn| {
            let plan = undo::plan(&ctx, txn, operation).unwrap();
            assert_eq!(plan.totals.reversed, (LEADS + names) as u64);
        });
        assert_eq!(planned, (0, LEADS), "{names} names");
        // Each lead is read once, and once to lose its name.
        let done = asked(&|txn| {
            let outcome = undo::undo(&ctx, txn, operation).unwrap();
            assert_eq!(outcome.totals.reversed, (LEADS + names) as u64);
        });
        assert_eq!(done, (0, 2 * LEADS), "{names} names");
    }
}
