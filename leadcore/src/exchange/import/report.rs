//! What became of a file.

mod shown;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::key::SaidOfAll;
use super::offered::Offered;

use super::MatchBy;
use super::columns::ColumnNotes;
use super::format::FileFormat;
use super::links::{Carried, OpenLinks};
use super::outcome::{LineOutcome, Outcome, SkipReason};
use crate::context::Context;
use crate::domain::{Field, StageKind};
use crate::error::{Violation, ViolationCode};
use crate::exchange::{Constant, Evidence, Mapping};
use crate::id::{LeadId, OperationId, UserId};

/// How many rejections a report lists.
const LISTED: usize = 1_000;
/// How many lines without a key a report lists.
const LINES: usize = 100;

/// A line that was not taken, and why. It does not hold what the line said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rejection {
    /// The line of the file on which the record begins, from 1, the header included.
    pub line: u64,
    /// The field's key; `line` when the line as a whole is at fault.
    pub field: String,
    /// The reason as a code.
    pub code: ViolationCode,
    /// The reason as a sentence.
    pub message: String,
    /// Who owns the lead that the line means, where the reason is that the actor may not see that lead, and may see
    /// owners.
    #[serde(default)]
    pub owner: Option<UserId>,
}

impl Rejection {
    pub(super) fn new(line: u64, reason: &Violation, owner: Option<UserId>) -> Self {
        let Violation { field, code, message } = reason.clone();
        Self { line, field, code, message, owner }
    }

    pub(super) fn reason(&self) -> Violation {
        Violation::new(self.field.clone(), self.code, self.message.clone())
    }
}

/// A line that may mean several leads, and which ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReviewLine {
    /// The line of the file on which the record begins, from 1, the header included.
    pub line: u64,
    /// The field by which the leads were found.
    pub matched_by: MatchBy,
    /// Id and number of the leads that it may mean.
    pub candidates: Vec<(LeadId, u64)>,
}

/// What became of a file. [`created`](Self::created) + [`updated`](Self::updated) + [`skipped`](Self::skipped) +
/// [`review`](Self::review) + [`rejected`](Self::rejected) = [`lines`](Self::lines), always. It prints as a table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// The operation in the journal; none for a dry run.
    pub operation: Option<OperationId>,
    /// SHA-256 of the file.
    pub digest: String,
    /// Records read: rows of the table, the header not included; one may span several lines.
    pub lines: u64,
    /// Leads created.
    pub created: u64,
    /// Rows that changed a lead.
    pub updated: u64,
    /// Rows that had nothing to change, or whose lead takes no change.
    pub skipped: u64,
    /// How many rows were skipped for each reason; together [`skipped`](Self::skipped).
    #[serde(default)]
    pub skips: BTreeMap<SkipReason, u64>,
    /// Rows that may mean several leads and were left to a person.
    #[serde(default)]
    pub review: u64,
    /// The first 1,000 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<ReviewLine>,
    /// The first 1,000 lines that the plan was [too old](SkipReason::Stale) for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_lines: Vec<u64>,
    /// Rows that were not taken.
    pub rejected: u64,
    /// Leads created (they are in [`created`](Self::created)) from rows without external id, e-mail and phone. Nothing
    /// can recognise them: when the file is changed and imported again, these rows create their leads once more.
    #[serde(default)]
    pub unrecognisable: u64,
    /// The first 100 lines of such rows.
    #[serde(default)]
    pub unrecognisable_lines: Vec<u64>,
    /// Leads created (they are in [`created`](Self::created)) from rows with a number that no lead here has. They got
    /// numbers of their own: a file gives none.
    #[serde(default)]
    pub unknown_numbers: u64,
    /// The first 100 lines of such rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_number_lines: Vec<u64>,
    /// Rows that met a lead which an earlier row of the same file had created or changed, whatever became of them: the file
    /// has these leads more than once.
    #[serde(default)]
    pub duplicates: u64,
    /// The first 100 lines of such rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicate_lines: Vec<u64>,
    /// The highest number that a lead had when the import began: no file knows those that it gives itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) known_numbers: Option<u64>,
    /// Which fields there were for the columns when the import began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) offered: Option<Offered>,
    /// Links that wait for rows further down.
    #[serde(default, skip_serializing_if = "OpenLinks::is_empty")]
    pub(super) links: OpenLinks,
    /// What was said of all columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) said: Option<SaidOfAll>,
    /// Cells that count as empty because they say nothing (`Select`, `n/a` …).
    pub blanked: u64,
    /// How many records an earlier, interrupted run had done; they are in the other numbers.
    pub resumed_after: u64,
    /// How many records another run of the same import did while this one was under way; they are in the other numbers.
    #[serde(default)]
    pub done_elsewhere: u64,
    /// The file was imported before with the same mapping and options: every line is skipped, nothing was written.
    pub repeated: bool,
    /// Of a repeated import, the report of the run that did it: what was created, updated and rejected then. The numbers
    /// beside it say what this call did, which is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Box<Self>>,
    /// Which column was which field, and how its cells were read.
    pub mapping: Mapping,
    /// What the mapping repeats, where none was given: the [last use](Evidence::LastUse) of a file with these headers, a
    /// [saved](Evidence::Saved) mapping, or the import that [rejected](Evidence::Rejects) these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped_as: Option<Evidence>,
    /// The constants that the [last use](Evidence::LastUse) had beside this mapping. They are not repeated: who wants them for
    /// this file too says them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_said: Vec<Constant>,
    /// The file holds rows that an import rejected and does not say any more how that import read them, so that dates, amounts
    /// and columns were judged by these rows alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_anew: bool,
    /// By what that was guessed, and what a person should know of the columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ColumnNotes>,
    /// How the file was read.
    pub format: FileFormat,
    /// Names that were added (would be, for a dry run) to a vocabulary or the default pipeline, by field.
    pub new_values: BTreeMap<String, Vec<String>>,
    /// What the stages among them mean, by name: as the rows say how their leads ended, else as the name says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub new_stages: BTreeMap<String, StageKind>,
    /// The first 1,000 rejections, each with its first reason.
    pub rejections: Vec<Rejection>,
    /// How many rejections are not listed.
    pub rejections_left_out: u64,
    /// Cells that their fields could not take and that were left out, by
    /// [`ColumnRules::bad_values`](crate::exchange::ColumnRules::bad_values): their lines were taken without them.
    #[serde(default)]
    pub left_out: u64,
    /// The first 1,000 of them, with what was wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out_values: Vec<Rejection>,
}

