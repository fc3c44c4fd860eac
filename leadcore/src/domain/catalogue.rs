//! The field catalogue: each field described once, for import mapping, forms, templates and required checks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::value::fold;

use super::catalogue_kind::CatalogueKind;
use super::custom_field::CustomField;
use super::custom_value::CustomKey;
use super::field::Field;
use super::form::{SectionSettings, standard_section};
use super::lead::{LeadFields, LeadKind};
use super::synonyms;

/// The longest label, in bytes.
pub(super) const MAX_LABEL: usize = 200;

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
    /// The key of the [section](super::Section) that it stands in (S1.09).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// A field as one tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSpec {
    /// The field.
    pub field: Field,
    /// What people read.
    pub label: String,
    /// The key of its group on a form.
    pub section: String,
    /// Whether a lead must have a value.
    pub required: bool,
    /// Whether it takes values.
    pub enabled: bool,
    /// The place on the form, lowest first.
    pub order: u32,
    /// Whether it holds several values.
    pub multiple: bool,
    /// What it is for, where the tenant says so.
    pub help: Option<String>,
    /// Whether it is only shown: leadcore sets it, or the one whom it is shown to can change no lead.
    pub read_only: bool,
}

/// The fields of one tenant: the standard ones with the tenant's settings over them, and those that it added.
///
/// There is one for each [kind](CatalogueKind) of record. Those of accounts, contacts and opportunities hold the fields that
/// the tenant added to them; what a lead becomes takes its values over by the
/// [mapping](super::conversion_mapping::ConversionMapping).
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
    #[serde(default, rename = "of", skip_serializing_if = "CatalogueKind::is_lead")]
    kind: CatalogueKind,
    fields: BTreeMap<Field, FieldSettings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<Field>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) custom: BTreeMap<CustomKey, CustomField>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) sections: BTreeMap<String, SectionSettings>,
    /// Whether it is for somebody who can change no lead.
    #[serde(skip)]
    read_only: bool,
}

impl Catalogue {
    /// The standard fields as they are, none required.
    #[must_use]
    pub fn standard() -> Self {
        Self::default()
    }

