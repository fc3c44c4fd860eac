//! Opportunities and services.

use rust_decimal::Decimal;

use crate::domain::{
    Actor, Discount, Line, Opportunity, OpportunityEnd, OpportunityFields, OpportunityState, Service,
    ServiceFields, ServiceOrigin, ServiceState, Subject, Tax, TermKind, Totals,
};
use crate::error::{Conflict, ErrorKind};
use crate::id::{
    AccountId, ContactId, EstimateId, LeadId, LostReasonId, OpportunityId, Revision, ServiceId, SourceId,
};
use crate::store::{OpportunityScan, ServiceScan, Store};
use crate::time::{Date, Timestamp};
use crate::value::Currency;

use super::super::fixtures::{World, custom_values, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A line with numbers at their edges and this text wherever one goes.
fn hard_line(text: &str) -> Line {
    let mut line = Line::new(text, number("999999999.999999"), number("-0.000001")).product(text).unit(text);
    line.discount = Some(Discount::Percent(number("33.3333")));
    line.tax = Some(Tax { name: Some(text.to_owned()), percent: number("0.0001") });
    line
}

/// The totals of something else: a store keeps what it is given.
fn some_totals() -> Totals {
    let line = Line::new("x", 1.into(), number("90000000000.1234")).tax("A", 7.into());
    Totals::of(&[line], Some(Currency::from_stored("CLF").unwrap())).unwrap()
}

pub(super) fn opportunity(world: &World, number: u64, expected: Option<&str>) -> Opportunity {
    let now = world.scene.clock_now();
    Opportunity {
        id: OpportunityId::from_uuid(world.scene.uuid()),
        number,
        serial: None,
        revision: Revision::FIRST,
        account: world.account,
        about: Opportunity::about(world.account, &[]),
        fields: OpportunityFields { expected_close: expected.map(day), ..OpportunityFields::named("Roof") },
        totals: Totals::default(),
        state: OpportunityState::Open,
        end: None,
        origin_lead: None,
        created_by: Actor::System,
        created_at: now,
        updated_at: now,
    }
}

/// An opportunity with everything, of which nothing is plain.
fn full(world: &World, number: u64, text: &str) -> Opportunity {
    let plain = opportunity(world, number, None);
    let told = || Some(text.to_owned());
    Opportunity {
        revision: Revision::new(9),
        about: Opportunity::about(world.account, &[ContactId::from_uuid(world.scene.uuid())]),
        fields: OpportunityFields {
            name: text.to_owned(),
            owner: Some("bob".parse().unwrap()),
            amount: Some(self::number("-99999999999999.9999")),
            currency: Some(Currency::from_stored("CLF").unwrap()),
            probability: Some(100),
            expected_close: Some(Date::MIN),
            source: Some(world.term(1)),
            campaign: told(),
            description: told(),
            custom: custom_values(text.len()),
            lines: vec![hard_line(text), Line::new("x", 1.into(), 5.into()), hard_line(text)],
        },
        totals: some_totals(),
        state: OpportunityState::Lost,
        end: Some(OpportunityEnd { on: Date::MAX, reason: Some(world.term(2)), detail: told() }),
        origin_lead: Some(LeadId::from_uuid(world.scene.uuid())),
        created_by: world.scene.actor.clone(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MAX,
        ..plain
    }
}

/// Every field comes back, with texts, numbers and days that are hard to keep, in the order asked.
pub fn opportunities_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut all: Vec<_> = (1..).zip(storable_texts()).map(|(n, text)| full(&world, n, text)).collect();
    all.push(opportunity(&world, i64::MAX as u64, Some("2026-11-22")));
    let mut won = opportunity(&world, 999, None);
    won.state = OpportunityState::Won;
    won.end = Some(OpportunityEnd { on: Date::MIN, reason: None, detail: None });
    won.fields.amount = Some(0.into());
    won.fields.probability = Some(0);
    all.push(won);
    world.write(store, |txn| txn.opportunities().insert(&all));
    all.reverse();
    let mut asked: Vec<_> = all.iter().map(|one| one.id).collect();
    asked.insert(1, OpportunityId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.opportunities().get(&asked));
    assert_eq!(found, all, "opportunities must come back as they were, in the order asked");
    let found = world.read(store, |txn| txn.opportunities().numbered(i64::MAX as u64));
    assert_eq!(found.as_ref(), all.get(1), "the one with the number");
    for unknown in [0, 1_000_000, u64::MAX] {
        assert_eq!(world.read(store, |txn| txn.opportunities().numbered(unknown)), None, "nobody has it");
    }
}

/// Ids and numbers are unique, revisions are kept, a refused slice writes nothing, and what is removed is gone with its lines.
pub fn opportunities_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let (first, fine) = (opportunity(&world, 1, None), opportunity(&world, 2, None));
    world.write(store, |txn| txn.opportunities().insert(std::slice::from_ref(&first)));
    let same_number = opportunity(&world, 1, None);
    let same_id = Opportunity { number: 3, ..first.clone() };
    for (taken, why) in [(same_number, "the number is unique"), (same_id, "the id is unique")] {
        let slice = [fine.clone(), taken];
        let error = refused(&world, store, why, |txn| txn.opportunities().insert(&slice));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
        let found = world.read(store, |txn| txn.opportunities().get(&[fine.id, first.id]));
        assert_eq!(found, std::slice::from_ref(&first), "nothing of a refused slice may be written");
    }
    let next = Opportunity { id: first.id, revision: Revision::new(2), ..full(&world, 1, "Next") };
    world.write(store, |txn| txn.opportunities().update(std::slice::from_ref(&next)));
    let found = world.read(store, |txn| txn.opportunities().get(&[first.id]));
    assert_eq!(found, std::slice::from_ref(&next), "an update must write every field and line");
    let why = "an opportunity that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.opportunities().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown opportunity cannot be updated";
    let slice = [Opportunity { revision: Revision::new(3), ..next.clone() }, fine.clone()];
    let error = refused(&world, store, why, |txn| txn.opportunities().update(&slice));
    assert_kind(&error, ErrorKind::NotFound, why);
    let found = world.read(store, |txn| txn.opportunities().get(&[first.id]));
    assert_eq!(found[0].revision, Revision::new(2), "nothing of a refused slice may be written");
    world.write(store, |txn| {
        txn.opportunities().remove(&[fine.id, first.id])?;
        txn.opportunities().insert(std::slice::from_ref(&first))
    });
    let found = world.read(store, |txn| txn.opportunities().get(&[first.id]));
    assert!(found[0].fields.lines.is_empty(), "no line of a removed opportunity is left");
}

