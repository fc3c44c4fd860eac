//! What refers to a new record of a conversion without hanging on it: it would point at nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    ActivityBody, ActivityKind, Entry, OperationKind, Participant, Placed, Sequence, Subject, SubjectKind,
    Tab,
};
use crate::error::Result;
use crate::id::{ActivityId, OpportunityId};
use crate::store::{ChildQuery, ServiceScan, Txn};

use super::super::super::series;
use super::look::{Look, entries_of};
use crate::domain::{Action, Series, Service};

/// How many records are read at once.
const ROUND: usize = 500;

impl Look<'_> {
    /// Counts, by tab, what refers to a new record and is no part of the conversion.
    pub(super) fn referring(
        &self,
        txn: &mut dyn Txn,
        record: Subject,
        tabs: &mut BTreeMap<String, u64>,
    ) -> Result<()> {
        let (tab, count) = match record.kind {
            SubjectKind::Opportunity => (Tab::Service, self.services_of(txn, record)?),
            SubjectKind::Contact => (Tab::Activity(ActivityKind::Meeting), self.meetings_with(txn, record)?),
            _ => return Ok(()),
        };
        if count > 0 {
            let known = tabs.entry(tab.code().to_owned()).or_default();
            *known = known.saturating_add(count);
        }
        Ok(())
    }

    fn is_part(&self, record: Subject) -> bool {
        self.made.contains(&record) || self.found.by_targets.contains(&record)
    }

    /// Services that were won with a new opportunity.
    fn services_of(&self, txn: &mut dyn Txn, record: Subject) -> Result<u64> {
        let opportunity = Some(OpportunityId::from_uuid(record.id));
        let (mut count, mut scan) =
            (0_u64, ServiceScan { opportunity, limit: ROUND, ..ServiceScan::default() });
        loop {
            let found = txn.services().scan(&scan)?;
            let others =
                found.iter().filter(|one| !self.is_part(one.id.into()) && !one.about.contains(&record));
            count = count.saturating_add(u64::try_from(others.count()).unwrap_or(u64::MAX));
            scan.after = found.last().map(|one: &Service| one.id);
            if found.len() < ROUND {
                return Ok(count);
            }
        }
    }

    /// Meetings of the lead and of its customer in which a new person takes part. Those about the person itself hang on it.
    fn meetings_with(&self, txn: &mut dyn Txn, record: Subject) -> Result<u64> {
        let mut about: BTreeSet<Subject> = BTreeSet::from([self.lead.id.into()]);
        about.extend(self.outcome.account.map(Subject::from));
        about.extend(self.outcome.contacts.iter().map(|id| Subject::from(*id)));
        about.extend(self.outcome.opportunity.map(Subject::from));
        // Whoever has the person now may meet it too.
        about.extend(txn.links().to(&[record], None)?.iter().map(|link| link.from));
        let mut query = ChildQuery {
            about: about.into_iter().collect(),
            tabs: vec![Tab::Activity(ActivityKind::Meeting)],
            open: None,
            descending: false,
            after: None,
            limit: ROUND,
        };
        let mut count = 0_u64;
        loop {
            let placed = txn.children().list(&query)?;
            let others = placed.iter().map(|one| one.child).filter(|one| !self.is_part(*one));
            let ids: Vec<_> = others.map(|one| ActivityId::from_uuid(one.id)).collect();
            for meeting in txn.activities().get(&ids)? {
                let ActivityBody::Meeting(told) = &meeting.fields.body else { continue };
                let takes_part = told.participants.contains(&Participant::Record(record));
                if takes_part && !meeting.about.contains(&record) {
                    count = count.saturating_add(1);
                }
            }
            query.after = placed.last().map(Placed::place);
            if placed.len() < ROUND {
                return Ok(count);
            }
        }
    }
}

/// The opportunity that the conversion was done for, in the same call, where it has a number that stays: it has no other way
/// back than with the conversion, which ended with this entry.
pub(super) fn triggered(
    txn: &mut dyn Txn,
    made: &BTreeSet<Subject>,
    conversion: &[Entry],
    last: Sequence,
) -> Result<Option<Entry>> {
    let by = conversion.first().map(|entry| &entry.actor);
    let Some(next) = txn.journal().replay(None, Some(last), 1)?.pop() else { return Ok(None) };
    let is_it = next.subject.kind == SubjectKind::Opportunity
        && (next.action, next.operation_kind) == (Action::Created, OperationKind::Create)
        && Some(&next.actor) == by;
    if !is_it {
        return Ok(None);
    }
    let Some(found) = txn.opportunities().get(&[OpportunityId::from_uuid(next.subject.id)])?.pop() else {
        return Ok(None);
    };
    let number = series::check_removal(txn, Series::Opportunity, found.number, found.serial.as_ref());
    if number.is_ok() || !made.contains(&found.account.into()) {
        return Ok(None);
    }
    // What the same call told of it later is no change.
    let all = entries_of(txn, next.operation)?;
    let sequence = all.iter().map(|entry| entry.sequence).max().unwrap_or(next.sequence);
    Ok(Some(Entry { sequence, ..next }))
}
