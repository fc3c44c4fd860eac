//! What no manual asks for and every host needs: tenants kept apart (X.50), no write lost to another (X.55).

use std::collections::BTreeSet;

use leadcore::context::Context;
use leadcore::desk::board::{self, BoardQuery};
use leadcore::desk::convert::{self, ConversionOptions, ConversionPlan};
use leadcore::desk::functions::Functions;
use leadcore::desk::mass::{self, Change, Selection};
use leadcore::desk::purge::{self, PurgePlan, PurgeRequest};
use leadcore::desk::undo::{self, UndoPart, UndoPlan};
use leadcore::desk::views::{self, ViewDraft, ViewRequest};
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, accounts, activities, contacts, leads, page, pipelines, settings, timeline};
use leadcore::domain::{
    AccountPatch, Activity, ActivityFields, Catalogue, Contact, ContactFields, CustomField, CustomType,
    ExternalRef, Field, Lead, LeadPatch, Move, Numbering, Pipeline, Position, SavedView, SystemView, Term,
    Topics,
};
use leadcore::error::{Conflict, ErrorKind, Result};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::id::{AccountId, LostReasonId, SourceId};
use leadcore::query::{Filter, LeadQuery};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use crate::support::{Host, company, counts, desk_functions, fields_of, form, refused};

/// What the first tenant has, and the second one knows by heart.
pub(crate) struct Foreign {
    pub(crate) lead: Lead,
    pub(crate) activity: Activity,
    converted: Lead,
    account: AccountId,
    contact: Contact,
    source: Term<SourceId>,
    pipeline: Pipeline,
    plan: ConversionPlan,
    view: SavedView,
    undo: UndoPlan,
    purge: PurgePlan,
}

