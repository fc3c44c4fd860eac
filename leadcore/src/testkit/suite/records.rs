//! The ports for contacts and accounts.

use crate::domain::{Account, AccountFields, AccountStatus, Contact, ContactFields, LeadKind, MarkNote};
use crate::error::ErrorKind;
use crate::id::{AccountId, ContactId, Revision};
use crate::query::search_terms;
use crate::store::{NameSearch, Store};
use crate::time::Timestamp;

use super::super::fixtures::{World, custom_values, full_fields, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn full_contact(world: &World, text: &str) -> Contact {
    let fields = full_fields(world, text);
    let mut contact = world.contact("x");
    contact.fields = ContactFields {
        name: fields.person,
        job_title: fields.job_title,
        role: Some(text.to_owned()),
        emails: fields.emails,
        phones: fields.phones,
        do_not_call: Some(MarkNote::new(Some(Timestamp::MIN), Some(text)).unwrap()),
        description: fields.description,
        custom: custom_values(text.len()),
    };
    contact
}

fn full_account(world: &World, number: u64, text: &str) -> Account {
    let fields = full_fields(world, text);
    let mut account = world.account(number, text);
    account.fields = AccountFields {
        kind: LeadKind::Consumer,
        name: text.to_owned(),
        status: AccountStatus::Prospect,
        emails: fields.emails,
        phones: fields.phones,
        website: fields.website,
        address: fields.address,
        tax_id: fields.tax_id,
        currency: fields.currency,
        currency_symbol: fields.currency_symbol,
        industry: fields.industry,
        description: fields.description,
        owner: fields.owner,
        category: fields.category,
        custom: custom_values(text.len()),
    };
    account
}

/// Every field of a contact comes back, with texts and times that are hard to keep, in the order asked.
pub fn contacts_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut contacts: Vec<_> = storable_texts().map(|text| full_contact(&world, text)).collect();
    let mut edge = world.contact("Edge");
    edge.fields.job_title = Some(String::new());
    (edge.created_at, edge.updated_at, edge.revision) = (Timestamp::MIN, Timestamp::MAX, Revision::new(9));
    contacts.push(edge);
    world.write(store, |txn| txn.contacts().insert(&contacts));
    contacts.reverse();
    let mut asked: Vec<_> = contacts.iter().map(|contact| contact.id).collect();
    asked.insert(1, ContactId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.contacts().get(&asked));
    assert_eq!(found, contacts, "contacts must come back byte for byte, in the order asked");
}

/// Ids are unique, revisions are kept, and a refused slice writes nothing.
pub fn contacts_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let (first, fine) = (world.contact("First"), world.contact("Fine"));
    world.write(store, |txn| txn.contacts().insert(std::slice::from_ref(&first)));
    let why = "the id of a contact is unique";
    let slice = [fine.clone(), first.clone()];
    let error = refused(&world, store, why, |txn| txn.contacts().insert(&slice));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    let found = world.read(store, |txn| txn.contacts().get(&[fine.id]));
    assert_eq!(found, [], "nothing of a refused slice may be written");

    let mut next = full_contact(&world, "Next");
    (next.id, next.revision) = (first.id, Revision::new(2));
    world.write(store, |txn| txn.contacts().update(std::slice::from_ref(&next)));
    let found = world.read(store, |txn| txn.contacts().get(&[first.id]));
    assert_eq!(found, std::slice::from_ref(&next), "an update must write every field");
    let why = "a contact that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.contacts().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown contact cannot be updated";
    let error = refused(&world, store, why, |txn| txn.contacts().update(std::slice::from_ref(&fine)));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// Every field of an account comes back, with texts and times that are hard to keep, in the order asked.
pub fn accounts_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    let mut accounts: Vec<_> =
        (2..).zip(storable_texts()).map(|(number, text)| full_account(&world, number, text)).collect();
    let mut edge = world.account(i64::MAX as u64, "Edge");
    (edge.created_at, edge.updated_at, edge.revision) = (Timestamp::MIN, Timestamp::MAX, Revision::new(9));
    accounts.push(edge);
    world.write(store, |txn| txn.accounts().insert(&accounts));
    accounts.reverse();
    let mut asked: Vec<_> = accounts.iter().map(|account| account.id).collect();
    asked.insert(1, AccountId::from_uuid(world.scene.uuid()));
    let found = world.read(store, |txn| txn.accounts().get(&asked));
    assert_eq!(found, accounts, "accounts must come back byte for byte, in the order asked");
}

