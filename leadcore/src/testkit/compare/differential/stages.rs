//! Calls about stages.

use super::{Made, Op, json, lead_text, stage};
use crate::context::Context;
use crate::desk::{Expect, board, leads, pipelines, vocabulary};
use crate::domain::{Move, Position, TermId, TermKind};
use crate::error::{Error, Result};
use crate::id::{DisqualifyReasonId, LostReasonId};
use crate::store::Txn;
use crate::testkit::generate::Place;

/// A move says what was told before it, too: it must be what the move then says.
pub(super) fn call(ctx: &Context<'_>, txn: &mut dyn Txn, made: &Made, op: &Op) -> Result<String> {
    match op {
        Op::Move { lead, stage: place, reason, detail, position } => {
            let mut to = Move::from(stage(ctx, txn, *place)?)
                .because(reason.map(|n| LostReasonId::from_term(made.term(TermKind::LostReason, n))), None);
            to.detail = detail.then(|| "in words".to_owned());
            to.position = position.map(|place| match place {
                Place::Top => Position::Top,
                Place::Bottom => Position::Bottom,
                Place::Before(card) => Position::Before(made.lead(card)),
                Place::After(card) => Position::After(made.lead(card)),
            });
            let lead = made.lead(*lead);
            let told = board::can_move(ctx, txn, lead, &to);
            let moved = leads::move_to(ctx, txn, lead, Expect::Any, to);
            if let (Ok(told), Err(error)) = (&told, &moved) {
                assert!(!told.is_free(), "a move that is free is made: {error}");
            }
            if let (Ok(told), Ok(_)) = (&told, &moved) {
                assert!(told.is_free(), "what stands against a move stops it: {told:?}");
            }
            moved.map(lead_text)
        }
        Op::Disqualify { lead, reason } => {
            let reason =
                reason.map(|n| DisqualifyReasonId::from_term(made.term(TermKind::DisqualifyReason, n)));
            leads::disqualify(ctx, txn, made.lead(*lead), Expect::Any, reason, Some("no lead")).map(lead_text)
        }
        Op::Reopen { lead } => leads::reopen(ctx, txn, made.lead(*lead), Expect::Any).map(lead_text),
        Op::StageRules { stage: place, limit, required, next, probability } => {
            let (id, next) =
                (stage(ctx, txn, *place)?, next.map(|place| stage(ctx, txn, place)).transpose()?);
            let known = pipelines::list(ctx, txn)?.into_iter();
            let mut pipeline = known
                .into_iter()
                .find(|known| known.stage(id).is_some())
                .ok_or_else(|| Error::not_found("stage"))?;
            for stage in pipeline.stages.iter_mut().filter(|stage| stage.id == id) {
                stage.wip_limit = *limit;
                stage.required_fields = required.iter().cloned().collect();
                stage.allowed_next = next.map(|next| [next].into());
                stage.probability = *probability;
            }
            pipelines::update(ctx, txn, pipeline).map(json)
        }
        Op::RemoveStage { stage: place, target } => {
            let (id, target) =
                (stage(ctx, txn, *place)?, target.map(|place| stage(ctx, txn, place)).transpose()?);
            let known = pipelines::list(ctx, txn)?.into_iter();
            let pipeline = known.into_iter().find(|known| known.stage(id).is_some());
            let pipeline = pipeline.ok_or_else(|| Error::not_found("stage"))?;
            pipelines::remove_stage(ctx, txn, pipeline.id, Expect::Any, id, target).map(json)
        }
        Op::FlagReason { term, archived } => {
            let id = LostReasonId::from_term(made.term(TermKind::LostReason, *term));
            let term = vocabulary::archive(ctx, txn, id, Expect::Any, *archived)?;
            vocabulary::ask_for_detail(ctx, txn, id, term.revision, !*archived).map(json)
        }
        _ => Ok(String::new()),
    }
}
