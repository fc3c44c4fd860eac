//! The plan: a conversion that was decided and not done yet.

use serde::{Deserialize, Serialize};

use crate::dedupe::matching::{MatchPolicy, Matches};
use crate::domain::conversion_mapping::FieldWrite;
use crate::domain::{
    AccountFields, ContactFields, Estimate, EstimateStatus, Field, LeadLines, Line, Link, OpportunityFields,
    ServiceFields, ServiceOrigin, Totals,
};
use crate::error::Violation;
use crate::id::{
    AccountId, ContactId, EstimateId, IdempotencyKey, LeadId, NumberSeriesId, OperationId, OpportunityId,
    Revision, ServiceId,
};
use crate::value::Currency;

use super::super::series::SeriesState;
use super::customer::CustomerForms;
use super::links::KnownLinks;
use super::options::{
    AccountChoice, ConversionOptions, CustomerType, Document, OpportunityEnding, PersonChoice,
};

/// The account as the plan makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAccount {
    /// A new account.
    New {
        /// Its fields, taken from the lead.
        fields: Box<AccountFields>,
        /// The customer number that comes next; not reserved. 0 in a series that is used up.
        next_number: u64,
        /// The series that it is numbered in; the default one, where none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        series: Option<NumberSeriesId>,
    },
    /// An account that exists.
    Existing {
        /// Which.
        id: AccountId,
        /// Its revision when the plan was made.
        revision: Revision,
        /// Its fields, with what the lead adds.
        fields: Box<AccountFields>,
    },
    /// None: the lead becomes its persons alone.
    None,
}

impl PlannedAccount {
    /// The fields of the account after the conversion, where there is one.
    #[must_use]
    pub fn fields(&self) -> Option<&AccountFields> {
        match self {
            Self::New { fields, .. } | Self::Existing { fields, .. } => Some(fields),
            Self::None => None,
        }
    }

    pub(super) fn fields_mut(&mut self) -> Option<&mut AccountFields> {
        match self {
            Self::New { fields, .. } | Self::Existing { fields, .. } => Some(fields),
            Self::None => None,
        }
    }
}

/// A person of the account as the plan makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedContact {
    /// A person of the lead that is linked to the account too, a known one, or a new one.
    pub who: PlannedPerson,
    /// Whether it becomes the primary contact.
    pub is_primary: bool,
}

/// Where a planned contact comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedPerson {
    /// A contact of the lead.
    Existing(ContactId),
    /// The person of the lead itself.
    New(Box<ContactFields>),
    /// The person of the lead itself, or one that hangs on it, who is a contact already.
    Known {
        /// Which.
        id: ContactId,
        /// Its revision when the plan was made.
        revision: Revision,
        /// Its fields, with what the lead adds.
        fields: Box<ContactFields>,
        /// The persons of the lead who are this one, in their order. They stay as they are, and are linked to this one: it is
        /// listed in their place, and shows what hangs on them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instead_of: Vec<ContactId>,
        /// Whether the person of the lead itself is this one.
        #[serde(default = "itself")]
        is_lead: bool,
    },
}

const fn itself() -> bool {
    true
}

impl PlannedPerson {
    /// Which contact it is, unless it is new.
    #[must_use]
    pub const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Existing(id) | Self::Known { id, .. } => Some(*id),
            Self::New(_) => None,
        }
    }

    pub(super) fn fields_mut(&mut self) -> Option<&mut ContactFields> {
        match self {
            Self::New(fields) | Self::Known { fields, .. } => Some(fields),
            Self::Existing(_) => None,
        }
    }

    /// The persons of the lead who are this one.
    pub(super) fn instead_of(&self) -> &[ContactId] {
        match self {
            Self::Known { instead_of, .. } => instead_of,
            Self::Existing(_) | Self::New(_) => &[],
        }
    }
}

/// A person that hangs on the lead and comes along, as it is: what [`person_fields`](ConversionPlan::person_fields) writes over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnPerson {
    /// Which contact.
    pub id: ContactId,
    /// Its revision when the plan was made.
    pub revision: Revision,
    /// Its fields.
    pub fields: Box<ContactFields>,
}

/// The opportunity as the plan makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedOpportunity {
    /// A new one.
    New {
        /// Its fields.
        fields: Box<OpportunityFields>,
        /// Open, won or lost.
        ending: OpportunityEnding,
        /// The series that it is numbered in; the default one, where none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        series: Option<NumberSeriesId>,
        /// The number that comes next, as people read it; not reserved. Empty in a series that is used up.
        next: String,
    },
    /// A running one that the lead joins.
    Existing {
        /// Which.
        id: OpportunityId,
        /// Its revision when the plan was made.
        revision: Revision,
        /// Its fields, with what the lead adds.
        fields: Box<OpportunityFields>,
    },
}

impl PlannedOpportunity {
    pub(super) fn fields_mut(&mut self) -> &mut OpportunityFields {
        let (Self::New { fields, .. } | Self::Existing { fields, .. }) = self;
        fields
    }
}

/// An estimate of the lead that may become services: the version that was accepted, else the latest that was sent while that
/// is open, else the latest draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedEstimate {
    /// Which.
    pub id: EstimateId,
    /// Its revision when the plan was made.
    pub revision: Revision,
    /// Its number.
    pub number: u64,
    /// What it is about.
    pub title: Option<String>,
    /// How far it is.
    pub status: EstimateStatus,
    /// The currency of its lines.
    pub currency: Option<Currency>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// What they add up to.
    pub totals: Totals,
    /// Whether its lines became services already, of whichever customer: then it is shown, and cannot be chosen.
    #[serde(default)]
    pub became_services: bool,
    /// Whether its lines become services.
    pub chosen: bool,
}

