//! The leads port: filters, searches, counts. The reference is [`Resolved::matches`].

use crate::domain::{Field, FieldValue, Lead, LeadFields};
use crate::error::ErrorKind;
use crate::query::{Filter, LeadScan, Operator, Resolved, Sort, SortField};
use crate::store::{SettingName, Store};

use super::super::fixtures::{World, custom_catalogue, custom_fields, sample_leads, storable_texts};
use super::super::{filters_agree, generate};
use super::{assert_kind, refused};

fn stocked(store: &dyn Store) -> (World, Vec<Lead>) {
    let world = World::install(store);
    let leads = sample_leads(&world);
    let catalogue = serde_json::to_string(&custom_catalogue()).unwrap();
    world.write(store, |txn| {
        txn.settings().save(SettingName::Catalogue, None, &catalogue)?;
        txn.leads().insert(&leads)
    });
    (world, leads)
}

/// Each operator on each field, with values that leads have, near misses and values that fit nothing.
pub fn every_operator_on_every_field_agrees_with_the_reference(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let mut checked = 0;
    for field in Field::ALL.iter().cloned().chain(custom_fields()) {
        let mut filters = Vec::new();
        for op in Operator::ALL {
            let values = generate::values_for(&field, op, &leads).into_iter();
            filters.extend(values.map(|value| Filter::new(field.clone(), op, value)));
        }
        let of_field = filters_agree(store, &world.scene.ctx_with_team(), &leads, &filters);
        assert!(
            of_field > 2,
            "{field}: the case must try several conditions, or it says nothing: {of_field}"
        );
        checked += of_field;
    }
    assert!(checked > 1_000, "the case must try many conditions, or it says nothing: {checked}");
}

/// Quotes, wildcards and statements in a value are looked for, not run.
pub fn hostile_filter_values_are_values_and_nothing_else(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let ops = [Operator::Eq, Operator::Ne, Operator::Contains, Operator::StartsWith, Operator::EndsWith];
    let mut filters = Vec::new();
    for text in storable_texts().chain(["%", "_", "\\", "'", "\"", "*", "?", "", " ", "%_", "a%b"]) {
        let custom = ["x_text", "x_long", "x_email", "x_phone", "x_url"].map(|key| key.parse().unwrap());
        let standard = [Field::Company, Field::City, Field::Email, Field::Phone, Field::Description];
        for field in standard.into_iter().chain(custom) {
            filters.extend(ops.map(|op| Filter::new(field.clone(), op, text)));
        }
        filters.push(Filter::eq(Field::Owner, text));
        filters.push(Filter::eq(Field::ExternalId, format!("crm:{text}")));
        filters.push(Filter::search(text));
    }
    filters_agree(store, &world.scene.ctx(), &leads, &filters);
}

/// `ne` and `not` are true for leads without a value: there are two truths, not three.
pub fn not_is_true_where_the_field_is_empty(store: &dyn Store) {
    let world = World::install(store);
    let leads = [world.lead(1, LeadFields::default()), world.company(2, "Has one")];
    world.write(store, |txn| txn.leads().insert(&leads));
    let count = |filter: Filter| {
        let filter = filter.resolve(&world.scene.ctx().asker()).expect("a filter that fits");
        world.read(store, |txn| txn.tallies().count(&filter))
    };
    for field in [Field::Amount, Field::Owner, Field::Source, Field::ConvertedAt, Field::Country, Field::City]
    {
        let value: FieldValue = match field {
            Field::Amount => "1".into(),
            Field::Source => world.terms[&crate::domain::TermKind::Source][0].into(),
            Field::ConvertedAt => "2026-01-01T00:00:00Z".into(),
            _ => "x".into(),
        };
        assert_eq!(
            count(Filter::new(field.clone(), Operator::Ne, value.clone())),
            2,
            "{field}: ne, none set"
        );
        assert_eq!(count(!Filter::eq(field.clone(), value.clone())), 2, "{field}: not eq, none set");
        assert_eq!(count(!!Filter::eq(field.clone(), value)), 0, "{field}: not not eq, none set");
        assert_eq!(count(Filter::new(field.clone(), Operator::IsEmpty, true)), 2, "{field}: is empty");
        assert_eq!(count(!Filter::new(field.clone(), Operator::IsEmpty, false)), 2, "{field}: not not empty");
    }
    let before = Filter::new(Field::Amount, Operator::Lt, "1");
    assert_eq!(count(before.clone()), 0, "an empty amount is not less than anything");
    assert_eq!(count(!before), 2, "and the opposite holds for both");
}

