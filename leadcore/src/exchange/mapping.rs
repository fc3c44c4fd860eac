//! Which column of a file is which field, and how its cells are read.

pub(super) mod address;
mod days;
mod lists;
mod near;
mod nth;
mod proposal;
mod propose;
mod rules;
mod sample;
pub mod saved;
mod shape;
pub(super) mod words;

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::import::MatchBy;
use super::unescape_formula;
use crate::domain::{Catalogue, CustomType, Field, FieldType};
use crate::error::{Error, Result, ValueError, Violation, ViolationCode};

pub use proposal::{ColumnProposal, Evidence, Note, Proposal};
pub use propose::Knowledge;
pub(in crate::exchange) use propose::{column_notes, completed, header_name};
pub use rules::{BadValues, ColumnRules, DateOrder, OptOut, Split, Unit};
pub use sample::Sample;

/// One column of a file, the field that it fills, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnMapping {
    /// The header, as the file has it. Of several columns with one header the first that is named so is the first of the
    /// file, and so on; `Email (2)` is the second that is called `Email`, unless there is one of that name.
    pub header: String,
    /// The field; `None` leaves the column out.
    pub field: Option<Field>,
    /// How the cells are read.
    #[serde(default, skip_serializing_if = "ColumnRules::is_default")]
    pub rules: ColumnRules,
}

impl ColumnMapping {
    /// A column that is read as the import's options say.
    pub fn new(header: impl Into<String>, field: Option<Field>) -> Self {
        Self { header: header.into(), field, rules: ColumnRules::default() }
    }
}

/// A value that every row of the file has, read like a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The field.
    pub field: Field,
    /// What the cell would say.
    pub value: String,
}

/// Which column is which field: proposed from the headers and values, changed by a person, kept as JSON for the next file.
///
/// Several columns may fill E-mail, Phone and Labels; their values are put together. Every other field takes one column, or
/// several that are [joined](ColumnRules::join).
/// [`Field::Stage`] and the vocabularies (source, category, labels …) are filled with *names*.
///
/// ```
/// use leadcore::domain::{Catalogue, Field};
/// use leadcore::exchange::{ColumnRules, DateOrder, Mapping};
/// let headers = ["Firma", "Phone 1", "Phone 2", "Shoe size", "Closing"].map(String::from);
/// let mapping = Mapping::propose(&headers, &Catalogue::standard())
///     .with("Shoe size", Some(Field::Description))
///     .with("Closing", Some(Field::ExpectedClose))
///     .rules("Closing", ColumnRules::new().date_order(DateOrder::DayFirst))
///     .constant(Field::Source, "Trade fair");
/// assert_eq!(mapping.columns[0].field, Some(Field::Company));
/// assert_eq!(mapping.columns[2].field, Some(Field::Phone));
/// assert_eq!(mapping.unmapped().count(), 0);
/// ```
///
/// Without constants it is written as the list of its columns, with them as `{"columns": […], "constants": […]}`; both are
/// read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// The columns; for a proposal, those of the file from left to right.
    pub columns: Vec<ColumnMapping>,
    /// What every row has. Where a column fills the same field, both values are taken for E-mail, Phone and Labels; any
    /// other field is filled once.
    pub constants: Vec<Constant>,
}

#[derive(Serialize)]
struct WithConstants<'m> {
    columns: &'m [ColumnMapping],
    constants: &'m [Constant],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Columns(Vec<ColumnMapping>),
    Whole(Whole),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    columns: Vec<ColumnMapping>,
    #[serde(default)]
    constants: Vec<Constant>,
}

impl Serialize for Mapping {
    // The plain list is what earlier imports of the same file are known by.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.constants.is_empty() {
            return self.columns.serialize(serializer);
        }
        WithConstants { columns: &self.columns, constants: &self.constants }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Columns(columns) => Self { columns, constants: Vec::new() },
            Written::Whole(Whole { columns, constants }) => Self { columns, constants },
        })
    }
}

/// Where the text of a field comes from, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) from: Origin,
    pub(super) field: Field,
    pub(super) rules: ColumnRules,
}

impl Located {
    /// The fields that it writes: who opted out may be said of e-mails and phones at once.
    pub(super) fn writes(&self) -> impl Iterator<Item = &Field> {
        let all: &[Field] =
            if self.rules.opt_out == Some(OptOut::All) { &[Field::Email, Field::Phone] } else { &[] };
        all.iter().chain(std::iter::once(&self.field).filter(|_| all.is_empty()))
    }
}

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A column, and those that are joined behind it with what stands between.
    Columns(usize, Vec<(usize, String)>),
    /// Every row has it.
    Constant(String),
}

