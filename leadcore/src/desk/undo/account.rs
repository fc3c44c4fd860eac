//! Taking back what happened to one account, but for what a conversion did.

use crate::domain::{
    Account, Action, CatalogueKind, Field, FieldChange, Kept, NewEntry, Operation, OperationKind, Subject,
    Trashed, WhyKept, account_changes,
};
use crate::error::Result;
use crate::id::AccountId;
use crate::store::Txn;

use super::super::access::Gate;
use super::super::accounts;
use super::super::custom::{shared, taken_by};
use super::record::{note, refuse, unfit};
use super::stories::{Story, unsupported};
use super::walk::Bench;
use super::withdrawn::Withdrawn;
use super::{UndoFailure, UndoRecord, followers, links};

pub(super) fn take_back(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    if matches!(bench.undone.kind, OperationKind::Convert | OperationKind::Unconvert) {
        return Ok(unsupported(subject, story));
    }
    let found = txn.accounts().get(&[AccountId::from_uuid(subject.id)])?;
    let Some(before) = accounts::visible(txn, &bench.view, found)?.pop() else {
        return Ok(UndoRecord::fail(subject, UndoFailure::NotFound));
    };
    // Nobody edits an account that is archived: who may delete it may have it back, and a term that is there
    // again comes back to it too.
    let is_back = |entry: &crate::domain::Entry| entry.action == Action::Deleted;
    let may = match before.archived {
        Some(_) if story.own.iter().any(is_back) => admits(txn, bench.delete.as_ref(), &before)?,
        Some(_) => admits(txn, bench.edit.as_ref(), &before)?,
        None => followers::may_edit(bench, txn, subject)?,
    };
    let mut record = UndoRecord::new(subject);
    let own = |entry: &&crate::domain::Entry| !followers::concerns(entry);
    if story.own.iter().filter(own).count() > 0 && !may {
        return Ok(UndoRecord::fail(subject, UndoFailure::Forbidden));
    }
    let mut after = before.clone();
    let withdrawn = Withdrawn::of(txn, subject, story)?;
    for entry in story.own.iter().filter(own).filter(|entry| !links::concerns(entry)) {
        match entry.action {
            Action::Created | Action::Restored => match why_kept(bench, txn, &before, story)? {
                Some(why) => record.kept.push(Kept { field: entry.action.code().to_owned(), why }),
                None => {
                    // For a plan any operation will do: what it is called is not told.
                    let operation = by.map_or(bench.undone.id, |by| by.id);
                    after.archived = Some(Trashed { at: bench.ctx.now(), operation });
                    record.reversed.push(entry.action.code().to_owned());
                }
            },
            Action::Updated => {
                let refuse = |change: &FieldChange, field: &Field| {
                    refuse(bench, &bench.accounts, field, &change.before)
                        .or_else(|| story.refuse(entry, change, &record.kept))
                        .or_else(|| withdrawn.refuse(change))
                };
                let done = after.fields.rewind(&entry.changes, &refuse);
                note(&mut record, done);
            }
            // What an undo, or a deletion, archived is there again, unless something else archived it since.
            Action::Deleted => {
                let done_here = before.archived.as_ref().is_some_and(|it| it.operation == bench.undone.id);
                if done_here && !story.touched {
                    after.archived = None;
                    record.reversed.push(entry.action.code().to_owned());
                } else {
                    record.kept.push(Kept { field: entry.action.code().to_owned(), why: WhyKept::Edited });
                }
            }
            other => record.kept.push(Kept { field: other.code().to_owned(), why: WhyKept::Unsupported }),
        }
    }
    let mut broken = after.fields.violations();
    let (old, new) = (&before.fields.custom, &after.fields.custom);
    // An archived account has no value of a field that is unique; another may have it by now.
    let comes_back = before.archived.is_some() && after.archived.is_none();
    if old != new || comes_back {
        broken.extend(unfit(&bench.accounts, old, new));
        let taken = shared(txn, &bench.accounts, Some(subject.id), new)?;
        broken.extend(taken.iter().map(|field| taken_by(CatalogueKind::Account, field)));
    }
    if !broken.is_empty() {
        return Ok(UndoRecord::fail(subject, UndoFailure::Invalid(broken)));
    }
    let concerning = story.own.iter().filter(|entry| links::concerns(entry));
    if before.archived.is_some() && after.archived.is_some() {
        // It has no page: nobody would see or edit who comes back there.
        let gone = |_| Kept { field: "contact".to_owned(), why: WhyKept::Gone };
        record.kept.extend(concerning.map(gone));
    } else if concerning.count() > 0 {
        links::take_back(bench, txn, by, (subject, may), story, &mut record, entries)?;
    }
    if story.own.iter().any(followers::concerns) {
        followers::take_back(bench, txn, by, (subject, may), story, &mut record, entries)?;
    }
    if by.is_some() && after != before {
        write(bench, txn, &before, after, entries)?;
    }
    Ok(record)
}

/// Whether an actor with this gate gets at the account; nobody without one does.
fn admits(txn: &mut dyn Txn, gate: Option<&Gate>, account: &Account) -> Result<bool> {
    match gate {
        Some(gate) => Ok(!accounts::visible(txn, gate, vec![account.clone()])?.is_empty()),
        None => Ok(false),
    }
}

/// Why a new account stays: somebody else wrote it since, something hangs on it, or the actor may not delete.
fn why_kept(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    account: &Account,
    story: &Story,
) -> Result<Option<WhyKept>> {
    if !admits(txn, bench.delete.as_ref(), account)? {
        return Ok(Some(WhyKept::NotAllowed));
    }
    if !accounts::Hanging::on(txn, account.id, 1)?.is_nothing() {
        return Ok(Some(WhyKept::InUse));
    }
    let is_edited = story.touched || account.archived.is_some();
    Ok(is_edited.then_some(WhyKept::Edited))
}

fn write(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    before: &Account,
    after: Account,
    entries: &mut Vec<NewEntry>,
) -> Result<()> {
    let now = bench.ctx.now();
    let action = match (&before.archived, &after.archived) {
        (None, Some(_)) => Action::Deleted,
        (Some(_), None) => Action::Restored,
        _ => Action::Updated,
    };
    let changes = account_changes(&before.fields, &after.fields);
    let after = Account { revision: before.revision.next(), updated_at: now, ..after };
    txn.accounts().update(std::slice::from_ref(&after))?;
    entries.push(NewEntry::new(after.id, action, now).with_changes(changes));
    Ok(())
}
