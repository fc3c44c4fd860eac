//! The products of a lead (X.47): what it may buy, before anything is offered.

use crate::context::Context;
use crate::domain::{
    Field, FieldChange, FieldValue, LeadLines, LeadPatch, Line, OperationKind, Subject, SubjectKind, Tab,
    Totals, in_words,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId, OpportunityId, Revision};
use crate::policy::Permission;
use crate::store::Txn;
use crate::value::Currency;

use super::access::{Expect, check_readable, editable_for, shows_hidden, visible};
use super::children::{self, Child, revised_child};
use super::operation::record;
use super::{accounts, leads, opportunities};

impl Child for LeadLines {
    const WHAT: &'static str = "list of products";

    fn subject(&self) -> Subject {
        Self::subject_of(self.lead())
    }

    fn about(&self) -> &[Subject] {
        std::slice::from_ref(&self.lead)
    }

    /// They are the lead's, and nobody else's.
    fn set_about(&mut self, _: Vec<Subject>) {}

    revised_child!(lines by LeadId);

    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        let words = |side: Option<&Self>| -> FieldValue {
            side.map_or(FieldValue::Empty, |list| in_words(&list.lines).into())
        };
        let total = |side: Option<&Self>| -> FieldValue {
            side.map_or(FieldValue::Empty, |list| list.totals.net.into())
        };
        vec![
            FieldChange::new("lines", words(before), words(after)),
            FieldChange::new("total", total(before), total(after)),
        ]
    }
}

/// The products that a lead shall have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Products {
    /// The currency of all lines; that of the lead where none is named.
    pub currency: Option<Currency>,
    /// The lines, at most 1,000.
    pub lines: Vec<Line>,
    /// Whether their net total, and its currency, become the amount and currency of the lead.
    pub write_amount: bool,
}

impl From<Vec<Line>> for Products {
    fn from(lines: Vec<Line>) -> Self {
        Self { lines, ..Self::default() }
    }
}

impl Products {
    /// In this currency.
    #[must_use]
    pub const fn currency(mut self, currency: Currency) -> Self {
        self.currency = Some(currency);
        self
    }

    /// With their net total as the amount of the lead.
    #[must_use]
    pub const fn with_amount(mut self) -> Self {
        self.write_amount = true;
        self
    }
}

/// What products add up to is the amount of the lead: whoever may not see that sees no products.
const AMOUNT: [Field; 2] = [Field::Amount, Field::Currency];

/// The products of a lead with their totals; none where it has none.
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen; `Invalid` when its amount or currency may not.
pub fn of(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<Option<LeadLines>> {
    let lead = visible(ctx, txn, lead)?;
    check_readable(ctx, AMOUNT.iter())?;
    Ok(txn.lines().get(&[lead.id])?.pop())
}

/// The products that a record shows: of a lead its own; of an account those of the leads that became it; of an opportunity those of
/// the lead that it was made of and of the leads that joined it. They are the leads' and stay there: nothing is copied, and the
/// oldest lead comes first. Whoever sees the customer sees them, also without seeing the leads; each list says the id of its lead,
/// which is all that it tells of it.
///
/// ```
/// use leadcore::desk::convert::{self, ConversionOptions, OpportunityRequest};
/// use leadcore::desk::{leads, lines};
/// use leadcore::domain::Line;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let shown = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let panels = vec![Line::new("Panel", 12.into(), 200.into())];
///     lines::set(&ctx, txn, lead.id, desk::Expect::Any, panels.into())?;
///     let options = ConversionOptions::default().with_opportunity(OpportunityRequest::new());
///     let done = convert::convert(&ctx, txn, lead.id, &options)?;
///     lines::list(&ctx, txn, done.opportunity.unwrap())
/// })?;
/// assert_eq!((shown.len(), shown[0].totals.net), (1, 2_400.into()));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` when the record does not exist or may not be seen; `Invalid` when amount or currency of leads may not, and for
/// another kind of record.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn, of: impl Into<Subject>) -> Result<Vec<LeadLines>> {
    let of = of.into();
    check_readable(ctx, AMOUNT.iter())?;
    let leads = match of.kind {
        SubjectKind::Lead => vec![visible(ctx, txn, LeadId::from_uuid(of.id))?.id],
        SubjectKind::Account => {
            let id = accounts::get(ctx, txn, AccountId::from_uuid(of.id))?.id;
            accounts::behind(txn, id)?
        }
        SubjectKind::Opportunity => opportunities::origins(ctx, txn, OpportunityId::from_uuid(of.id))?,
        _ => {
            let message = "only leads, accounts and opportunities show products";
            return Err(Error::invalid_field("of", ViolationCode::NotAllowed, message));
        }
    };
    let leads: Vec<_> = accounts::oldest_first(txn, &leads)?.iter().map(|lead| lead.id).collect();
    txn.lines().get(&leads)
}

