//! Accounts as a host meets them: filled by conversions, edited, holding terms.

use crate::desk::opportunities::{self, Lost};
use crate::desk::vocabulary::InUse;
use crate::desk::{Expect, accounts, convert, leads, undo, vocabulary};
use crate::domain::{
    Account, AccountPatch, AccountStatus, Action, Field, Lead, LeadFields, OperationKind, OpportunityFields,
    OpportunityState, Subject, TermKind, Topics,
};
use crate::error::{Conflict, ErrorKind, Result};
use crate::id::{AccountId, CategoryId, LostReasonId, SourceId};
use crate::store::{Store, StoreExt, Txn};
use crate::value::PersonName;

use super::super::dump;
use super::super::fixtures::Scene;
use super::{assert_kind, assert_stale};

fn run<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a use case that breaks no rule must succeed")
}

fn full(name: &str) -> LeadFields {
    LeadFields {
        emails: "post@nordlys.example".parse().unwrap(),
        phones: "+47 22 22 22 22".parse().unwrap(),
        industry: Some("Energy".to_owned()),
        ..LeadFields::company(name).unwrap()
    }
}

/// A lead with these fields, and the account that a conversion makes of it.
fn converted(store: &dyn Store, scene: &Scene, fields: &LeadFields) -> AccountId {
    let ctx = scene.ctx();
    run(store, scene, |txn| {
        let lead = leads::create(&ctx, txn, fields.clone().into())?;
        Ok(convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?.account.unwrap())
    })
}

fn account(store: &dyn Store, scene: &Scene, id: AccountId) -> Account {
    run(store, scene, |txn| accounts::get(&scene.ctx(), txn, id))
}

/// How often the history of an account says that it was updated.
fn updates(store: &dyn Store, scene: &Scene, id: AccountId) -> usize {
    let entries = run(store, scene, |txn| txn.journal().about(&[id.into()], Topics::NONE, None, 100));
    entries.iter().filter(|entry| entry.action == Action::Updated).count()
}

/// Neither the revision nor the history of an account moves when a lead brings nothing that it does not have.
pub fn a_conversion_that_brings_nothing_new_leaves_the_account_alone(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let id = converted(store, &scene, &full("Nordlys AS"));
    let before = account(store, &scene, id);
    scene.tick();
    let options = convert::ConversionOptions::default().into_account(id);
    let again = run(store, &scene, |txn| {
        let lead = leads::create(&ctx, txn, full("Nordlys AS").into())?;
        convert::convert(&ctx, txn, lead.id, &options)
    });
    assert_eq!(
        (again.account.unwrap(), again.newly_converted),
        (id, true),
        "the lead is converted all the same"
    );
    assert_eq!(account(store, &scene, id), before, "an account that gets nothing new is not written");
    assert_eq!(updates(store, &scene, id), 0, "and nothing is said in its history");
    let origins = run(store, &scene, |txn| accounts::origins(&ctx, txn, id));
    assert_eq!(origins.len(), 2, "both leads are behind it");
    let more = LeadFields { website: Some("https://nordlys.example".parse().unwrap()), ..full("Nordlys AS") };
    run(store, &scene, |txn| {
        let lead = leads::create(&ctx, txn, more.clone().into())?;
        convert::convert(&ctx, txn, lead.id, &options)
    });
    let after = account(store, &scene, id);
    assert_eq!(after.revision, before.revision.next(), "what is new is written");
    assert_eq!(updates(store, &scene, id), 1, "and told");
}

/// The plan names every field whose value neither the account nor a contact has, and no other.
pub fn what_stays_on_the_lead_is_what_nothing_else_has(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let id = converted(store, &scene, &full("Nordlys AS"));
    let lead: Lead = run(store, &scene, |txn| {
        let fields = LeadFields {
            person: Some(PersonName::parse("Kari Berg")?),
            job_title: Some("Buyer".to_owned()),
            emails: "POST@nordlys.example".parse()?,
            industry: Some("Fishing".to_owned()),
            description: Some("Met in Bergen".to_owned()),
            amount: Some(5.into()),
            ..full("Nordlys Fisk AS")
        };
        leads::create(&ctx, txn, fields.into())
    });
    let plan = |options: &convert::ConversionOptions| {
        run(store, &scene, |txn| convert::plan(&ctx, txn, lead.id, options)).stays_on_lead
    };
    let new = convert::ConversionOptions::default();
    assert_eq!(plan(&new), [Field::Amount], "a new account and its contact take everything else");
    let wanted = [Field::Company, Field::Amount, Field::Industry];
    assert_eq!(plan(&new.into_account(id)), wanted, "what the account says otherwise stays on the lead");
}

