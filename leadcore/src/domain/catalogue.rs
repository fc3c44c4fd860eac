//! The field catalogue: each field described once, for import mapping, forms, templates and required checks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::value::fold;

use super::field::Field;
use super::lead::{LeadFields, LeadKind};
use super::synonyms;

/// A group of fields on a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Section {
    /// Who the lead is.
    Identity,
    /// How to reach it.
    Reach,
    /// Where it is.
    Address,
    /// Money and tax.
    Finance,
    /// Who works it, and where it belongs.
    Management,
    /// Set by the engine.
    System,
}

/// What a tenant says about one field; what it leaves out stays as the standard says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldSettings {
    /// Every new or edited lead must have a value (S0.01: required is data, not code).
    pub required: Option<bool>,
    /// Disabled fields take no values; data that is there stays (S1.08).
    pub enabled: Option<bool>,
    /// What people read.
    pub label: Option<String>,
    /// The place on the form, lowest first (S1.09).
    pub order: Option<u32>,
}

/// A field as one tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSpec {
    /// The field.
    pub field: Field,
    /// What people read.
    pub label: String,
    /// Its group on a form.
    pub section: Section,
    /// Whether a lead must have a value.
    pub required: bool,
    /// Whether it takes values.
    pub enabled: bool,
    /// The place on the form, lowest first.
    pub order: u32,
}

/// The fields of one tenant: the standard ones with the tenant's settings over them.
///
/// ```
/// use leadcore::domain::{Catalogue, Field, LeadFields};
/// let mut catalogue = Catalogue::standard();
/// catalogue.settings_mut(Field::TaxId).required = Some(true);
/// let broken = catalogue.check(&LeadFields::company("Nordlys AS")?);
/// assert_eq!(broken[0].field, "tax_id");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    fields: BTreeMap<Field, FieldSettings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<Field>>,
}

impl Catalogue {
    /// The standard fields as they are, none required.
    #[must_use]
    pub fn standard() -> Self {
        Self::default()
    }

    /// What the tenant says about `field`, to be changed.
    pub fn settings_mut(&mut self, field: Field) -> &mut FieldSettings {
        self.fields.entry(field).or_default()
    }

