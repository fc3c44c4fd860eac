//! Conversion: a lead becomes an account with its contacts (S1.15, S4.05), once, and nothing is lost.
//!
//! [`plan`] reads and decides, writes nothing, and returns a value that a person can review and edit or a program can
//! store. [`apply`] does it in one unit of work, which may be the host's own. The lead stays for ever, frozen
//! (S3.07); its history, persons and links are reachable from both sides. A second apply, also from another process,
//! returns the first outcome. [`many`] converts a selection with an outcome for each lead, and [`unconvert`] takes a
//! conversion back while nothing else stands on what it made.

mod carry_out;
mod many;
mod rules;
mod unconvert;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{
    AccountFields, AccountStatus, Catalogue, ContactFields, Field, FieldValue, Lead, LeadFields, Link, Series,
};
use crate::error::{Error, Result, Violation};
use crate::id::{AccountId, ContactId, LeadId, OperationId, Revision};
use crate::store::Txn;
use crate::value::{PersonName, fold};

use super::access::Expect;
use super::accounts;
use super::contacts::{LinkedContact, linked};
use super::moving::{check_convertible, refuse};
use super::series;

pub use carry_out::apply;
use carry_out::{apply_by, first_outcome};
pub use many::{ConversionTotals, LeadConversion, LeadConverted, MassConversion, many, many_in_batches};
use rules::Rules;
pub use unconvert::{
    Fate, TakenBack, UnconvertOutcome, UnconvertPlan, Unconvertible, apply_unconvert, plan_unconvert,
    unconvert,
};

/// Which account the lead becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountChoice {
    /// A new one.
    #[default]
    New,
    /// This one; its empty fields are filled from the lead, nothing in it is overwritten. Where the lead has nothing
    /// new, the account is not written.
    Existing(AccountId),
}

/// What the caller decides about a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ConversionOptions {
    /// New or existing account.
    pub account: AccountChoice,
    /// Prospect or customer (S4.08), for a new account.
    pub status: AccountStatus,
    /// The revision that the lead was read with; a lead that changed since is refused (X.55).
    pub revision: Option<Revision>,
}

impl ConversionOptions {
    /// Into this account.
    #[must_use]
    pub const fn into_account(mut self, account: AccountId) -> Self {
        self.account = AccountChoice::Existing(account);
        self
    }

    /// Only while the lead is as it was read.
    #[must_use]
    pub const fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// With this status.
    #[must_use]
    pub const fn status(mut self, status: AccountStatus) -> Self {
        self.status = status;
        self
    }
}

/// The account as the plan makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAccount {
    /// A new account.
    New {
        /// Its fields, taken from the lead.
        fields: Box<AccountFields>,
        /// The customer number that comes next; not reserved.
        next_number: u64,
    },
    /// An account that exists.
    Existing {
        /// Which.
        id: AccountId,
        /// Its revision when the plan was made.
        revision: Revision,
        /// Its fields, the empty ones filled from the lead.
        fields: Box<AccountFields>,
    },
}

/// A person of the account as the plan makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedContact {
    /// A person of the lead that is linked to the account too, or a new one.
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
}

/// A conversion, decided and not yet done. Pure data: store it, show it, edit it, apply it later.
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
    /// Fields with a value that neither the account nor its contacts have after the conversion, compared value by
    /// value: also what an existing account says otherwise. They stay readable on the lead.
    pub stays_on_lead: Vec<Field>,
}

/// What a conversion did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversionOutcome {
    /// The operation.
    pub operation: OperationId,
    /// The lead, frozen now.
    pub lead: LeadId,
    /// The account: where a host sends its user next (S0.22).
    pub account: AccountId,
    /// The customer number of the account.
    pub account_number: u64,
    /// The persons of the account that came with the lead, the primary one first.
    pub contacts: Vec<ContactId>,
    /// The links that it added.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Whether this call did it; `false` when the lead was converted before and this is the first outcome.
    #[serde(skip, default)]
    pub newly_converted: bool,
}

