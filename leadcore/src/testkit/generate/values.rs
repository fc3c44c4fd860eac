//! Every value that a field can be compared with.

use crate::domain::{Field, FieldType, FieldValue, Lead};
use crate::query::Operator;

/// Values to compare `field` with by `op`: some that `leads` have, near misses of them, edges of the type, and some
/// that fit nothing.
#[must_use]
pub fn values_for(field: &Field, op: Operator, leads: &[Lead]) -> Vec<FieldValue> {
    let mut own: Vec<FieldValue> = Vec::new();
    for lead in leads {
        for value in field.read(lead).items() {
            if !own.contains(value) && own.len() < 6 {
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
    match field.field_type() {
        FieldType::Text => texts(&["", " ", "\u{1f642}", "ANGSTROM AB", "ångström ab"]),
        FieldType::Email => texts(&["ANNA.o'neil@EXAMPLE.com", "anna", "@", ""]),
        FieldType::Phone => texts(&["+47 22 22 55 55", "4722225555", "123", "none", ""]),
        FieldType::Integer => [i64::MIN, -1, 0, 1, i64::MAX]
            .map(FieldValue::Integer)
            .into_iter()
            .chain(texts(&["7", "x"]))
            .collect(),
        FieldType::Amount => texts(&["0", "-0.0001", "1.50", "1.50001", "99999999999999.9999", "1e3", "x"]),
        FieldType::Time => texts(&[
            "0001-01-01T00:00:00Z",
            "2026-11-22T08:00:00Z",
            "2026-11-22T08:00:00.000001Z",
            "9999-12-31T23:59:59.999999Z",
            "now",
            "yesterday",
        ]),
        FieldType::Choice(codes) => texts(codes).into_iter().chain(texts(&["neither"])).collect(),
        FieldType::User => texts(&["ada", "ADA", "bob", "me", "my_team", "", "%"]),
        FieldType::Code => texts(&["NO", "no", "NOK", "crm:42", "CRM:42", "", "%"]),
        FieldType::Reference(_) => {
            vec![FieldValue::Id(uuid::Uuid::nil()), FieldValue::Id(uuid::Uuid::max()), "no id".into()]
        }
    }
}
