//! Pages of what hangs on records.

use leadcore::desk::Listing;
use leadcore::error::ViolationCode;
use leadcore::query::Page;
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::convert::{Limit, Text, to_json};
use crate::errors::invalid;

/// The place behind the page before.
///
/// # Errors
/// `InvalidError` for text that no page gave.
pub(crate) fn place<P: DeserializeOwned>(py: Python<'_>, after: Option<&Text>) -> PyResult<Option<P>> {
    let read = after.map(|Text(json)| serde_json::from_str(json)).transpose();
    read.map_err(|_| invalid(py, "after", ViolationCode::Malformed, "this is not a page cursor"))
}

/// Which of them.
///
/// # Errors
/// As [`place`].
pub(crate) fn listing(
    py: Python<'_>,
    open: Option<bool>,
    ascending: bool,
    after: Option<&Text>,
    limit: Limit,
) -> PyResult<Listing> {
    let mut listing = Listing::default().after(place(py, after)?).limit(limit.0);
    (listing.open, listing.ascending) = (open, ascending);
    Ok(listing)
}

/// A page as the package reads it: its items as JSON, and the place behind them.
pub(crate) type PyPage = (String, Option<String>);

/// The page with each item as `told` says it.
pub(crate) fn page<T, C: Serialize, R: Serialize>(
    py: Python<'_>,
    page: &Page<T, C>,
    told: impl Fn(&T) -> R,
) -> PyResult<PyPage> {
    let items: Vec<_> = page.items.iter().map(told).collect();
    let next = page.next.as_ref().map(|place| to_json(py, place)).transpose()?;
    Ok((to_json(py, &items)?, next))
}
