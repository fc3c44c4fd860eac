//! The parts of a page, each read for itself.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Catalogue, Field, Lead, Names, Pipeline, Place, Placed, Sequence, Subject, SubjectKind, Tab, TabCount,
    display,
};
use crate::error::Result;
use crate::id::LeadId;
use crate::query::{MAX_PAGE, Page};
use crate::store::{ChildQuery, Txn};

use super::super::access::shows_hidden;
use super::super::children::{self, Child, for_child};
use super::super::files::{self, Attached};
use super::super::naming;
use super::super::timeline::{self, TimelineItem, TimelineQuery};
use super::{Cell, ChildRecord, Engagement, PageOptions, PageSection, Qualification, TabPage};

/// Whether the acting user had not read the lead.
pub(super) fn unread(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId, mark: bool) -> Result<bool> {
    let Some(user) = ctx.actor().user() else { return Ok(false) };
    let unread = txn.marks().read_by(user, &[id])?.is_empty();
    if unread && mark {
        txn.marks().mark(user, &[id], true)?;
    }
    Ok(unread)
}

pub(super) fn history(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    shown: Vec<Subject>,
    options: &PageOptions,
) -> Result<Page<TimelineItem, Sequence>> {
    if options.timeline == 0 {
        return Ok(Page { items: Vec::new(), next: None });
    }
    timeline::read(ctx, txn, shown, &TimelineQuery::new(options.timeline))
}

pub(super) fn qualified(
    txn: &mut dyn Txn,
    lead: &Lead,
    pipelines: &[Pipeline],
    shown: &[Subject],
    counts: &[TabCount],
) -> Result<Qualification> {
    let mut names = Names::new();
    let reasons = [Field::Pipeline, Field::Stage, Field::LostReason, Field::DisqualifyReason];
    naming::load(txn, std::slice::from_ref(lead), &reasons.each_ref(), pipelines, &mut names)?;
    let named = |id: Uuid| names.record(id).map(str::to_owned);
    let closing = lead.closing.as_ref();
    Ok(Qualification {
        pipeline: named(lead.pipeline.as_uuid()).unwrap_or_default(),
        stage: named(lead.stage.as_uuid()).unwrap_or_default(),
        state: lead.state(),
        outcome: closing.map(|closing| closing.outcome),
        reason: closing.and_then(|closing| closing.reason).and_then(named),
        reason_detail: closing.and_then(|closing| closing.detail.clone()),
        engagement: engagement(txn, shown, counts)?,
    })
}

pub(super) fn engagement(
    txn: &mut dyn Txn,
    shown: &[Subject],
    counts: &[TabCount],
) -> Result<Vec<Engagement>> {
    let mut all = Vec::with_capacity(counts.len());
    for count in counts {
        let done = count.total > count.open;
        let last = if done { list(txn, shown, &count.tab, Some(false), 1)?.pop() } else { None };
        let (tab, total, open) = (count.tab.clone(), count.total, count.open);
        all.push(Engagement { tab, total, open, last: last.map(|placed| placed.at) });
    }
    Ok(all)
}

/// The latest of a tab.
fn list(
    txn: &mut dyn Txn,
    shown: &[Subject],
    tab: &Tab,
    open: Option<bool>,
    limit: usize,
) -> Result<Vec<Placed>> {
    let (about, tabs) = (shown.to_vec(), vec![tab.clone()]);
    txn.children().list(&ChildQuery { about, tabs, open, descending: true, after: None, limit })
}

