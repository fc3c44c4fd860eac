//! Files, followers, marks, participants and records of the host: who may call what, and no other tenant at all.

use std::io::Cursor;

use leadcore::context::Context;
use leadcore::desk::participants::{self, ParticipantOptions};
use leadcore::desk::{Expect, Listing, contacts, files, followers, leads, records};
use leadcore::domain::{
    AddressMark, Contact, ContactFields, FileFields, FileLimits, FileRecord, HostRecord, HostRecordFields,
    Lead, MarkNote, ReachChannel, RecordKind, RecordKindSpec, RecordKinds,
};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::policy::{AllowAll, Role, RoleTable};
use leadcore::store::{StoreExt as _, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use crate::support::{Host, fields_of, form, refused};

const ANY: Expect = Expect::Any;

/// Every function of these parts of the desk: each is called below with two tenants.
pub(crate) const TRIED: [&str; 27] = [
    "files::add",
    "files::add_many",
    "files::attached",
    "files::delete",
    "files::edit",
    "files::get",
    "files::of",
    "files::read",
    "files::read_range",
    "followers::follow",
    "followers::followed",
    "followers::of",
    "followers::unfollow",
    "marks::do_not_call",
    "marks::do_not_call_lead",
    "marks::mark",
    "marks::mark_address",
    "participants::named",
    "participants::search",
    "records::by_key",
    "records::edit",
    "records::get",
    "records::kinds",
    "records::link",
    "records::of",
    "records::set_kinds",
    "records::unlink",
];

/// What the first tenant has.
struct Known {
    lead: Lead,
    person: Contact,
    file: FileRecord,
    record: HostRecord,
}

type Call = fn(&Context<'_>, &mut dyn Txn, &Known) -> Result<()>;

fn kind() -> RecordKind {
    RecordKind::new("project").unwrap()
}

fn bounced() -> AddressMark {
    AddressMark::bounced(ReachChannel::Email, "kari@nordlys.example")
}

fn content(ctx: &Context<'_>, txn: &mut dyn Txn, k: &Known, many: bool) -> Result<()> {
    let (mut one, mut two) = (Cursor::new("one"), Cursor::new("two"));
    let limits = FileLimits::default();
    let about = [k.lead.id.into()];
    if many {
        let both = vec![files::NewFile::new("a.txt", &mut one), files::NewFile::new("b.txt", &mut two)];
        return files::add_many(ctx, txn, &about, both, &limits).map(drop);
    }
    files::add(ctx, txn, &about, files::NewFile::new("a.txt", &mut one), &limits).map(drop)
}

const WRITES: &[(&str, Call)] = &[
    ("files::add", |ctx, txn, k| content(ctx, txn, k, false)),
    ("files::add_many", |ctx, txn, k| content(ctx, txn, k, true)),
    ("files::edit", |ctx, txn, k| {
        files::edit(ctx, txn, k.file.id, ANY, &FileFields::named("stolen.txt")).map(drop)
    }),
    ("files::delete", |ctx, txn, k| files::delete(ctx, txn, k.file.id, ANY)),
    ("marks::mark", |ctx, txn, k| contacts::mark(ctx, txn, k.person.id, ANY, &bounced()).map(drop)),
    ("marks::do_not_call", |ctx, txn, k| {
        contacts::do_not_call(ctx, txn, k.person.id, ANY, Some(&MarkNote::default())).map(drop)
    }),
    ("marks::mark_address", |ctx, txn, k| {
        let mark = AddressMark::bounced(ReachChannel::Email, "post@nordlys.example");
        leads::mark_address(ctx, txn, k.lead.id, ANY, &mark).map(drop)
    }),
    ("marks::do_not_call_lead", |ctx, txn, k| {
        leads::do_not_call(ctx, txn, k.lead.id, ANY, &MarkNote::default()).map(drop)
    }),
    ("records::link", |ctx, txn, k| {
        let fields = HostRecordFields::titled("Roof 2");
        records::link(ctx, txn, &[k.lead.id.into()], &kind(), "P-2", fields).map(drop)
    }),
    ("records::edit", |ctx, txn, k| {
        records::edit(ctx, txn, k.record.id, ANY, HostRecordFields::titled("Stolen")).map(drop)
    }),
    ("records::unlink", |ctx, txn, k| records::unlink(ctx, txn, k.record.id, ANY)),
];

/// Readings, and what everyone who sees a lead does for itself.
const OTHERS: &[(&str, Call)] = &[
    ("files::get", |ctx, txn, k| files::get(ctx, txn, k.file.id).map(drop)),
    ("files::attached", |ctx, txn, k| {
        let found = files::attached(ctx, txn, &[k.lead.id.into()], 1)?;
        if found.is_empty() { Err(Error::not_found("lead")) } else { Ok(()) }
    }),
    ("files::of", |ctx, txn, k| files::of(ctx, txn, k.lead.id, &Listing::default()).map(drop)),
    ("files::read", |ctx, txn, k| files::read(ctx, txn, k.file.id, &mut Vec::new()).map(drop)),
    ("files::read_range", |ctx, txn, k| files::read_range(ctx, txn, k.file.id, 0, 1).map(drop)),
    ("followers::follow", |ctx, txn, k| followers::follow(ctx, txn, k.lead.id, None).map(drop)),
    ("followers::unfollow", |ctx, txn, k| followers::unfollow(ctx, txn, k.lead.id, None).map(drop)),
    ("followers::of", |ctx, txn, k| followers::of(ctx, txn, k.lead.id).map(drop)),
    ("followers::followed", |ctx, txn, _| {
        let found = followers::followed(ctx, txn, Some(&"ada".parse()?), None, 10)?;
        if found.items.is_empty() { Err(Error::not_found("lead")) } else { Ok(()) }
    }),
    ("participants::named", |ctx, txn, k| {
        let found = participants::named(ctx, txn, &[k.lead.id.into()])?;
        if found.is_empty() { Err(Error::not_found("lead")) } else { Ok(()) }
    }),
    ("participants::search", |ctx, txn, _| {
        let mut options = ParticipantOptions::default();
        options.include_leads = true;
        let found = participants::search(ctx, txn, "nordlys", &options)?;
        if found.items.is_empty() { Err(Error::not_found("lead")) } else { Ok(()) }
    }),
    ("records::get", |ctx, txn, k| records::get(ctx, txn, k.record.id).map(drop)),
    ("records::by_key", |ctx, txn, _| records::by_key(ctx, txn, &kind(), "P-1").map(drop)),
    ("records::of", |ctx, txn, k| records::of(ctx, txn, k.lead.id, &kind(), &Listing::default()).map(drop)),
];

/// Calls about the tenant that is asked, whoever that is.
const OWN: &[(&str, Call)] = &[
    ("records::kinds", |ctx, txn, _| records::kinds(ctx, txn).map(drop)),
    ("records::set_kinds", |ctx, txn, _| {
        let (revision, kinds) = records::kinds(ctx, txn)?;
        records::set_kinds(ctx, txn, revision, &kinds).map(drop)
    }),
];

fn furnished(host: &Host) -> Known {
    let lead = host.add(form(&[
        (leadcore::domain::Field::Company, "Nordlys AS"),
        (leadcore::domain::Field::Email, "post@nordlys.example"),
        (leadcore::domain::Field::Phone, "+47 22 12 34 56"),
    ]));
    host.write(|ctx, txn| {
        let kinds = RecordKinds::new().with(RecordKindSpec::new(kind(), "Project", "Projects"));
        records::set_kinds(ctx, txn, None, &kinds)
    });
    let mut fields = ContactFields::named("Kari Nordmann").unwrap();
    fields.emails = leadcore::domain::Emails::parse("kari@nordlys.example").unwrap();
    let person = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), true));
    let file = host.write(|ctx, txn| {
        let mut bytes = Cursor::new("acmesecret");
        let new = files::NewFile::new("offer.txt", &mut bytes);
        files::add(ctx, txn, &[lead.id.into()], new, &FileLimits::default())
    });
    let record = host.write(|ctx, txn| {
        let fields = HostRecordFields::titled("Roof");
        records::link(ctx, txn, &[lead.id.into()], &kind(), "P-1", fields)
    });
    host.write(|ctx, txn| followers::follow(ctx, txn, lead.id, None));
    let lead = host.get(&lead);
    Known { lead, person, file, record }
}