/// Bounds with more decimals, or beyond what a store can hold, are compared as they are and not rounded.
pub fn amounts_finer_than_any_stored_one_compare_exactly(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let values = [
        "1.5",
        "1.50000000000000000000",
        "1.50000000000000000001",
        "1.4999999999999999999",
        "-0.00005",
        "0.00000001",
        "99999999999999.9999",
        "99999999999999.99991",
        "79228162514264337593543950335",
        "-79228162514264337593543950335",
        "922337203685477.5807",
        "922337203685477.5808",
        "-0",
        "0.0000",
    ];
    let ops = [Operator::Eq, Operator::Ne, Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge];
    let mut filters = Vec::new();
    for value in values {
        filters.extend(ops.map(|op| Filter::new(Field::Amount, op, value)));
        let pair: FieldValue = vec!["-0.00005", value].into();
        filters.push(Filter::new(Field::Amount, Operator::Between, pair));
    }
    let checked = filters_agree(store, &world.scene.ctx(), &leads, &filters);
    assert_eq!(checked, filters.len(), "every one of these fits");
}

/// Thousands of values, thousands of conditions and the deepest nesting are answered, not refused.
pub fn wide_and_deep_filters_are_answered(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let numbers: Vec<FieldValue> = (0..5_000).map(|n| FieldValue::Integer(n * 3)).collect();
    let wide = Filter::new(Field::Number, Operator::In, FieldValue::List(numbers));
    let texts: Vec<&str> = std::iter::repeat_n("zoo", 5_000).collect();
    let same = Filter::new(Field::Company, Operator::In, FieldValue::from(texts));
    let long = Filter::Any((0..2_000).map(|n| Filter::eq(Field::Number, FieldValue::Integer(n))).collect());
    let all = Filter::All((0..2_000).map(|_| Filter::new(Field::City, Operator::Ne, "x")).collect());
    let deep = (1..crate::query::MAX_DEPTH).fold(Filter::eq(Field::Company, "zoo"), |inner, n| match n % 3 {
        0 => !inner,
        1 => Filter::All(vec![inner]),
        _ => Filter::Any(vec![inner, Filter::nothing()]),
    });
    let empty = [Filter::everything(), Filter::nothing(), !Filter::everything(), !Filter::nothing()];
    let none = Filter::new(Field::Number, Operator::In, FieldValue::List(Vec::new()));
    let filters: Vec<_> = [wide, same, long, all, deep, none].into_iter().chain(empty).collect();
    let checked = filters_agree(store, &world.scene.ctx(), &leads, &filters);
    assert_eq!(checked, filters.len(), "every one of these fits");
}

