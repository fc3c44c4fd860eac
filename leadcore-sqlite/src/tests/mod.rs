//! Tests that need the crate's inside: wrong files, many threads, many processes, a second SQLite library.

mod activity_plans;
mod agenda_plans;
mod block_plans;
mod board_plans;
mod child;
mod child_plans;
mod files;
mod foreign;
mod host;
mod keys;
mod opportunity_plans;
mod plans;
mod report_plans;
mod torn;
mod walk_plans;
mod writers;

use std::path::PathBuf;

use crate::SqliteOptions;
use crate::open::Database;

/// A directory that ends with the test, and the name of a database in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("store.db");
    (dir, path)
}

fn open(path: &std::path::Path) -> Database {
    Database::open(path, &SqliteOptions::new()).unwrap()
}

fn count(database: &Database) -> i64 {
    database.read(|tx| Ok(tx.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap())).unwrap()
}
