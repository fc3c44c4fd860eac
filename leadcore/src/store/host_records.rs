//! The port for records of the host's own.

use crate::domain::{HostRecord, RecordKind};
use crate::error::Result;
use crate::id::RecordId;

/// Records of the host's own. What they are about is also said by their [placements](super::Children).
pub trait Records {
    /// Adds new records.
    ///
    /// # Errors
    /// `AlreadyExists` when an id, or a key in its kind, is taken.
    fn insert(&mut self, records: &[HostRecord]) -> Result<()>;

    /// Replaces records whose stored revision is the one before the new one. Kind and key stay.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, records: &[HostRecord]) -> Result<()>;

    /// The records with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[RecordId]) -> Result<Vec<HostRecord>>;

    /// The records of a kind with these keys of the host's, in the order asked; unknown keys are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn find(&mut self, kind: &RecordKind, keys: &[&str]) -> Result<Vec<HostRecord>>;

    /// How many records of a kind there are.
    ///
    /// # Errors
    /// A failure of the store.
    fn usage(&mut self, kind: &RecordKind) -> Result<u64>;

    /// Removes records for good; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[RecordId]) -> Result<()>;
}
