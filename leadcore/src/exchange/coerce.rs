//! From the cells of a row to what it says about a lead.

mod cells;
mod column;
pub(super) mod consent;
pub(super) mod currency;
mod intent;
pub(super) mod mail;
mod overruled;
mod parts;
mod phones;
mod totals;
mod typed;

use std::borrow::Cow;
use std::collections::HashMap;

use super::Row;
use super::dates::read_date;
use super::import::{ImportOptions, MatchBy};
use super::mapping::{BadValues, ColumnRules, Located, Origin, Split};
use super::rejects::RejectColumns;
use crate::domain::{
    Catalogue, ExternalRef, Field, FieldType, FieldValue, LeadFields, MatchKey, MatchKind, Numbering,
    Reference, Term, TermKind,
};
use crate::error::{ValueError, Violation, ViolationCode};
use crate::value::{Country, DecimalMark, LIST_MARKS, PersonName, fold, split_list};

use column::{Column, in_order};
use currency::currency_of;
pub(super) use intent::{Content, Intent};
use overruled::Overruled;
use parts::{add_id, clear, kind, meanings, split_address, without_prefix};

/// Reads rows by one mapping.
#[derive(Debug)]
pub(super) struct Coercer {
    /// In the order in which fields depend on each other: parts of an address go over a whole line of it, and the row's
    /// country says how national numbers are read.
    columns: Vec<Column>,
    catalogue: Catalogue,
    options: ImportOptions,
    countries: HashMap<String, Result<Country, ValueError>>,
    encoding: &'static str,
    blanked: u64,
    left_out: Vec<Violation>,
    numbering: Numbering,
    /// Where a file of rejected rows says why.
    rejected: Option<RejectColumns>,
    /// What stands in the header, where the file has a line for it.
    header: Vec<String>,
    /// Whether a lead has a currency here.
    keeps_currency: bool,
    /// The folded cell that empties its field.
    clear: Option<String>,
    /// What folded cells of a field mean.
    meanings: HashMap<Field, HashMap<String, Option<String>>>,
    /// Which fields of the row at hand a person wrote.
    overruled: Overruled,
}

/// What a cell says once the choices of the caller are applied.
enum Said<'c> {
    Text(Cow<'c, str>),
    Nothing,
    Clear,
}

/// How many spellings of countries are remembered.
const COUNTRIES: usize = 2_000;

impl Coercer {
    pub(super) fn new(
        columns: Vec<Located>,
        catalogue: &Catalogue,
        options: &ImportOptions,
        encoding: &'static str,
    ) -> Self {
        let mut columns: Vec<_> = columns.into_iter().map(|at| Column::new(at, catalogue, options)).collect();
        in_order(&mut columns);
        Self {
            columns,
            catalogue: catalogue.clone(),
            options: options.clone(),
            countries: HashMap::new(),
            encoding,
            blanked: 0,
            left_out: Vec::new(),
            numbering: Numbering::default(),
            rejected: None,
            header: Vec::new(),
            keeps_currency: !catalogue.is_disabled(&Field::Currency),
            clear: options.clear.as_deref().map(|token| fold(token.trim())),
            meanings: options.terms.iter().map(|(field, rule)| (field.clone(), meanings(rule))).collect(),
            overruled: Overruled::default(),
        }
    }

    /// With the way in which the tenant writes numbers of leads.
    pub(super) fn with_numbering(mut self, numbering: Numbering) -> Self {
        self.numbering = numbering;
        self
    }

    /// With the headers of the file, which may be one of rejected rows.
    pub(super) fn with_headers(mut self, headers: &[String]) -> Self {
        self.rejected = RejectColumns::find(headers);
        self.columns.iter_mut().for_each(|column| column.headed(headers));
        self
    }

    /// Below a line of the file that is these headers: where it comes again it is no lead.
    pub(super) fn below(mut self, header: &[String]) -> Self {
        header.clone_into(&mut self.header);
        self
    }

    /// Without the currencies that cells of amounts name: for an actor who may not write them.
    pub(super) fn keeping_currency(mut self, may: bool) -> Self {
        self.keeps_currency &= may;
        self
    }

