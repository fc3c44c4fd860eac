//! Leads on their way out: those of a view, a filter or a list, page by page, with the names that their cells need; and the
//! persons of one of them.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Catalogue, Field, FieldSpec, Lead, Names, Pipeline, Subject, SubjectKind, ViewRef};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId};
use crate::policy::Permission;
use crate::query::{Cursor, Filter, LeadScan, Resolved, Sort, SortField};
use crate::store::Txn;

use super::access::{Gate, Mask, visible};
use super::accounts;
use super::contacts::{self, LinkedContact};
use super::custom::check_sort;
use super::leads::readable;
use super::naming;
use super::settings::{load_catalogue, load_numbering};
use super::views::{Shown, ViewRequest};

/// How many leads are in memory at once.
const PAGE: usize = 1_000;

/// Which leads go out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Extent {
    /// Those of a view, in its order and with its columns.
    View(ViewRef),
    /// All that match, by number, with every field that an import fills.
    Filter(Filter),
    /// These, in this order, with the same columns; one that is named twice goes once.
    Leads(Vec<LeadId>),
}

/// Where the next leads come from.
#[derive(Debug)]
enum Rest {
    Scan { filter: Resolved, trashed: bool, sort: Sort, after: Option<Cursor>, done: bool },
    Ids { ids: Vec<LeadId>, at: usize, filter: Resolved },
}

/// A walk over the leads that go out.
#[derive(Debug)]
pub(crate) struct Extract<'c> {
    mask: Mask<'c>,
    rest: Rest,
    base: Names,
    /// The columns, from left to right.
    pub(crate) columns: Vec<FieldSpec>,
    pub(crate) catalogue: Catalogue,
    pub(crate) pipelines: Vec<Pipeline>,
    /// How many of the leads that were named are not there, or not for this actor to take out.
    pub(crate) passed_over: u64,
}

impl<'c> Extract<'c> {
    /// Checks everything; the first page is read later. `all` asks for every field that an import fills, whatever the view
    /// has.
    pub(crate) fn open(
        ctx: &'c Context<'c>,
        txn: &mut dyn Txn,
        extent: &Extent,
        request: &ViewRequest,
        all: bool,
    ) -> Result<Self> {
        let gate = Gate::open(ctx, txn, Permission::Export)?;
        let catalogue = load_catalogue(txn)?.1;
        let shown = match extent {
            Extent::View(view) => Shown::load(ctx, txn, &catalogue, *view)?,
            Extent::Filter(filter) => Shown::of_filter(filter.clone()),
            Extent::Leads(_) => Shown::of_filter(Filter::everything()),
        };
        let whole = all || !matches!(extent, Extent::View(_));
        let columns = match &request.columns {
            None if whole => every_column(ctx, &catalogue),
            asked => shown.columns(ctx, &catalogue, asked.as_deref())?,
        };
        if columns.is_empty() {
            let message = "a file needs one column at least";
            return Err(Error::invalid_field("columns", ViolationCode::Required, message));
        }
        let by_number = Sort::ascending(SortField::Number);
        let sort = request.sort.clone().or_else(|| shown.sort.clone()).unwrap_or(by_number);
        let asked = shown.filter(request)?;
        check_sort(txn, &sort, None)?;
        let filter = gate.narrow(readable(ctx, txn, &asked, &[sort.by.field()])?);
        let rest = match extent {
            Extent::Leads(_) if !filter.is_about_the_lead() => {
                let message = "leads that are named are narrowed by what they say alone";
                return Err(Error::invalid_field("filter", ViolationCode::NotAllowed, message));
            }
            Extent::Leads(ids) => {
                let mut seen = BTreeSet::new();
                let ids = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
                Rest::Ids { ids, at: 0, filter }
            }
            _ => Rest::Scan { filter, trashed: shown.trashed, sort, after: None, done: false },
        };
        let base = Names::new()
            .with_utc_offset(ctx.utc_offset())
            .with_users(request.users.clone())
            .with_numbering(load_numbering(txn)?.1)
            .with_catalogue(&catalogue);
        let pipelines = txn.pipelines().list()?;
        Ok(Self { mask: Mask::of(ctx), rest, base, columns, catalogue, pipelines, passed_over: 0 })
    }

