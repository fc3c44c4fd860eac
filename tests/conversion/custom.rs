//! Custom fields through a conversion: none lost where a field takes them, each told where none does, and back again.

use leadcore::desk::convert::{
    self, AccountChoice, ConversionOptions, OpportunityChoice, PlannedOpportunity,
};
use leadcore::desk::{Expect, accounts, conversion_mapping, leads, opportunities, settings};
use leadcore::domain::conversion_mapping::{
    ConversionMapping, FillPolicy, FindingCode, Severity, WhyDropped,
};
use leadcore::domain::{
    AccountPatch, Catalogue, CatalogueKind, Choice, CustomField, CustomKey, CustomType, CustomValue,
    CustomValues, Field, LeadFields, OpportunityFields,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::memory::MemoryStore;
use leadcore::query::Filter;
use leadcore::store::{Store, StoreExt as _};
use leadcore::testkit::fixtures::{Scene, custom_catalogue, custom_inputs, custom_types};
use leadcore::value::PersonName;
use leadcore_sqlite::SqliteStore;
use proptest::prelude::*;

use super::back::essence;
use super::fresh::as_bob;
use crate::support::{Host, company, fields_of, refused};

const KINDS: [CatalogueKind; 4] = CatalogueKind::ALL;

fn key(key: &str) -> CustomKey {
    key.parse().unwrap()
}

fn own(name: &str) -> Field {
    Field::Custom(key(name))
}

fn define(host: &Host, kind: CatalogueKind, fields: impl IntoIterator<Item = CustomField>) {
    let mut catalogue = Catalogue::of(kind);
    fields.into_iter().for_each(|field| catalogue.set_custom_field(field));
    host.write(|ctx, txn| {
        let (revision, _) = settings::catalogue_of(ctx, txn, kind)?;
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
}

fn sizes(codes: &[&str]) -> CustomType {
    CustomType::OneOf(codes.iter().map(|code| Choice::new(*code, code.to_uppercase())).collect())
}

fn with_opportunity() -> ConversionOptions {
    let mut options = ConversionOptions::default();
    options.opportunity = OpportunityChoice::New(Box::default());
    options
}

/// A value of each custom field, but a link, which needs a record that there is.
fn values() -> impl Strategy<Value = CustomValues> {
    let one = |(name, kind): (CustomKey, CustomType)| {
        let field = CustomField::new(name.clone(), "", kind);
        let inputs = custom_inputs(name.as_str());
        prop::option::weighted(0.8, prop::sample::select(inputs)).prop_map(move |text| {
            let value = field.parse(&text?.into(), None).unwrap()?;
            Some((field.key.clone(), value))
        })
    };
    let types = custom_types().into_iter().filter(|(name, _)| name.as_str() != "x_link");
    types.map(one).collect::<Vec<_>>().prop_map(|all| all.into_iter().flatten().collect())
}

/// A lead with these values becomes records that all have them; taken back, everything is as it was; and again.
fn there_and_back(store: &dyn Store, values: &CustomValues) -> std::result::Result<(), TestCaseError> {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let prepared: Result<_> = store.write(&scene.tenant, |txn| {
        for kind in KINDS {
            let mut catalogue = Catalogue::of(kind);
            custom_catalogue().custom_fields().for_each(|field| catalogue.set_custom_field(field.clone()));
            settings::set_catalogue(&ctx, txn, None, &catalogue)?;
        }
        let other = leads::create(&ctx, txn, company("Other AS").into())?;
        let mut fields =
            LeadFields { person: Some(PersonName::parse("Anna Berg")?), ..company("Nordlys AS") };
        fields.custom.clone_from(values);
        fields.custom.insert(key("x_link"), CustomValue::Link(other.id.into()));
        leads::create(&ctx, txn, fields.into())
    });
    let lead = prepared.unwrap();
    let before = essence(store, &scene);
    for round in 0..2 {
        scene.tick();
        let plan = store.read(&scene.tenant, |txn| convert::plan(&ctx, txn, lead.id, &with_opportunity()));
        let plan = plan.unwrap();
        prop_assert!(!plan.stays_on_lead.iter().any(|field| matches!(field, Field::Custom(_))));
        prop_assert!(plan.writes.iter().all(|write| write.dropped.is_none()));
        let stored = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        let made = store.write(&scene.tenant, |txn| convert::apply(&ctx, txn, &stored)).unwrap();
        let now = store.read(&scene.tenant, |txn| {
            let account = txn.accounts().get(&[made.account.unwrap()])?.remove(0).fields.custom;
            let contact = txn.contacts().get(&made.contacts)?.remove(0).fields.custom;
            let deal = txn.opportunities().get(&[made.opportunity.unwrap()])?.remove(0).fields.custom;
            Ok([account, contact, deal, leads::get(&ctx, txn, lead.id)?.fields.custom])
        });
        for custom in now.unwrap() {
            prop_assert_eq!(&custom, &lead.fields.custom, "round {}", round);
        }
        scene.tick();
        store.write(&scene.tenant, |txn| convert::unconvert(&ctx, txn, lead.id)).unwrap();
        prop_assert_eq!(essence(store, &scene), before.clone(), "round {}", round);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn no_custom_value_is_lost_where_a_field_takes_it(values in values()) {
        there_and_back(&MemoryStore::new(), &values)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn no_custom_value_is_lost_in_a_database_either(values in values()) {
        there_and_back(&SqliteStore::open_in_memory().unwrap(), &values)?;
    }
}

#[test]
fn a_value_without_a_field_is_told_and_stays_on_the_lead() {
    let mut host = Host::new();
    let field = |name, kind| CustomField::new(key(name), name, kind);
    let of_leads = [
        field("x_fleet", CustomType::Integer),
        field("x_tier", sizes(&["gold", "iron"])),
        field("x_lost", CustomType::Text),
        field("x_other", CustomType::Text),
    ];
    define(&host, CatalogueKind::Lead, of_leads);
    let of_accounts = [
        field("x_fleet", CustomType::Decimal),
        field("x_tier", sizes(&["gold", "tin"])),
        field("x_other", CustomType::Date),
        field("x_segment", CustomType::Text).with_default(CustomValue::Text("new".to_owned())),
    ];
    define(&host, CatalogueKind::Account, of_accounts);
    let warnings = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &ConversionMapping::standard()));
    let told: Vec<_> = warnings
        .iter()
        .filter(|one| one.from.iter().any(|field| matches!(field, Field::Custom(_))))
        .map(|one| (one.severity, one.code, one.from[0].key().to_owned()))
        .collect();
    let warning = |code, field: &str| (Severity::Warning, code, field.to_owned());
    let wanted = [
        warning(FindingCode::MissingChoices, "x_tier"),
        warning(FindingCode::Lost, "x_lost"),
        warning(FindingCode::Lost, "x_other"),
    ];
    assert_eq!(told, wanted, "a number goes into a number with places, a text into no date");
    let mut fields = company("Nordlys AS");
    fields.custom = CustomValues::from([
        (key("x_fleet"), CustomValue::Integer(40)),
        (key("x_tier"), CustomValue::Code("iron".to_owned())),
        (key("x_lost"), CustomValue::Text("kept".to_owned())),
    ]);
    let lead = host.add(fields);
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &ConversionOptions::default()));
    let stays: Vec<_> = plan.stays_on_lead.iter().filter(|field| matches!(field, Field::Custom(_))).collect();
    assert_eq!(stays, [&own("x_lost"), &own("x_tier")]);
    let why: Vec<_> = plan.writes.iter().filter_map(|write| Some(write.dropped.as_ref()?.why)).collect();
    assert_eq!(why, [WhyDropped::NoChoice]);
    let from = plan.writes.iter().find(|write| write.to.key() == "x_fleet").unwrap();
    assert_eq!((&from.from, from.policy), (&own("x_fleet"), FillPolicy::FillEmpty), "where it came from");
    let made = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    host.restart();
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, made.account.unwrap()));
    let wanted = CustomValues::from([
        (key("x_fleet"), CustomValue::Decimal(40.into())),
        (key("x_segment"), CustomValue::Text("new".to_owned())),
    ]);
    assert_eq!(account.fields.custom, wanted);
    assert_eq!(host.get(&lead).fields.custom, lead.fields.custom, "the frozen lead still says it");
}