/// Opportunities are scanned by day, then by id, both ways, narrowed by each condition and by several, in pages.
pub fn opportunities_are_scanned_by_day(store: &dyn Store) {
    let world = World::install(store);
    let days = [Some("2026-11-22"), None, Some("2026-11-22"), Some("9999-12-31"), Some("2026-11-21")];
    let mut all: Vec<_> = (1..).zip(days).map(|(n, expected)| opportunity(&world, n, expected)).collect();
    all[0].fields.owner = Some("bob".parse().unwrap());
    all[2].fields.owner = Some("bob".parse().unwrap());
    all[2].fields.source = Some(world.term(0));
    all[4].fields.source = Some(world.term(0));
    // Won long ago, whatever was expected.
    all[3].state = OpportunityState::Won;
    all[3].end = Some(OpportunityEnd { on: day("2020-01-01"), reason: None, detail: None });
    all[4].account = AccountId::from_uuid(world.scene.uuid());
    world.write(store, |txn| txn.opportunities().insert(&all));
    let numbers = |scan: &OpportunityScan| -> Vec<u64> {
        let found = world.read(store, |txn| txn.opportunities().scan(scan));
        found.iter().map(|one| one.number).collect()
    };
    let up = || OpportunityScan { limit: usize::MAX, ..OpportunityScan::default() };
    let down = || OpportunityScan { descending: true, ..up() };
    assert_eq!(numbers(&up()), [4, 5, 1, 3, 2], "by day, then by id, those without a day last");
    assert_eq!(numbers(&down()), [2, 3, 1, 5, 4], "the other way round");
    let account = Some(world.account);
    assert_eq!(numbers(&OpportunityScan { account, ..up() }), [4, 1, 3, 2], "of the account");
    let owner = Some("bob".parse().unwrap());
    assert_eq!(numbers(&OpportunityScan { owner: owner.clone(), ..up() }), [1, 3], "of the owner");
    let state = Some(OpportunityState::Open);
    assert_eq!(numbers(&OpportunityScan { state, ..down() }), [2, 3, 1, 5], "in the state");
    let source = Some(world.term::<SourceId>(0));
    assert_eq!(numbers(&OpportunityScan { source, ..up() }), [5, 3], "from the source");
    let all_of_it = OpportunityScan { account, owner, state, source, ..up() };
    assert_eq!(numbers(&all_of_it), [3], "all conditions hold");
    let between = |scan: OpportunityScan| OpportunityScan {
        from: Some(day("2026-11-21")),
        until: Some(day("2026-11-22")),
        ..scan
    };
    assert_eq!(numbers(&between(up())), [5, 1, 3], "both days belong to it");
    assert_eq!(numbers(&between(down())), [3, 1, 5], "both days belong to it");
    for scan in [up(), down(), OpportunityScan { state, ..up() }, OpportunityScan { account, ..down() }] {
        let mut walked = Vec::new();
        let mut page = OpportunityScan { limit: 2, ..scan.clone() };
        loop {
            let found = world.read(store, |txn| txn.opportunities().scan(&page));
            let Some(last) = found.last() else { break };
            page.after = Some(last.place());
            walked.extend(found.iter().map(|one| one.number));
        }
        assert_eq!(walked, numbers(&scan), "pages visit every opportunity once");
        assert_eq!(numbers(&OpportunityScan { limit: 0, ..scan }), [0; 0], "a limit of zero gives nothing");
    }
}

