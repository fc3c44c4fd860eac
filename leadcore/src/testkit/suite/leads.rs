//! The leads port: writing, reading by id, finding by key.

use rust_decimal::Decimal;

use crate::domain::{
    Closing, Conversion, Emails, Field, Lead, LeadFields, LeadState, MatchKey, MatchKind, Outcome, Phones,
    Reachable, TermKind, Trashed,
};
use crate::error::ErrorKind;
use crate::id::{DisqualifyReasonId, LeadId, LostReasonId, Revision};
use crate::query::{LeadScan, Resolved, Sort, SortField};
use crate::store::{LeadChange, Store};
use crate::time::{Clock as _, Timestamp};
use crate::value::{Email, Phone};

use super::super::fixtures::{World, full_fields};
use super::{assert_kind, assert_stale, refused};

fn insert(world: &World, store: &dyn Store, leads: &[Lead]) {
    world.write(store, |txn| txn.leads().insert(leads));
}

fn get(world: &World, store: &dyn Store, ids: &[LeadId]) -> Vec<Lead> {
    world.read(store, |txn| txn.leads().get(ids))
}

/// The lead after its next write, with `change` done to it.
fn changed(before: &Lead, change: impl FnOnce(&mut Lead)) -> LeadChange {
    let mut after = before.clone();
    after.revision = before.revision.next();
    change(&mut after);
    LeadChange { before: before.clone(), after }
}

fn assert_round_trip(world: &World, store: &dyn Store, lead: &Lead, why: &str) {
    insert(world, store, std::slice::from_ref(lead));
    let found = get(world, store, &[lead.id]);
    assert_eq!(found.as_slice(), std::slice::from_ref(lead), "{why}");
    let scan = LeadScan {
        filter: Resolved::Equals(Field::Id, vec![lead.id.into()]),
        trashed: lead.trashed.is_some(),
        sort: Sort::default(),
        limit: 10,
        after: None,
    };
    let scanned = world.read(store, |txn| txn.leads().scan(&scan));
    assert_eq!(scanned, found, "scan and get must give the same lead: {why}");
}

/// Every field of a lead comes back, also what a conversion and the trash say about it.
pub fn a_lead_comes_back_as_it_was_written(store: &dyn Store) {
    let world = World::install(store);
    let mut lead = world.lead(7, full_fields(&world, "Fjordlys"));
    lead.revision = Revision::new(41);
    lead.stage = world.pipeline.stages[2].id;
    lead.stage_entered_at = world.scene.tick();
    lead.updated_at = world.scene.tick();
    let at = world.scene.tick();
    lead.conversion = Some(Conversion { at, account: Some(world.account), operation: world.operation });
    assert_round_trip(&world, store, &lead, "a converted lead with every field set must come back whole");
    let mut trashed = world.lead(8, LeadFields::default());
    trashed.trashed = Some(Trashed { at, operation: world.operation });
    assert_round_trip(&world, store, &trashed, "a lead in the trash must come back with when and by what");
    let bare = world.lead(9, LeadFields::default());
    assert_round_trip(&world, store, &bare, "a lead without any field must come back without any");
}

/// Quotes, wildcards, emoji, right-to-left and combining characters come back byte for byte.
pub fn hostile_texts_come_back_byte_for_byte(store: &dyn Store) {
    let world = World::install(store);
    for (number, text) in (1..).zip(super::super::fixtures::storable_texts()) {
        let lead = world.lead(number, full_fields(&world, text));
        assert_round_trip(&world, store, &lead, "a text must come back byte for byte");
    }
}

/// Empty text and no text are two things, in leads and in contacts.
pub fn an_empty_text_is_not_an_absent_one(store: &dyn Store) {
    let world = World::install(store);
    let mut lead = world.lead(1, LeadFields::default());
    lead.fields.company = Some(String::new());
    lead.fields.description = Some(String::new());
    lead.fields.industry = Some(" ".to_owned());
    assert_round_trip(&world, store, &lead, "an empty text must not become an absent one");
}

/// The longest description that core lets through, 1 MiB, comes back.
pub fn the_longest_description_comes_back(store: &dyn Store) {
    let world = World::install(store);
    let text = "ä%_'\"\\".repeat((1 << 20) / 7);
    let fields = LeadFields { description: Some(text), ..LeadFields::company("Long").unwrap() };
    let lead = world.lead(1, fields);
    assert_round_trip(&world, store, &lead, "a description of a megabyte must come back whole");
}

