//! Workbooks made here: what a sheet becomes, and what is refused before it hurts.
#![cfg(feature = "xlsx")]

use std::io::{Cursor, Write};

use rust_xlsxwriter::{Format, Formula, Workbook};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::error::{Error, Result};
use crate::exchange::{FileKind, Limits, ReadOptions, Row, RowProblem, Table};

type Book = Table<Cursor<Vec<u8>>>;

pub(super) fn read(bytes: Vec<u8>, options: &ReadOptions) -> Result<(Book, Vec<Row>)> {
    let mut table = Table::open(Cursor::new(bytes), options)?;
    let (mut rows, mut row) = (Vec::new(), Row::new());
    while table.next_row(&mut row)? {
        rows.push(row.clone());
    }
    Ok((table, rows))
}

fn refusal(bytes: Vec<u8>, options: &ReadOptions) -> String {
    let error: Error = read(bytes, options).unwrap_err();
    error.violations()[0].message.clone()
}

pub(super) fn cells(row: &Row) -> Vec<&str> {
    row.iter().collect()
}

pub(super) fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(super) fn ods(tables: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body>\
         <office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    );
    let mime = b"application/vnd.oasis.opendocument.spreadsheet";
    archive(&[("mimetype", mime), ("content.xml", content.as_bytes())])
}

pub(super) fn xlsx_with_sheet(sheet: &str, strings: &str) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "x").unwrap();
    let made = book.save_to_buffer().unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(made)).unwrap();
    let mut parts = Vec::new();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut part, &mut content).unwrap();
        if name.ends_with("sheet1.xml") && !sheet.is_empty() {
            content = format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>").into_bytes();
        }
        if name.ends_with("sharedStrings.xml") && !strings.is_empty() {
            content = strings.as_bytes().to_vec();
        }
        parts.push((name, content));
    }
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    archive(&parts)
}

#[test]
fn cells_of_all_types_lose_nothing() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let headers = ["Name", "Since", "Zip", "Id", "Rate", "Active", "Fee"];
    for (column, header) in headers.iter().enumerate() {
        sheet.write(0, column as u16, *header).unwrap();
    }
    sheet.write(1, 0, "Kåre \"K\" Øst").unwrap();
    sheet.write_number_with_format(1, 1, 44197.5, &Format::new().set_num_format("yyyy-mm-dd hh:mm")).unwrap();
    sheet.write_number_with_format(1, 2, 347.0, &Format::new().set_num_format("00000")).unwrap();
    sheet.write(1, 3, 9_007_199_254_740_991_u64).unwrap();
    sheet.write_number_with_format(1, 4, 0.25, &Format::new().set_num_format("0%")).unwrap();
    sheet.write(1, 5, true).unwrap();
    sheet.write(1, 6, 12.10).unwrap();
    sheet.write_formula(2, 0, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(2, 3, 1).unwrap();
    let (table, rows) = read(book.save_to_buffer().unwrap(), &ReadOptions::new()).unwrap();
    assert_eq!(
        (table.format(), table.header_line(), table.sheet()),
        (FileKind::Xlsx, Some(1), Some("Sheet1"))
    );
    assert_eq!(table.headers(), headers);
    let expected =
        ["Kåre \"K\" Øst", "2021-01-01T12:00:00", "00347", "9007199254740991", "25%", "true", "12.1"];
    assert_eq!(cells(&rows[0]), expected);
    assert_eq!((rows[0].line(), rows[0].number(), rows[1].line()), (2, 1, 3));
}

