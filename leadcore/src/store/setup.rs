//! The ports for what a tenant sets up: pipelines, vocabularies, settings, number series.

use uuid::Uuid;

use crate::domain::{
    CatalogueKind, Counter, GivenNumber, NumberSeries, Pipeline, Series, TermKind, TermRecord,
};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::{NumberSeriesId, Revision};

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
    /// leads, accounts or opportunities refer to it.
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

    /// How many leads (trashed ones included), accounts and opportunities refer to a term.
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
    /// The kinds of record that the host registered.
    RecordKinds,
    /// Mappings of files that are imported, by name.
    ImportMappings,
    /// Which field of a lead becomes which field of a customer.
    ConversionMapping,
    /// The fields that were added to accounts.
    AccountCatalogue,
    /// The fields that were added to contacts.
    ContactCatalogue,
    /// The fields that were added to opportunities.
    OpportunityCatalogue,
}

impl From<CatalogueKind> for SettingName {
    fn from(kind: CatalogueKind) -> Self {
        match kind {
            CatalogueKind::Lead => Self::Catalogue,
            CatalogueKind::Account => Self::AccountCatalogue,
            CatalogueKind::Contact => Self::ContactCatalogue,
            CatalogueKind::Opportunity => Self::OpportunityCatalogue,
        }
    }
}

impl SettingName {
    /// Every document.
    pub const ALL: [Self; 8] = [
        Self::Catalogue,
        Self::Functions,
        Self::RecordKinds,
        Self::ImportMappings,
        Self::ConversionMapping,
        Self::AccountCatalogue,
        Self::ContactCatalogue,
        Self::OpportunityCatalogue,
    ];

    /// Stable name, as stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Functions => "functions",
            Self::RecordKinds => "record_kinds",
            Self::ImportMappings => "import_mappings",
            Self::ConversionMapping => "conversion_mapping",
            Self::AccountCatalogue => "account_catalogue",
            Self::ContactCatalogue => "contact_catalogue",
            Self::OpportunityCatalogue => "opportunity_catalogue",
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

/// Which given numbers to find: [`Numbers::given`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenQuery {
    /// Of which kind of record.
    pub kind: Series,
    /// Which of them.
    pub which: WhichNumbers,
    /// At most so many.
    pub limit: usize,
}

/// Which numbers of records of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichNumbers {
    /// Those of a series. Of leads, which keep no series: all between these, both included.
    Of {
        /// The series.
        series: NumberSeriesId,
        /// The lowest number.
        first: u64,
        /// The highest number.
        last: u64,
    },
    /// This number, in any series.
    Number(u64),
    /// Those of other series than this one that are [written alike](GivenNumber::is_like).
    Like(Box<NumberSeries>),
}

/// Number series and what they count. A transaction that fails gives its numbers back.
///
/// Every tenant has the [standard](NumberSeries::standard) series of each kind, also before they were written. Numbers are
/// counted in the transaction that writes the record, so no two get the same and none is lost.
pub trait Numbers {
    /// Every series: by kind, the default first, then by folded name, then by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn list(&mut self) -> Result<Vec<NumberSeries>>;

    /// Writes a series: `expected` is the revision it was read with (0: of a standard series that was never written), `None`
    /// for a new one. Its own revision is the one after it.
    ///
    /// # Errors
    /// `Conflict` when the stored revision is another; `AlreadyExists` when the id, or the name within its kind without case
    /// and accents, is taken; `NotFound`.
    fn save(&mut self, series: &NumberSeries, expected: Option<Revision>) -> Result<()>;

    /// Takes the next `count` numbers and returns the first; 0 takes none. Two transactions never get the same number. A
    /// counter that never gave one begins with the first number of its series; so it goes on when that was raised.
    ///
    /// # Errors
    /// `Conflict` with [`SeriesExhausted`](crate::error::Conflict::SeriesExhausted) when the range does not have so many; then
    /// none is taken. `NotFound` for a series that does not exist.
    fn take(&mut self, counter: Counter, count: u64) -> Result<u64>;

    /// Goes on with `next`: the numbers in between are never given out.
    ///
    /// # Errors
    /// `Invalid` (field `next`) when it lies below the number that would come next: that one may be in use; `Unsupported` beyond
    /// 2⁶³; `NotFound`.
    fn skip_to(&mut self, counter: Counter, next: u64) -> Result<()>;

    /// The number that would come next, beyond the range of a series that is used up; not a reservation.
    ///
    /// # Errors
    /// `NotFound`; a failure of the store.
    fn peek(&mut self, counter: Counter) -> Result<u64>;

    /// Numbers that records have, trashed ones included: the latest year first, in it the highest number, then by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn given(&mut self, query: &GivenQuery) -> Result<Vec<GivenNumber>>;
}
