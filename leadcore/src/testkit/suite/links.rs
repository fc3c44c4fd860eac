//! The links port.

use crate::domain::{Link, LinkRole, Subject};
use crate::store::Store;

use super::super::fixtures::World;

/// A world with two leads and three contacts, as subjects in the order of their ids.
fn stocked(store: &dyn Store) -> (World, Vec<Subject>, Vec<Subject>) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=2).map(|n| world.company(n, "Links")).collect();
    let contacts: Vec<_> = ["A", "B", "C"].iter().map(|name| world.contact(name)).collect();
    world.write(store, |txn| {
        txn.leads().insert(&leads)?;
        txn.contacts().insert(&contacts)
    });
    let leads = leads.iter().map(|lead| lead.id.into()).collect();
    (world, leads, contacts.iter().map(|contact| contact.id.into()).collect())
}

/// A link that is there is not added again, whether in one call or in two.
pub fn a_link_is_there_once(store: &dyn Store) {
    let (world, leads, contacts) = stocked(store);
    let link = Link::new(leads[0], LinkRole::Contact, contacts[0]);
    world.write(store, |txn| txn.links().insert(&[link, link]));
    world.write(store, |txn| txn.links().insert(&[link]));
    let found = world.read(store, |txn| txn.links().from(&leads, None));
    assert_eq!(found, [link], "adding a link that is there changes nothing");
    world.write(store, |txn| txn.links().remove(&[link]));
    let found = world.read(store, |txn| txn.links().from(&leads, None));
    assert_eq!(found, [], "one removal takes it away");
}

/// From an origin: oldest target id first; to a target: oldest origin id first.
pub fn links_are_read_from_both_ends_in_order(store: &dyn Store) {
    let (world, leads, contacts) = stocked(store);
    let to = |n: usize| Link::new(leads[0], LinkRole::Contact, contacts[n]);
    let other = Link::new(leads[1], LinkRole::Contact, contacts[1]);
    world.write(store, |txn| txn.links().insert(&[to(2), other, to(0), to(1)]));
    let found = world.read(store, |txn| txn.links().from(&leads[..1], None));
    assert_eq!(found, [to(0), to(1), to(2)], "oldest target id first, whatever the order of writing");
    let found = world.read(store, |txn| txn.links().to(&contacts[1..2], None));
    assert_eq!(found, [to(1), other], "oldest origin id first, whatever the order of writing");
    let found = world.read(store, |txn| txn.links().from(&contacts, None));
    assert_eq!(found, [], "a link has a direction");
}

/// Several subjects at once, each link once; one role or all; no subject, no link.
pub fn links_of_several_subjects_and_of_one_role(store: &dyn Store) {
    let (world, leads, contacts) = stocked(store);
    let account = Subject::from(world.account);
    let links = [
        Link::new(leads[0], LinkRole::PrimaryContact, contacts[0]),
        Link::new(leads[0], LinkRole::Contact, contacts[1]),
        Link::new(leads[1], LinkRole::Contact, contacts[2]),
        Link::new(leads[1], LinkRole::ConvertedTo, account),
    ];
    world.write(store, |txn| txn.links().insert(&links));
    let asked = [leads[1], leads[0], leads[1]];
    let mut found = world.read(store, |txn| txn.links().from(&asked, None));
    assert!(found.is_sorted_by_key(|link| link.to.id), "oldest target id first over all subjects");
    let mut wanted = links.to_vec();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "each link once, however often its subject was asked");
    let found = world.read(store, |txn| txn.links().from(&leads, Some(LinkRole::Contact)));
    assert_eq!(found, links[1..3], "one role only");
    let found = world.read(store, |txn| txn.links().to(&[account], Some(LinkRole::ConvertedTo)));
    assert_eq!(found, links[3..], "one role only, from the other end");
    let found = world.read(store, |txn| Ok((txn.links().from(&[], None)?, txn.links().to(&[], None)?)));
    assert_eq!(found, (vec![], vec![]), "no subject, no link");
}

/// Removing what is not there is no error; another role between the same ends stays.
pub fn removing_an_absent_link_changes_nothing(store: &dyn Store) {
    let (world, leads, contacts) = stocked(store);
    let plain = Link::new(leads[0], LinkRole::Contact, contacts[0]);
    let primary = Link { role: LinkRole::PrimaryContact, ..plain };
    world.write(store, |txn| txn.links().insert(&[plain]));
    world.write(store, |txn| txn.links().remove(&[primary, Link { to: contacts[1], ..plain }]));
    let found = world.read(store, |txn| txn.links().from(&leads, None));
    assert_eq!(found, [plain], "only the link itself is taken away");
    world.write(store, |txn| txn.links().insert(&[primary]));
    let found = world.read(store, |txn| txn.links().from(&leads, None));
    assert_eq!(found.len(), 2, "two roles between the same ends are two links");
}
