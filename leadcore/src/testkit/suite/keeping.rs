//! What a tenant keeps in order: trash, copies, vocabularies, numbers, functions.

use crate::desk::functions::Functions;
use crate::desk::leads::LeadAction;
use crate::desk::mass::{self, Change, Selection};
use crate::desk::purge::{self, Blocked, PurgeRequest};
use crate::desk::vocabulary::{self, InUse};
use crate::desk::{Expect, activities, contacts, convert, leads, settings, timeline, undo};
use crate::domain::{
    Action, ActivityFields, ContactFields, Field, Lead, LeadFields, LeadPatch, MatchKey, MatchKind, Move,
    Numbering, StageKind, Topics,
};
use crate::error::{Conflict, ErrorKind, Result};
use crate::id::{ContactId, LabelId, LeadId, LostReasonId, SourceId};
use crate::query::{Filter, LeadQuery};
use crate::store::{Store, StoreExt, Txn};

use super::super::dump;
use super::super::fixtures::{Scene, World};
use super::assert_kind;

fn run<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a use case that breaks no rule must succeed")
}

fn make(store: &dyn Store, scene: &Scene, fields: &LeadFields) -> Lead {
    scene.tick();
    run(store, scene, |txn| leads::create(&scene.ctx(), txn, fields.clone().into()))
}

fn company(name: &str) -> LeadFields {
    LeadFields::company(name).unwrap()
}

fn add_person(store: &dyn Store, scene: &Scene, lead: LeadId, name: &str) -> ContactId {
    let fields = ContactFields::named(name).unwrap();
    run(store, scene, |txn| contacts::add(&scene.ctx(), txn, lead, fields.clone(), false)).id
}

/// Contacts are removed for good, and one that is not there is passed over.
pub fn removed_contacts_are_gone(store: &dyn Store) {
    let world = World::install(store);
    let (gone, stays) = (world.contact("Gone"), world.contact("Stays"));
    world.write(store, |txn| txn.contacts().insert(&[gone.clone(), stays.clone()]));
    world.write(store, |txn| txn.contacts().remove(&[gone.id, ContactId::from_uuid(world.scene.uuid())]));
    let found = world.read(store, |txn| txn.contacts().get(&[gone.id, stays.id]));
    assert_eq!(found, [stays], "the one that was named and no other");
}

/// In the trash nothing finds a lead; taken out, everything is there again.
pub fn a_lead_comes_back_from_the_trash_with_all_it_had(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let mut fields = company("Nordlys AS");
    fields.emails = "post@nordlys.example".parse().unwrap();
    let lead = make(store, &scene, &fields).id;
    let kari = add_person(store, &scene, lead, "Kari Berg");
    let ola = add_person(store, &scene, lead, "Ola Dal");
    run(store, &scene, |txn| contacts::make_primary(&ctx, txn, lead, ola));
    let persons = || run(store, &scene, |txn| contacts::of_lead(&ctx, txn, lead));
    let key = MatchKey::new(MatchKind::Email, "post@nordlys.example");
    let duplicates = || run(store, &scene, |txn| txn.leads().find(std::slice::from_ref(&key)));
    let with_contact = Filter::Has(crate::domain::LinkRole::PrimaryContact);
    let linked = || run(store, &scene, |txn| leads::count(&ctx, txn, &with_contact));
    let (before, found) = (persons(), (duplicates(), linked()));
    assert_eq!((found.0.len(), found.1, before.len()), (1, 1, 2));
    scene.tick();
    run(store, &scene, |txn| leads::delete(&ctx, txn, lead, Expect::Any));
    assert_eq!((duplicates().len(), linked()), (0, 0), "no duplicate check and no filter finds it");
    let page = run(store, &scene, |txn| leads::list(&ctx, txn, &LeadQuery::new(Filter::search("nordlys"))));
    assert_eq!(page.items.len(), 0, "no search finds it");
    for who in [kari, ola] {
        let fields = ContactFields::named("Other").unwrap();
        let edit = store
            .write(&scene.tenant, |txn| contacts::edit(&ctx, txn, lead, who, Expect::Any, fields.clone()));
        assert_kind(&edit.expect_err("trashed"), ErrorKind::NotFound, "a person of a lead in the trash");
    }
    scene.tick();
    run(store, &scene, |txn| leads::restore(&ctx, txn, lead));
    assert_eq!((duplicates(), linked()), found, "it is found as before");
    assert_eq!(persons(), before, "with the same persons, and the same of them is primary");
}

