//! What a mapping is proposed by, beside the file.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Mapping;
use super::super::proposal::Evidence;
use crate::domain::{Catalogue, Field};
use crate::exchange::import::ImportOptions;
use crate::value::fold;

/// What a mapping is proposed by, beside the file: the fields, the names in the vocabularies, and how such a file was mapped
/// before.
#[derive(Debug, Clone)]
pub struct Knowledge<'k> {
    pub(super) catalogue: &'k Catalogue,
    pub(super) vocabularies: BTreeMap<Field, BTreeSet<String>>,
    pub(super) earlier: Option<(Evidence, Mapping)>,
    /// Whether that is for a part of the columns, and the others are to be proposed.
    pub(super) in_part: bool,
    pub(super) own_numbers: BTreeSet<usize>,
    pub(super) own_ids: BTreeSet<usize>,
    pub(super) no_answer: Vec<String>,
    /// Whether ids are those of one system that was named, whatever they look like.
    pub(super) one_system: bool,
}

impl<'k> Knowledge<'k> {
    /// The fields of a tenant, and nothing else.
    #[must_use]
    pub fn new(catalogue: &'k Catalogue) -> Self {
        let no_answer = ImportOptions::default().no_answer;
        let (own_numbers, own_ids) = (BTreeSet::new(), BTreeSet::new());
        Self {
            catalogue,
            vocabularies: BTreeMap::new(),
            earlier: None,
            in_part: false,
            own_numbers,
            own_ids,
            no_answer,
            one_system: false,
        }
    }

    /// Adds the names of a vocabulary, or of the stages.
    #[must_use]
    pub fn vocabulary<'n>(mut self, field: Field, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.vocabularies.entry(field).or_default().extend(names.into_iter().map(fold));
        self
    }

    /// Says how a file with these headers was mapped before: it wins over every other sign.
    #[must_use]
    pub fn earlier(mut self, evidence: Evidence, mapping: Mapping) -> Self {
        self.earlier = Some((evidence, mapping));
        self
    }

    /// Says how a part of the columns was mapped before: it wins for these, and the others are proposed.
    #[must_use]
    pub fn earlier_in_part(mut self, evidence: Evidence, mapping: Mapping) -> Self {
        (self.earlier, self.in_part) = (Some((evidence, mapping)), true);
        self
    }

    /// Says which columns, by their place, hold numbers of leads that are here.
    #[must_use]
    pub fn own_numbers(mut self, places: impl IntoIterator<Item = usize>) -> Self {
        self.own_numbers.extend(places);
        self
    }

    /// Says which columns, by their place, hold ids of leads, as an export writes them.
    #[must_use]
    pub fn own_ids(mut self, places: impl IntoIterator<Item = usize>) -> Self {
        self.own_ids.extend(places);
        self
    }

    /// Says whether somebody named the system that all ids are of: then no cell names another one before its id.
    #[must_use]
    pub const fn one_system(mut self, is_named: bool) -> Self {
        self.one_system = is_named;
        self
    }

    pub(super) fn choices(&self, field: &Field) -> Option<BTreeSet<String>> {
        let Field::Custom(key) = field else { return None };
        let choices = self.catalogue.usable(key).ok()?.kind.choices()?;
        Some(choices.iter().flat_map(|choice| [fold(&choice.code), fold(&choice.label)]).collect())
    }
}
