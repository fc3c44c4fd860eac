//! Moving leads between stages and within them, disqualifying and reopening them: every condition asked before the first
//! write, and told all at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    Action, Closing, Field, FieldValue, Guard, Lead, LeadState, Move, NewEntry, OperationKind, Outcome,
    Pipeline, Position, Rank, StageKind, TermKind, Unmet, Why,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{DisqualifyReasonId, LeadId, StageId};
use crate::policy::Permission;
use crate::query::{Cursor, Direction, LeadScan, Resolved, Sort, SortField};
use crate::store::{LeadChange, Txn};

use super::access::{Expect, Gate, editable_for, masked, visible};
use super::functions::Openings;
use super::history::stages_before;
use super::leads::touch;
use super::operation::record;
use super::settings;

/// What stands against a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MoveCheck {
    /// Every condition that is not met; none when the move can be made.
    pub unmet: Vec<Unmet>,
}

impl MoveCheck {
    /// Whether nothing stands against it.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.unmet.is_empty()
    }
}

/// What stands against this move of a lead, all of it at once (X.17): what to grey out on a board, and what to ask for
/// in a form. Reads only. [`move_to`] is refused with the same conditions, each as a violation
/// ([`Unmet::violation`]); only for a lead in the trash it says `NotFound`, and `Frozen` for a converted one.
///
/// # Errors
/// `NotFound` when there is no such lead or it may not be seen; `Denied` for an actor who may not edit it; `Conflict` when
/// the tenant's [functions](super::functions) close moving for it.
pub fn can_move(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId, to: &Move) -> Result<MoveCheck> {
    let lead = visible(ctx, txn, id)?;
    Gate::open(ctx, txn, Permission::Edit)?.check(&lead)?;
    Openings::load(ctx, txn)?.check("move", &lead)?;
    let mover = Mover::load(txn)?;
    let (unmet, _) = examine(ctx, txn, &mover, &lead, to)?;
    Ok(MoveCheck { unmet })
}

/// Moves a lead to another stage, perhaps of another pipeline, or its card to another place in its column (S0.10, X.52).
/// The one way a stage changes.
///
/// In a won stage the lead is won, in a lost one lost for the reason that the move names; coming into another stage it is
/// open again (X.19). A lost stage needs a reason as soon as the tenant keeps a list of reasons (X.18). A move to the
/// stage that the lead is in changes its place, or the reason why it was lost, and nothing else; one that changes nothing
/// writes nothing.
///
/// ```
/// use leadcore::desk::{Expect, leads, pipelines};
/// use leadcore::domain::{Move, Outcome, Position, StageKind};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let lead = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let pipeline = pipelines::list(&ctx, txn)?.remove(0);
///     let lost = pipeline.stages.iter().find(|stage| stage.kind == StageKind::Lost).unwrap();
///     leads::move_to(&ctx, txn, lead.id, Expect::Any, Move::from(lost.id).because(None, Some("no budget")))
/// })?;
/// assert_eq!(lead.closing.map(|closing| closing.outcome), Some(Outcome::Lost));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected; `Invalid` with
/// every condition that is not met, as [`can_move`] lists them.
pub fn move_to(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    expect: impl Into<Expect>,
    to: impl Into<Move>,
) -> Result<Lead> {
    let before = editable_for(ctx, txn, id, expect.into(), Permission::Edit, "move")?;
    let mover = Mover::load(txn)?;
    carry_out(ctx, txn, mover, before, &to.into())
}

/// The pipelines and their guard, loaded once for any number of moves: what every call that moves leads goes through.
#[derive(Debug)]
pub(super) struct Mover {
    pipelines: Vec<Pipeline>,
    guard: Guard,
}

impl Mover {
    pub(super) fn load(txn: &mut dyn Txn) -> Result<Self> {
        let pipelines = txn.pipelines().list()?;
        let guard = guard(txn, &pipelines)?;
        Ok(Self { pipelines, guard })
    }

    /// Every condition that stands against a move, but those of its position.
    pub(super) fn check(&self, lead: &Lead, to: &Move) -> Vec<Unmet> {
        self.guard.check(&self.pipelines, lead, to)
    }

    /// Refuses a move that no lead can make.
    ///
    /// # Errors
    /// `Invalid` when there is no such stage, or the reason does not fit.
    pub(super) fn check_target(&self, to: &Move) -> Result<()> {
        refuse(&self.guard.check_target(&self.pipelines, to))
    }

