//! Which field of a lead becomes which field of an account, contact or opportunity: as data, checked when it is set up
//! (X.07).
//!
//! A [`ConversionMapping`] has rules: from a lead field, standard or custom, to a field of a target, with a policy for a
//! target that is there already. [`lint`] lists at configuration time what would be lost or would not fit;
//! [`ConversionMapping::account`], [`contact`](ConversionMapping::contact) and [`values`](ConversionMapping::values) say
//! what one lead would write, field by field, with what it came from. Which type goes to which is [`fit`]. What was said
//! against reaching somebody is never loosened by a conversion, whatever the rules say: [`Consent`].

mod apply;
mod combine;
mod consent;
mod fit;
mod lint;
mod money;
mod run;
mod targets;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};

use super::catalogue::Catalogue;
use super::catalogue_kind::CatalogueKind;
use super::custom_field::{Choice, CustomType};
use super::field::Field;

pub use apply::{Dropped, FieldWrite, Mapped, Readings, WhyDropped};
pub use consent::Consent;
pub(crate) use consent::asked_keys;
pub(in crate::domain) use consent::said_keys;
pub use fit::{Fit, Shape, fit, shape_of};
pub use lint::{Finding, FindingCode, Severity, lint};
pub(crate) use money::is_of_worth;
pub use targets::{TargetSpec, Targets};

/// What a lead becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TargetRecord {
    /// The customer.
    Account,
    /// The person.
    Contact,
    /// What may be sold to the customer.
    Opportunity,
}

impl TargetRecord {
    /// Every target.
    pub const ALL: [Self; 3] = [Self::Account, Self::Contact, Self::Opportunity];

    /// Stable name: `account`, `contact` or `opportunity`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
        }
    }
}

impl From<TargetRecord> for CatalogueKind {
    fn from(record: TargetRecord) -> Self {
        match record {
            TargetRecord::Account => Self::Account,
            TargetRecord::Contact => Self::Contact,
            TargetRecord::Opportunity => Self::Opportunity,
        }
    }
}

/// A field of a target, written `account.name`, `contact.email`, `opportunity.x_region`.
///
/// ```
/// use leadcore::domain::conversion_mapping::{TargetField, TargetRecord};
/// let field: TargetField = "account.tax_id".parse()?;
/// assert_eq!((field.record, field.key()), (TargetRecord::Account, "tax_id"));
/// assert!("tax_id".parse::<TargetField>().is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetField {
    /// Of which record.
    pub record: TargetRecord,
    key: String,
}

impl TargetField {
    /// A field of this record by its key.
    ///
    /// # Errors
    /// When the key is not 1 to 50 small letters, digits and underscores.
    pub fn new(record: TargetRecord, key: &str) -> Result<Self, ValueError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if key.is_empty() || key.len() > 50 || !key.bytes().all(fits) {
            let message = "the key of a field is 1 to 50 small letters, digits and underscores";
            return Err(ValueError::new(ViolationCode::Malformed, message));
        }
        Ok(Self { record, key: key.to_owned() })
    }

    /// A field that is known to have the form.
    pub(super) fn known(record: TargetRecord, key: &str) -> Self {
        Self { record, key: key.to_owned() }
    }

    /// The key of the field within its record: `name`, `x_budget`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for TargetField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.record.code(), self.key)
    }
}

impl FromStr for TargetField {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let known = text.split_once('.').and_then(|(record, key)| {
            TargetRecord::ALL.into_iter().find(|known| known.code() == record).map(|record| (record, key))
        });
        let (record, key) = known.ok_or_else(|| {
            let message = "a target is written `account.name`, `contact.email` or `opportunity.amount`";
            ValueError::new(ViolationCode::Malformed, message)
        })?;
        Self::new(record, key)
    }
}

impl TryFrom<String> for TargetField {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<TargetField> for String {
    fn from(field: TargetField) -> Self {
        field.to_string()
    }
}

/// What becomes of a field of a target that is there already. A new target takes what the lead has, whatever the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FillPolicy {
    /// The lead's value where the target has none. An address is one field here, and so is a currency with its symbol.
    #[default]
    FillEmpty,
    /// The lead's value, where it has one.
    Overwrite,
    /// What the target has, also where that is nothing.
    Keep,
    /// Behind what the target has: addresses and choices that are not there yet, paragraphs of a long text.
    Append,
}