impl PlannedEstimate {
    pub(super) fn of(estimate: Estimate, status: EstimateStatus, became_services: bool) -> Self {
        Self {
            id: estimate.id,
            revision: estimate.revision,
            number: estimate.number,
            title: estimate.fields.title,
            status,
            currency: estimate.fields.currency,
            lines: estimate.fields.lines,
            totals: estimate.totals,
            became_services,
            chosen: false,
        }
    }
}

/// A service as the plan makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedService {
    /// What is bought.
    pub fields: ServiceFields,
    /// The line of a chosen estimate that it was copied from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ServiceOrigin>,
}

/// A conversion, decided and not yet done. Pure data: store it, show it, edit it, apply it later.
///
/// A host that draws a wizard changes it by [`choose_estimates`](Self::choose_estimates),
/// [`customer_information`](Self::customer_information) with [`customer_fields`](Self::customer_fields) and
/// [`opportunity_fields`](Self::opportunity_fields), and [`edit_services`](Self::edit_services), each a step from plan to plan that is checked; a host without a wizard applies it as it comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversionPlan {
    /// The lead.
    pub lead: LeadId,
    /// Its revision when the plan was made; a lead that changed since needs a new plan.
    pub revision: Revision,
    /// The account it becomes.
    pub account: PlannedAccount,
    /// The persons of the lead when the plan was made; a lead that got or lost one since needs a new plan.
    pub persons: Vec<ContactId>,
    /// The persons of the account.
    pub contacts: Vec<PlannedContact>,
    /// The persons of the account that hang on the lead and stay as they are, with what is known of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_persons: Vec<OwnPerson>,
    /// What is linked already, for [`links`](Self::links) to tell what is not.
    #[serde(default, skip_serializing_if = "KnownLinks::is_nothing")]
    pub linked: KnownLinks,
    /// Fields with a value that nothing has after the conversion, compared value by value: also what an existing account
    /// says otherwise. They stay readable on the lead.
    pub stays_on_lead: Vec<Field>,
    /// Which rule of the tenant's mapping writes what, with what was there before and what is dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<FieldWrite>,
    /// What the actor may not see: the plan is shown without it, and nothing that the plan says of it is written. When it is
    /// carried out, it becomes what the tenant's mapping makes of it, and services that were copied cost what the estimate says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Field>,
    /// The opportunity that comes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<PlannedOpportunity>,
    /// The products of the lead, with what they add up to. They stay where they are, and account and opportunity
    /// [show them](crate::desk::lines::list); what the opportunity is worth is said by its own amount, or its own lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<LeadLines>,
    /// The estimates of the lead that may become services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<PlannedEstimate>,
    /// The services of the customer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<PlannedService>,
    /// What the customer is, and which document it gets.
    #[serde(default)]
    pub customer: CustomerType,
    /// The status of the account before step 2, which each choice of a customer begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<crate::domain::AccountStatus>,
    /// What a new account, a new contact and a new opportunity must have and have not yet, and the series that have no number left
    /// (`series`, `opportunity.series`): a plan that misses something is not carried out. [`customer_fields`](Self::customer_fields)
    /// and [`opportunity_fields`](Self::opportunity_fields) fill it in, [`number_in`](Self::number_in) chooses another series. Of what this says itself nothing is believed when it is
    /// carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Violation>,
    /// The fields that the tenant added to accounts, contacts and opportunities, as they were when the plan was made: what values they take.
    #[serde(default, skip_serializing_if = "CustomerForms::is_nothing")]
    pub forms: CustomerForms,
    /// Accounts and contacts that the lead may be, with what speaks for each: what to show before it becomes a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Matches>,
    /// The series of customer numbers, each with the number that comes next and those that were given last (S4.12).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesState>,
    /// The same of a new opportunity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opportunity_series: Vec<SeriesState>,
    /// The policies that chose whom the lead becomes, or found nobody: asked again when the plan is carried out.
    #[serde(default, skip_serializing_if = "Unmatched::is_nothing")]
    pub(super) unmatched: Unmatched,
    /// The caller's own name for this conversion, as the [options](super::ConversionOptions::key) gave it: a plan that is
    /// applied again gives the first outcome; an edited one under the same key is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
}

/// The policies that chose among the accounts and contacts that there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Unmatched {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<MatchPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<MatchPolicy>,
}

impl Unmatched {
    pub(super) fn of(options: &ConversionOptions) -> Self {
        let account = match options.account {
            AccountChoice::Match(policy) => Some(policy),
            _ => None,
        };
        let person = match options.person {
            PersonChoice::Match(policy) => Some(policy),
            _ => None,
        };
        Self { account, person }
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What a host's [target](super::ConversionTarget) made in the same unit of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostMade {
    /// The name of the target.
    pub target: String,
    /// What the host calls what it made.
    pub reference: String,
}

/// What a conversion did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversionOutcome {
    /// The operation.
    pub operation: OperationId,
    /// The lead, frozen now.
    pub lead: LeadId,
    /// The account: where a host sends its user next (S0.22). None when the lead became its persons alone.
    pub account: Option<AccountId>,
    /// The customer number of the account; 0 without one.
    pub account_number: u64,
    /// The persons of the account that came with the lead, the primary one first.
    pub contacts: Vec<ContactId>,
    /// The links that it added, and those that it took over from a conversion that was taken back and had brought the same persons.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The opportunity, new or joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// The services, new all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceId>,
    /// The document that the host makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// What the host's targets made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<HostMade>,
    /// Whether this call did it; `false` when the lead was converted before and this is the first outcome.
    #[serde(skip, default)]
    pub newly_converted: bool,
}
