//! Stages that an import added to a pipeline, and that an undo took away.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{
    Action, Entry, Field, Kept, NewEntry, Operation, OperationKind, Pipeline, Stage, StageKind, Subject,
    WhyKept, pipeline_changes, stages_told,
};
use crate::error::Result;
use crate::id::{OperationId, PipelineId, StageId};
use crate::query::Resolved;
use crate::store::Txn;
use crate::value::fold;

use super::super::pipelines::move_all;
use super::super::rounds::{Place, each_lead};
use super::stories::{Story, unsupported};
use super::walk::Bench;
use super::{UndoFailure, UndoRecord};

/// What is told of a stage. No entry of a pipeline has a change of this name.
const STAGE: &str = "stage";

/// Whether an entry of an import or an undo adds stages to its pipeline, or takes some away; none for other entries.
pub(super) fn turn(entry: &Entry) -> Option<bool> {
    if !matches!(entry.operation_kind, OperationKind::Import | OperationKind::Undo) {
        return None;
    }
    let change = entry.changes.iter().find(|change| change.field == "stage_ids")?;
    Some(change.after.items().len() > change.before.items().len())
}

/// A stage that came or went, and the order of the stages with it.
struct Step {
    stage: Stage,
    order: Vec<StageId>,
}

/// What the entries of a pipeline added and took away, the newest first; none where they do not say enough of it.
fn steps(story: &Story) -> Option<(Vec<Step>, Vec<Step>)> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for entry in story.own.iter() {
        turn(entry).filter(|_| entry.action == Action::Updated)?;
        let before = stages_told(&entry.changes, |change| &change.before)?;
        let after = stages_told(&entry.changes, |change| &change.after)?;
        let lacking = |of: &[Stage], other: &[Stage]| -> Vec<Step> {
            let order: Vec<_> = of.iter().map(|stage| stage.id).collect();
            let new = of.iter().filter(|stage| other.iter().all(|known| known.id != stage.id));
            new.map(|stage| Step { stage: stage.clone(), order: order.clone() }).collect()
        };
        added.extend(lacking(&after, &before).into_iter().rev());
        removed.extend(lacking(&before, &after));
    }
    Some((added, removed))
}

/// What becomes of the stages of a pipeline.
pub(super) fn take_back(
    bench: &mut Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    let Some((added, removed)) = steps(story) else { return Ok(unsupported(subject, story)) };
    if !bench.may_configure {
        return Ok(UndoRecord::fail(subject, UndoFailure::Forbidden));
    }
    let id = PipelineId::from_uuid(subject.id);
    let Some(before) = txn.pipelines().list()?.into_iter().find(|pipeline| pipeline.id == id) else {
        return Ok(UndoRecord::fail(subject, UndoFailure::NotFound));
    };
    let mut told = Told { record: UndoRecord::new(subject), stay: Vec::new() };
    let (mut after, mut gone) = (before.clone(), Vec::new());
    for step in &added {
        match stays(bench, txn, &before, step)? {
            None if before.stage(step.stage.id).is_some() => gone.push(step.stage.id),
            // An undo took it away before, and tells it no more; or a person did.
            None if story.has_returned() => {}
            None => told.keep(None, WhyKept::Edited),
            Some(why) => told.keep(before.stage(step.stage.id), why),
        }
    }
    after.stages.retain(|stage| !gone.contains(&stage.id));
    if after.check().is_err() {
        // It would be left without a stage to work in.
        gone.iter().for_each(|id| told.keep(before.stage(*id), WhyKept::InUse));
        gone.clear();
        after.stages.clone_from(&before.stages);
    }
    let mut back = Vec::new();
    for step in removed.iter().filter(|step| before.stage(step.stage.id).is_none()) {
        if put_back(&mut after, step) { back.push(step.stage.id) } else { told.keep(None, WhyKept::Taken) }
    }
    bench.stages.extend(back.iter().map(|stage| (id, *stage)));
    if !gone.is_empty() || !back.is_empty() {
        told.record.reversed.push(STAGE.to_owned());
        if let Some(by) = by {
            bench.begin(txn, by)?;
            for stage in before.stages.iter().filter(|stage| gone.contains(&stage.id)) {
                if let Some(target) = waiting_room(&after, stage.kind) {
                    move_all(bench.ctx, txn, by.id, (stage.id, Place::Trash), (id, target))?;
                }
            }
            after.revision = before.revision.next();
            txn.pipelines().update(&after)?;
            let changes = pipeline_changes(Some(&before), &after);
            entries.push(NewEntry::new(id, Action::Updated, bench.ctx.now()).with_changes(changes));
        }
    }
    Ok(told.done())
}

