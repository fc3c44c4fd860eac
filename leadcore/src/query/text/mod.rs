//! Filters as text, for people and for URLs.

mod parse;
mod tokens;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Violation, ViolationCode};

use super::filter::Filter;

/// The longest text of a filter, in bytes: 1 MiB.
pub const MAX_TEXT: usize = 1 << 20;

impl Filter {
    /// The filter as text, which [`parse`](Self::parse) reads back as the same filter. Any filter has a text, also one that
    /// fits no field.
    ///
    /// ```
    /// use leadcore::domain::Field;
    /// use leadcore::query::{Filter, Operator};
    /// let mine = Filter::eq(Field::Owner, "me") & !Filter::new(Field::Email, Operator::IsEmpty, true);
    /// assert_eq!(mine.to_text(), r#"owner = "me" and not email is empty"#);
    /// assert_eq!(Filter::parse(&mine.to_text())?, mine);
    /// # Ok::<(), leadcore::query::TextError>(())
    /// ```
    #[must_use]
    pub fn to_text(&self) -> String {
        write::text(self)
    }

    /// Reads a filter from text. Words are read whatever their case; an empty text matches everything.
    ///
    /// | text | matches leads |
    /// |---|---|
    /// | `company = "Nordlys AS"`, `city != Oslo` | whose field equals the value, or does not |
    /// | `amount >= 1000`, `amount < 99.5` | whose number, amount or time is that large |
    /// | `amount between 10 and 20` | from 10 to 20, both included |
    /// | `source in (Web, "Trade fair")`, `source not in (Web)` | whose field equals one of the values, or none |
    /// | `company ~ nord`, `company !~ nord` | that have it anywhere in the text, or do not (also `contains`) |
    /// | `company starts with nord`, `email ends with "@x.org"` | whose text begins or ends so |
    /// | `email is empty`, `email is not empty` | without a value, or with one |
    /// | `created last 30 days`, `created next 7 days`, `created older than 90 days` | counted in days from now |
    /// | `created today`, `created yesterday`, `created tomorrow` | on that day of the calendar |
    /// | `created this month`, `created last quarter`, `created next week` | in that period of the calendar (also `year`) |
    /// | `created this fiscal year from 4`, `created last fiscal quarter from 4` | the fiscal year begins with month 4 |
    /// | `created >= 2026-11-22T08:00:00Z`, `created < now` | after a time, before now |
    /// | `owner = me`, `owner = my_team` | of the actor, of the actor's team |
    /// | `text ~ "kari 2222"` | that have every one of these words (a [search](Filter::Search)) |
    /// | `is unread`, `is rotting`, `is not unread` | that are so for the one who asks |
    /// | `has contact`, `has primary_contact`, `has no contact` | that are linked with such a record, or not |
    /// | `a and b`, `a or b`, `not a`, `(a)` | `and` binds closer than `or`, `not` closest |
    /// | `all(a, b)`, `any(a, b)`, `all()`, `any()` | the same as a list; every lead; none |
    ///
    /// Fields go by their key; `created`, `modified`, `converted`, `closed` and `status` are understood too. A value in
    /// quotes, double or single, is text (`\"`, `\'`, `\\`, `\n`, `\r`, `\t`, `\u{…}` stand for characters). One without is a word of text beside a
    /// field of text, names or codes (`phone ~ 2222`), else a number, a time, `true`, `false` or `null`; behind a `#` it is
    /// that everywhere.
    ///
    /// ```
    /// use leadcore::query::Filter;
    /// let filter = Filter::parse(
    ///     r#"owner = me and (amount >= 1000 or source in ("Web", "Fair")) and not email is empty and created last 30 days"#,
    /// )?;
    /// assert_eq!(Filter::parse(&filter.to_text())?, filter);
    /// let wrong = Filter::parse("amount >= 10 and source").unwrap_err();
    /// assert_eq!(wrong.to_string(), "at character 24, the end: expected an operator");
    /// # Ok::<(), leadcore::query::TextError>(())
    /// ```
    ///
    /// # Errors
    /// Where the text is no filter, and what was expected there; also for a text longer than [`MAX_TEXT`] or nested
    /// deeper than [`MAX_DEPTH`](super::MAX_DEPTH). Whether operators and values fit their fields is checked by
    /// [`resolve`](Self::resolve).
    pub fn parse(text: &str) -> Result<Self, TextError> {
        parse::filter(text)
    }
}

/// As [`Filter::parse`].
impl FromStr for Filter {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::parse(text)
    }
}

/// As [`Filter::to_text`].
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// Where a text stops being a filter, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextError {
    /// The place in the text in bytes, from 0.
    pub byte: usize,
    /// The place in the text in characters, from 1.
    pub character: usize,
    /// Whether it is behind the last character.
    pub at_end: bool,
    /// Why, as a code.
    pub code: ViolationCode,
    /// What was expected there, without anything of the text.
    pub expected: Cow<'static, str>,
}

impl TextError {
    fn at(text: &str, byte: usize, code: ViolationCode, expected: impl Into<Cow<'static, str>>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        Self {
            byte,
            character: before.chars().count().saturating_add(1),
            at_end: byte >= text.len(),
            code,
            expected: expected.into(),
        }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.at_end { ", the end" } else { "" };
        write!(f, "at character {}{end}: expected {}", self.character, self.expected)
    }
}

impl std::error::Error for TextError {}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Violation::new("filter", error.code, error.to_string()).into()
    }
}

#[cfg(test)]
mod tests;
