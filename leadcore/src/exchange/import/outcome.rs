//! What becomes of single lines, and who hears of it.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MatchBy;

use crate::error::Violation;
use crate::id::{LeadId, UserId};

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
    /// The earlier line of the same file whose lead this one means too.
    #[must_use]
    pub const fn same_as_line(&self) -> Option<u64> {
        match &self.outcome {
            Outcome::Updated { same_as_line, .. } | Outcome::Skipped { same_as_line, .. } => *same_as_line,
            _ => None,
        }
    }

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
        /// Whether the row has an external id, e-mail or phone. Without one, a changed file creates the lead once more.
        recognisable: bool,
        /// Whether the row has a number that no lead here has. A file gives no number: the lead got one of its own.
        unknown_number: bool,
    },
    /// A lead that was there took the row's values.
    Updated {
        /// The lead; none in a dry run for one that an earlier line would create.
        lead: Option<LeadId>,
        /// Its number; none in a dry run for one that an earlier line would create.
        number: Option<u64>,
        /// What it was recognised by.
        matched_by: MatchBy,
        /// The earlier line of the same file that created the lead or changed it first, if one did.
        same_as_line: Option<u64>,
    },
    /// Nothing was written.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// The lead that the row means, if it means one that the actor may see; none in a dry run for one that an
        /// earlier line would create.
        lead: Option<LeadId>,
        /// Its number; none where `lead` is.
        number: Option<u64>,
        /// Where the lead says the same already: the earlier line of the same file that created it or changed it first, if
        /// one did.
        same_as_line: Option<u64>,
    },
    /// The row may mean several leads: a person has to say which. Nothing was written.
    Review {
        /// What these leads were found by.
        matched_by: MatchBy,
        /// The leads that the row may mean, with their numbers, as far as the actor may see them; in a dry run without
        /// those that earlier lines would create.
        candidates: Vec<(LeadId, u64)>,
    },
    /// The line was not taken.
    Rejected {
        /// Every reason, at least one.
        reasons: Vec<Violation>,
        /// Who owns the lead that the row means, where the reason is that the actor may not see that lead. None where
        /// it has no owner, or the policy hides owners from the actor.
        owner: Option<UserId>,
    },
}

/// Why a row wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// The file was imported before. Such lines are counted and not told one by one.
    Imported,
    /// No lead is meant, and the options say to create none.
    Missing,
    /// The plan says to leave the line out.
    LeftOut,
    /// It stands below the last lead, and sums up the table or says who made it. A plan can create a lead of it.
    Total,
    /// It is the header of the file once more, as files that were put together have it.
    Header,
    /// What the plan says of this line is not what would happen now: the store moved on, or a line above was decided
    /// anew. The line is told among the rejected rows.
    Stale,
}

impl SkipReason {
    /// Stable name: `blank`, `unchanged`, `frozen`, `exists`, `imported`, `missing`, `left_out`, `total`,
    /// `header`, `stale`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Unchanged => "unchanged",
            Self::Frozen => "frozen",
            Self::Exists => "exists",
            Self::Imported => "imported",
            Self::Missing => "missing",
            Self::LeftOut => "left_out",
            Self::Total => "total",
            Self::Header => "header",
            Self::Stale => "stale",
        }
    }

    /// The reason as a sentence.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Blank => "every cell is empty, or the line is drawn",
            Self::Unchanged => "the lead says the same already",
            Self::Frozen => "the lead was converted and takes no more changes",
            Self::Exists => "the lead exists and is left alone",
            Self::Imported => "the file was imported before",
            Self::Missing => "no lead is meant, and none is created",
            Self::LeftOut => "the plan leaves the line out",
            Self::Header => "it is the header of the file once more",
            Self::Total => "it stands below the leads and sums them up, or says who made the file",
            Self::Stale => "what was planned for the line is not what would happen now",
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
    /// Rows so far that were left to a person.
    pub review: u64,
    /// Rows so far that were rejected.
    pub rejected: u64,
    /// Bytes of the file up to the last row that is done. Of a workbook or an address book, which is read before its first row
    /// is, the share of it that the done rows are of all.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
    /// How long this run has taken, by the clock of the context.
    pub elapsed: Duration,
    /// Rows a second of this run; none until the clock has moved.
    pub rate: Option<u64>,
    /// How long the rest of the file will take at this rate; none until the clock has moved.
    pub remaining: Option<Duration>,
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
