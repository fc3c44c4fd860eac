//! X.09: whatever a lead became, the way back restores it and every association.

use leadcore::context::Context;
use leadcore::desk::convert::{
    self, ConversionOptions, ConversionOutcome, CustomerType, EstimateChoice, OpportunityChoice,
    OpportunityEnding, OpportunityRequest, PersonChoice,
};
use leadcore::desk::{Expect, activities, contacts, estimates, leads, opportunities, services};
use leadcore::domain::{ActivityFields, ContactFields, EstimateFields, Lead, LeadFields, ServiceState};
use leadcore::error::{Result, Violation, ViolationCode};
use leadcore::memory::MemoryStore;
use leadcore::store::{Store, StoreExt as _, Txn};
use leadcore::testkit::fixtures::Scene;
use leadcore::testkit::generate;
use leadcore_sqlite::SqliteStore;
use proptest::prelude::*;

use super::back::essence;
use crate::estimates::panels;

#[derive(Debug, Clone)]
struct Story {
    fields: LeadFields,
    persons: Vec<ContactFields>,
    notes: Vec<ActivityFields>,
    estimates: usize,
    stage: usize,
    /// Whether the lead becomes an account that another one became before, and what that one says.
    into: Option<LeadFields>,
    becomes: Becomes,
}

/// What the lead becomes besides.
#[derive(Debug, Clone, Copy)]
struct Becomes {
    who: Who,
    deal: Deal,
    /// Its estimates become services.
    services: bool,
    customer: CustomerType,
    /// The person of the lead is the one of the account that is there.
    known_person: bool,
    /// What whoever takes it back did since with what is new.
    since: Since,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Nothing,
    /// The deal was won, the services ended.
    MovedOn,
    Deleted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Both,
    Account,
    Persons,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deal {
    None,
    Open,
    Won,
    /// The one of the account that is there.
    Joined,
}

fn becomes() -> impl Strategy<Value = Becomes> {
    use prop::sample::select;
    let who = select(&[Who::Both, Who::Both, Who::Account, Who::Persons][..]);
    let deal = select(&[Deal::None, Deal::Open, Deal::Won, Deal::Joined, Deal::Joined][..]);
    let customer = select(
        &[CustomerType::Neither, CustomerType::ActiveWithInvoice, CustomerType::InactiveWithProforma][..],
    );
    let since = select(&[Since::Nothing, Since::MovedOn, Since::Deleted][..]);
    (who, deal, any::<bool>(), customer, any::<bool>(), since).prop_map(
        |(who, deal, services, customer, known_person, since)| Becomes {
            who,
            deal,
            services,
            customer,
            known_person,
            since,
        },
    )
}

fn story() -> impl Strategy<Value = Story> {
    let persons = proptest::collection::vec(generate::contact_fields(), 0..4);
    let notes = proptest::collection::vec(generate::activity_fields(), 0..4);
    let into = proptest::option::weighted(0.7, generate::lead_fields());
    let what = (into, becomes());
    (generate::lead_fields(), persons, notes, 0..3_usize, 0..4_usize, what).prop_map(
        |(mut fields, persons, notes, estimates, stage, (mut into, becomes))| {
            // A deal is worth nothing or something.
            for fields in [Some(&mut fields), into.as_mut()].into_iter().flatten() {
                fields.amount = fields.amount.map(|amount| amount.abs());
            }
            Story { fields, persons, notes, estimates, stage, into, becomes }
        },
    )
}

impl Story {
    /// The options of the story, with what became of the lead before.
    fn options(&self, known: Option<&ConversionOutcome>) -> ConversionOptions {
        let Becomes { who, deal, services, customer, known_person, since: _ } = self.becomes;
        let mut options = ConversionOptions::default();
        if let Some(person) = known.and_then(|known| known.contacts.first()).filter(|_| known_person) {
            options = options.person(PersonChoice::Existing(*person));
        }
        if who == Who::Persons {
            return options.contact_only();
        }
        options.contacts = who == Who::Both;
        if let Some(account) = known.and_then(|known| known.account) {
            options = options.into_account(account);
        }
        if services {
            options = options.estimates(EstimateChoice::All);
        }
        options = options.customer(customer);
        let won = OpportunityEnding::Won { on: None };
        match (deal, known.and_then(|known| known.opportunity)) {
            (Deal::Open, _) => options.with_opportunity(OpportunityRequest::new()),
            (Deal::Won, _) => options.with_opportunity(OpportunityRequest::new().ended(won)),
            (Deal::Joined, Some(deal)) => options.opportunity(OpportunityChoice::Existing(deal)),
            (Deal::None | Deal::Joined, _) => options,
        }
    }
}

/// Only what is required and missing is no story: whatever else is refused is a fault.
fn unless_required<T>(result: Result<T>) -> std::result::Result<T, TestCaseError> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => {
            let required = |broken: &Violation| broken.code == ViolationCode::Required;
            if !error.violations().is_empty() && error.violations().iter().all(required) {
                return Err(TestCaseError::reject("something that is required is missing"));
            }
            Err(TestCaseError::fail(format!("{error}: {:?}", error.violations())))
        }
    }
}