impl Origin {
    /// The columns that it is read from.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let (first, behind) = match self {
            Self::Columns(first, behind) => (Some(*first), behind.as_slice()),
            Self::Constant(_) => (None, [].as_slice()),
        };
        first.into_iter().chain(behind.iter().map(|(place, _)| *place))
    }
}

/// Whether several columns may fill the field.
pub(super) const fn takes_several(field: &Field) -> bool {
    matches!(field, Field::Email | Field::Phone | Field::Labels)
}

impl Mapping {
    /// What the headers say: a field's own key or label, else a word that vendors use for it. Where several headers mean
    /// a field that takes one, the best-known word wins, the leftmost of equally good ones; the others stay unmapped.
    #[must_use]
    pub fn propose(headers: &[String], catalogue: &Catalogue) -> Self {
        let meant: Vec<_> =
            headers.iter().map(|header| catalogue.rank_header(unescape_formula(header))).collect();
        let mut best: HashMap<&Field, (u32, usize)> = HashMap::new();
        for (place, (field, rank)) in meant.iter().enumerate().filter_map(|(n, m)| Some((n, m.as_ref()?))) {
            let found = (*rank, place);
            best.entry(field).and_modify(|known| *known = (*known).min(found)).or_insert(found);
        }
        let chosen = |place: usize, field: &Field| {
            takes_several(field) || best.get(field).is_some_and(|(_, winner)| *winner == place)
        };
        let columns = headers.iter().zip(&meant).enumerate().map(|(place, (header, meant))| {
            let field = meant.as_ref().map(|(field, _)| field).filter(|field| chosen(place, field));
            ColumnMapping::new(header, field.cloned())
        });
        Self { columns: columns.collect(), constants: Vec::new() }
    }

    /// Gives every column of this header another field, or none; a header that is not there yet is added. `Email (2)` is the
    /// second column that is called `Email`, unless one is called so.
    #[must_use]
    pub fn with(mut self, header: &str, field: Option<Field>) -> Self {
        let mut found = false;
        for column in self.named_mut(header) {
            column.field.clone_from(&field);
            found = true;
        }
        if !found {
            self.columns.push(ColumnMapping::new(header, field));
        }
        self
    }

    /// Says how every column of this header is read.
    #[must_use]
    pub fn rules(mut self, header: &str, rules: impl Into<ColumnRules>) -> Self {
        let rules = rules.into();
        for column in self.named_mut(header) {
            column.rules.clone_from(&rules);
        }
        self
    }

    /// Gives every row this value.
    #[must_use]
    pub fn constant(mut self, field: Field, value: &str) -> Self {
        self.constants.push(Constant { field, value: value.to_owned() });
        self
    }

    /// The headers of the columns that are left out.
    pub fn unmapped(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.field.is_none()).map(|column| column.header.as_str())
    }

    /// The fields that are filled, in the order of the columns, then by constants.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let constants = self.constants.iter().map(|constant| &constant.field);
        self.columns.iter().filter_map(|column| column.field.as_ref()).chain(constants)
    }

    /// Without the columns and constants of these fields; the columns stay, unmapped.
    pub(super) fn without(mut self, is_left_out: impl Fn(&Field) -> bool) -> Self {
        for column in &mut self.columns {
            column.field.take_if(|field| is_left_out(field));
        }
        self.constants.retain(|constant| !is_left_out(&constant.field));
        self
    }

    /// Finds the columns in a file.
    ///
    /// # Errors
    /// `Invalid` with every reason: a mapped header that the file lacks, a field that the engine sets or that there is not, a
    /// field with too many columns, rules that do not fit the field, no column at all.
    ///
    /// `keys` are the fields that say which lead is meant: they may be ones that the engine sets.
    pub(super) fn locate(
        &self,
        headers: &[String],
        catalogue: &Catalogue,
        keys: &[MatchBy],
    ) -> Result<Vec<Located>> {
        let mut finder = Finder { catalogue, keys, headers, found: Vec::new(), broken: Vec::new() };
        let mut taken = vec![false; headers.len()];
        for column in &self.placed(headers).columns {
            let mut free = headers.iter().zip(taken.iter_mut()).enumerate();
            let place = free.find(|(_, (header, taken))| {
                !**taken && unescape_formula(header) == unescape_formula(&column.header)
            });
            let place = place.map(|(place, (_, taken))| {
                *taken = true;
                place
            });
            finder.column(column, place);
        }
        if finder.found.is_empty() && finder.broken.is_empty() {
            let mut message = "no column of the file is mapped to a field".to_owned();
            let told: Vec<_> = headers.iter().take(TOLD).map(|header| format!("`{header}`")).collect();
            if !told.is_empty() {
                let more = if headers.len() > TOLD { " …" } else { "" };
                message.push_str(&format!("; its columns are {}{more}", told.join(", ")));
            }
            finder.broken.push(Violation::new("mapping", ViolationCode::Required, message));
        }
        for constant in &self.constants {
            finder.constant(constant);
        }
        if finder.broken.is_empty() { Ok(finder.found) } else { Err(Error::invalid(finder.broken)) }
    }
}