/// A call of the desk, made with what belongs to the other tenant. It says what it returned.
pub(crate) type Case = fn(&Context<'_>, &mut dyn Txn, &Foreign) -> Result<String>;

pub(crate) fn said(value: Result<impl std::fmt::Debug>) -> Result<String> {
    value.map(|value| format!("{value:?}"))
}

/// Every function of the desk that is handed a transaction.
const CASES: &[(&str, Case)] = &[
    ("accounts::edit", |ctx, txn, f| {
        let patch = AccountPatch::new().set(Field::City, "Stolen");
        said(accounts::edit(ctx, txn, f.account, Expect::Any, &patch))
    }),
    ("accounts::get", |ctx, txn, f| said(accounts::get(ctx, txn, f.account))),
    ("accounts::list", |ctx, txn, _| said(accounts::list(ctx, txn, None, 1_000))),
    ("accounts::origins", |ctx, txn, f| said(accounts::origins(ctx, txn, f.account))),
    ("actions::actions", |ctx, txn, f| said(leads::actions(ctx, txn, f.lead.id))),
    ("actions::actions_of", |ctx, txn, f| said(leads::actions_of(ctx, txn, &[f.lead.id, f.converted.id]))),
    ("board::board", |ctx, txn, f| {
        let query = BoardQuery::default().pipeline(f.pipeline.id);
        let own = said(board::board(ctx, txn, &BoardQuery::default()))?;
        let foreign = said(board::board(ctx, txn, &query)).expect_err("a foreign pipeline has no board");
        Ok(format!("{own} {foreign}"))
    }),
    ("facets::facets", |ctx, txn, _| {
        said(leads::facets(ctx, txn, &Filter::everything(), &[Field::Source, Field::Stage]))
    }),
    ("offline::changes", |ctx, txn, _| said(leads::changes(ctx, txn, None, 1_000))),
    ("offline::changes_start", |ctx, txn, _| said(leads::changes_start(ctx, txn))),
    ("reading::mark_all_read", |ctx, txn, _| said(leads::mark_all_read(ctx, txn))),
    ("reading::mark_read", |ctx, txn, f| said(leads::mark_read(ctx, txn, &[f.lead.id]))),
    ("reading::mark_unread", |ctx, txn, f| said(leads::mark_unread(ctx, txn, &[f.lead.id]))),
    ("reading::open", |ctx, txn, f| said(leads::open(ctx, txn, f.lead.id))),
    ("views::arrange", |ctx, txn, f| said(views::arrange(ctx, txn, &[f.view.id.into()]))),
    ("views::board", |ctx, txn, f| said(views::board(ctx, txn, f.view.id, &ViewRequest::new()))),
    ("views::delete", |ctx, txn, f| said(views::delete(ctx, txn, f.view.id, Expect::Any))),
    ("views::draft", |ctx, txn, f| said(views::draft(ctx, txn, f.view.id))),
    ("views::get", |ctx, txn, f| said(views::get(ctx, txn, f.view.id))),
    ("views::list", |ctx, txn, _| said(views::list(ctx, txn))),
    ("views::open", |ctx, txn, f| {
        let own = said(views::open(ctx, txn, SystemView::All, &ViewRequest::new()))?;
        let foreign = said(views::open(ctx, txn, f.view.id, &ViewRequest::new()));
        Ok(format!("{own} {}", foreign.expect_err("a foreign view does not open")))
    }),
    ("views::pin", |ctx, txn, f| said(views::pin(ctx, txn, f.view.id))),
    ("views::rename", |ctx, txn, f| said(views::rename(ctx, txn, f.view.id, Expect::Any, "Stolen"))),
    ("views::save", |ctx, txn, f| {
        let filter = Filter::eq(Field::Source, f.source.name.as_str());
        said(views::save(ctx, txn, &ViewDraft::new("Own", filter)))
    }),
    ("views::set_default", |ctx, txn, f| said(views::set_default(ctx, txn, f.view.id))),
    ("views::share", |ctx, txn, f| said(views::share(ctx, txn, f.view.id, Expect::Any, true))),
    ("views::unpin", |ctx, txn, f| said(views::unpin(ctx, txn, f.view.id))),
    ("views::update", |ctx, txn, f| {
        let draft = ViewDraft::new("Stolen", Filter::everything());
        said(views::update(ctx, txn, f.view.id, Expect::Any, &draft))
    }),
    ("clone::clone_lead", |ctx, txn, f| said(leads::clone_lead(ctx, txn, f.lead.id))),
    ("clone::clone_lead_with", |ctx, txn, f| {
        said(leads::clone_lead_with(ctx, txn, f.lead.id, leads::CloneOptions::default()))
    }),
    ("contacts::add", |ctx, txn, f| {
        said(contacts::add(ctx, txn, f.lead.id, ContactFields::named("Eve").unwrap(), true))
    }),
    ("contacts::edit", |ctx, txn, f| {
        let fields = ContactFields::named("Eve").unwrap();
        said(contacts::edit(ctx, txn, f.lead.id, f.contact.id, Expect::Any, fields))
    }),
    ("contacts::make_primary", |ctx, txn, f| said(contacts::make_primary(ctx, txn, f.lead.id, f.contact.id))),
    ("contacts::phone_region", |ctx, txn, f| said(contacts::phone_region(ctx, txn, f.lead.id))),
    ("contacts::of_account", |ctx, txn, f| said(contacts::of_account(ctx, txn, f.account))),
    ("contacts::of_lead", |ctx, txn, f| said(contacts::of_lead(ctx, txn, f.lead.id))),
    ("contacts::remove", |ctx, txn, f| said(contacts::remove(ctx, txn, f.lead.id, f.contact.id))),
    ("convert::apply", |ctx, txn, f| said(convert::apply(ctx, txn, &f.plan))),
    ("convert::convert", |ctx, txn, f| {
        said(convert::convert(ctx, txn, f.lead.id, &ConversionOptions::default()))
    }),
    ("convert::plan", |ctx, txn, f| {
        // A lead of one's own into an account of the other's.
        let own = leads::create(ctx, txn, company("Own").into())?;
        let options = ConversionOptions::default();
        said(convert::plan(ctx, txn, f.lead.id, &options)).expect_err("a foreign lead cannot be planned");
        said(convert::plan(ctx, txn, own.id, &options.into_account(f.account)))
    }),
    ("functions::of_lead", |ctx, txn, f| said(leads::functions(ctx, txn, f.lead.id))),
    ("leads::by_number", |ctx, txn, f| said(leads::by_number(ctx, txn, f.lead.number))),
    ("leads::count", |ctx, txn, _| said(leads::count(ctx, txn, &Filter::search("acmesecret")))),
    ("leads::count_by", |ctx, txn, _| said(leads::count_by(ctx, txn, &Filter::everything(), &Field::Source))),
    ("leads::create", |ctx, txn, f| {
        let mut fields = company("Own");
        fields.source = Some(f.source.id);
        said(leads::create(ctx, txn, fields.into()))
    }),
    ("leads::create_many", |ctx, txn, f| {
        let draft = leadcore::domain::LeadDraft::from(company("Own")).in_stage(f.lead.stage);
        said(leads::create_many(ctx, txn, vec![draft]))
    }),
    ("leads::delete", |ctx, txn, f| said(leads::delete(ctx, txn, f.lead.id, Expect::Any))),
    ("leads::edit", |ctx, txn, f| {
        let patch = LeadPatch::new().set(Field::City, "Stolen");
        said(leads::edit(ctx, txn, f.lead.id, Expect::Any, &patch))
    }),
    ("leads::get", |ctx, txn, f| said(leads::get(ctx, txn, f.lead.id))),
    ("leads::list", |ctx, txn, _| said(leads::list(ctx, txn, &LeadQuery::default().limit(1_000)))),
    ("history::stage_history", |ctx, txn, f| said(leads::stage_history(ctx, txn, f.lead.id))),
    ("moving::can_move", |ctx, txn, f| said(board::can_move(ctx, txn, f.lead.id, &f.lead.stage.into()))),
    ("moving::disqualify", |ctx, txn, f| {
        said(leads::disqualify(ctx, txn, f.lead.id, Expect::Any, None, Some("stolen")))
    }),
    ("moving::move_to", |ctx, txn, f| {
        // A lead of one's own beside a card of the other's, and the other's lead.
        let own = leads::create(ctx, txn, company("Own").into())?;
        let beside = Move::from(own.stage).at(Position::Before(f.lead.id));
        said(leads::move_to(ctx, txn, own.id, Expect::Any, beside))
            .expect_err("a foreign card is no neighbour");
        said(leads::move_to(ctx, txn, f.lead.id, Expect::Any, f.lead.stage))
    }),
    ("moving::reopen", |ctx, txn, f| said(leads::reopen(ctx, txn, f.lead.id, Expect::Any))),
    ("leads::restore", |ctx, txn, f| said(leads::restore(ctx, txn, f.lead.id))),
    ("leads::trash", |ctx, txn, _| said(leads::trash(ctx, txn, &LeadQuery::default()))),
    ("mass::run", |ctx, txn, f| {
        let selection = Selection::Ids(vec![f.lead.id, f.converted.id]);
        let done = mass::run(ctx, txn, &selection, &Change::Transfer(None))?;
        assert_eq!((done.totals.not_found, done.operation), (2, None), "foreign leads are not there");
        let selection = Selection::filter(Filter::search("acmesecret"));
        said(mass::run(ctx, txn, &selection, &Change::Delete))
    }),
    ("pipelines::add", |ctx, txn, f| {
        // The ids of the other's stages are as good as any: they mean nothing here.
        let mut stages = f.pipeline.stages.clone();
        stages.iter_mut().zip("abcdef".chars()).for_each(|(stage, name)| stage.name = name.to_string());
        said(pipelines::add(ctx, txn, "Taken", stages))
    }),
    ("pipelines::list", |ctx, txn, _| said(pipelines::list(ctx, txn))),
    ("pipelines::list_or_default", |ctx, txn, _| said(pipelines::list_or_default(ctx, txn))),
    ("pipelines::remove", |ctx, txn, f| said(pipelines::remove(ctx, txn, f.pipeline.id, Expect::Any))),
    ("pipelines::remove_stage", |ctx, txn, f| {
        let stage = f.pipeline.stages[0].id;
        said(pipelines::remove_stage(ctx, txn, f.pipeline.id, Expect::Any, stage, None))
    }),
    ("pipelines::set_default", |ctx, txn, f| {
        said(pipelines::set_default(ctx, txn, f.pipeline.id, Expect::Any))
    }),
    ("pipelines::update", |ctx, txn, f| said(pipelines::update(ctx, txn, f.pipeline.clone()))),
    ("purge::apply", |ctx, txn, f| said(purge::apply(ctx, txn, &f.purge).map(Some).or_else(not_its_plan))),
    ("purge::plan", |ctx, txn, f| said(purge::plan(ctx, txn, &f.purge.request))),
    ("reasons::list_or_default", |ctx, txn, _| said(vocabulary::list_or_default::<LostReasonId>(ctx, txn))),
    ("settings::catalogue", |ctx, txn, _| said(settings::catalogue(ctx, txn))),
    ("settings::change_field", |ctx, txn, _| {
        let exact = settings::FieldMapping::exact();
        said(settings::change_field(ctx, txn, None, &secret_field(CustomType::LongText), &exact))
    }),
    ("settings::remove_field", |ctx, txn, _| {
        said(settings::remove_field(ctx, txn, None, &secret_field(CustomType::Text).key, true))
    }),
    ("settings::set_catalogue", |ctx, txn, _| {
        said(settings::set_catalogue(ctx, txn, None, &Catalogue::standard()))
    }),
    ("settings::functions", |ctx, txn, _| said(settings::functions(ctx, txn))),
    ("settings::numbering", |ctx, txn, _| said(settings::numbering(ctx, txn))),
    ("settings::set_functions", |ctx, txn, _| {
        said(settings::set_functions(ctx, txn, None, &Functions::new()))
    }),
    ("settings::set_numbering", |ctx, txn, _| {
        said(settings::set_numbering(ctx, txn, None, &Numbering::default()))
    }),
    ("page::account_page", |ctx, txn, f| {
        said(page::account_page(ctx, txn, f.account, &page::PageOptions::new()))
    }),
    ("page::all_tabs", |ctx, txn, _| said(page::all_tabs(ctx, txn))),
    ("page::lead_page", |ctx, txn, f| said(page::lead_page(ctx, txn, f.lead.id, &page::PageOptions::new()))),
    ("page::qualification", |ctx, txn, f| said(page::qualification(ctx, txn, f.lead.id))),
    ("timeline::of", |ctx, txn, f| {
        said(timeline::of(ctx, txn, f.lead.id, &timeline::TimelineQuery::new(100)))
    }),
    ("settings::visible_catalogue", |ctx, txn, _| said(settings::visible_catalogue(ctx, txn))),
    ("timeline::of_account", |ctx, txn, f| said(timeline::of_account(ctx, txn, f.account, None, 100))),
    ("timeline::of_lead", |ctx, txn, f| said(timeline::of_lead(ctx, txn, f.lead.id, None, 100))),
    ("undo::apply", |ctx, txn, f| said(undo::apply(ctx, txn, &f.undo))),
    ("undo::plan", |ctx, txn, f| said(undo::plan(ctx, txn, f.undo.operation))),
    ("undo::plan_part", |ctx, txn, f| {
        said(undo::plan_part(ctx, txn, f.undo.operation, &UndoPart::leads([f.lead.id])))
    }),
    ("undo::undo_part", |ctx, txn, f| {
        said(undo::undo_part(ctx, txn, f.undo.operation, &UndoPart::leads([f.lead.id])))
    }),
    ("undo::undo", |ctx, txn, f| said(undo::undo(ctx, txn, f.undo.operation))),
    ("vocabulary::add", |ctx, txn, f| {
        said(vocabulary::add::<SourceId>(ctx, txn, "Fair", None).map(|term| term.id == f.source.id))
    }),
    ("vocabulary::archive", |ctx, txn, f| {
        said(vocabulary::archive(ctx, txn, f.source.id, Expect::Any, true))
    }),
    ("vocabulary::ask_for_detail", |ctx, txn, f| {
        let reason = LostReasonId::from_uuid(f.source.id.as_uuid());
        said(vocabulary::ask_for_detail(ctx, txn, reason, Expect::Any, true))
    }),
    ("vocabulary::recolor", |ctx, txn, f| {
        said(vocabulary::recolor(ctx, txn, f.source.id, Expect::Any, None))
    }),
    ("vocabulary::reorder", |ctx, txn, f| {
        said(vocabulary::reorder(ctx, txn, &[f.source.id]).map(Some).or_else(not_its_plan))
    }),
    ("vocabulary::delete", |ctx, txn, f| said(vocabulary::delete(ctx, txn, f.source.id, InUse::Clear))),
    ("vocabulary::list", |ctx, txn, _| said(vocabulary::list::<SourceId>(ctx, txn))),
    ("vocabulary::rename", |ctx, txn, f| {
        said(vocabulary::rename(ctx, txn, f.source.id, Expect::Any, "Stolen"))
    }),
];

/// Those of every topic.
fn cases() -> impl Iterator<Item = &'static (&'static str, Case)> {
    CASES.iter().chain(crate::activities::foreign::CASES).chain(crate::calendar::foreign::CASES)
}

