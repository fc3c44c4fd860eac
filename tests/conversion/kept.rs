//! What a conversion keeps, tells and counts, whatever was set up or asked in between.

use leadcore::dedupe::matching::{EvidenceKind, MatchPolicy};
use leadcore::desk::convert::{
    self, AccountChoice, CustomerType, EstimateChoice, OpportunityChoice, OpportunityRequest, PersonChoice,
    PlannedAccount,
};
use leadcore::desk::reports::{self, ReportQuery};
use leadcore::desk::{
    Expect, accounts, contacts, conversion_mapping, estimates, leads, matching, opportunities, pipelines,
    series, settings,
};
use leadcore::domain::conversion_mapping::{ConversionMapping, FillPolicy, Severity, WhyDropped};
use leadcore::domain::{
    AccountFields, AccountPatch, AccountStatus, CatalogueKind, ContactFields, CustomField, CustomType,
    Emails, Field, LeadKind, MarkNote, OpportunityFields, OpportunityPatch, Phones, Series, SeriesFields,
    Subject,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::query::Dimension;
use leadcore::value::Currency;

use super::fresh::*;
use crate::estimates::{euro_lead, roof};
use crate::support::{Host, company, fields_of, form, refused};

fn set(host: &Host, mapping: &ConversionMapping) {
    host.write(|ctx, txn| {
        let (revision, _) = conversion_mapping::get(ctx, txn)?;
        conversion_mapping::set(ctx, txn, revision, mapping)
    });
}

fn outdated(error: &leadcore::error::Error) {
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated), "{error}");
}

#[test]
fn an_address_that_is_marked_stays_behind_the_one_that_is_written_over_it() {
    let host = Host::new();
    let mut mapping = ConversionMapping::standard();
    mapping.rules.retain(|rule| rule.to.to_string() != "account.email");
    set(&host, &mapping.with(Field::Email, "account.email", FillPolicy::Overwrite).unwrap());
    let emails = Emails::parse("old@n.example (opted_out), plain@n.example").unwrap();
    let known = account(&host, &AccountFields { emails, ..named("N") });
    for mail in ["new@n.example", "old@n.example"] {
        let lead = host.add(form(&[(Field::Company, "N"), (Field::Email, mail)]));
        into(&host, &lead, &options().into_account(known.id));
        let now = host.read(|ctx, txn| accounts::get(ctx, txn, known.id)).fields.emails;
        let old = now.entries().iter().find(|entry| entry.value.as_str() == "old@n.example");
        assert!(old.is_some_and(|entry| entry.opted_out), "{mail}: {now:?}");
        assert_eq!(now.primary().unwrap().as_str(), mail);
        assert!(now.iter().all(|one| one.as_str() != "plain@n.example"), "what is not marked goes");
    }
}

#[test]
fn nobody_calls_the_person_of_a_lead_that_must_not_be_called() {
    let host = Host::new();
    let bare = host.add(company("N"));
    let note = MarkNote::new(None, Some("register")).unwrap();
    let none = host.try_write(|ctx, txn| leads::do_not_call(ctx, txn, bare.id, Expect::Any, &note));
    assert_eq!(fields_of(&refused(none, ErrorKind::Invalid)), ["phone"]);
    let known = account(&host, &named("N"));
    let kari = ContactFields {
        emails: Emails::parse("kari@n.example").unwrap(),
        phones: Phones::parse("+47 22 00 00 01", None).unwrap(),
        ..ContactFields::named("Kari Berg").unwrap()
    };
    let kari = host.write(|ctx, txn| contacts::add(ctx, txn, known.id, kari.clone(), true));
    let values = [
        (Field::Company, "N"),
        (Field::Name, "Kari Berg"),
        (Field::Email, "kari@n.example"),
        (Field::Phone, "+47 22 00 00 02"),
    ];
    let lead = host.add(form(&values));
    host.write(|ctx, txn| leads::do_not_call(ctx, txn, lead.id, Expect::Any, &note));
    let wanted = options().into_account(known.id).person(PersonChoice::Existing(kari.id));
    into(&host, &lead, &wanted);
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
    assert_eq!(of[0].contact.fields.do_not_call.as_ref().and_then(MarkNote::reason), Some("register"));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
    assert_eq!(of[0].contact.fields, kari.fields);
}

