//! Taking changes back: writing what the journal says a lead had before, where it still has what it got.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{ValueError, ViolationCode};
use crate::id::{LeadId, PipelineId, Revision, StageId};
use crate::time::Timestamp;
use crate::value::{Address, Country, Email, PersonName, Phone};

use super::custom_value::{CustomKey, CustomValue};
use super::field::Field;
use super::field_value::FieldValue;
use super::images::{
    EMAILS, PERSON, PHONES, emails_are_plain, image, image_of, person_is_plain, phones_are_plain,
};
use super::journal::FieldChange;
use super::lead::{Closing, Lead, LeadFields, Outcome};
use super::rank::Rank;
use super::reach::{Emails, Phones, Reachable};
use super::together::{Unit, is_repeated, units};

/// Why a value was not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyKept {
    /// It was changed since.
    Edited,
    /// The lead was converted since and is frozen.
    Converted,
    /// Another record has by now what only one can have, or was made in its place.
    Taken,
    /// What it referred to is gone.
    Gone,
    /// The actor may not see or write it.
    NotAllowed,
    /// Something refers to it now.
    InUse,
    /// It was taken back before, by an undo of a part of the same operation; or what it was before had come of a conversion that was
    /// taken back.
    Reversed,
    /// Lines of the imported file wrote it too that are not to be taken back: the journal tells what all of them did, together.
    Shared,
    /// The journal does not say enough of it, or it is of a kind that is not taken back.
    Unsupported,
}

/// Something that was not taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The key of the field, or `created`, `deleted`, `restored` for the record itself.
    pub field: String,
    /// Why.
    pub why: WhyKept,
}

/// What became of the changes of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rewound {
    /// The keys of the fields that have the value before now.
    pub reversed: Vec<String>,
    /// The fields that stay as they are.
    pub kept: Vec<Kept>,
}

/// Writes the values before, field by field, where the lead still has the value after. A name with its parts, an amount
/// with its currency, an address, and a stage with how the lead ended, are taken back whole or not at all. `refuse` may keep a field for a reason of its own;
/// it is handed the field and the value that would be written.
///
/// The values may have been through JSON: an id or amount may be text. Exact: what
/// [`lead_changes`](super::lead_changes) says of two leads makes the one from the other again, but for revision and
/// [`updated_at`](Lead::updated_at).
///
/// ```
/// use leadcore::domain::{FieldChange, Lead, LeadFields, lead_changes, rewind};
/// # use leadcore::prelude::*;
/// # let store = MemoryStore::new();
/// # let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// # let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// # let lead = store.write(ctx.tenant(), |txn| {
/// #     desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())
/// # })?;
/// let mut edited = Lead { fields: LeadFields::company("Nordlys Energi AS")?, ..lead.clone() };
/// let changes = lead_changes(&lead, &edited);
/// let done = rewind(&mut edited, &changes, &|_, _| None);
/// assert_eq!((edited, done.kept.len()), (lead, 0));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
pub fn rewind(
    lead: &mut Lead,
    changes: &[FieldChange],
    refuse: &dyn Fn(&Field, &FieldValue) -> Option<WhyKept>,
) -> Rewound {
    rewind_by(lead, changes, &|change, field| refuse(field, &change.before))
}

/// Why a change is kept, by what the journal says of it and the field that people see it in.
pub(crate) type Refuse<'r> = dyn Fn(&FieldChange, &Field) -> Option<WhyKept> + 'r;

/// [`rewind`] where it matters what the journal calls the fields.
pub(crate) fn rewind_by(lead: &mut Lead, changes: &[FieldChange], refuse: &Refuse<'_>) -> Rewound {
    let mut done = Rewound::default();
    for (unit, changes) in units(changes) {
        match unit.take_back(lead, &changes, refuse) {
            None => done.reversed.extend(changes.iter().filter(|c| !is_image(c)).map(|c| c.field.clone())),
            // What happened since keeps the clock: that is nothing to be told.
            Some(WhyKept::Edited) if unit == Unit::One(Field::ActiveAt.key()) => {}
            Some(why) => done.kept.extend(
                changes.iter().filter(|c| !is_image(c)).map(|c| Kept { field: c.field.clone(), why }),
            ),
        }
    }
    done
}

/// [`rewind`] where only the fields are known: of a contact.
pub(crate) fn rewind_fields(
    fields: &mut LeadFields,
    changes: &[FieldChange],
    refuse: &Refuse<'_>,
) -> Rewound {
    let (nobody, never) = (Uuid::nil(), Timestamp::EPOCH);
    let mut lead = Lead {
        id: LeadId::from_uuid(nobody),
        number: 0,
        revision: Revision::FIRST,
        fields: std::mem::take(fields),
        pipeline: PipelineId::from_uuid(nobody),
        stage: StageId::from_uuid(nobody),
        stage_entered_at: never,
        created_at: never,
        updated_at: never,
        active_at: never,
        follow_up: None,
        rank: Rank::on_top(never, 0),
        closing: None,
        conversion: None,
        trashed: None,
    };
    let done = rewind_by(&mut lead, changes, refuse);
    *fields = lead.fields;
    done
}

