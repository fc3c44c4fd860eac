//! What several conversions say of one record holds while any of them stands, and goes with the last of them.

use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{self, ConversionOptions, Fate, PersonChoice};
use leadcore::desk::{Expect, accounts, contacts};
use leadcore::domain::{
    AccountFields, AccountPatch, Contact, ContactFields, Emails, Field, Lead, LeadFields, Link, LinkRole,
    MarkNote, Phones, Subject,
};
use leadcore::id::{AccountId, ContactId};

use super::back::essence;
use super::fresh::*;
use crate::support::{Host, company, form};

const POST: &str = "post@nordlys.example";
const KIM: &str = "kim@nordlys.example, kim0@x.example, kim1@x.example, kim2@x.example";
const NUMBER: &str = "+47 22 12 34 56";
const KIMS_NUMBER: &str = "+47 33 33 33 33";

/// An account with a person, of whom nothing is said.
fn customer(host: &Host) -> (AccountId, ContactId) {
    let known = account(
        host,
        &AccountFields {
            emails: Emails::parse(POST).unwrap(),
            phones: Phones::parse(NUMBER, None).unwrap(),
            ..named("Nordlys")
        },
    );
    let kim = ContactFields {
        emails: Emails::parse(KIM).unwrap(),
        phones: Phones::parse(KIMS_NUMBER, None).unwrap(),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    let kim = host.write(|ctx, txn| contacts::add(ctx, txn, known.id, kim.clone(), false));
    (known.id, kim.id)
}

/// What a lead says against reaching somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    OptedOut,
    Bounced,
    NoNumber,
    NotKim,
    NotByKimsNumber,
}

const ALL: [Says; 5] = [Says::OptedOut, Says::Bounced, Says::NoNumber, Says::NotKim, Says::NotByKimsNumber];

/// A lead with a person who is Kim by an address of her own.
fn speaking(host: &Host, n: usize, says: &[Says]) -> Lead {
    let says = |one: Says| says.contains(&one);
    let word = |marks: &[(bool, &str)]| {
        let words: Vec<_> = marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(" ")) }
    };
    let post = word(&[(says(Says::OptedOut), "opted_out"), (says(Says::Bounced), "invalid")]);
    let number = word(&[(says(Says::NoNumber), "opted_out")]);
    let kim = word(&[(says(Says::NotByKimsNumber), "opted_out")]);
    let lead = host.add(LeadFields {
        emails: Emails::parse(&format!("{POST}{post}")).unwrap(),
        phones: Phones::parse(&format!("{NUMBER}{number}"), None).unwrap(),
        ..company("Nordlys")
    });
    let own = ContactFields {
        emails: Emails::parse(&format!("kim{n}@x.example")).unwrap(),
        phones: Phones::parse(&format!("{KIMS_NUMBER}{kim}"), None).unwrap(),
        do_not_call: says(Says::NotKim).then(MarkNote::default),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), true));
    lead
}

fn best(account: AccountId) -> ConversionOptions {
    options().into_account(account).person(PersonChoice::Match(MatchPolicy::Best { at_least: 80 }))
}

/// What is said of account and person now.
fn said(host: &Host, (account, kim): (AccountId, ContactId)) -> Vec<Says> {
    let (account, kim) = host.read(|ctx, txn| {
        let kim = txn.contacts().get(&[kim])?.remove(0);
        Ok((accounts::get(ctx, txn, account)?, kim))
    });
    let (post, number) = (&account.fields.emails.entries()[0], &account.fields.phones.entries()[0]);
    let told = [
        (post.opted_out, Says::OptedOut),
        (post.invalid, Says::Bounced),
        (number.opted_out, Says::NoNumber),
        (kim.fields.do_not_call.is_some(), Says::NotKim),
        (kim.fields.phones.entries()[0].opted_out, Says::NotByKimsNumber),
    ];
    told.into_iter().filter(|(is, _)| *is).map(|(_, says)| says).collect()
}

fn back(host: &Host, lead: &Lead) -> convert::UnconvertOutcome {
    host.scene.tick();
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id))
}

