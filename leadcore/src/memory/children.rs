//! What hangs on leads, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{FollowUp, Placed, Placement, Subject, Tab, TabCount};
use crate::error::Result;
use crate::store::{ChildQuery, Children};

use super::MemoryTxn;

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

    fn follow_ups(&mut self, about: &[Subject]) -> Result<Vec<(Subject, FollowUp)>> {
        let earliest = |subject: &Subject| {
            let of = self.state.placements.values().filter(|placement| placement.about.contains(subject));
            of.filter_map(|placement| placement.follow_up).reduce(FollowUp::min).map(|at| (*subject, at))
        };
        Ok(about.iter().filter_map(earliest).collect())
    }
}
