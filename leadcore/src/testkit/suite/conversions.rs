//! Conversions as a host meets them: what a plan shows, the caller's key, and what a way back and a purge must not lose.

use serde_json::Value;

use crate::desk::convert::{
    self, ConversionOptions, ConversionOutcome, ConversionPlan, OpportunityRequest, PersonChoice, PlannedEnd,
    PlannedPerson, PlannedService, Unconvertible,
};
use crate::desk::purge::{self, PurgeRequest};
use crate::desk::reports::{self, ReportQuery};
use crate::desk::{Expect, activities, contacts, leads, opportunities, series, undo};
use crate::domain::{
    AccountStatus, ActivityFields, ContactFields, Lead, LeadFields, Line, LinkRole, OperationKind,
    OpportunityFields, OpportunityState, Series, SeriesFields, Subject, Topics,
};
use crate::error::{Conflict, ErrorKind, Result};
use crate::id::{AccountId, ContactId, IdempotencyKey};
use crate::policy::AllowAll;
use crate::query::{Dimension, Filter};
use crate::store::{Store, StoreExt, Txn};
use crate::value::PersonName;

use super::super::fixtures::Scene;

fn run<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a use case that breaks no rule must succeed")
}

/// A lead of a company with a person.
fn lead(store: &dyn Store, scene: &Scene, company: &str, person: &str) -> Lead {
    scene.tick();
    run(store, scene, |txn| {
        let fields = LeadFields {
            person: Some(PersonName::parse(person)?),
            job_title: Some("Buyer".to_owned()),
            ..LeadFields::company(company)?
        };
        leads::create(&scene.ctx(), txn, fields.into())
    })
}

fn person(store: &dyn Store, scene: &Scene, of: &Lead, name: &str, primary: bool) -> ContactId {
    run(store, scene, |txn| {
        contacts::add(&scene.ctx(), txn, of.id, ContactFields::named(name)?, primary).map(|made| made.id)
    })
}

fn plan(store: &dyn Store, scene: &Scene, of: &Lead, options: &ConversionOptions) -> ConversionPlan {
    scene.tick();
    run(store, scene, |txn| convert::plan(&scene.ctx(), txn, of.id, options))
}

fn apply(store: &dyn Store, scene: &Scene, plan: &ConversionPlan) -> ConversionOutcome {
    scene.tick();
    run(store, scene, |txn| convert::apply(&scene.ctx(), txn, plan))
}

/// A note of somebody else's stands against the way back however much the conversion itself hung on the account before it.
pub fn the_way_back_sees_what_comes_behind_a_thousand_services(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = lead(store, &scene, "Nordlys AS", "Kari Berg");
    let service = |n: u32| PlannedService {
        fields: Line::new(&format!("Service {n}"), 1.into(), 1.into()).into(),
        origin: None,
    };
    let plan = plan(store, &scene, &lead, &ConversionOptions::default());
    let plan = plan.edit_services((0..1_000).map(service).collect()).expect("as many as may be");
    let done = apply(store, &scene, &plan);
    let account = Subject::from(done.account.unwrap());
    scene.tick();
    let blockers = || run(store, &scene, |txn| convert::plan_unconvert(&ctx, txn, lead.id)).blockers;
    assert_eq!(blockers(), [], "what the conversion made stands against nothing");
    let notes = [(); 2].map(|()| {
        let note = ActivityFields::note("Pays in May");
        let bob = scene.ctx_as("bob", &AllowAll);
        run(store, &scene, |txn| activities::add(&bob, txn, &[account], note.clone())).id
    });
    let hangs = Unconvertible::HasChildren { record: account, tabs: vec![("note".to_owned(), 2)] };
    assert_eq!(blockers(), [hangs], "every one of them is told");
    let error = store.write(&scene.tenant, |txn| convert::unconvert(&ctx, txn, lead.id));
    let error = error.expect_err("something hangs on the account");
    assert_eq!(error.conflict(), Some(&Conflict::Blocked { by: 1 }));
    for note in notes {
        run(store, &scene, |txn| activities::delete(&ctx, txn, note, Expect::Any));
    }
    run(store, &scene, |txn| convert::unconvert(&ctx, txn, lead.id));
    let left = run(store, &scene, |txn| txn.children().counts(&[account]));
    assert_eq!(left, [], "all services went");
}

