//! Opportunities: what accounts may buy (S1.06), from the first talk to won or lost (S1.07).
//!
//! An opportunity belongs to an account: it is shown on its page, and on those of the leads that became it, and is copied
//! nowhere. Asked for about a lead that is no customer yet, the call answers with
//! [`ConversionRequired`](crate::error::Conflict::ConversionRequired) and what to convert, or
//! [converts it](NewOpportunity::converting) first (S4.14).
//!
//! While it is open everything can change. Once won or lost, what it was worth is fixed until it is [reopened](reopen). What
//! the policy hides of leads (amount, owner, source …) it hides here too.

mod customers;
mod kind;
mod list;
mod moves;

use crate::context::Context;
use crate::domain::{
    CatalogueKind, Field, Lead, LeadNumber, NewEntry, OperationKind, Opportunity, OpportunityEnd,
    OpportunityFields, OpportunityPatch, OpportunityState, Series, Subject, Tab, TermKind, Totals,
};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{
    AccountId, ContactId, LeadId, NumberSeriesId, OperationId, OpportunityId, Revision, SourceId,
};
use crate::store::Txn;
use crate::time::Date;

use super::access::{Expect, check_fields};
use super::convert::once::{self, Once};
use super::convert::{self, ConversionOptions};
use super::operation::record;
use super::settings::load_catalogue_of;
use super::{children, children_purge, custom, series};

use customers::check_persons;
pub(super) use customers::customer;
use kind::check_named;
pub(super) use kind::{is_hidden, shown_by};
use list::made_by;
pub(super) use list::origins;
pub use list::{OpportunityQuery, list, of};
pub use moves::{Lost, lose, reopen, win};
pub(super) use moves::{lost, won};

/// What a new opportunity is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NewOpportunity {
    /// What callers may set.
    pub fields: OpportunityFields,
    /// The persons that it is about, at most 19.
    pub contacts: Vec<ContactId>,
    /// The series of numbers that it is numbered in; the default one, where none is named.
    pub series: Option<NumberSeriesId>,
    /// How a lead that is no customer yet is converted first; none to refuse it.
    pub convert: Option<Box<ConversionOptions>>,
}

impl From<OpportunityFields> for NewOpportunity {
    fn from(fields: OpportunityFields) -> Self {
        Self { fields, contacts: Vec::new(), series: None, convert: None }
    }
}

impl NewOpportunity {
    /// About these persons.
    #[must_use]
    pub fn contacts(mut self, contacts: impl IntoIterator<Item = ContactId>) -> Self {
        self.contacts = contacts.into_iter().collect();
        self
    }

    /// With the next number of this series.
    #[must_use]
    pub const fn series(mut self, series: NumberSeriesId) -> Self {
        self.series = Some(series);
        self
    }

    /// Of a lead that is converted in the same call, where it is not yet. With a [key](ConversionOptions::key) the same call
    /// again gives the first opportunity.
    #[must_use]
    pub fn converting(mut self, options: ConversionOptions) -> Self {
        self.convert = Some(Box::new(options));
        self
    }
}

