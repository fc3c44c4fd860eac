//! From source to customer: what leads cost and what they brought (S0.36), and reports over leads and what came of them
//! (S1.24).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use leadcore::desk::convert::{self, ConversionOptions, OpportunityEnding, OpportunityRequest};
use leadcore::desk::costs::{self, CostQuery};
use leadcore::desk::opportunities::{self, Lost};
use leadcore::desk::reports::{self, CostsLeftOut, Report, ReportQuery, ReportRow};
use leadcore::desk::{Expect, leads, pipelines, undo, vocabulary};
use leadcore::domain::{
    Cost, CostFields, Field, FieldValue, Lead, LeadFields, LeadPatch, LeadState, OpportunityPatch,
    OpportunityState, Outcome,
};
use leadcore::error::{Conflict, ErrorKind, Result};
use leadcore::id::{OperationId, SourceId, StageId};
use leadcore::memory::MemoryStore;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Dated, Dimension, Filter, PeriodUnit};
use leadcore::store::{CostScan, OpportunityScan, Store, StoreExt, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;
use leadcore::time::Date;
use leadcore::value::Currency;
use leadcore_sqlite::SqliteStore;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::support::{Host, company, refused};

const ANY: Expect = Expect::Any;
const MONTH: Dimension = Dimension::Period(PeriodUnit::Month);

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn spent(amount: &str, first: &str, last: &str) -> CostFields {
    CostFields::new(number(amount), euro(), day(first)).until(day(last))
}

fn spend(host: &Host, fields: &CostFields) -> Cost {
    host.write(|ctx, txn| costs::add(ctx, txn, fields.clone()))
}

fn source(host: &Host, name: &str) -> SourceId {
    host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, name, None)).id
}

fn from(host: &Host, name: &str, source: Option<SourceId>, campaign: Option<&str>) -> Lead {
    let campaign = campaign.map(str::to_owned);
    host.add(LeadFields { source, campaign, ..company(name) })
}

/// The lead becomes a customer who buys for so much.
fn sold(host: &Host, lead: &Lead, amount: &str, currency: Currency) -> leadcore::id::OpportunityId {
    let patch = OpportunityPatch::new().amount(Some(number(amount))).currency(Some(currency));
    let won = OpportunityRequest::new().with(patch).ended(OpportunityEnding::Won { on: None });
    let options = ConversionOptions::default().with_opportunity(won);
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options)).opportunity.unwrap()
}

fn report(host: &Host, query: &ReportQuery) -> Report {
    host.read(|ctx, txn| reports::report(ctx, txn, query))
}

fn row<'r>(report: &'r Report, name: &str) -> &'r ReportRow {
    report.rows.iter().find(|row| row.group[0].name == name).unwrap_or_else(|| panic!("a row of {name}"))
}

/// leads, converted, won, cost, cost per lead, return
fn euros(row: &ReportRow) -> (u64, u64, String, String, String, String) {
    let money = row.money_in(euro());
    let told = |value: Option<Decimal>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    (
        row.leads,
        row.converted,
        told(money.map(|money| money.won.value)),
        told(money.and_then(|money| money.cost)),
        told(money.and_then(|money| money.cost_per_lead)),
        told(money.and_then(|money| money.roi)),
    )
}

fn wanted(leads: u64, converted: u64, told: [&str; 4]) -> (u64, u64, String, String, String, String) {
    let [won, cost, each, roi] = told.map(str::to_owned);
    (leads, converted, won, cost, each, roi)
}

fn last(host: &Host) -> OperationId {
    host.read(|_, txn| txn.journal().replay(None, None, 10_000)).last().unwrap().operation
}

