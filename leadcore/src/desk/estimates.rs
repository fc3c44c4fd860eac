//! Estimates: priced offers to leads and accounts (S0.27), from the first draft to the answer.
//!
//! An estimate is created from scratch, from the [products](super::lines) of a lead, or for a request (S0.28). Its states and
//! the moves between them are a table in [`EstimateStatus`]; how amounts are rounded is said at
//! [`Totals`]. What was sent and holds until an earlier day shows as expired everywhere, without any
//! job; [`expire_due`] writes it down. Tabs that list open ones alone go by what is written.
//!
//! Once accepted, declined or expired, what was offered is frozen. [`revise`] makes a new version of what was sent, and of
//! all versions one at most is accepted: then none is revised any more, and what they want instead begins with a [`copy`]. An
//! estimate of a lead that was converted goes on: it can still be accepted, by whoever may change the account.

mod hidden;
mod kind;
mod list;
mod moves;

use crate::context::Context;
use crate::domain::{
    Activity, ActivityBody, Estimate, EstimateFields, EstimateStatus, EstimateUnmet, Field, LeadNumber, Line,
    NewEntry, OperationKind, RequestState, Subject, SubjectKind, Tab, Topics, Totals,
};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::{AccountId, ActivityId, EstimateId, LeadId, NumberSeriesId, Revision};
use crate::query::MAX_PAGE;
use crate::store::{Series, Txn};
use crate::time::Date;

use super::access::{Expect, check_fields};
use super::operation::record;
use super::{children, children_purge, series};

pub(super) use hidden::is_hidden;
pub use list::{EstimateQuery, list, of};
pub(super) use moves::is_later;
pub use moves::{accept, can_move, copy, decline, expire, expire_due, revise, send};

/// Creates a draft about these records.
///
/// Where the fields name none, the owner is the acting user, the date is today, and the currency is that of the first lead or
/// account that has one.
///
/// ```
/// use leadcore::desk::{estimates, leads};
/// use leadcore::domain::{EstimateFields, EstimateStatus, Line};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::User("ada".parse()?), &clock, &ids, &AllowAll);
/// let mut fields = LeadFields::company("Nordlys AS")?;
/// Field::Currency.write(&mut fields, &"EUR".into())?;
/// let sent = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, fields.clone().into())?;
///     let roof = EstimateFields::titled("A roof of panels")
///         .line(Line::new("Panel", 12.into(), 200.into()).tax("VAT", 25.into()));
///     let draft = estimates::create(&ctx, txn, &[lead.id.into()], roof)?;
///     estimates::send(&ctx, txn, draft.id, draft.revision)
/// })?;
/// assert_eq!((sent.number, sent.status), (1, EstimateStatus::Sent));
/// assert_eq!(sent.show(sent.totals.gross), "€ 3000.00");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` when one is a converted lead; `Conflict` where the tenant closed `estimate` for the
/// state of a lead; `Invalid` with every broken rule.
pub fn create(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    fields: EstimateFields,
) -> Result<Estimate> {
    create_in(ctx, txn, about, fields, None)
}

/// Creates a draft as [`create`] does, with the next number of this [series], or of the default one.
///
/// # Errors
/// As [`create`]; `Invalid` (field `series`) for one that does not exist, is archived, or numbers something else; `Conflict` with
/// [`SeriesExhausted`](crate::error::Conflict::SeriesExhausted) when it has no number left.
pub fn create_in(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    fields: EstimateFields,
    series: Option<NumberSeriesId>,
) -> Result<Estimate> {
    hidden::check_said(ctx, &fields)?;
    let origin = Origin { series, ..Origin::default() };
    let (estimate, entries) = add(ctx, txn, (about, &[]), fields, origin)?;
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(estimate)
}

/// Creates a draft with the products of a lead, in their currency. Lines that the fields have come behind them.
///
/// # Errors
/// As [`create`]; `Invalid` when the lead has no products.
pub fn create_from_lines(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    fields: EstimateFields,
) -> Result<Estimate> {
    create_from_lines_in(ctx, txn, lead, fields, None)
}

