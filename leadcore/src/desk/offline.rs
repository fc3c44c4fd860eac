//! What changed since: for readers that keep a copy (S1.25).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::context::Context;
use crate::domain::{Lead, Sequence, SubjectKind};
use crate::error::{Error, Result, ViolationCode};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::query::LeadQuery;
use crate::store::Txn;

use super::access::{Gate, masked};
use super::listing::check_limit;

/// How many leads a copy starts with.
const START: usize = 200;
/// How many entries of the journal one page reads at most, in rounds.
const ROUND: usize = 1_000;
const ROUNDS: usize = 10;

/// A lead as a copy must have it from now on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// It is there, like this.
    Lead(Box<Lead>),
    /// It is in the trash, removed, or not to be seen by this actor: the copy drops it, if it has it.
    Gone(LeadId),
}

impl Changed {
    /// Which lead.
    #[must_use]
    pub fn id(&self) -> LeadId {
        match self {
            Self::Lead(lead) => lead.id,
            Self::Gone(id) => *id,
        }
    }
}

/// What changed, and where to go on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// Each lead once, in the order of its first change.
    pub items: Vec<Changed>,
    /// Where the next page begins: to be handed in as `after`.
    pub next: Sequence,
    /// Whether more is waiting already.
    pub more: bool,
}

/// The beginning of a copy: the 200 leads that were written last and that the actor may see, and the place from which
/// [`changes`] goes on.
///
/// # Errors
/// `Denied`; `Invalid` when the actor may not see when leads were written.
pub fn changes_start(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Changes> {
    let page = super::leads::list(ctx, txn, &LeadQuery::default().limit(START))?;
    let items = page.items.into_iter().map(|lead| Changed::Lead(Box::new(lead))).collect();
    Ok(Changes { items, next: txn.journal().end()?, more: false })
}

/// What changed behind `after` (from the beginning, when not said), for at most `limit` leads (1 to 1,000): their state
/// now, not each change. Nothing is missed: what happens while pages are read comes on a later one. A page can have fewer
/// leads than `limit`, even none, and still have [`more`](Changes::more) behind it.
///
/// ```
/// use leadcore::desk::leads::{self, Changed};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let start = store.read(ctx.tenant(), |txn| leads::changes_start(&ctx, txn))?;
/// let lead = store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into()))?;
/// let page = store.read(ctx.tenant(), |txn| leads::changes(&ctx, txn, Some(start.next), 100))?;
/// assert_eq!(page.items, [Changed::Lead(Box::new(lead))]);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied`; `Invalid` for a limit that does not fit, or a place that this history has not reached (a database that was
/// restored from a backup): then the copy begins again.
pub fn changes(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    after: Option<Sequence>,
    limit: usize,
) -> Result<Changes> {
    ctx.check_tenant(txn)?;
    check_limit(limit)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    if after > Some(txn.journal().end()?) {
        let message = "nothing has happened there yet: this place is of another database, so begin again";
        return Err(Error::invalid_field("after", ViolationCode::OutOfRange, message));
    }
    let (ids, next, more) = walk(txn, after, limit)?;
    let found = txn.leads().get(&ids)?.into_iter();
    let seen = found.filter(|lead| lead.trashed.is_none() && gate.admits(lead));
    let mut leads: BTreeMap<LeadId, Lead> = seen.map(|lead| (lead.id, lead)).collect();
    let items = ids.into_iter().map(|id| match leads.remove(&id) {
        Some(lead) => Changed::Lead(Box::new(masked(ctx, lead))),
        None => Changed::Gone(id),
    });
    Ok(Changes { items: items.collect(), next, more })
}

/// The leads of the next entries, where they end, and whether there are more.
fn walk(txn: &mut dyn Txn, after: Option<Sequence>, limit: usize) -> Result<(Vec<LeadId>, Sequence, bool)> {
    let mut ids: Vec<LeadId> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    let mut next = after.unwrap_or(Sequence(0));
    for _ in 0..ROUNDS {
        let entries = txn.journal().replay(None, Some(next), ROUND)?;
        let last = entries.len() < ROUND;
        for entry in entries {
            // What happened to a note or task happened to the lead that it is about.
            let other = entry.other.filter(|_| entry.subject.kind.is_child());
            let lead = other.unwrap_or(entry.subject);
            if lead.kind == SubjectKind::Lead {
                let id = LeadId::from_uuid(lead.id);
                if !known.contains(&id) {
                    if ids.len() == limit {
                        return Ok((ids, next, true));
                    }
                    known.insert(id);
                    ids.push(id);
                }
            }
            next = entry.sequence;
        }
        if last {
            // Past what other tenants did meanwhile, so that nobody reads over it again.
            return Ok((ids, next.max(txn.journal().end()?), false));
        }
    }
    Ok((ids, next, true))
}
