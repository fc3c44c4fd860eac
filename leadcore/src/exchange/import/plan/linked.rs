//! Links between leads, once the rows of both are decided.

use std::borrow::Cow;

use super::super::ahead::RowsAhead;
use super::super::decision::Decision;
use super::super::links::{Links, OpenLinks};
use super::super::outcome::SkipReason;
use super::super::planned::LineLink;
use super::super::records::Record;
use super::super::source::Source;
use super::Planner;
use super::purpose::{alike_but, within};
use crate::domain::{CustomValue, Field, FieldChange, FieldValue, Subject};
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
        self.links.note(record.line);
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

    /// The lines that a row at hand links to, of those that are not done.
    pub(in crate::exchange::import) fn links_of(&self, record: &Record) -> Vec<LineLink> {
        self.links.of_line(record.line)
    }

    /// The ids of rows further down that a row at hand is not taken without.
    pub(in crate::exchange::import) fn needs(&self, record: &Record) -> impl Iterator<Item = LeadId> {
        self.links.needs(record.line)
    }

    /// Whether a row writes now what was planned, but for links to rows about which a person decided since, and for a field that
    /// is `implied`: `is_within` where it need not write all of it.
    pub(super) fn writes_as_planned(
        &self,
        then: &[FieldChange],
        now: &[FieldChange],
        (is_within, implied): (bool, Option<&Field>),
    ) -> bool {
        let then = self.links.without_anew(&self.as_now(then));
        let now = self.links.without_anew(now);
        alike_but(&then, &now, implied) || (is_within && within(&then, &now))
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
