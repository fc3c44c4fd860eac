//! What targets of the host hung on the records of a conversion while they made their own (notes, services, persons): it goes back with
//! the conversion.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Action, Entry, Link, Sequence, Subject, SubjectKind, Tab, Topics};
use crate::error::Result;
use crate::store::Txn;

use super::super::super::children;
use super::super::stored::Stored;
use super::look::Look;
use super::primary::PrimaryMade;
use super::{Fate, TakenBack, Unconvertible};

/// What targets wrote in the unit of work of the conversion.
#[derive(Debug, Default)]
pub(super) struct Wrote {
    /// New children that nobody has touched since. What has a number of its own is for the target to take back.
    pub(super) untouched: BTreeSet<Subject>,
    /// Those that somebody has.
    touched: Vec<Entry>,
    /// New persons.
    pub(super) persons: Vec<Entry>,
    /// What they were linked with, and still are.
    pub(super) links: BTreeSet<Link>,
    /// Whom they made the primary contact of the account, while that stands.
    pub(super) primary: Option<PrimaryMade>,
}

pub(super) fn by_targets(txn: &mut dyn Txn, stored: &Stored) -> Result<Wrote> {
    let mut all = Wrote::default();
    let Some((mut after, through)) = stored.host_wrote else { return Ok(all) };
    let ours = [Some(stored.outcome.lead.into()), stored.outcome.account.map(Subject::from)];
    let (mut made, mut holders) = (Vec::new(), BTreeSet::new());
    while after < through {
        const READ: usize = 1_000;
        let places = usize::try_from(through.0.saturating_sub(after.0)).unwrap_or(READ).min(READ);
        let entries = txn.journal().replay(None, Some(after), places)?;
        let Some(last) = entries.last() else { break };
        after = last.sequence;
        for entry in entries.into_iter().filter(|entry| entry.sequence <= through) {
            match (entry.action, entry.subject.kind) {
                // What the target wrote of it later is its own.
                (Action::Created, SubjectKind::Contact) => {
                    all.persons.push(Entry { sequence: through, ..entry });
                }
                (Action::Created, kind) if goes_along(kind) => {
                    made.push(Entry { sequence: through, ..entry });
                }
                (Action::Linked, _) if ours.contains(&Some(entry.subject)) => {
                    holders.insert(entry.subject);
                }
                (Action::Updated, SubjectKind::Account) if ours.contains(&Some(entry.subject)) => {
                    all.primary = PrimaryMade::follow(all.primary, entry.subject, &entry.changes);
                }
                _ => {}
            }
        }
    }
    if let Some(made) = all.primary {
        all.primary = made.left(txn)?;
    }
    let persons: BTreeSet<_> = all.persons.iter().map(|entry| entry.subject).collect();
    let links = txn.links().from(&holders.into_iter().collect::<Vec<_>>(), None)?;
    all.links = links.into_iter().filter(|link| persons.contains(&link.to)).collect();
    let mut seen = BTreeSet::new();
    made.retain(|entry| seen.insert(entry.subject));
    for entry in made {
        if is_touched(txn, entry.subject, through)? {
            all.touched.push(entry);
        } else {
            all.untouched.insert(entry.subject);
        }
    }
    Ok(all)
}

fn goes_along(kind: SubjectKind) -> bool {
    matches!(kind, SubjectKind::Activity | SubjectKind::Record | SubjectKind::File | SubjectKind::Service)
}

fn is_touched(txn: &mut dyn Txn, subject: Subject, through: Sequence) -> Result<bool> {
    let latest = txn.journal().about(&[subject], Topics::NONE, None, 1)?;
    Ok(latest.iter().any(|entry| entry.sequence > through))
}

/// How many children of the conversion's own hang on each record, by tab.
pub(super) type Hung = BTreeMap<Subject, BTreeMap<Tab, u64>>;

pub(super) fn hung<'s>(txn: &mut dyn Txn, made: impl Iterator<Item = &'s Subject>) -> Result<Hung> {
    let own: Vec<_> = made.filter(|subject| subject.kind.is_child()).copied().collect();
    let mut hung = Hung::new();
    for placement in txn.children().placements(&own)? {
        for about in placement.about {
            let count = hung.entry(about).or_default().entry(placement.tab.clone()).or_default();
            *count = count.saturating_add(1);
        }
    }
    Ok(hung)
}

impl Look<'_> {
    /// The records that the lead became, new or not, and the lead.
    fn of_conversion(&self) -> BTreeSet<Subject> {
        let outcome = self.outcome;
        let mut all = self.found.gone();
        all.insert(outcome.lead.into());
        all.extend(outcome.account.map(Subject::from));
        all.extend(outcome.contacts.iter().map(|id| Subject::from(*id)));
        all.extend(outcome.opportunity.map(Subject::from));
        all.extend(outcome.services.iter().map(|id| Subject::from(*id)));
        all
    }

    /// Tells what becomes of what targets hung there. Where somebody went on with it, that stands against the way back: of a new
    /// record because something hangs on it.
    pub(super) fn of_targets(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let (gone, records) = (self.found.gone(), self.of_conversion());
        for entry in &self.wrote.touched {
            let placements = txn.children().placements(&[entry.subject])?;
            let mut about = placements.iter().flat_map(|placement| &placement.about);
            if !about.clone().any(|about| gone.contains(about)) && about.any(|about| records.contains(about))
            {
                self.touched(txn, entry)?;
            }
        }
        let own: Vec<_> = self.found.by_targets.iter().copied().collect();
        for placement in txn.children().placements(&own)? {
            let (ours, others): (Vec<_>, Vec<_>) =
                placement.about.iter().copied().partition(|about| records.contains(about));
            if ours.is_empty() {
                continue;
            }
            let stays = children::holds(placement.child.kind, others.into_iter());
            let fate = if stays { Fate::Unlinked } else { Fate::Removed };
            let taken = TakenBack::new(placement.child, fate);
            self.found.plan.records.push(taken);
        }
        self.found.records = records;
        Ok(())
    }

    /// A child on a record that was there before: what is left of what others did with it blocks; what was put back does not.
    fn touched(&mut self, txn: &mut dyn Txn, made: &Entry) -> Result<()> {
        let record = made.subject;
        let by = self.net(txn, record, made.sequence)?.writers(|_, _| true);
        if !by.is_empty() {
            self.block(Unconvertible::Changed { record, by });
        }
        self.children(txn, record, None)?;
        self.found.by_targets.insert(record);
        Ok(())
    }
}