/// Creates a draft as [`create_from_lines`] does, with the next number of this [series], or of the default one.
///
/// # Errors
/// As [`create_from_lines`] and [`create_in`].
pub fn create_from_lines_in(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    mut fields: EstimateFields,
    series: Option<NumberSeriesId>,
) -> Result<Estimate> {
    let Some(list) = super::lines::of(ctx, txn, lead)? else {
        let message = "the lead has no products";
        return Err(Error::invalid_field("lines", ViolationCode::Required, message));
    };
    fields.currency = fields.currency.or(list.currency);
    fields.lines = list.lines.into_iter().chain(fields.lines).collect();
    create_in(ctx, txn, &[lead.into()], fields, series)
}

/// Creates a draft that answers a request for an estimate (S0.28): about the same records, of the same title where the fields
/// name none. The request becomes [`Estimated`](RequestState::Estimated) in the same operation.
///
/// What is about a lead that was converted meanwhile is about its account.
///
/// # Errors
/// As [`create`]; `NotFound` for what is no request; `Conflict` when it has its estimate already, or was declined.
pub fn create_for_request(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    request: ActivityId,
    fields: EstimateFields,
) -> Result<Estimate> {
    create_for_request_in(ctx, txn, request, fields, None)
}

/// Creates a draft as [`create_for_request`] does, with the next number of this [series], or of the default one.
///
/// # Errors
/// As [`create_for_request`] and [`create_in`].
pub fn create_for_request_in(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    request: ActivityId,
    mut fields: EstimateFields,
    series: Option<NumberSeriesId>,
) -> Result<Estimate> {
    let before: Activity = children::get(ctx, txn, request.as_uuid())?;
    let ActivityBody::EstimateRequest { state } = before.fields.body else {
        return Err(Error::not_found("estimate request"));
    };
    children::check_change(ctx, txn, &before)?;
    if !matches!(state, RequestState::New | RequestState::Processing) {
        return Err(closed("estimate request", "estimate"));
    }
    hidden::check_said(ctx, &fields)?;
    fields.title = fields.title.or_else(|| before.fields.title.clone());
    let hidden = children::unseen(ctx, txn, &before.about)?;
    let (about, hidden) = (children::going_on(txn, &before.about)?, children::going_on(txn, &hidden)?);
    let origin = Origin { request: Some(request), series, ..Origin::default() };
    let (estimate, mut entries) = add(ctx, txn, (&about, &hidden), fields, origin)?;
    let mut after = before.clone();
    after.fields.body = ActivityBody::EstimateRequest { state: RequestState::Estimated };
    let (_, answered) = children::replace(ctx, txn, &before, after)?;
    entries.extend(answered);
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(estimate)
}

/// The estimate, if the actor may see a record that it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: EstimateId) -> Result<Estimate> {
    let estimate = load(ctx, txn, id)?;
    children::shown_one(ctx, txn, estimate)
}

/// The estimate with this number, in whichever series: the number itself; the text that was written when it was given
/// (`INV-2026-0007`), also without zeros; or that the tenant's [numbering](super::settings::estimate_numbering) of the standard
/// series writes (`E-00042`), also without its prefix or zeros.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see, or the text is no number; `Invalid` for a number alone
/// that estimates of several series have, when none of them is the standard one.
pub fn by_number<'n>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    number: impl Into<LeadNumber<'n>>,
) -> Result<Estimate> {
    ctx.check_tenant(txn)?;
    let found = series::find(ctx, txn, Series::Estimate, number.into(), "estimate")?;
    get(ctx, txn, EstimateId::from_uuid(found.id))
}

/// Writes all fields of an estimate. Of one that was sent they must stay such as can be sent. Of one that was accepted, was
/// declined or has expired, title, owner and note can change.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or what was offered is frozen; `Invalid`
/// with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: impl Into<Expect>,
    fields: EstimateFields,
) -> Result<Estimate> {
    let before = writable(ctx, txn, id, expect.into())?;
    let fields = hidden::kept(ctx, &before.fields, fields)?;
    write(ctx, txn, &before, fields)
}

