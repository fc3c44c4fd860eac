//! Custom fields: their rows follow the leads, and lists sorted by one walk its index.

use leadcore::domain::{CustomKey, CustomValue, FieldValue, Lead, MatchKey};
use leadcore::error::Result;
use leadcore::id::LeadId;
use leadcore::query::{Direction, LeadScan, Resolved};
use leadcore::time::{Date, Timestamp};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Row, Statement, params_from_iter};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::compile::{Compiler, Condition, SearchBy, units};
use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt, select_lead};
use crate::txn::SqliteTxn;

pub(crate) const ADD_FIELD: &str =
    "INSERT INTO leadcore_lead_field (tenant, field, value, lead, rid, type) VALUES (?, ?, ?, ?, ?, ?)";
const DROP: &str =
    "DELETE FROM leadcore_lead_field WHERE tenant = ? AND field = ? AND value = ? AND lead = ?";
const FIND: &str = "SELECT l.id FROM leadcore_lead_field f JOIN leadcore_lead l ON l.rid = f.rid WHERE f.tenant = ? AND f.field = ? AND f.value = ? AND l.trashed_at IS NULL ORDER BY l.number";
pub(super) const BY_RID: &str = select_lead!("WHERE l.rid = ?");

/// A value as its row holds it; none when no row can hold it.
pub(crate) fn custom_value(value: &FieldValue) -> Option<Value> {
    Some(match value {
        FieldValue::Text(text) => Value::Text(text.clone()),
        FieldValue::Bool(yes) => Value::Integer(i64::from(*yes)),
        FieldValue::Integer(number) => Value::Integer(*number),
        FieldValue::Decimal(number) => {
            let (below, above) = units(*number, CustomValue::DECIMAL_PLACES);
            return (below == above).then_some(Value::Integer(below));
        }
        FieldValue::Date(day) => Value::Integer(day.as_days()),
        FieldValue::Time(at) => Value::Integer(at.as_micros()),
        FieldValue::Id(id) => Value::Blob(id.as_bytes().to_vec()),
        _ => return None,
    })
}

const fn type_of(value: &FieldValue) -> &'static str {
    match value {
        FieldValue::Bool(_) => "b",
        FieldValue::Integer(_) => "i",
        FieldValue::Decimal(_) => "d",
        FieldValue::Date(_) => "a",
        FieldValue::Time(_) => "m",
        FieldValue::Id(_) => "u",
        _ => "t",
    }
}

/// The value of a row, from its `value` and `type`.
fn value_of(row: &Row<'_>, value: usize, kind: usize) -> Result<FieldValue> {
    let broken = || corrupt("custom field");
    let kind = row.get_ref(kind).store("read a column")?;
    let stored = row.get_ref(value).store("read a column")?;
    Ok(match (kind.as_str().ok(), stored) {
        (_, ValueRef::Null) => FieldValue::Empty,
        (Some("b"), ValueRef::Integer(number)) => FieldValue::Bool(number != 0),
        (Some("i"), ValueRef::Integer(number)) => FieldValue::Integer(number),
        (Some("d"), ValueRef::Integer(number)) => {
            FieldValue::Decimal(Decimal::new(number, CustomValue::DECIMAL_PLACES).normalize())
        }
        (Some("a"), ValueRef::Integer(days)) => {
            FieldValue::Date(Date::from_days(days).map_err(|_| broken())?)
        }
        (Some("m"), ValueRef::Integer(at)) => {
            FieldValue::Time(Timestamp::from_micros(at).map_err(|_| broken())?)
        }
        (Some("t"), ValueRef::Text(text)) => {
            FieldValue::Text(std::str::from_utf8(text).map_err(|_| broken())?.to_owned())
        }
        (Some("u"), ValueRef::Blob(id)) => FieldValue::Id(Uuid::from_slice(id).map_err(|_| broken())?),
        _ => return Err(broken()),
    })
}

/// A number that core has checked always fits.
fn stored(value: &FieldValue) -> Result<Value> {
    custom_value(value).ok_or_else(|| corrupt("custom field"))
}

