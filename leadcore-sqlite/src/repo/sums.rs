//! Sums of amounts that are kept up to date with every write, so that no board adds up rows.

use std::collections::BTreeMap;

use leadcore::domain::{AmountSum, Lead, StageSum};
use leadcore::error::Result;
use leadcore::id::StageId;
use leadcore::query::Resolved;
use leadcore::value::Currency;
use rusqlite::Row;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::{Columns, amount_units, corrupt, state_number};
use crate::txn::SqliteTxn;

use super::tally::Shape;

const ADD: &str = "INSERT INTO leadcore_stage_sum (tenant, stage, currency, state, leads, plain_high, plain_low, own_high, own_low, weighted_high, weighted_low) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (tenant, stage, currency, state) DO UPDATE SET leads = leads + ?5, plain_high = plain_high + ?6, plain_low = plain_low + ?7, own_high = own_high + ?8, own_low = own_low + ?9, weighted_high = weighted_high + ?10, weighted_low = weighted_low + ?11";
const SUMS: &str = "SELECT stage, currency, sum(leads), sum(plain_high), sum(plain_low), sum(own_high), sum(own_low), sum(weighted_high), sum(weighted_low) FROM leadcore_stage_sum WHERE tenant = ?1 AND state BETWEEN ?2 AND ?3 AND (?4 IS NULL OR stage = ?4) GROUP BY stage, currency HAVING sum(leads) > 0 ORDER BY stage, currency";
/// Truncating division and its remainder, in SQLite as in Rust.
const COUNTED: &str = "SELECT l.stage, coalesce(l.currency, '') AS code, count(*), sum(iif(l.probability IS NULL, l.amount / 1000000000, 0)), sum(iif(l.probability IS NULL, l.amount % 1000000000, 0)), sum(iif(l.probability IS NULL, 0, l.amount / 1000000000)), sum(iif(l.probability IS NULL, 0, l.amount % 1000000000)), sum(coalesce(l.amount / 1000000000 * l.probability, 0)), sum(coalesce(l.amount % 1000000000 * l.probability, 0)) FROM leadcore_lead l WHERE l.amount IS NOT NULL AND ";

/// Amounts are split at this many units before they are added, so that no sum of either half leaves 64 bits before there
/// are some 90 million leads in one stage. The halves of each amount are added apart, so they are those of the leads that
/// are there, however many came and went. A sum that did leave 64 bits would be refused by the STRICT table.
const SPLIT: i64 = 1_000_000_000;

/// What one row of sums changes by: leads, then high and low of each sum.
type Cell = [i64; 7];

/// What a slice of writes changes: one row per stage and currency, not per lead.
#[derive(Debug, Default)]
pub(crate) struct SumDeltas(BTreeMap<(Uuid, String, i64), Cell>);

impl SumDeltas {
    /// Adds a live lead (`by` = 1) or takes it away (`by` = -1).
    pub(crate) fn count(&mut self, lead: &Lead, by: i64) -> Result<()> {
        let Some(amount) = lead.fields.amount else { return Ok(()) };
        let units = amount_units(amount)?;
        let (high, low) = (units / SPLIT * by, units % SPLIT * by);
        let change = match lead.fields.probability.map(i64::from) {
            None => [by, high, low, 0, 0, 0, 0],
            Some(percent) => [by, 0, 0, high, low, high * percent, low * percent],
        };
        let currency = lead.fields.currency.as_ref().map(Currency::code).unwrap_or_default().to_owned();
        let cell = self.0.entry((lead.stage.as_uuid(), currency, state_number(lead.state()))).or_default();
        for (sum, change) in cell.iter_mut().zip(change) {
            *sum += change;
        }
        Ok(())
    }
}

impl SqliteTxn<'_> {
    pub(super) fn apply_sums(&self, deltas: &SumDeltas) -> Result<()> {
        let mut add = self.prepare(ADD, "add up amounts")?;
        for ((stage, currency, state), cell) in deltas.0.iter().filter(|(_, cell)| **cell != Cell::default())
        {
            let [leads, plain_high, plain_low, own_high, own_low, weighted_high, weighted_low] = *cell;
            let row = (
                self.tenant_text(),
                stage.as_bytes().as_slice(),
                currency,
                state,
                leads,
                plain_high,
                plain_low,
                own_high,
                own_low,
                weighted_high,
                weighted_low,
            );
            add.execute(row).store("add up amounts")?;
        }
        Ok(())
    }

    /// The sums, when they are kept: for a state, and perhaps one stage.
    pub(super) fn kept_sums(&self, filter: &Resolved) -> Result<Option<Vec<StageSum>>> {
        let Some(shape) = Shape::of(filter) else { return Ok(None) };
        let stage = match shape.value {
            None => None,
            Some(("stage", stage)) => Some(stage),
            Some(_) => return Ok(None),
        };
        let (from, to) = shape.state.map_or((0, 2), |state| (state, state));
        let mut statement = self.prepare(SUMS, "read sums")?;
        let mut rows = statement.query((self.tenant_text(), from, to, stage)).store("read sums")?;
        let mut sums = Vec::new();
        while let Some(row) = rows.next().store("read sums")? {
            sums.push(stage_sum(row)?);
        }
        Ok(Some(sums))
    }

    /// The sums, from the rows.
    pub(super) fn add_up(&mut self, filter: &Resolved) -> Result<Vec<StageSum>> {
        let condition = self.live(filter)?;
        let sql = format!("{COUNTED}{} GROUP BY l.stage, l.currency ORDER BY l.stage, code", condition.sql);
        let mut statement = self.prepare(&sql, "add up amounts")?;
        let mut rows =
            statement.query(rusqlite::params_from_iter(condition.params.iter())).store("add up amounts")?;
        let mut sums = Vec::new();
        while let Some(row) = rows.next().store("add up amounts")? {
            sums.push(stage_sum(row)?);
        }
        Ok(sums)
    }
}

fn stage_sum(row: &Row<'_>) -> Result<StageSum> {
    let mut columns = Columns::of(row);
    let stage = StageId::from_uuid(columns.uuid()?);
    let currency = match columns.text()? {
        "" => None,
        code => Some(Currency::from_stored(code).map_err(|_| corrupt("currency"))?),
    };
    let leads = columns.unsigned()?;
    let mut sum = || -> Result<i128> {
        let (high, low) = (columns.int()?, columns.int()?);
        Ok(i128::from(high) * i128::from(SPLIT) + i128::from(low))
    };
    let sum = AmountSum { leads, plain: sum()?, own: sum()?, own_weighted: sum()? };
    Ok(StageSum { stage, currency, sum })
}