/// "source accuracy so that cost/wins per source can be computed": to the cent, whatever is taken back.
#[test]
fn s0_36_cost_and_wins_per_source() {
    let mut host = Host::new();
    let (fair, web) = (source(&host, "Fair"), source(&host, "Web"));
    let [first, second, _lead] =
        ["Nordlys AS", "Fjord AS", "Elv AS"].map(|name| from(&host, name, Some(fair), None));
    from(&host, "Berg AS", Some(web), None);
    from(&host, "Dal AS", None, None);
    spend(&host, &spent("1000.01", "2026-11-01", "2026-11-30").source(fair));
    spend(&host, &spent("0.02", "2026-11-03", "2026-11-03").source(fair));
    let by_source = ReportQuery::by([Dimension::Source]);
    let before = report(&host, &by_source);
    assert_eq!(euros(row(&before, "Fair")), wanted(3, 0, ["0", "1000.03", "333.34", "-1"]));
    assert_eq!(
        euros(row(&before, "Web")),
        wanted(1, 0, ["–", "–", "–", "–"]),
        "no cost is not a cost of nothing"
    );
    let names: Vec<_> = before.rows.iter().map(|row| row.group[0].name.as_str()).collect();
    assert_eq!(names, ["", "Fair", "Web"], "those without first, then in the order of the list");

    // Two of three buy; the second one for a third of a cent's fraction more than was spent.
    sold(&host, &first, "500.00", euro());
    let roof = sold(&host, &second, "1000.0399", euro());
    let won = report(&host, &by_source);
    assert_eq!(euros(row(&won, "Fair")), wanted(3, 2, ["1500.0399", "1000.03", "333.34", "0.5"]));
    assert_eq!(row(&won, "Fair").conversion_rate, Some(number("0.6667")));
    assert_eq!(euros(&won.total), wanted(5, 2, ["1500.0399", "1000.03", "200.01", "0.5"]));

    // The order falls through, and is back.
    host.write(|ctx, txn| opportunities::reopen(ctx, txn, roof, ANY));
    let open = report(&host, &by_source);
    assert_eq!(euros(row(&open, "Fair")), wanted(3, 2, ["500", "1000.03", "333.34", "-0.5"]));
    assert_eq!(row(&open, "Fair").money_in(euro()).unwrap().open.value, number("1000.0399"));
    host.write(|ctx, txn| opportunities::lose(ctx, txn, roof, ANY, &Lost::default()));
    assert_eq!(row(&report(&host, &by_source), "Fair").money_in(euro()).unwrap().lost.count, 1);
    let undone = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, undone));
    assert_eq!(report(&host, &by_source), open, "the loss has not been");
    host.write(|ctx, txn| opportunities::win(ctx, txn, roof, ANY, None));
    assert_eq!(report(&host, &by_source), won);

    // In another currency nothing is added and no return is told.
    let dollars =
        sold(&host, &from(&host, "Vik AS", Some(fair), None), "10.00", Currency::parse("USD").unwrap());
    let mixed = report(&host, &by_source);
    assert_eq!(euros(row(&mixed, "Fair")), wanted(4, 3, ["1500.0399", "1000.03", "250.01", "–"]));
    host.write(|ctx, txn| opportunities::delete(ctx, txn, dollars, ANY));
    assert_eq!(euros(row(&report(&host, &by_source), "Fair")).5, "0.5");

    // A conversion that is taken back has never been.
    let plain = report(&host, &by_source);
    let third = from(&host, "Sund AS", Some(fair), None);
    sold(&host, &third, "99.99", euro());
    assert_eq!(euros(row(&report(&host, &by_source), "Fair")).2, "1600.0299");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, third.id));
    assert_eq!(
        euros(row(&report(&host, &by_source), "Fair")),
        wanted(5, 3, ["1500.0399", "1000.03", "200.01", "0.5"])
    );
    host.write(|ctx, txn| leads::delete(ctx, txn, third.id, ANY));
    assert_eq!(report(&host, &by_source), plain, "what is in the trash is out");
    host.write(|ctx, txn| leads::restore(ctx, txn, third.id));
    assert_eq!(row(&report(&host, &by_source), "Fair").leads, 5);
    host.restart();
    assert_eq!(row(&report(&host, &by_source), "Fair").leads, 5);
    // A source with a cost is in use.
    let gone = host.try_write(|ctx, txn| vocabulary::remove(ctx, txn, web, vocabulary::InUse::Refuse));
    assert!(matches!(gone.unwrap_err().conflict(), Some(Conflict::InUse { by: 1 })), "by its lead");
}

