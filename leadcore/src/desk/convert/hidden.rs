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
use super::super::accounts;
use super::super::conversion_mapping::TargetFields;
use super::super::opportunities::shown_by;
use super::deal::joined;
use super::made::{new_account, new_contact, new_opportunity};
use super::persons::learned;
use super::plan::{ConversionPlan, PlannedAccount, PlannedOpportunity, PlannedPerson};
use super::rules::Rules;
use super::sales::{joined_contact, joined_opportunity};

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
pub(super) fn mask(ctx: &Context<'_>, fields: &TargetFields, plan: &mut ConversionPlan) {
    let hidden = Hidden::from(ctx);
    let mut all = hidden.all(fields);
    let (mut account, mut contact, mut opportunity) = (false, false, false);
    // Values of fields that the catalogue does not know any more are there too.
    let mut own = |custom: &CustomValues| {
        let own = custom.keys().cloned().map(Field::Custom);
        all.extend(own.filter(|field| hidden.is(field)));
    };
    if let PlannedAccount::New { fields, .. } | PlannedAccount::Existing { fields, .. } = &mut plan.account {
        own(&fields.custom);
        **fields = std::mem::take(&mut **fields).without(|field| hidden.is(field));
        account = true;
    }
    for known in &mut plan.contacts {
        if let PlannedPerson::New(fields) | PlannedPerson::Known { fields, .. } = &mut known.who {
            own(&fields.custom);
            **fields = std::mem::take(&mut **fields).without(|field| hidden.is(field));
            contact = true;
        }
    }
    for person in &mut plan.own_persons {
        own(&person.fields.custom);
        *person.fields = std::mem::take(&mut *person.fields).without(|field| hidden.is(field));
        contact = true;
    }
    if let Some(PlannedOpportunity::New { fields, .. } | PlannedOpportunity::Existing { fields, .. }) =
        &mut plan.opportunity
    {
        own(&fields.custom);
        let none = OpportunityFields::default();
        **fields = laid_over(std::mem::take(&mut **fields), &none, &hidden);
        opportunity = true;
    }
    hidden.mask_writes(&mut plan.writes, |record| match record {
        TargetRecord::Account => account,
        TargetRecord::Contact => contact,
        TargetRecord::Opportunity => opportunity,
    });
    // Whether a record says the same is nothing to be told either.
    plan.stays_on_lead.retain(|field| !hidden.shows(field));
    if account || contact || opportunity {
        all.sort();
        all.dedup();
        plan.hidden = all;
    }
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
    let (mapping, by) = (&mapper.mapping, mapper.readings());
    match &mut filled.account {
        PlannedAccount::Existing { id, fields, .. } => {
            let stored = accounts::editable(ctx, txn, *id)?.fields;
            let mapped = mapping.account(lead, Some(&stored), &by).fields;
            **fields = std::mem::take(&mut **fields).keeping(&mapped, |field| hidden.is(field));
        }
        PlannedAccount::New { fields, .. } => {
            let mapped = new_account(mapper, lead).fields;
            **fields = std::mem::take(&mut **fields).keeping(&mapped, |field| hidden.is(field));
        }
        PlannedAccount::None => {}
    }
    for known in &mut filled.contacts {
        if let PlannedPerson::New(fields) = &mut known.who {
            let mapped = new_contact(mapper, lead).fields;
            **fields = std::mem::take(&mut **fields).keeping(&mapped, |field| hidden.shows(field));
        }
        if let PlannedPerson::Known { id, fields, instead_of, is_lead, .. } = &mut known.who {
            let mut told = joined_contact(ctx, txn, *id)?.fields;
            let own: Vec<_> = instead_of.iter().copied().filter(|id| plan.persons.contains(id)).collect();
            let persons = txn.contacts().get(&own)?;
            for person in own.iter().filter_map(|id| persons.iter().find(|person| person.id == *id)) {
                told = learned(mapper, lead, Some(&person.fields), &told).fields;
            }
            if *is_lead {
                told = learned(mapper, lead, None, &told).fields;
            }
            **fields = std::mem::take(&mut **fields).keeping(&told, |field| hidden.shows(field));
        }
    }
    match &mut filled.opportunity {
        Some(PlannedOpportunity::Existing { id, fields, .. }) => {
            let stored = joined_opportunity(ctx, txn, *id)?.fields;
            let mapped = joined(mapper, lead, &stored).fields;
            **fields = laid_over(std::mem::take(&mut **fields), &mapped, &hidden);
        }
        Some(PlannedOpportunity::New { fields, .. }) => {
            let mapped = new_opportunity(mapper, lead).fields;
            **fields = laid_over(std::mem::take(&mut **fields), &mapped, &hidden);
        }
        None => {}
    }
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

/// The fields, those that are hidden as `from` has them. Lines say what the amount says.
fn laid_over(
    mut fields: OpportunityFields,
    from: &OpportunityFields,
    hidden: &Hidden<'_>,
) -> OpportunityFields {
    let is = |name: &str| hidden.is_of_opportunity(name);
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
