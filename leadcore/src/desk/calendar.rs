//! The calendar (S0.31, S0.32): calls, tasks and meetings of a range of time, in order, series expanded.
//!
//! A page is read by walks of an index, however many entries the range has. Series are expanded from where the page begins,
//! a stretch of days at a time until it is full, and of each stretch only those that can touch one of its days.

mod month;

use std::collections::BTreeSet;

use chrono::{FixedOffset, TimeDelta};

use crate::context::Context;
use crate::domain::{Activity, ActivityBody, ActivityKind, Meeting, Moment, Place, Subject, Tab, occurrence};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{ActivityId, UserId};
use crate::query::{Asked, ListCursor, MAX_PAGE};
use crate::store::{AgendaQuery, ChildQuery, Txn};
use crate::time::{Date, Timestamp};

use super::children;
use super::listing::{kinds_violation, limit_violation};
use super::live::Live;

pub use month::{month, month_of};

/// The widest range, in days.
const WIDEST: i64 = 366;
/// How many activities are read at once.
const CHUNK: usize = 500;
/// The kinds that have a place in a calendar.
const KINDS: [ActivityKind; 3] = [ActivityKind::Call, ActivityKind::Task, ActivityKind::Meeting];

/// Which part of the calendar to show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverviewQuery {
    /// From this time on.
    pub from: Timestamp,
    /// To before this time: at most 366 days later.
    pub to: Timestamp,
    /// Calls, tasks or meetings; all of them, when not said.
    pub kinds: Option<Vec<ActivityKind>>,
    /// Those that this user turns to.
    pub assignee: Option<UserId>,
    /// Those about this lead, contact or account; about anything, when there is none.
    pub about: Option<Subject>,
    /// From behind this place: that of [`Overview::next`], of the same range, kinds, user and record.
    pub after: Option<ListCursor>,
    /// At most so many entries, 1 to 1,000.
    pub limit: usize,
}

impl OverviewQuery {
    /// Everything from one time on to before another: the first 1,000 entries.
    #[must_use]
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to, kinds: None, assignee: None, about: None, after: None, limit: MAX_PAGE }
    }

    /// Of these kinds only: one at the least.
    #[must_use]
    pub fn kinds(mut self, kinds: &[ActivityKind]) -> Self {
        self.kinds = Some(kinds.to_vec());
        self
    }

    /// Of this user only.
    #[must_use]
    pub fn assigned_to(mut self, user: &UserId) -> Self {
        self.assignee = Some(user.clone());
        self
    }

    /// About this lead, contact or account only.
    #[must_use]
    pub fn about(mut self, subject: impl Into<Subject>) -> Self {
        self.about = Some(subject.into());
        self
    }

    /// From behind this place.
    #[must_use]
    pub const fn after(mut self, place: Option<ListCursor>) -> Self {
        self.after = place;
        self
    }

    /// At most so many entries.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    fn check(&self) -> Result<()> {
        let mut broken = Vec::new();
        if self.to <= self.from {
            broken.push(Violation::new("to", ViolationCode::OutOfRange, "a range ends after it begins"));
        }
        if self.to.since(self.from) > TimeDelta::days(WIDEST) {
            broken.push(Violation::new("to", ViolationCode::OutOfRange, "a range has at most 366 days"));
        }
        let kinds = self.kinds.as_deref().unwrap_or(&KINDS);
        broken.extend(kinds_violation(kinds));
        if !kinds.iter().all(|kind| KINDS.contains(kind)) {
            let message = "only calls, tasks and meetings have a place in a calendar";
            broken.push(Violation::new("kinds", ViolationCode::NotAllowed, message));
        }
        broken.extend(limit_violation(self.limit));
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// The range of places to look at: whole days lie up to fourteen hours apart from where they begin somewhere, and end up to
    /// a day behind it.
    fn reach(&self) -> (Timestamp, Timestamp) {
        (self.from.saturating_add(TimeDelta::days(-1)), self.to.saturating_add(TimeDelta::days(1)))
    }

    /// What its cursors belong to.
    fn list(&self) -> Asked {
        let kinds = self.kinds.as_deref().unwrap_or(&KINDS);
        let kinds: BTreeSet<_> = kinds.iter().map(|kind| kind.code()).collect();
        Asked::new(&("calendar", self.from, self.to, kinds, &self.assignee, self.about))
    }

    fn agenda(&self, after: Option<Place>) -> AgendaQuery {
        let (from, to) = self.reach();
        AgendaQuery {
            from,
            to,
            kinds: self.kinds.clone().unwrap_or_else(|| KINDS.to_vec()),
            assignee: self.assignee.clone(),
            after,
            limit: CHUNK,
        }
    }
}