/// The lead of a story, if it keeps the rules of a new tenant.
fn told(ctx: &Context<'_>, txn: &mut dyn Txn, story: &Story) -> Result<Lead> {
    let plain = |fields: &LeadFields| LeadFields { custom: Default::default(), ..fields.clone() };
    let lead = leads::create(ctx, txn, plain(&story.fields).into())?;
    let stage = txn.pipelines().list()?[0].stages[story.stage].id;
    leads::move_to(ctx, txn, lead.id, Expect::Any, stage)?;
    for person in &story.persons {
        // A person without anything is refused.
        let _ = leadcore::store::nested(txn, |txn| contacts::add(ctx, txn, lead.id, person.clone(), false));
    }
    for note in &story.notes {
        let _ =
            leadcore::store::nested(txn, |txn| activities::add(ctx, txn, &[lead.id.into()], note.clone()));
    }
    for _ in 0..story.estimates {
        estimates::create(ctx, txn, &[lead.id.into()], EstimateFields::titled("Roof").line(panels()))?;
    }
    leads::get(ctx, txn, lead.id)
}

/// What whoever takes it back does with what is new, before they do.
fn meanwhile(ctx: &Context<'_>, txn: &mut dyn Txn, story: &Story, made: &ConversionOutcome) -> Result<()> {
    let since = story.becomes.since;
    let inactive = ServiceState::Inactive;
    for id in &made.services {
        match since {
            Since::Nothing => {}
            Since::MovedOn => drop(services::set_state(ctx, txn, *id, Expect::Any, inactive)?),
            Since::Deleted => services::delete(ctx, txn, *id, Expect::Any)?,
        }
    }
    let is_new = matches!(story.becomes.deal, Deal::Open | Deal::Won);
    if let Some(id) = made.opportunity.filter(|_| is_new) {
        match (since, story.becomes.deal) {
            (Since::Nothing, _) => {}
            (Since::MovedOn, Deal::Won) => drop(opportunities::reopen(ctx, txn, id, Expect::Any)?),
            (Since::MovedOn, _) => drop(opportunities::win(ctx, txn, id, Expect::Any, None)?),
            (Since::Deleted, _) => opportunities::delete(ctx, txn, id, Expect::Any)?,
        }
    }
    Ok(())
}

fn there_and_back(store: &dyn Store, story: &Story) -> std::result::Result<(), TestCaseError> {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let known: Result<Option<ConversionOutcome>> = store.write(&scene.tenant, |txn| {
        let Some(fields) = &story.into else { return Ok(None) };
        let fields =
            LeadFields { custom: Default::default(), external_ids: Default::default(), ..fields.clone() };
        let lead = leads::create(&ctx, txn, fields.into())?;
        let with_deal = ConversionOptions::default().with_opportunity(OpportunityRequest::new());
        convert::convert(&ctx, txn, lead.id, &with_deal).map(Some)
    });
    let known = unless_required(known)?;
    let lead = unless_required(store.write(&scene.tenant, |txn| told(&ctx, txn, story)))?;
    let before = essence(store, &scene);
    let mut options = story.options(known.as_ref());
    let plan = store.read(&scene.tenant, |txn| convert::plan(&ctx, txn, lead.id, &options));
    let names_another =
        |broken: &Violation| (broken.field.as_str(), broken.code) == ("person", ViolationCode::NotAllowed);
    if plan.is_err_and(|error| error.violations().iter().any(names_another)) {
        // The person of the lead is one of its own contacts: nobody else is it.
        options = options.person(PersonChoice::New);
    }
    for round in 0..2 {
        scene.tick();
        let made = store.write(&scene.tenant, |txn| convert::convert(&ctx, txn, lead.id, &options));
        let made = unless_required(made)?;
        prop_assert!(made.newly_converted, "round {round}: it can be converted again");
        let asked = options.opportunity != OpportunityChoice::None;
        prop_assert_eq!((made.opportunity.is_some(), made.document), (asked, options.customer.document()));
        let lines = if options.estimates == EstimateChoice::None { 0 } else { story.estimates };
        prop_assert_eq!(made.services.len(), lines);
        scene.tick();
        store.write(&scene.tenant, |txn| meanwhile(&ctx, txn, story, &made)).unwrap();
        scene.tick();
        let back = store.write(&scene.tenant, |txn| convert::unconvert(&ctx, txn, lead.id)).unwrap();
        prop_assert!(back.newly_unconverted);
        prop_assert_eq!(essence(store, &scene), before.clone(), "round {}", round);
    }
    let now = store.read(&scene.tenant, |txn| leads::get(&ctx, txn, lead.id)).unwrap();
    let same = Lead { revision: lead.revision, updated_at: lead.updated_at, ..now };
    prop_assert_eq!(same, lead);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn x_09_unconvert_restores_the_lead_and_every_association(story in story()) {
        there_and_back(&MemoryStore::new(), &story)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn x_09_in_a_database_too(story in story()) {
        there_and_back(&SqliteStore::open_in_memory().unwrap(), &story)?;
    }
}
