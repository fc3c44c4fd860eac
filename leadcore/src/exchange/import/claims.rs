//! Which lead has which value of a unique field, and whether links lead anywhere, over the rows of a file.

use std::collections::{BTreeSet, HashMap};

use crate::desk;
use crate::domain::{Catalogue, CustomValue, Field, Lead, LeadFields, MatchKey, MatchKind, Subject};
use crate::error::{Result, Violation, ViolationCode};
use crate::exchange::coerce::Intent;
use crate::id::LeadId;
use crate::store::Txn;

/// Who has what: by the store, and by the rows that were decided since.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Whether ids in other systems are asked for too: where a row that has one is found by it first of all, nobody else
    /// can have it.
    external: bool,
    /// Whom the store names, for the values of the rows at hand.
    stored: HashMap<MatchKey, LeadId>,
    /// Who took a value, or that it was given up.
    decided: HashMap<MatchKey, Option<LeadId>>,
    missing: BTreeSet<Subject>,
}

/// The unique values among these, each with its field; also ids in other systems where they are `external`.
pub(super) fn claimed(catalogue: &Catalogue, external: bool, fields: &LeadFields) -> Vec<(Field, MatchKey)> {
    let mut keys = if catalogue.has_unique() { catalogue.unique_keys(&fields.custom) } else { Vec::new() };
    if external {
        let ids = fields.external_ids.iter();
        keys.extend(ids.map(|id| (Field::ExternalId, MatchKey::new(MatchKind::External, id.to_string()))));
    }
    keys
}

/// What a row may write: with and without the default values of empty cells.
pub(super) fn every_fields(intent: &Intent) -> impl Iterator<Item = &LeadFields> + Clone {
    std::iter::once(&intent.fields).chain(intent.for_new.as_deref().map(|new| &new.fields))
}

/// Why a value is refused that only one lead may have.
pub(super) fn another_has(field: &str) -> Violation {
    Violation::new(field, ViolationCode::Duplicate, "another lead has this value")
}

impl Claims {
    pub(super) fn new(external: bool) -> Self {
        Self { external, ..Self::default() }
    }

    fn unique(&self, catalogue: &Catalogue, fields: &LeadFields) -> Vec<(Field, MatchKey)> {
        claimed(catalogue, self.external, fields)
    }

    /// The lead that has a value.
    fn holder(&self, key: &MatchKey) -> Option<LeadId> {
        self.decided.get(key).copied().unwrap_or_else(|| self.stored.get(key).copied())
    }

