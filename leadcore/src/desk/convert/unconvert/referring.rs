//! What refers to a new record of a conversion without hanging on it: it would point at nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    self, Action, Activity, ActivityBody, ActivityKind, BlockKey, CatalogueKind, CustomType, Entry, Field,
    FieldValue, MatchKey, Participant, Sequence, Service, Subject, SubjectKind, Tab,
};
use crate::error::Result;
use crate::id::{ActivityId, OpportunityId};
use crate::query::Resolved;
use crate::store::{ActivityQuery, ServiceScan, Txn};

use super::super::super::rounds::{Place, each_lead};
use super::super::super::settings::load_catalogue_of;
use super::super::stored::Stored;
use super::handed::add;
use super::look::{Look, entries_of};

/// How many records are read at once.
const ROUND: usize = 500;

impl Look<'_> {
    /// Counts, by tab, what refers to a new record and is no part of the conversion. A meeting that nobody but the actor wrote since
    /// this place has the lead there instead; what was sold with the record counts whoever sold it.
    pub(super) fn referring(
        &mut self,
        txn: &mut dyn Txn,
        (record, last): (Subject, Option<Sequence>),
        tabs: &mut BTreeMap<String, u64>,
    ) -> Result<()> {
        let (tab, found) = match record.kind {
            SubjectKind::Opportunity => (Tab::Service, self.services_of(txn, record)?),
            SubjectKind::Contact => (Tab::Activity(ActivityKind::Meeting), self.meetings_with(txn, record)?),
            _ => return Ok(()),
        };
        let mut own = BTreeMap::new();
        for one in found {
            if one.kind == SubjectKind::Activity && self.is_own_child(txn, one, last)? {
                self.found.handed_on.referring.insert(one);
                add(&mut own, tab.code(), 1);
            } else {
                add(tabs, tab.code(), 1);
            }
        }
        self.moved(record, &own);
        Ok(())
    }

    pub(super) fn is_part(&self, record: Subject) -> bool {
        self.made.contains(&record) || self.found.by_targets.contains(&record)
    }

    /// Services that were won with a new opportunity.
    fn services_of(&self, txn: &mut dyn Txn, record: Subject) -> Result<Vec<Subject>> {
        let opportunity = Some(OpportunityId::from_uuid(record.id));
        let (mut services, mut scan) =
            (Vec::new(), ServiceScan { opportunity, limit: ROUND, ..ServiceScan::default() });
        loop {
            let found = txn.services().scan(&scan)?;
            let others =
                found.iter().filter(|one| !self.is_part(one.id.into()) && !one.about.contains(&record));
            services.extend(others.map(|one| Subject::from(one.id)));
            scan.after = found.last().map(|one: &Service| one.id);
            if found.len() < ROUND {
                return Ok(services);
            }
        }
    }

    /// Meetings in which a new person takes part, whatever they are about. Those about the person itself hang on it.
    fn meetings_with(&mut self, txn: &mut dyn Txn, record: Subject) -> Result<Vec<Subject>> {
        if self.meetings.is_none() {
            self.meetings = Some(self.meetings_of_new(txn)?);
        }
        let all = self.meetings.iter().flatten();
        let with = all.filter(|one| takes_part(one, record) && !one.about.contains(&record));
        Ok(with.map(|one| Subject::from(one.id)).filter(|one| !self.is_part(*one)).collect())
    }

    /// Nothing finds a meeting by who takes part, but one with a new person was written since the conversion began. What was written
    /// since and all meetings are looked at by turns, some at a time, until one of the two is at its end.
    fn meetings_of_new(&self, txn: &mut dyn Txn) -> Result<Vec<Activity>> {
        let persons: BTreeSet<_> = self.made.iter().filter(|one| one.kind == SubjectKind::Contact).collect();
        let with_new = |one: &Activity| persons.iter().any(|person| takes_part(one, **person));
        let mut query = ActivityQuery {
            assignee: None,
            kinds: vec![ActivityKind::Meeting],
            open: None,
            descending: false,
            after: None,
            limit: ROUND,
        };
        let (mut behind, mut written, mut all) = (self.began, BTreeMap::new(), Vec::new());
        loop {
            let entries = txn.journal().replay(None, Some(behind), ROUND)?;
            behind = entries.last().map_or(behind, |entry| entry.sequence);
            let ids = entries.iter().map(|entry| entry.subject);
            let ids: BTreeSet<_> = ids.filter(|one| one.kind == SubjectKind::Activity).collect();
            let ids: Vec<_> = ids.into_iter().map(|one| ActivityId::from_uuid(one.id)).collect();
            let found = txn.activities().get(&ids)?;
            written.extend(found.into_iter().filter(with_new).map(|one| (one.id, one)));
            if entries.len() < ROUND {
                return Ok(written.into_values().collect());
            }
            let found = txn.activities().list(&query)?;
            query.after = found.last().map(|one| domain::Place { at: one.at(), child: one.id.as_uuid() });
            let is_last = found.len() < ROUND;
            all.extend(found.into_iter().filter(with_new));
            if is_last {
                return Ok(all);
            }
        }
    }

    /// The records that have a new one in a custom field. It is for people to say what stands there instead.
    pub(super) fn named_by(&self, txn: &mut dyn Txn, record: Subject) -> Result<Vec<Subject>> {
        let mut named = BTreeSet::new();
        for kind in CatalogueKind::ALL {
            let (_, catalogue) = load_catalogue_of(txn, kind)?;
            let links = catalogue.custom_fields().filter(|field| field.kind == CustomType::Link(record.kind));
            let value = FieldValue::Id(record.id);
            for field in links {
                let key = MatchKey::custom(&field.key, &value).and_then(|key| BlockKey::of_custom(&key));
                let keys: Vec<_> = key.into_iter().collect();
                match kind {
                    CatalogueKind::Lead => {
                        let filter = Resolved::Equals(Field::Custom(field.key.clone()), vec![value.clone()]);
                        each_lead(txn, &filter, Place::Everywhere, &mut |_, leads| {
                            named.extend(leads.iter().map(|lead| Subject::from(lead.id)));
                            Ok(())
                        })?;
                    }
                    CatalogueKind::Account => {
                        let found = txn.accounts().blocks(&keys, usize::MAX)?;
                        named.extend(found.iter().flat_map(|block| &block.ids).map(|id| Subject::from(*id)));
                    }
                    CatalogueKind::Contact => {
                        let found = txn.contacts().blocks(&keys, usize::MAX)?;
                        named.extend(found.iter().flat_map(|block| &block.ids).map(|id| Subject::from(*id)));
                    }
                    CatalogueKind::Opportunity => {
                        let found = txn.opportunities().blocks(&keys, usize::MAX)?;
                        named.extend(found.iter().flat_map(|block| &block.ids).map(|id| Subject::from(*id)));
                    }
                }
            }
        }
        named.retain(|one| !self.is_part(*one));
        Ok(named.into_iter().collect())
    }
}

fn takes_part(activity: &Activity, person: Subject) -> bool {
    let ActivityBody::Meeting(told) = &activity.fields.body else { return false };
    told.participants.contains(&Participant::Record(person))
}

/// The opportunity that the conversion was done for, as its outcome says: one call made both.
pub(super) fn triggered(
    txn: &mut dyn Txn,
    made: &BTreeSet<Subject>,
    stored: &Stored,
) -> Result<Option<Entry>> {
    let Some(operation) = stored.made_for else { return Ok(None) };
    let all = entries_of(txn, operation)?;
    let is_it =
        |entry: &&Entry| (entry.subject.kind, entry.action) == (SubjectKind::Opportunity, Action::Created);
    let Some(entry) = all.iter().find(is_it).cloned() else { return Ok(None) };
    let Some(found) = txn.opportunities().get(&[OpportunityId::from_uuid(entry.subject.id)])?.pop() else {
        return Ok(None);
    };
    if !made.contains(&found.account.into()) {
        return Ok(None);
    }
    // What the same call told of it later is no change.
    let sequence = all.iter().map(|entry| entry.sequence).max().unwrap_or(entry.sequence);
    Ok(Some(Entry { sequence, ..entry }))
}
