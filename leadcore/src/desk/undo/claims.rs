//! What only one lead can have, and how it comes back to those that had it: leads are decided together, so that a value may
//! have moved from one to the next, or in a circle.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::domain::{
    Action, CustomValue, Field, FieldChange, FieldValue, Kept, Lead, MatchKey, MatchKind, NewEntry,
    Operation, OperationKind, OperationState, Sequence, Subject, Topics, WhyKept,
};
use crate::error::Result;
use crate::id::LeadId;
use crate::store::{LeadChange, Txn};

use super::super::custom::{claims, missing, taken_by};
use super::stories::{Story, shared};
use super::walk::Bench;
use super::{UndoFailure, UndoOutcome, UndoRecord, links, record};

/// How many entries of one record are read at a time.
const AT_A_TIME: usize = 64;

/// What becomes of a lead, and how to write it.
pub(super) type Decision = (UndoRecord, Option<(LeadChange, Vec<NewEntry>)>);

/// What the leads of an undo gave up and got so far: a plan writes nothing, and yet says what an undo does.
#[derive(Debug, Default)]
pub(super) struct Claims {
    freed: HashSet<(MatchKey, LeadId)>,
    got: HashSet<MatchKey>,
    /// Whether leads were made since that may be what comes back.
    came: HashMap<LeadId, bool>,
    imported_again: Option<bool>,
}

/// A lead whose turn comes when that of others has come.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) lead: LeadId,
    /// Who has what it had. Some of them may be done by then.
    pub(super) holders: Vec<LeadId>,
}

/// What leads are decided by.
pub(super) struct Docket<'d> {
    pub(super) bench: &'d Bench<'d>,
    pub(super) by: Option<&'d Operation>,
    /// The first entry of the operation.
    pub(super) first: Sequence,
    pub(super) leads: &'d BTreeMap<Uuid, Lead>,
    pub(super) stories: &'d HashMap<Subject, Story>,
}

/// A lead that is being decided.
struct Case {
    decision: Decision,
    /// What of it stays.
    refused: BTreeMap<Field, WhyKept>,
    gets: Vec<(Field, MatchKey)>,
    frees: Vec<MatchKey>,
}

impl Docket<'_> {
    fn open(&self, subject: Subject, refused: BTreeMap<Field, WhyKept>) -> Case {
        let none = Story::default();
        let story = self.stories.get(&subject).unwrap_or(&none);
        let lead = self.leads.get(&subject.id);
        let mut decision = record::lead(self.bench, self.by, (subject, lead), story, &refused);
        // Who may not edit it takes back nothing of it, once its persons are among that.
        let may = lead.is_some_and(|lead| self.bench.edit.as_ref().is_some_and(|gate| gate.admits(lead)));
        if decision.0.failed.is_none() && !may && story.own.iter().any(links::concerns) {
            decision = (UndoRecord::fail(subject, UndoFailure::Forbidden), None);
        }
        if decision.0.failed.is_none() && self.bench.shared.contains(&subject) {
            decision = (shared(subject, story), None);
        }
        Case { refused, ..self.case(decision) }
    }

    fn case(&self, decision: Decision) -> Case {
        let (mut gets, mut frees) = (Vec::new(), Vec::new());
        if let Some((change, _)) = &decision.1 {
            let held = |lead: &Lead| {
                if lead.trashed.is_some() { Vec::new() } else { claims(&self.bench.catalogue, lead, None) }
            };
            let (had, has) = (held(&change.before), held(&change.after));
            frees = had.iter().filter(|one| !has.contains(one)).map(|(_, key)| key.clone()).collect();
            gets = has.into_iter().filter(|one| !had.contains(one)).collect();
        }
        Case { decision, refused: BTreeMap::new(), gets, frees }
    }
}

fn comes_back(change: &LeadChange) -> bool {
    change.before.trashed.is_some() && change.after.trashed.is_none()
}

impl Claims {
    /// What becomes of these leads, and which of them wait, each with all that have what it had: `waits` says whether a lead's
    /// turn comes yet.
    pub(super) fn decide(
        &mut self,
        txn: &mut dyn Txn,
        docket: &Docket<'_>,
        subjects: &[Subject],
        waits: &mut dyn FnMut(LeadId) -> bool,
    ) -> Result<(HashMap<Subject, Decision>, Vec<Waiting>)> {
        let mut cases: HashMap<Subject, Case> =
            subjects.iter().map(|subject| (*subject, docket.open(*subject, BTreeMap::new()))).collect();
        self.keep_copied(txn, docket, &mut cases)?;
        keep_links(txn, docket, &mut cases)?;
        let waiting = self.settle(txn, docket, (subjects, &mut cases), waits)?;
        for (subject, case) in &cases {
            let lead = LeadId::from_uuid(subject.id);
            self.freed.extend(case.frees.iter().map(|key| (key.clone(), lead)));
            self.got.extend(case.gets.iter().map(|(_, key)| key.clone()));
        }
        Ok((cases.into_iter().map(|(subject, case)| (subject, case.decision)).collect(), waiting))
    }

