//! Costs and figures, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{
    Cost, FieldValue, Lead, LeadState, Link, LinkRole, Opportunity, OpportunityState, Outcome, StageKind,
    Subject, SubjectKind, amount_units,
};
use crate::error::{Error, Result};
use crate::id::{CostId, LeadId, StageId};
use crate::query::{Dimension, ReportScan};
use crate::store::{
    CostScan, Costs, Entered, LeadFigures, MiddleWaits, Reports, StageFigures, Worth, WorthFigures,
};

use super::{MemoryTxn, State, Step, check_revision, exists, previous};

impl Costs for MemoryTxn {
    fn insert(&mut self, costs: &[Cost]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = costs.iter().map(|one| one.id).collect();
        if ids.len() < costs.len() || ids.iter().any(|id| state.costs.contains_key(id)) {
            return Err(exists("cost", "id"));
        }
        Arc::make_mut(&mut state.costs).extend(costs.iter().map(|one| (one.id, one.clone())));
        Ok(())
    }

    fn update(&mut self, costs: &[Cost]) -> Result<()> {
        let state = self.writable()?;
        let mut next = Arc::clone(&state.costs);
        for one in costs {
            let stored = next.get(&one.id).ok_or_else(|| Error::not_found("cost"))?;
            check_revision("cost", stored.revision, previous(one.revision))?;
            Arc::make_mut(&mut next).insert(one.id, one.clone());
        }
        state.costs = next;
        Ok(())
    }

