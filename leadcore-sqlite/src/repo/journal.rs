//! The port for the journal.

use leadcore::domain::{
    Action, Actor, Entry, NewEntry, Operation, OperationKind, OperationState, Sequence, Subject, SubjectKind,
    Topics,
};
use leadcore::error::{Error, Result};
use leadcore::id::{OperationId, UserId};
use leadcore::store::Journal;
use rusqlite::Row;
use rusqlite::types::Value;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt, from_json, to_json};
use crate::txn::SqliteTxn;

const BEGIN: &str = "INSERT INTO leadcore_operation (tenant, id, kind, actor, at, key, state, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str =
    "UPDATE leadcore_operation SET key = ?, state = ?, outcome = ? WHERE tenant = ? AND id = ?";
const RID: &str = "SELECT rid FROM leadcore_operation WHERE tenant = ? AND id = ?";
const BY_ID: &str =
    "SELECT id, kind, actor, at, key, state, outcome FROM leadcore_operation WHERE tenant = ? AND id = ?";
const BY_KEY: &str = "SELECT id, kind, actor, at, key, state, outcome FROM leadcore_operation WHERE tenant = ? AND kind = ? AND key = ?";
const APPEND: &str = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, other_kind, other_id, changes, topics) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const ENTRY: &str = "SELECT e.seq, o.id, o.kind, o.actor, e.at, e.subject_kind, e.subject_id, e.action, e.other_kind, e.other_id, e.changes, e.topics FROM leadcore_entry e JOIN leadcore_operation o ON o.tenant = e.tenant AND o.rid = e.operation";
// Of every tenant: rows are only added, so that this is the end for each of them, and found at once.
const END: &str = "SELECT coalesce(max(seq), 0) FROM leadcore_entry";

/// Whose subject it is.
const OWN: &str = "e.tenant = ?1 AND e.subject_kind = ?2 AND e.subject_id = ?3";
/// What happened to a child of it. The kinds are those of the index.
const OF_CHILDREN: &str = "e.tenant = ?1 AND e.other_kind = ?2 AND e.other_id = ?3 AND e.subject_kind IN ('activity', 'file', 'estimate', 'record', 'product_lines', 'opportunity', 'service')";

const OF_OPERATION: &str = " AND e.operation = ?";

/// Entries behind a place, of one operation or (`which` is empty) of every one. The index is named: by another one, all
/// entries of the tenant would be collected and sorted for each page.
pub(crate) fn replay_query(which: &str) -> String {
    let index = if which.is_empty() { "leadcore_entry_tenant" } else { "leadcore_entry_operation" };
    let entry = ENTRY.replace("leadcore_entry e", &format!("leadcore_entry e INDEXED BY {index}"));
    format!("{entry} WHERE e.tenant = ?{which} AND e.seq > ? ORDER BY e.seq LIMIT ?")
}

/// Entries before a place, newest first.
fn history_query(about: &str, narrowed: bool) -> String {
    let topics = if narrowed { " AND e.topics & ?6 <> 0" } else { "" };
    format!("{ENTRY} WHERE {about} AND e.seq < ?4{topics} ORDER BY e.seq DESC LIMIT ?5")
}

/// What a history asks: for entries of a record, and for those of its children.
#[cfg(test)]
pub(crate) fn history_queries() -> [String; 2] {
    [history_query(OWN, true), history_query(OF_CHILDREN, true)]
}

impl SqliteTxn<'_> {
    fn operation_rid(&self, id: OperationId) -> Result<i64> {
        let mut statement = self.prepare(RID, "read an operation")?;
        let mut rows = statement
            .query((self.tenant_text(), id.as_uuid().as_bytes().as_slice()))
            .store("read an operation")?;
        match rows.next().store("read an operation")? {
            Some(row) => row.get(0).store("read an operation"),
            None => Err(Error::not_found("operation")),
        }
    }

    fn one_operation(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Operation>> {
        let mut statement = self.prepare(sql, "read an operation")?;
        let mut rows = statement.query(params).store("read an operation")?;
        rows.next().store("read an operation")?.map(operation).transpose()
    }

    fn entries(&self, sql: &str, params: Vec<Value>) -> Result<Vec<Unread>> {
        let mut statement = self.prepare(sql, "read the journal")?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).store("read the journal")?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().store("read the journal")? {
            entries.push(entry(row)?);
        }
        Ok(entries)
    }

    fn append_rows(&self, operation: OperationId, entries: &[NewEntry]) -> Result<()> {
        let rid = self.operation_rid(operation)?;
        let mut statement = self.prepare(APPEND, "append to the journal")?;
        for entry in entries {
            let changes = if entry.changes.is_empty() { None } else { Some(to_json(&entry.changes)?) };
            let row = (
                self.tenant_text(),
                rid,
                entry.at.as_micros(),
                entry.subject.kind.code(),
                entry.subject.id.as_bytes().as_slice(),
                entry.action.code(),
                entry.other.map(|other| other.kind.code()),
                entry.other.as_ref().map(|other| other.id.as_bytes().as_slice()),
                changes,
                entry.topics().bits(),
            );
            statement.execute(row).store("append to the journal")?;
        }
        Ok(())
    }
}

fn actor(columns: &mut Columns<'_, '_>) -> Result<Actor> {
    let user = columns.parsed("actor", |text| UserId::new(text))?;
    Ok(user.map_or(Actor::System, Actor::User))
}

