//! What the policy hides: nobody reads it in a plan, and nobody writes it by one.
//!
//! A plan that is looked at comes without those fields and names them. When it is carried out they are what the tenant's
//! mapping makes of them, whatever the plan says.

use std::borrow::Cow;

use crate::context::Context;
use crate::domain::conversion_mapping::{FieldWrite, Mapped, TargetField, TargetRecord};
use crate::domain::{CustomValues, Field, Lead, OpportunityFields};
use crate::error::{Result, Violation, ViolationCode};
use crate::store::Txn;

use super::super::access::masked;
use super::super::conversion_mapping::{Mapper, TargetFields};
use super::super::opportunities::shown_by;
use super::plan::{ConversionPlan, PlannedAccount, PlannedOpportunity, PlannedPerson};
use super::prices;
use super::rules::Rules;
use super::seen::{Made, Seen};

/// The fields that the actor may not see, or that whoever made the plan might not.
pub(in crate::desk) struct Hidden<'a> {
    ctx: &'a Context<'a>,
    also: &'a [Field],
}

impl<'a> Hidden<'a> {
    pub(in crate::desk) const fn from(ctx: &'a Context<'a>) -> Self {
        Self { ctx, also: &[] }
    }

    fn is(&self, field: &Field) -> bool {
        self.also.contains(field) || self.ctx.policy().is_hidden(self.ctx.actor(), field)
    }

    /// Whether it, or another that shows the same, is hidden.
    pub(super) fn shows(&self, field: &Field) -> bool {
        self.is(field) || field.name_group().iter().any(|field| self.is(field))
    }

    fn is_of_opportunity(&self, name: &str) -> bool {
        shown_by(&[name]).iter().any(|field| self.shows(field))
    }

    fn is_target(&self, to: &TargetField) -> bool {
        match (to.record, to.key()) {
            (TargetRecord::Opportunity, name) => self.is_of_opportunity(name),
            (TargetRecord::Account, "name") => self.is(&Field::Company),
            (TargetRecord::Contact, "role") => self.is(&Field::JobTitle),
            (_, key) => Field::known(key).is_some_and(|field| self.shows(&field)),
        }
    }

    /// Whether it is a hidden field of a target, as violations name it: `account.x_terms`, `contacts[0].name`.
    fn is_required_of(&self, path: &str) -> bool {
        match path.split_once('.') {
            Some(("account", "name")) => self.is(&Field::Company),
            Some(("opportunity", name)) => self.is_of_opportunity(name),
            // A person must have any of these.
            Some((record, "name")) if record.starts_with("contacts[") => {
                [Field::Name, Field::Email, Field::Phone].iter().all(|field| self.shows(field))
            }
            Some((_, key)) => key.parse().is_ok_and(|field: Field| self.shows(&field)),
            None => false,
        }
    }

    /// Takes the writes of and from hidden fields of these records out: what they were, what becomes of them and what is dropped.
    pub(in crate::desk) fn mask_writes(
        &self,
        writes: &mut Vec<FieldWrite>,
        of: impl Fn(TargetRecord) -> bool,
    ) {
        writes
            .retain(|write| !of(write.to.record) || !(self.is_target(&write.to) || self.shows(&write.from)));
    }

    /// Every field of these catalogues, and every one of a lead, that is hidden.
    fn all(&self, fields: &TargetFields) -> Vec<Field> {
        let standard = Field::ALL.iter().filter(|field| field.is_writable() && self.is(field));
        let mut all: Vec<_> = standard.cloned().collect();
        for record in TargetRecord::ALL {
            let custom = fields.of(record).custom_fields();
            let custom = custom.map(|field| Field::Custom(field.key.clone()));
            all.extend(custom.filter(|field| self.is(field)));
        }
        all
    }
}

