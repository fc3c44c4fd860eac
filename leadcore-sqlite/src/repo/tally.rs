//! Counts that are kept up to date with every write, so that no list or board counts rows.

use std::collections::BTreeMap;

use leadcore::domain::{CustomKey, Field, FieldType, FieldValue, Lead, LeadState};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::UserId;
use leadcore::query::Resolved;
use uuid::Uuid;

use crate::compile::raw_column;
use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt, state_number};
use crate::txn::SqliteTxn;

use super::sums::SumDeltas;

const ADD: &str = "INSERT INTO leadcore_tally (tenant, dim, key, state, n) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, dim, key, state) DO UPDATE SET n = n + ?5";
const COUNT: &str = "SELECT coalesce(sum(n), 0) FROM leadcore_tally WHERE tenant = ? AND dim = ? AND key = ?";
const COUNT_IN_STATE: &str =
    "SELECT coalesce(sum(n), 0) FROM leadcore_tally WHERE tenant = ? AND dim = ? AND key = ? AND state = ?";
const GROUPS: &str = "SELECT key, sum(n) FROM leadcore_tally WHERE tenant = ? AND dim = ? AND state BETWEEN ? AND ? GROUP BY key HAVING sum(n) > 0 ORDER BY key";

/// Leads with a value of a custom field.
const FIELD: &str = "field";

/// What a slice of writes changes in the tallies: one row per value, not per lead.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    counts: BTreeMap<(&'static str, Vec<u8>, i64), i64>,
    sums: SumDeltas,
}

impl Deltas {
    /// Counts a lead in (`by` = 1) or out (`by` = -1).
    pub(crate) fn count(&mut self, lead: &Lead, by: i64) -> Result<()> {
        if lead.trashed.is_some() {
            return Ok(());
        }
        let id = |id: Option<Uuid>| id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let fields = &lead.fields;
        let values = [
            ("all", Vec::new()),
            ("stage", id(Some(lead.stage.as_uuid()))),
            ("source", id(fields.source.map(|id| id.as_uuid()))),
            ("category", id(fields.category.map(|id| id.as_uuid()))),
            (
                "owner",
                fields.owner.as_ref().map(|owner| owner.as_str().as_bytes().to_vec()).unwrap_or_default(),
            ),
        ];
        for (dim, key) in values {
            *self.counts.entry((dim, key, state_number(lead.state()))).or_default() += by;
        }
        for key in fields.custom.keys() {
            let key = key.as_str().as_bytes().to_vec();
            *self.counts.entry((FIELD, key, state_number(lead.state()))).or_default() += by;
        }
        self.sums.count(lead, by)
    }
}

/// The dimension that counts this field.
fn dim(field: &Field) -> Option<&'static str> {
    match field {
        Field::Stage => Some("stage"),
        Field::Source => Some("source"),
        Field::Category => Some("category"),
        Field::Owner => Some("owner"),
        _ => None,
    }
}

/// What of a filter the tallies can answer: a state, and one field with one value.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Only leads of this state.
    pub(super) state: Option<i64>,
    pub(super) value: Option<(&'static str, Vec<u8>)>,
}

impl Shape {
    pub(super) fn of(filter: &Resolved) -> Option<Self> {
        let mut shape = Self::default();
        shape.take(filter).then_some(shape)
    }

    /// Whether this condition fits and was taken in.
    fn take(&mut self, filter: &Resolved) -> bool {
        match filter {
            Resolved::All(list) => list.iter().all(|inner| self.take(inner)),
            Resolved::Equals(Field::State, states) if self.state.is_none() => match states.as_slice() {
                [FieldValue::Text(code)] => match LeadState::from_code(code).map(state_number) {
                    Some(state) => {
                        self.state = Some(state);
                        true
                    }
                    None => false,
                },
                _ => false,
            },
            Resolved::Equals(field, values) if self.value.is_none() => {
                match (dim(field), values.as_slice()) {
                    (Some(dim), [FieldValue::Id(id)]) => {
                        self.value = Some((dim, id.as_bytes().to_vec()));
                        true
                    }
                    // The empty text is the key of leads without an owner, and no owner's name.
                    (Some(dim), [FieldValue::Text(text)]) if !text.is_empty() => {
                        self.value = Some((dim, text.as_bytes().to_vec()));
                        true
                    }
                    _ => false,
                }
            }
            Resolved::Empty(field) if self.value.is_none() => match dim(field) {
                Some(dim) => {
                    self.value = Some((dim, Vec::new()));
                    true
                }
                None => false,
            },
            _ => false,
        }
    }
}