/// What hangs on an archived account, wherever it came from, is not the conversion's: no purge of the lead takes it along.
pub fn a_purge_takes_nothing_that_no_conversion_made(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let [lead, other] = ["Nordlys AS", "Fjord AS"].map(|name| lead(store, &scene, name, "Kari Berg"));
    let account = |lead: &Lead| {
        let plan = plan(store, &scene, lead, &ConversionOptions::default());
        apply(store, &scene, &plan).account.unwrap()
    };
    let (kept, goes) = (account(&lead), account(&other));
    let note = ActivityFields::note("Pays in May");
    let note = run(store, &scene, |txn| activities::add(&ctx, txn, &[kept.into()], note.clone()));
    let placed = run(store, &scene, |txn| txn.children().placements(&[note.id.into()]));
    run(store, &scene, |txn| activities::delete(&ctx, txn, note.id, Expect::Any));
    let deleted = run(store, &scene, |txn| txn.journal().about(&[kept.into()], Topics::NONE, None, 1));
    for lead in [&lead, &other] {
        scene.tick();
        run(store, &scene, |txn| convert::unconvert(&ctx, txn, lead.id));
    }
    let back = run(store, &scene, |txn| undo::undo(&ctx, txn, deleted[0].operation));
    assert_eq!(back.totals.kept, 1, "no undo hangs anything on an archived account");
    // A program of an earlier version did.
    run(store, &scene, |txn| {
        txn.activities().insert(std::slice::from_ref(&note))?;
        txn.children().place(&placed)
    });
    for lead in [&lead, &other] {
        run(store, &scene, |txn| leads::delete(&ctx, txn, lead.id, Expect::Any));
    }
    let request = PurgeRequest::trash(Filter::everything());
    let plan = run(store, &scene, |txn| purge::plan(&ctx, txn, &request));
    assert_eq!(
        (plan.trashed, plan.accounts, plan.children),
        (2, 1, 0),
        "one account has something of its own"
    );
    let done = run(store, &scene, |txn| purge::apply(&ctx, txn, &plan));
    assert_eq!((done.leads, done.accounts, done.children), (2, 1, 0));
    let found = run(store, &scene, |txn| activities::get(&ctx, txn, note.id));
    assert_eq!(found.about, [Subject::from(kept)], "the note is still there");
    let left = run(store, &scene, |txn| txn.accounts().get(&[kept, goes]));
    assert_eq!(left.iter().map(|account| account.id).collect::<Vec<_>>(), [kept]);
}

/// The links that a plan tells are those that are made, in their order.
fn tell_what_is_made(
    store: &dyn Store,
    scene: &Scene,
    plan: &ConversionPlan,
) -> (Vec<LinkRole>, Option<AccountId>) {
    let stored = serde_json::from_str::<ConversionPlan>(&serde_json::to_string(plan).unwrap()).unwrap();
    assert_eq!(stored.links(), plan.links(), "also of a plan that was stored");
    let done = apply(store, scene, plan);
    let (planned, made) = (plan.links(), done.links);
    assert_eq!(planned.len(), made.len(), "{planned:?} and {made:?}");
    for (planned, made) in planned.iter().zip(&made) {
        let fits = |end: PlannedEnd, record: Subject| {
            end.kind == record.kind && end.id.is_none_or(|id| id == record.id)
        };
        let same = planned.role == made.role && fits(planned.from, made.from) && fits(planned.to, made.to);
        assert!(same, "{planned:?} and {made:?}");
    }
    (planned.iter().map(|link| link.role).collect(), done.account)
}

