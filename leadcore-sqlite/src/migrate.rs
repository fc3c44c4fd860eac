//! The schema, as numbered SQL files that are only ever added to.
//!
//! Which files have run is written in `{prefix}schema`: `PRAGMA user_version` is one number per *file* and belongs
//! to the host. Every function works on the host's own connection or inside its transaction (it uses a savepoint,
//! never BEGIN or COMMIT), so a host can bring its tables and ours up to date together, or neither.
//!
//! The table is kept by hand rather than through `schemerz`: a linear list of files needs no dependency graph, and
//! the whole of it is readable SQL that a DBA can run without us (`bdk_chain` does the same).
//!
//! A file that rebuilds a table must count children before and after, and must not drop a parent while
//! `foreign_keys` is on: `ON DELETE CASCADE` empties the child tables without an error.

use std::fmt::Write as _;

use leadcore::domain::KEYS_VERSION;
use leadcore::error::{Error, ErrorKind, Result};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreResult as _;
use crate::options::check_prefix;

pub use crate::keys::rebuild_keys;

/// One numbered SQL file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

impl Migration {
    /// Its number, counted from 1 without gaps.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Its name without number and ending: `core`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its SQL for tables that start with `prefix`, which the caller has checked.
    fn sql(&self, prefix: &str) -> String {
        let text = self.sql.replace("\r\n", "\n").replace("{prefix}", prefix);
        text.replace("{keys}", &KEYS_VERSION.to_string())
    }

    /// Length and FNV-1a (64 bit) of the text, so that an edited file is noticed. Line ends do not count, because
    /// version control may change them.
    fn checksum(&self) -> String {
        let text = self.sql.replace("\r\n", "\n");
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{}-{hash:016x}", text.len())
    }
}

/// Every migration, in order. Released ones are never edited: add a new file.
const ALL: &[Migration] =
    &[Migration { version: 1, name: "core", sql: include_str!("migrations/0001_core.sql") }];

/// The schema version this build reads and writes.
pub const LATEST: u32 = 1;

/// Brings leadcore's tables with this prefix up to date and says which migrations ran. All of them or none; running
/// it again does nothing.
///
/// Give it a `Transaction` to make it part of the host's own unit of work. When several processes may start at
/// once, begin that transaction with `IMMEDIATE`.
///
/// ```
/// use leadcore_sqlite::{migrate, rusqlite::Connection};
/// let mut conn = Connection::open_in_memory().unwrap();
/// let tx = conn.transaction().unwrap();
/// assert!(!migrate::migrate(&tx, "leadcore_")?.is_empty());
/// assert!(migrate::migrate(&tx, "leadcore_")?.is_empty());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Unsupported` for a newer schema; `Corrupt` when the record of what ran does not fit; the database's own errors.
/// In each case the tables are as they were.
pub fn migrate(conn: &Connection, prefix: &str) -> Result<Vec<Migration>> {
    run(ALL, conn, prefix)
}

/// The migrations that [`migrate`] would run. Reads only.
///
/// # Errors
/// As [`migrate`].
pub fn pending(conn: &Connection, prefix: &str) -> Result<Vec<Migration>> {
    missing(ALL, conn, prefix)
}

/// Succeeds when the schema is exactly the one this build works with. Reads only.
///
/// # Errors
/// `Unsupported` when migrations are pending, or keys were written by another version (see [`rebuild_keys`]); else as
/// [`migrate`].
pub fn validate(conn: &Connection, prefix: &str) -> Result<()> {
    match missing(ALL, conn, prefix)?.first() {
        None => crate::keys::check(conn, prefix),
        Some(first) if first.version == 1 => Err(Error::new(
            ErrorKind::Unsupported,
            format!("leadcore's tables `{prefix}…` are not in this database: call migrate::migrate first"),
        )),
        Some(first) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the schema of `{prefix}` is at version {}, this build needs {LATEST}: run the migrations",
                first.version.saturating_sub(1)
            ),
        )),
    }
}

