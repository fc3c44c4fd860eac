//! A write of several rows that fails behind its first one: nothing of it is ever there.

use leadcore::desk::leads;
use leadcore::domain::{Lead, LeadFields};
use leadcore::error::{ErrorKind, Result};
use leadcore::id::LeadId;
use leadcore::store::{StoreExt as _, Txn, nested};
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
