//! What makes a record unusable.

use std::fmt;

use super::scan::Fault;

/// Why a record cannot be taken as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RowProblem {
    /// A quote on this line is never closed, or only by the opening quote of a later cell.
    UnclosedQuote,
    /// A cell is longer than [`Limits::max_cell_bytes`](super::Limits::max_cell_bytes).
    CellTooLarge,
    /// The record is longer than [`Limits::max_record_bytes`](super::Limits::max_record_bytes).
    RecordTooLarge,
    /// The record spans more lines than [`Limits::max_record_lines`](super::Limits::max_record_lines).
    TooManyLines,
    /// The record has more cells than [`Limits::max_columns`](super::Limits::max_columns).
    TooManyColumns,
    /// The record has more cells than the header, and not all of the extra ones are empty.
    ExtraCells,
    /// The text is not what its format asks for: an object of JSON that cannot be read, a card without its end.
    Malformed,
}

impl RowProblem {
    /// Stable machine-readable name: `unclosed_quote`, `extra_cells` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnclosedQuote => "unclosed_quote",
            Self::CellTooLarge => "cell_too_large",
            Self::RecordTooLarge => "record_too_large",
            Self::TooManyLines => "too_many_lines",
            Self::TooManyColumns => "too_many_columns",
            Self::ExtraCells => "extra_cells",
            Self::Malformed => "malformed",
        }
    }

    /// The problem that is told by this [sentence](Self::message).
    pub(super) fn of_message(message: &str) -> Option<Self> {
        const ALL: [RowProblem; 7] = [
            RowProblem::UnclosedQuote,
            RowProblem::CellTooLarge,
            RowProblem::RecordTooLarge,
            RowProblem::TooManyLines,
            RowProblem::TooManyColumns,
            RowProblem::ExtraCells,
            RowProblem::Malformed,
        ];
        ALL.into_iter().find(|problem| problem.message() == message)
    }

    /// The problem as a sentence.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnclosedQuote => "a quote on this line is never closed",
            Self::CellTooLarge => {
                "a cell that begins on this line is too large, perhaps for an unclosed quote"
            }
            Self::RecordTooLarge => "the record that begins on this line is too large",
            Self::TooManyLines => {
                "the record that begins on this line spans too many lines, perhaps for an unclosed quote"
            }
            Self::TooManyColumns => "there are too many columns",
            Self::ExtraCells => "there are more cells than columns",
            Self::Malformed => "the record is cut off or damaged",
        }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl From<Fault> for RowProblem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::UnclosedQuote => Self::UnclosedQuote,
            Fault::CellTooLarge => Self::CellTooLarge,
            Fault::RecordTooLarge => Self::RecordTooLarge,
            Fault::TooManyLines => Self::TooManyLines,
        }
    }
}