/// "aggregates over leads, cross-module": by source, campaign, category, owner and period, alone and in pairs; filtered as
/// lists are; with the time that conversion took and the drop-off per stage.
#[test]
fn s1_24_reports_over_leads_and_what_came_of_them() {
    let host = Host::new();
    let fair = source(&host, "Fair");
    let stages: Vec<StageId> =
        host.read(|ctx, txn| pipelines::list(ctx, txn))[0].stages.iter().map(|stage| stage.id).collect();
    let all: Vec<_> = (0..6)
        .map(|n| {
            let campaign = ["Spring Fair", "SPRING FAIR", "Autumn"][n % 3];
            from(&host, &format!("Company {n}"), (n % 2 == 0).then_some(fair), Some(campaign))
        })
        .collect();
    // One is moved on and on, one is lost from the second stage and one more lost and opened again.
    let go = |lead: &Lead, to: StageId| {
        host.scene.tick();
        host.write(|ctx, txn| leads::move_to(ctx, txn, lead.id, ANY, to));
    };
    let lost = host.read(|ctx, txn| pipelines::list(ctx, txn))[0].stages.last().unwrap().id;
    go(&all[0], stages[1]);
    go(&all[0], stages[2]);
    go(&all[1], stages[1]);
    go(&all[1], lost);
    go(&all[2], stages[1]);
    go(&all[2], lost);
    host.scene.tick();
    host.write(|ctx, txn| leads::reopen(ctx, txn, all[2].id, ANY));
    go(&all[3], stages[1]);
    let undone = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, undone));
    host.write(|ctx, txn| leads::disqualify(ctx, txn, all[4].id, ANY, None, None));
    host.scene.clock.advance(TimeDelta::days(2));
    sold(&host, &all[5], "100", euro());
    host.scene.clock.advance(TimeDelta::days(1));
    sold(&host, &all[0], "300", euro());

    let by_campaign = report(&host, &ReportQuery::by([Dimension::Campaign]).with_stages());
    let names: Vec<_> = by_campaign.rows.iter().map(|row| (row.group[0].name.as_str(), row.leads)).collect();
    assert_eq!(names, [("Autumn", 2), ("SPRING FAIR", 4)], "a campaign is one however it is written");
    let total = &by_campaign.total;
    assert_eq!((total.leads, total.converted, total.lost, total.disqualified), (6, 2, 1, 1));
    let time = total.time_to_conversion.unwrap();
    assert_eq!(
        (time.mean_days(), time.median),
        (number("2.5"), number("216008.5")),
        "of 2 and 3 days: halfway"
    );
    let way = |stage: StageId| {
        let row = total.stages.iter().find(|row| row.stage == stage).unwrap();
        let one = row.entered;
        [one.entered, one.moved_on, one.lost, one.disqualified, one.converted, one.still_there]
    };
    assert_eq!(way(stages[0]), [6, 3, 0, 1, 1, 1], "all came in; the move that was taken back has not been");
    assert_eq!(
        way(stages[1]),
        [3, 1, 1, 0, 0, 1],
        "one was lost from here; the one that was reopened is here again"
    );
    assert_eq!(way(stages[2]), [1, 0, 0, 0, 1, 0]);
    let of_rows: u64 =
        by_campaign.rows.iter().flat_map(|row| &row.stages).map(|row| row.entered.entered).sum();
    assert_eq!(of_rows, total.stages.iter().map(|row| row.entered.entered).sum::<u64>());
    assert_eq!(total.stages[0].name, host.read(|ctx, txn| pipelines::list(ctx, txn))[0].stages[0].name);

    // In pairs, filtered as a list is, by the days of conversion.
    let filter = Filter::parse("source is not empty").unwrap();
    let query = ReportQuery::by([Dimension::Source, MONTH]).filter(filter.clone()).dated(Dated::Converted);
    let pairs = report(&host, &query);
    let told: Vec<_> = pairs
        .rows
        .iter()
        .map(|row| (row.group[0].name.as_str(), row.group[1].name.as_str(), row.leads, row.converted))
        .collect();
    assert_eq!(told, [("Fair", "", 2, 0), ("Fair", "2026-11", 1, 1)], "no conversion, no month");
    assert_eq!(pairs.total.leads, host.count(&filter));
    for by in Dimension::ALL {
        let one = report(&host, &ReportQuery::by([by]));
        assert_eq!(one.rows.iter().map(|row| row.leads).sum::<u64>(), 6, "each lead is in one group: {by}");
        assert_eq!(one.total, report(&host, &ReportQuery::by([])).total, "{by}");
    }
    let today = ReportQuery::by([]).days(day("2026-11-25"), day("2026-11-25")).dated(Dated::Converted);
    assert_eq!(report(&host, &today).total.converted, 1, "of one day");
}

