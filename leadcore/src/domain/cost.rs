//! What a source or campaign cost (S0.36): the other half of what it brought.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Violation, ViolationCode};
use crate::id::{CostId, Revision, SourceId};
use crate::time::{Date, Timestamp};
use crate::value::{Currency, clean_text, fold};

use super::field_value::FieldValue;
use super::journal::{Actor, FieldChange};
use super::lead::{MAX_AMOUNT, MAX_LINE};

/// The most days of one cost: ten years. A longer one is several.
pub const MAX_COST_DAYS: i64 = 3_653;
/// The longest note, in characters.
const MAX_NOTE: usize = 4_000;

/// What callers say of a cost: how much, for what, and for which days.
///
/// ```
/// use leadcore::domain::CostFields;
/// let fair = CostFields::new("1200.50".parse().unwrap(), "EUR".parse().unwrap(), "2026-03-01".parse().unwrap());
/// let fair = fair.until("2026-03-31".parse().unwrap()).campaign("Spring fair");
/// assert!(fair.settle().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostFields {
    /// The source that it was spent on; none for what belongs to no single one.
    #[serde(default)]
    pub source: Option<SourceId>,
    /// The campaign that it was spent on, as leads name it: at most 500 characters.
    #[serde(default)]
    pub campaign: Option<String>,
    /// How much, with as many decimal places as the currency has, 4 at most. Less than nothing is what was paid back.
    pub amount: Decimal,
    /// The currency of the amount.
    pub currency: Currency,
    /// The first day that it was spent for.
    pub first_day: Date,
    /// The last one; the same for one day. It is spread evenly over the days.
    pub last_day: Date,
    /// What else there is to say, at most 4,000 characters.
    #[serde(default)]
    pub note: Option<String>,
}

impl CostFields {
    /// So much on one day.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency, day: Date) -> Self {
        Self { source: None, campaign: None, amount, currency, first_day: day, last_day: day, note: None }
    }

    /// For the days up to this one.
    #[must_use]
    pub const fn until(mut self, day: Date) -> Self {
        self.last_day = day;
        self
    }

    /// For this source.
    #[must_use]
    pub const fn source(mut self, source: SourceId) -> Self {
        self.source = Some(source);
        self
    }

    /// For this campaign.
    #[must_use]
    pub fn campaign(mut self, campaign: &str) -> Self {
        self.campaign = Some(campaign.to_owned());
        self
    }

    /// What costs of one campaign have in common, however it is written: see
    /// [`LeadFields::campaign_key`](super::LeadFields::campaign_key).
    #[must_use]
    pub fn campaign_key(&self) -> Option<String> {
        self.campaign.as_deref().map(fold)
    }

    /// How many days it is for.
    #[must_use]
    pub fn days(&self) -> i64 {
        self.last_day.as_days().saturating_sub(self.first_day.as_days()).saturating_add(1)
    }

    /// The fields as they are stored: no blanks around texts, no empty texts, no zeros at the end of the amount.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn settle(self) -> Result<Self, Vec<Violation>> {
        self.settle_from(None)
    }

    /// [`settle`](Self::settle) of what becomes of these fields: an amount that was written down when more decimal places were
    /// allowed can stay, in its currency.
    pub(crate) fn settle_from(mut self, before: Option<&Self>) -> Result<Self, Vec<Violation>> {
        for text in [&mut self.campaign, &mut self.note] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        self.amount = self.amount.normalize();
        let is_kept = |before: &Self| before.amount == self.amount && before.currency == self.currency;
        let is_kept = before.is_some_and(is_kept);
        let mut broken = Vec::new();
        for (field, text, most) in [("campaign", &self.campaign, MAX_LINE), ("note", &self.note, MAX_NOTE)] {
            if let Some(Err(error)) = text.as_deref().map(|text| clean_text(text, most)) {
                broken.push(error.at(field));
            }
        }
        if self.amount.scale() > 4 || self.amount.abs() >= Decimal::from(MAX_AMOUNT) {
            let message = "an amount has at most 4 decimal places and lies below 100 trillion";
            broken.push(Violation::new("amount", ViolationCode::OutOfRange, message));
        } else if !is_kept && self.currency.exponent().is_some_and(|places| self.amount.scale() > places) {
            let message = "the amount has more decimal places than its currency";
            broken.push(Violation::new("amount", ViolationCode::OutOfRange, message));
        }
        if !(1..=MAX_COST_DAYS).contains(&self.days()) {
            let message = "the last day lies behind the first one, by ten years at most";
            broken.push(Violation::new("last_day", ViolationCode::OutOfRange, message));
        }
        if broken.is_empty() { Ok(self) } else { Err(broken) }
    }
}

