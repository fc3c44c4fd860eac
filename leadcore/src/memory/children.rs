//! What hangs on leads, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{Activity, Placed, Placement, Subject, Tab, TabCount};
use crate::error::{Error, Result};
use crate::id::ActivityId;
use crate::store::{Activities, ChildQuery, Children};
use crate::time::Timestamp;

use super::{MemoryTxn, check_revision, exists, previous};

impl Children for MemoryTxn {
    fn place(&mut self, placements: &[Placement]) -> Result<()> {
        let known = Arc::make_mut(&mut self.writable()?.placements);
        known.extend(placements.iter().map(|placement| (placement.child, placement.clone())));
        Ok(())
    }

    fn lift(&mut self, children: &[Subject]) -> Result<()> {
        let known = Arc::make_mut(&mut self.writable()?.placements);
        children.iter().for_each(|child| drop(known.remove(child)));
        Ok(())
    }

    fn list(&mut self, query: &ChildQuery) -> Result<Vec<Placed>> {
        let wanted = |placement: &&Placement| {
            placement.about.iter().any(|about| query.about.contains(about))
                && (query.tabs.is_empty() || query.tabs.contains(&placement.tab))
                && query.open.is_none_or(|open| open == placement.is_open)
        };
        let placed = |placement: &Placement| Placed {
            child: placement.child,
            tab: placement.tab.clone(),
            at: placement.at,
            is_open: placement.is_open,
        };
        let mut found: Vec<_> = self.state.placements.values().filter(wanted).map(placed).collect();
        found.sort_by_key(Placed::place);
        if query.descending {
            found.reverse();
        }
        found.retain(|placed| match query.after {
            None => true,
            Some(after) if query.descending => placed.place() < after,
            Some(after) => placed.place() > after,
        });
        found.truncate(query.limit);
        Ok(found)
    }

    fn counts(&mut self, about: &[Subject]) -> Result<Vec<TabCount>> {
        let mut counts: BTreeMap<Tab, (u64, u64)> = BTreeMap::new();
        for placement in self.state.placements.values() {
            if placement.about.iter().any(|subject| about.contains(subject)) {
                let (total, open) = counts.entry(placement.tab.clone()).or_default();
                *total = total.saturating_add(1);
                *open = open.saturating_add(u64::from(placement.is_open));
            }
        }
        Ok(counts.into_iter().map(|(tab, (total, open))| TabCount { tab, total, open }).collect())
    }

    fn placements(&mut self, children: &[Subject]) -> Result<Vec<Placement>> {
        Ok(children.iter().filter_map(|child| self.state.placements.get(child)).cloned().collect())
    }

    fn follow_ups(&mut self, about: &[Subject]) -> Result<Vec<(Subject, Timestamp)>> {
        let earliest = |subject: &Subject| {
            let of = self.state.placements.values().filter(|placement| placement.about.contains(subject));
            of.filter_map(|placement| placement.follow_up).min().map(|at| (*subject, at))
        };
        Ok(about.iter().filter_map(earliest).collect())
    }
}

impl Activities for MemoryTxn {
    fn insert(&mut self, activities: &[Activity]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = activities.iter().map(|activity| activity.id).collect();
        if ids.len() < activities.len() || ids.iter().any(|id| state.activities.contains_key(id)) {
            return Err(exists("activity", "id"));
        }
        let new = activities.iter().map(|activity| (activity.id, activity.clone()));
        Arc::make_mut(&mut state.activities).extend(new);
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
        let activities = Arc::make_mut(&mut self.writable()?.activities);
        ids.iter().for_each(|id| drop(activities.remove(id)));
        Ok(())
    }
}

impl crate::store::Agenda for MemoryTxn {}
impl crate::store::Files for MemoryTxn {}
impl crate::store::Blobs for MemoryTxn {}
impl crate::store::Records for MemoryTxn {}
impl crate::store::Followers for MemoryTxn {}
