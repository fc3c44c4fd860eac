//! A view opened: rows ready to be shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::context::Context;
use crate::domain::{Catalogue, Field, FieldSpec, Lead, Names, Pipeline, ViewRef, ViewShape, display};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{LeadId, PipelineId, Revision, UserId, ViewId};
use crate::policy::Permission;
use crate::query::{Asker, Circumstance, Cursor, Filter, LeadQuery, Sort};
use crate::store::Txn;

use super::super::access::{masked, require};
use super::super::actions::{Grants, LeadAction};
use super::super::board::{self, Board, BoardQuery};
use super::super::facets::{Facet, facet};
use super::super::leads::{readable, scan_checked};
use super::super::naming;
use super::super::settings::{load_catalogue, load_numbering};
use super::check::{Pruner, unusable};
use super::manage::{self, ViewDraft};
use super::system::SystemDefinition;

/// What the reader asks of a view besides opening it.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ViewRequest {
    /// Only leads that have every word of this (S0.15).
    pub search: Option<String>,
    /// Only leads that match this too (S0.16, S2.13).
    pub filter: Option<Filter>,
    /// Another order than the view's.
    pub sort: Option<Sort>,
    /// How many rows at most, 1 to 1,000; 50 when not said.
    pub limit: Option<usize>,
    /// Behind which row.
    pub after: Option<Cursor>,
    /// Other columns than the view's.
    pub columns: Option<Vec<Field>>,
    /// What the host calls its users; those that are not named are shown by their id.
    pub users: BTreeMap<UserId, String>,
}

impl ViewRequest {
    /// The first page of the view as it is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only leads that have every word of `text`.
    #[must_use]
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Only leads that match this too.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// In this order.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// At most this many rows.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Behind this place.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }

    /// With these columns.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = Field>) -> Self {
        self.columns = Some(columns.into_iter().collect());
        self
    }

    /// With what the host calls its users.
    #[must_use]
    pub fn users(mut self, users: BTreeMap<UserId, String>) -> Self {
        self.users = users;
        self
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The id, to open it.
    pub id: LeadId,
    /// The number that people say.
    pub number: u64,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The lead, without the fields that the actor may not see.
    pub lead: Lead,
    /// What each column shows, in their order; empty for no value.
    pub cells: Vec<String>,
    /// Whether the acting user has not opened it yet (S1.17); never for the host itself.
    pub unread: bool,
    /// Whether it has been idle for longer than its stage allows (X.21).
    pub rotting: bool,
    /// What the actor can do with it now (S3.04).
    pub actions: Vec<LeadAction>,
}

/// A page of a view.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListPage {
    /// The view.
    pub view: ViewRef,
    /// What people call it.
    pub name: String,
    /// The columns, from left to right (S3.02).
    pub columns: Vec<FieldSpec>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The order that the rows are in.
    pub sort: Sort,
    /// The place behind the last row, when there are more.
    pub next: Option<Cursor>,
    /// How many leads there are in all, where the store need not look at each to know.
    pub total: Option<u64>,
    /// Where the view is grouped, on its first page: the groups with their names and counts. The leads of one are those of
    /// the view with the group's value as a filter.
    pub groups: Option<Facet>,
    /// What the saved view has and no longer fits: disabled or hidden since.
    pub left_out: Vec<Violation>,
}

/// A view as a board.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ViewBoard {
    /// The view.
    pub view: ViewRef,
    /// What people call it.
    pub name: String,
    /// The board.
    pub board: Board,
    /// What the saved view has and no longer fits.
    pub left_out: Vec<Violation>,
}

/// What a view says, checked for this actor.
pub(in crate::desk) struct Shown {
    name: String,
    filter: Filter,
    pub(in crate::desk) sort: Option<Sort>,
    pub(in crate::desk) trashed: bool,
    columns: Option<Vec<Field>>,
    group_by: Option<Field>,
    pipeline: Option<PipelineId>,
    left_out: Vec<Violation>,
}

impl Shown {
    /// All that match, in no order of their own.
    #[cfg(feature = "csv")]
    pub(in crate::desk) fn of_filter(filter: Filter) -> Self {
        Self {
            name: String::new(),
            filter,
            sort: None,
            trashed: false,
            columns: None,
            group_by: None,
            pipeline: None,
            left_out: Vec::new(),
        }
    }

