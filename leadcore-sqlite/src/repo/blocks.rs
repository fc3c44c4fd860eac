//! The index that accounts, contacts and opportunities are found by: when a lead may be one of them, and by custom fields.

use leadcore::domain::BlockKey;
use leadcore::error::Result;
use leadcore::store::Block;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::Columns;
use crate::txn::SqliteTxn;

pub(crate) const ADD_BLOCK: &str =
    "INSERT INTO leadcore_block_key (tenant, of, kind, key, subject) VALUES (?, ?, ?, ?, ?)";
const DROP_BLOCK: &str =
    "DELETE FROM leadcore_block_key WHERE tenant = ? AND of = ? AND kind = ? AND key = ? AND subject = ?";
const KNOWN_BLOCKS: &str =
    "SELECT kind, key FROM leadcore_block_key WHERE tenant = ? AND subject = ? AND of = ?";
const FIND_BLOCK: &str = "SELECT subject FROM leadcore_block_key WHERE tenant = ? AND of = ? AND kind = ? AND key = ? ORDER BY subject LIMIT ?";

/// The queries whose cost must not grow with the number of records.
#[cfg(test)]
pub(crate) const fn block_queries() -> [&'static str; 2] {
    [FIND_BLOCK, KNOWN_BLOCKS]
}

/// Whose keys.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Account,
    Contact,
    Opportunity,
}

impl Of {
    const fn code(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
        }
    }
}

impl SqliteTxn<'_> {
    /// Adds the keys of a new record.
    pub(super) fn add_blocks(&self, of: Of, id: Uuid, keys: Vec<BlockKey>) -> Result<()> {
        let mut add = self.prepare(ADD_BLOCK, "add a key")?;
        for key in keys {
            let subject = id.as_bytes().as_slice();
            add.execute((self.tenant_text(), of.code(), key.kind.code(), key.key, subject))
                .store("add a key")?;
        }
        Ok(())
    }

    /// Writes what differs from the keys that a record has.
    pub(super) fn replace_blocks(&self, of: Of, id: Uuid, mut keys: Vec<BlockKey>) -> Result<()> {
        let subject = id.as_bytes().as_slice();
        let mut known = self.prepare(KNOWN_BLOCKS, "read keys")?;
        let known: Vec<(String, String)> = known
            .query_map((self.tenant_text(), subject, of.code()), |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .store("read keys")?;
        let mut drop = self.prepare(DROP_BLOCK, "drop a key")?;
        for (kind, key) in known {
            let is_same = |own: &BlockKey| own.kind.code() == kind && own.key == key;
            match keys.iter().position(is_same) {
                Some(place) => {
                    keys.swap_remove(place);
                }
                None => {
                    drop.execute((self.tenant_text(), of.code(), kind, key, subject)).store("drop a key")?;
                }
            }
        }
        self.add_blocks(of, id, keys)
    }

    pub(super) fn find_blocks<I>(
        &self,
        of: Of,
        keys: &[BlockKey],
        limit: usize,
        id: impl Fn(Uuid) -> I,
    ) -> Result<Vec<Block<I>>> {
        let mut statement = self.prepare(FIND_BLOCK, "find by a key")?;
        let most = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let mut blocks = Vec::new();
        for key in keys {
            let asked = (self.tenant_text(), of.code(), key.kind.code(), key.key.as_str(), most);
            let mut rows = statement.query(asked).store("find by a key")?;
            let mut ids = Vec::new();
            while let Some(row) = rows.next().store("find by a key")? {
                ids.push(id(Columns::of(row).uuid()?));
            }
            let is_cut = ids.len() > limit;
            ids.truncate(limit);
            if is_cut || !ids.is_empty() {
                blocks.push(Block { key: key.clone(), ids, is_cut });
            }
        }
        Ok(blocks)
    }
}
