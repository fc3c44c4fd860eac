//! Vocabularies: sources, categories, labels, locations, partners and reasons as lists of their own.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{ValueError, ViolationCode};
use crate::id::{
    CategoryId, DisqualifyReasonId, LabelId, LocationId, LostReasonId, PartnerId, Revision, SourceId,
};
use crate::value::{clean_text, fold};

use super::field::Field;

/// Which list a term belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TermKind {
    /// Where leads come from (`Facebook Ads`).
    Source,
    /// Industry or type (`Retail`, `High Value`).
    Category,
    /// A label with a colour, many per lead.
    Label,
    /// A place.
    Location,
    /// A reseller or unit that leads belong to.
    Partner,
    /// Why a lead was lost (X.18).
    LostReason,
    /// Why a lead was no lead at all (X.62).
    DisqualifyReason,
}

impl TermKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Source,
        Self::Category,
        Self::Label,
        Self::Location,
        Self::Partner,
        Self::LostReason,
        Self::DisqualifyReason,
    ];

    /// The lists that callers choose a lead's terms from. Reasons come with closing it.
    pub const CHOSEN: [Self; 5] = [Self::Source, Self::Category, Self::Label, Self::Location, Self::Partner];

    /// Stable name, as stored: `source`, `category` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Category => "category",
            Self::Label => "label",
            Self::Location => "location",
            Self::Partner => "partner",
            Self::LostReason => "lost_reason",
            Self::DisqualifyReason => "disqualify_reason",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The field of a lead that refers to terms of this list.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::Source => Field::Source,
            Self::Category => Field::Category,
            Self::Label => Field::Labels,
            Self::Location => Field::Location,
            Self::Partner => Field::Partner,
            Self::LostReason => Field::LostReason,
            Self::DisqualifyReason => Field::DisqualifyReason,
        }
    }
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The id type of one vocabulary. Each list has its own, so that a category can never be handed in as a source.
pub trait TermId: Copy + Eq + Ord + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The list that this id points into.
    const KIND: TermKind;

    /// The id with this UUID.
    fn from_term(uuid: Uuid) -> Self;

    /// The UUID behind the id.
    fn term(self) -> Uuid;
}

macro_rules! term_id {
    ($($id:ident => $kind:ident),+ $(,)?) => {$(
        impl TermId for $id {
            const KIND: TermKind = TermKind::$kind;

            fn from_term(uuid: Uuid) -> Self {
                Self::from_uuid(uuid)
            }

            fn term(self) -> Uuid {
                self.as_uuid()
            }
        }
    )+};
}

term_id!(
    SourceId => Source,
    CategoryId => Category,
    LabelId => Label,
    LocationId => Location,
    PartnerId => Partner,
    LostReasonId => LostReason,
    DisqualifyReasonId => DisqualifyReason,
);

/// One term of a vocabulary, typed by its list: `Term<SourceId>` is a lead source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Term<I> {
    /// What leads refer to; a rename leaves it alone.
    pub id: I,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What people read. Unique in its list, ignoring case and accents.
    pub name: String,
    /// `#rrggbb`, where the list uses colours.
    pub color: Option<String>,
    /// The place in the list, from 0.
    pub position: u32,
    /// No longer offered: records that have it keep it, and no other record gets it.
    #[serde(default)]
    pub archived: bool,
    /// For reasons: whoever chooses this one must also say it in words (`Other`).
    #[serde(default)]
    pub needs_detail: bool,
}

/// A term as stores keep it, whatever its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermRecord {
    /// The list it belongs to.
    pub kind: TermKind,
    /// The term.
    pub term: Term<Uuid>,
}

/// The longest name of a term, in bytes.
const MAX_NAME: usize = 200;

impl Term<Uuid> {
    /// A new term; the name is trimmed.
    ///
    /// # Errors
    /// When the name is empty or longer than 200 bytes, or the colour is not `#rrggbb`.
    pub fn new(uuid: Uuid, name: &str, color: Option<&str>, position: u32) -> Result<Self, ValueError> {
        Ok(Self {
            id: uuid,
            revision: Revision::FIRST,
            name: Self::check_name(name)?,
            color: color.map(check_color).transpose()?,
            position,
            archived: false,
            needs_detail: false,
        })
    }

    /// The trimmed name.
    ///
    /// # Errors
    /// When it is empty or longer than 200 bytes.
    pub fn check_name(name: &str) -> Result<String, ValueError> {
        let name = clean_text(name.trim(), MAX_NAME)?;
        if name.is_empty() {
            return Err(ValueError::new(ViolationCode::Required, "a name must not be empty"));
        }
        Ok(name)
    }

    /// The same term with the id type of list `I`.
    #[must_use]
    pub fn typed<I: TermId>(self) -> Term<I> {
        Term {
            id: I::from_term(self.id),
            revision: self.revision,
            name: self.name,
            color: self.color,
            position: self.position,
            archived: self.archived,
            needs_detail: self.needs_detail,
        }
    }
}

impl<I> Term<I> {
    /// What must be unique in the list: the name without case and accents.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.name)
    }
}

pub(super) fn check_color(color: &str) -> Result<String, ValueError> {
    let hex = color.strip_prefix('#').filter(|hex| hex.len() == 6);
    match hex {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(color.to_ascii_lowercase()),
        _ => Err(ValueError::new(ViolationCode::Malformed, "a colour must be written like `#1a7f37`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_must_exist() {
        let term = Term::new(Uuid::nil(), "  Facebook Ads ", Some("#1A7F37"), 0).unwrap();
        assert_eq!((term.name.as_str(), term.color.as_deref()), ("Facebook Ads", Some("#1a7f37")));
        assert!(Term::new(Uuid::nil(), "  ", None, 0).is_err());
        assert!(Term::new(Uuid::nil(), "x", Some("red"), 0).is_err());
    }

    #[test]
    fn kinds_have_codes_that_lead_back() {
        for kind in TermKind::ALL {
            assert_eq!(TermKind::from_code(kind.code()), Some(kind));
        }
    }
}
