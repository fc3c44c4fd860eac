//! The port for links.

use leadcore::domain::{Link, LinkRole, Subject, SubjectKind};
use leadcore::error::Result;
use leadcore::store::Links;
use rusqlite::Row;

use crate::error::StoreResult as _;
use crate::row::Columns;
use crate::txn::SqliteTxn;

const INSERT: &str = "INSERT INTO leadcore_link (tenant, from_kind, from_id, role, to_kind, to_id) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
const REMOVE: &str = "DELETE FROM leadcore_link WHERE tenant = ? AND from_kind = ? AND from_id = ? AND role = ? AND to_kind = ? AND to_id = ?";
const FROM: &str = "SELECT from_kind, from_id, role, to_kind, to_id FROM leadcore_link WHERE tenant = ?1 AND from_kind = ?2 AND from_id = ?3 AND (?4 IS NULL OR role = ?4)";
const TO: &str = "SELECT from_kind, from_id, role, to_kind, to_id FROM leadcore_link WHERE tenant = ?1 AND to_kind = ?2 AND to_id = ?3 AND (?4 IS NULL OR role = ?4)";

impl SqliteTxn<'_> {
    fn write_links(&self, sql: &str, links: &[Link]) -> Result<()> {
        let mut statement = self.prepare(sql, "write a link")?;
        for link in links {
            let (from, to) = (link.from.id.as_bytes().as_slice(), link.to.id.as_bytes().as_slice());
            let row =
                (self.tenant_text(), link.from.kind.code(), from, link.role.code(), link.to.kind.code(), to);
            statement.execute(row).store("write a link")?;
        }
        Ok(())
    }

    fn read_links(&self, sql: &str, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let mut subjects = subjects.to_vec();
        subjects.sort();
        subjects.dedup();
        let mut statement = self.prepare(sql, "read links")?;
        let mut links = Vec::new();
        for subject in subjects {
            let id = subject.id.as_bytes().as_slice();
            let mut rows = statement
                .query((self.tenant_text(), subject.kind.code(), id, role.map(LinkRole::code)))
                .store("read links")?;
            while let Some(row) = rows.next().store("read links")? {
                links.push(link(row)?);
            }
        }
        Ok(links)
    }
}

fn link(row: &Row<'_>) -> Result<Link> {
    let mut columns = Columns::of(row);
    let from = Subject::new(columns.code("link", SubjectKind::from_code)?, columns.uuid()?);
    let role = columns.code("link", LinkRole::from_code)?;
    let to = Subject::new(columns.code("link", SubjectKind::from_code)?, columns.uuid()?);
    Ok(Link { from, role, to })
}

impl Links for SqliteTxn<'_> {
    fn insert(&mut self, links: &[Link]) -> Result<()> {
        self.write_links(INSERT, links)
    }

    fn remove(&mut self, links: &[Link]) -> Result<()> {
        self.write_links(REMOVE, links)
    }

    fn from(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let mut links = self.read_links(FROM, subjects, role)?;
        links.sort_by_key(|link| (link.to.id, link.role, link.from));
        Ok(links)
    }

    fn to(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let mut links = self.read_links(TO, subjects, role)?;
        links.sort_by_key(|link| (link.from.id, link.role, link.to));
        Ok(links)
    }
}
