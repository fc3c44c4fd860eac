//! The ports for saved views and read marks.

use leadcore::domain::{Field, SavedView, ViewPreferences, ViewShape};
use leadcore::error::{Error, Result};
use leadcore::id::{LeadId, UserId, ViewId};
use leadcore::store::{Marks, Views, WhichViews};
use leadcore::time::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt, signed, to_json};
use crate::txn::SqliteTxn;

use super::records::before;

const INSERT: &str = "INSERT INTO leadcore_view (tenant, id, revision, owner, name, name_key, shared, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_view SET revision = ?, owner = ?, name = ?, name_key = ?, shared = ?, body = ? WHERE tenant = ? AND id = ? AND revision = ?";
const REMOVE: &str = "DELETE FROM leadcore_view WHERE tenant = ? AND id = ?";
const REVISION: &str = "SELECT revision FROM leadcore_view WHERE tenant = ? AND id = ?";
const GET: &str =
    "SELECT id, revision, owner, name, shared, body FROM leadcore_view WHERE tenant = ? AND id = ?";
const LIST: &str = "SELECT id, revision, owner, name, shared, body FROM (SELECT * FROM leadcore_view WHERE tenant = ?1 AND shared = 1 UNION SELECT * FROM leadcore_view WHERE tenant = ?1 AND owner = ?2) ORDER BY name_key, id";
const LIST_ALL: &str = "SELECT id, revision, owner, name, shared, body FROM leadcore_view WHERE tenant = ?1 ORDER BY name_key, id";
const LOAD: &str = "SELECT json FROM leadcore_view_preference WHERE tenant = ? AND user = ?";
const SAVE: &str = "INSERT INTO leadcore_view_preference (tenant, user, json) VALUES (?1, ?2, ?3) ON CONFLICT (tenant, user) DO UPDATE SET json = ?3";
const MARK: &str = "INSERT INTO leadcore_mark (tenant, user, lead, read) SELECT ?1, ?2, rid, ?4 FROM leadcore_lead WHERE tenant = ?1 AND id = ?3 ON CONFLICT (tenant, user, lead) DO UPDATE SET read = ?4";
const MARK_ALL: &str = "INSERT INTO leadcore_marked_until (tenant, user, until) VALUES (?1, ?2, ?3) ON CONFLICT (tenant, user) DO UPDATE SET until = max(until, ?3)";
const UNMARK_COVERED: &str = "DELETE FROM leadcore_mark WHERE tenant = ?1 AND user = ?2 AND lead IN (SELECT rid FROM leadcore_lead WHERE tenant = ?1 AND created_at <= ?3)";
const IS_READ: &str = "SELECT coalesce((SELECT m.read FROM leadcore_mark m WHERE m.tenant = ?1 AND m.user = ?2 AND m.lead = l.rid), l.created_at <= (SELECT until FROM leadcore_marked_until WHERE tenant = ?1 AND user = ?2), 0) FROM leadcore_lead l WHERE l.tenant = ?1 AND l.id = ?3";

/// What a view shows, as its `body` column has it.
#[derive(Serialize, Deserialize)]
struct Body {
    shape: ViewShape,
    filter: serde_json::Value,
    columns: Option<Vec<Field>>,
    sort: Option<serde_json::Value>,
    group_by: Option<Field>,
}

fn body(view: &SavedView) -> Result<String> {
    let SavedView { shape, filter, columns, sort, group_by, .. } = view.clone();
    to_json(&Body { shape, filter, columns, sort, group_by })
}

/// Views of the host itself have the empty owner, which no user is called.
fn owner(view: &SavedView) -> &str {
    view.owner.as_ref().map(UserId::as_str).unwrap_or_default()
}

fn view(row: &Row<'_>) -> Result<SavedView> {
    let mut columns = Columns::of(row);
    let (id, revision) = (ViewId::from_uuid(columns.uuid()?), columns.revision()?);
    let owner = match columns.text()? {
        "" => None,
        user => Some(UserId::new(user).map_err(|_| corrupt("owner"))?),
    };
    let mut view = SavedView::new(id, columns.text()?, owner);
    view.revision = revision;
    view.shared = columns.int()? != 0;
    let body: Body = serde_json::from_str(columns.text()?).map_err(|_| corrupt("view"))?;
    view.shape = body.shape;
    view.filter = body.filter;
    view.columns = body.columns;
    view.sort = body.sort;
    view.group_by = body.group_by;
    Ok(view)
}

