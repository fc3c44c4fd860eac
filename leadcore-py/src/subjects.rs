//! What hangs on a record: which record that is, and pages of what hangs on it.

use leadcore::desk::Listing;
use leadcore::domain::{Subject, SubjectKind};
use leadcore::error::ViolationCode;
use leadcore::query::Page;
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arguments::Parts;
use crate::convert::{Id, Limit, Text, to_json};
use crate::errors::invalid;

/// A record as the package names it: its kind and its id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About(pub(crate) Subject);

impl<'a, 'py> FromPyObject<'a, 'py> for About {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        let Text(kind) = parts.read("subject")?;
        let Id(id) = parts.read("subject")?;
        let kind = SubjectKind::from_code(&kind).ok_or_else(|| {
            invalid(obj.py(), "subject", ViolationCode::Unknown, "there is no such kind of record")
        })?;
        Ok(Self(Subject::new(kind, id)))
    }
}

/// The records without the wrapping.
pub(crate) fn subjects(about: &[About]) -> Vec<Subject> {
    about.iter().map(|About(subject)| *subject).collect()
}

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
