//! By which rule something comes again (RFC 5545, section 3.3.10).

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result as Outcome, ValueError, ViolationCode};
use crate::time::Timestamp;

use super::activity::Moment;

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

/// When a task that was due then is due next by its rule, after this time, and the rule that it then has; none when it
/// was the last one.
///
/// # Errors
/// `Unsupported`: tasks do not come again yet.
pub fn next_due(
    _rule: &Recurrence,
    _due: Moment,
    _after: Timestamp,
) -> Outcome<Option<(Moment, Option<Recurrence>)>> {
    Err(Error::new(ErrorKind::Unsupported, "tasks that come again are not supported"))
}
