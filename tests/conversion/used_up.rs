//! A series that has no number left: the plan says so at the record, and its second step chooses another one.

use leadcore::desk::accounts::{self, NewAccount};
use leadcore::desk::convert::{
    self, ConversionOptions, ConversionPlan, LeadConverted, OpportunityRequest, PlannedOpportunity,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::{opportunities, series};
use leadcore::domain::{AccountFields, Field, Lead, NumberSeries, OpportunityPatch, Series, SeriesFields};
use leadcore::error::{Conflict, ErrorKind, ViolationCode};

use super::fresh::*;
use crate::support::{Host, fields_of, form, refused};

fn one(host: &Host, kind: Series, name: &str, last: u64) -> NumberSeries {
    let fields = SeriesFields::named(name).prefix(&format!("{name}-")).range(1, last);
    host.write(|ctx, txn| series::add(ctx, txn, kind, fields.clone()))
}

fn with_opportunity() -> ConversionOptions {
    options().with_opportunity(OpportunityRequest::new())
}

fn missing(plan: &ConversionPlan) -> Vec<(&str, ViolationCode)> {
    plan.missing.iter().map(|one| (one.field.as_str(), one.code)).collect()
}

fn lead(host: &Host) -> Lead {
    host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Amount, "500"), (Field::Currency, "EUR")]))
}

/// The default series of opportunities has no number left; another one has.
fn used_up(host: &Host) -> NumberSeries {
    let (few, many) = (one(host, Series::Opportunity, "Few", 1), one(host, Series::Opportunity, "Many", 9));
    host.write(|ctx, txn| series::set_default(ctx, txn, few.id));
    into(host, &lead(host), &with_opportunity());
    many
}

#[test]
fn a_plan_with_a_used_up_series_of_opportunities_is_shown_and_refused_when_it_is_carried_out() {
    let host = Host::new();
    used_up(&host);
    let lead = lead(&host);
    let shown = plan(&host, &lead, &with_opportunity());
    assert_eq!(missing(&shown), [("opportunity.series", ViolationCode::LimitReached)]);
    let Some(PlannedOpportunity::New { next, .. }) = &shown.opportunity else { panic!("{shown:?}") };
    assert_eq!(next, "");
    let told: Vec<_> = shown
        .opportunity_series
        .iter()
        .map(|state| (state.series.fields.name.as_str(), state.next.as_ref().map(|next| next.text.as_str())))
        .collect();
    assert_eq!(told, [("Few", None), ("Many", Some("Many-1")), ("Opportunities", Some("O-00001"))]);
    for error in [
        refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &shown)), ErrorKind::Conflict),
        refused(
            host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &with_opportunity())),
            ErrorKind::Conflict,
        ),
    ] {
        assert!(matches!(error.conflict(), Some(Conflict::SeriesExhausted { .. })), "{error}");
    }
    assert!(host.get(&lead).conversion.is_none());
}

#[test]
fn the_second_step_chooses_another_series_or_no_opportunity() {
    let host = Host::new();
    let many = used_up(&host);
    let lead = lead(&host);
    let shown = plan(&host, &lead, &with_opportunity());
    // Filling in the form takes nothing of it away.
    let filled = shown.clone().customer_fields(&Default::default(), &Default::default()).unwrap();
    assert_eq!(missing(&filled), missing(&shown));
    let without = shown.clone().without_opportunity();
    assert_eq!((missing(&without).len(), &without.opportunity), (0, &None));
    assert!(without.stays_on_lead.contains(&Field::Amount) && without.writes.len() < shown.writes.len());
    let stored = serde_json::to_string(&shown.clone().number_in(many.id).unwrap()).unwrap();
    let numbered: ConversionPlan = serde_json::from_str(&stored).unwrap();
    assert!(numbered.missing.is_empty());
    let Some(PlannedOpportunity::New { next, .. }) = &numbered.opportunity else { panic!("{numbered:?}") };
    assert_eq!(next, "Many-1");
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &numbered));
    let made = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
    assert_eq!(made.serial.map(|serial| serial.text).as_deref(), Some("Many-1"));
    // One that is used up or not shown is no choice.
    let few = shown.opportunity_series[0].series.id;
    assert_eq!(fields_of(&refused(shown.clone().number_in(few), ErrorKind::Invalid)), ["opportunity.series"]);
    let strange = leadcore::id::NumberSeriesId::from_uuid(host.scene.uuid());
    assert_eq!(fields_of(&refused(shown.number_in(strange), ErrorKind::Invalid)), ["series"]);
}

