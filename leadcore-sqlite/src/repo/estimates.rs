//! The port for estimates. Their lines are rows.

use leadcore::domain::{Actor, Estimate, EstimateFields, EstimateStatus, Series};
use leadcore::error::Result;
use leadcore::id::{ActivityId, EstimateId, UserId};
use leadcore::store::{EstimateScan, Estimates};
use leadcore::time::{Date, Timestamp};
use leadcore::value::Currency;
use rusqlite::Row;

use crate::row::{Binder, Columns, corrupt, to_json};
use crate::txn::SqliteTxn;

use super::lines::{Holder, bind_totals, totals};
use super::numbers::{bind_serial, serial};
use super::table::Table;

const ESTIMATE_COLUMNS: &str = "id, number, revision, about, title, owner, date, valid_until, currency, note, terms, net, discount, tax, gross, taxes, status, sent_at, settled_at, reason, revises, request, created_by, created_at, updated_at, series, year, written";
const INSERT_ESTIMATE: &str = "INSERT INTO leadcore_estimate (number, revision, about, title, owner, date, valid_until, currency, note, terms, net, discount, tax, gross, taxes, status, sent_at, settled_at, reason, revises, request, created_by, created_at, updated_at, series, year, written, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE_ESTIMATE: &str = "UPDATE leadcore_estimate SET number = ?, revision = ?, about = ?, title = ?, owner = ?, date = ?, valid_until = ?, currency = ?, note = ?, terms = ?, net = ?, discount = ?, tax = ?, gross = ?, taxes = ?, status = ?, sent_at = ?, settled_at = ?, reason = ?, revises = ?, request = ?, created_by = ?, created_at = ?, updated_at = ?, series = ?, year = ?, written = ? WHERE tenant = ? AND id = ? AND revision = ?";
const LAPSED: &str = "SELECT id FROM leadcore_estimate WHERE tenant = ? AND status = 'sent' AND valid_until IS NOT NULL AND valid_until < ? ORDER BY valid_until, id LIMIT ?";
const TABLE: Table<Estimate> = Table {
    name: "leadcore_estimate",
    columns: ESTIMATE_COLUMNS,
    record: "estimate",
    one: "an estimate",
    insert: INSERT_ESTIMATE,
    update: UPDATE_ESTIMATE,
    key: |estimate| (estimate.id.as_uuid(), estimate.revision),
    bind: bind_estimate,
    read: estimate,
};

fn date(columns: &mut Columns<'_, '_>) -> Result<Option<Date>> {
    columns.optional_int()?.map(Date::from_days).transpose().map_err(|_| corrupt("date"))
}

/// An estimate without its lines.
fn estimate(row: &Row<'_>) -> Result<Estimate> {
    let mut columns = Columns::of(row);
    let id = EstimateId::from_uuid(columns.uuid()?);
    Ok(Estimate {
        id,
        number: columns.unsigned()?,
        revision: columns.revision()?,
        about: columns.json("estimate")?,
        fields: EstimateFields {
            title: columns.string()?,
            owner: columns.parsed("owner", |text| UserId::new(text))?,
            date: date(&mut columns)?,
            valid_until: date(&mut columns)?,
            currency: columns.parsed("currency", Currency::from_stored)?,
            note: columns.string()?,
            terms: columns.string()?,
            lines: Vec::new(),
        },
        totals: totals(&mut columns)?,
        status: columns.code("status", EstimateStatus::from_code)?,
        sent_at: columns.optional_time()?,
        settled_at: columns.optional_time()?,
        reason: columns.string()?,
        revises: columns.optional_uuid()?.map(EstimateId::from_uuid),
        request: columns.optional_uuid()?.map(ActivityId::from_uuid),
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
        serial: serial(&mut columns)?,
    })
}

impl SqliteTxn<'_> {
    /// One walk of an index: estimates stored in one state (in any, by date alone), of which those count that hold, or are
    /// over, today.
    fn walk_estimates(
        &self,
        scan: &EstimateScan,
        status: Option<EstimateStatus>,
        holds: Option<bool>,
    ) -> Result<Vec<Estimate>> {
        let (order, behind) = if scan.descending { ("DESC", "<") } else { ("ASC", ">") };
        let mut sql = format!("SELECT {ESTIMATE_COLUMNS} FROM leadcore_estimate WHERE tenant = ?1");
        if status.is_some() {
            sql.push_str(" AND status = ?2");
        }
        if scan.revises.is_some() {
            sql.push_str(" AND revises = ?8");
        }
        match holds {
            Some(true) => sql.push_str(" AND (valid_until IS NULL OR valid_until >= ?3)"),
            Some(false) => sql.push_str(" AND valid_until < ?3"),
            None => {}
        }
        for (bound, part) in
            [(scan.from.is_some(), " AND date >= ?4"), (scan.until.is_some(), " AND date <= ?5")]
        {
            sql.push_str(if bound { part } else { "" });
        }
        if scan.after.is_some() {
            sql.push_str(&format!(" AND (date, id) {behind} (?6, ?7)"));
        }
        sql.push_str(&format!(" ORDER BY date {order}, id {order} LIMIT ?9"));
        let revises = scan.revises.map(EstimateId::as_uuid);
        let after = scan.after.map(|after| (after.date.as_days(), after.id.as_uuid()));
        let row = (
            self.tenant_text(),
            status.map(EstimateStatus::code),
            scan.today.as_days(),
            scan.from.map(Date::as_days),
            scan.until.map(Date::as_days),
            after.map(|(date, _)| date),
            after.as_ref().map(|(_, id)| id.as_bytes().as_slice()),
            revises.as_ref().map(|id| id.as_bytes().as_slice()),
            i64::try_from(scan.limit).unwrap_or(i64::MAX),
        );
        let found = self.all(&sql, "list estimates", row, estimate)?;
        self.with_lines(found)
    }

    /// These estimates with their lines, which are read for all of them at once.
    fn with_lines(&self, mut estimates: Vec<Estimate>) -> Result<Vec<Estimate>> {
        let ids: Vec<_> = estimates.iter().map(|estimate| estimate.id.as_uuid()).collect();
        let lines = self.lines_of_all("estimate", &ids)?;
        for estimate in &mut estimates {
            estimate.fields.lines = lines.get(&estimate.id.as_uuid()).cloned().unwrap_or_default();
        }
        Ok(estimates)
    }
}

