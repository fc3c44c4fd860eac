//! Many leads at once, taken back, thrown away, copied, numbered and locked: what the manuals ask for around a list.

use leadcore::desk::functions::Functions;
use leadcore::desk::mass::{self, Change, MassOutcome, RecordOutcome, Selection};
use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::{Expect, contacts, convert, leads, pipelines, settings, timeline, undo, vocabulary};
use leadcore::domain::{ContactFields, Field, FieldValue, Lead, LeadPatch, Move, Numbering};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::exchange::import::ImportOptions;
use leadcore::id::{LeadId, SourceId};
use leadcore::policy::{AllowAll, Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::store::StoreExt;
use leadcore::testkit::dump;

use crate::support::{Host, company, counts, form, refused};

fn many(host: &Host, selection: &Selection, change: &Change) -> MassOutcome {
    host.write(|ctx, txn| mass::run(ctx, txn, selection, change))
}

fn to(owner: &str) -> Change {
    Change::Transfer(Some(owner.parse().unwrap()))
}

fn three(host: &Host) -> Vec<LeadId> {
    ["Nordlys AS", "Fjord AS", "Dal AS"].map(|name| host.add(company(name)).id).to_vec()
}

#[test]
fn s1_05_an_owner_is_set_and_told() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let patch = LeadPatch::new().set(Field::Owner, "bob");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
    let items = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10)).items;
    assert_eq!(items[0].text, "Owner: ada → bob");
    assert_eq!(items[0].entry.actor.to_string(), "ada", "by whom");
}

#[test]
fn s1_13_the_tools_of_a_list_are_one_call() {
    let host = Host::new();
    let ids = three(&host);
    let all = Selection::Ids(ids);
    let mailed = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0).stages[1].id;
    let tools = [
        to("bob"),
        Change::Move(Move::from(mailed)),
        Change::Edit(LeadPatch::new().set(Field::Industry, "Energy")),
        Change::MarkRead(true),
        Change::Delete,
        Change::Restore,
    ];
    for tool in &tools {
        assert_eq!(many(&host, &all, tool).totals.done, 3, "{tool:?}");
        let json = serde_json::to_string(&(&all, tool)).unwrap();
        let (selection, change): (Selection, Change) = serde_json::from_str(&json).unwrap();
        assert_eq!((&selection, &change), (&all, tool), "a form can send it");
    }
}

#[test]
fn s1_19_selected_records_are_deleted() {
    let mut host = Host::new();
    let ids = three(&host);
    let gone = many(&host, &Selection::Ids(ids[..2].to_vec()), &Change::Delete);
    assert_eq!(gone.totals.done, 2);
    host.restart();
    assert_eq!(host.names(Filter::everything()), ["Dal AS"]);
    let operation = gone.operation.unwrap();
    let plan = host.read(|ctx, txn| undo::plan(ctx, txn, operation));
    assert_eq!(plan.totals.reversed, 2);
    host.write(|ctx, txn| undo::apply(ctx, txn, &plan));
    assert_eq!(host.names(Filter::everything()).len(), 3, "one click too many is taken back");
}

#[test]
fn s1_21_many_change_hands() {
    let mut host = Host::new();
    let ids = three(&host);
    let before = host.read(|_, txn| txn.leads().get(&ids));
    let done = many(&host, &Selection::exactly(3, Filter::eq(Field::Owner, "me")), &to("bob"));
    host.restart();
    assert_eq!(host.count(&Filter::eq(Field::Owner, "bob")), 3);
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, done.operation.unwrap()));
    let after = host.read(|_, txn| txn.leads().get(&ids));
    let still =
        |lead: &Lead| Lead { revision: before[0].revision, updated_at: before[0].updated_at, ..lead.clone() };
    let [before, after] = [&before, &after].map(|leads| leads.iter().map(still).collect::<Vec<_>>());
    assert_eq!(after, before);
}

#[test]
fn x_67_every_record_has_an_outcome() {
    let host = Host::new();
    let ids = three(&host);
    let patch = LeadPatch::new().set(Field::Owner, "eve");
    host.write(|ctx, txn| leads::edit(ctx, txn, ids[0], Expect::Any, &patch));
    let own = RoleTable::new()
        .role("own", Role::salesperson().grant(Permission::View, Visibility::All))
        .user(&"eve".parse().unwrap(), &["own"], None)
        .unwrap();
    let stranger = LeadId::from_uuid(host.scene.uuid());
    let asked = Selection::Ids(vec![ids[0], ids[1], stranger]);
    let change = Change::Edit(LeadPatch::new().set(Field::City, "Oslo"));
    let done = host.write_as("eve", &own, |ctx, txn| mass::run(ctx, txn, &asked, &change)).unwrap();
    assert_eq!(done.results[2].outcome, RecordOutcome::NotFound, "{:?}", done.results);
    assert!(done.results.iter().all(|result| result.outcome != RecordOutcome::Unchanged));
    let sum = done.totals.done + done.totals.forbidden + done.totals.not_found;
    assert_eq!(sum, 3, "each has one");
}

