//! What sources and campaigns cost (S0.36): written down by whoever sets the tenant up, seen by whoever sees all leads.

use crate::context::Context;
use crate::domain::{Action, Cost, CostFields, CostPlace, NewEntry, OperationKind, TermKind, cost_changes};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{CostId, Revision, SourceId};
use crate::policy::Permission;
use crate::query::Page;
use crate::store::{CostScan, Txn};
use crate::time::Date;
use crate::value::Currency;

use super::access::{Expect, Gate, require};
use super::listing::check_limit;
use super::operation::record;

/// Writes a cost down.
///
/// ```
/// use leadcore::desk::costs;
/// use leadcore::domain::CostFields;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let fair = CostFields::new(1_200.into(), "EUR".parse()?, "2026-03-01".parse()?).campaign("Spring fair");
/// let cost = store.write(ctx.tenant(), |txn| costs::add(&ctx, txn, fair.clone()))?;
/// assert_eq!(cost.fields.campaign.as_deref(), Some("Spring fair"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied`; `Invalid` with every broken rule.
pub fn add(ctx: &Context<'_>, txn: &mut dyn Txn, fields: CostFields) -> Result<Cost> {
    require(ctx, txn, Permission::Configure)?;
    let fields = checked(txn, None, fields)?;
    let now = ctx.now();
    let cost = Cost {
        id: CostId::from_uuid(ctx.new_uuid()),
        revision: Revision::FIRST,
        fields,
        created_by: ctx.actor().clone(),
        created_at: now,
        updated_at: now,
    };
    txn.costs().insert(std::slice::from_ref(&cost))?;
    let told = cost_changes(None, Some(&cost.fields));
    let entry = NewEntry::new(cost.id, Action::Created, now).with_changes(told);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(cost)
}

/// Writes all that a cost says anew. What changes nothing writes nothing.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: CostId,
    expect: impl Into<Expect>,
    fields: CostFields,
) -> Result<Cost> {
    require(ctx, txn, Permission::Configure)?;
    let before = load(txn, id)?;
    expect.into().check("cost", before.revision)?;
    let fields = checked(txn, Some(&before.fields), fields)?;
    let told = cost_changes(Some(&before.fields), Some(&fields));
    if told.is_empty() {
        return Ok(before);
    }
    let after = Cost { fields, revision: before.revision.next(), updated_at: ctx.now(), ..before };
    txn.costs().update(std::slice::from_ref(&after))?;
    let entry = NewEntry::new(id, Action::Updated, ctx.now()).with_changes(told);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(after)
}

/// Removes a cost. An undo of the operation brings it back.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: CostId, expect: impl Into<Expect>) -> Result<()> {
    require(ctx, txn, Permission::Configure)?;
    let before = load(txn, id)?;
    expect.into().check("cost", before.revision)?;
    txn.costs().remove(&[id])?;
    let told = cost_changes(Some(&before.fields), None);
    let entry = NewEntry::new(id, Action::Deleted, ctx.now()).with_changes(told);
    record(ctx, txn, OperationKind::Configure, &[entry]).map(drop)
}

/// One cost.
///
/// # Errors
/// `NotFound`; `Denied` for an actor who does not see all leads.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: CostId) -> Result<Cost> {
    check_sees_all(ctx, txn)?;
    load(txn, id)
}

/// Which costs are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CostQuery {
    /// Of this source.
    pub source: Option<SourceId>,
    /// Not over before this day.
    pub from: Option<Date>,
    /// Begun by this day.
    pub until: Option<Date>,
    /// From behind this place.
    pub after: Option<CostPlace>,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl Default for CostQuery {
    fn default() -> Self {
        Self { source: None, from: None, until: None, after: None, limit: 50 }
    }
}

/// A page of all costs, by their first day.
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied` for an actor who does not see all leads.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn, query: &CostQuery) -> Result<Page<Cost, CostPlace>> {
    check_sees_all(ctx, txn)?;
    check_limit(query.limit)?;
    let found = txn.costs().scan(&CostScan {
        source: query.source,
        from: query.from,
        until: query.until,
        after: query.after,
        limit: query.limit.saturating_add(1),
    })?;
    Ok(Page::cut(found, query.limit, Cost::place))
}

/// What was spent tells about leads that somebody does not see.
fn check_sees_all(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<()> {
    ctx.check_tenant(txn)?;
    if Gate::open(ctx, txn, Permission::View)?.is_unlimited() {
        Ok(())
    } else {
        Err(Error::denied("view costs"))
    }
}

fn load(txn: &mut dyn Txn, id: CostId) -> Result<Cost> {
    txn.costs().get(&[id])?.pop().ok_or_else(|| Error::not_found("cost"))
}

/// The fields as they are stored. An archived source can be kept, and chosen: what it cost is often known only afterwards.
pub(super) fn checked(
    txn: &mut dyn Txn,
    before: Option<&CostFields>,
    fields: CostFields,
) -> Result<CostFields> {
    let mut broken = Vec::new();
    let new = fields.source.filter(|source| before.and_then(|before| before.source) != Some(*source));
    if let Some(source) = new
        && txn.terms().get(TermKind::Source, &[source.as_uuid()])?.is_empty()
    {
        let message = "there is no source with this id";
        broken.push(Violation::new("source", ViolationCode::Unknown, message));
    }
    // A currency that went out of use since it was written down can stay; none comes new, however the fields were read.
    if before.is_none_or(|before| before.currency != fields.currency)
        && let Err(error) = Currency::parse(fields.currency.code())
    {
        broken.push(error.at("currency"));
    }
    match fields.settle_from(before) {
        Ok(settled) if broken.is_empty() => return Ok(settled),
        Ok(_) => {}
        Err(found) => broken.extend(found),
    }
    Err(Error::invalid(broken))
}
