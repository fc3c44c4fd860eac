//! Numbers that are longer than a float keeps.
#![cfg(feature = "xlsx")]

use std::io::{Cursor, Read};

use rust_xlsxwriter::Workbook;

use super::tests::{archive, cells, ods, read, xlsx_with_sheet};
use crate::exchange::ReadOptions;

#[test]
fn long_numbers_keep_the_digits_of_the_file() {
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let sheet = format!(
        "<row r=\"1\">{}{}</row><row r=\"2\"><c r=\"A2\"><v>12345678901234567</v></c><c><v>1.234</v></c></row>",
        cell("id"),
        cell("n")
    );
    let long = xlsx_with_sheet(&sheet, "");
    let (_, rows) = read(long, &ReadOptions::new()).unwrap();
    assert_eq!(cells(&rows[0]), ["12345678901234567", "1.234"]);
    assert_eq!((rows[0].is_number(0), rows[0].is_number(1)), (false, true));
    let table = "<table:table table:name=\"A\"><table:table-row><table:table-cell office:value-type=\"string\"><text:p>id</text:p>\
                 </table:table-cell><table:table-cell office:value-type=\"string\"><text:p>n</text:p></table:table-cell>\
                 </table:table-row><table:table-row><table:table-cell office:value-type=\"float\" office:value=\"12345678901234567\">\
                 <text:p>1,23E+016</text:p></table:table-cell><table:table-cell office:value-type=\"float\" office:value=\"1.5\">\
                 <text:p>1,5</text:p></table:table-cell></table:table-row></table:table>";
    let (_, rows) = read(ods(table), &ReadOptions::new()).unwrap();
    assert_eq!(cells(&rows[0]), ["12345678901234567", "1.5"]);
    assert!(rows[0].is_number(1));
}

/// A workbook with these rows in its sheets.
fn of_sheets(sheets: &[String]) -> Vec<u8> {
    let mut book = Workbook::new();
    for _ in sheets {
        book.add_worksheet().write(0, 0, "x").unwrap();
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(book.save_to_buffer().unwrap())).unwrap();
    let mut parts = Vec::new();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        let own = (1..).zip(sheets).find(|(n, _)| name.ends_with(&format!("/sheet{n}.xml")));
        if let Some((_, sheet)) = own {
            content = format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>").into_bytes();
        }
        parts.push((name, content));
    }
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    archive(&parts)
}

fn rows_with(id: &str) -> String {
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let (one, two) = (cell("id"), cell("n"));
    format!("<row r=\"1\">{one}{two}</row><row r=\"2\"><c r=\"A2\"><v>{id}</v></c><c><v>1.5</v></c></row>")
}

#[test]
fn long_numbers_are_those_of_the_sheet_that_is_read() {
    // Two numbers, and one float that stands for both.
    let ids = ["12345678901234567", "12345678901234568"];
    assert_eq!(ids[0].parse::<f64>(), ids[1].parse::<f64>());
    let file = of_sheets(&ids.map(rows_with));
    for (sheet, id) in ids.into_iter().enumerate() {
        let (_, rows) = read(file.clone(), &ReadOptions::new().sheet(sheet)).unwrap();
        assert_eq!(cells(&rows[0]), [id, "1.5"]);
        assert!(!rows[0].has_lost_digits(0) && !rows[0].is_formula_error(0));
    }
}

#[test]
fn a_long_number_without_all_its_digits_is_told_as_that() {
    // More digits than are looked at.
    let id = format!("12345678901234567.{}", "0".repeat(500));
    let (_, rows) = read(of_sheets(&[rows_with(&id)]), &ReadOptions::new()).unwrap();
    assert_eq!((rows[0].has_lost_digits(0), rows[0].is_formula_error(0)), (true, false));
    assert_eq!((rows[0].has_lost_digits(1), rows[0].get(1)), (false, Some("1.5")));
}

#[test]
fn a_long_number_as_a_power_of_ten_has_all_its_digits_or_is_told() {
    let read = |id: &str| read(of_sheets(&[rows_with(id)]), &ReadOptions::new()).unwrap().1.remove(0);
    assert_eq!(read("1.2345678901234567E+16").get(0), Some("12345678901234567"));
    let lost = read("1.234567890123457E+18");
    assert!(lost.has_lost_digits(0), "no id 1234567890123457000 was ever written");
}

#[test]
fn a_formula_without_a_result_is_told() {
    let sheet = "<row><c t=\"str\"><v>Company</v></c><c t=\"str\"><v>Amount</v></c></row>\
                 <row><c t=\"str\"><v>A</v></c><c><f>1+1</f><v></v></c></row>\
                 <row><c t=\"str\"><v>B</v></c><c><f>1+1</f><v>2</v></c></row>\
                 <row><c t=\"str\"><v>C</v></c><c t=\"str\"><f>\"\"</f><v></v></c></row>";
    let (_, rows) = read(xlsx_with_sheet(sheet, ""), &ReadOptions::new()).unwrap();
    let told: Vec<_> = rows.iter().map(|row| row.is_formula_error(1)).collect();
    assert_eq!(told, [true, false, false]);
    assert_eq!((rows[0].get(1), rows[1].get(1)), (Some("#N/A"), Some("2")));
    let cell = |attributes: &str, text: &str| {
        format!("<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: &[String]| format!("<table:table-row>{}</table:table-row>", cells.concat());
    let table = format!(
        "<table:table table:name=\"x\">{}{}</table:table>",
        row(&[cell("", "Company"), cell("", "Amount")]),
        row(&[cell("", "A"), "<table:table-cell table:formula=\"of:=1+1\"/>".to_owned()]),
    );
    let (_, rows) = read(ods(&table), &ReadOptions::new()).unwrap();
    assert!(rows[0].is_formula_error(1));
}
