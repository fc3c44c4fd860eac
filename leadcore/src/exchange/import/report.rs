//! What became of a file: the report, the outcome of each line, the progress.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::domain::MatchKind;
use crate::error::{Violation, ViolationCode};
use crate::exchange::Mapping;
use crate::id::{LeadId, OperationId};

/// How many rejections a report lists.
const LISTED: usize = 1_000;

/// How the file was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileFormat {
    /// The encoding's standard name: `UTF-8`, `windows-1252` …
    pub encoding: String,
    /// The character between cells.
    pub delimiter: char,
    /// The line of the header; `None` for a file without one.
    pub header_line: Option<u64>,
    /// Lines passed over before the table.
    pub skipped_lines: u64,
}

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
}

impl Rejection {
    pub(super) fn new(line: u64, reason: &Violation) -> Self {
        let Violation { field, code, message } = reason.clone();
        Self { line, field, code, message }
    }

    pub(super) fn reason(&self) -> Violation {
        Violation::new(self.field.clone(), self.code, self.message.clone())
    }
}

/// What became of a file. [`created`](Self::created) + [`updated`](Self::updated) + [`skipped`](Self::skipped) +
/// [`rejected`](Self::rejected) = [`lines`](Self::lines), always. It prints as a table.
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
    /// Rows that were not taken.
    pub rejected: u64,
    /// Cells that count as empty because they say nothing (`Select`, `n/a` …).
    pub blanked: u64,
    /// How many records an earlier, interrupted run had done; they are in the other numbers.
    pub resumed_after: u64,
    /// The file was imported before with the same mapping and options: every line is skipped, nothing was written.
    pub repeated: bool,
    /// Which column was which field.
    pub mapping: Mapping,
    /// How the file was read.
    pub format: FileFormat,
    /// Names that were added (would be, for a dry run) to a vocabulary or the default pipeline, by field.
    pub new_values: BTreeMap<String, Vec<String>>,
    /// The first 1,000 rejections, each with its first reason.
    pub rejections: Vec<Rejection>,
    /// How many rejections are not listed.
    pub rejections_left_out: u64,
}

impl ImportReport {
    pub(super) fn count(&mut self, outcome: &LineOutcome) {
        self.lines += 1;
        match &outcome.outcome {
            Outcome::Created { .. } => self.created += 1,
            Outcome::Updated { .. } => self.updated += 1,
            Outcome::Skipped { .. } => self.skipped += 1,
            Outcome::Rejected { reasons } => {
                self.rejected += 1;
                match reasons.first() {
                    Some(reason) if self.rejections.len() < LISTED => {
                        self.rejections.push(Rejection::new(outcome.line, reason));
                    }
                    _ => self.rejections_left_out += 1,
                }
            }
        }
    }

    /// The report of a run that found the file done.
    pub(super) fn repeated(self) -> Self {
        Self {
            created: 0,
            updated: 0,
            skipped: self.lines,
            rejected: 0,
            blanked: 0,
            resumed_after: 0,
            repeated: true,
            new_values: BTreeMap::new(),
            rejections: Vec::new(),
            rejections_left_out: 0,
            ..self
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = &self.format;
        let delimiter =
            if format.delimiter == '\t' { "tab".to_owned() } else { format.delimiter.to_string() };
        write!(f, "read as    {}, cells separated by {delimiter}", format.encoding)?;
        match format.header_line {
            Some(line) => writeln!(f, ", header on line {line}")?,
            None => writeln!(f, ", no header")?,
        }
        if self.repeated {
            writeln!(f, "this file was imported before: nothing was written")?;
        }
        let counts = [
            ("lines", self.lines),
            ("created", self.created),
            ("updated", self.updated),
            ("skipped", self.skipped),
            ("rejected", self.rejected),
        ];
        for (what, count) in counts {
            writeln!(f, "{what:<10} {count}")?;
        }
        if self.resumed_after > 0 {
            writeln!(f, "{:<10} {} were done by an earlier run", "of these", self.resumed_after)?;
        }
        if self.blanked > 0 {
            writeln!(f, "{:<10} {} cells that say nothing", "left out", self.blanked)?;
        }
        for column in &self.mapping.columns {
            let field = column.field.as_ref().map_or("(left out)", |field| field.key());
            writeln!(f, "column     {} -> {field}", column.header)?;
        }
        for (field, names) in &self.new_values {
            writeln!(f, "new        {field}: {}", names.join(", "))?;
        }
        for rejection in &self.rejections {
            writeln!(f, "line {:<5} `{}`: {}", rejection.line, rejection.field, rejection.message)?;
        }
        if self.rejections_left_out > 0 {
            writeln!(f, "and {} more rejected lines", self.rejections_left_out)?;
        }
        Ok(())
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineOutcome {
    /// The line of the file on which the record begins, from 1, the header included.
    pub line: u64,
    /// What became of it.
    pub outcome: Outcome,
}

impl LineOutcome {
    pub(super) const fn new(line: u64, outcome: Outcome) -> Self {
        Self { line, outcome }
    }
}

/// What became of one record, in detail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A lead was created.
    Created {
        /// The lead; none in a dry run.
        lead: Option<LeadId>,
        /// Its number; none in a dry run.
        number: Option<u64>,
    },
    /// A lead that was there took the row's values.
    Updated {
        /// The lead; none in a dry run for one that an earlier line would create.
        lead: Option<LeadId>,
        /// What it was recognised by.
        matched_by: MatchKind,
        /// The line shortly before, read together with this one, that created the lead or changed it first, if one did.
        same_as_line: Option<u64>,
    },
    /// Nothing was written.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
    /// The line was not taken.
    Rejected {
        /// Every reason, at least one.
        reasons: Vec<Violation>,
    },
}

/// Why a row wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// Every cell is empty.
    Blank,
    /// The lead is there and says the same.
    Unchanged,
    /// The lead was converted and takes no more changes.
    Frozen,
    /// The lead is there, and the options say to leave it alone.
    Exists,
}

impl SkipReason {
    /// Stable name: `blank`, `unchanged`, `frozen`, `exists`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Unchanged => "unchanged",
            Self::Frozen => "frozen",
            Self::Exists => "exists",
        }
    }
}

/// How far an import is, after a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Records done, those of an earlier run included.
    pub lines: u64,
    /// Leads created so far.
    pub created: u64,
    /// Rows so far that changed a lead.
    pub updated: u64,
    /// Rows so far that were skipped.
    pub skipped: u64,
    /// Rows so far that were rejected.
    pub rejected: u64,
    /// Bytes of the file read so far.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
}

/// Hears what becomes of each line and how far the import is, after each chunk is safely written. `()` hears nothing.
pub trait ImportSink {
    /// One record is done. Lines that an interrupted run did are not told again.
    fn line(&mut self, outcome: &LineOutcome);

    /// A chunk is done. `Break` ends the import with [`ErrorKind::Cancelled`](crate::error::ErrorKind::Cancelled):
    /// what is written stays, and importing the file again goes on from there.
    fn progress(&mut self, progress: &Progress) -> ControlFlow<()>;
}

impl ImportSink for () {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
