//! The port for leads.

use crate::domain::{Field, FieldValue, Lead, MatchKey, StageSum};
use crate::error::Result;
use crate::id::LeadId;
use crate::query::{LeadScan, Resolved};
use crate::time::Timestamp;

/// A write to a lead that was read: what it was and what it shall be.
///
/// The state before tells the store which keys and counts to take away, so that no write reads first.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadChange {
    /// The lead as it was read in this transaction.
    pub before: Lead,
    /// The lead as it shall be; its revision is the next one, its id and number are those before.
    pub after: Lead,
}

/// Leads of one tenant.
///
/// Ids and numbers are unique, the trash included. A lead comes back as it was written: texts byte for byte, an empty
/// text apart from none, times to the microsecond, amounts exactly (but `1.50` may come back as `1.5`). `scan`, `find` and [`Tallies`] see live leads only unless they say otherwise;
/// `get` sees all.
pub trait Leads {
    /// Adds new leads. Keys, search text and counts follow.
    ///
    /// # Errors
    /// `AlreadyExists` when an id or number is taken; nothing of the slice is written then.
    fn insert(&mut self, leads: &[Lead]) -> Result<()>;

    /// Replaces leads that are still as they were read.
    ///
    /// # Errors
    /// `NotFound` when a lead is gone, `Conflict` with
    /// [`StaleRevision`](crate::error::Conflict::StaleRevision) (expected: that of `before`; found: the stored one) when
    /// its revision is another; nothing of the slice is written then.
    fn update(&mut self, changes: &[LeadChange]) -> Result<()>;

    /// Removes leads for good, with their keys, search text, counts and read marks. Their links and history stay.
    ///
    /// # Errors
    /// `NotFound` or `Conflict`, as [`update`](Self::update), when one is not as it was read; nothing of the slice is
    /// removed then.
    fn remove(&mut self, leads: &[Lead]) -> Result<()>;

    /// The leads with these ids, trashed ones included, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>>;

    /// Every live lead that has one of these keys, by key (its kind in the order of
    /// [`MatchKind`](crate::domain::MatchKind), then its text bytewise), then by lead number (oldest first). A key that
    /// is asked twice is answered once.
    ///
    /// # Errors
    /// A failure of the store.
    fn find(&mut self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, LeadId)>>;

    /// Leads that match, sorted by [`SortField::key`](crate::query::SortField::key) in the order of
    /// [`FieldValue::order`] (texts bytewise, empty first), ties by id, both in the direction of the sort; from behind
    /// the cursor. A custom field that is sorted by has one value at most in each lead. The cursor is one of the same sort; its lead may have changed or gone. A limit of zero gives none, and
    /// a limit or bound beyond what the store can count is no error.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, scan: &LeadScan) -> Result<Vec<Lead>>;

    /// Writes what follows from the children of leads, without a new revision: whoever edits the lead meanwhile is not
    /// in conflict with a note. Keys and counts do not look at it. Unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn derive(&mut self, derived: &[Derived]) -> Result<()>;
}

/// What a lead has from its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The lead.
    pub id: LeadId,
    /// See [`Lead::follow_up`].
    pub follow_up: Option<crate::domain::FollowUp>,
    /// See [`Lead::active_at`].
    pub active_at: Timestamp,
}

/// Counts of live leads of one tenant.
pub trait Tallies {
    /// How many live leads match.
    ///
    /// # Errors
    /// A failure of the store.
    fn count(&mut self, filter: &Resolved) -> Result<u64>;

    /// How many live leads match, where the store keeps that count and need not look at leads for it.
    ///
    /// # Errors
    /// A failure of the store.
    fn kept(&mut self, filter: &Resolved) -> Result<Option<u64>>;

    /// How many live leads match, per value of `field` (stage, source, category, owner, state, kind …), in the order of
    /// [`FieldValue::order`], [`FieldValue::Empty`] for those without. Values that no lead has are left out. A custom field
    /// is counted by its [forms](crate::domain::CustomValue::forms); a lead with several of them is in several groups.
    ///
    /// # Errors
    /// `Unsupported` for a field that is not [groupable](Field::is_groupable).
    fn count_by(&mut self, filter: &Resolved, field: &Field) -> Result<Vec<(FieldValue, u64)>>;

    /// What the amounts of live leads that match add up to, per stage and currency, by stage id, then by currency (none
    /// first). Where no lead says an amount there is no sum.
    ///
    /// A board asks for this with nothing but a state in the filter: a store answers that without visiting leads.
    ///
    /// # Errors
    /// A failure of the store.
    fn sums(&mut self, filter: &Resolved) -> Result<Vec<StageSum>>;
}
