//! Services: what accounts buy (S2.26), each one line with its price, and whether it is bought now.
//!
//! A service belongs to an account, and is shown on its page and on those of the leads that became it. It says which line of
//! which estimate it was copied from, and which opportunity it was won with, where there is one. Its price is an amount of the
//! customer: whoever may not see the amounts of leads sees what is bought, but not for how much.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{
    Discount, Field, FieldChange, FieldValue, NewEntry, OperationKind, Service, ServiceFields, ServiceOrigin,
    ServicePatch, ServiceState, Subject, Tab, Totals,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{AccountId, EstimateId, OpportunityId, Revision, ServiceId};
use crate::query::{ListCursor, MAX_PAGE, Page};
use crate::store::{ServiceScan, Txn};
use crate::value::Currency;

use super::access::{Expect, check_fields, shows_hidden};
use super::children::{self, Child, Sight, stored_child};
use super::operation::record;
use super::{Listing, children_purge, opportunities};

/// What a new service is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewService {
    /// What callers may set.
    pub fields: ServiceFields,
    /// Whether it is bought from now on.
    pub state: ServiceState,
    /// The line of an estimate that it is copied from.
    pub origin: Option<ServiceOrigin>,
    /// The opportunity that it is won with: one of the same account.
    pub opportunity: Option<OpportunityId>,
}

impl From<ServiceFields> for NewService {
    fn from(fields: ServiceFields) -> Self {
        Self { fields, state: ServiceState::Active, origin: None, opportunity: None }
    }
}

impl NewService {
    /// In this state.
    #[must_use]
    pub const fn state(mut self, state: ServiceState) -> Self {
        self.state = state;
        self
    }

    /// Copied from this line.
    #[must_use]
    pub const fn origin(mut self, origin: ServiceOrigin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Won with this opportunity.
    #[must_use]
    pub const fn opportunity(mut self, opportunity: OpportunityId) -> Self {
        self.opportunity = Some(opportunity);
        self
    }
}

/// Creates services of an account, or of the account that a lead became, in one operation. Where one names no currency, it has
/// that of the account.
///
/// ```
/// use leadcore::desk::{convert, leads, services};
/// use leadcore::domain::{Line, ServiceFields, ServiceState};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let care = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let made = convert::convert(&ctx, txn, lead.id, &Default::default())?;
///     let line = Line::new("Care, monthly", 1.into(), 49.into()).tax("VAT", 25.into());
///     let care = services::create(&ctx, txn, made.account.unwrap(), vec![ServiceFields::from(line).into()])?.remove(0);
///     services::set_state(&ctx, txn, care.id, care.revision, ServiceState::Inactive)
/// })?;
/// assert_eq!((care.state, care.totals.gross.to_string()), (ServiceState::Inactive, "61.25".to_owned()));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` with [`ConversionRequired`](crate::error::Conflict::ConversionRequired) for a lead that is not converted;
/// `Invalid` with every broken rule of every service (`services[1].quantity`), and for more than 1,000.
pub fn create(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: impl Into<Subject>,
    new: Vec<NewService>,
) -> Result<Vec<Service>> {
    let (account, _) = opportunities::customer(ctx, txn, of.into(), Service::WHAT)?;
    let about = children::check_about(ctx, txn, &[account.into()], &Tab::Service)?;
    let priced = new.iter().any(|new| new.fields.currency.is_some());
    check_fields(
        ctx,
        [(Field::Amount, true), (Field::Currency, priced)]
            .iter()
            .filter(|(_, said)| *said)
            .map(|(field, _)| field),
    )?;
    if new.len() > MAX_PAGE {
        let message = "at most 1,000 services at once";
        return Err(Error::invalid_field("services", ViolationCode::LimitReached, message));
    }
    check_origins(txn, &new)?;
    let (services, entries) = add(ctx, txn, account, &about, new)?;
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Create, &entries)?;
    }
    children::shown(ctx, txn, services)
}

