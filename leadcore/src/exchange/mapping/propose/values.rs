//! What the values of a column say: for a field, and about how they are to be read.

use std::collections::BTreeSet;

use super::super::proposal::{Evidence, Note};
use super::super::shape::{self, ratio};
use super::super::{BadValues, ColumnRules, Split, Unit, words};
use super::{BY_VALUES, Candidate, Column, Proposer, others};
use crate::domain::{CustomType, Field, FieldType, Reference, yes_no_word};
use crate::exchange::unescape_formula;
use crate::value::fold;

/// A field whose values are known by their looks: what they are called, how sure that is, and how many are needed.
type Shape = (Field, &'static str, fn(&str) -> bool, f64, usize);

impl Proposer<'_, '_> {
    /// How many cells are what the field takes; nothing for fields that take any text.
    pub(super) fn fit(&self, column: &Column<'_>, field: &Field) -> Option<(&'static str, usize)> {
        let cells = &column.cells;
        if *field == Field::ExternalId {
            let hits = if cells.filled.len() < 5 || cells.is_unique() { cells.filled.len() } else { 0 };
            return Some(("unique", hits));
        }
        if *field == Field::Number {
            return Some(("lead_number", cells.filled.len()));
        }
        if *field == Field::Website {
            return Some(("url", cells.count(shape::is_like_url)));
        }
        Some(match self.knowledge.catalogue.field_type(field).ok()? {
            FieldType::Email => ("email", cells.count(shape::is_email)),
            FieldType::Phone => ("phone", cells.count(shape::is_like_phone)),
            FieldType::Integer => ("number", cells.count(shape::is_whole_number)),
            FieldType::Amount | FieldType::Decimal => ("amount", cells.count(shape::is_amount)),
            FieldType::Date | FieldType::Time => ("date", cells.dates().dates()),
            FieldType::Bool => ("yes_no", cells.count(|cell| yes_no_word(cell).is_some())),
            FieldType::Code if *field == Field::Country => {
                ("country", cells.count(|cell| crate::value::Country::parse(cell).is_ok()))
            }
            _ => return None,
        })
    }

    /// The field of a column whose header says nothing.
    pub(super) fn by_values(&self, column: &Column<'_>) -> Option<Candidate> {
        let (cells, of) = (&column.cells, column.cells.filled.len());
        if of == 0 {
            return None;
        }
        let usable = |field: &Field| !self.knowledge.catalogue.is_disabled(field);
        let shapes: [Shape; 4] = [
            (Field::Email, "email", shape::is_email, 0.9, 1),
            (Field::Phone, "phone", shape::is_phone, 0.65, 2),
            (Field::Country, "country", shape::is_country_name, 0.65, 3),
            (Field::Website, "url", shape::is_url, 0.4, 2),
        ];
        // An address of somebody else looks like the lead's.
        let is_leads = others::whose(unescape_formula(column.header), self.knowledge.catalogue).is_none();
        let mut shapes = shapes.into_iter().filter(|_| is_leads);
        let by_shape = shapes.find_map(|(field, shape, is, confidence, least)| {
            let hits = cells.count(is);
            let fits = of >= least && ratio(hits, of) >= 0.8 && usable(&field);
            let evidence = vec![Evidence::Values { shape: shape.to_owned(), hits, of }];
            fits.then_some(Candidate {
                field,
                rank: BY_VALUES,
                confidence: confidence * ratio(hits, of),
                evidence,
                says: None,
            })
        });
        by_shape.or_else(|| self.by_vocabulary(column)).or_else(|| self.by_looks(column))
    }

    /// Companies and persons of a file without headers, which has no other word for them.
    fn by_looks(&self, column: &Column<'_>) -> Option<Candidate> {
        let number = column.key.strip_prefix("column")?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (cells, of) = (&column.cells, column.cells.filled.len());
        let (companies, persons) = (cells.count(shape::is_company), cells.count(shape::is_person));
        let (field, shape, hits) = if ratio(companies, of) >= 0.3 {
            (Field::Company, "company", companies)
        } else if of >= 2 && ratio(persons, of) >= 0.6 {
            (Field::Name, "person", persons)
        } else {
            return None;
        };
        let evidence = vec![Evidence::Values { shape: shape.to_owned(), hits, of }];
        (!self.knowledge.catalogue.is_disabled(&field)).then_some(Candidate {
            field,
            rank: BY_VALUES,
            confidence: 0.6,
            evidence,
            says: None,
        })
    }

    fn by_vocabulary(&self, column: &Column<'_>) -> Option<Candidate> {
        let of = column.cells.filled.len();
        let distinct: BTreeSet<String> = column.cells.filled.iter().map(|cell| fold(cell)).collect();
        if of < 3 || distinct.len() < 2 || distinct.iter().all(|word| yes_no_word(word).is_some()) {
            return None;
        }
        let catalogue = self.knowledge.catalogue;
        let custom = catalogue.fields().filter_map(|field| Some((self.knowledge.choices(&field)?, field)));
        let custom = custom.map(|(names, field)| (field, names));
        let known = self.knowledge.vocabularies.iter().map(|(field, names)| (field.clone(), names.clone()));
        let found = known.chain(custom).filter(|(field, _)| !catalogue.is_disabled(field));
        let counted =
            found.map(|(field, names)| (column.cells.count(|cell| names.contains(&fold(cell))), field));
        let best = counted.max_by(|(a, _), (b, _)| a.cmp(b)).filter(|(hits, _)| ratio(*hits, of) >= 0.6);
        best.map(|(hits, field)| Candidate {
            field,
            rank: BY_VALUES,
            confidence: 0.3f64.mul_add(ratio(hits, of), 0.4),
            evidence: vec![Evidence::Vocabulary { hits, of }],
            says: None,
        })
    }

    /// Whether a column that is called a state holds nothing but how far leads came: `open`, `won`, a stage of this pipeline.
    pub(super) fn holds_stages(&self, column: &Column<'_>) -> bool {
        let known = self.knowledge.vocabularies.get(&Field::Stage);
        let is_stage = |cell: &str| {
            let word = fold(cell);
            words::is_progress(&word) || known.is_some_and(|names| names.contains(&word))
        };
        let filled = column.cells.filled.len();
        filled > 0 && column.cells.count(is_stage) == filled
    }

    /// How the cells are to be read, and what to know about them.
    pub(super) fn rules(&self, column: &Column<'_>, field: &Field) -> (ColumnRules, Vec<Note>) {
        let (mut rules, mut notes) = (ColumnRules::default(), Vec::new());
        let Ok(kind) = self.knowledge.catalogue.field_type(field) else { return (rules, notes) };
        let cells = &column.cells;
        let of_terms = matches!(kind, FieldType::Reference(Reference::Term(_) | Reference::Stage));
        if !matches!(field, Field::Country | Field::Description) {
            let of_addresses = matches!(kind, FieldType::Email | FieldType::Phone);
            let (words, found) = cells.silent((of_terms, of_addresses), &self.knowledge.no_answer);
            rules.no_answer = words;
            notes.extend(found);
        }
        if matches!(field, Field::Outcome | Field::ClosedAt) {
            // The first cells told that they say it; others further down cost their rows nothing.
            rules.bad_values = Some(BadValues::LeaveOut);
        }
        match kind {
            FieldType::Date => cells.dates().order(&mut rules, &mut notes),
            FieldType::Time => {
                let dates = cells.dates();
                dates.order(&mut rules, &mut notes);
                match super::known::zone(unescape_formula(column.header)) {
                    Some((_, minutes)) => rules.utc_offset = Some(minutes),
                    None => dates.zone(&mut rules, &mut notes),
                }
            }
            FieldType::Amount | FieldType::Decimal => {
                if let Some(note) = cells.marks() {
                    if let Note::DecimalMark { proposed, .. } = &note {
                        rules.decimal_mark = *proposed;
                    }
                    notes.push(note);
                }
                let has_currency = self.winner(&Field::Currency, &BTreeSet::new()).is_some();
                // Without a column of its own, the currency of a lead is that of its amount.
                if !has_currency || kind != FieldType::Amount {
                    let kept =
                        *field == Field::Amount && !self.knowledge.catalogue.is_disabled(&Field::Currency);
                    notes.extend(cells.currencies(kept));
                }
            }
            FieldType::Email => notes.extend(cells.dressed()),
            FieldType::Integer if *field == Field::Probability => {
                if let Some(parts) = cells.fractions() {
                    rules.unit = Some(Unit::Fractions);
                    notes.push(Note::Fractions { cells: parts });
                } else {
                    notes.extend(cells.rounded());
                }
            }
            FieldType::Integer if *field == Field::Score => notes.extend(cells.rounded()),
            _ if *field == Field::Currency => notes.extend(cells.signs()),
            FieldType::Phone => {
                let national = cells.count(shape::is_national);
                if national > 0 && self.winner(&Field::Country, &BTreeSet::new()).is_none() {
                    notes.push(Note::NationalNumbers { cells: national });
                }
            }
            _ => {}
        }
        let many = matches!(field, Field::Email | Field::Phone | Field::Labels) || self.takes_many(field);
        let of_one_system = self.knowledge.one_system;
        let split = if *field == Field::ExternalId && self.is_ours(column, field) && !of_one_system {
            // An export writes the system before each id; a column of ours without a value may be one.
            let systems = cells.systems();
            notes.extend(systems.clone().filter(|_| !cells.filled.is_empty()));
            rules.split = systems.map(|_| Split::ExternalIds);
            None
        } else if many {
            cells.list()
        } else if *field == Field::Street {
            cells.address().map(|(split, note)| (Some(split), note))
        } else {
            None
        };
        if let Some((split, note)) = split {
            rules.split = split;
            notes.push(note);
        }
        (rules, notes)
    }

    pub(super) fn takes_many(&self, field: &Field) -> bool {
        let Field::Custom(key) = field else { return false };
        self.knowledge.catalogue.usable(key).is_ok_and(|custom| matches!(custom.kind, CustomType::ManyOf(_)))
    }
}
