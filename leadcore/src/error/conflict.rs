//! Why a write does not fit the record as it is now.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::id::{LeadId, Revision};

use super::{Detail, Error, ErrorKind, Inner};

/// Why a write could not be applied to the record as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Conflict {
    /// The caller read one revision, the store holds another.
    StaleRevision {
        /// The revision the caller sent.
        expected: Revision,
        /// The revision the store holds.
        found: Revision,
    },
    /// The record is still used by this many others.
    InUse {
        /// How many records refer to it.
        by: u64,
    },
    /// The lead was converted; edit the account or contact instead.
    Converted,
    /// Only a customer has what was asked for (S4.14): plan the conversion of this lead as it is, carry it out, and ask again.
    ConversionRequired {
        /// The lead to convert.
        lead: LeadId,
        /// Its revision: what the conversion is planned for.
        revision: Revision,
    },
    /// The plan no longer fits what it was made from.
    PlanOutdated,
    /// What a conversion made is used or was changed since, so that it is not taken back: the plan lists each.
    Blocked {
        /// How much stands against it.
        by: u64,
    },
    /// The caller's key stands for another call already: its first outcome is no answer to this one.
    KeyReused {
        /// What differs from the first call: `lead`, `account`, `customer` …; `call` when something else was called.
        differs: Vec<String>,
    },
    /// The tenant closed this function for leads in the state of this one (S4.15).
    Closed {
        /// Which: `edit`, `move` … or one of the host's own.
        function: String,
    },
    /// The number series has no number left: widen its range, or take another.
    SeriesExhausted {
        /// What the tenant calls it.
        series: String,
        /// The last number of its range.
        last: u64,
    },
    /// This edit of a number series could give a number twice, or leave one out where none may be missing.
    NumberTaken {
        /// The number that stands against it, as it is written.
        number: String,
        /// The series that it is of, by the name that the tenant gave it.
        series: String,
    },
    /// Several records may be the one that is meant, and nobody chose.
    AmbiguousMatch {
        /// Those that the actor may see, the likeliest first.
        candidates: Vec<MatchRef>,
        /// How many others there are, at least: those out of sight, and one for all that were not looked at because too
        /// many have the same in common.
        elsewhere: u64,
    },
}

/// A record that may be the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchRef {
    /// What it is: `account` or `contact`.
    pub record: String,
    /// Its id.
    pub id: uuid::Uuid,
    /// How sure it is, 0 to 100.
    pub score: u8,
}

impl Conflict {
    /// The kind of error that it is, and a sentence.
    pub(super) fn told(&self, what: &str) -> (ErrorKind, String) {
        match self {
            Self::StaleRevision { expected, found } => (
                ErrorKind::Conflict,
                format!("{what} changed since it was read: revision {found}, expected {expected}"),
            ),
            Self::InUse { by } => (ErrorKind::Conflict, format!("{what} is in use by {by} records")),
            Self::Converted => (ErrorKind::Frozen, format!("{what} was converted and takes no more edits")),
            Self::ConversionRequired { .. } => {
                (ErrorKind::Conflict, format!("{what} needs a customer: convert the lead first"))
            }
            Self::PlanOutdated => {
                (ErrorKind::Conflict, format!("{what} changed since the plan was made: plan again"))
            }
            Self::Blocked { by } => {
                let things = if *by == 1 { "thing stands" } else { "things stand" };
                let message =
                    format!("the conversion of this {what} is not taken back: {by} {things} against it");
                (ErrorKind::Conflict, message)
            }
            Self::KeyReused { differs } => {
                let differs = differs.join("`, `");
                (
                    ErrorKind::Conflict,
                    format!("the key of this {what} was used before, with another `{differs}`"),
                )
            }
            Self::Closed { function } => {
                (ErrorKind::Conflict, format!("`{function}` is closed for this {what} in its state"))
            }
            Self::SeriesExhausted { series, last } => {
                (ErrorKind::Conflict, format!("the number series `{series}` is used up: it ends with {last}"))
            }
            Self::NumberTaken { number, series } => (
                ErrorKind::Conflict,
                format!("the number {number} of the series `{series}` stands against it"),
            ),
            Self::AmbiguousMatch { candidates, elsewhere } => {
                (ErrorKind::Conflict, ambiguous(what, candidates.len(), *elsewhere, false))
            }
        }
    }
}

/// What is said of several records that may be meant: of so many in sight, so many out of it, of which nothing is told but that
/// they are there, and perhaps of some that were not looked at.
fn ambiguous(what: &str, in_sight: usize, out_of_sight: u64, is_cut: bool) -> String {
    let count = u64::try_from(in_sight).unwrap_or(u64::MAX).saturating_add(out_of_sight);
    let records = if count == 1 { "record" } else { "records" };
    let by_id = "choose one by id, or none for a new one";
    let unseen = "not looked at, because too many have the same in common";
    match (in_sight, out_of_sight, is_cut) {
        (0, 0, true) => format!("records that were {unseen}, may be this {what}: {by_id}"),
        (0, _, true) => format!(
            "{count} {records} out of sight, and some {unseen}, may be this {what}: ask somebody who sees all, {by_id}"
        ),
        (0, _, false) => {
            format!("{count} {records} out of sight may be this {what}: ask somebody who sees all, {by_id}")
        }
        (_, _, true) => format!("{count} {records}, and some {unseen}, may be this {what}: choose one"),
        (_, _, false) => format!("{count} {records} may be this {what}: choose one"),
    }
}

impl Error {
    /// [`InUse`](Conflict::InUse) by converted leads, which stay as they were: with what can be done instead.
    pub(crate) fn in_use_by_converted(what: &str, by: u64, instead: &str) -> Self {
        let leads = if by == 1 { "lead" } else { "leads" };
        let message = format!(
            "{what} is in use by {by} converted {leads}, which stay as they were converted: {instead}, or take the \
             conversions back first"
        );
        Self(Box::new(Inner {
            kind: ErrorKind::Conflict,
            context: Cow::Owned(message),
            detail: Detail::Conflict(Conflict::InUse { by }),
            source: None,
            operation: None,
        }))
    }

    /// [`InUse`](Conflict::InUse) by these rules of the conversion mapping.
    pub(crate) fn in_use_by_mapping(what: &str, rules: &[String]) -> Self {
        let message = format!(
            "{what} is in use by the conversion mapping ({}): change the mapping first",
            rules.join(", ")
        );
        let by = u64::try_from(rules.len()).unwrap_or(u64::MAX);
        Self(Box::new(Inner {
            kind: ErrorKind::Conflict,
            context: Cow::Owned(message),
            detail: Detail::Conflict(Conflict::InUse { by }),
            source: None,
            operation: None,
        }))
    }

    /// [`AmbiguousMatch`](Conflict::AmbiguousMatch), with what is out of sight told apart from what was not looked at.
    pub(crate) fn ambiguous_match(
        what: &str,
        candidates: Vec<MatchRef>,
        out_of_sight: u64,
        is_cut: bool,
    ) -> Self {
        let message = ambiguous(what, candidates.len(), out_of_sight, is_cut);
        let elsewhere = out_of_sight.saturating_add(u64::from(is_cut));
        Self(Box::new(Inner {
            kind: ErrorKind::Conflict,
            context: Cow::Owned(message),
            detail: Detail::Conflict(Conflict::AmbiguousMatch { candidates, elsewhere }),
            source: None,
            operation: None,
        }))
    }
}