    /// The columns of a list of leads, from left to right, without fields that are disabled (S3.02): those that the
    /// tenant [chose](Self::set_columns), else [`Field::LIST`].
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, Field};
    /// let mut catalogue = Catalogue::standard();
    /// assert_eq!(catalogue.columns()[0].label, "Lead number");
    /// catalogue.set_columns(Some(vec![Field::Company, Field::Amount]));
    /// assert_eq!(catalogue.columns()[1].label, "Expected value");
    /// ```
    #[must_use]
    pub fn columns(&self) -> Vec<FieldSpec> {
        let chosen = self.columns.as_deref().unwrap_or(Field::LIST).iter();
        chosen.filter(|field| !self.is_disabled(field)).map(|field| self.spec(field)).collect()
    }

    /// Chooses the columns of lists; `None` goes back to the standard ones.
    pub fn set_columns(&mut self, columns: Option<Vec<Field>>) {
        self.columns = columns;
    }

    /// Every field as this tenant sees it, in form order.
    #[must_use]
    pub fn specs(&self) -> Vec<FieldSpec> {
        let mut specs: Vec<_> = Field::ALL.iter().map(|field| self.spec(field)).collect();
        specs.sort_by_key(|spec| spec.order);
        specs
    }

    /// One field as this tenant sees it.
    #[must_use]
    pub fn spec(&self, field: &Field) -> FieldSpec {
        let settings = self.fields.get(field);
        let place = Field::ALL.iter().position(|known| known == field).unwrap_or(0);
        FieldSpec {
            label: settings
                .and_then(|settings| settings.label.clone())
                .unwrap_or_else(|| field.default_label().to_owned()),
            section: section(field),
            required: settings.and_then(|settings| settings.required).unwrap_or(false),
            enabled: settings.and_then(|settings| settings.enabled).unwrap_or(true),
            order: settings
                .and_then(|settings| settings.order)
                .unwrap_or_else(|| u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(10)),
            field: field.clone(),
        }
    }

    /// The rules of the settings themselves: only fields that callers set can be required or disabled, and a field
    /// cannot be both; a list has columns, each once.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every broken rule at once.
    pub fn validate(&self) -> Result<()> {
        let mut broken = Vec::new();
        for (field, settings) in &self.fields {
            let (required, disabled) = (settings.required == Some(true), settings.enabled == Some(false));
            if !field.is_writable() && (settings.required.is_some() || settings.enabled.is_some()) {
                let message = "the engine sets this field: it can be neither required nor disabled";
                broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, message));
            } else if required && disabled {
                let message = "a disabled field cannot be required";
                broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, message));
            }
            if settings.label.as_ref().is_some_and(|label| label.trim().is_empty() || label.len() > 200) {
                let message = "a label has 1 to 200 bytes";
                broken.push(Violation::new(field.key(), ViolationCode::Malformed, message));
            }
        }
        if let Some(columns) = &self.columns {
            let distinct: BTreeSet<_> = columns.iter().collect();
            if columns.is_empty() {
                let message = "a list needs one column at least";
                broken.push(Violation::new("columns", ViolationCode::Required, message));
            } else if distinct.len() != columns.len() {
                let message = "a list shows each field once";
                broken.push(Violation::new("columns", ViolationCode::Duplicate, message));
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// Every rule that these fields break: the engine's own and the tenant's.
    ///
    /// A lead needs something to call it by: a company lead a company or a person, a consumer lead a person, or
    /// either of them an e-mail, a phone or an external id.
    #[must_use]
    pub fn check(&self, fields: &LeadFields) -> Vec<Violation> {
        let mut broken = fields.violations();
        if fields.display_name().is_none() && fields.external_ids.is_empty() {
            let (field, message) = match fields.kind {
                LeadKind::Company => {
                    ("company", "a lead needs a company, a name, an e-mail, a phone or an external id")
                }
                LeadKind::Consumer => ("name", "a lead needs a name, an e-mail, a phone or an external id"),
            };
            broken.push(Violation::new(field, ViolationCode::Required, message));
        }
        for (field, settings) in &self.fields {
            let empty = field.read_fields(fields).is_empty();
            if settings.required == Some(true) && settings.enabled != Some(false) && empty {
                let message = format!("{} is required", self.spec(field).label);
                broken.push(Violation::new(field.key(), ViolationCode::Required, message));
            }
        }
        broken
    }

    /// Whether the tenant disabled `field`.
    #[must_use]
    pub fn is_disabled(&self, field: &Field) -> bool {
        self.fields.get(field).is_some_and(|settings| settings.enabled == Some(false))
    }

    /// The field that a column header means: by key, label or a vendor's usual word, ignoring case, accents and
    /// punctuation (`E-Mail Address`, `Phone 1`, `Firma`).
    #[must_use]
    pub fn field_for_header(&self, header: &str) -> Option<Field> {
        self.rank_header(header).map(|(field, _)| field)
    }

    /// The field that a column header means, and how well it fits: 0 for the field's own key or label, then the
    /// vendors' words from the most to the least usual. Of two headers for one field, the lower rank is meant.
    ///
    /// ```
    /// use leadcore::domain::Catalogue;
    /// let catalogue = Catalogue::standard();
    /// let rank = |header| catalogue.rank_header(header).map(|(_, rank)| rank);
    /// assert!(rank("Source") < rank("Lead Source") && rank("Lead Source") < rank("Lead Origin"));
    /// ```
    #[must_use]
    pub fn rank_header(&self, header: &str) -> Option<(Field, u32)> {
        let wanted = header_key(header);
        if wanted.is_empty() {
            return None;
        }
        let takes =
            |field: &Field| (field.is_writable() || *field == Field::Stage) && !self.is_disabled(field);
        let own = Field::ALL
            .iter()
            .filter(|field| takes(field))
            .find(|field| header_key(field.key()) == wanted || header_key(&self.spec(field).label) == wanted);
        if let Some(field) = own {
            return Some((field.clone(), 0));
        }
        let (field, place) = synonyms::lookup(&wanted)?;
        takes(field).then(|| (field.clone(), place.saturating_add(1)))
    }
}

/// Letters and digits of a header, folded.
pub(super) fn header_key(header: &str) -> String {
    fold(header).chars().filter(|letter| letter.is_alphanumeric()).collect()
}

const fn section(field: &Field) -> Section {
    match field {
        Field::Kind
        | Field::Company
        | Field::Name
        | Field::FirstName
        | Field::LastName
        | Field::Salutation
        | Field::JobTitle
        | Field::Industry => Section::Identity,
        Field::Email | Field::Phone | Field::Website => Section::Reach,
        Field::Street | Field::City | Field::Region | Field::PostalCode | Field::Country => Section::Address,
        Field::TaxId | Field::Currency | Field::CurrencySymbol | Field::Amount | Field::Probability => {
            Section::Finance
        }
        Field::Owner
        | Field::Source
        | Field::Category
        | Field::Location
        | Field::Partner
        | Field::Labels
        | Field::Description
        | Field::ExternalId
        | Field::Stage => Section::Management,
        _ => Section::System,
    }
}