#[test]
fn into_an_account_that_is_there_each_field_goes_by_its_policy() {
    let host = Host::new();
    let names = ["x_fill", "x_over", "x_keep", "x_more"];
    for kind in [CatalogueKind::Lead, CatalogueKind::Account] {
        let kinds = names.map(|name| {
            let kind = if name == "x_more" { CustomType::LongText } else { CustomType::Text };
            CustomField::new(key(name), name, kind)
        });
        define(&host, kind, kinds);
    }
    let texts = |text: &str| {
        names
            .map(|name| (key(name), CustomValue::Text(text.to_owned())))
            .into_iter()
            .collect::<CustomValues>()
    };
    let first = host.add(LeadFields { custom: texts("old"), ..company("Nordlys AS") });
    let account = host.write(|ctx, txn| convert::convert(ctx, txn, first.id, &ConversionOptions::default()));
    let account = account.account.unwrap();
    let policies = [FillPolicy::FillEmpty, FillPolicy::Overwrite, FillPolicy::Keep, FillPolicy::Append];
    let mapping =
        names.iter().zip(policies).fold(ConversionMapping::standard(), |mapping, (name, policy)| {
            mapping.with(own(name), &format!("account.{name}"), policy).unwrap()
        });
    host.write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &mapping));
    let second = host.add(LeadFields { custom: texts("new"), ..company("Nordlys Energi AS") });
    let mut options = ConversionOptions::default();
    options.account = AccountChoice::Existing(account);
    host.write(|ctx, txn| convert::convert(ctx, txn, second.id, &options));
    let says = || {
        let account = host.read(|ctx, txn| accounts::get(ctx, txn, account));
        let text = |name: &str| match account.fields.custom.get(&key(name)) {
            Some(CustomValue::Text(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        names.map(text)
    };
    assert_eq!(says(), ["old", "new", "old", "old\nnew"]);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    assert_eq!(says(), ["old"; 4], "the way back restores what it said");
    // What somebody else wrote since stands in the way.
    host.write(|ctx, txn| convert::convert(ctx, txn, second.id, &options));
    let patch = AccountPatch::new().set(own("x_over"), "mine");
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, second.id));
    assert_eq!(plan.blockers.len(), 1, "{:?}", plan.blockers);
}