#[test]
fn an_estimate_of_two_leads_is_sold_once() {
    let host = Host::new();
    let (first, second) = (euro_lead(&host), euro_lead(&host));
    let shared = host.write(|ctx, txn| {
        let about: [Subject; 2] = [first.id.into(), second.id.into()];
        let made = estimates::create(ctx, txn, &about, roof())?;
        let made = estimates::send(ctx, txn, made.id, made.revision)?;
        estimates::accept(ctx, txn, made.id, made.revision)
    });
    let accepted = options().estimates(EstimateChoice::Accepted);
    let early = plan(&host, &second, &accepted);
    let known = into(&host, &first, &accepted);
    assert_eq!(known.services.len(), 1);
    let late = host.try_write(|ctx, txn| convert::apply(ctx, txn, &early));
    outdated(&refused(late, ErrorKind::Conflict));
    let accepted = accepted.into_account(known.account.unwrap());
    let shown = plan(&host, &second, &accepted);
    assert!(shown.estimates[0].became_services && !shown.estimates[0].chosen && shown.services.is_empty());
    let chosen = shown.choose_estimates(&EstimateChoice::These(vec![shared.id]));
    assert_eq!(fields_of(&refused(chosen, ErrorKind::Invalid)), ["estimates[0]"]);
    assert_eq!(into(&host, &second, &accepted).services, []);
    // One that is taken back is offered again.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
    assert!(!plan(&host, &second, &options()).estimates[0].became_services);
}

/// What was won, by the campaign of the leads that brought it.
fn won(host: &Host) -> Vec<(String, String)> {
    let report = host.read(|ctx, txn| reports::report(ctx, txn, &ReportQuery::by([Dimension::Campaign])));
    let rows = report.rows.iter().filter_map(|row| {
        let money = row.money.first()?;
        Some((row.group[0].name.clone(), money.won.value.normalize().to_string()))
    });
    rows.collect()
}

fn won_of(host: &Host, of: impl Into<Subject> + Copy) {
    host.scene.tick();
    host.write(|ctx, txn| {
        let fields = OpportunityFields::named("Roof").worth(100.into(), Currency::parse("EUR")?);
        let made = opportunities::create(ctx, txn, of, fields.into())?;
        opportunities::win(ctx, txn, made.id, made.revision, None)
    });
    host.scene.tick();
}

#[test]
fn what_was_won_counts_for_a_lead_that_is_a_customer() {
    let host = Host::new();
    let known = account(&host, &named("N"));
    won_of(&host, known.id);
    let campaign = |name: &str| host.add(form(&[(Field::Company, "N"), (Field::Campaign, name)]));
    let (fair, mail) = (campaign("Fair"), campaign("Mail"));
    for lead in [&fair, &mail] {
        into(&host, lead, &options().into_account(known.id));
    }
    assert_eq!(won(&host), [], "no lead brought who was a customer before");
    won_of(&host, mail.id);
    assert_eq!(won(&host), [("Mail".to_owned(), "100".to_owned())]);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, mail.id));
    assert_eq!(won(&host), [("Fair".to_owned(), "100".to_owned())], "it stays with the account");
    host.write(|ctx, txn| leads::delete(ctx, txn, mail.id, Expect::Any));
    assert_eq!(won(&host), [("Fair".to_owned(), "100".to_owned())]);
}

#[test]
fn a_stage_that_converted_leads_are_in_stays() {
    let host = Host::new();
    let lead = host.add(company("N"));
    into(&host, &lead, &options());
    let (before, pipeline) = (host.get(&lead), host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0));
    let other = pipeline.stages.iter().find(|stage| stage.id != before.stage).unwrap().id;
    let gone = host.try_write(|ctx, txn| {
        pipelines::remove_stage(ctx, txn, pipeline.id, Expect::Any, before.stage, Some(other))
    });
    let error = refused(gone, ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }));
    assert!(error.to_string().contains("stay as they were converted"), "{error}");
    assert_eq!(host.get(&lead), before);
}

#[test]
fn a_number_that_is_all_one_digit_speaks_against_another_one() {
    let host = Host::new();
    let number = |tax_id: &str| {
        let country = [(Field::Company, "Nordlys"), (Field::TaxId, tax_id), (Field::Country, "NO")];
        host.add(form(&country))
    };
    into(&host, &number("111111111"), &options());
    for (tax_id, is_other) in [("987654321", true), ("111111111", false), ("000000000", false)] {
        let lead = number(tax_id);
        let found = host.read(|ctx, txn| matching::for_lead(ctx, txn, lead.id)).accounts.remove(0);
        let told: Vec<_> = found.evidence.iter().map(|one| one.kind).collect();
        assert_eq!(told.contains(&EvidenceKind::OtherTaxId), is_other, "{tax_id}: {told:?}");
        assert!(!told.contains(&EvidenceKind::TaxId));
    }
}