impl FillPolicy {
    /// Stable name: `fill_empty`, `overwrite`, `keep` or `append`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FillEmpty => "fill_empty",
            Self::Overwrite => "overwrite",
            Self::Keep => "keep",
            Self::Append => "append",
        }
    }
}

/// One lead field into one field of a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingRule {
    /// The field of the lead.
    pub from: Field,
    /// The field of the target.
    pub to: TargetField,
    /// For a target that is there already.
    #[serde(default)]
    pub policy: FillPolicy,
}

/// The rules of a tenant. Rules into one field apply in their order.
///
/// ```
/// use leadcore::domain::conversion_mapping::{ConversionMapping, FillPolicy};
/// use leadcore::domain::Field;
/// let mapping = ConversionMapping::standard()
///     .with_opportunity()
///     .with(Field::Labels, "account.description", FillPolicy::Append)?;
/// let json = serde_json::to_string(&mapping)?;
/// assert_eq!(serde_json::from_str::<ConversionMapping>(&json)?, mapping);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConversionMapping {
    /// What goes where.
    pub rules: Vec<MappingRule>,
    /// Lead fields that stay on the lead on purpose: [`lint`] does not call them lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<Field>,
}

impl Default for ConversionMapping {
    fn default() -> Self {
        Self::standard()
    }
}

/// What an account gets unless the tenant says otherwise. Its name and kind are its own; its addresses and numbers grow.
const ACCOUNT: [(Field, &str, FillPolicy); 17] = [
    (Field::Kind, "kind", FillPolicy::Keep),
    (Field::Company, "name", FillPolicy::Keep),
    (Field::Email, "email", FillPolicy::Append),
    (Field::Phone, "phone", FillPolicy::Append),
    (Field::Website, "website", FillPolicy::FillEmpty),
    (Field::Street, "street", FillPolicy::FillEmpty),
    (Field::City, "city", FillPolicy::FillEmpty),
    (Field::Region, "state_region", FillPolicy::FillEmpty),
    (Field::PostalCode, "postal_code", FillPolicy::FillEmpty),
    (Field::Country, "country", FillPolicy::FillEmpty),
    (Field::TaxId, "tax_id", FillPolicy::FillEmpty),
    (Field::Currency, "currency", FillPolicy::FillEmpty),
    (Field::CurrencySymbol, "currency_symbol", FillPolicy::FillEmpty),
    (Field::Industry, "industry", FillPolicy::FillEmpty),
    (Field::Description, "description", FillPolicy::FillEmpty),
    (Field::Owner, "owner", FillPolicy::FillEmpty),
    (Field::Category, "category", FillPolicy::FillEmpty),
];
/// What a contact gets; one that is there what it does not say.
const CONTACT: [(Field, &str, FillPolicy); 4] = [
    (Field::Name, "name", FillPolicy::FillEmpty),
    (Field::JobTitle, "job_title", FillPolicy::FillEmpty),
    (Field::Email, "email", FillPolicy::FillEmpty),
    (Field::Phone, "phone", FillPolicy::FillEmpty),
];
/// What an opportunity gets. A running one that a lead is added to keeps what was agreed.
const OPPORTUNITY: [(Field, &str, FillPolicy); 9] = [
    (Field::Company, "name", FillPolicy::Keep),
    (Field::Amount, "amount", FillPolicy::FillEmpty),
    (Field::Currency, "currency", FillPolicy::FillEmpty),
    (Field::Probability, "probability", FillPolicy::FillEmpty),
    (Field::ExpectedClose, "expected_close", FillPolicy::FillEmpty),
    (Field::Source, "source", FillPolicy::FillEmpty),
    (Field::Campaign, "campaign", FillPolicy::FillEmpty),
    (Field::Owner, "owner", FillPolicy::FillEmpty),
    (Field::Description, "description", FillPolicy::FillEmpty),
];

impl ConversionMapping {
    /// No rule: nothing is taken along but what people call the lead.
    #[must_use]
    pub const fn empty() -> Self {
        Self { rules: Vec::new(), stays: Vec::new() }
    }

    /// What a conversion does unless the tenant says otherwise: the account takes what it has a field for, a contact the
    /// person with position, addresses and numbers; into an account or contact that is there only what it does not say, and
    /// more addresses and numbers of the account.
    #[must_use]
    pub fn standard() -> Self {
        let rules = rules(TargetRecord::Account, &ACCOUNT);
        Self { rules: rules.chain(rules_of_contact()).collect(), stays: Vec::new() }
    }

