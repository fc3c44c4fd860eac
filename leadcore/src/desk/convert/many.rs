//! Converting many leads, each for itself (X.08).

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use crate::context::Context;
use crate::domain::Series;
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::store::{Store, StoreExt, Txn, nested};

use super::super::access::require;
use super::super::accounts;
use super::super::mass::Selection;
use super::super::series;
use super::became::{LeadConversion, LeadConverted, MassConversion, outcome_of};
use super::chosen::{Chosen, ConversionPart, chosen};
use super::customer::is_of_series;
use super::sales::joined_opportunity;
use super::{
    AccountChoice, ConversionOptions, ConversionTarget, Hosts, Once, OpportunityChoice, Rules, convert_by,
};

/// Converts many leads in this unit of work, each by the rules of [`convert`](super::convert): what stands against one of
/// them is its outcome and does not stop the others. Each conversion is an operation of its own, with its own way back.
///
/// With [`into_account`](ConversionOptions::into_account) all of them become that account. A [key](ConversionOptions::key) stands
/// for one call with all its leads: the same call gives the same outcomes and goes on with what it had not done, also where the filter
/// finds others by now.
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
/// fewer leads than expected, with [`Conflict::KeyReused`](crate::error::Conflict::KeyReused) when the [key](ConversionOptions::key) stands for other leads
/// (`leads`) or other options; `Denied` when the actor may convert no lead at all. Nothing is written then.
pub fn many(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    selection: &Selection,
    options: &ConversionOptions,
) -> Result<MassConversion> {
    many_with(ctx, txn, selection, options, &[])
}

/// [`many`], with what the host keeps in tables of its own, as [`apply_with`](super::apply_with) has it for one lead. What a
/// target has against a lead is the outcome of that lead: everything that was written of it in this unit of work is taken back,
/// rows of the targets included, and the others go on. A target that returns `Cancelled` ends the call.
///
/// ```
/// use leadcore::desk::convert::{self, ConversionOutcome, ConversionPlan, ConversionTarget, LeadConverted};
/// use leadcore::desk::{leads, mass::Selection};
/// use leadcore::prelude::*;
/// use leadcore::store::Txn;
/// #[derive(Debug)]
/// struct Ledger;
/// impl ConversionTarget for Ledger {
///     fn name(&self) -> &str {
///         "ledger"
///     }
///     fn create(&self, _: &mut dyn Txn, made: &ConversionOutcome, _: &ConversionPlan) -> Result<Option<String>> {
///         if made.account_number == 2 {
///             return Err(Error::new(ErrorKind::Unsupported, "the ledger has no room"));
///         }
///         Ok(Some(format!("L-{}", made.account_number)))
///     }
///     fn withdraw(&self, _: &mut dyn Txn, _: &ConversionOutcome, _: &str) -> Result<()> {
///         Ok(())
///     }
/// }
/// # use leadcore::error::{Error, ErrorKind, Result};
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let all = Selection::filter(Filter::everything());
/// let done = store.write(ctx.tenant(), |txn| {
///     for name in ["Nordlys AS", "Fjord AS"] {
///         leads::create(&ctx, txn, LeadFields::company(name)?.into())?;
///     }
///     convert::many_with(&ctx, txn, &all, &Default::default(), &[&Ledger])
/// })?;
/// assert!(matches!(&done.results[1].outcome, LeadConverted::TargetFailed(why) if why.target == "ledger"));
/// assert_eq!((done.totals.done, done.totals.target_failed), (1, 1));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As [`many`], and what a target says that ends the call. Nothing is written then.
pub fn many_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    selection: &Selection,
    options: &ConversionOptions,
    hosts: &[&dyn ConversionTarget],
) -> Result<MassConversion> {
    let chosen = chosen(ctx, txn, selection, options)?;
    let mut done = MassConversion::default();
    done.take(each(ctx, txn, &chosen, (options, hosts))?);
    Ok(done)
}

/// One of the [`parts`](super::parts) of a call for many, with the options of that call.
///
/// # Errors
/// As [`many_with`].
pub fn part_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    part: &ConversionPart,
    options: &ConversionOptions,
    hosts: &[&dyn ConversionTarget],
) -> Result<MassConversion> {
    require(ctx, txn, Permission::Convert)?;
    let mut done = MassConversion::default();
    done.take(each(ctx, txn, &part.leads, (options, hosts))?);
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
    many_in_batches_with(ctx, store, selection, options, &[], batch, told)
}