/// A line of an estimate becomes one service.
fn check_origins(txn: &mut dyn Txn, new: &[NewService]) -> Result<()> {
    let origins: Vec<_> = new.iter().enumerate().filter_map(|(n, new)| Some((n, new.origin?))).collect();
    let mut copied = sold(txn, origins.iter().map(|(_, origin)| origin.estimate))?;
    let again = origins.into_iter().filter(|(_, origin)| !copied.insert((origin.estimate, origin.position)));
    let broken: Vec<_> = again.map(|(n, _)| copied_twice(&format!("services[{n}].origin"))).collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// What is said where a line of an estimate would become a second service.
pub(super) fn copied_twice(field: &str) -> Violation {
    let message = "this line became another service already: a line is copied once";
    Violation::new(field, ViolationCode::Duplicate, message)
}

/// The lines of these estimates that became services.
fn sold(
    txn: &mut dyn Txn,
    estimates: impl Iterator<Item = EstimateId>,
) -> Result<BTreeSet<(EstimateId, u32)>> {
    let mut sold = BTreeSet::new();
    for estimate in estimates.collect::<BTreeSet<_>>() {
        // More than an estimate may have lines.
        let scan = ServiceScan { estimate: Some(estimate), limit: MAX_PAGE, ..ServiceScan::default() };
        let services = txn.services().scan(&scan)?;
        sold.extend(services.iter().filter_map(|one| Some((estimate, one.origin?.position))));
    }
    Ok(sold)
}

/// Stores services of an account, with the entries that tell them: for whoever makes accounts too, and records them in an
/// operation of its own.
pub(super) fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    account: AccountId,
    about: &[Subject],
    new: Vec<NewService>,
) -> Result<(Vec<Service>, Vec<NewEntry>)> {
    if new.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let known = txn.accounts().get(&[account])?;
    let currency = known.first().and_then(|account| account.fields.currency);
    let (now, mut services, mut broken) = (ctx.now(), Vec::with_capacity(new.len()), Vec::new());
    for (n, new) in new.into_iter().enumerate() {
        let at = |violation: Violation| Violation {
            field: format!("services[{n}].{}", violation.field),
            ..violation
        };
        let mut fields = new.fields;
        fields.currency = fields.currency.or(currency);
        broken.extend(strange(txn, account, new.opportunity)?.map(at));
        let (fields, totals) = match fields.settle() {
            Ok(settled) => settled,
            Err(found) => {
                broken.extend(found.into_iter().map(at));
                continue;
            }
        };
        services.push(Service {
            id: ServiceId::from_uuid(ctx.new_uuid()),
            revision: Revision::FIRST,
            account,
            about: about.to_vec(),
            fields,
            totals,
            state: new.state,
            origin: new.origin,
            opportunity: new.opportunity,
            created_by: ctx.actor().clone(),
            created_at: now,
            updated_at: now,
        });
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let mut entries = Vec::new();
    for service in &services {
        entries.extend(children::add(ctx, txn, service)?);
    }
    Ok((services, entries))
}

/// What is wrong with an opportunity that a service shall be won with.
fn strange(
    txn: &mut dyn Txn,
    account: AccountId,
    opportunity: Option<OpportunityId>,
) -> Result<Option<Violation>> {
    let Some(id) = opportunity else { return Ok(None) };
    let found = txn.opportunities().get(&[id])?;
    if found.first().is_some_and(|found| found.account == account) {
        return Ok(None);
    }
    let message = "the account has no such opportunity";
    Ok(Some(Violation::new("opportunity", ViolationCode::Unknown, message)))
}

/// The service, if the actor may see its account.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: ServiceId) -> Result<Service> {
    let service = children::get(ctx, txn, id.as_uuid())?;
    children::shown_one(ctx, txn, service)
}

/// Changes some fields of a service.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ServiceId,
    expect: impl Into<Expect>,
    patch: &ServicePatch,
) -> Result<Service> {
    let before = writable(ctx, txn, id, expect.into())?;
    let names = patch.names();
    let says = |wanted: &str| names.contains(&wanted);
    let said = [(Field::Amount, says("line") || says("currency")), (Field::Currency, says("currency"))];
    check_fields(ctx, said.iter().filter(|(_, said)| *said).map(|(field, _)| field))?;
    let mut fields = before.fields.clone();
    patch.apply(&mut fields);
    let (fields, totals) = fields.settle().map_err(Error::invalid)?;
    let after = Service { fields, totals, ..before.clone() };
    replace(ctx, txn, &before, after)
}

/// Says whether it is bought now.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn set_state(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ServiceId,
    expect: impl Into<Expect>,
    state: ServiceState,
) -> Result<Service> {
    let before = writable(ctx, txn, id, expect.into())?;
    let after = Service { state, ..before.clone() };
    replace(ctx, txn, &before, after)
}

/// Removes a service, with what is about it alone. An undo of the operation brings it back. One that is bought no more is
/// rather [inactive](set_state).
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: ServiceId, expect: impl Into<Expect>) -> Result<()> {
    let service = writable(ctx, txn, id, expect.into())?;
    let mut entries = children_purge::clear(ctx, txn, service.id.into())?;
    entries.extend(children::take_away(ctx, txn, &service)?);
    record(ctx, txn, OperationKind::Delete, &entries).map(drop)
}

/// A page of the services of an account, or of a lead that became one, by their first day. Lead and account show the same.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    listing: &Listing,
) -> Result<Page<Service, ListCursor>> {
    children::page(ctx, txn, subject.into(), vec![Tab::Service], listing)
}