    /// Refuses what somebody else has by now, field by field, until what is left goes together. Those that wait for leads whose
    /// turn comes yet are taken out.
    fn settle(
        &self,
        txn: &mut dyn Txn,
        docket: &Docket<'_>,
        (subjects, cases): (&[Subject], &mut HashMap<Subject, Case>),
        waits: &mut dyn FnMut(LeadId) -> bool,
    ) -> Result<Vec<Waiting>> {
        let wanted: BTreeSet<_> =
            cases.values().flat_map(|case| &case.gets).map(|(_, key)| key.clone()).collect();
        let mut holders: HashMap<MatchKey, Vec<LeadId>> = HashMap::new();
        if !wanted.is_empty() {
            for (key, lead) in txn.leads().find(&wanted.into_iter().collect::<Vec<_>>())? {
                holders.entry(key).or_default().push(lead);
            }
        }
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut claimed: HashMap<MatchKey, Subject> = HashMap::new();
        let mut todo: Vec<Subject> = subjects.iter().rev().copied().collect();
        while let Some(subject) = todo.pop() {
            let Some(case) = cases.get(&subject) else { continue };
            let mut taken = Vec::new();
            let mut is_waiting = false;
            for (field, key) in &case.gets {
                let others =
                    holders.get(key).into_iter().flatten().filter(|lead| lead.as_uuid() != subject.id);
                let others = others.filter(|lead| !self.freed.contains(&(key.clone(), **lead)));
                let frees = |lead: &LeadId| {
                    cases.get(&Subject::from(*lead)).is_some_and(|other| other.frees.contains(key))
                };
                let others: Vec<_> = others.filter(|lead| !frees(lead)).copied().collect();
                let is_late = |lead: &LeadId| waiting.iter().any(|one| one.lead == *lead) || waits(*lead);
                let is_claimed = *claimed.entry(key.clone()).or_insert(subject) != subject;
                if self.got.contains(key) || is_claimed {
                    taken.push(field.clone());
                } else if !others.is_empty() {
                    is_waiting |= others.iter().any(is_late);
                    taken.push(field.clone());
                }
            }
            if taken.is_empty() {
                continue;
            }
            let Some(case) = cases.remove(&subject) else { continue };
            let before = case.frees.clone();
            for (_, key) in &case.gets {
                if claimed.get(key) == Some(&subject) {
                    claimed.remove(key);
                }
            }
            if is_waiting {
                let lead = LeadId::from_uuid(subject.id);
                let has = case.gets.iter().filter_map(|(_, key)| holders.get(key)).flatten().copied();
                waiting.push(Waiting { lead, holders: has.filter(|other| *other != lead).collect() });
            } else {
                let case = docket.without(subject, case, taken);
                todo.push(subject);
                cases.insert(subject, case);
            }
            // Whoever was to get what this one keeps is asked again.
            let now = cases.get(&subject);
            let kept = before.iter().filter(|key| now.is_none_or(|now| !now.frees.contains(key)));
            for key in kept {
                todo.extend(claimed.get(key));
            }
        }
        Ok(waiting)
    }

    /// A lead that an undo took away stays away where it is there anew: made since, by hand or by a file, with something that
    /// an import would know it by, or by the same file.
    fn keep_copied(
        &mut self,
        txn: &mut dyn Txn,
        docket: &Docket<'_>,
        cases: &mut HashMap<Subject, Case>,
    ) -> Result<()> {
        if docket.bench.undone.kind != OperationKind::Undo {
            return Ok(());
        }
        let mut known: HashMap<MatchKey, BTreeSet<Subject>> = HashMap::new();
        let mut copied = BTreeSet::new();
        for (subject, case) in &*cases {
            let Some((change, _)) = case.decision.1.as_ref().filter(|(change, _)| comes_back(change)) else {
                continue;
            };
            if self.is_imported_again(txn, docket.bench)? {
                copied.insert(*subject);
                continue;
            }
            let mut keys = change.after.fields.match_keys();
            // One phone is shared by whole companies, and does not say who is here anew.
            keys.retain(|key| !matches!(key.kind, MatchKind::Label | MatchKind::Phone));
            keys.extend(case.gets.iter().map(|(_, key)| key.clone()));
            for key in keys {
                known.entry(key).or_default().insert(*subject);
            }
        }
        if !known.is_empty() {
            let keys: Vec<_> = known.keys().cloned().collect();
            for (key, lead) in txn.leads().find(&keys)? {
                if self.has_come(txn, docket, lead)? {
                    copied.extend(known.get(&key).into_iter().flatten());
                }
            }
        }
        for subject in copied {
            let kept = Kept { field: Action::Deleted.code().to_owned(), why: WhyKept::Taken };
            let record = UndoRecord { kept: vec![kept], ..UndoRecord::new(subject) };
            cases.insert(subject, docket.case((record, None)));
        }
        Ok(())
    }

