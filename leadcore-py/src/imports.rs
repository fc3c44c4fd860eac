//! Importing files of leads.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use leadcore::desk;
use leadcore::domain::Field;
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::exchange::import::{
    self, ImportOptions, ImportReport, ImportSink, LineOutcome, OnMatch, Progress, UnknownTerm,
};
use leadcore::exchange::{ColumnMapping, Mapping, template};
use leadcore::id::SourceId;
use leadcore::value::{Country, DecimalMark};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Deserialize;
use uuid::Uuid;

use crate::convert::{Text, from_json, to_json};
use crate::session::Session;

/// What the package hands over; absent is what the core says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    mapping: Option<Vec<ColumnMapping>>,
    region: Option<String>,
    on_match: Option<String>,
    unknown_terms: Option<String>,
    no_answer: Option<Vec<String>>,
    decimal_mark: Option<String>,
    external_system: Option<String>,
    source: Option<Uuid>,
    chunk: Option<usize>,
    attempt: Option<u32>,
}

impl Given {
    fn options(self) -> Result<ImportOptions> {
        // Smaller chunks than the core's: Ctrl-C acts between two of them.
        let mut options = ImportOptions::new().chunk(self.chunk.unwrap_or(2_000));
        if let Some(columns) = self.mapping {
            options = options.mapping(mapping(columns)?);
        }
        if let Some(region) = self.region {
            options =
                options.region(Country::parse(&region).map_err(|error| Error::from(error.at("region")))?);
        }
        options.on_match = match self.on_match.as_deref() {
            None | Some("update") => OnMatch::Update,
            Some("skip") => OnMatch::Skip,
            Some(_) => return Err(unknown("on_match", "must be `update` or `skip`")),
        };
        options.unknown_terms = match self.unknown_terms.as_deref() {
            None | Some("create") => UnknownTerm::Create,
            Some("reject") => UnknownTerm::Reject,
            Some(_) => return Err(unknown("unknown_terms", "must be `create` or `reject`")),
        };
        options.decimal_mark = match self.decimal_mark.as_deref() {
            None | Some("auto") => DecimalMark::default(),
            Some(".") => DecimalMark::Dot,
            Some(",") => DecimalMark::Comma,
            Some(_) => return Err(unknown("decimal_mark", "must be `.`, `,` or `auto`")),
        };
        if let Some(no_answer) = self.no_answer {
            options = options.no_answer(no_answer);
        }
        if let Some(system) = self.external_system {
            options = options.external_system(&system);
        }
        options.source = self.source.map(SourceId::from_uuid);
        options.attempt = self.attempt.unwrap_or(1);
        Ok(options)
    }
}

fn mapping(columns: Vec<ColumnMapping>) -> Result<Mapping> {
    let mut mapping = Mapping::propose(&[], &leadcore::domain::Catalogue::standard());
    mapping.columns = columns;
    if mapping.fields().any(|field| !field.is_writable() && *field != Field::Stage) {
        return Err(unknown("mapping", "leadcore sets one of these fields itself"));
    }
    Ok(mapping)
}

fn unknown(field: &str, message: &str) -> Error {
    Error::invalid_field(field, ViolationCode::Unknown, message)
}

/// What Python raised while the core was calling it; raised again once the core has returned.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// Calls Python from the middle of an import. After an exception nothing is called any more.
fn call<T>(raised: &Raised, work: impl FnOnce(Python<'_>) -> PyResult<T>) -> io::Result<T> {
    Python::attach(|py| {
        py.check_signals().and_then(|()| work(py)).map_err(|error| {
            raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            io::Error::other("an exception of the caller")
        })
    })
}

/// Where a file comes from.
enum Input {
    File(File),
    Bytes(Cursor<Vec<u8>>),
    Object(Py<PyAny>),
}

struct Source {
    input: Input,
    raised: Raised,
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

/// Where rejected rows go.
enum Rejects {
    /// Made with its first byte: a file that was imported before rejects nothing and leaves an earlier one alone.
    File(PathBuf, Option<File>),
    Object(Py<PyAny>, Raised),
}

impl Write for Rejects {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(path, file) => {
                if file.is_none() {
                    *file = Some(File::create(path)?);
                }
                file.as_mut().map_or(Ok(0), |file| file.write(bytes))
            }
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

/// Tells Python how far it is, between two chunks, when nothing is locked.
struct Sink {
    progress: Option<Py<PyAny>>,
    raised: Raised,
}

impl ImportSink for Sink {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        let go_on = call(&self.raised, |py| {
            let Some(hear) = &self.progress else { return Ok(true) };
            let Progress { lines, created, updated, skipped, rejected, bytes, total_bytes, .. } = *progress;
            let arguments = (lines, created, updated, skipped, rejected, bytes, total_bytes);
            let told = hear
                .bind(py)
                .call1((py.import("leadcore.imports")?.getattr("Progress")?.call1(arguments)?,))?;
            // Only `False` stops: a callback that returns nothing goes on.
            Ok(told.is_none() || told.is_truthy()?)
        });
        if go_on.unwrap_or(false) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

fn storage(what: &'static str, error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, what).with_source(error)
}

/// Imports a file, or says what an import would do. The report comes as JSON and as a table.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the package's own call hands over what its caller said")]
pub(crate) fn import_leads(
    py: Python<'_>,
    session: &Session,
    path: Option<PathBuf>,
    data: Option<Vec<u8>>,
    file: Option<Py<PyAny>>,
    options: Text,
    dry_run: bool,
    rejects_path: Option<PathBuf>,
    rejects_file: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, String)> {
    let given: Given = from_json(py, "options", &options.0)?;
    let raised: Raised = Arc::default();
    let told = Arc::clone(&raised);
    let result = session.with_store(py, move |ctx, store| {
        let options = given.options()?;
        let input = match (path, data, file) {
            (Some(path), ..) => Input::File(File::open(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::not_found("file"),
                _ => storage("the file cannot be opened", error),
            })?),
            (None, Some(data), _) => Input::Bytes(Cursor::new(data)),
            (None, None, Some(file)) => Input::Object(file),
            (None, None, None) => return Err(unknown("file", "there is no file")),
        };
        let source = Source { input, raised: Arc::clone(&told) };
        let mut sink = Sink { progress, raised: Arc::clone(&told) };
        if dry_run {
            return import::dry_run(ctx, store, source, &options, &mut sink);
        }
        let mut rejects = match (rejects_path, rejects_file) {
            (Some(path), _) => Some(Rejects::File(path, None)),
            (None, Some(file)) => Some(Rejects::Object(file, told)),
            (None, None) => None,
        };
        let rejects = rejects.as_mut().map(|rejects| rejects as &mut dyn Write);
        import::run(ctx, store, source, &options, rejects, &mut sink)
    });
    // What the caller's own code raised says more than the error that it led to.
    if let Some(error) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    let report: ImportReport = result?;
    Ok((to_json(py, &report)?, report.to_string()))
}

/// The header of a file to fill in.
#[pyfunction]
pub(crate) fn import_template<'py>(py: Python<'py>, session: &Session) -> PyResult<Bound<'py, PyBytes>> {
    let file = session.read(py, |ctx, txn| {
        let (_, catalogue) = desk::settings::catalogue(ctx, txn)?;
        let mut file = Vec::new();
        template(&catalogue, &mut file)?;
        Ok(file)
    });
    Ok(PyBytes::new(py, &file?))
}