fn is_image(change: &FieldChange) -> bool {
    image_of(&change.field).is_some()
}

impl Unit<'_> {
    /// Takes the unit back, or says why it is kept.
    fn take_back(self, lead: &mut Lead, changes: &[&FieldChange], refuse: &Refuse<'_>) -> Option<WhyKept> {
        if is_repeated(changes) {
            return None;
        }
        let (images, shown): (Vec<&FieldChange>, Vec<_>) =
            changes.iter().partition(|change| is_image(change));
        // Beside an image the field is there for people: addresses come with what is said of them.
        let is_told = !images.is_empty() && matches!(self, Self::Emails | Self::Phones);
        for change in images.into_iter().chain(shown) {
            let field = image_of(&change.field).map_or_else(|| change.field.parse::<Field>(), Ok);
            let Ok(field) = field else { return Some(WhyKept::Unsupported) };
            let refused = refuse(change, &field);
            if refused == Some(WhyKept::NotAllowed) {
                return refused;
            }
            let now = if is_image(change) { image(&change.field, &lead.fields) } else { field.read(lead) };
            if (is_image(change) || !is_told) && plain(&now) != plain(&change.after) {
                return Some(WhyKept::Edited);
            }
            if refused.is_some() {
                return refused;
            }
        }
        if self.says_more_now(&lead.fields, changes) {
            return Some(WhyKept::Edited);
        }
        let mut next = lead.clone();
        let written = match self {
            Self::Person => write_person(&mut next.fields, changes),
            Self::Emails => write_emails(&mut next.fields, changes),
            Self::Phones => write_phones(&mut next.fields, changes),
            Self::Place => write_place(&mut next, changes),
            Self::Custom(key) => write_custom(&mut next.fields, key, changes),
            Self::Calls | Self::Money | Self::Address | Self::One(_) => {
                changes.iter().try_for_each(|change| write_one(&mut next, &change.field, &change.before))
            }
        };
        match written {
            Ok(()) => {
                *lead = next;
                None
            }
            Err(_) => Some(WhyKept::Unsupported),
        }
    }
}

impl Unit<'_> {
    /// Whether there is more to the value than its fields show, and the journal has no image of it: then that came since. A
    /// change is written with an image as soon as either side of it has more than its fields. Somebody may have opted out
    /// meanwhile; that is never taken away by a way back.
    fn says_more_now(self, now: &LeadFields, changes: &[&FieldChange]) -> bool {
        let is_plain: fn(&LeadFields) -> bool = match self {
            Self::Person => person_is_plain,
            Self::Emails => emails_are_plain,
            Self::Phones => phones_are_plain,
            _ => return false,
        };
        !is_plain(now) && !changes.iter().any(|change| is_image(change))
    }
}

/// A value as JSON gives it back, so that it can be compared with one that came from there.
pub(crate) fn plain(value: &FieldValue) -> FieldValue {
    match value {
        FieldValue::Decimal(number) => FieldValue::Text(number.normalize().to_string()),
        FieldValue::Time(at) => FieldValue::Text(at.to_string()),
        FieldValue::Date(day) => FieldValue::Text(day.to_string()),
        FieldValue::Id(id) => FieldValue::Text(id.to_string()),
        FieldValue::List(list) if list.is_empty() => FieldValue::Empty,
        FieldValue::List(list) => FieldValue::List(list.iter().map(plain).collect()),
        other => other.clone(),
    }
}

type Written = Result<(), ValueError>;

fn unreadable() -> ValueError {
    ValueError::new(ViolationCode::Malformed, "the journal holds a value that this field cannot take")
}

fn before<'c>(changes: &[&'c FieldChange], key: &str) -> Option<&'c FieldValue> {
    changes.iter().find(|change| change.field == key).map(|change| &change.before)
}

fn text(value: &FieldValue) -> Result<Option<&str>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Text(text) => Ok(Some(text)),
        _ => Err(unreadable()),
    }
}

fn owned(value: &FieldValue) -> Result<Option<String>, ValueError> {
    Ok(text(value)?.map(str::to_owned))
}

fn id(value: &FieldValue) -> Result<Option<Uuid>, ValueError> {
    match value {
        FieldValue::Id(id) => Ok(Some(*id)),
        other => text(other)?.map(|text| Uuid::try_parse(text).map_err(|_| unreadable())).transpose(),
    }
}

fn time(value: &FieldValue) -> Result<Option<Timestamp>, ValueError> {
    match value {
        FieldValue::Time(at) => Ok(Some(*at)),
        other => text(other)?.map(str::parse).transpose(),
    }
}

fn stored<T: serde::de::DeserializeOwned>(value: &FieldValue) -> Result<Option<T>, ValueError> {
    text(value)?.map(|json| serde_json::from_str(json).map_err(|_| unreadable())).transpose()
}

