//! Fields that the package hands over as JSON: only those that were said, so that the others stay.

use std::result;

use leadcore::desk::Expect;
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::Revision;
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::convert::{Count, Text, from_json};

/// Fields by key; null empties one.
pub(crate) type Given = Map<String, Value>;

/// Reads what the package wrote.
///
/// # Errors
/// `InvalidError` at `fields` for what is no mapping.
pub(crate) fn given(py: Python<'_>, json: &Text) -> PyResult<Given> {
    from_json(py, "fields", &json.0)
}

/// The revision that the caller read; none takes whatever is there.
pub(crate) fn expected(revision: Option<Count>) -> Expect {
    revision.map_or(Expect::Any, |revision| Revision::new(revision.0).into())
}

/// Writes each field; every misfit at once.
///
/// # Errors
/// `Invalid` with what `write` says of each.
pub(crate) fn each(
    given: &Given,
    mut write: impl FnMut(&str, &Value) -> result::Result<(), Vec<Violation>>,
) -> Result<()> {
    let broken: Vec<_> = given.iter().filter_map(|(key, value)| write(key, value).err()).flatten().collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// Text, or none.
///
/// # Errors
/// `Malformed` for anything else.
pub(crate) fn text(value: &Value) -> result::Result<Option<String>, ValueError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(ValueError::new(ViolationCode::Malformed, "this field takes text")),
    }
}

/// What text says, or none.
///
/// # Errors
/// What `read` says.
pub(crate) fn parsed<T>(
    value: &Value,
    read: impl FnOnce(&str) -> result::Result<T, ValueError>,
) -> result::Result<Option<T>, ValueError> {
    text(value)?.map(|text| read(&text)).transpose()
}

/// A number in its written form, not rounded.
///
/// # Errors
/// `OutOfRange` for more digits than there can be.
pub(crate) fn number(text: &str) -> result::Result<Decimal, ValueError> {
    Decimal::from_str_exact(text)
        .map_err(|_| ValueError::new(ViolationCode::OutOfRange, "a number has at most 28 digits"))
}

/// The misfit of a key that there is not.
pub(crate) fn no_such(key: &str) -> Violation {
    Violation::new(key, ViolationCode::Unknown, "there is no field of this name")
}
