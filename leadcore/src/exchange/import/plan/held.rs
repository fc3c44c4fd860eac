//! Whether what was planned for a row is still what would become of it.

use super::super::decision::Decision;
use super::super::outcome::SkipReason;
use super::super::planned::{Planned, PlannedLine};
use super::super::records::Record;
use super::{Planner, Purpose};

impl Planner<'_> {
    /// What becomes of a row. What was planned for it holds only as long as it is what would happen; where a person
    /// changed the line since, as long as it is what would happen without that.
    pub(super) fn decide_one(&mut self, record: &Record) -> Decision {
        let decision = self.decide_planned(record);
        self.link(record, &decision);
        decision
    }

    fn decide_planned(&mut self, record: &Record) -> Decision {
        let planned = record.planned.as_deref().filter(|_| self.purpose == Purpose::WriteAsPlanned);
        let planned = planned.filter(|planned| !planned.anew);
        let is_changed = |planned: &&PlannedLine| !planned.is_decided() && planned.is_held_to();
        if let Some(planned) = planned.filter(is_changed)
            && !self.holds(record, planned)
        {
            return Decision::stale();
        }
        let planned = planned.filter(|planned| planned.is_decided());
        self.decide_as(record, (&record.content, record.choice), planned)
    }

    /// Whether a row would become what was planned, before a person changed the line.
    fn holds(&mut self, record: &Record, planned: &PlannedLine) -> bool {
        let content = record.as_planned.as_deref().unwrap_or(&record.content);
        let mark = self.names.mark();
        self.is_trial = true;
        let decision = self.decide_as(record, (content, planned.made_with.choice), Some(planned));
        self.is_trial = false;
        self.names.back_to(mark, &mut self.intake.pipelines);
        !matches!(decision, Decision::Skip { reason: SkipReason::Stale, .. })
    }

    /// The decision, where it is still of the kind that was planned. What would be written was compared before.
    pub(super) fn as_planned(&self, decision: Decision, planned: Option<&PlannedLine>) -> Decision {
        let Some(planned) = planned else { return decision };
        let id = |slot: Option<usize>| slot.and_then(|slot| Some(self.bench.slots.get(slot)?.lead.id));
        let same = match (&planned.decision, &decision) {
            (Planned::Create { .. }, Decision::Create { .. })
            | (Planned::Update { .. }, Decision::Update { .. })
            | (Planned::Review { .. }, Decision::Review { .. })
            | (Planned::Reject { .. }, Decision::Reject { .. }) => true,
            (
                Planned::Unchanged { lead, .. } | Planned::Update { lead, number: None, .. },
                Decision::Skip { reason: SkipReason::Unchanged, slot, .. },
            ) => id(*slot) == Some(*lead),
            (Planned::Skip { reason, lead }, Decision::Skip { reason: now, slot, .. }) => {
                reason == now && *lead == id(*slot)
            }
            // What a person decided since about the rows that it links to.
            (
                Planned::Update { lead, changes, .. },
                Decision::Skip { reason: SkipReason::Unchanged, slot, .. },
            ) => self.links.are_anew(changes) && id(*slot) == Some(self.id_for(*lead)),
            (Planned::Unchanged { lead, .. }, Decision::Update { slot, changes, .. }) => {
                self.links.are_anew(changes) && id(Some(*slot)) == Some(self.id_for(*lead))
            }
            (
                Planned::Create { .. } | Planned::Update { .. } | Planned::Unchanged { .. },
                Decision::Reject { reasons, .. },
            ) => self.links.refuse_anew(reasons),
            (Planned::Reject { reasons, .. }, _) => self.links.refuse_anew(reasons),
            _ => false,
        };
        if same { decision } else { Decision::stale() }
    }
}