fn write_person(fields: &mut LeadFields, changes: &[&FieldChange]) -> Written {
    if let Some(image) = before(changes, PERSON) {
        fields.person = stored(image)?;
        return Ok(());
    }
    let now = fields.clone();
    let part = |field: Field| -> Result<Option<String>, ValueError> {
        before(changes, field.key()).map_or_else(|| owned(&field.read_fields(&now)), owned)
    };
    let Some(full) = part(Field::Name)? else {
        fields.person = None;
        return Ok(());
    };
    let (prefix, given, family) = (part(Field::Salutation)?, part(Field::FirstName)?, part(Field::LastName)?);
    let name = PersonName::from_stored(&full, prefix.as_deref(), given.as_deref(), family.as_deref(), None)?;
    fields.person = Some(name);
    Ok(())
}

fn write_emails(fields: &mut LeadFields, changes: &[&FieldChange]) -> Written {
    if let Some(image) = before(changes, EMAILS) {
        fields.emails = stored(image)?.unwrap_or_default();
        return Ok(());
    }
    let mut emails = Emails::none();
    for item in before(changes, Field::Email.key()).map_or(&[][..], FieldValue::items) {
        emails.push(Reachable::new(Email::parse(text(item)?.unwrap_or_default())?))?;
    }
    fields.emails = emails;
    Ok(())
}

fn write_phones(fields: &mut LeadFields, changes: &[&FieldChange]) -> Written {
    if let Some(image) = before(changes, PHONES) {
        fields.phones = stored(image)?.unwrap_or_default();
        return Ok(());
    }
    let mut phones = Phones::none();
    for item in before(changes, Field::Phone.key()).map_or(&[][..], FieldValue::items) {
        phones.push(Reachable::new(Phone::parse(text(item)?.unwrap_or_default(), None)?))?;
    }
    fields.phones = phones;
    Ok(())
}

fn write_custom(fields: &mut LeadFields, key: &str, changes: &[&FieldChange]) -> Written {
    let key: CustomKey = key.parse()?;
    let image = changes.iter().find(|change| is_image(change)).ok_or_else(unreadable)?;
    match stored::<CustomValue>(&image.before)? {
        Some(value) => fields.custom.insert(key, value),
        None => fields.custom.remove(&key),
    };
    Ok(())
}

fn write_place(lead: &mut Lead, changes: &[&FieldChange]) -> Written {
    let now = lead.clone();
    let value = |field: &Field| before(changes, field.key()).cloned().unwrap_or_else(|| field.read(&now));
    let must = |field: Field| id(&value(&field))?.ok_or_else(unreadable);
    lead.pipeline = PipelineId::from_uuid(must(Field::Pipeline)?);
    lead.stage = StageId::from_uuid(must(Field::Stage)?);
    lead.stage_entered_at = time(&value(&Field::StageEnteredAt))?.ok_or_else(unreadable)?;
    let outcome = value(&Field::Outcome);
    let Some(code) = text(&outcome)? else {
        lead.closing = None;
        return Ok(());
    };
    let outcome = Outcome::from_code(code).ok_or_else(unreadable)?;
    let reason = match outcome {
        Outcome::Disqualified => id(&value(&Field::DisqualifyReason))?,
        _ => id(&value(&Field::LostReason))?,
    };
    lead.closing = Some(Closing {
        at: time(&value(&Field::ClosedAt))?.ok_or_else(unreadable)?,
        outcome,
        reason,
        detail: owned(&value(&Field::ReasonDetail))?,
    });
    Ok(())
}

/// Writes one field exactly: no text is trimmed.
fn write_one(lead: &mut Lead, key: &str, value: &FieldValue) -> Written {
    let field: Field = key.parse()?;
    let fields = &mut lead.fields;
    match field {
        Field::Company => fields.company = owned(value)?,
        Field::JobTitle => fields.job_title = owned(value)?,
        Field::CurrencySymbol => fields.currency_symbol = owned(value)?,
        Field::Industry => fields.industry = owned(value)?,
        Field::Campaign => fields.campaign = owned(value)?,
        Field::Description => fields.description = owned(value)?,
        Field::Street | Field::City | Field::Region | Field::PostalCode | Field::Country => {
            fields.address = address(std::mem::take(&mut fields.address), &field, value)?;
        }
        Field::Amount => {
            fields.amount = match value {
                FieldValue::Decimal(amount) => Some(*amount),
                other => text(other)?
                    .map(|text| Decimal::from_str_exact(text).map_err(|_| unreadable()))
                    .transpose()?,
            };
        }
        Field::Rank => lead.rank = Rank::parse(text(value)?.unwrap_or_default())?,
        Field::ActiveAt => lead.active_at = time(value)?.ok_or_else(unreadable)?,
        other => other.write(fields, value)?,
    }
    Ok(())
}

fn address(address: Address, field: &Field, value: &FieldValue) -> Result<Address, ValueError> {
    let part = text(value)?.unwrap_or_default();
    match field {
        Field::Street => address.with_street(part),
        Field::City => address.with_city(part),
        Field::Region => address.with_state(part),
        Field::PostalCode => address.with_postal_code(part),
        _ => {
            let country = text(value)?.map(Country::parse).transpose()?;
            Ok(address.with_country(country))
        }
    }
}
