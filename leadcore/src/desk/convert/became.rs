//! What became of the leads of a call for many.

use serde::{Deserialize, Serialize};

use crate::error::{Conflict, Error, ErrorKind, MatchRef, Violation, ViolationCode};
use crate::id::LeadId;

use super::judged::CONVERT;
use super::{ConversionOutcome, TargetFailure};

/// What became of one lead of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeadConverted {
    /// It was converted by this call.
    Done(Box<ConversionOutcome>),
    /// It had been converted before: the first outcome.
    Already(Box<ConversionOutcome>),
    /// It may not be converted as it is: required fields are empty, it is lost or disqualified … Everything that stands against
    /// it, a series that has no number left included.
    GateUnmet(Vec<Violation>),
    /// Another account, contact or opportunity has the value of a unique field that it would bring.
    Duplicate(Vec<Violation>),
    /// Several accounts or contacts may be it, and the options do not choose.
    Ambiguous {
        /// Those that the actor may see, the likeliest first.
        candidates: Vec<MatchRef>,
        /// How many others there are.
        elsewhere: u64,
    },
    /// The tenant closed conversion for leads as it is: its stage, mostly.
    Closed,
    /// It changed since it was read, the key stands for one with other options, or nothing stands against it but that a series
    /// has no number left: that of the accounts, where that of the opportunities has none either.
    Conflict(Conflict),
    /// The actor may not convert it.
    Forbidden,
    /// It does not exist, is in the trash, or the actor may not know that it exists.
    NotFound,
    /// A target of the host had something against it; nothing of it is written, neither here nor by other targets.
    TargetFailed(Box<TargetFailure>),
}

/// A lead and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadConversion {
    /// The lead.
    pub lead: LeadId,
    /// What became of it.
    pub outcome: LeadConverted,
}

/// How many leads had which outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversionTotals {
    /// Converted by this call.
    pub done: u64,
    /// Converted before.
    pub already: u64,
    /// Not to be converted as they are.
    pub gate_unmet: u64,
    /// Values that only one record may have, and another one has.
    #[serde(default)]
    pub duplicate: u64,
    /// Several records may be it.
    pub ambiguous: u64,
    /// Conversion is closed for leads as they are.
    #[serde(default)]
    pub closed: u64,
    /// Changed since, or without a number.
    pub conflict: u64,
    /// Not allowed.
    pub forbidden: u64,
    /// Not there.
    pub not_found: u64,
    /// Refused by a target of the host.
    #[serde(default)]
    pub target_failed: u64,
}

impl ConversionTotals {
    /// Counts one more lead: what a host tells of while [`many_in_batches`](super::many_in_batches) tells it each.
    pub fn count(&mut self, outcome: &LeadConverted) {
        let slot = match outcome {
            LeadConverted::Done(_) => &mut self.done,
            LeadConverted::Already(_) => &mut self.already,
            LeadConverted::GateUnmet(_) => &mut self.gate_unmet,
            LeadConverted::Duplicate(_) => &mut self.duplicate,
            LeadConverted::Ambiguous { .. } => &mut self.ambiguous,
            LeadConverted::Closed => &mut self.closed,
            LeadConverted::Conflict(_) => &mut self.conflict,
            LeadConverted::Forbidden => &mut self.forbidden,
            LeadConverted::NotFound => &mut self.not_found,
            LeadConverted::TargetFailed(_) => &mut self.target_failed,
        };
        *slot = slot.saturating_add(1);
    }
}

/// What a conversion of many leads did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MassConversion {
    /// Each lead once: in the order asked, those of a filter by number.
    pub results: Vec<LeadConversion>,
    /// The sums.
    pub totals: ConversionTotals,
}

impl MassConversion {
    pub(super) fn take(&mut self, results: Vec<LeadConversion>) {
        results.iter().for_each(|result| self.totals.count(&result.outcome));
        self.results.extend(results);
    }
}

/// The outcome behind an error about one lead.
pub(super) fn outcome_of(error: &Error) -> Option<LeadConverted> {
    match (error.conflict(), error.kind()) {
        (Some(Conflict::AmbiguousMatch { candidates, elsewhere }), _) => {
            Some(LeadConverted::Ambiguous { candidates: candidates.clone(), elsewhere: *elsewhere })
        }
        (Some(Conflict::Closed { function }), _) if function == CONVERT => Some(LeadConverted::Closed),
        (Some(conflict), _) => Some(LeadConverted::Conflict(conflict.clone())),
        (None, ErrorKind::NotFound) => Some(LeadConverted::NotFound),
        (None, ErrorKind::Denied) => Some(LeadConverted::Forbidden),
        (None, ErrorKind::Invalid) => Some(refused(error.violations().to_vec())),
        (None, _) => None,
    }
}

/// Where nothing but unique values stands against it, that is what it is.
fn refused(broken: Vec<Violation>) -> LeadConverted {
    let is_taken = !broken.is_empty() && broken.iter().all(|one| one.code == ViolationCode::Duplicate);
    if is_taken { LeadConverted::Duplicate(broken) } else { LeadConverted::GateUnmet(broken) }
}
