//! The wizard as data: each step from plan to plan, drawn or not.

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionPlan, CustomerType, Document, EstimateChoice, PlannedService,
};
use leadcore::desk::{Listing, accounts, estimates, services};
use leadcore::domain::{AccountStatus, EstimateStatus, Lead, Line, ServiceFields, ServiceState};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::testkit::dump;

use crate::estimates::{draft, euro_lead, panels, roof, sent};
use crate::support::{Host, fields_of, refused};

/// A lead with a draft, one that was sent, an accepted estimate and a declined one.
fn offered(host: &Host) -> (Lead, ConversionPlan) {
    let lead = euro_lead(host);
    draft(host, &lead, roof());
    sent(host, &lead, roof());
    let accepted = sent(host, &lead, roof().line(Line::new("Care", 1.into(), 49.into())));
    host.write(|ctx, txn| estimates::accept(ctx, txn, accepted.id, accepted.revision));
    let declined = sent(host, &lead, roof());
    host.write(|ctx, txn| estimates::decline(ctx, txn, declined.id, declined.revision, Some("too dear")));
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &ConversionOptions::default()));
    (lead, plan)
}

#[test]
fn s2_24_step_1_estimates_are_chosen() {
    let host = Host::new();
    let (_, plan) = offered(&host);
    let states: Vec<_> = plan.estimates.iter().map(|estimate| estimate.status).collect();
    assert_eq!(states, [EstimateStatus::Sent, EstimateStatus::Accepted], "a draft was offered to nobody");
    let services = |choice: EstimateChoice| plan.clone().choose_estimates(&choice).unwrap().services.len();
    assert_eq!(services(EstimateChoice::None), 0);
    assert_eq!(services(EstimateChoice::Accepted), 2);
    assert_eq!(services(EstimateChoice::All), 3);
    assert_eq!(services(EstimateChoice::These(vec![plan.estimates[0].id])), 1);
    let strange = leadcore::id::EstimateId::from_uuid(host.scene.uuid());
    let error = refused(plan.choose_estimates(&EstimateChoice::These(vec![strange])), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["estimates[0]"]);
}

#[test]
fn s2_25_step_2_customer_and_type() {
    for (customer, status, document, state) in [
        (
            CustomerType::ActiveWithInvoice,
            AccountStatus::Customer,
            Some(Document::Invoice),
            ServiceState::Active,
        ),
        (
            CustomerType::InactiveWithProforma,
            AccountStatus::Prospect,
            Some(Document::Proforma),
            ServiceState::Inactive,
        ),
        (CustomerType::Neither, AccountStatus::Customer, None, ServiceState::Active),
    ] {
        let host = Host::new();
        let (_, plan) = offered(&host);
        let plan = plan.choose_estimates(&EstimateChoice::All).unwrap();
        let plan = plan.customer_information(customer, false).unwrap();
        let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
        assert_eq!(done.document, document);
        let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
        assert_eq!(account.fields.status, status);
        let made = host.read(|ctx, txn| services::of(ctx, txn, done.account.unwrap(), &Listing::default()));
        assert_eq!(made.items.len(), 3);
        assert!(made.items.iter().all(|service| service.state == state), "{customer:?}");
    }
}

#[test]
fn s2_26_convert_now() {
    let host = Host::new();
    let (_, plan) = offered(&host);
    let plan = plan.choose_estimates(&EstimateChoice::All).unwrap();
    let plan = plan.customer_information(CustomerType::ActiveWithInvoice, true).unwrap();
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    assert_eq!((done.services.len(), done.document), (0, Some(Document::Invoice)), "services are skipped");
}

#[test]
fn s2_27_step_3_services_are_edited() {
    let mut host = Host::new();
    let (lead, plan) = offered(&host);
    let plan = plan.choose_estimates(&EstimateChoice::Accepted).unwrap();
    let mut services = plan.services.clone();
    services[1].fields.line.unit_price = 39.into();
    services.push(PlannedService {
        fields: ServiceFields::from(Line::new("Setup", 1.into(), 10.into())),
        origin: None,
    });
    let wrong = {
        let mut wrong = services.clone();
        wrong[0].fields.line.description.clear();
        wrong[2].origin = wrong[0].origin.map(|mut origin| {
            origin.position = 9;
            origin
        });
        refused(plan.clone().edit_services(wrong), ErrorKind::Invalid)
    };
    assert_eq!(fields_of(&wrong), ["services[0].description", "services[2].origin"]);
    let plan = plan.edit_services(services).unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    let plan: ConversionPlan = serde_json::from_str(&json).unwrap();
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    host.restart();
    let made: Vec<_> =
        done.services.iter().map(|id| host.read(|ctx, txn| services::get(ctx, txn, *id))).collect();
    let told: Vec<_> =
        made.iter().map(|one| (one.fields.line.description.as_str(), one.origin.is_some())).collect();
    assert_eq!(told, [(panels().description.as_str(), true), ("Care", true), ("Setup", false)]);
    assert_eq!(made[1].fields.line.unit_price, 39.into());
    assert_eq!(made[0].fields.currency, lead.fields.currency, "in the currency of the estimate");
}

#[test]
fn an_estimate_that_changed_since_needs_a_new_plan() {
    let host = Host::new();
    let (_, plan) = offered(&host);
    let plan = plan.choose_estimates(&EstimateChoice::All).unwrap();
    let offer = plan.estimates[0].id;
    host.write(|ctx, txn| estimates::decline(ctx, txn, offer, leadcore::desk::Expect::Any, None));
    let before = dump(&host.store, &host.scene.tenant);
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan)), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn s2_24_of_one_estimate_one_version_is_copied() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let titles = |choice: EstimateChoice| {
        let options = ConversionOptions::default().estimates(choice);
        let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
        (plan.estimates.iter().map(|one| one.id).collect::<Vec<_>>(), plan.services.len())
    };
    let first = sent(&host, &lead, roof());
    let second = host.write(|ctx, txn| estimates::revise(ctx, txn, first.id));
    assert_eq!(titles(EstimateChoice::All), (vec![first.id], 1), "the new version is a draft still");
    let old = host.read(|ctx, txn| {
        convert::plan(ctx, txn, lead.id, &ConversionOptions::default().estimates(EstimateChoice::All))
    });
    host.write(|ctx, txn| estimates::send(ctx, txn, second.id, leadcore::desk::Expect::Any));
    assert_eq!(titles(EstimateChoice::All), (vec![second.id], 1), "the latest that was sent");
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &old)), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    let chosen = ConversionOptions::default().estimates(EstimateChoice::These(vec![first.id]));
    let error =
        refused(host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &chosen)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["estimates[0]"]);
    host.write(|ctx, txn| estimates::accept(ctx, txn, second.id, leadcore::desk::Expect::Any));
    assert_eq!(titles(EstimateChoice::All), (vec![second.id], 1), "the one that was accepted");
    assert_eq!(titles(EstimateChoice::Accepted), (vec![second.id], 1));
}
