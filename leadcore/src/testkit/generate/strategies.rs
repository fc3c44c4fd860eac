//! Proptest strategies for records, filters and sorts.
//!
//! Values come from small sets, so that leads share them and filters find something.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use crate::domain::{
    ContactFields, CustomField, CustomKey, CustomValue, Emails, ExternalRef, Field, FieldValue,
    FollowUpState, LeadFields, LeadKind, LeadPatch, LinkRole, Phones, Reachable,
};
use crate::query::{Circumstance, Direction, Filter, Operator, Sort, SortField};
use crate::value::{Address, Country, Currency, Email, PersonName, Phone, TaxId, Website};

use super::super::fixtures::{custom_fields, custom_inputs, custom_sorts, custom_types, storable_texts};

const MAILS: &[&str] =
    &["anna@example.com", "ANNA@Example.com", "o'neil@example.org", "\"a b\"@example.com", "x@ä.example"];
const PHONES: &[&str] = &["+47 22 22 55 55", "0047 22225555", "123", "+1 917-584-0243 x4606", "22 22 55 55"];
const USERS: &[&str] = &["ada", "bob", "Ada", "o'neil@x"];

/// A text that is not blank: short words that often repeat, or one that is hard to keep.
pub fn text() -> impl Strategy<Value = String> {
    let hostile: Vec<&str> = storable_texts().map(str::trim).collect();
    prop_oneof![
        4 => "[a-cA-C]{1,3}",
        2 => "[a-cåé]{1,2} [%_'\"\\\\a-c]{1,2}",
        1 => select(hostile).prop_map(str::to_owned),
    ]
    .prop_map(|text| text.trim().to_owned())
    .prop_filter("not blank", |text| !text.is_empty())
}

/// An amount that a lead can have: up to four decimals, both signs, often a round one, now and then at the limits.
pub fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        3 => (-5_i64..5).prop_map(Decimal::from),
        3 => (-30_000_i64..30_000, 0_u32..=4).prop_map(|(units, scale)| Decimal::new(units, scale)),
        1 => select(&["99999999999999.9999", "-99999999999999.9999", "0.0001", "1.50", "0.0000"][..])
            .prop_map(|text| text.parse().unwrap()),
    ]
}

/// Fields of a lead that keep every rule, without terms.
pub fn lead_fields() -> impl Strategy<Value = LeadFields> {
    let who = (
        any::<bool>(),
        text(),
        option::of(text()),
        option::of(text()),
        vec(select(MAILS), 0..3),
        vec(select(PHONES), 0..3),
    );
    let what = (
        option::of(text()),
        option::of(select(&["NO", "DE", "US"][..])),
        option::of(amount()),
        option::of(text()),
        option::of(select(USERS)),
        btree_set(select(&["crm:1", "crm:1", "shop:a b"][..]), 0..2),
        any::<bool>(),
    );
    (who, what, custom_values()).prop_map(|(who, what, custom)| {
        let (consumer, name, other, job_title, mails, phones) = who;
        let (city, country, amount, free, owner, external_ids, more) = what;
        let (company, person) = if consumer { (other, Some(name)) } else { (Some(name), other) };
        let mut fields = LeadFields {
            kind: if consumer { LeadKind::Consumer } else { LeadKind::Company },
            company,
            person: person.map(|name| PersonName::parse(&name).unwrap()),
            job_title,
            emails: emails(&mails),
            phones: phones_of(&phones),
            address: Address::new()
                .with_city(city.as_deref().unwrap_or_default())
                .unwrap()
                .with_country(country.map(|code| Country::parse(code).unwrap())),
            amount,
            industry: free.clone(),
            campaign: free.clone(),
            description: free,
            owner: owner.map(|user| user.parse().unwrap()),
            external_ids: external_ids.into_iter().map(|id| ExternalRef::parse(id).unwrap()).collect(),
            custom,
            ..LeadFields::default()
        };
        if more {
            fields.score = i32::try_from(mails.len()).ok();
            fields.website = Some(Website::parse("https://example.com/%_'").unwrap());
            fields.tax_id = Some(TaxId::parse("NO 923 609 016").unwrap());
            fields.currency = Some(Currency::parse("NOK").unwrap());
        }
        fields
    })
}