impl SqliteTxn<'_> {
    /// Adds up what a slice of writes changed.
    pub(crate) fn apply(&self, deltas: &Deltas) -> Result<()> {
        let mut add = self.prepare(ADD, "count leads")?;
        for ((dim, key, state), n) in deltas.counts.iter().filter(|(_, n)| **n != 0) {
            add.execute((self.tenant_text(), dim, key, state, n)).store("count leads")?;
        }
        self.apply_sums(&deltas.sums)
    }

    /// The count, when the tallies have it.
    pub(crate) fn tallied_count(&self, filter: &Resolved) -> Result<Option<u64>> {
        let Some(shape) = Shape::of(filter) else { return Ok(None) };
        let (dim, key) = shape.value.unwrap_or(("all", Vec::new()));
        let n: i64 = match shape.state {
            None => self
                .prepare(COUNT, "count leads")?
                .query_row((self.tenant_text(), dim, key), |row| row.get(0)),
            Some(state) => self
                .prepare(COUNT_IN_STATE, "count leads")?
                .query_row((self.tenant_text(), dim, key, state), |row| row.get(0)),
        }
        .store("count leads")?;
        u64::try_from(n).map(Some).map_err(|_| corrupt("count"))
    }

    /// Whether every live lead has a value of this custom field.
    pub(super) fn all_have(&self, field: &CustomKey) -> Result<bool> {
        let mut statement = self.prepare(COUNT, "count leads")?;
        let mut count = |dim: &str, key: &[u8]| -> Result<i64> {
            statement.query_row((self.tenant_text(), dim, key), |row| row.get(0)).store("count leads")
        };
        Ok(count("all", &[])? == count(FIELD, field.as_str().as_bytes())?)
    }

    /// The counts per value, when the tallies have them.
    pub(crate) fn tallied_groups(
        &self,
        filter: &Resolved,
        field: &Field,
    ) -> Result<Option<Vec<(FieldValue, u64)>>> {
        let shape = Shape::of(filter).filter(|shape| shape.value.is_none());
        let (Some(dim), Some(shape)) = (dim(field), shape) else { return Ok(None) };
        let (from, to) = shape.state.map_or((0, 2), |state| (state, state));
        let mut statement = self.prepare(GROUPS, "count leads")?;
        let mut rows = statement.query((self.tenant_text(), dim, from, to)).store("count leads")?;
        let mut groups = Vec::new();
        while let Some(row) = rows.next().store("count leads")? {
            let key: Vec<u8> = row.get(0).store("count leads")?;
            let n: i64 = row.get(1).store("count leads")?;
            let value = match (field, key.as_slice()) {
                (_, []) => FieldValue::Empty,
                (Field::Owner, text) => {
                    let owner = std::str::from_utf8(text).ok().and_then(|text| UserId::new(text).ok());
                    owner.ok_or_else(|| corrupt("owner"))?.into()
                }
                (_, id) => FieldValue::Id(Uuid::from_slice(id).map_err(|_| corrupt("id"))?),
            };
            groups.push((value, u64::try_from(n).map_err(|_| corrupt("count"))?));
        }
        Ok(Some(groups))
    }

    /// The counts per value, from the rows.
    pub(crate) fn count_groups(
        &mut self,
        filter: &Resolved,
        field: &Field,
    ) -> Result<Vec<(FieldValue, u64)>> {
        if let Field::Custom(key) = field {
            return self.count_custom(filter, key);
        }
        if !field.is_groupable() {
            return Err(Error::new(ErrorKind::Unsupported, "leads cannot be counted by this field"));
        }
        let is_text = matches!(field.field_type(), FieldType::User | FieldType::Choice(_));
        let column = match field {
            Field::State => "CASE l.state WHEN 0 THEN 'open' WHEN 1 THEN 'disqualified' ELSE 'converted' END",
            field => raw_column(field)?,
        };
        let condition = self.live(filter)?;
        let sql = format!(
            "SELECT {column} AS value, count(*) FROM leadcore_lead l WHERE {} GROUP BY value ORDER BY value",
            condition.sql
        );
        let mut statement = self.prepare(&sql, "count leads")?;
        let mut rows =
            statement.query(rusqlite::params_from_iter(condition.params.iter())).store("count leads")?;
        let mut groups = Vec::new();
        while let Some(row) = rows.next().store("count leads")? {
            let mut columns = Columns::of(row);
            let value = if is_text { columns.string()?.into() } else { columns.optional_uuid()?.into() };
            groups.push((value, columns.unsigned()?));
        }
        Ok(groups)
    }
}