/// A plan tells the links that its conversion adds, and no others: the account keeps its primary contact and is not linked with a
/// person twice.
pub fn a_plan_tells_the_links_that_are_made(store: &dyn Store) {
    use LinkRole::{Contact, ConvertedTo, Opportunity, PrimaryContact};
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let told = |plan: &ConversionPlan| tell_what_is_made(store, &scene, plan).0;
    let new = ConversionOptions::default;
    let company = |name: &str| lead(store, &scene, name, "Kari Berg");
    let with_opportunity = new().with_opportunity(OpportunityRequest::new());

    let first = company("Nordlys AS");
    for (name, primary) in [("Ola Dal", false), ("Eva Moe", true)] {
        person(store, &scene, &first, name, primary);
    }
    let (links, account) = tell_what_is_made(store, &scene, &plan(store, &scene, &first, &with_opportunity));
    assert_eq!(links, [ConvertedTo, PrimaryContact, Contact, Contact, Contact, Opportunity]);
    let account = account.unwrap();
    let persons = run(store, &scene, |txn| contacts::of_account(&ctx, txn, account));

    let into = new().into_account(account);
    assert_eq!(
        told(&plan(store, &scene, &company("Nordlys"), &into)),
        [ConvertedTo, Contact, PrimaryContact]
    );
    let known = into.clone().person(PersonChoice::Existing(persons[1].contact.id));
    let links = told(&plan(store, &scene, &company("Nordlys"), &known));
    assert_eq!(links, [ConvertedTo, PrimaryContact], "the account has this person");
    let strange = PersonChoice::Existing(person(store, &scene, &company("Fjord AS"), "Ida Lie", false));
    let links = told(&plan(store, &scene, &company("Nordlys"), &into.clone().person(strange)));
    assert_eq!(links, [ConvertedTo, Contact, PrimaryContact]);

    let running = run(store, &scene, |txn| {
        opportunities::create(&ctx, txn, account, OpportunityFields::named("Roof").into())
    });
    let joins = new().opportunity(convert::OpportunityChoice::Existing(running.id));
    let joined = company("Nordlys");
    person(store, &scene, &joined, "Per Vik", true);
    let links = told(&plan(store, &scene, &joined, &joins));
    assert_eq!(links, [ConvertedTo, Contact, Contact, Contact, Opportunity]);

    let empty = told(&plan(store, &scene, &company("Vik AS"), &new().account_only()));
    assert_eq!(empty, [ConvertedTo]);
    let alone = company("Berg AS");
    person(store, &scene, &alone, "Ola Dal", false);
    let links = told(&plan(store, &scene, &alone, &new().contact_only()));
    assert_eq!(links, [ConvertedTo, ConvertedTo, Contact], "the lead keeps its own primary contact");

    let mut edited = plan(store, &scene, &company("Nordlys"), &into);
    edited.contacts.clear();
    assert_eq!(told(&edited), [ConvertedTo], "a plan that was edited tells what it is now");
}

/// A plan that is made anew after the way back is the call that its key stands for, although a contact was written since.
pub fn a_plan_made_anew_is_the_call_that_its_key_stands_for(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let ida = lead(store, &scene, "Fjord AS", "Ida Lie");
    let known = person(store, &scene, &ida, "Kari Berg", false);
    let lead = lead(store, &scene, "Nordlys AS", "Kari Berg");
    let options = ConversionOptions::default()
        .person(PersonChoice::Existing(known))
        .once("order 4711".parse().unwrap());
    let first = plan(store, &scene, &lead, &options);
    let done = apply(store, &scene, &first);
    run(store, &scene, |txn| convert::unconvert(&ctx, txn, lead.id));
    run(store, &scene, |txn| {
        let was = txn.contacts().get(&[known])?.pop().expect("the contact").fields;
        for fields in [ContactFields { job_title: Some("Buyer".to_owned()), ..was.clone() }, was] {
            contacts::edit(&ctx, txn, ida.id, known, Expect::Any, fields)?;
        }
        Ok(())
    });
    let mut anew = plan(store, &scene, &lead, &options);
    assert_ne!(anew.contacts, first.contacts, "the contact was edited, and back again");
    let again = apply(store, &scene, &anew);
    assert_eq!((again.operation, again.newly_converted), (done.operation, false));
    let PlannedPerson::Known { fields, .. } = &mut anew.contacts[0].who else { panic!("{anew:?}") };
    fields.job_title = Some("Seller".to_owned());
    let error = store.write(&scene.tenant, |txn| convert::apply(&ctx, txn, &anew)).expect_err("another plan");
    assert_eq!(error.conflict(), Some(&Conflict::KeyReused { differs: vec!["contacts".to_owned()] }));
}

