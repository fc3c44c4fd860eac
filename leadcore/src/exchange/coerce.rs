//! From the cells of a row to what it says about a lead.

mod cells;
mod column;
pub(super) mod consent;
pub(super) mod currency;
mod fresh;
mod intent;
mod links;
pub(super) mod mail;
mod overruled;
mod parts;
mod phones;
mod take;
mod totals;
mod typed;

use std::borrow::Cow;
use std::collections::HashMap;

use super::import::{ImportOptions, MatchBy};
use super::mapping::{BadValues, Located, Origin};
use super::rejects::RejectColumns;
use super::{FileKind, Row};
use crate::domain::{Catalogue, ExternalRef, Field, LeadFields, MatchKey, MatchKind, Numbering};
use crate::error::{ValueError, Violation, ViolationCode};
use crate::id::LeadId;
use crate::value::{Country, PersonName, Phone, fold};

use column::{Column, in_order};
pub(super) use intent::{Content, Intent};
pub(super) use links::{derived, stand_in};
use overruled::Overruled;
pub(super) use parts::End;
use parts::{clear, meanings};
pub(super) use phones::is_national;

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
    is_of_text: bool,
    blanked: u64,
    needs_region: bool,
    left_out: Vec<Violation>,
    /// Whether a column holds links to leads.
    has_links: bool,
    refused_ids: Vec<LeadId>,
    numbering: Numbering,
    /// Where a file of rejected rows says why.
    rejected: Option<RejectColumns>,
    /// How many columns the file has.
    width: usize,
    /// What stands in the header, where the file has a line for it.
    header: Vec<String>,
    /// Whether a lead has a currency here.
    keeps_currency: bool,
    /// Whether the actor may write who a lead is.
    keeps_names: bool,
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

impl Coercer {
    pub(super) fn new(
        columns: Vec<Located>,
        catalogue: &Catalogue,
        options: &ImportOptions,
        encoding: &'static str,
    ) -> Self {
        let mut columns: Vec<_> = columns.into_iter().map(|at| Column::new(at, catalogue, options)).collect();
        in_order(&mut columns);
        let has_links = columns.iter().any(|column| links::is_link(catalogue, &column.at.field));
        Self {
            columns,
            has_links,
            refused_ids: Vec::new(),
            catalogue: catalogue.clone(),
            options: options.clone(),
            countries: HashMap::new(),
            encoding,
            is_of_text: true,
            blanked: 0,
            needs_region: false,
            left_out: Vec::new(),
            numbering: Numbering::default(),
            rejected: None,
            width: 0,
            header: Vec::new(),
            keeps_currency: !catalogue.is_disabled(&Field::Currency),
            keeps_names: !catalogue.is_disabled(&Field::Name),
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
        (self.rejected, self.width) = (RejectColumns::find(headers), headers.len());
        self.columns.iter_mut().for_each(|column| column.headed(headers));
        self
    }

    /// Of a file of this kind.
    pub(super) fn of_kind(mut self, kind: FileKind) -> Self {
        self.is_of_text = kind == FileKind::Csv;
        self.columns.iter_mut().for_each(|column| column.is_of_text = self.is_of_text);
        self
    }

    /// Whether the file is text with a character between cells.
    pub(super) const fn is_of_text(&self) -> bool {
        self.is_of_text
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

    /// Without the names that stand beside e-mail addresses: for an actor who may not write them.
    pub(super) fn keeping_names(mut self, may: bool) -> Self {
        self.keeps_names &= may;
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

    /// Whether a number was one of the region that was said since this was last asked.
    pub(super) fn take_needs_region(&mut self) -> bool {
        std::mem::take(&mut self.needs_region)
    }

    /// What was wrong with the cells that were left out since this was last asked.
    pub(super) fn take_left_out(&mut self) -> Vec<Violation> {
        std::mem::take(&mut self.left_out)
    }

    pub(super) fn read(&mut self, row: &Row) -> Content {
        if let Some(broken) = self.unreadable(row) {
            let columns = std::mem::take(&mut self.columns);
            self.keep_ids(row, &columns);
            self.columns = columns;
            return Content::Broken(vec![broken]);
        }
        if row.is_blank() || totals::is_rule(row) {
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
        if content.is_err() {
            self.keep_ids(row, &columns);
        }
        self.columns = columns;
        content.map_or_else(Content::Broken, |mut intent| {
            let is_sure = !intent.is_recognisable() && totals::is_surely_one(row, self.width);
            // The first row is a lead, unless it is surely none.
            let is_total = row.number() > 1 && !intent.is_recognisable() && totals::is_one(row);
            (intent.is_total, intent.is_sure_total) = (is_sure || is_total, is_sure);
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
            } else if let Some(message) = column.unusable(row, self.is_of_text) {
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
        if broken.is_empty() {
            self.for_new(&mut intent, &left_open, &mut broken);
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
        // A lead may have the number as it was typed, from before anybody said its country.
        let as_typed = fields.phones.iter().filter_map(Phone::key_as_typed);
        keys.extend(as_typed.map(|key| MatchKey::new(MatchKind::Phone, key)));
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
}

#[cfg(test)]
mod tests;
