//! Files of leads, contacts and accounts, and attachments of notes and estimates (S0.29, S0.30).
//!
//! A file has a name that is only shown, never followed, and a content that is kept once, by its hash, however many files
//! have it. When the last file that has a content is deleted, its bytes go in the same transaction. An attachment is a file
//! about a note or an estimate; it goes with it, and comes back with it: its bytes are kept until the leads and persons that
//! it hung on are purged.
//!
//! Contents go in and out as streams: adding and reading take the same memory for any size. That takes leadcore's feature
//! `files`; without it files are listed, renamed and removed.
//!
//! An undo of an addition removes the file, and keeps its bytes for an undo of that. An undo of a deletion brings the file
//! back only while another file has the same content: the bytes of the last one are gone for good.

#[cfg(feature = "files")]
mod content;
#[cfg(all(test, feature = "files"))]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    ContentHash, FieldChange, FieldValue, FileFields, FileRecord, OperationKind, Subject, Tab,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::FileId;
use crate::query::{ListCursor, MAX_PAGE, Page};
use crate::store::{ChildQuery, KeptFile, Txn};

use super::access::Expect;
use super::children::{self, Child, stored_child};
use super::children_purge;
use super::listing::Listing;
use super::operation::record;

#[cfg(feature = "files")]
pub use content::{NewFile, add, add_many, read, read_range};

impl Child for FileRecord {
    const WHAT: &'static str = "file";

    stored_child!(files by FileId);

    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        let name = |side: Option<&Self>| -> FieldValue { side.map(|file| file.fields.name.as_str()).into() };
        let description = |side: Option<&Self>| -> FieldValue {
            side.and_then(|file| file.fields.description.as_deref()).into()
        };
        let mut told = vec![FieldChange::new("name", name(before), name(after))];
        if description(before) != description(after) {
            told.push(FieldChange::new("description", description(before), description(after)));
        }
        told
    }

    fn can_return(txn: &mut dyn Txn, now: Option<&Self>, child: &Self) -> Result<bool> {
        Ok(now.is_some() || txn.blobs().size(&child.hash)?.is_some())
    }

    /// Its bytes stay for as long as a record is there that it comes back to.
    fn withdraw(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        let mut of = children::with_holders(txn, &child.about)?;
        of.retain(|subject| !subject.kind.is_child());
        Self::remove(txn, &[child.id.as_uuid()])?;
        if of.is_empty() {
            return free(txn, &[child.hash]);
        }
        txn.files().keep(&[KeptFile { file: child.id, content: child.hash, of }])
    }

    fn purge(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<()> {
        let contents: Vec<_> = Self::load(txn, ids)?.into_iter().map(|file| file.hash).collect();
        Self::remove(txn, ids)?;
        free(txn, &contents)
    }

    fn reinsert(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        Self::insert(txn, std::slice::from_ref(child))?;
        let nothing = KeptFile { file: child.id, content: child.hash, of: Vec::new() };
        txn.files().keep(&[nothing])
    }
}

/// What is attached to a note, a task, an estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attached {
    /// What it is attached to.
    pub of: Subject,
    /// How many files.
    pub total: u64,
    /// The latest of them.
    pub files: Vec<FileRecord>,
}

/// What is attached to each of these notes, tasks, estimates …, in the order asked, of each the latest `first` files; those
/// without files, and those that the actor may not see, are left out. For a page of notes, in one call.
///
/// # Errors
/// `Invalid` unless `of` are at most 1,000 and `first` is at most 1,000.
pub fn attached(ctx: &Context<'_>, txn: &mut dyn Txn, of: &[Subject], first: usize) -> Result<Vec<Attached>> {
    for (field, number) in [("of", of.len()), ("first", first)] {
        if number > MAX_PAGE {
            let message = "a page has 0 to 1,000 records";
            return Err(Error::invalid_field(field, ViolationCode::OutOfRange, message));
        }
    }
    let mut sight = children::Sight::open(ctx, txn)?;
    sight.learn(txn, of)?;
    let mut all = Vec::new();
    for of in of.iter().copied().filter(|of| sight.sees(*of)) {
        let counts = txn.children().counts(&[of])?;
        let Some(count) = counts.into_iter().find(|count| count.tab == Tab::File) else { continue };
        let (about, tabs) = (vec![of], vec![Tab::File]);
        let query = ChildQuery { about, tabs, open: None, descending: true, after: None, limit: first };
        let found = txn.children().list(&query)?;
        let ids: Vec<_> = found.iter().map(|placed| placed.child.id).collect();
        let latest = FileRecord::load(txn, &ids)?;
        let files = children::shown(ctx, txn, latest)?;
        all.push(Attached { of, total: count.total, files });
    }
    Ok(all)
}

/// Removes those of these contents that nothing needs any more.
fn free(txn: &mut dyn Txn, contents: &[ContentHash]) -> Result<()> {
    let contents: Vec<_> = contents.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let uses = txn.files().uses(&contents)?;
    let unused = contents.into_iter().zip(uses).filter(|(_, is_used)| !is_used).map(|(content, _)| content);
    txn.blobs().remove(&unused.collect::<Vec<_>>())
}

/// Frees what was kept for files that hung on these records, which are removed for good.
pub(super) fn release(txn: &mut dyn Txn, of: &[Subject]) -> Result<()> {
    let contents = txn.files().release(of)?;
    if contents.is_empty() { Ok(()) } else { free(txn, &contents) }
}

/// The file, if the actor may see a record that it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: FileId) -> Result<FileRecord> {
    let file = found(ctx, txn, id)?;
    children::shown_one(ctx, txn, file)
}

/// The file as it is stored, if the actor may see it.
fn found(ctx: &Context<'_>, txn: &mut dyn Txn, id: FileId) -> Result<FileRecord> {
    children::get(ctx, txn, id.as_uuid())
}

/// Writes the name and the description of a file. Its content never changes: another one is another file.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: FileId,
    expect: impl Into<Expect>,
    fields: &FileFields,
) -> Result<FileRecord> {
    let before = found(ctx, txn, id)?;
    children::check_change(ctx, txn, &before)?;
    expect.into().check("file", before.revision)?;
    let fields = fields.checked().map_err(Error::invalid)?;
    let after = FileRecord { fields, ..before.clone() };
    let (after, entries) = children::replace(ctx, txn, &before, after)?;
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    children::shown_one(ctx, txn, after)
}

/// Removes a file, and its bytes when no other file has them. An undo of the operation brings it back only in the second
/// case.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: FileId, expect: impl Into<Expect>) -> Result<()> {
    let file = found(ctx, txn, id)?;
    children::check_change(ctx, txn, &file)?;
    expect.into().check("file", file.revision)?;
    let mut entries = children_purge::clear(ctx, txn, file.subject())?;
    entries.extend(children::take_away(ctx, txn, &file)?);
    // Whoever deletes a file wants its bytes gone.
    txn.files().keep(&[KeptFile { file: file.id, content: file.hash, of: Vec::new() }])?;
    free(txn, &[file.hash])?;
    record(ctx, txn, OperationKind::Delete, &entries).map(drop)
}

/// A page of the files about a lead, contact or account, or of the attachments of a note or an estimate, the latest first
/// unless the listing says otherwise.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit, or a cursor of another list.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    listing: &Listing,
) -> Result<Page<FileRecord, ListCursor>> {
    children::page(ctx, txn, subject.into(), vec![Tab::File], listing)
}
