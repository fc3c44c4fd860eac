//! From source to customer: what leads cost and what they brought (S0.36), and reports over leads and what came of them
//! (S1.24).

mod any;
mod costs;
mod customers;

use chrono::TimeDelta;
use leadcore::desk::convert::{self, ConversionOptions, OpportunityEnding, OpportunityRequest};
use leadcore::desk::costs::CostQuery;
use leadcore::desk::opportunities::{self, Lost};
use leadcore::desk::reports::{self, CostsLeftOut, Report, ReportQuery, ReportRow};
use leadcore::desk::{Expect, leads, pipelines, undo, vocabulary};
use leadcore::domain::{Cost, CostFields, Field, Lead, LeadFields, LeadPatch, OpportunityPatch};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::{OperationId, OpportunityId, SourceId, StageId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Dated, Dimension, Filter, PeriodUnit};
use leadcore::store::StoreExt;
use leadcore::time::{Date, ManualClock};
use leadcore::value::Currency;
use rust_decimal::Decimal;

use crate::support::{Host, company, fields_of, refused};

pub(crate) use costs::TRIED;

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
    host.write(|ctx, txn| leadcore::desk::costs::add(ctx, txn, fields.clone()))
}

fn source(host: &Host, name: &str) -> SourceId {
    host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, name, None)).id
}

fn from(host: &Host, name: &str, source: Option<SourceId>, campaign: Option<&str>) -> Lead {
    let campaign = campaign.map(str::to_owned);
    host.add(LeadFields { source, campaign, ..company(name) })
}

/// The lead becomes a customer who buys for so much.
fn sold(host: &Host, lead: &Lead, amount: &str, currency: Currency) -> OpportunityId {
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
    let gone = host.try_write(|ctx, txn| vocabulary::delete(ctx, txn, web, vocabulary::InUse::Refuse));
    assert!(matches!(gone.unwrap_err().conflict(), Some(Conflict::InUse { by: 1 })), "by its lead");
}

