//! E-mails and phones with what is known of each: what for, opted out, does not work (X.36).

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{Expect, accounts, contacts, leads, timeline, undo};
use leadcore::domain::{ContactFields, Emails, Field, Lead, LeadPatch, ReachKind};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::ImportOptions;

use crate::support::{Host, company, refused};

const MAIL: &str = "anna@nordlys.example";
const PHONE: &str = "+47 22 22 55 55";

fn edit(host: &Host, lead: &Lead, patch: &LeadPatch) -> Lead {
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, patch))
}

/// A lead whose second address is opted out and whose phone does not work.
fn marked(host: &Host) -> Lead {
    let mut fields = company("Nordlys AS");
    fields.emails = Emails::parse(&format!("post@nordlys.example, {MAIL}")).unwrap();
    let lead = host.add(fields);
    let mut emails = lead.fields.emails.clone();
    let entry = emails.entries()[1].clone();
    assert!(emails.mark(&entry.opted_out(true)));
    let patch = LeadPatch::new().set(Field::Email, emails.marked());
    edit(host, &lead, &patch.set(Field::Phone, format!("{PHONE} (mobile invalid)")))
}

#[test]
fn x_36_opt_out_and_invalid_flags_stay_with_the_address() {
    let mut host = Host::new();
    let lead = marked(&host);
    let opted_out = |lead: &Lead| {
        let entries = lead.fields.emails.entries().iter();
        entries.filter(|entry| entry.opted_out).map(|entry| entry.value.to_string()).collect::<Vec<_>>()
    };
    host.restart();
    let lead = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
    assert_eq!(opted_out(&lead), [MAIL]);
    let phone = &lead.fields.phones.entries()[0];
    assert_eq!((phone.kind, phone.opted_out, phone.invalid), (ReachKind::Mobile, false, true));
    // A form that knows nothing of flags sends the addresses back in its own way.
    let patch = LeadPatch::new()
        .set(Field::Email, "ANNA@nordlys.example, new@nordlys.example")
        .set(Field::Phone, "+4722225555");
    let lead = edit(&host, &lead, &patch);
    assert_eq!(opted_out(&lead), ["ANNA@nordlys.example"]);
    assert!(lead.fields.phones.entries()[0].invalid);
    // An import that finds the lead by the address does not take it back either.
    let file = "Company,Email,Phone\nNordlys AS,anna@nordlys.example,+47 22 22 55 55\n";
    let options = ImportOptions::default();
    assert_eq!(host.import(file, &options).created, 0);
    let lead = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
    assert_eq!(opted_out(&lead).len(), 1);
    // Only who says so takes it back.
    let lead = edit(&host, &lead, &LeadPatch::new().set(Field::Email, format!("{MAIL} ()")));
    assert!(!lead.fields.emails.has_marks());
}

#[test]
fn the_journal_says_what_became_of_the_flags() {
    let host = Host::new();
    let lead = marked(&host);
    edit(&host, &lead, &LeadPatch::new().clear(Field::Email));
    let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10));
    let change = &page.items[0].entry.changes[0];
    assert_eq!(page.items[0].text, format!("E-mail: post@nordlys.example, {MAIL} (opted_out) → –"));
    // What was before can be written again from the entry alone.
    let undone = edit(&host, &lead, &LeadPatch::new().set(Field::Email, change.before.clone()));
    assert_eq!(undone.fields.emails, lead.fields.emails);
    let fields =
        host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10)).items[2].entry.changes.len();
    assert_eq!(fields, 2, "setting a flag is a change of its own");
}

#[test]
fn an_undo_gives_the_flags_back() {
    let host = Host::new();
    let lead = marked(&host);
    for patch in [
        LeadPatch::new().clear(Field::Email).clear(Field::Phone),
        LeadPatch::new().set(Field::Email, format!("{MAIL} ()")),
        LeadPatch::new().set(Field::Phone, format!("{PHONE} (opted_out)")),
    ] {
        let edited = edit(&host, &lead, &patch);
        assert_ne!(edited.fields, lead.fields);
        let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 1));
        let operation = page.items[0].entry.operation;
        host.write(|ctx, txn| undo::undo(ctx, txn, operation));
        let undone = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
        assert_eq!(undone.fields, lead.fields);
    }
}

#[test]
fn contacts_and_accounts_keep_flags_too() {
    let host = Host::new();
    let lead = marked(&host);
    let mut fields = ContactFields::named("Anna Berg").unwrap();
    fields.emails = Emails::parse(&format!("{MAIL} (work)")).unwrap();
    let person = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), true));
    let mut wanted = person.fields.clone();
    wanted.emails = person.fields.emails.edited(&format!("{MAIL} (work opted_out)")).unwrap();
    let person =
        host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, person.id, person.revision, wanted.clone()));
    assert!(person.fields.emails.entries()[0].opted_out);
    let outcome = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, outcome.account.unwrap()));
    assert_eq!(account.fields.emails, lead.fields.emails);
    let late = host.try_write(|ctx, txn| {
        leads::edit(ctx, txn, lead.id, Expect::Any, &LeadPatch::new().clear(Field::Email))
    });
    refused(late, ErrorKind::Frozen);
}
