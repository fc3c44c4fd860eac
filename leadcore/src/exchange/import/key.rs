//! By what an import is known again: by how its file is read, whoever said so.

use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

use super::ImportOptions;
use super::options::fingerprint;
use super::records::Record;
use super::source::is_done;
use crate::domain::{Catalogue, FieldType, Operation};
use crate::error::Result;
use crate::exchange::coerce::is_national;
use crate::exchange::mapping::Located;
use crate::exchange::{Mapping, ReadOptions, Sample, SheetChoice, Table};
use crate::value::{Country, DecimalMark};

/// What the caller said of all columns. It is no part of the plain key: it matters only for columns that say nothing themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct SaidOfAll {
    region: Option<Country>,
    decimal_mark: DecimalMark,
    /// Whether any number of the rows that were read needed the region; none where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs_region: Option<bool>,
}

impl SaidOfAll {
    pub(super) const fn by(options: &ImportOptions) -> Self {
        Self { region: options.region, decimal_mark: options.decimal_mark, needs_region: None }
    }

    /// Before any row is read.
    pub(super) fn begun(self) -> Self {
        Self { needs_region: Some(false), ..self }
    }

    /// After these rows too.
    pub(super) fn after(self, rows: &[Record]) -> Self {
        let needs = rows.iter().any(|row| row.needs_region);
        Self { needs_region: self.needs_region.map(|before| before || needs), ..self }
    }

    /// What is known of all rows.
    pub(super) fn of(self, operation: &Operation) -> Self {
        Self { needs_region: self.needs_region.filter(|_| is_done(operation)), ..self }
    }

    /// Whether a file that is mapped so becomes the same with what was said another time.
    pub(super) fn is_as(
        self,
        then: Self,
        sample: &Sample,
        catalogue: &Catalogue,
        options: &ImportOptions,
        mapping: &Mapping,
    ) -> bool {
        if (self.region, self.decimal_mark) == (then.region, then.decimal_mark) {
            return true;
        }
        let Ok(columns) = mapping.locate(sample.headers(), catalogue, &options.match_by) else {
            return false;
        };
        columns.iter().all(|column| match catalogue.field_type(&column.field) {
            Ok(FieldType::Phone) => {
                self.region == then.region
                    || column.rules.region.is_some()
                    || column.rules.opt_out.is_some()
                    || then.needs_region == Some(false)
                    || !may_be_national(column, sample)
            }
            Ok(FieldType::Amount | FieldType::Decimal | FieldType::Integer | FieldType::Custom) => {
                self.decimal_mark == then.decimal_mark || column.rules.decimal_mark.is_some()
            }
            _ => true,
        })
    }
}

/// Whether a phone number of the column may be one that does not say its country: of a file that is read to its end, its cells
/// tell.
fn may_be_national(column: &Located, sample: &Sample) -> bool {
    let mut places = column.from.places().peekable();
    places.peek().is_none()
        || sample.is_full()
        || places.any(|place| sample.cells().any(|row| row.get(place).is_some_and(|cell| is_national(cell))))
}

/// The plain key of a file with this digest: what it becomes by the options, with its layout as it is read. An import that was
/// written down before layouts were settled has the key of what was said.
pub(super) fn plain<R: Read + Seek>(
    digest: &str,
    options: &ImportOptions,
    table: &Table<R>,
    is_stored: impl Fn(&str) -> Result<bool>,
) -> Result<String> {
    let read = settled(&options.read, table);
    let settled =
        ImportOptions { read, region: None, decimal_mark: DecimalMark::default(), ..options.clone() };
    let dialect =
        table.dialect().map(|dialect| (dialect.quote, dialect.escape, dialect.escapes_outside_quotes));
    let plain = format!("{digest}:{}", fingerprint(&(settled.fingerprint()?, dialect))?);
    if is_stored(&plain)? {
        return Ok(plain);
    }
    let as_said = format!("{digest}:{}", options.fingerprint()?);
    Ok(if is_stored(&as_said)? { as_said } else { plain })
}

/// How a table is read, as if all of it had been said.
fn settled<R: Read + Seek>(said: &ReadOptions, table: &Table<R>) -> ReadOptions {
    let mut read = ReadOptions::new().limits(said.limits.clone()).format(table.format());
    if let Some(dialect) = table.dialect() {
        read = read.encoding(table.encoding()).delimiter(dialect.delimiter);
    }
    read = read.skip_lines(table.skipped_lines()).has_header(table.header_line().is_some());
    read.header_row = table.header_line();
    read.long_floats.clone_from(&said.long_floats);
    read.sheet = table.sheet().map(|sheet| SheetChoice::Name(sheet.to_owned()));
    read
}
