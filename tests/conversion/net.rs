//! What stands against a way back is what is left of what was done since, with who did it.

use leadcore::desk::convert::{self, Unconvertible};
use leadcore::desk::undo;
use leadcore::desk::{Expect, accounts, activities, contacts, opportunities};
use leadcore::domain::{
    AccountPatch, ActivityFields, Actor, AddressMark, ContactFields, Field, OperationKind, OpportunityPatch,
    ReachChannel, Subject,
};
use leadcore::value::PersonName;

use super::fresh::*;
use super::{converted, worked};
use crate::support::{Host, form};

#[test]
fn another_lead_that_gave_everything_back_is_no_change() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys")]));
    let account = converted(&host, &lead).account.unwrap();
    let second = host.add(form(&[
        (Field::Company, "Nordlys"),
        (Field::City, "Bodø"),
        (Field::Email, "post@nordlys.example"),
        (Field::Name, "Kari Berg"),
    ]));
    as_bob(&host, |ctx, txn| convert::convert(ctx, txn, second.id, &options().into_account(account)));
    assert!(!blockers(&host, &lead).is_empty());
    as_bob(&host, |ctx, txn| convert::unconvert(ctx, txn, second.id));
    assert_eq!(blockers(&host, &lead), []);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
}

#[test]
fn what_was_taken_back_is_no_change() {
    let host = Host::new();
    let lead = worked(&host);
    let done = converted(&host, &lead);
    let account = done.account.unwrap();
    // An opt-out that was lifted again.
    let person = *done.contacts.last().unwrap();
    let mark = AddressMark::opt_out(ReachChannel::Email, "kari@nordlys.example");
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, person, Expect::Any, &mark));
    assert_eq!(blockers(&host, &lead).len(), 1);
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, person, Expect::Any, &mark.clone().lifted()));
    assert_eq!(blockers(&host, &lead), []);
    // An edit that was put back by hand, and one that was undone.
    let city = |name: &str| AccountPatch::new().set(Field::City, name);
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &city("Oslo")));
    assert_eq!(blockers(&host, &lead).len(), 1);
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &city("Tromsø")));
    assert_eq!(blockers(&host, &lead), []);
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &city("Bergen")));
    let edit = last_operation(&host, account);
    as_bob(&host, |ctx, txn| undo::undo(ctx, txn, edit));
    assert_eq!(blockers(&host, &lead), []);
    // Somebody who came and went.
    let new = ContactFields::named("Passer By").unwrap();
    let new = as_bob(&host, |ctx, txn| contacts::add(ctx, txn, account, new.clone(), false));
    assert_eq!(blockers(&host, &lead).len(), 2);
    as_bob(&host, |ctx, txn| contacts::remove(ctx, txn, account, new.id));
    assert_eq!(blockers(&host, &lead), []);
    let back = host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert!(back.records.iter().all(|taken| taken.edited.is_empty()), "{back:?}");
}

#[test]
fn an_opportunity_that_is_as_it_was_is_no_change() {
    let host = Host::new();
    let lead = worked(&host);
    let wanted = options().opportunity(convert::OpportunityChoice::New(Box::default()));
    let done = into(&host, &lead, &wanted);
    let made = done.opportunity.unwrap();
    let name = host.read(|ctx, txn| opportunities::get(ctx, txn, made)).fields.name;
    let named = |name: &str| OpportunityPatch::new().name(name);
    as_bob(&host, |ctx, txn| opportunities::edit(ctx, txn, made, Expect::Any, &named("Other")));
    assert_eq!(blockers(&host, &lead).len(), 1);
    as_bob(&host, |ctx, txn| opportunities::edit(ctx, txn, made, Expect::Any, &named(&name)));
    assert_eq!(blockers(&host, &lead), []);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
}

#[test]
fn an_edit_that_only_the_image_tells_is_a_change() {
    let host = Host::new();
    let lead = worked(&host);
    let done = into(&host, &lead, &options().opportunity(convert::OpportunityChoice::New(Box::default())));
    let made = done.opportunity.unwrap();
    let before = host.read(|ctx, txn| opportunities::get(ctx, txn, made));
    // Bob writes two things, and one of them is put back.
    let both = OpportunityPatch::new().name("Other").description(Some("Told by phone".to_owned()));
    as_bob(&host, |ctx, txn| opportunities::edit(ctx, txn, made, Expect::Any, &both));
    let name = OpportunityPatch::new().name(&before.fields.name);
    host.write(|ctx, txn| opportunities::edit(ctx, txn, made, Expect::Any, &name));
    let bob = Actor::User("bob".parse().unwrap());
    let changed = Unconvertible::Changed { record: made.into(), by: vec![bob] };
    assert_eq!(blockers(&host, &lead), [changed]);
    let none = OpportunityPatch::new().description(None);
    as_bob(&host, |ctx, txn| opportunities::edit(ctx, txn, made, Expect::Any, &none));
    assert_eq!(blockers(&host, &lead), []);

    // The parts of a name that is written as before: no field of a person shows them.
    let lead = worked(&host);
    let kari = *converted(&host, &lead).contacts.last().unwrap();
    let fields = host.read(|_, txn| txn.contacts().get(&[kari])).remove(0).fields;
    let account = host.get(&lead).conversion.unwrap().account.unwrap();
    let parted = PersonName::from_stored("Kari Berg", None, None, Some("Kari Berg"), None).unwrap();
    assert_ne!(Some(&parted), fields.name.as_ref());
    let back = ContactFields { name: Some(parted), ..fields.clone() };
    let other = ContactFields { job_title: Some("CTO".to_owned()), ..back.clone() };
    for fields in [other, back] {
        as_bob(&host, |ctx, txn| contacts::edit(ctx, txn, account, kari, Expect::Any, fields.clone()));
    }
    assert!(matches!(&blockers(&host, &lead)[..], [Unconvertible::Changed { .. }]), "the name is another");
    as_bob(&host, |ctx, txn| contacts::edit(ctx, txn, account, kari, Expect::Any, fields.clone()));
    assert_eq!(blockers(&host, &lead), []);
}

#[test]
fn every_blocker_says_who_wrote_what() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let lead = host.add(form(&[(Field::Company, "Nordlys"), (Field::City, "Bodø")]));
    into(&host, &lead, &options().into_account(known.id));
    let record = Subject::from(known.id);
    let patch = AccountPatch::new().set(Field::City, "Oslo");
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers.iter().map(Unconvertible::record).collect::<Vec<_>>(), [Some(record)]);
    let [only] = &plan.since[..] else { panic!("{plan:?}") };
    let bob = Actor::User("bob".parse().unwrap());
    assert_eq!((only.record, &only.actor, only.kind), (record, &bob, OperationKind::Edit));
    assert_eq!((only.operation, only.at), (last_operation(&host, known.id), host.ctx().now()));
    as_bob(&host, |ctx, txn| undo::undo(ctx, txn, only.operation));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));

    // Also of what hangs on a new record.
    let lead = host.add(form(&[(Field::Company, "Fjord")]));
    let record = Subject::from(converted(&host, &lead).account.unwrap());
    as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[record], ActivityFields::note("As a customer")));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert!(matches!(&plan.blockers[..], [Unconvertible::HasChildren { .. }]), "{plan:?}");
    assert_eq!(plan.since.iter().map(|one| &one.actor).collect::<Vec<_>>(), [&bob]);
}
