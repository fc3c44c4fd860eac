//! The port for records of the host's own.

use leadcore::domain::{Actor, HostRecord, HostRecordFields, RecordKind};
use leadcore::error::Result;
use leadcore::id::{RecordId, UserId};
use leadcore::store::Records;
use leadcore::time::Timestamp;
use rusqlite::Row;

use crate::error::StoreResult as _;
use crate::row::{Binder, Columns, corrupt, to_json};
use crate::txn::SqliteTxn;

use super::records::before;

const INSERT: &str = "INSERT INTO leadcore_record (revision, about, title, url, state, open, at, created_by, created_at, updated_at, kind, key, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_record SET revision = ?, about = ?, title = ?, url = ?, state = ?, open = ?, at = ?, created_by = ?, created_at = ?, updated_at = ? WHERE tenant = ? AND id = ? AND revision = ?";
const REVISION: &str = "SELECT revision FROM leadcore_record WHERE tenant = ? AND id = ?";
const GET: &str = "SELECT id, revision, about, kind, key, title, url, state, open, at, created_by, created_at, updated_at FROM leadcore_record WHERE tenant = ? AND id = ?";
const FIND: &str = "SELECT id, revision, about, kind, key, title, url, state, open, at, created_by, created_at, updated_at FROM leadcore_record WHERE tenant = ? AND kind = ? AND key = ?";
const USAGE: &str = "SELECT count(*) FROM leadcore_record WHERE tenant = ? AND kind = ?";
const REMOVE: &str = "DELETE FROM leadcore_record WHERE tenant = ? AND id = ?";

fn bind(binder: &mut Binder<'_, '_>, record: &HostRecord) -> Result<()> {
    let fields = &record.fields;
    binder.number(record.revision.get())?;
    binder.bind(to_json(&record.about)?)?;
    binder.bind(fields.title.as_str())?;
    binder.bind(fields.url.as_deref())?;
    binder.bind(fields.state.as_deref())?;
    binder.bind(fields.is_open)?;
    binder.bind(fields.at.map(Timestamp::as_micros))?;
    binder.bind(record.created_by.user().map(UserId::as_str))?;
    binder.time(record.created_at)?;
    binder.time(record.updated_at)
}

fn record(row: &Row<'_>) -> Result<HostRecord> {
    let mut columns = Columns::of(row);
    Ok(HostRecord {
        id: RecordId::from_uuid(columns.uuid()?),
        revision: columns.revision()?,
        about: columns.json("record")?,
        kind: RecordKind::new(columns.text()?).map_err(|_| corrupt("kind of record"))?,
        key: columns.text()?.to_owned(),
        fields: HostRecordFields {
            title: columns.text()?.to_owned(),
            url: columns.string()?,
            state: columns.string()?,
            is_open: columns.int()? != 0,
            at: columns.optional_time()?,
        },
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

impl Records for SqliteTxn<'_> {
    fn insert(&mut self, records: &[HostRecord]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(INSERT, "add a record")?;
            for record in records {
                let mut binder = Binder::to(&mut statement);
                bind(&mut binder, record)?;
                binder.bind(record.kind.as_str())?;
                binder.bind(record.key.as_str())?;
                binder.bind(self.tenant_text())?;
                binder.id(record.id.as_uuid())?;
                statement.raw_execute().store("add a record")?;
            }
            Ok(())
        })
    }

    fn update(&mut self, records: &[HostRecord]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(UPDATE, "write a record")?;
            for record in records {
                let (id, expected) = (record.id.as_uuid(), before(record.revision));
                let mut binder = Binder::to(&mut statement);
                bind(&mut binder, record)?;
                binder.bind(self.tenant_text())?;
                binder.id(id)?;
                binder.number(expected.get())?;
                if statement.raw_execute().store("write a record")? == 0 {
                    return Err(self.missed(REVISION, "record", id, expected)?);
                }
            }
            Ok(())
        })
    }

    fn get(&mut self, ids: &[RecordId]) -> Result<Vec<HostRecord>> {
        self.by_id(GET, "read a record", ids.iter().map(|id| id.as_uuid()), record)
    }

    fn find(&mut self, kind: &RecordKind, keys: &[&str]) -> Result<Vec<HostRecord>> {
        let mut statement = self.prepare(FIND, "find a record")?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let mut rows =
                statement.query((self.tenant_text(), kind.as_str(), key)).store("find a record")?;
            if let Some(row) = rows.next().store("find a record")? {
                found.push(record(row)?);
            }
        }
        Ok(found)
    }

    fn usage(&mut self, kind: &RecordKind) -> Result<u64> {
        let key = (self.tenant_text(), kind.as_str());
        let count = self.first(USAGE, "count records", key, |row| Columns::of(row).unsigned())?;
        Ok(count.unwrap_or(0))
    }

    fn remove(&mut self, ids: &[RecordId]) -> Result<()> {
        self.remove_by_id(REMOVE, "remove a record", ids.iter().map(|id| id.as_uuid()))
    }
}
