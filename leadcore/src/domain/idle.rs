//! How long nothing happened to a lead (X.21).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

use super::lead::Lead;
use super::pipeline::Pipeline;

/// How long nothing happened to a lead, and whether that is too long for its stage.
///
/// The clock counts from the later of entering the stage and the last activity. It agrees with the filter
/// [`Circumstance::Rotting`](crate::query::Circumstance::Rotting).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Idle {
    /// Since when nothing happened.
    pub since: Timestamp,
    /// How many whole days that is.
    pub days: u32,
    /// Since when that is longer than the stage allows: none for a lead that does not rot, also because it is won, lost,
    /// disqualified, converted or in the trash.
    pub rotting_since: Option<Timestamp>,
}

impl Idle {
    /// How idle this lead is now. `pipelines` are those of its tenant.
    #[must_use]
    pub fn of(lead: &Lead, pipelines: &[Pipeline], now: Timestamp) -> Self {
        let since = lead.active_at;
        let days = u32::try_from(now.since(since).num_days()).unwrap_or(0);
        let is_worked = lead.closing.is_none() && lead.conversion.is_none() && lead.trashed.is_none();
        let stage = pipelines.iter().find_map(|pipeline| pipeline.stage(lead.stage));
        let allowed = stage.filter(|_| is_worked).and_then(|stage| stage.idle_days);
        let rotting_since =
            allowed.map(|days| since.saturating_add(TimeDelta::days(days.into()))).filter(|from| *from < now);
        Self { since, days, rotting_since }
    }

    /// Whether nothing happened for longer than the stage allows.
    #[must_use]
    pub const fn is_rotting(&self) -> bool {
        self.rotting_since.is_some()
    }
}