/// Adds the rows of one custom field of a lead by [`ADD_FIELD`].
pub(crate) fn add_field(
    add: &mut Statement<'_>,
    tenant: &str,
    (lead, rid): (&Lead, i64),
    field: &CustomKey,
    value: &CustomValue,
) -> Result<()> {
    let id = lead.id.as_uuid();
    for form in value.forms() {
        let id = id.as_bytes().as_slice();
        let row = (tenant, field.as_str(), stored(&form)?, id, rid, type_of(&form));
        add.execute(row).store("add a custom field")?;
    }
    Ok(())
}

impl SqliteTxn<'_> {
    pub(super) fn add_custom(&self, lead: &Lead, rid: i64) -> Result<()> {
        if lead.fields.custom.is_empty() {
            return Ok(());
        }
        let mut add = self.prepare(ADD_FIELD, "add a custom field")?;
        for (field, value) in &lead.fields.custom {
            add_field(&mut add, self.tenant_text(), (lead, rid), field, value)?;
        }
        Ok(())
    }

    /// Only what changed is written.
    pub(super) fn move_custom(&self, before: &Lead, after: &Lead, rid: i64) -> Result<()> {
        let (old, new) = (&before.fields.custom, &after.fields.custom);
        if old == new {
            return Ok(());
        }
        for (field, value) in old.iter().filter(|(field, value)| new.get(*field) != Some(*value)) {
            self.drop_field(before, field, value)?;
        }
        let mut add = self.prepare(ADD_FIELD, "add a custom field")?;
        for (field, value) in new.iter().filter(|(field, value)| old.get(*field) != Some(*value)) {
            add_field(&mut add, self.tenant_text(), (after, rid), field, value)?;
        }
        Ok(())
    }

    pub(super) fn drop_custom(&self, lead: &Lead) -> Result<()> {
        let mut fields = lead.fields.custom.iter();
        fields.try_for_each(|(field, value)| self.drop_field(lead, field, value))
    }

    fn drop_field(&self, lead: &Lead, field: &CustomKey, value: &CustomValue) -> Result<()> {
        let mut drop = self.prepare(DROP, "drop a custom field")?;
        let id = lead.id.as_uuid();
        for form in value.forms() {
            let row = (self.tenant_text(), field.as_str(), stored(&form)?, id.as_bytes().as_slice());
            drop.execute(row).store("drop a custom field")?;
        }
        Ok(())
    }

    /// The live leads with this value, oldest first.
    pub(super) fn find_custom(&self, key: &MatchKey) -> Result<Vec<LeadId>> {
        let Some((field, form)) = key.as_custom() else { return Ok(Vec::new()) };
        let Some(value) = custom_value(&form) else { return Ok(Vec::new()) };
        let mut statement = self.prepare(FIND, "find leads by a key")?;
        let mut rows =
            statement.query((self.tenant_text(), field.as_str(), value)).store("find leads by a key")?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store("find leads by a key")? {
            found.push(LeadId::from_uuid(Columns::of(row).uuid()?));
        }
        Ok(found)
    }

    /// A page sorted by a custom field: leads with a value in the order of its index, those without by id before or behind
    /// them.
    pub(super) fn scan_custom(&mut self, scan: &LeadScan, field: &CustomKey) -> Result<Vec<Lead>> {
        let ascending = scan.sort.direction == Direction::Ascending;
        let in_empty = scan.after.as_ref().map(|cursor| cursor.key == FieldValue::Empty);
        let mut rids = Vec::new();
        for empty in [ascending, !ascending] {
            // The part of the list that lies before the cursor's.
            if in_empty.is_some_and(|in_empty| in_empty != empty && empty == ascending) {
                continue;
            }
            let left = scan.limit.saturating_sub(rids.len());
            // Nothing tells where leads without a value lie: where there is none, each would be looked at in vain.
            if left > 0 && !(empty && !scan.trashed && self.all_have(field)?) {
                let from_here = in_empty == Some(empty);
                let condition = self.custom_part(scan, field, empty, from_here, left)?;
                let mut statement = self.prepare(&condition.sql, "list leads")?;
                let mut rows = statement.query(params_from_iter(condition.params)).store("list leads")?;
                while let Some(row) = rows.next().store("list leads")? {
                    rids.push(row.get::<_, i64>(0).store("list leads")?);
                }
            }
        }
        self.leads_by_row(&rids)
    }

    /// The rows of the leads with a value, or of those without, behind the cursor if it lies there.
    fn custom_part(
        &mut self,
        scan: &LeadScan,
        field: &CustomKey,
        empty: bool,
        behind_cursor: bool,
        limit: usize,
    ) -> Result<Condition> {
        let (order, behind) = match scan.sort.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        let tenant = self.tenant.clone();
        let mut compiler = Compiler::new(tenant.as_str(), SearchBy::Index);
        self.way(scan)?.tell(&mut compiler);
        if empty {
            compiler.text("SELECT l.rid FROM leadcore_lead l INDEXED BY leadcore_lead_id WHERE l.tenant = ");
            compiler.param(tenant.as_str().to_owned());
            compiler.text(" AND ");
            compiler.custom_empty(field);
        } else {
            // CROSS JOIN keeps SQLite from turning the join round.
            compiler.text("SELECT l.rid FROM leadcore_lead_field f CROSS JOIN leadcore_lead l ON l.rid = f.rid WHERE f.tenant = ");
            compiler.param(tenant.as_str().to_owned());
            compiler.text(" AND f.field = ");
            compiler.param(field.as_str().to_owned());
        }
        if let Some(cursor) = scan.after.as_ref().filter(|_| behind_cursor) {
            let id = cursor.id.as_uuid().as_bytes().to_vec();
            if empty {
                compiler.text(&format!(" AND l.id {behind} "));
            } else {
                compiler.text(&format!(" AND (f.value, f.lead) {behind} ("));
                compiler.param(stored(&cursor.key)?);
                compiler.text(", ");
            }
            compiler.param(id);
            compiler.text(if empty { "" } else { ")" });
        }
        compiler.text(if scan.trashed {
            " AND l.trashed_at IS NOT NULL AND "
        } else {
            " AND l.trashed_at IS NULL AND "
        });
        compiler.filter(&scan.filter)?;
        if empty {
            compiler.text(&format!(" ORDER BY l.id {order} LIMIT "));
        } else {
            compiler.text(&format!(" ORDER BY f.value {order}, f.lead {order} LIMIT "));
        }
        compiler.param(i64::try_from(limit).unwrap_or(i64::MAX));
        if compiler.folds {
            self.need_fold()?;
        }
        Ok(compiler.finish())
    }

    /// The counts per value of a custom field; a lead with several values is in several groups.
    pub(super) fn count_custom(
        &mut self,
        filter: &Resolved,
        field: &CustomKey,
    ) -> Result<Vec<(FieldValue, u64)>> {
        let mut groups = Vec::new();
        let none = filter.clone().and(Resolved::Empty(leadcore::domain::Field::Custom(field.clone())));
        let without = self.count_rows(&none)?;
        if without > 0 {
            groups.push((FieldValue::Empty, without));
        }
        let condition = self.live(filter)?;
        let sql = format!(
            "SELECT f.value, f.type, count(*) FROM leadcore_lead_field f CROSS JOIN leadcore_lead l ON l.rid = f.rid WHERE f.tenant = ? AND f.field = ? AND {} GROUP BY f.value, f.type ORDER BY f.value, f.type",
            condition.sql
        );
        let own = [Value::Text(self.tenant_text().to_owned()), Value::Text(field.as_str().to_owned())];
        let mut statement = self.prepare(&sql, "count leads")?;
        let mut rows = statement
            .query(params_from_iter(own.into_iter().chain(condition.params)))
            .store("count leads")?;
        while let Some(row) = rows.next().store("count leads")? {
            let count: i64 = row.get(2).store("count leads")?;
            groups.push((value_of(row, 0, 1)?, u64::try_from(count).map_err(|_| corrupt("count"))?));
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use leadcore::domain::Field;
    use leadcore::query::{Cursor, Sort, SortField};

    use super::*;

    /// How SQLite answers a statement, in its words.
    fn plan(txn: &SqliteTxn<'_>, condition: &Condition) -> String {
        let mut statement = txn.conn.prepare(&format!("EXPLAIN QUERY PLAN {}", condition.sql)).unwrap();
        let rows = statement
            .query_map(params_from_iter(condition.params.iter()), |row| row.get::<_, String>(3))
            .unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    fn with_txn(work: impl FnOnce(&mut SqliteTxn<'_>)) {
        let mut conn = rusqlite::Connection::open_in_memory().unwrap();
        crate::migrate::migrate(&conn, "leadcore_").unwrap();
        let transaction = conn.transaction().unwrap();
        work(&mut SqliteTxn::on(&transaction, &"acme".parse().unwrap()));
    }

    #[test]
    fn equality_and_ranges_are_index_work() {
        with_txn(|txn| {
            let field: Field = "x_budget".parse().unwrap();
            let (low, high) = (FieldValue::Integer(1), FieldValue::Integer(2));
            let range = Resolved::Range {
                field: field.clone(),
                from: Some((low.clone(), true)),
                to: Some((high, true)),
            };
            for (filter, by) in
                [(Resolved::Equals(field, vec![low]), "value=?"), (range, "value>? AND value<?")]
            {
                let mut condition = txn.live(&filter).unwrap();
                condition.sql.insert_str(0, "SELECT count(*) FROM leadcore_lead l NOT INDEXED WHERE ");
                let plan = plan(txn, &condition);
                let wanted = format!("SEARCH f USING PRIMARY KEY (tenant=? AND field=? AND {by})");
                assert!(plan.contains(&wanted), "{plan}");
                assert!(plan.contains("SEARCH l USING INTEGER PRIMARY KEY"), "{plan}");
            }
        });
    }

    #[test]
    fn a_sorted_page_walks_the_index_from_its_cursor() {
        with_txn(|txn| {
            let field: CustomKey = "x_budget".parse().unwrap();
            let by = SortField::Custom(field.clone());
            for sort in [Sort::ascending(by.clone()), Sort::descending(by)] {
                let cursor = Cursor {
                    sort: sort.clone(),
                    key: FieldValue::Integer(7),
                    id: LeadId::from_uuid(Uuid::nil()),
                    list: None,
                };
                let scan = LeadScan {
                    filter: Resolved::everything(),
                    trashed: false,
                    sort,
                    limit: 50,
                    after: Some(cursor),
                };
                for empty in [false, true] {
                    let condition = txn.custom_part(&scan, &field, empty, true, 50).unwrap();
                    let plan = plan(txn, &condition);
                    assert!(!plan.contains("TEMP B-TREE"), "nothing is sorted: {plan}");
                    let wanted = if empty {
                        "SEARCH l USING INDEX leadcore_lead_id (tenant=? AND id"
                    } else {
                        "SEARCH f USING PRIMARY KEY (tenant=? AND field=? AND (value,lead)"
                    };
                    assert!(plan.contains(wanted), "{plan}");
                }
            }
        });
    }

    #[test]
    fn probing_each_row_finds_what_the_index_finds() {
        let directory = tempfile::tempdir().unwrap();
        let store = crate::SqliteStore::open(directory.path().join("leads.db")).unwrap();
        let world = leadcore::testkit::fixtures::World::install(&store);
        let leads = leadcore::testkit::fixtures::sample_leads(&world);
        world.write(&store, |txn| txn.leads().insert(&leads));
        drop(store);
        let conn = rusqlite::Connection::open(directory.path().join("leads.db")).unwrap();
        let tenant = world.scene.tenant.clone();
        let mut found = 0;
        for lead in &leads {
            for (key, value) in &lead.fields.custom {
                let field = Field::Custom(key.clone());
                let filter = Resolved::Equals(field, value.forms());
                let ids = |probes: bool| -> Vec<i64> {
                    let mut compiler = Compiler::new(tenant.as_str(), SearchBy::Row);
                    compiler.probes = probes;
                    compiler.text("SELECT l.rid FROM leadcore_lead l WHERE ");
                    compiler.filter(&filter).unwrap();
                    compiler.text(" ORDER BY l.rid");
                    let Condition { sql, params } = compiler.finish();
                    let mut statement = conn.prepare(&sql).unwrap();
                    let rows = statement.query_map(params_from_iter(params), |row| row.get(0)).unwrap();
                    rows.map(Result::unwrap).collect()
                };
                assert_eq!(ids(true), ids(false), "{filter:?}");
                found += ids(true).len();
            }
        }
        assert!(found > 100, "the sample must have values, or this test says nothing: {found}");
    }
}
