//! Accounts: the customers that leads became, and those that were there before.
//!
//! An actor may see an account when it may see one of the leads behind it, or all leads; and change it when it may edit
//! one of them, or all, although the leads themselves are frozen. The same goes for whoever the customer was handed over to: the
//! leads count as theirs too, as far as its account is concerned. An account without a lead behind it is judged by what it
//! says itself, as a lead of the same owner, category, country … would be.
//!
//! Whoever sees an account sees through it what hangs on the leads behind it (notes, files, estimates, their history …), with
//! the fields that are hidden left out. The leads themselves stay out of the lists of whoever may not see them.
//!
//! Being behind an account grants that much because whoever worked the lead goes on with the customer. Nobody gets there by
//! itself: a conversion joins an account that is there only for an actor who may change it already.

mod removal;

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{
    Account, AccountFields, AccountPatch, Action, CatalogueKind, CustomValues, Field, Lead, LeadFields,
    LeadNumber, Link, LinkRole, NewEntry, NumberPlace, OperationKind, Rank, Series, TermKind,
    account_changes,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{AccountId, LeadId, NumberSeriesId, PipelineId, Revision, StageId};
use crate::policy::Permission;
use crate::query::Page;
use crate::store::Txn;

use super::access::{Expect, Gate, check_fields, require};
use super::intake::check_tax_id;
use super::listing::check_limit;
use super::operation::record;
use super::settings::load_catalogue_of;
use super::{custom, series};

pub(super) use removal::Hanging;
pub use removal::{AccountBlocker, delete, delete_blockers};

/// One account, also one that was deleted, or archived when its conversion was taken back.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Account> {
    Ok(masked(ctx, load(ctx, txn, id)?))
}

/// What a new account is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NewAccount {
    /// What callers may set.
    pub fields: AccountFields,
    /// The series that it is numbered in; the default one, where none is named.
    pub series: Option<NumberSeriesId>,
}

impl From<AccountFields> for NewAccount {
    fn from(fields: AccountFields) -> Self {
        Self { fields, series: None }
    }
}

impl NewAccount {
    /// With the next number of this series.
    #[must_use]
    pub const fn series(mut self, series: NumberSeriesId) -> Self {
        self.series = Some(series);
        self
    }
}

/// Creates an account that no lead became: a customer whom the host knew before. Where the fields name no owner, it is the
/// acting user.
///
/// ```
/// use leadcore::desk::{accounts, contacts};
/// use leadcore::domain::{AccountFields, ContactFields};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let known = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
/// let account = store.write(ctx.tenant(), |txn| {
///     let account = accounts::create(&ctx, txn, known.clone().into())?;
///     contacts::add(&ctx, txn, account.id, ContactFields::named("Anna Berg")?, true)?;
///     Ok(account)
/// })?;
/// assert_eq!((account.number, account.fields.name.as_str()), (1, "Nordlys AS"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied` when the actor may create nothing, or not such a one; `Conflict` with `SeriesExhausted`; `Invalid` with every
/// broken rule at once.
pub fn create(ctx: &Context<'_>, txn: &mut dyn Txn, new: NewAccount) -> Result<Account> {
    require(ctx, txn, Permission::Create)?;
    let NewAccount { mut fields, series } = new;
    let given = fields.as_lead_fields();
    let named = |field: &&Field| !field.read_fields(&given).is_empty() && **field != Field::Kind;
    let values: Vec<_> = fields.custom.keys().cloned().map(Field::Custom).collect();
    check_fields(ctx, AccountFields::FIELDS.iter().filter(named).chain(&values))?;
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Account)?;
    catalogue.fill_defaults(&mut fields.custom);
    let unset = AccountFields::default();
    let mut broken = violations(ctx, txn, &unset, &fields)?;
    broken.extend(custom::broken_values(txn, &catalogue, None, &fields.custom, &unset.custom)?);
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let own = ctx.actor().user().filter(|user| ctx.policy().may_own(ctx.actor(), user));
    fields.owner = fields.owner.or_else(|| own.cloned());
    let now = ctx.now();
    let mut account = Account {
        id: AccountId::from_uuid(ctx.new_uuid()),
        number: 0,
        serial: None,
        revision: Revision::FIRST,
        fields,
        created_at: now,
        updated_at: now,
        archived: None,
    };
    Gate::open(ctx, txn, Permission::Create)?.check(&as_lead(&account))?;
    (account.number, account.serial) = series::take(ctx, txn, Series::Account, series)?;
    txn.accounts().insert(std::slice::from_ref(&account))?;
    record(ctx, txn, OperationKind::Create, &[NewEntry::new(account.id, Action::Created, now)])?;
    Ok(masked(ctx, account))
}

