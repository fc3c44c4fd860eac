//! Imports taken back: the store is as it was before, in whatever order (X.30).

use std::collections::BTreeSet;
use std::io::Cursor;

use leadcore::desk::mass::{self, Change, Selection};
use leadcore::desk::{purge, undo, vocabulary};
use leadcore::domain::{Field, FieldValue, LeadPatch, SubjectKind, WhyKept};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::id::{OperationId, SourceId};
use leadcore::memory::MemoryStore;
use leadcore::query::Filter;
use leadcore::store::{Store, StoreExt};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;
use leadcore_sqlite::SqliteStore;
use proptest::prelude::*;

/// The dump without what an undo leaves: the journal, revisions and times of writing, and the number that comes next.
fn lasting(store: &dyn Store, scene: &Scene) -> BTreeSet<String> {
    without(store, scene, &["revision", "updated_at"])
}

const CLOCKLESS: [&str; 3] = ["revision", "updated_at", "active_at"];

fn without(store: &dyn Store, scene: &Scene, keys: &[&str]) -> BTreeSet<String> {
    let kept = |line: &&str| !["operation", "entry", "next number"].iter().any(|what| line.starts_with(what));
    let strip = |line: &str| {
        let (what, json) = line.split_once(" {").unwrap_or((line, ""));
        if what != "lead" && what != "pipeline" {
            return line.to_owned();
        }
        let mut value: serde_json::Value = serde_json::from_str(&format!("{{{json}")).unwrap();
        for key in keys {
            value.as_object_mut().unwrap().remove(*key);
        }
        format!("{what} {value}")
    };
    dump(store, &scene.tenant).lines().filter(kept).map(strip).collect()
}

/// Cells from small sets, so that rows mean each other; with stages that are new, also such that close leads.
fn row() -> impl Strategy<Value = String> {
    let pick = |choices: &'static [&'static str]| prop::sample::select(choices);
    let id = pick(&["", "1", "2", "3"]);
    let email = pick(&["", "a@x.example", "b@x.example", "\"a@x.example,c@x.example\"", "nobody"]);
    let phone = pick(&["", "+47 22225555", "+47 22225556"]);
    let company = pick(&["", "A", "B", "-/-"]);
    let city = pick(&["", "Oslo", "Moss", "-/-"]);
    let tags = pick(&["", "x", "\"x;y\"", "-/-"]);
    let status =
        pick(&["", "New", "Mailed", "Discussion", "Lost", "Fresh", "fresh", "Closed - lost", "Gewonnen"]);
    let source = pick(&["", "Fair", "fair", "Web", "-/-"]);
    let place = pick(&["", "Oslo", "Moss", "-/-"]);
    (id, email, phone, company, city, tags, status, source, place).prop_map(
        |(id, email, phone, company, city, tags, status, source, place)| {
            format!("{id},{email},{phone},{company},{city},{tags},{status},{source},{place}\n")
        },
    )
}

const HEAD: &str = "id,email,phone,company,city,tags,status,source,location\n";

fn file(rows: &[String]) -> String {
    format!("{HEAD}{}", rows.concat())
}

/// One of the imports that are to be taken back, each with a key of its own.
fn import_rows(store: &dyn Store, scene: &Scene, file: &str, attempt: u32) -> Option<OperationId> {
    import_by(store, scene, file, (attempt, 3))
}

fn import_by(
    store: &dyn Store,
    scene: &Scene,
    file: &str,
    (attempt, chunk): (u32, usize),
) -> Option<OperationId> {
    let read = leadcore::exchange::ReadOptions::new().delimiter(b',').has_header(true);
    let options = ImportOptions::new().read(read).clear("-/-").chunk(chunk).attempt(attempt);
    scene.tick();
    let input = Cursor::new(file.to_owned());
    import::run(&scene.ctx(), store, input, &options, None, &mut ()).unwrap().operation
}

