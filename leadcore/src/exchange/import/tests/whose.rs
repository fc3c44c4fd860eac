//! Columns that look like fields of the lead and are somebody else's, or another kind of number.

use super::*;
use crate::domain::Field;
use crate::exchange::{ColumnMapping, Mapping, ReadOptions, mappings};

fn mapped(report: &ImportReport) -> Vec<String> {
    let key = |column: &ColumnMapping| column.field.as_ref().map_or("-", Field::key).to_owned();
    report.mapping.columns.iter().map(key).collect()
}

#[test]
fn addresses_of_other_people_are_not_the_leads() {
    let host = Host::new();
    let file = "Company,Contact Name,Owner Name,Lead Owner Email\nA,Anna Berg,bob,bob@crm.example\n\
        B,Kari Lie,bob,bob@crm.example\nC,Ola Vik,bob,bob@crm.example\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (3, 0, 0, 0), "{report}");
    assert_eq!(mapped(&report), ["company", "name", "owner", "-"]);
    assert!(host.leads().iter().all(|lead| lead.fields.emails.is_empty()));
    let of = |headers: &str, cells: &str| {
        let report = Host::new().dry(format!("{headers}\n{cells}\n"), &ImportOptions::new());
        mapped(&report).join(",")
    };
    assert_eq!(
        of("Lead Owner,Lead Owner Email,Company,Email", "bob,bob@crm.example,A,a@x.example"),
        "owner,-,company,email"
    );
    for header in
        ["Owner Email", "Lead Owner Email", "Account Manager Email", "Sales Rep Email", "Assigned To Email"]
    {
        assert_eq!(of(&format!("Company,{header}"), "A,bob@crm.example"), "company,owner", "{header}");
    }
    for header in [
        "Created by email",
        "Created by",
        "Last modified by email",
        "Manager Email",
        "Referrer Email",
        "Assistant Email",
        "Referred by",
    ] {
        assert_eq!(of(&format!("Company,{header}"), "A,bob@crm.example"), "company,-", "{header}");
    }
    for header in ["Owner Phone", "Owner Mobile", "Assistant's Phone"] {
        let rows = "A,+47 22 22 55 55\nB,+47 22 22 55 56\nC,+47 22 22 55 57";
        assert_eq!(of(&format!("Company,{header}"), rows), "company,-", "{header}");
    }
    for header in ["Contact Email", "Business Owner Email", "Kontakt", "Primary contact e-mail"] {
        assert_eq!(of(&format!("Company,{header}"), "A,a@x.example"), "company,email", "{header}");
    }
    // Paths of JSON too.
    let json = "[{\"company\":\"A\",\"email\":\"a@x.example\",\"owner\":{\"email\":\"bob@crm.example\",\
        \"phone\":\"+47 22 22 55 55\"},\"created_by\":{\"email\":\"eve@crm.example\"}}]";
    let host = Host::new();
    assert_eq!(counts(&host.run(json)), (1, 0, 0, 0));
    let lead = host.leads().pop().unwrap();
    assert_eq!(lead.fields.emails.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a@x.example"]);
    assert!(lead.fields.phones.is_empty());
    assert_eq!(lead.fields.owner.unwrap().as_str(), "bob@crm.example");
}

#[test]
fn a_tax_in_a_header_is_no_tax_id() {
    let of = |header: &str, cells: [&str; 3]| {
        let file = format!("Company;{header}\nA;{}\nB;{}\nC;{}\n", cells[0], cells[1], cells[2]);
        let report = Host::new().dry(file, &ImportOptions::new());
        assert_eq!(report.rejected, 0, "{report}");
        mapped(&report).remove(1)
    };
    for header in ["Amount (excl. VAT)", "Amount (excluding VAT)", "Deal value ex. VAT"] {
        assert_eq!(of(header, ["1200.50", "900", "15000.00"]), "amount", "{header}");
    }
    assert_eq!(of("VAT rate", ["25", "15", "0"]), "-");
    assert_eq!(of("VAT", ["25%", "15%", "0%"]), "-");
    assert_eq!(of("VAT", ["25", "25", ""]), "-");
    assert_eq!(of("VAT", ["1250.50", "12500.00", "99.00"]), "-");
    for (header, cells) in [
        ("VAT", ["NO 923 609 016 MVA", "DE123456789", "ESB12345674"]),
        ("VAT number", ["923609016", "", ""]),
        ("CNPJ da empresa", ["12.345.678/0001-90", "12345678000190", "n/a"]),
        ("TIN", ["unclear", "25", ""]),
    ] {
        assert_eq!(of(header, cells), "tax_id", "{header}");
    }
}

#[test]
fn a_constant_that_nobody_asked_for_gives_way_to_a_column() {
    let host = Host::new();
    let ctx = host.system();
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("Amount", Some(Field::Amount))
        .constant(Field::Currency, "NOK")
        .constant(Field::Source, "Fair");
    let headers = ["Company", "Amount"].map(String::from);
    host.store
        .write(ctx.tenant(), |txn| mappings::save(&ctx, txn, None, "Fair", &headers, &mapping))
        .unwrap();
    let file = "Company,Amount,Currency\nC,100,SEK\n";
    let preview = import::preview(&ctx, &host.store, Cursor::new(file), &ReadOptions::new()).unwrap();
    let constants: Vec<_> = preview.mapping.constants.iter().map(|constant| constant.field.key()).collect();
    assert_eq!(constants, ["source"], "what no column says stays");
    let report = host.run(file);
    assert_eq!(
        (counts(&report), mapped(&report)),
        ((1, 0, 0, 0), ["company", "amount", "currency"].map(str::to_owned).to_vec())
    );
    let lead = host.leads().pop().unwrap();
    assert_eq!(lead.fields.currency.unwrap().to_string(), "SEK");
    assert!(lead.fields.source.is_some());
    // Without such a column it holds, and so does one that is asked for.
    host.run("Company,Amount\nD,100\n");
    assert_eq!(host.leads()[1].fields.currency.unwrap().to_string(), "NOK");
    host.run_with("Company,Amount,Currency\nE,100,SEK\n", &ImportOptions::new().mapping(mapping));
    assert_eq!(host.leads()[2].fields.currency.unwrap().to_string(), "NOK");
}
