//! The outbox: what must be carried on elsewhere.

use std::sync::{Arc, PoisonError};

use chrono::TimeDelta;
use leadcore::desk;
use leadcore::desk::outbox::{DeliveryOptions, Event};
use leadcore::error::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::convert::{Limit, Text, from_json, to_json};
use crate::import_io::{Raised, call};
use crate::session::Session;

/// What a consumer has not got yet, each as JSON, and whether there may be more.
#[pyfunction]
pub(crate) fn outbox_poll(
    py: Python<'_>,
    session: &Session,
    consumer: Text,
    limit: Limit,
) -> PyResult<(Vec<String>, bool)> {
    let batch = session.read(py, move |ctx, txn| desk::outbox::poll(ctx, txn, &consumer.0, limit.0))?;
    let events = batch.events.iter().map(|event| to_json(py, event)).collect::<PyResult<_>>()?;
    Ok((events, batch.more))
}

/// A consumer has carried out an event.
#[pyfunction]
pub(crate) fn outbox_acknowledge(
    py: Python<'_>,
    session: &Session,
    consumer: Text,
    event: Text,
) -> PyResult<()> {
    let event: Event = from_json(py, "event", &event.0)?;
    session.write(py, move |ctx, txn| desk::outbox::acknowledge(ctx, txn, &consumer.0, &event))
}

/// A consumer that is new begins here.
#[pyfunction]
pub(crate) fn outbox_start(py: Python<'_>, session: &Session, consumer: Text) -> PyResult<()> {
    session.write(py, move |ctx, txn| desk::outbox::start_now(ctx, txn, &consumer.0))
}

/// Carries out everything that a consumer has not got yet: how many events. What `carry_out` raises is raised. The lease is in
/// milliseconds.
#[pyfunction]
pub(crate) fn outbox_deliver(
    py: Python<'_>,
    session: &Session,
    consumer: Text,
    carry_out: Py<PyAny>,
    lease: i64,
) -> PyResult<u64> {
    let lease = TimeDelta::try_milliseconds(lease).unwrap_or(TimeDelta::MAX);
    let options = DeliveryOptions::default().lease(lease);
    let raised: Raised = Arc::default();
    let heard = Arc::clone(&raised);
    let done = session.with_store(py, move |ctx, store| {
        desk::outbox::deliver_with(ctx, store, &consumer.0, &options, &mut |event| {
            let said = call(&heard, |py| carry_out.bind(py).call1((to_json(py, event)?,)).map(drop));
            said.map_err(|error| Error::new(ErrorKind::Cancelled, "the host raised").with_source(error))
        })
    });
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => done.map(|done| done.events),
    }
}