#[test]
fn a_choice_of_the_customer_forgets_those_before_it() {
    let host = Host::new();
    let lead = host.add(company("N"));
    let status = |plan: &convert::ConversionPlan| plan.account.fields().unwrap().status;
    let step = |plan: convert::ConversionPlan, customer| plan.customer_information(customer, false).unwrap();
    let new = step(plan(&host, &lead, &options()), CustomerType::InactiveWithProforma);
    assert_eq!(status(&step(new, CustomerType::Neither)), AccountStatus::Customer);
    let known = account(&host, &AccountFields { status: AccountStatus::Prospect, ..named("N") });
    let joined = plan(&host, &lead, &options().into_account(known.id));
    let stored = serde_json::to_string(&step(joined, CustomerType::ActiveWithInvoice)).unwrap();
    let active: convert::ConversionPlan = serde_json::from_str(&stored).unwrap();
    assert_eq!(status(&active), AccountStatus::Customer);
    assert_eq!(status(&step(active, CustomerType::Neither)), AccountStatus::Prospect);
}

#[test]
fn what_the_caller_says_is_not_told_as_written_by_a_rule() {
    let host = Host::new();
    let values =
        [(Field::Company, "N"), (Field::City, "Oslo"), (Field::Amount, "10"), (Field::Currency, "EUR")];
    let lead = host.add(form(&values));
    let patch = AccountPatch::new().set(Field::City, "Bergen");
    let writes_city = |plan: &convert::ConversionPlan| {
        plan.writes.iter().any(|write| write.to.to_string() == "account.city")
    };
    let asked = plan(&host, &lead, &options().account_fields(patch.clone()));
    let stepped = plan(&host, &lead, &options());
    assert!(writes_city(&stepped));
    let stepped = stepped.customer_fields(&patch, &leadcore::domain::ContactPatch::new()).unwrap();
    for told in [&asked, &stepped] {
        assert!(!writes_city(told) && told.stays_on_lead.contains(&Field::City), "{:?}", told.stays_on_lead);
    }
    // An amount goes with its currency.
    let dollars = OpportunityPatch::new().currency(Some(Currency::parse("USD").unwrap()));
    let wanted = |patch: OpportunityPatch| options().with_opportunity(OpportunityRequest::new().with(patch));
    let error = unplanned(&host, &lead, &wanted(dollars.clone()), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["opportunity.currency"]);
    let both = plan(&host, &lead, &wanted(dollars.amount(Some(5.into()))));
    assert!(both.writes.iter().all(|write| !write.to.to_string().starts_with("opportunity.amount")));
    assert!(both.stays_on_lead.contains(&Field::Amount));
}

#[test]
fn the_company_of_a_consumer_stays_on_the_lead() {
    let host = Host::new();
    let mut fields = form(&[(Field::Company, "N AS"), (Field::Name, "Ola Vik")]);
    fields.kind = LeadKind::Consumer;
    let shown = plan(&host, &host.add(fields), &options());
    assert_eq!(shown.account.fields().unwrap().name, "Ola Vik");
    let write = shown.writes.iter().find(|write| write.from == Field::Company).unwrap();
    let dropped = write.dropped.as_ref().unwrap();
    assert_eq!((dropped.value.as_text(), dropped.why), (Some("N AS"), WhyDropped::OnlyFirst));
    assert!(shown.stays_on_lead.contains(&Field::Company));
}

#[test]
fn the_linter_looks_at_what_opportunities_get_when_one_is_asked_for() {
    let host = Host::new();
    let region = CustomField::new("x_region".parse().unwrap(), "Region", CustomType::Text).required(true);
    host.write(|ctx, txn| {
        let (revision, mut catalogue) = settings::catalogue_of(ctx, txn, CatalogueKind::Opportunity)?;
        catalogue.set_custom_field(region.clone());
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
    let mapping = host.read(|ctx, txn| conversion_mapping::get(ctx, txn)).1;
    let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &mapping));
    let told = found.iter().find(|one| one.to.as_ref().is_some_and(|to| to.key() == "x_region"));
    assert_eq!(told.map(|one| one.severity), Some(Severity::Warning), "{found:?}");
    set(&host, &mapping);
}

