//! What a host must carry on elsewhere: every conversion, and every one that was taken back, once.
//!
//! The journal is the outbox: a conversion that is committed is in it, one that is not is not. A *consumer* (an ERP system,
//! an accounting service) is a name; it [polls](poll) what it has not got yet, carries it out, and [acknowledges](acknowledge)
//! it. Who falls between the two finds the same event again, under the same key: whoever carries it out keeps the key with what
//! it made, and so makes it once. [`deliver`] does both for a host.

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Action, Actor, Entry, Operation, OperationKind, Sequence, SubjectKind};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::OperationId;
use crate::policy::Permission;
use crate::query::MAX_PAGE;
use crate::store::{Store, StoreExt, Txn};
use crate::time::Timestamp;

use super::access::require;
use super::convert::{ConversionOutcome, UnconvertOutcome};
use super::operation::new_operation;

/// How many entries of the journal are read at first: the next event is near as a rule. Where it is not, each read is twice as
/// long as the one before.
const FIRST: usize = 64;
/// How many entries one read has at most, and how many one transaction of a delivery looks through.
const READ: usize = 10_000;
/// The longest name of a consumer, in bytes.
const MAX_NAME: usize = 64;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A lead was converted: a customer to be made, with the document that it gets.
    Converted(Box<ConversionOutcome>),
    /// A conversion was taken back.
    Unconverted(Box<UnconvertOutcome>),
}

/// Something to be carried on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its key, for ever the same: the operation that it tells.
    pub key: OperationId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub what: What,
    /// Its place in the journal.
    place: Sequence,
}

/// What a consumer has not got yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Batch {
    /// The oldest first.
    pub events: Vec<Event>,
    /// Whether there may be more behind them.
    pub more: bool,
    /// How far the journal was looked through.
    end: Option<Sequence>,
}

/// How far a consumer is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Mark {
    through: Option<Sequence>,
}

/// The oldest events that a consumer has not acknowledged, at most `limit` (1 to 1,000). Reads only. A consumer that nobody
/// knows begins with the first conversion there ever was, unless it [starts now](start_now).
///
/// However long a stretch of the journal has none, the next one behind it is found.
///
/// # Errors
/// `Denied` for an actor who may not configure; `Invalid` for a name or limit that does not fit; `Corrupt` when an outcome cannot
/// be read.
pub fn poll(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str, limit: usize) -> Result<Batch> {
    polled(ctx, txn, consumer, (limit, usize::MAX))
}

