//! Who follows a lead, and records of the host's own on its page.

use std::collections::BTreeSet;

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions, Unconvertible};
use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::{Expect, Listing, accounts, followers, leads, records, timeline, undo};
use leadcore::domain::{
    AccountPatch, Action, HostRecord, HostRecordFields, Lead, LeadFields, LeadPatch, RecordKind,
    RecordKindSpec, RecordKinds, Subject, Topic, Topics,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::{AccountId, UserId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::store::Txn;
use leadcore::testkit::dump;

use crate::support::{Host, company, fields_of, refused};

const ANY: Expect = Expect::Any;

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn of(host: &Host, subject: impl Into<Subject>) -> Vec<String> {
    let subject = subject.into();
    let follows = host.read(|ctx, txn| followers::of(ctx, txn, subject));
    follows.into_iter().map(|follow| follow.user.to_string()).collect()
}

fn last_operation(host: &Host, subject: impl Into<Subject>) -> leadcore::id::OperationId {
    let subject = subject.into();
    host.read(|_, txn| txn.journal().about(&[subject], Topics::NONE, None, 1))[0].operation
}

#[test]
fn x_49_followers() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let other = host.add(company("Havblikk AS"));
    let follow = |host: &Host, lead: &Lead, name: Option<&str>| {
        host.scene.tick();
        let name = name.map(user);
        host.write(|ctx, txn| followers::follow(ctx, txn, lead.id, name.as_ref()))
    };
    assert!(follow(&host, &lead, None) && !follow(&host, &lead, None), "ada follows, and follows once");
    assert!(follow(&host, &lead, Some("bob")) && follow(&host, &other, None));
    host.restart();
    assert_eq!(of(&host, lead.id), ["ada", "bob"]);
    assert_eq!(host.get(&lead), lead, "to follow writes nothing into the lead");
    let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10));
    let told: Vec<_> = page.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(told, ["bob follows", "ada follows", "Lead created"]);
    let topics = Topics::of(&[Topic::Follower]);
    let entries = host.read(|_, txn| txn.journal().about(&[lead.id.into()], topics, None, 10));
    assert_eq!(entries.len(), 2, "a topic of their own");
    // What I follow, the latest first, by pages; and as a filter of every list.
    let first = host.read(|ctx, txn| followers::followed(ctx, txn, None, None, 1));
    let rest = host.read(|ctx, txn| followers::followed(ctx, txn, None, first.next, 1));
    assert_eq!((&first.items, &rest.items, rest.next), (&vec![other.clone()], &vec![lead.clone()], None));
    assert_eq!(host.names(Filter::followed()), ["Nordlys AS", "Havblikk AS"]);
    assert_eq!((host.count(&Filter::followed()), host.count(&!Filter::followed())), (2, 0));
    assert_eq!(Filter::followed().to_text(), "is followed");
    // No more.
    assert!(host.write(|ctx, txn| followers::unfollow(ctx, txn, other.id, None)));
    assert!(!host.write(|ctx, txn| followers::unfollow(ctx, txn, other.id, None)));
    assert_eq!(host.names(Filter::followed()), ["Nordlys AS"]);
    let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, other.id, None, 1));
    assert_eq!(page.items[0].text, "ada no longer follows");
    // After the conversion the account's page shows them too; nothing was copied.
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    assert_eq!(
        (of(&host, made.account.unwrap()), of(&host, lead.id)),
        (vec!["ada".into(), "bob".into()], vec!["ada".into(), "bob".into()])
    );
    host.write(|ctx, txn| followers::follow(ctx, txn, made.account.unwrap(), Some(&user("cy"))));
    assert_eq!(of(&host, lead.id), ["ada", "bob", "cy"]);
}

