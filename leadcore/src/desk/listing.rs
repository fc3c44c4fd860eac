//! Which part of a list is read.

use crate::domain::Place;

/// Which children of a record are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Listing {
    /// Only those that are open, or that are not.
    pub open: Option<bool>,
    /// The earliest first, instead of the latest.
    pub ascending: bool,
    /// From behind this place.
    pub after: Option<Place>,
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

    /// From behind this place: that of [`Page::next`](crate::query::Page).
    #[must_use]
    pub fn after(mut self, place: impl Into<Option<Place>>) -> Self {
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
