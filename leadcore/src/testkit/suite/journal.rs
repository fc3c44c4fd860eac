//! The journal port.

use uuid::Uuid;

use crate::domain::{
    Action, Actor, Entry, FieldChange, FieldValue, NewEntry, Operation, OperationKind, OperationState,
    Sequence, Subject, SubjectKind, Topics,
};
use crate::error::ErrorKind;
use crate::id::OperationId;
use crate::store::Store;
use crate::time::{Clock as _, Timestamp};

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, refused};

fn begin(world: &World, store: &dyn Store, operation: &Operation) {
    world.write(store, |txn| txn.journal().begin(operation));
}

fn operation(world: &World, store: &dyn Store, id: OperationId) -> Option<Operation> {
    world.read(store, |txn| txn.journal().operation(id))
}

fn about(world: &World, store: &dyn Store, subjects: &[Subject]) -> Vec<Entry> {
    world.read(store, |txn| txn.journal().about(subjects, Topics::NONE, None, 1_000))
}

/// A subject that is no record: the journal does not look at what its subjects are.
fn subject(world: &World) -> Subject {
    Subject::new(SubjectKind::Term, world.scene.uuid())
}

/// Appends one entry about each subject, in order, each a second later than the one before.
fn append(world: &World, store: &dyn Store, subjects: &[Subject]) {
    let entries: Vec<_> =
        subjects.iter().map(|subject| NewEntry::new(*subject, Action::Updated, world.scene.tick())).collect();
    world.write(store, |txn| txn.journal().append(world.operation, &entries));
}

/// Every kind, state and actor, hostile keys, an outcome of any shape, times at the edges.
pub fn an_operation_comes_back_as_it_was_written(store: &dyn Store) {
    let world = World::install(store);
    let outcome = serde_json::json!({
        "text": "👩‍👩‍👧‍👦 %_'\"\\ \u{202e}", "none": null, "list": [1, -2, 0.5, true, {"deep": {}}],
        "large": 9_007_199_254_740_993_i64,
    });
    for (n, kind) in OperationKind::ALL.iter().enumerate() {
        for (text, state) in storable_texts().zip(OperationState::ALL.iter().cycle()) {
            let mut written = world.operation(*kind, Some(text));
            written.state = *state;
            written.actor =
                if n % 2 == 0 { Actor::System } else { Actor::User("o'neil@ä".parse().unwrap()) };
            written.at = if n % 2 == 0 { Timestamp::MIN } else { Timestamp::MAX };
            written.outcome = (n % 2 == 0).then(|| outcome.clone());
            begin(&world, store, &written);
            let found = operation(&world, store, written.id);
            assert_eq!(found, Some(written), "an operation must come back as it was written");
        }
    }
    let unknown = OperationId::from_uuid(world.scene.uuid());
    assert_eq!(operation(&world, store, unknown), None, "an unknown operation is none");
}

/// The id is unique; the key is unique among operations of one kind; no key is never taken.
pub fn a_taken_operation_id_or_key_is_refused(store: &dyn Store) {
    let world = World::install(store);
    let first = world.operation(OperationKind::Import, Some("key"));
    begin(&world, store, &first);
    let same_id = Operation { key: None, ..first.clone() };
    let same_key = world.operation(OperationKind::Import, Some("key"));
    for (taken, why) in [(same_id, "the id is unique"), (same_key.clone(), "the key is unique in its kind")] {
        let error = refused(&world, store, why, |txn| txn.journal().begin(&taken));
        assert_kind(&error, ErrorKind::AlreadyExists, why);
    }
    assert_eq!(operation(&world, store, same_key.id), None, "a refused operation must not be there");
    assert_eq!(operation(&world, store, first.id), Some(first), "the first operation must stay");
    begin(&world, store, &world.operation(OperationKind::Convert, Some("key")));
    begin(&world, store, &world.operation(OperationKind::Import, Some("KEY")));
    begin(&world, store, &world.operation(OperationKind::Import, Some("")));
    begin(&world, store, &world.operation(OperationKind::Import, None));
    begin(&world, store, &world.operation(OperationKind::Import, None));
}

