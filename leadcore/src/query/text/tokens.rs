//! From characters to tokens.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{Field, FieldType, FieldValue};
use crate::error::ViolationCode;

use super::TextError;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `(`, `)` or `,`.
    Mark(char),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `~`, `!~`.
    Sign(&'static str),
    /// A word without quotes: a keyword, a field, or a value.
    Word(String),
    /// A text in quotes.
    Quoted(String),
    /// The end of the text.
    End,
}

/// A token and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

/// Longer signs first.
const SIGNS: [(&str, &str); 10] = [
    ("==", "="),
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("!~", "!~"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("~", "~"),
];

/// Every token of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, TextError> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        let rest = rest.get(blank..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            found.push(Token { kind: Kind::End, at });
            return Ok(found);
        };
        let (kind, length) = if matches!(first, '(' | ')' | ',') {
            (Kind::Mark(first), 1)
        } else if matches!(first, '"' | '\'') {
            let (value, length) = quoted(text, at, rest, first)?;
            (Kind::Quoted(value), length)
        } else if let Some((sign, meant)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            (Kind::Sign(meant), sign.len())
        } else {
            let length = rest.find(ends_word).unwrap_or(rest.len());
            if length == 0 {
                let expected = "a field, a value or an operator";
                return Err(TextError::at(text, at, ViolationCode::Malformed, expected));
            }
            (Kind::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
        };
        found.push(Token { kind, at });
        at += length;
    }
}

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || "(),\"=<>!~".contains(letter)
}

/// A text in quotes of this kind and how many bytes it takes, quotes included.
fn quoted(text: &str, at: usize, rest: &str, quote: char) -> Result<(String, usize), TextError> {
    let wrong = |offset: usize, expected: &'static str| {
        TextError::at(text, at.saturating_add(offset), ViolationCode::Malformed, expected)
    };
    let mut value = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((offset, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Ok((value, offset + 1)),
            '\\' => {
                let escape = "`\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` or `\\u{…}`";
                value.push(match letters.next().map(|(_, letter)| letter) {
                    Some('"') => '"',
                    Some('\'') => '\'',
                    Some('\\') => '\\',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('u') => {
                        let code: String = letters
                            .by_ref()
                            .map(|(_, letter)| letter)
                            .skip_while(|letter| *letter == '{')
                            .take_while(|letter| *letter != '}')
                            .take(7)
                            .collect();
                        let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        code.ok_or_else(|| wrong(offset, escape))?
                    }
                    _ => return Err(wrong(offset, escape)),
                });
            }
            letter => value.push(letter),
        }
    }
    let expected = match quote {
        '"' => "`\"` at the end of the text",
        _ => "`'` at the end of the text; one that begins with `'` stands in double quotes",
    };
    Err(wrong(rest.len(), expected))
}

/// How words without quotes are read beside a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// As text: a company may be called `42` or `null`.
    Text,
    /// As text, but for ids.
    TextOrId,
    /// As what they look like.
    Typed,
    /// As what they look like where that is written just so, else as text: beside a custom field, which may be one of
    /// text (`x_code = 007`) as well as one of numbers.
    Exact,
}

impl Words {
    pub(super) fn of(field: &Field) -> Self {
        match field.field_type() {
            FieldType::Text
            | FieldType::Email
            | FieldType::Phone
            | FieldType::User
            | FieldType::Code
            | FieldType::Choice(_) => Self::Text,
            FieldType::Reference(_) => Self::TextOrId,
            FieldType::Custom => Self::Exact,
            _ => Self::Typed,
        }
    }

    /// Whether this value is written behind a [`MARK`], so that it is not taken for text.
    pub(super) const fn marks(self, value: &FieldValue) -> bool {
        match value {
            FieldValue::Text(_) | FieldValue::List(_) => false,
            // Whole numbers and zeros at the end are written in another way than they are shown.
            FieldValue::Decimal(number) if matches!(self, Self::Exact) => {
                number.scale() == 0 || number.mantissa() % 10 == 0
            }
            FieldValue::Id(_) => matches!(self, Self::Text),
            _ => !matches!(self, Self::Typed | Self::Exact),
        }
    }

    /// What a word is as a value.
    pub(super) fn value(self, word: &str) -> FieldValue {
        let marked = word.strip_prefix(MARK).map(value_of);
        if let Some(value) = marked.filter(|value| !matches!(value, FieldValue::Text(_))) {
            return value;
        }
        match (self, value_of(word)) {
            (Self::Typed, value) | (Self::TextOrId, value @ FieldValue::Id(_)) => value,
            (Self::Exact, value) if shows(&value, word) => value,
            _ => FieldValue::Text(word.to_owned()),
        }
    }
}

/// Whether a value is written as this word and in no other way.
fn shows(value: &FieldValue, word: &str) -> bool {
    match value {
        FieldValue::Integer(number) => number.to_string() == word,
        FieldValue::Decimal(number) => number.to_string() == word,
        FieldValue::Date(day) => day.to_string() == word,
        FieldValue::Time(at) => at.to_string() == word,
        FieldValue::Id(id) => id.to_string() == word,
        FieldValue::Empty | FieldValue::Bool(_) => true,
        FieldValue::Text(_) | FieldValue::List(_) => false,
    }
}

/// Says that a word is no text, whatever the field.
pub(super) const MARK: char = '#';

/// What a word looks like.
fn value_of(word: &str) -> FieldValue {
    match word {
        "true" => return FieldValue::Bool(true),
        "false" => return FieldValue::Bool(false),
        "null" => return FieldValue::Empty,
        _ => {}
    }
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.starts_with(|first: char| first.is_ascii_digit()) {
        if digits.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = word.parse()
        {
            return FieldValue::Integer(number);
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && let Some(number) = decimal(word)
        {
            return FieldValue::Decimal(number);
        }
        if let Ok(day) = word.parse() {
            return FieldValue::Date(day);
        }
        if let Ok(at) = word.parse() {
            return FieldValue::Time(at);
        }
    }
    match Uuid::try_parse(word) {
        Ok(id) if word.len() == 36 => FieldValue::Id(id),
        _ => FieldValue::Text(word.to_owned()),
    }
}

/// A decimal exactly as written; zeros at its end say nothing.
fn decimal(word: &str) -> Option<Decimal> {
    let word = if word.contains('.') { word.trim_end_matches('0').trim_end_matches('.') } else { word };
    Decimal::from_str_exact(word).ok()
}