#[test]
fn following_is_undone_and_stops_no_other_undo() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    host.scene.tick();
    host.write(|ctx, txn| followers::follow(ctx, txn, lead.id, None));
    let since = host.read(|ctx, txn| followers::of(ctx, txn, lead.id));
    let followed = last_operation(&host, lead.id);
    host.scene.tick();
    host.write(|ctx, txn| followers::unfollow(ctx, txn, lead.id, None));
    let unfollowed = last_operation(&host, lead.id);
    let kept = host.write(|ctx, txn| undo::undo(ctx, txn, followed));
    assert_eq!(
        (kept.totals.kept, kept.remaining[0].kept[0].field.as_str()),
        (1, "follower"),
        "not so any more"
    );
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, unfollowed));
    assert_eq!(done.totals.reversed, 1);
    assert_eq!(host.read(|ctx, txn| followers::of(ctx, txn, lead.id)), since, "since when she had followed");
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, done.operation));
    assert_eq!((done.totals.reversed, of(&host, lead.id).len()), (1, 0), "the undo is undone");
    // Bob follows a lead that Ada created: that she takes it back is not stopped by that.
    let fresh = host.add(company("Mistake AS"));
    let created = last_operation(&host, fresh.id);
    let all = RoleTable::new().role("m", Role::manager()).user(&user("bob"), &["m"], None).unwrap();
    host.write_as("bob", &all, |ctx, txn| followers::follow(ctx, txn, fresh.id, None)).unwrap();
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, created));
    assert_eq!(done.totals.reversed, 1, "{done:?}");
    // Nor is an edit.
    host.write(|ctx, txn| followers::follow(ctx, txn, lead.id, None));
    let patch = LeadPatch::new().set(leadcore::domain::Field::City, "Oslo");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
    // On an account as well.
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    host.write(|ctx, txn| followers::follow(ctx, txn, made.account.unwrap(), Some(&user("cy"))));
    let followed = last_operation(&host, made.account.unwrap());
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, followed));
    assert_eq!((done.totals.reversed, of(&host, made.account.unwrap())), (1, vec!["ada".to_owned()]));
}

#[test]
fn who_may_follow_and_who_may_be_made_to() {
    let host = Host::new();
    let mine = host.add(LeadFields { owner: Some(user("max")), ..company("Mine AS") });
    let foreign = host.add(company("Foreign AS"));
    let role = Role::new().grant(Permission::View, Visibility::Own);
    let policy = RoleTable::new().role("viewer", role).user(&user("max"), &["viewer"], None).unwrap();
    let as_max = |lead: &Lead, name: Option<UserId>| {
        host.write_as("max", &policy, |ctx, txn| followers::follow(ctx, txn, lead.id, name.as_ref()))
    };
    assert!(as_max(&mine, None).unwrap(), "who sees a lead may follow it");
    refused(as_max(&foreign, None), ErrorKind::NotFound);
    refused(as_max(&mine, Some(user("bob"))), ErrorKind::Denied);
    let role = Role::salesperson();
    let sales = RoleTable::new().role("sales", role).user(&user("max"), &["sales"], None).unwrap();
    let stranger =
        host.write_as("max", &sales, |ctx, txn| followers::follow(ctx, txn, mine.id, Some(&user("nobody"))));
    assert_eq!(fields_of(&refused(stranger, ErrorKind::Invalid)), ["user"]);
    // A lead that went out of sight: the list leaves it out, and it can still be left alone.
    let away = LeadPatch::new().set(leadcore::domain::Field::Owner, "ada");
    host.write(|ctx, txn| leads::edit(ctx, txn, mine.id, ANY, &away));
    let page =
        host.write_as("max", &policy, |ctx, txn| followers::followed(ctx, txn, None, None, 10)).unwrap();
    assert_eq!(page.items, []);
    refused(host.write_as("max", &policy, |ctx, txn| followers::of(ctx, txn, mine.id)), ErrorKind::NotFound);
    assert!(host.write_as("max", &policy, |ctx, txn| followers::unfollow(ctx, txn, mine.id, None)).unwrap());
    // A purged lead leaves nothing behind.
    host.write(|ctx, txn| followers::follow(ctx, txn, foreign.id, None));
    host.write(|ctx, txn| leads::delete(ctx, txn, foreign.id, ANY));
    refused(
        host.try_write(|ctx, txn| followers::follow(ctx, txn, foreign.id, Some(&user("bob")))),
        ErrorKind::NotFound,
    );
    assert_eq!(
        host.read(|ctx, txn| followers::followed(ctx, txn, None, None, 10)).items,
        [],
        "not from the trash"
    );
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &PurgeRequest::trash(Filter::everything())));
    host.write(|ctx, txn| purge::apply(ctx, txn, &plan));
    assert_eq!(host.read(|_, txn| txn.followers().of(&[foreign.id.into()])), []);
    let contact = Subject::from(leadcore::id::ContactId::from_uuid(host.scene.uuid()));
    refused(host.try_write(|ctx, txn| followers::follow(ctx, txn, contact, None)), ErrorKind::NotFound);
    refused(host.try_read(|ctx, txn| followers::followed(ctx, txn, None, None, 0)), ErrorKind::Invalid);
}

