//! Fields that the actor sees, and that the mapping fills from fields that are hidden from them: a plan shows what the mapping makes of
//! the lead as they see it. When the plan is carried out, it is what the mapping makes of the whole lead, unless somebody wrote
//! something else there.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::conversion_mapping::{FieldWrite, TargetField, TargetRecord};
use crate::domain::{AccountFields, ContactFields, Field, FieldValue, Lead, LeadFields, OpportunityFields};

use crate::context::Context;
use crate::error::Result;
use crate::id::ContactId;
use crate::store::Txn;

use super::super::accounts;
use super::super::conversion_mapping::Mapper;
use super::deal::{joined, values_of};
use super::made::{new_account, new_contact, new_opportunity};
use super::persons::learned;
use super::plan::{PlannedAccount, PlannedOpportunity, PlannedPerson};
use super::sales::{joined_contact, joined_opportunity};

/// A lead, and what of it is seen.
pub(super) struct Seen<'a> {
    lead: &'a Lead,
    seen: Lead,
    /// Whether what is hidden comes in; else it goes out.
    comes_in: bool,
    /// What it went out of.
    from: BTreeSet<TargetField>,
}

impl<'a> Seen<'a> {
    /// For a plan that somebody looks at.
    pub(super) fn looking(lead: &'a Lead, is_hidden: impl Fn(&Field) -> bool) -> Self {
        Self { lead, seen: without(lead, is_hidden), comes_in: false, from: BTreeSet::new() }
    }

    /// For one that is carried out, and was made for somebody who did not see these fields.
    pub(super) fn carrying_out(lead: &'a Lead, was_hidden: impl Fn(&Field) -> bool) -> Self {
        Self { lead, seen: without(lead, was_hidden), comes_in: true, from: BTreeSet::new() }
    }

    /// Both, as `map` makes something of the whole lead, and of what is seen.
    fn both<T>(&self, map: impl Fn(&Lead) -> T) -> [T; 2] {
        [map(self.lead), map(&self.seen)]
    }

    /// The account: what the mapping makes of the whole lead, and of what is seen. What is seen of nobody is called by the number
    /// of the lead.
    pub(super) fn account(&mut self, fields: &mut AccountFields, [whole, mut shown]: [AccountFields; 2]) {
        if shown.name.is_empty() && !whole.name.is_empty() {
            shown.name = format!("#{}", self.lead.number);
        }
        let (before, after) = if self.comes_in { (shown, whole) } else { (whole, shown) };
        let sides = [&before, &after, &*fields].map(AccountFields::as_lead_fields);
        self.went(TargetRecord::Account, &sides);
        *fields = std::mem::take(fields).keeping(&after, |field| is_moved(field, &sides));
    }

    /// The same of a person.
    pub(super) fn contact(&mut self, fields: &mut ContactFields, [whole, shown]: [ContactFields; 2]) {
        let (before, after) = if self.comes_in { (shown, whole) } else { (whole, shown) };
        let sides = [&before, &after, &*fields].map(ContactFields::as_lead_fields);
        self.went(TargetRecord::Contact, &sides);
        let mut role = fields.role.take();
        if before.role != after.role && role == before.role {
            role.clone_from(&after.role);
            self.from.extend(TargetField::new(TargetRecord::Contact, "role").ok());
        }
        *fields = std::mem::take(fields).keeping(&after, |field| is_moved(field, &sides));
        fields.role = role;
    }

    /// The same of an opportunity: the keys of what moves, and where to.
    pub(super) fn opportunity(
        &mut self,
        fields: &OpportunityFields,
        [whole, shown]: [OpportunityFields; 2],
    ) -> (BTreeSet<String>, OpportunityFields) {
        let (before, after) = if self.comes_in { (shown, whole) } else { (whole, shown) };
        let [from, to, now] = [&before, &after, fields].map(values_of);
        let value =
            |values: &BTreeMap<String, FieldValue>, key: &str| values.get(key).cloned().unwrap_or_default();
        let is_moved =
            |key: &&String| value(&from, key) != value(&to, key) && value(&now, key) == value(&from, key);
        let moved: BTreeSet<String> = from.keys().chain(to.keys()).filter(is_moved).cloned().collect();
        let keys = moved.iter();
        self.from.extend(keys.filter_map(|key| TargetField::new(TargetRecord::Opportunity, key).ok()));
        (moved, after)
    }

