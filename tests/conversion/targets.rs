//! What a lead becomes: account, persons, opportunity, services, alone or together.

use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{
    self, AccountChoice, ConversionOptions, ConversionPlan, CustomerType, EstimateChoice, Fate,
    LeadConverted, OpportunityChoice, OpportunityEnding, OpportunityRequest, PersonChoice, Unconvertible,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::{
    Expect, Listing, accounts, activities, contacts, estimates, leads, opportunities, series, services,
    settings, timeline,
};
use leadcore::domain::{
    AccountStatus, ActivityFields, ActivityKind, Catalogue, Emails, Field, Lead, LeadPatch,
    OpportunityFields, OpportunityPatch, OpportunityState, Series, SeriesFields, ServiceState,
};
use leadcore::error::{Conflict, ErrorKind, ViolationCode};
use leadcore::testkit::dump;

use super::back::essence;
use super::fresh::as_bob;
use super::{nordlys, worked};
use crate::estimates::{euro_lead, roof, sent};
use crate::support::{Host, company, fields_of, form, refused};

fn options() -> ConversionOptions {
    ConversionOptions::default()
}

fn into(host: &Host, lead: &Lead, options: &ConversionOptions) -> convert::ConversionOutcome {
    host.scene.tick();
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, options))
}

fn plan(host: &Host, lead: &Lead, options: &ConversionOptions) -> ConversionPlan {
    host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, options))
}

fn day(text: &str) -> leadcore::time::Date {
    text.parse().unwrap()
}

#[test]
fn s3_08_two_promotion_targets() {
    let host = Host::new();
    // Both, an account alone, persons alone.
    let both = into(&host, &worked(&host), &options());
    assert_eq!((both.account.is_some(), both.contacts.len()), (true, 3));
    let lead = worked(&host);
    let alone = into(&host, &lead, &options().account_only());
    let of = |account| host.read(|ctx, txn| contacts::of_account(ctx, txn, account));
    assert_eq!((of(alone.account.unwrap()).len(), alone.contacts.len()), (0, 0));
    assert_eq!(
        host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).len(),
        2,
        "they stay with the lead"
    );
    let lead = worked(&host);
    let before = host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items.len();
    let persons = into(&host, &lead, &options().contact_only());
    assert_eq!((persons.account, persons.account_number, persons.contacts.len()), (None, 0, 3));
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items.len(), before, "no account");
    // What hangs on the lead is shown with the person, and work goes on there.
    let notes = host.read(|ctx, txn| {
        activities::of(ctx, txn, persons.contacts[0], ActivityKind::ALL, &Listing::default())
    });
    assert_eq!(notes.items.len(), 2);
    let edit = host.try_write(|ctx, txn| {
        leads::edit(ctx, txn, lead.id, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo"))
    });
    refused(edit, ErrorKind::Frozen);
    let again = into(&host, &lead, &options());
    assert_eq!((again.newly_converted, again.account), (false, None), "once, whatever is asked for later");
    // Nobody is left of a lead without a person.
    let bare = host.add(company("Bare AS"));
    let none = host.try_read(|ctx, txn| convert::plan(ctx, txn, bare.id, &options().contact_only()));
    assert_eq!(fields_of(&refused(none, ErrorKind::Invalid)), ["contacts"]);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert!(host.get(&lead).conversion.is_none());
}

#[test]
fn s4_08_prospect_or_customer() {
    let host = Host::new();
    for status in [AccountStatus::Prospect, AccountStatus::Customer] {
        let done = into(&host, &host.add(nordlys()), &options().status(status));
        let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
        assert_eq!(account.fields.status, status);
    }
}

