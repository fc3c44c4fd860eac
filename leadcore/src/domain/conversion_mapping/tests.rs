use std::collections::BTreeMap;

use super::*;
use crate::domain::{
    AccountFields, Catalogue, Choice, ContactFields, CustomField, CustomType, CustomValue, Emails,
    FieldValue, Lead, LeadFields, LeadKind, Names, Phones, Rank, SubjectKind, TermKind,
};
use crate::id::{LeadId, PipelineId, Revision, StageId};
use crate::time::Timestamp;
use crate::value::PersonName;

pub(super) fn stored(fields: LeadFields) -> Lead {
    let (id, at) = (uuid::Uuid::from_u128(1), Timestamp::EPOCH);
    Lead {
        id: LeadId::from_uuid(id),
        number: 7,
        revision: Revision::FIRST,
        fields,
        pipeline: PipelineId::from_uuid(id),
        stage: StageId::from_uuid(id),
        stage_entered_at: at,
        created_at: at,
        updated_at: at,
        active_at: at,
        follow_up: None,
        rank: Rank::on_top(at, 7),
        closing: None,
        conversion: None,
        trashed: None,
    }
}

fn one_of(key: &str, choices: &[(&str, &str)]) -> CustomField {
    let choices = choices.iter().map(|(code, label)| Choice::new(*code, *label)).collect();
    CustomField::new(key.parse().unwrap(), key, CustomType::OneOf(choices))
}

/// Opportunities with a tier, and leads with one that has a choice more.
fn tiers() -> (Catalogue, Targets) {
    let mut leads = Catalogue::standard();
    leads.set_custom_field(one_of("x_tier", &[("a", "Gold"), ("b", "Silver"), ("c", "Bronze")]));
    leads.set_custom_field(CustomField::new("x_seats".parse().unwrap(), "Seats", CustomType::Integer));
    let mut deals = Catalogue::standard();
    deals.set_custom_field(one_of("x_tier", &[("a", "Gold"), ("2", "silver")]).required(true));
    deals.set_custom_field(CustomField::new("x_seats".parse().unwrap(), "Seats", CustomType::Decimal));
    (leads, Targets::standard().with_custom(TargetRecord::Opportunity, &deals))
}

/// Errors and warnings of these codes, as `code: from > to`.
fn told(mapping: &ConversionMapping, leads: &Catalogue, targets: &Targets) -> Vec<String> {
    let found = lint(mapping, leads, targets);
    assert!(found.is_sorted(), "errors first");
    let plain = found.iter().filter(|one| one.code != FindingCode::Lost);
    let said = plain.map(|one| {
        let from: Vec<_> = one.from.iter().map(Field::key).collect();
        let to = one.to.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{}: {} > {to}", one.code.code(), from.join("+"))
    });
    said.collect()
}

fn map(rules: &[(Field, &str, FillPolicy)]) -> ConversionMapping {
    let add = |mapping: ConversionMapping, (from, to, policy): &(Field, &str, FillPolicy)| {
        mapping.with(from.clone(), to, *policy).unwrap()
    };
    rules.iter().fold(ConversionMapping::empty(), add)
}

pub(super) fn apply_to(
    mapping: &ConversionMapping,
    lead: &Lead,
    existing: Option<&AccountFields>,
) -> Mapped<AccountFields> {
    let (leads, targets, names) = (Catalogue::standard(), Targets::standard(), Names::new());
    mapping.account(lead, existing, &Readings { leads: &leads, targets: &targets, names: &names })
}

#[test]
fn the_standard_mapping_is_sound_and_says_what_it_loses() {
    let (leads, targets) = (Catalogue::standard(), Targets::standard());
    let lost = |mapping: &ConversionMapping| -> Vec<String> {
        let found = lint(mapping, &leads, &targets);
        assert!(found.iter().all(|one| one.severity == Severity::Warning), "{found:?}");
        let lost = found.into_iter().filter(|one| one.code == FindingCode::Lost);
        lost.flat_map(|one| one.from).map(|field| field.key().to_owned()).collect()
    };
    let standard = ConversionMapping::standard();
    assert_eq!(told(&standard, &leads, &targets), [""; 0]);
    let of_deals = ["amount", "probability", "expected_close"];
    let left = ["score", "source", "campaign", "location", "partner", "labels", "external_id"];
    // The company of a consumer, who is called by the person.
    assert_eq!(lost(&standard), [&["company"], &of_deals[..], &left[..]].concat());
    let whole = standard.with_opportunity();
    assert_eq!(told(&whole, &leads, &targets), [""; 0]);
    assert_eq!(lost(&whole), ["company", "score", "location", "partner", "labels", "external_id"]);
    let staying = [Field::Company, Field::Score, Field::Labels];
    assert_eq!(lost(&whole.staying(staying)), ["location", "partner", "external_id"]);
}