/// A source, or a reason, that an opportunity has is in use.
pub fn terms_that_opportunities_have_are_in_use(store: &dyn Store) {
    let world = World::install(store);
    let (first, second) = (full(&world, 1, "First"), full(&world, 2, "Second"));
    world.write(store, |txn| txn.opportunities().insert(&[first.clone(), second.clone()]));
    let source = world.term::<SourceId>(1).as_uuid();
    let reason = world.term::<LostReasonId>(2).as_uuid();
    for (kind, id) in [(TermKind::Source, source), (TermKind::LostReason, reason)] {
        assert_eq!(world.read(store, |txn| txn.terms().usage(kind, id)), 2, "{kind:?}");
        let why = "a term in use is not removed";
        let error = refused(&world, store, why, |txn| txn.terms().remove(kind, id));
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 2 }), "{why}");
        let held = |limit| {
            let mut held = world.read(store, |txn| txn.terms().holders(kind, id, limit));
            held.sort();
            held
        };
        let mut both: Vec<Subject> = vec![first.id.into(), second.id.into()];
        both.sort();
        assert_eq!((held(10), held(1).len(), held(0).len()), (both, 1, 0), "who holds it, at most so many");
        assert_eq!(
            world.read(store, |txn| txn.terms().holders(TermKind::Label, id, 10)),
            [],
            "of another list"
        );
    }
    world.write(store, |txn| {
        txn.opportunities().remove(&[first.id, second.id])?;
        txn.terms().remove(TermKind::Source, source)
    });
}

fn service(world: &World) -> Service {
    let now = world.scene.clock_now();
    let fields: ServiceFields = Line::new("Care", 1.into(), 49.into()).into();
    let (fields, totals) = fields.settle().unwrap();
    Service {
        id: ServiceId::from_uuid(world.scene.uuid()),
        revision: Revision::FIRST,
        account: world.account,
        about: vec![world.account.into()],
        fields,
        totals,
        state: ServiceState::Active,
        origin: None,
        opportunity: None,
        created_by: Actor::System,
        created_at: now,
        updated_at: now,
    }
}

/// A service with everything, of which nothing is plain.
fn full_service(world: &World, text: &str) -> Service {
    let origin = ServiceOrigin { estimate: EstimateId::from_uuid(world.scene.uuid()), position: u32::MAX };
    Service {
        revision: Revision::new(9),
        fields: ServiceFields {
            line: hard_line(text),
            currency: Some(Currency::from_stored("CLF").unwrap()),
            from: Some(Date::MIN),
            until: Some(Date::MAX),
            note: Some(text.to_owned()),
        },
        totals: some_totals(),
        state: ServiceState::Inactive,
        origin: Some(origin),
        opportunity: Some(OpportunityId::from_uuid(world.scene.uuid())),
        created_by: world.scene.actor.clone(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MAX,
        ..service(world)
    }
}

/// Every field comes back, with texts, numbers and days that are hard to keep, in the order asked.
pub fn services_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut all: Vec<_> = storable_texts().map(|text| full_service(&world, text)).collect();
    all.push(service(&world));
    world.write(store, |txn| txn.services().insert(&all));
    all.reverse();
    let mut asked: Vec<_> = all.iter().map(|one| one.id).collect();
    asked.insert(1, ServiceId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.services().get(&asked));
    assert_eq!(found, all, "services must come back as they were, in the order asked");
}

