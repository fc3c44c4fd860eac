//! The lead: somebody who may become a customer.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::{ValueError, Violation, ViolationCode};
use crate::id::{
    AccountId, CategoryId, LabelId, LeadId, LocationId, OperationId, PartnerId, PipelineId, Revision,
    SourceId, StageId, UserId,
};
use crate::time::{Date, Timestamp};
use crate::value::{Address, Country, Currency, MAX_TEXT_BYTES, PersonName, TaxId, Website, clean_text};

use super::custom_value::{CustomKey, CustomValue};
use super::external_ref::ExternalRef;
use super::field_access::score_violation;
use super::rank::Rank;
use super::reach::{Emails, Phones};

/// Whether the lead is a business or a consumer (S4.01). The rules differ: a company lead needs a company name, a
/// consumer lead a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadKind {
    /// An organisation, with or without a person who speaks for it.
    #[default]
    Company,
    /// A private person.
    Consumer,
}

impl LeadKind {
    /// Stable name, as stored: `company` or `consumer`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Consumer => "consumer",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Company, Self::Consumer].into_iter().find(|kind| kind.code() == code)
    }
}

/// Everything a caller may set on a lead (S0.01, S2.01–S2.08, S4.01).
///
/// None of it is required by the type: which fields a tenant requires is data of its
/// [`Catalogue`](super::Catalogue).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeadFields {
    /// Business or consumer.
    pub kind: LeadKind,
    /// Company name.
    pub company: Option<String>,
    /// The person: the lead itself, or who speaks for the company.
    pub person: Option<PersonName>,
    /// The person's position in the company.
    pub job_title: Option<String>,
    /// E-mail addresses, the first one primary.
    pub emails: Emails,
    /// Phone numbers, the first one primary.
    pub phones: Phones,
    /// Web site.
    pub website: Option<Website>,
    /// Street, city, state, zip code, country.
    pub address: Address,
    /// Tax number (TIN, VAT number …).
    pub tax_id: Option<TaxId>,
    /// The currency that the lead trades in.
    pub currency: Option<Currency>,
    /// Overrides the currency's own symbol (S0.03).
    pub currency_symbol: Option<String>,
    /// What the lead may be worth, in [`currency`](Self::currency): up to 4 decimal places; `1.50` may come back as `1.5`.
    pub amount: Option<Decimal>,
    /// The chance to win, in percent (0 to 100), where it differs from the stage's (X.16).
    pub probability: Option<u8>,
    /// The day on which it may be won (X.46).
    pub expected_close: Option<Date>,
    /// How promising it is, -1,000,000 to 1,000,000: what a scoring function of the host says (S2.16).
    pub score: Option<i32>,
    /// Line of business, as free text.
    pub industry: Option<String>,
    /// Anything else worth knowing.
    pub description: Option<String>,
    /// The user responsible.
    pub owner: Option<UserId>,
    /// Where the lead came from.
    pub source: Option<SourceId>,
    /// The campaign that brought it, as the host calls it: at most 500 characters.
    pub campaign: Option<String>,
    /// What kind of lead it is.
    pub category: Option<CategoryId>,
    /// The place it belongs to.
    pub location: Option<LocationId>,
    /// The reseller or unit it belongs to.
    pub partner: Option<PartnerId>,
    /// Labels.
    pub labels: BTreeSet<LabelId>,
    /// What other systems call this lead; one id per system.
    pub external_ids: BTreeSet<ExternalRef>,
    /// Fields that the tenant added (S1.10).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<CustomKey, CustomValue>,
}

impl LeadFields {
    /// Fields of a company lead.
    ///
    /// # Errors
    /// When the name holds a NUL or exceeds 500 bytes.
    pub fn company(name: &str) -> Result<Self, ValueError> {
        Ok(Self { company: text(name, 500)?, ..Self::default() })
    }

    /// Fields of a consumer lead.
    ///
    /// # Errors
    /// When the name is empty, holds a NUL or is too long.
    pub fn consumer(name: &str) -> Result<Self, ValueError> {
        Ok(Self { kind: LeadKind::Consumer, person: Some(PersonName::parse(name)?), ..Self::default() })
    }

    /// What people call the lead: the company, else the person, else the first e-mail or phone.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        let person = self.person.as_ref().map(PersonName::full);
        let company = self.company.as_deref();
        let named = match self.kind {
            LeadKind::Company => company.or(person),
            LeadKind::Consumer => person.or(company),
        };
        named
            .or_else(|| self.emails.primary().map(crate::value::Email::as_str))
            .or_else(|| self.phones.primary().map(crate::value::Phone::as_str))
    }

    /// The symbol to print before an amount: the override, else the currency's own.
    #[must_use]
    pub fn symbol(&self) -> Option<String> {
        self.currency_symbol.clone().or_else(|| self.currency.map(|currency| currency.symbol().to_string()))
    }

    /// The country that national phone numbers of this lead belong to, when the address says one.
    #[must_use]
    pub fn phone_region(&self) -> Option<Country> {
        self.address.country()
    }

    /// The rules that hold for every tenant; a tenant's own are in its [`Catalogue`](super::Catalogue).
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.amount.is_some_and(|amount| amount.scale() > 4 || amount.abs() >= Decimal::from(MAX_AMOUNT)) {
            broken.push(Violation::new(
                "amount",
                ViolationCode::OutOfRange,
                "an amount has at most 4 decimal places and lies below 100 trillion",
            ));
        }
        if self.probability.is_some_and(|percent| percent > 100) {
            broken.push(Violation::new("probability", ViolationCode::OutOfRange, "must lie in 0 to 100"));
        }
        broken.extend(score_violation(self.score));
        broken.extend(text_violations(&[
            ("company", &self.company, MAX_LINE),
            ("job_title", &self.job_title, MAX_LINE),
            ("currency_symbol", &self.currency_symbol, MAX_SYMBOL),
            ("industry", &self.industry, MAX_LINE),
            ("campaign", &self.campaign, MAX_LINE),
            ("description", &self.description, MAX_TEXT_BYTES),
        ]));
        let mut systems: Vec<_> = self.external_ids.iter().map(ExternalRef::system).collect();
        systems.dedup();
        if systems.len() != self.external_ids.len() {
            broken.push(Violation::new(
                "external_id",
                ViolationCode::Duplicate,
                "a lead has at most one id per external system",
            ));
        }
        if self.labels.len() > MAX_LABELS {
            let message = "a lead takes at most 1,000 labels";
            broken.push(Violation::new("labels", ViolationCode::TooLong, message));
        }
        broken
    }
}

