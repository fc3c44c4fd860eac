//! Files: their contents in and out.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use leadcore::desk;
use leadcore::desk::files::NewFile;
use leadcore::domain::FileLimits;
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::FileId;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::Parts;
use crate::convert::{Count, Id, Limit, Text, check_path, to_json};
use crate::errors::{of_subject, raise};
use crate::given::{each, expected, given, no_such, text};
use crate::listing::{PyPage, listing, page};
use crate::session::Session;
use crate::subject::{SubjectArg, SubjectsArg};

/// A file to be added: its name, its description, and its content as a path or as bytes.
#[derive(Debug)]
pub(crate) struct Given {
    name: String,
    description: Option<String>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Path(PathBuf),
    Bytes(Vec<u8>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        let Text(name) = parts.read("name")?;
        let description: Option<Text> = parts.read("description")?;
        let content = parts.any()?;
        let content = match content.cast::<PyBytes>() {
            Ok(bytes) => Content::Bytes(bytes.as_bytes().to_vec()),
            Err(_) => Content::Path(content.extract()?),
        };
        Ok(Self { name, description: description.map(|text| text.0), content })
    }
}

/// A content from its beginning. A file is open only while it is read: there can be many of them.
enum Source<'c> {
    Bytes(Cursor<&'c [u8]>),
    Path(&'c Path),
    File(File),
    Ended,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Path(path) = self {
            *self = Self::File(File::open(path)?);
        }
        match self {
            Self::Bytes(bytes) => bytes.read(buffer),
            Self::File(file) => {
                let read = file.read(buffer)?;
                if read == 0 && !buffer.is_empty() {
                    *self = Self::Ended;
                }
                Ok(read)
            }
            Self::Path(_) | Self::Ended => Ok(0),
        }
    }
}

impl Content {
    /// The content from its beginning, and its length where that is known: a store may ask for it again. Errors name the
    /// argument `at`.
    fn open(&self, at: &str) -> Result<(Source<'_>, Option<u64>)> {
        let path = match self {
            Self::Bytes(bytes) => {
                return Ok((Source::Bytes(Cursor::new(bytes)), u64::try_from(bytes.len()).ok()));
            }
            Self::Path(path) => path,
        };
        check_path(at, path)?;
        let known = fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, format!("`{at}`: there is no file of this path"))
            }
            _ => storage(format!("`{at}`: the file cannot be opened"), error),
        })?;
        if known.is_dir() {
            return Err(Error::invalid_field(
                at,
                ViolationCode::Malformed,
                "this is a directory, not a file",
            ));
        }
        // A pipe would keep everybody waiting in the middle of a write, and cannot be read again.
        if !known.is_file() {
            let message = "this is no regular file: open it and hand over the file object";
            return Err(Error::invalid_field(at, ViolationCode::Malformed, message));
        }
        Ok((Source::Path(path), Some(known.len())))
    }
}

fn storage(what: impl Into<Cow<'static, str>>, error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, what).with_source(error)
}

/// Adds files about records, in one operation: as JSON. A single one is told of by its own arguments.
#[pyfunction]
pub(crate) fn files_add(
    py: Python<'_>,
    session: &Session,
    subject: SubjectsArg,
    files: Vec<Given>,
    max_bytes: Count,
    single: bool,
) -> PyResult<String> {
    let about = subject.0;
    let limits = FileLimits::default().max_bytes(max_bytes.0);
    let at = move |n: usize| if single { "content".to_owned() } else { format!("files[{n}].content") };
    let kept = session.untouchable(py)?;
    for (n, file) in files.iter().enumerate() {
        if let Content::Path(path) = &file.content {
            kept.check_read(&at(n), path).map_err(|error| raise(py, &error))?;
        }
    }
    let added = session.write(py, move |ctx, txn| {
        let opened = files.iter().enumerate().map(|(n, file)| file.content.open(&at(n)));
        let mut opened = opened.collect::<Result<Vec<_>>>()?;
        let mut new = Vec::with_capacity(files.len());
        for (given, (source, size)) in files.iter().zip(&mut opened) {
            let mut file = NewFile::new(given.name.as_str(), source);
            if let Some(description) = &given.description {
                file = file.description(description.as_str());
            }
            new.push(match size {
                Some(size) => file.size(*size),
                None => file,
            });
        }
        if single && let Some(file) = new.pop() {
            return desk::files::add(ctx, txn, &about, file, &limits)
                .map(|file| vec![file])
                .map_err(of_subject);
        }
        desk::files::add_many(ctx, txn, &about, new, &limits).map_err(of_subject)
    })?;
    to_json(py, &added)
}

