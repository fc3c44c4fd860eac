//! What accounts, contacts and opportunities are found by: when a lead may be one of them, by what their custom fields say, and by
//! what is said against reaching them.
//! Computed here, kept by stores as an index.

use crate::value::{
    Country, Email, Phone, TaxId, Website, company_cores, is_disposable_domain, is_shared_domain,
};

use super::account::{Account, AccountFields};
use super::contact::ContactFields;
use super::conversion_mapping::said_keys;
use super::custom_value::{CustomKey, CustomValues};
use super::keys::MatchKey;
use super::lead::LeadFields;
use super::opportunity::OpportunityFields;

/// The kinds of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BlockKind {
    /// The customer number.
    Number,
    /// A tax number: letters and digits.
    TaxId,
    /// An e-mail address in canonical form.
    Email,
    /// A phone number in E.164 without `+`, else its digits when there are seven.
    Phone,
    /// The core of a company's name: see [`company_cores`].
    Company,
    /// The domain of an e-mail address or web site, unless [many share it](is_shared_domain) or the
    /// address is a [throw-away](is_disposable_domain) one.
    Domain,
    /// A person's given and family name, folded.
    Person,
    /// A value of a field that the tenant added: the text of its [key](MatchKey::custom).
    Custom,
    /// A field that the tenant added, of which there is a value.
    Field,
    /// An address, a number or a name of a person that something is said against reaching: see
    /// [`Consent`](super::conversion_mapping::Consent).
    Said,
}

impl BlockKind {
    /// Every kind, strongest identity first.
    pub const ALL: [Self; 10] = [
        Self::Number,
        Self::TaxId,
        Self::Email,
        Self::Phone,
        Self::Company,
        Self::Domain,
        Self::Person,
        Self::Custom,
        Self::Field,
        Self::Said,
    ];

    /// Stable name, as stored: `number`, `tax_id`, `email` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::TaxId => "tax_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Company => "company",
            Self::Domain => "domain",
            Self::Person => "person",
            Self::Custom => "custom",
            Self::Field => "field",
            Self::Said => "said",
        }
    }
}

/// One key: records that share it may be the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey {
    /// What kind of key.
    pub kind: BlockKind,
    /// The key itself; never empty.
    pub key: String,
}

impl BlockKey {
    /// A key of this kind; none for a blank one.
    #[must_use]
    pub fn new(kind: BlockKind, key: impl Into<String>) -> Option<Self> {
        let key = key.into();
        (!key.is_empty()).then_some(Self { kind, key })
    }

    /// What records are found by that have a value of this custom field.
    #[must_use]
    pub fn with_value(field: &CustomKey) -> Self {
        Self { kind: BlockKind::Field, key: field.as_str().to_owned() }
    }

    /// What records are found by that have this value of a custom field; none where the key is no such key.
    #[must_use]
    pub fn of_custom(key: &MatchKey) -> Option<Self> {
        key.as_custom().map(|_| Self { kind: BlockKind::Custom, key: key.key.clone() })
    }

    fn email(email: &Email) -> Option<Self> {
        Self::new(BlockKind::Email, email.canonical())
    }

    fn phone(phone: &Phone) -> Option<Self> {
        let key = phone.match_key()?;
        Self::new(BlockKind::Phone, key.trim_start_matches('+'))
    }

    fn domain(domain: &str) -> Option<Self> {
        if is_shared_domain(domain) { None } else { Self::new(BlockKind::Domain, domain) }
    }
}

impl LeadFields {
    /// What an account of this lead's company would be found by, strongest kind first, without repeats.
    #[must_use]
    pub fn account_keys(&self) -> Vec<BlockKey> {
        let name = self.company.as_deref().or(match self.kind {
            super::lead::LeadKind::Consumer => self.display_name(),
            super::lead::LeadKind::Company => None,
        });
        let mut keys = reach_keys(self);
        keys.extend(domains(self));
        keys.extend(name.into_iter().flat_map(company_keys));
        keys.extend(self.tax_id.iter().flat_map(|id| tax_keys(id, self.address.country())));
        sorted(keys)
    }

