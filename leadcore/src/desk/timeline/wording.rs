//! The entries of a timeline in words.

use std::collections::BTreeMap;

use chrono::FixedOffset;
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Action, Catalogue, CatalogueKind, ContactFields, CustomKey, Entry, FOLLOWER, Field, FieldChange,
    FieldType, FieldValue, Reference, SubjectKind, TermKind, Topic,
};
use crate::error::Result;
use crate::id::ContactId;
use crate::store::Txn;
use crate::time::Timestamp;

use super::super::contacts::PRIMARY;
use super::super::settings;

/// What follows from other changes, and so is kept for an undo but not told.
const QUIET: [Field; 5] =
    [Field::State, Field::StageEnteredAt, Field::ActiveAt, Field::ClosedAt, Field::Rank];

/// What ids are called, for the entries of one page.
pub(super) struct Names {
    /// Where fields are told: those of leads, and of other records whose own fields changed.
    catalogues: Vec<Catalogue>,
    names: BTreeMap<Uuid, String>,
    offset: FixedOffset,
}

impl Names {
    pub(super) fn load(ctx: &Context<'_>, txn: &mut dyn Txn, entries: &[Entry]) -> Result<Self> {
        let mut names = BTreeMap::new();
        let changed = || entries.iter().flat_map(|entry| &entry.changes);
        let moved = |field: &str| field == Field::Stage.key() || field == Field::Pipeline.key();
        if changed().any(|change| moved(&change.field)) {
            for pipeline in txn.pipelines().list()? {
                names.extend(pipeline.stages.iter().map(|stage| (stage.id.as_uuid(), stage.name.clone())));
                names.insert(pipeline.id.as_uuid(), pipeline.name);
            }
        }
        for kind in TermKind::ALL {
            let key = kind.field();
            let ids = changed()
                .filter(|change| change.field == key.key())
                .flat_map(|change| change.before.items().iter().chain(change.after.items()));
            let ids: Vec<_> = ids.filter_map(FieldValue::as_id).collect();
            if !ids.is_empty() {
                let terms = txn.terms().get(kind, &ids)?.into_iter();
                names.extend(terms.map(|record| (record.term.id, record.term.name)));
            }
        }
        let primary = changed().filter(|change| change.field == PRIMARY).flat_map(|c| [&c.before, &c.after]);
        let persons: Vec<_> = primary.filter_map(FieldValue::as_id).map(ContactId::from_uuid).collect();
        let persons = if persons.is_empty() { Vec::new() } else { txn.contacts().get(&persons)? };
        for person in persons {
            // The actor reads of a person here what it reads in lists.
            let fields = person.fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
            names.insert(person.id.as_uuid(), fields.display_name().unwrap_or("–").to_owned());
        }
        let changed = |entry: &Entry| matches!(entry.action, Action::Updated | Action::Moved);
        let of_fields = |entry: &Entry| !entry.subject.kind.is_child() && changed(entry);
        let own = |entry: &Entry, kind| {
            let own = |change: &FieldChange| change.field.starts_with(CustomKey::PREFIX);
            fields_of(entry.subject.kind) == kind && changed(entry) && entry.changes.iter().any(own)
        };
        let mut catalogues = Vec::new();
        for kind in CatalogueKind::ALL {
            let told = match kind {
                CatalogueKind::Lead => entries.iter().any(of_fields),
                _ => entries.iter().any(|entry| own(entry, kind)),
            };
            if told {
                catalogues.push(settings::load_catalogue_of(txn, kind)?.1);
            }
        }
        Ok(Self { catalogues, names, offset: ctx.utc_offset() })
    }

    /// The catalogue that a field of a record is in.
    fn catalogue(&self, of: SubjectKind, field: Option<&Field>) -> Option<&Catalogue> {
        let custom = matches!(field, Some(Field::Custom(_)));
        let kind = if custom { fields_of(of) } else { CatalogueKind::Lead };
        self.catalogues.iter().find(|catalogue| catalogue.kind() == kind)
    }

    /// What people call a field that the tenant added.
    fn own_label(&self, of: SubjectKind, field: Option<&Field>) -> Option<String> {
        field.filter(|field| matches!(field, Field::Custom(_)))?;
        Some(self.catalogue(of, field)?.spec(field?).label)
    }

    /// What happened to a note, a task, a file: what it is, what was done with it, and its title or what changed.
    fn child_line(&self, entry: &Entry) -> String {
        let topic = entry.topics.iter().next().map_or(entry.subject.kind.code(), Topic::code);
        let done = match (entry.action, topic) {
            (Action::Created, "call") => "logged",
            (Action::Created, "message") => "recorded",
            (Action::Created, _) => "added",
            (Action::Deleted, _) => "removed",
            (Action::Restored, _) => "brought back",
            _ => "changed",
        };
        let told = match entry.action {
            Action::Updated => {
                let changed = entry.changes.iter().filter(|change| change.before != change.after);
                let changed = changed.map(|change| {
                    let of = entry.subject.kind;
                    let field = Field::known(&change.field);
                    if let Some(label) = self.own_label(of, field.as_ref()) {
                        let show = |value| self.show(of, field.as_ref(), value);
                        return format!("{label}: {} → {}", show(&change.before), show(&change.after));
                    }
                    let (before, after) = (self.plain(&change.before), self.plain(&change.after));
                    format!("{}: {before} → {after}", worded(&change.field))
                });
                changed.collect::<Vec<_>>().join("; ")
            }
            // The title comes first, else a text says what it is; what was removed has them in the values before.
            _ => {
                let text = entry.changes.iter().filter(|change| change.field == "text");
                let said = entry.changes.iter().take(1).chain(text);
                let said = said.flat_map(|change| [&change.after, &change.before]);
                let mut said = said.filter(|value| !value.is_empty());
                said.next().map_or_else(String::new, |value| self.plain(value))
            }
        };
        let what = worded(topic);
        if told.is_empty() { format!("{what} {done}") } else { format!("{what} {done}: {told}") }
    }

