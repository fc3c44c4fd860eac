//! Taking a conversion back (X.09), while nothing else stands on what it made.

mod along;
mod anew;
mod back;
mod claims;
mod fitting;
mod handed;
mod left;
mod look;
mod own;
mod primary;
mod referring;
mod said;
mod shared;
pub(in crate::desk) mod since;
mod sold;
mod written;
mod wrote;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Actor, Operation, OperationKind, Subject, Unmet};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{IdempotencyKey, LeadId, OperationId, Revision};
use crate::store::Txn;

use super::hosts::ConversionTarget;
use super::once::{self, Once};
use super::plan::HostMade;
use super::rules::Rules;

use back::carry_out;
use look::examine;
pub use written::WrittenSince;

/// What becomes of a record that the conversion made or filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// A new account: it keeps its number and leaves every list.
    Archived,
    /// A new person, opportunity or service: it goes, if it is still there; the journal keeps what it was.
    Removed,
    /// A new opportunity of a series without gaps: it is lost from then on and counts for no lead, but keeps its number and its account.
    /// The values of unique fields, which another one may need now, are in the journal.
    Closed,
    /// An account, person or opportunity that was there before: these fields get back what they had.
    Restored(Vec<String>),
    /// It only loses its link to the lead, and a person the one to the account that the conversion gave it, unless another
    /// conversion into the account brought that person too: it goes with the last of them.
    Unlinked,
}

/// A record that the conversion made, filled or linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The record.
    pub record: Subject,
    /// What becomes of it.
    pub fate: Fate,
    /// Fields of a new record that were edited since: that goes with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
    /// Fields that keep what the conversion wrote, because what was there before may not be written any more: its term or choice was
    /// removed, another record has it, a limit refuses it. And what the actor edited since:
    ///
    /// Fields of a record that was there before, which the conversion filled and the actor edited since: they keep what they have
    /// now, with the fields that mean something only together with them. `opportunity` where the actor ended one that was joined: it
    /// stays as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// What the actor alone hung on a new record since, counted by tab (`note`, `contact`): it hangs on the lead from then on, or
    /// stays with what else it is about. So are meetings of others in which the lead takes part from then on instead of a new person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<(String, u64)>,
}

impl TakenBack {
    const fn new(record: Subject, fate: Fate) -> Self {
        Self { record, fate, edited: Vec::new(), kept: Vec::new(), moved: Vec::new() }
    }
}

/// Something that stands against taking a conversion back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "blocker", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unconvertible {
    /// Somebody else than the actor changed a new record since, or the actor noted against reaching it what the lead cannot say.
    Changed {
        /// The record.
        record: Subject,
        /// Who, each once.
        by: Vec<Actor>,
    },
    /// Fields of a record that was there before, which the conversion filled, were changed since by somebody else than the actor; of an
    /// address, what that one changed.
    Edited {
        /// The record.
        record: Subject,
        /// Their keys.
        fields: Vec<String>,
    },
    /// Notes, files, estimates and the like that not the actor alone hung there hang on a new record, or a new person takes part in
    /// meetings of others. What was sold since counts whoever sold it: opportunities and services on a new record or with it.
    HasChildren {
        /// The record.
        record: Subject,
        /// How many, by tab.
        tabs: Vec<(String, u64)>,
    },
    /// Other leads became the new account too, or were converted into the record since and changed what this one wrote: their
    /// conversions are taken back first.
    OtherLeads {
        /// The record.
        record: Subject,
        /// Those that the actor may see.
        leads: Vec<LeadId>,
        /// How many there are besides.
        unseen: u64,
    },
    /// Other records have the new person too, or have a new record in a custom field, whoever wrote it there.
    InUse {
        /// The new record.
        record: Subject,
        /// How many.
        by: u64,
        /// Leads among them that the actor may see.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        leads: Vec<LeadId>,
    },
    /// Somebody else than the actor won, lost or opened the new opportunity since, or changed the state of the new service.
    MovedOn {
        /// The record.
        record: Subject,
        /// Its state now: `won`.
        state: String,
    },
    /// A target of the host made something: it takes that back, and is to be handed over.
    Target {
        /// Its name.
        target: String,
    },
    /// The record is not there any more, and not the actor alone took it away, or work of others went with it.
    Gone {
        /// The record.
        record: Subject,
        /// Who wrote it since, each once, whoever took it away first; none where the journal does not tell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<Actor>,
    },
    /// The lead cannot come back into its stage.
    Stage {
        /// Why.
        unmet: Vec<Unmet>,
    },
}

/// What taking a conversion back would do, and what stands against it. Pure data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnconvertPlan {
    /// The lead.
    pub lead: LeadId,
    /// Its revision when the plan was made.
    pub revision: Revision,
    /// The operation that converted it.
    pub conversion: OperationId,
    /// The records that the conversion made, filled or linked.
    pub records: Vec<TakenBack>,
    /// What the host's targets made: each must be there to take it back, and is a [blocker](Unconvertible::Target) for whoever
    /// does not hand it over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<HostMade>,
    /// What stands against it; none when it can be done.
    pub blockers: Vec<Unconvertible>,
    /// Who wrote the records that blockers name, or what hangs on them, since: the latest call of each first, 20 of each record at
    /// most. One that was taken back again stands against nothing, and is told all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub since: Vec<WrittenSince>,
}

