//! Taking back what happened to one lead or contact.

use std::collections::BTreeMap;

use crate::domain::FieldType;
use crate::domain::{
    Action, Catalogue, CatalogueKind, Contact, CustomValues, Entry, FOLLOWED_SINCE, FOLLOWER, Field,
    FieldChange, FieldValue, IMPORT_LINE, Kept, Lead, LeadFields, LinkRole, NewEntry, Operation, Reference,
    Rewound, Subject, SubjectKind, TRASHED_AT, TRASHED_BY, TermKind, Trashed, WhyKept, contact_changes,
    plain, rewind_by,
};
use crate::error::{Result, Violation, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, OperationId, StageId, UserId};
use crate::store::{LeadChange, Txn};

use super::super::access::Gate;
use super::super::accounts;
use super::super::contacts::PRIMARY;
use super::super::custom::{shared, taken_by};
use super::super::leads::touch;
use super::claims::Decision;
use super::stories::Story;
use super::walk::Bench;
use super::withdrawn::Withdrawn;
use super::{UndoFailure, UndoRecord};

/// What becomes of a lead, and how to write it; the fields that are refused stay as they are.
pub(super) fn lead(
    bench: &Bench<'_>,
    by: Option<&Operation>,
    (subject, lead): (Subject, Option<&Lead>),
    story: &Story,
    refused: &BTreeMap<Field, WhyKept>,
) -> Decision {
    let fail = |why| (UndoRecord::fail(subject, why), None);
    let Some(before) = lead.filter(|lead| bench.view.admits(lead)) else {
        return fail(UndoFailure::NotFound);
    };
    if before.conversion.is_some() {
        return fail(UndoFailure::Converted);
    }
    let turn = |through| turn_back(bench, by, (subject, before), (story, through), refused);
    // What is gone by now and was there only in between is passed through, where it does not stay.
    let (mut after, mut record) = turn(true);
    if names_gone(bench, before, &after) {
        (after, record) = turn(false);
    }
    let moves_trash = after.trashed != before.trashed;
    let may = |gate: &Option<Gate>| gate.as_ref().is_some_and(|gate| gate.admits(before));
    let writes = Lead { trashed: before.trashed.clone(), ..after.clone() } != *before;
    // Who may not delete is told that first, whatever else keeps a lead that was created.
    let is_new = story.own.iter().any(|entry| entry.action == Action::Created) && before.trashed.is_none();
    if (writes && !may(&bench.edit)) || ((moves_trash || is_new) && !may(&bench.delete)) {
        return fail(UndoFailure::Forbidden);
    }
    // What the engine itself asks, and the type that a custom field has now; the tenant's rules may have changed since,
    // and what was there before was right then.
    let plain = |fields: &LeadFields| LeadFields { custom: BTreeMap::new(), ..fields.clone() };
    let rules = Catalogue::standard();
    if writes && rules.check(&plain(&before.fields)).is_empty() {
        let broken = rules.check(&plain(&after.fields));
        if !broken.is_empty() {
            return fail(UndoFailure::Invalid(broken));
        }
    }
    if let Some(broken) = unfit(&bench.catalogue, &before.fields.custom, &after.fields.custom) {
        return fail(UndoFailure::Invalid(vec![broken]));
    }
    if !writes && !moves_trash {
        return (record, None);
    }
    let entries = entries(bench, before, &mut after);
    (record, Some((LeadChange { before: before.clone(), after }, entries)))
}