/// Dead leads go for good, with the persons that nobody else has; converted ones stay.
pub fn a_purge_removes_what_it_planned_and_nothing_else(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let [old, fresh, live, won] =
        ["Old", "Fresh", "Live", "Won"].map(|name| make(store, &scene, &company(name)).id);
    let own = add_person(store, &scene, old, "Own");
    let shared = add_person(store, &scene, old, "Shared");
    run(store, &scene, |txn| {
        let link = crate::domain::Link::new(live, crate::domain::LinkRole::Contact, shared);
        txn.links().insert(&[link])?;
        convert::convert(&ctx, txn, won, &Default::default())?;
        leads::delete(&ctx, txn, old, Expect::Any)
    });
    scene.clock.advance(chrono::TimeDelta::days(40));
    run(store, &scene, |txn| leads::delete(&ctx, txn, fresh, Expect::Any));
    let request = PurgeRequest::trash(Filter::everything()).older_than_days(30);
    let plan = run(store, &scene, |txn| purge::plan(&ctx, txn, &request));
    assert_eq!((plan.trashed, plan.live, plan.contacts, plan.blocked), (1, 0, 1, 0), "{plan:?}");
    let all = PurgeRequest::everywhere(Filter::everything());
    let wide = run(store, &scene, |txn| purge::plan(&ctx, txn, &all));
    assert_eq!((wide.trashed, wide.live, wide.blocked), (2, 1, 1), "{wide:?}");
    assert_eq!((wide.blockers[0].lead, wide.blockers[0].why), (won, Blocked::Converted));

    let numbers = run(store, &scene, |txn| txn.numbers().peek(crate::store::Series::Lead.into()));
    let done = run(store, &scene, |txn| purge::apply(&ctx, txn, &plan));
    assert_eq!((done.leads, done.contacts), (1, 1));
    let there = run(store, &scene, |txn| {
        let leads = txn.leads().get(&[old, fresh, live, won])?.len();
        let persons = txn.contacts().get(&[own, shared])?;
        let links = txn.links().from(&[old.into()], None)?.len();
        Ok((leads, persons.into_iter().map(|person| person.id).collect::<Vec<_>>(), links))
    });
    assert_eq!(there, (3, vec![shared], 0), "the lead, its own person and its links are gone");
    let entry =
        run(store, &scene, |txn| Ok(txn.journal().about(&[old.into()], Topics::NONE, None, 1)?.remove(0)));
    let told: Vec<_> = entry.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((entry.action, told), (Action::Purged, vec!["number"]), "its entry tells the number alone");
    let next = make(store, &scene, &company("Next"));
    assert_eq!(next.number, numbers, "its number is not given again");
    let again = store.write(&scene.tenant, |txn| purge::apply(&ctx, txn, &plan));
    let error = again.expect_err("the plan was carried out");
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    let back = store.write(&scene.tenant, |txn| undo::undo(&ctx, txn, done.operation));
    assert_kind(&back.expect_err("gone for good"), ErrorKind::Unsupported, "a purge is not undone");
}