/// One entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// The activity.
    pub activity: ActivityId,
    /// What it is.
    pub kind: ActivityKind,
    /// What it is about, in a line.
    pub title: Option<String>,
    /// Who turns to it.
    pub assignee: Option<UserId>,
    /// When it begins; a whole day says which.
    pub start: Moment,
    /// When it ends; of whole days the last one.
    pub end: Moment,
    /// Whether something is still to be done about it.
    pub is_open: bool,
    /// Whether it does not take place.
    pub canceled: bool,
    /// The records that it is about and that the actor may see.
    pub about: Vec<Subject>,
    /// Of a series, which occurrence: the day where the meeting is held.
    pub occurrence: Option<Date>,
}

impl CalendarEntry {
    /// The place of this entry, for the page behind it.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { at: self.start.at, child: self.activity.as_uuid() }
    }
}

/// A page of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The entries: by when they begin, then by activity.
    pub entries: Vec<CalendarEntry>,
    /// The place behind the last one, when there may be more.
    pub next: Option<ListCursor>,
    /// Series that cannot be expanded here: because they have too many occurrences before, or are of a time zone that this
    /// program does not know.
    pub unexpanded: Vec<ActivityId>,
}

/// The calls, tasks and meetings that fall into a range of time, be it in part, in order.
///
/// Shown is what is about at least one record that the actor may see and that is not in the trash. When the actor sees
/// little of what there is, a page may have fewer entries than asked for, and a next one.
///
/// ```
/// # #[cfg(feature = "calendar")] {
/// use leadcore::desk::{activities, calendar};
/// use leadcore::domain::{ActivityFields, Recurrence};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let at = |text: &str| text.parse::<Timestamp>();
/// let (from, to) = (at("2026-10-18T22:00:00Z")?, at("2026-11-30T23:00:00Z")?);
/// let weekly = ActivityFields::meeting("Weekly", at("2026-10-19T07:00:00Z")?, at("2026-10-19T08:00:00Z")?)
///     .zone("Europe/Oslo")
///     .recurring(Recurrence::weekly());
/// let overview = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     activities::add(&ctx, txn, &[lead.id.into()], weekly.clone())?;
///     calendar::overview(&ctx, txn, &calendar::OverviewQuery::new(from, to))
/// })?;
/// let starts: Vec<_> = overview.entries.iter().map(|entry| entry.start.at.to_string()).collect();
/// // Nine o'clock in Oslo, before and after the clocks are put back.
/// assert_eq!(starts[..2], ["2026-10-19T07:00:00Z", "2026-10-26T08:00:00Z"]);
/// # }
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a range, kind or limit that does not fit, or a cursor of another list; `NotFound` for a record that the actor may not see; `Denied`.
pub fn overview(ctx: &Context<'_>, txn: &mut dyn Txn, query: &OverviewQuery) -> Result<Overview> {
    query.check()?;
    let mut live = Live::open(ctx, txn)?;
    let list = query.list();
    let after = list.place(query.after.as_ref())?;
    let mut found = Found::new(query, after, ctx.utc_offset());
    let horizon = match query.about {
        Some(about) => {
            let about = children::shown_with(ctx, txn, about)?;
            found.read_children(txn, &mut live, about)?;
            None
        }
        None => {
            let horizon = found.read_single(txn, &mut live)?;
            found.read_series(txn, &mut live, horizon)?
        }
    };
    Ok(found.page(list, horizon))
}