/// Four decimals, both signs, both limits; how many zeros were written behind the last digit is not kept.
pub fn amounts_come_back_exactly(store: &dyn Store) {
    let world = World::install(store);
    let amounts = [
        "0",
        "-0.0001",
        "0.0001",
        "1.5000",
        "1234.56",
        "-1234.5678",
        "99999999999999.9999",
        "-99999999999999.9999",
        "0.3",
        "900719925474.0993",
    ];
    for (number, amount) in (1..).zip(amounts) {
        let amount: Decimal = amount.parse().unwrap();
        let lead = world.lead(number, LeadFields { amount: Some(amount), ..LeadFields::default() });
        assert_round_trip(&world, store, &lead, "an amount must come back exactly");
    }
}

/// Times from the year 1 to 9999 come back to the microsecond.
pub fn times_come_back_to_the_microsecond(store: &dyn Store) {
    let world = World::install(store);
    let times =
        [Timestamp::MIN, Timestamp::EPOCH, Timestamp::MAX, Timestamp::from_micros(-1).unwrap(), micro()];
    for (number, at) in (1..).zip(times) {
        let mut lead = world.company(number, "Times");
        lead.created_at = at;
        lead.updated_at = at;
        lead.stage_entered_at = at;
        lead.conversion = Some(Conversion { at, account: Some(world.account), operation: world.operation });
        lead.trashed = Some(Trashed { at, operation: world.operation });
        assert_round_trip(&world, store, &lead, "a time must come back to the microsecond");
    }
}

fn micro() -> Timestamp {
    "2026-11-22T08:00:00.123457Z".parse().unwrap()
}

/// The first e-mail and phone are the primary ones: their order is kept, up to fifty of each.
pub fn order_within_lists_of_a_lead_is_kept(store: &dyn Store) {
    let world = World::install(store);
    let (mut emails, mut phones) = (Emails::none(), Phones::none());
    for n in (0..50).rev() {
        emails.push(Reachable::new(Email::parse(&format!("m{n}@example.com")).unwrap())).unwrap();
        phones.push(Reachable::new(Phone::parse(&format!("+47 22 00 00 {n:02}"), None).unwrap())).unwrap();
    }
    let lead = world.lead(1, LeadFields { emails, phones, ..LeadFields::default() });
    assert_round_trip(&world, store, &lead, "e-mails and phones must keep their order");
}

/// `get` answers in the order asked and leaves unknown ids out.
pub fn get_answers_in_the_order_asked(store: &dyn Store) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=5).map(|n| world.company(n, "Order")).collect();
    insert(&world, store, &leads);
    let unknown = LeadId::from_uuid(world.scene.uuid());
    let asked = [leads[3].id, unknown, leads[0].id, leads[4].id];
    let found: Vec<_> = get(&world, store, &asked).iter().map(|lead| lead.id).collect();
    assert_eq!(found, [leads[3].id, leads[0].id, leads[4].id], "the order asked, without the unknown one");
    assert_eq!(get(&world, store, &[]), [], "nothing asked, nothing answered");
    insert(&world, store, &[]);
    world.write(store, |txn| txn.leads().update(&[]));
}

/// An id that is taken refuses the whole slice.
pub fn a_taken_lead_id_is_refused_and_nothing_is_written(store: &dyn Store) {
    let world = World::install(store);
    let first = world.company(1, "First");
    insert(&world, store, std::slice::from_ref(&first));
    let (fine, mut taken) = (world.company(2, "Fine"), world.company(3, "Taken"));
    taken.id = first.id;
    let why = "the id of a lead is unique";
    let error = refused(&world, store, why, |txn| txn.leads().insert(&[fine.clone(), taken.clone()]));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    assert_eq!(get(&world, store, &[fine.id]), [], "nothing of the slice may be written");
    assert_eq!(get(&world, store, &[first.id]), [first], "the lead that was there must stay as it was");
    let twice = world.company(4, "Twice");
    let again = Lead { number: 5, ..twice.clone() };
    let error = refused(&world, store, why, |txn| txn.leads().insert(&[twice.clone(), again.clone()]));
    assert_kind(&error, ErrorKind::AlreadyExists, "an id is unique within the slice too");
}