/// State, key and outcome are written; a taken key and an unknown operation are refused.
pub fn an_operation_is_updated(store: &dyn Store) {
    let world = World::install(store);
    let mut first = world.operation(OperationKind::Import, None);
    first.state = OperationState::Running;
    begin(&world, store, &first);
    begin(&world, store, &world.operation(OperationKind::Import, Some("taken")));
    let wanted = Operation {
        state: OperationState::Done,
        key: Some("mine".to_owned()),
        outcome: Some(serde_json::json!({"rows": 3})),
        ..first.clone()
    };
    world.write(store, |txn| txn.journal().update(&wanted));
    assert_eq!(
        operation(&world, store, first.id),
        Some(wanted.clone()),
        "state, key and outcome are written"
    );
    world.write(store, |txn| txn.journal().update(&wanted));
    let why = "another operation of the kind has the key";
    let taken = Operation { key: Some("taken".to_owned()), ..wanted.clone() };
    let error = refused(&world, store, why, |txn| txn.journal().update(&taken));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    assert_eq!(operation(&world, store, first.id), Some(wanted), "a refused update writes nothing");
    let why = "an unknown operation cannot be updated";
    let unknown = world.operation(OperationKind::Import, None);
    let error = refused(&world, store, why, |txn| txn.journal().update(&unknown));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// By kind and key together, byte for byte.
pub fn an_operation_is_found_by_kind_and_key(store: &dyn Store) {
    let world = World::install(store);
    let key = "lead:ä%_'";
    let convert = world.operation(OperationKind::Convert, Some(key));
    let import = world.operation(OperationKind::Import, Some(key));
    begin(&world, store, &convert);
    begin(&world, store, &import);
    let find = |kind, key: &str| world.read(store, |txn| txn.journal().find(kind, key)).map(|found| found.id);
    assert_eq!(find(OperationKind::Convert, key), Some(convert.id), "by kind and key");
    assert_eq!(find(OperationKind::Import, key), Some(import.id), "by kind and key");
    assert_eq!(find(OperationKind::Edit, key), None, "another kind has not this key");
    assert_eq!(find(OperationKind::Import, "lead:Ä%_'"), None, "keys are compared byte for byte");
    assert_eq!(find(OperationKind::Import, "lead:%"), None, "a key is no pattern");
}

/// Entries of an operation that is not there are refused.
pub fn entries_need_an_operation(store: &dyn Store) {
    let world = World::install(store);
    let unknown = OperationId::from_uuid(world.scene.uuid());
    let about_it = subject(&world);
    let entry = NewEntry::new(about_it, Action::Created, world.scene.clock_now());
    let why = "entries need an operation";
    let error =
        refused(&world, store, why, |txn| txn.journal().append(unknown, std::slice::from_ref(&entry)));
    assert_kind(&error, ErrorKind::NotFound, why);
    assert_eq!(about(&world, store, &[about_it]), [], "a refused entry must not be there");
    world.write(store, |txn| txn.journal().append(world.operation, &[]));
}

/// Every action with everything that an entry says, newest first.
pub fn entries_come_back_newest_first(store: &dyn Store) {
    let world = World::install(store);
    let (about_it, other) = (subject(&world), subject(&world));
    let mut written = Vec::new();
    for (n, action) in Action::ALL.iter().enumerate() {
        let at = if n % 2 == 0 { Timestamp::MIN } else { Timestamp::MAX };
        let mut entry = NewEntry::new(about_it, *action, at);
        if n % 2 == 0 {
            entry = entry.with_other(other).with_changes(vec![FieldChange::new("company", "a", "b")]);
        }
        written.push(entry);
    }
    world.write(store, |txn| txn.journal().append(world.operation, &written));
    let found = about(&world, store, &[about_it]);
    let stored = operation(&world, store, world.operation).expect("the operation of the world");
    assert!(found.is_sorted_by(|a, b| a.sequence > b.sequence), "newest first: by place, not by time");
    assert_eq!(found.len(), written.len(), "every entry, each once");
    for (entry, wanted) in found.iter().rev().zip(&written) {
        let said = (entry.subject, entry.action, entry.at, entry.other, &entry.changes);
        let meant = (wanted.subject, wanted.action, wanted.at, wanted.other, &wanted.changes);
        assert_eq!(said, meant, "an entry must come back as it was written");
        let of = (entry.operation, entry.operation_kind, &entry.actor);
        assert_eq!(of, (stored.id, stored.kind, &stored.actor), "an entry says what its operation says");
    }
    assert_eq!(about(&world, store, &[other]), [], "an entry is about its subject, not about the other one");
}

/// Several subjects, asked twice or of another kind: each entry once.
pub fn entries_about_several_subjects_come_once_each(store: &dyn Store) {
    let world = World::install(store);
    let (a, b, c) = (subject(&world), subject(&world), subject(&world));
    append(&world, store, &[a, b, a, c, b]);
    let found = about(&world, store, &[b, a, b]);
    let subjects: Vec<_> = found.iter().map(|entry| entry.subject).collect();
    assert_eq!(subjects, [b, a, b, a], "newest first over all subjects, each entry once");
    let same_id = Subject::new(SubjectKind::Lead, a.id);
    assert_eq!(about(&world, store, &[same_id]), [], "a subject is its kind and its id");
    assert_eq!(about(&world, store, &[]), [], "no subject, no entry");
}

/// `before` is a place: pages from it backwards give every entry once.
pub fn entries_before_a_place_page_backwards(store: &dyn Store) {
    let world = World::install(store);
    let (mine, theirs) = (subject(&world), subject(&world));
    append(&world, store, &[mine, theirs, mine, mine, theirs, mine, mine]);
    let all = about(&world, store, &[mine]);
    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = world.read(store, |txn| txn.journal().about(&[mine], Topics::NONE, before, 2));
        let Some(last) = page.last() else { break };
        before = Some(last.sequence);
        paged.extend(page);
        assert!(paged.len() <= all.len(), "an entry came twice");
    }
    assert_eq!(paged, all, "the pages must be the whole list");
    let read =
        |before, limit| world.read(store, |txn| txn.journal().about(&[mine], Topics::NONE, before, limit));
    assert_eq!(read(None, 0), [], "a limit of zero gives nothing");
    assert_eq!(read(Some(Sequence(i64::MAX)), usize::MAX), all, "everything lies before the last place");
    assert_eq!(read(Some(Sequence(i64::MIN)), 10), [], "nothing lies before the first place");
}

