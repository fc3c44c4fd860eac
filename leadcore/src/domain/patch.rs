//! A partial update: only the named fields change (S0.13).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::value::Country;

use super::account::{AccountFields, AccountStatus};
use super::catalogue::Catalogue;
use super::contact::ContactFields;
use super::field::Field;
use super::field_value::FieldValue;
use super::lead::LeadFields;

/// The fields to change and their new values. An empty value clears the field.
///
/// The order in which different fields are named makes no difference: a national phone number is read as one of the
/// country that is set with it, and parts of a name go over the whole name.
///
/// ```
/// use leadcore::domain::{Catalogue, Field, LeadFields, LeadPatch};
/// let mut fields = LeadFields::company("Nordlys AS")?;
/// let patch = LeadPatch::new().set(Field::City, "Tromsø").clear(Field::Company);
/// patch.apply(&Catalogue::standard(), &mut fields)?;
/// assert_eq!((fields.address.city(), fields.company), (Some("Tromsø"), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

    /// The same, with the values of the tenant's own fields in the one form in which they are compared.
    fn compared(&self, catalogue: &Catalogue) -> Self {
        let each = self.0.iter().map(|(field, value)| {
            let own = if let Field::Custom(key) = field { catalogue.custom_field(key) } else { None };
            let read = own.and_then(|own| own.parse(value, None).ok());
            let value =
                read.map_or_else(|| value.clone(), |read| read.map(|it| it.said()).unwrap_or_default());
            (field.clone(), value)
        });
        each.collect()
    }

    /// Writes the new values into `fields`, as `catalogue` reads them: the country before phones, the whole name before its parts.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every value that does not fit its field; then
    /// `fields` may hold some of the others, so apply to a copy.
    pub fn apply(&self, catalogue: &Catalogue, fields: &mut LeadFields) -> Result<()> {
        let mut values: Vec<_> = self.0.iter().collect();
        values.sort_by_key(|(field, _)| field.is_written_late());
        let broken: Vec<_> = values
            .into_iter()
            .filter_map(|(field, value)| {
                catalogue.write(field, fields, value).err().map(|error| error.at(field.key()))
            })
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }
}

