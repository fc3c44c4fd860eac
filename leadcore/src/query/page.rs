//! Sorted pages by keyset: the cost of a page does not grow with its depth, and no row is shown twice or missed.

use serde::{Deserialize, Serialize};

use crate::domain::{CustomKey, CustomValue, Field, FieldValue, Lead};
use crate::error::{Error, Result, ValueError, ViolationCode};
use crate::id::LeadId;

use super::filter::{Filter, Resolved};
use super::list_cursor::digest;

/// The most records one page can have.
pub const MAX_PAGE: usize = 1_000;

/// What leads can be sorted by. An empty value is the smallest. Ties are sorted by id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum SortField {
    /// When it was last written.
    UpdatedAt,
    /// When it was created.
    CreatedAt,
    /// The number that people say.
    Number,
    /// Company name, without case and accents.
    Company,
    /// Person's name, without case and accents.
    Name,
    /// Expected value.
    Amount,
    /// When it may be won.
    ExpectedClose,
    /// Since when it is in its stage.
    StageEnteredAt,
    /// Since when nothing happened.
    ActiveAt,
    /// When somebody has to turn to it next.
    FollowUp,
    /// How promising it is.
    Score,
    /// Its place among the cards of its stage.
    Rank,
    /// A custom field of an ordered type with one value; text without case and accents.
    Custom(CustomKey),
}

impl SortField {
    /// Every standard field to sort by.
    pub const ALL: [Self; 12] = [
        Self::UpdatedAt,
        Self::CreatedAt,
        Self::Number,
        Self::Company,
        Self::Name,
        Self::Amount,
        Self::ExpectedClose,
        Self::StageEnteredAt,
        Self::ActiveAt,
        Self::FollowUp,
        Self::Score,
        Self::Rank,
    ];

    /// The lead field behind it.
    #[must_use]
    pub fn field(&self) -> Field {
        match self {
            Self::UpdatedAt => Field::UpdatedAt,
            Self::CreatedAt => Field::CreatedAt,
            Self::Number => Field::Number,
            Self::Company => Field::Company,
            Self::Name => Field::Name,
            Self::Amount => Field::Amount,
            Self::ExpectedClose => Field::ExpectedClose,
            Self::StageEnteredAt => Field::StageEnteredAt,
            Self::ActiveAt => Field::ActiveAt,
            Self::FollowUp => Field::FollowUp,
            Self::Score => Field::Score,
            Self::Rank => Field::Rank,
            Self::Custom(key) => Field::Custom(key.clone()),
        }
    }

    /// What `lead` is sorted by. Never empty text for an absent name: that sorts as the empty string.
    #[must_use]
    pub fn key(&self, lead: &Lead) -> FieldValue {
        match self {
            Self::Company => lead.fields.company_key().into(),
            Self::Name => lead.fields.name_key().into(),
            Self::Custom(key) => lead.fields.custom.get(key).map(CustomValue::sort_key).unwrap_or_default(),
            other => other.field().read(lead),
        }
    }
}

impl std::str::FromStr for SortField {
    type Err = ValueError;

    fn from_str(key: &str) -> Result<Self, ValueError> {
        if key.starts_with(CustomKey::PREFIX) {
            return CustomKey::new(key).map(Self::Custom);
        }
        Self::ALL.into_iter().find(|field| field.field().key() == key).ok_or_else(|| {
            ValueError::new(ViolationCode::Unknown, "leads cannot be sorted by a field with this key")
        })
    }
}

impl TryFrom<String> for SortField {
    type Error = ValueError;

    fn try_from(key: String) -> Result<Self, ValueError> {
        key.parse()
    }
}

impl From<SortField> for String {
    fn from(by: SortField) -> Self {
        by.field().key().to_owned()
    }
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    #[default]
    Descending,
}

/// A sort: one field and the id behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// The field.
    pub by: SortField,
    /// Up or down; the id goes the same way.
    pub direction: Direction,
}

impl Sort {
    /// Largest first: newest, highest, Z to A.
    #[must_use]
    pub const fn descending(by: SortField) -> Self {
        Self { by, direction: Direction::Descending }
    }

