//! What becomes of each row: the decisions, one row after the other, each knowing what the rows before it did.

use super::bench::{Bench, Match};
use super::claims::Claims;
use super::decision::Decision;
use super::names::{Names, NewValues};
use super::outcome::SkipReason;
use super::source::Record;
use super::{ImportOptions, OnMatch};
use crate::context::Context;
use crate::desk::{self, Gate, Intake, Openings};
use crate::domain::{
    Field, Lead, LeadDraft, LeadFields, LeadKind, MatchKind, Move, StageKind, TermId as _, TermKind, Why,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::exchange::coerce::{Content, Intent};
use crate::id::{PipelineId, StageId};
use crate::policy::Permission;
use crate::store::Txn;
mod write;

/// Decides row by row.
#[derive(Debug)]
pub(super) struct Planner<'c> {
    ctx: &'c Context<'c>,
    options: &'c ImportOptions,
    intake: Intake,
    /// `None` when the actor may see no lead.
    view: Option<Gate>,
    /// `None` when the actor may edit no lead.
    edit: Option<Gate>,
    openings: Openings,
    names: Names,
    claims: Claims,
    pub(super) bench: Bench,
}

/// What the names in a row stand for.
#[derive(Debug, Default)]
struct Found {
    terms: Vec<(TermKind, uuid::Uuid)>,
    stage: Option<(PipelineId, StageId)>,
}

impl<'c> Planner<'c> {
    /// Loads what every row is checked against. `virtually` makes up the default pipeline where a tenant has none,
    /// instead of writing it.
    pub(super) fn load(
        ctx: &'c Context<'c>,
        txn: &mut dyn Txn,
        options: &'c ImportOptions,
        fields: &[Field],
        new_values: NewValues,
        virtually: bool,
    ) -> Result<Self> {
        let mut intake = Intake::load(ctx, txn)?;
        if !virtually {
            intake.settle(ctx, txn)?;
        }
        let names = Names::load(ctx, txn, options, fields, &intake.pipelines, new_values)?;
        let view = Gate::open(ctx, txn, Permission::View).ok();
        let edit = Gate::open(ctx, txn, Permission::Edit).ok();
        let openings = Openings::load(ctx, txn)?;
        Ok(Self {
            ctx,
            options,
            intake,
            view,
            edit,
            openings,
            names,
            claims: Claims::default(),
            bench: Bench::default(),
        })
    }

    /// Fetches the leads that the rows may mean, and decides each row.
    pub(super) fn decide(&mut self, txn: &mut dyn Txn, records: &[Record]) -> Result<Vec<Decision>> {
        let intents = records.iter().filter_map(|record| match &record.content {
            Content::Filled(intent) => Some(intent.as_ref()),
            _ => None,
        });
        self.claims.look_up(txn, &self.intake.catalogue, intents.clone())?;
        self.bench.look_up(txn, intents)?;
        Ok(records.iter().map(|record| self.decide_one(record)).collect())
    }

    fn decide_one(&mut self, record: &Record) -> Decision {
        let intent = match &record.content {
            Content::Blank => return Decision::Skip { reason: SkipReason::Blank, slot: None },
            Content::Broken(reasons) => return Decision::reject(reasons.clone()),
            Content::Filled(intent) => intent,
        };
        let found = self.bench.find(intent);
        let mark = self.names.mark();
        let decision = match found {
            Match::Several(slots, kind) if !slots.iter().any(|slot| self.sees(*slot)) => {
                Ok(self.out_of_sight(&slots, kind))
            }
            Match::Several(_, kind) => {
                let (field, word) = named(kind);
                let message = format!("several leads have this {word}: it does not say which one is meant");
                Err(vec![Violation::new(field.key(), ViolationCode::Duplicate, message)])
            }
            Match::None => self.create(intent, record.line),
            Match::One(slot, kind) if !self.sees(slot) => Ok(self.out_of_sight(&[slot], kind)),
            Match::One(slot, kind) => self.update(intent, record.line, slot, kind),
        };
        decision.unwrap_or_else(|reasons| {
            self.names.back_to(mark, &mut self.intake.pipelines);
            Decision::reject(reasons)
        })
    }

    /// Whether the actor may see a lead on the bench.
    fn sees(&self, slot: usize) -> bool {
        self.bench.slots.get(slot).zip(self.view.as_ref()).is_some_and(|(slot, gate)| gate.admits(&slot.lead))
    }