#[test]
fn the_first_visible_table_below_its_title_is_found() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Read me").unwrap().write(0, 0, "How to fill this in").unwrap();
    let hidden = book.add_worksheet().set_name("Lists").unwrap().set_hidden(true);
    hidden.write(0, 0, "a").unwrap().write(0, 1, "b").unwrap();
    hidden.write(1, 0, "c").unwrap().write(1, 1, "d").unwrap();
    let leads = book.add_worksheet().set_name("Leads").unwrap();
    leads.merge_range(0, 1, 0, 3, "Leads", &Format::new()).unwrap();
    for (column, text) in ["Company", "E-mail", "City"].into_iter().enumerate() {
        leads.write(3, column as u16 + 1, text).unwrap();
    }
    leads.merge_range(4, 1, 5, 1, "Nordlys AS", &Format::new()).unwrap();
    leads.write(4, 2, "a@x.example").unwrap().write(5, 2, "b@x.example").unwrap();
    leads.write(8, 1, "Berg AS").unwrap().write(8, 5, "a note beside").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let (table, rows) = read(bytes.clone(), &ReadOptions::new()).unwrap();
    assert_eq!((table.sheet(), table.header_line()), (Some("Leads"), Some(4)));
    assert_eq!(table.headers(), ["", "Company", "E-mail", "City"]);
    let lines: Vec<u64> = rows.iter().map(Row::line).collect();
    assert_eq!(lines, [5, 6, 9]);
    assert_eq!(cells(&rows[1]), ["", "Nordlys AS", "b@x.example"]);
    let problems: Vec<_> = rows.iter().map(Row::problem).collect();
    // As in a CSV file: what has no column is told.
    assert_eq!(problems, [None, None, Some(RowProblem::ExtraCells)]);
    let visible: Vec<bool> = table.sheets().iter().map(|sheet| sheet.visible).collect();
    assert_eq!(visible, [true, false, true]);
    let (table, _) = read(bytes.clone(), &ReadOptions::new().sheet("lists ")).unwrap();
    assert_eq!(table.headers(), ["a", "b"]);
    let (table, _) = read(bytes.clone(), &ReadOptions::new().sheet(2).header_row(5)).unwrap();
    assert_eq!((table.headers()[1].as_str(), table.header_line()), ("Nordlys AS", Some(5)));
    for (options, field) in [
        (ReadOptions::new().sheet("Lead"), "sheet"),
        (ReadOptions::new().sheet(3), "sheet"),
        (ReadOptions::new().sheet("Leads").header_row(7), "header_row"),
        (ReadOptions::new().header_row(0), "header_row"),
    ] {
        assert_eq!(read(bytes.clone(), &options).unwrap_err().violations()[0].field, field);
    }
}

#[test]
fn the_head_of_a_large_sheet_has_the_columns_of_the_whole() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..2_000 {
        sheet.write(row, 0, format!("name {row}")).unwrap().write(row, 1, row).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let mut head = Table::open_head(Cursor::new(bytes.clone()), &ReadOptions::new()).unwrap();
    let (whole, rows) = read(bytes, &ReadOptions::new()).unwrap();
    assert_eq!((head.headers(), head.header_line()), (whole.headers(), whole.header_line()));
    let (mut row, mut count) = (Row::new(), 0);
    while head.next_row(&mut row).unwrap() {
        count += 1;
    }
    assert!(count >= 499 && count < rows.len());
}

