//! What a caller may decide about an import.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MatchBy, OnAmbiguous, OnMatch, OnMissing, TermRule, UnknownTerm};
use crate::domain::{ExternalRef, Field, FieldType, Reference};
use crate::error::{Error, ErrorKind, Result, ValueError, Violation, ViolationCode};
use crate::exchange::mapping::takes_several;
use crate::exchange::{Constant, Mapping, ReadOptions, sha256_hex};
use crate::id::{DisqualifyReasonId, LostReasonId, SourceId};
use crate::value::{Country, DecimalMark, fold};

/// Of which system ids are where nobody names one.
const SYSTEM: &str = "import";

/// Of which system the ids of address-book cards are where nobody names one; their column has it before each.
pub(in crate::exchange) const CARDS: &str = "vcard";
/// The column of a file of cards that holds them.
pub(in crate::exchange) const CARD_ID: &str = "UID";

/// How to import a file; everything has a default.
///
/// ```
/// use leadcore::exchange::import::{ImportOptions, OnMatch};
/// use leadcore::value::Country;
/// let options = ImportOptions::new().region(Country::parse("NO")?).on_match(OnMatch::Skip).external_system("legacy");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
///
/// Stored as JSON, what is absent has its default, and a key that there is not is refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Which column is which field; proposed from the headers when not set.
    pub mapping: Option<Mapping>,
    /// Values that every row has, beside the mapping; what is proposed leaves out the column of a field that takes one value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Constant>,
    /// How to read the file.
    pub read: ReadOptions,
    /// Where national phone numbers are dialled from, in rows that name no country.
    pub region: Option<Country>,
    /// What happens to unknown names.
    pub unknown_terms: UnknownTerm,
    /// What becomes of the values of single fields, and of the unknown names among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<Field, TermRule>,
    /// Cells that say nothing and count as empty in every field but the description, compared without case: `Select`
    /// (the unanswered drop-down of web forms), `n/a`, `-`, `\N` (NULL in dumps of databases). In the country column, `unknown` too.
    pub no_answer: Vec<String>,
    /// Whether the caller said these words: then none are guessed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) says_no_answer: bool,
    /// The cell that empties its field, such as `(clear)`, compared without case; an empty cell leaves it alone. A word that
    /// else counts as empty, such as `-`, may be it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<String>,
    /// What a row's lead is recognised by, the strongest first: the first of these that the row has and any lead has says
    /// which one is meant. With none, every row is a new lead.
    pub match_by: Vec<MatchBy>,
    /// What happens to a row whose lead exists.
    pub on_match: OnMatch,
    /// What happens to a row that means no lead yet.
    pub on_missing: OnMissing,
    /// What happens to a row that may mean several leads.
    pub ambiguous: OnAmbiguous,
    /// How amounts are written.
    pub decimal_mark: DecimalMark,
    /// The name of the system whose ids are in the column of [`Field::ExternalId`](crate::domain::Field::ExternalId). Once it is
    /// [named](Self::external_system), a column that nobody mapped holds ids of this system as they stand, also where they look
    /// as if a system stood before them (`ORD:1`). Where none is named, ids of address-book cards are of the system `vcard`.
    pub external_system: String,
    /// Whether the caller named the system that is the default.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) names_default: bool,
    /// How many rows are written in one transaction, 1 to 100,000; 16 MiB of text end a chunk earlier.
    pub chunk: usize,
    /// The source of leads that have none after their row was read.
    pub source: Option<SourceId>,
    /// Why leads were lost that come into a lost stage: where the tenant keeps a list of reasons, such lines are rejected
    /// without one.
    pub lost_reason: Option<LostReasonId>,
    /// Why leads were disqualified of which a column says so: where the tenant keeps a list of reasons, they come in open
    /// without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disqualify_reason: Option<DisqualifyReasonId>,
    /// Which attempt this is. A file that was imported is not imported again, also when rules changed since; a higher
    /// number does it again. Leads that are there are still recognised.
    pub attempt: u32,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            mapping: None,
            constants: Vec::new(),
            read: ReadOptions::new(),
            region: None,
            unknown_terms: UnknownTerm::default(),
            terms: BTreeMap::new(),
            no_answer: ["select", "n/a", "-", "\\n"].map(str::to_owned).to_vec(),
            says_no_answer: false,
            clear: None,
            match_by: MatchBy::DEFAULT.to_vec(),
            on_match: OnMatch::default(),
            on_missing: OnMissing::default(),
            ambiguous: OnAmbiguous::default(),
            decimal_mark: DecimalMark::default(),
            external_system: SYSTEM.to_owned(),
            names_default: false,
            chunk: 10_000,
            source: None,
            lost_reason: None,
            disqualify_reason: None,
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
        /// Says which cell empties its field.
        clear(&str) => |value| Some(value.to_owned());
        /// Says what a row's lead is recognised by, the strongest first.
        match_by(Vec<MatchBy>) => |value| value;
        /// Says what happens to a row that means no lead yet.
        on_missing(OnMissing) => |value| value;
        /// Says what happens to a row that may mean several leads.
        ambiguous(OnAmbiguous) => |value| value;
        /// Says what happens to a row whose lead exists.
        on_match(OnMatch) => |value| value;
        /// Says how amounts are written.
        decimal_mark(DecimalMark) => |value| value;
        /// Sets how many rows are written in one transaction.
        chunk(usize) => |value| value;
        /// Sets the source of leads that have none.
        source(SourceId) => |value| Some(value);
        /// Sets the reason of leads that come into a lost stage.
        lost_reason(LostReasonId) => |value| Some(value);
        /// Sets the reason of leads that come in disqualified.
        disqualify_reason(DisqualifyReasonId) => |value| Some(value);
        /// Sets which attempt this is.
        attempt(u32) => |value| value;
    }

    /// Names the system whose ids the file holds.
    #[must_use]
    pub fn external_system(mut self, system: &str) -> Self {
        (self.external_system, self.names_default) = (system.to_owned(), system == SYSTEM);
        self
    }

    /// Whether the system was named of which all ids are.
    pub(in crate::exchange) fn names_system(&self) -> bool {
        self.names_default || self.external_system != SYSTEM
    }

    /// The systems of ids of which nobody said whose they are.
    pub(super) fn unnamed_systems(&self) -> &'static [&'static str] {
        if self.names_system() { &[] } else { &[SYSTEM, CARDS] }
    }

    /// What a cell says that holds one id: an id of the system that was named, or of the file's own, as those of cards are.
    pub(in crate::exchange) fn id_of(
        &self,
        cell: &str,
        is_of_card: bool,
    ) -> std::result::Result<ExternalRef, ValueError> {
        match cell.split_once(':') {
            Some((CARDS, id)) if is_of_card && !id.is_empty() => {
                ExternalRef::new(if self.names_system() { &self.external_system } else { CARDS }, id)
            }
            _ => ExternalRef::new(&self.external_system, cell),
        }
    }

    /// Says which cells count as empty; no others do, unless a column has its own.
    #[must_use]
    pub fn no_answer(mut self, words: Vec<String>) -> Self {
        (self.no_answer, self.says_no_answer) = (words, true);
        self
    }

    /// Whether the caller said which cells count as empty.
    fn says_no_answer(&self) -> bool {
        self.says_no_answer || self.no_answer != Self::default().no_answer
    }

    /// Gives every row this value, whatever mapping is proposed.
    #[must_use]
    pub fn constant(mut self, field: Field, value: &str) -> Self {
        self.constants.push(Constant { field, value: value.to_owned() });
        self
    }

    /// A proposed mapping with what the caller said: no words are guessed that count as empty where they are said, none is
    /// the one that empties its field, and constants stand for columns.
    pub(super) fn over(&self, mapping: Mapping) -> Mapping {
        let is_constant = |field: &Field| self.constants.iter().any(|constant| constant.field == *field);
        let mut mapping = mapping.without(|field| is_constant(field) && !takes_several(field));
        for rules in mapping.columns.iter_mut().map(|column| &mut column.rules) {
            if self.says_no_answer() {
                rules.no_answer = None;
            }
            if let Some(token) = &self.clear {
                rules.no_answer.iter_mut().for_each(|words| words.retain(|word| !is_same(word, token)));
            }
        }
        mapping
    }

    /// A mapping with the constants that go beside it.
    pub(super) fn with_constants(&self, mut mapping: Mapping) -> Mapping {
        let more = self.constants.iter().filter(|constant| !mapping.constants.contains(constant));
        let more: Vec<_> = more.cloned().collect();
        mapping.constants.extend(more);
        mapping
    }

    /// Whether a word that counts as empty was said to be the one that empties its field.
    fn clears_nothing(&self) -> bool {
        let Some(token) = &self.clear else { return false };
        let columns = self.mapping.iter().flat_map(|mapping| &mapping.columns);
        let words = columns.filter_map(|column| column.rules.no_answer.as_deref());
        let own = self.says_no_answer().then_some(self.no_answer.as_slice());
        words.chain(own).flatten().any(|word| is_same(word, token))
    }

    /// Says what becomes of the values of a field.
    #[must_use]
    pub fn term_rule(mut self, field: Field, rule: TermRule) -> Self {
        self.terms.insert(field, rule);
        self
    }

    /// Leads that exist are left alone.
    #[must_use]
    pub const fn create_only(mut self) -> Self {
        (self.on_match, self.on_missing) = (OnMatch::Skip, OnMissing::Create);
        self
    }

    /// Only leads that exist are written.
    #[must_use]
    pub const fn update_only(mut self) -> Self {
        (self.on_match, self.on_missing) = (OnMatch::Update, OnMissing::Skip);
        self
    }

    /// Refuses options that cannot work.
    pub(in crate::exchange) fn check(&self) -> Result<()> {
        let mut broken = Vec::new();
        if !(1..=100_000).contains(&self.chunk) {
            broken.push(Violation::new("chunk", ViolationCode::OutOfRange, "must lie in 1 to 100,000"));
        }
        if self.clear.as_deref().is_some_and(|token| token.trim().is_empty()) {
            let message = "an empty cell leaves its field alone";
            broken.push(Violation::new("clear", ViolationCode::Required, message));
        }
        if self.clears_nothing() {
            let message = "a cell cannot empty its field and count as empty: take another word";
            broken.push(Violation::new("clear", ViolationCode::NotAllowed, message));
        }
        for (field, _) in self.terms.iter().filter(|(field, _)| !field.comes_by_file()) {
            let path = format!("terms.{field}");
            broken.push(Violation::new(path, ViolationCode::NotAllowed, "the engine sets this field"));
        }
        let has_names = |field: &Field| {
            matches!(
                field.field_type(),
                FieldType::Reference(Reference::Term(_) | Reference::Stage) | FieldType::Custom
            )
        };
        let told = self.terms.iter().filter(|(field, rule)| rule.unknown.is_some() && !has_names(field));
        let adds =
            |field: &Field| self.terms.get(field).and_then(|rule| rule.unknown) == Some(UnknownTerm::Create);
        if adds(&Field::LostReason) {
            let message =
                "no file adds a reason: from then on no lead would be lost without one; map its names";
            broken.push(Violation::new("terms.lost_reason", ViolationCode::NotAllowed, message));
        }
        if adds(&Field::DisqualifyReason) {
            let message = "no file adds a reason: from then on no lead would be disqualified without one; map its names";
            broken.push(Violation::new("terms.disqualify_reason", ViolationCode::NotAllowed, message));
        }
        for (field, _) in told.filter(|(field, _)| field.comes_by_file()) {
            let message =
                "this field has no list of names, so that none can be unknown: map its values alone";
            broken.push(Violation::new(format!("terms.{field}"), ViolationCode::NotAllowed, message));
        }
        if self.attempt == 0 {
            broken.push(Violation::new("attempt", ViolationCode::OutOfRange, "the first attempt is 1"));
        }
        if let Err(error) = ExternalRef::new(&self.external_system, "1") {
            broken.push(error.at("external_system"));
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// Everything but the mapping that decides what a file becomes, as 16 hex digits.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let no_answer = self.no_answer.iter().map(|word| fold(word)).collect();
        // How many rows are written at a time changes nothing.
        fingerprint(&Self { mapping: None, chunk: 0, no_answer, ..self.clone() })
    }
}

/// Whether two words are the same in a cell.
fn is_same(word: &str, other: &str) -> bool {
    fold(word.trim()) == fold(other.trim())
}

/// What a value is known by, as 16 hex digits.
pub(super) fn fingerprint(value: &impl Serialize) -> Result<String> {
    let json = super::to_json(value)?;
    let mut digits = sha256_hex(json.as_bytes()).map_err(|error| {
        Error::new(ErrorKind::Internal, "text in memory could not be read").with_source(error)
    })?;
    digits.truncate(16);
    Ok(digits)
}
