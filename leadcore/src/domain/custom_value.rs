//! Values of custom fields: self-describing, so that stores and filters compare them without a catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::id::UserId;
use crate::time::{Date, Timestamp};
use crate::value::{Email, Money, Phone, Website, fold};

use super::field_value::FieldValue;
use super::link::Subject;

/// The stable key of a custom field: `x_` and small letters, digits and underscores, at most 50 bytes in all. No
/// standard field begins like that, so none ever collides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomKey(Arc<str>);

impl CustomKey {
    /// What every key begins with.
    pub const PREFIX: &'static str = "x_";

    /// A key.
    ///
    /// # Errors
    /// When it does not have the form.
    pub fn new(key: &str) -> Result<Self, ValueError> {
        let name = key.strip_prefix(Self::PREFIX).unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || key.len() > 50 || !name.bytes().all(fits) {
            return Err(ValueError::new(
                ViolationCode::Malformed,
                "the key of a custom field is `x_` and small letters, digits or underscores, 50 at most in all",
            ));
        }
        Ok(Self(Arc::from(key)))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CustomKey {
    type Err = ValueError;

    fn from_str(key: &str) -> Result<Self, ValueError> {
        Self::new(key)
    }
}

impl TryFrom<String> for CustomKey {
    type Error = ValueError;

    fn try_from(key: String) -> Result<Self, ValueError> {
        Self::new(&key)
    }
}

impl From<CustomKey> for String {
    fn from(key: CustomKey) -> Self {
        key.as_str().to_owned()
    }
}

/// The values of the custom fields of one record.
pub type CustomValues = BTreeMap<CustomKey, CustomValue>;

/// The value of a custom field. A field without a value is absent, never an empty text or list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CustomValue {
    /// Text of one or several lines, compared without case and accents.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An exact number: at most six decimal places, below [`MAX_DECIMAL`](Self::MAX_DECIMAL) in magnitude.
    Decimal(Decimal),
    /// Money, compared by its amount, whatever the currency.
    Money(Money),
    /// A day.
    Date(Date),
    /// A point in time.
    Time(Timestamp),
    /// Yes or no.
    Bool(bool),
    /// The code of a choice, compared byte by byte.
    Code(String),
    /// The codes of several choices.
    Codes(BTreeSet<String>),
    /// A user of the host, compared byte by byte.
    User(UserId),
    /// Another record.
    Link(Subject),
    /// An e-mail address, compared by its canonical form.
    Email(Email),
    /// A phone number, compared by its digits.
    Phone(Phone),
    /// A web address, compared as text.
    Url(Website),
}

impl CustomValue {
    /// Numbers lie below this, so that a store can keep them as 64-bit integers of 1/1,000,000.
    pub const MAX_DECIMAL: i64 = 9_000_000_000_000;
    /// The most decimal places of a number that are not zero.
    pub const DECIMAL_PLACES: u32 = 6;

    /// The value as patches carry it and the journal keeps it. Money is text there: `1250.50 NOK`.
    #[must_use]
    pub fn read(&self) -> FieldValue {
        match self {
            Self::Text(text) | Self::Code(text) => text.as_str().into(),
            Self::Integer(number) => FieldValue::Integer(*number),
            // Zeros at the end say nothing.
            Self::Decimal(number) => number.normalize().into(),
            Self::Money(money) => money.to_string().into(),
            Self::Date(day) => (*day).into(),
            Self::Time(at) => (*at).into(),
            Self::Bool(yes) => (*yes).into(),
            Self::Codes(codes) => codes.iter().cloned().collect::<Vec<_>>().into(),
            Self::User(user) => user.as_str().into(),
            Self::Link(subject) => FieldValue::Id(subject.id),
            Self::Email(email) => email.as_str().into(),
            Self::Phone(phone) => phone.to_string().into(),
            Self::Url(url) => url.as_str().into(),
        }
    }

    /// The value as [`read`](Self::read), in one form only: of money, too, zeros at the end say nothing.
    pub(crate) fn said(&self) -> FieldValue {
        match self {
            Self::Money(money) => format!("{} {}", money.amount().normalize(), money.currency()).into(),
            other => other.read(),
        }
    }

    /// What filters, sorts and unique fields compare: one form, or one for each of several codes.
    #[must_use]
    pub fn forms(&self) -> Vec<FieldValue> {
        match self {
            Self::Text(text) => vec![fold(text).into()],
            Self::Url(url) => vec![fold(url.as_str()).into()],
            Self::Money(money) => vec![money.amount().normalize().into()],
            Self::Email(email) => vec![email.canonical().into()],
            Self::Phone(phone) => {
                let key = phone.match_key().unwrap_or_else(|| phone.digits());
                vec![key.trim_start_matches('+').into()]
            }
            Self::Codes(codes) => codes.iter().map(|code| code.as_str().into()).collect(),
            other => vec![other.read()],
        }
    }

    /// What leads are sorted by: the first of the forms.
    #[must_use]
    pub fn sort_key(&self) -> FieldValue {
        self.forms().into_iter().next().unwrap_or_default()
    }

    /// Whether it says nothing: such a value is not kept.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) | Self::Code(text) => text.trim().is_empty(),
            Self::Codes(codes) => codes.is_empty(),
            _ => false,
        }
    }

    /// Whether a number fits the units in which stores keep it.
    pub(crate) fn is_storable(number: Decimal) -> bool {
        number.normalize().scale() <= Self::DECIMAL_PLACES && number.abs() < Decimal::from(Self::MAX_DECIMAL)
    }

    /// The number, when it is one.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some((*number).into()),
            Self::Decimal(number) => Some(*number),
            Self::Money(money) => Some(money.amount()),
            _ => None,
        }
    }
}