    /// Smallest first: oldest, lowest, A to Z.
    #[must_use]
    pub const fn ascending(by: SortField) -> Self {
        Self { by, direction: Direction::Ascending }
    }
}

/// Last written first.
impl Default for Sort {
    fn default() -> Self {
        Self::descending(SortField::UpdatedAt)
    }
}

/// The place behind a record of a sorted list: where the next page begins.
///
/// As text it is safe to hand to a browser and take back. A cursor made with another sort or by a list of other leads is
/// refused.
///
/// It holds the sort key of the last record; for a list sorted by company or name that is a name, so a cursor is
/// personal data like the page it came with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCursor", into = "RawCursor")]
pub struct Cursor {
    /// The sort it belongs to.
    pub sort: Sort,
    /// The sort key of the last record.
    pub key: FieldValue,
    /// Its id.
    pub id: LeadId,
    /// A digest of the list that made it; without, it fits every list in this sort.
    pub list: Option<u32>,
}

/// A cursor as JSON has it: times, days and amounts are text there, and so is the key of a custom field, with its type.
#[derive(Serialize, Deserialize)]
struct RawCursor {
    sort: Sort,
    key: FieldValue,
    id: LeadId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<u32>,
}

impl TryFrom<RawCursor> for Cursor {
    type Error = ValueError;

    fn try_from(raw: RawCursor) -> Result<Self, ValueError> {
        let malformed = || ValueError::new(ViolationCode::Malformed, "this is not a page cursor");
        let key = match (&raw.sort.by, &raw.key) {
            (SortField::Custom(_), FieldValue::Text(text)) => FieldValue::from_typed_text(text),
            _ => retyped(&raw.sort.by, raw.key),
        };
        Ok(Self { sort: raw.sort, key: key.ok_or_else(malformed)?, id: raw.id, list: raw.list })
    }
}

impl From<Cursor> for RawCursor {
    fn from(cursor: Cursor) -> Self {
        let key = match cursor.sort.by {
            SortField::Custom(_) => cursor.key.to_typed_text().into(),
            _ => cursor.key,
        };
        Self { sort: cursor.sort, key, id: cursor.id, list: cursor.list }
    }
}

impl Cursor {
    /// Whether the key is one that this sort makes: a cursor put together by hand may have another.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        retyped(&self.sort.by, self.key.clone()).as_ref() == Some(&self.key)
    }

    /// The place behind `lead`, in whatever list.
    #[must_use]
    pub fn behind(lead: &Lead, sort: &Sort) -> Self {
        Self { sort: sort.clone(), key: sort.by.key(lead), id: lead.id, list: None }
    }

    /// The same place in the list of these leads, in the trash or outside it.
    #[must_use]
    pub fn in_list(mut self, filter: &Filter, trashed: bool) -> Self {
        self.list = Some(digest(&(filter, trashed)));
        self
    }

    /// Whether it belongs to this list, as far as it says.
    #[must_use]
    pub fn fits(&self, filter: &Filter, trashed: bool) -> bool {
        self.list.is_none_or(|list| list == digest(&(filter, trashed)))
    }

    /// The cursor as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        json.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads [`to_text`](Self::to_text) back.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) when the text is not a cursor.
    pub fn from_text(text: &str) -> Result<Self> {
        let invalid = || Error::invalid_field("after", ViolationCode::Malformed, "this is not a page cursor");
        let bytes: Option<Vec<u8>> = text
            .len()
            .is_multiple_of(2)
            .then(|| {
                (0..text.len())
                    .step_by(2)
                    .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
                    .collect()
            })
            .flatten();
        serde_json::from_slice(&bytes.ok_or_else(invalid)?).map_err(|_| invalid())
    }
}

