//! The same leads from a workbook, JSON and cards.

#[cfg(all(feature = "sheets", feature = "xlsx"))]
use super::Heard;
use super::{Host, counts};
use crate::domain::Field;
use crate::exchange::import::ImportOptions;
use crate::exchange::{FileKind, ReadOptions};

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

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn rejected_rows_of_a_workbook_come_back_and_are_taken_once_corrected() {
    use rust_xlsxwriter::{ExcelDateTime, Format};
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "Leads of the fair").unwrap();
    for (column, header) in ["Company Name", "Email", "Zip", "Notes", "Expected close", "Expected revenue"]
        .into_iter()
        .enumerate()
    {
        sheet.write(2, column as u16, header).unwrap();
    }
    let (zeros, day) = (Format::new().set_num_format("00000"), Format::new().set_num_format("yyyy-mm-dd"));
    let rows = [
        ("Nordlys AS", "post@nordlys.example", 155.0, "fine"),
        ("Berg; & \"Sønn\"", "no address", 184.0, "=1+1\nand more"),
        ("Dal AS", "nor this", 60610.0, ""),
    ];
    for (row, (company, email, zip, notes)) in (3..).zip(rows) {
        sheet.write(row, 0, company).unwrap().write(row, 1, email).unwrap();
        sheet.write_with_format(row, 2, zip, &zeros).unwrap().write_string(row, 3, notes).unwrap();
        let date = ExcelDateTime::from_ymd(2026, 3, 1).unwrap();
        sheet.write_datetime_with_format(row, 4, &date, &day).unwrap().write(row, 5, 1234.5).unwrap();
    }
    let host = Host::new();
    let (mut rejects, book) = (Vec::new(), std::io::Cursor::new(book.save_to_buffer().unwrap()));
    let (ctx, options) = (host.system(), ImportOptions::new());
    let report = super::import::run(&ctx, &host.store, book, &options, Some(&mut rejects), &mut ()).unwrap();
    assert_eq!((report.format.kind, counts(&report)), (FileKind::Xlsx, (1, 0, 0, 2)), "{report}");
    let text = String::from_utf8(rejects).unwrap();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let headers: Vec<_> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let own = ["Company Name", "Email", "Zip", "Notes", "Expected close", "Expected revenue"];
    assert_eq!(headers[..6], own);
    assert_eq!(headers[6..8], ["reject_field", "reject_reason"]);
    assert!(headers[8].starts_with("reject_reading {") && headers.len() == 9);
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0][0], &rows[0][2], &rows[0][4], &rows[0][5]),
        ("Berg; & \"Sønn\"", "00184", "2026-03-01", "1234.5")
    );
    assert_eq!((&rows[1][1], &rows[1][6]), ("nor this", "email"));
    // The rest of the way: corrected, every row is taken, with all that its cells said.
    let corrected = text.replace("no address", "post@berg.example").replace("nor this", "post@dal.example");
    let mut rest = Vec::new();
    let input = std::io::Cursor::new(corrected);
    let report = super::import::run(&ctx, &host.store, input, &options, Some(&mut rest), &mut ()).unwrap();
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(String::from_utf8(rest).unwrap().lines().count(), 1, "nothing is left over");
    let leads = host.leads();
    let told = |place: usize| {
        let fields = &leads[place].fields;
        (
            fields.company.clone().unwrap(),
            fields.address.postal_code().unwrap().to_owned(),
            fields.expected_close.unwrap().to_string(),
            fields.amount.unwrap().to_string(),
        )
    };
    let own = |company: &str, zip: &str| {
        (company.to_owned(), zip.to_owned(), "2026-03-01".to_owned(), "1234.5".to_owned())
    };
    assert_eq!(
        [told(0), told(1), told(2)],
        [own("Nordlys AS", "00155"), own("Berg; & \"Sønn\"", "00184"), own("Dal AS", "60610"),]
    );
    assert_eq!(leads[1].fields.description.as_deref(), Some("=1+1\nand more"));
}

