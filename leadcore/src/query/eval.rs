//! The reference evaluator: what a filter means, in memory. Stores must give the same answer.

use crate::domain::{CustomValue, Field, FieldType, FieldValue, Lead, LinkRole, MatchKind, dialled};
use crate::id::UserId;
use crate::value::fold;

use super::filter::Resolved;

/// One word to look for in the search text, padded so that a short one stands at the beginning of a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(String);

impl Term {
    /// What the search text must have somewhere: three letters at least.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The words of a search. Punctuation inside a word stays (`o'neil`, `anna@x.org`), but a word of digits and phone
/// punctuation alone is reduced to its digits, since numbers are searched as digits, without the zeros that are dialled
/// before a whole number.
#[must_use]
pub fn search_terms(text: &str) -> Vec<Term> {
    let folded = fold(text);
    let words: Vec<String> = match dialled(&folded) {
        Some(digits) => vec![without_trunk(&digits).to_owned()],
        None => folded.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
    };
    let mut terms: Vec<_> = words
        .into_iter()
        .map(|word| match word.chars().count() {
            1 => Term(format!("  {word}")),
            2 => Term(format!(" {word}")),
            _ => Term(word),
        })
        .collect();
    terms.sort();
    terms.dedup();
    terms
}

/// A number without the zeros that are dialled before it at home (`077…`) or to call abroad (`0047…`): a number that was
/// written with its country code has none. What is left occurs wherever the whole does.
fn without_trunk(digits: &str) -> &str {
    let number = digits.trim_start_matches('0');
    if number.len() >= SHORTEST_NUMBER { number } else { digits }
}

/// Fewer digits are part of a number, and its zeros count.
const SHORTEST_NUMBER: usize = 6;

/// What a filter may ask that the lead itself does not say.
pub trait Facts {
    /// Whether this user has read the lead.
    fn has_read(&self, user: &UserId, lead: &Lead) -> bool;
    /// Whether a link in this role begins at the lead.
    fn has_link(&self, lead: &Lead, role: LinkRole) -> bool;
    /// Whether this user follows the lead.
    fn follows(&self, user: &UserId, lead: &Lead) -> bool;
}

/// Nothing but the lead: nobody has read or follows it and nothing is linked to it.
#[derive(Debug, Clone, Copy)]
pub struct LeadAlone;

impl Facts for LeadAlone {
    fn has_read(&self, _: &UserId, _: &Lead) -> bool {
        false
    }

    fn has_link(&self, _: &Lead, _: LinkRole) -> bool {
        false
    }

    fn follows(&self, _: &UserId, _: &Lead) -> bool {
        false
    }
}

impl Resolved {
    /// Whether `lead` matches, where the filter [asks for nothing else](Self::is_about_the_lead).
    #[must_use]
    pub fn matches(&self, lead: &Lead) -> bool {
        self.matches_with(lead, &LeadAlone)
    }

    /// Whether `lead` matches.
    #[must_use]
    pub fn matches_with(&self, lead: &Lead, facts: &dyn Facts) -> bool {
        match self {
            Self::All(list) => list.iter().all(|inner| inner.matches_with(lead, facts)),
            Self::Any(list) => list.iter().any(|inner| inner.matches_with(lead, facts)),
            Self::Not(inner) => !inner.matches_with(lead, facts),
            Self::ReadBy(user) => facts.has_read(user, lead),
            Self::Linked(role) => facts.has_link(lead, *role),
            Self::FollowedBy(user) => facts.follows(user, lead),
            Self::Empty(field) => field.read(lead).is_empty(),
            Self::Equals(field, wanted) => comparable(field, lead).iter().any(|value| wanted.contains(value)),
            Self::Contains(field, part) => texts(field, lead).iter().any(|text| text.contains(part.as_str())),
            Self::Starts(field, part) => {
                texts(field, lead).iter().any(|text| text.starts_with(part.as_str()))
            }
            Self::Ends(field, part) => texts(field, lead).iter().any(|text| text.ends_with(part.as_str())),
            Self::Range { field, from, to } => comparable(field, lead).iter().any(|value| {
                let above = from.as_ref().is_none_or(|(end, included)| {
                    let order = value.order(end);
                    order.is_gt() || (*included && order.is_eq())
                });
                let below = to.as_ref().is_none_or(|(end, included)| {
                    let order = value.order(end);
                    order.is_lt() || (*included && order.is_eq())
                });
                above && below
            }),
            Self::Search(terms) => {
                let text = lead.search_text();
                terms.iter().all(|term| text.as_str().contains(term.as_str()))
            }
        }
    }
}

/// The values of a field in the form in which it is compared.
fn comparable(field: &Field, lead: &Lead) -> Vec<FieldValue> {
    let keys = |kind: MatchKind| {
        let keys = lead.fields.match_keys().into_iter();
        keys.filter(|key| key.kind == kind).map(|key| FieldValue::Text(key.key)).collect()
    };
    match field.field_type() {
        FieldType::Text => field
            .read(lead)
            .items()
            .iter()
            .filter_map(FieldValue::as_text)
            .map(|text| FieldValue::Text(fold(text)))
            .collect(),
        FieldType::Email => keys(MatchKind::Email),
        FieldType::Phone => keys(MatchKind::Phone),
        FieldType::Custom => match field {
            Field::Custom(key) => lead.fields.custom.get(key).map(CustomValue::forms).unwrap_or_default(),
            _ => Vec::new(),
        },
        _ => field.read(lead).items().to_vec(),
    }
}

fn texts(field: &Field, lead: &Lead) -> Vec<String> {
    comparable(field, lead)
        .into_iter()
        .filter_map(|value| match value {
            FieldValue::Text(text) => Some(text),
            _ => None,
        })
        .collect()
}
