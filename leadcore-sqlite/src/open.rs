//! One open database: a connection that writes, a few that read, and the rules for using them.
//!
//! [`Database`] is what the store wraps: the store gives its closures repositories, this gives them a
//! `rusqlite::Transaction`. It stays inside the crate, because a public way to run SQL against leadcore's tables
//! would be a second API.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use leadcore::error::{Error, ErrorKind, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::{StoreResult as _, from_sqlite, is_busy, is_busy_code};
use crate::guard::{Held, Moment, SideLock, Watch};
use crate::migrate;
use crate::options::SqliteOptions;
use crate::queue::{Patience, Queue, Turn};
use crate::vault::Vault;

use self::readers::{Lent, Readers};

mod connect;
mod readers;

#[cfg(test)]
pub(crate) use connect::has_wal_reset_bug;

/// Up to this long a read is not checked for lost locks: the check would cost more than a point read. Another process
/// would have to write and checkpoint in this very moment for such a read to see two states of the data.
pub(crate) const SHORT_READ: Duration = Duration::from_millis(1);

/// What [`Database::stats`] counts since the database was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub(crate) struct Stats {
    /// Write transactions committed.
    pub(crate) commits: u64,
    /// How often a write's closure was run again because another connection was in the way.
    pub(crate) retries: u64,
    /// The longest time a write waited for its turn before its transaction began.
    pub(crate) worst_wait: Duration,
}

/// An open database. `Send + Sync`; share it in an `Arc`.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Queue<Option<Connection>>,
    // `None` where one connection does both: in memory, and on a connection that the host handed over.
    readers: Option<Readers>,
    file: Option<Protected>,
    pub(crate) options: SqliteOptions,
    /// Where contents of files are, when not in the database.
    pub(crate) vault: Option<Vault>,
    /// Whether the connections are ours to configure.
    ours: bool,
    opened_by: AtomicU32,
    commits: AtomicU64,
    retries: AtomicU64,
    worst_wait: AtomicU64,
}

#[derive(Debug)]
struct Protected {
    path: PathBuf,
    side: SideLock,
    watch: Option<Watch>,
}

