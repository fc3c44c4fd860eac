//! Number series: several for each kind of record, each with its prefix and range (S4.11, S4.12).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{NumberSeriesId, Revision};
use crate::value::fold;

use super::given_number::Serial;
use super::numbering::{MAX_WIDTH, Numbering, prefix_violation};

/// What a number series numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Series {
    /// Leads.
    Lead,
    /// Customers.
    Account,
    /// Opportunities.
    Opportunity,
    /// Estimates.
    Estimate,
}

impl Series {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Lead, Self::Account, Self::Opportunity, Self::Estimate];

    /// Stable name, as stored: `lead`, `account`, `opportunity` or `estimate`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Account => "account",
            Self::Opportunity => "opportunity",
            Self::Estimate => "estimate",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The id of the series that every tenant has of this kind.
    #[must_use]
    pub const fn standard(self) -> NumberSeriesId {
        let last = match self {
            Self::Lead => 1,
            Self::Account => 2,
            Self::Opportunity => 3,
            Self::Estimate => 4,
        };
        // UUIDs of version 8, which no source of ids makes.
        NumberSeriesId::from_uuid(Uuid::from_u128(0x8000_8000_0000_0000_0000 | last))
    }
}

/// The largest number that a series can give.
pub const LAST_NUMBER: u64 = i64::MAX as u64 - 1;
/// What a prefix has for the year.
const YEAR: &str = "{year}";
/// The longest name of a series, in characters.
const MAX_NAME: usize = 80;

/// What a tenant may set on a number series.
///
/// ```
/// use leadcore::domain::SeriesFields;
/// let invoices = SeriesFields::named("Invoices").prefix("INV-{year}-").width(4).yearly();
/// assert_eq!(invoices.write(2026, 7), "INV-2026-0007");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesFields {
    /// What it is called: 1 to 80 characters, unique among the series of its kind without case and accents.
    pub name: String,
    /// What stands before the digits: as in [`Numbering`]; `{year}` in it stands for the year of the number.
    pub prefix: String,
    /// The least number of digits, 0 to 18.
    pub width: u8,
    /// The lowest number, from 1 on.
    pub first: u64,
    /// The highest number, below 2⁶³ − 1.
    pub last: u64,
    /// Whether it begins anew with `first` in each year; then the prefix has `{year}`. The year is that of the day of
    /// the call in the time zone of the [context](crate::context::Context::utc_offset), UTC where it has none.
    pub yearly: bool,
    /// Whether no number may be missing between those that were given: none is ever left out, and no record is removed
    /// alone. (What fails gives its numbers back in every series.)
    pub gapless: bool,
}

impl Default for SeriesFields {
    fn default() -> Self {
        Self {
            name: String::new(),
            prefix: String::new(),
            width: 0,
            first: 1,
            last: LAST_NUMBER,
            yearly: false,
            gapless: false,
        }
    }
}

impl SeriesFields {
    /// From 1 on, without prefix.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// With this prefix.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// With at least so many digits.
    #[must_use]
    pub const fn width(mut self, width: u8) -> Self {
        self.width = width;
        self
    }

    /// With the numbers from `first` to `last`, both included.
    #[must_use]
    pub const fn range(mut self, first: u64, last: u64) -> Self {
        (self.first, self.last) = (first, last);
        self
    }

    /// That begins anew in each year.
    #[must_use]
    pub const fn yearly(mut self) -> Self {
        self.yearly = true;
        self
    }

    /// In which no number is missing.
    #[must_use]
    pub const fn gapless(mut self) -> Self {
        self.gapless = true;
        self
    }

    /// A number of this year as people read it.
    #[must_use]
    pub fn write(&self, year: u16, number: u64) -> String {
        self.numbering(year).format(number)
    }

    /// How its numbers of a year are written.
    #[must_use]
    pub fn numbering(&self, year: u16) -> Numbering {
        let prefix = self.prefix.replace(YEAR, &format!("{year:04}"));
        Numbering { prefix, width: self.width, start: self.first }
    }

    /// Whether the prefix has the year in it.
    #[must_use]
    pub fn has_year(&self) -> bool {
        self.prefix.contains(YEAR)
    }

