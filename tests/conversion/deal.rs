//! The opportunity and the services of a conversion: what the form of one lacks, one opportunity of one call, one service of one
//! line.

use leadcore::desk::convert::{self, ConversionOptions, ConversionPlan, EstimateChoice, OpportunityRequest};
use leadcore::desk::{estimates, opportunities, series};
use leadcore::domain::{
    AccountPatch, CatalogueKind, CustomType, CustomValue, EstimateFields, Field, Lead, LeadFields, Line,
    OpportunityFields, OpportunityPatch, Series, SeriesFields,
};
use leadcore::error::{ErrorKind, ViolationCode};
use leadcore::policy::RoleTable;

use super::fresh::*;
use super::partly::{define, key, own};
use crate::support::{Host, company, fields_of, form, refused};

fn missing(plan: &ConversionPlan) -> Vec<&str> {
    plan.missing.iter().map(|one| one.field.as_str()).collect()
}

fn with_opportunity() -> ConversionOptions {
    options().with_opportunity(OpportunityRequest::new())
}

#[test]
fn a_plan_of_a_new_opportunity_that_lacks_a_field_is_shown_and_filled_in() {
    let host = Host::new();
    let required = |name: &str| own(name, CustomType::Text).required(true);
    define(&host, CatalogueKind::Account, &[required("x_a")]);
    define(&host, CatalogueKind::Opportunity, &[required("x_o"), own("x_seats", CustomType::Integer)]);
    let lead = host.add(form(&[(Field::Company, "A"), (Field::Amount, "500"), (Field::Currency, "EUR")]));
    let shown = plan(&host, &lead, &with_opportunity());
    assert_eq!(missing(&shown), ["account.x_a", "opportunity.x_o"]);
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &shown)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["account.x_a", "opportunity.x_o"]);
    assert!(missing(&shown.clone().without_opportunity()) == ["account.x_a"]);
    // What does not fit is refused, and nothing of it written.
    let text = |text: &str| Some(CustomValue::Text(text.to_owned()));
    let wrong = OpportunityPatch::new()
        .custom(key("x_none"), text("1"))
        .custom(key("x_seats"), text("many"))
        .probability(Some(101));
    let error = refused(shown.clone().opportunity_fields(&wrong), ErrorKind::Invalid);
    let mut fields = fields_of(&error);
    fields.sort();
    assert_eq!(fields, ["opportunity.probability", "opportunity.x_none", "opportunity.x_seats"]);
    let dollars = OpportunityPatch::new().currency("USD".parse().ok());
    let error = refused(shown.clone().opportunity_fields(&dollars), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["opportunity.currency"]);
    // Each form fills in its own, in either order, from a plan that was stored.
    let said = OpportunityPatch::new().custom(key("x_o"), text("north")).amount(Some(7.into()));
    let filled = shown.clone().opportunity_fields(&said).unwrap();
    assert_eq!(missing(&filled), ["account.x_a"]);
    assert!(filled.stays_on_lead.contains(&Field::Amount));
    assert!(filled.writes.iter().all(|write| write.to.to_string() != "opportunity.amount"));
    let filled: ConversionPlan = serde_json::from_str(&serde_json::to_string(&filled).unwrap()).unwrap();
    let profile = AccountPatch::new().set(Field::Custom(key("x_a")), "a");
    let ready = filled.customer_fields(&profile, &Default::default()).unwrap();
    assert_eq!(missing(&ready), [""; 0]);
    let first = shown.customer_fields(&profile, &Default::default()).unwrap();
    assert_eq!(missing(&first), ["opportunity.x_o"]);
    assert_eq!(first.opportunity_fields(&said).unwrap(), ready);
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &ready));
    let made = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap())).fields;
    assert_eq!((made.custom.get(&key("x_o")), made.amount), (text("north").as_ref(), Some(7.into())));
    // One that is there is edited by itself; so is none.
    let other = host.add(company("B"));
    let none = plan(&host, &other, &options()).opportunity_fields(&said);
    assert_eq!(fields_of(&refused(none, ErrorKind::Invalid)), ["opportunity"]);
}

#[test]
fn a_new_opportunity_tells_its_used_up_series_with_what_it_lacks() {
    let host = Host::new();
    let fields = SeriesFields::named("Few").prefix("F-").range(1, 1);
    let few = host.write(|ctx, txn| series::add(ctx, txn, Series::Opportunity, fields.clone()));
    host.write(|ctx, txn| series::set_default(ctx, txn, few.id));
    into(&host, &host.add(company("First AS")), &with_opportunity());
    define(&host, CatalogueKind::Opportunity, &[own("x_o", CustomType::Text).required(true)]);
    let shown = plan(&host, &host.add(company("Second AS")), &with_opportunity());
    assert_eq!(missing(&shown), ["opportunity.x_o", "opportunity.series"]);
    let said = OpportunityPatch::new().custom(key("x_o"), Some(CustomValue::Text("north".to_owned())));
    assert_eq!(missing(&shown.opportunity_fields(&said).unwrap()), ["opportunity.series"]);
}

