//! Converting many leads.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::convert::{ConversionPart, ConversionTotals, LeadConversion};
use leadcore::error::ViolationCode;
use leadcore::store::{StoreExt, Txn};
use pyo3::prelude::*;

use crate::conversion::Decided;
use crate::convert::{Limit, Text, from_json, to_json};
use crate::errors::invalid;
use crate::import_io::{Raised, call, goes_on};
use crate::mass::{Chosen, Select};
use crate::session::Session;
use crate::targets::Targets;

/// Converts leads in one transaction: what became of each, as JSON.
#[pyfunction]
pub(crate) fn convert_many(
    py: Python<'_>,
    session: &Session,
    chosen: Chosen,
    decided: Decided,
) -> PyResult<String> {
    let select = Select::new(py, chosen)?;
    let done = session.write(py, move |ctx, txn| {
        let (selection, options) = decided.read_for(ctx, txn, &select)?;
        desk::convert::many(ctx, txn, &selection, &options)
    })?;
    to_json(py, &done)
}

/// The totals with these leads counted too, all of it as JSON; without totals, of these leads alone.
#[pyfunction]
pub(crate) fn conversion_counted(py: Python<'_>, totals: Option<Text>, leads: Text) -> PyResult<String> {
    let totals = totals.map(|Text(totals)| from_json(py, "totals", &totals)).transpose()?;
    let mut totals: ConversionTotals = totals.unwrap_or_default();
    let leads: Vec<LeadConversion> = from_json(py, "leads", &leads.0)?;
    leads.iter().for_each(|lead| totals.count(&lead.outcome));
    to_json(py, &totals)
}

/// Some of the leads that were chosen.
#[pyclass(frozen, module = "leadcore._leadcore")]
#[derive(Debug)]
pub(crate) struct Part(ConversionPart);

/// The leads that are chosen now, or that the key stands for, so many at a time.
#[pyfunction]
pub(crate) fn convert_parts(
    py: Python<'_>,
    session: &Session,
    chosen: Chosen,
    decided: Decided,
    batch: Option<Limit>,
) -> PyResult<Vec<Part>> {
    let select = Select::new(py, chosen)?;
    let batch = batch.and_then(|Limit(batch)| NonZeroUsize::new(batch)).unwrap_or(NonZeroUsize::MAX);
    let has_key = decided.has_key();
    let parts = move |ctx: &Context<'_>, txn: &mut dyn Txn| {
        let (selection, options) = decided.read_for(ctx, txn, &select)?;
        desk::convert::parts(ctx, txn, &selection, &options, batch)
    };
    let parts = if has_key { session.write(py, parts) } else { session.read(py, parts) }?;
    Ok(parts.into_iter().map(Part).collect())
}

/// Converts a part with the tables of the host, in an open transaction: what became of each lead, as JSON.
#[pyfunction]
pub(crate) fn convert_part(
    py: Python<'_>,
    session: &Session,
    part: &Part,
    decided: Decided,
    targets: Targets,
) -> PyResult<String> {
    let part = part.0.clone();
    let done = targets.write_each(py, session, move |ctx, txn, hosts| {
        let options = decided.read(ctx, txn)?;
        desk::convert::part_with(ctx, txn, &part, &options, hosts)
    })?;
    to_json(py, &done)
}

/// The same as `convert_many` in transactions of so many leads each. `hear` is told each lead, as JSON, and ends it with
/// `False`.
#[pyfunction]
pub(crate) fn convert_in_batches(
    py: Python<'_>,
    session: &Session,
    chosen: Chosen,
    decided: Decided,
    batch: Limit,
    hear: Option<Py<PyAny>>,
) -> PyResult<String> {
    let select = Select::new(py, chosen)?;
    let Some(batch) = NonZeroUsize::new(batch.0) else {
        return Err(invalid(py, "batch", ViolationCode::OutOfRange, "a batch has at least one lead"));
    };
    let raised: Raised = Arc::default();
    let heard = Arc::clone(&raised);
    let done = session.with_store(py, move |ctx, store| {
        let (selection, options) = store.read(ctx.tenant(), |txn| decided.read_for(ctx, txn, &select))?;
        desk::convert::many_in_batches(ctx, store, &selection, &options, batch, &mut |told| {
            let go_on = call(&heard, |py| {
                let Some(hear) = &hear else { return Ok(true) };
                let said = hear.bind(py).call1((to_json(py, told)?,))?;
                Ok(goes_on(&said))
            });
            if go_on.unwrap_or(false) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    });
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => to_json(py, &done?),
    }
}
