//! Files that are not what they should be are refused unchanged; the host's own file keeps what is the host's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use leadcore::error::ErrorKind;
use rusqlite::Connection;

use super::{child, count, open, place};
use crate::SqliteOptions;
use crate::error::StoreResult as _;
use crate::open::Database;

/// Another application's database of about 100 kB, in rollback-journal mode.
fn other_application(path: &Path) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA user_version=7; PRAGMA application_id=4711;
         CREATE TABLE leads (id INTEGER PRIMARY KEY, name TEXT);
         CREATE VIEW v AS SELECT name FROM leads;
         CREATE TRIGGER tr AFTER INSERT ON leads BEGIN UPDATE leads SET name = name || '!' WHERE id = new.id; END;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000)
         INSERT INTO leads SELECT i, hex(randomblob(40)) FROM n;",
    )
    .unwrap();
}

/// Opens `path` and expects a refusal of this kind within a second that leaves every byte alone.
fn refused(path: &Path, kind: ErrorKind) -> String {
    let before = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|_| fs::read(path).unwrap());
    let start = Instant::now();
    let error = Database::open(path, &SqliteOptions::new()).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(error.kind(), kind, "{}: {error}", path.display());
    if let Some(before) = before {
        assert!(before == fs::read(path).unwrap(), "{} was changed", path.display());
    }
    error.to_string()
}

#[test]
fn twelve_wrong_files_are_refused_unchanged() {
    let (dir, _) = place();
    let at = |name: &str| dir.path().join(name);
    let with = |name: &str, bytes: &[u8]| {
        fs::write(at(name), bytes).unwrap();
        at(name)
    };
    other_application(&at("good.db"));
    let good = fs::read(at("good.db")).unwrap();

    refused(&with("text.txt", "a line of text\n".repeat(500).as_bytes()), ErrorKind::Corrupt);
    refused(&with("leads.csv", b"name,email\nAnna,a@example.org\n"), ErrorKind::Corrupt);
    refused(&with("one-byte", b"x"), ErrorKind::Corrupt);
    refused(&with("zeros", &[0; 8192]), ErrorKind::Corrupt);
    refused(&with("magic-only", b"SQLite format 3\0"), ErrorKind::Corrupt);
    refused(&with("half.db", &good[..good.len() / 2]), ErrorKind::Corrupt);
    refused(&with("cut-tail.db", &good[..good.len() - 1000]), ErrorKind::Corrupt);
    let mut broken_schema = good.clone();
    broken_schema[100..400].fill(0xff);
    refused(&with("broken-schema.db", &broken_schema), ErrorKind::Corrupt);
    let mut broken_header = good.clone();
    broken_header[16..24].fill(0x55);
    refused(&with("broken-header.db", &broken_header), ErrorKind::Corrupt);
    fs::create_dir(at("directory")).unwrap();
    assert!(refused(&at("directory"), ErrorKind::Storage).contains("is a directory"));
    if Command::new("mkfifo").arg(at("fifo")).status().is_ok_and(|status| status.success()) {
        refused(&at("fifo"), ErrorKind::Storage);
    }
    refused(&at("no/such/directory.db"), ErrorKind::Storage);
    refused(Path::new(""), ErrorKind::Storage);
    let newer = at("newer.db");
    drop(open(&newer));
    let conn = Connection::open(&newer).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode=DELETE;
         INSERT INTO leadcore_schema VALUES (99, 'future', '0-0', '2030-01-01T00:00:00.000Z')",
    )
    .unwrap();
    drop(conn);
    let sentence = refused(&newer, ErrorKind::Unsupported);
    assert!(sentence.contains("99") && sentence.contains(&crate::migrate::LATEST.to_string()), "{sentence}");
}

#[test]
fn an_absent_or_empty_file_becomes_a_database_only_where_asked() {
    let (dir, path) = place();
    let careful = SqliteOptions::new().create(false);
    assert_eq!(Database::open(&path, &careful).unwrap_err().kind(), ErrorKind::Storage);
    assert!(!path.exists());
    fs::write(&path, b"").unwrap();
    assert_eq!(Database::open(&path, &careful).unwrap_err().kind(), ErrorKind::Storage);
    drop(open(&path));
    drop(Database::open(&path, &careful).unwrap());
    drop(open(&dir.path().join("file:odd?mode=ro")));
    assert!(dir.path().join("file:odd?mode=ro").exists());
}

