//! What the actor who takes a conversion back edited since in records that were there before: it stays as it is, and stands against
//! nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::{
    Actor, CustomKey, Entry, Field, FieldChange, Kept, Link, Opportunity, OpportunityFields, Sequence,
    Subject, WhyKept, go_together,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{OperationId, OpportunityId};
use crate::store::Txn;

use super::super::super::children::IMAGE;
use super::super::super::contacts::PRIMARY;
use super::look::{Look, Rewritten};
use super::since::{Later, read_image, standing};
use super::{Fate, TakenBack};

/// Fields of an opportunity that mean something only together.
const WORTH: [&str; 2] = ["amount", "currency"];
/// The fields that the tenant added: each counts by itself.
const CUSTOM: &str = "custom";
/// The persons that an opportunity is about.
const PERSONS: &str = "contacts";

impl Look<'_> {
    /// Of the fields of a record that have another value by now than the conversion wrote, those that nobody but the actor wrote
    /// since. What is about the others is told as what stands against it.
    pub(super) fn own_edits(
        &mut self,
        txn: &mut dyn Txn,
        later: &mut Later<'_>,
        kept: Vec<Kept>,
    ) -> Result<Vec<String>> {
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let net = later.net(self, txn)?;
        let (mut own, mut beside, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for Kept { field, why } in kept {
            let (operations, hands) = net.touching(Some(std::slice::from_ref(&field)));
            if why != WhyKept::Edited {
                others.push(field);
            } else if hands.is_empty() && operations.is_empty() {
                beside.push(field);
            } else if self.is_own(txn, (&operations, &hands))? {
                own.push(field);
            } else {
                others.push(field);
            }
        }
        // What nobody wrote stays because of what it belongs to, and of nothing else.
        for field in beside {
            let belongs = |fields: &[String]| fields.iter().any(|one| go_together(one, &field));
            let with = if belongs(&own) && !belongs(&others) { &mut own } else { &mut others };
            with.push(field);
        }
        if !others.is_empty() {
            self.edited(txn, later, others)?;
        }
        Ok(own)
    }

    /// A part of an address keeps the whole: where somebody wrote one since, and not only what the conversion wrote, all of it stays.
    /// Returns what is left to take back, and what stays as the actor's own; what is about others is told.
    pub(super) fn without_whole(
        &mut self,
        txn: &mut dyn Txn,
        later: &mut Later<'_>,
    ) -> Result<(Vec<FieldChange>, Vec<String>)> {
        let (written, is_part) = (later.written, |field: &str| go_together(field, Field::City.key()));
        let ours: BTreeSet<&str> = written
            .changes
            .iter()
            .map(|change| change.field.as_str())
            .filter(|field| is_part(field))
            .collect();
        if ours.is_empty() {
            return Ok((written.changes.clone(), Vec::new()));
        }
        let net = later.net(self, txn)?;
        let parts = Field::ALL.iter().map(|field| field.key().to_owned()).filter(|field| is_part(field));
        let edited: Vec<String> =
            parts.filter(|part| !net.touching(Some(std::slice::from_ref(part))).1.is_empty()).collect();
        if edited.iter().all(|part| ours.contains(part.as_str())) {
            return Ok((written.changes.clone(), Vec::new()));
        }
        let (operations, hands) = net.touching(Some(&edited));
        let is_own = self.is_own(txn, (&operations, &hands))?;
        let kept = if is_own { ours.iter().map(|part| (*part).to_owned()).collect() } else { Vec::new() };
        let rest = written.changes.iter().filter(|change| !is_part(&change.field)).cloned().collect();
        if !is_own {
            self.edited(txn, later, edited)?;
        }
        Ok((rest, kept))
    }

    /// Whether nobody but the actor wrote it, of those who did: the conversions, and by hand.
    pub(super) fn is_own(
        &self,
        txn: &mut dyn Txn,
        (operations, hands): (&BTreeSet<OperationId>, &[&Actor]),
    ) -> Result<bool> {
        let by_actor = !hands.is_empty() && hands.iter().all(|hand| **hand == self.rules.actor);
        Ok(by_actor && standing(txn, operations)?.is_empty())
    }

    /// Whether nobody but the actor took the ones of these persons out of the account and gave the others another role there.
    pub(super) fn is_own_change(
        &self,
        txn: &mut dyn Txn,
        account: Subject,
        (parted, moved): (&BTreeSet<Link>, &BTreeSet<Link>),
        last: Option<Sequence>,
    ) -> Result<bool> {
        if parted.is_empty() && moved.is_empty() {
            return Ok(true);
        }
        let Some(last) = last else { return Ok(false) };
        let net = self.net(txn, account, last)?;
        let is_own = |hands: &[&Actor]| hands.iter().all(|hand| **hand == self.rules.actor);
        let took = |link: &Link| {
            let hands = net.hands_on(link.to);
            !hands.is_empty() && is_own(&hands)
        };
        // Who is the primary contact is told of the account. Where nobody wrote it since, it was so before.
        let chose = net.touching(Some(&[PRIMARY.to_owned()])).1;
        let made = |link: &Link| is_own(&chose) && is_own(&net.hands_on(link.to));
        Ok(parted.iter().all(took) && moved.iter().all(made))
    }

    pub(super) fn joined_opportunity(&mut self, txn: &mut dyn Txn, entry: &Entry) -> Result<()> {
        let record = entry.subject;
        let Some(now) = txn.opportunities().get(&[OpportunityId::from_uuid(record.id)])?.pop() else {
            return self.is_gone(txn, entry);
        };
        let image = entry.changes.iter().find(|change| change.field == IMAGE);
        let images: Option<(Opportunity, Opportunity)> =
            image.and_then(|change| Some((read_image(&change.before)?, read_image(&change.after)?)));
        let Some((before, after)) = images else {
            return Err(Error::new(ErrorKind::Corrupt, "the journal does not say what an opportunity was"));
        };
        let taken = TakenBack::new(record, Fate::Restored(vec!["opportunity".to_owned()]));
        let origin_lead = self.origin_without(txn, &now)?;
        let told = |one: &Opportunity| (one.fields.clone(), one.about.clone(), one.state, one.end.clone());
        if told(&now) == told(&after) {
            let (fields, about, totals) = (before.fields, before.about, before.totals);
            let restored = Opportunity { fields, about, totals, origin_lead, ..now.clone() };
            self.found.joined.push(Rewritten { before: now, after: restored, changes: Vec::new() });
            self.found.plan.records.push(taken);
            return Ok(());
        }
        let mut later = Later::of(entry);
        let net = later.net(self, txn)?;
        let (operations, hands) = net.touching(None);
        let is_running = (now.state, &now.end) == (after.state, &after.end);
        let is_own = self.is_own(txn, (&operations, &hands))?;
        let merged = match (is_own, is_running) {
            (false, _) => None,
            (true, true) => without(&before, &after, &now),
            (true, false) => {
                // What the actor ended stays as it is; only who came with the lead leaves it.
                let about = left_with(&before, &after, &now);
                Some((Opportunity { about, ..now.clone() }, vec!["opportunity".to_owned()]))
            }
        };
        let Some((restored, kept)) = merged else {
            self.edited(txn, &mut later, vec!["opportunity".to_owned()])?;
            self.found.plan.records.push(taken);
            return Ok(());
        };
        let fate = if is_running { taken.fate } else { Fate::Restored(Vec::new()) };
        self.found.plan.records.push(TakenBack { kept, ..TakenBack::new(record, fate) });
        let restored = Opportunity { origin_lead, ..restored };
        self.found.joined.push(Rewritten { before: now, after: restored, changes: Vec::new() });
        Ok(())
    }
}

