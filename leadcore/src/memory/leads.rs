//! Leads in memory.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{AmountSum, CustomValue, Field, FieldValue, Lead, MatchKey, StageSum};
use crate::error::{Error, ErrorKind, Result};
use crate::id::LeadId;
use crate::query::{Cursor, Direction, LeadScan, Resolved, Sort};
use crate::store::{Derived, LeadChange, Leads, Tallies};

use super::{MemoryTxn, State, check_revision, exists};

impl State {
    pub(super) fn live(&self) -> impl Iterator<Item = &Lead> {
        self.leads.values().map(Arc::as_ref).filter(|lead| lead.trashed.is_none())
    }

    fn add_keys(&mut self, lead: &Lead) {
        if lead.trashed.is_some() {
            return;
        }
        let keys = Arc::make_mut(&mut self.keys);
        for key in lead.fields.match_keys().into_iter().chain(lead.fields.custom_keys()) {
            keys.entry(key).or_default().insert((lead.number, lead.id));
        }
    }

    fn drop_keys(&mut self, lead: &Lead) {
        let keys = Arc::make_mut(&mut self.keys);
        for key in lead.fields.match_keys().into_iter().chain(lead.fields.custom_keys()) {
            if let Some(leads) = keys.get_mut(&key) {
                leads.remove(&(lead.number, lead.id));
                if leads.is_empty() {
                    keys.remove(&key);
                }
            }
        }
    }
}

fn order(lead: &Lead, cursor: &Cursor) -> Ordering {
    directed(&cursor.sort, cursor.sort.by.key(lead).order(&cursor.key).then(lead.id.cmp(&cursor.id)))
}

fn directed(sort: &Sort, order: Ordering) -> Ordering {
    match sort.direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

impl Leads for MemoryTxn {
    fn insert(&mut self, leads: &[Lead]) -> Result<()> {
        let state = self.writable()?;
        let mut next = state.clone();
        for lead in leads {
            if !Arc::make_mut(&mut next.numbers_used).insert(lead.number) {
                return Err(exists("lead", "number"));
            }
            if Arc::make_mut(&mut next.leads).insert(lead.id, Arc::new(lead.clone())).is_some() {
                return Err(exists("lead", "id"));
            }
            next.add_keys(lead);
        }
        *state = next;
        Ok(())
    }

    fn update(&mut self, changes: &[LeadChange]) -> Result<()> {
        let state = self.writable()?;
        let mut next = state.clone();
        for LeadChange { before, after } in changes {
            let stored = next.leads.get(&before.id).cloned().ok_or_else(|| Error::not_found("lead"))?;
            check_revision("lead", stored.revision, before.revision)?;
            next.drop_keys(&stored);
            next.add_keys(after);
            next.step(before, after);
            Arc::make_mut(&mut next.leads).insert(after.id, Arc::new(after.clone()));
        }
        *state = next;
        Ok(())
    }

    fn remove(&mut self, leads: &[Lead]) -> Result<()> {
        let state = self.writable()?;
        let mut next = state.clone();
        for lead in leads {
            let stored = next.leads.get(&lead.id).ok_or_else(|| Error::not_found("lead"))?;
            check_revision("lead", stored.revision, lead.revision)?;
            let stored = Arc::clone(stored);
            next.drop_keys(&stored);
            Arc::make_mut(&mut next.numbers_used).remove(&stored.number);
            Arc::make_mut(&mut next.leads).remove(&lead.id);
            Arc::make_mut(&mut next.steps).remove(&lead.id);
            Arc::make_mut(&mut next.marks).retain(|(_, marked), _| *marked != lead.id);
        }
        *state = next;
        Ok(())
    }

    fn get(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>> {
        Ok(ids.iter().filter_map(|id| self.state.leads.get(id)).map(|lead| lead.as_ref().clone()).collect())
    }

    fn find(&mut self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, LeadId)>> {
        let mut keys = keys.to_vec();
        keys.sort();
        keys.dedup();
        let mut found = Vec::new();
        for key in keys {
            let leads = self.state.keys.get(&key).into_iter().flatten();
            found.extend(leads.map(|(_, id)| (key.clone(), *id)));
        }
        Ok(found)
    }

    fn scan(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
        let mut leads: Vec<&Lead> = self
            .state
            .leads
            .values()
            .map(Arc::as_ref)
            .filter(|lead| lead.trashed.is_some() == scan.trashed)
            .filter(|lead| scan.after.as_ref().is_none_or(|cursor| order(lead, cursor).is_gt()))
            .filter(|lead| scan.filter.matches_with(lead, &self.state))
            .collect();
        leads.sort_by(|a, b| {
            let by_key = scan.sort.by.key(a).order(&scan.sort.by.key(b));
            directed(&scan.sort, by_key.then(a.id.cmp(&b.id)))
        });
        Ok(leads.into_iter().take(scan.limit).cloned().collect())
    }

    fn derive(&mut self, derived: &[Derived]) -> Result<()> {
        let leads = Arc::make_mut(&mut self.writable()?.leads);
        for new in derived {
            if let Some(lead) = leads.get_mut(&new.id) {
                let lead = Arc::make_mut(lead);
                (lead.follow_up, lead.active_at) = (new.follow_up, new.active_at);
            }
        }
        Ok(())
    }
}

impl Tallies for MemoryTxn {
    fn count(&mut self, filter: &Resolved) -> Result<u64> {
        Ok(self.state.live().filter(|lead| filter.matches_with(lead, &self.state)).map(|_| 1).sum())
    }

    fn kept(&mut self, filter: &Resolved) -> Result<Option<u64>> {
        self.count(filter).map(Some)
    }

    fn count_by(&mut self, filter: &Resolved, field: &Field) -> Result<Vec<(FieldValue, u64)>> {
        if !field.is_groupable() {
            return Err(Error::new(ErrorKind::Unsupported, "leads cannot be counted by this field"));
        }
        let mut counts: BTreeMap<String, (FieldValue, u64)> = BTreeMap::new();
        for lead in self.state.live().filter(|lead| filter.matches_with(lead, &self.state)) {
            let values = match field {
                Field::Custom(key) => lead.fields.custom.get(key).map(CustomValue::forms).unwrap_or_default(),
                field => vec![field.read(lead)],
            };
            let values = if values.is_empty() { vec![FieldValue::Empty] } else { values };
            for value in values {
                let key = match &value {
                    FieldValue::Empty => String::new(),
                    FieldValue::Id(id) => id.to_string(),
                    other => format!("{other:?}"),
                };
                counts.entry(key).or_insert((value, 0)).1 += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_by(|(a, _), (b, _)| a.order(b));
        Ok(counts)
    }

    fn sums(&mut self, filter: &Resolved) -> Result<Vec<StageSum>> {
        let mut sums = BTreeMap::new();
        let matching = self.state.live().filter(|lead| filter.matches_with(lead, &self.state));
        for lead in matching.filter(|lead| lead.fields.amount.is_some()) {
            // By the code, which is what stores keep.
            let currency = lead.fields.currency.map(|currency| currency.code().to_owned());
            let (_, sum) =
                sums.entry((lead.stage, currency)).or_insert((lead.fields.currency, AmountSum::default()));
            sum.add(&lead.fields);
        }
        let sums = sums.into_iter();
        Ok(sums.map(|((stage, _), (currency, sum))| StageSum { stage, currency, sum }).collect())
    }
}
