//! A host's connection that is not fit: refused with what to run.

use leadcore::desk::leads;
use leadcore::domain::LeadFields;
use leadcore::error::{Error, ErrorKind};
use leadcore::testkit::fixtures::Scene;
use rusqlite::Connection;

use crate::{SqliteTxn, migrate};

/// What the first call in a transaction on this connection says.
fn first_call(conn: &mut Connection, prefix: &str) -> Result<(), Error> {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let tx = conn.transaction().unwrap();
    let mut txn = SqliteTxn::with_prefix(&tx, &scene.tenant, prefix).unwrap();
    leads::create(&ctx, &mut txn, LeadFields::company("Nordlys AS").unwrap().into()).map(drop)
}

#[test]
fn a_connection_without_our_tables_is_told_to_migrate() {
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys=ON").unwrap();
    let error = first_call(&mut conn, "leadcore_").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("call migrate"), "{error}");
    migrate::migrate(&conn, "leadcore_").unwrap();
    first_call(&mut conn, "leadcore_").unwrap();
    let error = first_call(&mut conn, "other_").unwrap_err();
    assert!(error.to_string().contains("`other_…`"), "the prefix is named: {error}");
}

#[test]
fn a_connection_without_foreign_keys_is_told_to_switch_them_on() {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    conn.execute_batch("PRAGMA foreign_keys=OFF").unwrap();
    let error = first_call(&mut conn, "leadcore_").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("PRAGMA foreign_keys=ON"), "{error}");
    conn.execute_batch("PRAGMA foreign_keys=ON").unwrap();
    first_call(&mut conn, "leadcore_").unwrap();
}

#[test]
fn a_connection_with_keys_of_another_version_is_told_to_rebuild() {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    conn.execute_batch("UPDATE leadcore_keys SET version = 999").unwrap();
    let error = first_call(&mut conn, "leadcore_").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("call migrate::rebuild_keys"), "{error}");
}