#[test]
fn s1_06_a_conversion_makes_a_potential() {
    let mut host = Host::new();
    let lead = worked(&host);
    let request = OpportunityRequest::new().with(OpportunityPatch::new().probability(Some(40)));
    let wanted = options().with_opportunity(request);
    let shown = plan(&host, &lead, &wanted);
    let json = serde_json::to_string(&shown).unwrap();
    let stored: ConversionPlan = serde_json::from_str(&json).unwrap();
    assert_eq!(stored, shown, "a plan is data");
    assert!(!shown.stays_on_lead.contains(&Field::Amount), "the amount goes with the opportunity");
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &stored));
    host.restart();
    let made = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
    assert_eq!(
        (made.state, made.origin_lead, Some(made.account)),
        (OpportunityState::Open, Some(lead.id), done.account)
    );
    assert_eq!(
        (made.fields.name.as_str(), made.fields.amount, made.fields.probability),
        ("Nordlys AS", lead.fields.amount.map(|amount| amount.normalize()), Some(40))
    );
    assert_eq!(made.contacts().collect::<Vec<_>>(), done.contacts, "about the same persons");
    let of_lead = host.read(|ctx, txn| opportunities::of(ctx, txn, lead.id, &Listing::default()));
    assert_eq!(of_lead.items.len(), 1, "reachable from the lead");
}

#[test]
fn s1_07_a_potential_is_won_or_lost_with_a_date() {
    let host = Host::new();
    let ended = |ending: OpportunityEnding| {
        let lead = host.add(nordlys());
        let wanted = options().with_opportunity(OpportunityRequest::new().ended(ending));
        let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted));
        let made = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
        (made.state, made.end.map(|end| end.on))
    };
    let on = Some(day("2026-11-20"));
    assert_eq!(ended(OpportunityEnding::Open), (OpportunityState::Open, None));
    assert_eq!(ended(OpportunityEnding::Won { on }), (OpportunityState::Won, on));
    let lost = OpportunityEnding::Lost { on: None, reason: None, detail: Some("no budget".to_owned()) };
    assert_eq!(ended(lost), (OpportunityState::Lost, Some(day("2026-11-22"))), "today");
    let lead = host.add(nordlys());
    let before = dump(&host.store, &host.scene.tenant);
    let early = OpportunityEnding::Won { on: Some(day("2027-01-01")) };
    let wanted = options().with_opportunity(OpportunityRequest::new().ended(early));
    let future = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted));
    assert_eq!(fields_of(&refused(future, ErrorKind::Invalid)), ["opportunity.on"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn x_05_a_lead_joins_a_running_opportunity() {
    let host = Host::new();
    let first = into(&host, &worked(&host), &options().with_opportunity(OpportunityRequest::new()));
    let running = first.opportunity.unwrap();
    let join = options().opportunity(OpportunityChoice::Existing(running));
    for _ in 0..2 {
        let lead = host.add(form(&[
            (Field::Company, "Nordlys Nord"),
            (Field::Name, "Per Vik"),
            (Field::Email, "per@nordlys.example"),
            (Field::Amount, "77"),
        ]));
        let before = essence(&host.store, &host.scene);
        let done = into(&host, &lead, &join);
        assert_eq!((done.opportunity, done.account), (Some(running), first.account));
        let joined = host.read(|ctx, txn| opportunities::get(ctx, txn, running));
        assert_eq!(joined.fields.amount, Some("1200.5".parse().unwrap()), "what was agreed stays");
        assert!(joined.contacts().any(|person| done.contacts.contains(&person)));
        // And out of it again.
        host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
        assert_eq!(without_revisions(&essence(&host.store, &host.scene)), without_revisions(&before));
        into(&host, &lead, &join);
    }
    assert_eq!(host.read(|ctx, txn| accounts::origins(ctx, txn, first.account.unwrap())).len(), 3);
    host.write(|ctx, txn| opportunities::win(ctx, txn, running, Expect::Any, None));
    let late = host.add(nordlys());
    let closed =
        refused(host.try_read(|ctx, txn| convert::plan(ctx, txn, late.id, &join)), ErrorKind::Conflict);
    assert_eq!(closed.conflict(), Some(&Conflict::Closed { function: "join".to_owned() }));
}

/// Lines of opportunities without their revision and time of writing.
fn without_revisions(lines: &[String]) -> Vec<String> {
    let plain = |line: &String| {
        let Some(json) = line.strip_prefix("opportunity ") else { return line.clone() };
        let mut value: serde_json::Value = serde_json::from_str(json).unwrap();
        if let Some(record) = value.as_object_mut() {
            record.remove("revision");
            record.remove("updated_at");
        }
        format!("opportunity {value}")
    };
    lines.iter().map(plain).collect()
}

#[test]
fn x_06_no_opportunity_unless_asked_for() {
    let host = Host::new();
    let done = into(&host, &worked(&host), &options());
    assert_eq!(done.opportunity, None);
    assert_eq!(host.read(|_, txn| txn.numbers().peek(Series::Opportunity.into())), 1);
}

#[test]
fn x_04_an_account_and_a_person_are_chosen_or_matched() {
    let host = Host::new();
    let known = into(&host, &host.add(nordlys()), &options());
    let fields = || {
        form(&[
            (Field::Company, "Nordlys A/S"),
            (Field::Name, "Kari Berg"),
            (Field::Email, "Kari@nordlys.example"),
            (Field::City, "Oslo"),
        ])
    };
    let lead = host.add(fields());
    let shown = plan(&host, &lead, &options());
    let matches = shown.matches.as_ref().unwrap();
    assert_eq!(matches.accounts[0].id, known.account.unwrap(), "shown, with the evidence: {matches:?}");
    assert!(!matches.accounts[0].evidence.is_empty());
    let ask = options().choosing(AccountChoice::Match(MatchPolicy::AskCaller));
    let asked =
        refused(host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ask)), ErrorKind::Conflict);
    assert!(matches!(asked.conflict(), Some(Conflict::AmbiguousMatch { .. })), "{asked}");
    let many = host.write(|ctx, txn| convert::many(ctx, txn, &Selection::Ids(vec![lead.id]), &ask));
    assert!(matches!(many.results[0].outcome, LeadConverted::Ambiguous { .. }), "{many:?}");
    assert_eq!(many.totals.ambiguous, 1);
    let best = MatchPolicy::Best { at_least: 60 };
    let matched = options().choosing(AccountChoice::Match(best)).person(PersonChoice::Match(best));
    let done = into(&host, &lead, &matched);
    assert_eq!((done.account, &done.contacts), (known.account, &known.contacts));
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, known.account.unwrap()));
    assert_eq!(
        (account.fields.address.city(), account.number),
        (Some("Tromsø"), 1),
        "nothing is overwritten"
    );
    // A third one by choice; nobody there matches a stranger.
    let third = host.add(fields());
    let chosen =
        options().into_account(known.account.unwrap()).person(PersonChoice::Existing(known.contacts[0]));
    assert_eq!(into(&host, &third, &chosen).contacts, known.contacts);
    let stranger = host.add(company("Fjord AS"));
    assert_eq!(into(&host, &stranger, &matched).account_number, 2, "a new one");
}

