//! What headers say, by themselves and beside the others.

use super::super::proposal::Evidence;
use super::super::shape;
use super::others::{self, Whose};
use super::{Candidate, Column, Proposer, asked, known, paths, taxes};
use crate::domain::{Field, is_plain_word};
use crate::exchange::unescape_formula;
use crate::value::fold;

impl Proposer<'_, '_> {
    /// What a header says as a whole; a share is no amount.
    pub(super) fn ranked(&self, header: &str) -> Option<(Field, u32)> {
        let is_share = |field: &Field| *field == Field::Amount && header.contains('%');
        self.knowledge.catalogue.rank_header(header).filter(|(field, _)| !is_share(field))
    }

    /// What the header says: as a whole, behind the last dot of a path (`attributes.referenceId`), or by a word in it that
    /// means one thing only.
    pub(super) fn by_header(&self, column: &Column<'_>) -> Option<(Field, u32)> {
        let header = unescape_formula(column.header);
        let catalogue = self.knowledge.catalogue;
        let own = [(column.is_own_number, Field::Number), (column.is_own_id, Field::Id)];
        let own = own.into_iter().find_map(|(is_it, field)| is_it.then_some(field));
        if let Some(field) = own.or_else(|| known::told_by_cells(column, catalogue)) {
            return Some((field, 0));
        }
        let whole = self.ranked(header).filter(|_| !paths::is_said_of_item(header));
        let usable = |field: Field, rank: u32| (!catalogue.is_disabled(&field)).then_some((field, rank));
        let is_region = whole.as_ref().is_some_and(|(field, _)| *field == Field::Region);
        if is_region && self.holds_stages(column) {
            return usable(Field::Stage, 1_500);
        }
        if whole.is_some() {
            return whole;
        }
        let whose = others::whose(header, catalogue);
        if whose == Some(Whose::Owner { by_email: true }) {
            return usable(Field::Owner, 1_500);
        }
        let is_no_id = header.contains(char::is_whitespace) && taxes::is_of_amounts(header);
        taxes::amount(header, catalogue)
            .or_else(|| paths::rank(header, catalogue))
            .or_else(|| paths::without_remark(header, catalogue))
            .or_else(|| asked::rank(header, catalogue))
            .filter(|(field, _)| whose.is_none() || !others::is_of_person(field))
            .filter(|(field, _)| *field != Field::TaxId || !is_no_id)
            .map(|(field, rank)| (field, rank.saturating_add(500)))
            .or_else(|| {
                let folded = fold(header);
                let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).collect();
                if taxes::is_id(header) {
                    usable(Field::TaxId, 5_000)
                } else if words.len() > 1
                    && words.last() == Some(&"score")
                    && column.cells.share(shape::is_whole_number) >= 0.9
                {
                    usable(Field::Score, 5_000)
                } else {
                    None
                }
            })
    }

    /// Headers whose meaning depends on the others.
    pub(super) fn in_context(&self, place: usize, ranked: &[Option<(Field, u32)>]) -> Option<Candidate> {
        let column = self.columns.get(place)?;
        let (field, rank) = self.beside_others(place, ranked)?;
        let elsewhere = |wanted: &Field| {
            let others = ranked.iter().zip(&self.columns).enumerate();
            others.filter(|(n, _)| *n != place).any(|(_, (found, other))| {
                found.as_ref().is_some_and(|(field, rank)| field == wanted && *rank < 1_000)
                    && other.key != column.key
            })
        };
        let base = match rank {
            0 => 0.95,
            1..1_000 => 0.85,
            _ if is_plain_word(&column.key) => 0.8,
            _ => 0.7,
        };
        let evidence = match rank {
            0 => Evidence::Label,
            1..1_000 => Evidence::Word,
            _ => Evidence::QualifiedWord,
        };
        let found = |field: Field, confidence: f64, evidence: Vec<Evidence>| {
            Some(Candidate { field, rank, confidence, evidence, says: None })
        };
        if let Some((part, confidence)) = self.part_of_name(place, ranked) {
            return found(part, confidence, vec![evidence, Evidence::Context]);
        }
        match (column.key.as_str(), &field) {
            ("title" | "titel", Field::Salutation) => {
                let words = column.cells.count(shape::is_salutation);
                let of = column.cells.filled.len();
                let job = |confidence| {
                    found(Field::JobTitle, confidence, vec![evidence.clone(), Evidence::Context])
                };
                if elsewhere(&Field::Salutation) {
                    job(0.85)
                } else if elsewhere(&Field::JobTitle) {
                    found(field, 0.85, vec![evidence.clone(), Evidence::Context])
                } else if of > 0 && words == 0 {
                    let values = Evidence::Values { shape: "salutation".to_owned(), hits: 0, of };
                    found(Field::JobTitle, 0.75, vec![evidence.clone(), values])
                } else {
                    found(field, if of == 0 { 0.5 } else { base }, vec![evidence.clone()])
                }
            }
            ("name", Field::Name) if self.names_record(column) => None,
            (_, Field::Name)
                if column.cells.share(shape::is_email).max(column.cells.share(shape::is_phone)) >= 0.8 =>
            {
                None
            }
            ("name", Field::Name)
                if !elsewhere(&Field::Company) && column.cells.share(shape::is_company) >= 0.3 =>
            {
                let (hits, of) = (column.cells.count(shape::is_company), column.cells.filled.len());
                found(Field::Company, 0.7, vec![Evidence::Values { shape: "company".to_owned(), hits, of }])
            }
            _ => found(field, base, vec![evidence]),
        }
    }

    /// Whether the header is the field's own key or label.
    pub(super) fn is_ours(&self, column: &Column<'_>, field: &Field) -> bool {
        let found = self.ranked(unescape_formula(column.header));
        found.is_some_and(|(found, rank)| found == *field && rank == 0)
    }
}