impl Database {
    /// Opens the file at `path`, creates it where the options say so, and brings leadcore's tables up to date.
    ///
    /// A valid SQLite database of another application is welcome: leadcore's tables are added beside the others,
    /// and `user_version` and `application_id` are left alone. Anything else that exists is refused unchanged.
    ///
    /// # Errors
    /// `Storage` when the path is no regular file, cannot be created or written; `Corrupt` when the file is not a
    /// sound database; `Unsupported` for a newer schema, a SQLite that is too old or lacks FTS5, or when another
    /// SQLite library in this process has the file open; `Unavailable` when it stays locked.
    pub(crate) fn open(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self> {
        let path = path.as_ref();
        if path == Path::new(":memory:") {
            return Self::open_in_memory(options);
        }
        connect::library_serves()?;
        let opened = connect::file(path, options)?;
        let watch = Watch::start(&opened.path, opened.journal, &opened.side, &opened.patience)?;
        let file = Protected { path: opened.path, side: opened.side, watch };
        let readers = Readers::default();
        let database = Self::assemble(opened.conn, Some(readers), Some(file), options, true)?;
        database.bring_up_to_date()?;
        Ok(database)
    }

    /// A new database in memory, which ends with the value. Reads and writes take turns on its one connection.
    ///
    /// # Errors
    /// `Unsupported` when the linked SQLite is too old or lacks FTS5.
    pub(crate) fn open_in_memory(options: &SqliteOptions) -> Result<Self> {
        connect::library_serves()?;
        let conn = Connection::open_in_memory().store("open a database in memory")?;
        connect::configure(&conn, options)?;
        let database = Self::assemble(conn, None, None, options, true)?;
        database.bring_up_to_date()?;
        Ok(database)
    }

    /// Uses a connection that the host opened and hands over; reads and writes take turns on it.
    ///
    /// Its settings stay the host's: no pragma is set, none of SQLite's single-slot hooks is taken, and what
    /// leadcore needs is read back and refused when missing (`foreign_keys` must be on). Durability, timeout, cache
    /// and journal mode are therefore those of the host, and `options` decide the prefix, the patience for the
    /// queue, and whether to migrate. For one unit of work inside the host's own transaction this is not needed.
    ///
    /// # Errors
    /// `Unsupported` when a transaction is open on it or `foreign_keys` is off; else as [`Database::open`].
    pub(crate) fn from_connection(conn: Connection, options: &SqliteOptions) -> Result<Self> {
        connect::library_serves()?;
        let handed = connect::handed_over(&conn, options)?;
        let file = match handed {
            Some((path, journal)) => {
                let side = SideLock::beside(&path)?;
                let watch = Watch::start(&path, journal, &side, &Patience::new(options.busy_timeout))?;
                Some(Protected { path, side, watch })
            }
            None => None,
        };
        let database = Self::assemble(conn, None, file, options, false)?;
        database.bring_up_to_date()?;
        Ok(database)
    }

    fn assemble(
        conn: Connection,
        readers: Option<Readers>,
        file: Option<Protected>,
        options: &SqliteOptions,
        ours: bool,
    ) -> Result<Self> {
        let vault = options.files_in.as_deref().map(|dir| Vault::open(dir, options.create)).transpose()?;
        Ok(Self {
            writer: Queue::new(Some(conn)),
            readers,
            file,
            options: options.clone(),
            vault,
            ours,
            opened_by: AtomicU32::new(std::process::id()),
            commits: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            worst_wait: AtomicU64::new(0),
        })
    }

    fn bring_up_to_date(&self) -> Result<()> {
        self.migrate()?;
        let Some(vault) = &self.vault else { return Ok(()) };
        if !self.read(|tx| vault.belongs_to(tx, self.prefix(), false))? {
            self.write(|tx| vault.belongs_to(tx, self.prefix(), true))?;
        }
        Ok(())
    }

    fn migrate(&self) -> Result<()> {
        if !self.options.migrate {
            return self.read(|tx| migrate::validate(tx, self.prefix()));
        }
        if self.read(|tx| migrate::pending(tx, self.prefix()))?.is_empty() {
            return self.read(|tx| migrate::validate(tx, self.prefix()));
        }
        self.write(|tx| migrate::migrate(tx, self.prefix()).map(drop))
    }

    /// Runs `work` in one write transaction, alone among all writers of the file, and commits when it succeeds.
    ///
    /// When another connection is in the way the whole closure runs again, so it must have no effects outside the
    /// transaction. An error or a panic in it rolls everything back and leaves the database usable.
    ///
    /// # Errors
    /// The closure's own; `Unavailable` when the database stays busy for longer than the timeout; `Unsupported` when
    /// this thread is inside a transaction already, after a fork, or when a second SQLite library got in.
    pub(crate) fn write<T>(&self, mut work: impl FnMut(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.same_process()?;
        let patience = Patience::new(self.options.busy_timeout);
        let turn = self.writer.enter(&patience)?;
        let conn = connection(&turn)?;
        let held = self.hold_side_lock(&patience)?;
        let mut attempt = 0;
        let outcome = loop {
            match self.attempt(conn, &patience, &mut work) {
                Err(error) if is_busy(&error) => {
                    if !patience.pause(attempt) {
                        break Err(patience.exhausted().with_source(error));
                    }
                    attempt += 1;
                    self.retries.fetch_add(1, Ordering::Relaxed);
                }
                outcome => break outcome,
            }
        };
        drop(held);
        outcome
    }

    fn attempt<T>(
        &self,
        conn: &Connection,
        patience: &Patience,
        work: &mut impl FnMut(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.look(Moment::BeforeWrite)?;
        let tx = self.begin(conn, patience)?;
        let waited = u64::try_from(patience.waited().as_micros()).unwrap_or(u64::MAX);
        self.worst_wait.fetch_max(waited, Ordering::Relaxed);
        let value = work(&tx)?;
        self.look(Moment::BeforeCommit)?;
        tx.commit().store("commit")?;
        // Counted before the last look: the commit happened, even if its safety is in doubt.
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.look(Moment::AfterCommit)?;
        Ok(value)
    }

    /// BEGIN IMMEDIATE: a transaction that reads first and writes later fails at once when another one wrote in
    /// between, whatever the timeout.
    fn begin<'c>(&self, conn: &'c Connection, patience: &Patience) -> Result<Transaction<'c>> {
        if self.ours && !conn.is_autocommit() {
            // Left open by a closure that sent BEGIN or SAVEPOINT itself.
            conn.execute_batch("ROLLBACK").store("begin")?;
        }
        let mut attempt = 0;
        loop {
            if self.ours {
                // Not SQLite's wait, which is a lottery among processes with pauses of up to 100 ms.
                conn.busy_timeout(Duration::ZERO).store("begin")?;
            }
            match Transaction::new_unchecked(conn, TransactionBehavior::Immediate) {
                Ok(tx) => {
                    if self.ours {
                        conn.busy_timeout(patience.left().max(Duration::from_millis(1))).store("begin")?;
                    }
                    return Ok(tx);
                }
                Err(error) if is_busy_code(&error) && patience.pause(attempt) => attempt += 1,
                Err(error) if is_busy_code(&error) => {
                    return Err(patience.exhausted().with_source(error));
                }
                Err(error) => return Err(self.about_file(error, "begin")),
            }
        }
    }

    /// Runs `work` in a read transaction: it sees one state of the data from beginning to end.
    ///
    /// # Errors
    /// The closure's own; `Unavailable` when all readers stay busy; `Unsupported` as for [`Database::write`].
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.same_process()?;
        let Some(readers) = &self.readers else {
            let turn = self.writer.enter(&Patience::new(self.options.busy_timeout))?;
            let conn = connection(&turn)?;
            // This connection can write: what is written in a read after all is taken back.
            let tx = Transaction::new_unchecked(conn, TransactionBehavior::Deferred)
                .map_err(|error| self.about_file(error, "begin"))?;
            let value = self.snapshot(conn, work)?;
            tx.rollback().store("end the read")?;
            return Ok(value);
        };
        let lent = Lent::take(readers, self)?;
        match &lent.conn {
            Some(conn) => self.snapshot(conn, work),
            None => Err(closed()),
        }
    }

