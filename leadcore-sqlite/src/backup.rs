//! A copy of an open database in a new file.

use std::fs::OpenOptions;
use std::path::Path;

use leadcore::error::{Error, ErrorKind, Result};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::{StoreResult as _, about_file, from_sqlite};
use crate::open::Database;
use crate::queue::Patience;

impl Database {
    /// Writes one consistent state of the whole file, the host's tables included, to `target`.
    ///
    /// The copy is a single file in rollback-journal mode with no `-wal` beside it, so any SQLite tool may open it.
    /// Copying a live database with the operating system's means loses what is still in the log. An existing file
    /// is never overwritten. Others may write meanwhile (in WAL mode).
    ///
    /// # Errors
    /// `AlreadyExists` when there is something at `target`; `Storage` when it cannot be written, in which case the
    /// unfinished copy is removed.
    pub(crate) fn backup_to(&self, target: &Path) -> Result<()> {
        // The name is taken first, in one step: looking and then creating would let two backups meet.
        OpenOptions::new().write(true).create_new(true).open(target).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                Error::new(ErrorKind::AlreadyExists, format!("back up: `{}` exists", target.display()))
            } else {
                Error::new(ErrorKind::Storage, format!("back up: cannot create `{}`", target.display()))
                    .with_source(error)
            }
        })?;
        let copied = self.read(|source| copy(source, target, &Patience::new(self.options.busy_timeout)));
        if copied.is_err() {
            // Only the file made above, which nobody has been told of, is removed; the first error is reported.
            let _ = std::fs::remove_file(target);
        }
        copied
    }
}

fn copy(source: &Connection, target: &Path, patience: &Patience) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy =
        Connection::open_with_flags(target, flags).map_err(|e| about_file(e, "back up to", target))?;
    copy.execute_batch("PRAGMA synchronous=EXTRA").store("back up")?;
    {
        let backup = Backup::new(source, &mut copy).store("back up")?;
        let mut attempt = 0;
        // All pages in one step: between steps another process could write, and the copy would start again.
        loop {
            match backup.step(-1).map_err(|error| about_file(error, "back up to", target))? {
                StepResult::Done => break,
                _ if patience.pause(attempt) => attempt += 1,
                _ => return Err(patience.exhausted()),
            }
        }
    }
    // The copy says "WAL" in its header like the original; one plain file is safer to carry about.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).store("back up")?;
    copy.close().map_err(|(_, error)| from_sqlite(error, "back up"))
}
