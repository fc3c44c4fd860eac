//! The port for figures: one query each, answered from indexes where the filter allows it. What is grouped by comes from a
//! closed list, every value is bound.

use std::fmt::Write as _;

use leadcore::domain::FieldValue;
use leadcore::error::Result;
use leadcore::id::{StageId, UserId};
use leadcore::query::{Clocks, Dated, Dimension, PeriodUnit, ReportScan};
use leadcore::store::{Entered, LeadFigures, MiddleWaits, Reports, StageFigures, Worth, WorthFigures};
use leadcore::time::{Date, Timestamp};
use leadcore::value::Currency;
use rusqlite::Row;
use rusqlite::types::Value;

use crate::compile::Condition;
use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt};
use crate::txn::SqliteTxn;

/// Sums are added in two halves, as those of stages are: no half leaves 64 bits.
const SPLIT: i64 = 1_000_000_000;
/// Microseconds of a second, at which waits are split.
const SECOND: i64 = 1_000_000;

/// What a lead is grouped by, as an expression: see [`key`] for how it is read. The sign keeps SQLite from walking an index in
/// its order, which has it read each lead; to sort what the covering index says is several times faster.
fn expression(dimension: Dimension, dated: Dated, clocks: &Clocks) -> String {
    let unit = match dimension {
        Dimension::Source => return "+l.source".to_owned(),
        Dimension::Campaign => return "+l.campaign_key".to_owned(),
        Dimension::Category => return "+l.category".to_owned(),
        Dimension::Owner => return "+l.owner".to_owned(),
        Dimension::Period(unit) => unit,
        // A dimension that this store does not know yet groups nothing.
        _ => return "NULL".to_owned(),
    };
    let column = match dated {
        Dated::Created => "l.created_at",
        Dated::Converted => "l.converted_at",
    };
    let day = local_day(column, clocks);
    match unit {
        PeriodUnit::Day => day,
        // The first day that there is, 719162 days before 1970, is a Monday.
        PeriodUnit::Week => format!("({day} - ({day} + 719162) % 7)"),
        PeriodUnit::Month => format!("CAST(strftime('%Y%m', {day} * 86400, 'unixepoch') AS INTEGER)"),
        PeriodUnit::Quarter => format!(
            "(CAST(strftime('%Y', {day} * 86400, 'unixepoch') AS INTEGER) * 100 + (CAST(strftime('%m', {day} * 86400, 'unixepoch') AS INTEGER) - 1) / 3 * 3 + 1)"
        ),
        PeriodUnit::Year => {
            format!("(CAST(strftime('%Y', {day} * 86400, 'unixepoch') AS INTEGER) * 100 + 1)")
        }
        PeriodUnit::FiscalQuarter(start) => months(&day, 3, start),
        PeriodUnit::FiscalYear(start) => months(&day, 12, start),
    }
}

/// The first month of a period of so many months, counted from the month that its year begins with: in months since the year 0.
fn months(day: &str, length: u8, start: u8) -> String {
    let shift = 13_i16.saturating_sub(start.into());
    format!(
        "((CAST(strftime('%Y', {day} * 86400, 'unixepoch') AS INTEGER) * 12 + CAST(strftime('%m', {day} * 86400, 'unixepoch') AS INTEGER) - 1 + {shift}) / {length} * {length} - {shift})"
    )
}

