//! What a lead must meet to be in a stage: one guard for whoever creates, edits, moves, imports or restores (X.17).
//!
//! Everything here is pure: the [`Guard`] holds what the tenant has set up and how full its stages are, and lists every
//! condition that is not met, all at once. Whoever writes asks it; nobody decides it again elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::id::{PipelineId, StageId};
use crate::time::Timestamp;
use crate::value::clean_text;

use super::field::Field;
use super::lead::{Closing, Lead, LeadFields, Outcome};
use super::moves::{Move, Unmet, Why};
use super::pipeline::{Pipeline, Stage, StageKind};
use super::rank::Rank;
use super::vocabulary::{Term, TermKind};

/// What decides whether a lead may be in a stage, besides the lead and the stages: loaded once, asked for every lead.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    lost_reasons: Vec<Term<Uuid>>,
    disabled: BTreeSet<Field>,
    cards: BTreeMap<StageId, u64>,
}

/// The longest reason in words, in bytes.
const MAX_DETAIL: usize = 4_000;

impl Guard {
    /// The guard of a tenant: its list of lost reasons, the fields that it switched off (no stage can ask for them), and
    /// how many open leads are in each stage that has a limit.
    #[must_use]
    pub const fn new(
        lost_reasons: Vec<Term<Uuid>>,
        disabled: BTreeSet<Field>,
        cards: BTreeMap<StageId, u64>,
    ) -> Self {
        Self { lost_reasons, disabled, cards }
    }

    /// Every condition that stands against this move of a lead as it is now. Rules that the lead breaks where it is
    /// do not count; within its stage there are no others than its state and, for a lost stage, the reason.
    ///
    /// Whether the neighbour of a [`Position`](super::Position) is a card of the stage, only a store knows.
    #[must_use]
    pub fn check(&self, pipelines: &[Pipeline], lead: &Lead, to: &Move) -> Vec<Unmet> {
        let mut unmet = Self::state(lead);
        let found = pipelines.iter().find_map(|pipeline| Some((pipeline.id, pipeline.stage(to.stage)?)));
        let Some((pipeline, stage)) = found else {
            unmet.push(Unmet::UnknownStage { stage: to.stage });
            return unmet;
        };
        let why = Why::from(to);
        if lead.stage == stage.id {
            if why.is_given() {
                self.check_lost(stage, why, lead.closing.as_ref(), &mut unmet);
            }
            return unmet;
        }
        // Moves between pipelines are free: a transition graph says something about its own stages only.
        let from =
            pipelines.iter().find_map(|known| known.stage(lead.stage).filter(|_| known.id == pipeline));
        if let Some(from) = from
            && from.allowed_next.as_ref().is_some_and(|next| !next.contains(&stage.id))
        {
            unmet.push(Unmet::TransitionNotAllowed { from: from.id, to: stage.id });
        }
        self.check_entry(&lead.fields, stage, why, lead.closing.as_ref(), &mut unmet);
        unmet
    }

