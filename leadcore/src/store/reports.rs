//! The ports for what sources cost and what they brought.

use serde::Serialize;

use crate::domain::{Cost, CostPlace, FieldValue};
use crate::error::Result;
use crate::id::{CostId, SourceId, StageId};
use crate::query::ReportScan;
use crate::time::Date;
use crate::value::Currency;

/// Which costs to list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostScan {
    /// Of this source.
    pub source: Option<SourceId>,
    /// Not over before this day.
    pub from: Option<Date>,
    /// Begun by this day.
    pub until: Option<Date>,
    /// From behind this place.
    pub after: Option<CostPlace>,
    /// At most so many.
    pub limit: usize,
}

/// What sources and campaigns of one tenant cost. Equal amounts are equal whatever zeros are at their ends.
pub trait Costs {
    /// Adds new costs.
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken.
    fn insert(&mut self, costs: &[Cost]) -> Result<()>;

    /// Replaces costs whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, costs: &[Cost]) -> Result<()>;

    /// The costs with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[CostId]) -> Result<Vec<Cost>>;

    /// Removes costs for good; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[CostId]) -> Result<()>;

    /// Costs by first day, those of one day by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, scan: &CostScan) -> Result<Vec<Cost>>;
}

/// How many leads of one group there are, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadFigures {
    /// The group.
    pub key: Vec<FieldValue>,
    /// How the campaign of the group is written, where it is grouped by campaigns: the first form in the order of bytes.
    pub campaign: Option<String>,
    /// Leads.
    pub leads: u64,
    /// Of them, those that were converted.
    pub converted: u64,
    /// Those in a lost stage that were not.
    pub lost: u64,
    /// Those that were found to be none.
    pub disqualified: u64,
    /// How long the converted ones waited for it, added up, in microseconds.
    pub waited: i128,
}

/// The middle of the times that converted leads of one group waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MiddleWaits {
    /// The group.
    pub key: Vec<FieldValue>,
    /// The middle one, in microseconds; of an even number, the lower one of both.
    pub low: i64,
    /// The middle one; of an even number, the higher one of both.
    pub high: i64,
}

/// How many opportunities there are and what they are worth, in units of 1/10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worth {
    /// How many.
    pub count: u64,
    /// The sum of those that say what they are worth.
    pub units: i128,
}

/// What came of the leads of one group, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorthFigures {
    /// The group.
    pub key: Vec<FieldValue>,
    /// The currency; none for opportunities that name none.
    pub currency: Option<Currency>,
    /// Opportunities still to be won.
    pub open: Worth,
    /// Those that were won.
    pub won: Worth,
    /// Those that were lost.
    pub lost: Worth,
}

/// What became of leads that entered a stage. Each is counted once, by what happened last: `entered` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Entered {
    /// Leads that were in the stage.
    pub entered: u64,
    /// Those that moved on to another stage that is not a lost one.
    pub moved_on: u64,
    /// Those that were lost from there, and are.
    pub lost: u64,
    /// Those that were disqualified there.
    pub disqualified: u64,
    /// Those that were converted there.
    pub converted: u64,
    /// Those that are there.
    pub still_there: u64,
}

impl Entered {
    /// Adds those of another group, or of another lead.
    pub const fn add(&mut self, other: &Self) {
        self.entered = self.entered.saturating_add(other.entered);
        self.moved_on = self.moved_on.saturating_add(other.moved_on);
        self.lost = self.lost.saturating_add(other.lost);
        self.disqualified = self.disqualified.saturating_add(other.disqualified);
        self.converted = self.converted.saturating_add(other.converted);
        self.still_there = self.still_there.saturating_add(other.still_there);
    }
}

/// What became of the leads of one group in one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageFigures {
    /// The group.
    pub key: Vec<FieldValue>,
    /// The stage. It may be gone since.
    pub stage: StageId,
    /// What became of them.
    pub entered: Entered,
}

/// Figures of the live leads of one tenant, in groups. Groups without leads are left out; the others come in the order of
/// [`FieldValue::order`] of their keys, one after the other.
///
/// Stores answer what [`ReportScan::key`] says, without handing leads over one by one.
pub trait Reports {
    /// How many leads there are, and what became of them.
    ///
    /// # Errors
    /// A failure of the store.
    fn leads(&mut self, scan: &ReportScan) -> Result<Vec<LeadFigures>>;

    /// The middle waits, of groups with converted leads.
    ///
    /// # Errors
    /// A failure of the store.
    fn middle_waits(&mut self, scan: &ReportScan) -> Result<Vec<MiddleWaits>>;

    /// What opportunities that were made of these leads are worth, by group, then by the code of the currency, none first. Each
    /// opportunity counts for the lead that it was [made of](crate::domain::Opportunity::origin_lead); one that no lead was, for the
    /// first lead, by id, that had become its account when it was made; and for no other.
    ///
    /// # Errors
    /// A failure of the store.
    fn worth(&mut self, scan: &ReportScan) -> Result<Vec<WorthFigures>>;

    /// What became of the leads in each stage that they were in, by group, then by stage id. A move that was taken back
    /// counts no more: [`Leads::update`](super::Leads::update) takes the lead to a stage in which, by
    /// [`stage_entered_at`](crate::domain::Lead::stage_entered_at), it was before.
    ///
    /// # Errors
    /// A failure of the store.
    fn stages(&mut self, scan: &ReportScan) -> Result<Vec<StageFigures>>;
}
