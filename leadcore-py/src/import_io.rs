//! Where an import reads and writes, and whom it tells: files, bytes and Python objects.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::exchange::import::{ImportSink, LineOutcome, Outcome, Progress};
use leadcore::id::LeadId;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes};
use uuid::Uuid;

use crate::convert::check_path;
use crate::output::{Replacement, unwritable};

/// What Python raised while the core was calling it; raised again once the core has returned.
pub(crate) type Raised = Arc<Mutex<Option<PyErr>>>;

/// Calls Python from the middle of an import. After an exception nothing is called any more.
pub(crate) fn call<T>(raised: &Raised, work: impl FnOnce(Python<'_>) -> PyResult<T>) -> io::Result<T> {
    Python::attach(|py| {
        py.check_signals().and_then(|()| work(py)).map_err(|error| {
            raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            io::Error::other("an exception of the caller")
        })
    })
}

/// An exception of the caller's own code names the import that it broke off, or came behind, as the error of that does: in a
/// note, and in `operation` where the exception takes attributes.
pub(crate) fn name_import(
    py: Python<'_>,
    raised: &PyErr,
    operation: &Bound<'_, PyAny>,
    then: &str,
) -> PyResult<()> {
    let raised = raised.value(py);
    let note = format!("the import {}", then.replace("{}", &operation.to_string()));
    raised.call_method1("add_note", (note,))?;
    // An error of ours may have an operation of its own.
    if raised.getattr_opt("operation")?.is_none_or(|own| own.is_none()) {
        // One of slots takes none.
        drop(raised.setattr("operation", operation));
    }
    Ok(())
}

/// Whether work goes on after what a hearer of progress returned. Only `False` itself stops it: what a callback happens to
/// return, such as the 0 of a `write` of nothing, says nothing.
pub(crate) fn goes_on(told: &Bound<'_, PyAny>) -> bool {
    !told.cast::<PyBool>().is_ok_and(|told| !told.is_true())
}

/// Where a file comes from.
pub(crate) enum Input {
    File(File),
    Bytes(Cursor<Vec<u8>>),
    Object(Py<PyAny>),
}

pub(crate) struct Source {
    pub(crate) input: Input,
    pub(crate) raised: Raised,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.input {
            Input::File(file) => {
                call(&self.raised, |_| Ok(()))?;
                file.read(buffer)
            }
            Input::Bytes(bytes) => {
                call(&self.raised, |_| Ok(()))?;
                bytes.read(buffer)
            }
            Input::Object(object) => call(&self.raised, |py| {
                let read = object.bind(py).call_method1("read", (buffer.len(),))?;
                let read = read.cast::<PyBytes>().map_err(|_| {
                    pyo3::exceptions::PyTypeError::new_err("the file must be opened in binary mode")
                })?;
                let mut bytes = read.as_bytes();
                // A file that gives more than it was asked for would lose the rest.
                if bytes.len() > buffer.len() {
                    return Err(pyo3::exceptions::PyOSError::new_err(
                        "read() gave more than it was asked for",
                    ));
                }
                Ok(bytes.read(buffer)?)
            }),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.input {
            Input::File(file) => file.seek(to),
            Input::Bytes(bytes) => bytes.seek(to),
            Input::Object(object) => call(&self.raised, |py| {
                let (offset, whence) = match to {
                    SeekFrom::Start(at) => (i64::try_from(at).unwrap_or(i64::MAX), 0),
                    SeekFrom::Current(by) => (by, 1),
                    SeekFrom::End(by) => (by, 2),
                };
                object.bind(py).call_method1("seek", (offset, whence))?.extract()
            }),
        }
    }
}

/// The input that the caller named.
pub(crate) fn open(path: Option<PathBuf>, data: Option<Vec<u8>>, file: Option<Py<PyAny>>) -> Result<Input> {
    match (path, data, file) {
        (Some(path), ..) => open_path("file", &path).map(Input::File),
        (None, Some(data), _) => Ok(Input::Bytes(Cursor::new(data))),
        (None, None, Some(file)) => Ok(Input::Object(file)),
        (None, None, None) => Err(Error::invalid_field("file", ViolationCode::Required, "there is no file")),
    }
}

/// The file of this path, to be read. Errors name the path, which is the caller's own.
pub(crate) fn open_path(at: &str, path: &Path) -> Result<File> {
    check_path(at, path)?;
    let shown = path.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            Error::new(ErrorKind::NotFound, format!("`{at}`: there is no file of this path: {shown}"))
        }
        _ => {
            Error::new(ErrorKind::Storage, format!("`{at}`: cannot read {shown}: {error}")).with_source(error)
        }
    };
    let opened = File::open(path).map_err(failed)?;
    // A directory can be opened, and fails only when it is read.
    if opened.metadata().map_err(failed)?.is_dir() {
        let message = format!("this is a directory and no file: {shown}");
        return Err(Error::invalid_field(at, ViolationCode::NotAllowed, message));
    }
    Ok(opened)
}