    /// A value of a child: times as the reader reads them.
    fn plain(&self, value: &FieldValue) -> String {
        let time =
            |at: Timestamp| at.to_datetime().with_timezone(&self.offset).format("%Y-%m-%d %H:%M").to_string();
        match value {
            FieldValue::Time(at) => time(*at),
            FieldValue::Text(text) if text.ends_with('Z') => text.parse().map_or_else(|_| text.clone(), time),
            other => self.show(SubjectKind::Activity, None, other),
        }
    }

    pub(super) fn line(&self, entry: &Entry) -> String {
        if entry.subject.kind.is_child() {
            return self.child_line(entry);
        }
        let what = match (entry.subject.kind, entry.action) {
            (SubjectKind::Lead, Action::Created) if entry.other.is_some() => "Copied from another lead",
            (SubjectKind::Lead, Action::Created) => "Lead created",
            (SubjectKind::Contact, Action::Created) => "Contact created",
            (SubjectKind::Account, Action::Created) => "Account created",
            (_, Action::Created) => "Created",
            (_, Action::Linked) => "Contact added",
            (_, Action::Unlinked) => "Contact removed",
            (SubjectKind::Contact, Action::Deleted) => "Contact removed",
            (SubjectKind::Account, Action::Deleted) => "Account archived",
            (_, Action::Deleted) => "Moved to the trash",
            (SubjectKind::Account, Action::Restored) => "Account brought back",
            (_, Action::Restored) => "Restored from the trash",
            (_, Action::Purged) => "Removed for good",
            (_, Action::Converted) if entry.other.is_some_and(|other| other.kind == SubjectKind::Contact) => {
                "Converted to contacts"
            }
            (_, Action::Converted) => "Converted to an account",
            (_, Action::Unconverted) => "Conversion taken back",
            (_, Action::Updated | Action::Moved) => "",
        };
        if !what.is_empty() {
            return what.to_owned();
        }
        if let Some(change) = entry.changes.iter().find(|change| change.field == FOLLOWER) {
            let follows = if change.after.is_empty() { "no longer follows" } else { "follows" };
            let user = change.after.as_text().or(change.before.as_text()).unwrap_or("–");
            return format!("{user} {follows}");
        }
        let told =
            entry.changes.iter().filter(|change| !QUIET.iter().any(|quiet| change.field == quiet.key()));
        let changes = told.map(|change| {
            let field = Field::known(&change.field);
            let label = match &field {
                Some(field) => self
                    .catalogue(entry.subject.kind, Some(field))
                    .map_or_else(|| field.key().to_owned(), |known| known.spec(field).label),
                None if change.field == PRIMARY => "Primary contact".to_owned(),
                None => ContactFields::own_field(&change.field)
                    .map_or_else(|| change.field.clone(), |(_, label)| label.to_owned()),
            };
            format!(
                "{label}: {} → {}",
                self.show(entry.subject.kind, field.as_ref(), &change.before),
                self.show(entry.subject.kind, field.as_ref(), &change.after)
            )
        });
        let line = changes.collect::<Vec<_>>().join("; ");
        if line.is_empty() && entry.changes.iter().any(|change| change.field == Field::Rank.key()) {
            return "Card moved".to_owned();
        }
        // Nothing is left to tell where everything that changed is hidden from the reader.
        if line.is_empty() { "Changed".to_owned() } else { line }
    }

    /// What people read for the code of a choice.
    fn choice(&self, of: SubjectKind, field: Option<&Field>, code: &str) -> Option<&str> {
        let Some(Field::Custom(key)) = field else { return None };
        let choices = self.catalogue(of, field)?.custom_field(key)?.kind.choices()?;
        choices.iter().find(|choice| choice.code == code).map(|choice| choice.label.as_str())
    }

    fn show(&self, of: SubjectKind, field: Option<&Field>, value: &FieldValue) -> String {
        let refers = field.is_none_or(|field| {
            matches!(
                field.field_type(),
                FieldType::Reference(Reference::Stage | Reference::Pipeline | Reference::Term(_))
            )
        });
        let one = |value: &FieldValue| match (value.as_id().filter(|_| refers), value) {
            (Some(id), _) => self.names.get(&id).cloned().unwrap_or_else(|| id.to_string()),
            (None, FieldValue::Text(text)) if matches!(field, Some(Field::Email | Field::Phone)) => {
                // Nothing is said of this address.
                text.strip_suffix(" ()").unwrap_or(text).to_owned()
            }
            (None, FieldValue::Text(text)) => self.choice(of, field, text).unwrap_or(text).to_owned(),
            (None, FieldValue::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
            (None, FieldValue::Integer(number)) => number.to_string(),
            (None, FieldValue::Decimal(number)) => number.to_string(),
            (None, FieldValue::Date(day)) => day.to_string(),
            (None, FieldValue::Time(at)) => at.to_string(),
            _ => "–".to_owned(),
        };
        let shown: Vec<_> = value.items().iter().map(one).collect();
        if shown.is_empty() { "–".to_owned() } else { shown.join(", ") }
    }
}

/// Whose fields the custom fields of a record are.
const fn fields_of(kind: SubjectKind) -> CatalogueKind {
    match kind {
        SubjectKind::Account => CatalogueKind::Account,
        SubjectKind::Contact => CatalogueKind::Contact,
        SubjectKind::Opportunity => CatalogueKind::Opportunity,
        _ => CatalogueKind::Lead,
    }
}

/// `remind_at` as `Remind at`.
fn worded(key: &str) -> String {
    let text = key.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