    /// What a contact of this lead's person would be found by.
    #[must_use]
    pub fn contact_keys(&self) -> Vec<BlockKey> {
        let mut keys = reach_keys(self);
        let person = self.person.as_ref();
        keys.extend(person.and_then(|person| BlockKey::new(BlockKind::Person, person.match_key())));
        sorted(keys)
    }
}

impl AccountFields {
    /// What the account is found by, but for its number, strongest kind first, without repeats.
    #[must_use]
    pub fn block_keys(&self) -> Vec<BlockKey> {
        let fields = self.as_lead_fields();
        let mut keys = fields.account_keys();
        // The name of a consumer is in the same place.
        keys.extend(company_keys(&self.name));
        keys.extend(custom_keys(&self.custom));
        sorted(keys)
    }
}

impl Account {
    /// Everything that the account is found by. One that is archived is nobody that a lead may be: only its custom fields find it,
    /// for whoever changes or removes such a field.
    #[must_use]
    pub fn block_keys(&self) -> Vec<BlockKey> {
        let mut keys = self.fields.block_keys();
        keys.extend(BlockKey::new(BlockKind::Number, self.number.to_string()));
        if self.archived.is_some() {
            keys.retain(|key| matches!(key.kind, BlockKind::Custom | BlockKind::Field));
        }
        sorted(keys)
    }
}

impl ContactFields {
    /// What the contact is found by, strongest kind first, without repeats.
    #[must_use]
    pub fn block_keys(&self) -> Vec<BlockKey> {
        let mut keys = self.as_lead_fields().contact_keys();
        keys.extend(custom_keys(&self.custom));
        keys.extend(said_keys(self));
        sorted(keys)
    }
}

impl OpportunityFields {
    /// What the opportunity is found by: its custom fields.
    #[must_use]
    pub fn block_keys(&self) -> Vec<BlockKey> {
        sorted(custom_keys(&self.custom).collect())
    }
}

fn custom_keys(values: &CustomValues) -> impl Iterator<Item = BlockKey> + '_ {
    values.iter().flat_map(|(field, value)| {
        let values = value.forms().into_iter().filter_map(|form| MatchKey::custom(field, &form));
        let values = values.map(|key| BlockKey { kind: BlockKind::Custom, key: key.key });
        values.chain([BlockKey::with_value(field)]).collect::<Vec<_>>()
    })
}

fn reach_keys(fields: &LeadFields) -> Vec<BlockKey> {
    let emails = fields.emails.iter().filter_map(BlockKey::email);
    emails.chain(fields.phones.iter().filter_map(BlockKey::phone)).collect()
}

/// Domains of e-mail addresses and of the web site.
fn domains(fields: &LeadFields) -> impl Iterator<Item = BlockKey> + '_ {
    // A throw-away address says nothing of where somebody works; a web site there is still one company's.
    let of_mail =
        fields.emails.iter().map(Email::canonical_domain).filter(|domain| !is_disposable_domain(domain));
    of_mail.chain(fields.website.as_ref().map(Website::host)).filter_map(BlockKey::domain)
}

fn company_keys(name: &str) -> impl Iterator<Item = BlockKey> {
    company_cores(name).into_iter().filter_map(|core| BlockKey::new(BlockKind::Company, core))
}

/// The number as it is written, as its country tells it from those of others, and without its country: somebody may not have said
/// one. Nothing of what stands for no number.
fn tax_keys(id: &TaxId, country: Option<Country>) -> impl Iterator<Item = BlockKey> {
    let id = Some(id).filter(|id| !id.is_placeholder());
    let keys = id.map(|id| [Some(id.match_key()), id.match_key_in(country), Some(id.bare_key(country))]);
    keys.into_iter().flatten().flatten().filter_map(|key| BlockKey::new(BlockKind::TaxId, key))
}

fn sorted(mut keys: Vec<BlockKey>) -> Vec<BlockKey> {
    keys.sort();
    keys.dedup();
    keys
}