/// Why a stage that was added stays: a person changed or moved it, or leads are in it; none where it goes or is gone.
fn stays(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    pipeline: &Pipeline,
    Step { stage, order }: &Step,
) -> Result<Option<WhyKept>> {
    let Some(now) = pipeline.stage(stage.id) else { return Ok(None) };
    let leads_to = |other: &Stage| other.allowed_next.as_ref().is_some_and(|next| next.contains(&stage.id));
    let known: BTreeSet<_> = pipeline.stages.iter().map(|stage| stage.id).collect();
    let ahead = |stages: &mut dyn Iterator<Item = StageId>| -> BTreeSet<StageId> {
        stages
            .take_while(|id| *id != stage.id)
            .filter(|id| known.contains(id) && order.contains(id))
            .collect()
    };
    let was = ahead(&mut order.iter().copied());
    let is = ahead(&mut pipeline.stages.iter().map(|stage| stage.id));
    if now != stage || was != is || pipeline.stages.iter().any(leads_to) {
        return Ok(Some(WhyKept::Edited));
    }
    if bench.needed.contains(&stage.id.as_uuid()) {
        return Ok(Some(WhyKept::InUse));
    }
    let filter = Resolved::Equals(Field::Stage, vec![stage.id.into()]);
    let freed = bench.freed.get(&stage.id.as_uuid()).copied().unwrap_or_default();
    let is_used = txn.tallies().count(&filter)? > freed || is_thrown_away(txn, &filter)?;
    Ok(is_used.then_some(WhyKept::InUse))
}

/// Whether leads of the filter are in the trash that no undo put there: who restores one finds it where it was.
fn is_thrown_away(txn: &mut dyn Txn, filter: &Resolved) -> Result<bool> {
    let (mut found, mut undos) = (false, HashMap::<OperationId, bool>::new());
    each_lead(txn, filter, Place::Trash, &mut |txn, leads| {
        for by in leads.iter().filter_map(|lead| lead.trashed.as_ref()).map(|trashed| trashed.operation) {
            let is_undo = match undos.get(&by) {
                Some(known) => *known,
                None => {
                    let operation = txn.journal().operation(by)?;
                    let is_undo = operation.is_some_and(|found| found.kind == OperationKind::Undo);
                    *undos.entry(by).or_insert(is_undo)
                }
            };
            found |= !is_undo;
        }
        Ok(())
    })?;
    Ok(found)
}

/// Where leads in the trash wait whose stage goes: in the first one that means the same, else in the first open one.
fn waiting_room(pipeline: &Pipeline, kind: StageKind) -> Option<&Stage> {
    pipeline.stages.iter().find(|stage| stage.kind == kind).or_else(|| pipeline.first_stage())
}

/// Puts a stage back behind the stage that it stood behind, unless another one has its name now, or there is no room.
fn put_back(pipeline: &mut Pipeline, Step { stage, order }: &Step) -> bool {
    let name = fold(&stage.name);
    if pipeline.stages.iter().any(|known| fold(&known.name) == name) {
        return false;
    }
    let ahead = order.iter().rev().skip_while(|id| **id != stage.id).skip(1);
    let behind = ahead.filter_map(|id| pipeline.stages.iter().position(|known| known.id == *id)).next();
    let mut next = pipeline.clone();
    let mut stage = stage.clone();
    if let Some(next) = &mut stage.allowed_next {
        next.retain(|id| pipeline.stage(*id).is_some());
    }
    next.stages.insert(behind.map_or(0, |at| at + 1), stage);
    let fits = next.check().is_ok();
    if fits {
        *pipeline = next;
    }
    fits
}

/// What is told of the pipeline, with the names of the stages that stay.
struct Told {
    record: UndoRecord,
    stay: Vec<String>,
}

impl Told {
    fn keep(&mut self, stage: Option<&Stage>, why: WhyKept) {
        self.stay.extend(stage.map(|stage| stage.name.clone()));
        if !self.record.kept.iter().any(|kept| kept.why == why) {
            self.record.kept.push(Kept { field: STAGE.to_owned(), why });
        }
    }

    fn done(self) -> UndoRecord {
        let name = Some(self.stay.join(", ")).filter(|names| !names.is_empty());
        UndoRecord { name, ..self.record }
    }
}
