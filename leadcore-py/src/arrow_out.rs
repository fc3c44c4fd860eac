//! Leads as a stream of Arrow record batches: a page of leads each, so that memory does not grow with their number.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, ListBuilder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use leadcore::exchange::export::{Cell, CellKind, ExportPage, PageColumn, page};
use leadcore::query::Cursor;
use leadcore::time::Timestamp;
use leadcore::value::join_list;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::arrow_capsules;
use crate::exports::{Asked, Which};
use crate::session::Session;

/// Digits and decimal places of numbers: every number of a lead fits, exactly.
pub(crate) const DIGITS: (u8, i8) = (38, 6);
/// How many named leads are a batch.
const BATCH: usize = 1_000;

/// Leads for programs that speak Arrow: polars, pyarrow, pandas, `DuckDB` …
#[pyclass(frozen, module = "leadcore._leadcore")]
pub(crate) struct LeadTable {
    session: Session,
    asked: Asked,
    columns: Vec<PageColumn>,
    schema: SchemaRef,
}

#[pymethods]
impl LeadTable {
    /// Reads no lead yet; what cannot be asked is refused.
    #[new]
    fn new(py: Python<'_>, session: &Session, asked: Asked) -> PyResult<Self> {
        let none = Asked { which: Which::Leads(Vec::new()), ..asked.clone() };
        // A view has columns of its own, and is looked at.
        let look = if matches!(asked.which, Which::Leads(_)) { none } else { asked.clone() };
        let ExportPage { columns, .. } = read(py, session, &look, None)?;
        let fields: Vec<_> =
            columns.iter().map(|column| Field::new(&column.head, data_type(column.kind), true)).collect();
        Ok(Self { session: session.clone(), asked, columns, schema: Arc::new(Schema::new(fields)) })
    }

    /// The keys of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.head.clone()).collect()
    }

    /// The schema, by the Arrow `PyCapsule` interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow_capsules::schema(py, &self.schema)
    }

    /// The leads, by the Arrow `PyCapsule` interface, read as they are asked for. A schema that is asked for is left to the
    /// caller to cast to.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches = Batches {
            session: self.session.clone(),
            asked: self.asked.clone(),
            columns: self.columns.clone(),
            schema: Arc::clone(&self.schema),
            place: Place::Start,
        };
        arrow_capsules::stream(py, batches)
    }
}

fn read(py: Python<'_>, session: &Session, asked: &Asked, after: Option<Cursor>) -> PyResult<ExportPage> {
    let asked = asked.clone();
    session.read(py, move |ctx, txn| {
        let (extent, options) = asked.resolve(txn)?;
        page(ctx, txn, &extent, &options, after.clone())
    })
}

/// Where the next batch begins.
enum Place {
    Start,
    Behind(Cursor),
    /// Of leads that are named: so many are done.
    Named(usize),
    End,
}

/// The stream.
struct Batches {
    session: Session,
    asked: Asked,
    columns: Vec<PageColumn>,
    schema: SchemaRef,
    place: Place,
}

