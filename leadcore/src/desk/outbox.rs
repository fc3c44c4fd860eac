//! What a host must carry on elsewhere: every conversion, and every one that was taken back, once.
//!
//! The journal is the outbox: a conversion that is committed is in it, one that is not is not. A *consumer* (an ERP system,
//! an accounting service) is a name; it [polls](poll) what it has not got yet, carries it out, and [acknowledges](acknowledge)
//! it. [`deliver`] does both for a host, from as many processes as it likes: one worker at a time has the events of a consumer to
//! itself, so that each is carried out once and in its order.
//!
//! A worker that dies after it carried an event out and before that was written is the one case in which an event is told again, when
//! its lease has run out: under the same key. Whoever keeps the key with what it makes (a unique column, the idempotency key of a
//! request) makes it exactly once.

mod lease;

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

pub use lease::DeliveryOptions;
use lease::{Lease, Turn, Worker};

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
    /// Who carries out what comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
}

/// The oldest events that a consumer has not acknowledged, at most `limit` (1 to 1,000). Reads only. A consumer that nobody
/// knows begins with the first conversion there ever was, unless it [starts now](start_now).
///
/// However long a stretch of the journal has none, the next one behind it is found. Whoever polls is not known: two that poll are
/// given the same events, and where several workers carry them out, they [`deliver`].
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
    /// Until when another worker has what comes next to itself, where one has: it goes on there, or, should it have died, whoever
    /// delivers after this time.
    pub held_until: Option<Timestamp>,
}

/// [`deliver_with`] the default options.
///
/// # Errors
/// As [`deliver_with`].
pub fn deliver(
    ctx: &Context<'_>,
    store: &dyn Store,
    consumer: &str,
    carry_out: &mut dyn FnMut(&Event) -> Result<()>,
) -> Result<Delivered> {
    deliver_with(ctx, store, consumer, &DeliveryOptions::default(), carry_out)
}

/// Carries out everything that a consumer has not got yet: `carry_out` is called for one event after the other, outside of any
/// transaction, and each is acknowledged when it returns.
///
/// Any number of processes may deliver to one consumer at the same time: one of them has its events to itself, and the others are
/// [told](Delivered::held_until) so at once. The lease is taken anew for each event, and given back at the end and after a failure;
/// after a crash it runs out by the clock of the context. An event is told again, with the same key, only after a failure, a crash, or
/// when it took longer than the lease.
///
/// # Errors
/// As [`poll`] and [`acknowledge`]; `Invalid` for a lease that does not fit. That the host could not carry out an event is no error: it
/// is told, and the event stays.
pub fn deliver_with(
    ctx: &Context<'_>,
    store: &dyn Store,
    consumer: &str,
    options: &DeliveryOptions,
    carry_out: &mut dyn FnMut(&Event) -> Result<()>,
) -> Result<Delivered> {
    let worker = Worker::new(ctx, options)?;
    let mut done = Delivered { events: 0, stopped: None, held_until: None };
    loop {
        let (batch, mark) = store.read(ctx.tenant(), |txn| {
            Ok((polled(ctx, txn, consumer, (MAX_PAGE, READ))?, mark(txn, consumer)?.1))
        })?;
        done.held_until = worker.other(ctx, &mark);
        if done.held_until.is_some() {
            return Ok(done);
        }
        match (batch.events.is_empty(), batch.more, batch.end) {
            (true, false, _) if worker.has(&mark) => {
                store.write(ctx.tenant(), |txn| worker.leave(ctx, txn, consumer))?;
                return Ok(done);
            }
            (true, false, _) => return Ok(done),
            // Nothing of this stretch concerns the consumer: it is not looked through again.
            (true, true, Some(end)) => store.write(ctx.tenant(), |txn| go_on(ctx, txn, consumer, end))?,
            _ => {
                let goes_on = deliver_batch(ctx, store, (consumer, &worker), &batch, (&mut done, carry_out))?;
                if !goes_on {
                    return Ok(done);
                }
            }
        }
    }
}

type CarryOut<'c> = dyn FnMut(&Event) -> Result<()> + 'c;

/// Carries out what was polled, while it is the worker's turn: whether there may be more to do.
fn deliver_batch(
    ctx: &Context<'_>,
    store: &dyn Store,
    (consumer, worker): (&str, &Worker),
    batch: &Batch,
    (done, carry_out): (&mut Delivered, &mut CarryOut<'_>),
) -> Result<bool> {
    let last = batch.events.last().map(|event| event.place).filter(|_| !batch.more);
    let mut turn = store.write(ctx.tenant(), |txn| worker.take(ctx, txn, consumer))?;
    let mut has_left = false;
    for event in &batch.events {
        match turn {
            Turn::Other(until) => {
                done.held_until = Some(until);
                return Ok(false);
            }
            // Somebody carried it out since it was read.
            Turn::Own(Some(through)) if through >= event.place => continue,
            Turn::Own(_) => {}
        }
        if let Err(error) = carry_out(event) {
            done.stopped = Some(error);
            store.write(ctx.tenant(), |txn| worker.leave(ctx, txn, consumer))?;
            return Ok(false);
        }
        turn = store.write(ctx.tenant(), |txn| {
            acknowledge(ctx, txn, consumer, event)?;
            if last == Some(event.place) {
                worker.leave(ctx, txn, consumer)?;
                return Ok(Turn::Own(last));
            }
            worker.take(ctx, txn, consumer)
        })?;
        has_left = last == Some(event.place);
        done.events = done.events.saturating_add(1);
    }
    let goes_on = batch.more || last.is_none_or(|last| turn != Turn::Own(Some(last)));
    if !goes_on && !has_left {
        // Somebody carried out the last one since it was read: nobody works on what is to come.
        store.write(ctx.tenant(), |txn| worker.leave(ctx, txn, consumer))?;
    }
    Ok(goes_on)
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
    write(ctx, txn, (consumer, known), &Mark { through: Some(through), ..before })
}

/// Writes how far a consumer is, and who carries out what comes next.
fn write(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (consumer, known): (&str, Option<Operation>),
    mark: &Mark,
) -> Result<()> {
    let outcome = serde_json::to_value(mark).map_err(|error| {
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
