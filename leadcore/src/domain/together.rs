//! Fields that mean something only together: they are taken back together, or not at all.

use std::collections::BTreeMap;

use super::contact::{NO_CALLS, NO_CALLS_REASON, NO_CALLS_SINCE};
use super::custom_value::CustomKey;
use super::field::Field;
use super::images::{CUSTOM, EMAILS, PERSON, PHONES};
use super::journal::FieldChange;

/// What an amount is worth.
static MONEY: [Field; 3] = [Field::Amount, Field::Currency, Field::CurrencySymbol];
/// One address.
static ADDRESS: [Field; 5] = [Field::Street, Field::City, Field::PostalCode, Field::Region, Field::Country];

/// Whether these are taken back together, as the journal calls them.
pub(crate) fn go_together(one: &str, other: &str) -> bool {
    Unit::of(one) == Unit::of(other)
}

/// The changes of each unit.
pub(super) fn units<'c>(
    changes: impl IntoIterator<Item = &'c FieldChange>,
) -> BTreeMap<Unit<'c>, Vec<&'c FieldChange>> {
    let mut units = BTreeMap::<_, Vec<_>>::new();
    for change in changes {
        units.entry(Unit::of(&change.field)).or_default().push(change);
    }
    units
}

/// Whether nothing changed: something was said again that was so already.
pub(super) fn is_repeated(changes: &[&FieldChange]) -> bool {
    changes.iter().all(|change| change.before == change.after)
}

/// Fields that are taken back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit<'a> {
    Person,
    Emails,
    Phones,
    /// Whether, why and since when nobody calls a contact.
    Calls,
    Place,
    Money,
    Address,
    Custom(&'a str),
    One(&'a str),
}

impl<'a> Unit<'a> {
    pub(super) fn of(key: &'a str) -> Self {
        match key {
            "name" | "first_name" | "last_name" | "salutation" | PERSON => Self::Person,
            "email" | EMAILS => Self::Emails,
            "phone" | PHONES => Self::Phones,
            NO_CALLS | NO_CALLS_SINCE | NO_CALLS_REASON => Self::Calls,
            "pipeline" | "stage" | "stage_entered_at" | "outcome" | "lost_reason" | "disqualify_reason"
            | "reason_detail" | "closed_at" | "state" => Self::Place,
            key if MONEY.iter().any(|field| field.key() == key) => Self::Money,
            key if ADDRESS.iter().any(|field| field.key() == key) => Self::Address,
            one => match one.strip_prefix(CUSTOM) {
                Some(key) => Self::Custom(key),
                None if one.starts_with(CustomKey::PREFIX) => Self::Custom(one),
                None => Self::One(one),
            },
        }
    }
}