/// What taking a conversion back did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnconvertOutcome {
    /// The operation.
    pub operation: OperationId,
    /// The lead, open again in the stage where it was.
    pub lead: LeadId,
    /// The operation that was taken back.
    pub conversion: OperationId,
    /// What became of the records.
    pub records: Vec<TakenBack>,
    /// Whether this call did it; `false` when it was done before and this is the first outcome.
    #[serde(skip, default)]
    pub newly_unconverted: bool,
}

/// What taking the conversion of a lead back would do, and all that stands against it at once. Reads only.
///
/// What the actor changed since stands against nothing: of a new record it goes with it, of one that was there before it stays
/// ([`TakenBack::kept`]). What the actor hung on a new record goes on to the lead ([`TakenBack::moved`]), but for what was sold,
/// which stands against it. What others changed does, also whoever converted the lead, where somebody else takes it back.
///
/// # Errors
/// `NotFound`, `Denied` (it takes the permission to convert); `Invalid` for a lead that is not converted; `Conflict` when
/// the tenant's [functions](super::super::functions) close `unconvert` for it.
pub fn plan_unconvert(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<UnconvertPlan> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    Ok(examine(ctx, txn, &rules, &lead)?.plan)
}

/// Does what a plan says, once.
///
/// # Errors
/// As [`plan_unconvert`]; `Conflict` with [`Conflict::PlanOutdated`] when it would do something else by now, with
/// [`Conflict::Blocked`] when something stands against it. Nothing is written then.
pub fn apply_unconvert(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    plan: &UnconvertPlan,
) -> Result<UnconvertOutcome> {
    apply_unconvert_with(ctx, txn, plan, &[])
}

/// [`apply_unconvert`], with what the host keeps in tables of its own.
///
/// # Errors
/// As [`apply_unconvert`], with [`Conflict::Blocked`] also when a target that made something is not among `hosts`; and what a
/// target returns.
pub fn apply_unconvert_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    plan: &UnconvertPlan,
    hosts: &[&dyn ConversionTarget],
) -> Result<UnconvertOutcome> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, plan.lead)?;
    if let Some(first) = txn.journal().find(OperationKind::Unconvert, &key(plan.conversion))? {
        return read_outcome(first);
    }
    let found = examine(ctx, txn, &rules, &lead)?;
    if found.plan != *plan {
        return Err(Error::conflicting("lead", Conflict::PlanOutdated));
    }
    carry_out(ctx, txn, lead, found, hosts)
}

/// Plans and applies in one call. Afterwards the lead is open in the stage where it was, with all its associations; new
/// records of the conversion are archived or gone, and it can be converted again.
///
/// A person that was there before leaves the account that got it by this conversion. Where another conversion into the account
/// brought it too, it stays until that one is taken back; so does what several conversions say against reaching somebody.
///
/// ```
/// use leadcore::desk::{convert, leads};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let lead = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     convert::convert(&ctx, txn, lead.id, &Default::default())?;
///     convert::unconvert(&ctx, txn, lead.id)?;
///     leads::get(&ctx, txn, lead.id)
/// })?;
/// assert!(lead.conversion.is_none());
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As [`plan_unconvert`] and [`apply_unconvert`].
pub fn unconvert(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<UnconvertOutcome> {
    unconvert_with(ctx, txn, lead, &[])
}

/// [`unconvert`], with what the host keeps in tables of its own.
///
/// # Errors
/// As [`unconvert`], and what a target returns; `Conflict` with [`Conflict::Blocked`] also when a target that made something is
/// not among `hosts`.
pub fn unconvert_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    hosts: &[&dyn ConversionTarget],
) -> Result<UnconvertOutcome> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    let found = examine(ctx, txn, &rules, &lead)?;
    carry_out(ctx, txn, lead, found, hosts)
}

/// [`unconvert`] under a key of the caller's: the same key again gives the first outcome, also when the lead was converted
/// once more since.
///
/// # Errors
/// As [`unconvert`]; `Conflict` with [`Conflict::KeyReused`] when the key stands for another lead.
pub fn unconvert_once(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    key: &IdempotencyKey,
) -> Result<UnconvertOutcome> {
    unconvert_once_with(ctx, txn, lead, key, &[])
}

/// [`unconvert_once`], with what the host keeps in tables of its own: a repeated call asks no target.
///
/// # Errors
/// As [`unconvert_once`] and [`unconvert_with`].
pub fn unconvert_once_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    key: &IdempotencyKey,
    hosts: &[&dyn ConversionTarget],
) -> Result<UnconvertOutcome> {
    let rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    let once = Some(Once::way_back(key).for_lead(lead.id));
    once::by(ctx, txn, once, stored_outcome, |txn| {
        let found = examine(ctx, txn, &rules, &lead)?;
        let outcome = carry_out(ctx, txn, lead, found, hosts)?;
        Ok((outcome.operation, outcome))
    })
}

fn stored_outcome(txn: &mut dyn Txn, operation: OperationId) -> Result<UnconvertOutcome> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "the outcome of the way back cannot be read");
    read_outcome(txn.journal().operation(operation)?.ok_or_else(corrupt)?)
}

fn key(conversion: OperationId) -> String {
    format!("operation:{conversion}")
}

fn read_outcome(operation: Operation) -> Result<UnconvertOutcome> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "the outcome of the way back cannot be read");
    let stored = operation.outcome.ok_or_else(corrupt)?;
    serde_json::from_value(stored).map_err(|error| corrupt().with_source(error))
}
