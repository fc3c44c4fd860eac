//! A second SQLite library in this process, and what it does to our locks.
//!
//! A file handle stands in for it where it has closed the file: the kernel drops the locks for either.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use leadcore::error::ErrorKind;

use super::{child, count, open, place};
use crate::SqliteOptions;
use crate::error::StoreResult as _;
use crate::guard::with_suffix;
use crate::open::{Database, SHORT_READ};

fn table(database: &Database) {
    database.write(|tx| tx.execute_batch("CREATE TABLE t (n INTEGER)").store("t")).unwrap();
}

/// What a second library does when it has read from the file and closes it.
fn foreign_close(path: &Path) {
    drop(File::open(path).unwrap());
    let shm = with_suffix(path, "-shm");
    if shm.exists() {
        drop(File::open(shm).unwrap());
    }
}

fn rows(path: &Path) -> Vec<i64> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let mut statement = conn.prepare("SELECT n FROM t ORDER BY n").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Ours and another process's transaction overlap after the locks were dropped. `closing` drops them.
fn overlap(other: &str, closing: impl Fn(&Path)) -> (Result<usize, ErrorKind>, String, Vec<i64>) {
    let (_dir, path) = place();
    let database = open(&path);
    assert!(database.is_watched());
    table(&database);
    let mut theirs = String::new();
    let ours = database
        .write(|tx| {
            let n = tx.execute("INSERT INTO t VALUES (1)", []).store("write")?;
            closing(&path);
            theirs = child::run(other, &path);
            Ok(n)
        })
        .map_err(|error| error.kind());
    drop(database);
    (ours, theirs, rows(&path))
}

#[test]
fn with_locks_in_place_the_other_process_waits() {
    for other in ["plain_sqlite_writes_one", "leadcore_writes_one"] {
        let (ours, theirs, rows) = overlap(other, |_| ());
        assert_eq!(ours, Ok(1));
        assert_ne!(theirs, "committed");
        assert_eq!(rows, [1]);
    }
}

#[test]
fn a_dropped_lock_costs_no_acknowledged_row_of_a_program_without_leadcore() {
    let (ours, theirs, rows) = overlap("plain_sqlite_writes_one", foreign_close);
    assert_eq!(ours, Err(ErrorKind::Unsupported));
    assert_eq!(theirs, "committed", "the hazard did not arise, so this test shows nothing");
    assert_eq!(rows, [2]);
}

#[test]
fn a_dropped_lock_does_not_let_a_second_leadcore_process_in() {
    let (ours, theirs, rows) = overlap("leadcore_writes_one", foreign_close);
    assert_eq!(ours, Err(ErrorKind::Unsupported));
    assert_eq!(theirs, "Unavailable");
    assert_eq!(rows, [] as [i64; 0]);
}

