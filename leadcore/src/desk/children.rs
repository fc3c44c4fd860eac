//! What hangs on leads, contacts and accounts: one way to check, write, journal and list it, whatever it is.
//!
//! A child is about one or several records and is never copied: after a conversion the page of the account shows what is
//! about it and what is about the leads that became it, and so does the page of each such lead.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{Action, FieldChange, FieldValue, NewEntry, Placement, Subject, SubjectKind, Tab};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::{LeadId, Revision};
use crate::policy::Permission;
use crate::store::{Derived, Txn};
use crate::time::Timestamp;

use super::access::editable_for;
pub(super) use super::child_page::{page, tab_list};
pub(super) use super::child_parts::{holds, revised_child, stored_child};
pub(super) use super::children_shown::{became_for_change, given_back, going_on, shown_with};
pub(super) use super::sight::Sight;

/// The most records that one child is about.
const MOST_ABOUT: usize = 20;

/// The key under which the journal keeps the whole child, before and after: what an undo writes back.
pub(super) const IMAGE: &str = "image";
/// The key under which it keeps what was stored about the child besides: when it was to remind next.
pub(super) const KEPT: &str = "kept";

/// A kind of child record.
pub(super) trait Child: Clone + PartialEq + Serialize + DeserializeOwned {
    /// What errors call it.
    const WHAT: &'static str;

    fn subject(&self) -> Subject;
    fn about(&self) -> &[Subject];
    fn set_about(&mut self, about: Vec<Subject>);
    fn revision(&self) -> Revision;
    /// The next revision, written at this time.
    fn renew(&mut self, revision: Revision, at: Timestamp);
    fn placement(&self) -> Placement;
    /// What people read of a change; the title comes first, also where it is the same.
    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange>;