#[test]
fn consent_is_the_strictest_of_both() {
    let host = Host::new();
    let known = into(&host, &host.add(nordlys()), &options());
    let mut fields = nordlys();
    fields.emails = Emails::parse("kari@nordlys.example (opted_out)").unwrap();
    let lead = host.add(fields);
    let wanted =
        options().into_account(known.account.unwrap()).person(PersonChoice::Existing(known.contacts[0]));
    into(&host, &lead, &wanted);
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, known.account.unwrap()));
    assert!(account.fields.emails.entries()[0].opted_out, "the account");
    let person = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.account.unwrap())).remove(0);
    assert!(person.contact.fields.emails.entries()[0].opted_out, "and the person");
}

#[test]
fn s4_11_and_s4_12_a_series_is_looked_at_and_chosen() {
    let host = Host::new();
    let vip = host.write(|ctx, txn| {
        let fields = SeriesFields::named("Key customers").prefix("K-").range(1_000, 1_001);
        series::add(ctx, txn, Series::Account, fields)
    });
    into(&host, &host.add(company("First AS")), &options());
    let lead = host.add(company("Key AS"));
    let shown = plan(&host, &lead, &options().series(vip.id));
    let next: Vec<_> =
        shown.series.iter().map(|state| state.next.as_ref().map(|next| next.text.clone())).collect();
    assert_eq!(next, [Some("2".to_owned()), Some("K-1000".to_owned())], "the next number of each");
    assert_eq!(shown.series[0].last[0].name.as_deref(), Some("First AS"), "and who was registered last");
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &shown));
    assert_eq!(done.account_number, 1_000);
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
    assert_eq!(account.serial.map(|serial| serial.text).as_deref(), Some("K-1000"));
    into(&host, &host.add(company("Key 2")), &options().series(vip.id));
    let last = host.add(company("Key 3"));
    let before = dump(&host.store, &host.scene.tenant);
    let full = host.try_write(|ctx, txn| convert::convert(ctx, txn, last.id, &options().series(vip.id)));
    let error = refused(full, ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::SeriesExhausted { .. })), "{error}");
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn s4_14_an_opportunity_forces_conversion() {
    let host = Host::new();
    let lead = worked(&host);
    let wish = OpportunityFields::named("A roof");
    let early = host.try_write(|ctx, txn| opportunities::create(ctx, txn, lead.id, wish.clone().into()));
    let early = refused(early, ErrorKind::Conflict);
    let Some(Conflict::ConversionRequired { lead: of, revision }) = early.conflict().cloned() else {
        panic!("{early}")
    };
    // The error says what to plan: the conversion makes the opportunity along.
    let request = OpportunityRequest::new().with(OpportunityPatch::new().name("A roof"));
    let wanted = options().at_revision(revision).with_opportunity(request);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, of, &wanted));
    let made = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
    assert_eq!((made.fields.name.as_str(), made.origin_lead), ("A roof", Some(lead.id)));
}

