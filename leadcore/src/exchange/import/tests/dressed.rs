//! What stands around a value in other programs' files: blanks before quotes, formulas of text, a name said twice.

use super::*;
use crate::value::PersonName;

fn person(lead: &Lead) -> (Option<&str>, Option<&str>, &str) {
    let name = lead.fields.person.as_ref();
    let part = |of: fn(&PersonName) -> Option<&str>| name.and_then(of);
    (part(PersonName::given), part(PersonName::family), name.map_or("", PersonName::full))
}

#[test]
fn a_full_name_that_says_what_the_parts_say_adds_nothing() {
    for (row, expected) in [
        ("Berg Hansen,,Berg Hansen", (None, Some("Berg Hansen"), "Berg Hansen")),
        ("Info Desk Team,,Info Desk Team", (None, Some("Info Desk Team"), "Info Desk Team")),
        ("Mr. van der Berg,,van der Berg", (None, Some("van der Berg"), "Mr. van der Berg")),
        ("Ola Berg Hansen,,Berg Hansen", (Some("Ola"), Some("Berg Hansen"), "Ola Berg Hansen")),
        ("\"Berg Hansen, Ola\",,Berg Hansen", (Some("Ola"), Some("Berg Hansen"), "Ola Berg Hansen")),
        ("Berg Hansen,Berg Hansen,", (Some("Berg Hansen"), None, "Berg Hansen")),
        ("Dr. Berg,,Dr. Berg", (None, Some("Dr. Berg"), "Dr. Berg")),
        ("Kari Moe,Ola,Berg Hansen", (Some("Ola"), Some("Berg Hansen"), "Ola Berg Hansen")),
    ] {
        let host = Host::new();
        host.run(format!("Name,First Name,Last Name,E-mail\n{row},a@x.example\n"));
        assert_eq!(person(&host.leads()[0]), expected, "{row}");
    }
}

#[test]
fn quotes_behind_blanks_hold_a_cell_together() {
    let host = Host::new();
    let file = "Company, E-mail, City\nA, \"a@x.example\", \"Oslo, Norway\"\nB, b@x.example, Moss\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    let leads = host.leads();
    assert_eq!(leads[0].fields.address.city(), Some("Oslo, Norway"));
    assert_eq!(leads[0].fields.emails.primary().unwrap().as_str(), "a@x.example");
    assert_eq!(leads[1].fields.address.city(), Some("Moss"));
}

#[test]
fn texts_of_spreadsheet_formulas_keep_their_digits() {
    let host = Host::new();
    host.run("Company,Zip,Lead Id\nA,=\"00501\",=\"007\"\nB,\"=\"\"00502\"\"\",8\n");
    let leads = host.leads();
    let zips: Vec<_> = leads.iter().map(|lead| lead.fields.address.postal_code()).collect();
    assert_eq!(zips, [Some("00501"), Some("00502")]);
    assert!(leads[0].fields.external_ids.iter().any(|id| id.id() == "007"));
}

#[test]
fn a_text_that_is_stored_as_a_formula_of_a_text_comes_back_so() {
    use crate::exchange::export::{ExportFormat, ExportOptions, Extent, export};
    use crate::query::Filter;
    let host = Host::new();
    host.run("Company,Zip,E-mail\n'=\"A\",=\"00501\",a@x.example\n");
    let told = |host: &Host| {
        let lead = host.leads().remove(0);
        (lead.fields.company.clone().unwrap(), lead.fields.address.postal_code().map(str::to_owned))
    };
    let expected = ("=\"A\"".to_owned(), Some("00501".to_owned()));
    assert_eq!(told(&host), expected);
    let (ctx, mut out) = (host.system(), Vec::new());
    let options = ExportOptions::new(ExportFormat::Csv);
    host.store
        .read(ctx.tenant(), |txn| {
            out.clear();
            export(&ctx, txn, &Extent::Filter(Filter::everything()), &options, &mut out)
        })
        .unwrap();
    assert_eq!(counts(&host.run(out.clone())), (0, 0, 1, 0));
    let elsewhere = Host::elsewhere();
    elsewhere.run(out);
    assert_eq!(told(&elsewhere), expected);
    // Rejected rows say what their cells said.
    let (host, mut rejects) = (Host::new(), Vec::new());
    let file = Cursor::new("Company,Zip,E-mail\n'=\"A\",=\"00501\",wrong\n");
    import::run(&host.system(), &host.store, file, &ImportOptions::new(), Some(&mut rejects), &mut ())
        .unwrap();
    host.run(String::from_utf8(rejects).unwrap().replace("wrong", "a@x.example"));
    assert_eq!(told(&host), expected);
}