/// Plans the conversion of a lead. Reads only.
///
/// The plan holds all of the lead and of an existing account, also fields that the policy hides from the actor in lists:
/// who may convert answers for the customer. Grant [`Permission::Convert`] accordingly.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` when the lead is converted already; `Conflict` when the options name another
/// revision than the lead has; `Invalid` for a lead that was lost or disqualified (reopen it first), and with every
/// required field of the account or the tenant's catalogue that has no value.
pub fn plan(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    options: &ConversionOptions,
) -> Result<ConversionPlan> {
    let rules = Rules::load(ctx, txn)?;
    plan_by(ctx, txn, &rules, lead, options)
}

fn plan_by(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &Rules,
    lead: LeadId,
    options: &ConversionOptions,
) -> Result<ConversionPlan> {
    let lead = rules.lead(txn, lead)?;
    rules.check_open(&lead, options.revision.map_or(Expect::Any, Expect::Revision), "convert")?;
    refuse(&check_convertible(&lead))?;
    let persons = linked(txn, lead.id.into())?;
    let account = match options.account {
        AccountChoice::New => PlannedAccount::New {
            fields: Box::new(account_fields(&lead.fields, options.status)),
            next_number: series::preview(ctx, txn, Series::Account, None)?.number,
        },
        AccountChoice::Existing(id) => {
            let account = accounts::live(accounts::load(ctx, txn, id)?)?;
            let mut fields = account.fields;
            fill_empty(&mut fields, account_fields(&lead.fields, options.status))?;
            PlannedAccount::Existing { id, revision: account.revision, fields: Box::new(fields) }
        }
    };
    let mut broken = account.fields().violations();
    broken.extend(missing_required(&rules.catalogue, &lead));
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let contacts = planned_contacts(&lead.fields, &persons);
    let stays_on_lead = stays(&lead, account.fields(), &contacts, &persons);
    let mut persons: Vec<_> = persons.iter().map(|person| person.contact.id).collect();
    persons.sort();
    Ok(ConversionPlan { lead: lead.id, revision: lead.revision, account, persons, contacts, stays_on_lead })
}

impl PlannedAccount {
    /// The fields of the account after the conversion.
    #[must_use]
    pub fn fields(&self) -> &AccountFields {
        match self {
            Self::New { fields, .. } | Self::Existing { fields, .. } => fields,
        }
    }
}

fn missing_required(catalogue: &Catalogue, lead: &Lead) -> Vec<Violation> {
    catalogue.check_change(&lead.fields, &lead.fields)
}

/// The account that the fields of a lead make: nothing is typed again (S2.09).
fn account_fields(lead: &LeadFields, status: AccountStatus) -> AccountFields {
    AccountFields {
        kind: lead.kind,
        name: lead.display_name().unwrap_or_default().to_owned(),
        status,
        emails: lead.emails.clone(),
        phones: lead.phones.clone(),
        website: lead.website.clone(),
        address: lead.address.clone(),
        tax_id: lead.tax_id.clone(),
        currency: lead.currency,
        currency_symbol: lead.currency_symbol.clone(),
        industry: lead.industry.clone(),
        description: lead.description.clone(),
        owner: lead.owner.clone(),
        category: lead.category,
    }
}

/// Fills what an existing account does not say; lists grow at their end.
fn fill_empty(account: &mut AccountFields, from: AccountFields) -> Result<()> {
    for entry in from.emails.entries() {
        account.emails.push(entry.clone()).map_err(|error| error.at("account.email"))?;
    }
    for entry in from.phones.entries() {
        account.phones.push(entry.clone()).map_err(|error| error.at("account.phone"))?;
    }
    if account.address.is_empty() {
        account.address = from.address;
    }
    if account.currency.is_none() {
        // A symbol belongs to its currency.
        account.currency = from.currency;
        account.currency_symbol = from.currency_symbol;
    }
    account.website = account.website.take().or(from.website);
    account.tax_id = account.tax_id.take().or(from.tax_id);
    account.industry = account.industry.take().or(from.industry);
    account.description = account.description.take().or(from.description);
    account.owner = account.owner.take().or(from.owner);
    account.category = account.category.or(from.category);
    Ok(())
}

