//! The currency that a cell names beside its amount.

use super::*;
use crate::exchange::ReadOptions;

type Money = (Option<String>, Option<String>, Option<String>);

fn money(host: &Host) -> Vec<Money> {
    let of = |lead: &Lead| {
        let fields = &lead.fields;
        let code = fields.currency.map(|currency| currency.to_string());
        (fields.amount.map(|amount| amount.normalize().to_string()), code, fields.currency_symbol.clone())
    };
    host.leads().iter().map(of).collect()
}

fn said(amount: &str, code: Option<&str>, symbol: Option<&str>) -> Money {
    (Some(amount.to_owned()), code.map(str::to_owned), symbol.map(str::to_owned))
}

#[test]
fn the_currency_of_an_amount_is_kept() {
    let host = Host::new();
    let report = host.run("Company;Amount\nA;NOK 1 200\nB;€ 50\nC;12 EUR\nD;$22\nE;7\nF;500,- kr\nG;R$ 3\n");
    assert_eq!(counts(&report), (7, 0, 0, 0), "{report}");
    assert_eq!(
        money(&host),
        [
            said("1200", Some("NOK"), None),
            said("50", Some("EUR"), None),
            said("12", Some("EUR"), None),
            said("22", None, Some("$")),
            said("7", None, None),
            said("500", None, Some("kr")),
            said("3", Some("BRL"), None),
        ]
    );
}

#[test]
fn a_currency_that_the_row_contradicts_rejects_its_line() {
    let host = Host::new();
    let report = host.run(
        "Company;Amount;Currency\nA;NOK 1 200;NOK\nB;12 EUR;NOK\nC;kr 5;NOK\nD;$ 5;NOK\nE;5;SEK\nF;€ 7;\n",
    );
    assert_eq!(counts(&report), (4, 0, 0, 2), "{report}");
    let rejected: Vec<_> = report.rejections.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(rejected, [(3, "amount"), (5, "amount")]);
    assert_eq!(money(&host)[3], said("7", Some("EUR"), None));
}

#[test]
fn currencies_are_told_with_their_counts() {
    let host = Host::new();
    let notes = |file: &str| -> Vec<String> {
        let input = Cursor::new(file.to_owned());
        let preview = import::preview(&host.system(), &host.store, input, &ReadOptions::new()).unwrap();
        preview.proposal.columns[1].notes.iter().map(ToString::to_string).collect()
    };
    let told = notes("Company,Amount\nA,NOK 100\nB,NOK 200\nC,300 EUR\nD,4\n");
    assert!(told.iter().any(|note| note.starts_with("2 amounts are in NOK")), "{told:?}");
    assert!(told.iter().any(|note| note.starts_with("1 amounts are in EUR")), "{told:?}");
    assert!(told.iter().any(|note| note.contains("2 currencies")), "{told:?}");
    let told = notes("Company,Amount\nA,$1.5K\nB,kr 5\n");
    assert!(told.iter().any(|note| note.starts_with("1 amounts are in $")), "{told:?}");
}

#[test]
fn an_amount_does_not_change_the_currency_of_its_lead() {
    let host = Host::new();
    host.run("Company;E-mail;Amount\nA;a@x.example;NOK 100\nB;b@x.example;$ 100\nC;c@x.example;kr 100\n");
    let report = host.run(
        "Company;E-mail;Amount\nA;a@x.example;EUR 50\nB;b@x.example;kr 50\nC;c@x.example;SEK 50\nA;a@x.example;kr 60\n",
    );
    assert_eq!(counts(&report), (0, 2, 0, 2), "{report}");
    assert!(report.rejections.iter().all(|told| told.field == "amount"), "{report}");
    assert_eq!(
        money(&host),
        [said("60", Some("NOK"), None), said("100", None, Some("$")), said("50", Some("SEK"), Some("kr"))]
    );
    // A column of its own changes it.
    let report = host.run("E-mail;Amount;Currency\na@x.example;EUR 50;EUR\n");
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    assert_eq!(money(&host)[0], said("50", Some("EUR"), None));
}

#[test]
fn a_column_of_currencies_takes_their_signs() {
    let host = Host::new();
    let report = host.run(
        "Company;E-mail;Amount;Currency\nA;a@x.example;1;€\nB;b@x.example;2;£\nC;c@x.example;3;zł\nD;d@x.example;4;$\n\
         E;e@x.example;USD 5;$\nF;f@x.example;EUR 6;$\nG;g@x.example;7;kr.\nH;h@x.example;8;?!\n",
    );
    assert_eq!(counts(&report), (6, 0, 0, 2), "{report}");
    let rejected: Vec<_> = report.rejections.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(rejected, [(7, "amount"), (9, "currency")]);
    assert_eq!(
        money(&host),
        [
            said("1", Some("EUR"), None),
            said("2", Some("GBP"), None),
            said("3", Some("PLN"), None),
            said("4", None, Some("$")),
            said("5", Some("USD"), None),
            said("7", None, Some("kr.")),
        ]
    );
    // A sign that several currencies have is that of a lead which has one of them.
    let report = host.run("E-mail;Amount;Currency\ne@x.example;9;$\na@x.example;9;$\n");
    assert_eq!(counts(&report), (0, 1, 0, 1), "{report}");
    assert_eq!(money(&host)[4], said("9", Some("USD"), None));
}

#[test]
fn the_currency_of_an_amount_has_a_column_of_many_names() {
    for header in ["Deal currency", "Amount currency", "Opportunity Currency", "Valuta", "Währung", "Moneda"]
    {
        let host = Host::new();
        let report = host.run(format!("Company;Amount;{header}\nA;1;NOK\nB;2;EUR\n"));
        assert_eq!(money(&host)[1], said("2", Some("EUR"), None), "{report}");
    }
    for file in [
        r#"[{"company":"A","amount":{"value":12.5,"currency":"EUR"}}]"#,
        r#"[{"company":"A","deal":{"amount":{"amount":12.5,"currency":"EUR"}}}]"#,
        r#"[{"company":"A","budget":{"value":12.5,"currency_code":"EUR"}}]"#,
    ] {
        let host = Host::new();
        let report = host.run(file);
        assert_eq!(money(&host), [said("12.5", Some("EUR"), None)], "{report}");
    }
}

#[cfg(all(feature = "sheets", feature = "xlsx"))]
#[test]
fn the_currency_of_a_cell_is_that_of_its_lead() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let euro = rust_xlsxwriter::Format::new().set_num_format("[$€-407] #,##0.00");
    sheet.write(0, 0, "Company").unwrap().write(0, 1, "Amount").unwrap().write(0, 2, "E-mail").unwrap();
    sheet.write(1, 0, "A").unwrap().write_number_with_format(1, 1, 1250.5, &euro).unwrap();
    sheet.write(1, 2, "a@x.example").unwrap();
    let host = Host::new();
    let report = host.run(book.save_to_buffer().unwrap());
    assert_eq!(money(&host), [said("1250.5", Some("EUR"), None)], "{report}");
    // Written as text where it is rejected, and read again.
    let mut rejects = Vec::new();
    let (options, input) = (ImportOptions::new(), Cursor::new(book.save_to_buffer().unwrap()));
    let other = Host::new();
    other.run("Company,Amount,E-mail\nA,NOK 1,a@x.example\n");
    let report =
        import::run(&other.system(), &other.store, input, &options, Some(&mut rejects), &mut ()).unwrap();
    assert_eq!(counts(&report), (0, 0, 0, 1), "{report}");
    assert!(String::from_utf8(rejects).unwrap().contains("EUR 1250.5"));
}
