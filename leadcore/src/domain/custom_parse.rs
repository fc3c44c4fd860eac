//! How a custom field reads what people and files say.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::{ValueError, ViolationCode};
use crate::id::UserId;
use crate::value::{
    Country, Currency, Email, LIST_MARKS, Money, Phone, Website, clean_text, fold, split_list,
};

use super::custom_field::{Choice, CustomField, CustomType};
use super::custom_value::CustomValue;
use super::field_value::FieldValue;
use super::link::Subject;

impl CustomField {
    /// Reads a value for this field; none for an empty one. `region` is where national phone numbers belong to.
    ///
    /// # Errors
    /// When it is no value of the type, or breaks a limit, or is no choice that is offered.
    pub fn parse(
        &self,
        value: &FieldValue,
        region: Option<Country>,
    ) -> Result<Option<CustomValue>, ValueError> {
        let blank = |value: &FieldValue| value.as_text().is_some_and(|text| text.trim().is_empty());
        if value.is_empty() || value.items().iter().all(blank) {
            return Ok(None);
        }
        let value = self.typed(value, region)?;
        if value.is_blank() {
            return Ok(None);
        }
        self.check(&value)?;
        Ok(Some(value))
    }

    fn typed(&self, value: &FieldValue, region: Option<Country>) -> Result<CustomValue, ValueError> {
        let malformed = |message: &'static str| ValueError::new(ViolationCode::Malformed, message);
        let text = || value.as_text().map(str::trim).ok_or_else(|| malformed("this field takes text"));
        Ok(match &self.kind {
            CustomType::Text | CustomType::LongText => CustomValue::Text(clean_text(text()?, 1 << 20)?),
            CustomType::Integer => CustomValue::Integer(match value {
                FieldValue::Integer(number) => *number,
                FieldValue::Decimal(number) if number.fract().is_zero() => {
                    i64::try_from(*number).map_err(|_| malformed("needs a whole number"))?
                }
                FieldValue::Text(text) => {
                    text.trim().parse().map_err(|_| malformed("needs a whole number"))?
                }
                _ => return Err(malformed("needs a whole number")),
            }),
            CustomType::Decimal => CustomValue::Decimal(number(value)?),
            CustomType::Money(currency) => CustomValue::Money(money(value, *currency)?),
            CustomType::Date => match value {
                FieldValue::Date(day) => CustomValue::Date(*day),
                _ => CustomValue::Date(text()?.parse()?),
            },
            CustomType::Time => match value {
                FieldValue::Time(at) => CustomValue::Time(*at),
                _ => CustomValue::Time(text()?.parse()?),
            },
            CustomType::Bool => match value {
                FieldValue::Bool(yes) => CustomValue::Bool(*yes),
                FieldValue::Integer(number @ (0 | 1)) => CustomValue::Bool(*number == 1),
                _ => CustomValue::Bool(yes_or_no(text()?)?),
            },
            CustomType::OneOf(choices) => CustomValue::Code(code(choices, text()?)?),
            CustomType::ManyOf(choices) => CustomValue::Codes(codes(choices, value)?),
            CustomType::User => CustomValue::User(UserId::new(text()?)?),
            CustomType::Link(kind) => CustomValue::Link(match value {
                FieldValue::Id(id) => Subject::new(*kind, *id),
                _ => {
                    let id = Uuid::try_parse(text()?)
                        .map_err(|_| malformed("a reference is given by its id (a UUID)"))?;
                    Subject::new(*kind, id)
                }
            }),
            CustomType::Email => CustomValue::Email(Email::parse(text()?)?),
            CustomType::Phone => CustomValue::Phone(Phone::parse(text()?, region)?),
            CustomType::Url => CustomValue::Url(Website::parse(text()?)?),
        })
    }
}

fn number(value: &FieldValue) -> Result<Decimal, ValueError> {
    match value {
        FieldValue::Decimal(number) => Ok(*number),
        FieldValue::Integer(number) => Ok((*number).into()),
        FieldValue::Text(text) => Decimal::from_str_exact(text.trim())
            .map_err(|_| ValueError::new(ViolationCode::Malformed, "a number is written like `1250.50`")),
        _ => Err(ValueError::new(ViolationCode::Malformed, "a number is written like `1250.50`")),
    }
}

/// `1250.50 NOK`, `NOK 1250.50`, or an amount in the currency of the field.
fn money(value: &FieldValue, currency: Option<Currency>) -> Result<Money, ValueError> {
    let text = value.as_text().map(str::trim).unwrap_or_default();
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (front, back) = (text.split_once(char::is_whitespace), text.rsplit_once(char::is_whitespace));
    let (amount, currency) = match (front, back) {
        (_, Some((amount, code))) if is_code(code) => (number(&amount.into())?, Some(Currency::parse(code)?)),
        (Some((code, amount)), _) if is_code(code) => (number(&amount.into())?, Some(Currency::parse(code)?)),
        _ => (number(value)?, currency),
    };
    let currency = currency.ok_or_else(|| {
        ValueError::new(ViolationCode::Required, "an amount needs a currency, like `1250.50 NOK`")
    })?;
    Money::new(amount, currency)
}

fn yes_or_no(text: &str) -> Result<bool, ValueError> {
    yes_no_word(text).ok_or_else(|| ValueError::new(ViolationCode::Malformed, "must be yes or no"))
}

/// What a word for yes or no means, in the languages that files come in.
pub(crate) fn yes_no_word(text: &str) -> Option<bool> {
    match fold(text).as_str() {
        "yes" | "y" | "true" | "t" | "1" | "x" | "on" | "checked" | "ja" | "j" | "si" | "s" | "oui"
        | "vrai" | "sim" | "da" | "tak" | "kylla" | "igen" | "evet" | "ano" | "jo" | "wahr" | "sann"
        | "sand" | "waar" | "verdadero" | "verdadeiro" | "vero" => Some(true),
        "no" | "n" | "false" | "f" | "0" | "off" | "unchecked" | "nein" | "nei" | "nej" | "non" | "nao"
        | "nie" | "ei" | "nem" | "hayir" | "ne" | "net" | "nee" | "faux" | "falsch" | "usann" | "falsk"
        | "onwaar" | "falso" => Some(false),
        _ => None,
    }
}

pub(super) fn no_choice() -> ValueError {
    ValueError::new(ViolationCode::Unknown, "must be one of the choices of this field")
}

/// The code of a choice, given by code or label; a code wins over a label.
fn code(choices: &[Choice], text: &str) -> Result<String, ValueError> {
    let by_code = choices.iter().find(|choice| choice.code == text);
    let wanted = fold(text);
    let by_label = || choices.iter().find(|choice| fold(&choice.label) == wanted);
    by_code.or_else(by_label).map(|choice| choice.code.clone()).ok_or_else(no_choice)
}

/// A list of choices, or one text with commas or semicolons between them; in quotes is what holds one itself.
fn codes(choices: &[Choice], value: &FieldValue) -> Result<BTreeSet<String>, ValueError> {
    let mut found = BTreeSet::new();
    for item in value.items() {
        let text = item
            .as_text()
            .ok_or_else(|| ValueError::new(ViolationCode::Malformed, "this field takes text"))?;
        // A label may hold the comma itself.
        if let Ok(whole) = code(choices, text.trim()) {
            found.insert(whole);
            continue;
        }
        for part in split_list(text, &LIST_MARKS) {
            found.insert(code(choices, &part)?);
        }
    }
    Ok(found)
}
