//! Persons of a lead: the tab and its file, who must not be reached, who can be invited.

use std::io::Cursor;

use calamine::{Data, DataRef, Reader as _, Xlsx};
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::participants::{self, ParticipantOptions};
use leadcore::desk::{Expect, contacts, leads, settings, timeline, undo};
use leadcore::domain::{
    AddressMark, Contact, ContactFields, Emails, Field, Lead, MarkNote, Names, Phones, ReachChannel,
    ReachMark, Subject, display,
};
use leadcore::error::{ErrorKind, ViolationCode};
use leadcore::exchange::{contacts_csv, contacts_xlsx};
use leadcore::id::AccountId;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::storable_texts;
use leadcore::time::Timestamp;

use crate::support::{Host, company, fields_of, form, refused};

const ANY: Expect = Expect::Any;

fn person(name: &str) -> ContactFields {
    ContactFields::named(name).unwrap()
}

fn anna() -> ContactFields {
    ContactFields {
        role: Some("Decision maker".into()),
        job_title: Some("CFO".into()),
        emails: Emails::parse("anna@nordlys.example, a.berg@home.example").unwrap(),
        phones: Phones::parse("+47 22 22 55 55 (work), 0047 222", None).unwrap(),
        do_not_call: Some(
            MarkNote::new(Some("2026-11-20T08:00:00Z".parse().unwrap()), Some("asked us")).unwrap(),
        ),
        ..person("Anna Berg")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
fn add(host: &Host, lead: &Lead, fields: ContactFields) -> Contact {
    host.scene.tick();
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), false))
}

fn contact(host: &Host, lead: &Lead, n: usize) -> Contact {
    host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).swap_remove(n).contact
}

fn undo_last(host: &Host, subject: impl Into<Subject>) {
    let subject = subject.into();
    let entries =
        host.read(|_, txn| txn.journal().about(&[subject], leadcore::domain::Topics::NONE, None, 1));
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, entries[0].operation));
    assert_eq!((done.totals.kept, done.totals.partly, done.totals.failed), (0, 0, 0), "{done:?}");
}

/// The cells of the only sheet, read one by one.
fn cells(file: &[u8]) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file)).unwrap();
    assert_eq!(book.sheet_names(), ["Contacts"]);
    let mut reader = book.worksheet_cells_reader("Contacts").unwrap();
    let mut rows: Vec<Vec<Data>> = Vec::new();
    while let Some(cell) = reader.next_cell().unwrap() {
        let (row, column) = cell.get_position();
        let (row, column) = (row as usize, column as usize);
        rows.resize_with(rows.len().max(row + 1), Vec::new);
        let width = rows[row].len().max(column + 1);
        rows[row].resize(width, Data::Empty);
        rows[row][column] = DataRef::clone(cell.get_value()).into();
    }
    rows
}

fn xlsx(host: &Host, owner: impl Into<Subject>) -> Vec<u8> {
    let (owner, mut file) = (owner.into(), Vec::new());
    host.read(|ctx, txn| {
        file.clear();
        contacts_xlsx(ctx, txn, owner, &mut file)
    });
    file
}

fn csv(host: &Host, owner: impl Into<Subject>) -> Vec<Vec<String>> {
    let (owner, mut file) = (owner.into(), Vec::new());
    host.read(|ctx, txn| {
        file.clear();
        contacts_csv(ctx, txn, owner, &mut file)
    });
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_slice());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn column(header: &[Data], name: &str) -> usize {
    header
        .iter()
        .position(|cell| *cell == Data::String(name.into()))
        .unwrap_or_else(|| panic!("no column {name}"))
}

