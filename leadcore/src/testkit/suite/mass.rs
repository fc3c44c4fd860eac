//! Changes to many leads at once, and taking them back.

use crate::desk::mass::{self, Change, RecordOutcome, Selection};
use crate::desk::undo::{self, UndoFailure};
use crate::desk::{Expect, contacts, leads, vocabulary};
use crate::domain::{
    ContactFields, Emails, Field, Lead, LeadFields, LeadPatch, Move, Outcome, ReachKind, Reachable,
    StageKind, Topics, WhyKept,
};
use crate::error::{Conflict, ErrorKind, Result};
use crate::id::{LabelId, LeadId, LostReasonId, OperationId, Revision};
use crate::policy::{Policy, Scope};
use crate::query::Filter;
use crate::store::{Store, StoreExt, Txn};
use crate::value::{Email, PersonName};

use super::super::fixtures::Scene;
use super::assert_kind;

fn run<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a use case that breaks no rule must succeed")
}

fn company(name: &str) -> LeadFields {
    LeadFields::company(name).unwrap()
}

fn furnish(store: &dyn Store, scene: &Scene, names: &[&str]) -> Vec<LeadId> {
    let drafts: Vec<_> = names.iter().map(|name| company(name).into()).collect();
    let made = run(store, scene, |txn| leads::create_many(&scene.ctx(), txn, drafts.clone()));
    made.into_iter().map(|lead| lead.id).collect()
}

fn get(store: &dyn Store, scene: &Scene, id: LeadId) -> Lead {
    run(store, scene, |txn| leads::get(&scene.ctx(), txn, id))
}

/// The lead without what every write changes.
fn still(mut lead: Lead) -> Lead {
    lead.revision = Revision::FIRST;
    lead.updated_at = lead.created_at;
    lead
}

/// Done, unchanged, stale, converted, gone, in the trash, against the rules: each lead is answered once.
pub fn a_mass_change_answers_for_each_lead(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let ids = furnish(store, &scene, &["Plain", "Owned", "Stale", "Frozen", "Trashed"]);
    let [plain, owned, stale, frozen, trashed] = ids[..] else { panic!("five leads") };
    run(store, &scene, |txn| {
        let bob = LeadPatch::new().set(Field::Owner, "bob");
        leads::edit(&ctx, txn, owned, Expect::Any, &bob)?;
        leads::edit(&ctx, txn, stale, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo"))?;
        crate::desk::convert::convert(&ctx, txn, frozen, &Default::default())?;
        leads::delete(&ctx, txn, trashed, Expect::Any)
    });
    let unknown = LeadId::from_uuid(scene.uuid());
    let first = Revision::FIRST;
    let asked = [plain, unknown, plain, owned, stale, frozen, trashed].map(|id| {
        let revision = if id == owned { Revision::new(2) } else { first };
        (id, revision)
    });
    let bob = Change::Transfer(Some("bob".parse().unwrap()));
    let selection = Selection::Revisions(asked.to_vec());
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &selection, &bob));
    let said: Vec<_> = done.results.iter().map(|result| (result.lead, result.outcome.clone())).collect();
    let conflict = Conflict::StaleRevision { expected: first, found: Revision::new(2) };
    let expected = [
        (plain, RecordOutcome::Done),
        (unknown, RecordOutcome::NotFound),
        (owned, RecordOutcome::Unchanged),
        (stale, RecordOutcome::Conflict(conflict)),
        (frozen, RecordOutcome::Conflict(Conflict::Converted)),
        (trashed, RecordOutcome::NotFound),
    ];
    assert_eq!(said, expected, "in the order asked, each once");
    let totals = done.totals;
    let sums = [totals.done, totals.unchanged, totals.conflict, totals.not_found, totals.forbidden];
    assert_eq!(sums, [1, 1, 2, 2, 0], "and the sums");
    assert_eq!(get(store, &scene, plain).fields.owner.unwrap().as_str(), "bob", "what was said was done");

    let bad = Change::Edit(LeadPatch::new().set(Field::Email, "nobody").clear(Field::Company));
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &Selection::Ids(vec![plain]), &bad));
    let RecordOutcome::Invalid(broken) = &done.results[0].outcome else { panic!("{:?}", done.results) };
    assert_eq!((broken[0].field.as_str(), done.operation), ("email", None), "nothing was written");
    let nowhere = Change::Move(Move::from(crate::id::StageId::from_uuid(scene.uuid())));
    let refused =
        store.write(&scene.tenant, |txn| mass::run(&ctx, txn, &Selection::Ids(vec![plain]), &nowhere));
    assert_kind(&refused.expect_err("no lead fits"), ErrorKind::Invalid, "a change that fits no lead");
}