    /// What becomes of a row that means leads which the actor may not see: whatever they are, it tells no more than
    /// that there is one and who owns it.
    fn out_of_sight(&self, slots: &[usize], matched_by: MatchKind) -> Decision {
        if self.options.on_match == OnMatch::Skip {
            return Decision::Skip { reason: SkipReason::Exists, slot: None };
        }
        let (field, word) = named(matched_by);
        let message = format!("a lead with this {word} exists that you may not see");
        let mut owners: Vec<_> =
            slots.iter().filter_map(|slot| self.bench.slots.get(*slot)?.lead.fields.owner.as_ref()).collect();
        owners.dedup();
        let owner = match owners.as_slice() {
            [owner] if !self.ctx.policy().is_hidden(self.ctx.actor(), &Field::Owner) => {
                Some((*owner).clone())
            }
            _ => None,
        };
        Decision::Reject {
            reasons: vec![Violation::new(field.key(), ViolationCode::Duplicate, message)],
            owner,
        }
    }

    fn create(&mut self, intent: &Intent, line: u64) -> Result<Decision, Vec<Violation>> {
        let intent = intent.for_new.as_deref().unwrap_or(intent);
        let found = self.look_up_names(intent, None)?;
        let mut fields = LeadFields::default();
        self.write(intent, &found, &mut fields)?;
        fields.kind = intent.kind.unwrap_or(match (&fields.company, &fields.person) {
            (None, Some(_)) => LeadKind::Consumer,
            _ => LeadKind::Company,
        });
        let mut draft = LeadDraft::from(fields);
        draft.stage = found.stage.map(|(_, stage)| stage);
        if self.comes_lost(draft.stage) {
            draft.reason = self.options.lost_reason;
        }
        let lead = self.intake.prepare(self.ctx, draft)?;
        if !self.intake.gate.admits(&lead) {
            let message = "you may not create such a lead";
            return Err(vec![Violation::new("owner", ViolationCode::NotAllowed, message)]);
        }
        self.claims.claim(&self.intake.catalogue, &lead, None)?;
        self.intake.guard.count_in(lead.stage);
        let slot = self.bench.add(lead, line, intent.keys.iter());
        Ok(Decision::Create { slot, recognisable: !intent.keys.is_empty() })
    }

    /// Whether a row that comes into this stage is lost.
    fn comes_lost(&self, stage: Option<StageId>) -> bool {
        let found = stage.and_then(|id| self.intake.pipelines.iter().find_map(|known| known.stage(id)));
        found.is_some_and(|stage| stage.kind == StageKind::Lost)
    }

    /// Asks the guard: about the stage that the row moves the lead to, else about what it empties. Returns the move.
    fn check_stage(
        &self,
        place: usize,
        after: &Lead,
        stage: Option<StageId>,
    ) -> Result<Option<Move>, Vec<Violation>> {
        let (guard, pipelines) = (&self.intake.guard, &self.intake.pipelines);
        let Some(before) = self.bench.slots.get(place).map(|slot| &slot.lead) else { return Ok(None) };
        let mut to = stage.filter(|stage| *stage != before.stage).map(Move::from);
        if self.comes_lost(stage)
            && let Some(to) = &mut to
        {
            to.reason = self.options.lost_reason;
        }
        let unmet = match (&to, pipelines.iter().find_map(|known| known.stage(before.stage))) {
            (Some(to), _) => guard.check(pipelines, after, to),
            (None, Some(stage)) => guard.check_edit(stage, &before.fields, &after.fields),
            (None, None) => Vec::new(),
        };
        if unmet.is_empty() { Ok(to) } else { Err(desk::violations(&unmet, &[])) }
    }

