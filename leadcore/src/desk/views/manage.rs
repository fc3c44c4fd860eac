//! The menu of views: listing, saving, sharing, pinning.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    Action, Field, FieldChange, FieldValue, NewEntry, OperationKind, SavedView, SystemView, ViewPreferences,
    ViewRef, ViewShape,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::ViewId;
use crate::policy::{Permission, Scope};
use crate::query::{Filter, Sort};
use crate::store::Txn;

use super::super::access::{Expect, require};
use super::super::operation::{name_taken, record};
use super::super::reading::acting;
use super::super::settings::load_catalogue;
use super::check;
use super::system::SystemDefinition;

/// What a view shall show.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ViewDraft {
    /// What people read. Unique among the views of its owner, ignoring case and accents.
    pub name: String,
    /// List or board.
    pub shape: ViewShape,
    /// Which leads. Terms, stages and pipelines may be named in it; ids are kept, so that a rename changes nothing.
    pub filter: Filter,
    /// Its columns; the tenant's when not said.
    pub columns: Option<Vec<Field>>,
    /// Its order; the last written first when not said.
    pub sort: Option<Sort>,
    /// The field that rows are grouped by.
    pub group_by: Option<Field>,
}

impl ViewDraft {
    /// A list of these leads.
    pub fn new(name: impl Into<String>, filter: Filter) -> Self {
        Self { name: name.into(), filter, ..Self::default() }
    }

    /// Drawn like this.
    #[must_use]
    pub const fn shape(mut self, shape: ViewShape) -> Self {
        self.shape = shape;
        self
    }

    /// With these columns.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = Field>) -> Self {
        self.columns = Some(columns.into_iter().collect());
        self
    }

    /// In this order.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// Grouped by this field.
    #[must_use]
    pub fn group_by(mut self, field: Field) -> Self {
        self.group_by = Some(field);
        self
    }
}

/// One line of the menu of views.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ViewEntry {
    /// The view, to be opened.
    pub view: ViewRef,
    /// What people read.
    pub name: String,
    /// List or board.
    pub shape: ViewShape,
    /// Whether lists open with it.
    pub is_default: bool,
    /// Whether the user pinned it.
    pub is_pinned: bool,
    /// Whether everyone sees it; system views are.
    pub is_shared: bool,
    /// Whether this actor may change, share and delete it.
    pub is_editable: bool,
}

/// The views that the actor can open: those it pinned, in its order, then the system views in theirs, then shared and own
/// ones by name. System views that need a user, or a field that the actor may not see, are left out.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<ViewEntry>> {
    require(ctx, txn, Permission::View)?;
    let preferences = preferences(ctx, txn)?;
    let mut entries: Vec<_> =
        SystemView::ALL.into_iter().filter(|view| offers(ctx, *view)).map(system).collect();
    for view in txn.views().list(ctx.actor().user().into())? {
        entries.push(ViewEntry { is_editable: may_edit(ctx, &view), ..saved(view) });
    }
    let fallback = entries.first().map(|entry| entry.view);
    let known = entries.iter().any(|entry| entry.view == preferences.default);
    let default = if known { Some(preferences.default) } else { fallback };
    for entry in &mut entries {
        entry.is_default = Some(entry.view) == default;
        entry.is_pinned = preferences.pinned.contains(&entry.view);
    }
    let place = |view: &ViewRef| preferences.pinned.iter().position(|pinned| pinned == view);
    entries.sort_by_key(|entry| place(&entry.view).unwrap_or(usize::MAX));
    Ok(entries)
}

fn system(view: SystemView) -> ViewEntry {
    ViewEntry {
        view: view.into(),
        name: view.name().to_owned(),
        shape: ViewShape::List,
        is_default: false,
        is_pinned: false,
        is_shared: true,
        is_editable: false,
    }
}

fn saved(view: SavedView) -> ViewEntry {
    ViewEntry {
        view: view.id.into(),
        name: view.name,
        shape: view.shape,
        is_default: false,
        is_pinned: false,
        is_shared: view.shared,
        is_editable: false,
    }
}

/// Whether the actor can open this system view.
fn offers(ctx: &Context<'_>, view: SystemView) -> bool {
    let definition = SystemDefinition::of(view);
    let mut fields = definition.filter.fields();
    fields.push(definition.sort.by.field());
    let hidden = fields.iter().any(|field| ctx.policy().is_hidden(ctx.actor(), field));
    !hidden && (!definition.per_user || ctx.actor().user().is_some())
}

fn preferences(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<ViewPreferences> {
    match ctx.actor().user() {
        Some(user) => txn.views().preferences(user),
        None => Ok(ViewPreferences::default()),
    }
}

/// A saved view, with the revision to change it. Of somebody else's filter, conditions on fields that the actor may not
/// see are left out: they hold values.
///
/// # Errors
/// `NotFound` when there is none, or it is another user's own; `Denied`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: ViewId) -> Result<SavedView> {
    let view = seen(ctx, txn, id)?;
    told(ctx, txn, view)
}

