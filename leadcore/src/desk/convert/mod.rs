//! Conversion: a lead becomes an account with its contacts, an opportunity and services (S1.15, S4.05), once, and nothing
//! is lost.
//!
//! [`plan`] reads and decides, writes nothing, and returns a value that a person can review and edit, step by step in a
//! wizard, or a program can store. [`apply`] does it in one unit of work, which may be the host's own; what the host keeps in
//! tables of its own is written with it ([`ConversionTarget`]), or follows by the [outbox](super::outbox). The lead stays for
//! ever, frozen (S3.07); its history, persons and links are reachable from both sides. A second apply, also from another
//! process, returns the first outcome; so does the caller's own [key](ConversionOptions::key). [`many`] converts a selection with an outcome for each lead, and [`unconvert`] takes a
//! conversion back while nothing else stands on what it made.

mod as_read;
mod became;
mod carry_out;
mod check;
mod chosen;
mod consent;
mod customer;
mod deal;
mod hidden;
mod hosts;
mod judged;
mod links;
mod made;
mod many;
mod numbered;
mod offers;
pub(super) mod once;
mod opportunity_form;
mod options;
mod own_persons;
mod persons;
mod plan;
mod planning;
mod prices;
mod rules;
mod sales;
mod seen;
mod staying;
mod stored;
#[cfg(test)]
mod tests;
mod unconvert;
mod wizard;
mod words;

use crate::context::Context;
use crate::error::Result;
use crate::id::LeadId;
use crate::store::Txn;

pub use became::{ConversionTotals, LeadConversion, LeadConverted, MassConversion};
use carry_out::carry_out;
pub use carry_out::{apply, apply_with};
pub use chosen::{ConversionPart, parts};
pub use customer::CustomerForms;
pub(super) use hidden::Hidden;
use hosts::Hosts;
pub use hosts::{ConversionTarget, TargetFailure};
pub use links::{KnownLinks, PlannedEnd, PlannedLink};
pub(super) use made::{check_for_opportunity, opportunity_for};
pub use many::{many, many_in_batches, many_in_batches_with, many_with, part_with};
use once::Once;
pub use options::{
    AccountChoice, ConversionOptions, CustomerType, Document, EstimateChoice, OpportunityChoice,
    OpportunityEnding, OpportunityRequest, PersonChoice,
};
pub use plan::{
    ConversionOutcome, ConversionPlan, HostMade, OwnPerson, PlannedAccount, PlannedContact, PlannedEstimate,
    PlannedOpportunity, PlannedPerson, PlannedService,
};
use planning::plan_by;
use rules::Rules;
use stored::first_outcome;
pub(super) use stored::{brought_to, convert_for};
pub(super) use unconvert::since::standing;
pub use unconvert::{
    Fate, TakenBack, UnconvertOutcome, UnconvertPlan, Unconvertible, WrittenSince, apply_unconvert,
    apply_unconvert_with, plan_unconvert, unconvert, unconvert_once, unconvert_once_with, unconvert_with,
};
pub use words::AsSaid;

/// Plans the conversion of a lead. Reads only.
///
/// The plan holds what the actor may see of the lead, and of an account, a person and an opportunity that are there already.
/// [`hidden`](ConversionPlan::hidden) names the rest, which becomes what the tenant's mapping makes of it: nothing of the lead is lost.
/// What the mapping fills from hidden fields is shown as it makes it of the others, until the plan is carried out; a customer of whom
/// the actor sees no name is called by the number of the lead (`#17`). To join a record, the actor must be allowed to change it.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` when the lead is converted already; `Conflict` when the options name another
/// revision than the lead has, with [`AmbiguousMatch`](crate::error::Conflict::AmbiguousMatch) when several records match
/// and the options do not choose, with [`Closed`](crate::error::Conflict::Closed) when the tenant closed conversion for the lead
/// in its state and nothing else stands against it, or for an opportunity to join that has ended; `Invalid` with everything that
/// stands against the lead: it was lost or disqualified (reopen it first), its required fields have no value, options and values
/// that do not fit. What a new account, a new contact and a new opportunity lack, and series that have no number left, are no error by themselves:
/// they stand in [`missing`](ConversionPlan::missing).
pub fn plan(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    options: &ConversionOptions,
) -> Result<ConversionPlan> {
    let mut rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    plan_by(ctx, txn, &mut rules, &lead, (options, true))
}

/// Plans and applies in one call.
///
/// # Errors
/// As [`plan`] and [`apply`]; a lead that was converted before is no error: the first outcome is returned.
///
/// ```
/// use leadcore::desk::convert::{self, ConversionOptions};
/// use leadcore::desk::leads;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let options = ConversionOptions::default().once("order 4711".parse()?);
/// let lead = store.write(ctx.tenant(), |txn| {
///     leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())
/// })?;
/// let convert = || store.write(ctx.tenant(), |txn| convert::convert(&ctx, txn, lead.id, &options));
/// // The answer got lost, so it is asked again; meanwhile somebody took the conversion back.
/// let first = convert()?;
/// store.write(ctx.tenant(), |txn| convert::unconvert(&ctx, txn, lead.id))?;
/// assert_eq!(convert()?.operation, first.operation);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
pub fn convert(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    options: &ConversionOptions,
) -> Result<ConversionOutcome> {
    convert_with(ctx, txn, lead, options, &[])
}

/// [`convert`], with what the host keeps in tables of its own: in the same unit of work, in the order of `hosts`.
///
/// # Errors
/// As [`convert`], and what a target returns. Nothing is written then.
pub fn convert_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    options: &ConversionOptions,
    hosts: &[&dyn ConversionTarget],
) -> Result<ConversionOutcome> {
    let mut rules = Rules::load(ctx, txn)?;
    let once = options.key.as_ref().map(Once::conversion);
    convert_by(ctx, txn, &mut rules, lead, (options, once, &Hosts::new(hosts)))
}

fn convert_by(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    lead: LeadId,
    (options, once, hosts): (&ConversionOptions, Option<Once>, &Hosts<'_>),
) -> Result<ConversionOutcome> {
    let lead = rules.lead(txn, lead)?;
    let once = once.map(|once| once.for_options(txn, lead.id, options)).transpose()?;
    once::by(ctx, txn, once, first_outcome, |txn| {
        if let Some(done) = &lead.conversion {
            let outcome = first_outcome(txn, done.operation)?;
            return Ok((done.operation, outcome));
        }
        let plan = plan_by(ctx, txn, rules, &lead, (options, false))?;
        // What the lead itself lacks is told with what the plan breaks, which is looked at once.
        let lacks = rules.mapper(txn, &lead)?.leads.check_change(&lead.fields, &lead.fields);
        let outcome = carry_out(ctx, txn, rules, lead, (&plan, hosts), lacks)?;
        Ok((outcome.operation, outcome))
    })
}
