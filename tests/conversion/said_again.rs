//! What somebody says against reaching a person whom a conversion had marked already is that somebody's word too.

use leadcore::context::Context;
use leadcore::desk::convert::{self, PersonChoice, Unconvertible};
use leadcore::desk::{Expect, contacts, leads, timeline, undo};
use leadcore::domain::{AddressMark, Contact, Field, Lead, MarkNote, Phones, ReachChannel};
use leadcore::policy::AllowAll;
use leadcore::store::Txn;

use super::fresh::*;
use crate::support::{Host, form};

const MAIL: &str = "a@k.example";

fn out() -> AddressMark {
    AddressMark::opt_out(ReachChannel::Email, "A@k.example")
}

/// A known person, and a lead that says `word` of it and was converted into it.
fn marked(host: &Host, word: &[(Field, &str)]) -> (Contact, Lead) {
    let known = account(host, &named("K"));
    let anna = person(host, known.id, "Anna", MAIL);
    let fields = [(Field::Company, "K"), (Field::Name, "Anna")];
    let lead = host.add(form(&fields.into_iter().chain(word.iter().cloned()).collect::<Vec<_>>()));
    into(host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(anna.id)));
    host.scene.tick();
    (anna, lead)
}

fn now(host: &Host, of: &Contact) -> Contact {
    host.read(|_, txn| Ok(txn.contacts().get(&[of.id])?.remove(0)))
}

fn opted_out(host: &Host, lead: &Lead) -> bool {
    host.get(lead).fields.emails.entries()[0].opted_out
}

#[test]
fn an_objection_said_again_stays_when_the_conversion_that_said_it_first_is_taken_back() {
    let host = Host::new();
    let (anna, lead) = marked(&host, &[(Field::Email, "a@k.example (opted_out)")]);
    assert!(now(&host, &anna).fields.emails.entries()[0].opted_out);
    let again = as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &out()));
    assert_eq!(blockers(&host, &lead), []);
    assert_ne!(again.revision, anna.revision, "it is told");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert!(now(&host, &anna).fields.emails.entries()[0].opted_out, "bob said it too");
    assert!(opted_out(&host, &lead), "as it said itself");
    // Once it is somebody's word, the same again tells nothing new.
    let known = now(&host, &anna);
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &out()));
    assert_eq!(now(&host, &anna).revision, known.revision);
}

#[test]
fn what_was_said_again_and_then_lifted_goes() {
    let host = Host::new();
    let (anna, lead) = marked(&host, &[(Field::Email, "a@k.example (opted_out)")]);
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &out()));
    host.scene.tick();
    host.write(|ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &out().lifted()));
    assert!(!now(&host, &anna).fields.emails.has_marks());
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert!(!now(&host, &anna).fields.emails.has_marks());
    assert!(opted_out(&host, &lead), "nobody lifted what the lead says");
}

#[test]
fn what_somebody_else_lifted_stands_against_the_way_back() {
    let host = Host::new();
    let (anna, lead) = marked(&host, &[(Field::Email, "a@k.example (opted_out)")]);
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &out().lifted()));
    let told = Unconvertible::Edited { record: anna.id.into(), fields: vec!["email".to_owned()] };
    assert_eq!(blockers(&host, &lead), [told]);
}

#[test]
fn x_09_what_is_said_again_of_a_new_person_goes_on_to_the_lead() {
    const STEPS: [(&[(&str, bool)], bool); 6] = [
        (&[("ada", true)], true),
        (&[("ada", false), ("ada", true)], true),
        (&[("ada", false), ("bob", true)], true),
        (&[("bob", false), ("ada", true)], true),
        (&[("bob", false), ("bob", true)], true),
        (&[("ada", true), ("ada", false)], false),
    ];
    for (steps, is_out) in STEPS {
        let host = Host::new();
        let known = account(&host, &named("K"));
        let office = person(&host, known.id, "Office", MAIL);
        host.write(|ctx, txn| contacts::mark(ctx, txn, office.id, Expect::Any, &out()));
        let fields = [(Field::Company, "K"), (Field::Name, "Anna Berg"), (Field::Email, MAIL)];
        let lead = host.add(form(&fields));
        let anna = into(&host, &lead, &options().into_account(known.id)).contacts[0];
        assert!(anna != office.id && !opted_out(&host, &lead), "the conversion said it, of the person alone");
        for (user, is_said) in steps {
            host.scene.tick();
            let mark = if *is_said { out() } else { out().lifted() };
            let mark =
                |ctx: &Context<'_>, txn: &mut dyn Txn| contacts::mark(ctx, txn, anna, Expect::Any, &mark);
            host.write_as(user, &AllowAll, mark).unwrap();
        }
        assert_eq!(blockers(&host, &lead), [], "{steps:?}");
        host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
        assert_eq!(opted_out(&host, &lead), is_out, "{steps:?}");
    }
}