/// The fields of an account to change, and its status. An empty value clears the field.
///
/// Fields are those of [`AccountFields::FIELDS`] and those that the tenant added to accounts; [`Field::Company`] is the name
/// of the account.
///
/// ```
/// use leadcore::domain::{AccountFields, AccountPatch, Catalogue, CatalogueKind, Field};
/// let catalogue = Catalogue::of(CatalogueKind::Account);
/// let mut fields = AccountFields { name: "Nordlys".to_owned(), ..AccountFields::default() };
/// AccountPatch::new().name("Nordlys AS").set(Field::City, "Tromsø").apply(&catalogue, &mut fields)?;
/// assert_eq!((fields.name.as_str(), fields.address.city()), ("Nordlys AS", Some("Tromsø")));
/// assert!(AccountPatch::new().set(Field::Amount, 5).apply(&catalogue, &mut fields).is_err());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.fields.is_empty()
    }

    /// Whether it says a status.
    #[must_use]
    pub const fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// The fields it names, in order; the status is none of them.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.fields()
    }

    /// The same, with the values of the tenant's own fields in the one form in which they are compared.
    pub(crate) fn compared(&self, catalogue: &Catalogue) -> Self {
        Self { fields: self.fields.compared(catalogue), ..self.clone() }
    }

    /// Writes the new values into `fields`, those of the tenant's own fields as the `catalogue` of accounts reads them; when
    /// one of them does not fit, none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every field that an account does not have and every
    /// value that does not fit its field.
    pub fn apply(&self, catalogue: &Catalogue, fields: &mut AccountFields) -> Result<()> {
        let message = "an account has no such field";
        let mut broken: Vec<_> = self
            .fields()
            .filter(|field| !matches!(field, Field::Custom(_)) && !AccountFields::FIELDS.contains(field))
            .map(|field| Violation::new(field.key(), ViolationCode::NotAllowed, message))
            .collect();
        let mut lead = fields.as_lead_fields();
        if let Err(error) = self.fields.apply(catalogue, &mut lead) {
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

/// The fields of a contact to change. An empty value clears the field.
///
/// Fields are those of [`ContactFields::FIELDS`], the parts of the name, and those that the tenant added to contacts.
///
/// ```
/// use leadcore::domain::{Catalogue, CatalogueKind, ContactFields, ContactPatch, Field};
/// let catalogue = Catalogue::of(CatalogueKind::Contact);
/// let mut fields = ContactFields::named("Ana Berg")?;
/// let patch = ContactPatch::new().set(Field::FirstName, "Anna").role("Buyer");
/// patch.apply(&catalogue, &mut fields, None)?;
/// assert_eq!((fields.display_name(), fields.role.as_deref()), (Some("Anna Berg"), Some("Buyer")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    fields: LeadPatch,
}

impl ContactPatch {
    /// Changes nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { role: None, fields: LeadPatch::new() }
    }

    /// Sets one field. A later call for the same field wins.
    #[must_use]
    pub fn set(mut self, field: Field, value: impl Into<FieldValue>) -> Self {
        self.fields = self.fields.set(field, value);
        self
    }

    /// Sets what part the person has in the deal; empty text clears it.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.role = Some(role.trim().to_owned());
        self
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.role.is_none() && self.fields.is_empty()
    }

    /// The fields it names, in order. Who may see the job title may see the role: it is named as that.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.fields().chain(self.role.as_ref().map(|_| &Field::JobTitle))
    }

    /// The same, with the values of the tenant's own fields in the one form in which they are compared.
    pub(crate) fn compared(&self, catalogue: &Catalogue) -> Self {
        Self { fields: self.fields.compared(catalogue), ..self.clone() }
    }

    /// Writes the new values into `fields`, those of the tenant's own fields as the `catalogue` of contacts reads them, and
    /// national phone numbers as those of `region`; when one of them does not fit, none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every field that a contact does not have and every
    /// value that does not fit its field.
    pub fn apply(
        &self,
        catalogue: &Catalogue,
        fields: &mut ContactFields,
        region: Option<Country>,
    ) -> Result<()> {
        let has = |field: &Field| {
            matches!(field, Field::Custom(_))
                || ContactFields::FIELDS.contains(field)
                || field.name_group().contains(&Field::Name)
        };
        let strange = self.fields.fields().filter(|field| !has(field));
        let message = "a contact has no such field";
        let mut broken: Vec<_> =
            strange.map(|field| Violation::new(field.key(), ViolationCode::NotAllowed, message)).collect();
        let mut lead = fields.as_lead_fields();
        if let Some(region) = region {
            Field::Country.write(&mut lead, &region.code().into()).map_err(|error| error.at("country"))?;
        }
        if let Err(error) = self.fields.apply(catalogue, &mut lead) {
            let told = |one: &&Violation| !broken.iter().any(|strange| strange.field == one.field);
            let misfits: Vec<_> = error.violations().iter().filter(told).cloned().collect();
            broken.extend(misfits);
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
        *fields = std::mem::take(fields).with_lead_fields(lead);
        if let Some(role) = &self.role {
            fields.role = (!role.is_empty()).then(|| role.clone());
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Phones;
    use crate::value::Country;

    fn values() -> Vec<(Field, FieldValue)> {
        vec![
            (Field::Phone, "22 22 55 55".into()),
            (Field::LastName, "Berg".into()),
            (Field::Name, "Anna Holm".into()),
            (Field::Salutation, "Dr.".into()),
            (Field::City, "Oslo".into()),
            (Field::Country, "NO".into()),
        ]
    }

    #[test]
    fn the_country_is_known_before_phones_and_the_name_before_its_parts() {
        let mut fields = LeadFields::default();
        LeadPatch::from_iter(values()).apply(&Catalogue::standard(), &mut fields).unwrap();
        let norwegian = Phones::parse("22 22 55 55", Country::parse("NO").ok()).unwrap();
        assert_eq!(fields.phones, norwegian);
        let foreign = Phones::parse("22 22 55 55", None).unwrap();
        assert_eq!(fields.phones != foreign, cfg!(feature = "phone"), "only numbering plans tell them apart");
        assert_eq!(fields.person.unwrap().full(), "Dr. Anna Berg");
    }

    #[test]
    fn of_one_field_the_later_value_wins() {
        let mut fields = LeadFields::default();
        let patch =
            LeadPatch::new().set(Field::Country, "SE").set(Field::City, "x").set(Field::Country, "NO");
        patch.apply(&Catalogue::standard(), &mut fields).unwrap();
        assert_eq!(fields.address.country().unwrap().code(), "NO");
    }

    proptest! {
        #[test]
        fn the_order_makes_no_difference(shuffled in Just(values()).prop_shuffle()) {
            let (mut one, mut other) = (LeadFields::default(), LeadFields::default());
            LeadPatch::from_iter(values()).apply(&Catalogue::standard(), &mut one).unwrap();
            LeadPatch::from_iter(shuffled).apply(&Catalogue::standard(), &mut other).unwrap();
            prop_assert_eq!(one, other);
        }
    }
}
