//! What a target has and what a lead brings, put together by a policy.

use crate::domain::custom_field::Choice;
use crate::domain::field_value::FieldValue;
use crate::domain::reach::{Emails, Phones};
use crate::value::fold;

use super::apply::{Dropped, WhyDropped};
use super::{FillPolicy, Shape};

/// What stands in the target afterwards, and what is nowhere in it.
pub(super) struct Combined<T> {
    pub(super) new: T,
    pub(super) dropped: Option<Dropped>,
}

impl<T> Combined<T> {
    const fn whole(new: T) -> Self {
        Self { new, dropped: None }
    }

    fn without(new: T, value: FieldValue, why: WhyDropped) -> Self {
        let dropped = (!value.is_empty()).then_some(Dropped { value, why });
        Self { new, dropped }
    }
}

/// Single values, choices and texts. `fills` says whether the field, or the unit that it is part of, is empty.
pub(super) fn values(
    policy: FillPolicy,
    shape: Shape,
    fills: bool,
    old: FieldValue,
    given: FieldValue,
) -> Combined<FieldValue> {
    if old == given {
        return Combined::whole(old);
    }
    match policy {
        FillPolicy::FillEmpty if fills => Combined::whole(given),
        FillPolicy::Overwrite => Combined::without(given, old, WhyDropped::Overwritten),
        FillPolicy::Append if old.is_empty() => Combined::whole(given),
        FillPolicy::Append if shape == Shape::LongText => Combined::whole(paragraphs(&old, &given)),
        FillPolicy::Append if shape == Shape::ManyOf => {
            let more: Vec<_> =
                given.items().iter().filter(|one| !old.items().contains(one)).cloned().collect();
            Combined::whole(FieldValue::List(old.items().iter().cloned().chain(more).collect()))
        }
        FillPolicy::FillEmpty | FillPolicy::Keep | FillPolicy::Append => {
            Combined::without(old, given, WhyDropped::TargetKept)
        }
    }
}

/// The paragraph behind the text, unless it is in it.
fn paragraphs(old: &FieldValue, given: &FieldValue) -> FieldValue {
    let (old, given) = (old.as_text().unwrap_or_default(), given.as_text().unwrap_or_default());
    let is_there = given.trim().is_empty() || old.contains(given.trim());
    if is_there { old.into() } else { format!("{old}\n{given}").into() }
}

macro_rules! reach {
    ($name:ident, $list:ident) => {
        pub(super) fn $name(policy: FillPolicy, old: &$list, given: &$list) -> Combined<$list> {
            let missing = |from: &$list, list: &$list| -> FieldValue {
                let there = |value| list.clone().find_mut(value).is_some();
                let values = from.iter().filter(|value| !there(value)).map(|value| value.as_str().to_owned());
                let values: Vec<_> = values.collect();
                if values.is_empty() { FieldValue::Empty } else { values.into() }
            };
            match policy {
                FillPolicy::FillEmpty | FillPolicy::Append if old.is_empty() => {
                    Combined::whole(given.clone())
                }
                FillPolicy::Overwrite if given.is_empty() => Combined::whole(old.clone()),
                FillPolicy::Overwrite => {
                    let new = given.before_marked(old);
                    let left = missing(given, &new);
                    if !left.is_empty() {
                        return Combined::without(new, left, WhyDropped::TooLong);
                    }
                    let left = missing(old, &new);
                    Combined::without(new, left, WhyDropped::Overwritten)
                }
                FillPolicy::Append => {
                    let mut new = old.clone();
                    for entry in given.entries() {
                        // Beyond the most that a record takes: told below.
                        let _ = new.push(entry.clone());
                    }
                    let left = missing(given, &new);
                    Combined::without(new, left, WhyDropped::TooLong)
                }
                FillPolicy::FillEmpty | FillPolicy::Keep => {
                    Combined::without(old.clone(), missing(given, old), WhyDropped::TargetKept)
                }
            }
        }
    };
}

reach!(emails, Emails);
reach!(phones, Phones);

/// The choice of the target that means the same: by code, else by what people read; archived ones take no new values.
pub(super) fn counterpart<'c>(code: &str, from: &[Choice], to: &'c [Choice]) -> Option<&'c str> {
    let offered = || to.iter().filter(|choice| !choice.archived);
    let by_code = offered().find(|choice| choice.code == code);
    let label = from.iter().find(|choice| choice.code == code).map_or(code, |choice| choice.label.as_str());
    let label = fold(label);
    let found = by_code.or_else(|| offered().find(|choice| fold(&choice.label) == label));
    found.map(|choice| choice.code.as_str())
}
