//! The leads that a chunk works on, and which of them a row means.

use std::collections::{HashMap, HashSet};

use super::likeness::{
    differ, is_another, is_another_person, is_called_so, is_somebody_else, shares_no_more,
};
use super::{CARDS, MatchBy};
use crate::context::Context;
use crate::domain::{
    ExternalRef, Field, FieldValue, IMPORT_LINE, Lead, LeadFields, MatchKey, MatchKind, Topics,
};
use crate::error::Result;
use crate::exchange::coerce::Intent;
use crate::id::{LeadId, OperationId};
use crate::query::{Filter, LeadScan, Operator, Sort, SortField};
use crate::store::Txn;
use crate::time::Timestamp;
use crate::value::Phone;

/// One lead: as it was read, and as it shall be.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None` for a new one.
    pub(super) before: Option<Lead>,
    pub(super) lead: Lead,
    /// The lines that created it or changed it.
    pub(super) lines: Vec<u64>,
    /// The first such line of a part of the import that is written already; none in it where it was not asked for yet.
    written: Option<Option<u64>>,
}

impl Slot {
    /// The first line of the file that created it or changed it.
    pub(super) fn earlier_line(&self) -> Option<u64> {
        self.written.flatten().or_else(|| self.lines.first().copied())
    }
}

/// The leads that rows of this chunk may mean: those of the store that share a key with one of them, and new ones.
#[derive(Debug, Default)]
pub(super) struct Bench {
    /// What leads are recognised by, the strongest first.
    by: Vec<MatchBy>,
    /// Whether somebody chose the keys. Then a number says which lead is meant whatever the rest of the row says, and an id or
    /// number that no lead has is wrong.
    trusts_numbers: bool,
    /// The highest number that rows may mean.
    known_numbers: u64,
    /// The systems of ids of which nobody said whose they are.
    unnamed: &'static [&'static str],
    pub(super) slots: Vec<Slot>,
    by_id: HashMap<LeadId, usize>,
    /// Leads in the trash that rows name by their ids.
    trashed: HashSet<LeadId>,
    by_number: HashMap<u64, usize>,
    by_key: HashMap<MatchKey, Vec<usize>>,
}

/// How many of the latest entries about a lead are looked through for those of the same import.
const HISTORY: usize = 64;
/// How many numbers are looked up at a time.
const NUMBERS: usize = 500;

/// Which lead a row means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    None,
    One(usize, MatchBy),
    Several(Vec<usize>, MatchBy),
    /// The row has the number of this lead, or its id in a system that nobody named, and is about another one by the rest of it.
    Doubted(usize, MatchBy),
    /// The row has an id of this lead, and in another system an id that the lead does not have there.
    Contradicted(usize),
    /// The row names a lead that there is not.
    Gone(MatchBy),
}

impl Bench {
    /// For rows that are recognised by these keys. Where nobody chose them, an id comes first, then a number, as long as the
    /// rest of the row does not speak against it.
    pub(super) fn new(by: &[MatchBy], known_numbers: u64) -> Self {
        let trusts_numbers = *by != MatchBy::DEFAULT;
        let before: &[MatchBy] = if trusts_numbers { &[] } else { &[MatchBy::Id, MatchBy::Number] };
        Self {
            by: before.iter().chain(by).cloned().collect(),
            trusts_numbers,
            known_numbers,
            ..Self::default()
        }
    }