#[test]
fn a_linter_says_what_does_not_fit() {
    let (mut leads, targets) = tiers();
    let custom = |key: &str| Field::known(key).unwrap();
    let keep = FillPolicy::Keep;
    let mapping = map(&[
        (Field::Company, "account.name", keep),
        (Field::Amount, "account.owner", keep),
        (custom("x_none"), "account.industry", keep),
        (Field::City, "account.x_none", keep),
        (Field::Website, "account.website", FillPolicy::Append),
        (Field::Name, "opportunity.name", keep),
        (custom("x_tier"), "opportunity.x_tier", keep),
        (custom("x_seats"), "opportunity.x_seats", keep),
        (Field::Email, "contact.email", FillPolicy::Append),
        (Field::Email, "contact.role", keep),
        (Field::Street, "contact.description", FillPolicy::Append),
        (Field::City, "contact.description", FillPolicy::Append),
        (Field::Description, "contact.job_title", keep),
        (Field::Industry, "contact.job_title", keep),
    ]);
    leads.settings_mut(Field::Industry).enabled = Some(false);
    assert_eq!(
        told(&mapping, &leads, &targets),
        [
            "unknown_field: city > account.x_none",
            "unknown_field: x_none > account.industry",
            "type_mismatch: amount > account.owner",
            "several_sources: description+industry > contact.job_title",
            "cannot_append: website > account.website",
            "may_not_fit: description > contact.job_title",
            "missing_choices: x_tier > opportunity.x_tier",
            "source_not_required: name > opportunity.name",
            "source_not_required: x_tier > opportunity.x_tier",
            "source_disabled: industry > contact.job_title",
        ]
    );
    let missing = lint(&mapping, &leads, &targets).into_iter().find(|one| !one.choices.is_empty()).unwrap();
    assert_eq!(missing.choices, ["c"], "`b` is found by what people read");
    let unnamed = map(&[(Field::Amount, "opportunity.amount", keep)]);
    assert_eq!(
        told(&unnamed, &leads, &targets),
        ["no_source:  > account.name", "no_source:  > opportunity.name", "no_source:  > opportunity.x_tier"]
    );
}

#[test]
fn a_linter_names_what_narrower_limits_lose() {
    let own = |kind: CustomType| CustomField::new("x_own".parse().unwrap(), "Own", kind);
    let told = |from: CustomField, to: CustomField| -> Vec<(FindingCode, String)> {
        let (mut leads, mut accounts) = (Catalogue::standard(), Catalogue::standard());
        leads.set_custom_field(from);
        accounts.set_custom_field(to);
        let targets = Targets::standard().with_custom(TargetRecord::Account, &accounts);
        let mapping = map(&[
            (Field::Company, "account.name", FillPolicy::Keep),
            (Field::known("x_own").unwrap(), "account.x_own", FillPolicy::Keep),
        ]);
        let found = lint(&mapping, &leads, &targets).into_iter().filter(|one| one.code != FindingCode::Lost);
        found.map(|one| (one.code, one.message)).collect()
    };
    let seats = |min: Option<i64>, max: Option<i64>| CustomField {
        min: min.map(Into::into),
        max: max.map(Into::into),
        ..own(CustomType::Integer)
    };
    for (from, to, lost) in [
        ((None, None), (Some(1), Some(9)), Some("numbers below 1 and numbers above 9 are")),
        ((Some(1), Some(10)), (Some(1), Some(9)), Some("`x_own`: numbers above 9 are")),
        ((Some(1), Some(9)), (Some(1), Some(9)), None),
        ((Some(1), Some(9)), (None, None), None),
    ] {
        let found = told(seats(from.0, from.1), seats(to.0, to.1));
        let is_told = |lost: &str| found[0].0 == FindingCode::MayNotFit && found[0].1.contains(lost);
        assert!(lost.map_or(found.is_empty(), is_told), "{found:?}");
    }
    let text = |max_length| CustomField { max_length, ..own(CustomType::Text) };
    assert!(told(text(None), text(Some(20)))[0].1.contains("texts of more than 20 characters"));
    assert_eq!(told(text(Some(20)), text(Some(20))), []);
    let money = |code: &str| own(CustomType::Money(crate::value::Currency::parse(code).ok()));
    let [(code, message)] = &told(money("NOK"), money("EUR"))[..] else { panic!() };
    assert!(*code == FindingCode::OtherCurrency && message.contains("NOK") && message.contains("EUR"));
    assert_eq!(told(money("NOK"), money("NOK")), []);
}

