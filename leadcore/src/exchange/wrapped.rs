//! Files of which each line stands in quotes as a whole: `"A AS,a@x.example,Oslo"` under `Company,E-mail,City`.
//!
//! Some programs write their lines as text into another writer of CSV, which quotes them. One such line alone is a cell with
//! commas in it; they are taken apart only where every line of the sample is one and comes to as many cells as the header.

use std::io;

use csv::StringRecord;

use super::Row;
use super::decode::{Decoded, TextEncoding};
use super::dialect::Dialect;
use super::escaped;
use super::frames::Frames;
use super::options::ReadOptions;
use super::scan::Syntax;

/// So many lines are looked at.
const LINES: usize = 200;

/// The cells of a line that stands in quotes as a whole.
pub(super) fn unwrapped(row: &Row, syntax: Syntax) -> Option<StringRecord> {
    let line = row.cells.get(0).filter(|_| row.cells.len() == 1 && row.problem.is_none())?;
    let is_quoted =
        row.raw.len() > 1 && row.raw.first() == Some(&syntax.quote) && row.raw.last() == Some(&syntax.quote);
    if !is_quoted || line.contains(['\n', '\r']) {
        return None;
    }
    StringRecord::from_byte_record(escaped::split(line.as_bytes(), syntax)).ok()
}

/// Whether all lines of a sample are such.
pub(super) fn are(
    sample: &[u8],
    complete: bool,
    dialect: &Dialect,
    options: &ReadOptions,
) -> io::Result<bool> {
    let syntax = dialect.syntax();
    let mut frames = Frames::new(Decoded::new(sample, TextEncoding::UTF_8), syntax, options.limits.clone());
    if !complete {
        frames = frames.cut();
    }
    frames.skip_lines(dialect.skipped_lines)?;
    let mut row = Row::default();
    if !dialect.has_header || !frames.next_record(&mut row)? {
        return Ok(false);
    }
    let width = unwrapped(&row, syntax).map_or(row.cells.len(), |cells| cells.len());
    let mut lines = 0;
    while width > 1 && lines < LINES && frames.next_record(&mut row)? {
        if row.is_blank() {
            continue;
        }
        if unwrapped(&row, syntax).is_none_or(|cells| cells.len() != width) {
            return Ok(false);
        }
        lines += 1;
    }
    // Of two columns, one line may as well be a short one with a comma in its cell.
    Ok(lines > 0 && (width > 2 || lines > 1))
}

#[cfg(test)]
mod tests {
    use crate::exchange::{ReadOptions, Row, TableReader};

    fn read(file: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let mut table = TableReader::open(std::io::Cursor::new(file), &ReadOptions::new()).unwrap();
        let (mut row, mut rows) = (Row::new(), Vec::new());
        while table.next_row(&mut row).unwrap() {
            rows.push(row.iter().map(str::to_owned).collect());
        }
        (table.headers().to_vec(), rows)
    }

    #[test]
    fn lines_in_quotes_are_taken_apart() {
        let whole = ["Company", "E-mail", "City"].map(str::to_owned).to_vec();
        let rows = [["A AS", "a@x.example", "Oslo"], ["B, Inc", "b@x.example", "Moss"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        for header in ["Company,E-mail,City", "\"Company,E-mail,City\""] {
            let file = format!("{header}\n\"A AS,a@x.example,Oslo\"\n\"\"\"B, Inc\"\",b@x.example,Moss\"\n");
            assert_eq!(read(&file), (whole.clone(), rows.clone()), "{header}");
        }
    }

    #[test]
    fn a_cell_with_commas_stays_one() {
        for file in [
            "Company,Note\n\"Berg, Hansen\"\n",
            "Company,Note,City\n\"Berg, Hansen, Moe\"\nB,x,Oslo\n",
            "Company\n\"Berg, Hansen\"\n\"Moe, Lund\"\n",
        ] {
            assert_eq!(read(file).1[0].len(), 1, "{file}");
        }
    }
}