/// Takes an operation back as its plan says.
fn take_back(store: &dyn Store, scene: &Scene, operation: OperationId) -> undo::UndoOutcome {
    scene.tick();
    let (ctx, tenant) = (scene.ctx(), &scene.tenant);
    let plan = store.read(tenant, |txn| undo::plan(&ctx, txn, operation)).unwrap();
    let outcome = store.write(tenant, |txn| undo::undo(&ctx, txn, operation)).unwrap();
    if outcome.newly_undone {
        let stay = plan.records.iter().filter(|record| !record.kept.is_empty() || record.failed.is_some());
        assert_eq!(stay.cloned().collect::<Vec<_>>(), outcome.remaining, "as planned");
        assert_eq!(plan.totals, outcome.totals);
    }
    outcome
}

fn empty_trash(store: &dyn Store, scene: &Scene) {
    let (ctx, request) = (scene.ctx(), purge::PurgeRequest::trash(Filter::everything()));
    let plan = store.read(ctx.tenant(), |txn| purge::plan(&ctx, txn, &request)).unwrap();
    store.write(ctx.tenant(), |txn| purge::apply(&ctx, txn, &plan)).unwrap();
}

/// Two imports of one chunk taken back, that of before first; what the second stood on goes with the next try.
fn back_in_order(store: &dyn Store, first: &str, second: &str, third: &str) {
    let scene = Scene::new("acme");
    import_rows(store, &scene, first, 1);
    scene.tick();
    let before = without(store, &scene, &CLOCKLESS);
    let early = import_by(store, &scene, second, (2, 100)).unwrap();
    let late = import_by(store, &scene, third, (3, 100)).unwrap();
    let outcomes = [early, late, early].map(|operation| take_back(store, &scene, operation));
    empty_trash(store, &scene);
    // The clock of a lead on which work was done since is kept without a word, so that nobody asks for it again.
    let after = without(store, &scene, &CLOCKLESS);
    let apart: Vec<_> = before.symmetric_difference(&after).collect();
    assert_eq!(apart, [""; 0], "{first}\n{second}\n{third}\n{outcomes:#?}");
}

/// Three imports taken back in an order, again and again until nothing moves any more.
fn back_in_any_order(store: &dyn Store, files: &[String; 4], order: &[usize], chunk: usize) {
    let scene = Scene::new("acme");
    import_rows(store, &scene, &files[0], 1);
    scene.tick();
    let before = without(store, &scene, &CLOCKLESS);
    let import = |attempt: u32, file: &String| import_by(store, &scene, file, (attempt, chunk)).unwrap();
    let operations: Vec<_> = (2..).zip(&files[1..]).map(|(attempt, file)| import(attempt, file)).collect();
    let mut outcomes = Vec::new();
    for _ in 0..=operations.len() {
        outcomes = order.iter().map(|n| take_back(store, &scene, operations[*n])).collect();
    }
    assert!(outcomes.iter().all(|outcome| !outcome.newly_undone), "it comes to an end");
    empty_trash(store, &scene);
    let after = without(store, &scene, &CLOCKLESS);
    let apart: Vec<_> = before.symmetric_difference(&after).collect();
    assert_eq!(apart, [""; 0], "{order:?} of {files:#?}\n{outcomes:#?}");
}

fn there_and_back(store: &dyn Store, first: &str, second: &str) {
    let scene = Scene::new("acme");
    import_rows(store, &scene, first, 1);
    scene.tick();
    let before = lasting(store, &scene);
    let operation = import_rows(store, &scene, second, 2).unwrap();
    let outcome = take_back(store, &scene, operation);
    assert_eq!((outcome.totals.failed, outcome.totals.partly), (0, 0), "{outcome:?}");
    // What was created lies in the trash: emptied, nothing is left of it.
    empty_trash(store, &scene);
    let after = lasting(store, &scene);
    let apart: Vec<_> = before.symmetric_difference(&after).collect();
    assert_eq!(apart, [""; 0], "{first}\n{second}");
}

