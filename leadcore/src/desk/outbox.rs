//! What a host must carry on elsewhere: every conversion, and every one that was taken back, once.
//!
//! The journal is the outbox: a conversion that is committed is in it, one that is not is not. A *consumer* (an ERP system,
//! an accounting service) is a name; it [polls](poll) what it has not got yet, carries it out, and [acknowledges](acknowledge)
//! it. Who falls between the two finds the same event again, under the same key: whoever carries it out keeps the key with what
//! it made, and so makes it once. [`deliver`] does both for a host.

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Action, Actor, Operation, OperationKind, Sequence, SubjectKind};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::OperationId;
use crate::policy::Permission;
use crate::query::MAX_PAGE;
use crate::store::{Store, StoreExt, Txn};
use crate::time::Timestamp;

use super::access::require;
use super::convert::{ConversionOutcome, UnconvertOutcome};
use super::operation::new_operation;

/// How many entries of the journal one poll looks at.
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
/// A long stretch of the journal without any is looked through in parts: then there are no events and there may be more.
///
/// # Errors
/// `Denied` for an actor who may not configure; `Invalid` for a name or limit that does not fit; `Corrupt` when an outcome cannot
/// be read.
pub fn poll(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str, limit: usize) -> Result<Batch> {
    check(ctx, txn, consumer)?;
    if !(1..=MAX_PAGE).contains(&limit) {
        let message = "a batch has 1 to 1,000 events";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let behind = mark(txn, consumer)?.1.through;
    let entries = txn.journal().replay(None, behind, READ)?;
    let mut batch = Batch { events: Vec::new(), more: entries.len() == READ, end: behind };
    for entry in entries {
        let told = matches!(entry.action, Action::Converted | Action::Unconverted);
        if told && entry.subject.kind == SubjectKind::Lead {
            if batch.events.len() == limit {
                batch.more = true;
                break;
            }
            let what = what(txn, entry.operation, entry.action)?;
            let (key, at, actor, place) = (entry.operation, entry.at, entry.actor, entry.sequence);
            batch.events.push(Event { key, at, actor, what, place });
        }
        batch.end = Some(entry.sequence);
    }
    Ok(batch)
}

/// Writes that a consumer has carried out an event. Events are acknowledged in their order; acknowledging one again changes
/// nothing.
///
/// # Errors
/// `Denied`; `NotFound` for an event of another tenant; `Invalid` for a name that does not fit, and for an event before which
/// another one is still to be acknowledged.
pub fn acknowledge(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str, event: &Event) -> Result<()> {
    check(ctx, txn, consumer)?;
    let (_, mark) = mark(txn, consumer)?;
    if mark.through.is_some_and(|through| through >= event.place) {
        return Ok(());
    }
    if txn.journal().operation(event.key)?.is_none() {
        return Err(Error::not_found("event"));
    }
    let next = next(ctx, txn, consumer)?;
    if next.is_some_and(|next| next.key != event.key) {
        let message = "events are acknowledged in their order";
        return Err(Error::invalid_field("key", ViolationCode::NotAllowed, message));
    }
    go_on(ctx, txn, consumer, event.place)
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
        let batch = store.read(ctx.tenant(), |txn| poll(ctx, txn, consumer, MAX_PAGE))?;
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

/// The next event of a consumer, however far it is.
fn next(ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str) -> Result<Option<Event>> {
    let batch = poll(ctx, txn, consumer, 1)?;
    Ok(batch.events.into_iter().next())
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