/// A number that is taken refuses the whole slice, also when a lead in the trash has it.
pub fn a_taken_lead_number_is_refused_and_nothing_is_written(store: &dyn Store) {
    let world = World::install(store);
    let mut first = world.company(1, "First");
    first.trashed = Some(Trashed { at: first.created_at, operation: world.operation });
    insert(&world, store, std::slice::from_ref(&first));
    let (fine, taken) = (world.company(2, "Fine"), world.company(1, "Taken"));
    let why = "the number of a lead is unique, the trash included";
    let error = refused(&world, store, why, |txn| txn.leads().insert(&[fine.clone(), taken.clone()]));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    assert_eq!(get(&world, store, &[fine.id, taken.id]), [], "nothing of the slice may be written");
    let count = world.read(store, |txn| txn.tallies().count(&Resolved::everything()));
    assert_eq!(count, 0, "a refused lead must not be counted");
}

/// An update writes every field, sets what was empty and empties what was set.
pub fn an_update_replaces_every_field(store: &dyn Store) {
    let world = World::install(store);
    let full = full_fields(&world, "Full");
    let (bare, rich) = (world.lead(1, LeadFields::default()), world.lead(2, full.clone()));
    insert(&world, store, &[bare.clone(), rich.clone()]);
    let at = world.scene.tick();
    let to_rich = changed(&bare, |lead| {
        lead.fields = full;
        lead.stage = world.pipeline.stages[1].id;
        lead.stage_entered_at = at;
        lead.updated_at = at;
        lead.trashed = Some(Trashed { at, operation: world.operation });
    });
    let to_bare = changed(&rich, |lead| {
        lead.fields = LeadFields::default();
        lead.conversion = Some(Conversion { at, account: Some(world.account), operation: world.operation });
    });
    world.write(store, |txn| txn.leads().update(&[to_rich.clone(), to_bare.clone()]));
    let found = get(&world, store, &[bare.id, rich.id]);
    assert_eq!(found, [to_rich.after.clone(), to_bare.after], "an update must write the state after");
    let back = changed(&to_rich.after, |lead| lead.trashed = None);
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&back)));
    assert_eq!(get(&world, store, &[bare.id]), [back.after], "an update must take a lead out of the trash");
}

/// A lead that changed since it was read is not overwritten; the error carries both revisions.
pub fn a_stale_lead_update_says_both_revisions(store: &dyn Store) {
    let world = World::install(store);
    let lead = world.company(1, "First");
    insert(&world, store, std::slice::from_ref(&lead));
    let mine = changed(&lead, |lead| lead.fields.company = Some("Mine".to_owned()));
    let theirs = changed(&lead, |lead| lead.fields.company = Some("Theirs".to_owned()));
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&mine)));
    let why = "a lead that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.leads().update(std::slice::from_ref(&theirs)));
    assert_stale(&error, Revision::FIRST, Revision::new(2), why);
    assert_eq!(get(&world, store, &[lead.id]), [mine.after], "the first write must stay");
}

/// An update of a lead that was never written is refused.
pub fn an_update_of_an_unknown_lead_is_not_found(store: &dyn Store) {
    let world = World::install(store);
    let change = changed(&world.company(1, "Nowhere"), |_| {});
    let why = "an unknown lead cannot be updated";
    let error = refused(&world, store, why, |txn| txn.leads().update(std::slice::from_ref(&change)));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// Of several updates all are written or none, keys and counts included.
pub fn one_stale_update_of_many_writes_nothing(store: &dyn Store) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=3).map(|n| world.company(n, "Many")).collect();
    insert(&world, store, &leads);
    let mail = Emails::parse("new@example.com").unwrap();
    let fine = changed(&leads[0], |lead| lead.fields.emails = mail);
    let mut stale = changed(&leads[1], |_| {});
    stale.before.revision = Revision::new(9);
    let why = "one stale update refuses the slice";
    let error = refused(&world, store, why, |txn| txn.leads().update(&[fine.clone(), stale.clone()]));
    assert_stale(&error, Revision::new(9), Revision::FIRST, why);
    assert_eq!(get(&world, store, &[leads[0].id]), [leads[0].clone()], "nothing of the slice may be written");
    let key = MatchKey::new(MatchKind::Email, "new@example.com");
    let found = world.read(store, |txn| txn.leads().find(std::slice::from_ref(&key)));
    assert_eq!(found, [], "a refused update must leave no key behind");
}

