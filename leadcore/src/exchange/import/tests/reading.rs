//! What a fresh user met: how files are read, and which column is which field.

use super::{Host, counts};
use crate::domain::Field;
use crate::exchange::import::{ImportOptions, ImportReport, preview};
use crate::exchange::{ColumnMapping, ColumnRules, Mapping, OptOut, ReadOptions, mappings};
use crate::store::StoreExt;
use crate::value::DecimalMark;

fn field(report: &ImportReport, header: &str) -> Option<String> {
    let column = report.mapping.columns.iter().find(|column| column.header == header).unwrap();
    column.field.as_ref().map(|field| field.key().to_owned())
}

#[cfg(feature = "vcard")]
#[test]
fn addresses_of_cards_are_taken_whatever_they_look_like() {
    for version in ["2.1", "3.0", "4.0"] {
        let card = |n: u32| {
            let kind = if version == "2.1" { "HOME" } else { "TYPE=HOME" };
            format!(
                "BEGIN:VCARD\nVERSION:{version}\nFN:P{n} Q\nN:Q;P{n};;;\nEMAIL;{kind}:c{n}@x.example\nTEL;{kind}:11{n}\n\
                 TEL;{kind}:+47 2222 555{n}\nURL:https://x.example/{n}\nADR;{kind}:;;Gate {n};Oslo;;0155;Norge\nORG:Firm {n}\n\
                 TITLE:Mr\nEND:VCARD\n"
            )
        };
        let host = Host::new();
        let report = host.run((0..4).map(card).collect::<String>());
        assert_eq!(counts(&report), (4, 0, 0, 0), "{report}");
        for lead in host.leads() {
            assert_eq!(lead.fields.emails.entries().len(), 1, "{version}");
            assert_eq!(lead.fields.phones.entries().len(), 2, "{version}");
            assert_eq!(lead.fields.person.as_ref().unwrap().family(), Some("Q"));
            assert_eq!(lead.fields.job_title.as_deref(), Some("Mr"));
            assert_eq!(lead.fields.address.city(), Some("Oslo"));
            assert!(lead.fields.company.is_some() && lead.fields.website.is_some());
        }
    }
}

#[test]
fn a_name_beside_a_surname_is_the_given_name() {
    for header in [
        "Name,Surname",
        "Name,Last Name",
        "Nombre,Apellidos",
        "Nombre,Apellido",
        "Nome,Cognome",
        "Nome,Sobrenome",
        "Navn,Etternavn",
        "Naam,Achternaam",
    ] {
        let host = Host::new();
        let report = host.run(format!("{header},E-mail\nEva,Lund,e@x.example\n"));
        let person = host.leads()[0].fields.person.clone().unwrap();
        assert_eq!((person.given(), person.family()), (Some("Eva"), Some("Lund")), "{header}: {report}");
        // Another family name: the given one stays.
        let report = host.run(format!("{header},E-mail\nEva,Berg,e@x.example\n"));
        assert_eq!(counts(&report), (0, 1, 0, 0), "{header}: {report}");
        assert_eq!(host.leads()[0].fields.person.as_ref().unwrap().full(), "Eva Berg", "{header}");
    }
    let host = Host::new();
    let report = host.run("Name,Surname,E-mail\nEva Lund,Lund,e@x.example\nBerg Ola,Berg,o@x.example\n");
    assert_eq!(field(&report, "Name").as_deref(), Some("name"), "the whole name");
    assert_eq!(host.leads()[0].fields.person.as_ref().unwrap().given(), Some("Eva"));
    let german = Host::new();
    let report = german.run("Vorname,Name,E-mail\nEva,Lund Berg,e@x.example\n");
    assert_eq!(field(&report, "Name").as_deref(), Some("last_name"), "{report}");
}

#[test]
fn a_last_name_alone_deletes_no_given_name() {
    let host = Host::new();
    host.run("Full name,E-mail\nEva Lund,e@x.example\n");
    let mapping = Mapping::default()
        .with("Name", Some(Field::Name))
        .with("Last", Some(Field::LastName))
        .with("E-mail", Some(Field::Email));
    let options = ImportOptions::new().mapping(mapping);
    for (row, full) in [(",Berg", "Eva Berg"), ("Dal,Dal", "Eva Dal"), ("Ida,Dal", "Ida Dal")] {
        let report = host.run_with(format!("Name,Last,E-mail\n{row},e@x.example\n"), &options);
        assert_eq!(counts(&report), (0, 1, 0, 0), "{row}: {report}");
        assert_eq!(host.leads()[0].fields.person.as_ref().unwrap().full(), full, "{row}");
    }
}

