//! What is left of what was written into a record: what was edited and put back, lifted again or taken back is no change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::{
    Action, Actor, Entry, FieldChange, FieldValue, OperationKind, Sequence, Subject, image_of, plain,
};
use crate::id::OperationId;

use super::super::super::children::{IMAGE, KEPT};

/// The difference that many entries make together: what each field was before the first of them and is after the last, and who
/// wrote it. It grows with the fields, not with the entries.
#[derive(Default)]
pub(super) struct Net {
    fields: BTreeMap<Key, Written>,
    /// Into the trash or out of it, and whether it is there after the last.
    trash: Option<(bool, Writers)>,
    /// Of entries that tell no field.
    bare: Writers,
}

/// A field, or what one other record is to the record.
type Key = (String, Option<Subject>);

struct Written {
    first: FieldValue,
    last: FieldValue,
    by: Writers,
    /// Whether an edit is among it.
    is_edited: bool,
}

/// Who wrote something, each once with the latest place, and by what kind of call.
#[derive(Default)]
struct Writers {
    actors: Vec<(Sequence, Actor)>,
    /// Conversions and ways back among it.
    conversions: BTreeSet<OperationId>,
    /// Of everything else, each once.
    hands: Vec<Actor>,
}

impl Writers {
    fn add(&mut self, entry: &Entry) {
        if !self.actors.iter().any(|(_, actor)| *actor == entry.actor) {
            self.actors.push((entry.sequence, entry.actor.clone()));
        }
        match entry.operation_kind {
            OperationKind::Convert | OperationKind::Unconvert => {
                self.conversions.insert(entry.operation);
            }
            _ if self.hands.contains(&entry.actor) => {}
            _ => self.hands.push(entry.actor.clone()),
        }
    }
}

impl Net {
    /// Adds an entry that is older than those before.
    pub(super) fn add(&mut self, entry: &Entry) {
        if let Some(is_in) = match entry.action {
            Action::Deleted => Some(true),
            Action::Restored => Some(false),
            _ => None,
        } {
            self.trash.get_or_insert_with(|| (is_in, Writers::default())).1.add(entry);
        }
        let told = told(entry);
        if told.is_empty() && !matches!(entry.action, Action::Deleted | Action::Restored) {
            self.bare.add(entry);
        }
        let other = entry.other.filter(|_| matches!(entry.action, Action::Linked | Action::Unlinked));
        for change in told {
            let written = self.fields.entry((change.field, other)).or_insert_with(|| Written {
                first: FieldValue::Empty,
                last: change.after,
                by: Writers::default(),
                is_edited: false,
            });
            written.first = change.before;
            written.by.add(entry);
            written.is_edited |= entry.action == Action::Updated;
        }
    }

    /// Without what is as it was.
    pub(super) fn left(mut self) -> Self {
        self.fields.retain(|_, written| plain(&written.first) != plain(&written.last));
        self.trash = self.trash.filter(|(is_in, _)| *is_in);
        self
    }

    /// Whether the record itself went, and did not come back.
    pub(super) const fn is_trashed(&self) -> bool {
        self.trash.is_some()
    }

    /// The actors that count, of the field or of the record itself, the latest first.
    pub(super) fn writers(&self, counts: impl Fn(&Actor, Option<&str>) -> bool) -> Vec<Actor> {
        let of_fields = self.fields.iter().map(|((field, _), written)| (Some(field.as_str()), &written.by));
        let of_record = self.trash.iter().map(|(_, by)| by).chain([&self.bare]).map(|by| (None, by));
        let all =
            of_fields.chain(of_record).flat_map(|(field, by)| by.actors.iter().map(move |one| (field, one)));
        let mut all: Vec<_> =
            all.filter(|(field, (_, actor))| counts(actor, *field)).map(|(_, one)| one).collect();
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let mut by: Vec<Actor> = Vec::new();
        for (_, actor) in all {
            if !by.contains(actor) {
                by.push(actor.clone());
            }
        }
        by
    }

    /// The fields that were edited, as people read them.
    pub(super) fn edited(&self) -> Vec<String> {
        let edited = self.fields.iter().filter(|((field, _), written)| written.is_edited && !is_kept(field));
        let fields: BTreeSet<_> = edited.map(|((field, _), _)| field.clone()).collect();
        fields.into_iter().collect()
    }

    /// Who wrote by hand what this other record is to the record.
    pub(super) fn hands_on(&self, other: Subject) -> Vec<&Actor> {
        let of_other = self.fields.iter().filter(|((_, one), _)| *one == Some(other));
        of_other.flat_map(|(_, written)| &written.by.hands).collect()
    }

    /// The conversions that wrote one of these fields, or anything where none is named, and who did by hand.
    pub(super) fn touching(&self, fields: Option<&[String]>) -> (BTreeSet<OperationId>, Vec<&Actor>) {
        let touches = |field: &str| {
            let shown = image_of(field);
            let shown = shown.as_ref().map_or(field, |shown| shown.key());
            fields.is_none_or(|fields| fields.iter().any(|one| one == shown))
        };
        let written =
            self.fields.iter().filter(|((field, _), _)| touches(field)).map(|(_, written)| &written.by);
        let of_record = self.trash.iter().map(|(_, by)| by).chain([&self.bare]).filter(|_| fields.is_none());
        let (mut conversions, mut hands) = (BTreeSet::new(), Vec::new());
        for by in written.chain(of_record) {
            conversions.extend(&by.conversions);
            hands.extend(&by.hands);
        }
        (conversions, hands)
    }
}

/// The changes of an entry. The image of a value is there for an undo where its own field says the same; of that of a whole record
/// each part counts by itself.
fn told(entry: &Entry) -> Vec<FieldChange> {
    let has = |field: &str| entry.changes.iter().any(|change| change.field == field);
    let mut told = Vec::new();
    for change in &entry.changes {
        let is_said = || image_of(&change.field).is_some_and(|field| has(field.key()));
        match change.field.as_str() {
            IMAGE => told.extend(parts(change)),
            KEPT => {}
            _ if change.before == change.after || is_said() => {}
            _ => told.push(change.clone()),
        }
    }
    told
}

/// What every write of a record moves.
const MOVES: [&str; 2] = ["revision", "updated_at"];

/// The parts of a record that differ between two images of it.
fn parts(change: &FieldChange) -> Vec<FieldChange> {
    let read = |value: &FieldValue| value.as_text().and_then(|json| serde_json::from_str::<Value>(json).ok());
    // One that came or went is told by that.
    let (Some(before), Some(after)) = (read(&change.before), read(&change.after)) else { return Vec::new() };
    let (before, after) = (flat(&before), flat(&after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let side = |parts: &BTreeMap<String, String>, key: &str| FieldValue::from(parts.get(key).cloned());
    let changes = keys
        .into_iter()
        .map(|key| FieldChange::new(&format!("{IMAGE}:{key}"), side(&before, key), side(&after, key)));
    changes.filter(|change| change.before != change.after).collect()
}

/// The parts of a record, and of its fields.
fn flat(record: &Value) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    for (key, value) in record.as_object().into_iter().flatten() {
        match value {
            Value::Object(fields) if key == "fields" => {
                parts.extend(
                    fields.iter().map(|(field, value)| (format!("{key}.{field}"), value.to_string())),
                );
            }
            _ if MOVES.contains(&key.as_str()) => {}
            _ => {
                parts.insert(key.clone(), value.to_string());
            }
        }
    }
    parts
}

fn is_kept(field: &str) -> bool {
    field.starts_with(IMAGE) || image_of(field).is_some()
}