/// `find` gives every live lead of each key once, by key and then by number.
pub fn find_answers_by_key_then_by_number(store: &dyn Store) {
    let world = World::install(store);
    let with = |number, mails: &str| {
        let emails = Emails::parse(mails).unwrap();
        world.lead(number, LeadFields { emails, ..LeadFields::default() })
    };
    // Written in another order than their numbers.
    let leads =
        [with(30, "B@example.com, a@example.com"), with(10, "b@example.com"), with(20, "c@example.com")];
    insert(&world, store, &leads);
    let key = |mail: &str| MatchKey::new(MatchKind::Email, mail);
    let (a, b) = (key("a@example.com"), key("b@example.com"));
    let asked = [b.clone(), key("nobody@example.com"), a.clone(), b.clone()];
    let found = world.read(store, |txn| txn.leads().find(&asked));
    let wanted = [(a, leads[0].id), (b.clone(), leads[1].id), (b, leads[0].id)];
    assert_eq!(found, wanted, "by key, then by number, each once however often it was asked");
    assert_eq!(world.read(store, |txn| txn.leads().find(&[])), [], "no key, no lead");

    let full = world.lead(40, full_fields(&world, "Keys"));
    insert(&world, store, std::slice::from_ref(&full));
    let keys = full.fields.match_keys();
    let found = world.read(store, |txn| txn.leads().find(&keys));
    let wanted: Vec<_> = keys.into_iter().map(|key| (key, full.id)).collect();
    assert_eq!(found, wanted, "every kind of key finds its lead; kinds come in the order of their enum");
}

/// A changed lead is found by its new keys and no more by its old ones.
pub fn keys_follow_a_change(store: &dyn Store) {
    let world = World::install(store);
    let old = Emails::parse("old@example.com, stays@example.com").unwrap();
    let lead = world.lead(1, LeadFields { emails: old, ..LeadFields::default() });
    insert(&world, store, std::slice::from_ref(&lead));
    let new = Emails::parse("stays@example.com, new@example.com").unwrap();
    let change = changed(&lead, |lead| lead.fields.emails = new);
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&change)));
    let keys = ["old@example.com", "stays@example.com", "new@example.com"];
    let keys = keys.map(|mail| MatchKey::new(MatchKind::Email, mail));
    let found = world.read(store, |txn| txn.leads().find(&keys));
    let wanted = [(keys[2].clone(), lead.id), (keys[1].clone(), lead.id)];
    assert_eq!(found, wanted, "keys must follow the change");
}

/// A lead in the trash is in no list, count or key, and back in all of them once restored.
pub fn trashed_leads_are_seen_by_get_and_by_the_trash_only(store: &dyn Store) {
    let world = World::install(store);
    let lead = world.lead(1, full_fields(&world, "Trash"));
    insert(&world, store, std::slice::from_ref(&lead));
    let at = world.scene.tick();
    let away = changed(&lead, |lead| lead.trashed = Some(Trashed { at, operation: world.operation }));
    let back = changed(&away.after, |lead| lead.trashed = None);
    let keys = lead.fields.match_keys();
    let seen = || {
        let everything = Resolved::everything();
        world.read(store, |txn| {
            let scan = |trashed| LeadScan {
                filter: everything.clone(),
                trashed,
                sort: Sort::ascending(SortField::Number),
                limit: 10,
                after: None,
            };
            let listed = txn.leads().scan(&scan(false))?.len();
            let in_trash = txn.leads().scan(&scan(true))?.len();
            let found = txn.leads().find(&keys)?.len();
            let counted = txn.tallies().count(&everything)?;
            let groups = txn.tallies().count_by(&everything, &Field::Stage)?;
            let search = Resolved::search("trash");
            let searched = txn.tallies().count(&search)?;
            Ok((listed, in_trash, found, counted, groups.len(), searched, txn.leads().get(&[lead.id])?.len()))
        })
    };
    let live = (1, 0, keys.len(), 1, 1, 1, 1);
    assert_eq!(seen(), live, "(listed, trash, keys, count, groups, search, get) of a live lead");
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&away)));
    assert_eq!(
        seen(),
        (0, 1, 0, 0, 0, 0, 1),
        "the same of a lead in the trash: only the trash and get see it"
    );
    world.write(store, |txn| txn.leads().update(std::slice::from_ref(&back)));
    assert_eq!(seen(), live, "the same of a restored lead");
}

