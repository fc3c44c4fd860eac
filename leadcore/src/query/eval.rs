//! The reference evaluator: what a filter means, in memory. Stores must give the same answer.

use crate::domain::{CustomValue, Field, FieldType, FieldValue, Lead, LinkRole, MatchKind};
use crate::id::UserId;
use crate::value::fold;

use super::filter::Resolved;

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
            Self::FollowUpBefore { at, day } => {
                lead.follow_up.is_some_and(|next| next.at < *at || next.day.is_some_and(|whole| whole < *day))
            }
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
            Self::Search(search) => search.finds(lead),
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
