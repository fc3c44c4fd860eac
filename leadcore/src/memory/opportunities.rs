//! Opportunities and services, in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{BlockKey, Opportunity, Serial, Service};
use crate::error::{Error, Result};
use crate::id::{OpportunityId, ServiceId};
use crate::store::{Block, Opportunities, OpportunityScan, ServiceScan, Services};

use super::records::blocks;
use super::{MemoryTxn, check_revision, exists, previous};

fn numbers(one: &Opportunity) -> (u64, Option<Serial>) {
    (one.number, one.serial.clone())
}

impl Opportunities for MemoryTxn {
    fn insert(&mut self, opportunities: &[Opportunity]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = opportunities.iter().map(|one| one.id).collect();
        if ids.len() < opportunities.len() || ids.iter().any(|id| state.opportunities.contains_key(id)) {
            return Err(exists("opportunity", "id"));
        }
        let mut taken: Vec<_> = state.opportunities.values().map(numbers).collect();
        for own in opportunities.iter().map(numbers) {
            if taken.iter().any(|known| super::numbers::clash(known, &own)) {
                return Err(exists("opportunity", "number"));
            }
            taken.push(own);
        }
        let new = opportunities.iter().map(|one| (one.id, one.clone()));
        Arc::make_mut(&mut state.opportunities).extend(new);
        Ok(())
    }

    fn update(&mut self, opportunities: &[Opportunity]) -> Result<()> {
        let state = self.writable()?;
        let mut next = Arc::clone(&state.opportunities);
        for one in opportunities {
            let stored = next.get(&one.id).ok_or_else(|| Error::not_found("opportunity"))?;
            check_revision("opportunity", stored.revision, previous(one.revision))?;
            let own = numbers(one);
            let mut others = next.values().filter(|known| known.id != one.id);
            let taken =
                numbers(stored) != own && others.any(|known| super::numbers::clash(&numbers(known), &own));
            if taken {
                return Err(exists("opportunity", "number"));
            }
            Arc::make_mut(&mut next).insert(one.id, one.clone());
        }
        state.opportunities = next;
        Ok(())
    }

    fn get(&mut self, ids: &[OpportunityId]) -> Result<Vec<Opportunity>> {
        Ok(ids.iter().filter_map(|id| self.state.opportunities.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[OpportunityId]) -> Result<()> {
        let opportunities = Arc::make_mut(&mut self.writable()?.opportunities);
        ids.iter().for_each(|id| drop(opportunities.remove(id)));
        Ok(())
    }

    fn numbered(&mut self, number: u64) -> Result<Option<Opportunity>> {
        Ok(self
            .state
            .opportunities
            .values()
            .find(|one| one.number == number && one.serial.is_none())
            .cloned())
    }

    fn scan(&mut self, scan: &OpportunityScan) -> Result<Vec<Opportunity>> {
        let wanted = |one: &&Opportunity| {
            let place = one.place();
            scan.account.is_none_or(|account| one.account == account)
                && scan.owner.as_ref().is_none_or(|owner| one.fields.owner.as_ref() == Some(owner))
                && scan.state.is_none_or(|state| one.state == state)
                && scan.source.is_none_or(|source| one.fields.source == Some(source))
                && scan.from.is_none_or(|from| place.day >= from)
                && scan.until.is_none_or(|until| place.day <= until)
                && match scan.after {
                    None => true,
                    Some(after) if scan.descending => place < after,
                    Some(after) => place > after,
                }
        };
        let mut found: Vec<_> = self.state.opportunities.values().filter(wanted).collect();
        found.sort_by_key(|one| one.place());
        if scan.descending {
            found.reverse();
        }
        found.truncate(scan.limit);
        Ok(found.into_iter().cloned().collect())
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<OpportunityId>>> {
        let all = self.state.opportunities.values().map(|one| (one.id, one.fields.block_keys()));
        Ok(blocks(&all.collect::<Vec<_>>(), keys, limit))
    }
}

impl Services for MemoryTxn {
    fn insert(&mut self, services: &[Service]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = services.iter().map(|service| service.id).collect();
        if ids.len() < services.len() || ids.iter().any(|id| state.services.contains_key(id)) {
            return Err(exists("service", "id"));
        }
        let new = services.iter().map(|service| (service.id, service.clone()));
        Arc::make_mut(&mut state.services).extend(new);
        Ok(())
    }

    fn update(&mut self, services: &[Service]) -> Result<()> {
        let state = self.writable()?;
        let mut next = Arc::clone(&state.services);
        for service in services {
            let stored = next.get(&service.id).ok_or_else(|| Error::not_found("service"))?;
            check_revision("service", stored.revision, previous(service.revision))?;
            Arc::make_mut(&mut next).insert(service.id, service.clone());
        }
        state.services = next;
        Ok(())
    }

    fn get(&mut self, ids: &[ServiceId]) -> Result<Vec<Service>> {
        Ok(ids.iter().filter_map(|id| self.state.services.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[ServiceId]) -> Result<()> {
        let services = Arc::make_mut(&mut self.writable()?.services);
        ids.iter().for_each(|id| drop(services.remove(id)));
        Ok(())
    }

    fn scan(&mut self, scan: &ServiceScan) -> Result<Vec<Service>> {
        let wanted = |service: &&Service| {
            scan.account.is_none_or(|account| service.account == account)
                && scan.state.is_none_or(|state| service.state == state)
                && scan.opportunity.is_none_or(|of| service.opportunity == Some(of))
                && scan.estimate.is_none_or(|of| service.origin.map(|origin| origin.estimate) == Some(of))
                && match scan.after {
                    None => true,
                    Some(after) if scan.descending => service.id < after,
                    Some(after) => service.id > after,
                }
        };
        // The map is in the order of ids.
        let found = self.state.services.values().filter(wanted);
        let found: Vec<_> = if scan.descending {
            found.rev().take(scan.limit).cloned().collect()
        } else {
            found.take(scan.limit).cloned().collect()
        };
        Ok(found)
    }
}
