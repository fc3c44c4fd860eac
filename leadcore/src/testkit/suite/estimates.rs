//! Estimates and the products of leads.

use rust_decimal::Decimal;

use crate::domain::{
    Actor, Discount, Estimate, EstimateFields, EstimateStatus, LeadLines, Line, Subject, SubjectKind, Tax,
    Totals,
};
use crate::error::ErrorKind;
use crate::id::{ActivityId, EstimateId, LeadId, Revision};
use crate::store::{EstimateScan, Store};
use crate::time::{Date, Timestamp};
use crate::value::Currency;

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Lines with numbers at their edges and this text wherever one goes.
fn hard_lines(text: &str) -> Vec<Line> {
    let mut first = Line::new(text, number("999999999.999999"), number("0.000001")).product(text).unit(text);
    first.discount = Some(Discount::Percent(number("33.3333")));
    first.tax = Some(Tax { name: Some(text.to_owned()), percent: number("0.0001") });
    let mut second = Line::new("x", number("-0.000001"), number("999999999999.999999"));
    second.discount = Some(Discount::Amount(number("0.0001")));
    second.tax = Some(Tax { name: None, percent: number("100") });
    vec![first, second, Line::new("y", 0.into(), number("-5"))]
}

fn estimate(world: &World, number: u64, date: &str) -> Estimate {
    let now = world.scene.clock_now();
    let fields = EstimateFields {
        date: Some(day(date)),
        currency: Some(Currency::parse("EUR").unwrap()),
        ..EstimateFields::titled("Roof").line(Line::new("Panel", 3.into(), 5.into()))
    };
    Estimate {
        id: EstimateId::from_uuid(world.scene.uuid()),
        number,
        serial: None,
        revision: Revision::FIRST,
        about: vec![Subject::new(SubjectKind::Lead, world.scene.uuid())],
        totals: fields.check().unwrap(),
        fields,
        status: EstimateStatus::Draft,
        sent_at: None,
        settled_at: None,
        reason: None,
        revises: None,
        request: None,
        created_by: Actor::System,
        created_at: now,
        updated_at: now,
    }
}

/// An estimate with everything, of which nothing is plain.
fn full(world: &World, number: u64, text: &str) -> Estimate {
    let plain = estimate(world, number, "9999-12-31");
    let currency = Some(Currency::from_stored("CLF").unwrap());
    let lines = hard_lines(text);
    let told = || Some(text.to_owned());
    let totals =
        Totals::of(&[Line::new("x", 1.into(), number_of_places()).tax("A", 7.into())], currency).unwrap();
    Estimate {
        revision: Revision::new(9),
        about: vec![plain.about[0], world.account.into()],
        fields: EstimateFields {
            title: told(),
            owner: Some("bob".parse().unwrap()),
            date: Some(Date::MAX),
            valid_until: Some(Date::MIN),
            currency,
            lines,
            note: told(),
            terms: told(),
        },
        totals,
        status: EstimateStatus::Declined,
        sent_at: Some(Timestamp::MIN),
        settled_at: Some(Timestamp::MAX),
        reason: told(),
        revises: Some(EstimateId::from_uuid(world.scene.uuid())),
        request: Some(ActivityId::from_uuid(world.scene.uuid())),
        created_by: world.scene.actor.clone(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MAX,
        ..plain
    }
}

/// The finest amount of the largest size, for which there is no tax left.
fn number_of_places() -> Decimal {
    number("90000000000.1234")
}

/// Every field comes back, with texts, numbers and times that are hard to keep, in the order asked.
pub fn estimates_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut all: Vec<_> = (1..).zip(storable_texts()).map(|(n, text)| full(&world, n, text)).collect();
    all.push(estimate(&world, i64::MAX as u64, "0001-01-01"));
    let mut bare = estimate(&world, 999, "2026-11-22");
    bare.fields = EstimateFields { date: bare.fields.date, ..EstimateFields::default() };
    bare.totals = Totals::default();
    all.push(bare);
    world.write(store, |txn| txn.estimates().insert(&all));
    all.reverse();
    let mut asked: Vec<_> = all.iter().map(|estimate| estimate.id).collect();
    asked.insert(1, EstimateId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.estimates().get(&asked));
    assert_eq!(found, all, "estimates must come back as they were, in the order asked");
    let found = world.read(store, |txn| txn.estimates().numbered(i64::MAX as u64));
    assert_eq!(found.as_ref(), all.get(1), "the one with the number");
    for unknown in [0, 1_000_000, u64::MAX] {
        assert_eq!(world.read(store, |txn| txn.estimates().numbered(unknown)), None, "nobody has {unknown}");
    }
}