/// A stored cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The id.
    pub id: CostId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What callers say.
    pub fields: CostFields,
    /// Who wrote it down.
    pub created_by: Actor,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// The place of a cost in the list of all: by first day, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CostPlace {
    /// Its first day.
    pub day: Date,
    /// Its id.
    pub id: CostId,
}

impl Cost {
    /// Its place in the list of all.
    #[must_use]
    pub const fn place(&self) -> CostPlace {
        CostPlace { day: self.fields.first_day, id: self.id }
    }
}

/// What the journal tells of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CostField {
    /// The source.
    Source,
    /// The campaign.
    Campaign,
    /// How much.
    Amount,
    /// The currency.
    Currency,
    /// The first day.
    FirstDay,
    /// The last day.
    LastDay,
    /// What else there is to say.
    Note,
}

impl CostField {
    /// Every field.
    pub const ALL: [Self; 7] = [
        Self::Source,
        Self::Campaign,
        Self::Amount,
        Self::Currency,
        Self::FirstDay,
        Self::LastDay,
        Self::Note,
    ];

    /// Stable name.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Campaign => "campaign",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::FirstDay => "first_day",
            Self::LastDay => "last_day",
            Self::Note => "note",
        }
    }

    /// The field with this [`key`](Self::key).
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    /// Its value.
    #[must_use]
    pub fn read(self, fields: &CostFields) -> FieldValue {
        match self {
            Self::Source => fields.source.into(),
            Self::Campaign => fields.campaign.as_deref().into(),
            Self::Amount => FieldValue::Decimal(fields.amount.normalize()),
            Self::Currency => fields.currency.code().to_owned().into(),
            Self::FirstDay => FieldValue::Date(fields.first_day),
            Self::LastDay => FieldValue::Date(fields.last_day),
            Self::Note => fields.note.as_deref().into(),
        }
    }

    /// Writes a value that [`read`](Self::read) gave, also as JSON gives it back; another one changes nothing.
    pub fn write(self, fields: &mut CostFields, value: &FieldValue) {
        let text = value.as_text();
        match self {
            Self::Source => {
                let parsed = text.and_then(|text| Uuid::try_parse(text).ok());
                fields.source = value.as_id().or(parsed).map(SourceId::from_uuid);
            }
            Self::Campaign => fields.campaign = text.map(str::to_owned),
            Self::Note => fields.note = text.map(str::to_owned),
            Self::Amount => match value {
                FieldValue::Decimal(amount) => fields.amount = *amount,
                _ => {
                    let parsed = text.and_then(|text| Decimal::from_str_exact(text).ok());
                    fields.amount = parsed.unwrap_or(fields.amount);
                }
            },
            Self::Currency => {
                let parsed = text.and_then(|code| Currency::from_stored(code).ok());
                fields.currency = parsed.unwrap_or(fields.currency);
            }
            Self::FirstDay => fields.first_day = day(value).unwrap_or(fields.first_day),
            Self::LastDay => fields.last_day = day(value).unwrap_or(fields.last_day),
        }
    }
}

fn day(value: &FieldValue) -> Option<Date> {
    match value {
        FieldValue::Date(day) => Some(*day),
        other => other.as_text().and_then(|text| text.parse().ok()),
    }
}

