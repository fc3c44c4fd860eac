//! Every value that a field can be compared with.

use crate::domain::{CustomValue, Field, FieldType, FieldValue, Lead};
use crate::query::Operator;

use super::super::fixtures::custom_catalogue;

/// Values to compare `field` with by `op`: some that `leads` have, near misses of them, edges of the type, and some
/// that fit nothing.
#[must_use]
pub fn values_for(field: &Field, op: Operator, leads: &[Lead]) -> Vec<FieldValue> {
    let mut own: Vec<FieldValue> = Vec::new();
    for lead in leads {
        let forms = match field {
            Field::Custom(key) => lead.fields.custom.get(key).map(CustomValue::forms).unwrap_or_default(),
            _ => Vec::new(),
        };
        for value in field.read(lead).items().iter().chain(&forms) {
            if !own.contains(value) && own.len() < 8 {
                own.push(value.clone());
            }
        }
    }
    match op {
        Operator::IsEmpty => vec![true.into(), false.into(), FieldValue::Empty, "yes".into()],
        Operator::LastDays | Operator::NextDays | Operator::OlderThanDays => {
            [0, 1, 30, i64::MAX, -1].map(FieldValue::Integer).to_vec()
        }
        Operator::During => ["today", "yesterday", "this_week", "last_month", "next_quarter", "this_year"]
            .into_iter()
            .chain(["this_fiscal_year_from_4", "last_fiscal_quarter_from_12", "this_day", ""])
            .map(FieldValue::from)
            .collect(),
        Operator::In => vec![
            FieldValue::List(own.clone()),
            FieldValue::List(own.into_iter().take(2).chain(edges(field)).collect()),
            FieldValue::List(Vec::new()),
        ],
        Operator::Between => {
            let mut ends = own;
            ends.extend(edges(field));
            let pairs = ends.iter().zip(ends.iter().skip(1));
            let mut pairs: Vec<_> =
                pairs.map(|(a, b)| FieldValue::List(vec![a.clone(), b.clone()])).collect();
            pairs.extend(ends.first().map(|end| FieldValue::List(vec![end.clone(), end.clone()])));
            pairs
        }
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            let mut parts: Vec<FieldValue> =
                own.iter().filter_map(FieldValue::as_text).flat_map(parts).collect();
            parts.extend(["", "a", "%", "_", "nowhere to be found"].map(FieldValue::from));
            parts
        }
        _ => own.into_iter().chain(edges(field)).collect(),
    }
}

/// The beginning, the middle and the end of a text.
fn parts(text: &str) -> Vec<FieldValue> {
    let letters: Vec<char> = text.chars().collect();
    let third = letters.len() / 3;
    let cuts = [&letters[..letters.len().min(3)], &letters[third..letters.len() - third], &letters[third..]];
    cuts.iter().map(|cut| FieldValue::Text(cut.iter().collect())).collect()
}

/// The edges of the field's type, and a value of another type.
fn edges(field: &Field) -> Vec<FieldValue> {
    let texts = |list: &[&str]| list.iter().map(|text| FieldValue::from(*text)).collect();
    let kind = custom_catalogue().field_type(field).unwrap_or(FieldType::Text);
    match kind {
        FieldType::Text => texts(&["", " ", "\u{1f642}", "ANGSTROM AB", "ångström ab"]),
        FieldType::Email => texts(&["ANNA.o'neil@EXAMPLE.com", "anna", "@", ""]),
        FieldType::Phone => texts(&["+47 22 22 55 55", "4722225555", "123", "none", ""]),
        FieldType::Integer => [i64::MIN, -1, 0, 1, i64::MAX]
            .map(FieldValue::Integer)
            .into_iter()
            .chain(texts(&["7", "x"]))
            .collect(),
        FieldType::Amount => texts(&["0", "-0.0001", "1.50", "1.50001", "99999999999999.9999", "1e3", "x"]),
        FieldType::Decimal => texts(&[
            "0",
            "-0.0000001",
            "1.50",
            "1.5000001",
            "8999999999999.999999",
            "79228162514264337593543950335",
            "x",
        ]),
        FieldType::Bool => texts(&["true", "false", "maybe"]).into_iter().chain([true.into()]).collect(),
        FieldType::Date => texts(&["0001-01-01", "2026-11-21", "2026-11-22", "9999-12-31", "2026-02-30"]),
        FieldType::Time => texts(&[
            "0001-01-01T00:00:00Z",
            "2026-11-22T08:00:00Z",
            "2026-11-22T08:00:00.000001Z",
            "9999-12-31T23:59:59.999999Z",
            "now",
            "yesterday",
        ]),
        FieldType::Choice(codes) => {
            let codes = codes.iter().map(|code| FieldValue::from(code.as_ref()));
            codes.chain(texts(&["neither"])).collect()
        }
        FieldType::User => texts(&["ada", "ADA", "bob", "me", "my_team", "", "%"]),
        FieldType::Code => texts(&["NO", "no", "NOK", "crm:42", "CRM:42", "", "%"]),
        FieldType::Reference(_) | FieldType::Custom => {
            vec![FieldValue::Id(uuid::Uuid::nil()), FieldValue::Id(uuid::Uuid::max()), "no id".into()]
        }
    }
}