    /// What stands against this move whichever lead makes it: the stage that there is not, the reason that does not fit.
    #[must_use]
    pub fn check_target(&self, pipelines: &[Pipeline], to: &Move) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        match pipelines.iter().find_map(|pipeline| pipeline.stage(to.stage)) {
            None => unmet.push(Unmet::UnknownStage { stage: to.stage }),
            Some(stage) if Why::from(to).is_given() => {
                self.check_lost(stage, Why::from(to), None, &mut unmet);
                // A lead that is lost already may keep its reason.
                unmet.retain(|unmet| !matches!(unmet, Unmet::ReasonRequired { .. }));
            }
            Some(_) => {}
        }
        unmet
    }

    /// Every condition that stands against a new lead with these fields in this stage.
    #[must_use]
    pub fn check_new(&self, fields: &LeadFields, stage: &Stage, why: Why<'_>) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        self.check_entry(fields, stage, why, None, &mut unmet);
        unmet
    }

    /// What stands against a lead coming back to the stage it was in, from the trash or from being disqualified: the
    /// limit alone, since nobody could have filled its fields meanwhile.
    #[must_use]
    pub fn check_return(&self, stage: &Stage) -> Vec<Unmet> {
        self.limit(stage).into_iter().collect()
    }

    /// What stands against an edit: fields that the lead's stage asks for and that it would empty. A field that was
    /// empty before makes nothing worse.
    #[must_use]
    pub fn check_edit(&self, stage: &Stage, before: &LeadFields, after: &LeadFields) -> Vec<Unmet> {
        let emptied = |field: &Field| !field.read_fields(before).is_empty();
        self.missing(stage, after)
            .filter(|field| emptied(field))
            .map(|field| Unmet::FieldRequired { stage: stage.id, field: field.clone() })
            .collect()
    }

    /// What the state of a lead leaves closed to every move: trash, conversion, disqualification.
    #[must_use]
    pub fn state(lead: &Lead) -> Vec<Unmet> {
        let disqualified =
            lead.closing.as_ref().is_some_and(|closing| closing.outcome == Outcome::Disqualified);
        let conditions = [
            (lead.trashed.is_some(), Unmet::Trashed),
            (lead.conversion.is_some(), Unmet::Converted),
            (disqualified, Unmet::Disqualified),
        ];
        conditions.into_iter().filter(|(holds, _)| *holds).map(|(_, unmet)| unmet).collect()
    }

    /// With the list of reasons also where no stage is a lost one yet: an import may add one.
    #[cfg(feature = "csv")]
    pub(crate) fn know_lost_reasons(&mut self, reasons: Vec<Term<Uuid>>) {
        self.lost_reasons = reasons;
    }

    /// What stands against ending a lead for this reason of a list. `before` is how it ended before in the same way:
    /// what is kept of it needs no leave.
    #[must_use]
    pub fn check_reason(
        list: TermKind,
        terms: &[Term<Uuid>],
        why: Why<'_>,
        before: Option<&Closing>,
    ) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        let kept = before.and_then(|closing| closing.reason);
        let detail = why.words().or_else(|| {
            let same = why.reason.is_none() || why.reason == kept;
            before.filter(|_| same).and_then(|closing| closing.detail.as_deref())
        });
        let reason = why.reason.or(kept);
        match (reason, reason.and_then(|id| terms.iter().find(|term| term.id == id))) {
            (None, _) if before.is_none() && terms.iter().any(|term| !term.archived) => {
                unmet.push(Unmet::ReasonRequired { list });
            }
            (Some(reason), None) => unmet.push(Unmet::ReasonUnknown { list, reason }),
            (Some(reason), Some(term)) => {
                if term.archived && kept != Some(reason) {
                    unmet.push(Unmet::ReasonArchived { list, reason });
                }
                if term.needs_detail && detail.is_none() {
                    unmet.push(Unmet::DetailRequired { list, reason });
                }
            }
            (None, _) => {}
        }
        if why.words().is_some_and(|words| clean_text(words, MAX_DETAIL).is_err()) {
            unmet.push(Unmet::DetailMalformed);
        }
        unmet
    }

    /// What stands against saying that a lead was no lead at all, for this reason of these.
    pub(crate) fn check_disqualify(lead: &Lead, reasons: &[Term<Uuid>], why: Why<'_>) -> Vec<Unmet> {
        let mut unmet = Self::state(lead);
        let closed = lead.closing.as_ref().filter(|closing| closing.outcome != Outcome::Disqualified);
        unmet.extend(closed.map(|closing| Unmet::Closed { outcome: closing.outcome }));
        unmet.extend(Self::check_reason(TermKind::DisqualifyReason, reasons, why, None));
        unmet
    }

    /// Counts a lead that came into a stage, so that the next one is checked against what is there then.
    pub fn count_in(&mut self, stage: StageId) {
        let count = self.cards.entry(stage).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts a lead that left a stage.
    pub fn count_out(&mut self, stage: StageId) {
        let count = self.cards.entry(stage).or_default();
        *count = count.saturating_sub(1);
    }

    fn check_entry(
        &self,
        fields: &LeadFields,
        stage: &Stage,
        why: Why<'_>,
        before: Option<&Closing>,
        unmet: &mut Vec<Unmet>,
    ) {
        let missing = self.missing(stage, fields);
        unmet.extend(missing.map(|field| Unmet::FieldRequired { stage: stage.id, field: field.clone() }));
        unmet.extend(self.limit(stage));
        self.check_lost(stage, why, before, unmet);
    }

    fn check_lost(&self, stage: &Stage, why: Why<'_>, before: Option<&Closing>, unmet: &mut Vec<Unmet>) {
        let list = TermKind::LostReason;
        match stage.kind {
            StageKind::Lost => {
                let before = before.filter(|closing| closing.outcome == Outcome::Lost);
                unmet.extend(Self::check_reason(list, &self.lost_reasons, why, before));
            }
            _ if why.is_given() => unmet.push(Unmet::ReasonNotAsked { list }),
            _ => {}
        }
    }

    fn missing<'s>(&'s self, stage: &'s Stage, fields: &'s LeadFields) -> impl Iterator<Item = &'s Field> {
        let required = stage.required_fields.iter().filter(|field| !self.disabled.contains(field));
        required.filter(|field| field.read_fields(fields).is_empty())
    }

    fn limit(&self, stage: &Stage) -> Option<Unmet> {
        let (limit, count) = (stage.wip_limit?, self.cards.get(&stage.id).copied().unwrap_or(0));
        (count >= u64::from(limit)).then_some(Unmet::LimitReached { stage: stage.id, limit, count })
    }
}

