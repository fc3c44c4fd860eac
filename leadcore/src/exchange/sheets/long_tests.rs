//! Numbers that are longer than a float keeps.
#![cfg(feature = "xlsx")]

use super::tests::{cells, ods, read, xlsx_with_sheet};
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
