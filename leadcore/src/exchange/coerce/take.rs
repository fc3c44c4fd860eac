//! What one cell says, field by field.

use super::super::Row;
use super::super::dates::{read_date, read_time};
use super::super::mapping::{ColumnRules, Split};
use super::column::Column;
use super::currency::{self, currency_of};
use super::links::is_link;
use super::parts::{self, add_id, kind, split_address};
use super::{Coercer, Intent, Said, cells, consent, phones};
use crate::domain::{ExternalRef, Field, FieldType, FieldValue, LeadFields, Reference, Term, TermKind};
use crate::error::{ValueError, ViolationCode};
use crate::value::{Country, DecimalMark, LIST_MARKS, split_list};

/// How many spellings of countries are remembered.
const COUNTRIES: usize = 2_000;

impl Coercer {
    /// Takes over what a cell says; `is_typed`: it is a number in its file, and no text that says one.
    pub(super) fn take(
        &mut self,
        intent: &mut Intent,
        (column, row): (&Column, Option<&Row>),
        cell: &str,
        is_typed: bool,
    ) -> Result<(), ValueError> {
        let field = &column.at.field;
        let rules = self.overruled.rules(field, &column.at.rules);
        let rules = rules.as_ref();
        if let Some(which) = rules.opt_out {
            return consent::take(intent, column, which, cell);
        }
        let said = rules.decimal_mark.unwrap_or(self.options.decimal_mark);
        let mark = if is_typed { DecimalMark::Dot } else { said };
        let fields = &mut intent.fields;
        match field {
            Field::Kind => intent.kind = Some(kind(cell)?),
            Field::Name if rules.split == Some(Split::FamilyFirst) => intent.name.take_family_first(cell),
            Field::Name => intent.name.full = Some(cell.to_owned()),
            Field::Salutation => intent.name.salutation = Some(cell.to_owned()),
            Field::FirstName => intent.name.given = Some(cell.to_owned()),
            Field::LastName => intent.name.family = Some(cell.to_owned()),
            Field::Email => phones::take_emails(intent, column, cell, row)?,
            Field::Phone => {
                let region = self.region(rules, fields);
                self.needs_region |=
                    rules.region.is_none() && fields.phone_region().is_none() && phones::is_national(cell);
                phones::take_phones(intent, column, cell, row, region)?;
            }
            Field::Country => {
                let country = self.country(cell)?;
                fields.address = std::mem::take(&mut fields.address).with_country(Some(country));
            }
            Field::Street if rules.split == Some(Split::Address) => return split_address(fields, cell),
            Field::Amount => {
                fields.amount = Some(cells::amount(cell, mark, rules.unit)?);
                let named = currency_of(cell).or_else(|| column.currency.clone());
                intent.named = named.filter(|_| self.keeps_currency && !self.overruled.has_currency());
            }
            Field::Currency => currency::take(intent, cell)?,
            Field::ExternalId if rules.split == Some(Split::ExternalIds) || self.is_id_of_a_person() => {
                for item in split_list(cell, &LIST_MARKS) {
                    add_id(fields, self.id_with_system(&item)?)?;
                }
            }
            Field::ExternalId => {
                fields.external_ids.insert(self.external_id(cell, column.is_of_cards)?);
            }
            Field::Stage => intent.stage = Some(Term::check_name(cell)?),
            Field::State => intent.state = Some(parts::state(cell)?),
            Field::Outcome => return parts::end(intent, cell),
            Field::ClosedAt => {
                intent.closed_at = Some(read_time(cell, rules.date_order, rules.utc_offset)?);
            }
            Field::ReasonDetail => intent.reason_detail = Some(cell.to_owned()),
            Field::Labels => {
                for name in rules.names_in(cell) {
                    // The token for the whole cell is none of a label.
                    if let Said::Text(name) = self.said(&Field::Labels, &name) {
                        intent.terms.push((TermKind::Label, Term::check_name(&name)?));
                    }
                }
            }
            Field::Id => {
                let id =
                    cell.parse().map_err(|_| ValueError::new(ViolationCode::Malformed, "this is no id"))?;
                intent.id = Some(id);
            }
            Field::Number => {
                let wrong = || ValueError::new(ViolationCode::Malformed, "this is no number of a lead");
                intent.number = Some(self.numbering.parse(cell).ok_or_else(wrong)?);
            }
            Field::Custom(key) => {
                let region = self.region(rules, fields);
                let custom = self.catalogue.usable(key)?;
                if is_link(&self.catalogue, field) {
                    return self.take_link(intent, key, cell);
                }
                let words = (column.yes.as_slice(), column.no.as_slice());
                let value = cells::custom(custom, cell, mark, rules, words)?;
                if let Some(value) = custom.parse(&value, region)? {
                    fields.custom.insert(key.clone(), value);
                }
            }
            other => match other.field_type() {
                // A reason in words is none of a list, and none is added to it: what no list can have stands for one.
                FieldType::Reference(Reference::Term(
                    kind @ (TermKind::LostReason | TermKind::DisqualifyReason),
                )) => {
                    intent.terms.push((kind, Term::check_name(cell).unwrap_or_default()));
                }
                FieldType::Reference(Reference::Term(kind)) => {
                    intent.terms.push((kind, Term::check_name(cell)?));
                }
                FieldType::Date => {
                    other.write(fields, &FieldValue::Date(read_date(cell, rules.date_order)?))?;
                }
                FieldType::Integer => {
                    let is_reckoned = matches!(other, Field::Probability | Field::Score);
                    other.write(fields, &cells::whole(cell, mark, rules.unit, is_reckoned))?;
                }
                _ => other.write(fields, &FieldValue::from(cell))?,
            },
        }
        Ok(())
    }

    /// `system:id`; without a system before it, an id of the import's own.
    fn id_with_system(&self, item: &str) -> Result<ExternalRef, ValueError> {
        if item.contains(':') {
            return ExternalRef::parse(item);
        }
        ExternalRef::new(&self.options.external_system, item)
    }

    /// Where national phone numbers of a column are dialled from.
    fn region(&self, rules: &ColumnRules, fields: &LeadFields) -> Option<Country> {
        rules.region.or_else(|| fields.phone_region()).or(self.options.region)
    }

    fn country(&mut self, cell: &str) -> Result<Country, ValueError> {
        if let Some(known) = self.countries.get(cell) {
            return known.clone();
        }
        let country = Country::parse(cell);
        if self.countries.len() < COUNTRIES {
            self.countries.insert(cell.to_owned(), country.clone());
        }
        country
    }
}
