//! Which accounts and contacts a lead may be (X.02, X.04): what speaks for each, how much, and in which order.
//!
//! A [`Probe`] is what is known of a lead; [`Probe::account`] and [`Probe::contact`] judge one record by it and give a
//! [`Candidate`] with every piece of evidence. [`rank`] puts candidates in an order that nothing but they decide, and
//! [`Matches::account`] and [`Matches::contact`] choose by a [`MatchPolicy`]: two that are as good as each other are an error, never
//! a guess.

use serde::{Deserialize, Serialize};

use crate::domain::{Account, BlockKey, BlockKind, Contact, ContactFields, LeadFields};
use crate::error::Result;
use crate::id::{AccountId, ContactId, UserId};
use crate::value::{Country, TaxId};

mod choice;

use choice::{Unseen, choose};

/// What two records have in common, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvidenceKind {
    /// The customer number that was given.
    Number,
    /// The tax number, of the same country as far as both say one.
    TaxId,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// The name of the company, without its legal form.
    Company,
    /// A person of the account has the lead's e-mail or phone.
    ContactOfAccount,
    /// The domain of an e-mail address or the web site.
    Domain,
    /// The name of the person.
    Person,
    /// The customer number that was given, which other accounts have too, in other series.
    NumberOfSeveral,
    /// Both have a tax number, and another one: this speaks against it.
    OtherTaxId,
}

impl EvidenceKind {
    /// How much it counts, 0 to 100; what speaks against counts nothing and limits the score.
    ///
    /// | evidence | weight |
    /// |---|---|
    /// | customer number | 100 |
    /// | tax number | 95 |
    /// | e-mail | 90 |
    /// | company | 70 |
    /// | phone | 60 |
    /// | a contact of the account | 60 |
    /// | domain | 50 |
    /// | name of a person | 40 |
    /// | a customer number that several have, each in a series of its own | 40 |
    ///
    /// The order follows the thresholds of Salesforce's standard rules (e-mail 100, company 70, names 85 to 90 only together
    /// with something else; help page of 2016); a name of a person alone says little.
    #[must_use]
    pub const fn weight(self) -> u8 {
        match self {
            Self::Number => 100,
            Self::TaxId => 95,
            Self::Email => 90,
            Self::Company => 70,
            Self::Phone | Self::ContactOfAccount => 60,
            Self::Domain => 50,
            Self::Person | Self::NumberOfSeveral => 40,
            Self::OtherTaxId => 0,
        }
    }

    /// None for what nobody is recognized by.
    const fn of(kind: BlockKind) -> Option<Self> {
        Some(match kind {
            BlockKind::Number => Self::Number,
            BlockKind::TaxId => Self::TaxId,
            BlockKind::Email => Self::Email,
            BlockKind::Phone => Self::Phone,
            BlockKind::Company => Self::Company,
            BlockKind::Domain => Self::Domain,
            BlockKind::Person => Self::Person,
            BlockKind::Custom | BlockKind::Field | BlockKind::Said => return None,
        })
    }
}

/// The score of a record with another tax number is at most this.
const OTHER_TAX_ID: u8 = 50;

/// One thing that speaks for a candidate, or against it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// What is the same: the key, not the way it is written. None where the actor may not see the field.
    pub value: Option<String>,
}

impl Evidence {
    /// This evidence.
    pub fn new(kind: EvidenceKind, value: impl Into<Option<String>>) -> Self {
        Self { kind, value: value.into() }
    }
}

/// A record that the lead may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate<I> {
    /// The record.
    pub id: I,
    /// What people call it.
    pub name: String,
    /// The customer number, of an account.
    pub number: Option<u64>,
    /// The accounts that it belongs to, of a contact.
    pub accounts: Vec<AccountId>,
    /// 0 to 100: 100 is certain.
    pub score: u8,
    /// What speaks for it, the strongest first; each kind once.
    pub evidence: Vec<Evidence>,
}