#[test]
fn required_and_unique_fields_of_targets_are_asked_for_before_anything_is_written() {
    let host = Host::new();
    let code = || CustomField::new(key("x_code"), "Code", CustomType::Text);
    define(&host, CatalogueKind::Lead, [code()]);
    define(&host, CatalogueKind::Account, [code().unique(true).required(true)]);
    define(&host, CatalogueKind::Opportunity, [code().required(true)]);
    let bare = host.add(company("Bare AS"));
    let both = ["account.x_code", "opportunity.x_code"];
    let shown = host.read(|ctx, txn| convert::plan(ctx, txn, bare.id, &with_opportunity()));
    assert_eq!(shown.missing.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), both);
    for told in [
        host.try_write(|ctx, txn| convert::apply(ctx, txn, &shown)),
        host.try_write(|ctx, txn| convert::convert(ctx, txn, bare.id, &with_opportunity())),
    ] {
        assert_eq!(fields_of(&refused(told, ErrorKind::Invalid)), both, "all at once");
    }
    let mut fields = company("Nordlys AS");
    fields.custom.insert(key("x_code"), CustomValue::Text("A-1".to_owned()));
    let (first, second) = (host.add(fields.clone()), host.add(fields));
    host.write(|ctx, txn| convert::convert(ctx, txn, first.id, &with_opportunity()));
    let again = host.try_write(|ctx, txn| convert::convert(ctx, txn, second.id, &with_opportunity()));
    assert_eq!(fields_of(&refused(again, ErrorKind::Invalid)), ["account.x_code"]);
    assert_eq!(host.count(&Filter::eq(Field::State, "converted")), 1);
    // The archived account of a conversion that was taken back holds nothing.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
    host.write(|ctx, txn| convert::convert(ctx, txn, second.id, &with_opportunity()));
}

#[test]
fn a_running_opportunity_is_filled_by_the_same_rules() {
    let host = Host::new();
    let field = |name| CustomField::new(key(name), name, CustomType::Text);
    define(&host, CatalogueKind::Lead, [field("x_goal"), field("x_risk")]);
    define(&host, CatalogueKind::Opportunity, [field("x_goal"), field("x_risk")]);
    let customer = host.add(company("Nordlys AS"));
    let account =
        host.write(|ctx, txn| convert::convert(ctx, txn, customer.id, &ConversionOptions::default()));
    let text = |text: &str| CustomValue::Text(text.to_owned());
    let mut roof = OpportunityFields::named("Roof");
    roof.custom.insert(key("x_goal"), text("ours"));
    let roof =
        host.write(|ctx, txn| opportunities::create(ctx, txn, account.account.unwrap(), roof.clone().into()));
    let mut fields = company("Nordlys Energi AS");
    fields.custom = CustomValues::from([(key("x_goal"), text("theirs")), (key("x_risk"), text("low"))]);
    let lead = host.add(fields);
    let mut options = ConversionOptions::default();
    options.opportunity = OpportunityChoice::Existing(roof.id);
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
    let Some(PlannedOpportunity::Existing { fields, .. }) = &plan.opportunity else { panic!("it joins") };
    let wanted = CustomValues::from([(key("x_goal"), text("ours")), (key("x_risk"), text("low"))]);
    assert_eq!(fields.custom, wanted);
    assert_eq!(plan.stays_on_lead.last(), Some(&own("x_goal")));
    host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let now = host.read(|ctx, txn| opportunities::get(ctx, txn, roof.id));
    assert_eq!(now.fields, roof.fields);
}
