//! Finding contacts and accounts by name, and who follows what.

use uuid::Uuid;

use crate::domain::{Account, AccountFields, Contact, Follow, Link, LinkRole, Place, Subject, SubjectKind};
use crate::id::Revision;
use crate::query::search_terms;
use crate::store::{NamePlace, NameSearch, Store};
use crate::time::Timestamp;
use crate::value::PersonName;

use super::super::fixtures::{World, storable_texts};

fn asked(text: &str) -> NameSearch {
    NameSearch { terms: search_terms(text), after: None, limit: 1_000 }
}

/// What people are called and reached by is searched as that of leads is; the order is that of folded names.
pub fn contacts_are_searched_by_name_and_address(store: &dyn Store) {
    let world = World::install(store);
    let mut contacts: Vec<Contact> =
        ["Øyvind Berg", "anna berg", "Ann Ek", "Zoë"].map(|name| world.contact(name)).into();
    contacts[1].fields.emails = "post@nordlys.example".parse().unwrap();
    contacts[3].fields.phones = "+47 22 22 55 55".parse().unwrap();
    contacts.extend(storable_texts().map(|text| world.contact(text)));
    world.write(store, |txn| txn.contacts().insert(&contacts));
    let found = |text: &str| -> Vec<String> {
        let found = world.read(store, |txn| txn.contacts().search(&asked(text), None));
        found.iter().map(|contact| contact.fields.display_name().unwrap().to_owned()).collect()
    };
    assert_eq!(found("BERG"), ["anna berg", "Øyvind Berg"], "any part of a name, by folded name");
    // Of the texts of all stores one has "and" for a word.
    assert_eq!(found("an"), ["Ann Ek", "anna berg", "tab\tand\nline\r\nend"], "two letters begin a word");
    assert_eq!(found("nordlys.example"), ["anna berg"], "by e-mail");
    assert_eq!(found("22225555"), ["Zoë"], "by the digits of a phone");
    assert_eq!(found("anna ek"), [""; 0], "every word");
    let all = world.read(store, |txn| txn.contacts().search(&asked(""), None));
    assert_eq!(all.len(), contacts.len(), "a blank search finds everybody");
    let place = |contact: &Contact| NamePlace { name: contact.fields.name_key(), id: contact.id.as_uuid() };
    assert!(all.is_sorted_by_key(place), "by name, then by id");
    for contact in &contacts {
        let name = contact.fields.display_name().unwrap();
        let found = world.read(store, |txn| txn.contacts().search(&asked(name), None));
        let expected = contacts.iter().filter(|known| {
            let text = known.fields.search_text();
            search_terms(name).iter().all(|term| text.as_str().contains(term.as_str()))
        });
        assert_eq!(found.len(), expected.count(), "{name:?} finds what has it, and nothing is an operator");
    }
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let search = NameSearch { terms: Vec::new(), after: after.take(), limit: 3 };
        let page = world.read(store, |txn| txn.contacts().search(&search, None));
        after = page.last().map(place);
        walked.extend(page);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(walked, all, "pages visit everybody once");
}

/// A search follows what was written, and can be kept to the contacts of one kind of record.
pub fn a_search_for_contacts_follows_every_write(store: &dyn Store) {
    let world = World::install(store);
    let (of_lead, of_account) = (world.contact("Anna Lund"), world.contact("Anna Vik"));
    let lead = world.company(1, "Nordlys");
    world.write(store, |txn| {
        txn.leads().insert(std::slice::from_ref(&lead))?;
        txn.contacts().insert(&[of_lead.clone(), of_account.clone()])?;
        txn.links().insert(&[
            Link::new(lead.id, LinkRole::Contact, of_lead.id),
            Link::new(lead.id, LinkRole::Contact, of_account.id),
            Link::new(world.account, LinkRole::PrimaryContact, of_account.id),
        ])
    });
    let found = |text: &str, of: Option<SubjectKind>| -> Vec<Uuid> {
        let found = world.read(store, |txn| txn.contacts().search(&asked(text), of));
        found.iter().map(|contact| contact.id.as_uuid()).collect()
    };
    let (lund, vik) = (of_lead.id.as_uuid(), of_account.id.as_uuid());
    assert_eq!(found("anna", None), [lund, vik]);
    assert_eq!(found("anna", Some(SubjectKind::Account)), [vik], "only those of accounts");
    assert_eq!(found("", Some(SubjectKind::Lead)), [lund, vik]);
    let mut renamed = of_lead.clone();
    renamed.fields.name = Some(PersonName::parse("Berit Lund").unwrap());
    renamed.revision = Revision::new(2);
    world.write(store, |txn| txn.contacts().update(std::slice::from_ref(&renamed)));
    assert_eq!((found("anna", None), found("berit", None)), (vec![vik], vec![lund]), "the old name is gone");
    world.write(store, |txn| txn.contacts().remove(&[renamed.id]));
    assert_eq!((found("berit", None), found("lund", None)), (vec![], vec![]), "and so is who was removed");
}