/// Fields, stage, persons: what a copy has and what it has not.
pub fn a_copy_has_a_life_of_its_own(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let source = run(store, &scene, |txn| vocabulary::add::<SourceId>(&ctx, txn, "Fair", None)).id;
    let mut fields = company("Nordlys AS");
    fields.external_ids = [crate::domain::ExternalRef::parse("crm:7").unwrap()].into();
    fields.source = Some(source);
    fields.industry = Some("Energy".to_owned());
    let lead = make(store, &scene, &fields);
    add_person(store, &scene, lead.id, "Kari Berg");
    run(store, &scene, |txn| convert::convert(&ctx, txn, lead.id, &Default::default()));
    run(store, &scene, |txn| vocabulary::archive(&ctx, txn, source, Expect::Any, true));
    let copy = run(store, &scene, |txn| leads::clone_lead(&ctx, txn, lead.id));
    assert_eq!((copy.number, copy.conversion.is_none(), copy.stage), (2, true, lead.stage));
    assert_eq!(copy.fields.industry.as_deref(), Some("Energy"), "what it says");
    assert_eq!((copy.fields.external_ids.len(), copy.fields.source), (0, None), "not who it is elsewhere");
    let persons = |id| run(store, &scene, |txn| contacts::of_lead(&ctx, txn, id));
    assert_eq!(persons(copy.id), persons(lead.id), "the same persons");
    let told = run(store, &scene, |txn| timeline::of_lead(&ctx, txn, copy.id, None, 10));
    let made = told.items.iter().find(|item| item.entry.subject == copy.id.into());
    let first = told.items.iter().rfind(|item| item.entry.subject == copy.id.into());
    assert!(made.is_some_and(|item| item.entry.action == Action::Linked), "its persons");
    let first = first.expect("its first entry");
    assert_eq!((first.entry.action, first.entry.other), (Action::Created, Some(lead.id.into())));
}

/// Order, colour, archive, reasons in words; each with a journal that gives it back.
pub fn a_vocabulary_is_kept_in_order(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let [a, b, c] = ["Fair", "Web", "Ads"]
        .map(|name| run(store, &scene, |txn| vocabulary::add::<SourceId>(&ctx, txn, name, None)).id);
    let names = || -> Vec<String> {
        let list = run(store, &scene, |txn| vocabulary::list::<SourceId>(&ctx, txn));
        list.into_iter().map(|term| term.name).collect()
    };
    run(store, &scene, |txn| vocabulary::reorder(&ctx, txn, &[c, a, b]));
    assert_eq!(names(), ["Ads", "Fair", "Web"]);
    let last = || {
        let entries = run(store, &scene, |txn| txn.journal().replay(None, None, 1_000));
        entries.last().expect("an entry").operation
    };
    let operation = last();
    run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!(names(), ["Fair", "Web", "Ads"], "and back");
    for (order, kind) in [(vec![a, b], ErrorKind::Conflict), (vec![a, b, c, a], ErrorKind::Invalid)] {
        let refused = store.write(&scene.tenant, |txn| vocabulary::reorder(&ctx, txn, &order));
        assert_kind(&refused.expect_err("not the whole list once"), kind, "an order names all");
    }
    let mut fields = company("Nordlys AS");
    fields.source = Some(a);
    let lead = make(store, &scene, &fields);
    let term = run(store, &scene, |txn| vocabulary::archive(&ctx, txn, a, Expect::Any, true));
    assert!(term.archived);
    let other = make(store, &scene, &company("Other"));
    let choose = LeadPatch::new().set(Field::Source, a.as_uuid());
    let refused = store.write(&scene.tenant, |txn| leads::edit(&ctx, txn, other.id, Expect::Any, &choose));
    assert_eq!(refused.expect_err("archived").violations()[0].field, "source");
    let refused = store.write(&scene.tenant, |txn| leads::create(&ctx, txn, fields.clone().into()));
    assert_eq!(refused.expect_err("archived").violations()[0].field, "source");
    let both = Selection::Ids(vec![lead.id, other.id]);
    let change = Change::Edit(choose.set(Field::City, "Oslo"));
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &both, &change));
    assert_eq!((done.totals.done, done.totals.invalid), (1, 1), "who has it keeps it: {:?}", done.results);
    let filter = Filter::eq(Field::Source, a.as_uuid());
    assert_eq!(run(store, &scene, |txn| leads::count(&ctx, txn, &filter)), 1, "filters find it");
    run(store, &scene, |txn| leads::delete(&ctx, txn, lead.id, Expect::Any));
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, a, InUse::Reassign(b)));
    let moved = run(store, &scene, |txn| leads::get(&ctx, txn, lead.id));
    assert_eq!(moved.fields.source, Some(b), "also in the trash");
    let operation = last();
    let back = run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    let lead = run(store, &scene, |txn| leads::get(&ctx, txn, lead.id));
    assert_eq!((back.totals.reversed, lead.fields.source), (2, Some(a)), "{:?}", back.remaining);
    let list = run(store, &scene, |txn| vocabulary::list::<SourceId>(&ctx, txn));
    assert!(list.iter().any(|term| term.id == a && term.archived && term.name == "Fair"), "{list:?}");
    let red = run(store, &scene, |txn| vocabulary::add::<LabelId>(&ctx, txn, "Hot", Some("#ff0000")));
    let blue =
        run(store, &scene, |txn| vocabulary::recolor(&ctx, txn, red.id, red.revision, Some("#0000FF")));
    assert_eq!(blue.color.as_deref(), Some("#0000ff"));
    let refused =
        store.write(&scene.tenant, |txn| vocabulary::recolor(&ctx, txn, red.id, blue.revision, Some("red")));
    assert_kind(&refused.expect_err("no colour"), ErrorKind::Invalid, "a colour is #rrggbb");
}

