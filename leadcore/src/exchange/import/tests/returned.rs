//! What an undo gives back where values moved, where people went on, and where it is asked again.

use super::*;
use crate::desk::convert::{self, ConversionOptions};
use crate::desk::undo::{self, UndoOutcome, UndoTotals};
use crate::desk::{Expect, leads, settings};
use crate::domain::{CustomField, CustomType, Field, FieldValue, LeadDraft, LeadPatch, Topics, WhyKept};
use crate::exchange::import::OnMatch;
use crate::id::OperationId;
use crate::store::Txn;

fn undo(host: &Host, operation: OperationId) -> UndoOutcome {
    let ctx = host.system();
    let planned = host.store.read(ctx.tenant(), |txn| undo::plan(&ctx, txn, operation)).unwrap();
    let outcome = host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    if outcome.newly_undone {
        assert_eq!(planned.totals, outcome.totals, "planned as done");
    }
    outcome
}

fn edit(host: &Host, number: u64, patch: &LeadPatch) {
    let ctx = host.system();
    let lead = lead(host, number).id;
    host.store.write(ctx.tenant(), |txn| leads::edit(&ctx, txn, lead, Expect::Any, patch)).unwrap();
}

fn lead(host: &Host, number: u64) -> Lead {
    let ctx = host.system();
    host.store.read(ctx.tenant(), |txn| leads::by_number(&ctx, txn, number)).unwrap()
}

/// The operation that wrote a lead last.
fn last(host: &Host, number: u64) -> OperationId {
    let ctx = host.system();
    let lead = lead(host, number).id;
    let read = |txn: &mut dyn Txn| txn.journal().about(&[lead.into()], Topics::NONE, None, 1);
    host.store.read(ctx.tenant(), read).unwrap()[0].operation
}

fn shown(host: &Host, number: u64, fields: &[&str]) -> Vec<String> {
    let lead = lead(host, number);
    let read = |key: &&str| text(&key.parse::<Field>().unwrap().read(&lead));
    fields.iter().map(read).collect()
}

fn text(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Decimal(number) => number.normalize().to_string(),
        other => other.items().iter().map(text).collect(),
    }
}

fn totals(outcome: &UndoOutcome) -> (u64, u64, u64, u64) {
    let UndoTotals { reversed, partly, kept, failed, .. } = outcome.totals;
    (reversed, partly, kept, failed)
}

fn told(outcome: &UndoOutcome) -> Vec<(String, WhyKept)> {
    let kept = outcome.remaining.iter().flat_map(|record| &record.kept);
    kept.map(|kept| (kept.field.clone(), kept.why)).collect()
}

fn with_unique(host: &Host) {
    let ctx = host.system();
    let field = CustomField::new("x_u".parse().unwrap(), "U", CustomType::Text).unique(true);
    host.store
        .write(ctx.tenant(), |txn| {
            let (revision, mut catalogue) = settings::catalogue(&ctx, txn)?;
            catalogue.set_custom_field(field.clone());
            settings::set_catalogue(&ctx, txn, revision, &catalogue)
        })
        .unwrap();
}

const HEAD: &str = "Company,E-mail,U,City\n";

fn file(rows: &[[&str; 3]]) -> String {
    let row = |[name, u, city]: &[&str; 3]| format!("{name},{name}@x.example,{u},{city}\n");
    format!("{HEAD}{}", rows.iter().map(row).collect::<String>())
}

#[test]
fn a_value_that_moved_to_a_new_lead_comes_back() {
    let host = Host::new();
    with_unique(&host);
    host.run(file(&[["a", "1", "Oslo"]]));
    let report = host.run(file(&[["a", "3", "Os"], ["c", "1", "Os"]]));
    assert_eq!(counts(&report), (1, 1, 0, 0), "{report}");
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(totals(&outcome), (2, 0, 0, 0), "{outcome:?}");
    assert_eq!(shown(&host, 1, &["x_u", "city"]), ["1", "Oslo"]);
    // And forth again.
    let again = undo(&host, outcome.operation);
    assert_eq!(totals(&again), (2, 0, 0, 0), "{again:?}");
    assert_eq!(shown(&host, 1, &["x_u"]), ["3"]);
    assert_eq!(shown(&host, 2, &["x_u"]), ["1"]);
}

