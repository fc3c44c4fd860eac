//! Many writers lose nothing, and nothing that happens inside a write spoils the next one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use leadcore::error::{Error, ErrorKind};

use super::{child, count, open, place};
use crate::SqliteOptions;
use crate::error::StoreResult as _;
use crate::open::Database;

fn patient() -> SqliteOptions {
    SqliteOptions::new().busy_timeout(Duration::from_secs(600))
}

fn with_counter(database: &Database) {
    database
        .write(|tx| tx.execute_batch("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (0)").store("t"))
        .unwrap();
}

fn counter(database: &Database) -> i64 {
    database.read(|tx| tx.query_row("SELECT n FROM t", [], |row| row.get(0)).store("n")).unwrap()
}

#[test]
fn eight_threads_two_hundred_writes_each() {
    let (_dir, path) = place();
    let database = Database::open(&path, &patient()).unwrap();
    with_counter(&database);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    // Read first, write second: the pattern that fails without BEGIN IMMEDIATE.
                    database
                        .write(|tx| {
                            let n: i64 = tx.query_row("SELECT n FROM t", [], |row| row.get(0)).store("n")?;
                            tx.execute("UPDATE t SET n = ?1", [n + 1]).store("n")
                        })
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(counter(&database), 1_600);
    assert_eq!(database.stats().commits, 1_602);
    println!("8 threads x 200: {:?}", database.stats());
}

#[test]
fn four_processes_two_hundred_writes_each() {
    let (_dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    let children: Vec<_> = (0..4).map(|_| child::spawn("writes_200", &path)).collect();
    for other in children {
        println!("{}", child::said(other));
    }
    assert_eq!(counter(&database), 800);
}

#[test]
fn processes_may_open_a_new_file_at_the_same_moment() {
    let (_dir, path) = place();
    let children: Vec<_> = (0..6).map(|_| child::spawn("opens", &path)).collect();
    for other in children {
        assert_eq!(child::said(other), "opened");
    }
}

#[test]
fn a_panic_rolls_back_and_leaves_the_store_usable() {
    for database in [open(&place_kept()), Database::open_in_memory(&SqliteOptions::new()).unwrap()] {
        with_counter(&database);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            database.write::<()>(|tx| {
                tx.execute("UPDATE t SET n = 99", []).store("n")?;
                panic!("the host's code");
            })
        }));
        assert!(outcome.is_err());
        assert_eq!(counter(&database), 0);
        database.write(|tx| tx.execute("UPDATE t SET n = 1", []).store("n")).unwrap();
        assert_eq!(counter(&database), 1);
    }
}

fn place_kept() -> std::path::PathBuf {
    let (dir, path) = place();
    let _ = dir.keep();
    path
}

