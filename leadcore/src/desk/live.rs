//! What calendars and reminders leave out: records out of sight, and leads in the trash.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Activity, Place, Subject, SubjectKind};
use crate::error::Result;
use crate::id::LeadId;
use crate::query::Page;
use crate::store::Txn;

use super::children::Sight;

/// How many activities one round looks at, at the least: some of them may be out of sight.
const FEWEST: usize = 100;
/// How many rounds one page takes at most: an actor who sees little gets a shorter page rather than a slow one.
const ROUNDS: usize = 20;

/// What is about records that the actor may see and that are not in the trash.
pub(super) struct Live {
    sight: Sight,
    known: BTreeSet<Subject>,
    trashed: BTreeSet<Subject>,
}

impl Live {
    pub(super) fn open(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        Ok(Self { sight: Sight::open(ctx, txn)?, known: BTreeSet::new(), trashed: BTreeSet::new() })
    }

    /// Looks at what these activities are about.
    pub(super) fn learn<'a>(
        &mut self,
        txn: &mut dyn Txn,
        activities: impl Iterator<Item = &'a Activity>,
    ) -> Result<()> {
        let about: BTreeSet<Subject> =
            activities.flat_map(|activity| activity.about.iter().copied()).collect();
        let new: Vec<_> = about.into_iter().filter(|subject| !self.known.contains(subject)).collect();
        self.sight.learn(txn, &new)?;
        let leads =
            new.iter().filter(|subject| subject.kind == SubjectKind::Lead && self.sight.sees(**subject));
        let leads: Vec<_> = leads.map(|subject| LeadId::from_uuid(subject.id)).collect();
        let trashed = txn.leads().get(&leads)?.into_iter().filter(|lead| lead.trashed.is_some());
        self.trashed.extend(trashed.map(|lead| Subject::from(lead.id)));
        self.known.extend(new);
        Ok(())
    }

    /// The records of this list that were looked at, may be seen, and are not in the trash; in the place of a lead out of sight
    /// what it became.
    pub(super) fn of(&self, about: &[Subject]) -> Vec<Subject> {
        let there: Vec<_> = about.iter().filter(|one| !self.trashed.contains(one)).copied().collect();
        self.sight.known_as(&there)
    }

    /// Reads round by round from behind a place until more than a page was kept, nothing is left, or an actor who sees
    /// little would wait too long. Gives the place up to which was read, when there may be more behind it.
    ///
    /// `keep` gets what a round read, and says how many were kept so far.
    pub(super) fn rounds<T>(
        &mut self,
        txn: &mut dyn Txn,
        mut after: Option<Place>,
        limit: usize,
        mut read: impl FnMut(&mut dyn Txn, Option<Place>, usize) -> Result<Vec<T>>,
        at: impl Fn(&T) -> (&Activity, Place),
        mut keep: impl FnMut(&Self, Vec<T>) -> usize,
    ) -> Result<Option<Place>> {
        let wanted = limit.saturating_add(1).max(FEWEST);
        for _ in 0..ROUNDS {
            let found = read(txn, after, wanted)?;
            self.learn(txn, found.iter().map(|one| at(one).0))?;
            after = found.last().filter(|_| found.len() == wanted).map(|last| at(last).1);
            if keep(self, found) > limit || after.is_none() {
                break;
            }
        }
        Ok(after)
    }

    /// A page of what is [of use](Self::of): with less than `limit` it can still have a next one, where the actor sees little.
    pub(super) fn page<T>(
        &mut self,
        txn: &mut dyn Txn,
        after: Option<Place>,
        limit: usize,
        read: impl FnMut(&mut dyn Txn, Option<Place>, usize) -> Result<Vec<T>>,
        at: impl Fn(&T) -> (&Activity, Place),
    ) -> Result<Page<T, Place>> {
        let mut items = Vec::new();
        let read_to = self.rounds(txn, after, limit, read, &at, |live, found| {
            items.extend(found.into_iter().filter(|one| !live.of(&at(one).0.about).is_empty()));
            items.len()
        })?;
        let page = Page::cut(items, limit, |one| at(one).1);
        Ok(Page { items: page.items, next: page.next.or(read_to) })
    }
}