#[test]
fn values_that_moved_in_circles_come_back_however_long() {
    let host = Host::new();
    with_unique(&host);
    // Halves change their values, and one lead of each is in another round of the undo.
    const HALF: usize = 550;
    let rows = |leads: std::ops::Range<usize>, value: &dyn Fn(usize) -> usize| {
        leads.map(|n| format!("n{n},n{n}@x.example,{},\n", value(n))).collect::<String>()
    };
    host.run(format!("{HEAD}{}", rows(0..2 * HALF, &|n| n)));
    let before: Vec<_> = host.leads().iter().map(|lead| lead.fields.clone()).collect();
    let [away, given, back] = [
        rows(0..HALF, &|n| n + 10_000),
        rows(HALF..2 * HALF, &|n| n - HALF),
        // All but a circle of two is one circle.
        rows(0..HALF, &|n| if n == 0 { HALF } else { n % (HALF - 1) + 1 + HALF }),
    ];
    let report = host.run(format!("{HEAD}{away}{given}{back}"));
    assert_eq!(report.rejected, 0, "{report}");
    assert_eq!(shown(&host, 2, &["x_u"]), [(HALF + 2).to_string()]);
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(totals(&outcome), (1_100, 0, 0, 0), "{:?}", outcome.remaining.first());
    let after: Vec<_> = host.leads().iter().map(|lead| lead.fields.clone()).collect();
    assert!(before == after);
}

#[test]
fn values_that_moved_in_many_circles_come_back_some_at_a_time() {
    let host = Host::new();
    with_unique(&host);
    // Each third stands in another round of the undo: of one half each lead has the value of one far away, in the other half
    // the values went along a chain from its end to its beginning.
    const THIRD: usize = 600;
    let row = |n: usize, value: usize| format!("n{n},n{n}@x.example,{value},\n");
    let rows = |from: usize, value: &dyn Fn(usize) -> usize| {
        (from..from + THIRD).map(|n| row(n, value(n))).collect::<String>()
    };
    let all: String = (0..3 * THIRD).map(|n| row(n, n)).collect();
    host.run(format!("{HEAD}{all}"));
    let before: Vec<_> = host.leads().iter().map(|lead| lead.fields.clone()).collect();
    let away = rows(0, &|n| n + 10_000);
    let given = rows(THIRD, &|n| n - THIRD);
    let back = rows(0, &|n| n + THIRD);
    let mut chain: Vec<_> = (2 * THIRD..3 * THIRD).map(|n| row(n, n + 1)).collect();
    chain.reverse();
    let chain: String = chain.concat();
    let report = host.run(format!("{HEAD}{away}{given}{back}{chain}"));
    assert_eq!((report.rejected, report.updated), (0, 4 * THIRD as u64), "{report}");
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(totals(&outcome), (3 * THIRD as u64, 0, 0, 0), "{:?}", outcome.remaining.first());
    let after: Vec<_> = host.leads().iter().map(|lead| lead.fields.clone()).collect();
    assert!(before == after);
}

#[test]
fn ids_of_other_systems_that_moved_come_back() {
    let host = Host::new();
    host.run("Company,E-mail,External id\na,a@x.example,7\n");
    let had = lead(&host, 1).fields.external_ids;
    edit(&host, 1, &LeadPatch::new().clear(Field::ExternalId).set(Field::City, "Oslo"));
    let taken = last(&host, 1);
    let given = host.run("Company,E-mail,External id\nc,c@x.example,7\n").operation.unwrap();
    let first = undo(&host, taken);
    assert_eq!(told(&first), [("external_id".to_owned(), WhyKept::Taken)], "{first:?}");
    assert_eq!((totals(&first), shown(&host, 1, &["city"])), ((0, 1, 0, 0), vec![String::new()]));
    undo(&host, given);
    let second = undo(&host, taken);
    assert_eq!((totals(&second), second.newly_undone), ((1, 0, 0, 0), true));
    assert_eq!(lead(&host, 1).fields.external_ids, had);
}

