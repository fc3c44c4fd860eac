//! Converting many leads, each for itself (X.08).

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Conflict, Error, ErrorKind, MatchRef, Result, Violation, ViolationCode};
use crate::id::{LeadId, Revision};
use crate::policy::Permission;
use crate::store::{Store, StoreExt, Txn, nested};

use super::super::access::require;
use super::super::leads::readable;
use super::super::mass::{MAX_RECORDS, Selection, count};
use super::super::rounds::{Place, each_lead};
use super::{
    AccountChoice, ConversionOptions, ConversionOutcome, Once, OpportunityChoice, Rules, convert_by,
};

/// What became of one lead of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeadConverted {
    /// It was converted by this call.
    Done(Box<ConversionOutcome>),
    /// It had been converted before: the first outcome.
    Already(Box<ConversionOutcome>),
    /// It may not be converted as it is: required fields are empty, it is lost or disqualified …
    GateUnmet(Vec<Violation>),
    /// Several accounts or contacts may be it, and the options do not choose.
    Ambiguous {
        /// Those that the actor may see, the likeliest first.
        candidates: Vec<MatchRef>,
        /// How many others there are.
        elsewhere: u64,
    },
    /// The tenant closed conversion for leads in its state, it changed since it was read, or the call's key stands for one with
    /// other options.
    Conflict(Conflict),
    /// The actor may not convert it.
    Forbidden,
    /// It does not exist, is in the trash, or the actor may not know that it exists.
    NotFound,
}

/// A lead and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadConversion {
    /// The lead.
    pub lead: LeadId,
    /// What became of it.
    pub outcome: LeadConverted,
}

/// How many leads had which outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversionTotals {
    /// Converted by this call.
    pub done: u64,
    /// Converted before.
    pub already: u64,
    /// Not to be converted as they are.
    pub gate_unmet: u64,
    /// Several records may be it.
    pub ambiguous: u64,
    /// Closed, or changed since.
    pub conflict: u64,
    /// Not allowed.
    pub forbidden: u64,
    /// Not there.
    pub not_found: u64,
}

impl ConversionTotals {
    fn count(&mut self, outcome: &LeadConverted) {
        let slot = match outcome {
            LeadConverted::Done(_) => &mut self.done,
            LeadConverted::Already(_) => &mut self.already,
            LeadConverted::GateUnmet(_) => &mut self.gate_unmet,
            LeadConverted::Ambiguous { .. } => &mut self.ambiguous,
            LeadConverted::Conflict(_) => &mut self.conflict,
            LeadConverted::Forbidden => &mut self.forbidden,
            LeadConverted::NotFound => &mut self.not_found,
        };
        *slot = slot.saturating_add(1);
    }
}

/// What a conversion of many leads did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MassConversion {
    /// Each lead once: in the order asked, those of a filter by number.
    pub results: Vec<LeadConversion>,
    /// The sums.
    pub totals: ConversionTotals,
}

impl MassConversion {
    fn take(&mut self, results: Vec<LeadConversion>) {
        results.iter().for_each(|result| self.totals.count(&result.outcome));
        self.results.extend(results);
    }
}

/// Converts many leads in this unit of work, each by the rules of [`convert`](super::convert): what stands against one of
/// them is its outcome and does not stop the others. Each conversion is an operation of its own, with its own way back.
///
/// With [`into_account`](ConversionOptions::into_account) all of them become that account.
///
/// ```
/// use leadcore::desk::mass::Selection;
/// use leadcore::desk::{convert, leads};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let all = Selection::filter(Filter::everything());
/// let done = store.write(ctx.tenant(), |txn| {
///     for name in ["Nordlys AS", "Fjord AS"] {
///         leads::create(&ctx, txn, LeadFields::company(name)?.into())?;
///     }
///     convert::many(&ctx, txn, &all, &Default::default())
/// })?;
/// assert_eq!((done.totals.done, done.results.len()), (2, 2));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a filter that does not fit, and for more than 1,000,000 leads; `Conflict` when the filter matches more or
/// fewer leads than expected; `Denied` when the actor may convert no lead at all. Nothing is written then.
pub fn many(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    selection: &Selection,
    options: &ConversionOptions,
) -> Result<MassConversion> {
    let chosen = chosen(ctx, txn, selection)?;
    let mut done = MassConversion::default();
    done.take(each(ctx, txn, &chosen, options)?);
    Ok(done)
}

