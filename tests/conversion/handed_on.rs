//! X.09: what the user who takes a conversion back hung since on records that go is lost with none of them.

use leadcore::desk::convert::{self, OpportunityRequest, UnconvertOutcome, UnconvertPlan, Unconvertible};
use leadcore::desk::files::{self, NewFile};
use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::{
    Expect, accounts, activities, contacts, estimates, leads, opportunities, settings, timeline, undo,
};
use leadcore::domain::{
    AccountPatch, Activity, ActivityBody, ActivityFields, Actor, AddressMark, Catalogue, CatalogueKind,
    ContactFields, CustomField, CustomKey, CustomType, CustomValue, Emails, Field, FileLimits, Lead,
    LeadFields, MarkNote, OpportunityFields, Participant, ReachChannel, ReachMark, Subject, SubjectKind,
};
use leadcore::id::ActivityId;
use leadcore::policy::AllowAll;
use leadcore::query::Filter;
use leadcore::time::Timestamp;

use super::fresh::*;
use super::own_work::back;
use crate::estimates::roof;
use crate::support::{Host, company, form};

pub(super) fn kim(host: &Host) -> Lead {
    host.add(form(&[
        (Field::Company, "Nordlys"),
        (Field::Name, "Kim Berg"),
        (Field::Email, "kim@nordlys.example"),
        (Field::Currency, "EUR"),
    ]))
}

pub(super) fn note(host: &Host, of: impl Into<Subject>, text: &str) -> Activity {
    let of = [of.into()];
    host.scene.tick();
    host.write(|ctx, txn| activities::add(ctx, txn, &of, ActivityFields::note(text)))
}

pub(super) fn read(host: &Host, id: ActivityId) -> Activity {
    host.read(|_, txn| txn.activities().get(&[id])).remove(0)
}

pub(super) fn as_bob_planned(host: &Host, lead: &Lead) -> UnconvertPlan {
    host.write_as("bob", &AllowAll, |ctx, txn| convert::plan_unconvert(ctx, txn, lead.id)).unwrap()
}

pub(super) fn moved(done: &UnconvertOutcome, record: impl Into<Subject>) -> Vec<(String, u64)> {
    let record = record.into();
    done.records.iter().find(|taken| taken.record == record).unwrap().moved.clone()
}

pub(super) fn tabs(told: &[(&str, u64)]) -> Vec<(String, u64)> {
    told.iter().map(|(tab, count)| ((*tab).to_owned(), *count)).collect()
}