#[test]
fn s0_25_contacts_excel_export() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    add(&host, &lead, anna());
    add(&host, &lead, ContactFields { description: Some("+4722225555".into()), ..person("=1+5") });
    let file = xlsx(&host, lead.id);
    assert_eq!(file, xlsx(&host, lead.id), "the same persons at the same time give the same bytes");
    let rows = cells(&file);
    let [header, first, second] = rows.as_slice() else { panic!("a header and two persons") };
    let of = |row: &[Data], name: &str| row.get(column(header, name)).cloned().unwrap_or_default();
    let text = |text: &str| Data::String(text.into());
    assert_eq!(of(first, "Full name"), text("Anna Berg"));
    assert_eq!((of(first, "Role"), of(first, "Job title")), (text("Decision maker"), text("CFO")));
    assert_eq!((of(first, "Primary"), of(second, "Primary")), (Data::Bool(true), Data::Bool(false)));
    assert_eq!(of(first, "Phone"), text("+47 22 22 55 55"), "a number is a text");
    assert_eq!(
        (of(first, "Other phones"), of(first, "Other e-mails")),
        (text("0047 222"), text("a.berg@home.example"))
    );
    assert_eq!(
        (of(first, "Do not call"), of(first, "Do not call because")),
        (Data::Bool(true), text("asked us"))
    );
    let Data::DateTime(since) = of(first, "Do not call since (UTC+00:00)") else {
        panic!("a time is a time")
    };
    assert!((since.as_f64() - 46_346.0 - 8.0 / 24.0).abs() < 1e-6, "2026-11-20 08:00");
    assert_eq!(
        (of(second, "Full name"), of(second, "Description")),
        (text("=1+5"), text("+4722225555")),
        "no formula"
    );
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&file)).unwrap();
    assert!(book.worksheet_formula("Contacts").unwrap().is_empty());
    // The same as CSV.
    let rows = csv(&host, lead.id);
    let words: Vec<_> = header.iter().map(|head| head.to_string().replace(" (UTC+00:00)", "")).collect();
    assert_eq!((rows.len(), &rows[0]), (3, &words), "the same columns");
    assert_eq!(rows[1][column(header, "Do not call")], "yes");
    assert_eq!(rows[1][column(header, "Do not call since (UTC+00:00)")], "2026-11-20T08:00:00+00:00");
    assert_eq!(rows[2][column(header, "Full name")], "'=1+5", "made harmless");
    // The tab of the customer has the same file.
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    assert_eq!(cells(&xlsx(&host, made.account.unwrap())), cells(&xlsx(&host, lead.id)));
    let unknown = AccountId::from_uuid(host.scene.uuid());
    refused(host.try_read(|ctx, txn| contacts_csv(ctx, txn, unknown, &mut Vec::new())), ErrorKind::NotFound);
    let nobody = Subject::from(leadcore::id::ContactId::from_uuid(host.scene.uuid()));
    let error = refused(
        host.try_read(|ctx, txn| contacts_xlsx(ctx, txn, nobody, &mut Vec::new())),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["owner"]);
}

#[test]
fn hostile_names_and_long_texts_come_back_from_the_file() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let texts: Vec<_> =
        storable_texts().chain(["_x0041_", "a\u{1}b", "@SUM(A1)", "-2+3", "\u{fffe}"]).collect();
    for text in &texts {
        add(&host, &lead, ContactFields { role: Some((*text).into()), ..person("x") });
    }
    let long = "🙂".repeat(20_000);
    add(&host, &lead, ContactFields { description: Some(long), ..person("Long") });
    let rows = cells(&xlsx(&host, lead.id));
    let (role, description) = (column(&rows[0], "Role"), column(&rows[0], "Description"));
    let read: Vec<_> = rows[1..=texts.len()].iter().map(|row| row[role].to_string()).collect();
    // A reader decides what it makes of control characters; nothing else may be lost.
    for (text, read) in texts.iter().zip(&read) {
        match *text {
            "\u{fffe}" => assert_eq!(read, "\u{fffd}", "what no file may hold is replaced"),
            "_x0041_" => assert!(!read.is_empty()),
            text if text.contains(char::is_control) => assert!(!read.is_empty(), "{text:?}"),
            text => assert_eq!(read, text),
        }
    }
    let cut = rows.last().unwrap()[description].to_string();
    assert!(
        cut.encode_utf16().count() <= 32_767 && cut.ends_with('…'),
        "{} units",
        cut.encode_utf16().count()
    );
    let back = csv(&host, lead.id);
    let read =
        back[1..=texts.len()].iter().map(|row| leadcore::exchange::unescape_formula(&row[role]).to_owned());
    assert_eq!(read.collect::<Vec<_>>(), texts, "CSV keeps every one");
}

