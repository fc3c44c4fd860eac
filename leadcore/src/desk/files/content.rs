//! Contents in and out, as streams.

use std::fmt;
use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use crate::context::Context;
use crate::domain::{
    ContentHash, FileFields, FileLimits, FileRecord, OperationKind, Subject, Tab, media_type,
};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{FileId, Revision};
use crate::store::{Txn, nested};

use super::super::children;
use super::super::operation::record;
use super::found;

/// How much of a content is in memory at once.
const PIECE: usize = 256 * 1024;
/// The most bytes that one call of [`read_range`] returns.
const MAX_RANGE: usize = 16 * 1024 * 1024;

/// A file to be added: a name and a content that is read once, from where the reader stands to its end.
pub struct NewFile<'r> {
    fields: FileFields,
    content: &'r mut dyn Read,
    size: Option<u64>,
}

impl<'r> NewFile<'r> {
    /// A file of this name with this content.
    pub fn new(name: impl Into<String>, content: &'r mut dyn Read) -> Self {
        Self { fields: FileFields::named(name), content, size: None }
    }

    /// With a description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.fields.description = Some(description.into());
        self
    }

    /// The content has so many bytes: one that is too long is refused before it is read, and one that turns out to have
    /// another length is refused too.
    #[must_use]
    pub const fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }
}

impl fmt::Debug for NewFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewFile")
            .field("fields", &self.fields)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Adds a file about these records: leads, contacts, accounts, or a note or an estimate that it is attached to.
///
/// The content is read in pieces, and no further than one byte behind the limit. When reading fails, or a rule is broken,
/// nothing is left, also where the caller goes on with the transaction.
///
/// A store may run the closure of a write again. So the reader is opened inside the closure, or the file's
/// [size](NewFile::size) is given: then a reader that stands at its end already is refused instead of being taken for an
/// empty file.
///
/// ```
/// use leadcore::desk::files::{self, NewFile};
/// use leadcore::domain::FileLimits;
/// use leadcore::prelude::*;
/// # let store = MemoryStore::new();
/// # let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// # let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let file = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let mut content = b"id,amount\n7,100\n".as_slice();
///     files::add(&ctx, txn, &[lead.id.into()], NewFile::new("offers.csv", &mut content), &FileLimits::default())
/// })?;
/// assert_eq!((file.media_type.as_str(), file.size), ("text/csv", 16));
/// let mut content = Vec::new();
/// store.read(ctx.tenant(), |txn| files::read(&ctx, txn, file.id, &mut content))?;
/// assert_eq!(content, b"id,amount\n7,100\n");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` when one is a converted lead; `Invalid` at `name`, `description`, `content` or `about`;
/// `Storage` with its cause when the content cannot be read.
pub fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    file: NewFile<'_>,
    limits: &FileLimits,
) -> Result<FileRecord> {
    let added = add_all(ctx, txn, about, &mut [file], limits, &|_, field| field.to_owned())?;
    added
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a file was added and is not there"))
}

/// Adds several files about the same records, in one operation: all, or none. See [`add`].
///
/// # Errors
/// As [`add`], at `files[3].name` …; `Invalid` at `files` when there is none.
pub fn add_many(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    mut files: Vec<NewFile<'_>>,
    limits: &FileLimits,
) -> Result<Vec<FileRecord>> {
    if files.is_empty() {
        return Err(Error::invalid_field("files", ViolationCode::Required, "there is no file to be added"));
    }
    add_all(ctx, txn, about, &mut files, limits, &|n, field| format!("files[{n}].{field}"))
}

/// How the caller wrote a field of the n-th file.
type Path<'p> = &'p dyn Fn(usize, &str) -> String;

