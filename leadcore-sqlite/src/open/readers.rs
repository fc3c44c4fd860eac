//! The connections that read.

use std::sync::{Condvar, Mutex, PoisonError};

use leadcore::error::Result;
use rusqlite::Connection;

use super::{Database, connect};
use crate::queue::{Patience, unpoisoned};

/// Up to a limit, opened when first needed, lent to one read at a time.
#[derive(Debug, Default)]
pub(super) struct Readers {
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
    /// How many callers wait for a connection.
    waiting: usize,
}

impl Readers {
    /// The idle connections, when nobody else can see the pool any more.
    pub(super) fn take_idle(&mut self) -> Vec<Connection> {
        std::mem::take(&mut self.pool.get_mut().unwrap_or_else(PoisonError::into_inner).idle)
    }
}

/// A reader connection on loan from the pool; it goes back when dropped.
pub(super) struct Lent<'a> {
    readers: &'a Readers,
    pub(super) conn: Option<Connection>,
}

impl<'a> Lent<'a> {
    /// Waits for a connection that is free or may be opened.
    pub(super) fn take(readers: &'a Readers, database: &Database) -> Result<Self> {
        let mut pool = unpoisoned(readers.pool.lock());
        // Asked for the time only when there is something to wait for.
        let mut patience = None;
        loop {
            if let Some(conn) = pool.idle.pop() {
                return Ok(Self { readers, conn: Some(conn) });
            }
            if pool.open < database.options.readers {
                pool.open += 1;
                drop(pool);
                // From here on the drop of this value gives the place back, also when opening fails.
                let mut lent = Self { readers, conn: None };
                lent.conn = Some(connect::reader(database.path(), &database.options)?);
                return Ok(lent);
            }
            let patience = patience.get_or_insert_with(|| Patience::new(database.options.busy_timeout));
            let left = patience.left();
            if left.is_zero() {
                return Err(patience.exhausted());
            }
            pool.waiting += 1;
            pool = readers.freed.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner).0;
            pool.waiting = pool.waiting.saturating_sub(1);
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = unpoisoned(self.readers.pool.lock());
        match self.conn.take() {
            // A closure that left a transaction open does not get to spoil the next reader's.
            Some(conn) if conn.is_autocommit() => pool.idle.push(conn),
            _ => pool.open = pool.open.saturating_sub(1),
        }
        // Waking nobody is a call into the kernel all the same.
        let awaited = pool.waiting > 0;
        drop(pool);
        if awaited {
            self.readers.freed.notify_one();
        }
    }
}