#[test]
fn numbers_of_json_are_what_they_are() {
    let file = "{\"company\":\"A\",\"amount\":1.234}\n{\"company\":\"B\",\"amount\":1234.5}\n\
                {\"company\":\"C\",\"amount\":\"1.234\"}\n";
    let host = Host::new();
    let report = host.run_with(file, &ImportOptions::new().decimal_mark(DecimalMark::Comma));
    assert_eq!(counts(&report), (3, 0, 0, 0), "{report}");
    let amounts = |host: &Host| {
        let of = |lead: crate::domain::Lead| lead.fields.amount.unwrap().normalize().to_string();
        host.leads().into_iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(amounts(&host), ["1.234", "1234.5", "1234"], "the rule is for text");
    let plain = Host::new();
    let mut rejects = Vec::new();
    let ctx = plain.system();
    let input = std::io::Cursor::new(file.replace("\"company\":\"A\"", "\"company\":\"A\",\"email\":\"no\""));
    let options = ImportOptions::new();
    let report =
        super::import::run(&ctx, &plain.store, input, &options, Some(&mut rejects), &mut ()).unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 2), "{report}");
    assert_eq!(amounts(&plain), ["1234.5"], "a text of this kind may mean thousands");
    let corrected = String::from_utf8(rejects).unwrap().replace(",no,", ",a@x.example,");
    let report = plain.run(corrected.as_str());
    // What the first run wrote for the number (`1.2340`) says nothing of the text beside it, which nobody made clear yet.
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    assert_eq!(amounts(&plain), ["1234.5", "1.234"]);
    let cleared = corrected.replace("C,,1.234,", "C,,\"1.234,0\",");
    assert_ne!(cleared, corrected);
    assert_eq!(counts(&plain.run(cleared)).3, 0);
    assert_eq!(amounts(&plain)[2..].last().map(String::as_str), Some("1234"));
}

#[test]
fn rejected_numbers_come_back_by_the_mark_that_their_column_is_read_by() {
    let file = "{\"company\":\"A\",\"email\":\"no\",\"amount\":1.234,\"description\":1.234}\n\
                {\"company\":\"B\",\"email\":\"no\",\"amount\":1234.5,\"description\":2.5}\n";
    for mark in [DecimalMark::Auto, DecimalMark::Dot, DecimalMark::Comma] {
        let (host, options) = (Host::new(), ImportOptions::new().decimal_mark(mark));
        let (ctx, input, mut rejects) = (host.system(), std::io::Cursor::new(file), Vec::new());
        let report =
            super::import::run(&ctx, &host.store, input, &options, Some(&mut rejects), &mut ()).unwrap();
        assert_eq!(counts(&report), (0, 0, 0, 2), "{report}");
        let corrected = String::from_utf8(rejects).unwrap().replace(",no,", ",,");
        let report = host.run_with(corrected.as_str(), &options);
        assert_eq!(counts(&report), (2, 0, 0, 0), "{mark:?} {corrected}\n{report}");
        let fields: Vec<_> = host.leads().into_iter().map(|lead| lead.fields).collect();
        let amounts: Vec<_> = fields.iter().map(|own| own.amount.unwrap().normalize().to_string()).collect();
        assert_eq!(amounts, ["1.234", "1234.5"], "{mark:?} {corrected}");
        let texts: Vec<_> = fields.iter().map(|own| own.description.as_deref().unwrap()).collect();
        assert_eq!(texts, ["1.234", "2.5"], "a text has no decimal mark");
    }
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn numbers_of_sheets_are_what_they_are() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, company, amount) in [(1, "A", 1.234), (2, "B", 1234.5), (3, "C", 7.0)] {
        sheet.write(row, 0, company).unwrap().write(row, 1, amount).unwrap();
    }
    sheet.write(0, 0, "Company").unwrap().write(0, 1, "Amount").unwrap();
    sheet.write(4, 0, "D").unwrap().write(4, 1, "2.345").unwrap();
    let file = book.save_to_buffer().unwrap();
    let host = Host::new();
    let read = ReadOptions::new();
    let seen = preview(&host.system(), &host.store, std::io::Cursor::new(file.clone()), &read).unwrap();
    assert_eq!(seen.mapping.columns[1].rules.decimal_mark, None, "{:?}", seen.proposal.columns[1].notes);
    let report = host.run_with(file, &ImportOptions::new().decimal_mark(DecimalMark::Comma));
    assert_eq!(counts(&report), (4, 0, 0, 0), "{report}");
    let amounts: Vec<_> =
        host.leads().iter().map(|lead| lead.fields.amount.unwrap().normalize().to_string()).collect();
    assert_eq!(amounts, ["1.234", "1234.5", "7", "2345"]);
}

