//! Reading a field of a lead as a value, and writing one from a value: the one place that knows which field is which.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::{ValueError, Violation, ViolationCode};
use crate::id::UserId;
use crate::time::Date;
use crate::value::{Country, Currency, PersonName, TaxId, Website};

use super::custom_value::CustomValue;
use super::external_ref::ExternalRef;
use super::field::Field;
use super::field_value::FieldValue;
use super::lead::{Lead, LeadFields, LeadKind, Outcome, text};
use super::vocabulary::TermId;

impl Field {
    /// The value of this field, empty when it has none.
    #[must_use]
    pub fn read(&self, lead: &Lead) -> FieldValue {
        match self {
            Self::Id => lead.id.into(),
            Self::Number => FieldValue::Integer(i64::try_from(lead.number).unwrap_or(i64::MAX)),
            Self::State => lead.state().code().into(),
            Self::Pipeline => lead.pipeline.into(),
            Self::Stage => lead.stage.into(),
            Self::StageEnteredAt => lead.stage_entered_at.into(),
            Self::Rank => lead.rank.as_str().into(),
            Self::Outcome => lead.closing.as_ref().map(|closing| closing.outcome.code()).into(),
            Self::LostReason => reason(lead, Outcome::Lost),
            Self::DisqualifyReason => reason(lead, Outcome::Disqualified),
            Self::ReasonDetail => lead.closing.as_ref().and_then(|closing| closing.detail.as_deref()).into(),
            Self::ClosedAt => lead.closing.as_ref().map(|closing| closing.at).into(),
            Self::ActiveAt => lead.active_at.into(),
            Self::FollowUp => lead.follow_up.map(|follow_up| follow_up.at).into(),
            Self::CreatedAt => lead.created_at.into(),
            Self::UpdatedAt => lead.updated_at.into(),
            Self::ConvertedAt => lead.conversion.as_ref().map(|conversion| conversion.at).into(),
            Self::Account => {
                lead.conversion.as_ref().and_then(|done| done.account).map(|account| account.as_uuid()).into()
            }
            settable => settable.read_fields(&lead.fields),
        }
    }

    /// The value of this field where only the fields are known; empty for what the engine sets.
    #[must_use]
    pub fn read_fields(&self, fields: &LeadFields) -> FieldValue {
        let person = fields.person.as_ref();
        match self {
            Self::Kind => fields.kind.code().into(),
            Self::Company => fields.company.as_deref().into(),
            Self::Name => person.map(PersonName::full).into(),
            Self::FirstName => person.and_then(PersonName::given).into(),
            Self::LastName => person.and_then(PersonName::family).into(),
            Self::Salutation => person.and_then(PersonName::prefix).into(),
            Self::JobTitle => fields.job_title.as_deref().into(),
            Self::Email => list(fields.emails.iter().map(|email| email.as_str().into())),
            Self::Phone => list(fields.phones.iter().map(|phone| phone.to_string().into())),
            Self::Website => fields.website.as_ref().map(Website::as_str).into(),
            Self::Street => fields.address.street().into(),
            Self::City => fields.address.city().into(),
            Self::Region => fields.address.state().into(),
            Self::PostalCode => fields.address.postal_code().into(),
            Self::Country => fields.address.country().map(|country| country.code().to_owned()).into(),
            Self::TaxId => fields.tax_id.as_ref().map(TaxId::as_str).into(),
            Self::Currency => fields.currency.map(|currency| currency.code().to_owned()).into(),
            Self::CurrencySymbol => fields.currency_symbol.as_deref().into(),
            // Zeros at the end say nothing, and not every store keeps them.
            Self::Amount => fields.amount.map(|amount| amount.normalize()).into(),
            Self::Probability => fields.probability.map(i64::from).into(),
            Self::ExpectedClose => fields.expected_close.into(),
            Self::Score => fields.score.map(i64::from).into(),
            Self::Industry => fields.industry.as_deref().into(),
            Self::Description => fields.description.as_deref().into(),
            Self::Owner => fields.owner.clone().into(),
            Self::Source => fields.source.into(),
            Self::Campaign => fields.campaign.as_deref().into(),
            Self::Category => fields.category.into(),
            Self::Location => fields.location.into(),
            Self::Partner => fields.partner.into(),
            Self::Labels => list(fields.labels.iter().map(|label| (*label).into())),
            Self::ExternalId => list(fields.external_ids.iter().map(|id| id.to_string().into())),
            Self::Custom(key) => fields.custom.get(key).map(CustomValue::read).into(),
            _ => FieldValue::Empty,
        }
    }

