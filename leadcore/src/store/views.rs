//! The ports for what single users see: saved views and read marks.

use crate::domain::{SavedView, ViewPreferences};
use crate::error::Result;
use crate::id::{LeadId, UserId, ViewId};
use crate::time::Timestamp;

/// Which saved views are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhichViews<'a> {
    /// Those that are shared.
    Shared,
    /// Those that are shared, and those of this user.
    Of(&'a UserId),
    /// Those of everybody.
    All,
}

impl<'a> From<Option<&'a UserId>> for WhichViews<'a> {
    fn from(user: Option<&'a UserId>) -> Self {
        user.map_or(Self::Shared, Self::Of)
    }
}

/// Saved views, and how each user has them arranged.
pub trait Views {
    /// Adds a new view.
    ///
    /// # Errors
    /// `AlreadyExists` when its id, or its name among the views of its owner, is taken.
    fn insert(&mut self, view: &SavedView) -> Result<()>;

    /// Replaces a view whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the stored revision is another, `AlreadyExists` when the name is taken.
    fn update(&mut self, view: &SavedView) -> Result<()>;

    /// Removes a view. Preferences that name it stay: whoever reads them passes over it.
    ///
    /// # Errors
    /// `NotFound`.
    fn remove(&mut self, id: ViewId) -> Result<()>;

    /// The view with this id.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, id: ViewId) -> Result<Option<SavedView>>;

    /// These views, by folded name, then by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn list(&mut self, which: WhichViews<'_>) -> Result<Vec<SavedView>>;

    /// How this user has the views arranged; the default when never said.
    ///
    /// # Errors
    /// A failure of the store.
    fn preferences(&mut self, user: &UserId) -> Result<ViewPreferences>;

    /// Writes it.
    ///
    /// # Errors
    /// A failure of the store.
    fn set_preferences(&mut self, user: &UserId, preferences: &ViewPreferences) -> Result<()>;
}

/// Who has read which lead (S1.17): what a user marked, else whether it was there when the user marked everything.
pub trait Marks {
    /// This user has read these leads, or has not; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn mark(&mut self, user: &UserId, leads: &[LeadId], read: bool) -> Result<()>;

    /// This user has read every lead that was created up to `until`, whatever was marked before.
    ///
    /// # Errors
    /// A failure of the store.
    fn mark_all(&mut self, user: &UserId, until: Timestamp) -> Result<()>;

    /// Which of these leads the user has read, in the order asked.
    ///
    /// # Errors
    /// A failure of the store.
    fn read_by(&mut self, user: &UserId, leads: &[LeadId]) -> Result<Vec<LeadId>>;
}
