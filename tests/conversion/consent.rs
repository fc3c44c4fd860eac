//! What was said against reaching somebody is never loosened: one word holds for all records of a conversion.

use leadcore::desk::convert::{self, ConversionOptions, ConversionPlan, PersonChoice, PlannedPerson};
use leadcore::desk::{Expect, accounts, contacts, leads};
use leadcore::domain::{
    Action, AddressMark, ContactFields, Emails, Field, Lead, MarkNote, Phones, ReachChannel, ReachMark,
    Topics,
};
use leadcore::id::{AccountId, ContactId};
use leadcore::memory::MemoryStore;
use leadcore::store::{Store, StoreExt as _};
use leadcore::testkit::fixtures::Scene;
use leadcore_sqlite::SqliteStore;

use super::back::essence;
use super::{converted, nordlys};
use crate::support::{Host, form};

const MAIL: &str = "kari@nordlys.example";

fn into(account: AccountId) -> ConversionOptions {
    ConversionOptions::default().into_account(account)
}

fn opted_out(emails: &Emails) -> Vec<bool> {
    emails.entries().iter().map(|entry| entry.opted_out).collect()
}

fn of_account(host: &Host, account: AccountId, person: ContactId) -> ContactFields {
    let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, account));
    persons.into_iter().find(|known| known.contact.id == person).unwrap().contact.fields
}

fn same_person(company: &str) -> leadcore::domain::LeadFields {
    form(&[(Field::Company, company), (Field::Name, "Kari Berg"), (Field::Email, MAIL)])
}

#[test]
fn a_second_person_with_the_address_is_opted_out_too() {
    let host = Host::new();
    let known = converted(&host, &host.add(nordlys()));
    let account = known.account.unwrap();
    let mark = AddressMark::opt_out(ReachChannel::Email, MAIL).because("asked by mail");
    host.write(|ctx, txn| contacts::mark(ctx, txn, known.contacts[0], Expect::Any, &mark));
    let no_calls = MarkNote::new(None, Some("register")).unwrap();
    host.write(|ctx, txn| contacts::do_not_call(ctx, txn, known.contacts[0], Expect::Any, Some(&no_calls)));
    let lead = host.add(same_person("Nordlys"));
    let before = essence(&host.store, &host.scene);
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &into(account)));
    let [only] = &plan.contacts[..] else { panic!("{plan:?}") };
    let PlannedPerson::New(fields) = &only.who else { panic!("{only:?}") };
    assert_eq!((opted_out(&fields.emails), fields.do_not_call.is_some()), (vec![true], true), "it is shown");
    // Nor does an edited plan loosen it.
    let mut edited: ConversionPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    for contact in &mut edited.contacts {
        if let PlannedPerson::New(fields) = &mut contact.who {
            fields.emails = Emails::parse(MAIL).unwrap();
            fields.do_not_call = None;
        }
    }
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &edited));
    let made = of_account(&host, account, done.contacts[0]);
    let note = made.emails.entries()[0].note(ReachMark::OptedOut).and_then(MarkNote::reason);
    assert_eq!((opted_out(&made.emails), note), (vec![true], Some("asked by mail")));
    assert_eq!(made.do_not_call.as_ref().and_then(MarkNote::reason), Some("register"));
    let account_now = host.read(|ctx, txn| accounts::get(ctx, txn, account));
    assert_eq!(opted_out(&account_now.fields.emails), [true], "the account learns it of its person");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert_eq!(essence(&host.store, &host.scene), before, "and gives it back");
}

#[test]
fn who_must_not_be_called_is_one_person_not_the_office() {
    let host = Host::new();
    let known = converted(&host, &host.add(nordlys()));
    let account = known.account.unwrap();
    host.write(|ctx, txn| {
        contacts::do_not_call(ctx, txn, known.contacts[0], Expect::Any, Some(&MarkNote::default()))
    });
    let mut fields = nordlys();
    fields.person = leadcore::value::PersonName::parse("Ola Dal").ok();
    fields.emails = Emails::parse("ola@nordlys.example").unwrap();
    let lead = host.add(fields);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &into(account)));
    let made = of_account(&host, account, done.contacts[0]);
    assert!(made.do_not_call.is_none() && !made.phones.entries()[0].opted_out, "{made:?}");
    // A mark of the number itself is everybody's who has it.
    let number = AddressMark::opt_out(ReachChannel::Phone, "+47 22 12 34 56");
    host.write(|ctx, txn| contacts::mark(ctx, txn, known.contacts[0], Expect::Any, &number));
    let mut fields = nordlys();
    fields.person = leadcore::value::PersonName::parse("Eva Moe").ok();
    fields.emails = Emails::parse("eva@nordlys.example").unwrap();
    let lead = host.add(fields);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &into(account)));
    assert!(of_account(&host, account, done.contacts[0]).phones.entries()[0].opted_out);
}

