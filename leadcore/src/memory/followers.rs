//! Followers in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{Follow, Place, Subject, SubjectKind};
use crate::error::Result;
use crate::id::UserId;
use crate::store::Followers;

use super::MemoryTxn;

impl Followers for MemoryTxn {
    fn add(&mut self, follows: &[Follow]) -> Result<()> {
        let known = Arc::make_mut(&mut self.writable()?.followers);
        for follow in follows {
            known.entry((follow.subject, follow.user.clone())).or_insert(follow.since);
        }
        Ok(())
    }

    fn remove(&mut self, follows: &[Follow]) -> Result<()> {
        let known = Arc::make_mut(&mut self.writable()?.followers);
        for follow in follows {
            known.remove(&(follow.subject, follow.user.clone()));
        }
        Ok(())
    }

    fn of(&mut self, subjects: &[Subject]) -> Result<Vec<Follow>> {
        let asked: BTreeSet<_> = subjects.iter().collect();
        let known = self.state.followers.iter().filter(|((subject, _), _)| asked.contains(subject));
        Ok(known
            .map(|((subject, user), since)| Follow { subject: *subject, user: user.clone(), since: *since })
            .collect())
    }

    fn followed_by(
        &mut self,
        user: &UserId,
        kind: SubjectKind,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Follow>> {
        let place = |follow: &Follow| Place { at: follow.since, child: follow.subject.id };
        let known =
            self.state.followers.iter().filter(|((subject, by), _)| by == user && subject.kind == kind);
        let mut found: Vec<_> = known
            .map(|((subject, _), since)| Follow { subject: *subject, user: user.clone(), since: *since })
            .filter(|follow| after.is_none_or(|after| place(follow) < after))
            .collect();
        found.sort_by_key(place);
        found.reverse();
        found.truncate(limit);
        Ok(found)
    }
}