/// What was made from the rows of one tenant does not fit those of another.
fn not_its_plan<T>(error: leadcore::error::Error) -> Result<Option<T>> {
    if error.conflict() == Some(&Conflict::PlanOutdated) { Ok(None) } else { Err(error) }
}

/// Everything of `acme`, marked, so that any of it is recognised.
fn secret_field(kind: CustomType) -> CustomField {
    CustomField::new("x_acmesecret".parse().unwrap(), "acmesecret field", kind)
}

fn furnish(host: &Host) -> Foreign {
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "acmesecret fair", None));
    let mut fields = form(&[(Field::Company, "acmesecret AS"), (Field::Email, "acmesecret@x.example")]);
    fields.source = Some(source.id);
    let lead = host.add(fields.clone());
    fields.company = Some("acmesecret 2".to_owned());
    let converted = host.add(fields);
    let person = ContactFields::named("Acmesecret Person").unwrap();
    let contact = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), true));
    let task = ActivityFields::task("acmesecret task").assigned_to(&"ada".parse().unwrap());
    let activity = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], task.clone()));
    let options = ConversionOptions::default();
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, converted.id, &options));
    let gone = host.add(company("acmesecret trash"));
    host.write(|ctx, txn| leads::delete(ctx, txn, gone.id, Expect::Any));
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::Company).label = Some("acmesecret label".to_owned());
    catalogue.set_custom_field(secret_field(CustomType::Text));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let mut pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    pipeline.stages[1].name = "acmesecret stage".to_owned();
    let pipeline = host.write(|ctx, txn| pipelines::update(ctx, txn, pipeline.clone()));
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
    let draft = ViewDraft::new("acmesecret view", Filter::everything());
    let view = host.write(|ctx, txn| {
        let saved = views::save(ctx, txn, &draft)?;
        views::share(ctx, txn, saved.id, saved.revision, true)
    });
    let entries = host.read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::NONE, None, 100));
    let undo = host.read(|ctx, txn| undo::plan(ctx, txn, entries.last().unwrap().operation));
    let request = PurgeRequest::everywhere(Filter::everything());
    let purge = host.read(|ctx, txn| purge::plan(ctx, txn, &request));
    let account = done.account.unwrap();
    Foreign { lead, activity, converted, account, contact, source, pipeline, plan, view, undo, purge }
}

