//! What happened to the records of a conversion since it was done.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use crate::domain::{
    Action, ContactFields, Entry, FOLLOWER, FieldChange, FieldValue, Link, LinkRole, OperationKind,
    Opportunity, Sequence, Subject, SubjectKind, Topics, image_of, plain,
};
use crate::error::Result;
use crate::id::{LeadId, OperationId};
use crate::store::Txn;

use super::super::super::children::{IMAGE, KEPT};
use super::super::carry_out::first_outcome;
use super::Unconvertible;
use super::look::Look;

impl Look<'_> {
    /// What others than the conversion wrote into a record since it did, the latest first.
    pub(super) fn since(&self, txn: &mut dyn Txn, record: Subject, last: Sequence) -> Result<Vec<Entry>> {
        let mut own = self.around(txn, record, last)?;
        own.retain(|entry| entry.subject == record);
        Ok(own)
    }

    /// [`since`](Self::since), with what others wrote of what hangs on the record.
    pub(super) fn around(&self, txn: &mut dyn Txn, record: Subject, last: Sequence) -> Result<Vec<Entry>> {
        const READ: usize = 64;
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let entries = txn.journal().about(&[record], Topics::NONE, before, READ)?;
            let is_last = entries.len() < READ;
            before = entries.last().map(|entry| entry.sequence);
            all.extend(entries.into_iter().filter(|entry| {
                entry.sequence > last && entry.operation != self.done.operation && !follows(entry)
            }));
            if is_last || before.is_none_or(|end| end <= last) {
                return Ok(all);
            }
        }
    }

    /// Who else wrote a new record since, where anything is left of it. What is said of its addresses counts whoever said it: an
    /// opt-out must not go with the record. What the actor of the conversion wrote is told, and goes with it.
    pub(super) fn changed(&mut self, txn: &mut dyn Txn, made: &Entry) -> Result<()> {
        let record = made.subject;
        let since = self.since(txn, record, made.sequence)?;
        let left = left(&since);
        let mut by = Vec::new();
        for (entry, changes) in &left {
            let counts = entry.actor != made.actor || changes.iter().any(|change| is_of_addresses(change));
            if counts && !by.contains(&entry.actor) {
                by.push(entry.actor.clone());
            }
        }
        if !by.is_empty() {
            self.block(Unconvertible::Changed { record, by });
        }
        let changes = left.iter().filter(|(entry, _)| entry.action == Action::Updated);
        let shown = changes.flat_map(|(_, changes)| changes).filter(|change| !is_image(change));
        let edited: BTreeSet<_> = shown.map(|change| change.field.clone()).collect();
        if let Some(taken) = self.found.plan.records.iter_mut().find(|taken| taken.record == record) {
            taken.edited = edited.into_iter().collect();
        }
        Ok(())
    }

    /// A new record that has another state than the conversion gave it.
    pub(super) fn moved_on<C: DeserializeOwned>(
        &mut self,
        made: &Entry,
        now: &C,
        state: fn(&C) -> &'static str,
    ) {
        let image = made.changes.iter().find(|change| change.field == IMAGE);
        let was: Option<C> = image.and_then(|change| read_image(&change.after));
        if was.is_some_and(|was| state(&was) != state(now)) {
            let state = state(now).to_owned();
            self.block(Unconvertible::MovedOn { record: made.subject, state });
        }
    }

    /// What a conversion wrote into a record that was there is not there any more: other leads were converted into it since,
    /// or somebody edited it.
    pub(super) fn edited(&mut self, txn: &mut dyn Txn, written: &Entry, fields: Vec<String>) -> Result<()> {
        let record = written.subject;
        let is_child = record.kind.is_child();
        let touches =
            |entry: &Entry| is_child || entry.changes.iter().any(|change| fields.contains(&change.field));
        let since = self.since(txn, record, written.sequence)?;
        let left = left(&since).into_iter().map(|(entry, _)| entry).filter(|entry| touches(entry));
        let (by_conversion, by_hand): (Vec<_>, Vec<_>) = left.partition(|entry| {
            matches!(entry.operation_kind, OperationKind::Convert | OperationKind::Unconvert)
        });
        let operations: BTreeSet<_> = by_conversion.iter().map(|entry| entry.operation).collect();
        let leads = standing(txn, &operations)?;
        if leads.is_empty() || !by_hand.is_empty() {
            self.block(Unconvertible::Edited { record, fields });
        }
        self.other_leads(txn, record, &leads)
    }

    /// Tells of other leads: which of them the actor may see, and how many there are besides.
    pub(super) fn other_leads(
        &mut self,
        txn: &mut dyn Txn,
        record: Subject,
        others: &[LeadId],
    ) -> Result<()> {
        if others.is_empty() {
            return Ok(());
        }
        let leads = self.seen(txn, others)?;
        let unseen = u64::try_from(others.len().saturating_sub(leads.len())).unwrap_or(u64::MAX);
        self.block(Unconvertible::OtherLeads { record, leads, unseen });
        Ok(())
    }

    /// Tells that these hold a new record too.
    pub(super) fn in_use(&mut self, txn: &mut dyn Txn, record: Subject, others: &[&Link]) -> Result<()> {
        if others.is_empty() {
            return Ok(());
        }
        let by = u64::try_from(others.len()).unwrap_or(u64::MAX);
        let leads = others.iter().map(|link| link.from).filter(|from| from.kind == SubjectKind::Lead);
        let leads: BTreeSet<_> = leads.map(|from| LeadId::from_uuid(from.id)).collect();
        let leads = self.seen(txn, &leads.into_iter().collect::<Vec<_>>())?;
        self.block(Unconvertible::InUse { record, by, leads });
        Ok(())
    }

    /// Those that the actor may see.
    fn seen(&self, txn: &mut dyn Txn, leads: &[LeadId]) -> Result<Vec<LeadId>> {
        let found = txn.leads().get(leads)?;
        Ok(found.iter().filter(|lead| self.rules.sees(lead)).map(|lead| lead.id).collect())
    }

    /// The lead that an opportunity counts for when this one, which joined it, goes: of the others that joined it the first
    /// that was converted.
    pub(super) fn origin_without(
        &self,
        txn: &mut dyn Txn,
        opportunity: &Opportunity,
    ) -> Result<Option<LeadId>> {
        if opportunity.origin_lead != Some(self.lead.id) {
            return Ok(opportunity.origin_lead);
        }
        let joined = txn.links().to(&[opportunity.id.into()], Some(LinkRole::Opportunity))?;
        let others = joined.iter().map(|link| link.from).filter(|from| from.kind == SubjectKind::Lead);
        let others: Vec<_> =
            others.map(|from| LeadId::from_uuid(from.id)).filter(|id| *id != self.lead.id).collect();
        let leads = txn.leads().get(&others)?;
        let at = leads.iter().filter_map(|lead| Some((lead.conversion.as_ref()?.at, lead.id)));
        Ok(at.min().map(|(_, id)| id))
    }
}