/// An edit writes what changed, once per revision, and a refused one writes nothing.
pub fn an_account_is_edited_by_its_revision(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let id = converted(store, &scene, &full("Nordlys AS"));
    let before = account(store, &scene, id);
    scene.tick();
    let patch = AccountPatch::new()
        .name("Nordlys Energi AS")
        .set(Field::City, "Tromsø")
        .clear(Field::Industry)
        .status(AccountStatus::Prospect);
    let after = run(store, &scene, |txn| accounts::edit(&ctx, txn, id, before.revision, &patch));
    assert_eq!(account(store, &scene, id), after, "what the edit says is what is stored");
    assert_eq!((after.revision, after.number), (before.revision.next(), before.number), "the next revision");
    assert_eq!((after.updated_at, after.created_at), (scene.clock_now(), before.created_at), "its times");
    let fields = &after.fields;
    assert_eq!((fields.name.as_str(), fields.address.city()), ("Nordlys Energi AS", Some("Tromsø")));
    assert_eq!((&fields.industry, fields.status), (&None, AccountStatus::Prospect), "emptied, and set");
    assert_eq!(fields.emails, before.fields.emails, "what the patch does not name stays");
    let entries = run(store, &scene, |txn| txn.journal().about(&[id.into()], Topics::NONE, None, 1));
    let mut changed: Vec<_> = entries[0].changes.iter().map(|change| change.field.as_str()).collect();
    changed.sort_unstable();
    assert_eq!(changed, ["city", "company", "industry", "status"], "each change is in the journal");

    let state = dump(store, &scene.tenant);
    let stale = store.write(&scene.tenant, |txn| accounts::edit(&ctx, txn, id, before.revision, &patch));
    assert_stale(
        &stale.expect_err("stale"),
        before.revision,
        after.revision,
        "an account that changed since",
    );
    run(store, &scene, |txn| accounts::edit(&ctx, txn, id, Expect::Any, &patch));
    assert_eq!(dump(store, &scene.tenant), state, "an edit that changes nothing writes nothing");
    let wrong =
        AccountPatch::new().clear(Field::Company).set(Field::Category, CategoryId::from_uuid(scene.uuid()));
    let error = store.write(&scene.tenant, |txn| accounts::edit(&ctx, txn, id, Expect::Any, &wrong));
    let error = error.expect_err("an account needs a name, and its category must exist");
    let broken: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(broken, ["name", "category"], "every broken rule at once");
    let wrong = AccountPatch::new().set(Field::Amount, 5).set(Field::Email, "nobody");
    let error = store.write(&scene.tenant, |txn| accounts::edit(&ctx, txn, id, Expect::Any, &wrong));
    let error = error.expect_err("an account has no amount");
    let broken: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(broken, ["amount", "email"], "every misfit at once");
    let nobody = AccountId::from_uuid(scene.uuid());
    let error = store.write(&scene.tenant, |txn| accounts::edit(&ctx, txn, nobody, Expect::Any, &patch));
    assert_kind(&error.expect_err("no such account"), ErrorKind::NotFound, "an account that does not exist");
    assert_eq!(dump(store, &scene.tenant), state, "a refused edit writes nothing");
}

/// A deletion that is refused, because something may not or shall not be rewritten, leaves everything as it was, also inside a
/// transaction that goes on.
pub fn a_term_that_accounts_hold_is_not_deleted_by_halves(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let category = run(store, &scene, |txn| vocabulary::add::<CategoryId>(&ctx, txn, "Retail", None));
    let other = run(store, &scene, |txn| vocabulary::add::<CategoryId>(&ctx, txn, "Trade", None));
    let held = LeadFields { category: Some(category.id), ..full("Held") };
    let id = converted(store, &scene, &full("Nordlys AS"));
    let patch = AccountPatch::new().set(Field::Category, category.id);
    run(store, &scene, |txn| accounts::edit(&ctx, txn, id, Expect::Any, &patch));
    run(store, &scene, |txn| leads::create(&ctx, txn, held.clone().into()));
    let refuse = |in_use, by| {
        let before = dump(store, &scene.tenant);
        let error = run(store, &scene, |txn| {
            // The caller passes over the refusal and commits.
            Ok(vocabulary::delete(&ctx, txn, category.id, in_use).expect_err("it is held"))
        });
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by }), "{in_use:?}");
        assert_eq!(dump(store, &scene.tenant), before, "a refused deletion leaves leads and journal alone");
    };
    refuse(InUse::Refuse, 2);
    converted(store, &scene, &held);
    for in_use in [InUse::Clear, InUse::Reassign(other.id)] {
        refuse(in_use, 1);
    }
}

