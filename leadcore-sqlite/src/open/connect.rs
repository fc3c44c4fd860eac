//! Opening connections: what is checked before a byte is written, and what every connection is set to.

use std::fs;
use std::path::{Path, PathBuf};

use leadcore::error::{Error, ErrorKind, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{StoreResult as _, about_file, is_busy};
use crate::guard::{Journal, SideLock, with_suffix};
use crate::migrate;
use crate::options::{Durability, SqliteOptions};
use crate::queue::Patience;

/// The oldest SQLite whose SQL we keep to: STRICT tables (3.37) and what Debian 12 ships.
const OLDEST: i32 = 3_040_000;

/// A file that passed all checks, with its writing connection.
pub(super) struct Opened {
    pub(super) conn: Connection,
    pub(super) path: PathBuf,
    pub(super) journal: Journal,
    pub(super) side: SideLock,
    pub(super) patience: Patience,
}

/// Whether the linked SQLite has what leadcore needs. Asked of a database in memory, so that it leaves no trace.
pub(super) fn library_serves() -> Result<()> {
    if rusqlite::version_number() < OLDEST {
        return Err(unsupported(format!(
            "the linked SQLite is {}, leadcore needs 3.40.0 or newer",
            rusqlite::version()
        )));
    }
    let probe = Connection::open_in_memory().store("check the linked SQLite")?;
    probe.execute_batch("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize = 'trigram')").map_err(
        |error| {
            unsupported(format!(
                "the linked SQLite {} has no FTS5 with the trigram tokenizer: use the feature `bundled`",
                rusqlite::version()
            ))
            .with_source(error)
        },
    )
}

/// Whether this SQLite can lose commits in WAL mode (sqlite.org/wal.html, "the WAL-reset bug").
pub(crate) const fn has_wal_reset_bug(version: i32) -> bool {
    !(version >= 3_051_003
        || (version >= 3_050_007 && version < 3_051_000)
        || (version >= 3_044_006 && version < 3_045_000))
}

/// Opens the file for writing, after checking without changing it.
pub(super) fn file(path: &Path, options: &SqliteOptions) -> Result<Opened> {
    let patience = Patience::new(options.busy_timeout);
    regular_or_new(path, options)?;
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if options.create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    // Without SQLITE_OPEN_URI: a file name is a file name, whatever it looks like.
    let conn = Connection::open_with_flags(path, flags).map_err(|error| about_file(error, "open", path))?;
    // SQLite has created an absent file by now, so the name can be resolved; it does the same for its own files.
    let path = fs::canonicalize(path).map_err(|error| {
        Error::new(ErrorKind::Storage, format!("open `{}`: cannot resolve its name", path.display()))
            .with_source(error)
    })?;
    conn.busy_timeout(patience.left()).store("open")?;
    retry(&patience, || look_inside(&conn, &path, options))?;
    // A read-only file or directory is found out before anything is put beside it.
    retry(&patience, || can_write(&conn, options).map_err(|error| about_file(error, "open", &path)))?;
    let side = SideLock::beside(&path)?;
    let journal = {
        let _alone = side.hold(&patience)?;
        retry(&patience, || set_journal(&conn, &path, options))?
    };
    configure(&conn, options)?;
    set_synchronous(&conn, journal, options)?;
    // A first read, so that SQLite has opened all its files.
    retry(&patience, || {
        conn.query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(())).store("open")
    })?;
    Ok(Opened { conn, path, journal, side, patience })
}

/// One more connection, which cannot write.
pub(super) fn reader(path: Option<&Path>, options: &SqliteOptions) -> Result<Connection> {
    let path = path.ok_or_else(super::closed)?;
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL database must be able to write its locks.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| about_file(error, "open", path))?;
    conn.busy_timeout(options.busy_timeout).store("open")?;
    configure(&conn, options)?;
    conn.execute_batch("PRAGMA query_only=ON").store("open")?;
    Ok(conn)
}

