//! Links between leads, once the rows of both are decided.

use std::borrow::Cow;

use super::super::ahead::RowsAhead;
use super::super::decision::Decision;
use super::super::links::{Links, OpenLinks};
use super::super::outcome::SkipReason;
use super::super::records::Record;
use super::super::source::Source;
use super::Planner;
use crate::domain::{CustomValue, FieldChange, FieldValue, Subject};
use crate::id::LeadId;

impl Planner<'_> {
    /// With what the file says further down, and the links that wait for it.
    pub(in crate::exchange::import) fn foreseeing(
        mut self,
        source: &Source,
        ahead: &RowsAhead,
        open: OpenLinks,
    ) -> Self {
        self.links = Links::new(source, &ahead.by_id, open);
        self.names.know_kinds(&ahead.kinds);
        self
    }

    /// Keeps what a decided row links to, and links to its lead what waited for it.
    pub(super) fn link(&mut self, record: &Record, decision: &Decision) {
        let is_written = matches!(decision, Decision::Create { .. } | Decision::Update { .. });
        let is_taken = is_written || matches!(decision, Decision::Skip { reason: SkipReason::Unchanged, .. });
        let lead = decision.lead().and_then(|slot| Some(self.bench.slots.get(slot)?.lead.id));
        if let Decision::Update { same_as_line: Some(_), .. } | Decision::Skip { same_as_line: Some(_), .. } =
            decision
            && let Some(lead) = lead
        {
            self.links.supersede(record, lead);
        }
        if is_taken {
            self.links.take_row(record.line, lead.filter(|_| is_written));
        }
        let Some(lead) = lead else { return };
        for (from, field, line) in self.links.arrive(record, lead) {
            if let Some(claim) = self.links.claim(&field, lead)
                && !self.claims.give(claim, from)
            {
                self.links.leave_out(&field, line, true);
                continue;
            }
            let place = self.bench.place(from);
            let slot = place.and_then(|place| self.bench.slots.get_mut(place));
            match slot.filter(|slot| slot.lead.conversion.is_none()) {
                Some(slot) => {
                    slot.lead.fields.custom.insert(field, CustomValue::Link(Subject::from(lead)));
                    if !slot.lines.contains(&line) {
                        slot.lines.push(line);
                    }
                }
                // A look at a file forgets leads that no row asks for any more.
                None if !self.purpose.writes() => {}
                None => self.links.leave_out(&field, line, false),
            }
        }
    }

    /// What was planned, with the ids that its leads have by now.
    pub(super) fn as_now<'p>(&self, then: &'p [FieldChange]) -> Cow<'p, [FieldChange]> {
        let now = |change: &FieldChange| {
            let id = change.after.as_id().filter(|_| self.links.is_link(&change.field))?;
            let now = self.id_for(LeadId::from_uuid(id)).as_uuid();
            (now != id).then_some(FieldValue::Id(now))
        };
        if then.iter().all(|change| now(change).is_none()) {
            return Cow::Borrowed(then);
        }
        let changed = |change: &FieldChange| {
            let after = now(change).unwrap_or_else(|| change.after.clone());
            FieldChange { after, ..change.clone() }
        };
        Cow::Owned(then.iter().map(changed).collect())
    }
}
