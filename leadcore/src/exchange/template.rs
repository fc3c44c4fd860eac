//! An empty file to fill in (S0.17).

#[cfg(feature = "xlsx")]
pub(super) mod xlsx;

use std::io::Write;

use super::CsvWriter;
use super::rows::clean_header;
use crate::domain::{Catalogue, FieldSpec};
use crate::error::Result;

/// The sheets of the template as a workbook: the one to fill in, what its columns take, and what its drop-downs offer.
#[cfg(any(feature = "sheets", feature = "xlsx"))]
pub(super) const TEMPLATE_SHEETS: [&str; 3] = ["Leads", "Instructions", "Lists"];

/// Writes the header of a file with a column for every field that a person may fill in, in the tenant's order and
/// words. A file with this header maps itself. For a user from whom fields are hidden, give what
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
    let heads: Vec<String> = offered(catalogue).iter().map(|spec| clean_header(&spec.label)).collect();
    csv.write_row(heads.iter().map(String::as_str))?;
    csv.flush()
}

/// The fields that a person may fill in, in the tenant's order.
fn offered(catalogue: &Catalogue) -> Vec<FieldSpec> {
    let mut specs = catalogue.specs();
    specs.retain(|spec| spec.field.is_imported() && !catalogue.is_disabled(&spec.field));
    specs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Field;
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
}