    /// With what an opportunity takes: what it is worth, when it may close, where it came from.
    #[must_use]
    pub fn with_opportunity(mut self) -> Self {
        self.rules.extend(rules(TargetRecord::Opportunity, &OPPORTUNITY));
        self
    }

    /// With one rule more.
    ///
    /// # Errors
    /// When the target is not written like `account.name`.
    pub fn with(mut self, from: Field, to: &str, policy: FillPolicy) -> Result<Self, ValueError> {
        self.rules.push(MappingRule { from, to: to.parse()?, policy });
        Ok(self)
    }

    /// With these fields staying on the lead on purpose.
    #[must_use]
    pub fn staying(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.stays.extend(fields);
        self
    }

    /// With the rules that go without saying: a custom field of leads goes into the custom field with the same key, where its
    /// values can go there ([`fit`]; of choices, one at least) and no rule says otherwise of either field. It is so for the
    /// account, and for a contact or an opportunity that the mapping has rules for. An existing record is
    /// [filled where it is empty](FillPolicy::FillEmpty). A field that [stays](Self::staying) stays.
    ///
    /// The desk completes a tenant's mapping so before it is [linted](lint) or used; what is stored is what was said.
    ///
    /// ```
    /// use leadcore::domain::conversion_mapping::{ConversionMapping, TargetRecord, Targets};
    /// use leadcore::domain::{Catalogue, CatalogueKind, CustomField, CustomType};
    /// let seats = CustomField::new("x_seats".parse()?, "Seats", CustomType::Integer);
    /// let (mut leads, mut accounts) = (Catalogue::standard(), Catalogue::of(CatalogueKind::Account));
    /// leads.set_custom_field(seats.clone());
    /// accounts.set_custom_field(seats);
    /// let targets = Targets::standard().with_custom(TargetRecord::Account, &accounts);
    /// let mapping = ConversionMapping::standard().completed(&leads, &targets);
    /// assert!(mapping.rules.iter().any(|rule| rule.to.to_string() == "account.x_seats"));
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn completed(&self, leads: &Catalogue, targets: &Targets) -> Self {
        let mut completed = self.clone();
        let enabled = leads.custom_fields().filter(|field| field.settings.enabled != Some(false));
        for custom in enabled {
            let from = Field::Custom(custom.key.clone());
            if self.stays.contains(&from) {
                continue;
            }
            for record in TargetRecord::ALL {
                let to = TargetField::known(record, custom.key.as_str());
                let is_used = record == TargetRecord::Account || self.rules_of(record).next().is_some();
                let said = self.rules_of(record).any(|rule| rule.from == from || rule.to == to);
                let takes = targets.find(&to).is_some_and(|spec| takes(spec, &custom.kind));
                if is_used && !said && takes {
                    let policy = FillPolicy::FillEmpty;
                    completed.rules.push(MappingRule { from: from.clone(), to, policy });
                }
            }
        }
        completed
    }

    /// The rules of one target, in order.
    pub fn rules_of(&self, record: TargetRecord) -> impl Iterator<Item = &MappingRule> {
        self.rules.iter().filter(move |rule| rule.to.record == record)
    }
}

/// Whether some values of this type can go there.
fn takes(spec: &TargetSpec, kind: &CustomType) -> bool {
    let (shape, choices) = Shape::of_custom(kind);
    let shared = |choice: &Choice| combine::counterpart(&choice.code, &choices, &spec.choices).is_some();
    let both = shape.has_choices() && spec.shape.has_choices();
    fit(shape, spec.shape) != Fit::Never && (!both || choices.iter().any(shared))
}

fn rules_of_contact() -> impl Iterator<Item = MappingRule> {
    rules(TargetRecord::Contact, &CONTACT)
}

fn rules(
    record: TargetRecord,
    list: &[(Field, &'static str, FillPolicy)],
) -> impl Iterator<Item = MappingRule> {
    let rule = move |(from, key, policy): &(Field, &'static str, FillPolicy)| MappingRule {
        from: from.clone(),
        to: TargetField::known(record, key),
        policy: *policy,
    };
    list.iter().map(rule).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
