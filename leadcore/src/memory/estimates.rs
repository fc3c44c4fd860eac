//! Estimates and the products of leads, in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{Estimate, LeadLines};
use crate::error::{Error, Result};
use crate::id::{EstimateId, LeadId};
use crate::store::{EstimateScan, Estimates, Lines};
use crate::time::Date;

use super::{MemoryTxn, check_revision, exists, previous};

impl Estimates for MemoryTxn {
    fn insert(&mut self, estimates: &[Estimate]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = estimates.iter().map(|estimate| estimate.id).collect();
        if ids.len() < estimates.len() || ids.iter().any(|id| state.estimates.contains_key(id)) {
            return Err(exists("estimate", "id"));
        }
        let numbers = |known: &Estimate| (known.number, known.serial.clone());
        let mut taken: Vec<_> = state.estimates.values().map(numbers).collect();
        for own in estimates.iter().map(numbers) {
            if taken.iter().any(|known| super::numbers::clash(known, &own)) {
                return Err(exists("estimate", "number"));
            }
            taken.push(own);
        }
        let new = estimates.iter().map(|estimate| (estimate.id, estimate.clone()));
        Arc::make_mut(&mut state.estimates).extend(new);
        Ok(())
    }

    fn update(&mut self, estimates: &[Estimate]) -> Result<()> {
        let state = self.writable()?;
        let mut next = Arc::clone(&state.estimates);
        for estimate in estimates {
            let stored = next.get(&estimate.id).ok_or_else(|| Error::not_found("estimate"))?;
            check_revision("estimate", stored.revision, previous(estimate.revision))?;
            let numbers = |known: &Estimate| (known.number, known.serial.clone());
            let own = numbers(estimate);
            let mut others = next.values().filter(|known| known.id != estimate.id);
            let taken =
                numbers(stored) != own && others.any(|known| super::numbers::clash(&numbers(known), &own));
            if taken {
                return Err(exists("estimate", "number"));
            }
            Arc::make_mut(&mut next).insert(estimate.id, estimate.clone());
        }
        state.estimates = next;
        Ok(())
    }

    fn get(&mut self, ids: &[EstimateId]) -> Result<Vec<Estimate>> {
        Ok(ids.iter().filter_map(|id| self.state.estimates.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[EstimateId]) -> Result<()> {
        let estimates = Arc::make_mut(&mut self.writable()?.estimates);
        ids.iter().for_each(|id| drop(estimates.remove(id)));
        Ok(())
    }

    fn numbered(&mut self, number: u64) -> Result<Option<Estimate>> {
        Ok(self.state.estimates.values().find(|one| one.number == number && one.serial.is_none()).cloned())
    }

    fn scan(&mut self, scan: &EstimateScan) -> Result<Vec<Estimate>> {
        let wanted = |estimate: &&Estimate| {
            let place = estimate.place();
            scan.revises.is_none_or(|first| estimate.revises == Some(first))
                && scan.status.is_none_or(|status| estimate.status_on(scan.today) == status)
                && scan.from.is_none_or(|from| place.date >= from)
                && scan.until.is_none_or(|until| place.date <= until)
                && match scan.after {
                    None => true,
                    Some(after) if scan.descending => place < after,
                    Some(after) => place > after,
                }
        };
        let mut found: Vec<_> = self.state.estimates.values().filter(wanted).collect();
        found.sort_by_key(|estimate| estimate.place());
        if scan.descending {
            found.reverse();
        }
        found.truncate(scan.limit);
        Ok(found.into_iter().cloned().collect())
    }

    fn lapsed(&mut self, today: Date, limit: usize) -> Result<Vec<EstimateId>> {
        let over = |estimate: &&Estimate| estimate.status_on(today) != estimate.status;
        let mut found: Vec<_> = self.state.estimates.values().filter(over).collect();
        found.sort_by_key(|estimate| (estimate.fields.valid_until, estimate.id));
        found.truncate(limit);
        Ok(found.into_iter().map(|estimate| estimate.id).collect())
    }
}

impl Lines for MemoryTxn {
    fn insert(&mut self, lists: &[LeadLines]) -> Result<()> {
        let state = self.writable()?;
        let leads: BTreeSet<_> = lists.iter().map(LeadLines::lead).collect();
        if leads.len() < lists.len() || leads.iter().any(|lead| state.lead_lines.contains_key(lead)) {
            return Err(exists("list of products", "lead"));
        }
        let new = lists.iter().map(|list| (list.lead(), list.clone()));
        Arc::make_mut(&mut state.lead_lines).extend(new);
        Ok(())
    }

    fn update(&mut self, lists: &[LeadLines]) -> Result<()> {
        let state = self.writable()?;
        let mut next = Arc::clone(&state.lead_lines);
        for list in lists {
            let stored = next.get(&list.lead()).ok_or_else(|| Error::not_found("list of products"))?;
            check_revision("list of products", stored.revision, previous(list.revision))?;
            Arc::make_mut(&mut next).insert(list.lead(), list.clone());
        }
        state.lead_lines = next;
        Ok(())
    }

    fn get(&mut self, leads: &[LeadId]) -> Result<Vec<LeadLines>> {
        Ok(leads.iter().filter_map(|lead| self.state.lead_lines.get(lead)).cloned().collect())
    }

    fn remove(&mut self, leads: &[LeadId]) -> Result<()> {
        let lists = Arc::make_mut(&mut self.writable()?.lead_lines);
        leads.iter().for_each(|lead| drop(lists.remove(lead)));
        Ok(())
    }
}
