//! Everything that happened to a lead or an account, newest first (S0.38, S2.17).
//!
//! A reading of the journal. After a conversion, lead and account show the same history: the lead's, the account's and
//! that of their persons.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Action, Catalogue, ContactFields, Entry, FOLLOWER, Field, FieldType, FieldValue, Reference, Sequence,
    Subject, SubjectKind, TermKind, Topics, image_of,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId};
use crate::query::{MAX_PAGE, Page};
use crate::store::Txn;

use super::access::{shows_hidden, visible};
use super::{accounts, settings};

/// One event, ready to be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineItem {
    /// What the journal holds: who, when, in which operation, what changed.
    pub entry: Entry,
    /// The same in a line of words, as `Status: New → Discussion`.
    pub text: String,
}

/// What happened to a lead, newest first, from before `before`, at most `limit` (1 to 1,000).
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen; `Invalid` for a limit that does not fit.
pub fn of_lead(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    before: Option<Sequence>,
    limit: usize,
) -> Result<Page<TimelineItem, Sequence>> {
    let lead = visible(ctx, txn, lead)?;
    let mut subjects = vec![Subject::from(lead.id)];
    if let Some(conversion) = &lead.conversion {
        subjects.push(conversion.account.into());
    }
    read(ctx, txn, subjects, before, limit)
}

/// What happened to an account and to those of its leads that the actor may see, newest first.
///
/// # Errors
/// `NotFound` when the account does not exist or may not be seen; `Invalid` for a limit that does not fit.
pub fn of_account(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    account: AccountId,
    before: Option<Sequence>,
    limit: usize,
) -> Result<Page<TimelineItem, Sequence>> {
    let mut subjects = vec![Subject::from(account)];
    subjects.extend(accounts::origins(ctx, txn, account)?.into_iter().map(Subject::from));
    read(ctx, txn, subjects, before, limit)
}

fn read(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    mut subjects: Vec<Subject>,
    before: Option<Sequence>,
    limit: usize,
) -> Result<Page<TimelineItem, Sequence>> {
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::invalid_field(
            "limit",
            ViolationCode::OutOfRange,
            "a page has 1 to 1,000 records",
        ));
    }
    let persons = txn.links().from(&subjects, None)?.into_iter();
    subjects.extend(persons.map(|link| link.to).filter(|to| to.kind == SubjectKind::Contact));
    subjects.sort();
    subjects.dedup();
    let found = txn.journal().about(&subjects, Topics::NONE, before, limit.saturating_add(1))?;
    let page = Page::cut(found, limit, |entry: &Entry| entry.sequence);
    let shown_by =
        |key: &str| key.parse().ok().or_else(|| ContactFields::own_field(key).map(|(field, _)| field));
    let hidden = |key: &str| shown_by(key).is_some_and(|field: Field| shows_hidden(ctx, &field));
    let mut entries = page.items;
    for entry in &mut entries {
        // Images are for undo: their fields tell the same to people.
        entry.changes.retain(|change| image_of(&change.field).is_none() && !hidden(&change.field));
    }
    let names = Names::load(ctx, txn, &entries)?;
    let items = entries.into_iter().map(|entry| TimelineItem { text: names.line(&entry), entry }).collect();
    Ok(Page { items, next: page.next })
}

/// What the journal calls a change of the primary contact; it is no field of a lead.
const PRIMARY: &str = "primary_contact";
/// What follows from other changes, and so is kept for an undo but not told.
const QUIET: [Field; 5] =
    [Field::State, Field::StageEnteredAt, Field::ActiveAt, Field::ClosedAt, Field::Rank];

/// What ids are called, for the entries of one page.
struct Names {
    catalogue: Catalogue,
    names: BTreeMap<Uuid, String>,
}

