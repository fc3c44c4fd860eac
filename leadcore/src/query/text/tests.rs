use proptest::prelude::*;

use super::*;
use crate::domain::{Field, FieldValue, LinkRole};
use crate::query::{Circumstance, MAX_DEPTH, Operator};

fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn custom(key: &str) -> Field {
    key.parse().unwrap()
}

#[test]
fn people_may_write_it_in_many_ways() {
    let source = |names: &[&str]| {
        Filter::new(
            Field::Source,
            Operator::In,
            names.iter().copied().map(FieldValue::from).collect::<Vec<_>>(),
        )
    };
    for (text, filter) in [
        ("", Filter::everything()),
        ("owner=me", Filter::eq(Field::Owner, "me")),
        ("Owner == me", Filter::eq(Field::Owner, "me")),
        ("amount <> 5", Filter::new(Field::Amount, Operator::Ne, 5_i64)),
        ("source in (Web, \"Trade fair\")", source(&["Web", "Trade fair"])),
        ("source in ('Trade fair', Web)", source(&["Trade fair", "Web"])),
        (r"company = 'O\'Brien'", Filter::eq(Field::Company, "O'Brien")),
        ("company = O'Brien", Filter::eq(Field::Company, "O'Brien")),
        ("source not in (Web)", !source(&["Web"])),
        ("company !~ nord", !Filter::new(Field::Company, Operator::Contains, "nord")),
        ("company STARTS WITH nord", Filter::new(Field::Company, Operator::StartsWith, "nord")),
        ("email is not empty", Filter::new(Field::Email, Operator::IsEmpty, false)),
        ("created last 1 day", Filter::new(Field::CreatedAt, Operator::LastDays, 1_i64)),
        ("modified today", Filter::new(Field::UpdatedAt, Operator::During, "today")),
        (
            "created this fiscal year from 4",
            Filter::new(Field::CreatedAt, Operator::During, "this_fiscal_year_from_4"),
        ),
        ("created last month", Filter::new(Field::CreatedAt, Operator::During, "last_month")),
        ("text ~ 22", Filter::search("22")),
        ("phone ~ 2222", Filter::new(Field::Phone, Operator::Contains, "2222")),
        (
            "company = null and postal_code = 0150",
            Filter::eq(Field::Company, "null") & Filter::eq(Field::PostalCode, "0150"),
        ),
        (
            "company = #null and city = #7",
            Filter::eq(Field::Company, FieldValue::Empty) & Filter::eq(Field::City, 7_i64),
        ),
        ("label = #hot", Filter::eq(Field::Labels, "#hot")),
        (
            "x_code = 007 and x_seats = 42 and x_rate = 1.50",
            Filter::eq(custom("x_code"), "007")
                & Filter::eq(custom("x_seats"), 42_i64)
                & Filter::eq(custom("x_rate"), "1.50"),
        ),
        ("x_rate = #1.50", Filter::eq(custom("x_rate"), FieldValue::Decimal("1.5".parse().unwrap()))),
        ("source = 2024", Filter::eq(Field::Source, "2024")),
        ("is not unread", !Filter::Is(Circumstance::Unread)),
        ("has no contact", !Filter::Has(LinkRole::Contact)),
        (
            "city = a or city = b and not (city = c or is rotting)",
            Filter::eq(Field::City, "a")
                | Filter::All(vec![
                    Filter::eq(Field::City, "b"),
                    !(Filter::eq(Field::City, "c") | Filter::Is(Circumstance::Rotting)),
                ]),
        ),
        (
            "all(city = a, city = b or city = c)",
            Filter::All(vec![
                Filter::eq(Field::City, "a"),
                Filter::eq(Field::City, "b") | Filter::eq(Field::City, "c"),
            ]),
        ),
        (
            "created >= 2026-11-22T08:00:00+01:00",
            Filter::new(
                Field::CreatedAt,
                Operator::Ge,
                FieldValue::Time("2026-11-22T07:00:00Z".parse().unwrap()),
            ),
        ),
    ] {
        assert_eq!(parsed(text), filter, "{text}");
    }
}

