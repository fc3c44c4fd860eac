//! The manual of an ERP's lead management (S4): companies and consumers, apart from the customers.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{accounts, leads};
use leadcore::domain::{AccountStatus, Field, LeadFields, LeadKind};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::ImportOptions;
use leadcore::query::Filter;
use leadcore::testkit::fixtures::realistic_csv;

use crate::support::{Host, company, fields_of, form, refused};

#[test]
fn s4_01_company_or_consumer() {
    let mut host = Host::new();
    let firm = host.add(form(&[
        (Field::Kind, "company"),
        (Field::Company, "Nordlys AS"),
        (Field::Name, "Kari Nordmann"),
    ]));
    let person = host.add(form(&[
        (Field::Kind, "consumer"),
        (Field::Name, "Ola Berg"),
        (Field::Company, "Works at Fjord AS"),
    ]));
    host.restart();
    assert_eq!(host.get(&firm).fields.display_name(), Some("Nordlys AS"));
    assert_eq!(host.get(&person).fields.display_name(), Some("Ola Berg"), "a consumer is a person");
    assert_eq!(host.names(Filter::eq(Field::Kind, "consumer")), ["Ola Berg"]);
    // What an empty form lacks depends on the kind.
    for (kind, missing) in [(LeadKind::Company, "company"), (LeadKind::Consumer, "name")] {
        let fields = LeadFields { kind, ..LeadFields::default() };
        let made = host.try_write(|ctx, txn| leads::create(ctx, txn, fields.clone().into()));
        assert_eq!(fields_of(&refused(made, ErrorKind::Invalid)), [missing]);
    }
    // And the customer is of the same kind.
    let options = ConversionOptions::default().status(AccountStatus::Prospect);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, person.id, &options));
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap())).fields;
    assert_eq!((account.kind, account.name.as_str()), (LeadKind::Consumer, "Ola Berg"));
    assert_eq!(account.status, AccountStatus::Prospect);
}

#[test]
fn s4_05_leads_apart_from_customers() {
    let host = Host::new();
    // "If you have an Excel list of 1000's of companies … import these as Leads."
    let mut file = Vec::new();
    realistic_csv(3_000, 7, &mut file).unwrap();
    let report = host.import(file, &ImportOptions::new());
    assert!(report.created > 2_500, "{report}");
    let customers = || host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items;
    assert!(customers().is_empty(), "no customer before a conversion");
    let lead = host.add(company("Nordlys AS"));
    let options = ConversionOptions::default();
    host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
    assert!(customers().is_empty(), "a plan makes none");
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    let list = customers();
    assert_eq!(
        (list.len(), list[0].id, list[0].number),
        (1, done.account.unwrap(), 1),
        "the first customer number"
    );
    assert_eq!(host.read(|ctx, txn| accounts::origins(ctx, txn, done.account.unwrap())), [lead.id]);
    // A dead lead leaves no customer behind.
    let dead = host.read(|ctx, txn| leads::by_number(ctx, txn, 1));
    host.write(|ctx, txn| leads::delete(ctx, txn, dead.id, dead.revision));
    assert_eq!(customers().len(), 1);
}
