//! Which stages a lead went through, and how long it stayed in each (X.20): a reading of the journal.

use serde::Serialize;

use crate::context::Context;
use crate::domain::{Action, Actor, Entry, Field, FieldValue, Lead, Topic, Topics};
use crate::error::Result;
use crate::id::{LeadId, OperationId, StageId};
use crate::query::MAX_PAGE;
use crate::store::Txn;
use crate::time::Timestamp;

use super::access::visible;

/// One stay of a lead in a stage. A lead that comes back has another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StageVisit {
    /// The stage it came from; none for the one it was created in.
    pub from: Option<StageId>,
    /// The stage.
    pub to: StageId,
    /// When it came.
    pub entered: Timestamp,
    /// When it left; none for the stage it is in.
    pub left: Option<Timestamp>,
    /// How long it stayed, or has stayed until now, in seconds.
    pub seconds: u64,
    /// Who brought it there.
    pub by: Actor,
    /// In which operation; none when the journal does not tell.
    pub operation: Option<OperationId>,
}

/// The stages that a lead went through, oldest first; the last one is where it is. Disqualified or in the trash, a lead
/// is still in its stage.
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen.
pub fn stage_history(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Vec<StageVisit>> {
    let lead = visible(ctx, txn, id)?;
    visits(txn, &lead, ctx.now())
}

/// [`stage_history`] of a lead that the actor may see.
pub(super) fn visits(txn: &mut dyn Txn, lead: &Lead, now: Timestamp) -> Result<Vec<StageVisit>> {
    let moves = moves(txn, lead)?;
    let mut visits = Vec::with_capacity(moves.list.len().saturating_add(1));
    let first = moves.list.first().and_then(|first| first.from).unwrap_or(lead.stage);
    let (mut by, mut operation) = (Actor::System, None);
    if let Some(created) = &moves.created {
        (by, operation) = (created.actor.clone(), Some(created.operation));
    }
    let mut visit =
        StageVisit { from: None, to: first, entered: lead.created_at, left: None, seconds: 0, by, operation };
    for step in moves.list {
        let next = StageVisit {
            from: Some(visit.to),
            to: step.to.unwrap_or(lead.stage),
            entered: step.entry.at,
            left: None,
            seconds: 0,
            by: step.entry.actor,
            operation: Some(step.entry.operation),
        };
        visit.left = Some(next.entered);
        visits.push(std::mem::replace(&mut visit, next));
    }
    visits.push(visit);
    for visit in &mut visits {
        let stayed = visit.left.unwrap_or(now).since(visit.entered).num_seconds();
        visit.seconds = u64::try_from(stayed).unwrap_or(0);
    }
    Ok(visits)
}

/// The stages that a lead was in before the one it is in, the latest first.
pub(super) fn stages_before(txn: &mut dyn Txn, lead: &Lead) -> Result<Vec<StageId>> {
    Ok(moves(txn, lead)?.list.iter().rev().filter_map(|step| step.from).collect())
}

/// What the journal says about the stages of a lead, oldest first.
struct Moves {
    created: Option<Entry>,
    list: Vec<Step>,
}

struct Step {
    from: Option<StageId>,
    to: Option<StageId>,
    entry: Entry,
}

fn moves(txn: &mut dyn Txn, lead: &Lead) -> Result<Moves> {
    let mut moves = Moves { created: None, list: Vec::new() };
    let mut before = None;
    loop {
        let entries = txn.journal().about(
            &[lead.id.into()],
            Topics::of(&[Topic::Created, Topic::Stage]),
            before,
            MAX_PAGE,
        )?;
        let is_last = entries.len() < MAX_PAGE;
        before = entries.last().map(|last| last.sequence);
        for entry in entries {
            // By what changed, not by the action: an undo or an import moves a lead too.
            let change = entry.changes.iter().find(|change| change.field == Field::Stage.key());
            if let Some((from, to)) = change.map(|change| (stage(&change.before), stage(&change.after))) {
                moves.list.push(Step { from, to, entry });
            } else if entry.action == Action::Created {
                moves.created = Some(entry);
            }
        }
        if is_last {
            break;
        }
    }
    moves.list.reverse();
    Ok(moves)
}

/// A stage, also one that came back from JSON as text.
fn stage(value: &FieldValue) -> Option<StageId> {
    value.as_id().map(StageId::from_uuid)
}
