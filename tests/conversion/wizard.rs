//! The wizard as data: each step from plan to plan, drawn or not.

use std::collections::BTreeMap;

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionPlan, CustomerType, Document, EstimateChoice, PlannedService,
};
use leadcore::desk::{Listing, accounts, contacts, estimates, services, settings};
use leadcore::domain::{
    AccountPatch, AccountStatus, CatalogueKind, ContactFields, ContactPatch, CustomField, CustomType, Emails,
    EstimateStatus, Field, Lead, LeadFields, Line, ServiceFields, ServiceState, SubjectKind,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::{AccountId, LeadId};
use leadcore::store::StoreExt as _;
use leadcore::testkit::dump;

use crate::estimates::{draft, euro_lead, panels, roof, sent};
use crate::support::{Host, fields_of, refused};

/// A lead with a draft, an accepted estimate and a declined one.
fn offered(host: &Host) -> (Lead, ConversionPlan) {
    let lead = euro_lead(host);
    draft(host, &lead, roof());
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
    assert_eq!(states, [EstimateStatus::Draft, EstimateStatus::Accepted], "only open or accepted ones");
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
    let draft = plan.estimates[0].id;
    host.write(|ctx, txn| estimates::send(ctx, txn, draft, leadcore::desk::Expect::Any));
    let before = dump(&host.store, &host.scene.tenant);
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan)), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn an_edited_plan_names_lines_that_the_estimate_has() {
    let host = Host::new();
    let (lead, plan) = offered(&host);
    let mut plan = plan.choose_estimates(&EstimateChoice::Accepted).unwrap();
    // The plan says itself that there is such a line.
    let chosen = plan.estimates.iter_mut().find(|estimate| estimate.chosen).unwrap();
    chosen.lines.push(Line::new("Nothing", 1.into(), 1.into()));
    let position = u32::try_from(chosen.lines.len() - 1).unwrap();
    plan.services[1].origin.as_mut().unwrap().position = position;
    let before = dump(&host.store, &host.scene.tenant);
    let wrong = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan)), ErrorKind::Invalid);
    assert_eq!(fields_of(&wrong), ["services[1].origin"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "{}", lead.number);
}

#[test]
fn estimates_that_are_over_hide_none_that_is_open() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let sent = sent(&host, &lead, roof());
    let over = host.write(|ctx, txn| estimates::decline(ctx, txn, sent.id, sent.revision, Some("too dear")));
    host.write(|_, txn| {
        let copies: Vec<_> = (0..1_000_u64)
            .map(|n| {
                let id = leadcore::id::EstimateId::from_uuid(host.scene.uuid());
                leadcore::domain::Estimate { id, number: 1_000 + n, ..over.clone() }
            })
            .collect();
        txn.estimates().insert(&copies)?;
        let placed: Vec<_> = copies.iter().map(leadcore::domain::Estimate::placement).collect();
        txn.children().place(&placed)
    });
    host.scene.clock.advance(chrono::TimeDelta::days(1));
    let open = draft(&host, &lead, roof());
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &ConversionOptions::default()));
    let offered: Vec<_> = plan.estimates.iter().map(|estimate| estimate.id).collect();
    assert_eq!(offered, [open.id]);
}

