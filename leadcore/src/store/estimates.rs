//! The ports for estimates and for the products of leads.

use crate::domain::{Estimate, EstimatePlace, EstimateStatus, LeadLines};
use crate::error::Result;
use crate::id::{EstimateId, LeadId};
use crate::time::Date;

/// Which estimates to list.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimateScan {
    /// Those that are a new version of this one.
    pub revises: Option<EstimateId>,
    /// In this state on [`today`](Self::today), as [`Estimate::status_on`] says.
    pub status: Option<EstimateStatus>,
    /// The day whose states are meant.
    pub today: Date,
    /// Not of an earlier day.
    pub from: Option<Date>,
    /// Not of a later day.
    pub until: Option<Date>,
    /// The latest day first; else the earliest.
    pub descending: bool,
    /// From behind this place.
    pub after: Option<EstimatePlace>,
    /// At most so many.
    pub limit: usize,
}

/// Estimates of one tenant, with their lines. What they are about is also said by their [placements](super::Children). Each
/// has a date. Equal numbers are equal whatever zeros are at their ends.
pub trait Estimates {
    /// Adds new estimates.
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken, a number in its series, or a written number in any.
    fn insert(&mut self, estimates: &[Estimate]) -> Result<()>;

    /// Replaces estimates whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, estimates: &[Estimate]) -> Result<()>;

    /// The estimates with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[EstimateId]) -> Result<Vec<Estimate>>;

    /// Removes estimates with their lines for good; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[EstimateId]) -> Result<()>;

    /// The estimate with this number in the standard series.
    ///
    /// # Errors
    /// A failure of the store.
    fn numbered(&mut self, number: u64) -> Result<Option<Estimate>>;

    /// Estimates by date, those of one day by id, both in the direction of the scan.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, scan: &EstimateScan) -> Result<Vec<Estimate>>;

    /// Estimates that were sent and hold until a day before this one, the longest over first, those of one day by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn lapsed(&mut self, today: Date, limit: usize) -> Result<Vec<EstimateId>>;
}

/// The products of leads: at most one list for each lead.
pub trait Lines {
    /// Adds new lists.
    ///
    /// # Errors
    /// `AlreadyExists` when a lead has one.
    fn insert(&mut self, lists: &[LeadLines]) -> Result<()>;

    /// Replaces lists whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, lists: &[LeadLines]) -> Result<()>;

    /// The lists of these leads, in the order asked; leads without one are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, leads: &[LeadId]) -> Result<Vec<LeadLines>>;

    /// Removes the lists of these leads; leads without one are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, leads: &[LeadId]) -> Result<()>;
}
