//! SQLite's errors in leadcore's terms.
//!
//! The cause is kept where its text cannot hold a value: SQLite names tables and columns in its messages, never
//! what is in them. Two kinds do quote data and lose their cause: FTS5 query errors and failed conversions.

use leadcore::error::{Conflict, Error, ErrorKind, Result};
use rusqlite::ffi;

/// Ends a rusqlite call in leadcore's terms: `tx.execute(…).store("write lead")?`.
pub(crate) trait StoreResult<T> {
    /// The value, or the error with a sentence that starts with `what` was being done.
    fn store(self, what: &str) -> Result<T>;
}

impl<T> StoreResult<T> for rusqlite::Result<T> {
    fn store(self, what: &str) -> Result<T> {
        self.map_err(|error| from_sqlite(error, what))
    }
}

/// The leadcore error for `error`, which happened while doing `what`.
pub(crate) fn from_sqlite(error: rusqlite::Error, what: &str) -> Error {
    let (kind, sentence) = classify(&error);
    let mapped = Error::new(kind, format!("{what}: {sentence}"));
    if quotes_data(&error) { mapped } else { mapped.with_source(error) }
}

/// A foreign key failed because the record it points to is missing: `{what} not found`. Other errors pass as they are.
pub(crate) fn parent_missing(error: rusqlite::Error, what: &str) -> Error {
    if extended_code(&error) == Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) {
        Error::not_found(what).with_source(error)
    } else {
        from_sqlite(error, what)
    }
}

/// A foreign key failed because `by` records still point to this one. Other errors pass as they are.
pub(crate) fn still_in_use(error: rusqlite::Error, what: &str, by: u64) -> Error {
    if extended_code(&error) == Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) {
        Error::conflicting(what, Conflict::InUse { by }).with_source(error)
    } else {
        from_sqlite(error, what)
    }
}

/// Whether running the whole transaction again may help: another connection was in the way.
///
/// A host's own closure may fail with [`ErrorKind::Unavailable`] for reasons of its own; only SQLite's count here.
pub(crate) fn is_busy(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<rusqlite::Error>())
        .is_some_and(is_busy_code)
}

/// [`is_busy`] for an error that was not mapped yet.
pub(crate) fn is_busy_code(error: &rusqlite::Error) -> bool {
    matches!(primary_code(error), Some(ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED))
}

/// The same error with a sentence that says which file it is about.
pub(crate) fn about_file(error: rusqlite::Error, what: &str, file: &std::path::Path) -> Error {
    from_sqlite(error, &format!("{what} `{}`", file.display()))
}

/// SQLite's extended result code, where the error has one.
pub(crate) fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.extended_code),
        rusqlite::Error::SqlInputError { error, .. } => Some(error.extended_code),
        _ => None,
    }
}

fn primary_code(error: &rusqlite::Error) -> Option<i32> {
    // The low byte of an extended code is the primary one (sqlite.org/rescode.html).
    extended_code(error).map(|code| code & 0xff)
}

fn classify(error: &rusqlite::Error) -> (ErrorKind, &'static str) {
    if let Some(code) = extended_code(error) {
        return classify_code(code);
    }
    match error {
        rusqlite::Error::QueryReturnedNoRows => (ErrorKind::NotFound, "no such record"),
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..) => {
            (ErrorKind::Corrupt, "a stored value does not have the form it should have; nothing was changed")
        }
        _ => (ErrorKind::Internal, "the statement does not fit the database"),
    }
}