#[test]
fn five_hundred_persons_of_a_lead() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    host.write(|ctx, txn| {
        (0..500).try_for_each(|n| {
            contacts::add(ctx, txn, lead.id, person(&format!("Person {n:03}")), n == 0).map(drop)
        })
    });
    let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!((persons.len(), persons.iter().filter(|known| known.is_primary).count()), (500, 1));
    assert_eq!((cells(&xlsx(&host, lead.id)).len(), csv(&host, lead.id).len()), (501, 501));
    let options = ParticipantOptions::new().include_leads(true).limit(1_000);
    let found = host.read(|ctx, txn| participants::search(ctx, txn, "person", &options));
    assert_eq!((found.items.len(), found.complete), (500, true));
    assert!(found.items.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn what_an_actor_may_not_see_is_in_no_file() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    add(&host, &lead, anna());
    let role = Role::viewer().grant(Permission::Export, Visibility::All);
    let role = role.hide(Field::Phone).unwrap().hide(Field::JobTitle).unwrap();
    let max = "max".parse().unwrap();
    let policy = RoleTable::new().role("sales", role).user(&max, &["sales"], None).unwrap();
    let mut file = Vec::new();
    host.write_as("max", &policy, |ctx, txn| {
        file.clear();
        contacts_csv(ctx, txn, lead.id, &mut file)
    })
    .unwrap();
    let text = String::from_utf8(file).unwrap();
    assert!(text.contains("anna@nordlys.example"));
    for hidden in ["Phone", "call", "asked us", "22 22", "Role", "Decision", "CFO", "Job"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let seen = host.write_as("max", &policy, |ctx, txn| contacts::of_lead(ctx, txn, lead.id)).unwrap();
    let fields = &seen[0].contact.fields;
    assert_eq!((&fields.role, &fields.do_not_call, fields.phones.is_empty()), (&None, &None, true));
    let page = host.write_as("max", &policy, |ctx, txn| {
        let mut fields = anna();
        fields.role = Some("Spy".into());
        assert!(contacts::add(ctx, txn, lead.id, fields, false).is_err(), "nor can it be written");
        timeline::of_lead(ctx, txn, lead.id, None, 10)
    });
    assert!(!format!("{page:?}").contains("Decision"));
}

#[test]
fn s0_26_lead_info_tab() {
    let host = Host::new();
    let mut fields = form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Name, "Anna Berg"),
        (Field::Email, "anna@nordlys.example"),
        (Field::City, "Tromsø"),
        (Field::Amount, "1500"),
    ]);
    fields.phones = Phones::parse("+47 22 22 55 55", None).unwrap();
    let lead = host.add(fields);
    // One read of the lead, and the catalogue says how its profile is laid out.
    let lead = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
    let catalogue = host.read(|ctx, txn| settings::catalogue(ctx, txn)).1;
    let names = Names::new().with_catalogue(&catalogue);
    let mut shown = Vec::new();
    for section in catalogue.form() {
        for field in &section.fields {
            let text = display(&field.field, &lead, &names);
            if !text.is_empty() {
                shown.push((field.label.clone(), text));
            }
        }
    }
    for (label, text) in [
        ("Company", "Nordlys AS"),
        ("E-mail", "anna@nordlys.example"),
        ("Phone", "+47 22 22 55 55"),
        ("City", "Tromsø"),
    ] {
        assert!(shown.contains(&(label.to_owned(), text.to_owned())), "{label}: {shown:?}");
    }
}

#[test]
fn a_role_is_kept_and_seen_from_both_sides() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let made = add(&host, &lead, anna());
    let outcome = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    host.restart();
    for persons in [
        host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)),
        host.read(|ctx, txn| contacts::of_account(ctx, txn, outcome.account.unwrap())),
    ] {
        assert_eq!((persons.len(), &persons[0].contact), (1, &made));
        assert_eq!(persons[0].contact.fields.role.as_deref(), Some("Decision maker"));
    }
}

