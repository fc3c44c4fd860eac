//! A write transaction that stays open between calls.

use std::sync::Arc;

use leadcore::error::Result;
use rusqlite::Connection;

use super::{Database, closed};
use crate::error::StoreResult as _;
use crate::guard::Moment;
use crate::queue::Patience;

/// The writing connection, taken out of the queue with a transaction open on it. Everybody else waits until it is back.
#[derive(Debug)]
pub(crate) struct Unit {
    database: Arc<Database>,
    connection: Option<Connection>,
}

impl Unit {
    /// Waits for the turn to write and begins.
    pub(crate) fn begin(database: &Arc<Database>) -> Result<Self> {
        database.same_process()?;
        let patience = Patience::new(database.options.busy_timeout);
        let connection = database.writer.take_out(&patience)?;
        // From here on the drop of this value gives everything back, also when beginning fails.
        let unit = Self { database: Arc::clone(database), connection };
        if let Some(held) = unit.database.hold_side_lock(&patience)? {
            held.keep();
        }
        unit.database.look(Moment::BeforeWrite)?;
        // Ended by hand: the transaction outlives this call.
        let transaction = unit.database.begin(unit.connection()?, &patience)?;
        drop(leave_open(transaction));
        Ok(unit)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn connection(&self) -> Result<&Connection> {
        self.database.same_process()?;
        self.connection.as_ref().ok_or_else(closed)
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        let connection = self.connection()?;
        self.database.look(Moment::BeforeCommit)?;
        connection.execute_batch("COMMIT").store("commit")?;
        self.database.commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.database.look(Moment::AfterCommit)
    }

    pub(crate) fn rollback(&mut self) -> Result<()> {
        let connection = self.connection()?;
        if connection.is_autocommit() {
            return Ok(());
        }
        connection.execute_batch("ROLLBACK").store("roll back")
    }
}

fn leave_open(mut transaction: rusqlite::Transaction<'_>) -> rusqlite::Transaction<'_> {
    transaction.set_drop_behavior(rusqlite::DropBehavior::Ignore);
    transaction
}

impl Drop for Unit {
    fn drop(&mut self) {
        if self.database.forked() {
            // The parent still uses what this handle points to.
            std::mem::forget(self.connection.take());
            return;
        }
        // A transaction that cannot be rolled back is rolled back by the next writer's BEGIN.
        let _ = self.rollback();
        self.database.release_side_lock();
        self.database.writer.put_back(self.connection.take());
    }
}
