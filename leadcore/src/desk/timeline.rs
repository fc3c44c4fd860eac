//! Everything that happened to a lead, an account or a person, newest first (S0.38, S2.17).
//!
//! A reading of the journal. After a conversion, lead and account show the same history: the lead's, the account's, that
//! of their persons, and that of the notes, tasks, files and the like about any of them.

mod wording;

use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    ContactFields, Entry, Field, FieldValue, IMPORT_LINE, Sequence, Subject, SubjectKind, Topic, Topics,
    image_of,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId};
use crate::query::{MAX_PAGE, Page};
use crate::store::Txn;

use super::access::shows_hidden;
use super::contacts::PRIMARY;
use super::listing::check_limit;
use super::{children, estimates, opportunities, services};
use wording::Names;

/// One event, ready to be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineItem {
    /// What the journal holds: who, when, in which operation, what changed.
    pub entry: Entry,
    /// The same in a line of words, as `Status: New → Discussion` or `Note added: Called back`.
    pub text: String,
    /// What it is about, for chips.
    pub topics: Vec<Topic>,
}

/// Which part of a history is read.
///
/// ```
/// use leadcore::desk::timeline::TimelineQuery;
/// use leadcore::domain::Topic;
/// let talks = TimelineQuery::new(20).topics(&[Topic::Call, Topic::Meeting]);
/// assert!(talks.topics.is_some_and(|topics| topics.has(Topic::Call)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineQuery {
    /// Only what is about one of these topics; everything when not said.
    pub topics: Option<Topics>,
    /// From before this place: the `next` of the page before.
    pub before: Option<Sequence>,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl TimelineQuery {
    /// The latest events, at most so many.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { topics: None, before: None, limit }
    }

    /// Only what is about one of these topics: one at the least.
    #[must_use]
    pub fn topics(mut self, topics: &[Topic]) -> Self {
        self.topics = Some(Topics::of(topics));
        self
    }

    /// From before this place.
    #[must_use]
    pub const fn before(mut self, place: Option<Sequence>) -> Self {
        self.before = place;
        self
    }
}

impl Default for TimelineQuery {
    fn default() -> Self {
        Self::new(50)
    }
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
    of(ctx, txn, lead, &TimelineQuery::new(limit).before(before))
}

/// What happened to an account and to the leads that became it, newest first.
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
    of(ctx, txn, account, &TimelineQuery::new(limit).before(before))
}

/// What happened to a lead, an account, a person, or one note, task or file, newest first: with it what happened to its
/// persons, to what it was converted from or into, and to what is about any of these. An event about several of them is
/// shown once.
///
/// ```
/// use leadcore::desk::{activities, timeline::{self, TimelineQuery}};
/// use leadcore::domain::{ActivityBody, ActivityFields, Topic};
/// use leadcore::prelude::*;
/// # let store = MemoryStore::new();
/// # let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// # let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let page = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let (title, text) = (Some("Asked for prices".to_owned()), Some("By phone.".to_owned()));
///     let note = ActivityFields { title, text, assignee: None, remind_at: None, body: ActivityBody::Note };
///     activities::add(&ctx, txn, &[lead.id.into()], note)?;
///     timeline::of(&ctx, txn, lead.id, &TimelineQuery::new(10).topics(&[Topic::Note]))
/// })?;
/// assert_eq!(page.items[0].text, "Note added: Asked for prices");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` when there is no such record, or none that the actor may see; `Invalid` for a limit that does not fit, or no
/// topic at all.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    query: &TimelineQuery,
) -> Result<Page<TimelineItem, Sequence>> {
    let subjects = children::shown_with(ctx, txn, subject.into())?;
    read(ctx, txn, subjects, query)
}

pub(super) fn read(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    mut subjects: Vec<Subject>,
    query: &TimelineQuery,
) -> Result<Page<TimelineItem, Sequence>> {
    check_limit(query.limit)?;
    if query.topics.is_some_and(Topics::is_empty) {
        let message = "an empty list is of nothing; leave it out for all of them";
        return Err(Error::invalid_field("topics", ViolationCode::Required, message));
    }
    let topics = query.topics.unwrap_or(Topics::NONE);
    let persons = persons_of(ctx, txn, &subjects)?;
    subjects.extend(persons);
    subjects.sort();
    subjects.dedup();
    let (mut entries, next) = events(txn, &subjects, topics, query)?;
    let shown_by =
        |key: &str| Field::known(key).or_else(|| ContactFields::own_field(key).map(|(field, _)| field));
    let hidden = |key: &str| shown_by(key).is_some_and(|field: Field| shows_hidden(ctx, &field));
    for entry in &mut entries {
        // Images are for undo: their fields tell the same to people.
        let is_image =
            |field: &str| matches!(field, children::IMAGE | children::KEPT) || image_of(field).is_some();
        // What hangs on a lead has fields of its own, but that products add up to the amount of the lead, and that
        // opportunities and services say some of what it says.
        let kind = entry.subject.kind;
        let is_hidden = |field: &str| match kind {
            SubjectKind::Lines => hidden("amount"),
            SubjectKind::Opportunity => opportunities::is_hidden(ctx, field),
            SubjectKind::Service => services::is_hidden(ctx, field),
            SubjectKind::Estimate => estimates::is_hidden(ctx, field),
            kind if kind.is_child() => false,
            _ => hidden(field),
        };
        entry.changes.retain(|change| {
            !is_image(&change.field) && !is_hidden(&change.field) && change.field != IMPORT_LINE
        });
    }
    hide_persons(ctx, txn, &mut entries)?;
    let names = Names::load(ctx, txn, &entries)?;
    let others = unseen(ctx, txn, &entries)?;
    let item = |mut entry: Entry| {
        let text = names.line(&entry);
        entry.other = entry.other.filter(|other| !others.contains(other));
        TimelineItem { text, topics: entry.topics.iter().collect(), entry }
    };
    Ok(Page { items: entries.into_iter().map(item).collect(), next })
}