#[test]
fn an_edited_plan_keeps_the_rule_of_tax_numbers() {
    #[derive(Debug)]
    struct NoShort;
    impl leadcore::value::TaxIdRule for NoShort {
        fn check(
            &self,
            _: Option<leadcore::value::Country>,
            id: &leadcore::value::TaxId,
        ) -> Result<(), leadcore::error::ValueError> {
            let code = leadcore::error::ViolationCode::Malformed;
            let short = leadcore::error::ValueError::new(code, "too short");
            if id.as_str().len() < 9 { Err(short) } else { Ok(()) }
        }
    }
    let host = Host::new();
    let lead = euro_lead(&host);
    let known =
        host.add(LeadFields { tax_id: Some("12".parse().unwrap()), ..crate::support::company("Old AS") });
    let ctx = host.ctx().with_tax_rule(&NoShort);
    let options = ConversionOptions::default();
    let mut plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
    if let convert::PlannedAccount::New { fields, .. } = &mut plan.account {
        fields.tax_id = Some("12".parse().unwrap());
    }
    let wrong = host.store.write(ctx.tenant(), |txn| convert::apply(&ctx, txn, &plan));
    assert_eq!(fields_of(&refused(wrong, ErrorKind::Invalid)), ["account.tax_id"]);
    // The number that the lead has had before there was a rule goes with it.
    host.store.write(ctx.tenant(), |txn| convert::convert(&ctx, txn, known.id, &options)).unwrap();
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
    let first = draft(&host, &lead, roof());
    assert_eq!(titles(EstimateChoice::All), (vec![first.id], 1), "nothing was sent yet");
    host.write(|ctx, txn| estimates::send(ctx, txn, first.id, leadcore::desk::Expect::Any));
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
    let third = host.write(|ctx, txn| estimates::revise(ctx, txn, second.id));
    host.write(|ctx, txn| estimates::decline(ctx, txn, second.id, leadcore::desk::Expect::Any, None));
    assert_eq!(titles(EstimateChoice::All), (vec![third.id], 1), "no answer is to come to what was sent");
    host.write(|ctx, txn| estimates::send(ctx, txn, third.id, leadcore::desk::Expect::Any));
    host.write(|ctx, txn| estimates::accept(ctx, txn, third.id, leadcore::desk::Expect::Any));
    assert_eq!(titles(EstimateChoice::All), (vec![third.id], 1), "the one that was accepted");
    assert_eq!(titles(EstimateChoice::Accepted), (vec![third.id], 1));
}

#[test]
fn s0_21_the_form_fills_in_what_is_missing() {
    let host = Host::new();
    let terms = Field::Custom("x_terms".parse().unwrap());
    let mut field = CustomField::new("x_terms".parse().unwrap(), "Payment terms", CustomType::Text);
    field.settings.required = Some(true);
    host.write(|ctx, txn| {
        let (revision, mut catalogue) = settings::catalogue_of(ctx, txn, CatalogueKind::Account)?;
        catalogue.set_custom_field(field.clone());
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
    let fields = LeadFields {
        person: Some(leadcore::value::PersonName::parse("Ana Berg").unwrap()),
        ..crate::support::company("Nordlys AS")
    };
    let lead = host.add(fields);
    let options = ConversionOptions::default();
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
    let told: Vec<_> = plan.missing.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(told, ["account.x_terms"]);
    let before = dump(&host.store, &host.scene.tenant);
    for error in [
        refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan)), ErrorKind::Invalid),
        refused(host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options)), ErrorKind::Invalid),
    ] {
        assert_eq!(fields_of(&error), ["account.x_terms"]);
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);

    // Three screens; the plan is stored between them.
    let plan: ConversionPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let first = plan.choose_estimates(&EstimateChoice::None).unwrap();
    let wrong = AccountPatch::new().set(Field::Email, "nobody").set(Field::Amount, 5);
    let wrong = wrong.set(Field::Custom("x_other".parse().unwrap()), "1").status(AccountStatus::Prospect);
    let strange = ContactPatch::new().set(Field::City, "Oslo");
    let error = refused(first.clone().customer_fields(&wrong, &strange), ErrorKind::Invalid);
    let mut told = fields_of(&error);
    told.sort_unstable();
    assert_eq!(
        told,
        ["account.amount", "account.email", "account.status", "account.x_other", "contact.city"]
    );
    let profile = AccountPatch::new().set(terms.clone(), "30 days").set(Field::City, "Oslo");
    let person = ContactPatch::new().set(Field::FirstName, "Anna").role("Buyer");
    let second = first.clone().customer_fields(&profile, &person).unwrap();
    assert!(second.missing.is_empty());
    let emptied = second.clone().customer_fields(&AccountPatch::new().name(""), &ContactPatch::new());
    assert!(emptied.is_err() || !emptied.unwrap().missing.is_empty(), "nothing goes by unnoticed");
    let second = second.customer_information(CustomerType::ActiveWithInvoice, false).unwrap();
    let third = second.edit_services(Vec::new()).unwrap();
    let by_one_call = {
        let said = options.clone().account_fields(profile).contact_fields(person);
        let other = host.add(LeadFields {
            person: Some(leadcore::value::PersonName::parse("Ana Holm").unwrap()),
            ..crate::support::company("Fjord AS")
        });
        host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &said))
    };
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &third));
    for (done, name) in [(done, "Anna Berg"), (by_one_call, "Anna Holm")] {
        let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
        let lead = account.fields.as_lead_fields();
        assert_eq!(terms.read_fields(&lead).as_text(), Some("30 days"));
        assert_eq!(account.fields.address.city(), Some("Oslo"));
        let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, done.account.unwrap()));
        let [person] = persons.as_slice() else { panic!("one person") };
        let fields = &person.contact.fields;
        assert_eq!((fields.display_name(), fields.role.as_deref()), (Some(name), Some("Buyer")));
    }
}