    /// Goes on behind the lead where an earlier walk was.
    pub(crate) fn go_behind(&mut self, place: Option<Cursor>) -> Result<()> {
        let Some(place) = place else { return Ok(()) };
        match &mut self.rest {
            Rest::Scan { sort, after, .. } if place.sort == *sort && place.is_sound() => {
                *after = Some(place);
                Ok(())
            }
            _ => {
                let message = "this is no place behind an earlier page";
                Err(Error::invalid_field("after", ViolationCode::Malformed, message))
            }
        }
    }

    /// Behind which lead the next ones are; none at the end, and of leads that are named.
    pub(crate) fn place(&self) -> Option<Cursor> {
        match &self.rest {
            Rest::Scan { after, done: false, .. } => after.clone(),
            _ => None,
        }
    }

    /// The next leads, without what the actor may not see, and the names of what they refer to; none at the end.
    pub(crate) fn next(&mut self, txn: &mut dyn Txn) -> Result<Option<(Vec<Lead>, Names)>> {
        let mut leads = match &mut self.rest {
            Rest::Scan { done: true, .. } => return Ok(None),
            Rest::Scan { filter, trashed, sort, after, done } => {
                let scan = LeadScan {
                    filter: filter.clone(),
                    trashed: *trashed,
                    sort: sort.clone(),
                    limit: PAGE,
                    after: after.take(),
                };
                let leads = txn.leads().scan(&scan)?;
                *after = leads.last().map(|last| Cursor::behind(last, sort));
                *done = leads.len() < PAGE;
                leads
            }
            Rest::Ids { ids, at, filter } => {
                let round: Vec<_> = ids.iter().skip(*at).take(PAGE).copied().collect();
                if round.is_empty() {
                    return Ok(None);
                }
                *at = at.saturating_add(round.len());
                let mut found = txn.leads().get(&round)?;
                found.retain(|lead| lead.trashed.is_none() && filter.matches(lead));
                let missing = round.len().saturating_sub(found.len());
                self.passed_over =
                    self.passed_over.saturating_add(u64::try_from(missing).unwrap_or(u64::MAX));
                let place: std::collections::HashMap<_, _> =
                    round.iter().enumerate().map(|(n, id)| (*id, n)).collect();
                found.sort_by_key(|lead| place.get(&lead.id).copied());
                found
            }
        };
        // A page of only missing leads is no end.
        if leads.is_empty() && matches!(self.rest, Rest::Scan { .. }) {
            return Ok(None);
        }
        let mut names = self.base.clone();
        let fields: Vec<&Field> = self.columns.iter().map(|column| &column.field).collect();
        leads.iter_mut().for_each(|lead| self.mask.put_on(lead));
        naming::load(txn, &leads, &fields, &self.pipelines, &mut names)?;
        Ok(Some((leads, names)))
    }
}

/// The persons of a lead or an account on their way out, as [`contacts`] lists them.
///
/// # Errors
/// `NotFound`; `Denied` for who may not take this lead out, or no lead behind this account; `Invalid` for another record.
pub(crate) fn persons(ctx: &Context<'_>, txn: &mut dyn Txn, owner: Subject) -> Result<Vec<LinkedContact>> {
    let persons = match owner.kind {
        SubjectKind::Lead => {
            let lead = visible(ctx, txn, LeadId::from_uuid(owner.id))?;
            Gate::open(ctx, txn, Permission::Export)?.check(&lead)?;
            contacts::shown(txn, &lead)?
        }
        SubjectKind::Account => {
            let account = accounts::load(ctx, txn, AccountId::from_uuid(owner.id))?;
            let gate = Gate::open(ctx, txn, Permission::Export)?;
            if accounts::visible(txn, &gate, vec![account])?.is_empty() {
                return Err(Error::denied(Permission::Export.code()));
            }
            contacts::linked(txn, owner)?
        }
        _ => {
            let message = "only leads and accounts have contacts";
            return Err(Error::invalid_field("owner", ViolationCode::NotAllowed, message));
        }
    };
    Ok(contacts::masked(ctx, persons))
}

/// Every field that an import fills, without what this actor may not see: in the order of the forms, then how the lead ended, why and
/// when; behind them the id, by which an import finds the lead again.
fn every_column(ctx: &Context<'_>, catalogue: &Catalogue) -> Vec<FieldSpec> {
    let mut columns = catalogue.specs();
    columns.retain(|spec| {
        (spec.field.comes_by_file() && spec.enabled || spec.field == Field::Id)
            && !ctx.policy().is_hidden(ctx.actor(), &spec.field)
    });
    columns.sort_by_key(|spec| (spec.field == Field::Id, !spec.field.is_imported()));
    columns
}