/// The lead as it was before the entries of the operation, and what is told of it. `through` says whether an entry may give
/// back what is gone when an older one takes it away again.
fn turn_back(
    bench: &Bench<'_>,
    by: Option<&Operation>,
    (subject, before): (Subject, &Lead),
    (story, through): (&Story, bool),
    refused: &BTreeMap<Field, WhyKept>,
) -> (Lead, UndoRecord) {
    let (mut after, mut record) = (before.clone(), UndoRecord::new(subject));
    // For a plan any operation will do: what it is called is not told.
    let by = by.map_or(bench.undone.id, |by| by.id);
    for (n, entry) in story.own.iter().enumerate() {
        match entry.action {
            Action::Created | Action::Deleted | Action::Restored => {
                existence(bench, by, entry, story, &mut after, &mut record);
            }
            Action::Updated | Action::Moved => {
                let changes: Vec<_> = own_fields(&entry.changes);
                let passes = |change: &FieldChange, field: &Field| {
                    let mut older = story.own.iter().skip(n + 1).flat_map(|entry| &entry.changes);
                    through
                        && matches!(field.field_type(), FieldType::Reference(_))
                        && older.any(|older| {
                            older.field == change.field && plain(&older.after) == plain(&change.before)
                        })
                };
                let refuse = |change: &FieldChange, field: &Field| {
                    refuse(bench, &bench.catalogue, field, &change.before)
                        .filter(|why| *why != WhyKept::Gone || !passes(change, field))
                        .or_else(|| refused.get(field).copied())
                        .or_else(|| story.refuse(entry, change, &record.kept))
                };
                let mut done = rewind_by(&mut after, &changes, &refuse);
                tell_reversed(story, before, &changes, &mut done);
                note(&mut record, done);
            }
            // Persons are dealt with apart.
            Action::Linked | Action::Unlinked => {}
            Action::Converted | Action::Unconverted | Action::Purged => {
                record.kept.push(Kept { field: entry.action.code().to_owned(), why: WhyKept::Unsupported });
            }
        }
    }
    (after, record)
}

/// Whether a lead would have something that is gone and that it does not have now.
fn names_gone(bench: &Bench<'_>, before: &Lead, after: &Lead) -> bool {
    let names = |field: &Field| {
        let (had, has) = (field.read(before), field.read(after));
        let gone = |item: &FieldValue| refuse(bench, &bench.catalogue, field, item) == Some(WhyKept::Gone);
        has.items().iter().any(|item| !had.items().contains(item) && gone(item))
    };
    let place = [Field::Pipeline, Field::Stage];
    let terms = TermKind::ALL.iter().map(|kind| kind.field());
    place.into_iter().chain(terms).any(|field| names(&field))
}

/// A custom value that came back while its field has another type now.
pub(super) fn unfit(catalogue: &Catalogue, before: &CustomValues, after: &CustomValues) -> Option<Violation> {
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(*value));
    let (key, _) = new.into_iter().find(|(key, value)| !catalogue.takes(key, value))?;
    Some(Violation::new(key.as_str(), ViolationCode::NotAllowed, "the field has another type now"))
}

/// Fields that have the value before, since an undo of a part of the operation wrote it, were not edited.
fn tell_reversed(story: &Story, lead: &Lead, changes: &[FieldChange], done: &mut Rewound) {
    if !story.has_returned() {
        return;
    }
    for kept in done.kept.iter_mut().filter(|kept| kept.why == WhyKept::Edited) {
        let change = changes.iter().find(|change| change.field == kept.field);
        let field = kept.field.parse::<Field>().ok();
        let is_as_before = change
            .zip(field)
            .is_some_and(|(change, field)| plain(&field.read(lead)) == plain(&change.before));
        if is_as_before {
            kept.why = WhyKept::Reversed;
        }
    }
}

/// The changes that are about the lead itself, without whom it calls primary, who follows it and which lines of a file it
/// came from.
fn own_fields(changes: &[FieldChange]) -> Vec<FieldChange> {
    let elsewhere = [PRIMARY, FOLLOWER, FOLLOWED_SINCE, IMPORT_LINE];
    changes.iter().filter(|change| !elsewhere.contains(&change.field.as_str())).cloned().collect()
}

