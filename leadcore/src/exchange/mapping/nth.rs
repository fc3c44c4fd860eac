//! Several columns with one header.
//!
//! A list of columns names them in the order of the file. Where each needs a name of its own, as in a dictionary, the second
//! `Email` is `Email (2)`; where the file has a column of that name too, `Email (#2)`, and so on.

use std::collections::BTreeMap;

use super::{ColumnMapping, Mapping};
use crate::exchange::unescape_formula;

/// `Email (2)` is the second `Email`.
fn nth(header: &str) -> Option<(&str, usize)> {
    let (base, number) = header.strip_suffix(')')?.rsplit_once(" (")?;
    let number = number.trim_start_matches('#');
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| is_number && *number >= 2)?;
    Some((base, number))
}

/// Which columns of which header a file has.
fn count(headers: &[String], wanted: &str) -> usize {
    headers.iter().filter(|header| unescape_formula(header) == unescape_formula(wanted)).count()
}

impl Mapping {
    /// The columns of a header, or the one that is named by its number among them.
    pub(super) fn named_mut(&mut self, header: &str) -> Vec<&mut ColumnMapping> {
        if self.columns.iter().any(|column| column.header == header) {
            return self.columns.iter_mut().filter(|column| column.header == header).collect();
        }
        let Some((base, number)) = nth(header) else { return Vec::new() };
        self.columns.iter_mut().filter(|column| column.header == base).skip(number - 1).take(1).collect()
    }

