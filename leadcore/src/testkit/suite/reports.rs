//! Costs, and the figures that reports are made of.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Actor, Closing, Conversion, Cost, CostFields, Field, FieldValue, Lead, LeadFields, LeadState,
    Opportunity, OpportunityEnd, OpportunityFields, OpportunityState, Outcome, StageKind, TermKind, Totals,
    Trashed,
};
use crate::error::{Conflict, ErrorKind};
use crate::id::{CategoryId, CostId, OpportunityId, Revision, SourceId, StageId};
use crate::query::{Clocks, Dated, Dimension, PeriodUnit, ReportScan, Resolved};
use crate::store::{CostScan, Entered, LeadChange, Store, Txn};
use crate::time::{Date, Timestamp};
use crate::value::Currency;

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn cost(world: &World, amount: &str, first: &str, last: &str) -> Cost {
    let now = world.scene.clock_now();
    let fields = CostFields::new(
        amount.parse().unwrap(),
        Currency::from_stored("CLF").unwrap(),
        first.parse().unwrap(),
    );
    Cost {
        id: CostId::from_uuid(world.scene.uuid()),
        revision: Revision::FIRST,
        fields: fields.until(last.parse().unwrap()),
        created_by: Actor::System,
        created_at: now,
        updated_at: now,
    }
}

/// Every field comes back, with texts, amounts and days that are hard to keep, in the order asked.
pub fn costs_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut all = vec![cost(&world, "0", "0001-01-01", "9999-12-31")];
    for text in storable_texts() {
        let mut one = cost(&world, "-99999999999999.9999", "2026-02-28", "2026-03-01");
        one.revision = Revision::new(9);
        one.fields.source = Some(world.term(1));
        (one.fields.campaign, one.fields.note) = (Some(text.to_owned()), Some(text.to_owned()));
        one.created_by = world.scene.actor.clone();
        (one.created_at, one.updated_at) = (Timestamp::MIN, Timestamp::MAX);
        all.push(one);
    }
    world.write(store, |txn| txn.costs().insert(&all));
    all.reverse();
    let mut asked: Vec<_> = all.iter().map(|one| one.id).collect();
    asked.insert(1, CostId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.costs().get(&asked));
    assert_eq!(found, all, "costs must come back as they were, in the order asked");
}

/// Ids are unique, revisions are kept, a refused slice writes nothing, lists are narrowed and paged in their order, and what is
/// removed is gone. A source that has a cost is in use.
pub fn costs_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let days = [("2026-01-05", "2026-01-31"), ("2026-01-05", "2026-01-05"), ("2026-02-01", "2026-12-31")];
    let mut all: Vec<_> = days.iter().map(|(first, last)| cost(&world, "1.5", first, last)).collect();
    all[1].fields.source = Some(world.term(2));
    world.write(store, |txn| txn.costs().insert(&all));
    let new = cost(&world, "1", "2026-01-01", "2026-01-01");
    let twice = refused(&world, store, "a broken rule", |txn: &mut dyn Txn| {
        txn.costs().insert(&[new.clone(), all[0].clone()])
    });
    assert_kind(&twice, ErrorKind::AlreadyExists, "an id that is taken");
    let mut next = all[0].clone();
    (next.revision, next.fields.amount) = (next.revision.next(), 7.into());
    let stale = Cost { revision: Revision::new(9), ..all[1].clone() };
    let late = refused(&world, store, "a broken rule", |txn: &mut dyn Txn| {
        txn.costs().update(&[next.clone(), stale.clone()])
    });
    assert_stale(&late, Revision::new(8), Revision::FIRST, "a stale cost");
    let none = refused(&world, store, "a broken rule", |txn: &mut dyn Txn| {
        txn.costs().update(std::slice::from_ref(&new))
    });
    assert_kind(&none, ErrorKind::NotFound, "a cost that there is not");
    let found = world.read(store, |txn| txn.costs().get(&[all[0].id, new.id]));
    assert_eq!(found, [all[0].clone()], "what was refused has not been");
    world.write(store, |txn| txn.costs().update(std::slice::from_ref(&next)));
    all[0] = next;
    all.sort_by_key(Cost::place);
    let scan = CostScan { limit: 9, ..CostScan::default() };
    let listed = |scan: &CostScan| -> Vec<CostId> {
        world.read(store, |txn| txn.costs().scan(scan)).iter().map(|one| one.id).collect()
    };
    let ids: Vec<_> = all.iter().map(|one| one.id).collect();
    assert_eq!(listed(&scan), ids);
    assert_eq!(listed(&CostScan { limit: 1, ..scan.clone() }), [ids[0]]);
    assert_eq!(listed(&CostScan { after: Some(all[0].place()), ..scan.clone() }), ids[1..]);
    assert_eq!(listed(&CostScan { until: "2026-01-31".parse().ok(), ..scan.clone() }), ids[..2]);
    let of_source = all.iter().find(|one| one.fields.source.is_some()).unwrap().id;
    let late = CostScan { from: "2026-01-06".parse().ok(), ..scan.clone() };
    assert!(!listed(&late).contains(&of_source) && listed(&late).len() == 2);
    assert_eq!(listed(&CostScan { source: Some(world.term(2)), ..scan.clone() }), [of_source]);
    let source = world.term::<SourceId>(2).as_uuid();
    assert_eq!(world.read(store, |txn| txn.terms().usage(TermKind::Source, source)), 1);
    let in_use = refused(&world, store, "a broken rule", |txn: &mut dyn Txn| {
        txn.terms().remove(TermKind::Source, source)
    });
    assert!(matches!(in_use.conflict(), Some(Conflict::InUse { by: 1 })));
    world.write(store, |txn| txn.costs().remove(&[ids[0], new.id, ids[1]]));
    assert_eq!(listed(&scan), ids[2..]);
}