#[test]
fn a_mapping_is_data() {
    let mapping = ConversionMapping::standard().with_opportunity().staying([Field::Score]);
    let json = serde_json::to_value(&mapping).unwrap();
    let last = &json["rules"][mapping.rules.len() - 1];
    assert_eq!(last["to"], "opportunity.description");
    assert_eq!((&last["from"], &last["policy"]), (&"description".into(), &"fill_empty".into()));
    assert_eq!(serde_json::from_value::<ConversionMapping>(json).unwrap(), mapping);
    for wrong in [
        r#"{"rules":[{"from":"nix","to":"account.name"}]}"#,
        r#"{"rules":[{"from":"company","to":"name"}]}"#,
        r#"{"rules":[{"from":"company","to":"account.Name"}]}"#,
        r#"{"rules":[],"more":1}"#,
    ] {
        assert!(serde_json::from_str::<ConversionMapping>(wrong).is_err(), "{wrong}");
    }
}

/// One field of every policy, into an account that has another value, and one that has none.
#[test]
fn each_policy_does_what_it_says() {
    let lead = stored(LeadFields {
        industry: Some("Energy".into()),
        description: Some("From the fair".into()),
        ..LeadFields::company("Nordlys AS").unwrap()
    });
    let known = |industry: Option<&str>| AccountFields {
        name: "Nordlys".into(),
        industry: industry.map(str::to_owned),
        description: Some("Old".into()),
        ..AccountFields::default()
    };
    for (policy, occupied, empty, dropped) in [
        (FillPolicy::FillEmpty, "Fish", "Energy", Some(("Energy", WhyDropped::TargetKept))),
        (FillPolicy::Overwrite, "Energy", "Energy", Some(("Fish", WhyDropped::Overwritten))),
        (FillPolicy::Keep, "Fish", "", Some(("Energy", WhyDropped::TargetKept))),
    ] {
        let mapping = map(&[(Field::Industry, "account.industry", policy)]);
        let done = apply_to(&mapping, &lead, Some(&known(Some("Fish"))));
        assert_eq!(done.fields.industry.as_deref(), Some(occupied), "{policy:?}");
        let [write] = &done.writes[..] else { panic!("{:?}", done.writes) };
        assert_eq!((&write.from, write.to.to_string()), (&Field::Industry, "account.industry".to_owned()));
        assert_eq!((&write.old, &write.new), (&"Fish".into(), &occupied.into()), "{policy:?}");
        let told = write.dropped.as_ref().map(|one| (one.value.as_text().unwrap(), one.why));
        assert_eq!(told, dropped, "{policy:?}");
        let done = apply_to(&mapping, &lead, Some(&known(None)));
        assert_eq!(done.fields.industry.as_deref().unwrap_or_default(), empty, "{policy:?}");
        let new = apply_to(&mapping, &lead, None);
        assert_eq!(new.fields.industry.as_deref(), Some("Energy"), "a new account takes what there is");
        assert_eq!(new.fields.name, "Nordlys AS", "and is called something, also without a rule");
    }
    let append = map(&[(Field::Description, "account.description", FillPolicy::Append)]);
    let once = apply_to(&append, &lead, Some(&known(None)));
    assert_eq!(once.fields.description.as_deref(), Some("Old\nFrom the fair"));
    assert_eq!(apply_to(&append, &lead, Some(&once.fields)).fields, once.fields, "once");
}

