//! A write of several rows that fails behind its first one: nothing of it is ever there.

use leadcore::desk::{accounts, contacts, leads};
use leadcore::domain::{Account, AccountFields, Contact, ContactFields, Lead, LeadFields};
use leadcore::error::{ErrorKind, Result};
use leadcore::id::{LeadId, Revision};
use leadcore::query::search_terms;
use leadcore::store::{NameSearch, StoreExt as _, Txn, nested};
use leadcore::testkit::fixtures::Scene;
use rusqlite::Connection;
use uuid::Uuid;

use crate::{SqliteStore, SqliteTxn, migrate};

/// A lead that is there.
fn first(scene: &Scene, txn: &mut dyn Txn) -> Result<Lead> {
    leads::create(&scene.ctx(), txn, LeadFields::company("Nordlys AS")?.into())
}

/// Another one that is not.
fn other(lead: &Lead) -> Lead {
    Lead { id: LeadId::from_uuid(Uuid::from_u128(7)), number: lead.number + 7, ..lead.clone() }
}

/// The second of these rows is refused: it is the first one again.
fn half(txn: &mut dyn Txn, other: &Lead) -> Result<()> {
    txn.leads().insert(&[other.clone(), other.clone()])
}

fn stored(scene: &Scene) -> (SqliteStore, Lead) {
    let store = SqliteStore::open_in_memory().unwrap();
    let lead = store.write(&scene.tenant, |txn| first(scene, txn)).unwrap();
    (store, lead)
}

