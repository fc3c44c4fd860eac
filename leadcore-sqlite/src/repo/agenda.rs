//! The agenda port: activities by time.
//!
//! A page of a calendar is a walk of an index for each kind, merged by time. What begins before the range and reaches into
//! it is looked for among what began on the day before, and, in an index of its own, among what takes longer than a day.

use leadcore::domain::{Activity, ActivityKind, AgendaDays, Place, Reminder};
use leadcore::error::Result;
use leadcore::id::{ActivityId, UserId};
use leadcore::store::{Agenda, AgendaQuery};
use leadcore::time::Timestamp;
use rusqlite::types::Value;

use crate::error::StoreResult as _;
use crate::row::Columns;
use crate::txn::SqliteTxn;

use super::activities::{ACTIVITY_COLUMNS, activity};

/// The index of what takes longer than a day.
const LONG: &str = "leadcore_activity_long";
const DAY: i64 = 86_400_000_000;

/// Kinds that can have a place in a calendar.
const IN_CALENDARS: [ActivityKind; 3] = [ActivityKind::Call, ActivityKind::Task, ActivityKind::Meeting];

/// A part of a walk: what begins in `from..to`, and how it must reach into the range.
struct Stretch {
    index: &'static str,
    from: i64,
    to: i64,
    /// Only what ends behind this.
    behind: Option<i64>,
}

/// The parts of a range, in order and without overlap.
fn stretches(query: &AgendaQuery) -> [Stretch; 3] {
    let (from, to) = (query.from.as_micros(), query.to.as_micros());
    let (day, year) = (from.saturating_sub(DAY), from.saturating_sub(DAY.saturating_mul(367)));
    let common =
        if query.assignee.is_some() { "leadcore_activity_agenda_of" } else { "leadcore_activity_agenda" };
    [
        Stretch { index: LONG, from: year, to: day.min(to), behind: Some(from) },
        Stretch { index: common, from: day, to: from.min(to), behind: Some(from) },
        Stretch { index: common, from, to, behind: None },
    ]
}

/// The place behind which a part is read: none, when all of it lies behind the one asked for.
fn place_in(part: &Stretch, query: &AgendaQuery) -> Option<Place> {
    query.after.filter(|after| after.at.as_micros() >= part.from)
}

/// The statement of one walk of an index: activities of one kind. A place stands instead of the beginning, so that the walk
/// begins there.
fn stretch_query(part: &Stretch, query: &AgendaQuery) -> String {
    let begin = if place_in(part, query).is_some() { "(at, id) > (?, ?)" } else { "at >= ?" };
    let is_there = if part.index == LONG { "ends_at > at + 86400000000" } else { "ends_at IS NOT NULL" };
    let behind = if part.behind.is_some() { " AND ends_at > ?" } else { "" };
    let assignee = if query.assignee.is_some() { " AND assignee = ?" } else { "" };
    format!(
        "SELECT {ACTIVITY_COLUMNS} FROM leadcore_activity INDEXED BY {} WHERE tenant = ? AND kind = ? AND {begin} AND at < ? AND is_series = 0 AND {is_there}{behind}{assignee} ORDER BY at, id LIMIT ?",
        part.index
    )
}

/// The same for series, which all end behind the start of the range. Those that cannot touch a day of it are passed in
/// the index, without being read.
fn place_of_series(query: &AgendaQuery) -> Option<Place> {
    query.after.filter(|after| after.at > query.from)
}

fn series_query(query: &AgendaQuery) -> String {
    let begin = if place_of_series(query).is_some() { "(ends_at, id) > (?, ?)" } else { "ends_at > ?" };
    let assignee = if query.assignee.is_some() { " AND assignee = ?" } else { "" };
    format!(
        "SELECT {ACTIVITY_COLUMNS} FROM leadcore_activity INDEXED BY leadcore_activity_series WHERE tenant = ? AND is_series = 1 AND {begin} AND at < ? AND days & ? <> 0 AND days & ? <> 0 AND days & ? <> 0{assignee} ORDER BY ends_at, id LIMIT ?"
    )
}

fn reminders_query(after: Option<Place>) -> String {
    let after = if after.is_some() { " AND (reminder, id) > (?, ?)" } else { "" };
    format!(
        "SELECT {ACTIVITY_COLUMNS}, reminder FROM leadcore_activity INDEXED BY leadcore_activity_reminder WHERE tenant = ? AND reminder IS NOT NULL AND reminds = 1 AND reminder <= ?{after} ORDER BY reminder, id LIMIT ?"
    )
}

/// Every statement that a question is answered by, with the index that it walks.
#[cfg(test)]
pub(crate) fn agenda_queries(query: &AgendaQuery) -> Vec<(&'static str, String)> {
    let parts = stretches(query);
    let mut all: Vec<_> = parts.iter().map(|part| (part.index, stretch_query(part, query))).collect();
    all.push(("leadcore_activity_series", series_query(query)));
    all.push(("leadcore_activity_reminder", reminders_query(query.after)));
    all
}