    fn said<'c>(&self, field: &Field, cell: &'c str) -> Said<'c> {
        if self.clear.is_none() && self.meanings.is_empty() {
            return Said::Text(Cow::Borrowed(cell));
        }
        let key = fold(cell);
        if self.clear.as_ref() == Some(&key) {
            return Said::Clear;
        }
        match self.meanings.get(field).and_then(|known| known.get(&key)) {
            None => Said::Text(Cow::Borrowed(cell)),
            Some(None) => Said::Nothing,
            Some(Some(meant)) => Said::Text(Cow::Owned(meant.clone())),
        }
    }

    /// Refuses constants that their fields cannot take: they would reject every row.
    pub(super) fn check_constants(&mut self) -> Result<(), Vec<Violation>> {
        let columns = std::mem::take(&mut self.columns);
        let mut broken = Vec::new();
        for column in &columns {
            let Origin::Constant(text) = &column.at.from else { continue };
            let field = &column.at.field;
            let taken = match self.said(field, text.trim()) {
                Said::Text(text) => self.take(&mut Intent::default(), (column, None), &text, false),
                Said::Clear => clear(&mut Intent::default(), field),
                Said::Nothing => Ok(()),
            };
            broken.extend(taken.err().map(|error| error.at(format!("constants.{field}"))));
        }
        self.columns = columns;
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// How many cells counted as empty since this was last asked.
    pub(super) fn take_blanked(&mut self) -> u64 {
        std::mem::take(&mut self.blanked)
    }

    /// What was wrong with the cells that were left out since this was last asked.
    pub(super) fn take_left_out(&mut self) -> Vec<Violation> {
        std::mem::take(&mut self.left_out)
    }

    pub(super) fn read(&mut self, row: &Row) -> Content {
        if let Some(broken) = self.unreadable(row) {
            return Content::Broken(vec![broken]);
        }
        if row.is_blank() {
            return Content::Blank;
        }
        if totals::is_header(
            row,
            &self.header,
            self.columns.iter().flat_map(|column| column.at.from.places()),
        ) {
            return Content::Header;
        }
        let columns = std::mem::take(&mut self.columns);
        let content = self.read_columns(row, &columns);
        self.columns = columns;
        content.map_or_else(Content::Broken, |mut intent| {
            intent.is_total = row.number() > 1 && !intent.is_recognisable() && totals::is_one(row);
            Content::Filled(Box::new(intent))
        })
    }

    fn read_columns(&mut self, row: &Row, columns: &[Column]) -> Result<Intent, Vec<Violation>> {
        let mut intent = Intent::default();
        let (mut broken, mut left_open) = (Vec::new(), Vec::new());
        for column in columns {
            if matches!(column.at.from, Origin::Constant(_)) && self.overruled.stands_for(column) {
                continue;
            }
            let cell = column.text(row, &mut self.blanked);
            if cell.is_empty() {
                left_open.extend(column.at.rules.default.as_deref().map(|value| (column, value)));
            } else if let Some(message) = column.unusable(row) {
                broken.push(Violation::new(column.at.field.key(), ViolationCode::Malformed, message));
            } else {
                let field = &column.at.field;
                let taken = match self.said(field, &cell) {
                    Said::Text(text) => {
                        let is_typed = matches!(text, Cow::Borrowed(_)) && column.is_number(row);
                        self.take(&mut intent, (column, Some(row)), &text, is_typed)
                    }
                    Said::Clear if column.at.rules.opt_out.is_some() => Err(consent::unclear()),
                    Said::Clear => clear(&mut intent, field),
                    Said::Nothing => {
                        self.blanked += 1;
                        left_open.extend(column.at.rules.default.as_deref().map(|value| (column, value)));
                        Ok(())
                    }
                };
                match taken {
                    Err(error) if column.at.rules.bad_values == Some(BadValues::LeaveOut) => {
                        self.left_out.push(error.at(field.key()));
                    }
                    Err(error) => broken.push(error.at(field.key())),
                    Ok(()) => {}
                }
            }
        }
        self.finish(&mut intent, &mut broken);
        if broken.is_empty() && !left_open.is_empty() {
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
            self.finish(&mut new, &mut broken);
            // A default does not say who the lead is.
            new.keys.clone_from(&intent.keys);
            intent.for_new = Some(Box::new(new));
        }
        if broken.is_empty() { Ok(intent) } else { Err(broken) }
    }

    /// Puts together what several cells said: the person and the keys.
    fn finish(&self, intent: &mut Intent, broken: &mut Vec<Violation>) {
        match intent.name.over(None) {
            // A salutation tells nobody from anybody.
            Ok(person) => {
                intent.person = person.filter(PersonName::names_somebody);
            }
            Err(error) => broken.push(error.at(Field::Name.key())),
        }
        broken.extend(phones::settle(intent).err().map(|error| error.at(Field::Phone.key())));
        broken.extend(currency::settle(intent).err().map(|error| error.at(Field::Amount.key())));
        // A lead that is not here keeps the id that it has where it comes from; the first of them, where it came far.
        if let Some(id) = intent.id.filter(|_| self.options.match_by == MatchBy::DEFAULT) {
            let ids = &mut intent.fields.external_ids;
            if ids.iter().all(|known| known.system() != ExternalRef::OWN) {
                ids.insert(ExternalRef::own(id));
            }
        }
        intent.keys = self.keys(&intent.fields);
    }

    /// What the lead may be recognised by.
    fn keys(&self, fields: &LeadFields) -> Vec<MatchKey> {
        let mut keys = fields.match_keys();
        keys.retain(|key| key.kind != MatchKind::Email || !mail::is_placeholder(&key.key));
        let by = &self.options.match_by;
        if *by == MatchBy::DEFAULT {
            return keys;
        }
        keys.retain(|key| {
            by.iter().any(|by| match by {
                MatchBy::ExternalId => key.kind == MatchKind::External,
                MatchBy::Email => key.kind == MatchKind::Email,
                MatchBy::Phone => key.kind == MatchKind::Phone,
                _ => false,
            })
        });
        for by in by {
            if let MatchBy::Custom(field) = by
                && let Some(value) = fields.custom.get(field)
            {
                keys.extend(value.forms().iter().filter_map(|form| MatchKey::custom(field, form)));
            }
        }
        keys
    }

    /// Why a row cannot be read at all.
    fn unreadable(&self, row: &Row) -> Option<Violation> {
        let (code, message) = if let Some(problem) = row.problem() {
            (ViolationCode::Malformed, problem.message().to_owned())
        } else if row.bad_encoding() {
            let message = format!("the line holds bytes that are no {} text", self.encoding);
            (ViolationCode::Malformed, message)
        } else if row.has_nul() {
            (ViolationCode::Malformed, "the line holds a NUL character".to_owned())
        } else {
            return self.rejected.as_ref()?.again(row);
        };
        Some(Violation::new("line", code, message))
    }

    /// Takes over what a cell says; `is_typed`: it is a number in its file, and no text that says one.
    fn take(
        &mut self,
        intent: &mut Intent,
        (column, row): (&Column, Option<&Row>),
        cell: &str,
        is_typed: bool,
    ) -> Result<(), ValueError> {
        let (field, rules) = (&column.at.field, &column.at.rules);
        if let Some(which) = rules.opt_out {
            return consent::take(intent, column, which, cell);
        }
        let said = rules.decimal_mark.unwrap_or(self.options.decimal_mark);
        let mark = if is_typed { DecimalMark::Dot } else { said };
        let fields = &mut intent.fields;
        match field {
            Field::Kind => intent.kind = Some(kind(cell)?),
            Field::Name => match (&rules.split, cell.split_once(char::is_whitespace)) {
                (Some(Split::FamilyFirst), Some((family, given))) if !cell.contains(',') => {
                    intent.name.family = Some(family.to_owned());
                    intent.name.given = Some(given.trim_start().to_owned());
                }
                _ => intent.name.full = Some(cell.to_owned()),
            },
            Field::Salutation => intent.name.salutation = Some(cell.to_owned()),
            Field::FirstName => intent.name.given = Some(cell.to_owned()),
            Field::LastName => intent.name.family = Some(cell.to_owned()),
            Field::Email => phones::take_emails(intent, column, cell, row)?,
            Field::Phone => {
                let region = self.region(rules, fields);
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
                parts::check_whole(cell)?;
                let id = without_prefix(cell, &["l", "f", "c", "ag", "as"]);
                fields.external_ids.insert(ExternalRef::new(&self.options.external_system, id)?);
            }
            Field::Stage => intent.stage = Some(Term::check_name(cell)?),
            Field::State => intent.state = Some(parts::state(cell)?),
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
                let words = (column.yes.as_slice(), column.no.as_slice());
                let value = cells::custom(custom, cell, mark, rules, words)?;
                if let Some(value) = custom.parse(&value, region)? {
                    fields.custom.insert(key.clone(), value);
                }
            }
            other => match other.field_type() {
                // A reason in words is none of a list, and none is added to it.
                FieldType::Reference(Reference::Term(
                    kind @ (TermKind::LostReason | TermKind::DisqualifyReason),
                )) => {
                    intent.terms.extend(Term::check_name(cell).ok().map(|name| (kind, name)));
                }
                FieldType::Reference(Reference::Term(kind)) => {
                    intent.terms.push((kind, Term::check_name(cell)?));
                }
                FieldType::Date => {
                    other.write(fields, &FieldValue::Date(read_date(cell, rules.date_order)?))?;
                }
                FieldType::Integer => other.write(fields, &cells::whole(cell, mark, rules.unit))?,
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

#[cfg(test)]
mod tests;
