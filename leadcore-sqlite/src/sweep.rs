//! Removing the bytes that no file has any more.

use leadcore::domain::ContentHash;
use leadcore::error::Result;
use rusqlite::Connection;

use crate::error::StoreResult as _;
use crate::open::Database;
use crate::store::SweptFiles;
use crate::txn::with_prefix;

/// How many contents are looked at while other writers wait.
const AT_ONCE: usize = 500;

const UNUSED: &str = "FROM leadcore_blob AS b WHERE NOT EXISTS (SELECT 1 FROM leadcore_file AS f WHERE f.tenant = b.tenant AND f.hash = b.hash) AND NOT EXISTS (SELECT 1 FROM leadcore_file_kept AS k WHERE k.tenant = b.tenant AND k.hash = b.hash)";

impl Database {
    /// Removes the bytes of those of these contents that no row refers to any more.
    pub(crate) fn remove_unused(&self, contents: &[ContentHash]) -> Result<(u64, u64)> {
        match &self.vault {
            Some(vault) if !contents.is_empty() => {
                self.write(|tx| vault.remove_unused(tx, self.prefix(), contents))
            }
            _ => Ok((0, 0)),
        }
    }

    /// Removes contents that no file has, bytes that no content has, and what is left of writes that died.
    pub(crate) fn sweep_files(&self) -> Result<SweptFiles> {
        let (mut contents, mut bytes) = self.write(|tx| remove_rows(tx, self.prefix()))?;
        let mut left_over = 0;
        if let Some(vault) = &self.vault {
            for chunk in vault.contents()?.chunks(AT_ONCE) {
                let (more, more_bytes) = self.remove_unused(chunk)?;
                contents = contents.saturating_add(more);
                bytes = bytes.saturating_add(more_bytes);
            }
            left_over = vault.remove_left_over()?;
        }
        Ok(SweptFiles { contents, bytes, left_over })
    }
}

/// Contents without a file are only made by a host that writes through the ports and stops half-way.
fn remove_rows(conn: &Connection, prefix: &str) -> Result<(u64, u64)> {
    let counted = with_prefix(UNUSED, prefix);
    // Bytes that lie in the directory are counted there.
    let sql = format!(
        "SELECT count(*) FILTER (WHERE outside = 0), coalesce(sum(size) FILTER (WHERE outside = 0), 0), count(*) {counted}"
    );
    let (contents, bytes, rows) = conn
        .query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
        .store("sweep files")?;
    if rows > 0 {
        let pieces = with_prefix("DELETE FROM leadcore_blob_chunk WHERE (tenant, blob) IN", prefix);
        let blobs = with_prefix("DELETE FROM leadcore_blob WHERE rid IN", prefix);
        conn.execute(&format!("{pieces} (SELECT b.tenant, b.rid {counted})"), []).store("sweep files")?;
        conn.execute(&format!("{blobs} (SELECT b.rid {counted})"), []).store("sweep files")?;
    }
    Ok((contents.unsigned_abs(), bytes.unsigned_abs()))
}