    fn get(&mut self, ids: &[CostId]) -> Result<Vec<Cost>> {
        Ok(ids.iter().filter_map(|id| self.state.costs.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[CostId]) -> Result<()> {
        let costs = Arc::make_mut(&mut self.writable()?.costs);
        ids.iter().for_each(|id| drop(costs.remove(id)));
        Ok(())
    }

    fn scan(&mut self, scan: &CostScan) -> Result<Vec<Cost>> {
        let wanted = |cost: &&Cost| {
            scan.source.is_none_or(|source| cost.fields.source == Some(source))
                && scan.from.is_none_or(|from| cost.fields.last_day >= from)
                && scan.until.is_none_or(|until| cost.fields.first_day <= until)
                && scan.after.is_none_or(|after| cost.place() > after)
        };
        let mut found: Vec<_> = self.state.costs.values().filter(wanted).collect();
        found.sort_by_key(|cost| cost.place());
        Ok(found.into_iter().take(scan.limit).cloned().collect())
    }
}

/// Keys in the order that reports have.
#[derive(Debug, Clone, PartialEq)]
struct Key(Vec<FieldValue>);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs.map(|(a, b)| a.order(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    }
}

impl State {
    /// Writes down that a lead was moved, or takes moves back where it is as it was before them.
    pub(super) fn step(&mut self, before: &Lead, after: &Lead) {
        if (before.stage, before.stage_entered_at) == (after.stage, after.stage_entered_at) {
            return;
        }
        let steps = Arc::make_mut(&mut self.steps).entry(after.id).or_default();
        let back = |step: &Step| (step.from, step.since) == (after.stage, after.stage_entered_at);
        if let Some(at) = steps.iter().rposition(back) {
            steps.truncate(at);
        } else if before.stage != after.stage {
            steps.push(Step { from: before.stage, since: before.stage_entered_at, to: after.stage });
        }
    }

    fn groups(&self, scan: &ReportScan) -> BTreeMap<Key, Vec<&Lead>> {
        let mut groups: BTreeMap<Key, Vec<&Lead>> = BTreeMap::new();
        for lead in self.live().filter(|lead| scan.filter.matches_with(lead, self)) {
            groups.entry(Key(scan.key(lead))).or_default().push(lead);
        }
        groups
    }

    fn kind_of(&self, stage: StageId) -> Option<StageKind> {
        let mut stages = self.pipelines.values().flat_map(|pipeline| &pipeline.stages);
        stages.find(|known| known.id == stage).map(|known| known.kind)
    }

    /// What became of a lead in each stage that it was in.
    fn visits(&self, lead: &Lead) -> BTreeMap<StageId, Entered> {
        let mut visits = BTreeMap::new();
        let steps = self.steps.get(&lead.id).map_or(&[][..], Vec::as_slice);
        let is_lost = |step: &Step| self.kind_of(step.to) == Some(StageKind::Lost);
        // Lost from where it was before: a lead that was reopened since was not.
        let ended = steps.iter().rposition(|step| !is_lost(step)).map_or(0, |last| last.saturating_add(1));
        for (n, step) in steps.iter().enumerate() {
            let lost = u64::from(n >= ended);
            let visit = Entered { entered: 1, moved_on: 1 - lost, lost, ..Entered::default() };
            visits.insert(step.from, visit);
        }
        let mut now = Entered { entered: 1, ..Entered::default() };
        match lead.state() {
            LeadState::Open => now.still_there = 1,
            LeadState::Disqualified => now.disqualified = 1,
            LeadState::Converted => now.converted = 1,
        }
        visits.insert(lead.stage, now);
        visits
    }
}

fn wait(lead: &Lead) -> Option<i64> {
    let done = lead.conversion.as_ref()?;
    Some(done.at.as_micros().saturating_sub(lead.created_at.as_micros()))
}

fn add(sum: &mut Worth, units: i128) {
    sum.count = sum.count.saturating_add(1);
    sum.units = sum.units.saturating_add(units);
}

impl Reports for MemoryTxn {
    fn leads(&mut self, scan: &ReportScan) -> Result<Vec<LeadFigures>> {
        let by_campaign = scan.by.contains(&Dimension::Campaign);
        let figures = self.state.groups(scan).into_iter().map(|(key, leads)| {
            let count = |wanted: &dyn Fn(&Lead) -> bool| {
                leads.iter().filter(|lead| wanted(lead)).map(|_| 1_u64).sum()
            };
            let campaigns = leads.iter().filter_map(|lead| lead.fields.campaign.as_ref());
            LeadFigures {
                campaign: campaigns.min().filter(|_| by_campaign).cloned(),
                leads: count(&|_| true),
                converted: count(&|lead| lead.conversion.is_some()),
                lost: count(&|lead| {
                    let closing = lead.closing.as_ref();
                    lead.state() == LeadState::Open
                        && closing.is_some_and(|closing| closing.outcome == Outcome::Lost)
                }),
                disqualified: count(&|lead| lead.state() == LeadState::Disqualified),
                waited: leads.iter().filter_map(|lead| wait(lead)).map(i128::from).sum(),
                key: key.0,
            }
        });
        Ok(figures.collect())
    }

    fn middle_waits(&mut self, scan: &ReportScan) -> Result<Vec<MiddleWaits>> {
        let mut figures = Vec::new();
        for (key, leads) in self.state.groups(scan) {
            let mut waits: Vec<_> = leads.iter().filter_map(|lead| wait(lead)).collect();
            waits.sort_unstable();
            let (below, above) = (waits.len().saturating_sub(1) / 2, waits.len() / 2);
            if let (Some(low), Some(high)) = (waits.get(below), waits.get(above)) {
                figures.push(MiddleWaits { key: key.0, low: *low, high: *high });
            }
        }
        Ok(figures)
    }

    fn worth(&mut self, scan: &ReportScan) -> Result<Vec<WorthFigures>> {
        // The links are sorted: the first lead of each account comes first.
        let mut became_it: BTreeMap<Subject, Vec<LeadId>> = BTreeMap::new();
        let became = |link: &&Link| link.role == LinkRole::ConvertedTo && link.from.kind == SubjectKind::Lead;
        for link in self.state.links.iter().filter(became) {
            became_it.entry(link.to).or_default().push(LeadId::from_uuid(link.from.id));
        }
        // A customer that no lead had become yet was brought by none.
        let first = |one: &Opportunity| {
            let leads = became_it.get(&one.account.into())?;
            let by_then = |id: &&LeadId| {
                let done = self.state.leads.get(*id).and_then(|lead| lead.conversion.as_ref());
                done.is_some_and(|done| done.at <= one.created_at)
            };
            leads.iter().find(by_then).copied()
        };
        let mut made = BTreeMap::new();
        for one in self.state.opportunities.values() {
            if let Some(lead) = one.origin_lead.or_else(|| first(one)) {
                made.entry(lead).or_insert_with(Vec::new).push(one);
            }
        }
        let mut figures = Vec::new();
        for (key, leads) in self.state.groups(scan) {
            let mut sums: BTreeMap<Option<String>, WorthFigures> = BTreeMap::new();
            for one in leads.iter().filter_map(|lead| made.get(&lead.id)).flatten() {
                let currency = one.fields.currency;
                let code = currency.map(|currency| currency.code().to_owned());
                let sum = sums.entry(code).or_insert_with(|| WorthFigures {
                    key: key.0.clone(),
                    currency,
                    open: Worth::default(),
                    won: Worth::default(),
                    lost: Worth::default(),
                });
                let units = one.fields.amount.and_then(amount_units).unwrap_or(0);
                match one.state {
                    OpportunityState::Open => add(&mut sum.open, units),
                    OpportunityState::Won => add(&mut sum.won, units),
                    OpportunityState::Lost => add(&mut sum.lost, units),
                }
            }
            figures.extend(sums.into_values());
        }
        Ok(figures)
    }

    fn stages(&mut self, scan: &ReportScan) -> Result<Vec<StageFigures>> {
        let mut figures = Vec::new();
        for (key, leads) in self.state.groups(scan) {
            let mut stages: BTreeMap<StageId, Entered> = BTreeMap::new();
            for lead in leads {
                for (stage, visit) in self.state.visits(lead) {
                    stages.entry(stage).or_default().add(&visit);
                }
            }
            let of_group = stages.into_iter();
            figures.extend(of_group.map(|(stage, entered)| StageFigures {
                key: key.0.clone(),
                stage,
                entered,
            }));
        }
        Ok(figures)
    }
}
