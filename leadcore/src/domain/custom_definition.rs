//! The rules that a definition of a custom field keeps, and what may change of it while leads have values.

use std::collections::BTreeSet;

use crate::error::{Violation, ViolationCode};

use super::catalogue::MAX_LABEL;
use super::custom_field::{Choice, CustomField, CustomType};
use super::custom_value::CustomValue;
use super::field_value::FieldValue;
use super::link::SubjectKind;

/// The most choices of one field.
const MAX_CHOICES: usize = 1_000;
/// The longest help text, in bytes.
const MAX_HELP: usize = 2_000;

impl CustomField {
    /// Every rule that the definition breaks.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        let mut refuse = |part: &str, code, message: &str| {
            broken.push(Violation::new(format!("{}{part}", self.key), code, message));
        };
        let settings = &self.settings;
        if settings.required == Some(true) && settings.enabled == Some(false) {
            refuse("", ViolationCode::NotAllowed, "a disabled field cannot be required");
        }
        if settings.label.as_ref().is_some_and(|label| label.trim().is_empty() || label.len() > MAX_LABEL) {
            refuse("", ViolationCode::Malformed, "a label has 1 to 200 bytes");
        }
        if self.help.as_ref().is_some_and(|help| help.len() > MAX_HELP) {
            refuse(".help", ViolationCode::TooLong, "a help text has at most 2,000 bytes");
        }
        if self.unique && !self.kind.can_be_unique() {
            refuse(".unique", ViolationCode::NotAllowed, "values of this type cannot be unique");
        }
        if let CustomType::Link(kind) = &self.kind
            && !matches!(kind, SubjectKind::Lead | SubjectKind::Contact | SubjectKind::Account)
        {
            refuse(".type", ViolationCode::NotAllowed, "a link leads to a lead, a contact or an account");
        }
        if let Some(choices) = self.kind.choices() {
            choice_rules(choices, &mut refuse);
        }
        if (self.min.is_some() || self.max.is_some()) && !self.kind.is_number() {
            refuse(".min", ViolationCode::NotAllowed, "only numbers have a smallest and a largest value");
        }
        if self.min.zip(self.max).is_some_and(|(min, max)| min > max) {
            refuse(".min", ViolationCode::OutOfRange, "the smallest value lies above the largest");
        }
        match (self.max_length, self.kind.longest()) {
            (Some(_), None) => refuse(".max_length", ViolationCode::NotAllowed, "only texts have a length"),
            (Some(most), Some(longest)) if !(1..=longest).contains(&usize::try_from(most).unwrap_or(0)) => {
                refuse(".max_length", ViolationCode::OutOfRange, "a text of this type is not that long");
            }
            _ => {}
        }
        if let Some(default) = &self.default {
            if self.unique {
                refuse(".default", ViolationCode::NotAllowed, "a unique field has no default");
            } else if let Err(error) = self.check(default) {
                refuse(".default", error.code(), error.message());
            }
        }
        broken
    }
}

impl CustomField {
    /// The value that this field has instead of a value of another type, where both are written the same; none where
    /// something would be lost, or the field does not take it. A value that it takes as it is stays, whatever the limits.
    #[must_use]
    pub fn convert_exactly(&self, value: &CustomValue) -> Option<CustomValue> {
        if self.kind.takes(value) {
            let known = |code: &String| {
                self.kind.choices().unwrap_or_default().iter().any(|choice| choice.code == *code)
            };
            let keeps = match value {
                CustomValue::Code(code) => known(code),
                CustomValue::Codes(codes) => codes.iter().all(known),
                CustomValue::Text(text) => {
                    self.kind.longest().is_none_or(|longest| text.chars().nth(longest).is_none())
                }
                _ => true,
            };
            return keeps.then(|| value.clone());
        }
        let wanted = written(value);
        let read = value.read();
        let as_read = self.parse(&read, None).ok().flatten();
        let converted = as_read.or_else(|| self.parse(&wanted.as_str().into(), None).ok().flatten())?;
        (written(&converted) == wanted).then_some(converted)
    }
}

/// A value as a person would write it.
fn written(value: &CustomValue) -> String {
    let one = |value: &FieldValue| match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Bool(yes) => yes.to_string(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Decimal(number) => number.normalize().to_string(),
        FieldValue::Date(day) => day.to_string(),
        FieldValue::Time(at) => at.to_string(),
        FieldValue::Id(id) => id.to_string(),
        FieldValue::Empty | FieldValue::List(_) => String::new(),
    };
    value.read().items().iter().map(one).collect::<Vec<_>>().join(", ")
}

