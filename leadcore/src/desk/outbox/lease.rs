//! Which worker carries out the events of a consumer, where several could.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::domain::Sequence;
use crate::error::{Error, Result, ViolationCode};
use crate::store::Txn;
use crate::time::Timestamp;

use super::{Mark, mark, write};

/// The longest lease. One that ends later was not written by a clock that can be believed, and holds nobody up.
const MAX_HOURS: i64 = 24;

/// How events are [delivered](super::deliver_with).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryOptions {
    /// How long one event may take, at most 24 hours: for so long no other worker is given an event of this consumer. A worker that
    /// died holds the others up until then; one that takes longer may find that another has carried out the event too.
    pub lease: TimeDelta,
}

impl Default for DeliveryOptions {
    /// A lease of five minutes.
    fn default() -> Self {
        Self { lease: TimeDelta::minutes(5) }
    }
}

impl DeliveryOptions {
    /// With another lease.
    #[must_use]
    pub const fn lease(mut self, lease: TimeDelta) -> Self {
        self.lease = lease;
        self
    }
}

/// That a worker has a consumer's events to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    worker: Uuid,
    until: Timestamp,
}

/// One call that delivers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worker {
    id: Uuid,
    lease: TimeDelta,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The worker's own; the consumer is so far.
    Own(Option<Sequence>),
    /// Another one's, until this time.
    Other(Timestamp),
}

impl Worker {
    pub(super) fn new(ctx: &Context<'_>, options: &DeliveryOptions) -> Result<Self> {
        if options.lease <= TimeDelta::zero() || options.lease > TimeDelta::hours(MAX_HOURS) {
            let message = "a lease is longer than nothing and at most 24 hours";
            return Err(Error::invalid_field("lease", ViolationCode::OutOfRange, message));
        }
        Ok(Self { id: ctx.new_uuid(), lease: options.lease })
    }

    /// Until when another worker has the events to itself.
    pub(super) fn other(&self, ctx: &Context<'_>, mark: &Mark) -> Option<Timestamp> {
        let now = ctx.now();
        let longest = now.saturating_add(TimeDelta::hours(MAX_HOURS));
        let held = mark.lease.filter(|lease| lease.worker != self.id);
        held.map(|lease| lease.until).filter(|until| *until > now && *until <= longest)
    }

    /// Whether it is this worker's turn.
    pub(super) fn has(&self, mark: &Mark) -> bool {
        mark.lease.is_some_and(|lease| lease.worker == self.id)
    }

    /// Takes the turn, or keeps it for one event more.
    pub(super) fn take(&self, ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str) -> Result<Turn> {
        let (known, mark) = mark(txn, consumer)?;
        if let Some(until) = self.other(ctx, &mark) {
            return Ok(Turn::Other(until));
        }
        let until = ctx.now().saturating_add(self.lease);
        let own = Some(Lease { worker: self.id, until });
        if mark.lease != own {
            write(ctx, txn, (consumer, known), &Mark { lease: own, ..mark })?;
        }
        Ok(Turn::Own(mark.through))
    }

    /// Gives the turn back, if it is still this worker's.
    pub(super) fn leave(&self, ctx: &Context<'_>, txn: &mut dyn Txn, consumer: &str) -> Result<()> {
        let (known, mark) = mark(txn, consumer)?;
        if self.has(&mark) {
            write(ctx, txn, (consumer, known), &Mark { lease: None, ..mark })?;
        }
        Ok(())
    }
}
