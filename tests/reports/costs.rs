//! What was spent: where it is told, and how it is taken back.

use std::collections::BTreeMap;

use leadcore::context::Context;
use leadcore::desk::costs::CostQuery;
use leadcore::desk::reports::{self, CostsLeftOut, ReportQuery};
use leadcore::desk::{costs, undo};
use leadcore::domain::Cost;
use leadcore::error::{ErrorKind, Result};
use leadcore::id::SourceId;
use leadcore::policy::{Role, RoleTable};
use leadcore::query::{Dimension, Filter};
use leadcore::store::{CostScan, StoreExt, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use super::{ANY, MONTH, day, euros, from, last, report, source, spend, spent};
use crate::support::{Host, refused};

/// What is tried here, with a viewer and with two tenants.
pub(crate) const TRIED: [&str; 6] =
    ["costs::add", "costs::delete", "costs::edit", "costs::get", "costs::list", "reports::report"];

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

/// A cost from before amounts were held to the places of their currency is edited, and its edits are taken back.
#[test]
fn an_old_cost_can_be_edited() {
    let host = Host::new();
    let cost = spend(&host, &spent("5.12", "2026-11-01", "2026-11-01"));
    let old = Cost {
        fields: spent("5.1234", "2026-11-01", "2026-11-01"),
        revision: cost.revision.next(),
        ..cost.clone()
    };
    host.write(|_, txn| txn.costs().update(std::slice::from_ref(&old)));
    let edited = old.fields.clone().campaign("Fair");
    host.write(|ctx, txn| costs::edit(ctx, txn, cost.id, ANY, edited.clone()));
    let edit = last(&host);
    let get = || host.read(|ctx, txn| costs::get(ctx, txn, cost.id)).fields;
    assert_eq!(get(), edited);
    let mut finer = edited.clone();
    finer.amount = spent("5.123", "2026-11-01", "2026-11-01").amount;
    let broken = host.try_write(|ctx, txn| costs::edit(ctx, txn, cost.id, ANY, finer.clone())).unwrap_err();
    assert_eq!(broken.violations().iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["amount"]);
    let undone = host.write(|ctx, txn| undo::undo(ctx, txn, edit));
    assert_eq!((undone.totals.reversed, get()), (1, old.fields.clone()));
    // It is deleted, and comes back as it was.
    host.write(|ctx, txn| costs::delete(ctx, txn, cost.id, ANY));
    let deletion = last(&host);
    let undone = host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
    assert_eq!((undone.totals.reversed, get()), (1, old.fields));
}

/// What one tenant spent is nothing to another, who finds none of it; and nobody reaches into the other's transaction.
#[test]
fn costs_and_reports_are_of_one_tenant() {
    let host = Host::new();
    let cost = spend(&host, &spent("5", "2026-11-01", "2026-11-01"));
    from(&host, "Nordlys AS", None, Some("Spring"));
    let before = dump(&host.store, &host.scene.tenant);
    let stranger = Scene::new("other");
    let (theirs, own) = (stranger.ctx(), &stranger.tenant);
    let fields = || cost.fields.clone();
    let query = ReportQuery::by([Dimension::Campaign]);
    // In a transaction of its own, there is nothing.
    let get = host.store.read(own, |txn| costs::get(&theirs, txn, cost.id));
    refused(get, ErrorKind::NotFound);
    refused(
        host.store.write(own, |txn| costs::edit(&theirs, txn, cost.id, ANY, fields())),
        ErrorKind::NotFound,
    );
    refused(host.store.write(own, |txn| costs::delete(&theirs, txn, cost.id, ANY)), ErrorKind::NotFound);
    let listed = host.store.read(own, |txn| costs::list(&theirs, txn, &CostQuery::default()));
    assert_eq!(listed.unwrap().items, []);
    let counted = host.store.read(own, |txn| reports::report(&theirs, txn, &query)).unwrap();
    assert_eq!((counted.rows.len(), counted.total.leads, counted.total.money.len()), (0, 0, 0));
    // Who only views writes nothing.
    let table =
        RoleTable::new().role("v", Role::viewer()).user(&"eve".parse().unwrap(), &["v"], None).unwrap();
    let view = |work: fn(&Context<'_>, &mut dyn Txn, &Cost) -> Result<()>| {
        refused(host.write_as("eve", &table, |ctx, txn| work(ctx, txn, &cost)), ErrorKind::Denied);
    };
    view(|ctx, txn, cost| costs::add(ctx, txn, cost.fields.clone()).map(drop));
    view(|ctx, txn, cost| costs::edit(ctx, txn, cost.id, ANY, cost.fields.clone()).map(drop));
    view(|ctx, txn, cost| costs::delete(ctx, txn, cost.id, ANY));
    // In the other's, nothing is done.
    let other = &host.scene.tenant;
    refused(host.store.write(other, |txn| costs::add(&theirs, txn, fields())), ErrorKind::Invalid);
    refused(
        host.store.write(other, |txn| costs::edit(&theirs, txn, cost.id, ANY, fields())),
        ErrorKind::Invalid,
    );
    refused(host.store.write(other, |txn| costs::delete(&theirs, txn, cost.id, ANY)), ErrorKind::Invalid);
    refused(host.store.read(other, |txn| costs::get(&theirs, txn, cost.id)), ErrorKind::Invalid);
    let list = host.store.read(other, |txn| costs::list(&theirs, txn, &CostQuery::default()));
    refused(list, ErrorKind::Invalid);
    refused(host.store.read(other, |txn| reports::report(&theirs, txn, &query)), ErrorKind::Invalid);
    assert_eq!(dump(&host.store, other), before);
}

/// Fields that were read as JSON may name any three letters, as a stored one may: none that does not exist comes new.
#[test]
fn a_cost_in_no_currency_is_refused() {
    let host = Host::new();
    let mut json = serde_json::to_value(spent("5", "2026-03-01", "2026-03-01")).unwrap();
    json["currency"] = "QQQ".into();
    let fields: leadcore::domain::CostFields = serde_json::from_value(json).unwrap();
    let before = dump(&host.store, &host.scene.tenant);
    let added = host.try_write(|ctx, txn| costs::add(ctx, txn, fields.clone()));
    assert_eq!(crate::support::fields_of(&refused(added, ErrorKind::Invalid)), ["currency"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}