#[test]
fn an_error_says_where_and_what() {
    for (text, byte, character, expected) in [
        ("amount", 6, 7, "an operator"),
        ("ålesund = 1", 0, 1, "a field, `not`, `is`, `has`, `text ~` or `(`"),
        ("city = \"å\" city", 12, 12, "`and`, `or` or the end"),
        ("city = New York", 11, 12, "`and`, `or` or the end; text with blanks stands in quotes"),
        ("city = ", 7, 8, "a value; text with blanks stands in quotes"),
        ("city = \"oslo", 12, 13, "`\"` at the end of the text"),
        (
            "city = 's-Hertogenbosch",
            23,
            24,
            "`'` at the end of the text; one that begins with `'` stands in double quotes",
        ),
        ("citty = a", 0, 1, "a field, `not`, `is`, `has`, `text ~` or `(`; did you mean `city`?"),
        ("city = \"a\\x\"", 9, 10, "`\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` or `\\u{…}`"),
        ("(city = oslo", 12, 13, "`)`"),
        ("source in (a b)", 13, 14, "`,` or `)`"),
        ("source in ((a))", 11, 12, "a value; text with blanks stands in quotes"),
        ("created last 3 weeks", 15, 16, "`days`"),
        ("created this 3 days", 13, 14, "`week`, `month`, `quarter`, `year` or `fiscal`"),
        ("created this fiscal year from 13", 30, 31, "a month from 1 to 12"),
        ("is red", 3, 4, "`unread`, `rotting` or `followed`"),
        ("has cars", 4, 5, "`contact`, `primary_contact` or `converted_to`"),
        ("amount between 1 or 2", 17, 18, "`and`"),
        ("city ! oslo", 5, 6, "a field, a value or an operator"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(
            (error.byte, error.character, error.expected.as_ref()),
            (byte, character, expected),
            "{text}"
        );
    }
    let error = Error::from(Filter::parse("secret = 1").unwrap_err());
    assert_eq!(error.violations()[0].code, ViolationCode::Unknown);
    assert!(!error.to_string().contains("secret"), "an error repeats nothing of the text");
}

#[test]
fn depth_and_length_are_refused_before_they_hurt() {
    let deep = |n: usize, open: &str| {
        format!(
            "{}city = a{}",
            open.repeat(n),
            if open.contains('(') { ")".repeat(n) } else { String::new() }
        )
    };
    for open in ["(", "not ", "all(", "not any("] {
        for n in [10_000, 300_000 / open.len()] {
            let error = Filter::parse(&deep(n, open)).unwrap_err();
            assert_eq!(error.code, ViolationCode::TooLong, "{open}");
        }
    }
    assert!(Filter::parse(&deep(MAX_DEPTH, "(")).is_ok());
    assert!(Filter::parse(&deep(MAX_DEPTH + 1, "(")).is_err());
    let long = format!("city = \"{}\"", "x".repeat(MAX_TEXT));
    assert_eq!(Filter::parse(&long).unwrap_err().code, ViolationCode::TooLong);
    // Writing one is no danger either.
    let mut filter = Filter::everything();
    for _ in 0..100_000 {
        filter = !filter;
    }
    assert_eq!(filter.to_text().len(), 4 * 100_000 + "all()".len());
}

fn value() -> impl Strategy<Value = FieldValue> {
    let single = prop_oneof![
        Just(FieldValue::Empty),
        any::<String>().prop_map(FieldValue::Text),
        "[\\\\\"'(),=~<>! \n\t\r\0a-z0-9.-]{0,8}".prop_map(FieldValue::Text),
        prop::sample::select(vec![
            "true",
            "null",
            "5",
            "5.0",
            "not",
            "this_month",
            "this month",
            "today",
            "days",
            "and",
            "2026-01-01T00:00:00Z"
        ])
        .prop_map(FieldValue::from),
        any::<bool>().prop_map(FieldValue::Bool),
        any::<i64>().prop_map(FieldValue::Integer),
        (any::<i64>(), 0_u32..28)
            .prop_map(|(units, scale)| FieldValue::Decimal(rust_decimal::Decimal::new(units, scale))),
        Just(FieldValue::Decimal(rust_decimal::Decimal::MAX)),
        (-62_135_596_800_000_000_i64..253_402_300_799_999_999)
            .prop_map(|micros| FieldValue::Time(crate::time::Timestamp::from_micros(micros).unwrap())),
        (-719_162_i64..2_932_896)
            .prop_map(|days| FieldValue::Date(crate::time::Date::from_days(days).unwrap())),
        any::<u128>().prop_map(|id| FieldValue::Id(uuid::Uuid::from_u128(id))),
    ];
    prop_oneof![4 => single.clone(), 1 => prop::collection::vec(single, 0..4).prop_map(FieldValue::List)]
}

fn tree() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        2 => ("x_[a-z0-9_]{1,9}", prop::sample::select(Operator::ALL.to_vec()), value())
            .prop_map(|(key, op, value)| Filter::new(key.parse().unwrap(), op, value)),
        6 => (prop::sample::select(Field::ALL.to_vec()), prop::sample::select(Operator::ALL.to_vec()), value())
            .prop_map(|(field, op, value)| Filter::new(field, op, value)),
        1 => any::<String>().prop_map(Filter::Search),
        1 => prop::sample::select(Circumstance::ALL.to_vec()).prop_map(Filter::Is),
        1 => prop::sample::select(LinkRole::ALL.to_vec()).prop_map(Filter::Has),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|filter| !filter),
        ]
    })
}

#[test]
fn every_operator_is_read_back_with_every_value() {
    let values =
        ["today", "last_fiscal_quarter_from_4", "", "\"", "a b"].map(FieldValue::from).into_iter().chain([
            FieldValue::Empty,
            true.into(),
            false.into(),
            7_i64.into(),
            FieldValue::List(vec![]),
            FieldValue::List(vec![1_i64.into()]),
            FieldValue::List(vec![1_i64.into(), "x".into()]),
        ]);
    for value in values {
        for op in Operator::ALL {
            for field in [Field::CreatedAt, Field::City, Field::Source] {
                let filter = Filter::new(field, op, value.clone());
                assert_eq!(parsed(&filter.to_text()), filter, "{}", filter.to_text());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(filter in tree()) {
        let text = filter.to_text();
        let back = Filter::parse(&text);
        prop_assert_eq!(back.as_ref(), Ok(&filter), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z =~<>!()'\"\\\\{},0-9.-]{0,40}|\\PC{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_text()), Ok(filter));
        }
    }
}
