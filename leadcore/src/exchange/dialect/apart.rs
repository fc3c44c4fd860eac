//! Lines of a name and a value above a table, with a blank line between: `Report;Leads`, `Date;2026-01-01`.

use super::{MAX_PREAMBLE, Table, can_be_header, is_datum};

/// Whether the records above this one are such lines, and it names more columns than they fill.
pub(super) fn stands_apart(table: &Table, row: usize) -> bool {
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.is_empty()).count();
    let Some((above, [(line, header), ..])) = table.rows.split_at_checked(row) else { return false };
    let Some((last, cells)) = above.last() else { return false };
    let is_blank_between = filled(cells) == 0 || last + 1 < *line;
    is_blank_between
        && filled(header) == header.len()
        && header.len() >= 3
        && above.iter().any(|(_, cells)| filled(cells) == 2)
        && above.iter().all(|(_, cells)| filled(cells) <= 2 && cells.iter().skip(2).all(String::is_empty))
}

/// Evidence 4: such lines, then a record that can be a header of as many columns as every one below it, of which one holds
/// numbers, dates or addresses alone.
pub(super) fn block_before_table(table: &Table, width: usize) -> Option<usize> {
    let is_header = |row: &usize| {
        let Some([(_, header), below @ ..]) = table.rows.get(*row..) else { return false };
        let is_apart = header.len() == width && stands_apart(table, *row);
        let is_even = || below.len() >= 2 && below.iter().all(|(_, cells)| cells.len() == width);
        let is_of_data = |column: usize| {
            below.iter().all(|(_, cells)| cells.get(column).is_some_and(|cell| is_datum(cell)))
        };
        is_apart && is_even() && can_be_header(header) && (0..width).any(is_of_data)
    };
    (1..=MAX_PREAMBLE).find(is_header)
}
