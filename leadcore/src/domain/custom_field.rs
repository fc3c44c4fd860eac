//! Fields that a tenant adds (S1.10), and what each takes.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::value::Currency;

use super::catalogue::FieldSettings;
use super::custom_parse::no_choice;
use super::custom_value::{CustomKey, CustomValue};
use super::field::{FieldType, Reference};
use super::lead::MAX_LINE;
use super::link::SubjectKind;

/// One answer of a field with choices (S3.05).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Choice {
    /// Stable code, as stored: 1 to 100 bytes, no comma, semicolon or control character.
    pub code: String,
    /// What people read.
    pub label: String,
    /// The place in the list, lowest first.
    #[serde(default)]
    pub order: u32,
    /// No longer offered and taken by no new value; leads that have it keep it.
    #[serde(default)]
    pub archived: bool,
}

impl Choice {
    /// A choice that is offered.
    pub fn new(code: impl Into<String>, label: impl Into<String>) -> Self {
        Self { code: code.into(), label: label.into(), order: 0, archived: false }
    }

    /// No longer offered.
    #[must_use]
    pub const fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// At this place of the list.
    #[must_use]
    pub const fn at(mut self, order: u32) -> Self {
        self.order = order;
        self
    }
}

/// What a custom field takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CustomType {
    /// One line of at most 500 characters.
    Text,
    /// Several lines, at most 10,000 characters.
    LongText,
    /// A whole number.
    Integer,
    /// An exact decimal number: at most six places.
    Decimal,
    /// An amount and its currency; this one where none is said.
    Money(Option<Currency>),
    /// A day.
    Date,
    /// A point in time.
    Time,
    /// Yes or no.
    Bool,
    /// One of these.
    OneOf(Vec<Choice>),
    /// Several of these.
    ManyOf(Vec<Choice>),
    /// A user of the host.
    User,
    /// Another lead, a contact or an account.
    Link(SubjectKind),
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A web address.
    Url,
}

impl CustomType {
    /// Stable name: `text`, `one_of` …
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::LongText => "long_text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Money(_) => "money",
            Self::Date => "date",
            Self::Time => "time",
            Self::Bool => "bool",
            Self::OneOf(_) => "one_of",
            Self::ManyOf(_) => "many_of",
            Self::User => "user",
            Self::Link(_) => "link",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
        }
    }

    /// The choices, for a type that has some.
    #[must_use]
    pub fn choices(&self) -> Option<&[Choice]> {
        match self {
            Self::OneOf(choices) | Self::ManyOf(choices) => Some(choices),
            _ => None,
        }
    }

    /// Whether a lead can have several values.
    #[must_use]
    pub const fn is_multiple(&self) -> bool {
        matches!(self, Self::ManyOf(_))
    }

    /// Whether leads can be sorted by it: one value, in an order that says something.
    #[must_use]
    pub const fn is_sortable(&self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Integer
                | Self::Decimal
                | Self::Money(_)
                | Self::Date
                | Self::Time
                | Self::Bool
        )
    }

    /// Whether leads can be counted per value (X.34).
    #[must_use]
    pub const fn is_groupable(&self) -> bool {
        matches!(self, Self::OneOf(_) | Self::Bool | Self::User)
    }

    /// Whether no two leads may have the same value.
    #[must_use]
    pub const fn can_be_unique(&self) -> bool {
        !matches!(self, Self::LongText | Self::Money(_) | Self::Bool | Self::ManyOf(_))
    }

    /// How filters compare it.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Text | Self::LongText | Self::Url => FieldType::Text,
            Self::Integer => FieldType::Integer,
            Self::Decimal => FieldType::Decimal,
            Self::Money(_) => FieldType::Amount,
            Self::Date => FieldType::Date,
            Self::Time => FieldType::Time,
            Self::Bool => FieldType::Bool,
            Self::OneOf(choices) | Self::ManyOf(choices) => {
                FieldType::Choice(choices.iter().map(|choice| Cow::Owned(choice.code.clone())).collect())
            }
            Self::User => FieldType::User,
            Self::Link(SubjectKind::Contact) => FieldType::Reference(Reference::Contact),
            Self::Link(SubjectKind::Account) => FieldType::Reference(Reference::Account),
            Self::Link(_) => FieldType::Reference(Reference::Lead),
            Self::Email => FieldType::Email,
            Self::Phone => FieldType::Phone,
        }
    }

    /// The longest text, in characters, for a type that is text.
    #[must_use]
    pub const fn longest(&self) -> Option<usize> {
        match self {
            Self::Text => Some(MAX_LINE),
            Self::LongText => Some(10_000),
            _ => None,
        }
    }

    pub(in crate::domain) const fn is_number(&self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Money(_))
    }

    /// Whether a value is one of this type.
    #[must_use]
    pub fn takes(&self, value: &CustomValue) -> bool {
        match (self, value) {
            (Self::Text | Self::LongText, CustomValue::Text(_))
            | (Self::Integer, CustomValue::Integer(_))
            | (Self::Decimal, CustomValue::Decimal(_))
            | (Self::Money(_), CustomValue::Money(_))
            | (Self::Date, CustomValue::Date(_))
            | (Self::Time, CustomValue::Time(_))
            | (Self::Bool, CustomValue::Bool(_))
            | (Self::OneOf(_), CustomValue::Code(_))
            | (Self::ManyOf(_), CustomValue::Codes(_))
            | (Self::User, CustomValue::User(_))
            | (Self::Email, CustomValue::Email(_))
            | (Self::Phone, CustomValue::Phone(_))
            | (Self::Url, CustomValue::Url(_)) => true,
            (Self::Link(kind), CustomValue::Link(subject)) => *kind == subject.kind,
            _ => false,
        }
    }
}

