//! Finding accounts and contacts by what a lead has in common with them.

use crate::domain::{BlockKey, BlockKind, Contact, ContactFields, CustomValue, Trashed};
use crate::id::{OperationId, Revision};
use crate::store::{Block, Store};

use super::super::fixtures::{World, storable_texts};

fn key(kind: BlockKind, key: &str) -> BlockKey {
    BlockKey::new(kind, key).unwrap()
}

fn keys_of(blocks: &[Block<impl Copy>]) -> Vec<String> {
    blocks.iter().map(|block| format!("{}:{}", block.key.kind.code(), block.key.key)).collect()
}

/// Every key of an account leads to it, whatever it holds, and to no other; blocks come in the order asked.
pub fn accounts_are_found_by_their_keys(store: &dyn Store) {
    let world = World::install(store);
    let names = ["Nordlys AS", "NORDLYS A/S", "O'Neil \"%_\" Ltd"].into_iter().chain(storable_texts());
    let mut accounts: Vec<_> = (7..).zip(names).map(|(number, name)| world.account(number, name)).collect();
    accounts[0].fields.emails = "Post@nordlys.example, x@gmail.com".parse().unwrap();
    accounts[0].fields.phones = "+47 22 22 55 55".parse().unwrap();
    accounts[0].fields.tax_id = Some("no 923 609 016".parse().unwrap());
    world.write(store, |txn| txn.accounts().insert(&accounts));
    let keys = accounts[0].block_keys();
    let wanted = [
        "number:7",
        "tax_id:923609016",
        "tax_id:NO923609016",
        "email:post@nordlys.example",
        "email:x@gmail.com",
        "phone:4722225555",
        "company:nordlys",
        "domain:nordlys.example",
    ];
    let found = world.read(store, |txn| txn.accounts().blocks(&keys, 10));
    assert_eq!(keys_of(&found), wanted, "the order asked");
    let mut both = [accounts[0].id, accounts[1].id];
    both.sort();
    assert_eq!((found[6].ids.as_slice(), found[0].ids.as_slice()), (&both[..], &[accounts[0].id][..]));
    for account in &accounts {
        for key in account.block_keys() {
            let found = world.read(store, |txn| txn.accounts().blocks(std::slice::from_ref(&key), 1_000));
            let expected = accounts.iter().filter(|known| known.block_keys().contains(&key)).count();
            assert_eq!(found.first().map(|block| block.ids.len()), Some(expected), "{key:?}");
            assert!(found[0].ids.contains(&account.id) && found[0].ids.is_sorted());
        }
    }
    let none = [key(BlockKind::Email, "nobody@x.example"), key(BlockKind::Person, "nordlys")];
    assert_eq!(
        world.read(store, |txn| txn.accounts().blocks(&none, 10)),
        [],
        "a key that nobody has is left out"
    );
    assert_eq!(world.read(store, |txn| txn.contacts().blocks(&keys, 10)), [], "an account is no contact");
}

/// What is beyond the limit is said and not listed.
pub fn a_block_that_is_cut_says_so(store: &dyn Store) {
    let world = World::install(store);
    let accounts: Vec<_> = (7..12).map(|number| world.account(number, "Nordlys")).collect();
    world.write(store, |txn| txn.accounts().insert(&accounts));
    let asked = [key(BlockKind::Company, "nordlys")];
    for (limit, cut) in [(0, true), (1, true), (4, true), (5, false), (usize::MAX, false)] {
        let found = world.read(store, |txn| txn.accounts().blocks(&asked, limit));
        assert_eq!((found[0].ids.len(), found[0].is_cut), (limit.min(5), cut), "{limit}");
    }
}

