//! The store: a database file of leadcore's own, or in memory.

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

    /// Writes a copy of the database, as it is now, to a new file at `path`: safe to open with any SQLite.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a file; `Storage` when it cannot be written.
    pub fn backup_to(&self, path: impl AsRef<Path>) -> Result<()> {
        self.database.backup_to(path.as_ref())
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
            work(&mut SqliteTxn::ours(tx, tenant, database.prefix(), database.folds()).read_only())
        })
    }

    fn write_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let database = &*self.database;
        database.write(|tx| work(&mut SqliteTxn::ours(tx, tenant, database.prefix(), database.folds())))
    }
}