/// A workbook is read as a whole before its first row is: what is done of it are rows.
#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn progress_of_a_workbook_rises_with_its_rows() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "Company").unwrap();
    for row in 1..=400 {
        sheet.write(row, 0, format!("Company {row}")).unwrap();
    }
    let host = Host::new();
    let mut heard = Heard::default();
    let options = ImportOptions::new().chunk(100);
    let book = book.save_to_buffer().unwrap();
    host.hear(&host.store, book, &options, &mut heard).unwrap();
    let shares: Vec<_> = heard.steps.iter().map(|step| step.bytes * 100 / step.total_bytes).collect();
    assert!(
        shares.iter().zip([25, 50, 75, 100]).all(|(share, done)| share.abs_diff(done) <= 1),
        "{shares:?}"
    );
    assert_eq!(heard.steps.last().unwrap().bytes, heard.steps[0].total_bytes);
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn sheets_that_are_not_read_are_named() {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, company) in [("Fair", "Nordlys AS"), ("More of them", "Berg AS"), ("Old", "Dal AS")] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        sheet.write(0, 0, "Company").unwrap().write(1, 0, company).unwrap();
        if name == "Old" {
            sheet.set_hidden(true);
        }
    }
    let report = Host::new().run(book.save_to_buffer().unwrap());
    assert_eq!(report.format.other_sheets, ["More of them"], "a hidden one is none that somebody expects");
    assert!(
        report.format.to_string().ends_with("; not read: the sheets `More of them`"),
        "{}",
        report.format
    );
}

#[test]
fn a_number_of_json_that_is_too_large_is_refused_by_its_field() {
    let host = Host::new();
    let file = "{\"company\":\"A\",\"amount\":1e400}\n{\"company\":\"B\",\"amount\":12.5,\"other\":1e999}\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    assert_eq!((report.rejections[0].line, report.rejections[0].field.as_str()), (1, "amount"));
    let alone = Host::new().run("{\"company\":\"A\",\"amount\":1e400}");
    assert_eq!((alone.lines, alone.rejections[0].field.as_str()), (1, "amount"), "{alone}");
}

#[test]
fn a_file_without_a_header_gives_rejected_rows_that_come_back() {
    use crate::domain::Field;
    use crate::exchange::{ColumnRules, DateOrder, Mapping, ReadOptions};
    let host = Host::new();
    let mapping = Mapping::default()
        .with("column 1", Some(Field::Company))
        .with("column 2", Some(Field::Email))
        .with("column 3", Some(Field::ExpectedClose))
        .rules("column 3", ColumnRules::new().date_order(DateOrder::DayFirst));
    let options = ImportOptions::new().mapping(mapping).read(ReadOptions::new().has_header(false));
    let (mut rejects, input) = (Vec::new(), std::io::Cursor::new("A,a@x.example,3/4/2027\nB,no,5/6/2027\n"));
    super::import::run(&host.system(), &host.store, input, &options, Some(&mut rejects), &mut ()).unwrap();
    let corrected = String::from_utf8(rejects).unwrap().replace(",no,", ",b@x.example,");
    for options in [options, ImportOptions::new()] {
        let report = host.run_with(corrected.as_str(), &options.attempt(2));
        assert_eq!((report.lines, report.rejected), (1, 0), "{report}");
        assert_eq!(host.leads()[1].fields.expected_close.unwrap().to_string(), "2027-06-05");
    }
}