#[test]
fn s1_14_the_gate_asks_for_everything_at_once() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::TaxId).required = Some(true);
    catalogue.settings_mut(Field::City).required = Some(true);
    let lead = host.add(form(&[(Field::Email, "somebody@example.com")]));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let error =
        refused(host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options())), ErrorKind::Invalid);
    let mut fields = fields_of(&error);
    fields.sort_unstable();
    assert!(fields.contains(&"city") && fields.contains(&"tax_id"), "{fields:?}");
    assert!(error.violations().iter().all(|violation| violation.code == ViolationCode::Required));
}

#[test]
fn s4_10_everything_is_reachable_from_both_sides() {
    let mut host = Host::new();
    let lead = euro_lead(&host);
    host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], ActivityFields::task("Call")));
    let offer = sent(&host, &lead, roof());
    let wanted = options().estimates(EstimateChoice::All).with_opportunity(OpportunityRequest::new());
    let done = into(&host, &lead, &wanted);
    host.restart();
    let account = done.account.unwrap();
    let listing = Listing::default();
    for of in [leadcore::domain::Subject::from(lead.id), account.into()] {
        let found = host.read(|ctx, txn| {
            Ok((
                activities::of(ctx, txn, of, ActivityKind::ALL, &listing)?.items.len(),
                estimates::of(ctx, txn, of, &listing)?.items.iter().map(|one| one.id).collect::<Vec<_>>(),
                opportunities::of(ctx, txn, of, &listing)?.items.len(),
                services::of(ctx, txn, of, &listing)?.items.len(),
            ))
        });
        assert_eq!(found, (1, vec![offer.id], 1, 1), "{of}");
    }
    let told =
        |items: Vec<timeline::TimelineItem>| items.into_iter().map(|item| item.text).collect::<Vec<_>>();
    let of_lead = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 100)).items;
    let of_account = host.read(|ctx, txn| timeline::of_account(ctx, txn, account, None, 100)).items;
    assert_eq!(told(of_lead), told(of_account), "one history");
}

#[test]
fn x_09_sales_go_back_with_the_conversion() {
    let host = Host::new();
    let lead = euro_lead(&host);
    sent(&host, &lead, roof());
    let wanted = options()
        .estimates(EstimateChoice::All)
        .customer(CustomerType::InactiveWithProforma)
        .with_opportunity(OpportunityRequest::new());
    let before = essence(&host.store, &host.scene);
    let done = into(&host, &lead, &wanted);
    let service = host.read(|ctx, txn| services::get(ctx, txn, done.services[0]));
    assert_eq!((service.state, service.opportunity), (ServiceState::Inactive, done.opportunity));
    let back = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(back.blockers, []);
    let gone = back.records.iter().filter(|taken| taken.fate == Fate::Removed).count();
    assert_eq!(gone, 2, "the opportunity and the service: {back:?}");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    assert_eq!(essence(&host.store, &host.scene), before);
    // What somebody else hangs on the new opportunity stands against it.
    let done = into(&host, &lead, &wanted);
    let about = [done.opportunity.unwrap().into()];
    as_bob(&host, |ctx, txn| activities::add(ctx, txn, &about, ActivityFields::note("They like it")));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert!(matches!(&plan.blockers[..], [Unconvertible::HasChildren { .. }]), "{plan:?}");
}
