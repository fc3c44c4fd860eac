//! What services cost, where the amounts of leads are hidden: a plan does not show it, and nobody writes it by one. A service that
//! was copied from a line of an estimate costs what that says.

use rust_decimal::Decimal;

use crate::domain::{Field, Line, Totals};
use crate::error::Result;
use crate::id::EstimateId;
use crate::store::Txn;

use super::hidden::Hidden;
use super::plan::ConversionPlan;

/// Takes it out of a plan.
pub(super) fn mask(hidden: &Hidden<'_>, plan: &mut ConversionPlan) {
    if !hidden.shows(&Field::Amount) {
        return;
    }
    let free = |line: &mut Line| (line.unit_price, line.discount) = (Decimal::ZERO, None);
    for estimate in &mut plan.estimates {
        estimate.currency = None;
        estimate.lines.iter_mut().for_each(free);
        estimate.totals = Totals::default();
    }
    for service in &mut plan.services {
        service.fields.currency = None;
        free(&mut service.fields.line);
    }
}

/// Puts it into a plan that is carried out.
pub(super) fn fill(txn: &mut dyn Txn, hidden: &Hidden<'_>, plan: &mut ConversionPlan) -> Result<()> {
    let copied = plan.services.iter().filter_map(|service| Some(service.origin?.estimate));
    let mut named: Vec<EstimateId> = copied.collect();
    named.sort();
    named.dedup();
    if named.is_empty() || !hidden.shows(&Field::Amount) {
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
        if let Some(line) = line {
            let own = &mut service.fields;
            (own.line.unit_price, own.line.discount) = (line.unit_price, line.discount);
            own.currency = estimate.fields.currency;
        }
    }
    Ok(())
}