impl<I> Candidate<I> {
    fn new(id: I, name: String, number: Option<u64>, evidence: Vec<Evidence>) -> Option<Self> {
        let made = Self { id, name, number, accounts: Vec::new(), score: 0, evidence: Vec::new() };
        let made = made.with(evidence);
        (made.score > 0).then_some(made)
    }

    /// With more evidence; a kind that is there already counts once.
    #[must_use]
    pub fn with(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self.evidence.sort();
        self.evidence.dedup_by_key(|evidence| evidence.kind);
        self.score = score(&self.evidence);
        self
    }

    /// Whether an e-mail address or phone number is the same: not merely a name or the place of work.
    #[must_use]
    pub fn is_reached_alike(&self) -> bool {
        self.evidence.iter().any(|one| matches!(one.kind, EvidenceKind::Email | EvidenceKind::Phone))
    }
}

impl Candidate<ContactId> {
    /// A contact for which nothing of its own speaks.
    pub(crate) fn of_contact(contact: &Contact) -> Self {
        let name = contact.fields.display_name().unwrap_or_default().to_owned();
        Self { id: contact.id, name, number: None, accounts: Vec::new(), score: 0, evidence: Vec::new() }
    }
}

impl Candidate<AccountId> {
    /// An account for which nothing of its own speaks.
    pub(crate) fn of_account(account: &Account) -> Self {
        let (name, number) = (account.fields.name.clone(), Some(account.number));
        Self { id: account.id, name, number, accounts: Vec::new(), score: 0, evidence: Vec::new() }
    }
}

/// How sure pieces of evidence make it together, 0 to 100: the chance that all of them are accidents, taken from 100. More
/// evidence never makes it less, but for what speaks against.
///
/// ```
/// use leadcore::dedupe::matching::{Evidence, EvidenceKind, score};
/// let phone = Evidence::new(EvidenceKind::Phone, None);
/// let company = Evidence::new(EvidenceKind::Company, None);
/// assert_eq!((score(&[phone.clone()]), score(&[phone, company])), (60, 88));
/// ```
#[must_use]
pub fn score(evidence: &[Evidence]) -> u8 {
    // In millionths, so that the order of the evidence makes no difference that shows.
    let mut weights: Vec<_> = evidence.iter().map(|one| one.kind.weight()).collect();
    weights.sort_unstable();
    let accident = weights.into_iter().fold(1_000_000_u64, |chance, weight| {
        let other = u64::from(100_u8.saturating_sub(weight));
        chance.saturating_mul(other).checked_div(100).unwrap_or(0)
    });
    let sure = 1_000_000_u64.saturating_sub(accident).checked_div(10_000).unwrap_or(0);
    let sure = u8::try_from(sure).unwrap_or(100);
    let against = evidence.iter().any(|one| one.kind == EvidenceKind::OtherTaxId);
    if against { sure.min(OTHER_TAX_ID) } else { sure }
}

/// The best first; of those that are as sure, the one with the lower number, then by id.
pub fn rank<I: Ord>(candidates: &mut [Candidate<I>]) {
    candidates.sort_by(|one, other| {
        let place = |candidate: &Candidate<I>| (candidate.number.is_none(), candidate.number);
        other
            .score
            .cmp(&one.score)
            .then_with(|| place(one).cmp(&place(other)))
            .then_with(|| one.id.cmp(&other.id))
    });
}

/// What is known of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    account: Vec<BlockKey>,
    contact: Vec<BlockKey>,
    tax_id: Option<(TaxId, Option<Country>)>,
}

/// A number that speaks against another one: also one that is all the same digit, by which nobody is recognised.
fn other(id: Option<&TaxId>) -> Option<&TaxId> {
    let is_digit = |id: &TaxId| id.match_key().starts_with(|c: char| matches!(c, '1'..='9'));
    id.filter(|id| !id.is_placeholder() || is_digit(id))
}

