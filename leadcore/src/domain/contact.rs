//! Contacts: the persons of a lead company, and after conversion of the account (S0.24).

use serde::{Deserialize, Serialize};

use crate::error::{Violation, ViolationCode};
use crate::id::{ContactId, Revision};
use crate::time::Timestamp;
use crate::value::{MAX_TEXT_BYTES, PersonName};

use super::custom_value::{CustomKey, CustomValues};
use super::field::Field;
use super::field_value::FieldValue;
use super::journal::FieldChange;
use super::lead::LeadFields;
use super::lead::{MAX_LINE, text_violations};
use super::reach::{Emails, Phones};
use super::reach_mark::MarkNote;
use super::rewind::{Kept, Refuse, Rewound, WhyKept, plain, rewind_fields};
use super::together::{is_repeated, units};

/// Everything a caller may set on a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactFields {
    /// The person's name.
    pub name: Option<PersonName>,
    /// Position in the company.
    pub job_title: Option<String>,
    /// What part the person has in the deal: "Decision maker". Seen by whoever may see the job title.
    pub role: Option<String>,
    /// E-mail addresses, the first one primary.
    pub emails: Emails,
    /// Phone numbers, the first one primary.
    pub phones: Phones,
    /// The person must not be called, by whatever number, and why (X.39). Seen by whoever may see the phones.
    pub do_not_call: Option<MarkNote>,
    /// Anything else worth knowing.
    pub description: Option<String>,
    /// The fields that the tenant added to contacts.
    #[serde(skip_serializing_if = "CustomValues::is_empty")]
    pub custom: CustomValues,
}

/// What the journal calls the fields that no lead has.
const ROLE: &str = "role";
pub(super) const NO_CALLS: &str = "do_not_call";
pub(super) const NO_CALLS_SINCE: &str = "do_not_call_since";
pub(super) const NO_CALLS_REASON: &str = "do_not_call_reason";

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
            custom: self.custom.clone(),
            ..LeadFields::default()
        }
    }

    /// The lead field that decides who may see what the journal calls so, and what people call it: for the fields that
    /// only contacts have.
    #[must_use]
    pub(crate) fn own_field(key: &str) -> Option<(Field, &'static str)> {
        match key {
            ROLE => Some((Field::JobTitle, "Role")),
            NO_CALLS => Some((Field::Phone, "Do not call")),
            NO_CALLS_SINCE => Some((Field::Phone, "Do not call since")),
            NO_CALLS_REASON => Some((Field::Phone, "Do not call because")),
            _ => None,
        }
    }

    /// Every field that only contacts have, before and after, also where it is the same.
    pub(super) fn own_changes(&self, after: &Self) -> Vec<FieldChange> {
        let change =
            |key: &str, read: &dyn Fn(&Self) -> FieldValue| FieldChange::new(key, read(self), read(after));
        let note = |fields: &Self| fields.do_not_call.clone().unwrap_or_default();
        vec![
            change(ROLE, &|fields| fields.role.as_deref().into()),
            change(NO_CALLS, &|fields| fields.do_not_call.is_some().into()),
            change(NO_CALLS_SINCE, &|fields| note(fields).since().map(FieldValue::Time).unwrap_or_default()),
            change(NO_CALLS_REASON, &|fields| note(fields).reason().into()),
        ]
    }

    /// Writes the values before, field by field, where there still is the value after: as
    /// [`rewind`](super::rewind) does for a lead.
    pub(crate) fn rewind(&mut self, changes: &[FieldChange], refuse: &Refuse<'_>) -> Rewound {
        let (own, others): (Vec<_>, Vec<_>) =
            changes.iter().cloned().partition(|change| Self::own_field(&change.field).is_some());
        let mut fields = self.as_lead_fields();
        let mut done = rewind_fields(&mut fields, &others, refuse);
        self.name = fields.person;
        self.job_title = fields.job_title;
        self.emails = fields.emails;
        self.phones = fields.phones;
        self.description = fields.description;
        self.custom = fields.custom;
        for unit in units(&own).into_values() {
            let names = unit.iter().map(|change| change.field.clone());
            match self.take_back(&unit, refuse) {
                None => done.reversed.extend(names),
                Some(why) => done.kept.extend(names.map(|field| Kept { field, why })),
            }
        }
        done
    }

    /// Takes back what no lead has, or says why it is kept.
    fn take_back(&mut self, unit: &[&FieldChange], refuse: &Refuse<'_>) -> Option<WhyKept> {
        if is_repeated(unit) {
            return None;
        }
        let now = self.own_changes(self);
        for change in unit {
            let field = Self::own_field(&change.field).map(|(field, _)| field)?;
            let refused = refuse(change, &field);
            if refused == Some(WhyKept::NotAllowed) {
                return refused;
            }
            let is = now.iter().find(|known| known.field == change.field).map(|known| plain(&known.after));
            if is != Some(plain(&change.after)) {
                return Some(WhyKept::Edited);
            }
            if refused.is_some() {
                return refused;
            }
        }
        let before = |key: &str| {
            let changed = unit.iter().find(|change| change.field == key).map(|change| &change.before);
            let kept = now.iter().find(|known| known.field == key).map(|known| &known.after);
            changed.or(kept).cloned().unwrap_or_default()
        };
        if unit.iter().any(|change| change.field == ROLE) {
            self.role = before(ROLE).as_text().map(str::to_owned);
            return None;
        }
        if before(NO_CALLS) != FieldValue::Bool(true) {
            self.do_not_call = None;
            return None;
        }
        let since = match before(NO_CALLS_SINCE) {
            FieldValue::Time(at) => Some(at),
            other => other.as_text().and_then(|text| text.parse().ok()),
        };
        match MarkNote::new(since, before(NO_CALLS_REASON).as_text()) {
            Ok(note) => self.do_not_call = Some(note),
            Err(_) => return Some(WhyKept::Unsupported),
        }
        None
    }

    /// The way back from [`as_lead_fields`](Self::as_lead_fields); what no lead has stays.
    #[must_use]
    pub(super) fn with_lead_fields(self, fields: LeadFields) -> Self {
        Self {
            name: fields.person,
            job_title: fields.job_title,
            emails: fields.emails,
            phones: fields.phones,
            description: fields.description,
            custom: fields.custom,
            ..self
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
                Field::JobTitle => {
                    self.job_title.clone_from(&stored.job_title);
                    self.role.clone_from(&stored.role);
                }
                Field::Email => self.emails.clone_from(&stored.emails),
                Field::Phone => {
                    self.phones.clone_from(&stored.phones);
                    self.do_not_call.clone_from(&stored.do_not_call);
                }
                _ => self.description.clone_from(&stored.description),
            }
        }
        let kept = |key: &CustomKey| keep(&Field::Custom(key.clone()));
        self.custom.retain(|key, _| !kept(key));
        let stored = stored.custom.iter().filter(|(key, _)| kept(key));
        self.custom.extend(stored.map(|(key, value)| (key.clone(), value.clone())));
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
            ("role", &self.role, MAX_LINE),
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