#[test]
fn a_new_person_who_objects_again_does_not_go() {
    let host = Host::new();
    let lead = host.add(form(&[
        (Field::Company, "N"),
        (Field::Name, "Nils"),
        (Field::Email, "n@n.example (opted_out)"),
    ]));
    let nils = into(&host, &lead, &options()).contacts[0];
    let mark = AddressMark::opt_out(ReachChannel::Email, "n@n.example");
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, nils, Expect::Any, &mark));
    assert_ne!(blockers(&host, &lead), []);
}

#[test]
fn who_must_not_be_called_said_again_stays_so() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let anna = person(&host, known.id, "Anna", MAIL);
    let lead = host.add(form(&[(Field::Company, "K")]));
    let own = leadcore::domain::ContactFields {
        emails: anna.fields.emails.clone(),
        phones: Phones::none(),
        do_not_call: Some(MarkNote::default()),
        ..anna.fields.clone()
    };
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), true));
    let best = leadcore::dedupe::matching::MatchPolicy::Best { at_least: 50 };
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Match(best)));
    assert!(now(&host, &anna).fields.do_not_call.is_some());
    host.scene.tick();
    let note = MarkNote::default();
    as_bob(&host, |ctx, txn| contacts::do_not_call(ctx, txn, anna.id, Expect::Any, Some(&note)));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert!(now(&host, &anna).fields.do_not_call.is_some());
    let of_lead = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert!(of_lead[0].contact.id != anna.id && of_lead[0].contact.fields.do_not_call.is_some());
}

#[test]
fn the_history_tells_what_was_said_again_as_it_is_stored() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let two = "a@k.example, b@k.example";
    let anna = person(&host, known.id, "Anna", two);
    let fields = [(Field::Company, "K"), (Field::Name, "Anna"), (Field::Email, two)];
    let lead = host.add(form(&fields));
    let since = "2020-01-01T00:00:00Z".parse().unwrap();
    let by_letter = |mark: AddressMark| mark.since(since).because("letter");
    for mark in [
        by_letter(out()),
        AddressMark::bounced(ReachChannel::Email, MAIL),
        AddressMark::opt_out(ReachChannel::Email, "b@k.example"),
    ] {
        host.write(|ctx, txn| leads::mark_address(ctx, txn, lead.id, Expect::Any, &mark));
    }
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(anna.id)));
    host.scene.tick();
    let stored = now(&host, &anna).fields;
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &out()));
    assert_eq!(now(&host, &anna).fields, stored);
    let query = timeline::TimelineQuery::new(1);
    let told = host.read(|ctx, txn| timeline::of(ctx, txn, known.id, &query)).items.remove(0);
    let is = "a@k.example (opted_out since 2020-01-01: letter; invalid since 2026-11-22), b@k.example (opted_out since 2026-11-22)";
    assert_eq!(told.text, format!("E-mail: {is} → {is}"));
    // As the journal tells it, it was so before and is: an undo has nothing to change.
    let again = last_operation(&host, anna.id);
    let undo = host.write(|ctx, txn| undo::undo(ctx, txn, again));
    assert_eq!((undo.remaining.len(), now(&host, &anna).fields), (0, stored));
    // Only that is bob's word.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let entries = now(&host, &anna).fields.emails.entries().to_vec();
    let marks: Vec<_> = entries.iter().map(|one| (one.opted_out, one.invalid)).collect();
    assert_eq!(marks, [(true, false), (false, false)]);
}