/// The entries of a page, as they are found.
struct Found<'q> {
    query: &'q OverviewQuery,
    after: Option<Place>,
    offset: FixedOffset,
    /// Where series are expanded now, and whether it is the first stretch: what began before it belongs to that one.
    stretch: (Timestamp, Timestamp),
    is_first: bool,
    entries: Vec<CalendarEntry>,
    unexpanded: Vec<ActivityId>,
    /// How many entries were found, also those that were cut off.
    kept: usize,
}

impl<'q> Found<'q> {
    fn new(query: &'q OverviewQuery, after: Option<Place>, offset: FixedOffset) -> Self {
        let (from, to) = query.reach();
        let from = after.map_or(from, |after| from.max(after.at));
        let (entries, unexpanded) = (Vec::new(), Vec::new());
        Self { query, after, offset, stretch: (from, to), is_first: true, entries, unexpanded, kept: 0 }
    }

    /// Reads series up to a place, stretch by stretch until the page is full. Gives the place up to which was read.
    fn read_series(
        &mut self,
        txn: &mut dyn Txn,
        live: &mut Live,
        horizon: Option<Place>,
    ) -> Result<Option<Place>> {
        let (mut begin, instant) = (self.stretch.0, TimeDelta::microseconds(1));
        // At the least, what goes on when the page begins.
        let to = self.stretch.1;
        let last = horizon.map_or(to, |place| to.min(place.at.saturating_add(instant)));
        let last = last.max(begin.saturating_add(instant));
        let mut days = 1;
        loop {
            let end = last.min(begin.saturating_add(TimeDelta::days(days)));
            self.stretch = (begin, end);
            self.read_stretch(txn, live)?;
            if end >= last {
                return Ok(horizon);
            }
            if self.entries.iter().filter(|entry| entry.start.at < end).count() > self.query.limit {
                return Ok(Some(Place { at: end.saturating_add(-instant), child: uuid::Uuid::max() }));
            }
            (begin, days, self.is_first) = (end, days.saturating_mul(2), false);
        }
    }

    fn read_stretch(&mut self, txn: &mut dyn Txn, live: &mut Live) -> Result<()> {
        let mut after = None;
        loop {
            let mut agenda = self.query.agenda(after);
            (agenda.from, agenda.to) = self.stretch;
            let page = txn.agenda().series(&agenda)?;
            live.learn(txn, page.iter())?;
            page.iter().for_each(|activity| self.add(activity, live));
            let last = page.last().and_then(|last| Some((last.agenda()?.until, last.id.as_uuid())));
            match last {
                Some((at, child)) if page.len() == CHUNK => after = Some(Place { at, child }),
                _ => return Ok(()),
            }
        }
    }

    /// Reads what is no series. Gives the place up to which was read, when there is more behind it.
    fn read_single(&mut self, txn: &mut dyn Txn, live: &mut Live) -> Result<Option<Place>> {
        let (query, before) = (self.query, self.kept);
        let read = |txn: &mut dyn Txn, after, limit| {
            txn.agenda().between(&AgendaQuery { limit, ..query.agenda(after) })
        };
        let place = |activity: &Activity| Place { at: activity.at(), child: activity.id.as_uuid() };
        live.rounds(
            txn,
            self.after,
            query.limit,
            read,
            |one| (one, place(one)),
            |live, page| {
                page.iter().for_each(|activity| self.add(activity, live));
                self.kept.saturating_sub(before)
            },
        )
    }

