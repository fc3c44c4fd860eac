//! What the ports of records do alike: rows that are found by tenant and id, and written over the revision before.
//!
//! The statements that write stand in the file of each port, whole, for whoever reads SQL; what is done with them stands here.

use leadcore::error::Result;
use leadcore::id::Revision;
use rusqlite::{Params, Row};
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::Binder;
use crate::txn::SqliteTxn;

use super::records::before;

/// A table of records.
pub(super) struct Table<T> {
    /// Its name, and the columns that `read` takes.
    pub(super) name: &'static str,
    pub(super) columns: &'static str,
    /// What a record is called in errors, without and with its article: `cost`, `a cost`.
    pub(super) record: &'static str,
    pub(super) one: &'static str,
    /// Ends with tenant and id.
    pub(super) insert: &'static str,
    /// Ends with tenant, id and the revision that must be stored.
    pub(super) update: &'static str,
    pub(super) key: fn(&T) -> (Uuid, Revision),
    /// Everything before the tenant, of both statements.
    pub(super) bind: fn(&mut Binder<'_, '_>, &T) -> Result<()>,
    pub(super) read: fn(&Row<'_>) -> Result<T>,
}

impl<T> Table<T> {
    /// Adds records, each with what `beside` writes for it.
    pub(super) fn insert(
        &self,
        txn: &SqliteTxn<'_>,
        records: &[T],
        beside: impl Fn(&T) -> Result<()>,
    ) -> Result<()> {
        let what = format!("add {}", self.one);
        txn.slice(|| {
            let mut statement = txn.prepare(self.insert, &what)?;
            for record in records {
                let mut binder = Binder::to(&mut statement);
                (self.bind)(&mut binder, record)?;
                binder.bind(txn.tenant_text())?;
                binder.id((self.key)(record).0)?;
                statement.raw_execute().store(&what)?;
                beside(record)?;
            }
            Ok(())
        })
    }

    /// Writes records over their revisions before, each with what `beside` writes for it.
    pub(super) fn update(
        &self,
        txn: &SqliteTxn<'_>,
        records: &[T],
        beside: impl Fn(&T) -> Result<()>,
    ) -> Result<()> {
        let what = format!("write {}", self.one);
        txn.slice(|| {
            let mut statement = txn.prepare(self.update, &what)?;
            for record in records {
                let (id, revision) = (self.key)(record);
                let mut binder = Binder::to(&mut statement);
                (self.bind)(&mut binder, record)?;
                binder.bind(txn.tenant_text())?;
                binder.id(id)?;
                binder.number(before(revision).get())?;
                if statement.raw_execute().store(&what)? == 0 {
                    let select = format!("SELECT revision FROM {} WHERE tenant = ? AND id = ?", self.name);
                    return Err(txn.missed(&select, self.record, id, before(revision))?);
                }
                beside(record)?;
            }
            Ok(())
        })
    }

    /// Those of these records that there are.
    pub(super) fn get(&self, txn: &SqliteTxn<'_>, ids: impl Iterator<Item = Uuid>) -> Result<Vec<T>> {
        let sql = format!("SELECT {} FROM {} WHERE tenant = ? AND id = ?", self.columns, self.name);
        txn.by_id(&sql, &format!("read {}", self.one), ids, self.read)
    }

    /// Removes those of these records that there are.
    pub(super) fn remove(&self, txn: &SqliteTxn<'_>, ids: impl Iterator<Item = Uuid>) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE tenant = ? AND id = ?", self.name);
        txn.remove_by_id(&sql, &format!("remove {}", self.one), ids)
    }
}

impl SqliteTxn<'_> {
    /// The rows of these ids that there are, in their order.
    pub(super) fn by_id<T>(
        &self,
        sql: &str,
        what: &str,
        ids: impl Iterator<Item = Uuid>,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql, what)?;
        let mut found = Vec::with_capacity(ids.size_hint().0);
        for id in ids {
            let mut rows = statement.query((self.tenant_text(), id.as_bytes().as_slice())).store(what)?;
            if let Some(row) = rows.next().store(what)? {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// Removes the rows of these ids.
    pub(super) fn remove_by_id(&self, sql: &str, what: &str, ids: impl Iterator<Item = Uuid>) -> Result<()> {
        let mut statement = self.prepare(sql, what)?;
        for id in ids {
            statement.execute((self.tenant_text(), id.as_bytes().as_slice())).store(what)?;
        }
        Ok(())
    }

    /// Every row of a query.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        what: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql, what)?;
        let mut rows = statement.query(params).store(what)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store(what)? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// The first row of a query, if it has one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        what: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.prepare(sql, what)?;
        let mut rows = statement.query(params).store(what)?;
        rows.next().store(what)?.map(read).transpose()
    }
}
