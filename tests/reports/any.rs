//! Whatever happens to leads, a report tells what anyone would count.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use leadcore::desk::convert::{self, ConversionOptions, OpportunityEnding, OpportunityRequest};
use leadcore::desk::opportunities::{self, Lost};
use leadcore::desk::reports::{self, Report, ReportQuery, ReportRow};
use leadcore::desk::{costs, leads, pipelines, undo, vocabulary};
use leadcore::domain::{
    Cost, CostFields, FieldValue, Lead, LeadFields, LeadState, OpportunityPatch, OpportunityState, Outcome,
};
use leadcore::error::Result;
use leadcore::id::SourceId;
use leadcore::memory::MemoryStore;
use leadcore::query::Dimension;
use leadcore::store::{CostScan, OpportunityScan, Store, StoreExt, Txn};
use leadcore::testkit::fixtures::Scene;
use leadcore::time::Date;
use leadcore::value::Currency;
use leadcore_sqlite::SqliteStore;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{ANY, MONTH, euro};
use crate::support::company;

/// What may happen to leads.
#[derive(Debug, Clone)]
enum Event {
    New { source: usize, campaign: usize },
    Move(usize, usize),
    Disqualify(usize),
    Reopen(usize),
    Sell { lead: usize, cents: i64, currency: usize, ending: usize },
    Settle(usize, usize),
    Unconvert(usize),
    Trash(usize),
    Restore(usize),
    Cost { source: usize, campaign: usize, cents: i64, days: i64 },
    Undo(usize),
    Wait(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let lead = 0..12_usize;
    prop_oneof![
        4 => (0..3_usize, 0..3_usize).prop_map(|(source, campaign)| Event::New { source, campaign }),
        3 => (lead.clone(), 0..5_usize).prop_map(|(lead, stage)| Event::Move(lead, stage)),
        1 => lead.clone().prop_map(Event::Disqualify),
        1 => lead.clone().prop_map(Event::Reopen),
        4 => (lead.clone(), -50_i64..90_000, 0..3_usize, 0..3_usize)
            .prop_map(|(lead, cents, currency, ending)| Event::Sell { lead, cents, currency, ending }),
        2 => (lead.clone(), 0..3_usize).prop_map(|(one, to)| Event::Settle(one, to)),
        1 => lead.clone().prop_map(Event::Unconvert),
        1 => lead.clone().prop_map(Event::Trash),
        1 => lead.prop_map(Event::Restore),
        2 => (0..3_usize, 0..3_usize, 1_i64..70_000, 0_i64..80)
            .prop_map(|(source, campaign, cents, days)| Event::Cost { source, campaign, cents, days }),
        2 => (0..6_usize).prop_map(Event::Undo),
        2 => (1_i64..50_000).prop_map(Event::Wait),
    ]
}

const CAMPAIGNS: [Option<&str>; 3] = [None, Some("Spring"), Some("spring")];

/// Does what the event says, where it can be done.
fn happen(
    ctx: &leadcore::context::Context<'_>,
    txn: &mut dyn Txn,
    sources: &[SourceId],
    event: &Event,
) -> Result<()> {
    let all = |txn: &mut dyn Txn| -> Result<Vec<Lead>> {
        let numbers: Vec<u64> = (1..=60).collect();
        let found = numbers.iter().filter_map(|number| leads::by_number(ctx, txn, *number).ok());
        Ok(found.collect())
    };
    let pick = |txn: &mut dyn Txn, n: usize| -> Result<Lead> {
        let known = all(txn)?;
        let one = known.get(n % known.len().max(1)).cloned();
        one.ok_or_else(|| leadcore::error::Error::not_found("lead"))
    };
    match event {
        Event::New { source, campaign } => {
            let fields = LeadFields {
                source: sources.get(*source).copied(),
                campaign: CAMPAIGNS[*campaign].map(str::to_owned),
                ..company("Any AS")
            };
            leads::create(ctx, txn, fields.into()).map(drop)
        }
        Event::Move(lead, stage) => {
            let lead = pick(txn, *lead)?;
            let stages = pipelines::list(ctx, txn)?.remove(0).stages;
            leads::move_to(ctx, txn, lead.id, ANY, stages[stage % stages.len()].id).map(drop)
        }
        Event::Disqualify(lead) => {
            let lead = pick(txn, *lead)?;
            leads::disqualify(ctx, txn, lead.id, ANY, None, None).map(drop)
        }
        Event::Reopen(lead) => {
            let lead = pick(txn, *lead)?;
            leads::reopen(ctx, txn, lead.id, ANY).map(drop)
        }
        Event::Sell { lead, cents, currency, ending } => {
            let lead = pick(txn, *lead)?;
            let code = ["EUR", "JPY"].get(*currency).map(|code| Currency::parse(code).unwrap());
            let patch = OpportunityPatch::new().amount(Some(Decimal::new(*cents, 2))).currency(code);
            let ending = match ending {
                0 => OpportunityEnding::Open,
                1 => OpportunityEnding::Won { on: None },
                _ => OpportunityEnding::Lost { on: None, reason: None, detail: None },
            };
            let request = OpportunityRequest::new().with(patch).ended(ending);
            let options = ConversionOptions::default().with_opportunity(request);
            convert::convert(ctx, txn, lead.id, &options).map(drop)
        }
        Event::Settle(one, to) => {
            let known = txn.opportunities().scan(&OpportunityScan { limit: 99, ..Default::default() })?;
            let Some(one) = known.get(one % known.len().max(1)) else { return Ok(()) };
            match to {
                0 => opportunities::reopen(ctx, txn, one.id, ANY).map(drop),
                1 => opportunities::win(ctx, txn, one.id, ANY, None).map(drop),
                _ => opportunities::lose(ctx, txn, one.id, ANY, &Lost::default()).map(drop),
            }
        }
        Event::Unconvert(lead) => {
            let lead = pick(txn, *lead)?;
            convert::unconvert(ctx, txn, lead.id).map(drop)
        }
        Event::Trash(lead) => {
            let lead = pick(txn, *lead)?;
            leads::delete(ctx, txn, lead.id, ANY)
        }
        Event::Restore(lead) => {
            let lead = pick(txn, *lead)?;
            leads::restore(ctx, txn, lead.id).map(drop)
        }
        Event::Cost { source, campaign, cents, days } => {
            let today = Date::of(ctx.now());
            let mut fields =
                CostFields::new(Decimal::new(*cents, 2), euro(), today.saturating_add_days(-days / 2));
            fields = fields.until(today.saturating_add_days(days - days / 2));
            fields.source = sources.get(*source).copied();
            fields.campaign = CAMPAIGNS[*campaign].map(str::to_owned);
            costs::add(ctx, txn, fields).map(drop)
        }
        Event::Undo(back) => {
            let mut told: Vec<_> =
                txn.journal().replay(None, None, 10_000)?.into_iter().map(|entry| entry.operation).collect();
            told.dedup();
            let Some(operation) = told.iter().rev().nth(*back) else { return Ok(()) };
            undo::undo(ctx, txn, *operation).map(drop)
        }
        Event::Wait(_) => Ok(()),
    }
}

/// The figures of a group as anyone would count them.
#[derive(Debug, Default, PartialEq)]
struct Naive {
    leads: u64,
    converted: u64,
    lost: u64,
    disqualified: u64,
    won: BTreeMap<String, (u64, Decimal)>,
    open: BTreeMap<String, (u64, Decimal)>,
    cost: Option<Decimal>,
    waits: Vec<i64>,
}

fn naive(
    txn: &mut dyn Txn,
    key: impl Fn(&Lead) -> String,
    of_cost: impl Fn(&Cost) -> String,
) -> Result<BTreeMap<String, Naive>> {
    let mut groups: BTreeMap<String, Naive> = BTreeMap::new();
    let scan = leadcore::query::LeadScan {
        filter: leadcore::query::Resolved::everything(),
        trashed: false,
        sort: leadcore::query::Sort::ascending(leadcore::query::SortField::Number),
        limit: 1_000,
        after: None,
    };
    let leads = txn.leads().scan(&scan)?;
    let made = txn.opportunities().scan(&OpportunityScan { limit: 1_000, ..Default::default() })?;
    for lead in &leads {
        let group = groups.entry(key(lead)).or_default();
        group.leads += 1;
        match lead.state() {
            LeadState::Converted => group.converted += 1,
            LeadState::Disqualified => group.disqualified += 1,
            LeadState::Open => {
                group.lost +=
                    u64::from(lead.closing.as_ref().is_some_and(|end| end.outcome == Outcome::Lost));
            }
        }
        group
            .waits
            .extend(lead.conversion.as_ref().map(|done| done.at.as_micros() - lead.created_at.as_micros()));
        for one in made.iter().filter(|one| one.origin_lead == Some(lead.id)) {
            let code = one.fields.currency.map(|currency| currency.code().to_owned()).unwrap_or_default();
            let sums = match one.state {
                OpportunityState::Won => &mut group.won,
                OpportunityState::Open => &mut group.open,
                _ => continue,
            };
            let sum = sums.entry(code).or_default();
            sum.0 += 1;
            sum.1 += one.fields.amount.unwrap_or_default();
        }
    }
    for cost in txn.costs().scan(&CostScan { limit: 1_000, ..Default::default() })? {
        let group = groups.entry(of_cost(&cost)).or_default();
        group.cost = Some(group.cost.unwrap_or_default() + cost.fields.amount);
    }
    for group in groups.values_mut() {
        group.waits.sort_unstable();
    }
    Ok(groups)
}

fn same(report: &Report, wanted: &BTreeMap<String, Naive>) -> std::result::Result<(), TestCaseError> {
    let key = |row: &ReportRow| match &row.group[0].value {
        FieldValue::Empty => String::new(),
        FieldValue::Id(id) => id.to_string(),
        other => other.as_text().unwrap_or_default().to_owned(),
    };
    let keys: Vec<_> = report.rows.iter().map(key).collect();
    prop_assert_eq!(keys.len(), wanted.len(), "{:?} and {:?}", keys, wanted.keys());
    for row in &report.rows {
        let Some(naive) = wanted.get(&key(row)) else {
            return Err(TestCaseError::fail("a group of its own"));
        };
        prop_assert_eq!(
            (row.leads, row.converted, row.lost, row.disqualified),
            (naive.leads, naive.converted, naive.lost, naive.disqualified)
        );
        let mut money = naive.won.keys().chain(naive.open.keys()).cloned().collect::<Vec<_>>();
        money.extend(naive.cost.map(|_| "EUR".to_owned()));
        let (mut one_currency, mut last) = (true, None);
        for sum in &row.money {
            let code = sum.currency.map(|currency| currency.code().to_owned()).unwrap_or_default();
            let won = naive.won.get(&code).copied().unwrap_or_default();
            let open = naive.open.get(&code).copied().unwrap_or_default();
            prop_assert_eq!((sum.won.count, sum.won.value), won);
            prop_assert_eq!((sum.open.count, sum.open.value), open);
            let cost = naive.cost.filter(|_| code == "EUR");
            prop_assert_eq!(sum.cost, cost);
            if won.0 > 0 || cost.is_some() {
                one_currency &= last.replace(code.clone()).is_none();
            }
            money.retain(|known| *known != code);
        }
        prop_assert!(money.is_empty(), "left out: {:?}", money);
        let euros = row.money_in(euro());
        let roi = naive.cost.filter(|_| one_currency).map(|cost| {
            let won = naive.won.get("EUR").copied().unwrap_or_default().1;
            ((won - cost) / cost)
                .round_dp_with_strategy(4, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
        });
        prop_assert_eq!(euros.and_then(|euros| euros.roi), roi);
        let median = (!naive.waits.is_empty()).then(|| {
            let (low, high) = (naive.waits[(naive.waits.len() - 1) / 2], naive.waits[naive.waits.len() / 2]);
            (Decimal::new(low, 6) + Decimal::new(high, 6)) / Decimal::TWO
        });
        prop_assert_eq!(row.time_to_conversion.map(|time| time.median), median);
        let entered: Vec<_> = row.stages.iter().map(|stage| stage.entered).collect();
        let sum = |read: fn(&leadcore::store::Entered) -> u64| entered.iter().map(read).sum::<u64>();
        prop_assert_eq!(sum(|one| one.converted), naive.converted);
        prop_assert_eq!(sum(|one| one.disqualified), naive.disqualified);
        prop_assert_eq!(sum(|one| one.still_there), naive.leads - naive.converted - naive.disqualified);
        let ways = sum(|one| one.moved_on) + sum(|one| one.lost) + naive.leads;
        prop_assert_eq!(sum(|one| one.entered), ways);
    }
    Ok(())
}

/// Whatever happens, every store tells what anyone would count, and both tell the same.
fn told_right(store: &dyn Store, events: &[Event]) -> std::result::Result<Vec<Report>, TestCaseError> {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let sources = store.write(&scene.tenant, |txn| {
        ["Fair", "Web"]
            .iter()
            .map(|name| Ok(vocabulary::add::<SourceId>(&ctx, txn, name, None)?.id))
            .collect()
    });
    let sources: Vec<SourceId> = sources.unwrap();
    for event in events {
        scene.tick();
        if let Event::Wait(seconds) = event {
            scene.clock.advance(TimeDelta::seconds(*seconds));
        }
        // What is refused leaves nothing behind.
        let _ = store.write(&scene.tenant, |txn| happen(&ctx, txn, &sources, event));
    }
    let mut told = Vec::new();
    for by in [Dimension::Source, Dimension::Campaign] {
        let query = ReportQuery::by([by]).with_stages();
        let (report, wanted) = store
            .read(&scene.tenant, |txn| {
                let source = |source: Option<SourceId>| source.map(|id| id.to_string()).unwrap_or_default();
                let wanted = if by == Dimension::Source {
                    naive(txn, |lead| source(lead.fields.source), |cost| source(cost.fields.source))?
                } else {
                    let folded =
                        |name: Option<&String>| name.map(|name| name.to_lowercase()).unwrap_or_default();
                    let of_cost = |cost: &Cost| folded(cost.fields.campaign.as_ref());
                    naive(txn, |lead| folded(lead.fields.campaign.as_ref()), of_cost)?
                };
                Ok((reports::report(&ctx, txn, &query)?, wanted))
            })
            .unwrap();
        same(&report, &wanted)?;
        told.push(report);
    }
    let pairs = ReportQuery::by([Dimension::Campaign, MONTH]).with_stages();
    let months = store.read(&scene.tenant, |txn| reports::report(&ctx, txn, &pairs)).unwrap();
    // The parts of what was spent are the whole.
    let parts: Decimal = months.rows.iter().filter_map(|row| row.money_in(euro())?.cost).sum();
    prop_assert_eq!(parts, months.total.money_in(euro()).and_then(|money| money.cost).unwrap_or_default());
    told.push(months);
    Ok(told)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn reports_tell_what_anyone_would_count(events in proptest::collection::vec(event(), 0..60)) {
        let memory = told_right(&MemoryStore::new(), &events)?;
        let sqlite = told_right(&SqliteStore::open_in_memory().unwrap(), &events)?;
        prop_assert_eq!(memory, sqlite);
    }
}