/// [`many`] in transactions of `batch` leads each, one after the other: what was committed stays when a later one fails,
/// and running it again goes on, since leads that are converted stay so. Each lead is told once it is on disk; whoever
/// breaks off ends the call with the batches so far.
///
/// # Errors
/// As [`many`], for the selection; a failure of the store, for the batch that it struck.
pub fn many_in_batches(
    ctx: &Context<'_>,
    store: &dyn Store,
    selection: &Selection,
    options: &ConversionOptions,
    batch: NonZeroUsize,
    told: &mut dyn FnMut(&LeadConversion) -> ControlFlow<()>,
) -> Result<MassConversion> {
    let chosen = store.read(ctx.tenant(), |txn| chosen(ctx, txn, selection))?;
    let mut done = MassConversion::default();
    for batch in chosen.chunks(batch.get()) {
        let results = store.write(ctx.tenant(), |txn| each(ctx, txn, batch, options))?;
        let mut stop = false;
        for result in &results {
            stop |= told(result).is_break();
        }
        done.take(results);
        if stop {
            break;
        }
    }
    Ok(done)
}

type Chosen = (LeadId, Option<Revision>);

/// The leads of a selection, each once. A conversion changes what a filter matches, so they are listed first.
fn chosen(ctx: &Context<'_>, txn: &mut dyn Txn, selection: &Selection) -> Result<Vec<Chosen>> {
    require(ctx, txn, Permission::Convert)?;
    let mut seen = HashSet::new();
    let mut chosen: Vec<Chosen> = Vec::new();
    match selection {
        Selection::Ids(ids) => chosen.extend(ids.iter().map(|id| (*id, None))),
        Selection::Revisions(list) => chosen.extend(list.iter().map(|(id, read)| (*id, Some(*read)))),
        Selection::Filter { filter, expected } => {
            let filter = readable(ctx, txn, filter, &[])?;
            let found = count(txn, &filter, false)?;
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                let why = format!("`expected`: the filter has {found} leads, not {expected}");
                return Err(Error::outdated(why));
            }
            check_count(usize::try_from(found).unwrap_or(usize::MAX))?;
            each_lead(txn, &filter, Place::Live, &mut |_, leads| {
                chosen.extend(leads.iter().map(|lead| (lead.id, None)));
                Ok(())
            })?;
        }
    }
    chosen.retain(|(id, _)| seen.insert(*id));
    check_count(chosen.len())?;
    Ok(chosen)
}

fn check_count(count: usize) -> Result<()> {
    if count <= MAX_RECORDS {
        return Ok(());
    }
    let message = "one call takes at most 1,000,000 leads";
    Err(Error::invalid_field("selection", ViolationCode::TooLong, message))
}

fn each(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    chosen: &[Chosen],
    options: &ConversionOptions,
) -> Result<Vec<LeadConversion>> {
    let mut rules = Rules::load(ctx, txn)?;
    let mut results = Vec::with_capacity(chosen.len());
    for (lead, revision) in chosen {
        let options = ConversionOptions { revision: revision.or(options.revision), ..options.clone() };
        let once = options.key.as_ref().map(|key| Once::of_many(key, *lead));
        // What one lead wrote before it was refused is taken back alone.
        let outcome =
            match nested(txn, |txn| convert_by(ctx, txn, &mut rules, *lead, (&options, once.clone()))) {
                Ok(outcome) if outcome.newly_converted => LeadConverted::Done(Box::new(outcome)),
                Ok(outcome) => LeadConverted::Already(Box::new(outcome)),
                Err(error) if error.kind() == ErrorKind::NotFound && rules.lead(txn, *lead).is_ok() => {
                    LeadConverted::GateUnmet(vec![missing_target(&options)])
                }
                Err(error) => outcome_of(error)?,
            };
        results.push(LeadConversion { lead: *lead, outcome });
    }
    Ok(results)
}

/// The lead is there; what it was to become part of is not, or not for this actor.
fn missing_target(options: &ConversionOptions) -> Violation {
    let (field, message) = match (&options.opportunity, options.account) {
        (OpportunityChoice::Existing(_), _) => ("opportunity", "there is no such opportunity"),
        (_, AccountChoice::Existing(_)) => ("account", "there is no such account"),
        _ => ("person", "there is no such contact"),
    };
    Violation::new(field, ViolationCode::Unknown, message)
}

/// The outcome behind an error about one lead; errors of another kind are the store's.
fn outcome_of(error: Error) -> Result<LeadConverted> {
    match error.conflict() {
        Some(Conflict::AmbiguousMatch { candidates, elsewhere }) => {
            return Ok(LeadConverted::Ambiguous { candidates: candidates.clone(), elsewhere: *elsewhere });
        }
        Some(conflict) => return Ok(LeadConverted::Conflict(conflict.clone())),
        None => {}
    }
    match error.kind() {
        ErrorKind::NotFound => Ok(LeadConverted::NotFound),
        ErrorKind::Denied => Ok(LeadConverted::Forbidden),
        ErrorKind::Invalid => Ok(LeadConverted::GateUnmet(error.violations().to_vec())),
        _ => Err(error),
    }
}