#[test]
fn half_of_a_write_is_never_committed() {
    let scene = Scene::new("acme");
    let (store, lead) = stored(&scene);
    let other = other(&lead);
    let error = store.write(&scene.tenant, |txn| {
        assert_eq!(half(txn, &other).unwrap_err().kind(), ErrorKind::AlreadyExists);
        // Passed over: nothing else is done in this unit of work, and it is not committed.
        assert_eq!(txn.leads().get(&[lead.id]).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(nested(txn, |_| Ok(())).unwrap_err().kind(), ErrorKind::Unsupported);
        Ok(())
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    let found = store.read(&scene.tenant, |txn| txn.leads().get(&[lead.id, other.id])).unwrap();
    assert_eq!(found, [lead]);
    store.write(&scene.tenant, |txn| txn.leads().insert(std::slice::from_ref(&other))).unwrap();
}

#[test]
fn a_savepoint_takes_half_of_a_write_back() {
    let scene = Scene::new("acme");
    let (store, lead) = stored(&scene);
    let other = other(&lead);
    store
        .write(&scene.tenant, |txn| {
            assert_eq!(nested(txn, |txn| half(txn, &other)).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!(txn.leads().get(&[other.id])?, [], "nothing of it is there");
            // Passed over in the savepoint, it is taken back all the same.
            let passed_over = nested(txn, |txn| {
                let _ = half(txn, &other);
                Ok(())
            });
            assert_eq!(passed_over.unwrap_err().kind(), ErrorKind::Unsupported);
            assert_eq!(txn.leads().get(&[other.id])?, [], "nothing of it is there");
            txn.leads().insert(std::slice::from_ref(&other))
        })
        .unwrap();
    let found = store.read(&scene.tenant, |txn| txn.leads().get(&[other.id])).unwrap();
    assert_eq!(found, [other]);
}

#[test]
fn what_is_refused_at_its_first_row_leaves_the_transaction_as_it_was() {
    let scene = Scene::new("acme");
    let (store, lead) = stored(&scene);
    let other = other(&lead);
    store
        .write(&scene.tenant, |txn| {
            let error = txn.leads().insert(&[lead.clone(), other.clone()]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            txn.leads().insert(std::slice::from_ref(&other))
        })
        .unwrap();
}

/// Two accounts and a person of the first.
fn customers(scene: &Scene, store: &SqliteStore) -> (Account, Account, Contact) {
    let named = |name: &str| AccountFields { name: name.to_owned(), ..AccountFields::default() };
    let made = store.write(&scene.tenant, |txn| {
        let first = accounts::create(&scene.ctx(), txn, named("Havblikk").into())?;
        let second = accounts::create(&scene.ctx(), txn, named("Fjordlys").into())?;
        let anna =
            contacts::add(&scene.ctx(), txn, first.id, ContactFields::named("Anna Berg").unwrap(), true)?;
        Ok((first, second, anna))
    });
    made.unwrap()
}

/// How many accounts and contacts are found by these words.
fn found(txn: &mut dyn Txn, accounts: &str, contacts: &str) -> Result<(usize, usize)> {
    let search = |text: &str| NameSearch { terms: search_terms(text), after: None, limit: 10 };
    let accounts = txn.accounts().search(&search(accounts))?.len();
    Ok((accounts, txn.contacts().search(&search(contacts), None)?.len()))
}

#[test]
fn a_record_that_is_refused_at_once_leaves_the_transaction_as_it_was() {
    let scene = Scene::new("acme");
    let (store, _) = stored(&scene);
    let (first, second, anna) = customers(&scene, &store);
    let mut renamed = Account { revision: first.revision.next(), ..first.clone() };
    renamed.fields.name = "Solsiden".to_owned();
    let mut married = Contact { revision: anna.revision.next(), ..anna.clone() };
    married.fields = ContactFields::named("Anna Vik").unwrap();
    let stale = Revision::new(7);
    store
        .write(&scene.tenant, |txn| {
            let old = Account { revision: stale, ..renamed.clone() };
            assert_eq!(txn.accounts().update(&[old]).unwrap_err().kind(), ErrorKind::Conflict);
            // Nor is a number taken twice.
            let taken = Account { number: second.number, ..renamed.clone() };
            assert_eq!(txn.accounts().update(&[taken]).unwrap_err().kind(), ErrorKind::AlreadyExists);
            let old = Contact { revision: stale, ..married.clone() };
            assert_eq!(txn.contacts().update(&[old]).unwrap_err().kind(), ErrorKind::Conflict);
            assert_eq!(found(txn, "havblikk", "berg")?, (1, 1), "nothing was forgotten");
            txn.accounts().update(std::slice::from_ref(&renamed))?;
            txn.contacts().update(std::slice::from_ref(&married))
        })
        .unwrap();
    let read = |accounts: &str, contacts: &str| {
        store.read(&scene.tenant, |txn| found(txn, accounts, contacts)).unwrap()
    };
    assert_eq!((read("solsiden", "vik"), read("havblikk", "berg")), ((1, 1), (0, 0)));
    // Behind its first row it is torn, and a savepoint takes it back with the index.
    let half =
        [Account { revision: renamed.revision.next(), ..first }, Account { revision: stale, ..second }];
    let torn = store.write(&scene.tenant, |txn| {
        let half = nested(txn, |txn| txn.accounts().update(&half));
        assert_eq!(half.unwrap_err().kind(), ErrorKind::Conflict);
        found(txn, "solsiden", "vik")
    });
    assert_eq!(torn.unwrap(), (1, 1));
}

#[test]
fn in_a_hosts_transaction_half_of_a_write_is_taken_back_at_once() {
    let scene = Scene::new("acme");
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys=ON").unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let tx = conn.transaction().unwrap();
    let mut txn = SqliteTxn::on(&tx, &scene.tenant);
    let lead = first(&scene, &mut txn).unwrap();
    let other = other(&lead);
    assert_eq!(half(&mut txn, &other).unwrap_err().kind(), ErrorKind::AlreadyExists);
    // The host commits what it likes.
    tx.commit().unwrap();
    let tx = conn.transaction().unwrap();
    let found = SqliteTxn::on(&tx, &scene.tenant);
    let count = |sql: &str| -> i64 { tx.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM leadcore_lead"), 1);
    assert_eq!(count("SELECT count(*) FROM leadcore_lead_search"), 1);
    drop(found);
}