fn choice_rules(choices: &[Choice], refuse: &mut impl FnMut(&str, ViolationCode, &str)) {
    if choices.is_empty() || choices.len() > MAX_CHOICES {
        refuse(".choices", ViolationCode::Required, "a field with choices has 1 to 1,000 of them");
    }
    let distinct: BTreeSet<_> = choices.iter().map(|choice| &choice.code).collect();
    if distinct.len() != choices.len() {
        refuse(".choices", ViolationCode::Duplicate, "each choice has a code of its own");
    }
    let sound = |code: &str| {
        (1..=100).contains(&code.len())
            && code.trim() == code
            && !code.chars().any(|letter| letter.is_control() || matches!(letter, ',' | ';'))
    };
    if !choices.iter().all(|choice| sound(&choice.code)) {
        let message = "a code has 1 to 100 bytes and no comma, semicolon or control character";
        refuse(".choices", ViolationCode::Malformed, message);
    }
    let labelled = |choice: &Choice| !choice.label.trim().is_empty() && choice.label.len() <= MAX_LABEL;
    if !choices.iter().all(labelled) {
        refuse(".choices", ViolationCode::Malformed, "a label has 1 to 200 bytes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: CustomType) -> CustomField {
        CustomField::new("x_f".parse().unwrap(), "F", kind)
    }

    #[test]
    fn a_type_changes_where_nothing_is_lost() {
        let colours = || vec![Choice::new("red", "Red"), Choice::new("blue", "Blue").archived()];
        let text = |text: &str| CustomValue::Text(text.to_owned());
        let both = CustomValue::Codes(["red".to_owned(), "blue".to_owned()].into());
        let fits = [
            (CustomType::Decimal, CustomValue::Integer(5), CustomValue::Decimal(5.into())),
            (CustomType::Integer, CustomValue::Decimal("5.0".parse().unwrap()), CustomValue::Integer(5)),
            (CustomType::Text, CustomValue::Bool(true), text("true")),
            (CustomType::LongText, both, text("blue, red")),
            (CustomType::Integer, text("12"), CustomValue::Integer(12)),
            (CustomType::OneOf(colours()), text("red"), CustomValue::Code("red".to_owned())),
            (
                CustomType::OneOf(colours()),
                CustomValue::Code("blue".into()),
                CustomValue::Code("blue".into()),
            ),
            (CustomType::Date, text("2026-11-22"), CustomValue::Date("2026-11-22".parse().unwrap())),
        ];
        for (kind, before, after) in fits {
            assert_eq!(field(kind.clone()).convert_exactly(&before), Some(after), "{kind:?} {before:?}");
        }
        let lost = [
            (CustomType::Integer, text("007")),
            (CustomType::Integer, CustomValue::Decimal("5.5".parse().unwrap())),
            (CustomType::Bool, text("yes")),
            (CustomType::OneOf(colours()), text("Red")),
            (CustomType::OneOf(colours()), CustomValue::Code("green".into())),
            (CustomType::Text, text(&"x".repeat(501))),
        ];
        for (kind, before) in lost {
            assert_eq!(field(kind.clone()).convert_exactly(&before), None, "{kind:?} {before:?}");
        }
    }

    #[test]
    fn a_definition_says_everything_that_is_wrong_at_once() {
        let mut wrong = field(CustomType::OneOf(vec![Choice::new("a,b", " "), Choice::new("a,b", "B")]))
            .required(true)
            .unique(true)
            .between(Some(2.into()), Some(1.into()));
        wrong.settings.enabled = Some(false);
        wrong.max_length = Some(3);
        let broken: Vec<_> = wrong.violations().into_iter().map(|violation| violation.field).collect();
        let wanted =
            ["x_f", "x_f.choices", "x_f.choices", "x_f.choices", "x_f.min", "x_f.min", "x_f.max_length"];
        assert_eq!(broken, wanted);
        let with_default = field(CustomType::Integer).between(Some(2.into()), None);
        let with_default = with_default.with_default(CustomValue::Integer(1));
        assert_eq!(with_default.violations()[0].field, "x_f.default");
        assert!(field(CustomType::Link(SubjectKind::Term)).violations().len() == 1);
    }
}