/// How a lead ended comes back with everything that was said about it.
pub fn a_closed_lead_comes_back_as_it_was_written(store: &dyn Store) {
    let world = World::install(store);
    let at = world.scene.clock.now();
    let lost: LostReasonId = world.term(0);
    let disqualified: DisqualifyReasonId = world.term(1);
    for (number, outcome, reason) in [
        (1, Outcome::Won, None),
        (2, Outcome::Lost, Some(lost.as_uuid())),
        (3, Outcome::Disqualified, Some(disqualified.as_uuid())),
    ] {
        let mut lead = world.company(number, "Nordlys AS");
        lead.closing = Some(Closing { at, outcome, reason, detail: Some("it's \"over\"".to_owned()) });
        lead.active_at = Timestamp::EPOCH;
        lead.fields.probability = Some(100);
        world.write(store, |txn| txn.leads().insert(std::slice::from_ref(&lead)));
        assert_eq!(world.read(store, |txn| txn.leads().get(&[lead.id])), [lead]);
    }
    for (state, count) in [(LeadState::Open, 2), (LeadState::Disqualified, 1), (LeadState::Converted, 0)] {
        let filter = Resolved::Equals(Field::State, vec![state.code().into()]);
        assert_eq!(world.read(store, |txn| txn.tallies().count(&filter)), count, "{state:?}");
    }
    for (kind, id) in
        [(TermKind::LostReason, lost.as_uuid()), (TermKind::DisqualifyReason, disqualified.as_uuid())]
    {
        assert_eq!(world.read(store, |txn| txn.terms().usage(kind, id)), 1, "{kind}");
    }
}

/// What is removed leaves no row, key, search hit, count or number behind.
pub fn a_removed_lead_is_gone_everywhere(store: &dyn Store) {
    let world = World::install(store);
    let mut trashed = world.company(1, "Vestvind AS");
    trashed.trashed = Some(Trashed { at: world.scene.clock.now(), operation: world.operation });
    let mut live = world.lead(2, full_fields(&world, "Nordlys"));
    world.write(store, |txn| txn.leads().insert(&[trashed.clone(), live.clone()]));
    let keys = live.fields.match_keys();
    assert!(!world.read(store, |txn| txn.leads().find(&keys)).is_empty());
    world.write(store, |txn| txn.leads().remove(&[trashed.clone(), live.clone()]));
    assert_eq!(world.read(store, |txn| txn.leads().get(&[trashed.id, live.id])), []);
    assert_eq!(world.read(store, |txn| txn.leads().find(&keys)), []);
    assert_eq!(world.read(store, |txn| txn.tallies().count(&Resolved::everything())), 0);
    let search = Resolved::search("nordlys");
    assert_eq!(world.read(store, |txn| txn.tallies().count(&search)), 0);
    // Its id and number are free again: nothing else holds them.
    live.revision = Revision::FIRST;
    world.write(store, |txn| txn.leads().insert(std::slice::from_ref(&live)));
    assert_eq!(world.read(store, |txn| txn.leads().get(&[live.id])), [live]);
}

/// A removal is of the lead as it was read.
pub fn one_stale_removal_of_many_removes_nothing(store: &dyn Store) {
    let world = World::install(store);
    let leads = [world.company(1, "Nordlys AS"), world.company(2, "Vestvind AS")];
    world.write(store, |txn| txn.leads().insert(&leads));
    let mut stale = leads[1].clone();
    stale.revision = Revision::new(7);
    let why = "a lead that changed since it was read must not be removed";
    let error = refused(&world, store, why, |txn| txn.leads().remove(&[leads[0].clone(), stale.clone()]));
    assert_stale(&error, Revision::new(7), Revision::FIRST, why);
    let unknown = world.company(3, "Unknown AS");
    let error = refused(&world, store, why, |txn| txn.leads().remove(&[leads[0].clone(), unknown.clone()]));
    assert_kind(&error, ErrorKind::NotFound, why);
    assert_eq!(world.read(store, |txn| txn.leads().get(&[leads[0].id, leads[1].id])), leads);
}
