//! Opportunities: what an account may buy (S1.06, S1.07), and the two ways in which one ends.

mod place;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Violation, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, LostReasonId, OpportunityId, Revision, SourceId, UserId};
use crate::time::{Date, Timestamp};
use crate::value::{Currency, clean_text};

use super::child::{Placement, Tab};
use super::coded::coded;
use super::custom_value::{CustomKey, CustomValue, CustomValues};
use super::given_number::Serial;
use super::journal::Actor;
use super::lead::{MAX_AMOUNT, MAX_LINE};
use super::line::{Line, Totals};
use super::link::{Subject, SubjectKind};

pub use place::OpportunityPlace;

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 20_000;
/// The longest words about why one was lost, in characters.
pub(crate) const MAX_REASON: usize = 4_000;

coded! {
    /// How far an opportunity is. There are two ways in which it ends, and no third (S1.07).
    OpportunityState {
        /// Still to be won.
        Open = "open",
        /// They buy.
        Won = "won",
        /// They do not.
        Lost = "lost",
    }
}

impl OpportunityState {
    /// Whether it is still to be won.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }

    /// What the move to this state is called, in errors.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Open => "reopen",
            Self::Won => "win",
            Self::Lost => "lose",
        }
    }
}

/// What callers may set on an opportunity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpportunityFields {
    /// What it is called: 1 to 500 bytes.
    pub name: String,
    /// The user responsible; of a new one, whoever creates it where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// What it is worth, in [`currency`](Self::currency): up to 4 decimal places. Where there are lines, it is their net sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The currency of the amount and of all lines; of a new one, that of the account where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The chance to win it, in percent: 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<u8>,
    /// The day on which it may be won.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_close: Option<Date>,
    /// Where it came from; of a new one about a lead, the source of the lead where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// The campaign that brought it, as the host calls it, at most 500 characters; of a new one about a lead, that of the lead
    /// where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// What else there is to say, at most 20,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What they may buy: at most 1,000 lines, or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// The fields that the tenant added to opportunities.
    #[serde(skip_serializing_if = "CustomValues::is_empty")]
    pub custom: CustomValues,
}

impl OpportunityFields {
    /// Fields with this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Worth so much in this currency.
    #[must_use]
    pub const fn worth(mut self, amount: Decimal, currency: Currency) -> Self {
        self.amount = Some(amount);
        self.currency = Some(currency);
        self
    }

    /// With one more line.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// The fields as they are stored: numbers and lines in their plain form, no empty texts, and the net sum of the lines as
    /// the amount where there are any.
    ///
    /// # Errors
    /// Every broken rule, of texts, numbers and lines.
    pub fn settle(mut self) -> Result<(Self, Totals), Vec<Violation>> {
        self.name = self.name.trim().to_owned();
        for text in [&mut self.campaign, &mut self.description] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        self.lines = self.lines.into_iter().map(Line::plain).collect();
        let mut broken = self.broken();
        match Totals::of(&self.lines, self.currency) {
            Ok(totals) if broken.is_empty() => {
                let worth = if self.lines.is_empty() { self.amount } else { Some(totals.net) };
                self.amount = worth.map(|amount| amount.normalize());
                return Ok((self, totals));
            }
            Ok(_) => {}
            Err(error) => broken.extend(error.violations().iter().cloned()),
        }
        Err(broken)
    }

    fn broken(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.name.is_empty() {
            let message = "an opportunity needs a name";
            broken.push(Violation::new("name", ViolationCode::Required, message));
        }
        let texts = [
            ("name", Some(&self.name), MAX_LINE),
            ("campaign", self.campaign.as_ref(), MAX_LINE),
            ("description", self.description.as_ref(), MAX_DESCRIPTION),
        ];
        for (field, text, most) in texts {
            if let Some(Err(error)) = text.map(|text| clean_text(text, most)) {
                broken.push(error.at(field));
            }
        }
        let fits =
            |amount: Decimal| amount.normalize().scale() <= 4 && amount.abs() < Decimal::from(MAX_AMOUNT);
        if self.amount.is_some_and(|amount| !fits(amount)) {
            let message = "an amount has at most 4 decimal places and lies below 100 trillion";
            broken.push(Violation::new("amount", ViolationCode::OutOfRange, message));
        }
        if self.probability.is_some_and(|percent| percent > 100) {
            broken.push(Violation::new("probability", ViolationCode::OutOfRange, "must lie in 0 to 100"));
        }
        broken
    }

