//! A lead that is not there yet.

use serde::{Deserialize, Serialize};

use crate::id::{LostReasonId, StageId};

use super::lead::LeadFields;

/// A lead to be created: its fields and where it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LeadDraft {
    /// What the caller sets.
    pub fields: LeadFields,
    /// The stage to start in; the first open stage of the default pipeline when not said.
    pub stage: Option<StageId>,
    /// Why it was lost, when it starts in a lost stage.
    pub reason: Option<LostReasonId>,
    /// Why it was lost, in words.
    pub detail: Option<String>,
}

impl LeadDraft {
    /// A draft that starts in `stage`.
    #[must_use]
    pub fn in_stage(mut self, stage: StageId) -> Self {
        self.stage = Some(stage);
        self
    }

    /// With the reason why it was lost, by the list, in words, or both.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Option<LostReasonId>>, detail: Option<&str>) -> Self {
        (self.reason, self.detail) = (reason.into(), detail.map(str::to_owned));
        self
    }
}

impl From<LeadFields> for LeadDraft {
    fn from(fields: LeadFields) -> Self {
        Self { fields, ..Self::default() }
    }
}
