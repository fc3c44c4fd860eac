//! What an undo brings back behind a way back, and beside sales: nothing that may not be written any more.

use leadcore::desk::convert::{AccountChoice, ConversionOptions, OpportunityRequest, Unconvertible};
use leadcore::desk::files::{self, NewFile};
use leadcore::desk::services::{self, NewService};
use leadcore::desk::{Expect, activities, contacts, opportunities, undo};
use leadcore::domain::{
    ActivityFields, ContactFields, FileLimits, OpportunityFields, ServiceFields, ServiceOrigin, Subject,
    WhyKept,
};
use leadcore::error::{ErrorKind, ViolationCode};

use super::fresh::*;
use super::handed_on::{kim, note};
use super::own_work::back;
use crate::estimates::{panels, sent};
use crate::support::Host;

#[test]
fn s4_14_and_no_undo_puts_the_person_of_an_open_lead_into_an_opportunity() {
    let host = Host::new();
    let lead = kim(&host);
    let ola = ContactFields::named("Ola Dal").unwrap();
    let ola = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, ola.clone(), false));
    into(&host, &lead, &options());
    let known = account(&host, &named("Fjord"));
    let deal = host.write(|ctx, txn| {
        let new = opportunities::NewOpportunity::from(OpportunityFields::named("Roof"));
        opportunities::create(ctx, txn, known.id, new.contacts(vec![ola.id]))
    });
    host.scene.tick();
    host.write(|ctx, txn| opportunities::set_contacts(ctx, txn, deal.id, Expect::Any, &[]));
    let removal = last_operation(&host, deal.id);
    back(&host, &lead);
    host.scene.tick();
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, removal));
    assert_eq!((done.totals.reversed, done.totals.kept), (0, 1));
    let now = host.read(|_, txn| txn.opportunities().get(&[deal.id])).remove(0);
    assert!(!now.about.contains(&Subject::from(ola.id)));
}

#[test]
fn x_09_no_service_comes_back_without_the_opportunity_that_it_was_won_with() {
    let host = Host::new();
    let known = account(&host, &named("Fjord"));
    let lead = kim(&host);
    let mut known_to = ConversionOptions::default();
    known_to.account = AccountChoice::Existing(known.id);
    let made = into(&host, &lead, &known_to.with_opportunity(OpportunityRequest::new()));
    let service = host.write(|ctx, txn| {
        let new = NewService::from(ServiceFields::from(panels())).opportunity(made.opportunity.unwrap());
        services::create(ctx, txn, known.id, vec![new])
    });
    host.scene.tick();
    host.write(|ctx, txn| services::delete(ctx, txn, service[0].id, Expect::Any));
    let removal = last_operation(&host, service[0].id);
    back(&host, &lead);
    host.scene.tick();
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, removal));
    assert_eq!(done.remaining[0].kept[0].why, WhyKept::Gone);
    assert!(host.read(|_, txn| txn.services().get(&[service[0].id])).is_empty());
}

#[test]
fn x_09_what_others_hung_on_what_one_deleted_oneself_stands_against_it() {
    let host = Host::new();
    let lead = kim(&host);
    let known = into(&host, &lead, &options()).account.unwrap();
    let own = note(&host, known, "Mine");
    as_bob(&host, |ctx, txn| {
        let mut bytes = &b"abc"[..];
        files::add(ctx, txn, &[own.id.into()], NewFile::new("bob.txt", &mut bytes), &FileLimits::default())
    });
    host.scene.tick();
    host.write(|ctx, txn| activities::delete(ctx, txn, own.id, Expect::Any));
    let deletion = last_operation(&host, own.id);
    let tabs = vec![("file".to_owned(), 1)];
    assert_eq!(blockers(&host, &lead), [Unconvertible::HasChildren { record: known.into(), tabs }]);
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
    assert_eq!(blockers(&host, &lead), [], "it goes on to the lead with the note");
    // What one deleted by itself, one meant.
    let theirs = as_bob(&host, |ctx, txn| {
        activities::add(ctx, txn, &[known.into()], ActivityFields::note("They like it"))
    });
    let plain = blockers(&host, &lead);
    host.write(|ctx, txn| activities::delete(ctx, txn, theirs.id, Expect::Any));
    assert_ne!(blockers(&host, &lead), plain);
}

#[test]
fn a_line_of_an_estimate_becomes_one_service_whoever_sells_it() {
    let host = Host::new();
    let lead = kim(&host);
    let estimate = sent(&host, &lead, crate::estimates::roof());
    let known = into(&host, &lead, &options()).account.unwrap();
    let sold = |position| {
        let origin = ServiceOrigin { estimate: estimate.id, position };
        NewService::from(ServiceFields::from(panels())).origin(origin)
    };
    let twice = host.try_write(|ctx, txn| services::create(ctx, txn, known, vec![sold(0), sold(0)]));
    let twice = twice.unwrap_err();
    let told = &twice.violations()[0];
    assert_eq!((told.field.as_str(), told.code), ("services[1].origin", ViolationCode::Duplicate));
    let first = host.write(|ctx, txn| services::create(ctx, txn, known, vec![sold(0)])).remove(0);
    let again = host.try_write(|ctx, txn| services::create(ctx, txn, known, vec![sold(0)]));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Invalid);
    host.scene.tick();
    host.write(|ctx, txn| services::delete(ctx, txn, first.id, Expect::Any));
    let removal = last_operation(&host, first.id);
    host.write(|ctx, txn| services::create(ctx, txn, known, vec![sold(0)]));
    host.scene.tick();
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, removal));
    assert_eq!((done.totals.reversed, done.totals.kept), (0, 1));
}