/// Creates an open opportunity of an account, or of the account that a lead became.
///
/// Where the fields name none, the owner is the acting user, the currency is that of the account, and the source is that of
/// the lead. Of a lead that is converted in the same call, it is what the tenant's mapping makes of the lead, as in a plan, with
/// what the fields say over it; the conversion itself makes no opportunity besides.
///
/// ```
/// use leadcore::desk::{leads, opportunities};
/// use leadcore::domain::{OpportunityFields, OpportunityState};
/// use leadcore::error::Conflict;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let won = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let roof = OpportunityFields { amount: Some(3_000.into()), ..OpportunityFields::named("A roof of panels") };
///     let early = opportunities::create(&ctx, txn, lead.id, roof.clone().into()).unwrap_err();
///     assert!(matches!(early.conflict(), Some(Conflict::ConversionRequired { lead: of, .. }) if *of == lead.id));
///     let roof = opportunities::NewOpportunity::from(roof).converting(Default::default());
///     let open = opportunities::create(&ctx, txn, lead.id, roof)?;
///     opportunities::win(&ctx, txn, open.id, open.revision, None)
/// })?;
/// assert_eq!((won.number, won.state), (1, OpportunityState::Won));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` with `ConversionRequired` for a lead that is not converted, unless it is
/// [to be](NewOpportunity::converting): then what [`convert`](super::convert::convert) says; so for somebody whom such a lead has
/// and no customer; `Invalid` with every broken rule, and for
/// any other kind of record. Whatever stands against either, nothing is written.
pub fn create(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: impl Into<Subject>,
    mut new: NewOpportunity,
) -> Result<Opportunity> {
    let of = of.into();
    let Some(options) = new.convert.take() else { return Ok(create_of_customer(ctx, txn, of, new)?.1) };
    convert::check_for_opportunity(&options)?;
    let said = (&new.fields, &new.contacts, &new.series);
    let once = |key| Once::opportunity(key).for_new(txn, LeadId::from_uuid(of.id), &options, &said).map(Some);
    let once = options.key.as_ref().map_or_else(|| options.check_read().map(|()| None), once)?;
    // The key stands for the whole call, not for the conversion in it too.
    let options = ConversionOptions { key: None, ..options.as_ref().clone() };
    let mut made = None;
    txn.savepoint(&mut |txn| {
        let first = |txn: &mut dyn Txn, operation| made_by(ctx, txn, operation);
        made = Some(once::by(ctx, txn, once.clone(), first, |txn| {
            let mut new = new.clone();
            match customer(ctx, txn, of, "opportunity") {
                Err(error) if matches!(error.conflict(), Some(Conflict::ConversionRequired { .. })) => {
                    let lead = LeadId::from_uuid(of.id);
                    check_named(ctx, &new.fields)?;
                    new.fields = convert::opportunity_for(ctx, txn, lead, new.fields)?;
                    let make = |txn: &mut dyn Txn| {
                        let customer = customer(ctx, txn, of, "opportunity")?;
                        make(ctx, txn, customer, new)
                    };
                    convert::convert_for(ctx, txn, (lead, &options), make)
                }
                known => known.and_then(|_| create_of_customer(ctx, txn, of, new)),
            }
        })?);
        Ok(())
    })?;
    made.ok_or_else(|| Error::new(ErrorKind::Internal, "a savepoint did not run"))
}

fn create_of_customer(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: Subject,
    new: NewOpportunity,
) -> Result<(OperationId, Opportunity)> {
    let customer = customer(ctx, txn, of, "opportunity")?;
    check_named(ctx, &new.fields)?;
    make(ctx, txn, customer, new)
}

fn make(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (account, lead): (AccountId, Option<Lead>),
    new: NewOpportunity,
) -> Result<(OperationId, Opportunity)> {
    let NewOpportunity { mut fields, contacts, series, convert: _ } = new;
    let about = children::check_about(ctx, txn, &Opportunity::about(account, &contacts), &Tab::Opportunity)?;
    check_persons(ctx, txn, &about, &[])?;
    fields.source = fields.source.or_else(|| lead.as_ref().and_then(|lead| lead.fields.source));
    fields.campaign = fields.campaign.or_else(|| lead.as_ref().and_then(|lead| lead.fields.campaign.clone()));
    let own = ctx.actor().user().filter(|user| ctx.policy().may_own(ctx.actor(), user));
    let owner = fields.owner.clone().or_else(|| own.cloned());
    // Owner and source that the lead has already need no leave.
    let kept = lead.as_ref().map(|lead| OpportunityFields {
        owner: lead.fields.owner.clone(),
        source: lead.fields.source,
        ..OpportunityFields::default()
    });
    let origin = lead.map(|lead| lead.id);
    let mut fields = with_currency(txn, account, fields)?;
    load_catalogue_of(txn, CatalogueKind::Opportunity)?.1.fill_defaults(&mut fields.custom);
    let (fields, totals) = checked(ctx, txn, None, (kept.as_ref(), None), fields)?;
    let fields = OpportunityFields { owner, ..fields };
    let (opportunity, entries) =
        add(ctx, txn, (account, about), (fields, totals), Made { origin_lead: origin, series, ended: None })?;
    let operation = record(ctx, txn, OperationKind::Create, &entries)?;
    Ok((operation, children::shown_one(ctx, txn, opportunity)?))
}