/// The account with this number, in whichever series: the number itself, or the text that was written when it was given
/// (`K-2026-0007`), in any case of letters and without zeros in front; for the standard series, as that is written now.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see, or the text is no number; `Invalid` for a number alone
/// that accounts of several series have, when none of them is the standard one.
pub fn by_number<'n>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    number: impl Into<LeadNumber<'n>>,
) -> Result<Account> {
    ctx.check_tenant(txn)?;
    let found = series::find(ctx, txn, Series::Account, number.into(), "account")?;
    get(ctx, txn, AccountId::from_uuid(found.id))
}

/// The account as it is stored, if the actor may see it.
pub(super) fn load(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Account> {
    ctx.check_tenant(txn)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let found = txn.accounts().get(&[id])?;
    visible(txn, &gate, found)?.pop().ok_or_else(|| Error::not_found("account"))
}

/// Refuses an account that was deleted or whose conversion was taken back: nothing is written to it any more.
pub(super) fn live(account: Account) -> Result<Account> {
    if account.archived.is_some() { Err(Error::not_found("account")) } else { Ok(account) }
}

/// The account, if the actor may change it.
pub(super) fn editable(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Account> {
    let account = live(load(ctx, txn, id)?)?;
    let gate = Gate::open(ctx, txn, Permission::Edit)?;
    let mut allowed = visible(txn, &gate, vec![account])?;
    allowed.pop().ok_or_else(|| Error::denied(Permission::Edit.code()))
}

/// Changes some fields of an account and writes each change into the journal. A patch that changes nothing writes
/// nothing. The leads behind the account stay as they were converted.
///
/// ```
/// use leadcore::desk::{accounts, convert, leads};
/// use leadcore::domain::{AccountPatch, Field};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let account = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let made = convert::convert(&ctx, txn, lead.id, &Default::default())?;
///     let account = accounts::get(&ctx, txn, made.account.unwrap())?;
///     let patch = AccountPatch::new().name("Nordlys Energi AS").set(Field::City, "Tromsø");
///     accounts::edit(&ctx, txn, account.id, account.revision, &patch)
/// })?;
/// assert_eq!(account.fields.name, "Nordlys Energi AS");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` with every broken rule at once.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: AccountId,
    expect: impl Into<Expect>,
    patch: &AccountPatch,
) -> Result<Account> {
    let before = editable(ctx, txn, id)?;
    expect.into().check("account", before.revision)?;
    check_fields(ctx, patch.fields())?;
    let mut fields = before.fields.clone();
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Account)?;
    patch.apply(&catalogue, &mut fields)?;
    if fields == before.fields {
        return Ok(masked(ctx, before));
    }
    let mut broken = violations(ctx, txn, &before.fields, &fields)?;
    let (own, values) = (Some(id.as_uuid()), &before.fields.custom);
    broken.extend(custom::broken_values(txn, &catalogue, own, &fields.custom, values)?);
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let changes = account_changes(&before.fields, &fields);
    let after = Account { fields, revision: before.revision.next(), updated_at: ctx.now(), ..before };
    txn.accounts().update(std::slice::from_ref(&after))?;
    let entry = NewEntry::new(after.id, Action::Updated, after.updated_at).with_changes(changes);
    record(ctx, txn, OperationKind::Edit, &[entry])?;
    Ok(masked(ctx, after))
}

/// Every rule that a write breaks, by the field as the caller named it.
pub(super) fn violations(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &AccountFields,
    after: &AccountFields,
) -> Result<Vec<Violation>> {
    let mut broken = after.violations();
    for violation in &mut broken {
        if let Some(field) = violation.field.strip_prefix("account.") {
            violation.field = field.to_owned();
        }
    }
    if let Some(owner) = after.owner.as_ref().filter(|owner| before.owner.as_ref() != Some(owner))
        && !ctx.policy().may_own(ctx.actor(), owner)
    {
        broken.push(Violation::new("owner", ViolationCode::NotAllowed, "this user cannot own accounts"));
    }
    broken.extend(check_tax_id(ctx, &after.as_lead_fields(), &before.as_lead_fields()));
    if let Some(category) = after.category {
        match txn.terms().get(TermKind::Category, &[category.as_uuid()])?.first() {
            None => {
                let message = "there is no category with this id";
                broken.push(Violation::new("category", ViolationCode::Unknown, message));
            }
            Some(known) if known.term.archived && before.category != Some(category) => {
                let message = "this category is archived";
                broken.push(Violation::new("category", ViolationCode::NotAllowed, message));
            }
            Some(_) => {}
        }
    }
    Ok(broken)
}

/// Accounts by customer number, those of several series with one number by id, from behind `after`, at most `limit` (1 to
/// 1,000), without those that were deleted or whose conversion was taken back. For an actor who may not see all leads, and around such accounts,
/// a page can be shorter than `limit` and still have a next one.
///
/// # Errors
/// `Invalid` for a limit that does not fit; `Denied`.
pub fn list(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    after: Option<NumberPlace>,
    limit: usize,
) -> Result<Page<Account, NumberPlace>> {
    ctx.check_tenant(txn)?;
    check_limit(limit)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let found = txn.accounts().scan(after, limit.saturating_add(1))?;
    let page = Page::cut(found, limit, Account::place);
    let live = page.items.into_iter().filter(|account| account.archived.is_none()).collect();
    let items = visible(txn, &gate, live)?;
    Ok(Page { items: items.into_iter().map(|account| masked(ctx, account)).collect(), next: page.next })
}

