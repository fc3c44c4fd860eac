//! The port for contents: in the database in pieces, or in a directory, by the hash.
//!
//! A content that is being written is a row without a hash. It belongs to the transaction like any other row, so nothing
//! has to be cleaned up when a stream breaks. The row also means that this connection is the one that writes, so nobody
//! else looks through the directory at the same time.

use leadcore::domain::ContentHash;
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::store::{Blobs, Upload};

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt, signed};
use crate::txn::SqliteTxn;

/// The most bytes of one row.
const PIECE: usize = 256 * 1024;

const BEGIN: &str = "INSERT INTO leadcore_blob (tenant, hash, size, outside) VALUES (?1, NULL, 0, ?2)";
const WRITTEN: &str = "SELECT size, outside FROM leadcore_blob WHERE tenant = ? AND rid = ? AND hash IS NULL";
const GROW: &str = "UPDATE leadcore_blob SET size = ?3 WHERE tenant = ?1 AND rid = ?2";
const ADD: &str = "INSERT INTO leadcore_blob_chunk (tenant, blob, start, bytes) VALUES (?, ?, ?, ?)";
const NAME: &str = "UPDATE leadcore_blob SET hash = ?3 WHERE tenant = ?1 AND rid = ?2";
const FIND: &str = "SELECT rid, size, outside FROM leadcore_blob WHERE tenant = ? AND hash = ?";
const PIECES: &str = "SELECT start, bytes FROM leadcore_blob_chunk WHERE tenant = ?1 AND blob = ?2 AND start >= coalesce((SELECT max(start) FROM leadcore_blob_chunk WHERE tenant = ?1 AND blob = ?2 AND start <= ?3), 0) AND start < ?4 ORDER BY start";
const DROP: &str = "DELETE FROM leadcore_blob WHERE tenant = ? AND rid = ?";
const DROP_PIECES: &str = "DELETE FROM leadcore_blob_chunk WHERE tenant = ? AND blob = ?";

/// A content that is there.
struct Known {
    rid: i64,
    size: u64,
    outside: bool,
}

fn not_begun() -> Error {
    Error::not_found("upload")
}

impl SqliteTxn<'_> {
    fn known(&self, hash: &ContentHash) -> Result<Option<Known>> {
        let mut statement = self.prepare(FIND, "find a content")?;
        let mut rows =
            statement.query((self.tenant_text(), hash.as_bytes().as_slice())).store("find a content")?;
        let Some(row) = rows.next().store("find a content")? else { return Ok(None) };
        let mut columns = Columns::of(row);
        Ok(Some(Known { rid: columns.int()?, size: columns.unsigned()?, outside: columns.int()? == 1 }))
    }

    /// The row of an upload, how much of it is written, and whether it goes into the directory.
    fn written(&self, upload: Upload) -> Result<(i64, u64, bool)> {
        let rid = signed(upload.number()).map_err(|_| not_begun())?;
        if !self.begun.contains(&rid) {
            return Err(not_begun());
        }
        let mut statement = self.prepare(WRITTEN, "find an upload")?;
        let mut rows = statement.query((self.tenant_text(), rid)).store("find an upload")?;
        let row = rows.next().store("find an upload")?.ok_or_else(not_begun)?;
        let mut columns = Columns::of(row);
        Ok((rid, columns.unsigned()?, columns.int()? == 1))
    }

    fn drop_blob(&self, rid: i64) -> Result<()> {
        let row = (self.tenant_text(), rid);
        for statement in [DROP_PIECES, DROP] {
            self.prepare(statement, "remove a content")?.execute(row).store("remove a content")?;
        }
        Ok(())
    }

    /// Drops what was begun and not finished: for a caller that commits all the same.
    pub(crate) fn drop_unfinished(&mut self) -> Result<()> {
        for rid in std::mem::take(&mut self.begun) {
            let mut statement = self.prepare(WRITTEN, "find an upload")?;
            if statement.exists((self.tenant_text(), rid)).store("find an upload")? {
                self.drop_blob(rid)?;
            }
        }
        Ok(())
    }

    fn pieces(&self, known: &Known, offset: u64, end: u64) -> Result<Vec<u8>> {
        let mut statement = self.prepare(PIECES, "read a content")?;
        let row = (self.tenant_text(), known.rid, signed(offset)?, signed(end)?);
        let mut rows = statement.query(row).store("read a content")?;
        let mut read = Vec::new();
        let mut next = offset;
        while let Some(row) = rows.next().store("read a content")? {
            let mut columns = Columns::of(row);
            let (start, bytes) = (columns.unsigned()?, columns.bytes()?);
            // Pieces lie end to end: from `next` on, as far as was asked.
            let skip = next.checked_sub(start).and_then(|skip| usize::try_from(skip).ok());
            let take = usize::try_from(end.saturating_sub(next)).unwrap_or(usize::MAX);
            let rest = skip.and_then(|skip| bytes.get(skip..)).ok_or_else(|| corrupt("content"))?;
            let part = rest.get(..take.min(rest.len())).unwrap_or_default();
            read.extend_from_slice(part);
            next = next.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        }
        if next == end { Ok(read) } else { Err(corrupt("content")) }
    }
}