/// The view as the actor may see it.
fn told(ctx: &Context<'_>, txn: &mut dyn Txn, mut view: SavedView) -> Result<SavedView> {
    if !owns(ctx, &view) {
        view.filter = check::masked(ctx, &load_catalogue(txn)?.1, &view.filter)?;
    }
    Ok(view)
}

/// The saved view as it is kept, if the actor may open it.
pub(super) fn seen(ctx: &Context<'_>, txn: &mut dyn Txn, id: ViewId) -> Result<SavedView> {
    require(ctx, txn, Permission::View)?;
    let found = txn.views().get(id)?.filter(|view| view.shared || owns(ctx, view));
    found.ok_or_else(|| Error::not_found("view"))
}

/// Whether it is the actor's own; the host itself may do everything.
fn owns(ctx: &Context<'_>, view: &SavedView) -> bool {
    ctx.actor().user().is_none_or(|user| view.owner.as_ref() == Some(user))
}

/// The owner, and for shared views who may configure.
fn may_edit(ctx: &Context<'_>, view: &SavedView) -> bool {
    let configures = || ctx.policy().scope(ctx.actor(), Permission::Configure) != Scope::None;
    owns(ctx, view) || (view.shared && configures())
}

fn editable(ctx: &Context<'_>, txn: &mut dyn Txn, id: ViewId, expect: Expect) -> Result<SavedView> {
    let view = seen(ctx, txn, id)?;
    if !may_edit(ctx, &view) {
        return Err(Error::denied("change a view of somebody else"));
    }
    expect.check("view", view.revision)?;
    Ok(view)
}

/// Saves a view (S1.18): the acting user's own, or a shared one where the host itself acts.
///
/// ```
/// use leadcore::desk::views::{self, ViewDraft};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::User("ada".parse()?), &clock, &ids, &AllowAll);
/// let draft = ViewDraft::new("Large", Filter::parse("amount >= 1000 and owner = me").unwrap());
/// let saved = store.write(ctx.tenant(), |txn| views::save(&ctx, txn, &draft))?;
/// let menu = store.read(ctx.tenant(), |txn| views::list(&ctx, txn))?;
/// assert_eq!(menu.last().map(|entry| entry.view), Some(saved.id.into()));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` with every misfit of name, filter, columns, order and grouping at once; `AlreadyExists` when the owner has a
/// view of this name; `Denied` for an actor who may not see leads.
pub fn save(ctx: &Context<'_>, txn: &mut dyn Txn, draft: &ViewDraft) -> Result<SavedView> {
    require(ctx, txn, Permission::View)?;
    let owner = ctx.actor().user().cloned();
    let mut view = SavedView::new(ViewId::from_uuid(ctx.new_uuid()), "", owner);
    view.shared = view.owner.is_none();
    let catalogue = load_catalogue(txn)?.1;
    check::apply(ctx, txn, &catalogue, draft, &mut view)?;
    txn.views().insert(&view).map_err(|error| name_taken("view", error))?;
    journal(ctx, txn, None, Some(&view))?;
    Ok(view)
}

/// Makes a saved view show something else. Whose it is and whether it is shared stay.
///
/// # Errors
/// As [`save`]; `NotFound`; `Denied` for a shared view of somebody else, without leave to configure; `Conflict` when the
/// view changed since it was read.
pub fn update(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ViewId,
    expect: impl Into<Expect>,
    draft: &ViewDraft,
) -> Result<SavedView> {
    let before = editable(ctx, txn, id, expect.into())?;
    let mut view = before.clone();
    let catalogue = load_catalogue(txn)?.1;
    check::apply(ctx, txn, &catalogue, draft, &mut view)?;
    write(ctx, txn, &before, view)
}

/// Renames a saved view.
///
/// # Errors
/// `Invalid` for a name that does not fit; else as [`update`].
pub fn rename(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ViewId,
    expect: impl Into<Expect>,
    name: &str,
) -> Result<SavedView> {
    let before = editable(ctx, txn, id, expect.into())?;
    let view = SavedView { name: name.trim().to_owned(), ..before.clone() };
    let broken = view.violations();
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    write(ctx, txn, &before, view)
}

/// Shows a saved view to everyone, or to its owner only. A view that the host itself made stays shared: it has no owner.
///
/// # Errors
/// As [`update`]; `Invalid` for a view without owner that shall not be shared.
pub fn share(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: ViewId,
    expect: impl Into<Expect>,
    shared: bool,
) -> Result<SavedView> {
    let before = editable(ctx, txn, id, expect.into())?;
    if before.owner.is_none() && !shared {
        let message = "a view without an owner is shared, or nobody sees it";
        return Err(Error::invalid_field("shared", ViolationCode::NotAllowed, message));
    }
    let view = SavedView { shared, ..before.clone() };
    write(ctx, txn, &before, view)
}

fn write(ctx: &Context<'_>, txn: &mut dyn Txn, before: &SavedView, mut view: SavedView) -> Result<SavedView> {
    if view == *before {
        return told(ctx, txn, view);
    }
    view.revision = before.revision.next();
    txn.views().update(&view).map_err(|error| name_taken("view", error))?;
    journal(ctx, txn, Some(before), Some(&view))?;
    told(ctx, txn, view)
}