#[test]
fn an_error_rolls_back_and_a_host_error_is_not_retried() {
    let (_dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    let runs = AtomicU32::new(0);
    let error = database
        .write::<()>(|tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            tx.execute("UPDATE t SET n = 5", []).store("n")?;
            Err(Error::new(ErrorKind::Unavailable, "the host's mail server is down"))
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(counter(&database), 0);
}

#[test]
fn a_busy_error_inside_runs_the_whole_closure_again() {
    let (_dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    let runs = AtomicU32::new(0);
    database
        .write(|tx| {
            tx.execute("UPDATE t SET n = n + 1", []).store("n")?;
            if runs.fetch_add(1, Ordering::Relaxed) < 3 {
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY_SNAPSHOT);
                return Err(rusqlite::Error::SqliteFailure(code, None)).store("n");
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(counter(&database), 1);
    assert_eq!(database.stats().retries, 3);
}

#[test]
fn another_programs_lock_is_waited_for_and_the_wait_is_bounded() {
    let (_dir, path) = place();
    let database =
        Database::open(&path, &SqliteOptions::new().busy_timeout(Duration::from_millis(150))).unwrap();
    with_counter(&database);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = database.write(|tx| tx.execute("UPDATE t SET n = 1", []).store("n")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.is_retryable() && error.to_string().starts_with("the database stayed busy for 1"),
        "{error}"
    );
    other.execute_batch("COMMIT").unwrap();
    database.write(|tx| tx.execute("UPDATE t SET n = 1", []).store("n")).unwrap();
}

#[test]
fn a_read_sees_one_state_and_cannot_write() {
    let (_dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    let wal = database
        .read(|tx| tx.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0)).store("mode"))
        .unwrap()
        == "wal";
    database
        .read(|tx| {
            assert!(tx.execute("UPDATE t SET n = 7", []).is_err());
            if wal {
                // Not a read of the table yet: the snapshot was taken when the closure began.
                database.write(|tx| tx.execute("UPDATE t SET n = 8", []).store("n"))?;
            }
            let n: i64 = tx.query_row("SELECT n FROM t", [], |row| row.get(0)).store("n")?;
            assert_eq!(n, 0);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_read_keeps_its_state_over_savepoints_and_errors() {
    let (_dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    let number =
        |conn: &rusqlite::Connection| conn.query_row("SELECT n FROM t", [], |row| row.get::<_, i64>(0));
    database
        .read(|conn| {
            for end in ["RELEASE s", "ROLLBACK TO s; RELEASE s"] {
                conn.execute_batch("SAVEPOINT s").store("savepoint")?;
                assert!(conn.execute("UPDATE t SET n = 7", []).is_err());
                conn.execute_batch(end).store("savepoint")?;
            }
            assert!(conn.prepare("SELECT nothing FROM t").is_err());
            // With a rollback journal the writer would wait for this read to end.
            if conn.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0)).unwrap() == "wal"
            {
                database.write(|tx| tx.execute("UPDATE t SET n = n + 8", []).store("n"))?;
                assert_eq!(number(conn).unwrap(), 0);
            }
            Ok(())
        })
        .unwrap();
    // The connection goes back without a trace of that read.
    database.write(|tx| tx.execute("UPDATE t SET n = 9", []).store("n")).unwrap();
    assert_eq!(counter(&database), 9);
    database.read(|_| Err::<(), _>(Error::not_found("lead"))).unwrap_err();
    database.write(|tx| tx.execute("UPDATE t SET n = 10", []).store("n")).unwrap();
    assert_eq!(counter(&database), 10);
}

#[test]
fn readers_are_lent_up_to_the_limit() {
    let (_dir, path) = place();
    let options = SqliteOptions::new().readers(1).busy_timeout(Duration::from_millis(50));
    let database = Database::open(&path, &options).unwrap();
    with_counter(&database);
    let error = database.read(|_| Ok(database.read(|_| Ok(())).unwrap_err())).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(count(&database), 1);
}

#[test]
fn a_write_inside_a_write_is_told_at_once() {
    let database = Database::open_in_memory(&SqliteOptions::new()).unwrap();
    let error = database.write(|_| database.write(|_| Ok(()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = database.read(|_| database.read(|_| Ok(()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn after_a_fork_every_use_is_refused() {
    let (dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    database.pretend_forked();
    for error in [
        database.write(|_| Ok(())).unwrap_err(),
        database.read(|_| Ok(())).unwrap_err(),
        database.backup_to(&dir.path().join("copy.db")).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("fork"), "{error}");
    }
    database.pretend_forked();
    assert_eq!(counter(&database), 0);
}

#[test]
fn a_transaction_that_sql_text_ended_is_an_error_not_a_lost_write() {
    let (_dir, path) = place();
    let database = open(&path);
    with_counter(&database);
    let outcome = database.write(|tx| {
        tx.execute("UPDATE t SET n = 3", []).store("n")?;
        tx.execute_batch("ROLLBACK").store("n")
    });
    assert!(outcome.is_err());
    assert_eq!(counter(&database), 0);
    database.write(|tx| tx.execute("UPDATE t SET n = 4", []).store("n")).unwrap();
    assert_eq!(counter(&database), 4);
}