fn kind(name: &str) -> RecordKind {
    RecordKind::new(name).unwrap()
}

fn install(host: &Host) -> RecordKinds {
    let subscription = RecordKindSpec {
        icon: Some("repeat".into()),
        color: Some("#1a7f37".into()),
        ..RecordKindSpec::new(kind("subscription"), "Subscription", "Subscriptions")
    };
    let kinds = RecordKinds::new().with(subscription).with(RecordKindSpec::new(
        kind("project"),
        "Project",
        "Projects",
    ));
    host.write(|ctx, txn| records::set_kinds(ctx, txn, None, &kinds));
    kinds
}

#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
fn link(host: &Host, about: &[Subject], key: &str, fields: HostRecordFields) -> HostRecord {
    host.scene.tick();
    host.write(|ctx, txn| records::link(ctx, txn, about, &kind("subscription"), key, fields.clone()))
}

fn titles(host: &Host, subject: impl Into<Subject>, name: &str) -> Vec<String> {
    let (subject, kind) = (subject.into(), kind(name));
    let page = host.read(|ctx, txn| records::of(ctx, txn, subject, &kind, &Listing::default()));
    page.items.into_iter().map(|record| record.fields.title).collect()
}

#[test]
fn s3_09_neighbour_objects() {
    let mut host = Host::new();
    install(&host);
    let lead = host.add(company("Nordlys AS"));
    let fields = HostRecordFields {
        url: Some("https://erp.example/subscriptions/42".into()),
        state: Some("active".into()),
        is_open: true,
        ..HostRecordFields::titled("Fibre 500")
    };
    let first = link(&host, &[lead.id.into()], "sub-42", fields.clone());
    link(&host, &[lead.id.into()], "sub-43", HostRecordFields::titled("Phone"));
    host.restart();
    assert_eq!(
        titles(&host, lead.id, "subscription"),
        ["Phone", "Fibre 500"],
        "a tab of their kind, the latest first"
    );
    assert_eq!(titles(&host, lead.id, "project"), [""; 0]);
    let counts = host.read(|_, txn| txn.children().counts(&[lead.id.into()]));
    assert_eq!((counts[0].tab.code(), counts[0].total, counts[0].open), ("subscription", 2, 1));
    // The host says it again when it changed: found by its own id, written once.
    let same = link(&host, &[lead.id.into()], "sub-42", fields.clone());
    assert_eq!(same, first);
    let ended = HostRecordFields { state: Some("ended".into()), is_open: false, ..fields };
    let changed = link(&host, &[lead.id.into()], "sub-42", ended.clone());
    assert_eq!((changed.id, changed.revision), (first.id, first.revision.next()));
    let by_key = host.read(|ctx, txn| records::by_key(ctx, txn, &kind("subscription"), "sub-42"));
    assert_eq!((&by_key, &by_key), (&changed, &host.read(|ctx, txn| records::get(ctx, txn, first.id))));
    let entries =
        host.read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::of(&[Topic::Record]), None, 10));
    let actions: Vec<_> = entries.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [Action::Updated, Action::Created, Action::Created], "the history tells it");
    // The customer's page shows them too, and goes on with them.
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    assert_eq!(titles(&host, made.account.unwrap(), "subscription"), ["Phone", "Fibre 500"]);
    let renamed =
        link(&host, &[lead.id.into()], "sub-42", HostRecordFields { title: "Fibre 1000".into(), ..ended });
    assert_eq!(titles(&host, lead.id, "subscription"), ["Phone", "Fibre 1000"], "also of the frozen lead");
    link(&host, &[made.account.unwrap().into()], "sub-44", HostRecordFields::titled("TV"));
    assert_eq!(titles(&host, lead.id, "subscription"), ["TV", "Phone", "Fibre 1000"]);
    let edited = HostRecordFields::titled("Fibre");
    host.write(|ctx, txn| records::edit(ctx, txn, first.id, renamed.revision, edited.clone()));
    host.write(|ctx, txn| records::unlink(ctx, txn, first.id, ANY));
    assert_eq!(titles(&host, made.account.unwrap(), "subscription"), ["TV", "Phone"]);
    refused(
        host.try_read(|ctx, txn| records::by_key(ctx, txn, &kind("subscription"), "sub-42")),
        ErrorKind::NotFound,
    );
}

