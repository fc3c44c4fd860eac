//! The ports for what a tenant sets up: pipelines, vocabularies, settings, number series.

use uuid::Uuid;

use crate::domain::{Pipeline, TermKind, TermRecord};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::Revision;

/// Pipelines with their stages, each written as a whole.
pub trait Pipelines {
    /// Adds a new pipeline.
    ///
    /// # Errors
    /// `AlreadyExists` when its id or name is taken.
    fn insert(&mut self, pipeline: &Pipeline) -> Result<()>;

    /// Replaces a pipeline whose stored revision is the one before the new one. Stages that are gone must not be in
    /// use: the caller makes sure.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the stored revision is another, `AlreadyExists` when the name is taken.
    fn update(&mut self, pipeline: &Pipeline) -> Result<()>;

    /// Removes a pipeline with its stages. None of them must be in use: the caller makes sure.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the stored revision is another.
    fn remove(&mut self, pipeline: &Pipeline) -> Result<()>;

    /// Every pipeline, the default first, then by folded name, then by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn list(&mut self) -> Result<Vec<Pipeline>>;
}

/// Vocabularies.
pub trait Terms {
    /// Adds new terms.
    ///
    /// # Errors
    /// `AlreadyExists` when an id, of whatever list, or a name in its list without case and accents, is taken.
    fn insert(&mut self, terms: &[TermRecord]) -> Result<()>;

    /// Replaces a term whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the stored revision is another, `AlreadyExists` when the name is taken.
    fn update(&mut self, term: &TermRecord) -> Result<()>;

    /// Removes a term that nothing refers to.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with [`InUse`](crate::error::Conflict::InUse) (by as many as [`usage`](Self::usage)) when
    /// leads refer to it.
    fn remove(&mut self, kind: TermKind, id: Uuid) -> Result<()>;

    /// The terms of a list with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, kind: TermKind, ids: &[Uuid]) -> Result<Vec<TermRecord>>;

    /// Every term of a list, by position, then by folded name.
    ///
    /// # Errors
    /// A failure of the store.
    fn list(&mut self, kind: TermKind) -> Result<Vec<TermRecord>>;

    /// How many leads (trashed ones included) and accounts refer to a term.
    ///
    /// # Errors
    /// A failure of the store.
    fn usage(&mut self, kind: TermKind, id: Uuid) -> Result<u64>;
}

/// The settings documents that a tenant can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SettingName {
    /// The field catalogue.
    Catalogue,
    /// Which functions are open in which state.
    Functions,
    /// How lead numbers are written.
    Numbering,
    /// The kinds of record that the host registered.
    RecordKinds,
    /// How estimate numbers are written.
    EstimateNumbering,
    /// Mappings of files that are imported, by name.
    ImportMappings,
    /// Which field of a lead becomes which field of a customer.
    ConversionMapping,
}

impl SettingName {
    /// Every document.
    pub const ALL: [Self; 7] = [
        Self::Catalogue,
        Self::Functions,
        Self::Numbering,
        Self::RecordKinds,
        Self::EstimateNumbering,
        Self::ImportMappings,
        Self::ConversionMapping,
    ];

    /// Stable name, as stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Functions => "functions",
            Self::Numbering => "numbering",
            Self::RecordKinds => "record_kinds",
            Self::EstimateNumbering => "estimate_numbering",
            Self::ImportMappings => "import_mappings",
            Self::ConversionMapping => "conversion_mapping",
        }
    }
}

/// Settings documents, as JSON text that core reads and writes.
pub trait Settings {
    /// The document and its revision.
    ///
    /// # Errors
    /// A failure of the store.
    fn load(&mut self, name: SettingName) -> Result<Option<(Revision, String)>>;

    /// Writes the document: `expected` is the revision it was read with, `None` when there was none. The first revision
    /// is 1.
    ///
    /// # Errors
    /// `Conflict` when the stored revision is another; in the error, no document has revision 0.
    fn save(&mut self, name: SettingName, expected: Option<Revision>, json: &str) -> Result<Revision>;
}

/// The number series of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Series {
    /// Lead numbers.
    Lead,
    /// Customer numbers.
    Account,
    /// Estimate numbers.
    Estimate,
}

impl Series {
    /// Every series.
    pub const ALL: [Self; 3] = [Self::Lead, Self::Account, Self::Estimate];

    /// Stable name, as stored: `lead`, `account` or `estimate`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Account => "account",
            Self::Estimate => "estimate",
        }
    }
}

/// Whether a series whose next number is `coming` may go on with `next`: what [`Numbers::skip_to`] refuses.
///
/// # Errors
/// `Invalid` for a number that may be in use; `Unsupported` for one that is too large.
pub fn check_skip(coming: u64, next: u64) -> Result<()> {
    if next < coming {
        let message = "numbers below the next one may be in use";
        return Err(Error::invalid_field("next", ViolationCode::OutOfRange, message));
    }
    match i64::try_from(next) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(ErrorKind::Unsupported, "numbers stay below 2^63")),
    }
}

/// Number series: they count up from 1, and a transaction that fails gives its numbers back.
pub trait Numbers {
    /// Takes the next `count` numbers and returns the first; 0 takes none. Two transactions never get the same number.
    ///
    /// # Errors
    /// `Unsupported` when the series is used up: numbers stay below 2⁶³. Then none is taken.
    fn take(&mut self, series: Series, count: u64) -> Result<u64>;

    /// Goes on with `next`: the numbers in between are never given out.
    ///
    /// # Errors
    /// `Invalid` (field `next`) when it lies below the number that would come next: that one may be in use; `Unsupported` beyond
    /// 2⁶³.
    fn skip_to(&mut self, series: Series, next: u64) -> Result<()>;

    /// The number that would come next; not a reservation.
    ///
    /// # Errors
    /// A failure of the store.
    fn peek(&mut self, series: Series) -> Result<u64>;
}
