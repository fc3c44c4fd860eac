//! How a database is opened.

use std::path::PathBuf;
use std::time::Duration;

use leadcore::error::{Error, Result, ViolationCode};

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Durability {
    /// An acknowledged write is on disk and survives a power cut. The default.
    #[default]
    Full,
    /// `PRAGMA synchronous=NORMAL`: faster, and a power cut or a crash of the operating system may take the last
    /// acknowledged commits with it. The file stays sound; a crash of the program alone loses nothing.
    NormalMayLoseLastCommits,
}

/// Settings for opening a database; [`SqliteOptions::new`] gives the defaults.
///
/// ```
/// use std::time::Duration;
/// use leadcore_sqlite::SqliteOptions;
/// let options = SqliteOptions::new().prefix("crm_")?.busy_timeout(Duration::from_secs(3));
/// assert!(SqliteOptions::new().prefix("drop table").is_err());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    pub(crate) prefix: String,
    pub(crate) busy_timeout: Duration,
    pub(crate) readers: usize,
    pub(crate) cache_mib: u32,
    pub(crate) durability: Durability,
    pub(crate) create: bool,
    pub(crate) migrate: bool,
    pub(crate) secure_delete: bool,
    pub(crate) accept_wal_reset_bug: bool,
    pub(crate) files_in: Option<PathBuf>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SqliteOptions {
    /// The defaults: prefix `leadcore_`, 10 s of patience, four readers, 16 MiB of cache for each connection, full
    /// durability, create and migrate when needed, overwrite what is deleted.
    #[must_use]
    pub fn new() -> Self {
        Self {
            prefix: "leadcore_".to_owned(),
            busy_timeout: Duration::from_secs(10),
            readers: 4,
            cache_mib: 16,
            durability: Durability::Full,
            create: true,
            migrate: true,
            secure_delete: true,
            accept_wal_reset_bug: false,
            files_in: None,
        }
    }

    /// What the names of leadcore's tables, indexes and triggers start with, so that they sit beside the host's.
    ///
    /// # Errors
    /// `Invalid` unless it is a lower-case letter followed by at most 30 of `a-z`, `0-9`, `_`.
    pub fn prefix(mut self, prefix: &str) -> Result<Self> {
        check_prefix(prefix)?;
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// How long one call may wait for other connections, threads and processes before it fails as `Unavailable`.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many reads may run at once, at least one. Connections are opened when first needed.
    #[must_use]
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// The page cache of each connection, in MiB.
    #[must_use]
    pub const fn cache_mib(mut self, mib: u32) -> Self {
        self.cache_mib = mib;
        self
    }

    /// What a commit waits for.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Whether an absent or empty file becomes a new database (the default) or is refused.
    #[must_use]
    pub const fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether opening brings the schema up to date (the default). Without it, opening only checks, and refuses a
    /// schema that [`crate::migrate::migrate`] has not brought up to date: for hosts whose DBA runs the SQL.
    #[must_use]
    pub const fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// `PRAGMA secure_delete`: whether deleted content is overwritten with zeros (the default).
    ///
    /// It is ON rather than FAST because an erased person must be gone from the file: with FAST, words stay in the
    /// pages that the full-text index gives up. The price is a few more pages written per delete.
    #[must_use]
    pub const fn secure_delete(mut self, overwrite: bool) -> Self {
        self.secure_delete = overwrite;
        self
    }

    /// Uses WAL mode even on a SQLite that has the WAL-reset bug (3.7.0 to 3.51.2, save 3.50.7+ and 3.44.6+):
    /// committed data can be lost when two connections write and checkpoint at the same time.
    ///
    /// Without it, such a library gets a rollback journal with `synchronous=EXTRA`, which the bug does not touch and
    /// which keeps the promise that an acknowledged write survives a power cut; the price is that a long read delays
    /// writes. A file that is in WAL mode already is refused as `Unsupported`, because other programs may be using
    /// it that way. From rusqlite 0.39 on (SQLite 3.51.3) the question does not arise.
    #[must_use]
    pub const fn accept_wal_reset_bug(mut self, accept: bool) -> Self {
        self.accept_wal_reset_bug = accept;
        self
    }

    /// Keeps the content of files in this directory instead of the database; it is made when it is not there.
    ///
    /// A content lies at `ab/cdef…`, named by its SHA-256 and nothing else: no name that anybody gave is ever part of a
    /// path. It is complete and safe on disk before the transaction commits, and removed after the one that dropped the last
    /// file with it. What a crash leaves over, [`SqliteStore::sweep_files`](crate::SqliteStore::sweep_files) removes. A
    /// content that is in the database already stays there and is read from there; without this option the content of
    /// files in a directory is refused as `Unsupported`.
    ///
    /// The directory belongs to one database, which is noted in it: opening another one with it is refused. Programs that
    /// share the database use the same directory.
    ///
    /// # Backup
    /// [`backup_to`](crate::SqliteStore::backup_to) holds what is in the database; the directory is copied beside it, with
    /// any tool, since a content never changes once it is there. Copy the directory, then back up the database, then copy
    /// what is new in the directory: so every content that the copy of the database refers to is there, unless it was added
    /// and removed again in that time. To restore, put both back. A sweep removes what the restored database does not know.
    #[must_use]
    pub fn files_in(mut self, dir: impl Into<PathBuf>) -> Self {
        self.files_in = Some(dir.into());
        self
    }
}

/// Refuses a prefix that is not `[a-z][a-z0-9_]{0,30}`: it becomes part of SQL text, which nothing else may.
pub(crate) fn check_prefix(prefix: &str) -> Result<()> {
    let mut letters = prefix.bytes();
    let sound = letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && prefix.len() <= 31
        // SQLite keeps these names to itself (sqlite.org/lang_createtable.html).
        && !prefix.starts_with("sqlite_");
    if sound {
        return Ok(());
    }
    Err(Error::invalid_field(
        "prefix",
        ViolationCode::Malformed,
        "a table prefix is a lower-case letter and up to 30 of a-z, 0-9 and _, and does not start with sqlite_",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_plain_identifiers() {
        for good in ["a", "leadcore_", "crm2_", &"a".repeat(31)] {
            assert!(check_prefix(good).is_ok(), "{good}");
        }
        for bad in ["", "_a", "1a", "A", "a-b", "a b", "a\"", "ä", "a\0", "sqlite_", "a;", &"a".repeat(32)] {
            assert!(check_prefix(bad).is_err(), "{bad}");
        }
    }
}
