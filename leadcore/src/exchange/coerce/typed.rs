//! Numbers of a file as texts that are read as the same numbers.

use std::borrow::Cow;

use super::column::Column;
use super::{Coercer, Said};
use crate::domain::{CustomType, Field, FieldType};
use crate::exchange::Row;
use crate::exchange::mapping::Origin;
use crate::value::DecimalMark;

impl Coercer {
    /// The number in this cell as a text that its column reads as the same number: with the decimal mark of the column, and
    /// not as thousands. `None` where the text that stands there says it, or where the column takes no numbers.
    pub(in crate::exchange) fn as_text(&self, row: &Row, place: usize) -> Option<String> {
        let alone = Origin::Columns(place, Vec::new());
        let column = self.columns.iter().find(|column| column.at.from == alone)?;
        let is_bared = column.is_bared(row, place);
        if !(is_bared || column.is_number(row) && self.reads_numbers(column)) {
            return None;
        }
        let cell = column.text(row, &mut 0);
        if is_bared && !(column.is_number(row) && self.reads_numbers(column)) {
            return Some(cell.into_owned());
        }
        // A word that means something else must stay that word.
        if !matches!(self.said(&column.at.field, &cell), Said::Text(Cow::Borrowed(_))) {
            return None;
        }
        let (whole, fraction) = cell.split_once('.')?;
        let said = column.at.rules.decimal_mark.unwrap_or(self.options.decimal_mark);
        let mark = if said == DecimalMark::Comma { ',' } else { '.' };
        // With a digit more it is read in one way.
        let more = if fraction.len() == 3 { "0" } else { "" };
        Some(format!("{whole}{mark}{fraction}{more}"))
    }

    /// Whether the decimal mark matters to what the column fills.
    fn reads_numbers(&self, column: &Column) -> bool {
        if column.at.rules.opt_out.is_some() {
            return false;
        }
        match &column.at.field {
            Field::Amount => true,
            Field::Custom(key) => self.catalogue.usable(key).is_ok_and(|custom| {
                matches!(custom.kind, CustomType::Integer | CustomType::Decimal | CustomType::Money(_))
            }),
            other => matches!(other.field_type(), FieldType::Integer),
        }
    }
}
