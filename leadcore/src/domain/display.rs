//! Values as people read them: in lists, exports and drop-downs.

use std::collections::BTreeMap;

use chrono::FixedOffset;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::id::UserId;
use crate::time::Timestamp;
use crate::value::{Country, Currency};

use super::catalogue::Catalogue;
use super::custom_value::CustomKey;
use super::field::{Field, FieldType};
use super::field_value::FieldValue;
use super::lead::Lead;
use super::numbering::Numbering;

/// What ids and users are called, and where the reader lives: loaded once per page, then asked for every cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    records: BTreeMap<Uuid, String>,
    users: BTreeMap<UserId, String>,
    /// What choices of custom fields are called, by field and code.
    choices: BTreeMap<(CustomKey, String), String>,
    offset: Option<FixedOffset>,
    numbering: Numbering,
}

impl Names {
    /// No name at all: ids and users stand for themselves, times are in UTC.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Times at this offset from UTC.
    #[must_use]
    pub const fn with_utc_offset(mut self, offset: FixedOffset) -> Self {
        self.offset = Some(offset);
        self
    }

    /// With what the host calls its users.
    #[must_use]
    pub fn with_users(mut self, users: BTreeMap<UserId, String>) -> Self {
        self.users = users;
        self
    }

    /// With lead numbers as the tenant writes them.
    #[must_use]
    pub fn with_numbering(mut self, numbering: Numbering) -> Self {
        self.numbering = numbering;
        self
    }

    /// With what the choices of custom fields are called.
    #[must_use]
    pub fn with_catalogue(mut self, catalogue: &Catalogue) -> Self {
        for field in catalogue.custom_fields() {
            let choices = field.kind.choices().into_iter().flatten();
            self.choices.extend(
                choices.map(|choice| ((field.key.clone(), choice.code.clone()), choice.label.clone())),
            );
        }
        self
    }

    /// Adds what records (terms, stages, pipelines, accounts) are called.
    pub fn extend(&mut self, names: impl IntoIterator<Item = (Uuid, String)>) {
        self.records.extend(names);
    }

    /// What a record is called.
    #[must_use]
    pub fn record(&self, id: Uuid) -> Option<&str> {
        self.records.get(&id).map(String::as_str)
    }

    /// One value of a field as people read it; empty for no value.
    ///
    /// Amounts have no currency here: that is what [`display`] adds.
    #[must_use]
    pub fn show(&self, field: &Field, value: &FieldValue) -> String {
        let shown: Vec<_> = value.items().iter().map(|value| self.one(field, value)).collect();
        shown.join(", ")
    }

    fn one(&self, field: &Field, value: &FieldValue) -> String {
        if let (Field::Custom(key), FieldValue::Text(text)) = (field, value) {
            // A user, a choice or a text: only the catalogue knows, and only a choice has a label.
            let label = self.choices.get(&(key.clone(), text.clone())).cloned();
            let user = || UserId::new(text).ok().and_then(|user| self.users.get(&user).cloned());
            return label.or_else(user).unwrap_or_else(|| text.clone());
        }
        match (field.field_type(), value) {
            (FieldType::User, FieldValue::Text(user)) => {
                let named = UserId::new(user).ok().and_then(|user| self.users.get(&user).cloned());
                named.unwrap_or_else(|| user.clone())
            }
            (FieldType::Choice(_), FieldValue::Text(code)) => capitalised(code),
            (_, FieldValue::Text(code)) if *field == Field::Country => {
                Country::parse(code).map_or_else(|_| code.clone(), |country| country.name().to_owned())
            }
            (_, FieldValue::Integer(number)) if *field == Field::Number => u64::try_from(*number)
                .map_or_else(|_| number.to_string(), |number| self.numbering.format(number)),
            (_, FieldValue::Integer(percent)) if *field == Field::Probability => format!("{percent} %"),
            (_, FieldValue::Id(id)) => self.record(*id).map_or_else(|| id.to_string(), str::to_owned),
            (_, FieldValue::Text(text)) => text.clone(),
            (_, FieldValue::Bool(yes)) => if *yes { "Yes" } else { "No" }.to_owned(),
            (_, FieldValue::Integer(number)) => number.to_string(),
            (_, FieldValue::Decimal(number)) => number.normalize().to_string(),
            (_, FieldValue::Time(at)) => self.time(*at),
            (_, FieldValue::Date(day)) => day.to_string(),
            (_, FieldValue::Empty | FieldValue::List(_)) => String::new(),
        }
    }

    fn time(&self, at: Timestamp) -> String {
        let at = at.to_datetime();
        match self.offset {
            Some(offset) => at.with_timezone(&offset).format("%Y-%m-%d %H:%M").to_string(),
            None => at.format("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

/// A field of a lead as people read it: names for sources, categories, stages, labels and owners, an amount with its
/// symbol and the decimals of its currency, codes in words, times to the minute. Empty for no value.
///
/// ```
/// use leadcore::domain::{Names, Field, display};
/// use leadcore::prelude::*;
/// # let store = MemoryStore::new();
/// # let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// # let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let mut fields = LeadFields::company("Nordlys AS")?;
/// Field::Amount.write(&mut fields, &"1250.5".into())?;
/// Field::Currency.write(&mut fields, &"EUR".into())?;
/// let lead = store.write(ctx.tenant(), |txn| desk::leads::create(&ctx, txn, fields.clone().into()))?;
/// assert_eq!(display(&Field::Amount, &lead, &Names::new()), "€ 1250.50");
/// assert_eq!(display(&Field::Kind, &lead, &Names::new()), "Company");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[must_use]
pub fn display(field: &Field, lead: &Lead, names: &Names) -> String {
    match (field, lead.fields.amount) {
        (Field::Amount, Some(amount)) => {
            money(amount, lead.fields.currency, lead.fields.currency_symbol.as_deref())
        }
        _ => names.show(field, &field.read(lead)),
    }
}

/// The amount with at least the decimals of its currency, behind the lead's own symbol or the currency's.
pub(super) fn money(amount: Decimal, currency: Option<Currency>, symbol: Option<&str>) -> String {
    let mut amount = amount.normalize();
    let decimals = currency.and_then(Currency::exponent).unwrap_or(0);
    if amount.scale() < decimals {
        amount.rescale(decimals);
    }
    let symbol = symbol.map(str::to_owned).or_else(|| currency.map(Currency::symbol));
    match symbol.filter(|symbol| !symbol.is_empty()) {
        Some(symbol) => format!("{symbol} {amount}"),
        None => amount.to_string(),
    }
}

/// `on_hold` as `On hold`.
fn capitalised(code: &str) -> String {
    let text = code.replace('_', " ");
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => text,
    }
}