fn bind_estimate(binder: &mut Binder<'_, '_>, estimate: &Estimate) -> Result<()> {
    let fields = &estimate.fields;
    binder.number(estimate.number)?;
    binder.number(estimate.revision.get())?;
    binder.bind(to_json(&estimate.about)?)?;
    binder.bind(fields.title.as_deref())?;
    binder.bind(fields.owner.as_ref().map(UserId::as_str))?;
    binder.bind(fields.date.map(Date::as_days))?;
    binder.bind(fields.valid_until.map(Date::as_days))?;
    binder.bind(fields.currency.as_ref().map(Currency::code))?;
    binder.bind(fields.note.as_deref())?;
    binder.bind(fields.terms.as_deref())?;
    bind_totals(binder, &estimate.totals)?;
    binder.bind(estimate.status.code())?;
    binder.bind(estimate.sent_at.map(Timestamp::as_micros))?;
    binder.bind(estimate.settled_at.map(Timestamp::as_micros))?;
    binder.bind(estimate.reason.as_deref())?;
    binder.optional_id(estimate.revises.map(EstimateId::as_uuid))?;
    binder.optional_id(estimate.request.map(ActivityId::as_uuid))?;
    binder.bind(estimate.created_by.user().map(UserId::as_str))?;
    binder.time(estimate.created_at)?;
    binder.time(estimate.updated_at)?;
    bind_serial(binder, Series::Estimate, estimate.serial.as_ref())
}

impl Estimates for SqliteTxn<'_> {
    fn insert(&mut self, estimates: &[Estimate]) -> Result<()> {
        TABLE.insert(self, estimates, |estimate| {
            self.add_lines(Holder::Estimate(estimate.id), &estimate.fields.lines)
        })
    }

    fn update(&mut self, estimates: &[Estimate]) -> Result<()> {
        TABLE.update(self, estimates, |estimate| {
            self.set_lines(Holder::Estimate(estimate.id), &estimate.fields.lines)
        })
    }

    fn get(&mut self, ids: &[EstimateId]) -> Result<Vec<Estimate>> {
        let found = TABLE.get(self, ids.iter().map(|id| id.as_uuid()))?;
        self.with_lines(found)
    }

    fn remove(&mut self, ids: &[EstimateId]) -> Result<()> {
        ids.iter().try_for_each(|id| self.clear_lines(Holder::Estimate(*id)))?;
        TABLE.remove(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn numbered(&mut self, number: u64) -> Result<Option<Estimate>> {
        // There is none with a number that cannot be stored.
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let sql = format!(
            "SELECT {ESTIMATE_COLUMNS} FROM leadcore_estimate WHERE tenant = ? AND series = ? AND year = 0 AND number = ?"
        );
        let series = Series::Estimate.standard().as_uuid();
        let key = (self.tenant_text(), series.as_bytes().as_slice(), number);
        let found = self.first(&sql, "read an estimate", key, estimate)?;
        Ok(self.with_lines(found.into_iter().collect())?.pop())
    }

    fn scan(&mut self, scan: &EstimateScan) -> Result<Vec<Estimate>> {
        match scan.status {
            None => self.walk_estimates(scan, None, None),
            Some(EstimateStatus::Sent) => self.walk_estimates(scan, scan.status, Some(true)),
            Some(EstimateStatus::Expired) => {
                let mut found = self.walk_estimates(scan, scan.status, None)?;
                found.extend(self.walk_estimates(scan, Some(EstimateStatus::Sent), Some(false))?);
                found.sort_by_key(Estimate::place);
                if scan.descending {
                    found.reverse();
                }
                found.truncate(scan.limit);
                Ok(found)
            }
            status => self.walk_estimates(scan, status, None),
        }
    }

    fn lapsed(&mut self, today: Date, limit: usize) -> Result<Vec<EstimateId>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let key = (self.tenant_text(), today.as_days(), limit);
        self.all(LAPSED, "list estimates", key, |row| Ok(EstimateId::from_uuid(Columns::of(row).uuid()?)))
    }
}
