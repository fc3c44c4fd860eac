//! Ids of leads in other systems.

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::id::LeadId;
use crate::value::clean_text;

/// The id that another system gave this lead (X.54): unique per system, and the strongest key of an import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawExternalRef")]
pub struct ExternalRef {
    system: String,
    id: String,
}

#[derive(Deserialize)]
struct RawExternalRef {
    system: String,
    id: String,
}

impl TryFrom<RawExternalRef> for ExternalRef {
    type Error = ValueError;

    fn try_from(raw: RawExternalRef) -> Result<Self, ValueError> {
        Self::new(&raw.system, &raw.id)
    }
}

impl ExternalRef {
    /// The system whose ids are those of leads in leadcore itself: what a lead that came out of another database is called
    /// there.
    pub const OWN: &str = "leadcore";

    /// What a lead is called in other databases of leadcore.
    #[must_use]
    pub fn own(lead: LeadId) -> Self {
        Self { system: Self::OWN.to_owned(), id: lead.to_string() }
    }

    /// The lead that it names, where it is an id of [leadcore](Self::OWN).
    #[must_use]
    pub fn as_own(&self) -> Option<LeadId> {
        (self.system == Self::OWN).then(|| self.id.parse().ok()).flatten()
    }

    /// The lead `id` of `system`.
    ///
    /// # Errors
    /// When either is empty, longer than 200 bytes or holds a control character.
    pub fn new(system: &str, id: &str) -> Result<Self, ValueError> {
        let check = |text: &str| {
            let text = clean_text(text.trim(), 200)?;
            if text.is_empty() || text.chars().any(char::is_control) {
                return Err(ValueError::new(
                    ViolationCode::Malformed,
                    "an external id must not be empty or hold control characters",
                ));
            }
            Ok(text)
        };
        let (system, id) = (check(system)?, check(id)?);
        if system.contains(':') {
            let message = "an external system's name holds no colon";
            return Err(ValueError::new(ViolationCode::Malformed, message));
        }
        Ok(Self { system, id })
    }

    /// Reads `system:id`.
    ///
    /// # Errors
    /// When there is no colon, or as [`new`](Self::new).
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (system, id) = text.split_once(':').ok_or_else(|| {
            ValueError::new(ViolationCode::Malformed, "an external id is written `system:id`")
        })?;
        Self::new(system, id)
    }

    /// The other system.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Its id of the lead.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl std::fmt::Display for ExternalRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.system, self.id)
    }
}