    fn went(&mut self, record: TargetRecord, sides: &[LeadFields; 3]) {
        let [before, after, _] = sides;
        let custom = before.custom.keys().chain(after.custom.keys()).cloned().map(Field::Custom);
        let all = Field::ALL.iter().cloned().chain(custom).filter(|field| is_moved(field, sides));
        self.from.extend(all.filter_map(|field| {
            let is_name = record == TargetRecord::Account && field == Field::Company;
            TargetField::new(record, if is_name { "name" } else { field.key() }).ok()
        }));
    }

    /// Takes the writes out that tell what went.
    pub(super) fn mask_writes(&self, writes: &mut Vec<FieldWrite>) {
        writes.retain(|write| !self.from.contains(&write.to));
    }
}

/// What the mapping makes of a lead for the records of a plan.
pub(super) struct Made<'a> {
    pub(super) ctx: &'a Context<'a>,
    pub(super) mapper: &'a Mapper,
    /// The persons of the lead when the plan was made.
    pub(super) persons: &'a [ContactId],
    pub(super) is_hidden: &'a dyn Fn(&Field) -> bool,
}

impl Made<'_> {
    /// The account: of the whole lead, and of what is seen.
    pub(super) fn account(
        &self,
        txn: &mut dyn Txn,
        seen: &Seen<'_>,
        planned: &PlannedAccount,
    ) -> Result<Option<[AccountFields; 2]>> {
        let (mapping, by) = (&self.mapper.mapping, self.mapper.readings());
        Ok(match planned {
            PlannedAccount::Existing { id, .. } => {
                let stored = accounts::editable(self.ctx, txn, *id)?.fields;
                Some(seen.both(|lead| mapping.account(lead, Some(&stored), &by).fields))
            }
            PlannedAccount::New { .. } => Some(seen.both(|lead| new_account(self.mapper, lead).fields)),
            PlannedAccount::None => None,
        })
    }

    /// The same of a person.
    pub(super) fn contact(
        &self,
        txn: &mut dyn Txn,
        seen: &Seen<'_>,
        planned: &PlannedPerson,
    ) -> Result<Option<[ContactFields; 2]>> {
        let (id, instead_of, is_lead) = match planned {
            PlannedPerson::Existing(_) => return Ok(None),
            PlannedPerson::New(_) => {
                return Ok(Some(seen.both(|lead| new_contact(self.mapper, lead).fields)));
            }
            PlannedPerson::Known { id, instead_of, is_lead, .. } => (*id, instead_of, *is_lead),
        };
        let stored = joined_contact(self.ctx, txn, id)?.fields;
        let own: Vec<_> = instead_of.iter().copied().filter(|id| self.persons.contains(id)).collect();
        let found = txn.contacts().get(&own)?;
        let whole: Vec<_> =
            own.iter().filter_map(|id| found.iter().find(|person| person.id == *id)).collect();
        let whole: Vec<_> = whole.into_iter().map(|person| person.fields.clone()).collect();
        let shown: Vec<_> = whole.iter().map(|person| person.clone().without(self.is_hidden)).collect();
        let told = |lead: &Lead, persons: &[ContactFields]| {
            let mut told = stored.clone();
            for person in persons {
                told = learned(self.mapper, lead, Some(person), &told).fields;
            }
            if is_lead { learned(self.mapper, lead, None, &told).fields } else { told }
        };
        Ok(Some([told(seen.lead, &whole), told(&seen.seen, &shown)]))
    }

    /// The same of an opportunity.
    pub(super) fn opportunity(
        &self,
        txn: &mut dyn Txn,
        seen: &Seen<'_>,
        planned: &PlannedOpportunity,
    ) -> Result<[OpportunityFields; 2]> {
        Ok(match planned {
            PlannedOpportunity::Existing { id, .. } => {
                let stored = joined_opportunity(self.ctx, txn, *id)?.fields;
                seen.both(|lead| joined(self.mapper, lead, &stored).fields)
            }
            PlannedOpportunity::New { .. } => seen.both(|lead| new_opportunity(self.mapper, lead).fields),
        })
    }
}

/// The lead without these fields.
fn without(lead: &Lead, is_hidden: impl Fn(&Field) -> bool) -> Lead {
    let mut seen = lead.clone();
    for field in Field::ALL.iter().filter(|field| field.is_writable() && is_hidden(field)) {
        // Clearing a field never fails: only values are checked.
        let _ = field.write(&mut seen.fields, &FieldValue::Empty);
    }
    seen.fields.custom.retain(|key, _| !is_hidden(&Field::Custom(key.clone())));
    seen
}

/// Whether a field is as it was before, and is something else after.
fn is_moved(field: &Field, [before, after, now]: &[LeadFields; 3]) -> bool {
    let [before, after, now] = [before, after, now].map(|fields| field.read_fields(fields));
    before != after && now == before
}