    /// Holds one state of the data by a query that has begun and not ended: SQLite reads as of its first row for as long
    /// as any query of the connection runs (sqlite.org/lang_transaction.html, "implicit transactions"). BEGIN, a first
    /// read and ROLLBACK do the same, but SQLite parses BEGIN and ROLLBACK anew at each read.
    fn snapshot<T>(&self, conn: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let began = Instant::now();
        // EXISTS, so that there is a row to stop at in an empty database too.
        let mut holder = conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM main.sqlite_schema)")
            .map_err(|error| self.about_file(error, "read"))?;
        let mut held = holder.raw_query();
        held.next().map_err(|error| self.about_file(error, "read"))?;
        let value = work(conn)?;
        // Every read takes its locks anew, so a lost one can matter only to a read that lasts.
        if began.elapsed() > SHORT_READ {
            self.look(Moment::EndOfRead)?;
        }
        Ok(value)
    }

    /// Where the file is: absolute, links resolved. `None` in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// What the names of leadcore's tables start with.
    pub(crate) fn prefix(&self) -> &str {
        &self.options.prefix
    }

    /// Whether our connections have the folding function from the start; a host's get it when it is needed.
    pub(crate) const fn folds(&self) -> bool {
        self.ours
    }

    /// Commits, retries and the worst wait so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            commits: self.commits.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            worst_wait: Duration::from_micros(self.worst_wait.load(Ordering::Relaxed)),
        }
    }

    fn hold_side_lock(&self, patience: &Patience) -> Result<Option<Held<'_>>> {
        self.file.as_ref().map_or(Ok(None), |file| file.side.hold(patience))
    }

    fn look(&self, moment: Moment) -> Result<()> {
        let watch = self.file.as_ref().and_then(|file| file.watch.as_ref());
        watch.map_or(Ok(()), |watch| watch.look(moment))
    }

    /// SQLite forbids using a connection on both sides of a fork, and a lock that another thread held at that
    /// moment is never released in the child: so the question is asked before any lock is touched.
    fn same_process(&self) -> Result<()> {
        if self.forked() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this store was opened in another process (fork): open it again",
            ));
        }
        Ok(())
    }

    fn forked(&self) -> bool {
        self.opened_by.load(Ordering::Relaxed) != std::process::id()
    }

    fn about_file(&self, error: rusqlite::Error, what: &str) -> Error {
        match self.path() {
            Some(path) => crate::error::about_file(error, what, path),
            None => from_sqlite(error, what),
        }
    }

    /// Makes the database believe that another process opened it.
    #[cfg(test)]
    pub(crate) fn pretend_forked(&self) {
        self.opened_by.fetch_xor(u32::MAX, Ordering::Relaxed);
    }

    /// Whether the kernel's view of the locks is being checked.
    #[cfg(test)]
    pub(crate) fn is_watched(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.watch.is_some())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.forked() {
            return;
        }
        // Closing would make the child checkpoint and unlock what the parent still uses: leave it all alone.
        std::mem::forget(self.writer.get_mut().take());
        if let Some(readers) = &mut self.readers {
            std::mem::forget(readers.take_idle());
        }
    }
}

fn connection<'t>(turn: &'t Turn<'_, Option<Connection>>) -> Result<&'t Connection> {
    turn.as_ref().ok_or_else(closed)
}

fn closed() -> Error {
    Error::new(ErrorKind::Internal, "the connection is gone")
}
