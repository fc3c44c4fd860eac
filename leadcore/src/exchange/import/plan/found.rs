//! What the names in a row stand for.

use super::Planner;
use crate::domain::{Lead, TermId as _, TermKind};
use crate::error::Violation;
use crate::exchange::coerce::Intent;
use crate::id::{LostReasonId, PipelineId, StageId};

/// What the names in a row stand for.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) terms: Vec<(TermKind, uuid::Uuid)>,
    pub(super) stage: Option<(PipelineId, StageId)>,
    /// Why it was lost, of those reasons that there are.
    pub(super) reason: Option<LostReasonId>,
}

impl Planner<'_> {
    /// What the names of a row mean, for the lead that is there.
    pub(super) fn look_up_names(
        &mut self,
        intent: &Intent,
        lead: Option<&Lead>,
    ) -> Result<Found, Vec<Violation>> {
        let own = lead.map(|lead| lead.pipeline);
        let (mut found, mut broken) = (Found::default(), Vec::new());
        for (kind, name) in &intent.terms {
            if *kind == TermKind::LostReason {
                match self.names.lost_reason(name) {
                    Ok(reason) => found.reason = reason.map(LostReasonId::from_term),
                    Err(reason) => broken.push(reason),
                }
                continue;
            }
            let term = self.names.term(self.ctx, *kind, name);
            match term.and_then(|id| self.names.check_archived(*kind, id, lead).map(|()| id)) {
                Ok(id) => found.terms.push((*kind, id)),
                Err(reason) => broken.push(reason),
            }
        }
        if let Some(name) = &intent.stage {
            match self.names.stage(self.ctx, &mut self.intake.pipelines, name, own) {
                Ok(stage) => found.stage = Some(stage),
                Err(reason) => broken.push(reason),
            }
        }
        if broken.is_empty() { Ok(found) } else { Err(broken) }
    }
}
