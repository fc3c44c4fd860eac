//! Who began or ceased to follow a lead or an account by an operation.

use crate::domain::{
    Action, Entry, FOLLOWED_SINCE, FOLLOWER, FieldValue, Follow, Kept, NewEntry, Operation, Subject, WhyKept,
};
use crate::error::{ErrorKind, Result};
use crate::id::UserId;
use crate::policy::Permission;
use crate::store::Txn;
use crate::time::Timestamp;

use super::super::children::Sight;
use super::super::followers::told;
use super::UndoRecord;
use super::stories::Story;
use super::walk::Bench;

/// Whether the entry is about followers.
pub(super) fn concerns(entry: &Entry) -> bool {
    entry.changes.iter().any(|change| change.field == FOLLOWER)
}

/// Whether the actor may say who follows this account.
pub(super) fn may_edit(bench: &Bench<'_>, txn: &mut dyn Txn, account: Subject) -> Result<bool> {
    match Sight::of(bench.ctx, txn, Permission::Edit) {
        Ok(mut sight) => {
            sight.learn(txn, &[account])?;
            Ok(sight.sees(account))
        }
        Err(error) if error.kind() == ErrorKind::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

fn user(value: &FieldValue) -> Option<UserId> {
    value.as_text().and_then(|text| UserId::new(text).ok())
}

/// Takes back what happened to the followers of a record. Users may take back their own following, others who may edit
/// the record.
pub(super) fn take_back(
    bench: &Bench<'_>,
    txn: &mut dyn Txn,
    by: Option<&Operation>,
    (subject, may_edit): (Subject, bool),
    story: &Story,
    record: &mut UndoRecord,
    entries: &mut Vec<NewEntry>,
) -> Result<()> {
    let now = bench.ctx.now();
    let mut known = txn.followers().of(&[subject])?;
    for entry in story.own.iter().filter(|entry| concerns(entry) && entry.action == Action::Updated) {
        let Some(change) = entry.changes.iter().find(|change| change.field == FOLLOWER) else { continue };
        let (gone, came) = (user(&change.before), user(&change.after));
        let Some(who) = came.clone().or(gone) else { continue };
        let since = entry.changes.iter().find(|change| change.field == FOLLOWED_SINCE);
        let since = since.and_then(|change| match &change.before {
            FieldValue::Time(at) => Some(*at),
            other => other.as_text().and_then(|text| text.parse::<Timestamp>().ok()),
        });
        let follow = Follow { subject, user: who.clone(), since: since.unwrap_or(now) };
        let is_there = known.iter().find(|known| known.user == who).cloned();
        let why = if !may_edit && bench.ctx.actor().user() != Some(&who) {
            Some(WhyKept::NotAllowed)
        } else if came.is_some() != is_there.is_some() {
            Some(WhyKept::Edited)
        } else {
            None
        };
        if let Some(why) = why {
            record.kept.push(Kept { field: FOLLOWER.to_owned(), why });
            continue;
        }
        record.reversed.push(FOLLOWER.to_owned());
        known.retain(|known| known.user != who);
        let follow = is_there.clone().unwrap_or(follow);
        if is_there.is_none() {
            known.push(follow.clone());
        }
        if by.is_some() {
            let follows = is_there.is_none();
            let slice = std::slice::from_ref(&follow);
            if follows {
                txn.followers().add(slice)?;
            } else {
                txn.followers().remove(slice)?;
            }
            entries.push(told(&follow, follows, now));
        }
    }
    Ok(())
}
