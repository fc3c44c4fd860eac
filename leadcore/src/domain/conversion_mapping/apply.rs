//! What one lead writes into its targets by a mapping. Pure: nothing is read but what is handed in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::account::AccountFields;
use crate::domain::catalogue::Catalogue;
use crate::domain::contact::ContactFields;
use crate::domain::display::Names;
use crate::domain::field::Field;
use crate::domain::field_value::FieldValue;
use crate::domain::lead::{Lead, LeadFields};

use super::run::{Run, Slots};
use super::{Consent, ConversionMapping, FillPolicy, TargetField, TargetRecord, Targets};

/// What values are read by.
#[derive(Debug, Clone, Copy)]
pub struct Readings<'a> {
    /// The fields of leads.
    pub leads: &'a Catalogue,
    /// The fields of the targets.
    pub targets: &'a Targets,
    /// What terms, users and choices are called, for fields that become text.
    pub names: &'a Names,
}

/// Why a value is nowhere in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyDropped {
    /// The target has another value and keeps it: the lead's stays on the lead.
    TargetKept,
    /// The lead's value stands where this one stood: it stays in the target's history.
    Overwritten,
    /// The target does not offer this choice.
    NoChoice,
    /// The target cannot read it.
    Unreadable,
    /// The target takes one value.
    OnlyFirst,
    /// The target is full.
    TooLong,
    /// It goes with another field that is not taken along: an amount with its currency.
    OnlyTogether,
    /// The target takes a part of it: the day of a time, the number of an amount of money.
    OnlyPart,
}

/// A value that is nowhere in the target afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The value.
    pub value: FieldValue,
    /// Why.
    pub why: WhyDropped,
}

/// What one rule does with one lead. It is there whenever the lead has a value, also where nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldWrite {
    /// The field of the lead.
    pub from: Field,
    /// The field of the target.
    pub to: TargetField,
    /// The policy of the rule.
    pub policy: FillPolicy,
    /// The value of the target before.
    pub old: FieldValue,
    /// The value after.
    pub new: FieldValue,
    /// What is in neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
}

impl FieldWrite {
    /// Whether the target changes.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.old != self.new
    }
}

/// A target as the mapping makes it, and where each value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped<T> {
    /// The target.
    pub fields: T,
    /// Rule by rule.
    pub writes: Vec<FieldWrite>,
}

impl ConversionMapping {
    /// The account that a lead makes, or what becomes of one that is there. Status is not the lead's to say: a new account
    /// has the default. A rule from the company gives an account and an opportunity what people call the lead; an account
    /// that no rule gives a name is called so too.
    ///
    /// What was said against an address or number, here or there, holds afterwards, whatever the policy.
    ///
    /// ```
    /// use leadcore::domain::conversion_mapping::{ConversionMapping, Readings, Targets};
    /// use leadcore::domain::{AccountFields, Catalogue, Names};
    /// # use leadcore::prelude::*;
    /// # let store = MemoryStore::new();
    /// # let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// # let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let fields = LeadFields { industry: Some("Energy".into()), ..LeadFields::company("Nordlys AS")? };
    /// # let lead = store.write(ctx.tenant(), |txn| desk::leads::create(&ctx, txn, fields.clone().into()))?;
    /// let (leads, targets, names) = (Catalogue::standard(), Targets::standard(), Names::new());
    /// let by = Readings { leads: &leads, targets: &targets, names: &names };
    /// let known = AccountFields { name: "Nordlys".into(), ..AccountFields::default() };
    /// let mapped = ConversionMapping::standard().account(&lead, Some(&known), &by);
    /// assert_eq!(mapped.fields.name, "Nordlys");
    /// assert_eq!(mapped.fields.industry.as_deref(), Some("Energy"));
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    #[must_use]
    pub fn account(
        &self,
        lead: &Lead,
        existing: Option<&AccountFields>,
        by: &Readings<'_>,
    ) -> Mapped<AccountFields> {
        let before = existing.cloned().unwrap_or_default();
        let slots = Slots { fields: before.as_lead_fields(), values: BTreeMap::new() };
        let (slots, writes) = Run::new(self, TargetRecord::Account, lead, existing.is_some(), by).all(slots);
        let mut fields = AccountFields::from_lead_fields(slots.fields, before.status);
        if fields.name.is_empty() {
            lead.fields.display_name().unwrap_or_default().clone_into(&mut fields.name);
        }
        Consent::of_lead(&lead.fields).join(&Consent::of_account(&before)).tighten_account(&mut fields);
        Mapped { fields, writes }
    }

    /// The contact that the person of a lead makes, or what becomes of one that is there; as [`account`](Self::account).
    #[must_use]
    pub fn contact(
        &self,
        lead: &Lead,
        existing: Option<&ContactFields>,
        by: &Readings<'_>,
    ) -> Mapped<ContactFields> {
        let before = existing.cloned().unwrap_or_default();
        let role = (ROLE.to_owned(), before.role.as_deref().into());
        let slots = Slots { fields: before.as_lead_fields(), values: BTreeMap::from([role]) };
        let (mut slots, writes) =
            Run::new(self, TargetRecord::Contact, lead, existing.is_some(), by).all(slots);
        let role = slots.values.remove(ROLE).unwrap_or_default();
        let mut fields = before.clone().with_lead_fields(slots.fields);
        fields.role = role.as_text().map(str::to_owned);
        Consent::of_lead(&lead.fields).join(&Consent::of_contact(&before)).tighten_contact(&mut fields);
        Mapped { fields, writes }
    }

    /// The values of a target that is neither, by the keys of its fields: an opportunity, or a record of the host. `existing`
    /// holds what one that is there has; without it the target is new.
    #[must_use]
    pub fn values(
        &self,
        record: TargetRecord,
        lead: &Lead,
        existing: Option<&BTreeMap<String, FieldValue>>,
        by: &Readings<'_>,
    ) -> Mapped<BTreeMap<String, FieldValue>> {
        let slots = Slots { fields: LeadFields::default(), values: existing.cloned().unwrap_or_default() };
        let run = Run::new(self, record, lead, existing.is_some(), by).by_key();
        let (slots, writes) = run.all(slots);
        Mapped { fields: slots.values, writes }
    }
}

/// The field of a contact that no lead has.
const ROLE: &str = "role";