    /// A name of its own for each column, in their order: the header, or `Email (2)` for the second of that name.
    ///
    /// ```
    /// use leadcore::domain::Field;
    /// use leadcore::exchange::{ColumnMapping, Mapping};
    /// let columns = ["Email", "Phone", "Email"].map(|header| ColumnMapping::new(header, None));
    /// let mapping = Mapping { columns: columns.to_vec(), constants: Vec::new() };
    /// assert_eq!(mapping.names(), ["Email", "Phone", "Email (2)"]);
    /// let mapping = mapping.with("Email (2)", Some(Field::Email));
    /// assert_eq!(mapping.columns[2].field, Some(Field::Email));
    /// ```
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let taken: Vec<&str> = self.columns.iter().map(|column| column.header.as_str()).collect();
        let mut seen = BTreeMap::<&str, usize>::new();
        let names = self.columns.iter().map(|column| {
            let number = seen.entry(column.header.as_str()).or_default();
            *number += 1;
            if *number == 1 {
                return column.header.clone();
            }
            let mut mark = String::new();
            loop {
                let name = format!("{} ({mark}{number})", column.header);
                if !taken.contains(&name.as_str()) {
                    return name;
                }
                mark.push('#');
            }
        });
        names.collect()
    }

    /// The headers that its columns name: `Email` for `Email (2)` where it has that one too.
    #[must_use]
    pub fn headers(&self) -> Vec<String> {
        let is_one = |header: &str| self.columns.iter().any(|column| column.header == header);
        let header = |column: &ColumnMapping| match nth(&column.header) {
            Some((base, _)) if is_one(base) => base.to_owned(),
            _ => column.header.clone(),
        };
        self.columns.iter().map(header).collect()
    }

    /// With the headers of a file for columns that are named by their number, in the order of the file: what is told of a
    /// mapping and what is handed in are the same.
    pub(in crate::exchange) fn placed(&self, headers: &[String]) -> Self {
        let base = |column: &ColumnMapping| {
            let (base, number) = nth(&column.header)?;
            (count(headers, &column.header) == 0 && number <= count(headers, base))
                .then(|| (base.to_owned(), number))
        };
        let numbered: Vec<_> = self.columns.iter().map(base).collect();
        let mut placed = self.clone();
        let bases: std::collections::BTreeSet<String> =
            numbered.iter().flatten().map(|(base, _)| base.clone()).collect();
        for base in bases {
            placed.place(&base, headers);
        }
        placed.with_namesakes(headers);
        placed
    }

    /// With the columns of the file, left out, that are called as one of several with one header would be told: beside a real
    /// `Email (2)` the second `Email` is `Email (#2)`.
    fn with_namesakes(&mut self, headers: &[String]) {
        let is_known = |columns: &[ColumnMapping], header: &str| {
            columns.iter().any(|column| unescape_formula(&column.header) == unescape_formula(header))
        };
        for header in headers {
            let Some((base, _)) = nth(header) else { continue };
            let own = self.columns.iter().filter(|column| column.header == base).count();
            if own >= 2 && !is_known(&self.columns, header) {
                self.columns.push(ColumnMapping::new(header, None));
            }
        }
    }

    /// Puts the columns of one header in the order of the file; those of it that nobody named are left out.
    fn place(&mut self, base: &str, headers: &[String]) {
        let most = count(headers, base);
        let own = |column: &ColumnMapping| {
            let same = unescape_formula(&column.header) == unescape_formula(base);
            let numbered =
                || nth(&column.header).filter(|(known, n)| *known == base && *n <= most).map(|(_, n)| n);
            let named = count(headers, &column.header) == 0;
            if same { Some(None) } else { numbered().filter(|_| named).map(Some) }
        };
        let mut slots = Vec::new();
        let mut columns: BTreeMap<usize, ColumnMapping> = BTreeMap::new();
        let mut unnumbered = Vec::new();
        for (slot, column) in self.columns.iter().enumerate() {
            let Some(number) = own(column) else { continue };
            slots.push(slot);
            let column = ColumnMapping { header: base.to_owned(), ..column.clone() };
            match number.filter(|number| !columns.contains_key(number)) {
                Some(number) => drop(columns.insert(number, column)),
                None => unnumbered.push(column),
            }
        }
        for column in unnumbered {
            let free = (1..).find(|number| !columns.contains_key(number)).unwrap_or(1);
            columns.insert(free, column);
        }
        let mut before = 0;
        let mut rebuilt: BTreeMap<usize, Vec<ColumnMapping>> = BTreeMap::new();
        for (slot, (number, column)) in slots.iter().zip(columns) {
            let missing = (before + 1..number).map(|_| ColumnMapping::new(base, None));
            rebuilt.insert(*slot, missing.chain([column]).collect());
            before = number;
        }
        let columns = std::mem::take(&mut self.columns).into_iter().enumerate();
        self.columns = columns
            .flat_map(|(slot, column)| rebuilt.remove(&slot).unwrap_or_else(|| vec![column]))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Catalogue, Field};

    fn mapping(columns: &[(&str, Option<Field>)]) -> Mapping {
        let columns = columns.iter().map(|(header, field)| ColumnMapping::new(*header, field.clone()));
        Mapping { columns: columns.collect(), constants: Vec::new() }
    }

    fn headers(headers: &[&str]) -> Vec<String> {
        headers.iter().map(|header| (*header).to_owned()).collect()
    }

    #[test]
    fn names_lead_back_to_their_columns() {
        let file = headers(&["Email", "Phone", "Email", "Email (2)", "Email", "Phone"]);
        let own = mapping(&[
            ("Email", Some(Field::Email)),
            ("Phone", None),
            ("Email", None),
            ("Email (2)", Some(Field::Company)),
            ("Email", Some(Field::City)),
            ("Phone", Some(Field::Phone)),
        ]);
        let names = own.names();
        assert_eq!(names, ["Email", "Phone", "Email (#2)", "Email (2)", "Email (3)", "Phone (2)"]);
        let named = own.columns.iter().zip(&names);
        let named = named.map(|(column, name)| ColumnMapping { header: name.clone(), ..column.clone() });
        let named = Mapping { columns: named.collect(), constants: Vec::new() };
        assert_eq!(named.placed(&file), own);
        assert_eq!(own.placed(&file), own);
        assert_eq!(own.names(), own.placed(&file).names());
    }

    #[test]
    fn a_column_is_named_by_its_number_in_any_order() {
        let file = headers(&["A", "A", "B", "A"]);
        let third = mapping(&[("A (3)", Some(Field::City))]).placed(&file);
        assert_eq!(third, mapping(&[("A", None), ("A", None), ("A", Some(Field::City))]));
        let turned = mapping(&[("A (2)", Some(Field::City)), ("B", None), ("A", Some(Field::Company))]);
        let placed = mapping(&[("A", Some(Field::Company)), ("B", None), ("A", Some(Field::City))]);
        assert_eq!(turned.placed(&file), placed);
        let unknown = mapping(&[("A (4)", Some(Field::City)), ("A (0)", None), ("C (2)", None)]);
        assert_eq!(unknown.placed(&file), unknown, "the file has no such column, and that is told");
    }

    #[test]
    fn a_column_is_told_by_the_name_that_it_was_given() {
        let file = headers(&["Date", "Date", "Date (2)", "Date (3)", "Other"]);
        for own in [
            mapping(&[("Date (#2)", Some(Field::City))]),
            mapping(&[("Date", None), ("Date", Some(Field::City))]),
        ] {
            let placed = own.placed(&file);
            assert_eq!(placed.names(), ["Date", "Date (#2)", "Date (2)", "Date (3)"]);
            assert_eq!(placed.columns[1].field, Some(Field::City));
            assert_eq!(placed.placed(&file), placed);
        }
        let named = mapping(&[("Date (2)", Some(Field::City))]).placed(&file);
        assert_eq!(named, mapping(&[("Date (2)", Some(Field::City))]), "it is the column of that name");
    }

    #[test]
    fn a_number_that_the_file_has_not_stays_beside_one_that_it_has() {
        let file = headers(&["A", "A"]);
        let given =
            mapping(&[("A (2)", Some(Field::City)), ("A (5)", Some(Field::Company)), ("A (9)", None)]);
        let placed = given.placed(&file);
        let expected =
            [("A", None), ("A", Some(Field::City)), ("A (5)", Some(Field::Company)), ("A (9)", None)];
        assert_eq!(placed, mapping(&expected), "as many columns as the file has, however large the number");
        let error = given.locate(&file, &Catalogue::standard(), &[]).unwrap_err();
        let told: Vec<_> = error.violations().iter().map(|one| one.field.as_str()).collect();
        assert_eq!(told, ["mapping.company"]);
    }
}
