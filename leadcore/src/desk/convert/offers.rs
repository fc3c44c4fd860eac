//! Which estimates of a lead a plan offers.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{Estimate, EstimateStatus, Placed, Tab};
use crate::error::Result;
use crate::id::{EstimateId, LeadId};
use crate::store::{ChildQuery, ServiceScan, Txn};
use crate::time::Date;

use super::super::estimates::is_later;
use super::plan::PlannedEstimate;

/// The most estimates of a lead that a plan offers.
const MOST_ESTIMATES: usize = 1_000;

/// The estimates of the lead that may become services, the oldest first, each in one version. Those that are over hide none of
/// the others, however many they are.
pub(super) fn of_lead(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<Vec<PlannedEstimate>> {
    let mut query = ChildQuery {
        about: vec![lead.into()],
        tabs: vec![Tab::Estimate],
        open: None,
        descending: false,
        after: None,
        limit: MOST_ESTIMATES,
    };
    let today = Date::in_zone(ctx.now(), ctx.utc_offset());
    let mut found: Vec<Estimate> = Vec::new();
    loop {
        let placed = txn.children().list(&query)?;
        let ids: Vec<_> = placed.iter().map(|placed| EstimateId::from_uuid(placed.child.id)).collect();
        found.extend(txn.estimates().get(&ids)?);
        query.after = placed.last().map(Placed::place);
        if placed.len() < query.limit {
            break;
        }
    }
    let before: BTreeMap<EstimateId, Option<EstimateId>> =
        found.iter().map(|estimate| (estimate.id, estimate.revises)).collect();
    let mut versions: BTreeMap<EstimateId, Vec<&Estimate>> = BTreeMap::new();
    for estimate in &found {
        versions.entry(first_version(&before, estimate.id)).or_default().push(estimate);
    }
    let offered: BTreeSet<EstimateId> =
        versions.values().filter_map(|versions| Some(offered(versions, today)?.id)).collect();
    let offered = found.into_iter().filter(|estimate| offered.contains(&estimate.id));
    let planned = offered.take(MOST_ESTIMATES).map(|estimate| {
        let status = estimate.status_on(today);
        let became_services = became_services(txn, estimate.id)?;
        Ok(PlannedEstimate::of(estimate, status, became_services))
    });
    planned.collect()
}

/// Whether somebody buys by this estimate: two leads may have had it, and it is sold once.
fn became_services(txn: &mut dyn Txn, estimate: EstimateId) -> Result<bool> {
    let scan = ServiceScan { estimate: Some(estimate), limit: 1, ..ServiceScan::default() };
    Ok(!txn.services().scan(&scan)?.is_empty())
}

/// The version that counts: the one that was accepted, else the latest that was sent, while an answer is still to come; else,
/// where nothing was sent or what was sent is over, the latest draft behind it.
fn offered<'e>(versions: &[&'e Estimate], today: Date) -> Option<&'e Estimate> {
    let latest = |of: &dyn Fn(&Estimate) -> bool| {
        let fitting = versions.iter().copied().filter(|estimate| of(estimate));
        fitting.reduce(|kept, next| if is_later(next, kept) { next } else { kept })
    };
    if let Some(accepted) = latest(&|estimate| estimate.status == EstimateStatus::Accepted) {
        return Some(accepted);
    }
    let sent = latest(&|estimate| estimate.status != EstimateStatus::Draft);
    match sent {
        Some(sent) if sent.status_on(today).is_open() => Some(sent),
        _ => latest(&|estimate| {
            estimate.status == EstimateStatus::Draft && sent.is_none_or(|sent| is_later(estimate, sent))
        }),
    }
}

/// The estimate that this one is a version of, through all that lie between.
fn first_version(before: &BTreeMap<EstimateId, Option<EstimateId>>, id: EstimateId) -> EstimateId {
    let (mut first, mut seen) = (id, BTreeSet::from([id]));
    while let Some(earlier) = before.get(&first).copied().flatten().filter(|earlier| seen.insert(*earlier)) {
        first = earlier;
    }
    first
}
