//! The fields that accounts, contacts and opportunities have.

use crate::domain::catalogue::Catalogue;
use crate::domain::contact::ContactFields;
use crate::domain::custom_field::{Choice, CustomField};
use crate::domain::field::Field;
use crate::domain::{AccountFields, TermKind};

use super::fit::{Shape, shape_of};
use super::{TargetField, TargetRecord};

/// A field of a target: what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetSpec {
    /// The field.
    pub field: TargetField,
    /// What people read.
    pub label: String,
    /// What it takes.
    pub shape: Shape,
    /// The answers of a field with choices.
    pub choices: Vec<Choice>,
    /// Whether the target must have a value.
    pub required: bool,
    /// The definition, of a field that the tenant added.
    pub custom: Option<CustomField>,
}

impl TargetSpec {
    fn new(record: TargetRecord, key: &str, label: &str, shape: Shape) -> Self {
        Self {
            field: TargetField::known(record, key),
            label: label.to_owned(),
            shape,
            choices: Vec::new(),
            required: false,
            custom: None,
        }
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A field that a lead has too.
    fn like(record: TargetRecord, key: &str, field: &Field, leads: &Catalogue) -> Self {
        let (shape, choices) = shape_of(field, leads).unwrap_or((Shape::Text, Vec::new()));
        Self { choices, ..Self::new(record, key, field.default_label(), shape) }
    }
}

/// The fields of every target, as one tenant has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    specs: Vec<TargetSpec>,
}

impl Default for Targets {
    fn default() -> Self {
        Self::standard()
    }
}

impl Targets {
    /// The fields that every tenant has.
    #[must_use]
    pub fn standard() -> Self {
        let leads = Catalogue::standard();
        let account = AccountFields::FIELDS.iter().map(|field| match field {
            Field::Company => {
                TargetSpec::new(TargetRecord::Account, "name", "Account name", Shape::Text).required()
            }
            other => TargetSpec::like(TargetRecord::Account, other.key(), other, &leads),
        });
        let contact = ContactFields::FIELDS
            .iter()
            .map(|field| TargetSpec::like(TargetRecord::Contact, field.key(), field, &leads));
        let role = TargetSpec::new(TargetRecord::Contact, "role", "Role", Shape::Text);
        let of =
            |key: &str, label: &str, shape| TargetSpec::new(TargetRecord::Opportunity, key, label, shape);
        let opportunity = [
            of("name", "Opportunity name", Shape::Text).required(),
            of("amount", "Amount", Shape::Amount),
            of("currency", "Currency", Shape::Currency),
            of("probability", "Probability", Shape::Percent),
            of("expected_close", "Close date", Shape::Date),
            of("source", "Source", Shape::Term(TermKind::Source)),
            of("campaign", "Campaign", Shape::Text),
            of("owner", "Owner", Shape::User),
            of("description", "Description", Shape::LongText),
        ];
        Self { specs: account.chain(contact).chain([role]).chain(opportunity).collect() }
    }

    /// With the fields that the tenant added to this record; those that are switched off are left out.
    #[must_use]
    pub fn with_custom(mut self, record: TargetRecord, catalogue: &Catalogue) -> Self {
        let enabled = catalogue
            .custom_fields()
            .filter(|field| !catalogue.is_disabled(&Field::Custom(field.key.clone())));
        self.specs.extend(enabled.map(|field| {
            let (shape, choices) = Shape::of_custom(&field.kind);
            TargetSpec {
                choices,
                // A new record has the default at least.
                required: field.settings.required == Some(true) && field.default.is_none(),
                custom: Some(field.clone()),
                ..TargetSpec::new(record, field.key.as_str(), field.label(), shape)
            }
        }));
        self
    }

    /// The field, if there is one.
    #[must_use]
    pub fn find(&self, field: &TargetField) -> Option<&TargetSpec> {
        self.specs.iter().find(|spec| spec.field == *field)
    }

    /// The fields of one target.
    pub fn of(&self, record: TargetRecord) -> impl Iterator<Item = &TargetSpec> {
        self.specs.iter().filter(move |spec| spec.field.record == record)
    }
}
