//! What the policy hides of estimates: they say who answers for a lead, and what it is worth.

use crate::context::Context;
use crate::desk::access::{check_fields, shows_hidden};
use crate::domain::{Estimate, EstimateFields, Field, Totals};
use crate::error::Result;

/// Whether the actor may not see this field of estimates.
pub(in crate::desk) fn is_hidden(ctx: &Context<'_>, name: &str) -> bool {
    match name {
        "owner" => shows_hidden(ctx, &Field::Owner),
        "total" | "currency" => shows_hidden(ctx, &Field::Amount),
        _ => false,
    }
}

/// The estimate without what the actor may not see. What its lines offer stays, without what it costs.
pub(super) fn masked(ctx: &Context<'_>, mut estimate: Estimate) -> Estimate {
    estimate.fields = masked_fields(ctx, estimate.fields);
    if is_hidden(ctx, "total") {
        estimate.totals = Totals::default();
    }
    estimate
}

fn masked_fields(ctx: &Context<'_>, mut fields: EstimateFields) -> EstimateFields {
    if is_hidden(ctx, "owner") {
        fields.owner = None;
    }
    if is_hidden(ctx, "total") {
        fields.currency = None;
        for line in &mut fields.lines {
            line.unit_price = rust_decimal::Decimal::ZERO;
            line.discount = None;
        }
    }
    fields
}

/// Refuses a new estimate that says what the actor may not see.
pub(super) fn check_said(ctx: &Context<'_>, fields: &EstimateFields) -> Result<()> {
    let priced = fields.currency.is_some() || !fields.lines.is_empty();
    refuse_changed(ctx, fields.owner.is_some(), priced)
}

/// What is written over an estimate by somebody who may not see all of it: that stays as it is stored.
///
/// # Errors
/// `Invalid` when it is said otherwise than it was shown.
pub(super) fn kept(
    ctx: &Context<'_>,
    before: &EstimateFields,
    mut fields: EstimateFields,
) -> Result<EstimateFields> {
    let (owner, worth) = (is_hidden(ctx, "owner"), is_hidden(ctx, "total"));
    if !owner && !worth {
        return Ok(fields);
    }
    let shown = masked_fields(ctx, before.clone()).plain();
    fields = fields.plain();
    let is_priced = fields.currency != shown.currency || fields.lines != shown.lines;
    refuse_changed(ctx, fields.owner != shown.owner, is_priced)?;
    if owner {
        fields.owner.clone_from(&before.owner);
    }
    if worth {
        fields.currency = before.currency;
        fields.lines.clone_from(&before.lines);
    }
    Ok(fields)
}

fn refuse_changed(ctx: &Context<'_>, owner: bool, worth: bool) -> Result<()> {
    let named = [(Field::Owner, owner), (Field::Amount, worth)];
    check_fields(ctx, named.iter().filter(|(_, named)| *named).map(|(field, _)| field))
}