/// A file, as JSON.
#[pyfunction]
pub(crate) fn file_get(py: Python<'_>, session: &Session, file: Id) -> PyResult<String> {
    let id = FileId::from_uuid(file.0);
    let found = session.read(py, move |ctx, txn| desk::files::get(ctx, txn, id))?;
    to_json(py, &found)
}

/// The content of a file, checked against its hash.
#[pyfunction]
pub(crate) fn file_read<'py>(py: Python<'py>, session: &Session, file: Id) -> PyResult<Bound<'py, PyBytes>> {
    let id = FileId::from_uuid(file.0);
    let content = session.read(py, move |ctx, txn| {
        let mut content = Vec::new();
        desk::files::read(ctx, txn, id, &mut content)?;
        Ok(content)
    })?;
    Ok(PyBytes::new(py, &content))
}

/// A part of the content of a file.
#[pyfunction]
pub(crate) fn file_read_range<'py>(
    py: Python<'py>,
    session: &Session,
    file: Id,
    offset: Count,
    size: Limit,
) -> PyResult<Bound<'py, PyBytes>> {
    let id = FileId::from_uuid(file.0);
    let part = session.read(py, move |ctx, txn| desk::files::read_range(ctx, txn, id, offset.0, size.0))?;
    Ok(PyBytes::new(py, &part))
}

/// Why nothing can be written to a path.
fn not_written(path: &Path, error: io::Error) -> Error {
    let is_there = |directory: &Path| directory.as_os_str().is_empty() || directory.is_dir();
    if path.is_dir() {
        return Error::invalid_field("path", ViolationCode::Malformed, "this is a directory, not a file");
    }
    if error.kind() == io::ErrorKind::NotFound && !path.parent().is_some_and(is_there) {
        return Error::new(ErrorKind::NotFound, "`path`: there is no such directory");
    }
    storage("`path`: the file cannot be written", error)
}

/// Writes the content of a file to a path, all of it or nothing.
#[pyfunction]
pub(crate) fn file_save(py: Python<'_>, session: &Session, file: Id, path: PathBuf) -> PyResult<u64> {
    let id = FileId::from_uuid(file.0);
    session.untouchable(py)?.check("path", &path).map_err(|error| raise(py, &error))?;
    session.read(py, move |ctx, txn| {
        check_path("path", &path)?;
        // Beside it, so that a reader of the path never sees a part.
        let mut beside = path.clone().into_os_string();
        beside.push(format!(".{}.part", ctx.new_uuid().simple()));
        let beside = PathBuf::from(beside);
        let written = File::create_new(&beside)
            .map_err(|error| not_written(&path, error))
            .and_then(|mut output| desk::files::read(ctx, txn, id, &mut output))
            .and_then(|size| {
                let put = fs::rename(&beside, &path);
                put.map_err(|error| not_written(&path, error)).map(|()| size)
            });
        if written.is_err() {
            // It may never have been made.
            let _ = fs::remove_file(&beside);
        }
        written
    })
}

/// Writes name and description of a file: as JSON.
#[pyfunction]
pub(crate) fn file_edit(
    py: Python<'_>,
    session: &Session,
    file: Id,
    revision: Option<Count>,
    fields: Text,
) -> PyResult<String> {
    let (id, changes) = (FileId::from_uuid(file.0), given(py, &fields)?);
    let edited = session.write(py, move |ctx, txn| {
        let mut fields = desk::files::get(ctx, txn, id)?.fields;
        each(&changes, |key, value| {
            let at = |error: leadcore::error::ValueError| vec![error.at(key)];
            match key {
                "name" => fields.name = text(value).map_err(at)?.unwrap_or_default(),
                "description" => fields.description = text(value).map_err(at)?,
                _ => return Err(vec![no_such(key)]),
            }
            Ok(())
        })?;
        desk::files::edit(ctx, txn, id, expected(revision), &fields)
    })?;
    to_json(py, &edited)
}

/// Deletes a file.
#[pyfunction]
pub(crate) fn file_delete(
    py: Python<'_>,
    session: &Session,
    file: Id,
    revision: Option<Count>,
) -> PyResult<()> {
    let id = FileId::from_uuid(file.0);
    session.write(py, move |ctx, txn| desk::files::delete(ctx, txn, id, expected(revision)))
}

/// A page of the files about a record.
#[pyfunction]
pub(crate) fn files_of(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage> {
    let listing = listing(py, None, ascending, after.as_ref(), limit)?;
    let found = session.read(py, move |ctx, txn| desk::files::of(ctx, txn, subject.0, &listing))?;
    page(py, &found, Clone::clone)
}