/// Deletes a saved view for good. Who has it as default opens the first system view from then on.
///
/// # Errors
/// As [`update`].
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: ViewId, expect: impl Into<Expect>) -> Result<()> {
    let view = editable(ctx, txn, id, expect.into())?;
    txn.views().remove(id)?;
    journal(ctx, txn, Some(&view), None)
}

/// Writes down what happened to a view that others see or saw.
fn journal(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: Option<&SavedView>,
    after: Option<&SavedView>,
) -> Result<()> {
    match entry(ctx, before, after) {
        Some(entry) => record(ctx, txn, OperationKind::Configure, &[entry]).map(drop),
        None => Ok(()),
    }
}

/// What the journal says of a change to a view that others see or saw.
pub(super) fn entry(
    ctx: &Context<'_>,
    before: Option<&SavedView>,
    after: Option<&SavedView>,
) -> Option<NewEntry> {
    if !before.iter().chain(&after).any(|view| view.shared) {
        return None;
    }
    let id = after.or(before).map(|view| view.id)?;
    let action = match (before, after) {
        (None, _) => Action::Created,
        (_, None) => Action::Deleted,
        _ => Action::Updated,
    };
    type Read = fn(&SavedView) -> FieldValue;
    let parts: [(&str, Read); 7] = [
        ("name", |view| view.name.as_str().into()),
        ("shared", |view| view.shared.into()),
        ("shape", |view| serde_json::to_string(&view.shape).unwrap_or_default().into()),
        ("filter", |view| view.filter.to_string().into()),
        ("columns", |view| {
            let keys = view.columns.iter().flatten().map(|field| field.key().into());
            FieldValue::List(keys.collect())
        }),
        ("sort", |view| view.sort.as_ref().map(ToString::to_string).into()),
        ("group_by", |view| view.group_by.as_ref().map(Field::key).into()),
    ];
    let changes = parts.into_iter().filter_map(|(part, read)| {
        let (before, after) = (before.map(read).into(), after.map(read).into());
        let changed: Option<(FieldValue, FieldValue)> = (before != after).then_some((before, after));
        changed.map(|(before, after)| FieldChange::new(part, before, after))
    });
    Some(NewEntry::new(id, action, ctx.now()).with_changes(changes.collect()))
}

/// Puts a view at the top of the acting user's menu, behind those that are there.
///
/// # Errors
/// `NotFound` for a view that the actor cannot open; `Invalid` for an actor who is no user; `Denied`.
pub fn pin(ctx: &Context<'_>, txn: &mut dyn Txn, view: impl Into<ViewRef>) -> Result<()> {
    let view = view.into();
    prefer(ctx, txn, &[view], |preferences| {
        if !preferences.pinned.contains(&view) {
            preferences.pinned.push(view);
        }
    })
}

/// Takes a view from the top of the acting user's menu.
///
/// # Errors
/// `Invalid` for an actor who is no user; `Denied`.
pub fn unpin(ctx: &Context<'_>, txn: &mut dyn Txn, view: impl Into<ViewRef>) -> Result<()> {
    let view = view.into();
    prefer(ctx, txn, &[], |preferences| preferences.pinned.retain(|pinned| *pinned != view))
}

/// Says which views are at the top of the acting user's menu, in this order; each once.
///
/// # Errors
/// As [`pin`].
pub fn arrange(ctx: &Context<'_>, txn: &mut dyn Txn, pinned: &[ViewRef]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let pinned: Vec<_> = pinned.iter().copied().filter(|view| seen.insert(*view)).collect();
    prefer(ctx, txn, &pinned, |preferences| preferences.pinned.clone_from(&pinned))
}

/// Says with which view the acting user's lists open (S2.11).
///
/// # Errors
/// As [`pin`].
pub fn set_default(ctx: &Context<'_>, txn: &mut dyn Txn, view: impl Into<ViewRef>) -> Result<()> {
    let view = view.into();
    prefer(ctx, txn, &[view], |preferences| preferences.default = view)
}

/// Changes what the acting user prefers; the views that it names must be there to open.
fn prefer(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    named: &[ViewRef],
    change: impl FnOnce(&mut ViewPreferences),
) -> Result<()> {
    require(ctx, txn, Permission::View)?;
    let user = acting(ctx)?;
    for view in named {
        match view {
            ViewRef::Saved(id) => drop(seen(ctx, txn, *id)?),
            ViewRef::System(view) if offers(ctx, *view) => {}
            ViewRef::System(_) => return Err(Error::not_found("view")),
        }
    }
    let mut preferences = txn.views().preferences(user)?;
    // What was deleted since goes with the next change.
    let mut kept = Vec::with_capacity(preferences.pinned.len());
    for view in std::mem::take(&mut preferences.pinned) {
        let there = match view {
            ViewRef::Saved(id) => txn.views().get(id)?.is_some(),
            ViewRef::System(_) => true,
        };
        if there {
            kept.push(view);
        }
    }
    preferences.pinned = kept;
    change(&mut preferences);
    txn.views().set_preferences(user, &preferences)
}
