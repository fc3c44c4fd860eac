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
    // A key without a value is a column too: a mapping may name it.
    assert_eq!(headers, ["a.b.c", "p.1.n", "p.2.n", "e", "z", "t", "m"]);
    assert_eq!(rows[0].1, ["1", "1", "2", "", "", "true", "1; x"]);
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
fn a_file_that_does_not_end_as_it_began_is_told() {
    let ends = |text: &str| {
        let rows = read(text).1;
        let problems: Vec<_> = rows.iter().map(|(line, _, problem)| (*line, problem.is_some())).collect();
        assert!(rows.iter().all(|(_, _, problem)| problem.is_none_or(|it| it == RowProblem::Malformed)));
        problems
    };
    let (fine, told) = (vec![(1, false), (2, false)], vec![(1, false), (2, false), (3, true)]);
    for (text, expected) in [
        ("[{\"a\":1},\n{\"a\":2}]\n \n", &fine),
        ("[{\"a\":1},\n{\"a\":2},\n]", &fine),
        ("{\"records\":[{\"a\":1},\n{\"a\":2}], \"more\":{\"s\":\"}]\"}}\n", &fine),
        ("{\n\"a\":1}\n{\"a\":2}\n", &vec![(1, false), (3, false)]),
        // Cut between two objects.
        ("[{\"a\":1},\n{\"a\":2}", &told),
        ("[{\"a\":1},\n{\"a\":2},\n", &told),
        ("{\"records\":[{\"a\":1},\n{\"a\":2}", &told),
        ("{\"records\":[{\"a\":1},\n{\"a\":2}]", &told),
        ("{\"records\":[{\"a\":1},\n{\"a\":2}],\"next\":\"}", &told),
        // More behind the end.
        ("[{\"a\":1},\n{\"a\":2}] trailing", &told),
        ("[{\"a\":1},\n{\"a\":2}]\n[{\"a\":3}]", &told),
        ("[{\"a\":1},\n{\"a\":2}},\n{\"a\":3}]", &told),
        ("{\"records\":[{\"a\":1},\n{\"a\":2}]}}", &told),
        ("{\n\"a\":1}\n{\"a\":2}\n]", &vec![(1, false), (3, false), (4, true)]),
    ] {
        assert_eq!(&ends(text), expected, "{text}");
    }
    let mut reader = JsonReader::open(Cursor::new("[{\"a\":1}] rest \n of it"), &ReadOptions::new()).unwrap();
    let mut row = Row::new();
    assert!(reader.next_row(&mut row).unwrap());
    assert!(reader.next_row(&mut row).unwrap());
    assert_eq!(row.raw(), b"rest \n of it");
    assert!(!reader.next_row(&mut row).unwrap());
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
    let narrow = ReadOptions::new().limits(Limits::new().max_columns(2));
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

/// The problems of the rows behind a small first object, under small limits.
fn problems(object: &str) -> Vec<Option<RowProblem>> {
    let limits = Limits::new().max_record_bytes(10_000).max_cell_bytes(2_000).max_columns(100);
    let text = format!("{{\"a\":1}}\n{object}\n{{\"a\":2}}\n");
    let mut reader =
        JsonReader::open(Cursor::new(text), &ReadOptions::new().limits(limits)).expect("others are read");
    let (mut found, mut row) = (Vec::new(), Row::new());
    while reader.next_row(&mut row).unwrap() {
        found.push(row.problem());
    }
    assert_eq!(reader.headers(), ["a"], "what cannot be taken makes no column");
    assert_eq!((found.len(), found[0], found[2]), (3, None, None));
    found
}

#[test]
fn keys_count_as_often_as_they_are_said() {
    // One long key around many short ones: written once, said a thousand times.
    let many = vec!["\"b\":1"; 1_000].join(",");
    let nested = format!("{{\"{}\":{{{many}}}}}", "k".repeat(1_500));
    assert_eq!(problems(&nested)[1], Some(RowProblem::RecordTooLarge));
    let endless = format!("{{\"{}\":1}}", "k".repeat(2_001));
    assert_eq!(problems(&endless)[1], Some(RowProblem::CellTooLarge));
    let deep = format!("{}1{}", "{\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\":".repeat(60), "}".repeat(60));
    assert_eq!(problems(&deep)[1], Some(RowProblem::CellTooLarge));
}

#[test]
fn a_cell_is_weighed_while_it_grows() {
    // Six bytes become three hundred.
    let floats = format!("{{\"a\":[{}]}}", vec!["1e308"; 1_000].join(","));
    assert_eq!(problems(&floats)[1], Some(RowProblem::CellTooLarge));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2_001));
    assert_eq!(problems(&long)[1], Some(RowProblem::CellTooLarge));
}

