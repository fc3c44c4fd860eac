//! What a mapping tells that would be lost without a word: parts of values, the company of a consumer, what only forms fill in.

use leadcore::desk::convert::{self, ConversionPlan, OpportunityRequest, PlannedOpportunity};
use leadcore::desk::{conversion_mapping, settings};
use leadcore::domain::conversion_mapping::{
    ConversionMapping, FillPolicy, Finding, FindingCode, Severity, WhyDropped,
};
use leadcore::domain::{
    Catalogue, CatalogueKind, CustomField, CustomKey, CustomType, CustomValue, Field, Lead,
};
use leadcore::error::ErrorKind;

use super::fresh::*;
use crate::support::{Host, fields_of, form, refused};

pub(super) fn key(key: &str) -> CustomKey {
    key.parse().unwrap()
}

pub(super) fn define(host: &Host, kind: CatalogueKind, fields: &[CustomField]) {
    host.write(|ctx, txn| {
        let (revision, _) = settings::catalogue_of(ctx, txn, kind)?;
        let mut catalogue = Catalogue::of(kind);
        fields.iter().for_each(|field| catalogue.set_custom_field(field.clone()));
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
}

pub(super) fn own(name: &str, kind: CustomType) -> CustomField {
    CustomField::new(key(name), name, kind)
}

fn set(host: &Host, mapping: &ConversionMapping) -> Vec<Finding> {
    host.write(|ctx, txn| {
        let (revision, _) = conversion_mapping::get(ctx, txn)?;
        Ok(conversion_mapping::set(ctx, txn, revision, mapping)?.1)
    })
}

fn lint(host: &Host, mapping: &ConversionMapping) -> Vec<Finding> {
    host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, mapping))
}

/// A lead with money and a point in time.
fn lead_with(host: &Host, money: &str, values: &[(Field, &str)]) -> Lead {
    let (of_money, of_time) = (own("x_m", CustomType::Money(None)), own("x_t", CustomType::Time));
    define(host, CatalogueKind::Lead, &[of_money.clone(), of_time.clone()]);
    let read = |field: &CustomField, text: &str| field.parse(&text.into(), None).unwrap().unwrap();
    let mut fields = form(values);
    fields.custom.insert(key("x_m"), read(&of_money, money));
    fields.custom.insert(key("x_t"), read(&of_time, "2026-01-02T23:30:00-05:00"));
    host.add(fields)
}

fn why(plan: &ConversionPlan, from: &str) -> Option<(String, WhyDropped)> {
    let write = plan.writes.iter().find(|write| write.from.key() == from).unwrap();
    let dropped = write.dropped.as_ref()?;
    Some((serde_json::to_value(&dropped.value).unwrap().as_str().unwrap().to_owned(), dropped.why))
}

#[test]
fn a_value_of_which_a_part_is_taken_is_told_whole_and_stays_on_the_lead() {
    let host = Host::new();
    define(&host, CatalogueKind::Account, &[own("x_d", CustomType::Decimal), own("x_day", CustomType::Date)]);
    let lead = lead_with(&host, "12.50 EUR", &[(Field::Company, "A")]);
    let own = |name: &str| Field::Custom(key(name));
    let mapping = ConversionMapping::standard()
        .with(own("x_m"), "account.x_d", FillPolicy::FillEmpty)
        .and_then(|mapping| mapping.with(own("x_t"), "account.x_day", FillPolicy::FillEmpty))
        .unwrap();
    set(&host, &mapping);
    let shown = plan(&host, &lead, &options());
    let custom = &shown.account.fields().unwrap().custom;
    assert_eq!(custom[&key("x_d")], CustomValue::Decimal("12.5".parse().unwrap()));
    assert_eq!(custom[&key("x_day")], CustomValue::Date("2026-01-03".parse().unwrap()));
    assert_eq!(why(&shown, "x_m"), Some(("12.50 EUR".to_owned(), WhyDropped::OnlyPart)));
    let (time, of_time) = why(&shown, "x_t").unwrap();
    assert!(time.starts_with("2026-01-03T04:30") && of_time == WhyDropped::OnlyPart, "{time}");
    assert_eq!(shown.stays_on_lead, [own("x_m"), own("x_t")]);
    // Into one that has another value it is kept, and told so.
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &shown));
    let more = lead_with(&host, "13 EUR", &[(Field::Company, "A")]);
    let joined = plan(&host, &more, &options().into_account(done.account.unwrap()));
    assert_eq!(why(&joined, "x_m"), Some(("13 EUR".to_owned(), WhyDropped::TargetKept)));
}

