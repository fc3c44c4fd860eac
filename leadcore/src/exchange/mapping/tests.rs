//! What headers and saved mappings mean.

use super::*;

fn propose(headers: &[&str]) -> Vec<Option<String>> {
    let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
    let mapping = Mapping::propose(&headers, &Catalogue::standard());
    mapping.columns.into_iter().map(|column| column.field.map(String::from)).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with options")]
fn some(key: &str) -> Option<String> {
    Some(key.to_owned())
}

#[test]
fn the_best_known_word_wins_wherever_it_stands() {
    assert_eq!(
        propose(&["Prospect ID", "Lead Number", "Lead Origin", "Lead Source"]),
        [some("external_id"), None, None, some("source")]
    );
    assert_eq!(propose(&["Lead Source", "source", "Source"]), [None, some("source"), None]);
    assert_eq!(propose(&["Email 1", "Work e-mail", "Tags"]), [some("email"), some("email"), some("labels")]);
    assert_eq!(
        propose(&["First Name", "Full name", "Surname"]),
        [some("first_name"), some("name"), some("last_name")]
    );
}

#[test]
fn a_mapping_is_held_to_the_file() {
    let headers = ["a", "a", "b"].map(String::from);
    let twice = Mapping::default().with("b", Some(Field::City));
    let repeated = Mapping {
        columns: ["a", "a"].map(|header| ColumnMapping::new(header, Some(Field::Email))).to_vec(),
        constants: Vec::new(),
    };
    let located = |mapping: &Mapping| {
        let found = mapping.locate(&headers, &Catalogue::standard(), &[]).unwrap();
        found.into_iter().map(|column| (column.from, column.field)).collect::<Vec<_>>()
    };
    let at = |place| Origin::Columns(place, Vec::new());
    assert_eq!(located(&twice), [(at(2), Field::City)]);
    assert_eq!(located(&repeated), [(at(0), Field::Email), (at(1), Field::Email)]);
    let joined = Mapping::default()
        .with("a", Some(Field::Street))
        .with("b", Some(Field::Street))
        .rules("b", ColumnRules::new().join(", "));
    assert_eq!(located(&joined), [(Origin::Columns(0, vec![(2, ", ".to_owned())]), Field::Street)]);
    let wrong = Mapping::default()
        .with("gone", Some(Field::City))
        .with("a", Some(Field::Number))
        .with("b", Some(Field::Region));
    let error = wrong.locate(&headers, &Catalogue::standard(), &[]).unwrap_err();
    let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["mapping.city", "mapping.number"]);
    assert!(Mapping::default().locate(&headers, &Catalogue::standard(), &[]).is_err());
    let misfits = Mapping::default()
        .with("a", Some(Field::City))
        .rules("a", ColumnRules::new().split(Split::Address))
        .with("b", Some(Field::Amount))
        .rules("b", ColumnRules::new().join(" "))
        .constant(Field::City, "Oslo")
        .constant(Field::Number, "1")
        .constant("x_nothing".parse().unwrap(), "1");
    let error = misfits.locate(&headers, &Catalogue::standard(), &[]).unwrap_err();
    let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
    let expected = ["mapping.city", "mapping.amount", "mapping.city", "mapping.number", "mapping.x_nothing"];
    assert_eq!(fields, expected, "{error}");
}

#[test]
fn a_mapping_is_kept_as_json() {
    let mapping = Mapping::default().with("Firma", Some(Field::Company)).with("x", None);
    let json = serde_json::to_string(&mapping).unwrap();
    assert_eq!(json, r#"[{"header":"Firma","field":"company"},{"header":"x","field":null}]"#);
    assert_eq!(serde_json::from_str::<Mapping>(&json).unwrap(), mapping);
    let whole = mapping.rules("Firma", ColumnRules::new().default_value("?")).constant(Field::Source, "Fair");
    let json = serde_json::to_string(&whole).unwrap();
    assert_eq!(
        json,
        r#"{"columns":[{"header":"Firma","field":"company","rules":{"default":"?"}},{"header":"x","field":null}],"constants":[{"field":"source","value":"Fair"}]}"#
    );
    assert_eq!(serde_json::from_str::<Mapping>(&json).unwrap(), whole);
}
