//! What the caller decides about a conversion.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dedupe::matching::MatchPolicy;
use crate::domain::{AccountPatch, AccountStatus, ContactPatch, OpportunityPatch, ServiceState};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{
    AccountId, ContactId, EstimateId, IdempotencyKey, LostReasonId, NumberSeriesId, OpportunityId, Revision,
};
use crate::time::Date;

use super::words::AsSaid;

/// Which account the lead becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountChoice {
    /// A new one.
    #[default]
    New,
    /// This one. What becomes of its fields is said by the tenant's mapping; as it comes, empty ones are filled from the
    /// lead and nothing is overwritten. Where the lead has nothing new, the account is not written.
    Existing(AccountId),
    /// The one that matches by this policy; a new one when none does. Ambiguous matches are an error.
    Match(MatchPolicy),
    /// None: the lead becomes its persons alone (S3.08).
    None,
}

/// Which contact the person of the lead itself becomes, where it is not one of the lead's contacts already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PersonChoice {
    /// A new one.
    #[default]
    New,
    /// This one.
    Existing(ContactId),
    /// The one that matches by this policy; a new one when none does. Ambiguous matches are an error.
    Match(MatchPolicy),
}

/// How a new opportunity is, or how it ended already (S1.07).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpportunityEnding {
    /// It is to be won.
    #[default]
    Open,
    /// They bought: on this day, or today.
    Won {
        /// The day.
        on: Option<Date>,
    },
    /// They did not: on this day, or today.
    Lost {
        /// The day.
        on: Option<Date>,
        /// Why, by the tenant's list.
        reason: Option<LostReasonId>,
        /// Why, in words.
        detail: Option<String>,
    },
}

/// A new opportunity of the customer, filled from the lead.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OpportunityRequest {
    /// What is written over what the lead says.
    pub patch: OpportunityPatch,
    /// Open, won or lost.
    pub ending: OpportunityEnding,
    /// The series that it is numbered in; the default one, where none is named.
    pub series: Option<NumberSeriesId>,
}

impl OpportunityRequest {
    /// An open one, named as the lead.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With these fields.
    #[must_use]
    pub fn with(mut self, patch: OpportunityPatch) -> Self {
        self.patch = patch;
        self
    }

    /// That has ended so.
    #[must_use]
    pub fn ended(mut self, ending: OpportunityEnding) -> Self {
        self.ending = ending;
        self
    }

    /// Numbered in this series.
    #[must_use]
    pub const fn series(mut self, series: NumberSeriesId) -> Self {
        self.series = Some(series);
        self
    }
}

/// Whether an opportunity comes of the conversion (X.05, X.06).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpportunityChoice {
    /// None.
    #[default]
    None,
    /// A new one.
    New(Box<OpportunityRequest>),
    /// The lead joins this one, which is open; its account is the one that the lead becomes.
    Existing(OpportunityId),
}

/// Which estimates of the lead become services of the customer (S2.24).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EstimateChoice {
    /// None.
    #[default]
    None,
    /// Those that were accepted.
    Accepted,
    /// All that were accepted or are open: of each the version that was accepted, else the latest that was sent, else the latest
    /// draft.
    All,
    /// These, which were accepted or are offered.
    These(Vec<EstimateId>),
}

/// What the customer is from now on, and which document the host makes for it (S2.25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CustomerType {
    /// As the options say, and no document.
    #[default]
    Neither,
    /// An active customer, who gets an invoice.
    ActiveWithInvoice,
    /// A customer who is not active yet, and gets a proforma invoice.
    InactiveWithProforma,
}

/// The document that a host makes for a new customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Document {
    /// An invoice.
    Invoice,
    /// A proforma invoice.
    Proforma,
}

impl CustomerType {
    /// The document.
    #[must_use]
    pub const fn document(self) -> Option<Document> {
        match self {
            Self::Neither => None,
            Self::ActiveWithInvoice => Some(Document::Invoice),
            Self::InactiveWithProforma => Some(Document::Proforma),
        }
    }

    /// The status of a new account of this type.
    #[must_use]
    pub const fn status(self) -> Option<AccountStatus> {
        match self {
            Self::Neither => None,
            Self::ActiveWithInvoice => Some(AccountStatus::Customer),
            Self::InactiveWithProforma => Some(AccountStatus::Prospect),
        }
    }

    /// The state of the services of such a customer.
    #[must_use]
    pub const fn services(self) -> ServiceState {
        match self {
            Self::InactiveWithProforma => ServiceState::Inactive,
            Self::Neither | Self::ActiveWithInvoice => ServiceState::Active,
        }
    }
}

