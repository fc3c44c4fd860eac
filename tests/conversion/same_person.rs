//! A person of a lead who turned out to be a contact of the customer: one person from then on, nothing copied, and all of it goes
//! back.

use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{self, PersonChoice};
use leadcore::desk::{Expect, Listing, activities, contacts, estimates, leads, matching, page, timeline};
use leadcore::domain::{
    ActivityFields, ActivityKind, Contact, ContactFields, Emails, EstimateFields, Field, Lead, Link,
    LinkRole, Subject,
};
use leadcore::id::ContactId;

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

/// Somebody of a lead who became Kim of Nordlys with it, and whom something else says to be this other contact.
fn also(host: &Host, other: ContactId) -> (Lead, ContactId, ContactId) {
    let known = account(host, &named("Nordlys"));
    let kim = person(host, known.id, "Kim Berg", "kim@nordlys.example");
    let lead = host.add(form(&[(Field::Company, "Nordlys")]));
    let own = ContactFields {
        emails: Emails::parse("kim@nordlys.example, kim@home.example").unwrap(),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    let own = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), true)).id;
    host.write(|ctx, txn| {
        activities::add(ctx, txn, &[lead.id.into(), own.into()], ActivityFields::estimate_request("Panels"))
    });
    let best =
        options().into_account(known.id).person(PersonChoice::Match(MatchPolicy::Best { at_least: 80 }));
    into(host, &lead, &best);
    host.write(|_, txn| txn.links().insert(&[Link::new(own, LinkRole::ConvertedTo, other)]));
    (host.get(&lead), own, kim.id)
}

#[test]
fn who_became_two_persons_speaks_for_both() {
    for is_later in [false, true] {
        let host = Host::new();
        let fjord = account(&host, &named("Fjord"));
        let other = person(&host, fjord.id, "Kim B.", "kim@fjord.example");
        let (_, own, kim) = also(&host, other.id);
        let (mut expected, mut third) = (vec![other.id, kim], None);
        if is_later {
            // The one became a third in turn: that one it is.
            let last = person(&host, fjord.id, "Kim Berg-Dal", "dal@fjord.example").id;
            host.write(|_, txn| txn.links().insert(&[Link::new(other.id, LinkRole::ConvertedTo, last)]));
            (expected, third) = (vec![last, kim], Some(last));
        }
        let asks = host.add(form(&[(Field::Company, "?"), (Field::Email, "kim@home.example")]));
        let found = host.read(|ctx, txn| matching::for_lead(ctx, txn, asks.id));
        let mut ids: Vec<_> = found.contacts.iter().map(|one| one.id).collect();
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected, "{third:?} {own:?}");
        assert!(found.contact(MatchPolicy::Best { at_least: 80 }).is_err(), "nobody guesses which of them");
    }
}

#[test]
fn work_of_a_lead_goes_on_with_the_person_of_its_own_conversion() {
    // Whichever of the two has the lower id.
    for spare in [uuid::Uuid::nil(), uuid::Uuid::max()] {
        let host = Host::new();
        let spare = Contact { id: ContactId::from_uuid(spare), ..contact(&host) };
        host.write(|_, txn| txn.contacts().insert(std::slice::from_ref(&spare)));
        let (lead, _, kim) = also(&host, spare.id);
        let open = Listing::open();
        let asked = host
            .read(|ctx, txn| activities::of(ctx, txn, lead.id, &[ActivityKind::EstimateRequest], &open))
            .items
            .remove(0);
        let offer = host
            .write(|ctx, txn| estimates::create_for_request(ctx, txn, asked.id, EstimateFields::default()));
        assert!(offer.about.contains(&kim.into()), "{:?}", offer.about);
    }
}

/// Somebody of another customer.
fn contact(host: &Host) -> Contact {
    let fjord = account(host, &named("Fjord"));
    person(host, fjord.id, "Kim B.", "kim@fjord.example")
}
