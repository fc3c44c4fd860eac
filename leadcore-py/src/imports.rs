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
    self, ImportOptions, ImportReport, ImportSink, LineOutcome, OnMatch, Outcome, Preview, Progress,
    UnknownTerm,
};
use leadcore::exchange::{ColumnMapping, ColumnRules, Mapping, ReadOptions, TextEncoding, template};
use leadcore::id::{LeadId, SourceId};
use leadcore::value::{Country, DecimalMark};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Deserialize;
use uuid::Uuid;

use crate::convert::{Text, check_path, from_json, to_json};
use crate::session::Session;

/// What the package hands over; absent is what the core says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    mapping: Option<Vec<Column>>,
    encoding: Option<String>,
    delimiter: Option<String>,
    quote: Option<String>,
    has_header: Option<bool>,
    skip_lines: Option<u64>,
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

/// A column and the key of its field, perhaps misspelt.
#[derive(Debug, Deserialize)]
struct Column {
    header: String,
    field: Option<String>,
    #[serde(default)]
    rules: ColumnRules,
}

impl Given {
    /// How the file is read.
    fn read(&self) -> Result<ReadOptions> {
        let mut read = ReadOptions::new();
        if let Some(label) = &self.encoding {
            read = read.encoding(TextEncoding::for_label(label)?);
        }
        read.delimiter = byte("delimiter", self.delimiter.as_deref())?;
        read.quote = byte("quote", self.quote.as_deref())?;
        (read.has_header, read.skip_lines) = (self.has_header, self.skip_lines);
        Ok(read)
    }

