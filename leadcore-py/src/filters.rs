//! Filters as text.

use leadcore::query::Filter;
use pyo3::prelude::*;

use crate::convert::{Text, to_json};
use crate::errors::raise;
use crate::leads::filter;

/// The filter that a text says, as JSON.
#[pyfunction]
pub(crate) fn filter_parse(py: Python<'_>, text: Text) -> PyResult<String> {
    let filter = Filter::parse(&text.0).map_err(|error| raise(py, &error.into()))?;
    to_json(py, &filter)
}

/// The text of a filter in JSON.
#[pyfunction]
pub(crate) fn filter_text(py: Python<'_>, r#where: Text) -> PyResult<String> {
    filter(py, Some(&r#where)).map(|filter| filter.to_text())
}
