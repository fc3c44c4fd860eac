//! Which column of a file is which field.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::import::MatchBy;
use super::unescape_formula;
use crate::domain::{Catalogue, Field};
use crate::error::{Error, Result, Violation, ViolationCode};

/// One column of a file and the field that it fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnMapping {
    /// The header, as the file has it.
    pub header: String,
    /// The field; `None` leaves the column out.
    pub field: Option<Field>,
}

/// Which column is which field: proposed from the headers, changed by a person, kept as JSON for the next file.
///
/// Several columns may fill E-mail, Phone and Labels; their values are put together. Every other field takes one column.
/// [`Field::Stage`] and the vocabularies (source, category, labels …) are filled with *names*.
///
/// ```
/// use leadcore::domain::{Catalogue, Field};
/// use leadcore::exchange::Mapping;
/// let headers = ["Firma", "Phone 1", "Phone 2", "Shoe size"].map(String::from);
/// let mapping = Mapping::propose(&headers, &Catalogue::standard()).with("Shoe size", Some(Field::Description));
/// assert_eq!(mapping.columns[0].field, Some(Field::Company));
/// assert_eq!(mapping.columns[2].field, Some(Field::Phone));
/// assert_eq!(mapping.unmapped().count(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapping {
    /// The columns; for a proposal, those of the file from left to right.
    pub columns: Vec<ColumnMapping>,
}

/// Whether several columns may fill the field.
const fn takes_several(field: &Field) -> bool {
    matches!(field, Field::Email | Field::Phone | Field::Labels)
}

impl Mapping {
    /// What the headers say: a field's own key or label, else a word that vendors use for it. Where several headers mean
    /// a field that takes one, the best-known word wins, the leftmost of equally good ones; the others stay unmapped.
    #[must_use]
    pub fn propose(headers: &[String], catalogue: &Catalogue) -> Self {
        let meant: Vec<_> =
            headers.iter().map(|header| catalogue.rank_header(unescape_formula(header))).collect();
        let mut best: HashMap<&Field, (u32, usize)> = HashMap::new();
        for (place, (field, rank)) in meant.iter().enumerate().filter_map(|(n, m)| Some((n, m.as_ref()?))) {
            let found = (*rank, place);
            best.entry(field).and_modify(|known| *known = (*known).min(found)).or_insert(found);
        }
        let chosen = |place: usize, field: &Field| {
            takes_several(field) || best.get(field).is_some_and(|(_, winner)| *winner == place)
        };
        let columns = headers.iter().zip(&meant).enumerate().map(|(place, (header, meant))| ColumnMapping {
            header: header.clone(),
            field: meant.as_ref().map(|(field, _)| field).filter(|field| chosen(place, field)).cloned(),
        });
        Self { columns: columns.collect() }
    }

    /// Gives every column of this header another field, or none; a header that is not there yet is added.
    #[must_use]
    pub fn with(mut self, header: &str, field: Option<Field>) -> Self {
        let mut found = false;
        for column in self.columns.iter_mut().filter(|column| column.header == header) {
            column.field.clone_from(&field);
            found = true;
        }
        if !found {
            self.columns.push(ColumnMapping { header: header.to_owned(), field });
        }
        self
    }

    /// The headers of the columns that are left out.
    pub fn unmapped(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.field.is_none()).map(|column| column.header.as_str())
    }

    /// The fields that are filled, in the order of the columns.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.columns.iter().filter_map(|column| column.field.as_ref())
    }

    /// Finds the columns in a file.
    ///
    /// # Errors
    /// `Invalid` with every reason: a mapped header that the file lacks, a field that the engine sets, a field with too
    /// many columns, no column at all.
    ///
    /// `keys` are the fields that say which lead is meant: they may be ones that the engine sets.
    pub(super) fn locate(&self, headers: &[String], keys: &[MatchBy]) -> Result<Vec<(usize, Field)>> {
        let mut broken = Vec::new();
        let mut places: Vec<(usize, Field)> = Vec::new();
        let mut taken = vec![false; headers.len()];
        for column in &self.columns {
            let mut free = headers.iter().zip(taken.iter_mut()).enumerate();
            let place = free.find(|(_, (header, taken))| {
                !**taken && unescape_formula(header) == unescape_formula(&column.header)
            });
            let place = place.map(|(place, (_, taken))| {
                *taken = true;
                place
            });
            let Some(field) = &column.field else { continue };
            let mut refuse = |code, message: &str| {
                broken.push(Violation::new(format!("mapping.{field}"), code, message));
            };
            match place {
                None => refuse(ViolationCode::Unknown, "the file has no such column"),
                Some(_)
                    if !field.is_writable()
                        && *field != Field::Stage
                        && !keys.iter().any(|key| key.field() == *field) =>
                {
                    refuse(ViolationCode::NotAllowed, "the engine sets this field");
                }
                Some(_) if !takes_several(field) && places.iter().any(|(_, known)| known == field) => {
                    refuse(ViolationCode::Duplicate, "this field takes one column");
                }
                Some(place) => places.push((place, field.clone())),
            }
        }
        if places.is_empty() && broken.is_empty() {
            let message = "no column of the file is mapped to a field";
            broken.push(Violation::new("mapping", ViolationCode::Required, message));
        }
        if broken.is_empty() { Ok(places) } else { Err(Error::invalid(broken)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn propose(headers: &[&str]) -> Vec<Option<String>> {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        let mapping = Mapping::propose(&headers, &Catalogue::standard());
        mapping.columns.into_iter().map(|column| column.field.map(String::from)).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with options")]
    fn some(key: &str) -> Option<String> {
        Some(key.to_owned())
    }

    #[test]
    fn the_best_known_word_wins_wherever_it_stands() {
        assert_eq!(
            propose(&["Prospect ID", "Lead Number", "Lead Origin", "Lead Source"]),
            [some("external_id"), None, None, some("source")]
        );
        assert_eq!(propose(&["Lead Source", "source", "Source"]), [None, some("source"), None]);
        assert_eq!(
            propose(&["Email 1", "Work e-mail", "Tags"]),
            [some("email"), some("email"), some("labels")]
        );
        assert_eq!(
            propose(&["First Name", "Full name", "Surname"]),
            [some("first_name"), some("name"), some("last_name")]
        );
    }

    #[test]
    fn a_mapping_is_held_to_the_file() {
        let headers = ["a", "a", "b"].map(String::from);
        let twice = Mapping::default().with("b", Some(Field::City));
        let repeated = Mapping {
            columns: ["a", "a"]
                .map(|header| ColumnMapping { header: header.to_owned(), field: Some(Field::Email) })
                .to_vec(),
        };
        assert_eq!(twice.locate(&headers, &[]).unwrap(), [(2, Field::City)]);
        assert_eq!(repeated.locate(&headers, &[]).unwrap(), [(0, Field::Email), (1, Field::Email)]);
        let wrong = Mapping::default()
            .with("gone", Some(Field::City))
            .with("a", Some(Field::Number))
            .with("b", Some(Field::Region));
        let error = wrong.locate(&headers, &[]).unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["mapping.city", "mapping.number"]);
        assert!(Mapping::default().locate(&headers, &[]).is_err());
    }

    #[test]
    fn a_mapping_is_kept_as_json() {
        let mapping = Mapping::default().with("Firma", Some(Field::Company)).with("x", None);
        let json = serde_json::to_string(&mapping).unwrap();
        assert_eq!(json, r#"[{"header":"Firma","field":"company"},{"header":"x","field":null}]"#);
        assert_eq!(serde_json::from_str::<Mapping>(&json).unwrap(), mapping);
    }
}