#[test]
fn closing_either_file_is_noticed() {
    for closing in [
        |path: &Path| drop(File::open(path).unwrap()),
        |path: &Path| drop(File::open(with_suffix(path, "-shm")).unwrap()),
    ] {
        let (_dir, path) = place();
        let database = open(&path);
        table(&database);
        if with_suffix(&path, "-shm").exists() {
            closing(&path);
            let error =
                database.write(|tx| tx.execute("INSERT INTO t VALUES (1)", []).store("t")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(
                error.to_string().contains("store.db") && error.to_string().contains("backup_to"),
                "{error}"
            );
        }
        // A fresh start heals it.
        drop(database);
        let database = open(&path);
        database.write(|tx| tx.execute("INSERT INTO t VALUES (1)", []).store("t")).unwrap();
        assert_eq!(count(&database), 1);
    }
}

/// In a process of its own, which has few files open: of many it is asked what is mapped, and a handle maps nothing.
#[test]
fn a_second_library_that_keeps_the_file_open_is_noticed_before_and_after() {
    let (_dir, path) = place();
    assert_eq!(child::run("keeps_it_open", &path), "noticed");
}

/// What the other process of that test does.
pub(super) fn keeps_it_open(path: &Path) -> String {
    let noticed = "noticed".to_owned();
    let database = open(path);
    table(&database);
    let shm = with_suffix(path, "-shm");
    if !shm.exists() {
        return noticed;
    }
    let mut theirs = None;
    let error = database
        .write(|tx| {
            theirs = Some(File::open(&shm).unwrap());
            tx.execute("INSERT INTO t VALUES (1)", []).store("t")
        })
        .unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
    let error = database.write(|tx| tx.execute("INSERT INTO t VALUES (2)", []).store("t")).unwrap_err();
    assert!(error.to_string().contains("nothing was written"), "{error}");
    assert_eq!(Database::open(path, &SqliteOptions::new()).unwrap_err().kind(), ErrorKind::Unsupported);
    drop(theirs);
    drop(database);
    assert_eq!(rows(path), [] as [i64; 0]);
    noticed
}

#[test]
fn the_log_deleted_by_another_process_swallows_no_later_write() {
    let (_dir, path) = place();
    let database = open(&path);
    table(&database);
    drop(File::open(&path).unwrap());
    // It believes to be the last one, so that closing it removes the log under our feet.
    assert_eq!(child::run("plain_sqlite_writes_one", &path), "committed");
    let ours = database.write(|tx| tx.execute("INSERT INTO t VALUES (1)", []).store("t"));
    let kept = ours.is_ok();
    drop(database);
    assert_eq!(rows(&path), if kept { vec![1, 2] } else { vec![2] });
}

#[test]
fn a_read_whose_snapshot_lost_its_lock_is_discarded() {
    let (_dir, path) = place();
    let database = open(&path);
    table(&database);
    let error = database
        .read(|tx| {
            foreign_close(&path);
            // Longer than a read that is too short to be checked.
            std::thread::sleep(2 * SHORT_READ);
            tx.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).store("t")
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("discarded"), "{error}");
}

#[test]
fn a_store_opened_after_the_damage_is_refused() {
    let (_dir, path) = place();
    let first = open(&path);
    table(&first);
    if !with_suffix(&path, "-shm").exists() {
        return;
    }
    foreign_close(&path);
    // The library still has the file open and believes in its locks, so a second store would share the damage.
    assert_eq!(Database::open(&path, &SqliteOptions::new()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn connections_of_our_own_library_raise_no_alarm() {
    let (_dir, path) = place();
    let database = open(&path);
    table(&database);
    for n in 0..20 {
        let second = open(&path);
        let plain = rusqlite::Connection::open(&path).unwrap();
        plain.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
        second.write(|tx| tx.execute("INSERT INTO t VALUES (?1)", [n]).store("t")).unwrap();
        database.write(|tx| tx.execute("INSERT INTO t VALUES (?1)", [n]).store("t")).unwrap();
        if n % 5 == 0 {
            drop(plain);
            let plain = rusqlite::Connection::open(&path).unwrap();
            plain.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM").unwrap();
        }
        assert_eq!(count(&database), count(&second));
    }
    assert_eq!(count(&database), 60);
}

#[test]
fn the_look_is_cheap() {
    use crate::guard::{Journal, Moment, SideLock, Watch};
    use crate::queue::Patience;
    let (_dir, path) = place();
    let database = open(&path);
    table(&database);
    let side = SideLock::beside(&path).unwrap();
    let patience = Patience::new(std::time::Duration::from_secs(60));
    let Some(watch) = Watch::start(&path, Journal::Wal, &side, &patience).unwrap() else { return };
    for moment in [Moment::BeforeWrite, Moment::AfterCommit] {
        let start = Instant::now();
        (0..1_000).for_each(|_| watch.look(moment).unwrap());
        println!("{moment:?}: {:?} a look", start.elapsed() / 1_000);
    }
    let start = Instant::now();
    for n in 0..200 {
        database.write(|tx| tx.execute("INSERT INTO t VALUES (?1)", [n]).store("t")).unwrap();
    }
    println!("guarded commit: {:?}", start.elapsed() / 200);
    let mut plain = rusqlite::Connection::open(&path).unwrap();
    let start = Instant::now();
    for n in 0..200 {
        let tx = plain.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
        tx.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
        tx.commit().unwrap();
    }
    println!("plain commit:   {:?}", start.elapsed() / 200);
}

/// A file that is renamed, replaced or deleted under an open store is called that, and not a second library.
#[test]
fn a_file_that_was_moved_away_is_called_that() {
    type Move = fn(&Path);
    let moves: [(&str, Move); 3] = [
        ("renamed", |path| std::fs::rename(path, path.with_file_name("elsewhere.db")).unwrap()),
        ("deleted", |path| std::fs::remove_file(path).unwrap()),
        ("replaced", |path| {
            std::fs::rename(path, path.with_file_name("elsewhere.db")).unwrap();
            std::fs::write(path, b"").unwrap();
        }),
    ];
    for (name, move_away) in moves {
        let (_dir, path) = place();
        let database = open(&path);
        assert!(database.is_watched());
        table(&database);
        move_away(&path);
        let error = database.write(|tx| tx.execute("INSERT INTO t VALUES (1)", []).store("t")).unwrap_err();
        let said = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Storage, "{name}: {said}");
        assert!(said.contains("renamed, replaced or deleted") && said.contains("store.db"), "{name}: {said}");
        assert!(!said.contains("library"), "{name}: {said}");
    }
}
