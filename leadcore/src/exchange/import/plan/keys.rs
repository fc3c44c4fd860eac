//! Which keys leads lose, which ids are free, and what the rest of a file asks for.

use std::collections::BTreeMap;

use super::{Planner, every_key};
use crate::domain::{FieldChange, LeadFields, MatchKey, MatchKind};
use crate::error::Result;
use crate::exchange::coerce::{Intent, derived};
use crate::exchange::import::ahead::KeysAhead;
use crate::exchange::import::records::Record;
use crate::id::LeadId;
use crate::store::Txn;

impl Planner<'_> {
    /// Asks which ids that a plan means for new leads were taken since: by the same plan, carried out before. Where that
    /// was taken back, so that such a lead is in the trash, another id stands for it, always the same one.
    pub(super) fn look_up_ids(&mut self, txn: &mut dyn Txn, records: &[Record]) -> Result<()> {
        let linked =
            |change: &FieldChange| change.after.as_id().filter(|_| self.links.is_link(&change.field));
        let linked = records.iter().flat_map(Record::planned_values).filter_map(linked);
        let new = records.iter().filter_map(Record::creates_or_means).chain(linked.map(LeadId::from_uuid));
        let mut asked: BTreeMap<LeadId, LeadId> = new.map(|id| (id, id)).collect();
        while !asked.is_empty() {
            let ids: Vec<_> = asked.keys().copied().collect();
            let mut next = BTreeMap::new();
            for lead in txn.leads().get(&ids)? {
                let Some(planned) = asked.get(&lead.id).copied() else { continue };
                if lead.trashed.is_some() {
                    let instead = another(lead.id);
                    self.instead.insert(planned, instead);
                    next.insert(instead, planned);
                } else {
                    self.taken.insert(lead.id);
                }
            }
            asked = next;
        }
        Ok(())
    }

    /// The id that a lead has for which a plan has this one.
    pub(super) fn id_for(&self, planned: LeadId) -> LeadId {
        self.instead.get(&planned).copied().unwrap_or(planned)
    }

    /// Forgets what no row further down refers to.
    pub(in crate::exchange::import) fn keep_for(&mut self, ahead: &KeysAhead) {
        self.claims.keep(|key| ahead.holds(key));
        self.bench.retain(|slot| {
            let had = slot.before.iter().flat_map(|before| every_key(&before.fields));
            let is_asked = |keys: Vec<MatchKey>| keys.iter().any(|key| ahead.holds(key));
            // A lead that lost a key is not what the store says of that key.
            !slot.lines.is_empty()
                && (ahead.holds(&slot.lead.id)
                    || ahead.holds(&slot.lead.number)
                    || is_asked(every_key(&slot.lead.fields))
                    || is_asked(had.collect()))
        });
    }
}

/// The keys of a row by which later rows find the lead: not those of another system in which the lead keeps its own id.
pub(super) fn kept(intent: &Intent, after: &LeadFields) -> Vec<MatchKey> {
    let own = |key: &&MatchKey| {
        key.kind != MatchKind::External || after.external_ids.iter().any(|id| id.to_string() == key.key)
    };
    intent.keys.iter().filter(own).cloned().collect()
}

/// An id that follows from this one.
fn another(id: LeadId) -> LeadId {
    derived(id.as_uuid().as_bytes())
}

/// The keys that a row takes from a lead. Only what it empties, and what it writes over in a custom field, is gone.
pub(super) fn lost(intent: &Intent, before: &LeadFields, after: &LeadFields) -> Vec<MatchKey> {
    if intent.clear.is_empty() && intent.fields.custom.is_empty() {
        return Vec::new();
    }
    let has = every_key(after);
    every_key(before).into_iter().filter(|key| !has.contains(key)).collect()
}
