//! One unit of work inside an SQLite transaction, whoever opened it.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;

use leadcore::domain::KEYS_VERSION;
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::TenantId;
use leadcore::store::Txn;
use rusqlite::functions::FunctionFlags;
use rusqlite::{CachedStatement, Connection, Transaction};

use crate::error::StoreResult as _;
use crate::migrate;
use crate::options::check_prefix;
use crate::vault::{Outside, Vault};

/// The prefix that statements in this crate are written with.
const WRITTEN: &str = "leadcore_";

/// leadcore's ports on a transaction of the host's own: its rows and leadcore's are committed together, or neither.
///
/// leadcore's tables must be there (see [`migrate`](crate::migrate)) and `foreign_keys` be on: the first call looks, and is
/// refused as `Unsupported` with what to run. Begin the transaction with
/// `IMMEDIATE`: one that reads first and writes later fails as busy when another one wrote in between, and then only the
/// whole transaction can be tried again. Only savepoints are used inside; nothing is committed, rolled back or set on the
/// connection, but for one function named `{prefix}fold` that some filters call.
///
/// ```
/// use leadcore::prelude::*;
/// use leadcore_sqlite::rusqlite::{Connection, TransactionBehavior};
/// use leadcore_sqlite::{SqliteTxn, migrate};
/// # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let mut conn = Connection::open_in_memory()?;
/// migrate::migrate(&conn, "leadcore_")?;
/// conn.execute_batch("CREATE TABLE invoice (lead TEXT, total INTEGER)")?;
///
/// let (clock, ids) = (SystemClock, RandomIds::new());
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
/// let mut leads = SqliteTxn::on(&tx, ctx.tenant());
/// let lead = desk::leads::create(&ctx, &mut leads, LeadFields::company("Nordlys AS")?.into())?;
/// tx.execute("INSERT INTO invoice VALUES (?1, 100)", [lead.id.to_string()])?;
/// tx.commit()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SqliteTxn<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) tenant: TenantId,
    prefix: Cow<'c, str>,
    depth: u32,
    /// Whether the folding function is known to be registered.
    folds: bool,
    /// Whether the transaction is ours: then we say whether it is committed.
    ours: bool,
    /// Whether a write failed behind its first row, and was not taken back since.
    torn: Cell<bool>,
    /// Whether this is a view: writing is refused, also where SQLite itself would allow it.
    read_only: bool,
    /// Whether the connection was found to be fit: ours are checked when they are opened, a host's with its first call.
    fit: Cell<bool>,
    /// The directory that contents of files go to, if it is not the database.
    pub(crate) outside: Outside,
    /// Contents that this transaction began to write.
    pub(crate) begun: BTreeSet<i64>,
}

impl<'c> SqliteTxn<'c> {
    /// The ports of one tenant on the host's transaction, over tables with the standard prefix.
    #[must_use]
    pub fn on(transaction: &'c Transaction<'_>, tenant: &TenantId) -> Self {
        Self {
            conn: transaction,
            tenant: tenant.clone(),
            prefix: Cow::Borrowed(WRITTEN),
            depth: 0,
            folds: false,
            ours: false,
            torn: Cell::new(false),
            read_only: false,
            fit: Cell::new(false),
            outside: Outside::default(),
            begun: BTreeSet::new(),
        }
    }

    /// The same over tables with another prefix.
    ///
    /// # Errors
    /// `Invalid` when the prefix is not `[a-z][a-z0-9_]{0,30}`.
    pub fn with_prefix(transaction: &'c Transaction<'_>, tenant: &TenantId, prefix: &str) -> Result<Self> {
        check_prefix(prefix)?;
        Ok(Self { prefix: Cow::Owned(prefix.to_owned()), ..Self::on(transaction, tenant) })
    }

    /// The same with the content of files in this directory: see [`SqliteOptions::files_in`](crate::SqliteOptions::files_in).
    ///
    /// What a transaction of the host's makes superfluous there is removed by the next
    /// [`SqliteStore::sweep_files`](crate::SqliteStore::sweep_files): nobody here learns whether it was committed. Begin it
    /// with `IMMEDIATE`.
    ///
    /// # Errors
    /// `Storage` when the directory is not there and cannot be made; `Unsupported` when it holds the files of another
    /// database.
    pub fn with_files_in(mut self, dir: impl AsRef<Path>) -> Result<Self> {
        let vault = Vault::open(dir.as_ref(), true)?;
        vault.belongs_to(self.conn, &self.prefix, true)?;
        self.outside = Outside::of(Some(vault));
        Ok(self)
    }

    /// On a connection of ours that is inside a transaction and has the folding function.
    pub(crate) fn ours(conn: &'c Connection, tenant: &TenantId, prefix: &'c str, folds: bool) -> Self {
        let prefix = Cow::Borrowed(prefix);
        let fit = Cell::new(true);
        Self {
            conn,
            tenant: tenant.clone(),
            prefix,
            depth: 0,
            folds,
            ours: true,
            torn: Cell::new(false),
            read_only: false,
            fit,
            outside: Outside::default(),
            begun: BTreeSet::new(),
        }
    }

    /// The same with the content of files in a directory, if there is one.
    pub(crate) fn with_vault(mut self, vault: Option<&Vault>) -> Self {
        self.outside = Outside::of(vault.cloned());
        self
    }