impl Probe {
    /// What a lead says of itself.
    ///
    /// ```
    /// use leadcore::dedupe::matching::Probe;
    /// use leadcore::domain::{Emails, LeadFields};
    /// let emails = Emails::parse("anna@nordlys.example")?;
    /// let probe = Probe::of(&LeadFields { emails, ..LeadFields::company("Nordlys AS")? });
    /// let keys: Vec<_> = probe.account_keys().iter().map(|key| key.key.as_str()).collect();
    /// assert_eq!(keys, ["anna@nordlys.example", "nordlys", "nordlys.example"]);
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn of(lead: &LeadFields) -> Self {
        let (account, contact) = (lead.account_keys(), lead.contact_keys());
        let tax_id = other(lead.tax_id.as_ref()).map(|id| (id.clone(), lead.address.country()));
        Self { account, contact, tax_id }
    }

    /// With the customer number that somebody gave.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.account.extend(BlockKey::new(BlockKind::Number, number.to_string()));
        self.settled()
    }

    /// With the addresses and numbers of another person of the lead: they say which account it may be, not which contact.
    #[must_use]
    pub fn person(mut self, keys: impl IntoIterator<Item = BlockKey>) -> Self {
        self.account.extend(keys.into_iter().filter(|key| key.kind != BlockKind::Person));
        self.settled()
    }

    /// What a person that hangs on the lead says of itself: which contact it may be.
    #[must_use]
    pub fn of_person(person: &ContactFields) -> Self {
        Self { contact: person.as_lead_fields().contact_keys(), ..Self::default() }
    }

    fn settled(mut self) -> Self {
        self.account.sort();
        self.account.dedup();
        self
    }

    /// What accounts are looked for by.
    #[must_use]
    pub fn account_keys(&self) -> &[BlockKey] {
        &self.account
    }

    /// What contacts are looked for by.
    #[must_use]
    pub fn contact_keys(&self) -> &[BlockKey] {
        &self.contact
    }

    /// The account as a candidate, or none when nothing speaks for it.
    #[must_use]
    pub fn account(&self, account: &Account) -> Option<Candidate<AccountId>> {
        let mut evidence = common(&self.account, &account.block_keys());
        let fields = &account.fields;
        if let (Some((own, country)), Some(id)) = (&self.tax_id, other(fields.tax_id.as_ref())) {
            // Equal digits of two countries are no evidence.
            let is_same = own.is_same(*country, id, fields.address.country());
            evidence.retain(|one| one.kind != EvidenceKind::TaxId || is_same);
            let is_told = !own.is_placeholder() || !id.is_placeholder();
            if !is_same && is_told && !evidence.is_empty() {
                evidence.push(Evidence::new(EvidenceKind::OtherTaxId, None));
            }
        }
        Candidate::new(account.id, account.fields.name.clone(), Some(account.number), evidence)
    }

    /// The contact as a candidate, or none when nothing speaks for it.
    #[must_use]
    pub fn contact(&self, contact: &Contact) -> Option<Candidate<ContactId>> {
        let evidence = common(&self.contact, &contact.fields.block_keys());
        let name = contact.fields.display_name().unwrap_or_default().to_owned();
        Candidate::new(contact.id, name, None, evidence)
    }
}

/// The keys that both have, as evidence.
fn common(one: &[BlockKey], other: &[BlockKey]) -> Vec<Evidence> {
    let both = one.iter().filter(|key| other.contains(key));
    both.filter_map(|key| Some(Evidence::new(EvidenceKind::of(key.kind)?, key.key.clone()))).collect()
}

/// Who chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MatchPolicy {
    /// The caller: as soon as there is a candidate, it is an error that lists all of them.
    #[default]
    AskCaller,
    /// The best one that is at least so sure, 0 to 100; two that are as sure are an error, none is none.
    Best {
        /// The lowest score.
        at_least: u8,
    },
    /// Nobody: there is no match.
    Never,
}

/// A record that the actor may not see: that there is one, and whose it is, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Elsewhere {
    /// Whether it is an account; else it is a contact.
    pub is_account: bool,
    /// The user responsible; none where nobody is, or where the actor may not see owners.
    pub owner: Option<UserId>,
    /// How sure it is: never shown, but nothing that is less sure is chosen over it in silence.
    #[serde(skip)]
    pub(crate) score: u8,
}