/// Takes what the actor may not see out of a plan, and names it.
pub(super) fn mask(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (mapper, lead): (&Mapper, &Lead),
    plan: &mut ConversionPlan,
) -> Result<()> {
    let hidden = Hidden::from(ctx);
    let is_hidden = |field: &Field| hidden.is(field);
    let mut seen = Seen::looking(lead, is_hidden);
    let by = Made { ctx, mapper, persons: &plan.persons, is_hidden: &is_hidden };
    let mut all = hidden.all(&mapper.fields);
    let (mut account, mut contact, mut opportunity) = (false, false, false);
    // Values of fields that the catalogue does not know any more are there too.
    let mut own = |custom: &CustomValues| {
        let own = custom.keys().cloned().map(Field::Custom);
        all.extend(own.filter(|field| hidden.is(field)));
    };
    own(&lead.fields.custom);
    let sides = by.account(txn, &seen, &plan.account)?;
    if let (Some(fields), Some(sides)) = (plan.account.fields_mut(), sides) {
        own(&fields.custom);
        seen.account(fields, sides);
        *fields = std::mem::take(fields).without(is_hidden);
        account = true;
    }
    for known in &mut plan.contacts {
        let sides = by.contact(txn, &seen, &known.who)?;
        if let (Some(fields), Some(sides)) = (known.who.fields_mut(), sides) {
            own(&fields.custom);
            seen.contact(fields, sides);
            *fields = std::mem::take(fields).without(is_hidden);
            contact = true;
        }
    }
    for person in &mut plan.own_persons {
        own(&person.fields.custom);
        *person.fields = std::mem::take(&mut *person.fields).without(is_hidden);
        contact = true;
    }
    if let Some(planned) = &mut plan.opportunity {
        let sides = by.opportunity(txn, &seen, planned)?;
        let fields = planned.fields_mut();
        own(&fields.custom);
        let (moved, shown) = seen.opportunity(fields, sides);
        let none = OpportunityFields::default();
        *fields = laid_over(std::mem::take(fields), &shown, |name| moved.contains(name));
        *fields = laid_over(std::mem::take(fields), &none, |name| hidden.is_of_opportunity(name));
        opportunity = true;
    }
    hidden.mask_writes(&mut plan.writes, |record| match record {
        TargetRecord::Account => account,
        TargetRecord::Contact => contact,
        TargetRecord::Opportunity => opportunity,
    });
    seen.mask_writes(&mut plan.writes);
    prices::mask(&hidden, plan);
    // Whether a record says the same is nothing to be told either.
    plan.stays_on_lead.retain(|field| !hidden.shows(field));
    if account || contact || opportunity {
        all.sort();
        all.dedup();
        plan.hidden = all;
    }
    Ok(())
}

/// What the mapping makes of a lead for an opportunity, named by what the actor sees of the lead: the name is a field of its own,
/// which everybody reads who sees the opportunity.
pub(super) fn named(
    ctx: &Context<'_>,
    lead: &Lead,
    map: impl Fn(&Lead) -> Mapped<OpportunityFields>,
) -> Mapped<OpportunityFields> {
    let mut mapped = map(lead);
    let seen = masked(ctx, lead.clone());
    if seen.fields == lead.fields {
        return mapped;
    }
    let is_name = |write: &FieldWrite| write.to.key() == "name";
    let by_seen = map(&seen);
    mapped.fields.name = by_seen.fields.name;
    mapped.writes.retain(|write| !is_name(write));
    mapped.writes.extend(by_seen.writes.into_iter().filter(is_name));
    mapped
}

/// What the lead is called by what the actor sees of it; its number, where that is nothing.
pub(super) fn called(ctx: &Context<'_>, lead: &Lead) -> String {
    let seen = masked(ctx, lead.clone());
    seen.fields.display_name().map_or_else(|| format!("#{}", lead.number), str::to_owned)
}

