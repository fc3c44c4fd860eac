//! Rows through rules.

use proptest::prelude::*;

use super::*;
use crate::domain::{Choice, CustomField, CustomKey, CustomType, TermKind};
use crate::exchange::{ColumnRules, DateOrder, Mapping, ReadOptions, Split, TableReader, Unit};
use crate::value::DecimalMark;

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::standard();
    let tags = vec![Choice::new("a", "Apples"), Choice::new("b", "Bread, white")];
    for (key, kind) in [
        ("x_day", CustomType::Date),
        ("x_at", CustomType::Time),
        ("x_ok", CustomType::Bool),
        ("x_tags", CustomType::ManyOf(tags)),
        ("x_n", CustomType::Integer),
    ] {
        let field = CustomField::new(CustomKey::new(key).unwrap(), key, kind);
        catalogue.set_custom_field(field);
    }
    catalogue
}

fn read(mapping: &Mapping, file: &str) -> Vec<Content> {
    let options = ReadOptions::new().delimiter(b'|').has_header(true);
    let mut table = TableReader::open(std::io::Cursor::new(file), &options).unwrap();
    let catalogue = catalogue();
    let columns = mapping.locate(table.headers(), &catalogue, &[]).unwrap();
    let mut coercer = Coercer::new(columns, &catalogue, &ImportOptions::new(), "UTF-8");
    let (mut row, mut rows) = (Row::new(), Vec::new());
    while table.next_row(&mut row).unwrap() {
        rows.push(coercer.read(&row));
    }
    rows
}

fn one(field: &str, rules: ColumnRules, cell: &str) -> Result<LeadFields, String> {
    let mapping = Mapping::default().with("c", Some(field.parse().unwrap())).rules("c", rules);
    match read(&mapping, &format!("c|d\n{cell}|x\n")).remove(0) {
        Content::Filled(intent) => Ok(intent.fields),
        Content::Broken(reasons) => Err(reasons[0].message.clone()),
        Content::Blank | Content::Header => panic!("no blank"),
    }
}

#[test]
fn a_column_is_read_by_its_own_rules() {
    let rules = ColumnRules::new;
    let close =
        |rules, cell| one("expected_close", rules, cell).map(|f| f.expected_close.unwrap().to_string());
    assert_eq!(close(rules().date_order(DateOrder::DayFirst), "01/02/2027").as_deref(), Ok("2027-02-01"));
    assert_eq!(close(rules().date_order(DateOrder::MonthFirst), "01/02/2027").as_deref(), Ok("2027-01-02"));
    assert!(close(rules(), "01/02/2027").unwrap_err().contains("swapped"));
    let amount = |rules, cell| one("amount", rules, cell).map(|f| f.amount.unwrap().normalize().to_string());
    assert_eq!(amount(rules().decimal_mark(DecimalMark::Comma), "1.234").as_deref(), Ok("1234"));
    assert_eq!(amount(rules().unit(Unit::Thousands), "$12.5").as_deref(), Ok("12500"));
    for (cell, expected) in [("$342.09K", "342090"), ("(1.234,50)", "-1234.5"), ("kr 1 200", "1200")] {
        assert_eq!(amount(rules(), cell).as_deref(), Ok(expected), "{cell}");
    }
    assert!(amount(rules(), "1,234").is_err());
    let norway = Country::parse("NO").unwrap();
    let phone = |rules, cell| {
        one("phone", rules, cell).map(|f| f.phones.primary().unwrap().e164().map(str::to_owned))
    };
    let local = phone(rules().region(norway), "22 22 55 55").unwrap();
    assert!(local.as_deref() == Some("+4722225555") || !cfg!(feature = "phone"), "{local:?}");
    let score = one("score", rules(), "15.0").unwrap();
    assert_eq!(score.score, Some(15));
    assert_eq!(one("probability", rules(), "85 %").unwrap().probability, Some(85));
}