/// Writes the lines of an estimate; everything else stays.
///
/// # Errors
/// As [`edit`].
pub fn set_lines(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: EstimateId,
    expect: impl Into<Expect>,
    lines: Vec<Line>,
) -> Result<Estimate> {
    let before = writable(ctx, txn, id, expect.into())?;
    check_fields(ctx, [Field::Amount].iter())?;
    let fields = EstimateFields { lines, ..before.fields.clone() };
    write(ctx, txn, &before, fields)
}

/// Removes a draft. Its number is not given again: a draft of a [gapless](crate::domain::SeriesFields::gapless) series stays. A request that it answered waits again. An undo of the operation brings
/// it back.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, it was sent, or its number would be missing
/// ([`NumberTaken`](crate::error::Conflict::NumberTaken)).
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: EstimateId, expect: impl Into<Expect>) -> Result<()> {
    let estimate = writable(ctx, txn, id, expect.into())?;
    if estimate.status != EstimateStatus::Draft {
        return Err(closed("estimate", "delete"));
    }
    series::check_removal(txn, Series::Estimate, estimate.number, estimate.serial.as_ref())?;
    let mut entries = children_purge::clear(ctx, txn, estimate.id.into())?;
    entries.extend(children::take_away(ctx, txn, &estimate)?);
    entries.extend(reopen_request(ctx, txn, &estimate)?);
    record(ctx, txn, OperationKind::Delete, &entries).map(drop)
}

/// The request that this estimate answered is what it was before, unless somebody said otherwise meanwhile.
fn reopen_request(ctx: &Context<'_>, txn: &mut dyn Txn, estimate: &Estimate) -> Result<Vec<NewEntry>> {
    let Some(id) = estimate.request else { return Ok(Vec::new()) };
    let estimated = ActivityBody::EstimateRequest { state: RequestState::Estimated };
    let Some(before) = txn.activities().get(&[id])?.pop().filter(|known| known.fields.body == estimated)
    else {
        return Ok(Vec::new());
    };
    let history = txn.journal().about(&[id.into()], Topics::NONE, None, MAX_PAGE)?;
    let changes = history.iter().filter(|entry| entry.subject == id.into()).flat_map(|entry| &entry.changes);
    let was = changes
        .filter(|change| change.field == "state")
        .find(|change| change.after == RequestState::Estimated.code().into())
        .and_then(|change| {
            RequestState::ALL.iter().copied().find(|state| change.before == state.code().into())
        });
    let mut after = before.clone();
    let state = was.unwrap_or(RequestState::Processing);
    after.fields.body = ActivityBody::EstimateRequest { state };
    Ok(children::replace(ctx, txn, &before, after)?.1)
}

/// What an estimate was made from.
#[derive(Debug, Clone, Copy, Default)]
struct Origin {
    revises: Option<EstimateId>,
    request: Option<ActivityId>,
    series: Option<NumberSeriesId>,
}

/// A stored draft, with the entries that tell it: about these records, of which some stay though the actor does not see
/// them, because what it is made from is about them.
fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (about, hidden): (&[Subject], &[Subject]),
    fields: EstimateFields,
    origin: Origin,
) -> Result<(Estimate, Vec<NewEntry>)> {
    let about = children::check_more(ctx, txn, about, hidden, &Tab::Estimate)?;
    let mut fields = fields.plain();
    fields.date = fields.date.or_else(|| Some(today(ctx)));
    if fields.currency.is_none() {
        fields.currency = currency_of(txn, &about)?;
    }
    let own = ctx.actor().user().filter(|user| ctx.policy().may_own(ctx.actor(), user));
    let totals = check(ctx, None, &fields).map_err(Error::invalid)?;
    fields.owner = fields.owner.or_else(|| own.cloned());
    let now = ctx.now();
    let (number, serial) = series::take(ctx, txn, Series::Estimate, origin.series)?;
    let estimate = Estimate {
        id: EstimateId::from_uuid(ctx.new_uuid()),
        number,
        serial,
        revision: Revision::FIRST,
        about,
        fields,
        totals,
        status: EstimateStatus::Draft,
        sent_at: None,
        settled_at: None,
        reason: None,
        revises: origin.revises,
        request: origin.request,
        created_by: ctx.actor().clone(),
        created_at: now,
        updated_at: now,
    };
    let entries = children::add(ctx, txn, &estimate)?;
    Ok((children::shown_one(ctx, txn, estimate)?, entries))
}