/// The account without the fields that the actor may not see.
fn masked(ctx: &Context<'_>, account: Account) -> Account {
    let fields = account.fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
    Account { fields, ..account }
}

/// The leads that became this account and that the actor may see, oldest first.
///
/// # Errors
/// `NotFound` when there is no such account, or none that this actor may see.
pub fn origins(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Vec<LeadId>> {
    let account = get(ctx, txn, id)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let behind = behind(txn, account.id)?;
    let leads = oldest_first(txn, &behind)?;
    Ok(leads.iter().filter(|lead| gate.admits(lead)).map(|lead| lead.id).collect())
}

/// These leads in the order of their creation: ids of one millisecond, or of another source, have no order in time.
pub(super) fn oldest_first(txn: &mut dyn Txn, ids: &[LeadId]) -> Result<Vec<Lead>> {
    let mut leads = txn.leads().get(ids)?;
    leads.sort_by_key(|lead| (lead.created_at, lead.id));
    Ok(leads)
}

/// The leads that became this account, by their ids, also those out of sight: the customer shows what hangs on them.
pub(super) fn behind(txn: &mut dyn Txn, id: AccountId) -> Result<Vec<LeadId>> {
    let links = txn.links().to(&[id.into()], Some(LinkRole::ConvertedTo))?;
    let mut leads: Vec<_> = links.into_iter().map(|link: Link| LeadId::from_uuid(link.from.id)).collect();
    leads.sort();
    Ok(leads)
}

pub(super) fn visible(txn: &mut dyn Txn, gate: &Gate, accounts: Vec<Account>) -> Result<Vec<Account>> {
    let admitted = admitted(txn, gate, &accounts)?;
    Ok(accounts.into_iter().filter(|account| admitted.contains(&account.id)).collect())
}

/// Which of these accounts an actor with this gate gets at. One question for the links of all of them and one for the leads
/// behind, however many they are.
pub(super) fn admitted(txn: &mut dyn Txn, gate: &Gate, accounts: &[Account]) -> Result<BTreeSet<AccountId>> {
    if gate.is_unlimited() {
        return Ok(accounts.iter().map(|account| account.id).collect());
    }
    let subjects: Vec<_> = accounts.iter().map(|account| account.id.into()).collect();
    let links = txn.links().to(&subjects, Some(LinkRole::ConvertedTo))?;
    let origins: Vec<_> = links.iter().map(|link| LeadId::from_uuid(link.from.id)).collect();
    let leads = txn.leads().get(&origins)?;
    let leads: BTreeMap<_, _> = leads.iter().map(|lead| (lead.id.as_uuid(), lead)).collect();
    let admits = |account: &&Account| {
        let mut behind = links.iter().filter(|link| link.to.id == account.id.as_uuid()).peekable();
        match behind.peek() {
            None => gate.admits(&as_lead(account)),
            Some(_) => behind.filter_map(|link| leads.get(&link.from.id)).any(|lead| {
                gate.admits(lead) || handed_over(account, lead).is_some_and(|lead| gate.admits(&lead))
            }),
        }
    };
    Ok(accounts.iter().filter(admits).map(|account| account.id).collect())
}

/// The lead behind an account as that of whoever owns the customer by now; none where that is the lead's owner.
fn handed_over(account: &Account, lead: &Lead) -> Option<Lead> {
    let owner = account.fields.owner.clone().filter(|owner| lead.fields.owner.as_ref() != Some(owner))?;
    Some(Lead { fields: LeadFields { owner: Some(owner), ..lead.fields.clone() }, ..lead.clone() })
}

/// What a policy for leads makes of an account that no lead became: a lead with the same data, in no stage.
fn as_lead(account: &Account) -> Lead {
    Lead {
        id: LeadId::from_uuid(account.id.as_uuid()),
        number: account.number,
        revision: account.revision,
        // Its own fields are no lead's, though they may have the same keys.
        fields: LeadFields { custom: CustomValues::new(), ..account.fields.as_lead_fields() },
        pipeline: PipelineId::from_uuid(uuid::Uuid::nil()),
        stage: StageId::from_uuid(uuid::Uuid::nil()),
        stage_entered_at: account.created_at,
        created_at: account.created_at,
        updated_at: account.updated_at,
        active_at: account.updated_at,
        follow_up: None,
        rank: Rank::on_top(account.created_at, account.number),
        closing: None,
        conversion: None,
        trashed: account.archived.clone(),
    }
}