#[test]
fn x_50_tenant_scope() {
    let host = Host::new();
    let foreign = furnish(&host);
    let acme = host.scene.tenant.clone();
    // The same file, the same user name, another organisation. Its ids come from the same source, so that none is equal.
    let other = Scene { tenant: "other".parse().unwrap(), ..Scene::new("other") };
    let ctx = Context::new(
        &other.tenant,
        other.actor.clone(),
        &other.clock,
        &host.scene.ids,
        &leadcore::policy::AllowAll,
    );
    host.store.write(&other.tenant, |txn| leads::create(&ctx, txn, company("Ours").into())).unwrap();
    let before = dump(&host.store, &acme);
    for (name, case) in cases() {
        let outcome = host.store.write(&other.tenant, |txn| case(&ctx, txn, &foreign));
        let text = match outcome {
            Ok(text) => text,
            Err(error) => {
                let kinds = [ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::AlreadyExists];
                assert!(kinds.contains(&error.kind()), "{name}: {error}");
                error.to_string()
            }
        };
        assert!(!text.to_lowercase().contains("acmesecret"), "{name} shows a foreign row: {text}");
        let mixed = host.store.write(&acme, |txn| case(&ctx, txn, &foreign));
        let error = refused(mixed, ErrorKind::Invalid);
        assert_eq!(error.violations()[0].field, "tenant", "{name} in a foreign transaction");
    }
    let file = "Company,E-mail,Source\nOurs too,acmesecret@x.example,acmesecret fair\n";
    let input = || std::io::Cursor::new(file);
    let options = ImportOptions::new();
    let dry = import::dry_run(&ctx, &host.store, input(), &options, &mut ()).unwrap();
    let run = import::run(&ctx, &host.store, input(), &options, None, &mut ()).unwrap();
    assert_eq!((dry.created, run.created), (1, 1), "the same e-mail is nobody known, the source a new one");
    let ours = dump(&host.store, &other.tenant);
    for id in [foreign.lead.id.to_string(), foreign.account.to_string(), foreign.source.id.to_string()] {
        assert!(!ours.contains(&id), "a foreign id got into the other tenant's rows");
    }
    assert_eq!(dump(&host.store, &acme), before, "nothing of the first tenant changed");
    assert!(!host.import(file, &options).repeated, "what one tenant imported is new to another");
}