    /// Whether both are worth the same, as likely and as soon: what is fixed once it is won or lost.
    #[must_use]
    pub fn is_worth_the_same(&self, other: &Self) -> bool {
        let worth = |fields: &Self| {
            let amount = fields.amount.map(|amount| amount.normalize());
            (amount, fields.currency, fields.probability, fields.expected_close)
        };
        worth(self) == worth(other) && self.lines == other.lines
    }
}

/// What changes of an opportunity: what is not named stays, an inner `None` clears. As JSON, `null` clears.
///
/// ```
/// use leadcore::domain::{OpportunityFields, OpportunityPatch};
/// let mut fields = OpportunityFields { probability: Some(40), ..OpportunityFields::named("Roof") };
/// OpportunityPatch::new().name("Roof of panels").probability(None).apply(&mut fields);
/// assert_eq!((fields.name.as_str(), fields.probability), ("Roof of panels", None));
/// let json: OpportunityPatch = serde_json::from_str(r#"{"amount": null, "probability": 60}"#).unwrap();
/// assert_eq!(json, OpportunityPatch::new().amount(None).probability(Some(60)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpportunityPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    owner: Option<Option<UserId>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    amount: Option<Option<Decimal>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    currency: Option<Option<Currency>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    probability: Option<Option<u8>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    expected_close: Option<Option<Date>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    source: Option<Option<SourceId>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    campaign: Option<Option<String>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<Line>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom: BTreeMap<CustomKey, Option<CustomValue>>,
}

/// A field that is named at all, also as `null`.
pub(super) fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// The setters of a patch, and how it is applied to the fields.
macro_rules! patches {
    ($patch:ident of $fields:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }) => {
        impl $patch {
            /// Changes nothing.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $($(#[$doc])*
            #[must_use]
            pub fn $field(mut self, value: $type) -> Self {
                self.$field = Some(value);
                self
            })+

            /// The names of the fields that it names.
            #[must_use]
            pub fn names(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if self.$field.is_some() {
                    names.push(stringify!($field));
                })+
                names
            }
        }
    };
}
pub(super) use patches;

patches! {
    OpportunityPatch of OpportunityFields {
        /// Sets or clears the owner.
        owner: Option<UserId>,
        /// Sets or clears the amount. Where there are lines, it is their net sum whatever is said here.
        amount: Option<Decimal>,
        /// Sets or clears the currency.
        currency: Option<Currency>,
        /// Sets or clears the chance to win it, in percent.
        probability: Option<u8>,
        /// Sets or clears the day on which it may be won.
        expected_close: Option<Date>,
        /// Sets or clears where it came from.
        source: Option<SourceId>,
        /// Sets or clears the campaign.
        campaign: Option<String>,
        /// Sets or clears what else there is to say.
        description: Option<String>,
        /// Sets all lines.
        lines: Vec<Line>,
    }
}

impl OpportunityPatch {
    /// Sets the name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Sets or clears a field that the tenant added. A value is read by [`Catalogue::usable`](super::Catalogue::usable) and
    /// [`CustomField::parse`](super::CustomField::parse).
    #[must_use]
    pub fn custom(mut self, key: CustomKey, value: Option<CustomValue>) -> Self {
        self.custom.insert(key, value);
        self
    }

    /// The fields of the tenant that it names.
    pub fn custom_keys(&self) -> impl Iterator<Item = &CustomKey> {
        self.custom.keys()
    }