    fn update(
        &mut self,
        intent: &Intent,
        line: u64,
        place: usize,
        matched_by: MatchKind,
    ) -> Result<Decision, Vec<Violation>> {
        let Some(slot) = self.bench.slots.get(place) else {
            return Err(vec![Violation::new("line", ViolationCode::Unknown, "the lead is gone")]);
        };
        let lead = &slot.lead;
        let skip = |reason| Ok(Decision::Skip { reason, slot: Some(place) });
        if lead.conversion.is_some() {
            return skip(SkipReason::Frozen);
        }
        if self.options.on_match == OnMatch::Skip {
            return skip(SkipReason::Exists);
        }
        if !self.edit.as_ref().is_some_and(|gate| gate.admits(lead)) {
            let (field, word) = named(matched_by);
            let message = format!("a lead with this {word} exists that you may not edit");
            return Err(vec![Violation::new(field.key(), ViolationCode::NotAllowed, message)]);
        }
        if !self.openings.is_open("edit", lead) {
            let message = "the lead is in a state in which it is not edited";
            return Err(vec![Violation::new("line", ViolationCode::NotAllowed, message)]);
        }
        let may_move = self.openings.is_open("move", lead);
        let mut after = lead.clone();
        let found = self.look_up_names(intent, Some(&after))?;
        self.write(intent, &found, &mut after.fields)?;
        let to = self.check_stage(place, &after, found.stage.map(|(_, stage)| stage))?;
        if to.is_some() && !may_move {
            let message = "the lead is in a state in which it is not moved";
            return Err(vec![Violation::new("stage", ViolationCode::NotAllowed, message)]);
        }
        let (old, now) = (after.stage, self.ctx.now());
        if let Some(to) = &to
            && let Some((pipeline, stage)) =
                self.intake.pipelines.iter().find_map(|known| Some((known.id, known.stage(to.stage)?)))
        {
            after.enter(pipeline, stage, Why::from(to), now);
        }
        let Some(slot) = self.bench.slots.get_mut(place) else {
            return skip(SkipReason::Unchanged);
        };
        if after == slot.lead {
            return skip(SkipReason::Unchanged);
        }
        let broken = desk::check_rules(self.ctx, &self.intake.catalogue, &after.fields, &slot.lead.fields);
        if !broken.is_empty() {
            return Err(broken);
        }
        self.claims.claim(&self.intake.catalogue, &after, Some(&slot.lead))?;
        // A lead that keeps its own id is not found by the row's.
        let has_id = intent.fields.external_ids.is_subset(&after.fields.external_ids);
        if to.is_some() {
            self.intake.guard.count_out(old);
            self.intake.guard.count_in(after.stage);
        }
        slot.lead = after;
        let same_as_line = slot.line;
        slot.line.get_or_insert(line);
        let keys = intent.keys.iter().filter(|key| has_id || key.kind != MatchKind::External);
        self.bench.know(place, keys);
        Ok(Decision::Update { slot: place, matched_by, same_as_line })
    }

    /// What the names of a row mean, for the lead that is there.
    fn look_up_names(&mut self, intent: &Intent, lead: Option<&Lead>) -> Result<Found, Vec<Violation>> {
        let own = lead.map(|lead| lead.pipeline);
        let (mut found, mut broken) = (Found::default(), Vec::new());
        for (kind, name) in &intent.terms {
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

    pub(super) fn new_values(&self) -> &NewValues {
        &self.names.new_values
    }
}

/// Refuses a constant source or reason that does not exist.
pub(super) fn check_source(txn: &mut dyn Txn, options: &ImportOptions) -> Result<()> {
    match options.source {
        None => {}
        Some(source) => match txn.terms().get(TermKind::Source, &[source.term()])?.pop() {
            None => {
                let message = "there is no source with this id";
                return Err(Error::invalid_field("source", ViolationCode::Unknown, message));
            }
            Some(record) if record.term.archived => {
                let message = "this source is archived";
                return Err(Error::invalid_field("source", ViolationCode::NotAllowed, message));
            }
            Some(_) => {}
        },
    }
    match options.lost_reason {
        Some(reason) if txn.terms().get(TermKind::LostReason, &[reason.term()])?.is_empty() => {
            let message = "there is no reason with this id";
            Err(Error::invalid_field("lost_reason", ViolationCode::Unknown, message))
        }
        _ => Ok(()),
    }
}

/// The field behind a key, and its word in a sentence.
const fn named(kind: MatchKind) -> (Field, &'static str) {
    match kind {
        MatchKind::External => (Field::ExternalId, "external id"),
        MatchKind::Email => (Field::Email, "e-mail"),
        MatchKind::Phone => (Field::Phone, "phone number"),
        MatchKind::Label | MatchKind::Custom => (Field::Labels, "label"),
    }
}
