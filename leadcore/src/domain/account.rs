//! Accounts: the customers that leads become (S1.15, S4.05), and those that were there before.

use serde::{Deserialize, Serialize};

use crate::error::{Violation, ViolationCode};
use crate::id::{AccountId, CategoryId, Revision, UserId};
use crate::time::Timestamp;
use crate::value::{Address, Currency, MAX_TEXT_BYTES, TaxId, Website};

use super::custom_value::{CustomKey, CustomValues};
use super::field::Field;
use super::given_number::{NumberPlace, Serial};
use super::journal::FieldChange;
use super::lead::{LeadFields, LeadKind, MAX_LINE, MAX_SYMBOL, Trashed, text_violations};
use super::reach::{Emails, Phones};
use super::rewind::{Kept, Refuse, Rewound, WhyKept, rewind_fields};

/// What the journal calls a change of the [status](AccountFields::status); it is no field of a lead.
pub(super) const STATUS: &str = "status";

/// Whether the account buys already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountStatus {
    /// Qualified, not yet buying (S4.08).
    Prospect,
    /// A customer.
    #[default]
    Customer,
}

impl AccountStatus {
    /// Stable name, as stored: `prospect` or `customer`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Prospect => "prospect",
            Self::Customer => "customer",
        }
    }

    /// The status with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Prospect, Self::Customer].into_iter().find(|status| status.code() == code)
    }
}

/// Everything a caller may set on an account: the shape of a lead's own data (S2.15).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountFields {
    /// Company or consumer.
    pub kind: LeadKind,
    /// Company name, or the person's for a consumer. Must not be empty.
    pub name: String,
    /// Whether it buys already.
    pub status: AccountStatus,
    /// E-mail addresses, the first one primary.
    pub emails: Emails,
    /// Phone numbers, the first one primary.
    pub phones: Phones,
    /// Web site.
    pub website: Option<Website>,
    /// Street, city, state, zip code, country.
    pub address: Address,
    /// Tax number.
    pub tax_id: Option<TaxId>,
    /// The currency it trades in.
    pub currency: Option<Currency>,
    /// Overrides the currency's own symbol.
    pub currency_symbol: Option<String>,
    /// Line of business.
    pub industry: Option<String>,
    /// Anything else worth knowing.
    pub description: Option<String>,
    /// The user responsible.
    pub owner: Option<UserId>,
    /// Industry or type.
    pub category: Option<CategoryId>,
    /// The fields that the tenant added to accounts.
    #[serde(skip_serializing_if = "CustomValues::is_empty")]
    pub custom: CustomValues,
}

impl AccountFields {
    /// The lead fields that an account has too. Its name is the company's, or the person's for a consumer.
    pub const FIELDS: [Field; 17] = [
        Field::Kind,
        Field::Company,
        Field::Email,
        Field::Phone,
        Field::Website,
        Field::Street,
        Field::City,
        Field::Region,
        Field::PostalCode,
        Field::Country,
        Field::TaxId,
        Field::Currency,
        Field::CurrencySymbol,
        Field::Industry,
        Field::Description,
        Field::Owner,
        Field::Category,
    ];

    /// The same data as fields of a lead: one description of fields serves both.
    #[must_use]
    pub fn as_lead_fields(&self) -> LeadFields {
        LeadFields {
            kind: self.kind,
            company: (!self.name.is_empty()).then(|| self.name.clone()),
            emails: self.emails.clone(),
            phones: self.phones.clone(),
            website: self.website.clone(),
            address: self.address.clone(),
            tax_id: self.tax_id.clone(),
            currency: self.currency,
            currency_symbol: self.currency_symbol.clone(),
            industry: self.industry.clone(),
            description: self.description.clone(),
            owner: self.owner.clone(),
            category: self.category,
            custom: self.custom.clone(),
            ..LeadFields::default()
        }
    }

    /// Empties the fields that `hide` names.
    #[must_use]
    pub fn without(self, hide: impl Fn(&Field) -> bool) -> Self {
        self.keeping(&Self::default(), hide)
    }

    /// Takes the fields that `keep` names from `stored`.
    ///
    /// ```
    /// use leadcore::domain::{AccountFields, Field};
    /// let stored = AccountFields { phones: "+47 22 22 22 22".parse()?, ..AccountFields::default() };
    /// let edited = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
    /// let written = edited.keeping(&stored, |field| *field == Field::Phone);
    /// assert_eq!((written.name.as_str(), written.phones), ("Nordlys AS", stored.phones));
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn keeping(mut self, stored: &Self, keep: impl Fn(&Field) -> bool) -> Self {
        let mut parts = LeadFields { address: self.address.clone(), ..LeadFields::default() };
        let known = LeadFields { address: stored.address.clone(), ..LeadFields::default() };
        for field in Self::FIELDS.iter().filter(|field| keep(field)) {
            match field {
                Field::Kind => self.kind = stored.kind,
                Field::Company => self.name.clone_from(&stored.name),
                Field::Email => self.emails.clone_from(&stored.emails),
                Field::Phone => self.phones.clone_from(&stored.phones),
                Field::Website => self.website.clone_from(&stored.website),
                Field::TaxId => self.tax_id.clone_from(&stored.tax_id),
                Field::Currency => self.currency = stored.currency,
                Field::CurrencySymbol => self.currency_symbol.clone_from(&stored.currency_symbol),
                Field::Industry => self.industry.clone_from(&stored.industry),
                Field::Description => self.description.clone_from(&stored.description),
                Field::Owner => self.owner.clone_from(&stored.owner),
                Field::Category => self.category = stored.category,
                part => {
                    // A part of an address takes what the same part of another one holds.
                    let _ = part.write(&mut parts, &part.read_fields(&known));
                }
            }
        }
        self.address = parts.address;
        let kept = |key: &CustomKey| keep(&Field::Custom(key.clone()));
        self.custom.retain(|key, _| !kept(key));
        let stored = stored.custom.iter().filter(|(key, _)| kept(key));
        self.custom.extend(stored.map(|(key, value)| (key.clone(), value.clone())));
        self
    }

