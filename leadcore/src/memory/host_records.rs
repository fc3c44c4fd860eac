//! Records of the host's own, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{HostRecord, RecordKind};
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::store::Records;

use super::{MemoryTxn, check_revision, exists, previous};

impl Records for MemoryTxn {
    fn insert(&mut self, records: &[HostRecord]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.records);
        for record in records {
            if map.values().any(|known| known.kind == record.kind && known.key == record.key) {
                return Err(exists("record", "key"));
            }
            if map.insert(record.id, record.clone()).is_some() {
                return Err(exists("record", "id"));
            }
        }
        state.records = Arc::new(map);
        Ok(())
    }

    fn update(&mut self, records: &[HostRecord]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.records);
        for record in records {
            let stored = map.get(&record.id).ok_or_else(|| Error::not_found("record"))?;
            check_revision("record", stored.revision, previous(record.revision))?;
            let next = HostRecord { kind: stored.kind.clone(), key: stored.key.clone(), ..record.clone() };
            map.insert(record.id, next);
        }
        state.records = Arc::new(map);
        Ok(())
    }

    fn get(&mut self, ids: &[RecordId]) -> Result<Vec<HostRecord>> {
        Ok(ids.iter().filter_map(|id| self.state.records.get(id)).cloned().collect())
    }

    fn find(&mut self, kind: &RecordKind, keys: &[&str]) -> Result<Vec<HostRecord>> {
        let find = |key: &&str| {
            self.state.records.values().find(|record| record.kind == *kind && record.key == *key).cloned()
        };
        Ok(keys.iter().filter_map(find).collect())
    }

    fn usage(&mut self, kind: &RecordKind) -> Result<u64> {
        Ok(self.state.records.values().filter(|record| record.kind == *kind).map(|_| 1).sum())
    }

    fn remove(&mut self, ids: &[RecordId]) -> Result<()> {
        let records = Arc::make_mut(&mut self.writable()?.records);
        ids.iter().for_each(|id| drop(records.remove(id)));
        Ok(())
    }
}