#[test]
fn s0_21_a_customer_that_is_there_is_edited_by_itself() {
    let host = Host::new();
    let known = host.add(crate::support::company("Nordlys AS"));
    let options = ConversionOptions::default();
    let known = host.write(|ctx, txn| convert::convert(ctx, txn, known.id, &options));
    let lead = host.add(crate::support::company("Nordlys Nord AS"));
    let joins = options.into_account(known.account.unwrap());
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &joins));
    let city = AccountPatch::new().set(Field::City, "Oslo");
    let role = ContactPatch::new().role("Buyer");
    let error = refused(plan.customer_fields(&city, &role), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["account", "contact"]);
    let said = joins.account_fields(city);
    let error =
        refused(host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &said)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["account_fields"]);
}

#[test]
fn s0_21_each_further_person_has_a_form_too() {
    let host = Host::new();
    let known = host.add(crate::support::company("Nordlys AS"));
    let customer = host.write(|ctx, txn| convert::convert(ctx, txn, known.id, &ConversionOptions::default()));
    let add = |of: leadcore::domain::Subject, name: &str| {
        let person = ContactFields::named(name).unwrap();
        host.write(|ctx, txn| match of.kind {
            SubjectKind::Lead => contacts::add(ctx, txn, LeadId::from_uuid(of.id), person.clone(), false),
            _ => contacts::add(ctx, txn, AccountId::from_uuid(of.id), person.clone(), false),
        })
    };
    let there = add(customer.account.unwrap().into(), "Eva Moe");
    let lead = host.add(crate::support::company("Fjord AS"));
    let (ola, kari) = (add(lead.id.into(), "Ola Dal"), add(lead.id.into(), "Kari Berg"));
    let mail = ContactFields { emails: Emails::parse("ola@fjord.example").unwrap(), ..ola.fields.clone() };
    host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, ola.id, ola.revision, mail.clone()));
    let ola = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).remove(0).contact;
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &ConversionOptions::default()));
    let told: Vec<_> = plan.own_persons.iter().map(|one| one.id).collect();
    assert_eq!(told, [ola.id, kari.id]);
    let plan: ConversionPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();

    // What does not fit is named by the place of the person, all at once, and nothing of it is written.
    let wrong = BTreeMap::from([
        (ola.id, ContactPatch::new().set(Field::Email, "nobody").set(Field::City, "Oslo")),
        (kari.id, ContactPatch::new().set(Field::Name, "")),
        (there.id, ContactPatch::new().role("Buyer")),
    ]);
    let at_once = ConversionOptions::default().person_fields(wrong.clone());
    for error in [
        refused(plan.clone().person_fields(&wrong), ErrorKind::Invalid),
        refused(host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &at_once)), ErrorKind::Invalid),
    ] {
        let mut fields = fields_of(&error);
        fields.sort_unstable();
        assert_eq!(fields, ["contacts[0].city", "contacts[0].email", "contacts[1].name", "person_fields"]);
    }
    let none = ConversionOptions::default().account_only().person_fields(wrong);
    let error =
        refused(host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &none)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["person_fields"]);

    // Said twice, each goes over what was said before.
    let said = |patch| BTreeMap::from([(ola.id, patch)]);
    let second = plan.person_fields(&said(ContactPatch::new().role("Buyer"))).unwrap();
    let second = second.person_fields(&said(ContactPatch::new().set(Field::JobTitle, "CTO"))).unwrap();
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &second));
    assert_eq!(done.contacts, [ola.id, kari.id]);
    let of = |account| host.read(|ctx, txn| contacts::of_account(ctx, txn, account));
    let now = of(done.account.unwrap()).remove(0).contact;
    assert_eq!((now.fields.role.as_deref(), now.fields.job_title.as_deref()), (Some("Buyer"), Some("CTO")));
    assert_eq!(now.fields.emails, ola.fields.emails);
    // The way back gives it back, and one call says the same.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let back = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).remove(0).contact;
    assert_eq!(back.fields, ola.fields);
    let options = ConversionOptions::default().person_fields(said(ContactPatch::new().role("Boss")));
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    assert_eq!(of(done.account.unwrap()).remove(0).contact.fields.role.as_deref(), Some("Boss"));
}