/// The first lead of a tenant makes its pipeline, which stays.
const FIRST: &str = "9,z@x.example,,Z,,\"x;y\",New,Fair,\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn imported_and_undone_the_store_is_as_before(
        first in prop::collection::vec(row(), 0..6),
        second in prop::collection::vec(row(), 1..10),
    ) {
        let first = [vec![FIRST.to_owned()], first].concat();
        there_and_back(&MemoryStore::new(), &file(&first), &file(&second));
        there_and_back(&SqliteStore::open_in_memory().unwrap(), &file(&first), &file(&second));
    }

    #[test]
    fn two_imports_taken_back_the_first_first_leave_the_store_as_before(
        first in prop::collection::vec(row(), 0..4),
        second in prop::collection::vec(row(), 1..6),
        third in prop::collection::vec(row(), 1..6),
    ) {
        let first = file(&[vec![FIRST.to_owned()], first].concat());
        let (second, third) = (file(&second), file(&third));
        back_in_order(&MemoryStore::new(), &first, &second, &third);
        back_in_order(&SqliteStore::open_in_memory().unwrap(), &first, &second, &third);
    }

    #[test]
    fn three_imports_taken_back_in_any_order_leave_the_store_as_before(
        first in prop::collection::vec(row(), 0..4),
        rest in prop::collection::vec(prop::collection::vec(row(), 1..5), 3),
        order in Just(vec![0, 1, 2]).prop_shuffle(),
        chunk in prop::sample::select(vec![2, 100]),
    ) {
        let first = file(&[vec![FIRST.to_owned()], first].concat());
        let files = [first, file(&rest[0]), file(&rest[1]), file(&rest[2])];
        back_in_any_order(&MemoryStore::new(), &files, &order, chunk);
        back_in_any_order(&SqliteStore::open_in_memory().unwrap(), &files, &order, chunk);
    }
}

/// A company in Oslo, and nothing else.
const ALONE: &str = "email,company\na@x.example,A\n";

/// Each in a value that the file adds, and in another one that a second file has.
const ADDED: [(&str, &str, &str); 5] = [
    ("status", "Signed", "Won"),
    ("source", "Fair", "Web"),
    ("category", "Ships", "Boats"),
    ("location", "Moss", "Oslo"),
    ("tags", "Warm", "-/-"),
];

#[test]
fn what_an_import_added_stays_while_the_undo_of_a_later_import_gives_it_back() {
    for (column, value, other) in ADDED {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        import_rows(&store, &scene, ALONE, 1);
        let before = lasting(&store, &scene);
        let file = |value: &str| format!("email,{column}\na@x.example,{value}\n");
        let early = import_rows(&store, &scene, &file(value), 2).unwrap();
        let late = import_rows(&store, &scene, &file(other), 3).unwrap();
        let outcome = take_back(&store, &scene, early);
        let why: Vec<_> =
            outcome.remaining.iter().flat_map(|record| &record.kept).map(|kept| kept.why).collect();
        assert!(why.contains(&WhyKept::InUse), "{column}: {why:?}");
        // The way back of that undo, and the same once more.
        let redone = take_back(&store, &scene, late);
        assert_eq!(redone.remaining, [], "{column}");
        let outcome = take_back(&store, &scene, early);
        assert_eq!((outcome.remaining, outcome.newly_undone), (vec![], true), "{column}");
        assert_eq!(lasting(&store, &scene), before, "{column}");
    }
}