/// Accounts are searched like contacts.
pub fn accounts_are_searched_by_name_and_address(store: &dyn Store) {
    let world = World::install(store);
    let mut accounts = [world.account(7, "Ålesund Fisk AS"), world.account(8, "Fisk & Co")];
    accounts[1].fields.emails = "post@alesund.example".parse().unwrap();
    world.write(store, |txn| txn.accounts().insert(&accounts));
    let found = |text: &str, after: Option<NamePlace>| -> Vec<u64> {
        let search = NameSearch { after, ..asked(text) };
        let found = world.read(store, |txn| txn.accounts().search(&search));
        found.iter().map(|account| account.number).collect()
    };
    assert_eq!(found("fisk", None), [7, 8], "by folded name");
    assert_eq!(found("alesund", None), [7, 8], "in the name without its accent, or in an address");
    let first = NamePlace { name: accounts[0].fields.name_key(), id: accounts[0].id.as_uuid() };
    assert_eq!(found("fisk", Some(first)), [8], "behind a place");
    assert_eq!(found("fjordlys", None), [1]);
    let fields = AccountFields { name: "Havblikk".to_owned(), ..accounts[0].fields.clone() };
    let next = Account { fields, revision: Revision::new(2), ..accounts[0].clone() };
    world.write(store, |txn| txn.accounts().update(std::slice::from_ref(&next)));
    // The other one has both words, one of them in its address.
    assert_eq!((found("ålesund fisk", None), found("havbl", None)), (vec![8], vec![7]));
}

/// A user follows a record once and since it first did; followers are read from both ends.
pub fn followers_are_kept_once_and_read_from_both_ends(store: &dyn Store) {
    let world = World::install(store);
    let leads = [1, 2].map(|number| world.company(number, "Followed"));
    world.write(store, |txn| txn.leads().insert(&leads));
    let [one, two] = [Subject::from(leads[0].id), Subject::from(leads[1].id)];
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).unwrap();
    let follow =
        |user: &str, subject, seconds| Follow { subject, user: user.parse().unwrap(), since: at(seconds) };
    let account = Subject::from(world.account);
    let all = [
        follow("ada", one, 5),
        follow("ada", two, 5),
        follow("bob", one, 1),
        follow("bob", account, 2),
        follow("O'Neil \"x\" 🙂", two, 3),
    ];
    world.write(store, |txn| txn.followers().add(&all));
    world.write(store, |txn| txn.followers().add(&[follow("ada", one, 9), follow("ada", one, 8)]));
    let found = world.read(store, |txn| txn.followers().of(&[two, one, two]));
    assert_eq!(
        found,
        [&all[0], &all[2], &all[4], &all[1]].map(Clone::clone),
        "by record, then by user, each once"
    );
    let ada = "ada".parse().unwrap();
    let of = |after, limit| {
        world.read(store, |txn| txn.followers().followed_by(&ada, SubjectKind::Lead, after, limit))
    };
    assert_eq!(of(None, 10), [all[1].clone(), all[0].clone()], "the latest first, then the highest id");
    let place = Place { at: at(5), child: two.id };
    assert_eq!((of(Some(place), 10), of(None, 1)), (vec![all[0].clone()], vec![all[1].clone()]));
    let bob = "bob".parse().unwrap();
    let accounts = world.read(store, |txn| txn.followers().followed_by(&bob, SubjectKind::Account, None, 9));
    assert_eq!(accounts, [all[3].clone()], "one kind of record");
    world.write(store, |txn| txn.followers().remove(&[follow("ada", one, 0), follow("nobody", one, 0)]));
    let left = world.read(store, |txn| txn.followers().of(&[one]));
    assert_eq!(left, [all[2].clone()], "whenever they began; others are passed over");
}
