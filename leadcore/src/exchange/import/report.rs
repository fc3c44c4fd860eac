//! What became of a file.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::key::SaidOfAll;
use super::offered::Offered;

use super::columns::{self, ColumnNotes};
use super::format::FileFormat;
use super::links::{Carried, OpenLinks};
use super::outcome::{LineOutcome, Outcome, SkipReason};
use super::{MatchBy, stage_kinds};
use crate::context::Context;
use crate::domain::Field;
use crate::error::{Violation, ViolationCode};
use crate::exchange::{Constant, Evidence, FileKind, Mapping};
use crate::id::{LeadId, OperationId, UserId};

/// How many rejections a report lists.
const LISTED: usize = 1_000;
/// How many lines without a key a report lists.
const LINES: usize = 100;
/// How many of them it prints.
const PRINTED: usize = 10;

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
        Carried { new_values: std::mem::take(&mut self.new_values), links: std::mem::take(&mut self.links) }
    }

    /// Takes it back, with what could not be linked.
    pub(super) fn carry(&mut self, Carried { new_values, mut links }: Carried, is_end: bool) {
        for (line, reason) in links.take_left_out(is_end) {
            self.tell_left_out(line, &reason);
        }
        (self.new_values, self.links) = (new_values, links);
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

    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in [
            ("lines", self.lines),
            ("created", self.created),
            ("updated", self.updated),
            ("skipped", self.skipped),
        ] {
            writeln!(f, "{what:<10} {count}")?;
        }
        for (reason, count) in &self.skips {
            writeln!(f, "{:<10} {count}: {}", "", reason.message())?;
        }
        if self.review > 0 {
            writeln!(f, "{:<10} {} may mean several leads", "review", self.review)?;
        }
        writeln!(f, "{:<10} {}", "rejected", self.rejected)?;
        if self.resumed_after > 0 {
            writeln!(f, "{:<10} {} were done by an earlier run", "of these", self.resumed_after)?;
        }
        if self.done_elsewhere > 0 {
            writeln!(f, "{:<10} {} were done by another run meanwhile", "of these", self.done_elsewhere)?;
        }
        if self.blanked > 0 {
            writeln!(f, "{:<10} {} cells that say nothing", "left out", self.blanked)?;
        }
        Ok(())
    }

    fn write_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unrecognisable > 0 {
            let lines: Vec<_> =
                self.unrecognisable_lines.iter().take(PRINTED).map(ToString::to_string).collect();
            let more = if self.unrecognisable > PRINTED as u64 { " …" } else { "" };
            writeln!(
                f,
                "warning    {} created without external id, e-mail or phone: a changed file would create them once \
                 more (lines {}{more})",
                self.unrecognisable,
                lines.join(", ")
            )?;
        }
        if self.unknown_numbers > 0 {
            let lines: Vec<_> =
                self.unknown_number_lines.iter().take(PRINTED).map(ToString::to_string).collect();
            let more = if self.unknown_numbers > PRINTED as u64 { " …" } else { "" };
            writeln!(
                f,
                "note       {} created from rows with a number that no lead here has: they got numbers of their own \
                 (lines {}{more})",
                self.unknown_numbers,
                lines.join(", ")
            )?;
        }
        if self.duplicates > 0 {
            let lines: Vec<_> = self.duplicate_lines.iter().take(PRINTED).map(ToString::to_string).collect();
            let more = if self.duplicates > PRINTED as u64 { " …" } else { "" };
            writeln!(
                f,
                "note       {} met the lead of an earlier row of this file (lines {}{more})",
                self.duplicates,
                lines.join(", ")
            )?;
        }
        for review in &self.reviews {
            let numbers: Vec<_> = review.candidates.iter().map(|(_, number)| number.to_string()).collect();
            writeln!(
                f,
                "line {:<5} `{}`: may mean the leads {}",
                review.line,
                review.matched_by,
                numbers.join(", ")
            )?;
        }
        for rejection in &self.rejections {
            write!(f, "line {:<5} `{}`: {}", rejection.line, rejection.field, rejection.message)?;
            match &rejection.owner {
                Some(owner) => writeln!(f, " (its owner is {owner})")?,
                None => writeln!(f)?,
            }
        }
        for told in self.left_out_values.iter().take(PRINTED) {
            writeln!(f, "line {:<5} `{}` was left out: {}", told.line, told.field, told.message)?;
        }
        if self.left_out > PRINTED as u64 {
            writeln!(f, "{:<10} {} values were left out", "together", self.left_out)?;
        }
        if self.rejections_left_out > 0 {
            writeln!(f, "and {} more rejected lines", self.rejections_left_out)?;
        }
        Ok(())
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = &self.format;
        writeln!(f, "read as    {format}")?;
        if self.lines == 0 {
            writeln!(f, "no rows    nothing stands below the header")?;
        }
        let of = if format.kind == FileKind::VCard { "card" } else { "row" };
        for (property, count) in &format.left_out {
            let s = if *count == 1 { "" } else { "s" };
            writeln!(f, "left out   {property} in {count} {of}{s}")?;
        }
        if self.repeated {
            writeln!(f, "this file was imported before: nothing was written")?;
        }
        self.write_counts(f)?;
        columns::write_source(f, self.mapped_as.as_ref(), self.read_anew)?;
        columns::write(f, &self.mapping, &self.notes)?;
        columns::write_not_said(f, &self.not_said)?;
        for (field, names) in &self.new_values {
            writeln!(f, "new        {field}: {}", stage_kinds::in_words(field, names))?;
        }
        self.write_lines(f)?;
        if let Some(earlier) = &self.earlier {
            writeln!(f, "when it was imported:")?;
            earlier.write_counts(f)?;
            earlier.write_lines(f)?;
        }
        Ok(())
    }
}