    /// Reads what is about these records, of which each has some hundreds at most.
    fn read_children(&mut self, txn: &mut dyn Txn, live: &mut Live, about: Vec<Subject>) -> Result<()> {
        let kinds = self.query.agenda(None).kinds;
        let tabs: Vec<_> = kinds.into_iter().map(Tab::Activity).collect();
        let mut list = ChildQuery { about, tabs, open: None, descending: false, after: None, limit: CHUNK };
        loop {
            let page = txn.children().list(&list)?;
            let ids: Vec<_> = page.iter().map(|placed| ActivityId::from_uuid(placed.child.id)).collect();
            let activities = txn.activities().get(&ids)?;
            live.learn(txn, activities.iter())?;
            for activity in &activities {
                if self.query.assignee.is_none() || self.query.assignee == activity.fields.assignee {
                    self.add(activity, live);
                }
            }
            match page.last() {
                Some(last) if page.len() == CHUNK && last.at < self.query.reach().1 => {
                    list.after = Some(last.place());
                }
                _ => return Ok(()),
            }
        }
    }

    fn add(&mut self, activity: &Activity, live: &Live) {
        let about = live.of(&activity.about);
        if about.is_empty() {
            return;
        }
        let fields = &activity.fields;
        let entry = |start: Moment, end: Moment| CalendarEntry {
            activity: activity.id,
            kind: activity.kind(),
            title: fields.title.clone(),
            assignee: fields.assignee.clone(),
            start,
            end,
            is_open: activity.is_open(),
            canceled: false,
            about: about.clone(),
            occurrence: None,
        };
        match &fields.body {
            ActivityBody::Meeting(meeting) => self.add_meeting(activity.id, meeting, entry),
            ActivityBody::Call(call) => {
                let seconds = TimeDelta::seconds(call.duration.unwrap_or_default().into());
                self.keep(entry(Moment::at(call.at), Moment::at(call.at.saturating_add(seconds))));
            }
            ActivityBody::Task(task) => {
                if let Some(due) = task.due {
                    self.keep(entry(due, due));
                }
            }
            _ => {}
        }
        // Only the first ones are of use.
        if self.entries.len() > self.query.limit.saturating_mul(4).max(CHUNK.saturating_mul(8)) {
            self.cut();
        }
    }

    fn add_meeting(
        &mut self,
        id: ActivityId,
        meeting: &Meeting,
        entry: impl Fn(Moment, Moment) -> CalendarEntry,
    ) {
        let (from, to) = self.stretch;
        // Those that began before and still go on: one a day for the longest meeting there is.
        let limit = self.query.limit.saturating_add(375);
        let Ok(times) = occurrence::occurrences(meeting, from, to, limit) else {
            if !self.unexpanded.contains(&id) {
                self.unexpanded.push(id);
            }
            return;
        };
        let is_first = self.is_first;
        for time in times.into_iter().filter(|time| is_first || time.start.at >= from) {
            let mut entry = entry(time.start, time.end);
            entry.canceled = meeting.canceled;
            if meeting.recurrence.is_some() {
                entry.occurrence = Some(time.day);
                let held = meeting.held_until.is_some_and(|held| time.start.at <= held);
                entry.is_open = !meeting.canceled && !held;
            }
            self.keep(entry);
        }
    }

    fn keep(&mut self, entry: CalendarEntry) {
        let (start, end) = (entry.start.begins(self.offset), entry.end.ends(self.offset));
        let falls = start < self.query.to && (start >= self.query.from || end > self.query.from);
        if falls && self.after.is_none_or(|after| entry.place() > after) {
            self.kept = self.kept.saturating_add(1);
            self.entries.push(entry);
        }
    }

    fn cut(&mut self) {
        self.entries.sort_by_key(CalendarEntry::place);
        self.entries.truncate(self.query.limit.saturating_add(1));
    }

    fn page(mut self, list: Asked, horizon: Option<Place>) -> Overview {
        self.cut();
        if let Some(horizon) = horizon {
            self.entries.retain(|entry| entry.place() <= horizon);
        }
        let mut next = horizon;
        if self.entries.len() > self.query.limit {
            self.entries.truncate(self.query.limit);
            next = self.entries.last().map(CalendarEntry::place);
        }
        let next = next.map(|place| list.behind(place));
        Overview { entries: self.entries, next, unexpanded: self.unexpanded }
    }
}