impl Elsewhere {
    pub(crate) const fn new(is_account: bool, owner: Option<UserId>, score: u8) -> Self {
        Self { is_account, owner, score }
    }
}

/// Something that too many records have in common: only the first of them, by id, were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TooCommon {
    /// Whether it is about accounts; else it is about contacts.
    pub is_account: bool,
    /// What they have in common.
    pub kind: EvidenceKind,
    /// How many were looked at.
    pub looked_at: usize,
}

impl TooCommon {
    pub(crate) fn new(is_account: bool, kind: BlockKind, looked_at: usize) -> Option<Self> {
        EvidenceKind::of(kind).map(|kind| Self { is_account, kind, looked_at })
    }
}

/// Which contacts a person that hangs on the lead may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonMatches {
    /// The person.
    pub contact: ContactId,
    /// Contacts that the actor may see, without the lead's own, the best first.
    pub contacts: Vec<Candidate<ContactId>>,
    /// Records out of the actor's sight.
    pub elsewhere: Vec<Elsewhere>,
    /// What was cut short.
    #[serde(default)]
    pub too_common: Vec<TooCommon>,
}

impl PersonMatches {
    pub(crate) const fn new(
        contact: ContactId,
        contacts: Vec<Candidate<ContactId>>,
        elsewhere: Vec<Elsewhere>,
        too_common: Vec<TooCommon>,
    ) -> Self {
        Self { contact, contacts, elsewhere, too_common }
    }

    /// The contact that the policy chooses; an error calls the person `what`.
    pub(crate) fn choose(&self, what: &str, policy: MatchPolicy) -> Result<Option<ContactId>> {
        let hidden = (self.elsewhere.iter(), Unseen::of(&self.too_common, false));
        choose((what, "contact"), &self.contacts, hidden, policy, |id| id.as_uuid())
    }
}

/// Every account and contact that a lead may be, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Matches {
    /// Accounts that the actor may see.
    pub accounts: Vec<Candidate<AccountId>>,
    /// Contacts that the actor may see, without the lead's own.
    pub contacts: Vec<Candidate<ContactId>>,
    /// Records out of the actor's sight.
    pub elsewhere: Vec<Elsewhere>,
    /// What was cut short.
    pub too_common: Vec<TooCommon>,
    /// The same for each person that hangs on the lead and may be a contact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<PersonMatches>,
}

impl Matches {
    /// Whether nothing was found, in sight or out of it. What was not looked at does not count: see
    /// [`too_common`](Self::too_common).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
            && self.contacts.is_empty()
            && self.elsewhere.is_empty()
            && self.persons.is_empty()
    }

    /// The account that the policy chooses.
    ///
    /// # Errors
    /// `Conflict` with [`AmbiguousMatch`](crate::error::Conflict::AmbiguousMatch), which lists the accounts in question: when the caller
    /// has to choose, when two are as sure, or when one out of sight, or one that was [not looked at](Self::too_common), may be
    /// as sure.
    pub fn account(&self, policy: MatchPolicy) -> Result<Option<AccountId>> {
        let elsewhere = self.elsewhere.iter().filter(|other| other.is_account);
        let unseen = Unseen::of(&self.too_common, true);
        choose(("account", "account"), &self.accounts, (elsewhere, unseen), policy, |id| id.as_uuid())
    }

    /// The contact that the policy chooses.
    ///
    /// # Errors
    /// As [`account`](Self::account).
    pub fn contact(&self, policy: MatchPolicy) -> Result<Option<ContactId>> {
        let elsewhere = self.elsewhere.iter().filter(|other| !other.is_account);
        let unseen = Unseen::of(&self.too_common, false);
        choose(("contact", "contact"), &self.contacts, (elsewhere, unseen), policy, |id| id.as_uuid())
    }
}

#[cfg(test)]
mod tests;
