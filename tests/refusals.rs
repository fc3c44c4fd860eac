//! A write that is refused leaves the database as it was, whatever refuses it.

use std::collections::BTreeSet;

use leadcore::context::Context;
use leadcore::desk::board;
use leadcore::desk::convert::{self, ConversionOptions, ConversionPlan};
use leadcore::desk::functions::Functions;
use leadcore::desk::mass::{self, Change, Selection};
use leadcore::desk::purge::{self, PurgePlan, PurgeRequest};
use leadcore::desk::settings::FieldMapping;
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, accounts, activities, contacts, leads, pipelines, settings, undo};
use leadcore::domain::{
    AccountPatch, ActivityFields, Catalogue, ContactFields, CustomField, CustomType, CustomValue, Direction,
    Field, LeadFields, LeadPatch, Numbering, Topics,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::id::{
    AccountId, ActivityId, ContactId, LeadId, LostReasonId, OperationId, PipelineId, Revision, SourceId,
};
use leadcore::policy::{Role, RoleTable};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;

use crate::support::{Host, company, refused};

/// What the calls are made with.
pub(crate) struct Known {
    pub(crate) open: LeadId,
    pub(crate) task: ActivityId,
    pub(crate) done: ActivityId,
    pub(crate) call: ActivityId,
    pub(crate) meeting: ActivityId,
    pub(crate) request: ActivityId,
    frozen: LeadId,
    trashed: LeadId,
    contact: ContactId,
    frozen_contact: ContactId,
    account: AccountId,
    source: SourceId,
    plan: ConversionPlan,
    disqualified: LeadId,
    reason: LostReasonId,
    unused: PipelineId,
    created: OperationId,
    purge: PurgePlan,
}

pub(crate) type Call = fn(&Context<'_>, &mut dyn Txn, &Known) -> Result<()>;

const ANY: Expect = Expect::Any;

fn person() -> ContactFields {
    ContactFields::named("Kari").unwrap()
}

fn bad_person() -> ContactFields {
    ContactFields::default()
}

fn seats(kind: CustomType) -> CustomField {
    CustomField::new("x_seats".parse().unwrap(), "Seats", kind)
}

fn with_seats() -> Catalogue {
    let mut catalogue = Catalogue::standard();
    catalogue.set_custom_field(seats(CustomType::Integer));
    catalogue
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
    ("moving::move_to", |ctx, txn, k| {
        let stage = txn.pipelines().list()?[0].stages[1].id;
        board::move_card(ctx, txn, k.open, ANY, stage).map(drop)
    }),
    ("moving::disqualify", |ctx, txn, k| leads::disqualify(ctx, txn, k.open, ANY, None, None).map(drop)),
    ("moving::reopen", |ctx, txn, k| leads::reopen(ctx, txn, k.disqualified, ANY).map(drop)),
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
    ("pipelines::remove", |ctx, txn, k| pipelines::remove(ctx, txn, k.unused, ANY)),
    ("pipelines::remove_stage", |ctx, txn, _| {
        let pipeline = txn.pipelines().list()?.remove(0);
        // A converted lead is in the first one, which stays.
        let [from, to] = [1, 0].map(|n: usize| pipeline.stages[n].id);
        pipelines::remove_stage(ctx, txn, pipeline.id, ANY, from, Some(to)).map(drop)
    }),
    ("pipelines::set_default", |ctx, txn, k| pipelines::set_default(ctx, txn, k.unused, ANY).map(drop)),
    ("settings::set_catalogue", |ctx, txn, _| {
        settings::set_catalogue(ctx, txn, Some(Revision::FIRST), &with_seats()).map(drop)
    }),
    ("settings::change_field", |ctx, txn, _| {
        let field = seats(CustomType::Text);
        settings::change_field(ctx, txn, Some(Revision::FIRST), &field, &FieldMapping::exact()).map(drop)
    }),
    ("settings::remove_field", |ctx, txn, _| {
        settings::remove_field(ctx, txn, Some(Revision::FIRST), &seats(CustomType::Text).key, true).map(drop)
    }),
    ("clone::clone_lead", |ctx, txn, k| leads::clone_lead(ctx, txn, k.open).map(drop)),
    ("clone::clone_lead_with", |ctx, txn, k| {
        leads::clone_lead_with(ctx, txn, k.open, leads::CloneOptions::new().lines(false)).map(drop)
    }),
    ("mass::run", |ctx, txn, k| {
        mass::run(ctx, txn, &Selection::Ids(vec![k.open]), &Change::Transfer(None)).map(drop)
    }),
    ("purge::apply", |ctx, txn, k| purge::apply(ctx, txn, &k.purge).map(drop)),
    ("settings::set_functions", |ctx, txn, _| {
        settings::set_functions(ctx, txn, None, &Functions::new()).map(drop)
    }),
    ("settings::set_numbering", |ctx, txn, _| {
        settings::set_numbering(ctx, txn, None, &Numbering { width: 5, ..Numbering::default() }).map(drop)
    }),
    ("undo::apply", |ctx, txn, k| {
        let plan = undo::plan(ctx, txn, k.created)?;
        undo::apply(ctx, txn, &plan).map(drop)
    }),
    ("undo::undo_part", |ctx, txn, k| {
        let part = undo::UndoPart::Leads(undo::plan(ctx, txn, k.created)?.leads().collect());
        undo::undo_part(ctx, txn, k.created, &part).map(drop)
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
    ("accounts::edit", |ctx, txn, k| {
        let patch = AccountPatch::new().set(Field::City, "Oslo");
        accounts::edit(ctx, txn, k.account, ANY, &patch).map(drop)
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
    ("moving::move_to", |ctx, txn, k| {
        let nowhere = leadcore::id::StageId::from_uuid(ctx.new_uuid());
        leads::move_to(ctx, txn, k.open, ANY, nowhere).map(drop)
    }),
    ("accounts::edit", |ctx, txn, k| {
        let patch = AccountPatch::new().clear(Field::Company);
        accounts::edit(ctx, txn, k.account, ANY, &patch).map(drop)
    }),
    ("contacts::add", |ctx, txn, k| contacts::add(ctx, txn, k.open, bad_person(), true).map(drop)),
    ("contacts::edit", |ctx, txn, k| {
        contacts::edit(ctx, txn, k.open, k.contact, ANY, bad_person()).map(drop)
    }),
    ("vocabulary::add", |ctx, txn, _| vocabulary::add::<SourceId>(ctx, txn, " ", Some("red")).map(drop)),
    ("vocabulary::rename", |ctx, txn, k| vocabulary::rename(ctx, txn, k.source, ANY, " ").map(drop)),
    ("moving::disqualify", |ctx, txn, k| {
        leads::disqualify(ctx, txn, k.disqualified, ANY, None, None).map(drop)
    }),
    ("moving::move_to", |ctx, txn, k| {
        let stage = txn.pipelines().list()?[0].stages[1].id;
        leads::move_to(ctx, txn, k.disqualified, ANY, stage).map(drop)
    }),
    ("convert::convert", |ctx, txn, k| {
        convert::convert(ctx, txn, k.disqualified, &ConversionOptions::default()).map(drop)
    }),
    ("pipelines::remove", |ctx, txn, _| {
        let pipeline = txn.pipelines().list()?.remove(0);
        pipelines::remove(ctx, txn, pipeline.id, ANY)
    }),
    ("pipelines::remove_stage", |ctx, txn, _| {
        let pipeline = txn.pipelines().list()?.remove(0);
        let stage = pipeline.stages[0].id;
        pipelines::remove_stage(ctx, txn, pipeline.id, ANY, stage, Some(stage)).map(drop)
    }),
    ("pipelines::add", |ctx, txn, _| pipelines::add(ctx, txn, "Empty", vec![]).map(drop)),
    ("pipelines::update", |ctx, txn, _| {
        let mut pipeline = txn.pipelines().list()?.remove(0);
        pipeline.name.clear();
        pipelines::update(ctx, txn, pipeline).map(drop)
    }),
    ("settings::set_catalogue", |ctx, txn, _| {
        let mut catalogue = with_seats();
        catalogue.settings_mut(Field::Number).required = Some(true);
        settings::set_catalogue(ctx, txn, Some(Revision::FIRST), &catalogue).map(drop)
    }),
    ("settings::change_field", |ctx, txn, _| {
        let field = seats(CustomType::OneOf(Vec::new()));
        settings::change_field(ctx, txn, Some(Revision::FIRST), &field, &FieldMapping::exact()).map(drop)
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

/// Those of every topic.
fn writes() -> impl Iterator<Item = &'static (&'static str, Call)> {
    WRITES.iter().chain(crate::activities::refusals::WRITES)
}

/// Writes to a lead that was converted.
const FROZEN: &[(&str, Call)] = &[
    ("leads::edit", |ctx, txn, k| leads::edit(ctx, txn, k.frozen, ANY, &city()).map(drop)),
    ("leads::delete", |ctx, txn, k| leads::delete(ctx, txn, k.frozen, ANY)),
    ("moving::move_to", |ctx, txn, k| {
        let stage = txn.pipelines().list()?[0].stages[1].id;
        leads::move_to(ctx, txn, k.frozen, ANY, stage).map(drop)
    }),
    ("moving::disqualify", |ctx, txn, k| leads::disqualify(ctx, txn, k.frozen, ANY, None, None).map(drop)),
    ("moving::reopen", |ctx, txn, k| leads::reopen(ctx, txn, k.frozen, ANY).map(drop)),
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
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &with_seats()));
    let mut fields = company("Open AS");
    fields.source = Some(source);
    fields.custom.insert("x_seats".parse().unwrap(), CustomValue::Integer(7));
    let open = host.add(fields).id;
    let [frozen, trashed] = ["Frozen AS", "Trashed AS"].map(|name| host.add(company(name)).id);
    let add = |lead| host.write(|ctx, txn| contacts::add(ctx, txn, lead, person(), true)).id;
    let (contact, frozen_contact) = (add(open), add(frozen));
    let now = host.scene.clock_now();
    let fields = [
        ActivityFields::task("Open"),
        ActivityFields::task("Done"),
        ActivityFields::call(Direction::Inbound, now),
        ActivityFields::meeting("Visit", now, now).recurring(leadcore::domain::Recurrence::weekly()),
        ActivityFields::estimate_request("Roof"),
    ];
    let [task, done, call, meeting, wish] = fields
        .map(|fields| host.write(|ctx, txn| activities::add(ctx, txn, &[open.into()], fields.clone())).id);
    host.write(|ctx, txn| activities::complete(ctx, txn, done, ANY));
    let options = ConversionOptions::default();
    let account = host.write(|ctx, txn| convert::convert(ctx, txn, frozen, &options)).account.unwrap();
    host.write(|ctx, txn| leads::delete(ctx, txn, trashed, ANY));
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, open, &options));
    let reasons = host.write(|ctx, txn| vocabulary::list_or_default::<LostReasonId>(ctx, txn));
    // A lead that nobody worked on since: else it would stay.
    let untouched = host.add(company("Untouched AS")).id;
    let entries = host.read(|_, txn| txn.journal().about(&[untouched.into()], Topics::NONE, None, 100));
    let created = entries.last().unwrap().operation;
    let request = PurgeRequest::trash(leadcore::query::Filter::everything());
    let purge = host.read(|ctx, txn| purge::plan(ctx, txn, &request));
    let reason = reasons[0].id;
    let disqualified = host.add(company("Disqualified AS")).id;
    host.write(|ctx, txn| leads::disqualify(ctx, txn, disqualified, ANY, None, None));
    let unused = host.write(|ctx, txn| {
        let stage = pipelines::new_stage(ctx, "One", leadcore::domain::StageKind::Open);
        pipelines::add(ctx, txn, "Unused", vec![stage])
    });
    Known {
        open,
        task,
        done,
        call,
        meeting,
        request: wish,
        frozen,
        trashed,
        contact,
        frozen_contact,
        account,
        source,
        plan,
        disqualified,
        reason,
        unused: unused.id,
        created,
        purge,
    }
}

#[test]
fn a_refused_write_leaves_the_database_as_it_was() {
    let host = Host::new();
    let known = furnish(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let unchanged = |what: &str| assert_eq!(dump(&host.store, &host.scene.tenant), before, "{what}");
    let viewer =
        RoleTable::new().role("v", Role::viewer()).user(&"eve".parse().unwrap(), &["v"], None).unwrap();
    let eve = host.scene.ctx_as("eve", &viewer);
    let ada = host.ctx();
    let groups = [
        (&eve, WRITES, ErrorKind::Denied),
        (&eve, crate::activities::refusals::WRITES, ErrorKind::Denied),
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
    for (name, call) in writes() {
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
    const READS: &str = "accounts::get accounts::list accounts::origins actions::actions actions::actions_of \
        board::board history::stage_history moving::can_move contacts::of_account contacts::of_lead \
        contacts::phone_region convert::plan functions::of_lead leads::by_number leads::count \
        leads::count_by leads::get leads::list leads::trash pipelines::list \
        purge::plan settings::catalogue settings::functions settings::numbering settings::visible_catalogue \
        undo::plan undo::plan_part";
    // A viewer who opens the board of a tenant without a pipeline makes the default one: that is no decision of anybody.
    let others = [
        "activities::all",
        "activities::assigned_to",
        "activities::get",
        "activities::occurrence",
        "activities::of",
        "calendar::month",
        "calendar::overview",
        "ical::activity",
        "ical::of",
        "ical::overview",
        "pipelines::list_or_default",
        "reasons::list_or_default",
        "page::account_page",
        "page::all_tabs",
        "page::lead_page",
        "page::qualification",
        "timeline::of",
        "timeline::of_account",
        "timeline::of_lead",
        "vocabulary::list",
    ];
    // Everyone who sees leads marks and arranges for itself; whose view is whose is tried in `views.rs`.
    let of_oneself = [
        "facets::facets",
        "offline::changes",
        "offline::changes_start",
        "reading::mark_all_read",
        "reading::mark_read",
        "reading::mark_unread",
        "reading::open",
        "reminders::acknowledge",
        "reminders::due",
        "views::arrange",
        "views::board",
        "views::delete",
        "views::draft",
        "views::get",
        "views::list",
        "views::open",
        "views::pin",
        "views::rename",
        "views::save",
        "views::set_default",
        "views::share",
        "views::unpin",
        "views::update",
    ];
    let mut known: BTreeSet<String> =
        READS.split_whitespace().chain(others).chain(of_oneself).map(str::to_owned).collect();
    known.extend(writes().map(|(name, _)| (*name).to_owned()));
    known.extend(crate::support::tried_elsewhere());
    assert_eq!(crate::support::desk_functions(), known);
}
