//! The page of a lead or customer, from one call (S2.28): the hub from which everything about it is reached.
//!
//! One page holds the record as people read it, what can be done with it, its persons, how many notes, tasks, files … each
//! tab has with the first of them, which stages it went through, and the beginning of its history. Further pages of a tab
//! are read by the functions of its kind (`activities::of` …), further pages of the history by [`timeline::of`](super::timeline::of).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Account, Activity, Catalogue, Field, FollowUpState, Idle, Lead, LeadState, Names, Outcome, Pipeline,
    Place, Placed, Sequence, Subject, Tab, TabCount, display,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId, UserId};
use crate::query::{MAX_PAGE, Page};
use crate::store::{ChildQuery, Txn};
use crate::time::Timestamp;

use super::access::{masked, shows_hidden, visible};
use super::actions::{Grants, LeadAction};
use super::children::{self, Child, for_child};
use super::contacts::{self, LinkedContact};
use super::history::{StageVisit, visits};
use super::timeline::{self, TimelineItem, TimelineQuery};
use super::{accounts, naming, settings};

/// What a page is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageOptions {
    /// How many records of each tab at most, the latest first; 0 for none.
    pub first: usize,
    /// The tabs whose records are read; all of them when not said. The others are counted only.
    pub tabs: Option<Vec<Tab>>,
    /// How many events of the history at most; 0 for none.
    pub timeline: usize,
    /// Whether the acting user has read the lead from now on; this needs a transaction that may write.
    pub mark_read: bool,
    /// What the host calls its users; those that are not named are shown by their id.
    pub users: BTreeMap<UserId, String>,
}

impl PageOptions {
    /// The first 10 of each tab and 20 events.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: 10, tabs: None, timeline: 20, mark_read: false, users: BTreeMap::new() }
    }

    /// At most so many records of each tab.
    #[must_use]
    pub const fn first(mut self, records: usize) -> Self {
        self.first = records;
        self
    }

    /// Only the records of these tabs.
    #[must_use]
    pub fn tabs(mut self, tabs: impl IntoIterator<Item = Tab>) -> Self {
        self.tabs = Some(tabs.into_iter().collect());
        self
    }

    /// At most so many events.
    #[must_use]
    pub const fn timeline(mut self, events: usize) -> Self {
        self.timeline = events;
        self
    }

    /// The acting user has read the lead from now on.
    #[must_use]
    pub const fn mark_read(mut self, mark: bool) -> Self {
        self.mark_read = mark;
        self
    }

    /// With what the host calls its users.
    #[must_use]
    pub fn users(mut self, users: BTreeMap<UserId, String>) -> Self {
        self.users = users;
        self
    }
}

impl Default for PageOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A field as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The field.
    pub field: Field,
    /// What people call it.
    pub label: String,
    /// What it shows; empty for no value.
    pub text: String,
}

/// A section of the tenant's catalogue with its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageSection {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Its fields, in order.
    pub cells: Vec<Cell>,
}

/// Something that hangs on a record, whatever its kind. Whoever adds a kind of child adds a variant here.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildRecord {
    /// A note, a call, a task …
    Activity(Activity),
}

impl From<Activity> for ChildRecord {
    fn from(activity: Activity) -> Self {
        Self::Activity(activity)
    }
}

/// A tab of a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TabPage {
    /// Which.
    pub tab: Tab,
    /// How many records it has.
    pub total: u64,
    /// How many of them are still open.
    pub open: u64,
    /// The latest of them.
    pub items: Vec<ChildRecord>,
    /// The place behind the last one, when there are more.
    pub next: Option<Place>,
}

/// How much happened of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Engagement {
    /// The kind.
    pub tab: Tab,
    /// How often, what is only planned included.
    pub total: u64,
    /// How much of it is still open.
    pub open: u64,
    /// When the latest was that is not open any more.
    pub last: Option<Timestamp>,
}

/// How far a lead is, and what was done about it (S0.40).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Qualification {
    /// What its pipeline is called.
    pub pipeline: String,
    /// What its stage is called.
    pub stage: String,
    /// Open, disqualified or converted.
    pub state: LeadState,
    /// How it ended, if it did.
    pub outcome: Option<Outcome>,
    /// Why, by the tenant's list.
    pub reason: Option<String>,
    /// Why, in words.
    pub reason_detail: Option<String>,
    /// What was done and is to be done, kind by kind.
    pub engagement: Vec<Engagement>,
}

