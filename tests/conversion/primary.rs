//! X.09: whom somebody chose as the primary contact of an account since a conversion.

use leadcore::desk::contacts;
use leadcore::desk::convert::{Fate, PersonChoice, Unconvertible};
use leadcore::domain::Field;
use leadcore::id::{AccountId, ContactId};

use super::fresh::*;
use super::own_edits::back;
use super::worked;
use crate::support::{Host, form};

/// The persons of an account, the primary one first.
fn persons(host: &Host, account: AccountId) -> Vec<String> {
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, account));
    assert_eq!(of.iter().filter(|one| one.is_primary).count(), 1, "{of:?}");
    of.iter().map(|one| one.contact.fields.display_name().unwrap_or_default().to_owned()).collect()
}

fn called(host: &Host, account: AccountId, name: &str) -> ContactId {
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, account));
    of.iter().find(|one| one.contact.fields.display_name() == Some(name)).unwrap().contact.id
}

fn choose(host: &Host, account: AccountId, name: &str) {
    host.scene.tick();
    let id = called(host, account, name);
    host.write(|ctx, txn| contacts::make_primary(ctx, txn, account, id));
}

#[test]
fn x_09_whom_one_made_the_primary_contact_oneself_stands_against_nothing() {
    let cases: [(&[&str], [&str; 2]); 5] = [
        (&["Anna"], ["Kim", "Liv"]),
        (&["Liv"], ["Liv", "Kim"]),
        (&["Liv", "Anna"], ["Liv", "Kim"]),
        (&["Anna", "Liv"], ["Liv", "Kim"]),
        (&["Anna", "Kim"], ["Kim", "Liv"]),
    ];
    for (chosen, left) in cases {
        let host = Host::new();
        let known = account(&host, &named("X"));
        let [_, liv] = ["Kim", "Liv"].map(|name| person(&host, known.id, name, ""));
        let lead = host.add(form(&[(Field::Company, "X"), (Field::Name, "Anna")]));
        into(&host, &lead, &options().into_account(known.id));
        chosen.iter().for_each(|name| choose(&host, known.id, name));
        let taken = back(&host, &lead, known.id);
        assert_eq!(persons(&host, known.id), left, "{chosen:?}");
        let again = if chosen.ends_with(&["Anna"]) {
            Fate::Restored(vec!["primary_contact".to_owned()])
        } else {
            Fate::Unlinked
        };
        assert_eq!(taken.fate, again, "{chosen:?}");
        // Of an account that had none.
        let known = account(&host, &named("Y"));
        let lead = host.add(form(&[(Field::Company, "Y"), (Field::Name, "Anna")]));
        into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(liv.id)));
        person(&host, known.id, "Per", "");
        choose(&host, known.id, "Per");
        back(&host, &lead, known.id);
        assert_eq!(persons(&host, known.id), ["Per"]);
    }
    // Of a new account.
    let host = Host::new();
    let lead = worked(&host);
    let made = into(&host, &lead, &options()).account.unwrap();
    assert_ne!(persons(&host, made)[0], "Eva Moe");
    choose(&host, made, "Eva Moe");
    assert_eq!(back(&host, &lead, made).fate, Fate::Archived);
}

#[test]
fn x_09_whom_somebody_else_made_the_primary_contact_stands_against_it() {
    let host = Host::new();
    let known = account(&host, &named("X"));
    person(&host, known.id, "Kim", "");
    for wanted in [options().into_account(known.id), options()] {
        let lead = worked(&host);
        let made = into(&host, &lead, &wanted).account.unwrap();
        let eva = called(&host, made, "Eva Moe");
        as_bob(&host, |ctx, txn| contacts::make_primary(ctx, txn, made, eva));
        choose(&host, made, "Kari Berg");
        let told = Unconvertible::Edited { record: made.into(), fields: vec!["contacts".to_owned()] };
        let against = blockers(&host, &lead);
        assert!(against.contains(&told), "{against:?}");
        let by_bob = |one: &Unconvertible| *one == told || matches!(one, Unconvertible::Changed { .. });
        assert!(against.iter().all(by_bob), "{against:?}");
    }
}

#[test]
fn x_09_a_primary_contact_whom_two_leads_brought_leaves_with_the_last_of_them() {
    let host = Host::new();
    let (known, other) = (account(&host, &named("X")), account(&host, &named("Y")));
    person(&host, known.id, "Kim", "");
    let anna = person(&host, other.id, "Anna", "");
    let wanted = options().into_account(known.id).person(PersonChoice::Existing(anna.id));
    let [first, second] = [(); 2].map(|()| host.add(form(&[(Field::Company, "X"), (Field::Name, "Anna")])));
    into(&host, &first, &wanted);
    choose(&host, known.id, "Anna");
    into(&host, &second, &wanted);
    back(&host, &first, known.id);
    assert_eq!(persons(&host, known.id), ["Anna", "Kim"]);
    back(&host, &second, known.id);
    assert_eq!(persons(&host, known.id), ["Kim"]);
}