#[test]
fn a_value_that_somebody_took_since_keeps_its_field_alone() {
    let host = Host::new();
    with_unique(&host);
    host.run(file(&[["a", "1", "Oslo"]]));
    let report = host.run(file(&[["a", "3", "Os"]]));
    host.run(file(&[["z", "1", ""]]));
    let operation = report.operation.unwrap();
    let outcome = undo(&host, operation);
    assert_eq!(totals(&outcome), (0, 1, 0, 0));
    assert_eq!(told(&outcome), [("x_u".to_owned(), WhyKept::Taken)]);
    assert_eq!(shown(&host, 1, &["x_u", "city"]), ["3", "Oslo"]);
    assert!(!undo(&host, operation).newly_undone, "nothing more is possible");
    edit(&host, 2, &LeadPatch::new().clear("x_u".parse().unwrap()));
    // Somebody writes what the import wrote: that is theirs.
    edit(&host, 1, &LeadPatch::new().set(Field::City, "Os"));
    let rest = undo(&host, operation);
    assert_eq!((totals(&rest), rest.newly_undone), ((1, 0, 0, 0), true), "{rest:?}");
    assert_eq!(shown(&host, 1, &["x_u", "city"]), ["1", "Os"]);
    assert!(!undo(&host, operation).newly_undone);
}

#[test]
fn an_amount_and_its_currency_stay_together() {
    let before = "Company,E-mail,Amount,Currency\na,a@x.example,5,NOK\n";
    for (imported, since, wanted) in [
        ("7,EUR", ("amount", "8"), ["8", "EUR"]),
        ("7,EUR", ("currency", "SEK"), ["7", "SEK"]),
        ("5,EUR", ("amount", "8"), ["8", "EUR"]),
        ("7,NOK", ("currency", "SEK"), ["7", "SEK"]),
        ("7,EUR", ("city", "Moss"), ["5", "NOK"]),
    ] {
        let host = Host::new();
        host.run(before);
        let report = host.run(format!("Company,E-mail,Amount,Currency\na,a@x.example,{imported}\n"));
        assert_eq!(report.updated, 1, "{report}");
        edit(&host, 1, &LeadPatch::new().set(since.0.parse().unwrap(), since.1));
        undo(&host, report.operation.unwrap());
        assert_eq!(shown(&host, 1, &["amount", "currency"]), wanted, "{imported} {since:?}");
    }
}

#[test]
fn an_address_stays_together() {
    let host = Host::new();
    host.run("Company,E-mail,Street,City,Industry\na,a@x.example,Old street 1,Oslo,Fish\n");
    let report = host.run("Company,E-mail,City,Industry\na,a@x.example,Bergen,Energy\n");
    edit(&host, 1, &LeadPatch::new().set(Field::Street, "New street 2"));
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(told(&outcome), [("city".to_owned(), WhyKept::Edited)]);
    assert_eq!(shown(&host, 1, &["street", "city", "industry"]), ["New street 2", "Bergen", "Fish"]);
}

#[test]
fn what_a_later_import_kept_comes_back_behind_it() {
    let host = Host::new();
    let city = |name: &str| format!("Company,E-mail,City\na,a@x.example,{name}\n");
    host.run(city("Start"));
    let [one, two] = ["One", "Two"].map(|name| host.run(city(name)).operation.unwrap());
    let kept = undo(&host, one);
    assert_eq!((totals(&kept), kept.newly_undone), ((0, 0, 1, 0), true));
    undo(&host, two);
    assert_eq!(shown(&host, 1, &["city"]), ["One"]);
    let back = undo(&host, one);
    assert_eq!((totals(&back), back.newly_undone), ((1, 0, 0, 0), true));
    assert_eq!(shown(&host, 1, &["city"]), ["Start"]);
    let again = undo(&host, one);
    assert_eq!((again.newly_undone, again.operation), (false, back.operation));
    // An undo that was taken back is no undo any more.
    undo(&host, back.operation);
    assert_eq!(shown(&host, 1, &["city"]), ["One"]);
    assert!(undo(&host, one).newly_undone);
    assert_eq!(shown(&host, 1, &["city"]), ["Start"]);
}

