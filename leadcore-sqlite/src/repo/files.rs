//! The port for files: what is known of each, without its content.

use std::collections::BTreeSet;

use leadcore::domain::{Actor, ContentHash, FileFields, FileRecord, Subject};
use leadcore::error::Result;
use leadcore::id::{FileId, UserId};
use leadcore::store::{Files, KeptFile};
use rusqlite::Row;

use crate::error::{StoreResult as _, parent_missing};
use crate::row::{Binder, Columns, corrupt, to_json};
use crate::txn::SqliteTxn;

use super::records::before;

const COLUMNS: &str =
    "id, revision, about, name, description, media_type, size, hash, created_by, created_at, updated_at";
const INSERT: &str = "INSERT INTO leadcore_file (revision, about, name, description, media_type, size, hash, created_by, created_at, updated_at, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_file SET revision = ?, about = ?, name = ?, description = ?, media_type = ?, size = ?, hash = ?, created_by = ?, created_at = ?, updated_at = ? WHERE tenant = ? AND id = ? AND revision = ?";
const REVISION: &str = "SELECT revision FROM leadcore_file WHERE tenant = ? AND id = ?";
const REMOVE: &str = "DELETE FROM leadcore_file WHERE tenant = ? AND id = ?";
const USED: &str = "SELECT EXISTS (SELECT 1 FROM leadcore_file WHERE tenant = ?1 AND hash = ?2) OR EXISTS (SELECT 1 FROM leadcore_file_kept WHERE tenant = ?1 AND hash = ?2)";
const USES: &str = "SELECT (SELECT count(*) FROM leadcore_file WHERE tenant = ?1 AND hash = ?2) + (SELECT count(*) FROM leadcore_file_kept WHERE tenant = ?1 AND hash = ?2)";
const FORGET: &str = "DELETE FROM leadcore_file_kept WHERE tenant = ? AND file = ?";
const KEEP: &str =
    "INSERT INTO leadcore_file_kept (tenant, subject_kind, subject_id, file, hash) VALUES (?, ?, ?, ?, ?)";
const RELEASE: &str =
    "DELETE FROM leadcore_file_kept WHERE tenant = ? AND subject_kind = ? AND subject_id = ? RETURNING hash";

fn bind(binder: &mut Binder<'_, '_>, file: &FileRecord) -> Result<()> {
    binder.number(file.revision.get())?;
    binder.bind(to_json(&file.about)?)?;
    binder.bind(file.fields.name.as_str())?;
    binder.bind(file.fields.description.as_deref())?;
    binder.bind(file.media_type.as_str())?;
    binder.number(file.size)?;
    binder.bind(file.hash.as_bytes().as_slice())?;
    binder.bind(file.created_by.user().map(UserId::as_str))?;
    binder.time(file.created_at)?;
    binder.time(file.updated_at)
}

fn hash(columns: &mut Columns<'_, '_>) -> Result<ContentHash> {
    columns.bytes()?.try_into().map(ContentHash::from_bytes).map_err(|_| corrupt("hash"))
}

fn file(row: &Row<'_>) -> Result<FileRecord> {
    let mut columns = Columns::of(row);
    Ok(FileRecord {
        id: FileId::from_uuid(columns.uuid()?),
        revision: columns.revision()?,
        about: columns.json("file")?,
        fields: FileFields { name: columns.text()?.to_owned(), description: columns.string()? },
        media_type: columns.text()?.to_owned(),
        size: columns.unsigned()?,
        hash: hash(&mut columns)?,
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

impl Files for SqliteTxn<'_> {
    fn insert(&mut self, files: &[FileRecord]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(INSERT, "add a file")?;
            for file in files {
                let mut binder = Binder::to(&mut statement);
                bind(&mut binder, file)?;
                binder.bind(self.tenant_text())?;
                binder.id(file.id.as_uuid())?;
                statement.raw_execute().map_err(|error| parent_missing(error, "content"))?;
            }
            Ok(())
        })
    }

    fn update(&mut self, files: &[FileRecord]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(UPDATE, "write a file")?;
            for file in files {
                let expected = before(file.revision);
                let mut binder = Binder::to(&mut statement);
                bind(&mut binder, file)?;
                binder.bind(self.tenant_text())?;
                binder.id(file.id.as_uuid())?;
                binder.number(expected.get())?;
                let written = statement.raw_execute().map_err(|error| parent_missing(error, "content"))?;
                if written == 0 {
                    return Err(self.missed(REVISION, "file", file.id.as_uuid(), expected)?);
                }
            }
            Ok(())
        })
    }

    fn get(&mut self, ids: &[FileId]) -> Result<Vec<FileRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM leadcore_file WHERE tenant = ? AND id = ?");
        self.by_id(&sql, "read a file", ids.iter().map(|id| id.as_uuid()), file)
    }

    fn remove(&mut self, ids: &[FileId]) -> Result<()> {
        self.remove_by_id(REMOVE, "remove a file", ids.iter().map(|id| id.as_uuid()))
    }

    fn uses(&mut self, contents: &[ContentHash]) -> Result<Vec<bool>> {
        contents.iter().map(|content| self.is_used(content)).collect()
    }

    fn keep(&mut self, kept: &[KeptFile]) -> Result<()> {
        self.slice(|| {
            let mut forget = self.prepare(FORGET, "keep a content")?;
            let mut keep = self.prepare(KEEP, "keep a content")?;
            for kept in kept {
                let (file, hash) = (kept.file.as_uuid(), kept.content.as_bytes().as_slice());
                forget.execute((self.tenant_text(), file.as_bytes().as_slice())).store("keep a content")?;
                for of in &kept.of {
                    let subject = (of.kind.code(), of.id.as_bytes().as_slice());
                    let row = (self.tenant_text(), subject.0, subject.1, file.as_bytes().as_slice(), hash);
                    keep.execute(row).map_err(|error| parent_missing(error, "content"))?;
                }
            }
            Ok(())
        })
    }

    fn release(&mut self, of: &[Subject]) -> Result<Vec<ContentHash>> {
        let mut statement = self.prepare(RELEASE, "release contents")?;
        let mut released = BTreeSet::new();
        for subject in of {
            let row = (self.tenant_text(), subject.kind.code(), subject.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("release contents")?;
            while let Some(row) = rows.next().store("release contents")? {
                released.insert(hash(&mut Columns::of(row))?);
            }
        }
        Ok(released.into_iter().collect())
    }
}

impl SqliteTxn<'_> {
    /// Whether anything needs it: asked without counting, since a popular one may have a hundred thousand files.
    pub(super) fn is_used(&self, content: &ContentHash) -> Result<bool> {
        let mut statement = self.prepare(USED, "look for the files of a content")?;
        let row = (self.tenant_text(), content.as_bytes().as_slice());
        statement.query_row(row, |row| row.get(0)).store("look for the files of a content")
    }

    pub(super) fn uses_of(&self, content: &ContentHash) -> Result<u64> {
        let mut statement = self.prepare(USES, "count the files of a content")?;
        let row = (self.tenant_text(), content.as_bytes().as_slice());
        let count: i64 = statement.query_row(row, |row| row.get(0)).store("count the files of a content")?;
        u64::try_from(count).map_err(|_| corrupt("number"))
    }
}