fn operation(row: &Row<'_>) -> Result<Operation> {
    let mut columns = Columns::of(row);
    Ok(Operation {
        id: OperationId::from_uuid(columns.uuid()?),
        kind: columns.code("operation", OperationKind::from_code)?,
        actor: actor(&mut columns)?,
        at: columns.time()?,
        key: columns.string()?,
        state: columns.code("operation", OperationState::from_code)?,
        outcome: match columns.optional_text()? {
            None => None,
            Some(json) => Some(serde_json::from_str(json).map_err(|_| corrupt("outcome"))?),
        },
    })
}

/// An entry whose changes are still text: of those that a merge leaves out, none are read.
struct Unread {
    entry: Entry,
    changes: Option<String>,
}

impl Unread {
    fn read(self) -> Result<Entry> {
        let changes = self.changes.map(|json| from_json(&json, "changes")).transpose()?;
        Ok(Entry { changes: changes.unwrap_or_default(), ..self.entry })
    }
}

fn entry(row: &Row<'_>) -> Result<Unread> {
    let mut columns = Columns::of(row);
    let mut entry = Entry {
        sequence: Sequence(columns.int()?),
        operation: OperationId::from_uuid(columns.uuid()?),
        operation_kind: columns.code("operation", OperationKind::from_code)?,
        actor: actor(&mut columns)?,
        at: columns.time()?,
        subject: Subject::new(columns.code("entry", SubjectKind::from_code)?, columns.uuid()?),
        action: columns.code("entry", Action::from_code)?,
        other: other(columns.optional_text()?, columns.optional_uuid()?)?,
        changes: Vec::new(),
        topics: Topics::NONE,
    };
    let changes = columns.string()?;
    entry.topics = topics(columns.int()?)?;
    Ok(Unread { entry, changes })
}

fn topics(bits: i64) -> Result<Topics> {
    u32::try_from(bits).map(Topics::from_bits).map_err(|_| corrupt("entry"))
}

fn other(kind: Option<&str>, id: Option<Uuid>) -> Result<Option<Subject>> {
    match (kind, id) {
        (Some(kind), Some(id)) => {
            let kind = SubjectKind::from_code(kind).ok_or_else(|| corrupt("entry"))?;
            Ok(Some(Subject::new(kind, id)))
        }
        _ => Ok(None),
    }
}

impl Journal for SqliteTxn<'_> {
    fn begin(&mut self, operation: &Operation) -> Result<()> {
        let outcome = operation.outcome.as_ref().map(to_json).transpose()?;
        let id = operation.id.as_uuid();
        let row = (
            self.tenant_text(),
            id.as_bytes().as_slice(),
            operation.kind.code(),
            operation.actor.user().map(UserId::as_str),
            operation.at.as_micros(),
            operation.key.as_deref(),
            operation.state.code(),
            outcome,
        );
        self.prepare(BEGIN, "begin an operation")?.execute(row).store("begin an operation")?;
        Ok(())
    }

    fn update(&mut self, operation: &Operation) -> Result<()> {
        let outcome = operation.outcome.as_ref().map(to_json).transpose()?;
        let id = operation.id.as_uuid();
        let row = (
            operation.key.as_deref(),
            operation.state.code(),
            outcome,
            self.tenant_text(),
            id.as_bytes().as_slice(),
        );
        match self.prepare(UPDATE, "write an operation")?.execute(row).store("write an operation")? {
            0 => Err(Error::not_found("operation")),
            _ => Ok(()),
        }
    }

    fn operation(&mut self, id: OperationId) -> Result<Option<Operation>> {
        self.one_operation(BY_ID, (self.tenant_text(), id.as_uuid().as_bytes().as_slice()))
    }

    fn find(&mut self, kind: OperationKind, key: &str) -> Result<Option<Operation>> {
        self.one_operation(BY_KEY, (self.tenant_text(), kind.code(), key))
    }

    fn append(&mut self, operation: OperationId, entries: &[NewEntry]) -> Result<()> {
        self.slice(|| self.append_rows(operation, entries))
    }

    fn about(
        &mut self,
        subjects: &[Subject],
        topics: Topics,
        before: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let before = before.map_or(i64::MAX, |sequence| sequence.0);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // One short walk of the index for each record, merged: the cost does not grow with the length of a history.
        let mut subjects = subjects.to_vec();
        subjects.sort();
        subjects.dedup();
        let mut found = Vec::new();
        for (subject, about) in subjects.iter().flat_map(|subject| [(subject, OWN), (subject, OF_CHILDREN)]) {
            let mut params = vec![
                Value::Text(self.tenant_text().to_owned()),
                Value::Text(subject.kind.code().to_owned()),
                Value::Blob(subject.id.as_bytes().to_vec()),
                Value::Integer(before),
                Value::Integer(limit),
            ];
            if !topics.is_empty() {
                params.push(Value::Integer(i64::from(topics.bits())));
            }
            found.extend(self.entries(&history_query(about, !topics.is_empty()), params)?);
        }
        found.sort_by_key(|unread| std::cmp::Reverse(unread.entry.sequence));
        found.dedup_by_key(|unread| unread.entry.sequence);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        found.into_iter().map(Unread::read).collect()
    }

    fn replay(
        &mut self,
        operation: Option<OperationId>,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let mut params = vec![Value::Text(self.tenant_text().to_owned())];
        let which = match operation {
            None => "",
            Some(operation) => {
                let Ok(rid) = self.operation_rid(operation) else { return Ok(Vec::new()) };
                params.push(Value::Integer(rid));
                OF_OPERATION
            }
        };
        params.push(Value::Integer(after.map_or(0, |sequence| sequence.0)));
        params.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.entries(&replay_query(which), params)?.into_iter().map(Unread::read).collect()
    }

    fn end(&mut self) -> Result<Sequence> {
        let mut statement = self.prepare(END, "read the journal")?;
        Ok(Sequence(statement.query_row([], |row| row.get(0)).store("read the journal")?))
    }
}
