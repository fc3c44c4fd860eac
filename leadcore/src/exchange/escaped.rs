//! The cells of a record in which delimiters and line breaks outside quotes may be escaped: `Oslo\\, Norway`.
//!
//! The `csv` crate knows escapes inside quotes alone, and no blanks before them, so such a record is taken apart here, by the
//! same rules as the walk that found its end ([`scan`](super::scan)).

use csv::ByteRecord;

use super::scan::{Syntax, is_line_end};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    Closed,
}

/// Splits a whole record. Outside quotes an escape counts before what has a meaning there; before anything else, as in
/// `C:\dir`, it is a character like others.
pub(super) fn split(record: &[u8], syntax: Syntax) -> ByteRecord {
    let (mut cells, mut cell) = (ByteRecord::new(), Vec::new());
    let mut state = State::Start;
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escapes = Some(byte) == syntax.escape;
        let before_meaning = |next: &u8| {
            [syntax.delimiter, syntax.quote].contains(next)
                || Some(*next) == syntax.escape
                || is_line_end(*next)
        };
        match state {
            State::Start | State::Plain | State::Closed if byte == syntax.delimiter => {
                cells.push_field(&cell);
                cell.clear();
                state = State::Start;
            }
            // Blanks are passed over where a quote stands behind them, and part of the cell else.
            State::Start if syntax.is_passed(byte) => {
                if bytes.clone().find(|next| !syntax.is_passed(*next)) == Some(syntax.quote) {
                    while bytes.next_if(|next| syntax.is_passed(*next)).is_some() {}
                } else {
                    cell.push(byte);
                    state = State::Plain;
                }
            }
            State::Start if byte == syntax.quote => state = State::Quoted,
            State::Closed if byte == syntax.quote => {
                cell.push(byte);
                state = State::Quoted;
            }
            State::Start | State::Plain if escapes && syntax.bare => {
                cell.push(bytes.next_if(before_meaning).unwrap_or(byte));
                state = State::Plain;
            }
            State::Start | State::Plain | State::Closed => {
                cell.push(byte);
                state = State::Plain;
            }
            State::Quoted if byte == syntax.quote => state = State::Closed,
            State::Quoted if escapes => cell.extend(bytes.next()),
            State::Quoted => cell.push(byte),
        }
    }
    cells.push_field(&cell);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{ReadOptions, Row, TableReader};

    fn cells(text: &str) -> Vec<String> {
        let syntax = Syntax { delimiter: b',', quote: b'"', escape: Some(b'\\'), bare: true, blanks: false };
        split(text.as_bytes(), syntax).iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    }

    #[test]
    fn an_escape_outside_quotes_takes_the_meaning_from_what_follows() {
        assert_eq!(cells(r"Oslo\, Norway,x"), ["Oslo, Norway", "x"]);
        assert_eq!(cells(r#"\"a\",b"#), ["\"a\"", "b"]);
        assert_eq!(cells(r"C:\dir,a\\,b"), [r"C:\dir", r"a\", "b"]);
        assert_eq!(cells(r#""a \"b\", c","d ""e""",f"#), ["a \"b\", c", "d \"e\"", "f"]);
        assert_eq!(cells(r"a,b\"), ["a", r"b\"]);
        assert_eq!(cells("a\\\nb,c"), ["a\nb", "c"]);
    }

    #[test]
    fn a_file_with_escaped_delimiters_is_read() {
        let file =
            "Company,City,Note\nA,Oslo\\, Norway,x\nB,Bergen,\"y\"\nC,Moss\\, Norway,one\\\ntwo\nD,Os,z\n";
        for options in [ReadOptions::new(), ReadOptions::new().escape(b'\\')] {
            let mut table = TableReader::open(std::io::Cursor::new(file), &options).unwrap();
            assert_eq!(table.dialect().escape, Some(b'\\'));
            let (mut row, mut rows) = (Row::new(), Vec::new());
            while table.next_row(&mut row).unwrap() {
                assert_eq!(row.problem(), None);
                rows.push((row.line(), row.iter().map(str::to_owned).collect::<Vec<_>>()));
            }
            let row = |line, cells: [&str; 3]| (line, cells.map(str::to_owned).to_vec());
            assert_eq!(
                rows,
                [
                    row(2, ["A", "Oslo, Norway", "x"]),
                    row(3, ["B", "Bergen", "y"]),
                    row(4, ["C", "Moss, Norway", "one\ntwo"]),
                    row(6, ["D", "Os", "z"]),
                ]
            );
        }
        let wrong = ReadOptions::new().delimiter(b',').escape(b',');
        let error = TableReader::open(std::io::Cursor::new(file), &wrong).unwrap_err();
        assert_eq!(error.violations()[0].field, "escape");
    }
}
