//! What becomes of a row, before it is written.

use super::MatchBy;
use super::outcome::{Outcome, SkipReason};
use crate::domain::FieldChange;
use crate::error::Violation;
use crate::id::{LeadId, UserId};

/// What becomes of a row; leads by their place on the bench.
#[derive(Debug)]
pub(super) enum Decision {
    Create {
        slot: usize,
        recognisable: bool,
        /// The row has a number, and no lead has it.
        unknown_number: bool,
        values: Vec<FieldChange>,
    },
    Update {
        slot: usize,
        matched_by: MatchBy,
        same_as_line: Option<u64>,
        changes: Vec<FieldChange>,
    },
    /// With what each lead is called when the row is decided, as the actor may see it.
    Review {
        slots: Vec<usize>,
        names: Vec<Option<String>>,
        matched_by: MatchBy,
    },
    Skip {
        reason: SkipReason,
        slot: Option<usize>,
        same_as_line: Option<u64>,
    },
    Reject {
        reasons: Vec<Violation>,
        owner: Option<UserId>,
    },
}

impl Decision {
    pub(super) const fn reject(reasons: Vec<Violation>) -> Self {
        Self::Reject { reasons, owner: None }
    }

    /// Every cell is empty.
    pub(super) const fn blank() -> Self {
        Self::Skip { reason: SkipReason::Blank, slot: None, same_as_line: None }
    }

    /// It sums up the lines above.
    pub(super) const fn total() -> Self {
        Self::Skip { reason: SkipReason::Total, slot: None, same_as_line: None }
    }

    /// It is the header once more.
    pub(super) const fn header() -> Self {
        Self::Skip { reason: SkipReason::Header, slot: None, same_as_line: None }
    }

    /// It is not what was planned.
    pub(super) const fn stale() -> Self {
        Self::Skip { reason: SkipReason::Stale, slot: None, same_as_line: None }
    }

    /// The place of the lead that the row became or means.
    pub(super) const fn lead(&self) -> Option<usize> {
        match self {
            Self::Create { slot, .. } | Self::Update { slot, .. } => Some(*slot),
            Self::Skip { slot, .. } => *slot,
            Self::Review { .. } | Self::Reject { .. } => None,
        }
    }

    /// The outcome, where `lead` tells id and number of a lead on the bench, none for one that is only imagined.
    pub(super) fn outcome(self, lead: impl Fn(usize) -> Option<(LeadId, u64)>) -> Outcome {
        match self {
            Self::Create { slot, recognisable, unknown_number, .. } => {
                let (lead, number) = lead(slot).unzip();
                Outcome::Created { lead, number, recognisable, unknown_number }
            }
            Self::Update { slot, matched_by, same_as_line, .. } => {
                let (lead, number) = lead(slot).unzip();
                Outcome::Updated { lead, number, matched_by, same_as_line }
            }
            Self::Skip { reason, slot, same_as_line } => {
                let (lead, number) = slot.and_then(lead).unzip();
                Outcome::Skipped { reason, lead, number, same_as_line }
            }
            Self::Review { slots, matched_by, .. } => {
                Outcome::Review { matched_by, candidates: slots.into_iter().filter_map(lead).collect() }
            }
            Self::Reject { reasons, owner } => Outcome::Rejected { reasons, owner },
        }
    }
}
