//! The same leads from a workbook, JSON and cards.

use super::{Host, counts};
use crate::exchange::FileKind;
use crate::exchange::import::ImportOptions;

#[cfg(all(feature = "sheets", feature = "xlsx"))]
fn workbook() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("Leads").unwrap();
    sheet.write(0, 0, "Leads of the fair").unwrap();
    for (column, header) in
        ["Company Name", "Email", "Zip", "City", "Expected revenue"].into_iter().enumerate()
    {
        sheet.write(2, column as u16, header).unwrap();
    }
    sheet.write(3, 0, "Nordlys AS").unwrap().write(3, 1, "post@nordlys.example").unwrap();
    sheet.write(3, 2, 60610.0).unwrap().write(3, 3, "Chicago").unwrap();
    sheet.write(5, 0, "Berg AS").unwrap().write(5, 1, "no address").unwrap();
    let failed = rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A");
    sheet.write(6, 0, "Fjell AS").unwrap().write_formula(6, 3, failed).unwrap();
    // Beyond the columns that have a name.
    sheet.write(7, 0, "Dal AS").unwrap().write(7, 8, "lost?").unwrap();
    book.save_to_buffer().unwrap()
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn a_workbook_is_imported_under_any_name_and_its_bad_cells_are_told_by_row() {
    let host = Host::new();
    let dry = host.dry(workbook(), &ImportOptions::new());
    let report = host.run(workbook());
    assert_eq!(counts(&report), counts(&dry));
    let format = &report.format;
    assert_eq!(
        (format.kind, format.sheet.as_deref(), format.header_line),
        (FileKind::Xlsx, Some("Leads"), Some(3))
    );
    let (created, _, _, rejected) = counts(&report);
    assert_eq!((created, rejected), (1, 3), "nothing is passed over in silence");
    let lead = host.leads().into_iter().find(|lead| lead.fields.company.is_some()).unwrap();
    assert_eq!(lead.fields.address.postal_code(), Some("60610"));
    let email = report.rejections.iter().find(|rejection| rejection.field == "email").unwrap();
    assert_eq!(email.line, 6);
    // The same file again changes nothing.
    assert!(host.run(workbook()).repeated);
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains("\"kind\":\"xlsx\""));
}

#[test]
fn objects_of_json_are_imported_by_their_keys() {
    let host = Host::new();
    let text = "[{\"company\":\"Nordlys AS\",\"email\":\"post@nordlys.example\",\"zip\":\"0155\"},\n{\"company\":\"Berg AS\",\"email\":\"b@berg.example\"},\n{\"company\":}]";
    let report = host.run(text);
    assert_eq!((report.format.kind, counts(&report)), (FileKind::Json, (2, 0, 0, 1)));
    assert_eq!(report.rejections[0].line, 3);
}

#[cfg(feature = "vcard")]
#[test]
fn cards_are_imported_as_people() {
    let host = Host::new();
    let card = |name: &str, mail: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nORG:Nordlys AS\nEMAIL:{mail}\nEND:VCARD\n")
    };
    let report =
        host.run(format!("{}{}", card("Ada Berg", "ada@x.example"), card("Kåre Øst", "kare@x.example")));
    assert_eq!((report.format.kind, counts(&report)), (FileKind::VCard, (2, 0, 0, 0)));
    let names: Vec<String> =
        host.leads().iter().filter_map(|lead| lead.fields.person.as_ref().map(ToString::to_string)).collect();
    assert_eq!(names, ["Ada Berg", "Kåre Øst"]);
}