fn classify_code(code: i32) -> (ErrorKind, &'static str) {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return (ErrorKind::AlreadyExists, "a record with this id or unique value exists");
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            return (ErrorKind::Conflict, "a record it refers to is missing, or others still refer to it");
        }
        ffi::SQLITE_CONSTRAINT_TRIGGER => {
            return (ErrorKind::Conflict, "a trigger in the database refused the write");
        }
        _ => {}
    }
    match code & 0xff {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => (ErrorKind::Unavailable, "the database is busy"),
        ffi::SQLITE_INTERRUPT => (ErrorKind::Cancelled, "the statement was interrupted"),
        ffi::SQLITE_FULL => (ErrorKind::Storage, "the disk is full; the transaction was rolled back"),
        ffi::SQLITE_IOERR => (ErrorKind::Storage, "the disk reported an input/output error"),
        ffi::SQLITE_READONLY => (ErrorKind::Storage, "the database or its directory is read-only"),
        ffi::SQLITE_CANTOPEN => (
            ErrorKind::Storage,
            "the file cannot be opened; the directory must exist, and the file and directory be writable",
        ),
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH => (ErrorKind::Storage, "access to the database was refused"),
        ffi::SQLITE_CORRUPT => (ErrorKind::Corrupt, "the database is damaged; nothing was changed"),
        ffi::SQLITE_NOTADB => {
            (ErrorKind::Corrupt, "the file is not an SQLite database (or is encrypted); nothing was changed")
        }
        ffi::SQLITE_FORMAT => (ErrorKind::Corrupt, "the database has an unknown format; nothing was changed"),
        ffi::SQLITE_NOMEM => (ErrorKind::Storage, "out of memory"),
        ffi::SQLITE_TOOBIG => (ErrorKind::Storage, "a value is larger than the database takes"),
        ffi::SQLITE_NOLFS => (ErrorKind::Storage, "the file is larger than the file system takes"),
        ffi::SQLITE_PROTOCOL => (ErrorKind::Unavailable, "the database's locks could not be taken"),
        ffi::SQLITE_SCHEMA => (ErrorKind::Unavailable, "the schema changed meanwhile"),
        ffi::SQLITE_CONSTRAINT => (ErrorKind::Internal, "a row breaks a rule of its table"),
        _ => (ErrorKind::Internal, "the statement does not fit the database"),
    }
}

/// Errors whose text repeats stored or searched values: personal data must not travel in an error's cause.
fn quotes_data(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => {
            text.starts_with("fts5:") || text.contains("unterminated")
        }
        rusqlite::Error::SqliteFailure(_, None)
        | rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::InvalidColumnName(_)
        | rusqlite::Error::InvalidColumnIndex(_)
        | rusqlite::Error::InvalidParameterName(_)
        | rusqlite::Error::InvalidParameterCount(..)
        | rusqlite::Error::ExecuteReturnedResults
        | rusqlite::Error::SqlInputError { .. } => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn fails(sql: &str) -> rusqlite::Error {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "PRAGMA foreign_keys=ON; CREATE TABLE p (id INTEGER PRIMARY KEY, u TEXT UNIQUE) STRICT;
             CREATE TABLE c (p INTEGER NOT NULL REFERENCES p) STRICT;
             CREATE VIRTUAL TABLE f USING fts5(t); INSERT INTO f VALUES ('x');
             INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1);",
        )
        .unwrap();
        conn.prepare(sql).and_then(|mut statement| statement.raw_execute()).unwrap_err()
    }

    #[test]
    fn constraints_have_their_own_kinds() {
        for (sql, kind) in [
            ("INSERT INTO p VALUES (1, 'b')", ErrorKind::AlreadyExists),
            ("INSERT INTO p VALUES (2, 'a')", ErrorKind::AlreadyExists),
            ("INSERT INTO c VALUES (9)", ErrorKind::Conflict),
            ("INSERT INTO c VALUES (NULL)", ErrorKind::Internal),
            ("INSERT INTO c VALUES ('text')", ErrorKind::Internal),
            ("SELECT nosuch FROM p", ErrorKind::Internal),
        ] {
            assert_eq!(from_sqlite(fails(sql), "write").kind(), kind, "{sql}");
        }
    }

    #[test]
    fn a_foreign_key_says_which_way_it_failed() {
        assert_eq!(parent_missing(fails("INSERT INTO c VALUES (9)"), "lead").to_string(), "lead not found");
        let used = still_in_use(fails("DELETE FROM p"), "source", 3);
        assert_eq!(used.conflict(), Some(&Conflict::InUse { by: 3 }));
        assert_eq!(
            parent_missing(fails("INSERT INTO p VALUES (1, 'b')"), "lead").kind(),
            ErrorKind::AlreadyExists
        );
    }

    #[test]
    fn no_searched_word_travels_in_the_cause() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE VIRTUAL TABLE f USING fts5(t)").unwrap();
        let secret = "anna@example.org";
        let error = conn
            .query_row("SELECT 1 FROM f WHERE f MATCH ?1", [secret], |_| Ok(()))
            .store("search")
            .unwrap_err();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text += &error.to_string();
            cause = error.source();
        }
        assert!(!text.contains('@') && !text.contains("anna"), "{text}");
    }

    #[test]
    fn busy_is_retryable_and_recognised() {
        let busy = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY_SNAPSHOT), None);
        let error = from_sqlite(busy, "write");
        assert!(error.is_retryable() && is_busy(&error));
        assert!(!is_busy(&Error::new(ErrorKind::Unavailable, "the host's own")));
    }
}