/// Each tab with its first page: a walk of the key for each, and one question for all records of a kind.
pub(super) fn tabs(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    shown: &[Subject],
    counts: Vec<TabCount>,
    options: &PageOptions,
) -> Result<Vec<TabPage>> {
    // What the products add up to is the amount of the lead.
    let no_products = shows_hidden(ctx, &Field::Amount);
    let counts = counts.into_iter().filter(|count| !(no_products && count.tab == Tab::Lines));
    let mut tabs: BTreeMap<Tab, (u64, u64)> =
        counts.map(|count| (count.tab, (count.total, count.open))).collect();
    for tab in options.tabs.iter().flatten() {
        tabs.entry(tab.clone()).or_default();
    }
    let mut pages = Vec::with_capacity(tabs.len());
    let mut wanted: BTreeSet<Subject> = BTreeSet::new();
    for (tab, (total, open)) in tabs {
        let asked = options.tabs.as_ref().is_none_or(|tabs| tabs.contains(&tab));
        let found = if asked && total > 0 && options.first > 0 {
            list(txn, shown, &tab, None, options.first.saturating_add(1))?
        } else {
            Vec::new()
        };
        let page = Page::cut(found, options.first, Placed::place);
        wanted.extend(page.items.iter().map(|placed| placed.child));
        pages.push((tab, total, open, page));
    }
    let mut records = load(ctx, txn, wanted)?;
    let page = |(tab, total, open, page): (Tab, u64, u64, Page<Placed, Place>)| TabPage {
        items: page.items.iter().filter_map(|placed| records.remove(&placed.child)).collect(),
        next: page.next.zip(shown.first()).map(|(place, of)| {
            children::tab_list(*of, std::slice::from_ref(&tab), None, false).behind(place)
        }),
        tab,
        total,
        open,
    };
    Ok(pages.into_iter().map(page).collect())
}

/// What is attached to the records of these tabs.
pub(super) fn attachments(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    tabs: &[TabPage],
    options: &PageOptions,
) -> Result<Vec<Attached>> {
    let takes = |subject: &Subject| {
        let holder = matches!(subject.kind, SubjectKind::Activity | SubjectKind::Estimate);
        holder || matches!(subject.kind, SubjectKind::Opportunity | SubjectKind::Service)
    };
    let of = tabs.iter().flat_map(|tab| &tab.items).map(ChildRecord::subject).filter(takes);
    let mut all = Vec::new();
    for page in of.collect::<Vec<_>>().chunks(MAX_PAGE) {
        all.extend(files::attached(ctx, txn, page, options.first)?);
    }
    Ok(all)
}

/// These children, by what they are.
fn load(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    wanted: BTreeSet<Subject>,
) -> Result<BTreeMap<Subject, ChildRecord>> {
    fn of_kind<C: Child>(
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        ids: &[Uuid],
        records: &mut BTreeMap<Subject, ChildRecord>,
    ) -> Result<()>
    where
        ChildRecord: From<C>,
    {
        let found = C::load(txn, ids)?;
        let children = children::shown(ctx, txn, found)?.into_iter();
        records.extend(children.map(|child| (child.subject(), child.into())));
        Ok(())
    }
    let mut records = BTreeMap::new();
    let wanted: Vec<_> = wanted.into_iter().collect();
    // By kind, then by id: each kind is one run.
    for run in wanted.chunk_by(|a, b| a.kind == b.kind) {
        let ids: Vec<_> = run.iter().map(|subject| subject.id).collect();
        let Some(first) = run.first() else { continue };
        for_child!(first, C => of_kind::<C>(ctx, txn, &ids, &mut records)?, else {});
    }
    Ok(records)
}

/// What the sections of the catalogue show: what people fill in, also where it is empty, and what the engine says.
pub(super) fn sections(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    catalogue: &Catalogue,
    pipelines: &[Pipeline],
    options: &PageOptions,
) -> Result<Vec<PageSection>> {
    let fits = |field: &Field| match field {
        Field::Id | Field::Rank => false,
        field if field.is_imported() => true,
        field => !field.read(lead).is_empty(),
    };
    let specs = catalogue.specs().into_iter();
    let specs: Vec<_> =
        specs.filter(|spec| spec.enabled && fits(&spec.field) && !shows_hidden(ctx, &spec.field)).collect();
    let mut names = Names::new()
        .with_utc_offset(ctx.utc_offset())
        .with_users(options.users.clone())
        .with_catalogue(catalogue);
    let fields: Vec<_> = specs.iter().map(|spec| &spec.field).collect();
    naming::load(txn, std::slice::from_ref(lead), &fields, pipelines, &mut names)?;
    let mut cells: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
    for spec in specs {
        let text = display(&spec.field, lead, &names);
        cells.entry(spec.section).or_default().push(Cell { field: spec.field, label: spec.label, text });
    }
    let sections = catalogue.sections().into_iter();
    let filled = sections.filter_map(|section| {
        let cells = cells.remove(&section.key)?;
        Some(PageSection { key: section.key, label: section.label, cells })
    });
    Ok(filled.collect())
}