    fn load(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<Vec<Self>>;
    fn insert(txn: &mut dyn Txn, children: &[Self]) -> Result<()>;
    fn update(txn: &mut dyn Txn, children: &[Self]) -> Result<()>;
    fn remove(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<()>;

    /// A record that it means, and is not about: where that is gone, it does not come back.
    fn means(&self) -> Option<Subject> {
        None
    }

    /// Removes one that an undo may bring back, before what it is about goes.
    fn withdraw(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        Self::remove(txn, &[child.subject().id])
    }

    /// Removes some that nothing brings back.
    fn purge(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<()> {
        Self::remove(txn, ids)
    }

    /// Stores one that was withdrawn.
    fn reinsert(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        Self::insert(txn, std::slice::from_ref(child))
    }

    /// What it is for those who look at it now: an offer whose day is over has expired.
    fn into_shown(self, _ctx: &Context<'_>) -> Self {
        self
    }

    /// Whether one that was created can go again: not where its number would be missing.
    fn can_leave(_txn: &mut dyn Txn, _child: &Self) -> Result<bool> {
        Ok(true)
    }

    /// Whether an undo may make this of what the child is now: a file whose bytes are gone cannot come back.
    fn can_return(_txn: &mut dyn Txn, _now: Option<&Self>, _child: &Self) -> Result<bool> {
        Ok(true)
    }

    /// What is stored about a child besides itself and goes with it; kept with the image for [`resume`](Self::resume).
    fn kept(_txn: &mut dyn Txn, _child: &Self) -> Result<Option<FieldValue>> {
        Ok(None)
    }

    /// A child came back, of which this was kept.
    fn resume(_ctx: &Context<'_>, _txn: &mut dyn Txn, _id: Uuid, _kept: &FieldValue) -> Result<()> {
        Ok(())
    }
}

/// Does something for the kind of child that a subject is: the one list of them for undo and purge. Whoever adds a kind
/// adds its line here.
macro_rules! for_child {
    ($subject:expr, $C:ident => $work:expr, else $other:expr) => {
        match $subject.kind {
            $crate::domain::SubjectKind::Activity => {
                type $C = $crate::domain::Activity;
                $work
            }
            $crate::domain::SubjectKind::Record => {
                type $C = $crate::domain::HostRecord;
                $work
            }
            $crate::domain::SubjectKind::Estimate => {
                type $C = $crate::domain::Estimate;
                $work
            }
            $crate::domain::SubjectKind::Lines => {
                type $C = $crate::domain::LeadLines;
                $work
            }
            $crate::domain::SubjectKind::Opportunity => {
                type $C = $crate::domain::Opportunity;
                $work
            }
            $crate::domain::SubjectKind::Service => {
                type $C = $crate::domain::Service;
                $work
            }
            $crate::domain::SubjectKind::File => {
                type $C = $crate::domain::FileRecord;
                $work
            }
            _ => $other,
        }
    };
}
pub(super) use for_child;

/// The child, if the actor may see a record that it is about, or what such a record became.
pub(super) fn get<C: Child>(ctx: &Context<'_>, txn: &mut dyn Txn, id: Uuid) -> Result<C> {
    let mut sight = Sight::open(ctx, txn)?;
    let child = C::load(txn, &[id])?.pop().ok_or_else(|| Error::not_found(C::WHAT))?;
    sight.learn(txn, child.about())?;
    if sight.shows(child.about()) { Ok(child) } else { Err(Error::not_found(C::WHAT)) }
}

/// What the actor gets to read of these children: as they are now, about the records that he may see. Who may not see a
/// record does not learn that it is there: in the place of a lead there is the customer that it became.
pub(super) fn shown<C: Child>(ctx: &Context<'_>, txn: &mut dyn Txn, children: Vec<C>) -> Result<Vec<C>> {
    let mut sight = Sight::open(ctx, txn)?;
    let all: Vec<_> = children.iter().flat_map(Child::about).copied().collect();
    let sees_all = sight.is_unlimited();
    if !sees_all {
        sight.learn(txn, &all)?;
    }
    let mask = |mut child: C| {
        if !sees_all {
            let known = sight.known_as(child.about());
            child.set_about(known);
        }
        child.into_shown(ctx)
    };
    Ok(children.into_iter().map(mask).collect())
}

/// [`shown`] for one child.
pub(super) fn shown_one<C: Child>(ctx: &Context<'_>, txn: &mut dyn Txn, child: C) -> Result<C> {
    shown(ctx, txn, vec![child])?.pop().ok_or_else(|| Error::not_found(C::WHAT))
}

/// What of a list of records the actor may not see: what it can neither name nor take away.
pub(super) fn unseen(ctx: &Context<'_>, txn: &mut dyn Txn, about: &[Subject]) -> Result<Vec<Subject>> {
    let mut sight = Sight::open(ctx, txn)?;
    if sight.is_unlimited() {
        return Ok(Vec::new());
    }
    sight.learn(txn, about)?;
    Ok(about.iter().filter(|about| !sight.sees(**about)).copied().collect())
}

/// Stores a new child that its rules allow, and gives the entries that tell it.
pub(super) fn add<C: Child>(ctx: &Context<'_>, txn: &mut dyn Txn, child: &C) -> Result<Vec<NewEntry>> {
    C::insert(txn, std::slice::from_ref(child))?;
    txn.children().place(&[child.placement()])?;
    refresh(ctx, txn, child.about(), true)?;
    entries(ctx, txn, Action::Created, None, Some(child))
}

/// Writes a child that was read and changed: the next revision, and the entries that tell it. Without a difference nothing
/// is written.
pub(super) fn replace<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &C,
    after: C,
) -> Result<(C, Vec<NewEntry>)> {
    rewrite(ctx, txn, before, after, true)
}

/// The same where nobody did anything, but a day went by: no lead is worked by that.
pub(super) fn lapse<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &C,
    after: C,
) -> Result<Vec<NewEntry>> {
    Ok(rewrite(ctx, txn, before, after, false)?.1)
}

fn rewrite<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &C,
    mut after: C,
    works: bool,
) -> Result<(C, Vec<NewEntry>)> {
    if *before == after {
        return Ok((after, Vec::new()));
    }
    after.renew(before.revision().next(), ctx.now());
    C::update(txn, std::slice::from_ref(&after))?;
    txn.children().place(&[after.placement()])?;
    let about: BTreeSet<_> = before.about().iter().chain(after.about()).copied().collect();
    refresh(ctx, txn, &about.into_iter().collect::<Vec<_>>(), works)?;
    let entries = entries(ctx, txn, Action::Updated, Some(before), Some(&after))?;
    Ok((after, entries))
}

