//! A partial update: only the named fields change (S0.13).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};

use super::account::{AccountFields, AccountStatus};
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

/// The fields of an account to change, and its status. An empty value clears the field.
///
/// Fields are those of [`AccountFields::FIELDS`]; [`Field::Company`] is the name of the account.
///
/// ```
/// use leadcore::domain::{AccountFields, AccountPatch, Field};
/// let mut fields = AccountFields { name: "Nordlys".to_owned(), ..AccountFields::default() };
/// AccountPatch::new().name("Nordlys AS").set(Field::City, "Tromsø").apply(&mut fields)?;
/// assert_eq!((fields.name.as_str(), fields.address.city()), ("Nordlys AS", Some("Tromsø")));
/// assert!(AccountPatch::new().set(Field::Amount, 5).apply(&mut fields).is_err());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountPatch {
    status: Option<AccountStatus>,
    fields: LeadPatch,
}

impl AccountPatch {
    /// Changes nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { status: None, fields: LeadPatch::new() }
    }

    /// Sets one field. A later call for the same field wins.
    #[must_use]
    pub fn set(mut self, field: Field, value: impl Into<FieldValue>) -> Self {
        self.fields = self.fields.set(field, value);
        self
    }

    /// Empties one field. The name cannot be empty.
    #[must_use]
    pub fn clear(self, field: Field) -> Self {
        self.set(field, FieldValue::Empty)
    }

    /// Sets the name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.set(Field::Company, name)
    }

    /// Sets the status.
    #[must_use]
    pub const fn status(mut self, status: AccountStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// The fields it names, in order; the status is none of them.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.fields()
    }

    /// Writes the new values into `fields`; when one of them does not fit, none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every field that an account does not have and every
    /// value that does not fit its field.
    pub fn apply(&self, fields: &mut AccountFields) -> Result<()> {
        let message = "an account has no such field";
        let mut broken: Vec<_> = self
            .fields()
            .filter(|field| !AccountFields::FIELDS.contains(field))
            .map(|field| Violation::new(field.key(), ViolationCode::NotAllowed, message))
            .collect();
        let mut lead = fields.as_lead_fields();
        if let Err(error) = self.fields.apply(&mut lead) {
            let known = |violation: &&Violation| !broken.iter().any(|other| other.field == violation.field);
            let more: Vec<_> = error.violations().iter().filter(known).cloned().collect();
            broken.extend(more);
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken.into_iter().map(named_as_account).collect()));
        }
        *fields = AccountFields::from_lead_fields(lead, self.status.unwrap_or(fields.status));
        Ok(())
    }
}

/// What a lead calls its company is the name of an account.
fn named_as_account(mut violation: Violation) -> Violation {
    if violation.field == Field::Company.key() {
        "name".clone_into(&mut violation.field);
    }
    violation
}

impl FromIterator<(Field, FieldValue)> for LeadPatch {
    fn from_iter<T: IntoIterator<Item = (Field, FieldValue)>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}
