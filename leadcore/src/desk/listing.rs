//! Which part of a list is read.

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::query::{ListCursor, MAX_PAGE};

/// Which children of a record are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Listing {
    /// Only those that are open, or that are not.
    pub open: Option<bool>,
    /// The earliest first, instead of the latest.
    pub ascending: bool,
    /// From behind this place.
    pub after: Option<ListCursor>,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl Default for Listing {
    fn default() -> Self {
        Self { open: None, ascending: false, after: None, limit: 50 }
    }
}

impl Listing {
    /// The first page of those about which something is still to be done.
    #[must_use]
    pub fn open() -> Self {
        Self { open: Some(true), ..Self::default() }
    }

    /// The first page of those about which nothing is left to do.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: Some(false), ..Self::default() }
    }

    /// The earliest first.
    #[must_use]
    pub const fn ascending(mut self) -> Self {
        self.ascending = true;
        self
    }

    /// From behind this place: that of [`Page::next`](crate::query::Page), of the same list.
    #[must_use]
    pub fn after(mut self, place: impl Into<Option<ListCursor>>) -> Self {
        self.after = place.into();
        self
    }

    /// At most so many, 1 to 1,000.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// Refuses a page of none, or of too many.
///
/// # Errors
/// `Invalid` at `limit`.
pub(super) fn check_limit(limit: usize) -> Result<()> {
    limit_violation(limit).map_or(Ok(()), |broken| Err(Error::invalid(vec![broken])))
}

/// What is said of a page of none, or of too many.
pub(super) fn limit_violation(limit: usize) -> Option<Violation> {
    let message = "a page has 1 to 1,000 records";
    (!(1..=MAX_PAGE).contains(&limit)).then(|| Violation::new("limit", ViolationCode::OutOfRange, message))
}

/// Refuses a list of kinds without any: it would be of nothing here and of everything elsewhere, and is mostly one that
/// came out empty by mistake.
///
/// # Errors
/// `Invalid` at `kinds`.
pub(super) fn check_kinds<K>(kinds: &[K]) -> Result<()> {
    kinds_violation(kinds).map_or(Ok(()), |broken| Err(Error::invalid(vec![broken])))
}

/// What is said of a list of kinds without any.
pub(super) fn kinds_violation<K>(kinds: &[K]) -> Option<Violation> {
    let message = "an empty list is of nothing; for all of them, name every kind";
    kinds.is_empty().then(|| Violation::new("kinds", ViolationCode::Required, message))
}
