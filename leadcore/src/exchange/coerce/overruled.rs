//! What a person wrote in a plan instead of the cells of a row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Coercer;
use super::column::{Column, in_order};
use super::currency::{Named, currency_of};
use crate::domain::Field;
use crate::exchange::mapping::{ColumnRules, Located, Origin};

/// The fields that such texts stand for.
#[derive(Debug, Default)]
pub(super) struct Overruled {
    fields: BTreeSet<Field>,
    /// Those of them that are numbers, which are what they are.
    numbers: BTreeSet<Field>,
    /// Whether the currency is written, so that the cell of the amount says none.
    has_currency: bool,
}

impl Overruled {
    /// The fields of these texts, and what is said together with them: a name is that of the whole person, an amount with a
    /// currency says both.
    pub(super) fn by(set: &BTreeMap<Field, String>, numbers: &BTreeSet<Field>) -> Self {
        let mut fields: BTreeSet<Field> = set.keys().cloned().collect();
        if fields.contains(&Field::Name) {
            fields.extend([Field::FirstName, Field::LastName]);
        }
        if set.get(&Field::Amount).is_some_and(|text| matches!(currency_of(text), Some(Named::Code(_)))) {
            fields.insert(Field::Currency);
        }
        Self { has_currency: set.contains_key(&Field::Currency), fields, numbers: numbers.clone() }
    }

    /// The rules by which a cell of this column is read: no unit is that of a number that a person wrote.
    pub(super) fn rules<'r>(&self, field: &Field, rules: &'r ColumnRules) -> Cow<'r, ColumnRules> {
        if rules.unit.is_none() || !self.numbers.contains(field) {
            return Cow::Borrowed(rules);
        }
        Cow::Owned(ColumnRules { unit: None, ..rules.clone() })
    }

    /// Whether they stand for what this column says.
    pub(super) fn stands_for(&self, column: &Column) -> bool {
        self.fields.contains(&column.at.field) && column.at.rules.opt_out.is_none()
    }

    /// Whether they say who it is, or that it is nobody.
    pub(super) fn names_person(&self) -> bool {
        [Field::Name, Field::FirstName, Field::LastName].iter().any(|field| self.fields.contains(field))
    }

    pub(super) const fn has_currency(&self) -> bool {
        self.has_currency
    }
}

impl Coercer {
    /// Whether a person wrote the id of the row at hand, as it is told everywhere: with its system before it, where the caller
    /// named none for all.
    pub(super) fn is_id_of_a_person(&self) -> bool {
        self.overruled.fields.contains(&Field::ExternalId) && !self.options.names_system()
    }

    /// The first column of the field; one behind the others where there is none yet.
    pub(in crate::exchange) fn place_of(&mut self, field: &Field, width: usize) -> usize {
        let own = self.columns.iter().filter(|column| column.holds(field));
        if let Some(place) = own.flat_map(|column| column.at.from.places()).next() {
            return place;
        }
        let places = self.columns.iter().flat_map(|column| column.at.from.places());
        let place = places.map(|place| place + 1).max().unwrap_or(0).max(width);
        let from = Origin::Columns(place, Vec::new());
        let at = Located { from, field: field.clone(), rules: ColumnRules::default() };
        self.columns.push(Column::new(at, &self.catalogue, &self.options));
        in_order(&mut self.columns);
        place
    }

    /// The rows from here on have texts that a person wrote, by field: they stand for every column of these fields. Some of them
    /// are numbers.
    pub(in crate::exchange) fn overrule(&mut self, set: &BTreeMap<Field, String>, numbers: &BTreeSet<Field>) {
        self.overruled = Overruled::by(set, numbers);
    }

    /// The cells for which those texts stand.
    pub(in crate::exchange) fn overruled_places(&self) -> Vec<usize> {
        let own = self.columns.iter().filter(|column| self.overruled.stands_for(column));
        own.flat_map(|column| column.at.from.places()).collect()
    }
}