/// A lead with a history, and where it was before it came where it is.
#[derive(Clone)]
struct Told {
    lead: Lead,
    before: Vec<StageId>,
}

/// Moves a lead, a second after whatever was last.
fn moved(world: &World, store: &dyn Store, told: &mut Told, to: StageId) {
    let before = told.lead.clone();
    told.before.push(before.stage);
    (told.lead.stage, told.lead.stage_entered_at) = (to, world.scene.tick());
    written(world, store, before, &mut told.lead);
}

fn written(world: &World, store: &dyn Store, before: Lead, lead: &mut Lead) {
    lead.revision = before.revision.next();
    let changes = [LeadChange { before, after: lead.clone() }];
    world.write(store, |txn| txn.leads().update(&changes));
}

/// Leads of every kind: with and without what they are grouped by, at the ends of periods, moved, ended and converted.
fn leads(world: &World, store: &dyn Store) -> Vec<Told> {
    const CREATED: [&str; 8] = [
        "2026-01-01T00:30:00Z",
        "2025-12-31T23:59:59.999999Z",
        "2026-03-29T00:59:59Z",
        "2026-03-31T22:30:00Z",
        "1969-12-31T23:59:59.5Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-10-25T01:30:00Z",
    ];
    let stages: Vec<_> = world.pipeline.stages.iter().map(|stage| stage.id).collect();
    let mut all = Vec::new();
    for n in 0..72_usize {
        let mut lead = world.lead(u64::try_from(n).unwrap() + 1, LeadFields::company("Counted").unwrap());
        lead.created_at = CREATED[n % 8].parse().unwrap();
        lead.fields.source = (n % 3 > 0).then(|| world.term(n % 3));
        lead.fields.category = (n % 5 > 1).then(|| world.term(n % 2));
        lead.fields.owner = (n % 4 > 0).then(|| ["ada", "bob", "Ann"][n % 3].parse().unwrap());
        let campaign = ["Spring Fair", "spring fair", "Frühling", "FRUHLING", "%_'\"", ""][n % 6];
        lead.fields.campaign = Some(campaign.to_owned()).filter(|name| !name.is_empty());
        all.push(Told { lead, before: Vec::new() });
    }
    let rows: Vec<_> = all.iter().map(|told| told.lead.clone()).collect();
    world.write(store, |txn| txn.leads().insert(&rows));
    for (n, told) in all.iter_mut().enumerate() {
        for step in 0..n % 4 {
            moved(world, store, told, stages[(n + step * 2 + 1) % stages.len()]);
        }
        let before = told.lead.clone();
        let at = world.scene.tick();
        let lost = Closing { at, outcome: Outcome::Lost, reason: None, detail: None };
        match n % 7 {
            0 | 1 => {
                let minutes = i64::try_from(n * n).unwrap();
                let at = told.lead.created_at.saturating_add(chrono::TimeDelta::minutes(minutes));
                let account = Some(world.account).filter(|_| n % 2 == 0);
                told.lead.conversion = Some(Conversion { at, account, operation: world.operation });
            }
            2 => told.lead.closing = Some(lost),
            3 => told.lead.closing = Some(Closing { outcome: Outcome::Disqualified, ..lost }),
            4 => told.lead.trashed = Some(Trashed { at, operation: world.operation }),
            _ => continue,
        }
        written(world, store, before, &mut told.lead);
    }
    all
}