/// A filter that the change itself empties passes over none; a count that is another refuses.
pub fn a_mass_change_by_filter_reaches_every_match_once(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let names: Vec<_> = (0..2_300).map(|n| format!("Lead {n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    furnish(store, &scene, &names);
    let adas = || Filter::eq(Field::Owner, "ada");
    let bob = Change::Transfer(Some("bob".parse().unwrap()));
    let selection = Selection::exactly(2_299, adas());
    let refused = store.write(&scene.tenant, |txn| mass::run(&ctx, txn, &selection, &bob));
    let error = refused.expect_err("there is one more than the caller saw");
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated), "{error}");
    let selection = Selection::exactly(2_300, adas());
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &selection, &bob));
    assert_eq!(done.totals.done, 2_300, "the filter matches none of them any more, and none was passed over");
    let left = run(store, &scene, |txn| leads::count(&ctx, txn, &adas()));
    assert_eq!(left, 0, "all of them have another owner");
    let gone = run(store, &scene, |txn| {
        mass::run(&ctx, txn, &Selection::filter(Filter::everything()), &Change::Delete)
    });
    let back = run(store, &scene, |txn| {
        mass::run(&ctx, txn, &Selection::exactly(2_300, Filter::everything()), &Change::Restore)
    });
    assert_eq!((gone.totals.done, back.totals.done), (2_300, 2_300), "into the trash and out of it");
    let done = run(store, &scene, |txn| undo::undo(&ctx, txn, gone.operation.unwrap()));
    assert_eq!(done.totals.kept, 2_300, "they are out of the trash already");
}

/// Every kind of change in one operation each, and back: the leads are as they were.
pub fn a_mass_change_is_taken_back_exactly(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let label = run(store, &scene, |txn| vocabulary::add::<LabelId>(&ctx, txn, "Hot", Some("#ff0000"))).id;
    let reasons = run(store, &scene, |txn| vocabulary::list_or_default::<LostReasonId>(&ctx, txn));
    let mut fields = company("Nordlys AS");
    fields.person = Some(
        PersonName::from_stored("K. Berg Jr.", None, Some("Kari Anne"), Some("Berg"), Some("Jr.")).unwrap(),
    );
    fields.emails = Emails::none();
    let mail = Reachable::of_kind(Email::parse("k@nordlys.example").unwrap(), ReachKind::Work);
    fields.emails.push(mail).unwrap();
    fields.phones =
        crate::domain::Phones::parse("22 22 55 55", crate::value::Country::parse("NO").ok()).unwrap();
    fields.amount = Some("1250.5000".parse().unwrap());
    let rich = run(store, &scene, |txn| leads::create(&ctx, txn, fields.clone().into())).id;
    let ids = [furnish(store, &scene, &["Fjord AS", "Dal AS"]), vec![rich]].concat();
    let lost = run(store, &scene, |txn| {
        let stages = txn.pipelines().list()?.remove(0).stages;
        Ok(stages.into_iter().find(|stage| stage.kind == StageKind::Lost).unwrap().id)
    });
    let patch = LeadPatch::new()
        .set(Field::Name, "Ola Dal")
        .set(Field::Email, "ola@dal.example")
        .set(Field::Phone, "+46 8 123 456 78")
        .set(Field::City, "Tromsø")
        .clear(Field::Amount);
    let step = Move::from(lost).because(reasons[3].id, Some("gone abroad"));
    let changes = [
        Change::Transfer(None),
        Change::AddLabels(vec![label]),
        Change::Edit(patch),
        Change::Move(step),
        Change::RemoveLabels(vec![label]),
        Change::Delete,
        Change::Restore,
    ];
    let state = || ids.iter().map(|id| still(get(store, &scene, *id))).collect::<Vec<_>>();
    let mut states = vec![state()];
    let mut operations: Vec<OperationId> = Vec::new();
    for change in &changes {
        scene.tick();
        let done = run(store, &scene, |txn| mass::run(&ctx, txn, &Selection::Ids(ids.clone()), change));
        assert_eq!(done.totals.done, 3, "{change:?}: {:?}", done.results);
        operations.extend(done.operation);
        states.push(state());
    }
    let closing = states[4][2].closing.clone().expect("a lost lead says how it ended");
    assert_eq!((closing.outcome, closing.reason), (Outcome::Lost, Some(reasons[3].id.as_uuid())));
    for (operation, wanted) in operations.iter().zip(&states).rev() {
        scene.tick();
        let plan = run(store, &scene, |txn| undo::plan(&ctx, txn, *operation));
        let done = run(store, &scene, |txn| undo::apply(&ctx, txn, &plan));
        assert_eq!((done.totals, done.totals.reversed), (plan.totals, 3), "{:?}", done.remaining);
        assert_eq!(state(), *wanted, "the leads are as they were before");
        let again = run(store, &scene, |txn| undo::undo(&ctx, txn, *operation));
        assert!(!again.newly_undone && again.operation == done.operation, "undone once");
        // There and back again: an undo is an operation like others.
        let redo = run(store, &scene, |txn| undo::undo(&ctx, txn, done.operation));
        let back = run(store, &scene, |txn| undo::undo(&ctx, txn, redo.operation));
        assert_eq!((redo.totals.reversed, back.totals.reversed), (3, 3), "{:?}", redo.remaining);
        assert_eq!(state(), *wanted, "and so they are after an undo of the undo of the undo");
    }
}