/// All migrations as one SQL script for an empty database, for a DBA to read or run.
///
/// # Errors
/// `Invalid` for a prefix that is not `[a-z][a-z0-9_]{0,30}`.
pub fn migrations_sql(prefix: &str) -> Result<String> {
    check_prefix(prefix)?;
    let mut script = format!("BEGIN IMMEDIATE;\n{}", table_sql(prefix));
    for migration in ALL {
        let _ = write!(
            script,
            "\n-- {:04} {}\n{}{}",
            migration.version,
            migration.name,
            migration.sql(prefix),
            record_sql(migration, prefix)
        );
    }
    script.push_str("\nCOMMIT;\n");
    Ok(script)
}

fn table_sql(prefix: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {prefix}schema (\n    version    INTEGER NOT NULL PRIMARY KEY,\n    \
         name       TEXT NOT NULL,\n    checksum   TEXT NOT NULL,\n    applied_at TEXT NOT NULL\n) STRICT;\n"
    )
}

/// Name and checksum hold no quotes: both are ours.
fn record_sql(migration: &Migration, prefix: &str) -> String {
    format!(
        "INSERT INTO {prefix}schema (version, name, checksum, applied_at)\n    \
         VALUES ({}, '{}', '{}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));\n",
        migration.version,
        migration.name,
        migration.checksum()
    )
}

fn run(all: &[Migration], conn: &Connection, prefix: &str) -> Result<Vec<Migration>> {
    let todo = missing(all, conn, prefix)?;
    if todo.is_empty() {
        return Ok(todo);
    }
    conn.execute_batch("SAVEPOINT leadcore_migrate").store("migrate")?;
    // Asked again inside: another process may have been first.
    match missing(all, conn, prefix).and_then(|todo| apply(&todo, conn, prefix)) {
        Ok(done) => {
            conn.execute_batch("RELEASE leadcore_migrate").store("migrate")?;
            Ok(done)
        }
        Err(error) => {
            // After a full disk SQLite has rolled back already and there is no savepoint to go back to: the first
            // error is the one to report.
            let _ = conn.execute_batch("ROLLBACK TO leadcore_migrate; RELEASE leadcore_migrate");
            Err(error)
        }
    }
}

fn apply(todo: &[Migration], conn: &Connection, prefix: &str) -> Result<Vec<Migration>> {
    conn.execute_batch(&table_sql(prefix)).store("migrate")?;
    for migration in todo {
        let what = format!("migrate to version {} ({})", migration.version, migration.name);
        conn.execute_batch(&migration.sql(prefix)).store(&what)?;
        conn.execute_batch(&record_sql(migration, prefix)).store(&what)?;
    }
    Ok(todo.to_vec())
}

fn missing(all: &[Migration], conn: &Connection, prefix: &str) -> Result<Vec<Migration>> {
    check_prefix(prefix)?;
    let applied = applied(conn, prefix)?;
    let known = all.last().map_or(0, |last| i64::from(last.version));
    if let Some(newest) = applied.iter().map(|row| row.0).max().filter(|newest| *newest > known) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the schema of `{prefix}` is at version {newest}, this build knows {known}: \
                 use a newer leadcore; nothing was changed"
            ),
        ));
    }
    for (row, migration) in applied.iter().zip(all) {
        if row.0 != i64::from(migration.version) || row.1 != migration.name || row.2 != migration.checksum() {
            return Err(damaged(prefix));
        }
    }
    Ok(all.iter().skip(applied.len()).copied().collect())
}

fn applied(conn: &Connection, prefix: &str) -> Result<Vec<(i64, String, String)>> {
    let table = format!("{prefix}schema");
    // Temporary tables would hide the real one, so the name is always said with its database.
    let exists = conn
        .query_row(
            "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1",
            [&table],
            |_| Ok(()),
        )
        .optional()
        .store("read the schema")?;
    if exists.is_none() {
        return Ok(Vec::new());
    }
    let columns: Vec<String> = conn
        .prepare(&format!("SELECT name FROM pragma_table_info('{table}', 'main')"))
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .store("read the schema")?;
    if columns != ["version", "name", "checksum", "applied_at"] {
        return Err(damaged(prefix));
    }
    conn.prepare(&format!("SELECT version, name, checksum FROM main.{table} ORDER BY version"))
        .and_then(|mut statement| {
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .store("read the schema")
}

fn damaged(prefix: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("`{prefix}schema` does not list the migrations that made this database; nothing was changed"),
    )
}

#[cfg(test)]
mod tests;
