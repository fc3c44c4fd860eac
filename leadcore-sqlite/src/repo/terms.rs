//! The port for vocabularies.

use leadcore::domain::{MatchKind, Subject, SubjectKind, Term, TermKind, TermRecord};
use leadcore::error::{Conflict, Error, Result};
use leadcore::store::Terms;
use rusqlite::Row;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt};
use crate::txn::SqliteTxn;

use super::records::before;

const INSERT: &str = "INSERT INTO leadcore_term (tenant, id, kind, revision, name, name_key, color, position, archived, needs_detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_term SET revision = ?, name = ?, name_key = ?, color = ?, position = ?, archived = ?, needs_detail = ? WHERE tenant = ? AND id = ? AND kind = ? AND revision = ?";
const REVISION: &str = "SELECT revision FROM leadcore_term WHERE tenant = ? AND id = ?";
const GET: &str = "SELECT kind, id, revision, name, color, position, archived, needs_detail FROM leadcore_term WHERE tenant = ? AND kind = ? AND id = ?";
const LIST: &str = "SELECT kind, id, revision, name, color, position, archived, needs_detail FROM leadcore_term WHERE tenant = ? AND kind = ? ORDER BY position, name_key, id";
const REMOVE: &str = "DELETE FROM leadcore_term WHERE tenant = ? AND kind = ? AND id = ?";
const USES_OF_SOURCE: &str = " + (SELECT count(*) FROM leadcore_opportunity WHERE tenant = ?1 AND source = ?2) + (SELECT count(*) FROM leadcore_cost WHERE tenant = ?1 AND source = ?2)";
const OPPORTUNITIES_OF_REASON: &str =
    " + (SELECT count(*) FROM leadcore_opportunity WHERE tenant = ?1 AND reason = ?2)";
const ACCOUNTS_OF_CATEGORY: &str =
    "SELECT id FROM leadcore_account WHERE tenant = ? AND category = ? LIMIT ?";
const HELD_BY_SOURCE: &str = "SELECT id FROM leadcore_opportunity WHERE tenant = ? AND source = ? LIMIT ?";
const HELD_BY_REASON: &str = "SELECT id FROM leadcore_opportunity WHERE tenant = ? AND reason = ? LIMIT ?";
const USED_AS_LABEL: &str =
    "SELECT count(*) FROM leadcore_lead_key WHERE tenant = ? AND kind = ? AND key = ?";

fn record(row: &Row<'_>) -> Result<TermRecord> {
    let mut columns = Columns::of(row);
    let kind = columns.code("term", TermKind::from_code)?;
    let (id, revision) = (columns.uuid()?, columns.revision()?);
    let (name, color) = (columns.text()?, columns.optional_text()?);
    let position = u32::try_from(columns.int()?).map_err(|_| corrupt("term"))?;
    let mut term = Term::new(id, name, color, position).map_err(|_| corrupt("term"))?;
    term.revision = revision;
    term.archived = columns.int()? != 0;
    term.needs_detail = columns.int()? != 0;
    Ok(TermRecord { kind, term })
}

