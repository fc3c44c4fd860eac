//! Where an opportunity stands in lists, and how its number is written.

use serde::{Deserialize, Serialize};

use crate::domain::Numbering;
use crate::id::OpportunityId;
use crate::time::Date;

/// The place of an opportunity in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpportunityPlace {
    /// The [day](super::Opportunity::day) that it is listed under.
    pub day: Date,
    /// Its id: what decides between two of one day.
    pub id: OpportunityId,
}

impl Numbering {
    /// How opportunity numbers are written where the tenant does not say: `O-00042`.
    #[must_use]
    pub fn of_opportunities() -> Self {
        Self { prefix: "O-".to_owned(), width: 5, start: 1 }
    }
}