/// The page of a lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LeadPage {
    /// The lead, without the fields that the actor may not see.
    pub lead: Lead,
    /// Its fields as people read them, section by section.
    pub sections: Vec<PageSection>,
    /// How far it is, and what was done about it.
    pub qualification: Qualification,
    /// Whether somebody has to turn to it, and how soon (X.22).
    pub follow_up_state: FollowUpState,
    /// How long nothing happened to it.
    pub idle: Idle,
    /// Whether the acting user had not opened it yet; never for the host itself.
    pub is_unread: bool,
    /// What the actor can do with it now.
    pub actions: Vec<LeadAction>,
    /// Its tabs that have something, and those that were asked for.
    pub tabs: Vec<TabPage>,
    /// Its persons, the primary one first.
    pub contacts: Vec<LinkedContact>,
    /// The stages that it went through.
    pub stages: Vec<StageVisit>,
    /// Who follows it.
    pub followers: Vec<UserId>,
    /// What happened to it last.
    pub timeline: Page<TimelineItem, Sequence>,
}

/// The page of a customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AccountPage {
    /// The account, without the fields that the actor may not see.
    pub account: Account,
    /// The leads that became it and that the actor may see, oldest first.
    pub origins: Vec<LeadId>,
    /// What was done and is to be done, kind by kind.
    pub engagement: Vec<Engagement>,
    /// Its tabs that have something, and those that were asked for.
    pub tabs: Vec<TabPage>,
    /// Its persons, the primary one first.
    pub contacts: Vec<LinkedContact>,
    /// Who follows it.
    pub followers: Vec<UserId>,
    /// What happened to it, and to the leads that became it.
    pub timeline: Page<TimelineItem, Sequence>,
}

/// The page of a lead, read in this transaction: its cost grows neither with the number of leads nor with how much there
/// is in its tabs, but for counting them.
///
/// ```
/// use leadcore::desk::page::{self, PageOptions};
/// use leadcore::domain::FollowUpState;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let page = store.write(ctx.tenant(), |txn| {
///     let lead = desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     page::lead_page(&ctx, txn, lead.id, &PageOptions::new().first(5))
/// })?;
/// assert_eq!((page.qualification.stage.as_str(), page.follow_up_state), ("New", FollowUpState::None));
/// assert_eq!(page.timeline.items[0].text, "Lead created");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen; `Invalid` for numbers that do not fit; `Unsupported` when it
/// is to be marked as read in a read transaction.
pub fn lead_page(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    options: &PageOptions,
) -> Result<LeadPage> {
    check(options)?;
    let lead = visible(ctx, txn, id)?;
    let mut shown = vec![Subject::from(lead.id)];
    shown.extend(lead.conversion.as_ref().map(|conversion| Subject::from(conversion.account)));
    let catalogue = settings::load_catalogue(txn)?.1;
    let pipelines = txn.pipelines().list()?;
    let counts = txn.children().counts(&shown)?;
    let actions = Grants::open(ctx, txn)?.offered(&lead);
    let follow_up_state = FollowUpState::of(lead.follow_up, ctx.now(), ctx.utc_offset());
    Ok(LeadPage {
        is_unread: unread(ctx, txn, id, options.mark_read)?,
        qualification: qualified(txn, &lead, &pipelines, &shown, &counts)?,
        idle: Idle::of(&lead, &pipelines, ctx.now()),
        tabs: tabs(txn, &shown, counts, options)?,
        contacts: contacts::masked(ctx, contacts::linked(txn, id.into())?),
        stages: visits(txn, &lead, ctx.now())?,
        followers: followers(txn, id.into())?,
        timeline: history(ctx, txn, shown, options)?,
        sections: sections(ctx, txn, &lead, &catalogue, &pipelines, options)?,
        lead: masked(ctx, lead),
        follow_up_state,
        actions,
    })
}

