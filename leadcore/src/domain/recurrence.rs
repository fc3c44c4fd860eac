//! By which rule something comes again (RFC 5545, section 3.3.10).

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};

/// A rule of recurrence, as iCalendar writes it: `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recurrence(String);

impl Recurrence {
    /// Reads a rule.
    ///
    /// # Errors
    /// When it is not a rule.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        if text.is_ascii() && text.starts_with("FREQ=") {
            return Ok(Self(text.to_owned()));
        }
        Err(ValueError::new(ViolationCode::Malformed, "a rule of recurrence begins with FREQ="))
    }

    /// The rule.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Recurrence {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::parse(&text)
    }
}

impl From<Recurrence> for String {
    fn from(rule: Recurrence) -> Self {
        rule.0
    }
}