impl Terms for SqliteTxn<'_> {
    fn insert(&mut self, terms: &[TermRecord]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(INSERT, "add a term")?;
            for TermRecord { kind, term } in terms {
                let id = term.id.as_bytes().as_slice();
                let revision = crate::row::signed(term.revision.get())?;
                let row = (
                    self.tenant_text(),
                    id,
                    kind.code(),
                    revision,
                    &term.name,
                    term.key(),
                    term.color.as_deref(),
                    term.position,
                    term.archived,
                    term.needs_detail,
                );
                statement.execute(row).store("add a term")?;
            }
            Ok(())
        })
    }

    fn update(&mut self, TermRecord { kind, term }: &TermRecord) -> Result<()> {
        let expected = before(term.revision);
        let row = (
            crate::row::signed(term.revision.get())?,
            &term.name,
            term.key(),
            term.color.as_deref(),
            term.position,
            term.archived,
            term.needs_detail,
            self.tenant_text(),
            term.id.as_bytes().as_slice(),
            kind.code(),
            crate::row::signed(expected.get())?,
        );
        match self.prepare(UPDATE, "write a term")?.execute(row).store("write a term")? {
            0 if Terms::get(self, *kind, &[term.id])?.is_empty() => Err(Error::not_found("term")),
            0 => Err(self.missed(REVISION, "term", term.id, expected)?),
            _ => Ok(()),
        }
    }

    fn remove(&mut self, kind: TermKind, id: Uuid) -> Result<()> {
        if Terms::get(self, kind, &[id])?.is_empty() {
            return Err(Error::not_found("term"));
        }
        let by = Terms::usage(self, kind, id)?;
        if by > 0 {
            return Err(Error::conflicting("term", Conflict::InUse { by }));
        }
        self.prepare(REMOVE, "remove a term")?
            .execute((self.tenant_text(), kind.code(), id.as_bytes().as_slice()))
            .map_err(|error| crate::error::still_in_use(error, "term", 1))?;
        Ok(())
    }

    fn get(&mut self, kind: TermKind, ids: &[Uuid]) -> Result<Vec<TermRecord>> {
        let mut statement = self.prepare(GET, "read a term")?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            let mut rows = statement
                .query((self.tenant_text(), kind.code(), id.as_bytes().as_slice()))
                .store("read a term")?;
            if let Some(row) = rows.next().store("read a term")? {
                records.push(record(row)?);
            }
        }
        Ok(records)
    }

    fn list(&mut self, kind: TermKind) -> Result<Vec<TermRecord>> {
        self.all(LIST, "list terms", (self.tenant_text(), kind.code()), record)
    }

    fn usage(&mut self, kind: TermKind, id: Uuid) -> Result<u64> {
        let column = match kind {
            TermKind::Label => None,
            TermKind::Source => Some("source"),
            TermKind::Category => Some("category"),
            TermKind::Location => Some("location"),
            TermKind::LostReason | TermKind::DisqualifyReason => Some("reason"),
            _ => Some("partner"),
        };
        let count: i64 = match column {
            None => self
                .prepare(USED_AS_LABEL, "count uses")?
                .query_row((self.tenant_text(), MatchKind::Label.code(), id.to_string()), |row| row.get(0)),
            Some(column) => {
                // In two parts, so that the index on live leads serves the first.
                let accounts = if kind == TermKind::Category {
                    " + (SELECT count(*) FROM leadcore_account WHERE tenant = ?1 AND category = ?2)"
                } else {
                    ""
                };
                let opportunities = match kind {
                    TermKind::Source => USES_OF_SOURCE,
                    TermKind::LostReason => OPPORTUNITIES_OF_REASON,
                    _ => "",
                };
                let sql = format!(
                    "SELECT (SELECT count(*) FROM leadcore_lead WHERE tenant = ?1 AND {column} = ?2 AND trashed_at IS NULL) + (SELECT count(*) FROM leadcore_lead WHERE tenant = ?1 AND {column} = ?2 AND trashed_at IS NOT NULL){accounts}{opportunities}"
                );
                self.prepare(&sql, "count uses")?
                    .query_row((self.tenant_text(), id.as_bytes().as_slice()), |row| row.get(0))
            }
        }
        .store("count uses")?;
        u64::try_from(count).map_err(|_| corrupt("count"))
    }

    fn holders(&mut self, kind: TermKind, id: Uuid, limit: usize) -> Result<Vec<Subject>> {
        let (sql, holder) = match kind {
            TermKind::Category => (ACCOUNTS_OF_CATEGORY, SubjectKind::Account),
            TermKind::Source => (HELD_BY_SOURCE, SubjectKind::Opportunity),
            TermKind::LostReason => (HELD_BY_REASON, SubjectKind::Opportunity),
            _ => return Ok(Vec::new()),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let key = (self.tenant_text(), id.as_bytes().as_slice(), limit);
        self.all(sql, "find what holds a term", key, |row| Ok(Subject::new(holder, Columns::of(row).uuid()?)))
    }
}