#[test]
fn a_mark_stays_while_any_conversion_that_says_it_stands() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for says in ALL {
            let mut host = Host::new();
            let known = customer(&host);
            let leads = [0, 1, 2].map(|n| speaking(&host, n, &[says]));
            let before = essence(&host.store, &host.scene);
            for lead in &leads {
                assert_eq!(into(&host, lead, &best(known.0)).contacts, [known.1]);
            }
            for n in order {
                assert_eq!(said(&host, known), [says], "{order:?}");
                assert_eq!(blockers(&host, &leads[n]), []);
                back(&host, &leads[n]);
                host.restart();
            }
            assert_eq!(essence(&host.store, &host.scene), before, "{order:?} {says:?}");
        }
    }
}

#[test]
fn who_says_nothing_keeps_no_mark() {
    let host = Host::new();
    let known = customer(&host);
    let (loud, quiet) = (speaking(&host, 0, &ALL), speaking(&host, 1, &[]));
    let before = essence(&host.store, &host.scene);
    into(&host, &quiet, &best(known.0));
    let between = essence(&host.store, &host.scene);
    into(&host, &loud, &best(known.0));
    assert_eq!(said(&host, known), ALL);
    back(&host, &loud);
    assert_eq!(essence(&host.store, &host.scene), between, "the other one says nothing of its own");
    // What a conversion found there is no word of its lead.
    into(&host, &loud, &best(known.0));
    back(&host, &quiet);
    into(&host, &quiet, &best(known.0));
    back(&host, &loud);
    assert_eq!(said(&host, known), []);
    back(&host, &quiet);
    assert_eq!(essence(&host.store, &host.scene), before);
}

#[test]
fn each_mark_stays_with_whoever_says_it() {
    let host = Host::new();
    let known = customer(&host);
    let first = speaking(&host, 0, &ALL);
    let second = speaking(&host, 1, &[Says::OptedOut, Says::NotKim]);
    let third = speaking(&host, 2, &[Says::Bounced, Says::NotKim]);
    let before = essence(&host.store, &host.scene);
    for lead in [&first, &second, &third] {
        into(&host, lead, &best(known.0));
    }
    let told = back(&host, &first);
    assert_eq!(said(&host, known), [Says::OptedOut, Says::Bounced, Says::NotKim]);
    let fate =
        |record: Subject| told.records.iter().find(|taken| taken.record == record).unwrap().fate.clone();
    let Fate::Restored(fields) = fate(known.1.into()) else { panic!("{told:?}") };
    assert!(!fields.contains(&"do_not_call".to_owned()), "it is not given back: {fields:?}");
    let told = back(&host, &second);
    assert_eq!(said(&host, known), [Says::Bounced, Says::NotKim]);
    assert!(
        told.records.iter().any(|taken| taken.record == known.0.into()),
        "what it does is told: {told:?}"
    );
    back(&host, &third);
    assert_eq!(essence(&host.store, &host.scene), before);
}

#[test]
fn what_somebody_says_since_stays_with_the_record() {
    let host = Host::new();
    let known = customer(&host);
    let (first, second) = (speaking(&host, 0, &[Says::OptedOut]), speaking(&host, 1, &[Says::OptedOut]));
    into(&host, &first, &best(known.0));
    into(&host, &second, &best(known.0));
    back(&host, &first);
    // Lifted and said again: nobody takes that away but who said it.
    for word in ["()", "(opted_out)"] {
        let patch = AccountPatch::new().set(Field::Email, format!("{POST} {word}").as_str());
        as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, known.0, Expect::Any, &patch));
    }
    back(&host, &second);
    assert_eq!(said(&host, known), [Says::OptedOut]);
}

