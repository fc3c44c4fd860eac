//! Columns whose meaning is known: those of address-book cards, and those beside a mapping that was saved.

use std::collections::{BTreeMap, BTreeSet};

use super::super::proposal::{ColumnProposal, Evidence, Note};
use super::super::{ColumnMapping, ColumnRules, DateOrder, Mapping, Sample, Unit, takes_several};
use super::{Candidate, Column, Knowledge, Proposer};
use crate::domain::{Catalogue, Field, FieldType, LeadState, header_key};
use crate::exchange::coerce::End;
use crate::exchange::dates::read_time;
use crate::exchange::import::CARD_ID;
use crate::exchange::unescape_formula;
use crate::value::{Currency, DecimalMark, fold};

/// What the columns of cards are; the numbered ones without their numbers.
const CARDS: [(&str, Field); 17] = [
    ("Full name", Field::Name),
    ("Salutation", Field::Salutation),
    ("First name", Field::FirstName),
    ("Last name", Field::LastName),
    ("Company", Field::Company),
    ("Job title", Field::JobTitle),
    ("Street", Field::Street),
    ("City", Field::City),
    ("State", Field::Region),
    ("Postal code", Field::PostalCode),
    ("Country", Field::Country),
    ("Website", Field::Website),
    ("Note", Field::Description),
    ("Categories", Field::Labels),
    (CARD_ID, Field::ExternalId),
    ("E-mail", Field::Email),
    ("Phone", Field::Phone),
];

/// What a column of cards is. Its values say nothing about that: it was filled by what the card calls them.
pub(super) fn of_cards(header: &str, catalogue: &Catalogue) -> Option<Candidate> {
    let name = header.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
    let (_, field) = CARDS.into_iter().find(|(known, _)| *known == name)?;
    (!catalogue.is_disabled(&field)).then(|| Candidate {
        field,
        rank: 0,
        confidence: 0.95,
        evidence: vec![Evidence::Label],
        says: None,
    })
}

/// A header as it is compared with that of an earlier file.
pub(in crate::exchange) fn header_name(header: &str) -> String {
    fold(unescape_formula(header)).trim().to_owned()
}

/// Of each column of a file: the field that a mapping gives it, and what a person should know of how its cells are read.
pub(in crate::exchange) fn column_notes(
    sample: &Sample,
    catalogue: &Catalogue,
    mapping: &Mapping,
) -> Vec<(Option<Field>, Vec<Note>)> {
    let knowledge = Knowledge::new(catalogue);
    let table = Proposer::new(sample, &knowledge);
    let mut left: Vec<&ColumnMapping> = mapping.columns.iter().collect();
    let columns = table.columns.iter().map(|column| {
        let same =
            |known: &&ColumnMapping| unescape_formula(&known.header) == unescape_formula(column.header);
        let known = left.iter().position(same).map(|place| left.remove(place));
        let Some(field) = known.and_then(|known| known.field.clone()) else {
            return (None, table.unread_consent(column).into_iter().chain(closed(column)).collect());
        };
        let rules = known.map(|known| known.rules.clone()).unwrap_or_default();
        let notes = table.told(column, &field, &rules, mapping);
        (Some(field), notes)
    });
    columns.collect()
}

/// A mapping that somebody said, with what the cells of a file say of how its columns are read where that was not said.
/// `mark`: what was said of all columns.
pub(in crate::exchange) fn completed(
    sample: &Sample,
    catalogue: &Catalogue,
    mut mapping: Mapping,
    mark: DecimalMark,
) -> Mapping {
    let knowledge = Knowledge::new(catalogue);
    let table = Proposer::new(sample, &knowledge);
    let mut left: Vec<&mut ColumnMapping> = mapping.columns.iter_mut().collect();
    for column in &table.columns {
        let same =
            |known: &&mut ColumnMapping| unescape_formula(&known.header) == unescape_formula(column.header);
        let Some(known) = left.iter().position(same).map(|place| left.remove(place)) else { continue };
        if let Some(field) = &known.field {
            table.complete(column, field, &mut known.rules, mark);
        }
    }
    mapping
}

/// What to know of a column that says how leads ended, as an export writes their states, and is not read.
fn closed(column: &Column<'_>) -> Option<Note> {
    let ended = |cell: &str| state(cell).is_some_and(|state| state != LeadState::Open);
    let cells = column.cells.count(ended);
    (cells > 0 && holds_states(column)).then_some(Note::Closed { cells })
}

fn state(cell: &str) -> Option<LeadState> {
    LeadState::from_code(&fold(cell))
}

/// Whether nothing but states of leads is in it.
fn holds_states(column: &Column<'_>) -> bool {
    holds_only(column, |cell| state(cell).is_some())
}

fn holds_only(column: &Column<'_>, is_one: impl Fn(&str) -> bool) -> bool {
    let (all, filled) = (column.cells.count(is_one), column.cells.filled.len());
    filled > 0 && all == filled
}

/// The zone that a header names behind the rest of it, as those of our workbooks do (`Closed (UTC+01:00)`): the rest, and minutes
/// east of UTC.
pub(super) fn zone(header: &str) -> Option<(&str, i32)> {
    let (rest, zone) = header.trim_end().strip_suffix(')')?.rsplit_once(" (UTC")?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let minutes = hours.parse::<i32>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?;
    match zone.chars().next() {
        Some('+') => Some((rest, minutes)),
        Some('-') => Some((rest, minutes.saturating_neg())),
        _ => None,
    }
}