/// Days begin where the tenant is, summer time and all.
#[test]
fn periods_begin_where_the_tenant_is() {
    let host = Host::new();
    for at in ["2026-06-30T21:30:00Z", "2026-06-30T22:30:00Z", "2026-12-31T22:30:00Z", "2026-12-31T23:30:00Z"]
    {
        host.scene.clock.set(at.parse().unwrap());
        host.write(|ctx, txn| leads::create(ctx, txn, company("Nordlys AS").into()));
    }
    let months = |query: ReportQuery| -> Vec<(String, u64)> {
        let report = report(&host, &query);
        report.rows.iter().map(|row| (row.group[0].name.clone(), row.leads)).collect()
    };
    let told = |list: &[(&str, u64)]| -> Vec<(String, u64)> {
        list.iter().map(|(name, leads)| ((*name).to_owned(), *leads)).collect()
    };
    assert_eq!(months(ReportQuery::by([MONTH])), told(&[("2026-06", 2), ("2026-12", 2)]));
    let oslo = ReportQuery::by([MONTH]).zone("Europe/Oslo");
    let wanted = told(&[("2026-06", 1), ("2026-07", 1), ("2026-12", 1), ("2027-01", 1)]);
    assert_eq!(months(oslo.clone()), wanted);
    assert_eq!(months(oslo.clone().days(day("2026-07-01"), day("2026-12-31"))), wanted[1..3]);
    let nowhere = host.try_read(|ctx, txn| reports::report(ctx, txn, &oslo.clone().zone("Europe/Nowhere")));
    assert_eq!(nowhere.unwrap_err().violations()[0].field, "zone");
    let offset = chrono::FixedOffset::east_opt(7_200).unwrap();
    let east = host.store.read(&host.scene.tenant, |txn| {
        reports::report(&host.ctx().with_utc_offset(offset), txn, &ReportQuery::by([MONTH]))
    });
    assert_eq!(east.unwrap().rows.len(), 3, "without a zone, where the actor is now");
}

/// A report shows no more than lists do: leads out of sight are not counted, and what was spent on them is not told; hidden
/// fields group nothing, and hidden amounts are left out.
#[test]
fn reports_show_what_the_actor_may_see() {
    let host = Host::new();
    let fair = source(&host, "Fair");
    let mut fields = LeadFields { source: Some(fair), ..company("Hers") };
    fields.owner = Some("eve".parse().unwrap());
    let hers = host.add(fields);
    let his = from(&host, "His", Some(fair), None);
    sold(&host, &his, "700", euro());
    sold(&host, &hers, "5", euro());
    let cost = spend(&host, &spent("100", "2026-11-01", "2026-11-30").source(fair));
    let eve = "eve".parse().unwrap();
    let table = |role: Role| RoleTable::new().role("r", role).user(&eve, &["r"], None).unwrap();
    let as_eve = |role: Role, query: &ReportQuery| {
        host.write_as("eve", &table(role), |ctx, txn| reports::report(ctx, txn, query))
    };
    let by_source = ReportQuery::by([Dimension::Source]).with_stages();
    let own = || Role::new().grant(Permission::View, Visibility::Own);
    let hers = as_eve(own(), &by_source).unwrap();
    assert_eq!(
        euros(&hers.total),
        wanted(1, 1, ["5", "–", "–", "–"]),
        "what was spent tells of others' leads"
    );
    assert_eq!(hers.total.stages.iter().map(|row| row.entered.entered).sum::<u64>(), 1);
    assert_eq!(hers.costs_left_out, Some(CostsLeftOut::Scope));
    let all = as_eve(Role::viewer(), &by_source).unwrap();
    assert_eq!((euros(&all.total).2.as_str(), all.costs_left_out), ("705", None));
    let blind = Role::viewer().hide(Field::Amount).unwrap();
    let counted = as_eve(blind, &by_source).unwrap();
    assert!(
        counted.worth_hidden
            && counted.total.money_in(euro()).unwrap().roi.is_some_and(|roi| roi == (-1).into())
    );
    for (hidden, by) in [
        (Field::Source, Dimension::Source),
        (Field::Campaign, Dimension::Campaign),
        (Field::Owner, Dimension::Owner),
        (Field::Category, Dimension::Category),
    ] {
        let role = || Role::viewer().hide(hidden.clone()).unwrap();
        let error = as_eve(role(), &ReportQuery::by([by])).unwrap_err();
        assert_eq!(error.violations()[0].field, hidden.key());
        let filter = Filter::Empty(hidden.clone());
        assert!(as_eve(role(), &ReportQuery::by([]).filter(filter)).is_err(), "{by}");
    }
    refused(as_eve(Role::new(), &by_source), ErrorKind::Denied);
    // Costs are written by whoever sets up, and seen by whoever sees all leads.
    let write = |role: Role| {
        host.write_as("eve", &table(role), |ctx, txn| {
            costs::edit(ctx, txn, cost.id, ANY, cost.fields.clone())
        })
    };
    refused(write(Role::viewer()), ErrorKind::Denied);
    assert!(write(Role::viewer().grant(Permission::Configure, Visibility::All)).is_ok());
    let list = |role: Role| {
        host.write_as("eve", &table(role), |ctx, txn| costs::list(ctx, txn, &CostQuery::default()))
    };
    refused(list(own()), ErrorKind::Denied);
    assert_eq!(list(Role::viewer()).unwrap().items, std::slice::from_ref(&cost));
}

