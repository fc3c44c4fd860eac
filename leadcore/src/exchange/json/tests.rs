use std::io::Cursor;

use super::*;

type Rows = Vec<(u64, Vec<String>, Option<RowProblem>)>;

fn read(text: impl Into<Vec<u8>>) -> (Vec<String>, Rows) {
    let mut reader = JsonReader::open(Cursor::new(text.into()), &ReadOptions::new()).unwrap();
    let (mut rows, mut row) = (Vec::new(), Row::new());
    while reader.next_row(&mut row).unwrap() {
        rows.push((row.line(), row.iter().map(str::to_owned).collect(), row.problem()));
    }
    (reader.headers().to_vec(), rows)
}

fn cells(text: &str) -> Vec<Vec<String>> {
    read(text).1.into_iter().map(|(_, cells, _)| cells).collect()
}

#[test]
fn lines_lists_and_lists_inside_an_object_are_the_same_rows() {
    let (a, b) = (r#"{"name":"Ada","zip":7010}"#, r#"{"name":"Kåre","tags":["x","y"]}"#);
    for text in [
        format!("{a}\n{b}\n"),
        format!("\u{feff}{a}\r\n\r\n{b}"),
        format!("[{a},\n{b}]"),
        format!("[\n{a}\n,{b}\n]\n"),
        format!("{{\"totalSize\":2,\"done\":true,\"records\":[{a},{b}],\"next\":[{{\"name\":\"no\"}}]}}"),
        format!("{{\n \"records\": [\n {a}, {b} ]\n}}"),
        format!("{}\n{}", a.replace(',', ",\n"), b.replace(',', ",\n")),
    ] {
        let (headers, rows) = read(text.clone());
        assert_eq!(headers, ["name", "zip", "tags"], "{text}");
        let cells: Vec<_> = rows.into_iter().map(|(_, cells, _)| cells).collect();
        assert_eq!(cells, [["Ada", "7010", ""], ["Kåre", "", "x; y"]], "{text}");
    }
}

#[test]
fn values_inside_values_get_keys_with_dots() {
    let text =
        r#"{"a":{"b":{"c":1}},"p":[{"n":"1"},{"n":"2"}],"e":[],"o":{},"z":null,"t":true,"m":[1,null,"x"]}"#;
    let (headers, rows) = read(text);
    assert_eq!(headers, ["a.b.c", "p.1.n", "p.2.n", "t", "m"]);
    assert_eq!(rows[0].1, ["1", "1", "2", "true", "1; x"]);
}

#[test]
fn numbers_keep_their_digits() {
    let text = r#"{"a":123456789012345678901234567890,"b":60610.0,"c":1.50,"d":-0.25,"e":1.5e3,"f":"007"}"#;
    assert_eq!(cells(text), [["123456789012345678901234567890", "60610", "1.5", "-0.25", "1500", "007"]]);
}

#[test]
fn a_broken_line_costs_one_row() {
    let text = "{\"a\":\"1\"}\n{\"a\":\"2\n{\"a\":3,}\n[1]\n{\"a\":\"\\u00e5\\n\\\"\"}\n";
    let (_, rows) = read(text);
    let problems: Vec<_> = rows.iter().map(|(line, _, problem)| (*line, problem.is_some())).collect();
    assert_eq!(problems, [(1, false), (2, true), (3, true), (4, true), (5, false)]);
    assert_eq!(rows[4].1, ["å\n\""]);
}

#[test]
fn a_broken_object_in_a_list_costs_one_row_and_a_cut_one_too() {
    let (_, rows) = read("[{\"a\":1},\n{\"a\":x},\n{\"a\":2},{\"a\":");
    let problems: Vec<_> = rows.iter().map(|(line, _, problem)| (*line, problem.is_some())).collect();
    // Lines rise, also where two objects share one.
    assert_eq!(problems, [(1, false), (2, true), (3, false), (4, true)]);
}

#[test]
fn utf16_is_read_and_lost_bytes_are_told() {
    let text: Vec<u8> = "\u{feff}[{\"a\":\"Kåre\"}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(text).1[0].1, ["Kåre"]);
    let mut bytes = "{\"a\":\"ØÆÅØÆÅØÆÅ\"}\n".repeat(9).into_bytes();
    bytes.extend(b"{\"a\":\"\xf8\"}\n");
    let mut reader = JsonReader::open(Cursor::new(bytes), &ReadOptions::new()).unwrap();
    let (mut row, mut bad) = (Row::new(), Vec::new());
    while reader.next_row(&mut row).unwrap() {
        bad.push(row.bad_encoding());
    }
    assert_eq!(bad.iter().filter(|bad| **bad).count(), 1);
}

#[test]
fn limits_and_emptiness_end_in_reasons() {
    let open = |text: &str, options: &ReadOptions| {
        JsonReader::open(Cursor::new(text.to_owned()), options).map(|_| ()).unwrap_err().to_string()
    };
    assert!(open("[]", &ReadOptions::new()).contains("no rows"));
    assert!(open("[1,2]", &ReadOptions::new()).contains("no object"));
    let narrow = ReadOptions::new().limits(super::super::Limits::new().max_columns(2));
    assert!(open("{\"a\":1,\"b\":2,\"c\":3}", &narrow).contains("keys"));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(open(&deep, &ReadOptions::new()).contains("no object"));
}

#[test]
fn objects_on_one_line_are_told_apart_by_their_lines() {
    let lines = |text: &str| read(text).1.into_iter().map(|(line, ..)| line).collect::<Vec<_>>();
    assert_eq!(lines(r#"[{"a":1},{"a":2},{"a":3}]"#), [1, 2, 3]);
    assert_eq!(lines("[\n{\"a\":1},\n\n{\"a\":2}]"), [2, 4]);
}