impl Names {
    fn load(ctx: &Context<'_>, txn: &mut dyn Txn, entries: &[Entry]) -> Result<Self> {
        let mut names = BTreeMap::new();
        for pipeline in txn.pipelines().list()? {
            names.extend(pipeline.stages.iter().map(|stage| (stage.id.as_uuid(), stage.name.clone())));
            names.insert(pipeline.id.as_uuid(), pipeline.name);
        }
        for kind in TermKind::ALL {
            let key = kind.field();
            let changed = entries.iter().flat_map(|entry| &entry.changes);
            let ids = changed
                .filter(|change| change.field == key.key())
                .flat_map(|change| change.before.items().iter().chain(change.after.items()));
            let ids: Vec<_> = ids.filter_map(id).collect();
            if !ids.is_empty() {
                let terms = txn.terms().get(kind, &ids)?.into_iter();
                names.extend(terms.map(|record| (record.term.id, record.term.name)));
            }
        }
        let changed = entries.iter().flat_map(|entry| &entry.changes);
        let primary = changed.filter(|change| change.field == PRIMARY).flat_map(|c| [&c.before, &c.after]);
        let persons: Vec<_> = primary.filter_map(id).map(ContactId::from_uuid).collect();
        for person in txn.contacts().get(&persons)? {
            // The actor reads of a person here what it reads in lists.
            let fields = person.fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
            names.insert(person.id.as_uuid(), fields.display_name().unwrap_or("–").to_owned());
        }
        Ok(Self { catalogue: settings::load_catalogue(txn)?.1, names })
    }

    fn line(&self, entry: &Entry) -> String {
        let what = match (entry.subject.kind, entry.action) {
            (SubjectKind::Lead, Action::Created) if entry.other.is_some() => "Copied from another lead",
            (SubjectKind::Lead, Action::Created) => "Lead created",
            (SubjectKind::Contact, Action::Created) => "Contact created",
            (SubjectKind::Account, Action::Created) => "Account created",
            (_, Action::Created) => "Created",
            (_, Action::Linked) => "Contact added",
            (_, Action::Unlinked) => "Contact removed",
            (_, Action::Deleted) => "Moved to the trash",
            (_, Action::Restored) => "Restored from the trash",
            (_, Action::Purged) => "Removed for good",
            (_, Action::Converted) => "Converted to an account",
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
            let field = change.field.parse::<Field>().ok();
            let label = match &field {
                Some(field) => self.catalogue.spec(field).label,
                None if change.field == PRIMARY => "Primary contact".to_owned(),
                None => ContactFields::own_field(&change.field)
                    .map_or_else(|| change.field.clone(), |(_, label)| label.to_owned()),
            };
            format!(
                "{label}: {} → {}",
                self.show(field.as_ref(), &change.before),
                self.show(field.as_ref(), &change.after)
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
    fn choice(&self, field: Option<&Field>, code: &str) -> Option<&str> {
        let Some(Field::Custom(key)) = field else { return None };
        let choices = self.catalogue.custom_field(key)?.kind.choices()?;
        choices.iter().find(|choice| choice.code == code).map(|choice| choice.label.as_str())
    }

    fn show(&self, field: Option<&Field>, value: &FieldValue) -> String {
        let refers = field.is_none_or(|field| {
            matches!(
                field.field_type(),
                FieldType::Reference(Reference::Stage | Reference::Pipeline | Reference::Term(_))
            )
        });
        let one = |value: &FieldValue| match (id(value).filter(|_| refers), value) {
            (Some(id), _) => self.names.get(&id).cloned().unwrap_or_else(|| id.to_string()),
            (None, FieldValue::Text(text)) if matches!(field, Some(Field::Email | Field::Phone)) => {
                // Nothing is said of this address.
                text.strip_suffix(" ()").unwrap_or(text).to_owned()
            }
            (None, FieldValue::Text(text)) => self.choice(field, text).unwrap_or(text).to_owned(),
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

/// An id, also one that came back from JSON as text.
fn id(value: &FieldValue) -> Option<Uuid> {
    match value {
        FieldValue::Id(id) => Some(*id),
        FieldValue::Text(text) if text.len() == 36 => Uuid::try_parse(text).ok(),
        _ => None,
    }
}
