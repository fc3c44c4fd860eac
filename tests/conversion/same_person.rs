//! A person of a lead who turned out to be a contact of the customer: one person from then on, nothing copied, and all of it goes
//! back.

use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{self, PersonChoice};
use leadcore::desk::{Expect, Listing, activities, contacts, leads, matching, page, timeline};
use leadcore::domain::{ActivityFields, ActivityKind, ContactFields, Emails, Field, Link, LinkRole, Subject};

use super::back::essence;
use super::fresh::*;
use crate::support::{Host, form};

#[test]
fn who_a_person_of_a_lead_is_has_what_hangs_on_that_one() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let kim = person(&host, known.id, "Kim Berg", "kim@nordlys.example");
    let lead = host.add(form(&[(Field::Company, "Nordlys")]));
    let own = ContactFields {
        emails: Emails::parse("kim@nordlys.example, kim@home.example").unwrap(),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    let own = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), true));
    let task = host.write(|ctx, txn| {
        activities::add(ctx, txn, &[own.id.into()], ActivityFields::task("Send the offer"))
    });
    let best =
        options().into_account(known.id).person(PersonChoice::Match(MatchPolicy::Best { at_least: 80 }));
    let shown = plan(&host, &lead, &best);
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &shown));
    let (own_subject, is) = (Subject::from(own.id), Subject::from(kim.id));
    let same = |link: &&Link| (link.from, link.role) == (own_subject, LinkRole::ConvertedTo);
    assert_eq!(done.links.iter().filter(same).map(|link| link.to).collect::<Vec<_>>(), [is]);
    assert_eq!(shown.links().len(), done.links.len(), "the plan shows it");

    // One person, from both sides, primary as it was.
    let of_lead = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(
        of_lead.iter().map(|one| (one.contact.id, one.is_primary)).collect::<Vec<_>>(),
        [(kim.id, true)]
    );
    let on_page = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &Default::default()));
    assert_eq!(on_page.contacts.len(), 1);
    // What hangs on it is reachable from the customer's contact, and goes on there.
    let tasks = |host: &Host| {
        let open = Listing::open();
        host.read(|ctx, txn| activities::of(ctx, txn, kim.id, &[ActivityKind::Task], &open)).items.len()
    };
    assert_eq!(tasks(&host), 1);
    let history = host.read(|ctx, txn| timeline::of(ctx, txn, kim.id, &timeline::TimelineQuery::new(10)));
    assert!(history.items.iter().any(|item| item.text.contains("Send the offer")), "{history:?}");
    host.write(|ctx, txn| activities::complete(ctx, txn, task.id, Expect::Any));
    host.write(|ctx, txn| activities::reopen(ctx, txn, task.id, Expect::Any));

    // Nobody is two: a later lead finds the customer's contact alone, also by what only the lead's person has.
    for mail in ["kim@nordlys.example", "kim@home.example"] {
        let later = host.add(form(&[(Field::Company, "?"), (Field::Name, "Kim Berg"), (Field::Email, mail)]));
        let found = host.read(|ctx, txn| matching::for_lead(ctx, txn, later.id));
        let ids: Vec<_> = found.contacts.iter().map(|one| one.id).collect();
        assert_eq!(ids, [kim.id], "{mail}");
        assert_eq!(found.contact(MatchPolicy::Best { at_least: 80 }).unwrap(), Some(kim.id));
        host.write(|ctx, txn| leads::delete(ctx, txn, later.id, Expect::Any));
    }

    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert_eq!(tasks(&host), 0);
    let of_lead = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(of_lead.iter().map(|one| one.contact.id).collect::<Vec<_>>(), [own.id]);
}

#[test]
fn a_person_who_is_somebody_else_comes_back_with_everything() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    person(&host, known.id, "Kim Berg", "kim@nordlys.example");
    let lead = host.add(form(&[(Field::Company, "Nordlys")]));
    let own = ContactFields {
        emails: Emails::parse("kim@nordlys.example").unwrap(),
        job_title: Some("CTO".to_owned()),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    let own = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), true));
    host.write(|ctx, txn| {
        activities::add(ctx, txn, &[own.id.into()], ActivityFields::note("Met at the fair"))
    });
    let before = essence(&host.store, &host.scene);
    let best =
        options().into_account(known.id).person(PersonChoice::Match(MatchPolicy::Best { at_least: 80 }));
    into(&host, &lead, &best);
    assert_ne!(essence(&host.store, &host.scene), before);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert_eq!(essence(&host.store, &host.scene), before);
}