/// Opportunities of some of the leads, one of none, and one of a lead that is gone.
fn opportunities(world: &World, store: &dyn Store, leads: &[Told]) -> Vec<Opportunity> {
    let now = world.scene.clock_now();
    let mut all = Vec::new();
    for n in 0..60_usize {
        let state = [OpportunityState::Open, OpportunityState::Won, OpportunityState::Lost][n % 3];
        let ended = OpportunityEnd { on: Date::MAX, reason: None, detail: None };
        let amount = ["99999999999999.9999", "0.0001", "-5", "1250.25"][n % 4];
        let code = ["EUR", "USD", "JPY"][n % 3];
        let fields = OpportunityFields {
            amount: (n % 5 > 0).then(|| amount.parse().unwrap()),
            currency: (n % 7 > 0).then(|| Currency::from_stored(code).unwrap()),
            ..OpportunityFields::named("Roof")
        };
        all.push(Opportunity {
            id: OpportunityId::from_uuid(world.scene.uuid()),
            number: u64::try_from(n).unwrap() + 1,
            serial: None,
            revision: Revision::FIRST,
            account: world.account,
            about: Opportunity::about(world.account, &[]),
            fields,
            totals: Totals::default(),
            state,
            end: (state != OpportunityState::Open).then_some(ended),
            origin_lead: match n {
                0 => None,
                1 => Some(crate::id::LeadId::from_uuid(world.scene.uuid())),
                n => leads.get(n * 7 % leads.len()).map(|told| told.lead.id),
            },
            created_by: Actor::System,
            created_at: now,
            updated_at: now,
        });
    }
    world.write(store, |txn| txn.opportunities().insert(&all));
    all
}

/// What reports are asked for: by one thing, by two, by none; filtered, dated and by clocks that are changed.
fn scans(world: &World) -> Vec<ReportScan> {
    let summer = "2026-03-29T01:00:00Z".parse().unwrap();
    let winter = "2026-10-25T01:00:00Z".parse().unwrap();
    let oslo = Clocks::changing(3_600, vec![(summer, 7_200), (winter, 3_600)]);
    let delhi = Clocks::fixed(chrono::FixedOffset::east_opt(19_800).unwrap());
    let tahiti = Clocks::fixed(chrono::FixedOffset::west_opt(36_000).unwrap());
    let month = Dimension::Period(PeriodUnit::Month);
    let mut groups: Vec<Vec<Dimension>> = Dimension::ALL.iter().map(|one| vec![*one]).collect();
    let fiscal = [PeriodUnit::FiscalYear(4), PeriodUnit::FiscalQuarter(2), PeriodUnit::FiscalQuarter(12)];
    groups.extend(fiscal.map(|unit| vec![Dimension::Period(unit)]));
    groups.extend([
        vec![],
        vec![Dimension::Period(PeriodUnit::FiscalYear(11)), Dimension::Source],
        vec![Dimension::Source, month],
        vec![month, Dimension::Campaign],
        vec![Dimension::Owner, Dimension::Category],
        vec![Dimension::Campaign, Dimension::Source],
    ]);
    let filters = [
        Resolved::everything(),
        Resolved::Equals(Field::Source, vec![world.term::<SourceId>(1).into()]),
        Resolved::Equals(Field::Campaign, vec!["spring fair".into()]),
        Resolved::Not(Box::new(Resolved::Equals(Field::Campaign, vec!["spring fair".into()]))),
        Resolved::search("counted"),
        Resolved::nothing(),
    ];
    let mut scans = Vec::new();
    for (n, by) in groups.into_iter().enumerate() {
        for (m, filter) in filters.iter().enumerate() {
            let clocks = [&oslo, &delhi, &tahiti][(n + m) % 3].clone();
            for dated in [Dated::Created, Dated::Converted] {
                scans.push(ReportScan {
                    filter: filter.clone(),
                    by: by.clone(),
                    dated,
                    clocks: clocks.clone(),
                });
            }
        }
    }
    scans
}

/// A group as it is told in a test that fails, in the order of stores.
fn group(key: &[FieldValue]) -> Vec<String> {
    key.iter().map(|value| value.to_typed_text().unwrap_or_default()).collect()
}