#[test]
fn kinds_of_record_are_added_renamed_and_removed_unless_in_use() {
    let host = Host::new();
    let kinds = install(&host);
    let lead = host.add(company("Nordlys AS"));
    let record = link(&host, &[lead.id.into()], "1", HostRecordFields::titled("Fibre"));
    let (revision, known) = host.read(|ctx, txn| records::kinds(ctx, txn));
    assert_eq!(known, kinds);
    let renamed = known.clone().with(RecordKindSpec::new(kind("subscription"), "Contract", "Contracts"));
    let renamed = renamed.without(&kind("project"));
    let revision = host.write(|ctx, txn| records::set_kinds(ctx, txn, revision, &renamed));
    assert_eq!(titles(&host, lead.id, "subscription"), ["Fibre"], "its records stay");
    let none = RecordKinds::new();
    let used = refused(
        host.try_write(|ctx, txn| records::set_kinds(ctx, txn, Some(revision), &none)),
        ErrorKind::Conflict,
    );
    assert_eq!(used.conflict(), Some(&Conflict::InUse { by: 1 }));
    refused(host.try_write(|ctx, txn| records::set_kinds(ctx, txn, None, &known)), ErrorKind::Conflict);
    host.write(|ctx, txn| records::unlink(ctx, txn, record.id, record.revision));
    host.write(|ctx, txn| records::set_kinds(ctx, txn, Some(revision), &none));
    assert!(
        RecordKind::new("note").is_err()
            && RecordKind::new("Project").is_err()
            && RecordKind::new("").is_err()
    );
}