/// Ids are unique, revisions are kept, and a refused slice writes nothing.
pub fn services_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let (first, fine) = (service(&world), service(&world));
    world.write(store, |txn| txn.services().insert(std::slice::from_ref(&first)));
    let why = "the id is unique";
    let slice = [fine.clone(), first.clone()];
    let error = refused(&world, store, why, |txn| txn.services().insert(&slice));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    let next = Service { id: first.id, revision: Revision::new(2), ..full_service(&world, "Next") };
    world.write(store, |txn| txn.services().update(std::slice::from_ref(&next)));
    let why = "a service that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.services().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown service cannot be updated";
    let slice = [Service { revision: Revision::new(3), ..next.clone() }, fine.clone()];
    let error = refused(&world, store, why, |txn| txn.services().update(&slice));
    assert_kind(&error, ErrorKind::NotFound, why);
    let asked = [fine.id, first.id];
    assert_eq!(
        world.read(store, |txn| txn.services().get(&asked)),
        [next],
        "the update, and nothing refused"
    );
    world.write(store, |txn| txn.services().remove(&asked));
    assert_eq!(world.read(store, |txn| txn.services().get(&asked)), [], "removed");
}

/// Services are scanned by id, both ways, narrowed by each condition and by several, in pages.
pub fn services_are_scanned_by_id(store: &dyn Store) {
    let world = World::install(store);
    let mut all: Vec<_> = (0..5).map(|_| service(&world)).collect();
    all.sort_by_key(|service| service.id);
    let opportunity = Some(OpportunityId::from_uuid(world.scene.uuid()));
    let origin = ServiceOrigin { estimate: EstimateId::from_uuid(world.scene.uuid()), position: 0 };
    all[1].opportunity = opportunity;
    all[3].opportunity = opportunity;
    all[3].origin = Some(origin);
    all[4].origin = Some(ServiceOrigin { position: 1, ..origin });
    all[4].state = ServiceState::Inactive;
    all[0].account = AccountId::from_uuid(world.scene.uuid());
    world.write(store, |txn| txn.services().insert(&all));
    let places = |scan: &ServiceScan| -> Vec<usize> {
        let found = world.read(store, |txn| txn.services().scan(scan));
        found.iter().map(|one| all.iter().position(|known| known == one).unwrap()).collect()
    };
    let up = || ServiceScan { limit: usize::MAX, ..ServiceScan::default() };
    let down = || ServiceScan { descending: true, ..up() };
    assert_eq!(places(&up()), [0, 1, 2, 3, 4], "by id");
    assert_eq!(places(&down()), [4, 3, 2, 1, 0], "the other way round");
    let account = Some(world.account);
    assert_eq!(places(&ServiceScan { account, ..up() }), [1, 2, 3, 4], "of the account");
    assert_eq!(places(&ServiceScan { opportunity, ..down() }), [3, 1], "of the opportunity");
    let estimate = Some(origin.estimate);
    assert_eq!(places(&ServiceScan { estimate, ..up() }), [3, 4], "of the estimate");
    let state = Some(ServiceState::Active);
    assert_eq!(places(&ServiceScan { state, estimate, account, ..up() }), [3], "all conditions hold");
    for scan in [up(), down(), ServiceScan { account, state, ..down() }] {
        let mut walked = Vec::new();
        let mut page = ServiceScan { limit: 2, ..scan.clone() };
        loop {
            let found = places(&page);
            let Some(last) = found.last() else { break };
            page.after = Some(all[*last].id);
            walked.extend(found);
        }
        assert_eq!(walked, places(&scan), "pages visit every service once");
        assert_eq!(places(&ServiceScan { limit: 0, ..scan }), [0; 0], "a limit of zero gives nothing");
    }
}