#[test]
fn what_an_import_added_stays_while_the_undo_of_an_edit_gives_it_back() {
    let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
    import_rows(&store, &scene, "email,company,source\na@x.example,A,Web\nb@x.example,B,Call\n", 1);
    let before = lasting(&store, &scene);
    let file = "email,source\na@x.example,Fair\nb@x.example,Fair\n";
    let import = import_rows(&store, &scene, file, 2).unwrap();
    let (ctx, tenant, all) = (scene.ctx(), &scene.tenant, Selection::filter(Filter::everything()));
    let edit = |source: &str, city: Option<&str>| {
        scene.tick();
        let known = store.read(tenant, |txn| vocabulary::list_or_default::<SourceId>(&ctx, txn)).unwrap();
        let id = known.iter().find(|term| term.name == source).unwrap().id;
        let patch = LeadPatch::new().set(Field::Source, FieldValue::Id(id.as_uuid()));
        let change = Change::Edit(city.into_iter().fold(patch, |patch, city| patch.set(Field::City, city)));
        store.write(tenant, |txn| mass::run(&ctx, txn, &all, &change)).unwrap().operation.unwrap()
    };
    let (early, late) = (edit("Web", Some("Oslo")), edit("Call", None));
    // Only the city goes back: the source was written over.
    assert_eq!(take_back(&store, &scene, early).totals.partly, 2);
    let kept = take_back(&store, &scene, import).remaining;
    let term = kept.last().unwrap();
    assert_eq!((term.name.as_deref(), term.kept[0].why), (Some("Fair"), WhyKept::InUse));
    for operation in [late, early, import] {
        let outcome = take_back(&store, &scene, operation);
        assert_eq!((outcome.remaining, outcome.newly_undone), (vec![], true));
    }
    assert_eq!(lasting(&store, &scene), before);
}

#[test]
fn a_stage_that_was_there_only_in_between_may_be_gone() {
    let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
    import_rows(&store, &scene, "email,company\na@x.example,A\nb@x.example,B\n", 1);
    let before = lasting(&store, &scene);
    // Each in two chunks, and so in two steps.
    let steps =
        |first: &str, rest: &str, last: &str| format!("email,status\n{first}\n{rest}\n{rest}\n{last}\n");
    let early = steps("a@x.example,Fresh", "b@x.example,New", "a@x.example,New");
    let early = import_rows(&store, &scene, &early, 2).unwrap();
    let late = steps("b@x.example,Fresh", "a@x.example,Mailed", "b@x.example,Won");
    let late = import_rows(&store, &scene, &late, 3).unwrap();
    let first = take_back(&store, &scene, early);
    assert!(
        first.remaining.iter().all(|record| record.subject.kind == SubjectKind::Lead),
        "the stage is gone"
    );
    for operation in [late, early] {
        let outcome = take_back(&store, &scene, operation);
        assert_eq!((outcome.remaining, outcome.newly_undone), (vec![], true));
    }
    assert_eq!(lasting(&store, &scene), before);
}

/// Each in a value that comes, goes and comes again.
const AGAIN: [(&str, &str, &str); 9] = [
    ("city", "Oslo", "Moss"),
    ("company", "Berg", "Dal"),
    ("industry", "Fishing", "Farming"),
    ("status", "Signed", "Shipped"),
    ("source", "Fair", "Web"),
    ("category", "Ships", "Boats"),
    ("tags", "Warm", "-/-"),
    ("phone", "+47 22225555", "-/-"),
    ("email", "a@x.example", "-/-"),
];

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[test]
fn a_field_stays_with_whoever_wrote_it_last_also_where_the_same_value_came_again() {
    for ((column, value, other), order) in AGAIN.into_iter().flat_map(|it| ORDERS.map(|order| (it, order))) {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        import_rows(&store, &scene, "id,company\n1,A\n", 1);
        let before = without(&store, &scene, &CLOCKLESS);
        let file = |value: &str| format!("id,{column}\n1,{value}\n");
        let mut operations = Vec::new();
        for (attempt, value) in (2..).zip([value, other, value]) {
            scene.tick();
            operations.extend(import_rows(&store, &scene, &file(value), attempt));
        }
        let written = without(&store, &scene, &CLOCKLESS);
        if order[0] != 2 {
            let outcome = take_back(&store, &scene, operations[order[0]]);
            let lead = outcome.remaining.iter().find(|one| one.subject.kind == SubjectKind::Lead);
            let lead = lead.unwrap_or_else(|| panic!("{column} {order:?}: {outcome:?}"));
            assert!(lead.kept.iter().all(|kept| kept.why == WhyKept::Edited), "{column}: {:?}", lead.kept);
            assert_eq!(lead.reversed, [""; 0], "{column} {order:?}");
            assert_eq!(without(&store, &scene, &CLOCKLESS), written, "{column} {order:?}");
        }
        for _ in 0..3 {
            order.iter().for_each(|n| drop(take_back(&store, &scene, operations[*n])));
        }
        assert_eq!(without(&store, &scene, &CLOCKLESS), before, "{column} {order:?}");
    }
}

