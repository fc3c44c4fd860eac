//! A write that is refused leaves the database as it was, whatever refuses it.

use std::collections::BTreeSet;

use leadcore::context::Context;
use leadcore::desk::board;
use leadcore::desk::convert::{self, ConversionOptions, ConversionPlan};
use leadcore::desk::functions::Functions;
use leadcore::desk::mass::{self, Change, Selection};
use leadcore::desk::purge::{self, PurgePlan, PurgeRequest};
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, contacts, leads, pipelines, settings, undo};
use leadcore::domain::{Catalogue, ContactFields, Field, LeadFields, LeadPatch, Numbering};
use leadcore::error::{ErrorKind, Result};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::id::{ContactId, LeadId, LostReasonId, OperationId, SourceId};
use leadcore::policy::{Role, RoleTable};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;

use crate::support::{Host, company, refused};

/// What the calls are made with.
struct Known {
    open: LeadId,
    frozen: LeadId,
    trashed: LeadId,
    contact: ContactId,
    frozen_contact: ContactId,
    source: SourceId,
    plan: ConversionPlan,
    reason: LostReasonId,
    created: OperationId,
    purge: PurgePlan,
}

type Call = fn(&Context<'_>, &mut dyn Txn, &Known) -> Result<()>;

const ANY: Expect = Expect::Any;

fn person() -> ContactFields {
    ContactFields::named("Kari").unwrap()
}

fn bad_person() -> ContactFields {
    ContactFields::default()
}

fn city() -> LeadPatch {
    LeadPatch::new().set(Field::City, "Oslo")
}

/// Every write of the desk with sound input: a viewer may do none of them.
const WRITES: &[(&str, Call)] = &[
    ("leads::create", |ctx, txn, _| leads::create(ctx, txn, company("A").into()).map(drop)),
    ("leads::create_many", |ctx, txn, _| leads::create_many(ctx, txn, vec![company("A").into()]).map(drop)),
    ("leads::edit", |ctx, txn, k| leads::edit(ctx, txn, k.open, ANY, &city()).map(drop)),
    ("leads::delete", |ctx, txn, k| leads::delete(ctx, txn, k.open, ANY)),
    ("leads::restore", |ctx, txn, k| leads::restore(ctx, txn, k.trashed).map(drop)),
    ("leads::move_to", |ctx, txn, k| {
        let stage = txn.pipelines().list()?[0].stages[1].id;
        board::move_card(ctx, txn, k.open, ANY, stage).map(drop)
    }),
    ("contacts::add", |ctx, txn, k| contacts::add(ctx, txn, k.open, person(), true).map(drop)),
    ("contacts::edit", |ctx, txn, k| contacts::edit(ctx, txn, k.open, k.contact, ANY, person()).map(drop)),
    ("contacts::make_primary", |ctx, txn, k| contacts::make_primary(ctx, txn, k.open, k.contact)),
    ("contacts::remove", |ctx, txn, k| contacts::remove(ctx, txn, k.open, k.contact)),
    ("vocabulary::add", |ctx, txn, _| vocabulary::add::<SourceId>(ctx, txn, "New", None).map(drop)),
    ("vocabulary::rename", |ctx, txn, k| vocabulary::rename(ctx, txn, k.source, ANY, "New").map(drop)),
    ("vocabulary::delete", |ctx, txn, k| vocabulary::delete(ctx, txn, k.source, InUse::Clear)),
    ("pipelines::add", |ctx, txn, _| {
        let stage = pipelines::new_stage(ctx, "One", leadcore::domain::StageKind::Open);
        pipelines::add(ctx, txn, "New", vec![stage]).map(drop)
    }),
    ("pipelines::update", |ctx, txn, _| {
        let pipeline = txn.pipelines().list()?.remove(0);
        pipelines::update(ctx, txn, pipeline).map(drop)
    }),
    ("settings::set_catalogue", |ctx, txn, _| {
        settings::set_catalogue(ctx, txn, None, &Catalogue::standard()).map(drop)
    }),
    ("clone::clone_lead", |ctx, txn, k| leads::clone_lead(ctx, txn, k.open).map(drop)),
    ("mass::run", |ctx, txn, k| {
        mass::run(ctx, txn, &Selection::Ids(vec![k.open]), &Change::Transfer(None)).map(drop)
    }),
    ("purge::apply", |ctx, txn, k| purge::apply(ctx, txn, &k.purge).map(drop)),
    ("settings::set_functions", |ctx, txn, _| {
        settings::set_functions(ctx, txn, None, &Functions::new()).map(drop)
    }),
    ("settings::set_numbering", |ctx, txn, _| {
        settings::set_numbering(ctx, txn, None, &Numbering::default()).map(drop)
    }),
    ("undo::apply", |ctx, txn, k| {
        let plan = undo::plan(ctx, txn, k.created)?;
        undo::apply(ctx, txn, &plan).map(drop)
    }),
    ("undo::undo", |ctx, txn, k| undo::undo(ctx, txn, k.created).map(drop)),
    ("vocabulary::archive", |ctx, txn, k| vocabulary::archive(ctx, txn, k.source, ANY, true).map(drop)),
    ("vocabulary::ask_for_detail", |ctx, txn, k| {
        vocabulary::ask_for_detail(ctx, txn, k.reason, ANY, true).map(drop)
    }),
    ("vocabulary::recolor", |ctx, txn, k| {
        vocabulary::recolor(ctx, txn, k.source, ANY, Some("#123456")).map(drop)
    }),
    ("vocabulary::reorder", |ctx, txn, _| {
        let mut order: Vec<_> =
            vocabulary::list::<LostReasonId>(ctx, txn)?.iter().map(|term| term.id).collect();
        order.reverse();
        vocabulary::reorder(ctx, txn, &order).map(drop)
    }),
    ("convert::apply", |ctx, txn, k| convert::apply(ctx, txn, &k.plan).map(drop)),
    ("convert::convert", |ctx, txn, k| {
        convert::convert(ctx, txn, k.open, &ConversionOptions::default()).map(drop)
    }),
];

/// Writes with input that breaks a rule.
const INVALID: &[(&str, Call)] = &[
    ("leads::create", |ctx, txn, _| leads::create(ctx, txn, LeadFields::default().into()).map(drop)),
    ("leads::create_many", |ctx, txn, _| {
        let drafts = vec![company("Sound").into(), LeadFields::default().into()];
        leads::create_many(ctx, txn, drafts).map(drop)
    }),
    ("leads::edit", |ctx, txn, k| {
        leads::edit(ctx, txn, k.open, ANY, &city().set(Field::Email, "none")).map(drop)
    }),
    ("leads::move_to", |ctx, txn, k| {
        let nowhere = leadcore::id::StageId::from_uuid(ctx.new_uuid());
        leads::move_to(ctx, txn, k.open, ANY, nowhere).map(drop)
    }),
    ("contacts::add", |ctx, txn, k| contacts::add(ctx, txn, k.open, bad_person(), true).map(drop)),
    ("contacts::edit", |ctx, txn, k| {
        contacts::edit(ctx, txn, k.open, k.contact, ANY, bad_person()).map(drop)
    }),
    ("vocabulary::add", |ctx, txn, _| vocabulary::add::<SourceId>(ctx, txn, " ", Some("red")).map(drop)),
    ("vocabulary::rename", |ctx, txn, k| vocabulary::rename(ctx, txn, k.source, ANY, " ").map(drop)),
    ("pipelines::add", |ctx, txn, _| pipelines::add(ctx, txn, "Empty", vec![]).map(drop)),
    ("pipelines::update", |ctx, txn, _| {
        let mut pipeline = txn.pipelines().list()?.remove(0);
        pipeline.name.clear();
        pipelines::update(ctx, txn, pipeline).map(drop)
    }),
    ("settings::set_catalogue", |ctx, txn, _| {
        let mut catalogue = Catalogue::standard();
        catalogue.settings_mut(Field::Number).required = Some(true);
        settings::set_catalogue(ctx, txn, None, &catalogue).map(drop)
    }),
    ("mass::run", |ctx, txn, k| {
        let city = Change::Edit(LeadPatch::new().set(Field::Number, 7));
        mass::run(ctx, txn, &Selection::Ids(vec![k.open]), &city).map(drop)
    }),
    ("settings::set_functions", |ctx, txn, _| {
        let functions = Functions::new().open_for("No name", leadcore::query::Filter::everything());
        settings::set_functions(ctx, txn, None, &functions).map(drop)
    }),
    ("settings::set_numbering", |ctx, txn, _| {
        let numbering = Numbering { start: 2, ..Numbering::default() };
        settings::set_numbering(ctx, txn, None, &numbering).map(drop)
    }),
    ("vocabulary::recolor", |ctx, txn, k| {
        vocabulary::recolor(ctx, txn, k.source, ANY, Some("red")).map(drop)
    }),
    ("vocabulary::ask_for_detail", |ctx, txn, k| {
        vocabulary::ask_for_detail(ctx, txn, k.source, ANY, true).map(drop)
    }),
    ("convert::apply", |ctx, txn, k| {
        let mut plan = k.plan.clone();
        if let convert::PlannedAccount::New { fields, .. } = &mut plan.account {
            fields.name.clear();
        }
        convert::apply(ctx, txn, &plan).map(drop)
    }),
];

/// Writes to a lead that was converted.
const FROZEN: &[(&str, Call)] = &[
    ("leads::edit", |ctx, txn, k| leads::edit(ctx, txn, k.frozen, ANY, &city()).map(drop)),
    ("leads::delete", |ctx, txn, k| leads::delete(ctx, txn, k.frozen, ANY)),
    ("leads::move_to", |ctx, txn, k| {
        let stage = txn.pipelines().list()?[0].stages[1].id;
        leads::move_to(ctx, txn, k.frozen, ANY, stage).map(drop)
    }),
    ("contacts::add", |ctx, txn, k| contacts::add(ctx, txn, k.frozen, person(), true).map(drop)),
    ("contacts::edit", |ctx, txn, k| {
        contacts::edit(ctx, txn, k.frozen, k.frozen_contact, ANY, person()).map(drop)
    }),
    ("contacts::make_primary", |ctx, txn, k| contacts::make_primary(ctx, txn, k.frozen, k.frozen_contact)),
    ("contacts::remove", |ctx, txn, k| contacts::remove(ctx, txn, k.frozen, k.frozen_contact)),
    ("convert::plan", |ctx, txn, k| {
        convert::plan(ctx, txn, k.frozen, &ConversionOptions::default()).map(drop)
    }),
];

fn furnish(host: &Host) -> Known {
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None)).id;
    let mut fields = company("Open AS");
    fields.source = Some(source);
    let open = host.add(fields).id;
    let [frozen, trashed] = ["Frozen AS", "Trashed AS"].map(|name| host.add(company(name)).id);
    let add = |lead| host.write(|ctx, txn| contacts::add(ctx, txn, lead, person(), true)).id;
    let (contact, frozen_contact) = (add(open), add(frozen));
    let options = ConversionOptions::default();
    host.write(|ctx, txn| convert::convert(ctx, txn, frozen, &options));
    host.write(|ctx, txn| leads::delete(ctx, txn, trashed, ANY));
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, open, &options));
    let reasons = host.write(|ctx, txn| vocabulary::list_or_default::<LostReasonId>(ctx, txn));
    let entries = host.read(|_, txn| txn.journal().about(&[open.into()], None, 100));
    let created = entries.last().unwrap().operation;
    let request = PurgeRequest::trash(leadcore::query::Filter::everything());
    let purge = host.read(|ctx, txn| purge::plan(ctx, txn, &request));
    let reason = reasons[0].id;
    Known { open, frozen, trashed, contact, frozen_contact, source, plan, reason, created, purge }
}