#[test]
fn an_opportunity_for_which_a_lead_is_converted_is_what_the_mapping_makes_of_it() {
    let host = Host::new();
    let seats = || own("x_seats", CustomType::Integer);
    define(&host, CatalogueKind::Lead, &[seats()]);
    define(&host, CatalogueKind::Opportunity, &[seats()]);
    let mut values = form(&[
        (Field::Company, "A"),
        (Field::Amount, "500"),
        (Field::Currency, "EUR"),
        (Field::Probability, "40"),
        (Field::ExpectedClose, "2027-01-31"),
        (Field::Description, "A roof"),
        (Field::Campaign, "Spring"),
    ]);
    values.custom.insert(key("x_seats"), CustomValue::Integer(9));
    values.owner = Some("bob".parse().unwrap());
    let twins = [host.add(values.clone()), host.add(values.clone())];
    let by_plan = into(&host, &twins[0], &with_opportunity()).opportunity.unwrap();
    let by_plan = host.read(|ctx, txn| opportunities::get(ctx, txn, by_plan)).fields;
    let create = |lead: &Lead, fields: OpportunityFields| {
        let asked = opportunities::NewOpportunity::from(fields).converting(options());
        host.try_write(|ctx, txn| opportunities::create(ctx, txn, lead.id, asked.clone()))
    };
    assert_eq!(create(&twins[1], OpportunityFields::default()).unwrap().fields, by_plan);
    // What is said goes over it.
    let said = OpportunityFields {
        amount: Some(7.into()),
        currency: "USD".parse().ok(),
        probability: Some(90),
        description: Some("Two roofs".to_owned()),
        custom: [(key("x_seats"), CustomValue::Integer(2))].into(),
        ..OpportunityFields::named("Roofs")
    };
    let made = create(&host.add(values.clone()), said.clone()).unwrap().fields;
    assert_eq!(
        made,
        OpportunityFields {
            owner: by_plan.owner,
            expected_close: by_plan.expected_close,
            campaign: by_plan.campaign,
            ..said
        }
    );
    // An amount goes with its currency.
    let lead = host.add(values);
    let dollars = OpportunityFields { currency: "USD".parse().ok(), ..OpportunityFields::named("Roof") };
    assert_eq!(fields_of(&refused(create(&lead, dollars), ErrorKind::Invalid)), ["currency"]);
    assert!(host.get(&lead).conversion.is_none());
    // Another one of the customer is not that of the lead.
    let second = opportunities::NewOpportunity::from(OpportunityFields::named("More"));
    let second = host.write(|ctx, txn| opportunities::create(ctx, txn, twins[0].id, second.clone()));
    assert_eq!((second.fields.amount, second.fields.description), (None, None));
}

#[test]
fn what_an_actor_may_not_see_becomes_what_the_mapping_makes_of_it_on_either_road() {
    let host = Host::new();
    let lead = host.add(LeadFields {
        owner: Some("ola".parse().unwrap()),
        ..form(&[(Field::Company, "A"), (Field::Amount, "500"), (Field::Currency, "EUR")])
    });
    let roles = RoleTable::new()
        .role("sales", leadcore::policy::Role::manager().hide(Field::Amount).unwrap())
        .user(&"ola".parse().unwrap(), &["sales"], None)
        .unwrap();
    let asked = opportunities::NewOpportunity::from(OpportunityFields::named("Roof")).converting(options());
    let made =
        host.write_as("ola", &roles, |ctx, txn| opportunities::create(ctx, txn, lead.id, asked.clone()));
    let made = made.unwrap();
    assert_eq!(made.fields.amount, None, "not shown");
    let whole = host.read(|ctx, txn| opportunities::get(ctx, txn, made.id));
    assert_eq!(whole.fields.amount, Some(500.into()));
}

#[test]
fn one_call_makes_one_opportunity() {
    let host = Host::new();
    let lead = host.add(company("A"));
    let asked = opportunities::NewOpportunity::from(OpportunityFields::named("Roof"));
    let asked = asked.converting(with_opportunity());
    let error = host.try_write(|ctx, txn| opportunities::create(ctx, txn, lead.id, asked.clone()));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["convert.opportunity"]);
    assert!(host.get(&lead).conversion.is_none());
}

#[test]
fn a_line_of_an_estimate_becomes_one_service() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "A"), (Field::Currency, "EUR")]));
    let line = Line::new("Panel", 1.into(), 100.into());
    for title in ["One", "Two"] {
        let fields = EstimateFields::titled(title).line(line.clone());
        host.write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], fields.clone()));
    }
    let shown = plan(&host, &lead, &options().estimates(EstimateChoice::All));
    let [one, two] = &shown.services[..] else { panic!("{:?}", shown.services) };
    let twice = shown.clone().edit_services(vec![one.clone(), one.clone()]);
    let error = refused(twice, ErrorKind::Invalid);
    let told: Vec<_> = error.violations().iter().map(|one| (one.field.as_str(), one.code)).collect();
    assert_eq!(told, [("services[1].origin", ViolationCode::Duplicate)]);
    let mut edited = shown.clone();
    edited.services.push(one.clone());
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &edited)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["services[2].origin"]);
    assert!(shown.clone().edit_services(vec![two.clone(), one.clone()]).is_ok());
}
