//! An undo behind the way back of a conversion brings back nothing that the conversion had written, also of marks and persons.

use leadcore::desk::convert::{self, PersonChoice};
use leadcore::desk::undo::{self, UndoOutcome, UndoPart};
use leadcore::desk::{Expect, accounts, contacts, leads};
use leadcore::domain::{
    AccountFields, AccountPatch, AddressMark, Contact, ContactFields, Emails, Field, LeadPatch, MarkNote,
    Phones, ReachChannel, Subject, WhyKept,
};
use leadcore::id::{ContactId, OperationId};

use super::fresh::*;
use crate::support::{Host, company, form};

const OUT: &str = "b@y.example (opted_out)";

/// Taken back, with this field kept for the reason that what it had was taken back with its conversion.
fn reversed(done: &UndoOutcome, field: &str) {
    assert!(!done.remaining.is_empty(), "{done:?}");
    kept(done, field);
    let record = &done.remaining[0];
    assert!(record.kept.iter().all(|kept| kept.why == WhyKept::Reversed), "{done:?}");
}

fn undone(host: &Host, operation: OperationId) -> UndoOutcome {
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, operation))
}

fn back(host: &Host, lead: &leadcore::domain::Lead) {
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
}

fn fields_of(host: &Host, contact: ContactId) -> ContactFields {
    host.read(|_, txn| Ok(txn.contacts().get(&[contact])?.remove(0))).fields
}

#[test]
fn an_undo_brings_back_no_address_of_a_conversion_whatever_is_said_of_it() {
    for mail in ["b@y.example", OUT] {
        let host = Host::new();
        let emails = || Emails::parse("a@x.example").unwrap();
        let known = account(&host, &AccountFields { emails: emails(), ..named("X AS") });
        let lead = host.add(form(&[(Field::Company, "X AS"), (Field::Email, mail)]));
        into(&host, &lead, &options().into_account(known.id));
        let now = || host.read(|ctx, txn| accounts::get(ctx, txn, known.id)).fields.emails;
        assert_eq!(now().entries().len(), 2, "{mail}");
        let patch = AccountPatch::new().set(Field::Email, "a@x.example");
        host.write(|ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
        let edit = last_operation(&host, known.id);
        back(&host, &lead);
        reversed(&undone(&host, edit), "email");
        assert_eq!(now(), emails(), "{mail}");
    }
}

#[test]
fn nor_does_it_where_somebody_wrote_more_beside_it() {
    let host = Host::new();
    let emails = Emails::parse("a@x.example").unwrap();
    let known = account(&host, &AccountFields { emails, ..named("X AS") });
    let lead = host.add(form(&[(Field::Company, "X AS"), (Field::Email, OUT)]));
    into(&host, &lead, &options().into_account(known.id));
    let write = |mail: &str| {
        let patch = AccountPatch::new().set(Field::Email, mail);
        host.write(|ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
        last_operation(&host, known.id)
    };
    write("a@x.example, b@y.example (opted_out), c@x.example");
    let lifted = write("a@x.example, b@y.example (), c@x.example");
    let removed = write("a@x.example, c@x.example");
    let later = write("a@x.example");
    back(&host, &lead);
    let undo = undone(&host, later);
    assert_eq!((undo.remaining, undo.totals.reversed), (vec![], 1), "c@x.example is no conversion's");
    reversed(&undone(&host, removed), "email");
    // What the mark was about is gone.
    kept(&undone(&host, lifted), "email");
    let now = host.read(|ctx, txn| accounts::get(ctx, txn, known.id)).fields.emails;
    assert_eq!(now, Emails::parse("a@x.example, c@x.example").unwrap());
}

#[test]
fn nor_a_mark_where_somebody_wrote_more_beside_it() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let anna = person(&host, known.id, "Anna", "b@y.example");
    let lead = host.add(form(&[(Field::Company, "K"), (Field::Name, "Anna"), (Field::Email, OUT)]));
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(anna.id)));
    let mut fields = fields_of(&host, anna.id);
    fields.emails = Emails::parse("b@y.example (opted_out), c@y.example").unwrap();
    host.write(|ctx, txn| contacts::edit(ctx, txn, known.id, anna.id, Expect::Any, fields.clone()));
    let lift = AddressMark::opt_out(ReachChannel::Email, "b@y.example").lifted();
    host.write(|ctx, txn| contacts::mark(ctx, txn, anna.id, Expect::Any, &lift));
    let lift = last_operation(&host, anna.id);
    back(&host, &lead);
    reversed(&undone(&host, lift), "email");
    assert!(!fields_of(&host, anna.id).emails.has_marks());
}

