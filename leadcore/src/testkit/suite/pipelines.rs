//! The pipelines port.

use crate::domain::{Field, Pipeline, Stage, StageKind};
use crate::error::ErrorKind;
use crate::id::{PipelineId, Revision, StageId};
use crate::store::Store;

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

fn pipeline(world: &World, name: &str) -> Pipeline {
    let stage = Stage::new(StageId::from_uuid(world.scene.uuid()), "New", StageKind::Open);
    Pipeline::new(PipelineId::from_uuid(world.scene.uuid()), name, false, vec![stage]).unwrap()
}

fn list(world: &World, store: &dyn Store) -> Vec<Pipeline> {
    world.read(store, |txn| txn.pipelines().list())
}

/// The default first, then by name without case and accents.
pub fn pipelines_come_back_default_first(store: &dyn Store) {
    let world = World::install(store);
    let names = ["beta", "Ängström", "alpha", "Zulu"];
    let added: Vec<_> = names.iter().map(|name| pipeline(&world, name)).collect();
    for pipeline in &added {
        world.write(store, |txn| txn.pipelines().insert(pipeline));
    }
    let mut wanted = vec![world.pipeline.clone()];
    wanted.extend([2, 1, 0, 3].map(|n: usize| added[n].clone()));
    assert_eq!(list(&world, store), wanted, "the default first, then by name without case and accents");
}

/// Ids and names are unique, revisions are kept, and a refused write writes nothing.
pub fn pipelines_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let first = pipeline(&world, "Première");
    world.write(store, |txn| txn.pipelines().insert(&first));
    let same_name = pipeline(&world, "PREMIERE");
    let mut same_id = pipeline(&world, "Other");
    same_id.id = first.id;
    for (taken, why) in [(same_name, "a name is unique in the tenant"), (same_id, "the id is unique")] {
        let error = refused(&world, store, why, |txn| txn.pipelines().insert(&taken));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
    }
    let mut next = first.clone();
    next.revision = Revision::new(2);
    next.name = "premiere".to_owned();
    world.write(store, |txn| txn.pipelines().update(&next));
    let why = "a pipeline that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.pipelines().update(&next));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let mut taken = next.clone();
    taken.revision = Revision::new(3);
    taken.name.clone_from(&world.pipeline.name);
    let why = "another pipeline has the name";
    let error = refused(&world, store, why, |txn| txn.pipelines().update(&taken));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    let why = "an unknown pipeline cannot be updated";
    let unknown = pipeline(&world, "Unknown");
    let error = refused(&world, store, why, |txn| txn.pipelines().update(&unknown));
    assert_kind(&error, ErrorKind::NotFound, why);
    assert_eq!(list(&world, store), [world.pipeline.clone(), next], "what was refused must not be there");
}

/// Stages come back in board order with ids, kinds and chances; an update reorders, adds, renames and takes away.
pub fn stages_keep_their_order_and_ids(store: &dyn Store) {
    let world = World::install(store);
    let mut written = pipeline(&world, "Stages");
    for (n, text) in storable_texts().enumerate() {
        let kind = StageKind::ALL[n % StageKind::ALL.len()];
        let mut stage = Stage::new(StageId::from_uuid(world.scene.uuid()), text, kind);
        stage.probability = [None, Some(0), Some(55), Some(100)][n % 4];
        written.stages.insert(0, stage);
    }
    world.write(store, |txn| txn.pipelines().insert(&written));
    let stored = |store| list(&world, store).pop();
    assert_eq!(stored(store), Some(written.clone()), "stages must come back in board order");
    written.revision = written.revision.next();
    written.stages.reverse();
    written.stages.remove(3);
    written.stages.swap(1, 2);
    let first_name = std::mem::take(&mut written.stages[0].name);
    written.stages[0].name = std::mem::replace(&mut written.stages[1].name, first_name);
    written.stages.push(Stage::new(StageId::from_uuid(world.scene.uuid()), "Last", StageKind::Lost));
    world.write(store, |txn| txn.pipelines().update(&written));
    assert_eq!(stored(store), Some(written), "a pipeline is written as a whole, two names swapped included");
}

/// Everything that a stage says about its leads comes back.
pub fn stages_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    let mut pipeline = pipeline(&world, "Strict");
    let mut second = Stage::new(StageId::from_uuid(world.scene.uuid()), "Talking", StageKind::OnHold);
    second.color = Some("#1a7f37".to_owned());
    second.required_fields = [Field::Amount, Field::Email].into();
    second.allowed_next = Some([pipeline.stages[0].id].into());
    second.wip_limit = Some(u32::MAX);
    second.idle_days = Some(u16::MAX);
    second.probability = Some(40);
    pipeline.stages.push(second);
    pipeline.stages[0].allowed_next = Some([].into());
    world.write(store, |txn| txn.pipelines().insert(&pipeline));
    assert!(list(&world, store).contains(&pipeline));
}

/// A pipeline goes with its stages; its name is free again.
pub fn an_unused_pipeline_is_removed_with_its_stages(store: &dyn Store) {
    let world = World::install(store);
    let pipeline = pipeline(&world, "Gone");
    world.write(store, |txn| txn.pipelines().insert(&pipeline));
    let mut stale = pipeline.clone();
    stale.revision = Revision::new(3);
    let why = "a pipeline that changed since it was read must not be removed";
    let error = refused(&world, store, why, |txn| txn.pipelines().remove(&stale));
    assert_stale(&error, Revision::new(3), Revision::FIRST, why);
    world.write(store, |txn| txn.pipelines().remove(&pipeline));
    assert_eq!(list(&world, store), std::slice::from_ref(&world.pipeline));
    let why = "it is gone";
    let error = refused(&world, store, why, |txn| txn.pipelines().remove(&pipeline));
    assert_kind(&error, ErrorKind::NotFound, why);
    world.write(store, |txn| txn.pipelines().insert(&pipeline));
}
