//! Which pipeline is the default, and taking pipelines and stages away without losing a lead (X.58).

use crate::context::Context;
use crate::domain::{
    Action, Closing, Lead, LeadState, NewEntry, OperationKind, Pipeline, Stage, Why, pipeline_changes,
    pipeline_removed,
};
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::id::{OperationId, PipelineId, StageId};
use crate::policy::Permission;
use crate::query::Resolved;
use crate::store::{LeadChange, Txn, nested};

use super::super::access::{Expect, require};
use super::super::leads::{touch, update_all};
use super::super::operation::{new_operation, record};
use super::super::rounds::{Place, each_lead};
use super::super::vocabulary::converted;
use super::leads_in;

fn find(txn: &mut dyn Txn, id: PipelineId, expect: Expect) -> Result<(Vec<Pipeline>, Pipeline)> {
    let known = txn.pipelines().list()?;
    let found = known.iter().find(|pipeline| pipeline.id == id).cloned();
    let found = found.ok_or_else(|| Error::not_found("pipeline"))?;
    expect.check("pipeline", found.revision)?;
    Ok((known, found))
}

/// Makes a pipeline the one that new leads start in, in place of the one that was.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when it changed since it was read.
pub fn set_default(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: PipelineId,
    expect: impl Into<Expect>,
) -> Result<Pipeline> {
    require(ctx, txn, Permission::Configure)?;
    let (known, found) = find(txn, id, expect.into())?;
    if found.is_default {
        return Ok(found);
    }
    let mut entries = Vec::new();
    let mut chosen = found;
    for before in known.into_iter().filter(|known| known.is_default || known.id == id) {
        let mut after = before.clone();
        after.is_default = before.id == id;
        after.revision = before.revision.next();
        txn.pipelines().update(&after)?;
        let changes = pipeline_changes(Some(&before), &after);
        entries.push(NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes));
        if after.id == id {
            chosen = after;
        }
    }
    record(ctx, txn, OperationKind::Configure, &entries)?;
    Ok(chosen)
}

/// Removes a pipeline that no lead is in, with its stages. The journal keeps how it was.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when it changed since it was read, or with [`Conflict::InUse`] while leads are in it,
/// the trash included; `Invalid` for the default pipeline: make another one the default first.
pub fn remove(ctx: &Context<'_>, txn: &mut dyn Txn, id: PipelineId, expect: impl Into<Expect>) -> Result<()> {
    require(ctx, txn, Permission::Configure)?;
    let (_, found) = find(txn, id, expect.into())?;
    if found.is_default {
        let message = "this is the default pipeline: make another one the default first";
        return Err(Error::invalid_field("pipeline", ViolationCode::NotAllowed, message));
    }
    let mut by = 0_u64;
    for stage in &found.stages {
        by = by.saturating_add(leads_in(txn, stage.id)?);
    }
    if by > 0 {
        return Err(Error::conflicting("pipeline", Conflict::InUse { by }));
    }
    txn.pipelines().remove(&found)?;
    let entry = NewEntry::new(id, Action::Deleted, ctx.now()).with_changes(pipeline_removed(&found));
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(())
}

/// Removes a stage and moves its leads to another one, perhaps of another pipeline, in the same transaction; each move
/// is in the journal. Returns the pipeline without the stage.
///
/// Every lead moves: disqualified ones (which stay so) and those in the trash too; a stage that converted leads are in stays,
/// for they stay as they were converted. The guard is not asked:
/// who removes a stage decides for all of its leads, whatever the target's limit, required fields and transitions say.
/// In a won or lost target they are won or lost (without a reason), elsewhere open. Their cards keep their order. Where
/// other stages lead to the removed one, they lead to the target instead.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the pipeline changed since it was read, or with [`Conflict::InUse`] when leads
/// are in the stage and no target is named, or converted ones are; `Invalid` when the target does not exist or is the stage itself, or the
/// pipeline would be left without an open stage.
pub fn remove_stage(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: PipelineId,
    expect: impl Into<Expect>,
    stage: StageId,
    target: Option<StageId>,
) -> Result<Pipeline> {
    require(ctx, txn, Permission::Configure)?;
    let (known, before) = find(txn, id, expect.into())?;
    if before.stage(stage).is_none() {
        return Err(Error::not_found("stage"));
    }
    let found = target
        .filter(|target| *target != stage)
        .and_then(|target| known.iter().find_map(|known| Some((known.id, known.stage(target)?.clone()))));
    if target.is_some() && found.is_none() {
        let message = "there is no other stage with this id";
        return Err(Error::invalid_field("target", ViolationCode::Unknown, message));
    }
    let after = without(&before, stage, target);
    after.check()?;
    let by = leads_in(txn, stage)?;
    if by > 0 && found.is_none() {
        return Err(Error::conflicting("stage", Conflict::InUse { by }));
    }
    let of_stage = Resolved::Equals(crate::domain::Field::Stage, vec![stage.into()]);
    let frozen = txn.tallies().count(&of_stage.and(converted()))?;
    if frozen > 0 {
        return Err(Error::in_use_by_converted("stage", frozen, "keep the stage"));
    }
    nested(txn, |txn| {
        let operation = new_operation(ctx, OperationKind::Configure, None);
        txn.journal().begin(&operation)?;
        if let Some((pipeline, target)) = &found {
            move_all(ctx, txn, operation.id, (stage, Place::Everywhere), (*pipeline, target))?;
        }
        txn.pipelines().update(&after)?;
        let changes = pipeline_changes(Some(&before), &after);
        let entry = NewEntry::new(id, Action::Updated, ctx.now()).with_changes(changes);
        txn.journal().append(operation.id, &[entry])
    })?;
    Ok(after)
}

fn without(before: &Pipeline, stage: StageId, target: Option<StageId>) -> Pipeline {
    let mut after = before.clone();
    after.revision = before.revision.next();
    after.stages.retain(|known| known.id != stage);
    let target = target.filter(|target| after.stage(*target).is_some());
    for known in &mut after.stages {
        if let Some(next) = &mut known.allowed_next
            && next.remove(&stage)
        {
            next.extend(target.filter(|target| *target != known.id));
        }
    }
    after
}

/// Moves the leads of a stage that are there to another one, whatever the guard says.
pub(in crate::desk) fn move_all(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    (stage, place): (StageId, Place),
    target: (PipelineId, &Stage),
) -> Result<()> {
    let filter = Resolved::Equals(crate::domain::Field::Stage, vec![stage.into()]);
    each_lead(txn, &filter, place, &mut |txn, leads| {
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for before in leads {
            let mut lead = before.clone();
            put(&mut lead, target, ctx.now());
            entries.push(touch(ctx, &before, &mut lead, Action::Moved));
            changes.push(LeadChange { before, after: lead });
        }
        update_all(txn, &changes)?;
        txn.journal().append(operation, &entries)
    })
}

/// Into the target with its card in the order it had; one that left the board keeps how it ended.
fn put(lead: &mut Lead, (pipeline, stage): (PipelineId, &Stage), at: crate::time::Timestamp) {
    if lead.state() == LeadState::Open {
        lead.closing = Closing::on_entering(stage.kind, Why::default(), lead.closing.as_ref(), at);
        lead.active_at = lead.active_at.max(at);
    }
    (lead.pipeline, lead.stage, lead.stage_entered_at) = (pipeline, stage.id, at);
}