/// What was edited since stays, and the undo says so; what was created goes unless somebody else touched it.
pub fn an_undo_keeps_what_was_edited_since(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let everyone = crate::policy::AllowAll;
    let bob = scene.ctx_as("bob", &everyone);
    let ids = furnish(store, &scene, &["Both", "City", "None"]);
    let patch = LeadPatch::new().set(Field::City, "Oslo").set(Field::Industry, "Energy");
    let edited = run(store, &scene, |txn| {
        mass::run(&ctx, txn, &Selection::Ids(ids.clone()), &Change::Edit(patch.clone()))
    });
    run(store, &scene, |txn| {
        let city = LeadPatch::new().set(Field::City, "Bergen");
        leads::edit(&ctx, txn, ids[0], Expect::Any, &city.clone().set(Field::Industry, "Fish"))?;
        leads::edit(&bob, txn, ids[1], Expect::Any, &city)
    });
    let plan = run(store, &scene, |txn| undo::plan(&ctx, txn, edited.operation.unwrap()));
    let totals = (plan.totals.kept, plan.totals.partly, plan.totals.reversed);
    assert_eq!(totals, (1, 1, 1), "{:?}", plan.records);
    let json = serde_json::to_string(&plan).unwrap();
    let plan = serde_json::from_str(&json).unwrap();
    let done = run(store, &scene, |txn| undo::apply(&ctx, txn, &plan));
    let partly = done.remaining.iter().find(|record| record.subject == ids[1].into()).unwrap();
    let kept: Vec<_> = partly.kept.iter().map(|kept| (kept.field.as_str(), kept.why)).collect();
    assert_eq!(
        (partly.reversed.as_slice(), kept.as_slice()),
        (&["industry".to_owned()][..], &[("city", WhyKept::Edited)][..])
    );
    let shown = |id| {
        let fields = get(store, &scene, id).fields;
        (fields.address.city().map(str::to_owned), fields.industry)
    };
    assert_eq!(shown(ids[0]), (Some("Bergen".to_owned()), Some("Fish".to_owned())), "kept");
    assert_eq!(shown(ids[1]), (Some("Bergen".to_owned()), None), "half of it");
    assert_eq!(shown(ids[2]), (None, None), "taken back");

    let created =
        run(store, &scene, |txn| Ok(txn.journal().about(&[ids[0].into()], Topics::NONE, None, 100)?.pop()));
    let created = created.expect("its first entry").operation;
    let done = run(store, &scene, |txn| undo::undo(&ctx, txn, created));
    assert_eq!((done.totals.reversed, done.totals.kept), (1, 2), "{:?}", done.remaining);
    assert!(get(store, &scene, ids[0]).trashed.is_none(), "who created it edited it since");
    assert!(get(store, &scene, ids[1]).trashed.is_none(), "somebody else edited it since");
    assert!(get(store, &scene, ids[2]).trashed.is_some(), "its edit was taken back");
}

/// A policy of one permission for `eve`.
#[derive(Debug)]
struct SeesAll;

impl Policy for SeesAll {
    fn scope(&self, _: &crate::domain::Actor, permission: crate::policy::Permission) -> Scope {
        match permission {
            crate::policy::Permission::View => Scope::All,
            crate::policy::Permission::Edit => Scope::Where(Filter::eq(Field::City, "Oslo")),
            _ => Scope::None,
        }
    }

    fn is_hidden(&self, _: &crate::domain::Actor, _: &Field) -> bool {
        false
    }

    fn may_own(&self, _: &crate::domain::Actor, _: &crate::id::UserId) -> bool {
        true
    }
}

