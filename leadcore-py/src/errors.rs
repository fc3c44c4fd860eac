//! The core's one error as the package's exception classes.

use leadcore::error::{Conflict, Error, Violation, ViolationCode};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The exception for `error`: the class of its kind, with violations and conflict.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    // Failing to build the exception raises that failure: nothing is swallowed.
    exception(py, error).unwrap_or_else(|failure| failure)
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let exceptions = py.import("leadcore.exceptions")?;
    let class = exceptions
        .getattr("BY_CODE")?
        .call_method1("get", (error.kind().code(), exceptions.getattr("LeadcoreError")?))?;
    let violation = exceptions.getattr("Violation")?;
    let violations = error
        .violations()
        .iter()
        .map(|broken| violation.call1((broken.field.as_str(), broken.code.code(), broken.message.as_str())));
    let violations = violations.collect::<PyResult<Vec<_>>>()?;
    let details = PyDict::new(py);
    details.set_item("violations", violations)?;
    details.set_item("conflict", conflict(py, error)?)?;
    details.set_item("operation", error.operation().map(|operation| operation.as_uuid()))?;
    Ok(PyErr::from_value(class.call((message(error),), Some(&details))?))
}

/// The sentence, and for invalid input the broken rules themselves: a traceback shows them without a second look.
fn message(error: &Error) -> String {
    let list: Vec<_> = error.violations().iter().take(5).map(ToString::to_string).collect();
    match (list.is_empty(), error.violations().len().saturating_sub(5)) {
        (true, _) => error.to_string(),
        (false, 0) => list.join("; "),
        (false, more) => format!("{}; and {more} more", list.join("; ")),
    }
}

fn conflict<'py>(py: Python<'py>, error: &Error) -> PyResult<Option<Bound<'py, PyDict>>> {
    error.conflict().map(|conflict| conflict_dict(py, conflict)).transpose()
}

/// What a write does not fit: the reason, and what belongs to it.
pub(crate) fn conflict_dict<'py>(py: Python<'py>, conflict: &Conflict) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match serde_json::to_value(conflict) {
        Ok(serde_json::Value::String(reason)) => dict.set_item("reason", reason)?,
        Ok(serde_json::Value::Object(object)) => {
            for (reason, details) in object {
                dict.set_item("reason", reason)?;
                for (key, value) in details.as_object().into_iter().flatten() {
                    match value.as_str() {
                        Some(text) => dict.set_item(key, text)?,
                        None if value.is_u64() => dict.set_item(key, value.as_u64())?,
                        None => {
                            let read = py.import("json")?.call_method1("loads", (value.to_string(),))?;
                            dict.set_item(key, read)?;
                        }
                    }
                }
            }
        }
        _ => dict.set_item("reason", "unknown")?,
    }
    Ok(dict)
}

/// Input of ours that breaks one rule.
pub(crate) fn invalid(py: Python<'_>, field: &str, code: ViolationCode, message: &str) -> PyErr {
    raise(py, &Error::invalid_field(field, code, message))
}

/// The error with the fields of its broken rules by the names that the arguments have here; a field of which `name` says
/// nothing keeps its own.
pub(crate) fn renamed(error: Error, name: impl Fn(&str) -> Option<String>) -> Error {
    if !error.violations().iter().any(|broken| name(&broken.field).is_some()) {
        return error;
    }
    let renamed = error.violations().iter().cloned();
    let renamed = renamed.map(|broken| match name(&broken.field) {
        Some(field) => Violation { field, ..broken },
        None => broken,
    });
    Error::invalid(renamed.collect())
}

/// The error of a call whose argument `subject` is what the core says `about` of.
pub(crate) fn of_subject(error: Error) -> Error {
    renamed(error, |field| (field == "about").then(|| "subject".to_owned()))
}