#[test]
fn leads_that_are_there_anew_do_not_come_back_beside_themselves() {
    const FILE: &str = "Company,E-mail\na,a@x.example\nb,\n";
    let host = Host::new();
    let first = undo(&host, host.run(FILE).operation.unwrap());
    host.run(FILE);
    let back = undo(&host, first.operation);
    assert_eq!(totals(&back), (0, 0, 2, 0), "the same file");
    assert_eq!(told(&back)[0], ("deleted".to_owned(), WhyKept::Taken));
    assert_eq!(host.leads().len(), 2);
    // Made by hand.
    let host = Host::new();
    let first = undo(&host, host.run(FILE).operation.unwrap());
    let ctx = host.system();
    let fields = crate::domain::LeadFields {
        emails: crate::domain::Emails::parse("a@x.example").unwrap(),
        ..crate::domain::LeadFields::company("A").unwrap()
    };
    let draft: LeadDraft = fields.into();
    let made = host.store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, draft.clone())).unwrap();
    let back = undo(&host, first.operation);
    assert_eq!(totals(&back), (1, 0, 1, 0), "{back:?}");
    assert_eq!(host.leads().len(), 2);
    // Once that is gone, it comes back.
    host.store.write(ctx.tenant(), |txn| leads::delete(&ctx, txn, made.id, Expect::Any)).unwrap();
    assert_eq!(totals(&undo(&host, first.operation)), (1, 0, 0, 0));
    // Leads that shared an address before do so again.
    let host = Host::new();
    host.run(FILE);
    let copies = host.run_with(FILE, &ImportOptions::new().on_match(OnMatch::CreateNew).attempt(1));
    assert_eq!(copies.created, 2, "{copies}");
    let first = undo(&host, copies.operation.unwrap());
    assert_eq!(totals(&undo(&host, first.operation)), (2, 0, 0, 0));
}

#[test]
fn a_lead_that_was_converted_since_is_kept() {
    let host = Host::new();
    host.run("Company,E-mail,City\na,a@x.example,Oslo\n");
    let report = host.run("Company,E-mail,City\na,a@x.example,Bergen\nc,c@x.example,Moss\n");
    let ctx = host.system();
    for number in [1, 2] {
        let lead = lead(&host, number).id;
        let options = ConversionOptions::default();
        host.store.write(ctx.tenant(), |txn| convert::convert(&ctx, txn, lead, &options)).unwrap();
    }
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(totals(&outcome), (0, 0, 2, 0), "{outcome:?}");
    let mut told = told(&outcome);
    told.sort();
    let wanted = ["city", "created"].map(|field| (field.to_owned(), WhyKept::Converted));
    assert_eq!(told, wanted);
}

/// What the first attempt kept was taken back by the second; then the first one was taken back itself.
#[test]
fn an_undo_of_one_attempt_leaves_the_import_to_be_undone_again() {
    let host = Host::new();
    host.run("Company,E-mail,City\na,a@x.example,Moss\nb,b@x.example,Moss\n");
    let operation =
        host.run("Company,E-mail,City\na,a@x.example,Oslo\nb,b@x.example,Oslo\n").operation.unwrap();
    edit(&host, 1, &LeadPatch::new().set(Field::City, "Hamar"));
    let first = undo(&host, operation);
    assert_eq!(totals(&first), (1, 0, 1, 0), "{first:?}");
    edit(&host, 1, &LeadPatch::new().set(Field::City, "Oslo"));
    undo(&host, operation);
    undo(&host, first.operation);
    assert_eq!(shown(&host, 2, &["city"]), ["Oslo"]);
    undo(&host, operation);
    assert_eq!(shown(&host, 2, &["city"]), ["Moss"]);
}
