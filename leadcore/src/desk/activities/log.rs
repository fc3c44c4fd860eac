//! What was done and where the lead stands now, said at once.

use serde::Serialize;

use crate::context::Context;
use crate::domain::{Activity, ActivityDraft, ActivityFields, Lead, Move, OperationKind};
use crate::error::{Error, Result};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::{Expect, editable_for, masked, visible};
use super::super::moving::{Mover, move_prepared, prepare_move};
use super::super::operation::record;
use super::{prepare, store};

/// An interaction that was logged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Logged {
    /// The activity.
    pub activity: Activity,
    /// The lead, where it stands now.
    pub lead: Lead,
}

/// Writes down an interaction with a lead and moves it to another stage, in one operation (S0.39): both or neither, and
/// one undo takes both back. Without a move the lead stays where it is.
///
/// ```
/// use leadcore::desk::{Expect, activities, pipelines};
/// use leadcore::domain::{ActivityFields, CallOutcome, Direction, Move};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let logged = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let next = pipelines::list(&ctx, txn)?.remove(0).stages[1].id;
///     let call = ActivityFields::call(Direction::Outbound, ctx.now()).outcome(CallOutcome::Answered);
///     activities::log(&ctx, txn, lead.id, Expect::Any, call, Some(&Move::from(next)))
/// })?;
/// assert_eq!(logged.activity.about, [logged.lead.id.into()]);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the lead's revision is another than expected, or the
/// tenant closed this kind or moving for it; `Invalid` with every broken rule of the activity and every condition of the
/// move that is not met.
pub fn log(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    expect: impl Into<Expect>,
    fields: ActivityFields,
    to: Option<&Move>,
) -> Result<Logged> {
    let kind = fields.body.kind();
    let function = if to.is_some() { "move" } else { kind.code() };
    let before = editable_for(ctx, txn, lead, expect.into(), Permission::Edit, function)?;
    let draft = ActivityDraft { about: vec![lead.into()], fields };
    let activity = prepare(ctx, txn, vec![draft]);
    let moved = match to {
        Some(to) => {
            let mover = Mover::load(txn)?;
            prepare_move(ctx, txn, mover, before, to).map(Some)
        }
        None => Ok(None),
    };
    let (mut ready, moved) = both(activity, moved)?;
    let mut entries = Vec::new();
    let mut kind = OperationKind::Create;
    if let Some(entry) = moved.map(|moved| move_prepared(ctx, txn, moved)).transpose()?.flatten() {
        kind = OperationKind::Move;
        entries.push(entry);
    }
    entries.extend(store(ctx, txn, &ready)?);
    record(ctx, txn, kind, &entries)?;
    let activity = ready.pop().ok_or_else(|| Error::not_found("activity"))?;
    let lead = masked(ctx, visible(ctx, txn, lead)?);
    Ok(Logged { activity, lead })
}

/// Both, or what is wrong with either.
fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) if !one.violations().is_empty() && !other.violations().is_empty() => {
            Err(Error::invalid(one.violations().iter().chain(other.violations()).cloned().collect()))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