    /// Asks who has the values of these rows.
    pub(super) fn look_up<'i>(
        &mut self,
        txn: &mut dyn Txn,
        catalogue: &Catalogue,
        intents: impl Iterator<Item = &'i Intent> + Clone,
    ) -> Result<()> {
        self.stored.clear();
        let fields = intents.flat_map(every_fields);
        let custom = fields.clone().filter(|fields| !fields.custom.is_empty());
        let subjects: BTreeSet<Subject> = custom
            .clone()
            .flat_map(|fields| fields.custom.values())
            .filter_map(|value| if let CustomValue::Link(subject) = value { Some(*subject) } else { None })
            .collect();
        self.missing = desk::missing(txn, subjects)?;
        if !catalogue.has_unique() && !self.external {
            return Ok(());
        }
        let keys: Vec<_> = fields.flat_map(|fields| self.unique(catalogue, fields)).collect();
        let keys = keys.into_iter().map(|(_, key)| key);
        let keys: Vec<MatchKey> = keys.filter(|key| !self.decided.contains_key(key)).collect();
        self.stored.extend(txn.leads().find(&keys)?);
        Ok(())
    }

    /// The records that the rows at hand link to and that there are not.
    pub(super) const fn missing(&self) -> &BTreeSet<Subject> {
        &self.missing
    }

    /// Asks who has these values, too.
    pub(super) fn look_up_more(&mut self, txn: &mut dyn Txn, keys: &[MatchKey]) -> Result<()> {
        if !keys.is_empty() {
            self.stored.extend(txn.leads().find(keys)?);
        }
        Ok(())
    }

    /// Refuses values that a lead shall have and another lead has, and links that lead nowhere. What its row calls by other
    /// names is `named`.
    pub(super) fn check(
        &self,
        catalogue: &Catalogue,
        after: &Lead,
        before: Option<&Lead>,
        named: &[(Field, MatchKey)],
    ) -> Result<(), Vec<Violation>> {
        let mut broken = Vec::new();
        for (key, value) in &after.fields.custom {
            let kept = before.is_some_and(|before| before.fields.custom.get(key) == Some(value));
            if let CustomValue::Link(subject) = value
                && !kept
                && self.missing.contains(subject)
            {
                broken.push(desk::no_such_record(key));
            }
        }
        for (field, key) in self.unique(catalogue, &after.fields).iter().chain(named) {
            let reason = another_has(field.key());
            if self.holder(key).is_some_and(|holder| holder != after.id) && !broken.contains(&reason) {
                broken.push(reason);
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// Gives a lead its values, which were [checked](Self::check).
    pub(super) fn hold(
        &mut self,
        catalogue: &Catalogue,
        after: &Lead,
        before: Option<&Lead>,
        named: &[(Field, MatchKey)],
    ) {
        for (_, key) in before.map(|before| self.unique(catalogue, &before.fields)).unwrap_or_default() {
            self.decided.insert(key, None);
        }
        let new = self.unique(catalogue, &after.fields);
        let named = named.iter().cloned();
        self.decided.extend(new.into_iter().chain(named).map(|(_, key)| (key, Some(after.id))));
    }

    /// What leads are to have that earlier parts of the file claimed.
    pub(super) fn recall(&mut self, claims: impl Iterator<Item = (MatchKey, LeadId)>) {
        for (key, lead) in claims {
            self.decided.entry(key).or_insert(Some(lead));
        }
    }

    /// Gives a lead a value, unless another one has it.
    pub(super) fn give(&mut self, key: MatchKey, lead: LeadId) -> bool {
        let is_free = self.holder(&key).is_none_or(|holder| holder == lead);
        if is_free {
            self.decided.insert(key, Some(lead));
        }
        is_free
    }

    /// Forgets what no row asks for any more.
    pub(super) fn keep(&mut self, is_asked: impl Fn(&MatchKey) -> bool) {
        self.decided.retain(|key, _| is_asked(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::domain::{Actor, CustomField, CustomKey, CustomType, LeadDraft};
    use crate::id::SequentialIds;
    use crate::memory::MemoryStore;
    use crate::policy::AllowAll;
    use crate::store::{StoreExt, Txn};
    use crate::time::ManualClock;

    #[test]
    fn of_many_values_only_those_are_kept_that_are_asked_for_again() {
        let (store, clock, ids) = (MemoryStore::new(), ManualClock::default(), SequentialIds::new(1));
        let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
        let key = CustomKey::new("x_code").unwrap();
        let mut catalogue = Catalogue::standard();
        catalogue.set_custom_field(CustomField::new(key.clone(), "Code", CustomType::Text).unique(true));
        let lead = |txn: &mut dyn Txn, code: String| {
            let mut fields = LeadFields::company("A").unwrap();
            fields.custom.insert(key.clone(), CustomValue::Text(code));
            let intake = desk::Intake::load(&ctx, txn).unwrap();
            intake.prepare(&ctx, LeadDraft::from(fields))
        };
        let mut claims = Claims::new(true);
        let mut leads = Vec::new();
        store
            .write(ctx.tenant(), |txn| {
                desk::settings::set_catalogue(&ctx, txn, None, &catalogue)?;
                leads.extend((0..100).map(|n| lead(txn, format!("K{n}")).unwrap()));
                Ok(())
            })
            .unwrap();
        for lead in &leads {
            claims.hold(&catalogue, lead, None, &[]);
        }
        let asked: Vec<_> =
            claimed(&catalogue, true, &leads[7].fields).into_iter().map(|(_, key)| key).collect();
        claims.keep(|key| asked.contains(key));
        assert_eq!(claims.decided.len(), 1);
        let other = Lead { id: leads[8].id, ..leads[7].clone() };
        assert_eq!(
            claims.check(&catalogue, &other, None, &[]).unwrap_err()[0].code,
            ViolationCode::Duplicate
        );
        claims.check(&catalogue, &leads[7], None, &[]).unwrap();
        // What was given up is free, whatever the store says.
        claims.stored.insert(asked[0].clone(), leads[7].id);
        let after = Lead { fields: LeadFields::company("A").unwrap(), ..leads[7].clone() };
        claims.hold(&catalogue, &after, Some(&leads[7]), &[]);
        claims.check(&catalogue, &other, None, &[]).unwrap();
    }
}