/// One person whom two leads have.
fn shared(host: &Host, leads: [&Lead; 2]) -> Contact {
    let own = ContactFields {
        emails: Emails::parse("kim0@x.example").unwrap(),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    let own = host.write(|ctx, txn| contacts::add(ctx, txn, leads[0].id, own.clone(), false));
    let link = Link::new(leads[1].id, LinkRole::Contact, own.id);
    host.write(|_, txn| txn.links().insert(&[link]));
    own
}

#[test]
fn who_a_person_is_stays_said_while_any_conversion_that_says_it_stands() {
    for order in [[0, 1], [1, 0]] {
        let host = Host::new();
        let known = customer(&host);
        let leads = [host.add(company("Nordlys")), host.add(company("Nordlys"))];
        let own = shared(&host, [&leads[0], &leads[1]]);
        let before = essence(&host.store, &host.scene);
        let done = [0, 1].map(|n| into(&host, &leads[n], &best(known.0)));
        let is = Link::new(own.id, LinkRole::ConvertedTo, known.1);
        assert_eq!(
            done.map(|done| done.links.contains(&is)),
            [true, false],
            "it was there when the second came"
        );
        let there = || host.read(|_, txn| txn.links().to(&[known.1.into()], Some(LinkRole::ConvertedTo)));
        back(&host, &leads[order[0]]);
        assert_eq!(there(), [is]);
        back(&host, &leads[order[1]]);
        assert_eq!(there(), []);
        assert_eq!(essence(&host.store, &host.scene), before);
    }
}

#[test]
fn who_must_not_be_called_since_is_the_lead_itself_whatever_its_address() {
    let host = Host::new();
    let known = customer(&host);
    let own = [(Field::Company, "Nordlys"), (Field::Name, "Kim Berg"), (Field::Email, "kim@home.example")];
    let lead = host.add(LeadFields { phones: Phones::parse(NUMBER, None).unwrap(), ..form(&own) });
    let kim = options().into_account(known.0).person(PersonChoice::Existing(known.1));
    into(&host, &lead, &kim);
    let no_calls = MarkNote::new(None, Some("asked by mail")).unwrap();
    as_bob(&host, |ctx, txn| contacts::do_not_call(ctx, txn, known.1, Expect::Any, Some(&no_calls)));
    assert_eq!(blockers(&host, &lead), []);
    back(&host, &lead);
    let now = host.get(&lead).fields.phones;
    assert!(now.entries()[0].opted_out, "nobody may call the lead that is this person: {now:?}");
    // Of somebody else in the account nothing is said of the lead.
    let lead = host.add(LeadFields { phones: Phones::parse(NUMBER, None).unwrap(), ..form(&own) });
    into(&host, &lead, &options().into_account(known.0));
    let eva = person(&host, known.0, "Eva Moe", "eva@nordlys.example");
    as_bob(&host, |ctx, txn| contacts::do_not_call(ctx, txn, eva.id, Expect::Any, Some(&no_calls)));
    back(&host, &lead);
    assert_eq!(host.get(&lead).fields, lead.fields);
}

/// An outcome that was stored before it named the person of the lead says the same by its links.
#[test]
fn a_conversion_whose_outcome_does_not_name_the_person_of_the_lead_knows_it_all_the_same() {
    let host = Host::new();
    let (known, kim) = customer(&host);
    for is_named in [true, false] {
        let lead = host.add(LeadFields {
            phones: Phones::parse("+47 44 44 44 44", None).unwrap(),
            ..form(&[(Field::Company, "Nordlys"), (Field::Name, "K. B.")])
        });
        let person = ContactFields::named("Ola Dal").unwrap();
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), false));
        let wanted = options().into_account(known).person(PersonChoice::Existing(kim));
        let done = into(&host, &lead, &wanted);
        if !is_named {
            host.write(|_, txn| {
                let mut operation = txn.journal().operation(done.operation)?.unwrap();
                let outcome = operation.outcome.as_mut().and_then(|outcome| outcome.as_object_mut()).unwrap();
                assert!(outcome.remove("itself").is_some());
                txn.journal().update(&operation)
            });
        }
        host.scene.tick();
        let note = MarkNote::default();
        host.write(|ctx, txn| contacts::do_not_call(ctx, txn, kim, Expect::Any, Some(&note)));
        host.scene.tick();
        host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
        assert!(host.get(&lead).fields.phones.entries()[0].opted_out, "named: {is_named}");
        host.write(|ctx, txn| contacts::do_not_call(ctx, txn, kim, Expect::Any, None));
    }
}