/// Ids and numbers are unique, revisions are kept, a refused slice writes nothing, and what is removed is gone with its lines.
pub fn estimates_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let first = estimate(&world, 1, "2026-11-22");
    let fine = estimate(&world, 2, "2026-11-22");
    world.write(store, |txn| txn.estimates().insert(std::slice::from_ref(&first)));
    let same_number = estimate(&world, 1, "2026-11-22");
    let same_id = Estimate { number: 3, ..first.clone() };
    for (taken, why) in [(same_number, "the number is unique"), (same_id, "the id is unique")] {
        let slice = [fine.clone(), taken];
        let error = refused(&world, store, why, |txn| txn.estimates().insert(&slice));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
        let found = world.read(store, |txn| txn.estimates().get(&[fine.id, first.id]));
        assert_eq!(found, std::slice::from_ref(&first), "nothing of a refused slice may be written");
    }
    let next = Estimate { id: first.id, revision: Revision::new(2), ..full(&world, 1, "Next") };
    world.write(store, |txn| txn.estimates().update(std::slice::from_ref(&next)));
    let found = world.read(store, |txn| txn.estimates().get(&[first.id]));
    assert_eq!(found, std::slice::from_ref(&next), "an update must write every field and line");
    let why = "an estimate that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.estimates().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown estimate cannot be updated";
    let slice = [Estimate { revision: Revision::new(3), ..next.clone() }, fine.clone()];
    let error = refused(&world, store, why, |txn| txn.estimates().update(&slice));
    assert_kind(&error, ErrorKind::NotFound, why);
    let found = world.read(store, |txn| txn.estimates().get(&[first.id]));
    assert_eq!(found[0].revision, Revision::new(2), "nothing of a refused slice may be written");
    world.write(store, |txn| {
        txn.estimates().remove(&[fine.id, first.id])?;
        txn.estimates().insert(&[Estimate {
            fields: EstimateFields { lines: vec![], ..first.fields.clone() },
            ..first.clone()
        }])
    });
    let found = world.read(store, |txn| txn.estimates().get(&[first.id]));
    assert!(found[0].fields.lines.is_empty(), "no line of a removed estimate is left");
}

fn everything() -> EstimateScan {
    EstimateScan {
        revises: None,
        status: None,
        today: day("2026-11-22"),
        from: None,
        until: None,
        descending: false,
        after: None,
        limit: usize::MAX,
    }
}

/// Estimates are scanned by date, then by id, in both directions, between days, from behind a place, at most so many.
pub fn estimates_are_scanned_by_date(store: &dyn Store) {
    let world = World::install(store);
    let days = ["2026-11-22", "0001-01-01", "2026-11-22", "9999-12-31", "2026-11-21"];
    let all: Vec<_> = (1..).zip(days).map(|(n, date)| estimate(&world, n, date)).collect();
    world.write(store, |txn| txn.estimates().insert(&all));
    let numbers = |scan: &EstimateScan| -> Vec<u64> {
        let found = world.read(store, |txn| txn.estimates().scan(scan));
        found.iter().map(|estimate| estimate.number).collect()
    };
    let up = everything();
    let down = EstimateScan { descending: true, ..everything() };
    assert_eq!(numbers(&up), [2, 5, 1, 3, 4], "by date, then by id");
    assert_eq!(numbers(&down), [4, 3, 1, 5, 2], "the other way round");
    let between = |scan: &EstimateScan| EstimateScan {
        from: Some(day("2026-11-21")),
        until: Some(day("2026-11-22")),
        ..scan.clone()
    };
    assert_eq!(numbers(&between(&up)), [5, 1, 3], "both days belong to it");
    assert_eq!(numbers(&between(&down)), [3, 1, 5], "both days belong to it");
    for scan in [up, down] {
        let mut walked = Vec::new();
        let mut page = EstimateScan { limit: 2, ..scan.clone() };
        loop {
            let found = world.read(store, |txn| txn.estimates().scan(&page));
            let Some(last) = found.last() else { break };
            page.after = Some(last.place());
            walked.extend(found.iter().map(|estimate| estimate.number));
        }
        assert_eq!(walked, numbers(&scan), "pages visit every estimate once");
        assert_eq!(numbers(&EstimateScan { limit: 0, ..scan }), [0; 0], "a limit of zero gives nothing");
    }
}

