//! Activities by time, in memory.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::domain::{Activity, AgendaDays, AgendaSpan, Place, Reminder};
use crate::error::Result;
use crate::id::ActivityId;
use crate::store::{Agenda, AgendaQuery};
use crate::time::Timestamp;

use super::MemoryTxn;

impl MemoryTxn {
    /// What is of the kinds and the user, with the time that it takes.
    fn spans<'s>(&'s self, query: &'s AgendaQuery) -> impl Iterator<Item = (AgendaSpan, &'s Activity)> {
        let wanted = |activity: &&Activity| {
            let fields = &activity.fields;
            (query.kinds.is_empty() || query.kinds.contains(&activity.kind()))
                && (query.assignee.is_none() || query.assignee == fields.assignee)
        };
        let activities = self.state.activities.values().filter(wanted);
        activities.filter_map(|activity| Some((activity.agenda()?, activity)))
    }

    fn reminder(&self, activity: &Activity) -> Option<Reminder> {
        let at = self.state.reminded.get(&activity.id).copied().flatten()?;
        activity.wants_reminder().then(|| Reminder { at, activity: activity.clone() })
    }
}

/// In the order of their places, from behind the last one.
fn in_order<T>(mut found: Vec<(Place, T)>, after: Option<Place>, limit: usize) -> Vec<T> {
    found.retain(|(place, _)| after.is_none_or(|after| *place > after));
    found.sort_by_key(|(place, _)| *place);
    found.truncate(limit);
    found.into_iter().map(|(_, item)| item).collect()
}

const fn place(at: Timestamp, id: ActivityId) -> Place {
    Place { at, child: id.as_uuid() }
}

impl Agenda for MemoryTxn {
    fn between(&mut self, query: &AgendaQuery) -> Result<Vec<Activity>> {
        let earliest = query.from.saturating_add(TimeDelta::days(-367));
        let touches = |span: &AgendaSpan| {
            let begins = span.at >= query.from || (span.at >= earliest && span.until > query.from);
            !span.is_series && span.at < query.to && begins
        };
        let found = self.spans(query).filter(|(span, _)| touches(span));
        let found = found.map(|(span, activity)| (place(span.at, activity.id), activity.clone())).collect();
        Ok(in_order(found, query.after, query.limit))
    }

    fn series(&mut self, query: &AgendaQuery) -> Result<Vec<Activity>> {
        let days = AgendaDays::of_range(query.from, query.to);
        let touches = |span: &AgendaSpan| {
            span.is_series && span.at < query.to && span.until > query.from && span.days.meet(days)
        };
        let found = self.spans(query).filter(|(span, _)| touches(span));
        let found =
            found.map(|(span, activity)| (place(span.until, activity.id), activity.clone())).collect();
        Ok(in_order(found, query.after, query.limit))
    }

    fn reminders(&mut self, until: Timestamp, after: Option<Place>, limit: usize) -> Result<Vec<Reminder>> {
        let due = self.state.activities.values().filter_map(|activity| self.reminder(activity));
        let due = due.filter(|reminder| reminder.at <= until);
        let due = due.map(|reminder| (place(reminder.at, reminder.activity.id), reminder)).collect();
        Ok(in_order(due, after, limit))
    }

    fn pending(&mut self, ids: &[ActivityId]) -> Result<Vec<Reminder>> {
        let known = ids.iter().filter_map(|id| self.state.activities.get(id));
        Ok(known.filter_map(|activity| self.reminder(activity)).collect())
    }

    fn remind(&mut self, reminders: &[(ActivityId, Option<Timestamp>)]) -> Result<()> {
        let state = self.writable()?;
        let known = reminders.iter().filter(|(id, _)| state.activities.contains_key(id)).copied();
        Arc::make_mut(&mut state.reminded).extend(known);
        Ok(())
    }
}