/// A field that the tenant added.
///
/// ```
/// use leadcore::domain::{CustomField, CustomType};
/// let budget = CustomField::new("x_budget".parse()?, "Budget", CustomType::Integer).required(true);
/// assert_eq!(budget.parse(&"12".into(), None)?.map(|value| value.read()), Some(12_i64.into()));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomField {
    /// The stable key.
    pub key: CustomKey,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: CustomType,
    /// Label (the key when not said), place, section, required, enabled.
    #[serde(default)]
    pub settings: FieldSettings,
    /// What it is for, at most 2,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// No two leads outside the trash have the same value.
    #[serde(default)]
    pub unique: bool,
    /// What a new lead gets when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<CustomValue>,
    /// The smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Decimal>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Decimal>,
    /// The longest text, in characters, where that is less than the type allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
}

impl CustomField {
    /// A field that is enabled and not required.
    #[must_use]
    pub fn new(key: CustomKey, label: &str, kind: CustomType) -> Self {
        Self {
            key,
            kind,
            settings: FieldSettings { label: Some(label.to_owned()), ..FieldSettings::default() },
            help: None,
            unique: false,
            default: None,
            min: None,
            max: None,
            max_length: None,
        }
    }

    /// Whether a lead must have a value.
    #[must_use]
    pub const fn required(mut self, required: bool) -> Self {
        self.settings.required = Some(required);
        self
    }

    /// Whether two leads may not have the same value.
    #[must_use]
    pub const fn unique(mut self, unique: bool) -> Self {
        self.unique = unique;
        self
    }

    /// In this section, at this place.
    #[must_use]
    pub fn placed(mut self, section: &str, order: u32) -> Self {
        self.settings.section = Some(section.to_owned());
        self.settings.order = Some(order);
        self
    }

    /// What a new lead gets when nothing is given.
    #[must_use]
    pub fn with_default(mut self, value: CustomValue) -> Self {
        self.default = Some(value);
        self
    }

    /// Numbers lie between these, both included.
    #[must_use]
    pub const fn between(mut self, min: Option<Decimal>, max: Option<Decimal>) -> Self {
        (self.min, self.max) = (min, max);
        self
    }

    /// What people read.
    #[must_use]
    pub fn label(&self) -> &str {
        self.settings.label.as_deref().unwrap_or(self.key.as_str())
    }

    /// Whether the value is as long, and as large, as the field takes.
    ///
    /// # Errors
    /// When it is longer, smaller or larger.
    pub(crate) fn check_limits(&self, value: &CustomValue) -> Result<(), ValueError> {
        let longest = self.max_length.and_then(|most| usize::try_from(most).ok());
        let longest = longest.or(self.kind.longest()).unwrap_or(MAX_LINE);
        if let CustomValue::Text(text) = value
            && text.chars().nth(longest).is_some()
        {
            return Err(ValueError::new(ViolationCode::TooLong, "is longer than this field takes"));
        }
        let number = value.number();
        let below = number.zip(self.min).is_some_and(|(number, min)| number < min);
        let above = number.zip(self.max).is_some_and(|(number, max)| number > max);
        if below || above {
            return Err(ValueError::new(ViolationCode::OutOfRange, "lies outside the limits of this field"));
        }
        Ok(())
    }

    /// Whether the field may have this value now.
    ///
    /// # Errors
    /// When the value is of another type, breaks a limit, or is no choice that is offered.
    pub fn check(&self, value: &CustomValue) -> Result<(), ValueError> {
        let refuse = |code, message: &'static str| Err(ValueError::new(code, message));
        if !self.kind.takes(value) {
            return refuse(ViolationCode::Malformed, "the value is not of the type of this field");
        }
        if value.is_blank() {
            return refuse(ViolationCode::Malformed, "must not be blank: leave it out");
        }
        match value {
            CustomValue::Text(text) if text.contains('\0') => {
                return refuse(ViolationCode::Malformed, "must not hold a NUL character");
            }
            CustomValue::Decimal(number) if !CustomValue::is_storable(*number) => {
                let message = "a number has at most 6 decimal places and lies below 9 trillion";
                return refuse(ViolationCode::OutOfRange, message);
            }
            CustomValue::Money(money) if !CustomValue::is_storable(money.amount()) => {
                return refuse(ViolationCode::OutOfRange, "an amount lies below 9 trillion");
            }
            _ => {}
        }
        self.check_limits(value)?;
        let given = match value {
            CustomValue::Code(code) => vec![code],
            CustomValue::Codes(codes) => codes.iter().collect(),
            _ => Vec::new(),
        };
        let choices = self.kind.choices().unwrap_or_default();
        let offered = |code: &String| choices.iter().any(|choice| choice.code == *code && !choice.archived);
        if given.into_iter().all(offered) { Ok(()) } else { Err(no_choice()) }
    }
}
