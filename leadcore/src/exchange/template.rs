//! An empty file to fill in (S0.17).

#[cfg(feature = "xlsx")]
pub(super) mod xlsx;

use std::io::Write;

use super::CsvWriter;
use super::export::clear_heads;
use crate::domain::{Catalogue, FieldSpec};
use crate::error::Result;

/// The sheets of the template as a workbook: the one to fill in, what its columns take, and what its drop-downs offer.
#[cfg(any(feature = "sheets", feature = "xlsx"))]
pub(super) const TEMPLATE_SHEETS: [&str; 3] = ["Leads", "Instructions", "Lists"];

/// Writes the header of a file with a column for every field that a person may fill in, in the tenant's order and
/// words; a column stands under its key where another field is called the same. A file with this header maps itself. For a user from whom fields are hidden, give what
/// [`visible_catalogue`](crate::desk::settings::visible_catalogue) says.
///
/// ```
/// use leadcore::domain::Catalogue;
/// use leadcore::exchange::template;
/// let mut file = Vec::new();
/// template(&Catalogue::standard(), &mut file)?;
/// assert!(file.starts_with(b"Lead type,Company,Full name,First name,"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) when the output cannot be written.
pub fn template(catalogue: &Catalogue, output: impl Write) -> Result<()> {
    let mut csv = CsvWriter::new(output);
    let heads: Vec<String> = offered(catalogue).into_iter().map(|spec| spec.label).collect();
    csv.write_row(heads.iter().map(String::as_str))?;
    csv.flush()
}

/// The fields that a person may fill in, in the tenant's order; their labels are the heads of their columns.
fn offered(catalogue: &Catalogue) -> Vec<FieldSpec> {
    let mut specs = catalogue.specs();
    specs.retain(|spec| spec.field.is_imported() && !catalogue.is_disabled(&spec.field));
    let heads = clear_heads(&specs, catalogue);
    for (spec, head) in specs.iter_mut().zip(heads) {
        spec.label = head;
    }
    specs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CustomField, CustomType, Field};
    use crate::exchange::{Mapping, ReadOptions, TableReader};

    #[test]
    fn the_template_maps_itself_in_the_tenants_words() {
        let mut catalogue = Catalogue::standard();
        catalogue.settings_mut(Field::Company).label = Some("Virksomhet".to_owned());
        catalogue.settings_mut(Field::TaxId).enabled = Some(false);
        catalogue.settings_mut(Field::Stage).order = Some(1);
        let mut file = Vec::new();
        template(&catalogue, &mut file).unwrap();
        let options = ReadOptions::new().has_header(true);
        let table = TableReader::open(std::io::Cursor::new(file), &options).unwrap();
        assert_eq!(table.headers()[0], "Status");
        assert!(table.headers().contains(&"Virksomhet".to_owned()));
        let mapping = Mapping::propose(table.headers(), &catalogue);
        let mapped: std::collections::BTreeSet<_> = mapping.fields().cloned().collect();
        let expected = Field::ALL.iter().filter(|field| field.is_imported() && **field != Field::TaxId);
        assert_eq!(mapped, expected.cloned().collect());
        assert_eq!(mapping.unmapped().count(), 0);
    }

    #[test]
    fn a_column_whose_label_another_field_has_stands_under_its_key() {
        for (label, key) in [("City", "city"), ("COMPANY", "company"), ("Phone", "phone"), ("city", "city")] {
            let mut catalogue = Catalogue::standard();
            let own = CustomField::new("x_a".parse().unwrap(), label, CustomType::Text);
            catalogue.set_custom_field(own);
            let mut file = Vec::new();
            template(&catalogue, &mut file).unwrap();
            let options = ReadOptions::new().has_header(true);
            let table = TableReader::open(std::io::Cursor::new(file), &options).unwrap();
            let heads = table.headers();
            assert!(heads.contains(&key.to_owned()) && heads.contains(&"x_a".to_owned()), "{heads:?}");
            let mapping = Mapping::propose(heads, &catalogue);
            for column in &mapping.columns {
                let field = column.field.as_ref().unwrap();
                assert!(
                    column.header == field.key() || catalogue.is_called(field, &column.header),
                    "{column:?}"
                );
            }
            let mapped: std::collections::BTreeSet<_> = mapping.fields().collect();
            assert_eq!(mapped.len(), heads.len(), "{label}");
        }
    }
}