fn add_all(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    files: &mut [NewFile<'_>],
    limits: &FileLimits,
    path: Path<'_>,
) -> Result<Vec<FileRecord>> {
    let about = children::check_about(ctx, txn, about, &Tab::File)?;
    let checked = check(txn, &about, files, limits, path)?;
    nested(txn, |txn| {
        let mut added = Vec::with_capacity(checked.len());
        let mut entries = Vec::new();
        for (n, (file, fields)) in files.iter_mut().zip(&checked).enumerate() {
            let stored = store(txn, file, fields, limits, &|field| path(n, field))?;
            let now = ctx.now();
            let file = FileRecord {
                id: FileId::from_uuid(ctx.new_uuid()),
                revision: Revision::FIRST,
                about: about.clone(),
                fields: fields.clone(),
                media_type: stored.media_type.to_owned(),
                size: stored.size,
                hash: stored.hash,
                created_by: ctx.actor().clone(),
                created_at: now,
                updated_at: now,
            };
            entries.extend(children::add(ctx, txn, &file)?);
            added.push(file);
        }
        record(ctx, txn, OperationKind::Create, &entries)?;
        Ok(added)
    })
}

/// Everything that can be told without reading a content.
fn check(
    txn: &mut dyn Txn,
    about: &[Subject],
    files: &[NewFile<'_>],
    limits: &FileLimits,
    path: Path<'_>,
) -> Result<Vec<FileFields>> {
    let mut broken = Vec::new();
    let mut checked = Vec::with_capacity(files.len());
    for (n, file) in files.iter().enumerate() {
        match file.fields.checked() {
            Ok(fields) => checked.push(fields),
            Err(of_one) => {
                broken.extend(of_one.into_iter().map(|one| Violation { field: path(n, &one.field), ..one }));
            }
        }
        if file.size.is_some_and(|size| size > limits.max_bytes) {
            broken.push(too_long(path(n, "content"), limits));
        }
    }
    let new = u64::try_from(files.len()).unwrap_or(u64::MAX);
    for subject in about {
        let counts = txn.children().counts(std::slice::from_ref(subject))?;
        let has = counts.iter().find(|count| count.tab == Tab::File).map_or(0, |count| count.total);
        if has.saturating_add(new) > limits.max_files_per_record {
            let message = format!("a record has at most {} files", limits.max_files_per_record);
            broken.push(Violation::new("about", ViolationCode::LimitReached, message));
            break;
        }
    }
    if broken.is_empty() { Ok(checked) } else { Err(Error::invalid(broken)) }
}

fn too_long(field: String, limits: &FileLimits) -> Violation {
    let message = format!("the content is longer than {} bytes", limits.max_bytes);
    Violation::new(field, ViolationCode::TooLong, message)
}

/// A content that is stored.
struct Stored {
    hash: ContentHash,
    size: u64,
    media_type: &'static str,
}

fn store(
    txn: &mut dyn Txn,
    file: &mut NewFile<'_>,
    fields: &FileFields,
    limits: &FileLimits,
    path: &dyn Fn(&str) -> String,
) -> Result<Stored> {
    let upload = txn.blobs().begin()?;
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    let mut kind = None;
    let mut buffer = vec![0; PIECE];
    loop {
        // One byte more than allowed says that there is too much; nothing behind it is read.
        let room = limits.max_bytes.saturating_sub(size).saturating_add(1);
        let room = usize::try_from(room).unwrap_or(PIECE).min(PIECE);
        let piece = fill(file.content, buffer.get_mut(..room).unwrap_or_default()).map_err(|error| {
            Error::new(ErrorKind::Storage, "cannot read the content of the file").with_source(error)
        })?;
        kind.get_or_insert_with(|| media_type(piece, &fields.name));
        if piece.is_empty() {
            break;
        }
        size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if size > limits.max_bytes {
            return Err(Error::invalid(vec![too_long(path("content"), limits)]));
        }
        hasher.update(piece);
        txn.blobs().append(upload, piece)?;
    }
    if file.size.is_some_and(|said| said != size) {
        let message = "the content has another length than was said";
        return Err(Error::invalid_field(path("content"), ViolationCode::OutOfRange, message));
    }
    let hash = ContentHash::from_bytes(hasher.finalize().into());
    txn.blobs().finish(upload, &hash)?;
    Ok(Stored { hash, size, media_type: kind.unwrap_or("application/octet-stream") })
}

/// Reads until the buffer is full or there is no more.
fn fill<'b>(content: &mut dyn Read, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..filled).unwrap_or_default())
}

/// Writes the content of a file to `output`, in pieces, and says how many bytes it has.
///
/// The bytes are checked against their hash as they go: when they are not what was stored, the call fails after some of
/// them were written. Keep what was written only when the call succeeded. Serve it by
/// [`media_type`](FileRecord::media_type), but as a download: a file of somebody else may be a web page.
///
/// # Errors
/// `NotFound`; `Corrupt` when the stored bytes are not the ones that were added; `Storage` with its cause when the output
/// fails.
pub fn read(ctx: &Context<'_>, txn: &mut dyn Txn, id: FileId, output: &mut dyn Write) -> Result<u64> {
    let file = found(ctx, txn, id)?;
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    loop {
        let piece = bytes(txn, &file, size, PIECE)?;
        if piece.is_empty() {
            break;
        }
        size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if size > file.size {
            return Err(corrupt());
        }
        hasher.update(&piece);
        output.write_all(&piece).map_err(write_failed)?;
    }
    if size != file.size || ContentHash::from_bytes(hasher.finalize().into()) != file.hash {
        return Err(corrupt());
    }
    output.flush().map_err(write_failed)?;
    Ok(size)
}

/// At most `max` bytes of the content from `offset` on, for a preview or a download that goes on: fewer only at its end,
/// none behind it. A part is not checked against the hash of the whole.
///
/// # Errors
/// `NotFound`; `Invalid` unless `max` is 1 to 16,777,216; `Corrupt` when the stored bytes are not there.
pub fn read_range(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: FileId,
    offset: u64,
    max: usize,
) -> Result<Vec<u8>> {
    if !(1..=MAX_RANGE).contains(&max) {
        let message = "a part has 1 to 16,777,216 bytes";
        return Err(Error::invalid_field("max", ViolationCode::OutOfRange, message));
    }
    let file = found(ctx, txn, id)?;
    bytes(txn, &file, offset, max)
}

/// Content that a file has and the store has not is damage.
fn bytes(txn: &mut dyn Txn, file: &FileRecord, offset: u64, max: usize) -> Result<Vec<u8>> {
    txn.blobs().read(&file.hash, offset, max).map_err(|error| match error.kind() {
        ErrorKind::NotFound => corrupt().with_source(error),
        _ => error,
    })
}

fn corrupt() -> Error {
    Error::new(ErrorKind::Corrupt, "the stored content is not the one that was added; nothing was changed")
}

fn write_failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, "cannot write the content of the file").with_source(error)
}