/// Every figure is that of the leads one by one.
pub fn figures_agree_with_the_reference(store: &dyn Store) {
    let world = World::install(store);
    let told = leads(&world, store);
    let made = opportunities(&world, store, &told);
    for scan in scans(&world) {
        let mut groups: BTreeMap<Vec<String>, Vec<&Told>> = BTreeMap::new();
        for told in told.iter().filter(|told| told.lead.trashed.is_none() && scan.filter.matches(&told.lead))
        {
            groups.entry(group(&scan.key(&told.lead))).or_default().push(told);
        }
        check_leads(&world, store, &scan, &groups);
        check_worth(&world, store, &scan, &groups, &made);
        check_stages(&world, store, &scan, &groups);
    }
}

fn check_leads(
    world: &World,
    store: &dyn Store,
    scan: &ReportScan,
    groups: &BTreeMap<Vec<String>, Vec<&Told>>,
) {
    let found = world.read(store, |txn| txn.reports().leads(scan));
    let keys: Vec<_> = found.iter().map(|figures| group(&figures.key)).collect();
    assert_eq!(keys, groups.keys().cloned().collect::<Vec<_>>(), "groups in their order: {scan:?}");
    let middles = world.read(store, |txn| txn.reports().middle_waits(scan));
    let mut middles: BTreeMap<_, _> =
        middles.into_iter().map(|one| (group(&one.key), (one.low, one.high))).collect();
    for (figures, leads) in found.iter().zip(groups.values()) {
        let count = |wanted: fn(&Lead) -> bool| leads.iter().filter(|told| wanted(&told.lead)).count() as u64;
        let is_lost = |lead: &Lead| {
            lead.state() == LeadState::Open
                && lead.closing.as_ref().is_some_and(|closing| closing.outcome == Outcome::Lost)
        };
        let counts = [figures.leads, figures.converted, figures.lost, figures.disqualified];
        let wanted = [
            leads.len() as u64,
            count(|lead| lead.state() == LeadState::Converted),
            count(is_lost),
            count(|lead| lead.state() == LeadState::Disqualified),
        ];
        assert_eq!(counts, wanted, "leads, converted, lost, disqualified of {:?}: {scan:?}", figures.key);
        let waits = leads.iter().filter_map(|told| {
            let done = told.lead.conversion.as_ref()?;
            Some(done.at.as_micros() - told.lead.created_at.as_micros())
        });
        let mut waits: Vec<i64> = waits.collect();
        waits.sort_unstable();
        assert_eq!(figures.waited, waits.iter().copied().map(i128::from).sum::<i128>(), "{scan:?}");
        let middle = (!waits.is_empty()).then(|| (waits[(waits.len() - 1) / 2], waits[waits.len() / 2]));
        assert_eq!(middles.remove(&group(&figures.key)), middle, "the middle wait: {scan:?}");
        let names: BTreeSet<_> =
            leads.iter().filter_map(|told| told.lead.fields.campaign.as_deref()).collect();
        let first = names.first().copied().filter(|_| scan.by.contains(&Dimension::Campaign));
        assert_eq!(figures.campaign.as_deref(), first, "how the campaign is written: {scan:?}");
    }
    assert!(middles.is_empty(), "waits of groups that there are not: {scan:?}");
}

fn check_worth(
    world: &World,
    store: &dyn Store,
    scan: &ReportScan,
    groups: &BTreeMap<Vec<String>, Vec<&Told>>,
    made: &[Opportunity],
) {
    type Sums = [(u64, i128); 3];
    let mut wanted: BTreeMap<(Vec<String>, String), Sums> = BTreeMap::new();
    for (key, leads) in groups {
        for one in made {
            if !leads.iter().any(|told| Some(told.lead.id) == one.origin_lead) {
                continue;
            }
            let code = one.fields.currency.map(|currency| currency.code().to_owned()).unwrap_or_default();
            let sums = wanted.entry((key.clone(), code)).or_default();
            let place = match one.state {
                OpportunityState::Open => 0,
                OpportunityState::Won => 1,
                OpportunityState::Lost => 2,
            };
            sums[place].0 += 1;
            sums[place].1 += one.fields.amount.and_then(crate::domain::amount_units).unwrap_or(0);
        }
    }
    let found = world.read(store, |txn| txn.reports().worth(scan));
    let found: Vec<_> = found
        .into_iter()
        .map(|one| {
            let code = one.currency.map(|currency| currency.code().to_owned()).unwrap_or_default();
            let sums = [one.open, one.won, one.lost].map(|worth| (worth.count, worth.units));
            ((group(&one.key), code), sums)
        })
        .collect();
    assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "worth by group and currency: {scan:?}");
}

