//! The parts of one address, among columns of several.

use std::collections::{BTreeMap, BTreeSet};

use super::{BY_VALUES, Proposer};
use crate::domain::{Field, whose_address};

impl Proposer<'_, '_> {
    /// The columns that belong to other addresses than the one that is taken: that with most parts filled, then that which the
    /// headers name more usually. Parts that only another address has are taken from there, if the two share none.
    pub(super) fn other_addresses(&self) -> BTreeSet<usize> {
        let parts = [Field::Street, Field::City, Field::Region, Field::PostalCode, Field::Country];
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, column) in self.columns.iter().enumerate() {
            if column
                .candidate
                .as_ref()
                .is_some_and(|found| parts.contains(&found.field) && found.rank < BY_VALUES)
            {
                groups.entry(whose_address(&column.key)).or_default().push(place);
            }
        }
        // `Address 2` goes on where `Address 1` ends, unless there is a `City 2`.
        let lone: Vec<String> = groups
            .iter()
            .filter(|(name, places)| {
                name.ends_with(|c: char| c.is_ascii_digit())
                    && places.iter().all(|place| self.field_of(*place) == Some(&Field::Street))
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in lone {
            let whose = name.trim_end_matches(|c: char| c.is_ascii_digit());
            if groups.contains_key(whose)
                && let Some(places) = groups.remove(&name)
            {
                groups.entry(whose.to_owned()).or_default().extend(places);
            }
        }
        let fields = |places: &[usize]| -> BTreeSet<Field> {
            places.iter().filter_map(|place| self.field_of(*place).cloned()).collect()
        };
        let filled = |places: &[usize]| {
            let filled = places.iter().filter(|place| {
                self.columns.get(**place).is_some_and(|column| !column.cells.filled.is_empty())
            });
            filled.count()
        };
        let rank = |places: &[usize]| {
            let ranks = places.iter().filter_map(|place| self.columns.get(*place)?.candidate.as_ref());
            ranks.map(|found| found.rank).min().unwrap_or(u32::MAX)
        };
        let best = groups.values().max_by(|a, b| {
            filled(a)
                .cmp(&filled(b))
                .then_with(|| rank(b).cmp(&rank(a)))
                .then_with(|| b.first().cmp(&a.first()))
        });
        let Some(best) = best else { return BTreeSet::new() };
        let taken = fields(best);
        let others = groups.values().filter(|places| *places != best);
        others.filter(|places| !fields(places).is_disjoint(&taken)).flatten().copied().collect()
    }

    /// Whether a column goes on where an earlier one ends: `Street 2`, `Address line 2`, `Middle name`.
    pub(super) fn goes_on(&self, first: usize, place: usize) -> bool {
        let letters = |place: usize| -> Option<String> {
            let column = self.columns.get(place)?;
            Some(column.key.chars().filter(|c| !c.is_ascii_digit()).collect())
        };
        if self.field_of(place) == Some(&Field::FirstName) {
            return first < place && self.is_middle_name(place) && !self.is_middle_name(first);
        }
        let is_one = self.is_house_number(place) && !self.is_house_number(first);
        self.field_of(place) == Some(&Field::Street)
            && first < place
            && (is_one || letters(first) == letters(place))
    }

    /// What stands between a column that goes on and the one before it.
    pub(super) fn between(&self, place: usize) -> &'static str {
        if self.is_house_number(place) || self.is_middle_name(place) { " " } else { "\n" }
    }

    fn is_house_number(&self, place: usize) -> bool {
        const NUMBERS: [&str; 8] = [
            "hausnr",
            "hausnummer",
            "huisnummer",
            "husnr",
            "husnummer",
            "housenumber",
            "housenr",
            "numerocivico",
        ];
        self.columns.get(place).is_some_and(|column| NUMBERS.contains(&column.key.as_str()))
    }

    /// What a header means beside the others: an `Estado` beside a `Provincia` is the state that the lead is in, and what is
    /// called a tax may be an amount.
    pub(super) fn beside_others(
        &self,
        place: usize,
        ranked: &[Option<(Field, u32)>],
    ) -> Option<(Field, u32)> {
        let found = ranked.get(place)?.clone().filter(|found| !self.is_no_tax_id(place, found))?;
        let has = |key: &str| self.columns.iter().any(|other| other.key == key);
        let is_stage = self.columns.get(place).is_some_and(|column| column.key == "estado")
            && has("provincia")
            && !self.knowledge.catalogue.is_disabled(&Field::Stage);
        Some(if is_stage && found.1 > 0 { (Field::Stage, found.1) } else { found })
    }

    /// Whether the file has columns for the parts of an address.
    pub(super) fn has_address_parts(&self, others: &BTreeSet<usize>) -> bool {
        [Field::City, Field::PostalCode].iter().any(|field| {
            let winner = self.winner(field, others).and_then(|place| self.columns.get(place));
            winner.is_some_and(|column| !column.cells.filled.is_empty())
        })
    }
}
