//! Rejected rows, corrected and imported again: they mean what they meant in the file that they came from.

use std::io::Cursor;

use super::*;
use crate::domain::{Field, Lead};
use crate::exchange::import::{TermRule, preview};
use crate::exchange::{ColumnRules, DateOrder, Evidence, Mapping, ReadOptions, SheetChoice, TextEncoding};
use crate::value::{Country, DecimalMark};

/// Imports a file; the report, and the rows that were rejected.
fn rejected(host: &Host, file: impl Into<Vec<u8>>, options: &ImportOptions) -> (ImportReport, String) {
    let (mut rejects, input) = (Vec::new(), Cursor::new(file.into()));
    let report =
        import::run(&host.system(), &host.store, input, options, Some(&mut rejects), &mut ()).unwrap();
    accounted(&report);
    (report, String::from_utf8(rejects).unwrap())
}

fn of(host: &Host, company: &str) -> Lead {
    host.leads().into_iter().find(|lead| lead.fields.company.as_deref() == Some(company)).unwrap()
}

fn day(host: &Host, company: &str) -> String {
    of(host, company).fields.expected_close.unwrap().to_string()
}

fn amount(host: &Host, company: &str) -> String {
    of(host, company).fields.amount.unwrap().normalize().to_string()
}

/// Rows with days first and a decimal comma, and two that are rejected.
fn many() -> String {
    let mut file = "Company,E-mail,Close date,Amount\n".to_owned();
    for n in 0..1_100 {
        let day = 13 + n % 15;
        file.push_str(&format!("C{n},c{n}@x.example,{day}/4/2027,\"1.234,5\"\n"));
    }
    file + "Bad A,no address,3/4/2027,1.234\nBad B,nor this,5/6/2027,\"7,25\"\n"
}

#[test]
fn corrected_rows_have_the_days_and_amounts_of_their_file() {
    let host = Host::new();
    let (first, rejects) = rejected(&host, many(), &ImportOptions::new());
    assert_eq!(counts(&first), (1_100, 0, 0, 2), "{first}");
    let corrected = rejects.replace("no address", "a@x.example").replace("nor this", "b@x.example");
    let seen = preview(&host.system(), &host.store, Cursor::new(&corrected), &ReadOptions::new()).unwrap();
    assert_eq!(seen.proposal.mapped_as, Some(Evidence::Rejects));
    assert_eq!(seen.mapping.columns[2].rules.date_order, Some(DateOrder::DayFirst));
    let dry = host.dry(corrected.as_str(), &ImportOptions::new());
    let (second, rest) = rejected(&host, corrected.as_str(), &ImportOptions::new());
    assert_eq!(counts(&second), (2, 0, 0, 0), "{second}\n{corrected}");
    assert_eq!((counts(&dry), &dry.mapping), (counts(&second), &second.mapping));
    assert_eq!(day(&host, "Bad A"), "2027-04-03");
    assert_eq!(day(&host, "Bad B"), "2027-06-05");
    assert_eq!((amount(&host, "Bad A").as_str(), amount(&host, "Bad B").as_str()), ("1234", "7.25"));
    assert!(second.to_string().contains("as in the import that rejected these rows"), "{second}");
    assert_eq!((second.mapped_as.clone(), second.read_anew), (Some(Evidence::Rejects), false));
    assert_eq!(rest.lines().next(), corrected.lines().next(), "what is rejected again says it again");
    assert!(host.run(corrected.as_str()).repeated);
    // Elsewhere too, and after a dry run.
    let elsewhere = Host::elsewhere();
    let mut dry = Vec::new();
    let (ctx, options) = (elsewhere.system(), ImportOptions::new());
    import::dry_run_with_rejects(
        &ctx,
        &elsewhere.store,
        Cursor::new(many()),
        &options,
        Some(&mut dry),
        &mut (),
    )
    .unwrap();
    assert_eq!(String::from_utf8(dry).unwrap(), rejects);
    assert_eq!(counts(&elsewhere.run(corrected)), (2, 0, 0, 0));
    assert_eq!((day(&elsewhere, "Bad A"), amount(&elsewhere, "Bad A")), ("2027-04-03".into(), "1234".into()));
}

#[test]
fn corrected_rows_are_planned_and_applied_like_that_too() {
    let host = Host::new();
    let (_, rejects) = rejected(&host, many(), &ImportOptions::new());
    let corrected = rejects.replace("no address", "a@x.example");
    let plan = host.plan(corrected.as_str(), &ImportOptions::new());
    let report = host.apply(&plan, corrected.as_str());
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    assert_eq!(day(&host, "Bad A"), "2027-04-03");
    assert!(host.run(corrected).repeated, "it was the same import");
}

