//! The store: a database file of leadcore's own, or in memory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use leadcore::error::Result;
use leadcore::id::TenantId;
use leadcore::store::{Store, Txn};
use rusqlite::Connection;

use crate::open::Database;
use crate::options::SqliteOptions;
use crate::txn::SqliteTxn;

/// How writing went since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SqliteStats {
    /// Write transactions committed.
    pub commits: u64,
    /// How often a write was run again because another connection was in the way.
    pub retries: u64,
    /// The longest time a write waited for its turn.
    pub worst_wait: Duration,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SweptFiles {
    /// Contents that no file had.
    pub contents: u64,
    /// How many bytes they had together.
    pub bytes: u64,
    /// Temporary files in the directory that nobody wrote to for an hour.
    pub left_over: u64,
}

/// leadcore's store on one SQLite database. `Send + Sync`; a clone is another handle on the same store.
///
/// ```
/// use leadcore::prelude::*;
/// use leadcore_sqlite::SqliteStore;
/// let store = SqliteStore::open_in_memory()?;
/// let (clock, ids) = (SystemClock, RandomIds::new());
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| {
///     desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())
/// })?;
/// let found = store.read(ctx.tenant(), |txn| {
///     desk::leads::list(&ctx, txn, &LeadQuery::new(Filter::search("nordl")))
/// })?;
/// assert_eq!(found.items.len(), 1);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SqliteStore {
    database: Arc<Database>,
}

impl SqliteStore {
    /// Opens the file at `path` with the standard options; an absent file is created. `:memory:` opens none.
    ///
    /// # Errors
    /// `Storage` when the path is no regular file, cannot be created or written; `Corrupt` when the file is not a
    /// sound database; `Unsupported` for a newer schema, or when another SQLite library in this process has the file
    /// open; `Unavailable` when it stays locked. In each case the file is as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &SqliteOptions::new())
    }

    /// Opens the file at `path`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self> {
        Ok(Self { database: Arc::new(Database::open(path, options)?) })
    }

    /// A new database in memory, which ends with the last handle.
    ///
    /// # Errors
    /// `Unsupported` when the linked SQLite is too old or lacks FTS5.
    pub fn open_in_memory() -> Result<Self> {
        Ok(Self { database: Arc::new(Database::open_in_memory(&SqliteOptions::new())?) })
    }

    /// Uses a connection that the host opened and hands over. Its settings stay the host's; `foreign_keys` must be on.
    ///
    /// # Errors
    /// `Unsupported` when a transaction is open on it or `foreign_keys` is off; else as [`open`](Self::open).
    pub fn from_connection(connection: Connection, options: &SqliteOptions) -> Result<Self> {
        Ok(Self { database: Arc::new(Database::from_connection(connection, options)?) })
    }

    /// Writes a copy of the database, as it is now, to a new file at `path`: safe to open with any SQLite. The content of
    /// files is in it, unless it lies in a directory: [`SqliteOptions::files_in`] says how to copy that.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a file; `Storage` when it cannot be written.
    pub fn backup_to(&self, path: impl AsRef<Path>) -> Result<()> {
        self.database.backup_to(path.as_ref())
    }

    /// Removes contents that no file has: what a program that was killed, or a transaction of the host's, left over in the
    /// [directory](SqliteOptions::files_in). Nothing else needs it; run it now and then. It looks at every content; other
    /// writers wait for 500 of them at a time at most.
    ///
    /// # Errors
    /// `Storage` when the directory cannot be read or written; else a failure of the database.
    pub fn sweep_files(&self) -> Result<SweptFiles> {
        self.database.sweep_files()
    }

    /// How writing went so far.
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        let stats = self.database.stats();
        SqliteStats { commits: stats.commits, retries: stats.retries, worst_wait: stats.worst_wait }
    }

    /// Where the file is: absolute, links resolved. None in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.database.path()
    }
}

impl Store for SqliteStore {
    fn read_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let database = &*self.database;
        database.read(|tx| {
            let txn = SqliteTxn::ours(tx, tenant, database.prefix(), database.folds());
            work(&mut txn.with_vault(database.vault.as_ref()).read_only())
        })
    }

    fn write_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let database = &*self.database;
        let mut touched = BTreeSet::new();
        let done = database.write(|tx| {
            let txn = SqliteTxn::ours(tx, tenant, database.prefix(), database.folds());
            let mut txn = txn.with_vault(database.vault.as_ref());
            let done = work(&mut txn).and_then(|()| txn.check_whole()).and_then(|()| txn.drop_unfinished());
            touched.extend(txn.outside.take_touched());
            done
        });
        // Committed or not: bytes that no row refers to go. Should this fail, the write did not, and a sweep finds them.
        let touched: Vec<_> = touched.into_iter().collect();
        let _ = database.remove_unused(&touched);
        done
    }
}