/// Writes these fields into a stored estimate.
fn write(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &Estimate,
    fields: EstimateFields,
) -> Result<Estimate> {
    let mut fields = fields.plain();
    fields.date = fields.date.or(before.fields.date);
    let status = before.status_on(today(ctx));
    if !status.is_open() && !fields.offers_the_same(&before.fields) {
        return Err(closed("estimate", "edit"));
    }
    let mut broken = Vec::new();
    if status == EstimateStatus::Sent {
        broken.extend(fields.unsendable().iter().map(EstimateUnmet::violation));
    }
    let totals = match check(ctx, Some(&before.fields), &fields) {
        Ok(totals) if broken.is_empty() => totals,
        Ok(_) => return Err(Error::invalid(broken)),
        Err(found) => {
            broken.extend(found);
            return Err(Error::invalid(broken));
        }
    };
    let after = Estimate { fields, totals, ..before.clone() };
    replace(ctx, txn, before, after)
}

fn replace(ctx: &Context<'_>, txn: &mut dyn Txn, before: &Estimate, after: Estimate) -> Result<Estimate> {
    let (after, entries) = children::replace(ctx, txn, before, after)?;
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    children::shown_one(ctx, txn, after)
}

/// Every rule that these fields break: their own, and who may answer for an estimate.
fn check(
    ctx: &Context<'_>,
    before: Option<&EstimateFields>,
    fields: &EstimateFields,
) -> Result<Totals, Vec<Violation>> {
    let kept = before.and_then(|before| before.owner.as_ref());
    let owner = fields.owner.as_ref().filter(|owner| kept != Some(*owner));
    let refused = owner.is_some_and(|owner| !ctx.policy().may_own(ctx.actor(), owner));
    let checked = fields.check();
    if !refused {
        return checked;
    }
    let mut broken = checked.err().unwrap_or_default();
    broken.push(Violation::new("owner", ViolationCode::NotAllowed, "this user cannot own estimates"));
    Err(broken)
}

/// The estimate as it is stored, if the actor may see it.
fn load(ctx: &Context<'_>, txn: &mut dyn Txn, id: EstimateId) -> Result<Estimate> {
    children::get(ctx, txn, id.as_uuid())
}

/// The estimate as it is stored, if the actor may change it.
fn writable(ctx: &Context<'_>, txn: &mut dyn Txn, id: EstimateId, expect: Expect) -> Result<Estimate> {
    let estimate = load(ctx, txn, id)?;
    children::check_change(ctx, txn, &estimate)?;
    expect.check("estimate", estimate.revision)?;
    Ok(estimate)
}

/// The estimate as of today, without what the actor may not see.
fn shown(ctx: &Context<'_>, mut estimate: Estimate) -> Estimate {
    estimate.status = estimate.status_on(today(ctx));
    hidden::masked(ctx, estimate)
}

fn today(ctx: &Context<'_>) -> Date {
    Date::in_zone(ctx.now(), ctx.utc_offset())
}

/// Refuses what its state does not allow.
fn closed(what: &str, function: &str) -> Error {
    Error::conflicting(what, Conflict::Closed { function: function.to_owned() })
}

/// The currency of the first lead or account that has one.
fn currency_of(txn: &mut dyn Txn, about: &[Subject]) -> Result<Option<crate::value::Currency>> {
    for subject in about {
        let found = match subject.kind {
            SubjectKind::Lead => {
                let leads = txn.leads().get(&[LeadId::from_uuid(subject.id)])?;
                leads.first().and_then(|lead| lead.fields.currency)
            }
            SubjectKind::Account => {
                let accounts = txn.accounts().get(&[AccountId::from_uuid(subject.id)])?;
                accounts.first().and_then(|account| account.fields.currency)
            }
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
