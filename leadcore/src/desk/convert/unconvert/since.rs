//! What happened to the records of a conversion since it was done.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;

use crate::domain::{
    ContactFields, Entry, FOLLOWER, FieldValue, LinkRole, OperationKind, Opportunity, Sequence, Subject,
    SubjectKind, Topics, image_of,
};
use crate::error::Result;
use crate::id::{LeadId, OperationId};
use crate::store::Txn;

use super::super::super::children::IMAGE;
use super::super::stored::first_outcome;
use super::Unconvertible;
use super::left::Net;
use super::look::Look;

/// What is done with an entry, and whether to go on.
type Each<'e> = dyn FnMut(&Entry) -> ControlFlow<()> + 'e;

/// Hands over what is told of a record behind a place, with what hangs on it, the latest first: some at a time, however much that
/// is.
pub(super) fn back_to(txn: &mut dyn Txn, record: Subject, last: Sequence, each: &mut Each<'_>) -> Result<()> {
    const READ: usize = 256;
    let mut before = None;
    loop {
        let entries = txn.journal().about(&[record], Topics::NONE, before, READ)?;
        for entry in &entries {
            if entry.sequence <= last || !follows(entry) && each(entry).is_break() {
                return Ok(());
            }
        }
        before = entries.last().map(|entry| entry.sequence);
        if entries.len() < READ {
            return Ok(());
        }
    }
}

/// An entry of the conversion, with what was written into its record since: read once, when it is asked for.
pub(super) struct Later<'e> {
    pub(super) written: &'e Entry,
    net: Option<Net>,
}

impl<'e> Later<'e> {
    pub(super) const fn of(written: &'e Entry) -> Self {
        Self { written, net: None }
    }

    pub(super) fn net(&mut self, look: &Look<'_>, txn: &mut dyn Txn) -> Result<&Net> {
        let known = match self.net.take() {
            Some(known) => known,
            None => look.net(txn, self.written.subject, self.written.sequence)?,
        };
        Ok(self.net.insert(known))
    }
}

impl Look<'_> {
    /// What others than the conversion wrote into a record since it did, the latest first.
    pub(super) fn since(
        &self,
        txn: &mut dyn Txn,
        record: Subject,
        last: Sequence,
        each: &mut dyn FnMut(&Entry),
    ) -> Result<()> {
        back_to(txn, record, last, &mut |entry| {
            if entry.subject == record && entry.operation != self.done.operation {
                each(entry);
            }
            ControlFlow::Continue(())
        })
    }

    pub(super) fn net(&self, txn: &mut dyn Txn, record: Subject, last: Sequence) -> Result<Net> {
        let mut net = Net::default();
        self.since(txn, record, last, &mut |entry| net.add(entry))?;
        Ok(net.left())
    }

    /// Who else wrote a new record since, where anything is left of it. What the actor wrote since is told, and goes with it; what that
    /// says against reaching somebody [goes on](Self::said_of_new).
    pub(super) fn changed(&mut self, txn: &mut dyn Txn, later: &mut Later<'_>) -> Result<()> {
        let record = later.written.subject;
        let net = later.net(self, txn)?;
        let by = net.writers(|actor, _| *actor != self.rules.actor);
        if !by.is_empty() {
            self.block(Unconvertible::Changed { record, by });
        }
        let edited = net.edited();
        if let Some(taken) = self.found.plan.records.iter_mut().find(|taken| taken.record == record) {
            taken.edited = edited;
        }
        Ok(())
    }

    /// A new record that has another state than the conversion gave it. Where nobody but the actor gave it that, it goes with it.
    pub(super) fn moved_on<C: DeserializeOwned>(
        &mut self,
        txn: &mut dyn Txn,
        later: &mut Later<'_>,
        now: &C,
        state: fn(&C) -> &'static str,
    ) -> Result<()> {
        let made = later.written;
        let image = made.changes.iter().find(|change| change.field == IMAGE);
        let was: Option<C> = image.and_then(|change| read_image(&change.after));
        if was.is_none_or(|was| state(&was) == state(now)) {
            return Ok(());
        }
        let net = later.net(self, txn)?;
        let (operations, hands) = net.touching(Some(&["state".to_owned()]));
        if !self.is_own(txn, (&operations, &hands))? {
            let state = state(now).to_owned();
            self.block(Unconvertible::MovedOn { record: made.subject, state });
        }
        Ok(())
    }

    /// A new record that is not there any more. Where nobody but the actor wrote it since, and no work of others went with it, there is
    /// nothing left to go.
    pub(super) fn not_there(&mut self, txn: &mut dyn Txn, made: &Entry) -> Result<()> {
        let record = made.subject;
        let net = self.net(txn, record, made.sequence)?;
        let by_others = !net.writers(|actor, _| *actor != self.rules.actor).is_empty();
        if !net.is_trashed() || by_others || self.took_along(txn, record, made.sequence)? {
            self.is_gone(txn, made)?;
        }
        Ok(())
    }

    /// What a conversion wrote into a record that was there is not there any more: other leads were converted into it since,
    /// or somebody else edited it. What the actor alone edited by hand is none of that.
    pub(super) fn edited(
        &mut self,
        txn: &mut dyn Txn,
        later: &mut Later<'_>,
        mut fields: Vec<String>,
    ) -> Result<()> {
        let record = later.written.subject;
        // Of a child the whole is given back, or nothing.
        let named = (!record.kind.is_child()).then_some(fields.as_slice());
        let net = later.net(self, txn)?;
        let (operations, hands) = net.touching(named);
        let by_hand = hands.iter().any(|hand| **hand != self.rules.actor);
        if by_hand {
            let is_own = |field: &String| {
                let hands = net.touching(Some(std::slice::from_ref(field))).1;
                !hands.is_empty() && hands.iter().all(|hand| **hand == self.rules.actor)
            };
            let others: Vec<_> = fields.iter().filter(|field| !is_own(field)).cloned().collect();
            fields = others;
        }
        let mut leads = standing(txn, &operations)?;
        if leads.is_empty() && hands.is_empty() {
            leads = self.holding(txn, record)?;
        }
        if leads.is_empty() || by_hand {
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
    pub(super) fn in_use(&mut self, txn: &mut dyn Txn, record: Subject, others: &[Subject]) -> Result<()> {
        if others.is_empty() {
            return Ok(());
        }
        let by = u64::try_from(others.len()).unwrap_or(u64::MAX);
        let leads = others.iter().filter(|from| from.kind == SubjectKind::Lead);
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

/// The leads whose conversions these are, where they stand.
pub(in crate::desk) fn standing(
    txn: &mut dyn Txn,
    operations: &BTreeSet<OperationId>,
) -> Result<Vec<LeadId>> {
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

pub(super) fn is_of_addresses(field: &str) -> bool {
    let shown = image_of(field);
    matches!(shown.as_ref().map_or(field, |field| field.key()), "email" | "phone")
        || ContactFields::own_field(field).is_some_and(|(field, _)| field.key() == "phone")
}