    /// What stands against an edit of a lead that stays in its stage.
    pub(super) fn check_edit(&self, before: &Lead, after: &Lead) -> Vec<Unmet> {
        let stage = self.pipelines.iter().find_map(|known| known.stage(before.stage));
        stage.map_or_else(Vec::new, |stage| self.guard.check_edit(stage, &before.fields, &after.fields))
    }

    /// Lets a lead come back from the trash into its stage.
    ///
    /// # Errors
    /// `Invalid` when the stage holds as many leads as it may.
    pub(super) fn take_back(&mut self, lead: &Lead) -> Result<()> {
        let stage = self.pipelines.iter().find_map(|known| known.stage(lead.stage));
        if let Some(stage) = stage.filter(|_| lead.state() == LeadState::Open) {
            refuse(&self.guard.check_return(stage))?;
            self.guard.count_in(stage.id);
        }
        Ok(())
    }

    /// Changes the lead as the move says, but for its position: on top of the stage it comes into. The next move is
    /// checked against what is in the stages then.
    ///
    /// # Errors
    /// `Invalid` with every condition that is not met; then the lead is as it was.
    pub(super) fn step(&mut self, ctx: &Context<'_>, lead: &mut Lead, to: &Move) -> Result<()> {
        refuse(&self.check(lead, to))?;
        let found = self.pipelines.iter().find_map(|known| Some((known.id, known.stage(to.stage)?)));
        let (pipeline, stage) = found.ok_or_else(|| Error::not_found("stage"))?;
        let why = Why::from(to);
        if lead.stage != stage.id {
            self.guard.count_out(lead.stage);
            self.guard.count_in(stage.id);
            lead.enter(pipeline, stage, why, ctx.now());
        } else if to.reason.is_some() || to.detail.is_some() {
            lead.closing = Closing::on_entering(stage.kind, why, lead.closing.as_ref(), ctx.now());
        }
        Ok(())
    }
}

/// Makes a move of a lead that the actor may edit.
fn carry_out(ctx: &Context<'_>, txn: &mut dyn Txn, mover: Mover, before: Lead, to: &Move) -> Result<Lead> {
    let (before, mut after) = prepare_move(ctx, txn, mover, before, to)?;
    if after == before {
        return Ok(masked(ctx, before));
    }
    let entry = touch(ctx, &before, &mut after, Action::Moved);
    write(ctx, txn, before, after, entry)
}

/// A lead before and after a move that it can make; nothing is written.
pub(super) fn prepare_move(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    mut mover: Mover,
    before: Lead,
    to: &Move,
) -> Result<(Lead, Lead)> {
    let (unmet, rank) = examine(ctx, txn, &mover, &before, to)?;
    refuse(&unmet)?;
    let mut after = before.clone();
    mover.step(ctx, &mut after, to)?;
    if let Some(rank) = rank {
        Rank::parse(rank.as_str()).map_err(|_| {
            let message = "there is no room left between these two cards: move one of them";
            Error::new(ErrorKind::Unsupported, message)
        })?;
        after.rank = rank;
    }
    Ok((before, after))
}

/// Writes what [`prepare_move`] said, for an operation of the caller's: its entry, unless nothing changed.
pub(super) fn move_prepared(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (before, mut after): (Lead, Lead),
) -> Result<Option<NewEntry>> {
    if after == before {
        return Ok(None);
    }
    let entry = touch(ctx, &before, &mut after, Action::Moved);
    txn.leads().update(&[LeadChange { before, after }])?;
    Ok(Some(entry))
}

fn write(ctx: &Context<'_>, txn: &mut dyn Txn, before: Lead, after: Lead, entry: NewEntry) -> Result<Lead> {
    txn.leads().update(&[LeadChange { before, after: after.clone() }])?;
    record(ctx, txn, OperationKind::Move, &[entry])?;
    Ok(masked(ctx, after))
}