/// Costs are told where they are known: spread over the days that they are for, by source and campaign; where leads are
/// narrowed by something else, none is told rather than a wrong one.
#[test]
fn costs_are_told_where_they_are_known() {
    let host = Host::new();
    let fair = source(&host, "Fair");
    for campaign in ["Spring Fair", "Autumn"] {
        from(&host, campaign, Some(fair), Some(campaign));
    }
    spend(&host, &spent("100", "2026-10-15", "2026-12-14").source(fair).campaign("spring fair"));
    spend(&host, &spent("7.77", "2026-11-22", "2026-11-22").campaign("Winter"));
    spend(&host, &spent("0.23", "2026-11-22", "2026-11-22"));
    let costs = |query: &ReportQuery| -> (BTreeMap<String, String>, String, Option<CostsLeftOut>) {
        let report = report(&host, query);
        let rows = report.rows.iter().map(|row| {
            (row.group.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join("/"), euros(row).3)
        });
        (rows.filter(|(_, cost)| cost != "–").collect(), euros(&report.total).3, report.costs_left_out)
    };
    let told = |rows: &[(&str, &str)], total: &str, left: Option<CostsLeftOut>| {
        let rows = rows.iter().map(|(name, cost)| ((*name).to_owned(), (*cost).to_owned())).collect();
        (rows, total.to_owned(), left)
    };
    let by = |by: &[Dimension]| ReportQuery::by(by.iter().copied());
    assert_eq!(costs(&by(&[Dimension::Source])), told(&[("", "8"), ("Fair", "100")], "108", None));
    let campaigns = [("", "0.23"), ("Spring Fair", "100"), ("Winter", "7.77")];
    assert_eq!(costs(&by(&[Dimension::Campaign])), told(&campaigns, "108", None), "also where no lead came");
    // 17, 30 and 14 of 61 days.
    let months = [("2026-10", "27.87"), ("2026-11", "57.18"), ("2026-12", "22.95")];
    assert_eq!(costs(&by(&[MONTH])), told(&months, "108", None));
    let november = by(&[Dimension::Campaign, MONTH]).days(day("2026-11-01"), day("2026-11-30"));
    let rows = [("/2026-11", "0.23"), ("Spring Fair/2026-11", "49.18"), ("Winter/2026-11", "7.77")];
    assert_eq!(costs(&november), told(&rows, "57.18", None));
    let spring = Filter::parse("campaign = 'SPRING FAIR'").unwrap();
    let filtered = by(&[Dimension::Source]).filter(spring.clone());
    assert_eq!(costs(&filtered), told(&[("Fair", "100")], "100", None), "a filter on what costs know");
    let named = filtered.filter(spring & Filter::parse("company contains a").unwrap());
    assert_eq!(costs(&named), told(&[], "–", Some(CostsLeftOut::Filter)));
    assert_eq!(costs(&by(&[Dimension::Owner])), told(&[], "108", Some(CostsLeftOut::Groups)));
    for wrong in [by(&[MONTH, MONTH]), by(&[MONTH, Dimension::Owner, Dimension::Source])] {
        refused(host.try_read(|ctx, txn| reports::report(ctx, txn, &wrong)), ErrorKind::Invalid);
    }
}