#[test]
fn columns_with_one_header_come_back_the_same() {
    let file = "Company,Email,Email,Phone,Phone\nA,a@x.example,b@x.example,+4722225555,+4722226666\n";
    let first = Host::new();
    let report = first.run(file);
    assert_eq!(report.mapping.names(), ["Company", "Email", "Email (2)", "Phone", "Phone (2)"]);
    assert!(report.to_string().contains("column     Email (2) -> email"), "{report}");
    let columns = report.mapping.columns.iter().zip(report.mapping.names());
    let columns = columns.map(|(column, header)| ColumnMapping { header, ..column.clone() });
    let named = Mapping { columns: columns.collect(), constants: Vec::new() };
    assert!(first.run_with(file, &ImportOptions::new().mapping(named.clone())).repeated, "the same mapping");
    for mapping in [named.clone(), report.mapping.clone()] {
        let second = Host::new();
        let again = second.run_with(file, &ImportOptions::new().mapping(mapping));
        let fields = &second.leads()[0].fields;
        assert_eq!((fields.emails.entries().len(), fields.phones.entries().len()), (2, 2), "{again}");
        assert_eq!(again.mapping, report.mapping);
    }
    let one = named.with("Email (2)", None);
    let third = Host::new();
    third.run_with(file, &ImportOptions::new().mapping(one.clone()));
    assert_eq!(third.leads()[0].fields.emails.primary().unwrap().as_str(), "a@x.example");
    let ctx = third.system();
    third
        .store
        .write(ctx.tenant(), |txn| mappings::save(&ctx, txn, None, "Twice", &one.headers(), &one))
        .unwrap();
    let other = file.replace("x.example", "y.example");
    let read = ReadOptions::new();
    let seen = preview(&ctx, &third.store, std::io::Cursor::new(other), &read).unwrap();
    assert_eq!(seen.mapping, one.placed(&report.mapping.headers()));
}

#[test]
fn what_was_guessed_is_told_with_counts() {
    let mut file = "Company,Close date,Amount\n".to_owned();
    for n in 0..3_000 {
        let date = if n % 10 == 0 { "13/04/2027" } else { "03/01/2027" };
        file.push_str(&format!("C{n},{date},\"1,5\"\n"));
    }
    let host = Host::new();
    let report = host.run(file.clone());
    let text = report.to_string();
    assert!(
        text.contains(
            "column     Close date -> expected_close (day first: 100 of the cells looked at say so, 900 either)"
        ),
        "{text}"
    );
    assert!(
        text.contains("Amount -> amount (decimal comma: 1,000 of the cells looked at say so, 0 either)"),
        "{text}"
    );
    let told = &report.notes[0];
    assert_eq!((told.header.as_str(), told.number, told.notes.len()), ("Close date", 1, 1));
    let json = serde_json::to_string(&report).unwrap();
    assert!(
        json.contains("\"day_first\":100") && json.contains("\"date_order\":\"day_first\""),
        "{json:.400}"
    );
    let read: ImportReport = serde_json::from_str(&json).unwrap();
    assert_eq!(read.notes, report.notes);
    assert!(host.run(file).to_string().contains("day first: 100"), "also of a file that was imported before");
    let open = Host::new().run("Company,Close date\nA,03/01/2027\n");
    assert!(
        open.to_string().contains("(dates: 0 day first, 0 month first, 1 either: say the order)"),
        "{open}"
    );
}

