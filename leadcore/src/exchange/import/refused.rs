//! Why lines were refused, beyond those that a report lists: kept in the journal, so that a run that goes on behind a
//! broken one can write all of them into its file of rejected rows.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;

use super::outcome::{LineOutcome, Outcome, SkipReason};
use super::records::Record;
use super::report::{ImportReport, several, stale};
use crate::context::Context;
use crate::domain::{Action, FieldChange, FieldValue, NewEntry, Sequence, Subject, SubjectKind, Topics};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::exchange::rejects::Rejects;
use crate::id::OperationId;
use crate::store::{Store, StoreExt, Txn};

/// What the journal calls it. Before it stands its first line, so that it is found without being read.
const REFUSED: &str = "refused_lines";
/// Notes that are read at once: each is as long as the refused lines of a chunk.
const READ: usize = 8;
/// The same behind those that are known: a chunk of each of two runs, as a rule.
const READ_SINCE: usize = 2;

type Reasons = BTreeMap<u64, Vec<Violation>>;

impl Outcome {
    /// What the file of rejected rows says of it: nothing of a line that was taken.
    pub(super) fn refusal(&self) -> Option<Vec<Violation>> {
        match self {
            Self::Rejected { reasons, .. } => Some(reasons.clone()),
            Self::Review { matched_by, candidates } => Some(vec![several(matched_by, candidates.len())]),
            Self::Skipped { reason: SkipReason::Stale, .. } => Some(vec![stale()]),
            _ => None,
        }
    }
}

/// Writes a row among the rejected ones, where it was not taken.
pub(super) fn tell_rejected<W: Write>(
    rejects: &mut Rejects<W>,
    record: &Record,
    outcome: &LineOutcome,
) -> Result<()> {
    let refusal = record.kept.as_ref().zip(outcome.outcome.refusal());
    refusal.map_or(Ok(()), |(kept, reasons)| rejects.write(kept, &reasons))
}

/// Whether the store refused what a row says, rather than failed.
pub(super) fn is_fault_of_a_row(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::AlreadyExists | ErrorKind::Conflict)
}

pub(super) fn refusal(error: &Error) -> Vec<Violation> {
    if !error.violations().is_empty() {
        return error.violations().to_vec();
    }
    let (code, message) = match error.kind() {
        ErrorKind::AlreadyExists => (ViolationCode::Duplicate, "another record has the same id or name"),
        _ => (
            ViolationCode::NotAllowed,
            "the lead was changed by somebody else meanwhile: import the line again",
        ),
    };
    vec![Violation::new("line", code, message)]
}

/// The import's notes about itself.
fn subject(operation: OperationId) -> Subject {
    Subject::new(SubjectKind::Settings, operation.as_uuid())
}

/// Notes the lines of a chunk that `report`, which counts them already, does not list.
pub(super) fn note(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    operation: OperationId,
    report: &ImportReport,
    outcomes: &[LineOutcome],
) -> Result<()> {
    let refused = outcomes.iter().filter_map(|told| Some((told.line, told.outcome.refusal()?)));
    let unlisted: Reasons = refused.filter(|(line, _)| report.reasons(*line).is_none()).collect();
    let Some(first) = unlisted.keys().next() else { return Ok(()) };
    let json = serde_json::to_string(&unlisted).map_err(|error| {
        Error::new(ErrorKind::Internal, "refused lines could not be written as JSON").with_source(error)
    })?;
    let change = FieldChange::new(REFUSED, first.to_string(), json);
    let entry = NewEntry::new(subject(operation), Action::Updated, ctx.now()).with_changes(vec![change]);
    txn.journal().append(operation, &[entry])
}

/// Why lines of earlier chunks were refused. They are asked for in the order of the file, and a chunk is held at a time.
pub(super) struct Earlier {
    operation: OperationId,
    /// Chunks ahead: the first line of each, and where the journal has it.
    ahead: VecDeque<(u64, Sequence)>,
    here: Reasons,
    /// The last note that is known.
    last: Option<Sequence>,
}

impl Earlier {
    /// What is noted of this import.
    pub(super) fn load(ctx: &Context<'_>, store: &dyn Store, operation: OperationId) -> Result<Self> {
        let mut earlier = Self { operation, ahead: VecDeque::new(), here: Reasons::new(), last: None };
        earlier.catch_up(ctx, store)?;
        Ok(earlier)
    }

    /// Whether these are the notes of this import.
    pub(super) fn is_of(&self, operation: Option<OperationId>) -> bool {
        operation == Some(self.operation)
    }

    /// What was noted since; older notes are not read again.
    pub(super) fn catch_up(&mut self, ctx: &Context<'_>, store: &dyn Store) -> Result<()> {
        let (known, about) = (self.last, [subject(self.operation)]);
        let (mut last, mut ahead) = (known, VecDeque::new());
        let most = if known.is_some() { READ_SINCE } else { READ };
        store.read(ctx.tenant(), |txn| {
            (last, ahead) = (known, VecDeque::new());
            let mut before = None;
            loop {
                let notes = txn.journal().about(&about, Topics::NONE, before, most)?;
                last = last.max(notes.first().map(|newest| newest.sequence));
                let Some(oldest) = notes.last() else { return Ok(()) };
                before = Some(oldest.sequence);
                for note in notes {
                    if Some(note.sequence) <= known {
                        return Ok(());
                    }
                    let changes = note.changes.iter().filter(|change| change.field == REFUSED);
                    let lines = changes.filter_map(|change| change.before.as_text()?.parse().ok());
                    lines.for_each(|line| ahead.push_front((line, note.sequence)));
                }
            }
        })?;
        self.ahead.append(&mut ahead);
        self.last = last;
        Ok(())
    }

    /// Why this line was refused, where the report does not say it.
    pub(super) fn reasons(
        &mut self,
        ctx: &Context<'_>,
        store: &dyn Store,
        line: u64,
    ) -> Result<Option<Vec<Violation>>> {
        let mut chunk = None;
        while let Some((_, place)) = self.ahead.front().copied().filter(|(first, _)| *first <= line) {
            self.ahead.pop_front();
            chunk = Some(place);
        }
        // Chunks that nobody asked about are passed over unread.
        if let Some(place) = chunk {
            let behind = Some(Sequence(place.0.saturating_add(1)));
            let about = [subject(self.operation)];
            let notes =
                store.read(ctx.tenant(), |txn| txn.journal().about(&about, Topics::NONE, behind, 1))?;
            let changes = notes.into_iter().flat_map(|note| note.changes);
            let json = changes.into_iter().find(|change| change.field == REFUSED).map(|change| change.after);
            self.here = json.as_ref().and_then(FieldValue::as_text).map_or(Ok(Reasons::new()), |json| {
                serde_json::from_str(json).map_err(|error| {
                    Error::new(ErrorKind::Corrupt, "the refused lines of an import are damaged")
                        .with_source(error)
                })
            })?;
        }
        Ok(self.here.remove(&line))
    }
}