/// What stands against a move, and the rank that the card gets.
fn examine(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    mover: &Mover,
    lead: &Lead,
    to: &Move,
) -> Result<(Vec<Unmet>, Option<Rank>)> {
    let mut unmet = mover.check(lead, to);
    if unmet.iter().any(|unmet| matches!(unmet, Unmet::UnknownStage { .. })) {
        return Ok((unmet, None));
    }
    let enters = lead.stage != to.stage;
    let Some(position) = to.position.or(enters.then_some(Position::Top)) else { return Ok((unmet, None)) };
    match neighbours(ctx, txn, lead, to.stage, position)? {
        Ok((above, below)) => {
            // A card that lies there already stays where it is.
            let lies = |rank: &Rank| {
                above.as_ref().is_none_or(|above| above < rank)
                    && below.as_ref().is_none_or(|below| rank < below)
            };
            let stays = !enters && lies(&lead.rank);
            let rank = (!stays).then(|| Rank::placed(above.as_ref(), below.as_ref(), ctx.now(), lead.number));
            Ok((unmet, rank))
        }
        Err(missing) => {
            unmet.push(missing);
            Ok((unmet, None))
        }
    }
}

/// The ranks above and below the place, or the card that is not there.
type Gap = std::result::Result<(Option<Rank>, Option<Rank>), Unmet>;

