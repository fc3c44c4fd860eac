//! What rows further down say: which keys they have, which a look at a file has to remember of the rows that it passed; the ids
//! that links name; what their stages mean.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{Read, Seek};
use std::sync::Arc;

use super::claims::{claimed, every_fields};
use super::links::{FindRows, RowsById};
use super::records::{AsPlanned, Record, Rows};
use super::source::Source;
use super::stage_kinds::StageKinds;
use crate::domain::Catalogue;
use crate::error::Result;
use crate::exchange::coerce::Content;

/// How many rows are looked through at a time.
const ROWS: usize = 1_000;

/// What every row has to know of all rows of its file.
#[derive(Debug, Default)]
pub(super) struct RowsAhead {
    /// The rows that links lead to.
    pub(super) by_id: Arc<RowsById>,
    /// What their stages mean.
    pub(super) kinds: Arc<StageKinds>,
}

impl RowsAhead {
    /// Reads the whole file for it, where a column of it says it; beside a plan of it, with what a person decided.
    pub(super) fn read<R: Read + Seek>(
        source: &Source,
        input: &mut R,
        planned: Option<AsPlanned<'_>>,
    ) -> Result<Self> {
        let mut rows = FindRows::of(source, planned.is_some());
        let mut kinds = StageKinds::are_in(source).then(StageKinds::default);
        if rows.is_none() && kinds.is_none() {
            return Ok(Self::default());
        }
        let mut all = source.rows(input)?;
        if let Some(planned) = planned {
            all = all.beside(planned);
        }
        loop {
            let chunk = all.next_chunk(ROWS, false)?;
            for record in &chunk.records {
                rows.iter_mut().for_each(|rows| rows.add(record));
                kinds.iter_mut().for_each(|kinds| kinds.add(record));
            }
            if chunk.end {
                let by_id = rows.map(FindRows::found).unwrap_or_default();
                return Ok(Self { by_id: by_id.into(), kinds: kinds.unwrap_or_default().into() });
            }
        }
    }
}

/// What a row may be recognised by, what it claims for its lead alone, and the lead that a person says it means, as
/// numbers.
fn hashes<'r>(catalogue: &'r Catalogue, record: &'r Record) -> impl Iterator<Item = u64> + 'r {
    let intent = match &record.content {
        Content::Filled(intent) => Some(intent.as_ref()),
        _ => None,
    };
    let of_intent = intent.into_iter().flat_map(move |intent| {
        let known = intent.keys.iter().map(hash).chain(intent.own_ids().map(|id| hash(&id)));
        let claimed = every_fields(intent).flat_map(|fields| claimed(catalogue, true, fields));
        known.chain(intent.number.as_ref().map(hash)).chain(claimed.map(|(_, key)| hash(&key)))
    });
    of_intent.chain(record.taken().map(|lead| hash(&lead)))
}

/// How often each key occurs in the rest of the file: nine bytes for each different one, and while they are gathered up to
/// sixteen for each key of each row.
#[derive(Debug)]
pub(super) struct KeysAhead {
    hashes: Vec<u64>,
    /// Counts to 254; 255 means very often and stays.
    left: Vec<u8>,
}

/// Two keys of one hash are taken for one: then a lead is kept that need not be, and nothing else happens.
fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl KeysAhead {
    /// Reads the rest of a file for the keys of its rows, so many rows at a time.
    pub(super) fn read<R: Read + Seek>(
        mut rows: Rows<'_, R>,
        most: usize,
        catalogue: &Catalogue,
    ) -> Result<Self> {
        let mut hashes = Vec::new();
        loop {
            let chunk = rows.next_chunk(most, false)?;
            hashes.extend(chunk.records.iter().flat_map(|record| self::hashes(catalogue, record)));
            if chunk.end {
                return Ok(Self::new(hashes));
            }
        }
    }

    fn new(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        let left = hashes.chunk_by(|a, b| a == b).map(|same| u8::try_from(same.len()).unwrap_or(u8::MAX));
        let left = left.collect();
        hashes.dedup();
        hashes.shrink_to_fit();
        Self { hashes, left }
    }

    fn place(&self, key: u64) -> Option<usize> {
        self.hashes.binary_search(&key).ok()
    }

    /// A row is done.
    pub(super) fn pass(&mut self, catalogue: &Catalogue, record: &Record) {
        for key in hashes(catalogue, record) {
            if let Some(left) = self.place(key).and_then(|place| self.left.get_mut(place))
                && *left != u8::MAX
            {
                *left = left.saturating_sub(1);
            }
        }
    }

    /// Whether a row further down has this key.
    pub(super) fn holds(&self, key: &impl Hash) -> bool {
        self.place(hash(key)).and_then(|place| self.left.get(place)).is_some_and(|left| *left > 0)
    }
}
