//! The ports for files and their content.

use crate::domain::{ContentHash, FileRecord, Subject};
use crate::error::Result;
use crate::id::FileId;

/// Files of one tenant. What they are about is also said by their [placements](super::Children).
pub trait Files {
    /// Adds new files. Their content must be [there](Blobs::finish).
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken; `NotFound` when the content of one is not there.
    fn insert(&mut self, files: &[FileRecord]) -> Result<()>;

    /// Replaces files whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, or its content is not there; `Conflict` when the stored revision is another.
    fn update(&mut self, files: &[FileRecord]) -> Result<()>;

    /// The files with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[FileId]) -> Result<Vec<FileRecord>>;

    /// Removes files for good, but not their content; unknown ids are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[FileId]) -> Result<()>;

    /// Whether anything needs each of these contents, in the order asked: a file that has it, or one that was removed and for
    /// which it is [kept](Self::keep).
    ///
    /// # Errors
    /// A failure of the store.
    fn uses(&mut self, contents: &[ContentHash]) -> Result<Vec<bool>>;

    /// Keeps the contents of files that were removed and may come back, for as long as one of the records that they hung on
    /// is not [released](Self::release). What was kept for the same file before is replaced; for no record, nothing is kept.
    ///
    /// # Errors
    /// `NotFound` when a content is not there.
    fn keep(&mut self, kept: &[KeptFile]) -> Result<()>;

    /// Keeps nothing for these records any more, and gives the contents that were kept for them, each once, in any order.
    ///
    /// # Errors
    /// A failure of the store.
    fn release(&mut self, of: &[Subject]) -> Result<Vec<ContentHash>>;
}

/// A file that was removed and may come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The file.
    pub file: FileId,
    /// Its content.
    pub content: ContentHash,
    /// The records that it hung on, be it by a note, each once.
    pub of: Vec<Subject>,
}

/// A content that is being written, within its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upload(u64);

impl Upload {
    /// The upload that the store knows by this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number that the store gave it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Contents of files of one tenant, each kept once, by its hash. A content never changes.
///
/// The store believes the caller what the hash is: only the desk writes, and it computed it. An upload that is not
/// finished when the transaction ends, or in a savepoint that is taken back, leaves nothing. Two tenants with the same
/// content know nothing of each other.
pub trait Blobs {
    /// Begins to write a content.
    ///
    /// # Errors
    /// A failure of the store.
    fn begin(&mut self) -> Result<Upload>;

    /// Adds bytes at the end, any number of them.
    ///
    /// # Errors
    /// `NotFound` for an upload that was not begun in this transaction, or is finished; a failure of the store, after which
    /// the upload cannot be finished.
    fn append(&mut self, upload: Upload, bytes: &[u8]) -> Result<()>;

    /// Ends it: what was written is this content from now on. When the same content is there already, what was written is
    /// dropped.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn finish(&mut self, upload: Upload, hash: &ContentHash) -> Result<()>;

    /// How many bytes a content has; none when it is not there.
    ///
    /// # Errors
    /// A failure of the store.
    fn size(&mut self, hash: &ContentHash) -> Result<Option<u64>>;

    /// At most `max` bytes of a content from `offset` on; fewer only at its end, none behind it.
    ///
    /// # Errors
    /// `NotFound` when the content is not there; `Corrupt` when it should be and its bytes are not; `Unsupported` when they
    /// are in a place that this store was not told of.
    fn read(&mut self, hash: &ContentHash, offset: u64, max: usize) -> Result<Vec<u8>>;

    /// Removes contents that nothing [needs](Files::uses) any more; unknown ones are passed over.
    ///
    /// # Errors
    /// `Conflict` when a file has one of them, or it is kept for one; then none is removed.
    fn remove(&mut self, contents: &[ContentHash]) -> Result<()>;
}
