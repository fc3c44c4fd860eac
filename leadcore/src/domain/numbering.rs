//! How lead numbers are written for people (X.57, S2.14).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};

/// How a tenant writes its lead numbers: `L-00042` has the prefix `L-` and the width 5.
///
/// The series itself has no gaps: a transaction that fails gives its numbers back, and leads in the trash keep theirs. A
/// lead that is purged leaves a gap, because its number may stand in letters; and so does a [start](Self::start) ahead.
/// Numbers never begin anew, in no year: a year can be part of the prefix.
///
/// ```
/// use leadcore::domain::Numbering;
/// let numbering = Numbering { prefix: "L-".to_owned(), width: 5, start: 1 };
/// assert_eq!(numbering.format(42), "L-00042");
/// assert_eq!(numbering.parse(" l-42 "), Some(42));
/// assert_eq!(numbering.parse("42"), Some(42));
/// assert_eq!(numbering.parse("K-42"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Numbering {
    /// What stands before the digits: at most 16 characters, the last of them no digit.
    pub prefix: String,
    /// The least number of digits, 0 to 18: shorter numbers get zeros in front.
    pub width: u8,
    /// The lowest number that a lead created from then on may have. It can be set ahead, never back.
    pub start: u64,
}

impl Default for Numbering {
    fn default() -> Self {
        Self { prefix: String::new(), width: 0, start: 1 }
    }
}

/// The longest prefix, in characters.
const MAX_PREFIX: usize = 16;
/// The most digits.
pub(super) const MAX_WIDTH: u8 = 18;

impl Numbering {
    /// The number as people read it.
    #[must_use]
    pub fn format(&self, number: u64) -> String {
        format!("{}{number:0width$}", self.prefix, width = usize::from(self.width))
    }

    /// The number behind a text: with the prefix (in any case of letters) or without, with or without zeros in front.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<u64> {
        let text = text.trim();
        let rest = text
            .get(..self.prefix.len())
            .filter(|start| !self.prefix.is_empty() && start.to_lowercase() == self.prefix.to_lowercase())
            .and_then(|start| text.get(start.len()..));
        let digits = rest.unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }

    /// The number behind a text that is written as [`format`](Self::format) writes it, in any case of letters and with or
    /// without the prefix: `L-00042` or `00042`, but not `42`.
    #[must_use]
    pub fn parse_written(&self, text: &str) -> Option<u64> {
        let number = self.parse(text)?;
        let (text, whole) = (text.trim().to_lowercase(), self.format(number).to_lowercase());
        let digits = whole.strip_prefix(&self.prefix.to_lowercase());
        (text == whole || Some(text.as_str()) == digits).then_some(number)
    }

    /// The rules of the settings themselves.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every broken rule at once.
    pub fn validate(&self) -> Result<()> {
        let mut broken = Vec::new();
        broken.extend(prefix_violation(&self.prefix));
        if self.width > MAX_WIDTH {
            broken.push(Violation::new("width", ViolationCode::OutOfRange, "a number has 0 to 18 digits"));
        }
        if self.start == 0 {
            broken.push(Violation::new("start", ViolationCode::OutOfRange, "numbers begin with 1"));
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }
}

/// The rule that a prefix breaks.
pub(super) fn prefix_violation(prefix: &str) -> Option<Violation> {
    let sound = |letter: char| letter.is_alphanumeric() || "-_/.#: ".contains(letter);
    let (code, message) = if prefix.chars().nth(MAX_PREFIX).is_some() {
        (ViolationCode::TooLong, "a prefix has at most 16 characters")
    } else if !prefix.chars().all(sound) || prefix.starts_with(' ') {
        (ViolationCode::Malformed, "a prefix has letters, digits, blanks inside and `-_/.#:`")
    } else if prefix.ends_with(char::is_numeric) {
        (ViolationCode::Malformed, "a prefix does not end with a digit: nobody could tell it from the number")
    } else {
        return None;
    };
    Some(Violation::new("prefix", code, message))
}

/// A lead number as people hand it in: the number, or the text that a [`Numbering`] writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeadNumber<'a> {
    /// The number.
    Number(u64),
    /// A text with it.
    Text(Cow<'a, str>),
}

impl From<u64> for LeadNumber<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for LeadNumber<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for LeadNumber<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bad_settings_are_refused() {
        let with = |prefix: &str, width, start| Numbering { prefix: prefix.to_owned(), width, start };
        for bad in [with("L1", 0, 1), with(" L", 0, 1), with("L\n", 0, 1), with(&"L".repeat(17), 0, 1)] {
            assert_eq!(bad.validate().unwrap_err().violations()[0].field, "prefix", "{bad:?}");
        }
        assert_eq!(with("", 19, 0).validate().unwrap_err().violations().len(), 2);
        assert!(with("2026/L-", 5, 1).validate().is_ok());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(prefix in "[0-9]{0,3}[A-Za-zÄé/-]{1,4}", width in 0_u8..=18, number: u64) {
            let numbering = Numbering { prefix, width, start: 1 };
            prop_assert!(numbering.validate().is_ok());
            prop_assert_eq!(numbering.parse(&numbering.format(number)), Some(number));
        }
    }
}