#[cfg(feature = "vcard")]
#[test]
fn every_part_of_a_name_on_a_card_is_kept() {
    for (n, full, name) in [
        ("Berg;Anna;Lise;Dr.;PhD", "Anna Berg", (Some("Dr."), Some("Anna Lise"), Some("Berg"), Some("PhD"))),
        ("Smith;John;;;Jr.", "John Smith Jr.", (None, Some("John"), Some("Smith"), Some("Jr."))),
        (
            "Smith;John;;Captain;of York",
            "J. S.",
            (Some("Captain"), Some("John"), Some("Smith of York"), None),
        ),
    ] {
        let host = Host::new();
        let card = format!("BEGIN:VCARD\nVERSION:4.0\nFN:{full}\nN:{n}\nEMAIL:a@x.example\nEND:VCARD\n");
        let report = host.run(card.as_str());
        let lead = host.leads().remove(0).fields;
        let person = lead.person.as_ref().unwrap();
        assert_eq!((person.prefix(), person.given(), person.family(), person.suffix()), name, "{report}");
        assert_eq!(counts(&host.run_with(card, &ImportOptions::new().attempt(2))), (0, 0, 1, 0));
    }
    // In a table, too.
    let host = Host::new();
    host.run("Name,First name,Last name,E-mail\n\"Dr. John Smith, Jr.\",John,Smith,a@x.example\n");
    let person = host.leads().remove(0).fields.person.unwrap();
    assert_eq!((person.prefix(), person.suffix()), (Some("Dr."), Some("Jr.")));
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn the_currency_of_a_format_is_that_of_money_alone() {
    use super::said::add_field;
    use crate::domain::{CustomType, CustomValue};
    let host = Host::new();
    add_field(&host, "x_rate", "Rate", &CustomType::Decimal);
    add_field(&host, "x_code", "Code", &CustomType::Text);
    add_field(&host, "x_fee", "Fee", &CustomType::Money(None));
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let euro = rust_xlsxwriter::Format::new().set_num_format("[$€-407] #,##0.00");
    let columns =
        [("Rate", 0.123_456), ("Code", 1250.5), ("Fee", 12.5), ("Amount", 7.25), ("External ID", 42.0)];
    sheet.write(0, 0, "Company").unwrap().write(1, 0, "A").unwrap().write(2, 0, "B").unwrap();
    sheet.write(0, 6, "E-mail").unwrap().write(2, 6, "no address").unwrap();
    for (column, (header, number)) in (1..).zip(columns) {
        sheet.write(0, column, header).unwrap();
        sheet.write_number_with_format(1, column, number, &euro).unwrap();
        sheet.write_number_with_format(2, column, number + f64::from(column == 5), &euro).unwrap();
    }
    let (mut rejects, ctx) = (Vec::new(), host.system());
    let file = std::io::Cursor::new(book.save_to_buffer().unwrap());
    let options = ImportOptions::new();
    let report = super::import::run(&ctx, &host.store, file, &options, Some(&mut rejects), &mut ()).unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    // Corrected, the other row says the same.
    let text = String::from_utf8(rejects).unwrap().replace("no address", "b@x.example");
    assert_eq!(counts(&host.run(text)), (1, 0, 0, 0));
    for lead in host.leads() {
        let custom: Vec<_> = lead.fields.custom.values().cloned().collect();
        let [CustomValue::Text(code), CustomValue::Money(fee), CustomValue::Decimal(rate)] = &custom[..]
        else {
            panic!("{custom:?}")
        };
        assert_eq!((code.as_str(), rate.to_string().as_str()), ("1250.5", "0.123456"));
        assert_eq!(fee.to_string(), "12.5 EUR");
        assert_eq!(lead.fields.amount, Some("7.25".parse().unwrap()));
        assert_eq!(lead.fields.currency.map(|own| own.code().to_owned()).as_deref(), Some("EUR"));
        let ids: Vec<_> = lead.fields.external_ids.iter().map(|id| id.id().to_owned()).collect();
        assert!(ids == ["42"] || ids == ["43"], "{ids:?}");
    }
}

#[test]
fn cells_that_two_bars_separate_are_read() {
    let host = Host::new();
    let file = "Company||E-mail||City\nA AS||a@x.example||Oslo\nB AS||||Moss\nC, D AS||c@x.example||\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (3, 0, 0, 0), "{report}");
    let leads = host.leads();
    let cities = leads.iter().map(|lead| lead.fields.address.city());
    assert_eq!(cities.collect::<Vec<_>>(), [Some("Oslo"), Some("Moss"), None]);
    assert_eq!(leads.iter().filter(|lead| !lead.fields.emails.is_empty()).count(), 2);
    let left_out = report.mapping.columns.iter().filter(|column| column.field.is_none());
    assert!(left_out.clone().all(|column| !column.header.chars().any(char::is_alphabetic)));
    assert_eq!(left_out.count(), 2, "{report}");
}

#[test]
fn floats_that_do_not_say_which_number_they_are_are_told() {
    let file = "Company,External id,Description\nA,12345678901234568,1\nB,1234567890123456,2\nC,,-9007199254740992\nD,,3\n";
    let options = |read: ReadOptions| ImportOptions::new().external_system("crm").read(read);
    let host = Host::new();
    let report = host.run_with(file, &options(ReadOptions::new().long_floats([1, 2])));
    assert_eq!(counts(&report), (2, 0, 0, 2), "{report}");
    let fields: Vec<_> = report.rejections.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(fields, [(2, "external_id"), (4, "description")]);
    assert!(report.rejections[0].message.contains("not all digits of this long number are known"));
    // In a column of whole numbers all are known: that is another file.
    assert_eq!(counts(&host.run_with(file, &options(ReadOptions::new()))), (3, 0, 1, 0));
    // What a person says instead is known.
    let host = Host::new();
    let mut plan = host.plan(file, &options(ReadOptions::new().long_floats([1, 2])));
    plan.set(2, Field::ExternalId, "12345678901234567").unwrap();
    assert_eq!(counts(&host.apply(&plan, file)), (3, 0, 0, 1));
}
