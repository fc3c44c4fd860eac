//! Removing for good what hangs on records that are removed for good.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Place, Placed, Placement, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ChildQuery, Txn};

use super::children::{Child, for_child};

/// How many children one round reads.
const ROUND: usize = 500;

/// Removes what is about these records alone, with what hangs on that again, and takes them off what is also about
/// others: they are removed for good themselves. Says how many children went.
///
/// What else hangs on a lead, and is no child of its own (its followers, its products), goes here too.
pub(super) fn purge(ctx: &Context<'_>, txn: &mut dyn Txn, gone: &[Subject]) -> Result<u64> {
    let mut removed = 0_u64;
    let mut gone = gone.to_vec();
    while !gone.is_empty() {
        let mut next = Vec::new();
        loop {
            // Those of the round before are not about them any more.
            let placements = about(txn, &gone, None)?.1;
            if placements.is_empty() {
                break;
            }
            for placement in placements {
                if placement.about.iter().all(|about| gone.contains(about)) {
                    removed = removed.saturating_add(1);
                    next.push(placement.child);
                }
                for_child!(placement.child, C => leave::<C>(ctx, txn, &placement, &gone)?, else {
                    let message = format!("no child of kind {} can be removed", placement.child.kind.code());
                    return Err(Error::new(ErrorKind::Internal, message));
                });
            }
        }
        gone = next;
    }
    Ok(removed)
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
        let mut todo = records.to_vec();
        while !todo.is_empty() {
            let mut next = Vec::new();
            let mut after = None;
            loop {
                let (end, placements) = about(txn, &todo, after)?;
                let going = placements.into_iter().filter(|placement| {
                    !self.gone.contains(&placement.child)
                        && placement.about.iter().all(|about| self.gone.contains(about))
                });
                let going: Vec<_> = going.map(|placement| placement.child).collect();
                count = count.saturating_add(u64::try_from(going.len()).unwrap_or(u64::MAX));
                self.gone.extend(&going);
                next.extend(going);
                after = end;
                if after.is_none() {
                    break;
                }
            }
            todo = next;
        }
        Ok(count)
    }
}

/// The next children about these records, and the place of the last one.
fn about(
    txn: &mut dyn Txn,
    records: &[Subject],
    after: Option<Place>,
) -> Result<(Option<Place>, Vec<Placement>)> {
    let (tabs, about) = (Vec::new(), records.to_vec());
    let query = ChildQuery { about, tabs, open: None, descending: false, after, limit: ROUND };
    let found = txn.children().list(&query)?;
    let children: Vec<_> = found.iter().map(|placed| placed.child).collect();
    Ok((found.last().map(Placed::place), txn.children().placements(&children)?))
}

/// The child is about the other records alone from now on; about none, it goes.
fn leave<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    placement: &Placement,
    gone: &[Subject],
) -> Result<()> {
    if placement.about.iter().all(|about| gone.contains(about)) {
        C::remove(txn, placement.child.id)?;
        return txn.children().lift(&[placement.child]);
    }
    for mut child in C::load(txn, &[placement.child.id])? {
        let others = child.about().iter().filter(|about| !gone.contains(about)).copied().collect();
        child.set_about(others);
        child.renew(child.revision().next(), ctx.now());
        C::update(txn, &child)?;
        txn.children().place(&[child.placement()])?;
    }
    Ok(())
}
