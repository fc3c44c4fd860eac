//! Taking away what hangs on records that go: with its history, when an undo can bring it back, or for good.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{NewEntry, Placed, Placement, Subject, SubjectKind};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ChildQuery, Txn};

use super::children::{self, Child, for_child};
use super::files;

/// How many children one round reads.
const ROUND: usize = 500;

/// Removes what is about this child alone, before it goes itself, and takes it off what is also about others. The entries
/// belong before those of the child: an undo, which reads the newest first, has the child back when it comes to them.
pub(super) fn clear(ctx: &Context<'_>, txn: &mut dyn Txn, gone: Subject) -> Result<Vec<NewEntry>> {
    let all = BTreeSet::from([gone]);
    let mut entries = Vec::new();
    rounds(txn, &[gone], &mut |txn, placements| {
        for placement in placements {
            let told = for_child!(placement.child, C => leave::<C>(ctx, txn, placement.child, &all)?, else {
                return Err(unknown(placement.child.kind));
            });
            entries.extend(told);
        }
        Ok(())
    })?;
    Ok(entries)
}

/// Takes these children off records that go: those that are about them alone are removed.
pub(super) fn clear_these(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    children: &[Subject],
    gone: &BTreeSet<Subject>,
) -> Result<Vec<NewEntry>> {
    let mut entries = Vec::new();
    for placement in txn.children().placements(children)? {
        if !placement.about.iter().any(|about| gone.contains(about)) {
            continue;
        }
        let told = for_child!(placement.child, C => leave::<C>(ctx, txn, placement.child, gone)?, else {
            return Err(unknown(placement.child.kind));
        });
        entries.extend(told);
    }
    Ok(entries)
}

fn unknown(kind: SubjectKind) -> Error {
    let message = format!("no {} can be taken off what it is about", kind.code());
    Error::new(ErrorKind::Internal, message)
}

fn leave<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    child: Subject,
    gone: &BTreeSet<Subject>,
) -> Result<Vec<NewEntry>> {
    let Some(before) = C::load(txn, &[child.id])?.pop() else {
        return Err(Error::new(ErrorKind::Corrupt, format!("a {} is placed but not there", C::WHAT)));
    };
    let others = without(before.about(), gone);
    if !children::holds(child.kind, others.iter().copied()) {
        let mut entries = clear(ctx, txn, child)?;
        entries.extend(children::take_away(ctx, txn, &before)?);
        return Ok(entries);
    }
    let mut after = before.clone();
    after.set_about(others);
    children::replace(ctx, txn, &before, after).map(|(_, entries)| entries)
}

/// The records of a list that stay.
fn without(about: &[Subject], gone: &BTreeSet<Subject>) -> Vec<Subject> {
    about.iter().filter(|about| !gone.contains(about)).copied().collect()
}

/// Removes what is about these records alone, with what hangs on that again, and takes them off what is also about
/// others: they are removed for good themselves. Says how many children went.
///
/// What else hangs on a lead, and is no child of its own (its followers, its products), goes here too.
pub(super) fn purge(ctx: &Context<'_>, txn: &mut dyn Txn, gone: &[Subject]) -> Result<u64> {
    files::release(txn, gone)?;
    let mut removed = 0_u64;
    let mut level = gone.to_vec();
    while !level.is_empty() {
        let gone: BTreeSet<_> = level.iter().copied().collect();
        let mut next = Vec::new();
        rounds(txn, &level, &mut |txn, placements| {
            let mut kinds: BTreeMap<SubjectKind, Part> = BTreeMap::new();
            for placement in placements {
                let part = kinds.entry(placement.child.kind).or_default();
                let others = placement.about.iter().filter(|about| !gone.contains(about)).copied();
                let stays = children::holds(placement.child.kind, others);
                if stays { &mut part.staying } else { &mut part.going }.push(placement.child.id);
            }
            for (kind, part) in kinds {
                let of_kind = Subject::new(kind, Uuid::nil());
                for_child!(of_kind, C => part.apply::<C>(ctx, txn, kind, &gone)?, else { return Err(unknown(kind)) });
                next.extend(part.going.iter().map(|id| Subject::new(kind, *id)));
            }
            Ok(())
        })?;
        removed = removed.saturating_add(u64::try_from(next.len()).unwrap_or(u64::MAX));
        level = next;
    }
    Ok(removed)
}

/// The children of one kind in a round.
#[derive(Default)]
struct Part {
    /// About nothing else.
    going: Vec<Uuid>,
    staying: Vec<Uuid>,
}

impl Part {
    fn apply<C: Child>(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        kind: SubjectKind,
        gone: &BTreeSet<Subject>,
    ) -> Result<()> {
        let mut staying = C::load(txn, &self.staying)?;
        if !self.going.is_empty() {
            C::purge(txn, &self.going)?;
            let going: Vec<_> = self.going.iter().map(|id| Subject::new(kind, *id)).collect();
            txn.children().lift(&going)?;
        }
        if staying.is_empty() {
            return Ok(());
        }
        for child in &mut staying {
            let others = without(child.about(), gone);
            child.set_about(others);
            child.renew(child.revision().next(), ctx.now());
        }
        C::update(txn, &staying)?;
        let placements: Vec<_> = staying.iter().map(Child::placement).collect();
        txn.children().place(&placements)
    }
}

/// Which children a purge in rounds would remove.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// Records that are as good as gone, children among them.
    gone: BTreeSet<Subject>,
}

impl Leaving {
    /// How many children go with these records: a child of two leads goes with the last of them.
    pub(super) fn count(&mut self, txn: &mut dyn Txn, records: &[Subject]) -> Result<u64> {
        let mut count = 0_u64;
        self.gone.extend(records);
        let mut level = records.to_vec();
        while !level.is_empty() {
            let mut next = Vec::new();
            rounds(txn, &level, &mut |_, placements| {
                for Placement { child, about, .. } in placements {
                    let others = about.iter().filter(|about| !self.gone.contains(about)).copied();
                    let goes = !children::holds(child.kind, others);
                    if goes && self.gone.insert(child) {
                        next.push(child);
                    }
                }
                Ok(())
            })?;
            count = count.saturating_add(u64::try_from(next.len()).unwrap_or(u64::MAX));
            level = next;
        }
        Ok(count)
    }
}

/// What is done with some placements.
type Round<'w> = dyn FnMut(&mut dyn Txn, Vec<Placement>) -> Result<()> + 'w;

/// Walks over the children about these records, some at a time. One about several of them may come more than once, unless
/// the work takes it away.
///
/// Records are asked for together as long as one round holds what is about them, and apart where it does not: so what is read
/// grows with the children, and not with children times records.
fn rounds(txn: &mut dyn Txn, records: &[Subject], work: &mut Round<'_>) -> Result<()> {
    let mut todo: Vec<&[Subject]> = records.chunks(ROUND).rev().collect();
    while let Some(group) = todo.pop() {
        let (about, tabs) = (group.to_vec(), Vec::new());
        let mut query = ChildQuery { about, tabs, open: None, descending: false, after: None, limit: ROUND };
        loop {
            let found = txn.children().list(&query)?;
            if found.len() == ROUND && group.len() > 1 {
                let (first, second) = group.split_at(group.len() / 2);
                todo.extend([second, first]);
                break;
            }
            let children: Vec<_> = found.iter().map(|placed| placed.child).collect();
            if !children.is_empty() {
                let placements = txn.children().placements(&children)?;
                work(txn, placements)?;
            }
            query.after = found.last().map(Placed::place);
            if found.len() < ROUND {
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
