//! What becomes of each row: the decisions, one row after the other, each knowing what the rows before it did.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::{Bench, Match, every_key};
use super::claims::Claims;
use super::decision::Decision;
use super::details::Details;
use super::links::Links;
use super::names::{Names, NewValues, Unknown};
use super::outcome::SkipReason;
use super::planned::{Choice, Planned, PlannedLine};
use super::records::Record;
use super::stage_kinds::NewStages;
use super::{ImportOptions, MatchBy, OnMatch, OnMissing};
use crate::context::Context;
use crate::desk::{self, Gate, Intake, Openings};
use crate::domain::{
    ExternalRef, Field, FieldChange, LeadDraft, LeadFields, LeadKind, LeadState, Operation, Term, TermKind,
    Why,
};
use crate::error::{Result, Violation, ViolationCode};
use crate::exchange::coerce::{Content, Intent};
use crate::id::{LeadId, OperationId};
use crate::policy::Permission;
use crate::store::Txn;
use crate::time::Timestamp;

mod disqualified;
mod found;
mod held;
mod keys;
mod linked;
mod purpose;
mod sight;
mod unclear;
mod write;

use found::Found;
pub(super) use purpose::Purpose;
use purpose::Refused;

/// Decides row by row.
#[derive(Debug)]
pub(super) struct Planner<'c> {
    pub(super) ctx: &'c Context<'c>,
    options: &'c ImportOptions,
    intake: Intake,
    /// `None` when the actor may see no lead.
    view: Option<Gate>,
    /// `None` when the actor may edit no lead.
    edit: Option<Gate>,
    openings: Openings,
    /// Why leads may be disqualified, where a column says which are.
    disqualify_reasons: Vec<Term<uuid::Uuid>>,
    names: Names,
    claims: Claims,
    links: Links,
    /// When the lead of this row ended, where the row says it.
    ended: Option<FieldChange>,
    /// Whether decisions say what they change.
    detailed: bool,
    purpose: Purpose,
    /// Ids that a plan means for new leads and that are taken.
    taken: BTreeSet<LeadId>,
    /// Other ids for those of leads that are in the trash.
    instead: BTreeMap<LeadId, LeadId>,
    pub(super) bench: Bench,
    /// The import that is carried out, once it is begun, and when it began.
    operation: Option<(OperationId, Timestamp)>,
    /// Whether a row is only looked at: whether it would become what was planned.
    is_trial: bool,
}