/// The values of a place.
fn values_of(place: Place) -> [Value; 2] {
    [place.at.as_micros().into(), place.child.as_bytes().to_vec().into()]
}

fn limit_of(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

fn name_of(user: Option<&UserId>) -> Option<Value> {
    user.map(|user| user.as_str().to_owned().into())
}

impl SqliteTxn<'_> {
    fn stretch(
        &self,
        part: &Stretch,
        kind: ActivityKind,
        query: &AgendaQuery,
        limit: usize,
    ) -> Result<Vec<Activity>> {
        let mut values: Vec<Value> =
            vec![self.tenant_text().to_owned().into(), kind.code().to_owned().into()];
        match place_in(part, query) {
            Some(after) => values.extend(values_of(after)),
            None => values.push(part.from.into()),
        }
        values.push(part.to.into());
        values.extend(part.behind.map(Value::from));
        values.extend(name_of(query.assignee.as_ref()));
        values.push(limit_of(limit));
        self.activities_of(&stretch_query(part, query), values, "read a calendar")
    }

    fn activities_of(&self, sql: &str, values: Vec<Value>, what: &str) -> Result<Vec<Activity>> {
        let mut statement = self.prepare(sql, what)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).store(what)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store(what)? {
            found.push(activity(row)?);
        }
        Ok(found)
    }

    fn reminders_of(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Reminder>> {
        let mut statement = self.prepare(sql, "read reminders")?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).store("read reminders")?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store("read reminders")? {
            // The columns of an activity come first; the reminder is the one behind them.
            let activity = activity(row)?;
            let at = Columns::behind(row, ACTIVITY_COLUMNS.split(',').count()).time()?;
            found.push(Reminder { at, activity });
        }
        Ok(found)
    }
}

impl Agenda for SqliteTxn<'_> {
    fn between(&mut self, query: &AgendaQuery) -> Result<Vec<Activity>> {
        let wanted = |kind: &ActivityKind| query.kinds.is_empty() || query.kinds.contains(kind);
        let kinds: Vec<_> = IN_CALENDARS.into_iter().filter(wanted).collect();
        let mut found: Vec<Activity> = Vec::new();
        for part in stretches(query) {
            let left = query.limit.saturating_sub(found.len());
            let passed = query.after.is_some_and(|after| after.at.as_micros() >= part.to);
            if left == 0 || passed || part.from >= part.to {
                continue;
            }
            let mut of_part = Vec::new();
            for kind in &kinds {
                of_part.extend(self.stretch(&part, *kind, query, left)?);
            }
            of_part.sort_by_key(|activity| (activity.at(), activity.id));
            of_part.truncate(left);
            found.append(&mut of_part);
        }
        Ok(found)
    }

    fn series(&mut self, query: &AgendaQuery) -> Result<Vec<Activity>> {
        if !query.kinds.is_empty() && !query.kinds.contains(&ActivityKind::Meeting) {
            return Ok(Vec::new());
        }
        let mut values: Vec<Value> = vec![self.tenant_text().to_owned().into()];
        match place_of_series(query) {
            Some(after) => values.extend(values_of(after)),
            None => values.push(query.from.as_micros().into()),
        }
        values.push(query.to.as_micros().into());
        values.extend(AgendaDays::of_range(query.from, query.to).parts().map(Value::from));
        values.extend(name_of(query.assignee.as_ref()));
        values.push(limit_of(query.limit));
        self.activities_of(&series_query(query), values, "read series")
    }

    fn reminders(&mut self, until: Timestamp, after: Option<Place>, limit: usize) -> Result<Vec<Reminder>> {
        let mut values: Vec<Value> = vec![self.tenant_text().to_owned().into(), until.as_micros().into()];
        values.extend(after.into_iter().flat_map(values_of));
        values.push(limit_of(limit));
        self.reminders_of(&reminders_query(after), values)
    }

    fn pending(&mut self, ids: &[ActivityId]) -> Result<Vec<Reminder>> {
        let sql = format!(
            "SELECT {ACTIVITY_COLUMNS}, reminder FROM leadcore_activity WHERE tenant = ? AND id = ? AND reminder IS NOT NULL AND reminds = 1"
        );
        let mut found = Vec::new();
        for id in ids {
            let id = Value::from(id.as_uuid().as_bytes().to_vec());
            found.extend(self.reminders_of(&sql, vec![self.tenant_text().to_owned().into(), id])?);
        }
        Ok(found)
    }

    fn remind(&mut self, reminders: &[(ActivityId, Option<Timestamp>)]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(
                "UPDATE leadcore_activity SET reminder = ? WHERE tenant = ? AND id = ?",
                "move a reminder",
            )?;
            for (id, at) in reminders {
                let id = id.as_uuid();
                let row = (at.map(Timestamp::as_micros), self.tenant_text(), id.as_bytes().as_slice());
                statement.execute(row).store("move a reminder")?;
            }
            Ok(())
        })
    }
}
