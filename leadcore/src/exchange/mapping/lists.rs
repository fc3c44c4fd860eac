//! What separates several values in the cells of a column.

use super::shape::Cells;
use super::{Note, Split};
use crate::value::LIST_MARKS;

/// What separates values where it is no comma or semicolon.
const SEPARATORS: [&str; 4] = [" ::: ", "|", "\n", " / "];

impl Cells<'_> {
    /// What separates several values in its cells: that which most of those cells have. Where as many have commas or
    /// semicolons there is no rule, and the other cells are told.
    pub(super) fn list(&self) -> Option<(Option<Split>, Note)> {
        let counted =
            SEPARATORS.into_iter().map(|between| (between, self.count(|cell| cell.contains(between))));
        let (between, cells) = counted.max_by_key(|(_, cells)| *cells).filter(|(_, cells)| *cells > 0)?;
        let is_usual =
            |cell: &str| LIST_MARKS.iter().any(|mark| cell.contains(mark)) && !cell.contains(between);
        let between = between.to_owned();
        if self.count(is_usual) >= cells {
            return Some((None, Note::OddList { between, cells }));
        }
        Some((Some(Split::List(between.clone())), Note::List { between, cells }))
    }
}