/// A key that was kept by a version that did not know an option yet stands for the call without that option.
pub fn a_key_that_knows_an_option_less_is_still_good(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = lead(store, &scene, "Nordlys AS", "Kari Berg");
    let key: IdempotencyKey = "order 4711".parse().unwrap();
    let options = ConversionOptions::default().once(key.clone());
    let convert = |options: &ConversionOptions| {
        store.write(&scene.tenant, |txn| convert::convert(&ctx, txn, lead.id, options))
    };
    let first = convert(&options).expect("the first call");
    run(store, &scene, |txn| {
        let mut kept = txn.journal().find(OperationKind::Once, &format!("convert:{key}"))?.expect("the key");
        let asked = kept.outcome.as_mut().and_then(|outcome| outcome.get_mut("asked"));
        let asked = asked.and_then(Value::as_object_mut).expect("what was asked");
        for option in ["status", "series"] {
            assert!(asked.remove(option).is_some(), "{option}");
        }
        txn.journal().update(&kept)
    });
    let again = convert(&options).expect("the same call");
    assert_eq!((again.operation, again.newly_converted), (first.operation, false));
    let error = convert(&options.clone().status(AccountStatus::Prospect)).expect_err("another option");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::KeyReused { differs: vec!["status".to_owned()] }));
}

/// An opportunity that stays because of its number, when its conversion is taken back, counts for no lead: also not for the first one
/// of its account. Once somebody goes on with it, it is one of the account.
pub fn what_is_lost_with_its_conversion_counts_for_nobody(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let deals = SeriesFields::named("Deals").prefix("D-").gapless();
    let deals = run(store, &scene, |txn| series::add(&ctx, txn, Series::Opportunity, deals.clone())).id;
    let (first, second) =
        (lead(store, &scene, "Nordlys AS", "Kari Berg"), lead(store, &scene, "Nordlys AS", "Ola Dal"));
    let brought =
        run(store, &scene, |txn| convert::convert(&ctx, txn, first.id, &ConversionOptions::default()));
    let request = OpportunityRequest::new().series(deals);
    let into = ConversionOptions::default()
        .into_account(brought.account.expect("an account"))
        .with_opportunity(request);
    scene.tick();
    let made = run(store, &scene, |txn| convert::convert(&ctx, txn, second.id, &into)).opportunity;
    let made = made.expect("an opportunity");
    // Open, won and lost ones.
    let counted = || {
        let query = ReportQuery::by([Dimension::Campaign]);
        let report = run(store, &scene, |txn| reports::report(&ctx, txn, &query));
        let money: Vec<_> = report.rows.iter().flat_map(|row| &row.money).cloned().collect();
        let sum = |count: fn(&reports::Money) -> u64| money.iter().map(count).sum::<u64>();
        [sum(|money| money.open.count), sum(|money| money.won.count), sum(|money| money.lost.count)]
    };
    assert_eq!(counted(), [1, 0, 0]);
    scene.tick();
    run(store, &scene, |txn| convert::unconvert(&ctx, txn, second.id));
    assert_eq!(counted(), [0, 0, 0], "it was lost with its conversion");
    let now = run(store, &scene, |txn| opportunities::get(&ctx, txn, made));
    assert_eq!((now.state, now.origin_lead), (OpportunityState::Lost, None));
    run(store, &scene, |txn| opportunities::reopen(&ctx, txn, made, Expect::Any));
    assert_eq!(counted(), [1, 0, 0], "it goes on as one of the account");
}