/// Ids and numbers are unique, revisions are kept, and a refused slice writes nothing.
pub fn accounts_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let (first, fine) = (world.account(2, "First"), world.account(3, "Fine"));
    world.write(store, |txn| txn.accounts().insert(std::slice::from_ref(&first)));
    let same_number = world.account(2, "Other");
    let same_id = Account { number: 4, ..first.clone() };
    for (taken, why) in [(same_number, "the number of an account is unique"), (same_id, "its id is unique")] {
        let slice = [fine.clone(), taken];
        let error = refused(&world, store, why, |txn| txn.accounts().insert(&slice));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
        let found = world.read(store, |txn| txn.accounts().get(&[fine.id, first.id]));
        assert_eq!(found, std::slice::from_ref(&first), "nothing of a refused slice may be written");
    }
    let mut next = full_account(&world, 2, "Next");
    (next.id, next.revision) = (first.id, Revision::new(2));
    world.write(store, |txn| txn.accounts().update(std::slice::from_ref(&next)));
    let found = world.read(store, |txn| txn.accounts().get(&[first.id]));
    assert_eq!(found, std::slice::from_ref(&next), "an update must write every field");
    let why = "an account that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.accounts().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown account cannot be updated";
    let error = refused(&world, store, why, |txn| txn.accounts().update(std::slice::from_ref(&fine)));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// Accounts are scanned by number, from behind a number, at most so many.
pub fn accounts_are_scanned_by_number(store: &dyn Store) {
    let world = World::install(store);
    let accounts: Vec<_> = [30, 10, 20].map(|number| world.account(number, "Scan")).to_vec();
    world.write(store, |txn| txn.accounts().insert(&accounts));
    let numbers = |after, limit| -> Vec<u64> {
        let found = world.read(store, |txn| txn.accounts().scan(after, limit));
        found.iter().map(|account| account.number).collect()
    };
    assert_eq!(numbers(None, 10), [1, 10, 20, 30], "by number, lowest first");
    assert_eq!(numbers(Some(10.into()), 1), [20], "behind the number, at most the limit");
    assert_eq!(numbers(Some(15.into()), usize::MAX), [20, 30], "a number that nobody has is a place too");
    assert_eq!(numbers(Some(30.into()), 10), [0; 0], "nothing lies behind the last");
    assert_eq!(numbers(Some(u64::MAX.into()), 10), [0; 0], "nothing lies behind the largest number");
    assert_eq!(numbers(None, 0), [0; 0], "a limit of zero gives nothing");
}

/// An account that is removed is in no list, no search and no block any more; the others stay.
pub fn a_removed_account_is_gone_everywhere(store: &dyn Store) {
    let world = World::install(store);
    let (gone, stays) = (full_account(&world, 2, "Nordlys"), world.account(3, "Nordlys"));
    world.write(store, |txn| txn.accounts().insert(&[gone.clone(), stays.clone()]));
    let unknown = world.account(4, "Unknown");
    world.write(store, |txn| txn.accounts().remove(&[gone.id, unknown.id]));
    let left = std::slice::from_ref(&stays);
    assert_eq!(world.read(store, |txn| txn.accounts().get(&[gone.id, stays.id])), left);
    let listed = world.read(store, |txn| txn.accounts().scan(Some(1.into()), 10));
    assert_eq!(listed, left);
    let search = NameSearch { terms: search_terms("nordlys"), after: None, limit: 10 };
    assert_eq!(world.read(store, |txn| txn.accounts().search(&search)), left);
    let blocks = world.read(store, |txn| txn.accounts().blocks(&gone.block_keys(), 10));
    assert!(blocks.iter().all(|block| block.ids == [stays.id]), "{blocks:?}");
    // The same number is free for whoever brings it: the counter does not give it again.
    let again = world.account(2, "Again");
    world.write(store, |txn| txn.accounts().insert(std::slice::from_ref(&again)));
}