/// An opportunity without what a conversion wrote into it, where that still stands, and the fields in which it does not. None where
/// what comes of it is no opportunity.
fn without(
    before: &Opportunity,
    after: &Opportunity,
    now: &Opportunity,
) -> Option<(Opportunity, Vec<String>)> {
    let [was, wrote, is] = [before, after, now].map(|one| flat(&one.fields));
    let (was, wrote, is) = (was?, wrote?, is?);
    let written: Vec<&String> =
        was.keys().chain(wrote.keys()).filter(|key| was.get(*key) != wrote.get(*key)).collect();
    let differs = |key: &str| is.get(key) != wrote.get(key);
    let (mut fields, mut kept) = (is.clone(), Vec::new());
    for key in written {
        let is_worth = WORTH.contains(&key.as_str());
        if differs(key) || is_worth && WORTH.iter().any(|field| differs(field)) {
            kept.push(key.clone());
        } else {
            fields.remove(key);
            fields.extend(was.get(key).map(|value| (key.clone(), value.clone())));
        }
    }
    let (fields, totals) = deep(fields)?.settle().ok()?;
    let mut about = before.about.clone();
    if now.about != after.about {
        about = left_with(before, after, now);
        kept.push(PERSONS.to_owned());
    }
    kept.sort();
    kept.dedup();
    Some((Opportunity { fields, totals, about, ..now.clone() }, kept))
}

/// Whom an opportunity is about without those who came with a conversion.
fn left_with(before: &Opportunity, after: &Opportunity, now: &Opportunity) -> Vec<Subject> {
    let came = |one: &Subject| after.about.contains(one) && !before.about.contains(one);
    now.about.iter().filter(|one| !came(one)).copied().collect()
}

/// The fields by their keys, with those of the tenant beside the others.
pub(super) fn flat(fields: &OpportunityFields) -> Option<Map<String, Value>> {
    let Ok(Value::Object(mut all)) = serde_json::to_value(fields) else { return None };
    if let Some(Value::Object(custom)) = all.remove(CUSTOM) {
        all.extend(custom);
    }
    Some(all)
}

/// The other way round.
pub(super) fn deep(all: Map<String, Value>) -> Option<OpportunityFields> {
    let (custom, mut fields): (Map<_, _>, Map<_, _>) =
        all.into_iter().partition(|(key, _)| key.starts_with(CustomKey::PREFIX));
    if !custom.is_empty() {
        fields.insert(CUSTOM.to_owned(), Value::Object(custom));
    }
    serde_json::from_value(Value::Object(fields)).ok()
}