/// The persons of these records. Of a lead out of sight, whose history the customer tells, those who came along.
fn persons_of(ctx: &Context<'_>, txn: &mut dyn Txn, subjects: &[Subject]) -> Result<Vec<Subject>> {
    let links = txn.links().from(subjects, None)?.into_iter();
    let mut persons: Vec<_> =
        links.map(|link| link.to).filter(|to| to.kind == SubjectKind::Contact).collect();
    let mut sight = children::Sight::open(ctx, txn)?;
    if !sight.is_unlimited() {
        sight.learn(txn, &persons)?;
        persons.retain(|person| sight.shows(&[*person]));
    }
    Ok(persons)
}

/// Leaves out which person was, or became, the primary contact, where the actor is not shown that person.
fn hide_persons(ctx: &Context<'_>, txn: &mut dyn Txn, entries: &mut [Entry]) -> Result<()> {
    let person = |value: &FieldValue| value.as_id().map(|id| Subject::new(SubjectKind::Contact, id));
    let told = entries.iter().flat_map(|entry| &entry.changes).filter(|change| change.field == PRIMARY);
    let persons: Vec<_> =
        told.flat_map(|change| [&change.before, &change.after]).filter_map(person).collect();
    if persons.is_empty() {
        return Ok(());
    }
    let mut sight = children::Sight::open(ctx, txn)?;
    if sight.is_unlimited() {
        return Ok(());
    }
    sight.learn(txn, &persons)?;
    for entry in entries {
        for change in entry.changes.iter_mut().filter(|change| change.field == PRIMARY) {
            for value in [&mut change.before, &mut change.after] {
                if person(value).is_some_and(|person| !sight.shows(&[person])) {
                    *value = FieldValue::Empty;
                }
            }
        }
        entry.changes.retain(|change| change.field != PRIMARY || change.before != change.after);
    }
    Ok(())
}

/// The other records of these entries that the actor may not know of.
fn unseen(ctx: &Context<'_>, txn: &mut dyn Txn, entries: &[Entry]) -> Result<Vec<Subject>> {
    let guarded = |subject: &Subject| {
        let of_people =
            matches!(subject.kind, SubjectKind::Lead | SubjectKind::Account | SubjectKind::Contact);
        of_people || subject.kind.is_child()
    };
    let others: Vec<_> = entries.iter().filter_map(|entry| entry.other).filter(guarded).collect();
    children::unseen(ctx, txn, &others)
}

/// The entries of a page, those of one event once, and where the next page begins: behind all entries of the last event.
fn events(
    txn: &mut dyn Txn,
    subjects: &[Subject],
    topics: Topics,
    query: &TimelineQuery,
) -> Result<(Vec<Entry>, Option<Sequence>)> {
    let mut events: Vec<Entry> = Vec::new();
    // What the last event was told of, and the place of its last entry.
    let mut others: Vec<Option<Subject>> = Vec::new();
    let (mut before, mut end) = (query.before, None);
    // Most events are one entry. Where they are not, each round reads twice as many as the one before.
    let mut wanted = query.limit.saturating_add(1);
    loop {
        let found = txn.journal().about(subjects, topics, before, wanted)?;
        let is_last = found.len() < wanted;
        for entry in found {
            let same = events.last().is_some_and(|last| {
                entry.subject.kind.is_child()
                    && (last.operation, last.subject, last.action)
                        == (entry.operation, entry.subject, entry.action)
                    && !others.contains(&entry.other)
            });
            if !same {
                if events.len() == query.limit {
                    return Ok((events, end));
                }
                others.clear();
            }
            (before, end) = (Some(entry.sequence), Some(entry.sequence));
            others.push(entry.other);
            if !same {
                events.push(entry);
            }
        }
        if is_last {
            return Ok((events, None));
        }
        wanted = wanted.saturating_mul(2).min(MAX_PAGE.saturating_add(1));
    }
}