/// Words of one, two and more letters, digits, punctuation and other scripts.
pub fn searches_agree_with_the_reference(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let mut texts: Vec<String> = [
        "",
        " ",
        "a",
        "o",
        "an",
        "ang",
        "ngs",
        "angstrom",
        "ANGSTRÖM ab",
        "zoo a",
        "o'neil",
        "anna.o'neil@",
        "@example.com",
        "22 22 55",
        "+47 (22) 22-55-55",
        "4722225555",
        "123",
        "1",
        "12",
        "\"",
        "''",
        "%",
        "_",
        "100 %",
        "-",
        "--",
        "*",
        "neil*",
        "\"the\"",
        "AND",
        "OR",
        "NOT",
        "NEAR(a b)",
        "company:zoo",
        "^zoo",
        "{a}",
        "zoo zoo",
        "berg jr",
        "erg",
        "rg",
        "g",
        "\u{1f642}",
        "北京",
        "bei jing",
        "bei",
        "nobody here",
        "L-00001",
        "l-00002",
        "00003",
        "ab a",
        "a\0b",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend(storable_texts().map(str::to_owned));
    texts.push("x".repeat(1_000));
    texts.push("ab ".repeat(300));
    let mut filters: Vec<_> = texts.into_iter().map(Filter::search).collect();
    filters.push(Filter::search("zoo") | Filter::search("angstrom"));
    filters.push(!Filter::search("ang") & Filter::search("a"));
    let checked = filters_agree(store, &world.scene.ctx(), &leads, &filters);
    assert_eq!(checked, filters.len(), "every search fits");
}

/// `count` and the length of the list are one number.
pub fn count_is_the_length_of_the_scan(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let live = leads.iter().filter(|lead| lead.trashed.is_none()).count();
    let count = world.read(store, |txn| txn.tallies().count(&Resolved::everything()));
    assert_eq!(count, u64::try_from(live).unwrap(), "all live leads are counted");
    for filter in [
        Resolved::everything(),
        Resolved::nothing(),
        Resolved::Empty(Field::Company),
        Resolved::Contains(Field::Company, "ang".to_owned()),
    ] {
        let scan = LeadScan {
            filter: filter.clone(),
            trashed: false,
            sort: Sort::ascending(SortField::Number),
            limit: usize::MAX,
            after: None,
        };
        let (count, listed) =
            world.read(store, |txn| Ok((txn.tallies().count(&filter)?, txn.leads().scan(&scan)?)));
        assert_eq!(count, u64::try_from(listed.len()).unwrap(), "count and list of {filter:?}");
    }
}

/// Where the store keeps a count, it is the right one.
pub fn a_kept_count_is_the_count(store: &dyn Store) {
    let (world, _) = stocked(store);
    let fields = [Field::Owner, Field::Source, Field::Stage, Field::State, Field::City];
    let mut filters = vec![Resolved::everything(), Resolved::nothing()];
    for field in fields {
        filters.push(Resolved::Empty(field.clone()));
        for value in generate::values_for(&field, Operator::Eq, &sample_leads(&world)) {
            let filter = Filter::eq(field.clone(), value) & Filter::eq(Field::State, "open");
            filters.extend(filter.resolve(&world.scene.ctx().asker()));
        }
    }
    for filter in filters {
        let (kept, count) =
            world.read(store, |txn| Ok((txn.tallies().kept(&filter)?, txn.tallies().count(&filter)?)));
        assert_eq!(kept.unwrap_or(count), count, "the kept count of {filter:?}");
    }
}

/// The groups of `count_by` are those of the leads themselves and sum up to the count.
pub fn count_by_sums_to_the_count(store: &dyn Store) {
    let (world, leads) = stocked(store);
    let filters =
        [Resolved::everything(), Resolved::nothing(), Resolved::Contains(Field::Company, "a".to_owned())];
    let mut grouped = 0;
    let custom = ["x_bool", "x_one", "x_user", "x_integer", "x_decimal", "x_date", "x_time", "x_link"];
    let custom = custom.map(|key| key.parse::<Field>().unwrap());
    for filter in filters {
        for field in Field::ALL.iter().chain(&custom).filter(|field| field.is_groupable()) {
            let (groups, count) = world.read(store, |txn| {
                Ok((txn.tallies().count_by(&filter, field)?, txn.tallies().count(&filter)?))
            });
            let sum: u64 = groups.iter().map(|(_, count)| count).sum();
            assert_eq!(sum, count, "{field}: the groups must sum up to the count");
            for (value, count) in groups {
                let of_value = |lead: &&Lead| {
                    lead.trashed.is_none() && filter.matches(lead) && field.read(lead) == value
                };
                let wanted = u64::try_from(leads.iter().filter(of_value).count()).unwrap();
                assert_eq!(count, wanted, "{field}: the leads of one group");
                assert!(count > 0, "{field}: a value that no lead has is left out");
                grouped += 1;
            }
        }
    }
    assert!(grouped > 10, "the sample must have groups, or this case says nothing");
}

/// Groups come by value, ascending, the leads without one first.
pub fn count_by_is_in_ascending_order_with_empty_first(store: &dyn Store) {
    let (world, _) = stocked(store);
    let custom = custom_fields();
    for field in Field::ALL.iter().chain(&custom).filter(|field| field.is_groupable()) {
        let groups = world.read(store, |txn| txn.tallies().count_by(&Resolved::everything(), field));
        let ascending = groups.is_sorted_by(|(a, _), (b, _)| a.order(b).is_lt());
        assert!(ascending, "{field}: by value, ascending, each once, empty first: {groups:?}");
    }
    let groups = world.read(store, |txn| txn.tallies().count_by(&Resolved::everything(), &Field::Owner));
    assert_eq!(groups[0].0, FieldValue::Empty, "leads without an owner come first");
}

/// Free text, numbers, times, codes and fields with several values are refused.
pub fn count_by_refuses_fields_that_it_cannot_group(store: &dyn Store) {
    let (world, _) = stocked(store);
    for field in Field::ALL.iter().filter(|field| !field.is_groupable()) {
        let why = format!("leads cannot be counted by {field}");
        let everything = Resolved::everything();
        let error = refused(&world, store, &why, |txn| txn.tallies().count_by(&everything, field));
        assert_kind(&error, ErrorKind::Unsupported, &why);
    }
}