/// What a write changes of a cost; all of it for one that came or went.
#[must_use]
pub fn cost_changes(before: Option<&CostFields>, after: Option<&CostFields>) -> Vec<FieldChange> {
    let read = |fields: Option<&CostFields>, field: CostField| {
        fields.map_or(FieldValue::Empty, |fields| field.read(fields))
    };
    let change = |field: CostField| FieldChange::new(field.key(), read(before, field), read(after, field));
    let mut changes: Vec<_> = CostField::ALL.into_iter().map(change).collect();
    changes.retain(|change| change.before != change.after);
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost() -> CostFields {
        CostFields::new(
            Decimal::new(100_000, 4),
            Currency::parse("EUR").unwrap(),
            "2026-01-01".parse().unwrap(),
        )
    }

    #[test]
    fn every_broken_rule_is_told() {
        let mut wrong = cost().until("2025-12-31".parse().unwrap()).campaign(&"x".repeat(501));
        wrong.note = Some("a\0b".to_owned());
        wrong.amount = Decimal::new(1, 5);
        let broken = wrong.settle().unwrap_err();
        let named: Vec<_> = broken.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(named, ["campaign", "note", "amount", "last_day"]);
        let long = cost().until("2036-01-02".parse().unwrap());
        assert!(long.settle().is_err());
        let plain = cost().campaign("  ").until("2036-01-01".parse().unwrap()).settle().unwrap();
        assert_eq!((plain.campaign, plain.amount.to_string()), (None, "10".to_owned()));
    }

    #[test]
    fn an_amount_has_the_places_of_its_currency() {
        let spent = |amount: &str, currency: &str| {
            let (amount, currency) = (amount.parse().unwrap(), Currency::parse(currency).unwrap());
            CostFields::new(amount, currency, "2026-01-01".parse().unwrap()).settle()
        };
        for (amount, currency) in
            [("5.12", "EUR"), ("5.10000", "EUR"), ("5", "JPY"), ("5.123", "BHD"), ("-5", "EUR")]
        {
            assert!(spent(amount, currency).is_ok(), "{amount} {currency}");
        }
        for (amount, currency) in [("5.123", "EUR"), ("5.5", "JPY"), ("-5.123", "EUR")] {
            let broken = spent(amount, currency).unwrap_err();
            assert_eq!(
                broken.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(),
                ["amount"],
                "{amount} {currency}"
            );
        }
    }

    #[test]
    fn an_amount_that_was_finer_before_can_stay() {
        let spent = |amount: &str, currency: &str| {
            let (amount, currency) = (amount.parse().unwrap(), Currency::parse(currency).unwrap());
            CostFields::new(amount, currency, "2026-01-01".parse().unwrap())
        };
        let before = spent("5.1234", "EUR");
        let kept = spent("5.12340", "EUR").campaign("Fair").settle_from(Some(&before)).unwrap();
        assert_eq!((kept.amount.to_string().as_str(), kept.campaign.as_deref()), ("5.1234", Some("Fair")));
        for (amount, currency) in [("5.123", "EUR"), ("5.1234", "BHD"), ("5.1234", "JPY")] {
            assert!(spent(amount, currency).settle_from(Some(&before)).is_err(), "{amount} {currency}");
        }
        assert!(before.clone().settle_from(None).is_err());
    }

    #[test]
    fn what_the_journal_keeps_makes_the_cost_again() {
        let mut whole = cost().until("2026-02-03".parse().unwrap()).campaign("Fair");
        whole.source = Some(SourceId::from_uuid(Uuid::from_u128(7)));
        whole.note = Some("two halls".to_owned());
        let told = cost_changes(None, Some(&whole));
        assert_eq!(told.len(), CostField::ALL.len());
        let json = serde_json::to_string(&told).unwrap();
        let stored: Vec<FieldChange> = serde_json::from_str(&json).unwrap();
        let mut again = cost();
        for change in &stored {
            CostField::from_key(&change.field).unwrap().write(&mut again, &change.after);
        }
        assert_eq!(again, whole);
        assert!(cost_changes(Some(&whole), Some(&whole)).is_empty());
    }
}
