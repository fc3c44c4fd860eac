//! The port for what sources and campaigns cost.

use leadcore::domain::{Actor, Cost, CostFields};
use leadcore::error::Result;
use leadcore::id::{CostId, SourceId, UserId};
use leadcore::store::{CostScan, Costs};
use leadcore::time::Date;
use leadcore::value::Currency;
use rusqlite::Row;

use crate::row::{Binder, Columns, amount_units, corrupt};
use crate::txn::SqliteTxn;

use super::table::Table;

const COLUMNS: &str = "id, revision, source, campaign, amount, currency, first_day, last_day, note, created_by, created_at, updated_at";
const INSERT: &str = "INSERT INTO leadcore_cost (revision, source, campaign, amount, currency, first_day, last_day, note, created_by, created_at, updated_at, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_cost SET revision = ?, source = ?, campaign = ?, amount = ?, currency = ?, first_day = ?, last_day = ?, note = ?, created_by = ?, created_at = ?, updated_at = ? WHERE tenant = ? AND id = ? AND revision = ?";
const TABLE: Table<Cost> = Table {
    name: "leadcore_cost",
    columns: COLUMNS,
    record: "cost",
    one: "a cost",
    insert: INSERT,
    update: UPDATE,
    key: |cost| (cost.id.as_uuid(), cost.revision),
    bind,
    read: cost,
};

fn cost(row: &Row<'_>) -> Result<Cost> {
    let mut columns = Columns::of(row);
    let (id, revision) = (CostId::from_uuid(columns.uuid()?), columns.revision()?);
    let source = columns.optional_uuid()?.map(SourceId::from_uuid);
    let campaign = columns.string()?;
    let amount = columns.amount()?.ok_or_else(|| corrupt("amount"))?;
    let currency = columns.parsed("currency", Currency::from_stored)?;
    let (first_day, last_day) = (columns.optional_date()?, columns.optional_date()?);
    let fields = CostFields {
        source,
        campaign,
        amount,
        currency: currency.ok_or_else(|| corrupt("currency"))?,
        first_day: first_day.ok_or_else(|| corrupt("date"))?,
        last_day: last_day.ok_or_else(|| corrupt("date"))?,
        note: columns.string()?,
    };
    Ok(Cost {
        id,
        revision,
        fields,
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

fn bind(binder: &mut Binder<'_, '_>, cost: &Cost) -> Result<()> {
    let fields = &cost.fields;
    binder.number(cost.revision.get())?;
    binder.optional_id(fields.source.map(SourceId::as_uuid))?;
    binder.bind(fields.campaign.as_deref())?;
    binder.bind(amount_units(fields.amount)?)?;
    binder.bind(fields.currency.code())?;
    binder.bind(fields.first_day.as_days())?;
    binder.bind(fields.last_day.as_days())?;
    binder.bind(fields.note.as_deref())?;
    binder.bind(cost.created_by.user().map(UserId::as_str))?;
    binder.time(cost.created_at)?;
    binder.time(cost.updated_at)
}

/// The walk of an index that a scan is.
pub(crate) fn scan_query(scan: &CostScan) -> String {
    let parts = [
        (scan.source.is_some(), " AND source = ?2"),
        (scan.from.is_some(), " AND last_day >= ?3"),
        (scan.until.is_some(), " AND first_day <= ?4"),
        (scan.after.is_some(), " AND (first_day, id) > (?5, ?6)"),
    ];
    let mut sql = format!("SELECT {COLUMNS} FROM leadcore_cost WHERE tenant = ?1");
    parts.iter().filter(|(asked, _)| *asked).for_each(|(_, part)| sql.push_str(part));
    sql.push_str(" ORDER BY first_day, id LIMIT ?7");
    sql
}

impl Costs for SqliteTxn<'_> {
    fn insert(&mut self, costs: &[Cost]) -> Result<()> {
        TABLE.insert(self, costs, |_| Ok(()))
    }

    fn update(&mut self, costs: &[Cost]) -> Result<()> {
        TABLE.update(self, costs, |_| Ok(()))
    }

    fn get(&mut self, ids: &[CostId]) -> Result<Vec<Cost>> {
        TABLE.get(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn remove(&mut self, ids: &[CostId]) -> Result<()> {
        TABLE.remove(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn scan(&mut self, scan: &CostScan) -> Result<Vec<Cost>> {
        let source = scan.source.map(SourceId::as_uuid);
        let after = scan.after.map(|after| (after.day.as_days(), after.id.as_uuid()));
        let row = (
            self.tenant_text(),
            source.as_ref().map(|id| id.as_bytes().as_slice()),
            scan.from.map(Date::as_days),
            scan.until.map(Date::as_days),
            after.map(|(day, _)| day),
            after.as_ref().map(|(_, id)| id.as_bytes().as_slice()),
            i64::try_from(scan.limit).unwrap_or(i64::MAX),
        );
        self.all(&scan_query(scan), "list costs", row, cost)
    }
}
