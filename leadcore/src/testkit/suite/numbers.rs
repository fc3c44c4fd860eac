//! The number series.

use std::collections::BTreeSet;

use crate::domain::Counter;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Series, Store, StoreExt, nested};

use super::super::fixtures::World;
use super::{assert_kind, refused};

/// Each series counts up from 1 for itself; `peek` takes nothing.
pub fn numbers_count_up_from_one(store: &dyn Store) {
    let world = World::install(store);
    let take = |series, count| world.write(store, |txn| txn.numbers().take(Counter::from(series), count));
    let peek = |series| world.read(store, |txn| txn.numbers().peek(Counter::from(series)));
    for series in Series::ALL {
        assert_eq!(peek(series), 1, "a series begins at 1");
        assert_eq!(take(series, 1), 1, "the first number");
        assert_eq!((peek(series), peek(series)), (2, 2), "peek takes nothing");
        assert_eq!(take(series, 500), 2, "the first of several numbers");
        assert_eq!(take(series, 0), 502, "taking none takes none");
        assert_eq!(take(series, 1), 502, "the number behind them");
    }
}

/// A transaction or savepoint that fails gives its numbers back, so that a series has no gaps.
pub fn a_failed_transaction_gives_its_numbers_back(store: &dyn Store) {
    let world = World::install(store);
    let fail = || Error::new(ErrorKind::Cancelled, "on purpose");
    let failed: Result<()> = store.write(&world.scene.tenant, |txn| {
        txn.numbers().take(Series::Lead.into(), 10)?;
        Err(fail())
    });
    assert_kind(&failed.expect_err("the work fails"), ErrorKind::Cancelled, "the error of the work");
    let numbers = world.write(store, |txn| {
        let first = txn.numbers().take(Series::Lead.into(), 1)?;
        let _ = nested(txn, |txn| -> Result<()> {
            txn.numbers().take(Series::Lead.into(), 7)?;
            Err(fail())
        });
        Ok((first, txn.numbers().take(Series::Lead.into(), 1)?, txn.numbers().peek(Series::Account.into())?))
    });
    assert_eq!(numbers, (1, 2, 1), "no number of a failed transaction or savepoint is lost");
}

/// A series that cannot give so many says `Unsupported` and stays where it was.
pub fn a_used_up_series_says_so(store: &dyn Store) {
    let world = World::install(store);
    for count in [u64::MAX, i64::MAX as u64] {
        let why = "numbers fit into 63 bits";
        let error = refused(&world, store, why, |txn| txn.numbers().take(Series::Lead.into(), count));
        assert_kind(&error, ErrorKind::Unsupported, why);
        let next = world.read(store, |txn| txn.numbers().peek(Series::Lead.into()));
        assert_eq!(next, 1, "a refused call takes nothing");
    }
}

/// Writers at once wait for each other: every number once, none left out.
pub fn concurrent_writers_never_share_a_number(store: &dyn Store) {
    let world = World::install(store);
    let (threads, rounds) = (4, 25);
    let taken: Vec<u64> = std::thread::scope(|scope| {
        let work = || -> Vec<u64> {
            let one = || store.write(&world.scene.tenant, |txn| txn.numbers().take(Series::Lead.into(), 1));
            (0..rounds).map(|_| one().expect("a busy store waits")).collect()
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let distinct: BTreeSet<_> = taken.iter().copied().collect();
    let wanted: BTreeSet<_> = (1..=threads * rounds).collect();
    assert_eq!(taken.len(), distinct.len(), "no number twice");
    assert_eq!(distinct, wanted, "no number left out");
}

/// A series goes on where it is told to, and never where it has been.
pub fn a_series_skips_ahead_and_never_back(store: &dyn Store) {
    let world = World::install(store);
    world.write(store, |txn| txn.numbers().skip_to(Series::Lead.into(), 10_000));
    assert_eq!(world.write(store, |txn| txn.numbers().take(Series::Lead.into(), 2)), 10_000);
    let why = "10001 may be in use";
    let error = refused(&world, store, why, |txn| txn.numbers().skip_to(Series::Lead.into(), 10_001));
    assert_kind(&error, ErrorKind::Invalid, why);
    let why = "numbers are 63-bit";
    let error = refused(&world, store, why, |txn| txn.numbers().skip_to(Series::Lead.into(), u64::MAX));
    assert_kind(&error, ErrorKind::Unsupported, why);
    world.write(store, |txn| txn.numbers().skip_to(Series::Lead.into(), 10_002));
    assert_eq!(world.read(store, |txn| txn.numbers().peek(Series::Lead.into())), 10_002);
}