#[test]
fn a_viewer_writes_none_of_it_and_whoever_may_writes() {
    let bob = "bob".parse().unwrap();
    let policy = RoleTable::new().role("viewer", Role::viewer()).user(&bob, &["viewer"], None).unwrap();
    for (name, call) in WRITES {
        let host = Host::new();
        let known = furnished(&host);
        let before = dump(&host.store, &host.scene.tenant);
        refused(host.write_as("bob", &policy, |ctx, txn| call(ctx, txn, &known)), ErrorKind::Denied);
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name} leaves nothing");
        host.write(|ctx, txn| call(ctx, txn, &known));
        assert!(dump(&host.store, &host.scene.tenant) != before, "{name} writes");
    }
    let host = Host::new();
    let known = furnished(&host);
    for (name, call) in OTHERS {
        let done = host.write_as("bob", &policy, |ctx, txn| call(ctx, txn, &known));
        assert!(done.is_ok(), "a viewer may: {name} ({done:?})");
    }
}

#[test]
fn another_tenant_finds_none_of_it() {
    let host = Host::new();
    let known = furnished(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let other = Scene::new("other");
    let ctx = Context::new(&other.tenant, other.actor.clone(), &other.clock, &host.scene.ids, &AllowAll);
    for (name, call) in WRITES.iter().chain(OTHERS).chain(OWN) {
        let outcome = host.store.write(&other.tenant, |txn| call(&ctx, txn, &known));
        // Whoever does not follow a lead, because there is none for it, has nothing to give up.
        let is_own = OWN.iter().any(|(own, _)| own == name) || *name == "followers::unfollow";
        assert_eq!(outcome.is_ok(), is_own, "{name}: {outcome:?}");
        let mixed = host.store.write(&host.scene.tenant, |txn| call(&ctx, txn, &known));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"], "{name}");
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn every_call_is_listed() {
    let mut called: Vec<_> = WRITES.iter().chain(OTHERS).chain(OWN).map(|(name, _)| *name).collect();
    called.sort_unstable();
    assert_eq!(called, TRIED);
}