    /// No field of the tenant's own, of these records.
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, CatalogueKind, CustomField, CustomType};
    /// let mut catalogue = Catalogue::of(CatalogueKind::Account);
    /// catalogue.set_custom_field(CustomField::new("x_fleet".parse()?, "Fleet", CustomType::Integer));
    /// assert_eq!(catalogue.form()[0].fields[0].label, "Fleet");
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn of(kind: CatalogueKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Which records it describes.
    #[must_use]
    pub const fn kind(&self) -> CatalogueKind {
        self.kind
    }

    /// What the tenant says about `field`, to be changed; of a custom field, what its definition says.
    pub fn settings_mut(&mut self, field: Field) -> &mut FieldSettings {
        if let Field::Custom(key) = &field
            && let Some(custom) = self.custom.get_mut(key)
        {
            return &mut custom.settings;
        }
        self.fields.entry(field).or_default()
    }

    /// What somebody sees of it from whom some fields are hidden: these are disabled, or not there. It is for forms,
    /// templates and lists, not to be written back.
    pub(crate) fn without(mut self, is_hidden: impl Fn(&Field) -> bool) -> Self {
        self.custom.retain(|key, _| !is_hidden(&Field::Custom(key.clone())));
        for field in self.kind.standard().iter().filter(|field| is_hidden(field)) {
            let settings = self.settings_mut(field.clone());
            (settings.enabled, settings.required) = (Some(false), None);
        }
        self
    }

    /// With every field only to be read.
    pub(crate) const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub(crate) fn settings(&self, field: &Field) -> Option<&FieldSettings> {
        match field {
            Field::Custom(key) => self.custom.get(key).map(|custom| &custom.settings),
            standard => self.fields.get(standard),
        }
    }

    /// Every field: the standard ones, then those that the tenant added, by key.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.kind.standard().iter().cloned().chain(self.custom.keys().cloned().map(Field::Custom))
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
        let usual = if self.kind == CatalogueKind::Lead { Field::LIST } else { &[] };
        let chosen = self.columns.as_deref().unwrap_or(usual).iter();
        chosen.filter(|field| !self.is_disabled(field)).map(|field| self.spec(field)).collect()
    }

    /// Chooses the columns of lists; `None` goes back to the standard ones.
    pub fn set_columns(&mut self, columns: Option<Vec<Field>>) {
        self.columns = columns;
    }

    /// Every field as this tenant sees it, in form order.
    #[must_use]
    pub fn specs(&self) -> Vec<FieldSpec> {
        let mut specs: Vec<_> = self.fields().map(|field| self.spec(&field)).collect();
        specs.sort_by_key(|spec| spec.order);
        specs
    }

    /// One field as this tenant sees it; a custom field that there is not is disabled.
    #[must_use]
    pub fn spec(&self, field: &Field) -> FieldSpec {
        let settings = self.settings(field);
        let custom = match field {
            Field::Custom(key) => self.custom.get(key),
            _ => None,
        };
        FieldSpec {
            label: settings
                .and_then(|settings| settings.label.clone())
                .unwrap_or_else(|| field.default_label().to_owned()),
            section: settings
                .and_then(|settings| settings.section.clone())
                .unwrap_or_else(|| standard_section(field).to_owned()),
            required: settings.and_then(|settings| settings.required).unwrap_or(false),
            enabled: !self.is_disabled(field),
            order: settings.and_then(|settings| settings.order).unwrap_or_else(|| self.place(field)),
            multiple: custom.map_or_else(|| field.is_multiple(), |custom| custom.kind.is_multiple()),
            help: custom.and_then(|custom| custom.help.clone()),
            read_only: self.read_only || !field.is_imported(),
            field: field.clone(),
        }
    }

    /// Where a field stands unless the tenant says it: standard fields first, ten apart.
    fn place(&self, field: &Field) -> u32 {
        let place = match field {
            Field::Custom(key) => self.kind.standard().len() + self.custom.range(..key.clone()).count(),
            standard => Field::ALL.iter().position(|known| known == standard).unwrap_or(0),
        };
        u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(10)
    }

    /// The rules of the settings themselves: only fields that callers set can be required or disabled, and a field
    /// cannot be both; a list has columns, each once; sections that are named exist; definitions of custom fields make
    /// sense.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every broken rule at once.
    pub fn validate(&self) -> Result<()> {
        let mut broken = Vec::new();
        for (field, settings) in &self.fields {
            let (required, disabled) = (settings.required == Some(true), settings.enabled == Some(false));
            if matches!(field, Field::Custom(_)) {
                broken.push(Violation::new(
                    field.key(),
                    ViolationCode::Unknown,
                    "there is no such custom field",
                ));
            } else if !self.has(field) {
                let message = "a catalogue of these records holds the fields that were added to them";
                broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, message));
            } else if !field.is_writable() && (settings.required.is_some() || settings.enabled.is_some()) {
                let message = "the engine sets this field: it can be neither required nor disabled";
                broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, message));
            } else if required && disabled {
                let message = "a disabled field cannot be required";
                broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, message));
            }
            if settings.label.as_ref().is_some_and(|label| label.trim().is_empty() || label.len() > MAX_LABEL)
            {
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
            } else if columns.iter().any(|field| !self.has(field)) {
                let message = "a list shows fields that there are";
                broken.push(Violation::new("columns", ViolationCode::Unknown, message));
            }
        }
        broken.extend(self.definition_violations());
        broken.extend(self.section_violations());
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// Every rule that the fields of a new lead break: the engine's own and the tenant's.
    ///
    /// A lead needs something to call it by: a company lead a company or a person, a consumer lead a person, or
    /// either of them an e-mail, a phone or an external id.
    #[must_use]
    pub fn check(&self, fields: &LeadFields) -> Vec<Violation> {
        self.check_change(fields, &LeadFields::default())
    }

    /// Every rule that fields break which were `before`: what a custom field had and keeps is not checked again, so that
    /// limits can be tightened and choices archived.
    #[must_use]
    pub fn check_change(&self, fields: &LeadFields, before: &LeadFields) -> Vec<Violation> {
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
        broken.extend(self.check_custom(&fields.custom, &before.custom));
        broken
    }

    /// With labels of one line: line breaks and tabs in them as one blank, so that they can stand over the columns of a file.
    #[must_use]
    pub(crate) fn with_plain_labels(mut self) -> Self {
        let plain = |label: &mut String| {
            if label.chars().any(char::is_control) {
                let words = label.split(char::is_control).map(str::trim).filter(|word| !word.is_empty());
                *label = words.collect::<Vec<_>>().join(" ");
            }
        };
        let own = self.custom.values_mut().map(|field| &mut field.settings);
        own.chain(self.fields.values_mut()).filter_map(|settings| settings.label.as_mut()).for_each(plain);
        self
    }

    /// Whether the tenant disabled `field`, or has no such custom field.
    #[must_use]
    pub fn is_disabled(&self, field: &Field) -> bool {
        match self.settings(field) {
            Some(settings) => settings.enabled == Some(false),
            None => !self.has(field),
        }
    }

    /// Whether there is such a field.
    fn has(&self, field: &Field) -> bool {
        match field {
            Field::Custom(key) => self.custom.contains_key(key),
            _ => self.kind == CatalogueKind::Lead,
        }
    }

    /// The field that a column header means: by key, label or a vendor's usual word, ignoring case, accents and
    /// punctuation (`E-Mail Address`, `Phone 1`, `Firma`).
    #[must_use]
    pub fn field_for_header(&self, header: &str) -> Option<Field> {
        self.rank_header(header).map(|(field, _)| field)
    }

    /// Whether a header is the key or the label of a field.
    #[cfg(feature = "csv")]
    pub(crate) fn is_called(&self, field: &Field, header: &str) -> bool {
        let own = self.settings(field).and_then(|settings| settings.label.as_deref());
        let wanted = header_key(header);
        [field.key(), own.unwrap_or(field.default_label())].iter().any(|known| header_key(known) == wanted)
    }

    /// The field that a column header means, and how well it fits: 0 for the field's own key or label, then the
    /// vendors' words from the most to the least usual. Of two headers for one field, the lower rank is meant. A key as
    /// exports write it (`city`) is that of its field, whatever others are called.
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
        // `State` is a part of an address to most; what leads are, its cells have to say.
        let takes =
            |field: &Field| field.comes_by_file() && !field.is_told_by_cells() && !self.is_disabled(field);
        if let Some(field) =
            header.parse::<Field>().ok().filter(|field| field.key() == header && takes(field))
        {
            return Some((field, 0));
        }
        let label = |field: &Field| {
            let own = self.settings(field).and_then(|settings| settings.label.as_deref());
            header_key(own.unwrap_or(field.default_label()))
        };
        // What the tenant itself calls so comes before fields that happen to be called the same.
        let by_tenant = |field: &Field| {
            matches!(field, Field::Custom(_)) || self.settings(field).is_some_and(|own| own.label.is_some())
        };
        let of_tenant =
            self.fields().find(|field| takes(field) && by_tenant(field) && label(field) == wanted);
        let own = of_tenant.or_else(|| {
            let named = |field: &Field| header_key(field.key()) == wanted || label(field) == wanted;
            self.fields().find(|field| takes(field) && named(field))
        });
        if let Some(field) = own {
            return Some((field, 0));
        }
        let (field, place) = synonyms::lookup(&wanted)?;
        takes(field).then(|| (field.clone(), place.saturating_add(1)))
    }
}

/// Letters and digits of a header, folded.
pub(crate) fn header_key(header: &str) -> String {
    fold(header).chars().filter(|letter| letter.is_alphanumeric()).collect()
}