fn check_stages(
    world: &World,
    store: &dyn Store,
    scan: &ReportScan,
    groups: &BTreeMap<Vec<String>, Vec<&Told>>,
) {
    let is_lost = |stage: StageId| {
        world.pipeline.stages.iter().any(|known| known.id == stage && known.kind == StageKind::Lost)
    };
    let mut wanted: BTreeMap<(Vec<String>, StageId), [u64; 6]> = BTreeMap::new();
    for (key, leads) in groups {
        for told in leads {
            let path: Vec<_> = told.before.iter().copied().chain([told.lead.stage]).collect();
            for stage in path.iter().copied().collect::<BTreeSet<_>>() {
                let counts = wanted.entry((key.clone(), stage)).or_default();
                counts[0] += 1;
                let last = path.iter().rposition(|at| *at == stage).unwrap();
                let place =
                    match told.lead.state() {
                        _ if last + 1 < path.len() => {
                            if path[last + 1..].iter().all(|later| is_lost(*later)) { 2 } else { 1 }
                        }
                        LeadState::Disqualified => 3,
                        LeadState::Converted => 4,
                        LeadState::Open => 5,
                    };
                counts[place] += 1;
            }
        }
    }
    let found = world.read(store, |txn| txn.reports().stages(scan));
    let found: Vec<_> = found
        .into_iter()
        .map(|one| {
            let Entered { entered, moved_on, lost, disqualified, converted, still_there } = one.entered;
            let counts = [entered, moved_on, lost, disqualified, converted, still_there];
            assert_eq!(entered, counts[1..].iter().sum::<u64>(), "each is counted once");
            ((group(&one.key), one.stage), counts)
        })
        .collect();
    assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "the way through the stages: {scan:?}");
}

/// A lead that is taken back has never been elsewhere; one that is moved there by hand has. Purged, it has been nowhere.
pub fn moves_count_until_they_are_taken_back(store: &dyn Store) {
    let world = World::install(store);
    let stages: Vec<_> = world.pipeline.stages.iter().map(|stage| stage.id).collect();
    let mut told = Told { lead: world.company(1, "Moved"), before: Vec::new() };
    told.lead.fields.category = Some(world.term::<CategoryId>(0));
    world.write(store, |txn| txn.leads().insert(std::slice::from_ref(&told.lead)));
    let entered = |world: &World| -> BTreeMap<StageId, u64> {
        let found = world.read(store, |txn| txn.reports().stages(&ReportScan::all()));
        found.into_iter().map(|one| (one.stage, one.entered.entered)).collect()
    };
    let of = |list: &[StageId]| -> BTreeMap<StageId, u64> { list.iter().map(|stage| (*stage, 1)).collect() };
    let first = told.lead.clone();
    moved(&world, store, &mut told, stages[1]);
    let second = told.lead.clone();
    moved(&world, store, &mut told, stages[2]);
    assert_eq!(entered(&world), of(&stages[..3]));
    // One move back, then on again, then all of them.
    let before = told.lead.clone();
    (told.lead.stage, told.lead.stage_entered_at) = (second.stage, second.stage_entered_at);
    written(&world, store, before, &mut told.lead);
    assert_eq!(entered(&world), of(&stages[..2]), "the last move has not been");
    moved(&world, store, &mut told, stages[3]);
    assert_eq!(entered(&world), of(&[stages[0], stages[1], stages[3]]));
    let before = told.lead.clone();
    (told.lead.stage, told.lead.stage_entered_at) = (first.stage, first.stage_entered_at);
    written(&world, store, before, &mut told.lead);
    assert_eq!(entered(&world), of(&stages[..1]), "no move has been");
    moved(&world, store, &mut told, stages[1]);
    moved(&world, store, &mut told, stages[0]);
    assert_eq!(entered(&world), of(&stages[..2]), "by hand, it was in both");
    // What changes nothing about the stage changes nothing about the way.
    let before = told.lead.clone();
    told.lead.fields.job_title = Some("Buyer".to_owned());
    written(&world, store, before, &mut told.lead);
    assert_eq!(entered(&world), of(&stages[..2]));
    world.write(store, |txn| txn.leads().remove(std::slice::from_ref(&told.lead)));
    assert_eq!(entered(&world), BTreeMap::new(), "it is gone");
    let again = Lead { revision: Revision::FIRST, ..first };
    world.write(store, |txn| txn.leads().insert(std::slice::from_ref(&again)));
    assert_eq!(entered(&world), of(&stages[..1]), "another has nothing of it");
}
