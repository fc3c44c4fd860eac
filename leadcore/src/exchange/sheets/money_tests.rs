//! The currencies of cells.
#![cfg(feature = "xlsx")]

use rust_xlsxwriter::{Format, Workbook};

use super::tests::{cells, ods, read};
use crate::exchange::ReadOptions;

#[test]
fn cells_name_the_currency_of_their_format() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "Company").unwrap().write(0, 1, "Amount").unwrap();
    for (row, format) in (1..).zip([
        "[$€-407] #,##0.00",
        "\"NOK\" #,##0",
        "[$kr-41D] #,##0",
        "\"$\"#,##0.00",
        "_($* #,##0.00_);_($* (#,##0.00);_($* \"-\"??_);_(@_)",
        "#,##0.00",
        "0\" kg\"",
        "0\\ %",
    ]) {
        let format = Format::new().set_num_format(format);
        sheet.write(row, 0, format!("C{row}")).unwrap();
        sheet.write_number_with_format(row, 1, 1250.5, &format).unwrap();
    }
    let built_in = Format::new().set_num_format_index(44);
    sheet.write(9, 0, "C9").unwrap();
    sheet.write_number_with_format(9, 1, -12.0, &built_in).unwrap();
    let (_, rows) = read(book.save_to_buffer().unwrap(), &ReadOptions::new()).unwrap();
    let amounts: Vec<_> = rows.iter().map(|row| cells(row)[1]).collect();
    assert_eq!(
        amounts,
        [
            "EUR 1250.5",
            "NOK 1250.5",
            "SEK 1250.5",
            "$ 1250.5",
            "$ 1250.5",
            "1250.5",
            "1250.5",
            "125050%",
            "-12"
        ],
        "what a program shows in the currency of whoever looks at it is in none"
    );
    assert!(rows[0].is_number(1));
}

#[test]
fn cells_of_open_documents_name_their_currency() {
    let cell = |kind: &str, value: &str| {
        format!(
            "<table:table-cell office:value-type=\"{kind}\" office:value=\"{value}\"><text:p>?</text:p></table:table-cell>"
        )
    };
    let text = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: String| format!("<table:table-row>{cells}</table:table-row>");
    let table = [
        row(text("Company") + &text("Amount")),
        row(text("A") + &cell("currency\" office:currency=\"EUR", "1250.50")),
        row(text("B") + &cell("currency\" office:currency=\"?", "7")),
        row(text("C") + &cell("currency", "8")),
        row(text("D") + &cell("float\" office:currency=\"EUR", "9")),
    ];
    let table = format!("<table:table table:name=\"A\">{}</table:table>", table.concat());
    let (_, rows) = read(ods(&table), &ReadOptions::new()).unwrap();
    let amounts: Vec<_> = rows.iter().map(|row| cells(row)[1]).collect();
    assert_eq!(amounts, ["EUR 1250.5", "7", "8", "9"]);
}
