//! What calendars and reminders leave out: records out of sight, and leads in the trash.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Activity, Subject, SubjectKind};
use crate::error::Result;
use crate::id::LeadId;
use crate::store::Txn;

use super::children::Sight;

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

    /// The records of this list that were looked at, may be seen, and are not in the trash.
    pub(super) fn of(&self, about: &[Subject]) -> Vec<Subject> {
        let shown = |subject: &&Subject| self.sight.sees(**subject) && !self.trashed.contains(subject);
        about.iter().filter(shown).copied().collect()
    }
}
