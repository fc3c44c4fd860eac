//! What a caller may decide about an import.

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::exchange::{Mapping, ReadOptions, sha256_hex};
use crate::id::{LostReasonId, SourceId};
use crate::value::{Country, DecimalMark, fold};

/// What happens to a name that a vocabulary or the pipelines lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UnknownTerm {
    /// It is added, up to 1,000 per field and file; needs
    /// [`Permission::Configure`](crate::policy::Permission::Configure), else its line is rejected.
    #[default]
    Create,
    /// Its line is rejected.
    Reject,
}

/// What happens to a row whose lead exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnMatch {
    /// The lead takes the row's values: its cells overwrite, e-mails, phones and labels are added, empty cells leave
    /// what is there.
    #[default]
    Update,
    /// The row is skipped.
    Skip,
}

/// How to import a file; everything has a default.
///
/// ```
/// use leadcore::exchange::import::{ImportOptions, OnMatch};
/// use leadcore::value::Country;
/// let options = ImportOptions::new().region(Country::parse("NO")?).on_match(OnMatch::Skip).external_system("legacy");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Which column is which field; proposed from the headers when not set.
    pub mapping: Option<Mapping>,
    /// How to read the file.
    pub read: ReadOptions,
    /// Where national phone numbers are dialled from, in rows that name no country.
    pub region: Option<Country>,
    /// What happens to unknown names.
    pub unknown_terms: UnknownTerm,
    /// Cells that say nothing and count as empty in every field but the description, compared without case: `Select`
    /// (the unanswered drop-down of web forms), `n/a`, `-`. In the country column, `unknown` too.
    pub no_answer: Vec<String>,
    /// What happens to a row whose lead exists.
    pub on_match: OnMatch,
    /// How amounts are written.
    pub decimal_mark: DecimalMark,
    /// The name of the system whose ids are in the column of [`Field::ExternalId`](crate::domain::Field::ExternalId).
    pub external_system: String,
    /// How many rows are written in one transaction, 1 to 100,000; 16 MiB of text end a chunk earlier.
    pub chunk: usize,
    /// The source of leads that have none after their row was read.
    pub source: Option<SourceId>,
    /// Why leads were lost that come into a lost stage: where the tenant keeps a list of reasons, such lines are rejected
    /// without one.
    pub lost_reason: Option<LostReasonId>,
    /// Which attempt this is. A file that was imported is not imported again, also when rules changed since; a higher
    /// number does it again. Leads that are there are still recognised.
    pub attempt: u32,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            mapping: None,
            read: ReadOptions::new(),
            region: None,
            unknown_terms: UnknownTerm::default(),
            no_answer: ["select", "n/a", "-"].map(str::to_owned).to_vec(),
            on_match: OnMatch::default(),
            decimal_mark: DecimalMark::default(),
            external_system: "import".to_owned(),
            chunk: 10_000,
            source: None,
            lost_reason: None,
            attempt: 1,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($type:ty) => |$value:ident| $set:expr;)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $value: $type) -> Self {
            self.$name = $set;
            self
        }
    )+};
}

impl ImportOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Says which column is which field.
        mapping(Mapping) => |value| Some(value);
        /// Says how to read the file.
        read(ReadOptions) => |value| value;
        /// Says where national phone numbers are dialled from.
        region(Country) => |value| Some(value);
        /// Says what happens to unknown names.
        unknown_terms(UnknownTerm) => |value| value;
        /// Says which cells count as empty.
        no_answer(Vec<String>) => |value| value;
        /// Says what happens to a row whose lead exists.
        on_match(OnMatch) => |value| value;
        /// Says how amounts are written.
        decimal_mark(DecimalMark) => |value| value;
        /// Names the system whose ids the file holds.
        external_system(&str) => |value| value.to_owned();
        /// Sets how many rows are written in one transaction.
        chunk(usize) => |value| value;
        /// Sets the source of leads that have none.
        source(SourceId) => |value| Some(value);
        /// Sets the reason of leads that come into a lost stage.
        lost_reason(LostReasonId) => |value| Some(value);
        /// Sets which attempt this is.
        attempt(u32) => |value| value;
    }

    /// Refuses options that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        let mut broken = Vec::new();
        if !(1..=100_000).contains(&self.chunk) {
            broken.push(Violation::new("chunk", ViolationCode::OutOfRange, "must lie in 1 to 100,000"));
        }
        if let Err(error) = crate::domain::ExternalRef::new(&self.external_system, "1") {
            broken.push(error.at("external_system"));
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// Everything that decides what a file becomes, as 16 hex digits: the same file read another way is another import.
    pub(super) fn fingerprint(&self, mapping: &Mapping) -> Result<String> {
        let no_answer: Vec<_> = self.no_answer.iter().map(|word| fold(word)).collect();
        let read = (
            self.read.encoding.map(super::super::TextEncoding::name),
            (self.read.delimiter, self.read.quote, self.read.has_header, self.read.skip_lines),
            format!(
                "{:?} {:?}",
                self.read.limits,
                (self.read.format, &self.read.sheet, self.read.header_row)
            ),
        );
        let choices = format!("{:?} {:?} {:?}", self.unknown_terms, self.on_match, self.decimal_mark);
        let constants = (self.source.map(|id| id.to_string()), self.lost_reason.map(|id| id.to_string()));
        let region = self.region.map(|region| region.code().to_owned());
        let all = (mapping, read, no_answer, choices, constants, region, &self.external_system, self.attempt);
        let json = crate::exchange::import::to_json(&all)?;
        let mut digits = sha256_hex(json.as_bytes()).map_err(|error| {
            Error::new(crate::error::ErrorKind::Internal, "text in memory could not be read")
                .with_source(error)
        })?;
        digits.truncate(16);
        Ok(digits)
    }
}
