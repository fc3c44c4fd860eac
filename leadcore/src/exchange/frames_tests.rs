//! What is walked, and that it is read as if it were walked again.

use proptest::prelude::*;

use super::*;
use crate::exchange::decode::TextEncoding;

const SYNTAX: Syntax = Syntax { delimiter: b',', quote: b'"', escape: None, bare: false, blanks: false };
const ESCAPED: Syntax = Syntax { escape: Some(b'\\'), ..SYNTAX };

type Read = Vec<(u64, Vec<u8>, Option<RowProblem>, Vec<String>, bool)>;

/// The records, and how many bytes were looked at.
fn read(text: &[u8], syntax: Syntax, limits: &Limits, off: bool) -> (Read, usize) {
    let mut frames = Frames::new(Decoded::new(text, TextEncoding::UTF_8), syntax, limits.clone());
    frames.trail.off = off;
    let (mut found, mut row) = (Vec::new(), Row::new());
    while frames.next_record(&mut row).unwrap() {
        let cells = row.iter().map(str::to_owned).collect();
        found.push((row.line(), row.raw().to_vec(), row.problem(), cells, row.stray_quote()));
    }
    (found, frames.walked)
}

/// Each line leaves a quote open, and none of them is told by the next: that one reads as quoted what stands outside.
const LINES: [&str; 4] = ["Nordlys\",\"Oslo\n", "\",x\"y,\"z\r\n", "a\",\"\n", "a\",\"b,c\",\"d\r"];

#[test]
fn lines_that_all_leave_a_quote_open_are_walked_once() {
    for line in LINES {
        let text = line.repeat(40_000);
        let (found, walked) = read(text.as_bytes(), SYNTAX, &Limits::default(), false);
        assert_eq!(found.len(), 40_000, "{line:?}");
        assert!(found.iter().all(|(.., problem, _, _)| problem.is_some()));
        assert!(walked < 8 * text.len(), "{line:?}: {walked} looks at {} bytes", text.len());
    }
}

#[test]
fn what_ends_the_walk_is_not_walked_to_again() {
    let open = "Nordlys\",\"Oslo\n".repeat(5_000);
    for (end, largest) in [
        // Longer than a cell, than a record, a quote that stands wrong, the end of the file, an honest end.
        (format!("{}\n", "x".repeat(1_500_000)), 1 << 30),
        (format!("{}\n", "\",\"cell".repeat(1_000_001)), 2 << 20),
        (format!("{}\"stray\n", "x".repeat(1_000_000)), 1 << 30),
        (format!("{}\n", "x".repeat(1_000_000)), 1 << 30),
        (format!("{}\"\n", "x".repeat(1_000_000)), 1 << 30),
    ] {
        let text = format!("{open}{end}last,row\n");
        let limits = Limits::new().max_record_bytes(largest);
        let (found, walked) = read(text.as_bytes(), SYNTAX, &limits, false);
        assert!(walked < 8 * text.len(), "{:.20}: {walked} looks at {} bytes", end, text.len());
        assert_eq!(found.last().unwrap().1, b"last,row".to_vec(), "{end:.20}");
    }
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(LINES.to_vec()),
        3 => proptest::sample::select(vec!["\"", "\"\"", ",", "\n", "\r", "\r\n", "\\", "\\\"", "x", "\",\"", "yyyyyyyy"]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn what_is_remembered_changes_nothing(
        text in pieces(), cell in 5_usize..60, record in 20_usize..300, lines in 1_u64..12, escaped in any::<bool>(),
        bare in any::<bool>()
    ) {
        let limits = Limits::new().max_cell_bytes(cell).max_record_bytes(record).max_record_lines(lines);
        let syntax = if escaped { Syntax { bare, ..ESCAPED } } else { SYNTAX };
        prop_assert_eq!(read(&text, syntax, &limits, false).0, read(&text, syntax, &limits, true).0);
    }
}