/// The lead goes into the trash or comes out of it.
fn existence(
    bench: &Bench<'_>,
    by: OperationId,
    entry: &Entry,
    story: &Story,
    after: &mut Lead,
    record: &mut UndoRecord,
) {
    let what = entry.action.code();
    let now = bench.ctx.now();
    let done = match entry.action {
        Action::Created if story.touched || story.hung || after.trashed.is_some() => false,
        Action::Created => {
            after.trashed = Some(Trashed { at: now, operation: by });
            true
        }
        Action::Deleted => {
            // A lead that an undo put back into the trash is there by the operation that it was there by before.
            let named = entry.changes.iter().find(|change| change.field == TRASHED_BY);
            let put_by = named.and_then(|change| change.after.as_id()).map(OperationId::from_uuid);
            let put_by = put_by.unwrap_or(entry.operation);
            let same = after.trashed.as_ref().is_some_and(|trashed| trashed.operation == put_by);
            if same {
                after.trashed = None;
            }
            same
        }
        _ => {
            let free = after.trashed.is_none();
            if free {
                let side = |key: &str| entry.changes.iter().find(|c| c.field == key).map(|c| &c.before);
                let at = side(TRASHED_AT).and_then(|value| match value {
                    FieldValue::Time(at) => Some(*at),
                    other => other.as_text().and_then(|text| text.parse().ok()),
                });
                let operation = side(TRASHED_BY).and_then(FieldValue::as_id).map(OperationId::from_uuid);
                after.trashed = Some(Trashed { at: at.unwrap_or(now), operation: operation.unwrap_or(by) });
            }
            free
        }
    };
    // In the trash, where an undo of a part put it.
    let is_gone = entry.action == Action::Created && story.has_returned() && after.trashed.is_some();
    if done {
        record.reversed.push(what.to_owned());
    } else if is_gone {
        record.kept.push(Kept { field: what.to_owned(), why: WhyKept::Reversed });
    } else {
        record.kept.push(Kept { field: what.to_owned(), why: WhyKept::Edited });
    }
}

/// The journal's entries of a lead that is taken back: one for its fields, one for the trash.
fn entries(bench: &Bench<'_>, before: &Lead, after: &mut Lead) -> Vec<NewEntry> {
    let action = if after.stage == before.stage { Action::Updated } else { Action::Moved };
    let mut fields = touch(bench.ctx, before, after, action);
    let of_trash = |change: &FieldChange| [TRASHED_AT, TRASHED_BY].contains(&change.field.as_str());
    let (mut trash, rest): (Vec<_>, _) = std::mem::take(&mut fields.changes).into_iter().partition(of_trash);
    fields.changes = rest;
    let mut entries = Vec::new();
    if !fields.changes.is_empty() {
        entries.push(fields);
    }
    if before.trashed != after.trashed {
        if let Some(trashed) = &after.trashed {
            let operation = FieldValue::Id(trashed.operation.as_uuid());
            trash.push(FieldChange::new(TRASHED_BY, FieldValue::Empty, operation));
        }
        let action = if after.trashed.is_some() { Action::Deleted } else { Action::Restored };
        entries.push(NewEntry::new(after.id, action, after.updated_at).with_changes(trash));
    }
    entries
}

/// Why the value before is not written into the field.
pub(super) fn refuse(
    bench: &Bench<'_>,
    catalogue: &Catalogue,
    field: &Field,
    value: &FieldValue,
) -> Option<WhyKept> {
    let ctx = bench.ctx;
    if ctx.policy().is_hidden(ctx.actor(), field) {
        return Some(WhyKept::NotAllowed);
    }
    match field.field_type() {
        // What the field is now decides whether it takes the value.
        FieldType::Custom => match field {
            Field::Custom(key) => catalogue.usable(key).is_err().then_some(WhyKept::Gone),
            _ => None,
        },
        FieldType::Reference(Reference::Term(_)) => {
            let gone = |item: &FieldValue| item.as_id().is_none_or(|id| !bench.terms.contains(&id));
            value.items().iter().any(gone).then_some(WhyKept::Gone)
        }
        FieldType::Reference(Reference::Stage) => {
            let stage = value.as_id().map(StageId::from_uuid);
            let known = bench.stages.iter().any(|(_, known)| Some(*known) == stage);
            (!known).then_some(WhyKept::Gone)
        }
        FieldType::Reference(Reference::Pipeline) => {
            let known = bench.stages.iter().any(|(known, _)| Some(known.as_uuid()) == value.as_id());
            (!known).then_some(WhyKept::Gone)
        }
        FieldType::User => {
            let owner = value.as_text().and_then(|text| UserId::new(text).ok())?;
            (!ctx.policy().may_own(ctx.actor(), &owner)).then_some(WhyKept::NotAllowed)
        }
        _ => None,
    }
}

/// What was said of one entry joins what was said of newer ones: a field that was kept once counts as kept.
pub(super) fn note(record: &mut UndoRecord, done: Rewound) {
    for kept in done.kept {
        if !record.kept.iter().any(|known| known.field == kept.field) {
            record.kept.push(kept);
        }
    }
    record.reversed.extend(done.reversed);
    record.reversed.sort();
    record.reversed.dedup();
    let kept: Vec<_> = record.kept.iter().map(|kept| kept.field.clone()).collect();
    record.reversed.retain(|field| !kept.contains(field));
}

