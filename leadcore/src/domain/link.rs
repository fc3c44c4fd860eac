//! Associations: what belongs to what. Conversion and merge add links; nothing is copied or re-parented.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{
    AccountId, ActivityId, ContactId, CostId, EstimateId, FileId, LeadId, NumberSeriesId, OpportunityId,
    PipelineId, RecordId, ServiceId, ViewId,
};

/// The kinds of record that have a history and links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectKind {
    /// A lead.
    Lead,
    /// A person.
    Contact,
    /// A customer.
    Account,
    /// A pipeline.
    Pipeline,
    /// A term of a vocabulary.
    Term,
    /// The tenant's settings.
    Settings,
    /// A saved view that is shared.
    View,
    /// A note, a call, a task, a meeting …
    Activity,
    /// A file.
    File,
    /// A priced offer.
    Estimate,
    /// A record of the host's own.
    Record,
    /// The products of a lead.
    Lines,
    /// What an account may buy.
    Opportunity,
    /// What an account buys.
    Service,
    /// A number series.
    NumberSeries,
    /// What a source or campaign cost.
    Cost,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Lead,
        Self::Contact,
        Self::Account,
        Self::Pipeline,
        Self::Term,
        Self::Settings,
        Self::View,
        Self::Activity,
        Self::File,
        Self::Estimate,
        Self::Record,
        Self::Lines,
        Self::Opportunity,
        Self::Service,
        Self::NumberSeries,
        Self::Cost,
    ];

    /// Whether records of this kind hang on others: what a [`Placement`](super::Placement) places.
    #[must_use]
    pub const fn is_child(self) -> bool {
        matches!(
            self,
            Self::Activity
                | Self::File
                | Self::Estimate
                | Self::Record
                | Self::Lines
                | Self::Opportunity
                | Self::Service
        )
    }

    /// Stable name, as stored: `lead`, `contact` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Contact => "contact",
            Self::Account => "account",
            Self::Pipeline => "pipeline",
            Self::Term => "term",
            Self::Settings => "settings",
            Self::View => "view",
            Self::Activity => "activity",
            Self::File => "file",
            Self::Estimate => "estimate",
            Self::Record => "record",
            Self::Lines => "product_lines",
            Self::Opportunity => "opportunity",
            Self::Service => "service",
            Self::NumberSeries => "number_series",
            Self::Cost => "cost",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A record, whatever its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its id.
    pub id: Uuid,
}

impl Subject {
    /// The record `id` of this kind.
    #[must_use]
    pub const fn new(kind: SubjectKind, id: Uuid) -> Self {
        Self { kind, id }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.code(), self.id)
    }
}

macro_rules! subject {
    ($($id:ident => $kind:ident),+ $(,)?) => {$(
        impl From<$id> for Subject {
            fn from(id: $id) -> Self {
                Self::new(SubjectKind::$kind, id.as_uuid())
            }
        }
    )+};
}

subject!(
    LeadId => Lead, ContactId => Contact, AccountId => Account, PipelineId => Pipeline, ViewId => View,
    ActivityId => Activity, FileId => File, EstimateId => Estimate, RecordId => Record,
    OpportunityId => Opportunity, ServiceId => Service,
    NumberSeriesId => NumberSeries,
    CostId => Cost,
);

/// What the link says about its two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkRole {
    /// `from` (lead or account) has the person `to`.
    Contact,
    /// `from` (lead or account) has the person `to` as its primary contact.
    PrimaryContact,
    /// The lead `from` became the account `to`, or the person `to` where it became no account. The person `from` of a lead turned
    /// out to be the person `to`, who was known before.
    ConvertedTo,
    /// The lead `from` became the opportunity `to`, or joined it.
    Opportunity,
}

impl LinkRole {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Contact, Self::PrimaryContact, Self::ConvertedTo, Self::Opportunity];

    /// Stable name, as stored: `contact`, `primary_contact`, `converted_to`, `opportunity`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::PrimaryContact => "primary_contact",
            Self::ConvertedTo => "converted_to",
            Self::Opportunity => "opportunity",
        }
    }

    /// The role with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// One association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The record that has something.
    pub from: Subject,
    /// What it is to it.
    pub role: LinkRole,
    /// What it has.
    pub to: Subject,
}

impl Link {
    /// `from` has `to` as `role`.
    pub fn new(from: impl Into<Subject>, role: LinkRole, to: impl Into<Subject>) -> Self {
        Self { from: from.into(), role, to: to.into() }
    }
}
