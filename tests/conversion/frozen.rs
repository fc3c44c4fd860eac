//! S3.07: every way to write a lead ends at one that was converted.

use std::io::Cursor;

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::mass::{self, Change, RecordOutcome, Selection};
use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::undo;
use leadcore::desk::{Expect, activities, contacts, estimates, files, leads, lines, records, vocabulary};
use leadcore::domain::{
    ActivityFields, AddressMark, ContactFields, EstimateFields, Field, FieldValue, FileLimits,
    HostRecordFields, LeadPatch, MarkNote, Move, ReachChannel, RecordKind, RecordKindSpec, RecordKinds,
    Topics, WhyKept,
};
use leadcore::error::{Conflict, ErrorKind, Result};
use leadcore::exchange::import::{ImportOptions, OnMatch, SkipReason};
use leadcore::id::{ContactId, LabelId, LeadId, SourceId};
use leadcore::query::Filter;
use leadcore::store::Txn;
use leadcore::testkit::dump;

use crate::support::{Host, refused};

const ANY: Expect = Expect::Any;

struct Known {
    lead: LeadId,
    person: ContactId,
}

type Call = fn(&Context<'_>, &mut dyn Txn, &Known) -> Result<()>;

fn city() -> LeadPatch {
    LeadPatch::new().set(Field::City, "Oslo")
}

fn kind() -> RecordKind {
    RecordKind::new("project").unwrap()
}

/// Every call of the desk that writes one lead, or hangs something on it.
const CALLS: &[(&str, Call)] = &[
    ("leads::edit", |ctx, txn, k| leads::edit(ctx, txn, k.lead, ANY, &city()).map(drop)),
    ("leads::delete", |ctx, txn, k| leads::delete(ctx, txn, k.lead, ANY)),
    ("leads::move_to", |ctx, txn, k| {
        let stage = txn.pipelines().list()?[0].stages[1].id;
        leads::move_to(ctx, txn, k.lead, ANY, stage).map(drop)
    }),
    ("leads::disqualify", |ctx, txn, k| leads::disqualify(ctx, txn, k.lead, ANY, None, None).map(drop)),
    ("leads::reopen", |ctx, txn, k| leads::reopen(ctx, txn, k.lead, ANY).map(drop)),
    ("leads::mark_address", |ctx, txn, k| {
        let mark = AddressMark::bounced(ReachChannel::Email, "kari@nordlys.example");
        leads::mark_address(ctx, txn, k.lead, ANY, &mark).map(drop)
    }),
    ("leads::do_not_call", |ctx, txn, k| {
        leads::do_not_call(ctx, txn, k.lead, ANY, &MarkNote::default()).map(drop)
    }),
    ("contacts::add", |ctx, txn, k| {
        contacts::add(ctx, txn, k.lead, ContactFields::named("New").unwrap(), true).map(drop)
    }),
    ("contacts::edit", |ctx, txn, k| {
        let fields = ContactFields::named("Another").unwrap();
        contacts::edit(ctx, txn, k.lead, k.person, ANY, fields).map(drop)
    }),
    ("contacts::make_primary", |ctx, txn, k| contacts::make_primary(ctx, txn, k.lead, k.person)),
    ("contacts::remove", |ctx, txn, k| contacts::remove(ctx, txn, k.lead, k.person)),
    ("convert::plan", |ctx, txn, k| convert::plan(ctx, txn, k.lead, &ConversionOptions::default()).map(drop)),
    ("activities::add", |ctx, txn, k| {
        activities::add(ctx, txn, &[k.lead.into()], ActivityFields::note("Late")).map(drop)
    }),
    ("estimates::create", |ctx, txn, k| {
        estimates::create(ctx, txn, &[k.lead.into()], EstimateFields::titled("Late")).map(drop)
    }),
    ("lines::set", |ctx, txn, k| {
        let lines = vec![leadcore::domain::Line::new("Panel", 1.into(), 5.into())];
        lines::set(ctx, txn, k.lead, ANY, lines::Products::from(lines)).map(drop)
    }),
    ("files::add", |ctx, txn, k| {
        let mut bytes = Cursor::new("late");
        let file = files::NewFile::new("late.txt", &mut bytes);
        files::add(ctx, txn, &[k.lead.into()], file, &FileLimits::default()).map(drop)
    }),
    ("records::link", |ctx, txn, k| {
        let fields = HostRecordFields::titled("Late");
        records::link(ctx, txn, &[k.lead.into()], &kind(), "P-9", fields).map(drop)
    }),
];

fn furnish(host: &Host) -> Known {
    let kinds = RecordKinds::new().with(RecordKindSpec::new(kind(), "Project", "Projects"));
    host.write(|ctx, txn| records::set_kinds(ctx, txn, None, &kinds));
    let lead = super::worked(host);
    let person = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id))[1].contact.id;
    super::converted(host, &lead);
    Known { lead: lead.id, person }
}