/// The lead's persons, and the person of the lead itself unless it is one of them.
fn planned_contacts(lead: &LeadFields, persons: &[LinkedContact]) -> Vec<PlannedContact> {
    let mut planned: Vec<_> = persons
        .iter()
        .map(|known| PlannedContact {
            who: PlannedPerson::Existing(known.contact.id),
            is_primary: known.is_primary,
        })
        .collect();
    if let Some(person) = lead.person.as_ref().filter(|person| !is_known(lead, person, persons)) {
        let fields = ContactFields {
            name: Some(person.clone()),
            job_title: lead.job_title.clone(),
            emails: lead.emails.clone(),
            phones: lead.phones.clone(),
            ..ContactFields::default()
        };
        let is_primary = !planned.iter().any(|contact| contact.is_primary);
        planned.push(PlannedContact { who: PlannedPerson::New(Box::new(fields)), is_primary });
    }
    planned
}

/// Whether the person of the lead is already one of its contacts: by e-mail, or by name where an e-mail is missing.
fn is_known(lead: &LeadFields, person: &PersonName, persons: &[LinkedContact]) -> bool {
    persons.iter().any(|known| {
        let fields = &known.contact.fields;
        let same_mail = fields
            .emails
            .iter()
            .any(|mail| lead.emails.iter().any(|other| other.canonical() == mail.canonical()));
        let comparable = fields.emails.is_empty() || lead.emails.is_empty();
        let same_name = fields.name.as_ref().is_some_and(|name| fold(name.full()) == fold(person.full()));
        same_mail || (comparable && same_name)
    })
}

/// The fields of the lead with a value that nothing on the other side has.
fn stays(
    lead: &Lead,
    account: &AccountFields,
    contacts: &[PlannedContact],
    persons: &[LinkedContact],
) -> Vec<Field> {
    let mut takers = vec![account.as_lead_fields()];
    takers.extend(persons.iter().map(|person| person.contact.fields.as_lead_fields()));
    takers.extend(contacts.iter().filter_map(|contact| match &contact.who {
        PlannedPerson::New(fields) => Some(fields.as_lead_fields()),
        PlannedPerson::Existing(_) => None,
    }));
    let mut staying: Vec<Field> = Vec::new();
    for field in Field::ALL.iter().filter(|field| field.is_writable()) {
        // A contact is no company or consumer: only the account says which.
        let able = if *field == Field::Kind { 1 } else { takers.len() };
        let taken: Vec<_> = takers.iter().take(able).flat_map(|taker| comparable(field, taker)).collect();
        let all = comparable(field, &lead.fields).iter().all(|value| taken.contains(value));
        // A name that stays is told once, not part by part.
        let told = field.name_group().contains(&Field::Name) && staying.contains(&Field::Name);
        if !all && !told {
            staying.push(field.clone());
        }
    }
    staying
}

/// The values of a field in the form in which equal ones are equal: another spelling of an e-mail is no other e-mail.
fn comparable(field: &Field, fields: &LeadFields) -> Vec<FieldValue> {
    match field {
        Field::Email => fields.emails.iter().map(|email| email.canonical().into()).collect(),
        Field::Phone => {
            let key = |phone: &crate::value::Phone| phone.match_key().unwrap_or_else(|| phone.digits());
            fields.phones.iter().map(|phone| key(phone).into()).collect()
        }
        _ => field.read_fields(fields).items().to_vec(),
    }
}

/// Plans and applies in one call.
///
/// # Errors
/// As [`plan`] and [`apply`]; a lead that was converted before is no error: the first outcome is returned.
pub fn convert(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    options: &ConversionOptions,
) -> Result<ConversionOutcome> {
    let rules = Rules::load(ctx, txn)?;
    convert_by(ctx, txn, &rules, lead, options)
}

fn convert_by(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &Rules,
    lead: LeadId,
    options: &ConversionOptions,
) -> Result<ConversionOutcome> {
    if let Some(done) = &rules.lead(txn, lead)?.conversion {
        return first_outcome(txn, done);
    }
    let plan = plan_by(ctx, txn, rules, lead, options)?;
    apply_by(ctx, txn, rules, &plan)
}