/// Removes a child, and gives the entries that tell it and keep it for an undo.
pub(super) fn take_away<C: Child>(ctx: &Context<'_>, txn: &mut dyn Txn, child: &C) -> Result<Vec<NewEntry>> {
    let kept = C::kept(txn, child)?;
    C::withdraw(txn, child)?;
    txn.children().lift(&[child.subject()])?;
    refresh(ctx, txn, child.about(), true)?;
    let mut entries = entries(ctx, txn, Action::Deleted, Some(child), None)?;
    if let (Some(first), Some(kept)) = (entries.first_mut(), kept) {
        first.changes.push(FieldChange::new(KEPT, kept, FieldValue::Empty));
    }
    Ok(entries)
}

/// Stores a child that had been removed, and gives the entries that tell it.
pub(super) fn bring_back<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    mut child: C,
) -> Result<Vec<NewEntry>> {
    child.renew(child.revision().next(), ctx.now());
    C::reinsert(txn, &child)?;
    txn.children().place(&[child.placement()])?;
    refresh(ctx, txn, child.about(), true)?;
    entries(ctx, txn, Action::Restored, None, Some(&child))
}

/// These records, with those that a note or an estimate among them is about: what is attached to a note of a lead is told
/// by the history of the lead too.
pub(super) fn with_holders(txn: &mut dyn Txn, about: &[Subject]) -> Result<Vec<Subject>> {
    let mut all: BTreeSet<_> = about.iter().copied().collect();
    let mut children: Vec<_> = all.iter().filter(|subject| subject.kind.is_child()).copied().collect();
    while !children.is_empty() {
        let placements = txn.children().placements(&children)?;
        let holders = placements.into_iter().flat_map(|placement| placement.about);
        let new: Vec<_> = holders.filter(|holder| all.insert(*holder)).collect();
        children = new.into_iter().filter(|subject| subject.kind.is_child()).collect();
    }
    Ok(all.into_iter().collect())
}

/// One entry for each record that the child is about, so that all their histories tell it; the first one keeps the image.
fn entries<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    action: Action,
    before: Option<&C>,
    after: Option<&C>,
) -> Result<Vec<NewEntry>> {
    let Some(child) = after.or(before) else { return Ok(Vec::new()) };
    let topic = child.placement().tab.topic();
    let told = C::told(before, after);
    let about: Vec<_> = before.into_iter().chain(after).flat_map(|child| child.about()).copied().collect();
    let about = with_holders(txn, &about)?;
    let mut image = Some(FieldChange::new(IMAGE, image(before)?, image(after)?));
    let entry = |about: Subject| {
        let mut changes = told.clone();
        changes.extend(image.take());
        let entry = NewEntry::new(child.subject(), action, ctx.now()).with_other(about).under(topic);
        entry.with_changes(changes)
    };
    Ok(about.into_iter().map(entry).collect())
}

fn image<C: Child>(child: Option<&C>) -> Result<FieldValue> {
    let Some(child) = child else { return Ok(FieldValue::Empty) };
    let json = serde_json::to_string(child).map_err(|error| {
        Error::new(ErrorKind::Internal, "a record cannot be written as JSON").with_source(error)
    })?;
    Ok(json.into())
}

