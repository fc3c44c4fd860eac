//! Sums of amounts.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::{AmountSum, Field, Lead, LeadFields, LeadState, StageSum, Trashed};
use crate::query::Resolved;
use crate::store::{LeadChange, Store};
use crate::value::Currency;

use super::super::fixtures::World;

/// A change of a lead.
type Change = fn(&World, &mut Lead);

fn open() -> Resolved {
    Resolved::Equals(Field::State, vec![LeadState::Open.code().into()])
}

fn priced(world: &World, number: u64, amount: &str, currency: Option<&str>, own: Option<u8>) -> Lead {
    let mut fields = LeadFields::company("Priced").unwrap();
    fields.amount = Some(amount.parse().unwrap());
    fields.currency = currency.map(|code| Currency::parse(code).unwrap());
    fields.probability = own;
    world.lead(number, fields)
}

/// What the sums must be, added up from the leads.
fn wanted(leads: &[Lead]) -> Vec<StageSum> {
    let mut sums: BTreeMap<_, (Option<Currency>, AmountSum)> = BTreeMap::new();
    for lead in leads.iter().filter(|lead| lead.trashed.is_none() && lead.fields.amount.is_some()) {
        let code = lead.fields.currency.map(|currency| currency.code().to_owned());
        let cell = sums.entry((lead.stage, code)).or_insert((lead.fields.currency, AmountSum::default()));
        cell.1.add(&lead.fields);
    }
    sums.into_iter().map(|((stage, _), (currency, sum))| StageSum { stage, currency, sum }).collect()
}

fn check(world: &World, store: &dyn Store, leads: &[Lead], why: &str) {
    let is_open = |lead: &&Lead| lead.state() == LeadState::Open;
    let on_board: Vec<_> = leads.iter().filter(is_open).cloned().collect();
    let stage = leads.first().map(|lead| lead.stage);
    let in_stage = Resolved::Equals(Field::Stage, stage.into_iter().map(Into::into).collect());
    let here: Vec<_> = on_board.iter().filter(|lead| Some(lead.stage) == stage).cloned().collect();
    // A search is answered by no kept sum.
    let search = Resolved::search("");
    for (filter, leads) in [
        (open(), &on_board[..]),
        (Resolved::everything(), leads),
        (open().and(in_stage), &here),
        (search.and(open()), &on_board),
    ] {
        let found = world.read(store, |txn| txn.tallies().sums(&filter));
        assert_eq!(found, wanted(leads), "{why}, asked for {filter:?}");
    }
}

/// New, changed, moved, closed, trashed and removed leads are in the sums as they are.
pub fn sums_follow_every_write(store: &dyn Store) {
    let world = World::install(store);
    let mut leads = vec![
        priced(&world, 1, "1250.50", Some("EUR"), None),
        priced(&world, 2, "0.0001", Some("EUR"), Some(30)),
        priced(&world, 3, "-99.99", None, None),
        priced(&world, 4, "7", Some("USD"), Some(100)),
        world.company(5, "Without"),
    ];
    leads[3].stage = world.pipeline.stages[1].id;
    world.write(store, |txn| txn.leads().insert(&leads));
    check(&world, store, &leads, "added");
    let at = world.scene.clock_now();
    let changes: [(&str, Change); 7] = [
        ("another amount", |_, lead| lead.fields.amount = Some(Decimal::new(15, 1))),
        ("another currency", |_, lead| lead.fields.currency = None),
        ("a probability of its own", |_, lead| lead.fields.probability = Some(45)),
        ("another stage", |world, lead| lead.stage = world.pipeline.stages[1].id),
        ("no amount", |_, lead| lead.fields.amount = None),
        ("disqualified", |world, lead| {
            lead.closing = Some(crate::domain::Closing {
                at: world.scene.clock_now(),
                outcome: crate::domain::Outcome::Disqualified,
                reason: None,
                detail: None,
            });
        }),
        ("an amount again", |_, lead| lead.fields.amount = Some(Decimal::ONE)),
    ];
    for (why, change) in changes {
        for lead in leads.iter_mut().take(2) {
            let before = lead.clone();
            change(&world, lead);
            lead.revision = lead.revision.next();
            let changes = [LeadChange { before, after: lead.clone() }];
            world.write(store, |txn| txn.leads().update(&changes));
        }
        check(&world, store, &leads, why);
    }
    let before = leads[3].clone();
    leads[3].trashed = Some(Trashed { at, operation: world.operation });
    leads[3].revision = leads[3].revision.next();
    let changes = [LeadChange { before, after: leads[3].clone() }];
    world.write(store, |txn| txn.leads().update(&changes));
    check(&world, store, &leads, "in the trash");
    let gone = leads.remove(2);
    world.write(store, |txn| txn.leads().remove(std::slice::from_ref(&gone)));
    check(&world, store, &leads, "removed for good");
}

/// Twenty of the largest amounts are more than 64 bits of the smallest unit; up and down, nothing is lost.
pub fn sums_are_exact_beyond_64_bits(store: &dyn Store) {
    let world = World::install(store);
    for sign in ["", "-"] {
        let most = format!("{sign}99999999999999.9999");
        let own = |n: u64| if n.is_multiple_of(2) { Some(99) } else { None };
        let leads: Vec<_> = (1..=40).map(|n| priced(&world, n, &most, Some("EUR"), own(n))).collect();
        world.write(store, |txn| txn.leads().insert(&leads));
        check(&world, store, &leads, "the largest amounts");
        let sums = world.read(store, |txn| txn.tallies().sums(&open()));
        let total: Decimal = format!("{sign}3999999999999999.996").parse().unwrap();
        assert_eq!(sums[0].sum.total(), Some(total), "forty of the largest amounts");
        world.write(store, |txn| txn.leads().remove(&leads));
        check(&world, store, &[], "all gone");
    }
}

/// Where no sum is kept, the leads that match are added up.
pub fn a_filtered_sum_is_that_of_the_leads_it_matches(store: &dyn Store) {
    let world = World::install(store);
    let mut leads: Vec<_> =
        (1..=9).map(|n| priced(&world, n, "10.25", Some("EUR"), (n % 3 == 0).then_some(10))).collect();
    for lead in leads.iter_mut().step_by(2) {
        lead.fields.source = Some(world.term(0));
    }
    world.write(store, |txn| txn.leads().insert(&leads));
    let filter =
        Resolved::Equals(Field::Source, vec![world.term::<crate::id::SourceId>(0).into()]).and(open());
    let found = world.read(store, |txn| txn.tallies().sums(&filter));
    let matching: Vec<_> = leads.iter().filter(|lead| lead.fields.source.is_some()).cloned().collect();
    assert_eq!(found, wanted(&matching), "the leads of one source");
    let nothing = Resolved::nothing().and(Resolved::search(""));
    assert_eq!(world.read(store, |txn| txn.tallies().sums(&nothing)), [], "nothing matches");
}