#[test]
fn the_second_step_numbers_the_account_too() {
    let host = Host::new();
    let (few, many) = (one(&host, Series::Account, "Few", 1), one(&host, Series::Account, "Many", 9));
    host.write(|ctx, txn| series::set_default(ctx, txn, few.id));
    account(&host, &AccountFields { ..named("First") });
    let lead = lead(&host);
    let shown = plan(&host, &lead, &options());
    assert_eq!(missing(&shown), [("series", ViolationCode::LimitReached)]);
    let numbered = shown.number_in(many.id).unwrap();
    assert!(numbered.missing.is_empty());
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &numbered));
    assert_eq!(done.account_number, 1);
}

#[test]
fn both_series_that_are_used_up_are_told_at_their_fields_and_with_the_rest() {
    let host = Host::new();
    used_up(&host);
    let few = one(&host, Series::Account, "Few", 1);
    host.write(|ctx, txn| series::set_default(ctx, txn, few.id));
    account(&host, &AccountFields { ..named("First") });
    let lead = lead(&host);
    let both = ["series", "opportunity.series"];
    let convert =
        |options: &ConversionOptions| host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, options));
    let error = refused(convert(&with_opportunity()), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), both);
    let shown = plan(&host, &lead, &with_opportunity());
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &shown)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), both);
    // What else stands against it is told with them.
    let patch = OpportunityPatch::new().probability(Some(101));
    let wrong = options().with_opportunity(OpportunityRequest::new().with(patch));
    let error = refused(convert(&wrong), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["series", "opportunity.probability"]);
    // Alone it is the conflict that it was.
    let error = refused(convert(&options()), ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::SeriesExhausted { .. })), "{error}");
    assert!(host.get(&lead).conversion.is_none());
}

#[test]
fn a_lead_of_many_without_a_number_is_told_the_same_whichever_series_are_used_up() {
    let host = Host::new();
    used_up(&host);
    let lead = lead(&host);
    let few = one(&host, Series::Account, "Few customers", 1);
    let first = NewAccount::from(named("First")).series(few.id);
    host.write(|ctx, txn| accounts::create(ctx, txn, first.clone()));
    let many = |options: &ConversionOptions| {
        let selection = Selection::Ids(vec![lead.id]);
        host.write(|ctx, txn| convert::many(ctx, txn, &selection, options)).results.remove(0).outcome
    };
    let without = |series: &str| {
        LeadConverted::Conflict(Conflict::SeriesExhausted { series: series.to_owned(), last: 1 })
    };
    assert_eq!(many(&with_opportunity()), without("Few"));
    assert_eq!(many(&options().series(few.id)), without("Few customers"));
    assert_eq!(many(&with_opportunity().series(few.id)), without("Few customers"));
    // With what else stands against it, everything is told.
    let patch = OpportunityPatch::new().probability(Some(101));
    let wrong = options().series(few.id).with_opportunity(OpportunityRequest::new().with(patch));
    let LeadConverted::GateUnmet(broken) = many(&wrong) else { panic!("not refused") };
    let fields: Vec<_> = broken.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["series", "opportunity.probability"]);
    assert!(host.get(&lead).conversion.is_none());
}

#[test]
fn a_series_that_is_none_or_archived_is_told_with_the_rest() {
    let host = Host::new();
    let old = one(&host, Series::Account, "Old", 9);
    host.write(|ctx, txn| series::archive(ctx, txn, old.id, old.revision, true));
    let none = one(&host, Series::Opportunity, "Other", 9);
    for (series, code) in [(none.id, ViolationCode::Unknown), (old.id, ViolationCode::NotAllowed)] {
        let lead = lead(&host);
        let patch = OpportunityPatch::new().probability(Some(101));
        let deal = OpportunityRequest::new().with(patch);
        let mut wanted = options().with_opportunity(deal);
        wanted.series = Some(series);
        let error = refused(
            host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted)),
            ErrorKind::Invalid,
        );
        let told: Vec<_> = error.violations().iter().map(|one| (one.field.as_str(), one.code)).collect();
        assert_eq!(told, [("series", code), ("opportunity.probability", ViolationCode::OutOfRange)]);
    }
}