/// A new function of the desk needs a case above.
#[test]
fn every_call_of_the_desk_is_tried_with_two_tenants() {
    let functions = desk_functions();
    let mut tried: BTreeSet<String> = cases().map(|(name, _)| (*name).to_owned()).collect();
    tried.extend(crate::support::tried_elsewhere());
    assert_eq!(functions, tried, "the functions of the desk (left) and the cases of x_50 (right)");
}

#[test]
fn x_55_version_check() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let person = ContactFields::named("Kari").unwrap();
    let kari = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), true));
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &ConversionOptions::default()));
    let read = lead.revision;
    // Somebody else is faster with each of them.
    let faster = LeadPatch::new().set(Field::City, "Oslo");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, read, &faster));
    host.write(|ctx, txn| vocabulary::rename(ctx, txn, source.id, source.revision, "Trade fair"));
    let other = ContactFields::named("Kari Nordmann").unwrap();
    host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, kari.id, kari.revision, other.clone()));
    let mut renamed = pipeline.clone();
    renamed.name = "Sales".to_owned();
    host.write(|ctx, txn| pipelines::update(ctx, txn, renamed.clone()));
    let standard = Catalogue::standard();
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &standard));
    let before = dump(&host.store, &host.scene.tenant);

    let patch = LeadPatch::new().set(Field::City, "Bergen");
    let mailed = pipeline.stages[1].id;
    let stale = [
        host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, read, &patch).map(drop)),
        host.try_write(|ctx, txn| leads::move_to(ctx, txn, lead.id, read, mailed).map(drop)),
        host.try_write(|ctx, txn| leads::delete(ctx, txn, lead.id, read)),
        host.try_write(|ctx, txn| vocabulary::rename(ctx, txn, source.id, source.revision, "Web").map(drop)),
        host.try_write(|ctx, txn| {
            contacts::edit(ctx, txn, lead.id, kari.id, kari.revision, person.clone()).map(drop)
        }),
        host.try_write(|ctx, txn| pipelines::update(ctx, txn, pipeline.clone()).map(drop)),
        host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &standard).map(drop)),
    ];
    for (n, call) in stale.into_iter().enumerate() {
        let error = refused(call, ErrorKind::Conflict);
        assert!(matches!(error.conflict(), Some(Conflict::StaleRevision { .. })), "call {n}: {error}");
    }
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan)), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "no refused write left anything");
    // Read again, it goes.
    let now = host.get(&lead).revision;
    let edited = host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, now, &patch));
    assert_eq!((edited.fields.address.city(), edited.revision), (Some("Bergen"), now.next()));
}

