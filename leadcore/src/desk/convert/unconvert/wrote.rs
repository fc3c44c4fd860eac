//! What targets of the host hung on the records of a conversion while they made their own (notes, records of theirs): it goes back with
//! the conversion.

use std::collections::BTreeSet;

use crate::domain::{Action, Sequence, Subject, SubjectKind, Topics};
use crate::error::Result;
use crate::store::Txn;

use super::super::super::children;
use super::look::Look;
use super::{Fate, TakenBack};

/// Children that a target made in the unit of work of the conversion, and that nobody has touched since. What has a number or a
/// price is not taken away so quietly.
pub(super) fn by_targets(
    txn: &mut dyn Txn,
    wrote: Option<(Sequence, Sequence)>,
) -> Result<BTreeSet<Subject>> {
    let mut made = BTreeSet::new();
    let Some((mut after, through)) = wrote else { return Ok(made) };
    while after < through {
        const READ: usize = 1_000;
        let places = usize::try_from(through.0.saturating_sub(after.0)).unwrap_or(READ).min(READ);
        let entries = txn.journal().replay(None, Some(after), places)?;
        let Some(last) = entries.last() else { break };
        after = last.sequence;
        let new = entries.iter().filter(|entry| entry.sequence <= through && entry.action == Action::Created);
        made.extend(new.map(|entry| entry.subject).filter(|subject| is_plain(subject.kind)));
    }
    let mut untouched = BTreeSet::new();
    for subject in made {
        if !is_touched(txn, subject, through)? {
            untouched.insert(subject);
        }
    }
    Ok(untouched)
}

fn is_plain(kind: SubjectKind) -> bool {
    matches!(kind, SubjectKind::Activity | SubjectKind::Record | SubjectKind::File)
}

fn is_touched(txn: &mut dyn Txn, subject: Subject, through: Sequence) -> Result<bool> {
    let latest = txn.journal().about(&[subject], Topics::NONE, None, 1)?;
    Ok(latest.iter().any(|entry| entry.sequence > through))
}

impl Look<'_> {
    /// Tells what becomes of them.
    pub(super) fn of_targets(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let gone = self.found.gone();
        let own: Vec<_> = self.found.by_targets.iter().copied().collect();
        for placement in txn.children().placements(&own)? {
            let (on_gone, others): (Vec<_>, Vec<_>) =
                placement.about.iter().copied().partition(|about| gone.contains(about));
            if on_gone.is_empty() {
                continue;
            }
            let stays = children::holds(placement.child.kind, others.into_iter());
            let fate = if stays { Fate::Unlinked } else { Fate::Removed };
            let taken = TakenBack { record: placement.child, fate, edited: Vec::new() };
            self.found.plan.records.push(taken);
        }
        Ok(())
    }
}