#[test]
fn the_rules_of_columns_are_printed() {
    let rules = ColumnRules::new().default_value("7").no_answer(vec!["?".to_owned()]);
    let mapping = Mapping::default()
        .with("C", Some(Field::Company))
        .with("V", Some(Field::Amount))
        .rules("V", rules.decimal_mark(DecimalMark::Dot))
        .with("N", Some(Field::Email))
        .rules("N", ColumnRules::new().opt_out(OptOut::All).inverted(true));
    let text = Host::new().run_with("C,V,N\nA,1.5,no\n", &ImportOptions::new().mapping(mapping)).to_string();
    assert!(
        text.contains(
            "V -> amount (decimal dot: 1 of the cells looked at say so, 0 either; `?` counts as empty; \
                           new leads without it: `7`)"
        ),
        "{text}"
    );
    assert!(text.contains("N -> email and phone: who agreed; a no opts out\n"), "{text}");
}

#[test]
fn keys_of_our_json_are_keys_whatever_fields_are_called() {
    use crate::desk::settings;
    use crate::domain::{CustomField, CustomType};
    let host = Host::new();
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| {
            let (revision, mut catalogue) = settings::catalogue(&ctx, txn)?;
            for (key, label) in [("x_b", "Company"), ("x_line", "a\nL")] {
                catalogue.set_custom_field(CustomField::new(
                    key.parse().unwrap(),
                    label,
                    CustomType::Integer,
                ));
            }
            settings::set_catalogue(&ctx, txn, revision, &catalogue)
        })
        .unwrap();
    let report = host.run("{\"company\":\"Nordlys AS\",\"x_b\":7,\"email\":\"a@x.example\"}\n");
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(field(&report, "company").as_deref(), Some("company"));
    let report = host.run("Company,E-mail\n7,b@x.example\n");
    assert_eq!(field(&report, "Company").as_deref(), Some("x_b"), "in a table it is what the tenant says");
    // A label is one line.
    let (_, catalogue) = host.store.read(ctx.tenant(), |txn| settings::catalogue(&ctx, txn)).unwrap();
    assert_eq!(catalogue.custom_field(&"x_line".parse().unwrap()).unwrap().label(), "a L");
}

#[test]
fn an_older_label_of_two_lines_is_exported_as_one() {
    use crate::domain::{Catalogue, CustomField, CustomType};
    use crate::exchange::export::{ExportFormat, ExportOptions, Extent, export};
    use crate::store::SettingName;
    let host = Host::new();
    let ctx = host.system();
    let mut catalogue = Catalogue::standard();
    catalogue.set_custom_field(CustomField::new("x_line".parse().unwrap(), "a\nL", CustomType::Integer));
    let json = serde_json::to_string(&catalogue).unwrap();
    host.store.write(ctx.tenant(), |txn| txn.settings().save(SettingName::Catalogue, None, &json)).unwrap();
    host.run("company,x_line\nA,7\n");
    let options = ExportOptions::new(ExportFormat::Csv);
    let mut file = Vec::new();
    let done = host
        .store
        .read(ctx.tenant(), |txn| {
            file.clear();
            export(&ctx, txn, &Extent::Filter(crate::query::Filter::everything()), &options, &mut file)
        })
        .unwrap();
    assert!(String::from_utf8_lossy(&file).lines().next().unwrap().contains(",a L"), "one line");
    let other = Host::new();
    let ctx = other.system();
    other.store.write(ctx.tenant(), |txn| txn.settings().save(SettingName::Catalogue, None, &json)).unwrap();
    let report = other.run_with(file, &options.to_import().mapping(done.mapping(&options)));
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(other.leads()[0].fields.custom.len(), 1);
}

#[test]
fn a_saved_mapping_is_used_for_its_part_of_a_wider_file() {
    let host = Host::new();
    let ctx = host.system();
    let mapping = Mapping::default().with("Kunde", Some(Field::Company)).with("X", Some(Field::City));
    let headers = ["Kunde", "X"].map(String::from);
    host.store
        .write(ctx.tenant(), |txn| mappings::save(&ctx, txn, None, "Fair", &headers, &mapping))
        .unwrap();
    let report = host.run("kunde,E-mail,X,City\nNordlys AS,post@x.example,Oslo,Moss\n");
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    let lead = &host.leads()[0].fields;
    assert_eq!((lead.company.as_deref(), lead.address.city()), (Some("Nordlys AS"), Some("Oslo")));
    assert_eq!(lead.emails.entries().len(), 1, "what it does not know is proposed");
    assert_eq!(field(&report, "City"), None, "the city is taken");
    let few = host.run("Kunde,X,a,b,c,Company\n1,2,3,4,5,Berg AS\n");
    assert_eq!(field(&few, "Kunde"), None, "it is for less than half of the columns");
    let part = host.run("Kunde,Company\n1,Dal AS\n");
    assert_eq!(field(&part, "Company").as_deref(), Some("company"), "a column of it is missing");
}

