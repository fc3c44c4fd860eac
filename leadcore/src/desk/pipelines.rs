//! Pipelines: the columns of the board as a list of their own (S0.08, S2.02).

use crate::context::Context;
use crate::domain::{Action, Field, NewEntry, OperationKind, Pipeline, Stage, StageKind, pipeline_changes};
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::id::{PipelineId, StageId};
use crate::policy::Permission;
use crate::query::Resolved;
use crate::store::Txn;

use super::access::require;
use super::operation::{name_taken, record};

mod removal;

pub(super) use removal::move_all;
pub use removal::{remove, remove_stage, set_default};

/// The stages of the pipeline that a tenant starts with: the manuals' own words.
const DEFAULT_STAGES: [(&str, StageKind); 6] = [
    ("New", StageKind::Open),
    ("Mailed", StageKind::Open),
    ("Discussion", StageKind::Open),
    ("On hold", StageKind::OnHold),
    ("Won", StageKind::Won),
    ("Lost", StageKind::Lost),
];

/// Every pipeline, the default first. A tenant that has none yet sees none: the default one is made with the first
/// lead, or by [`add`].
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Pipeline>> {
    require(ctx, txn, Permission::View)?;
    txn.pipelines().list()
}

/// Makes the default pipeline when the tenant has none, and returns all.
///
/// # Errors
/// `Denied` for an actor who may not see leads; a failure of the store.
pub fn list_or_default(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Pipeline>> {
    require(ctx, txn, Permission::View)?;
    with_default(ctx, txn)
}

/// Every pipeline; a tenant without one gets the default pipeline (New, Mailed, Discussion, On hold, Won, Lost).
fn with_default(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Pipeline>> {
    let known = txn.pipelines().list()?;
    if !known.is_empty() {
        return Ok(known);
    }
    let pipeline = default_pipeline(ctx)?;
    insert(ctx, txn, &pipeline)?;
    Ok(vec![pipeline])
}

/// Every pipeline, to be read only: of a tenant that has none yet the default one, as it will be made but for its ids.
pub(crate) fn known_or_default(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Pipeline>> {
    let known = txn.pipelines().list()?;
    if known.is_empty() { Ok(vec![default_pipeline(ctx)?]) } else { Ok(known) }
}

/// The pipeline that a tenant starts with, not yet written.
pub(super) fn default_pipeline(ctx: &Context<'_>) -> Result<Pipeline> {
    let stages = DEFAULT_STAGES.iter().map(|(name, kind)| new_stage(ctx, name, *kind)).collect();
    Pipeline::new(PipelineId::from_uuid(ctx.new_uuid()), "Leads", true, stages)
}

/// A stage with an id of its own, for [`add`] and [`update`].
#[must_use]
pub fn new_stage(ctx: &Context<'_>, name: &str, kind: StageKind) -> Stage {
    Stage::new(StageId::from_uuid(ctx.new_uuid()), name, kind)
}

/// Adds a pipeline with these stages. The first one of a tenant is its default.
///
/// # Errors
/// `Denied`; `Invalid` with every broken rule; `AlreadyExists` when the name is taken.
pub fn add(ctx: &Context<'_>, txn: &mut dyn Txn, name: &str, stages: Vec<Stage>) -> Result<Pipeline> {
    require(ctx, txn, Permission::Configure)?;
    let known = txn.pipelines().list()?;
    let pipeline = Pipeline::new(PipelineId::from_uuid(ctx.new_uuid()), name, known.is_empty(), stages)?;
    check_stage_ids(&known, &pipeline)?;
    insert(ctx, txn, &pipeline)?;
    Ok(pipeline)
}

/// Refuses a stage of another pipeline: leads know their place by the id of the stage alone.
fn check_stage_ids(known: &[Pipeline], pipeline: &Pipeline) -> Result<()> {
    let others = || known.iter().filter(|other| other.id != pipeline.id);
    let taken = |stage: &&Stage| others().any(|other| other.stage(stage.id).is_some());
    if pipeline.stages.iter().any(|stage| taken(&stage)) {
        let message = "a stage with this id belongs to another pipeline";
        return Err(Error::invalid_field("stages", ViolationCode::Duplicate, message));
    }
    Ok(())
}

pub(super) fn insert(ctx: &Context<'_>, txn: &mut dyn Txn, pipeline: &Pipeline) -> Result<()> {
    txn.pipelines().insert(pipeline).map_err(|error| name_taken("pipeline", error))?;
    let changes = pipeline_changes(None, pipeline);
    let entry = NewEntry::new(pipeline.id, Action::Created, ctx.now()).with_changes(changes);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(())
}

/// Replaces a pipeline: rename, add, reorder stages, change their rules and colours (X.58). How it was is in the journal.
/// A stage that leads are in cannot be taken away (see [`remove_stage`]), so that no lead ever loses its place, and
/// cannot become won, lost or open, so that no lead ends behind anybody's back. Stages keep their ids. Leads that do not
/// meet a new rule stay as they are; it holds for what comes into the stage from then on.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` with every broken rule; `Conflict` when it changed since it was read, or a stage that
/// is missing now, or means something else, is in use.
pub fn update(ctx: &Context<'_>, txn: &mut dyn Txn, mut pipeline: Pipeline) -> Result<Pipeline> {
    require(ctx, txn, Permission::Configure)?;
    pipeline.name = pipeline.name.trim().to_owned();
    pipeline.check()?;
    let known = txn.pipelines().list()?;
    check_stage_ids(&known, &pipeline)?;
    let before = known.into_iter().find(|known| known.id == pipeline.id);
    let before = before.ok_or_else(|| Error::not_found("pipeline"))?;
    super::Expect::Revision(pipeline.revision).check("pipeline", before.revision)?;
    // Which pipeline is the default is not a property that one pipeline can change for itself.
    pipeline.is_default = before.is_default;
    for stage in &before.stages {
        let meaning = pipeline.stage(stage.id).map(|after| after.kind.ending());
        if meaning != Some(stage.kind.ending()) {
            let by = leads_in(txn, stage.id)?;
            if by > 0 {
                return Err(Error::conflicting("stage", Conflict::InUse { by }));
            }
        }
    }
    pipeline.revision = pipeline.revision.next();
    txn.pipelines().update(&pipeline).map_err(|error| name_taken("pipeline", error))?;
    let changes = pipeline_changes(Some(&before), &pipeline);
    let entry = NewEntry::new(pipeline.id, Action::Updated, ctx.now()).with_changes(changes);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(pipeline)
}

/// How many leads are in a stage, the trash included: a restored lead needs its stage.
fn leads_in(txn: &mut dyn Txn, stage: StageId) -> Result<u64> {
    let filter = Resolved::Equals(Field::Stage, vec![stage.into()]);
    let live = txn.tallies().count(&filter)?;
    let trashed = txn.leads().scan(&crate::query::LeadScan {
        filter,
        trashed: true,
        sort: crate::query::Sort::default(),
        limit: 1,
        after: None,
    })?;
    Ok(live.saturating_add(u64::from(!trashed.is_empty())))
}