/// The plan as it is carried out: hidden fields as the mapping makes them.
pub(super) fn filled<'p>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    lead: &Lead,
    plan: &'p ConversionPlan,
) -> Result<Cow<'p, ConversionPlan>> {
    let hidden = Hidden { ctx, also: &plan.hidden };
    let mapper = rules.mapper(txn, lead)?;
    let joins = matches!(plan.account, PlannedAccount::Existing { .. })
        || matches!(plan.opportunity, Some(PlannedOpportunity::Existing { .. }))
        || plan.contacts.iter().any(|contact| matches!(contact.who, PlannedPerson::Known { .. }));
    if !joins && plan.hidden.is_empty() && hidden.all(&mapper.fields).is_empty() {
        return Ok(Cow::Borrowed(plan));
    }
    let mut filled = plan.clone();
    // What went out of the plan for whom it was made comes in again.
    let is_hidden = |field: &Field| plan.hidden.contains(field);
    let mut seen = Seen::carrying_out(lead, is_hidden);
    let by = Made { ctx, mapper, persons: &plan.persons, is_hidden: &is_hidden };
    let sides = by.account(txn, &seen, &plan.account)?;
    if let (Some(fields), Some(sides)) = (filled.account.fields_mut(), sides) {
        let [mapped, _] = &sides;
        *fields = std::mem::take(fields).keeping(mapped, |field| hidden.is(field));
        seen.account(fields, sides);
    }
    for known in &mut filled.contacts {
        let sides = by.contact(txn, &seen, &known.who)?;
        if let (Some(fields), Some(sides)) = (known.who.fields_mut(), sides) {
            let [told, _] = &sides;
            *fields = std::mem::take(fields).keeping(told, |field| hidden.shows(field));
            seen.contact(fields, sides);
        }
    }
    if let Some(planned) = &mut filled.opportunity {
        let sides = by.opportunity(txn, &seen, planned)?;
        let (fields, [mapped, _]) = (planned.fields_mut(), &sides);
        *fields = laid_over(std::mem::take(fields), mapped, |name| hidden.is_of_opportunity(name));
        let (moved, whole) = seen.opportunity(fields, sides);
        *fields = laid_over(std::mem::take(fields), &whole, |name| moved.contains(name));
    }
    prices::fill(txn, &hidden, &mut filled)?;
    Ok(Cow::Owned(filled))
}

/// These violations, where a value is required that the actor may not see said so: what is not seen is not filled in either, and
/// somebody else has to convert the lead.
pub(super) fn explained(ctx: &Context<'_>, also: &[Field], broken: Vec<Violation>) -> Vec<Violation> {
    let hidden = Hidden { ctx, also };
    let told = |one: Violation| {
        let required = one.code == ViolationCode::Required;
        if !required || !hidden.is_required_of(&one.field) {
            return one;
        }
        let message =
            "a value is required that you may not see: somebody who may see it has to convert the lead";
        Violation::new(one.field, ViolationCode::NotAllowed, message)
    };
    broken.into_iter().map(told).collect()
}

/// What an actor said of a new opportunity that is hidden from them.
pub(super) fn said_of_hidden(
    ctx: &Context<'_>,
    before: &OpportunityFields,
    after: &OpportunityFields,
) -> Vec<Violation> {
    let hidden = Hidden::from(ctx);
    let mut names: Vec<String> = Vec::new();
    macro_rules! look {
        ($($name:ident),+) => {$(
            if before.$name != after.$name && hidden.is_of_opportunity(stringify!($name)) {
                names.push(stringify!($name).to_owned());
            }
        )+};
    }
    look!(owner, amount, currency, probability, expected_close, source, campaign, description, lines);
    let custom = after.custom.iter().filter(|(key, value)| before.custom.get(*key) != Some(*value));
    names.extend(custom.map(|(key, _)| key.as_str().to_owned()).filter(|key| hidden.is_of_opportunity(key)));
    let told = names.into_iter().map(|name| {
        Violation::new(format!("opportunity.{name}"), ViolationCode::NotAllowed, "you may not see this field")
    });
    told.collect()
}

/// The fields, some as `from` has them. Lines say what the amount says.
fn laid_over(
    mut fields: OpportunityFields,
    from: &OpportunityFields,
    is: impl Fn(&str) -> bool,
) -> OpportunityFields {
    macro_rules! take {
        ($($name:ident),+) => {$(
            if is(stringify!($name)) {
                fields.$name.clone_from(&from.$name);
            }
        )+};
    }
    take!(owner, amount, currency, probability, expected_close, source, campaign, description, lines);
    fields.custom.retain(|key, _| !is(key.as_str()));
    let custom = from.custom.iter().filter(|(key, _)| is(key.as_str()));
    fields.custom.extend(custom.map(|(key, value)| (key.clone(), value.clone())));
    fields
}