#[test]
fn only_files_of_text_dress_texts_as_formulas() {
    let (host, mut rejects) = (Host::new(), Vec::new());
    let text = "{\"company\":\"A\",\"description\":\"=\\\"001\\\"\",\"email\":\"a@x.example\"}\n\
        {\"company\":\"B\",\"description\":\"=\\\"002\\\"\",\"email\":\"wrong\"}\n";
    import::run(
        &host.system(),
        &host.store,
        Cursor::new(text),
        &ImportOptions::new(),
        Some(&mut rejects),
        &mut (),
    )
    .unwrap();
    host.run(String::from_utf8(rejects).unwrap().replace("wrong", "b@x.example"));
    let told: Vec<_> = host.leads().into_iter().map(|lead| lead.fields.description.unwrap()).collect();
    assert_eq!(told, ["=\"001\"", "=\"002\""]);
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn texts_of_workbooks_stay_as_they_are() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, (header, text)) in
        [("Company", "A"), ("E-mail", "a@x.example"), ("Description", "=\"001\"")].into_iter().enumerate()
    {
        let column = u16::try_from(column).unwrap();
        sheet.write_string(0, column, header).unwrap().write_string(1, column, text).unwrap();
    }
    let host = Host::new();
    host.run(book.save_to_buffer().unwrap());
    assert_eq!(host.leads()[0].fields.description.as_deref(), Some("=\"001\""));
}

/// The proposed fields of a file, by column.
fn fields(file: &str) -> Vec<String> {
    let report = Host::new().dry(file, &ImportOptions::new());
    let columns = report.mapping.columns.iter();
    columns
        .map(|column| {
            let out = if column.rules.opt_out.is_some() { ":opt_out" } else { "" };
            format!("{}{out}", column.field.as_ref().map_or("-", |field| field.key()))
        })
        .collect()
}

#[test]
fn faxes_come_last_and_headers_say_what_numbers_are_for() {
    let host = Host::new();
    host.run(
        "Company,Business Fax,Mobile Phone,Work Phone,Phone 1 - Label,Phone 1 - Value\n\
         A,+47 22 22 55 50,+47 22 22 55 51,+47 22 22 55 52,Home,+47 22 22 55 53\n\
         B,+47 22 22 55 60,,,,\n",
    );
    let leads = host.leads();
    let told = |lead: &Lead| -> Vec<&'static str> {
        lead.fields.phones.entries().iter().map(|entry| entry.kind.code()).collect()
    };
    assert_eq!((told(&leads[0]), told(&leads[1])), (vec!["mobile", "work", "home", "fax"], vec!["fax"]));
}

#[test]
fn words_of_consent_are_no_stages() {
    let host = Host::new();
    let file = "Email Address,Company,Status\na@x.example,A,subscribed\nb@x.example,B,unsubscribed\n\
                c@x.example,C,cleaned\nd@x.example,D,non-subscribed\ne@x.example,E,transactional\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (5, 0, 0, 0), "{report}");
    let out: Vec<_> = host.leads().iter().map(|lead| lead.fields.emails.entries()[0].opted_out).collect();
    assert_eq!(out, [false, true, true, true, true]);
    assert_eq!(fields("E-mail,State\na@x.example,unsubscribed\n")[1], "email:opt_out");
    assert_eq!(fields("E-mail,Company,Status\na@x.example,A,New\nb@x.example,B,Active\n")[2], "stage");
    let report = Host::new().dry("E-mail,Company,BLACKLIST2\na@x.example,A,x\n", &ImportOptions::new());
    assert!(report.to_string().contains("said who may be reached"), "{report}");
}

#[test]
fn a_share_is_no_amount() {
    let host = Host::new();
    let report = host.run("Company,Value (%),Probability (%)\nA,12,40\n");
    let [lead] = &host.leads()[..] else { panic!("one lead") };
    assert_eq!((lead.fields.amount, lead.fields.probability), (None, Some(40)), "{report}");
}

