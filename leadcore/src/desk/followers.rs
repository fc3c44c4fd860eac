//! Who follows a lead or an account (X.49): to be told by the host of what happens there.
//!
//! To follow writes nothing into the lead: its revision and the time of its last change stay, and an undo of somebody's
//! edit does not stop at it. The history tells it. After a conversion nothing is copied: the pages of the lead and of its
//! account show the followers of both.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::domain::{
    Action, FOLLOWED_SINCE, FOLLOWER, FieldChange, FieldValue, Follow, Lead, NewEntry, OperationKind, Place,
    Subject, SubjectKind,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{LeadId, UserId};
use crate::policy::Permission;
use crate::query::{Asked, ListCursor, Page};
use crate::store::Txn;
use crate::time::Timestamp;

use super::access::{Gate, Mask};
use super::children::{self, Sight};
use super::listing::check_limit;
use super::operation::record;

/// Makes somebody follow a lead or an account: the acting user, when nobody is named. Says whether it is new.
///
/// Whoever sees a record may follow it; who may edit it may make others follow that could own it.
///
/// ```
/// use leadcore::desk::{followers, leads};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ada = Actor::User("ada".parse()?);
/// let ctx = Context::new(&"acme".parse()?, ada, &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     assert!(followers::follow(&ctx, txn, lead.id, None)?);
///     assert!(!followers::follow(&ctx, txn, lead.id, None)?, "she follows already");
///     assert_eq!(followers::of(&ctx, txn, lead.id)?.len(), 1);
///     let mine = leads::list(&ctx, txn, &LeadQuery::new(Filter::followed()))?;
///     assert_eq!(mine.items.len(), 1);
///     Ok(())
/// })?;
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, also for a lead in the trash; `Denied`; `Invalid` (field `user`) for a user who cannot own leads, or when
/// nobody is named and no user acts.
pub fn follow(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    user: Option<&UserId>,
) -> Result<bool> {
    let subject = subject.into();
    let user = who(ctx, user)?;
    let mut sight = Sight::open(ctx, txn)?;
    sight.learn(txn, &[subject])?;
    if !can_be_followed(subject) || !sight.sees(subject) || is_in_trash(txn, subject)? {
        return Err(Error::not_found(subject.kind.code()));
    }
    if ctx.actor().user() != Some(&user) {
        check_edit(ctx, txn, subject)?;
        if !ctx.policy().may_own(ctx.actor(), &user) {
            let message = "this user cannot follow leads";
            return Err(Error::invalid_field("user", ViolationCode::NotAllowed, message));
        }
    }
    if txn.followers().of(&[subject])?.iter().any(|known| known.user == user) {
        return Ok(false);
    }
    let follow = Follow { subject, user, since: ctx.now() };
    txn.followers().add(std::slice::from_ref(&follow))?;
    record(ctx, txn, OperationKind::Edit, &[told(&follow, true, ctx.now())])?;
    Ok(true)
}

/// Makes somebody follow a record no more: the acting user, when nobody is named. Says whether it did.
///
/// Everybody may cease to follow, also what it cannot see any more; to take others off needs the right to edit.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` (field `user`) when nobody is named and no user acts.
pub fn unfollow(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    user: Option<&UserId>,
) -> Result<bool> {
    ctx.check_tenant(txn)?;
    let subject = subject.into();
    let user = who(ctx, user)?;
    if ctx.actor().user() != Some(&user) {
        let mut sight = Sight::open(ctx, txn)?;
        sight.learn(txn, &[subject])?;
        if !sight.sees(subject) {
            return Err(Error::not_found(subject.kind.code()));
        }
        check_edit(ctx, txn, subject)?;
    }
    let known = txn.followers().of(&[subject])?;
    let Some(follow) = known.into_iter().find(|known| known.user == user) else { return Ok(false) };
    txn.followers().remove(std::slice::from_ref(&follow))?;
    record(ctx, txn, OperationKind::Edit, &[told(&follow, false, ctx.now())])?;
    Ok(true)
}

fn who(ctx: &Context<'_>, user: Option<&UserId>) -> Result<UserId> {
    user.or_else(|| ctx.actor().user()).cloned().ok_or_else(|| {
        Error::invalid_field("user", ViolationCode::Required, "no user acts: say who is meant")
    })
}

const fn can_be_followed(subject: Subject) -> bool {
    matches!(subject.kind, SubjectKind::Lead | SubjectKind::Account)
}

