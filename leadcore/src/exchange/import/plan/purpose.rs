//! What rows are decided for, and whether a decision is still what was planned.

use crate::domain::{Field, FieldChange, FieldValue};
use crate::error::Violation;

/// For whom it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange::import) enum Purpose {
    /// To be written.
    Write,
    /// To be written if it is still what was planned.
    WriteAsPlanned,
    /// To be counted.
    Count,
    /// To be shown line by line.
    Plan,
}

impl Purpose {
    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::WriteAsPlanned)
    }

    pub(super) const fn is_detailed(self) -> bool {
        matches!(self, Self::WriteAsPlanned | Self::Plan)
    }
}

/// Why a row is not written.
pub(super) enum Refused {
    For(Vec<Violation>),
    /// It is not what was planned.
    Stale,
    /// It is what was planned, and nobody asked for more.
    Tried,
}

impl From<Vec<Violation>> for Refused {
    fn from(reasons: Vec<Violation>) -> Self {
        Self::For(reasons)
    }
}

impl From<Violation> for Refused {
    fn from(reason: Violation) -> Self {
        Self::For(vec![reason])
    }
}

/// Whether two lists of changes say the same, whatever they say of this field.
pub(super) fn alike_but(then: &[FieldChange], now: &[FieldChange], field: Option<&Field>) -> bool {
    let told = |change: &&FieldChange| field.is_none_or(|field| change.field != field.key());
    let (mut then, mut now) = (then.iter().filter(told), now.iter().filter(told));
    loop {
        match (then.next(), now.next()) {
            (None, None) => return true,
            (Some(a), Some(b))
                if a.field == b.field && same(&a.before, &b.before) && same(&a.after, &b.after) => {}
            _ => return false,
        }
    }
}

/// Whether nothing is written now that was not planned, whatever was there before.
pub(super) fn within(then: &[FieldChange], now: &[FieldChange]) -> bool {
    now.iter().all(|now| then.iter().any(|then| then.field == now.field && same(&then.after, &now.after)))
}

/// A value that was stored has times and decimals as text.
fn same(a: &FieldValue, b: &FieldValue) -> bool {
    a == b || as_stored(a) == as_stored(b)
}

fn as_stored(value: &FieldValue) -> Option<FieldValue> {
    serde_json::from_value(serde_json::to_value(value).ok()?).ok()
}