#[test]
fn what_an_import_took_off_and_put_on_again_comes_back_whole_or_not_at_all() {
    for early_first in [true, false] {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        import_rows(&store, &scene, "email,company\na@x.example,A\nb@x.example,B\n", 1);
        let before = without(&store, &scene, &CLOCKLESS);
        let early = import_rows(&store, &scene, "email,tags,city\na@x.example,x,Oslo\n", 2).unwrap();
        // In two chunks, and so in two steps: it leaves the lead as it was.
        let rows = "a@x.example,-/-,-/-\nb@x.example,x,Oslo\nb@x.example,,\na@x.example,x,Oslo\n";
        let late = import_rows(&store, &scene, &format!("email,tags,city\n{rows}"), 3).unwrap();
        let order = if early_first { [early, late, early] } else { [late, early, late] };
        let outcomes = order.map(|operation| take_back(&store, &scene, operation));
        assert_eq!(without(&store, &scene, &CLOCKLESS), before, "{early_first}: {outcomes:#?}");
    }
}

#[test]
fn what_an_import_added_stays_while_leads_that_it_did_not_write_have_it() {
    for (column, value, _) in ADDED {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        import_rows(&store, &scene, "email,company\na@x.example,A\nb@x.example,B\n", 1);
        let before = lasting(&store, &scene);
        let file = |email: &str| format!("email,{column}\n{email}@x.example,{value}\n");
        let early = import_rows(&store, &scene, &file("a"), 2).unwrap();
        let late = import_rows(&store, &scene, &file("b"), 3).unwrap();
        let outcome = take_back(&store, &scene, early);
        let kept: Vec<_> =
            outcome.remaining.iter().map(|one| (one.name.as_deref(), one.kept[0].why)).collect();
        assert_eq!(kept, [(Some(value), WhyKept::InUse)], "{column}");
        assert_eq!(take_back(&store, &scene, late).remaining, [], "{column}");
        // Nobody has it any more.
        let outcome = take_back(&store, &scene, early);
        assert_eq!((outcome.remaining, outcome.newly_undone), (vec![], true), "{column}");
        assert_eq!(lasting(&store, &scene), before, "{column}");
    }
}

#[test]
fn an_undo_behind_one_that_was_undone_tells_what_stays_now() {
    let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
    import_rows(&store, &scene, ALONE, 1);
    let file = |city: &str| format!("email,city\na@x.example,{city}\n");
    let early = import_rows(&store, &scene, &file("Oslo"), 2).unwrap();
    let undone = take_back(&store, &scene, early);
    assert_eq!(take_back(&store, &scene, undone.operation).totals.reversed, 1);
    let late = import_rows(&store, &scene, &file("Moss"), 3).unwrap();
    let (ctx, tenant) = (scene.ctx(), &scene.tenant);
    let plan = store.read(tenant, |txn| undo::plan(&ctx, txn, early)).unwrap();
    let told = take_back(&store, &scene, early);
    assert_eq!((told.newly_undone, told.totals, &told.remaining), (false, plan.totals, &plan.records));
    assert_eq!((told.totals.reversed, told.totals.kept), (0, 1));
    assert_eq!(told.remaining[0].kept[0].why, WhyKept::Edited);
    // Once nothing is over it any more, it is taken back.
    take_back(&store, &scene, late);
    let again = take_back(&store, &scene, early);
    assert_eq!((again.newly_undone, again.totals.reversed, again.remaining), (true, 1, vec![]));
    assert_eq!(take_back(&store, &scene, early).newly_undone, false);
}