#[test]
fn an_undo_brings_back_no_objection_of_a_conversion() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let person = ContactFields {
        emails: Emails::parse("b@y.example").unwrap(),
        phones: Phones::parse("+47 22 22 55 55", None).unwrap(),
        ..ContactFields::named("Ola Nord").unwrap()
    };
    let ola = host.write(|ctx, txn| contacts::add(ctx, txn, known.id, person.clone(), false));
    let lead = host.add(company("K"));
    let own = ContactFields {
        emails: Emails::parse(OUT).unwrap(),
        do_not_call: Some(MarkNote::default()),
        ..person.clone()
    };
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), true));
    let best = leadcore::dedupe::matching::MatchPolicy::Best { at_least: 50 };
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Match(best)));
    let said = fields_of(&host, ola.id);
    assert!(said.do_not_call.is_some() && said.emails.entries()[0].opted_out);
    let lift = AddressMark::opt_out(ReachChannel::Email, "b@y.example").lifted();
    let lifted = || {
        host.write(|ctx, txn| contacts::mark(ctx, txn, ola.id, Expect::Any, &lift));
        let of_mark = last_operation(&host, ola.id);
        host.write(|ctx, txn| contacts::do_not_call(ctx, txn, ola.id, Expect::Any, None));
        (of_mark, last_operation(&host, ola.id))
    };
    // While it stands, an undo gives back what it said.
    let (of_mark, of_calls) = lifted();
    for operation in [of_mark, of_calls] {
        assert_eq!(undone(&host, operation).remaining, []);
    }
    assert_eq!(fields_of(&host, ola.id), said);
    let (of_mark, of_calls) = lifted();
    assert_eq!(fields_of(&host, ola.id), person);
    back(&host, &lead);
    reversed(&undone(&host, of_calls), "do_not_call");
    reversed(&undone(&host, of_mark), "email");
    assert_eq!(fields_of(&host, ola.id), person);
}

#[test]
fn what_was_written_again_since_it_was_taken_back_stays_also_with_a_mark() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "K"), (Field::Email, "b@y.example")]));
    let write = |mail: &str| {
        let patch = LeadPatch::new().set(Field::Email, mail);
        as_bob(&host, |ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch)).fields.emails
    };
    for mail in ["b@y.example, c@y.example", "b@y.example (opted_out), c@y.example"] {
        let written = write(mail);
        let edit = last_operation(&host, lead.id);
        let part = UndoPart::leads([lead.id]);
        let undo = host.write(|ctx, txn| undo::undo_part(ctx, txn, edit, &part));
        assert_eq!((undo.remaining.len(), host.get(&lead).fields.emails.entries().len()), (0, 1), "{mail}");
        assert_eq!(write(mail), written);
        kept(&undone(&host, edit), "email");
        assert_eq!(host.get(&lead).fields.emails, written, "{mail}");
        write("b@y.example ()");
    }
}

#[test]
fn an_undo_brings_back_no_person_of_a_conversion() {
    let host = Host::new();
    let [x, y] = ["X", "Y"].map(|name| account(&host, &named(name)));
    let kim = person(&host, x.id, "Kim", "");
    let anna = person(&host, y.id, "Anna", "a@y.example");
    let fields = [(Field::Company, "X"), (Field::Name, "Anna"), (Field::Email, "a@y.example")];
    let lead = host.add(form(&fields));
    let wanted = options().into_account(x.id).person(PersonChoice::Existing(anna.id));
    let of = |of: Subject| {
        let of = leadcore::id::AccountId::from_uuid(of.id);
        host.read(|ctx, txn| contacts::of_account(ctx, txn, of)).into_iter().map(|one| one.contact.id)
    };
    let remove = |one: &Contact| {
        host.write(|ctx, txn| contacts::remove(ctx, txn, x.id, one.id));
        last_operation(&host, x.id)
    };
    into(&host, &lead, &wanted);
    let removal = remove(&anna);
    // While the conversion stands, the person comes back.
    assert_eq!((undone(&host, removal).remaining.len(), of(x.id.into()).count()), (0, 2));
    let removal = remove(&anna);
    back(&host, &lead);
    reversed(&undone(&host, removal), "contact");
    assert_eq!(of(x.id.into()).collect::<Vec<_>>(), [kim.id]);
    assert_eq!(of(y.id.into()).collect::<Vec<_>>(), [anna.id], "where she was before");
    // Whom somebody had added comes back.
    let removal = remove(&kim);
    assert_eq!(undone(&host, removal).remaining, []);
    assert_eq!(of(x.id.into()).collect::<Vec<_>>(), [kim.id]);
}
