//! What the names of a row stand for, and what the guard says of its stage.

use super::Planner;
use crate::desk;
use crate::domain::{Lead, Move, StageKind, TermId as _, TermKind};
use crate::error::Violation;
use crate::exchange::coerce::Intent;
use crate::id::{DisqualifyReasonId, LostReasonId, PipelineId, StageId};

/// What the names in a row stand for.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) terms: Vec<(TermKind, uuid::Uuid)>,
    pub(super) stage: Option<(PipelineId, StageId)>,
    /// Why it was lost, of those reasons that there are.
    pub(super) reason: Option<LostReasonId>,
    /// Why it was disqualified, of those reasons that there are.
    pub(super) disqualify_reason: Option<DisqualifyReasonId>,
    /// Of which of them the row names one that there is not.
    pub(super) unknown_reasons: Vec<TermKind>,
    /// Why it was either, in words.
    pub(super) detail: Option<String>,
}

impl Planner<'_> {
    /// Whether a row that comes into this stage is lost.
    pub(super) fn comes_lost(&self, stage: Option<StageId>) -> bool {
        let found = stage.and_then(|id| self.intake.pipelines.iter().find_map(|known| known.stage(id)));
        found.is_some_and(|stage| stage.kind == StageKind::Lost)
    }

    /// Asks the guard: about the stage that the row moves the lead to, else about what it empties. Returns the move.
    pub(super) fn check_stage(
        &self,
        place: usize,
        after: &Lead,
        found: &Found,
    ) -> Result<Option<Move>, Vec<Violation>> {
        let stage = found.stage.map(|(_, stage)| stage);
        let (guard, pipelines) = (&self.intake.guard, &self.intake.pipelines);
        let Some(before) = self.bench.slots.get(place).map(|slot| &slot.lead) else { return Ok(None) };
        let mut to = stage.filter(|stage| *stage != before.stage).map(Move::from);
        if self.comes_lost(stage)
            && let Some(to) = &mut to
        {
            to.reason = found.reason.or(self.options.lost_reason);
            to.detail.clone_from(&found.detail);
        }
        let unmet = match (&to, pipelines.iter().find_map(|known| known.stage(before.stage))) {
            (Some(to), _) => guard.check(pipelines, after, to),
            (None, Some(stage)) => guard.check_edit(stage, &before.fields, &after.fields),
            (None, None) => Vec::new(),
        };
        if unmet.is_empty() { Ok(to) } else { Err(desk::violations(&unmet, &[])) }
    }

    /// What the names of a row mean, for the lead that is there.
    pub(super) fn look_up_names(
        &mut self,
        intent: &Intent,
        lead: Option<&Lead>,
    ) -> Result<Found, Vec<Violation>> {
        let own = lead.map(|lead| lead.pipeline);
        let mut found = Found { detail: intent.reason_detail.clone(), ..Found::default() };
        let mut broken = Vec::new();
        for (kind, name) in &intent.terms {
            if let TermKind::LostReason | TermKind::DisqualifyReason = kind {
                match (self.names.reason(*kind, name), kind) {
                    (Ok(Some(id)), TermKind::LostReason) => found.reason = Some(LostReasonId::from_term(id)),
                    (Ok(Some(id)), _) => found.disqualify_reason = Some(DisqualifyReasonId::from_term(id)),
                    (Ok(None), _) => found.unknown_reasons.push(*kind),
                    (Err(reason), _) => broken.push(reason),
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