fn lines_of<'d>(dump: &'d str, what: &str) -> Vec<&'d str> {
    dump.lines().filter(|line| line.starts_with(what)).collect()
}

#[test]
fn s3_07_a_promoted_lead_is_frozen() {
    let host = Host::new();
    let known = furnish(&host);
    let before = dump(&host.store, &host.scene.tenant);
    for (name, call) in CALLS {
        let error = refused(host.try_write(|ctx, txn| call(ctx, txn, &known)), ErrorKind::Frozen);
        assert_eq!(error.conflict(), Some(&Conflict::Converted), "{name}");
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name} leaves nothing");
    }
    // Not converted, each of them writes or plans: the refusals above were the conversion's.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, known.lead));
    for (name, call) in CALLS {
        let failed = host.try_write(|ctx, txn| {
            let done = call(ctx, txn, &known);
            assert!(done.is_ok(), "{name}: {done:?}");
            Err::<(), _>(leadcore::error::Error::not_found("nothing"))
        });
        refused(failed, ErrorKind::NotFound);
    }
}

#[test]
fn s3_07_calls_for_many_say_it_of_the_frozen_one() {
    let host = Host::new();
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let label = host.write(|ctx, txn| vocabulary::add::<LabelId>(ctx, txn, "Warm", None));
    let known = furnish(&host);
    let stage = host.read(|_, txn| txn.pipelines().list()).remove(0).stages[1].id;
    let before = dump(&host.store, &host.scene.tenant);
    let changes = [
        Change::Transfer(Some("bob".parse().unwrap())),
        Change::Move(Move::from(stage)),
        Change::AddLabels(vec![label.id]),
        Change::RemoveLabels(vec![label.id]),
        Change::Edit(city()),
        Change::Edit(LeadPatch::new().set(Field::Source, FieldValue::Id(source.id.as_uuid()))),
        Change::Delete,
    ];
    for change in changes {
        for selection in [Selection::Ids(vec![known.lead]), Selection::filter(Filter::everything())] {
            let done = host.write(|ctx, txn| mass::run(ctx, txn, &selection, &change));
            let outcome = &done.results[0].outcome;
            assert_eq!(outcome, &RecordOutcome::Conflict(Conflict::Converted), "{change:?}");
        }
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    let purged = host.read(|ctx, txn| purge::plan(ctx, txn, &PurgeRequest::everywhere(Filter::everything())));
    assert_eq!((purged.live, purged.blocked), (0, 1));
}

#[test]
fn s3_07_an_import_of_a_frozen_lead_is_told_and_writes_nothing() {
    let host = Host::new();
    furnish(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let file = "Company,E-mail,City\nNordlys AS,kari@nordlys.example,Oslo\n";
    for policy in [OnMatch::Update, OnMatch::Skip] {
        let report = host.import(file, &ImportOptions::new().on_match(policy));
        assert_eq!((report.created, report.updated), (0, 0), "{report}");
        assert_eq!(report.skips, [(SkipReason::Frozen, 1)].into(), "{report}");
        let now = dump(&host.store, &host.scene.tenant);
        assert_eq!(lines_of(&now, "lead "), lines_of(&before, "lead "));
    }
}

#[test]
fn s3_07_what_happened_before_is_not_undone() {
    let host = Host::new();
    let lead = super::worked(&host);
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, ANY, &city()));
    let entries = host.read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::NONE, None, 100));
    super::converted(&host, &lead);
    let frozen = host.get(&lead);
    for operation in
        entries.iter().filter(|entry| entry.subject == lead.id.into()).map(|entry| entry.operation)
    {
        let plan = host.read(|ctx, txn| undo::plan(ctx, txn, operation));
        let record = plan.records.iter().find(|record| record.subject == lead.id.into()).unwrap();
        let whys: Vec<_> = record.kept.iter().map(|kept| kept.why).collect();
        assert!(!whys.is_empty() && whys.iter().all(|why| *why == WhyKept::Converted), "{plan:?}");
        assert_eq!((record.failed.as_ref(), record.reversed.len()), (None, 0));
        host.write(|ctx, txn| undo::undo(ctx, txn, operation));
        assert_eq!(host.get(&lead), frozen);
    }
}