/// The reasons a tenant starts with; one that must be said in words; one that is deleted under lost leads.
pub fn reasons_are_a_vocabulary_of_their_own(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, &company("Nordlys AS"));
    let reasons = run(store, &scene, |txn| vocabulary::list_or_default::<LostReasonId>(&ctx, txn));
    let names: Vec<_> = reasons.iter().map(|term| (term.name.as_str(), term.needs_detail)).collect();
    assert_eq!(names, [("Price", false), ("Competitor", false), ("No need", false), ("Other", true)]);
    let again = run(store, &scene, |txn| vocabulary::list_or_default::<LostReasonId>(&ctx, txn));
    assert_eq!(again, reasons, "made once");
    let lost = run(store, &scene, |txn| {
        let stages = txn.pipelines().list()?.remove(0).stages;
        Ok(stages.into_iter().find(|stage| stage.kind == StageKind::Lost).unwrap().id)
    });
    let lose = |step: Move| {
        store.write(&scene.tenant, |txn| {
            mass::run(&ctx, txn, &Selection::Ids(vec![lead.id]), &Change::Move(step.clone()))
        })
    };
    let silent = lose(Move::from(lost).because(reasons[3].id, None)).expect_err("in words");
    assert_eq!(silent.violations()[0].field, "reason_detail");
    run(store, &scene, |txn| vocabulary::ask_for_detail(&ctx, txn, reasons[0].id, Expect::Any, true));
    lose(Move::from(lost).because(reasons[0].id, None)).expect_err("this one too now");
    lose(Move::from(lost).because(reasons[1].id, None)).expect("a reason that needs no words");
    let refused =
        store.write(&scene.tenant, |txn| vocabulary::delete(&ctx, txn, reasons[1].id, InUse::Refuse));
    assert_eq!(refused.expect_err("in use").conflict(), Some(&Conflict::InUse { by: 1 }));
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, reasons[1].id, InUse::Reassign(reasons[2].id)));
    let reason = || {
        let lead = run(store, &scene, |txn| leads::get(&ctx, txn, lead.id));
        lead.closing.expect("lost").reason
    };
    assert_eq!(reason(), Some(reasons[2].id.as_uuid()), "the lead has the other reason");
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, reasons[2].id, InUse::Clear));
    assert_eq!(reason(), None, "and then none");
}

/// Text, prefix and zeros; a start ahead, never back.
pub fn lead_numbers_are_written_as_the_tenant_says(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let first = make(store, &scene, &company("First"));
    let numbering = Numbering { prefix: "L-".to_owned(), width: 5, start: 100 };
    let revision = run(store, &scene, |txn| settings::set_numbering(&ctx, txn, None, &numbering));
    let second = make(store, &scene, &company("Second"));
    let read = run(store, &scene, |txn| settings::numbering(&ctx, txn)).1;
    assert_eq!((read.format(first.number), read.format(second.number)), ("L-00001".into(), "L-00100".into()));
    for text in ["L-00100", "l-100", "100", " 00100 "] {
        let found = run(store, &scene, |txn| leads::by_number(&ctx, txn, text));
        assert_eq!(found.id, second.id, "{text}");
    }
    for text in ["K-100", "L-", "", "L-0x64", "99999999999999999999"] {
        let none = store.write(&scene.tenant, |txn| leads::by_number(&ctx, txn, text));
        assert_kind(&none.expect_err(text), ErrorKind::NotFound, text);
    }
    let before = dump(store, &scene.tenant);
    let back = Numbering { start: 50, ..numbering.clone() };
    let refused = store.write(&scene.tenant, |txn| settings::set_numbering(&ctx, txn, Some(revision), &back));
    assert_eq!(refused.expect_err("never back").violations()[0].field, "start");
    let stale = store.write(&scene.tenant, |txn| settings::set_numbering(&ctx, txn, None, &numbering));
    assert_kind(&stale.expect_err("stale"), ErrorKind::Conflict, "the settings changed since");
    assert_eq!(dump(store, &scene.tenant), before, "nothing of it may stay");
    let wider = Numbering { width: 7, ..numbering };
    run(store, &scene, |txn| settings::set_numbering(&ctx, txn, Some(revision), &wider));
    assert_eq!(make(store, &scene, &company("Third")).number, 101, "a start that is past stays past");
}