#[test]
fn the_currency_of_a_header_is_that_of_its_column() {
    let host = Host::new();
    host.run("Company,Amount (EUR)\nA,12.50\nB,\n");
    let leads = host.leads();
    let codes: Vec<_> =
        leads.iter().map(|lead| lead.fields.currency.map(|code| code.code().to_owned())).collect();
    assert_eq!(codes, [Some("EUR".to_owned()), None]);
    let report = Host::new().run("Company,Amount in USD\nA,EUR 5\nB,USD 6\nC,7\n");
    assert_eq!(counts(&report), (3, 0, 0, 0), "{report}");
}

#[test]
fn words_of_many_languages_are_fields() {
    for (file, expected) in [
        (
            "Firmenname,Anrede,Familienname,Postleitzahl\nA,Herr,Berg,10115\n",
            "company salutation last_name postal_code",
        ),
        ("Empresa,Provincia,Estado\nA,Madrid,Nuevo\n", "company state_region stage"),
        ("Empresa,Estado\nA,Madrid\n", "company state_region"),
        ("Société,Civilité,Montant HT,N° TVA\nA,Mme,12,FR12345678901\n", "company salutation amount tax_id"),
        (
            "Company / Account,Contact First Name,Primary Address City,Work Direct Phone\nA,Ola,Oslo,+4722225555\n",
            "company first_name city phone",
        ),
        ("Firmanavn,Sannsynlighet\nA,50\n", "company probability"),
        (
            "Bedrijfsnaam,Bedrag,Bron,Sluitingsdatum\nA,5,Web,2027-01-02\n",
            "company amount source expected_close",
        ),
    ] {
        assert_eq!(fields(file).join(" "), expected, "{file}");
    }
    let host = Host::new();
    host.run("Firma,Straße,Hausnr.,Ort\nA,Lange Gasse,12b,Ulm\n");
    assert_eq!(host.leads()[0].fields.address.street(), Some("Lange Gasse 12b"));
}

#[test]
fn a_file_without_a_header_is_known_by_its_values() {
    assert_eq!(
        fields("Ola Nordmann,Nordlys AS,ola@x.example\nKari Berg,Fjord GmbH,kari@x.example\n").join(" "),
        "name company email"
    );
    let host = Host::new();
    let report = host.run("Ola Nordmann <ola@x.example>\nKari Berg <kari@x.example>\n");
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
}