/// Settings of a connection that is ours. They live in the connection, never in the file.
pub(super) fn configure(conn: &Connection, options: &SqliteOptions) -> Result<()> {
    let secure_delete = if options.secure_delete { "ON" } else { "OFF" };
    conn.execute_batch(&format!(
        "PRAGMA foreign_keys=ON;
         -- A prepared file must not call functions through views and triggers (sqlite.org/security.html).
         PRAGMA trusted_schema=OFF;
         -- Notice damaged cells when they are read, not when they have spread.
         PRAGMA cell_size_check=ON;
         PRAGMA temp_store=MEMORY;
         PRAGMA secure_delete={secure_delete};
         PRAGMA cache_size=-{};
         -- The log shrinks back to this after a large import.
         PRAGMA journal_size_limit=16777216;",
        u64::from(options.cache_mib) * 1024,
    ))
    .store("configure")?;
    // Without it, SQLite prepares a statement anew whenever a value is bound that its plan might depend on: for nothing
    // here, as plans do not depend on statistics.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).store("configure")?;
    conn.set_prepared_statement_cache_capacity(128);
    crate::txn::register_fold(conn, &format!("{}fold", options.prefix))?;
    foreign_keys_on(conn)
}

/// What can be said about a connection of the host without changing it: its file and journal, or `None` in memory.
pub(super) fn handed_over(conn: &Connection, options: &SqliteOptions) -> Result<Option<(PathBuf, Journal)>> {
    if !conn.is_autocommit() {
        return Err(unsupported(
            "a transaction is open on the connection handed over: end it first".to_owned(),
        ));
    }
    foreign_keys_on(conn)?;
    let mode = journal_mode(conn)?;
    let path = match conn.path().filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => return Ok(None),
    };
    if mode == "memory" || mode == "off" {
        return Err(unsupported(format!(
            "journal_mode={mode} on the connection handed over cannot roll back after a crash: use WAL or DELETE"
        )));
    }
    let path = fs::canonicalize(&path).unwrap_or(path);
    if mode == "wal" {
        wal_is_safe(&path, options)?;
    }
    conn.query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))
        .map_err(|error| about_file(error, "read", &path))?;
    Ok(Some((path, if mode == "wal" { Journal::Wal } else { Journal::Rollback })))
}

/// Looks at the name alone (`stat`): opening a FIFO would wait for ever, and opening a database that this process
/// has open already would, on closing it, drop its locks.
fn regular_or_new(path: &Path, options: &SqliteOptions) -> Result<()> {
    let refuse_as = |kind: ErrorKind, why: &str| {
        Err(Error::new(kind, format!("open `{}`: {why}; nothing was changed", path.display())))
    };
    let refuse = |why: &str| refuse_as(ErrorKind::Storage, why);
    match fs::metadata(path) {
        _ if path.as_os_str().is_empty() => refuse("a database needs a file name"),
        Ok(meta) if meta.is_dir() => refuse("it is a directory"),
        Ok(meta) if !meta.is_file() => refuse("it is not a regular file"),
        Ok(meta) if meta.len() == 0 && !options.create => refuse("the file is empty"),
        // SQLite takes a file of a few bytes for an empty database and would write over it. The smallest page has
        // 512 bytes.
        Ok(meta) if (1..512).contains(&meta.len()) => {
            refuse_as(ErrorKind::Corrupt, "the file is too short to be an SQLite database")
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && options.create => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => refuse("there is no such file"),
        // SQLite says what is wrong with the rest.
        Err(_) => Ok(()),
    }
}

/// Reads header and schema: a file that is not a sound database, or is too new for us, is found out here.
fn look_inside(conn: &Connection, path: &Path, options: &SqliteOptions) -> Result<()> {
    let tx = Transaction::new_unchecked(conn, TransactionBehavior::Deferred).store("open")?;
    let number = |pragma: &str| {
        tx.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|error| about_file(error, "open", path))
    };
    tx.query_row("SELECT count(name || sql) FROM main.sqlite_schema", [], |_| Ok(()))
        .map_err(|error| about_file(error, "open", path))?;
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    // A log may hold the pages that the file itself lacks. Asked in this order, and inside the transaction, because
    // other processes may be writing: a log is emptied only after its pages have reached the file.
    let log = fs::metadata(with_suffix(path, "-wal")).map_or(0, |meta| meta.len());
    let length = fs::metadata(path).map_or(0, |meta| meta.len());
    if log == 0 && u64::try_from(bytes).is_ok_and(|bytes| length < bytes) {
        // SQLite itself opens a file that lost less than a page, and fails only where it looks.
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "open `{}`: the file was cut short, {length} of {bytes} bytes are there; nothing was changed",
                path.display()
            ),
        ));
    }
    if migrate::pending(&tx, &options.prefix)?.is_empty() {
        migrate::validate(&tx, &options.prefix)?;
    }
    tx.rollback().store("open")
}