/// The opportunity, if the actor may see a record that it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: OpportunityId) -> Result<Opportunity> {
    let opportunity = load(ctx, txn, id)?;
    children::shown_one(ctx, txn, opportunity)
}

/// The opportunity with this number, in whichever series: the number itself; the text that was written when it was given; or
/// that the tenant's [numbering](super::settings::opportunity_numbering) of the standard series writes (`O-00042`), also
/// without its prefix or zeros.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see, or the text is no number; `Invalid` for a number alone
/// that opportunities of several series have, when none of them is the standard one.
pub fn by_number<'n>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    number: impl Into<LeadNumber<'n>>,
) -> Result<Opportunity> {
    ctx.check_tenant(txn)?;
    let found = series::find(ctx, txn, Series::Opportunity, number.into(), "opportunity")?;
    get(ctx, txn, OpportunityId::from_uuid(found.id))
}

/// Changes some fields. Of one that was won or lost, what it was worth is fixed: amount, currency, lines, probability and
/// expected day.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or its worth is fixed; `Invalid` with every
/// broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: impl Into<Expect>,
    patch: &OpportunityPatch,
) -> Result<Opportunity> {
    let before = writable(ctx, txn, id, expect.into())?;
    check_fields(ctx, shown_by(&patch.names()).iter())?;
    let custom: Vec<_> = patch.custom_keys().cloned().map(Field::Custom).collect();
    check_fields(ctx, custom.iter())?;
    let mut fields = before.fields.clone();
    patch.apply(&mut fields);
    let (fields, totals) = checked(ctx, txn, Some(id), (Some(&before.fields), None), fields)?;
    if before.state != OpportunityState::Open && !fields.is_worth_the_same(&before.fields) {
        return Err(closed("edit"));
    }
    let after = Opportunity { fields, totals, ..before.clone() };
    replace(ctx, txn, OperationKind::Edit, &before, after)
}

/// Says which persons it is about. Those that the actor does not see stay.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, with `ConversionRequired` for somebody who is the
/// person of a lead alone that is not converted; `Invalid` for more than 19.
pub fn set_contacts(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: impl Into<Expect>,
    contacts: &[ContactId],
) -> Result<Opportunity> {
    let before = writable(ctx, txn, id, expect.into())?;
    let given = Opportunity::about(before.account, contacts);
    let about = children::given_back(ctx, txn, &before.about, &given)?;
    let about = children::check_more(ctx, txn, &about, &before.about, &Tab::Opportunity)?;
    check_persons(ctx, txn, &about, &before.about)?;
    let after = Opportunity { about, ..before.clone() };
    replace(ctx, txn, OperationKind::Edit, &before, after)
}

/// Removes an opportunity, with what is about it alone. Its number is not given again. An undo of the operation brings it
/// back.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected, or its number would be missing from a gapless
/// series ([`NumberTaken`](crate::error::Conflict::NumberTaken)).
pub fn delete(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
    expect: impl Into<Expect>,
) -> Result<()> {
    let opportunity = writable(ctx, txn, id, expect.into())?;
    series::check_removal(txn, Series::Opportunity, opportunity.number, opportunity.serial.as_ref())?;
    let mut entries = children_purge::clear(ctx, txn, opportunity.id.into())?;
    entries.extend(children::take_away(ctx, txn, &opportunity)?);
    record(ctx, txn, OperationKind::Delete, &entries).map(drop)
}

/// How a new opportunity came to be.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The lead that it was made of.
    pub(super) origin_lead: Option<LeadId>,
    /// The series that it is numbered in; the default one, where none is named.
    pub(super) series: Option<NumberSeriesId>,
    /// How it ended already.
    pub(super) ended: Option<(OpportunityState, OpportunityEnd)>,
}

