//! Links beside a plan: which lines a line links to, and what of it has to be as it was planned.

use std::collections::HashMap;

use super::super::planned::{LineLink, Planned, PlannedLine};
use super::rows::RowOfId;
use super::{Links, not_taken};
use crate::domain::{CustomKey, FieldChange};
use crate::error::Violation;
use crate::id::LeadId;

/// A link of a row to another row of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowLink {
    pub(super) to: LeadId,
    /// The row of it.
    pub(super) row: RowOfId,
    /// Whether the row is not taken without it.
    pub(super) is_needed: bool,
    /// Whether that row is still to be decided.
    pub(super) is_ahead: bool,
}

/// The links of the rows that were decided, by line.
pub(super) type LinksOfLines = HashMap<u64, Vec<RowLink>>;

impl Links {
    /// Rows are decided from the one of this number on.
    pub(in crate::exchange::import) fn begin_at(&mut self, number: Option<u64>) {
        self.first = self.first.or(number);
    }

    /// Keeps which rows the row links to that was decided last.
    pub(in crate::exchange::import) fn note(&mut self, line: u64) {
        if !self.row.linked.is_empty() {
            let linked = std::mem::take(&mut self.row.linked);
            self.of_lines.insert(line, linked);
        }
    }

    /// The other lines that one of the rows at hand links to, as a plan tells it: not those that were done before.
    pub(in crate::exchange::import) fn of_line(&self, line: u64) -> Vec<LineLink> {
        let linked = self.of_lines.get(&line).into_iter().flatten();
        let first = self.first.unwrap_or_default();
        let others = linked.filter(|link| link.row.line != line && link.row.number >= first);
        others.map(|link| LineLink::new(link.row.line, link.is_needed)).collect()
    }

    /// The ids of rows further down that one of the rows at hand is not taken without.
    pub(in crate::exchange::import) fn needs(&self, line: u64) -> impl Iterator<Item = LeadId> + '_ {
        let linked = self.of_lines.get(&line).into_iter().flatten();
        linked.filter(|link| link.is_needed && link.is_ahead).map(|link| link.to)
    }

    /// Whether the row links in this field to a row about which a person decided since.
    pub(in crate::exchange::import) fn is_anew(&self, field: &str) -> bool {
        self.row.anew.iter().any(|anew| anew.as_str() == field)
    }

    /// Whether these are such links, and nothing else.
    pub(in crate::exchange::import) fn are_anew(&self, changes: &[FieldChange]) -> bool {
        !changes.is_empty() && changes.iter().all(|change| self.is_anew(&change.field))
    }

    /// Whether a row is refused for such links alone.
    pub(in crate::exchange::import) fn refuse_anew(&self, reasons: &[Violation]) -> bool {
        !reasons.is_empty() && reasons.iter().all(|reason| self.is_anew(&reason.field))
    }

    /// The changes without such links: what those were planned to be does not hold any more.
    pub(in crate::exchange::import) fn without_anew(&self, changes: &[FieldChange]) -> Vec<FieldChange> {
        changes.iter().filter(|change| !self.is_anew(&change.field)).cloned().collect()
    }
}

/// Whether a row was planned to be refused because the row that this field links to is not taken.
fn was_refused(planned: &Planned, field: &CustomKey) -> bool {
    matches!(planned, Planned::Reject { reasons, .. } if reasons.contains(&not_taken(field)))
}

/// Whether a row was planned not to be linked, or to be refused, because the row further down that this field names is not taken.
pub(super) fn was_not_taken(planned: Option<&PlannedLine>, field: &CustomKey, is_ahead: bool) -> bool {
    let is_silent = |changes: &[FieldChange]| changes.iter().all(|change| change.field != field.as_str());
    planned.is_some_and(|planned| match &planned.decision {
        Planned::Create { values, .. } => is_ahead && is_silent(values),
        Planned::Update { changes, .. } => is_ahead && is_silent(changes),
        Planned::Unchanged { .. } => is_ahead,
        other => was_refused(other, field),
    })
}