    /// Writes a value into a standard field of a lead. Text is read the way the type of the field asks for. A custom field
    /// can only be emptied like this: what it takes is known to the catalogue, see
    /// [`Catalogue::write`](super::Catalogue::write).
    ///
    /// E-mail addresses and phone numbers that stay keep what is said of them, unless the value says it anew: see
    /// [`Emails::marked`](super::Emails::marked).
    ///
    /// # Errors
    /// When the field is set by the engine, or the value does not fit it; then the field, or the name or address that it
    /// is part of, may be empty.
    pub fn write(&self, fields: &mut LeadFields, value: &FieldValue) -> Result<(), ValueError> {
        match self {
            Self::Kind => {
                fields.kind = optional(value, |text| {
                    LeadKind::from_code(text).ok_or_else(|| {
                        ValueError::new(ViolationCode::Unknown, "a lead is a `company` or a `consumer`")
                    })
                })?
                .unwrap_or_default();
            }
            Self::Company => fields.company = plain(value, 500)?,
            Self::Name => fields.person = optional(value, PersonName::parse)?,
            Self::FirstName | Self::LastName | Self::Salutation => self.write_name_part(fields, value)?,
            Self::JobTitle => fields.job_title = plain(value, 500)?,
            Self::Email => fields.emails = fields.emails.edited(&joined(value)?)?,
            Self::Phone => {
                let region = fields.phone_region();
                fields.phones = fields.phones.edited(&joined(value)?, region)?;
            }
            Self::Website => fields.website = optional(value, Website::parse)?,
            Self::Street | Self::City | Self::Region | Self::PostalCode | Self::Country => {
                self.write_address(fields, value)?;
            }
            Self::TaxId => fields.tax_id = optional(value, TaxId::parse)?,
            Self::Currency => fields.currency = optional(value, Currency::parse)?,
            Self::CurrencySymbol => fields.currency_symbol = plain(value, 16)?,
            Self::Amount => fields.amount = decimal(value)?,
            Self::Probability => fields.probability = percent(value)?,
            Self::ExpectedClose => fields.expected_close = day(value)?,
            Self::Score => fields.score = score(value)?,
            Self::Industry => fields.industry = plain(value, 500)?,
            Self::Description => fields.description = plain(value, 1 << 20)?,
            Self::Owner => fields.owner = optional(value, |text| UserId::new(text))?,
            Self::Source => fields.source = reference(value)?,
            Self::Campaign => fields.campaign = plain(value, 500)?,
            Self::Category => fields.category = reference(value)?,
            Self::Location => fields.location = reference(value)?,
            Self::Partner => fields.partner = reference(value)?,
            Self::Labels => {
                fields.labels = value
                    .items()
                    .iter()
                    .filter_map(|item| reference(item).transpose())
                    .collect::<Result<_, _>>()?;
            }
            Self::ExternalId => {
                fields.external_ids = value
                    .items()
                    .iter()
                    .map(|item| ExternalRef::parse(as_text(item)?))
                    .collect::<Result<BTreeSet<_>, _>>()?;
            }
            Self::Custom(key) if value.is_empty() => {
                fields.custom.remove(key);
            }
            Self::Custom(_) => {
                let message = "a custom field is written through the catalogue that describes it";
                return Err(ValueError::new(ViolationCode::NotAllowed, message));
            }
            _ => {
                return Err(ValueError::new(ViolationCode::NotAllowed, "the engine sets this field"));
            }
        }
        Ok(())
    }

    /// Whether it is written behind the others: a national phone number is read as one of the lead's country, and parts
    /// of a name go over the whole.
    pub(crate) const fn is_written_late(&self) -> bool {
        matches!(self, Self::Phone | Self::FirstName | Self::LastName | Self::Salutation | Self::Custom(_))
    }

    fn write_name_part(&self, fields: &mut LeadFields, value: &FieldValue) -> Result<(), ValueError> {
        let new = plain(value, 500)?;
        let old = fields.person.take();
        let part = |field: &Self, old: Option<&str>| {
            if field == self { new.clone() } else { old.map(str::to_owned) }
        };
        let salutation = part(&Self::Salutation, old.as_ref().and_then(PersonName::prefix));
        let given = part(&Self::FirstName, old.as_ref().and_then(PersonName::given));
        let family = part(&Self::LastName, old.as_ref().and_then(PersonName::family));
        let suffix = old.as_ref().and_then(PersonName::suffix);
        if salutation.is_some() || given.is_some() || family.is_some() || suffix.is_some() {
            let (salutation, given, family) = (salutation.as_deref(), given.as_deref(), family.as_deref());
            fields.person = Some(PersonName::from_parts(salutation, given, family, suffix)?);
        }
        Ok(())
    }

    fn write_address(&self, fields: &mut LeadFields, value: &FieldValue) -> Result<(), ValueError> {
        let address = std::mem::take(&mut fields.address);
        if matches!(self, Self::Country) {
            fields.address = address.with_country(optional(value, Country::parse)?);
            return Ok(());
        }
        let text = plain(value, 1 << 20)?;
        let text = text.as_deref().unwrap_or_default();
        fields.address = match self {
            Self::Street => address.with_street(text)?,
            Self::City => address.with_city(text)?,
            Self::Region => address.with_state(text)?,
            _ => address.with_postal_code(text)?,
        };
        Ok(())
    }
}