/// What becomes of a person: its fields are taken back. One that was created stays stored; nobody is linked to it then.
pub(super) fn contact(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    let Some(before) = txn.contacts().get(&[ContactId::from_uuid(subject.id)])?.pop() else {
        return Ok(UndoRecord::fail(subject, UndoFailure::NotFound));
    };
    let mut record = UndoRecord::new(subject);
    let mut fields = before.fields.clone();
    let withdrawn = Withdrawn::of(txn, subject, story)?;
    for entry in &story.own {
        match entry.action {
            Action::Created if super::links::is_of_converted(txn, subject)? => {
                record.kept.push(Kept { field: entry.action.code().to_owned(), why: WhyKept::InUse });
            }
            Action::Created => record.reversed.push(entry.action.code().to_owned()),
            Action::Updated => {
                let done = fields.rewind(&entry.changes, &|change, field| {
                    refuse(bench, &bench.contacts, field, &change.before)
                        .or_else(|| story.refuse(entry, change, &record.kept))
                        .or_else(|| withdrawn.refuse(change))
                });
                note(&mut record, done);
            }
            other => record.kept.push(Kept { field: other.code().to_owned(), why: WhyKept::Unsupported }),
        }
    }
    if fields == before.fields {
        return Ok(record);
    }
    if let Some(why) = may_write(bench, txn, subject)? {
        return Ok(UndoRecord::fail(subject, why));
    }
    let mut broken = fields.violations();
    if fields.custom != before.fields.custom {
        broken.extend(unfit(&bench.contacts, &before.fields.custom, &fields.custom));
        let taken = shared(txn, &bench.contacts, Some(subject.id), &fields.custom)?;
        broken.extend(taken.iter().map(|field| taken_by(CatalogueKind::Contact, field)));
    }
    if !broken.is_empty() {
        return Ok(UndoRecord::fail(subject, UndoFailure::Invalid(broken)));
    }
    if by.is_some() {
        let changes = contact_changes(&before.fields, &fields);
        let now = bench.ctx.now();
        let after = Contact { fields, revision: before.revision.next(), updated_at: now, ..before };
        txn.contacts().update(std::slice::from_ref(&after))?;
        entries.push(NewEntry::new(after.id, Action::Updated, now).with_changes(changes));
    }
    Ok(record)
}

/// Why the actor may not change a person: it may where it may edit a lead or an account that has it.
fn may_write(bench: &Bench<'_>, txn: &mut dyn Txn, contact: Subject) -> Result<Option<UndoFailure>> {
    let links = txn.links().to(&[contact], None)?;
    let holders =
        links.iter().filter(|link| matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact));
    let holders: Vec<_> = holders.map(|link| link.from).collect();
    let of = |kind| holders.iter().filter(move |holder| holder.kind == kind).map(|holder| holder.id);
    if let Some(gate) = &bench.edit {
        let ids: Vec<_> = of(SubjectKind::Account).map(AccountId::from_uuid).collect();
        let found = txn.accounts().get(&ids)?.into_iter().filter(|account| account.archived.is_none());
        if !accounts::visible(txn, gate, found.collect())?.is_empty() {
            return Ok(None);
        }
    }
    let ids: Vec<_> = of(SubjectKind::Lead).map(LeadId::from_uuid).collect();
    let leads = txn.leads().get(&ids)?;
    let seen: Vec<_> = leads.iter().filter(|lead| bench.view.admits(lead)).collect();
    let open = |lead: &&Lead| bench.edit.as_ref().is_some_and(|gate| gate.admits(lead));
    if seen.is_empty() {
        return Ok(Some(UndoFailure::NotFound));
    }
    if !seen.iter().any(open) {
        return Ok(Some(UndoFailure::Forbidden));
    }
    let became = |lead: &Lead| {
        links.iter().any(|link| link.role == LinkRole::ConvertedTo && link.from == Subject::from(lead.id))
    };
    let frozen = !seen.iter().any(|lead| open(lead) && (lead.conversion.is_none() || became(lead)));
    Ok(frozen.then_some(UndoFailure::Converted))
}