#[test]
fn an_address_and_a_currency_are_taken_whole_or_not_at_all() {
    let address = |street: &str, city: &str| {
        crate::value::Address::new().with_street(street).unwrap().with_city(city).unwrap()
    };
    let lead = stored(LeadFields {
        address: address("", "Oslo"),
        currency: Some("NOK".parse().unwrap()),
        ..LeadFields::company("A").unwrap()
    });
    let standard = ConversionMapping::standard();
    let known = AccountFields {
        name: "A".into(),
        address: address("Main 1", ""),
        currency_symbol: Some("€".into()),
        ..AccountFields::default()
    };
    let done = apply_to(&standard, &lead, Some(&known)).fields;
    assert_eq!(done.address, known.address, "no street of one place in the city of another");
    assert_eq!(done.currency, lead.fields.currency);
    assert_eq!(done.currency_symbol, None, "a symbol belongs to its currency");
    let city = map(&[
        (Field::Street, "account.street", FillPolicy::Overwrite),
        (Field::City, "account.city", FillPolicy::Overwrite),
    ]);
    let moved = apply_to(&city, &lead, Some(&known)).fields;
    assert_eq!(moved.address, address("", "Oslo"), "overwritten whole");
    let nowhere = stored(LeadFields::company("A").unwrap());
    assert_eq!(apply_to(&city, &nowhere, Some(&known)).fields.address, known.address, "by something only");
}

#[test]
fn addresses_grow_and_what_was_said_of_them_stays() {
    let lead = stored(LeadFields {
        emails: Emails::parse("Anna@nordlys.no (work opted_out), new@nordlys.no").unwrap(),
        phones: Phones::parse("+4722225555 (invalid)", None).unwrap(),
        ..LeadFields::company("Nordlys").unwrap()
    });
    let known = AccountFields {
        name: "Nordlys".into(),
        emails: Emails::parse("post@nordlys.no, anna@nordlys.no").unwrap(),
        phones: Phones::parse("+47 22 22 55 55", None).unwrap(),
        ..AccountFields::default()
    };
    let done = apply_to(&ConversionMapping::standard(), &lead, Some(&known)).fields;
    let mails: Vec<_> = done.emails.entries().iter().map(|one| (one.value.as_str(), one.opted_out)).collect();
    assert_eq!(mails, [("post@nordlys.no", false), ("anna@nordlys.no", true), ("new@nordlys.no", false)]);
    assert!(done.phones.entries()[0].invalid, "also where the policy keeps the number as it is");
    let (leads, targets, names) = (Catalogue::standard(), Targets::standard(), Names::new());
    let by = Readings { leads: &leads, targets: &targets, names: &names };
    let person = ContactFields {
        emails: Emails::parse("anna@nordlys.no").unwrap(),
        role: Some("Boss".into()),
        ..ContactFields::default()
    };
    let kept = ConversionMapping::standard().contact(&lead, Some(&person), &by).fields;
    assert_eq!((kept.emails.iter().len(), kept.role.as_deref()), (1, Some("Boss")), "it stays as it is");
    assert!(kept.emails.entries()[0].opted_out, "but for the opt-out, which is never lost");
}

