//! The choices of a caller about single rows: by what they are recognised, and what becomes of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{CustomKey, Field};
use crate::error::{ValueError, ViolationCode};

/// What happens to a name that a vocabulary or the pipelines lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownTerm {
    /// It is added, up to 1,000 per field and file; needs
    /// [`Permission::Configure`](crate::policy::Permission::Configure), else its line is rejected.
    #[default]
    Create,
    /// Its line is rejected.
    Reject,
}

/// What becomes of the values of one field: some mean another one, and what is unknown then is created or refused.
///
/// ```
/// use leadcore::exchange::import::{TermRule, UnknownTerm};
/// let rule = TermRule::new(UnknownTerm::Reject).map("Messe", "Fair").leave_out("unbekannt");
/// assert_eq!(rule.map["Messe"], Some("Fair".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TermRule {
    /// What happens to unknown names of this field; as everywhere where none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<UnknownTerm>,
    /// What a cell means that says this, compared without case and accents: the text to take instead; none to take it for
    /// empty. Of a list of labels, each label is looked up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub map: BTreeMap<String, Option<String>>,
}

impl TermRule {
    /// What happens to unknown names of the field.
    #[must_use]
    pub fn new(unknown: UnknownTerm) -> Self {
        Self { unknown: Some(unknown), map: BTreeMap::new() }
    }

    /// `value` means `term`.
    #[must_use]
    pub fn map(mut self, value: &str, term: &str) -> Self {
        self.map.insert(value.to_owned(), Some(term.to_owned()));
        self
    }

    /// `value` says nothing.
    #[must_use]
    pub fn leave_out(mut self, value: &str) -> Self {
        self.map.insert(value.to_owned(), None);
        self
    }
}

/// What happens to a row whose lead exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnMatch {
    /// The lead takes the row's values: its cells overwrite, e-mails, phones and labels are added, empty cells leave
    /// what is there.
    #[default]
    Update,
    /// The row is skipped: the import creates only.
    Skip,
    /// Another lead is created beside it. Unique values are refused as anywhere.
    CreateNew,
}

/// What happens to a row that means no lead yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnMissing {
    /// A lead is created.
    #[default]
    Create,
    /// The row is skipped: the import updates only.
    Skip,
}

/// What happens to a row that may mean several leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnAmbiguous {
    /// It is rejected.
    #[default]
    Reject,
    /// It is left to a person, with the leads that it may mean.
    Review,
}

/// What a lead is recognised by. Its text is the key of the field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Field", into = "Field")]
#[non_exhaustive]
pub enum MatchBy {
    /// The id of the record here. A row with an id that no lead has is rejected.
    Id,
    /// The number of the lead here, with the tenant's prefix or without. A row with a number that no lead has is rejected.
    Number,
    /// The id in another system, together with the name of that system.
    ExternalId,
    /// An e-mail address.
    Email,
    /// A phone number; a weak key: see [the module](super).
    Phone,
    /// A unique custom field.
    Custom(CustomKey),
}

impl MatchBy {
    /// By what a lead is recognised where nothing is said: the id in another system, e-mail, phone.
    pub const DEFAULT: [Self; 3] = [Self::ExternalId, Self::Email, Self::Phone];

    /// Stable name: `id`, `number`, `external`, `email`, `phone` or `custom`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Number => "number",
            Self::ExternalId => "external",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Custom(_) => "custom",
        }
    }

    /// The field.
    #[must_use]
    pub fn field(&self) -> Field {
        match self {
            Self::Id => Field::Id,
            Self::Number => Field::Number,
            Self::ExternalId => Field::ExternalId,
            Self::Email => Field::Email,
            Self::Phone => Field::Phone,
            Self::Custom(key) => Field::Custom(key.clone()),
        }
    }

    /// The key, as a word in a sentence.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Number => "number",
            Self::ExternalId => "external id",
            Self::Email => "e-mail",
            Self::Phone => "phone number",
            Self::Custom(_) => "value",
        }
    }
}

impl fmt::Display for MatchBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.field().fmt(f)
    }
}

impl From<MatchBy> for Field {
    fn from(by: MatchBy) -> Self {
        by.field()
    }
}

impl TryFrom<Field> for MatchBy {
    type Error = ValueError;

    fn try_from(field: Field) -> Result<Self, ValueError> {
        Ok(match field {
            Field::Id => Self::Id,
            Field::Number => Self::Number,
            Field::ExternalId => Self::ExternalId,
            Field::Email => Self::Email,
            Field::Phone => Self::Phone,
            Field::Custom(key) => Self::Custom(key),
            _ => {
                let message = "a lead is not recognised by this field";
                return Err(ValueError::new(ViolationCode::NotAllowed, message));
            }
        })
    }
}
