//! What a conversion that was taken back left behind goes with its lead.

use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::series;
use leadcore::desk::{Expect, accounts, convert, leads};
use leadcore::domain::{Action, Lead, Series, SeriesFields, Topics};
use leadcore::error::ErrorKind;
use leadcore::id::AccountId;
use leadcore::query::Filter;

use super::nordlys;
use crate::support::{Host, company, refused};

/// Converts a lead and takes that back; the account that it was.
fn there_and_back(host: &Host, lead: &Lead, options: &convert::ConversionOptions) -> AccountId {
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, options));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    done.account.unwrap()
}

fn purge(host: &Host) -> (purge::PurgePlan, purge::PurgeOutcome) {
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &PurgeRequest::trash(Filter::everything())));
    let done = host.write(|ctx, txn| purge::apply(ctx, txn, &plan));
    (plan, done)
}

fn stored(host: &Host, ids: &[AccountId]) -> Vec<AccountId> {
    host.read(|_, txn| txn.accounts().get(ids)).iter().map(|account| account.id).collect()
}

#[test]
fn archived_accounts_that_only_the_lead_led_to_go_with_it() {
    let host = Host::new();
    let plain = convert::ConversionOptions::default();
    let (lead, other) = (host.add(nordlys()), host.add(company("Fjord AS")));
    let mine = [(); 2].map(|()| there_and_back(&host, &lead, &plain));
    let others = there_and_back(&host, &other, &plain);
    let living = host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &plain)).account.unwrap();
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    let (plan, done) = purge(&host);
    assert_eq!((plan.trashed, plan.accounts, done.leads, done.accounts), (1, 2, 1, 2));
    assert_eq!(stored(&host, &[mine[0], mine[1], others, living]), [others, living]);
    let last = host.read(|_, txn| txn.journal().about(&[mine[0].into()], Topics::NONE, None, 1));
    assert_eq!(last[0].action, Action::Purged, "its history says so");
    refused(host.try_read(|ctx, txn| accounts::get(ctx, txn, mine[0])), ErrorKind::NotFound);
    let next = host.write(|ctx, txn| {
        let lead = leads::create(ctx, txn, company("Ny AS").into())?;
        convert::convert(ctx, txn, lead.id, &plain)
    });
    assert_eq!(next.account_number, 5, "numbers are not given again");
}

#[test]
fn an_account_whose_number_may_not_be_missing_stays() {
    let host = Host::new();
    let fields = SeriesFields::named("G").prefix("G-").gapless();
    let gapless = host.write(|ctx, txn| series::add(ctx, txn, Series::Account, fields.clone()));
    let lead = host.add(nordlys());
    let options = convert::ConversionOptions::default().series(gapless.id);
    let account = there_and_back(&host, &lead, &options);
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    let (plan, done) = purge(&host);
    assert_eq!((plan.accounts, done.leads, done.accounts), (0, 1, 0));
    assert_eq!(stored(&host, &[account]), [account]);
}
