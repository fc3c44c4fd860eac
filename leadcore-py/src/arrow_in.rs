//! Tables that come by the Arrow `PyCapsule` interface, written as the CSV that an import reads.
//!
//! The only place of the workspace with `unsafe`: the interface hands over a C struct behind a pointer, and taking it is an
//! assumption about memory that no type can carry. Everything behind it is checked.
#![expect(unsafe_code, reason = "the C data interface hands over a struct behind a pointer; see the module")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};
use std::sync::{Arc, PoisonError};

use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array as _, RecordBatchReader};
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::exchange::{CsvWriter, has_lost_digits};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow_cells::{is_float, is_written, texts};
use crate::engine::detached;
use crate::errors::{invalid, raise};
use crate::import_io::{Raised, Rejects};

/// The reader of the stream that an object offers.
fn stream_of(source: &Bound<'_, PyAny>) -> PyResult<RecordBatchStreamReader> {
    let capsule = source.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast_into::<PyCapsule>()?;
    // Refuses a capsule of another name, and an empty one.
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: the Arrow PyCapsule interface says that a capsule of this name holds a valid `struct ArrowArrayStream`, and
    // the check above has seen the name. `from_raw` moves the struct out and leaves a released one, which the capsule's
    // destructor, by the same interface, leaves alone; the capsule is alive until then, and the GIL is held.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr().cast()) };
    RecordBatchStreamReader::try_new(stream).map_err(|error| broken(source.py(), &error.to_string()))
}

fn broken(py: Python<'_>, message: &str) -> PyErr {
    raise(
        py,
        &Error::invalid_field("file", ViolationCode::Malformed, format!("the Arrow stream broke: {message}")),
    )
}

/// The columns of a table that no field takes, and how many rows hold anything there.
type LeftOut = BTreeMap<String, u64>;

/// How many rows were written, what was left out, and which columns of the file hold floats too large to say which number they are.
type Written = (u64, LeftOut, BTreeSet<usize>);

/// Writes a table as CSV to an open file: its rows, what was left out, and columns of floats with lost digits.
#[pyfunction]
pub(crate) fn arrow_to_csv(py: Python<'_>, source: &Bound<'_, PyAny>, file: Py<PyAny>) -> PyResult<Written> {
    let mut stream = stream_of(source)?;
    let schema = stream.schema();
    let columns: Vec<Column> = schema
        .fields()
        .iter()
        .map(|field| Column { header: field.name().clone(), is_written: is_written(field.data_type()) })
        .collect();
    if columns.is_empty() {
        return Err(invalid(py, "file", ViolationCode::Required, "the table has no columns"));
    }
    if !columns.iter().any(|column| column.is_written) {
        let message = "the table has no column of a type that any field takes";
        return Err(invalid(py, "file", ViolationCode::NotAllowed, message));
    }
    let raised: Raised = Arc::default();
    let inside = Arc::clone(&raised);
    let written = detached(py, move || {
        let mut output = BufWriter::with_capacity(1 << 18, Rejects::Object(file, inside));
        let written = write(&mut stream, &columns, &mut output)?;
        output.flush().map_err(|error| {
            Error::new(ErrorKind::Storage, "the table cannot be written").with_source(error)
        })?;
        Ok(written)
    });
    if let Some(error) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    written.map_err(|error| raise(py, &error))
}

struct Column {
    header: String,
    /// Whether a field takes its values.
    is_written: bool,
}

fn write(
    stream: &mut RecordBatchStreamReader,
    columns: &[Column],
    output: &mut dyn Write,
) -> Result<Written> {
    let mut csv = CsvWriter::new(output);
    csv.write_row(columns.iter().filter(|column| column.is_written).map(|column| &column.header))?;
    let unwritten = columns.iter().filter(|column| !column.is_written);
    let mut left_out: LeftOut = unwritten.map(|column| (column.header.clone(), 0)).collect();
    let (mut rows, mut long) = (0_u64, BTreeSet::new());
    for batch in stream {
        let batch = batch.map_err(|error| {
            let message = format!("the Arrow stream broke: {error}");
            Error::invalid_field("file", ViolationCode::Malformed, message)
        })?;
        let mut cells = Vec::with_capacity(columns.len());
        for (column, array) in columns.iter().zip(batch.columns()) {
            if !column.is_written {
                let filled = array.len().saturating_sub(array.logical_null_count()) as u64;
                left_out.entry(column.header.clone()).and_modify(|rows| *rows = rows.saturating_add(filled));
                continue;
            }
            let is_float = is_float(array.data_type());
            let write = texts(array).ok_or_else(|| {
                let message = format!(
                    "the column `{}` is of type {}, which no field takes: leave it out",
                    column.header,
                    array.data_type()
                );
                Error::invalid_field("file", ViolationCode::NotAllowed, message)
            })?;
            cells.push((is_float, write));
        }
        for row in 0..batch.num_rows() {
            let texts: Vec<String> = cells.iter().map(|(_, write)| write(row)).collect();
            for (place, ((is_float, _), text)) in cells.iter().zip(&texts).enumerate() {
                if *is_float && has_lost_digits(text) {
                    long.insert(place);
                }
            }
            csv.write_row(&texts)?;
            rows = rows.saturating_add(1);
        }
    }
    csv.flush()?;
    Ok((rows, left_out, long))
}
