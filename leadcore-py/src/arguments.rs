//! Arguments that travel together: what one of them cannot be read from is told by its own name.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The error, with the name of the argument in a note. It has the form in which pyo3 notes the arguments of functions; the
/// package's Python half reads the first note and says it in the message.
pub(crate) fn of_argument(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    // Python 3.11 and later know notes. Without one the error is still the right one.
    let _ = error.value(py).call_method1("add_note", (format!("while processing '{name}'"),));
    error
}

/// Reads an argument that a function takes as any object.
///
/// # Errors
/// What the conversion says, with the name of the argument.
pub(crate) fn read<'py, T>(name: &str, given: &Bound<'py, PyAny>) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    given.extract().map_err(|error| of_argument(given.py(), name, error))
}

/// The parts of a tuple that the package's Python half made, read one after the other.
#[derive(Debug)]
pub(crate) struct Parts<'py> {
    tuple: Bound<'py, PyTuple>,
    next: usize,
}

impl<'py> Parts<'py> {
    /// # Errors
    /// `TypeError` for anything but a tuple.
    pub(crate) fn new(tuple: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(Self { tuple: tuple.cast::<PyTuple>()?.clone(), next: 0 })
    }

    /// The next part as it is.
    ///
    /// # Errors
    /// `IndexError` when there is none.
    pub(crate) fn any(&mut self) -> PyResult<Bound<'py, PyAny>> {
        let part = self.tuple.get_item(self.next)?;
        self.next += 1;
        Ok(part)
    }

    /// The next part as it is, if it is not `None`.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub(crate) fn object(&mut self) -> PyResult<Option<Py<PyAny>>> {
        let part = self.any()?;
        Ok((!part.is_none()).then(|| part.unbind()))
    }

    /// The next part, under this name.
    ///
    /// # Errors
    /// What the conversion says, with the name of the argument.
    pub(crate) fn read<T>(&mut self, name: &str) -> PyResult<T>
    where
        T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
    {
        read(name, &self.any()?)
    }
}