#[test]
fn a_running_opportunity_without_an_amount_gets_one_in_its_currency() {
    for (currency, expected) in [("USD", Some(500.into())), ("JPY", None)] {
        let host = Host::new();
        let known = account(&host, &named("N"));
        let fields = OpportunityFields {
            currency: Some(Currency::parse("USD").unwrap()),
            ..OpportunityFields::named("Running")
        };
        let deal = host.write(|ctx, txn| opportunities::create(ctx, txn, known.id, fields.clone().into()));
        let values = [(Field::Company, "N"), (Field::Amount, "500"), (Field::Currency, currency)];
        into(&host, &host.add(form(&values)), &options().opportunity(OpportunityChoice::Existing(deal.id)));
        let now = host.read(|ctx, txn| opportunities::get(ctx, txn, deal.id)).fields;
        assert_eq!((now.amount, now.currency), (expected, fields.currency), "{currency}");
    }
}

#[test]
fn an_opportunity_under_a_key_is_made_once() {
    let host = Host::new();
    let lead = host.add(company("N"));
    let create = |name: &str| {
        let wanted = opportunities::NewOpportunity::from(OpportunityFields::named(name));
        let wanted = wanted.converting(options().once("kk".parse().unwrap()));
        host.try_write(|ctx, txn| opportunities::create(ctx, txn, lead.id, wanted.clone()))
    };
    let first = create("Roof").unwrap();
    assert_eq!(create("Roof").unwrap(), first);
    let error = refused(create("Another"), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::KeyReused { differs: vec!["fields".to_owned()] }));
}

#[test]
fn a_stored_plan_of_a_new_account_asks_its_policy_again() {
    let host = Host::new();
    let values = [(Field::Company, "N"), (Field::Name, "Kari Berg"), (Field::Email, "kari@n.example")];
    let (one, two) = (host.add(form(&values)), host.add(form(&values)));
    let best = MatchPolicy::Best { at_least: 80 };
    let by_match = options().choosing(AccountChoice::Match(best));
    let plans = [&one, &two].map(|lead| plan(&host, lead, &by_match));
    assert!(plans.iter().all(|plan| matches!(plan.account, PlannedAccount::New { .. })));
    let made = host.write(|ctx, txn| convert::apply(ctx, txn, &plans[0]));
    let late = host.try_write(|ctx, txn| convert::apply(ctx, txn, &plans[1]));
    outdated(&refused(late, ErrorKind::Conflict));
    let again = plan(&host, &two, &by_match);
    assert_eq!(host.write(|ctx, txn| convert::apply(ctx, txn, &again)).account, made.account);
    let person = options().person(PersonChoice::Match(best));
    let lead =
        host.add(form(&[(Field::Company, "M"), (Field::Name, "Eva"), (Field::Email, "eva@m.example")]));
    let early = plan(&host, &lead, &person);
    let twin =
        host.add(form(&[(Field::Company, "M"), (Field::Name, "Eva"), (Field::Email, "eva@m.example")]));
    into(&host, &twin, &options());
    outdated(&refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &early)), ErrorKind::Conflict));
}

#[test]
fn two_who_share_the_address_of_the_office_are_two() {
    for (name, persons) in [("Kari Berg", 2), ("Ola Dal", 1), ("O. Dal", 1), ("Per Dal", 2)] {
        let host = Host::new();
        let values = [(Field::Company, "N"), (Field::Name, name), (Field::Email, "post@n.example")];
        let lead = host.add(form(&values));
        let emails = Emails::parse("post@n.example").unwrap();
        let ola = ContactFields { emails, ..ContactFields::named("Ola Dal").unwrap() };
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, ola.clone(), false));
        assert_eq!(into(&host, &lead, &options()).contacts.len(), persons, "{name}");
    }
}

#[test]
fn a_used_up_series_is_shown_with_the_others() {
    let host = Host::new();
    let one = |name: &str, last: u64| {
        let fields = SeriesFields::named(name).prefix(&format!("{name}-")).range(1, last);
        host.write(|ctx, txn| series::add(ctx, txn, Series::Account, fields.clone())).id
    };
    let (few, many) = (one("Few", 1), one("Many", 9));
    host.write(|ctx, txn| series::set_default(ctx, txn, few));
    into(&host, &host.add(company("First AS")), &options());
    let lead = host.add(company("Second AS"));
    let shown = plan(&host, &lead, &options());
    let missing: Vec<_> = shown.missing.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(missing, ["series"]);
    assert!(shown.series.iter().any(|state| state.series.id == few && state.next.is_none()));
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &shown)), ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::SeriesExhausted { .. })), "{error}");
    let shown = plan(&host, &lead, &options().series(many));
    assert!(shown.missing.is_empty());
    assert_eq!(host.write(|ctx, txn| convert::apply(ctx, txn, &shown)).account_number, 1);
}
