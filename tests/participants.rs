//! Who can be chosen as a participant of an appointment.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::participants::{self, Candidates, ParticipantOptions};
use leadcore::desk::{Expect, accounts, contacts, leads};
use leadcore::domain::{AddressMark, ContactFields, Emails, Field, Lead, LeadFields, LinkRole, ReachChannel};
use leadcore::error::ErrorKind;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};

use crate::support::{Host, company, fields_of, form, refused};

const ANY: Expect = Expect::Any;

fn person(name: &str) -> ContactFields {
    ContactFields::named(name).unwrap()
}

fn anna() -> ContactFields {
    let emails = Emails::parse("anna@nordlys.example, a.berg@home.example").unwrap();
    ContactFields { emails, ..person("Anna Berg") }
}

#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
fn add(host: &Host, lead: &Lead, fields: ContactFields) {
    host.scene.tick();
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), false));
}

fn found(host: &Host, text: &str, leads: bool) -> Vec<String> {
    let options = ParticipantOptions::new().include_leads(leads);
    let found = host.read(|ctx, txn| participants::search(ctx, txn, text, &options));
    names(&found)
}

fn names(found: &Candidates) -> Vec<String> {
    found.items.iter().map(|known| known.name.clone()).collect()
}

#[test]
fn s4_09_excluded_from_calendar_search() {
    let host = Host::new();
    let customer = host.add(company("Nordlys AS"));
    add(&host, &customer, anna());
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, customer.id, &ConversionOptions::default()));
    let open = host.add(form(&[(Field::Company, "Nordavind AS"), (Field::Email, "post@nordavind.example")]));
    add(&host, &open, person("Nora Berg"));
    let trashed = host.add(company("Nordpol AS"));
    add(&host, &trashed, person("Norvald Is"));
    host.write(|ctx, txn| leads::delete(ctx, txn, trashed.id, ANY));
    host.add(LeadFields {
        person: Some(leadcore::value::PersonName::parse("Nordahl Grieg").unwrap()),
        ..form(&[(Field::Kind, "consumer")])
    });
    // Choosing participants shows customers and their persons.
    assert_eq!(found(&host, "nor", false), ["Anna Berg", "Nordlys AS"], "by name, and by address");
    assert_eq!(found(&host, "berg", false), ["Anna Berg"]);
    assert_eq!(found(&host, "nordavind", false), [""; 0]);
    assert_eq!(found(&host, "", false), ["Anna Berg", "Nordlys AS"], "nothing typed yet");
    // Only who asks for them gets leads and their persons; a converted lead is there as the customer alone.
    assert_eq!(
        found(&host, "nor", true),
        ["Anna Berg", "Nora Berg", "Nordahl Grieg", "Nordavind AS", "Nordlys AS"]
    );
    let options = ParticipantOptions::new().include_leads(true);
    let all = host.read(|ctx, txn| participants::search(ctx, txn, "berg", &options));
    let of: Vec<_> = all.items.iter().map(|known| (known.of, known.company.clone().unwrap())).collect();
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, made.account.unwrap()));
    assert_eq!(
        of,
        [(Some(account.id.into()), "Nordlys AS".into()), (Some(open.id.into()), "Nordavind AS".into())]
    );
    assert_eq!(all.items[0].email.as_deref(), Some("anna@nordlys.example"));
    // An address that must not be used is not offered.
    let person = all.items[0].subject.id;
    let out = AddressMark::opt_out(ReachChannel::Email, "anna@nordlys.example");
    host.write(|ctx, txn| contacts::mark(ctx, txn, leadcore::id::ContactId::from_uuid(person), ANY, &out));
    let again = host.read(|ctx, txn| participants::search(ctx, txn, "anna berg", &ParticipantOptions::new()));
    assert_eq!(again.items[0].email.as_deref(), Some("a.berg@home.example"));
    // Somebody who is both is a customer's.
    host.write(|_, txn| {
        txn.links().insert(&[leadcore::domain::Link::new(
            open.id,
            LinkRole::Contact,
            leadcore::id::ContactId::from_uuid(person),
        )])
    });
    assert_eq!(found(&host, "anna", true), ["Anna Berg"]);
    for (text, limit, field) in [("x", 0, "limit"), ("x", 1_001, "limit"), (&*"x".repeat(1_001), 1, "text")] {
        let options = ParticipantOptions::new().limit(limit);
        let error = refused(
            host.try_read(|ctx, txn| participants::search(ctx, txn, text, &options)),
            ErrorKind::Invalid,
        );
        assert_eq!(fields_of(&error), [field]);
    }
    assert_eq!(found(&host, "\0 ' \" AND * NEAR(", true), [""; 0], "a text is no query");
}

#[test]
fn participants_are_found_by_what_the_actor_may_see() {
    let host = Host::new();
    for (name, owner) in [("Nordlys AS", "max"), ("Nordavind AS", "ada")] {
        let lead = host.add(LeadFields { owner: Some(owner.parse().unwrap()), ..company(name) });
        add(
            &host,
            &lead,
            ContactFields {
                emails: Emails::parse("secret@home.example").unwrap(),
                ..person(&format!("Anna {owner}"))
            },
        );
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    }
    let role = Role::new().grant(Permission::View, Visibility::Own).hide(Field::Email).unwrap();
    let max = "max".parse().unwrap();
    let policy = RoleTable::new().role("sales", role).user(&max, &["sales"], None).unwrap();
    let search = |text: &str| {
        let found = host.write_as("max", &policy, |ctx, txn| {
            participants::search(ctx, txn, text, &ParticipantOptions::new())
        });
        names(&found.unwrap())
    };
    assert_eq!(search(""), ["Anna max", "Nordlys AS"], "customers of others are not there");
    assert_eq!(search("secret"), [""; 0], "nor are those of whom only what is hidden matches");
    let options = ParticipantOptions::new().limit(1);
    let found =
        host.write_as("max", &policy, |ctx, txn| participants::search(ctx, txn, "", &options)).unwrap();
    assert_eq!((names(&found), found.items[0].email.clone()), (vec!["Anna max".into()], None));
}
