use super::*;

const FIRST: Migration = Migration { version: 1, name: "a", sql: "CREATE TABLE {prefix}a (x) ;" };
const SECOND: Migration = Migration { version: 2, name: "b", sql: "CREATE TABLE {prefix}b (x);" };
const BROKEN: Migration =
    Migration { version: 2, name: "b", sql: "CREATE TABLE {prefix}b (x); INSERT INTO nosuch VALUES (1);" };

fn memory() -> Connection {
    Connection::open_in_memory().unwrap()
}

fn schema(conn: &Connection) -> String {
    conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(|sql| sql.unwrap() + ";\n")
        .collect()
}

#[test]
fn numbers_have_no_gaps() {
    for (migration, version) in ALL.iter().zip(1..) {
        assert_eq!(migration.version, version);
        assert!(migration.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    }
    assert_eq!(ALL.last().unwrap().version, LATEST);
}

/// Every object carries the prefix, so that nothing of the host's can be hit.
#[test]
fn every_object_is_prefixed() {
    let conn = memory();
    migrate(&conn, "zz_").unwrap();
    let names: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(names.len() > 1);
    assert!(names.iter().all(|name| name.starts_with("zz_")), "{names:?}");
}

#[test]
fn the_schema_of_a_new_database_is_pinned() {
    let conn = memory();
    migrate(&conn, "leadcore_").unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrations/schema.sql");
    let now = format!(
        "-- The schema of a new database. Written by LEADCORE_BLESS=1 cargo test -p leadcore-sqlite pinned\n{}",
        schema(&conn)
    );
    if std::env::var_os("LEADCORE_BLESS").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    let pinned = std::fs::read_to_string(file).unwrap().replace("\r\n", "\n");
    assert_eq!(now, pinned, "add a migration, then bless");
}

#[test]
fn the_script_for_a_dba_makes_the_same_schema() {
    let (ours, script) = (memory(), memory());
    migrate(&ours, "crm_").unwrap();
    script.execute_batch(&migrations_sql("crm_").unwrap()).unwrap();
    assert_eq!(schema(&ours), schema(&script));
    validate(&script, "crm_").unwrap();
    assert!(migrations_sql("a; DROP").is_err());
}

#[test]
fn runs_once_and_in_order() {
    let conn = memory();
    assert_eq!(missing(&[FIRST, SECOND], &conn, "p_").unwrap(), [FIRST, SECOND]);
    assert_eq!(run(&[FIRST], &conn, "p_").unwrap(), [FIRST]);
    assert_eq!(run(&[FIRST, SECOND], &conn, "p_").unwrap(), [SECOND]);
    let before = schema(&conn);
    assert_eq!(run(&[FIRST, SECOND], &conn, "p_").unwrap(), []);
    assert_eq!(schema(&conn), before);
}

#[test]
fn a_broken_migration_leaves_nothing_and_the_hosts_work_stands() {
    let mut conn = memory();
    let tx = conn.transaction().unwrap();
    tx.execute_batch("CREATE TABLE hosts (x); INSERT INTO hosts VALUES (1)").unwrap();
    let before = schema(&tx);
    assert!(run(&[FIRST, BROKEN], &tx, "p_").is_err());
    assert_eq!(schema(&tx), before);
    tx.commit().unwrap();
    assert_eq!(conn.query_row("SELECT x FROM hosts", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn rolls_back_with_the_hosts_transaction() {
    let mut conn = memory();
    let tx = conn.transaction().unwrap();
    migrate(&tx, "p_").unwrap();
    tx.rollback().unwrap();
    assert_eq!(schema(&conn), "");
}

#[test]
fn two_prefixes_live_in_one_file() {
    let conn = memory();
    run(&[FIRST, SECOND], &conn, "p_").unwrap();
    assert_eq!(missing(&[FIRST, SECOND], &conn, "q_").unwrap().len(), 2);
    run(&[FIRST], &conn, "q_").unwrap();
    conn.execute("INSERT INTO p_a VALUES (1)", []).unwrap();
    assert_eq!(conn.query_row("SELECT count(*) FROM q_a", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(missing(&[FIRST, SECOND], &conn, "q_").unwrap(), [SECOND]);
    assert_eq!(missing(&[FIRST, SECOND], &conn, "p_").unwrap(), []);
}

#[test]
fn a_newer_schema_names_both_versions() {
    let conn = memory();
    run(&[FIRST, SECOND], &conn, "p_").unwrap();
    let before = schema(&conn);
    let error = run(&[FIRST], &conn, "p_").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("version 2") && error.to_string().contains("knows 1"), "{error}");
    assert_eq!(schema(&conn), before);
}

#[test]
fn a_record_that_does_not_fit_is_damage() {
    for damage in [
        "UPDATE p_schema SET checksum = 'x' WHERE version = 1",
        "UPDATE p_schema SET name = 'x' WHERE version = 2",
        "DELETE FROM p_schema WHERE version = 1",
        "INSERT INTO p_schema VALUES (0, 'x', 'x', 'x')",
        "ALTER TABLE p_schema DROP COLUMN applied_at",
        "DROP TABLE p_schema; CREATE TABLE p_schema (version, name, checksum, applied_at);
         INSERT INTO p_schema VALUES ('one', 'a', 'b', 'c')",
    ] {
        let conn = memory();
        run(&[FIRST, SECOND], &conn, "p_").unwrap();
        conn.execute_batch(damage).unwrap();
        let error = run(&[FIRST, SECOND], &conn, "p_").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
    }
}

#[test]
fn tables_without_their_record_are_not_overwritten() {
    let conn = memory();
    conn.execute_batch("CREATE TABLE p_a (mine)").unwrap();
    let before = schema(&conn);
    assert!(run(&[FIRST], &conn, "p_").is_err());
    assert_eq!(schema(&conn), before);
}

#[test]
fn line_ends_do_not_change_a_checksum() {
    let unix = Migration { version: 1, name: "a", sql: "SELECT 1;\nSELECT 2;\n" };
    let dos = Migration { version: 1, name: "a", sql: "SELECT 1;\r\nSELECT 2;\r\n" };
    assert_eq!(unix.checksum(), dos.checksum());
    assert_eq!(dos.sql("p_"), unix.sql("p_"));
    assert_ne!(unix.checksum(), FIRST.checksum());
}