    /// The way back from [`as_lead_fields`](Self::as_lead_fields), which knows no status.
    pub(super) fn from_lead_fields(fields: LeadFields, status: AccountStatus) -> Self {
        Self {
            kind: fields.kind,
            name: fields.company.unwrap_or_default(),
            status,
            emails: fields.emails,
            phones: fields.phones,
            website: fields.website,
            address: fields.address,
            tax_id: fields.tax_id,
            currency: fields.currency,
            currency_symbol: fields.currency_symbol,
            industry: fields.industry,
            description: fields.description,
            owner: fields.owner,
            category: fields.category,
            custom: fields.custom,
        }
    }

    /// Writes the values before, field by field, where there still is the value after: as [`rewind`](super::rewind)
    /// does for a lead.
    pub(crate) fn rewind(&mut self, changes: &[FieldChange], refuse: &Refuse<'_>) -> Rewound {
        let (status, others): (Vec<_>, Vec<_>) =
            changes.iter().cloned().partition(|change| change.field == STATUS);
        let mut fields = self.as_lead_fields();
        let mut done = rewind_fields(&mut fields, &others, refuse);
        let mut status_now = self.status;
        for change in status {
            let before = change.before.as_text().and_then(AccountStatus::from_code);
            match before.filter(|_| change.after.as_text() == Some(status_now.code())) {
                Some(before) => {
                    status_now = before;
                    done.reversed.push(change.field);
                }
                None => done.kept.push(Kept { field: change.field, why: WhyKept::Edited }),
            }
        }
        *self = Self::from_lead_fields(fields, status_now);
        done
    }

    /// The rules that hold for every account.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.name.trim().is_empty() {
            broken.push(Violation::new("account.name", ViolationCode::Required, "an account needs a name"));
        }
        let name = (!self.name.trim().is_empty()).then(|| self.name.clone());
        broken.extend(text_violations(&[
            ("account.name", &name, MAX_LINE),
            ("account.currency_symbol", &self.currency_symbol, MAX_SYMBOL),
            ("account.industry", &self.industry, MAX_LINE),
            ("account.description", &self.description, MAX_TEXT_BYTES),
        ]));
        broken
    }
}

/// A stored account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The id.
    pub id: AccountId,
    /// The customer number: unique in its series.
    pub number: u64,
    /// The series and the written number, for one of another series than the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What callers may set.
    pub fields: AccountFields,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// Set once it was deleted, or what made it was taken back, a conversion or another operation: it keeps its number and is in
    /// no list and no match any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<Trashed>,
}

impl Account {
    /// Its place in the list by number.
    #[must_use]
    pub const fn place(&self) -> NumberPlace {
        NumberPlace { number: self.number, id: self.id.as_uuid() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CustomValue;

    #[test]
    fn what_is_hidden_is_empty_and_the_rest_stays() {
        let key: CustomKey = "x_code".parse().unwrap();
        let mut whole = AccountFields {
            kind: LeadKind::Consumer,
            name: "Anna Berg".to_owned(),
            status: AccountStatus::Prospect,
            emails: "anna@nordlys.example".parse().unwrap(),
            phones: "+47 22 22 22 22".parse().unwrap(),
            tax_id: Some("NO 1".parse().unwrap()),
            industry: Some("Light".to_owned()),
            ..AccountFields::default()
        };
        whole.custom.insert(key.clone(), CustomValue::Text("A-1".to_owned()));
        let mut lead = whole.as_lead_fields();
        for (field, value) in [(Field::City, "Oslo"), (Field::Street, "Storgata 1"), (Field::Country, "NO")] {
            field.write(&mut lead, &value.into()).unwrap();
        }
        whole.address = lead.address;
        let mut fields = AccountFields::FIELDS.to_vec();
        fields.push(Field::Custom(key));
        for hidden in &fields {
            let shown = whole.clone().without(|field| field == hidden);
            for field in &fields {
                let read = |of: &AccountFields| field.read_fields(&of.as_lead_fields());
                let wanted = if field == hidden { read(&AccountFields::default()) } else { read(&whole) };
                assert_eq!(read(&shown), wanted, "{field} without {hidden}");
            }
            assert_eq!(shown.status, AccountStatus::Prospect);
        }
        let status = AccountFields { status: AccountStatus::Prospect, ..AccountFields::default() };
        assert_eq!(whole.without(|_| true), status);
    }
}