#[test]
fn money_that_becomes_an_amount_keeps_its_currency_or_is_told() {
    for (currency, expected) in [
        ("", (Some("EUR"), None, true)),
        ("EUR", (Some("EUR"), None, true)),
        ("NOK", (None, Some(WhyDropped::OnlyTogether), false)),
    ] {
        let host = Host::new();
        let lead = lead_with(&host, "12.50 EUR", &[(Field::Company, "A"), (Field::Currency, currency)]);
        let mut mapping = ConversionMapping::standard().with_opportunity();
        mapping.rules.retain(|rule| rule.to.to_string() != "opportunity.amount");
        let mapping = mapping.with(Field::Custom(key("x_m")), "opportunity.amount", FillPolicy::FillEmpty);
        set(&host, &mapping.unwrap());
        let shown = plan(&host, &lead, &options().with_opportunity(OpportunityRequest::new()));
        let Some(PlannedOpportunity::New { fields, .. }) = &shown.opportunity else { panic!("{shown:?}") };
        let code = fields.currency.map(|currency| currency.code().to_owned());
        let told = why(&shown, "x_m").map(|(_, why)| why);
        assert_eq!((code.as_deref(), told, fields.amount.is_some()), expected, "{currency}");
        let stays = shown.stays_on_lead.contains(&Field::Custom(key("x_m")));
        assert_eq!(stays, told.is_some(), "{currency}");
    }
}

#[test]
fn the_linter_tells_of_the_company_of_consumers() {
    let host = Host::new();
    let told = |mapping: &ConversionMapping| {
        let found = lint(&host, mapping);
        let lost =
            found.into_iter().filter(|one| one.code == FindingCode::Lost && one.from == [Field::Company]);
        lost.map(|one| one.message).collect::<Vec<_>>()
    };
    let standard = ConversionMapping::standard();
    assert!(matches!(&told(&standard)[..], [one] if one.contains("consumer")), "{:?}", told(&standard));
    assert_eq!(told(&standard.clone().with_opportunity()).len(), 1);
    assert_eq!(told(&standard.clone().staying([Field::Company])), [""; 0]);
    let taken = standard.with(Field::Company, "contact.description", FillPolicy::Append).unwrap();
    assert_eq!(told(&taken), [""; 0], "a rule takes it along");
}

#[test]
fn a_required_field_that_only_forms_fill_in_is_a_warning_told_once() {
    for kind in [CatalogueKind::Account, CatalogueKind::Contact, CatalogueKind::Opportunity] {
        let host = Host::new();
        define(&host, kind, &[own("x_terms", CustomType::Text).required(true)]);
        for mapping in [ConversionMapping::standard(), ConversionMapping::standard().with_opportunity()] {
            let warnings = set(&host, &mapping);
            for found in [warnings, lint(&host, &mapping)] {
                let of_terms = |one: &&Finding| one.to.as_ref().is_some_and(|to| to.key() == "x_terms");
                let told: Vec<_> =
                    found.iter().filter(of_terms).map(|one| (one.severity, one.code)).collect();
                assert_eq!(told, [(Severity::Warning, FindingCode::NoSource)], "{kind:?}: {found:?}");
            }
        }
    }
    // A name is no field of a form alone.
    let unnamed = ConversionMapping::empty().with(Field::City, "account.city", FillPolicy::Keep).unwrap();
    let host = Host::new();
    let error = host.try_write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &unnamed));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["account.name"]);
}