/// Why a row that may mean this many leads was not taken.
pub(super) fn several(by: &MatchBy, leads: usize) -> Violation {
    if *by == MatchBy::Number {
        let message = "the lead of this number is another one by the rest of the row: name `number` in `match_by` to \
                       write over it all the same, or empty the cell";
        return Violation::new(by.field().key(), ViolationCode::Duplicate, message);
    }
    if *by == MatchBy::ExternalId && leads == 1 {
        let message = "the lead with this id is another one by the rest of the row, and nobody said whose ids these are: name \
                       their system in `external_system`, or empty the cell";
        return Violation::new(by.field().key(), ViolationCode::Duplicate, message);
    }
    let message = format!("several leads have this {}: it does not say which one is meant", by.word());
    Violation::new(by.field().key(), ViolationCode::Duplicate, message)
}

/// Why a row was left alone that the plan was too old for.
pub(super) fn stale() -> Violation {
    Violation::new("line", ViolationCode::NotAllowed, SkipReason::Stale.message())
}

impl ImportReport {
    pub(super) fn count(&mut self, outcome: &LineOutcome) {
        self.lines += 1;
        if outcome.same_as_line().is_some() {
            self.duplicates += 1;
            if self.duplicate_lines.len() < LINES {
                self.duplicate_lines.push(outcome.line);
            }
        }
        match &outcome.outcome {
            Outcome::Created { recognisable, unknown_number, .. } => {
                self.created += 1;
                if *unknown_number {
                    self.unknown_numbers += 1;
                    if self.unknown_number_lines.len() < LINES {
                        self.unknown_number_lines.push(outcome.line);
                    }
                }
                if !recognisable {
                    self.unrecognisable += 1;
                    if self.unrecognisable_lines.len() < LINES {
                        self.unrecognisable_lines.push(outcome.line);
                    }
                }
            }
            Outcome::Updated { .. } => self.updated += 1,
            Outcome::Skipped { reason, .. } => {
                self.skipped += 1;
                *self.skips.entry(*reason).or_default() += 1;
                if *reason == SkipReason::Stale && self.stale_lines.len() < LISTED {
                    self.stale_lines.push(outcome.line);
                }
            }
            Outcome::Review { matched_by, candidates } => {
                self.review += 1;
                if self.reviews.len() < LISTED {
                    let (matched_by, candidates) = (matched_by.clone(), candidates.clone());
                    self.reviews.push(ReviewLine { line: outcome.line, matched_by, candidates });
                }
            }
            Outcome::Rejected { reasons, owner } => {
                self.rejected += 1;
                match reasons.first() {
                    Some(reason) if self.rejections.len() < LISTED => {
                        self.rejections.push(Rejection::new(outcome.line, reason, owner.clone()));
                    }
                    _ => self.rejections_left_out += 1,
                }
            }
        }
    }