    /// Writes what is named into these fields.
    pub fn apply(&self, fields: &mut OpportunityFields) {
        fn set<T: Clone>(field: &mut T, named: Option<&T>) {
            if let Some(value) = named {
                field.clone_from(value);
            }
        }
        set(&mut fields.name, self.name.as_ref());
        set(&mut fields.owner, self.owner.as_ref());
        set(&mut fields.amount, self.amount.as_ref());
        set(&mut fields.currency, self.currency.as_ref());
        set(&mut fields.probability, self.probability.as_ref());
        set(&mut fields.expected_close, self.expected_close.as_ref());
        set(&mut fields.source, self.source.as_ref());
        set(&mut fields.campaign, self.campaign.as_ref());
        set(&mut fields.description, self.description.as_ref());
        set(&mut fields.lines, self.lines.as_ref());
        for (key, value) in &self.custom {
            match value {
                Some(value) => fields.custom.insert(key.clone(), value.clone()),
                None => fields.custom.remove(key),
            };
        }
    }
}

/// How an opportunity ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpportunityEnd {
    /// The day on which it was won or lost.
    pub on: Date,
    /// Why it was lost, by the tenant's list of reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<LostReasonId>,
    /// Why it was lost, in words: at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A stored opportunity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opportunity {
    /// The id.
    pub id: OpportunityId,
    /// Its number in the tenant's series: see [`Numbering`](super::Numbering) for how people read it.
    pub number: u64,
    /// The series that the number is of, where it is not the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The account that it belongs to: there is none without.
    pub account: AccountId,
    /// The account, and the persons that it is about: 1 to 20 records.
    pub about: Vec<Subject>,
    /// What callers may set.
    pub fields: OpportunityFields,
    /// What its lines add up to; zeros where it has none.
    pub totals: Totals,
    /// Open, won or lost.
    pub state: OpportunityState,
    /// How it ended; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<OpportunityEnd>,
    /// The lead that it was made of; of one that was made of an account, the first that joined it. It counts for that lead, which
    /// may be gone since. Of one whose conversion was taken back a store keeps the nil id, which is no lead's: it counts for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_lead: Option<LeadId>,
    /// Who created it.
    pub created_by: Actor,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Opportunity {
    /// Kept as the lead of one that counts for none, not even for the first lead of its account.
    pub(crate) const NOBODY: LeadId = LeadId::from_uuid(uuid::Uuid::nil());

    /// What it is about: the account first, then the persons, each once.
    #[must_use]
    pub fn about(account: AccountId, contacts: &[ContactId]) -> Vec<Subject> {
        let mut about = vec![Subject::from(account)];
        for contact in contacts.iter().copied().map(Subject::from) {
            if !about.contains(&contact) {
                about.push(contact);
            }
        }
        about
    }

    /// The persons that it is about.
    pub fn contacts(&self) -> impl Iterator<Item = ContactId> {
        let persons = self.about.iter().filter(|subject| subject.kind == SubjectKind::Contact);
        persons.map(|subject| ContactId::from_uuid(subject.id))
    }

    /// The chance that it brings something, in percent: all of what was won, nothing of what was lost, and what its
    /// probability says while it is open.
    #[must_use]
    pub const fn chance(&self) -> Option<u8> {
        match self.state {
            OpportunityState::Open => self.fields.probability,
            OpportunityState::Won => Some(100),
            OpportunityState::Lost => Some(0),
        }
    }

    /// The day that it is listed under: when it ended, else when it may be won; the last day that there is for one that does
    /// not say.
    #[must_use]
    pub fn day(&self) -> Date {
        self.end.as_ref().map(|end| end.on).or(self.fields.expected_close).unwrap_or(Date::MAX)
    }

    /// Its place in the list of all.
    #[must_use]
    pub fn place(&self) -> OpportunityPlace {
        OpportunityPlace { day: self.day(), id: self.id }
    }

    /// Where it is shown: among the opportunities of the account, in the order in which they were made.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::Opportunity,
            at: self.created_at,
            is_open: self.state.is_open(),
            follow_up: None,
        }
    }

    /// An amount of it as people read it, with the symbol of its currency: `€ 1250.50`.
    #[must_use]
    pub fn show(&self, amount: Decimal) -> String {
        super::display::money(amount, self.fields.currency, None)
    }
}

#[cfg(test)]
mod tests;