/// Costs are written down, changed and removed, each in the journal, and each can be taken back.
#[test]
fn costs_can_be_taken_back() {
    let host = Host::new();
    let fair = source(&host, "Fair");
    let bare = dump(&host.store, &host.scene.tenant);
    let fields = spent("1200.5", "2026-11-01", "2026-11-30").source(fair).campaign(" Spring Fair ");
    let cost = spend(&host, &fields);
    assert_eq!(cost.fields.campaign.as_deref(), Some("Spring Fair"));
    let mut dearer = cost.fields.clone();
    (dearer.amount, dearer.note) = (1_300.into(), Some("and the stand".to_owned()));
    let edited = host.write(|ctx, txn| costs::edit(ctx, txn, cost.id, cost.revision, dearer.clone()));
    let edit = last(&host);
    assert_eq!((edited.revision.get(), &edited.fields), (2, &dearer));
    let stale = host.try_write(|ctx, txn| costs::edit(ctx, txn, cost.id, cost.revision, dearer.clone()));
    refused(stale, ErrorKind::Conflict);
    let get = || host.read(|ctx, txn| costs::get(ctx, txn, cost.id));
    host.write(|ctx, txn| undo::undo(ctx, txn, edit));
    assert_eq!(get().fields, cost.fields);
    let redo = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, redo));
    assert_eq!(get().fields, dearer, "the undo is undone");
    host.write(|ctx, txn| costs::delete(ctx, txn, cost.id, ANY));
    refused(host.try_read(|ctx, txn| costs::get(ctx, txn, cost.id)), ErrorKind::NotFound);
    let removal = last(&host);
    let outcome = host.write(|ctx, txn| undo::undo(ctx, txn, removal));
    assert_eq!((outcome.totals.reversed, get().fields), (1, dearer), "and back, with the id that it had");
    // One that was never changed goes when its making is taken back; a changed one stays.
    let plain = spend(&host, &spent("1", "2026-11-01", "2026-11-01"));
    let made = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, made));
    refused(host.try_read(|ctx, txn| costs::get(ctx, txn, plain.id)), ErrorKind::NotFound);
    let other = spend(&host, &spent("2", "2026-11-01", "2026-11-01"));
    let made = last(&host);
    let three = spent("3", "2026-11-01", "2026-11-01");
    host.write(|ctx, txn| costs::edit(ctx, txn, other.id, ANY, three.clone()));
    let kept = host.write(|ctx, txn| undo::undo(ctx, txn, made));
    assert_eq!((kept.totals.reversed, kept.remaining.len()), (0, 1));
    assert_ne!(dump(&host.store, &host.scene.tenant), bare);
    let nowhere = spent("1", "2026-11-02", "2026-11-01").source(SourceId::from_uuid(uuid::Uuid::max()));
    let broken = host.try_write(|ctx, txn| costs::add(ctx, txn, nowhere.clone())).unwrap_err();
    let named: Vec<_> = broken.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!(named, ["source", "last_day"], "all that is wrong at once");
    // Another tenant sees nothing of it.
    let stranger = Scene::new("other");
    let none = host
        .store
        .read(&stranger.tenant, |txn| txn.costs().scan(&CostScan { limit: 9, ..Default::default() }));
    assert_eq!(none.unwrap(), []);
}

/// A campaign is a field as others are: it goes to the opportunity, is found, changed and taken back.
#[test]
fn a_campaign_is_a_field_of_leads() {
    let host = Host::new();
    let lead = from(&host, "Nordlys AS", None, Some("Frühling"));
    assert_eq!(host.names(Filter::parse("campaign = fruhling").unwrap()), ["Nordlys AS"]);
    assert_eq!(host.names(Filter::parse("campaign contains 'LING'").unwrap()), ["Nordlys AS"]);
    let patch = LeadPatch::new().set(Field::Campaign, "Sommer");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, ANY, &patch));
    assert_eq!(host.names(Filter::parse("campaign = fruhling").unwrap()), [""; 0]);
    let undone = last(&host);
    host.write(|ctx, txn| undo::undo(ctx, txn, undone));
    let roof = sold(&host, &lead, "1", euro());
    let made = host.read(|ctx, txn| opportunities::get(ctx, txn, roof));
    assert_eq!(made.fields.campaign.as_deref(), Some("Frühling"));
}

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
                OpportunityState::Lost => continue,
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