    /// Whether the file of the import whose undo is taken back was imported again.
    fn is_imported_again(&mut self, txn: &mut dyn Txn, bench: &Bench<'_>) -> Result<bool> {
        if let Some(known) = self.imported_again {
            return Ok(known);
        }
        let outcome = bench.undone.outcome.clone();
        let outcome = outcome.and_then(|json| serde_json::from_value::<UndoOutcome>(json).ok());
        let freed = outcome.and_then(|outcome| Some((outcome.undone, outcome.freed_key?)));
        let again = match freed {
            Some((first, key)) => {
                let found = txn.journal().find(OperationKind::Import, &key)?;
                found.is_some_and(|import| import.id != first && import.state == OperationState::Done)
            }
            None => false,
        };
        Ok(*self.imported_again.insert(again))
    }

    /// Whether a lead was made since, came out of the trash, or was given what it is known by.
    fn has_come(&mut self, txn: &mut dyn Txn, docket: &Docket<'_>, lead: LeadId) -> Result<bool> {
        let first = docket.first;
        if let Some(known) = self.came.get(&lead) {
            return Ok(*known);
        }
        let catalogue = &docket.bench.catalogue;
        let is_unique = |field: &Field| {
            matches!(field, Field::Email | Field::ExternalId)
                || catalogue.custom_fields().any(|custom| custom.unique && field.key() == custom.key.as_str())
        };
        let mut before = None;
        let came = loop {
            let entries = txn.journal().about(&[lead.into()], Topics::NONE, before, AT_A_TIME)?;
            let is_all = entries.len() < AT_A_TIME;
            before = entries.last().map(|entry| entry.sequence).filter(|end| *end > first);
            let came = entries.iter().filter(|entry| entry.sequence > first).any(|entry| {
                let was_given = |change: &FieldChange| {
                    change.after != FieldValue::Empty
                        && change.field.parse().is_ok_and(|field| is_unique(&field))
                };
                entry.subject == lead.into()
                    && entry.operation_kind != OperationKind::Undo
                    && (matches!(entry.action, Action::Created | Action::Restored)
                        || entry.changes.iter().any(was_given))
            });
            if came || is_all || before.is_none() {
                break came;
            }
        };
        self.came.insert(lead, came);
        Ok(came)
    }
}

impl Docket<'_> {
    /// The case without these fields, which another lead has. A lead comes out of the trash with all of them or not at all.
    fn without(&self, subject: Subject, case: Case, taken: Vec<Field>) -> Case {
        let is_back = case.decision.1.as_ref().is_some_and(|(change, _)| comes_back(change));
        let known = taken.iter().any(|field| case.refused.contains_key(field));
        if is_back || known {
            let kind = self.bench.catalogue.kind();
            let broken = taken.iter().map(|field| taken_by(kind, field)).collect();
            return self.case((UndoRecord::fail(subject, UndoFailure::Invalid(broken)), None));
        }
        let mut refused = case.refused;
        refused.extend(taken.into_iter().map(|field| (field, WhyKept::Taken)));
        self.open(subject, refused)
    }
}

/// Links to records that are gone stay away.
fn keep_links(txn: &mut dyn Txn, docket: &Docket<'_>, cases: &mut HashMap<Subject, Case>) -> Result<()> {
    let mut links: Vec<(Subject, Field, Subject)> = Vec::new();
    for (subject, case) in &*cases {
        let Some((change, _)) = &case.decision.1 else { continue };
        let old = &change.before.fields.custom;
        for (key, value) in
            change.after.fields.custom.iter().filter(|(key, value)| old.get(*key) != Some(*value))
        {
            if let CustomValue::Link(to) = value {
                links.push((*subject, Field::Custom(key.clone()), *to));
            }
        }
    }
    let gone = missing(txn, links.iter().map(|(_, _, to)| *to).collect())?;
    let mut refused: HashMap<Subject, BTreeMap<Field, WhyKept>> = HashMap::new();
    for (subject, field, to) in links {
        if gone.contains(&to) {
            refused.entry(subject).or_default().insert(field, WhyKept::Gone);
        }
    }
    for (subject, refused) in refused {
        cases.insert(subject, docket.open(subject, refused));
    }
    Ok(())
}
