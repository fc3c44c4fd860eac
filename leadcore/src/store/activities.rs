//! The port for activities.

use crate::domain::{Activity, ActivityKind, Place};
use crate::error::Result;
use crate::id::{ActivityId, UserId};

/// Which activities to list, whatever they are about.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityQuery {
    /// Only those that this user turns to; whoever's, when there is none.
    pub assignee: Option<UserId>,
    /// Of these kinds; of any, when there is none.
    pub kinds: Vec<ActivityKind>,
    /// Only those that [are open](Activity::is_open), or that are not.
    pub open: Option<bool>,
    /// The latest first; else the earliest.
    pub descending: bool,
    /// From behind this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: usize,
}

/// Activities of one tenant. What they are about is also said by their [placements](super::Children).
pub trait Activities {
    /// Adds new activities.
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken.
    fn insert(&mut self, activities: &[Activity]) -> Result<()>;

    /// Replaces activities whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, activities: &[Activity]) -> Result<()>;

    /// The activities with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[ActivityId]) -> Result<Vec<Activity>>;

    /// Removes activities for good; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[ActivityId]) -> Result<()>;

    /// Activities in the order of their [`at`](Activity::at), those of one time by id, both in the direction of the query.
    ///
    /// # Errors
    /// A failure of the store.
    fn list(&mut self, query: &ActivityQuery) -> Result<Vec<Activity>>;
}
