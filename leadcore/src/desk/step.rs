//! One step of a lead to another stage: the one place that every move goes through.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{Closing, Lead, Outcome, Pipeline, Rank, Stage, StageKind, TermKind};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{LostReasonId, StageId};
use crate::store::Txn;

/// Where to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The stage.
    pub to: StageId,
    /// Why the lead is lost, for a lost stage.
    #[serde(default)]
    pub reason: Option<LostReasonId>,
    /// Why, in words; some reasons ask for it.
    #[serde(default)]
    pub detail: Option<String>,
}

impl Step {
    /// To this stage.
    #[must_use]
    pub const fn to(stage: StageId) -> Self {
        Self { to: stage, reason: None, detail: None }
    }

    /// For this reason.
    #[must_use]
    pub fn because(mut self, reason: LostReasonId, detail: Option<&str>) -> Self {
        self.reason = Some(reason);
        self.detail = detail.map(str::to_owned);
        self
    }
}

/// A step that was checked as far as no lead decides it.
#[derive(Debug)]
pub(super) struct Stepper {
    pipeline: Pipeline,
    stage: Stage,
    reason: Option<Uuid>,
    detail: Option<String>,
}

/// The longest reason in words, in bytes.
const MAX_DETAIL: usize = 2_000;

impl Stepper {
    /// Finds the stage and the reason.
    ///
    /// # Errors
    /// `Invalid` when there is no such stage or reason, or the reason does not fit.
    pub(super) fn load(txn: &mut dyn Txn, step: &Step) -> Result<Self> {
        let pipelines = txn.pipelines().list()?;
        let found = pipelines.into_iter().find_map(|pipeline| {
            let stage = pipeline.stage(step.to)?.clone();
            Some((pipeline, stage))
        });
        let (pipeline, stage) = found.ok_or_else(|| {
            Error::invalid_field("stage", ViolationCode::Unknown, "there is no stage with this id")
        })?;
        let detail = step.detail.as_deref().map(str::trim).filter(|detail| !detail.is_empty());
        let reason = step.reason.map(|reason| reason.as_uuid());
        let mut broken = Vec::new();
        if (reason.is_some() || detail.is_some()) && stage.kind != StageKind::Lost {
            let message = "only a lost stage takes a reason";
            broken.push(Violation::new("lost_reason", ViolationCode::NotAllowed, message));
        }
        if detail.is_some_and(|detail| detail.len() > MAX_DETAIL) {
            let message = "a reason has at most 2,000 bytes";
            broken.push(Violation::new("reason_detail", ViolationCode::TooLong, message));
        }
        if let Some(reason) = reason {
            match txn.terms().get(TermKind::LostReason, &[reason])?.pop() {
                None => {
                    let message = "there is no lost_reason with this id";
                    broken.push(Violation::new("lost_reason", ViolationCode::Unknown, message));
                }
                Some(record) if record.term.archived => {
                    let message = "this lost_reason is archived";
                    broken.push(Violation::new("lost_reason", ViolationCode::NotAllowed, message));
                }
                Some(record) if record.term.needs_detail && detail.is_none() => {
                    let message = "this reason must be said in words too";
                    broken.push(Violation::new("reason_detail", ViolationCode::Required, message));
                }
                Some(_) => {}
            }
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
        Ok(Self { reason, detail: detail.map(str::to_owned), pipeline, stage })
    }

    /// Puts the lead on top of the stage. A lead that is there already stays as it is.
    ///
    /// # Errors
    /// Rules of the stage that the lead breaks.
    pub(super) fn step(&self, ctx: &Context<'_>, _txn: &mut dyn Txn, lead: &mut Lead) -> Result<()> {
        if lead.stage == self.stage.id {
            return Ok(());
        }
        let now = ctx.now();
        lead.pipeline = self.pipeline.id;
        lead.stage = self.stage.id;
        lead.stage_entered_at = now;
        lead.active_at = lead.active_at.max(now);
        lead.rank = Rank::on_top(now, lead.number);
        let outcome = match self.stage.kind {
            StageKind::Won => Some(Outcome::Won),
            StageKind::Lost => Some(Outcome::Lost),
            StageKind::Open | StageKind::OnHold => None,
        };
        lead.closing = outcome.map(|outcome| Closing {
            at: now,
            outcome,
            reason: self.reason,
            detail: self.detail.clone(),
        });
        Ok(())
    }
}