/// [`many_in_batches`], with targets of the host as [`many_with`] has them. They know the transaction only as it is handed to
/// them: a host on a connection of its own goes by [`parts`](super::parts).
///
/// # Errors
/// As [`many_in_batches`], and what a target says that ends the call; the batches before it stay.
pub fn many_in_batches_with(
    ctx: &Context<'_>,
    store: &dyn Store,
    selection: &Selection,
    options: &ConversionOptions,
    hosts: &[&dyn ConversionTarget],
    batch: NonZeroUsize,
    told: &mut dyn FnMut(&LeadConversion) -> ControlFlow<()>,
) -> Result<MassConversion> {
    // The key of the call is kept before the first lead is converted: broken off, it goes on with the same ones.
    let chosen = match &options.key {
        Some(_) => store.write(ctx.tenant(), |txn| chosen(ctx, txn, selection, options))?,
        None => store.read(ctx.tenant(), |txn| chosen(ctx, txn, selection, options))?,
    };
    let mut done = MassConversion::default();
    for batch in chosen.chunks(batch.get()) {
        let results = store.write(ctx.tenant(), |txn| each(ctx, txn, batch, (options, hosts)))?;
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

/// How many leads are converted in one savepoint. A store keeps the old state of every page that a savepoint changes: this
/// bounds that memory, whatever the number of leads.
const AT_ONCE: usize = 500;

fn each(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    chosen: &[Chosen],
    (options, hosts): (&ConversionOptions, &[&dyn ConversionTarget]),
) -> Result<Vec<LeadConversion>> {
    let mut rules = Rules::load(ctx, txn)?;
    let hosts = Hosts::new(hosts);
    let mut results = Vec::with_capacity(chosen.len());
    // What one lead wrote before it was refused is taken back alone.
    let alone = |txn: &mut dyn Txn, rules: &mut Rules, chosen: Chosen| {
        nested(txn, |txn| one_of_many(ctx, txn, rules, chosen, (options, &hosts)))
            .or_else(|error| told(chosen.0, error, &hosts))
    };
    // A target is asked once for a lead, whatever becomes of others.
    if !hosts.is_empty() {
        return chosen.iter().map(|chosen| alone(txn, &mut rules, *chosen)).collect();
    }
    for chosen in chosen.chunks(AT_ONCE) {
        let mut half_way = false;
        let attempt = nested(txn, |txn| {
            let all =
                chosen.iter().map(|chosen| one_of_many(ctx, txn, &mut rules, *chosen, (options, &hosts)));
            let all: Result<Vec<_>> = all.collect();
            half_way = rules.has_begun();
            all
        });
        match attempt {
            Ok(all) => results.extend(all),
            Err(error) if half_way && outcome_of(&error).is_some() => {
                for chosen in chosen {
                    results.push(alone(txn, &mut rules, *chosen)?);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(results)
}

/// Converts one lead, or says what stands against it. An error of a lead that began to be written comes out, so that what was
/// written can be taken back.
fn one_of_many(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    (lead, revision): Chosen,
    (options, hosts): (&ConversionOptions, &Hosts<'_>),
) -> Result<LeadConversion> {
    let of_revision;
    let options = if revision.is_some() {
        of_revision = ConversionOptions { revision, ..options.clone() };
        &of_revision
    } else {
        options
    };
    let once = options.key.as_ref().map(|key| Once::of_many(key, lead));
    rules.begin(false);
    match convert_by(ctx, txn, rules, lead, (options, once, hosts)) {
        Ok(outcome) => {
            let made = if outcome.newly_converted { LeadConverted::Done } else { LeadConverted::Already };
            Ok(LeadConversion { lead, outcome: made(Box::new(outcome)) })
        }
        Err(error) if rules.has_begun() => Err(error),
        Err(error) if error.kind() == ErrorKind::NotFound && is_there(txn, rules, lead) => {
            let missing = missing_target(ctx, txn, options);
            Ok(LeadConversion { lead, outcome: LeadConverted::GateUnmet(vec![missing]) })
        }
        Err(error) => {
            let without = without_number(ctx, txn, options, &error);
            told(lead, without.unwrap_or(error), hosts)
        }
    }
}

/// The error of a lead that lacks numbers and nothing else: one series that is used up is told as two are.
fn without_number(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    options: &ConversionOptions,
    error: &Error,
) -> Option<Error> {
    let broken = error.violations();
    if broken.is_empty() || !broken.iter().all(is_of_series) {
        return None;
    }
    series::preview(ctx, txn, Series::Account, options.series).err()
}

fn is_there(txn: &mut dyn Txn, rules: &Rules, lead: LeadId) -> bool {
    rules.lead(txn, lead).is_ok_and(|lead| lead.trashed.is_none())
}

fn is_missing<T>(found: Result<T>) -> bool {
    found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The lead is there; what it was to become part of is not, or not for this actor.
fn missing_target(ctx: &Context<'_>, txn: &mut dyn Txn, options: &ConversionOptions) -> Violation {
    let (field, message) = match (&options.opportunity, options.account) {
        (OpportunityChoice::Existing(id), _) if is_missing(joined_opportunity(ctx, txn, *id)) => {
            ("opportunity", "there is no such opportunity")
        }
        (_, AccountChoice::Existing(id)) if is_missing(accounts::editable(ctx, txn, id)) => {
            ("account", "there is no such account")
        }
        _ => ("person", "there is no such contact"),
    };
    Violation::new(field, ViolationCode::Unknown, message)
}

/// What became of a lead that was refused; errors of another kind are the store's.
fn told(lead: LeadId, error: Error, hosts: &Hosts<'_>) -> Result<LeadConversion> {
    let of_target = hosts.take_failure().filter(|failure| failure.kind == error.kind());
    let of_target = of_target.map(|failure| LeadConverted::TargetFailed(Box::new(failure)));
    match of_target.or_else(|| outcome_of(&error)) {
        Some(outcome) => Ok(LeadConversion { lead, outcome }),
        None => Err(error),
    }
}