/// JSON has no times, days and amounts: they come back as text.
fn retyped(by: &SortField, key: FieldValue) -> Option<FieldValue> {
    const TIMES: [SortField; 5] = [
        SortField::UpdatedAt,
        SortField::CreatedAt,
        SortField::StageEnteredAt,
        SortField::ActiveAt,
        SortField::FollowUp,
    ];
    match (by, key) {
        (by, FieldValue::Text(text)) if TIMES.contains(by) => text.parse().ok().map(FieldValue::Time),
        (by, key @ FieldValue::Time(_)) if TIMES.contains(by) => Some(key),
        (SortField::Amount, key @ FieldValue::Decimal(_)) => Some(key),
        (SortField::Amount, FieldValue::Text(text)) => text.parse().ok().map(FieldValue::Decimal),
        (SortField::ExpectedClose, key @ FieldValue::Date(_)) => Some(key),
        (SortField::ExpectedClose, FieldValue::Text(text)) => text.parse().ok().map(FieldValue::Date),
        (
            SortField::Amount | SortField::ExpectedClose | SortField::FollowUp | SortField::Score,
            FieldValue::Empty,
        ) => Some(FieldValue::Empty),
        (SortField::Number | SortField::Score, key @ FieldValue::Integer(_)) => Some(key),
        (SortField::Company | SortField::Name | SortField::Rank, key @ FieldValue::Text(_)) => Some(key),
        // What type it must have, only the catalogue says.
        (SortField::Custom(_), FieldValue::List(_)) => None,
        (SortField::Custom(_), key) => Some(key),
        _ => None,
    }
}

/// A page of leads to ask for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LeadQuery {
    /// Which leads.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// How many at most, 1 to [`MAX_PAGE`]; 50 when not said.
    pub limit: Option<usize>,
    /// Behind which record.
    pub after: Option<Cursor>,
}

impl LeadQuery {
    /// The first page of these leads, last written first.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// In this order.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// At most this many.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Behind this place.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }
}

/// One page of records and where the next one begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T, C = Cursor> {
    /// The records.
    pub items: Vec<T>,
    /// The place behind the last one, when there are more.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page from one record more than asked for: the extra one says that there is a next page.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, behind: impl Fn(&T) -> C) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(behind) } else { None };
        Self { items, next }
    }
}

/// What the leads port is asked: a checked filter, a sort, a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadScan {
    /// Which leads.
    pub filter: Resolved,
    /// Those in the trash instead of those outside it.
    pub trashed: bool,
    /// In which order.
    pub sort: Sort,
    /// How many at most.
    pub limit: usize,
    /// Behind which record.
    pub after: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom() -> SortField {
        "x_field".parse().unwrap()
    }

    #[test]
    fn a_cursor_keeps_its_key_through_json_and_text() {
        let id = LeadId::from_uuid(uuid::Uuid::nil());
        for (by, key) in [
            (SortField::UpdatedAt, FieldValue::Time(crate::time::Timestamp::MAX)),
            (SortField::Amount, FieldValue::Decimal(rust_decimal::Decimal::new(-125, 1))),
            (SortField::Amount, FieldValue::Empty),
            (SortField::ExpectedClose, FieldValue::Date("2026-11-22".parse().unwrap())),
            (SortField::ExpectedClose, FieldValue::Empty),
            (SortField::FollowUp, FieldValue::Time(crate::time::Timestamp::MIN)),
            (SortField::FollowUp, FieldValue::Empty),
            (SortField::Score, FieldValue::Integer(-7)),
            (SortField::Score, FieldValue::Empty),
            (SortField::Number, FieldValue::Integer(7)),
            (SortField::Company, FieldValue::Text("7".into())),
            (custom(), FieldValue::Text("7".into())),
            (custom(), FieldValue::Integer(7)),
            (custom(), FieldValue::Decimal(rust_decimal::Decimal::new(-125, 1))),
            (custom(), FieldValue::Date(crate::time::Date::MAX)),
            (custom(), FieldValue::Time(crate::time::Timestamp::MAX)),
            (custom(), FieldValue::Bool(true)),
            (custom(), FieldValue::Empty),
        ] {
            let cursor = Cursor { sort: Sort::descending(by), key, id, list: Some(u32::MAX) };
            assert!(cursor.is_sound());
            let json = serde_json::to_string(&cursor).unwrap();
            assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
            assert_eq!(Cursor::from_text(&cursor.to_text()).unwrap(), cursor);
        }
        let (sort, key) = (Sort::descending(SortField::Number), FieldValue::Text("7".into()));
        let wrong = Cursor { sort, key, id, list: None };
        assert!(!wrong.is_sound());
    }
}