#[test]
fn consent_is_taken_or_told() {
    let outs = |host: &Host| {
        let of = |lead: &crate::domain::Lead| {
            let emails = lead.fields.emails.entries().iter().map(|entry| entry.opted_out);
            (emails.collect::<Vec<_>>(), lead.fields.phones.entries().iter().map(|e| e.opted_out).collect())
        };
        host.leads().iter().map(of).collect::<Vec<(Vec<bool>, Vec<bool>)>>()
    };
    for (header, phones) in
        [("Subscribed", false), ("Marketing consent", true), ("Opt-in", true), ("Email opt in", false)]
    {
        let host = Host::new();
        let report = host.run(format!(
            "Company,E-mail,Phone,{header}\nA,a@x.example,+4722225555,no\nB,b@x.example,+4722226666,yes\n\
             C,c@x.example,+4722227777,\nD,d@x.example,+4722228888,unsubscribed\n"
        ));
        assert_eq!(counts(&report), (4, 0, 0, 0), "{report}");
        let no = (vec![true], vec![phones]);
        let yes = (vec![false], vec![false]);
        assert_eq!(outs(&host), [no.clone(), yes.clone(), yes, no], "{header}: {report}");
    }
    for header in ["Email Opt Out", "Newsletter", "GDPR status"] {
        let report = Host::new().run(format!("Company,E-mail,{header}\nA,a@x.example,maybe\n"));
        assert!(report.to_string().contains("looks as if its 1 cells said who may be reached"), "{report}");
    }
    let without = Host::new().run("Company,E-mail,Newsletter\nA,a@x.example,\n");
    assert!(without.notes.is_empty(), "{without}");
}

#[test]
fn what_a_spreadsheet_shortened_is_refused() {
    let host = Host::new();
    let file = "Company,Phone,External id\nA,4.7222255e+10,\nB,,\"1,23457E+16\"\nC,+47 22225555,12E4\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (1, 0, 0, 2), "{report}");
    let fields: Vec<_> = report.rejections.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(fields, [(2, "phone"), (3, "external_id")]);
    assert!(report.rejections[0].message.contains("a spreadsheet has shortened this number"));
}

#[test]
fn what_cannot_be_read_so_is_named() {
    let host = Host::new();
    let refusal = |file: &str, read: ReadOptions| {
        let input = std::io::Cursor::new(file.to_owned());
        let error = preview(&host.system(), &host.store, input, &read).unwrap_err();
        let violation = error.violations()[0].clone();
        (violation.field, violation.message)
    };
    let (field, message) = refusal("Company\nA\n", ReadOptions::new().header_row(99));
    assert_eq!((field.as_str(), message.as_str()), ("header_row", "the file has no line 99"));
    assert_eq!(refusal("Company\nA\n", ReadOptions::new().skip_lines(9)).0, "skip_lines");
    let (field, message) = refusal("[[\"Company\"],[\"A\"]]", ReadOptions::new());
    assert!(field == "file" && message.contains("a list of objects"), "{message}");
}

#[test]
fn headers_of_vendors_are_known() {
    for (header, cell, wanted) in [
        ("Person - Phone - Work", "+47 22 22 55 55", "phone"),
        ("Lead - Labels", "Hot", "labels"),
        ("Lead - Currency of Value", "NOK", "currency"),
        ("Lead - Expected close date", "2027-01-02", "expected_close"),
        ("Telefax", "+47 22 22 55 55", "phone"),
        ("Origine", "Salon", "source"),
        ("会社", "Nordlys", "company"),
    ] {
        let report = Host::new().run(format!("Full name,{header}\nEva Lund,{cell}\n"));
        assert_eq!(field(&report, header).as_deref(), Some(wanted), "{report}");
    }
    let report = Host::new().run("Company,form_response.definition.fields.1.title\nA,Your name?\n");
    assert_eq!(field(&report, "form_response.definition.fields.1.title"), None, "{report}");
}