/// Where rejected rows go.
pub(crate) enum Rejects {
    File(Output),
    Object(Py<PyAny>, Raised),
}

/// A file made with its first byte: a file that was imported before rejects nothing and leaves an earlier one alone.
pub(crate) struct Output {
    path: PathBuf,
    file: Option<Replacement>,
    /// Why it could not be written, which says more than the error that it led to.
    pub(crate) failed: Option<Error>,
}

impl Output {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, file: None, failed: None }
    }

    fn fail(&mut self, error: Error) -> io::Error {
        self.failed.get_or_insert(error);
        io::Error::other("the file cannot be written")
    }

    /// Puts what was written in its place, where it is whole.
    pub(crate) fn put(self) -> Result<()> {
        match (self.failed, self.file) {
            (Some(error), _) => Err(error),
            (None, Some(file)) => file.put(),
            (None, None) => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => Replacement::create("rejects", &self.path).map_err(|error| self.fail(error))?,
        };
        let written = match file.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let error = unwritable("rejects", &self.path, error);
                Err(self.fail(error))
            }
            written => written,
        };
        self.file = Some(file);
        written
    }
}

impl Write for Rejects {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(output) => output.write(bytes),
            Self::Object(object, raised) => call(raised, |py| {
                object.bind(py).call_method1("write", (PyBytes::new(py, bytes),))?;
                Ok(bytes.len())
            }),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells Python how far it is and what became of the lines, between two chunks, when nothing is locked.
pub(crate) struct Sink {
    pub(crate) progress: Option<Py<PyAny>>,
    pub(crate) lines: Option<Py<PyAny>>,
    /// The lines of this chunk, if somebody hears of them.
    pub(crate) outcomes: Vec<LineOutcome>,
    /// Whether a chunk is done.
    pub(crate) told: bool,
    pub(crate) raised: Raised,
}

impl ImportSink for Sink {
    fn line(&mut self, outcome: &LineOutcome) {
        if self.lines.is_some() {
            self.outcomes.push(outcome.clone());
        }
    }

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.told = true;
        let outcomes = std::mem::take(&mut self.outcomes);
        let go_on = call(&self.raised, |py| {
            if let Some(hear) = self.lines.as_ref().filter(|_| !outcomes.is_empty()) {
                let class = py.import("leadcore.imports")?.getattr("LineOutcome")?;
                let told = outcomes.iter().map(|outcome| py_outcome(&class, outcome));
                hear.bind(py).call1((told.collect::<PyResult<Vec<_>>>()?,))?;
            }
            let Some(hear) = &self.progress else { return Ok(true) };
            let Progress { lines, created, updated, skipped, review, rejected, bytes, total_bytes, .. } =
                *progress;
            let (elapsed, remaining) =
                (progress.elapsed.as_secs_f64(), progress.remaining.as_ref().map(Duration::as_secs_f64));
            let arguments = (
                (lines, created, updated, skipped, review, rejected),
                (bytes, total_bytes, elapsed, progress.rate, remaining),
            );
            let told = hear
                .bind(py)
                .call1((py.import("leadcore.imports")?.getattr("progress_of")?.call1(arguments)?,))?;
            Ok(goes_on(&told))
        });
        if go_on.unwrap_or(false) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// The outcome of a line as its Python class.
fn py_outcome<'py>(class: &Bound<'py, PyAny>, told: &LineOutcome) -> PyResult<Bound<'py, PyAny>> {
    let id = |lead: &Option<LeadId>| lead.map(|id| id.as_uuid());
    match &told.outcome {
        Outcome::Created { lead, number, .. } => class.call1((told.line, "created", id(lead), *number)),
        Outcome::Updated { lead, number, matched_by, same_as_line } => {
            let reason = None::<&str>;
            class.call1((told.line, "updated", id(lead), *number, matched_by.code(), reason, *same_as_line))
        }
        Outcome::Skipped { reason, lead, number, same_as_line } => {
            let nobody = None::<&str>;
            class.call1((told.line, "skipped", id(lead), *number, nobody, reason.code(), *same_as_line))
        }
        Outcome::Review { matched_by, .. } => {
            class.call1((told.line, "review", None::<Uuid>, None::<u64>, matched_by.code()))
        }
        Outcome::Rejected { reasons, .. } => {
            let nobody = None::<&str>;
            let reason = reasons.first().map(|reason| reason.message.as_str());
            class.call1((told.line, "rejected", None::<Uuid>, None::<u64>, nobody, reason))
        }
        _ => class.call1((told.line, "skipped", None::<Uuid>, None::<u64>)),
    }
}