#[test]
fn records_that_cannot_be_linked_are_refused_and_write_nothing() {
    let host = Host::new();
    install(&host);
    let lead = host.add(company("Nordlys AS"));
    let known = link(&host, &[lead.id.into()], "known", HostRecordFields::titled("Known"));
    let before = dump(&host.store, &host.scene.tenant);
    let bad = HostRecordFields {
        url: Some("javascript:alert(1)".into()),
        state: Some("a\0".into()),
        ..HostRecordFields::titled("line\nbreak")
    };
    let all = host
        .try_write(|ctx, txn| records::link(ctx, txn, &[lead.id.into()], &kind("unknown"), " ", bad.clone()));
    let all = refused(all, ErrorKind::Invalid);
    let fields: BTreeSet<_> = fields_of(&all).into_iter().collect();
    assert_eq!(fields, BTreeSet::from(["title", "url", "state", "key", "kind"]), "all at once");
    assert!(!all.to_string().contains("alert"), "and without the values");
    let sound = || HostRecordFields::titled("x");
    for (about, kind_of_error) in [
        (vec![], ErrorKind::Invalid),
        (vec![Subject::from(AccountId::from_uuid(host.scene.uuid()))], ErrorKind::NotFound),
        (vec![known.id.into()], ErrorKind::Invalid),
        (vec![lead.id.into(), AccountId::from_uuid(host.scene.uuid()).into()], ErrorKind::NotFound),
    ] {
        for key in ["new", "known"] {
            let result = host
                .try_write(|ctx, txn| records::link(ctx, txn, &about, &kind("subscription"), key, sound()));
            refused(result, kind_of_error);
        }
    }
    let long = "x".repeat(256);
    let result = host.try_write(|ctx, txn| {
        records::link(ctx, txn, &[lead.id.into()], &kind("subscription"), &long, sound())
    });
    assert_eq!(fields_of(&refused(result, ErrorKind::Invalid)), ["key"]);
    let stale =
        host.try_write(|ctx, txn| records::edit(ctx, txn, known.id, leadcore::id::Revision::new(7), sound()));
    refused(stale, ErrorKind::Conflict);
    let viewer =
        RoleTable::new().role("viewer", Role::viewer()).user(&user("max"), &["viewer"], None).unwrap();
    let denied = host.write_as("max", &viewer, |ctx, txn| records::unlink(ctx, txn, known.id, ANY));
    refused(denied, ErrorKind::Denied);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn a_list_that_was_read_masked_and_is_given_back_changes_nothing() {
    let host = Host::new();
    install(&host);
    let role = Role::new().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    let table = RoleTable::new().role("sales", role).user(&user("kai"), &["sales"], None).unwrap();
    let lead = host.add(LeadFields { owner: Some(user("eve")), ..company("Nordlys AS") });
    let fields = HostRecordFields::titled("Fibre 500");
    let link = |ctx: &Context<'_>, txn: &mut dyn Txn, about: &[Subject], fields: &HostRecordFields| {
        records::link(ctx, txn, about, &kind("subscription"), "sub-42", fields.clone())
    };
    let linked = host.write(|ctx, txn| link(ctx, txn, &[lead.id.into()], &fields));
    let customer =
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &Default::default())).account.unwrap();
    let patch = AccountPatch::new().set(leadcore::domain::Field::Owner, "kai");
    host.write(|ctx, txn| accounts::edit(ctx, txn, customer, ANY, &patch));
    let renamed = HostRecordFields::titled("Fibre 1000");
    let again = |ctx: &Context<'_>, txn: &mut dyn Txn| {
        let read = records::by_key(ctx, txn, &kind("subscription"), "sub-42")?;
        assert_eq!(read.about, [customer.into()]);
        assert_eq!(link(ctx, txn, &read.about, &fields)?.revision, read.revision, "nothing changed");
        link(ctx, txn, &read.about, &renamed)
    };
    let written = host.write_as("kai", &table, again).unwrap();
    assert_eq!((written.about, written.fields), (vec![customer.into()], renamed));
    let stored = host.read(|ctx, txn| records::get(ctx, txn, linked.id));
    assert_eq!(stored.about, [lead.id.into()], "about the lead alone, as before");
    let stands = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id)).blockers;
    assert!(!stands.iter().any(|one| matches!(one, Unconvertible::HasChildren { .. })), "{stands:?}");
    // Nothing at all is still no list, and what it was about itself stays when it is said.
    let none = host.write_as("kai", &table, |ctx, txn| link(ctx, txn, &[], &fields));
    refused(none, ErrorKind::Invalid);
    let both = [Subject::from(lead.id), customer.into()];
    host.write(|ctx, txn| link(ctx, txn, &both, &fields));
    host.write_as("kai", &table, |ctx, txn| link(ctx, txn, &[customer.into()], &fields)).unwrap();
    assert_eq!(host.read(|ctx, txn| records::get(ctx, txn, linked.id)).about, both);
}