#[test]
fn keys_without_end_are_refused_where_they_pass_the_limit() {
    let open = |text: String, limits: Limits| {
        let options = ReadOptions::new().limits(limits);
        JsonReader::open(Cursor::new(text), &options).map(|_| ()).unwrap_err().to_string()
    };
    // In one object: not all of them are looked at first.
    let keys: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":1")).collect();
    assert!(open(format!("{{{}}}", keys.join(",")), Limits::new()).contains("different keys"));
    // Few, each in an object of its own, and long.
    let keys: String = (0..50).map(|n| format!("{{\"{}{n}\":1}}\n", "k".repeat(900))).collect();
    let small = Limits::new().max_record_bytes(10_000);
    assert!(open(keys, small).contains("together"));
}

#[test]
fn long_cells_of_many_columns_do_not_add_up() {
    let text: String =
        (0..60).map(|n| format!("{{\"k{n}\":\"{}\"}}\n", "x".repeat(20_000))).collect::<String>()
            + "{\"k0\":1}";
    let mut reader = JsonReader::open(Cursor::new(text), &ReadOptions::new()).unwrap();
    let mut row = Row::new();
    while reader.next_row(&mut row).unwrap() {
        let kept: usize = reader.cells.iter().map(String::capacity).sum();
        assert!(kept < 60_000, "{kept}");
    }
}

#[test]
fn objects_of_nothing_are_no_table_of_any_size() {
    let wide = |keys: usize| (0..keys).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    let open = |text: String| JsonReader::open(Cursor::new(text), &ReadOptions::new()).map(|_| ());
    // Three bytes each, and four thousand cells.
    let error = open(format!("{{{}}}\n{}", wide(4_000), "{}\n".repeat(20_000))).unwrap_err();
    assert!(error.to_string().contains("4000 different keys"), "{error}");
    // As wide and as sparse as files of people are.
    open(format!("{{{}}}\n{}", wide(300), "{\"k7\":\"x\"}\n".repeat(20_000))).unwrap();
}

#[test]
fn of_a_key_that_is_said_twice_the_last_value_counts() {
    let text = r#"{"a":["x; y"],"b":["x; y"],"a":1,"b":["z; w"],"c":2,"c":["v; u"]}"#;
    let mut reader = JsonReader::open(Cursor::new(text), &ReadOptions::new()).unwrap();
    let mut row = Row::new();
    assert!(reader.next_row(&mut row).unwrap());
    assert_eq!(row.quoted_lists, [1, 2]);
    assert_eq!(row.get(0), Some("1"));
}

/// What a tenant's fields are called.
fn known(key: &str) -> bool {
    ["name", "email", "company", "phone", "city", "source", "number", "tags", "status"].contains(&key)
}

fn shaped(text: &str) -> Result<Vec<Vec<String>>> {
    let options = ReadOptions::new().known_header(known);
    let mut reader = JsonReader::open(Cursor::new(text.to_owned()), &options)?;
    let (mut rows, mut row) = (Vec::new(), Row::new());
    while reader.next_row(&mut row)? {
        assert_eq!(row.problem(), None, "{text}");
        rows.push(row.iter().map(str::to_owned).collect());
    }
    Ok(rows)
}

