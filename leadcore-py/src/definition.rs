//! The definition of a custom field as keyword arguments: what is given changes, and everything wrong is told at once.

use leadcore::domain::{Catalogue, Choice, CustomField, CustomKey, CustomType, FieldValue, SubjectKind};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::value::Currency;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::Decimal;

use crate::convert::{Count, Text, value_of};
use crate::hints::{did_you_mean, shortened};

/// A choice as the package hands it over: code, label, place, archived.
pub(crate) type GivenChoice = (Text, Text, Count, bool);

/// Every type, by its code.
const TYPES: [&str; 15] = [
    "text",
    "long_text",
    "integer",
    "decimal",
    "money",
    "date",
    "time",
    "bool",
    "one_of",
    "many_of",
    "user",
    "link",
    "email",
    "phone",
    "url",
];

/// What is said of a field; what is not given stays as it is.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    key: String,
    values: Vec<(String, FieldValue)>,
    choices: Option<Vec<Choice>>,
    broken: Vec<Violation>,
}

impl Definition {
    /// Reads the arguments as far as that needs no catalogue.
    ///
    /// # Errors
    /// An argument whose name is no valid text.
    pub(crate) fn read(
        key: Text,
        given: &Bound<'_, PyDict>,
        choices: Option<Vec<GivenChoice>>,
    ) -> PyResult<Self> {
        let (mut values, mut broken) = (Vec::new(), Vec::new());
        for (name, value) in given.iter() {
            let Text(name) = name.extract()?;
            match value_of(&value) {
                Ok(value) => values.push((name, value)),
                Err(error) => broken.push(error.at(format!("{}.{name}", shortened(&key.0)))),
            }
        }
        let choice = |(code, label, Count(order), archived): GivenChoice| {
            let choice = Choice::new(code.0, label.0).at(u32::try_from(order).unwrap_or(u32::MAX));
            if archived { choice.archived() } else { choice }
        };
        let choices = choices.map(|choices| choices.into_iter().map(choice).collect());
        Ok(Self { key: key.0, values, choices, broken })
    }

    /// What is given under this name.
    fn get(&self, name: &str) -> Option<&FieldValue> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The key of a field that exists.
    ///
    /// # Errors
    /// `NotFound` for one that does not.
    pub(crate) fn known(&self, catalogue: &Catalogue) -> Result<CustomField> {
        let key = CustomKey::new(&self.key).ok();
        let found = key.and_then(|key| catalogue.custom_field(&key).cloned());
        found.ok_or_else(|| Error::not_found("field"))
    }

    /// Adds a field with this definition to the catalogue.
    ///
    /// # Errors
    /// `Invalid` with everything that is wrong.
    pub(crate) fn add(&self, catalogue: &mut Catalogue) -> Result<CustomField> {
        let mut broken = Vec::new();
        let label = shortened(&self.key);
        let key = match CustomKey::new(&self.key) {
            Ok(key) if catalogue.custom_field(&key).is_some() => {
                let message = "there is a field with this key: change it by `change_field`";
                broken.push(Violation::new("key", ViolationCode::Duplicate, message));
                key
            }
            Ok(key) => key,
            Err(error) => {
                broken.push(error.at("key"));
                // Stands in, so that the rest is checked too.
                CustomKey::new("x_0").map_err(|error| error.at("key"))?
            }
        };
        let field = CustomField::new(key, &label, CustomType::Text);
        self.put(catalogue, field, broken)
    }

    /// Changes what it says about a field of the catalogue.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` with everything that is wrong.
    pub(crate) fn change(&self, catalogue: &mut Catalogue) -> Result<CustomField> {
        let field = self.known(catalogue)?;
        self.put(catalogue, field, Vec::new())
    }

