//! What the catalogue knows of custom fields: their types, how values are written, and the rules that leads keep.

use crate::error::{ValueError, Violation, ViolationCode};
use crate::value::Country;

use super::catalogue::Catalogue;
use super::custom_field::CustomField;
use super::custom_value::{CustomKey, CustomValue, CustomValues};
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

    /// Whether a field that is enabled is of the type of this value.
    pub(crate) fn takes(&self, key: &CustomKey, value: &CustomValue) -> bool {
        self.usable(key).is_ok_and(|field| field.kind.takes(value))
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
        let region = fields.phone_region();
        self.write_custom(key, &mut fields.custom, value, region)
    }

    /// Writes a value among those of a record, whatever the record is. Text is read the way the type of the field asks for;
    /// `region` is where national phone numbers belong to.
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, CatalogueKind, ContactFields, CustomField, CustomType, CustomValue};
    /// let mut catalogue = Catalogue::of(CatalogueKind::Contact);
    /// catalogue.set_custom_field(CustomField::new("x_children".parse()?, "Children", CustomType::Integer));
    /// let mut anna = ContactFields::named("Anna Berg")?;
    /// catalogue.write_custom(&"x_children".parse()?, &mut anna.custom, &"2".into(), None)?;
    /// assert_eq!(anna.custom.values().next(), Some(&CustomValue::Integer(2)));
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_custom(
        &self,
        key: &CustomKey,
        values: &mut CustomValues,
        value: &FieldValue,
        region: Option<Country>,
    ) -> Result<(), ValueError> {
        if value.is_empty() {
            values.remove(key);
            return Ok(());
        }
        let definition = self.usable(key)?;
        // A form sends back what it was given: also a choice that was archived since.
        if values.get(key).is_some_and(|known| known.read() == *value) {
            return Ok(());
        }
        match definition.parse(value, region)? {
            Some(value) => values.insert(key.clone(), value),
            None => values.remove(key),
        };
        Ok(())
    }

    /// Gives every custom field without a value its default.
    pub fn fill_defaults(&self, values: &mut CustomValues) {
        for field in self.custom.values().filter(|field| field.settings.enabled != Some(false)) {
            if let Some(default) = &field.default
                && !values.contains_key(&field.key)
            {
                values.insert(field.key.clone(), default.clone());
            }
        }
    }

    /// The values of unique fields: what no other record of the kind may have.
    #[must_use]
    pub fn unique_keys(&self, values: &CustomValues) -> Vec<(Field, MatchKey)> {
        let unique = values.iter().filter(|(key, _)| {
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

    /// What the custom values of a record break by themselves: those that are as they were `before` are not checked again.
    #[must_use]
    pub fn check_custom(&self, values: &CustomValues, before: &CustomValues) -> Vec<Violation> {
        let mut broken = Vec::new();
        for (key, value) in values {
            if before.get(key) == Some(value) {
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
            if required && !values.contains_key(&field.key) {
                let message = format!("{} is required", field.label());
                broken.push(Violation::new(field.key.as_str(), ViolationCode::Required, message));
            }
        }
        broken
    }

    /// The fields that are switched off and have another value than `before`.
    pub(crate) fn changed_while_disabled(
        &self,
        values: &CustomValues,
        before: &CustomValues,
    ) -> Vec<Violation> {
        let off = self.custom.values().filter(|field| field.settings.enabled == Some(false));
        let changed = off.filter(|field| values.get(&field.key) != before.get(&field.key));
        let message = "this field is disabled";
        changed.map(|field| Violation::new(field.key.as_str(), ViolationCode::NotAllowed, message)).collect()
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