/// A custom field and something that a person may type into it.
fn custom_input() -> impl Strategy<Value = (CustomField, FieldValue)> {
    select(custom_types()).prop_flat_map(|(key, kind)| {
        let inputs = custom_inputs(key.as_str()).to_vec();
        let field = CustomField::new(key, "", kind);
        select(inputs).prop_map(move |text| (field.clone(), text.into()))
    })
}

/// Values of custom fields; mostly none or a few.
pub fn custom_values() -> impl Strategy<Value = BTreeMap<CustomKey, CustomValue>> {
    let one = custom_input().prop_filter_map("fits", |(field, text)| {
        field.parse(&text, None).ok().flatten().map(|value| (field.key, value))
    });
    prop_oneof![2 => Just(BTreeMap::new()), 3 => btree_map_of(one)]
}

fn btree_map_of(
    one: impl Strategy<Value = (CustomKey, CustomValue)>,
) -> impl Strategy<Value = BTreeMap<CustomKey, CustomValue>> {
    vec(one, 1..5).prop_map(|list| list.into_iter().collect())
}

/// Any custom field.
pub fn custom_field() -> impl Strategy<Value = Field> {
    select(custom_fields())
}

fn emails(list: &[&str]) -> Emails {
    let mut emails = Emails::none();
    for mail in list {
        emails.push(Reachable::new(Email::parse(mail).unwrap())).unwrap();
    }
    emails
}

fn phones_of(list: &[&str]) -> Phones {
    let mut phones = Phones::none();
    for phone in list {
        phones.push(Reachable::new(Phone::parse(phone, None).unwrap())).unwrap();
    }
    phones
}

/// Fields of a contact; now and then none, which is refused.
pub fn contact_fields() -> impl Strategy<Value = ContactFields> {
    (option::weighted(0.9, text()), option::of(text()), vec(select(MAILS), 0..2)).prop_map(
        |(name, job_title, mails)| ContactFields {
            name: name.map(|name| PersonName::parse(&name).unwrap()),
            job_title,
            emails: emails(&mails),
            ..ContactFields::default()
        },
    )
}

/// A patch of up to four fields, with values that fit and values that do not.
pub fn patch() -> impl Strategy<Value = LeadPatch> {
    let likely = [
        Field::Company,
        Field::Name,
        Field::Email,
        Field::Phone,
        Field::City,
        Field::Amount,
        Field::Description,
        Field::Owner,
        Field::Country,
    ];
    let one = (prop_oneof![5 => select(likely.to_vec()), 1 => select(Field::ALL.to_vec())], fitting());
    let custom = prop_oneof![
        4 => custom_input().prop_map(|(field, value)| (Field::Custom(field.key), value)),
        1 => (custom_field(), fitting()),
        1 => custom_field().prop_map(|field| (field, FieldValue::Empty)),
    ];
    vec(prop_oneof![2 => one, 1 => custom], 1..4).prop_map(|list| list.into_iter().collect())
}

/// A value that some field takes.
fn fitting() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        4 => text().prop_map(FieldValue::Text),
        2 => Just(FieldValue::Empty),
        2 => select(MAILS).prop_map(FieldValue::from),
        2 => select(PHONES).prop_map(FieldValue::from),
        2 => amount().prop_map(FieldValue::Decimal),
        1 => select(USERS).prop_map(FieldValue::from),
        1 => select(&["NO", "DE", "xx"][..]).prop_map(FieldValue::from),
    ]
}

