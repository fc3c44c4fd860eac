//! What the catalogue knows of custom fields: their types, how values are written, and the rules that leads keep.

use crate::error::{ValueError, Violation, ViolationCode};

use super::catalogue::Catalogue;
use super::custom_field::CustomField;
use super::custom_value::CustomKey;
use super::field::{Field, FieldType};
use super::field_value::FieldValue;
use super::keys::MatchKey;
use super::lead::LeadFields;
use super::nearest::distance;

/// The most custom fields of a tenant.
const MAX_CUSTOM: usize = 500;

impl Catalogue {
    /// The fields that the tenant added, by key.
    pub fn custom_fields(&self) -> impl Iterator<Item = &CustomField> {
        self.custom.values()
    }

    /// One field that the tenant added.
    #[must_use]
    pub fn custom_field(&self, key: &CustomKey) -> Option<&CustomField> {
        self.custom.get(key)
    }

    /// Adds a custom field, or replaces its definition.
    pub fn set_custom_field(&mut self, field: CustomField) {
        self.custom.insert(field.key.clone(), field);
    }

    /// Takes a custom field away.
    pub fn remove_custom_field(&mut self, key: &CustomKey) -> Option<CustomField> {
        self.custom.remove(key)
    }

    /// What values a field takes.
    ///
    /// # Errors
    /// [`ViolationCode::Unknown`] for a custom field that the tenant does not have, or has disabled; the message names the
    /// nearest key.
    pub fn field_type(&self, field: &Field) -> Result<FieldType, ValueError> {
        match field {
            Field::Custom(key) => Ok(self.usable(key)?.kind.field_type()),
            standard => Ok(standard.field_type()),
        }
    }

    /// The definition of a custom field that is enabled.
    ///
    /// # Errors
    /// As [`field_type`](Self::field_type).
    pub fn usable(&self, key: &CustomKey) -> Result<&CustomField, ValueError> {
        let enabled = |field: &&CustomField| field.settings.enabled != Some(false);
        self.custom.get(key).filter(enabled).ok_or_else(|| self.unknown(key))
    }

    fn unknown(&self, key: &CustomKey) -> ValueError {
        let what = if self.custom.contains_key(key) {
            "this field is disabled"
        } else {
            "there is no field with this key"
        };
        let others = self.custom.values().filter(|field| field.key != *key);
        let enabled = others.filter(|field| field.settings.enabled != Some(false));
        let nearest = enabled.map(|field| (distance(key.as_str(), field.key.as_str()), &field.key)).min();
        match nearest.filter(|(distance, _)| *distance <= 3) {
            Some((_, near)) => {
                ValueError::new(ViolationCode::Unknown, format!("{what}; the nearest is `{near}`"))
            }
            None => ValueError::new(ViolationCode::Unknown, what),
        }
    }

    /// Writes a value into a field of a lead, standard or custom. Text is read the way the type of the field asks for.
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, CustomField, CustomType, Field, LeadFields};
    /// let mut catalogue = Catalogue::standard();
    /// catalogue.set_custom_field(CustomField::new("x_seats".parse()?, "Seats", CustomType::Integer));
    /// let (seats, mut fields) = (Field::Custom("x_seats".parse()?), LeadFields::default());
    /// catalogue.write(&seats, &mut fields, &"12".into())?;
    /// assert_eq!(seats.read_fields(&fields), 12_i64.into());
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Field::write`]; [`ViolationCode::Unknown`] for a custom field that the tenant does not have or has disabled,
    /// which can still be emptied.
    pub fn write(
        &self,
        field: &Field,
        fields: &mut LeadFields,
        value: &FieldValue,
    ) -> Result<(), ValueError> {
        let Field::Custom(key) = field else { return field.write(fields, value) };
        if value.is_empty() {
            fields.custom.remove(key);
            return Ok(());
        }
        let definition = self.usable(key)?;
        // A form sends back what it was given: also a choice that was archived since.
        if fields.custom.get(key).is_some_and(|known| known.read() == *value) {
            return Ok(());
        }
        match definition.parse(value, fields.phone_region())? {
            Some(value) => fields.custom.insert(key.clone(), value),
            None => fields.custom.remove(key),
        };
        Ok(())
    }

    /// Gives every custom field without a value its default.
    pub fn fill_defaults(&self, fields: &mut LeadFields) {
        for field in self.custom.values().filter(|field| field.settings.enabled != Some(false)) {
            if let Some(default) = &field.default
                && !fields.custom.contains_key(&field.key)
            {
                fields.custom.insert(field.key.clone(), default.clone());
            }
        }
    }

    /// The values of unique fields: what no other lead may have.
    #[must_use]
    pub fn unique_keys(&self, fields: &LeadFields) -> Vec<(Field, MatchKey)> {
        let unique = fields.custom.iter().filter(|(key, _)| {
            self.custom.get(*key).is_some_and(|field| field.unique && field.settings.enabled != Some(false))
        });
        unique
            .flat_map(|(key, value)| {
                let forms = value.forms().into_iter();
                forms.filter_map(|form| Some((Field::Custom(key.clone()), MatchKey::custom(key, &form)?)))
            })
            .collect()
    }

    /// Whether the tenant has a unique field.
    #[must_use]
    pub fn has_unique(&self) -> bool {
        self.custom.values().any(|field| field.unique)
    }

    /// What the custom values of a lead break, where they are not what they were.
    pub(super) fn custom_violations(
        &self,
        fields: &LeadFields,
        before: &LeadFields,
        broken: &mut Vec<Violation>,
    ) {
        for (key, value) in &fields.custom {
            if before.custom.get(key) == Some(value) {
                continue;
            }
            // A value for a disabled field is refused where all disabled fields are.
            let checked = match self.custom.get(key) {
                Some(field) => field.check(value),
                None => Err(self.unknown(key)),
            };
            broken.extend(checked.err().map(|error| error.at(key.as_str())));
        }
        for field in self.custom.values() {
            let settings = &field.settings;
            let required = settings.required == Some(true) && settings.enabled != Some(false);
            if required && !fields.custom.contains_key(&field.key) {
                let message = format!("{} is required", field.label());
                broken.push(Violation::new(field.key.as_str(), ViolationCode::Required, message));
            }
        }
    }

    /// What the definitions of custom fields break.
    pub(super) fn definition_violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.custom.len() > MAX_CUSTOM {
            let message = "a tenant has at most 500 custom fields";
            broken.push(Violation::new("custom", ViolationCode::TooLong, message));
        }
        for (key, field) in &self.custom {
            if *key != field.key {
                let message = "the key of a definition is the one that it stands under";
                broken.push(Violation::new(key.as_str(), ViolationCode::Malformed, message));
            }
            broken.extend(field.violations());
        }
        broken
    }
}
