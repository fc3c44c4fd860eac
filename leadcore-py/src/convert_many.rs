//! Converting many leads.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use leadcore::desk;
use leadcore::error::ViolationCode;
use leadcore::store::StoreExt;
use pyo3::prelude::*;

use crate::conversion::options;
use crate::convert::{Limit, Text, to_json};
use crate::errors::invalid;
use crate::import_io::{Raised, call};
use crate::mass::{Chosen, Select};
use crate::session::Session;

/// Converts leads in one transaction: what became of each, as JSON.
#[pyfunction]
pub(crate) fn convert_many(
    py: Python<'_>,
    session: &Session,
    chosen: Chosen,
    options: Text,
    opportunity: Text,
) -> PyResult<String> {
    let (select, options) = (Select::new(py, chosen)?, self::options(py, &options, &opportunity)?);
    let done = session.write(py, move |ctx, txn| {
        let selection = select.resolve(txn)?;
        desk::convert::many(ctx, txn, &selection, &options)
    })?;
    to_json(py, &done)
}

/// The same in transactions of so many leads each. `hear` is told each lead, as JSON, and ends it with
/// `False`.
#[pyfunction]
pub(crate) fn convert_in_batches(
    py: Python<'_>,
    session: &Session,
    chosen: Chosen,
    options: Text,
    opportunity: Text,
    batch: Limit,
    hear: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (select, options) = (Select::new(py, chosen)?, self::options(py, &options, &opportunity)?);
    let Some(batch) = NonZeroUsize::new(batch.0) else {
        return Err(invalid(py, "batch", ViolationCode::OutOfRange, "a batch has at least one lead"));
    };
    let raised: Raised = Arc::default();
    let heard = Arc::clone(&raised);
    let done = session.with_store(py, move |ctx, store| {
        let selection = store.read(ctx.tenant(), |txn| select.resolve(txn))?;
        desk::convert::many_in_batches(ctx, store, &selection, &options, batch, &mut |told| {
            let go_on = call(&heard, |py| {
                let Some(hear) = &hear else { return Ok(true) };
                let said = hear.bind(py).call1((to_json(py, told)?,))?;
                // Only `False` stops: a callback that returns nothing goes on.
                Ok(said.is_none() || said.is_truthy()?)
            });
            if go_on.unwrap_or(false) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    });
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => to_json(py, &done?),
    }
}