/// The reason of a lead that ended this way.
fn reason(lead: &Lead, outcome: Outcome) -> FieldValue {
    let closing = lead.closing.as_ref().filter(|closing| closing.outcome == outcome);
    closing.and_then(|closing| closing.reason).into()
}

fn list(items: impl Iterator<Item = FieldValue>) -> FieldValue {
    let items: Vec<_> = items.collect();
    if items.is_empty() { FieldValue::Empty } else { FieldValue::List(items) }
}

fn as_text(value: &FieldValue) -> Result<&str, ValueError> {
    value.as_text().ok_or_else(|| ValueError::new(ViolationCode::Malformed, "this field takes text"))
}

fn plain(value: &FieldValue, max: usize) -> Result<Option<String>, ValueError> {
    if value.is_empty() { Ok(None) } else { text(as_text(value)?, max) }
}

/// Parses the text unless it is empty or blank.
fn optional<T>(
    value: &FieldValue,
    parse: impl Fn(&str) -> Result<T, ValueError>,
) -> Result<Option<T>, ValueError> {
    if value.is_empty() {
        return Ok(None);
    }
    let text = as_text(value)?.trim();
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// A list of texts as one comma-separated input.
fn joined(value: &FieldValue) -> Result<String, ValueError> {
    let parts: Vec<_> = value.items().iter().map(as_text).collect::<Result<_, _>>()?;
    Ok(parts.join(","))
}

fn decimal(value: &FieldValue) -> Result<Option<Decimal>, ValueError> {
    let malformed = || ValueError::new(ViolationCode::Malformed, "an amount is written like `1250.50`");
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Decimal(amount) => Ok(Some(*amount)),
        FieldValue::Integer(amount) => Ok(Some(Decimal::from(*amount))),
        FieldValue::Text(text) if text.trim().is_empty() => Ok(None),
        FieldValue::Text(text) => Decimal::from_str_exact(text.trim()).map(Some).map_err(|_| malformed()),
        _ => Err(malformed()),
    }
}

/// A day, as such or written like `2026-11-22`.
fn day(value: &FieldValue) -> Result<Option<Date>, ValueError> {
    match value {
        FieldValue::Date(day) => Ok(Some(*day)),
        other => optional(other, str::parse),
    }
}

/// A percentage: `40` or `40 %`.
fn percent(value: &FieldValue) -> Result<Option<u8>, ValueError> {
    let number = match value {
        FieldValue::Integer(number) => Some(*number),
        FieldValue::Decimal(number) if number.is_integer() => i64::try_from(*number).ok(),
        other => {
            return optional(other, |text| {
                let digits = text.strip_suffix('%').unwrap_or(text).trim_end();
                digits.parse().ok().and_then(in_percent).ok_or_else(not_percent)
            });
        }
    };
    number.and_then(in_percent).map(Some).ok_or_else(not_percent)
}

/// The highest score; the lowest lies as far below zero.
const MAX_SCORE: i32 = 1_000_000;

/// What is wrong with a score, however it got into the lead.
pub(super) fn score_violation(score: Option<i32>) -> Option<Violation> {
    let beyond = score.filter(|score| !(-MAX_SCORE..=MAX_SCORE).contains(score));
    let message = "must lie in -1,000,000 to 1,000,000";
    beyond.map(|_| Violation::new("score", ViolationCode::OutOfRange, message))
}

/// A whole number in the range of scores.
fn score(value: &FieldValue) -> Result<Option<i32>, ValueError> {
    let misfit = || {
        let message = "a score is a whole number from -1,000,000 to 1,000,000";
        ValueError::new(ViolationCode::OutOfRange, message)
    };
    let fits = |score: i32| (-MAX_SCORE..=MAX_SCORE).contains(&score);
    let number = match value {
        FieldValue::Integer(number) => i32::try_from(*number).ok(),
        FieldValue::Decimal(number) if number.is_integer() => i32::try_from(*number).ok(),
        other => {
            return optional(other, |text| text.parse().ok().filter(|score| fits(*score)).ok_or_else(misfit));
        }
    };
    number.filter(|score| fits(*score)).map(Some).ok_or_else(misfit)
}

fn in_percent(number: i64) -> Option<u8> {
    u8::try_from(number).ok().filter(|percent| *percent <= 100)
}

fn not_percent() -> ValueError {
    ValueError::new(ViolationCode::OutOfRange, "a probability is a whole number of percent, 0 to 100")
}

fn reference<I: TermId>(value: &FieldValue) -> Result<Option<I>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Id(uuid) => Ok(Some(I::from_term(*uuid))),
        other => {
            let uuid = Uuid::try_parse(as_text(other)?).map_err(|_| {
                ValueError::new(ViolationCode::Malformed, "a reference is given by its id (a UUID)")
            })?;
            Ok(Some(I::from_term(uuid)))
        }
    }
}
