//! What an opportunity is worth: an amount goes with its currency, or neither goes.

use leadcore::desk::convert::OpportunityChoice;
use leadcore::desk::{conversion_mapping, opportunities, timeline};
use leadcore::domain::conversion_mapping::{ConversionMapping, FillPolicy, FindingCode, WhyDropped};
use leadcore::domain::{Field, Lead, Line, OpportunityFields};
use leadcore::error::ErrorKind;
use leadcore::id::OpportunityId;
use leadcore::value::Currency;

use super::fresh::*;
use crate::support::{Host, form, refused};

const AMOUNT: &str = "opportunity.amount";
const CURRENCY: &str = "opportunity.currency";

fn with(host: &Host, amount: Option<FillPolicy>, currency: Option<FillPolicy>) -> ConversionMapping {
    let mut mapping =
        ConversionMapping::standard().with(Field::Company, "opportunity.name", FillPolicy::Keep).unwrap();
    for (from, to, policy) in [(Field::Amount, AMOUNT, amount), (Field::Currency, CURRENCY, currency)] {
        if let Some(policy) = policy {
            mapping = mapping.with(from, to, policy).unwrap();
        }
    }
    host.write(|ctx, txn| {
        let (revision, _) = conversion_mapping::get(ctx, txn)?;
        conversion_mapping::set(ctx, txn, revision, &mapping)
    });
    mapping
}

fn lead(host: &Host, amount: &str, currency: &str) -> Lead {
    host.add(form(&[(Field::Company, "EX"), (Field::Amount, amount), (Field::Currency, currency)]))
}

/// 100 dollars, or lines that add up to as much.
fn running(host: &Host, lines: bool) -> OpportunityId {
    let known = account(host, &named("EX"));
    let mut fields = OpportunityFields::named("Running");
    fields.currency = Some(Currency::parse("USD").unwrap());
    fields.amount = Some(100.into());
    if lines {
        fields.lines = vec![Line::new("Panel", 1.into(), 100.into())];
    }
    host.write(|ctx, txn| opportunities::create(ctx, txn, known.id, fields.clone().into())).id
}

fn worth(host: &Host, deal: OpportunityId) -> String {
    let fields = host.read(|ctx, txn| opportunities::get(ctx, txn, deal)).fields;
    let told = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let currency = fields.currency.map(|currency| currency.code().to_owned());
    format!("{} {}", told(fields.amount.map(|amount| amount.normalize().to_string())), told(currency))
}

#[test]
fn an_amount_and_its_currency_are_written_both_or_neither() {
    use FillPolicy::{FillEmpty, Overwrite};
    for (amount, currency, given, expected) in [
        (None, Some(Overwrite), ("500", "JPY"), "100 USD"),
        (Some(FillEmpty), Some(Overwrite), ("500", "JPY"), "100 USD"),
        (Some(Overwrite), None, ("500", "JPY"), "100 USD"),
        (Some(Overwrite), Some(FillEmpty), ("500", "JPY"), "100 USD"),
        (Some(Overwrite), Some(Overwrite), ("", "JPY"), "100 USD"),
        (Some(Overwrite), Some(Overwrite), ("500", "JPY"), "500 JPY"),
        (Some(Overwrite), Some(Overwrite), ("100", "JPY"), "100 JPY"),
        (Some(Overwrite), None, ("500", "USD"), "500 USD"),
        (Some(FillEmpty), Some(FillEmpty), ("500", "JPY"), "100 USD"),
    ] {
        let host = Host::new();
        with(&host, amount, currency);
        let (deal, lead) = (running(&host, false), lead(&host, given.0, given.1));
        let join = options().opportunity(OpportunityChoice::Existing(deal));
        let shown = plan(&host, &lead, &join);
        into(&host, &lead, &join);
        assert_eq!(worth(&host, deal), expected, "{amount:?} {currency:?} {given:?}");
        if amount != currency && expected == "100 USD" {
            let why = |why| {
                shown.writes.iter().any(|write| write.dropped.as_ref().is_some_and(|one| one.why == why))
            };
            assert!(why(WhyDropped::OnlyTogether), "{:?}", shown.writes);
        }
    }
}

#[test]
fn an_opportunity_with_lines_keeps_its_currency() {
    let host = Host::new();
    with(&host, Some(FillPolicy::Overwrite), Some(FillPolicy::Overwrite));
    let (deal, lead) = (running(&host, true), lead(&host, "500", "JPY"));
    into(&host, &lead, &options().opportunity(OpportunityChoice::Existing(deal)));
    assert_eq!(worth(&host, deal), "100 USD");
}

#[test]
fn a_mapping_that_tears_amount_and_currency_apart_is_told() {
    let host = Host::new();
    for (amount, currency, is_torn) in [
        (None, Some(FillPolicy::Overwrite), true),
        (Some(FillPolicy::FillEmpty), Some(FillPolicy::Overwrite), true),
        (Some(FillPolicy::Overwrite), None, true),
        (Some(FillPolicy::FillEmpty), None, false),
        (Some(FillPolicy::Overwrite), Some(FillPolicy::Overwrite), false),
        (None, None, false),
    ] {
        let mapping = with(&host, amount, currency);
        let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &mapping));
        let torn = found.iter().any(|one| one.code == FindingCode::Torn);
        assert_eq!(torn, is_torn, "{amount:?} {currency:?}");
    }
}

#[test]
fn what_a_lead_became_and_why_it_may_not_is_said_in_its_own_words() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "EX"), (Field::Name, "Kay")]));
    into(&host, &lead, &options().contact_only());
    let told = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 9)).items;
    let told: Vec<_> = told.iter().map(|item| item.text.as_str()).collect();
    assert!(
        told.contains(&"Converted to contacts") && !told.contains(&"Converted to an account"),
        "{told:?}"
    );
    let lost = host.add(form(&[(Field::Company, "EX")]));
    let stages = host.read(|_, txn| txn.pipelines().list()).remove(0).stages;
    let stage = stages.iter().find(|stage| stage.kind == leadcore::domain::StageKind::Lost).unwrap().id;
    host.write(|ctx, txn| {
        leadcore::desk::leads::move_to(ctx, txn, lost.id, leadcore::desk::Expect::Any, stage)
    });
    let plan = host.try_read(|ctx, txn| leadcore::desk::convert::plan(ctx, txn, lost.id, &options()));
    let error = refused(plan, ErrorKind::Invalid);
    assert_eq!(error.violations()[0].message, "the lead is lost: reopen it first");
}