    /// Refuses a host's connection that does not enforce references or has not leadcore's tables, and says what to run.
    fn check_fit(&self) -> Result<()> {
        let on: i64 = self
            .conn
            .pragma_query_value(None, "foreign_keys", |row| row.get(0))
            .store("look at the connection")?;
        if on != 1 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "foreign_keys is off on this connection: run PRAGMA foreign_keys=ON before the transaction begins",
            ));
        }
        let versions = self.sql(
            "SELECT (SELECT max(version) FROM main.leadcore_schema), (SELECT max(version) FROM main.leadcore_keys)",
        );
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?));
        let found =
            self.conn.prepare_cached(&versions).and_then(|mut statement| statement.query_row([], read));
        match found {
            Ok(found) if found == (migrate::LATEST, KEYS_VERSION) => Ok(()),
            // What is amiss exactly is a longer question, and only asked then.
            _ => migrate::validate(self.conn, &self.prefix),
        }
    }

    /// The same, refusing to write.
    pub(crate) const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The statement with this store's prefix. Statements are written with the standard one, so that the usual case
    /// costs nothing and the text is what a DBA sees.
    pub(crate) fn sql<'s>(&self, text: &'s str) -> Cow<'s, str> {
        with_prefix(text, &self.prefix)
    }

    /// A prepared statement, from the connection's cache.
    pub(crate) fn prepare(&self, text: &str, what: &str) -> Result<CachedStatement<'c>> {
        self.check_whole()?;
        if !self.fit.get() {
            self.check_fit()?;
            self.fit.set(true);
        }
        let statement = self.conn.prepare_cached(&self.sql(text)).store(what)?;
        if self.read_only && !statement.readonly() {
            return Err(Error::new(ErrorKind::Unsupported, "a read transaction cannot write"));
        }
        Ok(statement)
    }

    /// Runs a write of several rows: afterwards all of them are there or none, or nothing of this transaction ever is.
    ///
    /// In a host's transaction that takes a savepoint. In ours none is needed: a write that fails behind its first row leaves
    /// the transaction torn, and then every call is refused until a savepoint around it is rolled back; torn it is not
    /// committed. A savepoint costs more than most writes: SQLite copies each page that changes in it, and the search indexes
    /// write out what they collected.
    pub(crate) fn slice<T>(&self, write: impl FnOnce() -> Result<T>) -> Result<T> {
        if !self.ours {
            return in_savepoint(self.conn, "leadcore_slice", write);
        }
        let before = self.conn.total_changes();
        let done = write();
        if done.is_err() && self.conn.total_changes() != before {
            self.torn.set(true);
        }
        done
    }

    /// Refuses to go on in a transaction that holds half of a write.
    pub(crate) fn check_whole(&self) -> Result<()> {
        if !self.torn.get() {
            return Ok(());
        }
        let message = "a write failed half-way: end the unit of work, or the savepoint that it failed in";
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    /// Makes sure that compiled filters can call the folding function, also on a host's connection.
    pub(crate) fn need_fold(&mut self) -> Result<()> {
        if !self.folds {
            let name = self.sql("leadcore_fold");
            let known = self
                .conn
                .prepare_cached("SELECT 1 FROM pragma_function_list WHERE name = ?1")
                .and_then(|mut statement| statement.exists([&name]))
                .store("look for the folding function")?;
            if !known {
                register_fold(self.conn, &name)?;
            }
            self.folds = true;
        }
        Ok(())
    }

    pub(crate) fn tenant_text(&self) -> &str {
        self.tenant.as_str()
    }
}

/// A statement of this crate over tables with this prefix.
pub(crate) fn with_prefix<'s>(text: &'s str, prefix: &str) -> Cow<'s, str> {
    if prefix == WRITTEN { Cow::Borrowed(text) } else { Cow::Owned(text.replace(WRITTEN, prefix)) }
}

/// Registers `{prefix}fold(text)`: core's own folding, so that a filter means in SQL what it means in memory.
pub(crate) fn register_fold(conn: &Connection, name: &str) -> Result<()> {
    conn.create_scalar_function(
        name,
        1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        |call| Ok(call.get_raw(0).as_str_or_null()?.map(leadcore::value::fold)),
    )
    .store("register the folding function")
}

/// Runs `work` inside a savepoint of this connection.
pub(crate) fn in_savepoint<T>(conn: &Connection, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    savepoint(conn, name, work).0
}

/// [`in_savepoint`], and whether the transaction is as it was before, or as `work` left it.
fn savepoint<T>(conn: &Connection, name: &str, work: impl FnOnce() -> Result<T>) -> (Result<T>, bool) {
    if let Err(error) = conn.execute_batch(&format!("SAVEPOINT {name}")).store("savepoint") {
        return (Err(error), true);
    }
    match work() {
        Ok(value) => match conn.execute_batch(&format!("RELEASE {name}")).store("savepoint") {
            Ok(()) => (Ok(value), true),
            Err(error) => (Err(error), false),
        },
        Err(error) => {
            let undone = conn.execute_batch(&format!("ROLLBACK TO {name}; RELEASE {name}"));
            // After a full disk SQLite has rolled everything back already: then the first error says why.
            if undone.is_err() && !conn.is_autocommit() {
                let message = "a savepoint could not be rolled back";
                return (Err(Error::new(ErrorKind::Storage, message).with_source(error)), false);
            }
            (Err(error), undone.is_ok())
        }
    }
}

impl Txn for SqliteTxn<'_> {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    leadcore::own_ports!();

    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.check_whole()?;
        self.depth = self.depth.saturating_add(1);
        let name = format!("leadcore_savepoint_{}", self.depth);
        let conn = self.conn;
        let (result, whole) = savepoint(conn, &name, || work(self).and_then(|()| self.check_whole()));
        self.depth = self.depth.saturating_sub(1);
        // What failed half-way in it is gone with it.
        self.torn.set(!whole);
        result
    }
}