#[test]
fn the_hosts_own_file_keeps_what_is_the_hosts() {
    let (_dir, path) = place();
    other_application(&path);
    let state = |path: &Path| {
        let conn = Connection::open(path).unwrap();
        let numbers: (i64, i64, i64) = conn
            .query_row(
                "SELECT (SELECT user_version FROM pragma_user_version), \
                 (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM leads)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        let schema: String = conn
            .query_row(
                "SELECT group_concat(sql, ';') FROM sqlite_schema WHERE name NOT LIKE 'leadcore%'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        (numbers, schema)
    };
    let before = state(&path);
    let database = open(&path);
    database
        .write(|tx| tx.execute("INSERT INTO leadcore_number VALUES ('a', zeroblob(16), 0, 1)", []).store("t"))
        .unwrap();
    drop(database);
    assert_eq!(state(&path), before);
    assert_eq!(before.0, (7, 4711, 1000));
}

#[test]
fn settings_are_read_back() {
    let (_dir, path) = place();
    let database = open(&path);
    let one = |tx: &Connection, name: &str| {
        tx.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).store("pragma")
    };
    let wal = !crate::open::has_wal_reset_bug(rusqlite::version_number());
    let expected = if wal { ("wal", 2) } else { ("delete", 3) };
    let check = |tx: &Connection| {
        assert_eq!(one(tx, "foreign_keys")?, 1);
        assert_eq!(one(tx, "trusted_schema")?, 0);
        assert_eq!(one(tx, "cell_size_check")?, 1);
        assert_eq!(one(tx, "temp_store")?, 2);
        assert_eq!(one(tx, "secure_delete")?, 1);
        assert_eq!(one(tx, "cache_size")?, -16 * 1024);
        let mode: String = tx.pragma_query_value(None, "journal_mode", |row| row.get(0)).store("pragma")?;
        assert_eq!(mode, expected.0);
        Ok(())
    };
    database.read(check).unwrap();
    database
        .write(|tx| {
            assert_eq!(one(tx, "synchronous")?, expected.1);
            check(tx)
        })
        .unwrap();
}

#[test]
fn versions_with_the_wal_reset_bug() {
    for (version, has_it) in [
        (3_040_001, true),
        (3_044_005, true),
        (3_044_006, false),
        (3_046_000, true),
        (3_050_006, true),
        (3_050_007, false),
        (3_051_000, true),
        (3_051_002, true),
        (3_051_003, false),
        (3_054_001, false),
    ] {
        assert_eq!(crate::open::has_wal_reset_bug(version), has_it, "{version}");
    }
}

#[test]
fn a_handed_over_connection_keeps_its_settings() {
    let (_dir, path) = place();
    let pragmas =
        ["synchronous", "cache_size", "trusted_schema", "secure_delete", "busy_timeout", "journal_mode"];
    let read = |conn: &Connection| -> Vec<String> {
        let text = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        pragmas.iter().map(|p| format!("{:?}", conn.pragma_query_value(None, p, text).unwrap())).collect()
    };
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL; CREATE TABLE t (n)").unwrap();
    let before = read(&conn);
    let database = Database::from_connection(conn, &SqliteOptions::new()).unwrap();
    database.write(|tx| tx.execute("INSERT INTO t VALUES (1)", []).store("t")).unwrap();
    assert_eq!(count(&database), 1);
    assert_eq!(database.read(|tx| Ok(read(tx))).unwrap(), before);
    assert_eq!(database.path(), Some(path.as_path()));

    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA foreign_keys=OFF").unwrap();
    assert_eq!(
        Database::from_connection(conn, &SqliteOptions::new()).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys=ON; BEGIN").unwrap();
    assert_eq!(
        Database::from_connection(conn, &SqliteOptions::new()).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys=ON").unwrap();
    let database = Database::from_connection(conn, &SqliteOptions::new()).unwrap();
    assert!(database.path().is_none());
}

#[test]
fn without_migrating_an_empty_file_is_refused() {
    let (_dir, path) = place();
    let options = SqliteOptions::new().migrate(false);
    assert_eq!(Database::open(&path, &options).unwrap_err().kind(), ErrorKind::Unsupported);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&crate::migrate::migrations_sql("leadcore_").unwrap()).unwrap();
    drop(conn);
    assert!(Database::open(&path, &options).is_ok());
}

#[test]
fn a_backup_is_one_plain_file_and_overwrites_nothing() {
    let (dir, path) = place();
    let database = open(&path);
    database.write(|tx| tx.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)").store("t")).unwrap();
    let copy = dir.path().join("copy.db");
    database.backup_to(&copy).unwrap();
    assert_eq!(database.backup_to(&copy).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(database.backup_to(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(database.backup_to(&dir.path().join("no/dir.db")).unwrap_err().kind(), ErrorKind::Storage);
    // The original is unharmed and still guarded.
    database.write(|tx| tx.execute("INSERT INTO t VALUES (2)", []).store("t")).unwrap();
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("copy.db-")), "{left:?}");
    let copied = Connection::open(&copy).unwrap();
    let (n, mode): (i64, String) = copied
        .query_row(
            "SELECT (SELECT count(*) FROM t), (SELECT journal_mode FROM pragma_journal_mode)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((n, mode.as_str()), (1, "delete"));
    let memory = Database::open_in_memory(&SqliteOptions::new()).unwrap();
    memory.backup_to(&dir.path().join("memory.db")).unwrap();
    assert!(Database::open(dir.path().join("memory.db"), &SqliteOptions::new()).is_ok());
}

#[cfg(unix)]
#[test]
fn a_read_only_file_or_directory_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    for (file_mode, dir_mode) in [(0o444, 0o777), (0o444, 0o555), (0o666, 0o555)] {
        let (dir, path) = place();
        drop(open(&path));
        // Only the database is there, as after a copy onto a read-only medium.
        for lock in ["-lock", "-next"] {
            fs::remove_file(crate::guard::with_suffix(&path, lock)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(file_mode)).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(dir_mode)).unwrap();
        let mut command = child::command("opens", &path);
        let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n");
        if root {
            // Permissions do not stop root, so somebody else has to try.
            command.uid(65_534).gid(65_534);
        }
        let said = match command.spawn() {
            Ok(other) => child::said(other),
            Err(error) => {
                println!("SKIPPED: cannot run the test as another user: {error}");
                return;
            }
        };
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        println!("{said}");
        assert!(said.starts_with("Storage: ") && said.contains("store.db"), "{said}");
    }
}
