//! What a new lead gets beyond what its row says of one that is known.

use super::column::Column;
use super::{Coercer, Intent};
use crate::domain::Field;
use crate::error::Violation;
use crate::value::fold;

impl Coercer {
    /// Gives a new lead the default values of the columns that the row leaves open, and the name beside its address where
    /// nothing else says who it is.
    pub(super) fn for_new(
        &mut self,
        intent: &mut Intent,
        left_open: &[(&Column, &str)],
        broken: &mut Vec<Violation>,
    ) {
        let beside = intent.beside.take().filter(|_| self.is_unnamed(intent));
        if left_open.is_empty() && beside.is_none() {
            return;
        }
        let mut new = intent.clone();
        for (column, value) in left_open {
            if column.at.field == Field::Currency && new.fields.currency.is_some() {
                // The amount said it.
                continue;
            }
            if let Err(error) = self.take(&mut new, (column, None), value.trim(), false) {
                broken.push(error.at(column.at.field.key()));
            }
        }
        if let Some(name) = beside.filter(|name| new.name.is_open() && !is_company(&new, name)) {
            new.name.full = Some(name);
        }
        self.finish(&mut new, broken);
        // A default does not say who the lead is.
        new.keys.clone_from(&intent.keys);
        intent.for_new = Some(Box::new(new));
    }

    /// Whether nothing in a row says who it is, and it may be said.
    fn is_unnamed(&self, intent: &Intent) -> bool {
        let is_name = |field: &Field| matches!(field, Field::Name | Field::FirstName | Field::LastName);
        self.keeps_names
            && intent.name.is_open()
            && !self.overruled.names_person()
            && !intent.clear.iter().any(is_name)
    }
}

fn is_company(intent: &Intent, name: &str) -> bool {
    intent.fields.company.as_deref().is_some_and(|company| fold(company) == fold(name))
}
