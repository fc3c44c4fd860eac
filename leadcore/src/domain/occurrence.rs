//! When a meeting takes place.

use crate::time::Timestamp;

use super::activity::Meeting;

impl Meeting {
    /// When the first occurrence begins that begins after this time; the first of all when there is none.
    #[must_use]
    pub fn next_occurrence(&self, after: Option<Timestamp>) -> Option<Timestamp> {
        Some(self.start.at).filter(|start| after.is_none_or(|after| *start > after))
    }
}
