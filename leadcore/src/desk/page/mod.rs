//! The page of a lead or customer, from one call (S2.28): the hub from which everything about it is reached.
//!
//! One page holds the record as people read it, what can be done with it, its persons, how many notes, tasks, files … each
//! tab has with the first of them, which stages it went through, and the beginning of its history. Further pages of a tab
//! are read by the functions of its kind (`activities::of` …), further pages of the history by [`timeline::of`](super::timeline::of).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    Account, Activity, ActivityKind, Estimate, Field, FileRecord, Follow, FollowUpState, HostRecord, Idle,
    Lead, LeadLines, LeadState, Opportunity, Outcome, RecordKinds, Sequence, Service, Subject, Tab, distance,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{AccountId, LeadId, UserId};
use crate::query::{ListCursor, MAX_PAGE, Page};
use crate::store::{SettingName, Txn};
use crate::time::Timestamp;

use super::access::{masked, visible};
use super::actions::{Grants, LeadAction};
use super::contacts::{self, LinkedContact};
use super::files::Attached;
use super::history::{StageVisit, visits};
use super::timeline::TimelineItem;
use super::{accounts, children, followers, lines, settings};

mod parts;

use parts::{attachments, engagement, history, qualified, sections, tabs, unread};

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
    /// The products of a lead.
    Lines(LeadLines),
    /// An estimate.
    Estimate(Estimate),
    /// An opportunity.
    Opportunity(Opportunity),
    /// A service.
    Service(Service),
    /// A file.
    File(FileRecord),
    /// A record of the host's.
    Record(HostRecord),
}

impl ChildRecord {
    /// Which record it is.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Activity(one) => one.id.into(),
            Self::Lines(one) => LeadLines::subject_of(one.lead()),
            Self::Estimate(one) => one.id.into(),
            Self::Opportunity(one) => one.id.into(),
            Self::Service(one) => one.id.into(),
            Self::File(one) => one.id.into(),
            Self::Record(one) => one.id.into(),
        }
    }
}

macro_rules! child_record {
    ($($from:ident => $kind:ident),+ $(,)?) => {$(
        impl From<$from> for ChildRecord {
            fn from(child: $from) -> Self {
                Self::$kind(child)
            }
        }
    )+};
}

child_record!(
    Activity => Activity, Estimate => Estimate, LeadLines => Lines, Opportunity => Opportunity, Service => Service,
    FileRecord => File, HostRecord => Record,
);

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
    /// The place behind the last one, when there are more: for the functions that read on in this tab.
    pub next: Option<ListCursor>,
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
    /// What is attached to the notes, tasks, estimates … of its tabs: no files of the lead itself.
    pub attachments: Vec<Attached>,
    /// Its persons, the primary one first.
    pub contacts: Vec<LinkedContact>,
    /// The stages that it went through.
    pub stages: Vec<StageVisit>,
    /// Its products with their totals, whichever tabs were asked for; none where it has none, or where the actor may not see
    /// its amount.
    pub lines: Option<LeadLines>,
    /// Who follows it or the account that it became, by user, each once: since the earlier day.
    pub followers: Vec<Follow>,
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
    /// What is attached to the notes, tasks, estimates … of its tabs: no files of the account itself.
    pub attachments: Vec<Attached>,
    /// Its persons, the primary one first.
    pub contacts: Vec<LinkedContact>,
    /// Who follows it or a lead that became it, by user, each once: since the earliest day.
    pub followers: Vec<Follow>,
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
    check(txn, options)?;
    let lead = visible(ctx, txn, id)?;
    let mut shown = vec![Subject::from(lead.id)];
    shown.extend(lead.conversion.as_ref().and_then(|conversion| conversion.account).map(Subject::from));
    let catalogue = settings::load_catalogue(txn)?.1;
    let pipelines = txn.pipelines().list()?;
    let counts = txn.children().counts(&shown)?;
    let actions = Grants::open(ctx, txn)?.offered(&lead);
    let tabs = tabs(ctx, txn, &shown, counts.clone(), options)?;
    let follow_up_state = FollowUpState::of(lead.follow_up, ctx.now(), ctx.utc_offset());
    Ok(LeadPage {
        is_unread: unread(ctx, txn, id, options.mark_read)?,
        qualification: qualified(txn, &lead, &pipelines, &shown, &counts)?,
        idle: Idle::of(&lead, &pipelines, ctx.now()),
        attachments: attachments(ctx, txn, &tabs, options)?,
        tabs,
        contacts: contacts::masked(ctx, contacts::shown(txn, &lead)?),
        stages: visits(txn, &lead, ctx.now())?,
        lines: lines::seen(ctx, txn, id)?,
        followers: followers::first(txn.followers().of(&shown)?),
        timeline: history(ctx, txn, shown, options)?,
        sections: sections(ctx, txn, &lead, &catalogue, &pipelines, options)?,
        lead: masked(ctx, lead),
        follow_up_state,
        actions,
    })
}