    pub(in crate::desk) fn load(
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        catalogue: &Catalogue,
        view: ViewRef,
    ) -> Result<Self> {
        let id = match view {
            ViewRef::System(view) => {
                let definition = SystemDefinition::of(view);
                return Ok(Self {
                    name: view.name().to_owned(),
                    filter: definition.filter,
                    sort: Some(definition.sort),
                    trashed: definition.trashed,
                    columns: None,
                    group_by: None,
                    pipeline: None,
                    left_out: Vec::new(),
                });
            }
            ViewRef::Saved(id) => id,
        };
        let saved = manage::seen(ctx, txn, id)?;
        let mut pruner = Pruner { ctx, catalogue, left_out: Vec::new() };
        let filter = pruner.filter(&saved.filter);
        let sort = pruner.sort(saved.sort.as_ref());
        let group_by = saved.group_by.filter(|field| pruner.keeps(field, "group_by") && field.is_groupable());
        let columns = saved.columns.map(|columns| {
            let numbered = columns.into_iter().enumerate();
            let kept = numbered.filter(|(n, field)| pruner.keeps(field, &format!("columns[{n}]")));
            kept.map(|(_, field)| field).collect::<Vec<_>>()
        });
        let pipeline = match saved.shape {
            ViewShape::Board(pipeline) => pipeline,
            ViewShape::List => None,
        };
        Ok(Self {
            name: saved.name,
            filter,
            sort,
            trashed: false,
            columns: columns.filter(|columns| !columns.is_empty()),
            group_by,
            pipeline,
            left_out: pruner.left_out,
        })
    }

    /// The view's filter with what the reader adds.
    pub(in crate::desk) fn filter(&self, request: &ViewRequest) -> Result<Filter> {
        let mut filter = self.filter.clone();
        if let Some(also) = &request.filter {
            if also.is_too_deep() {
                let message = "a filter nests at most 32 levels deep";
                return Err(Error::invalid_field("filter", ViolationCode::TooLong, message));
            }
            filter = filter & also.clone();
        }
        Ok(match &request.search {
            Some(text) if !text.trim().is_empty() => filter & Filter::search(text.as_str()),
            _ => filter,
        })
    }

    /// The reader's columns, which must fit; else those of the view that do; else the tenant's.
    pub(in crate::desk) fn columns(
        &self,
        ctx: &Context<'_>,
        catalogue: &Catalogue,
        asked: Option<&[Field]>,
    ) -> Result<Vec<FieldSpec>> {
        if let Some(asked) = asked {
            let mut seen = BTreeSet::new();
            let mut broken = Vec::new();
            for (n, field) in asked.iter().enumerate() {
                let path = format!("columns[{n}]");
                if !seen.insert(field) {
                    let message = "a list shows each field once";
                    broken.push(Violation::new(path.as_str(), ViolationCode::Duplicate, message));
                }
                broken.extend(unusable(ctx, catalogue, field, &path));
            }
            if !broken.is_empty() {
                return Err(Error::invalid(broken));
            }
        }
        if let Some(columns) = asked.or(self.columns.as_deref()) {
            return Ok(columns.iter().map(|field| catalogue.spec(field)).collect());
        }
        let columns = catalogue.columns().into_iter();
        Ok(columns.filter(|spec| !ctx.policy().is_hidden(ctx.actor(), &spec.field)).collect())
    }
}

/// Opens a view (S0.09, S1.16, S2.12): a page of its rows with what each column shows, who has read what, and what can be
/// done with each. However many rows, each list of names is asked once.
///
/// ```
/// use leadcore::desk::views::{self, ViewRequest};
/// use leadcore::domain::SystemView;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::User("ada".parse()?), &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into()))?;
/// let request = ViewRequest::new().columns([Field::Company, Field::Stage]);
/// let page = store.read(ctx.tenant(), |txn| views::open(&ctx, txn, SystemView::Mine, &request))?;
/// assert_eq!(page.rows[0].cells, ["Nordlys AS", "New"]);
/// assert_eq!(page.total, Some(1));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` for a saved view that the actor cannot see; `Invalid` for a filter, column, limit or cursor of the request that
/// does not fit, or a view that needs a user; `Denied`.
pub fn open(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    view: impl Into<ViewRef>,
    request: &ViewRequest,
) -> Result<ListPage> {
    require(ctx, txn, Permission::View)?;
    let view = view.into();
    let catalogue = load_catalogue(txn)?.1;
    let shown = Shown::load(ctx, txn, &catalogue, view)?;
    let columns = shown.columns(ctx, &catalogue, request.columns.as_deref())?;
    let sort = request.sort.clone().or_else(|| shown.sort.clone()).unwrap_or_default();
    let sorted_by = sort.by.field();
    let asked = shown.filter(request)?;
    let filter = readable(ctx, txn, &asked, std::slice::from_ref(&sorted_by))?;
    let total = if shown.trashed { None } else { txn.tallies().kept(&filter)? };
    let pipelines = txn.pipelines().list()?;
    let names = Names::new()
        .with_utc_offset(ctx.utc_offset())
        .with_users(request.users.clone())
        .with_numbering(load_numbering(txn)?.1)
        .with_catalogue(&catalogue);
    let groups = match &shown.group_by {
        Some(field) if request.after.is_none() && !shown.trashed => {
            Some(facet(txn, &filter, field, &pipelines, names.clone())?)
        }
        _ => None,
    };
    let query = LeadQuery { limit: request.limit, ..LeadQuery::new(asked) }
        .sort(sort.clone())
        .after(request.after.clone());
    let page = scan_checked(txn, filter, &query, shown.trashed)?;
    let rows = rows(ctx, txn, page.items, &columns, &pipelines, names)?;
    let left_out = shown.left_out;
    Ok(ListPage { view, name: shown.name, columns, rows, sort, next: page.next, total, groups, left_out })
}

