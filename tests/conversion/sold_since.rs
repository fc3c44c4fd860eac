//! X.09: what was sold since has no other place than its account: it stands against the way back, whoever sold it.

use leadcore::desk::convert::{Fate, OpportunityRequest, Unconvertible};
use leadcore::desk::services::{self, NewService};
use leadcore::desk::{Expect, opportunities};
use leadcore::domain::{Line, OpportunityFields, ServiceFields, Subject};

use super::fresh::*;
use super::handed_on::{as_bob_planned, kim, tabs};
use super::own_work::{back, fate_of, gapless};
use crate::support::Host;

fn hangs(record: impl Into<Subject>, told: &[(&str, u64)]) -> Unconvertible {
    Unconvertible::HasChildren { record: record.into(), tabs: tabs(told) }
}

fn care() -> NewService {
    NewService::from(ServiceFields::from(Line::new("Care", 12.into(), 49.into())))
}

#[test]
fn x_09_what_one_sold_to_a_new_account_oneself_stands_against_it() {
    for is_gapless in [false, true] {
        let host = Host::new();
        if is_gapless {
            gapless(&host);
        }
        let lead = kim(&host);
        let account = into(&host, &lead, &options()).account.unwrap();
        host.scene.tick();
        let roof = host.write(|ctx, txn| {
            opportunities::create(ctx, txn, lead.id, OpportunityFields::named("Roof").into())
        });
        host.write(|ctx, txn| opportunities::win(ctx, txn, roof.id, Expect::Any, None));
        let sold = last_operation(&host, roof.id);
        let care = care().opportunity(roof.id);
        host.write(|ctx, txn| services::create(ctx, txn, account, vec![care.clone()]));
        let told = [hangs(account, &[("opportunity", 1), ("service", 1)])];
        assert_eq!(blockers(&host, &lead), told);
        let plan = as_bob_planned(&host, &lead);
        assert_eq!(plan.blockers, told, "nor does it matter who asks");
        assert!(plan.since.iter().any(|one| one.operation == sold), "{:?}", plan.since);
        let refused = host.try_write(|ctx, txn| leadcore::desk::convert::unconvert(ctx, txn, lead.id));
        assert!(refused.is_err());
        let now = host.read(|_, txn| txn.opportunities().get(&[roof.id])).remove(0);
        assert_eq!(now.state.code(), "won");
    }
}

#[test]
fn x_09_what_was_sold_with_a_new_record_stands_against_it() {
    let host = Host::new();
    let known = account(&host, &named("Fjord"));
    let wanted = options().into_account(known.id).with_opportunity(OpportunityRequest::new());
    let running = host.write(|ctx, txn| {
        opportunities::create(ctx, txn, known.id, OpportunityFields::named("Running").into())
    });
    let lead = kim(&host);
    let done = into(&host, &lead, &wanted);
    let (person, deal) = (done.contacts[0], done.opportunity.unwrap());
    host.write(|ctx, txn| opportunities::set_contacts(ctx, txn, running.id, Expect::Any, &[person]));
    assert_eq!(blockers(&host, &lead), [hangs(person, &[("opportunity", 1)])]);
    host.write(|ctx, txn| opportunities::set_contacts(ctx, txn, running.id, Expect::Any, &[]));
    assert_eq!(blockers(&host, &lead), []);
    let care = care().opportunity(deal);
    let care = host.write(|ctx, txn| services::create(ctx, txn, known.id, vec![care.clone()])).remove(0);
    assert_eq!(blockers(&host, &lead), [hangs(deal, &[("service", 1)])]);
    host.write(|ctx, txn| services::delete(ctx, txn, care.id, Expect::Any));
    back(&host, &lead);
    let running = host.read(|_, txn| txn.opportunities().get(&[running.id])).remove(0);
    assert_eq!(running.about, [Subject::from(known.id)]);
}

#[test]
fn x_09_the_opportunity_that_it_was_done_for_goes_with_it() {
    for is_gapless in [false, true] {
        let host = Host::new();
        if is_gapless {
            gapless(&host);
        }
        let lead = kim(&host);
        let roof = opportunities::NewOpportunity::from(OpportunityFields::named("Roof"));
        let roof = roof.converting(options());
        let roof = host.write(|ctx, txn| opportunities::create(ctx, txn, lead.id, roof.clone()));
        host.scene.tick();
        host.write(|ctx, txn| opportunities::win(ctx, txn, roof.id, Expect::Any, None));
        let expected = if is_gapless { Fate::Closed } else { Fate::Removed };
        assert_eq!(fate_of(&back(&host, &lead), roof.id), expected);
        into(&host, &lead, &options());
    }
}