    fn put(
        &self,
        catalogue: &mut Catalogue,
        mut field: CustomField,
        mut broken: Vec<Violation>,
    ) -> Result<CustomField> {
        broken.extend(self.broken.iter().cloned());
        self.set_type(&mut field, &mut broken);
        // A default is held to the limits that stand before it.
        let (last, first): (Vec<_>, Vec<_>) = self.values.iter().partition(|(name, _)| name == "default");
        for (name, value) in first.into_iter().chain(last) {
            if let Err(error) = set(&mut field, name, value) {
                broken.push(error.at(format!("{}.{name}", shortened(&self.key))));
            }
        }
        let stand_in = field.key.as_str().to_owned();
        catalogue.set_custom_field(field.clone());
        if let Err(error) = catalogue.validate() {
            for violation in error.violations() {
                let rest = violation.field.strip_prefix(stand_in.as_str());
                let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('.'));
                let path = rest.map_or_else(
                    || violation.field.clone(),
                    |rest| format!("{}{rest}", shortened(&self.key)),
                );
                if !broken.iter().any(|known| known.field == path) {
                    broken.push(Violation { field: path, ..violation.clone() });
                }
            }
        }
        if broken.is_empty() { Ok(field) } else { Err(Error::invalid(broken)) }
    }

    /// The type with what belongs to it: choices, currency, what it links to.
    fn set_type(&self, field: &mut CustomField, broken: &mut Vec<Violation>) {
        let mut refuse = |name: &str, error: ValueError| {
            broken.push(error.at(format!("{}.{name}", shortened(&self.key))));
        };
        let code = match self.get("type") {
            None => field.kind.code(),
            Some(FieldValue::Text(code)) => match TYPES.into_iter().find(|known| known == code) {
                Some(code) => code,
                None => {
                    let message = format!("there is no type of this name{}", did_you_mean(code, TYPES));
                    refuse("type", ValueError::new(ViolationCode::Unknown, message));
                    return;
                }
            },
            Some(_) => return refuse("type", malformed("a type is named by text")),
        };
        let old_choices = || field.kind.choices().map(<[Choice]>::to_vec).unwrap_or_default();
        let choices = || self.choices.clone().unwrap_or_else(old_choices);
        let (old_currency, old_link) = match &field.kind {
            CustomType::Money(currency) => (*currency, SubjectKind::Lead),
            CustomType::Link(kind) => (None, *kind),
            _ => (None, SubjectKind::Lead),
        };
        let kind = match code {
            "long_text" => CustomType::LongText,
            "integer" => CustomType::Integer,
            "decimal" => CustomType::Decimal,
            "money" => match self.get("currency") {
                None => CustomType::Money(old_currency),
                Some(FieldValue::Empty) => CustomType::Money(None),
                Some(FieldValue::Text(text)) => match Currency::parse(text) {
                    Ok(currency) => CustomType::Money(Some(currency)),
                    Err(error) => return refuse("currency", error),
                },
                Some(_) => return refuse("currency", malformed("a currency is its ISO code")),
            },
            "date" => CustomType::Date,
            "time" => CustomType::Time,
            "bool" => CustomType::Bool,
            "one_of" => CustomType::OneOf(choices()),
            "many_of" => CustomType::ManyOf(choices()),
            "user" => CustomType::User,
            "link" => match self.get("links_to") {
                None => CustomType::Link(old_link),
                Some(value) => match value.as_text().and_then(SubjectKind::from_code) {
                    Some(kind) => CustomType::Link(kind),
                    None => {
                        return refuse(
                            "links_to",
                            malformed("a link leads to a `lead`, `contact` or `account`"),
                        );
                    }
                },
            },
            "email" => CustomType::Email,
            "phone" => CustomType::Phone,
            "url" => CustomType::Url,
            _ => CustomType::Text,
        };
        let not_of_type = |message| ValueError::new(ViolationCode::NotAllowed, message);
        if self.choices.is_some() && kind.choices().is_none() {
            refuse("choices", not_of_type("only `one_of` and `many_of` have choices"));
        }
        if self.get("currency").is_some_and(|value| !value.is_empty()) && code != "money" {
            refuse("currency", not_of_type("only `money` has a currency"));
        }
        if self.get("links_to").is_some_and(|value| !value.is_empty()) && code != "link" {
            refuse("links_to", not_of_type("only `link` leads somewhere"));
        }
        field.kind = kind;
    }
}

fn malformed(message: &'static str) -> ValueError {
    ValueError::new(ViolationCode::Malformed, message)
}

/// One argument that does not belong to the type.
fn set(field: &mut CustomField, name: &str, value: &FieldValue) -> Result<(), ValueError> {
    let settings = &mut field.settings;
    match name {
        "label" => settings.label = text(value)?,
        "required" => settings.required = flag(value)?,
        "enabled" => settings.enabled = flag(value)?,
        "section" => settings.section = text(value)?,
        "order" => settings.order = whole(value)?,
        "help" => field.help = text(value)?,
        "unique" => field.unique = flag(value)?.unwrap_or(false),
        "min" => field.min = number(value)?,
        "max" => field.max = number(value)?,
        "max_length" => field.max_length = whole(value)?,
        "default" => field.default = field.parse(value, None)?,
        "type" | "currency" | "links_to" => {}
        _ => return Err(ValueError::new(ViolationCode::Unknown, "there is no such argument")),
    }
    Ok(())
}

fn text(value: &FieldValue) -> Result<Option<String>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Text(text) => Ok(Some(text.clone())),
        _ => Err(malformed("must be text")),
    }
}

fn flag(value: &FieldValue) -> Result<Option<bool>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Bool(yes) => Ok(Some(*yes)),
        _ => Err(malformed("must be true or false")),
    }
}

fn whole(value: &FieldValue) -> Result<Option<u32>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Integer(number) => u32::try_from(*number)
            .map(Some)
            .map_err(|_| ValueError::new(ViolationCode::OutOfRange, "must be 0 or more and fit 32 bits")),
        _ => Err(malformed("must be a whole number")),
    }
}

fn number(value: &FieldValue) -> Result<Option<Decimal>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Integer(number) => Ok(Some((*number).into())),
        FieldValue::Decimal(number) => Ok(Some(*number)),
        FieldValue::Text(text) => {
            Decimal::from_str_exact(text.trim()).map(Some).map_err(|_| malformed("must be a number"))
        }
        _ => Err(malformed("must be a number")),
    }
}