/// A term that goes is taken away from accounts, archived ones too, and from opportunities, whether they are open, won or lost;
/// or another takes its place. Their history says so.
pub fn a_term_that_goes_is_rewritten_on_accounts_and_opportunities(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let categories = ["Retail", "Trade"]
        .map(|name| run(store, &scene, |txn| vocabulary::add::<CategoryId>(&ctx, txn, name, None)).id);
    let sources = ["Fair", "Web"]
        .map(|name| run(store, &scene, |txn| vocabulary::add::<SourceId>(&ctx, txn, name, None)).id);
    let reasons = ["Price", "Time"]
        .map(|name| run(store, &scene, |txn| vocabulary::add::<LostReasonId>(&ctx, txn, name, None)).id);
    let id = converted(store, &scene, &full("Nordlys AS"));
    let archived = run(store, &scene, |txn| {
        let lead = leads::create(&ctx, txn, full("Fjord AS").into())?;
        let made =
            convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?.account.unwrap();
        let patch = AccountPatch::new().set(Field::Category, categories[0]);
        accounts::edit(&ctx, txn, made, Expect::Any, &patch)?;
        convert::unconvert(&ctx, txn, lead.id)?;
        Ok(made)
    });
    let patch = AccountPatch::new().set(Field::Category, categories[0]);
    run(store, &scene, |txn| accounts::edit(&ctx, txn, id, Expect::Any, &patch));
    let [open, lost] = ["Open", "Lost"].map(|name| {
        let fields = OpportunityFields { source: Some(sources[0]), ..OpportunityFields::named(name) };
        run(store, &scene, |txn| opportunities::create(&ctx, txn, id, fields.clone().into())).id
    });
    let why = Lost::because(Some(reasons[0]), None);
    run(store, &scene, |txn| opportunities::lose(&ctx, txn, lost, Expect::Any, &why));
    scene.tick();
    let revision = account(store, &scene, id).revision;
    let stored = |id| run(store, &scene, |txn| txn.opportunities().get(&[id])).remove(0);
    let told = |subject: Subject| {
        let entries = run(store, &scene, |txn| txn.journal().about(&[subject], Topics::NONE, None, 1));
        (entries[0].operation_kind, entries[0].action)
    };
    let category = |id| run(store, &scene, |txn| txn.accounts().get(&[id])).remove(0).fields.category;
    let configured = (OperationKind::Configure, Action::Updated);

    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, categories[0], InUse::Reassign(categories[1])));
    assert_eq!([id, archived].map(category), [Some(categories[1]); 2], "also one that was archived");
    assert_eq!(account(store, &scene, id).revision, revision.next());
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, sources[0], InUse::Reassign(sources[1])));
    assert_eq!([open, lost].map(|id| stored(id).fields.source), [Some(sources[1]); 2]);
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, reasons[0], InUse::Reassign(reasons[1])));
    assert_eq!(stored(lost).end.unwrap().reason, Some(reasons[1]));
    for subject in [open.into(), lost.into()] {
        assert_eq!(told(subject), configured, "{subject:?}");
    }

    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, categories[1], InUse::Clear));
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, sources[1], InUse::Clear));
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, reasons[1], InUse::Clear));
    assert_eq!([id, archived].map(category), [None; 2]);
    assert_eq!([open, lost].map(|id| stored(id).fields.source), [None; 2]);
    assert_eq!((stored(lost).end.unwrap().reason, stored(lost).state), (None, OpportunityState::Lost));
    let terms = run(store, &scene, |txn| txn.terms().list(TermKind::Category));
    assert_eq!(terms, [], "they are gone");
}