/// The entries of one operation, oldest first, from behind a place.
pub fn entries_of_an_operation_come_oldest_first(store: &dyn Store) {
    let world = World::install(store);
    let other = world.operation(OperationKind::Edit, None);
    begin(&world, store, &other);
    let mine = subject(&world);
    append(&world, store, &[mine, mine]);
    let foreign = NewEntry::new(mine, Action::Moved, world.scene.tick());
    world.write(store, |txn| txn.journal().append(other.id, std::slice::from_ref(&foreign)));
    append(&world, store, &[mine]);
    let read =
        |after, limit| world.read(store, |txn| txn.journal().replay(Some(world.operation), after, limit));
    let all = read(None, usize::MAX);
    let actions: Vec<_> = all.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [Action::Updated; 3], "the entries of this operation only");
    assert!(all.is_sorted_by(|a, b| a.sequence < b.sequence), "oldest first");
    assert_eq!(read(Some(all[0].sequence), 1), all[1..2], "behind the place, at most the limit");
    assert_eq!(
        read(Some(Sequence(all[0].sequence.0 - 1)), 10),
        all,
        "everything lies behind an earlier place"
    );
    assert_eq!(read(Some(Sequence(i64::MIN)), 10), all, "everything lies behind the first place");
    assert_eq!(read(Some(Sequence(i64::MAX)), 10), [], "nothing lies behind the last place");
    assert_eq!(read(None, 0), [], "a limit of zero gives nothing");
}

/// Behind the end lies what is appended later, and nothing else.
pub fn behind_the_end_lies_what_comes_later(store: &dyn Store) {
    let world = World::install(store);
    let behind = |place| world.read(store, |txn| txn.journal().replay(None, Some(place), 10));
    for count in [0, 1, 3] {
        let end = world.read(store, |txn| txn.journal().end());
        assert_eq!(behind(end), [], "nothing lies behind the end");
        let mine = subject(&world);
        append(&world, store, &vec![mine; count]);
        assert_eq!(behind(end).len(), count, "what came later does");
    }
    let all = world.read(store, |txn| txn.journal().replay(None, None, usize::MAX));
    assert_eq!(all.len(), 4, "each entry once");
}

/// Changes keep their fields, order and JSON form; an amount, time or id may come back as the text it is in JSON.
pub fn changes_come_back_as_json_says_them(store: &dyn Store) {
    let world = World::install(store);
    let about_it = subject(&world);
    let values = [
        FieldValue::Empty,
        FieldValue::Text(String::new()),
        FieldValue::Text("👩‍👩‍👧‍👦 %_'\"\\\u{202e}\r\n".to_owned()),
        FieldValue::Bool(false),
        FieldValue::Integer(i64::MIN),
        FieldValue::Integer(i64::MAX),
        FieldValue::Decimal("-99999999999999.9999".parse().unwrap()),
        FieldValue::Time(Timestamp::MAX),
        FieldValue::Id(Uuid::max()),
        FieldValue::List(vec!["a".into(), "b".into()]),
    ];
    let changes: Vec<_> = values
        .iter()
        .zip(values.iter().rev())
        .enumerate()
        .map(|(n, (before, after))| FieldChange::new(&format!("field_{n}"), before.clone(), after.clone()))
        .collect();
    let entry =
        NewEntry::new(about_it, Action::Updated, world.scene.clock_now()).with_changes(changes.clone());
    world.write(store, |txn| txn.journal().append(world.operation, std::slice::from_ref(&entry)));
    let found = about(&world, store, &[about_it]).remove(0).changes;
    let json = |changes: &[FieldChange]| serde_json::to_string(changes).unwrap();
    assert_eq!(json(&found), json(&changes), "changes must keep their fields, order and values");
}

/// The whole journal is read in the order in which it was written, in pages.
pub fn every_operation_is_replayed_in_order(store: &dyn Store) {
    let world = World::install(store);
    let subject = world.company(1, "Nordlys AS").id;
    let entry = || vec![NewEntry::new(subject, Action::Updated, world.scene.clock.now())];
    let second = Operation {
        id: OperationId::from_uuid(world.scene.uuid()),
        kind: OperationKind::Edit,
        actor: Actor::System,
        at: world.scene.clock.now(),
        key: None,
        state: OperationState::Done,
        outcome: None,
    };
    world.write(store, |txn| {
        txn.journal().begin(&second)?;
        for operation in [world.operation, second.id, world.operation, second.id] {
            txn.journal().append(operation, &entry())?;
        }
        Ok(())
    });
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = world.read(store, |txn| txn.journal().replay(None, after, 3));
        let Some(last) = page.last() else { break };
        after = Some(last.sequence);
        seen.extend(page.iter().map(|entry| entry.operation));
    }
    assert_eq!(seen, [world.operation, second.id, world.operation, second.id]);
}
