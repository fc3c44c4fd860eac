//! The ports for opportunities and services.

use crate::domain::{BlockKey, Opportunity, OpportunityPlace, OpportunityState, Service, ServiceState};
use crate::error::Result;
use crate::id::{AccountId, EstimateId, OpportunityId, ServiceId, SourceId, UserId};
use crate::time::Date;

use super::records::Block;

/// Which opportunities to list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpportunityScan {
    /// Of this account.
    pub account: Option<AccountId>,
    /// That this user answers for.
    pub owner: Option<UserId>,
    /// In this state.
    pub state: Option<OpportunityState>,
    /// From this source.
    pub source: Option<SourceId>,
    /// Not of an earlier [day](Opportunity::day).
    pub from: Option<Date>,
    /// Not of a later day.
    pub until: Option<Date>,
    /// The latest day first; else the earliest.
    pub descending: bool,
    /// From behind this place.
    pub after: Option<OpportunityPlace>,
    /// At most so many.
    pub limit: usize,
}

/// Opportunities of one tenant, with their lines. What they are about is also said by their [placements](super::Children).
/// Equal amounts are equal whatever zeros are at their ends.
pub trait Opportunities {
    /// Adds new opportunities.
    ///
    /// # Errors
    /// `AlreadyExists` when an id or number is taken.
    fn insert(&mut self, opportunities: &[Opportunity]) -> Result<()>;

    /// Replaces opportunities whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, opportunities: &[Opportunity]) -> Result<()>;

    /// The opportunities with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[OpportunityId]) -> Result<Vec<Opportunity>>;

    /// Removes opportunities with their lines for good; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[OpportunityId]) -> Result<()>;

    /// The opportunity with this number.
    ///
    /// # Errors
    /// A failure of the store.
    fn numbered(&mut self, number: u64) -> Result<Option<Opportunity>>;

    /// Opportunities by [day](Opportunity::day), those of one day by id, both in the direction of the scan.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, scan: &OpportunityScan) -> Result<Vec<Opportunity>>;

    /// The opportunities that have one of these [keys](crate::domain::OpportunityFields::block_keys): a block for each key that
    /// one has, in the order asked, with the first `limit` of them by id. Looked up in an index that is kept with every write.
    ///
    /// # Errors
    /// A failure of the store.
    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<OpportunityId>>>;
}

/// Which services to list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceScan {
    /// Of this account.
    pub account: Option<AccountId>,
    /// In this state.
    pub state: Option<ServiceState>,
    /// Won with this opportunity.
    pub opportunity: Option<OpportunityId>,
    /// Copied from this estimate.
    pub estimate: Option<EstimateId>,
    /// The latest id first; else the earliest.
    pub descending: bool,
    /// From behind this one.
    pub after: Option<ServiceId>,
    /// At most so many.
    pub limit: usize,
}

/// Services of one tenant. What they are about is also said by their [placements](super::Children).
pub trait Services {
    /// Adds new services.
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken.
    fn insert(&mut self, services: &[Service]) -> Result<()>;

    /// Replaces services whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, services: &[Service]) -> Result<()>;

    /// The services with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[ServiceId]) -> Result<Vec<Service>>;

    /// Removes services for good; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[ServiceId]) -> Result<()>;

    /// Services by id, in the direction of the scan.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, scan: &ServiceScan) -> Result<Vec<Service>>;
}