#[test]
fn x_54_external_reference() {
    let host = Host::new();
    let from =
        |system: &str, file: &str| counts(&host.import(file, &ImportOptions::new().external_system(system)));
    let file = "External id,Company,City\n7,Nordlys AS,Oslo\n8,Fjord AS,Oslo\n";
    assert_eq!(from("crm", file), [2, 0, 0, 0]);
    // The id says which lead is meant, whatever else changed; a system knows its own ids only.
    assert_eq!(from("crm", "External id,Company,City\n7,Nordlys Energi AS,Bergen\n"), [0, 1, 0, 0]);
    assert_eq!(from("shop", "External id,Company\n7,Dal AS\n"), [1, 0, 0, 0]);
    let found = |id: &str| host.names(Filter::eq(Field::ExternalId, id));
    assert_eq!((found("crm:7"), found("shop:7")), (vec!["Nordlys Energi AS".into()], vec!["Dal AS".into()]));
    // An id without its system would never be found: that is said, as where one is written.
    for bare in ["external_id = '7'", "external_id in ('crm:7', '8')"] {
        let query = LeadQuery::new(Filter::parse(bare).unwrap());
        let listed = host.try_read(|ctx, txn| leads::list(ctx, txn, &query));
        assert_eq!(fields_of(&refused(listed, ErrorKind::Invalid)), ["filter.external_id"], "{bare}");
    }
    // One lead has one id of a system, and one id is that of one lead.
    let wrong = |values: &str| {
        let made = host.try_write(|ctx, txn| {
            let mut fields = company("Moss AS");
            fields.external_ids = values.split(' ').map(|id| ExternalRef::parse(id).unwrap()).collect();
            leads::create(ctx, txn, fields.into())
        });
        fields_of(&refused(made, ErrorKind::Invalid)).join(" ")
    };
    assert_eq!(wrong("crm:1 crm:2"), "external_id");
    assert_eq!(wrong("crm:7"), "external_id");
    let seven = host.read(|ctx, txn| leads::by_number(ctx, txn, 1));
    let patch = LeadPatch::new().set(Field::ExternalId, "crm:8");
    let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, seven.id, Expect::Any, &patch));
    assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), ["external_id"]);
    // In the trash it lets go of it, and gets it back while nobody else has it.
    host.write(|ctx, txn| leads::delete(ctx, txn, seven.id, Expect::Any));
    let mut fields = company("Moss AS");
    fields.external_ids = [ExternalRef::parse("crm:7").unwrap()].into();
    host.add(fields);
    let back = host.try_write(|ctx, txn| leads::restore(ctx, txn, seven.id));
    assert_eq!(fields_of(&refused(back, ErrorKind::Invalid)), ["external_id"]);
}
