//! Files of leads, contacts and accounts, and attachments of notes and estimates (S0.29, S0.30).
//!
//! A file has a name that is only shown, never followed, and a content that is kept once, by its hash, however many files
//! have it. When the last file that has a content goes, its bytes go in the same transaction. An attachment is a file about
//! a note or an estimate; it goes with it.
//!
//! Contents go in and out as streams: adding and reading take the same memory for any size. That takes leadcore's feature
//! `files`; without it files are listed, renamed and removed.
//!
//! An undo of an addition removes the file. An undo of a deletion brings the file back only while another file has the same
//! content: the bytes of the last one are gone for good.

#[cfg(feature = "files")]
mod content;
#[cfg(all(test, feature = "files"))]
mod tests;

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    FieldChange, FieldValue, FileFields, FileRecord, NewEntry, OperationKind, Place, Placement, Subject, Tab,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{FileId, Revision};
use crate::query::Page;
use crate::store::{ChildQuery, Txn};
use crate::time::Timestamp;

use super::access::Expect;
use super::children::{self, Child, for_child};
use super::listing::Listing;
use super::operation::record;

#[cfg(feature = "files")]
pub use content::{NewFile, add, add_many, read, read_range};

impl Child for FileRecord {
    const WHAT: &'static str = "file";

    fn subject(&self) -> Subject {
        self.id.into()
    }

    fn about(&self) -> &[Subject] {
        &self.about
    }

    fn set_about(&mut self, about: Vec<Subject>) {
        self.about = about;
    }

    fn revision(&self) -> Revision {
        self.revision
    }

    fn renew(&mut self, revision: Revision, at: Timestamp) {
        self.revision = revision;
        self.updated_at = at;
    }

    fn placement(&self) -> Placement {
        Self::placement(self)
    }

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

    fn can_return(txn: &mut dyn Txn, child: &Self) -> Result<bool> {
        Ok(txn.blobs().size(&child.hash)?.is_some())
    }

    fn load(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<Vec<Self>> {
        let ids: Vec<_> = ids.iter().copied().map(FileId::from_uuid).collect();
        txn.files().get(&ids)
    }

    fn insert(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        txn.files().insert(std::slice::from_ref(child))
    }

    fn update(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        txn.files().update(std::slice::from_ref(child))
    }

    /// The bytes go with the last file that has them.
    fn remove(txn: &mut dyn Txn, id: Uuid) -> Result<()> {
        let contents: Vec<_> = Self::load(txn, &[id])?.into_iter().map(|file| file.hash).collect();
        txn.files().remove(&[FileId::from_uuid(id)])?;
        let uses = txn.files().uses(&contents)?;
        let unused: Vec<_> = contents
            .into_iter()
            .zip(uses)
            .filter(|(_, uses)| *uses == 0)
            .map(|(content, _)| content)
            .collect();
        txn.blobs().remove(&unused)
    }
}

/// The file, if the actor may see a record that it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: FileId) -> Result<FileRecord> {
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
    let before = get(ctx, txn, id)?;
    children::check_change(ctx, txn, &before)?;
    expect.into().check("file", before.revision)?;
    let fields = fields.checked().map_err(Error::invalid)?;
    let after = FileRecord { fields, ..before.clone() };
    let (after, entries) = children::replace(ctx, txn, &before, after)?;
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    Ok(after)
}

/// Removes a file, and its bytes when no other file has them. An undo of the operation brings it back only in the second
/// case.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: FileId, expect: impl Into<Expect>) -> Result<()> {
    let file = get(ctx, txn, id)?;
    children::check_change(ctx, txn, &file)?;
    expect.into().check("file", file.revision)?;
    let mut entries = remove_about(ctx, txn, file.subject())?;
    entries.extend(children::take_away(ctx, txn, &file)?);
    record(ctx, txn, OperationKind::Delete, &entries).map(drop)
}

/// A page of the files about a lead, contact or account, or of the attachments of a note or an estimate, the latest first
/// unless the listing says otherwise.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    listing: &Listing,
) -> Result<Page<FileRecord, Place>> {
    children::page(ctx, txn, subject.into(), vec![Tab::File], listing)
}

/// Removes what is about this child alone, before it goes itself, and takes it off what is also about others. The entries
/// belong before those of the child: an undo, which reads the newest first, has the child back when it comes to them.
pub(super) fn remove_about(ctx: &Context<'_>, txn: &mut dyn Txn, gone: Subject) -> Result<Vec<NewEntry>> {
    let query = ChildQuery {
        about: vec![gone],
        tabs: Vec::new(),
        open: None,
        descending: false,
        after: None,
        limit: 500,
    };
    let mut entries = Vec::new();
    loop {
        let found = txn.children().list(&query)?;
        if found.is_empty() {
            return Ok(entries);
        }
        for placed in found {
            let told = for_child!(placed.child, C => leave::<C>(ctx, txn, placed.child, gone)?, else {
                let message = format!("no {} can be taken off what it is about", placed.child.kind.code());
                return Err(Error::new(ErrorKind::Internal, message));
            });
            entries.extend(told);
        }
    }
}

fn leave<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    child: Subject,
    gone: Subject,
) -> Result<Vec<NewEntry>> {
    let Some(before) = C::load(txn, &[child.id])?.pop() else {
        return Err(Error::new(ErrorKind::Corrupt, format!("a {} is placed but not there", C::WHAT)));
    };
    let others: Vec<_> = before.about().iter().filter(|about| **about != gone).copied().collect();
    if others.is_empty() {
        let mut entries = remove_about(ctx, txn, child)?;
        entries.extend(children::take_away(ctx, txn, &before)?);
        return Ok(entries);
    }
    let mut after = before.clone();
    after.set_about(others);
    children::replace(ctx, txn, &before, after).map(|(_, entries)| entries)
}
