//! The ports for what hangs on leads, contacts and accounts.

use crate::domain::{FollowUp, Place, Placed, Placement, Subject, Tab, TabCount};
use crate::error::Result;

/// Which children to list.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildQuery {
    /// About one of these. A child about several of them is listed once.
    pub about: Vec<Subject>,
    /// In one of these tabs; in any, when there is none.
    pub tabs: Vec<Tab>,
    /// Only those that are open, or that are not.
    pub open: Option<bool>,
    /// The latest first; else the earliest.
    pub descending: bool,
    /// From behind this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: usize,
}

/// Where children are shown. A child has one placement.
pub trait Children {
    /// Writes placements; earlier ones of the same children are replaced.
    ///
    /// # Errors
    /// A failure of the store.
    fn place(&mut self, placements: &[Placement]) -> Result<()>;

    /// Takes the placements of these children away; others are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn lift(&mut self, children: &[Subject]) -> Result<()>;

    /// Children in the order of their `at`, those of one time by id, both in the direction of the query.
    ///
    /// # Errors
    /// A failure of the store.
    fn list(&mut self, query: &ChildQuery) -> Result<Vec<Placed>>;

    /// How many children each tab of these records has, in the order of [`Tab`]; tabs without any are left out. A child
    /// about several of the records counts once.
    ///
    /// # Errors
    /// A failure of the store.
    fn counts(&mut self, about: &[Subject]) -> Result<Vec<TabCount>>;

    /// What each of these children is about, as placed; children without a placement are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn placements(&mut self, children: &[Subject]) -> Result<Vec<Placement>>;

    /// The earliest follow-up, and the earliest whole day of one, about each of these records, in the order asked; records without one are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn follow_ups(&mut self, about: &[Subject]) -> Result<Vec<(Subject, FollowUp)>>;
}