impl Batches {
    fn read(&mut self) -> Result<RecordBatch, ArrowError> {
        let (asked, after, done) = match (&self.asked.which, std::mem::replace(&mut self.place, Place::End)) {
            (Which::Leads(leads), place) => {
                let done = if let Place::Named(done) = place { done } else { 0 };
                let some = leads.iter().skip(done).take(BATCH).copied().collect();
                let done = done.saturating_add(BATCH);
                let more = done < leads.len();
                (
                    Asked { which: Which::Leads(some), ..self.asked.clone() },
                    None,
                    more.then_some(Place::Named(done)),
                )
            }
            (_, Place::Behind(cursor)) => (self.asked.clone(), Some(cursor), None),
            (..) => (self.asked.clone(), None, None),
        };
        let found = Python::attach(|py| {
            py.check_signals()?;
            read(py, &self.session, &asked, after)
        });
        let found = found.map_err(|error| ArrowError::ExternalError(error.to_string().into()))?;
        self.place = match (done, found.next) {
            (Some(named), _) => named,
            (None, Some(next)) => Place::Behind(next),
            (None, None) => Place::End,
        };
        let is_same = found.columns == self.columns;
        if !is_same {
            let message = "the fields of leads were changed while they were read: ask for the table again";
            return Err(ArrowError::ExternalError(message.into()));
        }
        let rows = found.rows.len();
        let mut columns: Vec<_> = self.columns.iter().map(|column| Builder::new(column.kind)).collect();
        for row in found.rows {
            for (cell, column) in row.into_iter().zip(&mut columns) {
                column.push(cell)?;
            }
        }
        let arrays = columns.into_iter().map(Builder::finish).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.place, Place::End) {
            return None;
        }
        Some(self.read())
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

fn data_type(kind: CellKind) -> DataType {
    match kind {
        CellKind::Integer => DataType::Int64,
        CellKind::Decimal => DataType::Decimal128(DIGITS.0, DIGITS.1),
        CellKind::Flag => DataType::Boolean,
        CellKind::Day => DataType::Date32,
        CellKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        CellKind::List => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        _ => DataType::Utf8,
    }
}

/// A column while it is filled.
enum Builder {
    Text(StringBuilder),
    List(ListBuilder<StringBuilder>),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Flag(BooleanBuilder),
    Day(Date32Builder),
    Time(TimestampMicrosecondBuilder),
}

impl Builder {
    fn new(kind: CellKind) -> Self {
        match kind {
            CellKind::Integer => Self::Integer(Int64Builder::new()),
            CellKind::Decimal => Self::Decimal(Decimal128Builder::new()),
            CellKind::Flag => Self::Flag(BooleanBuilder::new()),
            CellKind::Day => Self::Day(Date32Builder::new()),
            CellKind::Time => Self::Time(TimestampMicrosecondBuilder::new()),
            CellKind::List => Self::List(ListBuilder::new(StringBuilder::new())),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn push(&mut self, cell: Cell) -> Result<(), ArrowError> {
        match (self, cell) {
            (Self::Text(column), Cell::Empty) => column.append_null(),
            (Self::Text(column), Cell::Text(text)) => column.append_value(text),
            (Self::Text(column), Cell::List(list)) => column.append_value(join_list(list, ", ")),
            (Self::Text(column), Cell::Number(number)) => column.append_value(number.normalize().to_string()),
            (Self::Text(column), Cell::Flag(yes)) => column.append_value(if yes { "true" } else { "false" }),
            (Self::Text(column), Cell::Day(day)) => column.append_value(day.to_string()),
            (Self::Text(column), Cell::Time(at)) => column.append_value(at.to_string()),
            (Self::List(column), cell) => {
                match cell {
                    Cell::List(list) => column.append_value(list.into_iter().map(Some)),
                    Cell::Text(text) => column.append_value([Some(text)]),
                    _ => column.append(false),
                };
            }
            (Self::Integer(column), Cell::Number(number)) => {
                column.append_value(number.to_i64().ok_or_else(unfit)?);
            }
            (Self::Integer(column), _) => column.append_null(),
            (Self::Decimal(column), Cell::Number(number)) => column.append_value(scaled(number)?),
            (Self::Decimal(column), _) => column.append_null(),
            (Self::Flag(column), Cell::Flag(yes)) => column.append_value(yes),
            (Self::Flag(column), _) => column.append_null(),
            (Self::Day(column), Cell::Day(day)) => column.append_value(days(day.to_naive())?),
            (Self::Day(column), _) => column.append_null(),
            (Self::Time(column), Cell::Time(at)) => column.append_value(at.to_datetime().timestamp_micros()),
            (Self::Time(column), Cell::Text(text)) => {
                let at: Timestamp = text.parse().map_err(|_| unfit())?;
                column.append_value(at.to_datetime().timestamp_micros());
            }
            (Self::Time(column), _) => column.append_null(),
        }
        Ok(())
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::List(mut column) => Arc::new(column.finish()),
            Self::Integer(mut column) => Arc::new(column.finish()),
            Self::Decimal(mut column) => {
                Arc::new(column.finish().with_precision_and_scale(DIGITS.0, DIGITS.1)?)
            }
            Self::Flag(mut column) => Arc::new(column.finish()),
            Self::Day(mut column) => Arc::new(column.finish()),
            Self::Time(mut column) => Arc::new(column.finish().with_timezone("UTC")),
        })
    }
}

fn unfit() -> ArrowError {
    ArrowError::ExternalError("a value does not fit the type of its column".into())
}

/// The number in units of the last decimal place.
pub(crate) fn scaled(number: Decimal) -> Result<i128, ArrowError> {
    let number = number.normalize();
    let places = i64::from(DIGITS.1) - i64::from(number.scale());
    let places = u32::try_from(places).map_err(|_| unfit())?;
    let factor = 10_i128.checked_pow(places).ok_or_else(unfit)?;
    number.mantissa().checked_mul(factor).ok_or_else(unfit)
}

/// Days since 1970.
fn days(day: chrono::NaiveDate) -> Result<i32, ArrowError> {
    let epoch = chrono::NaiveDate::default();
    i32::try_from(day.signed_duration_since(epoch).num_days()).map_err(|_| unfit())
}