/// The page of a customer: what is about it and about the leads that became it.
///
/// # Errors
/// `NotFound` when the account does not exist or may not be seen; `Invalid` for numbers that do not fit.
pub fn account_page(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: AccountId,
    options: &PageOptions,
) -> Result<AccountPage> {
    check(options)?;
    let account = accounts::get(ctx, txn, id)?;
    let origins = accounts::origins(ctx, txn, id)?;
    let mut shown = vec![Subject::from(id)];
    shown.extend(origins.iter().copied().map(Subject::from));
    let counts = txn.children().counts(&shown)?;
    Ok(AccountPage {
        account,
        origins,
        engagement: engagement(txn, &shown, &counts)?,
        tabs: tabs(txn, &shown, counts, options)?,
        contacts: contacts::masked(ctx, contacts::linked(txn, id.into())?),
        followers: followers(txn, id.into())?,
        timeline: history(ctx, txn, shown, options)?,
    })
}

/// How far a lead is and what was done about it, without the rest of its page (S0.40).
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen.
pub fn qualification(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Qualification> {
    let lead = visible(ctx, txn, id)?;
    let shown = children::shown_with(ctx, txn, id.into())?;
    let pipelines = txn.pipelines().list()?;
    let counts = txn.children().counts(&shown)?;
    qualified(txn, &lead, &pipelines, &shown, &counts)
}

fn check(options: &PageOptions) -> Result<()> {
    for (field, number) in [("first", options.first), ("timeline", options.timeline)] {
        if number > MAX_PAGE {
            let message = "a page has at most 1,000 records";
            return Err(Error::invalid_field(field, ViolationCode::OutOfRange, message));
        }
    }
    Ok(())
}

/// Whether the acting user had not read the lead.
fn unread(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId, mark: bool) -> Result<bool> {
    let Some(user) = ctx.actor().user() else { return Ok(false) };
    let unread = txn.marks().read_by(user, &[id])?.is_empty();
    if unread && mark {
        txn.marks().mark(user, &[id], true)?;
    }
    Ok(unread)
}

/// Who follows a record.
fn followers(_txn: &mut dyn Txn, _subject: Subject) -> Result<Vec<UserId>> {
    Ok(Vec::new())
}

fn history(
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

fn qualified(
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

fn engagement(txn: &mut dyn Txn, shown: &[Subject], counts: &[TabCount]) -> Result<Vec<Engagement>> {
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
fn tabs(
    txn: &mut dyn Txn,
    shown: &[Subject],
    counts: Vec<TabCount>,
    options: &PageOptions,
) -> Result<Vec<TabPage>> {
    let mut tabs: BTreeMap<Tab, (u64, u64)> =
        counts.into_iter().map(|count| (count.tab, (count.total, count.open))).collect();
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
    let mut records = load(txn, wanted)?;
    let page = |(tab, total, open, page): (Tab, u64, u64, Page<Placed, Place>)| TabPage {
        items: page.items.iter().filter_map(|placed| records.remove(&placed.child)).collect(),
        next: page.next,
        tab,
        total,
        open,
    };
    Ok(pages.into_iter().map(page).collect())
}

/// These children, by what they are.
fn load(txn: &mut dyn Txn, wanted: BTreeSet<Subject>) -> Result<BTreeMap<Subject, ChildRecord>> {
    fn of_kind<C: Child>(
        txn: &mut dyn Txn,
        ids: &[Uuid],
        records: &mut BTreeMap<Subject, ChildRecord>,
    ) -> Result<()>
    where
        ChildRecord: From<C>,
    {
        records.extend(C::load(txn, ids)?.into_iter().map(|child| (child.subject(), child.into())));
        Ok(())
    }
    let mut records = BTreeMap::new();
    let wanted: Vec<_> = wanted.into_iter().collect();
    // By kind, then by id: each kind is one run.
    for run in wanted.chunk_by(|a, b| a.kind == b.kind) {
        let ids: Vec<_> = run.iter().map(|subject| subject.id).collect();
        let Some(first) = run.first() else { continue };
        for_child!(first, C => of_kind::<C>(txn, &ids, &mut records)?, else {});
    }
    Ok(records)
}

/// What the sections of the catalogue show: what people fill in, also where it is empty, and what the engine says.
fn sections(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    catalogue: &Catalogue,
    pipelines: &[Pipeline],
    options: &PageOptions,
) -> Result<Vec<PageSection>> {
    let fits = |field: &Field| match field {
        Field::Id | Field::Rank => false,
        field if field.is_writable() || *field == Field::Stage => true,
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