#[test]
fn a_refused_write_leaves_the_database_as_it_was() {
    let host = Host::new();
    let known = furnish(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let unchanged = |what: &str| assert_eq!(dump(&host.store, &host.scene.tenant), before, "{what}");
    let viewer = RoleTable::new().role("v", Role::viewer()).user(&"eve".parse().unwrap(), &["v"], None);
    let eve = host.scene.ctx_as("eve", &viewer);
    let ada = host.ctx();
    let groups = [
        (&eve, WRITES, ErrorKind::Denied),
        (&ada, INVALID, ErrorKind::Invalid),
        (&ada, FROZEN, ErrorKind::Frozen),
    ];
    for (ctx, calls, kind) in groups {
        for (name, call) in calls {
            let result = host.store.write(ctx.tenant(), |txn| call(ctx, txn, &known));
            let error = result.err().unwrap_or_else(|| panic!("{name} must be refused as {kind}"));
            assert_eq!(error.kind(), kind, "{name}: {error}");
            unchanged(name);
        }
    }
    let file = || std::io::Cursor::new("Company,Source\nNew AS,New source\n");
    let run = import::run(&eve, &host.store, file(), &ImportOptions::new(), None, &mut ());
    refused(run, ErrorKind::Denied);
    unchanged("import::run");
    // And with leave to do so, each of them writes: the refusals above were the policy's.
    for (name, call) in WRITES {
        let host = Host::new();
        let known = furnish(&host);
        let before = dump(&host.store, &host.scene.tenant);
        host.write(|ctx, txn| call(ctx, txn, &known));
        let quiet = ["contacts::make_primary", "contacts::edit"];
        assert!(dump(&host.store, &host.scene.tenant) != before || quiet.contains(name), "{name} writes");
    }
}

/// Every function of the desk that takes a transaction and is no reading is refused above.
#[test]
fn every_write_of_the_desk_is_refused_once() {
    const READS: [&str; 22] = [
        "accounts::get",
        "accounts::list",
        "accounts::origins",
        "actions::actions",
        "actions::actions_of",
        "board::board",
        "contacts::of_account",
        "contacts::of_lead",
        "convert::plan",
        "functions::of_lead",
        "leads::by_number",
        "leads::count",
        "leads::count_by",
        "leads::get",
        "leads::list",
        "leads::trash",
        "pipelines::list",
        "purge::plan",
        "settings::catalogue",
        "settings::functions",
        "settings::numbering",
        "undo::plan",
    ];
    // A viewer who opens the board of a tenant without a pipeline makes the default one: that is no decision of anybody.
    // So it is with reasons.
    let others = [
        "pipelines::list_or_default",
        "reasons::list_or_default",
        "timeline::of_account",
        "timeline::of_lead",
        "vocabulary::list",
    ];
    let mut known: BTreeSet<String> = READS.iter().chain(&others).map(|name| (*name).to_owned()).collect();
    known.extend(WRITES.iter().map(|(name, _)| (*name).to_owned()));
    assert_eq!(crate::support::desk_functions(), known);
}