/// What was sent and holds until an earlier day is listed as expired, whatever is stored; and as lapsed until it is.
pub fn what_is_over_is_listed_as_expired(store: &dyn Store) {
    let world = World::install(store);
    use EstimateStatus::{Accepted, Declined, Draft, Expired, Sent};
    let kinds = [
        (Sent, Some("2026-11-21")),
        (Sent, Some("2026-11-22")),
        (Sent, None),
        (Draft, Some("2026-11-01")),
        (Accepted, Some("2026-11-01")),
        (Declined, None),
        (Expired, None),
        (Sent, Some("0001-01-01")),
    ];
    let make = |(n, (status, until)): (u64, (EstimateStatus, Option<&str>))| {
        let mut made = estimate(&world, n, "2026-11-22");
        (made.status, made.fields.valid_until) = (status, until.map(day));
        made
    };
    let all: Vec<_> = (1..).zip(kinds).map(make).collect();
    world.write(store, |txn| txn.estimates().insert(&all));
    let listed = |status, descending, limit| -> Vec<u64> {
        let scan = EstimateScan { status: Some(status), descending, limit, ..everything() };
        let found = world.read(store, |txn| txn.estimates().scan(&scan));
        found.iter().map(|estimate| estimate.number).collect()
    };
    assert_eq!(listed(Sent, false, 10), [2, 3], "the last day counts");
    assert_eq!(listed(Expired, false, 10), [1, 7, 8], "by their place, stored as expired or not");
    assert_eq!(listed(Expired, true, 2), [8, 7], "the other way round, at most two");
    assert_eq!((listed(Draft, false, 10), listed(Accepted, false, 10)), (vec![4], vec![5]));
    let lapsed = |limit| world.read(store, |txn| txn.estimates().lapsed(day("2026-11-22"), limit));
    assert_eq!(lapsed(10), [all[7].id, all[0].id], "the longest over first");
    assert_eq!(lapsed(1), [all[7].id], "at most one");
}

fn list(world: &World, text: &str) -> LeadLines {
    let currency = Some(Currency::parse("JPY").unwrap());
    LeadLines {
        lead: LeadId::from_uuid(world.scene.uuid()).into(),
        revision: Revision::FIRST,
        currency,
        lines: hard_lines(text),
        totals: Totals::of(&[Line::new("x", 2.into(), 7.into()).tax("A", 7.into())], currency).unwrap(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MAX,
    }
}

/// Every field of a list of products comes back, in the order asked.
pub fn products_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut all: Vec<_> = storable_texts().map(|text| list(&world, text)).collect();
    all.push(LeadLines { currency: None, lines: Vec::new(), totals: Totals::default(), ..list(&world, "x") });
    world.write(store, |txn| txn.lines().insert(&all));
    all.reverse();
    let mut asked: Vec<_> = all.iter().map(LeadLines::lead).collect();
    asked.insert(1, LeadId::from_uuid(world.scene.uuid()));
    assert_eq!(world.read(store, |txn| txn.lines().get(&asked)), all, "as they were, in the order asked");
}

/// A lead has one list, revisions are kept, and a refused slice writes nothing.
pub fn products_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let (first, fine) = (list(&world, "First"), list(&world, "Fine"));
    world.write(store, |txn| txn.lines().insert(std::slice::from_ref(&first)));
    let why = "a lead has one list of products";
    let error = refused(&world, store, why, |txn| txn.lines().insert(&[fine.clone(), first.clone()]));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    let next = LeadLines { lead: first.lead, revision: Revision::new(2), ..list(&world, "Next") };
    world.write(store, |txn| txn.lines().update(std::slice::from_ref(&next)));
    let why = "a list that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.lines().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown list cannot be updated";
    let error = refused(&world, store, why, |txn| txn.lines().update(std::slice::from_ref(&fine)));
    assert_kind(&error, ErrorKind::NotFound, why);
    let asked = [fine.lead(), first.lead()];
    assert_eq!(world.read(store, |txn| txn.lines().get(&asked)), [next], "the update, and nothing refused");
    world.write(store, |txn| txn.lines().remove(&asked));
    assert_eq!(world.read(store, |txn| txn.lines().get(&asked)), [], "removed");
}

/// However many estimates are asked for at once, in whatever order and how often, each has its own lines, in order.
pub fn lines_of_many_estimates_come_back_with_each(store: &dyn Store) {
    let world = World::install(store);
    let all: Vec<_> = (1..=120_u64)
        .map(|n| {
            let mut one = estimate(&world, n, "2026-11-22");
            let lines = (0..n % 4).map(|line| Line::new(&format!("Line {line} of {n}"), n.into(), 5.into()));
            one.fields.lines = lines.collect();
            one.totals = one.fields.check().unwrap();
            one
        })
        .collect();
    world.write(store, |txn| txn.estimates().insert(&all));
    let mut wanted: Vec<_> = all.iter().rev().cloned().collect();
    wanted.push(all[6].clone());
    let ids: Vec<_> = wanted.iter().map(|one| one.id).collect();
    assert!(world.read(store, |txn| txn.estimates().get(&ids)) == wanted);
    let by_id = |mut some: Vec<Estimate>| {
        some.sort_by_key(|one| one.id);
        some
    };
    assert!(by_id(world.read(store, |txn| txn.estimates().scan(&everything()))) == by_id(all));
}