    /// Whether a number of this series could be written as one of the other is: alike prefixes, where any four digits are
    /// like the year, and a number in both ranges.
    #[must_use]
    pub fn collides(&self, other: &Self) -> bool {
        let ranges = self.first <= other.last && other.first <= self.last;
        ranges && shape(&self.prefix) == shape(&other.prefix)
    }

    /// Every rule of its own that a series of this kind breaks.
    #[must_use]
    pub fn violations(&self, kind: Series) -> Vec<Violation> {
        let mut broken = Vec::new();
        let name = self.name.trim();
        if name.is_empty() {
            broken.push(Violation::new("name", ViolationCode::Required, "a series needs a name"));
        } else if name.chars().nth(MAX_NAME).is_some() || name.chars().any(char::is_control) {
            let message = "a name has at most 80 characters, none of them a control character";
            broken.push(Violation::new("name", ViolationCode::TooLong, message));
        }
        // The year is a number: where it stands alone before the digits, nobody could tell it from them.
        broken.extend(prefix_violation(&self.prefix.replace(YEAR, "0000")));
        if self.width > MAX_WIDTH {
            broken.push(Violation::new("width", ViolationCode::OutOfRange, "a number has 0 to 18 digits"));
        }
        if self.first == 0 || self.first > LAST_NUMBER {
            broken.push(Violation::new("first", ViolationCode::OutOfRange, "numbers begin with 1"));
        }
        if self.last < self.first || self.last > LAST_NUMBER {
            let message = "the last number is not below the first one, and below 2^63 - 1";
            broken.push(Violation::new("last", ViolationCode::OutOfRange, message));
        }
        if self.yearly && !self.has_year() {
            let message = "a series that begins anew in each year has `{year}` in its prefix";
            broken.push(Violation::new("prefix", ViolationCode::Required, message));
        }
        if kind == Series::Lead && (self.yearly || self.has_year()) {
            let message = "lead numbers never begin anew: they are unique in all years";
            broken.push(Violation::new("yearly", ViolationCode::NotAllowed, message));
        }
        broken
    }
}

/// A prefix without case, in which years are alike.
pub(super) fn shape(prefix: &str) -> String {
    let folded = fold(&prefix.replace(YEAR, "0000"));
    let mut shape = String::new();
    let mut digits = String::new();
    for letter in folded.chars().chain([' ']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        shape.push_str(if digits.len() == 4 { "0000" } else { &digits });
        digits.clear();
        shape.push(letter);
    }
    shape
}

/// A stored number series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSeries {
    /// The id.
    pub id: NumberSeriesId,
    /// What it numbers.
    pub kind: Series,
    /// What the tenant may set.
    pub fields: SeriesFields,
    /// Whether it numbers what names no series. One series of each kind does.
    pub is_default: bool,
    /// Whether it gives no numbers any more. Those that it gave stay.
    pub archived: bool,
    /// The revision, for the next write; 0 for the standard series of a kind that nobody changed yet.
    pub revision: Revision,
}

impl NumberSeries {
    /// The series that every tenant has of this kind, as it is until somebody changes it: from 1 on, without prefix
    /// (estimates: `E-00042`).
    #[must_use]
    pub fn standard(kind: Series) -> Self {
        let (name, written) = match kind {
            Series::Lead => ("Leads", Numbering::default()),
            Series::Account => ("Customers", Numbering::default()),
            Series::Opportunity => ("Opportunities", Numbering::of_opportunities()),
            Series::Estimate => ("Estimates", Numbering::of_estimates()),
        };
        Self {
            id: kind.standard(),
            kind,
            fields: SeriesFields::named(name).prefix(&written.prefix).width(written.width),
            is_default: true,
            archived: false,
            revision: Revision::new(0),
        }
    }