impl<'c> Planner<'c> {
    /// Loads what every row is checked against. Where nothing is written, the default pipeline of a tenant that has none is
    /// made up.
    pub(super) fn load(
        ctx: &'c Context<'c>,
        txn: &mut dyn Txn,
        options: &'c ImportOptions,
        fields: &[Field],
        new_values: NewValues,
        (purpose, known_numbers): (Purpose, u64),
    ) -> Result<Self> {
        let mut intake = Intake::load(ctx, txn)?;
        if purpose.writes() {
            intake.settle(ctx, txn)?;
        }
        if fields.contains(&Field::Stage) {
            let reasons = txn.terms().list(TermKind::LostReason)?;
            intake.guard.know_lost_reasons(reasons.into_iter().map(|record| record.term).collect());
        }
        let mut disqualify_reasons = Vec::new();
        if fields.iter().any(Field::is_told_by_cells) {
            let reasons = txn.terms().list(TermKind::DisqualifyReason)?;
            disqualify_reasons.extend(reasons.into_iter().map(|record| record.term));
        }
        let detailed = purpose.is_detailed();
        // A person may set what no column of the file fills.
        let settable: Vec<Field> = TermKind::ALL.map(TermKind::field).into_iter().collect();
        let all = if detailed { &[fields, &settable].concat() } else { fields };
        let names = Names::load(ctx, txn, options, all, &intake.pipelines, new_values, detailed)?;
        let external_first = options.match_by.first() == Some(&MatchBy::ExternalId)
            && options.on_match != OnMatch::CreateNew
            && !fields.contains(&Field::Number)
            && !fields.contains(&Field::Id);
        let external = fields.contains(&Field::ExternalId) && (!external_first || detailed);
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
            disqualify_reasons,
            names,
            claims: Claims::new(external),
            links: Links::default(),
            ended: None,
            detailed,
            purpose,
            taken: BTreeSet::new(),
            instead: BTreeMap::new(),
            bench: Bench::new(&options.match_by, known_numbers).doubting(options.unnamed_systems()),
            operation: None,
            is_trial: false,
        })
    }

    /// As a part of this import, of which earlier parts are written.
    pub(super) fn within(mut self, operation: &Operation) -> Self {
        self.operation = Some((operation.id, operation.at));
        self
    }

    /// Fetches the leads that the rows may mean, and decides each row.
    pub(super) fn decide(&mut self, txn: &mut dyn Txn, records: &[Record]) -> Result<Vec<Decision>> {
        let contents =
            records.iter().flat_map(|record| [Some(&record.content), record.as_planned.as_deref()]);
        let intents = contents.flatten().filter_map(|content| match content {
            Content::Filled(intent) => Some(intent.as_ref()),
            _ => None,
        });
        self.links.begin_at(records.first().map(|record| record.number));
        self.claims.look_up(txn, &self.intake.catalogue, intents.clone())?;
        self.claims.recall(self.links.claims_that_wait());
        let more = self.links.look_up(txn, self.claims.missing(), intents.clone())?;
        self.claims.look_up_more(txn, &more)?;
        self.look_up_ids(txn, records)?;
        let mut chosen: Vec<_> = records.iter().flat_map(Record::taken).collect();
        chosen.extend(self.links.waiting_for(intents.clone()));
        self.bench.look_up(self.ctx, txn, intents, &chosen)?;
        if let Some(operation) = self.operation {
            self.bench.recall(txn, operation)?;
        }
        let leads: Vec<_> = self.bench.slots.iter().map(|slot| slot.lead.id).collect();
        self.claims.look_up_more(txn, &self.links.claims_of(&leads))?;
        Ok(records.iter().map(|record| self.decide_one(record)).collect())
    }

    /// What becomes of a row that is read so, and of which a person decided this. What it decides is carried out where it is
    /// as `planned`.
    fn decide_as(
        &mut self,
        record: &Record,
        (content, choice): (&Content, Option<Choice>),
        planned: Option<&PlannedLine>,
    ) -> Decision {
        self.links.begin_row();
        if choice == Some(Choice::Skip) {
            return Decision::Skip { reason: SkipReason::LeftOut, slot: None, same_as_line: None };
        }
        let intent = match content {
            Content::Blank => return self.as_planned(Decision::blank(), planned),
            Content::Header => return self.as_planned(Decision::header(), planned),
            Content::Broken(reasons) => return self.as_planned(Decision::reject(reasons.clone()), planned),
            Content::Filled(intent) if intent.is_total && choice.is_none() => {
                return self.as_planned(Decision::total(), planned);
            }
            Content::Filled(intent) => intent,
        };
        let found = match choice {
            Some(Choice::Create) => Match::None,
            Some(Choice::Take(lead)) => match self.bench.place(lead) {
                Some(slot) => Match::One(slot, MatchBy::Id),
                None => Match::Gone(MatchBy::Id),
            },
            _ => self.bench.find(intent),
        };
        let mark = self.names.mark();
        // A number that no lead has says nothing of the new one, which gets its own.
        let unknown_number = found == Match::None && choice.is_none() && intent.number.is_some();
        let decision = match found {
            Match::Doubted(slot, by) if !self.sees(slot) => Ok(self.out_of_sight(&[slot], &by)),
            Match::Doubted(slot, by) if self.options.on_match != OnMatch::CreateNew => {
                Ok(self.doubted(slot, by))
            }
            Match::Several(slots, _)
                if self.options.on_match == OnMatch::CreateNew
                    && slots.iter().all(|slot| self.sees(*slot)) =>
            {
                self.create(intent, record, planned, false)
            }
            Match::Several(slots, by) => Ok(self.several(slots, by)),
            Match::Contradicted(slot) if !self.sees(slot) => {
                Ok(self.out_of_sight(&[slot], &MatchBy::ExternalId))
            }
            Match::Contradicted(slot) => Err(self.contradicted(intent, slot).into()),
            Match::Gone(by) => {
                let message = format!("there is no lead with this {}", by.word());
                Err(Violation::new(by.field().key(), ViolationCode::Unknown, message).into())
            }
            Match::None if choice.is_none() && self.options.on_missing == OnMissing::Skip => {
                Ok(Decision::Skip { reason: SkipReason::Missing, slot: None, same_as_line: None })
            }
            Match::None | Match::Doubted(..) => self.create(intent, record, planned, unknown_number),
            Match::One(slot, by) if !self.sees(slot) => Ok(self.out_of_sight(&[slot], &by)),
            Match::One(..) if choice.is_none() && self.options.on_match == OnMatch::CreateNew => {
                self.create(intent, record, planned, false)
            }
            Match::One(slot, by) => self.update(intent, (record, planned), slot, by, choice.is_some()),
        };
        let decision = match decision {
            Ok(decision) => decision,
            // It was compared, and goes no further.
            Err(Refused::Tried) => return Decision::blank(),
            Err(refused) => {
                self.names.back_to(mark, &mut self.intake.pipelines);
                match refused {
                    Refused::For(reasons) => Decision::reject(reasons),
                    Refused::Stale | Refused::Tried => Decision::stale(),
                }
            }
        };
        self.as_planned(decision, planned)
    }

    fn details(&self) -> Details<'_> {
        let ended = self.ended.as_ref();
        Details { ctx: self.ctx, names: &self.names, pipelines: &self.intake.pipelines, ended }
    }

    fn create(
        &mut self,
        intent: &Intent,
        record: &Record,
        planned: Option<&PlannedLine>,
        unknown_number: bool,
    ) -> Result<Decision, Refused> {
        let recognisable = if unknown_number { !intent.keys.is_empty() } else { intent.is_recognisable() };
        let has_defaults = intent.for_new.is_some();
        let intent = intent.for_new.as_deref().unwrap_or(intent);
        let intent = &*self.links.lead_here(intent, (record.number, planned), None);
        let found = self.look_up_names(intent, None)?;
        let mut fields = LeadFields::default();
        self.write(intent, &found, &mut fields)?;
        fields.kind = intent.kind.unwrap_or(match (&fields.company, &fields.person) {
            (None, Some(_)) if intent.person.is_some() => LeadKind::Consumer,
            _ => LeadKind::Company,
        });
        // Whom nobody named is whoever creates the lead: another one than planned it, perhaps.
        let implied = fields.owner.is_none().then_some(&Field::Owner);
        let mut draft = LeadDraft::from(fields);
        draft.stage = found.stage.map(|(_, stage)| stage);
        if self.comes_lost(draft.stage) {
            draft.reason = found.reason.or(self.options.lost_reason);
            draft.detail.clone_from(&found.detail);
        }
        self.links.foresee(&mut draft.fields);
        let mut lead = self.intake.prepare(self.ctx, draft)?;
        self.links.await_in(&mut lead.fields);
        self.disqualify(&mut lead, intent, &found);
        let free = record.creates().map(|id| self.id_for(id)).filter(|id| !self.taken.contains(id));
        lead.id = free.unwrap_or(lead.id);
        if !self.intake.gate.admits(&lead) {
            let message = "you may not create such a lead";
            return Err(Violation::new("owner", ViolationCode::NotAllowed, message).into());
        }
        self.claims.check(&self.intake.catalogue, &lead, None, self.links.claims()?)?;
        let mut values = if self.detailed { self.details().of_new(&lead) } else { Vec::new() };
        values.extend(self.links.told(None).filter(|_| self.detailed));
        match planned.map(|planned| &planned.decision) {
            None => {}
            Some(Planned::Create { values: then, .. })
                if free.is_some() && self.writes_as_planned(then, &values, (false, implied)) => {}
            Some(Planned::Reject { reasons, .. }) if self.links.refuse_anew(reasons) => {}
            Some(_) => return Err(Refused::Stale),
        }
        if self.is_trial {
            return Err(Refused::Tried);
        }
        self.claims.hold(&self.intake.catalogue, &lead, None, self.links.claims()?);
        if lead.state() == LeadState::Open {
            self.intake.guard.count_in(lead.stage);
        }
        let keys = if has_defaults { every_key(&lead.fields) } else { intent.keys.clone() };
        let slot = self.bench.add(lead, record.line, keys.iter());
        Ok(Decision::Create { slot, recognisable, unknown_number, values })
    }

    fn update(
        &mut self,
        intent: &Intent,
        (record, planned): (&Record, Option<&PlannedLine>),
        place: usize,
        matched_by: MatchBy,
        is_chosen: bool,
    ) -> Result<Decision, Refused> {
        let Some(slot) = self.bench.slots.get(place) else {
            return Err(Violation::new("line", ViolationCode::Unknown, "the lead is gone").into());
        };
        let lead = &slot.lead;
        let same_as_line = slot.earlier_line();
        let skip = |reason| {
            let same_as_line = same_as_line.filter(|_| reason == SkipReason::Unchanged);
            Ok(Decision::Skip { reason, slot: Some(place), same_as_line })
        };
        if lead.conversion.is_some() {
            return skip(SkipReason::Frozen);
        }
        if self.options.on_match == OnMatch::Skip && !is_chosen {
            return skip(SkipReason::Exists);
        }
        if !self.edit.as_ref().is_some_and(|gate| gate.admits(lead)) {
            let (field, word) = (matched_by.field(), matched_by.word());
            let message = format!("a lead with this {word} exists that you may not edit");
            return Err(Violation::new(field.key(), ViolationCode::NotAllowed, message).into());
        }
        let may_edit = self.openings.is_open("edit", lead);
        let may_move = self.openings.is_open("move", lead);
        let mut after = lead.clone();
        let intent = &*self.links.lead_here(intent, (record.number, planned), Some(&after));
        let found = self.look_up_names(intent, Some(&after))?;
        self.write(intent, &found, &mut after.fields)?;
        // What it is called here is no id elsewhere.
        after.fields.external_ids.remove(&ExternalRef::own(after.id));
        if !may_edit {
            let stays = found.stage.is_none_or(|(_, stage)| stage == after.stage);
            let is_same = self.bench.slots.get(place).is_some_and(|slot| slot.lead == after);
            if stays && is_same && !self.links.waits() {
                return skip(SkipReason::Unchanged);
            }
            let message = "the lead is in a state in which it is not edited";
            return Err(Violation::new("line", ViolationCode::NotAllowed, message).into());
        }
        let to = self.check_stage(place, &self.links.foreseen(&after), &found)?;
        if to.is_some() && !may_move {
            let message = "the lead is in a state in which it is not moved";
            return Err(Violation::new("stage", ViolationCode::NotAllowed, message).into());
        }
        let (old, now) = (after.stage, self.ctx.now());
        if let Some(to) = &to
            && let Some((pipeline, stage)) =
                self.intake.pipelines.iter().find_map(|known| Some((known.id, known.stage(to.stage)?)))
        {
            after.enter(pipeline, stage, Why::from(to), now);
        }
        let leaves = self.disqualify(&mut after, intent, &found);
        if leaves && !may_move {
            let message = "the lead is in a state in which it is not disqualified";
            return Err(Violation::new(Field::State.key(), ViolationCode::NotAllowed, message).into());
        }
        let changes = match self.bench.slots.get(place) {
            Some(slot) if after == slot.lead && !self.links.waits() => return skip(SkipReason::Unchanged),
            Some(slot) if self.detailed => {
                let mut changes = self.details().of_changed(&slot.lead, &after);
                changes.extend(self.links.told(Some(&slot.lead)));
                changes
            }
            _ => Vec::new(),
        };
        let holds = match planned.map(|planned| &planned.decision) {
            None => true,
            // Above a line that means a lead of this file, a person may have decided anew what that lead is.
            Some(Planned::Update { lead, number, changes: then, .. }) => {
                self.id_for(*lead) == after.id
                    && self.writes_as_planned(then, &changes, (number.is_none(), None))
            }
            Some(Planned::Unchanged { lead, .. }) => {
                self.id_for(*lead) == after.id && self.links.are_anew(&changes)
            }
            Some(Planned::Reject { reasons, .. }) => self.links.refuse_anew(reasons),
            Some(_) => false,
        };
        let Some(slot) = self.bench.slots.get_mut(place) else {
            return skip(SkipReason::Unchanged);
        };
        let fields = &self.links.foreseen(&after).fields;
        let broken = desk::check_rules(self.ctx, &self.intake.catalogue, fields, &slot.lead.fields);
        if !broken.is_empty() {
            return Err(broken.into());
        }
        self.claims.check(&self.intake.catalogue, &after, Some(&slot.lead), self.links.claims()?)?;
        if !holds {
            return Err(Refused::Stale);
        }
        if self.is_trial {
            return Err(Refused::Tried);
        }
        self.claims.hold(&self.intake.catalogue, &after, Some(&slot.lead), self.links.claims()?);
        if to.is_some() || leaves {
            self.intake.guard.count_out(old);
        }
        if to.is_some() && !leaves {
            self.intake.guard.count_in(after.stage);
        }
        let lost = keys::lost(intent, &slot.lead.fields, &after.fields);
        let known = keys::kept(intent, &after.fields);
        slot.lead = after;
        slot.lines.push(record.line);
        self.bench.know(place, known.iter());
        self.bench.forget(place, &lost);
        Ok(Decision::Update { slot: place, matched_by, same_as_line, changes })
    }

    /// How often each unknown name was met.
    pub(super) fn into_unknown(self) -> Unknown {
        self.names.unknown_names
    }

    /// What could not be linked since this was last asked.
    pub(super) fn take_left_out(&mut self, is_end: bool) -> Vec<(u64, Violation)> {
        self.links.open.take_left_out(is_end)
    }

    pub(super) fn new_values(&self) -> (NewValues, NewStages) {
        (self.names.new_values.clone(), self.names.new_stages())
    }
}