    /// Nobody said whose the ids in these systems are: two files may mean two systems by one.
    pub(super) const fn doubting(mut self, systems: &'static [&'static str]) -> Self {
        self.unnamed = systems;
        self
    }

    /// Fetches the leads of the store that have one of these keys, in two calls, and those with these ids. Leads that are
    /// here already stay as they are.
    pub(super) fn look_up<'i>(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        intents: impl Iterator<Item = &'i Intent> + Clone,
        chosen: &[LeadId],
    ) -> Result<()> {
        let mut keys: Vec<MatchKey> =
            intents.clone().flat_map(|intent| intent.keys.iter().cloned()).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = if keys.is_empty() { Vec::new() } else { txn.leads().find(&keys)? };
        let mut missing: Vec<LeadId> = found.iter().map(|(_, id)| *id).collect();
        if self.by.contains(&MatchBy::Id) {
            missing.extend(intents.clone().flat_map(Intent::own_ids));
        }
        missing.extend(chosen);
        missing.retain(|id| !self.by_id.contains_key(id));
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let leads = txn.leads().get(&missing)?;
            // Only what was asked by id may be in the trash.
            for lead in leads {
                if lead.trashed.is_some() {
                    self.trashed.insert(lead.id);
                } else {
                    self.put(lead);
                }
            }
        }
        if self.by.contains(&MatchBy::Number) {
            self.look_up_numbers(ctx, txn, intents.filter_map(|intent| intent.number))?;
        }
        for (key, id) in found {
            if let Some(slot) = self.by_id.get(&id).copied().filter(|slot| self.has(*slot, &key)) {
                add_to(self.by_key.entry(key).or_default(), slot);
            }
        }
        Ok(())
    }

    /// Asks which of the leads at hand earlier parts of this import wrote, of those that were written since it began.
    pub(super) fn recall(
        &mut self,
        txn: &mut dyn Txn,
        (operation, began): (OperationId, Timestamp),
    ) -> Result<()> {
        for slot in self.slots.iter_mut().filter(|slot| slot.written.is_none()) {
            slot.written = Some(None);
            if slot.before.as_ref().is_none_or(|lead| lead.updated_at < began) {
                continue;
            }
            let subject = [slot.lead.id.into()];
            let entries = txn.journal().about(&subject, Topics::NONE, None, HISTORY)?;
            let own = entries.iter().filter(|entry| entry.operation == operation);
            let lines = own.flat_map(|entry| &entry.changes).filter(|change| change.field == IMPORT_LINE);
            let lines = lines.flat_map(|change| change.after.items());
            let lines = lines.filter_map(|line| match line {
                FieldValue::Integer(line) => u64::try_from(*line).ok(),
                _ => None,
            });
            slot.written = Some(lines.min());
        }
        Ok(())
    }

    /// Whether a lead still has a key that it has in the store.
    fn has(&self, slot: usize, key: &MatchKey) -> bool {
        let Some(slot) = self.slots.get(slot) else { return false };
        slot.lines.is_empty() || every_key(&slot.lead.fields).contains(key)
    }

    fn put(&mut self, lead: Lead) {
        self.by_id.insert(lead.id, self.slots.len());
        self.by_number.insert(lead.number, self.slots.len());
        self.slots.push(Slot { before: Some(lead.clone()), lead, lines: Vec::new(), written: None });
    }

    fn look_up_numbers(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        numbers: impl Iterator<Item = u64>,
    ) -> Result<()> {
        let most = self.known_numbers;
        let numbers = numbers.filter(|number| *number <= most && !self.by_number.contains_key(number));
        for lead in with_numbers(ctx, txn, numbers)? {
            if !self.by_id.contains_key(&lead.id) {
                self.put(lead);
            }
        }
        Ok(())
    }

    /// The place of a lead.
    pub(super) fn place(&self, id: LeadId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The lead that a row means, by its strongest key that any lead has.
    ///
    /// A key does not count against a stronger one: behind the external id, a lead that has [another id](Self::contradicts) in a
    /// system of the row is not meant, and behind an id or number that is another lead's none is.
    ///
    /// A phone alone is weak beyond that: colleagues share a switchboard, families a line. It does not count where both sides
    /// name a person or a company and the names differ, or where both have e-mails but none in common. An e-mail that is not
    /// the first one of both is weak where they [name others](shares_no_more).
    ///
    /// Neither does a number that nobody named as a key, where row and lead have [nothing in common](is_another), nor an id in a
    /// system that nobody named, where they are [two by everything else](is_somebody_else).
    pub(super) fn find(&self, intent: &Intent) -> Match {
        let mut doubted = Match::None;
        // Whether the row has the id of a lead that is in the trash: then it is none of the others.
        let is_of_gone = !self.trusts_numbers && intent.own_ids().any(|id| self.trashed.contains(&id));
        let mut ids_came = false;
        for by in &self.by {
            let named = match by {
                MatchBy::Id if !self.trusts_numbers => {
                    intent.own_ids().find_map(|id| self.by_id.get(&id)).map(Some)
                }
                MatchBy::Id => intent.id.map(|id| self.by_id.get(&id)),
                MatchBy::Number => intent
                    .number
                    .map(|number| self.by_number.get(&number).filter(|_| number <= self.known_numbers)),
                _ => None,
            };
            match named {
                Some(None) if *by == MatchBy::Number && !self.trusts_numbers => continue,
                Some(Some(slot)) if *by == MatchBy::Number && !self.trusts_numbers => {
                    let lead = self.slots.get(*slot);
                    if lead.is_some_and(|slot| is_another(intent, &slot.lead.fields)) {
                        doubted = Match::Doubted(*slot, MatchBy::Number);
                        continue;
                    }
                    return Match::One(*slot, by.clone());
                }
                Some(Some(slot)) => return Match::One(*slot, by.clone()),
                Some(None) => return Match::Gone(by.clone()),
                None => {}
            }
            let mut found = Vec::new();
            for key in intent.keys.iter().filter(|key| is_of(by, key)) {
                for slot in self.by_key.get(key).into_iter().flatten() {
                    add_to(&mut found, *slot);
                }
            }
            let is_weak = matches!(by, MatchBy::Email | MatchBy::Phone);
            if is_weak && (is_of_gone || doubted != Match::None) {
                continue;
            }
            if ids_came || *by == MatchBy::Phone {
                found.retain(|slot| self.contradicts(intent, *slot).is_none());
            }
            ids_came |= *by == MatchBy::ExternalId;
            let is_other = match by {
                MatchBy::Email => shares_no_more,
                MatchBy::Phone => differ,
                _ => |_: &Intent, _: &LeadFields| false,
            };
            found.retain(|slot| {
                self.slots.get(*slot).is_some_and(|slot| !is_other(intent, &slot.lead.fields))
            });
            if *by == MatchBy::Phone && found.len() > 1 {
                self.prefer_whole(intent, &mut found);
            }
            match found.as_slice() {
                [] => {}
                [slot] if *by == MatchBy::ExternalId && self.contradicts(intent, *slot).is_some() => {
                    return Match::Contradicted(*slot);
                }
                [slot] if *by == MatchBy::ExternalId && self.is_of_another(intent, *slot) => {
                    doubted = Match::Doubted(*slot, MatchBy::ExternalId);
                }
                [slot] => return Match::One(*slot, by.clone()),
                _ => {
                    // By their numbers, which new leads have yet to get: as any other batch would tell them.
                    let number = |slot: usize| self.slots.get(slot).map_or(0, |slot| slot.lead.number);
                    found.sort_by_key(|slot| (number(*slot) == 0, number(*slot), *slot));
                    return Match::Several(found, by.clone());
                }
            }
        }
        doubted
    }

    /// A number with its country says more than the same digits, as a lead without one has them.
    fn prefer_whole(&self, intent: &Intent, found: &mut Vec<usize>) {
        let is_whole = |slot: &usize| {
            let known = self.slots.get(*slot).map(|slot| &slot.lead.fields.phones);
            let mut own = intent.fields.phones.iter().filter_map(Phone::e164);
            known.is_some_and(|known| own.any(|own| known.iter().any(|known| known.e164() == Some(own))))
        };
        if found.iter().any(is_whole) {
            found.retain(is_whole);
        }
    }

    /// Whether a row shares with a lead no more than its id in a system that nobody named, and is about another one.
    fn is_of_another(&self, intent: &Intent, slot: usize) -> bool {
        let Some(slot) = self.slots.get(slot).filter(|_| !self.unnamed.is_empty()) else { return false };
        let lead = &slot.lead.fields;
        let mut shared = intent.fields.external_ids.iter().filter(|id| lead.external_ids.contains(id));
        let is_card = shared.clone().any(|id| id.system() == CARDS);
        shared.all(|id| self.unnamed.contains(&id.system()))
            && (is_somebody_else(intent, lead) || is_card && is_another_person(intent, lead))
    }

    /// The system that knows a row and a lead by two ids. Each program gives a person's card an id of its own: that two
    /// cards of one person have two says nothing, where nobody said whose they are.
    pub(super) fn contradicts(&self, intent: &Intent, slot: usize) -> Option<&str> {
        let lead = &self.slots.get(slot)?.lead.fields;
        let other = lead.external_ids.iter().find(|known| {
            let mut ids = intent.fields.external_ids.iter();
            let is_card = self.unnamed.contains(&CARDS) && known.system() == CARDS;
            ids.any(|id| id.system() == known.system() && id.id() != known.id())
                && !(is_card && is_called_so(intent, lead))
        });
        other.map(ExternalRef::system)
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
        self.slots.push(Slot { before: None, lead, lines: vec![line], written: None });
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

    /// Later rows do not find a lead by these keys any more.
    pub(super) fn forget(&mut self, slot: usize, keys: &[MatchKey]) {
        for key in keys {
            if let Some(slots) = self.by_key.get_mut(key) {
                slots.retain(|known| *known != slot);
            }
        }
    }

    /// Forgets every lead but those that `keep` names.
    pub(super) fn retain(&mut self, keep: impl Fn(&Slot) -> bool) {
        let kept: Vec<Slot> = std::mem::take(&mut self.slots).into_iter().filter(|slot| keep(slot)).collect();
        let Self { by, trusts_numbers, known_numbers, unnamed, trashed, .. } = std::mem::take(self);
        *self = Self { by, trusts_numbers, known_numbers, unnamed, trashed, ..Self::default() };
        for slot in kept {
            let (place, keys) = (self.slots.len(), every_key(&slot.lead.fields));
            self.by_id.insert(slot.lead.id, place);
            if slot.before.is_some() {
                self.by_number.insert(slot.lead.number, place);
            }
            self.slots.push(slot);
            self.know(place, keys.iter());
        }
    }
}

/// Everything by which a lead can be recognised but its id and number.
pub(super) fn every_key(fields: &LeadFields) -> Vec<MatchKey> {
    let mut keys = fields.match_keys();
    if !fields.custom.is_empty() {
        keys.extend(fields.custom_keys());
    }
    keys
}

fn is_of(by: &MatchBy, key: &MatchKey) -> bool {
    match by {
        MatchBy::ExternalId => key.kind == MatchKind::External,
        MatchBy::Email => key.kind == MatchKind::Email,
        MatchBy::Phone => key.kind == MatchKind::Phone,
        MatchBy::Custom(field) => {
            key.kind == MatchKind::Custom
                && key.key.split_once('=').is_some_and(|(own, _)| own == field.as_str())
        }
        MatchBy::Id | MatchBy::Number => false,
    }
}

/// The leads that have one of these numbers and are not in the trash.
pub(super) fn with_numbers(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    numbers: impl Iterator<Item = u64>,
) -> Result<Vec<Lead>> {
    let mut numbers: Vec<i64> = numbers.filter_map(|number| i64::try_from(number).ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut found = Vec::new();
    for some in numbers.chunks(NUMBERS) {
        let list = FieldValue::List(some.iter().map(|number| FieldValue::Integer(*number)).collect());
        let filter = Filter::new(Field::Number, Operator::In, list).resolve(&ctx.asker())?;
        let sort = Sort::ascending(SortField::Number);
        let scan = LeadScan { filter, trashed: false, sort, limit: NUMBERS, after: None };
        found.extend(txn.leads().scan(&scan)?);
    }
    Ok(found)
}

fn add_to(slots: &mut Vec<usize>, slot: usize) {
    if !slots.contains(&slot) {
        slots.push(slot);
    }
}
