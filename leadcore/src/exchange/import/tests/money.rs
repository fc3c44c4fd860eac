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
