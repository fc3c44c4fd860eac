//! Sections and the layout of the form: tenant data, with the standard ones as a start (S1.09).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Violation, ViolationCode};

use super::catalogue::{Catalogue, FieldSpec, MAX_LABEL};
use super::field::Field;

/// A group of fields on a form, as one tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Section {
    /// Stable key: `identity`, `reach` …
    pub key: String,
    /// What people read.
    pub label: String,
    /// The place on the form, lowest first.
    pub order: u32,
}

/// What a tenant says about a section; a section of its own needs a label.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SectionSettings {
    /// What people read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The place on the form, lowest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
}

/// A section with its fields, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormSection {
    /// The section.
    pub section: Section,
    /// The fields that take values, in order.
    pub fields: Vec<FieldSpec>,
}

/// The sections that every tenant starts with, ten apart.
const STANDARD: [(&str, &str); 7] = [
    ("identity", "Identity"),
    ("reach", "How to reach"),
    ("address", "Address"),
    ("finance", "Finance"),
    ("management", "Management"),
    (MORE, "More"),
    ("system", "System"),
];
/// Where custom fields stand unless the tenant says it.
const MORE: &str = "more";
/// The most sections of a tenant's own.
const MAX_SECTIONS: usize = 100;

/// The section of a field unless the tenant says it.
pub(super) const fn standard_section(field: &Field) -> &'static str {
    match field {
        Field::Kind
        | Field::Company
        | Field::Name
        | Field::FirstName
        | Field::LastName
        | Field::Salutation
        | Field::JobTitle
        | Field::Industry => "identity",
        Field::Email | Field::Phone | Field::Website => "reach",
        Field::Street | Field::City | Field::Region | Field::PostalCode | Field::Country => "address",
        Field::TaxId
        | Field::Currency
        | Field::CurrencySymbol
        | Field::Amount
        | Field::Probability
        | Field::ExpectedClose => "finance",
        Field::Owner
        | Field::Source
        | Field::Campaign
        | Field::Category
        | Field::Location
        | Field::Partner
        | Field::Labels
        | Field::Description
        | Field::ExternalId
        | Field::Score
        | Field::Stage => "management",
        Field::Custom(_) => MORE,
        _ => "system",
    }
}

impl Catalogue {
    /// What the tenant says about a section, to be changed; a key that there is not makes a section.
    pub fn section_mut(&mut self, key: &str) -> &mut SectionSettings {
        self.sections.entry(key.to_owned()).or_default()
    }

    /// Takes a section of the tenant's own away, or gives a standard one its own name and place back.
    pub fn remove_section(&mut self, key: &str) {
        self.sections.remove(key);
    }

    /// Every section, in order.
    ///
    /// ```
    /// use leadcore::domain::Catalogue;
    /// let mut catalogue = Catalogue::standard();
    /// catalogue.section_mut("finance").order = Some(1);
    /// assert_eq!(catalogue.sections()[0].label, "Finance");
    /// ```
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let standard = (1_u32..).zip(STANDARD).map(|(place, (key, label))| (key, (label, place * 10)));
        let mut all: BTreeMap<&str, (&str, u32)> = standard.collect();
        for (key, settings) in &self.sections {
            let (label, order) = all.entry(key).or_insert((key, u32::MAX));
            *label = settings.label.as_deref().unwrap_or(label);
            *order = settings.order.unwrap_or(*order);
        }
        let mut sections: Vec<_> = all
            .into_iter()
            .map(|(key, (label, order))| Section { key: key.to_owned(), label: label.to_owned(), order })
            .collect();
        sections.sort_by_key(|section| section.order);
        sections
    }

    /// The layout of the form: the sections in order, each with the fields that people fill in, in order, without
    /// disabled fields and empty sections (S1.08, S1.09).
    #[must_use]
    pub fn form(&self) -> Vec<FormSection> {
        let mut by_section: BTreeMap<String, Vec<FieldSpec>> = BTreeMap::new();
        for spec in self.specs() {
            if spec.enabled && spec.field.is_imported() {
                by_section.entry(spec.section.clone()).or_default().push(spec);
            }
        }
        let sections = self.sections().into_iter();
        sections
            .filter_map(|section| {
                let fields = by_section.remove(&section.key)?;
                Some(FormSection { section, fields })
            })
            .collect()
    }

    /// What sections break: keys, labels, fields in a section that there is not.
    pub(super) fn section_violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        let mut refuse = |path: String, code, message: &str| broken.push(Violation::new(path, code, message));
        if self.sections.len() > MAX_SECTIONS {
            refuse("sections".to_owned(), ViolationCode::TooLong, "a tenant has at most 100 sections");
        }
        let is_standard = |key: &str| STANDARD.iter().any(|(known, _)| *known == key);
        for (key, settings) in &self.sections {
            let path = || format!("sections.{key}");
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if !(1..=50).contains(&key.len()) || !key.bytes().all(fits) {
                let message = "the key of a section is 1 to 50 small letters, digits or underscores";
                refuse("sections".to_owned(), ViolationCode::Malformed, message);
            }
            match &settings.label {
                None if !is_standard(key) => {
                    refuse(path(), ViolationCode::Required, "a section needs a label");
                }
                Some(label) if label.trim().is_empty() || label.len() > MAX_LABEL => {
                    refuse(path(), ViolationCode::Malformed, "a label has 1 to 200 bytes");
                }
                _ => {}
            }
        }
        for spec in self.specs() {
            if !is_standard(&spec.section) && !self.sections.contains_key(&spec.section) {
                let message = "there is no section with this key";
                refuse(format!("{}.section", spec.field), ViolationCode::Unknown, message);
            }
        }
        broken
    }
}
