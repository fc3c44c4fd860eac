//! What services cost, where the amounts of leads are hidden: a plan does not show it, and nobody writes it by one. A service that
//! was copied from a line of an estimate costs what that says.

use rust_decimal::Decimal;

use crate::domain::{Field, Line, Totals};
use crate::error::Result;
use crate::id::EstimateId;
use crate::store::Txn;

use super::hidden::Hidden;
use super::plan::ConversionPlan;

/// What of it is hidden: prices, and the currency they are in. Who may not see what a lead is worth sees neither.
struct Parts {
    prices: bool,
    currency: bool,
}

impl Parts {
    fn of(hidden: &Hidden<'_>) -> Self {
        let prices = hidden.shows(&Field::Amount);
        Self { prices, currency: prices || hidden.shows(&Field::Currency) }
    }
}

/// Takes it out of a plan.
pub(super) fn mask(hidden: &Hidden<'_>, plan: &mut ConversionPlan) {
    let parts = Parts::of(hidden);
    let free = |line: &mut Line| (line.unit_price, line.discount) = (Decimal::ZERO, None);
    if parts.currency {
        plan.estimates.iter_mut().for_each(|estimate| estimate.currency = None);
        plan.services.iter_mut().for_each(|service| service.fields.currency = None);
    }
    if parts.prices {
        for estimate in &mut plan.estimates {
            estimate.lines.iter_mut().for_each(free);
            estimate.totals = Totals::default();
        }
        plan.services.iter_mut().for_each(|service| free(&mut service.fields.line));
    }
}

/// Puts it into a plan that is carried out.
pub(super) fn fill(txn: &mut dyn Txn, hidden: &Hidden<'_>, plan: &mut ConversionPlan) -> Result<()> {
    let copied = plan.services.iter().filter_map(|service| Some(service.origin?.estimate));
    let mut named: Vec<EstimateId> = copied.collect();
    named.sort();
    named.dedup();
    let parts = Parts::of(hidden);
    if named.is_empty() || !parts.currency {
        return Ok(());
    }
    let estimates = txn.estimates().get(&named)?;
    for planned in &mut plan.estimates {
        if let Some(estimate) = estimates.iter().find(|estimate| estimate.id == planned.id) {
            planned.currency = estimate.fields.currency;
        }
    }
    for service in &mut plan.services {
        let Some(origin) = service.origin else { continue };
        let Some(estimate) = estimates.iter().find(|estimate| estimate.id == origin.estimate) else {
            continue;
        };
        let line = usize::try_from(origin.position).ok().and_then(|n| estimate.fields.lines.get(n));
        let (Some(line), own) = (line, &mut service.fields) else { continue };
        own.currency = estimate.fields.currency;
        if parts.prices {
            (own.line.unit_price, own.line.discount) = (line.unit_price, line.discount);
        }
    }
    Ok(())
}