impl Views for SqliteTxn<'_> {
    fn insert(&mut self, view: &SavedView) -> Result<()> {
        let id = view.id.as_uuid();
        let row = (
            self.tenant_text(),
            id.as_bytes().as_slice(),
            signed(view.revision.get())?,
            owner(view),
            &view.name,
            view.key(),
            view.shared,
            body(view)?,
        );
        self.prepare(INSERT, "add a view")?.execute(row).store("add a view")?;
        Ok(())
    }

    fn update(&mut self, view: &SavedView) -> Result<()> {
        let (id, expected) = (view.id.as_uuid(), before(view.revision));
        let row = (
            signed(view.revision.get())?,
            owner(view),
            &view.name,
            view.key(),
            view.shared,
            body(view)?,
            self.tenant_text(),
            id.as_bytes().as_slice(),
            signed(expected.get())?,
        );
        match self.prepare(UPDATE, "write a view")?.execute(row).store("write a view")? {
            0 => Err(self.missed(REVISION, "view", id, expected)?),
            _ => Ok(()),
        }
    }

    fn remove(&mut self, id: ViewId) -> Result<()> {
        let removed = self
            .prepare(REMOVE, "remove a view")?
            .execute((self.tenant_text(), id.as_uuid().as_bytes().as_slice()))
            .store("remove a view")?;
        if removed == 0 { Err(Error::not_found("view")) } else { Ok(()) }
    }

    fn get(&mut self, id: ViewId) -> Result<Option<SavedView>> {
        let mut statement = self.prepare(GET, "read a view")?;
        let mut rows =
            statement.query((self.tenant_text(), id.as_uuid().as_bytes().as_slice())).store("read a view")?;
        rows.next().store("read a view")?.map(view).transpose()
    }

    fn list(&mut self, which: WhichViews<'_>) -> Result<Vec<SavedView>> {
        let user = match which {
            WhichViews::Of(user) => Some(user.as_str()),
            _ => None,
        };
        if which == WhichViews::All {
            return self.all(LIST_ALL, "list views", [self.tenant_text()], view);
        }
        // NULL is nobody's view.
        self.all(LIST, "list views", (self.tenant_text(), user), view)
    }

    fn preferences(&mut self, user: &UserId) -> Result<ViewPreferences> {
        let mut statement = self.prepare(LOAD, "read view preferences")?;
        let mut rows = statement.query((self.tenant_text(), user.as_str())).store("read view preferences")?;
        match rows.next().store("read view preferences")? {
            None => Ok(ViewPreferences::default()),
            Some(row) => Columns::of(row).json("view preferences"),
        }
    }

    fn set_preferences(&mut self, user: &UserId, preferences: &ViewPreferences) -> Result<()> {
        self.prepare(SAVE, "write view preferences")?
            .execute((self.tenant_text(), user.as_str(), to_json(preferences)?))
            .store("write view preferences")?;
        Ok(())
    }
}

impl Marks for SqliteTxn<'_> {
    fn mark(&mut self, user: &UserId, leads: &[LeadId], read: bool) -> Result<()> {
        let mut mark = self.prepare(MARK, "mark a lead")?;
        for id in leads {
            let id = id.as_uuid();
            mark.execute((self.tenant_text(), user.as_str(), id.as_bytes().as_slice(), read))
                .store("mark a lead")?;
        }
        Ok(())
    }

    fn mark_all(&mut self, user: &UserId, until: Timestamp) -> Result<()> {
        self.prepare(MARK_ALL, "mark leads")?
            .execute((self.tenant_text(), user.as_str(), until.as_micros()))
            .store("mark leads")?;
        self.prepare(UNMARK_COVERED, "mark leads")?
            .execute((self.tenant_text(), user.as_str(), until.as_micros()))
            .store("mark leads")?;
        Ok(())
    }

    fn read_by(&mut self, user: &UserId, leads: &[LeadId]) -> Result<Vec<LeadId>> {
        let mut statement = self.prepare(IS_READ, "read marks")?;
        let mut read = Vec::new();
        for id in leads {
            let uuid = id.as_uuid();
            let mut rows = statement
                .query((self.tenant_text(), user.as_str(), uuid.as_bytes().as_slice()))
                .store("read marks")?;
            if let Some(row) = rows.next().store("read marks")?
                && Columns::of(row).int()? != 0
            {
                read.push(*id);
            }
        }
        Ok(read)
    }
}
