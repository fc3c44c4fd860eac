//! Conditions on custom fields: answered from `{prefix}lead_field`, whose key is (field, value, lead).

use leadcore::domain::{CustomKey, CustomValue, Field, FieldValue};
use leadcore::error::Result;
use leadcore::query::Resolved;

use super::{Compiler, lower, unsupported, upper};
use crate::repo::custom_value;

/// One end of a range and whether it is included.
type End<'a> = Option<&'a (FieldValue, bool)>;

impl Compiler<'_> {
    /// The rows `f` of one field.
    fn of_field(&mut self, field: &CustomKey) {
        self.text("f.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND f.field = ");
        self.param(field.as_str().to_owned());
    }

    /// Leads with a value `f.value` of this field that the condition admits.
    pub(super) fn custom(&mut self, field: &CustomKey, condition: impl FnOnce(&mut Self)) {
        self.text("(l.rid IN (SELECT f.rid FROM leadcore_lead_field f WHERE ");
        self.of_field(field);
        self.text(" AND ");
        condition(self);
        self.text("))");
    }

    /// Leads without a value have no row, so the lead's own column is asked.
    pub(crate) fn custom_empty(&mut self, field: &CustomKey) {
        self.text("(l.custom IS NULL OR json_type(l.custom, ");
        self.param(format!("$.{field}"));
        self.text(") IS NULL)");
    }

    pub(super) fn custom_equals(&mut self, field: &CustomKey, values: &[FieldValue], probes: bool) {
        let is_none = values.iter().filter_map(custom_value).next().is_none();
        if is_none {
            self.text("0");
        } else if probes {
            self.text("EXISTS (SELECT 1 FROM leadcore_lead_field f WHERE ");
            self.of_field(field);
            self.text(" AND ");
            self.is_one_of(values);
            self.text(" AND f.lead = l.id)");
        } else {
            self.custom(field, |c| c.is_one_of(values));
        }
    }

    fn is_one_of(&mut self, values: &[FieldValue]) {
        self.text("f.value");
        self.any_of(values.iter().filter_map(custom_value).collect());
    }

    pub(super) fn custom_range(
        &mut self,
        field: &CustomKey,
        (from, to): (End<'_>, End<'_>),
        probes: bool,
    ) -> Result<()> {
        let mut between = Ok(());
        if probes {
            self.text("EXISTS (SELECT 1 FROM leadcore_lead_field f INDEXED BY leadcore_lead_field_of WHERE f.lead = l.id AND ");
            self.of_field(field);
            self.text(" AND ");
            between = self.between(from, to);
            self.text(")");
        } else {
            self.custom(field, |c| between = c.between(from, to));
        }
        between
    }

    fn between(&mut self, from: End<'_>, to: End<'_>) -> Result<()> {
        let places = CustomValue::DECIMAL_PLACES;
        let from = from.map(|(end, included)| lower(end, *included, places)).transpose()?;
        let to = to.map(|(end, included)| upper(end, *included, places)).transpose()?;
        self.text("1");
        for (operator, end) in from.into_iter().chain(to) {
            self.text(&format!(" AND f.value {operator} "));
            self.param(end);
        }
        Ok(())
    }

    /// The rows `f` that fulfil a condition on equality or a range.
    pub(crate) fn custom_rows(&mut self, condition: &Resolved) -> Result<()> {
        match condition {
            Resolved::Equals(Field::Custom(field), values) => {
                self.of_field(field);
                self.text(" AND ");
                self.is_one_of(values);
                Ok(())
            }
            Resolved::Range { field: Field::Custom(field), from, to } => {
                self.of_field(field);
                self.text(" AND ");
                self.between(from.as_ref(), to.as_ref())
            }
            _ => Err(unsupported()),
        }
    }
}
