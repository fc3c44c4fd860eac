//! Which fields there are for the columns of a file: of the same file more is read once there are more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Catalogue, Field};
use crate::exchange::Mapping;

/// The fields that an actor may fill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Offered {
    /// Those of every tenant that this one has not, or that the actor may not see.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    closed: BTreeSet<Field>,
    /// Those of its own.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    custom: BTreeSet<Field>,
}

impl Offered {
    pub(super) fn now(ctx: &Context<'_>, catalogue: &Catalogue) -> Self {
        let is_hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
        let is_closed = |field: &&Field| is_hidden(field) || catalogue.is_disabled(field);
        let standard = Field::ALL.iter().filter(|field| field.is_imported());
        let own = |field: &Field| matches!(field, Field::Custom(_)) && !is_hidden(field);
        Self {
            closed: standard.filter(is_closed).cloned().collect(),
            custom: catalogue.fields().filter(own).collect(),
        }
    }

    /// Whether there is a field now that there was not then.
    fn is_new(&self, then: &Self, field: &Field) -> bool {
        match field {
            Field::Custom(_) => self.custom.contains(field) && !then.custom.contains(field),
            _ => then.closed.contains(field) && !self.closed.contains(field),
        }
    }

    pub(super) fn is_more_than(&self, then: &Self) -> bool {
        let closed = then.closed.iter().any(|field| self.is_new(then, field));
        closed || self.custom.iter().any(|field| self.is_new(then, field))
    }

    /// Whether amounts are read with their currencies now that they were read without.
    pub(super) fn has_currency_now(&self, then: &Self, mapping: &Mapping) -> bool {
        let fields = [Field::Currency, Field::CurrencySymbol];
        let has_amount = mapping.fields().any(|field| *field == Field::Amount);
        has_amount && fields.iter().any(|field| self.is_new(then, field))
    }

    /// The mapping of then, with the columns that nobody read of the fields that are new.
    pub(super) fn filled(&self, then: &Self, mut mapping: Mapping, proposed: &Mapping) -> Mapping {
        for (column, new) in mapping.columns.iter_mut().zip(&proposed.columns) {
            let is_new = new.field.as_ref().is_some_and(|field| self.is_new(then, field));
            if column.field.is_none() && column.header == new.header && is_new {
                column.clone_from(new);
            }
        }
        mapping
    }
}