/// The longest text of one line, in characters.
pub(super) const MAX_LINE: usize = 500;
/// The longest currency symbol, in characters.
pub(super) const MAX_SYMBOL: usize = 16;

/// What plain texts must keep, however they got into the record: not blank, not too long, no NUL.
pub(super) fn text_violations(texts: &[(&str, &Option<String>, usize)]) -> Vec<Violation> {
    let present = texts.iter().filter_map(|(field, text, max)| Some((field, text.as_deref()?, max)));
    let broken = present.filter_map(|(field, text, max)| {
        let too_long = text.len() > *max && text.chars().nth(*max).is_some();
        let (code, message) = match text {
            text if text.trim().is_empty() => (ViolationCode::Malformed, "must not be blank: leave it out"),
            _ if too_long => (ViolationCode::TooLong, "is longer than this field takes"),
            text if text.contains('\0') => (ViolationCode::Malformed, "must not hold a NUL character"),
            _ => return None,
        };
        Some(Violation::new(*field, code, message))
    });
    broken.collect()
}

/// Amounts lie below this, so that stores can keep them as 64-bit integers of 1/10,000.
pub(super) const MAX_AMOUNT: i64 = 100_000_000_000_000;
/// The most labels of one lead.
const MAX_LABELS: usize = 1_000;

/// Trims; empty becomes `None`.
pub(super) fn text(value: &str, max: usize) -> Result<Option<String>, ValueError> {
    let value = value.trim();
    if value.is_empty() { Ok(None) } else { clean_text(value, max).map(Some) }
}

/// What became of a converted lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// When.
    pub at: Timestamp,
    /// The account it became; none when it became its persons alone.
    pub account: Option<AccountId>,
    /// The operation that did it.
    pub operation: OperationId,
}

/// A deleted lead waits in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashed {
    /// When.
    pub at: Timestamp,
    /// The operation that did it.
    pub operation: OperationId,
}

/// How a lead ended (S1.07, X.62).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It came into a won stage.
    Won,
    /// It came into a lost stage.
    Lost,
    /// It was no lead at all.
    Disqualified,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Won, Self::Lost, Self::Disqualified];

    /// Stable name: `won`, `lost` or `disqualified`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Disqualified => "disqualified",
        }
    }

    /// The outcome with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

/// The end of a lead, until it is reopened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// Why: a [`LostReasonId`](crate::id::LostReasonId) or a [`DisqualifyReasonId`](crate::id::DisqualifyReasonId),
    /// as the outcome says.
    pub reason: Option<uuid::Uuid>,
    /// Why, in words.
    pub detail: Option<String>,
}

/// Where a lead stands in its life; each state allows other operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadState {
    /// Being worked: every operation is open.
    Open,
    /// Found to be no lead at all (X.62): not lost, off the board, until it is reopened.
    Disqualified,
    /// Became a customer: frozen for ever (S3.07).
    Converted,
}

impl LeadState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Disqualified, Self::Converted];

    /// Stable name: `open`, `disqualified` or `converted`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Disqualified => "disqualified",
            Self::Converted => "converted",
        }
    }

    /// The state with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// A stored lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The id: stable for ever.
    pub id: LeadId,
    /// The number that people say: counts up from 1 in each tenant (S2.14).
    pub number: u64,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What callers may set.
    pub fields: LeadFields,
    /// The pipeline of the stage.
    pub pipeline: PipelineId,
    /// The stage it is in; changed only by moving it.
    pub stage: StageId,
    /// Since when it is in that stage.
    pub stage_entered_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// Since when nothing happened: the later of entering the stage and the last activity. What rotting counts from.
    pub active_at: Timestamp,
    /// When somebody has to turn to it next (X.23): the earliest of the activities about it, written without a revision.
    pub follow_up: Option<super::follow_up::FollowUp>,
    /// Its place among the cards of its stage.
    pub rank: Rank,
    /// How it ended, while it is won, lost or disqualified.
    pub closing: Option<Closing>,
    /// What became of it, once converted.
    pub conversion: Option<Conversion>,
    /// Set while it waits in the trash.
    pub trashed: Option<Trashed>,
}

impl Lead {
    /// Open, disqualified or converted.
    #[must_use]
    pub fn state(&self) -> LeadState {
        match (&self.conversion, &self.closing) {
            (Some(_), _) => LeadState::Converted,
            (None, Some(closing)) if closing.outcome == Outcome::Disqualified => LeadState::Disqualified,
            (None, _) => LeadState::Open,
        }
    }
}
