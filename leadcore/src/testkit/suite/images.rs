//! What the journal keeps of a change is enough to take it back.

use crate::desk::{Expect, contacts, leads, pipelines};
use crate::domain::{
    Action, Contact, ContactFields, Entry, FieldValue, LeadFields, Link, LinkRole, Pipeline, Stage,
    StageKind, Subject, Topics,
};
use crate::error::Result;
use crate::id::{ContactId, LeadId, Revision, StageId};
use crate::store::{Store, StoreExt, Txn};

use super::super::fixtures::Scene;

fn run<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a use case that breaks no rule must succeed")
}

fn newest(store: &dyn Store, scene: &Scene, subject: impl Into<Subject>, limit: usize) -> Vec<Entry> {
    let subject = subject.into();
    run(store, scene, |txn| txn.journal().about(&[subject], Topics::NONE, None, limit))
}

/// The side of a change that `read` takes: its values, as text.
fn side(entry: &Entry, field: &str, before: bool) -> Option<Vec<Option<String>>> {
    let change = entry.changes.iter().find(|change| change.field == field)?;
    let value = if before { &change.before } else { &change.after };
    let text = |value: &FieldValue| match value {
        FieldValue::Empty => None,
        FieldValue::Text(text) => Some(text.clone()),
        FieldValue::Id(id) => Some(id.to_string()),
        FieldValue::Integer(number) => Some(number.to_string()),
        other => panic!("a pipeline has no such value: {other:?}"),
    };
    Some(value.items().iter().map(text).collect())
}

/// The pipeline with the values of one side of an entry; what the entry does not name stays.
fn image(entry: &Entry, pipeline: &Pipeline, before: bool) -> Pipeline {
    let mut image = pipeline.clone();
    if let Some(name) = side(entry, "name", before) {
        image.name = name[0].clone().unwrap();
    }
    if let Some(ids) = side(entry, "stage_ids", before) {
        let list = |field: &str| side(entry, field, before).unwrap();
        let (names, kinds, chances) = (list("stages"), list("stage_kinds"), list("stage_probabilities"));
        image.stages = (0..ids.len())
            .map(|n| {
                let id = StageId::from_uuid(ids[n].clone().unwrap().parse().unwrap());
                let kind = StageKind::from_code(kinds[n].as_deref().unwrap()).unwrap();
                let mut stage = Stage::new(id, names[n].as_deref().unwrap(), kind);
                stage.probability = chances[n].as_ref().map(|chance| chance.parse().unwrap());
                stage
            })
            .collect();
    }
    image
}

/// Name, order, kind and probability of every stage, before and after.
pub fn a_pipeline_is_written_back_from_its_journal(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let mut stages: Vec<_> = [("New", StageKind::Open), ("Talks", StageKind::Open), ("Won", StageKind::Won)]
        .map(|(name, kind)| pipelines::new_stage(&ctx, name, kind))
        .into();
    stages[1].probability = Some(40);
    let first = run(store, &scene, |txn| pipelines::add(&ctx, txn, "Sales", stages.clone()));
    let created = newest(store, &scene, first.id, 1).remove(0);
    assert_eq!(created.action, Action::Created);
    let nothing = Pipeline { name: String::new(), stages: Vec::new(), ..first.clone() };
    assert_eq!(image(&created, &nothing, false), first, "the first entry holds all of it");

    let mut wanted = first.clone();
    wanted.stages.swap(0, 1);
    wanted.stages[0].probability = Some(60);
    wanted.stages[2].kind = StageKind::Lost;
    wanted.stages.push(pipelines::new_stage(&ctx, "Later", StageKind::OnHold));
    let second = run(store, &scene, |txn| pipelines::update(&ctx, txn, wanted.clone()));
    let entry = newest(store, &scene, first.id, 1).remove(0);
    let back = Pipeline { revision: first.revision, ..image(&entry, &second, true) };
    assert_eq!(back, first, "order, kinds and probabilities come back from the entry");
    assert_eq!(image(&entry, &first, false).stages, second.stages, "and so does what was written");

    let named = Pipeline { name: "Deals".to_owned(), ..second.clone() };
    run(store, &scene, |txn| pipelines::update(&ctx, txn, named.clone()));
    let entry = newest(store, &scene, first.id, 1).remove(0);
    let fields: Vec<_> = entry.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["name"], "what stayed is not told");
}

fn person(store: &dyn Store, scene: &Scene, lead: LeadId, name: &str, primary: bool) -> ContactId {
    let fields = ContactFields::named(name).unwrap();
    run(store, scene, |txn| contacts::add(&scene.ctx(), txn, lead, fields.clone(), primary)).id
}

/// Who was primary before, and as what a removed person was linked.
pub fn a_primary_contact_that_is_replaced_or_removed_is_in_the_journal(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let company = LeadFields::company("Nordlys AS").unwrap();
    let lead = run(store, &scene, |txn| leads::create(&ctx, txn, company.clone().into())).id;
    let kari = person(store, &scene, lead, "Kari", false);
    let ola = person(store, &scene, lead, "Ola", true);
    let texts = |id: ContactId| Some(vec![Some(id.to_string())]);
    let entries = newest(store, &scene, lead, 2);
    let replaced = entries.iter().find(|entry| entry.action == Action::Updated).expect("Kari lost her place");
    assert_eq!(side(replaced, "primary_contact", true), texts(kari), "who was primary before");
    assert_eq!(side(replaced, "primary_contact", false), texts(ola), "and who is now");
    for (id, role) in [(ola, LinkRole::PrimaryContact), (kari, LinkRole::Contact)] {
        run(store, &scene, |txn| contacts::remove(&ctx, txn, lead, id));
        let entry = newest(store, &scene, lead, 1).remove(0);
        assert_eq!((entry.action, entry.other), (Action::Unlinked, Some(id.into())), "who was removed");
        let was = Some(vec![Some(role.code().to_owned())]);
        assert_eq!(side(&entry, "role", true), was, "and as what");
    }
    let edited = run(store, &scene, |txn| leads::edit(&ctx, txn, lead, Expect::Any, &Default::default()));
    assert_eq!(edited.id, lead, "the lead itself was not written");
}

/// By the time of their creation, whatever their ids.
pub fn persons_are_listed_in_the_order_in_which_they_were_added(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let company = LeadFields::company("Nordlys AS").unwrap();
    let lead = run(store, &scene, |txn| leads::create(&ctx, txn, company.clone().into())).id;
    let mut ids: Vec<_> = (0..4).map(|_| ContactId::from_uuid(scene.uuid())).collect();
    // Two of one time, by id; the others against the order of their ids.
    ids.swap(0, 3);
    for (n, id) in ids.iter().enumerate() {
        let now = if n == 2 { scene.clock_now() } else { scene.tick() };
        let fields = ContactFields::named("Person").unwrap();
        let contact =
            Contact { id: *id, revision: Revision::FIRST, fields, created_at: now, updated_at: now };
        run(store, &scene, |txn| {
            txn.contacts().insert(std::slice::from_ref(&contact))?;
            txn.links().insert(&[Link::new(lead, LinkRole::Contact, *id)])
        });
    }
    let found = run(store, &scene, |txn| contacts::of_lead(&ctx, txn, lead));
    let found: Vec<_> = found.iter().map(|person| person.contact.id).collect();
    assert_eq!(found, ids, "in the order in which they were added");
}