impl Closing {
    /// How a lead ends that comes into a stage of this kind. What is not said again stays as it was, the time too, when
    /// it had ended in the same way.
    #[must_use]
    pub fn on_entering(kind: StageKind, why: Why<'_>, before: Option<&Self>, at: Timestamp) -> Option<Self> {
        let outcome = match kind {
            StageKind::Open | StageKind::OnHold => return None,
            StageKind::Won => Outcome::Won,
            StageKind::Lost => Outcome::Lost,
        };
        let before = before.filter(|closing| closing.outcome == outcome);
        Some(Self::of(outcome, why, before, at))
    }

    fn of(outcome: Outcome, why: Why<'_>, before: Option<&Self>, at: Timestamp) -> Self {
        let kept = before.and_then(|closing| closing.reason);
        let same = why.reason.is_none() || why.reason == kept;
        let old_detail = before.filter(|_| same).and_then(|closing| closing.detail.clone());
        Self {
            at: before.map_or(at, |closing| closing.at),
            outcome,
            reason: why.reason.or(kept),
            detail: why.words().map(str::to_owned).or(old_detail),
        }
    }
}

impl Lead {
    /// Puts the lead into another stage: on top of its cards, won or lost where the stage says so, else open. The guard
    /// has been asked.
    pub(crate) fn enter(&mut self, pipeline: PipelineId, stage: &Stage, why: Why<'_>, at: Timestamp) {
        self.closing = Closing::on_entering(stage.kind, why, self.closing.as_ref(), at);
        (self.pipeline, self.stage, self.stage_entered_at) = (pipeline, stage.id, at);
        self.active_at = self.active_at.max(at);
        self.rank = Rank::on_top(at, self.number);
    }

    /// Says that it was no lead at all. The guard has been asked.
    pub(crate) fn disqualify(&mut self, why: Why<'_>, at: Timestamp) {
        self.closing = Some(Closing::of(Outcome::Disqualified, why, None, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(id: u128, needs_detail: bool, archived: bool) -> Term<Uuid> {
        let term = Term::new(Uuid::from_u128(id), "Price", None, 0).unwrap();
        Term { needs_detail, archived, ..term }
    }

    fn stage(id: u128, kind: StageKind) -> Stage {
        Stage::new(StageId::from_uuid(Uuid::from_u128(id)), "Stage", kind)
    }

    #[test]
    fn every_condition_is_told_at_once() {
        let mut lost = stage(1, StageKind::Lost);
        lost.required_fields = [Field::Amount, Field::City].into();
        lost.wip_limit = Some(2);
        let guard = Guard::new(vec![term(7, true, false)], [Field::City].into(), [(lost.id, 2)].into());
        let unmet = guard.check_new(&LeadFields::default(), &lost, Why::default());
        let list = TermKind::LostReason;
        let wanted = [
            Unmet::FieldRequired { stage: lost.id, field: Field::Amount },
            Unmet::LimitReached { stage: lost.id, limit: 2, count: 2 },
            Unmet::ReasonRequired { list },
        ];
        assert_eq!(unmet, wanted, "a field that is switched off cannot be asked for");
        let text = serde_json::to_string(&unmet).unwrap();
        assert!(text.contains("\"condition\":\"limit_reached\""), "{text}");
        assert_eq!(serde_json::from_str::<Vec<Unmet>>(&text).unwrap(), unmet);
    }

    #[test]
    fn a_reason_that_is_kept_needs_no_leave() {
        let list = TermKind::LostReason;
        let terms = [term(7, true, true), term(8, false, false)];
        let check = |reason: Option<u128>, detail, before| {
            Guard::check_reason(list, &terms, Why { reason: reason.map(Uuid::from_u128), detail }, before)
        };
        let reason = Uuid::from_u128(7);
        let both = [Unmet::ReasonArchived { list, reason }, Unmet::DetailRequired { list, reason }];
        assert_eq!(check(Some(7), Some("  "), None), both);
        assert_eq!(check(None, None, None), [Unmet::ReasonRequired { list }]);
        assert_eq!(check(None, Some("because"), None), [Unmet::ReasonRequired { list }]);
        assert_eq!(check(Some(8), None, None), []);
        let unknown = Uuid::from_u128(9);
        assert_eq!(check(Some(9), None, None), [Unmet::ReasonUnknown { list, reason: unknown }]);
        let before = Closing::of(
            Outcome::Lost,
            Why { reason: Some(reason), detail: Some("x") },
            None,
            Timestamp::EPOCH,
        );
        assert_eq!(check(None, None, Some(&before)), []);
        assert_eq!(check(Some(7), None, Some(&before)), []);
        assert_eq!(check(None, Some("a\0"), Some(&before)), [Unmet::DetailMalformed]);
    }

    #[test]
    fn an_edit_may_leave_empty_what_was_empty() {
        let mut open = stage(1, StageKind::Open);
        open.required_fields = [Field::Company, Field::City].into();
        let (before, after) = (LeadFields::company("Nordlys").unwrap(), LeadFields::default());
        let unmet = Guard::default().check_edit(&open, &before, &after);
        assert_eq!(unmet, [Unmet::FieldRequired { stage: open.id, field: Field::Company }]);
    }
}
