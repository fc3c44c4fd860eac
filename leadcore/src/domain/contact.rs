//! Contacts: the persons of a lead company, and after conversion of the account (S0.24).

use serde::{Deserialize, Serialize};

use crate::error::{Violation, ViolationCode};
use crate::id::{ContactId, Revision};
use crate::time::Timestamp;
use crate::value::{MAX_TEXT_BYTES, PersonName};

use super::field::Field;
use super::field_value::FieldValue;
use super::lead::LeadFields;
use super::lead::{MAX_LINE, text_violations};
use super::reach::{Emails, Phones};

/// Everything a caller may set on a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactFields {
    /// The person's name.
    pub name: Option<PersonName>,
    /// Position in the company.
    pub job_title: Option<String>,
    /// E-mail addresses, the first one primary.
    pub emails: Emails,
    /// Phone numbers, the first one primary.
    pub phones: Phones,
    /// Anything else worth knowing.
    pub description: Option<String>,
}

impl ContactFields {
    /// A person with this name.
    ///
    /// # Errors
    /// When the name is empty, holds a NUL or is too long.
    pub fn named(name: &str) -> Result<Self, crate::error::ValueError> {
        Ok(Self { name: Some(PersonName::parse(name)?), ..Self::default() })
    }

    /// The lead fields that a contact has too.
    pub const FIELDS: [Field; 5] =
        [Field::Name, Field::JobTitle, Field::Email, Field::Phone, Field::Description];

    /// The same data as fields of a lead: one description of fields serves both.
    #[must_use]
    pub fn as_lead_fields(&self) -> LeadFields {
        LeadFields {
            person: self.name.clone(),
            job_title: self.job_title.clone(),
            emails: self.emails.clone(),
            phones: self.phones.clone(),
            description: self.description.clone(),
            ..LeadFields::default()
        }
    }

    /// Empties the fields that `hide` names, parts of the name among them.
    #[must_use]
    pub fn without(self, hide: impl Fn(&Field) -> bool) -> Self {
        let mut lead = LeadFields { person: self.name.clone(), ..LeadFields::default() };
        for part in Field::Name.name_group().iter().filter(|part| hide(part)) {
            // Clearing a part never fails: only values are checked.
            let _ = part.write(&mut lead, &FieldValue::Empty);
        }
        Self { name: lead.person, ..self }.keeping(&Self::default(), hide)
    }

    /// Takes the fields that `keep` names from `stored`.
    #[must_use]
    pub fn keeping(mut self, stored: &Self, keep: impl Fn(&Field) -> bool) -> Self {
        for field in Self::FIELDS.iter().filter(|field| keep(field)) {
            match field {
                Field::Name => self.name.clone_from(&stored.name),
                Field::JobTitle => self.job_title.clone_from(&stored.job_title),
                Field::Email => self.emails.clone_from(&stored.emails),
                Field::Phone => self.phones.clone_from(&stored.phones),
                _ => self.description.clone_from(&stored.description),
            }
        }
        self
    }

    /// What people call the contact: the name, else the first e-mail or phone.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.name
            .as_ref()
            .map(PersonName::full)
            .or_else(|| self.emails.primary().map(crate::value::Email::as_str))
            .or_else(|| self.phones.primary().map(crate::value::Phone::as_str))
    }

    /// The rules that hold for every contact.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.display_name().is_none() {
            let message = "a contact needs a name, an e-mail or a phone";
            broken.push(Violation::new("name", ViolationCode::Required, message));
        }
        broken.extend(text_violations(&[
            ("job_title", &self.job_title, MAX_LINE),
            ("description", &self.description, MAX_TEXT_BYTES),
        ]));
        broken
    }
}

/// A stored contact. What it belongs to is said by [`Link`](super::Link)s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The id.
    pub id: ContactId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What callers may set.
    pub fields: ContactFields,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}
