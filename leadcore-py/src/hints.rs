//! What somebody may have meant, and where in a filter something is amiss.

use leadcore::domain::{Field, LinkRole};
use leadcore::query::{Circumstance, Operator};
use leadcore::value::fold;
use serde_json::Value;

/// The candidate nearest to what was written, when one is near: at most a third of its letters differ.
pub(crate) fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Nobody mistypes a name of a thousand letters, and comparing takes time with the square of the length.
    let written: Vec<char> = fold(written).chars().take(200).collect();
    let near = candidates.into_iter().map(|name| (distance(&written, &fold(name)), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= (written.len() / 3).max(1)).then_some(name)
}

/// `; did you mean `x`?`, or nothing.
pub(crate) fn did_you_mean<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    nearest(written, candidates).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// How many letters must be added, taken away, replaced, or swapped with their neighbour (optimal string alignment).
fn distance(one: &[char], other: &str) -> usize {
    let other: Vec<char> = other.chars().take(200).collect();
    let at = |row: &[usize], n: usize| row.get(n).copied().unwrap_or(usize::MAX / 2);
    let (mut older, mut row): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=one.len()).collect());
    for (n, letter) in other.iter().enumerate() {
        let mut next = vec![n + 1];
        for (m, known) in one.iter().enumerate() {
            let replaced = at(&row, m) + usize::from(known != letter);
            let mut best = replaced.min(at(&row, m + 1) + 1).min(at(&next, m) + 1);
            let before = |list: &[char], n: usize| n.checked_sub(1).and_then(|n| list.get(n).copied());
            if before(one, m) == Some(*letter) && before(&other, n) == Some(*known) {
                best = best.min(at(&older, m.saturating_sub(1)) + 1);
            }
            next.push(best);
        }
        older = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

/// A key as it can be shown in a path.
pub(crate) fn shortened(key: &str) -> String {
    let plain = key.chars().map(|letter| if letter.is_control() { '?' } else { letter });
    let mut short: String = plain.clone().take(40).collect();
    if plain.count() > 40 {
        short.push('…');
    }
    short
}

const TREE: [&str; 7] = ["all", "any", "not", "where", "search", "is", "has"];
const CONDITION: [&str; 3] = ["field", "op", "value"];

/// The first thing amiss in a filter that could not be read: its path, and why.
pub(crate) fn amiss(json: &str) -> Option<(String, String)> {
    let tree: Value = match serde_json::from_str(json) {
        Ok(tree) => tree,
        // The reader of JSON stops at 128 levels, long before the stack ends.
        Err(error) if error.to_string().starts_with("recursion limit") => {
            return Some(("where".to_owned(), too_deep()));
        }
        Err(_) => return None,
    };
    let mut todo = vec![("where".to_owned(), &tree)];
    while let Some((path, node)) = todo.pop() {
        let Value::Object(keys) = node else {
            return Some((path, format!("a filter is a mapping with one key of {}", listed(&TREE))));
        };
        if let Some(key) = keys.keys().find(|key| !TREE.contains(&key.as_str())) {
            let path = format!("{path}.{}", shortened(key));
            let message = if CONDITION.contains(&key.as_str()) {
                "a condition inside a filter stands in a `where`".to_owned()
            } else {
                format!("a filter has the keys {}{}", listed(&TREE), did_you_mean(key, TREE))
            };
            return Some((path, message));
        }
        let mut entries = keys.iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            return Some((path, format!("a filter has one key of {}", listed(&TREE))));
        };
        let path = format!("{path}.{key}");
        match (key.as_str(), value) {
            ("all" | "any", Value::Array(list)) => {
                todo.extend(list.iter().enumerate().rev().map(|(n, one)| (format!("{path}[{n}]"), one)));
            }
            ("all" | "any", _) => return Some((path, "this takes a list of filters".to_owned())),
            ("not", inner) => todo.push((path, inner)),
            ("search", Value::String(_)) => {}
            ("search", _) => return Some((path, "a search takes text".to_owned())),
            ("is", word) => {
                if let Some(message) = not_one_of(word, &Circumstance::ALL.map(Circumstance::code)) {
                    return Some((path, message));
                }
            }
            ("has", word) => {
                if let Some(message) = not_one_of(word, &LinkRole::ALL.map(LinkRole::code)) {
                    return Some((path, message));
                }
            }
            (_, condition) => {
                if let Some(found) = amiss_in_condition(&path, condition) {
                    return Some(found);
                }
            }
        }
    }
    None
}

/// What is said of a filter that nests too deep, wherever that is found.
fn too_deep() -> String {
    format!("a filter nests at most {} levels deep", leadcore::query::MAX_DEPTH)
}

fn amiss_in_condition(path: &str, condition: &Value) -> Option<(String, String)> {
    let Value::Object(keys) = condition else {
        return Some((path.to_owned(), format!("a condition is a mapping of {}", listed(&CONDITION))));
    };
    if let Some(key) = keys.keys().find(|key| !CONDITION.contains(&key.as_str())) {
        let message =
            format!("a condition has the keys {}{}", listed(&CONDITION), did_you_mean(key, CONDITION));
        return Some((format!("{path}.{}", shortened(key)), message));
    }
    for key in ["field", "op"] {
        if !keys.contains_key(key) {
            return Some((format!("{path}.{key}"), format!("a condition needs `{key}`")));
        }
    }
    let written = |key: &str| keys.get(key).and_then(Value::as_str).unwrap_or_default();
    if serde_json::from_value::<Field>(keys.get("field")?.clone()).is_err() {
        let hint = did_you_mean(written("field"), Field::ALL.iter().map(Field::key));
        let path = format!("{path}.field.{}", shortened(written("field")));
        return Some((path, format!("there is no field of this name{hint}")));
    }
    if serde_json::from_value::<Operator>(keys.get("op")?.clone()).is_err() {
        let known: Vec<_> = Operator::ALL.iter().filter_map(|op| serde_json::to_value(op).ok()).collect();
        let hint = did_you_mean(written("op"), known.iter().filter_map(Value::as_str));
        let path = format!("{path}.op.{}", shortened(written("op")));
        let known: Vec<_> = known.iter().filter_map(Value::as_str).collect();
        return Some((
            path,
            format!("there is no operator of this name{hint}; the operators are {}", listed(&known)),
        ));
    }
    None
}

fn not_one_of(word: &Value, known: &[&str]) -> Option<String> {
    let written = word.as_str().unwrap_or_default();
    let hint = || format!("this is one of {}{}", listed(known), did_you_mean(written, known.iter().copied()));
    (!known.contains(&written)).then(hint)
}

pub(crate) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