/// The desk's own functions are refused where they are closed; the host asks for its own.
pub fn functions_are_open_by_the_state_of_the_lead(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, &company("Nordlys AS"));
    let person = make(store, &scene, &LeadFields::consumer("Kari Berg").unwrap());
    let companies = || Filter::eq(Field::Kind, "company");
    let mut functions = Functions::new().open_for("send_offer", companies());
    for name in Functions::STANDARD {
        functions = functions.open_for(name, companies());
    }
    run(store, &scene, |txn| settings::set_functions(&ctx, txn, None, &functions));
    assert_eq!(run(store, &scene, |txn| settings::functions(&ctx, txn)).1, functions);
    let closed = |what: &str, result: Result<()>| {
        let error = result.expect_err(what);
        let closed = Conflict::Closed { function: what.to_owned() };
        assert_eq!(error.conflict(), Some(&closed), "{what}: {error}");
    };
    let call = |what: &str, id: LeadId| {
        store.write(&scene.tenant, |txn| match what {
            "edit" => {
                leads::edit(&ctx, txn, id, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo")).map(drop)
            }
            "move" => {
                let stage = txn.pipelines().list()?[0].stages[1].id;
                leads::move_to(&ctx, txn, id, Expect::Any, stage).map(drop)
            }
            "clone" => leads::clone_lead(&ctx, txn, id).map(drop),
            "delete" => leads::delete(&ctx, txn, id, Expect::Any),
            "restore" => leads::restore(&ctx, txn, id).map(drop),
            "convert" => convert::convert(&ctx, txn, id, &Default::default()).map(drop),
            "note" => activities::add(&ctx, txn, &[id.into()], ActivityFields::note("x")).map(drop),
            _ => activities::add(&ctx, txn, &[id.into()], ActivityFields::task("x")).map(drop),
        })
    };
    for what in ["edit", "move", "clone", "delete", "note", "task", "convert"] {
        closed(what, call(what, person.id));
    }
    let change = Change::Transfer(None);
    let done = run(store, &scene, |txn| mass::run(&ctx, txn, &Selection::Ids(vec![person.id]), &change));
    assert_eq!(done.totals.conflict, 1, "one of many too: {:?}", done.results);
    let shown = run(store, &scene, |txn| leads::actions_of(&ctx, txn, &[lead.id, person.id]));
    assert_eq!(shown[1].1, [LeadAction::View], "no button for what is closed");
    let own = run(store, &scene, |txn| leads::functions(&ctx, txn, person.id));
    assert_eq!(
        (own.len(), own.values().any(|open| *open)),
        (Functions::STANDARD.len() + 1, false),
        "the host's own are asked for"
    );
    for what in ["edit", "move", "clone", "note", "task", "delete", "restore", "convert"] {
        call(what, lead.id).unwrap_or_else(|error| panic!("{what} is open for a company: {error}"));
    }
    for bad in [
        Functions::new().open_for("Send", companies()),
        Functions::new().open_for("send", Filter::Is(crate::query::Circumstance::Unread)),
        Functions::new().open_for("send", Filter::eq(Field::Amount, "much")),
    ] {
        let refused = store.write(&scene.tenant, |txn| settings::set_functions(&ctx, txn, None, &bad));
        assert_kind(&refused.expect_err("bad settings"), ErrorKind::Invalid, "rules of the settings");
    }
}
