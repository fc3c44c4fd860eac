//! What the desk does with opportunities and services.

use crate::desk::opportunities::{Lost, NewOpportunity, OpportunityQuery};
use crate::desk::services::{NewService, ServiceQuery};
use crate::desk::timeline::{self, TimelineQuery};
use crate::desk::{
    Expect, Listing, activities, contacts, convert, leads, opportunities, page, services, undo,
};
use crate::domain::{
    ActivityBody, ActivityFields, ContactFields, Lead, LeadFields, Line, Opportunity, OpportunityFields,
    OpportunityPatch, OpportunityState, Service, ServiceFields, ServicePatch, ServiceState, Subject, Tab,
    Topic,
};
use crate::error::{Conflict, Result};
use crate::id::{AccountId, ContactId, OperationId};
use crate::store::{Store, StoreExt, Txn};
use crate::testkit::dump;

use super::super::fixtures::Scene;

fn write<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    scene.tick();
    store.write(&scene.tenant, work).expect("a write that breaks no rule")
}

/// The operation of the newest entry.
fn last(store: &dyn Store, scene: &Scene) -> OperationId {
    let read = store.read(&scene.tenant, |txn| txn.journal().replay(None, None, 10_000));
    read.unwrap().last().unwrap().operation
}

/// A customer with a person, and the lead that it was.
fn customer(store: &dyn Store, scene: &Scene) -> (Lead, AccountId, ContactId) {
    let ctx = scene.ctx();
    write(store, scene, |txn| {
        let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
        let person = contacts::add(&ctx, txn, lead.id, ContactFields::named("Kari").unwrap(), true)?;
        let made = convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?;
        Ok((lead, made.account.unwrap(), person.id))
    })
}

/// Created, edited, won, reopened, lost and removed; both pages and both histories tell it; each is taken back, and again.
pub fn an_opportunity_lives_until_it_is_won_or_lost(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let early = write(store, &scene, |txn| leads::create(&ctx, txn, LeadFields::company("Early AS")?.into()));
    let refused = store.write(&scene.tenant, |txn| {
        opportunities::create(&ctx, txn, early.id, OpportunityFields::named("Roof").into())
    });
    let wanted = Conflict::ConversionRequired { lead: early.id, revision: early.revision };
    assert_eq!(refused.unwrap_err().conflict(), Some(&wanted), "who is no customer yet is converted first");
    let (lead, account, person) = customer(store, &scene);
    let line = Line::new("Panel", 12.into(), 200.into());
    let made = write(store, &scene, |txn| {
        let roof = OpportunityFields::named("Roof").line(line.clone());
        opportunities::create(&ctx, txn, lead.id, NewOpportunity::from(roof).contacts([person]))
    });
    assert_eq!(
        (made.account, made.origin_lead, made.fields.amount),
        (account, Some(lead.id), Some(2_400.into()))
    );
    let listing = Listing::default();
    for of in [Subject::from(lead.id), account.into(), person.into()] {
        let shown = store.read(&scene.tenant, |txn| opportunities::of(&ctx, txn, of, &listing));
        assert_eq!(shown.unwrap().items, std::slice::from_ref(&made), "shown with {of}");
    }
    let won = write(store, &scene, |txn| {
        let patch = OpportunityPatch::new().probability(Some(80));
        let edited = opportunities::edit(&ctx, txn, made.id, made.revision, &patch)?;
        opportunities::win(&ctx, txn, edited.id, edited.revision, None)
    });
    assert_eq!((won.state, won.chance()), (OpportunityState::Won, Some(100)));
    for refused in [
        store.write(&scene.tenant, |txn| {
            opportunities::edit(&ctx, txn, made.id, Expect::Any, &OpportunityPatch::new().lines(vec![]))
        }),
        store.write(&scene.tenant, |txn| {
            opportunities::lose(&ctx, txn, made.id, Expect::Any, &Lost::because(None, Some("no budget")))
        }),
    ] {
        assert!(matches!(refused.unwrap_err().conflict(), Some(Conflict::Closed { .. })), "it has ended");
    }
    let states: Vec<String> = {
        write(store, &scene, |txn| opportunities::reopen(&ctx, txn, made.id, Expect::Any));
        let why = Lost::because(None, Some("no budget"));
        write(store, &scene, |txn| opportunities::lose(&ctx, txn, made.id, Expect::Any, &why));
        write(store, &scene, |txn| opportunities::delete(&ctx, txn, made.id, Expect::Any));
        (0..5).map(|_| state_after_undo(store, &scene, &made)).collect()
    };
    assert_eq!(states, ["lost", "gone", "lost", "gone", "lost"], "a removal there and back");
    let query = TimelineQuery::new(50).topics(&[Topic::Opportunity]);
    let told = |of: Subject| -> Vec<String> {
        let page = store.read(&scene.tenant, |txn| timeline::of(&ctx, txn, of, &query)).unwrap();
        page.items.into_iter().map(|item| item.text).collect()
    };
    assert_eq!(told(lead.id.into()), told(account.into()), "both sides tell the same");
    let lines = told(account.into());
    assert_eq!(lines.last().map(String::as_str), Some("Opportunity added: Roof"));
    assert!(lines.iter().any(|line| line.contains("State: open → won")), "{lines:?}");
    let all = OpportunityQuery { state: Some(OpportunityState::Lost), ..OpportunityQuery::default() };
    let found = store.read(&scene.tenant, |txn| opportunities::list(&ctx, txn, &all)).unwrap();
    assert_eq!((found.items.len(), found.next), (1, None));
}