/// What is left of these entries, the latest first: each that wrote something which is not as it was before the first of them, and what
/// of it that is. What was edited and put back, lifted again or taken back is no change.
fn left(since: &[Entry]) -> Vec<(&Entry, Vec<&FieldChange>)> {
    let mut net: BTreeMap<(&str, Option<Subject>), (&FieldValue, &FieldValue)> = BTreeMap::new();
    let mut archived = false;
    for entry in since.iter().rev() {
        archived = match entry.action {
            Action::Deleted => true,
            Action::Restored => false,
            _ => archived,
        };
        for change in told(entry) {
            let (first, _) = net.get(&key(entry, change)).copied().unwrap_or((&change.before, &change.after));
            net.insert(key(entry, change), (first, &change.after));
        }
    }
    net.retain(|_, (first, last)| plain(first) != plain(last));
    let left = since.iter().filter_map(|entry| {
        let changes = told(entry).filter(|change| net.contains_key(&key(entry, change)));
        let changes: Vec<_> = changes.collect();
        let is_left = match entry.action {
            Action::Deleted | Action::Restored => archived,
            _ => told(entry).next().is_none(),
        };
        (is_left || !changes.is_empty()).then_some((entry, changes))
    });
    left.collect()
}

/// The changes of an entry, without those that are there for an undo where others say the same.
fn told(entry: &Entry) -> impl Iterator<Item = &FieldChange> {
    let has_fields = entry.changes.iter().any(|change| !is_image(change));
    let changes = entry.changes.iter().filter(move |change| !(has_fields && is_image(change)));
    changes.filter(|change| change.before != change.after)
}

/// What a change is about: a field, or what one other record is to the record.
fn key<'e>(entry: &Entry, change: &'e FieldChange) -> (&'e str, Option<Subject>) {
    let is_link = matches!(entry.action, Action::Linked | Action::Unlinked);
    (change.field.as_str(), entry.other.filter(|_| is_link))
}

fn is_image(change: &FieldChange) -> bool {
    [IMAGE, KEPT].contains(&change.field.as_str()) || image_of(&change.field).is_some()
}

/// The leads whose conversions these are, where they stand.
fn standing(txn: &mut dyn Txn, operations: &BTreeSet<OperationId>) -> Result<Vec<LeadId>> {
    let mut leads = Vec::new();
    for operation in operations {
        let of = txn.journal().operation(*operation)?;
        if of.is_none_or(|operation| operation.kind != OperationKind::Convert) {
            continue;
        }
        let lead = first_outcome(txn, *operation)?.lead;
        let found = txn.leads().get(&[lead])?;
        let stands = |done: &crate::domain::Conversion| done.operation == *operation;
        if found.iter().filter_map(|lead| lead.conversion.as_ref()).any(stands) {
            leads.push(lead);
        }
    }
    leads.sort();
    leads.dedup();
    Ok(leads)
}

/// A record as the journal keeps it whole.
pub(super) fn read_image<C: DeserializeOwned>(value: &FieldValue) -> Option<C> {
    serde_json::from_str(value.as_text()?).ok()
}

/// Who follows a record does not write it.
fn follows(entry: &Entry) -> bool {
    entry.changes.iter().any(|change| change.field == FOLLOWER)
}

pub(super) fn speaks_of_addresses(entry: &Entry) -> bool {
    entry.changes.iter().any(is_of_addresses)
}

fn is_of_addresses(change: &FieldChange) -> bool {
    matches!(change.field.as_str(), "email" | "phone")
        || ContactFields::own_field(&change.field).is_some_and(|(field, _)| field.key() == "phone")
}