#[test]
fn a_new_lead_is_called_as_its_address_says_where_nothing_else_names_it() {
    let host = Host::new();
    host.run("E-mail,Company\nknown@x.example,Known AS\n");
    let file = "E-mail,Company,First Name,Full Name\nOla Nordmann <ola@x.example>,,,\n\
                \"\"\"Berg, Kari\"\" <kari@x.example>\",Nordlys AS,,\nEva Moe <eva@x.example>,,Ida,\n\
                Eva Moe <eva2@x.example>,,,Mr. Ola Dal\nNordlys Bakeri <bakeri@x.example>,Nordlys Bakeri,,\n\
                Sales Team <team@x.example>,Fjord AS,,\nPer Dal <known@x.example>,,,\n\
                Per Dal <ola@x.example>,,,\n";
    let plan = host.plan(file, &ImportOptions::new());
    let values = |line: usize| match &plan.lines[line].decision {
        import::Planned::Create { values, .. } => {
            let told = values.iter().find(|change| change.field == "name");
            told.and_then(|change| change.after.as_text().map(str::to_owned))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((values(0).as_deref(), values(1).as_deref()), (Some("Ola Nordmann"), Some("Berg, Kari")));
    let report = host.run(file);
    assert_eq!(counts(&report), (6, 0, 2, 0), "{report}");
    assert_eq!(plan.report.created, report.created);
    let leads = host.leads();
    let named: Vec<_> = leads.iter().map(person).collect();
    assert_eq!(
        named,
        [
            (None, None, ""),
            (Some("Ola"), Some("Nordmann"), "Ola Nordmann"),
            (Some("Kari"), Some("Berg"), "Berg, Kari"),
            (Some("Ida"), None, "Ida"),
            (Some("Ola"), Some("Dal"), "Mr. Ola Dal"),
            (None, None, ""),
            (None, None, ""),
        ]
    );
    assert_eq!(leads[1].fields.kind, crate::domain::LeadKind::Consumer);
}

#[test]
fn who_may_not_write_names_writes_none_that_stands_beside_an_address() {
    use crate::domain::Field;
    let (host, policy) = (Host::new(), said::team(&[Field::Name]));
    let ctx = host.ctx(Actor::User("kim".parse().unwrap()), &policy);
    let file = "E-mail\nOla Nordmann <ola@x.example>\n";
    let report =
        import::run(&ctx, &host.store, Cursor::new(file), &ImportOptions::new(), None, &mut ()).unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(person(&host.leads()[0]).2, "");
}

#[test]
fn middle_names_stand_behind_the_first_ones() {
    for header in [
        "First Name,Middle Name,Last Name",
        "First Name,MI,Last Name",
        "Vorname,Zweiter Vorname,Nachname",
        "Prénom,Deuxième prénom,Nom de famille",
        "Primer nombre,Segundo nombre,Apellido",
        "Fornavn,Mellomnavn,Etternavn",
        "Voornaam,Tweede voornaam,Achternaam",
        "Last Name,First Name,Middle Initial",
    ] {
        let row = if header.starts_with("Last") { "Berg,Anna,Lise" } else { "Anna,Lise,Berg" };
        let host = Host::new();
        host.run(format!("{header},E-mail\n{row},a@x.example\n"));
        assert_eq!(person(&host.leads()[0]), (Some("Anna Lise"), Some("Berg"), "Anna Lise Berg"), "{header}");
    }
    // What the first name says already is not said twice; alone it is no first name.
    for file in [
        "First Name,Middle Name,Last Name,E-mail\nAnna Lise,Lise,Berg,a@x.example\n",
        "Name,Middle Name,E-mail\nAnna Lise Berg,Lise,a@x.example\n",
    ] {
        let host = Host::new();
        host.run(file);
        assert_eq!(person(&host.leads()[0]).2, "Anna Lise Berg", "{file}");
    }
}

#[cfg(feature = "vcard")]
#[test]
fn a_card_of_a_company_is_no_person() {
    let host = Host::new();
    host.run(
        "BEGIN:VCARD\nVERSION:3.0\nN:;;;;\nFN:Nordlys AS\nORG:Nordlys AS\nEMAIL:a@x.example\nEND:VCARD\n\
         BEGIN:VCARD\nVERSION:3.0\nN:Berg;Kari;;;\nFN:Fjord / AS\nORG:Fjord;AS\nX-ABShowAs:COMPANY\nEMAIL:b@x.example\nEND:VCARD\n",
    );
    let leads = host.leads();
    let names: Vec<_> = leads.iter().map(|lead| (lead.fields.company.as_deref(), person(lead).2)).collect();
    assert_eq!(names, [(Some("Nordlys AS"), ""), (Some("Fjord"), "Kari Berg")]);
}

/// Texts that begin as a mark of ours does, or as a formula.
const LIKE_MARKS: [&str; 4] = ["'=1", "''=1", "'=\"001\"", "=\"001\""];

#[test]
fn only_files_of_text_have_marks_before_formulas() {
    let rows = LIKE_MARKS.map(|text| {
        let row = serde_json::json!({ "company": "A", "description": text, "labels": [text] });
        row.to_string() + "\n"
    });
    let host = Host::new();
    let report = host.run(rows.concat());
    assert_eq!(counts(&report), (4, 0, 0, 0), "{report}");
    let texts: Vec<_> = host.leads().into_iter().map(|lead| lead.fields.description.unwrap()).collect();
    assert_eq!(texts, LIKE_MARKS);
    assert_eq!(report.new_values["labels"], LIKE_MARKS);
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn workbooks_have_no_marks_before_formulas() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "Company").unwrap().write_string(0, 1, "Description").unwrap();
    for (row, text) in (1..).zip(LIKE_MARKS) {
        sheet.write_string(row, 0, "A").unwrap().write_string(row, 1, text).unwrap();
    }
    let host = Host::new();
    host.run(book.save_to_buffer().unwrap());
    let texts: Vec<_> = host.leads().into_iter().map(|lead| lead.fields.description.unwrap()).collect();
    assert_eq!(texts, LIKE_MARKS);
}
