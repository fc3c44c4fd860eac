//! A column that is called `Name` beside one part of the name: it is the other part.

use super::super::proposal::Evidence;
use super::super::{Sample, shape};
use super::{Candidate, Column, Proposer};
use crate::domain::Field;
use crate::value::fold;

/// What a column is called in which programs put the whole name, or only a part of it.
const BARE: [&str; 7] = ["name", "nombre", "nom", "nome", "naam", "navn", "namn"];

/// What a column is called that holds the names, or their letters, between the first and the last name.
const MIDDLE: [&str; 25] = [
    "middlename",
    "middlenames",
    "middle",
    "middleinitial",
    "middleinitials",
    "mi",
    "additionalname",
    "contactmiddlename",
    "leadmiddlename",
    "mellomnavn",
    "mellemnavn",
    "mellannamn",
    "mittelname",
    "zweitername",
    "zweitervorname",
    "zweitname",
    "deuxiemeprenom",
    "secondprenom",
    "autresprenoms",
    "segundonombre",
    "segundonome",
    "secondonome",
    "tweedevoornaam",
    "tweedenaam",
    "initialemilieu",
];

/// What a column is called that holds the person to talk to.
const CONTACTS: [&str; 6] =
    ["contact", "contactperson", "kontakt", "kontaktperson", "ansprechpartner", "contacto"];

impl Proposer<'_, '_> {
    /// Whether a column `Name` is what the record is called: beside `Contact Name`, or beside a company and a column of
    /// contacts, where that holds persons and it does not.
    pub(super) fn names_record(&self, column: &Column<'_>) -> bool {
        if self.columns.iter().any(|other| other.key == "contactname") {
            return true;
        }
        let persons = |column: &Column<'_>| column.cells.share(shape::is_person);
        let is_company = |other: &Column<'_>| matches!(self.ranked(other.header), Some((Field::Company, _)));
        let contacts = self.columns.iter().find(|other| CONTACTS.contains(&other.key.as_str()));
        contacts.is_some_and(|other| persons(other) >= 0.6)
            && persons(column) < 0.6
            && self.columns.iter().any(is_company)
    }

    /// What a header means beside the others.
    pub(super) fn meant(&self, place: usize, ranked: &[Option<(Field, u32)>]) -> Option<Candidate> {
        self.in_context(place, ranked).or_else(|| self.middle_name(place, ranked))
    }

    /// What a column of middle names is right of one of first names, where that does not hold them itself: it goes on where
    /// that one ends.
    fn middle_name(&self, place: usize, ranked: &[Option<(Field, u32)>]) -> Option<Candidate> {
        let is_first = |found: &Option<(Field, u32)>| matches!(found, Some((Field::FirstName, _)));
        let first = ranked.iter().take(place).position(is_first).filter(|_| self.is_middle_name(place))?;
        let (both, rows) = holds(self.sample, first, place);
        let evidence = vec![Evidence::Word, Evidence::Context];
        let found = Candidate { field: Field::FirstName, rank: 3_000, confidence: 0.8, evidence, says: None };
        (rows == 0 || both * 2 < rows).then_some(found)
    }

    /// Whether a column is one of middle names.
    pub(super) fn is_middle_name(&self, place: usize) -> bool {
        self.columns.get(place).is_some_and(|column| MIDDLE.contains(&column.key.as_str()))
    }

    /// The part of the name that a column called `Name` holds, and how sure that is: beside a last name the first name
    /// (`Name, Surname`), beside a first name the last name (`Vorname, Name`). Where its cells hold what the other column
    /// says, it is the whole name.
    pub(super) fn part_of_name(&self, place: usize, ranked: &[Option<(Field, u32)>]) -> Option<(Field, f64)> {
        let column = self.columns.get(place)?;
        let is_name = matches!(ranked.get(place), Some(Some((Field::Name, _))));
        let is_record = self.columns.iter().any(|other| other.key == "contactname");
        if !is_name || is_record || !BARE.contains(&column.key.as_str()) {
            return None;
        }
        if column.cells.share(shape::is_company) >= 0.3 {
            return None;
        }
        let of = |wanted: &Field| {
            ranked.iter().position(|found| found.as_ref().is_some_and(|(field, _)| field == wanted))
        };
        let (part, beside) = match (of(&Field::FirstName), of(&Field::LastName)) {
            (None, Some(last)) => (Field::FirstName, last),
            (Some(first), None) => (Field::LastName, first),
            _ => return None,
        };
        let (whole, rows) = holds(self.sample, place, beside);
        if whole * 2 >= rows && rows > 0 {
            return None;
        }
        Some((part, if rows == 0 { 0.7 } else { 0.85 }))
    }
}

/// In how many rows a cell holds the words of another one, of how many that have both.
fn holds(sample: &Sample, place: usize, other: usize) -> (usize, usize) {
    let words = |cell: &str| -> Vec<String> {
        fold(cell)
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let both = sample.cells().filter_map(|row| {
        let (whole, part) = (words(row.get(place)?), words(row.get(other)?));
        (!whole.is_empty() && !part.is_empty()).then_some((whole, part))
    });
    both.fold((0, 0), |(hits, rows), (whole, part)| {
        (hits + usize::from(part.iter().all(|word| whole.contains(word))), rows + 1)
    })
}