/// Into an opportunity, which is known by its keys only.
#[test]
fn values_are_converted_by_the_table() {
    let (leads, targets) = tiers();
    let custom = |key: &str| Field::known(key).unwrap();
    let fields = LeadFields {
        amount: Some("1250.50".parse().unwrap()),
        currency: Some("NOK".parse().unwrap()),
        kind: LeadKind::Consumer,
        person: PersonName::parse("Anna Berg").ok(),
        custom: BTreeMap::from([
            ("x_tier".parse().unwrap(), CustomValue::Code("b".into())),
            ("x_seats".parse().unwrap(), CustomValue::Integer(5)),
        ]),
        ..LeadFields::company("Nordlys AS").unwrap()
    };
    let names = Names::new().with_catalogue(&leads);
    let by = Readings { leads: &leads, targets: &targets, names: &names };
    let mapping = ConversionMapping::empty().with_opportunity();
    let mapping = mapping
        .with(custom("x_tier"), "opportunity.x_tier", FillPolicy::FillEmpty)
        .and_then(|mapping| mapping.with(custom("x_seats"), "opportunity.x_seats", FillPolicy::Keep))
        .unwrap();
    let lead = stored(fields);
    let new = mapping.values(TargetRecord::Opportunity, &lead, None, &by).fields;
    let value = |key: &str| new.get(key).cloned().unwrap_or_default();
    assert_eq!(value("name"), "Anna Berg".into(), "what people call a consumer");
    assert_eq!(
        (value("amount"), value("currency")),
        (FieldValue::Decimal("1250.5".parse().unwrap()), "NOK".into())
    );
    assert_eq!((value("x_tier"), value("x_seats")), ("2".into(), FieldValue::Decimal(5.into())));
    let running = BTreeMap::from([("amount".to_owned(), FieldValue::Decimal(7.into()))]);
    let kept = mapping.values(TargetRecord::Opportunity, &lead, Some(&running), &by);
    assert_eq!(kept.fields.get("amount"), running.get("amount"));
    assert_eq!(kept.fields.get("currency"), Some(&FieldValue::Empty), "no currency to an amount of another");
    let displayed = map(&[
        (Field::Amount, "contact.role", FillPolicy::Keep),
        (custom("x_tier"), "contact.description", FillPolicy::Append),
        (Field::Number, "contact.description", FillPolicy::Append),
    ]);
    let contact = displayed.contact(&lead, None, &by).fields;
    assert_eq!(contact.role.as_deref(), Some("1250.5 NOK"));
    assert_eq!(contact.description.as_deref(), Some("Silver\n7"));
    let bronze = stored(LeadFields {
        custom: BTreeMap::from([("x_tier".parse().unwrap(), CustomValue::Code("c".into()))]),
        ..LeadFields::company("A").unwrap()
    });
    let done = mapping.values(TargetRecord::Opportunity, &bronze, None, &by);
    let tier = done.writes.iter().find(|write| write.to.key() == "x_tier").unwrap();
    assert_eq!(tier.dropped.as_ref().map(|one| one.why), Some(WhyDropped::NoChoice));
}

fn shapes() -> Vec<Shape> {
    let plain = [
        Shape::Text,
        Shape::LongText,
        Shape::Name,
        Shape::TaxId,
        Shape::Integer,
        Shape::Percent,
        Shape::Decimal,
        Shape::Amount,
        Shape::Money,
        Shape::Date,
        Shape::Time,
        Shape::Bool,
        Shape::OneOf,
        Shape::ManyOf,
        Shape::User,
        Shape::Country,
        Shape::Currency,
        Shape::Email,
        Shape::Emails,
        Shape::Phone,
        Shape::Phones,
        Shape::Url,
        Shape::Codes,
    ];
    let more = [
        Shape::Term(TermKind::Source),
        Shape::Term(TermKind::Category),
        Shape::Terms(TermKind::Label),
        Shape::Link(SubjectKind::Lead),
    ];
    plain.into_iter().chain(more).collect()
}

#[test]
fn every_type_goes_to_itself_and_to_text() {
    for from in shapes() {
        assert_eq!(fit(from, from), Fit::Same);
        assert_ne!(fit(from, Shape::LongText), Fit::Never);
        assert_ne!(fit(from, Shape::Text), Fit::Never);
        for to in shapes().into_iter().filter(|to| *to != from) {
            assert_ne!(fit(from, to), Fit::Same, "{from:?} {to:?}");
        }
    }
    assert_eq!(fit(Shape::Term(TermKind::Source), Shape::Term(TermKind::Category)), Fit::Never);
    for field in Field::ALL {
        assert!(shape_of(field, &Catalogue::standard()).is_some(), "{field}");
    }
}

#[test]
fn a_time_that_becomes_a_text_says_its_zone() {
    let key: crate::domain::CustomKey = "x_seen".parse().unwrap();
    let mut leads = Catalogue::standard();
    leads.set_custom_field(CustomField::new(key.clone(), "Seen", CustomType::Time));
    let at: Timestamp = "2026-11-23T09:30:00+01:00".parse().unwrap();
    let mut fields = LeadFields::company("Nordlys AS").unwrap();
    fields.custom.insert(key.clone(), CustomValue::Time(at));
    let (names, targets) = (Names::new(), Targets::standard());
    let by = Readings { leads: &leads, targets: &targets, names: &names };
    let lead = stored(fields);
    for target in ["account.description", "account.industry"] {
        let mapping = ConversionMapping::standard()
            .with(Field::Custom(key.clone()), target, FillPolicy::Overwrite)
            .unwrap();
        let mapped = mapping.account(&lead, None, &by);
        let write = mapped.writes.iter().find(|one| one.to.to_string() == target).unwrap();
        assert_eq!(write.new.as_text(), Some("2026-11-23T08:30:00Z"), "{target}");
    }
}