fn rows(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    leads: Vec<Lead>,
    columns: &[FieldSpec],
    pipelines: &[Pipeline],
    mut names: Names,
) -> Result<Vec<Row>> {
    let fields: Vec<&Field> = columns.iter().map(|column| &column.field).collect();
    naming::load(txn, &leads, &fields, pipelines, &mut names)?;
    let ids: Vec<LeadId> = leads.iter().map(|lead| lead.id).collect();
    let unread: BTreeSet<LeadId> = match ctx.actor().user() {
        Some(user) => {
            let read: BTreeSet<_> = txn.marks().read_by(user, &ids)?.into_iter().collect();
            ids.into_iter().filter(|id| !read.contains(id)).collect()
        }
        None => BTreeSet::new(),
    };
    let grants = Grants::open(ctx, txn)?;
    let rotting = Filter::Is(Circumstance::Rotting);
    let tells = !rotting.fields().iter().any(|field| ctx.policy().is_hidden(ctx.actor(), field));
    let rotting = rotting.resolve(&Asker { pipelines, ..ctx.asker() })?;
    let rows = leads.into_iter().map(|lead| {
        let actions = grants.offered(&lead);
        let rots = tells && lead.trashed.is_none() && rotting.matches(&lead);
        let lead = masked(ctx, lead);
        Row {
            id: lead.id,
            number: lead.number,
            revision: lead.revision,
            cells: fields.iter().map(|field| display(field, &lead, &names)).collect(),
            unread: unread.contains(&lead.id),
            rotting: rots,
            actions,
            lead,
        }
    });
    Ok(rows.collect())
}

/// What a saved view shows, as a form for changing it has it: names for ids, without what no longer fits. With the
/// revision to [`update`](super::update) it by.
///
/// # Errors
/// `NotFound` when there is none, or it is another user's own; `Denied`.
pub fn draft(ctx: &Context<'_>, txn: &mut dyn Txn, id: ViewId) -> Result<(Revision, ViewDraft)> {
    let saved = manage::seen(ctx, txn, id)?;
    let catalogue = load_catalogue(txn)?.1;
    let shown = Shown::load(ctx, txn, &catalogue, id.into())?;
    let mut draft = ViewDraft::new(shown.name, naming::with_names(ctx, txn, shown.filter)?);
    draft.shape = saved.shape;
    draft.columns = shown.columns;
    draft.sort = shown.sort;
    draft.group_by = shown.group_by;
    Ok((saved.revision, draft))
}

/// Opens a view as a board: that of its pipeline, or of the default one. A limit says how many cards a column shows.
///
/// # Errors
/// As [`open`] and [`board`](super::super::board::board); `Unsupported` for the trash, which has no board.
pub fn board(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    view: impl Into<ViewRef>,
    request: &ViewRequest,
) -> Result<ViewBoard> {
    require(ctx, txn, Permission::View)?;
    let view = view.into();
    let catalogue = load_catalogue(txn)?.1;
    let shown = Shown::load(ctx, txn, &catalogue, view)?;
    if shown.trashed {
        return Err(Error::new(ErrorKind::Unsupported, "the trash has no board"));
    }
    let mut query = BoardQuery::default().filter(shown.filter(request)?);
    // A system view's order is that of a list; a board has the order of its cards.
    let of_view = if matches!(view, ViewRef::Saved(_)) { shown.sort.clone() } else { None };
    if let Some(sort) = request.sort.clone().or(of_view) {
        query = query.sort(sort);
    }
    if let Some(pipeline) = shown.pipeline {
        query = query.pipeline(pipeline);
    }
    if let Some(cards) = request.limit {
        query = query.cards(cards);
    }
    let board = board::board(ctx, txn, &query)?;
    Ok(ViewBoard { view, name: shown.name, board, left_out: shown.left_out })
}