/// What the caller decides about a conversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ConversionOptions {
    /// New or existing account, or none.
    pub account: AccountChoice,
    /// Whether the persons of the lead become persons of the account; else they stay with the lead alone.
    pub contacts: bool,
    /// Which contact the person of the lead itself becomes.
    pub person: PersonChoice,
    /// Prospect or customer (S4.08), for a new account.
    pub status: AccountStatus,
    /// The series that a new account is numbered in (S4.11); the default one, where none is named.
    pub series: Option<NumberSeriesId>,
    /// Whether an opportunity comes of it.
    pub opportunity: OpportunityChoice,
    /// Which estimates become services.
    pub estimates: EstimateChoice,
    /// What the customer is, and which document it gets.
    pub customer: CustomerType,
    /// What is written over what the lead says, for a new account (S0.21). Its status is said by [`status`](Self::status) or
    /// the type of customer.
    #[serde(skip_serializing_if = "AccountPatch::is_empty")]
    pub account_fields: AccountPatch,
    /// What is written over what the lead says, for the new contact that the person of the lead becomes.
    #[serde(skip_serializing_if = "ContactPatch::is_empty")]
    pub contact_fields: ContactPatch,
    /// What is written over what further persons of the lead say, each by its contact: those that come along as they are. One
    /// that turns out to be a contact of a customer is edited by itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub person_fields: BTreeMap<ContactId, ContactPatch>,
    /// The revision that the lead was read with; a lead that changed since is refused (X.55).
    pub revision: Option<Revision>,
    /// The caller's own name for this conversion. The same key again gives the first outcome, whatever became of the lead
    /// since, also when the conversion was taken back; for another lead or with other options it is refused with
    /// [`Conflict::KeyReused`](crate::error::Conflict::KeyReused). Of [`many`](super::many) leads it stands for all of them: other leads under it are refused, too.
    /// A key that stands for a call of another kind is refused likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// What of it was said by names, for the [key](Self::key): the same words again are the same call, whatever they name by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<AsSaid>,
}

impl Default for ConversionOptions {
    fn default() -> Self {
        Self {
            account: AccountChoice::New,
            contacts: true,
            person: PersonChoice::New,
            status: AccountStatus::default(),
            series: None,
            opportunity: OpportunityChoice::None,
            estimates: EstimateChoice::None,
            customer: CustomerType::Neither,
            account_fields: AccountPatch::new(),
            contact_fields: ContactPatch::new(),
            person_fields: BTreeMap::new(),
            revision: None,
            key: None,
            said: None,
        }
    }
}

macro_rules! with {
    ($($(#[$doc:meta])* $field:ident: $type:ty;)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            self.$field = value;
            self
        }
    )+};
}

impl ConversionOptions {
    with! {
        /// With this status.
        status: AccountStatus;
        /// With this person.
        person: PersonChoice;
        /// With this choice of an opportunity.
        opportunity: OpportunityChoice;
        /// With services of these estimates.
        estimates: EstimateChoice;
        /// With this type of customer.
        customer: CustomerType;
        /// With these fields of the new account.
        account_fields: AccountPatch;
        /// With these fields of the new contact.
        contact_fields: ContactPatch;
        /// With these fields of further persons of the lead.
        person_fields: BTreeMap<ContactId, ContactPatch>;
    }

    /// With this choice of an account.
    #[must_use]
    pub const fn choosing(mut self, account: AccountChoice) -> Self {
        self.account = account;
        self
    }

    /// Into this account.
    #[must_use]
    pub const fn into_account(self, account: AccountId) -> Self {
        self.choosing(AccountChoice::Existing(account))
    }

    /// Into an account without any person.
    #[must_use]
    pub const fn account_only(mut self) -> Self {
        self.contacts = false;
        self
    }

    /// Into persons without an account.
    #[must_use]
    pub const fn contact_only(self) -> Self {
        self.choosing(AccountChoice::None)
    }

    /// With a new opportunity.
    #[must_use]
    pub fn with_opportunity(self, request: OpportunityRequest) -> Self {
        self.opportunity(OpportunityChoice::New(Box::new(request)))
    }

    /// With the account numbered in this series.
    #[must_use]
    pub const fn series(mut self, series: NumberSeriesId) -> Self {
        self.series = Some(series);
        self
    }

    /// Refuses what would have no effect.
    ///
    /// # Errors
    /// `Invalid`, naming each such option.
    pub(super) fn check(&self) -> Result<()> {
        self.check_read()?;
        let (no_account, joins) =
            (self.account == AccountChoice::None, matches!(self.opportunity, OpportunityChoice::Existing(_)));
        let not_new = no_account || joins || matches!(self.account, AccountChoice::Existing(_));
        let by_type = self.customer.status().is_some_and(|status| status != self.status);
        let is_said = self.status != AccountStatus::default();
        let misfits = [
            (not_new && self.series.is_some(), "series", "only a new account is numbered"),
            (not_new && is_said, "status", "only a new account is given a status"),
            (!not_new && is_said && by_type, "status", "the type of customer says another status"),
            (
                not_new && !self.account_fields.is_empty(),
                "account_fields",
                "only a new account is filled in: one that is there is edited by itself",
            ),
            (
                !self.contacts && !self.contact_fields.is_empty(),
                "contact_fields",
                "without persons there is none to fill in",
            ),
            (
                !self.contacts && !self.person_fields.is_empty(),
                "person_fields",
                "without persons there is none to fill in",
            ),
            (
                no_account && self.estimates != EstimateChoice::None,
                "estimates",
                "without an account nobody buys",
            ),
            (
                !self.contacts && self.person != PersonChoice::New,
                "person",
                "without persons there is none to choose",
            ),
        ];
        let broken = misfits.into_iter().filter(|(is_broken, ..)| *is_broken);
        let broken: Vec<_> = broken
            .map(|(_, field, message)| Violation::new(field, ViolationCode::NotAllowed, message))
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// Refuses names that could not be read: only a key may answer such a call.
    ///
    /// # Errors
    /// `Invalid`.
    pub(in crate::desk) fn check_read(&self) -> Result<()> {
        self.said.as_ref().map_or(Ok(()), AsSaid::check)
    }

    /// Said in these words.
    #[must_use]
    pub fn as_said(mut self, said: AsSaid) -> Self {
        self.said = Some(said);
        self
    }

    /// Under this key of the caller's.
    #[must_use]
    pub fn once(mut self, key: IdempotencyKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Only while the lead is as it was read.
    #[must_use]
    pub const fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }
}
