//! Numbers that records have.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::NumberSeriesId;
use crate::time::Timestamp;
use crate::value::fold;

use super::link::Subject;
use super::number_series::{SeriesFields, shape};

/// Where the number of a record comes from, for one that is not of the [standard](super::NumberSeries::is_standard) series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Serial {
    /// The series.
    pub series: NumberSeriesId,
    /// The year, for a series that begins anew in each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// The number as it was written when it was given: it stays so, whatever the series becomes.
    pub text: String,
}

/// The number in a written one: the digits at its end.
///
/// ```
/// use leadcore::domain::written_number;
/// assert_eq!(written_number("INV-2026-0007"), Some(7));
/// assert_eq!(written_number("INV-"), None);
/// ```
#[must_use]
pub fn written_number(text: &str) -> Option<u64> {
    let digits = text.len().saturating_sub(prefix_of(text).len());
    text.get(text.len() - digits..).and_then(|digits| digits.parse().ok())
}

/// What stands before the digits of a written number.
fn prefix_of(text: &str) -> &str {
    text.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

/// A number that a record has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenNumber {
    /// Its series.
    pub series: NumberSeriesId,
    /// Its year, in a series that begins anew in each.
    pub year: Option<u16>,
    /// The number.
    pub number: u64,
    /// As it was written when it was given; none in the standard series, and for leads.
    pub text: Option<String>,
    /// The record that has it.
    pub subject: Subject,
    /// When that was created.
    pub at: Timestamp,
}

impl GivenNumber {
    /// Whether it is written so: without case, accents and zeros in front.
    #[must_use]
    pub fn is_written(&self, text: &str) -> bool {
        let alike = |own: &str| fold(prefix_of(own)) == fold(prefix_of(text));
        written_number(text) == Some(self.number) && self.text.as_deref().is_some_and(alike)
    }

    /// Whether the series could write a number as this one is written.
    #[must_use]
    pub fn is_like(&self, series: &SeriesFields) -> bool {
        let range = (series.first..=series.last).contains(&self.number);
        range && self.text.as_deref().is_some_and(|own| shape(prefix_of(own)) == shape(&series.prefix))
    }
}

/// The place of a record in a list by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NumberPlace {
    /// Its number.
    pub number: u64,
    /// Its id: what decides between two series.
    pub id: Uuid,
}

impl From<u64> for NumberPlace {
    /// Behind every record with this number.
    fn from(number: u64) -> Self {
        Self { number, id: Uuid::max() }
    }
}