    /// Counts the cells of a line that were left out, where it was taken.
    pub(super) fn leave_out(&mut self, outcome: &LineOutcome, reasons: &[Violation]) {
        if matches!(outcome.outcome, Outcome::Rejected { .. } | Outcome::Review { .. }) {
            return;
        }
        reasons.iter().for_each(|reason| self.tell_left_out(outcome.line, reason));
    }

    /// What the next part of the import has to know.
    pub(super) fn take_carried(&mut self) -> Carried {
        let (new_values, links) = (std::mem::take(&mut self.new_values), std::mem::take(&mut self.links));
        Carried { new_values, new_stages: std::mem::take(&mut self.new_stages), links }
    }

    /// Takes it back, with what could not be linked.
    pub(super) fn carry(&mut self, Carried { new_values, new_stages, mut links }: Carried, is_end: bool) {
        for (line, reason) in links.take_left_out(is_end) {
            self.tell_left_out(line, &reason);
        }
        (self.new_values, self.new_stages, self.links) = (new_values, new_stages, links);
    }

    /// Counts a value that was left out.
    pub(super) fn tell_left_out(&mut self, line: u64, reason: &Violation) {
        self.left_out += 1;
        if self.left_out_values.len() < LISTED {
            self.left_out_values.push(Rejection::new(line, reason, None));
        }
    }

    /// What the file of rejected rows says of a line that was told earlier: nothing for one that was taken.
    pub(super) fn reasons(&self, line: u64) -> Option<Vec<Violation>> {
        if let Ok(place) = self.rejections.binary_search_by_key(&line, |rejection| rejection.line) {
            return self.rejections.get(place).map(|rejection| vec![rejection.reason()]);
        }
        if let Ok(place) = self.reviews.binary_search_by_key(&line, |review| review.line) {
            return self
                .reviews
                .get(place)
                .map(|review| vec![several(&review.matched_by, review.candidates.len())]);
        }
        self.stale_lines.binary_search(&line).is_ok().then(|| vec![stale()])
    }

    /// Whether a plan was carried out of which nothing holds any more: its file is as good as not imported.
    pub(super) fn is_of_no_use(&self) -> bool {
        self.skips.contains_key(&SkipReason::Stale) && self.created == 0 && self.updated == 0
    }

    /// The report of a run that goes on behind this one.
    pub(super) fn resumed(self) -> Self {
        Self { resumed_after: self.lines, done_elsewhere: 0, ..self }
    }

    /// The report of a run that found the file done, for an actor who may see less than the one who did it.
    pub(super) fn repeated(mut self, ctx: &Context<'_>) -> Self {
        let is_hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
        self.mapping = std::mem::take(&mut self.mapping).without(is_hidden);
        self.notes.retain(|told| !told.field.as_ref().is_some_and(is_hidden));
        if is_hidden(&Field::Owner) {
            self.rejections.iter_mut().for_each(|rejection| rejection.owner = None);
        }
        Self {
            operation: self.operation,
            digest: self.digest.clone(),
            lines: self.lines,
            skipped: self.lines,
            skips: [(SkipReason::Imported, self.lines)].into_iter().filter(|(_, lines)| *lines > 0).collect(),
            repeated: true,
            mapping: self.mapping.clone(),
            mapped_as: self.mapped_as.clone(),
            read_anew: self.read_anew,
            notes: self.notes.clone(),
            format: self.format.clone(),
            earlier: Some(Box::new(self)),
            ..Self::default()
        }
    }
}
