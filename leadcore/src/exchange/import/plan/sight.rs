//! What the actor may see of the leads that rows mean.

use super::super::decision::Decision;
use super::super::outcome::SkipReason;
use super::super::{MatchBy, OnMatch};
use super::Planner;
use crate::domain::Field;
use crate::error::{Violation, ViolationCode};

impl Planner<'_> {
    /// Whether the actor may see a lead on the bench.
    pub(super) fn sees(&self, slot: usize) -> bool {
        self.bench.slots.get(slot).zip(self.view.as_ref()).is_some_and(|(slot, gate)| gate.admits(&slot.lead))
    }

    /// What becomes of a row that means leads which the actor may not see: whatever they are, it tells no more than
    /// that there is one and who owns it.
    pub(super) fn out_of_sight(&self, slots: &[usize], matched_by: &MatchBy) -> Decision {
        if self.options.on_match == OnMatch::Skip {
            return Decision::Skip { reason: SkipReason::Exists, slot: None, same_as_line: None };
        }
        let (field, word) = (matched_by.field(), matched_by.word());
        let message = format!("a lead with this {word} exists that you may not see");
        let mut owners: Vec<_> =
            slots.iter().filter_map(|slot| self.bench.slots.get(*slot)?.lead.fields.owner.as_ref()).collect();
        owners.dedup();
        let owner = match owners.as_slice() {
            [owner] if !self.ctx.policy().is_hidden(self.ctx.actor(), &Field::Owner) => {
                Some((*owner).clone())
            }
            _ => None,
        };
        Decision::Reject {
            reasons: vec![Violation::new(field.key(), ViolationCode::Duplicate, message)],
            owner,
        }
    }
}