    fn options(self) -> Result<ImportOptions> {
        // Smaller chunks than the core's: Ctrl-C acts between two of them.
        let mut options = ImportOptions::new().chunk(self.chunk.unwrap_or(2_000)).read(self.read()?);
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

/// The mapping, or every field in it that there is not.
fn mapping(columns: Vec<Column>) -> Result<Mapping> {
    let (mut mapping, mut broken) = (Mapping::default(), Vec::new());
    for (place, Column { header, field, rules }) in columns.into_iter().enumerate() {
        match field.map(|key| key.parse::<Field>()).transpose() {
            Ok(field) => mapping.columns.push(ColumnMapping { header, field, rules }),
            Err(error) => broken.push(error.at(format!("mapping[{place}]"))),
        }
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    if mapping.fields().any(|field| !field.is_writable() && *field != Field::Stage) {
        return Err(unknown("mapping", "leadcore sets one of these fields itself"));
    }
    Ok(mapping)
}

/// A character of one byte.
fn byte(field: &str, given: Option<&str>) -> Result<Option<u8>> {
    match given.map(str::as_bytes) {
        None => Ok(None),
        Some([byte]) if !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        Some(_) => {
            let message = "must be one ASCII character and no line break";
            Err(Error::invalid_field(field, ViolationCode::Malformed, message))
        }
    }
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

/// The input that the caller named.
fn open(path: Option<PathBuf>, data: Option<Vec<u8>>, file: Option<Py<PyAny>>) -> Result<Input> {
    match (path, data, file) {
        (Some(path), ..) => {
            check_path("file", &path)?;
            let opened = File::open(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    Error::new(ErrorKind::NotFound, "`file`: there is no file of this path")
                }
                _ => storage("the file cannot be opened", error),
            })?;
            Ok(Input::File(opened))
        }
        (None, Some(data), _) => Ok(Input::Bytes(Cursor::new(data))),
        (None, None, Some(file)) => Ok(Input::Object(file)),
        (None, None, None) => Err(unknown("file", "there is no file")),
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

/// Tells Python how far it is and what became of the lines, between two chunks, when nothing is locked.
struct Sink {
    progress: Option<Py<PyAny>>,
    lines: Option<Py<PyAny>>,
    /// The lines of this chunk, if somebody hears of them.
    outcomes: Vec<LineOutcome>,
    raised: Raised,
}

impl ImportSink for Sink {
    fn line(&mut self, outcome: &LineOutcome) {
        if self.lines.is_some() {
            self.outcomes.push(outcome.clone());
        }
    }

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        let outcomes = std::mem::take(&mut self.outcomes);
        let go_on = call(&self.raised, |py| {
            if let Some(hear) = self.lines.as_ref().filter(|_| !outcomes.is_empty()) {
                let class = py.import("leadcore.imports")?.getattr("LineOutcome")?;
                let told = outcomes.iter().map(|outcome| py_outcome(&class, outcome));
                hear.bind(py).call1((told.collect::<PyResult<Vec<_>>>()?,))?;
            }
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

/// The outcome of a line as its Python class.
fn py_outcome<'py>(class: &Bound<'py, PyAny>, told: &LineOutcome) -> PyResult<Bound<'py, PyAny>> {
    let id = |lead: &Option<LeadId>| lead.map(|id| id.as_uuid());
    match &told.outcome {
        Outcome::Created { lead, number, .. } => class.call1((told.line, "created", id(lead), *number)),
        Outcome::Updated { lead, number, matched_by, .. } => {
            class.call1((told.line, "updated", id(lead), *number, matched_by.code()))
        }
        Outcome::Skipped { reason, lead, number } => {
            let nobody = None::<&str>;
            class.call1((told.line, "skipped", id(lead), *number, nobody, reason.code()))
        }
        Outcome::Review { .. } => class.call1((told.line, "review", None::<Uuid>, None::<u64>)),
        Outcome::Rejected { reasons, .. } => {
            let nobody = None::<&str>;
            let reason = reasons.first().map(|reason| reason.message.as_str());
            class.call1((told.line, "rejected", None::<Uuid>, None::<u64>, nobody, reason))
        }
        _ => class.call1((told.line, "skipped", None::<Uuid>, None::<u64>)),
    }
}

fn storage(what: &'static str, error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, what).with_source(error)
}

/// Imports a file, or says what an import would do: the report as JSON, its table, the table of its `earlier`.
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
    lines: Option<Py<PyAny>>,
) -> PyResult<(String, String, Option<String>)> {
    let given: Given = from_json(py, "options", &options.0)?;
    let raised: Raised = Arc::default();
    let told = Arc::clone(&raised);
    let result = session.with_store(py, move |ctx, store| {
        let options = given.options()?;
        if let Some(path) = &rejects_path {
            check_path("rejects", path)?;
        }
        let input = open(path, data, file)?;
        let source = Source { input, raised: Arc::clone(&told) };
        let mut sink = Sink { progress, lines, outcomes: Vec::new(), raised: Arc::clone(&told) };
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
    let earlier = report.earlier.as_ref().map(ToString::to_string);
    Ok((to_json(py, &report)?, report.to_string(), earlier))
}

/// How a file would be read and which column would be which field: mapping and format as JSON.
#[pyfunction]
pub(crate) fn import_preview(
    py: Python<'_>,
    session: &Session,
    path: Option<PathBuf>,
    data: Option<Vec<u8>>,
    file: Option<Py<PyAny>>,
    options: Text,
) -> PyResult<(String, String)> {
    let given: Given = from_json(py, "options", &options.0)?;
    let raised: Raised = Arc::default();
    let told = Arc::clone(&raised);
    let result = session.with_store(py, move |ctx, store| {
        let read = given.read()?;
        import::preview(ctx, store, Source { input: open(path, data, file)?, raised: told }, &read)
    });
    if let Some(error) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    let Preview { mapping, format, .. } = result?;
    Ok((to_json(py, &mapping)?, to_json(py, &format)?))
}

/// The header of a file to fill in.
#[pyfunction]
pub(crate) fn import_template<'py>(py: Python<'py>, session: &Session) -> PyResult<Bound<'py, PyBytes>> {
    let file = session.read(py, |ctx, txn| {
        let catalogue = desk::settings::visible_catalogue(ctx, txn)?;
        let mut file = Vec::new();
        template(&catalogue, &mut file)?;
        Ok(file)
    });
    Ok(PyBytes::new(py, &file?))
}