#[test]
fn x_09_what_one_hung_on_new_records_oneself_goes_on_to_the_lead() {
    let host = Host::new();
    let lead = kim(&host);
    let wanted = options().with_opportunity(OpportunityRequest::new());
    let done = into(&host, &lead, &wanted);
    let (account, person, deal) = (done.account.unwrap(), done.contacts[0], done.opportunity.unwrap());
    let first = note(&host, account, "Pays in May");
    let second = note(&host, person, "Likes tea");
    let third = note(&host, deal, "They like it");
    let task = host.write(|ctx, txn| {
        activities::add(ctx, txn, &[account.into(), person.into()], ActivityFields::task("Call"))
    });
    let file = host.write(|ctx, txn| {
        let mut content = &b"hello"[..];
        let file = NewFile::new("a.txt", &mut content);
        files::add(ctx, txn, &[account.into()], file, &FileLimits::default())
    });
    let pinned = host.write(|ctx, txn| {
        let mut content = &b"hello"[..];
        let file = NewFile::new("b.txt", &mut content);
        files::add(ctx, txn, &[first.id.into()], file, &FileLimits::default())
    });
    let offer = host.write(|ctx, txn| estimates::create(ctx, txn, &[account.into()], roof()));
    let eva = ContactFields::named("Eva Moe").unwrap();
    let eva = host.write(|ctx, txn| contacts::add(ctx, txn, account, eva.clone(), false));
    assert!(!as_bob_planned(&host, &lead).blockers.is_empty(), "to bob it is somebody else's");
    let taken = back(&host, &lead);
    assert_eq!(
        moved(&taken, account),
        tabs(&[("estimate", 1), ("file", 1), ("note", 1), ("task", 1), ("contact", 1)])
    );
    assert_eq!(moved(&taken, person), tabs(&[("note", 1), ("task", 1)]));
    assert_eq!(moved(&taken, deal), tabs(&[("note", 1)]));
    let own = vec![Subject::from(lead.id)];
    for id in [first.id, second.id, third.id, task.id] {
        assert_eq!(read(&host, id).about, own);
    }
    let of_file = |id| host.read(|_, txn| txn.files().get(&[id])).remove(0).about;
    assert_eq!((of_file(file.id), of_file(pinned.id)), (own.clone(), vec![first.id.into()]));
    assert_eq!(host.read(|_, txn| txn.estimates().get(&[offer.id])).remove(0).about, own);
    let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(
        persons.iter().map(|one| (one.contact.id, one.is_primary)).collect::<Vec<_>>(),
        [(eva.id, false)]
    );
    assert_eq!(host.read(|_, txn| txn.children().counts(&[account.into(), person.into(), deal.into()])), []);
    assert_eq!(host.read(|_, txn| txn.links().from(&[account.into()], None)), []);
    let told = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 100)).items;
    let of_back = told.iter().filter(|item| item.entry.operation == taken.operation);
    assert!(of_back.clone().any(|item| item.entry.subject == first.id.into()), "{told:?}");
    assert!(of_back.clone().any(|item| item.entry.other == Some(eva.id.into())), "{told:?}");
    // Converted again, all of it is with the customer.
    let again = into(&host, &lead, &wanted);
    let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, again.account.unwrap()));
    assert!(persons.iter().any(|one| one.contact.id == eva.id));
    assert_eq!(blockers(&host, &lead), []);
    // A purge of the lead takes it, and the account that it left.
    back(&host, &lead);
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &PurgeRequest::trash(Filter::everything())));
    let purged = host.write(|ctx, txn| purge::apply(ctx, txn, &plan));
    assert_eq!((purged.leads, purged.accounts, purged.children), (1, 2, 7));
    assert_eq!(host.read(|_, txn| txn.activities().get(&[first.id, second.id, third.id, task.id])), []);
}

#[test]
fn x_09_of_what_several_hung_there_only_that_of_others_stands_against_it() {
    let host = Host::new();
    let lead = kim(&host);
    let account = into(&host, &lead, &options()).account.unwrap();
    let mine = [note(&host, account, "One"), note(&host, account, "Two")];
    let theirs =
        as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[account.into()], ActivityFields::note("Three")));
    let hangs = |count| Unconvertible::HasChildren { record: account.into(), tabs: tabs(&[("note", count)]) };
    assert_eq!(blockers(&host, &lead), [hangs(1)]);
    assert_eq!(as_bob_planned(&host, &lead).blockers, [hangs(2)]);
    // What somebody else wrote on is theirs too.
    let more = ActivityFields::note("Two, and more");
    as_bob(&host, |ctx, txn| activities::edit(ctx, txn, mine[1].id, Expect::Any, more.clone()));
    assert_eq!(blockers(&host, &lead), [hangs(2)]);
    for id in [theirs.id, mine[1].id] {
        as_bob(&host, |ctx, txn| activities::delete(ctx, txn, id, Expect::Any));
    }
    assert_eq!(moved(&back(&host, &lead), account), tabs(&[("note", 1)]));
    // So are persons.
    let account = into(&host, &lead, &options()).account.unwrap();
    let eva = ContactFields::named("Eva Moe").unwrap();
    let eva = as_bob(&host, |ctx, txn| contacts::add(ctx, txn, account, eva.clone(), false));
    let told = Unconvertible::Edited { record: account.into(), fields: vec!["contacts".to_owned()] };
    assert!(blockers(&host, &lead).contains(&told));
    as_bob(&host, |ctx, txn| contacts::remove(ctx, txn, account, eva.id));
    back(&host, &lead);
}

