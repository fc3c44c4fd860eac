//! An opportunity as values by the keys of its fields, as a mapping writes it, and back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::conversion_mapping::{Mapped, TargetRecord, is_of_worth};
use crate::domain::{Catalogue, CustomKey, CustomValue, CustomValues, FieldValue, Lead, OpportunityFields};
use crate::id::{SourceId, UserId};
use crate::value::Currency;

use super::super::conversion_mapping::Mapper;

/// The fields of an opportunity as a mapping names them.
pub(super) fn values_of(fields: &OpportunityFields) -> BTreeMap<String, FieldValue> {
    let values: [(&str, FieldValue); 9] = [
        ("name", fields.name.as_str().into()),
        ("amount", fields.amount.map(FieldValue::Decimal).unwrap_or_default()),
        ("currency", fields.currency.map(|currency| currency.code().into()).unwrap_or_default()),
        ("probability", fields.probability.map(|percent| i64::from(percent).into()).unwrap_or_default()),
        ("expected_close", fields.expected_close.map(FieldValue::Date).unwrap_or_default()),
        ("source", fields.source.map(|source| FieldValue::Id(source.as_uuid())).unwrap_or_default()),
        ("owner", fields.owner.as_ref().map(|owner| owner.as_str().into()).unwrap_or_default()),
        ("campaign", fields.campaign.as_deref().into()),
        ("description", fields.description.as_deref().into()),
    ];
    let custom = fields.custom.iter().map(|(key, value)| (key.as_str().to_owned(), value.read()));
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(custom).collect()
}

/// The other way round, of this lead and with this catalogue of opportunities; what a mapping does not know stays.
pub(super) fn fields_of(
    values: &BTreeMap<String, FieldValue>,
    before: OpportunityFields,
    own: (&Lead, &Catalogue),
) -> OpportunityFields {
    let of = |key: &str| values.get(key).cloned().unwrap_or_default();
    let text = |key: &str| of(key).as_text().map(str::to_owned);
    OpportunityFields {
        name: text("name").unwrap_or_default(),
        owner: text("owner").and_then(|owner| UserId::new(&owner).ok()),
        amount: if let FieldValue::Decimal(amount) = of("amount") { Some(amount) } else { None },
        currency: text("currency").and_then(|code| Currency::parse(&code).ok()),
        probability: match of("probability") {
            FieldValue::Integer(percent) => u8::try_from(percent).ok(),
            _ => None,
        },
        expected_close: if let FieldValue::Date(day) = of("expected_close") { Some(day) } else { None },
        source: of("source").as_id().map(SourceId::from_uuid),
        campaign: text("campaign"),
        description: text("description"),
        custom: custom_of(values, &before.custom, own),
        ..before
    }
}

/// What a running opportunity becomes when a lead joins it. One with lines is worth what they add up to, in their currency.
pub(super) fn joined(mapper: &Mapper, lead: &Lead, before: &OpportunityFields) -> Mapped<OpportunityFields> {
    let mut mapping = Cow::Borrowed(&mapper.sales);
    if !before.lines.is_empty() {
        mapping.to_mut().rules.retain(|rule| !is_of_worth(&rule.to));
    }
    let (record, values) = (TargetRecord::Opportunity, values_of(before));
    let mapped = mapping.values(record, lead, Some(&values), &mapper.readings());
    let fields = fields_of(&mapped.fields, before.clone(), (lead, mapper.fields.of(record)));
    Mapped { fields, writes: mapped.writes }
}

/// The custom fields of an opportunity, of values by the keys of its fields: what it has and what the lead has are taken as
/// they are.
fn custom_of(
    values: &BTreeMap<String, FieldValue>,
    before: &CustomValues,
    (lead, catalogue): (&Lead, &Catalogue),
) -> CustomValues {
    let mut custom = CustomValues::new();
    for (key, value) in values {
        let Ok(key) = CustomKey::new(key) else { continue };
        let known = before.get(&key).filter(|known| known.read() == *value);
        let own = || {
            let same = |own: &&CustomValue| own.read() == *value && catalogue.takes(&key, own);
            lead.fields.custom.values().find(same)
        };
        if let Some(value) = known.or_else(own) {
            custom.insert(key, value.clone());
        } else {
            // The mapping gives only values that the field reads.
            let _ = catalogue.write_custom(&key, &mut custom, value, lead.fields.phone_region());
        }
    }
    // What the catalogue does not know any more stays.
    let gone = before.iter().filter(|(key, _)| !values.contains_key(key.as_str()));
    custom.extend(gone.map(|(key, value)| (key.clone(), value.clone())));
    custom
}