/// What hangs on these leads changed: their next follow-up follows, and something happened to those that are worked (what
/// rotting counts from).
///
/// The follow-up is also that of leads in the trash and of converted ones: restored, or looked at as where a customer came
/// from, they must not tell of tasks that are done.
fn refresh(ctx: &Context<'_>, txn: &mut dyn Txn, about: &[Subject], works: bool) -> Result<()> {
    let about = with_holders(txn, about)?;
    let leads: Vec<_> = of_kind(&about, SubjectKind::Lead).map(LeadId::from_uuid).collect();
    if leads.is_empty() {
        return Ok(());
    }
    let leads = txn.leads().get(&leads)?;
    let subjects: Vec<Subject> = leads.iter().map(|lead| lead.id.into()).collect();
    let follow_ups: BTreeMap<_, _> = txn.children().follow_ups(&subjects)?.into_iter().collect();
    let derived = leads.iter().filter_map(|lead| {
        let is_worked = works && lead.trashed.is_none() && lead.conversion.is_none();
        let active_at = if is_worked { lead.active_at.max(ctx.now()) } else { lead.active_at };
        let follow_up = follow_ups.get(&lead.id.into()).copied();
        let changed = (follow_up, active_at) != (lead.follow_up, lead.active_at);
        changed.then_some(Derived { id: lead.id, follow_up, active_at })
    });
    let derived: Vec<_> = derived.collect();
    if derived.is_empty() { Ok(()) } else { txn.leads().derive(&derived) }
}

/// The records of this list that a child may be about, each once, for a new child: visible, open for writing, and neither
/// frozen nor in the trash.
pub(super) fn check_about(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    tab: &Tab,
) -> Result<Vec<Subject>> {
    check_more(ctx, txn, about, &[], tab)
}

/// [`check_about`] for a child that is there: what it is about already is not asked about again, so that it can stay with
/// a lead that was converted since.
pub(super) fn check_more(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    known: &[Subject],
    tab: &Tab,
) -> Result<Vec<Subject>> {
    let mut unique = Vec::new();
    for subject in about {
        if !unique.contains(subject) {
            unique.push(*subject);
        }
    }
    if unique.is_empty() || unique.len() > MOST_ABOUT {
        let message = "must be about 1 to 20 records";
        return Err(Error::invalid_field("about", ViolationCode::OutOfRange, message));
    }
    for subject in unique.iter().filter(|subject| !known.contains(subject)) {
        check_writable(ctx, txn, *subject, tab)?;
    }
    Ok(unique)
}

/// Refuses a record that the actor may not add children to.
fn check_writable(ctx: &Context<'_>, txn: &mut dyn Txn, subject: Subject, tab: &Tab) -> Result<()> {
    match subject.kind {
        SubjectKind::Lead => {
            let id = LeadId::from_uuid(subject.id);
            editable_for(ctx, txn, id, super::Expect::Any, Permission::Edit, tab.code()).map(drop)
        }
        SubjectKind::Account
        | SubjectKind::Contact
        | SubjectKind::Activity
        | SubjectKind::Estimate
        | SubjectKind::Opportunity
        | SubjectKind::Service => {
            let mut sight = Sight::open(ctx, txn)?;
            sight.learn(txn, &[subject])?;
            if !sight.sees(subject) {
                return Err(Error::not_found(subject.kind.code()));
            }
            let mut writing = Sight::of(ctx, txn, Permission::Edit)?;
            writing.learn(txn, &[subject])?;
            if writing.sees(subject) { Ok(()) } else { Err(Error::denied(Permission::Edit.code())) }
        }
        _ => Err(Error::invalid_field(
            "about",
            ViolationCode::NotAllowed,
            "nothing can be about such a record",
        )),
    }
}

/// Refuses to change a child unless the actor may write one of the records that it is about. What is about a converted
/// lead goes on by its account: a task that was open is still done.
pub(super) fn check_change<C: Child>(ctx: &Context<'_>, txn: &mut dyn Txn, child: &C) -> Result<()> {
    let tab = child.placement().tab;
    let mut about = child.about().to_vec();
    about.extend(became_for_change(ctx, txn, child.about())?.into_values().flatten());
    let mut refused = None;
    for subject in about {
        match check_writable(ctx, txn, subject, &tab) {
            Ok(()) => return Ok(()),
            // Why a record is refused is told of the first one in sight, but not that others are out of it.
            Err(error) => refused = refused.filter(|known| !is_out_of_sight(known)).or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| Error::not_found(C::WHAT)))
}

fn is_out_of_sight(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

pub(super) fn of_kind(subjects: &[Subject], kind: SubjectKind) -> impl Iterator<Item = Uuid> + '_ {
    subjects.iter().filter(move |subject| subject.kind == kind).map(|subject| subject.id)
}