fn is_in_trash(txn: &mut dyn Txn, subject: Subject) -> Result<bool> {
    if subject.kind != SubjectKind::Lead {
        return Ok(false);
    }
    Ok(txn.leads().get(&[LeadId::from_uuid(subject.id)])?.iter().any(|lead| lead.trashed.is_some()))
}

/// Refuses an actor who may not change the record. A converted lead is one of its account.
fn check_edit(ctx: &Context<'_>, txn: &mut dyn Txn, subject: Subject) -> Result<()> {
    let gate = Gate::open(ctx, txn, Permission::Edit)?;
    let may = match subject.kind {
        SubjectKind::Lead => {
            txn.leads().get(&[LeadId::from_uuid(subject.id)])?.iter().any(|lead| gate.admits(lead))
        }
        _ => {
            let mut sight = Sight::of(ctx, txn, Permission::Edit)?;
            sight.learn(txn, &[subject])?;
            sight.sees(subject)
        }
    };
    if may { Ok(()) } else { Err(Error::denied(Permission::Edit.code())) }
}

/// The entry that tells who follows, or follows no more.
pub(super) fn told(follow: &Follow, follows: bool, now: Timestamp) -> NewEntry {
    let user = FieldValue::from(follow.user.as_str());
    let changes = if follows {
        vec![FieldChange::new(FOLLOWER, FieldValue::Empty, user)]
    } else {
        let since = FieldChange::new(FOLLOWED_SINCE, FieldValue::Time(follow.since), FieldValue::Empty);
        vec![FieldChange::new(FOLLOWER, user, FieldValue::Empty), since]
    };
    NewEntry::new(follow.subject, Action::Updated, now).with_changes(changes)
}

/// Who follows a lead or an account, by user. After a conversion both show the followers of the account and of the leads
/// that became it; each user once, since it first did.
///
/// # Errors
/// `NotFound`.
pub fn of(ctx: &Context<'_>, txn: &mut dyn Txn, subject: impl Into<Subject>) -> Result<Vec<Follow>> {
    let shown = children::shown_with(ctx, txn, subject.into())?;
    Ok(first(txn.followers().of(&shown)?))
}

/// Each user once, since the earliest day, in the order of their ids.
pub(super) fn first(follows: Vec<Follow>) -> Vec<Follow> {
    let mut users: BTreeMap<UserId, Follow> = BTreeMap::new();
    for follow in follows {
        let first = users.entry(follow.user.clone()).or_insert_with(|| follow.clone());
        if follow.since < first.since {
            *first = follow;
        }
    }
    users.into_values().collect()
}

/// The leads that a user follows (the acting one, when nobody is named), the latest followed first, from behind `after`,
/// at most `limit` (1 to 1,000). Those in the trash and those that the actor may not see are left out, so that a page can
/// be shorter than `limit` and still have a next one.
///
/// # Errors
/// `Denied`; `Invalid` for a limit that does not fit, a cursor of another user's, or (field `user`) when nobody is named and no user acts.
pub fn followed(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    user: Option<&UserId>,
    after: Option<ListCursor>,
    limit: usize,
) -> Result<Page<Lead, ListCursor>> {
    ctx.check_tenant(txn)?;
    check_limit(limit)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let user = who(ctx, user)?;
    let list = Asked::new(&("followed", &user));
    let after = list.place(after.as_ref())?;
    let found = txn.followers().followed_by(&user, SubjectKind::Lead, after, limit.saturating_add(1))?;
    let place = |follow: &Follow| list.behind(Place { at: follow.since, child: follow.subject.id });
    let page = Page::cut(found, limit, place);
    let ids: Vec<_> = page.items.iter().map(|follow| LeadId::from_uuid(follow.subject.id)).collect();
    let mut leads = txn.leads().get(&ids)?;
    leads.retain(|lead| lead.trashed.is_none() && gate.admits(lead));
    let mask = Mask::of(ctx);
    leads.iter_mut().for_each(|lead| mask.put_on(lead));
    Ok(Page { items: leads, next: page.next })
}

/// Nobody follows these records any more: they are removed for good.
pub(super) fn forget(txn: &mut dyn Txn, gone: &[Subject]) -> Result<()> {
    let follows = txn.followers().of(gone)?;
    txn.followers().remove(&follows)
}