impl Blobs for SqliteTxn<'_> {
    fn begin(&mut self) -> Result<Upload> {
        let outside = self.outside.is_open();
        self.prepare(BEGIN, "begin a content")?
            .execute((self.tenant_text(), outside))
            .store("begin a content")?;
        let rid = self.conn.last_insert_rowid();
        self.begun.insert(rid);
        if outside {
            self.outside.begin(rid)?;
        }
        u64::try_from(rid).map(Upload::new).map_err(|_| corrupt("number"))
    }

    fn append(&mut self, upload: Upload, bytes: &[u8]) -> Result<()> {
        let (rid, size, outside) = self.written(upload)?;
        let mut end = size;
        if outside {
            self.outside.append(rid, bytes)?;
            end = end.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        } else {
            let mut statement = self.prepare(ADD, "add to a content")?;
            for piece in bytes.chunks(PIECE) {
                let row = (self.tenant_text(), rid, signed(end)?, piece);
                statement.execute(row).store("add to a content")?;
                end = end.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            }
        }
        let row = (self.tenant_text(), rid, signed(end)?);
        self.prepare(GROW, "add to a content")?.execute(row).store("add to a content")?;
        Ok(())
    }

    fn finish(&mut self, upload: Upload, hash: &ContentHash) -> Result<()> {
        let (rid, _, outside) = self.written(upload)?;
        match self.known(hash)? {
            Some(known) => {
                self.drop_blob(rid)?;
                if outside && known.outside {
                    // The same bytes once more: should those that are there be damaged, they are whole again.
                    return self.outside.keep(rid, hash);
                }
                self.outside.abandon(rid);
                Ok(())
            }
            None => {
                let row = (self.tenant_text(), rid, hash.as_bytes().as_slice());
                self.prepare(NAME, "end a content")?.execute(row).store("end a content")?;
                if outside { self.outside.keep(rid, hash) } else { Ok(()) }
            }
        }
    }

    fn size(&mut self, hash: &ContentHash) -> Result<Option<u64>> {
        Ok(self.known(hash)?.map(|known| known.size))
    }

    fn read(&mut self, hash: &ContentHash, offset: u64, max: usize) -> Result<Vec<u8>> {
        let known = self.known(hash)?.ok_or_else(|| Error::not_found("content"))?;
        let end = offset.saturating_add(u64::try_from(max).unwrap_or(u64::MAX)).min(known.size);
        if offset >= end {
            return Ok(Vec::new());
        }
        if known.outside { self.outside.read(hash, offset, end) } else { self.pieces(&known, offset, end) }
    }

    /// Without a savepoint, which would keep every page of the contents in memory: what could be refused is asked first.
    fn remove(&mut self, contents: &[ContentHash]) -> Result<()> {
        for content in contents {
            if self.is_used(content)? {
                let by = self.uses_of(content)?;
                return Err(Error::conflicting("content", Conflict::InUse { by }));
            }
        }
        for content in contents {
            if let Some(known) = self.known(content)? {
                self.drop_blob(known.rid)?;
                if known.outside {
                    self.outside.touched(content);
                }
            }
        }
        Ok(())
    }
}

/// What is read of a content that lies in a directory which this store was not told of.
pub(crate) fn no_directory() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the content of this file is in a directory: open the store with `files_in`",
    )
}
