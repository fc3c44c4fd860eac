//! Activities, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{Activity, Place};
use crate::error::{Error, Result};
use crate::id::ActivityId;
use crate::store::{Activities, ActivityQuery};

use super::{MemoryTxn, check_revision, exists, previous};

impl Activities for MemoryTxn {
    fn insert(&mut self, activities: &[Activity]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = activities.iter().map(|activity| activity.id).collect();
        if ids.len() < activities.len() || ids.iter().any(|id| state.activities.contains_key(id)) {
            return Err(exists("activity", "id"));
        }
        let new = activities.iter().map(|activity| (activity.id, activity.clone()));
        Arc::make_mut(&mut state.activities).extend(new);
        let reminders = activities.iter().map(|activity| (activity.id, activity.fields.remind_at));
        Arc::make_mut(&mut state.reminded).extend(reminders);
        Ok(())
    }

    fn update(&mut self, activities: &[Activity]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.activities);
        for activity in activities {
            let stored = map.get(&activity.id).ok_or_else(|| Error::not_found("activity"))?;
            check_revision("activity", stored.revision, previous(activity.revision))?;
            map.insert(activity.id, activity.clone());
        }
        state.activities = Arc::new(map);
        Ok(())
    }

    fn get(&mut self, ids: &[ActivityId]) -> Result<Vec<Activity>> {
        Ok(ids.iter().filter_map(|id| self.state.activities.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[ActivityId]) -> Result<()> {
        let state = self.writable()?;
        let (activities, reminded) =
            (Arc::make_mut(&mut state.activities), Arc::make_mut(&mut state.reminded));
        for id in ids {
            activities.remove(id);
            reminded.remove(id);
        }
        Ok(())
    }
    fn list(&mut self, query: &ActivityQuery) -> Result<Vec<Activity>> {
        let place = |activity: &Activity| Place { at: activity.at(), child: activity.id.as_uuid() };
        let wanted = |activity: &&Activity| {
            let is_behind = |after: Place| match query.descending {
                true => place(activity) < after,
                false => place(activity) > after,
            };
            (query.assignee.is_none() || query.assignee == activity.fields.assignee)
                && (query.kinds.is_empty() || query.kinds.contains(&activity.kind()))
                && query.open.is_none_or(|open| open == activity.is_open())
                && query.after.is_none_or(is_behind)
        };
        let mut found: Vec<_> = self.state.activities.values().filter(wanted).collect();
        found.sort_by_key(|activity| place(activity));
        if query.descending {
            found.reverse();
        }
        Ok(found.into_iter().take(query.limit).cloned().collect())
    }
}
