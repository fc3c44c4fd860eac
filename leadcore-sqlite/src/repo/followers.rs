//! The port for followers.

use std::collections::BTreeSet;

use leadcore::domain::{Follow, Place, Subject, SubjectKind};
use leadcore::error::Result;
use leadcore::id::UserId;
use leadcore::store::Followers;

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt};
use crate::txn::SqliteTxn;

const ADD: &str = "INSERT INTO leadcore_follower (tenant, subject_kind, subject_id, user, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
const REMOVE: &str =
    "DELETE FROM leadcore_follower WHERE tenant = ? AND subject_kind = ? AND subject_id = ? AND user = ?";
const OF: &str = "SELECT user, since FROM leadcore_follower WHERE tenant = ? AND subject_kind = ? AND subject_id = ? ORDER BY user";
const FOLLOWED: &str = "SELECT subject_id, since FROM leadcore_follower WHERE tenant = ? AND user = ? AND subject_kind = ? ORDER BY since DESC, subject_id DESC LIMIT ?";
const FOLLOWED_AFTER: &str = "SELECT subject_id, since FROM leadcore_follower WHERE tenant = ? AND user = ? AND subject_kind = ? AND (since, subject_id) < (?, ?) ORDER BY since DESC, subject_id DESC LIMIT ?";

impl Followers for SqliteTxn<'_> {
    fn add(&mut self, follows: &[Follow]) -> Result<()> {
        let mut statement = self.prepare(ADD, "add a follower")?;
        for Follow { subject, user, since } in follows {
            let (kind, id) = (subject.kind.code(), subject.id.as_bytes().as_slice());
            let row = (self.tenant_text(), kind, id, user.as_str(), since.as_micros());
            statement.execute(row).store("add a follower")?;
        }
        Ok(())
    }

    fn remove(&mut self, follows: &[Follow]) -> Result<()> {
        let mut statement = self.prepare(REMOVE, "remove a follower")?;
        for Follow { subject, user, .. } in follows {
            let (kind, id) = (subject.kind.code(), subject.id.as_bytes().as_slice());
            statement.execute((self.tenant_text(), kind, id, user.as_str())).store("remove a follower")?;
        }
        Ok(())
    }

    fn of(&mut self, subjects: &[Subject]) -> Result<Vec<Follow>> {
        let subjects: BTreeSet<_> = subjects.iter().copied().collect();
        let mut statement = self.prepare(OF, "read followers")?;
        let mut found = Vec::new();
        for subject in subjects {
            let row = (self.tenant_text(), subject.kind.code(), subject.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("read followers")?;
            while let Some(row) = rows.next().store("read followers")? {
                let mut columns = Columns::of(row);
                let user = UserId::new(columns.text()?).map_err(|_| corrupt("follower"))?;
                found.push(Follow { subject, user, since: columns.time()? });
            }
        }
        Ok(found)
    }

    fn followed_by(
        &mut self,
        user: &UserId,
        kind: SubjectKind,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Follow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (tenant, name) = (self.tenant_text(), user.as_str());
        let what = "read what a user follows";
        let mut statement = self.prepare(if after.is_some() { FOLLOWED_AFTER } else { FOLLOWED }, what)?;
        let mut rows = match &after {
            Some(after) => {
                let place = (after.at.as_micros(), after.child.as_bytes().as_slice());
                statement.query((tenant, name, kind.code(), place.0, place.1, limit))
            }
            None => statement.query((tenant, name, kind.code(), limit)),
        }
        .store(what)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store(what)? {
            let mut columns = Columns::of(row);
            let subject = Subject::new(kind, columns.uuid()?);
            found.push(Follow { subject, user: user.clone(), since: columns.time()? });
        }
        Ok(found)
    }
}