#[test]
fn x_09_nothing_refers_to_a_record_that_went() {
    let host = Host::new();
    let known = account(&host, &named("Fjord"));
    let lead = kim(&host);
    let wanted = options().into_account(known.id).with_opportunity(OpportunityRequest::new());
    let done = into(&host, &lead, &wanted);
    let person = done.contacts[0];
    let other = host.add(company("Somebody else"));
    let at: Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    let visit = ActivityFields::meeting("Visit", at, at).with(Participant::Record(person.into()));
    // A meeting that has nothing to do with the customer.
    let theirs = as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[other.id.into()], visit.clone()));
    let told = tabs(&[("meeting", 1)]);
    assert_eq!(blockers(&host, &lead), [Unconvertible::HasChildren { record: person.into(), tabs: told }]);
    as_bob(&host, |ctx, txn| activities::delete(ctx, txn, theirs.id, Expect::Any));
    let mine = [&[Subject::from(other.id)][..], &[person.into()]]
        .map(|about| host.write(|ctx, txn| activities::add(ctx, txn, about, visit.clone())).id);
    let taken = back(&host, &lead);
    assert_eq!(moved(&taken, person), tabs(&[("meeting", 2)]), "also that of another lead");
    for (id, about) in mine.into_iter().zip([other.id, lead.id]) {
        let now = read(&host, id);
        let ActivityBody::Meeting(meeting) = &now.fields.body else { panic!("{now:?}") };
        assert_eq!(meeting.participants, [Participant::Record(lead.id.into())], "it is the lead's person");
        assert_eq!(now.about, [Subject::from(about)]);
    }
}

#[test]
fn x_09_a_custom_field_that_names_a_new_record_stands_against_it() {
    let host = Host::new();
    let key = |kind: SubjectKind| -> CustomKey { format!("x_{}", kind.code()).parse().unwrap() };
    for kind in CatalogueKind::ALL {
        let mut catalogue = Catalogue::of(kind);
        for to in [SubjectKind::Account, SubjectKind::Contact] {
            catalogue.set_custom_field(CustomField::new(key(to), "Of", CustomType::Link(to)));
        }
        host.write(|ctx, txn| {
            let (revision, _) = settings::catalogue_of(ctx, txn, kind)?;
            settings::set_catalogue(ctx, txn, revision, &catalogue)
        });
    }
    let known = account(&host, &named("Fjord"));
    for to in [SubjectKind::Account, SubjectKind::Contact] {
        let lead = kim(&host);
        let done = into(&host, &lead, &options());
        let record = match to {
            SubjectKind::Account => Subject::from(done.account.unwrap()),
            _ => done.contacts[0].into(),
        };
        let value = CustomValue::Link(record);
        let in_use = |by: u64, leads| Unconvertible::InUse { record, by, leads };
        assert_eq!(blockers(&host, &lead), []);
        let mut fields = LeadFields { ..company("Naming") };
        fields.custom.insert(key(to), value.clone());
        let naming = host.add(fields);
        assert_eq!(blockers(&host, &lead), [in_use(1, vec![naming.id])]);
        let mut fields = ContactFields::named("Naming").unwrap();
        fields.custom.insert(key(to), value.clone());
        host.write(|ctx, txn| contacts::add(ctx, txn, known.id, fields.clone(), false));
        let mut fields = named("Naming");
        fields.custom.insert(key(to), value.clone());
        account(&host, &fields);
        let mut fields = OpportunityFields::named("Naming");
        fields.custom.insert(key(to), value);
        host.write(|ctx, txn| opportunities::create(ctx, txn, known.id, fields.clone().into()));
        assert_eq!(blockers(&host, &lead), [in_use(4, vec![naming.id])]);
    }
}