#[test]
fn what_was_said_of_the_file_holds_for_its_rejected_rows() {
    let host = Host::new();
    let mapping = Mapping::default()
        .with("Kunde", Some(Field::Company))
        .with("Post", Some(Field::Email))
        .with("Wert", Some(Field::Amount))
        .with("Herkunft", Some(Field::Source))
        .rules("Herkunft", ColumnRules::new().default_value("Web"))
        .with("Tel", Some(Field::Phone))
        .with("Ort", Some(Field::City))
        .with("Nummer", Some(Field::ExternalId))
        .constant(Field::Currency, "NOK");
    let options = ImportOptions::new()
        .mapping(mapping)
        .decimal_mark(DecimalMark::Comma)
        .region(Country::parse("NO").unwrap())
        .clear("(leer)")
        .no_answer(vec!["keine".to_owned()])
        .external_system("erp")
        .term_rule(Field::Source, TermRule::default().map("Messe", "Fair"))
        .read(
            ReadOptions::new()
                .delimiter(b';')
                .encoding(TextEncoding::for_label("latin1").unwrap())
                .skip_lines(1),
        );
    let file: Vec<u8> = "Auszug;;\nKunde;Post;Wert;Herkunft;Tel;Ort;Nummer;Neben\n\
        Gut AS;gut@x.example;1.234;Messe;22 22 22 22;Oslo;1;x\nB\u{e6}r AS;nichts;1.234;Messe;22 22 22 23;keine;2;y\n\
        Elg AS;nada;2,5;;22 22 22 24;Moss;3;z\n"
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let (first, rejects) = rejected(&host, file, &options);
    assert_eq!(counts(&first), (1, 0, 0, 2), "{first}");
    let corrected = rejects.replace("nichts", "baer@x.example").replace("nada", "elg@x.example");
    let second = host.run(corrected);
    assert_eq!(counts(&second), (2, 0, 0, 0), "{second}");
    let fields = of(&host, "B\u{e6}r AS").fields;
    assert_eq!(fields.amount.unwrap().normalize().to_string(), "1234");
    assert_eq!(fields.currency.unwrap().to_string(), "NOK");
    #[cfg(feature = "phone")]
    assert_eq!(fields.phones.entries()[0].value.e164().unwrap(), "+4722222223");
    assert_eq!(fields.address.city(), None, "the word that says nothing");
    assert_eq!(fields.external_ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ["erp:2"]);
    assert_eq!(fields.source, of(&host, "Gut AS").fields.source, "the word that means another");
    assert!(of(&host, "Elg AS").fields.source.is_some(), "the value where nothing is said");
    assert!(second.to_string().contains("every row  `NOK` -> currency"), "{second}");
}

#[test]
fn the_layout_of_the_file_is_not_that_of_its_rejected_rows() {
    let bytes: Vec<u8> =
        "Preamble\n\nCompany;E-mail;City\nA;a@x.example;B\u{e6}rum\nB;no;B\u{e6}rum\nC;no;Oslo\n"
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
    let latin = TextEncoding::for_label("latin1").unwrap();
    let read = ReadOptions::new().delimiter(b';').encoding(latin).header_row(3).quote(b'\'');
    let options = ImportOptions::new().read(read);
    let host = Host::new();
    let (first, rejects) = rejected(&host, bytes, &options);
    assert_eq!(counts(&first), (1, 0, 0, 2), "{first}");
    let (again, _) = rejected(&host, rejects.replacen(",no,", ",b@x.example,", 1), &options);
    assert_eq!(counts(&again), (1, 0, 0, 1), "{again}");
    assert_eq!(of(&host, "B").fields.address.city(), Some("B\u{e6}rum"));
    // A sheet that was said is none of the text.
    let mut sheet = ReadOptions::new();
    sheet.sheet = Some(SheetChoice::Name("Leads".to_owned()));
    let report = host.run_with(rejects.replace(",no,", ",c@x.example,"), &ImportOptions::new().read(sheet));
    assert_eq!((report.lines, report.rejected), (2, 0), "{report}");
    // Saved by a spreadsheet with semicolons.
    let semicolons = "Company;E-mail;reject_field;reject_reason\nD;d@x.example;;\n";
    let report = host.run_with(semicolons, &ImportOptions::new().read(ReadOptions::new().delimiter(b';')));
    assert_eq!((counts(&report), report.read_anew), ((1, 0, 0, 0), true), "{report}");
    assert!(report.to_string().contains("no longer says how it read them"), "{report}");
}

