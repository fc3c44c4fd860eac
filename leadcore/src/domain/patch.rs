//! A partial update: only the named fields change (S0.13).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::field::Field;
use super::field_value::FieldValue;
use super::lead::LeadFields;

/// The fields to change and their new values. An empty value clears the field.
///
/// ```
/// use leadcore::domain::{Field, LeadFields, LeadPatch};
/// let mut fields = LeadFields::company("Nordlys AS")?;
/// let patch = LeadPatch::new().set(Field::City, "Tromsø").clear(Field::Company);
/// patch.apply(&mut fields)?;
/// assert_eq!((fields.address.city(), fields.company), (Some("Tromsø"), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeadPatch(Vec<(Field, FieldValue)>);

impl LeadPatch {
    /// Changes nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets one field. A later call for the same field wins.
    #[must_use]
    pub fn set(mut self, field: Field, value: impl Into<FieldValue>) -> Self {
        self.0.push((field, value.into()));
        self
    }

    /// Empties one field.
    #[must_use]
    pub fn clear(self, field: Field) -> Self {
        self.set(field, FieldValue::Empty)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields it names, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().map(|(field, _)| field)
    }

    /// Writes the new values into `fields`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every value that does not fit its field; then
    /// `fields` may hold some of the others, so apply to a copy.
    pub fn apply(&self, fields: &mut LeadFields) -> Result<()> {
        let broken: Vec<_> = self
            .0
            .iter()
            .filter_map(|(field, value)| field.write(fields, value).err().map(|error| error.at(field.key())))
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }
}

impl FromIterator<(Field, FieldValue)> for LeadPatch {
    fn from_iter<T: IntoIterator<Item = (Field, FieldValue)>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}