/// Accounts that are archived crowd nobody out who may be meant: they lose their keys but those of custom fields, and have them
/// again when they come back.
pub fn an_archived_account_is_found_by_custom_fields_alone(store: &dyn Store) {
    let world = World::install(store);
    let trashed =
        Trashed { at: world.scene.ctx().now(), operation: OperationId::from_uuid(uuid::Uuid::from_u128(7)) };
    let mut old: Vec<_> = (7..10).map(|number| world.account(number, "Nordlys")).collect();
    for account in &mut old {
        account.fields.emails = "post@nordlys.example".parse().unwrap();
        account.fields.custom.insert("x_code".parse().unwrap(), CustomValue::Text("A-1".to_owned()));
    }
    // One of them comes archived, as from a copy.
    old[2].archived = Some(trashed.clone());
    world.write(store, |txn| txn.accounts().insert(&old));
    let live = world.account(20, "Nordlys");
    world.write(store, |txn| txn.accounts().insert(std::slice::from_ref(&live)));
    let all = old[0].block_keys();
    let (of_fields, others): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|key| matches!(key.kind, BlockKind::Custom | BlockKind::Field));
    assert_eq!((of_fields.len(), others.len()), (2, 4), "{all:?}");
    let write = |accounts: &mut [crate::domain::Account], archived: Option<&Trashed>| {
        for account in accounts.iter_mut() {
            (account.archived, account.revision) = (archived.cloned(), account.revision.next());
        }
        world.write(store, |txn| txn.accounts().update(accounts));
    };
    let found = |keys: &[BlockKey], limit: usize| world.read(store, |txn| txn.accounts().blocks(keys, limit));
    write(&mut old[..2], Some(&trashed));
    let blocks = found(&others, 1);
    assert_eq!(keys_of(&blocks), ["company:nordlys"]);
    assert_eq!((blocks[0].ids.as_slice(), blocks[0].is_cut), (&[live.id][..], false));
    let blocks = found(&of_fields, 10);
    assert!(blocks.len() == 2 && blocks.iter().all(|block| block.ids.len() == 3), "{blocks:?}");
    write(&mut old, None);
    let blocks = found(&all, 10);
    let counts: Vec<_> = blocks.iter().map(|block| (block.key.kind, block.ids.len())).collect();
    let mut wanted: Vec<_> = all.iter().map(|key| (key.kind, 3)).collect();
    for (kind, count) in &mut wanted {
        match kind {
            BlockKind::Number => *count = 1,
            BlockKind::Company => *count = 4,
            _ => {}
        }
    }
    assert_eq!(counts, wanted, "as before");
}

/// A key that a record no longer has leads to it no more; a new one does.
pub fn keys_of_contacts_follow_every_write(store: &dyn Store) {
    let world = World::install(store);
    let mut anna = world.contact("Anna Berg");
    anna.fields.emails = "anna@nordlys.example, a@nordlys.example".parse().unwrap();
    let other = world.contact("Anna Berg");
    world.write(store, |txn| txn.contacts().insert(&[anna.clone(), other.clone()]));
    let found = |asked: &BlockKey| {
        let found = world.read(store, |txn| txn.contacts().blocks(std::slice::from_ref(asked), 10));
        found.into_iter().flat_map(|block| block.ids).collect::<Vec<_>>()
    };
    let (name, mail) = (key(BlockKind::Person, "anna berg"), key(BlockKind::Email, "anna@nordlys.example"));
    let mut both = vec![anna.id, other.id];
    both.sort();
    assert_eq!((found(&name), found(&mail)), (both, vec![anna.id]));
    let fields = ContactFields {
        emails: "a@nordlys.example, new@nordlys.example".parse().unwrap(),
        ..anna.fields.clone()
    };
    let next = Contact { fields, revision: Revision::new(2), ..anna.clone() };
    world.write(store, |txn| txn.contacts().update(std::slice::from_ref(&next)));
    let new = key(BlockKind::Email, "new@nordlys.example");
    let kept = key(BlockKind::Email, "a@nordlys.example");
    assert_eq!((found(&mail), found(&new), found(&kept)), (vec![], vec![anna.id], vec![anna.id]));
    world.write(store, |txn| txn.contacts().remove(&[anna.id]));
    assert_eq!((found(&name), found(&new)), (vec![other.id], vec![]), "who was removed is found no more");
}