/// The page of a customer: what is about it and about the leads that became it, also about those that the actor does not see.
///
/// # Errors
/// `NotFound` when the account does not exist or may not be seen; `Invalid` for numbers that do not fit.
pub fn account_page(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: AccountId,
    options: &PageOptions,
) -> Result<AccountPage> {
    check(txn, options)?;
    let account = accounts::get(ctx, txn, id)?;
    let origins = accounts::origins(ctx, txn, id)?;
    let mut shown = vec![Subject::from(id)];
    shown.extend(accounts::behind(txn, id)?.into_iter().map(Subject::from));
    let counts = txn.children().counts(&shown)?;
    let tabs = tabs(ctx, txn, &shown, counts.clone(), options)?;
    Ok(AccountPage {
        account,
        origins,
        engagement: engagement(txn, &shown, &counts)?,
        attachments: attachments(ctx, txn, &tabs, options)?,
        tabs,
        contacts: contacts::masked(ctx, contacts::linked(txn, id.into())?),
        followers: followers::first(txn.followers().of(&shown)?),
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

/// Every tab that there is: the kinds of activity, files, estimates, products, opportunities, services, and the kinds of record that the host
/// registered.
///
/// # Errors
/// `Corrupt` when the stored kinds cannot be read.
pub fn all_tabs(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Tab>> {
    ctx.check_tenant(txn)?;
    every_tab(txn)
}

fn every_tab(txn: &mut dyn Txn) -> Result<Vec<Tab>> {
    let kinds = settings::document::<RecordKinds>(txn, SettingName::RecordKinds)?.1;
    let own = kinds.all().iter().map(|spec| Tab::Record(spec.kind.clone()));
    let activities = ActivityKind::ALL.iter().copied().map(Tab::Activity);
    let records = [Tab::File, Tab::Estimate, Tab::Lines, Tab::Opportunity, Tab::Service];
    Ok(activities.chain(records).chain(own).collect())
}

/// Refuses tabs that there are not, each with the name that may be meant.
fn check_tabs(txn: &mut dyn Txn, asked: &[Tab]) -> Result<()> {
    let known = every_tab(txn)?;
    let unknown = asked.iter().enumerate().filter(|(_, tab)| !known.contains(tab));
    let broken: Vec<_> =
        unknown.map(|(n, tab)| no_such_tab(&format!("tabs[{n}]"), tab.code(), &known)).collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// What is said of the name of a tab that there is not.
fn no_such_tab(path: &str, name: &str, known: &[Tab]) -> Violation {
    let most = (name.chars().count() / 3).clamp(1, 3);
    let near =
        known.iter().map(|tab| (distance(name, tab.code()), tab.code())).filter(|(far, _)| *far <= most);
    let hint = match near.min() {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None => {
            let names: Vec<_> = known.iter().map(|tab| format!("`{tab}`")).collect();
            format!("; the tabs are {}", names.join(", "))
        }
    };
    Violation::new(path, ViolationCode::Unknown, format!("there is no such tab{hint}"))
}

fn check(txn: &mut dyn Txn, options: &PageOptions) -> Result<()> {
    check_tabs(txn, options.tabs.as_deref().unwrap_or_default())?;
    for (field, number) in [("first", options.first), ("timeline", options.timeline)] {
        if number > MAX_PAGE {
            let message = "a page has 0 to 1,000 records";
            return Err(Error::invalid_field(field, ViolationCode::OutOfRange, message));
        }
    }
    Ok(())
}