#[test]
fn an_open_document_is_read_with_its_repeats() {
    let tables = "<table:table table:name=\"Leads\">\
        <table:table-row><table:table-cell office:value-type=\"string\"><text:p>Name</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\"><text:p>Zip</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\"><text:p>Since</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"2\"><table:table-cell><text:p/></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"3\"><table:table-cell office:value-type=\"string\">\
        <office:annotation><text:p>remark</text:p></office:annotation><text:p>A &amp; B<text:s text:c=\"2\"/>x</text:p>\
        <text:p>two</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"float\" office:value=\"347\"><text:p>00347</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2021-01-01T00:00:00\"><text:p>1.1.</text:p>\
        </table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/>\
        </table:table-row></table:table>";
    let (table, rows) = read(ods(tables), &ReadOptions::new()).unwrap();
    assert_eq!((table.format(), table.headers().len()), (FileKind::Ods, 3));
    assert_eq!(rows.iter().map(Row::line).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!(cells(&rows[2]), ["A & B  x\ntwo", "00347", "2021-01-01"]);
}

#[test]
fn what_a_few_bytes_claim_is_not_believed() {
    let repeated = |rows: u64, columns: u64| {
        ods(&format!(
            "<table:table table:name=\"x\"><table:table-row table:number-rows-repeated=\"{rows}\">\
             <table:table-cell table:number-columns-repeated=\"{columns}\" office:value-type=\"string\">\
             <text:p>X</text:p></table:table-cell></table:table-row></table:table>"
        ))
    };
    assert!(refusal(repeated(999_999_999, 999_999_999), &ReadOptions::new()).contains("columns"));
    let small = ReadOptions::new().limits(Limits::new().max_table_bytes(1024 * 1024));
    assert!(refusal(repeated(999_999_999, 4_000), &small).contains("MiB"));
    // Two cells at the corners of the largest sheet.
    let corners = "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\"><v>1</v></c></row>\
                   <row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>";
    let (_, rows) = read(xlsx_with_sheet(corners, ""), &ReadOptions::new()).unwrap();
    assert_eq!(rows.last().unwrap().problem().unwrap().code(), "too_many_columns");
    let strings = "<sst count=\"99999999999\" uniqueCount=\"99999999999\"><si><t>x</t></si></sst>";
    assert!(refusal(xlsx_with_sheet("", strings), &ReadOptions::new()).contains("unpacks"));
}

#[test]
fn a_bomb_is_refused_by_what_it_unpacks_to() {
    let row = "<row><c><v>1</v></c></row>".repeat(100_000);
    let bytes = xlsx_with_sheet(&row, "");
    assert!(bytes.len() < 100_000);
    let most = ReadOptions::new().limits(Limits::new().max_unpacked_bytes(1024 * 1024));
    assert!(refusal(bytes, &most).contains("unpacks"));
    // One text without end.
    let long = format!("<row><c t=\"str\"><v>{}</v></c></row>", "x".repeat(3_000_000));
    let most = ReadOptions::new().limits(Limits::new().max_record_bytes(1024 * 1024));
    assert!(refusal(xlsx_with_sheet(&long, ""), &most).contains("unpacks"));
    let most = ReadOptions::new().limits(Limits::new().max_file_bytes(100));
    assert!(refusal(xlsx_with_sheet("", ""), &most).contains("larger"));
}

#[test]
fn marks_that_say_nothing_have_an_end() {
    // Small limits, so that a small file reaches them: each takes its time here and in the parser.
    let small = ReadOptions::new().limits(Limits::new().max_unpacked_bytes(16 * 1024 * 1024));
    let xlsx = |marks: &str| {
        let rows = "<row><c><v>1</v></c><c><v>2</v></c></row>".repeat(2);
        xlsx_with_sheet(&format!("{rows}<row>{marks}</row>"), "")
    };
    let ods = |marks: &str| {
        let rows =
            "<table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>";
        ods(&format!("<table:table>{rows}{rows}<table:table-row>{marks}</table:table-row></table:table>"))
    };
    let of_xlsx = [
        ("<!---->", 10_000),
        ("<?x?>", 10_000),
        ("<a/>", 262_144),
        ("<a></a>", 262_144),
        ("<c/>", 524_288),
        ("<c><v></v></c>", 524_288),
    ];
    for (mark, most) in of_xlsx {
        assert!(refusal(xlsx(&mark.repeat(most + 100)), &small).contains("unpacks"), "{mark}");
        assert!(read(xlsx(&mark.repeat(most - 200)), &small).is_ok(), "{mark}");
    }
    let of_ods = [
        ("<!---->", 10_000),
        ("<a/>", 262_144),
        ("<table:table-cell/>", 262_144),
        ("<table:table-cell><text:p/></table:table-cell>", 262_144),
    ];
    for (mark, most) in of_ods {
        assert!(refusal(ods(&mark.repeat(most + 100)), &small).contains("unpacks"), "{mark}");
        assert!(read(ods(&mark.repeat(most - 200)), &small).is_ok(), "{mark}");
    }
}

#[test]
fn other_archives_and_damaged_ones_are_refused_in_words() {
    assert!(refusal(archive(&[("notes.txt", b"x")]), &ReadOptions::new()).contains("zip archive"));
    assert!(
        refusal(archive(&[("word/document.xml", b"<x/>")]), &ReadOptions::new()).contains("text document")
    );
    let mut cut = xlsx_with_sheet("", "");
    cut.truncate(cut.len() / 2);
    assert!(refusal(cut, &ReadOptions::new()).contains("damaged"));
    let mut ole = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    ole.resize(2048, 0);
    assert!(refusal(ole, &ReadOptions::new()).contains("damaged"));
    // A directory whose sectors lead in a circle.
    let mut ole = vec![0_u8; 512 * 4];
    ole[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    ole[26] = 3;
    ole[30] = 9;
    ole[32] = 6;
    ole[44] = 1;
    ole[48..52].copy_from_slice(&1_u32.to_le_bytes());
    ole[68..72].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    ole[76..512].fill(0xFF);
    ole[76..80].fill(0);
    ole[512 + 4..512 + 8].copy_from_slice(&1_u32.to_le_bytes());
    assert!(refusal(ole, &ReadOptions::new()).contains("damaged"));
}

#[test]
fn spoilt_bytes_never_panic() {
    let good =
        [xlsx_with_sheet("", ""), ods("<table:table table:name=\"x\"><table:table-row/></table:table>")];
    for bytes in good {
        for place in (0..bytes.len()).step_by(7) {
            let mut spoilt = bytes.clone();
            spoilt[place] = spoilt[place].wrapping_add(1 + (place % 200) as u8);
            let _ = read(spoilt, &ReadOptions::new());
        }
    }
}

fn row_of(cells: &str) -> String {
    format!("<table:table-row>{cells}</table:table-row>")
}

fn string_cell(repeats: u64, text: &str) -> String {
    format!(
        "<table:table-cell table:number-columns-repeated=\"{repeats}\" office:value-type=\"string\">\
         <text:p>{text}</text:p></table:table-cell>"
    )
}

#[test]
fn a_large_text_that_repeats_is_weighed_before_it_is_kept() {
    let head = row_of(&string_cell(2, "head"));
    let sheet = |row: &str| ods(&format!("<table:table table:name=\"x\">{head}{row}</table:table>"));
    let large = "x".repeat(20_000);
    // Two hundred gigabytes: four thousand cells in each of half a million rows.
    let wide = row_of(&string_cell(4_000, &large));
    let wide = wide.replacen("row>", "row table:number-rows-repeated=\"500000\">", 1);
    let (_, rows) = read(sheet(&wide), &ReadOptions::new()).unwrap();
    assert_eq!(rows.len(), 500_000);
    assert!(rows.iter().all(|row| row.problem() == Some(RowProblem::RecordTooLarge)));
    let high = wide.replace("\"4000\"", "\"2\"");
    let small = ReadOptions::new().limits(Limits::new().max_table_bytes(1024 * 1024));
    assert!(refusal(sheet(&high), &small).contains("MiB"));
    // Blanks that a counter stands for; cells that say they are there no time.
    let blanks = row_of(&string_cell(1, &"<text:s text:c=\"1000\"/>".repeat(5_000)));
    let none = row_of(&string_cell(0, "x").repeat(10_000));
    let (_, rows) =
        read(sheet(&format!("{blanks}{none}{}", row_of(&string_cell(1, "y")))), &ReadOptions::new()).unwrap();
    let problems: Vec<_> = rows.iter().map(|row| (row.line(), row.problem())).collect();
    assert_eq!(problems, [(2, Some(RowProblem::CellTooLarge)), (4, None)]);
}

#[test]
fn a_text_that_many_cells_share_is_not_copied_without_end() {
    let strings = format!("<sst uniqueCount=\"1\"><si><t>{}</t></si></sst>", "x".repeat(900_000));
    let rows = |cells: usize| {
        let row = format!("<row>{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(cells));
        xlsx_with_sheet(&row.repeat(1_000), &strings)
    };
    let limits = Limits::new().max_table_bytes(8 * 1024 * 1024).max_unpacked_bytes(64 * 1024 * 1024);
    let small = ReadOptions::new().limits(limits);
    assert!(refusal(rows(2), &small).contains("MiB"));
    // Each row is too large and dropped; that they are read ends too.
    assert!(refusal(rows(30), &small).contains("MiB"));
}

/// A workbook made here, with another text for some of its parts.
fn xlsx_with(parts: &[(&str, &str)]) -> Vec<u8> {
    let whole = xlsx_with_sheet("<row><c><v>1</v></c><c><v>2</v></c></row>", "");
    let mut zip = zip::ZipArchive::new(Cursor::new(whole)).unwrap();
    let mut all = Vec::new();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut content = String::new();
        std::io::Read::read_to_string(&mut part, &mut content).unwrap();
        if let Some((_, other)) = parts.iter().find(|(end, _)| name.ends_with(end)) {
            content = (*other).to_owned();
        }
        all.push((name, content));
    }
    let all: Vec<(&str, &[u8])> =
        all.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
    archive(&all)
}

fn workbook_of(sheets: u32) -> String {
    let sheets: String =
        (0..sheets).map(|n| format!("<sheet name=\"s{n}\" sheetId=\"{n}\" r:id=\"rId1\"/>")).collect();
    format!("<workbook><sheets>{sheets}</sheets></workbook>")
}

#[test]
fn a_workbook_of_a_million_sheets_is_refused_at_once() {
    let none = ReadOptions::new();
    assert!(refusal(xlsx_with(&[("xl/workbook.xml", &workbook_of(200_000))]), &none).contains("1000 sheets"));
    assert!(refusal(ods(&"<table:table table:name=\"x\"/>".repeat(200_000)), &none).contains("1000 sheets"));
    // As many as may be, all of them one part of the file, which holds nothing: it is not unpacked for each.
    let empty = format!("<worksheet><sheetData>{}</sheetData></worksheet>", "<row/>".repeat(100_000));
    let parts = [("xl/workbook.xml", workbook_of(1_000)), ("sheet1.xml", empty)];
    let parts = parts.each_ref().map(|(name, text)| (*name, text.as_str()));
    let mut options = ReadOptions::new();
    options.limits = Limits::new();
    assert!(refusal(xlsx_with(&parts), &options).contains("unpacks"));
    // The styles that hide sheets are kept too.
    let hides = |n: usize| {
        format!(
            "<style:style style:name=\"s{n}\"><style:table-properties table:display=\"false\"/></style:style>"
        )
    };
    let styles: String = (0..20_000).map(hides).collect();
    let table = "<table:table table:name=\"x\"/>";
    assert!(refusal(ods(&format!("{styles}{table}")), &none).contains("1000 sheets"));
    // Many honest sheets of which the last holds the table.
    let tables = "<table:table table:name=\"x\"><table:table-row/></table:table>".repeat(900);
    let last =
        format!("<table:table table:name=\"y\">{}</table:table>", row_of(&string_cell(2, "a")).repeat(3));
    let (table, _) = read(ods(&format!("{tables}{last}")), &none).unwrap();
    assert_eq!(table.sheet(), Some("y"));
    let long = format!("<table:table table:name=\"{}\"/>", "n".repeat(2_000));
    assert!(refusal(ods(&long), &none).contains("damaged"));
}

#[test]
fn what_a_workbook_keeps_beside_its_sheets_is_counted() {
    let none = ReadOptions::new();
    let format = "0".repeat(100_000);
    let styles = format!(
        "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"{format}\"/></numFmts><cellXfs>{}</cellXfs></styleSheet>",
        "<xf numFmtId=\"200\"/>".repeat(5_000)
    );
    let names = format!("<workbook>{}</workbook>", "<definedName name=\"a\">b</definedName>".repeat(10_000));
    let relations = format!(
        "<Relationships><Relationship Id=\"rId1\" Target=\"{}\"/></Relationships>",
        "x".repeat(100_000)
    );
    let texts = format!("<sst>{}</sst>", "<si/>".repeat(50_000));
    let comment = format!("<worksheet><!--{}--></worksheet>", "<a>".repeat(400_000));
    let small =
        ReadOptions::new().limits(Limits::new().max_table_bytes(1024 * 1024).max_record_bytes(1024 * 1024));
    for (part, text, options) in [
        ("styles.xml", styles, &none),
        ("xl/workbook.xml", names, &small),
        ("workbook.xml.rels", relations, &none),
        ("sharedStrings.xml", texts, &small),
        ("sheet1.xml", comment, &small),
    ] {
        assert!(refusal(xlsx_with(&[(part, &text)]), options).contains("unpacks"), "{part}");
    }
    // A directory of a million entries is not read to be counted.
    let mut entries = b"PK\x03\x04".to_vec();
    entries.extend(b"PK\x01\x02".repeat(20_001));
    assert!(refusal(entries, &none).contains("unpacks"));
    // Parts under other names are looked at as well.
    let hidden = archive(&[
        ("xl/workbook.xml", b"<workbook/>"),
        ("media/picture.png", format!("<sst>{}</sst>", "<si/>".repeat(50_000)).as_bytes()),
    ]);
    assert!(refusal(hidden, &small).contains("unpacks"));
}