/// Any value of any type, fitting or not.
fn value() -> impl Strategy<Value = FieldValue> {
    let single = prop_oneof![
        5 => fitting(),
        1 => select(&["", "%", "_", "me", "my_team", "now", "today", "this_month", "open", "converted", "company", "1.00001"][..]).prop_map(FieldValue::from),
        1 => any::<bool>().prop_map(FieldValue::Bool),
        2 => prop_oneof![-2_i64..40, Just(i64::MIN), Just(i64::MAX)].prop_map(FieldValue::Integer),
        1 => select(&["2026-11-22T08:00:00Z", "2026-11-22T08:00:03Z", "0001-01-01T00:00:00Z"][..])
            .prop_map(FieldValue::from),
        1 => (-3_i64..3).prop_map(|days| {
            let noon: crate::time::Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
            FieldValue::Time(noon.saturating_add(chrono::TimeDelta::days(days)))
        }),
        1 => select(vec![uuid::Uuid::nil(), uuid::Uuid::max()]).prop_map(FieldValue::Id),
    ];
    prop_oneof![
        5 => single.clone(),
        1 => vec(single, 0..4).prop_map(FieldValue::List),
    ]
}

/// A filter: conditions on every field with every operator, some of which do not fit, searches, and trees of them.
pub fn filter() -> impl Strategy<Value = Filter> {
    let condition = (select(Field::ALL.to_vec()), select(Operator::ALL.to_vec()), value())
        .prop_map(|(field, op, value)| Filter::new(field, op, value));
    let texts = (
        select(vec![
            Field::Company,
            Field::Name,
            Field::City,
            Field::Email,
            Field::Phone,
            Field::Description,
        ]),
        select(vec![
            Operator::Eq,
            Operator::Ne,
            Operator::Contains,
            Operator::StartsWith,
            Operator::EndsWith,
        ]),
        text(),
    )
        .prop_map(|(field, op, text)| Filter::new(field, op, text));
    let amounts = (
        select(vec![Operator::Eq, Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge, Operator::Ne]),
        amount(),
    )
        .prop_map(|(op, amount)| Filter::new(Field::Amount, op, amount));
    let custom = (custom_input(), select(Operator::ALL.to_vec())).prop_map(|((field, input), op)| {
        let form = field.parse(&input, None).ok().flatten().and_then(|value| value.forms().pop());
        Filter::new(Field::Custom(field.key), op, form.unwrap_or(input))
    });
    let custom_any = (custom_field(), select(Operator::ALL.to_vec()), value())
        .prop_map(|(field, op, value)| Filter::new(field, op, value));
    let times = (
        select(vec![Field::CreatedAt, Field::ActiveAt, Field::FollowUp, Field::ConvertedAt]),
        select(
            &["today", "yesterday", "this_week", "last_week", "this_month", "last_month", "next_month"][..],
        ),
    )
        .prop_map(|(field, period)| Filter::new(field, Operator::During, period));
    let follow_ups = (
        select(vec![Operator::Eq, Operator::Ne, Operator::In]),
        vec(select(FollowUpState::ALL.map(FollowUpState::code).to_vec()).prop_map(FieldValue::from), 1..3),
    )
        .prop_map(|(op, states)| Filter::new(Field::FollowUp, op, FieldValue::List(states)));
    let scores = (
        select(vec![Operator::Eq, Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge, Operator::Ne]),
        prop_oneof![-2_i64..6, Just(-1_000_000), Just(1_000_000), Just(i64::MIN), Just(i64::MAX)],
    )
        .prop_map(|(op, score)| Filter::new(Field::Score, op, score));
    let facts = prop_oneof![
        select(Circumstance::ALL.to_vec()).prop_map(Filter::Is),
        select(LinkRole::ALL.to_vec()).prop_map(Filter::Has),
    ];
    let leaf = prop_oneof![
        3 => custom,
        1 => custom_any,
        1 => custom_field().prop_map(|field| Filter::new(field, Operator::IsEmpty, true)),
        2 => condition,
        1 => times,
        1 => facts,
        4 => texts,
        2 => amounts,
        1 => follow_ups,
        1 => scores,
        2 => text().prop_map(Filter::search),
        1 => select(Field::ALL.to_vec()).prop_map(|field| Filter::new(field, Operator::IsEmpty, true)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::All),
            vec(inner.clone(), 0..3).prop_map(Filter::Any),
            inner.prop_map(|filter| !filter),
        ]
    })
}

/// Any sort.
pub fn sort() -> impl Strategy<Value = Sort> {
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    let fields: Vec<_> = SortField::ALL.into_iter().chain(custom_sorts()).collect();
    (select(fields), direction).prop_map(|(by, direction)| Sort { by, direction })
}
