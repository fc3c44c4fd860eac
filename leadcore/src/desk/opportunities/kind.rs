//! Opportunities as children of their account and persons.

use crate::context::Context;
use crate::desk::access::{check_fields, shows_hidden};
use crate::desk::children::{Child, stored_child};
use crate::desk::settings::load_catalogue_of;
use crate::desk::{custom, series};
use crate::domain::{
    CatalogueKind, CustomKey, CustomValues, Field, FieldChange, FieldValue, Opportunity, OpportunityEnd,
    OpportunityFields, Series, Totals, custom_changes, in_words,
};
use crate::error::{ErrorKind, Result};
use crate::id::{LostReasonId, OpportunityId, SourceId, UserId};
use crate::store::Txn;
use crate::value::Currency;

use super::customers::leads_to_convert;

/// The field of leads that says the same as each field of an opportunity: whoever may not see the one sees nothing of the
/// other.
const SHOWN_BY: [(&str, Field); 11] = [
    ("owner", Field::Owner),
    ("amount", Field::Amount),
    ("currency", Field::Currency),
    ("probability", Field::Probability),
    ("expected_close", Field::ExpectedClose),
    ("source", Field::Source),
    ("campaign", Field::Campaign),
    ("description", Field::Description),
    // What they add up to is the amount.
    ("lines", Field::Amount),
    ("total", Field::Amount),
    ("unit_price", Field::Amount),
];

/// The fields of leads behind these fields of opportunities.
pub(crate) fn shown_by(names: &[&str]) -> Vec<Field> {
    let of_name = |name: &&str| SHOWN_BY.iter().find(|(key, _)| key == name);
    let custom = names.iter().filter(|name| name.starts_with(CustomKey::PREFIX));
    let custom = custom.filter_map(|name| CustomKey::new(name).ok()).map(Field::Custom);
    names.iter().filter_map(of_name).map(|(_, field)| field.clone()).chain(custom).collect()
}

/// Whether the actor may not see this field of opportunities.
pub(crate) fn is_hidden(ctx: &Context<'_>, name: &str) -> bool {
    shown_by(&[name]).iter().any(|field| shows_hidden(ctx, field))
}

/// Refuses a new one that names fields that the actor may not see.
pub(super) fn check_named(ctx: &Context<'_>, fields: &OpportunityFields) -> Result<()> {
    let named = [
        ("owner", fields.owner.is_some()),
        ("amount", fields.amount.is_some()),
        ("currency", fields.currency.is_some()),
        ("probability", fields.probability.is_some()),
        ("expected_close", fields.expected_close.is_some()),
        ("source", fields.source.is_some()),
        ("campaign", fields.campaign.is_some()),
        ("description", fields.description.is_some()),
        ("lines", !fields.lines.is_empty()),
    ];
    let names: Vec<_> = named.iter().filter(|(_, named)| *named).map(|(name, _)| *name).collect();
    let custom = fields.custom.keys().cloned().map(Field::Custom);
    let all: Vec<_> = shown_by(&names).into_iter().chain(custom).collect();
    check_fields(ctx, all.iter())
}

impl Child for Opportunity {
    const WHAT: &'static str = "opportunity";

    stored_child!(opportunities by OpportunityId);

    fn can_leave(txn: &mut dyn Txn, child: &Self) -> Result<bool> {
        let removal = series::check_removal(txn, Series::Opportunity, child.number, child.serial.as_ref());
        match removal {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn into_shown(mut self, ctx: &Context<'_>) -> Self {
        self.origin_lead = self.origin_lead.filter(|lead| *lead != Self::NOBODY);
        let hidden = |name: &str| is_hidden(ctx, name);
        let fields = &mut self.fields;
        fields.owner = fields.owner.take().filter(|_| !hidden("owner"));
        fields.currency = fields.currency.filter(|_| !hidden("currency"));
        fields.probability = fields.probability.filter(|_| !hidden("probability"));
        fields.expected_close = fields.expected_close.filter(|_| !hidden("expected_close"));
        fields.source = fields.source.filter(|_| !hidden("source"));
        fields.custom.retain(|key, _| !hidden(key.as_str()));
        fields.campaign = fields.campaign.take().filter(|_| !hidden("campaign"));
        fields.description = fields.description.take().filter(|_| !hidden("description"));
        if hidden("amount") {
            fields.amount = None;
            fields.lines = Vec::new();
            self.totals = Totals::default();
        }
        self
    }

    /// Name and number are always told. Of the lines, the first: the image has them all.
    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        type Read = fn(&Opportunity) -> FieldValue;
        fn end(one: &Opportunity) -> Option<&OpportunityEnd> {
            one.end.as_ref()
        }
        let fields: [(&str, Read); 15] = [
            ("name", |o| o.fields.name.as_str().into()),
            ("number", |o| i64::try_from(o.number).unwrap_or(i64::MAX).into()),
            ("state", |o| o.state.code().into()),
            ("closed_on", |o| end(o).map(|end| end.on).into()),
            ("lost_reason", |o| end(o).and_then(|end| end.reason).map(LostReasonId::as_uuid).into()),
            ("detail", |o| end(o).and_then(|end| end.detail.as_deref()).into()),
            ("owner", |o| o.fields.owner.as_ref().map(UserId::as_str).into()),
            ("amount", |o| o.fields.amount.into()),
            ("currency", |o| o.fields.currency.as_ref().map(Currency::code).into()),
            ("probability", |o| o.fields.probability.map(i64::from).into()),
            ("expected_close", |o| o.fields.expected_close.into()),
            ("source", |o| o.fields.source.map(SourceId::as_uuid).into()),
            ("campaign", |o| o.fields.campaign.as_deref().into()),
            ("description", |o| o.fields.description.as_deref().into()),
            ("lines", |o| in_words(&o.fields.lines).into()),
        ];
        let side = |side: Option<&Self>, read: Read| side.map_or(FieldValue::Empty, read);
        let change = |(field, read): (&str, Read)| {
            let change = FieldChange::new(field, side(before, read), side(after, read));
            let always = matches!(field, "name" | "number");
            (always || change.before != change.after).then_some(change)
        };
        let none = CustomValues::new();
        let custom = |side: Option<&Self>| side.map_or_else(|| none.clone(), |one| one.fields.custom.clone());
        let own = custom_changes(&custom(before), &custom(after));
        fields.into_iter().filter_map(change).chain(own).collect()
    }

    /// Values of the tenant's fields come back where the fields still take them, and nobody else has got them; persons, where a
    /// customer has them.
    fn can_return(txn: &mut dyn Txn, now: Option<&Self>, child: &Self) -> Result<bool> {
        let known = now.map_or(&[][..], |now| &now.about);
        if !leads_to_convert(txn, &child.about, known)?.is_empty() {
            return Ok(false);
        }
        let values = &child.fields.custom;
        if values.is_empty() || now.is_some_and(|now| now.fields.custom == *values) {
            return Ok(true);
        }
        let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Opportunity)?;
        let fits = values.iter().all(|(key, value)| {
            now.is_some_and(|now| now.fields.custom.get(key) == Some(value)) || catalogue.takes(key, value)
        });
        Ok(fits && custom::shared(txn, &catalogue, Some(child.id.as_uuid()), values)?.is_empty())
    }
}
