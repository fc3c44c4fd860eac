//! The ports for the journal and for links.

use crate::domain::{Entry, Link, LinkRole, NewEntry, Operation, OperationKind, Sequence, Subject, Topics};
use crate::error::Result;
use crate::id::OperationId;

/// Operations and their entries. Entries are never changed or removed.
///
/// The values in changes come back as their JSON says: an amount, time or id may come back as text. Subjects need not
/// exist. Keys are compared bytewise, and an operation without one never collides.
pub trait Journal {
    /// Adds a new operation.
    ///
    /// # Errors
    /// `AlreadyExists` when the id, or the key among operations of its kind, is taken.
    fn begin(&mut self, operation: &Operation) -> Result<()>;

    /// Writes state, key and outcome of an operation; the rest stays as it was begun.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` when another operation of the kind has the key.
    fn update(&mut self, operation: &Operation) -> Result<()>;

    /// The operation with this id.
    ///
    /// # Errors
    /// A failure of the store.
    fn operation(&mut self, id: OperationId) -> Result<Option<Operation>>;

    /// The operation of this kind with this key.
    ///
    /// # Errors
    /// A failure of the store.
    fn find(&mut self, kind: OperationKind, key: &str) -> Result<Option<Operation>>;

    /// Appends entries to an operation, in order.
    ///
    /// # Errors
    /// `NotFound` when there is no such operation.
    fn append(&mut self, operation: OperationId, entries: &[NewEntry]) -> Result<()>;

    /// Entries about one of these records, each once, newest first (by place, not by time), from before `before`, at
    /// most `limit`, and only those under one of `topics`, when there is any. Any number is a place, also one that no
    /// entry has.
    ///
    /// An entry is about its subject; one of a [child](crate::domain::SubjectKind::is_child) is also about the other
    /// record that it names.
    ///
    /// # Errors
    /// A failure of the store.
    fn about(
        &mut self,
        subjects: &[Subject],
        topics: Topics,
        before: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>>;

    /// Entries of one operation, or of every one, oldest first, from behind `after`, at most `limit`.
    ///
    /// # Errors
    /// A failure of the store.
    fn replay(
        &mut self,
        operation: Option<OperationId>,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>>;

    /// A place behind everything that happened so far: what is appended from now on lies behind it, and nothing else does.
    ///
    /// # Errors
    /// A failure of the store.
    fn end(&mut self) -> Result<Sequence>;
}

/// Links between records. A link is there or not; adding one that is there changes nothing.
pub trait Links {
    /// Adds links.
    ///
    /// # Errors
    /// A failure of the store.
    fn insert(&mut self, links: &[Link]) -> Result<()>;

    /// Takes links away; absent ones are passed over.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, links: &[Link]) -> Result<()>;

    /// Links that begin at one of these records, of this role or of any, each once; lowest target id first.
    ///
    /// # Errors
    /// A failure of the store.
    fn from(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>>;

    /// Links that end at one of these records, of this role or of any, each once; lowest origin id first.
    ///
    /// # Errors
    /// A failure of the store.
    fn to(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>>;
}
