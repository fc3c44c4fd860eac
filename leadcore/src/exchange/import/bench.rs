//! The leads that a chunk works on, and which of them a row means.

use std::collections::HashMap;

use crate::domain::{Lead, LeadFields, MatchKey, MatchKind};
use crate::error::Result;
use crate::exchange::coerce::Intent;
use crate::id::LeadId;
use crate::store::Txn;
use crate::value::{PersonName, fold};

/// One lead: as it was read, and as it shall be.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None` for a new one.
    pub(super) before: Option<Lead>,
    pub(super) lead: Lead,
    /// The line that created it or changed it first.
    pub(super) line: Option<u64>,
}

/// The leads that rows of this chunk may mean: those of the store that share a key with one of them, and new ones.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) slots: Vec<Slot>,
    by_id: HashMap<LeadId, usize>,
    by_key: HashMap<MatchKey, Vec<usize>>,
}

/// Which lead a row means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    None,
    One(usize, MatchKind),
    Several(Vec<usize>, MatchKind),
}

impl Bench {
    /// Fetches the leads of the store that have one of these keys, in two calls. Leads that are here already stay as
    /// they are.
    pub(super) fn look_up<'i>(
        &mut self,
        txn: &mut dyn Txn,
        intents: impl Iterator<Item = &'i Intent>,
    ) -> Result<()> {
        let mut keys: Vec<MatchKey> = intents.flat_map(|intent| intent.keys.iter().cloned()).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(());
        }
        let found = txn.leads().find(&keys)?;
        let mut missing: Vec<LeadId> =
            found.iter().map(|(_, id)| *id).filter(|id| !self.by_id.contains_key(id)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            for lead in txn.leads().get(&missing)? {
                self.by_id.insert(lead.id, self.slots.len());
                self.slots.push(Slot { before: Some(lead.clone()), lead, line: None });
            }
        }
        for (key, id) in found {
            if let Some(slot) = self.by_id.get(&id) {
                add_to(self.by_key.entry(key).or_default(), *slot);
            }
        }
        Ok(())
    }

    /// The lead that a row means, by its strongest key that any lead has: external id, then e-mail, then phone.
    ///
    /// A phone alone is weak: colleagues share a switchboard, families a line. It does not count where both sides name
    /// a person or a company and the names differ, where both have e-mails but none in common, or where another system
    /// knows them by two ids.
    pub(super) fn find(&self, intent: &Intent) -> Match {
        for kind in [MatchKind::External, MatchKind::Email, MatchKind::Phone] {
            let mut found = Vec::new();
            for key in intent.keys.iter().filter(|key| key.kind == kind) {
                for slot in self.by_key.get(key).into_iter().flatten() {
                    add_to(&mut found, *slot);
                }
            }
            if kind == MatchKind::Phone {
                found.retain(|slot| {
                    self.slots.get(*slot).is_some_and(|slot| !differ(intent, &slot.lead.fields))
                });
            }
            match found.as_slice() {
                [] => {}
                [slot] => return Match::One(*slot, kind),
                _ => return Match::Several(found, kind),
            }
        }
        Match::None
    }

    /// Adds a new lead.
    pub(super) fn add<'k>(
        &mut self,
        lead: Lead,
        line: u64,
        keys: impl Iterator<Item = &'k MatchKey>,
    ) -> usize {
        let slot = self.slots.len();
        self.by_id.insert(lead.id, slot);
        self.slots.push(Slot { before: None, lead, line: Some(line) });
        self.know(slot, keys);
        slot
    }

    /// Lets later rows find a lead by these keys too.
    pub(super) fn know<'k>(&mut self, slot: usize, keys: impl Iterator<Item = &'k MatchKey>) {
        for key in keys {
            match self.by_key.get_mut(key) {
                Some(slots) => add_to(slots, slot),
                None => {
                    self.by_key.insert(key.clone(), vec![slot]);
                }
            }
        }
    }

    /// Forgets every lead but those that `keep` names.
    pub(super) fn retain(&mut self, keep: impl Fn(&Slot) -> bool) {
        let kept: Vec<Slot> = std::mem::take(&mut self.slots).into_iter().filter(|slot| keep(slot)).collect();
        *self = Self::default();
        for slot in kept {
            let (place, keys) = (self.slots.len(), slot.lead.fields.match_keys());
            self.by_id.insert(slot.lead.id, place);
            self.slots.push(slot);
            self.know(place, keys.iter());
        }
    }
}

fn add_to(slots: &mut Vec<usize>, slot: usize) {
    if !slots.contains(&slot) {
        slots.push(slot);
    }
}

/// Whether a row and a lead that share a phone are two all the same.
fn differ(intent: &Intent, lead: &LeadFields) -> bool {
    let row = &intent.fields;
    let persons = intent.person.as_ref().zip(lead.person.as_ref());
    let companies = row.company.as_deref().zip(lead.company.as_deref());
    let has_emails = !row.emails.is_empty() && !lead.emails.is_empty();
    let shares_email = || {
        let theirs = |email: &str| lead.emails.iter().any(|known| known.canonical() == email);
        row.emails.iter().any(|email| theirs(email.canonical()))
    };
    let two_ids = row.external_ids.iter().any(|id| {
        lead.external_ids.iter().any(|known| known.system() == id.system() && known.id() != id.id())
    });
    persons.is_some_and(|(a, b)| PersonName::match_key(a) != PersonName::match_key(b))
        || companies.is_some_and(|(a, b)| a != b && fold(a) != fold(b))
        || (has_emails && !shares_email())
        || two_ids
}