/// The oldest events, at most `limit`, among about `most` entries.
fn polled(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    consumer: &str,
    (limit, most): (usize, usize),
) -> Result<Batch> {
    check(ctx, txn, consumer)?;
    if !(1..=MAX_PAGE).contains(&limit) {
        let message = "a batch has 1 to 1,000 events";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let behind = mark(txn, consumer)?.1.through;
    let mut batch = Batch { events: Vec::new(), more: false, end: behind };
    let (mut step, mut seen) = (FIRST, 0_usize);
    loop {
        let entries = txn.journal().replay(None, batch.end, step)?;
        let is_last = entries.len() < step;
        seen = seen.saturating_add(entries.len());
        for entry in entries {
            if is_event(&entry) {
                if batch.events.len() == limit {
                    batch.more = true;
                    return Ok(batch);
                }
                let what = what(txn, entry.operation, entry.action)?;
                let (key, at, actor, place) = (entry.operation, entry.at, entry.actor, entry.sequence);
                batch.events.push(Event { key, at, actor, what, place });
            }
            batch.end = Some(entry.sequence);
        }
        if is_last {
            return Ok(batch);
        }
        if batch.events.len() == limit || seen >= most {
            batch.more = true;
            return Ok(batch);
        }
        step = longer(step);
    }
}

fn longer(step: usize) -> usize {
    step.saturating_mul(2).min(READ)
}

fn is_event(entry: &Entry) -> bool {
    matches!(entry.action, Action::Converted | Action::Unconverted) && entry.subject.kind == SubjectKind::Lead
}

/// Writes that a consumer has carried out an event. Events are acknowledged in their order; acknowledging one again changes
/// nothing.
///
/// # Errors
/// `Denied`; `NotFound` for an event of another tenant, and for one that is not where it says; `Invalid` for a name that does not
/// fit, and for an event before which another one is still to be acknowledged.
pub fn acknowledge(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str, event: &Event) -> Result<()> {
    check(ctx, txn, consumer)?;
    let (_, mark) = mark(txn, consumer)?;
    if mark.through.is_some_and(|through| through >= event.place) {
        return Ok(());
    }
    if txn.journal().operation(event.key)?.is_none() {
        return Err(Error::not_found("event"));
    }
    match first(txn, mark.through, event.place)? {
        None => Err(Error::not_found("event")),
        Some(next) if next.operation != event.key => {
            let message = "events are acknowledged in their order";
            Err(Error::invalid_field("key", ViolationCode::NotAllowed, message))
        }
        Some(next) => go_on(ctx, txn, consumer, next.sequence),
    }
}

/// The first event behind a place, up to another one: as a rule the entries of one conversion lie between them.
fn first(txn: &mut dyn Txn, mut after: Option<Sequence>, through: Sequence) -> Result<Option<Entry>> {
    let mut step = FIRST;
    loop {
        // No more entries lie between two places than there are places.
        let places = through.0.saturating_sub(after.map_or(0, |after| after.0));
        let places = usize::try_from(places).unwrap_or_default().min(step);
        if places == 0 {
            return Ok(None);
        }
        let entries = txn.journal().replay(None, after, places)?;
        let is_last = entries.len() < places;
        after = entries.last().map(|entry| entry.sequence);
        let mut near = entries.into_iter().filter(|entry| entry.sequence <= through);
        if let Some(next) = near.find(is_event) {
            return Ok(Some(next));
        }
        if is_last {
            return Ok(None);
        }
        step = longer(step);
    }
}

/// Lets a consumer that is new begin here: what happened before is not its concern. One that is known stays where it is.
///
/// # Errors
/// `Denied`; `Invalid` for a name that does not fit.
pub fn start_now(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str) -> Result<()> {
    check(ctx, txn, consumer)?;
    if mark(txn, consumer)?.0.is_some() {
        return Ok(());
    }
    let end = txn.journal().end()?;
    go_on(ctx, txn, consumer, end)
}

/// What became of a delivery.
#[derive(Debug)]
#[non_exhaustive]
pub struct Delivered {
    /// How many events were carried out and acknowledged.
    pub events: u64,
    /// Why it stopped at the next one, which stays to be delivered: the host's error. None when nothing is left.
    pub stopped: Option<Error>,
}

/// Carries out everything that a consumer has not got yet: `carry_out` is called for one event after the other, outside of any
/// transaction, and each is acknowledged when it returns. It is called again with the same key after a failure or a crash.
///
/// # Errors
/// As [`poll`] and [`acknowledge`]. That the host could not carry out an event is no error: it is told, and the event stays.
pub fn deliver(
    ctx: &Context<'_>,
    store: &dyn Store,
    consumer: &str,
    carry_out: &mut dyn FnMut(&Event) -> Result<()>,
) -> Result<Delivered> {
    let mut done = Delivered { events: 0, stopped: None };
    loop {
        let batch = store.read(ctx.tenant(), |txn| polled(ctx, txn, consumer, (MAX_PAGE, READ)))?;
        for event in &batch.events {
            if let Err(error) = carry_out(event) {
                done.stopped = Some(error);
                return Ok(done);
            }
            store.write(ctx.tenant(), |txn| acknowledge(ctx, txn, consumer, event))?;
            done.events = done.events.saturating_add(1);
        }
        if !batch.more {
            return Ok(done);
        }
        if let (true, Some(end)) = (batch.events.is_empty(), batch.end) {
            // Nothing of this stretch concerns the consumer: it is not looked through again.
            store.write(ctx.tenant(), |txn| go_on(ctx, txn, consumer, end))?;
        }
    }
}

fn check(ctx: &Context<'_>, txn: &dyn Txn, consumer: &str) -> Result<()> {
    require(ctx, txn, Permission::Configure)?;
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    if consumer.is_empty() || consumer.len() > MAX_NAME || !consumer.bytes().all(sound) {
        let message = "a consumer is named by 1 to 64 small letters, digits and `_-.`";
        return Err(Error::invalid_field("consumer", ViolationCode::Malformed, message));
    }
    Ok(())
}

fn corrupt() -> Error {
    Error::new(ErrorKind::Corrupt, "what the outbox tells cannot be read")
}

fn read<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json).map_err(|error| corrupt().with_source(error))
}

fn what(txn: &mut dyn Txn, operation: OperationId, action: Action) -> Result<What> {
    let stored = txn.journal().operation(operation)?.and_then(|operation| operation.outcome);
    let stored = stored.ok_or_else(corrupt)?;
    Ok(match action {
        Action::Converted => What::Converted(Box::new(read(stored)?)),
        _ => What::Unconverted(Box::new(read(stored)?)),
    })
}

/// How far a consumer is, and the operation that keeps it.
fn mark(txn: &mut dyn Txn, consumer: &str) -> Result<(Option<Operation>, Mark)> {
    let Some(found) = txn.journal().find(OperationKind::Deliver, consumer)? else {
        return Ok((None, Mark::default()));
    };
    let mark = found.outcome.clone().map(read).transpose()?.unwrap_or_default();
    Ok((Some(found), mark))
}

/// Moves a consumer forward, never back.
fn go_on(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str, through: Sequence) -> Result<()> {
    let (known, before) = mark(txn, consumer)?;
    let through = before.through.map_or(through, |before| before.max(through));
    let outcome = serde_json::to_value(Mark { through: Some(through) });
    let outcome = outcome.map_err(|error| {
        Error::new(ErrorKind::Internal, "a mark could not be written as JSON").with_source(error)
    })?;
    match known {
        Some(known) => txn.journal().update(&Operation { outcome: Some(outcome), ..known }),
        None => {
            let new = new_operation(ctx, OperationKind::Deliver, Some(consumer.to_owned()));
            txn.journal().begin(&Operation { outcome: Some(outcome), ..new })
        }
    }
}

#[cfg(test)]
mod tests;