/// Whoever may not write a lead neither changes it among many nor takes a change of it back.
pub fn a_mass_change_asks_the_policy_for_each_lead(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let ids = furnish(store, &scene, &["Mine", "Theirs"]);
    let oslo = LeadPatch::new().set(Field::City, "Oslo");
    run(store, &scene, |txn| leads::edit(&ctx, txn, ids[0], Expect::Any, &oslo));
    let both = Selection::Ids(ids.clone());
    let change = Change::Edit(LeadPatch::new().set(Field::Industry, "Energy"));
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &both, &change));
    let eve = scene.ctx_as("eve", &SeesAll);
    let undone = run(store, &scene, |txn| undo::undo(&eve, txn, done.operation.unwrap()));
    assert_eq!((undone.totals.reversed, undone.totals.failed), (1, 1), "{:?}", undone.remaining);
    assert_eq!(undone.remaining[0].failed, Some(UndoFailure::Forbidden));
    assert_eq!(get(store, &scene, ids[1]).fields.industry.as_deref(), Some("Energy"));
    let done = run(store, &scene, |txn| mass::run(&eve, txn, &both, &change));
    assert_eq!((done.totals.done, done.totals.forbidden), (1, 1), "{:?}", done.results);
    let refused = store.write(&scene.tenant, |txn| mass::run(&eve, txn, &both, &Change::Delete));
    assert_kind(&refused.expect_err("on no lead at all"), ErrorKind::Denied, "no permission");
}

/// Read marks of one user, told by nobody's journal.
pub fn a_mass_read_mark_is_the_users_own(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let ids = furnish(store, &scene, &["One", "Two"]);
    let unread = || Filter::Is(crate::query::Circumstance::Unread);
    let count = || run(store, &scene, |txn| leads::count(&ctx, txn, &unread()));
    assert_eq!(count(), 2, "new leads are unread");
    let read = Change::MarkRead(true);
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &Selection::filter(unread()), &read));
    assert_eq!((done.totals.done, done.operation, count()), (2, None, 0), "read, and no operation");
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &Selection::Ids(ids.clone()), &read));
    assert_eq!(done.totals.unchanged, 2, "they were read already");
    assert_eq!(get(store, &scene, ids[0]).revision, Revision::FIRST, "the lead was not written");
}

/// Persons that were linked, taken off and made primary.
pub fn an_undo_takes_back_what_happened_to_persons(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = furnish(store, &scene, &["Nordlys AS"])[0];
    let person = |name: &str| {
        scene.tick();
        let fields = ContactFields::named(name).unwrap();
        run(store, &scene, |txn| contacts::add(&ctx, txn, lead, fields.clone(), false)).id
    };
    let (kari, ola) = (person("Kari Berg"), person("Ola Dal"));
    let names = || -> Vec<(String, bool)> {
        let known = run(store, &scene, |txn| contacts::of_lead(&ctx, txn, lead));
        let name = |fields: &ContactFields| fields.display_name().unwrap().to_owned();
        known.iter().map(|known| (name(&known.contact.fields), known.is_primary)).collect()
    };
    let last = || {
        let entries = run(store, &scene, |txn| txn.journal().replay(None, None, 1_000));
        entries.last().expect("an entry").operation
    };
    let both = [("Kari Berg".to_owned(), true), ("Ola Dal".to_owned(), false)];
    assert_eq!(names(), both);
    run(store, &scene, |txn| contacts::make_primary(&ctx, txn, lead, ola));
    let operation = last();
    let done = run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!((done.totals.reversed, names()), (1, both.to_vec()), "who was primary is so again");
    run(store, &scene, |txn| contacts::remove(&ctx, txn, lead, ola));
    assert_eq!(names().len(), 1);
    let operation = last();
    let done = run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!((done.totals.reversed, names()), (1, both.to_vec()), "whom it lost is there again");
    let renamed = ContactFields::named("Kari Anne Berg").unwrap();
    run(store, &scene, |txn| contacts::edit(&ctx, txn, lead, kari, Expect::Any, renamed.clone()));
    let operation = last();
    let done = run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!((done.totals.reversed, names()), (1, both.to_vec()), "and has the name that it had");
    person("Per Vik");
    let operation = last();
    let done = run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!((done.totals.reversed, names()), (2, both.to_vec()), "a person that was added is gone");
    let redo = run(store, &scene, |txn| undo::undo(&ctx, txn, done.operation));
    assert_eq!((redo.totals.reversed, names().len()), (1, 3), "and back: {:?}", redo.remaining);
}
