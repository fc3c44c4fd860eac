//! What the policy hides of estimates: they say who answers for a lead, and what it is worth.

use crate::context::Context;
use crate::desk::access::{check_fields, shows_hidden};
use crate::domain::{Estimate, EstimateFields, Field, Totals};
use crate::error::Result;

/// Whether the actor may not see this field of estimates.
pub(in crate::desk) fn is_hidden(ctx: &Context<'_>, name: &str) -> bool {
    match name {
        "owner" => shows_hidden(ctx, &Field::Owner),
        "total" => shows_hidden(ctx, &Field::Amount),
        "currency" => [Field::Amount, Field::Currency].iter().any(|field| shows_hidden(ctx, field)),
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
    fields.currency = fields.currency.filter(|_| !is_hidden(ctx, "currency"));
    if is_hidden(ctx, "total") {
        for line in &mut fields.lines {
            line.unit_price = rust_decimal::Decimal::ZERO;
            line.discount = None;
        }
    }
    fields
}

/// Refuses a new estimate that says what the actor may not see.
pub(super) fn check_said(ctx: &Context<'_>, fields: &EstimateFields) -> Result<()> {
    refuse_changed(ctx, fields.owner.is_some(), fields.currency.is_some(), !fields.lines.is_empty())
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
    let hidden = |name: &str| is_hidden(ctx, name);
    if !["owner", "total", "currency"].into_iter().any(hidden) {
        return Ok(fields);
    }
    let shown = masked_fields(ctx, before.clone()).plain();
    fields = fields.plain();
    let (currency, lines) = (fields.currency != shown.currency, fields.lines != shown.lines);
    refuse_changed(ctx, fields.owner != shown.owner, currency, lines)?;
    if hidden("owner") {
        fields.owner.clone_from(&before.owner);
    }
    if hidden("currency") {
        fields.currency = before.currency;
    }
    if hidden("total") {
        fields.lines.clone_from(&before.lines);
    }
    Ok(fields)
}

fn refuse_changed(ctx: &Context<'_>, owner: bool, currency: bool, lines: bool) -> Result<()> {
    let named = [(Field::Owner, owner), (Field::Amount, currency || lines), (Field::Currency, currency)];
    check_fields(ctx, named.iter().filter(|(_, named)| *named).map(|(field, _)| field))
}
