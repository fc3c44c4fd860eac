//! Persons that an operation linked to a lead or an account or took off it, and which of them it made the primary one.

use std::collections::BTreeSet;

use crate::domain::{
    Action, Entry, FieldChange, FieldValue, Kept, Link, LinkRole, NewEntry, Operation, Subject, SubjectKind,
    WhyKept,
};
use crate::error::Result;
use crate::id::LeadId;
use crate::store::Txn;

use super::super::contacts::PRIMARY;
use super::stories::Story;
use super::walk::Bench;
use super::withdrawn::Withdrawn;
use super::{UndoFailure, UndoRecord};

/// Whether the entry is about the persons of a record.
pub(super) fn concerns(entry: &Entry) -> bool {
    matches!(entry.action, Action::Linked | Action::Unlinked)
        || entry.changes.iter().any(|change| change.field == PRIMARY)
}

/// Takes back what happened to the persons of a lead or an account, if the actor may edit it.
pub(super) fn take_back(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    (subject, may): (Subject, bool),
    story: &Story,
    record: &mut UndoRecord,
    entries: &mut Vec<NewEntry>,
) -> Result<()> {
    if !may {
        record.reversed.clear();
        record.kept.clear();
        record.failed = Some(UndoFailure::Forbidden);
        return Ok(());
    }
    let known = txn.links().from(&[subject], None)?.into_iter();
    let before: BTreeSet<Link> =
        known.filter(|link| matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact)).collect();
    let mut after = before.clone();
    let withdrawn = Withdrawn::of(txn, subject, story)?;
    for entry in story.own.iter().filter(|entry| concerns(entry)) {
        if let (Action::Linked, Some(person)) = (entry.action, entry.other)
            && is_of_converted(txn, person)?
        {
            record.kept.push(Kept { field: "contact".to_owned(), why: WhyKept::InUse });
            continue;
        }
        let refused = match entry.action {
            Action::Unlinked => withdrawn.refuse_person(entry.other),
            Action::Linked => None,
            _ => {
                let primary = entry.changes.iter().find(|change| change.field == PRIMARY);
                primary.and_then(|change| withdrawn.refuse(change))
            }
        };
        let (what, done) = match entry.action {
            Action::Linked => ("contact", unlink(&mut after, entry)),
            Action::Unlinked => ("contact", refused.is_none() && link(&mut after, subject, entry)),
            _ => (PRIMARY, refused.is_none() && make_primary(&mut after, entry)),
        };
        if done {
            record.reversed.push(what.to_owned());
        } else {
            record.kept.push(Kept { field: what.to_owned(), why: refused.unwrap_or(WhyKept::Edited) });
        }
    }
    if by.is_none() || before == after {
        return Ok(());
    }
    let gone: Vec<_> = before.difference(&after).copied().collect();
    let new: Vec<_> = after.difference(&before).copied().collect();
    txn.links().remove(&gone)?;
    txn.links().insert(&new)?;
    entries.extend(told(bench, subject, &before, &after));
    Ok(())
}

/// Whether a lead that became a customer has this person: it is one of the customer's by now, whoever added it.
pub(super) fn is_of_converted(txn: &mut dyn Txn, person: Subject) -> Result<bool> {
    let links = txn.links().to(&[person], None)?;
    let leads = links.iter().map(|link| link.from).filter(|from| from.kind == SubjectKind::Lead);
    let leads: Vec<_> = leads.map(|from| LeadId::from_uuid(from.id)).collect();
    Ok(txn.leads().get(&leads)?.iter().any(|lead| lead.conversion.is_some()))
}

/// The entries that tell how one set of links became the other.
fn told(bench: &Bench<'_>, lead: Subject, before: &BTreeSet<Link>, after: &BTreeSet<Link>) -> Vec<NewEntry> {
    let now = bench.ctx.now();
    let has = |links: &BTreeSet<Link>, person: Subject| links.iter().any(|link| link.to == person);
    let entry = |action, person, from: FieldValue, to: FieldValue| {
        let role = FieldChange::new("role", from, to);
        let entry = NewEntry { other: Some(person), ..NewEntry::new(lead, action, now) };
        entry.with_changes(vec![role])
    };
    let mut entries = Vec::new();
    for link in before.iter().filter(|link| !has(after, link.to)) {
        entries.push(entry(Action::Unlinked, link.to, link.role.code().into(), FieldValue::Empty));
    }
    for link in after.iter().filter(|link| !has(before, link.to)) {
        entries.push(entry(Action::Linked, link.to, FieldValue::Empty, link.role.code().into()));
    }
    let (was, is) = (primary(before), primary(after));
    let stayed =
        |person: Option<Subject>| person.is_none_or(|person| has(before, person) && has(after, person));
    if was != is && (stayed(was) || stayed(is)) {
        let id = |person: Option<Subject>| person.map(|person| person.id);
        let change = FieldChange::new(PRIMARY, id(was), id(is));
        entries.push(NewEntry { changes: vec![change], ..NewEntry::new(lead, Action::Updated, now) });
    }
    entries
}

fn primary(links: &BTreeSet<Link>) -> Option<Subject> {
    links.iter().find(|link| link.role == LinkRole::PrimaryContact).map(|link| link.to)
}

fn unlink(links: &mut BTreeSet<Link>, entry: &Entry) -> bool {
    let count = links.len();
    links.retain(|link| Some(link.to) != entry.other);
    links.len() < count
}

fn link(links: &mut BTreeSet<Link>, lead: Subject, entry: &Entry) -> bool {
    let Some(person) = entry.other else { return false };
    if links.iter().any(|link| link.to == person) {
        return false;
    }
    let role = entry.changes.iter().find(|change| change.field == "role");
    let role = role.and_then(|change| change.before.as_text()).and_then(LinkRole::from_code);
    let role = role.unwrap_or(LinkRole::Contact);
    // There is one primary contact at most.
    let role = if primary(links).is_some() { LinkRole::Contact } else { role };
    links.insert(Link { from: lead, role, to: person })
}

fn make_primary(links: &mut BTreeSet<Link>, entry: &Entry) -> bool {
    let Some(change) = entry.changes.iter().find(|change| change.field == PRIMARY) else { return false };
    let now = primary(links).map(|person| person.id);
    // The one that the operation made primary may just have been taken off.
    if now.is_some() && now != change.after.as_id() {
        return false;
    }
    let was = change.before.as_id();
    let role_of = |links: &mut BTreeSet<Link>, id, role| {
        let found = links.iter().find(|link| link.to.id == id).copied();
        found.is_some_and(|link| links.remove(&link) && links.insert(Link { role, ..link }))
    };
    if was.is_some_and(|id| !links.iter().any(|link| link.to.id == id)) {
        return false;
    }
    if let Some(id) = now {
        role_of(links, id, LinkRole::Contact);
    }
    was.is_none_or(|id| role_of(links, id, LinkRole::PrimaryContact))
}