/// Nobody's write is lost: of those who read the same revision one writes, the others are told.
#[test]
fn many_writers_of_the_same_leads_lose_no_update() {
    let host = Host::new();
    let ids = three(&host);
    let (store, scene) = (&host.store, &host.scene);
    let written: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|thread| {
                let ids = &ids;
                scope.spawn(move || {
                    let ctx = scene.ctx();
                    let mut written = 0;
                    for n in 0..20 {
                        let read = store.read(&scene.tenant, |txn| txn.leads().get(ids)).unwrap();
                        let list = read.iter().map(|lead| (lead.id, lead.revision)).collect();
                        // Each adds what it read: a lost update would show in the sum.
                        let sum = |lead: &Lead| {
                            lead.fields.description.as_deref().map_or(0, |n| n.parse().unwrap())
                        };
                        let next: u64 = sum(&read[0]) + 1;
                        let patch = LeadPatch::new()
                            .set(Field::Description, next.to_string())
                            .set(Field::City, format!("{thread}-{n}"));
                        let change = Change::Edit(patch);
                        let selection = Selection::Revisions(list);
                        let done = store
                            .write(&scene.tenant, |txn| mass::run(&ctx, txn, &selection, &change))
                            .unwrap();
                        assert_eq!(done.totals.done + done.totals.conflict, 3, "{:?}", done.results);
                        assert!(done.totals.done % 3 == 0, "all three are written together");
                        written += done.totals.done / 3;
                    }
                    written
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let leads = host.read(|_, txn| txn.leads().get(&ids));
    for lead in leads {
        assert_eq!(
            lead.fields.description,
            Some(written.to_string()),
            "every write that was told so is there"
        );
        assert_eq!(lead.revision.get(), written + 1);
    }
    assert!(written >= 20, "some of them get through");
}

#[test]
fn s4_07_dead_leads_are_purged() {
    let mut host = Host::new();
    let ids = three(&host);
    let options = convert::ConversionOptions::default();
    host.write(|ctx, txn| convert::convert(ctx, txn, ids[2], &options));
    let lost = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0).stages[5].id;
    many(&host, &Selection::Ids(ids[..1].to_vec()), &Change::Move(Move::from(lost)));
    let dead = PurgeRequest::everywhere(Filter::eq(Field::Outcome, "lost"));
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &dead));
    assert_eq!((plan.live, plan.trashed, plan.blocked, plan.sample[0].1), (1, 0, 0, 1), "{plan:?}");
    let json = serde_json::to_string(&plan).unwrap();
    let plan = serde_json::from_str(&json).unwrap();
    let done = host.write(|ctx, txn| purge::apply(ctx, txn, &plan));
    host.restart();
    assert_eq!(host.names(Filter::everything()), ["Fjord AS", "Dal AS"]);
    refused(host.try_read(|ctx, txn| leads::get(ctx, txn, ids[0])), ErrorKind::NotFound);
    refused(host.try_write(|ctx, txn| undo::undo(ctx, txn, done.operation)), ErrorKind::Unsupported);
    let all = PurgeRequest::everywhere(Filter::everything());
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &all));
    assert_eq!((plan.live, plan.blocked), (1, 1), "a customer's lead stays");
}

#[test]
fn s4_15_functions_follow_the_state() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let stages = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0).stages;
    let qualified = FieldValue::Id(stages[2].id.as_uuid());
    let functions = Functions::new()
        .open_for("convert", Filter::eq(Field::Stage, qualified.clone()))
        .open_for("send_contract", Filter::eq(Field::Stage, qualified));
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
    let options = convert::ConversionOptions::default();
    let closed = refused(
        host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options)),
        ErrorKind::Conflict,
    );
    assert_eq!(closed.conflict(), Some(&Conflict::Closed { function: "convert".to_owned() }));
    let open = || host.read(|ctx, txn| leads::functions(ctx, txn, lead.id));
    assert_eq!((open()["convert"], open()["send_contract"], open()["edit"]), (false, false, true));
    host.write(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, stages[2].id));
    assert_eq!((open()["convert"], open()["send_contract"]), (true, true));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
}

#[test]
fn x_53_the_trash_keeps_children() {
    let mut host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, "post@nordlys.example")]));
    for name in ["Kari Berg", "Ola Dal"] {
        let person = ContactFields::named(name).unwrap();
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), false));
    }
    let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    host.restart();
    let file = "Company,E-mail\nNew,post@nordlys.example\n";
    let report = host.dry_run(file, &ImportOptions::new());
    assert_eq!(counts(&report), [1, 0, 0, 0], "what is in the trash is no duplicate");
    host.write(|ctx, txn| leads::restore(ctx, txn, lead.id));
    assert_eq!(host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)), persons);
    let report = host.dry_run(file, &ImportOptions::new());
    assert_eq!(counts(&report)[0], 0, "found again");
}