/// The lead's address is opted out; its person, with the same address, is not.
fn marked_lead(store: &dyn Store, scene: &Scene) -> (Lead, ContactId) {
    let ctx = scene.ctx();
    let made = store.write(&scene.tenant, |txn| {
        let mut fields = nordlys();
        fields.phones = Phones::none();
        let lead = leads::create(&ctx, txn, fields.into())?;
        let mut person = ContactFields::named("Kari Berg")?;
        person.emails = Emails::parse(MAIL)?;
        let person = contacts::add(&ctx, txn, lead.id, person, true)?;
        let mark = AddressMark::opt_out(ReachChannel::Email, MAIL);
        let lead = leads::mark_address(&ctx, txn, lead.id, Expect::Any, &mark)?;
        Ok((lead, person.id))
    });
    made.unwrap()
}

fn a_person_of_the_lead_learns_what_the_lead_says(store: &dyn Store) {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let (lead, person) = marked_lead(store, &scene);
    let before = essence(store, &scene);
    for wanted in [ConversionOptions::default(), ConversionOptions::default().contact_only()] {
        scene.tick();
        store.write(&scene.tenant, |txn| convert::convert(&ctx, txn, lead.id, &wanted)).unwrap();
        let (now, told) = store
            .read(&scene.tenant, |txn| {
                let now = txn.contacts().get(&[person])?.remove(0);
                Ok((now, txn.journal().about(&[person.into()], Topics::NONE, None, 1)?.remove(0)))
            })
            .unwrap();
        assert_eq!(opted_out(&now.fields.emails), [true], "{wanted:?}");
        assert_eq!(told.action, Action::Updated, "it is in its history");
        scene.tick();
        store.write(&scene.tenant, |txn| convert::unconvert(&ctx, txn, lead.id)).unwrap();
        assert_eq!(essence(store, &scene), before, "the way back gives it back");
    }
}

#[test]
fn a_person_of_the_lead_learns_what_the_lead_says_in_memory() {
    a_person_of_the_lead_learns_what_the_lead_says(&MemoryStore::new());
}

#[test]
fn a_person_of_the_lead_learns_what_the_lead_says_in_a_database() {
    a_person_of_the_lead_learns_what_the_lead_says(&SqliteStore::open_in_memory().unwrap());
}

#[test]
fn a_chosen_person_learns_what_the_account_says_and_the_account_what_the_person_says() {
    let host = Host::new();
    let known = converted(&host, &host.add(nordlys()));
    let account = known.account.unwrap();
    let patch =
        leadcore::domain::AccountPatch::new().set(Field::Email, format!("{MAIL} (opted_out)").as_str());
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    // The person is one of another account, where nobody said so; its number is said to be none there.
    let other = converted(&host, &host.add(nordlys()));
    let wrong = AddressMark::bounced(ReachChannel::Phone, "+47 22 12 34 56");
    host.write(|ctx, txn| contacts::mark(ctx, txn, other.contacts[0], Expect::Any, &wrong));
    let lead = host.add(same_person("Nordlys"));
    let before = essence(&host.store, &host.scene);
    let wanted = into(account).person(PersonChoice::Existing(other.contacts[0]));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted));
    let person = of_account(&host, account, other.contacts[0]);
    assert_eq!(opted_out(&person.emails), [true]);
    let now = host.read(|ctx, txn| accounts::get(ctx, txn, account));
    assert!(now.fields.phones.entries()[0].invalid, "{now:?}");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert_eq!(essence(&host.store, &host.scene), before);
}
