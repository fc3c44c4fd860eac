//! What was sold on the page of a customer counts for the lead that brought the customer.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::reports::{self, ReportQuery};
use leadcore::desk::{accounts, leads, opportunities};
use leadcore::domain::{AccountFields, LeadFields, OpportunityFields};
use leadcore::error::Result;
use leadcore::id::AccountId;
use leadcore::memory::MemoryStore;
use leadcore::query::Dimension;
use leadcore::store::{Store, StoreExt as _};
use leadcore::testkit::fixtures::Scene;
use leadcore_sqlite::SqliteStore;

/// Campaigns with what is open in them.
fn open(store: &dyn Store, scene: &Scene) -> Vec<(String, u64, String)> {
    let query = ReportQuery::by([Dimension::Campaign]);
    let report = store.read(&scene.tenant, |txn| reports::report(&scene.ctx(), txn, &query)).unwrap();
    let rows = report.rows.iter().flat_map(|row| {
        row.money.iter().map(|money| {
            (row.group[0].name.clone(), money.open.count, money.open.value.normalize().to_string())
        })
    });
    rows.collect()
}

fn what_is_sold_to_a_customer_counts_for_the_lead_that_brought_it(store: &dyn Store) {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let lead = |campaign: &str, options: &ConversionOptions| {
        scene.tick();
        let fields =
            LeadFields { campaign: Some(campaign.to_owned()), ..LeadFields::company("Nordlys").unwrap() };
        let made = store.write(&scene.tenant, |txn| {
            let lead = leads::create(&ctx, txn, fields.clone().into())?;
            Ok((lead.id, convert::convert(&ctx, txn, lead.id, options)?.account))
        });
        made.unwrap()
    };
    let sell = |account: AccountId, amount: &str| {
        let fields =
            OpportunityFields { amount: amount.parse().ok(), ..OpportunityFields::named("More of it") };
        let sold = store.write(&scene.tenant, |txn| -> Result<_> {
            opportunities::create(&ctx, txn, account, fields.clone().into())
        });
        sold.unwrap()
    };
    let (first, account) = lead("Fair", &ConversionOptions::default());
    let account = account.unwrap();
    let (second, _) = lead("Web", &ConversionOptions::default().into_account(account));
    let more = sell(account, "250.5");
    assert_eq!(more.origin_lead, None, "it was made of no lead");
    sell(account, "49.5");
    let wanted = |campaign: &str| vec![(campaign.to_owned(), 2, "300".to_owned())];
    assert_eq!(open(store, &scene), wanted("Fair"), "once, for the first of the leads");
    // A customer whom no lead brought has no source.
    let known = AccountFields { name: "Known".to_owned(), ..AccountFields::default() };
    let known = store.write(&scene.tenant, |txn| accounts::create(&ctx, txn, known.clone().into())).unwrap();
    sell(known.id, "7");
    assert_eq!(open(store, &scene), wanted("Fair"));
    // A conversion that was taken back has never been.
    store.write(&scene.tenant, |txn| convert::unconvert(&ctx, txn, second)).unwrap();
    assert_eq!(open(store, &scene), wanted("Fair"));
    let back = store.read(&scene.tenant, |txn| convert::plan_unconvert(&ctx, txn, first)).unwrap();
    assert!(!back.blockers.is_empty(), "what was sold hangs on the customer");
}

#[test]
fn what_is_sold_to_a_customer_counts_for_the_lead_that_brought_it_in_memory() {
    what_is_sold_to_a_customer_counts_for_the_lead_that_brought_it(&MemoryStore::new());
}

#[test]
fn what_is_sold_to_a_customer_counts_for_the_lead_that_brought_it_in_a_database() {
    what_is_sold_to_a_customer_counts_for_the_lead_that_brought_it(&SqliteStore::open_in_memory().unwrap());
}