/// What a column says of the state of its leads, of how they ended or when: called so, and with nothing else in it.
pub(super) fn told_by_cells(column: &Column<'_>, catalogue: &Catalogue) -> Option<Field> {
    let header = unescape_formula(column.header);
    let (name, zone) = zone(header).map_or((header, None), |(name, zone)| (name, Some(zone)));
    let is_called = |field: &Field| match field {
        Field::ClosedAt => catalogue.is_called(field, name),
        Field::State => catalogue.is_called(field, header) || column.key == "leadstate",
        _ => catalogue.is_called(field, header) || column.key == "leadoutcome",
    };
    let holds = |field: &Field| match field {
        Field::State => holds_states(column),
        Field::ClosedAt => holds_only(column, |cell| read_time(cell, None, zone).is_ok()),
        _ => holds_only(column, |cell| End::of(cell).is_some()),
    };
    let fields = [Field::State, Field::Outcome, Field::ClosedAt].into_iter();
    fields.filter(|field| !catalogue.is_disabled(field)).find(|field| is_called(field) && holds(field))
}

impl Proposer<'_, '_> {
    /// Adds to the rules of a column what its cells say of how they are read.
    pub(super) fn complete(
        &self,
        column: &Column<'_>,
        field: &Field,
        rules: &mut ColumnRules,
        mark: DecimalMark,
    ) {
        if rules.opt_out.is_some() || rules.join.is_some() {
            return;
        }
        let (mut by_cells, _) = self.rules(column, field);
        // What was said of all columns was said of this one.
        by_cells.decimal_mark.take_if(|_| mark != DecimalMark::Auto);
        rules.fill(&by_cells);
    }

    /// What a person should know of a column that is read by these rules.
    fn told(&self, column: &Column<'_>, field: &Field, rules: &ColumnRules, mapping: &Mapping) -> Vec<Note> {
        let (cells, mut notes) = (&column.cells, Vec::new());
        if rules.opt_out.is_some() {
            return notes;
        }
        let has_currency = mapping.fields().any(|field| *field == Field::Currency);
        match self.knowledge.catalogue.field_type(field) {
            Ok(FieldType::Date | FieldType::Time) => {
                cells.dates().order(&mut ColumnRules::default(), &mut notes);
                let is_read = rules.date_order == Some(DateOrder::DayFirst);
                notes.retain(|note| is_read || !matches!(note, Note::DottedDates { .. }));
            }
            Ok(FieldType::Amount | FieldType::Decimal) => {
                notes.extend(cells.marks());
                let is_sign = |note: &Note| matches!(note, Note::Currency { symbol, .. } if Currency::parse(symbol).is_err());
                if *field == Field::Amount && !has_currency {
                    notes.extend(cells.currencies(true).into_iter().filter(is_sign));
                }
            }
            Ok(FieldType::Email) => notes.extend(cells.dressed()),
            Ok(FieldType::Integer) if rules.unit == Some(Unit::Fractions) => {
                notes.extend(cells.fractions().map(|cells| Note::Fractions { cells }));
            }
            Ok(FieldType::Integer) if matches!(field, Field::Probability | Field::Score) => {
                notes.extend(cells.rounded());
            }
            _ if *field == Field::Currency => notes.extend(cells.signs()),
            _ => {}
        }
        if rules.split.is_none() && (takes_several(field) || self.takes_many(field)) {
            notes.extend(cells.list().filter(|(split, _)| split.is_none()).map(|(_, note)| note));
        }
        notes
    }

    /// What is proposed for the columns that an earlier mapping does not know: none of the fields of its columns.
    pub(super) fn beside(
        &mut self,
        mapping: &Mapping,
        known: &[Option<&ColumnMapping>],
    ) -> Vec<Option<ColumnProposal>> {
        let unknown = |column: &Option<&ColumnMapping>| column.is_none();
        if !self.knowledge.in_part || !known.iter().any(unknown) {
            return vec![None; known.len()];
        }
        self.weigh();
        let passed: BTreeSet<usize> =
            known.iter().enumerate().filter(|(_, known)| known.is_some()).map(|(place, _)| place).collect();
        let taken: BTreeMap<Field, String> = mapping
            .columns
            .iter()
            .filter_map(|column| Some((column.field.clone()?, column.header.clone())))
            .collect();
        let proposed = self.decide(&passed).columns.into_iter().enumerate();
        let proposed = proposed.map(|(place, mut column)| {
            if passed.contains(&place) {
                return None;
            }
            // The reasons in a file of rejected rows are none of a lead.
            let is_reason = matches!(
                header_key(&column.header).as_str(),
                "rejectfield" | "rejectreason" | "rejectreading"
            );
            let field = column.field.as_ref().filter(|field| !takes_several(field));
            let other = field.and_then(|field| taken.get(field));
            if let (Some(header), Some(field)) = (other, &column.field) {
                column.perhaps = Some((field.clone(), column.confidence));
                column.evidence.push(Evidence::Taken(header.clone()));
            }
            if is_reason || column.perhaps.is_some() {
                (column.field, column.confidence) = (None, 0.0);
                (column.rules, column.notes) = (ColumnRules::default(), Vec::new());
            }
            Some(column)
        });
        proposed.collect()
    }
}