/// The type of a field that a file may fill: one that callers set, or that says which lead is meant.
pub(super) fn fillable(
    field: &Field,
    catalogue: &Catalogue,
    keys: &[MatchBy],
) -> Result<FieldType, ValueError> {
    let is_key = keys.iter().any(|key| key.field() == *field);
    if !field.comes_by_file() && !is_key {
        let message = match field {
            Field::Number | Field::Id => {
                "the engine sets this field: a file may only say by it which lead is meant"
            }
            _ => "the engine sets this field",
        };
        return Err(ValueError::new(ViolationCode::NotAllowed, message));
    }
    catalogue.field_type(field)
}

/// So many headers are told of a file of which nothing is taken.
const TOLD: usize = 20;

/// Puts the columns of a mapping into those of a file.
struct Finder<'c> {
    catalogue: &'c Catalogue,
    headers: &'c [String],
    keys: &'c [MatchBy],
    found: Vec<Located>,
    broken: Vec<Violation>,
}

impl Finder<'_> {
    fn refuse(&mut self, field: &Field, code: ViolationCode, message: &'static str) {
        self.broken.push(ValueError::new(code, message).at(format!("mapping.{field}")));
    }

    /// The type of a field that callers set; what is wrong with another is noted.
    fn kind(&mut self, field: &Field) -> Option<FieldType> {
        // Where nobody chose the keys, numbers and ids are some.
        let is_free = *self.keys == MatchBy::DEFAULT;
        let keys = match field {
            Field::Number if is_free => &[MatchBy::Number][..],
            Field::Id if is_free => &[MatchBy::Id][..],
            _ => self.keys,
        };
        let kind = fillable(field, self.catalogue, keys);
        kind.map_err(|error| self.broken.push(error.at(format!("mapping.{field}")))).ok()
    }

    fn column(&mut self, column: &ColumnMapping, place: Option<usize>) {
        let Some(field) = &column.field else { return };
        let Some(place) = place else {
            let mut message = format!("the file has no column `{}`", column.header);
            if let Some(meant) = near::nearest(&column.header, self.headers) {
                message.push_str(&format!("; is it `{meant}`?"));
            }
            let path = format!("mapping.{field}");
            return self.broken.push(Violation::new(path, ViolationCode::Unknown, message));
        };
        let Some(kind) = self.kind(field) else { return };
        let custom = self.custom(field);
        self.broken.extend(column.rules.violations(field, &kind, custom.as_ref()));
        if !takes_several(field)
            && let Some(known) = self.found.iter_mut().find(|known| known.field == *field)
        {
            match (&mut known.from, &column.rules.join) {
                (Origin::Columns(_, behind), Some(between)) => {
                    behind.push((place, between.clone()));
                    known.rules.adopt(&column.rules);
                }
                _ => self.refuse(field, ViolationCode::Duplicate, "this field takes one column"),
            }
            return;
        }
        let from = Origin::Columns(place, Vec::new());
        self.found.push(Located { from, field: field.clone(), rules: column.rules.clone() });
    }

    fn custom(&self, field: &Field) -> Option<CustomType> {
        let Field::Custom(key) = field else { return None };
        self.catalogue.usable(key).ok().map(|custom| custom.kind.clone())
    }

    fn constant(&mut self, constant: &Constant) {
        let field = &constant.field;
        if self.kind(field).is_none() {
            return;
        }
        if !takes_several(field) && self.found.iter().any(|known| known.field == *field) {
            let message = "a field with a constant takes no column and no other constant";
            return self.refuse(field, ViolationCode::Duplicate, message);
        }
        if constant.value.trim().is_empty() {
            return self.refuse(field, ViolationCode::Required, "a constant must not be empty");
        }
        let from = Origin::Constant(constant.value.clone());
        self.found.push(Located { from, field: field.clone(), rules: ColumnRules::default() });
    }
}

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod propose_tests;
#[cfg(test)]
mod tests;