fn neighbours(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    stage: StageId,
    position: Position,
) -> Result<Gap> {
    let (beside, direction) = match position {
        Position::Top => return Ok(Ok((None, next_card(txn, lead, stage, Direction::Ascending, None)?))),
        Position::Bottom => return Ok(Ok((next_card(txn, lead, stage, Direction::Descending, None)?, None))),
        Position::Before(card) => (card, Direction::Descending),
        Position::After(card) => (card, Direction::Ascending),
    };
    let found = match visible(ctx, txn, beside) {
        Ok(card) => Some(card),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let is_card = |card: &Lead| {
        card.id != lead.id && card.stage == stage && card.trashed.is_none() && card.state() == LeadState::Open
    };
    let Some(card) = found.filter(is_card) else { return Ok(Err(Unmet::NoSuchCard { lead: beside })) };
    let other = next_card(txn, lead, stage, direction, Some(&card))?;
    Ok(Ok(match direction {
        Direction::Descending => (other, Some(card.rank)),
        Direction::Ascending => (Some(card.rank), other),
    }))
}

/// The rank of the first other card of a stage in this direction, from the end or from behind a card. Cards that the
/// actor may not see count: a place between two of his is one between all of them.
fn next_card(
    txn: &mut dyn Txn,
    lead: &Lead,
    stage: StageId,
    direction: Direction,
    behind: Option<&Lead>,
) -> Result<Option<Rank>> {
    let sort = Sort { by: SortField::Rank, direction };
    let in_stage = Resolved::Equals(Field::Stage, vec![stage.into()]);
    let after = behind.map(|card| Cursor::behind(card, &sort));
    let cards = txn.leads().scan(&LeadScan {
        filter: in_stage.and(is_open()),
        trashed: false,
        sort,
        limit: 2,
        after,
    })?;
    Ok(cards.into_iter().find(|card| card.id != lead.id).map(|card| card.rank))
}

/// The leads that boards show and limits count.
pub(super) fn is_open() -> Resolved {
    Resolved::Equals(Field::State, vec![LeadState::Open.code().into()])
}

/// The guard for leads of these pipelines; reads only what their stages ask about.
pub(crate) fn guard(txn: &mut dyn Txn, pipelines: &[Pipeline]) -> Result<Guard> {
    let stages = || pipelines.iter().flat_map(|pipeline| &pipeline.stages);
    let reasons = if stages().any(|stage| stage.kind == StageKind::Lost) {
        txn.terms().list(TermKind::LostReason)?
    } else {
        Vec::new()
    };
    let required: BTreeSet<_> = stages().flat_map(|stage| &stage.required_fields).cloned().collect();
    let disabled = if required.is_empty() {
        BTreeSet::new()
    } else {
        let (_, catalogue) = settings::load_catalogue(txn)?;
        required.into_iter().filter(|field| catalogue.is_disabled(field)).collect()
    };
    let cards = if stages().any(|stage| stage.wip_limit.is_some()) { cards(txn)? } else { BTreeMap::new() };
    Ok(Guard::new(reasons.into_iter().map(|record| record.term).collect(), disabled, cards))
}

/// How many open leads are in each stage, of whoever.
pub(super) fn cards(txn: &mut dyn Txn) -> Result<BTreeMap<StageId, u64>> {
    let counts = txn.tallies().count_by(&is_open(), &Field::Stage)?.into_iter();
    Ok(counts
        .filter_map(|(stage, count)| match stage {
            FieldValue::Id(id) => Some((StageId::from_uuid(id), count)),
            _ => None,
        })
        .collect())
}

/// Refuses a write when a condition is not met, with all of them.
pub(super) fn refuse(unmet: &[Unmet]) -> Result<()> {
    if unmet.is_empty() { Ok(()) } else { Err(Error::invalid(unmet.iter().map(Unmet::violation).collect())) }
}

/// What stands against converting a lead: one that was disqualified or lost is reopened first.
pub(super) fn check_convertible(lead: &Lead) -> Vec<Unmet> {
    let closed = lead.closing.as_ref().filter(|closing| closing.outcome == Outcome::Lost);
    let mut unmet = Guard::state(lead);
    unmet.extend(closed.map(|closing| Unmet::Closed { outcome: closing.outcome }));
    unmet
}

/// Says that a lead was no lead at all (X.62): not lost, and not in its statistics. It leaves the board and cannot be
/// moved or converted until it is [`reopen`]ed, but is still listed and found.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected; `Invalid` for a
/// lead that was disqualified already, or is won or lost; when the tenant keeps a list of reasons and none was given;
/// for a reason that is unknown, no longer offered, or must be said in words too.
pub fn disqualify(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    expect: impl Into<Expect>,
    reason: impl Into<Option<DisqualifyReasonId>>,
    detail: Option<&str>,
) -> Result<Lead> {
    let before = editable_for(ctx, txn, id, expect.into(), Permission::Edit, "move")?;
    let why = Why { reason: reason.into().map(DisqualifyReasonId::as_uuid), detail };
    let terms = txn.terms().list(TermKind::DisqualifyReason)?;
    let terms: Vec<_> = terms.into_iter().map(|record| record.term).collect();
    refuse(&Guard::check_disqualify(&before, &terms, why))?;
    let mut after = before.clone();
    after.disqualify(why, ctx.now());
    let entry = touch(ctx, &before, &mut after, Action::Updated);
    write(ctx, txn, before, after, entry)
}

/// Opens a lead again (X.19). One that was disqualified comes back to the top of its stage; one that was won or lost goes
/// back to the stage that it was last worked in, else to the first open stage of its pipeline, under the conditions of
/// any [`move_to`]. How it had ended stays in the journal. An open lead stays as it is.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected; `Invalid` with
/// every condition that is not met.
pub fn reopen(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId, expect: impl Into<Expect>) -> Result<Lead> {
    let before = editable_for(ctx, txn, id, expect.into(), Permission::Edit, "move")?;
    let Some(closing) = &before.closing else { return Ok(masked(ctx, before)) };
    let mover = Mover::load(txn)?;
    if closing.outcome != Outcome::Disqualified {
        let own = mover.pipelines.iter().find(|pipeline| pipeline.id == before.pipeline);
        let is_worked = |id: &StageId| {
            let stage = own.and_then(|pipeline| pipeline.stage(*id));
            stage.is_some_and(|stage| matches!(stage.kind, StageKind::Open | StageKind::OnHold))
        };
        let last = stages_before(txn, &before)?.into_iter().find(is_worked);
        let first = own.and_then(Pipeline::first_stage).map(|stage| stage.id);
        let target = last.or(first).ok_or_else(|| Error::not_found("stage"))?;
        return carry_out(ctx, txn, mover, before, &target.into());
    }
    let stage = mover.pipelines.iter().find_map(|pipeline| pipeline.stage(before.stage));
    if let Some(stage) = stage {
        refuse(&mover.guard.check_return(stage))?;
    }
    // In a stage that ends leads, which another pipeline's removed stage may have sent it to, it has ended.
    let closing = stage.and_then(|stage| Closing::on_entering(stage.kind, Why::default(), None, ctx.now()));
    let mut after = Lead { closing, ..before.clone() };
    after.active_at = after.active_at.max(ctx.now());
    let first = next_card(txn, &before, before.stage, Direction::Ascending, None)?;
    after.rank = Rank::placed(None, first.as_ref(), ctx.now(), before.number);
    let entry = touch(ctx, &before, &mut after, Action::Updated);
    write(ctx, txn, before, after, entry)
}