/// The products of a lead, as far as the actor sees what they add up to.
pub(super) fn seen(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<Option<LeadLines>> {
    let hidden = AMOUNT.iter().any(|field| shows_hidden(ctx, field));
    if hidden { Ok(None) } else { Ok(txn.lines().get(&[lead])?.pop()) }
}

/// Writes the products of a lead in the place of those that it has; without lines, it has none then. An undo of the operation
/// brings the old ones back.
///
/// The revision is that of the list, which begins with the first write; the lead itself is written only where its amount shall
/// follow.
///
/// ```
/// use leadcore::desk::{leads, lines};
/// use leadcore::domain::Line;
/// use leadcore::prelude::*;
/// use leadcore::value::Currency;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let lead = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let wanted = vec![Line::new("Panel", 12.into(), 200.into()), Line::new("Inverter", 1.into(), 900.into())];
///     let products = lines::Products::from(wanted).currency(Currency::parse("NOK")?).with_amount();
///     lines::set(&ctx, txn, lead.id, desk::Expect::Any, products)?;
///     leads::get(&ctx, txn, lead.id)
/// })?;
/// assert_eq!(lead.fields.amount, Some(3_300.into()));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once the lead is converted; `Conflict` when the revision of the list is another than expected,
/// or the tenant closed `product_lines` (or `edit`, for the amount) for the state of the lead; `Invalid` with every broken
/// rule.
pub fn set(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    expect: impl Into<Expect>,
    products: Products,
) -> Result<Option<LeadLines>> {
    let lead = editable_for(ctx, txn, lead, Expect::Any, Permission::Edit, Tab::Lines.code())?;
    check_readable(ctx, AMOUNT.iter())?;
    let before = txn.lines().get(&[lead.id])?.pop();
    let found = before.as_ref().map_or(Revision::new(0), |list| list.revision);
    expect.into().check(LeadLines::WHAT, found)?;
    let currency = products.currency.or(lead.fields.currency);
    let lines: Vec<_> = products.lines.into_iter().map(Line::plain).collect();
    let totals = Totals::of(&lines, currency)?;
    let mut entries = Vec::new();
    if products.write_amount {
        let mut patch = LeadPatch::new().set(Field::Amount, totals.net);
        if let Some(currency) = currency {
            patch = patch.set(Field::Currency, currency.code());
        }
        entries.extend(leads::amend(ctx, txn, lead.id, Expect::Any, &patch)?.1);
    }
    let now = ctx.now();
    let fresh = LeadLines {
        lead: lead.id.into(),
        revision: Revision::FIRST,
        currency,
        lines,
        totals,
        created_at: now,
        updated_at: now,
    };
    let (after, told) = match before {
        None if fresh.lines.is_empty() => (None, Vec::new()),
        None => {
            let told = children::add(ctx, txn, &fresh)?;
            (Some(fresh), told)
        }
        Some(before) if fresh.lines.is_empty() => (None, children::take_away(ctx, txn, &before)?),
        Some(before) => {
            let kept = (before.revision, before.created_at, before.updated_at);
            let next = LeadLines { revision: kept.0, created_at: kept.1, updated_at: kept.2, ..fresh };
            let (after, told) = children::replace(ctx, txn, &before, next)?;
            (Some(after), told)
        }
    };
    entries.extend(told);
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    Ok(after)
}