/// Takes the newest operation back, and says what the opportunity is then.
fn state_after_undo(store: &dyn Store, scene: &Scene, made: &Opportunity) -> String {
    let ctx = scene.ctx();
    let operation = last(store, scene);
    let done = write(store, scene, |txn| undo::undo(&ctx, txn, operation));
    assert_eq!((done.totals.kept, done.totals.failed), (0, 0), "{done:?}");
    let found = store.read(&scene.tenant, |txn| txn.opportunities().get(&[made.id])).unwrap();
    found.first().map_or("gone", |one| one.state.code()).to_owned()
}

/// Services of a customer: created together, changed, listed, shown, removed and back.
pub fn services_are_what_an_account_buys(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let (lead, account, _) = customer(store, &scene);
    let won = write(store, &scene, |txn| {
        opportunities::create(&ctx, txn, account, OpportunityFields::named("Roof").into())
    });
    let care = |price: i64| ServiceFields::from(Line::new("Care", 2.into(), price.into()));
    let made = write(store, &scene, |txn| {
        let new = vec![NewService::from(care(49)).opportunity(won.id), NewService::from(care(9))];
        services::create(&ctx, txn, lead.id, new)
    });
    let [first, second] = made.as_slice() else { panic!("two services") };
    let query = ServiceQuery { opportunity: Some(won.id), ..ServiceQuery::default() };
    let found = store.read(&scene.tenant, |txn| services::list(&ctx, txn, &query)).unwrap();
    assert_eq!(found.items, std::slice::from_ref(first));
    let bad = store.write(&scene.tenant, |txn| {
        let negative = ServiceFields::from(Line::new("", 1.into(), 1.into()));
        services::create(&ctx, txn, account, vec![care(1).into(), negative.into()])
    });
    assert_eq!(bad.unwrap_err().violations()[0].field, "services[1].description");
    let before = dump(store, &scene.tenant);
    let edited = write(store, &scene, |txn| {
        let patch = ServicePatch::new().line(Line::new("Care, yearly", 1.into(), 480.into()));
        let edited = services::edit(&ctx, txn, second.id, second.revision, &patch)?;
        services::set_state(&ctx, txn, edited.id, edited.revision, ServiceState::Inactive)
    });
    assert_eq!((edited.totals.gross, edited.state), (480.into(), ServiceState::Inactive));
    let same = write(store, &scene, |txn| {
        services::set_state(&ctx, txn, edited.id, edited.revision, ServiceState::Inactive)
    });
    assert_eq!(same, edited, "nothing to write");
    assert_ne!(dump(store, &scene.tenant), before);
    write(store, &scene, |txn| services::delete(&ctx, txn, second.id, Expect::Any));
    let shown = |of: Subject| -> Vec<Service> {
        let listing = Listing::default();
        store.read(&scene.tenant, |txn| services::of(&ctx, txn, of, &listing)).unwrap().items
    };
    assert_eq!(shown(account.into()), std::slice::from_ref(first));
    let removed = last(store, &scene);
    write(store, &scene, |txn| undo::undo(&ctx, txn, removed));
    assert_eq!(shown(lead.id.into()).len(), 2, "back, on both pages");
    let options = page::PageOptions::new().first(5);
    let tab = |tabs: Vec<page::TabPage>| -> (u64, u64) {
        let found = tabs.into_iter().find(|page| page.tab == Tab::Service).unwrap();
        (found.total, found.open)
    };
    let of_lead = store.read(&scene.tenant, |txn| page::lead_page(&ctx, txn, lead.id, &options)).unwrap();
    let of_account =
        store.read(&scene.tenant, |txn| page::account_page(&ctx, txn, account, &options)).unwrap();
    assert_eq!((tab(of_lead.tabs), tab(of_account.tabs)), ((2, 1), (2, 1)));
}

/// What is about an opportunity goes and comes back with it; a person that goes leaves it with its account.
pub fn an_opportunity_takes_its_notes_along(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let (_, account, person) = customer(store, &scene);
    let made = write(store, &scene, |txn| {
        let roof = NewOpportunity::from(OpportunityFields::named("Roof")).contacts([person, person]);
        opportunities::create(&ctx, txn, account, roof)
    });
    assert_eq!(made.contacts().collect::<Vec<_>>(), [person], "each once");
    let note = write(store, &scene, |txn| {
        let title = Some("Measured".to_owned());
        let text = Some("By hand.".to_owned());
        let fields =
            ActivityFields { title, text, assignee: None, remind_at: None, body: ActivityBody::Note };
        activities::add(&ctx, txn, &[made.id.into()], fields)
    });
    write(store, &scene, |txn| opportunities::delete(&ctx, txn, made.id, Expect::Any));
    let notes = || store.read(&scene.tenant, |txn| txn.activities().get(&[note.id])).unwrap().len();
    assert_eq!(notes(), 0, "it goes along");
    let removed = last(store, &scene);
    write(store, &scene, |txn| undo::undo(&ctx, txn, removed));
    assert_eq!(notes(), 1, "it comes back");
    let alone = write(store, &scene, |txn| opportunities::set_contacts(&ctx, txn, made.id, Expect::Any, &[]));
    assert_eq!(alone.about, [account.into()], "the account stays");
}