#[test]
fn the_one_list_of_objects_is_found_at_any_depth() {
    let list = r#"[{"name":"Ada","email":"a@x.example"},{"name":"Bob","email":"b@x.example"}]"#;
    for text in [
        format!(r#"{{"data":{{"leads":{list}}}}}"#),
        format!(r#"{{"status":"ok","data":{{"leads":{list}}},"meta":{{"name":"x","all":[{{"n":1}}]}}}}"#),
        format!(
            "{{\n \"result\": {{\n  \"total\": 2, \"items\": {list}, \"next\": null\n }}, \"done\": true\n}}\n"
        ),
        format!(r#"{{"prospects":{list}}}"#),
        format!(r#"{{"crm":{{"export":{{"prospects":{list}}}}},"version":3}}"#),
        format!(r#"{{"response":{{"data":{{"contacts":{list}}}}}}}"#),
        format!(r#"{{"status":"ok","results":{list},"facets":[{{"a":1}}]}}"#),
    ] {
        let rows = shaped(&text).unwrap();
        assert_eq!(rows, [["Ada", "a@x.example"], ["Bob", "b@x.example"]], "{text}");
    }
    // Behind the list all that was opened is closed.
    let cut = format!(r#"{{"data":{{"leads":{list}}}"#);
    let mut reader = JsonReader::open(Cursor::new(cut), &ReadOptions::new()).unwrap();
    let (mut row, mut problems) = (Row::new(), Vec::new());
    while reader.next_row(&mut row).unwrap() {
        problems.push(row.problem());
    }
    assert_eq!(problems, [None, None, Some(RowProblem::Malformed)]);
}

#[test]
fn one_lead_with_lists_inside_stays_one_lead() {
    for (text, columns) in [
        (r#"{"name":"Ada","email":"a@x.example","tags":["x","y"],"notes":[{"text":"n"},{"text":"m"}]}"#, 5),
        (r#"{"name":"Ada","phones":[{"number":"1"},{"number":"2"}]}"#, 3),
        (r#"{"name":"Ada","emails":[{"email":"a@x.example","type":"work"}]}"#, 3),
        (
            r#"{"company":"N","persons":[{"name":"Ada","email":"a@x.example"},{"name":"Bob","email":"b@x.example"}]}"#,
            5,
        ),
        (r#"{"person":{"name":"Ada","title":"CEO"},"address":{"city":"Oslo","zip":"1"}}"#, 4),
        (r#"{"person":{"name":"Ada"},"company":{"name":"N"}}"#, 2),
        (r#"{"tags":["a","b"],"name":"Ada","other":["c","d"]}"#, 3),
        (r#"{"name":["Ada"],"email":["a@x.example"]}"#, 2),
        (r#"{"data":{"name":"Ada","tags":["x"]}}"#, 2),
    ] {
        let rows = shaped(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((rows.len(), rows[0].len()), (1, columns), "{text}");
    }
    // The lines of an order are no leads, whatever the lead calls itself.
    let lines = r#"[{"sku":"A-1","qty":2,"price":5},{"sku":"B-2","qty":1,"price":9}]"#;
    for own in ["Company Name", "company", "Firma", "E-Mail", "Telefon", "First Name", "Organisation"] {
        let lead = format!(r#"{{"{own}":"X","items":{lines}}}"#);
        let rows = shaped(&lead).unwrap_or_else(|error| panic!("{own}: {error}"));
        assert_eq!((rows.len(), rows[0][0].as_str()), (1, "X"), "{own}");
        assert_eq!(shaped(&format!("{lead}\n").repeat(2)).unwrap().len(), 2, "{own}");
        assert_eq!(shaped(&lead.replace(',', ",\n").repeat(2)).unwrap().len(), 2, "{own}");
    }
    assert_eq!(shaped(&format!(r#"{{"city":"Oslo","items":{lines}}}"#)).unwrap().len(), 1);
    // Leads one behind the other are none of a list.
    let lead = "{\n\"name\":\"Ada\",\n\"items\":[1],\n\"phones\":[{\"number\":\"1\"}]\n}\n";
    assert_eq!(shaped(&lead.repeat(3)).unwrap().len(), 3);
    assert_eq!(shaped(&"{\"x\":[{\"a\":1}],\"y\":[{\"b\":1}]}\n".repeat(2)).unwrap().len(), 2);
}

#[test]
fn what_is_no_list_of_objects_is_refused_with_what_was_found() {
    for (text, told) in [
        (r#"{"a":[{"name":"x"}],"b":[{"name":"y"}]}"#, "`a`, `b`"),
        (r#"{"data":[{"name":"x"}],"items":[{"name":"y"}]}"#, "`data`, `items`"),
        (r#"{"out":{"a":[{"q":"x"}],"b":[{"q":"y"}]}}"#, "`out.a`, `out.b`"),
        (r#"{"1":{"name":"x","phones":[{"number":"1"}]},"2":{"name":"y"}}"#, "object of objects"),
        (r#"{"a1":{"name":"x","email":"e"},"b2":{"name":"y","email":"f"}}"#, "object of objects"),
        (r#"{"data":{"17":{"name":"x"},"18":{"email":"y"}},"count":2}"#, "object of objects"),
        (r#"{"name":["a","b"],"email":["c","d"]}"#, "columns"),
        (r#"{"name":{"0":"a","1":"b"},"email":{"0":"c","1":"d"}}"#, "columns"),
        (r#"{"columns":["name","email"],"index":[0,1],"data":[["a","b"],["c","d"]]}"#, "rows as lists"),
        (
            r#"{"name":"My list","prospects":[{"name":"x","email":"y"}]}"#,
            "`name` and a list of objects at `prospects`",
        ),
        (
            r#"{"company":"N","email":"e","contacts":[{"name":"x"}]}"#,
            "`company` and a list of objects at `contacts`",
        ),
        (
            r#"{"Company Name":"N","items":[{"First name":"x","E-mail":"y"}]}"#,
            "`Company Name` and a list of objects at `items`",
        ),
    ] {
        let error = shaped(text).map(|rows| format!("{rows:?}")).expect_err(text);
        assert_eq!(error.violations()[0].field, "file");
        assert!(error.to_string().contains(told), "{text}: {error}");
    }
}

#[test]
fn a_second_list_far_behind_the_first_is_told_too() {
    let many = vec![r#"{"name":"Ada","city":"Oslo"}"#; 50_000].join(",");
    assert!(many.len() > ENCODING_SAMPLE);
    for (text, told) in [
        (format!(r#"{{"data":[{many}],"items":[{{"name":"x"}}]}}"#), Some("`items`")),
        (format!(r#"{{"mine":[{many}],"more":{{"theirs": [ {{"name":"x"}}]}}}}"#), None),
        (format!(r#"{{"mine":[{many}], "theirs" : [ {{"name":"x"}}]}}"#), Some("`theirs`")),
        (format!(r#"{{"data":[{many}],"facets":[{{"name":"x"}}],"note":"items [{{"}}"#), None),
        (format!(r#"{{"mine":[{many}],"tags":["a"],"links":[{{"self":"x"}}]}}"#), None),
    ] {
        let found = JsonReader::open(Cursor::new(text), &ReadOptions::new()).map(|_| ());
        assert_eq!(
            found.as_ref().err().map(|error| error.to_string().contains(told.unwrap_or("?"))),
            told.map(|_| true)
        );
    }
}

#[test]
fn a_number_that_is_too_large_is_a_cell_like_any_other() {
    let (headers, rows) =
        read("{\"name\":\"Ada\",\"amount\":1e400}\n{\"name\":\"Bob\",\"amount\":-1.5E999}\n");
    assert_eq!(headers, ["name", "amount"]);
    assert_eq!(rows[0], (1, vec!["Ada".to_owned(), "1e400".to_owned()], None));
    assert_eq!((rows[1].1[1].as_str(), rows[1].2), ("-1.5E999", None));
    assert_eq!(cells(r#"{"a":1e400}"#), [["1e400"]]);
    assert_eq!(read("{\"a\":1}\n{\"a\":1e}\n").1[1].2, Some(RowProblem::Malformed));
}
