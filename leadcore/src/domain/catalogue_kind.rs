//! Whose fields a catalogue holds.

use serde::{Deserialize, Serialize};

use super::field::Field;

/// Which records a [`Catalogue`](super::Catalogue) describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CatalogueKind {
    /// Leads: the standard fields and those that the tenant added.
    #[default]
    Lead,
    /// Accounts: the fields that the tenant added to them.
    Account,
    /// Contacts: the fields that the tenant added to them.
    Contact,
    /// Opportunities: the fields that the tenant added to them.
    Opportunity,
}

impl CatalogueKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Lead, Self::Account, Self::Contact, Self::Opportunity];

    /// Stable name: `lead`, `account`, `contact` or `opportunity`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
        }
    }

    /// What several of them are called: `leads`, `accounts` …
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Lead => "leads",
            Self::Account => "accounts",
            Self::Contact => "contacts",
            Self::Opportunity => "opportunities",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The fields that every tenant has and can say something about.
    pub(super) const fn standard(self) -> &'static [Field] {
        match self {
            Self::Lead => Field::ALL,
            Self::Account | Self::Contact | Self::Opportunity => &[],
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
    pub(super) const fn is_lead(&self) -> bool {
        matches!(self, Self::Lead)
    }
}
