//! A person whom several leads have, of several sellers: who it turned out to be for one of them shows nothing of the others.

use leadcore::context::Context;
use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::calendar::{self, OverviewQuery};
use leadcore::desk::convert::{ConversionOptions, PersonChoice};
use leadcore::desk::opportunities::{self, NewOpportunity};
use leadcore::desk::timeline::{self, TimelineQuery};
use leadcore::desk::{Expect, Listing, accounts, activities, contacts, estimates, leads, reminders, undo};
use leadcore::domain::{
    AccountPatch, Activity, ActivityFields, ActivityKind, ContactFields, Emails, EstimateFields, Field, Lead,
    LeadFields, LeadPatch, Link, LinkRole, OpportunityFields, Subject,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::id::{AccountId, ActivityId, ContactId, UserId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::Txn;
use leadcore::time::Timestamp;

use super::fresh::{account, into, last_operation, named, options, person};
use crate::support::{Host, company, refused};

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Sellers who see, edit and convert what is theirs, and a trainee who sees all and edits what is hers.
fn sellers() -> RoleTable {
    let role = Role::new().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    let trainee =
        Role::new().grant(Permission::View, Visibility::All).grant(Permission::Edit, Visibility::Own);
    let table = RoleTable::new().role("sales", role).role("trainee", trainee);
    let table = table.user(&user("tina"), &["trainee"], None).unwrap();
    ["eve", "kai", "ola"].iter().fold(table, |table, name| table.user(&user(name), &["sales"], None).unwrap())
}

fn hand(host: &Host, account: AccountId, to: &str) {
    let owner = AccountPatch::new().set(Field::Owner, to);
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &owner));
}

/// A lead of eve's and ola's copy of it, both with one person, who is Kim of a customer of kai's, which eve's lead became.
struct Shared {
    copy: Lead,
    own: ContactId,
    kim: ContactId,
    customer: AccountId,
}

fn best() -> ConversionOptions {
    options().person(PersonChoice::Match(MatchPolicy::Best { at_least: 80 }))
}

fn shared(host: &Host) -> Shared {
    let customer = account(host, &named("Nordlys")).id;
    let kim = person(host, customer, "Kim Berg", "kim@nordlys.example").id;
    let first = host.add(LeadFields { owner: Some(user("eve")), ..company("Nordlys") });
    let own = ContactFields {
        emails: Emails::parse("kim@nordlys.example").unwrap(),
        ..ContactFields::named("Kim Berg").unwrap()
    };
    let own = host.write(|ctx, txn| contacts::add(ctx, txn, first.id, own.clone(), true)).id;
    let note = ActivityFields::note("Of the first");
    host.write(|ctx, txn| activities::add(ctx, txn, &[first.id.into(), own.into()], note.clone()));
    let copy = host.write(|ctx, txn| leads::clone_lead(ctx, txn, first.id));
    let to_ola = LeadPatch::new().set(Field::Owner, "ola");
    let copy = host.write(|ctx, txn| leads::edit(ctx, txn, copy.id, Expect::Any, &to_ola));
    into(host, &first, &best().into_account(customer));
    hand(host, customer, "kai");
    let links = host.read(|_, txn| txn.links().from(&[own.into()], Some(LinkRole::ConvertedTo)));
    assert_eq!(links, [Link::new(own, LinkRole::ConvertedTo, kim)]);
    Shared { copy, own, kim, customer }
}

fn add(host: &Host, about: &[Subject], fields: &ActivityFields) -> Activity {
    host.scene.tick();
    host.write(|ctx, txn| activities::add(ctx, txn, about, fields.clone()))
}

fn titles(items: &[Activity]) -> Vec<&str> {
    items.iter().filter_map(|one| one.fields.title.as_deref().or(one.fields.text.as_deref())).collect()
}

