//! The number series.

use std::collections::BTreeSet;

use crate::domain::{
    Account, Counter, GivenNumber, LAST_NUMBER, NumberPlace, NumberSeries, Serial, Series, SeriesFields,
};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{NumberSeriesId, Revision};
use crate::store::{GivenQuery, Store, StoreExt, WhichNumbers, nested};

use super::super::fixtures::World;
use super::{assert_kind, assert_stale, refused};

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

/// A series that cannot give so many says so by its name, and stays where it was.
pub fn a_used_up_series_says_so(store: &dyn Store) {
    let world = World::install(store);
    for count in [u64::MAX, i64::MAX as u64] {
        let why = "numbers fit into 63 bits";
        let error = refused(&world, store, why, |txn| txn.numbers().take(Series::Lead.into(), count));
        assert_kind(&error, ErrorKind::Conflict, why);
        let told = Conflict::SeriesExhausted { series: "Leads".to_owned(), last: LAST_NUMBER };
        assert_eq!(error.conflict(), Some(&told), "the error names the series");
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

/// A series of accounts that is not stored yet.
fn series(world: &World, fields: SeriesFields) -> NumberSeries {
    NumberSeries {
        id: NumberSeriesId::from_uuid(world.scene.uuid()),
        kind: Series::Account,
        fields,
        is_default: false,
        archived: false,
        revision: Revision::FIRST,
    }
}

fn stored(world: &World, store: &dyn Store, fields: SeriesFields) -> NumberSeries {
    let new = series(world, fields);
    world.write(store, |txn| txn.numbers().save(&new, None));
    new
}

/// The standard series of each kind is there before anybody wrote it, and writing it makes no second one.
pub fn every_tenant_has_the_standard_series(store: &dyn Store) {
    let world = World::install(store);
    let list = || world.read(store, |txn| txn.numbers().list());
    let standard: Vec<_> = Series::ALL.map(NumberSeries::standard).into();
    assert_eq!(list(), standard, "by kind, and nothing else");
    let mut changed = NumberSeries::standard(Series::Account);
    changed.fields = changed.fields.prefix("K-").range(7, 9);
    changed.revision = Revision::FIRST;
    world.write(store, |txn| txn.numbers().save(&changed, Some(Revision::new(0))));
    assert_eq!(list().iter().filter(|series| series.kind == Series::Account).collect::<Vec<_>>(), [&changed]);
    let why = "it was written meanwhile";
    let none = Some(Revision::new(0));
    let error = refused(&world, store, why, |txn| txn.numbers().save(&changed, none));
    assert_stale(&error, Revision::new(0), Revision::FIRST, why);
    let first = world.write(store, |txn| txn.numbers().take(Series::Account.into(), 1));
    assert_eq!(first, 7, "a series that gave nothing begins where its range does");
    let other = Counter { kind: Series::Estimate, ..Series::Account.into() };
    let why = "a series counts one kind of record";
    let error = refused(&world, store, why, |txn| txn.numbers().take(other, 1));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// What is written comes back; a write names the revision that it read, a name is one series of a kind.
pub fn a_series_is_written_and_read_by_its_revision(store: &dyn Store) {
    let world = World::install(store);
    let fields = SeriesFields::named("Ålesund / Bücher").prefix("Å{year}/").width(18).range(5, LAST_NUMBER);
    let first = stored(&world, store, fields.yearly().gapless());
    let read = || world.read(store, |txn| txn.numbers().list());
    assert!(read().contains(&first), "as it was written");
    let next = NumberSeries {
        fields: SeriesFields::named("Other").range(1, 2),
        is_default: true,
        archived: true,
        revision: Revision::new(2),
        ..first.clone()
    };
    let why = "another revision is stored";
    let error = refused(&world, store, why, |txn| txn.numbers().save(&next, Some(Revision::new(7))));
    assert_stale(&error, Revision::new(7), Revision::FIRST, why);
    world.write(store, |txn| txn.numbers().save(&next, Some(Revision::FIRST)));
    assert!(read().contains(&next), "as it was written");
    let unknown = series(&world, SeriesFields::named("Nobody"));
    let why = "there is no such series";
    let error = refused(&world, store, why, |txn| txn.numbers().save(&unknown, Some(Revision::FIRST)));
    assert_kind(&error, ErrorKind::NotFound, why);
    let same_id = NumberSeries { fields: SeriesFields::named("Third"), ..first };
    let same_name = series(&world, SeriesFields::named("ÓTHER"));
    for (taken, why) in [(&same_id, "the id is taken"), (&same_name, "the name is taken")] {
        let error = refused(&world, store, why, |txn| txn.numbers().save(taken, None));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
    }
    let elsewhere = NumberSeries { kind: Series::Estimate, ..same_name };
    world.write(store, |txn| txn.numbers().save(&elsewhere, None));
}

/// A series gives the numbers of its range and then none; each year of a yearly one counts for itself.
pub fn a_series_counts_in_its_range_and_by_the_year(store: &dyn Store) {
    let world = World::install(store);
    let offices = stored(&world, store, SeriesFields::named("Offices").prefix("O-").range(10, 12));
    let take = |counter, count| world.write(store, |txn| txn.numbers().take(counter, count));
    let peek = |counter| world.read(store, |txn| txn.numbers().peek(counter));
    let counter = offices.counter(2026);
    assert_eq!((peek(counter), take(counter, 2), peek(counter)), (10, 10, 12));
    let why = "two are more than there are";
    let error = refused(&world, store, why, |txn| txn.numbers().take(counter, 2));
    let told = Conflict::SeriesExhausted { series: "Offices".to_owned(), last: 12 };
    assert_eq!(error.conflict(), Some(&told), "{why}: {error}");
    assert_eq!((take(counter, 1), take(counter, 0)), (12, 13), "the last one is there still");
    let wider = NumberSeries { fields: offices.fields.clone().range(20, 30), ..offices.clone() };
    let wider = NumberSeries { revision: Revision::new(2), ..wider };
    world.write(store, |txn| txn.numbers().save(&wider, Some(Revision::FIRST)));
    assert_eq!((peek(counter), take(counter, 1)), (20, 20), "it goes on where the range begins");

    let yearly = stored(&world, store, SeriesFields::named("Yearly").prefix("Y{year}-").yearly());
    let [old, new] = [2025, 2026].map(|year| yearly.counter(year));
    assert_eq!((take(old, 3), take(new, 1), take(old, 1), take(new, 1)), (1, 1, 4, 2));
    world.write(store, |txn| txn.numbers().skip_to(new, 50));
    assert_eq!((peek(old), peek(new)), (5, 50), "one year is no other");
}

/// Whatever fails between, the numbers that stay are one after the other.
pub fn a_gapless_series_has_no_gap_after_rollbacks(store: &dyn Store) {
    let world = World::install(store);
    let gapless = stored(&world, store, SeriesFields::named("Gapless").prefix("G-").gapless());
    let counter = gapless.counter(2026);
    let fail = || Error::new(ErrorKind::Cancelled, "on purpose");
    let mut kept = Vec::new();
    for round in 0..12_u64 {
        let taken: Result<u64> = store.write(&world.scene.tenant, |txn| {
            let number = txn.numbers().take(counter, 1)?;
            let _ = nested(txn, |txn| -> Result<()> {
                txn.numbers().take(counter, 1 + round)?;
                Err(fail())
            });
            if round % 3 == 1 { Err(fail()) } else { Ok(number) }
        });
        kept.extend(taken.ok());
    }
    assert_eq!(kept, (1..=8).collect::<Vec<_>>(), "no number is missing");
}

fn numbered(world: &World, number: u64, series: Option<(&NumberSeries, u16)>) -> Account {
    let serial = series.and_then(|(series, year)| series.serial(year, number));
    Account { serial, ..world.account(number, "Numbered") }
}

/// The same number is given once in a series and year, and in as many series as there are; lists go by number, then by id.
pub fn one_number_is_given_once_in_its_series(store: &dyn Store) {
    let world = World::install(store);
    let one = stored(&world, store, SeriesFields::named("One").prefix("A{year}-").yearly());
    let two = stored(&world, store, SeriesFields::named("Two").prefix("B-"));
    let plain = numbered(&world, 7, None);
    let [old, new] = [2025, 2026].map(|year| numbered(&world, 7, Some((&one, year))));
    let other = numbered(&world, 7, Some((&two, 2026)));
    let all = [plain, old, new, other];
    world.write(store, |txn| txn.accounts().insert(&all));
    let ids: Vec<_> = all.iter().map(|account| account.id).collect();
    assert_eq!(world.read(store, |txn| txn.accounts().get(&ids)), all, "as they were written");
    for (n, known) in all.iter().enumerate() {
        let again = Account { serial: known.serial.clone(), ..world.account(7, "Again") };
        let why = format!("number 7 of series {n} is taken");
        let error = refused(&world, store, &why, |txn| txn.accounts().insert(std::slice::from_ref(&again)));
        assert_kind(&error, ErrorKind::AlreadyExists, &why);
    }
    let text = all.get(3).and_then(|account| account.serial.clone()).map(|serial| serial.text);
    let disguised = Serial { series: one.id, year: None, text: text.unwrap_or_default() };
    let disguised = Account { serial: Some(disguised), ..world.account(8, "Disguised") };
    let why = "the written number is taken";
    let error = refused(&world, store, why, |txn| txn.accounts().insert(std::slice::from_ref(&disguised)));
    assert_kind(&error, ErrorKind::AlreadyExists, why);

    let mut after: Option<NumberPlace> = Some(6.into());
    let mut walked = Vec::new();
    while let Some(account) = world.read(store, |txn| txn.accounts().scan(after, 1)).pop() {
        after = Some(account.place());
        walked.push(account.id);
    }
    let mut sorted = ids;
    sorted.sort_by_key(|id| id.as_uuid());
    assert_eq!(walked, sorted, "four accounts with one number, each once");
}

/// Numbers are found by series (the latest first), by the number alone, and where another series could write them.
pub fn given_numbers_are_found(store: &dyn Store) {
    let world = World::install(store);
    let yearly = stored(&world, store, SeriesFields::named("Yearly").prefix("Y-{year}-").width(3).yearly());
    let mut all: Vec<_> = (2..=4).map(|number| numbered(&world, number, None)).collect();
    for (year, numbers) in [(2025, 1..=4), (2026, 1..=2)] {
        all.extend(numbers.map(|number| numbered(&world, number, Some((&yearly, year)))));
    }
    world.write(store, |txn| txn.accounts().insert(&all));
    let given = |which, limit| -> Vec<GivenNumber> {
        let query = GivenQuery { kind: Series::Account, which, limit };
        world.read(store, |txn| txn.numbers().given(&query))
    };
    let of = |series, first, last| WhichNumbers::Of { series, first, last };
    let told = |found: &[GivenNumber]| -> Vec<(Option<u16>, u64, Option<String>)> {
        found.iter().map(|given| (given.year, given.number, given.text.clone())).collect()
    };
    let last = given(of(yearly.id, 1, LAST_NUMBER), 3);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        told(&last),
        [
            (Some(2026), 2, text("Y-2026-002")),
            (Some(2026), 1, text("Y-2026-001")),
            (Some(2025), 4, text("Y-2025-004"))
        ]
    );
    let newest = all.last().map(|account| (account.id.into(), account.created_at));
    assert_eq!(last.first().map(|given| (given.subject, given.at)), newest, "with the record");
    let standard = given(of(Series::Account.standard(), 1, 3), 10);
    assert_eq!(told(&standard), [(None, 3, None), (None, 2, None), (None, 1, None)], "in the range alone");
    assert_eq!(given(WhichNumbers::Number(4), 10).len(), 2, "in every series");
    for nobody in [9, u64::MAX, i64::MAX as u64] {
        assert_eq!(given(WhichNumbers::Number(nobody), 10), []);
    }
    let like = |fields| WhichNumbers::Like(Box::new(series(&world, fields)));
    let found = given(like(SeriesFields::named("x").prefix("y-{year}-").range(3, 9)), 10);
    assert_eq!(found.iter().map(|given| given.number).collect::<Vec<_>>(), [4, 3]);
    assert_eq!(given(like(SeriesFields::named("x").prefix("Z-{year}-")), 10), []);
    assert_eq!(given(WhichNumbers::Like(Box::new(yearly)), 10), [], "a series does not stand in its own way");

    let leads: Vec<_> = [3, 1, 2].map(|number| world.company(number, "Lead")).into();
    world.write(store, |txn| txn.leads().insert(&leads));
    let query = GivenQuery { kind: Series::Lead, which: of(Series::Lead.standard(), 2, 9), limit: 9 };
    let found = world.read(store, |txn| txn.numbers().given(&query));
    assert_eq!(found.iter().map(|given| given.number).collect::<Vec<_>>(), [3, 2]);
}