#[test]
fn custom_fields_follow_the_rules_too() {
    let custom = |field: &str, rules, cell| {
        let fields = one(field, rules, cell)?;
        let value = fields.custom.values().next().map(|value| serde_json::to_string(value).unwrap());
        Ok::<_, String>(value.unwrap_or_default())
    };
    let rules = ColumnRules::new;
    assert!(
        custom("x_day", rules().date_order(DateOrder::DayFirst), "01-02-2018")
            .unwrap()
            .contains("2018-02-01")
    );
    assert!(custom("x_day", rules(), "15 Apr, 2021 00:03:00").unwrap().contains("2021-04-15"));
    assert!(custom("x_at", rules().utc_offset(120), "2021-04-15 23:03:00").unwrap().contains("21:03:00"));
    assert!(custom("x_at", rules(), "2021-04-15 23:03:00").is_err());
    assert!(custom("x_ok", rules().yes("joda"), "Joda").unwrap().contains("true"));
    assert!(custom("x_ok", rules(), "não").unwrap().contains("false"));
    assert!(custom("x_ok", rules(), "joda").is_err());
    let tags = custom("x_tags", rules().split(Split::List("/".to_owned())), "Apples / Bread, white").unwrap();
    assert!(tags.contains(r#""a""#) && tags.contains(r#""b""#), "{tags}");
    assert!(custom("x_tags", rules(), "Apples; Bread, white").is_err(), "the comma separates");
    assert!(custom("x_n", rules().unit(Unit::Thousands), "1.5").unwrap().contains("1500"));
}

#[test]
fn cells_are_split_and_joined() {
    let mapping = Mapping::default()
        .with("name", Some(Field::Name))
        .rules("name", ColumnRules::new().split(Split::FamilyFirst))
        .with("mails", Some(Field::Email))
        .rules("mails", ColumnRules::new().split(Split::List("/".to_owned())))
        .with("address", Some(Field::Street))
        .rules("address", ColumnRules::new().split(Split::Address))
        .with("zip", Some(Field::PostalCode))
        .with("a", Some(Field::Description))
        .with("b", Some(Field::Description))
        .rules("b", ColumnRules::new().join(" – "));
    let file = "name|mails|address|zip|a|b\n\
                Berg Anna Lise|a@b.example/c@d.example|Gate 1, 5003 Oslo, Norway|0154|one|two\n\
                Berg, Anna||Gate 1|||two\n";
    let rows = read(&mapping, file);
    let [Content::Filled(first), Content::Filled(second)] = rows.as_slice() else { panic!("{rows:?}") };
    let person = first.person.as_ref().unwrap();
    assert_eq!((person.given(), person.family()), (Some("Anna Lise"), Some("Berg")));
    assert_eq!(first.fields.emails.entries().len(), 2);
    let address = &first.fields.address;
    assert_eq!((address.street(), address.city()), (Some("Gate 1"), Some("Oslo")));
    assert_eq!(address.postal_code(), Some("0154"), "a column of its own wins over the line");
    assert_eq!(address.one_line(), "Gate 1, 0154 Oslo, Norway");
    assert_eq!(first.fields.description.as_deref(), Some("one – two"));
    let person = second.person.as_ref().unwrap();
    assert_eq!((person.given(), person.family()), (Some("Anna"), Some("Berg")));
    assert_eq!(second.fields.description.as_deref(), Some("two"));
}

#[test]
fn constants_are_for_every_row_and_defaults_for_new_leads() {
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("City", Some(Field::City))
        .rules("City", ColumnRules::new().default_value("Oslo").no_answer(vec!["?".to_owned()]))
        .constant(Field::Source, "Fair")
        .constant(Field::Country, "NO");
    let rows = read(&mapping, "Company|City\nNordlys AS|?\nFjord AS|Bergen\n");
    let [Content::Filled(first), Content::Filled(second)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(first.fields.address.city(), None, "a lead that is there is left alone");
    let new = first.for_new.as_ref().unwrap();
    assert_eq!((new.fields.address.city(), new.terms.len()), (Some("Oslo"), 1));
    assert!(second.for_new.is_none());
    for intent in [first, second] {
        assert_eq!(intent.terms, [(TermKind::Source, "Fair".to_owned())]);
        assert_eq!(
            intent.fields.address.country().map(|country| country.code().to_owned()),
            Some("NO".to_owned())
        );
    }
}

fn any_rules() -> impl Strategy<Value = ColumnRules> {
    let order = prop::option::of(prop_oneof![
        Just(DateOrder::DayFirst),
        Just(DateOrder::MonthFirst),
        Just(DateOrder::YearFirst)
    ]);
    let mark = prop::option::of(prop_oneof![Just(DecimalMark::Dot), Just(DecimalMark::Comma)]);
    let unit = prop::option::of(prop_oneof![Just(Unit::Thousands), Just(Unit::Millions)]);
    let default = prop::option::of(any::<String>());
    let no_answer = prop::option::of(prop::collection::vec(any::<String>(), 0..3));
    (order, mark, unit, default, no_answer, -1080..=1080).prop_map(
        |(order, mark, unit, default, words, minutes)| {
            let mut rules = ColumnRules::new().utc_offset(minutes).yes("joda");
            (rules.date_order, rules.decimal_mark, rules.unit) = (order, mark, unit);
            (rules.default, rules.no_answer) = (default, words);
            rules
        },
    )
}

/// Every field that a column may fill.
fn fields() -> Vec<Field> {
    let catalogue = catalogue();
    catalogue.fields().filter(Field::is_imported).collect()
}

fn splits(field: &Field) -> Option<Split> {
    match field {
        Field::Name => Some(Split::FamilyFirst),
        Field::Street => Some(Split::Address),
        Field::Email | Field::Phone | Field::Labels => Some(Split::List("/".to_owned())),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_cell_is_answered(
        rules in any_rules(),
        split in any::<bool>(),
        cells in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[0-9.,'/ :+()$€Kkx%-]{0,20}",
                "([A-Za-zÆØÅæøå]{1,9}[ ,./-]{0,2}){0,6}",
                "[a-z.]{1,6}@[a-z.]{1,9}([,;/ ][a-z]{1,3}@[a-z.]{1,5})?",
            ],
            60,
        ),
    ) {
        let (fields, catalogue) = (fields(), catalogue());
        let headers: Vec<String> = (0..fields.len()).map(|n| format!("c{n}")).collect();
        let mut mapping = Mapping::default();
        for (header, field) in headers.iter().zip(&fields) {
            let mut rules = rules.clone();
            rules.split = splits(field).filter(|_| split);
            // Only days have an order: elsewhere the rule is refused before any cell is read.
            let alone = Mapping::default().with(header, Some(field.clone())).rules(header, rules.clone());
            if alone.locate(&headers, &catalogue, &[]).is_err() {
                rules.date_order = None;
            }
            mapping = mapping.with(header, Some(field.clone())).rules(header, rules);
        }
        let columns = mapping.locate(&headers, &catalogue, &[]).unwrap();
        let mut coercer = Coercer::new(columns, &catalogue, &ImportOptions::new(), "UTF-8");
        let row = Row {
            line: 2,
            number: 1,
            cells: cells.iter().cycle().take(headers.len()).cloned().collect::<Vec<_>>().into(),
            ..Row::default()
        };
        match coercer.read(&row) {
            Content::Broken(reasons) => prop_assert!(!reasons.is_empty()),
            Content::Filled(_) | Content::Blank | Content::Header => {}
        }
    }
}

#[test]
fn a_cell_that_cannot_be_taken_says_why() {
    let mapping = Mapping::default().with("id", Some(Field::ExternalId));
    let headers = ["id".to_owned()];
    let columns = mapping.locate(&headers, &catalogue(), &[]).unwrap();
    let mut coercer = Coercer::new(columns, &catalogue(), &ImportOptions::new(), "UTF-8");
    let mut told = |row: &Row| match coercer.read(row) {
        Content::Broken(reasons) => reasons[0].message.clone(),
        other => panic!("{other:?}"),
    };
    let row = Row { cells: ["12345678901234568"].into_iter().collect(), ..Row::new() };
    let lost = told(&Row { lost_digits: vec![0], ..row.clone() });
    assert!(lost.starts_with("not all digits of this long number are known"), "{lost}");
    assert_eq!(told(&Row { cell_errors: vec![0], ..row }), "the cell holds the error of a formula");
}