/// Which of all services are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServiceQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// In this state.
    pub state: Option<ServiceState>,
    /// Won with this opportunity.
    pub opportunity: Option<OpportunityId>,
    /// Copied from this estimate.
    pub estimate: Option<EstimateId>,
    /// The earliest made first, instead of the latest.
    pub ascending: bool,
    /// From behind this one.
    pub after: Option<ServiceId>,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl Default for ServiceQuery {
    fn default() -> Self {
        Self {
            account: None,
            state: None,
            opportunity: None,
            estimate: None,
            ascending: false,
            after: None,
            limit: 50,
        }
    }
}

/// A page of all services of the tenant that the actor may see, by id. For an actor who may not see all leads a page can be
/// shorter than its limit and still have a next one.
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied`.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn, query: &ServiceQuery) -> Result<Page<Service, ServiceId>> {
    let mut sight = Sight::open(ctx, txn)?;
    if !(1..=MAX_PAGE).contains(&query.limit) {
        let message = "a page has 1 to 1,000 records";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let found = txn.services().scan(&ServiceScan {
        account: query.account,
        state: query.state,
        opportunity: query.opportunity,
        estimate: query.estimate,
        descending: !query.ascending,
        after: query.after,
        limit: query.limit.saturating_add(1),
    })?;
    let page = Page::cut(found, query.limit, |service: &Service| service.id);
    let about: Vec<_> = page.items.iter().flat_map(|service| &service.about).copied().collect();
    sight.learn(txn, &about)?;
    let seen = page.items.into_iter().filter(|service| sight.shows(&service.about)).collect();
    Ok(Page { items: children::shown(ctx, txn, seen)?, next: page.next })
}

/// The service as it is stored, if the actor may change it.
fn writable(ctx: &Context<'_>, txn: &mut dyn Txn, id: ServiceId, expect: Expect) -> Result<Service> {
    let service: Service = children::get(ctx, txn, id.as_uuid())?;
    children::check_change(ctx, txn, &service)?;
    expect.check(Service::WHAT, service.revision)?;
    Ok(service)
}

fn replace(ctx: &Context<'_>, txn: &mut dyn Txn, before: &Service, after: Service) -> Result<Service> {
    let (after, entries) = children::replace(ctx, txn, before, after)?;
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    children::shown_one(ctx, txn, after)
}

/// What tells what a service costs.
pub(super) fn is_hidden(ctx: &Context<'_>, name: &str) -> bool {
    let amount = || shows_hidden(ctx, &Field::Amount);
    match name {
        "unit_price" | "discount" | "total" => amount(),
        "currency" => amount() || shows_hidden(ctx, &Field::Currency),
        _ => false,
    }
}

impl Child for Service {
    const WHAT: &'static str = "service";

    stored_child!(services by ServiceId);

    fn means(&self) -> Option<Subject> {
        self.opportunity.map(Subject::from)
    }

    /// A line of an estimate that somebody else buys by now is not sold again.
    fn can_return(txn: &mut dyn Txn, now: Option<&Self>, child: &Self) -> Result<bool> {
        let Some(origin) = child.origin.filter(|_| now.is_none()) else { return Ok(true) };
        Ok(!sold(txn, std::iter::once(origin.estimate))?.contains(&(origin.estimate, origin.position)))
    }

    fn into_shown(mut self, ctx: &Context<'_>) -> Self {
        self.fields.currency = self.fields.currency.filter(|_| !is_hidden(ctx, "currency"));
        if is_hidden(ctx, "total") {
            self.fields.line.unit_price = rust_decimal::Decimal::ZERO;
            self.fields.line.discount = None;
            self.totals = Totals::default();
        }
        self
    }

    /// What it is, is always told.
    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        type Read = fn(&Service) -> FieldValue;
        let fields: [(&str, Read); 12] = [
            ("description", |s| s.fields.line.description.as_str().into()),
            ("state", |s| s.state.code().into()),
            ("product", |s| s.fields.line.product.as_deref().into()),
            ("quantity", |s| s.fields.line.quantity.into()),
            ("unit", |s| s.fields.line.unit.as_deref().into()),
            ("unit_price", |s| s.fields.line.unit_price.into()),
            ("discount", |s| match s.fields.line.discount {
                None => FieldValue::Empty,
                Some(Discount::Percent(percent)) => format!("{percent} %").into(),
                Some(Discount::Amount(amount)) => amount.into(),
            }),
            ("total", |s| s.totals.gross.into()),
            ("currency", |s| s.fields.currency.as_ref().map(Currency::code).into()),
            ("from", |s| s.fields.from.into()),
            ("until", |s| s.fields.until.into()),
            ("note", |s| s.fields.note.as_deref().into()),
        ];
        let side = |side: Option<&Self>, read: Read| side.map_or(FieldValue::Empty, read);
        let change = |(field, read): (&str, Read)| {
            let change = FieldChange::new(field, side(before, read), side(after, read));
            (field == "description" || change.before != change.after).then_some(change)
        };
        fields.into_iter().filter_map(change).collect()
    }
}