#[test]
fn an_undo_of_a_contact_edit_gives_role_marks_and_calls_back() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let made = add(&host, &lead, anna());
    let edits: [fn(&mut ContactFields); 5] = [
        |fields| fields.role = None,
        |fields| fields.do_not_call = None,
        |fields| fields.do_not_call = Some(MarkNote::default()),
        |fields| fields.phones = Phones::none(),
        |fields| *fields = ContactFields::named("Somebody Else").unwrap(),
    ];
    for change in edits {
        let mut fields = made.fields.clone();
        change(&mut fields);
        let edited = host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, made.id, ANY, fields.clone()));
        assert_ne!(edited.fields, made.fields);
        undo_last(&host, made.id);
        assert_eq!(contact(&host, &lead, 0).fields, made.fields);
        undo_last(&host, made.id);
        assert_eq!(contact(&host, &lead, 0).fields, edited.fields, "and the undo is undone");
        undo_last(&host, made.id);
    }
    // What somebody wrote since stays.
    let mut first = made.fields.clone();
    first.role = Some("Influencer".into());
    host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, made.id, ANY, first.clone()));
    let entries =
        host.read(|_, txn| txn.journal().about(&[made.id.into()], leadcore::domain::Topics::NONE, None, 1));
    first.role = Some("Blocker".into());
    host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, made.id, ANY, first.clone()));
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, entries[0].operation));
    assert_eq!(done.remaining[0].kept[0].field, "role");
    assert_eq!(contact(&host, &lead, 0).fields.role.as_deref(), Some("Blocker"));
}

#[test]
fn x_39_do_not_call_opt_out_and_bounce_with_reason_and_date() {
    let mut host = Host::new();
    let mut fields = company("Nordlys AS");
    fields.emails = Emails::parse("post@nordlys.example, anna@nordlys.example").unwrap();
    fields.phones = Phones::parse("+47 22 22 55 55, 33 33 33 33", None).unwrap();
    let lead = host.add(fields);
    let person = add(&host, &lead, ContactFields { do_not_call: None, ..anna() });
    let day: Timestamp = "2026-11-21T09:30:00Z".parse().unwrap();
    // Per channel and address, by one call, on a lead …
    let bounced =
        AddressMark::bounced(ReachChannel::Email, "ANNA@nordlys.example").because("550 unknown").since(day);
    let marked = host.write(|ctx, txn| leads::mark_address(ctx, txn, lead.id, lead.revision, &bounced));
    let entry = &marked.fields.emails.entries()[1];
    let note = entry.note(ReachMark::Invalid).unwrap();
    assert_eq!(
        (entry.invalid, entry.opted_out, note.since(), note.reason()),
        (true, false, Some(day), Some("550 unknown"))
    );
    assert!(!marked.fields.emails.entries()[0].invalid, "and no other address");
    host.scene.tick();
    let again = AddressMark::bounced(ReachChannel::Email, "anna@nordlys.example");
    let same = host.write(|ctx, txn| leads::mark_address(ctx, txn, lead.id, ANY, &again));
    assert_eq!(same.revision, marked.revision, "what is so already keeps its date, and nothing is written");
    // … and on a person.
    let out = AddressMark::opt_out(ReachChannel::Phone, "+4722225555").because("asked by phone");
    let marked = host.write(|ctx, txn| contacts::mark(ctx, txn, person.id, person.revision, &out));
    let phone = &marked.fields.phones.entries()[0];
    let since = phone.note(ReachMark::OptedOut).and_then(MarkNote::since);
    assert_eq!((phone.opted_out, since), (true, Some(host.scene.clock_now())), "now, when no date is said");
    // The whole record.
    let note = MarkNote::new(Some(day), Some("on the list of the register")).unwrap();
    let silent = host.write(|ctx, txn| contacts::do_not_call(ctx, txn, person.id, ANY, Some(&note)));
    assert_eq!(silent.fields.do_not_call, Some(note.clone()));
    let silent = host.write(|ctx, txn| leads::do_not_call(ctx, txn, lead.id, ANY, &note));
    assert!(
        silent.fields.phones.entries().iter().all(|phone| phone.opted_out_note.as_deref() == Some(&note))
    );
    host.restart();
    assert_eq!(host.get(&lead).fields, silent.fields);
    // The history tells when and why, and an undo gives it back.
    let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10));
    let told: Vec<_> = page.items.iter().map(|item| item.text.as_str()).collect();
    assert!(told.iter().any(|line| line.contains("(invalid since 2026-11-21: 550 unknown)")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("Do not call: no → yes")), "{told:#?}");
    undo_last(&host, lead.id);
    assert!(!host.get(&lead).fields.phones.has_marks() && host.get(&lead).fields.emails.has_marks());
    // A form that knows nothing of marks keeps them, and who says so takes them off.
    let patch =
        leadcore::domain::LeadPatch::new().set(Field::Email, "anna@nordlys.example, post@nordlys.example");
    let edited = host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, ANY, &patch));
    assert_eq!(
        edited.fields.emails.entries()[0].note(ReachMark::Invalid).and_then(MarkNote::since),
        Some(day)
    );
    let lifted =
        host.write(|ctx, txn| leads::mark_address(ctx, txn, lead.id, ANY, &bounced.clone().lifted()));
    assert!(!lifted.fields.emails.has_marks());
    // A customer's person can still say no, although the lead is frozen.
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    refused(
        host.try_write(|ctx, txn| leads::mark_address(ctx, txn, lead.id, ANY, &bounced)),
        ErrorKind::Frozen,
    );
    let mail = AddressMark::opt_out(ReachChannel::Email, "anna@nordlys.example");
    host.write(|ctx, txn| contacts::mark(ctx, txn, person.id, ANY, &mail));
    let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, made.account.unwrap()));
    let anna = persons.iter().find(|known| known.contact.id == person.id).unwrap();
    assert!(anna.contact.fields.emails.entries()[0].opted_out);
}

