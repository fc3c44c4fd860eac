//! The moves of leads between stages: kept with the lead's own write, so that reports need not read the journal.

use leadcore::domain::Lead;
use leadcore::error::Result;

use crate::error::StoreResult as _;
use crate::txn::SqliteTxn;

/// Moves that were taken back: the lead is where it was before the last of them, since when it was.
const BACK: &str = "DELETE FROM leadcore_stage_step WHERE tenant = ?1 AND lead = ?2 AND seq >= (SELECT max(seq) FROM leadcore_stage_step WHERE tenant = ?1 AND lead = ?2 AND from_stage = ?3 AND since = ?4)";
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM leadcore_stage_step WHERE tenant = ? AND lead = ?";
const ADD: &str = "INSERT INTO leadcore_stage_step (tenant, lead, seq, from_stage, since, to_stage) VALUES (?, ?, ?, ?, ?, ?)";
const DROP: &str = "DELETE FROM leadcore_stage_step WHERE tenant = ? AND lead = ?";

impl SqliteTxn<'_> {
    /// Writes down that a lead was moved, or takes moves back.
    pub(super) fn step(&self, before: &Lead, after: &Lead, rid: i64) -> Result<()> {
        if (before.stage, before.stage_entered_at) == (after.stage, after.stage_entered_at) {
            return Ok(());
        }
        let what = "write where a lead was";
        let (from, to) = (before.stage.as_uuid(), after.stage.as_uuid());
        let back = (self.tenant_text(), rid, to.as_bytes().as_slice(), after.stage_entered_at.as_micros());
        let gone = self.prepare(BACK, what)?.execute(back).store(what)?;
        if gone > 0 || before.stage == after.stage {
            return Ok(());
        }
        let last: i64 =
            self.prepare(LAST, what)?.query_row((self.tenant_text(), rid), |row| row.get(0)).store(what)?;
        let row = (
            self.tenant_text(),
            rid,
            last.saturating_add(1),
            from.as_bytes().as_slice(),
            before.stage_entered_at.as_micros(),
            to.as_bytes().as_slice(),
        );
        self.prepare(ADD, what)?.execute(row).store(what).map(drop)
    }

    pub(super) fn drop_steps(&self, rid: i64) -> Result<()> {
        let what = "drop where a lead was";
        self.prepare(DROP, what)?.execute((self.tenant_text(), rid)).store(what).map(drop)
    }
}