#[test]
fn x_57_numbers_of_a_series() {
    let mut host = Host::new();
    let numbering = Numbering { prefix: "LEAD-".to_owned(), width: 6, start: 500 };
    host.write(|ctx, txn| settings::set_numbering(ctx, txn, None, &numbering));
    let lead = host.add(company("Nordlys AS"));
    let failed = host.try_write(|ctx, txn| {
        leads::create(ctx, txn, company("Never").into())?;
        leads::get(ctx, txn, LeadId::from_uuid(ctx.new_uuid()))
    });
    refused(failed, ErrorKind::NotFound);
    host.restart();
    let next = host.add(company("Fjord AS"));
    assert_eq!((lead.number, next.number), (500, 501), "no gap");
    let (_, read) = host.read(|ctx, txn| settings::numbering(ctx, txn));
    assert_eq!(read.format(next.number), "LEAD-000501");
    let found = host.read(|ctx, txn| leads::by_number(ctx, txn, "lead-000501"));
    assert_eq!(found.id, next.id);
}

#[test]
fn x_61_a_copy_without_its_past() {
    let host = Host::new();
    let lead = host.add(form(&[
        (Field::Company, "Nordlys AS"),
        (Field::ExternalId, "crm:7"),
        (Field::City, "Tromsø"),
    ]));
    let options = convert::ConversionOptions::default();
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    let copy = host.write(|ctx, txn| leads::clone_lead(ctx, txn, lead.id));
    assert_eq!((copy.number, copy.conversion.as_ref()), (2, None));
    assert_eq!(copy.fields.address.city(), Some("Tromsø"));
    assert!(copy.fields.external_ids.is_empty(), "another system knows one lead by it");
}

/// A file is one more way to choose a term or to edit a lead, and keeps the same rules.
#[test]
fn an_import_keeps_to_archives_and_closed_functions() {
    let host = Host::new();
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let mut fields = form(&[(Field::Company, "Nordlys AS"), (Field::Email, "post@nordlys.example")]);
    fields.source = Some(source.id);
    host.add(fields);
    host.write(|ctx, txn| vocabulary::archive(ctx, txn, source.id, source.revision, true));
    let file = "Company,E-mail,Source,City\nNordlys AS,post@nordlys.example,Fair,Oslo\nNew,new@x.example,Fair,Oslo\n";
    let report = host.dry_run(file, &ImportOptions::new());
    assert_eq!(counts(&report), [0, 1, 0, 1], "who has it keeps it, nobody gets it: {report}");
    refused(host.try_import(file, &ImportOptions::new().source(source.id)), ErrorKind::Invalid);
    let functions = Functions::new().open_for("edit", Filter::nothing());
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
    let report = host.import(file, &ImportOptions::new());
    assert_eq!(counts(&report), [0, 0, 0, 2], "{report}");
}

/// An import is undone like everything else, and can then be made again.
#[test]
fn an_import_is_taken_back_and_made_again() {
    let mut host = Host::new();
    let known = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, "post@nordlys.example")]));
    let rows: String = (0..1_200).map(|n| format!("Company {n},c{n}@x.example,Fair,Bergen\n")).collect();
    let file = format!("Company,E-mail,Source,City\nNordlys,post@nordlys.example,Fair,Oslo\n{rows}");
    let options = ImportOptions::new();
    let report = host.import(file.clone(), &options);
    assert_eq!(counts(&report), [1_200, 1, 0, 0], "{report}");
    let operation = report.operation.expect("an import has an operation");
    host.restart();
    let touched = host.read(|ctx, txn| leads::by_number(ctx, txn, 2));
    host.write_as("bob", &AllowAll, |ctx, txn| {
        leads::edit(ctx, txn, touched.id, Expect::Any, &LeadPatch::new().set(Field::City, "Bodø"))
    })
    .unwrap();
    let plan = host.read(|ctx, txn| undo::plan(ctx, txn, operation));
    let done = host.write(|ctx, txn| undo::apply(ctx, txn, &plan));
    assert_eq!(
        (done.totals.kept, done.totals.failed),
        (2, 0),
        "one lead, and its source: {:?}",
        done.remaining
    );
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Company 0"]);
    assert_eq!(host.get(&known).fields, known.fields, "what it had before");
    let again = host.import(file.clone(), &options);
    assert!(!again.repeated, "the file is new again: {again}");
    assert_eq!(counts(&again), [1_199, 2, 0, 0], "{again}");
    let before = dump(&host.store, &host.scene.tenant);
    let repeat = host.import(file, &options);
    assert!(repeat.repeated);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}
