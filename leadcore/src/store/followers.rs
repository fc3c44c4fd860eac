//! The port for followers.

use crate::domain::{Follow, Place, Subject, SubjectKind};
use crate::error::Result;
use crate::id::UserId;

/// Who follows what. A user follows a record once.
pub trait Followers {
    /// Adds followers; a user who follows the record already does so since it did.
    ///
    /// # Errors
    /// A failure of the store.
    fn add(&mut self, follows: &[Follow]) -> Result<()>;

    /// Takes followers away, since whenever they follow; others are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, follows: &[Follow]) -> Result<()>;

    /// The followers of these records, by record, then by user; each once.
    ///
    /// # Errors
    /// A failure of the store.
    fn of(&mut self, subjects: &[Subject]) -> Result<Vec<Follow>>;

    /// The records of one kind that this user follows, the latest first (those of one time by id, the highest first), from
    /// behind a place, at most `limit`.
    ///
    /// # Errors
    /// A failure of the store.
    fn followed_by(
        &mut self,
        user: &UserId,
        kind: SubjectKind,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Follow>>;
}