#[test]
fn x_09_what_one_was_told_by_a_new_person_goes_on_to_the_lead() {
    let host = Host::new();
    let lead = host.add(form(&[
        (Field::Company, "Nordlys"),
        (Field::Name, "Kim Berg"),
        (Field::Email, "kim@nordlys.example"),
        (Field::Phone, "+47 22 12 34 56"),
    ]));
    let mark = AddressMark::opt_out(ReachChannel::Email, "kim@nordlys.example");
    let note = MarkNote::new(None, Some("asked us")).unwrap();
    let done = into(&host, &lead, &options());
    let person = done.contacts[0];
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, person, Expect::Any, &mark));
    let changed = |by: &Actor| Unconvertible::Changed { record: person.into(), by: vec![by.clone()] };
    let (ada, bob) = (host.scene.actor.clone(), Actor::User("bob".parse().unwrap()));
    assert_eq!(blockers(&host, &lead), [changed(&bob)], "what somebody else was told blocks as ever");
    let lead = host.add(lead.fields.clone());
    let done = into(&host, &lead, &options());
    let (account, person) = (done.account.unwrap(), done.contacts[0]);
    host.scene.tick();
    host.write(|ctx, txn| contacts::mark(ctx, txn, person, Expect::Any, &mark));
    let patch = AccountPatch::new().set(Field::Phone, "+47 22 12 34 56 (opted_out)");
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    assert_eq!(as_bob_planned(&host, &lead).blockers.len(), 2);
    back(&host, &lead);
    let now = host.get(&lead).fields;
    assert!(now.emails.entries()[0].opted_out && now.phones.entries()[0].opted_out, "{now:?}");

    // Nobody may call the person: that is said of every number of the lead, and cannot be said of a lead without one.
    for phone in ["+47 22 12 34 57", ""] {
        let lead =
            host.add(form(&[(Field::Company, "Fjord"), (Field::Name, "Eva Moe"), (Field::Phone, phone)]));
        let person = into(&host, &lead, &options()).contacts[0];
        host.scene.tick();
        host.write(|ctx, txn| contacts::do_not_call(ctx, txn, person, Expect::Any, Some(&note)));
        if phone.is_empty() {
            let by = vec![ada.clone()];
            assert_eq!(blockers(&host, &lead), [Unconvertible::Changed { record: person.into(), by }]);
            continue;
        }
        back(&host, &lead);
        let now = host.get(&lead).fields.phones;
        assert!(now.entries()[0].opted_out, "{now:?}");
        assert_eq!(now.entries()[0].note(ReachMark::OptedOut).and_then(MarkNote::reason), Some("asked us"));
    }

    // An address that the lead never had would go with the person, and what is said of it.
    let lead = kim(&host);
    let done = into(&host, &lead, &options());
    let (account, person) = (done.account.unwrap(), done.contacts[0]);
    let known = host.read(|_, txn| txn.contacts().get(&[person])).remove(0).fields;
    let emails = Emails::parse("kim@nordlys.example, private@kim.example").unwrap();
    let fields = ContactFields { emails, ..known };
    host.write(|ctx, txn| contacts::edit(ctx, txn, account, person, Expect::Any, fields.clone()));
    assert_eq!(blockers(&host, &lead), [], "an address alone is an edit");
    let mark = AddressMark::opt_out(ReachChannel::Email, "private@kim.example");
    host.write(|ctx, txn| contacts::mark(ctx, txn, person, Expect::Any, &mark));
    assert_eq!(blockers(&host, &lead), [Unconvertible::Changed { record: person.into(), by: vec![ada] }]);
}

#[test]
fn x_09_an_undo_behind_the_way_back_takes_nothing_off_the_lead() {
    let host = Host::new();
    let lead = kim(&host);
    let account = into(&host, &lead, &options()).account.unwrap();
    let eva = ContactFields::named("Eva Moe").unwrap();
    let eva = host.write(|ctx, txn| contacts::add(ctx, txn, account, eva.clone(), false));
    let added = last_operation(&host, eva.id);
    let said = note(&host, account, "Pays in May");
    let noted = last_operation(&host, said.id);
    back(&host, &lead);
    for operation in [added, noted] {
        host.scene.tick();
        let undone = host.write(|ctx, txn| undo::undo(ctx, txn, operation));
        assert!(!undone.remaining.is_empty(), "{undone:?}");
    }
    let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(persons.iter().map(|one| one.contact.id).collect::<Vec<_>>(), [eva.id]);
    assert_eq!(read(&host, said.id).about, [Subject::from(lead.id)]);
}
