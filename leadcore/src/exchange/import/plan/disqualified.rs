//! Leads of which a column says that they were disqualified, or became customers.

use super::{Found, Planner};
use crate::domain::{Field, Guard, Lead, LeadState, Why};
use crate::error::{Violation, ViolationCode};
use crate::exchange::coerce::Intent;

impl Planner<'_> {
    /// Disqualifies a lead of which the row says so, and returns whether it did. What stands against it, and what else a row says
    /// that no import does, leaves the lead as it is and is told.
    pub(super) fn disqualify(&mut self, lead: &mut Lead, intent: &Intent, found: &Found) -> bool {
        let told = match (intent.state, lead.state()) {
            (None, _) => return false,
            (Some(said), is) if said == is => return false,
            (Some(LeadState::Disqualified), _) => {
                let reason = found.disqualify_reason.or(self.options.disqualify_reason);
                let why =
                    Why { reason: reason.map(|reason| reason.as_uuid()), detail: found.detail.as_deref() };
                let unmet = Guard::check_disqualify(lead, &self.disqualify_reasons, why);
                if unmet.is_empty() {
                    lead.disqualify(why, self.ctx.now());
                    return true;
                }
                let now = if lead.closing.is_some() { "closed" } else { "open" };
                let why = unmet.first().map(|unmet| unmet.violation().message).unwrap_or_default();
                format!("not disqualified, but {now}: {why}")
            }
            (Some(LeadState::Converted), _) => "no file converts a lead: it is not converted here".to_owned(),
            (Some(LeadState::Open), _) => "no file opens a lead again: it is disqualified here".to_owned(),
        };
        self.links.tell(Violation::new(Field::State.key(), ViolationCode::NotAllowed, told));
        false
    }
}