/// Writes and takes it back. BEGIN IMMEDIATE alone does not tell: on a read-only file it quietly only reads.
fn can_write(conn: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
    tx.execute_batch(&format!("CREATE TABLE main.{}can_write (x)", options.prefix))?;
    tx.rollback()
}

fn set_journal(conn: &Connection, path: &Path, options: &SqliteOptions) -> Result<Journal> {
    let wal = journal_mode(conn)? == "wal";
    if wal {
        wal_is_safe(path, options)?;
        return Ok(Journal::Wal);
    }
    let (journal, wanted) = if wal_is_safe(path, options).is_ok() {
        (Journal::Wal, "wal")
    } else {
        (Journal::Rollback, "delete")
    };
    let got: String = conn
        .pragma_update_and_check(None, "journal_mode", wanted, |row| row.get(0))
        .map_err(|error| about_file(error, "open", path))?;
    if got != wanted {
        return Err(unsupported(format!(
            "open `{}`: journal_mode={wanted} was asked for, {got} is what this file takes",
            path.display()
        )));
    }
    Ok(journal)
}

fn wal_is_safe(path: &Path, options: &SqliteOptions) -> Result<()> {
    if options.accept_wal_reset_bug || !has_wal_reset_bug(rusqlite::version_number()) {
        return Ok(());
    }
    Err(unsupported(format!(
        "`{}` is in WAL mode and the linked SQLite {} can lose commits there (the WAL-reset bug): link 3.51.3 or \
         newer (rusqlite 0.39), or accept_wal_reset_bug",
        path.display(),
        rusqlite::version()
    )))
}

/// What a commit waits for: with a rollback journal FULL forgets to sync the directory, so that the journal of the
/// last commit can come back after a power cut and undo it. EXTRA does not.
fn set_synchronous(conn: &Connection, journal: Journal, options: &SqliteOptions) -> Result<()> {
    let (name, number) = match (journal, options.durability) {
        (Journal::Wal, Durability::Full) => ("FULL", 2),
        (Journal::Wal, Durability::NormalMayLoseLastCommits) => ("NORMAL", 1),
        (Journal::Rollback, Durability::Full) => ("EXTRA", 3),
        // NORMAL with a rollback journal can damage the file, which no setting of ours may do.
        (Journal::Rollback, Durability::NormalMayLoseLastCommits) => ("FULL", 2),
    };
    conn.execute_batch(&format!("PRAGMA synchronous={name}")).store("configure")?;
    let got: i64 = conn.pragma_query_value(None, "synchronous", |row| row.get(0)).store("configure")?;
    if got == number { Ok(()) } else { Err(unsupported(format!("synchronous={name} was not taken"))) }
}

fn foreign_keys_on(conn: &Connection) -> Result<()> {
    let on: i64 = conn.pragma_query_value(None, "foreign_keys", |row| row.get(0)).store("configure")?;
    if on == 1 {
        return Ok(());
    }
    Err(unsupported(
        "foreign_keys is off on this connection: run PRAGMA foreign_keys=ON before handing it over"
            .to_owned(),
    ))
}

fn journal_mode(conn: &Connection) -> Result<String> {
    conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).store("read the journal mode")
}

/// Runs `step` again while others are in its way: many processes may open a new file at once.
fn retry<T>(patience: &Patience, mut step: impl FnMut() -> Result<T>) -> Result<T> {
    let mut attempt = 0;
    loop {
        match step() {
            Err(error) if is_busy(&error) => {
                if !patience.pause(attempt) {
                    return Err(patience.exhausted().with_source(error));
                }
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

fn unsupported(sentence: String) -> Error {
    Error::new(ErrorKind::Unsupported, sentence)
}