/// The day since 1970 that clocks show; counted from the first day that there is, so that no division is of less than nothing.
fn local_day(column: &str, clocks: &Clocks) -> String {
    let (least, most) = (Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
    let micros = |ahead: i32| i64::from(ahead).saturating_mul(SECOND);
    let ahead = if clocks.changes().is_empty() {
        micros(clocks.first()).to_string()
    } else {
        // The latest first: most leads are of late.
        let mut cases = "CASE".to_owned();
        for (from, ahead) in clocks.changes().iter().rev() {
            let _ = write!(cases, " WHEN {column} >= {} THEN {}", from.as_micros(), micros(*ahead));
        }
        let _ = write!(cases, " ELSE {} END", micros(clocks.first()));
        cases
    };
    format!("((min(max({column} + {ahead}, {least}), {most}) - {least}) / 86400000000 - 719162)")
}

/// A column of a group, as [`expression`] made it.
fn key(dimension: Dimension, columns: &mut Columns<'_, '_>) -> Result<FieldValue> {
    Ok(match dimension {
        Dimension::Source | Dimension::Category => columns.optional_uuid()?.into(),
        Dimension::Owner => columns.parsed("owner", |text| UserId::new(text))?.into(),
        Dimension::Period(PeriodUnit::Day | PeriodUnit::Week) => {
            columns.optional_date()?.map_or(FieldValue::Empty, FieldValue::Date)
        }
        Dimension::Period(unit) => match columns.optional_int()? {
            None => FieldValue::Empty,
            Some(month) => {
                let (year, month) = match unit {
                    PeriodUnit::FiscalQuarter(_) | PeriodUnit::FiscalYear(_) => (month / 12, month % 12 + 1),
                    _ => (month / 100, month % 100),
                };
                let day = format!("{year:04}-{month:02}-01").parse().ok();
                // What begins before the first day that there is, begins with it.
                let day = if year < 1 { Some(Date::MIN) } else { day };
                FieldValue::Date(day.ok_or_else(|| corrupt("date"))?)
            }
        },
        _ => columns.string()?.into(),
    })
}

/// The columns of a group, with the names that they have further out.
struct Keys {
    /// `expression AS k0, … , `
    named: String,
    /// `k0, …`
    names: Vec<String>,
    by: Vec<Dimension>,
}

impl Keys {
    fn of(scan: &ReportScan) -> Self {
        let mut named = String::new();
        let mut names = Vec::new();
        for (n, dimension) in scan.by.iter().enumerate() {
            let _ = write!(named, "{} AS k{n}, ", expression(*dimension, scan.dated, &scan.clocks));
            names.push(format!("k{n}"));
        }
        Self { named, names, by: scan.by.clone() }
    }

    /// `k0, k1, more`, each followed by a comma.
    fn list(&self) -> String {
        self.names.iter().map(|name| format!("{name}, ")).collect()
    }

    /// A clause over the groups and what else they are parted by; nothing for one group of all.
    fn clause(&self, word: &str, also: &[&str]) -> String {
        let all: Vec<&str> = self.names.iter().map(String::as_str).chain(also.iter().copied()).collect();
        if all.is_empty() { String::new() } else { format!(" {word} {}", all.join(", ")) }
    }

    fn read(&self, columns: &mut Columns<'_, '_>) -> Result<Vec<FieldValue>> {
        self.by.iter().map(|dimension| key(*dimension, columns)).collect()
    }
}

fn leads_query(keys: &Keys, live: Condition) -> Condition {
    let campaign = if keys.by.contains(&Dimension::Campaign) { "min(l.campaign)" } else { "NULL" };
    let wait = "l.converted_at - l.created_at";
    let sql = format!(
        "SELECT {}{campaign}, count(*), sum(l.state = 2), sum(iif(l.state = 0 AND l.outcome = 'lost', 1, 0)), sum(l.state = 1), sum(iif(l.state = 2, ({wait}) / {SECOND}, 0)), sum(iif(l.state = 2, ({wait}) % {SECOND}, 0)) FROM leadcore_lead l WHERE {}{}{}",
        keys.named,
        live.sql,
        keys.clause("GROUP BY", &[]),
        keys.clause("ORDER BY", &[]),
    );
    Condition { sql, params: live.params }
}

fn waits_query(keys: &Keys, live: Condition) -> Condition {
    // Windows do not know the names of columns beside them, so those are made further in.
    let sql = format!(
        "SELECT {list}min(wait), max(wait) FROM (SELECT {list}wait, row_number() OVER ({part} ORDER BY wait) AS n, count(*) OVER ({part}) AS many FROM (SELECT {named}l.converted_at - l.created_at AS wait FROM leadcore_lead l WHERE {live} AND l.state = 2)) WHERE n IN ((many + 1) / 2, many / 2 + 1){group}{order}",
        list = keys.list(),
        part = keys.clause("PARTITION BY", &[]).trim_start(),
        named = keys.named,
        live = live.sql,
        group = keys.clause("GROUP BY", &[]),
        order = keys.clause("ORDER BY", &[]),
    );
    Condition { sql, params: live.params }
}

fn worth_query(keys: &Keys, live: Condition) -> Condition {
    let of = |state: &str| {
        format!(
            "sum(o.state = '{state}'), sum(iif(o.state = '{state}', coalesce(o.amount, 0) / {SPLIT}, 0)), sum(iif(o.state = '{state}', coalesce(o.amount, 0) % {SPLIT}, 0))"
        )
    };
    // From the opportunities to their leads: most leads have none. What was made on the page of a customer counts for the first
    // lead that became it, unless it was made before.
    let first = "SELECT k.from_id FROM leadcore_link k CROSS JOIN leadcore_lead f ON f.tenant = k.tenant AND f.id = k.from_id WHERE k.tenant = p.tenant AND k.to_kind = 'account' AND k.to_id = p.account AND k.role = 'converted_to' AND k.from_kind = 'lead' AND f.converted_at <= p.created_at ORDER BY k.from_id LIMIT 1";
    let all = format!(
        "SELECT o.origin_lead AS lead, o.state, o.currency, o.amount FROM leadcore_opportunity o WHERE o.tenant = ?1 AND o.origin_lead IS NOT NULL UNION ALL SELECT ({first}), p.state, p.currency, p.amount FROM leadcore_opportunity p WHERE p.tenant = ?1 AND p.origin_lead IS NULL"
    );
    let sql = format!(
        "SELECT {}coalesce(o.currency, '') AS code, {}, {}, {} FROM ({all}) o CROSS JOIN leadcore_lead l ON l.tenant = ?1 AND l.id = o.lead WHERE {}{}{}",
        keys.named,
        of("open"),
        of("won"),
        of("lost"),
        live.sql,
        keys.clause("GROUP BY", &["code"]),
        keys.clause("ORDER BY", &["code"]),
    );
    Condition { sql, params: live.params }
}

fn stages_query(keys: &Keys, live: Condition) -> Condition {
    let lost = "IN (SELECT id FROM leadcore_stage WHERE tenant = ? AND kind = 'lost')";
    // Of each stage that a lead was in and left, the last time counts. It was lost from there if it has been in lost stages
    // ever since.
    let sql = format!(
        "WITH x AS MATERIALIZED (SELECT {named}l.rid AS rid, l.stage AS stage, l.state AS state FROM leadcore_lead l WHERE {live}) SELECT {list}stage, count(*), sum(moved), sum(lost), sum(state = 1), sum(state = 2), sum(state = 0) FROM (SELECT {list}x.stage AS stage, 0 AS moved, 0 AS lost, x.state AS state FROM x UNION ALL SELECT {list}stage, NOT lost, lost, NULL FROM (SELECT {list}s.from_stage AS stage, NOT EXISTS (SELECT 1 FROM leadcore_stage_step t WHERE t.tenant = s.tenant AND t.lead = s.lead AND t.seq >= s.seq AND t.to_stage NOT {lost}) AS lost FROM x CROSS JOIN leadcore_stage_step s ON s.tenant = ? AND s.lead = x.rid WHERE s.from_stage <> x.stage AND NOT EXISTS (SELECT 1 FROM leadcore_stage_step t WHERE t.tenant = s.tenant AND t.lead = s.lead AND t.seq > s.seq AND t.from_stage = s.from_stage))){group}{order}",
        named = keys.named,
        live = live.sql,
        list = keys.list(),
        group = keys.clause("GROUP BY", &["stage"]),
        order = keys.clause("ORDER BY", &["stage"]),
    );
    Condition { sql, params: live.params }
}

/// What each report asks, to be explained.
#[cfg(test)]
pub(crate) fn report_queries(txn: &mut SqliteTxn<'_>, scan: &ReportScan) -> [Condition; 4] {
    let keys = Keys::of(scan);
    let tenant = || Value::Text("acme".to_owned());
    let mut live = || txn.live(&scan.filter).unwrap();
    let mut worth = worth_query(&keys, live());
    worth.params.insert(0, tenant());
    let mut stages = stages_query(&keys, live());
    stages.params.extend([tenant(), tenant()]);
    [leads_query(&keys, live()), waits_query(&keys, live()), worth, stages]
}

impl SqliteTxn<'_> {
    /// Runs a report and reads its rows: first the group, then what `read` makes of the rest.
    fn figures<T>(
        &self,
        keys: &Keys,
        query: &Condition,
        mut read: impl FnMut(Vec<FieldValue>, &mut Columns<'_, '_>) -> Result<Option<T>>,
    ) -> Result<Vec<T>> {
        let what = "count leads for a report";
        let mut statement = self.prepare(&query.sql, what)?;
        let mut rows = statement.query(rusqlite::params_from_iter(query.params.iter())).store(what)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store(what)? {
            let row: &Row<'_> = row;
            let mut columns = Columns::of(row);
            let group = keys.read(&mut columns)?;
            found.extend(read(group, &mut columns)?);
        }
        Ok(found)
    }

    fn tenant_value(&self) -> Value {
        Value::Text(self.tenant_text().to_owned())
    }
}