/// What somebody reads of activities, wherever they are read.
fn read(ctx: &Context<'_>, txn: &mut dyn Txn, of: &Shared) -> Result<Vec<String>> {
    let list = Listing::default();
    let mut read: Vec<String> = Vec::new();
    let all = activities::all(ctx, txn, ActivityKind::ALL, &list)?.items;
    read.extend(titles(&all).iter().map(|title| format!("all: {title}")));
    for subject in [Subject::from(of.customer), of.kim.into()] {
        let items = activities::of(ctx, txn, subject, ActivityKind::ALL, &list)?.items;
        read.extend(titles(&items).iter().map(|title| format!("{}: {title}", subject.kind.code())));
        let told = timeline::of(ctx, txn, subject, &TimelineQuery::new(1_000))?.items;
        read.extend(told.into_iter().map(|item| item.text));
    }
    let days = OverviewQuery::new(at("2026-11-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
    let entries = calendar::overview(ctx, txn, &days)?.entries;
    read.extend(entries.into_iter().map(|entry| format!("calendar: {}", entry.title.unwrap_or_default())));
    let due = reminders::due(ctx, txn, at("2030-01-01T00:00:00Z"), None, 100)?.items;
    read.extend(due.into_iter().map(|one| format!("due: {}", one.activity.fields.title.unwrap_or_default())));
    Ok(read)
}

#[test]
fn who_a_person_turned_out_to_be_opens_no_other_lead() {
    let host = Host::new();
    let (of, table) = (shared(&host), sellers());
    let (copy, own) = (Subject::from(of.copy.id), Subject::from(of.own));
    let visit = ActivityFields::meeting("Secret", at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z"));
    let visit = ActivityFields { remind_at: Some(at("2026-11-24T08:00:00Z")), ..visit };
    let secret = [
        add(&host, &[copy, own], &ActivityFields::note("Secret")),
        add(&host, &[own], &ActivityFields::task("Secret too")),
        add(&host, &[copy, own], &visit),
    ];
    // The customer is kai's, and the note of the lead that became it.
    let shown = host.write_as("kai", &table, |ctx, txn| read(ctx, txn, &of)).unwrap();
    assert!(shown.iter().any(|line| line == "account: Of the first"), "{shown:?}");
    assert!(shown.iter().all(|line| !line.contains("Secret")), "{shown:?}");
    for one in &secret {
        let (id, operation) = (one.id, last_operation(&host, one.id));
        let seen = host.write_as("kai", &table, |ctx, txn| activities::get(ctx, txn, id));
        refused(seen, ErrorKind::NotFound);
        let fields = one.fields.clone();
        let edit = |ctx: &Context<'_>, txn: &mut dyn Txn| {
            activities::edit(ctx, txn, id, Expect::Any, fields.clone()).map(drop)
        };
        refused(host.write_as("kai", &table, edit), ErrorKind::NotFound);
        let gone = host.write_as("kai", &table, |ctx, txn| activities::delete(ctx, txn, id, Expect::Any));
        refused(gone, ErrorKind::NotFound);
        let back = host.write_as("kai", &table, |ctx, txn| undo::undo(ctx, txn, operation));
        assert_eq!(back.map_or(0, |done| done.totals.reversed), 0);
        assert_eq!(host.read(|ctx, txn| activities::get(ctx, txn, id)), *one);
    }
    // It is ola's and eve's, whose leads have the person.
    let get = |user: &str, id: ActivityId| {
        host.write_as(user, &table, |ctx, txn| activities::get(ctx, txn, id)).map(|one| one.about)
    };
    for user in ["eve", "ola"] {
        assert_eq!(get(user, secret[1].id).unwrap(), [own], "{user}");
    }
    // With the other lead at the same customer, nobody else has the person.
    into(&host, &of.copy, &best().into_account(of.customer));
    assert_eq!(get("kai", secret[0].id).unwrap(), [Subject::from(of.customer), of.kim.into()]);
    assert_eq!(get("kai", secret[1].id).unwrap(), [of.kim.into()]);
    let done =
        |ctx: &Context<'_>, txn: &mut dyn Txn| activities::complete(ctx, txn, secret[1].id, Expect::Any);
    host.write_as("kai", &table, done).unwrap();
}

#[test]
fn a_person_who_is_somebody_at_two_customers_joins_them_for_nobody() {
    let host = Host::new();
    let (of, table) = (shared(&host), sellers());
    let other = account(&host, &named("Fjord")).id;
    let there = person(&host, other, "Kim B.", "").id;
    // The person stays with the lead, and is said to be somebody there.
    let mut alone = options().into_account(other);
    alone.contacts = false;
    into(&host, &of.copy, &alone);
    hand(&host, other, "ola");
    host.write(|_, txn| txn.links().insert(&[Link::new(of.own, LinkRole::ConvertedTo, there)]));
    let note = add(&host, &[of.own.into()], &ActivityFields::note("Whose is it"));
    for user in ["kai", "ola"] {
        let seen = host.write_as(user, &table, |ctx, txn| activities::get(ctx, txn, note.id));
        if user == "kai" {
            refused(seen, ErrorKind::NotFound);
        } else {
            assert_eq!(seen.unwrap().about, [of.own.into()], "the copy is hers, with the person");
        }
    }
    hand(&host, other, "kai");
    let mut seen = host.write_as("kai", &table, |ctx, txn| activities::get(ctx, txn, note.id)).unwrap().about;
    let mut both: Vec<Subject> = vec![of.kim.into(), there.into()];
    seen.sort();
    both.sort();
    assert_eq!(seen, both, "both customers are his");
}

#[test]
fn who_may_not_change_every_lead_of_a_person_changes_nothing_by_who_that_is() {
    let host = Host::new();
    let (of, table) = (shared(&host), sellers());
    hand(&host, of.customer, "tina");
    let secret = add(&host, &[of.copy.id.into(), of.own.into()], &ActivityFields::note("Ola's"));
    let gone = |ctx: &Context<'_>, txn: &mut dyn Txn| activities::delete(ctx, txn, secret.id, Expect::Any);
    host.write_as("tina", &table, |ctx, txn| activities::get(ctx, txn, secret.id)).unwrap();
    refused(host.write_as("tina", &table, gone), ErrorKind::Denied);
    into(&host, &of.copy, &best().into_account(of.customer));
    host.write_as("tina", &table, gone).unwrap();
}

#[test]
fn what_is_worked_on_with_an_open_lead_goes_on_with_its_own_person() {
    let host = Host::new();
    let of = shared(&host);
    let about = [Subject::from(of.copy.id), of.own.into()];
    let asked = add(&host, &about, &ActivityFields::estimate_request("Panels"));
    let offer =
        host.write(|ctx, txn| estimates::create_for_request(ctx, txn, asked.id, EstimateFields::default()));
    assert_eq!(offer.about, about);
    let of_kim = host.read(|ctx, txn| estimates::of(ctx, txn, of.customer, &Listing::default()));
    assert_eq!(of_kim.items, []);
    assert_eq!(host.write(|ctx, txn| estimates::copy(ctx, txn, offer.id)).about, about);
    // As soon as no lead is worked on with the person any more, it is the customer's.
    into(&host, &of.copy, &best().into_account(of.customer));
    let later = host.write(|ctx, txn| estimates::copy(ctx, txn, offer.id));
    assert_eq!(later.about, [Subject::from(of.customer), of.kim.into()]);
}

#[test]
fn persons_of_an_opportunity_that_are_given_back_as_shown_stay_who_they_are() {
    let host = Host::new();
    let (of, table) = (shared(&host), sellers());
    into(&host, &of.copy, &best().into_account(of.customer));
    let offer = host.write(|ctx, txn| {
        let fields = OpportunityFields { name: "A roof".to_owned(), ..OpportunityFields::default() };
        let mut new = NewOpportunity::from(fields);
        new.contacts = vec![of.own];
        opportunities::create(ctx, txn, of.customer, new)
    });
    let stored = Subject::from(of.own);
    assert_eq!(offer.about, [of.customer.into(), stored]);
    let again = |ctx: &Context<'_>, txn: &mut dyn Txn| {
        let read = opportunities::get(ctx, txn, offer.id)?;
        assert_eq!(read.about, [of.customer.into(), of.kim.into()]);
        opportunities::set_contacts(ctx, txn, offer.id, read.revision, &[of.kim])
    };
    assert_eq!(host.write_as("kai", &table, again).unwrap().revision, offer.revision);
    assert_eq!(host.read(|ctx, txn| opportunities::get(ctx, txn, offer.id)).about, offer.about);
}
