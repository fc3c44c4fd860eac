//! Rows that do not say which lead they mean.

use super::super::decision::Decision;
use super::super::report::several;
use super::super::{MatchBy, OnAmbiguous};
use super::Planner;
use crate::desk;
use crate::domain::Field;
use crate::error::{Violation, ViolationCode};
use crate::exchange::coerce::Intent;

impl Planner<'_> {
    /// What becomes of a row that may mean several leads.
    pub(super) fn several(&self, mut slots: Vec<usize>, by: MatchBy) -> Decision {
        if !slots.iter().any(|slot| self.sees(*slot)) {
            return self.out_of_sight(&slots, &by);
        }
        if self.options.ambiguous == OnAmbiguous::Reject {
            return Decision::reject(vec![several(&by, slots.len())]);
        }
        slots.retain(|slot| self.sees(*slot));
        let called = |slot: &usize| {
            let lead = desk::masked(self.ctx, self.bench.slots.get(*slot)?.lead.clone());
            lead.fields.display_name().map(str::to_owned)
        };
        let names = slots.iter().map(called).collect();
        Decision::Review { slots, names, matched_by: by }
    }

    /// What becomes of a row with the number or id of a lead that is another one by the rest of the row.
    pub(super) fn doubted(&self, slot: usize, by: MatchBy) -> Decision {
        match self.options.ambiguous {
            OnAmbiguous::Review => self.several(vec![slot], by),
            OnAmbiguous::Reject => Decision::reject(vec![several(&by, 1)]),
        }
    }

    /// Why a row is not taken that has two ids of which the lead has one.
    pub(super) fn contradicted(&self, intent: &Intent, slot: usize) -> Violation {
        let system = self.bench.contradicts(intent, slot).unwrap_or_default();
        let message = format!("the lead with an id of this row has another id in the system `{system}`");
        Violation::new(Field::ExternalId.key(), ViolationCode::Duplicate, message)
    }
}