/// Undoing the deletion of a term brings it back to everything that had it: accounts, archived ones too, and opportunities, open
/// and lost; but not to those that say something else by then. Undoing that takes it away again.
pub fn a_deleted_term_comes_back_to_what_had_it(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let category = run(store, &scene, |txn| vocabulary::add::<CategoryId>(&ctx, txn, "Retail", None)).id;
    let other = run(store, &scene, |txn| vocabulary::add::<CategoryId>(&ctx, txn, "Trade", None)).id;
    let source = run(store, &scene, |txn| vocabulary::add::<SourceId>(&ctx, txn, "Fair", None)).id;
    let reason = run(store, &scene, |txn| vocabulary::add::<LostReasonId>(&ctx, txn, "Price", None)).id;
    let of_category = |category| AccountPatch::new().set(Field::Category, category);
    let [kept, changed] = ["Nordlys AS", "Fjord AS"].map(|name| converted(store, &scene, &full(name)));
    let archived = run(store, &scene, |txn| {
        let lead = leads::create(&ctx, txn, full("Elv AS").into())?;
        let made =
            convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?.account.unwrap();
        accounts::edit(&ctx, txn, made, Expect::Any, &of_category(category))?;
        convert::unconvert(&ctx, txn, lead.id)?;
        Ok(made)
    });
    for id in [kept, changed] {
        run(store, &scene, |txn| accounts::edit(&ctx, txn, id, Expect::Any, &of_category(category)));
    }
    let [open, lost] = ["Open", "Lost"].map(|name| {
        let fields = OpportunityFields { source: Some(source), ..OpportunityFields::named(name) };
        run(store, &scene, |txn| opportunities::create(&ctx, txn, kept, fields.clone().into())).id
    });
    let why = Lost::because(Some(reason), Some("twice as dear"));
    run(store, &scene, |txn| opportunities::lose(&ctx, txn, lost, Expect::Any, &why));
    let categories = || {
        let all = run(store, &scene, |txn| txn.accounts().get(&[kept, changed, archived]));
        let of = |id| all.iter().find(|account| account.id == id).unwrap().fields.category;
        [kept, changed, archived].map(of)
    };
    let deals = || {
        let all = run(store, &scene, |txn| txn.opportunities().get(&[open, lost]));
        let of = |id| all.iter().find(|one| one.id == id).unwrap().clone();
        let (open, lost) = (of(open), of(lost));
        (open.fields.source, lost.fields.source, lost.end.unwrap().reason, lost.state)
    };
    let deleted = |subject: Subject| {
        let entries = run(store, &scene, |txn| txn.journal().about(&[subject], Topics::NONE, None, 1));
        entries[0].operation
    };
    scene.tick();
    let (had, held) = (categories(), deals());
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, category, InUse::Clear));
    let of_categories = deleted(kept.into());
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, source, InUse::Clear));
    let of_sources = deleted(open.into());
    run(store, &scene, |txn| vocabulary::delete(&ctx, txn, reason, InUse::Clear));
    let of_reasons = deleted(lost.into());
    assert_eq!((categories(), deals()), ([None; 3], (None, None, None, OpportunityState::Lost)));
    scene.tick();
    run(store, &scene, |txn| accounts::edit(&ctx, txn, changed, Expect::Any, &of_category(other)));

    let mut undone = Vec::new();
    for operation in [of_categories, of_reasons, of_sources] {
        let planned = run(store, &scene, |txn| undo::plan(&ctx, txn, operation));
        let done = run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
        assert_eq!(done.totals, planned.totals, "what is planned is what is done");
        undone.push(done.operation);
    }
    assert_eq!(categories(), [had[0], Some(other), had[2]], "what was changed since stays");
    assert_eq!(deals(), held);
    let names = run(store, &scene, |txn| txn.terms().list(TermKind::Category));
    assert_eq!(names.len(), 2);
    for operation in undone.into_iter().rev() {
        run(store, &scene, |txn| undo::undo(&ctx, txn, operation));
    }
    assert_eq!(
        (categories(), deals()),
        ([None, Some(other), None], (None, None, None, OpportunityState::Lost))
    );
}

/// A caller's key gives the first outcome of its call for ever, and refuses every other call.
pub fn a_key_stands_for_one_conversion(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let [lead, other] = ["Nordlys AS", "Fjord AS"]
        .map(|name| run(store, &scene, |txn| leads::create(&ctx, txn, full(name).into())));
    let options = convert::ConversionOptions::default().once("order 4711".parse().unwrap());
    let convert = |lead, options: &convert::ConversionOptions| {
        store.write(&scene.tenant, |txn| convert::convert(&ctx, txn, lead, options))
    };
    let first = convert(lead.id, &options).expect("the first call");
    run(store, &scene, |txn| convert::unconvert(&ctx, txn, lead.id));
    let state = dump(store, &scene.tenant);
    let again = convert(lead.id, &options).expect("the same call");
    assert_eq!((again.operation, again.newly_converted), (first.operation, false), "the first outcome");
    let error = convert(other.id, &options).expect_err("another lead");
    assert_eq!(error.conflict(), Some(&Conflict::KeyReused { differs: vec!["lead".to_owned()] }));
    let error = convert(lead.id, &options.clone().account_only()).expect_err("other options");
    assert_eq!(error.conflict(), Some(&Conflict::KeyReused { differs: vec!["contacts".to_owned()] }));
    assert_eq!(dump(store, &scene.tenant), state, "nothing is written");
    let tenant: crate::id::TenantId = "another".parse().unwrap();
    let stranger = crate::context::Context::new(
        &tenant,
        scene.actor.clone(),
        &scene.clock,
        &scene.ids,
        &crate::policy::AllowAll,
    );
    let done = store.write(&tenant, |txn| {
        let lead = leads::create(&stranger, txn, full("Nordlys AS").into())?;
        convert::convert(&stranger, txn, lead.id, &options)
    });
    assert!(done.expect("another tenant").newly_converted, "keys are a tenant's own");
}