#[test]
fn marks_that_cannot_be_set_are_refused_and_write_nothing() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, "a@nordlys.example")]));
    let person = add(&host, &lead, anna());
    let before = dump(&host.store, &host.scene.tenant);
    let mail = |address: &str| AddressMark::opt_out(ReachChannel::Email, address);
    for (mark, field, code) in [
        (mail("other@nordlys.example"), "address", ViolationCode::Unknown),
        (mail("none"), "address", ViolationCode::Malformed),
        (mail("a@nordlys.example").because("x".repeat(501)), "reason", ViolationCode::TooLong),
        (mail("a@nordlys.example").because("a\0b"), "reason", ViolationCode::Malformed),
        (AddressMark::opt_out(ReachChannel::Phone, "99 99 99 99"), "address", ViolationCode::Unknown),
    ] {
        let on_lead = host.try_write(|ctx, txn| leads::mark_address(ctx, txn, lead.id, ANY, &mark));
        let error = refused(on_lead, ErrorKind::Invalid);
        assert_eq!((error.violations()[0].field.as_str(), error.violations()[0].code), (field, code));
        let on_person = host.try_write(|ctx, txn| contacts::mark(ctx, txn, person.id, ANY, &mark));
        if field == "reason" || code == ViolationCode::Malformed {
            refused(on_person, ErrorKind::Invalid);
        }
    }
    let stale = leadcore::id::Revision::new(9);
    let mark = mail("anna@nordlys.example");
    refused(
        host.try_write(|ctx, txn| contacts::mark(ctx, txn, person.id, stale, &mark)),
        ErrorKind::Conflict,
    );
    let viewer = RoleTable::new()
        .role("viewer", Role::viewer())
        .user(&"max".parse().unwrap(), &["viewer"], None)
        .unwrap();
    refused(
        host.write_as("max", &viewer, |ctx, txn| contacts::mark(ctx, txn, person.id, ANY, &mark)),
        ErrorKind::Denied,
    );
    let nobody = leadcore::id::ContactId::from_uuid(host.scene.uuid());
    refused(host.try_write(|ctx, txn| contacts::mark(ctx, txn, nobody, ANY, &mark)), ErrorKind::NotFound);
    let bad = ContactFields { role: Some("a\0".into()), ..person_named_x() };
    let error = refused(
        host.try_write(|ctx, txn| contacts::add(ctx, txn, lead.id, bad.clone(), false)),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["role"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

fn person_named_x() -> ContactFields {
    person("x")
}