/// Stores an opportunity that was checked, with the entries that tell it: for whoever makes accounts too, and records
/// it in an operation of its own.
pub(super) fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (account, about): (AccountId, Vec<Subject>),
    (fields, totals): (OpportunityFields, Totals),
    made: Made,
) -> Result<(Opportunity, Vec<NewEntry>)> {
    let now = ctx.now();
    let (number, serial) = series::take(ctx, txn, Series::Opportunity, made.series)?;
    let opportunity = Opportunity {
        id: OpportunityId::from_uuid(ctx.new_uuid()),
        number,
        serial,
        revision: Revision::FIRST,
        account,
        about,
        fields,
        totals,
        state: made.ended.as_ref().map_or(OpportunityState::Open, |(state, _)| *state),
        end: made.ended.map(|(_, end)| end),
        origin_lead: made.origin_lead,
        created_by: ctx.actor().clone(),
        created_at: now,
        updated_at: now,
    };
    let entries = children::add(ctx, txn, &opportunity)?;
    Ok((opportunity, entries))
}

/// The fields as they are stored, with what their lines add up to; of the opportunity `own`, where there is one already. A
/// source that it has from a lead may have been archived since.
///
/// # Errors
/// `Invalid` with every rule that they break: their own, who may answer for it, and where it may come from.
pub(super) fn checked(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    own: Option<OpportunityId>,
    (before, of_lead): (Option<&OpportunityFields>, Option<SourceId>),
    fields: OpportunityFields,
) -> Result<(OpportunityFields, Totals)> {
    let mut broken = Vec::new();
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Opportunity)?;
    let values = before.map(|before| before.custom.clone()).unwrap_or_default();
    let own = own.map(OpportunityId::as_uuid);
    broken.extend(custom::broken_values(txn, &catalogue, own, &fields.custom, &values)?);
    let kept = before.and_then(|before| before.owner.as_ref());
    let owner = fields.owner.as_ref().filter(|owner| kept != Some(*owner));
    if owner.is_some_and(|owner| !ctx.policy().may_own(ctx.actor(), owner)) {
        let message = "this user cannot own opportunities";
        broken.push(Violation::new("owner", ViolationCode::NotAllowed, message));
    }
    let source = fields.source.filter(|source| before.and_then(|before| before.source) != Some(*source));
    if let Some(source) = source {
        match txn.terms().get(TermKind::Source, &[source.as_uuid()])?.first() {
            None => {
                let message = "there is no source with this id";
                broken.push(Violation::new("source", ViolationCode::Unknown, message));
            }
            Some(known) if known.term.archived && of_lead != Some(source) => {
                broken.push(Violation::new("source", ViolationCode::NotAllowed, "this source is archived"));
            }
            Some(_) => {}
        }
    }
    match fields.settle() {
        Ok(settled) if broken.is_empty() => return Ok(settled),
        Ok(_) => {}
        Err(found) => broken.extend(found),
    }
    Err(Error::invalid(broken))
}

/// The fields in the currency of the account, where they name none.
pub(super) fn with_currency(
    txn: &mut dyn Txn,
    account: AccountId,
    mut fields: OpportunityFields,
) -> Result<OpportunityFields> {
    if fields.currency.is_none() {
        let accounts = txn.accounts().get(&[account])?;
        fields.currency = accounts.first().and_then(|account| account.fields.currency);
    }
    Ok(fields)
}

fn replace(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: OperationKind,
    before: &Opportunity,
    after: Opportunity,
) -> Result<Opportunity> {
    let (after, entries) = children::replace(ctx, txn, before, after)?;
    if !entries.is_empty() {
        record(ctx, txn, kind, &entries)?;
    }
    children::shown_one(ctx, txn, after)
}

/// The opportunity as it is stored, if the actor may see it.
fn load(ctx: &Context<'_>, txn: &mut dyn Txn, id: OpportunityId) -> Result<Opportunity> {
    children::get(ctx, txn, id.as_uuid())
}

/// The opportunity as it is stored, if the actor may change it.
fn writable(ctx: &Context<'_>, txn: &mut dyn Txn, id: OpportunityId, expect: Expect) -> Result<Opportunity> {
    let opportunity = load(ctx, txn, id)?;
    children::check_change(ctx, txn, &opportunity)?;
    expect.check("opportunity", opportunity.revision)?;
    Ok(opportunity)
}

fn today(ctx: &Context<'_>) -> Date {
    Date::in_zone(ctx.now(), ctx.utc_offset())
}

/// Refuses what its state does not allow.
fn closed(function: &str) -> Error {
    Error::conflicting("opportunity", Conflict::Closed { function: function.to_owned() })
}