#[test]
fn what_is_said_now_goes_before_what_was_said_then() {
    let host = Host::new();
    let (_, rejects) = rejected(&host, many(), &ImportOptions::new());
    let corrected = rejects.replace("no address", "a@x.example").replace("nor this", "b@x.example");
    let months = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("Close date", Some(Field::ExpectedClose))
        .rules("Close date", ColumnRules::new().date_order(DateOrder::MonthFirst));
    let report = host.run_with(corrected.as_str(), &ImportOptions::new().mapping(months));
    assert_eq!((counts(&report), report.mapped_as.clone()), ((2, 0, 0, 0), None), "{report}");
    assert_eq!(day(&host, "Bad A"), "2027-03-04");
    // A column that is gone is gone, one that came is not taken for another.
    let other = Host::elsewhere();
    let narrow: String = corrected
        .lines()
        .map(|line| line.replace("Company,E-mail", "Company,More").replace("\"1.234\"", "1.234") + "\n")
        .collect();
    let report = other.run(narrow);
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(report.mapping.columns[1].field, None);
    assert_eq!(day(&other, "Bad A"), "2027-04-03");
    // A header that was cut says nothing, and that is told.
    let cut = corrected.replacen("{\"\"", "", 1);
    let report = Host::elsewhere().run(cut);
    assert!(report.read_anew && report.mapped_as.is_none(), "{report}");
    assert!(!report.to_string().contains("mapping"), "{report}");
}

#[test]
fn rejected_rows_of_json_and_of_columns_with_one_header_come_back() {
    let host = Host::new();
    let mut file: String = (0..30)
        .map(|n| format!("{{\"company\":\"C{n}\",\"email\":\"c{n}@x.example\",\"amount\":\"{n}.234,5\"}}\n"))
        .collect();
    file.push_str("{\"company\":\"T\",\"email\":\"no\",\"amount\":1.234}\n");
    file.push_str("{\"company\":\"U\",\"email\":\"no\",\"amount\":\"1.234\"}\n");
    let (first, rejects) = rejected(&host, file, &ImportOptions::new());
    assert_eq!(counts(&first), (30, 0, 0, 2), "{first}");
    let second = host.run(rejects.replacen(",no,", ",t@x.example,", 1).replacen(",no,", ",u@x.example,", 1));
    assert_eq!(counts(&second), (2, 0, 0, 0), "{second}\n{rejects}");
    assert_eq!((amount(&host, "T").as_str(), amount(&host, "U").as_str()), ("1.234", "1234"));

    let mapping = Mapping::default()
        .with("Name", Some(Field::Company))
        .with("Date (2)", Some(Field::ExpectedClose))
        .rules("Date (2)", ColumnRules::new().date_order(DateOrder::DayFirst))
        .with("Mail", Some(Field::Email));
    let file = "Name,Date,Date,Mail\nV,1/1/2020,3/4/2027,no\n";
    let (_, rejects) = rejected(&host, file, &ImportOptions::new().mapping(mapping));
    let report = host.run(rejects.replace(",no,", ",v@x.example,"));
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(day(&host, "V"), "2027-04-03");
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn rejected_rows_of_a_workbook_come_back_also_as_a_workbook() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in many().lines().enumerate() {
        let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
        for (column, cell) in table.records().next().unwrap().unwrap().iter().enumerate() {
            sheet.write_string(row as u32, column as u16, cell).unwrap();
        }
    }
    let host = Host::new();
    let (first, rejects) = rejected(&host, book.save_to_buffer().unwrap(), &ImportOptions::new());
    assert_eq!(counts(&first), (1_100, 0, 0, 2), "{first}");
    let corrected = rejects.replace("no address", "a@x.example").replace("nor this", "b@x.example");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(corrected.as_bytes());
    for (row, record) in table.records().enumerate() {
        for (column, cell) in record.unwrap().iter().enumerate() {
            sheet.write_string(row as u32, column as u16, cell).unwrap();
        }
    }
    let report = host.run(book.save_to_buffer().unwrap());
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!((day(&host, "Bad A"), amount(&host, "Bad A")), ("2027-04-03".into(), "1234".into()));
}
