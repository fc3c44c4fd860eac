//! Leads of which a column says that they were disqualified, or became customers.

use super::{Found, Planner};
use crate::domain::{Field, FieldChange, FieldValue, Guard, Lead, LeadState, Outcome, StageKind, Why};
use crate::error::{Violation, ViolationCode};
use crate::exchange::coerce::Intent;
use crate::time::Timestamp;

impl Planner<'_> {
    /// Disqualifies a lead of which the row says so, and returns whether it did. What stands against it, and what else a row says
    /// that no import does, leaves the lead as it is and is told.
    pub(super) fn disqualify(&mut self, lead: &mut Lead, intent: &Intent, found: &Found) -> bool {
        let leaves = self.take_state(lead, intent, found).unwrap_or_else(|told| {
            self.links.tell(Violation::new(Field::State.key(), ViolationCode::NotAllowed, told));
            false
        });
        self.tell_of_end(lead, found, intent.stage_kind);
        self.ended = None;
        match intent.closed_at.map(|said| self.take_time(lead, said)) {
            Some(Ok(change)) => self.ended = change,
            Some(Err(told)) => {
                self.links.tell(Violation::new(Field::ClosedAt.key(), ViolationCode::NotAllowed, told));
            }
            None => {}
        }
        leaves
    }

    /// Lets a lead that ends by its row have ended when that says: the lead's own time, while the journal tells when it was
    /// written.
    fn take_time(&self, lead: &mut Lead, said: Timestamp) -> Result<Option<FieldChange>, &'static str> {
        let slot = self.bench.place(lead.id).and_then(|place| self.bench.slots.get(place));
        let before = slot.and_then(|slot| slot.lead.closing.as_ref()).map(|before| before.outcome);
        let Some(closing) = &mut lead.closing else { return Err("the lead did not end here") };
        if before == Some(closing.outcome) {
            // Workbooks say it to the second.
            let second = |at: Timestamp| at.as_micros().div_euclid(1_000_000);
            let is_same = second(closing.at) == second(said);
            return if is_same { Ok(None) } else { Err("no file changes when a lead ended") };
        }
        if said > self.ctx.now() {
            return Err("this lies in the future: the lead ended when it was imported");
        }
        closing.at = said;
        Ok(Some(FieldChange::new(Field::ClosedAt.key(), FieldValue::Empty, said)))
    }

    fn take_state(&self, lead: &mut Lead, intent: &Intent, found: &Found) -> Result<bool, String> {
        Err(match (intent.state, lead.state()) {
            (None, _) => return Ok(false),
            (Some(said), is) if said == is => return Ok(false),
            (Some(LeadState::Disqualified), _) => {
                let reason = found.disqualify_reason.or(self.options.disqualify_reason);
                let why =
                    Why { reason: reason.map(|reason| reason.as_uuid()), detail: found.detail.as_deref() };
                let unmet = Guard::check_disqualify(lead, &self.disqualify_reasons, why);
                if unmet.is_empty() {
                    lead.disqualify(why, self.ctx.now());
                    return Ok(true);
                }
                let now = if lead.closing.is_some() { "closed" } else { "open" };
                let why = unmet.first().map(|unmet| unmet.violation().message).unwrap_or_default();
                format!("not disqualified, but {now}: {why}")
            }
            (Some(LeadState::Converted), _) => "no file converts a lead: it is not converted here".to_owned(),
            (Some(LeadState::Open), _) => "no file opens a lead again: it is disqualified here".to_owned(),
        })
    }

    /// Tells what a row says of an end that its lead has not had by now: no file changes why a lead was lost or disqualified.
    fn tell_of_end(&mut self, lead: &Lead, found: &Found, said: Option<StageKind>) {
        let closing = lead.closing.as_ref();
        let why = |end| closing.filter(|closing| closing.outcome == end).and_then(|closing| closing.reason);
        let lost = found.reason.map(|reason| reason.as_uuid());
        let out = found.disqualify_reason.map(|reason| reason.as_uuid());
        let detail = closing.and_then(|closing| closing.detail.as_deref());
        let stage = self.intake.pipelines.iter().find_map(|known| known.stage(lead.stage));
        if let Some((said, is)) = said.zip(stage.map(|stage| stage.kind))
            && lead.state() == LeadState::Open
            && said.ending() != is.ending()
        {
            let is = is.ending().unwrap_or(StageKind::Open).code();
            let message = format!("its stage is {is} here: leads end by their stages alone");
            self.links.tell(Violation::new(Field::Outcome.key(), ViolationCode::NotAllowed, message));
        }
        for kind in &found.unknown_reasons {
            let message = format!("there is no {kind} with this name");
            self.links.tell(Violation::new(kind.field().key(), ViolationCode::Unknown, message));
        }
        for (field, is_told) in [
            (Field::LostReason, lost.is_some() && lost != why(Outcome::Lost)),
            (Field::DisqualifyReason, out.is_some() && out != why(Outcome::Disqualified)),
            (Field::ReasonDetail, found.detail.is_some() && found.detail.as_deref() != detail),
        ] {
            if is_told {
                let message = "the lead did not end so here, and no file changes why it ended";
                self.links.tell(Violation::new(field.key(), ViolationCode::NotAllowed, message));
            }
        }
    }
}
