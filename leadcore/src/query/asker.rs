//! Who asks a filter, and when.

use chrono::{FixedOffset, TimeDelta};

use crate::domain::{Catalogue, Field, FieldType, Numbering, Pipeline};
use crate::error::{ValueError, ViolationCode};
use crate::id::UserId;
use crate::time::Timestamp;

use super::search::SearchParts;

/// Who asks, and when: what `me`, `last_days` and the like mean.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The acting user, if it is one.
    pub user: Option<&'a UserId>,
    /// The time of asking.
    pub now: Timestamp,
    /// Those who make up `my_team` besides the acting user, where the host has said so.
    pub team: Option<&'a [UserId]>,
    /// The offset from UTC that decides where days begin.
    pub offset: FixedOffset,
    /// The tenant's pipelines, for [`Circumstance::Rotting`](super::Circumstance::Rotting).
    pub pipelines: &'a [Pipeline],
    /// What the custom fields of the tenant are; without it, a filter on one is refused.
    pub catalogue: Option<&'a Catalogue>,
    /// How the tenant writes lead numbers; without it, a search finds them by their digits alone.
    pub numbering: Option<&'a Numbering>,
    /// Which parts of the leads a search looks into.
    pub searched: SearchParts,
}

impl<'a> Asker<'a> {
    /// The same with the tenant's catalogue.
    #[must_use]
    pub const fn with(mut self, catalogue: &'a Catalogue) -> Self {
        self.catalogue = Some(catalogue);
        self
    }

    /// What values a field takes.
    pub(super) fn field_type(&self, field: &Field) -> Result<FieldType, ValueError> {
        match (field, self.catalogue) {
            (_, Some(catalogue)) => catalogue.field_type(field),
            (Field::Custom(_), None) => {
                Err(ValueError::new(ViolationCode::Unknown, "there is no field with this key"))
            }
            (standard, None) => Ok(standard.field_type()),
        }
    }

    /// `days` days from now (negative: ago).
    pub(super) fn in_days(&self, days: i64) -> Timestamp {
        // Clamped well outside the years that can be held, so that any number of days is a time.
        self.now.saturating_add(TimeDelta::days(days.clamp(-4_000_000, 4_000_000)))
    }
}