    /// Whether it is the standard one of its kind.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        self.id == self.kind.standard()
    }

    /// Where its numbers are counted in this year.
    #[must_use]
    pub fn counter(&self, year: u16) -> Counter {
        Counter { kind: self.kind, series: self.id, year: self.fields.yearly.then_some(year) }
    }

    /// What a record keeps of a number of this series; nothing for the standard series, whose numbers are written as its
    /// prefix is at the time.
    #[must_use]
    pub fn serial(&self, year: u16, number: u64) -> Option<Serial> {
        if self.kind == Series::Lead || (self.is_standard() && !self.fields.has_year()) {
            return None;
        }
        let text = self.fields.write(year, number);
        Some(Serial { series: self.id, year: self.fields.yearly.then_some(year), text })
    }

    /// The error of a series that has no number left.
    #[must_use]
    pub fn exhausted(&self) -> Error {
        let series = self.fields.name.clone();
        Error::conflicting(
            "number",
            crate::error::Conflict::SeriesExhausted { series, last: self.fields.last },
        )
    }

    /// The numbers that `count` more would be, when `next` comes next: the first of them.
    ///
    /// # Errors
    /// `Conflict` with [`SeriesExhausted`](crate::error::Conflict::SeriesExhausted) when the range does not have so many.
    pub fn room_for(&self, next: u64, count: u64) -> Result<u64> {
        let first = next.max(self.fields.first);
        let behind = first.checked_add(count).filter(|behind| count == 0 || *behind <= self.fields.last + 1);
        behind.map(|_| first).ok_or_else(|| self.exhausted())
    }
}

/// Where numbers are counted: a series, or a year of one that begins anew in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Counter {
    /// What is numbered.
    pub kind: Series,
    /// The series.
    pub series: NumberSeriesId,
    /// The year, for one that begins anew in each.
    pub year: Option<u16>,
}

impl From<Series> for Counter {
    /// The standard series of a kind.
    fn from(kind: Series) -> Self {
        Self { kind, series: kind.standard(), year: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(broken: &[Violation]) -> Vec<&str> {
        broken.iter().map(|violation| violation.field.as_str()).collect()
    }

    #[test]
    fn bad_series_are_refused_with_every_broken_rule() {
        let of = |series: SeriesFields, kind| series.violations(kind);
        let bad = SeriesFields::named(" ").prefix("K1").width(19).range(0, 0).yearly();
        let broken = of(bad, Series::Account);
        assert_eq!(fields(&broken), ["name", "prefix", "width", "first", "prefix"]);
        let behind = SeriesFields::named("K").range(10, 9);
        assert_eq!(fields(&of(behind, Series::Account)), ["last"]);
        let naked_year = SeriesFields::named("K").prefix("{year}").yearly();
        assert_eq!(fields(&of(naked_year, Series::Account)), ["prefix"], "20267 could be 2026 and 7");
        let yearly = SeriesFields::named("K").prefix("{year}/").yearly();
        assert_eq!(of(yearly.clone(), Series::Account), []);
        assert_eq!(fields(&of(yearly, Series::Lead)), ["yearly"]);
    }

    #[test]
    fn series_that_could_write_a_number_alike_collide() {
        let of = |prefix: &str| SeriesFields::named("K").prefix(prefix).range(1, 100);
        assert!(of("INV-{year}-").collides(&of("inv-2026-")));
        assert!(!of("INV-{year}-").collides(&of("INV-26-")));
        assert!(!of("A-").collides(&of("B-")));
        assert!(!of("A-").collides(&of("A-").range(101, 200)));
        assert!(of("A-").width(5).collides(&of("a-").range(100, 200)));
    }

    #[test]
    fn standard_series_keep_nothing_with_their_records() {
        for kind in Series::ALL {
            let series = NumberSeries::standard(kind);
            assert_eq!((series.fields.violations(kind), series.serial(2026, 1)), (Vec::new(), None));
            assert_eq!(series.counter(2026), kind.into());
            assert_eq!(Series::from_code(kind.code()), Some(kind));
        }
    }

    proptest! {
        #[test]
        fn a_range_gives_what_it_has_and_no_more(first in 1_u64..50, len in 0_u64..50, next in 0_u64..120, count in 0_u64..60) {
            let mut series = NumberSeries::standard(Series::Account);
            series.fields = series.fields.range(first, first + len);
            let begin = next.max(first);
            let fits = count == 0 || begin + count <= first + len + 1;
            prop_assert_eq!(series.room_for(next, count).ok(), fits.then_some(begin));
        }
    }
}