/// "aggregates over leads, cross-module": by source, campaign, category, owner and period, alone and in pairs; filtered as
/// lists are; with the time that conversion took and the drop-off per stage.
#[test]
fn s1_24_reports_over_leads_and_what_came_of_them() {
    let host = Host::new();
    let fair = source(&host, "Fair");
    let all: Vec<_> = (0..6)
        .map(|n| {
            let campaign = ["Spring Fair", "SPRING FAIR", "Autumn"][n % 3];
            from(&host, &format!("Company {n}"), (n % 2 == 0).then_some(fair), Some(campaign))
        })
        .collect();
    let stages: Vec<StageId> =
        host.read(|ctx, txn| pipelines::list(ctx, txn))[0].stages.iter().map(|stage| stage.id).collect();
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
        (number("2.5"), number("216010.5")),
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

/// Quarters and years of a fiscal year that begins in April: leads, what they brought, and each cent that was spent.
#[test]
fn s1_24_fiscal_years_and_quarters() {
    let mut host = Host::new();
    for (at, amount) in [
        ("2025-03-31T21:59:50Z", "100.10"),
        ("2025-03-31T22:00:00Z", "200.20"),
        ("2025-12-31T23:30:00Z", "300.30"),
        ("2026-03-31T21:30:00Z", "400.40"),
        ("2026-04-01T09:00:00Z", "500.50"),
    ] {
        host.scene.clock = ManualClock::new(at.parse().unwrap());
        let lead = host.add(company("Nordlys AS"));
        sold(&host, &lead, amount, euro());
    }
    // 365 days from February on: 59 of them before the first of April.
    spend(&host, &spent("1000.00", "2025-02-01", "2026-01-31"));
    let told = |unit: PeriodUnit, dated| -> Vec<_> {
        let query = ReportQuery::by([Dimension::Period(unit)]).zone("Europe/Oslo").dated(dated);
        let found = report(&host, &query);
        let each = found.rows.iter().map(|row| {
            let money = row.money_in(euro());
            let cost = money.and_then(|money| money.cost).unwrap_or_default().to_string();
            let won = money.map_or(Decimal::ZERO, |money| money.won.value).to_string();
            (row.group[0].name.clone(), row.leads, won, cost)
        });
        let total = found.total.money_in(euro()).unwrap();
        assert_eq!(
            (found.total.leads, total.won.value, total.cost),
            (5, number("1501.5"), Some(number("1000")))
        );
        each.collect()
    };
    let rows = |list: &[(&str, u64, &str, &str)]| -> Vec<_> {
        let own = |(name, leads, won, cost): &(&str, u64, &str, &str)| {
            ((*name).to_owned(), *leads, (*won).to_owned(), (*cost).to_owned())
        };
        list.iter().map(own).collect()
    };
    let years = rows(&[
        ("2024/25", 1, "100.1", "161.64"),
        ("2025/26", 3, "900.9", "838.36"),
        ("2026/27", 1, "500.5", "0"),
    ]);
    let quarters = rows(&[
        ("2024/25-Q4", 1, "100.1", "161.64"),
        ("2025/26-Q1", 1, "200.2", "249.32"),
        ("2025/26-Q2", 0, "0", "252.05"),
        ("2025/26-Q3", 0, "0", "252.06"),
        ("2025/26-Q4", 2, "700.7", "84.93"),
        ("2026/27-Q1", 1, "500.5", "0"),
    ]);
    for dated in [Dated::Created, Dated::Converted] {
        assert_eq!(told(PeriodUnit::FiscalYear(4), dated), years);
        assert_eq!(told(PeriodUnit::FiscalQuarter(4), dated), quarters);
        assert_eq!(told(PeriodUnit::FiscalYear(1), dated), told(PeriodUnit::Year, dated));
        assert_eq!(told(PeriodUnit::FiscalQuarter(1), dated), told(PeriodUnit::Quarter, dated));
    }
    for month in [0, 13] {
        for unit in [PeriodUnit::FiscalYear(month), PeriodUnit::FiscalQuarter(month)] {
            let wrong = host
                .try_read(|ctx, txn| reports::report(ctx, txn, &ReportQuery::by([Dimension::Period(unit)])));
            assert_eq!(fields_of(&refused(wrong, ErrorKind::Invalid)), ["by"]);
        }
    }
}

/// Days begin where the tenant is, summer time and all.
#[test]
fn periods_begin_where_the_tenant_is() {
    let mut host = Host::new();
    for at in ["2026-06-30T21:30:00Z", "2026-06-30T22:30:00Z", "2026-12-31T22:30:00Z", "2026-12-31T23:30:00Z"]
    {
        host.scene.clock = ManualClock::new(at.parse().unwrap());
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
    let money = |row: &ReportRow| row.money_in(euro()).cloned().unwrap();
    assert!(counted.worth_hidden);
    for row in std::iter::once(&counted.total).chain(&counted.rows) {
        assert_eq!(
            (money(row).cost, money(row).roi),
            (Some(100.into()), None),
            "no return of what is hidden"
        );
    }
    assert_eq!(money(&all.total).roi, Some("6.05".parse().unwrap()), "705 of 100");
    for (hidden, by) in [
        (Field::Source, Dimension::Source),
        (Field::Campaign, Dimension::Campaign),
        (Field::Owner, Dimension::Owner),
        (Field::Category, Dimension::Category),
    ] {
        let role = || Role::viewer().hide(hidden.clone()).unwrap();
        let error = as_eve(role(), &ReportQuery::by([by])).unwrap_err();
        assert_eq!(error.violations()[0].field, hidden.key());
        let filter = Filter::parse(&format!("{} is empty", hidden.key())).unwrap();
        assert!(as_eve(role(), &ReportQuery::by([]).filter(filter)).is_err(), "{by}");
    }
    refused(as_eve(Role::new(), &by_source), ErrorKind::Denied);
    // Costs are written by whoever sets up, and seen by whoever sees all leads.
    let write = |role: Role| {
        host.write_as("eve", &table(role), |ctx, txn| {
            leadcore::desk::costs::edit(ctx, txn, cost.id, ANY, cost.fields.clone())
        })
    };
    refused(write(Role::viewer()), ErrorKind::Denied);
    assert!(write(Role::viewer().grant(Permission::Configure, Visibility::All)).is_ok());
    let list = |role: Role| {
        host.write_as("eve", &table(role), |ctx, txn| {
            leadcore::desk::costs::list(ctx, txn, &CostQuery::default())
        })
    };
    refused(list(own()), ErrorKind::Denied);
    assert_eq!(list(Role::viewer()).unwrap().items, std::slice::from_ref(&cost));
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
