//! Reports as tables of Arrow: they are small, so a table is one batch.

use std::sync::Arc;

use arrow_array::builder::Decimal128Builder;
use arrow_array::{
    Array, ArrayRef, DurationMicrosecondArray, Int64Array, RecordBatch, RecordBatchIterator, StringArray,
};
use arrow_schema::{ArrowError, Field, Schema};
use leadcore::error::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};
use rust_decimal::Decimal;

use crate::arrow_capsules;
use crate::arrow_out::{DIGITS, scaled};
use crate::convert::Text;
use crate::errors::raise;

/// A report for programs that speak Arrow: polars, pyarrow, pandas, `DuckDB` …
#[pyclass(frozen, module = "leadcore._leadcore")]
#[derive(Debug)]
pub(crate) struct ReportTable {
    batch: RecordBatch,
}

#[pymethods]
impl ReportTable {
    /// Of columns, each with its name, what it holds, and a value for each row.
    #[new]
    fn new(py: Python<'_>, columns: Vec<(Text, Text, Bound<'_, PyList>)>) -> PyResult<Self> {
        let unfit = |_: ArrowError| {
            raise(py, &Error::new(ErrorKind::Internal, "a figure of the report does not fit a table"))
        };
        let (mut fields, mut arrays) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
        for (Text(name), Text(kind), values) in columns {
            let array: ArrayRef = match kind.as_str() {
                "integer" => Arc::new(Int64Array::from(values.extract::<Vec<Option<i64>>>()?)),
                "decimal" => decimals(&values.extract::<Vec<Option<Decimal>>>()?).map_err(unfit)?,
                "duration" => Arc::new(DurationMicrosecondArray::from(values.extract::<Vec<Option<i64>>>()?)),
                _ => Arc::new(StringArray::from(values.extract::<Vec<Option<String>>>()?)),
            };
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(unfit)?;
        Ok(Self { batch })
    }

    /// The names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    /// The schema, by the Arrow `PyCapsule` interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow_capsules::schema(py, self.batch.schema_ref())
    }

    /// The rows, by the Arrow `PyCapsule` interface. A schema that is asked for is left to the caller to cast to.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches = RecordBatchIterator::new([Ok(self.batch.clone())], self.batch.schema());
        arrow_capsules::stream(py, batches)
    }
}

fn decimals(values: &[Option<Decimal>]) -> Result<ArrayRef, ArrowError> {
    let mut column = Decimal128Builder::new();
    for value in values {
        column.append_option(value.map(scaled).transpose()?);
    }
    Ok(Arc::new(column.finish().with_precision_and_scale(DIGITS.0, DIGITS.1)?))
}