/// Two halves of a sum.
fn sum(columns: &mut Columns<'_, '_>, split: i64) -> Result<i128> {
    let (high, low) = (columns.int()?, columns.int()?);
    Ok(i128::from(high) * i128::from(split) + i128::from(low))
}

fn worth(columns: &mut Columns<'_, '_>) -> Result<Worth> {
    Ok(Worth { count: columns.unsigned()?, units: sum(columns, SPLIT)? })
}

impl Reports for SqliteTxn<'_> {
    fn leads(&mut self, scan: &ReportScan) -> Result<Vec<LeadFigures>> {
        let keys = Keys::of(scan);
        let query = leads_query(&keys, self.live(&scan.filter)?);
        self.figures(&keys, &query, |key, columns| {
            let campaign = columns.string()?;
            let leads = columns.unsigned()?;
            if leads == 0 {
                return Ok(None);
            }
            Ok(Some(LeadFigures {
                key,
                campaign,
                leads,
                converted: columns.unsigned()?,
                lost: columns.unsigned()?,
                disqualified: columns.unsigned()?,
                waited: sum(columns, SECOND)?,
            }))
        })
    }

    fn middle_waits(&mut self, scan: &ReportScan) -> Result<Vec<MiddleWaits>> {
        let keys = Keys::of(scan);
        let query = waits_query(&keys, self.live(&scan.filter)?);
        self.figures(&keys, &query, |key, columns| {
            let (low, high) = (columns.optional_int()?, columns.optional_int()?);
            Ok(low.zip(high).map(|(low, high)| MiddleWaits { key, low, high }))
        })
    }

    fn worth(&mut self, scan: &ReportScan) -> Result<Vec<WorthFigures>> {
        let keys = Keys::of(scan);
        let mut query = worth_query(&keys, self.live(&scan.filter)?);
        query.params.insert(0, self.tenant_value());
        self.figures(&keys, &query, |key, columns| {
            let currency = match columns.text()? {
                "" => None,
                code => Some(Currency::from_stored(code).map_err(|_| corrupt("currency"))?),
            };
            let (open, won, lost) = (worth(columns)?, worth(columns)?, worth(columns)?);
            Ok(Some(WorthFigures { key, currency, open, won, lost }))
        })
    }

    fn stages(&mut self, scan: &ReportScan) -> Result<Vec<StageFigures>> {
        let keys = Keys::of(scan);
        let mut query = stages_query(&keys, self.live(&scan.filter)?);
        query.params.extend([self.tenant_value(), self.tenant_value()]);
        self.figures(&keys, &query, |key, columns| {
            let stage = StageId::from_uuid(columns.uuid()?);
            // A sum over nothing but what is not said is not said.
            let mut count = || -> Result<u64> {
                let count = columns.optional_int()?.unwrap_or(0);
                u64::try_from(count).map_err(|_| corrupt("count"))
            };
            let entered = Entered {
                entered: count()?,
                moved_on: count()?,
                lost: count()?,
                disqualified: count()?,
                converted: count()?,
                still_there: count()?,
            };
            Ok(Some(StageFigures { key, stage, entered }))
        })
    }
}
