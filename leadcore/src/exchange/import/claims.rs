//! Which lead has which value of a unique field, and whether links lead anywhere, over the rows of a file.

use std::collections::{BTreeSet, HashMap};

use crate::desk;
use crate::domain::{Catalogue, CustomValue, Field, Lead, LeadFields, MatchKey, MatchKind, Subject};
use crate::error::{Result, Violation, ViolationCode};
use crate::exchange::coerce::Intent;
use crate::id::LeadId;
use crate::store::Txn;

/// Who has what. Asked of the store once for each value; then kept by the rows that were decided.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Whether ids in other systems are asked for too: where a row that has one is found by it first of all, nobody else
    /// can have it.
    external: bool,
    holders: HashMap<MatchKey, Option<LeadId>>,
    missing: BTreeSet<Subject>,
}

impl Claims {
    pub(super) fn new(external: bool) -> Self {
        Self { external, ..Self::default() }
    }

    /// The unique values of a lead, each with its field.
    fn unique(&self, catalogue: &Catalogue, fields: &LeadFields) -> Vec<(Field, MatchKey)> {
        let mut keys = if catalogue.has_unique() { catalogue.unique_keys(fields) } else { Vec::new() };
        if self.external {
            let ids = fields.external_ids.iter();
            keys.extend(
                ids.map(|id| (Field::ExternalId, MatchKey::new(MatchKind::External, id.to_string()))),
            );
        }
        keys
    }

    /// Asks who has the values of these rows.
    pub(super) fn look_up<'i>(
        &mut self,
        txn: &mut dyn Txn,
        catalogue: &Catalogue,
        intents: impl Iterator<Item = &'i Intent> + Clone,
    ) -> Result<()> {
        let fields = intents.map(|intent| &intent.fields);
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
        let keys: Vec<MatchKey> = keys.filter(|key| !self.holders.contains_key(key)).collect();
        let found = txn.leads().find(&keys)?;
        self.holders.extend(keys.into_iter().map(|key| (key, None)));
        self.holders.extend(found.into_iter().map(|(key, id)| (key, Some(id))));
        Ok(())
    }

    /// Refuses values that a lead shall have and another lead has, and links that lead nowhere.
    pub(super) fn check(
        &self,
        catalogue: &Catalogue,
        after: &Lead,
        before: Option<&Lead>,
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
        for (field, key) in self.unique(catalogue, &after.fields) {
            if self.holders.get(&key).copied().flatten().is_some_and(|holder| holder != after.id) {
                let message = "another lead has this value";
                broken.push(Violation::new(field.key(), ViolationCode::Duplicate, message));
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// Gives a lead its values, which were [checked](Self::check).
    pub(super) fn hold(&mut self, catalogue: &Catalogue, after: &Lead, before: Option<&Lead>) {
        for (_, key) in before.map(|before| self.unique(catalogue, &before.fields)).unwrap_or_default() {
            self.holders.insert(key, None);
        }
        let new = self.unique(catalogue, &after.fields);
        self.holders.extend(new.into_iter().map(|(_, key)| (key, Some(after.id))));
    }
}
