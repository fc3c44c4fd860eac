//! In which order the dates of a column stand.

use super::shape::{Cells, ratio};
use super::{ColumnRules, DateOrder, Note};
use crate::exchange::dates::{DateShape, date_shape, lacks_zone};

impl Cells<'_> {
    /// The order of its dates.
    pub(super) fn dates(&self) -> Dates {
        let mut dates = Dates::default();
        for cell in &self.filled {
            let slot = match date_shape(cell) {
                DateShape::None => &mut dates.none,
                DateShape::Sure => &mut dates.sure,
                DateShape::DayFirst => &mut dates.day_first,
                DateShape::MonthFirst => &mut dates.month_first,
                DateShape::Either => &mut dates.either,
            };
            *slot += 1;
            dates.dotted += usize::from(date_shape(cell) == DateShape::Either && is_dotted(cell));
        }
        dates.no_zone = self.count(lacks_zone);
        dates
    }
}

/// What the dates of a column are like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dates {
    none: usize,
    sure: usize,
    day_first: usize,
    month_first: usize,
    either: usize,
    /// Those of `either` that have dots between, and the year behind: `3.4.2027`.
    dotted: usize,
    no_zone: usize,
}

impl Dates {
    pub(super) const fn dates(&self) -> usize {
        self.sure + self.day_first + self.month_first + self.either
    }

    /// Whether the column holds dates at all.
    pub(super) fn are_most(&self) -> bool {
        self.dates() > 0 && ratio(self.dates(), self.dates() + self.none) >= 0.8
    }

    pub(super) fn order(&self, rules: &mut ColumnRules, notes: &mut Vec<Note>) {
        let Self { day_first, month_first, either, dotted, .. } = *self;
        if day_first + month_first + either == 0 {
            return;
        }
        let proposed = match (day_first, month_first) {
            (1.., 0) => Some(DateOrder::DayFirst),
            (0, 1..) => Some(DateOrder::MonthFirst),
            // With dots and the year behind, every locale of the CLDR writes the day first.
            (0, 0) if dotted == either => Some(DateOrder::DayFirst),
            _ => None,
        };
        rules.date_order = proposed;
        notes.push(Note::DateOrder { day_first, month_first, either, proposed });
        if proposed.is_some() && day_first + month_first == 0 {
            notes.push(Note::DottedDates { cells: dotted });
        }
    }

    pub(super) fn zone(&self, rules: &mut ColumnRules, notes: &mut Vec<Note>) {
        if self.no_zone > 0 {
            rules.utc_offset = Some(0);
            notes.push(Note::NoZone { cells: self.no_zone });
        }
    }
}

/// Whether a date of numbers has dots between them, and a year of four digits behind.
fn is_dotted(cell: &str) -> bool {
    let mut parts = cell.split_whitespace().next().unwrap_or_default().split('.');
    let digits = |part: Option<&str>, lengths: [usize; 2]| {
        part.is_some_and(|part| {
            lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    digits(parts.next(), [1, 2])
        && digits(parts.next(), [1, 2])
        && digits(parts.next(), [4, 4])
        && parts.next().is_none()
}
